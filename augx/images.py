"""Bytes to pictures and back: the one door to the codecs.

Formats are told by content, never by name, and opened by allow-list: JPEG, PNG, WebP, BMP, TIFF. What a header claims
is held against limits before a pixel is made (`gate`). Pillow decodes, but three things it does are undone here: it
reads 16-bit colour as 8 bits (OpenCV reads those), it accepts half a PNG and a JPEG that ends early but for its end
marker, and it raises almost anything. What leaves is a picture or an ImageError.
"""

from __future__ import annotations

import contextlib
import io
import logging
import re
import warnings
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, BinaryIO

import cv2
import numpy as np
from PIL import BmpImagePlugin, Image, ImageFile, JpegImagePlugin, PngImagePlugin, TiffImagePlugin, WebPImagePlugin

from augx import capture, containers, gate
from augx.containers import RESAVE, Facts, Plane
from augx.errors import ImageError
from augx.model import ImageOptions, Limits, Mask, Picture
from augx.naming import READABLE

_OPEN: Mapping[str, Callable[[io.BytesIO], ImageFile.ImageFile]] = {
    "JPEG": JpegImagePlugin.jpeg_factory,  # gives an MPO its frames
    "PNG": PngImagePlugin.PngImageFile,
    "WEBP": WebPImagePlugin.WebPImageFile,
    "BMP": BmpImagePlugin.BmpImageFile,
    "TIFF": TiffImagePlugin.TiffImageFile,
}
_RUNS_ONLY = 3  # up to this level a PNG is searched for runs only: photographs get smaller in half the time
_SUBSAMPLINGS = {
    "4:4:4": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
    "4:2:2": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_422,
    "4:2:0": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420,
}
_JFIF = 20  # bytes of a JPEG in front of what comes next
_ICC_PART = 65533 - 14  # bytes of a profile in one segment
_LOSSLESS: Mapping[str, Any] = {"lossless": True, "exact": True, "quality": 75}  # which is effort here

_DEFAULT = Limits()
_LONGEST_TEXT = 160_000  # of EXIF in the text of a PNG
SMALLEST = 2  # level of a draft: a quarter. An eighth takes hardly less time, and loses more
_LEAST_DRAFT, _MOST_DRAFT = 1 << 21, 1 << 28  # pixels of a JPEG that may be decoded smaller
_SIZES = (  # by level
    cv2.IMREAD_GRAYSCALE, cv2.IMREAD_REDUCED_GRAYSCALE_2, cv2.IMREAD_REDUCED_GRAYSCALE_4, cv2.IMREAD_REDUCED_GRAYSCALE_8
)  # fmt: skip
_GLANCED = 64 << 20  # bytes of a file above which ...
_MOST_PER_PIXEL = 16  # ... it may have as many more for each pixel: 16 bits with alpha are 8

ImageFile.LOAD_TRUNCATED_IMAGES = False
Image.MAX_IMAGE_PIXELS = None  # `limits` says it, and before Pillow would
logging.getLogger("PIL").addHandler(logging.NullHandler())  # else logging prints Pillow's errors when nobody listens


@dataclass(frozen=True, slots=True)
class Decoded:
    """`format`: what the bytes really are (a key of Pillow's: "JPEG", "PNG", ...; an MPO is a JPEG).

    `orientation`: EXIF's, 1..8, which has been applied. `notes`: stable codes of what a person should know
    ("decoder-warning", "multi-frame"). `draft`: has the pixels, for which those of the picture only stand in.
    """

    picture: Picture
    format: str
    orientation: int
    notes: tuple[str, ...] = ()
    draft: Draft | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """A sound JPEG, decoded in 1 / 2^level of the size: each pixel of `small` from that many pixels squared, the last
    ones of a row or column from what there is."""

    level: int
    small: Plane
    data: bytes
    orientation: int

    def whole(self) -> Plane:
        plane = _by_opencv(self.data, grey=self.small.ndim == 2)
        if plane is None:  # it was sound when it was opened
            raise MemoryError
        return _upright(plane, self.orientation)


