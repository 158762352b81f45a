"""A contact sheet: rows of tiles, each the source and what was made of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from augx.drawing import lettering
from augx.drawing.colours import INK, PAPER, Colour

_GAP = 10  # pixels
_TITLE, _TEXT = 13, 11  # of letters
_LINES = 2  # of each text that a tile or a row says
_SQUARE = 10  # of a colour in the legend
_MUTED: Colour = (84, 92, 100)
_ERROR: Colour = (160, 40, 20)
_BLANK: Colour = (238, 240, 242)


@dataclass(frozen=True, slots=True)
class Tile:
    """`pixels`: (H, W, 3); None where there is no picture, and `says` why. `says`: words below the caption. `alt`: what
    is to be seen, for who cannot see it."""

    caption: str
    pixels: NDArray[np.uint8] | None
    says: str = ""
    alt: str = ""

    def __reduce__(self) -> tuple[Any, ...]:
        """A worker's answer is plain: pickle is not to know of NumPy."""
        pixels = None if self.pixels is None else (self.pixels.shape, self.pixels.tobytes())
        return _tile, (self.caption, pixels, self.says, self.alt)


def _tile(caption: str, pixels: tuple[tuple[int, ...], bytes] | None, says: str, alt: str) -> Tile:
    plane = None if pixels is None else np.frombuffer(pixels[1], np.uint8).reshape(pixels[0])
    return Tile(caption, plane, says, alt)


@dataclass(frozen=True, slots=True)
class Row:
    """The first tile is the source. `says`: lines below the title."""

    title: str
    tiles: tuple[Tile, ...]
    says: tuple[str, ...] = ()


Legend = Mapping[str, Colour]
NAMED = 60  # classes in a legend


def sheet(rows: Sequence[Row], legend: Legend, columns: int) -> NDArray[np.uint8]:
    """(H, W, 3). `columns`: of tiles beside the source; what is more goes on below."""
    shown = [tile.pixels for row in rows for tile in row.tiles if tile.pixels is not None]
    wide = max([90, *(pixels.shape[1] for pixels in shown)])
    parts = [_row(row, wide, columns) for row in rows]
    width = max(part.shape[1] for part in parts)
    if legend:
        parts.append(_legend(legend, width))
    gap = np.full((_GAP, width, 3), PAPER, np.uint8)
    return np.concatenate([gap, *(part for each in parts for part in (_widened(each, width), gap))])


def rest(legend: Legend) -> str:
    """What a legend says of the classes that are too many for it; "" where there are none."""
    return f"... and {len(legend) - NAMED:,} more" if len(legend) > NAMED else ""


def _row(row: Row, wide: int, columns: int) -> NDArray[np.uint8]:
    source, rest = row.tiles[0], row.tiles[1:]
    lines: list[Sequence[Tile | None]] = [[source, *rest[:columns]]]
    lines += [[None, *rest[start : start + columns]] for start in range(columns, len(rest), columns)]
    width = 2 * _GAP + max(map(len, lines)) * (wide + _GAP)
    room, step = width - 2 * _GAP, lettering.height(_TEXT)
    said = [line for text in row.says for line in _shortened(list(lettering.lines(text, _TEXT, room)), room)]
    title = np.full((lettering.height(_TITLE) + 4 + step * len(said), width, 3), PAPER, np.uint8)
    lettering.write(title, lettering.cut(row.title, _TITLE, room), _GAP, 0, _TITLE, INK)
    for number, text in enumerate(said):
        lettering.write(title, text, _GAP, lettering.height(_TITLE) + number * step, _TEXT, _MUTED)
    return np.concatenate([title, *(_line(line, wide, width) for line in lines)])


def _line(tiles: Sequence[Tile | None], wide: int, width: int) -> NDArray[np.uint8]:
    """Pictures with their captions below; a double gap behind the first."""
    heights = [tile.pixels.shape[0] for tile in tiles if tile is not None and tile.pixels is not None]
    high, step = max(heights, default=wide * 2 // 3), lettering.height(_TEXT)
    told = [list(lettering.lines(tile.says, _TEXT, wide)) if tile and tile.pixels is not None else [] for tile in tiles]
    below = 4 + step * (1 + min(max(map(len, told)), _LINES))
    pixels = np.full((high + below, width, 3), PAPER, np.uint8)
    for column, (tile, said) in enumerate(zip(tiles, told, strict=True)):
        if tile is None:
            continue
        left = _GAP + column * (wide + _GAP) + (_GAP if column else 0)
        if tile.pixels is None:
            pixels[:high, left : left + wide] = _BLANK
            _write_lines(pixels[:high], tile.says, left + 6, 6, wide - 12, _ERROR)
        else:
            pixels[: tile.pixels.shape[0], left : left + tile.pixels.shape[1]] = tile.pixels
        lettering.write(pixels, lettering.cut(tile.caption, _TEXT, wide), left, high + 3, _TEXT, INK)
        for number, text in enumerate(_shortened(said, wide), 1):
            lettering.write(pixels, text, left, high + 3 + number * step, _TEXT, _MUTED)
    return pixels


def _shortened(lines: list[str], room: int) -> list[str]:
    """The first lines; the last one says that there are more."""
    if len(lines) <= _LINES:
        return lines
    words = lines[_LINES - 1].split()
    while len(words) > 1 and lettering.width(" ".join([*words, "…"]), _TEXT) > room:
        words.pop()
    return [*lines[: _LINES - 1], lettering.cut(" ".join([*words, "…"]), _TEXT, room)]


def _write_lines(pixels: NDArray[np.uint8], text: str, x: int, y: int, room: int, colour: Colour) -> None:
    for line in lettering.lines(text, _TEXT, room):
        lettering.write(pixels, line, x, y, _TEXT, colour)
        y += lettering.height(_TEXT)


def _legend(legend: Legend, width: int) -> NDArray[np.uint8]:
    """The first classes with their colours, in as many lines as it takes, and how many more there are."""
    places: list[tuple[str, Colour, int, int]] = []
    x, line, step = _GAP, 0, lettering.height(_TEXT) + 4
    for name, colour in islice(legend.items(), NAMED):
        name = lettering.cut(name, _TEXT, width // 3)
        wide = _SQUARE + 5 + lettering.width(name, _TEXT) + 14
        if x > _GAP and x + wide > width:
            x, line = _GAP, line + 1
        places.append((name, colour, x, line * step))
        x += wide
    more = rest(legend)
    if more and x > _GAP and x + lettering.width(more, _TEXT) > width:
        x, line = _GAP, line + 1
    pixels = np.full(((line + 1) * step, width, 3), PAPER, np.uint8)
    lettering.write(pixels, more, x, line * step, _TEXT, _MUTED)
    for name, colour, x, y in places:
        pixels[y + 2 : y + 2 + _SQUARE, x : x + _SQUARE] = INK
        pixels[y + 3 : y + 1 + _SQUARE, x + 1 : x + _SQUARE - 1] = colour
        lettering.write(pixels, name, x + _SQUARE + 5, y, _TEXT, INK)
    return pixels


def _widened(pixels: NDArray[np.uint8], width: int) -> NDArray[np.uint8]:
    wide = np.full((pixels.shape[0], width, 3), PAPER, np.uint8)
    wide[:, : pixels.shape[1]] = pixels
    return wide
