"""CreateML: a JSON list of images with the boxes of each, in pixels, by their centres."""

from __future__ import annotations

import json
import os
import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from augx.errors import InputError
from augx.formats import RESERVED, Plain, ReadOptions, Row
from augx.formats.flaws import Flaws
from augx.formats.folder import layout
from augx.formats.heads import head, near
from augx.formats.json_safe import read as read_json
from augx.formats.json_safe import why_not_kept
from augx.formats.pairs import check_splits, left_over
from augx.formats.split_names import split_of
from augx.formats.walk import Finder, Walk, walk
from augx.model import Annotations, Dataset, Flaw, Json, Object, Sample
from augx.objects import tidy
from augx.store import open_regular, sha256_file

FILE = "_annotations.createml.json"
MAX_BYTES = 1 << 29

_IMAGE = ("image", "imagefilename", "filename")  # what the keys are called, the usual name first
_BOXES = ("annotations", "annotation")
_NUMBERS = ("x", "y", "width", "height")
_KEYS = _IMAGE[0], _BOXES[0]
_HEAD = re.compile(rb'(?:\xef\xbb\xbf)?\s*\[\s*\{[^{}\[\]]*"(?:image|imagefilename|filename|annotations?)"\s*:')


@dataclass(frozen=True, slots=True)
class File:
    """One label file. `image`, `boxes`: what it calls the keys of an image's name and of its list.

    `before`: the folder that names count from, with its slash. `members`: ids of its samples.
    """

    path: str
    image: str
    boxes: str
    before: str
    members: frozenset[str]


class Createml(Plain):
    name = "createml"
    summary = "CreateML: one JSON of boxes"
    holds = frozenset({"boxes"})
    fields = None

    def detect(self, root: str) -> str:
        found = [path for path in near(root, (".json",), 1, 20) if path not in RESERVED and _fits(root, path)]
        return f"{found[0]}{f' and {len(found) - 1} more' if found[1:] else ''}" if found else ""

    def read(self, root: str, options: ReadOptions) -> Dataset:
        """`details`: the label files. An image that no file names is left out, with a warning."""
        if options.table or options.columns:
            raise InputError("CreateML has no table and no columns", "`--labels` names a JSON file or a folder of them")
        found = walk(root)
        paths = _chosen(found, options.labels)
        samples: dict[str, Sample] = {}
        failed, warnings = Flaws(found.failed), Flaws(found.warnings)
        files: list[File] = []
        for path in paths:
            reading = _Reading(root, path, found.images)
            for sample_id, known in reading.samples.items():
                if sample_id in samples:
                    listed = ", ".join(paths)
                    message = f"{root}: {sample_id} is in several label files of {listed}"
                    raise InputError(message, f"choose one: `--labels {path}`")
                samples[sample_id] = Sample(sample_id, known, split_of(path))
            files.append(reading.file())
            failed.extend(reading.failed)
            warnings.extend(reading.warnings)
        if not samples:
            first = next((f": {flaw.message}" for flaw in failed), "")
            raise InputError(f"{root}: no image of {', '.join(paths)} can be used{first}", "is the dataset complete?")
        placements = layout({posixpath.dirname(path) for path in samples})
        ordered = [samples[path] for path in sorted(samples)]
        if len(paths) == 1 and ordered[0].split is None:
            ordered = [Sample(s.id, s.annotations, placements[posixpath.dirname(s.id)][0]) for s in ordered]
        unnamed = (path for path in found.images if path not in samples)
        warnings.extend(Flaw("no-row", path, "no label file names it") for path in unnamed)
        return Dataset(
            root,
            self.name,
            tuple(ordered),
            tuple(sorted({thing.label or "" for s in ordered for thing in s.annotations.objects})),
            tuple(failed),
            tuple(warnings),
            left_over(found.ignored, paths),
            details=tuple(files),
            digest=" ".join(f"{path}:{sha256_file(os.path.join(root, path))}" for path in paths),
        )

    def check(self, dataset: Dataset, mixes: bool) -> None:
        if dataset.format == self.name:
            return
        nameless = [s.id for s in dataset.samples if any(thing.label is None for thing in s.annotations.objects)]
        if nameless:
            message = f"images with objects of no class: {len(nameless)}; the first is {nameless[0]}"
            raise InputError(message, "each box of CreateML has a label")
        check_splits(dataset)

    def place(self, sample: Sample, dataset: Dataset) -> str:
        """The folder the source lies in; that of its split for a dataset of another format."""
        return posixpath.dirname(sample.id) if dataset.format == self.name else sample.split or ""

    def write(self, rows: Iterable[Row], dataset: Dataset) -> Iterator[tuple[str, Iterable[str]]]:
        """The label files that were read; one for each split for a dataset of another format."""
        own = dataset.format == self.name
        extra = {sample.id: sample.annotations.extra for sample in dataset.samples} if own else {}
        files: Sequence[File] = dataset.details if own else _new_files(dataset)
        for file in files:
            yield file.path, _lines(rows, file, extra)


