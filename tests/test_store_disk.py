"""What is on the disk when a name appears: the order in which the system is asked, under each of `fsync`."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from augx import store
from augx.errors import Stopped
from augx.store import FSYNC, Folder


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the system was asked to flush, and the names that came into place, in order."""
    seen: list[str] = []
    replace, fsync = os.replace, os.fsync

    def replaced(old: str, new: str) -> None:
        seen.append(os.path.basename(new))
        replace(old, new)

    def flushed(descriptor: int) -> None:
        where = os.readlink(f"/proc/self/fd/{descriptor}")
        seen.append("folder" if os.path.isdir(where) else "file")
        fsync(descriptor)

    monkeypatch.setattr(os, "replace", replaced)
    monkeypatch.setattr(os, "fsync", flushed)
    monkeypatch.setattr(store, "_sync", lambda root: seen.append("all"))
    return seen


def a_folder(root: Path, fsync: str) -> Folder:
    (root / "out" / ".augx").mkdir(parents=True)
    return Folder(str(root / "out"), fsync)


ORDERS = {"each": ["file", "a", "folder"], "batch": ["file", "a"], "off": ["a"]}


@pytest.mark.parametrize("fsync", FSYNC)
def test_one_file(tmp_path: Path, asked: list[str], fsync: str) -> None:
    folder = a_folder(tmp_path, fsync)
    folder.write("a", b"x")
    assert asked == ORDERS[fsync]
    asked.clear()
    folder.stream("x/a", [b"x"])
    assert asked == ORDERS[fsync]


@pytest.mark.parametrize("fsync", FSYNC)
def test_a_batch(tmp_path: Path, asked: list[str], fsync: str) -> None:
    """Nothing is in place before all is on the disk."""
    folder = a_folder(tmp_path, fsync)
    with folder.batch():
        folder.write("a", b"1", 7)
        folder.write("b", b"2")
        assert folder.names() == set()
    assert (
        asked
        == {
            "each": ["file", "file", "all", "a", "folder", "b", "folder"],
            "batch": ["all", "a", "b"],
            "off": ["a", "b"],
        }[fsync]
    )
    assert [Path(folder.path(name)).read_bytes() for name in "ab"] == [b"1", b"2"]
    assert folder.dates()["a"] == 7
    asked.clear()
    folder.write("a", b"3")
    assert asked == ORDERS[fsync], "the batch has ended"


def test_a_batch_that_breaks_leaves_nothing(tmp_path: Path) -> None:
    folder = a_folder(tmp_path, "batch")
    with pytest.raises(KeyboardInterrupt), folder.batch():
        folder.write("a", b"1")
        raise KeyboardInterrupt
    assert folder.names() == set()
    folder.write("a", b"2")
    assert folder.names() == {"a"}


def test_a_name_of_a_batch_that_is_too_long_is_refused_at_once(tmp_path: Path) -> None:
    folder = a_folder(tmp_path, "off")
    with folder.batch():
        with pytest.raises(Stopped, match=r"cannot write .*name too long"):
            folder.write("a" * 300, b"")
        folder.write("new/b", b"")
    assert folder.names() == {"new/b"}


def test_a_batch_the_system_refuses_to_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(old: str, new: str) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    folder = a_folder(tmp_path, "off")
    monkeypatch.setattr(os, "replace", refused)
    with pytest.raises(Stopped, match=r"cannot write .*/a: No space left"), folder.batch():
        folder.write("a", b"")


@pytest.mark.parametrize("fsync", FSYNC)
def test_sync(tmp_path: Path, asked: list[str], fsync: str) -> None:
    a_folder(tmp_path, fsync).sync()
    assert asked == ([] if fsync == "off" else ["all"])


def test_sync_asks_the_system(tmp_path: Path) -> None:
    a_folder(tmp_path, "batch").sync()
    with pytest.raises(Stopped, match=r"cannot write .*/nothing: No such file"):
        Folder(str(tmp_path / "nothing"), "batch").sync()


