"""Where a file that belongs to no OUTPUT may be written: a sheet, a report, a recipe, a schema."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from augx import journal
from augx.errors import OutputError, Refused
from augx.remote.bucket import is_address
from augx.store import OWN, Folder, open_regular

_MOST = 16 << 20  # bytes of a file that is looked into


def check_place(path: str, example: str, what: str = "a file", endings: Sequence[str] = ()) -> None:
    """Refused where no file can be written, or in a folder whose files augx has all listed. Of a link counts where it
    leads. `example`: of a name. `what`: as in "a sheet". `endings`: those it may have; none: any."""
    if "\0" in path:
        raise Refused("-o: a NUL character is in the path", "write it elsewhere")
    if not path:
        raise Refused("-o: the name is empty", "give the name of a file")
    if is_address(path):
        raise Refused(f"{path}: {what} is written to this machine", "give -o a path here; INPUT and OUTPUT may be URLs")
    place = os.path.realpath(path)
    for one, said in ((path, path), (place, f"{path} leads to {place}")):
        if endings and os.path.splitext(one)[1].lower() not in endings:
            shown = [ending for ending in endings if ending not in (".jpeg", ".htm")]
            names = " or ".join(filter(None, (", ".join(shown[:-1]), shown[-1])))
            raise Refused(f"{said}: {what} ends in {names}", "give -o such an ending, and no link to anything else")
    if os.path.isdir(place):
        raise Refused(f"{path} is a folder", f"give the name of a file, such as {os.path.join(path, example)}")
    folder = os.path.dirname(place)
    if not os.path.isdir(folder):
        lacking = folder if os.path.islink(path) else os.path.dirname(path) or folder
        raise Refused(f"{path}: there is no folder {lacking}", "make it, or write elsewhere")
    while folder != os.path.dirname(folder):
        if _written(folder):
            raise Refused(f"{path} lies in {folder}, which augx has written and verifies", "write it elsewhere")
        folder = os.path.dirname(folder)


def check_free(path: str, force: bool, ways_out: str, ours: Callable[[bytes], bool] = lambda content: False) -> None:
    """OutputError where a file is there already, but with `force`, or where it is one of `ours`; and where a link leads
    to any other. Pipes and the like may be written to."""
    if not os.path.isfile(path):
        if os.path.islink(path) and not os.path.exists(path):
            raise OutputError(f"{path} is a link to {os.path.realpath(path)}, which is not there", "remove the link")
        return
    if _is(path, ours):
        return
    if os.path.islink(path):
        target = os.path.realpath(path)
        raise OutputError(f"{path} is a link to {target}", "name the file itself, or remove the link")
    if not force:
        raise OutputError(f"{path} is there already", ways_out)


def _is(path: str, ours: Callable[[bytes], bool]) -> bool:
    try:
        with open_regular(path) as file:
            return ours(file.read(_MOST))
    except OSError:
        return False


def same(one: str, other: str) -> bool:
    """Whether they are one file, or would be."""
    if os.path.exists(one) and os.path.exists(other):
        return os.path.samefile(one, other)
    return os.path.realpath(one) == os.path.realpath(other)


def _written(folder: str) -> bool:
    there = os.path.isdir(os.path.join(folder, OWN)) or os.path.isfile(os.path.join(folder, journal.SUMMARY))
    return there and journal.owned(Folder(folder))
