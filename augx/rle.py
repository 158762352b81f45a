"""Masks as runs of pixels: COCO's RLE, and COCO's way of filling polygons.

In between stand `Runs`: (starts, ends) of the runs of ones, in pixels counted column by column, ascending, not empty,
with zeros between them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from augx.model import Box, Rle

Plane = NDArray[Any]  # (H, W), whole numbers
Runs = tuple[NDArray[np.int64], NDArray[np.int64]]

_LARGEST = 2**32  # pixels: COCO's counts have 32 bits
_LETTERS = 7  # in a number of 32 bits, five bits each
_AT_ONCE = 1 << 20  # crossings of columns, so that memory stays bounded


def rle_decode(rle: Rle) -> Plane:
    """(H, W), 0 and 1. ValueError if the counts are broken or do not fit the size."""
    return fill(runs_of_rle(rle), rle.width, rle.height)


def rle_encode(mask: Plane, plain: bool = False) -> Rle:
    """The RLE of what is not 0 in (H, W); `plain`: with numbers as counts, else COCO's compressed text."""
    height, width = mask.shape
    return rle_of_runs(runs_of_mask(mask), width, height, plain)


def rle_area(rle: Rle) -> int:
    """Pixels. ValueError as `rle_decode`."""
    return area(runs_of_rle(rle))


def rle_box(rle: Rle) -> Box | None:
    """None of an empty mask. ValueError as `rle_decode`."""
    return extent(runs_of_rle(rle), rle.height)


def rasterise(rings: Iterable[ArrayLike], width: int, height: int) -> Plane:
    """(H, W), 0 and 1: the union of what the rings enclose, pixel for pixel as COCO's own code fills polygons.

    Each ring flat or (n, 2), inside the picture or little outside it.
    """
    return fill(runs_of_rings(rings, width, height), width, height)


