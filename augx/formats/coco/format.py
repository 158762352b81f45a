"""COCO: label files in JSON, each of which tells of many images. Reading is `read`, writing `write`."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterable, Iterator

from augx.errors import InputError
from augx.formats import RESERVED, Plain, ReadOptions, Row
from augx.formats.walk import inside, is_folder
from augx.model import Dataset, Sample
from augx.store import pass_over

_GLANCE = 50  # JSON files looked into, those with likely names first
_LIKELY = re.compile(r"coco|annotation|instances|keypoints|captions|panoptic|stuff|train|val|test|labels")
_SPLIT = re.compile(r"\w[\w .+-]{0,99}")


class Coco(Plain):
    name = "coco"
    summary = "COCO JSON: boxes, polygons, RLE, keypoints, captions; panoptic read"
    holds = frozenset({"boxes", "polygons", "rle", "crowds", "keypoints", "captions"})
    fields = None

    def detect(self, root: str) -> str:
        from augx.formats.coco.read import looks_like_coco

        names = sorted(_listed(root), key=lambda name: (not _LIKELY.search(posixpath.basename(name).lower()), name))
        found = sorted(name for name in names[:_GLANCE] if looks_like_coco(os.path.join(root, name)))
        return f"{found[0]}{f' and {len(found) - 1} more' if found[1:] else ''}" if found else ""

    def read(self, root: str, options: ReadOptions) -> Dataset:
        from augx.formats.coco.read import read

        return read(root, options)

    def check(self, dataset: Dataset, mixes: bool) -> None:
        if dataset.format == self.name:
            return
        for split in sorted({sample.split for sample in dataset.samples if sample.split is not None}):
            if not _SPLIT.fullmatch(split):
                raise InputError(f"the split {split!r} cannot be part of a file name", "rename it")

    def place(self, sample: Sample, dataset: Dataset) -> str:
        """The folder the source lies in; images/train for a dataset of another format."""
        from augx.formats.coco.write import folder_of

        return posixpath.dirname(sample.id) if dataset.format == self.name else folder_of(sample.split)

    def write(self, rows: Iterable[Row], dataset: Dataset) -> Iterator[tuple[str, Iterable[str]]]:
        """The label files that were read; annotations/instances_train.json and others for what was not COCO."""
        from augx.formats.coco.write import write

        return write(rows, dataset)


def _listed(root: str) -> list[str]:
    """The JSON files at the root and one folder down, without a walk."""
    names: list[str] = []
    folders = [""]
    for folder in folders:  # grows once, by the folders at the root
        try:
            with os.scandir(os.path.join(root, folder)) as entries:
                for entry in entries:
                    path = posixpath.join(folder, entry.name)
                    if entry.name.startswith("."):
                        continue
                    if not folder and is_folder(entry):
                        folders.append(path)
                    elif entry.name.lower().endswith(".json") and _readable(entry, root) and path not in RESERVED:
                        names.append(path)
        except OSError as error:
            pass_over(error, os.path.join(root, folder))
    return names


def _readable(entry: os.DirEntry[str], root: str) -> bool:
    return not entry.is_symlink() or inside(entry.path, root)
