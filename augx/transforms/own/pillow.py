"""Ops of the policies as Pillow has them, which Albumentations lacks or does otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import cv2
import numpy as np

from augx.errors import ImageError
from augx.model import Picture
from augx.seeds import Rng
from augx.transforms.own.base import Array, Still, span

_SMOOTH = np.array([[1, 1, 1], [1, 5, 1], [1, 1, 1]], np.float32) / 13
_NO_BOXES = np.zeros((0, 4), np.float32)


@dataclass(frozen=True)
class Sharpness(Still):
    """The Sharpness of AutoAugment and its followers: s + f (x - s), where s is the picture smoothed by a 3 x 3 kernel
    (1, but 5 in the middle). f 0 is s, 1 the picture, above 1 sharper. The outermost pixels stay.
    """

    name: ClassVar[str] = "sharpness"
    factor_range: list[float] = span([0.1, 1.9], 0, 10)

    def draw(self, picture: Picture, rng: Rng, boxes: Array = _NO_BOXES) -> dict[str, Any]:
        return {"factor": rng.python.uniform(*self.factor_range)}

    def apply(self, picture: Picture, params: Mapping[str, Any]) -> Picture:
        pixels, factor = picture.pixels, params["factor"]
        kernel = _SMOOTH * (1 - factor)
        kernel[1, 1] += factor
        result = pixels.copy()
        result[1:-1, 1:-1] = cv2.filter2D(pixels, -1, kernel)[1:-1, 1:-1]
        return replace(picture, pixels=result)


class _Table(Still):
    """Each channel's levels become others, by a table made of the channel. 8 bits only."""

    def draw(self, picture: Picture, rng: Rng, boxes: Array = _NO_BOXES) -> dict[str, Any]:
        return {}

    def apply(self, picture: Picture, params: Mapping[str, Any]) -> Picture:
        if picture.pixels.dtype != np.uint8:
            message = f"{self.name} works on 8 bits only and this picture has 16; write output: {{image: {{bits: 8}}}}"
            raise ImageError("no-16-bit", message, "transform")
        planes = [cv2.LUT(plane, self.table(plane)) for plane in cv2.split(picture.pixels)]
        pixels: Array = planes[0] if len(planes) == 1 else cv2.merge(planes)
        return replace(picture, pixels=pixels)

    def table(self, plane: Array) -> Array:
        """(256,) uint8: the new level of each."""
        raise NotImplementedError


@dataclass(frozen=True)
class PillowAutocontrast(_Table):
    """The AutoContrast of AutoAugment and its followers: each channel's darkest level becomes 0, its brightest 255,
    those between in proportion. Albumentations' `AutoContrast` does not see pixels of 255: with them in the picture it
    stretches the next darker ones to white.
    """

    name: ClassVar[str] = "pillow_autocontrast"

    def table(self, plane: Array) -> Array:
        low, high = int(plane.min()), int(plane.max())
        levels = np.arange(256)
        if low < high:
            levels = (levels - low) * 255 // (high - low)
        table: Array = levels.clip(0, 255).astype(np.uint8)
        return table


@dataclass(frozen=True)
class PillowEqualize(_Table):
    """The Equalize of AutoAugment and its followers: each channel's levels are spread by how many pixels are darker, so
    that the darkest becomes 0 and the brightest 255. Albumentations' `Equalize` counts the pixels of the level itself,
    too: in its mode `pil` a black half of a picture becomes grey, and in `cv` a white half leaves the rest dark.
    """

    name: ClassVar[str] = "pillow_equalize"

    def table(self, plane: Array) -> Array:
        counts = np.bincount(plane.reshape(-1), minlength=256)
        one = (plane.size - counts[plane.max()]) // 255  # pixels to a level
        if not one:
            return np.arange(256, dtype=np.uint8)
        darker = np.cumsum(counts) - counts
        table: Array = np.minimum((darker + one // 2) // one, 255).astype(np.uint8)
        return table
