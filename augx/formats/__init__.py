"""Dataset formats: what a format is, which there are, and which one a folder is in.

One file a format, imported on first use, so that `augx list formats` and an up-to-date run pay for none of them.
A new format is its file and one line in `FORMATS`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, NamedTuple, Protocol, cast

from augx.errors import InputError, printable
from augx.formats.walk import require_folder
from augx.journal import FAILURES, MANIFEST, SHARDS, SUMMARY
from augx.model import Beside, Dataset, Flaw, Json, Sample

Row = Mapping[str, Json]  # one manifest row

# The names run itself writes at the top of OUTPUT: no label file and no class folder may be called like them.
RESERVED = frozenset({MANIFEST, FAILURES, SUMMARY})


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """What the user said about INPUT beyond its format.

    `labels`: the label file or folder to read, a path under the root, where several fit. `table`: the same of a table.
    `columns`: role (file, label, labels, split) -> column name, where the names do not tell.
    """

    labels: str | None = None
    table: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)


class Format(Protocol):
    """Reading and writing one layout of images and labels. Instances hold no state.

    What tells of one image goes into files beside it, which a worker writes with each copy: label files of their own
    (YOLO, VOC, LabelMe, DOTA) and masks. What tells of many images is written at the end, from the manifest's rows.
    """

    name: str
    summary: str
    writes: bool  # False: it is only read
    holds: frozenset[str]  # the kinds of label (`augx.objects.KINDS`) that it can write
    fields: frozenset[str] | None  # which of objects' `extra` it can write; None: any
    writes_beside: bool  # it has label files or masks beside images
    packs: bool  # images and what is beside them lie in tars

    def detect(self, root: str) -> str:
        """Why `root` seems to be in this format ("annotations/instances_train.json"), or "" if it does not.

        A glance: names and the heads of a few files. InputError where only the user can tell.
        """
        ...

    def read(self, root: str, options: ReadOptions) -> Dataset:
        """Paths and labels, no pixels. InputError if there is nothing to read; one bad row is a Flaw, no error.

        Coordinates are given as the label file has them, in float64, boxes as x0, y0, x1, y1: what is outside the
        picture, reversed, not finite or degenerate is mended in the worker, where the size of the picture is known.
        """
        ...

    def lost(self, kinds: frozenset[str]) -> frozenset[str]:
        """Those kinds of label of a dataset that holds all of `kinds` which this format cannot write."""
        ...

    def check(self, dataset: Dataset, mixes: bool) -> None:
        """InputError, before the first image, if names or the like of `dataset` do not fit: how many, the first one.

        Kinds of label are no concern here: `holds` has been asked. `mixes`: images that have classes will get several,
        with weights, which no format beside this one holds.
        """
        ...

    def place(self, sample: Sample, dataset: Dataset) -> str:
        """The folder under OUTPUT for this sample's images, "" for OUTPUT itself. `check` has passed."""
        ...

    def beside(self, sample: Sample, dataset: Dataset, stem: str) -> tuple[Beside, ...]:
        """The files that go with each image of a sample, whose images are called `stem`; () for none. The dataset's
        details are what `adopt` said.

        A label file's `kind` is this format's name, with a dot and a word behind it where it has several; "mask" and
        "instances" only where the sample has them.
        """
        ...

    def adopt(self, dataset: Dataset) -> Any:
        """What `beside` and `label_file` need to know of a dataset: its details, or of another format what they would
        say. It must pickle, be small, and its `repr` is the same in every process and says what all files depend on.
        """
        ...

    def label_file(self, row: Row, sample: Sample, dataset: Dataset, kind: str = "") -> str:
        """The text of the label file beside the image of a manifest row. Called in workers, where `dataset` has no
        samples and its details are what `adopt` said. `kind`: that of its Beside.
        """
        ...

    def write(self, rows: Iterable[Row], dataset: Dataset) -> Iterator[tuple[str, Iterable[str]]]:
        """The label files that tell of many images: (name under OUTPUT, its text in pieces), to be written as UTF-8.

        `rows` are the manifest rows in plan order; they are streamed, and may be gone through several times.
        `dataset` is as its own format read it. The pieces of one file are taken before the next file is asked for.
        With no rows it names the same files.
        """
        ...


class Plain:
    """What is true of most formats: they write what they read, hold each kind of label or do not, and have label files
    that tell of many images, none beside each."""

    writes = True
    name = ""
    writes_beside = False
    packs = False
    holds: frozenset[str] = frozenset()
    fields: frozenset[str] | None = frozenset()

    def lost(self, kinds: frozenset[str]) -> frozenset[str]:
        return kinds - self.holds

    def check(self, dataset: Dataset, mixes: bool) -> None:
        pass

    def beside(self, sample: Sample, dataset: Dataset, stem: str) -> tuple[Beside, ...]:
        return ()

    def adopt(self, dataset: Dataset) -> Any:
        return dataset.details if dataset.format == self.name else None

    def label_file(self, row: Row, sample: Sample, dataset: Dataset, kind: str = "") -> str:
        raise NotImplementedError


class Entry(NamedTuple):
    target: str  # "module:Class"
    summary: str


