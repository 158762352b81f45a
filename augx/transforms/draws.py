"""The geometric transforms of Albumentations 2.0.8, drawn without importing it.

From the same generators come the same numbers, bit for bit: whatever rounds is computed in the same order by the same
functions, and every number is drawn that it draws, needed or not. What a picture is too small for is said here, before
anything is done to pixels.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from augx.model import Json
from augx.seeds import Rng
from augx.transforms.draws_crops import CROPS, Draw, Params
from augx.transforms.lowering import lower
from augx.transforms.misfits import empty, failed
from augx.transforms.settings import Pair, readable, settings
from augx.transforms.warps import Matrix

Array = NDArray[Any]

_SMALL = 1e-10
_SHORTEST = 2  # pixels, a side of the quadrangle that Perspective spreads over the picture
_SYMMETRIES = np.array(["e", "r90", "r180", "r270", "v", "hvt", "h", "t"])


@dataclass(frozen=True, slots=True)
class Geometry:
    """One step that moves pixels by a matrix.

    `settings`: what the recipe says and the defaults for the rest, as attributes named as the arguments: where they
    have them, `border_mode`, `interpolation` (OpenCV's numbers), `area_for_downscale`, `fill` (levels of 0..255, one
    or three) and `fill_mask` (None: the recipe says nothing).
    """

    name: str
    settings: SimpleNamespace

    def draw(self, width: int, height: int, rng: Rng) -> Params:
        """Everything random, for a picture of this size, as `warp`, `Classical.apply` and the manifest want it.

        Raises ImageError where the picture is too small. In CropAndPad `fill`, in levels of 0..255 at any depth, and
        `fill_mask` are drawn.
        """
        try:
            return {"shape": (height, width), **_DRAWS[self.name](self.settings, width, height, rng)}
        except Exception as error:
            raise failed(self.name, (width, height), error) from error

    def warp(self, params: Params, width: int, height: int) -> Matrix | None:
        """Where things go; None: they stay where they are."""
        if self.name == "NoOp":
            return None
        found = lower(self.name, self.settings, params, width, height)
        assert found is None or isinstance(found, Matrix)
        return found


def geometry(name: str, args: Mapping[str, Json]) -> Geometry | None:
    """The step, or None where it cannot be drawn here. `args` as `problems.check` accepts them."""
    return Geometry(name, settings(name, args)) if name in _DRAWS and readable(name, args) else None


def _nothing(s: SimpleNamespace, width: int, height: int, rng: Rng) -> Params:
    return {}


def _quarter_turns(s: SimpleNamespace, width: int, height: int, rng: Rng) -> Params:
    return {"factor": rng.python.randint(0, 3)}


def _symmetry(s: SimpleNamespace, width: int, height: int, rng: Rng) -> Params:
    return {"group_element": str(rng.numpy.choice(_SYMMETRIES))}


def _affine(s: SimpleNamespace, width: int, height: int, rng: Rng) -> Params:
    uniform = rng.python.uniform
    if s.translate_percent is not None:
        across, down = (uniform(*span) for span in s.translate_percent)
        shift = int(across * width), int(down * height)
    else:
        (x0, x1), (y0, y1) = s.translate_px or ((0, 0), (0, 0))
        shift = rng.python.randint(int(x0), int(x1)), rng.python.randint(int(y0), int(y1))
    shear = -uniform(*s.shear[0]), -uniform(*s.shear[1])
    x, y = (_factor(span, s.balanced_scale, rng) for span in s.scale)
    return _linear(shift, shear, (x, x if s.keep_ratio else y), uniform(*s.rotate), width, height, s.fit_output)


def _factor(span: Pair, balanced: bool, rng: Rng) -> float:
    """`balanced`: as often below 1 as above."""
    if balanced:
        parts = [(span[0], 1.0)] * (span[0] < 1) + [(1.0, span[1])] * (span[1] > 1)
        if not parts:
            return 1.0
        span = rng.python.choice(parts) if len(parts) == 2 else parts[0]
    return rng.python.uniform(*span)


def _shift_scale_rotate(s: SimpleNamespace, width: int, height: int, rng: Rng) -> Params:
    uniform = rng.python.uniform
    across = uniform(*(s.shift_limit if s.shift_limit_x is None else s.shift_limit_x))
    down = uniform(*(s.shift_limit if s.shift_limit_y is None else s.shift_limit_y))
    shear = -uniform(0, 0), -uniform(0, 0)
    scale = uniform(*s.scale_limit), uniform(*s.scale_limit)
    shift = int(across * width), int(down * height)
    return _linear(shift, shear, scale, uniform(*s.rotate_limit), width, height)


def _linear(
    shift: tuple[int, int], shear: Pair, scale: Pair, degrees: float, width: int, height: int, fit: bool = False
) -> Params:
    matrix, shape = _matrix(shift, shear, scale, degrees, width, height), (height, width)
    if fit:
        matrix, shape = _fitted(matrix, width, height)
    return {"rotate": degrees, "scale": {"x": scale[0], "y": scale[1]}, "matrix": matrix, "output_shape": shape}


def _matrix(shift: tuple[int, int], shear: Pair, scale: Pair, degrees: float, width: int, height: int) -> Array:
    """Scaled, turned and sheared about the middle and then shifted, for pixel centres."""
    angle = np.deg2rad(degrees % 360)
    cos, sin = float(np.cos(angle)), float(np.sin(angle))
    tan_x, tan_y = (np.tan(np.deg2rad(one)) + 0.0 if one else 0.0 for one in shear)
    x, y = width / 2 - 0.5, height / 2 - 0.5
    last = (0.0, 0.0, 1.0)
    across, down = scale
    if tan_x or tan_y:
        sheared = np.array(((1.0, tan_x, x + shift[0]), (tan_y, 1.0, y + shift[1]), last))
        turned = np.array(((cos, sin, 0.0), (-sin, cos, 0.0), last))
        scaled = np.array(((across, 0.0, 0.0), (0.0, down, 0.0), last))
        before = sheared @ turned @ scaled
    else:  # which is the same to the bit: nothing but zeros is added
        (a, b), (c, d) = (cos * across, sin * down), (-sin * across, cos * down)
        before = np.array(((a, b, x + shift[0]), (c, d, y + shift[1]), last))
    matrix: Array = before @ np.array(((1.0, 0.0, -x), (0.0, 1.0, -y), last))
    matrix[2] = last
    return matrix


def _fitted(matrix: Array, width: int, height: int) -> tuple[Array, tuple[int, int]]:
    """Moved so that the whole picture is on a canvas, and the height and width of that."""
    corners = np.array(((0.0, 0.0, 1.0), (width, 0.0, 1.0), (width, height, 1.0), (0.0, height, 1.0))) @ matrix.T
    x0, y0 = np.floor(corners[:, :2].min(axis=0)).astype(int).tolist()
    x1, y1 = np.ceil(corners[:, :2].max(axis=0)).astype(int).tolist()
    matrix = matrix.copy()
    matrix[:2, 2] -= x0, y0
    return matrix, (y1 - y0 + 1, x1 - x0 + 1)


def _rotate(s: SimpleNamespace, width: int, height: int, rng: Rng) -> Params:
    angle = rng.python.uniform(*s.limit)
    x0, y0, x1, y1 = _largest(angle, width, height) if s.crop_border else (-1, -1, -1, -1)
    if s.crop_border and (x1 <= x0 or y1 <= y0):
        raise empty((width, height))
    matrix = _matrix((0, 0), (0, 0), (1, 1), angle, width, height)
    return {"x_min": x0, "x_max": x1, "y_min": y0, "y_max": y1, "matrix": matrix}


def _largest(degrees: float, width: int, height: int) -> tuple[int, int, int, int]:
    """The largest upright box in a turned picture, about its middle."""
    angle = math.radians(degrees)
    sin, cos = abs(math.sin(angle)), abs(math.cos(angle))
    long, short = max(width, height), min(width, height)
    if short <= 2.0 * sin * cos * long or abs(sin - cos) < _SMALL:  # two of its corners lie on the long sides
        half = 0.5 * short
        wide, high = (half / sin, half / cos) if width >= height else (half / cos, half / sin)
    else:
        both = cos * cos - sin * sin
        wide, high = (width * cos - height * sin) / both, (height * cos - width * sin) / both
    x0, x1 = max(0, int(width / 2 - wide / 2)), min(width, int(width / 2 + wide / 2))
    y0, y1 = max(0, int(height / 2 - high / 2)), min(height, int(height / 2 + high / 2))
    return x0, y0, x1, y1


def _safe_rotate(s: SimpleNamespace, width: int, height: int, rng: Rng) -> Params:
    angle = rng.python.uniform(*s.limit)
    matrix, scale = _turned_small(angle, width / 2 - 0.5, height / 2 - 0.5, width, height)
    return {"rotate": angle, "scale": scale, "matrix": matrix, "output_shape": (height, width)}


def _turned_small(degrees: float, x: float, y: float, width: int, height: int) -> tuple[Array, dict[str, float]]:
    """Turned about a place, and made as small as it takes for all to stay in the picture."""
    turn = cv2.getRotationMatrix2D((x, y), degrees, 1.0)
    cos, sin = abs(turn[0, 0]), abs(turn[0, 1])
    wide, high = int(height * sin + width * cos), int(height * cos + width * sin)
    turn[:, 2] += np.array((wide / 2 - x, high / 2 - y))
    scale = {"x": width / wide, "y": height / high}
    smaller = np.array(((scale["x"], 0.0, 0.0), (0.0, scale["y"], 0.0), (0.0, 0.0, 1.0)))
    return smaller @ np.vstack((turn, (0.0, 0.0, 1.0))), scale


def _perspective(s: SimpleNamespace, width: int, height: int, rng: Rng) -> Params:
    scale = rng.python.uniform(*s.scale)
    inward = np.mod(np.abs(rng.numpy.normal(0, scale, (4, 2))), 0.32).tolist()
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = inward
    shares = (ax, ay), (1.0 - bx, by), (1.0 - cx, 1.0 - cy), (dx, 1.0 - dy)
    corners = _ordered([(x * width, y * height) for x, y in shares])
    wide, high = _sides(corners)
    picture = np.array(((0, 0), (width, 0), (width, height), (0, height)), np.float32)
    matrix = cv2.getPerspectiveTransform(corners, picture)
    if s.fit_output:
        seen = cv2.perspectiveTransform(picture[None], matrix)[0]
        seen = np.around(seen - seen.min(axis=0, keepdims=True), decimals=0)
        matrix = cv2.getPerspectiveTransform(picture, seen)
        wide, high = (int(size) for size in seen.max(axis=0))
    if wide < 1 or high < 1:
        raise empty((width, height))
    return {"matrix": matrix, "max_height": high, "max_width": wide}


def _ordered(corners: list[tuple[float, float]]) -> Array:
    """(4, 2) float32: upper left, upper right, lower right, lower left."""
    first, second, third, fourth = sorted(corners, key=lambda corner: corner[0])
    left = (first, second) if first[1] < second[1] else (second, first)
    right = (third, fourth) if third[1] < fourth[1] else (fourth, third)
    return np.array((left[0], right[0], right[1], left[1]), np.float32)


def _sides(corners: Array) -> tuple[int, int]:
    """The longer of the horizontal sides and of the vertical ones. Corners that are too near are moved apart."""
    pairs = ((1, 0), (2, 3)), ((2, 1), (3, 0))
    across = corners[[1, 2, 2, 3]] - corners[[0, 3, 1, 0]]
    lengths = np.sqrt(np.sum(across**2, axis=1))
    if (lengths >= _SHORTEST).all():
        upper, lower_, right, left = lengths.tolist()
        return int(max(upper, lower_)), int(max(right, left))
    wide, high = (max(_apart(corners[one], corners[other]) for one, other in sides) for sides in pairs)
    return int(wide), int(high)


def _apart(one: Array, other: Array) -> float:
    """The distance of two corners, which are moved apart in place where it is too short."""
    distance = np.sqrt(np.sum((one - other) ** 2))
    if distance >= _SHORTEST:
        return float(distance)
    step = (_SHORTEST - distance) / 2
    # In this order: each line looks at what the one before has done.
    one[one > other] += step
    other[one > other] -= step
    one[one <= other] -= step
    other[one <= other] += step
    return _SHORTEST


_DRAWS: Mapping[str, Draw] = {
    **CROPS,
    "Affine": _affine,
    "D4": _symmetry,
    "HorizontalFlip": _nothing,
    "NoOp": _nothing,
    "Perspective": _perspective,
    "RandomRotate90": _quarter_turns,
    "Rotate": _rotate,
    "SafeRotate": _safe_rotate,
    "ShiftScaleRotate": _shift_scale_rotate,
    "SquareSymmetry": _symmetry,
    "TimeReverse": _nothing,
    "Transpose": _nothing,
    "VerticalFlip": _nothing,
}
