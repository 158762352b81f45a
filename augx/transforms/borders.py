"""What lies around pictures: the border that a step sees, and what hides of one warp's canvas in the next."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from augx.transforms.sampling import inverse
from augx.transforms.tones import Fill, Tones, toned_fill
from augx.transforms.warps import Matrix, Rows

Array = NDArray[Any]

_ALIKE = 1e-4  # pixels, by which edges that are one may be apart
_WITHIN = 0.71  # pixels from the centre of a pixel to its corner
_UPRIGHT = 1e-6  # pixels along a row for one row more, which are none
_FILLED, _FAR, _BAND = 1.25, 2.0, 5  # pixels beyond an edge that is filled, that is looked at; pixels along a row


@dataclass(frozen=True, slots=True)
class Border:
    """What lies outside a picture that a step looks at. `mode`: one of OpenCV's. `fill`, where that is constant, in
    levels of 0..255; `classes`: likewise for class masks, None: what the dataset has outside."""

    mode: int = cv2.BORDER_CONSTANT
    fill: Fill = 0
    classes: int | Sequence[int] | None = None

    def toned(self, tones: Tones) -> Border:
        return replace(self, fill=toned_fill(self.fill, tones)) if self.mode == cv2.BORDER_CONSTANT else self


Colour = tuple[float, ...]  # one level, or one for each channel


def colour_of(fill: Fill, times: int = 1) -> Colour:
    return (float(fill * times),) if isinstance(fill, (int, float)) else tuple(float(one * times) for one in fill)


Edge = tuple[float, float, float]  # a, b, c: a x + b y + c pixels within lies a place


@dataclass(frozen=True, eq=False)
class Veil:
    """A constant border between two warps: it hides what the canvas of the first does not show.

    `way`: to that canvas, from the one of the veil before or else from the frame; `rest`: to the last canvas.
    """

    way: Matrix
    rest: Rows
    border: Border

    def over(self, plane: Array, fill: Colour, nearest: bool, drawn: Sequence[Edge] = ()) -> Array:
        """`plane`, which is as large as the last canvas, with `fill` where it is hidden, and mixed with it at edges.

        What is well hidden is filled as polygons; what is near an edge, pixel by pixel. `drawn`: edges that are there
        already, in the same colour.
        """
        value = np.broadcast_to(np.rint(fill), max(plane.shape[2:], default=1)).astype(plane.dtype)
        height, width = plane.shape[:2]
        edges = [edge for edge in self.edges() if not any(_same(edge, one) for one in drawn)]
        corners = [(0.5, 0.5), (width - 0.5, 0.5), (width - 0.5, height - 0.5), (0.5, height - 0.5)]
        rings: list[Array] = []
        for a, b, c in edges:
            apart = [a * x + b * y + c for x, y in corners]  # pixels, from each centre to the edge
            if max(apart) <= -_WITHIN:
                plane[...] = value if plane.ndim == 3 else value[0]
                return plane
            if min(apart) < _WITHIN:
                _mix(plane, (a, b, c), value, nearest)
                hidden = _beyond(corners, [one + _FILLED for one in apart])
                rings.append(np.rint((np.array(hidden).reshape(-1, 2) - 0.5) * 256).astype(np.int32))
        for ring in rings:
            if len(ring) > 2:
                plane = cv2.fillConvexPoly(plane, ring, value.tolist(), shift=8)
        return plane

    def edges(self) -> list[Edge]:
        """a, b, c of each side of the canvas: a x + b y + c is how far within a place of the last canvas lies."""
        (a, b, x), (c, d, y), (e, f, w) = inverse(self.rest)
        width, height = self.way.width, self.way.height
        lines = [(a, b, x), (width * e - a, width * f - b, width * w - x)]
        lines += [(c, d, y), (height * e - c, height * f - d, height * w - y)]
        across, down, weight = ((row[0] * width + row[1] * height) / 2 + row[2] for row in self.rest)  # the middle
        found = []
        for a, b, c in lines:
            if far := math.copysign(math.hypot(a, b), (a * across + b * down + c * weight) * weight):
                found.append((a / far, b / far, c / far))
        return found


def _same(one: Edge, other: Edge) -> bool:
    return all(math.isclose(here, there, rel_tol=1e-5, abs_tol=_ALIKE) for here, there in zip(one, other, strict=True))


def _mix(plane: Array, edge: Edge, value: Array, nearest: bool) -> None:
    """In place: `value` in the pixels along an edge, as far as they lie beyond it; all from _FAR on."""
    a, b, c = edge
    height, width = plane.shape[:2]
    steep = abs(a) >= abs(b)
    slope, rise, count, most = (a, b, height, width) if steep else (b, a, width, height)
    at = np.arange(*_met(slope, rise, c, count, most))[:, None]
    start = rise * (at + 0.5) + c
    first = min(-_FAR / slope, _WITHIN / slope) - 0.5 - start / slope
    across = np.minimum(np.maximum(np.floor(first) + np.arange(_BAND), 0), most - 1)
    apart = start + slope * (across + 0.5)
    share = (apart >= 0).astype(np.float32) if nearest else _share(apart, abs(slope), abs(rise))
    across = across.astype(np.intp)
    numbers = (at * width + across if steep else across * width + at).reshape(-1)
    flat, share = plane.reshape(-1, len(value)), share.reshape(-1, 1)
    flat[numbers] = np.rint(flat[numbers] * share + value * (1 - share))


def _met(slope: float, rise: float, c: float, count: int, most: int) -> tuple[int, int]:
    """The rows, of `count` with so many pixels at `most`, in which an edge is, or near its ends."""
    lean = -rise / slope  # pixels along a row, for one row more
    if abs(lean) < _UPRIGHT:
        return 0, count
    first, last = sorted(((c / slope - _BAND) / lean, (c / slope + most + _BAND) / lean))
    return max(0, min(count, math.floor(first) - 1)), max(0, min(count, math.ceil(last) + 1))


def _share(apart: Array, steep: float, flat: float) -> Array:
    """How much of a pixel lies within an edge, `apart` from its centre; its normal is (steep, flat), steep >= flat."""
    away = np.abs(apart)
    part = away / steep
    if flat > 1e-6:
        corner = (steep + flat) / 2
        cut = 0.5 - np.square(np.maximum(corner - away, 0)) / (2 * steep * flat)
        part = np.where(away > (steep - flat) / 2, cut, part)
    share: Array = (0.5 + np.copysign(np.minimum(part, 0.5), apart)).astype(np.float32)
    return share


def _beyond(corners: Sequence[tuple[float, float]], apart: Sequence[float]) -> list[tuple[float, float]]:
    """The part of a convex ring where `apart`, given for its corners, is not positive."""
    part = []
    for number, (x, y) in enumerate(corners):
        (u, v), here, there = corners[number - 1], apart[number], apart[number - 1]
        if (here > 0) != (there > 0):
            share = here / (here - there)
            part.append((x + (u - x) * share, y + (v - y) * share))
        if here <= 0:
            part.append((x, y))
    return part
