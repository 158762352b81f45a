"""The files that say which classes a mask's numbers or colours mean, and what a mask file is."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from augx.errors import printable
from augx.model import Dataset
from augx.store import open_regular, pass_over

# In the order they are believed where there are several.
NAMES = (
    *("dataset_meta.json", "labelmap.txt", "label_map.txt", "labelmap.csv", "label_map.csv", "class_dict.csv"),
    *("label_colors.txt", "class_names.txt", "classes.txt", "labels.txt", "obj_names.txt"),
)
BACKGROUND = frozenset({"background", "bg"})
NO_CLASS = frozenset({"void", "ignore", "ignored", "unlabelled", "unlabeled", "ignore_region"})
LOSSY = (".jpg", ".jpeg", ".jpe", ".jfif", ".webp")
MAX_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class ClassTable:
    """`names` by class number, with the background; () where the numbers leave gaps. `files`: all such files there."""

    names: tuple[str, ...] = ()
    ignore: int | None = None
    files: tuple[str, ...] = ()


def read(root: str, documents: Iterable[str]) -> ClassTable:
    """The classes a dataset's own files name. `documents`: all its files; the one nearest to the root counts."""
    files = [
        path for path in documents if path.rpartition("/")[2].lower() in NAMES and _content(root, path) is not None
    ]
    files.sort(key=lambda path: (path.count("/"), NAMES.index(path.rpartition("/")[2].lower()), path))
    for path in files:
        numbered = _numbered(path, lines(root, path))
        if numbered:
            no_class = [number for number, name in numbered.items() if plain(name) in NO_CLASS]
            without_gaps = min(numbered) == 0 and max(numbered) == len(numbered) - 1
            names = tuple(numbered[n] for n in sorted(numbered)) if without_gaps else ()
            return ClassTable(names, no_class[0] if len(no_class) == 1 else None, tuple(sorted(files)))
    return ClassTable(files=tuple(sorted(files)))


def plain(name: str) -> str:
    """`_background_` -> `background`."""
    return name.strip("_ ").lower()


def _content(root: str, path: str, limit: int = MAX_BYTES) -> str | None:
    """A text file as it is; None where it cannot be read as one, or has more than `limit` bytes."""
    try:
        with open_regular(os.path.join(root, *path.split("/"))) as file:
            data = file.read(limit + 1)
        return data.decode() if len(data) <= limit else None
    except OSError as error:
        pass_over(error, os.path.join(root, *path.split("/")))
        return None
    except ValueError:
        return None


def lines(root: str, path: str, limit: int = MAX_BYTES) -> list[str]:
    """The lines of a text file, without comments, empty ones and spaces at their ends."""
    content = (_content(root, path, limit) or "").removeprefix("\ufeff")
    every = (line.strip() for line in content.replace("\r", "\n").split("\n"))
    return [line for line in every if line and not line.startswith("#")]


def kept(root: str, files: Iterable[str]) -> Iterator[tuple[str, Iterable[str]]]:
    """Small text files of the dataset, to be written as they were."""
    for path in files:
        yield path, (_content(root, path) or "",)


def new(dataset: Dataset) -> Iterator[tuple[str, Iterable[str]]]:
    """class_names.txt for a dataset of another format whose classes can only be those of its masks."""
    known = [sample.annotations for sample in dataset.samples]
    if dataset.classes and any(one.mask for one in known) and not any(one.objects or one.labels for one in known):
        yield "class_names.txt", (f"{name}\n" for name in dataset.classes)


def _numbered(path: str, content: Sequence[str]) -> dict[int, str]:
    """Class number -> name; empty where the file is something else."""
    if path.lower().endswith(".json"):
        return _from_json("\n".join(content))
    if path.lower().endswith(".csv"):
        return _from_csv(content)
    names = list(map(_name, content))
    if names and names[0] == "__ignore__":  # LabelMe's labels.txt, which counts from -1
        names = names[1:]
    return dict(enumerate(names))


def _name(line: str) -> str:
    """Of `64 128 64 Animal`, `Animal 64 128 64`, VOC's `name:colour:parts:actions`, or just the name."""
    words = line.replace(",", " ").replace(";", " ").split()
    numbers = [word.isdigit() and len(word) <= 3 for word in words]
    if len(words) > 3 and all(numbers[:3]):
        return " ".join(words[3:])
    if len(words) > 3 and all(numbers[-3:]):
        return " ".join(words[:-3])
    return line.split(":")[0].strip() if line.count(":") == 3 else line


def _from_csv(content: Sequence[str]) -> dict[int, str]:
    """`name,r,g,b` with a header, or `index,name` or `name,index`."""
    cells = [[cell.strip().strip('"') for cell in line.split(",")] for line in content]
    if not cells:
        return {}
    header = [cell.lower() for cell in cells[0]]
    column = next((header.index(name) for name in ("name", "class", "label", "class_name") if name in header), None)
    if column is None:
        column = next((n for n, cell in enumerate(cells[0]) if not cell.lstrip("-").isdigit()), 0)
    else:
        cells = cells[1:]
    number = next((header.index(name) for name in ("index", "id", "class_id", "label_id") if name in header), None)
    names: dict[int, str] = {}
    for row, line in enumerate(cells):
        if len(line) <= max(column, number or 0):
            return {}
        told = line[number] if number is not None else str(row)
        if not told.isdecimal() or len(told) > 9:
            return {}
        names[int(told)] = line[column]
    return names


def _from_json(content: str) -> dict[int, str]:
    try:
        value = json.loads(content)
        told = value["label_map"]
        pairs = told.items() if isinstance(told, dict) else enumerate(told)
        return {int(number): printable(str(name)) for number, name in pairs}
    except (ValueError, TypeError, KeyError, RecursionError):
        return {}


def coloured(root: str, path: str) -> bool:
    """Whether a mask's classes are colours: a PNG of RGB, told by its header alone."""
    try:
        with open_regular(os.path.join(root, *path.split("/"))) as file:
            head = file.read(26)
    except OSError as error:
        pass_over(error, os.path.join(root, *path.split("/")))
        return False
    return head[:8] == b"\x89PNG\r\n\x1a\n" and len(head) == 26 and head[25] in (2, 6)
