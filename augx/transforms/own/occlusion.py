"""What is still to be seen of the objects of a picture when something lies on a part of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from augx import rle
from augx.cargo import triples_of
from augx.geometry import Points, around, clip_ring, flat, pairs, ring_area, rings_box
from augx.model import Box, Dropped, Flat, Object, Picture, Rle
from augx.transforms.own.base import Rules
from augx.transforms.own.carving import carved
from augx.transforms.own.frames import Region, numbered, renumbered, slices

Array = NDArray[Any]

_DIGITS = 3  # of a pixel, that a new coordinate is written with
_THIN = 1e-3  # pixels: what is narrower is nothing
_SAME = 1e-9  # share: less is not hidden
_OUTLINED = "augx: outlined"  # in `extra`


def hidden(picture: Picture, region: Region, rules: Rules) -> tuple[Picture, tuple[Dropped, ...]]:
    """The picture with the labels of what is to be seen when something lies on `region`, and the objects lost.

    Outlines are cut exactly; masks lose pixels; boxes close around what is left, and oriented ones at their angle.
    Keypoints stay, but are hidden (v 1). An object of which nothing is left is lost as "hidden". Pixels and masks are
    as they were, for they are covered; but numbers of lost instances are gone.
    """
    if not picture.annotations.objects:
        return picture, ()
    if isinstance(region, tuple):
        plane = np.zeros((picture.height, picture.width), np.bool_)
        plane[slices(region)] = True
    else:
        plane = region
    if not plane.any():
        return picture, ()
    below = _Below(picture, plane, rules)
    things = picture.annotations.objects
    ends = list(map(below.object, things))
    kept = [end for end in ends if isinstance(end, Object)]
    lost = tuple(end for end in ends if isinstance(end, Dropped))
    numbers = counted(things, ends) if lost else {}
    instances = picture.instances and renumbered(picture.instances, numbers)
    known = replace(picture.annotations, objects=numbered(kept, numbers))
    return replace(picture, annotations=known, instances=instances), lost


def outlined(picture: Picture) -> Picture:
    """With oriented boxes as polygons too, where nothing else shows objects better. When a picture is first placed and
    then `hidden`, the boxes are around what both have left; else the first would be forgotten. `plain` takes the
    polygons away again."""
    size = picture.width, picture.height
    objects = []
    for thing in picture.annotations.objects:
        if thing.corners is not None and not thing.rings and thing.rle is None:
            rings = tuple(map(flat, clip_ring(pairs(thing.corners), *size)))
            if rings:
                thing = replace(thing, rings=rings, extra={**thing.extra, _OUTLINED: True})
        objects.append(thing)
    return replace(picture, annotations=replace(picture.annotations, objects=tuple(objects)))


def plain(picture: Picture) -> Picture:
    objects = []
    for thing in picture.annotations.objects:
        if _OUTLINED in thing.extra:
            extra = {name: value for name, value in thing.extra.items() if name != _OUTLINED}
            thing = replace(thing, rings=(), extra=extra)
        objects.append(thing)
    return replace(picture, annotations=replace(picture.annotations, objects=tuple(objects)))


class _Left(NamedTuple):
    """What is left of an object. `box`: None where nothing is. `area`: pixels². `share`: 0..1."""

    box: Box | None
    area: float
    share: float
    rings: tuple[Flat[float], ...] = ()
    rle: Rle | None = None


_NOTHING = _Left(None, 0.0, 0.0)


class _Below:
    """`plane`: (H, W), where something lies on the picture."""

    def __init__(self, picture: Picture, plane: NDArray[np.bool_], rules: Rules) -> None:
        self.plane, self.options = plane, rules.options
        self.size, self.dot = (picture.width, picture.height), picture.annotations.dot
        self.instances = None if picture.instances is None else picture.instances.values
        columns, rows = np.flatnonzero(plane.any(axis=0)), np.flatnonzero(plane.any(axis=1))
        self.extent = int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1

    def object(self, thing: Object) -> Object | Dropped:
        """The very object if all of it is still to be seen."""
        keypoints = None if thing.keypoints is None else self.keypoints(thing.keypoints)
        left = self.left(thing)
        if left is None:  # keypoints at most
            if keypoints is None or thing.keypoints is None:
                return thing
            seen, before = ((triples_of(one)[:, 2] == 2).sum() for one in (keypoints, thing.keypoints))
            if before and not seen:
                return Dropped(thing.label, "hidden", 0.0)
            return thing if keypoints is thing.keypoints else replace(thing, keypoints=keypoints)
        if left.share >= 1 - _SAME:
            return thing if keypoints is thing.keypoints else replace(thing, keypoints=keypoints)
        sides = (0.0, 0.0) if left.box is None else (left.box[2] - left.box[0], left.box[3] - left.box[1])
        options = self.options
        for reason, found in (
            ("hidden", min(sides) < _THIN),
            ("min_visibility", left.share < options.min_visibility),
            ("min_area", left.area < options.min_area),
            ("min_size", min(sides) < options.min_size),
        ):
            if found:
                return Dropped(thing.label, reason, left.share)
        corners = None if thing.corners is None else self.corners(thing, pairs(thing.corners))
        return replace(thing, box=left.box, rings=left.rings, rle=left.rle, keypoints=keypoints, corners=corners)

    def left(self, thing: Object) -> _Left | None:
        """By what shows an object best. None where nothing but keypoints does."""
        if thing.rings:
            return self.outline(list(map(pairs, thing.rings)))
        if thing.rle is not None:
            return self.pixels(rle.rle_decode(thing.rle) != 0, thing.rle)
        if thing.corners is not None:
            return self.outline(clip_ring(pairs(thing.corners), *self.size))._replace(rings=())
        if self.instances is not None and thing.index is not None:
            mask = self.instances == thing.index
            if mask.any():
                return self.pixels(mask, None)
        return None if thing.box is None else self.box(thing.box)

    def outline(self, rings: Sequence[Points]) -> _Left:
        pieces = [piece for ring in rings for piece in self.pieces(ring)]
        whole, area = sum(map(ring_area, rings)), sum(map(ring_area, pieces))
        if not pieces:
            return _NOTHING
        share = min(1.0, area / whole) if whole > 0 else 1.0
        return _Left(rings_box(pieces), area, share, tuple(map(flat, pieces)))

    def pieces(self, ring: Points) -> list[Points]:
        """What is left of a ring; the very ring if all of it is. No splinters between the middles of pixels."""
        (x0, y0), (x1, y1) = ring.min(axis=0).tolist(), ring.max(axis=0).tolist()
        left, top, right, bottom = self.extent
        if x1 <= left or y1 <= top or x0 >= right or y0 >= bottom:
            return [ring]
        low = np.clip(np.floor(ring.min(axis=0)), 0, self.size).astype(int)
        wide, high = (np.clip(np.ceil(ring.max(axis=0)), 0, self.size).astype(int) - low).tolist()
        covered = self.plane[low[1] : low[1] + high, low[0] : low[0] + wide]
        if not covered.any():
            return [ring]
        parts = carved(ring - low, covered)
        return [part + low for part in parts if rle.area(rle.runs_of_rings([part], wide, high))]

    def pixels(self, mask: NDArray[np.bool_], known: Rle | None) -> _Left:
        left = mask & ~self.plane
        runs, whole = rle.runs_of_mask(left), int(mask.sum())
        area = rle.area(runs)
        if not area:
            return _NOTHING
        coded = None
        if known is not None:
            coded = rle.rle_of_runs(runs, *self.size, not isinstance(known.counts, str))
        return _Left(rle.extent(runs, self.size[1]), area, area / whole, rle=coded)

    def box(self, box: Box) -> _Left:
        """Around what is left of a rectangle, whose edges need not lie between pixels."""
        (x0, wide), (y0, high) = (_overlaps(box[i], box[i + 2], self.size[i]) for i in (0, 1))
        seen = ~self.plane[y0 : y0 + len(high), x0 : x0 + len(wide)]
        whole, area = float(wide.sum() * high.sum()), float(high @ seen @ wide)
        columns, rows = np.flatnonzero(seen.any(axis=0)), np.flatnonzero(seen.any(axis=1))
        if not len(columns) or whole <= 0:
            return _NOTHING
        tight = (
            max(box[0], float(x0 + columns[0])),
            max(box[1], float(y0 + rows[0])),
            min(box[2], float(x0 + columns[-1] + 1)),
            min(box[3], float(y0 + rows[-1] + 1)),
        )
        return _Left(tight, area, area / whole)

    def keypoints(self, keypoints: Flat[float]) -> Flat[float]:
        triples = triples_of(keypoints)
        x, y = np.clip(np.floor(triples[:, :2] + self.dot), 0, np.subtract(self.size, 1)).astype(np.intp).T
        covered = (triples[:, 2] == 2) & self.plane[y, x]
        if not covered.any():
            return keypoints
        triples[covered, 2] = 1
        return flat(triples)

    def corners(self, thing: Object, corners: Points) -> Flat[float] | None:
        """Around what is left, with sides along the old ones; None of what shows nothing."""
        rings = map(pairs, thing.rings) if _OUTLINED in thing.extra else clip_ring(corners, *self.size)
        pieces = [piece for ring in rings for piece in self.pieces(ring)]
        return flat(around(np.concatenate(pieces), corners).round(_DIGITS) + 0.0) if pieces else None


def _overlaps(start: float, end: float, size: int) -> tuple[int, NDArray[np.float64]]:
    """The first pixel of an axis in which a stretch lies, and how much of each pixel it takes from there on."""
    first, last = max(0, int(np.floor(start))), min(size, int(np.ceil(end)))
    pixels = np.arange(first, max(first, last))
    return first, np.minimum(pixels + 1, end) - np.maximum(pixels, start)


def counted(before: Iterable[Object], after: Iterable[Object | Dropped]) -> dict[int, int]:
    """Index -> new index, -1 for objects that are gone. Indexes that counted from 1 do so again."""
    ends = [(thing.index, end) for thing, end in zip(before, after, strict=True) if thing.index is not None]
    counts = [index for index, _ in ends] == list(range(1, len(ends) + 1))
    numbers: dict[int, int] = {}
    gone = 0
    for index, end in ends:
        if isinstance(end, Object):
            numbers[index] = index - gone if counts else index
        else:
            numbers.setdefault(index, -1)
            gone += 1
    return numbers
