"""Every pixel type, orientation and way to break a file, on images made in memory."""

from __future__ import annotations

import io
import struct
import zlib
from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, TiffImagePlugin

from augx.errors import ImageError
from augx.images import decode, decode_mask, encode, same_format
from augx.model import ImageOptions, Limits, Picture
from augx.naming import READABLE

RNG = np.random.default_rng(5)
COLOUR = RNG.integers(0, 256, (6, 9, 3), dtype=np.uint8)
GREY = COLOUR[..., 0].copy()
ALPHA = COLOUR[..., 1].copy()
DEEP = RNG.integers(0, 65536, (6, 9, 4), dtype=np.uint16)
SMOOTH = np.add.outer(np.arange(40) * 3, np.arange(56) * 2)[..., None].astype(np.uint8) + np.array([0, 9, 20], np.uint8)
RGB_PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
GREY_PROFILE = RGB_PROFILE[:16] + b"GRAY" + RGB_PROFILE[20:]
KEEP = ImageOptions()
LIMITS = Limits()


def saved(image: Image.Image, name: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, name, **options)
    return out.getvalue()


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(rows: bytes, width: int, height: int, depth: int, colour: int, *extra: bytes) -> bytes:
    """A PNG from rows that begin with their filter byte; `extra` are chunks before the pixels."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    return b"".join((b"\x89PNG\r\n\x1a\n", header, *extra, chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b"")))


def tiff(samples: np.ndarray, order: str = "<", **more: int | tuple[int, ...]) -> bytes:
    """An uncompressed TIFF of any samples; `more` are tags as `t274=6`."""
    height, width = samples.shape[:2]
    channels = 1 if samples.ndim == 2 else samples.shape[2]
    data = samples.astype(samples.dtype.newbyteorder(order)).tobytes()
    tags = TiffImagePlugin.ImageFileDirectory_v2(b"II*\0\0\0\0\0" if order == "<" else b"MM\0*\0\0\0\0")
    tags[256], tags[257], tags[258] = width, height, (8 * samples.dtype.itemsize,) * channels
    tags[259], tags[262], tags[273], tags[277], tags[279] = 1, 2 if channels > 2 else 1, 0, channels, len(data)
    for tag, value in more.items():
        tags[int(tag[1:])] = value
    return (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", 8) + tags.tobytes(8) + data


def refused(data: bytes, limits: Limits = LIMITS) -> ImageError:
    with pytest.raises(ImageError) as caught:
        decode(data, limits)
    assert caught.value.stage == "decode"
    assert len(caught.value.message) > 10
    return caught.value


def turned(upright: np.ndarray, orientation: int) -> np.ndarray:
    """What a camera stores that holds `orientation`, by the EXIF table: where row 0 and column 0 are to be seen."""
    height, width = upright.shape[:2]
    shape = (width, height) if orientation >= 5 else (height, width)
    stored = np.empty((*shape, *upright.shape[2:]), upright.dtype)
    seen = {
        1: lambda r, c: (r, c),
        2: lambda r, c: (r, width - 1 - c),
        3: lambda r, c: (height - 1 - r, width - 1 - c),
        4: lambda r, c: (height - 1 - r, c),
        5: lambda r, c: (c, r),
        6: lambda r, c: (c, width - 1 - r),
        7: lambda r, c: (height - 1 - c, width - 1 - r),
        8: lambda r, c: (height - 1 - c, r),
    }[orientation]
    for row in range(shape[0]):
        for column in range(shape[1]):
            stored[row, column] = upright[seen(row, column)]
    return stored


@pytest.mark.parametrize("ending", [".png", ".tif", ".webp", ".bmp"])
@pytest.mark.parametrize("alpha", [None, ALPHA])
@pytest.mark.parametrize("pixels", [GREY, COLOUR])
def test_eight_bits_round_trip(ending: str, alpha: np.ndarray | None, pixels: np.ndarray) -> None:
    if ending == ".bmp" and alpha is not None:
        return
    picture = decode(encode(Picture(pixels, alpha), ending, ImageOptions(lossless=True))).picture
    if ending == ".webp" and pixels.ndim == 2:  # WebP has no grey
        pixels = np.dstack([pixels] * 3)
    np.testing.assert_array_equal(picture.pixels, pixels)
    assert (picture.alpha is None) == (alpha is None)
    if alpha is not None:
        np.testing.assert_array_equal(picture.alpha, alpha)
    assert picture.pixels.flags.c_contiguous


@pytest.mark.parametrize("ending", [".png", ".tif"])
@pytest.mark.parametrize("alpha", [None, DEEP[..., 3]])
@pytest.mark.parametrize("pixels", [DEEP[..., 0], DEEP[..., :3]])
def test_sixteen_bits_round_trip(ending: str, alpha: np.ndarray | None, pixels: np.ndarray) -> None:
    data = encode(Picture(pixels, alpha), ending, KEEP)
    picture = decode(data).picture
    assert picture.pixels.dtype == np.uint16
    if ending == ".tif" and pixels.ndim == 2 and alpha is not None:  # grey with alpha becomes RGBA
        pixels = np.dstack([pixels] * 3)
    np.testing.assert_array_equal(picture.pixels, pixels)
    if alpha is None:
        assert picture.alpha is None
    else:
        np.testing.assert_array_equal(picture.alpha, alpha)
    if alpha is None and pixels.ndim == 3:  # and others read the same
        read = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
        np.testing.assert_array_equal(read[..., ::-1], pixels)


def test_modes_of_eight_bits() -> None:
    rgb = Image.fromarray(COLOUR)
    black_white = Image.fromarray(GREY).convert("1")
    assert set(np.unique(decode(saved(black_white, "PNG")).picture.pixels)) == {0, 255}
    np.testing.assert_array_equal(decode(saved(black_white, "TIFF")).picture.pixels, np.array(black_white) * 255)

    palette = rgb.quantize(8)
    for name in ("PNG", "BMP", "TIFF"):
        picture = decode(saved(palette, name)).picture
        np.testing.assert_array_equal(picture.pixels, np.array(palette.convert("RGB")))
        assert picture.alpha is None

    picture = decode(saved(palette, "PNG", transparency=2)).picture
    np.testing.assert_array_equal(picture.pixels, np.array(palette.convert("RGB")))
    np.testing.assert_array_equal(picture.alpha, np.where(np.array(palette) == 2, 0, 255))

    grey_palette = Image.fromarray(GREY).quantize(4)
    assert decode(saved(grey_palette, "PNG")).picture.pixels.shape == (6, 9, 3)

    cmyk = rgb.convert("CMYK")
    np.testing.assert_array_equal(decode(saved(cmyk, "TIFF")).picture.pixels, COLOUR)
    flat = Image.new("CMYK", (16, 16), (0, 255, 255, 0))
    red = decode(saved(flat, "JPEG", quality=95)).picture.pixels
    assert np.abs(red.astype(int) - [255, 0, 0]).max() <= 3

    lab = Image.new("LAB", (2, 2), (255, 128, 128))
    assert decode(saved(lab, "TIFF")).picture.pixels.min() >= 250


def test_constant_alpha_is_alpha() -> None:
    picture = decode(saved(Image.fromarray(COLOUR).convert("RGBA"), "PNG")).picture
    assert picture.alpha is not None
    assert (picture.alpha == 255).all()


def test_premultiplied_alpha_is_divided_out() -> None:
    eight = np.array([[[50, 100, 128, 128]]], np.uint8)
    picture = decode(tiff(eight, t338=1)).picture
    np.testing.assert_array_equal(picture.pixels, [[[99, 199, 255]]])
    sixteen = np.array([[[100, 20000, 32768, 32768]]], np.uint16)
    picture = decode(tiff(sixteen, t338=1)).picture
    np.testing.assert_array_equal(picture.pixels, [[[199, 39999, 65535]]])
    np.testing.assert_array_equal(picture.alpha, [[32768]])


def test_transparent_colour_becomes_alpha() -> None:
    key = COLOUR[2, 3]
    trns = chunk(b"tRNS", struct.pack(">3H", *key))
    rows = b"".join(b"\0" + row.tobytes() for row in COLOUR)
    picture = decode(png(rows, 9, 6, 8, 2, trns)).picture
    np.testing.assert_array_equal(picture.alpha, np.where((key == COLOUR).all(axis=2), 0, 255))

    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in DEEP[..., :3])
    picture = decode(png(rows, 9, 6, 16, 2, chunk(b"tRNS", struct.pack(">3H", *DEEP[1, 1, :3])))).picture
    np.testing.assert_array_equal(picture.pixels, DEEP[..., :3])
    assert picture.alpha is not None
    assert list(zip(*np.nonzero(picture.alpha == 0), strict=True)) == [(1, 1)]
    assert picture.alpha.max() == 65535

    for depth, row in ((1, 0b01000000), (2, 0b00011011), (4, 0x01)):  # values 0 and 1 come first, in every depth
        picture = decode(png(bytes([0, row]), 2, 1, depth, 0, chunk(b"tRNS", b"\0\x01"))).picture
        np.testing.assert_array_equal(picture.pixels, [[0, 255 // (2**depth - 1)]])
        np.testing.assert_array_equal(picture.alpha, [[255, 0]])


@pytest.mark.parametrize("order", ["<", ">"])
def test_sixteen_bit_tiff_of_both_byte_orders(order: str) -> None:
    np.testing.assert_array_equal(decode(tiff(DEEP[..., 0], order)).picture.pixels, DEEP[..., 0])
    np.testing.assert_array_equal(decode(tiff(DEEP[..., :3], order)).picture.pixels, DEEP[..., :3])


def test_sixteen_bit_tiff_in_which_white_is_zero() -> None:
    np.testing.assert_array_equal(decode(tiff(DEEP[..., 0], t262=0)).picture.pixels, 65535 - DEEP[..., 0])


def test_big_tiff() -> None:
    np.testing.assert_array_equal(decode(saved(Image.fromarray(COLOUR), "TIFF", big_tiff=True)).picture.pixels, COLOUR)


@pytest.mark.parametrize(
    "data",
    [
        saved(Image.fromarray(GREY.astype(np.float32)), "TIFF"),
        saved(Image.fromarray(GREY.astype(np.int32)), "TIFF"),
        tiff(DEEP.astype(np.int16)[..., 0], t339=2),
        tiff(DEEP[..., :2]),
        tiff(DEEP, t262=5),
    ],
    ids=["float", "int32", "int16", "two channels", "deep CMYK"],
)
def test_pixels_without_a_fixed_range_are_refused(data: bytes) -> None:
    error = refused(data)
    assert error.code == "pixel-type"
    assert "save it as PNG" in error.message


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "TIFF16", "PNG16"])
def test_orientation(kind: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    upright = {"TIFF16": DEEP[..., :3], "PNG16": DEEP}.get(kind, np.dstack((COLOUR, ALPHA)))
    if kind == "JPEG":
        upright = SMOOTH
    stored = turned(upright, orientation)
    if kind == "TIFF16":
        data = tiff(stored, t274=orientation)
    elif kind == "PNG16":
        data = encode(Picture(stored[..., :3], stored[..., 3]), ".png", KEEP)
        data = data[:33] + chunk(b"eXIf", exif.tobytes()[6:]) + data[33:]
    else:
        options = {"lossless": True, "exact": True} if kind == "WEBP" else {}
        data = saved(Image.fromarray(stored), kind, exif=exif, **options, **({"quality": 95} if kind == "JPEG" else {}))
    decoded = decode(data)
    assert (decoded.orientation == 1) == (orientation == 1)
    assert decoded.picture.pixels.shape[:2] == upright.shape[:2]
    assert np.abs(decoded.picture.pixels.astype(int) - upright[..., :3]).max() <= (12 if kind == "JPEG" else 0)
    if upright.shape[2] == 4:
        np.testing.assert_array_equal(decoded.picture.alpha, upright[..., 3])
    again = decode(encode(decoded.picture, ".png", KEEP))
    assert again.orientation == 1  # turned once, and no EXIF written that turns it again
    np.testing.assert_array_equal(again.picture.pixels, decoded.picture.pixels)


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_invalid_orientation_is_none(orientation: int, capfd: pytest.CaptureFixture[str]) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    for data in (saved(Image.fromarray(SMOOTH), "JPEG", exif=exif), tiff(DEEP[..., :3], t274=orientation)):
        decoded = decode(data)
        assert decoded.orientation == 1
        assert decoded.picture.pixels.shape in (SMOOTH.shape, (6, 9, 3))
    assert capfd.readouterr() == ("", "")  # not a word from the codecs


def test_broken_exif_is_no_reason_to_lose_an_image() -> None:
    data = saved(Image.fromarray(SMOOTH), "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff\x01\x12\0\x03")
    assert decode(data).orientation == 1


@pytest.mark.parametrize("ending", [".jpg", ".png", ".webp", ".tif"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_profile_round_trip(ending: str, dtype: type) -> None:
    if dtype == np.uint16 and ending in (".jpg", ".webp"):
        return
    picture = Picture(COLOUR.astype(dtype), icc=RGB_PROFILE)
    assert decode(encode(picture, ending, KEEP)).picture.icc == RGB_PROFILE
    if ending != ".webp":
        grey = Picture(GREY.astype(dtype), icc=GREY_PROFILE)
        assert decode(encode(grey, ending, KEEP)).picture.icc == GREY_PROFILE
    mismatched = replace(picture, icc=GREY_PROFILE)
    assert decode(encode(mismatched, ending, KEEP)).picture.icc is None


def test_profile_of_another_colour_space_is_dropped() -> None:
    cmyk = RGB_PROFILE[:16] + b"CMYK" + RGB_PROFILE[20:]
    assert decode(saved(Image.new("CMYK", (8, 8)), "JPEG", icc_profile=cmyk)).picture.icc is None
    assert decode(saved(Image.new("RGB", (8, 8)), "PNG", icc_profile=b"nonsense")).picture.icc is None
    assert decode(saved(Image.fromarray(COLOUR).quantize(4), "PNG", icc_profile=RGB_PROFILE)).picture.icc == RGB_PROFILE


def test_first_frame_and_a_note() -> None:
    frames = [Image.fromarray(COLOUR), Image.fromarray(255 - COLOUR)]
    for name, options in (("PNG", {}), ("WEBP", {"lossless": True}), ("TIFF", {}), ("MPO", {"quality": 100})):
        decoded = decode(saved(frames[0], name, save_all=True, append_images=frames[1:], **options))
        assert decoded.notes == ("multi-frame",)
        assert decoded.format == ("JPEG" if name == "MPO" else name)
        if name != "MPO":
            np.testing.assert_array_equal(decoded.picture.pixels, COLOUR)
    assert decode(saved(frames[0], "TIFF")).notes == ()


def test_content_counts_not_the_name() -> None:
    decoded = decode(saved(Image.fromarray(COLOUR), "PNG"))
    assert same_format(decoded, ".PNG")
    assert same_format(decoded, ".apng")
    assert not same_format(decoded, ".jpg")
    assert not same_format(decoded, ".txt")


@pytest.mark.parametrize(
    ("data", "code", "word"),
    [
        (b"", "empty-file", "empty"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n", "lfs-pointer", "git lfs pull"),
        (b"<!DOCTYPE html><html><body>404</body></html>", "html-page", "HTML"),
        (b"\n <html>", "html-page", "HTML"),
        (b"\xef\xbb\xbf<!-- saved --> <head>", "html-page", "HTML"),
        (b"<note>", "not-an-image", "XML"),
        (b'{"error": 1}', "not-an-image", "JSON"),
        (b"%PDF-1.7\n", "not-an-image", "PDF"),
        (b"PK\x03\x04" + b"\0" * 30, "not-an-image", "ZIP"),
        (b"\0\0\0\x18ftypisom" + b"\0" * 30, "not-an-image", "video"),
        (bytes(500), "only-zeros", "never finished"),
        (b"hello", "not-an-image", "known format"),
        (b"bmp files are in the next folder", "not-an-image", "known format"),
        (saved(Image.fromarray(COLOUR), "GIF"), "unsupported-format", "GIF"),
        (saved(Image.fromarray(COLOUR), "ICO", sizes=[(4, 4)]), "unsupported-format", "ICO"),
        (saved(Image.fromarray(COLOUR), "TGA"), "unsupported-format", "TGA"),
        (saved(Image.fromarray(COLOUR), "PPM"), "unsupported-format", "PPM"),
        (b"8BPS\0\x01" + b"\0" * 30, "unsupported-format", "PSD"),
        (b"\0\0\0\x1cftypavif" + b"\0" * 30, "unsupported-format", "AVIF"),
        (b"\0\0\0\x1cftypheic" + b"\0" * 30, "unsupported-format", "HEIC"),
        (b"\0\0\0\x0cjP  \r\n\x87\n" + b"\0" * 30, "unsupported-format", "JPEG2000"),
        (b'<?xml version="1.0"?><svg xmlns="x"/>', "unsupported-format", "SVG"),
    ],
)
def test_what_is_not_read_is_named(data: bytes, code: str, word: str) -> None:
    error = refused(data)
    assert error.code == code
    assert word in error.message


def test_too_many_pixels_are_refused_from_the_header() -> None:
    bomb = png(b"", 60000, 60000, 8, 2)
    error = refused(bomb)
    assert error.code == "decompression-bomb"
    assert "60000 x 60000" in error.message
    data = encode(Picture(COLOUR), ".jpg", KEEP)
    assert refused(data, Limits(pixels=53)).code == "too-many-pixels"
    assert decode(data, Limits(pixels=54)).picture.width == 9


def test_a_jpeg_too_small_for_its_size_is_refused_before_decoding() -> None:
    data = bytearray(saved(Image.new("L", (16, 16), 30), "JPEG"))
    at = data.index(b"\xff\xc0") + 5
    data[at : at + 4] = struct.pack(">HH", 12000, 12000)
    assert refused(bytes(data)).code == "truncated"


FILES = {
    "jpeg": saved(Image.fromarray(SMOOTH), "JPEG"),
    "jpeg-progressive": saved(Image.fromarray(SMOOTH), "JPEG", progressive=True),
    "png": saved(Image.fromarray(SMOOTH), "PNG"),
    "png16": encode(Picture(DEEP[..., :3], DEEP[..., 3]), ".png", KEEP),
    "webp": saved(Image.fromarray(SMOOTH), "WEBP"),
    "webp-lossless": saved(Image.fromarray(SMOOTH), "WEBP", lossless=True),
    "bmp": saved(Image.fromarray(COLOUR), "BMP"),
    "bmp-palette": saved(Image.fromarray(COLOUR).quantize(4), "BMP"),
    "tiff": saved(Image.fromarray(COLOUR), "TIFF"),
    "tiff-deflate": saved(Image.fromarray(SMOOTH), "TIFF", compression="tiff_adobe_deflate"),
    "tiff-jpeg": saved(Image.fromarray(SMOOTH), "TIFF", compression="jpeg"),
    "tiff-fax": saved(Image.fromarray(SMOOTH).convert("1"), "TIFF", compression="group4"),
    "tiff16": encode(Picture(DEEP[..., :3]), ".tif", KEEP),
}


@pytest.mark.parametrize("name", FILES)
def test_a_cut_file_never_becomes_another_picture(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    data = FILES[name]
    whole = decode(data).picture.pixels
    codes = []
    for cut in sorted({*range(0, len(data), max(1, len(data) // 90)), *range(len(data) - 12, len(data))}):
        try:
            pixels = decode(data[:cut]).picture.pixels
        except ImageError as error:
            codes.append(error.code)
        else:  # only padding or the pointer to a next page was missing
            assert cut >= len(data) - 4
            assert name in ("bmp", "bmp-palette", "tiff-fax")
            np.testing.assert_array_equal(pixels, whole)
    assert codes.count("truncated") > 0.5 * len(codes)
    assert set(codes) <= {"empty-file", "not-an-image", "truncated", "corrupt", "pixel-type"}
    assert capfd.readouterr().err == ""
    np.testing.assert_array_equal(decode(data + b"\0trailing bytes are fine").picture.pixels, whole)


def test_a_cut_jpeg_with_an_end_marker_put_behind() -> None:
    noise = np.random.default_rng(8).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    data = saved(Image.fromarray(noise), "JPEG", subsampling="4:2:0")
    assert refused(data[: len(data) // 2] + b"\xff\xd9").code == "truncated"
    grey = saved(Image.new("RGB", (64, 64), (128, 128, 128)), "JPEG")  # all mid-grey, and whole
    assert (decode(grey).picture.pixels == 128).all()


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_a_cut_progressive_jpeg_with_an_end_marker_put_behind(mode: str) -> None:
    noise = np.random.default_rng(8).integers(0, 256, (72, 56, 3), dtype=np.uint8)
    data = saved(Image.fromarray(noise).convert(mode), "JPEG", progressive=True)
    for whole in (data, data + b"more", data[:-2] + b"\xff\xff\xff\xd9"):
        assert decode(whole).picture.width == 56
    cuts = range(700, len(data) - 50, 61)
    whole = 0
    for cut in cuts:
        try:
            decode(data[:cut] + b"\xff\xd9")
            whole += 1
        except ImageError as error:
            assert error.code in ("truncated", "corrupt")
    assert whole <= 0.05 * len(cuts)  # between two scans: rough, but whole


@pytest.mark.parametrize("interlaced", [0, 1])
def test_a_png_whose_rows_end_early_and_cleanly(interlaced: int) -> None:
    """Pillow leaves the rest black."""
    pixels = RNG.integers(1, 256, (13, 11, 3), dtype=np.uint8)
    adam7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
    passes = [pixels[y::down, x::across] for x, y, across, down in adam7] if interlaced else [pixels]
    rows = [b"\0" + row.tobytes() for part in passes for row in part]
    header = struct.pack(">IIBBBBB", 11, 13, 8, 2, 0, 0, interlaced)

    def made(count: int) -> bytes:
        coded = zlib.compress(b"".join(rows[:count]))
        chunks = chunk(b"IHDR", header) + chunk(b"IDAT", coded[:9]) + chunk(b"IDAT", coded[9:]) + chunk(b"IEND", b"")
        return b"\x89PNG\r\n\x1a\n" + chunks

    np.testing.assert_array_equal(decode(made(len(rows))).picture.pixels, pixels)
    for count in range(len(rows)):
        assert refused(made(count)).code == "truncated"
    black = saved(Image.new("L", (9, 9)), "PNG")
    assert decode(black).picture.pixels.max() == decode_mask(black).values.max() == 0
    rows = [b"\0" + bytes(3)] * 2
    with pytest.raises(ImageError, match="ends too early"):
        decode_mask(png(b"".join(rows), 3, 5, 8, 0))


def test_png_damage() -> None:
    data = bytearray(FILES["png"])
    data[data.index(b"IDAT") + 30] ^= 1
    assert refused(bytes(data)).code == "corrupt"
    rows = b"".join(b"\0" + row.tobytes() for row in COLOUR)
    assert refused(png(rows[:-20], 9, 6, 8, 2)).code == "truncated"
    bad_text = bytearray(chunk(b"tEXt", b"a\0b"))
    bad_text[-1] ^= 1
    good = png(rows, 9, 6, 8, 2, bytes(bad_text), chunk(b"iCCP", b"x\0\x07zz"), chunk(b"zTXt", b"x\0\x09junk"))
    np.testing.assert_array_equal(decode(good).picture.pixels, COLOUR)  # broken metadata: browsers show it
    assert refused(FILES["png"][:8] + chunk(b"CgBI", b"\0" * 4) + FILES["png"][8:]).code == "unsupported-format"


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(FILES)), st.data())
def test_only_image_errors_whatever_the_bytes(name: str, data: st.DataObject) -> None:
    broken = bytearray(FILES[name])
    for _ in range(data.draw(st.integers(1, 6))):
        broken[data.draw(st.integers(0, len(broken) - 1))] = data.draw(st.integers(0, 255))
    try:
        picture = decode(bytes(broken), Limits(pixels=1_000_000)).picture
    except ImageError:
        return
    assert picture.pixels.dtype in (np.uint8, np.uint16)
    assert picture.pixels.ndim == 2 or picture.pixels.shape[2] == 3


@pytest.mark.parametrize(
    ("picture", "ending", "code", "way"),
    [
        (Picture(COLOUR, ALPHA), ".jpg", "no-alpha", "alpha: drop"),
        (Picture(COLOUR, ALPHA), ".bmp", "no-alpha", "alpha: drop"),
        (Picture(DEEP[..., :3]), ".JPEG", "no-16-bit", "bits: 8"),
        (Picture(DEEP[..., 0]), ".webp", "no-16-bit", "bits: 8"),
        (Picture(DEEP[..., 0]), ".bmp", "no-16-bit", "bits: 8"),
        (Picture(np.zeros((1, 65501), np.uint8)), ".jpg", "too-large", "65500"),
        (Picture(np.zeros((16384, 1), np.uint8)), ".webp", "too-large", "16383"),
        (Picture(COLOUR), ".gif", "unknown-ending", ".gif"),
        (Picture(np.zeros((0, 4), np.uint8)), ".jpg", "encode-failed", "JPEG"),
    ],
)
def test_what_a_format_cannot_hold(picture: Picture, ending: str, code: str, way: str) -> None:
    with pytest.raises(ImageError) as caught:
        encode(picture, ending, KEEP)
    assert (caught.value.code, caught.value.stage) == (code, "encode")
    assert way in caught.value.message


def test_the_ways_out() -> None:
    options = ImageOptions(bits="8", alpha="drop")
    for ending in (".bmp", ".png", ".tif"):
        picture = decode(encode(Picture(DEEP[..., :3], DEEP[..., 3]), ending, options)).picture
        assert picture.alpha is None
        np.testing.assert_array_equal(picture.pixels, np.round(DEEP[..., :3] / 257).astype(np.uint8))


def test_reduction_is_exact_for_every_value() -> None:
    every = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    reduced = decode(encode(Picture(every), ".png", ImageOptions(bits="8"))).picture.pixels
    np.testing.assert_array_equal(reduced, np.round(every / 257).astype(np.uint8))


def test_jpeg_options() -> None:
    picture = Picture(SMOOTH)
    sizes = [len(encode(picture, ".jpg", ImageOptions(quality=quality))) for quality in (30, 92, 100)]
    assert sizes == sorted(sizes)
    assert sizes[0] < sizes[-1]
    for subsampling, factors in (("4:4:4", (1, 1)), ("4:2:2", (2, 1)), ("4:2:0", (2, 2))):
        image = Image.open(io.BytesIO(encode(picture, ".jpg", ImageOptions(subsampling=subsampling))))
        assert image.layer[0][1:3] == factors
    assert decode(encode(Picture(GREY), ".jpg", KEEP)).picture.pixels.ndim == 2


def test_png_level() -> None:
    sizes = [len(encode(Picture(SMOOTH), ".png", ImageOptions(png_level=level))) for level in (0, 1, 9)]
    assert sizes[0] > sizes[1] >= sizes[2]


@pytest.mark.parametrize("ending", [".jpg", ".png", ".webp", ".bmp", ".tif"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_same_pixels_same_bytes(ending: str, dtype: type) -> None:
    if dtype == np.uint16 and ending not in (".png", ".tif"):
        return
    pixels = COLOUR.astype(dtype)
    strided = np.empty((6, 18, 3), dtype)[:, ::2]
    strided[:] = pixels
    first = encode(Picture(pixels, icc=RGB_PROFILE), ending, KEEP)
    assert encode(Picture(strided, icc=RGB_PROFILE), ending, KEEP) == first
    assert decode(first).format == READABLE[ending]
