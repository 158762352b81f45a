"""The shapes of a CVAT XML as objects."""

from __future__ import annotations

import math
import re
from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from augx.formats import ellipses, patches
from augx.model import Json, Object, Rle

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_INT = re.compile("0|-?[1-9][0-9]{0,14}")
CUBOID = ("tl1", "bl1", "tr1", "br1", "tl2", "bl2", "tr2", "br2")  # its corners, as CVAT calls and orders them
CUBOID_SWAP = (2, 3, 0, 1, 6, 7, 4, 5)

_GEOMETRY = {
    *("label", "points", "outside", "xtl", "ytl", "xbr", "ybr", "rotation", "cx", "cy", "rx", "ry"),
    *("rle", "left", "top", "width", "height", *(axis + corner for corner in CUBOID for axis in "xy")),
}


def skeletons(documents: Iterable[Element]) -> dict[str, list[str]]:
    """Label -> the names of its skeleton's points, in the order of the meta, or in which they come."""
    points: dict[str, dict[str, None]] = {}
    for document in documents:
        for label in document.iterfind("meta//labels/label"):
            if parent := label.findtext("parent"):
                points.setdefault(parent, {})[label.findtext("name", "")] = None
        for skeleton in document.iterfind("image/skeleton"):
            names = points.setdefault(skeleton.get("label", ""), {})
            names.update((point.get("label", ""), None) for point in skeleton.iterfind("points"))
    return {label: list(names) for label, names in points.items()}


def fields(element: Element) -> dict[str, Json]:
    """What CVAT knows of a shape beyond its place: occluded, source, z_order, group_id, and `attributes`."""
    found: dict[str, Json] = {k: _plain(v) for k, v in element.attrib.items() if k not in _GEOMETRY}
    attributes = {each.get("name", ""): each.text or "" for each in element.iterfind("attribute")}
    return found | ({"attributes": attributes} if attributes else {})


def _plain(text: str) -> Json:
    """An integer where the text is one and would be written so again."""
    return int(text) if _INT.fullmatch(text) else text


def read(element: Element, skeletons: Mapping[str, Sequence[str]], size: tuple[int, int] | None) -> Object:
    """The object of one shape. ValueError, OverflowError: what is wrong with it. `size`: of the image, for masks."""
    label = element.get("label") or None
    extra = fields(element)
    kind = element.tag
    if kind == "box":
        box = _numbers(element, "xtl", "ytl", "xbr", "ybr")
        turn = float(element.get("rotation", 0))
        if turn:
            return Object(label, corners=turned(box, turn), extra=extra)
        return Object(label, (box[0], box[1], box[2], box[3]), extra=extra)
    if kind == "polygon":
        return Object(label, rings=(array("d", _points(element)),), extra=extra)
    if kind == "mask":
        return Object(label, rle=_rle(element, size), extra=extra)
    if kind == "ellipse":
        cx, cy, rx, ry = _numbers(element, "cx", "cy", "rx", "ry")
        turn = math.radians(float(element.get("rotation", 0)))
        c, s = math.cos(turn), math.sin(turn)
        ring = ellipses.ring((cx, cy, rx * c, rx * s, -ry * s, ry * c))
        return Object(label, rings=(ring,), extra={**extra, "shape": kind})
    if kind in ("points", "polyline"):
        return Object(label, keypoints=_visible(_points(element)), extra={**extra, "shape": kind})
    if kind == "cuboid":
        flat = _numbers(element, *(axis + corner for corner in CUBOID for axis in "xy"))
        return Object(label, keypoints=_visible(flat), extra={**extra, "shape": kind})
    if kind == "skeleton":
        return _skeleton(element, label, extra, skeletons[element.get("label", "")])
    raise ValueError("no such shape is known")


