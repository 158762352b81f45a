"""What has been drawn and not yet been done: any run of geometric steps is one warp, any run of tone steps one table.

A picture is interpolated once, however many steps there are, and not at all by flips, quarter turns and crops. Where
it shrinks it is averaged over what each new pixel covers, so that nothing aliases. Steps join as long as the result is
the one they would have one after the other, but for that; else what waits is done first.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from augx.labels import Carrier
from augx.model import Mask, Picture
from augx.transforms.blurs import Blur, Front, front
from augx.transforms.borders import Border, Veil, colour_of
from augx.transforms.rendering import rendered, warped
from augx.transforms.sampling import (
    Box,
    Grain,
    Levels,
    Paces,
    box_of,
    inverse,
    is_exact,
    is_inside,
    paces_of,
    shift,
    whole,
)  # fmt: skip
from augx.transforms.tones import Patches, Stage, Tones, after, linear, toned
from augx.transforms.warps import SAME, Matrix, Rows, product

Array = NDArray[Any]

FLAT = 1e-12  # a determinant: all pixels come from a line
_MOST_VEILS = 4
_GROWN = 0.75  # pixels between samples, below which the edge of a frame is seen to be as wide as its pixels
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
        return cls((width, height), (0, 0, width, height), Matrix(SAME, width, height), patches=patches)

    def _with(self, **changes: Any) -> Course:
        """As `replace`, which would take longer than many of these take to be done."""
        course = object.__new__(Course)
        values = course.__dict__
        values.update(self.__dict__)
        values.pop("back", None)
        values.pop("shown", None)
        values.update(changes)
        return course

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
            return self._with(behind=after(self.behind, stages))
        return self._with(before=_tables(after(self.before, stages)))

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
        if (warp.bends and self.moved) or (warp.perspective and self._tears(product(warp.rows, self.matrix.rows))):
            return None
        course = (self.framed() if first and not self.exact else self)._ready(warp, exact, inside, constant)
        if course is None:
            return None
        veils = tuple(replace(veil, rest=product(warp.rows, veil.rest)) for veil in course.veils)
        if not (inside or first):
            veils = (*veils, Veil(course.lap, warp.rows, border))
        values, bends = product(warp.rows, course.matrix.rows), warp.bends or course.matrix.bends
        course = course._with(
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
            return self._with(blur=ahead, behind=after(first, last))
        return self._fronted(first)._with(blur=ahead, behind=last)

    @property
    def _tones(self) -> Tones:
        return _tables(self.behind)

    def _alike(self, tones: Tones, warp: Matrix, reach: int = 0) -> bool:
        """Whether tones behind what is moved so far may come behind a warp more, and a blur that reaches so far."""
        back = inverse(product(warp.rows, self.matrix.rows))
        return self.alike(tones, paces_of(back, warp.width, warp.height), reach)

    def alike(self, tones: Tones, paces: Paces, reach: int) -> bool:
        """Whether it makes no difference if tones come before or after averages over so many pixels, and a blur."""
        return self.patches.alike(tones, max(*paces, reach)) if self.patches else linear(tones)

    def _tears(self, values: Rows) -> bool:
        """Whether the horizon of a perspective crosses the picture, though outside of the canvas: what lies there must
        be cut off first."""
        (left, top), (width, height) = self.frame[:2], self.size
        e, f, w = values[2]
        depths = [e * (x - left) + f * (y - top) + w for x in (0, width) for y in (0, height)]
        return min(depths) * max(depths) <= 0

    @property
    def _cuts(self) -> bool:
        """Whether the canvas shows whole pixels, upright and none much enlarged: a border can lie around those."""
        if self.matrix.bends or not self.matrix.straight or not whole(self.shown):
            return False
        return bool(min(paces_of(self.back, self.matrix.width, self.matrix.height)) > _GROWN)

    @property
    def lap(self) -> Matrix:
        """From the canvas of the last veil, or else from the frame."""
        return replace(self.matrix, rows=self.veils[-1].rest) if self.veils else self.matrix

    def _fronted(self, tones: Tones) -> Course:
        """With the tones that would come between two warps in front of both, which is the same: where a pixel comes
        from makes no difference to them."""
        veils = tuple(replace(veil, border=veil.border.toned(tones)) for veil in self.veils)
        border = self.border and self.border.toned(tones)
        return self._with(border=border, veils=veils, before=_tables(after(self.before, tones)), behind=())

    def framed(self) -> Course:
        """The frame cut down to what the canvas shows: borders lie around that from now on."""
        x0, y0, x1, y1 = map(round, self.shown)
        left, top, right, bottom = self.frame
        if (x0, y0, x1, y1) == (0, 0, right - left, bottom - top):
            return self
        values = product(self.matrix.rows, shift(x0, y0))
        return self._with(
            frame=(left + x0, top + y0, left + x1, top + y1),
            matrix=Matrix(values, self.matrix.width, self.matrix.height),
        )

    @cached_property
    def back(self) -> Rows:
        """From places of the canvas to those of the frame."""
        return inverse(self.matrix.rows)

    @cached_property
    def shown(self) -> Box:
        """The part of the frame that the canvas shows, beyond its edges, too."""
        return box_of(self.back, self.matrix.width, self.matrix.height)

    def carry(self, carrier: Carrier) -> None:
        """Labels go where the pixels go: cut wherever a border was put around a canvas."""
        x0, y0, x1, y1 = self.frame
        first, *others = (*(veil.way for veil in self.veils), self.lap)
        laps = [self._with(matrix=first, veils=())]
        laps += [Course((one.width, one.height), (0, 0, one.width, one.height), way, Border(), exact=False)
                 for one, way in zip((first, *others), others, strict=False)]  # fmt: skip
        cut = Matrix(shift(-x0, -y0), x1 - x0, y1 - y0)
        if self.border is not None and not ((x1 - x0, y1 - y0) == self.size and carrier.fits()):
            carrier.move(cut, self.cut)
        else:
            first = replace(first, rows=product(first.rows, cut.rows))
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
            pixels = levels.whole.planes[0] if levels else pixels
            return replace(picture, pixels=finished(toned(pixels, self.before), self.behind))
        deep = 257 if pixels.dtype == np.uint16 else 1
        fills = [colour_of(border.fill, deep) for border in self.borders]
        pixels = rendered(self, levels or Levels(pixels, "interpolated"), fills)
        pixels = np.ascontiguousarray(finished(pixels, self.behind))
        alpha, mask, instances = picture.alpha, picture.mask, picture.instances
        if alpha is not None:
            nothing = [(0.0,)] * len(fills)
            alpha = np.ascontiguousarray(warped(self, Levels(alpha), nothing, self.interpolation))
        if mask is not None:
            mask = Mask(self.plane(mask.values, outside, reflects=True), mask.palette)
        if instances is not None:
            instances = Mask(self.objects(instances.values), instances.palette)
        return Picture(pixels, alpha, picture.icc, picture.annotations, mask, instances)

    def plane(self, values: Array, outside: int, reflects: bool) -> Array:
        """A mask moved as the pixels are but never mixed: each new pixel has the value of the pixel its centre lies in.

        `reflects`: it is one of classes: borders that repeat the picture repeat it, and constant ones may have a class
        of their own; else `outside` is around it.
        """
        classes = [outside if border.classes is None or not reflects else border.classes for border in self.borders]
        fills = [colour_of(one) for one in classes]
        return np.ascontiguousarray(warped(self, Levels(values), fills, cv2.INTER_NEAREST, repeats=reflects))

    @property
    def borders(self) -> Iterator[Border]:
        """That of the frame, and those of the veils."""
        yield self.border or Border(cv2.BORDER_REPLICATE)
        yield from (veil.border for veil in self.veils)

    def cut(self, plane: Array) -> Array:
        """The frame of a plane; a plane of its size is one already."""
        x0, y0, x1, y1 = self.frame
        return plane if plane.shape[:2] == (y1 - y0, x1 - x0) else plane[y0:y1, x0:x1]


def _tables(stages: tuple[Stage, ...]) -> Tones:
    return tuple(stage for stage in stages if not isinstance(stage, Blur))


def finished(pixels: Array, stages: tuple[Stage, ...]) -> Array:
    for stage in stages:
        pixels = stage.over(pixels) if isinstance(stage, Blur) else toned(pixels, (stage,))
    return pixels
