"""Where things move: the three kinds of warp (`augx.labels.Warp`) that all transforms come down to.

Places are continuous: pixel i covers [i, i + 1) and its centre is at i + 0.5.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from augx.geometry import clip_ring, mask_rings, pairs, ring_area

Array = NDArray[Any]

_STEP = 3.0  # source pixels between the points of an outline that is to be bent
_LONGEST = 6.0  # new pixels, above which a piece of a bent outline is halved
_EXACT = 0.01  # source pixels, near enough
_NODES = 2**14  # how many pixels are searched first for the nearest
_FOLD = 1e-3  # pixels², how far a cell must be turned over
_CELL = 8  # source pixels, the side of the cells in which a first guess is looked up

Rows = tuple[tuple[float, float, float], tuple[float, float, float], tuple[float, float, float]]  # of a 3x3 matrix
SAME: Rows = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)


def rows_of(values: Array) -> Rows:
    first, second, third = map(tuple, values.tolist())
    return first, second, third


def product(one: Rows, other: Rows) -> Rows:
    """The matrix product: plain numbers, as NumPy takes longer for nine of them, and rounds as its BLAS likes."""
    (a, b, x), (c, d, y), (e, f, w) = one
    (g, h, u), (i, j, v), (k, m, z) = other
    if e or f or k or m:
        return (
            (a * g + b * i + x * k, a * h + b * j + x * m, a * u + b * v + x * z),
            (c * g + d * i + y * k, c * h + d * j + y * m, c * u + d * v + y * z),
            (e * g + f * i + w * k, e * h + f * j + w * m, e * u + f * v + w * z),
        )
    return (
        (a * g + b * i, a * h + b * j, a * u + b * v + x * z),
        (c * g + d * i, c * h + d * j, c * u + d * v + y * z),
        (0.0, 0.0, w * z),
    )


@dataclass(frozen=True, eq=False)
class Matrix:
    """A homography. `rows`: from source to new places. `width`, `height`: of the new picture.

    `bends`: the horizon of a perspective crosses the source, which tears outlines in two; else lines stay lines.
    """

    rows: Rows
    width: int
    height: int
    bends: bool = False

    @cached_property
    def values(self) -> Array:
        """(3, 3)"""
        return np.array(self.rows)

    @property
    def determinant(self) -> float:
        (a, b, x), (c, d, y), (e, f, w) = self.rows
        return a * (d * w - y * f) - b * (c * w - y * e) + x * (c * f - d * e)

    @cached_property
    def mirrors(self) -> bool:
        turn = self.determinant
        if turn and self.perspective:  # on which side of the horizon is what the new picture shows
            turn *= float(np.linalg.inv(self.values)[2] @ (self.width / 2, self.height / 2, 1))
        return turn < 0

    @property
    def perspective(self) -> bool:
        return bool(self.rows[2][0] or self.rows[2][1])

    @property
    def straight(self) -> bool:
        (a, b, _), (c, d, _), (e, f, _) = self.rows
        upright, turned = max(abs(a), abs(d)), max(abs(b), abs(c))
        return not (e or f) and min(upright, turned) <= 1e-9 * max(upright, turned)

    def points(self, xy: Array) -> Array:
        """(n, 2) -> (n, 2); NaN on the horizon."""
        moved: Array = xy @ self.values[:2, :2].T + self.values[:2, 2]
        if self.perspective:
            weight = self._weight(xy)
            weight[np.abs(weight) < 1e-12] = np.nan
            moved /= weight[:, None]
        return moved

    def ring(self, xy: Array) -> list[Array]:
        if not self.bends:
            return [self.points(xy)]
        parts = (_half(xy, sign * self._weight(xy)) for sign in (1, -1))
        return [self.points(part) for part in parts if len(part) >= 3]

    def _weight(self, xy: Array) -> Array:
        weight: Array = xy @ self.values[2, :2] + self.values[2, 2]
        return weight


def _half(xy: Array, side: Array) -> Array:
    """The part of a ring where `side`, linear in xy, is positive; less a little, so that it maps to finite places."""
    side = side - 1e-6 * np.abs(side).max(initial=1e-9)
    after, beyond = np.roll(xy, -1, axis=0), np.roll(side, -1)
    crosses = (side > 0) != (beyond > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        crossings = xy + (after - xy) * (side / (side - beyond))[:, None]
    both = np.stack([xy, crossings], axis=1).reshape(-1, 2)
    part: Array = both[np.stack([side > 0, crosses], axis=1).reshape(-1)]
    return part


@dataclass(frozen=True, eq=False)
class Tiles:
    """Tiles that change places. `edges`: (n, 4), x0, y0, x1, y1 in the source; `shifts`: (n, 2), how far each moves."""

    edges: Array
    shifts: Array
    width: int
    height: int
    mirrors: bool = False
    straight: bool = True
    bends: bool = True

    def points(self, xy: Array) -> Array:
        """NaN outside the picture."""
        moved = np.full(xy.shape, np.nan)
        last = self.edges[:, 2:] == (self.width, self.height)  # their far edges belong to them
        for edges, end, shift in zip(self.edges, last, self.shifts, strict=True):
            inside = (xy >= edges[:2]) & ((xy < edges[2:]) | (end & (xy == edges[2:])))
            chosen = inside.all(axis=1)
            moved[chosen] = xy[chosen] + shift
        return moved

    def ring(self, xy: Array) -> list[Array]:
        """One outline for each piece that a tile cuts out of it, less splinters, too small to be seen, which would only
        stretch its box."""
        low, high = xy.min(axis=0), xy.max(axis=0)
        touched = ((self.edges[:, :2] < high) & (self.edges[:, 2:] > low)).all(axis=1)
        pieces = [
            piece + edges[:2] + shift
            for edges, shift in zip(self.edges[touched], self.shifts[touched], strict=True)
            for piece in clip_ring(xy - edges[:2], int(edges[2] - edges[0]), int(edges[3] - edges[1]))
        ]
        return [piece for piece in pieces if ring_area(piece) >= 1] or pieces


@dataclass(frozen=True, eq=False)
class Field:
    """A bend. `source`: (H, W, 2) float32, the place in the source that each new pixel's centre shows, NaN for none.

    Beyond the edge things move as they do at the edge. `straight`: columns stay columns and rows stay rows.
    """

    source: Array
    straight: bool = False
    mirrors: bool = False
    bends: bool = True

    @property
    def width(self) -> int:
        return int(self.source.shape[1])

    @property
    def height(self) -> int:
        return int(self.source.shape[0])

    def points(self, xy: Array) -> Array:
        """NaN where the picture shows a place nowhere, though it shows what is around it (folds, tears)."""
        nowhere = np.isnan(xy)
        found, distance = self._find(np.where(nowhere, 0, xy))
        found[nowhere] = np.nan
        inside = ((found > 0) & (found < (self.width, self.height))).all(axis=1)
        found[inside & ~(distance < 1)] = np.nan
        return found

    def ring(self, xy: Array) -> list[Array]:
        """Where the field folds, a place shows several times and no outline can follow: what is inside is asked
        of every new pixel then. No ring of what no pixel shows."""
        if self.folds:
            return self._shown_inside(xy)
        outline = _dense(xy)
        places = self._find(outline)[0]
        for _ in range(2):  # what is stretched gets points in between
            long = np.hypot(*(np.roll(places, -1, axis=0) - places).T) > _LONGEST
            if not long.any():
                break
            halves = (outline[long] + np.roll(outline, -1, axis=0)[long]) / 2
            at = np.flatnonzero(long) + 1
            outline = np.insert(outline, at, halves, axis=0)
            places = np.insert(places, at, self._find(halves)[0], axis=0)
        return [places]

    @cached_property
    def folds(self) -> bool:
        if self.straight:
            return False
        across, down = np.diff(self.source, axis=1)[:-1], np.diff(self.source, axis=0)[:, :-1]
        turns = across[..., 0] * down[..., 1] - across[..., 1] * down[..., 0]
        if self.mirrors:
            turns = -turns
        return int((turns < -_FOLD).sum()) > 2

    def _shown_inside(self, xy: Array) -> list[Array]:
        """The outlines, along pixels, of the new pixels whose centre shows a place inside a ring."""
        x, y = np.moveaxis(self.source, 2, 0)
        (x0, y0), (x1, y1) = xy.min(axis=0), xy.max(axis=0)
        shown = (x >= x0) & (x < x1) & (y >= y0) & (y < y1)  # NaN is nowhere
        shown[shown] = _inside(self.source[shown], xy)
        left, top, wide, high = cv2.boundingRect(shown.view(np.uint8))
        rings = mask_rings(shown[top : top + high, left : left + wide])
        return [np.add(pairs(ring), (left, top)) for ring in rings]

    def shown(self, places: Array) -> Array:
        """The source's places at new places, (n, 2) -> (n, 2): bilinear between centres."""
        height, width = self.source.shape[:2]
        index = places - 0.5
        held = np.clip(index, 0, (width - 1, height - 1))
        x0, y0 = held.astype(np.intp).T
        x1, y1 = np.minimum(x0 + 1, width - 1), np.minimum(y0 + 1, height - 1)
        fx, fy = (held - np.stack([x0, y0], axis=1)).T[..., None]
        upper = self.source[y0, x0] * (1 - fx) + self.source[y0, x1] * fx
        lower = self.source[y1, x0] * (1 - fx) + self.source[y1, x1] * fx
        found: Array = upper * (1 - fy) + lower * fy + (index - held)
        return found

    def _find(self, xy: Array) -> tuple[Array, Array]:
        """New places that show the source's `xy`, and how far off in source pixels."""
        if self.straight:
            axes = zip(xy.T, (self.source[0, :, 0], self.source[:, 0, 1]), strict=True)
            places = np.stack([_along(wanted, shown) for wanted, shown in axes], axis=1)
            return places, np.hypot(*(self.shown(places) - xy).T)
        places, distance = self._descend(xy, self._guess(xy))
        inside = ((places > 0) & (places < (self.width, self.height))).all(axis=1)
        lost = np.flatnonzero(inside & ~(distance < _EXACT))
        if len(lost):  # in a fold: once more, from the nearest pixel
            again, far = self._descend(xy[lost], self._nearest(xy[lost]))
            better = far < distance[lost]
            places[lost[better]], distance[lost[better]] = again[better], far[better]
        return places, distance

    def _descend(self, xy: Array, places: Array) -> tuple[Array, Array]:
        """The same from given `places`, by the steps of Levenberg and Marquardt."""
        places = places.copy()
        errors = self.shown(places) - xy
        distance = np.hypot(*errors.T)
        damping = np.full(len(xy), 1e-4)
        for _ in range(24):
            todo = np.flatnonzero(~(distance < _EXACT) & (damping < 1e3))
            if not len(todo):
                break
            (a, c), (b, d) = self._slopes(places[todo])
            e, f = errors[todo].T
            aa, ab, bb = a * a + c * c + damping[todo], a * b + c * d, b * b + d * d + damping[todo]
            x, y = a * e + c * f, b * e + d * f
            divisor = np.maximum(aa * bb - ab * ab, 1e-12)
            step = np.stack([bb * x - ab * y, aa * y - ab * x], axis=1) / divisor[:, None]
            step[np.isnan(step)] = 0
            tried = places[todo] - step
            missed = self.shown(tried) - xy[todo]
            far = np.hypot(*missed.T)
            better = far < distance[todo]
            damping[todo] = np.where(better, damping[todo] / 10, damping[todo] * 8)
            won = todo[better]
            places[won], errors[won], distance[won] = tried[better], missed[better], far[better]
        return places, distance

    def _slopes(self, places: Array) -> tuple[Array, Array]:
        """How what is shown changes over one pixel to the right, and down: (2, n) each."""
        around = np.concatenate([places + half for half in ((0.5, 0), (-0.5, 0), (0, 0.5), (0, -0.5))])
        right, left, below, above = self.shown(around).T.reshape(2, 4, -1).swapaxes(0, 1)
        across, down = right - left, below - above
        across[np.isnan(across)], down[np.isnan(down)] = 1, 1  # at a tear any will do
        return across, down

    def _nearest(self, xy: Array) -> Array:
        """The centres of the pixels that show what is nearest to `xy`: among a few, then among all around those."""
        stride = max(1, round((self.width * self.height / _NODES) ** 0.5))
        nodes = self.source[::stride, ::stride].astype(np.float64)
        flat = nodes.reshape(-1, 2)
        lengths = np.nan_to_num(np.square(flat).sum(axis=1), nan=np.inf)
        flat = np.nan_to_num(flat)
        found = np.empty_like(xy)
        for start in range(0, len(xy), 64):
            some = xy[start : start + 64]
            rows, columns = np.divmod(np.argmin(lengths - 2 * (some @ flat.T), axis=1), nodes.shape[1])
            for index, (y, x) in enumerate(zip(rows * stride, columns * stride, strict=True), start):
                top, left = max(0, y - stride), max(0, x - stride)
                around = self.source[top : y + stride + 1, left : x + stride + 1]
                far = np.nan_to_num(np.square(around - xy[index]).sum(axis=-1), nan=np.inf)
                row, column = np.unravel_index(np.argmin(far), far.shape)
                found[index] = left + column + 0.5, top + row + 0.5
        return found

    def _guess(self, xy: Array) -> Array:
        """New places near those that show `xy`."""
        rows, columns = self._cells.shape[:2]
        x, y = np.clip(xy // _CELL, 0, (columns - 1, rows - 1)).astype(np.intp).T
        places: Array = self._cells[y, x]
        return places

    @cached_property
    def _cells(self) -> Array:
        """(rows, columns, 2): for each cell of the source the centre of a pixel that shows some of it, or else of the
        nearest cell."""
        stride = _CELL // 2
        rows, columns = -(-self.height // _CELL), -(-self.width // _CELL)
        shown = self.source[::stride, ::stride].reshape(-1, 2)
        places = np.stack(
            np.meshgrid(np.arange(0.5, self.width, stride), np.arange(0.5, self.height, stride)), axis=-1
        ).reshape(-1, 2)
        inside = ((shown >= 0) & (shown <= (self.width, self.height))).all(axis=1)
        if not inside.any():
            return np.full((1, 1, 2), (self.width / 2, self.height / 2))
        x, y = np.minimum(shown[inside] // _CELL, (columns - 1, rows - 1)).astype(np.intp).T
        cells = np.full((rows, columns, 2), np.nan)
        cells[y, x] = places[inside]
        empty = np.isnan(cells[..., 0])
        if empty.any():
            plane, each = empty.astype(np.uint8), cv2.DIST_LABEL_PIXEL
            _, labels = cv2.distanceTransformWithLabels(plane, cv2.DIST_L2, 5, labelType=each)
            nearest = np.zeros((labels.max() + 1, 2))
            nearest[labels[~empty]] = cells[~empty]
            cells = nearest[labels]
        return cells


def _along(wanted: Array, shown: Array) -> Array:
    """Where on an axis `wanted` places lie, of which the centres of its pixels show `shown`."""
    rising = np.maximum.accumulate(shown.astype(np.float64))
    beyond = wanted - np.clip(wanted, rising[0], rising[-1])
    found: Array = np.interp(wanted, rising, np.arange(len(shown)) + 0.5) + beyond
    return found


def _dense(xy: Array) -> Array:
    """A ring with points every _STEP pixels."""
    sides = np.roll(xy, -1, axis=0) - xy
    counts = np.maximum(1, np.ceil(np.hypot(*sides.T) / _STEP)).astype(np.intp)
    starts = np.repeat(np.cumsum(counts) - counts, counts)
    shares = (np.arange(counts.sum()) - starts) / np.repeat(counts, counts)
    outline: Array = np.repeat(xy, counts, axis=0) + np.repeat(sides, counts, axis=0) * shares[:, None]
    return outline


def _inside(places: Array, ring: Array) -> Array:
    """(n,) bool: which places (n, 2) lie inside a ring, even-odd. Its left and upper edges belong to it."""
    order = np.argsort(places[:, 1])
    x, y = places[order].astype(np.float64).T
    after = np.roll(ring, -1, axis=0)
    first, last = np.searchsorted(y, np.sort(np.stack([ring[:, 1], after[:, 1]]), axis=0))
    odd = np.zeros(len(places), np.bool_)
    for edge in np.flatnonzero(first < last):
        between = slice(first[edge], last[edge])
        (x0, y0), (x1, y1) = ring[edge], after[edge]
        odd[between] ^= x[between] < x0 + (y[between] - y0) * ((x1 - x0) / (y1 - y0))
    inside = np.empty_like(odd)
    inside[order] = odd
    return inside
