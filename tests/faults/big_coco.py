"""A COCO file of a gigabyte: how much memory it takes to read.

PYTHONPATH=tests python big_coco.py FOLDER [MEGABYTES]: prints {"megabytes": N, "objects": N, "seconds": S, "peak": N},
and fails where the peak is three times the file or more.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

from conftest import encoded
from makers import environment

IMAGES = 20_000


def write(folder: Path, size: int) -> int:
    """Objects with outlines as long as COCO's own, until the file has so many bytes; returns how many."""
    (folder / "images").mkdir(parents=True, exist_ok=True)
    data, rng, count = encoded(0, ".jpg", width=64, height=48), random.Random(0), 0
    for number in range(IMAGES):
        (folder / "images" / f"{number:06d}.jpg").write_bytes(data)
    with open(folder / "annotations.json", "w") as file:
        images = [
            {"id": number, "file_name": f"images/{number:06d}.jpg", "width": 64, "height": 48}
            for number in range(IMAGES)
        ]
        categories = [{"id": number, "name": f"class {number}"} for number in range(80)]
        file.write(json.dumps({"images": images, "categories": categories})[:-1] + ', "annotations": [')
        while file.tell() < size - 400:
            x, y = rng.uniform(0, 40), rng.uniform(0, 30)
            ring = [round(value + rng.uniform(0, 20), 2) for _ in range(rng.randint(10, 50)) for value in (x, y)]
            box = [min(ring[::2]), min(ring[1::2]), max(ring[::2]) - min(ring[::2]), max(ring[1::2]) - min(ring[1::2])]
            thing = {"id": count, "image_id": count % IMAGES, "category_id": count % 80, "iscrowd": 0}
            thing |= {"bbox": [round(side, 2) for side in box], "area": 100.0, "segmentation": [ring]}
            file.write((", " if count else "") + json.dumps(thing))
            count += 1
        file.write("]}")
    return count


def main(folder: Path, megabytes: int) -> None:
    count = write(folder / "coco", megabytes << 20)
    size = os.path.getsize(folder / "coco" / "annotations.json") >> 20
    began = time.monotonic()
    command = [sys.executable, "-m", "augx", "plan", str(folder / "coco"), "--hash"]
    reader = subprocess.Popen(command, env=environment(), stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(reader.pid, 0)
    assert status == 0
    peak = used.ru_maxrss >> 10
    told = {"megabytes": size, "objects": count, "seconds": round(time.monotonic() - began), "peak": peak}
    print(json.dumps(told))
    assert peak < 3 * megabytes


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1024)
