"""What a recipe does to the meaning of a dataset's labels: things a person should look at, none of them errors."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from augx.errors import ImageError, Problem
from augx.model import Dataset, Json, Step
from augx.objects import dataset_kinds
from augx.recipe import Recipe
from augx.steps import leaves
from augx.store import open_regular
from augx.transforms.catalog import mirrors_pictures

_MOST_HEADS = 20_000

_UPSIDE_DOWN = frozenset({"VerticalFlip", "Transpose", "D4", "SquareSymmetry", "RandomRotate90"})
_RECOLOURS = frozenset(
    [
        "HueSaturationValue",
        "RGBShift",
        "ChannelShuffle",
        "ChannelDropout",
        "ToGray",
        "ToSepia",
        "InvertImg",
        "PlanckianJitter",
        "Solarize",
        "FancyPCA",
        "HEStain",
        "PhotoMetricDistort",
    ]
)
_ANGLES = {  # transform -> (argument, the largest angle of its default, degrees)
    "Rotate": ("limit", 90.0), "SafeRotate": ("limit", 90.0), "Affine": ("rotate", 0.0),
    "ShiftScaleRotate": ("rotate_limit", 45.0),
}  # fmt: skip
_COLOURS = re.compile(
    r"(?:^|[^a-z])(red|green|blue|yellow|orange|purple|violet|pink|brown|black|white|gr[ae]y|cyan|magenta)(?:$|[^a-z])"
)
_SIDES = re.compile(r"(?:^|[^a-z])(left|right)(?:$|[^a-z])")
_TOLD_SIDES = re.compile(
    r"\b(?:left|right)(?:most|wards?|-?hand(?:ed)?|-?side)?\b"
    r"(?! (?:now|away|next|before|after|behind|over|alone|out|in front|on time)\b)",
    re.IGNORECASE,
)
_LONGEST = 60  # letters of a caption in a message
_TURNING = re.compile(r"angle|steer|yaw|heading|azimuth|roll")
_READ = re.compile(r"[a-z]|\d{1,2}|digit|letter|char|text|word|zero|one|two|three|four|five|six|seven|eight|nine")
_BRING_BORDERS = frozenset(
    {"Affine", "Rotate", "SafeRotate", "ShiftScaleRotate", "Perspective", "Pad", "PadIfNeeded", "CropAndPad"}
)
_BORDERS = frozenset({"reflect", "reflect_101", "wrap"})


@dataclass(frozen=True, slots=True)
class _Known:
    """What the rules ask of a dataset. `sides`: captions that say left or right."""

    classes: Sequence[str]
    kinds: frozenset[str]
    values: frozenset[str]
    negated: frozenset[str]
    ignore: int | None
    sides: Sequence[str]


def meaning(recipe: Recipe, dataset: Dataset) -> list[Problem]:
    """Warnings, at their place in the recipe, where a transform may make a label untrue."""
    known = _Known(
        dataset.classes,
        frozenset(dataset_kinds(dataset)),
        frozenset(name for sample in dataset.samples[:1000] for name in sample.annotations.values),
        frozenset(recipe.labels.values),
        dataset.ignore if recipe.labels.ignore is None else recipe.labels.ignore,
        [text for sample in dataset.samples for text in sample.annotations.captions if _TOLD_SIDES.search(text)],
    )
    steps = [
        step for several in (recipe.steps, *(one.steps or () for one in recipe.overrides)) for step in leaves(several)
    ]
    found: list[Problem] = []
    for index, step in enumerate(steps):
        line, column = (0, 0)
        if recipe.marks:
            name = recipe.marks[index][0]
            line, column = name.line, name.column
        for code, rule in _RULES.items():
            found += [Problem(recipe.name, line, column, m, way, "warning", code) for m, way in rule(step, known)]
    return found


def turned(recipe: Recipe, dataset: Dataset) -> list[Problem]:
    """Warnings where boxes fit only the other of the stored and the upright picture. Reads the heads of images."""
    from augx import images

    upright = recipe.labels.pixels == "upright"
    wrong: list[str] = []
    for sample in dataset.samples[:_MOST_HEADS]:
        known = sample.annotations
        boxes = [thing.box for thing in known.objects if thing.box is not None]
        if known.relative or not boxes:
            continue
        with suppress(OSError, ImageError), open_regular(os.path.join(dataset.root, *sample.id.split("/"))) as file:
            width, height, orientation = images.look(file)
            if orientation < 5 or width == height:
                continue
            right, bottom = max(box[2] for box in boxes), max(box[3] for box in boxes)
            stored_fits = right <= width + 1 and bottom <= height + 1
            upright_fits = right <= height + 1 and bottom <= width + 1
            if stored_fits != upright_fits and upright_fits != upright:
                wrong.append(sample.id)
    if not wrong:
        return []
    said, other = ("upright", "stored") if upright else ("stored", "upright")
    count = f"{len(wrong)} image{'s' * (len(wrong) > 1)}"
    ways = {"stored": "as it is stored", "upright": "as EXIF turns it"}
    message = f"the boxes of {count}, such as {wrong[0]}, fit the picture {ways[other]}, not {ways[said]}"
    return [Problem(recipe.name, 0, 0, message, f"write labels: {{pixels: {other}}}", "warning", "boxes-turned")]


_Finding = tuple[str, str]  # (message, what to do)


def _largest_angle(step: Step) -> float:
    if step.name not in _ANGLES:
        return 0.0
    argument, default = _ANGLES[step.name]
    return max(_numbers(step.args.get(argument)), default=default)


def _numbers(value: Json) -> Iterator[float]:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        yield abs(value)
    elif isinstance(value, list):
        for one in value:
            yield from _numbers(one)


def _pose_upside_down(step: Step, known: _Known) -> Iterator[_Finding]:
    if "keypoints" in known.kinds and (step.name in _UPSIDE_DOWN or _largest_angle(step) > 120):
        yield f"{step.name} turns poses upside down, as hardly any picture shows them", "leave it out for poses"


def _recoloured(step: Step, known: _Known) -> Iterator[_Finding]:
    named = [name for name in known.classes if _COLOURS.search(name.lower())]
    hue = step.name == "ColorJitter" and max(_numbers(step.args.get("hue", 0.5)), default=0.0) > 0.05
    if len(named) > 1 and (hue or step.name in _RECOLOURS):
        yield f"{step.name} changes colours, and classes are called by them: {', '.join(named[:4])}", "leave it out"


def _read_wrongly(step: Step, known: _Known) -> Iterator[_Finding]:
    text = [name for name in known.classes if _READ.fullmatch(name.lower())]
    if len(text) * 2 <= len(known.classes) or len(text) < 2:
        return
    mirror = mirrors_pictures(step.name, step.args)
    turned = "mirrors" if mirror else "turns"
    if mirror or step.name in _UPSIDE_DOWN or _largest_angle(step) > 80:
        untrue = "in a mirror they are other signs, or none" if mirror else "a 6 becomes a 9"
        yield f"{step.name} {turned} signs that are to be read ({', '.join(text[:6])}): {untrue}", "leave it out"


def _sides(step: Step, known: _Known) -> Iterator[_Finding]:
    sides = [name for name in known.classes if _SIDES.search(name.lower())]
    if sides and mirrors_pictures(step.name, step.args):
        yield (
            f"{step.name} turns left into right, but the classes {', '.join(sides[:4])} stay as they are",
            "leave it out",
        )
    if known.sides and step.name != "VerticalFlip" and mirrors_pictures(step.name, step.args):
        first = " ".join(known.sides[0].split())
        first = first if len(first) <= _LONGEST else f"{first[: _LONGEST - 1]}…"
        count = "a caption that says left or right stays as it is"
        if len(known.sides) > 1:
            count = f"{len(known.sides):,} captions that say left or right stay as they are, such as"
        yield f"{step.name} turns left into right, but {count}: “{first}”", "leave it out"


def _turning_values(step: Step, known: _Known) -> Iterator[_Finding]:
    angles = sorted(name for name in known.values - known.negated if _TURNING.search(name.lower()))
    if angles and mirrors_pictures(step.name, step.args):
        way = f"write labels: {{values: {{{angles[0]}: negate_on_flip}}}}, or leave it out"
        yield f"{step.name} mirrors the picture, but the value {angles[0]!r} stays as it is", way


def _border_class(step: Step, known: _Known) -> Iterator[_Finding]:
    constant = step.args.get("border_mode", "constant") in ("constant", 0) and "fill_mask" not in step.args
    if step.name in _BRING_BORDERS and constant and "mask" in known.kinds and known.ignore is None:
        way = "write labels: {ignore: N} with the number of no class, or border_mode: reflect_101"
        yield f"what {step.name} brings in at the border becomes class 0 of the masks", way


def _shown_twice(step: Step, known: _Known) -> Iterator[_Finding]:
    border = step.args.get("border_mode")
    if border in _BORDERS and known.kinds & {"boxes", "polygons", "rle", "obb", "keypoints"}:
        yield (
            f"{step.name} mirrors at the border: objects show a second time there, without a label",
            "set fill instead",
        )


_RULES: Mapping[str, Callable[[Step, _Known], Iterator[_Finding]]] = {
    "upside-down": _pose_upside_down,
    "colours-changed": _recoloured,
    "signs-turned": _read_wrongly,
    "sides-exchanged": _sides,
    "value-unturned": _turning_values,
    "shown-twice": _shown_twice,
    "border-class": _border_class,
}
