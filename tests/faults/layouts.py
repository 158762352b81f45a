"""The harnesses of all that reads datasets: label files of each format, and file names.

Where one input becomes several files, NUL NUL stands between them; where there are several layouts of a format, the
first byte chooses ("0", "1", ...).
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import judged
import parsers
import wild_data
from label_sets import plant

from augx import formats
from augx.errors import Refused
from augx.formats import ReadOptions

BETWEEN = b"\0\0"
_MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


@cache
def room() -> Path:
    """The folder of this process."""
    path = Path(tempfile.mkdtemp(prefix="augx-fuzz-", dir=_MEMORY))
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    return path


@dataclass(frozen=True)
class Layout:
    """A dataset: `files` that stay as they are, and those called `names`, which are made of the input."""

    files: Mapping[str, bytes]
    names: tuple[str, ...]

    def fitting(self, files: Mapping[str, Any]) -> bytes | None:
        """The input that would be these files, None where they are of another layout."""
        texts = {name: data for name, data in files.items() if not name.endswith((".png", ".jpg"))}
        parts = [texts.get(name, b"") for name in self.names]
        if not texts or not texts.keys() <= set(self.names) or not all(isinstance(p, (str, bytes)) for p in parts):
            return None
        return BETWEEN.join(part.encode() if isinstance(part, str) else part for part in parts)


def png(*folders: str) -> dict[str, bytes]:
    return {f"{folder}{name}.png": wild_data.png(n) for folder in folders for n, name in enumerate("ab")}


LAYOUTS: Mapping[str, Sequence[Layout]] = {
    "table": [Layout(png(""), (f"labels.{ending}",)) for ending in ("csv", "jsonl", "tsv")],
    "coco": [
        Layout(png(""), ("annotations.json",)),
        Layout(png("images/"), ("annotations/instances_train.json", "annotations/captions_train.json")),
        Layout(png("images/", "annotations/panoptic_train/"), ("annotations/panoptic_train.json",)),
    ],
    "yolo": [
        Layout(png("images/"), ("data.yaml", "labels/a.txt", "labels/b.txt")),
        Layout(png("images/"), ("data.yaml", "labels/b.txt", "train.txt")),
        Layout(png("images/"), ("obj.data", "classes.txt", "labels/a.txt", "labels/b.txt", "train.txt")),
    ],
    "voc": [
        Layout(png("JPEGImages/"), ("Annotations/a.xml", "Annotations/b.xml")),
        Layout(
            png("JPEGImages/", "SegmentationClass/"),
            ("Annotations/a.xml", "ImageSets/Main/train.txt", "ImageSets/Main/val.txt", "labelmap.txt"),
        ),
    ],
    "dota": [Layout(png("images/"), ("labelTxt/a.txt", "labelTxt/b.txt"))],
    "labelme": [Layout(png(""), ("a.json", "b.json")), Layout(png(""), ("z.json", "labels.txt"))],
    "cvat": [Layout(png("images/"), ("annotations.xml",))],
    "masks": [
        Layout(png("images/", "masks/"), (name, "train.txt"))
        for name in ("label_colors.txt", "labelmap.csv", "dataset_meta.json")
    ],
    "hf": [
        Layout(png(""), ("metadata.jsonl",)),
        Layout(png(""), ("metadata.csv",)),
        Layout(png("train/", "test/"), ("train/metadata.jsonl", "test/metadata.jsonl")),
    ],
    "createml": [Layout(png(""), ("_annotations.createml.json",))],
    "openimages": [
        Layout(png(""), ("_annotations.csv",)),
        Layout(png("train/"), ("train-annotations-bbox.csv", "class-descriptions-boxable.csv")),
        Layout(png("train/"), ("train-annotations-human-imagelabels.csv", "train-images-with-labels.csv")),
        Layout(png(""), ("labels.csv", "dataset_meta.json")),
    ],
    "webdataset": [Layout({}, ("train-0.tar",)), Layout({}, ("t-0.tar", "t-1.tar"))],
}  # fmt: skip


class Labels:
    """The label files of a format: mostly each for itself, and one input in four as a dataset. Its bytes decide."""

    def __init__(self, name: str) -> None:
        self.format = formats.load(name)
        self.layouts = LAYOUTS[name]
        self.roots: list[str] = []

    def __call__(self, data: bytes) -> None:
        if not self.roots:
            for number, layout in enumerate(self.layouts):
                root = plant(room() / self.format.name / str(number), layout.files | dict.fromkeys(layout.names, b""))
                self.roots.append(str(root))
        number = (data[0] - 48) % len(self.layouts) if data else 0
        layout, root = self.layouts[number], self.roots[number]
        parts = data[1:].split(BETWEEN, len(layout.names) - 1)
        sometimes = zlib.crc32(data) % 16
        if sometimes > 3 and self.format.name in parsers.PARSERS:
            for name, part in zip(layout.names, parts, strict=False):
                path = Path(root, name)
                if self.format.name in parsers.NEED_FILES:
                    put(f"{root}/{name}", part)
                parsers.parse(self.format.name, path, part)
            return
        for place, name in enumerate(layout.names):
            put(f"{root}/{name}", parts[place] if place < len(parts) else b"")
        there = set(layout.files)
        try:
            if sometimes % 8 == 0:
                self.format.detect(root)
            judged.dataset(self.format.read(root, ReadOptions()), there, self.format, sometimes % 4 == 1)
        except Refused as error:
            said(error)

    def seeds(self) -> Iterable[bytes]:
        import wild

        made = [one for flaw in wild.FLAWS for one in flaw.made if one.format == self.format.name]
        for number, layout in enumerate(self.layouts):
            for one in made:
                found = layout.fitting(one.files)
                if found is not None and len(found) < 1600:
                    yield b"%d" % number + found


def put(path: str, data: bytes) -> None:
    with open(path, "wb", buffering=0) as file:
        file.write(data)


def said(error: Refused) -> None:
    text = f"{error.message} {error.hint}"
    text.encode()
    assert len(text) < 100_000, f"a message of {len(text)} characters"


def names(data: bytes) -> None:
    """File names: class folders, masks and images, and which format it all seems to be."""
    root = room() / "names"
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir()
    there: set[str] = set()
    for line in data[1:].split(b"\n")[:12]:
        parts = [part[:100] for part in line.replace(b"\0", b"").split(b"/")]
        if {b"", b".", b".."} & set(parts) or len(parts) > 6:
            continue
        path = os.path.join(os.fsencode(root), *parts)
        try:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            put(os.fsdecode(path), b"")
        except OSError:
            continue  # a file lies where a folder should
        there.add(os.fsdecode(b"/".join(parts)))
    try:
        if data[:1] == b"d":
            formats.detect(str(root))
            return
        format = formats.load("masks" if data[:1] == b"m" else "folder")
        judged.dataset(format.read(str(root), ReadOptions()), there, format, True)
    except Refused as error:
        said(error)
