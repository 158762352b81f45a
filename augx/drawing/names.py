"""Where the names of objects go: beside them, and never over each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from augx.drawing import lettering
from augx.drawing.colours import INK, PAPER, Colour, is_dark
from augx.model import Box

SIZE = 10  # pixels, of letters
_PAD = 2  # pixels around them
_COVERED = 0.35  # of a name may lie over other objects, if it is the only one of its class
_ROOM = 3  # times as wide as high is a name, about: so many have room on a tile
_FEW = 6  # objects up to which each gets its name; of more one of each class does, the rest is told by colour


class Named(NamedTuple):
    """An object that wants its name beside it; `box` in pixels of the tile."""

    name: str
    colour: Colour
    box: Box


class Placed(NamedTuple):
    name: str
    colour: Colour
    x: int
    y: int
    width: int
    height: int


def place(things: Sequence[Named], width: int, height: int, zoom: int = 1) -> list[Placed]:
    """Names for a tile of this size, the largest object of each class first. What has no room gets none, but for the
    largest of all, in its corner, where no other has one; no more are tried than there could be room for. `zoom`: how
    much larger letters are."""
    size, pad = SIZE * zoom, _PAD * zoom
    found: list[Placed] = []
    largest: Placed | None = None
    largest_first = sorted(things, key=lambda thing: -_area(thing.box))
    first: dict[str, Named] = {}  # of each class
    for thing in largest_first:
        first.setdefault(thing.name, thing)
    wanted = list(first.values())
    if len(things) <= _FEW:
        wanted += [thing for thing in largest_first if thing is not first[thing.name]]
    boxes = np.array([thing.box for thing in things], np.float64).reshape(-1, 4)
    places = {id(thing): number for number, thing in enumerate(things)}
    for thing in wanted[: width * height // (_ROOM * lettering.height(size) ** 2) + 1]:
        name = lettering.cut(thing.name, size, width - 2 * pad)
        wide, high = lettering.width(name, size) + 2 * pad, lettering.height(size) + pad
        most = _COVERED * wide * high if thing is first[thing.name] else 0.0
        taken: list[Box] = [(one.x, one.y, one.x + one.width, one.y + one.height) for one in found]
        free = [
            spot for spot in _spots(thing.box, wide, high, width, height) if not any(_shared(spot, t) for t in taken)
        ]
        others = np.delete(boxes, places[id(thing)], axis=0)
        covered = [_covered(spot, others) for spot in free]
        if name and free and min(covered) <= most:
            x, y, _, _ = free[covered.index(min(covered))]
            found.append(Placed(name, thing.colour, int(x), int(y), wide, high))
        elif name and thing is wanted[0] and wide <= width and high <= height:
            left, top = (max(int(side), 0) + 2 for side in thing.box[:2])
            largest = Placed(name, thing.colour, min(left, width - wide), min(top, height - high), wide, high)
    return found or ([largest] if largest else [])


def write(pixels: NDArray[np.uint8], placed: Sequence[Placed], zoom: int = 1) -> None:
    for one in placed:
        pixels[one.y : one.y + one.height, one.x : one.x + one.width] = one.colour
        ink = PAPER if is_dark(one.colour) else INK
        lettering.write(pixels, one.name, one.x + _PAD * zoom, one.y + _PAD * zoom // 2, SIZE * zoom, ink)


def _spots(box: Box, wide: int, high: int, width: int, height: int) -> Iterator[Box]:
    """Places for a name beside a box: above, below, right, left. Where the box fills the tile, its inner corner."""
    x0, y0, x1, y1 = (round(value) for value in box)
    inner = min(max(x0, 0), width - wide)
    outer = min(max(x1 - wide, 0), width - wide)
    middle = min(max((y0 + y1 - high) // 2, 0), height - high)
    spots = [(x, y) for y in (y0 - high - 1, y1 + 2) for x in (inner, outer)]
    spots += [(x, y) for x in (x1 + 2, x0 - wide - 2) for y in (min(max(y0, 0), height - high), middle)]
    inside = [(x, y) for x, y in spots if 0 <= x <= width - wide and 0 <= y <= height - high]
    if not inside and wide <= width and high <= height:
        inside = [(min(max(x0 + 2, 0), width - wide), min(max(y0 + 2, 0), height - high))]
    for x, y in inside:
        yield x, y, x + wide, y + high


def _area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def _covered(one: Box, others: NDArray[np.float64]) -> float:
    """Pixels² that a box has in common with each of others, (n, 4), together."""
    sides = np.minimum(one[2:], others[:, 2:]) - np.maximum(one[:2], others[:, :2])
    return float(np.maximum(sides, 0).prod(axis=1).sum())


def _shared(one: Box, other: Box) -> float:
    """Pixels² that two boxes have in common."""
    across = min(one[2], other[2]) - max(one[0], other[0])
    down = min(one[3], other[3]) - max(one[1], other[1])
    return across * down if across > 0 and down > 0 else 0.0
