"""Parts of the picture blanked, as in four papers. Labels stay as they are; a class mask too, unless the recipe says
what is to be written there."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import cv2
import numpy as np

from augx.model import Json, Picture
from augx.seeds import Rng
from augx.transforms.own.base import _NO_BOXES, Array, Still, arg, number, span, switch

Hole = tuple[int, int, int, int]  # x0, y0, x1, y1 in pixels

_ATTEMPTS = 100  # of random_erasing, before it leaves the picture as it is
_LEVEL = {"type": "number", "minimum": 0, "maximum": 255}
_CLASS = {"type": "integer", "minimum": 0, "maximum": 65535}


def _colour(level: Mapping[str, Json]) -> dict[str, Json]:
    return {"type": "array", "prefixItems": [level] * 3, "minItems": 3, "maxItems": 3}


def _fill(default: Json) -> Any:
    return arg(default, anyOf=[{"enum": ["mean", "noise"]}, _LEVEL, _colour(_LEVEL)])


@dataclass(frozen=True)
class _Eraser(Still):
    """`fill`: "mean" (the picture's own colour on average; the papers blank with the data set's), "noise" (each pixel a
    random colour), a level of 0..255 or a colour. `fill_mask`: the class, or the colour, written into class masks where
    the picture was blanked; null leaves them."""

    fill: Json = _fill("mean")
    fill_mask: Json = arg(None, anyOf=[_CLASS, _colour(_CLASS), {"type": "null"}])

    def blank(self, height: int, width: int, params: Mapping[str, Any]) -> Array:
        """Which pixels are blanked: (height, width), bool."""
        raise NotImplementedError

    def apply(self, picture: Picture, params: Mapping[str, Any]) -> Picture:
        where = self.blank(picture.height, picture.width, params).view(np.uint8)
        pixels: Array = cv2.copyTo(_filling(self.fill, picture.pixels, params), where, picture.pixels.copy())
        return replace(picture, pixels=pixels)

    def erased(self, mask: Array, params: Mapping[str, Any]) -> Array:
        if self.fill_mask is None:
            return mask
        mask = mask.copy()
        value = np.clip(self.fill_mask, 0, np.iinfo(mask.dtype).max).reshape(-1)
        mask[self.blank(mask.shape[0], mask.shape[1], params)] = value if mask.ndim == 3 else value[0]
        return mask

    def _noise(self, rng: Rng) -> dict[str, int]:
        return {"seed": int(rng.numpy.integers(2**32))} if self.fill == "noise" else {}


def _filling(fill: Json, pixels: Array, params: Mapping[str, Any]) -> Array:
    """A picture of the same size and type, of one colour or of noise."""
    most = np.iinfo(pixels.dtype).max
    if fill == "noise":
        generator = np.random.default_rng(params["seed"])
        return generator.integers(0, most, pixels.shape, pixels.dtype, endpoint=True)
    if fill == "mean":
        levels = np.array(cv2.mean(pixels)[: 1 if pixels.ndim == 2 else 3])
    else:
        levels = np.array(fill, float).reshape(-1) * (most / 255)
        if pixels.ndim == 2 and len(levels) == 3:
            levels = levels @ (0.299, 0.587, 0.114)
    return np.full(pixels.shape, np.rint(levels), pixels.dtype)


def _holes(height: int, width: int, holes: Sequence[Hole]) -> Array:
    where = np.zeros((height, width), bool)
    for x0, y0, x1, y1 in holes:
        where[y0:y1, x0:x1] = True
    return where


def _pixels(size: float, picture: Picture) -> float:
    """`size` in pixels: up to 1 it is a share of the picture's shorter side."""
    return size * min(picture.width, picture.height) if size <= 1 else size


@dataclass(frozen=True)
class Cutout(_Eraser):
    """A square, its centre anywhere in the picture, so that a part of it may lie outside: DeVries and Taylor, Improved
    Regularization of Convolutional Neural Networks with Cutout (2017, arXiv:1708.04552).

    `size`: its side, up to 1 in shares of the picture's shorter side, above in pixels. The default is the paper's 16
    of 32 pixels for CIFAR-10; for CIFAR-100 it takes 0.25.
    """

    name: ClassVar[str] = "cutout"

    size: float = number(0.5, 0.001, 65535)

    def draw(self, picture: Picture, rng: Rng, boxes: Array = _NO_BOXES) -> dict[str, Any]:
        side = max(round(_pixels(self.size, picture)), 1)
        x = int(rng.numpy.integers(picture.width)) - side // 2
        y = int(rng.numpy.integers(picture.height)) - side // 2
        hole = max(x, 0), max(y, 0), min(x + side, picture.width), min(y + side, picture.height)
        return {"holes": [hole], **self._noise(rng)}

    def blank(self, height: int, width: int, params: Mapping[str, Any]) -> Array:
        return _holes(height, width, params["holes"])


