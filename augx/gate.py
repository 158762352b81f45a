"""What a header claims is held against the limits and against the file, before a decoder believes it.

Decoders take memory and time for what a header says: a canvas, a table of strips, the values of a tag. So a file of a
few bytes could take all there is. What a whole and honest file may say passes.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Literal

from augx import containers
from augx.errors import ImageError
from augx.model import Limits

Order = Literal["little", "big"]
Tags = list[tuple[int, int, int, int]]  # number, type, count of values, place of the values
_BOMB = 200  # pixels a byte: above it nothing but one colour can be meant
_MOST_TAGS = 4096  # of a TIFF; hundreds are many
_MOST_PLACES = 1 << 21  # strips and tiles, and their lengths
_MOST_NUMBERS = 1 << 19  # in the other tags; a palette and a transfer function of 16 bits have 400,000
_MOST_IN_TILE = 1 << 24  # pixels
_PLACES = {273, 279, 324, 325}
_NEEDED = _PLACES | {258, 320, 338, 339, 347}  # bits, palette, alpha, sample format, JPEG tables
_DIRECTORIES = {34665, 34853, 40965}  # EXIF, GPS, Interoperability
_SHARED = 1 << 16  # bytes that several tags may share
_UNITS = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
_MOST_RUNS = 4 << 20  # bytes of a BMP of run lengths
_MOST_RUNS_PIXELS = 16 << 20
_MOST_SCANS = 64  # of a JPEG; encoders write about ten
_MOST_SCANNED = 1 << 32  # pixels in all scans


def check_size(width: int, height: int, size: int, limits: Limits | None) -> None:
    """Raises ImageError if an image in a file of `size` bytes is larger than it may be."""
    if limits is None:
        return
    if width * height > limits.pixels:
        said = f"{width} x {height} pixels are more than the limit of {limits.pixels:,}"
        if size * _BOMB < width * height:
            raise ImageError("decompression-bomb", f"{said}, and {size:,} bytes can hardly be an image of that size")
        raise ImageError("too-many-pixels", f"{said}; resize it, or raise `limits: {{pixels: ...}}`")
    if max(width, height) > limits.side:
        said = f"{width} x {height} pixels: a side is longer than the limit of {limits.side:,}"
        raise ImageError("side-too-long", f"{said}; resize it, or raise `limits: {{side: ...}}`")


def size_told(head: bytes, name: str) -> tuple[int, int] | None:
    """Width and height that an image of the format `name` claims in its first MiBs; None where it does not, and for a
    TIFF of several pages. EOFError, SyntaxError where no image can follow."""
    if name == "PNG":
        return struct.unpack_from(">II", head, 16)
    if name == "BMP" and head[14:18] == b"\x0c\0\0\0":
        return struct.unpack_from("<HH", head, 18)
    if name == "BMP":
        width, height = struct.unpack_from("<Ii", head, 18)
        return width, abs(height)
    return {"JPEG": containers.jpeg_size, "TIFF": _tiff_size, "WEBP": webp_size}[name](head)


def _tiff_size(head: bytes) -> tuple[int, int] | None:
    """None where its directory lies further behind, or is one of several."""
    order, big, first = _begin(head)
    if first + 16 + 20 * _MOST_TAGS > len(head):
        return None
    tags, following = _directory(head, first, order, big)
    sides = {tag: head[place : place + _UNITS.get(kind, 0)] for tag, kind, _, place in tags}
    if following or not {256, 257} <= sides.keys():
        return None
    return int.from_bytes(sides[256], order), int.from_bytes(sides[257], order)


def webp_size(data: bytes) -> tuple[int, int] | None:
    """Width and height of the canvas, which the decoder makes when it is only asked for them; None if nowhere said."""
    kind = data[12:16]
    if kind == b"VP8X" and len(data) >= 30:
        return 1 + int.from_bytes(data[24:27], "little"), 1 + int.from_bytes(data[27:30], "little")
    if kind == b"VP8 " and data[23:26] == b"\x9d\x01\x2a" and len(data) >= 30:
        width, height = struct.unpack_from("<HH", data, 26)
        return width & 0x3FFF, height & 0x3FFF
    if kind == b"VP8L" and data[20:21] == b"\x2f" and len(data) >= 25:
        bits = int.from_bytes(data[21:25], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    return None


def check_scans(data: bytes, pixels: int) -> None:
    """Raises ImageError for a JPEG that goes over its pixels again and again: seconds for each kilobyte."""
    if len(data) // 10 * pixels > _MOST_SCANNED:  # no scan is shorter
        scans = data.count(b"\xff\xda")
        if scans > _MOST_SCANS and scans * pixels > _MOST_SCANNED:
            raise ImageError("decompression-bomb", f"the JPEG has {scans} scans, where encoders write about ten")


def check_bmp(data: bytes, pixels: int) -> None:
    """Raises ImageError for a large BMP of run lengths, which are decoded one by one in Python."""
    coded = int.from_bytes(data[14:18], "little") >= 40 and data[30:34] in (b"\1\0\0\0", b"\2\0\0\0")
    if coded and (pixels > _MOST_RUNS_PIXELS or len(data) > _MOST_RUNS):
        raise ImageError("unsupported-format", "a BMP of run lengths this large is not read; convert it to PNG")


def check_tiff(data: bytes) -> None:
    """Raises EOFError where the first directory of a TIFF is cut, or what pixels need of it. SyntaxError where it
    claims what no image needs, ImageError for a camera's raw file."""
    order, big, first = _begin(data)
    tags, _ = _directory(data, first, order, big)
    _check_raw(data, tags, order)
    if any(place + count * _UNITS.get(kind, 0) > len(data) for tag, kind, count, place in tags if tag in _NEEDED):
        raise EOFError("truncated")
    for tag, _, _, place in [*tags]:
        if tag in _DIRECTORIES:
            with suppress(EOFError):  # broken metadata is no reason to lose an image
                tags += _directory(data, int.from_bytes(data[place : place + 4], order), order, big)[0]
    _check_claims(tags, len(data))


