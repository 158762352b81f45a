"""Steps of a recipe that do nothing, nothing more than others, or not what their place in the list lets one expect."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from augx.errors import ImageError, Problem
from augx.lint.places import Placed, at, joined, lists, problem
from augx.model import Step
from augx.recipe import Recipe
from augx.seeds import Rng
from augx.transforms.blurs import Blur
from augx.transforms.catalog import TRANSFORMS
from augx.transforms.draws import geometry
from augx.transforms.draws_light import light
from augx.yamlfile import Node

Array = NDArray[Any]

_SIZE = 1013, 761  # of a picture that nobody crops or resizes to
_DRAWS = 12
_GREY = frozenset({"ToGray", "ChannelShuffle", "gray_world"})  # what is nothing to a grey picture
_TURNS = frozenset({"HorizontalFlip", "VerticalFlip", "Transpose", "RandomRotate90", "D4", "SquareSymmetry"})
# Steps that always leave nothing to do for the ones behind them -> those, and why.
_VOIDS = {
    "ToGray": (_GREY, "the picture is grey by then"),
    "D4": (_TURNS, "all eight ways to turn and mirror it are as likely already"),
    "SquareSymmetry": (_TURNS, "all eight ways to turn and mirror it are as likely already"),
    "RandomRotate90": (frozenset({"RandomRotate90"}), "all four quarter turns are as likely already"),
}
_OUTCOMES = {  # how many pictures a step can make of one, the one itself among them
    "HorizontalFlip": 2, "VerticalFlip": 2, "Transpose": 2, "RandomRotate90": 4, "D4": 8, "SquareSymmetry": 8,
    "InvertImg": 2, "ToGray": 2, "ToSepia": 2, "NoOp": 1, "ToRGB": 1,
}  # fmt: skip
_POLICIES = frozenset({"randaugment", "trivialaugment", "autoaugment", "augmix", "policy"})


def findings(recipe: Recipe, root: Node | None) -> Iterator[Problem]:
    """What the steps say by themselves, in no order. `root`: the recipe as it was read, for places."""
    for group, steps in lists(recipe):
        for one in steps:
            if _idle(one.step) and group not in ("OneOf", "SomeOf"):  # where doing nothing can be a choice
                way_out = "remove it" if one.step.name == "NoOp" else "give it ranges, or remove it"
                message = f"{one.step.name} changes nothing as it is written here"
                yield problem(recipe.name, "void-step", one.name, message, way_out)
        yield from _repeated(recipe, group, steps)
        if group not in ("OneOf", "SomeOf"):
            yield from _voided(recipe, steps)
            yield from _policies(recipe, steps)
            yield from _unmixed(recipe, steps)
    yield from _outcomes(recipe)
    yield from _hidden(recipe, root)
    if not recipe.fuse:
        message = "`fuse: false` does one step after the other and interpolates at each that moves pixels"
        yield problem(recipe.name, "not-fused", at(root, "fuse"), message)


def _idle(step: Step) -> bool:
    """Whether a step comes to nothing however it draws."""
    if step.name == "NoOp":
        return True
    moving, toning = geometry(step.name, step.args), light(step.name, step.args)
    if (not moving and not toning) or step.name in ("PadIfNeeded", "ToRGB"):  # which depend on the picture
        return False
    if not moving and toning and not toning.suits(3):  # drawn for grey pictures only: of colours its settings tell
        said = toning.settings
        return step.name == "HueSaturationValue" and not any(
            (*said.hue_shift_limit, *said.sat_shift_limit, *said.val_shift_limit)
        )
    width, height = _SIZE
    for number in range(_DRAWS):
        rng = Rng().at(0, "", number, "0")
        if moving:
            try:
                warp = moving.warp(moving.draw(width, height, rng), width, height)
            except ImageError:
                return False
            if warp is not None:  # None: everything stays in place
                return False
        elif toning and not all(map(_same, toning.stages(toning.draw(width, height, 3, rng), 3))):
            return False
    return True


def _same(stage: Array | Blur) -> bool:
    """Whether a table or colour matrix leaves all levels as they are, but for the one that rounding takes."""
    if isinstance(stage, Blur):
        return False
    if stage.shape[0] == 256:
        levels = np.arange(256).reshape(-1, *[1] * (stage.ndim - 1))
        return bool(np.all(np.abs(stage.astype(np.int64) - levels) <= 1))
    return stage.shape == (3, 3) and bool(np.allclose(stage, np.eye(3)))


def _said(step: Step) -> str:
    return json.dumps([step.name, dict(step.args), step.p, [_said(one) for one in step.steps]], sort_keys=True)


def _repeated(recipe: Recipe, group: str, steps: Sequence[Placed]) -> Iterator[Problem]:
    first: dict[str, Placed] = {}
    for one in steps:
        before = first.setdefault(_said(one.step), one)
        if before is not one and not one.members:
            line = f", the same as on line {before.name.line}" if before.name.line else ""
            message = f"{one.step.name} stands here a second time{line}"
            more = "remove one; to choose it more often give one of them a higher p" if group == "OneOf" else ""
            yield problem(recipe.name, "repeated-step", one.name, message, more)


def _voided(recipe: Recipe, steps: Sequence[Placed]) -> Iterator[Problem]:
    for number, one in enumerate(steps):
        before = steps[:number]
        for maker in before:
            void, why = _VOIDS.get(maker.step.name, (frozenset(), ""))
            between = steps[steps.index(maker) + 1 : number]
            if one.step.name not in void or maker.chance < 1 or _said(maker.step) == _said(one.step):
                continue
            if any(TRANSFORMS[other.step.name].moves or other.members for other in between):
                continue  # which may need turning again
            line = f" (line {maker.name.line})" if maker.name.line else ""
            message = f"{one.step.name} behind {maker.step.name}{line} changes nothing: {why}"
            yield problem(recipe.name, "void-step", one.name, message, "remove it")
            break


def _policies(recipe: Recipe, steps: Sequence[Placed]) -> Iterator[Problem]:
    found = [one for one in steps if one.step.name in _POLICIES]
    for one in found[1:]:
        message = f"{one.step.name} comes on top of {found[0].step.name}; each is a whole recipe of its own"
        yield problem(recipe.name, "two-policies", one.name, message)


def _unmixed(recipe: Recipe, steps: Sequence[Placed]) -> Iterator[Problem]:
    before: list[str] = []
    for one in steps:
        entry = TRANSFORMS[one.step.name]
        if entry.partners and entry.partners != "folder":
            if before:
                names = list(dict.fromkeys(before))
                verb = "change" if len(names) > 1 else "changes"
                said = ", ".join(names[:3]) + f" and {len(names) - 3} more" if len(names) > 3 else joined(names)
                message = f"{said} before {entry.name} {verb} one picture only: the others come as their sources are"
                yield problem(recipe.name, "before-mix", one.name, message, f"put {entry.name} first")
                return
        elif not one.members:
            before.append(entry.name)


def _outcomes(recipe: Recipe) -> Iterator[Problem]:
    for variant, steps in zip(recipe.variants(), _tops(recipe), strict=True):
        names = [one.step.name for one in steps]
        if not names or not variant.copies or not all(name in _OUTCOMES for name in names):
            continue
        turns = [name for name in names if name in _TURNS]
        count = 1
        for one in steps:
            if one.step.name not in turns:
                count *= _OUTCOMES[one.step.name] if 0 < one.chance < 1 else 1
        ways = 1
        for name in turns:
            ways = min(8, ways * _OUTCOMES[name])
        count = count * ways - 1
        if 0 < count < variant.copies:
            pictures = "picture" if count == 1 else "pictures"
            message = f"copies: {variant.copies}, but these steps can make {count} new {pictures} of a source at most"
            yield problem(recipe.name, "few-outcomes", steps[0].name, message)


def _tops(recipe: Recipe) -> Iterator[tuple[Placed, ...]]:
    """The list of steps of each of `variants`."""
    found = [steps for group, steps in lists(recipe) if not group]
    yield found[0]
    for one, steps in zip(recipe.overrides, found[1:], strict=True):
        yield found[0] if one.steps is None else steps


def _hidden(recipe: Recipe, root: Node | None) -> Iterator[Problem]:
    for number, one in enumerate(recipe.overrides):
        for earlier, before in enumerate(recipe.overrides[:number], 1):
            classes = not before.classes or (one.classes and set(one.classes) <= set(before.classes))
            splits = not before.splits or (one.splits and set(one.splits) <= set(before.splits))
            if classes and splits:
                message = f"override {number + 1} never applies: override {earlier} takes all its images"
                yield problem(recipe.name, "override-hidden", at(root, "overrides", number), message)
                break