def _fits(root: str, path: str) -> bool:
    data = head(root, path)
    return bool(_HEAD.match(data)) and (b'"coordinates"' in data or path.endswith(FILE))


def _chosen(found: Walk, wanted: str | None) -> list[str]:
    """The label files to read."""
    every = [path for path in found.documents if path.lower().endswith(".json") and path not in RESERVED]
    if wanted is not None:
        name = posixpath.normpath(wanted.replace("\\", "/"))
        paths = [path for path in every if path == name or path.startswith(f"{name}/") or name == "."]
        if name not in paths:
            paths = [path for path in paths if _fits(found.root, path)]
        if not paths:
            raise InputError(f"{found.root}: {wanted!r} holds no CreateML labels", "name a JSON file, or its folder")
        return paths
    paths = [path for path in every if path.count("/") < 2 and _fits(found.root, path)]
    if not paths:
        hint = "a list of {image, annotations: [{label, coordinates}]}, such as " + FILE
        raise InputError(f"{found.root}: no CreateML labels at the top or one folder down", hint)
    return paths


class _Reading:
    """One label file as it is read. `samples`: image -> what the file says of it."""

    def __init__(self, root: str, path: str, images: Sequence[str]) -> None:
        self.path = path
        self.finder = Finder(root, posixpath.dirname(path), images)
        self.samples: dict[str, Annotations] = {}
        self.names: dict[str, str] = {}
        self.failed, self.warnings = Flaws(), Flaws()
        self.image, self.boxes = _KEYS
        try:
            with open_regular(os.path.join(root, path)) as file:
                data = file.read(MAX_BYTES + 1)
            if len(data) > MAX_BYTES:
                raise ValueError(f"{path}: it is larger than {MAX_BYTES >> 20} MB")
            entries = read_json(data, path)
        except OSError as error:
            raise InputError(f"{path} cannot be read: {error.strerror}", "is it whole, and may you read it?") from None
        except ValueError as error:
            raise InputError(str(error), "mend the file, or name another with `--labels`") from None
        if not isinstance(entries, list):
            raise InputError(f"{path} is no list of images", "CreateML's is [{image, annotations}, ...]")
        for number, entry in enumerate(entries, 1):
            self._entry(f"{path}: image {number}", entry)

    def file(self) -> File:
        """`before`: so much of the path as the file leaves out of all names."""
        starts = {i[: -len(name)] if i.endswith(name) else None for i, name in self.names.items()}
        before = starts.pop() if len(starts) == 1 else None
        folder = posixpath.dirname(self.path)
        return File(
            self.path,
            self.image,
            self.boxes,
            before if before is not None else folder and f"{folder}/",
            frozenset(self.names),
        )

    def _entry(self, where: str, entry: Json) -> None:
        keys = entry if isinstance(entry, dict) else {}
        image = next((key for key in _IMAGE if isinstance(keys.get(key), str)), None)
        if image is None or why_not_kept(keys[image]):
            self.failed.add(self.path, "unreadable-row", self.path, f"{where}: it names no image")
            return
        self.image = image
        self.boxes = next((key for key in _BOXES if key in keys), self.boxes)
        name = keys[image]
        path, code, message = self.finder.find(name)
        if code:
            (self.warnings if path else self.failed).add(self.path, code, path or name[:1000], f"{where}: {message}")
        if not path:
            return
        where = f"{where} ({name[:100]})"
        boxes = keys.get(self.boxes) or []
        if not isinstance(boxes, list):
            self.warnings.add(self.path, "bad-annotation", path, f"{where}: {self.boxes} is no list")
            boxes = []
        things = [thing for box in boxes if (thing := self._box(path, where, box))]
        extra = self._extra(path, where, {key: keys[key] for key in keys if key not in (image, self.boxes)})
        if path in self.samples:
            message = f"{where}: the image is there already; boxes are joined"
            self.warnings.add(self.path, "repeated-row", path, message)
            known = self.samples[path]
            things, extra = [*known.objects, *things], {**extra, **known.extra}
        self.samples[path] = Annotations(objects=tuple(things), extra=extra)
        self.names.setdefault(path, name)

    def _box(self, path: str, where: str, box: Json) -> Object | None:
        keys: dict[str, Json] = box if isinstance(box, dict) else {}
        at: dict[str, Json] = keys["coordinates"] if isinstance(keys.get("coordinates"), dict) else {}
        numbers = [number for key in _NUMBERS if (number := _number(at.get(key))) is not None]
        label = keys.get("label")
        label = str(label) if type(label) in (int, float) else label
        why = ""
        if len(numbers) != len(_NUMBERS):
            why = "its coordinates are no x, y, width, height"
        elif not isinstance(label, str) or not label or why_not_kept(label):
            why = "it has no label"
        if why:
            self.warnings.add(self.path, "bad-annotation", path, f"{where}: a box is left out: {why}")
            return None
        x, y, width, height = numbers
        extra = {key: value for key, value in keys.items() if key not in ("label", "coordinates")}
        more = {key: value for key, value in at.items() if key not in _NUMBERS}
        if more:
            extra["coordinates"] = more
        corners = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
        return Object(label, corners, extra=self._extra(path, where, extra))

    def _extra(self, path: str, where: str, extra: dict[str, Json]) -> dict[str, Json]:
        if why := why_not_kept(extra):
            self.warnings.add(self.path, "field-left-out", path, f"{where}: other fields are left out: {why}")
            return {}
        return extra


