"""Which other pictures a picture may be mixed with: its neighbours on a hash ring.

Samples stand on a ring by the hash of their id (consistent hashing, Karger et al. 1997). A sample's partners are the
next ones that fit, so an image more or less changes what a few neighbours may choose, and nobody else. And whoever
works along the ring meets the same partners again and again, so that each is decoded about once.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from itertools import islice
from operator import itemgetter

from augx.model import Sample

PARTNERS = frozenset({"same", "other", "any"})  # kinds of partner: by class
_Place = tuple[int, str]  # on the ring, and the name where two are at one
_FARTHEST = 2000  # steps along the ring, in search of another class


class Ring:
    """`pools`: kind of partner (same, other or any class) -> how many are wanted of it.

    Partners are of the same split, and labelled in the same ways: both have classes of the whole image or neither has,
    a class mask, a mask of instances. Of the same class are two samples that share one, of the image or of an object.
    """

    def __init__(self, samples: Iterable[Sample], pools: Mapping[str, int]) -> None:
        self.wanted = dict(pools)
        members: dict[tuple[object, ...], list[tuple[_Place, Sample]]] = defaultdict(list)
        for sample in samples:
            alike, place = _alike(sample), ((place_of(sample.id), sample.id), sample)
            members[alike].append(place)
            if "same" in self.wanted:
                for name in classes(sample):
                    key = (*alike, name)
                    members[key].append(place)
        self._rings: dict[tuple[object, ...], tuple[list[_Place], list[Sample]]] = {}
        for kind, ring in members.items():
            ring.sort(key=itemgetter(0))
            self._rings[kind] = [place for place, _ in ring], [sample for _, sample in ring]

    def pools(self, sample: Sample) -> dict[str, tuple[Sample, ...]]:
        """Kind -> the samples to choose from, the next one first."""
        return {kind: tuple(self._pool(sample, kind, count)) for kind, count in self.wanted.items()}

    def order(self, sample: Sample) -> tuple[object, ...]:
        """Sorts samples so that those who share partners stand together."""
        first = min(classes(sample), default="") if set(self.wanted) == {"same"} else ""
        return (sample.split or "", first, place_of(sample.id), sample.id)

    def _pool(self, sample: Sample, kind: str, count: int) -> Sequence[Sample]:
        mine = classes(sample)
        if kind == "same":
            found = [self._next(sample, (name,), count) for name in sorted(mine)]
            if len(found) == 1:
                return found[0]
            here = place_of(sample.id)
            every = {one.id: one for some in found for one in some}.values()
            return sorted(every, key=lambda one: ((place_of(one.id) - here) % 2**64, one.id))[:count]
        if kind == "any" or not mine:
            return self._next(sample, (), count)
        others = (one for one in self._next(sample, (), _FARTHEST) if mine.isdisjoint(classes(one)))
        return list(islice(others, count))

    def _next(self, sample: Sample, of: tuple[str, ...], count: int) -> list[Sample]:
        """The next samples on the ring, at most so many, never itself."""
        key = (*_alike(sample), *of)
        places, samples = self._rings.get(key, ([], []))  # none, for pictures that a recipe adds
        start = bisect_right(places, (place_of(sample.id), sample.id))
        count = min(count, len(samples) - 1)
        return samples[start : start + count] + samples[: max(0, start + count - len(samples))]


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
