"""A CVAT XML from manifest rows."""

from __future__ import annotations

import json
import math
import posixpath
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from augx.formats import Row, ellipses, xml_safe
from augx.formats.cvat.shapes import CUBOID, turned
from augx.model import Dataset, Json, Rle, Sample

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_FIELDS = ("source", "occluded", "z_order", "group_id")  # of objects' `extra`: attributes of the XML element
_EXPECTED = {"source": "manual", "occluded": 0, "z_order": 0}  # by those who read CVAT's XML
_NESTED = ("attributes", "elements", "shape")  # of objects' `extra`: what is no attribute of the element
_SHAPES = ("point", "points", "line", "polyline", "circle", "ellipse", "cuboid")

Part = tuple[str, Mapping[str, Json], Sequence[str]]  # an element: its name, its place, the lines in it


def meta_text(document: Element) -> str:
    """The meta element as it was read, or ""."""
    from xml.etree.ElementTree import tostring

    meta = document.find("meta")
    return "" if meta is None else tostring(meta, "unicode").strip()


def new_meta(dataset: Dataset) -> str:
    """The labels, their attributes and the points of their skeletons, for a dataset that was none of CVAT's."""
    attributes: dict[str, dict[str, None]] = {}
    for thing in (thing for sample in dataset.samples for thing in sample.annotations.objects):
        attributes.setdefault(thing.label or "", {}).update(dict.fromkeys(_attributes(thing.extra, False)))
    splits = sorted({sample.split for sample in dataset.samples if sample.split})
    kind = "project" if splits else "task"
    lines = ["<meta>", f"    <{kind}>"]
    if splits:
        lines.append(f"      <subsets>{xml_safe.escape(chr(10).join(splits))}</subsets>")
    lines.append("      <labels>")
    for name in dataset.classes:
        points = dataset.poses[name].names if name in dataset.poses else ()
        lines += ["        <label>", f"          <name>{xml_safe.escape(name)}</name>"]
        lines += ["          <type>skeleton</type>"] if points else []
        lines.append("          <attributes>")
        for attribute in attributes.get(name, ()):
            told = f"<name>{xml_safe.escape(attribute)}</name><mutable>False</mutable><input_type>text</input_type>"
            lines.append(f"            <attribute>{told}<default_value></default_value><values></values></attribute>")
        lines += ["          </attributes>", "        </label>"]
        for point in points:
            told = f"<name>{xml_safe.escape(point)}</name><type>points</type><attributes></attributes>"
            lines.append(f"        <label>{told}<parent>{xml_safe.escape(name)}</parent></label>")
    return "\n".join([*lines, "      </labels>", f"    </{kind}>", "  </meta>"])


def document(rows: Iterable[Row], dataset: Dataset, meta: str, path: str | None = None) -> Iterator[str]:
    """The XML in pieces. `path`: the file's own, where only some of the images are told of in it.

    Originals keep their id, copies get new ones above all that were there.
    """
    own = dataset.format == "cvat"
    samples = {sample.id: sample for sample in dataset.samples}
    known = [sample.annotations.extra.get("image", {}).get("id", "") for sample in dataset.samples] if own else []
    following = max((int(number) for number in known if number.isdecimal() and len(number) < 16), default=-1) + 1
    yield '<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n  <version>1.1</version>\n'
    if meta:
        yield f"  {meta}\n"
    for row in rows:
        sample = samples.get(row["source"])
        extra = sample.annotations.extra if own and sample else {}
        if path is not None and extra.get("xml") != path:
            continue
        image = dict(extra.get("image", {}))
        if row["copy"] or "id" not in image:
            image["id"], following = following, following + 1
        image["name"] = _name(row, sample, image.get("name", ""), own)
        if not own and row["split"]:
            image["subset"] = row["split"]
        first = {key: image.pop(key) for key in ("id", "name", "subset", "task_id") if key in image}
        size = {"width": row["width"], "height": row["height"]}
        lines = [line for part in _image(row, dataset, extra.get("tags", {}), own) for line in part]
        head = f"  <image{_attributes_text({**first, **image, **size})}"
        yield "\n".join([f"{head}>", *lines, "  </image>\n"]) if lines else f"{head}/>\n"
    yield "</annotations>\n"


def _name(row: Row, sample: Sample | None, was: str, own: bool) -> str:
    """The image's path from where it was given before, or from the folder of its subset."""
    prefix = f"images/{row['split']}/" if row["split"] else "images/"
    if own and sample:
        was = was.strip().replace("\\", "/")
        prefix = sample.id[: -len(was)] if was and sample.id.endswith(was) else posixpath.dirname(sample.id) + "/"
    name: str = row["file_name"]
    return name.removeprefix(prefix)


