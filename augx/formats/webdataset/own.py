"""What augx itself writes into its tars: a JSON document beside each image that holds all its labels, read back whole.

Readers such as `datasets` take the type of a field from the first few documents. So every document of a dataset has the
same keys, numbers of places are always fractions, weights stand in a list beside the names they are for, and where some
objects have a mask, the others have one whose counts are "".
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from augx.errors import InputError
from augx.formats import Row
from augx.formats.hf.read import classes, object_of
from augx.formats.json_safe import read as read_json
from augx.model import Annotations, Dataset, Json, Object, Pose, Rle
from augx.objects import object_kinds
from augx.store import Source

ABOUT = "dataset.json"  # what all images have in common
_KEYS = frozenset({"label", "labels", "weights", "objects", "captions", "values", "source", "copy"})
_PARTS = {"polygons": "segmentation", "rle": "rle", "keypoints": "keypoints", "obb": "obb", "crowds": "iscrowd"}
_FOREIGN = frozenset({"id", "coco_files"})  # of objects' `extra`: numbers that are of one file
_ABOUT_BYTES = 1 << 26
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False)


@dataclass(frozen=True, slots=True)
class Details:
    """What all documents depend on. `ids`: class -> its number in .cls; `single`: no image has several classes.

    `parts`, `extra`: keys that objects have, and those of their `extra`.
    """

    ids: Mapping[str, int]
    single: bool
    parts: tuple[str, ...] = ()
    extra: tuple[str, ...] = field(default=())


def details_of(dataset: Dataset) -> Details:
    parts: set[str] = set()
    extra: set[str] = set()
    single = True
    for sample in dataset.samples:
        known = sample.annotations
        single = single and len(known.labels) <= 1
        if known.segments:
            parts.add("rle")
        for thing in known.objects:
            parts.update(_PARTS[kind] for kind in object_kinds(thing) if kind in _PARTS)
            extra.update(thing.extra)
            if thing.index is not None and known.instances:
                parts.add("index")
    ids = {name: number for number, name in enumerate(_classes(dataset))}
    order = [*_PARTS.values(), "index"]
    return Details(ids, single, tuple(sorted(parts, key=order.index)), tuple(sorted(extra - _FOREIGN)))


def _classes(dataset: Dataset) -> tuple[str, ...]:
    """All class names: as the dataset has them, and those it has not."""
    known = dict.fromkeys(dataset.classes)
    more = {name for sample in dataset.samples for name in sample.annotations.labels}
    more.update(one.label for sample in dataset.samples for one in sample.annotations.objects if one.label is not None)
    return (*known, *sorted(more - known.keys()))


def about(dataset: Dataset) -> dict[str, Json]:
    """What all images have in common: the names of classes by number, and what else cannot be said in each document."""
    said: dict[str, Json] = {"classes": list(_classes(dataset))}
    if dataset.ignore is not None:
        said["ignore"] = dataset.ignore
    if dataset.poses:
        said["poses"] = {
            name: {"names": pose.names, "skeleton": pose.skeleton, "swap": pose.swap}
            for name, pose in dataset.poses.items()
        }
    dots = {sample.annotations.dot for sample in dataset.samples}
    if len(dots) == 1 and (dot := dots.pop()):
        said["dot"] = dot
    return said


def document(row: Row, details: Details) -> str:
    """The JSON beside the image of a manifest row."""
    weights = row["labels"]
    said = {
        "label": row["label"],
        "labels": list(weights),
        "weights": [float(weight) for weight in weights.values()],
        "objects": [_record(one, row, details) for one in row["objects"]] if row["objects"] else [],
        "captions": row["captions"],
        "values": row["values"],
        "width": row["width"],
        "height": row["height"],
        "split": row["split"],
        "source": row["source"],
        "copy": row["copy"],
    }
    return _ENCODER.encode(said)


def _record(one: Mapping[str, Json], row: Row, details: Details) -> dict[str, Json]:
    record: dict[str, Json] = {"label": one["label"], "bbox": _floats(one["bbox"]), "area": _floats(one.get("area"))}
    record |= dict.fromkeys(details.parts)
    if "rle" in record:
        record["rle"] = {"size": [row["height"], row["width"]], "counts": ""}
    shape = one.get("segmentation")
    if isinstance(shape, Mapping):
        record["rle"] = {"size": shape["size"], "counts": _text(shape)}
    elif shape:
        record["segmentation"] = _floats(shape)
    record |= {key: _floats(one[key]) for key in ("keypoints", "obb") if key in one}
    if "iscrowd" in details.parts or "iscrowd" in one:
        record["iscrowd"] = one.get("iscrowd", 0)
    if "index" in one and "index" in details.parts:
        record["index"] = one["index"]
    if details.extra:
        told = one.get("extra", {})
        record["extra"] = {key: told.get(key) for key in details.extra}
    return record


def _floats(value: Json) -> Json:
    if isinstance(value, list):
        return [_floats(one) for one in value]
    return None if value is None else float(value)


def _text(shape: Mapping[str, Json]) -> str:
    """The counts of a mask as COCO's compressed text."""
    counts = shape["counts"]
    if isinstance(counts, str):
        return counts
    from augx.rle import rle_of_runs, runs_of_rle

    height, width = shape["size"]
    return str(rle_of_runs(runs_of_rle(Rle(width, height, tuple(counts))), width, height).counts)


