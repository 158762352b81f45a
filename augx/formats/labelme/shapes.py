"""LabelMe's shapes as objects, and objects as shapes."""

from __future__ import annotations

import base64
import binascii
import json
from array import array
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from augx.formats import Row, ellipses, json_safe, patches
from augx.model import Json, Limits, Object, Rle
from augx.objects import tidy, to_row

_OWN = ("label", "points", "group_id", "description", "shape_type", "flags", "mask")
_BLANKS: Mapping[str, tuple[Json, ...]] = {"description": ("", None), "mask": (None,)}  # what says nothing
_POINTS = {"point": "point", "points": "points", "line": "line", "linestrip": "polyline"}  # shape_type -> extra's shape
_COUNTS = {"rectangle": 2, "circle": 2, "line": 2, "point": 1, "oriented_rectangle": 4}

Problem = tuple[str, str]  # code, message


def read(
    shapes: Sequence[Json], size: tuple[int, int] | None
) -> tuple[tuple[Object, ...], dict[str, Json], list[Problem]]:
    """Objects, the keys that a file writes in its shapes though they say nothing, and what was left out.

    `size`: of the image, which masks need.
    """
    objects: list[Object] = []
    problems: list[Problem] = []
    blank: dict[str, Json] = {}
    room = patches.ROOM
    for number, shape in enumerate(shapes, 1):
        try:
            if not isinstance(shape, dict):
                raise ValueError("it is no object")
            extra = {k: v for k, v in shape.items() if k not in ("label", "points", "shape_type")}
            for key, says_nothing in _BLANKS.items():
                if key in extra and extra[key] in says_nothing:
                    blank[key] = extra.pop(key)
            if extra.get("group_id") is None:
                extra.pop("group_id", None)
            if not extra.get("flags"):
                extra.pop("flags", None)
            mask = extra.pop("mask", None)
            problems += drop_unkept(f"shape {number}'s", extra)
            patch = _patch(mask, size, room) if shape.get("shape_type") == "mask" else None
            room -= 0 if patch is None else patch.size
            objects.append(_object(shape, extra, patch, size))
        except (ValueError, OverflowError) as error:
            problems.append(("unreadable-shape", f"shape {number} is left out: {error}"))
    return tuple(objects), blank, problems


def drop_unkept(whose: str, *parts: dict[str, Json]) -> list[Problem]:
    """Takes out what could not be written again."""
    problems: list[Problem] = []
    for part in parts:
        for key in [key for key, value in part.items() if json_safe.why_not_kept([key, value])]:
            reason = json_safe.why_not_kept([key, part.pop(key)])
            problems.append(("unreadable-field", f"{whose} {key[:80]!r} is left out: {reason}"))
    return problems


def _object(shape: Mapping[str, Json], extra: dict[str, Json], patch: Any, size: tuple[int, int] | None) -> Object:
    """`patch`: the mask of a shape that is one. ValueError, OverflowError: what is wrong with the shape."""
    label = _label(shape.get("label"))
    points = _points(shape.get("points"))
    kind = shape.get("shape_type") or "polygon"
    wanted = _COUNTS.get(kind) if isinstance(kind, str) else None
    if kind == "rectangle" and len(points) == 4:
        points = _corners(points)
    if wanted is not None and len(points) != wanted:
        raise ValueError(f"a {kind} of {len(points)} points")
    if kind == "polygon":
        return Object(label, rings=(array("d", [v for point in points for v in point]),), extra=extra)
    if kind == "rectangle":
        (x0, y0), (x1, y1) = points
        return Object(label, (min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)), extra=extra)
    if kind == "oriented_rectangle":
        return Object(label, corners=array("d", [v for point in points for v in point]), extra=extra)
    if kind == "circle":
        (cx, cy), (x, y) = points
        ring = ellipses.ring((cx, cy, x - cx, y - cy, cy - y, x - cx))
        return Object(label, rings=(ring,), extra={**extra, "shape": kind})
    if kind == "mask":
        assert size
        left, top = (round(min(point[axis] for point in points)) for axis in (0, 1))
        return Object(label, rle=patches.placed(patch, left, top, *size), extra=extra)
    if isinstance(kind, str) and kind in _POINTS:
        keypoints = array("d", [v for x, y in points for v in (x, y, 2.0)])
        return Object(label, keypoints=keypoints, extra={**extra, "shape": _POINTS[kind]})
    raise ValueError(f"its shape_type {str(kind)[:40]!r} is unknown")


def _label(value: Json) -> str | None:
    if isinstance(value, bool) or not isinstance(value, (str, int, float, type(None))):
        raise ValueError("its label is no text")
    label = "" if value is None else str(value)
    if reason := json_safe.why_not_kept(label):
        raise ValueError(f"its label cannot be kept: {reason}")
    return label or None


def _points(value: Json) -> list[tuple[float, float]]:
    if not isinstance(value, list) or not value:
        raise ValueError("it has no points")
    points: list[tuple[float, float]] = []
    for point in value:
        if not isinstance(point, list) or len(point) != 2 or not all(type(v) in (int, float) for v in point):
            raise ValueError(f"{str(point)[:40]} is no point")
        points.append((float(point[0]), float(point[1])))
    return points


