"""Counts that grow row by row and stay small: histograms, samples of numbers, boxes on a grid."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from augx.model import Json

CELLS = 24  # along each side of a grid, and of a histogram
_KEPT = 2000  # numbers of a sample: enough for a histogram
_BUFFER = 8192  # boxes that are counted at once
_OCTAVES = 8  # of the sizes of boxes: from 1/256 of the picture to all of it
_GROUPS = 20  # words that are told apart


class Sample:
    """Some of many numbers, each as likely as another, the same ones every time; and the range of all."""

    def __init__(self) -> None:
        self.count = 0
        self.low, self.high = float("inf"), float("-inf")
        self._kept: list[float] = []
        self._random = random.Random(0)

    def add(self, value: float) -> None:
        self.count += 1
        self.low, self.high = min(self.low, value), max(self.high, value)
        if len(self._kept) < _KEPT:
            self._kept.append(value)
        elif (place := self._random.randrange(self.count)) < _KEPT:
            self._kept[place] = value

    def median(self) -> float | None:
        return float(np.median(self._kept)) if self._kept else None

    def told(self, low: float | None = None, high: float | None = None) -> dict[str, Json]:
        """`counts`: of the sample, in bins of equal width from `low` to `high`, by default the lowest and highest."""
        if not self.count:
            return {"count": 0}
        ends = (self.low if low is None else low, self.high if high is None else high)
        bins = CELLS if ends[1] > ends[0] else 1
        counts, _ = np.histogram(self._kept, bins=bins, range=ends)
        said = {"low": tidy(ends[0]), "high": tidy(ends[1]), "median": tidy(float(np.median(self._kept)))}
        return {"count": self.count, **said, "counts": counts.tolist()}


class Generated:
    """Pictures that a step added of its own, and how many more were drawn that its gates did not let through."""

    def __init__(self) -> None:
        self.count = self.drawn = 0
        self.rejected: dict[str, int] = {}

    def add(self, row: Mapping[str, Json]) -> None:
        said = row["transforms"][0]["params"]
        self.count += 1
        self.drawn += said["attempts"]
        for fault, times in said["rejected"].items():
            self.rejected[fault] = self.rejected.get(fault, 0) + times

    def told(self) -> dict[str, Json]:
        return {"count": self.count, "drawn": self.drawn, "rejected": dict(sorted(self.rejected.items()))}


class Words:
    """How often each of a few words came; the rest together."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}

    def add(self, word: str) -> None:
        if word not in self.counts and len(self.counts) >= _GROUPS:
            word = "(others)"
        self.counts[word] = self.counts.get(word, 0) + 1


class Boxes:
    """Where boxes are and how large, as shares of their pictures, on grids of 24 x 24 cells."""

    def __init__(self) -> None:
        self.count = 0
        self._buffer: list[Sequence[float]] = []
        self._places = np.zeros((CELLS, CELLS), np.int64)
        self._sizes = np.zeros((CELLS, CELLS), np.int64)

    def add(self, bbox: Sequence[float], width: float, height: float) -> None:
        """`bbox`: x, y, width, height in pixels of a picture of this size."""
        x, y, wide, high = bbox
        self.count += 1
        self._buffer.append(((x + wide / 2) / width, (y + high / 2) / height, wide / width, high / height))
        if len(self._buffer) >= _BUFFER:
            self._empty()

    def _empty(self) -> None:
        x, y, wide, high = np.array(self._buffer, np.float64).reshape(-1, 4).T
        self._places += _grid(np.clip(y, 0, 1) * CELLS, np.clip(x, 0, 1) * CELLS)
        wide, high = (np.log2(np.clip(side, 2.0**-_OCTAVES, 1)) + _OCTAVES for side in (wide, high))
        self._sizes += _grid(high * CELLS / _OCTAVES, wide * CELLS / _OCTAVES)
        self._buffer.clear()

    def told(self) -> dict[str, Json]:
        """`places`: rows from above, of boxes' centres. `sizes`: rows by height, columns by width, in equal steps of
        their logarithm from 1/256 of the picture to all of it."""
        self._empty()
        return {"count": self.count, "places": self._places.tolist(), "sizes": self._sizes.tolist()}


def tidy(value: float) -> float:
    """With four digits that count."""
    return float(f"{value:.4g}")


def _grid(row: NDArray[np.float64], column: NDArray[np.float64]) -> NDArray[np.int64]:
    place = np.clip(row.astype(np.int64), 0, CELLS - 1) * CELLS + np.clip(column.astype(np.int64), 0, CELLS - 1)
    return np.bincount(place, minlength=CELLS * CELLS).reshape(CELLS, CELLS)
