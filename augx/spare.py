"""Where a file that belongs to no OUTPUT may be written: a sheet, a report."""

from __future__ import annotations

import os

from augx import journal
from augx.errors import Refused
from augx.store import OWN, Folder


def check_place(path: str) -> None:
    """Refused where no file can be written, or in a folder whose files augx has all listed."""
    if "\0" in path:
        raise Refused("-o: a NUL character is in the path", "write it elsewhere")
    place = os.path.realpath(path)
    if os.path.isdir(place):
        raise Refused(f"{path} is a folder", f"give the name of a file, such as {os.path.join(path, 'out.html')}")
    folder = os.path.dirname(place)
    if not os.path.isdir(folder):
        raise Refused(f"{path}: there is no folder {os.path.dirname(path)}", "make it, or write elsewhere")
    while folder != os.path.dirname(folder):
        if _written(folder):
            raise Refused(f"{path} lies in {folder}, which augx has written and verifies", "write it elsewhere")
        folder = os.path.dirname(folder)


def _written(folder: str) -> bool:
    there = os.path.isdir(os.path.join(folder, OWN)) or os.path.isfile(os.path.join(folder, journal.SUMMARY))
    return there and journal.owned(Folder(folder))
