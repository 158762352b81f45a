"""Open Images, and any other CSV with one row a box."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterable, Iterator

from augx.errors import InputError
from augx.formats import Plain, ReadOptions, Row
from augx.formats.box_table import name_columns
from augx.formats.heads import near
from augx.formats.openimages.read import BOXES, ENDINGS, LABELS, Details, kind_of, read
from augx.formats.openimages.write import details_of, lines
from augx.formats.pairs import check_splits
from augx.formats.table.cells import HEAD, parse
from augx.formats.walk import Finder
from augx.model import Dataset, Sample


class Openimages(Plain):
    name = "openimages"
    summary = "Open Images: a CSV with one row a box"
    holds = frozenset({"boxes", "class", "classes", "weights"})
    fields = None

    def detect(self, root: str) -> str:
        found = [path for path in near(root, ENDINGS, 1, 20) if _fits(root, path)]
        return f"{found[0]}{f' and {len(found) - 1} more' if found[1:] else ''}" if found else ""

    def read(self, root: str, options: ReadOptions) -> Dataset:
        """Tables of boxes, of image labels and of images at the root or one folder down, or those of `--labels`."""
        return read(root, options)

    def check(self, dataset: Dataset, mixes: bool) -> None:
        if dataset.format != self.name:
            nameless = [s.id for s in dataset.samples if any(thing.label is None for thing in s.annotations.objects)]
            if nameless:
                message = f"images with objects of no class: {len(nameless)}; the first is {nameless[0]}"
                raise InputError(message, "each box of Open Images has a class")
            check_splits(dataset)
        elif mixes:
            listed = {image for file in dataset.details.files if file.kind == LABELS for image in file.members}
            bare = [sample.id for sample in dataset.samples if sample.id not in listed]
            if listed and bare:
                message = f"images in no table of image labels, to which a mix gives some: {len(bare):,}; {bare[0]}"
                raise InputError(message, "give them a row there, or use `--to table` or `--hard-labels`")

    def place(self, sample: Sample, dataset: Dataset) -> str:
        """The folder the source lies in; images/train for a dataset of another format."""
        if dataset.format == self.name:
            return posixpath.dirname(sample.id)
        return f"images/{sample.split}" if sample.split else "images"

    def write(self, rows: Iterable[Row], dataset: Dataset) -> Iterator[tuple[str, Iterable[str]]]:
        """The tables that were read; those of Open Images for a dataset of another format."""
        details: Details = dataset.details if dataset.format == self.name else details_of(dataset)
        labels = {sample.id: sample.annotations.labels for sample in dataset.samples if sample.annotations.labels}
        for file in details.files:
            yield file.path, lines(rows, file, details, labels)
        for path, text in details.texts.items():
            yield path, (text,)


def _fits(root: str, path: str) -> bool:
    """Whether a table tells of boxes in images that are there, or of images of Open Images."""
    try:
        _, header, rows, _ = parse(os.path.join(root, path), path, head=True)
        kind = kind_of(path, header)
        if kind == BOXES:
            finder = Finder(root, posixpath.dirname(path), None)
            name_columns(path, header, [cells for _, cells in rows[:HEAD]], lambda name: bool(finder.find(name)[0]), {})
    except InputError:
        return False
    return bool(kind)
