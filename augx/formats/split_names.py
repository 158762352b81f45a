"""Which split the name of a label file or folder says."""

from __future__ import annotations

import re

from augx.formats.folder import SPLITS

_WORDS = re.compile(r"[^a-z0-9]+")


def split_of(path: str) -> str | None:
    """That of the innermost folder called like a split, else of the first such word in the file's own name."""
    folder, _, name = path.lower().rpartition("/")
    words = [*reversed(folder.split("/")), *_WORDS.split(name)]
    return next((SPLITS[word] for word in words if word in SPLITS), None)
