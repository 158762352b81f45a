"""A folder here that stands for one elsewhere.

A mirror holds a file for each object, of its size and with a date that changes with its content, but hollow: with no
content, and a mode that lets nobody read it. So whoever walks, looks at sizes or compares dates works as on a disk, and
reads nothing. `whole` brings the content when a file is opened, through a cache of bounded size.

What is written goes into the mirror first, as into any folder, and then out as whole objects: images before the
line of the journal that speaks of them. A bucket keeps no dates, so `.augx/objects` has them: which object, by its
mark, is the file with which date. An object with another mark is of unknown date, is read once, and made again
unless it is what the manifest says. A mirror is made anew by each command and goes away at its end, so a run goes on
from wherever the last one stopped, on whatever machine.
"""

from __future__ import annotations

import atexit
import errno
import json
import os
import secrets
import shutil
import stat
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from functools import partial
from typing import Generic, TypeVar

from augx.errors import AugxError, InputError, Refused, Stopped
from augx.remote import cache
from augx.remote.bucket import Bucket, Entry, is_address, refused
from augx.remote.lease import Lease, holder, runs, this_host

_OWN = ".augx"
_OBJECTS = f"{_OWN}/objects"
_HOLLOW = 0  # the mode
_HERE = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EMFILE, errno.ENFILE, errno.EIO)  # no fault of a name
_SMALL = 64 << 20  # bytes of what is brought before anybody asks
_PICTURES = (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".bmp", ".tif", ".tiff", ".mpo", ".gif", ".tar", ".npy")
_DOUBTED = 981173106 * 10**9  # as the store's: the date of a file that is not trusted
_RACES = 5
_LONG = 200  # bytes of a name
_T = TypeVar("_T")

_mirrors: dict[str, Mirror] = {}
_moved: dict[str, str] = {}  # folders of mirrors on other machines -> here
_opened: ContextVar[list[str]] = ContextVar("_opened", default=[])  # noqa: B039  # by what `scope` is around


