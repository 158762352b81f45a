"""Coloured shapes on noise, with their masks and boxes: what a small network learns in seconds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIDE = 64


def shapes(count: int, seed: int = 1) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.uint8], list[list[int]]]]:
    """Red boxes (class 0) and blue discs (class 1) on noise: pixels, mask of 0, 1 and 2, and class, x, y, w, h."""
    random = np.random.default_rng(seed)
    for _ in range(count):
        pixels = random.integers(60, 120, (SIDE, SIDE, 3)).astype(np.uint8)
        mask = np.zeros((SIDE, SIDE), np.uint8)
        objects: list[list[int]] = []
        for column in random.permutation(3)[: random.integers(1, 4)].tolist():  # a third each, so that none is hidden
            w, h = random.integers(10, 20, 2).tolist()
            x, y, kind = (
                column * 21 + int(random.integers(0, 22 - w)),
                int(random.integers(0, SIDE - h)),
                len(objects) % 2,
            )
            shape = np.zeros((SIDE, SIDE), np.uint8)
            if kind:
                cv2.ellipse(shape, (x + w // 2, y + h // 2), (w // 2, h // 2), 0, 0, 360, 1, -1)
            else:
                shape[y : y + h, x : x + w] = 1
            pixels[shape > 0] = [(220, 40, 40), (40, 60, 220)][kind]
            mask[shape > 0] = kind + 1
            objects.append([kind, x, y, w, h])
        yield pixels, mask, objects


def with_masks(root: Path) -> Path:
    """A dataset of twenty, with class masks."""
    for folder in ("images", "masks"):
        (root / folder).mkdir()
    for number, (pixels, mask, _) in enumerate(shapes(20)):
        Image.fromarray(pixels).save(root / "images" / f"{number:02d}.png")
        Image.fromarray(mask).save(root / "masks" / f"{number:02d}.png")
    (root / "classes.txt").write_text("ground\nbox\ndisc\n")
    return root


def with_boxes(root: Path) -> Path:
    """The same with boxes."""
    (root / "images").mkdir()
    coco: dict[str, list[dict[str, object]]] = {"images": [], "annotations": []}
    coco["categories"] = [{"id": 1, "name": "box"}, {"id": 2, "name": "disc"}]
    for number, (pixels, _, objects) in enumerate(shapes(20)):
        Image.fromarray(pixels).save(root / "images" / f"{number:02d}.png")
        coco["images"].append({"id": number, "file_name": f"{number:02d}.png", "width": SIDE, "height": SIDE})
        for kind, *box in objects:
            one = {"id": len(coco["annotations"]) + 1, "image_id": number, "category_id": kind + 1, "bbox": box}
            coco["annotations"].append({**one, "area": box[2] * box[3], "iscrowd": 0})
    (root / "annotations.json").write_text(json.dumps(coco))
    return root
