"""One picture's labels, taken through transforms that move pixels and made into labels again at the end."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import islice
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from augx import rle
from augx.cargo import Body, Cargo, Outline, Warp, triples_of
from augx.geometry import Plane, Points, flat, ring_area
from augx.model import Annotations, Box, Dropped, Flat, LabelOptions, Object, Rle
from augx.places import is_place

_DIGITS = 3  # of a pixel, that a moved coordinate is written with
_THIN = 1e-3  # pixels: what is narrower is nothing
_BEND = 0.2  # pixels, by which an outline that was bent may be simplified
_SQUARE = 0.01  # by how much the corners of an oriented box may miss a rectangle


class Carrier:
    """Takes labels, in pixels and fitted, through warps. One that never moves gives back the very labels it got.

    `swaps`: class, or "" for any -> for each keypoint which one it becomes in a mirror; `options.pairs` goes before it.
    `instances`: the mask of instances before anything moves: how much of an object is left is then known from it.
    `mirrored`: left has become right.
    """

    def __init__(
        self,
        annotations: Annotations,
        width: int,
        height: int,
        options: LabelOptions,
        swaps: Mapping[str, tuple[int, ...]],
        instances: Plane | None = None,
    ) -> None:
        self.moved = self.mirrored = False
        self._annotations, self._options, self._swaps = annotations, options, swaps
        self._size, self._instances = (width, height), instances

    @cached_property
    def _cargo(self) -> Cargo:
        """Loaded when a step first asks for it: most pictures of most recipes stay where they are."""
        return Cargo(self._annotations, *self._size, self._options.boxes == "ellipse", self._instances)

    def boxes(self) -> NDArray[np.float32]:
        """(n, 4): x0, y0, x1, y1 as shares of the picture, of the objects that have some area in it now."""
        shares = [box for _, box in self._shown()]
        return np.array(shares, np.float32).reshape(-1, 4)

    def labels(self) -> list[str]:
        """The classes of `boxes`; "" for none."""
        return [body.thing.label or "" for body, _ in self._shown()]

    def _shown(self) -> list[tuple[Body, tuple[float, ...]]]:
        cargo = self._cargo
        size = np.array((cargo.width, cargo.height) * 2, np.float64)
        found = ((body, cargo.box(body)) for body in cargo.bodies)
        shares = [(body, tuple(np.clip(box / size, 0, 1).tolist())) for body, box in found if box is not None]
        return [(body, box) for body, box in shares if box[0] < box[2] and box[1] < box[3]]

    def fits(self) -> bool:
        """Whether no label sticks out of the picture."""
        return self._cargo.fits()

    def move(self, warp: Warp, plane: Callable[[Plane], Plane]) -> None:
        """Everything goes through the warp and is cut at the edges of the new picture.

        `plane` moves (H, W) uint8 likewise, takes the nearest pixel and brings in 0 from outside.
        """
        self._cargo.move(warp, plane)
        self.moved = True
        self.mirrored ^= warp.mirrors

    def finish(self, instances: Plane | None) -> tuple[Annotations, tuple[Dropped, ...], dict[int, int]]:
        """The labels, the objects lost, and which values of the instance mask (as it now is) become which; -1: none.

        Indexes that counted the objects from 1 do so again.
        """
        known = self._annotations
        if not self.moved:
            return known, (), {}
        landing = _Landing(self._cargo, self._options, known.dot, self.mirrored, self._swaps, instances)
        indexes = [thing.index for thing in known.objects if thing.index is not None]
        counted = indexes == list(range(1, len(indexes) + 1))
        kept: list[Object] = []
        dropped: list[Dropped] = []
        numbers: dict[int, int] = {}
        gone = 0
        for body in self._cargo.bodies:
            end, index = landing.object(body), body.thing.index
            if isinstance(end, Dropped):
                dropped.append(end)
                if index is not None:
                    numbers.setdefault(index, -1)
                    gone += 1
                continue
            if index is not None:
                numbers[index] = index - gone if counted else index
                end = replace(end, index=numbers[index])
            kept.append(end)
        size = known.size and (self._cargo.width, self._cargo.height)
        return replace(known, objects=tuple(kept), size=size), tuple(dropped), numbers


class _Shape(NamedTuple):
    """What a body has become. `box`: None where nothing is left. `area`: pixels². `share`: how much is left, 0..1."""

    box: Box | None
    area: float
    share: float
    rings: tuple[Flat[float], ...] = ()
    rle: Rle | None = None


class _Ring:
    """As it is written, and the box around it."""

    def __init__(self, points: Points, box: Box) -> None:
        self.points, self.box = points, box

    @cached_property
    def area(self) -> float:
        return ring_area(self.points)


class _Landing:
    """Makes objects of bodies again."""

    def __init__(
        self,
        cargo: Cargo,
        options: LabelOptions,
        dot: float,
        mirrored: bool,
        swaps: Mapping[str, tuple[int, ...]],
        instances: Plane | None,
    ) -> None:
        self.cargo, self.options, self.dot, self.mirrored = cargo, options, dot, mirrored
        self.swaps, self.instances = swaps, instances
        self.size = (cargo.width, cargo.height)
        self.tidied = self._tidied()

    def _tidied(self) -> dict[int, list[_Ring]]:
        """By the id of each outline, its rings as they will be written; of all outlines at once."""
        outlines = [
            (outline, [_simple(ring) for ring in outline.rings] if self.cargo.bent and polygons else outline.rings)
            for body in self.cargo.bodies
            for polygons, outline in ((True, body.polygons), (False, body.oriented), (False, body.rectangle),
                                      (False, body.ellipse))
            if outline is not None
        ]  # fmt: skip
        rings = [ring for _, parts in outlines for ring in parts]
        if not rings:
            return {id(outline): [] for outline, _ in outlines}
        points, upto = self.tidy(np.concatenate(rings)), np.cumsum([len(ring) for ring in rings])
        starts = np.append(0, upto[:-1])
        boxes = np.hstack([np.minimum.reduceat(points, starts), np.maximum.reduceat(points, starts)]).tolist()
        places = zip(starts.tolist(), upto.tolist(), boxes, strict=True)
        made = (_Ring(points[start:end], (x0, y0, x1, y1)) for start, end, (x0, y0, x1, y1) in places)
        return {id(outline): list(islice(made, len(parts))) for outline, parts in outlines}

    def object(self, body: Body) -> Object | Dropped:
        thing, options = body.thing, self.options
        if any(is_place(name, value) for name, value in thing.extra.items()):  # which nobody has moved
            extra = {name: value for name, value in thing.extra.items() if not is_place(name, value)}
            thing = replace(thing, extra=extra)
        shape = self.shape(body)
        if shape is None:  # keypoints at most
            share = self.left(body.keypoints)
            if share < 1 and thing.extra.get("shape") in _LINES:
                return Dropped(thing.label, "outside", share)  # what is left of its points would be another line
            if not share or share < options.min_visibility:
                return Dropped(thing.label, "min_visibility" if share else "outside", share)
            return replace(thing, keypoints=self.keypoints(body))
        box, area, share, rings, mask = shape
        sides = (0.0, 0.0) if box is None else (box[2] - box[0], box[3] - box[1])
        for reason, found in (
            ("outside", min(sides) < _THIN),
            ("min_visibility", share < options.min_visibility),
            ("min_area", area < options.min_area),
            ("min_size", min(sides) < options.min_size),
        ):
            if found:
                return Dropped(thing.label, reason, share)
        keypoints, corners = self.keypoints(body), self.corners(body)
        return Object(thing.label, box, rings, mask, keypoints, corners, thing.crowd, thing.index, thing.extra)

    def shape(self, body: Body) -> _Shape | None:
        """None where nothing but keypoints says where an object is."""
        thing = body.thing
        if body.polygons is not None:
            return self.polygons(body.polygons)
        if body.bit is not None:
            runs = rle.runs_of_mask(self.cargo.mask(body.bit))
            plain = thing.rle is not None and not isinstance(thing.rle.counts, str)
            mask = rle.rle_of_runs(runs, *self.size, plain)
            return self.pixels(runs, self.left(body.pixels))._replace(rle=mask)
        if body.oriented is not None:
            return self.outline(body.oriented)
        if self.instances is not None and thing.index is not None:
            runs = rle.runs_of_mask(self.instances == thing.index)
            if body.pixels is not None:
                return self.pixels(runs, self.left(body.pixels))
            if rle.area(runs):
                return self.pixels(runs, 1.0 if body.rectangle is None else body.rectangle.share)
        if body.ellipse is not None and not self.cargo.straight:
            return self.outline(body.ellipse)
        return None if body.rectangle is None else self.outline(body.rectangle)

    def left(self, places: slice | None) -> float:
        """How many of these places are still there, 0..1; 1 if there never were any."""
        there = np.isfinite(self.cargo.places[places or slice(0)]).all(axis=1)
        return float(there.mean()) if there.size else 1.0

    def polygons(self, outline: Outline) -> _Shape:
        rings = self.tidied[id(outline)]
        seen = [ring for ring in rings if self.seen(ring)]
        if not seen:
            return _NOTHING
        if outline.cut:
            rings = seen
        return _Shape(_around_all(rings), sum(ring.area for ring in rings), outline.share,
                      tuple(flat(ring.points) for ring in rings))  # fmt: skip

    def seen(self, ring: _Ring) -> bool:
        """Not a splinter between the middles of pixels, of which COCO would say that its area is 0."""
        x0, y0, x1, y1 = ring.box
        if ring.area >= 2 * max(x1 - x0, y1 - y0):
            return True
        return rle.area(rle.runs_of_rings([ring.points], *self.size)) > 0

    def outline(self, outline: Outline) -> _Shape:
        if not outline.rings:
            return _NOTHING
        rings = self.tidied[id(outline)]
        return _Shape(_around_all(rings), sum(ring.area for ring in rings), outline.share)

    def pixels(self, runs: rle.Runs, share: float) -> _Shape:
        box = rle.extent(runs, self.cargo.height)
        return _NOTHING if box is None else _Shape(box, rle.area(runs), share)

    def keypoints(self, body: Body) -> Flat[float] | None:
        if body.keypoints is None or body.thing.keypoints is None:
            return None
        triples = triples_of(body.thing.keypoints)
        labelled = triples[:, 2] > 0
        places = self.cargo.places[body.keypoints]
        there = np.isfinite(places).all(axis=1)
        moved = np.zeros((len(places), 3))
        moved[there, :2] = self.tidy(places[there] - self.dot)
        moved[there, 2] = triples[labelled, 2][there]
        triples[labelled] = moved
        swap = self.swap(body.thing.label, len(triples)) if self.mirrored else None
        if swap is not None:
            triples[swap] = triples.copy()
        return flat(triples)

    def swap(self, label: str | None, count: int) -> list[int] | None:
        """Which keypoint each of `count` becomes in a mirror; None where what is known does not fit."""
        if self.options.pairs is None:
            known = list(self.swaps.get(label or "", self.swaps.get("", ())))[:count]
            return known if sorted(known) == list(range(count)) else None
        swap = list(range(count))
        for one, other in self.options.pairs:
            if one < count and other < count:
                swap[one], swap[other] = other, one
        return swap

    def corners(self, body: Body) -> Flat[float] | None:
        """Four, as the first was, around what is left to be seen: at the same angle if they are a rectangle's."""
        outline = body.oriented
        if body.corners is None or outline is None or not outline.rings:
            return None
        corners, seen = self.cargo.places[body.corners], np.concatenate(outline.rings)
        if outline.torn or not np.isfinite(corners).all():
            corners = cv2.boxPoints(cv2.minAreaRect(seen.astype(np.float32))).astype(np.float64)
        elif outline.cut:
            centre = corners.mean(axis=0)
            if _rectangular(corners) or (centre < 0).any() or (centre > self.size).any():
                corners = _around(seen, corners)
        return flat(corners.round(_DIGITS) + 0.0)

    def tidy(self, points: Points) -> Points:
        tidied: Points = np.clip(points, 0, self.size).round(_DIGITS)
        return tidied


