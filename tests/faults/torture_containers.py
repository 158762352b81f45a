"""TIFF, BMP, WebP and files of several frames whose parts lie; each with its code, "" where it is made."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence

from conftest import picture
from PIL import Image
from torture import Case
from torture_images import WHOLE, batch, bmp, chunk, frames, png, saved, tiff, webp

BIG = 0x7FFFFFFF
VP8, VP8L = WHOLE["webp"], WHOLE["lossless.webp"]


def _tiffs() -> Mapping[str, tuple[bytes, str]]:
    fine, many = "", "decompression-bomb"
    directories = b"".join(struct.pack("<HI", 0, 8 + 192 + 6 * (n + 1)) for n in range(20_000))
    return {
        "fine.tif": (tiff(), fine),
        "big_endian.tif": (tiff(order=">"), fine),
        "loop.tif": (tiff(following=200), fine),
        "many_frames.tif": (tiff(pixels=bytes(192)) + directories, fine),
        "no_directory.tif": (b"II*\0\xff\xff\xff\x7f" + bytes(50), "truncated"),
        "directory_in_head.tif": (b"II*\0\0\0\0\0" + bytes(50), "truncated"),
        "no_tags.tif": (b"II*\0\x08\0\0\0\0\0\0\0\0\0", "corrupt"),
        "all_tags.tif": (b"II*\0\x08\0\0\0\xff\xff" + bytes(500), "truncated"),
        "huge.tif": (tiff((256, 4, 1, BIG), (257, 4, 1, BIG)), many),
        "none.tif": (tiff((256, 3, 1, 0)), "corrupt"),
        "no_width.tif": (tiff((256, 3, 0, 0)), "corrupt"),
        "width_text.tif": (tiff((256, 2, 4, 0x41414141)), "corrupt"),
        "width_far.tif": (tiff((256, 4, 5, BIG)), "corrupt"),
        "count.tif": (tiff((305, 2, BIG, 8)), fine),
        "counts.tif": (tiff(*[(tag, 2, BIG, 8) for tag in range(30000, 30200)]), fine),
        "type.tif": (tiff((305, 99, 1, 8)), fine),
        "samples.tif": (tiff((277, 3, 1, 65535)), "corrupt"),
        "bits.tif": (tiff((258, 3, 1, 77)), "pixel-type"),
        "bits_none.tif": (tiff((258, 3, 1, 0)), "pixel-type"),
        "compression.tif": (tiff((259, 3, 1, 4711)), "corrupt"),
        "photometric.tif": (tiff((262, 3, 1, 999)), "pixel-type"),
        "planar.tif": (tiff((284, 3, 1, 9)), fine),
        "strip_far.tif": (tiff((273, 4, 1, BIG)), "truncated"),
        "strip_long.tif": (tiff((279, 4, 1, BIG)), "truncated"),
        "strip_short.tif": (tiff((279, 4, 1, 5)), fine),
        "strip_none.tif": (tiff((279, 4, 1, 0)), fine),
        "strips.tif": (tiff((273, 4, 0xFFFFFF, 8)), "truncated"),
        "rows.tif": (tiff((278, 4, 1, 0)), "corrupt"),
        "tile.tif": (tiff((322, 4, 1, BIG), (323, 4, 1, BIG), (324, 4, 1, 8), (325, 4, 1, 192)), "corrupt"),
        "lzw.tif": (tiff((259, 3, 1, 5)), "corrupt"),
        "deflate.tif": (tiff((259, 3, 1, 8)), "corrupt"),
        "jpeg.tif": (tiff((259, 3, 1, 7)), "corrupt"),
        "fax.tif": (tiff((259, 3, 1, 4), (277, 3, 1, 1), (258, 3, 1, 1), (262, 3, 1, 0)), "corrupt"),
        "icc.tif": (tiff((34675, 7, BIG, 8)), fine),
        "orientation.tif": (tiff((274, 3, 1, 99)), fine),
        "float.tif": (saved("TIFF", Image.new("F", (8, 8))), "pixel-type"),
        "bigtiff.tif": (b"II+\0\x08\0\0\0" + b"\xff" * 60, "truncated"),
    }


def _others() -> Mapping[str, tuple[bytes, str]]:
    fine, many = "", "decompression-bomb"
    extended = struct.pack("<IHBHB", 0x10, 63, 0, 47, 0)
    return {
        "fine.bmp": (bmp(), fine),
        "upside_down.bmp": (bmp(height=-8), fine),
        "negative.bmp": (bmp(width=-8), "decompression-bomb"),
        "none.bmp": (bmp(width=0), "corrupt"),
        "huge.bmp": (bmp(width=BIG, height=BIG), many),
        "tall.bmp": (bmp(height=-(1 << 31)), many),
        "bits.bmp": (bmp(bits=7), "pixel-type"),
        "no_bits.bmp": (bmp(bits=0), "pixel-type"),
        "compression.bmp": (bmp(compression=9), "pixel-type"),
        "run.bmp": (bmp(bits=8, compression=1, rows=b"\xff\xff" * 500), "truncated"),
        "run_away.bmp": (bmp(bits=8, compression=1, rows=b"\0\2\xff\xff" * 500), fine),
        "cut.bmp": (bmp(rows=bytes(20)), "truncated"),
        "palette.bmp": (bmp(bits=8)[:46] + b"\xff\xff\xff\x7f" + bmp(bits=8)[50:], "pixel-type"),
        "header.bmp": (b"BM" + bytes(12) + b"\xff\xff\xff\xff" + bytes(60), "truncated"),
        "offset.bmp": (bmp()[:10] + b"\xff\xff\xff\x7f" + bmp()[14:], "truncated"),
        "no_chunk.webp": (webp(), "corrupt"),
        "size.webp": (b"RIFF\xff\xff\xff\x7f" + VP8[8:], "truncated"),
        "small_size.webp": (b"RIFF\x04\0\0\0" + VP8[8:], "corrupt"),
        "chunk_size.webp": (VP8[:16] + b"\xff\xff\xff\x7f" + VP8[20:], "corrupt"),
        "huge.webp": (saved("WEBP", Image.new("RGB", (16383, 16383)), lossless=True, method=0), many),
        "canvas.webp": (webp((b"VP8X", b"\0\0\0\0" + b"\xff" * 6), (b"VP8 ", VP8[20:])), "decompression-bomb"),
        "twice.webp": (webp((b"VP8 ", VP8[20:]), (b"VP8 ", VP8[20:])), fine),
        "garbage.webp": (webp((b"VP8L", b"\x2f" + b"\xff" * 200)), many),
        "garbage_lossy.webp": (webp((b"VP8 ", b"\xff" * 200)), "corrupt"),
        "exif.webp": (webp((b"VP8X", b"\x08\0\0\0\x3f\0\0\x2f\0\0"), (b"VP8 ", VP8[20:]), (b"EXIF", b"\xff" * 99)), fine),
        "icc.webp": (webp((b"VP8X", b"\x20\0\0\0\x3f\0\0\x2f\0\0"), (b"ICCP", b"\xff"), (b"VP8 ", VP8[20:])), fine),
        "frames_lie.png": (png(chunk(b"acTL", b"\xff" * 8)), fine),
        "frames_none.png": (png(chunk(b"acTL", bytes(8))), fine),
        "frames_cut.png": (png(chunk(b"acTL", b"\0\0")), fine),
        "frames.png": (frames("PNG"), fine),
        "frames.webp": (frames("WEBP"), fine),
        "frames.tif": (frames("TIFF"), fine),
        "frames.mpo": (frames("MPO"), fine),
        "frames.jpg": (frames("MPO"), fine),
        "frames_far.mpo": (frames("MPO")[:-200], fine),
        "no_frames.mpo": (frames("MPO").replace(b"MPF\0", b"MPF\0II*\0\xff\xff\xff\xff", 1), fine),
        "no_ending": (saved("PNG"), fine),
        "wide.png": (png(width=65536, height=1), "side-too-long"),
        "widest.png": (png(width=65535, height=1), fine),
        "deep_cut.png": (WHOLE["deep.png"][:-30], "truncated"),
        "cmyk.jpg": (saved("JPEG", picture(3).convert("CMYK")), fine),
        "alpha.png": (saved("PNG", picture(3).convert("RGBA")), fine),
        "lossless_bit.webp": (VP8L[:21] + b"\xff" + VP8L[22:], "corrupt"),
        "inside_out.webp": (webp((b"VP8X", extended[:10]), (b"VP8L", VP8L[20:])), fine),
    }  # fmt: skip


CASES: Sequence[Case] = (
    batch("TIFF that lies", _tiffs(), {"decoder-warning": 3}, 1),
    batch("BMP, WebP and frames that lie", _others(), {"multi-frame": 7, "decoder-warning": 1}, 1),
)
