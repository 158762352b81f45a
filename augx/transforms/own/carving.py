"""What is left of an outline when pixels lie on it: exactly, but for rounding.

The outline is walked from pixel to pixel. Which pixels it passes decides everything: where it dives below others, on
which side of it their corners are. Fractions only say where exactly, so that they cannot contradict each other. A point
on the line between two pixels belongs to the right, or lower, one.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from augx.geometry import Points, is_line
from augx.outlines import mask_loops

Array = NDArray[Any]

_DIGITS = 3  # of a pixel, that a new coordinate is written with


def carved(ring: Points, covered: NDArray[np.bool_]) -> list[Points]:
    """The parts of a ring, (n, 2), in a picture, (H, W), that are not covered; the very ring if all of it is not.

    Holes are joined to their ring by a bridge of no width.
    """
    free = np.pad(~covered, 1, mode="edge")  # so that no outline of it lies on the edge of the picture
    carving = _Carving(ring + 1, free)
    rings, holes = carving.rings()
    if carving.whole and not holes and len(rings) == 1:
        return [ring]
    for hole in sorted(holes, key=lambda hole: float(hole[:, 0].min())):
        _bridge(rings, hole)
    tidied = [_tidied((one - 1).round(_DIGITS) + 0.0) for one in rings]
    return [one for one in tidied if not is_line(one)]


class _Carving:
    """`free`: (H, W), True where pixels are not covered; `ring` is at least a pixel from its edge.

    A crossing is where the ring goes into the next pixel; `moors` are those where that changes whether it is covered.
    """

    def __init__(self, ring: Points, free: NDArray[np.bool_]) -> None:
        self.ring, self.free = ring, free
        cells, there = np.floor(ring).astype(np.int64), np.roll(ring, -1, axis=0)
        steps = np.roll(cells, -1, axis=0) - cells
        parts = [_crossings(axis, cells[:, axis], steps[:, axis], ring, there) for axis in (0, 1)]
        edge, axis, sign, line, share, along = (np.concatenate(both) for both in zip(*parts, strict=True))
        order = np.lexsort((share, edge))
        self.edge, self.axis, sign, self.line, along = (one[order] for one in (edge, axis, sign, line, along))
        moves = np.zeros((len(order), 2), np.int64)
        moves[np.arange(len(order)), self.axis] = sign
        after = cells[:1] + np.cumsum(moves, axis=0)
        before = after - moves
        comes, was = free[after[:, 1], after[:, 0]], free[before[:, 1], before[:, 0]]
        self.cell = before[np.arange(len(order)), 1 - self.axis]  # of the pixels, along the line between them
        self.along = np.clip(along, self.cell, self.cell + 1)
        self.moors = np.flatnonzero(comes != was)
        self.enters = comes[self.moors]
        self.clockwise = _clockwise(ring)
        self.whole = not len(self.moors) and bool(free[cells[0, 1], cells[0, 0]])

    def rings(self) -> tuple[list[Points], list[Points]]:
        """What is left, and the holes in it."""
        loops = mask_loops(self.free)
        lengths = [np.abs(np.roll(loop, -1, axis=0) - loop).sum(axis=1) for loop in loops]
        unit, share = self._moored(loops, lengths)
        partner = np.zeros(len(self.moors), np.intp)
        shores: dict[int, Points] = {}  # the way from a moor to its partner
        left: list[Points] = [self.ring] if self.whole else []
        holes: list[Points] = []
        first = 0
        for loop, length in zip(loops, lengths, strict=True):
            upto = first + np.cumsum(length) - length  # how long the way is to each of its points
            last = first + int(length.sum())
            here = np.flatnonzero((unit >= first) & (unit < last))
            within = self._within(*loop[0].tolist())
            if len(here):
                here = self._alternating(here[np.lexsort((share[here], unit[here]))], unit, share, within)
                if within:  # so that the first way begins at the last moor, and passes where the loop begins
                    here = np.roll(here, 1)
                for number, (one, other) in enumerate(here.reshape(-1, 2).tolist()):
                    way = loop[(upto > unit[one]) & (upto <= unit[other])]
                    if within and not number:
                        way = np.concatenate([loop[upto > unit[one]], loop[upto <= unit[other]]])
                    partner[one], partner[other] = other, one
                    shores[one], shores[other] = way, way[::-1]
            elif within:
                (left if _clockwise(loop) else holes).append(loop.astype(np.float64))
            first = last
        return left + self._chained(partner, shores), holes

    def _moored(self, loops: list[Array], lengths: list[Array]) -> tuple[Array, Array]:
        """Where each moor is on the outlines of what is free, one behind the other: which pixel's side it is on, and
        where on that, 0..1."""
        start = np.concatenate([np.zeros((0, 2), np.int64), *loops])
        end = np.concatenate([np.zeros((0, 2), np.int64), *(np.roll(loop, -1, axis=0) for loop in loops)])
        length = np.concatenate([np.zeros(0, np.int64), *lengths])
        upto, low = np.cumsum(length) - length, np.minimum(start, end)
        unit, share = np.zeros(len(self.moors), np.int64), np.zeros(len(self.moors))
        for axis in (0, 1):
            chosen = self.axis[self.moors] == axis
            moors = self.moors[chosen]
            sides = np.flatnonzero(start[:, axis] == end[:, axis])
            size = max(self.free.shape) + 2
            keys = start[sides, axis] * size + low[sides, 1 - axis]
            order = np.argsort(keys)
            found = np.searchsorted(keys[order], self.line[moors] * size + self.cell[moors], side="right") - 1
            side = sides[order[found]]
            forward = end[side, 1 - axis] > start[side, 1 - axis]
            offset = (self.cell[moors] - start[side, 1 - axis]) * np.where(forward, 1, -1) - ~forward
            part = self.along[moors] - self.cell[moors]
            unit[chosen], share[chosen] = upto[side] + offset, np.where(forward, part, 1 - part)
        return unit, share

    def _alternating(self, moors: Array, unit: Array, share: Array, within: bool) -> Array:
        """Of moors at the same place, as those of a bridge to a hole are, in turn those where the ring comes and goes:
        along a shore it goes on the way that it came around."""
        tied = (unit[moors[1:]] == unit[moors[:-1]]) & (share[moors[1:]] == share[moors[:-1]])
        for place in np.flatnonzero(tied).tolist():
            wanted = ((place % 2 == 0) != within) != self.clockwise
            stop = place + 1
            while stop <= len(tied) and tied[stop - 1]:
                stop += 1
            fitting = np.flatnonzero(self.enters[moors[place:stop]] == wanted)
            if len(fitting):
                other = place + int(fitting[0])
                moors[place], moors[other] = moors[other], moors[place]
        return moors

    def _within(self, x: int, y: int) -> bool:
        """Whether a corner of pixels lies inside the ring: how often it is crossed on the way there from the left."""
        return bool(np.count_nonzero((self.axis == 1) & (self.line == y) & (self.cell < x)) % 2)

    def _chained(self, partner: Array, shores: dict[int, Points]) -> list[Points]:
        """The stretches of the ring between moors, joined along shores."""
        many = len(self.moors)
        done, rings = np.zeros(many, np.bool_), list[Points]()
        for first in np.flatnonzero(self.enters).tolist():
            moor, parts = first, list[Points]()
            while not done[moor]:
                other = (moor + 1) % many if self.enters[moor] else (moor - 1) % many
                done[[moor, other]] = True
                stretch = self._stretch(moor, other) if self.enters[moor] else self._stretch(other, moor)[::-1]
                parts += [stretch, shores[other]]
                moor = int(partner[other])
            if parts:
                rings.append(np.concatenate(parts))
        return rings

    def _stretch(self, start: int, end: int) -> Points:
        """From one moor to the next."""
        one, other = self.moors[start], self.moors[end]
        edges = self.edge[one], self.edge[other]
        many = edges[1] - edges[0] + (len(self.ring) if end <= start else 0)
        points = self.ring[(edges[0] + 1 + np.arange(many)) % len(self.ring)]
        return np.concatenate([[self._place(one)], points, [self._place(other)]])

    def _place(self, crossing: int) -> tuple[float, float]:
        line, along = float(self.line[crossing]), float(self.along[crossing])
        return (along, line) if self.axis[crossing] else (line, along)


def _crossings(axis: int, cells: Array, steps: Array, here: Points, there: Points) -> tuple[Array, ...]:
    """Of all lines between columns (axis 0) or rows: the edge of the ring, the axis, which way, the line, how far along
    the edge and where on the line; the same whichever way the ring goes, for bridges to holes go both."""
    many = np.abs(steps)
    edge = np.repeat(np.arange(len(steps)), many)
    nth = np.arange(len(edge)) - np.repeat(np.cumsum(many) - many, many)
    sign = np.sign(steps)[edge]
    line = cells[edge] + np.where(sign > 0, 1 + nth, -nth)
    back = (sign < 0)[:, None]
    low, high = np.where(back, there[edge], here[edge]), np.where(back, here[edge], there[edge])
    share = np.clip((line - low[:, axis]) / (high[:, axis] - low[:, axis]), 0, 1)
    along = low[:, 1 - axis] + share * (high[:, 1 - axis] - low[:, 1 - axis])
    return edge, np.full(len(edge), axis), sign, line, np.where(back[:, 0], 1 - share, share), along


def _clockwise(loop: Array) -> bool:
    x, y = (loop - loop[0]).T
    return bool((x * np.roll(y, -1) - np.roll(x, -1) * y).sum() > 0)


def _bridge(rings: list[Points], hole: Points) -> None:
    """Joins a hole to what is next to it on the left. All holes further left have been joined."""
    around = np.roll(hole, -int(hole[:, 0].argmin()), axis=0)
    x, y = around[0]
    nearest, number, edge = -np.inf, 0, 0
    for index, ring in enumerate(rings):
        (ax, ay), (bx, by) = ring.T, np.roll(ring, -1, axis=0).T
        edges = np.flatnonzero((ay >= y) != (by >= y))
        met = ax[edges] + (y - ay[edges]) * (bx[edges] - ax[edges]) / (by[edges] - ay[edges])
        met[met > x] = -np.inf
        if len(met) and met.max() > nearest:
            nearest, number, edge = met.max(), index, int(edges[met.argmax()])
    if not _clockwise(rings[number]):
        around = np.roll(around[::-1], 1, axis=0)
    bridge = np.concatenate([[(nearest, y)], around, around[:1], [(nearest, y)]])
    rings[number] = np.insert(rings[number], edge + 1, bridge, axis=0)


def _tidied(ring: Points) -> Points:
    """Without points that repeat the one before, and without tips of no width."""
    while True:
        ring = ring[(ring != np.roll(ring, 1, axis=0)).any(axis=1)]
        (ax, ay), (bx, by) = (ring - np.roll(ring, 1, axis=0)).T, (np.roll(ring, -1, axis=0) - ring).T
        tips = np.flatnonzero((ax * by == ay * bx) & (ax * bx + ay * by < 0))
        if not len(tips):
            return ring
        ring = np.delete(ring, tips[0], axis=0)