def check_exif(data: bytes) -> None:
    """Raises SyntaxError where EXIF claims what no image needs. Where it is cut, what is left of it counts."""
    data = data.removeprefix(b"Exif\0\0")
    order, big, first = _begin(data)
    _check_claims(_directory(data, first, order, big, cut=True)[0], len(data))


def _check_claims(tags: Tags, size: int) -> None:
    places = numbers = total = 0
    for tag, kind, count, place in tags:
        unit = _UNITS.get(kind, 0)
        if place + unit * count > size:
            continue  # nobody reads it
        total += unit * count
        places += count if tag in _PLACES else 0
        numbers += count if unit > 1 and tag not in _PLACES else 0
    if total > size + _SHARED or places > _MOST_PLACES or numbers > _MOST_NUMBERS:
        raise SyntaxError(f"its tags claim {total:,} bytes, {places + numbers:,} of them numbers")


def _begin(data: bytes) -> tuple[Order, bool, int]:
    """The order of bytes, whether it is a BigTIFF, and where its first directory begins."""
    order: Order = "little" if data[:1] == b"I" else "big"
    big = 43 in data[2:4]
    return order, big, int.from_bytes(data[8:16] if big else data[4:8], order)


def _directory(data: bytes, at: int, order: Order, big: bool, cut: bool = False) -> tuple[Tags, int]:
    """The tags of a directory, and where the next one begins, or 0."""
    sign = "<" if order == "little" else ">"
    head, entry, inline = (8, f"{sign}HHQ8s", 8) if big else (2, f"{sign}HHL4s", 4)
    size = struct.calcsize(entry)
    count = int.from_bytes(data[at : at + head], order)
    begin, end = at + head, at + head + count * size
    if cut:
        end = min(end, len(data) - (len(data) - begin) % size)
    elif end > len(data) or at <= inline:
        raise EOFError("truncated")
    if count > _MOST_TAGS:
        raise SyntaxError(f"a directory of {count:,} tags")
    tags = []
    for number, (tag, kind, values, content) in enumerate(struct.iter_unpack(entry, data[begin:end]), 1):
        apart = values * _UNITS.get(kind, 0) > inline
        tags.append((tag, kind, values, int.from_bytes(content, order) if apart else begin + number * size - inline))
    return tags, int.from_bytes(data[end : end + inline], order)


def check_tiff_pixels(tags: Mapping[int, Any], size: int) -> None:
    """Raises EOFError if strips or tiles lie beyond `size`, the end of the file; SyntaxError for tiles that are far
    larger than the image.

    Fax and JPEG data that break off inside a TIFF are filled up in silence, so where they end is looked up.
    """
    offsets = tags.get(273) or tags.get(324) or ()
    counts = tags.get(279) or tags.get(325) or ()
    if any(start >= size or start + count > size for start, count in zip(offsets, counts, strict=False)):
        raise EOFError("truncated")
    width, height = tags.get(322), tags.get(323)
    one = width * height if isinstance(width, int) and isinstance(height, int) else 0
    if one > max(_MOST_IN_TILE, 4 * tags.get(256, 1) * tags.get(257, 1)):
        raise SyntaxError(f"tiles of {width} x {height} pixels")


def _check_raw(data: bytes, tags: Sequence[tuple[int, int, int, int]], order: Order) -> None:
    """Raises ImageError for a camera's raw file, of which decoders take the small preview that comes first."""
    raw = data[4:12] == b"\x10\0\0\0CR\2\0"  # CR2
    for tag, kind, _, place in tags:
        reduced = tag == 254 and int.from_bytes(data[place : place + _UNITS.get(kind, 0)], order) == 1  # NEF, ARW
        if raw or reduced or tag == 50706:  # DNG
            raise ImageError("unsupported-format", "a camera's raw file is not read; develop it to PNG, JPEG or TIFF")
