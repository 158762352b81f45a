"""DOTA: oriented boxes, one text file an image; four corners in pixels, the class, and whether it is difficult.

imagesource:GoogleEarth
gsd:0.146343590398
2753 2408 2861 2385 2888 2468 2805 2502 plane 0
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from augx.errors import InputError
from augx.formats import Plain, ReadOptions, Row, class_table, heads
from augx.formats.dota.lines import MAX_BYTES, compose, is_dota, parse
from augx.formats.pairs import (
    Pairs,
    belonging,
    below,
    check_splits,
    chosen,
    digest_of,
    folder_of,
    folder_splits,
    left_over,
    main_folders,
)
from augx.formats.walk import walk
from augx.model import Annotations, Beside, Dataset, Flaw, Sample
from augx.store import open_regular

_FOLDERS = frozenset({"labels", "annfiles", "annotations", "label", "ann"})  # they may hold lines of DOTA, or others
_CLASSES = frozenset({"data.yaml", "classes.txt", "classes.names"})
_HEAD = 1 << 13
_TRIED = 20  # files that are looked into before a folder counts as one without objects


@dataclass(frozen=True, slots=True)
class Details:
    """`folders`: of images -> of their labels. `texts`: files that are written again as they were."""

    folders: Mapping[str, str] = field(default_factory=dict, repr=False)
    texts: tuple[str, ...] = field(default=(), repr=False)


class Dota(Plain):
    name = "dota"
    summary = "DOTA: oriented boxes, labelTxt/1.txt"
    holds = frozenset({"obb", "boxes"})
    fields = frozenset({"difficult"})
    writes_beside = True

    def detect(self, root: str) -> str:
        files = _label_files(root, heads.near(root, (".txt",), depth=3, each=_TRIED), False)
        return files[0] if files else ""

    def read(self, root: str, options: ReadOptions) -> Dataset:
        """`--labels`: the folder of the text files. InputError where an image has labels in several."""
        if options.table or options.columns:
            raise InputError("DOTA has no table and no columns", "say `--from table`, or leave these out")
        found = walk(root)
        home = chosen(root, options.labels, found.documents)
        files = _label_files(root, below(found.documents, home), options.labels is not None)
        if not files:
            hint = "its lines are x1 y1 x2 y2 x3 y3 x4 y4 class difficult; name their folder with `--labels`"
            raise InputError(f"{root}: no label files of DOTA in a folder called labelTxt", hint)
        pairs = Pairs(root, found.images)
        paths: dict[str, str] = {}
        warnings = list(found.warnings)
        for path in files:
            image, code, message = pairs.image(path)
            if not image:
                warnings.append(Flaw("no-image" if code == "missing-file" else code, path, message))
                continue
            if image in paths:
                several = sorted({folder_of(paths[image]), folder_of(path)})
                hint = f"choose one: {' or '.join(f'`--labels {folder}`' for folder in several)}"
                raise InputError(f"{root}: {image} has labels in {paths[image]} and in {path}", hint)
            if code:
                warnings.append(Flaw(code, path, message))
            paths[image] = path
        if not paths:
            raise InputError(f"{root}: none of its {len(files)} label files has an image", "see `--from`")
        used, apart = belonging(found.images, paths.items())
        warnings += apart
        splits = folder_splits(used)
        samples: list[Sample] = []
        failed: list[Flaw] = []
        for image in used:
            known = Annotations(extra={"annotated": False})
            if image in paths:
                try:
                    with open_regular(os.path.join(root, *paths[image].split("/"))) as file:
                        known, flaws = parse(file.read(MAX_BYTES + 1), paths[image])
                except (OSError, ValueError) as error:
                    failed.append(Flaw("unreadable-label", image, f"{paths[image]}: {error}"))
                    continue
                warnings += flaws
            else:
                warnings.append(Flaw("no-label", image, "it has no label file"))
            samples.append(Sample(image, known, splits[image]))
        texts = _texts(found.documents, frozenset(paths.values()))
        labels = {thing.label for sample in samples for thing in sample.annotations.objects if thing.label is not None}
        return Dataset(
            root,
            self.name,
            tuple(samples),
            tuple(sorted(labels)),
            (*found.failed, *failed),
            tuple(warnings),
            left_over(found.ignored, (*paths.values(), *texts)),
            details=Details(main_folders(paths.items()), texts),
            digest=digest_of(root, texts),
        )

    def check(self, dataset: Dataset, mixes: bool) -> None:
        """A new class is one word: the readers of DOTA cut lines at spaces."""
        check_splits(dataset)
        if dataset.format == self.name:
            return
        for sample in dataset.samples:
            for thing in sample.annotations.objects:
                if thing.label is not None and len(thing.label.split()) != 1:
                    message = f"{sample.id}: the class {thing.label!r} is not one word, as DOTA needs"
                    raise InputError(message, "rename it, as DOTA does: small-vehicle")

    def place(self, sample: Sample, dataset: Dataset) -> str:
        if dataset.format == self.name:
            return folder_of(sample.id)
        return f"{sample.split}/images" if sample.split else "images"

    def beside(self, sample: Sample, dataset: Dataset, stem: str) -> tuple[Beside, ...]:
        """A label file for each image, but for those that were read without one."""
        base = stem.rpartition("/")[2]
        if isinstance(dataset.details, Details):
            folder = dataset.details.folders.get(folder_of(sample.id))
            if folder is None or sample.annotations.extra.get("annotated") is False:
                return ()
        else:
            folder = f"{sample.split}/labelTxt" if sample.split else "labelTxt"
        return (Beside(self.name, f"{folder}/{base}" if folder else base, ".txt"),)

    def label_file(self, row: Row, sample: Sample, dataset: Dataset, kind: str = "") -> str:
        return compose(row, sample, dataset.format == self.name)

    def write(self, rows: Iterable[Row], dataset: Dataset) -> Iterator[tuple[str, Iterable[str]]]:
        if isinstance(dataset.details, Details):
            yield from class_table.kept(dataset.root, dataset.details.texts)


def _label_files(root: str, paths: Iterable[str], chosen: bool) -> list[str]:
    """The label files among `paths`, folder by folder. `chosen`: the user has named their folder."""
    folders: dict[str, list[str]] = {}
    for path in paths:
        parts = [part.lower() for part in path.split("/")[:-1]]
        named = any(part.startswith("labeltxt") for part in parts)
        if path.lower().endswith(".txt") and (chosen or named or not _FOLDERS.isdisjoint(parts)):
            folders.setdefault(folder_of(path), []).append(path)
    files: list[str] = []
    for folder, texts in folders.items():
        named = chosen or "labeltxt" in folder.lower()
        told = [is_dota(heads.head(root, path, _HEAD), named) for path in texts[:_TRIED]]
        if any(told) or (named and set(told) == {None}):
            files += texts
    return files


def _texts(documents: Iterable[str], used: Collection[str]) -> tuple[str, ...]:
    """The files that name the classes, which tools want beside the labels or above them."""
    folders = {folder_of(path) + "/" for path in used}
    found = (path for path in documents if path.rpartition("/")[2].lower() in _CLASSES and path not in used)
    return tuple(path for path in found if any(one.startswith(path[: path.rfind("/") + 1]) for one in folders))
