"""VOC's ImageSets: which images are of a split, show a class (`cow_train.txt`), or have an object of interest."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from augx.formats import Row
from augx.formats.folder import SPLITS, canonical_split
from augx.formats.image_lists import Line, Names, parse
from augx.formats.pairs import folder_of, stem
from augx.model import Dataset, Flaw, Json, Sample

_SETS = ("main", "segmentation", "layout", "action")  # the first that lists an image says its split
_UNIONS = frozenset({"trainval"})
_NO_SPLIT = frozenset({"default", "all"})
_GLANCE = 100  # lines that tell what kind of list it is


def image_sets(documents: Iterable[str]) -> tuple[str, ...]:
    """Those of the files that are lists of VOC."""
    return tuple(
        path for path in documents if path.lower().endswith(".txt") and "imagesets" in path.lower().split("/")[-3:-1]
    )


def _home(path: str) -> str:
    """The folder that `ImageSets` lies in."""
    parts = path.split("/")
    return "/".join(parts[: [part.lower() for part in parts].index("imagesets")])


def _set(path: str) -> str:
    """`ImageSets/Main/train.txt` -> `main`."""
    return folder_of(path).rpartition("/")[2].lower()


def _class(path: str, paths: Collection[str], entries: Sequence[Line]) -> str:
    """The class that a list tells of: `cow` for `cow_train.txt` beside `train.txt`; "" for the list of a split."""
    name, _, split = stem(path).rpartition("_")
    splits = {stem(other) for other in paths if folder_of(other) == folder_of(path)}.union(SPLITS, _UNIONS)
    return name if split in splits and all(entry.numbers for entry in entries) else ""


def splits(root: str, paths: Sequence[str], images: Iterable[str]) -> tuple[dict[str, str | None], list[Flaw]]:
    """The split of each listed image, None where its list says none; and what is odd about the lists."""
    names = Names(images)
    flaws: list[Flaw] = []
    told: dict[str, dict[str, set[str]]] = {}  # image -> set -> its lists
    for path in sorted(paths, key=lambda path: (_rank(_set(path)), path)):
        if _class(path, paths, parse(root, path, names, _home(path), _GLANCE)[0]):
            continue
        entries, missing = parse(root, path, names, _home(path))
        if missing:
            message = f"{len(missing)} of its names have no image; the first is {missing[0][:200]!r}"
            flaws.append(Flaw("listed-missing", path, message))
        for entry in entries:
            told.setdefault(entry.image, {}).setdefault(_set(path), set()).add(stem(path))
    found: dict[str, str | None] = {}
    for image in sorted(told):
        split, others = _choose(next(iter(told[image].values())))
        found[image] = split
        if others:
            message = f"it is listed in {split} and in {', '.join(others)}; {split} counts"
            flaws.append(Flaw("two-splits", image, message))
    return found, flaws


def _rank(name: str) -> int:
    return _SETS.index(name) if name in _SETS else len(_SETS)


def _choose(listed: Collection[str]) -> tuple[str | None, list[str]]:
    """The split of an image in these lists, and others that contradict it. A union such as trainval counts only where
    there is no other."""
    usual = {canonical_split(name) for name in listed if name.lower() in SPLITS}
    if usual:
        first, *others = sorted(usual, key=("train", "val", "test").index)
        return first, others
    rest = sorted((name for name in listed if name not in _NO_SPLIT), key=lambda name: (name in _UNIONS, name))
    return (rest[0] if rest else None), []


@dataclass(frozen=True, slots=True)
class _Image:
    """One image as the lists see it: `objects` is how many it has, `shows` its classes as they do (1 or 0)."""

    source: str
    name: str
    objects: int
    shows: Mapping[str, int]


def _as_read(sample: Sample) -> _Image:
    things = sample.annotations.objects
    return _Image(sample.id, "", len(things), _shows((thing.label, thing.extra) for thing in things))


def again(rows: Iterable[Row], dataset: Dataset, paths: Sequence[str]) -> Iterator[tuple[str, Iterable[str]]]:
    """The lists that were read, with all copies. They are read once more: they may be large, and workers need none."""
    images = [
        _Image(
            row["source"],
            stem(row["file_name"]),
            len(row["objects"]),
            _shows((thing["label"], thing.get("extra", {})) for thing in row["objects"]),
        )
        for row in rows
    ]
    names = Names(sample.id for sample in dataset.samples) if images else Names(())
    before = {image.source: image for image in map(_as_read, dataset.samples)} if images else {}
    for path in paths:
        yield path, _lines(path, paths, images, names, before, dataset.root)


def _lines(
    path: str,
    paths: Sequence[str],
    images: Sequence[_Image],
    names: Names,
    before: Mapping[str, _Image],
    root: str,
) -> Iterator[str]:
    if not images:
        return
    entries, _ = parse(root, path, names, _home(path))
    shown = _class(path, paths, entries[:_GLANCE]) if _set(path) == "main" else ""
    listed: dict[str, list[Line]] = {}
    for entry in entries:
        listed.setdefault(entry.image, []).append(entry)
    for image in images:
        for entry in listed.get(image.source, ()):
            source = before[image.source]
            numbers = list(entry.numbers)
            if shown:
                now = image.shows.get(shown, -1)
                numbers[-1] = numbers[-1] if now == source.shows.get(shown, -1) else now
            elif numbers and source.objects != image.objects:
                continue  # the number of an object in its file, which is another where objects have left the picture
            name = entry.name[: entry.name.replace("\\", "/").rfind("/") + 1] + image.name
            yield " ".join([name, *(f"{number:2d}" for number in numbers)]) + "\n"


def _shows(objects: Iterable[tuple[str | None, Mapping[str, Json]]]) -> dict[str, int]:
    """Class -> 1, or 0 where all its objects are difficult."""
    found: dict[str, int] = {}
    for label, extra in objects:
        if label is not None:
            found[label] = max(found.get(label, 0), int(extra.get("difficult") not in (1, True, "1")))
    return found


def new(rows: Iterable[Row], dataset: Dataset) -> Iterator[tuple[str, Iterable[str]]]:
    """Lists for a dataset that had none: of each split, and of the images with a mask."""
    there = {sample.split for sample in dataset.samples if sample.split}
    lists = {split: {split} for split in there}
    if {"train", "val"} <= there:
        lists["trainval"] = {"train", "val"} | ({"trainval"} & there)
    masked = any(sample.annotations.mask for sample in dataset.samples)
    for kind in ("Main", "Segmentation") if masked else ("Main",):
        for name, members in sorted(lists.items()):
            named = (row for row in rows if row["split"] in members and (kind == "Main" or row["mask"]))
            yield f"ImageSets/{kind}/{name}.txt", (f"{stem(row['file_name'])}\n" for row in named)
