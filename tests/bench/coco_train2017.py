"""Writes a COCO dataset of the size of train2017: 118,000 images, 860,000 objects, about 450 MB of instances JSON.

    python tests/bench/coco_train2017.py OUT [SHARE]

SHARE (default 1) makes a smaller one. The same arguments make the same bytes; images are one pixel each.
"""

from __future__ import annotations

import base64
import json
import math
import os
import random
import sys
from collections.abc import Iterator
from pathlib import Path

IMAGES, OBJECTS = 118_000, 860_000
CROWDS = 86  # one object in so many
LINKS = 30_000  # hard links to one file: file systems bound them
PIXEL = base64.b64decode(
    b"iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="
)


def main(output: Path, share: float = 1.0) -> None:
    images, objects = round(IMAGES * share), round(OBJECTS * share)
    rng = random.Random(2017)
    numbers = sorted(rng.sample(range(1, 582_000), images))
    folder = output / "images" / "train2017"
    folder.mkdir(parents=True)
    for place, number in enumerate(numbers):
        path = folder / f"{number:012d}.png"
        if place % LINKS:
            os.link(folder / f"{numbers[place - place % LINKS]:012d}.png", path)
        else:
            path.write_bytes(PIXEL)
    (output / "annotations").mkdir()
    with open(output / "annotations" / "instances_train2017.json", "w", encoding="utf-8") as file:
        file.writelines(pieces(rng, numbers, objects))


def pieces(rng: random.Random, numbers: list[int], objects: int) -> Iterator[str]:
    """The label file, its members in the order of COCO's own."""
    info = {
        "description": "made to measure",
        "url": "",
        "version": "1.0",
        "year": 2017,
        "contributor": "",
        "date_created": "",
    }
    yield f'{{"info": {json.dumps(info)}, "licenses": [{{"url": "", "id": 1, "name": "none"}}], "images": ['
    sizes = {number: rng.choice([(640, 480), (480, 640), (640, 427), (500, 375)]) for number in numbers}
    for place, number in enumerate(numbers):
        width, height = sizes[number]
        name = f"{number:012d}.png"
        image = {
            "license": 1,
            "file_name": name,
            "coco_url": f"http://images.cocodataset.org/train2017/{name}",
            "height": height,
            "width": width,
            "date_captured": "2013-11-14 16:28:13",
            "flickr_url": f"http://farm{number % 9}.staticflickr.com/{number % 8000}/{number * 7919 % 10**10}_z.jpg",
            "id": number,
        }
        yield f"{', ' if place else ''}{json.dumps(image)}"
    yield '], "annotations": ['
    for place in range(objects):
        number = rng.choice(numbers)
        crowd = place % CROWDS == CROWDS - 1
        yield f"{', ' if place else ''}{annotation(rng, 1000 + place * 2, number, *sizes[number], crowd)}"
    categories = [{"supercategory": "thing", "id": number, "name": f"class {number}"} for number in range(1, 91)]
    yield f'], "categories": {json.dumps(categories)}}}'


def annotation(rng: random.Random, number: int, image: int, width: int, height: int, crowd: bool) -> str:
    category = rng.randint(1, 90)
    if crowd:
        counts = [rng.randint(1, 2000) for _ in range(rng.randint(50, 400))]
        shape = json.dumps({"counts": counts, "size": [height, width]})
        box = [0, 0, width, height]
    else:
        x, y = rng.uniform(0, width * 0.8), rng.uniform(0, height * 0.8)
        w, h = rng.uniform(5, width - x), rng.uniform(5, height - y)
        points = max(4, min(120, round(rng.lognormvariate(2.85, 0.6))))
        ring = []
        for place in range(points):
            angle = 2 * math.pi * place / points
            ring += [f"{x + w * (0.5 + 0.5 * math.cos(angle)):.2f}", f"{y + h * (0.5 + 0.5 * math.sin(angle)):.2f}"]
        shape = f"[[{', '.join(ring)}]]"
        box = [round(x, 2), round(y, 2), round(w, 2), round(h, 2)]
    area = round(box[2] * box[3] * 0.785, 4)
    return (
        f'{{"segmentation": {shape}, "area": {area}, "iscrowd": {int(crowd)}, "image_id": {image}, '
        f'"bbox": {json.dumps(box)}, "category_id": {category}, "id": {number}}}'
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else 1.0)
