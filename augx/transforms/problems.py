"""What is wrong with the arguments of a step."""

from __future__ import annotations

import difflib
import math
import re
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from augx.model import Json
from augx.transforms.arguments import defaults_of, describe, in_words, shown
from augx.transforms.catalog import TRANSFORMS, suggest
from augx.transforms.constants import constant
from augx.transforms.door import ValidationError, defaults, transform_class
from augx.transforms.own import base as own
from augx.yamlfile import meant_truth

_LARGEST = 65_535  # of any number in a recipe, and of a picture's side
_LARGEST_AREA = 2**28
# Less where time or memory grow with it, so that no recipe can fill the memory or never end.
_MOST = {
    "scale": 64, "scale_limit": 15, "percent": 15, "px": 8192, "padding": 8192, "max_size": 16_384,
    "blur_limit": 501, "radius": 100, "num_control_points": 32, "nb_rows": 64, "nb_cols": 64, "num_grid_xy": 64,
    "iterations": 32, "n_segments": 4096, "num_steps": 256, "tile_grid_size": 256, "max_factor": 4,
    "drop_length": 1024, "max_delta": 256, "shear": 85,
}  # fmt: skip
# Arguments of older versions and other tools, and what they are called in 2.0.8.
RENAMED = dict(
    re.findall(
        r"(\w+)=(\w+)",
        """value=fill mask_value=fill_mask mode=border_mode angle=rotate degrees=rotate var_limit=std_range
        max_holes=num_holes_range max_height=hole_height_range max_width=hole_width_range quality_lower=quality_range
        quality_upper=quality_range probability=p prob=p always_apply=p""",
    )
)
_HINTS = re.compile(r"special case of|is an alias|specialized version|very slow|already (gray|an RGB)")


@dataclass(frozen=True, slots=True)
class ArgumentProblem:
    """`path` leads to the value: ("rotate",), ("scale", 1); () is the transform as a whole."""

    path: tuple[str | int, ...]
    message: str
    suggestion: str = ""
    code: str = "transform-argument"


def check(name: str, args: Mapping[str, Json]) -> list[ArgumentProblem]:
    """Everything wrong with the arguments of a step, at most one problem an argument; [] if all is well."""
    entry = TRANSFORMS.get(name)
    if entry is None:
        return [ArgumentProblem((), "unknown transform", f"did you mean '{suggest(name)}'?" if suggest(name) else "")]
    if entry.refused:
        return [ArgumentProblem((), entry.refused)]
    known = describe(name)
    problems, good = [], {}
    for key, value in args.items():
        if key not in known:
            problems.append(ArgumentProblem((key,), "no such argument", _meant(key, list(known))))
        elif (largest := max(map(abs, _numbers(value)), default=0)) > (limit := most(name, key)):
            problems.append(ArgumentProblem((key,), f"{shown(largest)} is too large, the most is {limit}"))
        elif problem := _misfit(key, value, known[key], (key,)):
            problems.append(problem)
        else:
            good[key] = value
    if entry.members and not entry.own:
        return problems
    missing = [key for key in known if key not in args and key not in defaults_of(name)]
    problems += [ArgumentProblem((), f"needs the argument '{key}'", in_words(key, known[key])) for key in missing]
    if missing:
        return problems
    if entry.own:
        return problems or _refused(name, good)
    whole = len(good) == len(args)  # with some left out, the rest need not fit together
    asked = [p for p in _ask(name, good) if whole or p.path[:1] in {(key,) for key in good}]
    return problems + (asked or _impossible(good))


def most(name: str, key: str) -> float:
    """How large a number in an argument may be, either way."""
    return math.inf if TRANSFORMS[name].own else _MOST.get(key, _LARGEST)  # their schemas have limits of their own


def _refused(name: str, args: Mapping[str, Json]) -> list[ArgumentProblem]:
    """What one of augx's own transforms says of arguments that do not go together."""
    try:
        own.make(name, args)
    except ValueError as error:
        return [ArgumentProblem((), str(error))]
    return []


