"""Shapes as numbers: boxes, rings and masks, and what can be said of them without a picture.

A ring is a closed outline; its last point is joined to its first. Inside is what a line from outside reaches after an
odd number of crossings, so a hole is a part of the ring that goes in along a bridge of no width and comes back on it.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from augx import rle
from augx.model import Box, Flat, Object
from augx.outlines import mask_rings
from augx.rle import Plane, rasterise, rle_area, rle_box, rle_decode, rle_encode

__all__ = [
    "Plane",
    "Points",
    "around",
    "clip_ring",
    "coco_area",
    "coco_areas",
    "ellipse",
    "flat",
    "is_line",
    "mask_rings",
    "pairs",
    "rasterise",
    "rectangle",
    "ring_area",
    "rings_box",
    "rle_area",
    "rle_box",
    "rle_decode",
    "rle_encode",
    "shape_box",
]

Points = NDArray[np.float64]  # (n, 2): x, y

_NOTHING = 1e-9  # pixels² or pixels: less is no area, or no width
_FLAT = 1e-3  # pixels²: less is no parallelogram


def pairs(flat: ArrayLike) -> Points:
    """x, y, x, y, ... as (n, 2), a copy. ValueError for an odd number of them."""
    return np.array(flat, np.float64).reshape(-1, 2)


def flat(points: ArrayLike) -> Flat[float]:
    """(n, 2) as x, y, x, y, ..."""
    return array("d", np.ascontiguousarray(points, np.float64).tobytes())


def ring_area(ring: ArrayLike) -> float:
    """Pixels² inside a ring that does not cross itself, flat or (n, 2)."""
    points = np.asarray(ring, np.float64).reshape(-1, 2)
    return abs(_turn(points)) / 2 if len(points) > 2 else 0.0


def is_line(points: Points) -> bool:
    """Whether a ring encloses nothing: it has fewer than three points, or all on a line."""
    return ring_area(points) <= _NOTHING and (
        len(points) < 3 or int(np.linalg.matrix_rank(points - points[0], tol=_NOTHING)) < 2
    )


def _turn(ring: Points) -> float:
    """Twice the area, positive if the ring goes clockwise as seen."""
    x, y = (ring - ring[0]).T
    return float((x[:-1] * y[1:] - x[1:] * y[:-1]).sum())


def rings_box(rings: Iterable[ArrayLike]) -> Box:
    """The box around at least one point."""
    points = np.concatenate([np.asarray(ring, np.float64).reshape(-1, 2) for ring in rings])
    (x0, y0), (x1, y1) = points.min(axis=0).tolist(), points.max(axis=0).tolist()
    return x0, y0, x1, y1


def rectangle(box: Box) -> Flat[float]:
    """The ring of a box, from its upper left corner, clockwise."""
    x0, y0, x1, y1 = box
    return array("d", (x0, y0, x1, y0, x1, y1, x0, y1))


def ellipse(box: Box, n: int = 64) -> Flat[float]:
    """The ring of the ellipse in a box; it touches all four sides where 4 divides `n`."""
    x0, y0, x1, y1 = box
    turn = np.arange(n) * (2 * math.pi / n)
    ring = np.stack([np.cos(turn), np.sin(turn)], axis=1)
    return flat(ring * ((x1 - x0) / 2, (y1 - y0) / 2) + ((x0 + x1) / 2, (y0 + y1) / 2))


def clip_ring(points: Points, width: float, height: float) -> list[Points]:
    """The parts of a ring, (n, 2), that lie inside a picture; the very ring if all of it does.

    An object that the edge cuts in two comes out as two rings; no line runs along the edge between them. The area is
    exact. Rings of an outline that crosses itself may overlap.
    """
    rings = [points]
    least, most = points.min(axis=0).tolist(), points.max(axis=0).tolist()
    for axis, limit in ((0, float(width)), (1, float(height))):
        if least[axis] < 0:
            rings = [part for ring in rings for part in _half(ring, axis, 0.0, 1)]
        if most[axis] > limit:
            rings = [part for ring in rings for part in _half(ring, axis, limit, -1)]
    return rings


def around(points: Points, corners: Points) -> Points:
    """The parallelogram around points, (n, 2), with sides along the first and the last of four corners, in their order.
    The corners themselves where these sides are parallel."""
    axes = np.stack([corners[1] - corners[0], corners[3] - corners[0]], axis=1)
    if abs(np.linalg.det(axes)) <= _FLAT:
        return corners
    shares = np.linalg.solve(axes, (points - corners[0]).T)
    (s0, t0), (s1, t1) = shares.min(axis=1), shares.max(axis=1)
    placed: Points = corners[0] + np.array([(s0, t0), (s1, t0), (s1, t1), (s0, t1)]) @ axes.T
    return placed


def _half(ring: Points, axis: int, limit: float, sign: int) -> list[Points]:
    """The parts of a ring on one side of a line: of larger x (axis 0) or y (axis 1) for `sign` 1, of smaller for -1."""
    depth = (ring[:, axis] - limit) * sign
    depth[np.abs(depth) <= _NOTHING] = 0
    if (depth >= 0).all():
        return [ring]
    inside = depth > 0  # else an edge that lies on the line would stay, where nothing is left of what it was an edge of
    after = np.roll(inside, -1)
    enters, leaves = np.flatnonzero(~inside & after), np.flatnonzero(inside & ~after)
    if not len(enters):
        return []
    if leaves[0] < enters[0]:
        leaves = np.roll(leaves, -1)
    # Between each entering and the leaving after it lies a chain of points. Its two ends are 2 k and 2 k + 1.
    ends = np.empty((2 * len(enters), 2))
    ends[0::2] = _crossing(ring, depth, (enters + 1) % len(ring), enters)
    ends[1::2] = _crossing(ring, depth, leaves, (leaves + 1) % len(ring))
    ends[:, axis] = limit
    # Along the line, inside lies between the first and the second crossing, the third and the fourth ...
    along = ends[:, 1 - axis]
    order = np.argsort(along, kind="stable")
    if (along[order[1:]] == along[order[:-1]]).any():
        enters_first = (_turn(ring) > 0) ^ (axis == 1) ^ (sign < 0)
        order = _alternating(order, along, 0 if enters_first else 1)
    partner = np.empty(len(order), np.intp)
    partner[order[0::2]], partner[order[1::2]] = order[1::2], order[0::2]
    twice = np.concatenate([ring, ring])
    done = [False] * len(enters)
    parts = []
    for first in range(len(enters)):
        end, chains = 2 * first, []
        while not done[end // 2]:
            chain = end // 2
            done[chain] = True
            start, stop = enters[chain] + 1, leaves[chain] + 1
            middle = twice[start : stop if stop > start else stop + len(ring)]
            piece = np.concatenate([ends[2 * chain : 2 * chain + 1], middle, ends[2 * chain + 1 : 2 * chain + 2]])
            chains.append(piece[::-1] if end % 2 else piece)
            end = int(partner[end ^ 1])
        if chains:
            parts.append(_cleaned(np.concatenate(chains)))
    return [part for part in parts if not is_line(part)]


def _alternating(order: NDArray[np.intp], along: NDArray[np.float64], first: int) -> NDArray[np.intp]:
    """The crossings, those at the same place so arranged that enterings (even) and leavings (odd) alternate, and both
    ends of a chain stay together: a bridge must not come apart from its hole. The first has parity `first` if any
    has."""
    arranged: list[int] = []
    for place in np.split(order, np.flatnonzero(np.diff(along[order])) + 1):
        waiting = [place[place % 2 == parity].tolist()[::-1] for parity in (0, 1)]
        for _ in place:
            wanted = (len(arranged) + first) % 2
            arranged.append((waiting[wanted] or waiting[1 - wanted]).pop())
    return np.array(arranged)


def _crossing(ring: Points, depth: NDArray[np.float64], inner: NDArray[np.intp], outer: NDArray[np.intp]) -> Points:
    """Where the line cuts the edges from `inner` to `outer` points: the same whichever way the ring goes."""
    a, b = ring[inner], ring[outer]
    share = depth[inner] / (depth[inner] - depth[outer])
    crossing: Points = a + (b - a) * share[:, None]
    return crossing


def _cleaned(ring: Points) -> Points:
    """A ring without points that repeat the one before."""
    cleaned: Points = ring[(ring != np.roll(ring, 1, axis=0)).any(axis=1)]
    return cleaned


def coco_areas(things: Sequence[Object], width: int, height: int) -> list[float | None]:
    """As `coco_area` of each."""
    if not things:
        return []
    alone = [number for number, thing in enumerate(things) if len(thing.rings) == 1]
    known = dict(
        zip(alone, rle.areas_of_rings([things[number].rings[0] for number in alone], width, height), strict=True)
    )
    return [
        float(known[number]) if number in known else coco_area(thing, width, height)
        for number, thing in enumerate(things)
    ]


def coco_area(thing: Object, width: int, height: int) -> float | None:
    """Pixels² as COCO counts them: the pixels of polygons (filled COCO's way) or mask; else of the oriented box, else
    of the box; None where there is none of these."""
    if thing.rings:
        return float(rle.area(rle.runs_of_rings(thing.rings, width, height)))
    if thing.rle is not None:
        return float(rle_area(thing.rle))
    if thing.corners is not None:
        return ring_area(thing.corners)
    if thing.box is not None:
        x0, y0, x1, y1 = thing.box
        return (x1 - x0) * (y1 - y0)
    return None


def shape_box(thing: Object) -> Box | None:
    """The tight box that polygons, mask or oriented box say; else the given box; else that of the labelled
    keypoints, where they have one."""
    if thing.rings:
        return rings_box(thing.rings)
    if thing.rle is not None:
        return rle_box(thing.rle)
    if thing.corners is not None:
        return rings_box([thing.corners])
    if thing.box is not None or thing.keypoints is None:
        return thing.box
    return _keypoints_box(thing.keypoints)


def _keypoints_box(keypoints: Sequence[float]) -> Box | None:
    triples = np.array(keypoints, np.float64).reshape(-1, 3)
    labelled = triples[triples[:, 2] > 0, :2]
    if len(labelled) < 2 or not np.ptp(labelled, axis=0).all():
        return None
    return rings_box([labelled])
