"""How many copies of which source even out the classes: from labels alone, before a pixel is read.

Images are counted where every image has one class at most, else labels; objects, where there are any.

With one class an image that is plain division. Otherwise a copy adds to several classes at once, and no class may pass
its target. Of all such plans in fractions of copies, the one is taken in which the product of the classes' shares of
their targets is largest: proportional fairness (Kelly, Maulloo & Tan 1998), which reaches all targets where that can
be, and else serves the classes furthest behind without starving one. Among those it is the one nearest to equal copies
in relative entropy over objects: a source's factor is the geometric mean of those of its objects' classes (raking,
Deming & Stephan 1940). Its dual has one price a class and is solved by Newton's method. What is lost by cutting off
fractions is dealt out copy by copy, to the class furthest behind first; then copies are exchanged while that helps.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from heapq import heapify, heappop, heappush, heapreplace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from augx.errors import InputError
from augx.model import Flaw, Sample

MOST = 100_000  # copies of one source, as in recipes
_TOLERANCE = 0.02  # of a target; where every image has one class there is none
_WEIGHTS = (1.0, 4.0, 16.0, 64.0, 256.0, 1024.0)  # of targets against equal copies, step by step
_EFFORT = 100_000_000  # numbers looked at while copies are exchanged, at most: about a second

Counts = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Reached:
    """Images or objects of a class: before, wanted and got in OUTPUT. `wanted` is None where nobody asked."""

    before: int
    wanted: int | None
    got: int


@dataclass(frozen=True, slots=True)
class Balanced:
    """`copies`: source id -> how many copies, without the original. `unit`: images, labels or objects.

    `reached`: class -> what comes of it, sorted by name.
    """

    copies: Mapping[str, int]
    unit: str
    reached: Mapping[str, Reached]

    def flaws(self) -> list[Flaw]:
        """Classes that do not get what was wanted, and why."""
        found: list[Flaw] = []
        for name, one in self.reached.items():
            if one.wanted is None or one.wanted * (1 - _TOLERANCE) <= one.got <= one.wanted:
                continue
            said = f"the class {name} gets {one.got:,} {self.unit}, not the {one.wanted:,} that `balance` asks for"
            if one.got > one.wanted:
                found.append(Flaw("balance-over", "", f"{said}: it has so many to begin with"))
            elif MOST in self.copies.values():
                found.append(Flaw("balance-short", "", f"{said}: a source gets {MOST:,} copies at most"))
            else:
                found.append(Flaw("balance-short", "", f"{said}: one more copy would be too many of it or of others"))
        return found


def copies(samples: Sequence[Sample], balance: str | int | Mapping[str, int], copies: int, originals: bool) -> Balanced:
    """`samples`: those that are multiplied. `balance`, as in a recipe: "max", every class gets as many as the largest
    one does when all are multiplied alike; a number, so many; class -> number, the others are as they come.
    Originals count where they are written.

    Sources that show none of the classes in question get `copies`. Raises InputError where there are no classes, or
    where one that is named is not there.
    """
    counts, unit = class_counts(samples)
    before = Counter[str]()
    for count in counts:
        before.update(count)
    if not before:
        raise InputError("`balance` needs classes, and these images have none", "take `balance` out of the recipe")
    wanted = _targets(before, balance, copies + originals)
    needs = [{name: number for name, number in count.items() if name in wanted} for count in counts]
    room = {name: target - before[name] * originals for name, target in wanted.items()}
    made = _divided(samples, needs, room) if unit == "images" else _planned(samples, needs, wanted, room)
    every = {sample.id: made.get(sample.id, copies) for sample in samples}
    got = Counter[str]()
    for sample, count in zip(samples, counts, strict=True):
        for name, number in count.items():
            got[name] += number * (every[sample.id] + originals)
    reached = {name: Reached(before[name], wanted.get(name), got[name]) for name in sorted(before)}
    return Balanced(every, unit, reached)


def class_counts(samples: Sequence[Sample]) -> tuple[list[Counts], str]:
    """What each sample adds to its classes with each image of it, and what is counted."""
    objects = [Counter(o.label for o in s.annotations.objects if o.label is not None) for s in samples]
    if any(objects):
        return [dict(count) for count in objects], "objects"
    labels = [dict.fromkeys(sample.annotations.labels, 1) for sample in samples]
    return list(labels), "images" if all(len(count) < 2 for count in labels) else "labels"


def _targets(before: Counts, balance: str | int | Counts, images: int) -> dict[str, int]:
    if balance == "max":
        return dict.fromkeys(before, max(before.values()) * images)
    if isinstance(balance, int):
        return dict.fromkeys(before, balance)
    if isinstance(balance, str):
        raise InputError(f"balance cannot be {balance}", "write max, a number, or class: number")
    for name in balance:
        if name not in before:
            near = get_close_matches(name, before, 1)
            way = f"did you mean {near[0]}?" if near else "take it out of `balance`"
            raise InputError(f"`balance` names the class {name}, which no image to be multiplied has", way)
    return dict(balance)


def _order(sample: Sample) -> bytes:
    """Decides who gets one copy more: by the name alone, so that a new image disturbs few."""
    return hashlib.blake2b(sample.id.encode(errors="surrogateescape"), digest_size=16).digest()


def _divided(samples: Sequence[Sample], counts: Sequence[Counts], room: Counts) -> dict[str, int]:
    """Where each image has one class: its sources share what it needs, as evenly as can be."""
    members: dict[str, list[Sample]] = {}
    for sample, count in zip(samples, counts, strict=True):
        for name in count:
            members.setdefault(name, []).append(sample)
    made: dict[str, int] = {}
    for name, sharing in members.items():
        each, more = divmod(max(room[name], 0), len(sharing))
        for place, sample in enumerate(sorted(sharing, key=_order)):
            made[sample.id] = min(each + (place < more), MOST)
    return made


@dataclass(frozen=True, slots=True, eq=False)
class _Table:
    """Which source has how many of which class, as triples sorted by source. `room`: what classes can take in copies,
    0 and more; `targets`: with originals."""

    source: NDArray[np.int64]
    column: NDArray[np.int64]
    number: NDArray[np.int64]
    room: NDArray[np.int64]
    targets: NDArray[np.int64]
    rows: list[list[tuple[int, int]]]

    def sums(self, copies: NDArray[Any]) -> NDArray[np.float64]:
        """Per class, of so many copies of each source."""
        return np.bincount(self.column, self.number * copies[self.source], len(self.room)).astype(np.float64)


def _planned(samples: Sequence[Sample], counts: Sequence[Counts], wanted: Counts, room: Counts) -> dict[str, int]:
    """Copies of all samples that show a class of `wanted`."""
    made = {sample.id: 0 for sample, count in zip(samples, counts, strict=True) if count}
    # a source of which not even one copy fits has none
    pairs = zip(samples, counts, strict=True)
    fitting = [(s, c) for s, c in pairs if c and all(n <= room[name] for name, n in c.items())]
    if not fitting:
        return made
    fitting.sort(key=lambda pair: _order(pair[0]))
    names = sorted({name for _, count in fitting for name in count})
    place = {name: index for index, name in enumerate(names)}
    rows = [sorted((place[name], number) for name, number in count.items()) for _, count in fitting]
    source, column, number = np.array([(i, *pair) for i, row in enumerate(rows) for pair in row], np.int64).T
    rooms, targets = (np.array([of[name] for name in names], np.int64) for of in (room, wanted))
    table = _Table(source, column, number, rooms, targets, rows)
    whole = _exchanged(table, _rounded(table, _fractions(table)))
    return made | {sample.id: int(copies) for (sample, _), copies in zip(fitting, whole, strict=True)}


def _fractions(table: _Table) -> NDArray[np.float64]:
    """Copies per source, as numbers with a fraction."""
    classes, sources = len(table.room), len(table.rows)
    targets = table.targets.astype(np.float64)
    given = targets - table.room
    mass = np.bincount(table.source, table.number, sources)
    share = table.number / mass[table.source]
    even = table.room.sum() / table.number.sum()
    one, other = _pairs(table.source)
    cells = table.column[one] * classes + table.column[other]
    products, owner = table.number[one] * table.number[other] / mass[table.source[one]], table.source[one]

    def dual(prices: NDArray[np.float64]) -> tuple[float, NDArray[np.float64], NDArray[np.float64]]:
        """The function to be made least, the copies at these prices, and the shares of the targets they pay for."""
        copies = even * np.exp(np.bincount(table.source, share * prices[table.column], sources))
        above = np.maximum(prices / weight, 1)
        worth = np.where(prices > weight, weight * (1 + np.log(above)), prices)
        return float((mass * copies).sum() - (targets * worth - given * prices).sum()), copies, 1 / above

    prices = np.zeros(classes)
    with np.errstate(over="ignore", invalid="ignore"):
        for weight in _WEIGHTS:
            value, copies, shares = dual(prices)
            for _ in range(100):
                slope = table.sums(copies) + given - targets * shares
                if np.abs(slope / targets).max() < 1e-6:
                    break
                bend = np.bincount(cells, products * copies[owner], classes * classes).reshape(classes, classes)
                own = np.where(prices > weight, targets / weight * shares**2, 0) + 1e-9 * targets
                way = np.linalg.solve(bend + np.diag(own), slope)
                step, gain = 1.0, float(slope @ way)
                while step > 1e-9:
                    new = dual(prices - step * way)
                    if new[0] <= value - 1e-4 * step * gain:
                        break
                    step /= 2
                else:  # as near as numbers go
                    break
                prices = prices - step * way
                value, copies, shares = new
    return np.round(copies, 6)  # what differs between processors is smaller


def _pairs(source: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Indexes of each two triples of one source."""
    size = np.bincount(source)
    begin = np.cumsum(size) - size
    count = size[source]
    one = np.repeat(np.arange(len(source)), count)
    inside = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    return one, begin[source[one]] + inside


