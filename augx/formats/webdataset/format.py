"""WebDataset: tar shards whose files belong together where their names agree up to the first dot."""

from __future__ import annotations

import json
import os
import posixpath
from collections.abc import Iterable, Iterator
from typing import cast

from augx.errors import InputError
from augx.formats import Plain, ReadOptions, Row
from augx.formats.heads import near
from augx.formats.webdataset import read as reading
from augx.formats.webdataset.own import ABOUT, Details, about, details_of, document
from augx.formats.webdataset.places import shards_of
from augx.model import Beside, Dataset, Sample
from augx.naming import READABLE
from augx.objects import KINDS

_PACKED = (".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar.zst")


class Webdataset(Plain):
    name = "webdataset"
    summary = "WebDataset: tar shards, with .json, .cls, .txt, .seg.png"
    writes_beside = True
    packs = True
    holds = frozenset(KINDS)
    fields = None

    def detect(self, root: str) -> str:
        """A tar beside images is none: it is where they came from. InputError for compressed shards, in which nothing
        can be found without reading all before it.
        """
        if next(near(root, tuple(READABLE), each=1), None):
            return ""
        paths = list(near(root, (".tar",)))
        for path in paths[:3]:
            if name := reading.first_image(os.path.join(root, path)):
                return f"{path} ({name})"
        packed = next(near(root, _PACKED), None)
        if packed and not paths:
            raise InputError(f"{root}: {packed} is compressed", "unpack the compression: gunzip *.tar.gz")
        return ""

    def read(self, root: str, options: ReadOptions) -> Dataset:
        """`root` may also be a tar, or several as in `train-{000..127}.tar`."""
        if options.table or options.columns:
            raise InputError("tar shards have no table and no columns", "leave --table and --columns out")
        return reading.read(*shards_of(root), self.name, options.labels)

    def place(self, sample: Sample, dataset: Dataset) -> str:
        """The folder the source lies in, less its tar: without dots, at the first of which names are cut."""
        tar = sample.packed[sample.id][0] + "/" if sample.id in sample.packed else ""
        return posixpath.dirname(sample.id.removeprefix(tar)).replace(".", "_")

    def beside(self, sample: Sample, dataset: Dataset, stem: str) -> tuple[Beside, ...]:
        known, details = sample.annotations, cast(Details, dataset.details)
        files = [(self.name, ".json")]
        if details.single and known.labels:
            files.append((f"{self.name}.cls", ".cls"))
        if known.captions:
            files.append((f"{self.name}.txt", ".txt"))
        if known.mask:
            files.append(("mask", ".seg.png"))
        if known.instances:
            files.append(("instances", ".instances.png"))
        return tuple(Beside(kind, stem, ending) for kind, ending in files)

    def label_file(self, row: Row, sample: Sample, dataset: Dataset, kind: str = "") -> str:
        details: Details = dataset.details
        if kind.endswith(".cls"):
            return str(details.ids[max(row["labels"], key=row["labels"].__getitem__)])
        return str(row["captions"][0]) if kind.endswith(".txt") else document(row, details)

    def adopt(self, dataset: Dataset) -> Details:
        return details_of(dataset)

    def write(self, rows: Iterable[Row], dataset: Dataset) -> Iterator[tuple[str, Iterable[str]]]:
        yield ABOUT, (json.dumps(about(dataset), ensure_ascii=False, indent=1) + "\n",)
