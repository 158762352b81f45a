"""LabelMe: one JSON beside each image, as wkentaro's program writes it.

Shapes become objects: a rectangle a box, a polygon a ring, a mask an RLE, points and lines keypoints that are all
visible (with `shape` in `extra`), a circle a ring of 64 points, an oriented rectangle an oriented box. True flags of
the image are its classes. A mask, and an object of several polygons, are written as LabelMe itself reads them: the
polygons as shapes of one group. Images embedded in the JSON are not written again.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from augx.errors import InputError
from augx.formats import RESERVED, Plain, ReadOptions, Row, refuse_weights
from augx.formats.folder import layout
from augx.formats.heads import head, near, tail
from augx.formats.labelme import shapes as labelme_shapes
from augx.formats.walk import Finder, Walk, walk
from augx.model import Annotations, Beside, Dataset, Flaw, Json, Pose, Sample

LISTS = ("labels.txt", "flags.txt")  # what LabelMe is told of classes and flags; kept as they are
MAX_BYTES = 1 << 28  # of one JSON
_COMPUTED = ("version", "flags", "shapes", "imagePath", "imageData", "imageHeight", "imageWidth")
_VERSION = "5.5.0"
_READ = 200_000  # points of a file that a person may read
_NO_CLASSES = {"__ignore__", "_background_"}  # in labels.txt


class Labelme(Plain):
    name = "labelme"
    summary = "LabelMe: one JSON beside each image"
    writes_beside = True
    # Keypoints have a visibility, which LabelMe has no place for: those it holds are its own points and lines.
    holds = frozenset({"class", "classes", "boxes", "polygons", "rle", "obb"})
    fields = None

    def detect(self, root: str) -> str:
        """InputError for LabelMe's older XML."""
        for path in near(root, (".json",)):
            if path not in RESERVED:
                text = head(root, path) + tail(root, path)
                if b'"shapes"' in text and b'"imagePath"' in text:
                    return path
        for path in near(root, (".xml",), each=1):
            text = head(root, path, 4096)
            if b"<annotation" in text and (b"LabelMe Webtool" in text or b"<deleted>" in text):
                raise InputError(
                    f"{root}: {path} is LabelMe's older XML, which augx does not read",
                    "export the dataset as LabelMe JSON, COCO or CVAT",
                )
        return ""

    def read(self, root: str, options: ReadOptions) -> Dataset:
        """`details`: the text of labels.txt and flags.txt, by path."""
        if options.table or options.columns:
            raise InputError("LabelMe files have no table and no columns", "leave --table and --columns out")
        found = walk(root)
        documents = _documents(found, options.labels)
        reading = _Reading(found)
        for path in documents:
            reading.document(path)
        if not reading.annotations and not reading.failed:
            reason = (
                f"; the first: {reading.warnings[-1].message}" if len(reading.warnings) > len(found.warnings) else ""
            )
            raise InputError(f"{root}: no LabelMe JSON among its {len(documents)} .json files{reason}", "see `--from`")
        reading.unlabelled(every=options.labels is None)
        folders = {posixpath.dirname(path) for path in (*reading.annotations, *documents)}
        lists = _lists(found, folders | {posixpath.dirname(folder) for folder in folders}, reading.warnings)
        placements = layout({posixpath.dirname(path) for path in reading.annotations})
        samples = tuple(
            Sample(path, reading.annotations[path], placements[posixpath.dirname(path)][0])
            for path in sorted(reading.annotations)
        )
        ignored = {ending: count for ending, count in found.ignored.items() if ending != ".json"}
        return Dataset(
            root,
            self.name,
            samples,
            _classes(samples, lists),
            (*found.failed, *reading.failed),
            tuple(reading.warnings),
            ignored,
            {"": Pose(swap=tuple(range(reading.points)))} if reading.points else {},
            details=lists,
            digest=_digest(lists),
        )

    def check(self, dataset: Dataset, mixes: bool) -> None:
        if mixes:
            refuse_weights(self.name, dataset)

    def place(self, sample: Sample, dataset: Dataset) -> str:
        """The folder the source lies in, or that of its split."""
        return posixpath.dirname(sample.id) if dataset.format == self.name else sample.split or ""

    def beside(self, sample: Sample, dataset: Dataset, stem: str) -> tuple[Beside, ...]:
        return (Beside(self.name, stem, ".json"),)

    def adopt(self, dataset: Dataset) -> None:
        """Nothing: each file is about one image."""

    def label_file(self, row: Row, sample: Sample, dataset: Dataset, kind: str = "") -> str:
        """As LabelMe indents it. What was not moved has the numbers that were read, all their digits."""
        import json

        own = dataset.format == self.name
        known = sample.annotations.extra if own else {}
        labels = row["labels"]
        flags = {k: (k in labels) if k and isinstance(was, bool) else was for k, was in known.get("flags", {}).items()}
        text = {
            "version": known.get("version", _VERSION),
            "flags": flags | dict.fromkeys(labels, True),
            "shapes": labelme_shapes.write(row, sample.annotations.objects if own else None, known.get("blank", {})),
            "imagePath": posixpath.basename(row["file_name"]),
            "imageData": None,
            "imageHeight": row["height"],
            "imageWidth": row["width"],
            **known.get("other", {}),
        }
        points = sum(len(shape["points"]) for shape in text["shapes"])
        return json.dumps(text, ensure_ascii=False, indent=2 if points < _READ else None)  # which takes ten times less

    def write(self, rows: Iterable[Row], dataset: Dataset) -> Iterator[tuple[str, Iterable[str]]]:
        """labels.txt and flags.txt, where there were such."""
        if dataset.format == self.name:
            for path, text in dataset.details.items():
                yield path, (text,)


