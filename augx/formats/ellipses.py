"""Circles and ellipses as rings, and rings that are ellipses still: under any affine map an ellipse stays one."""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence

POINTS = 64  # a multiple of four; the ring's area is 0.16 % less than the ellipse's

Axes = tuple[
    float, float, float, float, float, float
]  # centre, then two conjugate half-diameters: cx, cy, ax, ay, bx, by

_TURNS = [(math.cos(2 * math.pi * k / POINTS), math.sin(2 * math.pi * k / POINTS)) for k in range(POINTS)]
_TURNS[POINTS // 4], _TURNS[POINTS // 2], _TURNS[POINTS * 3 // 4] = (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0)


def ring(axes: Axes) -> array[float]:
    """The outline, flat; it begins at the end of the first half-diameter."""
    cx, cy, ax, ay, bx, by = axes
    return array("d", [v for c, s in _TURNS for v in (cx + c * ax + s * bx, cy + c * ay + s * by)])


def axes(flat: Sequence[float], tolerance: float = 0.01) -> Axes | None:
    """Of a ring that `ring` made and that was moved since; None if it is no such ellipse within `tolerance` pixels."""
    if len(flat) != 2 * POINTS:
        return None
    half, quarter = POINTS, POINTS // 2  # as indexes into `flat`
    cx, cy = (flat[0] + flat[half]) / 2, (flat[1] + flat[half + 1]) / 2
    found = (cx, cy, flat[0] - cx, flat[1] - cy, flat[quarter] - cx, flat[quarter + 1] - cy)
    if any(abs(is_ - should) > tolerance for is_, should in zip(flat, ring(found), strict=True)):
        return None
    return found


def is_circle(found: Axes, tolerance: float = 0.01) -> bool:
    """Whether the half-diameters are of equal length and at right angles, within `tolerance` pixels."""
    _, _, ax, ay, bx, by = found
    long = max(math.hypot(ax, ay), math.hypot(bx, by), tolerance)
    return abs(math.hypot(ax, ay) - math.hypot(bx, by)) <= tolerance and abs(ax * bx + ay * by) <= tolerance * long


def principal(found: Axes) -> tuple[float, float, float, float, float]:
    """cx, cy, rx, ry and the angle of rx, in degrees clockwise as one sees it, 0 <= angle < 180.

    Half-diameters at right angles are taken as they are; others are turned into the ellipse's own two axes.
    """
    cx, cy, ax, ay, bx, by = found
    rx, ry = math.hypot(ax, ay), math.hypot(bx, by)
    if abs(ax * bx + ay * by) > 1e-4 * max(rx * ry, 1e-12):
        turn = math.atan2(2 * (ax * bx + ay * by), rx * rx - ry * ry) / 2  # where the half-diameter is longest
        c, s = math.cos(turn), math.sin(turn)
        ax, ay, bx, by = c * ax + s * bx, c * ay + s * by, c * bx - s * ax, c * by - s * ay
        rx, ry = math.hypot(ax, ay), math.hypot(bx, by)
    return cx, cy, rx, ry, math.degrees(math.atan2(ay, ax)) % 180