def _corners(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Two opposite corners of a rectangle that is given by all four; all of them if it lies askew."""
    xs, ys = sorted({x for x, _ in points}), sorted({y for _, y in points})
    return [(xs[0], ys[0]), (xs[1], ys[1])] if len(xs) == len(ys) == 2 else list(points)


def _patch(mask: Json, size: tuple[int, int] | None, room: int) -> Any:
    """The numbers of a mask, a picture in base64, (H, W); `room`: pixels that it may have."""
    from augx import images
    from augx.errors import ImageError

    if size is None or size[0] * size[1] > patches.MAX_PIXELS:
        raise ValueError("a mask needs imageWidth and imageHeight")
    if not isinstance(mask, str):
        raise ValueError("its mask is no text")
    try:
        patch = images.decode_mask(base64.b64decode(mask, validate=True), Limits(pixels=room)).values
    except (ImageError, binascii.Error) as error:
        raise ValueError(f"its mask cannot be read: {error}") from None
    if patch.ndim != 2:
        raise ValueError("its mask has colours")
    return patch


def write(row: Row, read: Sequence[Object] | None, blank: Mapping[str, Json]) -> list[dict[str, Json]]:
    """The shapes of a manifest row.

    `read`: the objects as their own LabelMe file has them, for their exact numbers; None for another format's.
    """
    exact = _by_place(read or ())
    shapes: list[dict[str, Json]] = []
    groups = [g for one in row["objects"] if type(g := one.get("extra", {}).get("group_id")) is int]
    group = max(groups, default=0)
    for one in row["objects"]:
        extra = dict(one.get("extra", {}))
        if read is None:
            extra.pop("id", None)  # of the other format
        drawn = _drawn(one, exact.get(_place(one)), extra.pop("shape", None), row["width"], row["height"])
        if len(drawn) > 1 and extra.get("group_id") is None:
            group += 1
            extra["group_id"] = group
        for kind, points, mask in drawn:
            shape: dict[str, Json] = {"label": one["label"] or "", "points": points}
            shape["group_id"] = extra.get("group_id")
            if "description" in extra or "description" in blank:
                shape["description"] = extra.get("description", blank.get("description"))
            shape |= {"shape_type": kind, "flags": extra.get("flags", {})}
            if mask is not None or "mask" in blank:
                shape["mask"] = mask
            shapes.append(shape | {key: value for key, value in extra.items() if key not in _OWN})
    return shapes


def _by_place(read: Sequence[Object]) -> dict[str, Object]:
    found: dict[str, Object] = {}
    for thing in read:
        with suppress(ValueError, OverflowError):  # of what is not finite, which no row has
            found[_place(to_row(thing, None))] = thing
    return found


def _place(one: Mapping[str, Json]) -> str:
    """Where an object of a row is, as text: what places it alone, not the box that follows from it."""
    shape = [one.get(key) for key in ("segmentation", "keypoints", "obb")]
    return json.dumps(shape if any(shape) else one["bbox"])


def _drawn(
    one: Mapping[str, Json], exact: Object | None, shape: Json, width: int, height: int
) -> list[tuple[str, list[list[float]], str | None]]:
    """(shape_type, points, mask) of each shape that an object is drawn as."""
    segmentation = one.get("segmentation")
    if isinstance(segmentation, list):
        rings: Sequence[Sequence[float]] = exact.rings if exact else segmentation
        if shape == "circle" and (axes := ellipses.axes(rings[0])) and ellipses.is_circle(axes):
            cx, cy = (round(v, 9) for v in axes[:2])
            return [("circle", [[cx, cy], [float(rings[0][0]), float(rings[0][1])]], None)]
        return [("polygon", _pairs(ring), None) for ring in rings]
    if segmentation is not None:
        return _mask(segmentation, width, height)
    if "keypoints" in one:
        flat: Any = exact.keypoints if exact else one["keypoints"]
        points = [[float(x), float(y)] for x, y, v in zip(flat[::3], flat[1::3], flat[2::3], strict=True) if v]
        return [(_line(shape, len(points)), points, None)] if points else []
    if "obb" in one:
        return [("oriented_rectangle", _pairs(exact.corners if exact and exact.corners else one["obb"]), None)]
    x, y, w, h = one["bbox"]
    box = exact.box if exact and exact.box else (x, y, tidy(x + w), tidy(y + h))
    return [("rectangle", _pairs(box), None)]


def _line(shape: Json, count: int) -> str:
    """The shape_type for points of which `count` are left: of a line cut to one point that point stays."""
    kind = {"point": "point", "line": "line", "polyline": "linestrip"}.get(shape, "points")
    if count == 1 and kind != "points":
        return "point"
    if count > 2 and kind == "line":
        return "linestrip"
    return "points" if count > 1 and kind == "point" else kind


def _pairs(flat: Sequence[float]) -> list[list[float]]:
    return [[float(x), float(y)] for x, y in zip(flat[::2], flat[1::2], strict=True)]


def _mask(segmentation: Mapping[str, Json], width: int, height: int) -> list[tuple[str, list[list[float]], str | None]]:
    """A mask as a PNG of the part of the picture it lies in."""
    import numpy as np

    from augx import images, rle
    from augx.model import Mask

    counts = segmentation["counts"]
    plane = rle.rle_decode(Rle(width, height, counts if isinstance(counts, str) else tuple(counts)))
    rows, columns = np.flatnonzero(plane.any(axis=1)), np.flatnonzero(plane.any(axis=0))
    if not len(rows):
        return []
    y0, y1, x0, x1 = int(rows[0]), int(rows[-1]), int(columns[0]), int(columns[-1])
    png = images.encode_mask(Mask(np.ascontiguousarray(plane[y0 : y1 + 1, x0 : x1 + 1]) * np.uint8(255)), 6)
    points = [[float(x0), float(y0)], [float(x1), float(y1)]]
    return [("mask", points, base64.b64encode(png).decode())]
