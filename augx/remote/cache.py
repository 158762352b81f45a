"""Content of objects on this machine, as much of it as is wanted here.

`AUGX_CACHE_DIR`: where, else `augx` in the user's cache folder. `AUGX_CACHE_SIZE`: bytes ("20G"), 10 GB if it is not
said. What was not used for longest goes first; all of it may be deleted at any time.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from augx.errors import Refused, Stopped

_USUAL = 10 * 10**9
_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}
_LEFT = 0.9  # of the limit, once there was too much
_FORGOTTEN = 86400.0  # seconds


def folder() -> str:
    """Where all that is kept of other places lies here."""
    if given := os.environ.get("AUGX_CACHE_DIR"):
        return os.path.abspath(given)
    above = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return os.path.join(os.path.abspath(above), "augx")


def limit() -> int:
    """Bytes that may be kept. Raises Refused where it is said in another way."""
    given = os.environ.get("AUGX_CACHE_SIZE", "").strip()
    if not given:
        return _USUAL
    found = re.fullmatch(r"(\d{1,15})\s*([kmgt]?)i?b?", given, re.IGNORECASE)
    if not found:
        raise Refused(f"AUGX_CACHE_SIZE {given!r} is no size", "write one such as 800M or 20G")
    return int(found[1]) * _UNITS[found[2].lower()]


def private(path: str) -> None:
    """Makes a folder that nobody else can look into, unless it is there."""
    os.makedirs(path, 0o700, exist_ok=True)


@contextmanager
def keeping(place: str) -> Iterator[None]:
    """While something is written here: Stopped where that cannot be."""
    try:
        yield
    except OSError as error:
        said = f"cannot write {place}: {error.strerror or error}"
        raise Stopped(said, "free some space there, or set AUGX_CACHE_DIR to a folder you may write to") from error


class Cache:
    def __init__(self, root: str, limit: int) -> None:
        self.root = os.path.join(root, "content")
        self.limit = limit
        self._added = limit  # so that the first one looks

    def path(self, key: str, size: int, mtime_ns: int, fill: Callable[[str], None]) -> str:
        """A file of this size that holds what `fill` writes to the path it is given, now or earlier, under this key;
        with this modification time. It may go away as soon as others come: open it at once. Raises what `fill` raises,
        and Stopped where nothing can be kept here."""
        name = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
        place = os.path.join(self.root, name[:2], name)
        temporary = os.path.join(self.root, f"{name}.{secrets.token_hex(6)}")
        with keeping(self.root):
            with suppress(FileNotFoundError):
                if os.stat(place).st_size == size:  # else it was cut short, by a power cut
                    os.utime(place, ns=(time.time_ns(), mtime_ns))
                    return place
            private(self.root)
            private(os.path.dirname(place))
            os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        try:
            fill(temporary)
            with keeping(self.root):
                os.utime(temporary, ns=(time.time_ns(), mtime_ns))
                self._make_room(size)
                os.replace(temporary, place)
        except BaseException:
            with suppress(OSError):
                os.unlink(temporary)
            raise
        return place

    def _make_room(self, size: int) -> None:
        """Looks at what there is after each sixteenth of the limit."""
        self._added += size
        if self._added * 16 < self.limit:
            return
        self._added = 0
        found: list[tuple[int, int, str]] = []
        for above, _, names in os.walk(self.root):
            for name in names:
                with suppress(OSError):
                    status = os.stat(path := os.path.join(above, name))
                    if "." not in name:
                        found.append((status.st_atime_ns, status.st_size, path))
                    elif (
                        max(status.st_atime, status.st_mtime) < time.time() - _FORGOTTEN
                    ):  # whoever was filling it was killed
                        os.unlink(path)
        held = sum(size for _, size, _ in found)
        if held <= self.limit:
            return
        newest = max(found, default=(0, 0, ""))[2]
        for _, size, path in sorted(found):
            if held <= self.limit * _LEFT or path == newest:
                return
            with suppress(OSError):
                os.unlink(path)
            held -= size
