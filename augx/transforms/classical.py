"""The one door to Albumentations: what a transform's arguments may be, and one transform at work.

A transform works in two halves. `draw` makes everything random, from the generators it is handed and nothing else;
`apply` is a function of the picture and what was drawn (in 2.0.8 no transform draws while it applies: the three that
need noise there, dropouts, ISONoise and ShotNoise, carry a drawn seed). Nothing is kept from one picture to the next.

Raises Refused when imported beside another Albumentations or OpenCV than the ones augx is made for.
"""

from __future__ import annotations

import difflib
import importlib.metadata
import inspect
import json
import math
import os
import re
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from augx.errors import ImageError, Refused
from augx.model import Json, Picture
from augx.seeds import Rng
from augx.transforms.catalog import TRANSFORMS, suggest

Array = NDArray[Any]


def refuse_strangers(albumentations: str | None, successor: str | None, opencv: str) -> None:
    """Raises Refused unless the installed versions are the ones augx is made for. None: not installed."""
    hint = "pip uninstall -y albumentationsx && pip install --force-reinstall --no-deps albumentations==2.0.8"
    if successor is not None:
        raise Refused(f"albumentationsx {successor} is installed over albumentations: other licence, other names", hint)
    if albumentations != "2.0.8":
        raise Refused(f"augx needs albumentations 2.0.8, here is {albumentations or 'none'}", hint)
    if int(opencv.split(".")[0]) >= 5:
        raise Refused(
            f"augx needs OpenCV 4, here is {opencv}: it makes other pixels",
            "pip uninstall -y opencv-python opencv-python-headless && pip install 'opencv-python-headless>=4.9,<5'",
        )