def _around_all(rings: Sequence[_Ring]) -> Box:
    if len(rings) == 1:
        return rings[0].box
    lefts, tops, rights, bottoms = zip(*(ring.box for ring in rings), strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


_LINES = ("line", "linestrip", "polyline", "cuboid")
_NOTHING = _Shape(None, 0.0, 0.0)


def _simple(ring: Points) -> Points:
    """A dense outline with fewer points (Douglas and Peucker)."""
    found = cv2.approxPolyDP(ring.astype(np.float32).reshape(-1, 1, 2), _BEND, True)
    return found.reshape(-1, 2).astype(np.float64) if len(found) > 2 else ring


def _rectangular(corners: Points) -> bool:
    across, down = corners[1] - corners[0], corners[3] - corners[0]
    wide, high = np.hypot(*across), np.hypot(*down)
    miss = np.hypot(*(corners[2] - corners[1] - down))
    return bool(miss <= _SQUARE * max(wide, high) and abs(across @ down) <= _SQUARE * wide * high)


def _around(points: Points, corners: Points) -> Points:
    """The rectangle around points that lies as the longer sides of four corners do, in their order."""
    along = corners[1] - corners[0] + corners[2] - corners[3]
    down = corners[3] - corners[0] + corners[2] - corners[1]
    longer, shorter = (along, down) if np.hypot(*along) >= np.hypot(*down) else (down, along)
    first = longer / max(float(np.hypot(*longer)), _THIN)
    second = np.array((-first[1], first[0]))
    second = second if second @ shorter >= 0 else -second
    axes = np.stack([first, second] if longer is along else [second, first])
    placed = points @ axes.T
    (u0, v0), (u1, v1) = placed.min(axis=0), placed.max(axis=0)
    around: Points = np.array([(u0, v0), (u1, v0), (u1, v1), (u0, v1)]) @ axes
    return around
