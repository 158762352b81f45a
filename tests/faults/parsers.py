"""What of a reader looks at the content of one label file, without the dataset around it: many times faster to fuzz.

Each takes a file's name and bytes, lets augx's own errors and ValueError pass (which the reader around it turns into
flaws), and judges the objects.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from augx.errors import Refused
from augx.formats import class_table, image_lists, json_safe, xml_safe
from augx.formats.coco import reading as coco_reading
from augx.formats.coco.file import clean, named
from augx.formats.createml import _Reading as CreatemlReading
from augx.formats.cvat import shapes as cvat_shapes
from augx.formats.dota import lines as dota_lines
from augx.formats.labelme import shapes as labelme_shapes
from augx.formats.voc import xml as voc_xml
from augx.formats.yolo import lines as yolo_lines
from augx.model import Flaw, Object

IMAGES = ("a.png", "b.png")
LISTED = image_lists.Names(("images/a.png", "images/b.png"))
NAMES = {0: "cat", 1: "dog"}


def judge(things: Iterable[Object], flaws: Iterable[Flaw] = ()) -> None:
    for thing in things:
        assert thing.label is None or (isinstance(thing.label, str) and thing.label), "a class has a name"
        assert thing.box is None or all(type(side) is float for side in map(float, thing.box))
        assert thing.keypoints is None or len(thing.keypoints) % 3 == 0
        assert thing.corners is None or len(thing.corners) == 8
        json.dumps([thing.label, dict(thing.extra)], allow_nan=False, ensure_ascii=False).encode()
    for flaw in flaws:
        f"{flaw.source} {flaw.message}".encode()


def coco(path: Path, data: bytes) -> None:
    found = coco_reading.read_file(str(path), named(path.name))
    json.dumps([dict(found.file.head), found.file.categories], allow_nan=False, ensure_ascii=False).encode()
    for image, parts in found.parts.items():
        for part in parts:
            found.label(image, part.category, part.extra)
            judge([Object(clean("x"), part.box, part.rings, part.rle, part.keypoints, extra=part.extra)])
    for (image, code), (message, _) in found.problems.items():
        f"{image!r} {code} {message}".encode()


def yolo(path: Path, data: bytes) -> None:
    if path.suffix != ".txt":
        return
    bad: yolo_lines.Bad = {}
    lines = yolo_lines.parse(data.decode("utf-8-sig"), bad)
    for task in (yolo_lines.task_of([len(values) for _, _, values in lines]), *yolo_lines.TASKS):
        for shape in ((1, 2), (1, 3), None):
            judge(yolo_lines.objects(lines, task, shape, NAMES, bad))
    for _, message, _ in bad.values():
        message.encode()


def voc(path: Path, data: bytes) -> None:
    if path.suffix == ".txt":
        masks(path, data)
        return
    found = voc_xml.parse(data, path.name)
    judge(found.objects, found.flaws)
    json.dumps(dict(found.extra), allow_nan=False, ensure_ascii=False).encode()
    f"{found.filename}".encode()


def masks(path: Path, data: bytes) -> None:
    """Lists of classes, and of images."""
    table = class_table.read(str(path.parent), [path.name])
    json.dumps(table.names, ensure_ascii=False).encode()
    for lines in (image_lists.parse, image_lists.parse_paths):
        _, missing = lines(str(path.parent), path.name, LISTED)
        "".join(missing).encode()


def dota(path: Path, data: bytes) -> None:
    for named_so in (False, True):
        dota_lines.is_dota(data, named_so)
    known, flaws = dota_lines.parse(data, path.name)
    judge(known.objects, flaws)
    json.dumps(dict(known.extra)).encode()


def labelme(path: Path, data: bytes) -> None:
    document = json_safe.read(data, path.name)
    if isinstance(document, dict) and isinstance(document.get("shapes"), list):
        for size in ((40, 30), None):
            things, blank, problems = labelme_shapes.read(document["shapes"], size)
            judge(things)
            json.dumps(blank, allow_nan=False).encode()
            for code, message in problems:
                f"{code} {message}".encode()


def cvat(path: Path, data: bytes) -> None:
    document = xml_safe.read(data, path.name)
    points = cvat_shapes.skeletons([document])
    for element in document.iterfind("image"):
        things = []
        for child in element:
            try:
                things.append(cvat_shapes.read(child, points, (40, 30)))
            except (ValueError, OverflowError) as error:
                str(error).encode()
        judge(cvat_shapes.together(things))


def createml(path: Path, data: bytes) -> None:
    found = CreatemlReading(str(path.parent), path.name, IMAGES)
    found.file()
    for known in found.samples.values():
        judge(known.objects, (*found.failed, *found.warnings))


PARSERS: Mapping[str, Callable[[Path, bytes], None]] = {
    "coco": coco,
    "yolo": yolo,
    "voc": voc,
    "dota": dota,
    "labelme": labelme,
    "cvat": cvat,
    "createml": createml,
    "masks": masks,
}
NEED_FILES = frozenset({"coco", "createml", "masks", "voc"})


def parse(name: str, path: Path, data: bytes) -> None:
    """One file of a format; it is in place for those that `NEED_FILES`."""
    try:
        PARSERS[name](path, data)
    except (Refused, ValueError) as error:
        str(error).encode()
