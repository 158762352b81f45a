"""The containers around coded pixels: how they begin, what they say of themselves, where they end.

Decoders take half a file for a whole one, and no encoder writes 16-bit colour with a profile: that is done here, on
bytes alone. A file that ends too early raises EOFError, one whose parts do not fit together SyntaxError.
"""

from __future__ import annotations

import contextlib
import re
import struct
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from augx.errors import ImageError

Plane = NDArray[Any]

RESAVE = "save it as PNG, JPEG or TIFF with 8 or 16 bits a channel"

_SIGNATURES = {
    "JPEG": rb"\xff\xd8\xff",
    "PNG": rb"\x89PNG\r\n\x1a\n",
    "WEBP": rb"RIFF....WEBP",
    "BMP": rb"BM",
    "TIFF": rb"II[*+]\0|MM\0[*+]",
}
_OTHER_IMAGES = {  # those that Pillow does not know by name
    "HEIC": rb"....ftyp(hei|hev|mif1|msf1)",
    "JPEG XL": rb"\0\0\0\x0cJXL |\xff\x0a",
    "DICOM": rb".{128}DICM",
    "SVG": rb"\s*(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)?(<!(?i:doctype) svg[^>]*>\s*)?<svg",
    "TGA": rb".(\0[\x02\x03\x0a\x0b]\0{5}|\x01[\x01\x09].{5}).{8}[\x08\x0f\x10\x18\x20]",
    "QOI": rb"qoif",
    "XPM": rb"/\* XPM",
}
_OTHER_FILES = {
    "an XML text": rb"(\xef\xbb\xbf)?\s*<",
    "a JSON text": rb"\s*[{\[]",
    "a PDF document": rb"%PDF",
    "a ZIP archive": rb"PK\x03\x04",
    "a gzip archive": rb"\x1f\x8b",
    "a video (MP4)": rb"....ftyp",
}
_WEB_PAGE = re.compile(
    rb"(\xef\xbb\xbf)?\s*(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)*"
    rb"<(!doctype\s+html|html|head|body|title|meta|script|style|link|div|p|h1|center|table|iframe)[\s/>]",
    re.DOTALL | re.IGNORECASE,
)
_PNG_PIXELS = (b"IHDR", b"PLTE", b"IDAT", b"IEND")
_PNG_FACTS = (b"tRNS", b"iCCP", b"acTL")
_ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
_LARGEST_PROFILE = 1 << 24
_JPEG_MARKER = re.compile(rb"\xff([^\0\xff\xd0-\xd7])", re.DOTALL)
_JPEG_KEPT = {*range(0xC0, 0xD0), 0xDB, 0xDC, 0xDD, 0xE0, 0xE2, 0xEE}  # frames, tables, JFIF, profiles, Adobe
_JPEG_ALONE = {0x01, 0xD8, 0xD9}  # markers without a length
_MOST_METADATA = 1 << 20
_MOST_EXIF = 1 << 17
_MOST_PARTS = 1 << 18  # chunks or segments that a file is followed through; nobody needs a thousand
_SHORT, _LONG, _UNDEFINED = 3, 4, 7  # the types of TIFF values


@dataclass(frozen=True, slots=True)
class Facts:
    """What a container says beside what Pillow reads. `data` is what the decoders are to be given.

    `depth`: bits per sample. `key`: the transparent colour, in the values of the decoded pixels.
    """

    data: bytes
    depth: int = 8
    key: tuple[int, ...] = ()
    icc: bytes | None = None
    frames: int = 1


def readable_format(head: bytes) -> str:
    """The format of a file that begins (1 kB) with `head`: "JPEG", "PNG", "WEBP", "BMP" or "TIFF"; "" for any other."""
    return _match(_SIGNATURES, head)


def other_image(head: bytes) -> str:
    """The name of an image format that is not read and that Pillow does not know; else ""."""
    return _match(_OTHER_IMAGES, head)


def is_web_page(head: bytes) -> bool:
    """Whether a file that begins (1 kB) with `head` is HTML."""
    return _WEB_PAGE.match(head) is not None


def other_file(head: bytes) -> str:
    """What a file is that is no image, in words ("a JSON text"); else ""."""
    return _match(_OTHER_FILES, head)


def _match(patterns: Mapping[str, bytes], head: bytes) -> str:
    return next((name for name, pattern in patterns.items() if re.match(pattern, head, re.DOTALL)), "")


def facts_of(data: bytes, name: str) -> Facts:
    """`name`: the format of `data`, "PNG", "TIFF", "WEBP", "JPEG" or "BMP". Raises where the container is cut."""
    if name == "PNG":
        return _png_facts(data)
    if name == "WEBP" and 8 + int.from_bytes(data[4:8], "little") > len(data):
        raise EOFError("truncated")
    return Facts(_lean_jpeg(data) if name == "JPEG" else data)


