"""Where a file that belongs to no OUTPUT may be written: a sheet, a report."""

from __future__ import annotations

import os
from collections.abc import Sequence

from augx import journal
from augx.errors import Refused
from augx.store import OWN, Folder


def check_place(path: str, what: str, endings: Sequence[str]) -> None:
    """Refused where no file can be written, or in a folder whose files augx has all listed. Of a link counts where it
    leads. `what`: as in "a sheet". `endings`: those it may have."""
    if not path:
        raise Refused("-o: the path is empty", f"give the name of a file, such as out{endings[0]}")
    if "\0" in path:
        raise Refused("-o: a NUL character is in the path", "write it elsewhere")
    place = os.path.realpath(path)
    for one, said in ((path, path), (place, f"{path} leads to {place}")):
        if os.path.splitext(one)[1].lower() not in endings:
            shown = [ending for ending in endings if ending not in (".jpeg", ".htm")]
            names = " or ".join(filter(None, (", ".join(shown[:-1]), shown[-1])))
            raise Refused(f"{said}: {what} ends in {names}", "give -o such an ending, and no link to anything else")
    if os.path.isdir(place):
        raise Refused(f"{path} is a folder", f"give the name of a file, such as {os.path.join(path, 'out.html')}")
    folder = os.path.dirname(place)
    if not os.path.isdir(folder):
        raise Refused(
            f"{path}: there is no folder {folder if os.path.islink(path) else os.path.dirname(path)}",
            "make it, or write elsewhere",
        )
    while folder != os.path.dirname(folder):
        if _written(folder):
            raise Refused(f"{path} lies in {folder}, which augx has written and verifies", "write it elsewhere")
        folder = os.path.dirname(folder)


def same(one: str, other: str) -> bool:
    """Whether they are one file, or would be."""
    if os.path.exists(one) and os.path.exists(other):
        return os.path.samefile(one, other)
    return os.path.realpath(one) == os.path.realpath(other)


def _written(folder: str) -> bool:
    there = os.path.isdir(os.path.join(folder, OWN)) or os.path.isfile(os.path.join(folder, journal.SUMMARY))
    return there and journal.owned(Folder(folder))
