"""The pixels of small windows in another order: the kernel filter of Shorten and Khoshgoftaar's survey (2019)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from augx.model import Picture
from augx.seeds import Rng
from augx.transforms.own.base import _NO_BOXES, Array, Still, whole

_BAND = 2**18  # pixels shuffled at a time, so that huge pictures take no more memory


@dataclass(frozen=True)
class PatchShuffle(Still):
    """Kang, Dong, Zheng and Yang, PatchShuffle Regularization (2017, arXiv:1707.07103).

    The picture is cut into windows of `size` x `size` pixels that do not overlap, and in each the pixels change places
    at random, evenly over all orders. What is left over at the right and below stays. Places move by less than `size`,
    so labels stay. The paper trains with p 0.05 and size 2.
    """

    name: ClassVar[str] = "patch_shuffle"

    size: int = whole(2, 2, 16)

    def draw(self, picture: Picture, rng: Rng, boxes: Array = _NO_BOXES) -> dict[str, Any]:
        return {"seed": int(rng.numpy.integers(2**32))}

    def apply(self, picture: Picture, params: Mapping[str, Any]) -> Picture:
        size, pixels = int(self.size), picture.pixels.copy()
        rows, columns = picture.height // size, picture.width // size
        if not rows or not columns:
            return replace(picture, pixels=pixels)
        generator = np.random.default_rng(params["seed"])
        band = max(_BAND // (columns * size * size), 1)
        for row in range(0, rows, band):
            part = pixels[row * size : min(row + band, rows) * size, : columns * size]
            part[:] = _shuffled(part, size, generator)
        return replace(picture, pixels=pixels)


def _shuffled(part: Array, size: int, generator: np.random.Generator) -> Array:
    rows, columns, more = part.shape[0] // size, part.shape[1] // size, part.shape[2:]
    windows = part.reshape(rows, size, columns, size, *more).swapaxes(1, 2).reshape(rows * columns, size * size, *more)
    # A random number with the pixel's own below it: no two are equal, so every way of sorting gives the same order.
    keys = generator.integers(2**24, size=windows.shape[:2], dtype=np.uint32) << 8
    keys |= np.arange(size * size, dtype=np.uint32)
    keys.sort(axis=1)
    places = (keys & 255) + np.arange(len(keys), dtype=np.uint32)[:, None] * (size * size)
    shuffled: Array = windows.reshape(-1, *more)[places]
    shuffled = shuffled.reshape(rows, columns, size, size, *more).swapaxes(1, 2)
    return shuffled.reshape(part.shape)
