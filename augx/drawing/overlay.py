"""A picture with its labels drawn on it, at the size it is shown."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from augx import geometry
from augx.drawing import names
from augx.drawing.canvas import FINER, Canvas, Dot, Line, Pixels, dashed
from augx.drawing.colours import INK, PAPER, Colour, Palette, colour
from augx.geometry import Points
from augx.model import Annotations, Box, Flat, Mask, Object, Picture, Pose

_FILL = 0.22  # of a polygon or a mask of one object
_COVER = 0.5  # of class masks
_VOID = 255  # what masks have by custom where nobody knows the class
_SMALL = 14  # pixels of a tile
_GROUNDS = frozenset(("background", "_background_", "unlabeled", "unlabelled", "void", "bg", "none", "ignore"))
_MIDDLE, _ONE_SIDE, _OTHER_SIDE = colour(3), colour(1), colour(0)  # yellow, blue, orange: of keypoints


@dataclass(frozen=True, slots=True)
class Look:
    """How labels are drawn. `colours`: of classes. `classes`: by their number in masks. `poses`, `ignore`: as a
    Dataset's. `names`: write them beside objects."""

    colours: Palette
    classes: tuple[str, ...] = ()
    poses: Mapping[str, Pose] = field(default_factory=dict)
    ignore: int | None = None
    names: bool = True

    def is_void(self, value: int, values: Collection[int]) -> bool:
        """Whether a number in a mask with these `values` means no class. 255 does unless a class has that number, or
        it is all that the mask has besides 0."""
        if value == self.ignore:
            return True
        return value == _VOID >= len(self.classes) and (bool(self.classes) or not set(values) <= {0, _VOID})

    def mask_class(self, value: int) -> str:
        """The class that a number in a mask stands for; "" for none."""
        if value == self.ignore or (value == 0 and not self.classes):
            return ""
        name = self.classes[value] if value < len(self.classes) else str(value)
        return "" if name.lower() in _GROUNDS else name


def tile(picture: Picture, look: Look | None, cell: int, white: int = 255, zoom: int = 1) -> Pixels:
    """The picture, as large as fits in `cell` x `cell` pixels, with its labels as `look` says; None: without.

    `white`: the level shown as white, 255 but for pictures of 16 bits. `zoom`: all of it so many times as large.
    """
    if look is None:
        return Canvas(picture, cell * zoom, white, finer=1).finished()
    canvas = Canvas(picture, cell, white)
    if picture.mask is not None:
        _class_mask(canvas, picture.mask, look)
    elif picture.instances is not None and picture.instances.values.ndim == 2:
        _instances(canvas, picture.instances.values, picture.annotations, look)
    known = picture.annotations
    things = sorted(known.objects, key=lambda one: -_extent(one))
    lines: list[Line] = []
    dots: list[Dot] = []
    for thing in things:
        small = _is_small(canvas, thing)
        lines += _outline(canvas, thing, look.colours(thing.label), small)
        if thing.keypoints is not None:
            pose = look.poses.get(thing.label or "", look.poses.get("", Pose()))
            bones, joints = _pose(canvas, thing.keypoints, known.dot, pose, small)
            lines += bones
            dots += joints
    canvas.draw(lines, dots)
    pixels = canvas.finished(zoom)
    if look.names:
        named = [
            names.Named(thing.label, look.colours(thing.label), _box_shown(canvas, thing, zoom))
            for thing in things
            if thing.label is not None and geometry.shape_box(thing) is not None
        ]
        names.write(pixels, names.place(named, canvas.width * zoom, canvas.height * zoom, zoom), zoom)
    return pixels


def mask_classes(picture: Picture, look: Look) -> set[str]:
    """The classes in a picture's mask, where numbers are classes."""
    if picture.mask is None or picture.mask.values.ndim > 2:
        return set()
    values = np.unique(picture.mask.values).tolist()
    return {look.mask_class(value) for value in values if not look.is_void(value, values)} - {""}


