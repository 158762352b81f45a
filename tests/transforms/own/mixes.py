"""Labelled pictures drawn for mixes, and an oracle that holds the mixed labels against the mixed pixels.

A mix is applied a second time, with the same numbers drawn, to pictures of places: each of their pixels says which
picture it is of and, in 256ths of a pixel, where in it. What is then seen says what the labels must say. Mixes only
scale, turn and shift, so the places seen of a picture are a linear function of where they are seen; it is fitted to
them, and so the source can be asked FINE times finer than pixels. Nothing here knows how mixes carry labels.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import islice
from typing import Any

import cv2
import numpy as np

from augx.geometry import flat, pairs, rectangle, shape_box
from augx.model import Annotations, Dropped, LabelOptions, Mask, Object, Picture, Rle
from augx.seeds import Rng
from augx.transforms.own.base import Mix, Rules

RULES = Rules(LabelOptions(), {}, outside=9)
HARD = Rules(LabelOptions(), {}, outside=9, hard=True)
SIZES = [(120, 90), (120, 90), (130, 150), (230, 120), (96, 110), (150, 101), (100, 100), (120, 90), (180, 200)]
FINE = 5  # odd, so that the middle of a pixel is the middle of one of its parts
MOST = 1.0  # pixels, by which the edge of a box may be off
LEAST = 0.97  # of what a polygon and what is seen of it have together, they have in common
TIE = 0.02  # source pixels, so near to the edge of one of which a place may count as in either


def stream(seed: int) -> Rng:
    return Rng().at(seed, "picture", 1, "0")


def inside(ring: np.ndarray, width: int, height: int, fine: int = 1) -> np.ndarray:
    """(H, W) bool: pixels whose centres lie in a ring (n, 2). `fine`: so many times more of them."""
    y = (np.arange(height * fine) + 0.5) / fine
    (ax, ay), (bx, by) = ring.T[..., None], np.roll(ring, -1, axis=0).T[..., None]
    edges, rows = np.nonzero((ay > y) != (by > y))
    ax, ay, bx, by = (each[edges, 0] for each in (ax, ay, bx, by))
    crossing = ax + (y[rows] - ay) * (bx - ax) / (by - ay)
    turns = np.zeros((height * fine, width * fine + 1), np.uint8)
    np.add.at(turns, (rows, np.clip(np.ceil(crossing * fine - 0.5), 0, width * fine).astype(int)), 1)
    odd: np.ndarray = turns[:, :0:-1].cumsum(axis=1, dtype=np.uint8)[:, ::-1] % 2 == 1
    return odd


def union(rings: Sequence[Any], width: int, height: int, fine: int = 1) -> np.ndarray:
    found = np.zeros((height * fine, width * fine), bool)
    for ring in map(pairs, rings):
        x0, y0 = np.clip(np.floor(ring.min(axis=0)), 0, (width, height)).astype(int)
        x1, y1 = np.clip(np.ceil(ring.max(axis=0)), (x0, y0), (width, height)).astype(int)
        found[y0 * fine : y1 * fine, x0 * fine : x1 * fine] |= inside(ring - (x0, y0), x1 - x0, y1 - y0, fine)
    return found


def run_lengths(mask: np.ndarray, plain: bool = True) -> Rle:
    """COCO's plain counts, column by column, beginning with zeros."""
    line = np.concatenate([[False], mask.T.reshape(-1), [not mask[-1, -1]]])
    borders = np.flatnonzero(line[1:] != line[:-1])
    counts = np.diff(np.concatenate([[0], borders]))
    return Rle(mask.shape[1], mask.shape[0], tuple(counts.tolist()))


def decoded(mask: Rle) -> np.ndarray:
    assert not isinstance(mask.counts, str)
    values = np.arange(len(mask.counts)) % 2 == 1
    return np.repeat(values, mask.counts).reshape(mask.width, mask.height).T


