"""What a transform's arguments may be, as JSON Schema and in words."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from augx.model import Json
from augx.transforms.catalog import TRANSFORMS
from augx.transforms.constants import CONSTANTS, INTERPOLATIONS
from augx.transforms.door import defaults, transform_class
from augx.transforms.own import base as own

REQUIRED = "required"  # in place of a default, for an argument that has none

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


def describe(name: str) -> dict[str, Json]:
    """Argument name -> JSON Schema, less `p`; {} for what takes none or cannot be used."""
    return dict(_arguments(name)) if name in TRANSFORMS and not TRANSFORMS[name].refused else {}


def arguments(name: str) -> list[tuple[str, str, Json]]:
    """(argument, what it takes in words, default as a recipe would write it or REQUIRED), less `p`."""
    known = describe(name)
    if name == "policy":  # whose lines a recipe leaves to a file
        known = {"file": {"type": "string"}} | {key: schema for key, schema in known.items() if key != "policies"}
    if not known:
        return []
    found = defaults_of(name)
    written = {key: _named(key, value) for key, value in found.items()}
    return [(key, in_words(key, schema), written.get(key, REQUIRED)) for key, schema in known.items()]


def defaults_of(name: str) -> dict[str, Any]:
    """Argument -> default, as the transform itself has it."""
    if TRANSFORMS[name].own:
        return own.defaults(name)
    return _GROUP_DEFAULTS if TRANSFORMS[name].members else defaults(name)


@cache
def _arguments(name: str) -> dict[str, dict[str, Json]]:
    """Argument -> JSON Schema, made as narrow as what the transform can really do with a picture."""
    if TRANSFORMS[name].own:
        return own.schemas(name)
    if TRANSFORMS[name].members:
        return dict(_GROUPS.get(name, {}))
    cls = transform_class(name)
    fields = cls.InitSchema.model_json_schema()["properties"]
    # A parameter missing from the schema (PlasmaShadow's plasma_size) is dropped in silence by 2.0.8.
    keys = [key for key in inspect.signature(cls.__init__).parameters if key in fields and key not in ("p", "strict")]
    found = {key: _narrow(name, key, fields[key]) for key in keys}
    if name == "Equalize":  # an array or a function
        del found["mask"], found["mask_params"]
    return found


def _narrow(name: str, key: str, schema: dict[str, Json]) -> dict[str, Json]:
    if key in CONSTANTS:
        allowed = schema["enum"] if name != "ChromaticAberration" else [0, 1, 2, 3, 4]  # cv2.remap has no others
        return {"enum": [text for text, number in CONSTANTS[key].items() if number in allowed] + sorted(allowed)}
    if key == "interpolation_pair":
        one = {"enum": [*INTERPOLATIONS, *INTERPOLATIONS.values()]}
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


def _named(key: str, value: Any) -> Json:
    """A default as a recipe would write it: the other way round."""
    if isinstance(value, dict):
        return {k: _named(k, v) for k, v in value.items()}
    names = {number: text for text, number in CONSTANTS.get(key, {}).items()}
    return list(value) if isinstance(value, tuple) else names.get(value, value) if names else value


def in_words(key: str, schema: Mapping[str, Json]) -> str:
    """`a number or [low, high]`"""
    if "anyOf" in schema:
        found = dict.fromkeys(in_words(key, one) for one in schema["anyOf"] if one.get("type") != "null")
        null = ["null"] if any(one.get("type") == "null" for one in schema["anyOf"]) else []
        return _or(
            [*sorted(found, key=lambda text: (text.startswith("a list"), "[" in text, "mapping" in text)), *null]
        )
    if "enum" in schema:
        texts = [one for one in schema["enum"] if isinstance(one, str)]
        return _or(texts or [shown(one) for one in schema["enum"]])
    kind = schema.get("type")
    if kind == "array":
        if "prefixItems" not in schema:
            return f"a list of {_plural(in_words(key, schema['items']))}"
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


def _plural(words: str) -> str:
    """`a whole number from 1 to 5 or text` -> `whole numbers from 1 to 5 or texts`"""
    many = (re.sub(r"^(?:an? )?((?:whole )?[a-z]+)", r"\1s", one) for one in words.split(" or "))
    return " or ".join(many)


def _or(words: list[str]) -> str:
    return " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def shown(value: Json) -> str:
    text = repr(value) if isinstance(value, str) else json.dumps(value, default=str)
    return text if len(text) <= 60 else text[:57] + "..."