def is_own(document: Mapping[str, Json]) -> bool:
    """Whether a JSON document is as it is written here."""
    return document.keys() >= _KEYS


def annotations_of(document: Mapping[str, Json]) -> tuple[Annotations, str | None, list[str]]:
    """What a document of ours says of its image: labels less masks, split, and what of its objects was left out.
    ValueError where it is damaged."""
    names, weights, captions, values = (document[key] for key in ("labels", "weights", "captions", "values"))
    if not _are(names, str) or not _are(captions, str) or not isinstance(weights, list) or not isinstance(values, dict):
        raise ValueError("its labels, weights, captions or values are not as augx writes them")
    if len(names) != len(weights) or not isinstance(document["objects"], list):
        raise ValueError("its labels have no weights, or its objects are no list")
    objects: list[Object] = []
    problems: list[str] = []
    for number, record in enumerate(document["objects"], 1):
        thing, wrong = _object(record) if isinstance(record, dict) else (None, ["it is no mapping"])
        problems += [f"object {number}: {reason}" for reason in wrong or ([] if thing else ["it is nowhere"])]
        objects += [thing] if thing else []
    width, height = document.get("width"), document.get("height")
    size = (width, height) if type(width) is int and type(height) is int and min(width, height) > 0 else None
    split = document.get("split")
    known = Annotations(
        classes(dict(zip(names, weights, strict=True))), values, tuple(captions), tuple(objects), size=size
    )
    return known, split if isinstance(split, str) and split else None, problems


def _are(values: Json, kind: type) -> bool:
    return isinstance(values, list) and all(isinstance(value, kind) for value in values)


def _object(record: Mapping[str, Json]) -> tuple[Object | None, list[str]]:
    mask = record.get("rle")
    none = isinstance(mask, dict) and mask.get("counts") == ""
    shape = record.get("segmentation") if none or not mask else mask
    thing, wrong = object_of({**record, "segmentation": shape, "label": None}, "label")
    if thing is None:
        return None, wrong
    label, index, extra = record.get("label"), record.get("index"), record.get("extra")
    told = {key: value for key, value in extra.items() if value is not None} if isinstance(extra, dict) else {}
    return (
        replace(
            thing,
            label=label if isinstance(label, str) and label else None,
            index=index if type(index) is int else None,
            extra=told,
        ),
        wrong,
    )


@dataclass(frozen=True, slots=True)
class About:
    """What the file about all images says. `digest`: its own."""

    classes: tuple[str, ...] = ()
    ignore: int | None = None
    poses: Mapping[str, Pose] = field(default_factory=dict)
    dot: float = 0.0
    digest: str = ""


def read_about(root: str) -> About:
    """InputError where it is there and not as augx writes it."""
    path = os.path.join(root, ABOUT)
    if not os.path.lexists(path):
        return About()
    import hashlib

    try:
        data, _ = Source(path, root=root, limit=_ABOUT_BYTES).read()
        said = read_json(data, ABOUT)
        poses = {
            str(name): Pose(
                tuple(map(str, one["names"])),
                tuple((int(a), int(b)) for a, b in one["skeleton"]),
                None if one["swap"] is None else tuple(map(int, one["swap"])),
            )
            for name, one in said.get("poses", {}).items()
        }
        ignore = said.get("ignore")
        return About(
            tuple(map(str, said["classes"])),
            None if ignore is None else int(ignore),
            poses,
            float(said.get("dot", 0.0)),
            hashlib.sha256(data).hexdigest(),
        )
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise InputError(
            f"{path} is not as augx writes it: {str(error)[:200]}", "delete it, or make it again"
        ) from None
