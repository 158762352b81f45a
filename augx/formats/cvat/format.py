"""CVAT for images 1.1: one annotations.xml with all images of a task or project.

Boxes, turned boxes (oriented boxes), polygons, masks, skeletons (keypoints) and tags (classes of the image) are what
they are elsewhere. Points, polylines and cuboids are keypoints that are all visible, ellipses rings of 64 points, with
`shape` in `extra`. An object that CVAT has no one shape for is written as several of one group.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from augx.errors import InputError
from augx.formats import Plain, ReadOptions, Row, patches, refuse_weights, xml_safe
from augx.formats.cvat import shapes as cvat_shapes
from augx.formats.cvat import write as cvat_write
from augx.formats.flaws import Flaws
from augx.formats.folder import SPLITS, canonical_split, layout
from augx.formats.heads import head, near
from augx.formats.poses import swap_of
from augx.formats.walk import Finder, Walk, walk
from augx.model import Annotations, Dataset, Flaw, Json, Pose, Sample

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_DEFAULT = "default"  # CVAT's name for no subset
_VIDEO = "export it as `CVAT for images 1.1`, or as COCO"


class Cvat(Plain):
    name = "cvat"
    summary = "CVAT for images: one annotations.xml"
    holds = frozenset({"class", "classes", "boxes", "polygons", "rle", "keypoints", "obb"})
    fields = None

    def detect(self, root: str) -> str:
        """InputError for CVAT for video."""
        found = [path for path in near(root, (".xml",)) if _is_cvat(head(root, path))]
        videos = [path for path in found if _is_video(head(root, path))]
        if videos and len(videos) == len(found):
            raise InputError(f"{root}: {videos[0]} is CVAT for video, which augx does not read", _VIDEO)
        return "; ".join(path for path in found if path not in videos)

    def read(self, root: str, options: ReadOptions) -> Dataset:
        """`details`: (path, its meta element as text) of each XML file."""
        if options.table or options.columns:
            raise InputError("CVAT files have no table and no columns", "leave --table and --columns out")
        found = walk(root)
        paths = _choose(found, options.labels)
        documents = {path: _parse(root, path) for path in paths}
        points = cvat_shapes.skeletons(documents.values())
        reading = _Reading(found, points, several=len(paths) > 1)
        for path, document in documents.items():
            reading.document(path, document)
        if not reading.samples:
            reason = next((flaw.message for flaw in reading.failed), "there is no <image> in it")
            raise InputError(f"{root}: no image of {', '.join(paths)} can be read: {reason}", "are the images there?")
        samples = _with_splits(reading.samples, documents)
        for path in found.images:
            if path not in reading.samples:
                reading.warnings.extend([Flaw("not-listed", path, f"{', '.join(paths)} does not tell of it")])
        ignored = dict(found.ignored)
        ignored[".xml"] -= len(paths)
        return Dataset(
            root,
            self.name,
            samples,
            _classes(samples, documents.values()),
            (*found.failed, *reading.failed),
            tuple(reading.warnings),
            {ending: count for ending, count in ignored.items() if count},
            _poses(samples, points),
            details=tuple((path, cvat_write.meta_text(document)) for path, document in documents.items()),
            digest=_digest(root, paths),
        )

    def check(self, dataset: Dataset, mixes: bool) -> None:
        if mixes:
            refuse_weights(self.name, dataset)
        unfit = [name for name in dataset.classes if not xml_safe.fits(name)]
        if unfit:
            raise InputError(f"classes with control characters, which XML cannot hold: {len(unfit)}; {unfit[0]!r}")

    def place(self, sample: Sample, dataset: Dataset) -> str:
        """The folder the source lies in, or `images`, where CVAT has a folder for each subset."""
        if dataset.format == self.name:
            return posixpath.dirname(sample.id)
        return f"images/{sample.split}" if sample.split else "images"

    def write(self, rows: Iterable[Row], dataset: Dataset) -> Iterator[tuple[str, Iterable[str]]]:
        """The XML files that were read, or annotations.xml."""
        if dataset.format != self.name:
            yield "annotations.xml", cvat_write.document(rows, dataset, cvat_write.new_meta(dataset))
            return
        for path, meta in dataset.details:
            yield path, cvat_write.document(rows, dataset, meta, path if len(dataset.details) > 1 else None)


@dataclass(slots=True)
class _Reading:
    """A dataset while its documents are read. `points`: label -> the names of a skeleton's points."""

    found: Walk
    points: Mapping[str, Sequence[str]]
    several: bool
    samples: dict[str, Sample] = field(default_factory=dict)
    failed: Flaws = field(default_factory=Flaws)
    warnings: Flaws = field(default_factory=Flaws)
    _images: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        self.warnings.extend(self.found.warnings)
        self._images = frozenset(self.found.images)

    def document(self, path: str, document: Element) -> None:
        folder = posixpath.dirname(path)
        finder = Finder(self.found.root, folder, self.found.images)
        for number, element in enumerate(document.findall("image"), 1):
            name, subset = element.get("name", ""), element.get("subset", "")
            image, code, message = self._find(folder, subset, name, finder)
            where = f"{path}: image {element.get('id', number)}"
            if not image:
                source = name.strip().replace("\\", "/")[:1000] or path
                self.failed.add(path, code, source, f"{where}: {message}")
                continue
            if image in self.samples:
                self.warnings.add(path, "repeated-image", image, f"{where}: the image came before, which counts")
                continue
            if code:
                self.warnings.add(path, code, image, f"{where}: {message}")
            annotations, problems = self._annotations(element)
            if self.several:
                annotations = replace(annotations, extra={**annotations.extra, "xml": path})
            for code, messages in problems.items():
                more = f" (and {len(messages) - 1} more)" if len(messages) > 1 else ""
                self.warnings.add(path, code, image, f"{where}: {messages[0]}{more}")
            split = canonical_split(subset) if subset and subset.lower() != _DEFAULT else None
            self.samples[image] = Sample(image, annotations, split)

    def _find(self, folder: str, subset: str, name: str, finder: Finder) -> tuple[str, str, str]:
        """As Finder.find; CVAT exports an image as images/NAME, or images/SUBSET/NAME in a project."""
        plain = name.strip().replace("\\", "/")
        if not plain or not finder.has(name):
            return finder.find(name)
        for place in dict.fromkeys((f"images/{subset}", "images", subset, "")):
            path = posixpath.normpath(posixpath.join(folder, place, plain))
            if path in self._images:
                return path, "", ""
        return finder.find(name)

    def _annotations(self, element: Element) -> tuple[Annotations, dict[str, list[str]]]:
        """What is known of one image, and what was left out, by code."""
        problems: dict[str, list[str]] = {}
        size = _size(element)
        attributes = {key: value for key, value in element.attrib.items() if key not in ("width", "height")}
        extra: dict[str, Json] = {"image": attributes}
        tags: dict[str, Json] = {}
        objects = []
        room = patches.ROOM
        for number, child in enumerate(element, 1):
            if child.tag == "tag" and child.get("label"):
                tags[child.get("label", "")] = cvat_shapes.fields(child)
                continue
            try:
                if child.tag == "mask" and (room := room - cvat_shapes.covers(child)) < 0:
                    raise ValueError("the masks of its image cover too many pixels together")
                objects.append(cvat_shapes.read(child, self.points, size))
            except (ValueError, OverflowError) as error:
                message = f"<{child.tag}> {number} is left out: {error}"
                problems.setdefault("unreadable-shape", []).append(message)
        if any(tags.values()):
            extra["tags"] = tags
        labels = dict.fromkeys(tags, 1.0)
        return Annotations(labels, objects=cvat_shapes.together(objects), size=size, extra=extra), problems