def same_format(decoded: Decoded, ending: str) -> bool:
    """Whether the bytes really are what the ending says."""
    return READABLE.get(ending.lower()) == decoded.format


def decode(data: bytes, limits: Limits | None = _DEFAULT, drafted: Callable[[int, int], int] | None = None) -> Decoded:
    """The first frame of an image file, upright. Raises ImageError, whatever the bytes.

    `drafted`: which level, up to SMALLEST, is enough of a JPEG of this width and height.
    """
    with _decoding(data) as (name, words):
        decoded = _decode(data, name, limits, words, drafted)
        return replace(decoded, notes=("decoder-warning", *decoded.notes)) if words else decoded


@contextlib.contextmanager
def _decoding(data: bytes) -> Iterator[tuple[str, list[str]]]:
    """Yields the format of `data`, and what decoders will have said of it in the body. Raises nothing but ImageError,
    whatever the body raises."""
    name = _sniff(data)
    try:
        with capture.warned() as words, capture.printed(words) if name == "TIFF" else contextlib.nullcontext():
            yield name, words
    except ImageError:
        raise
    except MemoryError as error:
        raise ImageError("out-of-memory", f"not enough memory to decode this {name}") from error
    except Exception as error:  # Pillow raises OSError, ValueError, SyntaxError, struct.error, and what else happens
        text = str(error) or type(error).__name__
        if re.search("out of memory|decoder error -9|Insufficient memory|bad_alloc", text):
            raise ImageError("out-of-memory", f"not enough memory to decode this {name}") from error
        if re.search("unknown (pixel mode|data organization)|Unsupported BMP|cannot handle .*-bit", text):
            raise ImageError("pixel-type", f"a kind of {name} that cannot be read: {text}; {RESAVE}") from error
        if re.search("truncated|not enough image data|EOF", text, re.IGNORECASE):
            raise ImageError("truncated", f"the {name} ends too early; get the file again from its source") from error
        if text == "decoder error -2":
            text = "its data are broken, or compressed in a way that cannot be read"
        raise ImageError("corrupt", f"the {name} is damaged: {text}; get the file again from its source") from error


def glance(head: bytes, size: int, limits: Limits) -> None:
    """Raises ImageError for a large file that is not worth reading, by its first MiBs: what is no image, and bytes
    without end around a small one. What tells its size further behind passes, and TIFFs of several pages."""
    with _decoding(head) as (name, _):
        if told := gate.size_told(head, name):
            width, height = told
            gate.check_size(width, height, size, limits)
            if size > _GLANCED + _MOST_PER_PIXEL * width * height:
                raise ImageError("too-many-bytes", f"{size:,} bytes are too many for {width} x {height} pixels")


def check(data: bytes, limits: Limits) -> None:
    """Raises ImageError for what is seen to be no image, or half of one, without decoding more than has to be."""
    with _decoding(data) as (name, words):
        facts, *_ = _opened(data, name, limits)
        if name == "JPEG" and containers.jpeg_end(facts.data) is None:  # cut, or only its end marker is gone
            _decode(data, name, limits, words)


def _sniff(data: bytes) -> str:
    """The format of `data` among the readable ones, by its first kilobyte; otherwise says what it is."""
    head = data[:1024]
    if name := containers.readable_format(head):
        return name
    if not data:
        raise ImageError("empty-file", "the file is empty; get it again from its source")
    if head.startswith(b"version https://git-lfs") or b"/annex/objects/" in head:
        way = "run `git lfs pull` (or `git annex get`)"
        raise ImageError("lfs-pointer", f"a Git LFS or git-annex pointer stands where the image should be; {way}")
    if not any(head):
        raise ImageError("only-zeros", "it begins with zero bytes: a copy that was never finished; get the file again")
    if containers.is_web_page(head):
        raise ImageError("html-page", "a web page (HTML), most likely an error page saved by a download; get it again")
    if kind := containers.other_image(head) or _pillow_name(head):
        raise ImageError("unsupported-format", f"{kind} is not read; convert it to PNG, JPEG, WebP, BMP or TIFF")
    if kind := containers.other_file(head):
        raise ImageError("not-an-image", f"not an image but {kind}; remove it or put the image in its place")
    raise ImageError("not-an-image", f"not an image of a known format; it begins with {head[:8]!r}")


