"""Pascal VOC: one XML of boxes an image, class and instance masks as PNG, lists of images in ImageSets.

Read wherever its parts lie: in VOC's own folders, in folders of any name, or beside the images (Roboflow, labelImg).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator

from augx.errors import InputError
from augx.formats import Plain, ReadOptions, Row, class_table, heads
from augx.formats.pairs import check_splits, folder_of
from augx.formats.voc import lists as voc_lists
from augx.formats.voc import xml as voc_xml
from augx.formats.voc.read import CLASS_MASKS, Details, read
from augx.formats.xml_safe import fits
from augx.model import Beside, Dataset, Sample

_HEAD = re.compile(rb"\s*(?:<\?xml[^>]*>)?\s*(?:<!--.*?-->\s*)*<annotation[\s>/]", re.DOTALL)


class Voc(Plain):
    name = "voc"
    summary = "Pascal VOC: XML boxes, segmentation PNGs, ImageSets"
    holds = frozenset({"boxes", "mask", "instances"})
    fields = None
    writes_beside = True

    def detect(self, root: str) -> str:
        for path in heads.near(root, (".xml",), depth=3):
            if _is_voc(heads.head(root, path)):
                return path
        for path in heads.near(root, (".png",), depth=3, each=1):
            folder, _, name = folder_of(path).rpartition("/")
            if name.lower() in CLASS_MASKS and os.path.isdir(os.path.join(root, folder, "JPEGImages")):
                return folder_of(path)
        return ""

    def read(self, root: str, options: ReadOptions) -> Dataset:
        return read(root, options)

    def check(self, dataset: Dataset, mixes: bool) -> None:
        check_splits(dataset)
        for sample in dataset.samples:
            for thing in sample.annotations.objects:
                name = thing.label
                if not name or name != name.strip() or not fits(name):
                    reason = "has no class" if not name else f"is called {name!r}, which XML does not keep"
                    raise InputError(f"{sample.id}: an object {reason}", "give it a plain name")

    def place(self, sample: Sample, dataset: Dataset) -> str:
        return folder_of(sample.id) if dataset.format == self.name else "JPEGImages"

    def beside(self, sample: Sample, dataset: Dataset, stem: str) -> tuple[Beside, ...]:
        """An XML for each image, but for those that were read without one or have only a mask."""
        known, base = sample.annotations, stem.rpartition("/")[2]
        own = isinstance(dataset.details, Details)
        if own:
            folder = dataset.details.folders.get(folder_of(sample.id))
            written = folder is not None and known.extra.get("annotated") is not False
        else:
            folder, written = "Annotations", bool(known.objects) or known.mask is None
        beside = [Beside(self.name, _join(folder or "", base), ".xml")] if written else []
        for kind, path, usual in (
            ("mask", known.mask, "SegmentationClass"),
            ("instances", known.instances, "SegmentationObject"),
        ):
            if path:
                beside.append(Beside(kind, _join(folder_of(path) if own else usual, base), ".png"))
        return tuple(beside)

    def label_file(self, row: Row, sample: Sample, dataset: Dataset, kind: str = "") -> str:
        details = dataset.details if isinstance(dataset.details, Details) else Details()
        return voc_xml.compose(row, sample, dataset.format == self.name, details.inclusive)

    def write(self, rows: Iterable[Row], dataset: Dataset) -> Iterator[tuple[str, Iterable[str]]]:
        if isinstance(dataset.details, Details):
            yield from voc_lists.again(rows, dataset, dataset.details.lists)
            yield from class_table.kept(dataset.root, dataset.details.texts)
        else:
            yield from voc_lists.new(rows, dataset)
            yield from class_table.new(dataset)


def _is_voc(head: bytes) -> bool:
    """Not CVAT's, whose root is <annotations>, and not that of the old LabelMe, which has polygons of <pt>."""
    head = head.removeprefix(b"\xef\xbb\xbf")
    boxes = b"<bndbox" in head or b"<object" not in head
    return bool(_HEAD.match(head)) and boxes and b"<imagesize" not in head


def _join(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name
