"""File names of written images, decided before any pixel is read.

`tabby.jpg` makes `tabby.jpg` (the original) and `tabby_aug01.jpg`, `tabby_aug02.jpg` and so on. Two images never get
one name, on file systems that ignore case neither; a base name has no dot, because WebDataset and others cut names at
the first. A name depends on the sources that would clash with it and on nothing else: adding an image renames no other.
"""

from __future__ import annotations

import hashlib
import os
import re
import sys
import unicodedata
from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from itertools import count

from augx.model import Job, Sample

READABLE: Mapping[str, str] = {
    ".jpg": "JPEG", ".jpeg": "JPEG", ".jpe": "JPEG", ".jfif": "JPEG", ".mpo": "JPEG",
    ".png": "PNG", ".apng": "PNG", ".webp": "WEBP", ".bmp": "BMP", ".dib": "BMP", ".tif": "TIFF", ".tiff": "TIFF",
}  # fmt: skip
ENDINGS: Mapping[str, str] = {"jpeg": ".jpg", "png": ".png", "webp": ".webp", "bmp": ".bmp", "tiff": ".tif"}
_KEPT = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"}
_NAME_MAX = 255  # bytes, on every common file system
_COPY = re.compile(r"(?:_aug\d{2,})+$")


def written_ending(name: str, image_format: str) -> str:
    """The ending of what is written for a source called `name` under `output.image.format`.

    `keep` keeps the source's own spelling (`.JPG`) where datasets commonly use it, and the common one where they do
    not (`.jfif` becomes `.jpg`). A source with an unknown ending is written as PNG, which loses nothing.
    """
    if image_format != "keep":
        return ENDINGS[image_format]
    spelled = _split(name.rpartition("/")[2])[1]
    lower = spelled.lower()
    if lower in _KEPT:
        return sys.intern(spelled)  # one for millions of names
    return ENDINGS[READABLE[lower].lower()] if lower in READABLE else ".png"


def plain_ending(ending: str) -> str:
    """`.JPG`, `.jpeg` -> `.jpg`: the one by which readers of tars know such an image."""
    return ENDINGS[READABLE[ending.lower()].lower()]


def stems(samples: Sequence[Sample], image_format: str, unique_stems: bool = False) -> list[tuple[str, str]]:
    """For each sample, in order: (folder and base name, ending); `copy_name` makes file names of them.

    `unique_stems`: the output format pairs label files with images by base name, so `a.jpg` and `a.png` clash too.
    """

    folders = {_spot(parent, *_split(name)) for parent, name in _folders(samples)}
    alike: dict[str, array[int]] = {}  # whose names may clash: folders that case alone tells apart are one
    spelled: dict[str, array[int]] = {}
    for index, sample in enumerate(samples):
        if sample.folder not in spelled:
            spelled[sample.folder] = alike.setdefault(_fold(sample.folder), array("q"))
        spelled[sample.folder].append(index)
    found = [("", "")] * len(samples)
    for indices in alike.values():  # one after the other: it takes thrice the memory of what comes out
        names = _names([samples[index] for index in indices], image_format, unique_stems, folders)
        for index, (folder, base, ending) in zip(indices, names, strict=True):
            found[index] = f"{folder}/{base}" if folder else base, ending
    return found


_Spot = tuple[str, str, str]


def _spot(folder: str, base: str, ending: str) -> _Spot:
    """What all names made from `base` have in common: two sources of one spot could make one name."""
    return _fold(folder), _COPY.sub("", _fold(base)), _fold(ending)


