"""The containers around coded pixels: how they begin, what they say of themselves, where they end.

Decoders take half a file for a whole one, and no encoder writes 16-bit colour with a profile: that is done here, on
bytes alone. A file that ends too early raises EOFError, one whose parts do not fit together SyntaxError.
"""

from __future__ import annotations

import contextlib
import re
import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

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
    "a web page (HTML), most likely an error page saved by a download": rb"(?i)\s*(<!--.*?-->\s*)?<(!doctype )?html",
    "an XML or HTML text": rb"\s*<",
    "a JSON text": rb"\s*[{\[]",
    "a PDF document": rb"%PDF",
    "a ZIP archive": rb"PK\x03\x04",
    "a gzip archive": rb"\x1f\x8b",
    "a video (MP4)": rb"....ftyp",
}
_PNG_PIXELS = (b"IHDR", b"PLTE", b"IDAT", b"IEND")
_LARGEST_PROFILE = 1 << 24
_JPEG_MARKER = re.compile(rb"\xff+([^\0\xff\xd0-\xd7])", re.DOTALL)
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
    if name == "TIFF" and 42 in data[2:4]:  # not a BigTIFF
        order: Literal["little", "big"] = "big" if data[:1] == b"M" else "little"
        begin = int.from_bytes(data[4:8], order)
        if begin + 2 + 12 * int.from_bytes(data[begin : begin + 2], order) > len(data):
            raise EOFError("truncated")
    return Facts(data)


def _png_facts(data: bytes) -> Facts:
    """Walks the chunks, because Pillow takes half a PNG for a whole one and browsers forgive broken metadata.

    What the decoders are given are the chunks that make the pixels, and EXIF.
    """
    if len(data) < 33:
        raise EOFError("truncated")
    if data[12:16] == b"CgBI":
        raise ImageError("unsupported-format", f"a PNG made for iOS (CgBI), which is no PNG; {RESAVE}")
    if data[12:16] != b"IHDR":
        raise SyntaxError("no header")
    depth, colour = data[24], data[25]
    chunks = [data[:8]]
    found: dict[bytes, bytes] = {}
    kind, at = b"", 8
    while kind != b"IEND":
        length, kind = struct.unpack(">I4s", data[at : at + 8].ljust(8, b"\xff"))
        end = at + 12 + length
        if end > len(data):
            raise EOFError("truncated")
        body = data[at + 8 : end - 4]
        sound = zlib.crc32(body, zlib.crc32(kind)) == int.from_bytes(data[end - 4 : end], "big")
        if not sound and not kind[0] & 32:
            raise SyntaxError(f"wrong checksum of chunk {kind!r} at byte {at}")
        exif = kind == b"eXIf" or body.startswith(b"Raw profile type exif\0")
        palette_alpha = kind == b"tRNS" and colour == 3
        if kind in _PNG_PIXELS or (sound and (exif or palette_alpha)):
            chunks.append(data[at:end])
        if sound:
            found.setdefault(kind, body)
        at = end
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
    return Facts(b"".join(chunks), depth, key, icc, max(frames, 1))


def is_grey_alpha_png(data: bytes) -> bool:
    return data[1:4] == b"PNG" and data[25] == 4


def check_tiff_pixels(tags: Mapping[int, Any], size: int) -> None:
    """Raises EOFError if strips or tiles lie beyond `size`, the end of the file.

    Fax and JPEG data that break off inside a TIFF are filled up in silence, so where they end is looked up.
    """
    offsets = tags.get(273) or tags.get(324) or ()
    counts = tags.get(279) or tags.get(325) or ()
    if any(start >= size or start + count > size for start, count in zip(offsets, counts, strict=False)):
        raise EOFError("truncated")


def jpeg_end(data: bytes) -> int | None:
    """Where the end marker of the first frame begins, or None if there is none."""
    at = 2
    while marker := _JPEG_MARKER.search(data, at):
        if marker[1] == b"\xd9":
            return marker.start()
        at = marker.end() + int.from_bytes(data[marker.end() : marker.end() + 2], "big")
    return None


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
