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
import secrets
import shutil
import stat
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import cache
from itertools import islice
from typing import BinaryIO, NamedTuple, TypeVar

from augx import tars
from augx.errors import Stopped
from augx.remote import mirror

OWN = ".augx"  # everything in it is ours
SHARES = f"{OWN}/shards"  # each share of a run has its own segments and intent there, until they are merged
DOUBTED = 981173106 * 10**9  # the date, in ns, of a file known to be bad: 2001-02-03 04:05:06, which FAT holds, too
_T = TypeVar("_T")
_WAYS_OUT = {
    errno.ENOSPC: "free some space and run the same command again: it goes on from here",
    errno.EDQUOT: "your disk quota is used up; free some space and run the same command again",
    errno.EROFS: "the file system is read-only; choose another OUTPUT or remount it",
    errno.EACCES: "you may not write there; change the permissions or choose another OUTPUT",
    errno.EPERM: "you may not write there; change the permissions or choose another OUTPUT",
    errno.EMFILE: "too many open files; raise `ulimit -n` or lower --workers, then run the same command again",
    errno.ENFILE: "the machine has too many files open; close other programs, then run the same command again",
}
_SHORT = frozenset((errno.EMFILE, errno.ENFILE, errno.ENOMEM))  # of what the system has, whichever file was asked for
_OWN_FAULTS = frozenset((
    errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EACCES, errno.EPERM, errno.EINVAL, errno.ELOOP, errno.ENXIO,
    errno.ENODEV, errno.ENAMETOOLONG,
))  # fmt: skip


def stopped(doing: str, path: str, error: OSError) -> Stopped:
    """What to raise where the system refuses: with the place and the way out."""
    here = mirror.kept(path) if error.errno in _WAYS_OUT else ""
    return Stopped(f"{doing} {path}: {error.strerror or error}", way_out(error) + (f" ({here})" if here else ""))


def way_out(error: OSError) -> str:
    return _WAYS_OUT.get(error.errno or 0, "the same command goes on from here when the cause is gone")


@contextmanager
def stopping(doing: str, path: str) -> Iterator[None]:
    """Turns an OSError of the body into `Stopped`."""
    try:
        yield
    except OSError as error:
        raise stopped(doing, path, error) from error


def own_fault(error: OSError) -> bool:
    """Whether an error tells of the file itself: it is not there, is no file, or may not be read. Any other is the
    system's, and says nothing of the file."""
    return error.errno in _OWN_FAULTS


def pass_over(error: OSError, path: str) -> None:
    """For who goes on without what cannot be read: Stopped, unless that is the file's own fault."""
    if not own_fault(error):
        raise stopped("cannot read", path, error) from error


def write_file(path: str, data: bytes) -> None:
    """A file that belongs to no OUTPUT, whole or not at all; what is there and no regular file gets the bytes as they
    come. Raises Stopped."""
    with stopping("cannot write", path):
        if os.path.exists(path) and not os.path.isfile(path):
            with open(path, "wb") as pipe:
                pipe.write(data)
            return
        place = os.path.realpath(path)
        temporary = os.path.join(os.path.dirname(place), f".augx-{os.getpid()}")
        try:
            with open(temporary, "wb") as file:
                file.write(data)
            if os.path.exists(place):
                os.chmod(temporary, stat.S_IMODE(os.stat(place).st_mode))
            os.replace(temporary, place)
        except BaseException:
            with suppress(OSError):
                os.remove(temporary)
            raise


FSYNC = ("each", "batch", "off")
_PIECE = 1 << 20  # bytes of a tar that are written at once
_ZEROS = bytes(tars.BLOCK)