def _is_cvat(text: bytes) -> bool:
    return b"<annotations" in text and (b"<meta" in text or b"<image " in text)


def _is_video(text: bytes) -> bool:
    return b"<track " in text and b"<image " not in text


def _split_of(path: str) -> str:
    """The split that an XML file is called after, by its own name or its folder's."""
    folder, _, name = path.rpartition("/")
    for word in (name.rpartition(".")[0], folder.rpartition("/")[2]):
        if word.lower() in SPLITS:
            return SPLITS[word.lower()]
    return ""


def _choose(found: Walk, chosen: str | None) -> list[str]:
    """The XML files to read: the only one, one for each split, or what the user named."""
    paths = [path for path in found.documents if path.lower().endswith(".xml")]
    if chosen is not None:
        wanted = posixpath.normpath(chosen)
        paths = [path for path in paths if wanted == "." or path == wanted or path.startswith(wanted + "/")]
    fitting = [path for path in paths if _is_cvat(head(found.root, path, 4096))]
    if not fitting:
        where = f" in {chosen!r}" if chosen is not None else ""
        raise InputError(f"{found.root}: there is no XML file of CVAT{where}", "see `--from`")
    splits = {_split_of(path) for path in fitting}
    if len(fitting) > 1 and ("" in splits or len(splits) < len(fitting)):
        listed = "\n".join(f"  --labels {path}" for path in fitting[:10])
        raise InputError(f"{found.root}: {len(fitting)} files of CVAT fit\n{listed}", "choose one with `--labels PATH`")
    return fitting


