"""The outlines of a mask, along the edges of its pixels.

Where an outline turns is a *corner*, which has one edge along x and one along y. Node (x, y) is where the pixels
(x - 1, y - 1), (x, y - 1), (x - 1, y) and (x, y) meet; where the mask's touch only diagonally, two corners share it.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from augx.model import Flat


class _Corners(NamedTuple):
    """All corners, row by row: 2 k and 2 k + 1 are the ends of an edge along x.

    `below`: whether the mask is below that edge. `partner`: the other end of the edge along y. `column`: the corners
    ordered by x, then y, and `keys` x * `rows` + y in this order: 2 k and 2 k + 1 are the ends of an edge along y.
    """

    x: list[int]
    y: list[int]
    below: list[bool]
    partner: list[int]
    column: NDArray[np.intp]
    keys: NDArray[np.intp]
    rows: int


class _Hole(NamedTuple):
    """`loop`: corners, with an edge along x after each even place. `hook`: the place in it where the bridge ends that
    leaves an outline further left at height `y`."""

    loop: list[int]
    hook: int
    y: int


def mask_rings(mask: NDArray[Any]) -> tuple[Flat[float], ...]:
    """The rings of what is not 0 in (H, W): one for each part of pixels that share edges, with points only where the
    outline turns. A hole is joined to its ring by a bridge of no width.

    Filled even-odd or by COCO's rasteriser, they give exactly the mask.
    """
    inside = np.pad((mask != 0).astype(np.uint8), 1)
    corners = _corners(inside)
    _, parts = cv2.connectedComponents(inside, connectivity=4)
    outer: dict[int, list[int]] = {}
    bridges: dict[int, list[_Hole]] = {}  # by the corner they start from, or the upper one of the edge
    for loop in _loops(corners):
        part = int(parts[corners.y[loop[0]] + 1, corners.x[loop[0]] + 1])
        if part in outer:  # the outer loop came first, as it reaches higher
            hook = min(range(len(loop)), key=lambda place: (corners.x[loop[place]], corners.y[loop[place]]))
            start = _left_of(loop[hook], corners, inside)
            bridges.setdefault(start, []).append(_Hole(loop, hook, corners.y[loop[hook]]))
        else:
            outer[part] = loop
    return tuple(_ring(loop, corners, bridges) for loop in outer.values())


def mask_loops(mask: NDArray[Any]) -> list[NDArray[np.int64]]:
    """All outlines of what is not 0 in (H, W), each (n, 2), with points only where it turns: clockwise, as seen, around
    parts of pixels that share edges, and the other way around holes."""
    corners = _corners(np.pad((mask != 0).astype(np.uint8), 1))
    nodes = np.stack([corners.x, corners.y], axis=1)
    return [nodes[loop] for loop in _loops(corners)]


def _corners(inside: NDArray[np.uint8]) -> _Corners:
    """Of a mask with a border of zeros."""
    kinds = inside[:-1, :-1] + 2 * inside[:-1, 1:] + 4 * inside[1:, :-1] + 8 * inside[1:, 1:]
    y, x = np.nonzero(_TURNS[kinds])
    kind = kinds[y, x]
    nodes = np.repeat(np.arange(len(x)), 1 + ((kind == 6) | (kind == 9)))
    x, y, kind = x[nodes], y[nodes], kind[nodes]
    second = np.append(False, nodes[1:] == nodes[:-1])[: len(nodes)]  # of two: the one whose edge goes to the right
    # each of two corners turns around one pixel of the mask
    down = np.where(kind == 9, second, np.where(kind == 6, ~second, (kind & 4 > 0) != (kind & 8 > 0)))
    column = np.lexsort((down, y, x))
    partner = np.empty(len(x), np.intp)
    partner[column[0::2]], partner[column[1::2]] = column[1::2], column[0::2]
    rows = inside.shape[0]
    keys = (x * rows + y)[column]
    return _Corners(x.tolist(), y.tolist(), (kind & 8 > 0).tolist(), partner.tolist(), column, keys, rows)


_TURNS = np.array([kind not in (0, 3, 5, 10, 12, 15) for kind in range(16)])  # of the 2 x 2 pixels around a node


def _loops(corners: _Corners) -> Iterator[list[int]]:
    """All outlines, from the highest edge that has the mask below, along it to the right."""
    done = bytearray(len(corners.x))
    for start in range(0, len(done), 2):
        if done[start] or not corners.below[start]:
            continue
        loop, corner = [], start
        while not done[corner]:
            done[corner] = done[corner ^ 1] = 1
            loop += [corner, corner ^ 1]
            corner = corners.partner[corner ^ 1]
        yield loop


def _left_of(corner: int, corners: _Corners, inside: NDArray[np.uint8]) -> int:
    """The corner, or the upper one of the edge, that a line to the left meets first inside the mask."""
    x, y = corners.x[corner], corners.y[corner]
    both = inside[y, : x + 1] & inside[y + 1, : x + 1]  # the pixels above and below the line
    met = int(np.flatnonzero(both == 0)[-1])
    return int(corners.column[np.searchsorted(corners.keys, met * corners.rows + y, side="right") - 1])


def _ring(loop: list[int], corners: _Corners, bridges: Mapping[int, list[_Hole]]) -> Flat[float]:
    ring = array("d")
    walks = [_walk(loop, None, corners, bridges)]
    while walks:
        for step in walks[-1]:
            if isinstance(step, _Hole):
                walks.append(_walk(step.loop, step.hook, corners, bridges))
                break
            ring.extend(step)
        else:
            walks.pop()
    return ring


def _walk(
    loop: list[int], hook: int | None, corners: _Corners, bridges: Mapping[int, list[_Hole]]
) -> Iterator[tuple[int, int] | _Hole]:
    """The points of a loop, of a hole from `hook` on and back to it, and the holes to which bridges go from there."""
    first = hook or 0
    for place in range(first, first + len(loop)):
        corner = loop[place % len(loop)]
        x, y = corners.x[corner], corners.y[corner]
        yield x, y
        for hole in bridges.get(corner, ()):
            if hole.y == y:
                yield hole
                yield x, y
        if place % 2:
            other = corners.partner[corner]
            up = corners.y[other] < y
            upper = other if up else corner
            for hole in sorted(bridges.get(upper, ()), key=lambda hole: hole.y, reverse=up):
                if hole.y != corners.y[upper]:
                    yield x, hole.y
                    yield hole
                    yield x, hole.y
    if hook is not None:
        yield corners.x[loop[hook]], corners.y[loop[hook]]
