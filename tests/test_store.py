"""Files in place, whole or not at all, also when the disk says no."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from augx.errors import Stopped
from augx.store import Folder, batches, hashes, sha256_file, stopping, write_file


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    (tmp_path / "out" / ".augx").mkdir(parents=True)  # as the lock leaves it
    return Folder(str(tmp_path / "out"))


def files(folder: Folder) -> list[str]:
    root = Path(folder.root)
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


def test_write(folder: Folder) -> None:
    folder.write("a/b/c.bin", b"data", mtime_ns=1_234_567_890_123_456_789)
    path = Path(folder.root, "a", "b", "c.bin")
    assert path.read_bytes() == b"data"
    assert path.stat().st_mtime_ns == 1_234_567_890_123_456_789
    assert files(folder) == ["a/b/c.bin"]


def test_write_over(folder: Folder) -> None:
    folder.write("a", b"long data")
    folder.write("a", b"new")
    assert Path(folder.root, "a").read_bytes() == b"new"


@pytest.mark.parametrize(("mask", "mode"), [(0o027, 0o640), (0, 0o666)])
def test_permissions_are_the_users(folder: Folder, mask: int, mode: int) -> None:
    before = os.umask(mask)
    try:
        folder.write("a", b"")
        folder.stream("b", [])
    finally:
        os.umask(before)
    assert [stat.S_IMODE(Path(folder.root, name).stat().st_mode) for name in "ab"] == [mode, mode]


def test_what_is_not_whole_lies_in_our_own_folder(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Under a name that no other process has; and folders are made once."""
    placed: list[tuple[str, str]] = []
    made: list[str] = []
    replace, mkdir = os.replace, os.mkdir

    def replaced(old: str, new: str) -> None:
        placed.append((os.path.relpath(old, folder.root), os.path.relpath(new, folder.root)))
        replace(old, new)

    def noted(path: str, *given: Any) -> None:
        made.append(os.path.relpath(path, folder.root))
        mkdir(path, *given)

    monkeypatch.setattr(os, "replace", replaced)
    monkeypatch.setattr(os, "mkdir", noted)
    folder.write("a/1", b"")
    folder.stream("a/2", [])
    folder.write("a/3", b"")
    marks = {old.rpartition("-")[0] for old, _ in placed}
    assert len(marks) == 1 and not any(mark in Folder(folder.root).tmp for mark in marks)
    assert placed == [(f"{marks.copy().pop()}-{number}", f"a/{number}") for number in (1, 2, 3)]
    assert made == [".augx/tmp", folder.tmp, "a"]
    assert marks.pop().startswith(f"{folder.tmp}/")


def test_who_works_for_a_run_that_is_over_writes_nothing(folder: Folder) -> None:
    """However late a worker somewhere wakes up."""
    folder.write("a", b"1")
    late = Folder(folder.root, tmp=folder.tmp)
    late.write("b", b"1")
    folder.clean()
    with pytest.raises(Stopped, match="cannot write"):
        late.write("b", b"2")
    with pytest.raises(Stopped), late.batch():
        late.write("c", b"2")
    folder.write("a", b"3")
    assert Path(folder.root, "a").read_bytes() == b"3"
    assert Path(folder.root, "b").read_bytes() == b"1"
    assert folder.names() == {"a", "b"}


