"""Tiny datasets in every format, for the flaws in `wild.py`: two images of 40 x 30, `a` with the flaw, `b` without."""

from __future__ import annotations

import base64
import io
import json
import tarfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal
from xml.sax.saxutils import escape, quoteattr

import numpy as np
from conftest import encoded
from PIL import Image

WIDTH, HEIGHT = 40, 30
GOOD = ("dog", (20.0, 10.0, 30.0, 20.0))  # beside the flawed object
INF, NAN = float("inf"), float("nan")


class Fifo:
    """A pipe in place of a file."""


class Folder:
    """A folder in place of a file."""


@dataclass(frozen=True)
class Link:
    """A symbolic link. `target` may hold {outside}, a folder beside the dataset."""

    target: str


@dataclass(frozen=True)
class Locked:
    """A file that nobody may read."""

    content: bytes


Content = str | bytes | Fifo | Folder | Link | Locked
Files = Mapping[str, Content]
End = Literal["fine", "told", "repaired", "left out", "dropped", "failed", "refused"]

ENDS: Mapping[End, str] = {
    "fine": "taken as it is",
    "told": "taken as it is, with a warning",
    "repaired": "repaired, with a warning",
    "left out": "left out, with a warning",
    "dropped": "the object is dropped, with a warning",
    "failed": "the image fails, the others are made",
    "refused": "refused before the first image",
}


@dataclass(frozen=True)
class Made:
    """A dataset with a flaw. `code`: where it differs from the flaw's. `to`: the format of OUTPUT.

    `also`: further warnings that the same flaw brings with it.
    """

    format: str
    files: Files
    code: str = ""
    options: tuple[str, ...] = ()
    to: str = ""
    also: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Flaw:
    """One row of the table.

    `does`: more than `ENDS` says. `boxes`: x, y, w, h of what is left on image `a`. `said`: words of the refusal.
    `check`: looks at the rows of OUTPUT's manifest that are originals.
    """

    what: str
    end: End
    code: str
    made: tuple[Made, ...]
    does: str = ""
    boxes: tuple[tuple[float, float, float, float], ...] | None = None
    said: tuple[str, ...] = ()
    check: Callable[[list[dict[str, Any]]], object] | None = None


# Pictures


@cache
def png(seed: int = 0) -> bytes:
    return encoded(seed, ".png", width=WIDTH, height=HEIGHT)


@cache
def jpeg() -> bytes:
    return encoded(1, ".jpg", width=WIDTH, height=HEIGHT)


def saved(picture: Image.Image, kind: str = "PNG", **how: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **how)
    return buffer.getvalue()


@cache
def mask(width: int = WIDTH, height: int = HEIGHT, mode: str = "L", kind: str = "PNG") -> bytes:
    values = np.zeros((height, width), np.uint8)
    values[5:15, 5:20] = 1
    return saved(Image.fromarray(values).convert(mode), kind)


def images(folder: str = "", ending: str = ".png") -> dict[str, Content]:
    return {f"{folder}a{ending}": png(0), f"{folder}b{ending}": png(1)}


# Datasets: things are the objects of image a, in the words of the format

Box = tuple[str, tuple[float, float, float, float]]  # class; x0, y0, x1, y1


def coco_json(
    things: Sequence[Mapping[str, Any]] = (),
    names: Sequence[str] = ("cat", "dog"),
    image: Mapping[str, Any] | None = None,
    **members: Any,
) -> str:
    """`things`: annotations; what they lack is as usual. `image`: other members of image a."""
    first = {"id": 1, "file_name": "a.png", "width": WIDTH, "height": HEIGHT} | dict(image or {})
    other = {"id": 2, "file_name": "b.png", "width": WIDTH, "height": HEIGHT}
    usual = [
        {"id": number, "image_id": 1, "category_id": 1} | dict(thing) for number, thing in enumerate(things, start=1)
    ]
    usual.append({"id": 99, "image_id": 2, "category_id": 1, "bbox": [4, 4, 10, 8]})
    text = {
        "images": [first, other],
        "annotations": usual,
        "categories": [{"id": number, "name": name} for number, name in enumerate(names, 1)],
    }
    return json.dumps(text | members)


def coco(*args: Any, **members: Any) -> dict[str, Content]:
    return {**images(), "annotations.json": coco_json(*args, **members)}


def yolo(text: str | bytes, names: str = "[cat, dog]", more: str = "") -> dict[str, Content]:
    """`text`: the label file of image a."""
    return {
        **images("images/"),
        "data.yaml": f"names: {names}\ntrain: images\nval: images\n{more}",
        "labels/a.txt": text,
        "labels/b.txt": "0 0.3 0.3 0.2 0.2\n" if not more else "",
    }


def voc_xml(body: str, filename: str = "a.png") -> str:
    size = f"<size><width>{WIDTH}</width><height>{HEIGHT}</height><depth>3</depth></size>"
    return f"<annotation><filename>{escape(filename)}</filename>{size}{body}</annotation>"