@lru_cache
def scene(tag: int, third: str = "box", size: tuple[int, int] | None = None) -> Picture:
    """A picture of its own size with a polygon with keypoints, an RLE, and a box, an oriented box ("obb"; "quad": one
    without right angles) or an instance."""
    width, height = size or SIZES[tag]
    at = np.array([width, height], float)
    blob = np.array([(8, 12), (20, 5), (38, 8), (46, 25), (44, 55), (30, 60), (27, 42), (20, 58), (8, 50)]) / 100 * at
    turned = (np.array([(0.55, 0.6), (0.85, 0.48), (0.93, 0.78), (0.63, 0.9)]) - 0.5) * at + at / 2
    if third == "obb":
        along = turned[1] - turned[0]
        down = np.array([-along[1], along[0]]) * 0.6
        turned = np.array([turned[0], turned[1], turned[1] + down, turned[0] + down])
    x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    disc = ((x / width - 0.72) / 0.2) ** 2 + ((y / height - 0.26) / 0.2) ** 2 < 1
    box = tuple(np.rint(np.array([0.5, 0.58, 0.9, 0.93]) * np.tile(at, 2)).tolist())
    oriented = third in ("obb", "quad")
    block = inside(turned if oriented else pairs(rectangle(box)), width, height)
    keypoints = array("d", [*(at * (0.2, 0.2)), 2, *(at * (0.3, 0.45)), 1, 0, 0, 0, *(at * (0.12, 0.4)), 2])
    objects = (
        Object(f"{tag}0", None, (flat(blob),), keypoints=keypoints, index=1),
        Object(f"{tag}1", rle=run_lengths(disc), index=2),
        Object(
            f"{tag}2",
            box if third == "box" else None,
            corners=flat(turned) if oriented else None,
            index=3 if third == "instance" else None,
        ),
    )
    pixels, (classes, numbers) = np.zeros((height, width, 3), np.uint8), np.zeros((2, height, width), np.uint8)
    for channel, shape in enumerate((inside(blob, width, height), disc, block)):
        pixels[shape, channel] = 255
        classes[shape] = 10 * tag + channel + 1
        numbers[shape] = channel + 1 if channel < 2 or third == "instance" else 0
    known = Annotations(labels={f"class{tag}": 1.0}, objects=objects, captions=(f"{tag}",), size=(width, height))
    return Picture(pixels, None, None, known, Mask(classes), Mask(numbers))


def places(picture: Picture, number: int = 1) -> Picture:
    """x, y of the centre of each of a picture's pixels in 256ths of a pixel, and the picture's number."""
    y, x = np.mgrid[: picture.height, : picture.width] * 256 + 128
    return Picture(np.stack([x, y, np.full_like(x, number)], axis=-1).astype(np.uint16))