def test_a_write_of_many_parts(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system may take less than it is given."""
    real = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: real(descriptor, data[:3]))
    folder.write("a", bytes(range(10)))
    assert Path(folder.root, "a").read_bytes() == bytes(range(10))


def test_stream(folder: Folder) -> None:
    size, sha256 = folder.stream("x/rows", iter([b"one\n", b"", b"two\n"]))
    assert Path(folder.root, "x", "rows").read_bytes() == b"one\ntwo\n"
    assert (size, sha256) == (8, hashlib.sha256(b"one\ntwo\n").hexdigest())
    assert sha256_file(folder.path("x/rows")) == sha256


def test_a_stream_that_breaks_leaves_what_was(folder: Folder) -> None:
    folder.stream("rows", [b"old"])

    def broken() -> Iterator[bytes]:
        yield b"new"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        folder.stream("rows", broken())
    assert Path(folder.root, "rows").read_bytes() == b"old"
    folder.clean()
    assert files(folder) == ["rows"]


FAULTS = [
    (call, code, way_out)
    for call in ("open", "write", "replace", "utime", "close")
    for code, way_out in [
        (errno.ENOSPC, "free some space"),
        (errno.EDQUOT, "quota"),
        (errno.EROFS, "read-only"),
        (errno.EACCES, "permissions"),
        (errno.EMFILE, "ulimit"),
        (errno.EIO, "the same command goes on"),
    ]
]


@pytest.mark.parametrize(("call", "code", "way_out"), FAULTS, ids=lambda value: str(value).split()[0])
@pytest.mark.parametrize("before", [b"old", None])
def test_a_write_the_system_refuses(
    folder: Folder, monkeypatch: pytest.MonkeyPatch, call: str, code: int, way_out: str, before: bytes | None
) -> None:
    """`Stopped` by the final name with a way out; what was there before is there, whole."""
    if before is not None:
        folder.write("a/b", before)
    real = getattr(os, call)

    def refused(*given: Any, **named: Any) -> Any:
        if call == "close":
            real(*given)
        raise OSError(code, os.strerror(code), *(given[:1] if call in ("open", "replace") else ()))

    with monkeypatch.context() as patched:
        patched.setattr(os, call, refused)
        with pytest.raises(Stopped) as caught:
            folder.write("a/b", b"new and longer", mtime_ns=1)
    assert caught.value.exit_code == 3
    assert os.strerror(code) in caught.value.message
    assert folder.path("a/b") in caught.value.message
    assert way_out in caught.value.hint
    folder.clean()
    assert files(folder) == ([] if before is None else ["a/b"])
    if before is not None:
        assert Path(folder.root, "a", "b").read_bytes() == before
    folder.write("a/b", b"new")
    assert Path(folder.root, "a", "b").read_bytes() == b"new"


def test_half_a_write(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.write
    calls: list[int] = []

    def full(descriptor: int, data: Any) -> int:
        calls.append(len(data))
        if len(calls) > 1:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(descriptor, data[:2])

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(Stopped, match="No space left on device"):
        folder.write("a", b"whole")
    assert calls == [5, 3]
    assert not os.path.exists(folder.path("a"))


@pytest.mark.parametrize("call", ["replace", "makedirs"])
def test_a_stream_the_system_refuses(folder: Folder, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    folder.write("rows", b"old")

    def refused(*given: Any, **named: Any) -> Any:
        raise OSError(errno.ENOSPC, "No space left on device", str(given[0]))

    monkeypatch.setattr(os, call, refused)
    with pytest.raises(Stopped, match=r"cannot write .*rows: No space left"):
        folder.stream("new/rows" if call == "makedirs" else "rows", [b"new"])
    assert Path(folder.root, "rows").read_bytes() == b"old"


def test_a_folder_that_has_become_a_link(folder: Folder, tmp_path: Path) -> None:
    folder.write("a/b/c", b"1")
    Path(folder.root, "a").rename(tmp_path / "elsewhere")
    Path(folder.root, "a").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Stopped, match=r"cannot write .*c: a link in the place of a folder"):
        folder.write("a/b/c", b"2")
    assert (tmp_path / "elsewhere" / "b" / "c").read_bytes() == b"1"


def test_a_file_of_no_output(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole or not at all; over a link goes what it means, and what is no file gets the bytes."""
    path, link, pipe = tmp_path / "a", tmp_path / "link", tmp_path / "pipe"
    path.write_bytes(b"old")
    path.chmod(0o640)
    link.symlink_to("a")
    write_file(str(link), b"new")
    assert (path.read_bytes(), path.stat().st_mode & 0o777, link.is_symlink()) == (b"new", 0o640, True)
    os.mkfifo(pipe)
    with os.fdopen(os.open(pipe, os.O_RDONLY | os.O_NONBLOCK), "rb") as end:
        write_file(str(pipe), b"through")
        assert end.read() == b"through"

    def full(*given: Any) -> Any:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    for name in ("a", "new"):
        with pytest.raises(Stopped, match=f"cannot write .*{name}: No space left"):
            write_file(str(tmp_path / name), b"newest")
    assert path.read_bytes() == b"new"
    assert sorted(os.listdir(tmp_path)) == ["a", "link", "pipe"]


def test_a_file_where_a_folder_has_to_be(folder: Folder) -> None:
    folder.write("cat", b"mine")
    with pytest.raises(Stopped, match="cat"):
        folder.write("cat/a.jpg", b"")
    assert Path(folder.root, "cat").read_bytes() == b"mine"


def test_remove_takes_empty_folders_with_it(folder: Folder) -> None:
    for name in ("a/b/c/1", "a/b/2", "d/3"):
        folder.write(name, b"")
    folder.remove("a/b/c/1")
    assert not os.path.exists(folder.path("a/b/c"))
    assert files(folder) == ["a/b/2", "d/3"]
    folder.remove("a/b/2")
    assert not os.path.exists(folder.path("a"))
    folder.remove("d/3")
    assert os.path.isdir(folder.root), "the root stays"


def test_remove_takes_all_empty_folders_with_it(folder: Folder) -> None:
    folder.write("a/b/c/d/1", b"")
    folder.remove("a/b/c/d/1")
    assert os.listdir(folder.root) == [".augx"]


def test_remove_what_is_not_there(folder: Folder) -> None:
    folder.write("a/1", b"")
    folder.remove("a/2")
    folder.remove("b/c")
    assert files(folder) == ["a/1"]


def test_a_folder_that_was_removed_is_made_again(folder: Folder) -> None:
    folder.write("a/1", b"")
    folder.remove("a/1")
    folder.write("a/2", b"")
    assert files(folder) == ["a/2"]


def test_remove_that_the_system_refuses(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.write("a/1", b"")

    def refused(path: str) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", path)

    monkeypatch.setattr(os, "unlink", refused)
    with pytest.raises(Stopped, match=r"cannot delete .*1: Permission denied"):
        folder.remove("a/1")


def test_names(folder: Folder) -> None:
    for name in ("a/b/1", "a/2", "3", ".augx/index.jsonl", ".augx/journal/x", "a/.augx/4", ".hidden"):
        folder.write(name, b"")
    os.makedirs(folder.path("empty/folder"))
    os.symlink(folder.path("a"), folder.path("link"))
    assert folder.names() == {"a/b/1", "a/2", "3", "a/.augx/4", ".hidden", "link"}


def test_content(folder: Folder) -> None:
    for name in ("a/b/1", "2", "a/.augx/4", ".augx/index.jsonl"):
        folder.write(name, b"")
    os.makedirs(folder.path("empty"))
    os.symlink(folder.path("a"), folder.path("link"))
    assert folder.content() == ({"a/b/1", "2", "a/.augx/4", "link"}, {"a", "a/b", "a/.augx", "empty"})


@pytest.mark.parametrize(
    ("name", "ours"),
    [
        *((name, True) for name in ("a", "a/b.jpg", ".hidden", "a/.augx/b", ".augx2/a", "...", "a/..b")),
        *((name, False) for name in ("", "/", "/etc/passwd", "a/", "a//b", ".", "./a", "a/.", "..", "../a", "a/../b")),
        *((name, False) for name in (".augx", ".augx/index.jsonl", "a\0b", "a/b\0")),
    ],
)
def test_a_name_that_can_be_one_of_ours(name: str, ours: bool) -> None:
    assert Folder.inside(name) is ours


def test_a_folder_that_cannot_be_listed(tmp_path: Path) -> None:
    """Nothing is concluded from what it would hold. Nobody waits for the disk unless that is asked for."""
    gone = Folder(str(tmp_path / "gone"))
    assert gone.fsync == "off"
    for look in (gone.names, gone.content, gone.dates):
        with pytest.raises(Stopped) as caught:
            look()
        assert caught.value.message == f"cannot read {tmp_path}/gone: No such file or directory"


def test_dates(folder: Folder) -> None:
    """Of files; links and what is ours have none."""
    folder.write("a/1", b"", 5)
    folder.write("2", b"", 10**18 + 7)
    os.symlink(folder.path("2"), folder.path("link"))
    folder.write(".augx/3", b"")
    assert folder.dates() == {"a/1": 5, "2": 10**18 + 7}
    for name in ("2", "link", "nothing"):
        folder.date(name, 10**9)
    assert folder.dates() == {"a/1": 5, "2": 10**9}
    assert os.lstat(folder.path("link")).st_mtime_ns == 10**9
    os.unlink(folder.path("link"))
    os.symlink(folder.path("a/1"), folder.path("link"))
    folder.date("link", 9)
    assert folder.dates()["a/1"] == 5, "a link is not followed"


def test_a_file_that_goes_while_dates_are_read(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.write("a", b"", 5)
    folder.write("b", b"", 6)
    real = folder._walk

    def racing() -> Iterator[Any]:
        for name, entry, is_folder in list(real()):
            if name == "a":
                os.unlink(folder.path("a"))
            yield name, entry, is_folder

    monkeypatch.setattr(folder, "_walk", racing)
    assert folder.dates() == {"b": 6}


@pytest.mark.parametrize("count", [0, 1, 4, 5])
def test_batches(count: int) -> None:
    assert list(batches(iter(range(count)), 2)) == [list(range(count))[i : i + 2] for i in range(0, count, 2)]


def test_hashes_of_names_that_are_none(folder: Folder) -> None:
    folder.write("a", b"")
    assert hashes([folder.path("a"), folder.path("a\0b"), folder.path("b")]) == [hashlib.sha256().hexdigest(), "", ""]


def test_hashes_where_nobody_knows_how_many_processors_there_are(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    names = [f"{number:02d}" for number in range(20)]
    for name in names:
        folder.write(name, name.encode())
    assert hashes(map(folder.path, names)) == [hashlib.sha256(name.encode()).hexdigest() for name in names]


def test_clean(folder: Folder) -> None:
    folder.write("a", b"")
    Path(folder.root, ".augx", "tmp", "123-4").write_bytes(b"left by a kill")
    folder.clean()
    assert not os.path.exists(folder.path(".augx/tmp"))
    folder.write("b", b"")
    assert files(folder) == ["a", "b"]


def test_clean_leaves_what_it_cannot_take(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """And nothing else; it stops nobody."""
    folder.clean()
    folder.write("a", b"")
    names = [f"123-{number}" for number in range(5)]
    for name in names:
        Path(folder.root, ".augx", "tmp", name).touch()
    real = os.unlink

    def refused(path: Any, *given: Any, **named: Any) -> None:
        if str(path).endswith("123-2"):
            raise PermissionError(errno.EPERM, "Operation not permitted", path)
        real(path, *given, **named)

    with monkeypatch.context() as patched:
        patched.setattr(os, "unlink", refused)
        folder.clean()
    assert files(folder) == [".augx/tmp/123-2", "a"]
    folder.write("b", b"")

    def raising(path: str, **named: Any) -> None:
        raise OSError(errno.EIO, "Input/output error", path)

    with monkeypatch.context() as patched:
        patched.setattr("shutil.rmtree", raising)
        folder.clean()
    folder.write("c", b"")
    assert files(folder) == [".augx/tmp/123-2", "a", "b", "c"]


def test_stopping_lets_others_pass() -> None:
    with pytest.raises(ValueError), stopping("cannot write", "x"):
        raise ValueError
