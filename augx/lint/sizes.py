"""Crops that are larger than the images, found by following their sizes through the steps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from augx.errors import ImageError, Problem
from augx.lint.places import Placed, lists, problem
from augx.recipe import Recipe
from augx.seeds import Rng
from augx.transforms.catalog import TRANSFORMS
from augx.transforms.draws import geometry

Size = tuple[int, int]  # width, height

_MOST_SIZES = 2000  # different ones of images; the rest is as they are, most likely
_MOST_WAYS = 8  # sizes that one image may have behind steps that act now and then


def findings(recipe: Recipe, sizes: Mapping[str, Size]) -> Iterator[Problem]:
    """`sizes`: of images, by id."""
    first: dict[Size, str] = {}
    count: dict[Size, int] = {}
    for name, size in sorted(sizes.items()):
        first.setdefault(size, name)
        count[size] = count.get(size, 0) + 1
    tops = [steps for group, steps in lists(recipe) if not group]
    for steps in tops:
        small: dict[int, list[tuple[Size, ImageError]]] = {}
        for size in list(first)[:_MOST_SIZES]:
            for number, error in _too_small(steps, size):
                small.setdefault(number, []).append((size, error))
        for number, found in sorted(small.items()):
            images = sum(count[size] for size, _ in found)
            size, error = found[0]
            of = f"{images:,} of {len(sizes):,} images are" if len(sizes) > 1 else "the image is"
            name = steps[number].step.name
            why = error.message.removeprefix(f"{name}: ").partition(";")[0]
            message = f"{of} too small for {name}, the first {first[size]}: {why}"
            yield problem(recipe.name, "crop-too-large", steps[number].name, message)


def _too_small(steps: Sequence[Placed], size: Size) -> Iterator[tuple[int, ImageError]]:
    """Steps that cannot work on a picture of this size; what is behind them is not asked."""
    ways = {size}
    for number, one in enumerate(steps):
        moving = geometry(one.step.name, one.step.args)
        if moving is None:
            if TRANSFORMS[one.step.name].moves or one.members:  # which may come out larger or smaller
                return
            continue
        if one.chance == 0:
            continue
        after: set[Size] = set() if one.chance == 1 else set(ways)
        for width, height in sorted(ways):
            try:
                warp = moving.warp(moving.draw(width, height, Rng().at(0, "", 1, str(number))), width, height)
            except ImageError as error:
                yield number, error
                return
            after.add((width, height) if warp is None else (warp.width, warp.height))
        ways = set(sorted(after)[:_MOST_WAYS])