def voc_object(name: str, box: Sequence[float]) -> str:
    sides = "".join(f"<{n}>{v}</{n}>" for n, v in zip(("xmin", "ymin", "xmax", "ymax"), box, strict=True))
    return f"<object><name>{escape(name)}</name><bndbox>{sides}</bndbox></object>"


B_XML = voc_xml(voc_object("cat", (4, 4, 14, 12)), "b.png")


def voc(xml: str | bytes, **others: Content) -> dict[str, Content]:
    return {**images("JPEGImages/"), "Annotations/a.xml": xml, "Annotations/b.xml": B_XML, **others}


def dota(text: str | bytes) -> dict[str, Content]:
    return {**images("images/"), "labelTxt/a.txt": text, "labelTxt/b.txt": "4 4 14 4 14 12 4 12 cat 0\n"}


def labelme_json(shapes: Iterable[Mapping[str, Any]], image: str = "a.png", **members: Any) -> str:
    usual = [{"label": "cat", "group_id": None, "shape_type": "rectangle", "flags": {}} | dict(s) for s in shapes]
    text = {"version": "5.5.0", "flags": {}, "shapes": usual, "imagePath": image, "imageData": None}
    return json.dumps(text | {"imageHeight": HEIGHT, "imageWidth": WIDTH} | members)


B_JSON = labelme_json([{"points": [[4, 4], [14, 12]]}], "b.png")


def labelme(text: str | bytes) -> dict[str, Content]:
    return {**images(), "a.json": text, "b.json": B_JSON}


def cvat_xml(shapes: str, name: str = "a.png", more: str = "") -> str:
    b = '<box label="cat" xtl="4" ytl="4" xbr="14" ybr="12" occluded="0"/>'
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<annotations><version>1.1</version><meta/>'
        f'<image id="0" name={quoteattr(name)} width="{WIDTH}" height="{HEIGHT}">{shapes}</image>'
        f'<image id="1" name="b.png" width="{WIDTH}" height="{HEIGHT}">{b}</image>{more}</annotations>\n'
    )


def cvat(shapes: str, name: str = "a.png", more: str = "") -> dict[str, Content]:
    return {**images("images/"), "annotations.xml": cvat_xml(shapes, name, more)}


def createml(boxes: Sequence[Any], name: str = "a.png") -> dict[str, Content]:
    b = {"label": "cat", "coordinates": {"x": 9, "y": 8, "width": 10, "height": 8}}
    text = [{"image": name, "annotations": list(boxes)}, {"image": "b.png", "annotations": [b]}]
    return {**images(), "_annotations.createml.json": json.dumps(text)}


def hf(objects: Mapping[str, Any] | None = None, **row: Any) -> dict[str, Content]:
    """`objects`: mapping of lists. `row`: other columns of image a."""
    keys = (objects or {"bbox": [], "category": []}).keys()
    a = {"file_name": "a.png", "objects": objects or {"bbox": [], "category": []}} | row
    usual: dict[str, Any] = {"bbox": [[4, 4, 10, 8]], "category": ["cat"]}
    b = {"file_name": "b.png", "objects": {key: usual.get(key, [None]) for key in keys}}
    return {**images(), "metadata.jsonl": json.dumps(a) + "\n" + json.dumps(b) + "\n"}


def openimages(*rows: str) -> dict[str, Content]:
    text = "filename,width,height,class,xmin,ymin,xmax,ymax\n"
    return {**images(), "_annotations.csv": text + "".join(f"{row}\n" for row in rows) + "b.png,40,30,cat,4,4,14,12\n"}


def table(*rows: str) -> dict[str, Content]:
    return {**images(), "labels.csv": "".join(f"{row}\n" for row in ("file_name,label", *rows, "b.png,cat"))}


def masks(content: Content, name: str = "masks/a.png") -> dict[str, Content]:
    return {**images("images/"), name: content, "masks/b.png": mask()}


# The same boxes in every format that has boxes


def _coco_boxes(boxes: Sequence[Box]) -> dict[str, Content]:
    return coco(
        [{"category_id": 1 + (n == "dog"), "bbox": [x, y, X - x, Y - y]} for n, (x, y, X, Y) in boxes],
    )


def _yolo_boxes(boxes: Sequence[Box]) -> dict[str, Content]:
    shares = [
        (int(n == "dog"), (x + X) / 2 / WIDTH, (y + Y) / 2 / HEIGHT, (X - x) / WIDTH, (Y - y) / HEIGHT)
        for n, (x, y, X, Y) in boxes
    ]
    return yolo("".join(" ".join(map(repr, line)) + "\n" for line in shares))


def _cvat_boxes(boxes: Sequence[Box]) -> dict[str, Content]:
    sides = ("xtl", "ytl", "xbr", "ybr")
    return cvat(
        "".join(
            f'<box label="{n}" {" ".join(f"{s}={chr(34)}{v}{chr(34)}" for s, v in zip(sides, box, strict=True))}/>'
            for n, box in boxes
        )
    )


def _createml_boxes(boxes: Sequence[Box]) -> dict[str, Content]:
    return createml(
        [
            {"label": n, "coordinates": {"x": (x + X) / 2, "y": (y + Y) / 2, "width": X - x, "height": Y - y}}
            for n, (x, y, X, Y) in boxes
        ]
    )


