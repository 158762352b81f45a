"""The lines of YOLO label files, one object each: numbers -> objects, and a manifest row's objects -> lines.

All coordinates are shares of the picture's width and height:

    detect   class cx cy width height
    segment  class x y x y x y ...
    pose     class cx cy width height, then x y or x y visibility of each keypoint
    obb      class x y x y x y x y
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Collection, Iterator, Mapping, Sequence

from augx.formats import Row
from augx.model import Flat, Json, Object

DETECT, SEGMENT, POSE, OBB = TASKS = ("detect", "segment", "pose", "obb")
MAX_CLASS = 1_000_000  # of numbers without names
_DECIMALS = 8

Shape = tuple[int, int]  # keypoints an object, numbers a keypoint (2 or 3): `kpt_shape`
Line = tuple[int, int, "Flat[float]"]  # its number in the file from 1, class, the numbers after it
Bad = dict[str, tuple[int, str, int]]  # code -> the first line with it, what is wrong there, how many lines


def parse(text: str, bad: Bad) -> list[Line]:
    """The lines of a label file; what is no line of numbers, a class first, goes to `bad`."""
    lines: list[Line] = []
    for number, line in enumerate(text.splitlines(), 1):
        parts = line.split()
        if not parts:
            continue
        try:
            values = array("d", map(float, parts))
        except ValueError:
            blame(bad, "not-a-number", number, f"it is no line of numbers: {line[:60]!r}")
            continue
        kind = values.pop(0)
        if not (kind.is_integer() and 0 <= kind <= MAX_CLASS):
            blame(bad, "unknown-class", number, f"the class {parts[0][:20]} is no whole number from 0")
        else:
            lines.append((number, int(kind), values))
    return lines


def blame(bad: Bad, code: str, number: int, message: str) -> None:
    first = bad.setdefault(code, (number, message, 0))
    bad[code] = (*first[:2], first[2] + 1)


def task_of(lengths: Collection[int]) -> str:
    """What lines are that have these counts of numbers after the class, without `kpt_shape`."""
    usual = {length for length in lengths if length in (4, 5) or (length >= 6 and length % 2 == 0)}
    if usual == {8}:
        return OBB
    return SEGMENT if any(length > 5 for length in usual) else DETECT


def objects(lines: Sequence[Line], task: str, shape: Shape | None, names: Mapping[int, str], bad: Bad) -> list[Object]:
    """The objects of one file. `names`: of the classes; a class that is not among them is bad."""
    found: list[Object] = []
    for number, kind, values in lines:
        count = len(values)
        label = names.get(kind)
        if label is None:
            blame(bad, "unknown-class", number, f"there is no class {kind} among the names")
        elif task == POSE and shape is not None:
            if count != 4 + shape[0] * shape[1]:
                asked = f"a box and {shape[0]} keypoints of {shape[1]} numbers are {5 + shape[0] * shape[1]}"
                blame(bad, "wrong-count", number, f"{count + 1} numbers, but {asked}")
            else:
                found.append(Object(label, _box(values), keypoints=_keypoints(values[4:], shape[1])))
        elif task == OBB and count == 8:
            found.append(Object(label, corners=values))
        elif task == SEGMENT and count >= 6 and count % 2 == 0:
            found.append(Object(label, rings=(values,)))
        elif task in (DETECT, SEGMENT) and count == 4:
            if task == SEGMENT:
                blame(bad, "box-among-polygons", number, "a box in a dataset of polygons is written as a rectangle")
            found.append(Object(label, _box(values)))
        elif task == DETECT and count == 5:
            blame(bad, "confidence", number, "a sixth number, a confidence, is left out")
            found.append(Object(label, _box(values)))
        else:
            hint = "; keypoints need `kpt_shape` in data.yaml" if task == SEGMENT else ""
            blame(bad, "wrong-count", number, f"{count + 1} numbers, which is no {task} line{hint}")
    return found


def _box(values: Sequence[float]) -> tuple[float, float, float, float]:
    cx, cy, width, height = values[:4]
    return cx - width / 2, cy - height / 2, cx + width / 2, cy + height / 2


def _keypoints(values: Flat[float], size: int) -> Flat[float]:
    if size == 3:
        return values
    points = array("d")
    for x, y in zip(values[::2], values[1::2], strict=True):
        points.extend((x, y, 2 if x or y else 0))
    return points


def lines(row: Row, task: str, shape: Shape | None, ids: Mapping[str, int]) -> Iterator[str]:
    """The label file of a manifest row, line by line. `ids`: class -> its number."""
    width, height = row["width"], row["height"]
    for thing in row["objects"]:
        if task == SEGMENT:
            numbers = _points(_outline(thing), width, height)
        elif task == OBB:
            numbers = _corners(thing.get("obb") or _rectangle(_extent(thing)), width, height)
        else:
            x, y, across, down = _extent(thing)
            (cx, w), (cy, h) = _span(x, across, width), _span(y, down, height)
            numbers = [cx, cy, w, h]
            if task == POSE and shape is not None:
                numbers += _pose(thing.get("keypoints") or [], shape, width, height)
        yield " ".join([str(ids[thing["label"]]), *map(_text, numbers)]) + "\n"


def _text(value: float) -> str:
    """Without an exponent, and without zeros at the end."""
    text = f"{value:.{_DECIMALS}f}".rstrip("0").rstrip(".")
    return "0" if text in ("", "-0") else text


def _share(value: float, whole: int) -> float:
    """From 0 to 1: trainers refuse the whole file for a number outside."""
    return min(max(round(value / whole, _DECIMALS), 0.0), 1.0)


def _span(low: float, size: float, whole: int) -> tuple[float, float]:
    """Centre and size. What lies inside the picture does so when read again: readers crash on a box off by rounding."""
    centre, extent = _share(low + size / 2, whole), _share(size, whole)
    room = 2 * min(centre, 1 - centre)
    if extent > room + 1e-10 and low >= 0 and low + size <= whole:
        extent = round(room, _DECIMALS)
    return centre, extent


def _points(flat: Sequence[float], width: int, height: int) -> list[float]:
    """Shares, not rounded: `_text` does that."""
    return [min(max(value / (height if place % 2 else width), 0.0), 1.0) for place, value in enumerate(flat)]


def _corners(flat: Sequence[float], width: int, height: int) -> list[float]:
    """Corners as they are, outside the picture too: an oriented box keeps its angle, and trainers look at the upright
    box around it only. Where they would refuse that one, each corner is moved to the edge."""
    numbers = [round(value / (height if place % 2 else width), _DECIMALS) for place, value in enumerate(flat)]
    for along in (numbers[0::2], numbers[1::2]):
        if max(along) - min(along) > 1 or not 0 <= max(along) + min(along) <= 2:
            return _points(flat, width, height)
    return numbers


def _pose(flat: Sequence[float], shape: Shape, width: int, height: int) -> list[float]:
    """Keypoints as numbers; what an object has fewer than `shape` says is not labelled."""
    numbers: list[float] = []
    for place in range(shape[0]):
        x, y, visible = flat[3 * place : 3 * place + 3] if 3 * place + 3 <= len(flat) else (0, 0, 0)
        if shape[1] == 3:
            numbers += _share(x, width), _share(y, height), visible
        else:
            numbers += (_share(x, width), _share(y, height)) if visible else (0.0, 0.0)
    return numbers


def _extent(thing: Mapping[str, Json]) -> Sequence[float]:
    """x, y, width and height of the box; of what keypoints are labelled where there is none."""
    if thing["bbox"] is not None:
        box: Sequence[float] = thing["bbox"]
        return box
    points = thing.get("keypoints") or []
    labelled = [at for at in range(0, len(points), 3) if points[at + 2]]
    if not labelled:
        return 0, 0, 0, 0
    xs, ys = [points[at] for at in labelled], [points[at + 1] for at in labelled]
    return min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)


def _rectangle(box: Sequence[float]) -> list[float]:
    x, y, width, height = box
    return [x, y, x + width, y, x + width, y + height, x, y + height]


def _outline(thing: Mapping[str, Json]) -> Sequence[float]:
    """The one ring of an object: its own, several or a mask's joined, or its box."""
    shape = thing.get("segmentation")
    if isinstance(shape, Mapping):
        from augx.geometry import mask_rings, rle_decode
        from augx.objects import from_row

        rle = from_row(thing).rle
        shape = mask_rings(rle_decode(rle)) if rle is not None else ()
    elif shape and len(shape) > 1:
        shape = united(shape)
    return joined(shape) if shape else _rectangle(_extent(thing))


