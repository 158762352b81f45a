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
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from conftest import encoded, failures, rows, tree
from PIL import Image, ImageFile
from running import a_recipe, run
from test_images import chunk, png, saved

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

MIB = 1 << 20
NOISE = Image.fromarray(np.random.default_rng(2).integers(0, 256, (48, 64, 3), dtype=np.uint8))
GREY = NOISE.convert("L")
JPEG, PNG, WEBP, BMP, TIFF = (saved(NOISE, name) for name in ("JPEG", "PNG", "WEBP", "BMP", "TIFF"))
FILES = {
    "JPEG": JPEG,
    "PNG": PNG,
    "WEBP": WEBP,
    "BMP": BMP,
    "TIFF": TIFF,
    "LZW": saved(NOISE, "TIFF", compression="tiff_lzw"),
}
ROW = bytes(13)  # of four pixels, with its filter


def code(data: bytes, limits: Limits | None = Limits(), by: Callable[..., Any] = decode) -> str:  # noqa: B008
    """How a file fails; "" if it does not."""
    try:
        by(data, limits)
    except ImageError as error:
        assert len(error.message) > 10
        return error.code
    return ""


def zeros(size: int) -> bytes:
    """So many zero bytes, deflated."""
    packer = zlib.compressobj(9)
    return b"".join([*(packer.compress(bytes(MIB)) for _ in range(size >> 20)), packer.flush()])


def segment(marker: int, body: bytes) -> bytes:
    return bytes((0xFF, marker)) + struct.pack(">H", len(body) + 2) + body


def directory(*tags: tuple[int, int, int, int], data: bytes = b"", following: int = 0) -> bytes:
    """A TIFF of tags (number, type, count, value or place); `data` comes right behind."""
    head = b"II*\0\x08\0\0\0" + struct.pack("<H", len(tags))
    return head + b"".join(struct.pack("<HHLL", *tag) for tag in tags) + struct.pack("<L", following) + data


def tags(
    *more: tuple[int, int, int, int], side: int = 4, kind: int = 1, size: int = 16
) -> list[tuple[int, int, int, int]]:
    """Those of a grey TIFF of one strip, which lies right behind them."""
    told = {256: (4, 1, side), 257: (4, 1, side), 258: (3, 1, 8), 259: (3, 1, kind), 262: (3, 1, 1), 277: (3, 1, 1),
            278: (4, 1, side), 279: (4, 1, size)}  # fmt: skip
    told |= {tag: rest for tag, *rest in more}  # type: ignore[misc]
    behind = 8 + 2 + 12 * (len(told) + (273 not in told)) + 4
    told.setdefault(273, (4, 1, behind))
    return [(tag, *told[tag]) for tag in sorted(told)]


def claims(data: bytes, width: int, height: int) -> bytes:
    """A JPEG, PNG or BMP whose header says another size."""
    out = bytearray(data)
    if data.startswith(b"\x89PNG"):
        return data[:8] + chunk(b"IHDR", struct.pack(">II", width, height) + data[24:29]) + data[33:]
    if data.startswith(b"BM"):
        struct.pack_into("<II", out, 18, width, height)
    else:
        at = next(data.index(bytes((0xFF, kind, 0))) for kind in (0xC0, 0xC2) if bytes((0xFF, kind, 0)) in data)
        struct.pack_into(">HH", out, at + 5, height, width)
    return bytes(out)


def canvas(width: int, height: int) -> bytes:
    """The head of an animated WebP."""
    sides = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return b"RIFF\x16\0\0\0WEBPVP8X\x0a\0\0\0\x02\0\0\0" + sides


def lossless(width: int, height: int) -> bytes:
    return b"RIFF\x12\0\0\0WEBPVP8L\x05\0\0\0\x2f" + struct.pack("<L", (width - 1) | (height - 1) << 14) + b"\0"


def runs(side: int, data: bytes) -> bytes:
    """A BMP of run lengths."""
    head = struct.pack("<IiiHHIIiiII", 40, side, side, 1, 8, 1, len(data), 0, 0, 256, 0)
    return b"BM" + struct.pack("<IHHI", 1078 + len(data), 0, 0, 1078) + head + bytes(1024) + data


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


