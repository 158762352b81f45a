"""Steps that would cost less, or leave the picture sharper, in another order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import cv2

from augx.errors import ImageError, Problem
from augx.lint.places import Placed, joined, lists, problem
from augx.recipe import Recipe
from augx.seeds import Rng
from augx.transforms.borders import Border
from augx.transforms.catalog import TRANSFORMS
from augx.transforms.draws import Geometry, geometry
from augx.transforms.draws_light import light
from augx.transforms.fusion import FLAT, Course
from augx.transforms.warps import Matrix

_SIZE = 4096, 3072  # of a picture that stands for all, large enough for any usual crop
_MOST_LEFT = 0.7  # share of the pixels: with more left, an order is a matter of taste
_SLOW = 0.01  # seconds per megapixel: as long as it takes to decode
_CROPS = frozenset(
    {"RandomCrop", "CenterCrop", "Crop", "RandomResizedCrop", "RandomSizedCrop", "RandomSizedBBoxSafeCrop"}
    | {"CropNonEmptyMaskIfExists", "AtLeastOneBBoxRandomCrop", "BBoxSafeRandomCrop"}
)
_MIRRORS = {cv2.BORDER_REFLECT: "reflect", cv2.BORDER_REFLECT_101: "reflect_101", cv2.BORDER_REPLICATE: "replicate",
            cv2.BORDER_WRAP: "wrap"}  # fmt: skip


def findings(recipe: Recipe, usual: tuple[int, int] | None = None) -> Iterator[Problem]:
    """`usual`: width and height of the usual image, where a dataset was looked at."""
    for group, steps in lists(recipe):
        if group not in ("OneOf", "SomeOf", "inside"):
            yield from _wasted(recipe, steps, usual)
            if recipe.fuse:
                yield from _twice(recipe, steps)


def _line(one: Placed) -> str:
    return f" (line {one.name.line})" if one.name.line else ""


def _wasted(recipe: Recipe, steps: Sequence[Placed], usual: tuple[int, int] | None) -> Iterator[Problem]:
    for number, one in enumerate(steps):
        entry = TRANSFORMS[one.step.name]
        if entry.moves or entry.partners or entry.members or entry.seconds < _SLOW or not one.chance:
            continue
        for later in steps[number + 1 :]:
            if later.chance == 1 and (left := _left(later, usual)) < _MOST_LEFT:
                name, smaller = entry.name, later.step.name
                share = f"; {left:.0%} of the usual image is left" if usual else ""
                message = f"{name} works on pixels that {smaller}{_line(later)} then throws away{share}"
                yield problem(recipe.name, "wasted-work", one.name, message, f"put {name} behind {smaller}")
                break


def _left(one: Placed, usual: tuple[int, int] | None) -> float:
    """The share of the usual image's pixels that a step leaves; 0 for a crop of images that nobody has looked at."""
    if usual is None:
        return 0.0 if one.step.name in _CROPS else 1.0
    moving = geometry(one.step.name, one.step.args)
    if not moving:
        return 1.0
    try:
        warp = moving.warp(moving.draw(*usual, Rng().at(0, "", 1, "0")), *usual)
    except ImageError:
        return 1.0
    return 1.0 if warp is None else warp.width * warp.height / (usual[0] * usual[1])


def _twice(recipe: Recipe, steps: Sequence[Placed]) -> Iterator[Problem]:
    """Two warps that interpolate, which would be one without the filters between them, or without a mirrored border."""
    course, first = Course.of(*_SIZE), None  # what waits to be done, and the first step in it that interpolates
    parted: _Parted | None = None  # what a filter has had done
    for number, one in enumerate(steps):
        moving, entry = geometry(one.step.name, one.step.args), TRANSFORMS[one.step.name]
        if not moving:
            if entry.moves or entry.members or entry.partners:  # what cannot be put elsewhere
                course, first, parted = Course.of(*_SIZE), None, None
            elif not light(one.step.name, one.step.args):
                if first:
                    parted = _Parted(course, first, (one,))
                elif parted:
                    parted = replace(parted, filters=(*parted.filters, one))
                course, first = Course.of(course.matrix.width, course.matrix.height), None
            continue
        try:
            warp, border, how = _drawn(moving, course, number)
        except ImageError:
            return  # too small for a crop: another rule's
        if warp is None:
            continue
        joined = course.joined(one.step.name, warp, border, how)
        if joined is None:
            plain = course.joined(one.step.name, warp, Border(), how)
            if first and plain and border.mode in _MIRRORS:
                yield _mirrored(recipe, first, one, _MIRRORS[border.mode])
            joined, first, parted = Course.of(*_SIZE).joined(one.step.name, warp, border, how), None, None
        if joined is None:
            return
        course = joined
        whole = parted and parted.course.joined(one.step.name, warp, border, how)
        if not course.exact and first is None:
            first = one
            if parted and whole:
                yield _filtered(recipe, parted, one)
            parted = None
        elif parted:
            parted = replace(parted, course=whole) if whole else None


@dataclass(frozen=True, slots=True)
class _Parted:
    course: Course
    first: Placed
    filters: tuple[Placed, ...]


def _drawn(moving: Geometry, course: Course, number: int) -> tuple[Matrix | None, Border, int]:
    """A warp of the canvas as it is by then, and how it is sampled."""
    size = course.matrix.width, course.matrix.height
    warp = moving.warp(moving.draw(*size, Rng().at(0, "", 1, str(number))), *size)
    if warp is not None and abs(warp.determinant) < FLAT:
        warp = None
    border = Border(getattr(moving.settings, "border_mode", cv2.BORDER_CONSTANT))
    return warp, border, getattr(moving.settings, "interpolation", cv2.INTER_LINEAR)


def _filtered(recipe: Recipe, parted: _Parted, one: Placed) -> Problem:
    names = joined(list(dict.fromkeys(step.step.name for step in parted.filters)))
    verb = "stand" if len(parted.filters) > 1 else "stands"
    message = f"{parted.first.step.name}{_line(parted.first)} and {one.step.name} interpolate the picture twice, "
    message += f"because {names} {verb} between them"
    return problem(recipe.name, "interpolated-twice", one.name, message, f"put {names} behind {one.step.name}")


def _mirrored(recipe: Recipe, first: Placed, one: Placed, mode: str) -> Problem:
    message = f"{first.step.name}{_line(first)} and {one.step.name} interpolate the picture twice, because the border "
    message += f"of {one.step.name} ({mode}) repeats pixels that must be there first"
    way_out = f"give {one.step.name} `border_mode: constant`, or put it first"
    return problem(recipe.name, "interpolated-twice", one.name, message, way_out)
