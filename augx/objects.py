"""Objects as the manifest's rows have them, and what kinds of label a dataset holds."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import replace
from typing import TYPE_CHECKING

from augx.model import Annotations, Dataset, Dropped, Json, Object, Rle, Sample

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

KINDS: Mapping[str, str] = {
    "class": "one class an image",
    "classes": "several classes on one image",
    "weights": "classes with weights",
    "values": "regression targets and other columns",
    "captions": "captions",
    "boxes": "boxes",
    "polygons": "polygons",
    "rle": "masks of single objects (RLE)",
    "crowds": "crowds (iscrowd)",
    "keypoints": "keypoints",
    "obb": "oriented boxes",
    "mask": "class-index masks",
    "instances": "instance masks",
}
PLACED = frozenset(("boxes", "polygons", "rle", "crowds", "keypoints", "obb", "mask", "instances"))  # say where

_STRAY = 0.51  # pixels: a person may set points outside by half a pixel, and there they stay where nothing moves
_MANY = 16  # numbers, from which NumPy is quicker
_EXACT = 4e6  # pixels, below which so many digits are whole numbers of a double
_DIGITS = 9  # of a pixel: enough that a file of decimals comes out as it went in, few enough to hide what adding costs


def tidy(value: float) -> float:
    """A coordinate as it is written: without the last bits that arithmetic leaves behind, whole numbers as ints."""
    whole = int(value)
    if value != whole:
        value = round(value, _DIGITS)
        whole = int(value)
    return whole if value == whole else value


def tidied(values: Sequence[float] | NDArray[np.float64]) -> list[float]:
    """`tidy` of each, to a unit of the last digit where there are more."""
    if len(values) < _MANY:
        return list(map(tidy, values))
    import numpy as np  # only who writes objects needs it

    there = np.asarray(values, np.float64)
    if not np.abs(there).max() < _EXACT:
        return list(map(tidy, values))
    rounded = np.rint(there * 10**_DIGITS) / 10**_DIGITS
    found: list[float] = rounded.tolist()
    for place in np.flatnonzero(rounded == np.rint(rounded)).tolist():
        found[place] = int(found[place])
    return found


def to_rows(things: Sequence[Object], areas: Sequence[float | None]) -> list[dict[str, Json]]:
    """A row's `objects`. `areas`: pixels² as COCO counts them."""
    long = [ring for thing in things for ring in thing.rings if len(ring) >= _MANY]
    if len(long) > 1:
        import numpy as np

        points = np.concatenate(long)
        if np.abs(points).max() < _EXACT:  # all at once
            every = iter(_sliced(tidied(points), map(len, long)))
            return [
                to_row(thing, area, [next(every) if len(ring) >= _MANY else tidied(ring) for ring in thing.rings])
                for thing, area in zip(things, areas, strict=True)
            ]
    return [to_row(thing, area) for thing, area in zip(things, areas, strict=True)]


def _sliced(values: list[float], lengths: Iterable[int]) -> Iterator[list[float]]:
    start = 0
    for length in lengths:
        yield values[start : start + length]
        start += length


def to_row(thing: Object, area: float | None, rings: list[list[float]] | None = None) -> dict[str, Json]:
    """One of a row's `objects`: absent parts are left out. `area`: pixels² as COCO counts them. `rings`: the object's,
    tidied, if somebody has done so."""
    row: dict[str, Json] = {"label": thing.label, "bbox": None}
    if thing.box is not None:
        x0, y0, x1, y1 = thing.box
        row["bbox"] = [tidy(x0), tidy(y0), tidy(x1 - x0), tidy(y1 - y0)]
    if thing.rings:
        row["segmentation"] = [tidied(ring) for ring in thing.rings] if rings is None else rings
    elif thing.rle is not None:
        counts = thing.rle.counts
        row["segmentation"] = {
            "size": [thing.rle.height, thing.rle.width],
            "counts": counts if isinstance(counts, str) else list(counts),
        }
    if thing.keypoints is not None:
        row["keypoints"] = tidied(thing.keypoints)
    if thing.corners is not None:
        row["obb"] = list(map(tidy, thing.corners))
    if thing.crowd:
        row["iscrowd"] = 1
    if area is not None:
        row["area"] = tidy(area)
    if thing.index is not None:
        row["index"] = thing.index
    if thing.extra:
        row["extra"] = dict(thing.extra)
    return row


def from_row(row: Mapping[str, Json]) -> Object:
    """The object that `to_row` was given."""
    box = None
    if row["bbox"] is not None:
        x, y, width, height = row["bbox"]
        box = (x, y, x + width, y + height)
    shape = row.get("segmentation")
    rle = None
    if isinstance(shape, Mapping):
        counts = shape["counts"]
        rle = Rle(shape["size"][1], shape["size"][0], counts if isinstance(counts, str) else tuple(counts))
    return Object(
        row["label"],
        box,
        tuple(array("d", ring) for ring in shape) if isinstance(shape, list) else (),
        rle,
        array("d", row["keypoints"]) if "keypoints" in row else None,
        array("d", row["obb"]) if "obb" in row else None,
        bool(row.get("iscrowd")),
        row.get("index"),
        row.get("extra", {}),
    )