def _outline(canvas: Canvas, thing: Object, colour: Colour, small: bool) -> Iterator[Line]:
    """The tightest shape that is known of an object. Tints what is inside of polygons and masks."""
    loops: list[Points]
    if thing.rings:
        rings = [geometry.pairs(ring) for ring in thing.rings]
        canvas.fill(rings, colour, _FILL)
        loops = [part * canvas.scale for ring in rings for part in _without_bridges(ring)]
    elif thing.rle is not None:
        inside = canvas.at_size(geometry.rle_decode(thing.rle))
        canvas.tint(inside, colour, _FILL)
        found, _ = cv2.findContours(inside, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
        loops = [_closed(np.asarray(one, np.float64).reshape(-1, 2) + 0.5) for one in found]
    elif thing.corners is not None:
        corners = geometry.pairs(thing.corners) * canvas.scale
        if not small:
            yield Line(corners[:2], colour, 8)  # its first side, which says where it points
        loops = [_closed(corners)]
    elif thing.box is not None:
        loops = [_closed(geometry.pairs(geometry.rectangle(thing.box)) * canvas.scale)]
    else:
        return
    for loop in loops:
        for part in dashed(loop) if thing.crowd else [loop]:
            yield Line(part, colour, 2, 0) if small else Line(part, colour)


def _pose(canvas: Canvas, keypoints: Flat[float], dot: float, pose: Pose, small: bool) -> tuple[list[Line], list[Dot]]:
    """Bones and joints; hidden joints are hollow. The sides have a colour each, so that a mirror is seen."""
    triples = np.array(keypoints).reshape(-1, 3)
    places, seen = (triples[:, :2] + dot) * canvas.scale, triples[:, 2]
    swap = pose.swap if pose.swap is not None and len(pose.swap) == len(triples) else range(len(triples))

    def side(number: int) -> Colour:
        return (_MIDDLE, _ONE_SIDE, _OTHER_SIDE)[int(np.sign(swap[number] - number))]

    lines = [
        Line(places[[one, other]], side(one) if side(one) == side(other) else PAPER, 2 if small else 3)
        for one, other in pose.skeleton
        if max(one, other) < len(triples) and seen[one] > 0 < seen[other]
    ]
    dots = [
        Dot(x, y, side(number), hollow=seen[number] == 1, radius=3 if small else 5)
        for number, (x, y) in enumerate(places.tolist())
        if seen[number] > 0
    ]
    return lines, dots


def _class_mask(canvas: Canvas, mask: Mask, look: Look) -> None:
    values = canvas.at_size(mask.values)
    if values.ndim == 3:
        canvas.blend(values, np.full(values.shape[:2], _COVER, np.float32))
        values = values.astype(np.int64) @ (65536, 256, 1)
    else:
        there = np.unique(values).tolist()
        void = [value for value in there if look.is_void(value, there)]

        def paint(value: int) -> tuple[Colour, float] | None:
            name = "" if value in void else look.mask_class(value)
            return (look.colours(name), _COVER) if name else None

        canvas.tint_each(values, paint)
        if void:
            canvas.hatch(np.isin(values, void))
    _borders(canvas, values)


def _instances(canvas: Canvas, numbers: NDArray[Any], known: Annotations, look: Look) -> None:
    """Each in the colour of its object's class, or of its number where there are no objects."""
    labels = {thing.index: thing.label for thing in known.objects if thing.index is not None}
    values = canvas.at_size(numbers)

    def paint(value: int) -> tuple[Colour, float] | None:
        if value in labels:
            return look.colours(labels[value]), _COVER
        return (colour(value - 1), _COVER) if value and not labels else None

    canvas.tint_each(values, paint)
    _borders(canvas, values)


def _borders(canvas: Canvas, values: NDArray[Any]) -> None:
    """A line of two tones wherever neighbouring pixels of a mask differ."""
    padded = np.pad(values, 1, mode="edge")
    middle = padded[1:-1, 1:-1]
    edge = ((middle != padded[2:, 1:-1]) | (middle != padded[1:-1, 2:])).astype(np.uint8)
    canvas.tint(cv2.dilate(edge, np.ones((4, 4), np.uint8)), INK, 0.7)
    canvas.tint(edge, PAPER, 0.9)


def _without_bridges(ring: Points) -> Iterator[Points]:
    """The outlines of a ring, less the bridges that lead to its holes: those go there and back."""
    ends = np.roll(ring, -1, axis=0)
    sides = {(*start, *end) for start, end in zip(ring.tolist(), ends.tolist(), strict=True)}
    kept = [(x1, y1, x0, y0) not in sides for (x0, y0), (x1, y1) in zip(ring.tolist(), ends.tolist(), strict=True)]
    if all(kept):
        yield _closed(ring)
        return
    for start, end, keep in zip(ring, ends, kept, strict=True):
        if keep:
            yield np.stack([start, end])


def _closed(points: Points) -> Points:
    return np.concatenate([points, points[:1]])


def _is_small(canvas: Canvas, thing: Object) -> bool:
    """Whether wide lines would hide it."""
    if geometry.shape_box(thing) is None:
        return False
    x0, y0, x1, y1 = _box_shown(canvas, thing)
    sides = [x1 - x0, y1 - y0]
    if thing.corners is not None:
        corners = _closed(geometry.pairs(thing.corners) * canvas.scale / FINER)
        sides = np.hypot(*np.diff(corners, axis=0).T).tolist()
    return min(sides) < _SMALL


def _extent(thing: Object) -> float:
    box = geometry.shape_box(thing)
    return 0.0 if box is None else (box[2] - box[0]) * (box[3] - box[1])


def _box_shown(canvas: Canvas, thing: Object, zoom: int = 1) -> Box:
    """An object's box in pixels of the tile."""
    box = geometry.shape_box(thing)
    assert box is not None
    across, down = canvas.scale / FINER * zoom
    return box[0] * across, box[1] * down, box[2] * across, box[3] * down
