"""Where bytes go: a folder on a local disk.

A file with its final name is whole: it is written under `.augx/tmp` and renamed, and, unless `fsync` is off, its
content is on the disk before its name is, so that this holds for a power cut, too. OSErrors of writing become
`Stopped`, which names the file and the way out; reading is the caller's business.
"""

from __future__ import annotations

import ctypes
import errno
import hashlib
import os
import shutil
import stat
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import cache
from typing import BinaryIO, NamedTuple

from augx.errors import Stopped

OWN = ".augx"  # everything in it is ours
_WAYS_OUT = {
    errno.ENOSPC: "free some space and run the same command again: it goes on from here",
    errno.EDQUOT: "your disk quota is used up; free some space and run the same command again",
    errno.EROFS: "the file system is read-only; choose another OUTPUT or remount it",
    errno.EACCES: "you may not write there; change the permissions or choose another OUTPUT",
    errno.EPERM: "you may not write there; change the permissions or choose another OUTPUT",
    errno.EMFILE: "too many open files; raise `ulimit -n` or lower --workers, then run the same command again",
}


@contextmanager
def stopping(doing: str, path: str) -> Iterator[None]:
    """Turns an OSError of the body into `Stopped` with the place and the way out."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        hint = _WAYS_OUT.get(error.errno or 0, "the same command goes on from here when the cause is gone")
        raise Stopped(f"{doing} {path}: {reason}", hint) from error


FSYNC = ("each", "batch", "off")


class Folder:
    """Files by their name under `root`, with `/` between folders. One per process: temp names carry its id.

    `fsync`: whether what is written is also on the disk: "each" file before its name appears, all files of a `batch`
    together, or whenever the system likes ("off").
    """

    def __init__(self, root: str, fsync: str = "off") -> None:
        self.root = root
        self.fsync = fsync
        self._waiting: list[tuple[str, str]] | None = None  # of a batch: where they are, and where they go
        self._tmp = os.path.join(root, OWN, "tmp")
        self._made: set[str] = set()
        self._count = 0

    def path(self, name: str) -> str:
        return os.path.join(self.root, *name.split("/"))

    @staticmethod
    def inside(name: str) -> bool:
        """Whether a name that was read from a file can be one of ours: below the root, and not in our own folder."""
        parts = name.split("/")
        return not {"", ".", "..", OWN} & set(parts[:1]) and not {"", ".", ".."} & set(parts) and "\0" not in name

    @contextmanager
    def batch(self) -> Iterator[None]:
        """What is written in the body comes into place at its end, after all of it is on the disk; nothing of it does
        if the body raises."""
        waiting: list[tuple[str, str]] = []
        self._waiting = waiting
        try:
            yield
        finally:
            self._waiting = None
        self.sync()
        for temporary, path in waiting:
            with stopping("cannot write", path):
                self._place(temporary, path)

    def sync(self) -> None:
        """Waits until the disk has whatever was written, and under which names (with `fsync` "off", for nothing)."""
        if self.fsync != "off":
            with stopping("cannot write", self.root):
                _sync(self.root)

    def write(self, name: str, data: bytes, mtime_ns: int | None = None) -> None:
        """Puts `data` in place under `name`, whole or not at all, with the given modification time."""
        path = self.path(name)
        with stopping("cannot write", path):
            temporary = self._temporary()
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
            try:
                view = memoryview(data)
                while view:
                    view = view[os.write(descriptor, view) :]
                if mtime_ns is not None:
                    os.utime(descriptor, ns=(mtime_ns, mtime_ns))
                self._flush(descriptor)
            finally:
                os.close(descriptor)
            if self._waiting is None:
                self._place(temporary, path)
            else:
                _check_length(path)
                self._waiting.append((temporary, path))

    def stream(
        self, name: str, chunks: Iterable[bytes], before: Callable[[str], None] = lambda sha256: None
    ) -> tuple[int, str]:
        """As `write`, piece by piece; returns the size and the SHA-256 of the whole.

        `before` is called with the SHA-256 when the file is whole and not yet in place.
        """
        path = self.path(name)
        digest, size = hashlib.sha256(), 0
        with stopping("cannot write", path):
            temporary = self._temporary()
            with open(temporary, "wb", buffering=1 << 20) as file:
                for chunk in _read(chunks):
                    file.write(chunk)
                    digest.update(chunk)
                    size += len(chunk)
                file.flush()
                self._flush(file.fileno())
            before(digest.hexdigest())
            self._place(temporary, path)
        return size, digest.hexdigest()

    def remove(self, name: str) -> None:
        """Deletes a file if it is there, and the folders that this leaves empty."""
        path = self.path(name)
        with stopping("cannot delete", path):
            try:
                os.unlink(path)
            except FileNotFoundError:
                return
        folder = name.rpartition("/")[0]
        while folder:
            try:
                os.rmdir(self.path(folder))
            except OSError:
                return
            self._made.discard(self.path(folder))
            folder = folder.rpartition("/")[0]

    def names(self) -> set[str]:
        """The names of all files below the root but our own."""
        return self.content()[0]

    def content(self) -> tuple[set[str], set[str]]:
        """The names of all files and of all folders below the root but our own."""
        found: set[str] = set()
        folders: set[str] = set()
        waiting = [""]
        while waiting:
            folder = waiting.pop()
            with os.scandir(self.path(folder) if folder else self.root) as entries:
                for entry in entries:
                    name = f"{folder}/{entry.name}" if folder else entry.name
                    if name == OWN:
                        continue
                    if entry.is_dir(follow_symlinks=False):
                        folders.add(name)
                        waiting.append(name)
                    else:
                        found.add(name)
        return found, folders

    def clean(self) -> None:
        """Removes what a killed run left under `.augx/tmp`."""
        shutil.rmtree(self._tmp, ignore_errors=True)
        self._made.discard(self._tmp)

    def _temporary(self) -> str:
        if self._tmp not in self._made:
            with suppress(FileExistsError):
                os.mkdir(self._tmp)  # not its parents: an OUTPUT that was deleted meanwhile must not rise again
            self._made.add(self._tmp)
        self._count += 1
        return os.path.join(self._tmp, f"{os.getpid()}-{self._count}")

    def _flush(self, descriptor: int) -> None:
        if self.fsync == "each" or (self.fsync == "batch" and self._waiting is None):  # a batch is flushed as one
            os.fsync(descriptor)

    def _place(self, temporary: str, path: str) -> None:
        folder = os.path.dirname(path)
        if folder not in self._made:
            os.makedirs(folder, exist_ok=True)
            self._made.add(folder)
        os.replace(temporary, path)
        if self.fsync == "each":
            _sync_folder(folder)


def _sync(root: str) -> None:
    """Waits until the file system of `root` has everything on the disk; where only that can be asked for, until all
    file systems have."""
    descriptor = os.open(root, os.O_RDONLY)
    try:
        if sys.platform != "linux":
            os.sync()
        elif _libc().syncfs(descriptor):
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), root)
    finally:
        os.close(descriptor)


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _sync_folder(path: str) -> None:
    """Waits until the disk has the names in a folder."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _check_length(path: str) -> None:
    """OSError where the file system cannot have a file of this name."""
    with suppress(FileNotFoundError):
        os.lstat(path)


