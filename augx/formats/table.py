"""Tables: one row an image, in CSV, TSV or JSONL, at the root or one folder down.

Columns are known by their names. A cell nobody changed is written back as it stood, so "1.50" stays "1.50".
Tables with boxes or masks are refused: their numbers would be wrong as soon as an image is turned.
"""

from __future__ import annotations

import csv
import io
import json
import math
import os
import posixpath
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

from augx.errors import InputError
from augx.formats import RESERVED, ReadOptions, Row
from augx.formats.folder import canonical_split, glance, layout
from augx.formats.walk import Finder, inside, walk
from augx.model import Annotations, Dataset, Flaw, Json, Sample

ENDINGS = (".csv", ".tsv", ".jsonl")
ROLES: Mapping[str, tuple[str, ...]] = {  # names are tried in this order
    "file": (
        *("file_name", "filename", "file", "image", "image_path", "image_name", "image_file", "path", "file_path"),
        *("filepath", "img", "img_path", "img_name", "image_id", "imageid", "id", "name"),
    ),
    "label": ("label", "class", "category", "class_name", "label_name", "category_name", "target", "y"),
    "labels": ("labels", "tags", "classes", "keywords", "categories"),
    "split": ("split", "set", "subset", "partition"),  # not `fold`: 0 to 4 are no splits
}
GEOMETRY = (
    *({name} for name in ("bbox", "bboxes", "boxes", "box", "objects", "segmentation", "polygon", "keypoints")),
    *({"mask_file_name"}, {"xmin", "ymin"}, {"x_min", "y_min"}, {"x1", "y1"}, {"x", "y", "w", "h"}),
    {"x", "y", "width", "height"},
)
SEPARATORS = "|;,"
NUMBER = re.compile(r"-?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
WEIGHTED = re.compile(r"(.+):([0-9]+(?:\.[0-9]+)?(?:e-?[0-9]+)?)", re.DOTALL)
HEAD = 20  # rows looked at to tell whether a table fits
HEAD_LINES = 10 * HEAD  # for that many rows, as a row may have many lines
DEPTH = 100  # JSON nested deeper is refused, as not every reader survives it

Cells = Mapping[str, Json]  # one row as read: text in CSV and TSV, any JSON in JSONL


@dataclass(frozen=True, slots=True)
class Table:
    """A table as it was read: what is needed to write it the same way (`Dataset.details`).

    `file`, `label`, `labels`, `split`, `onehot`: columns; None and () where there is none.
    `separator` stands between the classes of one cell; `weighted`: they are written `class:weight`.
    `cells`: sample id -> its row.
    """

    path: str
    delimiter: str  # "" is JSONL
    header: tuple[str, ...]
    file: str = "file_name"
    label: str | None = None
    labels: str | None = None
    split: str | None = None
    onehot: tuple[str, ...] = ()
    separator: str = "|"
    weighted: bool = False
    cells: Mapping[str, Cells] = field(default_factory=dict)


class TableFormat:
    name = "table"
    summary = "a CSV, TSV or JSONL table, one row an image"

    def detect(self, root: str) -> str:
        """InputError where a table and class folders disagree, as only the user knows which is right."""
        judged = [_judge(root, name, None) for name in _listed(root)]
        fitting = [judgement for judgement in judged if judgement.fits]
        if len(fitting) == 1:
            _dispute(root, fitting[0])
        return "; ".join(judgement.reason for judgement in fitting)

    def read(self, root: str, options: ReadOptions) -> Dataset:
        found = walk(root)
        name = _choose(root, options, found.documents, found.images)
        delimiter, header, numbered, failed = _parse(os.path.join(root, name), name)
        finder = Finder(root, posixpath.dirname(name), found.images)
        table = _columns(Table(name, delimiter, header), [cells for _, cells in numbered], finder, options.columns)
        types = {} if not delimiter else _numeric(header, [cells for _, cells in numbered])
        warnings: list[Flaw] = list(found.warnings)
        samples: dict[str, Sample] = {}
        rows: dict[str, Cells] = {}
        for line, cells in numbered:
            shown = _file_cell(cells, table.file)
            source = shown.strip().replace("\\", "/")[:1000] or name
            where = f"{name}:{line}"
            path, code, message = finder.find(shown)
            try:
                annotations = _annotations(table, cells, types)
                split = _text(cells.get(table.split)) if table.split is not None else ""
            except ValueError as error:
                path, code, message = "", "unreadable-row", str(error)
            if not path:
                failed.append(Flaw(code, source, f"{where}: {message}"))
                continue
            if path in samples:
                _repeat(where, path, samples[path].annotations, annotations)
                warnings.append(Flaw("repeated-row", path, f"{where}: the image has a row already, which counts"))
                continue
            if code:
                warnings.append(Flaw(code, path, f"{where}: {message}"))
            samples[path] = Sample(path, annotations, canonical_split(split) if split else None)
            rows[path] = cells
        if not samples:
            raise InputError(
                f"{name}: none of its {len(numbered)} rows can be read as a row for an image", _way(failed)
            )
        if table.split is None:
            placements = layout({posixpath.dirname(path) for path in samples})
            for path, sample in samples.items():
                samples[path] = replace(sample, split=placements[posixpath.dirname(path)][0])
        warnings += [Flaw("no-row", path, f"{name} has no row for it") for path in found.images if path not in samples]
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
            replace(table, cells=rows),
        )

    def check(self, dataset: Dataset, mixes: bool) -> None:
        """Only names are in the way: a class with the separator in it, a value called like a column of a new table."""
        table = dataset.details if isinstance(dataset.details, Table) else _new_table(dataset, False)
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
        table = dataset.details if known else _new_table(dataset, several or weighted)
        if (several or weighted) and not (table.labels or table.onehot):
            added = next(name for name in ("labels", "label_weights", "augx_labels") if name not in table.header)
            table = replace(table, header=(*table.header, added), labels=added, separator="|")
        yield table.path, _lines(rows, table, weighted, {sample.id: sample for sample in dataset.samples})


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
                        if entry.is_file() and inside(entry.path, root) and path not in RESERVED:
                            tables.append(path)
                    elif not folder and entry.is_dir():
                        folders.append(path)
        except OSError:
            continue
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
        delimiter, header, numbered, _ = _parse(os.path.join(root, name), name, head=True)
        finder = Finder(root, posixpath.dirname(name), images)
        rows = [cells for _, cells in numbered[:HEAD]]
        table = _columns(Table(name, delimiter, header), rows, finder, {})
        found: dict[str, Collection[str]] = {}
        for cells in rows:
            path = finder.find(_file_cell(cells, table.file))[0]
            try:
                annotations = _annotations(table, cells, {})
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