def _png_facts(data: bytes) -> Facts:
    """Walks the chunks, because Pillow takes half a PNG for a whole one and browsers forgive broken metadata.

    What the decoders are given are EXIF, which may be wanted without pixels, and the chunks that make the pixels.
    """
    if len(data) < 33:
        raise EOFError("truncated")
    if data[12:16] == b"CgBI":
        raise ImageError("unsupported-format", f"a PNG made for iOS (CgBI), which is no PNG; {RESAVE}")
    if data[12:16] != b"IHDR":
        raise SyntaxError("no header")
    depth, colour = data[24], data[25]
    view = memoryview(data)
    chunks, exif = [view[:8]], list[memoryview]()
    found: dict[bytes, bytes] = {}
    kind, at = b"", 8
    for _ in range(_MOST_PARTS):
        length, kind = struct.unpack(">I4s", data[at : at + 8].ljust(8, b"\xff"))
        end = at + 12 + length
        if end > len(data):
            raise EOFError("truncated")
        body = view[at + 8 : end - 4]
        sound = zlib.crc32(body, zlib.crc32(kind)) == int.from_bytes(view[end - 4 : end], "big")
        if not sound and not kind[0] & 32:
            raise SyntaxError(f"wrong checksum of chunk {kind!r} at byte {at}")
        if kind in _PNG_PIXELS or (sound and kind == b"tRNS" and colour == 3):
            chunks.append(view[at:end])
        elif sound and (kind == b"eXIf" or bytes(body[:22]) == b"Raw profile type exif\0"):
            exif.append(view[at:end])
        if sound and kind in _PNG_FACTS:
            found.setdefault(kind, bytes(body))
        at = end
        if kind == b"IEND":
            break
    else:
        raise SyntaxError(f"more than {_MOST_PARTS:,} chunks")
    decoded = data if at == sum(map(len, chunks)) else b"".join((*chunks[:2], *exif, *chunks[2:]))
    trns = found.get(b"tRNS", b"")
    key: tuple[int, ...] = ()
    if colour in (0, 2) and len(trns) >= 2 + 2 * colour:
        scale = 255 // (2**depth - 1) if depth in (1, 2, 4) else 1
        key = tuple((part & (2**depth - 1)) * scale for part in struct.unpack_from(f">{1 + colour}H", trns))
    icc = None
    if b"iCCP" in found:
        with contextlib.suppress(zlib.error, ValueError):
            _, packed = found[b"iCCP"].split(b"\0", 1)
            icc = zlib.decompressobj().decompress(packed[1:], _LARGEST_PROFILE)
    frames = int.from_bytes(found.get(b"acTL", b"")[:4], "big")
    return Facts(decoded, depth, key, icc, max(frames, 1))