class Folder:
    """Files by their name under `root`, with `/` between folders. One for each who writes.

    `fsync`: whether what is written is also on the disk: "each" file before its name appears, all files of a `batch`
    together, or whenever the system likes ("off"). `own`: where a run, or its share, keeps its journal.

    Where `root` stands for a place elsewhere, what gets its name here is an object there, too; then `fsync` is "off".

    `tmp`: the folder of temporary files, which somebody has made; "": a new one. When it is cleaned away nobody can
    write any more who still works for that run, on whatever machine.
    """

    def __init__(self, root: str, fsync: str = "off", own: str = OWN, tmp: str = "") -> None:
        self.root = root
        self._above = os.path.join(root, "")
        self._mirror = mirror.at(root)
        self.fsync = "off" if self._mirror else fsync
        self.own = own
        self.tmp = tmp or f"{own}/tmp/{secrets.token_hex(4)}"
        self._waiting: list[tuple[str, str]] | None = None  # of a batch: where they are, and where they go
        self._tmp = self.path(self.tmp)
        self._made = {self._tmp} if tmp else set()
        self._mark = os.path.join(self._tmp, secrets.token_hex(6))
        self._count = 0

    def path(self, name: str) -> str:
        return self._above + (name if os.sep == "/" else name.replace("/", os.sep))

    @staticmethod
    def inside(name: str) -> bool:
        """Whether a name that was read from a file can be one of ours: below the root, and not in our own folder."""
        parts = name.split("/") if isinstance(name, str) else [""]
        return parts[0] != OWN and not {"", ".", ".."} & set(parts) and "\0" not in name

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
        looked: set[str] = set()
        for temporary, path in waiting:
            try:
                self._place(temporary, path, looked)
            except OSError as error:
                raise stopped("cannot write", path, error) from error
        if self._mirror:
            self._mirror.put([path for _, path in waiting], hollow=True)

    def sync(self) -> None:
        """Waits until the disk has whatever was written, and under which names (with `fsync` "off", for nothing)."""
        if self.fsync != "off":
            with stopping("cannot write", self.root):
                _sync(self.root)

    def write_all(self, files: Mapping[str, bytes], mtime_ns: int) -> None:
        """Each as `write` does."""
        for name, data in files.items():
            self.write(name, data, mtime_ns)

    def write(self, name: str, data: bytes, mtime_ns: int | None = None) -> None:
        """Puts `data` in place under `name`, whole or not at all, with the given modification time."""
        path = self.path(name)
        try:
            temporary = self._temporary()
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
            try:
                _write(descriptor, data)
                if mtime_ns is not None:
                    os.utime(descriptor, ns=(mtime_ns, mtime_ns))
                self._flush(descriptor)
            finally:
                os.close(descriptor)
            if self._waiting is not None:
                _check_length(path)
                self._waiting.append((temporary, path))
                return
            self._place(temporary, path)
        except OSError as error:
            raise stopped("cannot write", path, error) from error
        if self._mirror:
            self._mirror.put([path])

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
        if self._mirror:
            self._mirror.put([path])
        return size, digest.hexdigest()

    @contextmanager
    def tar(self, name: str) -> Iterator[Tar]:
        """A tar that comes into place as the files of a `batch` do, if anything was written to it and the body does not
        raise. Its modification time is the youngest that it was told of."""
        path = self.path(name)
        with stopping("cannot write", path):
            temporary = self._temporary()
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
        tar = Tar(descriptor, path, len(name) + 1)
        whole = False
        try:
            yield tar
            tar.end()
            with stopping("cannot write", path):
                os.utime(descriptor, ns=(tar.youngest, tar.youngest))
                self._flush(descriptor)
            whole = tar.size > 0
        finally:
            os.close(descriptor)
            if not whole:
                with suppress(OSError):
                    os.unlink(temporary)
        if whole and self._waiting is not None:
            self._waiting.append((temporary, path))
        elif whole:
            with stopping("cannot write", path):
                self._place(temporary, path)
            if self._mirror:
                self._mirror.put([path], hollow=True)

    def remove(self, name: str) -> None:
        """Deletes a file if it is there, and the folders that this leaves empty."""
        path = self.path(name)
        with stopping("cannot delete", path):
            try:
                os.unlink(path)
            except FileNotFoundError:
                return
        if self._mirror:
            self._mirror.delete([path])
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
        for name, _, folder in self._walk():
            (folders if folder else found).add(name)
        return found, folders

    def dates(self) -> dict[str, int]:
        """The names of all files below the root but our own, with their modification times in ns; no links."""
        found: dict[str, int] = {}
        for name, entry, folder in self._walk():
            if not folder and not entry.is_symlink():
                try:
                    found[name] = entry.stat(follow_symlinks=False).st_mtime_ns
                except FileNotFoundError:  # gone meanwhile
                    pass
        return found

    def date(self, name: str, mtime_ns: int) -> bool:
        """Gives a file, or a link, a modification time, and says whether that was possible."""
        with suppress(OSError, NotImplementedError, ValueError):  # ValueError: a name that no file can have
            os.utime(self.path(name), ns=(mtime_ns, mtime_ns), follow_symlinks=False)
            if self._mirror:
                self._mirror.dated(self.path(name), mtime_ns)
            return True
        return False

    def _walk(self) -> Iterator[tuple[str, os.DirEntry[str], bool]]:
        """All files and folders (True) below the root but our own; no link is followed."""
        waiting = [""]
        while waiting:
            folder = waiting.pop()
            path = self.path(folder) if folder else self.root
            with stopping("cannot read", path), os.scandir(path) as entries:
                for entry in entries:
                    name = f"{folder}/{entry.name}" if folder else entry.name
                    if name == OWN:
                        continue
                    is_folder = entry.is_dir(follow_symlinks=False)
                    if is_folder:
                        waiting.append(name)
                    yield name, entry, is_folder

    def clean(self) -> None:
        """Removes what a killed run left of temporary files."""
        with suppress(OSError):  # some it raises even so
            shutil.rmtree(self.path(f"{self.own}/tmp"), ignore_errors=True)
        self._made.discard(self._tmp)

    def clear(self, own: str, but: str) -> None:
        """Deletes one of our own places with all in it, but for one file that may be there."""
        place = self.path(own)
        gone: list[str] = []
        with stopping("cannot delete", place):
            for above, folders, files in os.walk(place, topdown=False, onerror=_raised):
                for name in files:
                    if (above, name) != (place, but):
                        os.unlink(os.path.join(above, name))
                        gone.append(os.path.join(above, name))
                for name in folders:
                    os.rmdir(os.path.join(above, name))
            with suppress(OSError):
                os.rmdir(place)
                os.rmdir(os.path.dirname(place))
        if self._mirror:
            self._mirror.delete(gone)

    def _temporary(self) -> str:
        if self._tmp not in self._made:
            for path in (os.path.dirname(self._tmp), self._tmp):
                with suppress(FileExistsError):
                    os.mkdir(path)  # not its parents: an OUTPUT that was deleted meanwhile must not rise again
            self._made.add(self._tmp)
        self._count += 1
        return f"{self._mark}-{self._count}"

    def _flush(self, descriptor: int) -> None:
        if self.fsync == "each" or (self.fsync == "batch" and self._waiting is None):  # a batch is flushed as one
            os.fsync(descriptor)

    def _place(self, temporary: str, path: str, looked: set[str] | None = None) -> None:
        """`looked`: folders that were found to be no links, just now."""
        looked = set() if looked is None else looked
        folder = above = os.path.dirname(path)
        if folder not in self._made:
            os.makedirs(folder, exist_ok=True)
            self._made.add(folder)
        while len(above) > len(self.root) and above not in looked:
            if os.path.islink(above):
                raise OSError(errno.ELOOP, "a link in the place of a folder leads out of OUTPUT", above)
            looked.add(above)
            above = os.path.dirname(above)
        os.replace(temporary, path)
        if self.fsync == "each":
            _sync_folder(folder)


