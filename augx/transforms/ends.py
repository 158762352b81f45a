"""The two ends of each range that a step draws from: what shows whether a range is too wide."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from augx.model import Json, Step
from augx.transforms.arguments import describe
from augx.transforms.catalog import TRANSFORMS
from augx.transforms.constants import constant
from augx.transforms.door import transform_class
from augx.transforms.own import base as own
from augx.transforms.problems import check

Span = tuple[float, float]
_NO_RANGES = frozenset(
    ("size", "tile_grid_size", "num_grid_xy", "grid", "padding", "shift_xy", "holes_number_xy", "max_size_hw")
)  # pairs of other things than low and high
_ODD = frozenset(("blur_limit",))


@dataclass(frozen=True, slots=True)
class End:
    """A step that is applied for certain, with one of its ranges held at one end and the others at their middle.

    `argument`: the range's. `value`: the end.
    """

    argument: str
    value: float
    step: Step


def ends(step: Step) -> list[End]:
    """Low and high of each of its ranges, in this order; [] for a step without any, as a checked recipe has it."""
    spans = {key: found for key, found in ranges(step).items() if any(map(_wide, found.values()))}
    middles = {key: _held(key, span, 0.5) for key, span in spans.items()}
    middles = {key: middle for key, middle in middles.items() if _allowed(step, key, middle)}
    found: list[End] = []
    for key, span in spans.items():
        for share in (0.0, 1.0):
            held = _held(key, span, share)
            if _allowed(step, key, held):
                value = next(filter(_wide, span.values()))[round(share)]
                found.append(End(key, value, replace(step, args={**step.args, **middles, key: held}, p=1.0)))
    return found


def _allowed(step: Step, key: str, value: Json) -> bool:
    """Some ranges have to include something, such as AdvancedBlur's `beta_limit`, and cannot be held."""
    return not any(problem.path[:1] == (key,) for problem in check(step.name, {**step.args, key: value}))


def _wide(span: Span) -> bool:
    """Whether its ends differ: those of a whole turn do not."""
    low, high = span
    return low < high and high - low != 360


def ranges(step: Step) -> dict[str, dict[str, Span]]:
    """Argument -> the range it stands for, of x and y where they have one each, else under ""."""
    built: Any
    entry, known = TRANSFORMS[step.name], describe(step.name)
    if entry.refused or entry.members:
        return {}
    if entry.own:
        built = own.make(step.name, step.args)
        keys = [key for key in known if key.endswith("_range")]
    else:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the recipe's check has said what is to be said
            built = transform_class(step.name)(**{key: constant(key, value) for key, value in step.args.items()})
        keys = [key for key, schema in known.items() if key not in _NO_RANGES and _takes_a_pair(schema)]
    found: dict[str, dict[str, Span]] = {}
    for key in keys:
        value = getattr(built, key, None)
        spans = dict(_spans(value))
        if (step.name, key) == ("ShiftScaleRotate", "scale_limit"):  # which keeps 1 + the limit
            spans = {axis: (round(low - 1, 9), round(high - 1, 9)) for axis, (low, high) in spans.items()}
        if spans:
            found[key] = spans
    return found


def _takes_a_pair(schema: Mapping[str, Json]) -> bool:
    if "anyOf" in schema:
        return any(map(_takes_a_pair, schema["anyOf"]))
    pair = schema.get("prefixItems", ())
    return len(pair) == 2 and all(one.get("type") in ("number", "integer") for one in pair)


def _spans(value: Any) -> Iterator[tuple[str, Span]]:
    if isinstance(value, Mapping):
        for axis, one in value.items():
            for _, span in _spans(one):
                yield axis, span
    elif isinstance(value, (list, tuple)) and len(value) == 2 and all(isinstance(one, (int, float)) for one in value):
        yield "", (value[0], value[1])


def _held(key: str, spans: Mapping[str, Span], share: float) -> Json:
    """The argument with no room left to draw: a range that begins and ends at this share of it."""
    if "" in spans:
        return [_between(key, spans[""], share)] * 2
    return {axis: [_between(key, span, share)] * 2 for axis, span in spans.items()}


def _between(key: str, span: Span, share: float) -> float:
    low, high = span
    if share in (0, 1):
        return high if share else low
    middle = low + (high - low) * share
    if not (isinstance(low, int) and isinstance(high, int)):
        return middle
    return int(middle) // 2 * 2 + 1 if key in _ODD else int(middle)
