"""What cross-validation says of two ways to train: folds, a mean difference with its interval, a verdict in words.

Training sets of different folds share most of their pictures, so their results are not independent, and the usual
t-test finds differences that are not there. The corrected resampled t-test (Nadeau & Bengio 2003; for repeated
cross-validation Bouckaert & Frank 2004) takes the variance of the mean of n differences for (1/n + test/train) s²
instead of s²/n: for k folds test/train is 1 / (k - 1). So repeats help up to a point, and beyond it only pictures do.

But part of s² is that networks differ by their seed, and those of different folds have nothing in common in that: it
is no reason for the second term. How large it is, several networks of one fold tell. Half of it is taken out there,
not all, as it is an estimate: with all of it up to one in ten intervals would miss the truth, with half of it one in
twenty do (tests/test_judging.py).
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

LEAST = 5  # differences, below which an interval says next to nothing
HELPS, HURTS, UNSEEN, UNTOLD = "helps", "hurts", "no difference seen", "cannot tell"
_TAKEN_OUT = 0.5  # of what networks differ by
_MOST_TIMES = 4  # as many folds, or pictures: beyond that a difference is likely to be none


@dataclass(frozen=True, slots=True)
class Difference:
    """The mean of paired differences, and half its 95 % interval, in points; `count` of them. `spread`: the variance of
    one. `shared`: what of it folds may have in common."""

    mean: float
    margin: float
    count: int
    spread: float
    shared: float

    @property
    def verdict(self) -> str:
        return HELPS if self.mean - self.margin > 0 else HURTS if self.mean + self.margin < 0 else UNSEEN

    def __str__(self) -> str:
        return f"{self.mean:+.1f} ± {self.margin:.1f}"


def difference(found: Sequence[float | Sequence[float]], folds: int) -> Difference:
    """Of at least two differences, each of one fold of `folds`; several repeats of them, one after the other. Of a fold
    there may be those of several networks, each pair of another seed; as many of each fold."""
    every = [list(one) if isinstance(one, Sequence) else [one] for one in found]
    means, networks = [statistics.fmean(one) for one in every], len(every[0])
    spread = statistics.variance(means)
    noise = statistics.fmean(statistics.variance(one) for one in every) / networks if networks > 1 else 0.0
    shared = max(0.0, spread - noise * _TAKEN_OUT)
    return Difference(statistics.fmean(means), _margin(spread, shared, len(every), folds), len(every), spread, shared)


def words(found: Difference, folds: int) -> str:
    """The verdict, and where there is none what it would take."""
    if found.verdict != UNSEEN:
        return f"{found.verdict}: {found} points"
    said = f"{UNSEEN}: {found} points"
    if not found.mean or (found.margin / found.mean) ** 2 > _MOST_TIMES:
        return said
    repeats = math.ceil(found.count / folds)
    for more in range(repeats + 1, _MOST_TIMES * repeats + 1):
        if _margin(found.spread, found.shared, more * folds, folds) < abs(found.mean):
            return f"{said}; one of that size would need about {more / repeats:.2g}x more folds (--repeats {more})"
    return f"{said}; one of that size would need about {(found.margin / found.mean) ** 2:.2g}x as many pictures"


def _margin(spread: float, shared: float, count: int, folds: int) -> float:
    return quantile(count - 1) * math.sqrt(spread / count + shared / (folds - 1))


@cache
def quantile(freedom: int, inside: float = 0.95) -> float:
    """t, so that of Student's distribution with so many degrees of freedom the share `inside` lies in -t..t."""
    low, high = 0.0, 1.0
    while _inside(high, freedom) < inside:
        high *= 2
    while high - low > 1e-9 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if _inside(middle, freedom) < inside else (low, middle)
    return high


def _inside(t: float, freedom: int) -> float:
    """Abramowitz & Stegun 1964, 26.7.3 and 26.7.4."""
    angle = math.atan(t / math.sqrt(freedom))
    sine, cosine = math.sin(angle), math.cos(angle)
    odd = freedom % 2
    term, total = cosine if odd else 1.0, 0.0
    for k in range(odd, freedom - 1, 2):
        total += term
        term *= (k + 1) / (k + 2) * cosine * cosine
    return (angle + sine * total) * 2 / math.pi if odd else sine * total


def divide(labels: NDArray[np.int64], groups: Iterable[Sequence[int]], folds: int, seed: int) -> NDArray[np.int64]:
    """The fold of each picture. Each class is spread evenly over the folds, and a group stays together.

    `labels`: class numbers. `groups`: places of pictures that show the same; who is in none is on its own.
    """
    together = {place: tuple(group) for group in groups for place in group}
    units = list({together.get(place, (place,)): None for place in range(len(labels))})
    shuffled = [units[place] for place in np.random.default_rng(seed).permutation(len(units))]
    count = np.zeros((folds, int(labels.max()) + 1), np.int64)
    found = np.zeros(len(labels), np.int64)
    for unit in sorted(shuffled, key=lambda unit: (-len(unit), int(labels[unit[0]]))):
        kinds = labels[list(unit)]
        there = [(count[fold, kinds].sum(), count[fold].sum(), fold) for fold in range(folds)]
        fold = min(there)[2]
        found[list(unit)] = fold
        np.add.at(count[fold], kinds, 1)
    return found


def units(labels: NDArray[np.int64], groups: Iterable[Sequence[int]]) -> NDArray[np.int64]:
    """Of each class, how many pictures or groups of them can lie in different folds."""
    first = np.arange(len(labels))
    for group in groups:
        first[list(group)] = group[0]
    pairs = np.unique(np.stack([labels, first]), axis=1)
    return np.bincount(pairs[0], minlength=int(labels.max()) + 1)


def recalls(found: NDArray[np.int64], labels: NDArray[np.int64], classes: int) -> NDArray[np.float64]:
    """Percent of each class that was recognised; NaN for a class of which there is none."""
    count = np.bincount(labels, minlength=classes)
    right = np.bincount(labels[found == labels], minlength=classes)
    percent: NDArray[np.float64] = np.full(classes, np.nan)
    np.divide(100.0 * right, count, out=percent, where=count > 0)
    return percent


def overlaps(found: NDArray[Any], truth: NDArray[Any], classes: int) -> NDArray[np.float64]:
    """Percent, of each class: the pixels that were given to it and are of it, of those that were or are (IoU); NaN for
    a class of which there is none. Pixels whose truth is no class are left out."""
    there = truth < classes
    pairs = np.bincount(
        truth[there].astype(np.int64) * classes + found[there].astype(np.int64), minlength=classes * classes
    ).reshape(classes, classes)
    right, count = pairs.diagonal(), pairs.sum(1)
    percent: NDArray[np.float64] = np.full(classes, np.nan)
    np.divide(100.0 * right, count + pairs.sum(0) - right, out=percent, where=count > 0)
    return percent