def _write(descriptor: int, data: bytes) -> None:
    written = os.write(descriptor, data)
    while written < len(data):
        written += os.write(descriptor, memoryview(data)[written:])


def _raised(error: OSError) -> None:
    raise error


class Tar:
    """A tar while it is written, piece by piece. `size`, `sha256`: of the whole, once it has come to its end; 0 and ""
    where nothing was written to it. `youngest`: in ns."""

    def __init__(self, descriptor: int, path: str, cut: int) -> None:
        """`cut`: how much of the names is that of the tar, and the slash behind it."""
        self.size, self.sha256, self.youngest = 0, "", 0
        self._descriptor, self._path, self._cut = descriptor, path, cut
        self._digest = hashlib.sha256()
        self._pieces: list[bytes] = []
        self._held = 0

    def write(self, files: Mapping[str, bytes], mtime_ns: int) -> int:
        """As Folder's, for names that begin with the tar's. Returns where in the tar the content of the first lies."""
        first, size, pieces, cut = 0, self.size, self._pieces, self._cut
        for name, data in files.items():
            head = tars.header(name[cut:], len(data))
            behind = -len(data) % tars.BLOCK
            pieces += (head, data, _ZEROS[:behind])
            first = first or size + len(head)
            size += len(head) + len(data) + behind
        self.size = size
        self.seen(mtime_ns)
        if size - self._held >= _PIECE:
            self._flush()
        return first

    def seen(self, mtime_ns: int) -> None:
        """A source of this time is in the tar, or should be."""
        self.youngest = max(self.youngest, mtime_ns)

    def end(self) -> None:
        if self.size:
            self._pieces.append(tars.END)
            self.size += len(tars.END)
            self._flush()
            self.sha256 = self._digest.hexdigest()

    def _flush(self) -> None:
        some = b"".join(self._pieces)
        self._pieces, self._held = [], self.size
        self._digest.update(some)
        with stopping("cannot write", self._path):
            _write(self._descriptor, some)


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


