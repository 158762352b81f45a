"""Files that lie, swell or stop: each is refused by name before it takes time or memory, or used with a note."""

from __future__ import annotations

import io
import os
import struct
import subprocess
import sys
import threading
import tracemalloc
import warnings
import zlib
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from conftest import encoded, failures, rows, tree
from gate_cases import (
    BMP,
    FILES,
    GREY,
    HOSTILE,
    HUGE,
    JPEG,
    MIB,
    NOISE,
    PNG,
    WEBP,
    claims,
    code,
    directory,
    segment,
    tags,
)
from PIL import Image, ImageFile
from running import a_recipe, run
from test_images import saved

from augx import capture, images, store
from augx.errors import ImageError
from augx.images import decode, decode_mask, look
from augx.model import Annotations, Limits, Sample
from augx.partners import Folders
from augx.replay import replay
from augx.seeds import Rng
from augx.store import Source, Unfit, hashes
from augx.verify import verify
from augx.work import read_sources

# --- limits


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        (Limits(pixels=48 * 64), ""),
        (Limits(pixels=48 * 64 - 1), "too-many-pixels"),
        (Limits(side=64), ""),
        (Limits(side=63), "side-too-long"),
        (Limits(pixels=9, side=9), "too-many-pixels"),
    ],
)
def test_limits_hold_for_every_format(
    name: str, limits: Limits, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if expected:
        monkeypatch.setattr(ImageFile.ImageFile, "load", lambda image: pytest.fail("pixels were decoded"))
        monkeypatch.setattr(Image.core, "new", lambda *size: pytest.fail("memory was taken"))
    assert code(FILES[name], limits) == expected
    if name not in ("JPEG", "WEBP"):
        assert code(FILES[name], limits, decode_mask) == expected


@pytest.mark.parametrize("data", [*FILES.values(), saved(NOISE, "PNG", compress_level=0)])
def test_without_limits_everything_is_decoded(data: bytes) -> None:
    assert decode(data, None).picture.width == 64
    assert look(io.BytesIO(data)) == (64, 48, 1)


@pytest.mark.parametrize("name", HUGE)
def test_bombs_are_told_by_their_headers(name: str) -> None:
    assert code(HUGE[name]) == "decompression-bomb"


def test_a_large_header_over_enough_bytes_is_no_bomb() -> None:
    sides = (1200, 30_000)
    codes = [code(claims(PNG, side, 1200), Limits(pixels=10**6)) for side in sides]
    assert codes == ["too-many-pixels", "decompression-bomb"]


# --- what takes time or memory


def test_nothing_hostile_takes_long_or_much(tmp_path: Path) -> None:
    """In a process of its own, whose memory can be told: each at most 10 s, all at most 700 MB."""
    script = (
        "import gate_cases\nfor name in gate_cases.HOSTILE: print(gate_cases.timed(name))\nprint(gate_cases.peak())\n"
    )
    around = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", script], env=around, capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stderr) == (0, "")
    *lines, memory = done.stdout.splitlines()
    found = {name: line.split("\t") for name, line in zip(HOSTILE, lines, strict=True)}
    assert {name: told for name, (told, _) in found.items()} == {name: told for name, (told, _) in HOSTILE.items()}
    assert max(float(seconds) for _, seconds in found.values()) < 10
    assert int(memory) < 700_000


# --- decoders


class _Odd(Exception):
    pass


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (MemoryError(), "out-of-memory"),
        (np._core._exceptions._ArrayMemoryError((9, 9), np.dtype(np.uint8)), "out-of-memory"),
        (OSError("decoder error -9"), "out-of-memory"),
        (OSError("out of memory error when reading image file"), "out-of-memory"),
        (cv2.error("(-4:Insufficient memory) Failed to allocate 9 bytes"), "out-of-memory"),
        (OSError("image file is truncated (9 bytes not processed)"), "truncated"),
        (EOFError(), "truncated"),
        (ValueError("not enough image data"), "truncated"),
        *((kind("x"), "corrupt") for kind in (OSError, ValueError, TypeError, KeyError, IndexError, SyntaxError)),
        *((kind("x"), "corrupt") for kind in (struct.error, zlib.error, OverflowError, ZeroDivisionError, cv2.error)),
        *((kind("x"), "corrupt") for kind in (RecursionError, AttributeError, AssertionError, SystemError, _Odd)),
        (Image.DecompressionBombError("x"), "corrupt"),
        (UnicodeDecodeError("ascii", b"", 0, 1, "x"), "corrupt"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else value,
)
@pytest.mark.parametrize("name", ["JPEG", "PNG", "LZW"])
def test_whatever_a_decoder_raises_is_an_image_error(
    name: str, error: Exception, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(image: ImageFile.ImageFile) -> None:
        raise error

    monkeypatch.setattr(images, "_quick_jpeg", lambda *_: None)
    for kind in (ImageFile.ImageFile, images.TiffImagePlugin.TiffImageFile):
        monkeypatch.setattr(kind, "load", load)
    assert code(FILES[name]) == expected
    if name != "JPEG":
        assert code(saved(GREY, "PNG" if name == "PNG" else "TIFF"), by=decode_mask) == expected


def test_warnings_of_decoders_are_notes() -> None:
    doubtful = directory(*tags((40_000, 4, 2**32 - 1, 8)), data=bytes(16))
    assert decode(doubtful).notes == ("decoder-warning",)
    exif = b"Exif\0\0II*\0\x08\0\0\0\x05\0" + b"\x12\x01\x03\0" * 3
    assert decode(saved(NOISE, "JPEG", exif=exif)).notes == ("decoder-warning",)
    assert [decode(data).notes for data in FILES.values()] == [()] * len(FILES)


def test_what_libraries_print_is_heard_and_not_seen(capfd: pytest.CaptureFixture[str]) -> None:
    words: list[str] = []
    with capture.printed(words), capture.printed(words):
        os.write(2, b"TIFFReadDirectory: Warning, odd.\n\nUnknown field with tag 33550\n")
    assert words == ["TIFFReadDirectory: Warning, odd."]
    os.write(2, b"seen")
    assert capfd.readouterr().err == "seen"


def test_no_descriptor_is_left_over_and_none_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    before = os.listdir("/proc/self/fd") if os.path.isdir("/proc/self/fd") else []
    for _ in range(3):
        decode(FILES["LZW"])
    assert not before or len(os.listdir("/proc/self/fd")) == len(before)
    for name in ("memfd_create", "dup"):
        monkeypatch.setattr(os, name, lambda told: os.open("", os.O_RDONLY), raising=False)
        assert decode(FILES["LZW"]).notes == ()
        monkeypatch.undo()
    assert not before or len(os.listdir("/proc/self/fd")) == len(before)


def test_warnings_are_told_apart_by_thread() -> None:
    """Each hears its own, programs' affairs are nobody's, and nothing of it stays."""
    heard: dict[int, list[str]] = {}
    both, end = threading.Barrier(2), threading.Barrier(2)
    shown, filters = warnings.showwarning, list(warnings.filters)

    def listen(number: int) -> None:
        with capture.warned() as words:
            both.wait(9)
            warnings.warn(f"of {number}", UserWarning, stacklevel=1)
            warnings.warn("old", DeprecationWarning, stacklevel=1)
            end.wait(9)
        heard[number] = words

    threads = [threading.Thread(target=listen, args=(number,)) for number in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(9)
    assert heard == {1: ["of 1"], 2: ["of 2"]}
    assert (warnings.showwarning, list(warnings.filters)) == (shown, filters)


# --- files on the disk


def sparse(path: Path, head: bytes, size: int) -> Path:
    path.write_bytes(head)
    os.truncate(path, size)
    return path


LARGE = {
    "zeros": (b"", "only-zeros"),
    "html": (b"<!doctype html>", "html-page"),
    "text": (b"hello", "not-an-image"),
    "gif": (saved(NOISE, "GIF"), "unsupported-format"),
    "jpeg": (b"\xff\xd8\xff\xe0", "truncated"),
    "a jpeg and zeros": (JPEG, "too-many-bytes"),
    "a png and zeros": (PNG, "too-many-bytes"),
    "a webp and zeros": (WEBP, "too-many-bytes"),
    "a bmp and zeros": (BMP, "too-many-bytes"),
    "an old bmp": (b"BM" + bytes(12) + struct.pack("<IHHHH", 12, 4, 4, 1, 24), "too-many-bytes"),
    "a tiff and zeros": (directory(*tags(), data=bytes(16)), "too-many-bytes"),
    "a tiff without directory": (b"II*\0" + bytes(12), "truncated"),
    "a bomb": (claims(JPEG, 60_000, 60_000), "too-many-pixels"),
    "a long side": (claims(PNG, 70_000, 1), "side-too-long"),
}


@pytest.mark.parametrize("name", LARGE)
def test_a_large_file_that_is_not_worth_it_is_not_read(name: str, tmp_path: Path) -> None:
    sparse(tmp_path / "x.jpg", LARGE[name][0], 1 << 30)
    tracemalloc.start()
    with pytest.raises(ImageError) as caught:
        read_sources(str(tmp_path), Sample("x.jpg"), Limits())
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert caught.value.code == LARGE[name][1]
    assert most < 32 * MIB


@pytest.mark.parametrize(
    "head",
    [
        JPEG[:2] + segment(0xE2, bytes(60_000)) * 80 + JPEG[2:],
        directory(*tags(), data=bytes(16), following=400),
        b"II*\0" + struct.pack("<L", 70 * MIB),
    ],
    ids=["much metadata", "many pages", "a directory at its end"],
)
def test_a_large_file_that_may_be_worth_it_passes(head: bytes) -> None:
    images.glance(head[: 4 * MIB].ljust(4 * MIB, b"\0") if head[:1] == b"I" else head[: 4 * MIB], 80 * MIB, Limits())


def test_a_file_of_more_bytes_than_the_limit_is_not_opened_further(tmp_path: Path) -> None:
    path = tmp_path / "x.jpg"
    path.write_bytes(JPEG)
    size = len(JPEG)
    assert Source(str(path), limit=size).read()[0] == JPEG
    with pytest.raises(Unfit, match=f"limit of {size - 1:,}") as caught:
        Source(str(path), limit=size - 1).read()
    assert caught.value.code == "too-many-bytes"
    assert hashes([Source(str(path), limit=size - 1)]) == [""]
    assert Source(str(path), 3, 10, limit=10).read()[0] == JPEG[3:13]
    with pytest.raises(ImageError) as failed:
        read_sources(str(tmp_path), Sample("x.jpg"), Limits(bytes=size - 1))
    assert (failed.value.code, failed.value.stage) == ("too-many-bytes", "read")


@pytest.mark.parametrize("change", ["longer", "shorter", "another date", "nothing"])
def test_a_file_that_changes_while_it_is_read(change: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.jpg"
    path.write_bytes(JPEG)
    monkeypatch.setattr(store, "_LARGE", 0)

    def meanwhile(head: bytes, size: int) -> None:
        assert (head, size) == (JPEG, len(JPEG))
        if change == "longer":
            path.write_bytes(JPEG + b"more")
        elif change == "shorter":
            os.truncate(path, 9)
        elif change == "another date":
            os.utime(path, ns=(1, 1))

    if change == "nothing":
        assert Source(str(path)).read(meanwhile)[0] == JPEG
        return
    with pytest.raises(Unfit, match="run again") as caught:
        Source(str(path)).read(meanwhile)
    assert caught.value.code == "changed-while-read"


def test_links_that_come_to_lead_out_are_not_followed(tmp_path: Path) -> None:
    root, outside = tmp_path / "in", tmp_path / "secret"
    (root / "a").mkdir(parents=True)
    outside.mkdir()
    (outside / "x.jpg").write_bytes(JPEG)
    (root / "a" / "y.jpg").write_bytes(JPEG)
    (root / "link.jpg").symlink_to("a/y.jpg")
    (root / "out.jpg").symlink_to(outside / "x.jpg")
    (root / "near").symlink_to("a")
    (root / "far").symlink_to(outside)
    (tmp_path / "door").symlink_to(root)

    def read(name: str, root: Path = root) -> str:
        try:
            read_sources(str(root), Sample(name), Limits())
        except ImageError as error:
            return error.code
        return ""

    assert [read(name) for name in ("link.jpg", "near/y.jpg", "a/y.jpg")] == ["", "", ""]
    assert read("a/y.jpg", tmp_path / "door") == ""
    assert [read(name) for name in ("out.jpg", "far/x.jpg")] == ["outside-input"] * 2
    assert hashes([Source(str(root / "out.jpg"), root=str(root))]) == [""]
    assert read("a") == "unreadable"
    os.mkfifo(root / "pipe.jpg")
    assert read("pipe.jpg") == "unreadable"


# --- runs


@pytest.fixture
def odd(photos: Path) -> Iterator[Path]:
    """Photos among which are files of many kinds."""
    files = {
        "half.png": PNG[: len(PNG) // 2],
        "page.jpg": b"<html>404</html>",
        "pointer.jpg": b"version https://git-lfs.github.com/spec/v1\n",
        "annex.jpg": b"/annex/objects/MD5E-s1--d41d8cd98f00b204e9800998ecf8427e.jpg\n",
        "empty.jpg": b"",
        "bomb.png": HUGE["PNG"],
        "many.png": saved(Image.new("L", (300, 300)), "PNG", compress_level=0),
        "long.png": saved(Image.new("L", (2000, 1)), "PNG"),
        "heavy.bmp": saved(Image.new("RGB", (99, 500)), "BMP"),
        "lie.jpg": PNG,
        "doubt.tif": directory(*tags((40_000, 4, 2**32 - 1, 8)), data=bytes(range(16))),
    }
    for name, data in files.items():
        (photos / "cat" / name).write_bytes(data)
    sparse(photos / "dog" / "zeros.jpg", b"", 65 * MIB)
    yield photos


def test_each_file_ends_as_it_should_and_once(odd: Path, tmp_path: Path) -> None:
    """A second run does nothing, whatever files were refused for; a raised limit makes what it was in the way of."""
    recipe = a_recipe("[HorizontalFlip: {p: 1}]", copies=1, limits={"pixels": 50_000, "bytes": 10**8, "side": 1000})
    output = tmp_path / "out"
    run(odd, output, recipe)
    codes = {row["source"]: row["error"] for row in failures(output)}
    assert codes == {
        "cat/half.png": "truncated",
        "cat/page.jpg": "html-page",
        "cat/pointer.jpg": "lfs-pointer",
        "cat/annex.jpg": "lfs-pointer",
        "cat/empty.jpg": "empty-file",
        "cat/bomb.png": "decompression-bomb",
        "cat/many.png": "too-many-pixels",
        "cat/long.png": "side-too-long",
        "dog/zeros.jpg": "only-zeros",
    }
    notes = {row["source"]: row["notes"] for row in rows(output) if row["notes"]}
    assert notes == {"cat/lie.jpg": ["ending-differs"], "cat/doubt.tif": ["decoder-warning"]}
    before = tree(output)
    again = run(odd, output, recipe)
    assert (again.made, again.summary["warnings"]) == (0, {"decoder-warning": 1, "ending-differs": 1})
    assert tree(output) == before
    smaller = a_recipe("[HorizontalFlip: {p: 1}]", copies=1, limits={"bytes": 100_000})
    run(odd, output, smaller)
    codes = {row["source"]: row["error"] for row in failures(output)}
    assert {"cat/heavy.bmp", "dog/zeros.jpg"} == {name for name, told in codes.items() if told == "too-many-bytes"}
    assert not {"cat/many.png", "cat/long.png"} & codes.keys()
    before = tree(output)
    assert run(odd, output, smaller).made == 0
    assert tree(output) == before
    assert verify(str(output), 1)[1] == []


def test_a_partner_is_limited_and_its_mixes_stay_fresh(odd: Path, tmp_path: Path) -> None:
    recipe = a_recipe("[mixup: {p: 1}]", copies=1, limits={"bytes": 10**8})
    run(odd, tmp_path / "out", recipe, to_formats=("table",))
    before = tree(tmp_path / "out")
    assert run(odd, tmp_path / "out", recipe, to_formats=("table",)).made == 0
    assert tree(tmp_path / "out") == before
    partners = {name for row in rows(tmp_path / "out") for name in row["partners"]}
    assert partners and "dog/zeros.jpg" not in partners


def test_backgrounds_are_limited(tmp_path: Path) -> None:
    for number, data in enumerate([PNG, HUGE["JPEG"], saved(Image.new("RGB", (99, 500)), "BMP")]):
        (tmp_path / f"{number}.png").write_bytes(data)
    sparse(tmp_path / "3.png", PNG, 65 * MIB)
    for limits in (Limits(bytes=100_000), Limits(side=99), Limits(pixels=9999)):
        found = Folders({"here": str(tmp_path)}).drawn("here", 4, Rng().at(1, "x", 1, "y"), limits)
        assert {name for name, _ in found} == {"0.png"}


def test_masks_are_limited(tmp_path: Path) -> None:
    (tmp_path / "m.png").write_bytes(saved(GREY, "PNG"))
    (tmp_path / "x.jpg").write_bytes(encoded(1))
    sample = Sample("x.jpg", Annotations(mask="m.png"))
    sparse(tmp_path / "m.png", b"", 65 * MIB)
    with pytest.raises(ImageError, match=r"^m\.png: it begins with zero bytes") as caught:
        read_sources(str(tmp_path), sample, Limits())
    assert (caught.value.code, caught.value.stage) == ("only-zeros", "labels")
    with pytest.raises(ImageError, match=r"its mask m\.png is not read: .* raise `limits"):
        read_sources(str(tmp_path), sample, Limits(bytes=MIB))


def test_what_augx_has_written_is_not_limited(photos: Path, tmp_path: Path) -> None:
    recipe = a_recipe("[Resize: {height: 60, width: 60, p: 1}]", copies=1, limits={"pixels": 24 * 18, "side": 24})
    output = tmp_path / "out"
    run(photos, output, recipe)
    assert failures(output) == []
    assert {row["width"] for row in rows(output)} == {24, 60}
    assert verify(str(output), 1)[1] == []
    (name, *_) = (row["file_name"] for row in rows(output) if row["copy"])
    assert replay(str(output), name, str(tmp_path / "again.png"), None)[0]
