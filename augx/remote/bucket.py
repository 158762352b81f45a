"""Objects under a URL: the one door to fsspec.

What a store does not do at once is tried again, for some ten or twenty seconds. What stays is Stopped, with the URL and
the way out; FileNotFoundError and PermissionError are those of the object. No message holds a password.
"""

from __future__ import annotations

import errno
import hashlib
import os
import random
import re
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from functools import partial
from typing import Any, NamedTuple, TypeVar
from urllib.parse import unquote

from augx.errors import InputError, Refused, Stopped
from augx.remote.cache import keeping

_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]+://", re.IGNORECASE)
_SECRET = re.compile(r"(?<=://)([^/@:]*):([^/]*)@")  # up to the last @, as in any URL
_QUERY = re.compile(r"(?<=^http)(s?://[^?]*)\?.*", re.IGNORECASE)  # of a link that lets in whoever has it
_INSTALL = {  # what fsspec needs for a scheme
    "s3": "augx[s3]", "s3a": "augx[s3]", "gs": "augx[gcs]", "gcs": "augx[gcs]", "az": "adlfs", "abfs": "adlfs",
    "hf": "huggingface_hub", "sftp": "paramiko", "ssh": "paramiko", "http": "aiohttp", "https": "aiohttp",
}  # fmt: skip
_MARKS = ("ETag", "etag", "md5Hash", "content_md5", "blob_id", "oid", "checksum", "generation")
_TIMES = ("LastModified", "last_modified", "updated", "mtime", "modified", "created")
_LASTING = (FileNotFoundError, PermissionError, FileExistsError, IsADirectoryError, NotADirectoryError, ValueError,
            TypeError, NotImplementedError)  # fmt: skip
_NOT_LET_IN = re.compile(r"NoCredentials|PartialCredentials|DefaultCredentials|Unauthorized|Forbidden|AuthenticationE")
_FLAT = ("s3", "s3a", "gs", "gcs", "az", "abfs", "hf")  # which have no folders
_NOT_NOW = re.compile(r"expired|credential|access ?key|security token|skewed|signature", re.IGNORECASE)
_TRIES = 7
_LONG_ENOUGH = 20.0  # seconds after which nothing is tried again
_FIRST_WAIT = 0.1  # seconds, and twice as long each time
_AT_ONCE = 16
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG)
_LONG_AGO = 946684800  # 2000-01-01, for a store that knows no dates
_GO_ON = "the same command goes on from here when the cause is gone"
_T = TypeVar("_T")


class Entry(NamedTuple):
    """One object: its size, a mark that changes with its content (an ETag where there is one), and a modification time
    in ns that does so, too."""

    size: int
    mark: str
    time_ns: int

    @property
    def seconds(self) -> int:
        """When it was written, by the clock of the store; 0 where that does not say."""
        seconds = self.time_ns // 10**9
        return seconds if seconds > _LONG_AGO else 0


def is_address(text: str) -> bool:
    """Whether this is a URL, and no path."""
    return _ADDRESS.match(text) is not None


def shown(url: str) -> str:
    """The URL without a password."""
    return _QUERY.sub(r"\1", _SECRET.sub(r"\1@", url))


def plain(url: str) -> str:
    """The one way to write a URL: the scheme in small letters, no slash at the end. Raises Refused where it names no
    place, or one that no folder here could stand for."""
    scheme, _, rest = url.partition("://")
    if not rest.strip("/"):
        raise Refused(f"{shown(url)}: no place is named", "give a URL such as s3://bucket/folder")
    if "::" in rest:
        raise Refused(f"{shown(url)}: chained URLs are not read", "give the URL of a folder")
    parts = rest.strip("/").split("/")
    if {"", ".", ".."} & set(parts) or "\0" in rest:
        raise Refused(f"{shown(url)}: a part of it is empty, . or ..", "give the URL of a folder as it is listed")
    return f"{scheme.lower()}://{'/' * rest.startswith('/')}{'/'.join(parts)}"


