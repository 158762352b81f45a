"""Which other pictures a picture may be mixed with: its neighbours on a hash ring.

Samples stand on a ring by the hash of their id (consistent hashing, Karger et al. 1997). A sample's partners are the
next ones that fit, so an image more or less changes what a few neighbours may choose, and nobody else. And whoever
works along the ring meets the same partners again and again, so that each is decoded about once.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import cache

from augx.model import Sample

PARTNERS = frozenset({"same", "other", "any"})  # kinds of partner: by class
_FARTHEST = 2000  # steps along the ring, in search of another class


class Ring:
    """`pools`: kind of partner (same, other or any class) -> how many are wanted of it.

    Partners are of the same split, and labelled in the same ways: both have classes of the whole image or neither has,
    a class mask, a mask of instances. Of the same class are two samples that share one, of the image or of an object.
    """

    def __init__(self, samples: Iterable[Sample], pools: Mapping[str, int]) -> None:
        self.wanted = dict(pools)
        self._rings: dict[tuple[object, ...], list[tuple[int, Sample]]] = defaultdict(list)
        for sample in samples:
            place = place_of(sample.id), sample
            self._rings[_alike(sample)].append(place)
            if "same" in self.wanted:
                for name in classes(sample):
                    key = (*_alike(sample), name)
                    self._rings[key].append(place)
        for ring in self._rings.values():
            ring.sort(key=lambda place: (place[0], place[1].id))

    def pools(self, sample: Sample) -> dict[str, tuple[Sample, ...]]:
        """Kind -> the samples to choose from, the next one first."""
        return {kind: tuple(self._pool(sample, kind, count)) for kind, count in self.wanted.items()}

    def order(self, sample: Sample) -> tuple[object, ...]:
        """Sorts samples so that those who share partners stand together."""
        first = min(classes(sample), default="") if set(self.wanted) == {"same"} else ""
        return (sample.split or "", first, place_of(sample.id), sample.id)

    def _pool(self, sample: Sample, kind: str, count: int) -> list[Sample]:
        if kind == "same":
            found = {one.id: one for name in classes(sample) for one in self._next(sample, (name,), count)}
            here = place_of(sample.id)
            return sorted(found.values(), key=lambda one: ((place_of(one.id) - here) % 2**64, one.id))[:count]
        mine = classes(sample) if kind == "other" else frozenset()
        pool: list[Sample] = []
        for one in self._next(sample, (), _FARTHEST if mine else count):
            if not mine or mine.isdisjoint(classes(one)):
                pool.append(one)
            if len(pool) == count:
                break
        return pool

    def _next(self, sample: Sample, of: tuple[str, ...], count: int) -> Iterator[Sample]:
        """The next samples on the ring, at most so many, never itself."""
        key = (*_alike(sample), *of)
        ring = self._rings[key]
        start = bisect_right(ring, (place_of(sample.id), sample.id), key=lambda place: (place[0], place[1].id))
        for step in range(min(count, len(ring) - 1)):
            yield ring[(start + step) % len(ring)][1]


@cache
def place_of(name: str) -> int:
    """0 to 2^64 - 1, the same on every machine."""
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "big")


def classes(sample: Sample) -> frozenset[str]:
    known = sample.annotations
    return frozenset([*known.labels, *(thing.label for thing in known.objects if thing.label is not None)])


def _alike(sample: Sample) -> tuple[object, ...]:
    known = sample.annotations
    return sample.split, bool(known.labels), known.mask is None, known.instances is None
