"""Files of INPUT, on their own or in a tar: what is read, and what is not."""

from __future__ import annotations

import errno
import hashlib
import os
from pathlib import Path

import pytest

from augx import store
from augx.store import Source, Unfit, file_size, hashes, sha256_file


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "in" / "a.bin"
    path.parent.mkdir()
    path.write_bytes(b"0123456789")
    os.utime(path, ns=(5, 10**18 + 3))
    return path


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize(
    ("offset", "size", "data"), [(0, None, b"0123456789"), (2, 3, b"234"), (7, 3, b"789"), (4, 0, b"")]
)
def test_what_it_holds(path: Path, offset: int, size: int | None, data: bytes) -> None:
    source = Source(str(path), offset, size)
    assert source.read() == (data, 10**18 + 3)
    assert (source.sha256(), sha256_file(source), source.bytes()) == (sha256(data), sha256(data), len(data))


def test_a_tar_that_ends_too_early(path: Path) -> None:
    for source in (Source(str(path), 8, 3), Source(str(path), 11, 0)):
        with pytest.raises(OSError, match="the tar ends too early") as caught:
            source.read()
        assert (caught.value.errno, caught.value.filename) == (errno.EIO, str(path))
        assert hashes([source]) == [""]


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    path = str(tmp_path / "nothing")
    assert (file_size(path), Source(path).bytes(), hashes([path])) == (0, 0, [""])
    with pytest.raises(FileNotFoundError):
        Source(path).read()


@pytest.mark.parametrize(("size", "limit", "fits"), [(None, 10, True), (None, 9, False), (4, 4, True), (5, 4, False)])
def test_a_limit_of_bytes(path: Path, size: int | None, limit: int, fits: bool) -> None:
    source = Source(str(path), 0, size, limit=limit)
    if fits:
        assert len(source.read()[0]) == (size or 10)
        return
    with pytest.raises(Unfit) as caught:
        source.read()
    assert (caught.value.code, caught.value.errno, caught.value.filename) == ("too-many-bytes", errno.EINVAL, str(path))
    assert (
        caught.value.strerror
        == f"{size or 10} bytes are more than the limit of {limit}; raise `limits: {{bytes: ...}}`"
    )


def test_links(path: Path, tmp_path: Path) -> None:
    """Within INPUT they are followed, out of it they are not; a folder whose name begins alike is another."""
    root = str(path.parent)
    (tmp_path / "inn").mkdir()
    for name in ("outside", "inn/outside"):
        (tmp_path / name).write_bytes(b"x")
    for number, (target, inside) in enumerate([(path, True), ("../outside", False), ("../inn/outside", False)]):
        link = path.parent / f"link{number}"
        link.symlink_to(target)
        source = Source(str(link), root=root)
        if inside:
            assert source.read()[0] == b"0123456789"
        else:
            with pytest.raises(Unfit, match="a link that leads out of INPUT is not followed") as caught:
                source.read()
            assert caught.value.code == "outside-input"
        assert Source(str(link)).read()[0] in (b"0123456789", b"x"), "without a root wherever it leads"
    assert Source(str(path), root=root).read()[0] == Source(str(path), root="/").read()[0]


class Growing:
    """Writes to a file while it is looked at."""

    def __init__(self, path: Path, data: bytes) -> None:
        self.path, self.data = path, data

    def __call__(self, head: bytes, size: int) -> None:
        assert (head, size) == (b"0123", 10)
        self.path.write_bytes(self.data)


@pytest.mark.parametrize("data", [b"0123", b"0123456789+", b"9876543210"])
def test_a_file_that_changes_while_it_is_read(path: Path, data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "_LARGE", 9)
    monkeypatch.setattr(store, "_HEAD", 4)
    with pytest.raises(Unfit) as caught:
        Source(str(path)).read(Growing(path, data))
    assert (caught.value.code, caught.value.filename) == ("changed-while-read", str(path))
    assert caught.value.strerror == "it changed while it was read; run again"


def test_what_a_glance_raises(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[bytes, int]] = []
    monkeypatch.setattr(store, "_HEAD", 4)
    for large, shown in ((9, [(b"0123", 10)]), (10, [])):
        monkeypatch.setattr(store, "_LARGE", large)
        assert Source(str(path)).read(lambda *told: seen.append(told))[0] == b"0123456789"
        assert seen == shown
        seen.clear()
    monkeypatch.setattr(store, "_LARGE", 2)
    assert Source(str(path), 5, 3).read(lambda *told: seen.append(told))[0] == b"567"
    assert seen == [(b"567", 3)]