_BRIEF = 120  # bytes, which every file system takes for a path


def _check_length(path: str) -> None:
    """OSError where the file system cannot have a file of this name."""
    if len(path) > _BRIEF or not path.isascii():
        with suppress(FileNotFoundError):
            os.lstat(path)


def _read(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The chunks; what goes wrong while they are made is not the fault of the file they go to."""
    try:
        yield from chunks
    except OSError as error:
        raise stopped("cannot read", error.filename or "what a file is made of", error) from error


def open_regular(path: str) -> BinaryIO:
    """Opens a file to read, but nothing that might wait for ever or that is no file: then OSError. Stopped where the
    system cannot open any."""
    try:
        descriptor = mirror.opened(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except OSError as error:
        if error.errno in _SHORT:
            raise stopped("cannot open", path, error) from error
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is no regular file", path)
    return open(descriptor, "rb")


_LARGE = 64 << 20  # bytes of a file that is glanced at before it is read
_HEAD = 4 << 20


class Unfit(OSError):
    """A file of INPUT that is there and must not be used; `code`: a stable reason."""

    def __init__(self, code: str, message: str, path: str) -> None:
        super().__init__(errno.EINVAL, message, path)
        self.code = code

    def __reduce__(self) -> tuple[type[Unfit], tuple[str, str, str]]:
        return Unfit, (self.code, self.strerror or "", self.filename)


class Source(NamedTuple):
    """Where a file of INPUT lies: at a path of its own, or `size` bytes at `offset` of a tar.

    `root`: the folder that links must not lead out of; "": wherever they lead. `limit`: bytes it may have.
    """

    path: str
    offset: int = 0
    size: int | None = None
    root: str = ""
    limit: int | None = None

    def read(self, glance: Callable[[bytes, int], None] | None = None) -> tuple[bytes, int]:
        """Its content and modification time. OSError where it is no regular file, may not be read, changes meanwhile,
        or where the tar ends too early.

        `glance`: is shown the first MiBs of a large file, and its size, before it is read; what it raises is raised.
        """
        with self._open() as (file, before):
            size = before.st_size if self.size is None else self.size
            if glance and size > _LARGE:
                glance(file.read(min(_HEAD, size)), size)
                file.seek(self.offset)
            data = file.read(size)
            after = os.fstat(file.fileno())
        if (after.st_size, after.st_mtime_ns) != (before.st_size, before.st_mtime_ns) or len(data) < size:
            raise Unfit("changed-while-read", "it changed while it was read; run again", self.path)
        return data, after.st_mtime_ns

    def sha256(self) -> str:
        """Of the content. Raises OSError as `read` does."""
        digest = hashlib.sha256()
        with self._open() as (file, before):
            left = before.st_size if self.size is None else self.size  # and no more, however fast it grows
            while chunk := file.read(min(1 << 20, left)):
                digest.update(chunk)
                left -= len(chunk)
        return digest.hexdigest()

    @contextmanager
    def _open(self) -> Iterator[tuple[BinaryIO, os.stat_result]]:
        with open_regular(self.path) as file:
            status = os.fstat(file.fileno())
            if self.root and not _inside(self.path, self.root):
                raise Unfit("outside-input", "a link that leads out of INPUT is not followed", self.path)
            size = status.st_size if self.size is None else self.size
            if self.limit is not None and size > self.limit:
                said = f"{size:,} bytes are more than the limit of {self.limit:,}; raise `limits: {{bytes: ...}}`"
                raise Unfit("too-many-bytes", said, self.path)
            if self.size is not None and self.offset + self.size > status.st_size:
                raise OSError(errno.EIO, "the tar ends too early", self.path)
            file.seek(self.offset)
            yield file, status

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
    return (path if isinstance(path, Source) else Source(path)).sha256()


def _inside(path: str, root: str) -> bool:
    """Whether a file lies under `root` once all links are followed."""
    return os.path.realpath(path).startswith(os.path.realpath(root).rstrip("/") + "/")


def hashes(paths: Iterable[str | Source]) -> list[str]:
    """SHA-256 of each file's content, "" where it cannot be read."""

    def one(path: str | Source) -> str:
        try:
            return sha256_file(path)
        except (OSError, ValueError):  # ValueError: a NUL in the name
            return ""

    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as threads:
        return [sha256 for some in batches(paths, 1024) for sha256 in threads.map(one, some)]


def batches(things: Iterable[_T], size: int) -> Iterator[list[_T]]:
    """As many at a time."""
    waiting = iter(things)
    while batch := list(islice(waiting, size)):
        yield batch