def _pillow_name(head: bytes) -> str:
    """What Pillow would take this for. Its plug-ins are only asked, never let at the data."""
    Image.init()
    for name, (_, accepts) in Image.OPEN.items():
        with contextlib.suppress(Exception):
            if accepts and accepts(head[:16]):
                return name
    return ""


def _opened(data: bytes, name: str, limits: Limits | None) -> tuple[Facts, ImageFile.ImageFile, Mapping[int, Any]]:
    """What a file says of itself, with the tags of a TIFF; no pixel is decoded."""
    if name == "TIFF":
        gate.check_tiff(data)
    elif name == "WEBP" and (canvas := gate.webp_size(data)):
        gate.check_size(*canvas, len(data), limits)
    facts = containers.facts_of(data, name)
    image = _OPEN[name](io.BytesIO(facts.data))
    width, height = image.size
    gate.check_size(width, height, len(data), limits)
    most = {"JPEG": 512, "PNG": 1032 * 8 // max(facts.depth, 1)}.get(name)  # pixels a byte: a bit for 64, or deflated
    if most and width * height > max(1_000_000, len(data) * most):
        raise EOFError("truncated")
    if name == "JPEG":
        gate.check_scans(facts.data, width * height)
        image.decodermaxblock = len(facts.data)  # all at once: in pieces, padding is put together again and again
    elif name == "BMP":
        gate.check_bmp(data, width * height)
    tags: Mapping[int, Any] = image.tag_v2 if isinstance(image, TiffImagePlugin.TiffImageFile) else {}
    gate.check_tiff_pixels(tags, len(data))
    return facts, image, tags


def _decode(
    data: bytes,
    name: str,
    limits: Limits | None,
    words: list[str],
    drafted: Callable[[int, int], int] | None = None,
) -> Decoded:
    facts, image, tags = _opened(data, name, limits)
    deep = _tiff_is_deep(tags, image.mode) if name == "TIFF" else facts.depth == 16
    several = facts.frames > 1 if name == "PNG" else getattr(image, "is_animated", False)
    tag = tags.get(274)
    turned = tag if isinstance(tag, int) and 2 <= tag <= 8 else 1  # Pillow turns a TIFF while it loads it
    level = _level(image, drafted) if name == "JPEG" and drafted else 0
    quick = _quick_jpeg(image, facts.data, level) if name == "JPEG" and image.mode in ("L", "RGB") else None
    if quick is None:
        _load(image, name, facts.data)
    if quick is not None:
        pixels, alpha = quick, None
    elif deep and not image.mode.startswith("I"):
        pixels, alpha = _deep_planes(facts.data, image, tags.get(338) == (1,), words)
    else:
        pixels, alpha = _planes(image, deep)
        if deep and tags.get(262) == 0:  # white is zero: Pillow inverts that for up to 8 bits only
            pixels = 65535 - pixels
    if facts.key:
        hit = pixels == np.array(facts.key)
        alpha = np.where(hit if hit.ndim == 2 else hit.all(axis=2), 0, np.iinfo(pixels.dtype).max).astype(pixels.dtype)
    orientation = _exif_orientation(image)
    converted = image.mode in ("CMYK", "LAB", "YCbCr", "HSV")
    icc = None if converted else _matching_profile(facts.icc or image.info.get("icc_profile"), pixels)
    pixels, alpha = _upright(pixels, orientation), None if alpha is None else _upright(alpha, orientation)
    draft = None
    if level and quick is not None:
        draft = Draft(level, pixels, facts.data, orientation)
        sides = image.size if orientation >= 5 else image.size[::-1]
        pixels = np.broadcast_to(np.zeros(1, np.uint8), (*sides, *pixels.shape[2:]))
    notes = ("multi-frame",) if several else ()
    return Decoded(Picture(pixels, alpha, icc), name, max(orientation, turned), notes, draft)


def _tiff_is_deep(tags: Mapping[int, Any], mode: str) -> bool:
    """Whether there are 16 bits a sample."""
    bits = tags.get(258) or (1,)
    if bits[0] > 8 and (bits[0] != 16 or tags.get(339, (1,))[0] != 1):
        raise ImageError("pixel-type", f"{bits[0]}-bit samples of mode {mode} have no fixed range here; {RESAVE}")
    channels, known = tags.get(277, 1), Image.getmodebands(mode)
    if channels > known:
        raise ImageError("pixel-type", f"{channels} channels, {known} of them colour or said to be alpha; {RESAVE}")
    return bool(bits[0] == 16)


def _load(image: ImageFile.ImageFile, name: str, data: bytes) -> None:
    """Decodes the pixels; EOFError where some were filled in because `data` end before them."""
    image.load()
    if name == "JPEG" and _jpeg_is_cut(data, np.asarray(image), "progressive" in image.info, _by_pillow):
        raise EOFError("truncated")
    if name == "PNG":
        black = not image.crop((0, image.height - 1, image.width, image.height)).tobytes().strip(b"\0")
        if (black or data[28]) and containers.png_is_short(data):  # an interlaced one has its gaps anywhere
            raise EOFError("truncated")


def _level(image: ImageFile.ImageFile, drafted: Callable[[int, int], int]) -> int:
    """In which a JPEG can be decoded, and be found damaged as it would be in full: 0 where it is small, or the damage
    of a later scan might be in nothing but detail. A turned one must have its grid of pixels begin at the same edge."""
    width, height = image.size
    if image.mode not in ("L", "RGB") or "progressive" in image.info:
        return 0
    if not _LEAST_DRAFT <= width * height <= _MOST_DRAFT:
        return 0
    orientation = _exif_orientation(image)
    if orientation != 1 and (width % 8 or height % 8):
        return 0
    return drafted(height, width) if orientation >= 5 else drafted(width, height)


def _quick_jpeg(image: ImageFile.ImageFile, data: bytes, level: int = 0) -> Plane | None:
    """The pixels of a JPEG that Pillow has only opened, by OpenCV: the same ones in half the time, in 1 / 2^level of
    the size. None where its decoder has anything to say: then Pillow is asked."""
    width, height = (-(-side >> level) for side in image.size)
    grey = image.mode == "L"
    words: list[str] = []
    with capture.printed(words):
        pixels = _by_opencv(data, level, grey=grey)
        if words or pixels is None or pixels.shape != ((height, width) if grey else (height, width, 3)):
            return None
        decode = partial(_by_opencv, grey=grey)
        cut = _jpeg_is_cut(data, pixels, "progressive" in image.info, decode, 8 >> level)
    if cut and (not level or _quick_jpeg(image, data) is None):  # which is judged in full, where it raises
        raise EOFError("truncated")
    return pixels


def _by_opencv(data: bytes, level: int = 0, *, grey: bool) -> Plane | None:
    """In 1 / 2^level of its sides."""
    colour = 0 if grey else cv2.IMREAD_COLOR_RGB
    flags = _SIZES[level] | colour | cv2.IMREAD_IGNORE_ORIENTATION
    try:
        return cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error:  # larger than OpenCV wants
        return None


def _by_pillow(data: bytes, level: int = 0) -> Plane:
    image = JpegImagePlugin.JpegImageFile(io.BytesIO(data))
    image.decodermaxblock = len(data)
    if level:
        image.draft(None, (1, 1))
    return np.asarray(image)


def _jpeg_is_cut(
    data: bytes, pixels: Plane, rough: bool, decode: Callable[[bytes, int], Plane | None], block: int = 8
) -> bool:
    """Whether the coded data stop before the end marker does: libjpeg fills the rest with mid-grey, or leaves a
    progressive image (`rough`) as it is so far, and decoders let it. `decode`: whole, or as small as it can. `block`:
    pixels of a block's side.

    Bytes put before the end marker tell: after whole data they are skipped, after cut data they become pixels.
    """
    height, width = pixels.shape[:2]
    corner = pixels[(height - 1) // block * block :, (width - 1) // block * block :]
    if not rough and not {126, 127, 128, 129}.issuperset(corner.tobytes()):
        return False
    end = containers.jpeg_end(data)
    if end is None:
        return False
    probe = decode(data[:end] + b"\x5a\x93\xc6" * 40 + data[end:], 0 if rough else 3)
    before = pixels if rough else decode(data, 3)
    if probe is None or before is None:
        return False
    rows = range(0, len(probe), 256)  # in parts, which take less memory than the whole
    return any(not np.array_equal(before[row : row + 256], probe[row : row + 256]) for row in rows)


def _planes(image: Image.Image, deep: bool) -> tuple[Plane, Plane | None]:
    """Pixels and alpha of a loaded image in any mode of 8 bits, or grey of 16."""
    mode = image.mode
    if mode in ("L", "RGB"):
        return np.array(image), None
    if deep and mode.startswith("I"):
        return np.array(image).astype(np.uint16), None
    if mode == "1":
        return np.array(image.convert("L")), None
    if mode in ("LA", "La"):
        both = np.asarray(image.convert("LA"))
        return np.ascontiguousarray(both[..., 0]), np.ascontiguousarray(both[..., 1])
    if mode in ("RGBA", "RGBa", "PA") or (mode == "P" and image.has_transparency_data):
        four = np.asarray(image.convert("RGBA"))
        return np.ascontiguousarray(four[..., :3]), np.ascontiguousarray(four[..., 3])
    if mode in ("P", "RGBX", "CMYK", "YCbCr", "LAB", "HSV"):
        return np.array(image.convert("RGB")), None
    raise ImageError("pixel-type", f"pixels of type {mode} (32-bit or floating point) have no fixed range; {RESAVE}")


def _deep_planes(data: bytes, image: Image.Image, premultiplied: bool, words: list[str]) -> tuple[Plane, Plane | None]:
    """Colour, or grey with alpha, of 16 bits by OpenCV; `image` is what Pillow made of it and checks the reading."""
    with capture.printed(words):
        samples = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    bands = image.getbands()
    if samples is None or samples.dtype != np.uint16 or samples.shape[:2] != (image.height, image.width):
        raise ImageError("pixel-type", f"16 bits a channel in mode {image.mode} cannot be read; {RESAVE}")
    grey = containers.is_grey_alpha_png(data)  # grey with alpha, of which Pillow makes RGBA
    pixels = np.ascontiguousarray(samples[..., 0] if grey else samples[..., 2::-1])
    if bands[-1] != "A":
        return _agreeing(pixels, np.asarray(image)), None
    alpha = np.ascontiguousarray(samples[..., 3])
    _agreeing(alpha, np.asarray(image.getchannel("A")))
    if premultiplied:
        wide = pixels.astype(np.uint64) * 65535 // np.maximum(alpha, 1)[..., None]
        return np.minimum(wide, 65535).astype(np.uint16), alpha
    return _agreeing(pixels, np.asarray(image)[..., 0 if grey else slice(3)]), alpha


def _agreeing(deep: Plane, shallow: Plane) -> Plane:
    """`deep`, if its upper bytes are `shallow`: OpenCV mixes up some tiled files without a word."""
    for row in range(0, len(deep), 256):  # in parts, which take less memory than the whole
        if np.any(np.abs((deep[row : row + 256] >> 8).astype(np.int16) - shallow[row : row + 256]) > 1):
            raise ImageError("pixel-type", f"16 bits a channel, stored in a way that cannot be read; {RESAVE}")
    return deep


def _upright(plane: Plane, orientation: int) -> Plane:
    """`plane` as EXIF orientation 1..8 says it is to be shown."""
    if orientation >= 5:
        plane = plane.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        plane = plane[:, ::-1]
    if orientation in (3, 4, 7, 8):
        plane = plane[::-1]
    return np.ascontiguousarray(plane)


def _exif_orientation(image: Image.Image) -> int:
    try:
        gate.check_exif(image.info.get("exif") or b"")
        if len(image.info.get("Raw profile type exif") or "") > _LONGEST_TEXT:
            return 1
        value = Image.Image.getexif(image).get(0x0112)  # its own method loads the pixels of a PNG
    except Exception:  # broken metadata is no reason to lose an image
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _matching_profile(icc: bytes | None, pixels: Plane) -> bytes | None:
    """`icc` if it is a profile of the colour space of `pixels`: readers refuse or misread a file with another one."""
    space = b"GRAY" if pixels.ndim == 2 else b"RGB "
    if not icc or icc[16:20] != space or icc[36:40] != b"acsp" or int.from_bytes(icc[:4], "big") > len(icc):
        return None
    return icc


def encode(picture: Picture, ending: str, options: ImageOptions) -> bytes:
    """The file of a picture, in the format of `ending`; the same bytes for the same pixels.

    Raises ImageError, stage "encode", for what the format cannot hold.
    """
    name = READABLE.get(ending.lower())
    if name is None:
        raise ImageError("unknown-ending", f"no format is known for the ending {ending!r}", "encode")
    pixels = picture.pixels
    alpha = None if options.alpha == "drop" else picture.alpha
    if str(options.bits) == "8":
        pixels, alpha = _eight_bits(pixels), None if alpha is None else _eight_bits(alpha)
    if alpha is not None and name in ("JPEG", "BMP"):
        way = "`output: {image: {alpha: drop}}` drops it, `format: png` keeps it"
        raise ImageError("no-alpha", f"{name} cannot hold transparency; {way}", "encode")
    deep = pixels.dtype == np.uint16
    if deep and name in ("JPEG", "BMP", "WEBP"):
        way = "`output: {image: {bits: 8}}` reduces them, `format: png` keeps them"
        raise ImageError("no-16-bit", f"{name} cannot hold 16 bits a channel; {way}", "encode")
    limit = {"JPEG": 65500, "WEBP": 16383}.get(name)
    if limit and max(pixels.shape[:2]) > limit:
        size = f"{pixels.shape[1]} x {pixels.shape[0]}"
        why = f"{name} holds {limit} pixels a side at most, not {size}; use `format: png`"
        raise ImageError("too-large", why, "encode")
    try:
        if name == "JPEG":
            return _jpeg(pixels, _matching_profile(picture.icc, pixels), options)
        samples = pixels if alpha is None else np.dstack((pixels, alpha))
        # What writes no grey, or no such one, writes colour.
        as_colour = name == "WEBP" or (deep and alpha is not None and name == "TIFF")
        icc = None if as_colour and pixels.ndim == 2 else _matching_profile(picture.icc, pixels)
        if deep and name == "TIFF":
            return containers.deep_tiff(samples, icc)
        if deep and samples.ndim == 3:
            return containers.deep_png(samples, icc, options.png_level)
        out = io.BytesIO()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            Image.fromarray(samples).save(out, name, icc_profile=icc, **_settings(name, options))
        return out.getvalue()
    except MemoryError as error:
        raise ImageError("out-of-memory", f"not enough memory to write this {name}", "encode") from error
    except Exception as error:
        raise ImageError("encode-failed", f"this picture cannot be written as {name}: {error}", "encode") from error


def _settings(name: str, options: ImageOptions) -> Mapping[str, Any]:
    """Pillow's."""
    level = options.png_level
    if name == "PNG":
        return {"compress_level": level, "compress_type": zlib.Z_RLE if level <= _RUNS_ONLY else zlib.Z_FILTERED}
    if name == "WEBP":  # method 2: half the time of 4. exact: also the colour under full transparency
        return {"method": 2, **(_LOSSLESS if options.lossless else {"quality": options.quality})}
    return {"compression": "tiff_adobe_deflate"} if name == "TIFF" else {}


def _jpeg(samples: Plane, icc: bytes | None, options: ImageOptions) -> bytes:
    """By OpenCV: the bytes that Pillow would write, in less time."""
    grey = samples.ndim == 2
    subsampling = _SUBSAMPLINGS["4:4:4" if grey else options.subsampling]
    settings = cv2.IMWRITE_JPEG_QUALITY, options.quality, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, subsampling
    _, data = cv2.imencode(".jpg", samples if grey else cv2.cvtColor(samples, cv2.COLOR_RGB2BGR), settings)
    if icc is None:
        return data.tobytes()
    parts = [icc[at : at + _ICC_PART] for at in range(0, len(icc), _ICC_PART)]
    heads = (b"ICC_PROFILE\0" + bytes((number, len(parts))) for number in range(1, len(parts) + 1))
    profile = (b"\xff\xe2" + (2 + 14 + len(part)).to_bytes(2, "big") + head + part
               for head, part in zip(heads, parts, strict=True))  # fmt: skip
    return b"".join((data[:_JFIF].tobytes(), *profile, data[_JFIF:].tobytes()))


def look(file: BinaryIO) -> tuple[int, int, int]:
    """Width and height as they are stored, and the EXIF orientation 1..8, of an image file. Raises ImageError."""
    data = file.read(_GLANCED)
    with _decoding(data) as (name, _):
        _, image, tags = _opened(data, name, None)
        return tags.get(256, image.width), tags.get(257, image.height), _exif_orientation(image)


def decode_mask(data: bytes, limits: Limits | None = _DEFAULT) -> Mask:
    """A class or instance mask: the numbers as they are stored, without palette, orientation or colour management.

    Raises ImageError, also for what would have lost or changed classes (JPEG, lossy WebP).
    """
    with _decoding(data) as (name, _):
        if name in ("JPEG", "WEBP"):
            raise ImageError("mask-lossy", f"a {name} does not keep class numbers; save masks as PNG", "labels")
        facts, image, _ = _opened(data, name, limits)
        if image.mode in ("P", "1", "L"):
            _load(image, name, facts.data)
            palette = image.getpalette("RGB") if image.mode == "P" else None
            return Mask(np.array(image, np.uint8), None if palette is None else bytes(palette))
    decoded = decode(data, limits)
    if decoded.orientation != 1:
        raise ImageError("mask-turned", "a mask must not be turned by EXIF; save it upright as PNG", "labels")
    return Mask(decoded.picture.pixels)


def encode_mask(mask: Mask, level: int) -> bytes:
    """A PNG, with its palette where it has one."""
    out = io.BytesIO()
    image = Image.fromarray(mask.values)
    if mask.palette is not None:
        whole = int(mask.values.max(initial=0)) * 3 < len(mask.palette)  # else Pillow packs bits and cuts values
        image.putpalette(mask.palette if whole else mask.palette.ljust(768, b"\0"))
    image.save(out, "PNG", compress_level=level, compress_type=zlib.Z_RLE if level <= _RUNS_ONLY else zlib.Z_FILTERED)
    return out.getvalue()


def turned(plane: Plane, orientation: int) -> Plane:
    """A plane of the stored picture as EXIF orientation 1..8 shows it."""
    return _upright(plane, orientation)


def _eight_bits(plane: Plane) -> Plane:
    """16 bits to 8, x / 257 rounded to nearest."""
    if plane.dtype != np.uint16:
        return plane
    return ((plane.astype(np.uint32) * 255 + 32895) >> 16).astype(np.uint8)
