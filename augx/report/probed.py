"""What `augx probe` found, as a section of a report or as a page of its own, from the JSON that it writes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

from augx.drawing.page import plain
from augx.errors import Refused, printable
from augx.formats import json_safe
from augx.model import Json
from augx.recipe import Recipe
from augx.report import charts
from augx.store import open_regular

TITLE = "Does it help?"
LEVELS = {"helps": "good", "hurts": "warning", "no difference seen": "note", "cannot tell": "note"}
_MOST_BYTES = 16 << 20
_MOST_CLASSES = 40  # that are drawn
_NUMBERS = ("pictures", "side", "folds", "repeats", "networks", "steps")
_TEXTS = ("task", "measure", "augx")


def read(path: str) -> Json:
    """The JSON of a probe. Refused where it is none."""
    try:
        with open_regular(path) as file:
            told = json_safe.read(file.read(_MOST_BYTES), printable(path))
        _check(told)
    except OSError as error:
        raise Refused(f"{path}: {error.strerror}", "give the .json that `augx probe -o` wrote") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise Refused(f"{path} is no result of `augx probe`", "give the .json that `augx probe -o` wrote") from None
    return told


def _check(told: Any) -> None:
    """Raises what Python raises where it is not what a probe writes."""
    if not all(type(told[key]) is int for key in _NUMBERS) or not all(type(told[key]) is str for key in _TEXTS):
        raise ValueError
    for one in told["recipes"]:
        if one["verdict"] not in LEVELS or not isinstance(one["words"], str) or not isinstance(one["digest"], str):
            raise ValueError
        if (
            one["classes"].keys() != one["differences"].keys()
            or one["classes"].keys() != told["against"]["classes"].keys()
        ):
            raise ValueError
        for found in (one["difference"], *filter(None, one["differences"].values())):
            _finite([found["mean"], found["margin"]])
    for one in (told["against"], *told["recipes"]):
        if not isinstance(one["name"], str):
            raise ValueError
        _finite([*one["classes"].values()])
        _finite(one[told["measure"]])
    if not told["recipes"] or not all(isinstance(one, str) for one in told["notes"]):
        raise ValueError


def _finite(values: Sequence[float]) -> None:
    if not values or not all(math.isfinite(value) for value in values):
        raise ValueError


def of_recipe(told: Json, recipe: Json) -> Json:
    """What a probe says of the recipe that made an OUTPUT; None where it was of others."""
    digest = Recipe.from_canonical(recipe).digest()
    return next((one for one in told["recipes"] if one["digest"] == digest), None)


def section(told: Json) -> Iterator[str]:
    measure = plain(told["measure"])
    yield (
        f"<p>{plain(told['task'].capitalize())}: {told['pictures']:,} images at {told['side']} x {told['side']} in "
        f"{told['folds']} folds x {told['repeats']} repeats, {told['networks']} networks on each side of each, "
        f"{told['steps']:,} steps each. A point is one percent of {measure} on images held out; a line is a 95 % "
        "interval.</p>"
    )
    against = told["against"]
    yield '<ul class="verdicts">'
    for one in told["recipes"]:
        means = [sum(side[told["measure"]]) / len(side[told["measure"]]) for side in (one, against)]
        yield (
            f'<li class="{LEVELS[one["verdict"]]}"><b>{plain(one["name"])}</b>{plain(one["words"])}'
            f'<p class="muted">{measure} {means[0]:.1f} %, against {means[1]:.1f} % with {plain(against["name"])}</p>'
            "</li>"
        )
    yield '</ul><div class="intervals">'
    for one in told["recipes"]:
        rows = [("all classes", one["difference"]["mean"], one["difference"]["margin"])]
        every = [(name, found["mean"], found["margin"]) for name, found in one["differences"].items() if found]
        title = f"{one['name']}: points more than {against['name']}"
        yield charts.intervals(title, rows + every[:_MOST_CLASSES])
    yield "</div><details><summary>Classes</summary>"
    head = "".join(f'<th scope="col">{plain(one["name"])}</th>' for one in (against, *told["recipes"]))
    lines = "".join(
        f"<tr><td>{plain(name)}</td>" + "".join(_cell(one, name) for one in (against, *told["recipes"])) + "</tr>"
        for name in against["classes"]
    )
    yield f'<div class="scroll" tabindex="0"><table><thead><tr><th scope="col">{measure}, %</th>{head}</tr></thead>'
    yield f"<tbody>{lines}</tbody></table></div></details>"
    if told["notes"]:
        yield "<ul>" + "".join(f"<li>{plain(note)}</li>" for note in told["notes"]) + "</ul>"


def _cell(one: Json, name: str) -> str:
    found = one.get("differences", {}).get(name)
    said = f" ({found['mean']:+.1f} ± {found['margin']:.1f})" if found else ""
    return f"<td>{one['classes'][name]:.1f}{said}</td>"
