"""Text files that list images, one a line: VOC's ImageSets, CamVid's pairs of image and mask."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from augx.formats.class_table import lines

MAX_BYTES = 1 << 26
_COUNT = re.compile("-?[0-9]{1,8}")


class Names:
    """Images by the ends of their paths, with and without ending."""

    def __init__(self, images: Iterable[str]) -> None:
        self._paths: dict[str, list[str]] = defaultdict(list)
        for path in images:
            bare = path[: path.rfind(".")] if "." in path.rpartition("/")[2] else path
            for spelled in dict.fromkeys((path, bare)):
                rest = spelled
                while rest:
                    self._paths[rest].append(path)
                    rest = rest.partition("/")[2]

    def find(self, name: str, home: str = "") -> str:
        """The one image below the folder `home` whose path ends so; "" if there is none, or more than one."""
        found = self._paths.get(name.replace("\\", "/").removeprefix("./").strip("/"), [])
        found = [path for path in found if not home or path.startswith(home + "/")]
        return found[0] if len(found) == 1 else ""


@dataclass(frozen=True, slots=True)
class Line:
    """`name`: as it is listed; `numbers`: what follows it (in VOC a class's presence, or an object's number)."""

    image: str
    name: str
    numbers: tuple[int, ...]


def parse(root: str, path: str, names: Names, home: str = "", most: int | None = None) -> tuple[list[Line], list[str]]:
    """The lines of a list whose image is there, and the names of those that are not; of the first `most` lines."""
    known: list[Line] = []
    missing: list[str] = []
    for line in lines(root, path, MAX_BYTES)[:most]:
        name, numbers = line.strip('"'), list[int]()
        while not (image := names.find(name, home)):
            before, _, last = name.replace("\t", " ").rpartition(" ")
            if not before or len(numbers) == 2 or not _COUNT.fullmatch(last):
                break
            name = before.rstrip().strip('"')
            numbers.insert(0, int(last))
        if image:
            known.append(Line(image, name, tuple(numbers)))
        else:
            missing.append(line)
    return known, missing


def parse_paths(root: str, path: str, names: Names) -> tuple[list[tuple[str, list[str]]], list[str]]:
    """The images of a list whose lines are paths, with all the paths of their line; and the lines of no image.

    Paths may be absolute, as they were on another machine: the longest end of one that is an image counts.
    """
    known: list[tuple[str, list[str]]] = []
    missing: list[str] = []
    for line in lines(root, path, MAX_BYTES):
        for words in (line.split(), [line]):
            if image := _by_end(words[0], names):
                known.append((image, words))
                break
        else:
            missing.append(line)
    return known, missing


def _by_end(path: str, names: Names) -> str:
    parts = [part for part in path.replace("\\", "/").split("/") if part not in ("", ".")]
    ends = ("/".join(parts[start:]) for start in range(min(len(parts), 30)))
    return next((image for end in ends if (image := names.find(end))), "")