def united(rings: Sequence[Sequence[float]]) -> Sequence[Sequence[float]]:
    """Rings that overlap as the outlines of what they cover together: joined as they are, that would be a hole."""
    from array import array

    from augx.geometry import mask_rings, rasterise, rings_box

    boxes = [rings_box([array("d", ring)]) for ring in rings]
    apart = all(
        one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]
        for place, one in enumerate(boxes)
        for other in boxes[:place]
    )
    if apart:
        return rings
    width, height = math.ceil(max(box[2] for box in boxes)), math.ceil(max(box[3] for box in boxes))
    flats = [array("d", ring) for ring in rings]
    alone = sum(int(rasterise([flat], width, height).sum()) for flat in flats)
    together = rasterise(flats, width, height)
    return mask_rings(together) if int(together.sum()) < alone else rings


def joined(rings: Sequence[Sequence[float]]) -> Sequence[float]:
    """Rings as one, by bridges of no width between their nearest points, as a label line has room for one only."""
    if len(rings) == 1:
        return rings[0]
    import numpy as np

    whole = np.asarray(rings[0], float).reshape(-1, 2)
    for flat in rings[1:]:
        ring = np.asarray(flat, float).reshape(-1, 2)
        best, at, other = math.inf, 0, 0
        for place, point in enumerate(whole):
            distances = ((ring - point) ** 2).sum(axis=1)
            nearest = int(distances.argmin())
            if distances[nearest] < best:
                best, at, other = float(distances[nearest]), place, nearest
        there = np.concatenate([ring[other:], ring[: other + 1]])
        whole = np.concatenate([whole[: at + 1], there, whole[at:]])
    flat_whole: list[float] = whole.ravel().tolist()
    return flat_whole
