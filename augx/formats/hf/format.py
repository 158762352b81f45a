"""Hugging Face imagefolder: metadata.jsonl or metadata.csv beside the images, or in each split's folder."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from augx.errors import InputError
from augx.formats import Plain, ReadOptions, Row
from augx.formats.flaws import Flaws
from augx.formats.folder import canonical_split, glance, layout
from augx.formats.heads import near
from augx.formats.hf.read import NAMES, Columns, class_order, columns_of, is_metadata, read_row, rows_of
from augx.formats.hf.write import lines, new_columns, survey
from augx.formats.table.cells import Cells
from augx.formats.table.columns import ROLES
from augx.formats.walk import Finder, Walk, walk
from augx.model import Beside, Dataset, Flaw, Sample
from augx.store import sha256_file

_PARQUET = "write it as JSON lines: pandas.read_parquet(...).to_json('metadata.jsonl', orient='records', lines=True)"


class Hf(Plain):
    name = "hf"
    summary = "Hugging Face imagefolder: metadata.jsonl or .csv"
    writes_beside = True
    holds = frozenset(
        {"class", "classes", "weights", "values", "captions", "boxes", "polygons", "rle", "crowds", "keypoints", "obb"}
        | {"mask"}
    )
    fields = None

    def detect(self, root: str) -> str:
        """InputError for metadata that cannot be read, or that say nothing of classes where class folders do."""
        paths = [path for path in near(root, NAMES, each=9) if path.rpartition("/")[2].lower() in NAMES]
        found = [path for path in paths if is_metadata(root, path)]
        if not found:
            for path in near(root, (".parquet",)):
                if path.rpartition("/")[2] == "metadata.parquet":
                    raise InputError(f"{root}: {path} is not read by augx", _PARQUET)
            return ""
        header, _, _ = rows_of(os.path.join(root, found[0]), found[0], head=True)
        if not {"objects", *ROLES["label"], *ROLES["labels"]} & {column.lower() for column in header}:
            names = glance(root).classes
            if len(names) > 1:
                message = f"{root}: {found[0]} has no classes, but images lie in class folders ({', '.join(names[:5])})"
                raise InputError(message, "choose: `--from hf`, or `--from folder` for folder names as classes")
        return "; ".join(f"{path} ({', '.join(header)[:80]})" for path in found[:4])

    def read(self, root: str, options: ReadOptions) -> Dataset:
        """`details`: Columns."""
        if options.table or options.columns:
            raise InputError("an imagefolder has no other columns than its own", "`--from table` takes any table")
        found = walk(root)
        reading = _Reading(found, tuple(_choose(found, options.labels)))
        reading.read()
        samples = reading.with_splits()
        if not samples:
            first = next((flaw.message for flaw in reading.failed), "it has no rows")
            raise InputError(f"{root}: no row of {', '.join(reading.paths)} can be read: {first}", "see `--from`")
        masks = {sample.annotations.mask for sample in samples}
        known = {sample.id for sample in samples} | masks
        told = ", ".join(reading.paths[:3])
        lost = [path for path in found.images if path not in known]
        reading.warnings.extend(Flaw("no-row", path, f"{told} has no row for it") for path in lost)
        names = {name for sample in samples for name in sample.annotations.labels}
        names.update(thing.label for s in samples for thing in s.annotations.objects if thing.label is not None)
        ignored = dict(found.ignored)
        for path in reading.paths:
            ignored[path[path.rfind(".") :].lower()] -= 1
        return Dataset(
            root,
            self.name,
            samples,
            class_order(names),
            (*found.failed, *reading.failed),
            tuple(reading.warnings),
            {ending: count for ending, count in ignored.items() if count},
            details=reading.columns,
            digest=" ".join(f"{path}:{sha256_file(os.path.join(root, path))}" for path in reading.paths),
        )

    def check(self, dataset: Dataset, mixes: bool) -> None:
        """Only a value called like one of our columns is in the way."""
        if dataset.format == self.name:
            columns: Columns = dataset.details
            if mixes and columns.labels is None and "labels" in columns.header:
                message = "the column 'labels' holds no classes, so the weights of a mix cannot be written to it"
                raise InputError(message, "rename the column, or use `--hard-labels`")
            return
        ours = {"file_name", "label", "labels", "objects", "text", "captions"}
        for sample in dataset.samples:
            for name in sample.annotations.values:
                if name in ours or name.endswith(("_file_name", "_file_names")):
                    raise InputError(f"{sample.id}: a value is called {name!r}, which an imagefolder reads otherwise")

    def place(self, sample: Sample, dataset: Dataset) -> str:
        """The folder the source lies in, or that of its split."""
        return posixpath.dirname(sample.id) if dataset.format == self.name else sample.split or ""

    def adopt(self, dataset: Dataset) -> None:
        """Nothing: only masks lie beside images."""

    def beside(self, sample: Sample, dataset: Dataset, stem: str) -> tuple[Beside, ...]:
        """Its mask: where it lay and with what its name had more than the image's, or else in a folder `masks`."""
        mask = sample.annotations.mask
        if not mask:
            return ()
        above, _, base = stem.rpartition("/")
        if dataset.format != self.name:
            return (Beside("mask", f"{above}/masks/{base}".lstrip("/"), ".png"),)
        folder, _, name = mask.rpartition("/")
        image, own = _stem(sample.id), _stem(name)
        if own.startswith(image) and (folder != above or own != image):
            return (Beside("mask", f"{folder}/{base}".lstrip("/"), own[len(image) :] + ".png"),)
        return (Beside("mask", stem, "_mask.png"),)

    def write(self, rows: Iterable[Row], dataset: Dataset) -> Iterator[tuple[str, Iterable[str]]]:
        """The files that were read, or metadata.jsonl, one for each split.

        Every image has its row, as `datasets` leaves out those that have none.
        """
        facts = survey(rows)
        own = dataset.format == self.name
        columns = dataset.details if own else new_columns(facts)
        if own:
            for path in columns.files:
                several = len(columns.files) > 1
                yield path, lines(rows, dataset, columns, facts, path, by="metadata" if several else "")
            return
        for split in sorted({sample.split or "" for sample in dataset.samples}):
            path = f"{split}/{NAMES[0]}" if split else NAMES[0]
            yield path, lines(rows, dataset, columns, facts, path, by="split")


