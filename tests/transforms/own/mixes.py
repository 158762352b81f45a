"""Labelled pictures drawn for mixes, and an oracle that holds the mixed labels against the mixed pixels.

Each picture has three objects, each painted in a channel of its own. A mix is applied once for each of its pictures,
with the others painted black: what is bright then is what is left to see of this picture's objects.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

import cv2
import numpy as np

from augx.geometry import flat, pairs, shape_box
from augx.model import Annotations, Dropped, LabelOptions, Mask, Object, Picture, Rle
from augx.seeds import Rng
from augx.transforms.own.base import Mix, Rules

RULES = Rules(LabelOptions(), {}, outside=9)
HARD = Rules(LabelOptions(), {}, outside=9, hard=True)
SIZES = [(120, 90), (120, 90), (130, 150), (230, 120), (96, 110), (150, 101), (100, 100), (120, 90), (180, 200)]
FINE = 8  # times finer than pixels, the pictures are drawn


def stream(seed: int) -> Rng:
    return Rng().at(seed, "picture", 1, "0")


def inside(ring: np.ndarray, width: int, height: int, fine: int = 1) -> np.ndarray:
    """(H, W) bool: pixels whose centres lie in a ring (n, 2). `fine`: so many times more of them."""
    y = (np.arange(height * fine) + 0.5) / fine
    (ax, ay), (bx, by) = ring.T[..., None], np.roll(ring, -1, axis=0).T[..., None]
    edges, rows = np.nonzero((ay > y) != (by > y))
    ax, ay, bx, by = (each[edges, 0] for each in (ax, ay, bx, by))
    crossing = ax + (y[rows] - ay) * (bx - ax) / (by - ay)
    turns = np.zeros((height * fine, width * fine + 1), int)
    np.add.at(turns, (rows, np.clip(np.ceil(crossing * fine - 0.5), 0, width * fine).astype(int)), 1)
    odd: np.ndarray = turns[:, :0:-1].cumsum(axis=1)[:, ::-1] % 2 == 1
    return odd


def union(rings: Sequence[Any], width: int, height: int) -> np.ndarray:
    return np.any([inside(pairs(ring), width, height) for ring in rings], axis=0)


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
    """A picture of its own size with a polygon with keypoints, an RLE, and a box, an oriented box or an instance."""
    width, height = size or SIZES[tag]
    at = np.array([width, height], float)
    blob = np.array([(8, 12), (20, 5), (38, 8), (46, 25), (44, 55), (30, 60), (27, 42), (20, 58), (8, 50)]) / 100 * at
    turned = (np.array([(0.55, 0.6), (0.85, 0.48), (0.93, 0.78), (0.63, 0.9)]) - 0.5) * at + at / 2
    if third == "obb":  # right angles
        along = turned[1] - turned[0]
        down = np.array([-along[1], along[0]]) * 0.6
        turned = np.array([turned[0], turned[1], turned[1] + down, turned[0] + down])
    x, y = np.meshgrid((np.arange(width * FINE) + 0.5) / FINE, (np.arange(height * FINE) + 0.5) / FINE)
    disc = ((x / width - 0.72) / 0.2) ** 2 + ((y / height - 0.26) / 0.2) ** 2 < 1
    box = tuple(np.rint(np.array([0.5, 0.58, 0.9, 0.93]) * np.tile(at, 2)).tolist())
    block = (x > box[0]) & (x < box[2]) & (y > box[1]) & (y < box[3])
    drawn = [inside(blob, width, height, FINE), disc, block]
    if third == "obb":
        drawn[2] = inside(turned, width, height, FINE)
    covers = [one.reshape(height, FINE, width, FINE).mean(axis=(1, 3)) for one in drawn]
    shapes = [cover >= 0.5 for cover in covers]
    keypoints = array("d", [*(at * (0.2, 0.2)), 2, *(at * (0.3, 0.45)), 1, 0, 0, 0, *(at * (0.12, 0.4)), 2])
    corners = flat(turned) if third == "obb" else None
    objects = (
        Object(f"{tag}0", None, (flat(blob),), keypoints=keypoints, index=1),
        Object(f"{tag}1", rle=run_lengths(shapes[1]), index=2),
        Object(
            f"{tag}2",
            box if third == "box" else None,
            corners=corners,
            index=3 if third == "instance" else None,
        ),
    )
    pixels, classes, numbers = (np.zeros((height, width, *more), np.uint8) for more in ((3,), (), ()))
    for channel, shape in enumerate(shapes):
        pixels[..., channel] = np.rint(covers[channel] * 255)
        classes[shape] = 10 * tag + channel + 1
        numbers[shape] = channel + 1 if channel < 2 or third == "instance" else 0
    known = Annotations(labels={f"class{tag}": 1.0}, objects=objects, captions=(f"{tag}",), size=(width, height))
    return Picture(pixels, None, None, known, Mask(classes), Mask(numbers))


def bright(picture: Picture, on: bool = True) -> Picture:
    """The same for a mix, its pixels white or black."""
    return replace(picture, pixels=np.full_like(picture.pixels, 255 if on else 0))


def seen(mix: Mix, pictures: Sequence[Picture], params: Mapping[str, Any], rules: Rules = RULES) -> list[np.ndarray]:
    """For each picture (H, W, 3) bool: where its objects are to be seen in the mix."""
    found = []
    for shown in range(len(pictures)):
        alone = [one if who == shown else bright(one, False) for who, one in enumerate(pictures)]
        mixed, _ = mix.apply(alone[0], alone[1:], params, rules)
        found.append(mixed.pixels >= 128)
    return found


def extent(plane: np.ndarray) -> np.ndarray:
    rows, columns = np.flatnonzero(plane.any(1)), np.flatnonzero(plane.any(0))
    return np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1])


def overlap(one: np.ndarray, other: np.ndarray) -> float:
    return float((one & other).sum() / (one | other).sum())


def held(mixed: Picture, lost: Sequence[Dropped], truth: Sequence[np.ndarray], exact: bool, most: float = 1.0) -> int:
    """Asserts that all labels of a mix of `scene`s fit what is seen, edges of boxes to `most` pixels. `exact`: no
    picture was scaled. Returns how many objects were held against at least 40 pixels."""
    size = mixed.width, mixed.height
    known = {thing.label: thing for thing in mixed.annotations.objects}
    gone = [one.label for one in lost]
    assert sorted([*known, *gone]) == sorted(f"{tag}{part}" for tag in range(len(truth)) for part in range(3))
    assert mixed.instances is not None and mixed.mask is not None
    numbers = [thing.index for thing in known.values() if thing.index is not None]
    assert len(set(numbers)) == len(numbers)
    assert set(np.unique(mixed.instances.values).tolist()) <= {0, *numbers}
    held = 0
    for tag, channels in enumerate(truth):
        for part in range(3):
            shown, thing = channels[..., part], known.get(f"{tag}{part}")
            if thing is None:
                assert shown.sum() <= 4 or thin(shown), f"{tag}{part} is lost but seen"
                continue
            if shown.sum() < 40 or thin(shown):
                continue
            held += 1
            box = thing.box or shape_box(thing)
            if box is not None:
                around = extent(shown)
                if most > 1 and thing.rle is not None:  # strips, as in `close`
                    around = extent(decoded(thing.rle))
                elif most > 1 and thing.index is not None and not thing.rings:
                    around = extent(mixed.instances.values == thing.index)
                miss = np.abs(np.array(box) - around).max()
                wedge = miss <= 2.5 if thing.corners else thing.rings and sliver(thing.rings, shown)
                assert miss <= most or wedge, (tag, part, box, extent(shown))
            if thing.rings:
                assert overlap(union(thing.rings, *size), shown) >= (0.97 if shown.sum() > 300 else 0.9), (tag, part)
            if thing.rle is not None:
                pixels = decoded(thing.rle)
                assert (pixels == shown).all() if exact else close(pixels, shown, most)
            if thing.corners is not None:
                corners = pairs(thing.corners)
                assert (shown & ~inside(corners, *size)).sum() <= 0.03 * shown.sum()
                assert (fits(corners, shown) <= 2.5).all(), (tag, part, fits(corners, shown))
            if thing.index is not None:
                pixels = mixed.instances.values == thing.index
                assert (pixels == shown).all() if exact else close(pixels, shown, most)
            wanted = (
                shown
                if exact
                else cv2.erode(shown.view(np.uint8), np.ones((3, 3)), borderType=cv2.BORDER_CONSTANT, borderValue=0) > 0
            )
            assert (mixed.mask.values[wanted] != 10 * tag + part + 1).sum() <= 3 * (not exact)
    return held


def thin(shown: np.ndarray) -> bool:
    x0, y0, x1, y1 = extent(shown)
    return bool(min(x1 - x0, y1 - y0) <= 3)


def close(pixels: np.ndarray, shown: np.ndarray, most: float) -> bool:
    """Whether two shapes differ at their edges only, by a pixel: masks take the nearest pixel, levels a mean. Strips of
    a pixel that a line of any shape leaves may be in one only."""
    if most > 1:
        return overlap(pixels, shown) >= 0.8 or shown.sum() < 100
    square, plane = np.ones((3, 3)), shown.view(np.uint8)
    outer = cv2.dilate(plane, square) > 0
    inner = cv2.erode(plane, square, borderType=cv2.BORDER_CONSTANT, borderValue=0) > 0
    return bool((pixels & ~outer).sum() + (inner & ~pixels).sum() <= 3)


def sliver(rings: Sequence[Any], shown: np.ndarray) -> bool:
    """Whether next to nothing of rings is more than a pixel away from the rectangle around what is shown: the tip of
    a wedge that an edge has cut slips through between the centres of pixels."""
    height, width = shown.shape
    fine = np.any([inside(pairs(ring), width, height, FINE) for ring in rings], axis=0)
    x0, y0, x1, y1 = np.add(extent(shown), (-1, -1, 1, 1)).clip(0) * FINE
    fine[y0:y1, x0:x1] = False
    return bool(fine.sum() < 1.5 * FINE**2)


def fits(corners: np.ndarray, shown: np.ndarray) -> np.ndarray:
    """How far each side of an oriented box is from the outermost pixels shown, along its own axes."""
    rows, columns = np.nonzero(shown)
    pixels = np.stack([columns, rows], axis=1) + 0.5
    misses = []
    for first, second in ((0, 1), (0, 3)):
        axis = corners[second] - corners[first]
        length = np.hypot(*axis)
        along = (pixels - corners[0]) @ (axis / length)
        misses += [abs(along.min() - 0.5), abs(length - along.max() - 0.5)]
    return np.array(misses)
