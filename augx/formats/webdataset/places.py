"""Which tars an INPUT means: those of a folder, one, or several by a pattern such as `train-{000..127}.tar`."""

from __future__ import annotations

import os
import posixpath

from augx.braces import expanded
from augx.errors import InputError
from augx.formats.walk import require_folder, shown


def shards_of(root: str) -> tuple[str, list[str] | None]:
    """The folder, and the names under it of the tars that are meant; None: all that there are."""
    if not root.endswith(".tar") or os.path.isdir(root):
        require_folder(root)
        return root, None
    paths = [root] if os.path.lexists(root) else list(expanded(root))
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