def _ask(name: str, args: Mapping[str, Json]) -> Iterator[ArgumentProblem]:
    """What Albumentations itself objects to. What it would only warn of and then replace is a problem too."""
    cls, values = transform_class(name), {key: constant(key, value) for key, value in args.items()}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            cls.InitSchema(**{**defaults(name), **values, "p": 1.0, "strict": False})
            cls(**values, p=1.0)
        except ValidationError as error:
            yield from _objections(error, cls.InitSchema.model_fields)
            return
        except Exception as error:  # validators raise TypeError and worse on what they did not expect
            yield ArgumentProblem((), _plain(str(error)))
            return
    seen = set()
    for text in (str(warning.message) for warning in caught):
        key = text.split(":")[0]
        if _HINTS.search(text) or key in seen:
            continue
        seen.add(key)
        if key in args and "automatically adjusted" in text:
            yield ArgumentProblem((key,), f"kernel sizes must be odd, at least 3, low first, got {shown(args[key])}")
        else:
            yield ArgumentProblem((key,) if key in args else (), _plain(text.removeprefix(f"{key}: ")))


def _objections(error: ValidationError, fields: Mapping[str, Any]) -> Iterator[ArgumentProblem]:
    seen = set()
    for detail in error.errors(include_url=False):
        path = tuple(str(part) for part in detail["loc"][:1])
        if path and path[0] not in fields:  # of the one nested model, in AdditiveNoise
            path = ("noise_params", *path)
        if path not in seen:
            seen.add(path)
            yield ArgumentProblem(path, _plain(detail["msg"]).removeprefix(f"{path[-1] if path else ''} "))


def _plain(text: str) -> str:
    """A message of Albumentations or pydantic in plain words."""
    text = text.removeprefix("Value error, ").strip().split("\n")[0].rstrip(".!")
    text = re.sub(r"(?<!\w)\((-?[\d.][^()]*)\)", r"[\1]", text)  # tuples as a recipe writes them
    for pattern, plain in (
        (r"All values in (\[.*\]) must be >= (\S+) and <= (\S+)", r"must be between \2 and \3, got \1"),
        (r"All values in (\[.*\]) must be >= (\S+)", r"must be at least \2, got \1"),
        (r"All values in (\[.*\]) must be > (\S+) and <= (\S+)", r"must be above \2 and at most \3, got \1"),
        (r"First value should be less than the second value, got (\[.*\]) instead", r"low must come first, got \1"),
        (r"All values in (\w+) must be within \[(.+), (inf|4294967295)\] for tuple inputs", r"\1 must be at least \2"),
        (r"All values in (\w+) must be within \[(.+), (.+)\] for tuple inputs", r"\1 must be between \2 and \3"),
        (r"\w+ tuple values must be ordered as \(min, max\). Got: (.*)", r"low must come first, got \1"),
        (r"All values in the non negative range should be non negative", r"must not be negative"),
        (r"Extra inputs are not permitted", r"no such argument for this noise_type"),
        (r".*instances are not allowed as a Sequence value", r"expected a list of numbers"),
        (r"Field required", r"is needed for this noise_type"),
    ):
        text, found = re.subn(pattern, plain, text)
        if found:
            break
    return text.replace("None", "null").replace("True", "true").replace("False", "false")


def _meant(key: str, known: list[str]) -> str:
    new = RENAMED.get(key, "")
    close = [new] if new in known or new == "p" else [one for one in (*known, "p") if one.lower() == key.lower()]
    close = close or difflib.get_close_matches(key, [*known, "p"], 1, 0.6)
    if close:
        return f"did you mean '{close[0]}'?"
    return f"it takes {', '.join(known)}" if known else "it takes p only"


def _impossible(args: Mapping[str, Json]) -> list[ArgumentProblem]:
    """What no schema says and no picture survives."""
    if args.get("kernel_size", 3) % 2 == 0:
        return [ArgumentProblem(("kernel_size",), f"must be odd, got {args['kernel_size']}")]
    if args.get("max_size_hw") == [None, None]:
        return [ArgumentProblem(("max_size_hw",), "at least one of the two must be a number")]
    if "step_factor" in args and max(_numbers(args.get("max_factor", 1.31))) - 1 > 1000 * min(
        _numbers(args["step_factor"])
    ):
        return [ArgumentProblem(("step_factor",), "these are more than 1000 steps; take larger ones")]
    if "scale_range" in args and min(_numbers(args["scale_range"])) <= 0:
        return [ArgumentProblem(("scale_range",), "must be above 0")]
    pairs = [args.get("size"), args.get("max_size_hw"), [args.get("height"), args.get("width")]]
    pairs += [
        [args.get("min_height"), args.get("min_width")],
        [args.get(f"pad_{s}_divisor") for s in ("height", "width")],
    ]
    for high, wide in (pair for pair in pairs if pair):
        if (high or 1) * (wide or 1) > _LARGEST_AREA:
            return [ArgumentProblem((), f"a picture of {wide}x{high} pixels is too large")]
    return []