def _read(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The chunks; what goes wrong while they are made is not the fault of the file they go to."""
    try:
        yield from chunks
    except OSError as error:
        raise Stopped(f"cannot read {error.filename}: {error.strerror}", "run the same command again") from error


def open_regular(path: str) -> BinaryIO:
    """Opens a file to read, but nothing that might wait for ever or that is no file: then OSError."""
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is no regular file", path)
    return open(descriptor, "rb")


class Source(NamedTuple):
    """Where a file of INPUT lies: at a path of its own, or `size` bytes at `offset` of a tar."""

    path: str
    offset: int = 0
    size: int | None = None

    def read(self) -> tuple[bytes, int]:
        """Its content and modification time. OSError where it is no regular file, or the tar ends too early."""
        with open_regular(self.path) as file:
            file.seek(self.offset)
            data = file.read(-1 if self.size is None else self.size)
            if self.size is not None and len(data) < self.size:
                raise OSError(errno.EIO, "the tar ends too early", self.path)
            return data, os.fstat(file.fileno()).st_mtime_ns

    def bytes(self) -> int:
        return file_size(self.path) if self.size is None else self.size


def file_size(path: str) -> int:
    """In bytes; 0 where there is no such file."""
    try:
        return os.stat(path).st_size
    except OSError:
        return 0


def sha256_file(path: str | Source) -> str:
    """Raises OSError, also for what is no regular file."""
    source = path if isinstance(path, Source) else Source(path)
    if source.size is not None:
        return hashlib.sha256(source.read()[0]).hexdigest()
    digest = hashlib.sha256()
    with open_regular(source.path) as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def hashes(paths: Iterable[str | Source]) -> list[str]:
    """SHA-256 of each file's content, "" where it cannot be read."""

    def one(path: str | Source) -> str:
        try:
            return sha256_file(path)
        except OSError:
            return ""

    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as threads:
        return list(threads.map(one, paths))
