"""A COCO dataset: which label files, which image each of their names means, and what they say of it together."""

from __future__ import annotations

import gc
import os
import posixpath
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from augx.errors import InputError
from augx.formats import RESERVED, ReadOptions
from augx.formats.coco.file import BARE, FILES, KINDS, POSES, LabelFile, named, shown
from augx.formats.coco.images import Masks, find_images, mask_folder
from augx.formats.coco.reading import Reading, Tag, read_file
from augx.formats.folder import layout
from augx.formats.poses import swap_of
from augx.formats.walk import Walk, walk
from augx.model import Annotations, Dataset, Flaw, Json, Object, Pose, Sample
from augx.store import open_regular, pass_over

_HEAD = 1 << 16
_MANY = 10_000  # samples that later collections leave alone
_SIGN = re.compile(r'"(?:images|annotations|categories)"\s*:\s*\[')
_TOKEN = re.compile(r'("(?:[^"\\]|\\.)*")|([{\[])|([}\]])')

Place = tuple[Reading, Json]  # where an image is listed, under which id


@dataclass(frozen=True, slots=True)
class Details:
    """The label files as they were read, sorted by path.

    A sample's `extra` has "images", label file -> the image's entry there, and where there are such, "captions" and
    "labels" (by class): what their annotations say besides. An object's `extra` has its "id" if no other has it, and
    `FILES` where that is not as usual (`usual_kinds`).
    """

    files: tuple[LabelFile, ...]


def usual_kinds(kinds: Sequence[str], posed: bool) -> list[str]:
    """In which of several label files an object is, if its `extra` does not say. `posed`: it has keypoints."""
    return [kind for kind in kinds if kind == "instances" or (posed and kind in POSES)]


def looks_like_coco(path: str) -> bool:
    """Whether the first 64 kB of a file are those of a JSON object with a list of images, annotations or categories."""
    try:
        with open_regular(path) as file:
            head = file.read(_HEAD).decode("utf-8-sig", "replace")
    except OSError as error:
        pass_over(error, path)
        return False
    except ValueError:
        return False
    signs = {match.start() for match in _SIGN.finditer(head)}
    if not signs or not head.lstrip().startswith("{"):
        return False
    depth = 0
    for match in _TOKEN.finditer(head):
        if depth == 1 and match.start() in signs:
            return True
        depth += bool(match[2]) - bool(match[3])
    return False


def read(root: str, options: ReadOptions) -> Dataset:
    """As `augx.formats.Format.read`."""
    if options.table or options.columns:
        raise InputError("COCO has no table and no columns", "name a label file with `--labels PATH`")
    found = walk(root)
    collecting = gc.isenabled()
    gc.disable()  # a million objects, none of them garbage, which a collection takes seconds to look at
    try:
        dataset = _read(root, found, options.labels)
        if len(dataset.samples) > _MANY:
            gc.freeze()
        return dataset
    finally:
        if collecting:
            gc.enable()


def _read(root: str, found: Walk, wanted: str | None) -> Dataset:
    files, warnings = _label_files(root, found, wanted)
    readings = [read_file(os.path.join(root, file.path), file) for file in files]
    readings.sort(key=lambda reading: (_rank(reading.file.kind), reading.file.path))
    images = frozenset(found.images)
    failed: dict[tuple[str | None, str], Flaw] = {}  # (split, name) -> why there is no such image
    listed: dict[str, list[Place]] = {}
    for reading in readings:
        for key, path in find_images(root, reading, images, failed):
            reading.paths[key] = path
            listed.setdefault(path, []).append((reading, key))
    if not listed:
        first = f"; the first: {next(iter(failed.values())).message}" if failed else ""
        names = ", ".join(file.path for file in files)
        raise InputError(f"{root}: no image of {names} can be used{first}", "give the folder above images and labels")
    _refuse_conflicts(root, listed)
    placements = layout({posixpath.dirname(path) for path in listed})
    masks = Masks(root, images, listed)
    samples = []
    for path in sorted(listed):
        places = listed[path]
        split = places[0][0].file.split or placements[posixpath.dirname(path)][0]
        samples.append(Sample(path, _together(places, masks), split))
    if masks.failed:
        lost = {flaw.source for flaw in masks.failed}
        samples = [sample for sample in samples if sample.id not in lost]
    if not samples:
        raise InputError(
            f"{root}: no image can be used; the first: {masks.failed[0].message}",
            "put the masks into a folder that is called as their label file is, beside it",
        )
    poses = _poses(readings)
    for reading in readings:
        warnings += _flaws(reading)
    used = {sample.annotations.segments for sample in samples}
    folders = tuple(mask_folder(name) for name in found.documents if named(name).kind == "panoptic")
    warnings += [
        Flaw("not-listed", path, "no label file names it; it is not used")
        for path in found.images
        if path not in listed and path not in used and not path.startswith(folders)
    ]
    classes = dict.fromkeys(name for reading in readings for name in reading.classes.values())
    every = (sample.annotations for sample in samples if not all(reading.classes for reading in readings))
    unnamed = {name for known in every for name in (*known.labels, *(thing.label for thing in known.objects))}
    ignored = Counter(found.ignored)
    ignored.subtract(os.path.splitext(file.path)[1].lower() for file in files)
    return Dataset(
        root,
        "coco",
        tuple(samples),
        (*classes, *sorted(name for name in unnamed - classes.keys() if name is not None)),
        (*found.failed, *failed.values(), *masks.failed),
        (*found.warnings, *warnings),
        dict(+ignored),
        poses,
        details=Details(tuple(sorted((reading.file for reading in readings), key=lambda file: file.path))),
        digest="\n".join(f"{reading.file.path}:{reading.sha256}" for reading in readings),
    )


