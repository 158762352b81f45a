"""A picture as sixels: letters that stand for six pixels below each other, one colour after the other."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from augx import images
from augx.drawing.canvas import Pixels

_LEVELS = 6  # of each channel: 216 colours, of the 256 that every such terminal has


def sixels(png: bytes) -> str:
    """Of a PNG in RGB."""
    numbers = _numbered(np.asarray(images.decode(png, None).picture.pixels, np.uint8))
    return "".join(["\x1bPq", *_colours(), *_bands(numbers), "\x1b\\"])


def _numbered(pixels: Pixels) -> NDArray[np.intp]:
    """(H, W): for each pixel the number of a colour near it, dithered in a fixed pattern so that shades stay."""
    rows, columns = np.indices(pixels.shape[:2])
    pattern = np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]]) / 16
    levels = pixels / 255 * (_LEVELS - 1) + pattern[rows % 4, columns % 4, None]
    red, green, blue = np.moveaxis(np.minimum(levels.astype(np.intp), _LEVELS - 1), 2, 0)
    return np.asarray((red * _LEVELS + green) * _LEVELS + blue)


def _colours() -> Iterator[str]:
    """In percent."""
    for number in range(_LEVELS**3):
        channels = (number // _LEVELS**2, number // _LEVELS % _LEVELS, number % _LEVELS)
        yield f"#{number};2;" + ";".join(str(round(level * 100 / (_LEVELS - 1))) for level in channels)


def _bands(numbers: NDArray[np.intp]) -> Iterator[str]:
    for top in range(0, len(numbers), 6):
        band = numbers[top : top + 6]
        weights = 1 << np.arange(len(band))
        lines = []
        for number in np.unique(band).tolist():
            bits = (band == number).T @ weights
            runs = ((chr(63 + int(bit)), len(list(some))) for bit, some in groupby(bits.tolist()))
            lines.append(f"#{number}" + "".join(f"!{count}{one}" if count > 3 else one * count for one, count in runs))
        yield "$".join(lines) + "-"