def runs_of_rle(rle: Rle) -> Runs:
    try:
        counts = _numbers(rle.counts) if isinstance(rle.counts, str) else np.asarray(rle.counts, np.int64)
    except OverflowError:
        raise ValueError("a count is too large") from None
    size = rle.width * rle.height
    if rle.width < 0 or rle.height < 0 or size >= _LARGEST:
        raise ValueError(f"no picture is {rle.width}x{rle.height}")
    if counts.size and (counts.min() < 0 or counts.max() > size):
        raise ValueError("a count is negative or too large")
    ends = np.cumsum(counts)
    if (ends[-1] if ends.size else 0) != size:
        raise ValueError(f"the counts make {ends[-1] if ends.size else 0} pixels, not {rle.width}x{rle.height}")
    return _joined(ends[0 : 2 * (len(ends) // 2) : 2], ends[1::2])


def runs_of_mask(mask: Plane) -> Runs:
    height = mask.shape[0]
    inside = mask if mask.dtype == np.uint8 else (mask != 0).view(np.uint8)
    first, _, wide, _ = cv2.boundingRect(inside)
    line = np.zeros(wide * height + 2, np.bool_)
    line[1:-1].reshape(wide, height)[:] = inside[:, first : first + wide].T
    changes = np.flatnonzero(line[1:] != line[:-1]) + first * height
    return changes[0::2], changes[1::2]


def runs_of_rings(rings: Iterable[ArrayLike], width: int, height: int) -> Runs:
    """COCO's `rleFrPoly` and `rleMerge`: outlines on a grid of fifths of a pixel; where one crosses the middle of a
    column of pixels, the column changes between outside and inside."""
    grid, lengths = _grid(rings)
    if not len(lengths):
        return _NONE
    line = _toggles(grid, lengths, width, height)
    if len(lengths) == 1:
        line = line[: len(line) // 2 * 2]
        return _joined(line[0::2], line[1::2])
    _, pixels, opens = _opens(line, width * height + 1)
    return _joined(pixels[opens], pixels[1:][opens[:-1]])


def areas_of_rings(rings: Sequence[ArrayLike], width: int, height: int) -> list[int]:
    """The pixels of each outline for itself, as `runs_of_rings` fills it; of all of them at once, which takes hardly
    longer than one."""
    if not rings:
        return []
    grid, lengths = _grid(rings)
    if len(lengths) < len(rings):  # some are empty
        return [area(runs_of_rings([ring], width, height)) for ring in rings]
    ring, pixels, opens = _opens(_toggles(grid, lengths, width, height), width * height + 1)
    long = pixels[1:][opens[:-1]] - pixels[opens]
    return [int(count) for count in np.bincount(ring[opens], long, len(lengths))]


def _grid(rings: Iterable[ArrayLike]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The points of the outlines that have some, in fifths of a pixel, and how many each has."""
    there = [line for ring in rings if len(line := np.asarray(ring, np.float64).reshape(-1))]
    lengths = np.array([len(line) // 2 for line in there], np.int64)
    points = np.concatenate(there).reshape(-1, 2) if there else np.zeros((0, 2))
    return (5 * points + 0.5).astype(np.int64), lengths  # cut as in C


def _toggles(start: NDArray[np.int64], lengths: NDArray[np.int64], width: int, height: int) -> NDArray[np.int64]:
    """Where pixels change between outside and inside of each outline, counted along columns; sorted. Those of outline
    k have k (width x height + 1) added. `start`, `lengths`: as `_grid` has them."""
    upto, rings = np.cumsum(lengths), np.arange(len(lengths))
    end = np.empty_like(start)
    end[:-1] = start[1:]
    end[upto - 1] = start[upto - lengths]
    low, high = np.minimum(start[:, 0], end[:, 0]), np.maximum(start[:, 0], end[:, 0])
    # between 5 i + 2 and 5 i + 3 on the grid lies the middle of column i
    first = np.maximum((low + 2) // 5, 0)
    many = np.maximum(np.minimum((high - 3) // 5, width - 1) - first + 1, 0)
    size = width * height
    owner = np.repeat(rings * (size + 1), lengths)
    toggles = [rings * (size + 1) + size]  # a ring's last run ends where the picture does
    some = np.flatnonzero(many)
    many, first, owner, lines = many[some], first[some], owner[some], _Lines(start[some], end[some])
    for edges in _chunks(many):
        edge = np.repeat(edges, many[edges])
        column = np.arange(len(edge)) - np.repeat(np.cumsum(many[edges]) - many[edges] - first[edges], many[edges])
        row = (lines.row(edge, 5 * column + 2) + 0.5) / 5 - 0.5
        row = np.ceil(np.minimum(np.maximum(row, 0), height)).astype(np.int64)
        toggles.append(owner[edge] + column * height + row)
    return np.sort(np.concatenate(toggles))


def _opens(line: NDArray[np.int64], step: int) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Of `_toggles`: the outline and the pixel of each, and whether a run begins there, which ends at the next."""
    ring, pixels = np.divmod(line, step)
    many = np.bincount(ring)
    before = np.arange(len(line)) - np.repeat(np.cumsum(many) - many, many)
    return ring, pixels, (before % 2 == 0) & (np.append(ring[1:], -1) == ring)


def runs_by_number(numbers: Plane) -> dict[int, Runs]:
    """The pixels of each number in (H, W)."""
    line = numbers.T.reshape(-1)
    if not line.size:
        return {}
    starts = np.concatenate([[0], np.flatnonzero(line[1:] != line[:-1]) + 1])
    ends = np.append(starts[1:], line.size)
    values = line[starts]
    order = np.argsort(values, kind="stable")
    values, starts, ends = values[order], starts[order], ends[order]
    borders = np.flatnonzero(values[1:] != values[:-1]) + 1
    parts = zip(np.split(starts, borders), np.split(ends, borders), strict=True)
    return {int(value): runs for value, runs in zip(values[np.append(0, borders)], parts, strict=True)}


def rle_of_runs(runs: Runs, width: int, height: int, plain: bool = False) -> Rle:
    starts, ends = runs
    borders = np.zeros(2 * len(starts) + 2, np.int64)
    borders[1:-1:2], borders[2:-1:2], borders[-1] = starts, ends, width * height
    counts = np.diff(borders)
    if len(counts) > 1 and not counts[-1]:
        counts = counts[:-1]
    return Rle(width, height, tuple(counts.tolist()) if plain else _letters(counts))


def fill(runs: Runs, width: int, height: int) -> Plane:
    mask = np.zeros((height, width), np.uint8)
    paint(mask, runs)
    return mask


def paint(plane: Plane, runs: Runs, value: int = 1) -> None:
    """Sets the bits of `value` in the runs' pixels."""
    starts, ends = runs
    if not len(starts):
        return
    height = plane.shape[0]
    first, last = int(starts[0]) // height, int(ends[-1] - 1) // height + 1
    borders = np.empty(2 * len(starts) + 2, np.int64)
    borders[0], borders[-1] = first * height, last * height
    borders[1:-1:2], borders[2:-1:2] = starts, ends
    values = np.zeros(len(borders) - 1, np.uint8)
    values[1::2] = value
    plane[:, first:last] |= np.repeat(values, np.diff(borders)).reshape(-1, height).T


def area(runs: Runs) -> int:
    starts, ends = runs
    return int((ends - starts).sum())


def extent(runs: Runs, height: int) -> Box | None:
    starts, ends = runs
    if not len(starts):
        return None
    (left, top), (right, bottom) = divmod(starts, height), divmod(ends - 1, height)
    if (left != right).any():  # a run that goes on in the next column
        return float(left[0]), 0.0, float(right[-1] + 1), float(height)
    return float(left[0]), float(top.min()), float(right[-1] + 1), float(bottom.max() + 1)


def centres(runs: Runs, height: int, most: int) -> NDArray[np.float64]:
    """The middles of the runs' pixels, (n, 2); of more than `most` an even choice."""
    starts, ends = runs
    upto = np.cumsum(ends - starts)
    if not len(upto):
        return np.zeros((0, 2))
    size = int(upto[-1])
    chosen = np.arange(size) if size <= most else np.arange(most) * size // most
    run = np.searchsorted(upto, chosen, side="right")
    pixels = ends[run] - (upto[run] - chosen)
    return np.stack(divmod(pixels, height), axis=1) + 0.5


_NONE: Runs = (np.zeros(0, np.int64), np.zeros(0, np.int64))


def _joined(starts: NDArray[np.int64], ends: NDArray[np.int64]) -> Runs:
    """The union of runs that may be empty, overlap, touch and lie in any order."""
    borders = np.concatenate([starts, ends])
    order = np.argsort(borders, kind="stable")  # starts before ends where they meet
    steps = np.where(order < len(starts), 1, -1)
    depth = np.cumsum(steps)
    borders = borders[order]
    starts, ends = borders[(depth == 1) & (steps == 1)], borders[depth == 0]
    some = starts < ends
    return starts[some], ends[some]


def _chunks(many: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """The indexes, in pieces whose sum is about _AT_ONCE."""
    if len(many):
        upto = np.cumsum(many)
        yield from np.split(np.arange(len(many)), np.searchsorted(upto, np.arange(_AT_ONCE, upto[-1], _AT_ONCE)))


class _Lines:
    """Edges on the grid, none of them upright."""

    def __init__(self, start: NDArray[np.int64], end: NDArray[np.int64]) -> None:
        across, down = (end - start).T
        self.flat = np.abs(across) >= np.abs(down)
        along = np.where(self.flat, across, down)
        self.slope = np.where(self.flat, down, across) / along
        self.x, self.y = np.where((along < 0)[:, None], end, start).T

    def row(self, edge: NDArray[np.int64], column: NDArray[np.int64]) -> NDArray[np.int64]:
        """Where an edge passes from a column of the grid to the next: the upper of the two rows of the grid."""
        row = np.empty(len(edge), np.int64)
        flat = self.flat[edge]
        some, at = edge[flat], column[flat]
        x, y, slope = self.x[some], self.y[some], self.slope[some]
        step = at - x
        row[flat] = np.minimum(
            (y + slope * step + 0.5).astype(np.int64), (y + slope * (step + 1) + 0.5).astype(np.int64)
        )
        steep = ~flat
        some, at = edge[steep], column[steep]
        x, y, slope = self.x[some], self.y[some], self.slope[some]
        rising = slope > 0
        step = np.floor((at + 0.5 - x) / slope).astype(np.int64)
        for _ in range(2):  # on to the first step in the next column; rounding may put the guess one off
            step += ((x + slope * step + 0.5).astype(np.int64) > at) != rising
        step -= ((x + slope * (step - 1) + 0.5).astype(np.int64) > at) == rising
        row[steep] = y + step - 1
        return row


def _numbers(text: str) -> NDArray[np.int64]:
    """COCO's compressed counts: five bits a letter, lowest first, each number from the third on as a difference."""
    letters = np.frombuffer(text.encode("ascii"), np.uint8).astype(np.int64) - 48
    if not letters.size:
        return letters
    if letters.min() < 0 or letters.max() > 63 or letters[-1] & 32:
        raise ValueError("the counts are no compressed RLE")
    ends = np.flatnonzero(letters & 32 == 0)
    starts = np.append(0, ends[:-1] + 1)
    lengths = ends - starts + 1
    if lengths.max() > _LETTERS:
        raise ValueError("a count is too large")
    shifts = 5 * (np.arange(len(letters)) - np.repeat(starts, lengths))
    numbers: NDArray[np.int64] = np.add.reduceat((letters & 31) << shifts, starts)
    numbers -= np.where(letters[ends] & 16, np.int64(1) << 5 * lengths, 0)
    numbers[1::2] = np.cumsum(numbers[1::2])
    numbers[2::2] = np.cumsum(numbers[2::2])
    return numbers


def _letters(counts: NDArray[np.int64]) -> str:
    numbers = counts.copy()
    numbers[3:] -= counts[1:-2]
    lengths = np.ones(len(numbers), np.int64)
    for length in range(1, _LETTERS):
        bound = 1 << 5 * length - 1
        lengths += (numbers >= bound) | (numbers < -bound)
    ends = np.cumsum(lengths)
    places = np.arange(ends[-1]) - np.repeat(ends - lengths, lengths)
    letters = np.repeat(numbers, lengths) >> 5 * places & 31
    letters |= 32
    letters[ends - 1] &= 31
    return bytes((letters + 48).astype(np.uint8)).decode("ascii")