@dataclass(slots=True)
class _Reading:
    """A dataset while its documents are read. `points`: the most that a shape of points has."""

    found: Walk
    annotations: dict[str, Annotations] = field(default_factory=dict)
    failed: list[Flaw] = field(default_factory=list)
    warnings: list[Flaw] = field(default_factory=list)
    points: int = 0
    _images: frozenset[str] = frozenset()
    _stems: dict[str, str] = field(default_factory=dict)
    _finders: dict[str, Finder] = field(default_factory=dict)
    _named: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.warnings += self.found.warnings
        self._images = frozenset(self.found.images)
        for path in reversed(self.found.images):
            self._stems[path.rpartition(".")[0]] = path

    def document(self, path: str) -> None:
        """Reads one JSON: annotations of an image, or a flaw."""
        twin = self._stems.get(path[: -len(".json")], "")
        try:
            document = _load(self.found.root, path)
        except ValueError as error:
            self._named.add(twin)
            self.failed.append(Flaw("unreadable-label", twin or path, str(error)))
            return
        if isinstance(document, dict) and "shapes" in document and not isinstance(document["shapes"], list):
            self._named.add(twin)
            self.failed.append(Flaw("unreadable-label", twin or path, f"{path}: its shapes are no list"))
            return
        if not isinstance(document, dict) or "shapes" not in document:
            self.warnings.append(Flaw("not-labelme", path, f"{path} has no list of shapes: it is no LabelMe file"))
            return
        named = document.get("imagePath")
        image, code, message = self._find(path, named if isinstance(named, str) else "", twin)
        if not image:
            if document.get("imageData"):
                message += "; it is only inside the JSON: save it as a file beside it"
            self.failed.append(Flaw(code, path, f"{path}: {message}"))
            return
        self._named.add(image)
        if image in self.annotations:
            self.warnings.append(Flaw("repeated-label", image, f"{path}: another JSON tells of this image, and counts"))
            return
        if code:
            self.warnings.append(Flaw(code, image, f"{path}: {message}"))
        if document.get("imageData"):
            message = f"{path}: the image in it is not written again; `imageData` will be null"
            self.warnings.append(Flaw("image-data", image, message))
        self._read(path, image, document)

    def _find(self, path: str, named: str, twin: str) -> tuple[str, str, str]:
        """As Finder.find: the image named, beside the JSON; or the one called like it; or any that fits the name."""
        folder = posixpath.dirname(path)
        beside = posixpath.normpath(posixpath.join(folder, named.strip().replace("\\", "/")))
        if beside in self._images:
            return beside, "", ""
        if twin:
            return twin, "", ""
        finder = self._finders.get(folder)
        if finder is None:
            finder = self._finders[folder] = Finder(self.found.root, folder, self.found.images)
        return finder.find(named)

    def _read(self, path: str, image: str, document: Mapping[str, Json]) -> None:
        size = _size(document)
        objects, blank, problems = labelme_shapes.read(document["shapes"], size)
        flags = document.get("flags")
        if not isinstance(flags, dict):
            flags = {}
        other = {key: value for key, value in document.items() if key not in _COMPUTED}
        version = {"version": document.get("version")}
        problems += labelme_shapes.drop_unkept("the image's", flags, other, version)
        extra: dict[str, Any] = version if isinstance(version.get("version"), str) else {"version": _VERSION}
        extra |= {"flags": flags} if flags else {}
        extra |= {"blank": blank} if blank else {}
        extra |= {"other": other} if other else {}
        for code in sorted({code for code, _ in problems}):
            messages = [message for which, message in problems if which == code]
            more = f" (and {len(messages) - 1} more)" if len(messages) > 1 else ""
            self.warnings.append(Flaw(code, image, f"{path}: {messages[0]}{more}"))
        labels = {name: 1.0 for name, value in flags.items() if name and value is True}
        self.annotations[image] = Annotations(labels, objects=objects, size=size, extra=extra)
        points = (len(thing.keypoints) // 3 for thing in objects if thing.keypoints is not None)
        self.points = max(self.points, max(points, default=0))

    def unlabelled(self, every: bool) -> None:
        """Images without a JSON: used where other images of their folder have one, else left out (named if `every`)."""
        folders = {posixpath.dirname(path) for path in self.annotations}
        for path in self.found.images:
            if path in self._named:
                continue
            if posixpath.dirname(path) in folders:
                self.annotations[path] = Annotations()
                self.warnings.append(Flaw("no-label", path, "it has no LabelMe JSON"))
            elif every:
                self.warnings.append(Flaw("left-out", path, "no image of its folder has a LabelMe JSON"))


def _documents(found: Walk, chosen: str | None) -> list[str]:
    """The JSON files to read: all, or those that the user named by their folder."""
    every = [path for path in found.documents if path.lower().endswith(".json") and path not in RESERVED]
    if chosen is None:
        return every
    wanted = posixpath.normpath(chosen)
    named = [path for path in every if wanted == "." or path == wanted or path.startswith(wanted + "/")]
    if not named:
        raise InputError(f"{found.root}: there is no .json file in {chosen!r}", "`--labels` is a path under INPUT")
    return named


def _load(root: str, path: str) -> Json:
    """A JSON document; ValueError says what is wrong."""
    import os

    from augx.formats import json_safe
    from augx.store import open_regular

    try:
        with open_regular(os.path.join(root, path)) as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from None
    if len(data) > MAX_BYTES:
        raise ValueError(f"{path} is larger than {MAX_BYTES >> 20} MiB")
    return json_safe.read(data, path)


def _size(document: Mapping[str, Json]) -> tuple[int, int] | None:
    size = (document.get("imageWidth"), document.get("imageHeight"))
    if all(isinstance(side, (int, float)) and 0 < side < 1e6 and side == int(side) for side in size):
        return int(size[0]), int(size[1])  # type: ignore[arg-type]
    return None


def _lists(found: Walk, folders: set[str], warnings: list[Flaw]) -> dict[str, str]:
    """The text of labels.txt and flags.txt in these folders, by path."""
    texts: dict[str, str] = {}
    for path in found.documents:
        folder, _, name = path.rpartition("/")
        if name in LISTS and folder in folders:
            data = head(found.root, path, 1 << 20)
            try:
                texts[path] = data.decode("utf-8-sig")
            except UnicodeDecodeError:
                warnings.append(Flaw("unreadable-list", path, f"{path} is no UTF-8, and is not written again"))
    return texts


def _classes(samples: Sequence[Sample], lists: Mapping[str, str]) -> tuple[str, ...]:
    """Those of labels.txt and flags.txt in their order, then any others, sorted."""
    lines = (line.strip() for text in lists.values() for line in text.splitlines())
    listed = dict.fromkeys(line for line in lines if line and line not in _NO_CLASSES)
    found = {thing.label for sample in samples for thing in sample.annotations.objects if thing.label is not None}
    found.update(name for sample in samples for name in sample.annotations.labels)
    return (*listed, *sorted(found - listed.keys()))


def _digest(lists: Mapping[str, str]) -> str:
    import hashlib

    return " ".join(f"{path}:{hashlib.sha256(text.encode()).hexdigest()}" for path, text in lists.items())