def _parse(
    path: str, name: str, head: bool = False
) -> tuple[str, tuple[str, ...], list[tuple[int, Cells]], list[Flaw]]:
    """Delimiter, header, (line, row) in order, and the rows that cannot be read. `head`: the first ones, leniently."""
    try:
        with open(path, "rb") as file:
            data = b"".join(islice(file, HEAD_LINES)) if head else file.read()
    except OSError as error:
        raise InputError(f"{name} cannot be read: {error.strerror}") from None
    try:
        text = data.decode("utf-8", "replace" if head else "strict").lstrip("\ufeff")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        message = f"{name}:{line}: byte {error.start} (0x{data[error.start]:02x}) is no UTF-8"
        raise InputError(message, "save the table as UTF-8") from None
    if name.lower().endswith(".jsonl"):
        return "", *_json_rows(name, text)
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise InputError(f"{name}:{line}: a NUL character is in the table", "save the table as UTF-8 text")
    limit = csv.field_size_limit(2**31 - 1)  # of the whole process, so it is put back
    try:
        delimiter = "\t" if name.lower().endswith(".tsv") else max(",;\t", key=lambda sign: _width(text, sign))
        return delimiter, *_csv_rows(name, text, delimiter, strict=not head)
    finally:
        csv.field_size_limit(limit)


def _width(text: str, delimiter: str) -> int:
    """Columns of the first line that is not blank."""
    return next((len(cells) for cells in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if cells), 0)


