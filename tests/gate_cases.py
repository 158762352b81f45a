"""Files that lie and swell, made small; and how each of them is to end."""

from __future__ import annotations

import resource
import struct
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from test_images import chunk, png, saved

from augx.errors import ImageError
from augx.images import decode, decode_mask
from augx.model import Limits

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


def timed(name: str) -> str:
    """How a case ends, and the CPU time it takes."""
    data = HOSTILE[name][1]()
    began = time.process_time()
    found = code(data)
    code(data, by=decode_mask)
    return f"{found}\t{time.process_time() - began:.3f}"


def peak() -> int:
    """KiB that this process has taken at most. Not `ru_maxrss` where it can be helped: that begins with what its parent
    had."""
    status = Path("/proc/self/status")
    if status.exists():
        return int(status.read_text().split("VmHWM:")[1].split()[0])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
