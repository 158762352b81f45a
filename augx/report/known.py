"""What OUTPUT itself says of its classes and keypoints, and which of its pictures look alike in different splits."""

from __future__ import annotations

from collections.abc import Iterable

from augx import formats
from augx.drawing.colours import Palette
from augx.drawing.overlay import Look
from augx.errors import AugxError
from augx.formats import ReadOptions
from augx.journal import place
from augx.likeness import alike, fingerprints
from augx.model import Dataset, Json
from augx.report.labels import Row
from augx.store import Folder


def look(folder: Folder, written: str, rows: Iterable[Row], classes: Iterable[str]) -> tuple[Look, float]:
    """How the labels of these rows are drawn, and what to add to their keypoints (`Annotations.dot`). `written`: the
    format of OUTPUT, whose label files are read only where rows alone do not tell: of masks and keypoints."""
    known = _dataset(folder, written) if any(map(_needs_more, rows)) else None
    if known is None:
        return Look(Palette(sorted(classes))), 0.0
    names = known.classes or sorted(classes)
    dot = known.samples[0].annotations.dot if known.samples else 0.0
    return Look(Palette(names), known.classes, known.poses, known.ignore), dot


def look_alikes(folder: Folder, originals: Iterable[Row]) -> tuple[list[list[str]], int]:
    """Groups of files, each of more than one split, and how many files were compared. `originals`: their rows."""
    rows = {row["file_name"]: row for row in originals if Folder.inside(row["file_name"])}
    prints = fingerprints({name: place(folder, row, name) for name, row in rows.items()})
    groups = [list(group) for group in alike(prints) if len({rows[name]["split"] for name in group}) > 1]
    return groups, len(prints.names)


def _needs_more(row: Json) -> bool:
    return bool(row["mask"] or row["instances"] or any("keypoints" in thing for thing in row["objects"]))


def _dataset(folder: Folder, written: str) -> Dataset | None:
    try:
        return formats.load(written).read(folder.root, ReadOptions())
    except (AugxError, LookupError):  # not as it was written: then its classes have no names
        return None
