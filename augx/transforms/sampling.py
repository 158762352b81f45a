"""How a picture is sampled where a matrix says: pixels put in other places whole, or averaged over what each new one
covers.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from augx.transforms.warps import Matrix, Rows, rows_of

Array = NDArray[Any]
Box = tuple[float, float, float, float]  # x0, y0, x1, y1
Paces = tuple[float, float]
Grain = Literal["sharp", "interpolated", "blurred"]  # what was done to a picture just now, which softens it

NEAR = 1e-6  # pixels, by which arithmetic may be off
UP_TO = 1.02  # pixels between samples, up to which none is passed over
LARGEST = 2.9  # pixels between samples, above which a plane is halved
WIDEST = 3.45  # pixels between samples in one direction, up to which three taps do
_SAME = 1e-9  # by which numbers of a matrix may be off
_TAPS = (  # pace below, outer taps
    (UP_TO, 0.0), (1.3, 0.07), (1.75, 0.12), (2.15, 0.18), (LARGEST, 0.25), (WIDEST, 1 / 3)
)  # fmt: skip
_BLUNT = 1.45  # pixels between samples, up to which a picture that was just interpolated is soft enough
_KEPT = 4 << 20  # bytes of a softened plane
_MOST_KEPT = 6  # of them
_MOST_BORDERED = 2  # colours of borders
_UNEVEN = 1.4  # times as far apart in one direction as in the other, from which they are softened apart


def shift(x: float, y: float) -> Rows:
    return (1.0, 0.0, x), (0.0, 1.0, y), (0.0, 0.0, 1.0)


def scale(x: float, y: float) -> Rows:
    return (x, 0.0, 0.0), (0.0, y, 0.0), (0.0, 0.0, 1.0)


def inverse(values: Rows) -> Rows:
    (a, b, x), (c, d, y), (e, f, w) = values
    if e or f:
        return rows_of(np.linalg.inv(np.array(values)))
    of = w / (a * d - b * c)
    return (
        (d * of, -b * of, (b * y - d * x) * of / w),
        (-c * of, a * of, (c * x - a * y) * of / w),
        (0.0, 0.0, 1.0),
    )


def box_of(back: Rows, width: int, height: int) -> Box:
    """x0, y0, x1, y1 of what a canvas shows."""
    (a, b, x), (c, d, y), (e, f, w) = back
    if e or f:
        places = Matrix(back, 0, 0).points(np.array([[0, 0], [width, 0], [width, height], [0, height]], float))
        return (*places.min(axis=0).tolist(), *places.max(axis=0).tolist())
    along, across, down, beside = a * width / w, b * height / w, d * height / w, c * width / w
    x, y = x / w, y / w
    return (
        x + min(along, 0) + min(across, 0),
        y + min(beside, 0) + min(down, 0),
        x + max(along, 0) + max(across, 0),
        y + max(beside, 0) + max(down, 0),
    )


def is_exact(warp: Matrix) -> bool:
    """Whether pixels only change places: quarter turns, mirrors and shifts by whole pixels."""
    if warp.perspective:
        return False
    (a, b, x), (c, d, y), _ = warp.rows
    sides = (a, d, b, c) if abs(a) > abs(b) else (b, c, a, d)
    whole = all(abs(abs(one) - 1) < _SAME for one in sides[:2]) and all(abs(one) < _SAME for one in sides[2:])
    return whole and abs(x - round(x)) < _SAME and abs(y - round(y)) < _SAME


def is_inside(warp: Matrix, width: int, height: int) -> bool:
    """Whether a warp shows nothing that lies outside of a canvas."""
    if warp.bends:
        return False
    back = inverse(warp.rows)
    if warp.perspective:
        e, f, w = back[2]
        if any((e * x + f * y + w) * w <= 0 for x in (0, warp.width) for y in (0, warp.height)):
            return False
    x0, y0, x1, y1 = box_of(back, warp.width, warp.height)
    return min(x0, y0) >= -NEAR and x1 <= width + NEAR and y1 <= height + NEAR


def whole(values: Box) -> bool:
    return all(abs(value - round(value)) < NEAR for value in values)


def turned(plane: Array, matrix: Matrix) -> Array:
    """Mirrored and transposed as a straight matrix does it."""
    (a, b, _), (c, d, _), _ = matrix.rows
    if abs(b) > abs(a):
        plane, a, d = cv2.transpose(plane), b, c
    if a < 0 or d < 0:
        plane = cv2.flip(plane, -1 if a < 0 and d < 0 else 1 if a < 0 else 0)
    return plane


def placed(plane: Array, matrix: Matrix, back: Rows, mode: int, value: tuple[float, ...]) -> Array:
    """Pixels put in other places, whole."""
    x0, y0, x1, y1 = (round(edge) for edge in box_of(back, matrix.width, matrix.height))
    height, width = plane.shape[:2]
    top, bottom, left, right = max(-y0, 0), max(y1 - height, 0), max(-x0, 0), max(x1 - width, 0)
    if not (top or bottom or left or right):
        return turned(plane[y0:y1, x0:x1], matrix)
    if mode != cv2.BORDER_CONSTANT:
        plane = cv2.copyMakeBorder(plane, top, bottom, left, right, mode)
        return turned(plane[y0 + top : y1 + top, x0 + left : x1 + left], matrix)
    part = plane[max(y0, 0) : max(y1, 0), max(x0, 0) : max(x1, 0)]
    if part.size:
        return turned(cv2.copyMakeBorder(part, top, bottom, left, right, mode, value=value), matrix)
    empty = np.empty((matrix.height, matrix.width, *plane.shape[2:]), plane.dtype)
    empty[...] = np.rint(value[: plane.shape[2]] if plane.ndim == 3 else value[0])
    return empty


def averaged(plane: Array, paces: Paces) -> tuple[Array, tuple[float, float]]:
    """A plane smaller in the directions in which samples are far apart, and how large it is against what it was."""
    was = np.array([plane.shape[1], plane.shape[0]])
    size = np.maximum(np.rint(was / np.maximum(np.array(paces) / 2, 1)), 1).astype(int)
    across, down = (size / was).tolist()
    return cv2.resize(plane, (int(size[0]), int(size[1])), interpolation=cv2.INTER_AREA), (across, down)


class Levels:
    """A plane in full, half, quarter ... size, softened to measure; each is made when it is first wanted.

    A bilinear sample finds the source's pixels at their very places, but where samples are 1 to 3 pixels apart it
    misses what lies between them. Three taps [a, 1 - 2a, a] that spread as an average over so many pixels does make up
    for that, to 40 dB; halves only come in above, as they have lost where within two pixels an edge was.
    """

    drafted = 0  # the level of the largest plane that is more than a stand-in

    def __init__(self, plane: Array, grain: Grain = "sharp") -> None:
        self.planes, self.grain = [plane], grain
        self._soft: dict[tuple[int, float, float], Array] = {}
        self._bordered: dict[tuple[int, tuple[float, ...]], Levels] = {}

    @property
    def small(self) -> bool:
        """What is made of the plane is kept for the next copies; what is made of large ones would take too much."""
        return self.planes[0].nbytes <= _KEPT

    def bordered(self, room: int, value: tuple[float, ...]) -> Levels:
        """Of the plane with a constant border."""
        if (room, value) not in self._bordered:
            if len(self._bordered) >= _MOST_BORDERED:
                self._bordered.clear()
            plane = cv2.copyMakeBorder(self.planes[0], room, room, room, room, cv2.BORDER_CONSTANT, value=value)
            self._bordered[room, value] = Levels(plane, self.grain)
        return self._bordered[room, value]

    @property
    def whole(self) -> Levels:
        return self

    def plane(self, level: int) -> Array:
        """In 1 / 2^level of the size."""
        while len(self.planes) <= level:
            last = self.planes[-1]
            rows, columns = last.shape[:2]
            if rows % 2 or columns % 2:
                last = cv2.copyMakeBorder(last, 0, rows % 2, 0, columns % 2, cv2.BORDER_REPLICATE)
            size = (columns + 1) // 2, (rows + 1) // 2
            self.planes.append(cv2.resize(last, size, interpolation=cv2.INTER_AREA))
        return self.planes[level]

    def part(self, level: int, taps: tuple[float, float], window: tuple[int, int, int, int]) -> Array:
        """What a part of the plane, from x0, y0 to x1, y1, is in 1 / 2^level of the size, softened. The corner lies on
        a pixel of that size."""
        grid = 1 << level
        x0, y0, x1, y1 = window
        part = slice(y0 >> level, -(-y1 // grid)), slice(x0 >> level, -(-x1 // grid))
        plane = self.plane(level)
        if taps == (0.0, 0.0):
            return plane[part]
        if plane.nbytes > _KEPT:
            return _softened(plane[part], taps)
        key = level, *taps
        if key not in self._soft:
            if len(self._soft) >= _MOST_KEPT:
                self._soft.clear()
            self._soft[key] = _softened(plane, taps)
        return self._soft[key][part]


class Drafts(Levels):
    """Of a JPEG that its decoder has made smaller, which is as good as halves and costs less. `planes` has a stand-in,
    which only knows its size; what is larger than the draft has to be made of the `whole`."""

    def __init__(self, stand_in: Array, level: int, small: Array, whole: Callable[[], Array]) -> None:
        """`small`: in 1 / 2^level of the size."""
        super().__init__(stand_in)
        self.drafted = level
        self._small = Levels(small)
        self._decode = whole
        self._whole: Levels | None = None

    @property
    def whole(self) -> Levels:
        if self._whole is None:
            self._whole = Levels(self._decode())
        return self._whole

    def plane(self, level: int) -> Array:
        return self._small.plane(level - self.drafted)


def _softened(plane: Array, taps: tuple[float, float]) -> Array:
    x, y = (np.array([one, 1 - 2 * one, one]) for one in taps)
    return cv2.sepFilter2D(plane, -1, x, y, borderType=cv2.BORDER_REPLICATE)


def level_of(paces: Paces) -> int:
    """How often a plane is halved before it is softened."""
    return max(0, math.ceil(math.log2(max(math.sqrt(paces[0] * paces[1]), 1e-9) / LARGEST)))


def at_level(paces: Paces, level: int) -> Paces:
    """On a plane that was halved so often."""
    return paces[0] * 0.5**level, paces[1] * 0.5**level


def softness(paces: Paces, grain: Grain) -> tuple[float, float]:
    """The outer taps, across and down, in few steps, so that copies share planes."""
    across, down = paces
    if max(across, down) <= min(LARGEST, _UNEVEN * min(across, down)):
        across = down = math.sqrt(across * down)
    if grain == "blurred":  # nothing can be missed: no more than what new pixels are larger
        return _blunt(across), _blunt(down)
    if grain == "interpolated" and max(across, down) < _BLUNT:
        return 0.0, 0.0
    return _tap(across), _tap(down)


def _blunt(pace: float) -> float:
    return min(max((pace * pace - 1) / 24, 0.0), _TAPS[-1][1])


def _tap(pace: float) -> float:
    for most, tap in _TAPS:
        if pace < most:
            return tap
    return _TAPS[-1][1]


def paces_of(back: Rows, width: int, height: int) -> Paces:
    """How many pixels of the source, across and down, lie between neighbours in the middle of a canvas."""
    (a, b, x), (c, d, y), (e, f, w) = back
    weight = e * width / 2 + f * height / 2 + w
    if e or f:
        across, down = (a * width + b * height) / 2 + x, (c * width + d * height) / 2 + y
        across, down = across / weight, down / weight
        a, b, c, d = a - across * e, b - across * f, c - down * e, d - down * f
    return math.hypot(a, b) / abs(weight), math.hypot(c, d) / abs(weight)