_BOXED: Mapping[str, Callable[[Sequence[Box]], dict[str, Content]]] = {
    "coco": _coco_boxes,
    "yolo": _yolo_boxes,
    "voc": lambda boxes: voc(voc_xml("".join(voc_object(*box) for box in boxes))),
    "labelme": lambda boxes: labelme(
        labelme_json({"label": n, "points": [[x, y], [X, Y]]} for n, (x, y, X, Y) in boxes)
    ),
    "cvat": _cvat_boxes,
    "createml": _createml_boxes,
    "hf": lambda boxes: hf(
        {"bbox": [[x, y, X - x, Y - y] for _, (x, y, X, Y) in boxes], "category": [name for name, _ in boxes]}
    ),
    "openimages": lambda boxes: openimages(
        *(f"a.png,{WIDTH},{HEIGHT},{name},{','.join(map(str, box))}" for name, box in boxes)
    ),
}


def boxes(*box: float, without: Sequence[str] = ()) -> tuple[Made, ...]:
    """A box x0, y0, x1, y1 of class cat, and a good one after it, in every format but some."""
    x0, y0, x1, y1 = box
    return tuple(
        Made(name, draw([("cat", (x0, y0, x1, y1)), GOOD])) for name, draw in _BOXED.items() if name not in without
    )


LEFT = ((20.0, 10.0, 10.0, 10.0),)  # GOOD alone


_GREY = 1 + 256 + 65536  # the segment of colour 1, 1, 1


def panoptic(
    content: Content | None, segments: Sequence[Mapping[str, Any]] = (), twice: bool = False
) -> dict[str, Content]:
    """`content`: the mask of image a, None for none. `twice`: its segments are listed once more, without any."""
    usual = [{"id": _GREY, "category_id": 1, "iscrowd": 0, "bbox": [5, 5, 15, 10], "area": 150}, *segments]
    b = [{"id": _GREY, "category_id": 1, "iscrowd": 0, "bbox": [5, 5, 15, 10], "area": 150}]
    notes = [
        {"image_id": 1, "file_name": "a.png", "segments_info": usual},
        {"image_id": 2, "file_name": "b.png", "segments_info": b},
        *([{"image_id": 1, "file_name": "a.png", "segments_info": []}] if twice else []),
    ]
    text = coco_json(annotations=notes)
    folder = "annotations/panoptic_train/"
    found = {**images("images/"), "annotations/panoptic_train.json": text, f"{folder}b.png": mask(mode="RGB")}
    return found if content is None else {**found, f"{folder}a.png": content}


def tar(members: Sequence[tuple[str, bytes]], cut: int | None = None) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as file:
        for name, content in members:
            header = tarfile.TarInfo(name)
            header.size = len(content)
            file.addfile(header, io.BytesIO(content))
    return buffer.getvalue()[:cut]


def without(files: Mapping[str, Content], *names: str) -> dict[str, Content]:
    return {name: content for name, content in files.items() if name not in names}


def png_text(data: bytes) -> str:
    return base64.b64encode(data).decode()


# One box of image a, x, y, w, h, in the words of each format

BOX = ((5.0, 5.0, 10.0, 8.0),)  # x, y, w, h of the object where only another of its parts has a flaw
BBOX = [5, 5, 10, 8]
COCO_BOX = {"id": 7, "bbox": BBOX}
BOX_XML = voc_object("cat", (5, 5, 15, 13))
BOX_JSON = labelme_json([{"points": [[5, 5], [15, 13]]}])
CVAT_BOX = '<box label="cat" xtl="5" ytl="5" xbr="15" ybr="13"/>'
ML_BOX = {"label": "cat", "coordinates": {"x": 10, "y": 9, "width": 10, "height": 8}}
YOLO_LINE = "0 0.25 0.3 0.25 0.26666666666666666"
HF_ROW = json.dumps({"file_name": "a.png", "objects": {"bbox": [BBOX], "category": ["cat"]}})
HF_B = json.dumps({"file_name": "b.png", "objects": {"bbox": [BBOX], "category": ["cat"]}})


def hf_lines(line: str | bytes) -> Files:
    tail = f"\n{HF_B}\n"
    return {**images(), "metadata.jsonl": line + tail.encode() if isinstance(line, bytes) else line + tail}


# What is looked at in the rows of OUTPUT's manifest


def objects_of_a(first: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    (row,) = [row for row in first if row["source"].rpartition("/")[2].startswith("a")]
    objects: list[dict[str, Any]] = row["objects"]
    return objects


def visibilities(*wanted: float) -> Any:
    def check(first: list[dict[str, Any]]) -> None:
        assert objects_of_a(first)[0]["keypoints"][2::3] == list(wanted)

    return check


def sources(*wanted: str) -> Any:
    def check(first: list[dict[str, Any]]) -> None:
        assert [row["source"] for row in first] == list(wanted)

    return check


def labels(*wanted: str | None) -> Any:
    def check(first: list[dict[str, Any]]) -> None:
        assert [thing["label"] for thing in objects_of_a(first)] == list(wanted)

    return check
