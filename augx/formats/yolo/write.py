"""data.yaml and lists of images, as they were read, and new ones for a dataset of another format."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from augx.formats import Row
from augx.formats.yolo.home import SPLIT_KEYS, within
from augx.formats.yolo.lines import DETECT, OBB, POSE, SEGMENT, Shape
from augx.model import Dataset, Json
from augx.objects import object_kinds

_ORDER = ("train", "val", "test")


@dataclass(frozen=True, slots=True)
class Details:
    """What is needed to write a dataset. All paths are under OUTPUT, which is `base` in INPUT.

    `task`, `shape`: what the label lines are. `ids`: class -> its number in them. `folders`: of images -> of labels.
    `yaml`: the name of data.yaml, "" for none; `content`: what it says, less `path`. `splits`: those of its keys whose
    folders or lists are there -> these. `lists`: list file -> what stands before each path in it, None: `./`.
    `texts`: files that are written as they were read, such as classes.txt. `repr` says what all label lines depend on.
    """

    task: str
    shape: Shape | None
    ids: Mapping[str, int] = field(repr=False)
    base: str = field(default="", repr=False)
    folders: Mapping[str, str] = field(default_factory=dict, repr=False)
    yaml: str = field(default="", repr=False)
    content: Mapping[str, Json] = field(default_factory=dict, repr=False)
    splits: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False)
    lists: Mapping[str, str | None] = field(default_factory=dict, repr=False)
    texts: Mapping[str, str] = field(default_factory=dict, repr=False)


def task_for(kinds: Iterable[str]) -> str:
    """The task of a dataset with these kinds of label."""
    found = set(kinds)
    if "obb" in found:
        return OBB
    if "keypoints" in found:
        return POSE
    return SEGMENT if found & {"polygons", "rle"} else DETECT


def details_of(dataset: Dataset) -> Details:
    """Of a dataset of another format."""
    kinds: set[str] = set()
    keypoints = 0
    labels = dict.fromkeys(dataset.classes)
    if any(sample.annotations.segments for sample in dataset.samples):
        kinds.add("rle")
    things = (thing for sample in dataset.samples for thing in sample.annotations.objects)
    for thing in (thing for thing in things if not thing.crowd):  # which no label file holds
        kinds.update(object_kinds(thing))
        keypoints = max(keypoints, len(thing.keypoints or ()) // 3)
        if thing.label is not None:
            labels.setdefault(thing.label)
    task = task_for(kinds)
    return Details(task, (keypoints, 3) if task == POSE else None, {name: at for at, name in enumerate(labels)})


def data_yaml(rows: Iterable[Row], dataset: Dataset, details: Details) -> Iterator[str]:
    """As it was read, with the folders that the images are in now; or a new one."""
    from augx.yamlfile import dump

    places: dict[str | None, dict[str, None]] = {}
    for row in rows:
        places.setdefault(row["split"], {})[posixpath.dirname(row["file_name"])] = None
    if not details.yaml:
        yield dump(_new_content(dataset, details, places))
        return
    content = dict(details.content)
    above = posixpath.dirname(details.yaml) or "."
    for key, own in details.splits.items():
        there = places.get(SPLIT_KEYS[key]) or places.get(None) or {}
        if not details.lists and not all(any(within(folder, place) for place in own) for folder in there):
            own = tuple(_tops(there))
        paths = [posixpath.relpath(place or ".", above) for place in own]
        content[key] = paths if isinstance(content[key], list) or len(paths) > 1 else paths[0]
    yield dump(content)


def _new_content(dataset: Dataset, details: Details, places: Mapping[str | None, Iterable[str]]) -> dict[str, Json]:
    """Trainers need a `val`: where there is none it is test, or else train."""
    folders = {split: _tops(own) for split, own in places.items() if split is not None}
    if not folders:
        folders = {"train": _tops(places.get(None, ["images"]))}
    folders.setdefault("train", folders[min(folders)])
    folders.setdefault("val", folders.get("test", folders["train"]))
    content: dict[str, Json] = {}
    for split in dict.fromkeys((*_ORDER, *sorted(folders))):
        if split in folders:
            paths = [path or "." for path in folders[split]]
            content[split] = paths[0] if len(paths) == 1 else paths
    if details.shape is not None:
        content["kpt_shape"] = list(details.shape)
        content |= _mirror(dataset, details, details.shape[0])
    elif details.task != DETECT:
        content["task"] = details.task
    content["names"] = {number: label for label, number in details.ids.items()}
    return content


def _mirror(dataset: Dataset, details: Details, count: int) -> dict[str, Json]:
    """`flip_idx` where all classes agree on it, and the names of the keypoints where all are known."""
    every = dataset.poses.get("")
    poses = {number: pose for label, number in details.ids.items() if (pose := dataset.poses.get(label, every))}
    swaps = {pose.swap and (*pose.swap, *range(len(pose.swap), count)) for pose in poses.values()}
    content: dict[str, Json] = {}
    if len(swaps) == 1 and (swap := swaps.pop()) and len(swap) == count:
        content["flip_idx"] = list(swap)
    if poses and all(len(pose.names) == count for pose in poses.values()):
        content["kpt_names"] = {number: list(pose.names) for number, pose in poses.items()}
    return content


def _tops(folders: Iterable[str]) -> list[str]:
    """The folders that lie in no other of them: trainers look into those below by themselves."""
    tops: list[str] = []
    for folder in sorted(folders):
        if not any(within(folder, top) for top in tops):
            tops.append(folder)
    return tops


def image_list(rows: Iterable[Row], name: str, before: str | None, listed: Mapping[str, str | None]) -> Iterator[str]:
    """A list file: the images whose source stood in it. `listed`: source -> its list."""
    folder = posixpath.dirname(name) or "."
    for row in rows:
        if listed.get(row["source"]) == name:
            path = row["file_name"]
            yield (f"./{posixpath.relpath(path, folder)}" if before is None else before + path) + "\n"
