"""One annotation file of VOC: XML to objects, and a manifest row to XML."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from augx.formats import Row
from augx.formats.decimals import to_float, to_text
from augx.formats.xml_safe import read
from augx.formats.xml_values import element, mapping, scalar
from augx.model import Box, Flaw, Json, Object, Sample
from augx.objects import tidy

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

MAX_BYTES = 1 << 24
_IMAGE_ORDER = ("folder", "filename", "path", "source", "owner", "size", "segmented")
_BEFORE_BOX = ("pose", "truncated", "difficult", "occluded")
_MIRRORED = {"Left": "Right", "Right": "Left"}
_TURNING = frozenset({"Transpose", "D4", "SquareSymmetry"})  # may mirror or not: the row does not say

# Elements of an object that say where it is, beside its box; they are kept as they are, so only while nothing moves.
_SHAPES = frozenset({"polygon", "point", "robndbox", "segm", "mask", "keypoints"})

_OF_VOC = re.compile(r"(The )?VOC ?20\d\d( Database)?", re.IGNORECASE)


class OtherXml(ValueError):
    """It is XML, but no annotation."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """`filename`: the image it names. `of_voc`: its <source> says that it is from VOC itself."""

    filename: str
    size: tuple[int, int] | None
    objects: tuple[Object, ...]
    extra: Mapping[str, Json]
    of_voc: bool
    flaws: tuple[Flaw, ...]


def parse(data: bytes, name: str) -> Parsed:
    """ValueError where it is no XML that can be read, OtherXml where it is something else.

    A <part> (a head, a hand) is an object of its own after the one it belongs to: `extra` says `part_of` n there, and
    `object` n here, by their number in the file.
    """
    root = read(data, name, MAX_BYTES)
    if root.tag != "annotation":
        raise OtherXml(f"its root is <{root.tag[:80]}>, not <annotation>")
    extra = mapping(root, skip=("object", "size", "filename"))
    if isinstance(depth := scalar(root.findtext("size/depth") or ""), int):
        extra["depth"] = depth
    objects: list[Object] = []
    flaws: dict[str, Flaw] = {}
    for number, whole in enumerate(root.findall("object"), 1):
        parts = list(whole.iter("part"))
        for thing in (whole, *parts):
            try:
                label, box = _named_box(thing)
            except ValueError as error:
                if "bad-object" not in flaws:
                    flaws["bad-object"] = Flaw("bad-object", name, f"object {number} {error}; it is left out")
                if thing is whole:
                    break
                continue
            known = mapping(thing, skip=("name", "bndbox", "part"))
            if shapes := sorted(_SHAPES & known.keys()):
                message = f"object {number} has <{shapes[0]}>, which is kept only where no transform is applied"
                flaws.setdefault("shape-stays", Flaw("shape-stays", name, message))
            if thing is not whole:
                known["part_of"] = number
            elif parts:
                known["object"] = number
            objects.append(Object(label, box, extra=known))
    of_voc = bool(_OF_VOC.fullmatch((root.findtext("source/database") or "").strip()))
    filename = (root.findtext("filename") or "").strip()
    return Parsed(filename, _size(root), tuple(objects), extra, of_voc, tuple(flaws.values()))


def _named_box(thing: Element) -> tuple[str, Box]:
    """ValueError says what is missing. What NaN and the like mean is seen to where the picture is known."""
    label = (thing.findtext("name") or "").strip()
    if not label:
        raise ValueError("has no <name>")
    numbers: list[float] = []
    box = thing.find("bndbox")
    for side in ("xmin", "ymin", "xmax", "ymax"):
        text = (box.findtext(side) or "").strip() if box is not None else ""
        try:
            numbers.append(to_float(text))
        except ValueError:
            raise ValueError(f"({label[:40]}) has no number in <{side}>") from None
    x0, y0, x1, y1 = numbers
    return label, (x0, y0, x1, y1)


def _size(root: Element) -> tuple[int, int] | None:
    width, height = (scalar(root.findtext(f"size/{side}") or "") for side in ("width", "height"))
    return (width, height) if isinstance(width, int) and isinstance(height, int) and min(width, height) > 0 else None


def compose(row: Row, sample: Sample, own: bool, inclusive: bool) -> str:
    """The XML for the image of a manifest row. `own`: the sample was read from VOC. `inclusive`: as VOC itself does,
    pixels are counted from 1 and the last one is included.
    """
    folder, _, name = row["file_name"].rpartition("/")
    image = dict(sample.annotations.extra)
    image.pop("annotated", None)
    depth = image.pop("depth", 3)
    if not own:
        given = {
            "folder": folder.rpartition("/")[2],
            "source": {"database": "Unknown"},
            "segmented": int(bool(row["mask"])),
        }
        image = given | image
    if isinstance(path := image.get("path"), str):  # where the source was; some readers look there
        image["path"] = re.sub(rf"(?:^|(?<=[/\\])){re.escape(sample.id.rpartition('/')[2])}$", lambda _: name, path)
    image |= {"filename": name, "size": {"width": row["width"], "height": row["height"], "depth": depth}}
    ordered = {tag: image[tag] for tag in (*_IMAGE_ORDER, *image) if tag in image}
    written = _Row(row, sample, own, inclusive)
    lines = [
        line
        for thing, parts in _families([thing for thing in row["objects"] if thing["bbox"] is not None])
        for line in _object(
            "object", thing, written, own, [line for p in parts for line in _object("part", p, written, True)]
        )
    ]
    return "\n".join(element("annotation", ordered, 0, lines)) + "\n"


def _families(things: Sequence[Json]) -> Iterator[tuple[Json, list[Json]]]:
    """Each object with its parts; a part that has lost its object stands alone."""
    parts: dict[int, list[Json]] = {}
    for thing in things:
        number = thing.get("extra", {}).get("object")
        if isinstance(number, int) and "part_of" not in thing["extra"]:
            parts[number] = []
    alone: list[Json] = []
    for thing in things:
        number = thing.get("extra", {}).get("part_of")
        kin = parts.get(number, alone) if isinstance(number, int) else alone
        kin.append(thing)
    for thing in alone:
        number = thing.get("extra", {}).get("object")
        yield thing, parts.pop(number, []) if isinstance(number, int) else []


def _object(tag: str, thing: Json, written: _Row, own: bool, parts: Sequence[str] = ()) -> Iterator[str]:
    left_out = {"object", "part_of"} if written.unmoved else {"object", "part_of", *_SHAPES}
    extra = {key: value for key, value in thing.get("extra", {}).items() if key not in left_out}
    if (pose := extra.get("pose")) in ("Left", "Right"):
        extra["pose"] = written.pose(pose)
    if not own:
        extra = {"pose": "Unspecified", "truncated": 0, "difficult": 0} | extra
    ordered = {"name": thing["label"]} | {key: extra[key] for key in _BEFORE_BOX if key in extra}
    ordered["bndbox"] = written.sides(thing["bbox"])
    return element(tag, ordered | extra, 1 if tag == "object" else 2, parts)


class _Row:
    """How the boxes of a row are written, and what they show.

    A box that nobody moved has the numbers it was read with. A moved one is rounded to whole pixels where the sample
    had no others, as some readers of VOC expect, and else to two decimals.
    """

    def __init__(self, row: Row, sample: Sample, own: bool, inclusive: bool) -> None:
        known = sample.annotations
        boxes = [thing.box for thing in known.objects if thing.box is not None and all(map(math.isfinite, thing.box))]
        self.exact = {} if known.relative else {_bbox(box): box for box in boxes}
        self.whole = own and bool(boxes) and all(side == int(side) for box in boxes for side in box)
        self.first = 1 if inclusive else 0
        self.digits = 9 if row["copy"] == 0 else 2
        self.unmoved = row["copy"] == 0 or not row["transforms"]
        self.applied = [one["name"] for one in row["transforms"]]
        self.width, self.height = row["width"], row["height"]

    def pose(self, seen: str) -> str:
        """Which side of an object is seen: a mirror shows the other."""
        if _TURNING.intersection(self.applied):
            return "Unspecified"
        return _MIRRORED[seen] if self.applied.count("HorizontalFlip") % 2 else seen

    def sides(self, bbox: Sequence[float]) -> dict[str, Json]:
        box = self.exact.get(tuple(bbox))
        if box is None:
            x0, y0, x1, y1 = bbox[0], bbox[1], bbox[0] + bbox[2], bbox[1] + bbox[3]
            if self.whole:
                (x0, x1), (y0, y1) = _pixels(x0, x1, self.width), _pixels(y0, y1, self.height)
            box = (round(x0, self.digits), round(y0, self.digits), round(x1, self.digits), round(y1, self.digits))
        x0, y0, x1, y1 = box
        if self.first:
            x0, y0 = round(x0 + self.first, 9), round(y0 + self.first, 9)
        sides = {"xmin": x0, "ymin": y0, "xmax": x1, "ymax": y1}
        return {name: to_text(side) for name, side in sides.items()}


def _bbox(box: Box) -> tuple[float, ...]:
    """As a manifest row has it."""
    return tuple(map(tidy, (box[0], box[1], box[2] - box[0], box[3] - box[1])))


def _pixels(start: float, end: float, length: int) -> tuple[int, int]:
    """The nearest whole pixels: at least one, and inside the picture."""
    first = min(max(math.floor(start + 0.5), 0), length - 1)
    return first, min(max(math.floor(end + 0.5), first + 1), length)