def _number(value: Json) -> float | None:
    try:
        return float(value) if type(value) in (int, float) else None
    except OverflowError:  # an integer of hundreds of digits
        return None


def _new_files(dataset: Dataset) -> list[File]:
    members: dict[str, set[str]] = {}
    for sample in dataset.samples:
        members.setdefault(f"{sample.split}/{FILE}" if sample.split else FILE, set()).add(sample.id)
    return [File(path, *_KEYS, path[: -len(FILE)], frozenset(own)) for path, own in sorted(members.items())]


def _lines(rows: Iterable[Row], file: File, extra: Mapping[str, Mapping[str, Json]]) -> Iterator[str]:
    """`extra`: sample id -> other keys of the image."""
    folder = posixpath.dirname(file.path) or "."
    separator = "\n"
    yield "["
    for row in rows:
        if row["source"] in file.members:
            path = row["file_name"]
            name = path[len(file.before) :] if path.startswith(file.before) else posixpath.relpath(path, folder)
            entry = {file.image: name, file.boxes: list(map(_annotation, row["objects"]))}
            yield separator + json.dumps({**entry, **extra.get(row["source"], {})}, ensure_ascii=False)
            separator = ",\n"
    yield "\n]\n"


def _annotation(thing: Mapping[str, Json]) -> Json:
    x, y, width, height = thing["bbox"]
    extra = dict(thing.get("extra", {}))
    more = extra.pop("coordinates", None)
    at: dict[str, Json] = {"x": tidy(x + width / 2), "y": tidy(y + height / 2), "width": width, "height": height}
    if isinstance(more, dict):
        at |= {key: value for key, value in more.items() if key not in at}
    extra.pop("label", None)
    return {"label": thing["label"], "coordinates": at, **extra}
