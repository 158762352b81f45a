"""What has been drawn and not yet been done: any run of geometric steps is one warp, any run of tone steps one table.

A picture is interpolated once, however many steps there are, and not at all by flips, quarter turns and crops. Where
it shrinks it is averaged over what each new pixel covers, so that nothing aliases. Steps join as long as the result is
the one they would have one after the other, but for that; else what waits is done first.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from augx.labels import Carrier
from augx.model import Mask, Picture
from augx.transforms.blurs import Blur, Front, front
from augx.transforms.borders import Border, Edge, Veil
from augx.transforms.sampling import (
    LARGEST,
    NEAR,
    UP_TO,
    Box,
    Grain,
    Levels,
    Paces,
    at_level,
    averaged,
    box_of,
    inverse,
    is_exact,
    is_inside,
    level_of,
    paces_of,
    placed,
    shift,
    softness,
    turned,
    whole,
)  # fmt: skip
from augx.transforms.tones import Patches, Stage, Tones, after, linear, toned
from augx.transforms.warps import Matrix

Array = NDArray[Any]
Window = tuple[int, int, int, int]  # x0, y0, x1, y1

_EYE = np.eye(3)
_EYE.flags.writeable = False
FLAT = 1e-12  # a determinant: all pixels come from a line
_MOST_VEILS = 4
_GROWN = 0.75  # pixels between samples, below which the edge of a frame is seen to be as wide as its pixels
_ROOM = 3  # pixels
_NEAR_BORDERS = cv2.BORDER_CONSTANT, cv2.BORDER_REPLICATE  # those that do not look far into the picture
_MOST_ROOM = 1 << 26  # pixels of a picture with the borders that a canvas shows
_KINDS = {  # what interpolations come to, where shrinking is seen to apart
    cv2.INTER_AREA: cv2.INTER_LINEAR,
    cv2.INTER_LINEAR_EXACT: cv2.INTER_LINEAR,
    cv2.INTER_NEAREST_EXACT: cv2.INTER_NEAREST,
}


@dataclass(frozen=True, eq=False)
class Course:
    """A picture's way so far, as one warp of `frame`, a part of it, between two tables.

    `size`: width and height of the picture. `frame`: x0, y0, x1, y1 in its pixels: the part that borders lie around.
    `matrix`: from places that count from its corner; `names`: of the steps in it. `border`: around the frame, None as
    long as nothing outside was looked at; `veils`: further ones, in order. `exact`: pixels have only changed places.
    `interpolation`: OpenCV's, where not exact. `before`: tables for the frame, and `blur` after them; `behind`: tables
    and blurs for the last canvas. `patches`: of the picture.
    """

    size: tuple[int, int]
    frame: tuple[int, int, int, int]
    matrix: Matrix
    border: Border | None = None
    veils: tuple[Veil, ...] = ()
    interpolation: int = cv2.INTER_LINEAR
    exact: bool = True
    before: Tones = ()
    blur: Front | None = None
    behind: tuple[Stage, ...] = ()
    names: tuple[str, ...] = ()
    patches: Patches | None = None

    @classmethod
    def of(cls, width: int, height: int, patches: Patches | None = None) -> Course:
        return cls((width, height), (0, 0, width, height), Matrix(_EYE, width, height), patches=patches)

    @property
    def moved(self) -> bool:
        return bool(self.names)

    @property
    def waits(self) -> bool:
        """Whether there is anything to do."""
        return bool(self.names or self.before or self.behind)

    @property
    def grain(self) -> Grain:
        """Of the picture at its end."""
        blurs = [stage for stage in self.behind if isinstance(stage, Blur)]
        if any(blur.softens for blur in blurs) or (self.blur and self.blur.softens(0)):
            return "blurred"
        return "sharp" if self.exact else "interpolated"

    def toned(self, stages: tuple[Stage, ...]) -> Course:
        """With more of them, at its end."""
        if self.moved or self.behind or any(isinstance(stage, Blur) for stage in stages):
            return replace(self, behind=after(self.behind, stages))
        return replace(self, before=_tables(after(self.before, stages)))

    def joined(self, name: str, warp: Matrix, border: Border, interpolation: int) -> Course | None:
        """With a warp of the canvas more; None where what waits must be done first.

        A border that repeats pixels repeats those of the canvas, so that they must be there.
        """
        interpolation = _KINDS.get(interpolation, interpolation)
        exact, inside = is_exact(warp), is_inside(warp, self.matrix.width, self.matrix.height)
        constant = border.mode == cv2.BORDER_CONSTANT
        first = self.border is None and not self.veils and (self.exact or (constant and not inside and self._cuts))
        if not (inside or first or (constant and len(self.veils) < _MOST_VEILS)):
            return None
        if not exact and not self.exact and interpolation != self.interpolation:
            return None
        if (warp.bends and self.moved) or (warp.perspective and self._tears(warp.values @ self.matrix.values)):
            return None
        course = (self.framed() if first and not self.exact else self)._ready(warp, exact, inside, constant)
        if course is None:
            return None
        veils = tuple(replace(veil, rest=warp.values @ veil.rest) for veil in course.veils)
        if not (inside or first):
            veils = (*veils, Veil(course.lap, warp.values, border))
        values, bends = warp.values @ course.matrix.values, warp.bends or course.matrix.bends
        course = replace(
            course,
            names=(*self.names, name),
            matrix=Matrix(values, warp.width, warp.height, bends),
            border=border if first and not inside else course.border,
            veils=veils,
            exact=self.exact and exact,
            interpolation=self.interpolation if exact else interpolation,
        )
        return course.framed() if exact and inside and first else course

    def _ready(self, warp: Matrix, exact: bool, inside: bool, constant: bool) -> Course | None:
        """Ready for a warp more: what is behind goes in front of both warps where it makes a difference. None where it
        cannot."""
        if not self.behind:
            return self
        place = next((at for at, stage in enumerate(self.behind) if isinstance(stage, Blur)), None)
        if place is None:
            bordered = not inside and constant
            stays = (exact and inside) or (not bordered and self._alike(self._tones, warp))
            return self if stays else self._fronted(self._tones)
        blur, first, last = self.behind[place], _tables(self.behind[:place]), self.behind[place + 1 :]
        assert isinstance(blur, Blur)
        around = self.border is not None and (self.exact or self.border.mode != cv2.BORDER_CONSTANT)
        if self.blur or self.veils or around or len(_tables(last)) < len(last):
            return None
        ahead = front(blur, self.matrix, self.frame, self.border is not None)
        bordered = not inside and constant
        if ahead is None or (last and (bordered or not self._alike(_tables(last), warp))):
            return None
        if not bordered and self._alike(first, warp, ahead.reach):
            return replace(self, blur=ahead, behind=after(first, last))
        return replace(self._fronted(first), blur=ahead, behind=last)

    @property
    def _tones(self) -> Tones:
        return _tables(self.behind)

    def _alike(self, tones: Tones, warp: Matrix, reach: int = 0) -> bool:
        """Whether tones behind what is moved so far may come behind a warp more, and a blur that reaches so far."""
        if linear(tones):
            return True
        paces = paces_of(inverse(warp.values @ self.matrix.values), warp.width, warp.height)
        return self.patches is not None and self.patches.alike(tones, max(*paces, reach))

    def _tears(self, values: Array) -> bool:
        """Whether the horizon of a perspective crosses the picture, though outside of the canvas: what lies there must
        be cut off first."""
        (left, top), (width, height) = self.frame[:2], self.size
        corners = np.array([(x - left, y - top, 1) for x in (0, width) for y in (0, height)])
        depths = corners @ values[2]
        return bool(depths.min() * depths.max() <= 0)

    @property
    def _cuts(self) -> bool:
        """Whether the canvas shows whole pixels, upright and none much enlarged: a border can lie around those."""
        if self.matrix.bends or not self.matrix.straight or not whole(self.shown):
            return False
        return bool(min(paces_of(self.back, self.matrix.width, self.matrix.height)) > _GROWN)

    @property
    def lap(self) -> Matrix:
        """From the canvas of the last veil, or else from the frame."""
        return replace(self.matrix, values=self.veils[-1].rest) if self.veils else self.matrix

    def _fronted(self, tones: Tones) -> Course:
        """With the tones that would come between two warps in front of both, which is the same: where a pixel comes
        from makes no difference to them."""
        veils = tuple(replace(veil, border=veil.border.toned(tones)) for veil in self.veils)
        border = self.border and self.border.toned(tones)
        return replace(self, border=border, veils=veils, before=_tables(after(self.before, tones)), behind=())

    def framed(self) -> Course:
        """The frame cut down to what the canvas shows: borders lie around that from now on."""
        x0, y0, x1, y1 = (round(value) for value in self.shown)
        left, top = self.frame[:2]
        values = self.matrix.values @ shift(x0, y0)
        return replace(
            self,
            frame=(left + x0, top + y0, left + x1, top + y1),
            matrix=Matrix(values, self.matrix.width, self.matrix.height),
        )

    @cached_property
    def back(self) -> Array:
        """(3, 3), from places of the canvas to those of the frame."""
        return inverse(self.matrix.values)

    @cached_property
    def shown(self) -> Box:
        """The part of the frame that the canvas shows, beyond its edges, too."""
        return box_of(self.back, self.matrix.width, self.matrix.height)

    def carry(self, carrier: Carrier) -> None:
        """Labels go where the pixels go: cut wherever a border was put around a canvas."""
        x0, y0, x1, y1 = self.frame
        first, *others = (*(veil.way for veil in self.veils), self.lap)
        laps = [replace(self, matrix=first, veils=())]
        laps += [Course((one.width, one.height), (0, 0, one.width, one.height), way, Border(), exact=False)
                 for one, way in zip((first, *others), others, strict=False)]  # fmt: skip
        cut = Matrix(shift(-x0, -y0), x1 - x0, y1 - y0)
        if self.border is not None:
            carrier.move(cut, self._cut)
        else:
            first = replace(first, values=first.values @ cut.values)
        for way, lap in zip((first, *others), laps, strict=True):
            carrier.move(way, lap.objects)

    def objects(self, values: Array) -> Array:
        """A plane of objects, or of one, moved: see `plane`. No border repeats them."""
        return self.plane(values, 0, reflects=False)

    def picture(self, picture: Picture, outside: int, levels: Levels | None = None) -> Picture:
        """The picture at the end of the course, its masks with it; `outside`: of class masks, no class. `levels`: of
        its pixels, if there are some from before."""
        pixels = picture.pixels
        if not self.moved:
            return replace(picture, pixels=finished(toned(pixels, self.before), self.behind))
        deep = 257 if pixels.dtype == np.uint16 else 1
        fills = [np.asarray(border.fill, float) * deep for border in self._borders]
        course, levels = self, levels or Levels(pixels, "interpolated")
        if self.blur and not self._blurs_late:
            course, levels = self._blurred(levels)
        pixels = course._warped(levels, fills, self.interpolation, course.before, course.blur)
        pixels = np.ascontiguousarray(finished(pixels, self.behind))
        alpha, mask, instances = picture.alpha, picture.mask, picture.instances
        if alpha is not None:
            nothing = [np.zeros(1) for _ in fills]
            alpha = np.ascontiguousarray(self._warped(Levels(alpha), nothing, self.interpolation))
        if mask is not None:
            mask = Mask(self.plane(mask.values, outside, reflects=True), mask.palette)
        if instances is not None:
            instances = Mask(self.objects(instances.values), instances.palette)
        return replace(picture, pixels=pixels, alpha=alpha, mask=mask, instances=instances)

    @property
    def _blurs_late(self) -> bool:
        """Whether the blur can be done while the picture is sampled, of what is seen."""
        near = self.border is None or self.border.mode == cv2.BORDER_CONSTANT
        whole_ = self.blur is not None and (self.blur.frame == self.frame or self.border is None)
        return near and whole_ and not self.exact and self.interpolation != cv2.INTER_NEAREST

    def _blurred(self, levels: Levels) -> tuple[Course, Levels]:
        """The frame, blurred, and the course from there."""
        assert self.blur is not None
        (left, top, right, bottom), (x0, y0, x1, y1) = self.blur.frame, self.frame
        plane = self.blur.over(toned(levels.planes[0][top:bottom, left:right], self.before))
        plane = plane[y0 - top : y1 - top, x0 - left : x1 - left]
        size = x1 - x0, y1 - y0
        return replace(self, size=size, frame=(0, 0, *size), before=(), blur=None), Levels(plane, self.grain)

    def plane(self, values: Array, outside: int, reflects: bool) -> Array:
        """A mask moved as the pixels are but never mixed: each new pixel has the value of the pixel its centre lies in.

        `reflects`: it is one of classes: borders that repeat the picture repeat it, and constant ones may have a class
        of their own; else `outside` is around it.
        """
        classes = [outside if border.classes is None or not reflects else border.classes for border in self._borders]
        fills = [np.asarray(one, float) for one in classes]
        return np.ascontiguousarray(self._warped(Levels(values), fills, cv2.INTER_NEAREST, repeats=reflects))

    @property
    def _borders(self) -> Iterator[Border]:
        """That of the frame, and those of the veils."""
        yield self.border or Border(cv2.BORDER_REPLICATE)
        yield from (veil.border for veil in self.veils)

    def _cut(self, plane: Array) -> Array:
        """The frame of a plane; a plane of its size is one already."""
        x0, y0, x1, y1 = self.frame
        return plane if plane.shape[:2] == (y1 - y0, x1 - x0) else plane[y0:y1, x0:x1]

    def _warped(
        self,
        levels: Levels,
        fills: Sequence[Array],
        interpolation: int,
        tones: Tones = (),
        blur: Front | None = None,
        repeats: bool = True,
    ) -> Array:
        """A plane at the end of the course. `fills`: of each border; `tones` are for what is in the plane, not for
        those, and so is `blur`. `repeats`: a border that repeats pixels does so."""
        mode = next(self._borders).mode
        if not repeats and self.border is not None:
            mode = cv2.BORDER_CONSTANT
        plane = self._cut(levels.planes[0])
        width, height = self.matrix.width, self.matrix.height
        veils = [*zip(self.veils, fills[1:], strict=True)]
        paces = (1.0, 1.0) if self.exact else paces_of(self.back, width, height)
        frame = Matrix(_EYE, plane.shape[1], plane.shape[0])
        if self.border is not None and mode != cv2.BORDER_CONSTANT and max(paces) > LARGEST:
            bordered = None if interpolation == cv2.INTER_NEAREST else self._bordered(plane, mode)
            if bordered is not None:
                course, plane = bordered
                return course._warped(Levels(plane, levels.grain), fills, interpolation, tones)
        if mode == cv2.BORDER_CONSTANT and interpolation != cv2.INTER_NEAREST and level_of(paces):
            # Sampled with the picture, its edge would be as wide as the paces.
            veils.insert(0, (Veil(frame, self.matrix.values, Border()), fills[0]))
            mode = cv2.BORDER_REPLICATE
        value = _channels(fills[0], max(plane.shape[2:], default=1))
        done = self._sampled(levels, plane, paces, mode, value, interpolation, tones, blur)
        if veils and self.exact:
            done = done.copy()  # it may be a part of the picture
        drawn: list[tuple[Array, list[Edge]]] = []
        if mode == cv2.BORDER_CONSTANT and veils:
            drawn.append((fills[0], Veil(frame, self.matrix.values, Border()).edges()))
        for veil, fill in veils:
            same = [edge for colour, edges in drawn if np.array_equal(colour, fill) for edge in edges]
            done = veil.over(done, fill, interpolation == cv2.INTER_NEAREST, same)
            drawn.append((fill, veil.edges()))
        return done

    def _bordered(self, plane: Array, mode: int) -> tuple[Course, Array] | None:
        """`plane`, the frame, with as much of its border as the canvas shows, and the course of that: what is repeated
        must be repeated before it is averaged. None where that is far too much."""
        if self.matrix.bends or not np.isfinite(self.shown).all():
            return None
        x0, y0, x1, y1 = self.shown
        height, width = plane.shape[:2]
        left, top, right, bottom = (max(0, math.ceil(one) + _ROOM) for one in (-x0, -y0, x1 - width, y1 - height))
        if (width + left + right) * (height + top + bottom) > _MOST_ROOM:
            return None
        plane = cv2.copyMakeBorder(plane, top, bottom, left, right, mode)
        back = shift(-left, -top)
        frame = 0, 0, plane.shape[1], plane.shape[0]
        veils = self.veils
        if veils:
            veils = (replace(veils[0], way=replace(veils[0].way, values=veils[0].way.values @ back)), *veils[1:])
        matrix = replace(self.matrix, values=self.matrix.values @ back)
        return replace(self, frame=frame, matrix=matrix, border=None, veils=veils), plane

    @cached_property
    def _seen(self) -> Box:
        """The part of the frame that the canvas shows, and no veil hides."""
        if not self.veils or self.matrix.bends:
            return self.shown
        x0, y0, x1, y1 = self.shown
        way = self.veils[0].way
        a0, b0, a1, b1 = box_of(inverse(way.values), way.width, way.height)
        return max(min(x0, a1), a0), max(min(y0, b1), b0), min(max(x1, a0), a1), min(max(y1, b0), b1)

    def _sampled(
        self,
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
        if self.exact:
            if self.border is None:
                return toned(placed(plane, self.matrix, self.back, mode, value), tones)
            return placed(toned(plane, tones), self.matrix, self.back, mode, value)
        width, height = self.matrix.width, self.matrix.height
        nearest = interpolation == cv2.INTER_NEAREST
        x0, y0, x1, y1 = self._seen
        rows, columns = plane.shape[:2]
        inside = not self.matrix.bends and min(x0, y0, columns - x1, rows - y1) >= -NEAR
        straight = not self.veils and self.matrix.straight and whole(self._seen)
        if inside and straight and not blur and (nearest or max(paces) < UP_TO):
            part = toned(plane[round(y0) : round(y1), round(x0) : round(x1)], tones)
            how = cv2.INTER_NEAREST_EXACT if nearest else interpolation
            return cv2.resize(turned(part, self.matrix), (width, height), interpolation=how)
        level = level_of(paces) if not nearest and (inside or mode == cv2.BORDER_REPLICATE) else 0
        first = blur is not None and not blur.bordered and mode == cv2.BORDER_CONSTANT and not inside
        level = max(level, blur.level) if blur and not first else level
        grain: Grain = levels.grain if not level else "interpolated"
        if blur and blur.softens(level):
            grain = "blurred"
        taps = (0.0, 0.0) if nearest else softness(at_level(paces, level), grain)
        reach = blur.reach if blur else 0
        late = not tones or (inside and self._late(tones, paces, reach))  # there may be less to do then
        back = self.back
        if plane.shape != levels.planes[0].shape:
            if inside:
                left, top = self.frame[:2]
                x0, y0, x1, y1, back = x0 + left, y0 + top, x1 + left, y1 + top, shift(left, top) @ back
            else:  # borders lie around the frame
                levels = Levels(plane, levels.grain)
        window = (0, 0, levels.planes[0].shape[1], levels.planes[0].shape[0])
        if blur and inside:
            window = blur.frame
        if (inside or mode in _NEAR_BORDERS) and math.isfinite(x0 + y0 + x1 + y1) and not self.matrix.bends:
            window = _around((x0, y0, x1, y1), window, 1 << level, reach)
        alone = (tones and not late) or blur or not levels.small  # no other copy needs the same
        room = 0
        if mode == cv2.BORDER_CONSTANT and not (inside and alone) and (blur or taps != (0.0, 0.0)):
            room = _ROOM + reach
        left, top = window[0] - room, window[1] - room
        if (tones and not late) or (room and alone):
            part = toned(levels.planes[0][window[1] : window[3], window[0] : window[2]], () if late else tones)
            if blur and first:
                part, blur = blur.over(part), None
            if room:  # the edge of the picture is softened, too
                part = cv2.copyMakeBorder(part, room, room, room, room, mode, value=value)
            levels, window = Levels(part, levels.grain), (0, 0, part.shape[1], part.shape[0])
        elif room:
            levels = levels.bordered(room, value)
            window = *window[:2], window[2] + 2 * room, window[3] + 2 * room
        part = levels.part(level, (0.0, 0.0) if blur else taps, window)
        if blur:
            part = blur.over(part, level, taps)
        back = np.diag([0.5**level, 0.5**level, 1.0]) @ shift(-left, -top) @ back
        if max(paces) * 0.5**level > LARGEST and not nearest:  # in one direction only
            part, smaller = averaged(part, at_level(paces, level))
            back = np.diag([*smaller, 1.0]) @ back
        centred = shift(-0.5, -0.5) @ back @ shift(0.5, 0.5)
        flags, size = interpolation | cv2.WARP_INVERSE_MAP, (width, height)
        if self.matrix.perspective:
            done = cv2.warpPerspective(part, centred, size, flags=flags, borderMode=mode, borderValue=value)
        else:
            done = cv2.warpAffine(part, centred[:2], size, flags=flags, borderMode=mode, borderValue=value)
        return toned(done, tones) if late else done

    def _late(self, tones: Tones, paces: Paces, reach: int) -> bool:
        """Whether tones in front of what is moved may come behind it, but for borders."""
        wide = max(*paces, reach)
        return linear(tones) or (self.patches is not None and self.patches.alike(tones, wide))


def _channels(fill: Array, count: int) -> tuple[float, ...]:
    """A value for each of so many channels."""
    values = fill.reshape(-1).tolist()
    return tuple(values * count) if len(values) == 1 else tuple(values)


def _around(seen: Box, within: Window, grid: int, reach: int) -> Window:
    """What is seen of a plane, with what interpolation looks at around it and `reach` more, but at least a pixel; the
    corner on one of `grid` times the size."""
    margin = 4 * grid + reach
    x0, y0 = (max(least, min(math.floor(low) - margin, most - 1)) // grid * grid
              for low, least, most in zip(seen[:2], within[:2], within[2:], strict=True))  # fmt: skip
    x1, y1 = (max(first + 1, min(math.ceil(high) + margin, most))
              for first, high, most in zip((x0, y0), seen[2:], within[2:], strict=True))  # fmt: skip
    return x0, y0, x1, y1


def _tables(stages: tuple[Stage, ...]) -> Tones:
    return tuple(stage for stage in stages if not isinstance(stage, Blur))


def finished(pixels: Array, stages: tuple[Stage, ...]) -> Array:
    for stage in stages:
        pixels = stage.over(pixels) if isinstance(stage, Blur) else toned(pixels, (stage,))
    return pixels
