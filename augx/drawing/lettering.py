"""Text as pixels, in the font that Pillow brings along. It knows ASCII: accents go, what else it lacks becomes `?`."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from augx.drawing.colours import Colour

_PLAIN = str.maketrans(
    {"ß": "ss", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "×": "x", "–": "-", "—": "-", "’": "'", "“": '"', "”": '"'}
)

_KNOWN = "·…"  # beyond ASCII


@cache
def _font(size: int) -> Any:
    return ImageFont.load_default(size)


def height(size: int) -> int:
    """Of a line, in pixels."""
    return sum(_font(size).getmetrics())


def width(text: str, size: int) -> int:
    return int(np.ceil(_font(size).getlength(legible(text))))


def legible(text: str) -> str:
    """`text` as the font can show it."""
    plain = "".join(one if one in _KNOWN else unicodedata.normalize("NFKD", one) for one in text.translate(_PLAIN))
    letters = (one for one in plain if not unicodedata.combining(one))
    return "".join(one if " " <= one <= "~" or one in _KNOWN else "?" for one in letters)


def write(pixels: NDArray[np.uint8], text: str, x: int, y: int, size: int, colour: Colour) -> None:
    """Writes into (H, W, 3), with the upper left corner of the line at x, y; what does not fit is cut."""
    image = Image.new("L", (max(width(text, size), 1), height(size)))
    ImageDraw.Draw(image).text((0, 0), legible(text), 255, _font(size))
    part = pixels[max(y, 0) : y + image.height, max(x, 0) : x + image.width]
    share = np.asarray(image, np.float32)[max(-y, 0) :, max(-x, 0) :][: part.shape[0], : part.shape[1], None] / 255
    part[:] = np.rint(part * (1 - share) + np.array(colour, np.float32) * share)


def cut(text: str, size: int, room: int) -> str:
    """`text`, if it is too wide without its middle: ends tell more."""
    if width(text, size) <= room:
        return text
    for kept in range(len(text) - 1, 0, -1):
        shorter = text[: (kept + 1) // 2] + "…" + text[len(text) - kept // 2 :]
        if width(shorter, size) <= room:
            return shorter
    return ""


def lines(text: str, size: int, room: int) -> Iterator[str]:
    """`text` in lines that fit; a word that does not is cut."""
    line = ""
    for word in text.split():
        longer = f"{line} {word}" if line else word
        if line and width(longer, size) > room:
            yield line
            longer = word
        line = longer if width(longer, size) <= room else cut(word, size, room)
    if line:
        yield line
