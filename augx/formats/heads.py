"""A glance at a dataset: the files near its root, and how they begin."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from augx.formats.walk import inside, is_folder
from augx.store import open_regular, pass_over

_FOLDERS = 200  # no glance lists more


class _Listing(NamedTuple):
    """What is in a folder, without hidden names and links to folders. `links`: those of `files` that are links."""

    folders: list[str]
    files: list[str]
    links: set[str]


_kept: dict[str, _Listing] | None = None


@contextmanager
def one_look() -> Iterator[None]:
    """While many formats glance at a dataset, each folder is listed once."""
    global _kept
    before, _kept = _kept, {}
    try:
        yield
    finally:
        _kept = before


def _listing(path: str) -> _Listing:
    """Raises OSError."""
    if _kept is not None and path in _kept:
        return _kept[path]
    found = _Listing([], [], set())
    with os.scandir(path) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if is_folder(entry):
                if not entry.is_symlink():
                    found.folders.append(entry.name)
                continue
            found.files.append(entry.name)
            if entry.is_symlink():
                found.links.add(entry.name)
    if _kept is not None:
        _kept[path] = found
    return found


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
            try:
                there = _listing(os.path.join(root, folder))
            except OSError as error:
                pass_over(error, os.path.join(root, folder))
                continue
            deeper += [f"{folder}{name}/" for name in there.folders]
            for name in sorted(name for name in there.files if name.lower().endswith(endings))[:each]:
                path = folder + name
                if outside or name not in there.links or inside(os.path.join(root, path), root):
                    yield path
        folders = sorted(deeper)


def head(root: str, path: str, size: int = 1 << 16) -> bytes:
    """The first bytes of a file; b"" for what cannot be read."""
    try:
        with open_regular(os.path.join(root, path)) as file:
            return file.read(size)
    except OSError as error:
        pass_over(error, os.path.join(root, path))
        return b""


def tail(root: str, path: str, size: int = 1 << 12) -> bytes:
    """The last bytes of a file; b"" for what cannot be read."""
    try:
        with open_regular(os.path.join(root, path)) as file:
            file.seek(-min(size, os.fstat(file.fileno()).st_size), os.SEEK_END)
            return file.read(size)
    except OSError as error:
        pass_over(error, os.path.join(root, path))
        return b""
