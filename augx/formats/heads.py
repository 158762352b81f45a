"""A glance at a dataset: the files near its root, and how they begin."""

from __future__ import annotations

import os
from collections.abc import Iterator

from augx.formats.walk import inside, is_folder
from augx.store import open_regular

_FOLDERS = 200  # no glance lists more


def near(root: str, endings: tuple[str, ...], depth: int = 2, each: int = 3, outside: bool = False) -> Iterator[str]:
    """Files with these endings (lower case) down to `depth` folders below the root: the first `each` of a folder.

    Sorted, folder by folder, the nearest first; hidden ones and links to folders are left out, and so are links that
    lead out of the root, but for `outside`.
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
            links: set[str] = set()
            try:
                with os.scandir(os.path.join(root, folder)) as entries:
                    for entry in entries:
                        name = entry.name
                        if name.startswith("."):
                            continue
                        if is_folder(entry):
                            if not entry.is_symlink():
                                deeper.append(f"{folder}{name}/")
                        elif name.lower().endswith(endings):
                            names.append(folder + name)
                            if entry.is_symlink():
                                links.add(folder + name)
            except OSError:
                continue
            for path in sorted(names)[:each]:
                if outside or path not in links or inside(os.path.join(root, path), root):
                    yield path
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
