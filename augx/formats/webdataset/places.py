"""Which tars an INPUT means: those of a folder, one, or several by a pattern such as `train-{000..127}.tar`."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterator
from itertools import product

from augx.errors import InputError
from augx.formats.walk import require_folder, shown

_BRACES = re.compile(r"\{([^{}]*)\}")
_RANGE = re.compile(r"(\d{1,9})\.\.(\d{1,9})")
_MOST = 1_000_000


def shards_of(root: str) -> tuple[str, list[str] | None]:
    """The folder, and the names under it of the tars that are meant; None: all that there are."""
    if not root.endswith(".tar") or os.path.isdir(root):
        require_folder(root)
        return root, None
    paths = [root] if os.path.lexists(root) else list(_expanded(root))
    if len({os.path.isabs(path) for path in paths}) > 1:
        raise InputError(f"{shown(root)} means tars from / on and tars from here", "write all paths in one way")
    folder = os.path.commonpath([os.path.dirname(path) for path in paths]) or "."
    require_folder(folder)
    for path in paths:
        if not os.path.lexists(path):
            hint = "a pattern is path/{000..127}.tar, in quotes; a folder means all tars in it"
            raise InputError(f"{shown(path)}: there is no such tar", hint)
    names = (os.path.relpath(path, folder).replace(os.sep, posixpath.sep) for path in paths)
    return folder, sorted(dict.fromkeys(names))


def _expanded(pattern: str) -> Iterator[str]:
    """`{0..2}` and `{a,b}` as a shell expands them."""
    parts = _BRACES.split(pattern)  # text and what stood in braces, in turn
    choices: list[list[str]] = []
    count = 1
    for place, part in enumerate(parts):
        choices.append(_choices(part) if place % 2 else [part])
        count *= len(choices[-1])
        if count > _MOST:  # before the next part takes memory
            raise InputError(f"{shown(pattern)} means {count:,} tars or more", f"give {_MOST:,} at most")
    for chosen in product(*choices):
        yield "".join(chosen)


def _choices(text: str) -> list[str]:
    found = _RANGE.fullmatch(text)
    if not found:
        return text.split(",") if "," in text else ["{" + text + "}"]
    first, last = int(found[1]), int(found[2])
    if abs(last - first) >= _MOST:
        raise InputError(f"{{{text}}} means {abs(last - first) + 1:,} tars", f"give {_MOST:,} at most")
    padded = any(len(number) > 1 and number[0] == "0" for number in found.groups())  # {0..10} is not, as in a shell
    width = max(map(len, found.groups())) if padded else 0
    return [f"{number:0{width}d}" for number in range(min(first, last), max(first, last) + 1)]
