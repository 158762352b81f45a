"""A glance at a dataset: the files near its root, and how they begin."""

from __future__ import annotations

import os
from collections.abc import Iterator

from augx.formats.walk import is_folder
from augx.store import open_regular

_FOLDERS = 200  # no glance lists more


def near(root: str, endings: tuple[str, ...], depth: int = 2, each: int = 3) -> Iterator[str]:
    """Files with these endings (lower case) down to `depth` folders below the root: the first `each` of a folder.

    Sorted, folder by folder, the nearest first; hidden ones and links to folders are left out.
    """
    folders = [""]
    listed = 0
    for _ in range(depth + 1):
        deeper: list[str] = []
        for folder in folders:
            listed += 1
            if listed > _FOLDERS:
                return
            names: list[str] = []
            try:
                with os.scandir(os.path.join(root, folder)) as entries:
                    for entry in entries:
                        name = entry.name
                        if name.startswith("."):
                            continue
                        if name.lower().endswith(endings):
                            names.append(folder + name)
                        elif is_folder(entry) and not entry.is_symlink():
                            deeper.append(f"{folder}{name}/")
            except OSError:
                continue
            yield from sorted(names)[:each]
        folders = sorted(deeper)


def head(root: str, path: str, size: int = 1 << 16) -> bytes:
    """The first bytes of a file; b"" for what cannot be read."""
    try:
        with open_regular(os.path.join(root, path)) as file:
            return file.read(size)
    except OSError:
        return b""


def tail(root: str, path: str, size: int = 1 << 12) -> bytes:
    """The last bytes of a file; b"" for what cannot be read."""
    try:
        with open_regular(os.path.join(root, path)) as file:
            file.seek(-min(size, os.fstat(file.fileno()).st_size), os.SEEK_END)
            return file.read(size)
    except OSError:
        return b""
