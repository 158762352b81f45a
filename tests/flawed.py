"""Datasets with something wrong in each, tiny, drawn anew: name -> a function that plants one in a folder.

A planter returns what `augx validate` is given beside `--input`: a recipe's text, and options.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

from conftest import encoded
from PIL import Image
from test_lint import turned_image

PLAIN = "version: 1\ncopies: 2\ntransforms: [RandomGamma]\n"
Planter = Callable[[Path], tuple[str, tuple[str, ...]]]


def write(root: Path, name: str, data: bytes | str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data.encode() if isinstance(data, str) else data)


def folders(root: Path, counts: Mapping[str, int], first: int = 0, **how: int) -> None:
    """Class folders with so many images, no two alike."""
    number = first
    for label, count in counts.items():
        for index in range(count):
            write(root, f"{label}/{index:02}.png", encoded(number, ".png", **({"width": 64, "height": 48} | how)))
            number += 1


def broken_files(root: Path) -> tuple[str, tuple[str, ...]]:
    folders(root, {"cat": 6, "dog": 6})
    write(root, "cat/cut.jpg", encoded(50, width=200, height=150)[:2000])
    write(root, "cat/empty.jpg", b"")
    write(root, "dog/page.jpg", "<!DOCTYPE html><html><body>404 Not Found</body></html>")
    write(root, "dog/pointer.png", "version https://git-lfs.github.com/spec/v1\noid sha256:" + "a" * 64 + "\nsize 9\n")
    return PLAIN, ()


def crop_larger_than_most(root: Path) -> tuple[str, tuple[str, ...]]:
    folders(root, {"cat": 6, "dog": 6})
    folders(root, {"bird": 5}, 90, width=300, height=260)
    return "version: 1\ncopies: 2\ntransforms:\n  - RandomGamma\n  - RandomCrop: {height: 224, width: 224, p: 1}\n", ()


def same_file_twice(root: Path) -> tuple[str, tuple[str, ...]]:
    folders(root, {"cat": 6, "dog": 6})
    write(root, "cat/again.png", (root / "cat/03.png").read_bytes())
    return PLAIN, ()


def same_file_two_labels(root: Path) -> tuple[str, tuple[str, ...]]:
    folders(root, {"cat": 6, "dog": 6})
    write(root, "dog/really.png", (root / "cat/03.png").read_bytes())
    return PLAIN, ()


def saved_again(root: Path) -> tuple[str, tuple[str, ...]]:
    folders(root, {"cat": 6, "dog": 6})
    with Image.open(root / "cat/02.png") as image:
        image.save(root / "cat/smaller.jpg", quality=80)
    return PLAIN, ()


def leaking_splits(root: Path) -> tuple[str, tuple[str, ...]]:
    folders(root / "train", {"cat": 6, "dog": 6})
    folders(root / "test", {"cat": 2, "dog": 2}, 40)
    write(root, "test/cat/seen.png", (root / "train/cat/01.png").read_bytes())
    return PLAIN, ()


def tested_but_not_taught(root: Path) -> tuple[str, tuple[str, ...]]:
    folders(root / "train", {"cat": 6, "dog": 6})
    folders(root / "test", {"cat": 2, "dog": 2, "newt": 2}, 40)
    return PLAIN, ()


def slow_before_a_resize(root: Path) -> tuple[str, tuple[str, ...]]:
    folders(root, {"cat": 6, "dog": 6}, width=400, height=300)
    return "version: 1\ncopies: 2\ntransforms:\n  - GaussNoise\n  - LongestMaxSize: {max_size: 160, p: 1}\n", ()


def one_class_much_larger(root: Path) -> tuple[str, tuple[str, ...]]:
    folders(root, {"cat": 60, "dog": 5})
    return PLAIN, ()


def hardly_any_of_a_class(root: Path) -> tuple[str, tuple[str, ...]]:
    folders(root, {"cat": 8, "dog": 8, "newt": 2, "toad": 1})
    return PLAIN, ()


def boxes_outside(root: Path) -> tuple[str, tuple[str, ...]]:
    images, boxes = [], [(10, 10, 20, 20), (50, 40, 30, 30), (-5, -5, 20, 20), (90, 90, 5, 5), (5, 5, 0, 9)]
    annotations = []
    for number, box in enumerate(boxes, 1):
        write(root, f"images/{number}.png", encoded(number, ".png", width=64, height=48))
        images.append({"id": number, "file_name": f"{number}.png", "width": 64, "height": 48})
        annotations.append({"id": number, "image_id": number, "category_id": 1, "bbox": box, "area": 400, "iscrowd": 0})
    coco = {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "cell"}]}
    write(root, "annotations/instances.json", json.dumps(coco))
    return PLAIN, ()


def digits_in_a_mirror(root: Path) -> tuple[str, tuple[str, ...]]:
    folders(root, dict.fromkeys("0123456789", 5))
    return "version: 1\ncopies: 2\ntransforms:\n  - HorizontalFlip\n  - Rotate: {limit: 180}\n", ()


def classes_of_colour(root: Path) -> tuple[str, tuple[str, ...]]:
    folders(root, {"red light": 5, "green light": 5, "yellow light": 5})
    return "version: 1\ncopies: 2\ntransforms:\n  - HueSaturationValue\n  - ToGray\n", ()


def left_and_right(root: Path) -> tuple[str, tuple[str, ...]]:
    folders(root, {"left shoe": 5, "right shoe": 5})
    return "version: 1\ncopies: 1\ntransforms:\n  - HorizontalFlip\n", ()


def captions_of_sides(root: Path) -> tuple[str, tuple[str, ...]]:
    texts = ("a dog on the left of a cat", "a bright red car", "the man to the right wears a hat", "the rest is sky")
    for number in range(len(texts)):
        write(root, f"train/{number}.png", encoded(number, ".png", width=64, height=48))
    lines = (json.dumps({"file_name": f"{number}.png", "text": text}) for number, text in enumerate(texts))
    write(root, "train/metadata.jsonl", "\n".join(lines) + "\n")
    return "version: 1\ncopies: 1\ntransforms:\n  - HorizontalFlip\n", ()


def steering_angles(root: Path) -> tuple[str, tuple[str, ...]]:
    lines = ["file_name,steering_angle"]
    for number in range(6):
        write(root, f"{number}.png", encoded(number, ".png", width=64, height=48))
        lines.append(f"{number}.png,{number / 10}")
    write(root, "labels.csv", "\n".join(lines) + "\n")
    return "version: 1\ncopies: 1\ntransforms:\n  - HorizontalFlip\n", ()


def turned_by_the_camera(root: Path) -> tuple[str, tuple[str, ...]]:
    box = "<xmin>2</xmin><ymin>2</ymin><xmax>39</xmax><ymax>19</ymax>"
    write(root, "a.jpg", turned_image(6))
    write(root, "a.xml", f"<annotation><object><name>cat</name><bndbox>{box}</bndbox></object></annotation>")
    return PLAIN, ()


def yolo_without_some_images(root: Path) -> tuple[str, tuple[str, ...]]:
    for number in range(6):
        write(root, f"images/{number}.png", encoded(number, ".png", width=64, height=48))
        write(root, f"labels/{number}.txt", f"{number % 2} 0.5 0.5 0.4 0.4\n")
    write(root, "images/6.png", encoded(6, ".png", width=64, height=48))
    write(root, "labels/7.txt", "0 0.5 0.5 0.2 0.2\n")
    write(root, "labels/5.txt", "1 0.5 0.5 0.4 0.4\n7 0.5 0.5 0.1 0.1\n1 40 30 10 10\n")
    write(root, "data.yaml", "train: images\nnames: [cat, dog]\nnc: 3\n")
    return PLAIN, ()


DATASETS: Mapping[str, Planter] = {
    plant.__name__: plant
    for plant in (
        *(broken_files, crop_larger_than_most, same_file_twice, same_file_two_labels, saved_again, leaking_splits),
        *(one_class_much_larger, hardly_any_of_a_class, boxes_outside, digits_in_a_mirror, classes_of_colour),
        *(tested_but_not_taught, slow_before_a_resize),
        *(left_and_right, captions_of_sides, steering_angles, turned_by_the_camera, yolo_without_some_images),
    )
}