@dataclass(frozen=True)
class Seen:
    """What is seen of an object. `fine`: (H, W) bool, `times` finer than pixels, of a window at `corner`."""

    fine: np.ndarray
    times: int
    corner: tuple[int, int]

    @property
    def extent(self) -> np.ndarray:
        return extent(self.fine) / self.times + (self.corner * 2)

    def off(self, thing: Object) -> np.ndarray:
        """How far the edges of a box, and the sides of an oriented one, are from the outermost that is seen."""
        apart = np.abs(np.array(thing.box or shape_box(thing)) - self.extent)
        if thing.corners is None:
            return apart
        corners, rows = pairs(thing.corners), np.flatnonzero(self.fine.any(axis=1))
        first, last = (self.fine[rows, ::step].argmax(axis=1) for step in (1, -1))
        columns = np.concatenate([first, self.fine.shape[1] - 1 - last])
        points = (np.stack([columns, np.tile(rows, 2)], axis=1) + 0.5) / self.times + self.corner
        along = np.roll(corners, -1, axis=0) - corners
        inwards = np.stack([-along[:, 1], along[:, 0]], axis=1) / np.hypot(*along.T)[:, None]
        inwards *= np.sign(((corners.mean(axis=0) - corners) * inwards).sum(axis=1))[:, None]
        depths = points @ inwards.T - (corners * inwards).sum(axis=1)
        return np.concatenate([apart, np.abs(depths.min(axis=0, initial=np.inf) - 0.5 / self.times)])

    def overlap(self, thing: Object) -> float:
        height, width = self.fine.shape
        rings = [pairs(ring) - self.corner for ring in thing.rings]
        return overlap(union(rings, width // self.times, height // self.times, self.times), self.fine)


@dataclass(frozen=True)
class View:
    """What is seen of a picture. `region`: (H, W) bool, where. `back`: (3, 2), from x, y, 1 there to its places."""

    picture: Picture
    region: np.ndarray
    back: np.ndarray

    def finely(self, thing: Object) -> Iterator[Seen]:
        """Where a polygon, box or oriented box of the picture is seen: FINE times finer than pixels, and without the
        splinters that labels may leave out; then still finer, which tells where a wedge ends that slips through between
        what was asked."""
        rings = [(ring - self.back[2]) @ np.linalg.inv(self.back[:2]) for ring in outline(thing)]
        places, size = np.concatenate(rings), self.region.shape[::-1]
        x0, y0 = np.clip(np.floor(places.min(axis=0)), 0, np.subtract(size, 1)).astype(int)
        x1, y1 = np.clip(np.ceil(places.max(axis=0)), (x0 + 1, y0 + 1), size).astype(int)
        here = self.region[y0:y1, x0:x1]
        for times in (FINE, FINE**2):
            fine = union([ring - (x0, y0) for ring in rings], x1 - x0, y1 - y0, times)
            fine.reshape(y1 - y0, times, x1 - x0, times)[:] &= here[:, None, :, None]
            yield Seen(fine, times, (x0, y0))
            _, parts = cv2.connectedComponents(fine.view(np.uint8), connectivity=4)
            middles = parts[times // 2 :: times, times // 2 :: times]
            yield Seen(fine & np.isin(parts, middles), times, (x0, y0))

    @cached_property
    def _nearest(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """Row and column, (H, W), of the picture's pixel that is seen, and of those that are as near."""
        y, x = np.mgrid[: self.region.shape[0], : self.region.shape[1]] + 0.5
        place = x[..., None] * self.back[0] + y[..., None] * self.back[1] + self.back[2]
        most = self.picture.width - 1, self.picture.height - 1
        asides = [(dx, dy) for dx in (-TIE, TIE) for dy in (-TIE, TIE)]
        found = (np.floor(place + aside).astype(int).clip(0, most) for aside in asides)
        return [(one[..., 1], one[..., 0]) for one in found]

    def agrees(self, values: np.ndarray, source: np.ndarray) -> bool:
        """Whether a mask has, where the picture is seen, what a mask of the picture has there."""
        same = np.any([values == source[pixels] for pixels in self._nearest], axis=0)
        return bool(same[self.region].all())


def view(picture: Picture, shown: np.ndarray, region: np.ndarray) -> View | None:
    """None where next to nothing is seen of it. `shown`: places, (H, W, 3)."""
    rows, columns = np.nonzero(region)
    place, new = shown[rows, columns, :2] / 256, np.stack([columns + 0.5, rows + 0.5, np.ones(len(rows))], axis=1)
    size = picture.width, picture.height
    # The outer half of outer pixels shows what their middle has.
    inner = ((place > 0.51) & (place < np.subtract(size, 0.51))).all(axis=1)
    if not inner.any() or np.ptp(new[inner], axis=0)[:2].min() < 2:
        return None
    back = np.linalg.lstsq(new[inner], place[inner], rcond=None)[0]
    assert np.abs(new @ back - place)[inner].max() < 0.1
    return View(picture, region, back)


def seen(mix: Mix, pictures: Sequence[Picture], params: Mapping[str, Any], rules: Rules = RULES) -> list[View | None]:
    """What is seen of each picture when they are mixed."""
    first, *others = (places(picture, number) for number, picture in enumerate(pictures, 1))
    shown = mix.apply(first, others, params, rules)[0].pixels
    return [view(picture, shown, shown[..., 2] == number) for number, picture in enumerate(pictures, 1)]


def moved(picture: Picture, how: Callable[[Picture], Picture]) -> View:
    """What is seen of one picture when it has moved."""
    shown = how(places(picture)).pixels
    found = view(picture, shown, shown[..., 2] == 1)
    assert found is not None
    return found


def extent(plane: np.ndarray) -> np.ndarray:
    """x0, y0, x1, y1; zeros of nothing."""
    rows, columns = np.flatnonzero(plane.any(1)), np.flatnonzero(plane.any(0))
    return np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1] if len(rows) else [0] * 4)


def overlap(one: np.ndarray, other: np.ndarray) -> float:
    return float((one & other).sum() / (one | other).sum())


def outline(thing: Object) -> list[np.ndarray]:
    """Rings, (n, 2), of what is no mask."""
    if thing.rings or thing.corners is not None:
        return [pairs(ring) for ring in thing.rings or [thing.corners]]
    return [] if thing.box is None else [pairs(rectangle(thing.box))]


def held(mixed: Picture, lost: Sequence[Dropped], views: Sequence[View | None]) -> int:
    """Asserts that all labels of a mix of pictures say what is seen of them. Returns how many objects were held."""
    known = {thing.label: thing for thing in mixed.annotations.objects}
    gone = [one.label for one in lost]
    count = 0
    for one in views:
        for source in one.picture.annotations.objects if one else ():
            assert (source.label in known) != (source.label in gone)
            if source.label in gone:
                unseen(source, one)
            else:
                fitting(known[source.label], source, one)
                count += 1
    assert mixed.mask is not None and mixed.instances is not None
    numbers = [thing.index for thing in known.values() if thing.index is not None]
    assert len(set(numbers)) == len(numbers)
    assert set(np.unique(mixed.instances.values).tolist()) <= {0, *numbers}
    for one in views:
        if one is None:
            continue
        assert one.agrees(mixed.mask.values, one.picture.mask.values)
        for source in one.picture.annotations.objects:
            thing = known.get(source.label)
            if thing is not None and source.index is not None:
                shown = mixed.instances.values == thing.index
                assert one.agrees(shown, one.picture.instances.values == source.index) and not shown[~one.region].any()
                if thing.box is not None and not thing.rings and thing.rle is None:
                    assert (thing.box == extent(shown)).all(), (thing.label, thing.box)
    if None not in views:
        rest = ~np.any([one.region for one in views], axis=0)
        assert (mixed.mask.values[rest] == RULES.outside).all() and not mixed.instances.values[rest].any()
    return count


def fitting(thing: Object, source: Object, one: View) -> None:
    """Asserts that an object fits what is seen of it, `source` in its own picture."""
    box = thing.box or shape_box(thing)
    if source.rle is not None:
        pixels = decoded(thing.rle)
        assert one.agrees(pixels, decoded(source.rle)) and not pixels[~one.region].any(), thing.label
        assert (box == extent(pixels)).all(), (thing.label, box)
    if not outline(source):
        return
    apart = np.full(4 if thing.corners is None else 8, np.inf)
    for shape in one.finely(source):
        apart = np.minimum(apart, shape.off(thing))
        if apart.max() <= MOST:
            break
    assert apart.max() <= MOST, (thing.label, apart, box, thing.corners)
    if thing.rings:
        assert any(shape.overlap(thing) >= LEAST for shape in one.finely(source)), thing.label


def unseen(source: Object, one: View) -> None:
    """Asserts that next to nothing is seen of an object."""
    if outline(source):
        x0, y0, x1, y1 = next(islice(one.finely(source), 1, None)).extent
        assert min(x1 - x0, y1 - y0) <= 1.2, source.label  # `min_size` is 1