def together(shapes: Sequence[Object]) -> tuple[Object, ...]:
    """A skeleton and the box, polygons or mask behind it that are of its class and group: one object, as one is written
    that has keypoints and another shape."""
    objects: list[Object] = []
    for shape in shapes:
        last = objects[-1] if objects else None
        group = shape.extra.get("group_id")
        if (
            last is None
            or not group
            or last.keypoints is None
            or "shape" in last.extra
            or shape.keypoints is not None
            or (last.label, last.extra.get("group_id")) != (shape.label, group)
            or last.extra.get("attributes") != shape.extra.get("attributes")
            or (not shape.rings and (last.box or last.rings or last.rle or last.corners))
        ):
            objects.append(shape)
            continue
        objects[-1] = replace(
            last,
            box=last.box or shape.box,
            rings=(*last.rings, *shape.rings),
            rle=shape.rle,
            corners=shape.corners,
        )
    return tuple(objects)


def _numbers(element: Element, *names: str) -> list[float]:
    try:
        return [float(element.attrib[name]) for name in names]
    except KeyError as error:
        raise ValueError(f"it has no {error.args[0]}") from None


def _points(element: Element) -> list[float]:
    """`1,2;3,4` as a flat list."""
    text = element.get("points", "")
    pairs = [pair.split(",") for pair in text.split(";") if pair.strip()]
    if not pairs or any(len(pair) != 2 for pair in pairs):
        raise ValueError(f"its points {text[:40]!r} are no pairs of numbers")
    return [float(value) for pair in pairs for value in pair]


def _visible(flat: Sequence[float]) -> array[float]:
    return array("d", [v for x, y in zip(flat[::2], flat[1::2], strict=True) for v in (x, y, 2.0)])


def turned(box: Sequence[float], degrees: float) -> array[float]:
    """The corners of a box that is turned clockwise around its centre."""
    x0, y0, x1, y1 = box
    cx, cy, c, s = (x0 + x1) / 2, (y0 + y1) / 2, math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    corners = ((x0, y0), (x1, y0), (x1, y1), (x0, y1))
    return array(
        "d", [v for x, y in corners for v in (cx + c * (x - cx) - s * (y - cy), cy + s * (x - cx) + c * (y - cy))]
    )


def _skeleton(element: Element, label: str | None, extra: dict[str, Json], names: Sequence[str]) -> Object:
    """Keypoints in the order of `names`: v 0 for what lies outside or is not there, 1 for what is occluded."""
    flat = array("d", [0.0] * 3 * len(names))
    places = {name: index for index, name in enumerate(names)}
    elements: dict[str, Json] = {}
    for point in element.iterfind("points"):
        name = point.get("label", "")
        place = _points(point)
        if len(place) != 2:
            raise ValueError(f"its point {name[:40]!r} has {len(place) // 2} places")
        seen = 0.0 if point.get("outside") == "1" else 1.0 if point.get("occluded") == "1" else 2.0
        flat[3 * places[name] : 3 * places[name] + 3] = array("d", [*place, seen])
        known = {key: value for key, value in fields(point).items() if key != "occluded" and extra.get(key) != value}
        if known:
            elements[name] = known
    return Object(label, keypoints=flat, extra={**extra, "elements": elements} if elements else extra)


def _rle(element: Element, size: tuple[int, int] | None) -> Rle:
    """A mask: runs of zeros and ones in turn, row by row, in a part of the picture."""
    import numpy as np

    if size is None or size[0] * size[1] > patches.MAX_PIXELS:
        raise ValueError("a mask needs the width and height of its image")
    left, top, width, height = (int(value) for value in _numbers(element, "left", "top", "width", "height"))
    if left < 0 or top < 0 or width < 1 or height < 1 or left + width > size[0] or top + height > size[1]:
        raise ValueError("its mask sticks out of the image")
    runs = [int(run) for run in element.get("rle", "").split(",") if run.strip()]
    if min(runs, default=-1) < 0 or sum(runs) > width * height:
        raise ValueError("the runs of its mask do not fit its width and height")
    part = np.zeros(width * height, np.uint8)
    ends = np.cumsum(runs)
    for start, end in zip(ends[0::2].tolist(), ends[1::2].tolist(), strict=False):
        part[start:end] = 1
    return patches.placed(part.reshape(height, width), left, top, *size)


def covers(element: Element) -> int:
    """How many pixels a mask is given for."""
    width, height = (int(element.get(side, "")) for side in ("width", "height"))
    return abs(width * height)