def _rounded(table: _Table, fractions: NDArray[np.float64]) -> NDArray[np.int64]:
    """Whole copies: those fractions cut off, and then one by one to the class furthest behind, while they fit."""
    copies = np.minimum(np.floor(fractions), MOST).astype(np.int64)
    room: list[int] = (table.room - np.rint(table.sums(copies)).astype(np.int64)).tolist()
    targets: list[int] = table.targets.tolist()
    made: list[int] = copies.tolist()
    for index, row in enumerate(table.rows):  # for what Newton's method has left over a target
        while made[index] and any(room[name] < 0 for name, _ in row):
            made[index] -= 1
            for name, number in row:
                room[name] += number
    waiting: list[list[tuple[float, int]]] = [[] for _ in room]  # per class: (what a source has too much, source)
    for index, row in enumerate(table.rows):
        for name, _ in row:
            waiting[name].append((made[index] - fractions[index], index))
    for sources in waiting:
        heapify(sources)
    behind = [(-left / target, name) for name, (left, target) in enumerate(zip(room, targets, strict=True))]
    heapify(behind)
    while behind:
        name = heappop(behind)[1]
        sources = waiting[name]
        while sources:
            much, index = sources[0]
            if made[index] >= MOST or any(number > room[other] for other, number in table.rows[index]):
                heappop(sources)  # for good: there is never more room again
            elif much < made[index] - fractions[index]:
                heapreplace(sources, (made[index] - fractions[index], index))
            else:
                break
        else:
            continue
        made[index] += 1
        for other, number in table.rows[index]:
            room[other] -= number
        heappush(behind, (-room[name] / targets[name], name))
    return np.array(made, np.int64)


