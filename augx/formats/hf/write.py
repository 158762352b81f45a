"""The metadata of a Hugging Face imagefolder from manifest rows.

`datasets` takes a column's type from the first rows and wants it in all: so numbers are all whole or all fractions,
weights have every class in each row, and where some objects have rings, masks of others are written as rings too.
Where images have several classes no column `label` stands beside `labels`: it would be null for all of some splits.
"""

from __future__ import annotations

import json
import posixpath
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from augx.formats import Row
from augx.formats.hf.read import NAMES, Columns, class_order
from augx.model import Dataset, Json, Rle

_NUMBERS = ("bbox", "segmentation", "keypoints", "obb", "area")


@dataclass(slots=True)
class Facts:
    """What all rows hold, for columns that suit them all.

    `captions`: at most, of one image. `fractions`: those of objects' numbers that are not all whole. `forms`: of
    segmentation: "rings", "runs", "text". `highest`: of the objects' ids, and of those given since; None where some
    object has none.
    """

    single: bool = False  # some image has just one class
    several: bool = False
    weighted: bool = False
    captions: int = 0
    masks: bool = False
    labels: set[str] = field(default_factory=set)
    values: dict[str, None] = field(default_factory=dict)
    objects: bool = False
    keys: dict[str, None] = field(default_factory=dict)
    fractions: set[str] = field(default_factory=set)
    forms: set[str] = field(default_factory=set)
    highest: int | None = -1

    def next_id(self) -> int | None:
        if self.highest is not None:
            self.highest += 1
        return self.highest


def survey(rows: Iterable[Row]) -> Facts:
    facts = Facts()
    for row in rows:
        facts.single = facts.single or row["label"] is not None
        facts.several = facts.several or len(row["labels"]) > 1
        facts.weighted = facts.weighted or any(weight != 1 for weight in row["labels"].values())
        facts.labels.update(row["labels"])
        facts.captions = max(facts.captions, len(row["captions"]))
        facts.masks = facts.masks or bool(row["mask"])
        facts.values.update(dict.fromkeys(row["values"]))
        for one in row["objects"]:
            facts.objects = True
            _survey_object(one, facts)
    return facts


def _survey_object(one: Mapping[str, Json], facts: Facts) -> None:
    extra = one.get("extra", {})
    facts.keys.update((key, None) for key in one if key in (*_NUMBERS, "iscrowd") and one[key] is not None)
    facts.keys.update(dict.fromkeys(extra))
    shape = one.get("segmentation")
    if isinstance(shape, Mapping):
        facts.forms.add("text" if isinstance(shape["counts"], str) else "runs")
    elif shape:
        facts.forms.add("rings")
    for key in _NUMBERS:
        if key not in facts.fractions and _has_fraction(one.get(key)):
            facts.fractions.add(key)
    number = extra.get("id")
    if type(number) is not int:
        facts.highest = None
    elif facts.highest is not None:
        facts.highest = max(facts.highest, number)


def _has_fraction(value: Json) -> bool:
    if isinstance(value, list):
        return any(map(_has_fraction, value))
    return isinstance(value, float)


def new_columns(facts: Facts) -> Columns:
    """Those of a dataset that was no imagefolder."""
    labels = "labels" if facts.several or facts.weighted else None
    label = "label" if facts.single and not labels else None
    captions = ("captions" if facts.captions > 1 else "text") if facts.captions else None
    mask = "mask_file_name" if facts.masks else None
    objects = "objects" if facts.objects else None
    named = (name for name in ("file_name", mask, label, labels, captions, objects) if name)
    return Columns(
        (NAMES[0],),
        tuple(dict.fromkeys((*named, *facts.values))),
        mask=mask,
        label=label,
        labels=labels,
        captions=captions,
        captions_listed=facts.captions > 1,
        objects=objects,
        keys=_keys(facts),
    )


def _keys(facts: Facts) -> tuple[str, ...]:
    """Of a new table: an area only where some object has a shape to measure."""
    known = (*_NUMBERS, "iscrowd")
    shapes = [key for key in known if key in facts.keys and (key != "area" or facts.forms)]
    return tuple(dict.fromkeys(("bbox", "category", *shapes, *(key for key in facts.keys if key not in known))))


def lines(rows: Iterable[Row], dataset: Dataset, columns: Columns, facts: Facts, path: str, by: str) -> Iterator[str]:
    """The text of the metadata at `path`. `by`: "split" or "metadata" where only some rows belong to it, else ""."""
    from augx.formats.table.lines import csv_line

    folder = posixpath.dirname(path)
    files = {sample.id: sample.annotations.extra.get("metadata", "") for sample in dataset.samples} if by else {}
    header = list(columns.header)
    if columns.labels is None and (facts.several or facts.weighted):
        header = [name for name in header if name != columns.label] + ["labels"]
    cell = _Cells(columns, facts, folder)
    comma = path.lower().endswith(".csv")
    if comma:
        yield csv_line(header, ",")
    for row in rows:
        if (by == "split" and (row["split"] or "") != folder) or (
            by == "metadata" and files.get(row["source"]) != path
        ):
            continue
        written = cell.row(row, header)
        yield csv_line([_text(value) for value in written.values()], ",") if comma else _json(written) + "\n"