@pytest.mark.parametrize(
    ("code", "way_out"), [(errno.EIO, "the same command goes on"), (errno.ENOSPC, "free some space")]
)
def test_a_sync_that_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, way_out: str) -> None:
    class Libc:
        def syncfs(self, descriptor: int) -> int:
            os.fstat(descriptor)
            return -1

    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(store, "_libc", Libc)
    monkeypatch.setattr(store.ctypes, "get_errno", lambda: code)
    with pytest.raises(Stopped, match=f"cannot write {tmp_path}/out: {os.strerror(code)}") as caught:
        a_folder(tmp_path, "batch").sync()
    assert way_out in caught.value.hint
    assert isinstance(caught.value.__cause__, OSError)
    assert caught.value.__cause__.filename == f"{tmp_path}/out"


def test_where_only_all_file_systems_can_be_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(os, "sync", lambda: calls.append("sync"))
    a_folder(tmp_path, "batch").sync()
    assert calls == ["sync"]


# What is read


def denied(code: int) -> Callable[..., Any]:
    def refused(path: str, *more: Any) -> int:
        raise OSError(code, os.strerror(code), path)

    return refused


@pytest.mark.parametrize(("code", "way_out"), [(errno.EMFILE, "ulimit -n"), (errno.ENFILE, "other programs")])
def test_a_system_that_can_open_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, way_out: str
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(os, "open", denied(code))
        with pytest.raises(Stopped, match="cannot open /x/y: ") as caught:
            store.open_regular("/x/y")
    assert way_out in caught.value.hint


def test_how_a_file_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a way that waits for no writer of a pipe, where the system has one."""
    asked: list[tuple[str, int]] = []
    real = os.open

    def noted(path: str, flags: int) -> int:
        asked.append((path, flags))
        return real(path, flags)

    path = str(tmp_path / "a")
    Path(path).write_bytes(b"x")
    monkeypatch.setattr(os, "open", noted)
    waits_for_nobody = os.O_NONBLOCK
    with store.open_regular(path) as file:
        assert file.read() == b"x"
    monkeypatch.delattr(os, "O_NONBLOCK")
    with store.open_regular(path) as file:
        assert file.read() == b"x"
    assert asked == [(path, os.O_RDONLY | waits_for_nobody), (path, os.O_RDONLY)]


def test_what_is_no_regular_file_is_not_waited_for(tmp_path: Path) -> None:
    """Nor is it kept open."""
    os.mkfifo(tmp_path / "pipe")
    before = os.listdir("/proc/self/fd")
    for path in (str(tmp_path), str(tmp_path / "pipe"), "/dev/zero"):
        with pytest.raises(OSError, match="it is no regular file") as caught:
            store.open_regular(path)
        assert (caught.value.errno, caught.value.filename) == (errno.EINVAL, path)
    assert os.listdir("/proc/self/fd") == before


def test_a_stream_of_what_cannot_be_read(tmp_path: Path) -> None:
    """The file that is named is the one that cannot be read."""

    def chunks(name: str | None) -> Any:
        yield b"x"
        raise OSError(errno.EIO, "Input/output error", name)

    folder = a_folder(tmp_path, "off")
    with pytest.raises(Stopped, match="cannot read /source: Input/output error"):
        folder.stream("a", chunks("/source"))
    with pytest.raises(Stopped, match="cannot read what a file is made of: Input/output error"):
        folder.stream("a", chunks(None))
    assert folder.names() == set()


@pytest.mark.parametrize("code", [errno.ENOENT, errno.EACCES, errno.EINVAL, errno.EIO, errno.ENOSPC, errno.ESTALE])
def test_whose_fault_it_is(code: int) -> None:
    error = OSError(code, os.strerror(code))
    if code in (errno.ENOENT, errno.EACCES, errno.EINVAL):
        store.pass_over(error, "x")
    else:
        with pytest.raises(Stopped, match=f"cannot read x: {os.strerror(code)}"):
            store.pass_over(error, "x")


def test_an_error_without_words_or_number() -> None:
    said = store.stopped("cannot write", "x", OSError("odd"))
    assert (said.message, said.hint) == (
        "cannot write x: odd",
        "the same command goes on from here when the cause is gone",
    )