def faults(row: Mapping[str, Json]) -> str:
    """What of a manifest row's objects is empty, broken or outside its picture, in words; "" for nothing.

    An oriented box may stick out, as it keeps its angle: it has to reach into the picture. Raises TypeError,
    ValueError, KeyError or IndexError where the row is no row.
    """
    from augx.rle import runs_of_rle

    width, height = row["width"] + _STRAY, row["height"] + _STRAY
    for one in row["objects"]:
        thing = from_row(one)
        flat: list[float] = [value for ring in thing.rings for value in ring]
        if thing.box is not None:
            if not (thing.box[0] < thing.box[2] and thing.box[1] < thing.box[3]):
                return f"the box of {thing.label!r} is empty: {one['bbox']}"
            flat += thing.box
        if thing.rle is not None:
            if (thing.rle.width, thing.rle.height) != (row["width"], row["height"]):
                return f"the mask of {thing.label!r} is of another size"
            runs_of_rle(thing.rle)
        marks = thing.keypoints or ()
        if len(marks) % 3 or len(flat) % 2:
            return f"the points of {thing.label!r} are incomplete"
        flat += [value for i in range(0, len(marks), 3) if marks[i + 2] > 0 for value in marks[i : i + 2]]
        if thing.corners is not None:
            flat += [_nearest(thing.corners[0::2]), _nearest(thing.corners[1::2])]
        if not all(-_STRAY <= x <= width for x in flat[0::2]) or not all(-_STRAY <= y <= height for y in flat[1::2]):
            return f"an object {thing.label!r} reaches out of the picture"
    return ""


def _nearest(along: Sequence[float]) -> float:
    """How near to 0 a shape with these corners comes; NaN where one is no number."""
    return min(max(along), max(min(along), 0.0)) + 0 * sum(along)


def dropped_row(dropped: Dropped) -> dict[str, Json]:
    return {"label": dropped.label, "reason": dropped.reason, "visibility": round(dropped.visibility, 4)}


def object_kinds(thing: Object) -> Iterable[str]:
    """The kinds of label one object is made of. A box that a polygon, mask or oriented box says anyway is none."""
    if thing.crowd:
        yield "crowds"
    if thing.rings:
        yield "polygons"
    elif thing.rle is not None:
        yield "rle"
    if thing.corners is not None:
        yield "obb"
    if thing.keypoints is not None:
        yield "keypoints"
    if thing.box is not None and not thing.rings and thing.rle is None and thing.corners is None:
        yield "boxes"


def kinds(annotations: Annotations) -> set[str]:
    """The kinds of label on one image."""
    found = {kind for thing in annotations.objects for kind in object_kinds(thing)}
    if annotations.labels:
        found.add("class" if len(annotations.labels) == 1 else "classes")
        if any(weight != 1 for weight in annotations.labels.values()):
            found.add("weights")
    if annotations.segments:
        found.add("rle")
    for kind in ("values", "captions", "mask", "instances"):
        if getattr(annotations, kind):
            found.add(kind)
    return found


def dataset_kinds(dataset: Dataset) -> dict[str, tuple[int, str]]:
    """Kind of label -> how many images have it, and the first of them."""
    counts: Counter[str] = Counter()
    first: dict[str, str] = {}
    for sample in dataset.samples:
        for kind in kinds(sample.annotations):
            counts[kind] += 1
            first.setdefault(kind, sample.id)
    return {kind: (counts[kind], first[kind]) for kind in KINDS if kind in counts}


def labels_without(labels: Mapping[str, float], lost: Set[str]) -> dict[str, float]:
    """The classes of an image less these kinds of label: of classes with weights the heaviest one stays, the first of
    several such."""
    if "weights" in lost and any(weight != 1 for weight in labels.values()):
        labels = {max(labels, key=labels.__getitem__): 1.0}
    return {} if ("classes" if len(labels) > 1 else "class") in lost else dict(labels)


def without(sample: Sample, lost: Set[str]) -> Sample:
    """The sample less these kinds of label. An object that nothing is left of goes; one that only loses a polygon keeps
    its box."""
    known = sample.annotations
    if not kinds(known) & lost:
        return sample
    left = replace(
        known,
        labels=labels_without(known.labels, lost),
        values={} if "values" in lost else known.values,
        captions=() if "captions" in lost else known.captions,
        mask=None if "mask" in lost else known.mask,
        instances=None if "instances" in lost else known.instances,
        segments=None if "rle" in lost else known.segments,
        objects=tuple(less for thing in known.objects if (less := _object_without(thing, lost)) is not None),
    )
    return replace(sample, annotations=left)


def row_without(row: Mapping[str, Json], lost: Set[str]) -> Mapping[str, Json]:
    """The manifest row less these kinds of label, for a format that cannot hold what another one beside it does."""
    if not lost:
        return row
    left = dict(row)
    left["objects"] = [
        to_row(less, one.get("area"))
        for one in row["objects"]
        if (less := _object_without(from_row(one), lost)) is not None
    ]
    if lost & {"class", "classes", "weights"}:
        labels = labels_without(row["labels"], lost)
        left |= {"label": next(iter(labels)) if len(labels) == 1 else None, "labels": labels}
    for kind, nothing in (("values", {}), ("captions", []), ("mask", None), ("instances", None)):
        if kind in lost:
            left[kind] = nothing
    return left


def _object_without(thing: Object, lost: Set[str]) -> Object | None:
    if thing.crowd and "crowds" in lost:
        return None
    if thing.box is None and lost & {"polygons", "rle", "obb"} and "boxes" not in lost:
        from augx.geometry import shape_box

        thing = replace(thing, box=shape_box(thing))
    left = replace(
        thing,
        rings=() if "polygons" in lost else thing.rings,
        rle=None if "rle" in lost else thing.rle,
        keypoints=None if "keypoints" in lost else thing.keypoints,
        corners=None if "obb" in lost else thing.corners,
    )
    shapes = left.rings or left.rle is not None or left.corners is not None or left.keypoints is not None
    if "boxes" in lost:
        return left if shapes else None
    return left if shapes or left.box is not None else None