class Mirror:
    """`root`: the folder here. `reads`: it is an INPUT, of which content is kept by size and date."""

    def __init__(self, bucket: Bucket, root: str, reads: bool) -> None:
        self.bucket, self.url, self.root, self.reads = bucket, bucket.url, root, reads
        self.cache = cache.Cache(cache.folder(), cache.limit())
        self._marks: dict[str, str] = {}
        self._locks: dict[str, Entry] = {}  # when it was listed
        self._fresh: list[bytes] = []
        self._lease = "", ""  # name and token of the lease under which something is written, if there is one
        self._writes = False
        self._salt = ""
        self._away = False  # nobody here asks for what was written

    def __reduce__(self) -> tuple[Callable[..., Mirror], tuple[str, str, bool, tuple[str, str]]]:
        """In another process the same folder stands for it, and it writes for as long as this one's lease holds."""
        return _known, (self.url, self.root, self.reads, self._lease)

    @property
    def name(self) -> str:
        return self.bucket.name

    def fill(self, names: Sequence[str] | None = None) -> None:
        """Lists what is there, or only `names`, and makes the hollow files."""
        if names is None:
            found = dict(self.bucket.all())
        else:
            found = dict(zip(names, self.bucket.each(self.bucket.info, list(names)), strict=True))
        dates = self._dates(found) if not self.reads else {}
        for name, entry in found.items():
            path = self._path(name)
            date = entry.time_ns if self.reads or name.startswith(f"{_OWN}/") else dates.get(name, _DOUBTED)
            try:
                os.makedirs(os.path.dirname(path), exist_ok=True)
                if _is_lock(name):  # is held here, too
                    open(path, "ab").close()
                    continue
                _hollow(path, entry.size, date)
            except (OSError, ValueError) as error:
                if isinstance(error, OSError) and error.errno in _HERE:
                    with cache.keeping(os.path.dirname(self.root)):
                        raise
                why = getattr(error, "strerror", None) or str(error)
                if isinstance(error, (FileExistsError, NotADirectoryError, IsADirectoryError)):
                    why = "a folder in it is a file, too, or it is a folder"
                raise InputError(f"{self.name}/{name}: no file can have this name: {why}", "rename it") from None
        self._locks = {name: entry for name, entry in found.items() if _is_lock(name)}
        if not self.reads:
            self._marks = {name: entry.mark for name, entry in found.items()}
        wanted = [self._path(name) for name, entry in found.items() if self._early(name, entry)]
        self.prefetch(wanted)

    def look(self, below: str) -> None:
        """Makes the hollow files of what workers on other machines have put into a folder."""
        for name, entry in self.bucket.all(below):
            path = self._path(name)
            if not os.path.lexists(path):
                with cache.keeping(self.root):
                    os.makedirs(os.path.dirname(path), exist_ok=True)
                    _hollow(path, entry.size, entry.time_ns)
                self._marks[name] = entry.mark

    def _early(self, name: str, entry: Entry) -> bool:
        """Whether it is brought at once, with all others of its kind: what the planner will open one by one."""
        if entry.size > _SMALL:
            return False
        if self.reads:
            return not name.lower().endswith(_PICTURES)
        return name.startswith(f"{_OWN}/") or ("/" not in name and name.endswith((".json", ".jsonl")))

    def _path(self, name: str) -> str:
        parts = name.split("/")
        if {"", ".", ".."} & set(parts) or "\0" in name or (os.sep != "/" and os.sep in name):
            raise InputError(f"{self.name}/{name}: no file can have this name", "rename it")
        return os.path.join(self.root, *parts)

    def _name(self, path: str) -> str:
        return os.path.relpath(path, self.root).replace(os.sep, "/")

    # reading

    def whole(self, path: str) -> str:
        """Where the content of a file of the mirror can be read, now. OSError where there is none."""
        name = self._name(path)
        try:
            status = os.lstat(path)
            if not stat.S_ISREG(status.st_mode) or stat.S_IMODE(status.st_mode) != _HOLLOW:
                return path
            size, date = status.st_size, status.st_mtime_ns
        except FileNotFoundError:
            if os.path.isdir(self.root):
                raise
            size, _, date = self.bucket.info(name)  # a worker on another machine
        mark = ""
        if not self.reads:  # dates say nothing of the content there
            mark = (not self._writes and self._marks.get(name)) or self.bucket.info(name).mark
        key = "\n".join((self.url, name, str(size), str(date), mark, self._salt))
        return self.cache.path(key, size, date, partial(self._bring, name, size))

    def _bring(self, name: str, size: int, path: str) -> None:
        self.bucket.get(name, path)
        if os.path.getsize(path) != size:
            raise OSError(5, "it changed while it was read; run again", f"{self.name}/{name}")

    def distrust(self) -> None:
        """From now on what was kept here says nothing of what is there."""
        self._salt = secrets.token_hex(8)

    def prefetch(self, paths: Iterable[str]) -> None:
        """Brings several at once, up to a quarter of what may be kept; what cannot be had will be missed later."""
        wanted, held = [], 0
        for path in paths:
            with suppress(OSError):
                held += os.lstat(path).st_size
            if held > self.cache.limit // 4:
                break
            wanted.append(path)

        def bring(path: str) -> None:
            with suppress(OSError):
                self.whole(path)

        self.bucket.each(bring, wanted)

    def vouches(self, path: str) -> bool:
        """Whether the object is the one that was written, by its mark: then nobody need read it."""
        try:
            status = os.lstat(path)
        except OSError:
            return False
        return stat.S_IMODE(status.st_mode) == _HOLLOW and status.st_mtime_ns != _DOUBTED and not self.reads

    # writing

    def put(self, paths: Sequence[str], hollow: bool = False) -> None:
        """Files as objects. `hollow`: their dates are noted, and their content goes away from here."""

        def one(path: str) -> tuple[str, Entry]:
            name = self._name(path)
            return name, self.bucket.put(name, path)

        self._held()
        with _telling():
            put = self.bucket.each(one, list(paths))
        if not hollow:
            return
        lines = []
        for path, (name, entry) in zip(paths, put, strict=True):
            status = os.stat(path)
            lines.append(_line(name, entry.mark, status.st_mtime_ns))
            if self._away:
                os.unlink(path)
            else:
                _hollow(path, status.st_size, status.st_mtime_ns)
        self._note(lines)

    def _note(self, lines: Sequence[bytes]) -> None:
        if lines:
            with _telling():
                name = f"{_OBJECTS}/{time.time_ns():020d}-{secrets.token_hex(4)}.jsonl"
                self.bucket.write(name, b"".join(lines))

    def delete(self, paths: Sequence[str]) -> None:
        with _telling():
            self.bucket.each(self.bucket.remove, [self._name(path) for path in paths])

    def dated(self, path: str, mtime_ns: int) -> None:
        """A file is found to be of this date."""
        name = self._name(path)
        if mark := self._marks.get(name):
            self._fresh.append(_line(name, mark, mtime_ns))

    def marked(self) -> bool:
        """Writes them down, too, for who does not hold OUTPUT and may not be allowed to; says whether that was
        possible."""
        try:
            self.settle()
        except Stopped:
            return False
        return True

    def settle(self) -> None:
        """Writes down which dates were given since."""
        lines, self._fresh = self._fresh, []
        self._note(lines)

    def probe(self) -> None:
        """Raises OutputError where nothing can be written."""
        name = f"{_OWN}/probe-{secrets.token_hex(4)}"
        try:
            self.bucket.write(name, b"")
            self.bucket.remove(name)
        except (OSError, Stopped) as error:
            raise refused(error, self.name, output=True) from None

    def _dates(self, found: dict[str, Entry]) -> dict[str, int]:
        """Name -> date of those objects that are the ones which were written; what was noted last counts."""
        dates: dict[str, int] = {}
        notes = sorted(name for name in found if name.startswith(f"{_OBJECTS}/") or name == f"{_OBJECTS}.jsonl")
        for text in self.bucket.each(self.bucket.read, notes):
            for line in text.splitlines():
                with suppress(ValueError, TypeError):
                    name, mark, date = json.loads(line)
                    if name in found and found[name].mark == mark and type(date) is int:
                        dates[name] = date
        return dates

    def gather(self) -> None:
        """One file of dates instead of one for each shard, at the end of a run."""
        self.settle()
        found = dict(self.bucket.all())
        lines = [_line(name, found[name].mark, date) for name, date in sorted(self._dates(found).items())]
        notes = [name for name in found if name.startswith(f"{_OBJECTS}/")]
        with _telling():
            self.bucket.write(f"{_OBJECTS}.jsonl", b"".join(lines))
            self.bucket.each(self.bucket.remove, notes)

    @contextmanager
    def leased(self, own: str) -> Iterator[None]:
        """Holds OUTPUT, or the place of a share in it, as `lock` does on a disk. OutputError where another holds it."""
        whole, name = f"{_OWN}/lock", f"{own}/lock"
        others = [whole] if own != _OWN else list(self._locks)
        lease = Lease(self.bucket, name, others)
        with lease:
            for one in {name, whole}:
                before = lease.found if one == name else self._entry(one)
                if before != self._locks.get(one):  # somebody has written since it was listed
                    self._again()
                    break
            self._writes, self._lease = True, (name, lease.token)
            if own != _OWN and whole not in self._locks:
                with _telling():
                    self.bucket.write(whole, b"")  # by which OUTPUT is known as ours
            try:
                yield
            finally:
                self._lease = "", ""

    def _entry(self, name: str) -> Entry | None:
        with suppress(FileNotFoundError):
            return self.bucket.info(name)
        return None

    def _again(self) -> None:
        """Lists anew."""
        here = [self._path(name) for name in (f"{_OWN}/lock", *self._locks)]
        shutil.rmtree(self.root, ignore_errors=True)
        self.fill()
        for path in here:
            with suppress(OSError):
                os.makedirs(os.path.dirname(path), exist_ok=True)
                open(path, "ab").close()

    def _held(self) -> None:
        """Stopped where the lease under which this is written is another's by now, whichever process holds it."""
        name, token = self._lease
        if name and holder(self.bucket, name).get("token") != token:
            raise Stopped(f"{self.name} has been taken over by another augx", "let one of them write at a time")