def _exchanged(table: _Table, copies: NDArray[np.int64]) -> NDArray[np.int64]:
    """One copy more of a source of a class that lacks some, and one less of another if need be, while the product of
    shares grows."""
    nothing = len(copies)
    counts = np.zeros((nothing + 1, len(table.room)), np.int64)
    counts[table.source, table.column] = table.number
    copies = np.append(copies, 1)
    room = table.room - copies @ counts
    effort = 0
    while True:
        short = room > _TOLERANCE * table.targets
        allowed = np.where(short, room.max(), _TOLERANCE * table.targets)
        now = np.log(np.maximum(table.targets - room, 0.5)).sum()
        best, more, less = 1e-9, -1, -1
        for one in np.flatnonzero((counts[:, short] > 0).any(axis=1) & (copies < MOST)).tolist():
            effort += counts.size
            if effort > _EFFORT:
                return copies[:nothing]
            left = room - counts[one] + counts
            fits = np.flatnonzero((copies > 0) & ((left >= 0) & (left <= allowed)).all(axis=1))
            gains = np.log(np.maximum(table.targets - left[fits], 0.5)).sum(axis=1) - now
            if len(fits) and gains.max() > best:
                best, more, less = float(gains.max()), one, int(fits[gains.argmax()])
        if more < 0:
            return copies[:nothing]
        room = room - counts[more] + counts[less]
        copies[more] += 1
        copies[less] -= less != nothing