def _json(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False)


def _text(value: Json) -> str:
    return "" if value is None else value if isinstance(value, str) else _json(value)


class _Cells:
    """The cells of one row after the other."""

    def __init__(self, columns: Columns, facts: Facts, folder: str) -> None:
        self.columns, self.facts, self.folder = columns, facts, folder
        self.weighted = facts.weighted or columns.weighted
        self.classes = class_order(facts.labels)

    def row(self, row: Row, header: Sequence[str]) -> dict[str, Json]:
        columns = self.columns
        given: dict[str | None, Callable[[Row], Json]] = {
            columns.file: lambda row: self._relative(row["file_name"]),
            columns.mask: lambda row: self._relative(row["mask"]) if row["mask"] else None,
            columns.label: self._label,
            columns.labels or "labels": self._labels,
            columns.captions: self._captions,
            columns.objects: self._objects,
        }
        if columns.sized:
            given |= {"width": lambda row: row["width"], "height": lambda row: row["height"]}
        return {name: given[name](row) if name in given else row["values"].get(name) for name in header}

    def _relative(self, path: str) -> str:
        return posixpath.relpath(path, self.folder) if self.folder else path

    def _typed(self, name: str | None, column: str) -> Json:
        kind = self.columns.types.get(column)
        if name is None or kind is None or not (name.removeprefix("-").isdecimal() or kind == "bool"):
            return name
        return name == "true" if kind == "bool" else int(name)

    def _label(self, row: Row) -> Json:
        return self._typed(row["label"], self.columns.label or "")

    def _labels(self, row: Row) -> Json:
        if self.weighted:
            return {name: float(row["labels"].get(name, 0)) for name in self.classes}
        if self.columns.joined:
            return "|".join(row["labels"])
        return [self._typed(name, self.columns.labels or "") for name in row["labels"]]

    def _captions(self, row: Row) -> Json:
        told = row["captions"]
        return list(told) if self.columns.captions_listed else told[0] if told else None

    def _objects(self, row: Row) -> Json:
        records = [self._record(one, bool(row["copy"]), row["width"], row["height"]) for one in row["objects"]]
        if self.columns.records:
            return records
        return {key: [record[key] for record in records] for key in self.columns.keys}

    def _record(self, one: Mapping[str, Any], copied: bool, width: int, height: int) -> dict[str, Json]:
        extra = one.get("extra", {})
        record: dict[str, Json] = {}
        for key in self.columns.keys:
            if key == self.columns.category:
                record[key] = self._typed(one["label"], "category")
            elif key == "segmentation":
                record[key] = self._number(key, self._segmentation(one.get(key), width, height))
            elif key == "keypoints" and self.columns.nested and key in one:
                record[key] = self._number(key, _nest(one[key], self.columns.nested))
            elif key in _NUMBERS:
                record[key] = self._number(key, one.get(key))
            elif key == "iscrowd":
                record[key] = one.get(key, 0)
            elif key == "id" and copied and self.facts.highest is not None:
                record[key] = self.facts.next_id()
            else:
                record[key] = extra.get(key)
        return record

    def _number(self, key: str, value: Json) -> Json:
        return _as_floats(value) if key in self.facts.fractions else value

    def _segmentation(self, shape: Json, width: int, height: int) -> Json:
        """Rings if any object has such, or a mask in the form that all have."""
        if not isinstance(shape, Mapping) or len(self.facts.forms) < 2:
            return shape
        from augx.outlines import mask_rings
        from augx.rle import rle_decode, rle_encode

        counts = shape["counts"]
        plane = rle_decode(Rle(width, height, counts if isinstance(counts, str) else tuple(counts)))
        if "rings" in self.facts.forms:
            return [_whole(ring) for ring in mask_rings(plane)]
        return {"size": [height, width], "counts": rle_encode(plane).counts}


def _whole(ring: array[float]) -> list[float]:
    return [int(value) if value == int(value) else value for value in ring]


def _nest(flat: Sequence[float], each: int) -> list[list[float]]:
    return [list(flat[start : start + each]) for start in range(0, len(flat), 3)]


def _as_floats(value: Json) -> Json:
    if isinstance(value, list):
        return [_as_floats(each) for each in value]
    return float(value) if type(value) is int else value
