"""The metadata of a Hugging Face imagefolder: what their columns mean, and what a row says.

`objects` is a mapping of lists of equal length or a list of mappings: bbox [x, y, w, h], category, and where there
segmentation (rings, or COCO's RLE), keypoints (flat, or a list of points), obb (four corners, flat), iscrowd and area.
"""

from __future__ import annotations

import json
import re
from array import array
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import TypeVar

from augx.errors import InputError
from augx.formats.json_safe import why_not_kept
from augx.formats.table.cells import Cells, parse
from augx.formats.table.columns import GEOMETRY, ROLES, as_name, numeric_types
from augx.model import Annotations, Box, Json, Object, Rle

NAMES = ("metadata.jsonl", "metadata.csv")
CAPTIONS = ("captions", "caption", "text")
OBJECTS = ("objects", "annotations")
CATEGORIES = (
    "category",
    "categories",
    "label",
    "labels",
    "class",
    "class_name",
    "category_name",
    "name",
    "category_id",
)
_MASKS = re.compile(r"(.*_)?(mask|annotation|segmentation|label)s?_file_name", re.IGNORECASE)
_FILES = re.compile(r"(.+_)?file_names?")
_Part = TypeVar("_Part")
_COMPUTED = ("bbox", "segmentation", "keypoints", "obb", "iscrowd", "area")


@dataclass(frozen=True, slots=True)
class Columns:
    """How metadata were read, for writing them the same way (`Dataset.details`). Names are of columns, None for none.

    `files`: the metadata files. `keys`: of the objects, in order; `category`: the one that names the class.
    `records`: objects are a list of mappings. `nested`: numbers for each keypoint where they are lists of their own,
    0 where all stand in one. `types`: column, or "category" -> "int" or "bool" where its classes are such.
    `weighted`: the classes of `labels` are keys of a mapping; `joined`: they stand in one text with | between them.
    `sized`: there are columns width and height.
    """

    files: tuple[str, ...] = ()
    header: tuple[str, ...] = ()
    file: str = "file_name"
    mask: str | None = None
    label: str | None = None
    labels: str | None = None
    weighted: bool = False
    joined: bool = False
    captions: str | None = None
    captions_listed: bool = False
    objects: str | None = None
    keys: tuple[str, ...] = ()
    category: str = "category"
    records: bool = False
    nested: int = 0
    types: Mapping[str, str] = field(default_factory=dict)
    sized: bool = False


def rows_of(path: str, name: str, head: bool = False) -> tuple[tuple[str, ...], list[tuple[int, Cells]], list[Json]]:
    """Header, (line, row) in order, and flaws of a metadata file. The cells of a CSV become what they look like."""
    delimiter, header, numbered, failed = parse(path, name, head)
    if delimiter:
        types = numeric_types(header, [cells for _, cells in numbered])
        for _, cells in numbered:
            for column, text in cells.items():
                cells[column] = _cell(text, types.get(column))
    return header, numbered, failed


def _cell(text: str, kind: type[int] | type[float] | None) -> Json:
    if not text or text.isspace():
        return None
    if kind is not None:
        return kind(text.strip())  # which takes off more than int and float do
    if text.startswith(("[", "{")):
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            return text
        return text if why_not_kept(value) else value
    return text


def is_metadata(root: str, name: str) -> bool:
    """Whether a table is the metadata of an imagefolder, by its name and its head: then it is no plain table."""
    import os

    if name.rpartition("/")[2].lower() not in NAMES:
        return False
    try:
        header, numbered, _ = rows_of(os.path.join(root, name), name, head=True)
    except InputError:
        return False
    return bool(numbered) and any(_FILES.fullmatch(column) for column in header)


