"""Every call of a process that touches a file under certain folders, seen before it happens: to count it, to fail it,
or to note it down. Forks of the process are seen, too."""

from __future__ import annotations

import builtins
import ctypes
import fcntl
import io
import os
from collections.abc import Callable
from typing import Any, NamedTuple

from augx import store

NAMED = ("mkdir", "unlink", "remove", "rmdir", "scandir", "listdir", "stat", "lstat", "utime", "readlink")  # path first
NUMBERED = ("read", "pread", "write", "pwrite", "fstat", "fsync", "ftruncate")  # file descriptor first
CHANGING = frozenset(
    ("create", "write", "pwrite", "replace", "mkdir", "unlink", "remove", "rmdir", "utime", "ftruncate")
)  # what a disk looks like may depend on whether these have happened
FILLING = frozenset(("create", "write", "pwrite", "replace", "mkdir", "fsync", "syncfs"))  # may find the disk full
OPENING = frozenset(("open", "create", "scandir", "listdir"))  # need a file descriptor


class Event(NamedTuple):
    """`given`: the new name of a `replace`, the bytes of a `write`, the times of a `utime`."""

    call: str
    path: str
    given: Any = None


Seen = Callable[[Event], None]


def watch(folders: tuple[str, ...], seen: Seen) -> None:
    """Has `seen` called before each call on a file under `folders`; what it raises, the call raises. For good: fork
    first."""
    paths: dict[int, str] = {}  # of file descriptors
    roots = tuple(os.path.realpath(folder) for folder in folders)

    def ours(path: Any, beside: int | None = None) -> str | None:
        if isinstance(path, int):
            return paths.get(path)
        path = os.path.join(paths.get(beside, "") if beside is not None else "", os.fspath(path))
        path = os.path.abspath(os.fsdecode(path))
        return path if path.startswith(tuple(f"{root}/" for root in roots)) or path in roots else None

    def named(call: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def called(path: Any = ".", *given: Any, **more: Any) -> Any:
            if (place := ours(path, more.get("dir_fd"))) is not None:
                seen(Event(call, place, more.get("ns")))
            return real(path, *given, **more)

        return called

    def numbered(call: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def called(number: int, *given: Any, **more: Any) -> Any:
            if number in paths:
                seen(Event(call, paths[number], bytes(given[0]) if "write" in call else more.get("ns")))
            return real(number, *given, **more)

        return called

    real_os_open, real_close, real_replace, real_open = os.open, os.close, os.replace, builtins.open

    def os_open(path: Any, flags: int, *given: Any, **more: Any) -> int:
        place = ours(path, more.get("dir_fd"))
        if place is not None:
            seen(Event("create" if flags & os.O_CREAT else "open", place))
        number = real_os_open(path, flags, *given, **more)
        paths.pop(number, None)
        if place is not None:
            paths[number] = place
        return number

    def close(number: int) -> None:
        paths.pop(number, None)
        real_close(number)

    def replace(source: Any, target: Any) -> None:
        if (place := ours(source)) is not None:
            seen(Event("replace", place, ours(target)))
        real_replace(source, target)

    class Raw(io.FileIO):
        """A file whose reads and writes are seen, however it is buffered."""

        def readinto(self, buffer: Any) -> int | None:
            seen(Event("read", self.place))
            return super().readinto(buffer)

        def readall(self) -> bytes:
            seen(Event("read", self.place))
            return super().readall()

        def write(self, data: Any) -> int | None:
            seen(Event("write", self.place, bytes(data)))
            return super().write(data)

        def close(self) -> None:
            if not self.closed:
                paths.pop(self.fileno(), None)
            super().close()

    def opened(file: Any, mode: str = "r", buffering: int = -1, *given: Any, **more: Any) -> Any:
        place = ours(file)
        if place is None or more.get("opener"):
            return real_open(file, mode, buffering, *given, **more)
        if not isinstance(file, int):
            seen(Event("open" if mode.startswith("r") else "create", place))
        raw = Raw(file, mode.replace("b", "").replace("t", ""), more.pop("closefd", True))
        raw.place = place
        paths[raw.fileno()] = place
        if buffering == 0:
            return raw
        kind = io.BufferedReader if mode.startswith("r") else io.BufferedWriter
        buffered = kind(raw, buffering if buffering > 1 else io.DEFAULT_BUFFER_SIZE)
        return buffered if "b" in mode else io.TextIOWrapper(buffered, *given, **more)

    class Libc:
        """Stands for the C library, of which augx calls this one."""

        def syncfs(self, number: int) -> int:
            try:
                seen(Event("syncfs", paths[number]))
            except OSError as error:
                ctypes.set_errno(error.errno or 0)
                return -1
            return 0

    for call in NAMED:
        setattr(os, call, named(call, getattr(os, call)))
    for call in NUMBERED:
        setattr(os, call, numbered(call, getattr(os, call)))
    fcntl.flock = numbered("flock", fcntl.flock)
    os.open, os.close, os.replace = os_open, close, replace
    builtins.open = io.open = opened
    store._libc = Libc  # type: ignore[assignment]