def _is_lock(name: str) -> bool:
    return name.startswith(f"{_OWN}/") and name.endswith("/lock")


def _line(name: str, mark: str, date: int) -> bytes:
    return json.dumps([name, mark, date]).encode() + b"\n"


def _hollow(path: str, size: int, mtime_ns: int) -> None:
    with suppress(FileNotFoundError):
        os.unlink(path)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _HOLLOW)
    try:
        os.ftruncate(descriptor, size)
    finally:
        os.close(descriptor)
    os.utime(path, ns=(mtime_ns, mtime_ns))


@contextmanager
def _telling() -> Iterator[None]:
    """While a run goes on, what a store refuses is Stopped."""
    try:
        yield
    except OSError as error:
        raise Stopped(
            f"cannot write {error.filename}: {error.strerror or error}",
            "look at what you may do there; the same command goes on from here when the cause is gone",
        ) from error


# the mirrors of this process


def _known(url: str, root: str, reads: bool, lease: tuple[str, str]) -> Mirror:
    """The mirror of a folder, which another process has made. Who writes on another machine needs a folder there."""
    theirs = root
    if lease[0] and root not in _mirrors and not os.path.isdir(root):
        if theirs not in _moved:
            _moved[theirs] = os.path.join(_folder(), os.path.basename(root))
        root = _moved[theirs]
    mirror = _mirrors.setdefault(root, Mirror(Bucket(url), root, reads))
    mirror._lease, mirror._away = lease, root != theirs
    return mirror


def moved(root: str, tmp: str) -> str:
    """Where on this machine lies what does so at `root` on the one that sent it, with a folder `tmp` to write in."""
    if root in _moved:
        root = _moved[root]
        with cache.keeping(root):
            os.makedirs(os.path.join(root, *tmp.split("/")), exist_ok=True)
    return root