def _installed(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


refuse_strangers(_installed("albumentations"), _installed("albumentationsx"), cv2.__version__)
os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"  # or the import asks a server for the newest version
sys.modules.setdefault("albumentations.pytorch", None)  # type: ignore[arg-type]  # else it loads torch: 2.5 s, 230 MB

import albumentations  # noqa: E402
from pydantic import ValidationError  # noqa: E402

REQUIRED = "required"  # in place of a default, for an argument that has none

_LARGEST = 65_535  # of any number in a recipe, and of a picture's side
_LARGEST_AREA = 2**28
# Less where a side is multiplied or padded, so that no recipe can fill the memory.
_MOST = {"scale": 64, "scale_limit": 15, "percent": 15, "px": 8192, "padding": 8192, "max_size": 16_384}
_INTERPOLATIONS = {
    name: number  # as OpenCV counts them
    for number, name in enumerate(("nearest", "linear", "cubic", "area", "lanczos", "linear_exact", "nearest_exact"))
}
_BORDERS = {"constant": 0, "replicate": 1, "reflect": 2, "wrap": 3, "reflect_101": 4}
_CONSTANTS = dict.fromkeys(("interpolation", "mask_interpolation", "upscale", "downscale"), _INTERPOLATIONS)
_CONSTANTS["border_mode"] = _BORDERS
# Arguments of older versions and other tools, and what they are called in 2.0.8.
_RENAMED = dict(
    re.findall(
        r"(\w+)=(\w+)",
        """value=fill mask_value=fill_mask mode=border_mode angle=rotate degrees=rotate var_limit=std_range
        max_holes=num_holes_range max_height=hole_height_range max_width=hole_width_range quality_lower=quality_range
        quality_upper=quality_range probability=p prob=p always_apply=p""",
    )
)
_HINTS = re.compile(r"special case of|is an alias|specialized version|very slow|already (gray|an RGB)")

_PAIR = {"type": "array", "prefixItems": [{"type": "number"}] * 2, "minItems": 2, "maxItems": 2}
_LEVEL = {"type": "number", "minimum": 0, "maximum": 255}
_COLOUR = {"type": "array", "prefixItems": [_LEVEL] * 3, "minItems": 3, "maxItems": 3}
# What 2.0.8 accepts and then fails on with every picture.
_BOUNDS: dict[str, dict[str, Json]] = {
    "padding": {"minimum": 0},
    "blur_limit": {"minimum": 0},
    "max_size": {"minimum": 1},
    "max_size_hw": {"minimum": 1},
    "channel_drop_range": {"minimum": 1, "maximum": 2},
    "num_bits": {"minimum": 1, "maximum": 7},
    "drop_color": {"minimum": 0, "maximum": 255},
}
_AXIS = {"anyOf": [{"type": "number"}, _PAIR]}
_AXES = {"type": "object", "properties": {"x": _AXIS, "y": _AXIS}}
_GROUPS: dict[str, dict[str, dict[str, Json]]] = {
    "SomeOf": {"n": {"type": "integer", "minimum": 1}, "replace": {"type": "boolean"}}
}
_GROUP_DEFAULTS = {"n": 1, "replace": False}


@dataclass(frozen=True, slots=True)
class ArgumentProblem:
    """`path` leads to the value: ("rotate",), ("scale", 1); () is the transform as a whole."""

    path: tuple[str | int, ...]
    message: str
    suggestion: str = ""


def describe(name: str) -> dict[str, Json]:
    """Argument name -> JSON Schema, less `p`; {} for what takes none or cannot be used."""
    return dict(_arguments(name)) if name in TRANSFORMS and not TRANSFORMS[name].refused else {}


def arguments(name: str) -> list[tuple[str, str, Json]]:
    """(argument, what it takes in words, default as a recipe would write it or REQUIRED), less `p`."""
    defaults = {key: _named(key, value) for key, value in _defaults(name).items()} if describe(name) else {}
    return [(key, _words(key, schema), defaults.get(key, REQUIRED)) for key, schema in describe(name).items()]


def check(name: str, args: Mapping[str, Json]) -> list[ArgumentProblem]:
    """Everything wrong with the arguments of a step, at most one problem an argument; [] if all is well."""
    entry = TRANSFORMS.get(name)
    if entry is None:
        return [ArgumentProblem((), "unknown transform", f"did you mean '{suggest(name)}'?" if suggest(name) else "")]
    if entry.refused:
        return [ArgumentProblem((), entry.refused)]
    known = _arguments(name)
    problems, good = [], {}
    for key, value in args.items():
        if key not in known:
            problems.append(ArgumentProblem((key,), "no such argument", _meant(key, list(known))))
        elif (largest := max(map(abs, _numbers(value)), default=0)) > (most := _MOST.get(key, _LARGEST)):
            problems.append(ArgumentProblem((key,), f"{_shown(largest)} is too large, the most is {most}"))
        elif problem := _misfit(key, value, known[key], (key,)):
            problems.append(problem)
        else:
            good[key] = value
    missing = [key for key in known if key not in args and key not in _defaults(name)]
    problems += [ArgumentProblem((), f"needs the argument '{key}'", _words(key, known[key])) for key in missing]
    if entry.members or missing:
        return problems
    whole = len(good) == len(args)  # with some left out, the rest need not fit together
    asked = [p for p in _ask(name, good) if whole or p.path[:1] in {(key,) for key in good}]
    return problems + (asked or _impossible(good))


def _ask(name: str, args: Mapping[str, Json]) -> Iterator[ArgumentProblem]:
    """What Albumentations itself objects to. What it would only warn of and then replace is a problem too."""
    cls, values = _class(name), {key: _constant(key, value) for key, value in args.items()}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            cls.InitSchema(**{**_defaults(name), **values, "p": 1.0, "strict": False})
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
            yield ArgumentProblem((key,), f"kernel sizes must be odd, at least 3, low first, got {_shown(args[key])}")
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
    new = _RENAMED.get(key, "")
    close = [new] if new in known or new == "p" else difflib.get_close_matches(key, [*known, "p"], 1, 0.6)
    if close:
        return f"did you mean '{close[0]}'?"
    return f"it takes {', '.join(known)}" if known else "it takes p only"


def _impossible(args: Mapping[str, Json]) -> list[ArgumentProblem]:
    """What no schema says and no picture survives."""
    if args.get("kernel_size", 3) % 2 == 0:
        return [ArgumentProblem(("kernel_size",), f"must be odd, got {args['kernel_size']}")]
    if args.get("max_size_hw") == [None, None]:
        return [ArgumentProblem(("max_size_hw",), "at least one of the two must be a number")]
    pairs = [args.get("size"), args.get("max_size_hw"), [args.get("height"), args.get("width")]]
    pairs += [
        [args.get("min_height"), args.get("min_width")],
        [args.get(f"pad_{s}_divisor") for s in ("height", "width")],
    ]
    for high, wide in (pair for pair in pairs if pair):
        if (high or 1) * (wide or 1) > _LARGEST_AREA:
            return [ArgumentProblem((), f"a picture of {wide}x{high} pixels is too large")]
    return []


def _class(name: str) -> Any:
    if name not in TRANSFORMS or TRANSFORMS[name].refused or TRANSFORMS[name].members:
        raise KeyError(name)
    return getattr(albumentations, name)


@cache
def _defaults(name: str) -> dict[str, Any]:
    if TRANSFORMS[name].members:
        return _GROUP_DEFAULTS
    found = inspect.signature(_class(name).__init__).parameters.values()
    return {p.name: p.default for p in found if p.default is not p.empty}


@cache
def _arguments(name: str) -> dict[str, dict[str, Json]]:
    """Argument -> JSON Schema, made as narrow as what the transform can really do with a picture."""
    if TRANSFORMS[name].members:
        return dict(_GROUPS.get(name, {}))
    cls = _class(name)
    fields = cls.InitSchema.model_json_schema()["properties"]
    # A parameter missing from the schema (PlasmaShadow's plasma_size) is dropped in silence by 2.0.8.
    keys = [key for key in inspect.signature(cls.__init__).parameters if key in fields and key not in ("p", "strict")]
    found = {key: _narrow(name, key, fields[key]) for key in keys}
    if name == "Equalize":  # an array or a function
        del found["mask"], found["mask_params"]
    return found


def _narrow(name: str, key: str, schema: dict[str, Json]) -> dict[str, Json]:
    if key in _CONSTANTS:
        allowed = schema["enum"] if name != "ChromaticAberration" else [0, 1, 2, 3, 4]  # cv2.remap has no others
        return {"enum": [text for text, number in _CONSTANTS[key].items() if number in allowed] + sorted(allowed)}
    if key == "interpolation_pair":
        one = {"enum": [*_INTERPOLATIONS, *_INTERPOLATIONS.values()]}
        return {
            "type": "object",
            "properties": {"upscale": one, "downscale": one},
            "required": ["upscale", "downscale"],
        }
    if key == "num_output_channels":
        return {"enum": [1, 3] if name == "ToGray" else [3]}
    if key in ("fill", "drop_value") and name != "CropAndPad":  # which takes a list as values to choose from
        kinds = {"array": _COLOUR, "number": _LEVEL}
        found = [kinds.get(one.get("type", ""), one) for one in schema.get("anyOf", [schema])]
        return {"anyOf": found} if len(found) > 1 else found[0]
    if name == "Affine" and "anyOf" in schema:
        return {"anyOf": [_AXES if one.get("type") == "object" else one for one in schema["anyOf"]]}
    limits = {"exclusiveMinimum": -1} if (name, key) == ("RandomScale", "scale_limit") else _BOUNDS.get(key, {})
    if key in ("src_color", "color"):
        schema = {"anyOf": [_COLOUR, {"type": "null"}]} if key == "color" else _COLOUR
    return _bounded({k: v for k, v in schema.items() if k not in ("title", "default", "description")}, limits)


def _bounded(schema: Mapping[str, Json], limits: Mapping[str, Json]) -> dict[str, Json]:
    """The schema with `limits` for every number in it."""
    found = {**schema, **(limits if schema.get("type") in ("number", "integer") else {})}
    for part in ("anyOf", "prefixItems"):
        if part in found:
            found[part] = [_bounded(one, limits) for one in found[part]]
    return {**found, "items": _bounded(found["items"], limits)} if "items" in found else found


def _constant(key: str, value: Json) -> Any:
    """The value as Albumentations wants it: names of OpenCV's constants become their numbers."""
    if isinstance(value, dict):
        return {k: _constant(k, v) for k, v in value.items()}
    return _CONSTANTS[key].get(value, value) if key in _CONSTANTS and isinstance(value, str) else value


def _named(key: str, value: Any) -> Json:
    """A default as a recipe would write it: the other way round."""
    if isinstance(value, dict):
        return {k: _named(k, v) for k, v in value.items()}
    names = {number: text for text, number in _CONSTANTS.get(key, {}).items()}
    return list(value) if isinstance(value, tuple) else names.get(value, value) if names else value


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
            ArgumentProblem(path, f"low must come first, got {_shown(value)}")
            if low_first and value > value[::-1]
            else None
        )
    suggestion = ""
    if isinstance(value, str):
        options = [text for one in kinds for text in one.get("enum", ()) if isinstance(text, str)]
        close = difflib.get_close_matches(value.lower(), options, 1, 0.6)
        suggestion = f"did you mean '{close[0]}'?" if close else ""
    return ArgumentProblem(path, f"expected {_words(key, schema)}, got {_shown(value)}", suggestion)


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