def _image(row: Row, dataset: Dataset, tags: Mapping[str, Json], own: bool) -> Iterator[list[str]]:
    """The lines of each shape of an image, then of its tags."""
    named = (str(one.get("extra", {}).get("group_id")) for one in row["objects"])
    groups = [int(group) for group in named if group.isdecimal() and len(group) < 16]
    group = max(groups, default=0)
    for one in row["objects"]:
        extra = one.get("extra", {})
        fields = _fields(extra, own)
        parts = _parts(one, extra, dataset, row["width"], row["height"])
        if len(parts) > 1 and not fields.get("group_id"):
            group += 1
            fields["group_id"] = group
        inner = _attribute_lines(_attributes(extra, own), 6)
        for kind, place, points in parts:
            expected = {} if own else _EXPECTED
            head = {"label": one["label"] or "", **expected, **fields}
            if kind == "skeleton" and "occluded" not in fields:
                head.pop("occluded", None)
            last: dict[str, Json] = {name: head.pop(name) for name in ("z_order", "group_id") if name in head}
            yield _element(kind, {**head, **place, **last}, [*points, *inner], 4)
    for name in row["labels"]:
        known = tags.get(name, {} if own else {"source": "manual"})
        yield _element("tag", {"label": name, **_fields(known, own)}, _attribute_lines(_attributes(known, own), 6), 4)


def _fields(extra: Mapping[str, Json], own: bool) -> dict[str, Json]:
    """What is written as an attribute of the XML element; of CVAT's own datasets all that was read from there."""
    names = [name for name in extra if name not in _NESTED] if own else [name for name in _FIELDS if name in extra]
    return {name: int(extra[name]) if isinstance(extra[name], bool) else extra[name] for name in names}


def _parts(one: Mapping[str, Any], extra: Mapping[str, Json], dataset: Dataset, width: int, height: int) -> list[Part]:
    """The shapes an object is drawn as: one, or several where CVAT has no one shape for it."""
    parts: list[Part] = []
    shape = extra.get("shape")
    keypoints = one.get("keypoints")
    if keypoints is not None and shape in _SHAPES:
        return _points(keypoints, shape)
    if keypoints is not None:
        pose = dataset.poses.get(one["label"] or "")
        names = pose.names if pose and len(pose.names) * 3 == len(keypoints) else ()
        parts.append(_skeleton(keypoints, names, extra))
    segmentation = one.get("segmentation")
    if isinstance(segmentation, list):
        axes = ellipses.axes(segmentation[0]) if shape in ("ellipse", "circle") else None
        parts += [_ellipse(axes)] if axes else [("polygon", {"points": _pairs(ring)}, ()) for ring in segmentation]
    elif segmentation is not None:
        parts += _mask(segmentation, width, height)
    elif "obb" in one:
        parts.append(_turned_box(one["obb"]))
    elif one["bbox"] is not None and not (keypoints is not None and _follows(one["bbox"], keypoints)):
        x, y, w, h = one["bbox"]
        parts.append(("box", _place(xtl=x, ytl=y, xbr=x + w, ybr=y + h), ()))
    return parts


def _points(flat: Sequence[float], shape: Json) -> list[Part]:
    """Points, a line or a cuboid; what is left of one that was cut."""
    left = [v for x, y, seen in zip(flat[::3], flat[1::3], flat[2::3], strict=True) if seen for v in (x, y)]
    if not left:
        return []
    if shape == "cuboid" and len(left) == 16:
        return [
            ("cuboid", _place(**dict(zip((axis + name for name in CUBOID for axis in "xy"), left, strict=True))), ())
        ]
    kind = "polyline" if shape in ("line", "polyline") and len(left) > 2 else "points"
    return [(kind, {"points": _pairs(left)}, ())]


def _skeleton(flat: Sequence[float], names: Sequence[str], extra: Mapping[str, Json]) -> Part:
    inner: list[str] = []
    known = extra.get("elements", {})
    for number, (x, y, seen) in enumerate(zip(flat[::3], flat[1::3], flat[2::3], strict=True)):
        name = names[number] if names else str(number + 1)
        told = known.get(name) if isinstance(known, Mapping) else None
        own = told if isinstance(told, Mapping) else {}
        source = own.get("source", extra.get("source"))
        head = {"label": name} | ({} if source is None else {"source": source})
        head |= {"outside": int(not seen), "occluded": int(seen == 1), "points": _pairs((x, y))}
        inner += _element("points", head, _attribute_lines(_attributes(own, True), 8), 6)
    return "skeleton", {}, inner


def _follows(bbox: Sequence[float], flat: Sequence[float]) -> bool:
    """Whether a box says no more than the extent of the labelled keypoints does."""
    xs = [x for x, seen in zip(flat[::3], flat[2::3], strict=True) if seen]
    ys = [y for y, seen in zip(flat[1::3], flat[2::3], strict=True) if seen]
    if not xs:
        return False
    extent = (min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys))
    return all(abs(a - b) < 1e-6 for a, b in zip(bbox, extent, strict=True))


