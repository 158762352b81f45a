"""Labels in a worker: made to fit the decoded picture, and (`Carrier`) taken along when its pixels move."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from operator import is_not

import numpy as np
from numpy.typing import NDArray

from augx import geometry, rle
from augx.cargo import Warp, triples_of
from augx.carrier import Carrier
from augx.errors import ImageError
from augx.geometry import Plane, Points
from augx.model import Annotations, Box, Dropped, Flat, LabelOptions, Object, Rle

__all__ = ["Carrier", "Warp", "boxed", "fit", "resolve"]

_SLACK = 0.01  # pixels, by which decimals in label files are off
_STRAY = 0.5  # pixels, by which points that a person set may stick out and stay as they were set
_FAR = 1e9  # pixels: no picture is that large
_LEAST = 1e-9  # pixels: what is less is nothing, as numbers are written


def fit(
    annotations: Annotations, width: int, height: int, orientation: int, options: LabelOptions
) -> tuple[Annotations, tuple[str, ...], tuple[Dropped, ...]]:
    """The labels in pixels of the upright picture, what had to be mended (sorted codes, each once), and the objects of
    which nothing could be kept, each with such a code as its reason. What has no flaw stays the very same.

    `width`, `height`: of the upright picture. `orientation`: EXIF's, 1..8, of the stored one. Raises ImageError where a
    mask (RLE) is broken or of another size.
    """
    turn = orientation if options.pixels == "stored" else 1
    drawn = (height, width) if turn >= 5 else (width, height)  # the size of the picture that was labelled
    notes: set[str] = set()
    if annotations.size not in (None, drawn):
        notes.add("size-rotated" if annotations.size == drawn[::-1] else "size-differs")
    objects, dropped = [], []
    for thing in annotations.objects:
        empty = thing.rle is not None and not _pixels(thing.rle, drawn)
        if annotations.relative:
            thing = _scaled(thing, *drawn)
        if turn > 1:
            thing = _turned(thing, turn, *drawn, annotations.dot)
        mending = _Mending(width, height)
        mended = mending.object(thing, empty)
        notes.update(mending.notes)
        if mended is None:
            dropped.append(Dropped(thing.label, mending.notes[-1], 0.0))
        else:
            objects.append(mended)
    changed = len(objects) < len(annotations.objects) or any(map(is_not, objects, annotations.objects))
    if changed or annotations.relative:
        annotations = replace(annotations, objects=tuple(objects), relative=False)
    return annotations, tuple(sorted(notes)), tuple(dropped)


def boxed(annotations: Annotations) -> Annotations:
    """With a box for every object whose other parts can say one. Given boxes are kept."""
    if all(thing.box is not None for thing in annotations.objects):
        return annotations
    objects = (thing if thing.box else replace(thing, box=geometry.shape_box(thing)) for thing in annotations.objects)
    return replace(annotations, objects=tuple(objects))


def resolve(annotations: Annotations, ids: Plane) -> tuple[Annotations, tuple[str, ...]]:
    """Objects with the masks that `segments` has for them, and notes. `ids`: (H, W), what that mask says. An object
    whose index is not in it goes."""
    height, width = ids.shape
    segments = rle.runs_by_number(ids)
    objects = []
    for thing in annotations.objects:
        if thing.index is not None:
            runs = segments.get(thing.index)
            if runs is None:
                continue
            thing = replace(thing, rle=rle.rle_of_runs(runs, width, height))
        objects.append(thing)
    notes = () if len(objects) == len(annotations.objects) else ("segment-missing",)
    return replace(annotations, objects=tuple(objects), segments=None), notes


def _pixels(mask: Rle, drawn: tuple[int, int]) -> int:
    """How many a mask has. ImageError if it is broken or not of this size."""
    if (mask.width, mask.height) != drawn:
        message = f"a mask (RLE) is {mask.width}x{mask.height}, its image {drawn[0]}x{drawn[1]}"
        raise ImageError("rle-size", message, "labels")
    try:
        return rle.rle_area(mask)
    except ValueError as error:
        raise ImageError("rle-broken", f"a mask (RLE) is broken: {error}", "labels") from error


def _scaled(thing: Object, width: int, height: int) -> Object:
    """Shares of a picture in its pixels."""
    size = np.array((width, height), np.float64)
    box, keypoints, corners = thing.box, thing.keypoints, thing.corners
    if keypoints is not None:
        keypoints = geometry.flat(triples_of(keypoints) * (*size, 1))
    return replace(
        thing,
        box=None if box is None else (box[0] * width, box[1] * height, box[2] * width, box[3] * height),
        rings=tuple(geometry.flat(geometry.pairs(ring) * size) for ring in thing.rings),
        keypoints=keypoints,
        corners=None if corners is None else geometry.flat(geometry.pairs(corners) * size),
    )


def _turned(thing: Object, orientation: int, width: int, height: int, dot: float) -> Object:
    """What is in pixels of the stored picture, of this size, as EXIF orientation 2..8 shows it."""
    across, down, swapped = orientation in (2, 3, 7, 8), orientation in (3, 4, 6, 7), orientation >= 5

    def turned(points: Points) -> Points:
        x, y = points.T
        x, y = width - x if across else x, height - y if down else y
        return np.stack([y, x] if swapped else [x, y], axis=1)

    box, mask, keypoints, corners = thing.box, thing.rle, thing.keypoints, thing.corners
    if box is not None:  # reversed corners stay reversed
        x0, y0, x1, y1 = turned(geometry.pairs(box)).reshape(-1).tolist()
        x_back, y_back = (down, across) if swapped else (across, down)
        box = (x1 if x_back else x0, y1 if y_back else y0, x0 if x_back else x1, y0 if y_back else y1)
    if mask is not None:
        pixels = geometry.rle_decode(mask)[:: -1 if down else 1, :: -1 if across else 1]
        mask = geometry.rle_encode(pixels.T if swapped else pixels, not isinstance(mask.counts, str))
    if keypoints is not None:
        triples = triples_of(keypoints)
        labelled = triples[:, 2] > 0
        places = triples[labelled, :2]
        triples[labelled, :2] = turned(places + dot) - dot
        keypoints = geometry.flat(triples)
    return replace(
        thing,
        box=box,
        rings=tuple(geometry.flat(turned(geometry.pairs(ring))) for ring in thing.rings),
        rle=mask,
        keypoints=keypoints,
        corners=None if corners is None else geometry.flat(turned(geometry.pairs(corners))),
    )


class _Mending:
    """Mends one object; `notes`: what it found, in this order."""

    def __init__(self, width: int, height: int) -> None:
        self.size = (width, height)
        self.notes: list[str] = []

    def object(self, thing: Object, empty: bool) -> Object | None:
        """The very object if nothing is wrong with it, None if nothing is left. `empty`: its mask has no pixel."""
        box = None if thing.box is None else self.box(thing.box)
        rings = self.rings(thing.rings)
        mask = thing.rle
        if empty:
            mask = None
            self.notes.append("rle-empty")
        keypoints = None if thing.keypoints is None else self.keypoints(thing.keypoints)
        corners = None if thing.corners is None else self.corners(thing.corners)
        if corners is not None and box is None and not rings and mask is None:
            box = self.visible(corners)
        if not self.notes and box is thing.box:
            return thing
        if box is None and not rings and mask is None and corners is None and keypoints is None and thing.index is None:
            return None
        return replace(thing, box=box, rings=rings, rle=mask, keypoints=keypoints, corners=corners)

    def box(self, box: Box) -> Box | None:
        width, height = self.size
        if not all(abs(value) <= _FAR for value in box):
            self.notes.append("not-finite")
            return None
        x0, y0, x1, y1 = box
        if x0 > x1 or y0 > y1:
            self.notes.append("box-reversed")
            box = x0, y0, x1, y1 = min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)
        if min(x1 - x0, y1 - y0) < _LEAST:
            self.notes.append("box-empty")
            return None
        if min(x1, y1, width - x0, height - y0) < _LEAST:
            self.notes.append("box-outside")
            return None
        if min(x0, y0) < -_SLACK or x1 > width + _SLACK or y1 > height + _SLACK:
            self.notes.append("box-clipped")
            return max(x0, 0.0), max(y0, 0.0), min(x1, float(width)), min(y1, float(height))
        return box

    def rings(self, rings: tuple[Flat[float], ...]) -> tuple[Flat[float], ...]:
        known = len(self.notes)
        kept = [part for ring in rings for part in self.ring(ring)]
        return tuple(kept) if len(self.notes) > known else rings

    def ring(self, ring: Flat[float]) -> Sequence[Flat[float]]:
        if len(ring) < 6 or len(ring) % 2:
            self.notes.append("polygon-degenerate")
            return ()
        points = np.frombuffer(ring).reshape(-1, 2)
        if not self.near(points):
            self.notes.append("not-finite")
            return ()
        if geometry.is_line(points):
            self.notes.append("polygon-degenerate")
            return ()
        if not self.sticks_out(points):
            return (ring,)
        parts = geometry.clip_ring(points, *self.size)
        self.notes.append("polygon-clipped" if parts else "polygon-outside")
        return list(map(geometry.flat, parts))

    def keypoints(self, keypoints: Flat[float]) -> Flat[float] | None:
        """None where all that were labelled had to go."""
        triples = triples_of(keypoints)
        place, seen = triples[:, :2], triples[:, 2]
        wild = ~(np.abs(triples) <= _FAR).all(axis=1)
        odd = ~wild & ~np.isin(seen, (0, 1, 2))
        labelled = ~wild & (seen > 0)
        outside = labelled & ~self.within(place)
        for note, found in (("visibility-odd", odd), ("not-finite", wild), ("keypoint-outside", outside)):
            if found.any():
                self.notes.append(note)
        if not (wild | odd | outside).any():
            return keypoints
        triples[odd, 2] = np.where(seen[odd] > 0, 2, 0)
        triples[wild | outside] = 0
        return None if (wild | outside).any() and not (triples[:, 2] > 0).any() else geometry.flat(triples)

    def corners(self, corners: Flat[float]) -> Flat[float] | None:
        points = np.frombuffer(corners).reshape(-1, 2)
        if not self.near(points):
            self.notes.append("not-finite")
            return None
        if geometry.is_line(points):
            self.notes.append("obb-empty")
            return None
        if self.sticks_out(points) and not geometry.clip_ring(points, *self.size):
            self.notes.append("obb-outside")
            return None
        return corners

    def visible(self, corners: Flat[float]) -> Box | None:
        """The box of an oriented box that sticks out of the picture; None where `geometry.shape_box` can say it."""
        points = np.frombuffer(corners).reshape(-1, 2)
        return geometry.rings_box(geometry.clip_ring(points, *self.size)) if self.sticks_out(points) else None

    def near(self, points: Points) -> bool:
        return bool((np.abs(points) <= _FAR).all())

    def within(self, points: Points) -> NDArray[np.bool_]:
        return np.asarray(((points >= -_STRAY) & (points <= np.add(self.size, _STRAY))).all(axis=1))

    def sticks_out(self, points: Points) -> bool:
        return not self.within(points).all()
