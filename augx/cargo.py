"""What the objects of a picture are made of, on the way through transforms that move pixels.

Polygons and boxes travel as outlines, cut wherever the picture is; masks as bits of planes; keypoints, corners of
oriented boxes and some pixels of each mask as places. Nothing is rounded on the way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from augx import rle
from augx.geometry import Plane, Points, clip_ring, ellipse, pairs, rectangle, ring_area, rings_box
from augx.model import Annotations, Box, Object

_SAMPLE = 512  # pixels of a mask that tell how much of it is left
_SLACK = 1e-6  # pixels, by which arithmetic may be off


class Warp(Protocol):
    """Where a transform moves things. Places are continuous: pixel i covers [i, i + 1).

    `width`, `height`: of the new picture. `mirrors`: left becomes right. `straight`: boxes stay boxes. `bends`: lines
    do not stay lines, so that outlines need `ring`.
    """

    @property
    def width(self) -> int: ...
    @property
    def height(self) -> int: ...
    @property
    def mirrors(self) -> bool: ...
    @property
    def straight(self) -> bool: ...
    @property
    def bends(self) -> bool: ...

    def points(self, xy: Points, /) -> Points:
        """(n, 2) -> (n, 2), NaN where a point has no place."""
        ...

    def ring(self, xy: Points, /) -> list[Points]:
        """A closed outline, dense where it is bent, in pieces where it is torn."""
        ...


@dataclass(slots=True)
class Outline:
    """`share`: how much of it all cuts have left, 0..1. `torn`: a warp made several rings of one."""

    rings: list[Points]
    share: float = 1.0
    cut: bool = False
    torn: bool = False

    @property
    def box(self) -> Box | None:
        return rings_box(self.rings) if self.rings else None


@dataclass(slots=True)
class Body:
    """One object. `polygons`, `oriented`: the outlines of these parts. `rectangle`, `ellipse`: those of its box, where
    it has no other shape. `corners`, `keypoints` (labelled ones), `pixels` (of its mask): which places are its. `bit`:
    which one in the planes is its mask."""

    thing: Object
    polygons: Outline | None = None
    oriented: Outline | None = None
    rectangle: Outline | None = None
    ellipse: Outline | None = None
    corners: slice | None = None
    keypoints: slice | None = None
    pixels: slice | None = None
    bit: int | None = None


class Cargo:
    """`instances`: the mask of instances, where there is one. `width`, `height`: of the picture as it is now.
    `places`: (n, 2), NaN for what is gone. `straight`: every warp was. `bent`: some warp bent lines."""

    def __init__(
        self, annotations: Annotations, width: int, height: int, ellipses: bool, instances: Plane | None
    ) -> None:
        self.width, self.height = width, height
        self.straight, self.bent = True, False
        self._outlines: list[Outline] = []
        self._planes: list[Plane] = []
        self._bits = 0
        parts: list[Points] = []
        numbers = {} if instances is None else rle.runs_by_number(instances)
        self.bodies = [self._body(thing, annotations.dot, ellipses, numbers, parts) for thing in annotations.objects]
        self.places: Points = np.concatenate([np.zeros((0, 2)), *parts])
        self._corners = np.zeros(len(self.places), np.bool_)
        for body in self.bodies:
            if body.corners is not None:
                self._corners[body.corners] = True

    def _body(
        self,
        thing: Object,
        dot: float,
        ellipses: bool,
        numbers: Mapping[int, rle.Runs],
        parts: list[Points],
    ) -> Body:
        def placed(points: Points) -> slice:
            start = sum(map(len, parts))
            parts.append(points)
            return slice(start, start + len(points))

        body = Body(thing)
        runs = None
        if thing.rings:
            body.polygons = self._outline(list(map(pairs, thing.rings)))
        elif thing.rle is not None:
            runs = rle.runs_of_rle(thing.rle)
            body.bit = self._paint(runs)
        if thing.corners is not None:
            corners = pairs(thing.corners)
            visible = clip_ring(corners, self.width, self.height)
            body.corners = placed(corners)
            body.oriented = self._outline(visible, cut=not visible or visible[0] is not corners)
        elif not thing.rings and thing.rle is None:
            runs = None if thing.index is None else numbers.get(thing.index)
            if thing.box is not None:
                body.rectangle = self._outline([pairs(rectangle(thing.box))])
                if ellipses:
                    body.ellipse = self._outline([pairs(ellipse(thing.box))])
        if runs is not None:
            body.pixels = placed(rle.centres(runs, self.height, _SAMPLE))
        if thing.keypoints is not None:
            triples = triples_of(thing.keypoints)
            labelled = triples[triples[:, 2] > 0, :2]
            body.keypoints = placed(labelled + dot)
        return body

    def _outline(self, rings: list[Points], cut: bool = False) -> Outline:
        self._outlines.append(Outline(rings, cut=cut))
        return self._outlines[-1]

    def _paint(self, runs: rle.Runs) -> int:
        bit = self._bits
        self._bits += 1
        if bit % 8 == 0:
            self._planes.append(np.zeros((self.height, self.width), np.uint8))
        rle.paint(self._planes[-1], runs, 1 << bit % 8)
        return bit

    def fits(self) -> bool:
        """Whether all of it lies in the picture, so that nothing is cut."""
        points = np.concatenate([self.places, *(ring for outline in self._outlines for ring in outline.rings)])
        return not len(points) or bool(self._inside(points.min(axis=0)[None], points.max(axis=0)[None])[0])

    def move(self, warp: Warp, plane: Callable[[Plane], Plane]) -> None:
        rings = [ring for outline in self._outlines for ring in outline.rings]
        there = np.isfinite(self.places).all(axis=1)
        if warp.bends:
            places = warp.points(self.places[there])
            moved = [list(map(_finite, warp.ring(ring))) for ring in rings]
        else:
            borders = np.cumsum([int(there.sum()), *map(len, rings)]).tolist()
            points = warp.points(np.concatenate([self.places[there], *rings]))
            places = points[: borders[0]]
            known = bool(np.isfinite(points).all())
            moved = [
                [points[start:stop] if known else _finite(points[start:stop])] for start, stop in pairwise(borders)
            ]
        self.width, self.height = warp.width, warp.height
        self.places[there] = places
        self.places[~self._inside(self.places, self.places) & ~self._corners] = np.nan
        pieces = iter(moved)
        for outline in self._outlines:
            parts = [next(pieces) for _ in outline.rings]
            outline.torn |= any(len(part) > 1 for part in parts)
            outline.rings = [ring for part in parts for ring in part if len(ring) > 2]
        self._cut()
        self._planes = [plane(one) for one in self._planes]
        self.straight &= warp.straight
        self.bent |= warp.bends

    def _cut(self) -> None:
        """Cuts the outlines at the edges of the picture."""
        rings = [ring for outline in self._outlines for ring in outline.rings]
        if not rings:
            return
        points, starts = np.concatenate(rings), np.cumsum([0, *map(len, rings[:-1])])
        least, most = np.minimum.reduceat(points, starts, axis=0), np.maximum.reduceat(points, starts, axis=0)
        inside = iter(self._inside(least, most).tolist())
        for outline in self._outlines:
            flags = [next(inside) for _ in outline.rings]
            if all(flags):
                continue
            before = sum(map(ring_area, outline.rings))
            outline.rings = [part for ring in outline.rings for part in clip_ring(ring, self.width, self.height)]
            outline.cut = True
            if before > 0:
                outline.share *= min(1.0, sum(map(ring_area, outline.rings)) / before)

    def _inside(self, least: Points, most: Points) -> NDArray[np.bool_]:
        size = (self.width + _SLACK, self.height + _SLACK)
        return np.asarray(((least >= -_SLACK) & (most <= size)).all(axis=1))

    def mask(self, bit: int) -> Plane:
        """A mask as it is now: not 0 where it is."""
        mask: Plane = self._planes[bit // 8] & (1 << bit % 8)
        return mask

    def box(self, body: Body) -> Box | None:
        """Around what is left of a body; None if nothing is or nobody knows."""
        outline = body.polygons or body.oriented or body.rectangle
        if body.bit is not None:
            return rle.extent(rle.runs_of_mask(self.mask(body.bit)), self.height)
        if outline is not None:
            return outline.box
        for part in (body.pixels, body.keypoints):
            if part is not None and (points := _finite(self.places[part])).size:
                return rings_box([points])
        return None


def _finite(points: Points) -> Points:
    known = np.isfinite(points).all(axis=1)
    return points if known.all() else points[known]


def triples_of(keypoints: Sequence[float]) -> Points:
    """(n, 3): x, y, v, a copy."""
    return np.array(keypoints, np.float64).reshape(-1, 3)