def _csv_rows(
    name: str, text: str, delimiter: str, strict: bool
) -> tuple[tuple[str, ...], list[tuple[int, Cells]], list[Flaw]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=strict)
    header: tuple[str, ...] = ()
    rows: list[tuple[int, Cells]] = []
    failed: list[Flaw] = []
    line = 1
    try:
        for cells in reader:
            start, line = line, reader.line_num + 1
            if not any(cell and not cell.isspace() for cell in cells):
                continue
            if not header:
                header = tuple(cell.strip() for cell in cells)
                for column in header:
                    if header.count(column) > 1:
                        message = f"{name}:{start}: two columns are called {column!r}"
                        raise InputError(message, "give each column a name of its own")
            elif len(cells) == len(header):
                rows.append((start, dict(zip(header, cells, strict=True))))
            else:
                message = f"{name}:{start}: {len(cells)} cells where the header has {len(header)}"
                failed.append(Flaw("ragged-row", name, message))
    except csv.Error as error:
        message = f"{name}:{line}: {error}"
        raise InputError(message, "is a quotation mark open, or not doubled inside a cell?") from None
    return header, rows, failed


def _json_rows(name: str, text: str) -> tuple[tuple[str, ...], list[tuple[int, Cells]], list[Flaw]]:
    header: dict[str, None] = {}
    rows: list[tuple[int, Cells]] = []
    failed: list[Flaw] = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            cells = json.loads(line, parse_constant=_no_json, parse_float=_finite)
            if not isinstance(cells, dict):
                raise ValueError("the line is no JSON object")
            if line.count("[") + line.count("{") > DEPTH and _depth(cells) > DEPTH:
                raise ValueError(f"it is nested more than {DEPTH} deep")
            if "\\u" in line:
                json.dumps(cells, ensure_ascii=False).encode()  # half a surrogate pair cannot be written again
        except (ValueError, RecursionError) as error:
            failed.append(Flaw("unreadable-row", name, f"{name}:{number}: {str(error)[:200]}"))
            continue
        header.update(dict.fromkeys(cells))
        rows.append((number, cells))
    return tuple(header), rows, failed


def _no_json(text: str) -> float:
    raise ValueError(f"{text} is no JSON; write null")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"{text[:40]} is too large a number")
    return number


