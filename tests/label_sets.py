"""Small labelled datasets, drawn for each test. Pictures are 40 x 30."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from conftest import encoded
from PIL import Image

WIDTH, HEIGHT = 40, 30
NAMES = "names: [cat, dog]\ntrain: images\nval: images\n"


def plant(root: Path, files: Mapping[str, Any]) -> Path:
    """Files under `root`: bytes and text as they are, anything else as JSON."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not isinstance(content, bytes):
            content = (content if isinstance(content, str) else json.dumps(content)).encode()
        path.write_bytes(content)
    return root


def picture(seed: int, ending: str = ".png") -> bytes:
    return encoded(seed, ending, width=WIDTH, height=HEIGHT)


def mask(*values: int, palette: bytes | None = None) -> bytes:
    """A class mask with upright stripes of these values, all of one width as far as they go."""
    pixels = np.repeat(np.array(values, np.uint8), -(-WIDTH // len(values)))[:WIDTH]
    image = Image.fromarray(np.tile(pixels, (HEIGHT, 1)))
    if palette:
        image.putpalette(palette)
    buffer = io.BytesIO()
    image.save(buffer, "PNG", bits=8)
    return buffer.getvalue()


def yolo(names: str = NAMES, count: int = 3) -> dict[str, Any]:
    """data.yaml, and images of which each has a cat and a dog."""
    files: dict[str, Any] = {"data.yaml": names}
    for number in range(count):
        files[f"images/{number}.png"] = picture(number)
        files[f"labels/{number}.txt"] = f"0 0.{3 + number} 0.5 0.25 0.4\n1 0.7 0.6 0.3 0.2\n"
    return files


def masks(count: int = 3) -> dict[str, Any]:
    """Images and, in a second folder, masks of the classes 0 to 2."""
    images = {f"images/{number}.png": picture(number) for number in range(count)}
    return images | {f"masks/{number}.png": mask(0, 1, 2, number % 3) for number in range(count)}


def coco(*names: str, **shape: Any) -> dict[str, Any]:
    """COCO's JSON of images of these names, each with a cat: a box, or what else `shape` says of it; None: not said."""
    shape = {"category_id": 1, "bbox": [4, 5, 12, 10], "area": 120, "iscrowd": 0} | shape
    thing = {key: value for key, value in shape.items() if value is not None}
    return {
        "images": [{"id": n, "file_name": name, "width": WIDTH, "height": HEIGHT} for n, name in enumerate(names, 1)],
        "annotations": [{"id": n, "image_id": n} | thing for n, _ in enumerate(names, 1)],
        "categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}],
    }


def coco_set(count: int = 3, **shape: Any) -> dict[str, Any]:
    names = [f"{number}.png" for number in range(count)]
    return {"annotations.json": coco(*names, **shape)} | {name: picture(n) for n, name in enumerate(names)}


def labelme(name: str, *shapes: dict[str, Any], **more: Any) -> dict[str, Any]:
    shapes = shapes or ({"label": "cat", "points": [[4, 5], [16, 15]], "shape_type": "rectangle"},)
    return {"version": "5.0", "flags": {}, "shapes": list(shapes), "imagePath": name, "imageData": None} | {
        "imageHeight": HEIGHT,
        "imageWidth": WIDTH,
        **more,
    }


def tar(files: Mapping[str, Any]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as shard:
        for name, content in files.items():
            data = content if isinstance(content, bytes) else json.dumps(content).encode()
            member = tarfile.TarInfo(name)
            member.size = len(data)
            shard.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


def member(number: int) -> dict[str, Any]:
    """An image of a shard with a cat in a box."""
    objects = {"bbox": [[4, 5, 12, 10]], "category": ["cat"]}
    return {f"s{number:03d}.png": picture(number), f"s{number:03d}.json": {"objects": objects}}