FORMATS: Mapping[str, Entry] = {
    "folder": Entry("augx.formats.folder:Folder", "class folders: cat/1.jpg, or train/cat/1.jpg"),
    "table": Entry("augx.formats.table.format:TableFormat", "a CSV, TSV or JSONL table, one row an image"),
    "coco": Entry(
        "augx.formats.coco.format:Coco", "COCO JSON: boxes, polygons, RLE, keypoints, captions; panoptic read"
    ),
    "yolo": Entry("augx.formats.yolo.format:Yolo", "YOLO: detection, segmentation, pose, oriented boxes; data.yaml"),
    "voc": Entry("augx.formats.voc.format:Voc", "Pascal VOC: XML boxes, segmentation PNGs, ImageSets"),
    "dota": Entry("augx.formats.dota.format:Dota", "DOTA: oriented boxes, labelTxt/1.txt"),
    "labelme": Entry("augx.formats.labelme.format:Labelme", "LabelMe: one JSON beside each image"),
    "cvat": Entry("augx.formats.cvat.format:Cvat", "CVAT for images: one annotations.xml"),
    "masks": Entry("augx.formats.masks.format:Masks", "semantic masks, in a second folder or with a suffix"),
    "hf": Entry("augx.formats.hf.format:Hf", "Hugging Face imagefolder: metadata.jsonl or .csv"),
    "createml": Entry("augx.formats.createml:Createml", "CreateML: one JSON of boxes"),
    "openimages": Entry("augx.formats.openimages.format:Openimages", "Open Images: a CSV with one row a box"),
    "webdataset": Entry(
        "augx.formats.webdataset.format:Webdataset", "WebDataset: tar shards, with .json, .cls, .txt, .seg.png"
    ),
}

# A layout made for labels says more than a table that lies in it, and any tree of images can be read as folders.
TABLES = ("table", "openimages")
FALLBACK = "folder"


def load(name: str) -> Format:
    """The format called `name`; InputError if there is none."""
    entry = FORMATS.get(name)
    if entry is None:
        from difflib import get_close_matches

        close = get_close_matches(name, FORMATS, n=1)
        guess = f"did you mean {close[0]}? " if close else ""
        raise InputError(f"there is no format {name!r}", f"{guess}augx reads: {', '.join(FORMATS)}")
    module, _, attribute = entry.target.partition(":")
    found: Any = getattr(import_module(module), attribute)
    return cast(Format, found())


def check(targets: Iterable[Format], dataset: Dataset, mixes: bool) -> None:
    """InputError, before the first image, where one of `targets` cannot take the dataset; or none of them the weights
    of mixed classes: those that cannot may stand beside one that does."""
    targets = tuple(targets)
    held = any("weights" in target.holds for target in targets)
    for target in targets:
        target.check(dataset, mixes and ("weights" in target.holds or not held))


def refuse_weights(name: str, dataset: Dataset) -> None:
    """InputError where images have classes, which a mix would give weights that the format `name` cannot hold."""
    classed = [sample.id for sample in dataset.samples if sample.annotations.labels]
    if classed:
        images = f"images with classes: {len(classed):,}; the first is {classed[0]}"
        raise InputError(
            f"{name} cannot hold the weighted labels of a mix ({images})",
            "`--to table` or `--to hf` holds them, alone or beside; `--hard-labels` leaves each image one class",
        )


def label_files(targets: Iterable[Format], dataset: Dataset) -> list[str]:
    """The names of the label files that these formats write beside the images."""
    names = [name for target in targets for name, _ in target.write((), dataset)]
    return [*names, *[SHARDS for target in targets if target.packs]]


def refuse_beside_tars(targets: Sequence[Format]) -> None:
    """InputError where a format whose files lie in tars is one of several."""
    for target in targets if len(targets) > 1 else ():
        if target.packs:
            others = " and ".join(other.name for other in targets if other is not target)
            raise InputError(
                f"{target.name} packs images and labels into tars, so {others} cannot stand beside it",
                f"make the tars first, and of them the other: `augx convert TARS OUTPUT --to {others.split()[0]}`",
            )


def detect(root: str, wanted: str | None = None) -> Format:
    """The format to read `root` with: `wanted` (`--from`) if given, else the one that fits. Tars may be named, by
    their path or a pattern."""
    if root.endswith(".tar") and not os.path.isdir(root) and wanted in (None, "webdataset"):
        return load("webdataset")
    require_folder(root)
    if wanted is not None:
        return load(wanted)
    from augx.formats.heads import one_look

    with one_look():
        return _detected(root)


def _detected(root: str) -> Format:
    for names in ([name for name in FORMATS if name not in (*TABLES, FALLBACK)], TABLES):
        found, unsure = _fitting(root, names)
        if len(found) > 1:
            listed = "\n".join(f"  --from {name}: {reason}" for name, reason in found.items())
            raise InputError(f"{root}: more than one format fits\n{listed}", "choose one with `--from NAME`")
        if unsure:
            raise unsure[0]
        if found:
            return load(next(iter(found)))
    fallback = load(FALLBACK)
    if fallback.detect(root):
        return fallback
    looked = "; ".join(f"{name} ({entry.summary})" for name, entry in FORMATS.items())
    raise InputError(f"{root}: no images found", f"looked for: {looked}")


def unused(root: str, chosen: Format) -> list[Flaw]:
    """Tables that look like labels, too, where `chosen` was detected and does not read them."""
    if chosen.name in (*TABLES, FALLBACK) or not os.path.isdir(root):
        return []
    found, _ = _fitting(root, TABLES)
    return [
        Flaw("unused-labels", "", f"not read: {reason}; `--from {name}` reads it") for name, reason in found.items()
    ]


def _fitting(root: str, names: Iterable[str]) -> tuple[dict[str, str], list[InputError]]:
    """Which formats fit, with the reason, and what those say that only the user can decide."""
    found: dict[str, str] = {}
    unsure: list[InputError] = []
    for name in names:
        try:
            reason = printable(load(name).detect(root))
        except InputError as error:
            unsure.append(error)
            reason = error.message
        if reason:
            found[name] = reason
    return found, unsure