HUGE = {
    "JPEG": claims(JPEG, 40_000, 40_000),
    "PNG": claims(PNG, 60_000, 60_000),
    "PNG, one row": claims(PNG, 2**31 - 1, 1),
    "BMP": claims(BMP, 2**31 - 1, 2**31 - 1),
    "WebP": lossless(16_384, 16_384),
    "WebP, animated": canvas(1 << 24, 1 << 24),
    "TIFF": directory(*tags(side=2**32 - 1)),
    "TIFF, deflated": directory(*tags(side=60_000, kind=8, size=1000), data=bytes(1000)),
    "BigTIFF": b"II+\0\x08\0\0\0" + struct.pack("<QQ", 16, 9) + b"".join(
        struct.pack("<HHQQ", *tag) for tag in tags(side=100_000)) + bytes(8),
}  # fmt: skip


@pytest.mark.parametrize("name", HUGE)
def test_bombs_are_told_by_their_headers(name: str) -> None:
    assert code(HUGE[name]) == "decompression-bomb"


def test_a_large_header_over_enough_bytes_is_no_bomb() -> None:
    sides = (1200, 30_000)
    codes = [code(claims(PNG, side, 1200), Limits(pixels=10**6)) for side in sides]
    assert codes == ["too-many-pixels", "decompression-bomb"]


# --- what takes time or memory


def shared(count: int, size: int) -> bytes:
    """A directory of so many tags, all of which have the same bytes."""
    return directory(*((tag, 7, size, 8) for tag in range(count)))