def columns_of(name: str, header: Sequence[str], rows: Sequence[Cells], exists: Callable[[str], bool]) -> Columns:
    """What the columns of `name` mean. `exists`: whether a file name is that of an image.

    InputError for columns that cannot be carried.
    """
    files = [column for column in header if _FILES.fullmatch(column)]
    mask = next((column for column in files if column != "file_name" and _MASKS.fullmatch(column)), None)
    images = sorted((column for column in files if column != mask), key=lambda column: column != "file_name")
    file = next((c for c in images if any(isinstance(v := r.get(c), str) and exists(v) for r in rows[:200])), None)
    if file is None:
        listed = f"columns: {', '.join(header)[:500]}"
        raise InputError(f"{name}: no column names images that are there ({listed})", "it needs a column `file_name`")
    if len(images) > 1 or any(column.endswith("s") for column in images):
        others = ", ".join(column for column in images if column != file) or file
        message = f"{name}: {others} names further images, which would not move with the first"
        raise InputError(message, "leave the column out, or use `--from table`")
    return replace(
        meanings(name, [column for column in header if column not in files], rows),
        header=tuple(header),
        file=file,
        mask=mask,
    )


def meanings(name: str, header: Sequence[str], rows: Sequence[Mapping[str, Json]]) -> Columns:
    """What the columns of `name` mean that name no files. InputError for columns that cannot be carried."""
    plain = {column: column.strip().lower() for column in header}
    for names in GEOMETRY:
        if names.issubset(plain.values()) and not names & {"objects", "mask_file_name"}:
            message = f"{name}: boxes or shapes in columns of their own ({', '.join(sorted(names))}) are not read"
            raise InputError(message, "put them into a column `objects`: {bbox: [[x, y, w, h], ...], category: [...]}")
    taken: set[str | None] = set()

    def values(column: str) -> Iterable[Json]:
        return (value for row in rows if (value := row.get(column)) is not None)

    def named(names: Iterable[str], fits: Callable[[str], bool]) -> str | None:
        found = next((c for n in names for c in header if plain[c] == n and c not in taken and fits(c)), None)
        taken.add(found)
        return found

    objects = named(OBJECTS, lambda column: any(map(_is_objects, values(column))))
    label = named(ROLES["label"], lambda column: _is_class(plain[column], values(column)))
    labels = named(ROLES["labels"], lambda column: not any(isinstance(value, float) for value in values(column)))
    if not (label or labels):
        labels = named(ROLES["label"], lambda column: any(isinstance(value, (list, dict)) for value in values(column)))
    captions = named(CAPTIONS, lambda column: all(map(_is_caption, values(column))))
    several = list(values(labels)) if labels else []
    columns = Columns(
        label=label,
        labels=labels,
        weighted=any(isinstance(value, dict) for value in several),
        joined=any(isinstance(value, str) and "|" in value for value in several),
        captions=captions,
        captions_listed=captions is not None and any(isinstance(value, list) for value in values(captions)),
        objects=objects,
        types={c: kind for c in (label, labels) if c and (kind := _type(chain.from_iterable(map(_names, values(c)))))},
        sized=all(column in header and all(type(v) is int for v in values(column)) for column in ("width", "height")),
    )
    return _with_keys(columns, values(objects)) if objects else columns


def _is_class(name: str, values: Iterable[Json]) -> bool:
    """One class each. Fractions are measurements to predict, and so are numbers in a column called target or y."""
    others = (int, float, list, dict) if name in ("target", "y") else (float, list, dict)
    return not any(isinstance(value, others) for value in values)


def _is_objects(value: Json) -> bool:
    return isinstance(value, dict) or (isinstance(value, list) and any(isinstance(each, dict) for each in value))


def _is_caption(value: Json) -> bool:
    return isinstance(value, str) or (isinstance(value, list) and all(isinstance(text, str) for text in value))


def _names(value: Json) -> Iterable[Json]:
    return value if isinstance(value, (list, dict)) else (value,)