def png_is_short(data: bytes) -> bool:
    """Whether the coded rows of a PNG, which is whole otherwise, end before the last: the rest is black then."""
    width, height, depth, colour, _, _, interlaced = struct.unpack_from(">IIBBBBB", data, 16)
    bits = depth * {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]
    left = 0
    for x, y, across, down in _ADAM7 if interlaced else [(0, 0, 1, 1)]:
        columns, rows = -(-(width - x) // across), -(-(height - y) // down)
        left += rows * (1 + (columns * bits + 7) // 8) if columns > 0 else 0
    inflater, at = zlib.decompressobj(), 8
    while left > 0 and at < len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        coded = data[at + 8 : at + 8 + length] if kind == b"IDAT" else b""
        while coded and left > 0:
            left -= len(inflater.decompress(coded, 1 << 20))
            coded = inflater.unconsumed_tail
        at += 12 + length
        if kind == b"IEND":
            break
    return left > 0


def is_grey_alpha_png(data: bytes) -> bool:
    return data[1:4] == b"PNG" and data[25] == 4


def jpeg_size(head: bytes) -> tuple[int, int] | None:
    """Width and height of a JPEG by its first MiBs; None where they stand further behind. EOFError where no more parts
    come."""
    reached = 2
    for code, begin, end in _jpeg_parts(head):
        if 0xC0 <= code <= 0xCF and code not in (0xC4, 0xC8, 0xCC) and begin + 9 <= len(head):
            height, width = struct.unpack_from(">HH", head, begin + 5)
            return width, height
        reached = end
    if reached < len(head):
        raise EOFError("truncated")
    return None


def jpeg_end(data: bytes) -> int | None:
    """Where the end marker of the first frame begins, with what fills up before it, or None if there is none."""
    reached = 2
    for code, begin, end in _jpeg_parts(data):
        if code == 0xD9:
            return reached + len(data[reached:begin].rstrip(b"\xff"))
        reached = end
    return None


def _lean_jpeg(data: bytes) -> bytes:
    """The file without junk and metadata but for the first EXIF and XMP, if more than 1 MiB or 128 KiB of EXIF come
    before the pixels: decoders go through that byte by byte, and put the parts of EXIF together again and again."""
    kept, seen, exif = [data[:2]], set[bytes](), 0
    for code, begin, end in _jpeg_parts(data):
        if code == 0xDA:
            return b"".join((*kept, data[begin:])) if exif > _MOST_EXIF or begin > _MOST_METADATA else data
        kind = data[begin + 4 : begin + 10] if code == 0xE1 else b""
        exif += end - begin if kind == b"Exif\0\0" else 0
        if code in _JPEG_KEPT or (kind in (b"Exif\0\0", b"http:/") and kind not in seen):
            seen.add(kind)
            kept.append(data[begin:end])
    if len(data) > _MOST_METADATA:
        raise EOFError("truncated")
    return data


def _jpeg_parts(data: bytes) -> Iterator[tuple[int, int, int]]:
    """The marker, begin and end of each segment; coded data and junk lie between."""
    at = 2
    for _ in range(_MOST_PARTS):
        marker = _JPEG_MARKER.search(data, at)
        if marker is None:
            return
        code, at = marker[1][0], marker.end()
        if code not in _JPEG_ALONE:
            at += int.from_bytes(data[at : at + 2], "big")
        yield code, marker.start(), at
    raise SyntaxError(f"more than {_MOST_PARTS:,} segments")


def deep_png(samples: Plane, icc: bytes | None, level: int) -> bytes:
    """A PNG of 16 bits with 2..4 channels, which Pillow cannot write, nor OpenCV with two channels or a profile.

    `samples`: height x width x channels. The bytes depend on the zlib of Python.
    """
    height, width, channels = samples.shape
    rows = np.ascontiguousarray(samples.astype(">u2")).view(np.uint8).reshape(height, -1)
    lines = np.ones((height, rows.shape[1] + 1), np.uint8)  # the 1 before each row names its filter, Sub
    lines[:, 1:] = rows
    lines[:, 1 + 2 * channels :] -= rows[:, : -2 * channels]
    header = struct.pack(">IIBBBBB", width, height, 16, {2: 4, 3: 2, 4: 6}[channels], 0, 0, 0)
    profile = _png_chunk(b"iCCP", b"ICC Profile\0\0" + zlib.compress(icc)) if icc else b""
    pixels = _png_chunk(b"IDAT", zlib.compress(lines.tobytes(), level))
    return b"\x89PNG\r\n\x1a\n" + _png_chunk(b"IHDR", header) + profile + pixels + _png_chunk(b"IEND", b"")


def _png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(body, zlib.crc32(kind)))


def deep_tiff(samples: Plane, icc: bytes | None) -> bytes:
    """A TIFF of 16 bits in one deflated strip, which Pillow can write for grey only, and OpenCV without profile.

    `samples`: height x width, or with channels behind. Grey with alpha becomes RGBA, because neither reads it back.
    """
    samples = samples[..., None] if samples.ndim == 2 else samples
    if samples.shape[2] == 2:
        samples = samples[..., [0, 0, 0, 1]]
    height, width, channels = samples.shape
    steps = samples.astype("<u2")
    steps[:, 1:] -= samples[:, :-1]
    strip = zlib.compress(steps.tobytes(), 6)
    tags: list[tuple[int, int, Sequence[int]]] = [
        (256, _LONG, [width]),
        (257, _LONG, [height]),
        (258, _SHORT, [16] * channels),
        (259, _SHORT, [8]),  # deflated
        (262, _SHORT, [1 if channels == 1 else 2]),  # black is zero, or RGB
        (273, _LONG, [0]),  # where the strip begins: right after the tags
        (277, _SHORT, [channels]),
        (278, _LONG, [height]),  # rows a strip
        (279, _LONG, [len(strip)]),
        (317, _SHORT, [2]),  # horizontal differences
        *([(338, _SHORT, [2])] if channels == 4 else []),  # alpha, not premultiplied
        *([(34675, _UNDEFINED, icc)] if icc else []),
    ]
    return b"II*\0" + struct.pack("<I", 8) + _tiff_directory(tags, 8) + strip


def _tiff_directory(tags: list[tuple[int, int, Sequence[int]]], begin: int) -> bytes:
    """Tags (number, type, values), ascending, as a directory at byte `begin`; tag 273 gets the byte that follows it.

    Values of more than 4 bytes come after the entries, each at an even byte.
    """
    bodies = [struct.pack(f"<{len(values)}{'HI..B'[kind - 3]}", *values) for _, kind, values in tags]
    at = begin + 2 + 12 * len(tags) + 4
    places = []
    for body in bodies:
        places.append(at)
        at += len(body) + len(body) % 2 if len(body) > 4 else 0
    entries, behind = [], []
    for (tag, kind, values), body, place in zip(tags, bodies, places, strict=True):
        if tag == 273:
            body = struct.pack("<I", at)
        entries.append(struct.pack("<HHI", tag, kind, len(values)))
        entries.append(body.ljust(4, b"\0") if len(body) <= 4 else struct.pack("<I", place))
        behind.append(body + b"\0" * (len(body) % 2) if len(body) > 4 else b"")
    return struct.pack("<H", len(tags)) + b"".join(entries) + bytes(4) + b"".join(behind)
