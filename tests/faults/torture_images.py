"""Image files that are cut, damaged or dressed up as something else; each with its code, "" where it is made.

One dataset of class folders holds them all, with two good ones.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

from conftest import picture
from PIL import Image
from torture import Case

CUTS = (1, 2, 3, 8, 12, 20, 30, 50, 70, 90, 99)  # percent of a file, from 12 on


def saved(kind: str, image: Image.Image | None = None, **how: Any) -> bytes:
    buffer = io.BytesIO()
    (image or picture(3, 64, 48)).save(buffer, kind, **how)
    return buffer.getvalue()


def chunk(kind: bytes, body: bytes, crc: int | None = None) -> bytes:
    sound = zlib.crc32(body, zlib.crc32(kind)) if crc is None else crc
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", sound)


def png(*between: bytes, width: int = 8, height: int = 8, depth: int = 8, colour: int = 2, rows: bytes = b"") -> bytes:
    """A PNG with these chunks before its pixels."""
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}.get(colour, 1)
    line = 1 + (width * channels * depth + 7) // 8
    pixels = rows or zlib.compress(bytes(min(line * height, 1 << 20)))
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    parts = chunk(b"IHDR", header), *between, chunk(b"IDAT", pixels), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def tiff(*tags: tuple[int, int, int, int], pixels: bytes = bytes(192), following: int = 0, order: str = "<") -> bytes:
    """A TIFF of 8 x 8 RGB with these (tag, type, count, value) instead of the usual ones; its strip begins at 8."""
    usual = {256: (3, 1, 8), 257: (3, 1, 8), 258: (3, 1, 8), 259: (3, 1, 1), 262: (3, 1, 2), 273: (4, 1, 8)}
    usual |= {277: (3, 1, 3), 278: (3, 1, 8), 279: (4, 1, len(pixels))}
    usual |= {tag: rest for tag, *rest in tags}  # type: ignore[misc]
    entries = b"".join(
        struct.pack(order + "HHI", tag, kind, count) + (
            struct.pack(order + "HH", value & 0xFFFF, 0) if kind == 3 and count == 1 else struct.pack(order + "I", value)
        )
        for tag, (kind, count, value) in sorted(usual.items())
    )  # fmt: skip
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8 + len(pixels))
    return head + pixels + struct.pack(order + "H", len(usual)) + entries + struct.pack(order + "I", following)


def bmp(width: int = 8, height: int = 8, bits: int = 24, compression: int = 0, rows: bytes | None = None) -> bytes:
    size = abs(height) * ((abs(width) * bits + 31) // 32 * 4)
    rows = bytes(min(size, 4096)) if rows is None else rows
    head = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, compression, len(rows), 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54 + len(rows), 0, 0, 54) + head + rows


def webp(*chunks: tuple[bytes, bytes], size: int | None = None) -> bytes:
    body = b"WEBP" + b"".join(
        kind + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2) for kind, data in chunks
    )
    return b"RIFF" + struct.pack("<I", len(body) if size is None else size) + body


def resized(jpeg: bytes, width: int, height: int) -> bytes:
    """A JPEG whose header says another size."""
    at = next(jpeg.index(sign) for sign in (b"\xff\xc0", b"\xff\xc2") if sign in jpeg)
    return jpeg[: at + 5] + struct.pack(">HH", height, width) + jpeg[at + 9 :]


def exif(kind: int = 3, count: int = 1, value: bytes = b"\6\0\0\0", raw: bytes = b"") -> bytes:
    """A JPEG whose EXIF has this orientation, or is `raw`."""
    tag = b"II*\0\x08\0\0\0\x01\0" + struct.pack("<HHI", 0x0112, kind, count) + value + bytes(4)
    return saved("JPEG", exif=b"Exif\0\0" + (raw or tag))


JPEG, PROGRESSIVE = saved("JPEG", quality=90), saved("JPEG", progressive=True, quality=90)
WHOLE: Mapping[str, bytes] = {
    "jpg": JPEG,
    "progressive.jpg": PROGRESSIVE,
    "png": saved("PNG"),
    "palette.png": saved("PNG", picture(3, 64, 48).convert("P")),
    "deep.png": saved("PNG", Image.new("I;16", (64, 48), 999)),
    "webp": saved("WEBP"),
    "lossless.webp": saved("WEBP", lossless=True),
    "bmp": saved("BMP"),
    "tif": saved("TIFF"),
    "lzw.tif": saved("TIFF", compression="tiff_lzw"),
    "deflate.tif": saved("TIFF", compression="tiff_adobe_deflate"),
    "jpeg.tif": saved("TIFF", compression="jpeg"),
    "fax.tif": saved("TIFF", picture(3, 64, 48).convert("1"), compression="group4"),
}


def cuts() -> dict[str, tuple[bytes, str]]:
    """Files cut after some bytes, or some percent of them. Of three bytes nothing but JPEG and BMP can be told."""
    found = {}
    for name, data in WHOLE.items():
        for at in CUTS:
            begun = data[: at if at < 12 else len(data) * at // 100]
            told = 2 if name == "bmp" else 3 if name.endswith("jpg") else 12 if name.endswith("webp") else 4
            code = "corrupt" if at < 8 or (name == "bmp" and at == 8) else "truncated"
            found[f"{at}.{name}"] = (begun, code if len(begun) >= told else "not-an-image")
    return found


def frames(kind: str, **how: Any) -> bytes:
    return saved(kind, save_all=True, append_images=[picture(4, 64, 48)], **how)


def _files() -> dict[str, tuple[bytes, str]]:
    zeros = zlib.compress(bytes(100_000_000), 9)
    half = PROGRESSIVE[: len(PROGRESSIVE) // 2]
    fine, many = "", "decompression-bomb"
    return {
        # Empty, or nothing of an image
        "empty.jpg": (b"", "empty-file"),
        "zeros.jpg": (bytes(5000), "only-zeros"),
        "text.png": (b"this is no image at all, but a line of text\n" * 9, "not-an-image"),
        "utf16.png": ("no image".encode("utf-16") * 50, "not-an-image"),
        "gzip.png": (b"\x1f\x8b\x08\0" + bytes(50), "not-an-image"),
        "zip.jpg": (b"PK\x03\x04" + bytes(50), "not-an-image"),
        "pdf.jpg": (b"%PDF-1.7\n" + bytes(50), "not-an-image"),
        "program.jpg": (b"\x7fELF\x02\x01\x01" + bytes(50), "not-an-image"),
        "pickle.jpg": (b"\x80\x04\x95\x1e\0\0\0\0\0\0\0\x8c\x05posix\x94\x8c\x06system\x94\x93.", "not-an-image"),
        "json.jpg": (b'{"a": 1}' * 20, "not-an-image"),
        "pointer.jpg": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3\n", "lfs-pointer"),
        "annex.jpg": (b"../.git/annex/objects/00/SHA256E-s3--0.jpg\n", "lfs-pointer"),
        "gif.jpg": (saved("GIF"), "unsupported-format"),
        "svg.png": (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "unsupported-format"),
        "heic.jpg": (b"\0\0\0\x18ftypheic" + bytes(50), "unsupported-format"),
        "psd.png": (b"8BPS\0\1" + bytes(50), "unsupported-format"),
        "ico.png": (saved("ICO"), "unsupported-format"),
        "jp2.jpg": (b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(50), "unsupported-format"),
        "eps.jpg": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "unsupported-format"),
        # Headers that lie
        "soi.jpg": (b"\xff\xd8\xff", "corrupt"),
        "soi_eoi.jpg": (b"\xff\xd8\xff\xd9", "corrupt"),
        "huge.jpg": (resized(JPEG, 65500, 65500), many),
        "huge_progressive.jpg": (resized(PROGRESSIVE, 65500, 65500), many),
        "no_width.jpg": (resized(JPEG, 0, 48), "corrupt"),
        "no_height.jpg": (resized(JPEG, 64, 0), "corrupt"),
        "wider.jpg": (resized(JPEG, 9000, 48), "truncated"),
        "twelve_bits.jpg": (JPEG.replace(b"\xff\xc0\0\x11\x08", b"\xff\xc0\0\x11\x0c"), "pixel-type"),
        "lossless.jpg": (JPEG.replace(b"\xff\xc0\0\x11", b"\xff\xc3\0\x11"), "corrupt"),
        "no_tables.jpg": (JPEG.replace(b"\xff\xdb", b"\xff\xfe"), "corrupt"),
        "comments.jpg": (b"\xff\xd8" + (b"\xff\xfe\xff\xff" + bytes(65533)) * 20 + JPEG[2:], fine),
        "long_segment.jpg": (b"\xff\xd8\xff\xe1\xff\xff" + JPEG[2:], "truncated"),
        "cut_with_end.jpg": (JPEG[: len(JPEG) // 2] + b"\xff\xd9", "truncated"),
        "cut_progressive_with_end.jpg": (half + b"\xff\xd9", "truncated"),
        "before.jpg": (b"\r\n" + JPEG, "not-an-image"),
        "huge.png": (png(width=2**31 - 1, height=2**31 - 1), many),
        "tall.png": (png(width=1, height=2**31 - 1), many),
        "bomb.png": (png(width=30000, height=30000, depth=1, colour=0, rows=zeros), many),
        "none.png": (png(width=0, height=0), "corrupt"),
        "no_height.png": (png(width=8, height=0), "corrupt"),
        "negative.png": (png(width=2**32 - 8, height=8), many),
        "depth.png": (png(depth=7), "corrupt"),
        "colour.png": (png(colour=9), "corrupt"),
        "no_palette.png": (png(colour=3), "corrupt"),
        "one.png": (png(width=1, height=1), fine),
        "more_pixels.png": (png(rows=zeros), fine),
        "fewer_pixels.png": (png(rows=zlib.compress(bytes(50))), "truncated"),
        "no_zlib.png": (png(rows=b"no zlib at all"), "corrupt"),
        "no_idat.png": (png()[:33] + chunk(b"IEND", b""), "corrupt"),
        "cgbi.png": (png()[:8] + chunk(b"CgBI", b"\x50\0\x20\2") + png()[8:], "unsupported-format"),
        "crc_header.png": (png()[:29] + b"\0\0\0\0" + png()[33:], "corrupt"),
        "crc_pixels.png": (png()[:-16] + b"\0\0\0\0" + png()[-12:], "corrupt"),
        "crc_text.png": (png(chunk(b"tEXt", b"a\0b", 7)), fine),
        "unknown_critical.png": (png(chunk(b"ABCD", b"a")), fine),
        "long_chunk.png": (png()[:33] + b"\xff\xff\xff\xff" + png()[37:], "truncated"),
        "two_headers.png": (png(png()[8:33]), fine),
        "after_end.png": (png() + bytes(1000), fine),
        # Bombs in what stands beside the pixels
        "text_bomb.png": (png(chunk(b"zTXt", b"a\0\0" + zeros)), fine),
        "itxt_bomb.png": (png(chunk(b"iTXt", b"a\0\1\0\0\0" + zeros)), fine),
        "icc_bomb.png": (png(chunk(b"iCCP", b"a\0\0" + zeros)), fine),
        "icc_broken.png": (png(chunk(b"iCCP", b"a\0\0no zlib")), fine),
        "icc_garbage.jpg": (saved("JPEG", icc_profile=b"\xff" * 200), fine),
        "exif_chunk.png": (png(chunk(b"eXIf", b"MM\0*\xff\xff\xff\xff")), fine),
        "exif_bomb.png": (png(chunk(b"zTXt", b"Raw profile type exif\0\0" + zeros)), "corrupt"),
        "many_texts.png": (png(*[chunk(b"tEXt", b"k%d\0v" % n) for n in range(50_000)]), fine),
        "many_pixels.png": (
            png()[:33] + chunk(b"IDAT", b"") * 50_000 + png()[33:], fine),
        # EXIF
        "orientation_0.jpg": (exif(value=bytes(4)), fine),
        "orientation_9.jpg": (exif(value=b"\x09\0\0\0"), fine),
        "orientation_text.jpg": (exif(2, 4, b"six\0"), fine),
        "orientation_several.jpg": (exif(3, 2, b"\6\0\6\0"), fine),
        "exif_garbage.jpg": (exif(raw=b"\xff" * 500), fine),
        "exif_cut.jpg": (exif(raw=b"II*\0"), fine),
        "exif_loop.jpg": (exif(raw=b"II*\0\x08\0\0\0\0\0\x08\0\0\0"), fine),
        "exif_count.jpg": (exif(raw=b"MM\0*\0\0\0\x08\xff\xff\x01\x12\0\x03\xff\xff\xff\xff\0\0\0\0"), fine),
        # Several things at once
        "polyglot_zip.jpg": (JPEG + b"PK\x03\x04" + bytes(100), fine),
        "polyglot_script.jpg": (JPEG[:2] + b"\xff\xfe\0\x20<?php system($_GET[0]); __END?>  " + JPEG[2:], fine),
        "twice.jpg": (JPEG + JPEG, fine),
        "trailing.webp": (WHOLE["webp"] + bytes(100), fine),
    }  # fmt: skip


def batch(name: str, files: Mapping[str, tuple[bytes, str]], warned: Mapping[str, int], workers: int) -> Case:
    placed = {f"in/cat/{one}": data for one, (data, _) in files.items()}
    failed = {f"cat/{one}": code for one, (_, code) in files.items() if code}
    good: dict[str, Any] = {"in/cat/good.jpg": saved("JPEG"), "in/dog/good.png": saved("PNG")}
    made = 2 * (2 + len(files) - len(failed)) + list(failed.values()).count("transform-failed")  # the image as it is
    return Case(
        name, {**placed, **good}, int(bool(failed)), failed, None, warned, made, workers=workers, holds=len(files)
    )


CASES: Sequence[Case] = (
    batch("cut files", cuts(), {}, 0),
    batch("damaged files", _files(), {"decoder-warning": 3}, 1),
)
