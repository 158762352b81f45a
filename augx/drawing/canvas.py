"""A picture at the size it is shown, to draw on: finer than it will be, so that lines come out smooth."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from augx.drawing.colours import INK, PAPER, Colour, is_dark
from augx.geometry import Points
from augx.model import Picture

Pixels = NDArray[np.uint8]  # (H, W, 3), RGB
Plane = NDArray[Any]

FINER = 3  # pixels of the canvas for one of the tile
_EDGE = 2  # of them, on both sides of a line, of the other tone
_CHECK = 8 * FINER  # a side of the squares that are seen through what is transparent
_STRIPE = 3 * FINER  # along x
_FAR = 1e5  # pixels: further away nothing is seen, and OpenCV would lose count
_ENLARGED = 4  # times; from here on pixels are shown as squares


@dataclass(frozen=True, slots=True)
class Line:
    """Points of the canvas, (n, 2), joined by a line of two tones. `edge`: pixels of the other tone on both sides."""

    points: Points
    colour: Colour
    width: int = 3
    edge: int = _EDGE


@dataclass(frozen=True, slots=True)
class Dot:
    x: float
    y: float
    colour: Colour
    hollow: bool = False
    radius: int = 5


class Canvas:
    """`pixels`: of the canvas. `scale`: pixels of it for one of the picture, along x and y."""

    def __init__(self, picture: Picture, cell: int, white: int, finer: int = FINER) -> None:
        """`cell`: what the tile has to fit in, pixels. `white`: the level that is shown as white. `finer`: 1 where
        nothing is to be drawn."""
        share = min(cell / picture.width, cell / picture.height)
        self.width, self.height = (max(1, round(side * share)) for side in (picture.width, picture.height))
        size = self.width * finer, self.height * finer
        self.scale = np.array((size[0] / picture.width, size[1] / picture.height))
        how = cv2.INTER_AREA if share * finer < 1 else cv2.INTER_NEAREST if share >= _ENLARGED else cv2.INTER_CUBIC
        self.pixels = _shown(cv2.resize(picture.pixels, size, interpolation=how), white)
        if picture.alpha is not None:
            alpha = cv2.resize(picture.alpha, size, interpolation=how)
            opaque = alpha / np.float32(255 if alpha.dtype == np.uint8 else 65535)
            self.blend(_checked(size), (1 - opaque).astype(np.float32))

    def blend(self, other: Plane | Colour, share: NDArray[np.float32]) -> None:
        """`share`: (H, W), how much of a pixel becomes the other."""
        share = share[..., None]
        mixed = self.pixels * (1 - share) + np.asarray(other, np.float32) * share
        self.pixels = np.rint(mixed).astype(np.uint8)

    def tint(self, inside: Plane, colour: Colour, share: float) -> None:
        """`inside`: (H, W) of the canvas."""
        left, top, wide, high = cv2.boundingRect(np.asarray(inside, np.uint8))
        rows, columns = slice(top, top + high), slice(left, left + wide)
        self._tint(rows, columns, inside[rows, columns], colour, share)

    def _tint(self, rows: slice, columns: slice, inside: Plane, colour: Colour, share: float) -> None:
        part = np.ascontiguousarray(self.pixels[rows, columns])
        if part.size:
            table = np.rint(np.arange(256)[:, None] * (1 - share) + np.array(colour) * share).astype(np.uint8)
            mask = np.ascontiguousarray(inside, np.uint8)
            self.pixels[rows, columns] = cv2.copyTo(cv2.LUT(part, table[:, None]), mask, part)

    def tint_each(self, values: Plane, paint: Callable[[int], tuple[Colour, float] | None]) -> None:
        """`values`: (H, W) of the canvas. `paint`: the colour of a value, and its share; None: left as it is."""
        found = np.unique(values)
        paints = [paint(value) or (INK, 0.0) for value in found.tolist()]
        colours = np.array([colour for colour, _ in paints], np.float32)
        shares = np.array([share for _, share in paints], np.float32)
        places = np.searchsorted(found, values)
        self.blend(colours[places], shares[places])

    def hatch(self, inside: Plane) -> None:
        """Dark and light stripes, which are no class's. `inside`: (H, W) of the canvas."""
        across, down = np.arange(inside.shape[1]), np.arange(inside.shape[0])[:, None]
        dark = (across + down) // _STRIPE % 2 == 0
        self.tint(inside & dark, INK, 0.75)
        self.tint(inside & ~dark, PAPER, 0.25)

    def fill(self, rings: Iterable[Points], colour: Colour, share: float) -> None:
        """Tints what rings, in pixels of the picture, enclose."""
        shapes = [_whole(ring * self.scale) for ring in rings]
        corners = np.concatenate(shapes).reshape(-1, 2)
        high, wide = self.pixels.shape[:2]
        left, top = np.clip(corners.min(axis=0), 0, (wide, high)).tolist()
        right, below = np.clip(corners.max(axis=0) + 1, 0, (wide, high)).tolist()
        if right <= left or below <= top:
            return
        inside = np.zeros((below - top, right - left), np.uint8)
        for shape in shapes:
            cv2.fillPoly(inside, [shape - np.array((left, top), np.int32)], 255)
        self._tint(slice(top, below), slice(left, right), inside, colour, share)

    def at_size(self, plane: Plane) -> Plane:
        """A plane of the picture's size, such as a mask, as large as the canvas."""
        return cv2.resize(plane, (self.pixels.shape[1], self.pixels.shape[0]), interpolation=cv2.INTER_NEAREST)

    def draw(self, lines: Iterable[Line], dots: Iterable[Dot]) -> None:
        """The darker or lighter edges of all first, so that no line lies under another's edge."""
        lines, dots = list(lines), list(dots)
        for line in lines:
            if line.edge:
                tone = PAPER if is_dark(line.colour) else INK
                cv2.polylines(self.pixels, [_whole(line.points)], False, tone, line.width + 2 * line.edge)
        for line in lines:
            cv2.polylines(self.pixels, [_whole(line.points)], False, line.colour, line.width)
        for dot in dots:
            place = round(dot.x), round(dot.y)
            cv2.circle(self.pixels, place, dot.radius + _EDGE, INK, cv2.FILLED)
            cv2.circle(self.pixels, place, dot.radius, dot.colour, cv2.FILLED)
            if dot.hollow:
                cv2.circle(self.pixels, place, dot.radius - 2, INK, cv2.FILLED)

    def finished(self, zoom: int = 1) -> Pixels:
        """The tile, `zoom` times as large: finer, for screens that can show it."""
        size = self.width * zoom, self.height * zoom
        return np.asarray(cv2.resize(self.pixels, size, interpolation=cv2.INTER_AREA), np.uint8)


