"""Pictures of every mode and what comes out of them (`policies.py`). All are 24 x 18 as they are seen."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, TiffImagePlugin

Plane = NDArray[Any]
TARGETS = ("jpeg", "png", "webp", "tiff", "bmp")  # of `output.image.format`

WIDTH, HEIGHT = 24, 18
_RNG = np.random.default_rng(3)
RGB = np.kron(_RNG.integers(0, 256, (3, 4, 3), dtype=np.uint8), np.ones((6, 6, 1), np.uint8))
RGB[0, 0] = 7, 8, 9  # the only pixel of this colour, and of this grey
GREY = np.ascontiguousarray(RGB[..., 0])
GREY[GREY == 7] = 6
GREY[0, 0] = 7
ALPHA = np.kron(_RNG.integers(0, 256, (3, 4), dtype=np.uint8), np.ones((6, 6), np.uint8))
RGBA, GREY_ALPHA = np.dstack((RGB, ALPHA)), np.dstack((GREY, ALPHA))
DEEP = _RNG.integers(0, 65536, (HEIGHT, WIDTH, 4), dtype=np.uint16)
BITS = GREY > 127
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
GREY_PROFILE = SRGB[:16] + b"GRAY" + SRGB[20:]


@dataclass(frozen=True)
class Mode:
    """One row of the table. `becomes`: of the copies, for each of TARGETS: a mode, or the code of the failure.

    `seen`: what a person sees, height x width, or x 2..4 channels; None where nothing can be made. `off`: by how many
    levels the written pixels may differ from it where the format loses nothing. `notes`: codes.
    """

    what: str
    ending: str
    make: Callable[[], bytes]
    becomes: tuple[str, str, str, str, str]
    seen: Plane | None
    notes: tuple[str, ...] = ()
    off: int = 0


def saved(picture: Image.Image | Plane, kind: str, **how: Any) -> bytes:
    out = io.BytesIO()
    (picture if isinstance(picture, Image.Image) else Image.fromarray(picture)).save(out, kind, **how)
    return out.getvalue()


def seen(data: bytes) -> Plane:
    """What Pillow makes of a lossy file."""
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("L" if image.mode == "L" else "RGB"))


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(samples: Plane, *extra: bytes) -> bytes:
    """A PNG of 1 to 4 channels in 8 or 16 bits; `extra` are chunks before the pixels."""
    channels = 1 if samples.ndim == 2 else samples.shape[2]
    head = (samples.shape[1], samples.shape[0], 8 * samples.dtype.itemsize, {1: 0, 2: 4, 3: 2, 4: 6}[channels], 0, 0, 0)
    lines = b"".join(b"\0" + row.astype(samples.dtype.newbyteorder(">")).tobytes() for row in samples)
    parts = (chunk(b"IHDR", struct.pack(">IIBBBBB", *head)), *extra, chunk(b"IDAT", zlib.compress(lines)))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts) + chunk(b"IEND", b"")


def tiff(samples: Plane, head: bytes = b"", **more: int | bytes | tuple[int, ...]) -> bytes:
    """An uncompressed TIFF of any samples; `more` are tags as `t262=0`. `head`: before the first of them."""
    height, width, channels = (*samples.shape, 1)[:3]
    data = samples.tobytes()
    tags = TiffImagePlugin.ImageFileDirectory_v2(b"II*\0\0\0\0\0")
    tags[256], tags[257], tags[258] = width, height, (8 * samples.dtype.itemsize,) * channels
    tags[259], tags[262], tags[273], tags[277], tags[279] = 1, 2 if channels > 2 else 1, 0, channels, len(data)
    for tag, value in more.items():
        tags[int(tag[1:])] = value
    begin = 8 + len(head)
    return b"II*\0" + struct.pack("<I", begin) + head + tags.tobytes(begin) + data


def bmp(samples: Plane, masks: tuple[int, int, int, int]) -> bytes:
    """A BMP of version 4, whose `masks` say which bits of a pixel are red, green, blue, alpha."""
    data = samples[::-1].tobytes()
    bits = 8 * len(data) // (WIDTH * HEIGHT)
    head = struct.pack("<IiiHHIIiiII4I", 108, WIDTH, HEIGHT, 1, bits, 3, len(data), 0, 0, 0, 0, *masks) + bytes(52)
    return b"BM" + struct.pack("<IHHI", 122 + len(data), 0, 0, 122) + head + data


def exif(orientation: int) -> Image.Exif:
    tags = Image.Exif()
    tags[0x0112] = orientation
    return tags


def to_the_right(plane: Plane) -> Plane:
    """As a camera stores what orientation 6 shows."""
    return np.ascontiguousarray(np.rot90(plane))


def palette(transparency: int | bytes | None = None, kind: str = "PNG") -> bytes:
    more = {} if transparency is None else {"transparency": transparency}
    return saved(_PALETTE, kind, **more)


def frames(kind: str, **how: Any) -> bytes:
    return saved(RGB, kind, save_all=True, append_images=[Image.fromarray(RGB[::-1].copy())], **how)


def key(*levels: int) -> bytes:
    return chunk(b"tRNS", struct.pack(f">{len(levels)}H", *levels))


def lacking(*, transparent: Plane, of: Plane) -> Plane:
    """`of` with an alpha that is 0 at `transparent`."""
    alpha = np.where(transparent, 0, np.iinfo(of.dtype).max).astype(of.dtype)
    return np.dstack((of, alpha))


def divided(samples: Plane) -> Plane:
    """Colour that was multiplied by alpha, as it is without."""
    wide = samples[..., :3].astype(np.uint64) * 65535 // np.maximum(samples[..., 3:], 1)
    return np.dstack((np.minimum(wide, 65535).astype(np.uint16), samples[..., 3]))


def of(colour: str, alpha: str = "") -> tuple[str, str, str, str, str]:
    """Of 8 bits, with alpha or without."""
    if alpha:
        return "no-alpha", alpha, "RGBA", alpha, "no-alpha"
    return colour, colour, "RGB", colour, colour


def every(word: str) -> tuple[str, str, str, str, str]:
    return word, word, word, word, word


def deep(word: str, tiff: str = "") -> tuple[str, str, str, str, str]:
    alpha = word.endswith("A") or "alpha" in word
    lossy = "no-alpha" if alpha else "no-16-bit"
    return lossy, word, "no-16-bit", tiff or word, lossy


def profiled(word: str) -> tuple[str, str, str, str, str]:
    with_it = f"{word}, profile"
    return with_it, with_it, with_it.replace("grey, profile", "RGB"), with_it, word


_PALETTE = Image.fromarray(RGB).quantize(8)
_SHOWN = np.asarray(_PALETTE.convert("RGB"))
_INDEXES = np.asarray(_PALETTE)
_LAB = Image.new("LAB", (WIDTH, HEIGHT), (128, 128, 128))
_YCC = Image.fromarray(RGB).convert("YCbCr")
_CMYK = Image.fromarray(RGB).convert("CMYK")
_JPEG = saved(RGB, "JPEG")
_GREY_JPEG = saved(GREY, "JPEG")
_CMYK_JPEG = saved(_CMYK, "JPEG", icc_profile=SRGB[:16] + b"CMYK" + SRGB[20:])
_WEBP = saved(RGB, "WEBP")
_TURNED = saved(to_the_right(RGB), "JPEG", exif=exif(6))
_DEEP = DEEP[..., 0].copy()
_OPAQUE = np.dstack((RGB, np.full_like(ALPHA, 255)))
_565 = ((RGB >> np.array((3, 2, 3))).astype(int) << (11, 5, 0)).sum(axis=2)
_KEYED = lacking(transparent=DEEP[..., 0] == DEEP[3, 3, 0], of=_DEEP)

MODES: Sequence[Mode] = (
    Mode("JPEG, grey", ".jpg", lambda: _GREY_JPEG, of("grey"), seen(_GREY_JPEG)),
    Mode("JPEG, colour", ".jpg", lambda: _JPEG, of("RGB"), seen(_JPEG)),
    Mode("JPEG, progressive", ".jpg", lambda: saved(RGB, "JPEG", progressive=True), of("RGB"), seen(_JPEG), off=1),
    Mode("JPEG, colour stored as RGB", ".jpg", lambda: saved(RGB, "JPEG", keep_rgb=True), of("RGB"),
         seen(saved(RGB, "JPEG", keep_rgb=True))),
    Mode("JPEG, CMYK, with a profile", ".jpg", lambda: _CMYK_JPEG, of("RGB"), seen(_CMYK_JPEG)),
    Mode("JPEG with a profile", ".jpg", lambda: saved(RGB, "JPEG", icc_profile=SRGB), profiled("RGB"), seen(_JPEG)),
    Mode("JPEG, turned by EXIF", ".jpg", lambda: _TURNED, of("RGB"), np.rot90(seen(_TURNED), -1)),
    Mode("JPEG, damaged EXIF", ".jpg", lambda: saved(RGB, "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff"), of("RGB"),
         seen(_JPEG), ("decoder-warning",)),
    Mode("JPEG, several pictures (MPO)", ".jpg", lambda: frames("MPO"), of("RGB"), seen(_JPEG), ("multi-frame",)),
    Mode("JPEG, 12 bits", ".jpg", lambda: _JPEG.replace(b"\xff\xc0\0\x11\x08", b"\xff\xc1\0\x11\x0c"),
         every("pixel-type"), None),
    Mode("PNG, 1 bit", ".png", lambda: saved(Image.fromarray(BITS), "PNG"), of("grey"), BITS * np.uint8(255)),
    Mode("PNG, grey", ".png", lambda: png(GREY), of("grey"), GREY),
    Mode("PNG, grey with alpha", ".png", lambda: png(GREY_ALPHA), of("grey", "grey + alpha"), GREY_ALPHA),
    Mode("PNG, grey with a transparent level (tRNS)", ".png", lambda: png(GREY, key(7)), of("grey", "grey + alpha"),
         lacking(transparent=GREY == 7, of=GREY)),
    Mode("PNG, palette", ".png", palette, of("RGB"), _SHOWN),
    Mode("PNG, palette with a transparent colour (tRNS)", ".png", lambda: palette(2), of("RGB", "RGBA"),
         lacking(transparent=_INDEXES == 2, of=_SHOWN)),
    Mode("PNG, palette with half transparent colours (tRNS)", ".png", lambda: palette(bytes(range(0, 160, 20))),
         of("RGB", "RGBA"), np.dstack((_SHOWN, _INDEXES * np.uint8(20)))),
    Mode("PNG, RGB", ".png", lambda: png(RGB), of("RGB"), RGB),
    Mode("PNG, RGBA", ".png", lambda: png(RGBA), of("RGB", "RGBA"), RGBA),
    Mode("PNG, RGBA of which nothing is transparent", ".png", lambda: png(_OPAQUE),
         ("no-alpha", "RGBA", "RGB", "RGBA", "no-alpha"), _OPAQUE),
    Mode("PNG, RGB with a transparent colour (tRNS)", ".png", lambda: png(RGB, key(7, 8, 9)), of("RGB", "RGBA"),
         lacking(transparent=(RGB == (7, 8, 9)).all(axis=2), of=RGB)),
    Mode("PNG, 16-bit grey", ".png", lambda: png(_DEEP), deep("16-bit grey"), _DEEP),
    Mode("PNG, 16-bit grey with alpha", ".png", lambda: png(DEEP[..., ::3]),
         deep("16-bit grey + alpha", "16-bit RGBA"), DEEP[..., ::3]),
    Mode("PNG, 16-bit grey with a transparent level (tRNS)", ".png", lambda: png(_DEEP, key(int(DEEP[3, 3, 0]))),
         deep("16-bit grey + alpha", "16-bit RGBA"), _KEYED),
    Mode("PNG, 16-bit RGB", ".png", lambda: png(DEEP[..., :3]), deep("16-bit RGB"), DEEP[..., :3]),
    Mode("PNG, 16-bit RGBA", ".png", lambda: png(DEEP), deep("16-bit RGBA"), DEEP),
    Mode("PNG with a profile", ".png", lambda: saved(RGB, "PNG", icc_profile=SRGB), profiled("RGB"), RGB),
    Mode("PNG, grey with a profile of grey", ".png", lambda: saved(GREY, "PNG", icc_profile=GREY_PROFILE),
         profiled("grey"), GREY),
    Mode("PNG, 16-bit grey with alpha, with a profile of grey", ".png",
         lambda: png(DEEP[..., ::3], chunk(b"iCCP", b"x\0\0" + zlib.compress(GREY_PROFILE))),
         ("no-alpha", "16-bit grey + alpha, profile", "no-16-bit", "16-bit RGBA", "no-alpha"), DEEP[..., ::3]),
    Mode("PNG, RGB with a profile of grey", ".png", lambda: saved(RGB, "PNG", icc_profile=GREY_PROFILE), of("RGB"),
         RGB),
    Mode("PNG, turned by EXIF", ".png", lambda: saved(to_the_right(RGB), "PNG", exif=exif(6)), of("RGB"), RGB),
    Mode("PNG, animated (APNG)", ".png", lambda: frames("PNG"), of("RGB"), RGB, ("multi-frame",)),
    Mode("WebP, lossy", ".webp", lambda: _WEBP, of("RGB"), seen(_WEBP)),
    Mode("WebP, lossless with alpha", ".webp", lambda: saved(RGBA, "WEBP", lossless=True, exact=True),
         of("RGB", "RGBA"), RGBA),
    Mode("WebP with a profile", ".webp", lambda: saved(RGB, "WEBP", lossless=True, icc_profile=SRGB),
         profiled("RGB"), RGB),
    Mode("WebP, turned by EXIF", ".webp", lambda: saved(to_the_right(RGB), "WEBP", lossless=True, exif=exif(6)),
         of("RGB"), RGB),
    Mode("WebP, animated", ".webp", lambda: frames("WEBP", lossless=True, kmax=1), of("RGB"), RGB, ("multi-frame",)),
    Mode("WebP, animated, with alpha in any frame", ".webp", lambda: frames("WEBP", lossless=True),
         ("no-alpha", "RGBA", "RGB", "RGBA", "no-alpha"), _OPAQUE, ("multi-frame",)),
    Mode("TIFF, 1 bit, fax", ".tif", lambda: saved(Image.fromarray(BITS), "TIFF", compression="group4"), of("grey"),
         BITS * np.uint8(255)),
    Mode("TIFF, grey", ".tif", lambda: tiff(GREY), of("grey"), GREY),
    Mode("TIFF, grey, white is zero", ".tif", lambda: tiff(255 - GREY, t262=0), of("grey"), GREY),
    Mode("TIFF, grey with alpha", ".tif", lambda: saved(GREY_ALPHA, "TIFF"), of("grey", "grey + alpha"), GREY_ALPHA),
    Mode("TIFF, palette", ".tif", lambda: palette(kind="TIFF"), of("RGB"), _SHOWN),
    Mode("TIFF, palette with alpha (PA)", ".tif",
         lambda: tiff(np.dstack((_INDEXES, ALPHA)), t262=3, t338=2, t320=_colours()), of("RGB", "RGBA"),
         np.dstack((_SHOWN, ALPHA))),
    Mode("TIFF, RGB", ".tif", lambda: tiff(RGB), of("RGB"), RGB),
    Mode("TIFF, RGB, LZW", ".tif", lambda: saved(RGB, "TIFF", compression="tiff_lzw"), of("RGB"), RGB),
    Mode("TIFF, RGB, JPEG inside", ".tif", lambda: saved(RGB, "TIFF", compression="jpeg"), of("RGB"),
         seen(saved(RGB, "TIFF", compression="jpeg")), off=1),
    Mode("BigTIFF", ".tif", lambda: saved(RGB, "TIFF", big_tiff=True), of("RGB"), RGB),
    Mode("TIFF, RGBA", ".tif", lambda: tiff(RGBA, t338=2), of("RGB", "RGBA"), RGBA),
    Mode("TIFF, RGB and a channel that is not said to be alpha", ".tif", lambda: tiff(RGBA, t338=0),
         every("pixel-type"), None),
    Mode("TIFF, five channels", ".tif", lambda: tiff(np.dstack((RGB, RGB[..., :2])), t338=(0, 0)),
         every("pixel-type"), None),
    Mode("TIFF, CMYK", ".tif", lambda: saved(_CMYK, "TIFF"), of("RGB"), RGB),
    Mode("TIFF, YCbCr", ".tif", lambda: saved(_YCC, "TIFF"), of("RGB"), np.asarray(_YCC.convert("RGB"))),
    Mode("TIFF, LAB", ".tif", lambda: saved(_LAB, "TIFF"), of("RGB"), np.full((HEIGHT, WIDTH, 3), 119, np.uint8),
         off=2),
    Mode("TIFF, 16-bit grey (I;16)", ".tif", lambda: tiff(_DEEP), deep("16-bit grey"), _DEEP),
    Mode("TIFF, 16-bit grey, white is zero", ".tif", lambda: tiff(65535 - _DEEP, t262=0), deep("16-bit grey"), _DEEP),
    Mode("TIFF, 16-bit grey with alpha", ".tif", lambda: tiff(DEEP[..., ::3].copy(), t338=2), every("pixel-type"),
         None),
    Mode("TIFF, 16-bit RGB", ".tif", lambda: tiff(DEEP[..., :3].copy()), deep("16-bit RGB"), DEEP[..., :3]),
    Mode("TIFF, 16-bit RGBA", ".tif", lambda: tiff(DEEP, t338=2), deep("16-bit RGBA"), DEEP),
    Mode("TIFF, 16-bit RGB and a channel that is not said to be alpha", ".tif", lambda: tiff(DEEP, t338=0),
         every("pixel-type"), None),
    Mode("TIFF, 16-bit RGBA, colour multiplied by alpha", ".tif", lambda: tiff(DEEP, t338=1), deep("16-bit RGBA"),
         divided(DEEP)),
    Mode("TIFF, 16-bit CMYK", ".tif", lambda: tiff(DEEP, t262=5), every("pixel-type"), None),
    Mode("TIFF, 16-bit signed", ".tif", lambda: tiff(_DEEP.astype(np.int16), t339=2), every("pixel-type"), None),
    Mode("TIFF, 32-bit (I)", ".tif", lambda: tiff(_DEEP.astype(np.int32), t339=2), every("pixel-type"), None),
    Mode("TIFF, floating point (F)", ".tif", lambda: tiff(_DEEP.astype(np.float32), t339=3), every("pixel-type"),
         None),
    Mode("TIFF with a profile", ".tif", lambda: saved(RGB, "TIFF", icc_profile=SRGB), profiled("RGB"), RGB),
    Mode("TIFF, turned", ".tif", lambda: tiff(to_the_right(RGB), t274=6), of("RGB"), RGB),
    Mode("TIFF, several pages", ".tif", lambda: frames("TIFF"), of("RGB"), RGB, ("multi-frame",)),
    Mode("BMP, 1 bit", ".bmp", lambda: saved(Image.fromarray(BITS), "BMP"), of("grey"), BITS * np.uint8(255)),
    Mode("BMP, grey", ".bmp", lambda: saved(GREY, "BMP"), of("grey"), GREY),
    Mode("BMP, palette", ".bmp", lambda: palette(kind="BMP"), of("RGB"), _SHOWN),
    Mode("BMP, RGB", ".bmp", lambda: saved(RGB, "BMP"), of("RGB"), RGB),
    Mode("BMP, 16 bits a pixel", ".bmp", lambda: bmp(_565.astype("<u2"), (0xF800, 0x7E0, 0x1F, 0)), of("RGB"), RGB,
         off=7),
    Mode("BMP, 32 bits a pixel", ".bmp", lambda: saved(RGBA, "BMP"), of("RGB"), RGB),
    Mode("BMP, 32 bits a pixel, alpha among them", ".bmp", lambda: bmp(RGBA, (0xFF, 0xFF00, 0xFF0000, 0xFF000000)),
         of("RGB", "RGBA"), RGBA),
)  # fmt: skip


def _colours() -> tuple[int, ...]:
    """The palette as a TIFF has it: all reds, all greens, all blues, in 16 bits."""
    known = np.zeros((256, 3), np.uint16)
    flat = np.asarray(_PALETTE.getpalette(), np.uint16).reshape(-1, 3) * 257
    known[: len(flat)] = flat
    return tuple(known.T.reshape(-1).tolist())
