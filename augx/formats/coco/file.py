"""One COCO label file: what its name says, and what of it is kept beside images and annotations."""

from __future__ import annotations

import math
import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from augx.formats.folder import SPLITS, canonical_split
from augx.model import Json

KINDS = ("instances", "stuff", "person_keypoints", "keypoints", "panoptic", "labels", "captions", "image_info")
POSES = ("person_keypoints", "keypoints")
BARE = ("labels", "captions", "image_info")  # no objects are in these
FILES = "coco_files"  # of an object's `extra`: the kinds of label file it is in
DEPTH = 100  # JSON nested deeper is not carried along, as not every reader survives it

_NAMED = re.compile(rf"({'|'.join(KINDS)})(?:[_-](.+))?")
_YEAR = re.compile(r"[_-]?\d{4}$")
_PLAIN = frozenset({"annotation", "annotations", "anns", "gt", "labels"})


@dataclass(frozen=True, slots=True)
class LabelFile:
    """A label file less its images and annotations: what is needed to write it again (in `Dataset.details`).

    `kind`: what the name says it holds (`KINDS`), "" for any other name. `where`: what the folder of its images may be
    called (train2017), or "". `head`: its other members (info, licenses). `categories`: None where it has none.
    """

    path: str
    kind: str = ""
    split: str | None = None
    where: str = ""
    head: Mapping[str, Json] = field(default_factory=dict)
    categories: tuple[Mapping[str, Json], ...] | None = None


def named(path: str) -> LabelFile:
    """What the name of a label file says: instances_train2017.json, annotations_val.json, test/labels.json."""
    folder, _, name = path.rpartition("/")
    stem = name.rpartition(".")[0]
    match = _NAMED.fullmatch(stem)
    if match:
        kind, where = match[1], match[2] or ""
        word = _YEAR.sub("", where)
        split = canonical_split(word) if word and word != "default" else None  # CVAT's name where there are no splits
    else:
        kind = ""
        words = stem.split("_")
        likely = [stem, words[-1], *(words[:1] if _PLAIN.issuperset(words[1:]) else [])]
        where = next((word for word in likely if _YEAR.sub("", word).lower() in SPLITS), "")
        split = canonical_split(_YEAR.sub("", where)) if where else None
    return LabelFile(path, kind, split or SPLITS.get(posixpath.basename(folder).lower()), where)


def class_name(category: Mapping[str, Json]) -> str:
    """A category without a name is called by its id."""
    name = category.get("name")
    return (name.strip() if isinstance(name, str) else "" if name is None else str(name)) or str(category["id"])


def clean(value: Json, depth: int = DEPTH) -> Json:
    """`value` as it can be written as JSON again: null for what is no finite number or nested too deep."""
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-8", "replace").decode()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if not isinstance(value, (dict, list)):
        return value
    if not depth:
        return None
    if isinstance(value, list):
        return [clean(one, depth - 1) for one in value]
    return {clean(key): clean(one, depth - 1) for key, one in value.items()}


def shown(value: Json) -> str:
    """A value of a hostile file, in a message."""
    if isinstance(value, (dict, list)):
        return f"{'an object' if isinstance(value, dict) else 'a list'} of {len(value)}"
    return repr(value[:60] if isinstance(value, str) else value)[:60]
