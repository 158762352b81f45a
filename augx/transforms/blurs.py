"""Gaussian blurs that wait with the warps. What is blurred on a canvas that turned or scaled the picture could as well
be blurred on the picture, by as much as the canvas shows of it: so a blur keeps no two warps apart.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from augx.transforms.warps import Matrix

Array = NDArray[Any]
_LEAST = 0.003  # square pixels of spread, which change nothing in 8 bits
_THREE = 0.25  # square pixels, up to which three taps have them exactly
_SOFT = 0.25  # square pixels
_HALVES, _QUARTERS = 3.0, 12.0  # square pixels
_SAME = 1e-9
_NONE = np.ones(1)


@dataclass(frozen=True, eq=False)
class Blur:
    """`kernel`: odd, float64, sums to 1, for both directions, in pixels of the canvas."""

    kernel: Array

    @property
    def softens(self) -> bool:
        """Whether what is blurred has no edge that bilinear samples could miss."""
        return spread(self.kernel) >= _SOFT

    def over(self, plane: Array) -> Array:
        return filtered(plane, self.kernel, self.kernel)


@dataclass(frozen=True, eq=False)
class Front:
    """A blur in front of a warp. `across`, `down`: its kernels, in pixels of the picture. `frame`: x0, y0, x1, y1 of
    the part it was for. `bordered`: a constant border around it is blurred, too."""

    across: Array
    down: Array
    frame: tuple[int, int, int, int]
    bordered: bool

    @property
    def reach(self) -> int:
        """Pixels of the picture."""
        return max(len(self.across), len(self.down)) // 2

    def softens(self, level: int) -> bool:
        """As for `Blur`, of a picture in 1 / 2^level of the size."""
        return min(spread(self.across), spread(self.down)) * 0.25**level >= _SOFT

    @property
    def level(self) -> int:
        """How often the picture can be halved before it is blurred, and nobody sees it."""
        least = min(spread(self.across), spread(self.down))
        return 0 if least < _HALVES else 1 if least < _QUARTERS else 2

    def over(self, plane: Array, level: int = 0, taps: tuple[float, float] = (0.0, 0.0)) -> Array:
        """A part of the picture in 1 / 2^level of the size, blurred, and softened by outer taps across and down."""
        kernels = (_at(kernel, level) for kernel in (self.across, self.down))
        across, down = (
            np.convolve(kernel, [tap, 1 - 2 * tap, tap]) if tap else kernel
            for kernel, tap in zip(kernels, taps, strict=True)
        )
        return filtered(plane, across, down)


def front(blur: Blur, matrix: Matrix, frame: tuple[int, int, int, int], bordered: bool) -> Front | None:
    """A blur of what `matrix` makes of `frame`, before it; None where it would not be one along rows and columns."""
    if matrix.perspective or matrix.bends:
        return None
    (a, b, _), (c, d, _), _ = matrix.rows
    x, y = math.hypot(a, c), math.hypot(b, d)  # new pixels for one across, and down
    if not (x and y and (matrix.straight or (abs(x - y) <= _SAME * x and abs(a * b + c * d) <= _SAME * x * y))):
        return None
    return Front(scaled(blur.kernel, 1 / x), scaled(blur.kernel, 1 / y), frame, bordered)


def spread(kernel: Array) -> float:
    """In square pixels."""
    return float(kernel @ np.square(np.arange(len(kernel)) - len(kernel) // 2))


def scaled(kernel: Array, scale: float) -> Array:
    """A Gaussian for pixels that are `scale` times as many."""
    return kernel if abs(scale - 1) < _SAME else _gaussian(spread(kernel) * scale * scale)


def _at(kernel: Array, level: int) -> Array:
    """For a picture in 1 / 2^level of the size, which has been averaged and will be interpolated for that."""
    more = 4**level
    return _gaussian((spread(kernel) - (more - 1) / 4) / more) if level else kernel


def _gaussian(wide: float) -> Array:
    """With a spread of so many square pixels."""
    if wide < _LEAST:
        return _NONE
    if wide < _THREE:
        return np.array([wide / 2, 1 - wide, wide / 2])
    radius = math.ceil(3 * math.sqrt(wide))
    values = np.exp(np.square(np.arange(-radius, radius + 1)) / (-2 * wide))
    return np.asarray(values / values.sum())


def filtered(plane: Array, across: Array, down: Array) -> Array:
    if len(across) == len(down) == 1:
        return plane
    done: Array = cv2.sepFilter2D(plane, -1, across, down)
    return done
