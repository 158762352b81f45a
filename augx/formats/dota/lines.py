"""The text of a DOTA label file: to objects, and from a manifest row."""

from __future__ import annotations

import math
import re
from array import array
from collections.abc import Sequence

from augx.formats import Row
from augx.formats.decimals import to_float, to_text
from augx.formats.flaws import Flaws
from augx.model import Annotations, Flat, Flaw, Json, Object, Sample
from augx.objects import tidy

MAX_BYTES = 1 << 26
_HEADER = re.compile(r"([A-Za-z_]\w{0,40}):(.*)")  # imagesource:GoogleEarth
_USUAL_HEADER = ("imagesource", "gsd")
_DIFFICULT = re.compile(r"-?[0-9]{1,9}")


def parse(data: bytes, path: str) -> tuple[Annotations, list[Flaw]]:
    """The objects of a label file, and its header in `extra`. ValueError where it is no text; a bad line is a Flaw."""
    if len(data) > MAX_BYTES:
        raise ValueError(f"it is larger than {MAX_BYTES >> 20} MiB")
    text = data.decode("utf-8-sig")
    if "\0" in text:
        raise ValueError("it is no text")
    extra: dict[str, Json] = {}
    objects: list[Object] = []
    flaws = Flaws()
    for number, line in enumerate(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), 1):
        words = line.split()
        header = _HEADER.fullmatch(line.strip())
        if header and not objects:
            extra[header[1]] = header[2].strip()
        elif words:
            try:
                objects.append(_object(words))
            except ValueError as error:
                flaws.add(path, "bad-line", path, f"{path}:{number}: {error}; the line is left out")
    return Annotations(objects=tuple(objects), extra=extra), list(flaws)


def _object(words: Sequence[str]) -> Object:
    """x1 y1 x2 y2 x3 y3 x4 y4 [class [difficult]]; ValueError says what is wrong."""
    if len(words) < 8:
        raise ValueError(f"it has {len(words)} values, not eight numbers, a class and whether it is difficult")
    corners: Flat[float] = array("d", [_float(word) for word in words[:8]])
    rest = list(words[8:])
    extra: dict[str, Json] = {}
    if len(rest) > 1 and _DIFFICULT.fullmatch(rest[-1]):
        extra["difficult"] = int(rest.pop())
    return Object(" ".join(rest) or None, corners=corners, extra=extra)


def _float(word: str) -> float:
    try:
        return to_float(word)
    except ValueError:
        raise ValueError(f"{word[:40]!r} is no number") from None


def is_dota(head: bytes, named: bool) -> bool | None:
    """Whether a text that begins so has lines of DOTA; None where it has none at all.

    `named`: its folder says so. If not, pixels and a class in words must tell it from the lines of other formats.
    """
    found: bool | None = None
    for line in head.decode("utf-8-sig", "replace").splitlines()[:20]:
        words = line.split()
        if not words or _HEADER.fullmatch(line.strip()):
            continue
        try:
            thing = _object(words)
        except ValueError:
            found = False  # one bad line, or another format: the next ones will tell
            continue
        in_pixels = max(thing.corners or (0,)) > 1
        return named or (in_pixels and thing.label is not None and not re.fullmatch(r"[-+.0-9e]+", words[8]))
    return found


def compose(row: Row, sample: Sample, own: bool) -> str:
    """The label file of a manifest row. `own`: the sample was read from DOTA.

    Corners nobody moved have the numbers they were read with, moved ones at most two decimals.
    """
    known = sample.annotations
    exact = {
        tuple(map(tidy, thing.corners)): list(thing.corners)
        for thing in known.objects
        if thing.corners is not None and all(map(math.isfinite, thing.corners))
    }
    digits = 9 if row["copy"] == 0 else 2
    header = [key for key in known.extra if (own or key in _USUAL_HEADER) and key != "annotated"]
    lines = [f"{key}:{known.extra[key]}" for key in header]
    for thing in row["objects"]:
        corners = thing.get("obb") or _upright(thing["bbox"])
        if not corners:
            continue
        numbers = exact.get(tuple(corners)) or [round(number, digits) for number in corners]
        words = list(map(to_text, numbers))
        difficult = thing.get("extra", {}).get("difficult", None if own else 0)
        if thing["label"] is not None:
            words += [thing["label"]] if difficult is None else [thing["label"], _flag(difficult)]
        lines.append(" ".join(words))
    return "".join(f"{line}\n" for line in lines)


def _upright(bbox: Sequence[float] | None) -> list[float]:
    """The corners of a box: clockwise from the upper left."""
    if bbox is None:
        return []
    x, y, width, height = bbox
    return [x, y, x + width, y, x + width, y + height, x, y + height]


def _flag(value: Json) -> str:
    """Any way of saying so as a number."""
    try:
        return str(int(value))
    except (TypeError, ValueError):
        return "0"
