"""Class folders: an image's class is the folder it lies in, below the folder of its split if there are splits."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from augx.errors import InputError, few
from augx.formats import RESERVED, Plain, ReadOptions, Row, refuse_weights
from augx.formats.walk import is_document, is_folder, walk
from augx.model import Annotations, Dataset, Flaw, Sample
from augx.store import pass_over

SPLITS = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "dev": "val",
    "test": "test",
    "testing": "test",
}

# A folder that holds all images and is called like this is no class.
CONTAINERS = frozenset({"image", "images", "img", "imgs", "jpegimages"})

# Names that belong to other label formats: beside these, folder names say nothing about classes.
LABEL_FOLDERS = frozenset(
    {"annotation", "annotations", "labels", "labeltxt", "imagesets", "jpegimages", "masks"}
    | {"segmentationclass", "segmentationobject", "gtfine", "gtcoarse", "instances", "panoptic"}
)
LABEL_FILES = (
    "data.yaml",
    "dataset.yaml",
    "metadata.",
    "annotations.",
    "_annotations",
    "_classes.",
    "instances_",
    "wider_face_",
)

TABLE_HINT = "`--to table` holds any labels"
MAX_NAME = 200  # bytes; file systems take 255

Placement = tuple[str | None, str | None]  # (split, class)


def canonical_split(name: str) -> str:
    """train, val or test for any of their usual spellings, else the name itself."""
    return SPLITS.get(name.lower(), name)


def layout(folders: Iterable[str]) -> dict[str, Placement]:
    """(split, class) for each folder that holds images, from the names of all of them; "" is the root.

    First-level folders are splits if all are called like splits, or if train and one of val and test are among them;
    so a class called `train` among car and bus stays a class.
    """
    parts = _without_container({folder: tuple(folder.split("/")) if folder else () for folder in folders})
    tops = {names[0] for names in parts.values() if names}
    known = {SPLITS[top.lower()] for top in tops if top.lower() in SPLITS}
    splits: dict[str, str | None] = dict.fromkeys(parts)
    if all(top.lower() in SPLITS for top in tops) or ("train" in known and len(known) > 1):
        splits.update({folder: canonical_split(names[0]) for folder, names in parts.items() if names})
        parts = _without_container({folder: names[1:] for folder, names in parts.items()})
    return {folder: (splits[folder], "/".join(names) or None) for folder, names in parts.items()}


def _without_container(parts: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    tops = {names[:1] for names in parts.values()}
    if len(tops) == 1 and "".join(next(iter(tops))).lower() in CONTAINERS:
        return {folder: names[1:] for folder, names in parts.items()}
    return dict(parts)


@dataclass(frozen=True, slots=True)
class Glance:
    """What the first levels of a folder show. `folders`: those that hold images, two levels deep; "" is the root.

    `foreign`: what tells of another label format, or "". `table`: a table, which may hold the labels, or "".
    """

    folders: tuple[str, ...]
    foreign: str
    table: str

    @property
    def classes(self) -> list[str]:
        return sorted({name for _, name in layout(self.folders).values() if name})


def glance(root: str) -> Glance:
    """Lists the root and its folders, and looks into the deeper ones only for a first image."""
    folders: list[str] = []
    foreign: list[str] = []
    tables: list[str] = []
    for top in _look(root, "", folders, foreign, tables):
        for name in _look(root, top, folders, foreign, tables):
            deep = f"{top}/{name}"
            if image := _first_image(os.path.join(root, deep)):
                folders.append(deep)
                foreign.extend(_beside(image))
    return Glance(tuple(folders), foreign[0] if foreign else "", min(tables, default=""))


def _look(root: str, folder: str, folders: list[str], foreign: list[str], tables: list[str]) -> list[str]:
    """The folders in `folder`; notes whether it holds images itself, tables, and signs of another format."""
    below: list[str] = []
    image = ""
    path = os.path.join(root, folder)
    try:
        with os.scandir(path) as entries:
            for entry in entries:
                name = entry.name
                if name.startswith("."):
                    continue
                if is_folder(entry):
                    below.append(name)
                elif is_document(name):
                    if name.lower().startswith(LABEL_FILES):
                        foreign.append(name)
                    elif name.lower().endswith((".csv", ".tsv", ".jsonl")) and name not in RESERVED:
                        tables.append(name)
                elif not image or name < image:
                    image = name
    except OSError as error:
        pass_over(error, path)
        return []
    below.sort()
    foreign.extend(f"the folder {name}" for name in below if name.lower() in LABEL_FOLDERS or name.endswith("annot"))
    if image:
        folders.append(folder)
        foreign.extend(_beside(os.path.join(path, image)))
    return below


def _first_image(path: str) -> str:
    """Some image in or below `path`, or "". Links to folders are not followed."""
    waiting = [path]
    while waiting:
        folder = waiting.pop()
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    if entry.name.startswith("."):
                        continue
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    elif not is_document(entry.name):
                        return entry.path
        except OSError as error:
            pass_over(error, folder)
    return ""


def _beside(image: str) -> list[str]:
    """Label files with the image's own name: YOLO, VOC and LabelMe keep theirs so, and so do captions."""
    stem = os.path.splitext(image)[0]
    return [os.path.basename(stem + ending) for ending in (".txt", ".xml", ".json") if os.path.isfile(stem + ending)]


