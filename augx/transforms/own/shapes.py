"""Which pixels of a picture are an object's."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from augx import geometry, rle
from augx.model import Box, Object, Picture


class Shapes:
    """Of the objects of one picture, whose labels and masks are whole."""

    def __init__(self, picture: Picture) -> None:
        self._size = picture.width, picture.height
        self._instances = picture.instances

    @cached_property
    def _numbers(self) -> dict[int, rle.Runs]:
        return {} if self._instances is None else rle.runs_by_number(self._instances.values)

    def mask(self, thing: Object) -> rle.Runs | None:
        """What its polygons, mask, oriented box or number in the mask of instances say; None where it has none of
        these. Polygons are filled as COCO fills them."""
        if thing.rings:
            return rle.runs_of_rings(thing.rings, *self._size)
        if thing.rle is not None:
            return rle.runs_of_rle(thing.rle)
        if thing.corners is not None:
            return rle.runs_of_rings(geometry.clip_ring(geometry.pairs(thing.corners), *self._size), *self._size)
        return None if thing.index is None else self._numbers.get(thing.index)

    def box(self, thing: Object) -> Box | None:
        """Its box, or else the one around what it has; None where it has nothing that has a box."""
        box = thing.box or geometry.shape_box(thing)
        if box is None and thing.index in self._numbers:
            return rle.extent(self._numbers[thing.index], self._size[1])
        return box

    def rectangle(self, thing: Object) -> rle.Runs | None:
        """The pixels whose middles lie in its box."""
        box = self.box(thing)
        return None if box is None else rle.runs_of_rings([geometry.rectangle(box)], *self._size)

    def pixels(self, thing: Object) -> rle.Runs | None:
        """Its mask, or else the rectangle of its box; at least one pixel. None where it is keypoints at most."""
        runs = self.mask(thing)
        if runs is None and thing.box is not None:
            runs = self.rectangle(thing)
        if runs is None or len(runs[0]):
            return runs
        box = self.box(thing)
        if box is None:
            return None
        width, height = self._size
        x, y = min(max(int((box[0] + box[2]) / 2), 0), width - 1), min(max(int((box[1] + box[3]) / 2), 0), height - 1)
        pixel = np.array([x * height + y])
        return pixel, pixel + 1