def _words(key: str, schema: Mapping[str, Json]) -> str:
    """`a number or [low, high]`"""
    if "anyOf" in schema:
        found = dict.fromkeys(_words(key, one) for one in schema["anyOf"] if one.get("type") != "null")
        null = ["null"] if any(one.get("type") == "null" for one in schema["anyOf"]) else []
        return _or(
            [*sorted(found, key=lambda text: (text.startswith("a list"), "[" in text, "mapping" in text)), *null]
        )
    if "enum" in schema:
        texts = [one for one in schema["enum"] if isinstance(one, str)]
        return _or(texts or [_shown(one) for one in schema["enum"]])
    kind = schema.get("type")
    if kind == "array":
        if "prefixItems" not in schema:
            return f"a list of {_words(key, schema['items']).removeprefix('a ')}s"
        names = {2: "low, high", 3: "red, green, blue", 4: "left, top, right, bottom"}
        if key in ("px", "percent"):
            names[4] = "top, right, bottom, left"
        if key in (
            "size",
            "max_size_hw",
            "grid",
            "tile_grid_size",
            "num_grid_xy",
            "shift_xy",
            "holes_number_xy",
            "padding",
        ):
            names[2] = (
                "x, y"
                if key.endswith(("_xy", "padding"))
                else "height, width"
                if "size" in key[:8]
                else "rows, columns"
            )
        return f"[{names.get(len(schema['prefixItems']), '...')}]"
    words = {"number": "a number", "integer": "a whole number", "boolean": "true or false", "string": "text"}
    low, high = schema.get("minimum"), schema.get("maximum")
    above = f" above {schema['exclusiveMinimum']:g}" if "exclusiveMinimum" in schema else ""
    limits = f" from {low:g} to {high:g}" if low is not None and high is not None else ""
    if not limits and (low is not None or high is not None):
        limits = f" of at least {low:g}" if high is None else f"{' and' if above else ''} at most {high:g}"
    return words.get(kind or "", "a mapping" if kind == "object" else "null") + above + limits