def _stem(path: str) -> str:
    name = path.rpartition("/")[2]
    return name.rpartition(".")[0] or name


def _choose(found: Walk, chosen: str | None) -> list[str]:
    """The metadata to read: all of one kind, or what the user named."""
    paths = [path for path in found.documents if path.rpartition("/")[2].lower() in NAMES]
    if chosen is not None:
        wanted = posixpath.normpath(chosen)
        paths = [path for path in paths if wanted == "." or path == wanted or path.startswith(wanted + "/")]
    if not paths:
        where = f" in {chosen!r}" if chosen is not None else ""
        if any(path.rpartition("/")[2] == "metadata.parquet" for path in found.documents):
            raise InputError(f"{found.root}: metadata.parquet is not read by augx", _PARQUET)
        raise InputError(f"{found.root}: there is no metadata.jsonl or metadata.csv{where}", "see `--from`")
    if len({path.rpartition(".")[2].lower() for path in paths}) > 1:
        listed = "\n".join(f"  --labels {path}" for path in paths[:10])
        raise InputError(f"{found.root}: metadata as JSON lines and as CSV\n{listed}", "choose with `--labels PATH`")
    return paths


@dataclass(slots=True)
class _Reading:
    """A dataset while its metadata are read."""

    found: Walk
    paths: tuple[str, ...]
    columns: Columns = field(default_factory=Columns)
    samples: dict[str, Sample] = field(default_factory=dict)
    failed: Flaws = field(default_factory=Flaws)
    warnings: Flaws = field(default_factory=Flaws)

    def read(self) -> None:
        self.warnings.extend(self.found.warnings)
        header: dict[str, None] = {}
        tables: list[tuple[str, list[tuple[int, Cells]]]] = []
        for path in self.paths:
            names, numbered, flaws = rows_of(os.path.join(self.found.root, path), path)
            header.update(dict.fromkeys(names))
            tables.append((path, numbered))
            self.failed.extend(flaws)
        finders = {p: Finder(self.found.root, posixpath.dirname(p), self.found.images) for p in self.paths}
        rows = [cells for _, numbered in tables for _, cells in numbered]

        if not rows:
            first = next((flaw.message for flaw in self.failed), "there are none")
            raise InputError(f"{', '.join(self.paths[:3])}: no row can be read: {first}", "one row an image")

        def exists(name: str) -> bool:
            return any(finder.find(name)[0] for finder in finders.values())

        columns = columns_of(", ".join(self.paths[:3]), tuple(header), rows, exists)
        self.columns = replace(columns, files=self.paths)
        for path, numbered in tables:
            for line, cells in numbered:
                self._row(cells, f"{path}:{line}", path, finders[path])

    def _row(self, cells: Cells, where: str, path: str, finder: Finder) -> None:
        named = cells.get(self.columns.file)
        shown = named if isinstance(named, str) else ""
        image, code, message = finder.find(shown)
        source = shown.strip().replace("\\", "/")[:1000] or where
        try:
            if not image:
                raise ValueError(message)
            known, problems = read_row(cells, self.columns)
            mask = self._mask(cells, finder)
        except ValueError as error:
            self.failed.add(path, code if not image else "unreadable-row", source, f"{where}: {error}")
            return
        if image in self.samples:
            self.warnings.add(path, "repeated-row", image, f"{where}: the image has a row already, which counts")
            return
        if code:
            self.warnings.add(path, code, image, f"{where}: {message}")
        if problems:
            more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
            self.warnings.add(path, "unreadable-object", image, f"{where}: {problems[0]}{more}")
        extra = {"metadata": path} if len(self.paths) > 1 else {}
        self.samples[image] = Sample(image, replace(known, mask=mask, extra=extra))

    def _mask(self, cells: Cells, finder: Finder) -> str | None:
        """The mask a row names; ValueError if there is none."""
        named = cells.get(self.columns.mask) if self.columns.mask else None
        if named is None or named == "":
            return None
        path, _, message = finder.find(named) if isinstance(named, str) else ("", "", "it is no path")
        if not path:
            raise ValueError(f"{self.columns.mask} {str(named)[:200]!r}: {message}")
        return path

    def with_splits(self) -> tuple[Sample, ...]:
        """Sorted, with the splits of the folders, or else of a column."""
        placements = layout({posixpath.dirname(path) for path in self.samples})
        splits = {path: placements[posixpath.dirname(path)][0] for path in self.samples}
        column = next((name for name in ROLES["split"] if name in self.columns.header), None)
        if column is not None and not any(splits.values()):
            for path, sample in self.samples.items():
                told = sample.annotations.values.get(column)
                splits[path] = canonical_split(told) if isinstance(told, str) and told else None
        return tuple(replace(self.samples[path], split=splits[path]) for path in sorted(self.samples))
