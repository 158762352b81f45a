"""The images and annotations of one COCO label file, as they are read one by one."""

from __future__ import annotations

import math
from array import array
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from sys import intern
from typing import Any, NamedTuple

from augx.errors import InputError
from augx.formats.coco.file import BARE, FILES, LabelFile, class_name, clean, shown
from augx.formats.json_stream import JsonStream
from augx.model import Box, Flat, Json, Rle
from augx.store import open_regular

_LISTS = ("images", "annotations", "categories")


class Part(NamedTuple):
    """One annotation: an object, or a part of one whose other parts another file tells of."""

    category: Json
    box: Box | None
    rings: tuple[Flat[float], ...]
    rle: Rle | None
    keypoints: Flat[float] | None
    crowd: bool
    segment: int | None  # its number in a panoptic mask
    extra: dict[str, Json]


Tag = tuple[Json, dict[str, Json]]  # a caption, or the category id of a whole image; and what else its annotation says


class Reading:
    """The content of one label file, by image id. What is wrong with it is in `problems`: (image id, code) -> message
    and how many there are; the image id is None where it is not known.
    """

    def __init__(self, file: LabelFile) -> None:
        self.file = file
        self.images: dict[Json, dict[str, Json]] = {}
        self.sizes: dict[Json, tuple[int, int]] = {}
        self.twice: dict[Json, None] = {}  # ids of several images, of which nobody knows which is meant
        self.parts: dict[Json, list[Part]] = {}
        self.captions: dict[Json, list[Tag]] = {}
        self.labels: dict[Json, list[Tag]] = {}
        self.segments: dict[Json, Json] = {}
        self.categories: list[Mapping[str, Json]] = []
        self.classes: dict[Json, str] = {}  # category id -> name
        self.problems: dict[tuple[Json, str], tuple[str, int]] = {}
        self.paths: dict[Json, str] = {}  # of the images that were found
        self.keypoint_counts: dict[Json, set[int]] = {}  # category id -> numbers of keypoints its objects have
        self.panoptic = False
        self.sha256 = ""
        self._ids: set[int] = set()
        self._unsure: set[str] | None = None  # names of several categories

    def problem(self, image: Json, code: str, message: str) -> None:
        first, count = self.problems.get((image, code), (message, 0))
        self.problems[image, code] = first, count + 1

    def annotated(self) -> Iterator[Json]:
        """The ids of images with annotations that nobody took."""
        yield from dict.fromkeys((*self.parts, *self.captions, *self.labels, *self.segments))

    def join(self, one: Json, other: Json) -> None:
        """Gives the annotations of image `other` to image `one`, as they are one file."""
        kinds: tuple[dict[Json, list[Any]], ...] = (self.parts, self.captions, self.labels)
        for found in kinds:
            if other in found:
                found.setdefault(one, []).extend(found.pop(other))

    def label(self, image: Json, category: Json, extra: dict[str, Json]) -> str | None:
        """The class of an annotation, or None. Where its name does not tell the id again, that goes to its `extra`."""
        if category in self.classes:
            name = self.classes[category]
            if self._unsure is None:
                names = Counter(self.classes.values())
                self._unsure = {name for name in names if names[name] > 1}
            if name in self._unsure:
                extra["category_id"] = clean(category)
            return name
        if category is None:
            if self.classes:
                self.problem(image, "no-category", f"annotation {shown(extra.get('id'))}: it has no category_id")
            return None
        if self.categories:
            message = f"annotation {shown(extra.get('id'))}: no category has the id {shown(category)}"
            self.problem(image, "unknown-category", message)
            return None
        self.problem(None, "no-categories", "it has no categories; classes are called by their ids")
        extra["category_id"] = clean(category)
        return str(clean(category))

    def image(self, raw: Json) -> None:
        """Takes one of `images`."""
        key = raw.get("id") if isinstance(raw, dict) else None
        if key is None or not _is_key(key):
            self.problem(None, "bad-image", f"an image without an id: {shown(raw)}")
            return
        name = raw.get("file_name")
        if not isinstance(name, str) or not name.strip():
            self.problem(None, "bad-image", f"image {shown(key)}: it has no file_name")
            return
        size = raw.pop("width", None), raw.pop("height", None)
        record = self._kept(key, raw)
        if key in self.images:
            if self.images[key]["file_name"] != record["file_name"]:
                self.twice[key] = None
            self.problem(key, "duplicate-image-id", f"the image id {shown(key)} stands there twice")
            return
        if all(type(length) is int and length > 0 for length in size):
            self.sizes[key] = size
        self.images[key] = record

    def category(self, raw: Json) -> None:
        """Takes one of `categories`."""
        key = raw.get("id") if isinstance(raw, dict) else None
        if key is None or not _is_key(key):
            self.problem(None, "bad-category", f"a category without an id: {shown(raw)}")
            return
        if key in self.classes:
            self.problem(
                None, "duplicate-category-id", f"the category id {shown(key)} stands there twice; the first counts"
            )
            return
        kept = self._kept(None, raw)
        self.classes[key] = class_name(kept)
        self.categories.append(kept)

    def annotation(self, raw: Json) -> None:
        """Takes one of `annotations`."""
        if not isinstance(raw, dict):
            self.problem(None, "bad-annotation", f"an annotation that is no object: {shown(raw)}")
            return
        image = raw.pop("image_id", None)
        if type(image) is not int and not _is_key(image):
            self.problem(None, "bad-annotation", f"annotation {shown(raw.get('id'))}: it has no image_id")
            return
        if "segments_info" in raw:
            self._panoptic(image, raw)
        elif isinstance(raw.get("caption"), str):
            caption = raw.pop("caption")
            self.captions.setdefault(image, []).append((clean(caption), self._tag(image, raw)))
        else:
            self._object(image, raw, None)

    def _panoptic(self, image: Json, raw: dict[str, Json]) -> None:
        self.panoptic = True
        if image in self.segments:
            self.problem(image, "duplicate-annotation", "the image has its segments already, which count")
            return
        self.segments[image] = raw.get("file_name")
        segments = raw["segments_info"]
        for segment in segments if isinstance(segments, list) else [None]:
            number = segment.pop("id", None) if isinstance(segment, dict) else None
            if isinstance(segment, dict) and type(number) is int and 0 <= number < 1 << 24:
                self._object(image, segment, number)
            else:
                self.problem(image, "bad-annotation", f"a segment without an id from 0 to 2^24 - 1: {shown(segment)}")

    def _object(self, image: Json, raw: dict[str, Json], segment: int | None) -> None:
        """One object; without any shape it is a class of the whole image."""
        category = raw.pop("category_id", None)
        box, shape, points = raw.pop("bbox", None), raw.pop("segmentation", None), raw.pop("keypoints", None)
        crowd = raw.pop("iscrowd", 0) in (1, "1")
        raw.pop("area", None)
        raw.pop("num_keypoints", None)
        key = raw.get("id")
        if type(category) is not int and category is not None and not _is_key(category):
            self.problem(image, "unknown-category", f"annotation {shown(key)}: its category_id is {shown(category)}")
            return
        bare = box is None and shape is None and points is None and segment is None
        if bare and category is not None:
            self.labels.setdefault(image, []).append((category, self._tag(image, raw)))
            return
        corners = rle = keypoints = None
        rings: tuple[Flat[float], ...] = ()
        if box:
            try:
                x, y, width, height = array("d", box)
                corners = x, y, x + width, y + height
            except (TypeError, ValueError, OverflowError):
                self.problem(image, "bad-box", f"annotation {shown(key)}: its bbox is not four numbers: {shown(box)}")
        if shape:
            try:
                if isinstance(shape, dict):
                    rle = _rle(shape)
                else:
                    rings = _rings(shape)
            except (TypeError, ValueError, OverflowError) as error:
                self.problem(image, "bad-segmentation", f"annotation {shown(key)}: segmentation: {str(error)[:200]}")
        if points:
            try:
                keypoints = array("d", points)
                if len(keypoints) % 3:
                    raise ValueError
                self.keypoint_counts.setdefault(category, set()).add(len(keypoints) // 3)
            except (TypeError, ValueError, OverflowError):
                keypoints = None
                message = f"annotation {shown(key)}: its keypoints are not x, y, v for each: {shown(points)}"
                self.problem(image, "bad-keypoints", message)
        if corners is None and not rings and rle is None and keypoints is None and segment is None:
            self.problem(image, "no-shape", f"annotation {shown(key)}: no box, segmentation or keypoints are left")
            return
        part = Part(category, corners, rings, rle, keypoints, crowd, segment, self._tag(image, raw))
        if image in self.parts:
            self.parts[image].append(part)
        else:
            self.parts[image] = [part]

    def _tag(self, image: Json, raw: dict[str, Json]) -> dict[str, Json]:
        """What an annotation says beyond what augx understands; its id only if it is a number that no other has."""
        key = raw.pop("id", None)
        kept: dict[str, Json] = {}
        if raw:
            kept = self._kept(image, raw)
            if kept.pop(FILES, None) is not None:
                self.problem(image, "odd-value", f"{FILES!r}, a name that augx itself needs, is left out")
        if type(key) is not int or abs(key) >= 1 << 53:
            return kept
        if key in self._ids:
            message = f"the annotation id {key} stands there twice; one gets a new id"
            self.problem(image, "duplicate-annotation-id", message)
            return kept
        self._ids.add(key)
        return {"id": key, **kept} if kept else {"id": key}

    def _kept(self, image: Json, raw: dict[str, Json]) -> dict[str, Json]:
        kept = {intern(clean(key)): clean(value) for key, value in raw.items()}
        if kept != raw:
            message = "text that is half a sign, a number that is not finite, or lists nested too deep are left out"
            self.problem(image, "odd-value", message)
        return kept


def read_file(path: str, file: LabelFile) -> Reading:
    """Reads the label file at `path`. InputError where it is no JSON or has no list of images."""
    reading = Reading(file)
    head: dict[str, Json] = {}
    try:
        content = open_regular(path)
    except OSError as error:
        raise InputError(f"{file.path} cannot be read: {error.strerror}", "is it whole, and may you read it?") from None
    with content:
        stream = JsonStream(content, file.path, _LISTS)
        for key, value in stream:
            if key == "annotations":
                reading.annotation(value)
            elif key == "images":
                reading.image(value)
            elif key == "categories":
                reading.category(value)
            else:
                head[clean(key)] = clean(value)
    if "images" not in stream.keys:
        keys = ", ".join(key[:40] for key in list(stream.keys)[:10])
        raise InputError(f"{file.path}: it has no list of images (its keys: {keys})", "COCO has images and annotations")
    if "annotations" not in stream.keys and file.kind != "image_info":
        reading.problem(None, "no-annotations", "it has no list of annotations")
    kind = "panoptic" if reading.panoptic else "" if file.kind in BARE and reading.parts else file.kind
    known = tuple(reading.categories) if "categories" in stream.keys else None
    reading.file = replace(file, kind=kind, head=head, categories=known)
    reading.sha256 = stream.sha256
    return reading


def _is_key(value: Json) -> bool:
    """Whether it can be the id of something: a number or a text, and not an empty one."""
    return math.isfinite(value) if isinstance(value, float) else isinstance(value, (int, str)) and value != ""


def _rings(shape: Json) -> tuple[Flat[float], ...]:
    """Polygons as flat arrays. One polygon that is not in a list is taken for a list of one."""
    if not isinstance(shape, list):
        raise ValueError(f"neither polygons nor run lengths: {shown(shape)}")
    rings = []
    for points in (shape,) if isinstance(shape[0], (int, float)) else shape:
        if len(points) % 2:
            raise ValueError("a polygon with an odd number of coordinates")
        if points:
            rings.append(array("d", points))
    return tuple(rings)


def _rle(shape: dict[str, Json]) -> Rle:
    counts, (height, width) = shape.get("counts"), shape.get("size") or (0, 0)
    if type(height) is not int or type(width) is not int or min(height, width) < 1:
        raise ValueError(f"the size of run lengths is {shown(shape.get('size'))}")
    if isinstance(counts, list) and all(type(count) is int and count >= 0 for count in counts):
        return Rle(width, height, tuple(counts))
    if not isinstance(counts, str) or not counts.isascii():
        raise ValueError(f"run lengths: {shown(counts)}")
    return Rle(width, height, counts)