def _names(samples: Sequence[Sample], image_format: str, unique_stems: bool, folders: Set[_Spot]) -> list[_Spot]:
    """Folder, base name and ending of samples of one folder. `folders`: names that are those of folders."""

    def family(folder: str, base: str, ending: str) -> _Spot:
        return _spot(folder, base, "" if unique_stems else ending)

    def claim(index: int) -> tuple[bool, bool, str]:
        """The plain name stays with the source that bears it already; a name that looks like a copy's never wins."""
        _, base, ending = names[index]
        file = samples[index].id.rpartition("/")[2]
        return bool(_COPY.search(_fold(base))), file != base + ending, samples[index].id

    names: list[_Spot] = []
    families: dict[_Spot, list[int]] = defaultdict(list)
    for index, sample in enumerate(samples):
        file = sample.id.rpartition("/")[2]
        base = _fitting(_split(file)[0].replace(".", "_"), sample.id)
        names.append((sample.folder, base, written_ending(file, image_format)))
        families[family(*names[-1])].append(index)
    renamed: list[int] = []
    for members in families.values():
        if len(members) > 1 or (folders and _spot(*names[members[0]]) in folders):
            members.sort(key=claim)
            renamed += members[_spot(*names[members[0]]) not in folders :]
    for index in renamed:
        folder, base, ending = names[index]
        for attempt in count():
            other = f"{_cut(base, 40)}_{_short_hash(f'{attempt or str()}{samples[index].id}')}"
            if family(folder, other, ending) not in families and _spot(folder, other, ending) not in folders:
                break
        families[family(folder, other, ending)] = [index]
        names[index] = (folder, other, ending)
    return names


def tar_names(splits: Iterable[str | None]) -> dict[str | None, str]:
    """What the tars of each split are called, less their numbers; no two alike, where case is ignored neither."""
    names: dict[str | None, str] = {}
    for split in sorted(splits, key=lambda split: split or ""):
        name = "data" if split is None else _cut(re.sub(r"[^\w-]+", "_", split), 60) or "_"
        if any(_fold(name) == _fold(other) for other in names.values()):
            name = f"{name}_{_short_hash(str(split))}"
        names[split] = name
    return names


def tar_of(name: str) -> str:
    """The tar that a file of this name, or of this stem, lies in: `train-000003.tar/cat/tabby.jpg`."""
    return name.partition("/")[0]


def copy_name(stem: str, ending: str, copy: int) -> str:
    """`cat/tabby`, `.jpg`, 3 -> `cat/tabby_aug03.jpg`; copy 0 is the original and keeps the plain name."""
    return f"{stem}_aug{copy:02d}{ending}" if copy else stem + ending


def copy_names(job: Job, copy: int) -> list[str]:
    """All files of one copy: the image first, then what goes with it."""
    mark = copy_name("", "", copy)
    return [f"{job.stem}{mark}{job.ending}", *[f"{one.stem}{mark}{one.ending}" for one in job.beside]]


def job_names(job: Job) -> Iterator[str]:
    """All files of all copies."""
    return (name for copy in job.copies for name in copy_names(job, copy))


def without_copy(name: str) -> str:
    """What names have in common that could become one by the number of a copy, wherever it stands."""
    return re.sub(r"_aug\d{2,}", "", _fold(name))


def _split(file: str) -> tuple[str, str]:
    """`tabby.v2.jpg` -> `tabby.v2`, `.jpg`; a name without a dot, or that begins with its only one, is all stem."""
    dot = file.rfind(".")
    return (file[:dot], file[dot:]) if dot > 0 else (file, "")


def _folders(samples: Sequence[Sample]) -> set[tuple[str, str]]:
    """(parent, name) of every folder that images go to, and of those above."""
    found: set[tuple[str, str]] = set()
    for folder in {sample.folder for sample in samples}:
        while folder:
            parent, _, name = folder.rpartition("/")
            found.add((parent, name))
            folder = parent
    return found


def _fold(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _short_hash(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=4).hexdigest()


def _fitting(base: str, sample_id: str) -> str:
    """`base`, or its beginning and a hash where the copies' names would be too long for a file system."""
    if len(base.encode()) <= _NAME_MAX - 30:  # room for a hash, "_aug100000" and an ending
        return base
    return f"{_cut(base, 40)}_{_short_hash(sample_id)}"


def _cut(base: str, room: int) -> str:
    """The beginning of `base` that leaves `room` bytes of a file name, never splitting a character."""
    return base.encode()[: _NAME_MAX - room].decode(errors="ignore")


def images_in(folder: str) -> list[str]:
    """The images of a folder that a recipe names, by name; folders in it do not count."""
    with os.scandir(folder) as entries:
        known = [one.name for one in entries if one.is_file() and os.path.splitext(one.name)[1].lower() in READABLE]
    return sorted(known)