def _depth(value: Json) -> int:
    level, depth = [value], 0
    while level:
        depth += 1
        level = [
            inner
            for outer in level
            if isinstance(outer, (dict, list))
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
    return depth


def _columns(table: Table, rows: Sequence[Cells], finder: Finder, given: Mapping[str, str]) -> Table:
    """`table` with its columns named, from the header and the cells; `given` says what the user knows better."""
    header = table.header
    if not header:
        raise InputError(f"{table.path} is empty", "a table needs a header and one row an image")
    for role, column in given.items():
        if role not in ROLES:
            raise InputError(f"a table has no {role!r} column", f"the columns that can be named: {', '.join(ROLES)}")
        if column not in header:
            raise InputError(f"{table.path} has no column {column!r}", f"its columns: {', '.join(header)[:500]}")
    plain = {column: re.sub(r"[\s-]+", "_", column.strip().lower()) for column in header}
    for names in GEOMETRY:
        if names.issubset(plain.values()):
            message = f"{table.path} holds boxes or shapes ({', '.join(sorted(names))}), which a table cannot carry"
            raise InputError(message, "remove these columns, or use a format made for boxes")

    def named(role: str, fits: Callable[[str], bool]) -> str | None:
        if role in given:
            return given[role]
        like = [column for name in ROLES[role] for column in header if plain[column] == name]
        return next((column for column in like if column not in given.values() and fits(column)), None)

    numeric = {} if not table.delimiter else _numeric(header, rows)
    head = rows[:HEAD_LINES]
    found = {c: sum(bool(finder.find(_file_cell(r, c))[0]) for r in head) for c in header if plain[c] in ROLES["file"]}
    file = named("file", lambda column: bool(found[column]) and found[column] == max(found.values()))
    if file is None:
        message = f"{table.path}: no column names images that are there (columns: {', '.join(header)[:500]})"
        raise InputError(message, "the first row must be the header, with a column `file_name`")
    # Fractions are measurements to predict, and so are numbers in a column called target or y: no classes.
    label = named(
        "label",
        lambda column: (
            column != file
            and not (plain[column] in ("target", "y") and (column in numeric or _any_number(column, rows)))
            and not _any_fraction(column, rows, numeric)
        ),
    )
    labels = named("labels", lambda column: column not in (file, label))
    split = named("split", lambda column: column not in (file, label, labels, *numeric))
    columns = tuple(column for column in header if column not in (file, split))
    onehot = columns if table.delimiter and not (label or labels) and _is_onehot(columns, rows, numeric) else ()
    texts = [text for r in rows if isinstance(text := r.get(labels), str) and text.strip()] if labels else []
    separator = next((s for s in SEPARATORS if any(s in text for text in texts)), " " if texts else "|")
    table = replace(table, file=file, label=label, labels=labels, split=split, onehot=onehot, separator=separator)
    return replace(table, weighted=_is_weighted([part for text in texts for part in _parts(text, separator)]))


def _numeric(columns: Iterable[str], rows: Sequence[Cells]) -> dict[str, type[int] | type[float]]:
    """Text columns with nothing but finite numbers in them: int, or float if any is."""
    types: dict[str, type[int] | type[float]] = {}
    for column in columns:
        kind: type[int] | type[float] | None = None
        for cells in rows:
            text = cells[column].strip()
            if not text:
                continue
            if len(text) > 40 or not NUMBER.fullmatch(text) or math.isinf(number := float(text)):
                break
            if not text.lstrip("-").isdigit():
                kind = float
            elif abs(number) > 2**53:  # a long identifier, which many readers of JSON would round
                break
            elif kind is None:
                kind = int
        else:
            if kind:
                types[column] = kind
    return types


def _any_number(column: str, rows: Sequence[Cells]) -> bool:
    return any(isinstance(cells.get(column), (int, float)) for cells in rows)


def _any_fraction(column: str, rows: Sequence[Cells], numeric: Collection[str]) -> bool:
    values = (cells.get(column) for cells in rows)
    if column in numeric:
        return any(float(text) % 1 for text in values if text and text.strip())
    return any(isinstance(value, float) and value % 1 for value in values)


def _is_onehot(columns: Sequence[str], rows: Sequence[Cells], numeric: Collection[str]) -> bool:
    """Two columns or more of 0 and 1, or of weights that sum to 1 in their row."""
    if len(columns) < 2 or not all(column and column in numeric for column in columns):
        return False
    for cells in rows:
        if not all(cells[column].strip() for column in columns):
            return False
        weights = [float(cells[column]) for column in columns]
        if not all(w in (0, 1) for w in weights) and not (min(weights) >= 0 and abs(sum(weights) - 1) < 1e-3):
            return False
    return True


def _is_weighted(parts: Sequence[str]) -> bool:
    matches = [WEIGHTED.fullmatch(part) for part in parts]
    return all(matches) and any(float(match[2]) % 1 for match in matches if match)


def _parts(text: str, separator: str) -> list[str]:
    return [part.strip() for part in text.split(separator) if part.strip()]


def _file_cell(cells: Cells, column: str) -> str:
    value = cells.get(column)
    return value if isinstance(value, str) else str(value) if type(value) is int else ""


def _text(value: Json) -> str:
    """A name as text, "" for none; ValueError for what is no name."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (str, int, float)):
        return str(value).strip()
    raise ValueError(f"{json.dumps(value)[:80]} is no name")


def _annotations(table: Table, cells: Cells, types: Mapping[str, type[int] | type[float]]) -> Annotations:
    """One row's labels and values. `types`: the columns to read as numbers. ValueError says what is wrong."""
    if table.onehot:
        labels = {column: weight for column in table.onehot if (weight := float(cells[column]))}
    else:
        labels = _labels(cells.get(table.labels), table.separator, table.weighted) if table.labels else {}
        if not labels and table.label:
            labels = _labels(cells.get(table.label), None, False)
    known = {table.file, table.label, table.labels, table.split, *table.onehot}
    values: dict[str, Json] = {}
    for column, value in cells.items():
        if column in known:
            continue
        if not table.delimiter:
            values[column] = value
        elif column in types:
            values[column] = types[column](value) if value.strip() else None
        else:
            values[column] = value or None
    return Annotations(labels, values)


def _labels(value: Json, separator: str | None, weighted: bool) -> dict[str, float]:
    """Class -> weight. `separator` None: text is one class."""
    if isinstance(value, dict):
        for name, weight in value.items():
            if isinstance(weight, bool) or not isinstance(weight, (int, float)) or weight < 0:
                raise ValueError(f"the weight of class {name!r} is not a number from 0")
        return {_text(name): float(weight) for name, weight in value.items() if weight}
    if isinstance(value, list):
        return {name: 1.0 for each in value if (name := _text(each))}
    if separator is None or not isinstance(value, str):
        name = _text(value)
        return {name: 1.0} if name else {}
    parts = _parts(value, separator)
    if not weighted:
        return dict.fromkeys(parts, 1.0)
    pairs = (part.rpartition(":") for part in parts)
    return {name: float(weight) for name, _, weight in pairs if float(weight)}


def _new_table(dataset: Dataset, several: bool) -> Table:
    """labels.csv, for a dataset that was no table. `several`: some image has more than one class, or a weight."""
    label = "label" if dataset.classes and not several else None
    labels = "labels" if several else None
    split = "split" if any(sample.split for sample in dataset.samples) else None
    values = dict.fromkeys(name for sample in dataset.samples for name in sample.annotations.values)
    header = tuple(column for column in ("file_name", label, labels, split, *values) if column)
    return Table("labels.csv", ",", header, label=label, labels=labels, split=split)


def _lines(rows: Iterable[Row], table: Table, weighted: bool, samples: Mapping[str, Sample]) -> Iterator[str]:
    folder = posixpath.dirname(table.path) + "/"
    below = folder != "/" and all(name.startswith(folder) for name in samples)
    were_weighted = any(weight != 1 for sample in samples.values() for weight in sample.annotations.labels.values())
    if table.delimiter:
        yield _csv_line(table.header, table.delimiter)
    for row in rows:
        sample = samples.get(row["source"])
        written = _row(row, table, weighted, weighted and not were_weighted, sample)
        written[table.file] = row["file_name"].removeprefix(folder) if below else row["file_name"]
        if table.delimiter:
            yield _csv_line([_csv_text(written[column]) for column in table.header], table.delimiter)
        else:
            yield json.dumps(written, ensure_ascii=False) + "\n"


def _row(row: Row, table: Table, weighted: bool, newly: bool, sample: Sample | None) -> dict[str, Json]:
    """The cells for one manifest row: as they were read wherever the row still says the same.

    `newly`: the table was read without weights, so that a kept cell would look unlike the others.
    """
    cells = table.cells.get(row["source"], {})
    read = sample.annotations if sample else Annotations()
    same = sample is not None and row["labels"] == read.labels
    columns = list(table.header if table.delimiter or not cells else cells)
    if table.labels is not None and table.labels not in columns and (newly or not same):
        columns.append(table.labels)
    written: dict[str, Json] = {}
    for column in columns:
        if column == table.labels:
            kept, value = same and not newly, _list(row["labels"], table, weighted, cells.get(column))
        elif column == table.label:
            kept, value = same, row["label"]
        elif column in table.onehot:
            kept, value = same, row["labels"].get(column, 0)
        elif column == table.split:
            kept, value = sample is not None and row["split"] == sample.split, row["split"]
        else:
            value = row["values"].get(column)
            kept = _equal(value, read.values.get(column))
        written[column] = cells[column] if kept and column in cells else value
    return written


def _list(labels: Mapping[str, float], table: Table, weighted: bool, read: Json) -> Json:
    if table.delimiter or (isinstance(read, str) and not weighted):
        weigh = weighted or table.weighted
        return table.separator.join(f"{name}:{_csv_text(w)}" if weigh else name for name, w in labels.items())
    return dict(labels) if weighted else list(labels)


def _equal(value: Json, other: Json) -> bool:
    return type(value) is type(other) and bool(value == other)


def _csv_text(value: Json) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return json.dumps(value, ensure_ascii=False)


def _csv_line(cells: Iterable[str], delimiter: str) -> str:
    """One line, quoted where it must be. Not csv.writer: whether that quotes a lone \\r depends on Python's version."""
    special = ('"', "\n", "\r", delimiter)
    quoted = ('"' + cell.replace('"', '""') + '"' if any(sign in cell for sign in special) else cell for cell in cells)
    return delimiter.join(quoted) + "\n"
