"""COCO label files written from manifest rows, as they come: rows are gone through, never held."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from augx.formats import Row
from augx.formats.coco.file import BARE, FILES, POSES, LabelFile, class_name
from augx.formats.coco.read import Details, usual_kinds
from augx.model import Dataset, Json, Sample
from augx.objects import tidy

_COMPUTED = frozenset(
    {"id", "image_id", "category_id", "bbox", "area", "segmentation", "iscrowd", "keypoints", "num_keypoints", FILES}
)
_UNLABELLED = "object"  # what others call the class of objects that have none


def write(rows: Iterable[Row], dataset: Dataset) -> Iterator[tuple[str, Iterable[str]]]:
    """As `augx.formats.Format.write`."""
    writer = _Writer(rows, dataset)
    for file in writer.files:
        yield _written_path(file), writer.pieces(file)


def _written_path(file: LabelFile) -> str:
    """Where a label file was read; panoptic segments are written as instances."""
    folder, slash, name = file.path.rpartition("/")
    return folder + slash + ("instances" + name[len("panoptic") :] if name.startswith("panoptic") else name)


def new_files(dataset: Dataset) -> tuple[LabelFile, ...]:
    """The label files of a dataset that was not read from COCO: instances, captions where there are any, by split."""
    found: dict[tuple[str, str | None], None] = {}
    for sample in dataset.samples:
        if sample.annotations.captions:
            found["captions", sample.split] = None
        if sample.annotations.objects or not sample.annotations.captions:
            found["instances", sample.split] = None
    categories = []
    for number, name in enumerate(dataset.classes, 1):
        category: dict[str, Json] = {"id": number, "name": name, "supercategory": ""}
        if pose := dataset.poses.get(name) or dataset.poses.get(""):
            category["keypoints"] = list(pose.names)
            category["skeleton"] = [[one + 1, other + 1] for one, other in pose.skeleton]
        categories.append(category)
    return tuple(
        LabelFile(
            f"annotations/{kind}_{split}.json" if split else f"annotations/{kind}.json",
            kind,
            split,
            categories=tuple(categories) if kind == "instances" else None,
        )
        for kind, split in sorted(found, key=lambda one: (one[0], one[1] or ""))
    )


def folder_of(split: str | None) -> str:
    """Where the images of a split go that was not read from COCO."""
    return f"images/{split}" if split else "images"


@dataclass(frozen=True, slots=True)
class _Numbered:
    """A manifest row with the ids of its image and annotations, the same in all files."""

    row: Row
    sample: Sample
    image: int
    objects: Sequence[int]
    captions: Sequence[int]
    labels: Sequence[int]


class _Writer:
    def __init__(self, rows: Iterable[Row], dataset: Dataset) -> None:
        self.known = isinstance(dataset.details, Details)
        self.files = dataset.details.files if isinstance(dataset.details, Details) else new_files(dataset)
        self._rows = rows
        self._samples = {sample.id: sample for sample in dataset.samples}

    def pieces(self, file: LabelFile) -> Iterator[str]:
        """The text of one label file, images and annotations a line each."""
        yield "{\n"
        for key, value in {"info": {}, "licenses": [], **file.head}.items():
            yield f"{_dumps(key)}: {_dumps(value)},\n"
        yield '"images": ['
        yield from _lines([self._image(file, one)] for one in self._numbered(file))
        yield '],\n"annotations": ['
        categories = _Categories(file.categories or ())
        yield from _lines(self._annotations(file, one, categories) for one in self._numbered(file))
        yield "]"
        if categories.all or file.categories is not None:
            yield ',\n"categories": ['
            yield from _lines([category] for category in categories.all)
            yield "]"
        yield "\n}\n"

    def _files(self, sample: Sample) -> list[LabelFile]:
        """The label files that list an image."""
        if self.known:
            return [file for file in self.files if file.path in sample.annotations.extra["images"]]
        return [file for file in self.files if file.split == sample.split]

    def _numbered(self, file: LabelFile) -> Iterator[_Numbered]:
        """The rows that belong into `file`. Originals keep ids that are unique numbers; new ones are above them."""
        free_image, free_annotation = self._first_free
        for row in self._rows:
            sample = self._samples[row["source"]]
            extra = sample.annotations.extra if self.known and not row["copy"] else {}
            places = extra.get("images", {})
            image = 0
            if not places or not all(_usable(place) for place in places.values()):
                image, free_image = free_image, free_image + 1
            things = [thing.get("extra", {}) if extra else {} for thing in row["objects"]]
            captions = _padded(extra.get("captions", ()), len(row["captions"]))
            labels = [extra.get("labels", {}).get(label, {}) for label in row["labels"]]
            ids: list[list[int]] = []
            for tags in (things, captions, labels):
                ids.append([])
                for tag in tags:
                    ids[-1].append(tag["id"] if _usable(tag) else free_annotation)
                    free_annotation += not _usable(tag)
            if any(file is other for other in self._files(sample)):
                yield _Numbered(row, sample, image or places[file.path]["id"], *ids)

    @cached_property
    def _first_free(self) -> tuple[int, int]:
        """The ids above those of all images and of all annotations that were read."""
        image = annotation = 0
        for sample in self._samples.values() if self.known else ():
            extra = sample.annotations.extra
            image = max(image, *(place["id"] for place in extra["images"].values() if _usable(place)), 0)
            for thing in sample.annotations.objects:
                if _usable(thing.extra):
                    annotation = max(annotation, thing.extra["id"])
            for tag in (*extra.get("captions", ()), *extra.get("labels", {}).values()):
                if _usable(tag):
                    annotation = max(annotation, tag["id"])
        return image + 1, annotation + 1

    def _image(self, file: LabelFile, one: _Numbered) -> Json:
        row = one.row
        place = one.sample.annotations.extra["images"][file.path] if self.known else {}
        name = row["file_name"]
        if not self.known:
            name = name.removeprefix(folder_of(row["split"]) + "/")
        elif posixpath.dirname(name) == posixpath.dirname(row["source"]):  # names count from where they did
            before = posixpath.normpath(place["file_name"].strip().replace("\\", "/"))
            name = posixpath.join(posixpath.dirname(before), posixpath.basename(name))
        own = {"id": one.image, "file_name": name, "width": row["width"], "height": row["height"]}
        return own | {key: value for key, value in place.items() if key not in own}

    def _annotations(self, file: LabelFile, one: _Numbered, categories: _Categories) -> Iterator[Json]:
        """The annotations of one image that belong into `file`."""
        files = self._files(one.sample)
        kinds = [other.kind for other in files if other.kind not in BARE]
        for thing, number in zip(one.row["objects"], one.objects, strict=True):
            extra = thing.get("extra", {})
            if not self.known:
                extra = {key: value for key, value in extra.items() if key not in _COMPUTED}
            posed = "keypoints" in thing
            within = extra.get(FILES) or (kinds if len(kinds) == 1 else usual_kinds(kinds, posed))
            if file.kind not in within:
                continue
            label = thing["label"] if self.known else thing["label"] or _UNLABELLED
            category = categories.of(label, extra)
            points = posed and (file.kind in POSES or not set(POSES) & set(within))
            yield _annotation(thing, {"id": number, "image_id": one.image, **category}, points)
        known = one.sample.annotations.extra if self.known else {}
        if self.known and file is _home(files, "labels"):
            for label, number in zip(one.row["labels"], one.labels, strict=True):
                rest = known.get("labels", {}).get(label, {})
                yield {**rest, "id": number, "image_id": one.image, **categories.of(label, rest)}
        if file is _home(files, "captions"):
            tags = _padded(known.get("captions", ()), len(one.captions))
            for caption, number, rest in zip(one.row["captions"], one.captions, tags, strict=True):
                yield {**rest, "id": number, "image_id": one.image, "caption": caption}


class _Categories:
    """The categories of one file: class -> category id. A class that is not among them is added."""

    def __init__(self, given: Iterable[Mapping[str, Json]]) -> None:
        self.all = [dict(category) for category in given]
        self._ids: dict[str, Json] = {}
        for category in self.all:
            self._ids.setdefault(class_name(category), category["id"])

    def of(self, label: str | None, extra: Mapping[str, Json]) -> dict[str, Json]:
        """`{"category_id": ...}`, {} for what has no class. `extra` tells where the name of the class does not."""
        if label is None or "category_id" in extra:
            return {"category_id": extra["category_id"]} if "category_id" in extra else {}
        if label not in self._ids:
            taken = (number for number in self._ids.values() if isinstance(number, int))
            self._ids[label] = max(taken, default=0) + 1
            self.all.append({"id": self._ids[label], "name": label, "supercategory": ""})
        return {"category_id": self._ids[label]}


def _annotation(thing: Json, ids: dict[str, Json], points: bool) -> Json:
    entry = dict(ids)
    box, area = thing["bbox"], thing.get("area")
    if box is not None:
        entry["bbox"] = box
        area = tidy(box[2] * box[3]) if area is None else area
    if area is not None:
        entry["area"] = area
    entry["segmentation"] = thing.get("segmentation", [])
    entry["iscrowd"] = int(thing.get("iscrowd", 0))
    if points:
        entry["keypoints"] = thing["keypoints"]
        entry["num_keypoints"] = sum(seen > 0 for seen in thing["keypoints"][2::3])
    return entry | _others(thing.get("extra", {}))


def _others(extra: Mapping[str, Json]) -> dict[str, Json]:
    return {key: value for key, value in extra.items() if key not in _COMPUTED}


def _usable(tag: Mapping[str, Json]) -> bool:
    """Whether the id in it can be kept."""
    return type(tag.get("id")) is int and abs(tag["id"]) < 1 << 53


def _padded(tags: Sequence[dict[str, Json]], length: int) -> list[dict[str, Json]]:
    return [tags[place] if place < len(tags) else {} for place in range(length)]


def _home(files: Sequence[LabelFile], kind: str) -> LabelFile | None:
    """Where the captions or labels of whole images are: in the file of that kind, else in that of objects."""
    order = [*(file for file in files if file.kind == kind), *(file for file in files if file.kind not in BARE), *files]
    return order[0] if order else None


def _lines(entries: Iterable[Iterable[Json]]) -> Iterator[str]:
    """Elements of a list, a line each."""
    separator = "\n"
    for some in entries:
        for entry in some:
            yield separator + _dumps(entry)
            separator = ",\n"
    if separator != "\n":
        yield "\n"


def _dumps(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False)
