"""Labelled pictures in other frames: scaled, cut and moved, pixels, masks and labels alike.

A matrix, (2, 3) or (3, 3), leads from places in the picture to places in the frame; both count from the outer edge of
their first pixel, so that a pixel's centre is at its index plus a half.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from augx.geometry import around, clip_ring, flat, pairs
from augx.labels import Carrier
from augx.model import Annotations, Dropped, Mask, Object, Picture
from augx.transforms.own.base import Rules
from augx.transforms.warps import Matrix, rows_of

Array = NDArray[Any]
Rectangle = tuple[int, int, int, int]  # x0, y0, x1, y1, whole pixels
Region = Rectangle | NDArray[np.bool_]  # of a picture: a rectangle, or (H, W), True where it is
Fill = int | tuple[int, int, int]

_MUCH = 0.5  # scale, under which linear interpolation leaves pixels out: it is done by areas then
_WASTE = 6  # times the pixels wanted, that may be made to be cut off again
_DIGITS = 3  # of a pixel, that a new coordinate is written with
_WHOLE = 1e-6  # pixels, by which arithmetic may miss a whole number


def placed(
    picture: Picture,
    matrix: ArrayLike,
    width: int,
    height: int,
    rules: Rules,
    fill: Fill = 0,
    window: Rectangle | None = None,
) -> tuple[Picture, tuple[Dropped, ...]]:
    """The picture in a frame of `width` x `height`, and the objects it has lost. Where it lies the same: the very one.

    `window`: the rectangle of the frame in which it is shown; objects are cut at its edges. Outside, and where the
    picture does not reach, pixels are `fill` (levels), alpha and instances 0, classes `rules.outside`.
    """
    whole = (0, 0, width, height)
    x0, y0, x1, y1 = window = window or whole
    values = np.eye(3)
    values[:2] = np.asarray(matrix, np.float64)[:2]
    if window == whole == (0, 0, picture.width, picture.height) and (values == np.eye(3)).all():
        return picture, ()
    inner, size = _shift(-x0, -y0) @ values, (x1 - x0, y1 - y0)

    def nearest(plane: Array, outside: int) -> Array:
        return _laid(_nearest(plane, inner, *size, outside), x0, y0, width, height, outside)

    pixels = _laid(_sampled(picture.pixels, inner, *size, fill), x0, y0, width, height, fill)
    alpha, mask, instances = picture.alpha, picture.mask, picture.instances
    if alpha is not None:
        alpha = _laid(_sampled(alpha, inner, *size, 0), x0, y0, width, height, 0)
    if mask is not None:
        mask = replace(mask, values=nearest(mask.values, rules.outside))
    known, lost = picture.annotations, tuple[Dropped, ...]()
    numbers: Mapping[int, int] = {}
    old = None if instances is None else instances.values
    new = None if instances is None else nearest(instances.values, 0)
    if known.objects:
        carrier = Carrier(known, picture.width, picture.height, rules.options, rules.swaps, old)
        carrier.move(Matrix(rows_of(inner), *size), lambda plane: _nearest(plane, inner, *size, 0))
        if window != whole:
            carrier.move(
                Matrix(rows_of(_shift(x0, y0)), width, height), lambda plane: _laid(plane, x0, y0, width, height, 0)
            )
        known, lost, numbers = carrier.finish(new)
        known = replace(known, objects=tuple(_within(thing, window) for thing in known.objects))
    elif known.size:
        known = replace(known, size=(width, height))
    if instances is not None and new is not None:
        instances = renumbered(replace(instances, values=new), numbers)
    return Picture(pixels, alpha, picture.icc, known, mask, instances), lost


def cover(
    picture: Picture, width: int, height: int, rules: Rules, u: float = 0.5, v: float = 0.5
) -> tuple[Picture, tuple[Dropped, ...]]:
    """The picture as large as it must be to cover a frame, cut there. See `covering`."""
    return placed(picture, covering(picture, width, height, u, v), width, height, rules)


def covering(
    picture: Picture, width: int, height: int, u: float = 0.5, v: float = 0.5, zoom: float = 1.0
) -> NDArray[np.float64]:
    """The matrix, (3, 3), that scales a picture, by a pixel without distortion, until it covers a frame, and `zoom`
    (from 1) times more. `u`, `v`: 0..1, which part is then seen: 0 the left (upper), 1 the right (lower) one."""
    scale = max(width / picture.width, height / picture.height) * zoom
    wide, high = max(width, round(picture.width * scale)), max(height, round(picture.height * scale))
    x, y = round(u * (wide - width)), round(v * (high - height))
    return np.array([[wide / picture.width, 0, -x], [0, high / picture.height, -y], [0, 0, 1]])


def part(picture: Picture, x0: int, y0: int, x1: int, y1: int, rules: Rules) -> tuple[Picture, tuple[Dropped, ...]]:
    """A rectangle of the picture, cut out."""
    return placed(picture, _shift(-x0, -y0), x1 - x0, y1 - y0, rules)


def bare(picture: Picture) -> Picture:
    """Pixels only."""
    return replace(picture, annotations=Annotations(), mask=None, instances=None)


def renumbered(instances: Mask, numbers: Mapping[int, int]) -> Mask:
    """A mask of instances whose values have become others; -1: none. Values without a new one stay."""
    if all(old == new for old, new in numbers.items()):
        return instances
    values = instances.values
    table = np.arange(int(values.max(initial=0)) + 1, dtype=np.uint16)
    for old, new in numbers.items():
        if 0 <= old < len(table):
            table[old] = max(new, 0)
    if max(numbers.values()) < 256 and values.dtype == np.uint8:
        return replace(instances, values=table.astype(np.uint8)[values])
    return Mask(table[values])  # a palette has no more than 256 colours


def numbered(objects: Iterable[Object], numbers: Mapping[int, int]) -> tuple[Object, ...]:
    """Objects whose indexes have become others likewise."""
    return tuple(
        replace(thing, index=numbers[thing.index]) if thing.index is not None and thing.index in numbers else thing
        for thing in objects
    )


def slices(rectangle: Rectangle) -> tuple[slice, slice]:
    x0, y0, x1, y1 = rectangle
    return slice(y0, y1), slice(x0, x1)


def _within(thing: Object, window: Rectangle) -> Object:
    """With an oriented box around no more than is seen of it. The carrier lets one that is no rectangle stick out of
    the picture, but here another picture may be."""
    if thing.corners is None:
        return thing
    x0, y0, x1, y1 = window
    corners = pairs(thing.corners) - (x0, y0)
    parts = clip_ring(corners, x1 - x0, y1 - y0)
    if not parts or parts[0] is corners:
        return thing
    fitted = around(np.concatenate(parts), corners) + np.array((x0, y0))
    return replace(thing, corners=flat(fitted.round(_DIGITS) + 0.0))


def _shift(x: float, y: float) -> Array:
    return np.array([[1.0, 0, x], [0, 1, y], [0, 0, 1]])


def _laid(source: Array, x: int, y: int, width: int, height: int, fill: Fill) -> Array:
    """(H, W) or (H, W, 3) in a frame, its upper left corner at (x, y), with `fill` around it."""
    high, wide = source.shape[:2]
    x0, y0, x1, y1 = max(x, 0), max(y, 0), min(x + wide, width), min(y + high, height)
    seen = source[max(-y, 0) : max(y1 - y, 0), max(-x, 0) : max(x1 - x, 0)]
    if (x0, y0, x1, y1) == (0, 0, width, height):
        return np.ascontiguousarray(seen)
    shape = (height, width, *source.shape[2:])
    laid = np.full(shape, fill, source.dtype) if fill else np.zeros(shape, source.dtype)  # which costs next to nothing
    if x0 < x1 and y0 < y1:
        laid[y0:y1, x0:x1] = seen
    return laid


def _sampled(levels: Array, matrix: Array, width: int, height: int, fill: Fill) -> Array:
    """Levels moved by a matrix: linear between centres, by areas where they shrink much, copied where none changes."""
    high, wide = levels.shape[:2]
    (a, b, x), (c, d, y) = matrix[:2].tolist()
    sizes = (a * wide, d * high, x, y)
    if not b and not c and min(sizes[:2]) >= 1 - _WHOLE and all(abs(size - round(size)) < _WHOLE for size in sizes):
        to_wide, to_high, left, top = map(round, sizes)
        same = (to_wide, to_high) == (wide, high)
        if same or to_wide * to_high <= _WASTE * width * height:
            return _laid(levels if same else _resized(levels, to_wide, to_high), left, top, width, height, fill)
    return _warped(levels, matrix, width, height, fill)


def _warped(levels: Array, matrix: Array, width: int, height: int, fill: Fill) -> Array:
    high, wide = levels.shape[:2]
    frame = np.array([[0, width, width, 0], [0, 0, height, height], [1, 1, 1, 1]], np.float64)
    needed = np.linalg.solve(matrix, frame)[:2]
    across, down = np.hypot(*matrix[:2, :2]).tolist()  # how long a pixel's sides become
    margin = (2 + 2 / across, 2 + 2 / down)
    x0, y0 = np.clip(np.floor(needed.min(axis=1) - margin), 0, (wide, high)).astype(int).tolist()
    x1, y1 = np.clip(np.ceil(needed.max(axis=1) + margin), 0, (wide, high)).astype(int).tolist()
    if x0 >= x1 or y0 >= y1:
        return np.full((height, width, *levels.shape[2:]), fill, levels.dtype)
    source = levels[y0:y1, x0:x1]
    small_wide = max(1, round((x1 - x0) * across)) if across < _MUCH else x1 - x0
    small_high = max(1, round((y1 - y0) * down)) if down < _MUCH else y1 - y0
    source = _resized(source, small_wide, small_high)
    back = np.diag([(x1 - x0) / small_wide, (y1 - y0) / small_high, 1.0])
    centred = _shift(-0.5, -0.5) @ matrix @ _shift(x0, y0) @ back @ _shift(0.5, 0.5)
    warped: Array = cv2.warpAffine(
        source, centred[:2], (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    low, far = needed.min(axis=1), needed.max(axis=1)
    if (low < -_WHOLE).any() or (far > (wide + _WHOLE, high + _WHOLE)).any():
        shown = _nearest(np.ones((high, wide), np.uint8), matrix, width, height, 0)
        warped[shown == 0] = fill
    return warped


def _resized(levels: Array, width: int, height: int) -> Array:
    """By areas along sides that shrink much: OpenCV must not be asked to shrink one so and enlarge the other."""
    high, wide = levels.shape[:2]
    if width < _MUCH * wide or height < _MUCH * high:
        small = (min(width, wide), min(height, high))
        levels = cv2.resize(levels, small, interpolation=cv2.INTER_AREA)
    if levels.shape[:2] == (height, width):
        return levels
    resized: Array = cv2.resize(levels, (width, height), interpolation=cv2.INTER_LINEAR)
    return resized


def _nearest(plane: Array, matrix: Array, width: int, height: int, outside: int) -> Array:
    """(H, W) or (H, W, 3) moved by a matrix: what the pixel has in which the centre of the new one lies."""
    high, wide = plane.shape[:2]
    (a, b, x), (c, d, y) = matrix[:2].tolist()
    if b or c:
        centred = _shift(-0.5, -0.5) @ matrix @ _shift(0.5, 0.5)
        moved: Array = cv2.warpAffine(
            plane, centred[:2], (width, height), flags=cv2.INTER_NEAREST, borderValue=(outside,) * 4
        )
        return moved
    columns = np.floor((np.arange(width) + 0.5 - x) / a).astype(np.intp)
    rows = np.floor((np.arange(height) + 0.5 - y) / d).astype(np.intp)
    found: Array = plane.take(np.clip(rows, 0, high - 1), axis=0).take(np.clip(columns, 0, wide - 1), axis=1)
    found[(rows < 0) | (rows >= high)] = outside
    found[:, (columns < 0) | (columns >= wide)] = outside
    return found