HOSTILE: dict[str, tuple[str, Callable[[], bytes]]] = {
    "JPEG, zeros behind its first bytes": ("truncated", lambda: b"\xff\xd8\xff\xe0" + bytes(20 * MIB)),
    "JPEG, junk before its header": ("", lambda: JPEG[:20] + bytes(20 * MIB) + JPEG[20:]),
    "JPEG, padding before its end": ("", lambda: JPEG[:-2] + b"\xff" * (20 * MIB) + JPEG[-2:]),
    "JPEG, padding without end": ("truncated", lambda: JPEG[:-2] + b"\xff" * (4 * MIB) + b"\0"),
    "JPEG, grey and padding": ("", lambda: PLAIN[:-2] + b"\xff" * MIB + b"\xff\xd9"),
    "JPEG, many EXIFs": ("", lambda: JPEG[:2] + segment(0xE1, b"Exif\0\0" + bytes(65_000)) * 500 + JPEG[2:]),
    "JPEG, a million comments": ("corrupt", lambda: JPEG[:2] + b"\xff\xfe\0\2" * MIB + JPEG[2:]),
    "JPEG, EXIF shares bytes": ("", lambda: JPEG[:2] + segment(0xE1, b"Exif\0\0" + shared(5000, 60_000)) + JPEG[2:]),
    "JPEG, pages share bytes": ("", lambda: JPEG[:2] + segment(0xE2, b"MPF\0" + shared(5000, 60_000)) + JPEG[2:]),
    "JPEG, scan after scan": ("decompression-bomb", lambda: _scans(2500, 3000)),
    "JPEG, nothing in it": ("truncated", lambda: claims(JPEG, 13_000, 13_000)),
    "PNG, a profile that swells": ("", lambda: png(ROW, 4, 1, 8, 2, chunk(b"iCCP", b"x\0\0" + zeros(64 * MIB)))),
    "PNG, a text that swells": ("", lambda: png(ROW, 4, 1, 8, 2, chunk(b"zTXt", b"x\0\0" + zeros(64 * MIB)))),
    "PNG, EXIF that swells": ("corrupt", lambda: png(ROW, 4, 1, 8, 2, chunk(b"zTXt", RAW + zeros(64 * MIB)))),
    "PNG, EXIF shares bytes": ("", lambda: png(ROW, 4, 1, 8, 2, chunk(b"eXIf", shared(60_000, MIB // 2)))),
    "PNG, a million chunks": ("corrupt", lambda: png(ROW, 4, 1, 8, 2, chunk(b"teXt", b"") * MIB)),
    "PNG, pixels behind empty chunks": ("", lambda: png(ROW, 4, 1, 8, 2, chunk(b"IDAT", b"") * 100_000)),
    "PNG, more pixels than its bytes can hold": ("truncated", lambda: claims(PNG, 13_000, 13_000)),
    "PNG, more behind the pixels": ("", lambda: png(ROW + bytes(64 * MIB), 4, 1, 8, 2)),
    "WebP, a canvas": ("decompression-bomb", lambda: canvas(20_000, 20_000)),
    "BMP, nothing in it": ("truncated", lambda: claims(BMP, 13_000, 13_000)),
    "BMP, rows of nothing": ("unsupported-format", lambda: runs(13_000, b"\1\1\0\0" * 13_000)),
    "BMP, a pixel at a time": ("unsupported-format", lambda: runs(2000, b"\1\1" * 4_000_000)),
    "TIFF, a directory of itself": ("", lambda: directory(*tags(), data=bytes(16), following=8)),
    "TIFF, directories without end": ("", lambda: _chain(100_000)),
    "TIFF, tags share bytes": ("corrupt", lambda: directory(*tags(*SHARED), data=bytes(MIB))),
    "TIFF, 65,535 tags": ("corrupt", lambda: shared(65_535, MIB // 2)),
    "TIFF, a tag of 2^32 numbers": ("", lambda: directory(*tags((40_000, 4, 2**32 - 1, 8)), data=bytes(MIB))),
    "TIFF, fractions": ("corrupt", lambda: directory(*tags((40_000, 5, 2 * MIB, 8)), data=bytes(16 * MIB))),
    "TIFF, fractions in its EXIF": ("corrupt", lambda: directory(*tags((34_665, 4, 1, 200)), data=FRACTIONS)),
    "TIFF, strips without end": ("corrupt", lambda: directory(*tags((273, 4, 5 * MIB, 8)), data=bytes(20 * MIB))),
    "TIFF, a tile larger than all": ("corrupt", lambda: _tile(32_768)),
    "TIFF, a directory beyond its end": ("truncated", lambda: b"II*\0\xff\xff\xff\xff"),
    "TIFF, a directory in its head": ("truncated", lambda: b"II*\0\0\0\0\0" + bytes(99)),
    "TIFF, 60,000 channels": ("corrupt", lambda: directory(*tags((277, 3, 1, 60_000)), data=bytes(16))),
    "BigTIFF, 2^62 tags": ("truncated", lambda: BIG + struct.pack("<QQ", 16, 2**62) + bytes(MIB)),
    "BigTIFF, a million tags": ("corrupt", lambda: BIG + struct.pack("<QQ", 16, MIB) + bytes(21 * MIB)),
}
PLAIN = saved(Image.new("L", (16, 16), 128), "JPEG")
RAW = b"Raw profile type exif\0\0"
SHARED = [(20_000 + number, 7, MIB, 8) for number in range(4000)]
FRACTIONS = bytes(66) + struct.pack("<HHHLLL", 1, 1, 5, 2 * MIB, 8, 0) + bytes(16 * MIB)
BIG = b"II+\0\x08\0\0\0"


def _scans(side: int, count: int) -> bytes:
    whole = saved(Image.new("L", (side, side), 77), "JPEG", progressive=True)
    last = whole[whole.rindex(b"\xff\xda") : -2]
    return whole[:-2] + last * count + whole[-2:]


def _chain(count: int) -> bytes:
    """A TIFF of so many pages, each of which says nothing."""
    first = directory(*tags(), data=bytes(16), following=400)
    pages = (struct.pack("<HHHLLL", 1, 256, 4, 1, 4, 400 + 18 * (page + 1)) for page in range(count))
    return first.ljust(400, b"\0") + b"".join(pages)


def _tile(side: int) -> bytes:
    data = zeros(64 * MIB)
    told = {256: 16, 257: 16, 258: 8, 259: 8, 262: 1, 277: 1, 322: side, 323: side, 324: 134, 325: len(data)}
    return directory(*((tag, 4, 1, value) for tag, value in told.items()), data=data)


def test_nothing_hostile_takes_long_or_much(tmp_path: Path) -> None:
    """In a process of its own, whose memory can be told: each at most 10 s, all at most 700 MB."""
    script = (
        "import resource, sys, test_gate\n"
        "for name in test_gate.HOSTILE: print(test_gate.timed(name))\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)\n"
    )
    around = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", script], env=around, capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stderr) == (0, "")
    *lines, memory = done.stdout.splitlines()
    found = {name: line.split("\t") for name, line in zip(HOSTILE, lines, strict=True)}
    assert {name: told for name, (told, _) in found.items()} == {name: told for name, (told, _) in HOSTILE.items()}
    assert max(float(seconds) for _, seconds in found.values()) < 10
    assert int(memory) < 700_000


def timed(name: str) -> str:
    """How a case ends, and the CPU time it takes."""
    import time

    data = HOSTILE[name][1]()
    began = time.process_time()
    found = code(data)
    code(data, by=decode_mask)
    return f"{found}\t{time.process_time() - began:.3f}"


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