def _rank(kind: str) -> int:
    return KINDS.index(kind) if kind in KINDS else -1


def _label_files(root: str, found: Walk, wanted: str | None) -> tuple[list[LabelFile], list[Flaw]]:
    """The label files to read; `wanted` is a file, or the folder they are in. InputError if there are none."""
    names = [name for name in found.documents if name.lower().endswith(".json") and name not in RESERVED]
    listed = f"JSON files there: {', '.join(names[:10]) or 'none'}"
    if wanted is not None:
        path = posixpath.normpath(wanted.replace("\\", "/"))
        if path in names:
            return [named(path)], []
        names = [name for name in names if path == "." or name.startswith(path + "/")]
        if not names:
            raise InputError(f"{root}: there is no label file {wanted!r}, and no folder with one", listed)
    files = [named(name) for name in names if looks_like_coco(os.path.join(root, name))]
    if not files:
        raise InputError(f"{root}: no JSON file with a list of images and one of annotations", listed)
    better = {file.split for file in files if file.kind in ("instances", "stuff")}
    left = [file for file in files if file.kind == "panoptic" and file.split in better]
    message = "not read, as instances or stuff tell of the same images; `--labels` with its path reads it instead"
    return [file for file in files if file not in left], [Flaw("not-read", file.path, message) for file in left]


def _refuse_conflicts(root: str, listed: Mapping[str, Sequence[Place]]) -> None:
    """InputError where two label files tell of the same images and nobody knows how they belong together."""
    first: dict[tuple[str, ...], str] = {}
    for path, places in listed.items():
        if len(places) > 1:
            first.setdefault(tuple(reading.file.path for reading, _ in places), path)
    for path in first.values():
        files = [reading.file for reading, _ in listed[path]]
        kinds = {file.kind for file in files}
        if len(kinds) < len(files) or "" in kinds or len({file.split for file in files}) > 1:
            names = "\n".join(f"  {file.path}" for file in files)
            raise InputError(
                f"{root}: several label files tell of the same images, such as {path}\n{names}",
                "choose one with `--labels PATH`, or put those that belong together into a folder and name that",
            )