class Bucket:
    """All objects whose names begin with a URL and a slash. Raises Refused where what it needs is not installed."""

    def __init__(self, url: str) -> None:
        self.url = plain(url)
        self.name = shown(self.url)
        self.scheme = url.partition("://")[0].lower()
        self._folders: set[str] = set()  # that are there
        self._made: tuple[int, tuple[Any, str]] | None = None

    @property
    def _system(self) -> tuple[Any, str]:
        """The file system and our root in it, made in the process that uses it: none of them survives a fork."""
        if self._made is None or self._made[0] != os.getpid():
            self._made = os.getpid(), self._make()
        return self._made[1]

    def _make(self) -> tuple[Any, str]:
        try:
            from fsspec.core import url_to_fs
        except ImportError:
            way = "pip install 'augx[remote]'"
            raise Refused(f"{self.name}: URLs need fsspec, which is not installed", way) from None
        try:
            # from the instance cache it would not see new credentials
            system, root = url_to_fs(self.url, skip_instance_cache=True, **self._settings())
        except ImportError as error:
            package = _INSTALL.get(self.scheme, "what it says")
            raise Refused(f"{self.name}: {error}", f"pip install '{package}'") from None
        except (ValueError, TypeError) as error:
            raise Refused(f"{self.name}: {self._words(error)}", "give a URL such as s3://bucket/folder") from None
        except Exception as error:  # some connect at once, each with errors of its own
            raise Stopped(f"cannot connect to {self.name}: {self._words(error)}", _GO_ON) from None
        return system, str(root).rstrip("/")

    def _settings(self) -> dict[str, Any]:
        if self.scheme not in ("s3", "s3a"):
            return {}
        from fsspec.config import conf

        known = conf.get(self.scheme, {}).get("config_kwargs", {})
        # s3fs tries again, as we do; a third one in botocore makes minutes of a server that never answers
        return {"config_kwargs": {"retries": {"max_attempts": 0}, **known}}

    def connect(self) -> None:
        """Raises Refused or Stopped where there is no way to this place, as far as can be told before it is asked."""
        _ = self._system

    @property
    def place(self) -> str:
        """Where it is, for however many ways there are to write the URL."""
        known = self._system[0].protocol
        return f"{known if isinstance(known, str) else min(known)}://{shown(self.url).partition('://')[2].lstrip('/')}"

    def all(self, below: str = "") -> Iterator[tuple[str, Entry]]:
        """Every object, folder by folder, by its name under the URL. Nothing where there is no such folder. `below`:
        only those in this folder."""
        system, root = self._system
        system.invalidate_cache()
        waiting = [self._place(below)]
        while waiting:
            some, waiting = waiting[:_AT_ONCE], waiting[_AT_ONCE:]
            for folder, listed in zip(some, self.each(partial(self._listed, top=root), some), strict=True):
                for place, told in listed:
                    if place.rstrip("/") == folder:
                        if told.get("type") == "directory":
                            raise InputError(f"{self._shown(folder)}//: no file can have this name", "rename it")
                        if folder == root and place == root and _entry(told).size:
                            raise InputError(f"{self.name} is a file", "give the URL of a folder")
                        continue  # what consoles leave for an empty folder
                    if told.get("type") == "directory":
                        waiting.append(place.rstrip("/"))
                    elif not place.endswith("/"):
                        yield self._below(place), _entry(told)

    def _listed(self, folder: str, top: str) -> list[tuple[str, Mapping[str, Any]]]:
        system, _ = self._system
        try:
            listed = self._tried("list", folder, lambda: system.ls(folder, detail=True))
        except FileNotFoundError:
            if folder != top:
                return []
            listed = []
        return [(str(told["name"]), told) for told in listed]

    def _below(self, place: str) -> str:
        return place[len(self._system[1]) :].lstrip("/")

    def info(self, name: str) -> Entry:
        system, _ = self._system

        def look() -> Entry:
            system.invalidate_cache()
            return _entry(system.info(self._place(name)))

        return self._tried("look at", name, look)

    def get(self, name: str, path: str) -> None:
        """The content of an object into a file here."""
        system, _ = self._system

        def bring() -> None:
            try:
                system.get_file(self._place(name), path)
            except OSError as error:
                if error.errno in _FULL:  # not the store, but the disk here
                    with keeping(os.path.dirname(path)):
                        raise
                raise

        self._tried("read", name, bring)

    def put(self, name: str, path: str) -> Entry:
        """An object as it is in a file here, as a whole. Large ones go in several parts."""
        system, _ = self._system
        place = self._place(name)

        def put() -> None:
            self._make_folder(place)
            system.put_file(path, place)

        self._tried("write", name, put)
        return self.info(name)

    def read(self, name: str) -> bytes:
        system, _ = self._system
        place = self._place(name)
        return bytes(self._tried("read", name, lambda: system.cat_file(place)))

    def write(self, name: str, data: bytes) -> None:
        system, _ = self._system
        place = self._place(name)

        def put() -> None:
            self._make_folder(place)
            system.pipe_file(place, data)

        self._tried("write", name, put)

    def _make_folder(self, place: str) -> None:
        """That an object is to lie in, where there are folders."""
        folder = place.rpartition("/")[0]
        if self.scheme not in _FLAT and folder not in self._folders:
            self._system[0].makedirs(folder, exist_ok=True)
            self._folders.add(folder)

    def remove(self, name: str) -> None:
        """Deletes an object, if it is there."""
        system, _ = self._system
        try:
            self._tried("delete", name, lambda: system.rm_file(self._place(name)))
        except FileNotFoundError:
            pass

    def each(self, function: Callable[[Any], _T], things: list[Any]) -> list[_T]:
        """`function` of each of `things`, several at once where the file system bears that."""
        if len(things) < 2 or not getattr(self._system[0], "async_impl", False):
            return [function(thing) for thing in things]
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            return list(threads.map(function, things))

    def _place(self, name: str) -> str:
        root = self._system[1]
        return f"{root}/{name}" if name else root

    def _tried(self, doing: str, name: str, action: Callable[[], _T]) -> _T:
        enough = time.monotonic() + _LONG_ENOUGH  # libraries try again, too, each in its own way
        for attempt in range(_TRIES):
            try:
                return action()
            except Stopped:
                raise
            except FileNotFoundError as error:
                raise FileNotFoundError(error.errno or 2, "there is no such object", self._shown(name)) from None
            except PermissionError as error:
                if _NOT_NOW.search(str(error)):
                    raise self._shut_out(name, error) from None
                raise PermissionError(13, f"access denied: {self._words(error)}", self._shown(name)) from None
            except Exception as error:
                if _NOT_LET_IN.search(type(error).__name__):
                    raise self._shut_out(name, error) from None
                last = attempt == _TRIES - 1 or time.monotonic() > enough
                if isinstance(error, _LASTING) or last:
                    raise Stopped(
                        f"cannot {doing} {self._shown(name)}: {self._words(error)}",
                        _GO_ON,
                    ) from error
                time.sleep(_FIRST_WAIT * 2**attempt * random.uniform(0.5, 1.0))
        raise AssertionError

    def _shut_out(self, name: str, error: Exception) -> Stopped:
        """For what says nothing of one object: then none of them can be had."""
        way = "look at the credentials in the usual places (environment, files, roles); then the same command goes on"
        return Stopped(f"{self._shown(name)}: access denied: {self._words(error)}", way)

    def _shown(self, name: str) -> str:
        root = self._system[1]
        below = name[len(root) :].lstrip("/") if name.startswith(root) else name
        return f"{self.name}/{below}".rstrip("/")

    def _words(self, error: Exception) -> str:
        words = " ".join((str(error) or type(error).__name__).split())
        for _, secret in _SECRET.findall(self.url):
            for written in filter(None, (secret, unquote(secret))):
                words = words.replace(written, "...")
        return words[:300]


