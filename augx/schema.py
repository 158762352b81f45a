"""The JSON Schema (draft-07) of a recipe, made from the registries: what `augx schema` prints, for editors.

It takes every recipe that augx takes, and refuses what a schema can see: names, kinds, ranges of single values. What
goes together with what, `augx validate` knows.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from augx.model import ImageOptions, Json, LabelOptions, Limits, TarOptions
from augx.options import (
    FORMATS,
    MAX_BALANCE,
    MAX_COPIES,
    MAX_LIMIT,
    MAX_SEED,
    MAX_TAR_BYTES,
    MAX_TAR_IMAGES,
    SUBSAMPLING,
)  # fmt: skip
from augx.transforms.arguments import REQUIRED, arguments, defaults_of, describe, in_words
from augx.transforms.catalog import TRANSFORMS, Entry
from augx.transforms.explained import explained
from augx.transforms.problems import most
from augx.transforms.taxonomy import POLICIES

Schema = dict[str, Any]

_TITLE = "augx recipe"
_NULL: Schema = {"type": "null"}


def recipe_schema() -> Schema:
    """The same for the same version of augx, keys in their order."""
    usable = {name: entry for name, entry in sorted(TRANSFORMS.items()) if not entry.refused}
    still = {name: e for name, e in usable.items() if not (e.moves or e.partners or name == "inside")}
    definitions = {f"transform-{name}": _transform(entry) for name, entry in usable.items()}
    definitions |= {f"still-{name}": _transform(entry, "still-") for name, entry in still.items() if entry.members}
    definitions["step"] = _step({name: f"transform-{name}" for name in usable})
    definitions["still-step"] = _step({n: f"{'still' if e.members else 'transform'}-{n}" for n, e in still.items()})
    definitions["steps"] = {"type": "array", "items": _ref("step")}
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": _TITLE,
        "description": "What augx makes of each image of a dataset.",
        "type": "object",
        "properties": _top(),
        "required": ["version", "transforms"],
        "additionalProperties": False,
        "definitions": definitions,
    }


def as_text() -> str:
    return json.dumps(recipe_schema(), indent=1) + "\n"


def is_schema(content: bytes) -> bool:
    """Whether it is what `as_text` gives, of whatever version."""
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict) and found.get("title") == _TITLE and "$schema" in found


def _ref(name: str) -> Schema:
    return {"$ref": f"#/definitions/{name}"}


def _said(text: str, schema: Schema, *default: Json) -> Schema:
    """With a description, and the default where there is one."""
    return {"description": text} | schema | ({"default": default[0]} if default else {})


def _section(text: str, properties: Mapping[str, Schema], **more: Json) -> Schema:
    """A mapping of known keys, which may be left empty."""
    return {"description": text, "type": ["object", "null"], "properties": dict(properties)} | {
        "additionalProperties": False,
        **more,
    }


def _whole(least: int, largest: int) -> Schema:
    return {"type": "integer", "minimum": least, "maximum": largest}


def _number(least: float, largest: float) -> Schema:
    return {"type": "number", "minimum": least, "maximum": largest}


_BOOLEAN: Schema = {"type": "boolean"}
_NAME: Schema = {"type": "string", "minLength": 1}
_NAMES: Schema = {"anyOf": [_NAME, {"type": "array", "items": _NAME, "uniqueItems": True, "minItems": 1}]}
_FLIPPED: Schema = {"type": ["object", "null"], "additionalProperties": {"enum": ["negate_on_flip"]}}


def _top() -> dict[str, Schema]:
    copies = _whole(0, MAX_COPIES)
    return {
        "version": _said("The version of the recipe language: 1.", {"const": 1}),
        "seed": _said("Another seed gives another set of copies, just as repeatable.", _whole(0, MAX_SEED), 0),
        "copies": _said("New images for each source image; 0 only where `gan` adds some.", copies, 10),
        "originals": _said("Whether the source images are copied too.", _BOOLEAN, True),
        "splits": _said(
            "Which splits are multiplied; the others are carried over as they are.",
            {"type": "array", "items": _NAME, "minItems": 1, "uniqueItems": True},
            ["train"],
        ),
        "split": _split(),
        "balance": _said(
            "Evens out classes: none, max (as many of every class as of the largest), a number, or one for each class.",
            {
                "anyOf": [
                    {"enum": ["none", "max"]},
                    _whole(1, MAX_BALANCE),
                    {"type": "object", "additionalProperties": _whole(1, MAX_BALANCE)},
                ]
            },
            "none",
        ),
        "transforms": _said("What is done to each copy, from top to bottom.", _ref("steps")),
        "overrides": _overrides(),
        "reject": _section(
            "Copies that are drawn again, at most five times.",
            {
                "flat": _said("Those of one colour.", _BOOLEAN, False),
                "lost_objects": _said(
                    "Those that lost more than this share of their objects.",
                    {"anyOf": [_number(0, 1), _NULL]},
                    None,
                ),
            },
        ),
        "labels": _labels(),
        "values": _said("As `labels: {values: ...}`.", _FLIPPED),
        "limits": _section(
            "What a file may be at most; larger ones fail by name before a pixel is decoded.",
            {
                "pixels": _said("Width times height.", _whole(1, MAX_LIMIT), Limits().pixels),
                "bytes": _said("Of the file.", _whole(1, MAX_LIMIT), Limits().bytes),
                "side": _said("Width or height.", _whole(1, MAX_LIMIT), Limits().side),
            },
        ),
        "fuse": _said("Runs of geometric and tone steps are done at once; false: one by one.", _BOOLEAN, True),
        "output": _section("How images are written.", {"image": _image(), "tar": _tar()}),
    }


def _split() -> Schema:
    part = _number(0, 1)
    return _section(
        "Divides a dataset that has no splits; the rest is train.",
        {
            "val": _said("The share of images for validation.", part, 0),
            "test": _said("The share of images for testing.", part, 0),
            "by": _said(
                "What belongs together stays together: a column, a regular expression for file names, or likeness.",
                {"anyOf": [_NAME, _NULL]},
            ),
            "stratify": _said("Every class is divided alike.", _BOOLEAN, False),
        },
        anyOf=[{"required": ["val"]}, {"required": ["test"]}, _NULL],
    )


def _overrides() -> Schema:
    when = {"class": _said("Images that show one of these.", _NAMES), "split": _said("Of these splits.", _NAMES)}
    one = {
        "type": "object",
        "properties": {
            "when": _said("Which images it is for.", {"type": "object", "properties": when, "minProperties": 1})
            | {"additionalProperties": False},
            "copies": _said("New images for each of them.", _whole(0, MAX_COPIES)),
            "transforms": _said("What is done to them instead.", _ref("steps")),
        },
        "required": ["when"],
        "anyOf": [{"required": ["copies"]}, {"required": ["transforms"]}],
        "additionalProperties": False,
    }
    return _said("Other copies or transforms for some images; the first that fits.", {"type": ["array", "null"]}) | {
        "items": one
    }


def _labels() -> Schema:
    default = LabelOptions()
    index = _whole(0, 9999)
    pair = {"type": "array", "items": index, "minItems": 2, "maxItems": 2, "uniqueItems": True}
    return _section(
        "What becomes of labels when pixels move.",
        {
            "min_visibility": _said(
                "Objects of which less than this share is left are dropped.", _number(0, 1), default.min_visibility
            ),
            "min_area": _said("Objects of fewer square pixels are dropped.", _number(0, 1e9), default.min_area),
            "min_size": _said(
                "Objects whose box is narrower or lower, in pixels, are dropped.", _number(0, 1e9), default.min_size
            ),
            "boxes": _said(
                "A turned box becomes the box around it (outer) or around the ellipse in it.",
                {"enum": ["outer", "ellipse"]},
                default.boxes,
            ),
            "pixels": _said(
                "Label files count in pixels of the picture as it is seen (upright) or as it is stored.",
                {"enum": ["upright", "stored"]},
                default.pixels,
            ),
            "keypoint_pairs": _said(
                "Which keypoints swap in a mirror: pairs of indexes from 0.",
                {"anyOf": [{"type": "array", "items": pair, "uniqueItems": True}, _NULL]},
            ),
            "ignore": _said(
                "The number in class masks that means no class.", {"anyOf": [_whole(0, 65535), _NULL]}, default.ignore
            ),
            "values": _said("Columns whose number changes its sign in a mirror.", _FLIPPED),
            "hard": _said("Mixed images keep one class instead of weights.", _BOOLEAN, default.hard),
        },
    )


def _image() -> Schema:
    default = ImageOptions()
    return _section(
        "How images are encoded.",
        {
            "format": _said("The format; keep: that of the source.", {"enum": list(FORMATS)}, default.format),
            "quality": _said("Of JPEG and WebP.", _whole(1, 100), default.quality),
            "subsampling": _said("Of the colours of JPEG.", {"enum": list(SUBSAMPLING)}, default.subsampling),
            "png_level": _said("How hard PNG is compressed.", _whole(0, 9), default.png_level),
            "lossless": _said("WebP without loss.", _BOOLEAN, default.lossless),
            "bits": _said("8: images of 16 bits a channel are reduced.", {"enum": ["keep", 8, "8"]}, default.bits),
            "alpha": _said("What becomes of transparency.", {"enum": ["keep", "drop"]}, default.alpha),
        },
    )


def _tar() -> Schema:
    default = TarOptions()
    size = {
        "anyOf": [
            _whole(1, MAX_TAR_BYTES),
            {"type": "string", "pattern": r"^\s*\d{1,12}(\.\d{1,9})?\s*[KMGTkmgt]?([Ii]?[Bb])?\s*$"},
        ]
    }
    return _section(
        "How large a tar of --to webdataset is, about.",
        {
            "images": _said("How many images it holds.", _whole(1, MAX_TAR_IMAGES), default.images),
            "bytes": _said("How large it is, by the sizes of the sources: 256M, 1G.", size, default.bytes),
        },
    )


def _step(transforms: Mapping[str, str]) -> Schema:
    """A name alone, or a mapping of one name to its arguments. `transforms`: name -> its definition.

    Each name is a constant of its own, so that an editor shows what it is.
    """
    bare = [name for name in transforms if not TRANSFORMS[name].members and name != "policy" and not _needed(name)]
    return {
        "anyOf": [
            {"anyOf": [{"const": name, "description": _about(TRANSFORMS[name])} for name in bare]},
            {
                "type": "object",
                "description": "A transform with its arguments.",
                "properties": {
                    name: {"description": _about(TRANSFORMS[name])} | {"allOf": [_ref(definition)]}
                    for name, definition in transforms.items()
                },
                "additionalProperties": False,
                "minProperties": 1,
                "maxProperties": 1,
            },
        ]
    }


def _about(entry: Entry) -> str:
    told = f"{entry.summary[:1].upper()}{entry.summary[1:]}."
    return told if entry.members else f"{told} About {entry.seconds:g} s of CPU per megapixel."


def _needed(name: str) -> list[str]:
    return [key for key, _, default in arguments(name) if default == REQUIRED]


def _transform(entry: Entry, kind: str = "") -> Schema:
    """The arguments of a transform. `kind`: "still-" where members must leave pixels in place."""
    name = entry.name
    chance = _said("How often it is applied, as a share of copies.", _number(0, 1))
    if not entry.members or entry.own:
        chance["default"] = defaults_of(name)["p"]
    if name == "policy":
        return _policy(chance)
    properties = {key: _argument(name, key, schema) for key, schema in describe(name).items()}
    if entry.members:
        step = _ref("still-step" if kind or name == "inside" else "step")
        members: Schema = {"type": "array", "items": step, "minItems": 1}
        properties = {"transforms": _said("Its members.", members), **properties, "p": chance}
        listed = [] if _needed(name) else [members]
        return {"anyOf": [*listed, _object(properties, ["transforms", *_needed(name)])]}
    needed = _needed(name)
    arguments = _object({**properties, "p": chance}, needed)
    return arguments if needed else arguments | {"type": ["object", "null"]}


def _object(properties: Mapping[str, Schema], needed: list[str]) -> Schema:
    found: Schema = {"type": "object", "properties": dict(properties), "additionalProperties": False}
    return found | ({"required": needed} if needed else {})


def _policy(chance: Schema) -> Schema:
    file = _said(f"A file {POLICIES['policy'].summary.removeprefix('from a file, ')}, beside the recipe.", _NAME)
    fill = _argument("policy", "fill", describe("policy")["fill"])
    lines = _argument("policy", "policies", describe("policy")["policies"])
    return {
        "anyOf": [
            file,
            _object({"file": file, "fill": fill, "p": chance}, ["file"]),
            _object({"policies": lines, "fill": fill, "p": chance}, ["policies"]),
        ]
    }


def _argument(name: str, key: str, schema: Mapping[str, Json]) -> Schema:
    told = explained(name).get(key, "")
    takes = in_words(key, schema)
    found = {"description": f"{told} Takes {takes}.".strip()} | _draft_07(schema, most(name, key))
    written = {argument: default for argument, _, default in arguments(name)}
    return found if written.get(key, REQUIRED) == REQUIRED else found | {"default": written[key]}


def _draft_07(schema: Mapping[str, Json], largest: float) -> Schema:
    """As draft-07 writes it, with the `largest` number that augx takes."""
    found: Schema = {key: value for key, value in schema.items() if key not in ("prefixItems", "title", "default")}
    if found.get("type") in ("number", "integer") and largest < float("inf"):
        found["maximum"] = min(found.get("maximum", largest), largest)
        if "exclusiveMinimum" not in found:
            found["minimum"] = max(found.get("minimum", -largest), -largest)
    if "anyOf" in found:
        found["anyOf"] = [_draft_07(one, largest) for one in found["anyOf"]]
    if "prefixItems" in schema:
        found["items"] = [_draft_07(one, largest) for one in schema["prefixItems"]]
        found["additionalItems"] = False
    elif "items" in found:
        found["items"] = _draft_07(found["items"], largest)
    if "properties" in found:
        found["properties"] = {key: _draft_07(one, largest) for key, one in found["properties"].items()}
        found.setdefault("additionalProperties", False)
    return found
