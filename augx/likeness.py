"""Pictures that show the same: re-encoded, resized, or a little brighter. They must not lie in two splits.

A picture is told by 128 bits, which of two neighbouring cells is the brighter one, on grids of 9 x 8 and 8 x 9 cells
(the difference hash, dHash: N. Krawetz, "Kind of Like That", 2013, in both directions), and by a look of 16 x 16 grey
cells, to be sure. Two are alike when at most 12 bits differ and their looks correlate by 0.92 or more. Measured:
among all pairs of 7,000 images of CIFAR-10 that finds 6, which are 6 true ones; none among 128 of COCO and 48 other
photos. Of copies in half or double the size, of JPEG quality 75, at 85 % brightness, of gamma 0.8 or in grey it finds
99 % and more, even of 32 x 32 pixels; of quality 40, 97 %; with light areas cut off at white, 85 %; less 2 % at each
edge, 9 of 10, of 32 x 32 pixels half. Drawings of one kind, such as digits, are taken for alike too easily.
Mirrored pictures are not alike; pictures of one colour are like no other.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from augx.errors import ImageError, few
from augx.images import decode, glance
from augx.model import Dataset, Flaw, Limits, Picture
from augx.store import Source

DISTANCE = 12  # bits of 128
_CORRELATION = 0.92
_GRID = 72  # cells; 8, 9 divide it
_LOOK = 16
_FLAT = 1.0  # standard deviation in levels: below it a picture has nothing to be told by
_ONES = np.array([bin(byte).count("1") for byte in range(256)], np.uint8)
_AT_ONCE = 1 << 16  # pairs
_DEFAULT = Limits()


@dataclass(frozen=True, slots=True, eq=False)
class Fingerprints:
    """Of pictures in the order of `names`. `bits`: (n, 16) uint8, packed. `looks`: (n, 256) uint8, grey levels."""

    names: tuple[str, ...]
    bits: NDArray[np.uint8]
    looks: NDArray[np.uint8]


def fingerprints(sources: Mapping[str, Source], limits: Limits = _DEFAULT) -> Fingerprints:
    """Of image files, by name, in the order of their names; those that cannot be read and flat ones are left out."""
    names = sorted(sources)
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as threads:
        found = list(threads.map(lambda name: _read(sources[name], limits), names))
    return together(zip(names, found, strict=True))


def together(found: Iterable[tuple[str, tuple[bytes, bytes] | None]]) -> Fingerprints:
    """Of what `fingerprint` says of pictures, by name, in the order of their names; without those of one colour."""
    kept = [(name, one) for name, one in found if one is not None]
    bits = np.frombuffer(b"".join(one[0] for _, one in kept), np.uint8).reshape(-1, 16)
    looks = np.frombuffer(b"".join(one[1] for _, one in kept), np.uint8).reshape(-1, _LOOK * _LOOK)
    return Fingerprints(tuple(name for name, _ in kept), bits, looks)


def alike(prints: Fingerprints, distance: int = DISTANCE) -> list[tuple[str, ...]]:
    """The names of pictures that are alike, in groups of two and more, sorted. A chain of pictures, each like the
    next, is one group. `distance`: how many of the 128 bits may differ."""
    group = np.arange(len(prints.names))  # of each picture, the first of its group
    for one, other in _candidates(prints.bits, distance):
        apart = group[one] != group[other]  # ten thousand frames of one scene are compared once, not each with each
        for a, b in _alike(prints, one[apart], other[apart], distance):
            a, b = _root(group, a), _root(group, b)
            group[max(a, b)] = min(a, b)
        while np.any(group != (above := group[group])):
            group = above
    found: dict[int, list[str]] = {}
    for name, number in zip(prints.names, group.tolist(), strict=True):
        found.setdefault(number, []).append(name)
    return [tuple(names) for names in found.values() if len(names) > 1]


def group_names(groups: Iterable[Sequence[str]]) -> dict[str, str]:
    """Picture -> the name of its group, which is that of its first picture."""
    return {name: group[0] for group in groups for name in group}


def across(dataset: Dataset, groups: Iterable[Sequence[str]]) -> list[Flaw]:
    """Groups of pictures that are alike and lie in different splits; one flaw for each."""
    splits = {sample.id: sample.split for sample in dataset.samples}
    flaws: list[Flaw] = []
    for group in groups:
        found: dict[str, list[str]] = {}
        for name in group:
            if split := splits.get(name):
                found.setdefault(split, []).append(name)
        if len(found) > 1:
            said = "; ".join(f"{split}: {few(names)}" for split, names in sorted(found.items()))
            message = f"one picture, or nearly, in {len(found)} splits: {said}"
            flaws.append(Flaw("near-duplicate", group[0], message))
    return flaws


def _read(source: Source, limits: Limits) -> tuple[bytes, bytes] | None:
    try:
        data, _ = source._replace(limit=limits.bytes).read(lambda head, size: glance(head, size, limits))
        return fingerprint(decode(data, limits).picture)
    except (OSError, ImageError):
        return None


def fingerprint(picture: Picture) -> tuple[bytes, bytes] | None:
    """Bits and look; None for a flat picture. Transparency counts as mid-grey."""
    pixels: NDArray[Any] = picture.pixels
    if pixels.dtype == np.uint16:
        pixels = cv2.normalize(pixels, np.empty(0), 0, 255, cv2.NORM_MINMAX, cv2.CV_8U)
    small = cv2.resize(pixels, (_GRID, _GRID), interpolation=cv2.INTER_AREA)
    grey = small if small.ndim == 2 else cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
    if picture.alpha is not None:
        most = np.iinfo(picture.alpha.dtype).max
        seen = cv2.resize(picture.alpha, (_GRID, _GRID), interpolation=cv2.INTER_AREA).astype(np.float32) / most
        grey = np.rint(grey * seen + 128 * (1 - seen)).astype(np.uint8)
    look = cv2.resize(grey, (_LOOK, _LOOK), interpolation=cv2.INTER_AREA)
    if float(look.std()) < _FLAT:
        return None
    wide = cv2.resize(grey, (9, 8), interpolation=cv2.INTER_AREA)
    high = cv2.resize(grey, (8, 9), interpolation=cv2.INTER_AREA)
    bits = np.concatenate(((wide[:, 1:] > wide[:, :-1]).ravel(), (high[1:] > high[:-1]).ravel()))
    return np.packbits(bits).tobytes(), look.tobytes()


def _root(group: NDArray[np.int64], index: int) -> int:
    while (above := int(group[index])) != index:
        group[index] = group[above]  # the way is half as long next time
        index = above
    return index


def _alike(
    prints: Fingerprints, one: NDArray[np.int64], other: NDArray[np.int64], distance: int
) -> Iterator[tuple[int, int]]:
    """Those of these pairs that are alike."""
    near = _ONES[prints.bits[one] ^ prints.bits[other]].sum(axis=1) <= distance
    one, other = one[near], other[near]
    sure = _correlation(prints.looks[one], prints.looks[other]) >= _CORRELATION
    return zip(one[sure].tolist(), other[sure].tolist(), strict=True)


def _correlation(ones: NDArray[np.uint8], others: NDArray[np.uint8]) -> NDArray[np.float32]:
    a = ones.astype(np.float32) - ones.mean(axis=1, dtype=np.float32, keepdims=True)
    b = others.astype(np.float32) - others.mean(axis=1, dtype=np.float32, keepdims=True)
    found: NDArray[np.float32] = (a * b).sum(axis=1) / np.sqrt((a * a).sum(axis=1) * (b * b).sum(axis=1))
    return found


def _candidates(packed: NDArray[np.uint8], distance: int) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Pairs of rows among which are all that differ in at most `distance` bits.

    The bits are dealt out to so many bands that two such rows differ in at most one bit of one of them; rows that agree
    there, or but for one bit, are found by sorting.
    """
    bits = np.unpackbits(packed, axis=1)
    bands = distance // 2 + 1
    for band in range(bands):
        own = bits[:, band::bands]
        keys = own.astype(np.int64) @ (np.int64(1) << np.arange(own.shape[1], dtype=np.int64))
        order = np.argsort(keys, kind="stable")
        ordered = keys[order]
        place = np.arange(len(keys))
        yield order[:-1], order[1:]  # first neighbours: mostly they make the group already
        yield from _spread(order, place, place + 1, np.searchsorted(ordered, ordered, "right"))
        for bit in range(own.shape[1]):
            without = np.flatnonzero(ordered >> bit & 1 == 0)
            wanted = ordered[without] | np.int64(1) << bit
            low, high = np.searchsorted(ordered, wanted, "left"), np.searchsorted(ordered, wanted, "right")
            yield from _spread(order, without, low, high)


def _spread(
    order: NDArray[np.int64], place: NDArray[np.int64], low: NDArray[np.int64], high: NDArray[np.int64]
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Each place with all of low <= other < high, as rows, not too many at once."""
    count = high - low
    total = np.cumsum(count)
    begin = 0
    while begin < len(count):
        done = total[begin - 1] if begin else 0
        end = max(begin + 1, int(np.searchsorted(total, done + _AT_ONCE, "right")))
        some = count[begin:end]
        inside = np.arange(some.sum()) - np.repeat(total[begin:end] - some - done, some)
        yield order[np.repeat(place[begin:end], some)], order[np.repeat(low[begin:end], some) + inside]
        begin = end
