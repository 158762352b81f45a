"""Tables: one row an image, in CSV, TSV or JSONL, at the root or one folder down."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from augx.errors import InputError
from augx.formats import RESERVED, Plain, ReadOptions, Row
from augx.formats.flaws import Flaws
from augx.formats.folder import canonical_split, glance, layout
from augx.formats.hf.read import is_metadata
from augx.formats.table.cells import HEAD, Cells, parse
from augx.formats.table.columns import Table, as_name, file_cell, name_columns, numeric_types, read_annotations
from augx.formats.table.lines import lines, new_table
from augx.formats.walk import Finder, inside, is_folder, walk
from augx.model import Annotations, Dataset, Flaw, Sample
from augx.store import pass_over, sha256_file

ENDINGS = (".csv", ".tsv", ".jsonl")


class TableFormat(Plain):
    name = "table"
    holds = frozenset({"class", "classes", "weights", "values"})
    summary = "a CSV, TSV or JSONL table, one row an image"

    def detect(self, root: str) -> str:
        """InputError where a table and class folders disagree, as only the user knows which is right."""
        judged = [_judge(root, name, None) for name in _listed(root) if not is_metadata(root, name)]
        fitting = [judgement for judgement in judged if judgement.fits]
        if len(fitting) == 1:
            _dispute(root, fitting[0])
        return "; ".join(judgement.reason for judgement in fitting)

    def read(self, root: str, options: ReadOptions) -> Dataset:
        found = walk(root)
        name = _choose(root, options, found.documents, found.images)
        delimiter, header, numbered, unread = parse(os.path.join(root, name), name)
        finder = Finder(root, posixpath.dirname(name), found.images)
        table = name_columns(Table(name, delimiter, header), [cells for _, cells in numbered], finder, options.columns)
        types = {} if not delimiter else numeric_types(header, [cells for _, cells in numbered])
        failed, warnings = Flaws(unread), Flaws(found.warnings)
        samples: dict[str, Sample] = {}
        rows: dict[str, Cells] = {}
        for line, cells in numbered:
            shown = file_cell(cells, table.file)
            source = shown.strip().replace("\\", "/")[:1000] or name
            where = f"{name}:{line}"
            path, code, message = finder.find(shown)
            try:
                annotations = read_annotations(table, cells, types)
                split = as_name(cells.get(table.split)) if table.split is not None else ""
            except ValueError as error:
                path, code, message = "", "unreadable-row", str(error)
            if not path:
                failed.add(name, code, source, f"{where}: {message}")
                continue
            if path in samples:
                _repeat(where, path, samples[path].annotations, annotations)
                warnings.add(name, "repeated-row", path, f"{where}: the image has a row already, which counts")
                continue
            if code:
                warnings.add(name, code, path, f"{where}: {message}")
            samples[path] = Sample(path, annotations, canonical_split(split) if split else None)
            rows[path] = cells
        if not samples:
            raise InputError(
                f"{name}: none of its {len(numbered)} rows can be read as a row for an image", _way(list(failed))
            )
        if table.split is None:
            placements = layout({posixpath.dirname(path) for path in samples})
            for path, sample in samples.items():
                samples[path] = replace(sample, split=placements[posixpath.dirname(path)][0])
        lost = (path for path in found.images if path not in samples)
        warnings.extend(Flaw("no-row", path, f"{name} has no row for it") for path in lost)
        ending = name[name.rfind(".") :].lower()
        ignored = {key: count - (key == ending) for key, count in found.ignored.items()}
        classes = table.onehot or tuple(sorted({c for s in samples.values() for c in s.annotations.labels}))
        return Dataset(
            root,
            self.name,
            tuple(samples[path] for path in sorted(samples)),
            classes,
            (*found.failed, *failed),
            tuple(warnings),
            {key: count for key, count in ignored.items() if count},
            details=replace(table, cells=rows),
            digest=f"{name}:{sha256_file(os.path.join(root, name))}",
        )

    def check(self, dataset: Dataset, mixes: bool) -> None:
        """Only names are in the way: a class with the separator in it, a value called like a column of a new table."""
        table = dataset.details if isinstance(dataset.details, Table) else new_table(dataset, False)
        several = mixes or any(len(s.annotations.labels) > 1 for s in dataset.samples)
        if table.delimiter and several and not table.onehot:
            for name in dataset.classes:
                if table.separator in name:
                    message = f"class {name!r} cannot stand in a list of classes with {table.separator!r} between them"
                    raise InputError(message, "rename the class")
        if not isinstance(dataset.details, Table):
            taken = {"file_name", "label", "labels", "split"}
            for sample in dataset.samples:
                if clash := taken & sample.annotations.values.keys():
                    raise InputError(f"{sample.id}: a value is called {min(clash)!r}, as a column of labels.csv is")
                for name in sample.annotations.labels:
                    if name != name.strip():
                        raise InputError(f"{sample.id}: class {name!r} begins or ends with a space", "rename the class")

    def place(self, sample: Sample, dataset: Dataset) -> str:
        """The folder the source lies in."""
        return posixpath.dirname(sample.id)

    def write(self, rows: Iterable[Row], dataset: Dataset) -> Iterator[tuple[str, Iterable[str]]]:
        """The table again, or labels.csv for a dataset of another format.

        If any row has weights, all are written with them; where a table had one class a row, a column is added.
        """
        several = weighted = False
        for row in rows:
            several = several or len(row["labels"]) > 1
            weighted = weighted or any(weight != 1 for weight in row["labels"].values())
        known = isinstance(dataset.details, Table)
        table = dataset.details if known else new_table(dataset, several or weighted)
        if (several or weighted) and not (table.labels or table.onehot):
            added = next(name for name in ("labels", "label_weights", "augx_labels") if name not in table.header)
            table = replace(table, header=(*table.header, added), labels=added, separator="|")
        yield table.path, lines(rows, table, weighted, {sample.id: sample for sample in dataset.samples})


def _listed(root: str) -> list[str]:
    """The tables at the root and one folder down, without a walk."""
    tables: list[str] = []
    folders = [""]
    for folder in folders:  # grows once, by the folders at the root
        try:
            with os.scandir(os.path.join(root, folder)) as entries:
                for entry in entries:
                    name = entry.name
                    if name.startswith("."):
                        continue
                    path = f"{folder}/{name}" if folder else name
                    if name.lower().endswith(ENDINGS):
                        if not is_folder(entry) and inside(entry.path, root) and path not in RESERVED:
                            tables.append(path)
                    elif not folder and is_folder(entry):
                        folders.append(path)
        except OSError as error:
            pass_over(error, os.path.join(root, folder))
    return sorted(tables)


def _choose(root: str, options: ReadOptions, documents: Sequence[str], images: Collection[str]) -> str:
    """The table to read. InputError unless exactly one fits, or the user named one."""
    tables = [path for path in documents if path.lower().endswith(ENDINGS) and path not in RESERVED]
    if options.table is not None:
        wanted = posixpath.normpath(options.table)
        if wanted in tables:
            return wanted
        hint = f"tables there: {', '.join(tables[:10]) or 'none'}"
        raise InputError(f"{root}: there is no table {options.table!r}", hint)
    tables = [path for path in tables if path.count("/") < 2]
    if not tables:
        raise InputError(f"{root}: no .csv, .tsv or .jsonl table at the top or one folder down", "see `--from`")
    if options.columns and len(tables) == 1:
        return tables[0]
    judged = [_judge(root, path, images) for path in tables]
    fitting = [judgement for judgement in judged if judgement.fits]
    if len(fitting) == 1:
        return fitting[0].path
    listed = "\n".join(f"  {judgement.reason}" for judgement in fitting or judged)
    if fitting:
        raise InputError(f"{root}: several tables fit\n{listed}", "choose one with `--table NAME`")
    raise InputError(f"{root}: no table with one row an image\n{listed}", "choose one with `--table NAME`")


@dataclass(frozen=True, slots=True)
class _Judgement:
    """Whether a table fits, from its head. `found`: image -> its classes."""

    path: str
    fits: bool
    reason: str
    found: Mapping[str, Collection[str]] = field(default_factory=dict)
    classes: bool = False


def _judge(root: str, name: str, images: Collection[str] | None) -> _Judgement:
    try:
        delimiter, header, numbered, _ = parse(os.path.join(root, name), name, head=True)
        finder = Finder(root, posixpath.dirname(name), images)
        rows = [cells for _, cells in numbered[:HEAD]]
        table = name_columns(Table(name, delimiter, header), rows, finder, {})
        found: dict[str, Collection[str]] = {}
        for cells in rows:
            path = finder.find(file_cell(cells, table.file))[0]
            try:
                annotations = read_annotations(table, cells, {})
            except ValueError:
                continue  # one bad row, which read will name
            if path in found:
                _repeat(name, path, Annotations(dict.fromkeys(found[path], 1.0)), annotations)
            if path:
                found[path] = annotations.labels.keys()
    except InputError as error:
        return _Judgement(name, False, error.message)
    if not found or len(found) * 2 < len(rows):
        return _Judgement(name, False, f"{name}: {table.file} does not name images that are there")
    label = table.labels or table.label or ("one column a class" if table.onehot else "")
    reason = f"{name} (images: {table.file}, {f'labels: {label}' if label else 'values only'})"
    return _Judgement(name, True, reason, found, bool(label))


def _dispute(root: str, table: _Judgement) -> None:
    """InputError if other labels lie beside the table: a table is read unasked only if it says what class folders say,
    and one without classes only if nothing tells of a label format.
    """
    hint = "choose: `--from table`, or `--from folder` for folder names as classes"
    seen = glance(root)
    if seen.foreign:
        if not table.classes:
            raise InputError(f"{root}: {table.path} has no classes, but {seen.foreign} looks like labels", hint)
        return
    if len(seen.classes) < 2:
        return
    placements = layout({*seen.folders, *(posixpath.dirname(path) for path in table.found)})
    for path, labels in table.found.items():
        name = placements[posixpath.dirname(path)][1]
        if name is None or name in labels or name.rpartition("/")[2] in labels:
            continue
        said = (
            f"{table.path} says {', '.join(labels) or 'nothing'}" if table.classes else f"{table.path} has no classes"
        )
        raise InputError(f"{root}: class folders and a table disagree: {path} lies in {name!r}, {said}", hint)


def _repeat(where: str, path: str, first: Annotations, again: Annotations) -> None:
    if first.labels.keys() != again.labels.keys():
        hint = "give each image one row, its classes joined by | in a column `labels`; boxes need a format for boxes"
        raise InputError(f"{where}: {path} comes again with other labels: one row a class or box, not an image", hint)


def _way(failed: Sequence[Flaw]) -> str:
    return f"the first: {failed[0].message}" if failed else "a table needs a header and one row an image"
