"""A finished run in figures: one pass over its manifest, and a look at some of its pictures."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

from augx import journal
from augx.errors import OutputError, Stopped
from augx.journal import DAMAGED, FAILURES, MANIFEST
from augx.manifest import Rows
from augx.model import Json
from augx.report import known
from augx.report.counts import Generated, Sample
from augx.report.labels import Labels, Row
from augx.report.pictures import Shot, look_at
from augx.report.transforms import Uses
from augx.store import Folder, hashes, open_regular

T = TypeVar("T")
_SOURCES, _COPIES = 60, 3  # that are looked at
_COMPARED = 400  # sources of different splits
_MEGAPIXELS = 400.0  # that are decoded at most
_FIRST = 12  # sources that a gallery shows unasked
_FLAGGED = 12  # images for each verdict


@dataclass(frozen=True, slots=True)
class Figures:
    """`told`: all figures, as JSON. `shots`: of the gallery. `colours`: of its classes."""

    told: dict[str, Json]
    shots: Sequence[Shot]
    colours: dict[str, tuple[int, int, int]]


def figures(output: str) -> Figures:
    """Raises OutputError where no run has ended, or its manifest is damaged."""
    folder = Folder(output)
    summary, unfinished = journal.summary(folder), journal.unfinished(folder)
    if not summary:
        raise OutputError(*journal.no_run(folder))
    damaged = OutputError(f"{folder.path(MANIFEST)} is damaged", f"`augx verify {output}` says more")
    if hashes([folder.path(MANIFEST)]) != [summary["manifest"].get("sha256")]:
        if unfinished:
            raise OutputError(f"a newer run has not ended in {output}", journal.GO_ON)
        raise damaged
    try:
        return _figures(folder, summary, unfinished)
    except (Stopped, *DAMAGED) as error:
        raise damaged from error


def _figures(folder: Folder, summary: dict[str, Json], unfinished: bool) -> Figures:
    labels, uses, lookout = Labels(), Uses(), _Lookout(summary)
    sizes, endings, generated = Sample(), Counter[str](), Generated()
    originals = copies = written = equal = redrawn = 0
    for row in Rows(folder):
        labels.add(row)
        lookout.add(row)
        written += row["bytes"]
        sizes.add(row["bytes"])
        endings[row["file_name"].rpartition(".")[2].lower()] += 1
        if "added" in row:
            generated.add(row)
        if row["copy"]:
            copies += 1
            uses.add(row)
            equal += row["equals"] is not None
            redrawn += bool(row["redrawn"])
        else:
            originals += 1
    groups = [*lookout.spread.values(), *lookout.flagged.values()]
    classes = (name for name in labels.classes if name != "(none)")
    look, dot = known.look(folder, summary["formats"]["written"][0], (row for rows in groups for row in rows), classes)
    looked = [look_at(folder, rows, look, dot) for rows in groups]
    shots, unreadable = [some for some, _ in looked], [name for _, names in looked for name in names]
    fair = [shot for some in shots[: len(lookout.spread)] for shot in some]
    crossing, (alike, compared) = labels.crossing(), known.look_alikes(folder, lookout.originals)
    told = {
        "augx": summary["augx"],
        "plan": summary["plan"],
        "unfinished": unfinished,
        "made": {
            "sources": summary["counts"]["sources"],
            "images": originals + copies,
            "originals": originals,
            "copies": copies,
            "failed": summary["counts"]["failed"],
            "equal": equal,
            "redrawn": redrawn,
            "multiplication": summary["multiplication"],
            "bytes": written,
            "bytes_of_an_image": sizes.told(),
            "endings": dict(endings.most_common()),
        },
        "formats": summary["formats"],
        **labels.told(summary),
        "leaks": {
            "twins": {"count": len(labels.twins), "examples": [list(pair) for pair in labels.twins[:20]]},
            "partners": {"count": len(crossing), "examples": [list(pair) for pair in crossing[:20]]},
            "alike": {"count": len(alike), "of": compared, "examples": alike[:20]},
        },
        "pictures": {
            **_seen(fair),
            "unreadable": {"count": len(unreadable), "of": sum(map(len, groups)), "examples": unreadable[:20]},
        },
        "transforms": uses.told(copies),
        "generated": generated.told(),
        "failures": _failures(folder, summary),
        "warnings": summary["warnings"],
        "recipe": summary["recipe"],
        "versions": summary["versions"],
    }
    count = len(lookout.spread)
    return Figures(
        told, [shot for some in (*mixed(shots[:count]), *shots[count:]) for shot in some], dict(look.colours.used)
    )


def mixed(some: Sequence[T]) -> list[T]:
    """In an order in which the first dozen are of all parts: a gallery begins with them."""
    step = -(-len(some) // _FIRST)
    return [one for start in range(step) for one in some[start::step]]


class _Lookout:
    """Keeps rows whose pictures are to be looked at. `spread`: source -> its rows, of a few sources evenly spaced: what
    is found among those holds for all. `flagged`: of images that have something to show besides. `originals`: rows
    of sources of all splits, evenly spaced, where there are several."""

    def __init__(self, summary: dict[str, Json]) -> None:
        splits = {split: summary["splits"].get(split, {"before": 0})["before"] for split in summary["recipe"]["splits"]}
        self._multiplied = splits.keys() if sum(splits.values()) else None  # None: all
        self._sources = max(sum(splits.values()) or summary["counts"]["sources"], 1)
        self._all = max(summary["counts"]["sources"], 1)
        self._several = len(summary["splits"]) > 1
        self._every: float | None = None
        self._place = -1
        self.originals: list[Row] = []
        self._number, self._source = -1, ""
        self._original: Row | None = None
        self._flags: Counter[str] = Counter()
        self.spread: dict[str, list[Row]] = {}
        self.flagged: dict[str, list[Row]] = {}

    def add(self, row: Row) -> None:
        if self._several and row["copy"] == 0:
            self._place += 1
            most = max(10, min(_COMPARED, int(_MEGAPIXELS / max(row["width"] * row["height"] / 1e6, 1e-3))))
            if self._place * most // self._all != (self._place - 1) * most // self._all and row["split"] is not None:
                self.originals.append(row)
        if self._multiplied and row["split"] is not None and row["split"] not in self._multiplied:
            return
        if self._every is None:  # pictures of one dataset are of about one size
            megapixels = max(row["width"] * row["height"] / 1e6, 1e-3)
            most = min(_SOURCES, max(6, int(_MEGAPIXELS / megapixels / (1 + _COPIES))))
            self._every = max(self._sources / most, 1.0)
        if row["source"] != self._source:
            self._source, self._number = row["source"], self._number + 1
            self._original = row if row["copy"] == 0 else None
            if self._number == 0 or int(self._number / self._every) != int((self._number - 1) / self._every):
                self.spread[row["source"]] = []
        kept = self.spread.get(row["source"])
        if kept is not None and len(kept) <= _COPIES:
            kept.append(row)
        elif (flag := _flag(row)) and self._flags[flag] < _FLAGGED:
            self._flags[flag] += 1
            first = [self._original] if self._original is not None and kept is None else []
            self.flagged.setdefault(row["source"], first).append(row)


def _flag(row: Row) -> str:
    if not row["copy"]:
        return ""
    lost, kept = len(row["dropped"]), len(row["objects"])
    return "equal" if row["equals"] is not None else "lost" if lost * 2 > lost + kept else ""


def _seen(shots: Sequence[Shot]) -> dict[str, Json]:
    """What was found by looking."""
    brightness = Sample(), Sample()
    for shot in shots:
        brightness[shot.row["copy"] > 0].add(shot.brightness)
    copies = sum(shot.row["copy"] > 0 for shot in shots)
    told: dict[str, Json] = {
        "looked_at": {"sources": len(shots) - copies, "copies": copies},
        "brightness": {"before": brightness[0].told(0, 255), "after": brightness[1].told(0, 255)},
    }
    for name, fault in (("nearly_equal", "near"), ("destroyed", "destroyed")):
        found = [shot for shot in shots if fault in shot.flags]
        examples = [
            {"file_name": shot.row["file_name"], "why": dict(zip(shot.flags, shot.why, strict=True))[fault]}
            for shot in found[:20]
        ]
        told[name] = {"count": len(found), "of": copies, "examples": examples}
    return told


def _failures(folder: Folder, summary: dict[str, Json]) -> dict[str, Json]:
    """By reason, with the first of each."""
    examples: dict[str, Json] = {}
    with suppress(*DAMAGED, OSError), open_regular(folder.path(FAILURES)) as file:
        for line in file:
            row = json.loads(line)
            examples.setdefault(row["error"], {"source": row["source"], "message": row["message"]})
    return {code: {"count": count, "first": examples.get(code)} for code, count in summary["failures"].items()}
