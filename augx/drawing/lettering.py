"""Text as pixels, in the font that Pillow brings along. That knows ASCII: accents go, other alphabets are spelled in
Latin letters, emoji by their names, and what is left by its number, so that different names stay different."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect
from collections.abc import Iterator
from functools import cache, lru_cache
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from augx.drawing.colours import Colour

_SPACE = 0.35  # of the size of letters
_KNOWN = "·…"  # beyond ASCII
_PLAIN = {
    "ß": "ss", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "æ": "ae", "Æ": "Ae", "œ": "oe", "Œ": "Oe", "đ": "d", "Đ": "D",
    "ı": "i", "×": "x", "–": "-", "—": "-", "ー": "-", "’": "'", "‘": "'", "“": '"', "”": '"', "⁄": "/",
    "\ufe0f": "", "\u200c": "", "\u200d": "",
}  # fmt: skip
_CYRILLIC = (
    "аa бb вv гg дd еe ёyo жzh зz иi йj кk лl мm нn оo пp рr сs тt уu фf хkh цts чch шsh щshch ъ'' ыy ь' эeh юyu яya "
    "іi їyi єye ґg"
)  # each letter with its spelling
_GREEK = "αa βb γg δd εe ζz ηh θth ιi κk λl μm νn ξx οo πp ρr σs ςs τt υy φf χch ψps ωw"
_PLAIN |= {
    form(pair[0]): form(pair[1:]) for pair in f"{_CYRILLIC} {_GREEK}".split() for form in (str.capitalize, str.lower)
}
_SPELLED = re.compile(r"(.*) (?:LETTER|SYLLABLE|VOWEL SIGN|CHARACTER) (?:SMALL )?(.+)")
_SYLLABLES = ("HIRAGANA", "KATAKANA", "HALFWIDTH KATAKANA", "HANGUL")  # whose names are how they sound


@cache
def _font(size: int) -> Any:
    return ImageFont.load_default(size)


def height(size: int) -> int:
    """Of a line, in pixels."""
    return sum(_font(size).getmetrics())


def width(text: str, size: int) -> int:
    return int(np.ceil(_places(legible(text), size)[-1]))


def _places(text: str, size: int) -> list[float]:
    """Where each word begins, and the last one ends. Spaces are wider than the font has them, which at so few pixels
    hardly shows any."""
    font, places = _font(size), [0.0]
    words = text.split(" ")
    for word in words:
        places.append(places[-1] + font.getlength(word) + _SPACE * size)
    return [*places[:-1], places[-1] - _SPACE * size]


@lru_cache(10_000)
def legible(text: str) -> str:
    """`text` as the font can show it."""
    shown = ""
    for form, some in groupby(map(_latin, text), lambda one: one[0]):
        letters = [spelled for _, spelled in some]
        shown += f"(U+{'.'.join(letters)})" if form == "number" else ("-" if form == "spelled" else "").join(letters)
    return shown


@cache
def _latin(one: str) -> tuple[str, str]:
    """A letter in those of the font, and how: "plain", "spelled" or "number"."""
    plain = _PLAIN.get(one, one)
    if not _drawn(plain):
        parts = unicodedata.normalize("NFKD", one)
        plain = "".join(_PLAIN.get(part, part) for part in parts if not "\u0300" <= part <= "\u036f")
    name = unicodedata.name(one, "")
    if _drawn(plain):
        return "plain", plain
    if found := _SPELLED.fullmatch(name):
        spelled = found[2].lower().replace(" ", "")
        return "plain" if found[1] in _SYLLABLES else "spelled", spelled.capitalize() if one.isupper() else spelled
    if name and unicodedata.category(one)[0] == "S":
        return "plain", f"({name.lower()})"
    return "number", f"{ord(one):04X}"


def _drawn(text: str) -> bool:
    return all(" " <= one <= "~" or one in _KNOWN for one in text)


def write(pixels: NDArray[np.uint8], text: str, x: int, y: int, size: int, colour: Colour) -> None:
    """Writes into (H, W, 3), with the upper left corner of the line at x, y; what does not fit is cut."""
    image = Image.new("L", (max(width(text, size), 1), height(size)))
    shown, draw = legible(text), ImageDraw.Draw(image)
    for word, place in zip(shown.split(" "), _places(shown, size), strict=False):
        draw.text((round(place), 0), word, 255, _font(size))
    part = pixels[max(y, 0) : y + image.height, max(x, 0) : x + image.width]
    share = np.asarray(image, np.float32)[max(-y, 0) :, max(-x, 0) :][: part.shape[0], : part.shape[1], None] / 255
    part[:] = np.rint(part * (1 - share) + np.array(colour, np.float32) * share)


def cut(text: str, size: int, room: int) -> str:
    """`text`, if it is too wide without its middle: ends tell more."""
    if width(text, size) <= room:
        return text

    def shorter(kept: int) -> str:
        return text[: (kept + 1) // 2] + "…" + text[len(text) - kept // 2 :]

    fewer = bisect(range(1, len(text)), room, key=lambda kept: width(shorter(kept), size))
    return shorter(fewer) if fewer else ""


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
