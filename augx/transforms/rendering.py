"""What waits is done: the frame of a picture sampled where its canvas says, under the borders that lie over it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from augx.transforms.blurs import Front
from augx.transforms.borders import Border, Colour, Edge, Veil
from augx.transforms.sampling import (
    LARGEST,
    NEAR,
    UP_TO,
    WIDEST,
    Box,
    Grain,
    Levels,
    Paces,
    at_level,
    averaged,
    box_of,
    inverse,
    level_of,
    paces_of,
    placed,
    scale,
    shift,
    softness,
    turned,
    whole,
)  # fmt: skip
from augx.transforms.tones import Tones, toned
from augx.transforms.warps import SAME, Matrix, product

if TYPE_CHECKING:
    from augx.transforms.fusion import Course

Array = NDArray[Any]
Window = tuple[int, int, int, int]  # x0, y0, x1, y1

_TO_CENTRES, _FROM_CENTRES = shift(-0.5, -0.5), shift(0.5, 0.5)
_ROOM = 3  # pixels
_NEAR_BORDERS = cv2.BORDER_CONSTANT, cv2.BORDER_REPLICATE  # those that do not look far into the picture
_MOST_ROOM = 1 << 26  # pixels of a picture with the borders that a canvas shows


def rendered(course: Course, levels: Levels, fills: Sequence[Colour]) -> Array:
    """The pixels at the end of a course, but for what comes behind. `fills`: of each border."""
    if levels.drafted and not _drafted(course, levels.drafted):
        levels = levels.whole
    if course.blur and not _blurs_late(course):
        course, levels = _blurred(course, levels)
    return warped(course, levels, fills, course.interpolation, course.before, course.blur)


def warped(
    course: Course,
    levels: Levels,
    fills: Sequence[Colour],
    interpolation: int,
    tones: Tones = (),
    blur: Front | None = None,
    repeats: bool = True,
) -> Array:
    """A plane at the end of the course. `fills`: of each border; `tones` are for what is in the plane, not for
    those, and so is `blur`. `repeats`: a border that repeats pixels does so."""
    mode = cv2.BORDER_REPLICATE
    if course.border is not None:
        mode = course.border.mode if repeats else cv2.BORDER_CONSTANT
    plane = course.cut(levels.planes[0])
    width, height = course.matrix.width, course.matrix.height
    veils = list(zip(course.veils, fills[1:], strict=True))
    paces = (1.0, 1.0) if course.exact else paces_of(course.back, width, height)
    if course.border is not None and mode != cv2.BORDER_CONSTANT and max(paces) > LARGEST:
        bordered = None if interpolation == cv2.INTER_NEAREST else _bordered(course, plane, mode)
        if bordered is not None:
            wider, plane = bordered
            return warped(wider, Levels(plane, levels.grain), fills, interpolation, tones)
    if mode == cv2.BORDER_CONSTANT and interpolation != cv2.INTER_NEAREST and level_of(paces):
        # Sampled with the picture, its edge would be as wide as the paces.
        veils.insert(0, (_edge(course, plane), fills[0]))
        mode = cv2.BORDER_REPLICATE
    value = fills[0] if len(fills[0]) > 1 or plane.ndim == 2 else fills[0] * plane.shape[2]
    done = _sampled(course, levels, plane, paces, mode, value, interpolation, tones, blur)
    if not veils:
        return done
    if course.exact:
        done = done.copy()  # it may be a part of the picture
    drawn: list[tuple[Colour, list[Edge]]] = []
    if mode == cv2.BORDER_CONSTANT:
        drawn.append((fills[0], _edge(course, plane).edges()))
    for veil, fill in veils:
        same = [edge for colour, edges in drawn if colour == fill for edge in edges]
        done = veil.over(done, fill, interpolation == cv2.INTER_NEAREST, same)
        drawn.append((fill, veil.edges()))
    return done


def _edge(course: Course, plane: Array) -> Veil:
    """Of the frame."""
    return Veil(Matrix(SAME, plane.shape[1], plane.shape[0]), course.matrix.rows, Border())


def _drafted(course: Course, level: int) -> bool:
    """Whether a picture shrinks so much on its course that a draft of this level is as good as the whole."""
    if course.exact or course.matrix.bends or course.interpolation == cv2.INTER_NEAREST:
        return False
    paces = paces_of(course.back, course.matrix.width, course.matrix.height)
    if level_of(paces) < level or (course.border is not None and course.border.mode != cv2.BORDER_CONSTANT):
        return False
    (left, top, right, bottom), (x0, y0, x1, y1) = course.frame, _seen(course)
    inside = min(x0, y0, right - left - x1, bottom - top - y1) >= -NEAR
    if course.size != (right - left, bottom - top) and not inside:  # a border lies around a part of the picture
        return False
    if course.blur and not _blurs_late(course):
        return False
    return course.patches is None or course.patches.follow(course.before)


def _bordered(course: Course, plane: Array, mode: int) -> tuple[Course, Array] | None:
    """`plane`, the frame, with as much of its border as the canvas shows, and the course of that: what is repeated
    must be repeated before it is averaged. None where that is far too much."""
    if course.matrix.bends or not np.isfinite(course.shown).all():
        return None
    x0, y0, x1, y1 = course.shown
    height, width = plane.shape[:2]
    left, top, right, bottom = (max(0, math.ceil(one) + _ROOM) for one in (-x0, -y0, x1 - width, y1 - height))
    if (width + left + right) * (height + top + bottom) > _MOST_ROOM:
        return None
    plane = cv2.copyMakeBorder(plane, top, bottom, left, right, mode)
    back = shift(-left, -top)
    frame = 0, 0, plane.shape[1], plane.shape[0]
    veils = course.veils
    if veils:
        veils = (replace(veils[0], way=replace(veils[0].way, rows=product(veils[0].way.rows, back))), *veils[1:])
    matrix = replace(course.matrix, rows=product(course.matrix.rows, back))
    return replace(course, frame=frame, matrix=matrix, border=None, veils=veils), plane


def _seen(course: Course) -> Box:
    """The part of the frame that the canvas shows, and no veil hides."""
    if not course.veils or course.matrix.bends:
        return course.shown
    x0, y0, x1, y1 = course.shown
    way = course.veils[0].way
    a0, b0, a1, b1 = box_of(inverse(way.rows), way.width, way.height)
    return max(min(x0, a1), a0), max(min(y0, b1), b0), min(max(x1, a0), a1), min(max(y1, b0), b1)


def _sampled(
    course: Course,
    levels: Levels,
    plane: Array,
    paces: Paces,
    mode: int,
    value: tuple[float, ...],
    interpolation: int,
    tones: Tones,
    blur: Front | None,
) -> Array:
    """`plane`, the frame of the largest of `levels`, on the last canvas, without veils."""
    if course.exact:
        if course.border is None:
            return toned(placed(plane, course.matrix, course.back, mode, value), tones)
        return placed(toned(plane, tones), course.matrix, course.back, mode, value)
    width, height = course.matrix.width, course.matrix.height
    nearest = interpolation == cv2.INTER_NEAREST
    seen = _seen(course)
    x0, y0, x1, y1 = seen
    rows, columns = plane.shape[:2]
    inside = not course.matrix.bends and min(x0, y0, columns - x1, rows - y1) >= -NEAR
    straight = not course.veils and course.matrix.straight and whole(seen)
    if inside and straight and not blur and (nearest or max(paces) < UP_TO):
        part = toned(plane[round(y0) : round(y1), round(x0) : round(x1)], tones)
        how = cv2.INTER_NEAREST_EXACT if nearest else interpolation
        return cv2.resize(turned(part, course.matrix), (width, height), interpolation=how)
    level = level_of(paces) if not nearest and (inside or mode == cv2.BORDER_REPLICATE) else 0
    first = blur is not None and not blur.bordered and mode == cv2.BORDER_CONSTANT and not inside
    level = max(level, blur.level) if blur and not first else level
    grain: Grain = levels.grain if not level else "interpolated"
    if blur and blur.softens(level):
        grain = "blurred"
    taps = (0.0, 0.0) if nearest else softness(at_level(paces, level), grain)
    reach = blur.reach if blur else 0
    late = not tones or (
        (inside or levels.drafted) and course.alike(tones, paces, reach)
    )  # there may be less to do then
    back = course.back
    if plane.shape != levels.planes[0].shape:
        if inside:
            left, top = course.frame[:2]
            x0, y0, x1, y1, back = x0 + left, y0 + top, x1 + left, y1 + top, product(shift(left, top), back)
        else:  # borders lie around the frame
            levels = Levels(plane, levels.grain)
    window = (0, 0, levels.planes[0].shape[1], levels.planes[0].shape[0])
    if blur and inside:
        window = blur.frame
    if (inside or mode in _NEAR_BORDERS) and math.isfinite(x0 + y0 + x1 + y1) and not course.matrix.bends:
        window = _around((x0, y0, x1, y1), window, 1 << level, reach)
    alone = (tones and not late) or blur or levels.drafted or not levels.small  # no other copy needs the same
    room = 0
    if mode == cv2.BORDER_CONSTANT and not (inside and alone) and (blur or taps != (0.0, 0.0)):
        room = _ROOM + reach
    left, top = window[0] - room, window[1] - room
    halved = 0  # how often what is at hand has been
    if (tones and not late) or (room and alone):
        halved = levels.drafted
        part = toned(levels.part(halved, (0.0, 0.0), window), () if late else tones)
        if blur and first:
            part, blur = blur.over(part), None
        if room:  # the edge of the picture is softened, too
            part = cv2.copyMakeBorder(part, room, room, room, room, mode, value=value)
        levels, window = Levels(part, levels.grain), (0, 0, part.shape[1], part.shape[0])
    elif room:
        levels = levels.bordered(room, value)
        window = *window[:2], window[2] + 2 * room, window[3] + 2 * room
    part = levels.part(level - halved, (0.0, 0.0) if blur else taps, window)
    if blur:
        part = blur.over(part, level, taps)
    if left or top:
        back = product(shift(-left, -top), back)
    if level:
        back = product(scale(0.5**level, 0.5**level), back)
    if max(paces) * 0.5**level > WIDEST and not nearest:  # in one direction only
        part, smaller = averaged(part, at_level(paces, level))
        back = product(scale(*smaller), back)
    centred = np.array(product(product(_TO_CENTRES, back), _FROM_CENTRES))
    flags, size = interpolation | cv2.WARP_INVERSE_MAP, (width, height)
    if course.matrix.perspective:
        done = cv2.warpPerspective(part, centred, size, flags=flags, borderMode=mode, borderValue=value)
    else:
        done = cv2.warpAffine(part, centred[:2], size, flags=flags, borderMode=mode, borderValue=value)
    return toned(done, tones) if late else done


def _around(seen: Box, within: Window, grid: int, reach: int) -> Window:
    """What is seen of a plane, with what interpolation looks at around it and `reach` more, but at least a pixel; the
    corner on one of `grid` times the size."""
    margin = 4 * grid + reach
    left, top, right, bottom = within
    x0 = max(left, min(math.floor(seen[0]) - margin, right - 1)) // grid * grid
    y0 = max(top, min(math.floor(seen[1]) - margin, bottom - 1)) // grid * grid
    x1 = max(x0 + 1, min(math.ceil(seen[2]) + margin, right))
    y1 = max(y0 + 1, min(math.ceil(seen[3]) + margin, bottom))
    return x0, y0, x1, y1


def _blurs_late(course: Course) -> bool:
    """Whether the blur can be done while the picture is sampled, of what is seen."""
    near = course.border is None or course.border.mode == cv2.BORDER_CONSTANT
    whole_ = course.blur is not None and (course.blur.frame == course.frame or course.border is None)
    return near and whole_ and not course.exact and course.interpolation != cv2.INTER_NEAREST


def _blurred(course: Course, levels: Levels) -> tuple[Course, Levels]:
    """The frame, blurred, and the course from there."""
    assert course.blur is not None
    (left, top, right, bottom), (x0, y0, x1, y1) = course.blur.frame, course.frame
    plane = course.blur.over(toned(levels.planes[0][top:bottom, left:right], course.before))
    plane = plane[y0 - top : y1 - top, x0 - left : x1 - left]
    size = x1 - x0, y1 - y0
    return replace(course, size=size, frame=(0, 0, *size), before=(), blur=None), Levels(plane, course.grain)