def _parse(root: str, path: str) -> Element:
    import os

    from augx.store import open_regular

    try:
        with open_regular(os.path.join(root, path)) as file:
            document = xml_safe.read(file.read(xml_safe.MAX_BYTES + 1), path)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}", "is it whole, and may you read it?") from None
    except ValueError as error:
        raise InputError(str(error), "export the annotations again") from None
    if document.tag != "annotations":
        raise InputError(f"{path}: its root is <{document.tag[:40]}>, not <annotations>", "see `--from`")
    if document.find("track") is not None and document.find("image") is None:
        raise InputError(f"{path} is CVAT for video, which augx does not read", _VIDEO)
    return document


def _size(element: Element) -> tuple[int, int] | None:
    try:
        width, height = int(element.get("width", "")), int(element.get("height", ""))
    except ValueError:
        return None
    return (width, height) if width > 0 and height > 0 else None


def _with_splits(samples: Mapping[str, Sample], documents: Iterable[str]) -> tuple[Sample, ...]:
    """Sorted; where no image has a subset, the XML files' names tell the split, or else the folders."""
    ordered = [samples[path] for path in sorted(samples)]
    if any(sample.split for sample in ordered):
        return tuple(ordered)
    only = next(iter(documents))
    named = {s.id: _split_of(s.annotations.extra.get("xml", only)) for s in ordered}
    placements = layout({posixpath.dirname(path) for path in samples})
    return tuple(replace(s, split=named[s.id] or placements[posixpath.dirname(s.id)][0]) for s in ordered)


def _classes(samples: Iterable[Sample], documents: Iterable[Element]) -> tuple[str, ...]:
    """In the order of the meta's labels, less the points of skeletons; then any others, sorted."""
    listed: dict[str, None] = {}
    for document in documents:
        for label in document.iterfind("meta//labels/label"):
            if label.findtext("name") and not label.findtext("parent"):
                listed[label.findtext("name", "")] = None
    found = {name for sample in samples for name in sample.annotations.labels}
    found.update(thing.label for s in samples for thing in s.annotations.objects if thing.label is not None)
    return (*listed, *sorted(found - listed.keys()))


def _poses(samples: Iterable[Sample], points: Mapping[str, Sequence[str]]) -> dict[str, Pose]:
    """Skeletons by their label. Points and lines have no left and right: under "" each swaps with itself."""
    poses = {label: Pose(tuple(names), swap=swap_of(names)) for label, names in points.items()}
    shapes: dict[str, set[Any]] = {}
    most = 0
    for thing in (thing for sample in samples for thing in sample.annotations.objects):
        if thing.keypoints is not None and "shape" in thing.extra:
            shapes.setdefault(thing.label or "", set()).add(thing.extra["shape"])
            most = max(most, len(thing.keypoints) // 3)
    for label, kinds in shapes.items():
        if label and kinds == {"cuboid"} and label not in poses:
            poses[label] = Pose(cvat_shapes.CUBOID, swap=cvat_shapes.CUBOID_SWAP)
    return poses | ({"": Pose(swap=tuple(range(most)))} if most else {})


def _digest(root: str, paths: Iterable[str]) -> str:
    import os

    from augx.store import sha256_file

    return " ".join(f"{path}:{sha256_file(os.path.join(root, path))}" for path in paths)