def _misfit(key: str, value: Json, schema: Mapping[str, Json], path: tuple[str | int, ...]) -> ArgumentProblem | None:
    """The first place at which `value` does not fit `schema`, as deep as it can be told."""
    kinds = schema.get("anyOf", [schema])
    inner: list[tuple[str | int, Json, Mapping[str, Json]]] = []
    if isinstance(value, list):
        lists = [one for one in kinds if one.get("type") == "array" and _length_fits(value, one)]
        if len(lists) == 1:
            inner = [(i, v, one) for i, (v, one) in enumerate(zip(value, _elements(value, lists[0]), strict=True))]
    elif isinstance(value, dict):
        maps = [one for one in kinds if one.get("type") == "object"]
        if len(maps) == 1 and (known := maps[0].get("properties")) is not None:
            for k in value:
                if k not in known:
                    return ArgumentProblem((*path, k), f"no such key, {' and '.join(known)} are known")
            if lacking := [k for k in maps[0].get("required", ()) if k not in value]:
                return ArgumentProblem(path, f"needs the key '{lacking[0]}'")
            inner = [(k, v, known[k]) for k, v in value.items()]
    for part, one, wanted in inner:
        if problem := _misfit(part if isinstance(part, str) else key, one, wanted, (*path, part)):
            return problem
    if _fits(value, schema):
        low_first = key.endswith(("limit", "range")) and isinstance(value, list) and len(value) == 2
        return (
            ArgumentProblem(path, f"low must come first, got {shown(value)}", code="range-reversed")
            if low_first and value > value[::-1]
            else None
        )
    suggestion = ""
    if isinstance(value, str):
        options = [text for one in kinds for text in one.get("enum", ()) if isinstance(text, str)]
        close = difflib.get_close_matches(value.lower(), options, 1, 0.6)
        truth = meant_truth(value) if any(one.get("type") == "boolean" for one in kinds) else ""
        suggestion = truth or (f"did you mean '{close[0]}'?" if close else "")
    return ArgumentProblem(path, f"expected {in_words(key, schema)}, got {shown(value)}", suggestion)


def _fits(value: Json, schema: Mapping[str, Json]) -> bool:
    if "anyOf" in schema:
        return any(_fits(value, one) for one in schema["anyOf"])
    if "enum" in schema:
        return any(value == one and isinstance(value, bool) == isinstance(one, bool) for one in schema["enum"])
    kind = schema.get("type")
    if kind in ("number", "integer"):
        return (
            _is_number(value)
            and (kind == "number" or float(value).is_integer())
            and schema.get("minimum", value) <= value <= schema.get("maximum", value)
            and ("exclusiveMinimum" not in schema or value > schema["exclusiveMinimum"])
        )
    if kind == "array":
        fits = isinstance(value, list) and _length_fits(value, schema)
        return fits and all(map(_fits, value, _elements(value, schema)))
    return isinstance(value, {"boolean": bool, "string": str, "object": dict, "null": type(None)}[kind or "null"])


def _length_fits(value: list[Json], schema: Mapping[str, Json]) -> bool:
    return int(schema.get("minItems", 0)) <= len(value) <= int(schema.get("maxItems", 1000))


def _elements(value: list[Json], schema: Mapping[str, Json]) -> list[Mapping[str, Json]]:
    return schema.get("prefixItems") or [schema["items"]] * len(value)


def _is_number(value: Json) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _numbers(value: Json) -> Iterator[float]:
    if isinstance(value, (list, dict)):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _numbers(one)
    elif _is_number(value):
        yield value if value == value else math.inf