def _or(words: list[str]) -> str:
    return " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _shown(value: Json) -> str:
    text = repr(value) if isinstance(value, str) else json.dumps(value, default=str)
    return text if len(text) <= 60 else text[:57] + "..."


_RGB_ONLY = (
    "ChannelDropout ChromaticAberration HEStain ISONoise PlanckianJitter RandomFog RandomGravel RandomRain RandomSnow "
    "RandomSunFlare Spatter"
)
_NO_BOXES = np.zeros((0, 4), np.float32)  # the box-safe crops ask for boxes; with none they crop anywhere


class Classical:
    """One Albumentations transform: draws first, applies second.

    Grey stays grey: what only takes RGB gets the grey in three channels, and of its result the luma is kept, which is
    what a grey camera would have seen and is exact where the channels are equal. ToRGB and ToSepia make RGB of grey.
    16 bits are worked on as float32 in [0, 1]. `fill` and `drop_value` count in levels of 0..255 at any depth.
    An alpha plane goes along where pixels move, with 0 for what comes in from outside; else it stays as it is.
    """

    def __init__(self, name: str, args: Mapping[str, Json], p: float | None = None) -> None:
        """`args` as `check` accepts them; `p` None: the default of the transform."""
        self.name = name
        self.p = float(_defaults(name)["p"] if p is None else p)
        self._args = {key: _constant(key, value) for key, value in args.items()}
        self._moves = TRANSFORMS[name].moves
        self._rgb_only = name in _RGB_ONLY.split()
        inpaints = str(args.get("fill", "")).startswith("inpaint")
        self._deep = TRANSFORMS[name].deep and not inpaints and args.get("method") != "from_lab"
        # On 8 bits it subtracts unsigned numbers that wrap around (2.0.8): half of all pixels are far off.
        self._in_float = name == "Sharpen" and args.get("method") == "gaussian"
        self._made: dict[str, Any] = {"plain": self._make(lambda value: value)}

    def draw(self, picture: Picture, rng: Rng) -> dict[str, Any]:
        """Everything random, as `apply` wants it. Depends on the place of `rng` and on the picture, nothing else."""
        transform, image = self._ready(picture)
        transform.set_random_state(rng.numpy, rng.python)
        try:
            data = {"image": image, "bboxes": _NO_BOXES}
            params: dict[str, Any] = transform.update_transform_params(transform.get_params(), data)
            params.update(transform.get_params_dependent_on_data(params, data))
        except Exception as error:
            raise self._failed(picture, error) from error
        if "holes" in params:
            params.setdefault("seed", 0)  # Erasing forgets it where no hole fits
        if self.name == "HueSaturationValue" and picture.pixels.ndim == 2:
            params.update(hue_shift=0, sat_shift=0)  # grey has none
        return params

    def apply(self, picture: Picture, params: Mapping[str, Any]) -> Picture:
        """The new picture; `picture` stays as it was. Raises ImageError where the transform cannot work on it."""
        if self.name == ("ToGray" if picture.pixels.ndim == 2 else "ToRGB"):
            return picture  # is so already
        transform, image = self._ready(picture)
        alpha = picture.alpha
        try:
            pixels = self._finish(transform.apply(image, **params), picture)
            if alpha is not None and self._moves:
                opaque = self._variant("alpha", lambda value: 0)
                plane = _to_float(alpha) if alpha.dtype == np.uint16 else alpha
                alpha = _to_levels(opaque.apply(plane, **{**params, "fill": 0}), alpha.dtype)
        except Exception as error:
            raise self._failed(picture, error) from error
        if not pixels.size:
            raise self._failed(picture, ValueError("nothing is left of the picture"))
        return Picture(pixels, alpha, picture.icc, picture.annotations)

    def _ready(self, picture: Picture) -> tuple[Any, Array]:
        """The transform and the array that suit this picture."""
        image: Array = picture.pixels
        grey, deep = image.ndim == 2, image.dtype == np.uint16
        if deep and not self._deep:
            message = f"{self.name} works on 8 bits only and this picture has 16; write output: {{image: {{bits: 8}}}}"
            raise ImageError("no-16-bit", message, "transform")
        if deep or self._in_float:
            image = _to_float(image)
        if grey and (self._rgb_only or self.name == "ToSepia"):
            image = cv2.cvtColor(image, cv2.COLOR_GRAY2RGB)
        elif grey and self.name in ("AutoContrast", "Equalize"):  # which write into a plane without a channel axis
            image = image[..., None].copy()
        elif self.name == "Posterize":  # with bits for each channel it works in place
            image = image.copy()
        if not deep:
            return (self._variant("grey", _luma) if grey else self._made["plain"]), image
        if grey:
            return self._variant("deep grey", lambda value: _scaled(_luma(value))), image
        return self._variant("deep", _scaled), image

    def _variant(self, kind: str, change: Callable[[Json], Json]) -> Any:
        if kind not in self._made:
            self._made[kind] = self._make(change)
        return self._made[kind]

    def _make(self, change: Callable[[Json], Json]) -> Any:
        """The transform with `change` done to its colours. A list in CropAndPad is no colour but a choice of levels."""
        colours: dict[str, Json] = {key: change(self._args[key]) for key in ("fill", "drop_value") if key in self._args}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # `check` has said what there is to say
            return _class(self.name)(**{**self._args, **colours}, p=1.0)

    def _finish(self, result: Array, picture: Picture) -> Array:
        if result.ndim == 3 and result.shape[2] == 1:
            result = result[..., 0]
        elif picture.pixels.ndim == 2 and self._rgb_only:
            result = cv2.cvtColor(result, cv2.COLOR_RGB2GRAY)
        return _to_levels(result, picture.pixels.dtype)

    def _failed(self, picture: Picture, error: Exception) -> ImageError:
        size, reason = f"{picture.width}x{picture.height}", str(error).strip().split("\n")[0]
        if isinstance(error, ImageError):
            return error
        if found := re.search(r"Crop size .*: \((\d+), (\d+)\) vs", reason):
            reason = f"crop {found[2]}x{found[1]} is larger than the picture {size}; set pad_if_needed or resize first"
        elif self.name == "Crop" and "Values for crop" in reason:
            reason = f"x_max, y_max lie outside the picture {size}; set pad_if_needed or resize first"
        else:
            reason = re.sub(r"^OpenCV\(.*?error: \(.*?\)\s*", "OpenCV: ", reason)
            reason = f"cannot work on a picture of {size} ({reason or type(error).__name__})"
        return ImageError("transform-failed", f"{self.name}: {reason}", "transform")


def _to_float(levels: Array) -> Array:
    floats: Array = np.divide(levels, np.float32(np.iinfo(levels.dtype).max), dtype=np.float32)
    return floats


def _to_levels(values: Array, dtype: Any) -> Array:
    """C-contiguous, of `dtype`; float32 from [0, 1], rounded and clipped."""
    if values.dtype != dtype:
        high = np.iinfo(dtype).max
        values = np.rint(np.nan_to_num(np.clip(values, 0, 1)) * np.float32(high)).astype(dtype)
    return np.ascontiguousarray(values, dtype)


def _scaled(value: Json) -> Json:
    if isinstance(value, list):
        return [_scaled(one) for one in value]
    return value / 255 if _is_number(value) else value


def _luma(value: Json) -> Json:
    colour = isinstance(value, list) and len(value) == 3
    return round(0.299 * value[0] + 0.587 * value[1] + 0.114 * value[2]) if colour else value