def _ellipse(axes: ellipses.Axes) -> Part:
    cx, cy, rx, ry, turn = ellipses.principal(axes)
    place = _place(cx=cx, cy=cy, rx=rx, ry=ry)
    return "ellipse", place | _rotation(0 if abs(rx - ry) < 1e-4 else turn), ()


def _rotation(degrees: float) -> dict[str, Json]:
    turn = round(degrees, 6) % 360
    return {"rotation": _number(turn)} if turn else {}


def _turned_box(flat: Sequence[float]) -> Part:
    """A box with its rotation; a polygon where any corner is more than a pixel off that of a rectangle."""
    corners = list(zip(flat[::2], flat[1::2], strict=True))
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = corners
    mx, my = (ax + bx + cx + dx) / 4, (ay + by + cy + dy) / 4
    ux, uy, vx, vy = (bx - ax + cx - dx) / 2, (by - ay + cy - dy) / 2, (dx - ax + cx - bx) / 2, (dy - ay + cy - by) / 2
    side = 1 if ux * vy >= uy * vx else -1  # -1: the corners run counter-clockwise
    turn = math.atan2(uy - side * vx, ux + side * vy)
    c, s = math.cos(turn), math.sin(turn)
    w, h = ux * c + uy * s, side * (vy * c - vx * s)
    box = (mx - w / 2, my - h / 2, mx + w / 2, my + h / 2)
    straight = turned(box, math.degrees(turn))
    order = (0, 1, 2, 3) if side > 0 else (3, 2, 1, 0)
    off = max(math.dist(corner, straight[2 * n : 2 * n + 2]) for corner, n in zip(corners, order, strict=True))
    if off > 1:
        return "polygon", {"points": _pairs(flat)}, ()
    x0, y0, x1, y1 = (round(value, 6) for value in box)
    return "box", _place(xtl=x0, ytl=y0, xbr=x1, ybr=y1) | _rotation(math.degrees(turn)), ()


def _mask(segmentation: Mapping[str, Json], width: int, height: int) -> list[Part]:
    import numpy as np

    from augx.rle import rle_decode

    counts = segmentation["counts"]
    plane = rle_decode(Rle(width, height, counts if isinstance(counts, str) else tuple(counts)))
    rows, columns = np.flatnonzero(plane.any(axis=1)), np.flatnonzero(plane.any(axis=0))
    if not len(rows):
        return []
    top, left = int(rows[0]), int(columns[0])
    part = plane[top : rows[-1] + 1, left : columns[-1] + 1]
    flat = np.concatenate(([0], part.ravel(), [2]))  # so that each run has an end, and the first is of zeros
    runs = np.diff(np.concatenate(([1], np.flatnonzero(np.diff(flat)) + 1)))
    told = {"rle": ", ".join(map(str, runs.tolist())), "left": left, "top": top}
    return [("mask", told | {"width": part.shape[1], "height": part.shape[0]}, ())]


def _place(**numbers: float) -> dict[str, Json]:
    return {name: _number(value) for name, value in numbers.items()}


def _number(value: float) -> str:
    """At most nine decimals, and no exponent."""
    text = f"{value:.9f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _pairs(flat: Sequence[float]) -> str:
    return ";".join(f"{_number(x)},{_number(y)}" for x, y in zip(flat[::2], flat[1::2], strict=True))


def _element(kind: str, head: Mapping[str, Json], inner: Sequence[str], indent: int) -> list[str]:
    pad = " " * indent
    start = f"{pad}<{kind}{_attributes_text(head)}"
    return [f"{start}>", *inner, f"{pad}</{kind}>"] if inner else [f"{start}/>"]


def _attributes_text(head: Mapping[str, Json]) -> str:
    return "".join(f' {name}="{_quoted(_text(value))}"' for name, value in head.items())


def _quoted(text: str) -> str:
    return xml_safe.escape(text).replace("\n", "&#10;").replace("\t", "&#9;")


def _attributes(extra: Mapping[str, Json], own: bool) -> dict[str, Json]:
    """What is written as <attribute>: CVAT's own, and all fields of other formats that it has no place for."""
    nested = extra.get("attributes", {})
    found: dict[str, Json] = dict(nested) if isinstance(nested, Mapping) else {"attributes": nested}
    if not own:
        found |= {k: v for k, v in extra.items() if k not in _FIELDS and k not in ("attributes", "id")}
        if found.get("shape") in _SHAPES:
            del found["shape"]
    return found


def _attribute_lines(attributes: Mapping[str, Json], indent: int) -> list[str]:
    pad = " " * indent
    return [
        f'{pad}<attribute name="{_quoted(name)}">{xml_safe.escape(_text(value))}</attribute>'
        for name, value in attributes.items()
    ]


def _text(value: Json) -> str:
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    return json.dumps(value, ensure_ascii=False)