def local(place: str, reads: bool, names: Sequence[str] | None = None) -> str:
    """The folder here that stands for a URL, which it lists; any other path is given back. `names`: what of it is
    wanted, None: all. Raises Refused where it cannot be had, or, if it is to be read, where nothing is there."""
    if not is_address(place):
        return place
    scheme, _, rest = place.partition("://")
    if scheme.lower() in ("file", "local"):
        return rest
    bucket = Bucket(place)
    last = bucket.url.rpartition("/")[2]
    try:
        bucket.connect()  # before anything is made here
        root = os.path.join(_folder(), last if len(last.encode(errors="replace")) < _LONG else "root")
        mirror = Mirror(bucket, root, reads)
        mirror.fill(names)
    except (OSError, Stopped) as error:
        raise refused(error, bucket.name, output=not reads) from None
    if reads and not os.path.isdir(root):
        raise InputError(f"{mirror.name}: there is nothing", "give the URL of the folder that holds the images")
    _mirrors[root] = mirror
    _opened.get().append(root)
    return root


def at(path: str) -> Mirror | None:
    """The mirror that a path lies in, if it is one's."""
    for root, mirror in list(_mirrors.items()):
        if path == root or path.startswith(root + os.sep):
            return mirror
    return None


def opened(path: str, flags: int) -> int:
    """The descriptor of a file: of the path, or for one of a mirror of its content in the cache."""
    mirror = at(path) if _mirrors else None
    if mirror is None:
        return os.open(path, flags)
    for _ in range(_RACES):
        place = mirror.whole(path)
        if place == path:
            return os.open(path, flags)
        with suppress(FileNotFoundError):  # another process has made room for what it reads
            return os.open(place, flags)
    raise Stopped(f"{named(path)} does not stay in the cache until it is read", "raise AUGX_CACHE_SIZE")


def kept(path: str) -> str:
    """Where here a file of a mirror is kept, in words; "" for any other."""
    return f"here it is kept in {cache.folder()}; AUGX_CACHE_DIR says otherwise" if at(path) else ""


def prefetch(paths: Iterable[str]) -> None:
    """Tells that these will be read soon."""
    if not _mirrors:
        return
    some: dict[str, list[str]] = {}
    for path in paths:
        if mirror := at(path):
            some.setdefault(mirror.root, []).append(path)
    for root, wanted in some.items():
        _mirrors[root].prefetch(wanted)


class Carried(Generic[_T]):
    """What begins in another process, and there has to know the mirrors of this one."""

    def __init__(self, start: Callable[[], _T]) -> None:
        self._start = start
        self._mirrors = list(_mirrors.values())  # which become known where this arrives

    def __call__(self) -> _T:
        return self._start()


def here_only(*paths: str) -> bool:
    """Whether one of them stands for what only this process sees."""
    return any(mirror.bucket.scheme == "memory" for mirror in filter(None, map(at, paths)))


@contextmanager
def scope() -> Iterator[None]:
    """Mirrors that are opened in the body go away at its end, and its errors tell of URLs."""
    own: list[str] = []
    token = _opened.set(own)
    try:
        yield
    except AugxError as error:
        error.message, error.hint = named(error.message), named(error.hint)
        error.args = (error.message,)
        raise
    finally:
        _opened.reset(token)
        for root in own:
            del _mirrors[root]
            _forget(os.path.dirname(root), os.getpid())


def named(text: str) -> str:
    """A text with URLs instead of the folders that stand for them."""
    for root, mirror in list(_mirrors.items()):
        text = text.replace(root, mirror.name)
    return text


def address(path: str) -> str:
    """The URL of a path in a mirror, without a password; any other path as it is."""
    mirror = at(path)
    return mirror.name + path[len(mirror.root) :].replace(os.sep, "/") if mirror else path


def place(path: str) -> str:
    """The same for the same place, in whichever way its URL is written; the real path of one on this machine."""
    path = os.path.realpath(path)
    mirror = at(path)
    return mirror.bucket.place + path[len(mirror.root) :].replace(os.sep, "/") if mirror else path


def _folder() -> str:
    """A new folder for a mirror, which goes away with this process. Those of processes that were killed do, too."""
    above = os.path.join(cache.folder(), "mirrors")
    try:
        cache.private(os.path.dirname(above))
        cache.private(above)
        for name in os.listdir(above):
            host, _, pid = name.rpartition(".")[0].rpartition(".")
            if host == this_host() and pid.isdigit() and not runs(int(pid)):
                shutil.rmtree(os.path.join(above, name), ignore_errors=True)
        made = os.path.realpath(tempfile.mkdtemp(prefix=f"{this_host()}.{os.getpid()}.", dir=above))
    except OSError as error:
        raise Refused(f"{above}: {error.strerror}", "set AUGX_CACHE_DIR to a folder you may write to") from None
    atexit.register(_forget, made, os.getpid())
    return made


def _forget(folder: str, pid: int) -> None:
    if os.getpid() == pid:
        shutil.rmtree(folder, ignore_errors=True)
