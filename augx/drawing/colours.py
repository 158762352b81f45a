"""The colours of classes: the seven hues of Okabe and Ito, which colour-blind people can tell apart, then the same half
way to white, then half way to black, which anybody can tell from each other by how light they are."""

from __future__ import annotations

from collections.abc import Sequence
from zlib import crc32

Colour = tuple[int, int, int]

INK: Colour = (16, 20, 24)
PAPER: Colour = (255, 255, 255)
GREY: Colour = (150, 156, 162)  # of what has no class

_HUES: Sequence[Colour] = (
    (230, 159, 0), (86, 180, 233), (0, 158, 115), (240, 228, 66), (213, 94, 0), (204, 121, 167), (0, 114, 178),
)  # fmt: skip
MOST = 3 * len(_HUES)  # classes that have a colour of their own


def colour(number: int) -> Colour:
    """That of the class with this number, counted from 0."""
    hue, towards = _HUES[number % len(_HUES)], (None, PAPER, INK)[number // len(_HUES) % 3]
    return hue if towards is None else _between(hue, towards)


class Palette:
    """Class -> colour. Of a dataset of at most 21 classes each has the same one on every sheet; of more, those in
    `first` are told apart. `used`: those that were asked for."""

    def __init__(self, classes: Sequence[str], first: Sequence[str] = ()) -> None:
        order = dict.fromkeys(classes if len(classes) <= MOST else [*first, *classes])
        self._numbers = {name: number for number, name in enumerate(order)}
        self.used: dict[str, Colour] = {}

    def __call__(self, name: str | None) -> Colour:
        """GREY for no class."""
        if not name:
            return GREY
        if name not in self.used:
            # which the dataset does not list; 255 is like 0, which masks do not show
            number = int(name) % 255 if name.isdecimal() else crc32(name.encode())
            self.used[name] = colour(self._numbers.get(name, number % MOST))
        return self.used[name]


def is_dark(one: Colour) -> bool:
    """Whether white reads better on it than black."""
    light: float = sum(share * (value / 255) ** 2.2 for share, value in zip((0.2126, 0.7152, 0.0722), one, strict=True))
    return light < 0.18


def _between(one: Colour, other: Colour) -> Colour:
    red, green, blue = ((a + b) // 2 for a, b in zip(one, other, strict=True))
    return red, green, blue