def _entry(told: Mapping[str, Any]) -> Entry:
    """From what a file system tells of an object."""
    size = int(told.get("size") or told.get("Size") or told.get("ContentLength") or 0)
    seconds = next((_seconds(told[key]) for key in _TIMES if told.get(key)), 0.0)
    mark = next((str(told[key]).strip('"') for key in _MARKS if told.get(key)), "") or repr(seconds)
    part = int.from_bytes(hashlib.sha256(f"{size} {mark}".encode()).digest()[:4], "big") % 10**9
    return Entry(size, mark, max(int(seconds), _LONG_AGO) * 10**9 + part)


def _seconds(value: object) -> float:
    """Since 1970; 0 where that is not said."""
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=timezone.utc)).timestamp()
    if isinstance(value, (int, float)):
        return float(value)
    try:
        return _seconds(datetime.fromisoformat(str(value).replace("Z", "+00:00")))
    except ValueError:
        return 0.0


def refused(error: OSError | Stopped, name: str, output: bool = False) -> Refused:
    """What to say before anything is written."""
    if isinstance(error, Stopped):
        hint = "is the URL right, and the network there? Then the same command can be given again"
        return Refused(error.message, hint if error.hint == _GO_ON else error.hint)
    way = "look at the URL and at the credentials in the usual places (environment, files, roles)"
    kind = Refused if output else InputError
    return kind(f"{error.filename or name}: {error.strerror or error}", way)
