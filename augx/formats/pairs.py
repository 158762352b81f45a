"""Which image a label file of the same base name belongs to, and which images belong to the dataset at all."""

from __future__ import annotations

import hashlib
import os
import posixpath
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

from augx.errors import InputError
from augx.formats.folder import SPLITS, layout
from augx.formats.walk import Finder
from augx.model import Dataset, Flaw
from augx.store import hashes


def stem(path: str) -> str:
    """`Annotations/cow.v2.xml` -> `cow.v2`."""
    name = path.rpartition("/")[2]
    return name.rpartition(".")[0] or name


def folder_of(path: str) -> str:
    return path.rpartition("/")[0]


def below(paths: Iterable[str], folder: str) -> list[str]:
    return [path for path in paths if path.startswith(folder + "/")] if folder else list(paths)


class Pairs:
    """The images of a dataset by their base names."""

    def __init__(self, root: str, images: Collection[str]) -> None:
        self._root, self._images = root, images
        self._finders: dict[str, Finder] = {}
        self._stems: dict[str, list[str]] = defaultdict(list)
        for path in images:
            self._stems[stem(path)].append(path)

    def image(self, label: str, named: str = "") -> tuple[str, str, str]:
        """As `Finder.find`, for a label file: the image of the same base name that lies nearest; else what it names."""
        candidates = self._stems.get(stem(label), [])
        if len(candidates) > 1:
            far = {path: distance(folder_of(label), folder_of(path)) for path in candidates}
            candidates = [path for path in candidates if far[path] == min(far.values())]
        if len(candidates) == 1:
            return candidates[0], "", ""
        folder = folder_of(label)
        finder = self._finders.setdefault(folder, Finder(self._root, folder, self._images))
        found = finder.find(named) if named else ("", "", "")
        if candidates and found[0] not in candidates:
            return "", "ambiguous-file", f"it may belong to {candidates[0]} or {candidates[1]}"
        if found[0]:
            return found
        again = finder.find(stem(label))
        return again if again[0] or not named else found


def distance(folder: str, another: str) -> int:
    """How many parts differ between two folders: 0 for the same, 2 for `a/images/x` and `a/labels/x`."""
    one, other = folder.split("/"), another.split("/")
    room = min(len(one), len(other))
    start = next((n for n in range(room) if one[n] != other[n]), room)
    end = next((n for n in range(room - start) if one[-1 - n] != other[-1 - n]), room - start)
    return len(one) + len(other) - 2 * (start + end)


def belonging(images: Collection[str], pairs: Iterable[tuple[str, str]]) -> tuple[list[str], list[Flaw]]:
    """The images that belong to the dataset, in order, and a warning for each folder of others.

    `pairs`: (image, its label file). Images belong that lie in a folder with labelled ones, in the same place of
    another split, or beside such a folder where label files lie likewise (`Annotations/b` for `JPEGImages/b`): so the
    images of a `test` without labels are used, and those of another dataset below the same root are not.
    """
    folders = {(folder_of(image), folder_of(label)) for image, label in pairs}
    known = {image for image, _ in folders}
    patterns = {_pattern(image.split("/"), label) for image, label in folders}

    def belongs(folder: str) -> bool:
        parts = folder.split("/")
        return folder in known or any(len(one) == len(parts) and all(map(_fits, one, parts)) for one in patterns)

    found = {folder: belongs(folder) for folder in {folder_of(path) for path in images}}
    others = Counter(folder_of(path) for path in images if not found[folder_of(path)])
    message = "images in this folder have no labels and lie apart from those that have; they are left out"
    flaws = [Flaw("unused-folder", folder, f"{count} {message}") for folder, count in sorted(others.items())]
    return [path for path in images if found[folder_of(path)]], flaws


def _pattern(parts: Sequence[str], label: str) -> tuple[str, ...]:
    """A folder of images, with "/" for a split and "//" for a last part that its folder of labels has too."""
    pattern = ["/" if part.lower() in SPLITS else part for part in parts]
    if pattern[-1] not in ("", "/") and parts[-1] == label.rpartition("/")[2]:
        pattern[-1] = "//"
    return tuple(pattern)


def _fits(wanted: str, part: str) -> bool:
    return wanted in ("//", part) or (wanted == "/" and part.lower() in SPLITS)


def folder_splits(images: Iterable[str]) -> dict[str, str | None]:
    """Image -> the split its folder says."""
    placements = layout({folder_of(path) for path in images})
    return {path: placements[folder_of(path)][0] for path in images}


def main_folders(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Folder of images -> the folder where most of their label files lie. `pairs`: (image, label file)."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for image, label in pairs:
        counts[folder_of(image)][folder_of(label)] += 1
    return {image: min(count, key=lambda folder: (-count[folder], folder)) for image, count in sorted(counts.items())}


def chosen(root: str, labels: str | None, paths: Iterable[str]) -> str:
    """The folder `--labels` names, "" for none; InputError if it holds none of `paths`."""
    if labels is None:
        return ""
    folder = posixpath.normpath(labels.replace("\\", "/")).strip("/")
    folder = "" if folder == "." else folder
    if not below(paths, folder):
        raise InputError(f"{root}: no labels in a folder {labels!r}", "`--labels` takes a folder under INPUT")
    return folder


def digest_of(root: str, files: Sequence[str]) -> str:
    """One digest of several label files, with their names; "" for none."""
    sums = hashes(os.path.join(root, *path.split("/")) for path in files)
    return hashlib.sha256("\n".join(map("{}:{}".format, files, sums)).encode()).hexdigest() if files else ""


def left_over(ignored: Mapping[str, int], used: Iterable[str]) -> dict[str, int]:
    """`Walk.ignored` less the documents that were read."""
    counts = Counter(ignored)
    counts.subtract(path[path.rfind(".") :].lower() for path in used)
    return {ending: count for ending, count in counts.items() if count > 0}


def check_splits(dataset: Dataset) -> None:
    """InputError for a split whose name cannot be that of a file or folder."""
    for sample in dataset.samples:
        name = sample.split
        if name is None or (name.strip() == name and name[:1] not in ("", ".") and not set(name) & set('/\\:\0\n\r"')):
            continue
        raise InputError(f"{sample.id}: the split {name!r} cannot be the name of a folder", "rename the split")
