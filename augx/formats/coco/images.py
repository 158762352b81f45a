"""Which files the names in a COCO label file mean: images, and panoptic masks."""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Iterator

from augx.formats.coco.file import shown
from augx.formats.coco.reading import Reading
from augx.formats.walk import Finder
from augx.model import Flaw, Json

_TRIED = 1000  # names that tell in which folder a label file's images are


def find_images(
    root: str, reading: Reading, images: frozenset[str], failed: dict[tuple[str | None, str], Flaw]
) -> Iterator[tuple[Json, str]]:
    """(image id, path) for each image that is there; the others go to `failed`, under (split, name).

    A name counts from one of the folders where images usually are, if some are there; if none, from any folder.
    """
    file = reading.file
    folder = posixpath.dirname(file.path)
    tops = dict.fromkeys((posixpath.dirname(folder), folder, ""))
    below = (f"images/{file.where}", file.where, f"{file.where}/images", "images", "data", "")
    usual = [folder, *(posixpath.join(top, name.strip("/")) for top in tops for name in below)]
    names = {
        key: posixpath.normpath(str(record["file_name"]).strip().replace("\\", "/"))
        for key, record in reading.images.items()
    }
    tried = list(names.values())[:_TRIED]
    bases = dict.fromkeys(base.rstrip("/") + "/" if base else "" for base in usual)
    hits = {base: sum(base + name in images for name in tried) for base in bases}
    kept = tuple(sorted((base for base in bases if hits[base]), key=lambda base: -hits[base]))
    finder = Finder(root, folder, images)
    seen: dict[str, Json] = {}
    for key, name in names.items():
        path = next((base + name for base in kept if base + name in images), "")
        code = message = ""
        if not path:
            path, code, message = finder.find(str(reading.images[key]["file_name"]))
            if path and kept and not path.startswith(kept):
                path, code, message = "", "missing-file", f"there is no such image where the others are, only {path}"
        if key in reading.twice:
            path, code, message = "", "duplicate-image-id", f"its id {shown(key)} is that of another image too"
        if not path:
            flaw = Flaw(code, name[:1000], f"{file.path}: image {shown(key)}: {message}")
            failed.setdefault((file.split, name), flaw)
            continue
        if code:
            reading.problem(key, code, f"image {shown(key)}: {message}")
        if path in seen:
            reading.paths[key] = path
            reading.problem(
                key, "duplicate-file-name", f"images {shown(seen[path])} and {shown(key)} are one file, and become one"
            )
            reading.join(seen[path], key)
            continue
        seen[path] = key
        yield key, path


def mask_folder(path: str) -> str:
    """Where the masks of a panoptic label file usually are."""
    return path.rpartition(".")[0] + "/"


class Masks:
    """Finds the panoptic masks: in the folder that is called like its label file, or where a name leads.

    `failed`: images whose mask is not there.
    """

    def __init__(self, root: str, images: frozenset[str], taken: Collection[str]) -> None:
        self._root, self._images, self._taken = root, images, taken
        self._finders: dict[str, Finder] = {}
        self.failed: list[Flaw] = []

    def find(self, reading: Reading, key: Json) -> str | None:
        name = reading.segments[key]
        if not isinstance(name, str):
            name = posixpath.basename(reading.paths[key]).rpartition(".")[0] + ".png"
        folder = mask_folder(reading.file.path)
        path = folder + name
        if path not in self._images:
            finder = self._finders.setdefault(folder, Finder(self._root, folder.rstrip("/"), self._images))
            path = finder.find(name)[0]
        if path and path not in self._taken:
            return path
        message = f"{reading.file.path}: image {shown(key)}: its mask {name[:200]} is not there"
        self.failed.append(Flaw("missing-mask", reading.paths[key], message))
        return None