class Folder(Plain):
    name = "folder"
    holds = frozenset({"class"})
    summary = "class folders: cat/1.jpg, or train/cat/1.jpg"

    def detect(self, root: str) -> str:
        seen = glance(root)
        if not seen.folders:
            return ""
        foreign = seen.foreign or ("" if seen.classes else seen.table)
        if foreign:
            raise InputError(
                f"{root}: {foreign} looks like labels, but no format of augx fits them",
                "`--from table` says what is wrong with a table; `--from folder` takes folder names alone",
            )
        placements = layout(seen.folders).values()
        splits = sorted({split for split, _ in placements if split})
        told = [f"splits {few(splits, 5)}"] if splits else []
        told += [f"class folders {few(seen.classes, 5)}" if seen.classes else "images without class folders"]
        return ", ".join(told)

    def read(self, root: str, options: ReadOptions) -> Dataset:
        """`details` is None: a sample's id says all. Images beside class folders have no class, and a warning."""
        if options.table or options.columns:
            raise InputError("class folders have no table and no columns", "say `--from table`, or leave these out")
        found = walk(root)
        folders = [path.rpartition("/")[0] for path in found.images]
        placements = layout(dict.fromkeys(folders))
        annotations = {name: Annotations({name: 1.0}) for _, name in placements.values() if name}
        bare = Annotations()
        samples = []
        warnings = list(found.warnings)
        for path, folder in zip(found.images, folders, strict=True):
            split, name = placements[folder]
            if name is None and annotations:
                warnings.append(Flaw("no-class", path, "it lies in no class folder"))
            samples.append(Sample(path, annotations[name] if name else bare, split))
        return Dataset(
            root,
            self.name,
            tuple(samples),
            tuple(sorted(annotations)),
            found.failed,
            tuple(warnings),
            found.ignored,
        )

    def check(self, dataset: Dataset, mixes: bool) -> None:
        if mixes:
            refuse_weights(self.name, dataset)
        if dataset.format == self.name:
            _refuse([s.id for s in dataset.samples if s.id.split("/")[0] in RESERVED], "a name that augx itself needs")
            return
        samples = dataset.samples
        several = [s.id for s in samples if len(s.annotations.labels) > 1]
        _refuse(several, "more than one class, which class folders cannot hold")
        _refuse([s.id for s in samples if not s.annotations.labels], "no class, which class folders need")
        weighted = [s.id for s in samples if s.annotations.labels[s.annotations.label or ""] != 1]
        _refuse(weighted, "a weighted class, which class folders cannot hold")
        wanted = {(s.split, s.annotations.label): s.id for s in reversed(samples)}
        _check_names({name for placement in wanted for name in placement if name is not None})
        read = layout(_folder(*placement) for placement in wanted)
        for (split, name), first in wanted.items():
            if read[_folder(split, name)] != (split and canonical_split(split), name):
                message = f"the folder {_folder(split, name)!r} would not be read as class {name!r}"
                raise InputError(f"{message} of split {split!r} again: {first}", TABLE_HINT)

    def place(self, sample: Sample, dataset: Dataset) -> str:
        """The folder it came from, or `split/class`; `tv/monitor` becomes two folders, and is read as one class."""
        if dataset.format == self.name:
            return sample.id.rpartition("/")[0]
        return _folder(sample.split, sample.annotations.label)

    def write(self, rows: Iterable[Row], dataset: Dataset) -> Iterator[tuple[str, Iterable[str]]]:
        """Nothing: the folders are the labels."""
        return iter(())


def _folder(split: str | None, name: str | None) -> str:
    return "/".join(part for part in (split, name) if part)


def _refuse(samples: list[str], what: str) -> None:
    if samples:
        raise InputError(f"images with {what}: {len(samples)}; the first is {samples[0]}", TABLE_HINT)


def _check_names(names: Iterable[str]) -> None:
    """Refuses classes and splits that cannot be folders everywhere; names are never escaped, as nothing reads that."""
    seen: dict[str, str] = {}
    for name in sorted(names):
        for part in name.split("/"):
            if reason := _unfit(part):
                raise InputError(f"{name!r} cannot be the name of a folder: {reason}", TABLE_HINT)
        key = unicodedata.normalize("NFC", name).casefold()
        if seen.setdefault(key, name) != name:
            raise InputError(f"{seen[key]!r} and {name!r} are one folder on many file systems", TABLE_HINT)


def _unfit(part: str) -> str:
    if not part:
        return "it is empty, or has an empty part"
    if part.startswith("."):
        return "it begins with a dot"
    if part != part.strip():
        return "it begins or ends with a space"
    if "\0" in part:
        return "it holds a NUL character"
    if part in RESERVED:
        return "augx itself writes a file of that name"
    if len(part.encode("utf-8", "surrogatepass")) > MAX_NAME:
        return f"it is longer than {MAX_NAME} bytes"
    return ""
