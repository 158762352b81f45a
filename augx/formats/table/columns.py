"""Which column of a table says what, and what a row says then.

Columns are known by their names, and by their cells where names do not tell.
Tables with boxes or masks are refused: their numbers would be wrong as soon as an image is turned.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from augx.errors import InputError
from augx.formats.box_table import find_box
from augx.formats.table.cells import HEAD_LINES, Cells
from augx.formats.walk import Finder
from augx.model import Annotations, Json

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
OPEN_IMAGES = ({"ImageID", "LabelName"}, {"ImageID", "OriginalURL"}, {"ImageID", "Subset", "Rotation"})
SEPARATORS = "|;,"
NUMBER = re.compile(r"-?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
WEIGHTED = re.compile(r"(.+):([0-9]+(?:\.[0-9]+)?(?:e-?[0-9]+)?)", re.DOTALL)


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


def name_columns(table: Table, rows: Sequence[Cells], finder: Finder, given: Mapping[str, str]) -> Table:
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
    if table.delimiter and (boxes := find_box(header)):
        message = f"{table.path} holds boxes ({', '.join(boxes[1])}), one row each"
        raise InputError(message, "read it with `--from openimages`")
    for names in OPEN_IMAGES:
        if names.issubset(header):
            raise InputError(f"{table.path} is a table of Open Images", "read it with `--from openimages`")

    def named(role: str, fits: Callable[[str], bool]) -> str | None:
        if role in given:
            return given[role]
        like = [column for name in ROLES[role] for column in header if plain[column] == name]
        return next((column for column in like if column not in given.values() and fits(column)), None)

    numeric = {} if not table.delimiter else numeric_types(header, rows)
    head = rows[:HEAD_LINES]
    found = {c: sum(bool(finder.find(file_cell(r, c))[0]) for r in head) for c in header if plain[c] in ROLES["file"]}
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


def numeric_types(columns: Iterable[str], rows: Sequence[Cells]) -> dict[str, type[int] | type[float]]:
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
        return any(float(text.strip()) % 1 for text in values if text and text.strip())
    return any(isinstance(value, float) and value % 1 for value in values)


def _is_onehot(columns: Sequence[str], rows: Sequence[Cells], numeric: Collection[str]) -> bool:
    """Two columns or more of 0 and 1, or of weights that sum to 1 in their row."""
    if len(columns) < 2 or not all(column and column in numeric for column in columns):
        return False
    for cells in rows:
        if not all(cells[column].strip() for column in columns):
            return False
        weights = [float(cells[column].strip()) for column in columns]
        if not all(w in (0, 1) for w in weights) and not (min(weights) >= 0 and abs(sum(weights) - 1) < 1e-3):
            return False
    return True


def _is_weighted(parts: Sequence[str]) -> bool:
    """Not each need be: a cell that is not, among many that are, is a class of weight 1, or a slip of the pen."""
    matches = [match for part in parts if (match := WEIGHTED.fullmatch(part))]
    return 2 * len(matches) >= len(parts) and any(float(match[2]) % 1 for match in matches)


def _parts(text: str, separator: str) -> list[str]:
    return [part.strip() for part in text.split(separator) if part.strip()]


def file_cell(cells: Cells, column: str) -> str:
    value = cells.get(column)
    return value if isinstance(value, str) else str(value) if type(value) is int else ""


def as_name(value: Json) -> str:
    """A name as text, "" for none; ValueError for what is no name."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (str, int, float)):
        return str(value).strip()
    raise ValueError(f"{json.dumps(value)[:80]} is no name")


def read_annotations(table: Table, cells: Cells, types: Mapping[str, type[int] | type[float]]) -> Annotations:
    """One row's labels and values. `types`: the columns to read as numbers. ValueError says what is wrong."""
    if table.onehot:
        labels = {column: min(weight, 1.0) for column in table.onehot if (weight := float(cells[column].strip()))}
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
            values[column] = types[column](value.strip()) if value.strip() else None
        else:
            values[column] = value or None
    return Annotations(labels, values)


def _labels(value: Json, separator: str | None, weighted: bool) -> dict[str, float]:
    """Class -> weight. `separator` None: text is one class."""
    if isinstance(value, dict):
        names = [name for name in map(as_name, value) if name]
        if len(set(names)) < len(names):
            raise ValueError("a class stands there twice")
        given = ((as_name(name), _weight(name, weight)) for name, weight in value.items())
        return {name: weight for name, weight in given if name and weight}
    if isinstance(value, list):
        return {name: 1.0 for each in value if (name := as_name(each))}
    if separator is None or not isinstance(value, str):
        name = as_name(value)
        return {name: 1.0} if name else {}
    parts = _parts(value, separator)
    if not weighted:
        return dict.fromkeys(parts, 1.0)
    weights: dict[str, float] = {}
    for part in parts:
        name, colon, weight = part.rpartition(":")
        name, share = (name, _share(name, weight)) if colon else (part, 1.0)
        if name in weights:
            raise ValueError(f"the class {name[:80]!r} stands there twice")
        weights[name] = share
    return {name: share for name, share in weights.items() if share}


def _share(name: str, text: str) -> float:
    try:
        return _weight(name, float(text))
    except ValueError:
        raise ValueError(f"the weight of class {name[:80]!r} is not a number from 0 to 1") from None


def _weight(name: str, weight: Json) -> float:
    """A class's share in an image; ValueError where it is no number from 0 to 1."""
    if isinstance(weight, bool) or not isinstance(weight, (int, float)) or not 0 <= weight <= 1:
        raise ValueError(f"the weight of class {name[:80]!r} is not a number from 0 to 1")
    return float(weight)