def _type(values: Iterable[Json]) -> str:
    """int or bool, if all values are such and can be told from their names again; else ""."""
    kinds = {type(value) for value in values if value is not None and value != ""}
    return {frozenset({int}): "int", frozenset({bool}): "bool"}.get(frozenset(kinds), "")


def _with_keys(columns: Columns, cells: Iterable[Json]) -> Columns:
    """`columns` with what the objects look like."""
    keys: dict[str, None] = {}
    records = False
    nested = 0
    kept = [cell for cell in cells if cell]
    for cell in kept:
        records = records or isinstance(cell, list)
        for each in cell if isinstance(cell, list) else (cell,):
            if isinstance(each, dict):
                keys.update(dict.fromkeys(each))
    category = next((key for key in CATEGORIES if key in keys), "category")
    names: list[Json] = []
    for cell in kept:
        for each in _records(cell)[0]:
            names.append(each.get(category))
            points = each.get("keypoints")
            if not nested and isinstance(points, list) and points and isinstance(points[0], list):
                nested = len(points[0])
    kind = _type(names)
    types = {**columns.types, "category": kind} if kind else columns.types
    return replace(columns, keys=tuple(keys), category=category, records=records, nested=nested, types=types)


def _records(cell: Json) -> tuple[list[Mapping[str, Json]], list[str]]:
    """Objects one by one, and what was left out."""
    if isinstance(cell, list):
        records: list[Mapping[str, Json]] = [each for each in cell if isinstance(each, dict)]
        return records, [] if len(records) == len(cell) else ["an object that is no mapping is left out"]
    if not isinstance(cell, dict):
        return [], ["its objects are left out: no mapping and no list"]
    lengths = [len(value) for value in cell.values() if isinstance(value, list)]
    count = len(cell["bbox"]) if isinstance(cell.get("bbox"), list) else max(lengths, default=0)
    lists = {key: value for key, value in cell.items() if isinstance(value, list) and len(value) == count}
    odd = [key for key in cell if key not in lists]
    problems = [f"{', '.join(odd)[:80]} of its objects is left out: no list of {count}"] if odd else []
    return [{key: values[index] for key, values in lists.items()} for index in range(count)], problems


def read_row(cells: Mapping[str, Json], columns: Columns) -> tuple[Annotations, list[str]]:
    """What a row says of its image, less the paths, and what of its objects was left out. ValueError for the rest."""
    told = cells.get(columns.labels) if columns.labels else None
    labels = classes(told.split("|") if columns.joined and isinstance(told, str) else told)
    if not labels and columns.label:
        labels = classes(cells.get(columns.label))
    told = cells.get(columns.captions) if columns.captions else None
    captions = () if told is None else tuple(told) if isinstance(told, list) else (told,)
    objects: list[Object] = []
    problems: list[str] = []
    if columns.objects and cells.get(columns.objects):
        records, problems = _records(cells[columns.objects])
        for number, record in enumerate(records, 1):
            thing, wrong = object_of(record, columns.category)
            if thing is not None:
                objects.append(thing)
                problems += [f"object {number}: {reason}" for reason in wrong]
            else:
                problems.append(f"object {number} is left out: {wrong[0] if wrong else 'it says nowhere where it is'}")
    known = {columns.file, columns.mask, columns.label, columns.labels, columns.captions, columns.objects}
    size = None
    if columns.sized:
        known |= {"width", "height"}
        width, height = cells.get("width") or 0, cells.get("height") or 0
        if min(width, height) > 0:
            size = (width, height)
    values = {column: value for column, value in cells.items() if column not in known}
    return Annotations(labels, values, captions, tuple(objects), size=size), problems