def _together(places: Sequence[Place], masks: Masks) -> Annotations:
    """What all label files say of one image. What is taken is taken out of the readings."""
    segments = next((masks.find(reading, key) for reading, key in places if key in reading.segments), None)
    several = [reading.file.kind for reading, _ in places if reading.file.kind not in BARE]
    objects: list[Object] = []
    kinds: list[list[str]] = []
    by_id: dict[int, int] = {}
    captions: list[Tag] = []
    labels: dict[str, dict[str, Json]] = {}
    for reading, key in places:
        captions += reading.captions.pop(key, ())
        for category, rest in reading.labels.pop(key, ()):
            label = reading.label(key, category, rest)
            if label is not None:
                labels.setdefault(label, rest)
        for part in reading.parts.pop(key, ()):
            label = reading.label(key, part.category, part.extra)
            if label is None and part.category is not None:
                continue
            _, box, rings, rle, keypoints, crowd, segment, rest = part
            thing = Object(label, box, rings, rle, keypoints, None, crowd, segment if segments else None, rest)
            if len(several) > 1:
                same = by_id.setdefault(rest["id"], len(objects)) if "id" in rest else len(objects)
                if same < len(objects) and (joined := _joined(objects[same], thing)):
                    objects[same] = joined
                    kinds[same].append(reading.file.kind)
                    continue
                kinds.append([reading.file.kind])
            objects.append(thing)
    if len(several) > 1:
        for index, thing in enumerate(objects):
            if usual_kinds(several, thing.keypoints is not None) != kinds[index]:
                objects[index] = replace(thing, extra={**thing.extra, FILES: kinds[index]})
    extra: dict[str, Json] = {"images": {reading.file.path: reading.images[key] for reading, key in places}}
    if captions:
        extra["captions"] = [rest for _, rest in captions]
    if labels:
        extra["labels"] = labels
    return Annotations(
        dict.fromkeys(labels, 1.0),
        captions=tuple(caption for caption, _ in captions),
        objects=tuple(objects),
        segments=segments,
        dot=0.5,
        size=next((reading.sizes[key] for reading, key in places if key in reading.sizes), None),
        extra=extra,
    )


def _joined(one: Object, other: Object) -> Object | None:
    """Two annotations of one id as one object; None where they contradict each other."""
    extra = {**other.extra, **one.extra}
    if (
        one.label != other.label
        or one.crowd != other.crowd
        or (one.box and other.box and one.box != other.box)
        or (one.rings and other.rings and one.rings != other.rings)
        or (one.rle and other.rle and one.rle != other.rle)
        or (one.keypoints and other.keypoints and one.keypoints != other.keypoints)
        or ((one.rings or one.rle) and (other.rings or other.rle) and bool(one.rings) != bool(other.rings))
        or extra != {**one.extra, **other.extra}
    ):
        return None
    return replace(
        one,
        box=one.box or other.box,
        rings=one.rings or other.rings,
        rle=one.rle or other.rle,
        keypoints=other.keypoints if one.keypoints is None else one.keypoints,
        extra={**one.extra, **other.extra},
    )


def _flaws(reading: Reading) -> Iterator[Flaw]:
    """What is wrong with one label file; at most one flaw of a code and image."""
    lost = [key for key in reading.annotated() if key not in reading.images]
    if lost:
        message = f"annotations of {len(lost):,} image ids that no image has, such as {shown(lost[0])}"
        reading.problem(None, "unknown-image", message)
    counts: dict[tuple[str, str], tuple[str, int]] = {}
    for (key, code), (message, count) in reading.problems.items():
        source = reading.paths.get(key, reading.file.path)
        first, before = counts.get((code, source), (message, 0))
        counts[code, source] = first, before + count
    for (code, source), (message, count) in counts.items():
        more = f" (and {count - 1:,} more)" if count > 1 else ""
        yield Flaw(code, source, f"{reading.file.path}: {message}{more}")


def _poses(readings: Sequence[Reading]) -> dict[str, Pose]:
    """Class -> its keypoints.

    Where objects have another number of them than there are names, left and right are unknown.
    """
    poses: dict[str, Pose] = {}
    for reading in readings:
        for category in reading.categories:
            key = category["id"]
            given = category.get("keypoints")
            names = tuple(given) if isinstance(given, list) and all(isinstance(name, str) for name in given) else ()
            counts = reading.keypoint_counts.get(key, set())
            if not names and not counts:
                continue
            if wrong := counts - {len(names)} if names else None:
                found = ", ".join(map(str, sorted(wrong)))
                message = f"category {shown(key)} names {len(names)} keypoints, but its objects have {found}"
                reading.problem(None, "keypoints-unnamed", message)
            pose = Pose(names, _skeleton(category.get("skeleton")), None if wrong else swap_of(names))
            name = reading.classes[key]
            if name not in poses or (names and not poses[name].names):
                poses[name] = pose
    return poses


def _skeleton(given: Json) -> tuple[tuple[int, int], ...]:
    """COCO counts from 1; a file with a 0 in it counts from 0."""
    pairs = given if isinstance(given, list) else []
    good = [(a, b) for a, b in (p for p in pairs if isinstance(p, list) and len(p) == 2) if type(a) is type(b) is int]
    first = 0 if any(0 in pair for pair in good) else 1
    return tuple((a - first, b - first) for a, b in good)
