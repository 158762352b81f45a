"""Classes, objects and splits, before and after, as the rows say."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from augx.model import Json
from augx.report.counts import Boxes, Sample, tidy
from augx.transforms.catalog import TRANSFORMS

Row = Mapping[str, Json]
_TURNS = frozenset(
    ("HorizontalFlip", "VerticalFlip", "Transpose", "RandomRotate90", "D4", "SquareSymmetry", "TimeReverse")
)  # which move pixels and change no area
_MARGIN = 1.0  # pixels from the edge, where a box may have been cut
_NOBODY = "(none)"


@dataclass
class Class:
    """`images` and `objects`: of sources, and of all that was written. `lost`: of objects, in copies, by reason."""

    images: list[int] = field(default_factory=lambda: [0, 0])
    objects: list[int] = field(default_factory=lambda: [0, 0])
    in_copies: int = 0
    lost: Counter[str] = field(default_factory=Counter)

    def told(self) -> dict[str, Json]:
        lost = sum(self.lost.values())
        return {
            "images": dict(zip(("before", "after"), self.images, strict=True)),
            "objects": dict(zip(("before", "after"), self.objects, strict=True)),
            "lost": {"count": lost, "of": lost + self.in_copies, "reasons": dict(sorted(self.lost.items()))},
        }


class Labels:
    def __init__(self) -> None:
        self.classes: dict[str, Class] = {}
        self.boxes = Boxes(), Boxes()  # of sources, of copies
        self.aspects = Sample(), Sample()
        self.visibility = Sample()
        self.growth = Sample()
        self.splits: dict[str, list[int]] = {}
        self._split_of: dict[str, str] = {}
        self._partners: set[tuple[str, str]] = set()
        self._first: dict[str, str] = {}  # content -> the first source of it
        self.twins: list[tuple[str, str]] = []
        self._original: Row | None = None

    def add(self, row: Row) -> None:
        copy = row["copy"] > 0
        if not (row["width"] > 0 and row["height"] > 0):
            raise ValueError("a picture without pixels")
        if not all(math.isfinite(value) for thing in row["objects"] for value in thing["bbox"] or ()):
            raise ValueError("a box without a place")
        if not copy:
            self._original = row
        objects = row["objects"]
        found = Counter(thing["label"] or _NOBODY for thing in objects)
        for name in {*row["labels"], *found} or {_NOBODY}:
            of = self._class(name)
            of.images[1] += 1
            of.objects[1] += found[name]
            of.in_copies += found[name] * copy
            if not copy:
                of.images[0] += 1
                of.objects[0] += found[name]
        if copy:
            for one in row["dropped"]:
                self._class(one["label"] or _NOBODY).lost[one["reason"]] += 1
                self.visibility.add(one["visibility"])
            self._grow(row)
        self.aspects[copy].add(math.log2(row["width"] / row["height"]))
        for thing in objects:
            if thing["bbox"] is not None:
                self.boxes[copy].add(thing["bbox"], row["width"], row["height"])
        if row["split"] is not None:
            counts = self.splits.setdefault(row["split"], [0, 0])
            counts[0] += not copy
            counts[1] += 1
            if row["source"] not in self._split_of:
                self._split_of[row["source"]] = row["split"]
                self._meet(row)
            self._partners.update((partner, row["split"]) for partner in row["partners"])

    def _meet(self, row: Row) -> None:
        """Notes a source whose very bytes are in another split, too. `twins`: both of them."""
        first = self._first.setdefault(row["source_sha256"], row["source"])
        if self._split_of[first] != row["split"]:
            self.twins.append((first, row["source"]))

    def _class(self, name: str) -> Class:
        if name not in self.classes:
            self.classes[name] = Class()
        return self.classes[name]

    def _grow(self, row: Row) -> None:
        """How much larger boxes are than what was turned: those that nothing but a box says where they are, in copies
        whose moves are known to change areas by so much."""
        before = self._original
        scale = _scale(row["transforms"])
        if before is None or before["source"] != row["source"] or row["dropped"] or row["partners"] or not scale:
            return
        if len(before["objects"]) != len(row["objects"]):
            return
        for one, other in zip(before["objects"], row["objects"], strict=True):
            if "segmentation" in one or "obb" in one or not (_inside(one, before) and _inside(other, row)):
                continue
            was, now = (thing["bbox"][2] * thing["bbox"][3] for thing in (one, other))
            if was > 0:
                self.growth.add(now / (was * scale))

    def crossing(self) -> list[tuple[str, str]]:
        """(partner, split) of partners that were mixed into images of another split than their own."""
        return sorted((one, split) for one, split in self._partners if self._split_of.get(one, split) != split)

    def told(self, summary: Mapping[str, Json]) -> dict[str, Json]:
        """`summary`: of the run, which knows the classes of sources that have no row, too."""
        for name in summary["classes"]:
            self._class(name).images[0] = summary["classes"][name]["before"]
        before, after = (boxes.told() for boxes in self.boxes)
        aspects = [sample.told(-2, 2) for sample in self.aspects]
        median = self.growth.median()
        return {
            "classes": {name: one.told() for name, one in sorted(self.classes.items())},
            "splits": {name: {"before": was, "after": now} for name, (was, now) in sorted(self.splits.items())},
            "boxes": {"before": before, "after": after},
            "aspect_ratio_log2": {"before": aspects[0], "after": aspects[1]},
            "visibility_of_lost": self.visibility.told(0, 1),
            "box_growth": {**self.growth.told(), "median": None if median is None else tidy(median)},
        }


def _scale(transforms: Sequence[Mapping[str, Json]]) -> float | None:
    """By how much areas became larger; None where nobody can say."""
    scale, turned = 1.0, False
    for one in transforms:
        entry, matrix = TRANSFORMS.get(one["name"]), one["params"].get("matrix")
        if entry is None or entry.partners:
            return None
        if not entry.moves or one["name"] in _TURNS:
            continue
        if not isinstance(matrix, list) or len(matrix) != 3 or any(matrix[2][:2]):
            return None
        (a, b, _), (c, d, _) = matrix[:2]
        scale, turned = scale * abs(a * d - b * c), True
    return scale if turned else None


def _inside(thing: Mapping[str, Json], row: Row) -> bool:
    if thing["bbox"] is None:
        return False
    x, y, wide, high = thing["bbox"]
    right, below = row["width"] - x - wide, row["height"] - y - high
    return bool(min(x, y, right, below) > _MARGIN)