@dataclass(frozen=True)
class RandomErasing(_Eraser):
    """A rectangle of random size, shape and place, filled with noise: Zhong et al., Random Erasing Data Augmentation
    (2017, arXiv:1708.04896), algorithm 1; what sticks out is drawn again, up to 100 times.

    `area_range`: in shares of the picture (the paper's s_l, s_h). `ratio_range`: height / width (r_1, r_2).
    `objects`: a rectangle in the box of each object, with the same shares of it, instead (object-aware erasing); where
    there are no objects, nothing is erased.
    """

    name: ClassVar[str] = "random_erasing"
    wants_boxes: ClassVar[bool] = True

    fill: Json = _fill("noise")
    area_range: Json = span([0.02, 0.4], 0, 1)
    ratio_range: Json = span([0.3, 3.3333], 0.01, 100)
    objects: bool = switch(False)

    def draw(self, picture: Picture, rng: Rng, boxes: Array = _NO_BOXES) -> dict[str, Any]:
        regions = [(0, 0, picture.width, picture.height)]
        if self.objects:
            size = np.array([picture.width, picture.height] * 2)
            corners = np.rint(boxes * size).clip(0, size).astype(int).tolist()
            regions = [(x0, y0, x1, y1) for x0, y0, x1, y1 in corners if x1 > x0 and y1 > y0]
        found = (self._hole(region, rng) for region in regions)
        return {"holes": [hole for hole in found if hole], **self._noise(rng)}

    def _hole(self, region: Hole, rng: Rng) -> Hole | None:
        x0, y0, x1, y1 = region
        for _ in range(_ATTEMPTS):
            area = rng.python.uniform(*self.area_range) * (x1 - x0) * (y1 - y0)
            ratio = rng.python.uniform(*self.ratio_range)
            high, wide = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
            x, y = rng.python.randrange(x0, x1), rng.python.randrange(y0, y1)
            if high and wide and x + wide <= x1 and y + high <= y1:
                return x, y, x + wide, y + high
        return None

    def blank(self, height: int, width: int, params: Mapping[str, Any]) -> Array:
        return _holes(height, width, params["holes"])


@dataclass(frozen=True)
class GridMask(_Eraser):
    """A grid of blank squares: Chen et al., GridMask Data Augmentation (2020, arXiv:2001.04086).

    `d_range`: the width of one unit of the grid, up to 1 in shares of the picture's shorter side, above in pixels; the
    default is the paper's 96 to 224 of 224 pixels. `ratio`: the share of a unit's width that is kept, the paper's r:
    each unit has a blank square of side (1 - r) d, so r (2 - r) of the picture is left. `rotate_range`: the angle of
    the grid in degrees. `invert`: the squares are kept and the rest is blanked.
    """

    name: ClassVar[str] = "gridmask"

    d_range: Json = span([0.43, 1.0], 0.001, 65535)
    ratio: float = number(0.6, 0, 1)
    rotate_range: Json = span([0, 360], -360, 360)
    invert: bool = switch(False)

    def draw(self, picture: Picture, rng: Rng, boxes: Array = _NO_BOXES) -> dict[str, Any]:
        least, most = (_pixels(one, picture) for one in self.d_range)
        d = max(float(rng.numpy.uniform(least, most)), 1.0)
        x, y = rng.numpy.uniform(0, d, 2).tolist()
        angle = float(rng.numpy.uniform(*self.rotate_range))
        return {"d": d, "x": x, "y": y, "angle": angle, **self._noise(rng)}

    def blank(self, height: int, width: int, params: Mapping[str, Any]) -> Array:
        cos, sin = math.cos(math.radians(params["angle"])), math.sin(math.radians(params["angle"]))
        across = (np.arange(width) + 0.5 - width / 2) / params["d"]
        down = (np.arange(height) + 0.5 - height / 2) / params["d"]
        squares = self._stripes(down * sin, across * cos, params["x"] / params["d"])
        squares &= self._stripes(down * cos, across * -sin, params["y"] / params["d"])
        return ~squares if self.invert else squares

    def _stripes(self, down: Array, across: Array, start: float) -> Array:
        """Where the sum of both, in units of the grid, lies in the first (1 - r) of a unit."""
        along = np.add.outer((down + start).astype(np.float32), across.astype(np.float32))
        along -= np.floor(along)
        stripes: Array = along < 1 - self.ratio
        return stripes


@dataclass(frozen=True)
class HideAndSeek(_Eraser):
    """Some cells of a grid are hidden, each by itself: Singh and Lee, Hide-and-Seek (2017, arXiv:1704.04232).

    `grids`: how many cells lie along the shorter side; one of them is drawn. The default is the paper's cells of 56,
    44, 32 and 16 of 224 pixels. `hide`: the probability that a cell is hidden.
    """

    name: ClassVar[str] = "hide_and_seek"

    grids: Json = arg([4, 5, 7, 14], type="array", items={"type": "integer", "minimum": 1, "maximum": 64}, minItems=1)
    hide: float = number(0.5, 0, 1)

    def draw(self, picture: Picture, rng: Rng, boxes: Array = _NO_BOXES) -> dict[str, Any]:
        side = max(min(picture.width, picture.height) / int(rng.numpy.choice(self.grids)), 1.0)
        rows, columns = math.ceil(picture.height / side), math.ceil(picture.width / side)
        hidden = rng.numpy.random((rows, columns)) < self.hide
        return {"side": side, "hidden": hidden, **self._noise(rng)}

    def blank(self, height: int, width: int, params: Mapping[str, Any]) -> Array:
        down, across = (((np.arange(n) + 0.5) / params["side"]).astype(int) for n in (height, width))
        where: Array = np.asarray(params["hidden"])[down[:, None], across]
        return where