def dashed(points: Points, length: int = 4 * FINER) -> Iterable[Points]:
    """A line in dashes that are as long as what is between them."""
    steps = np.hypot(*np.diff(points, axis=0).T)
    along = np.concatenate([[0], np.cumsum(steps)])
    for start in np.arange(0, along[-1], 2 * length):
        end = min(start + length, along[-1])
        places = np.array([start, *along[(along > start) & (along < end)], end])
        yield np.stack([np.interp(places, along, points[:, axis]) for axis in (0, 1)], axis=1)


def _whole(points: Points) -> NDArray[np.int32]:
    near = np.rint(np.clip(points - 0.5, -_FAR, _FAR))
    near[np.isnan(near)] = 0
    return near.astype(np.int32).reshape(-1, 1, 2)


def _shown(pixels: Plane, white: int) -> Pixels:
    """Grey or RGB of any depth as RGB of 8 bits."""
    if pixels.dtype != np.uint8 or white != 255:
        pixels = np.minimum(np.rint(pixels * (255 / white)), 255).astype(np.uint8)
    return np.ascontiguousarray(np.broadcast_to(pixels[..., None], (*pixels.shape, 3)) if pixels.ndim == 2 else pixels)


def _checked(size: tuple[int, int]) -> Pixels:
    x, y = (np.arange(side) // _CHECK for side in size)
    levels = np.where((x[None] + y[:, None]) % 2, 204, 255).astype(np.uint8)
    return np.broadcast_to(levels[..., None], (*levels.shape, 3))