def classes(value: Json) -> dict[str, float]:
    """Class -> weight, of a name, a list of names or a mapping; ValueError where it is none of these."""
    if isinstance(value, Mapping):
        found: dict[str, float] = {}
        for name, weight in value.items():
            if not name or weight is None or weight == 0:
                continue
            if isinstance(weight, bool) or not isinstance(weight, (int, float)) or not 0 < weight <= 1:
                raise ValueError(f"the weight of class {name[:80]!r} is not a number from 0 to 1")
            found[name] = float(weight)
        return found
    names = map(as_name, value) if isinstance(value, list) else (as_name(value),)
    return {name: 1.0 for name in names if name}


def object_of(record: Mapping[str, Json], category: str) -> tuple[Object | None, list[str]]:
    """An object of those parts that can be read, None if there are none; and what is wrong with the others."""
    wrong: list[str] = []

    def part(name: str, read: Callable[[Json], _Part]) -> _Part | None:
        value = record.get(name)
        if value is None or value == []:
            return None
        try:
            return read(value)
        except (ValueError, OverflowError) as error:
            wrong.append(str(error))
            return None

    try:
        label = as_name(record.get(category)) or None
    except ValueError as error:
        return None, [str(error)]
    box, keypoints = part("bbox", _box), part("keypoints", _keypoints)
    rings, rle = part("segmentation", _segmentation) or ((), None)
    corners = part("obb", lambda value: array("d", _numbers(value, "obb", 8)))
    if box is None and not rings and rle is None and keypoints is None and corners is None:
        return None, wrong
    extra = {key: value for key, value in record.items() if key not in _COMPUTED and key != category}
    return Object(label, box, rings, rle, keypoints, corners, bool(record.get("iscrowd")), extra=extra), wrong


def _box(value: Json) -> Box:
    x, y, w, h = _numbers(value, "bbox", 4)
    return x, y, x + w, y + h


def _numbers(value: Json, name: str, count: int = 0) -> list[float]:
    """A list of `count` numbers, or of any even count."""
    if not isinstance(value, list) or not all(type(each) in (int, float) for each in value):
        raise ValueError(f"its {name} is no list of numbers")
    if len(value) != count if count else len(value) % 2:
        raise ValueError(f"its {name} has {len(value)} numbers")
    return list(map(float, value))


def _segmentation(value: Json) -> tuple[tuple[array[float], ...], Rle | None]:
    if not value:
        return (), None
    if isinstance(value, Mapping):
        size, counts = value.get("size"), value.get("counts")
        if not isinstance(size, list) or len(size) != 2 or not all(type(side) is int for side in size):
            raise ValueError("its RLE has no size [height, width]")
        if isinstance(counts, list) and all(type(run) is int for run in counts):
            counts = tuple(counts)
        elif not isinstance(counts, str):
            raise ValueError("its RLE has no counts")
        return (), Rle(size[1], size[0], counts)
    if isinstance(value, list) and isinstance(value[0], list):
        return tuple(array("d", _numbers(ring, "segmentation")) for ring in value if ring), None
    return (array("d", _numbers(value, "segmentation")),), None


def _keypoints(value: Json) -> array[float]:
    """Flat x, y, v. Points without v are visible, but those at 0, 0 are not there."""
    if not isinstance(value, list):
        raise ValueError("its keypoints are no list")
    if not isinstance(value[0], list):
        if len(value) % 3:
            raise ValueError(f"its keypoints have {len(value)} numbers, no x, y, v for each")
        return array("d", _numbers(value, "keypoints", len(value)))
    flat: list[float] = []
    for point in value:
        if not isinstance(point, list) or len(point) not in (2, 3):
            raise ValueError(f"{str(point)[:40]} is no keypoint")
        numbers = _numbers(point, "keypoints", len(point))
        flat += numbers if len(numbers) == 3 else [*numbers, 2.0 if any(numbers) else 0.0]
    return array("d", flat)


def class_order(names: Collection[str]) -> tuple[str, ...]:
    """Sorted; as numbers where all are."""
    numbers = all(name.isdecimal() and len(name) < 16 for name in names)
    return tuple(sorted(names, key=lambda name: (int(name), name) if numbers else (0, name)))
