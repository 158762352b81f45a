"""Labels against the pixels: objects painted each in a flat colour of its own go through every geometric transform.

What is written of an object afterwards must be where its colour is: no edge of its box more than 1 pixel off. Nothing
here knows how labels are carried. Two pictures go through each case, with the same numbers drawn:

- One of flat colours, of which the nearest pixel is taken. It is the truth for whatever is blunt: a corner of 90
  degrees or more is as wide as a pixel half a pixel from its end, so that some pixel whose centre is at most 1.5 from
  the end has its colour, and ends within 1 of it. To make the painted source no less exact, all of its objects but one
  end where pixels end: no zoom makes a difference.
- One of places (`places`), mixed by linear interpolation, 16 bits: each new pixel tells which place of the source it
  shows, in 256ths of a pixel. Between the centres of pixels, and out to the very edge of the picture, places change
  evenly, so this is also known four times finer than pixels. What the source has at those places is the new picture,
  four times finer. It is the truth for what is sharp: corners that shear and perspective made acute, and the wedges
  that an edge of the picture leaves, whose ends slip through between the centres of pixels.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
import pytest

from augx.labels import boxed
from augx.model import Annotations, Box, LabelOptions, Mask, Object, Picture, Rle, Step
from augx.seeds import Rng
from augx.transforms.catalog import TRANSFORMS
from augx.transforms.pipeline import Pipeline

WIDTH, HEIGHT = 208, 168
BLOB, RECTANGLE, TURNED, HOLED, DISC = 40, 80, 120, 160, 200  # colours, and classes in the mask
DOTS = (210, 220, 230, 240)
NAMES = {BLOB: "blob", RECTANGLE: "rectangle", TURNED: "turned", HOLED: "holed", DISC: "disc"}
SOURCE, FINE = 8, 4  # how many times finer than pixels the source is painted, and the new picture asked
SCENES = 32
MOST = 1.0  # pixels, by which the edge of a box may be off
TORN = 2.5  # source pixels from one pixel to the next, that are no bend

NEAREST, EXACT = {"interpolation": "nearest"}, {"interpolation": "nearest_exact"}
# (name, arguments, family): right angles stay right in "upright", parallels parallel in "affine", lines straight in
# "perspective"; "grid" shows some lines twice, "mesh" tears and
# covers some
CASES: list[tuple[str, dict[str, Any], str]] = [
    ("Affine", {"rotate": [-180, 180], **NEAREST}, "upright"),
    ("Affine", {"shear": [-20, 20], **NEAREST}, "affine"),
    ("Affine", {"scale": [0.7, 1.3], **NEAREST}, "upright"),
    ("Affine", {"scale": {"x": [0.7, 1.3], "y": [0.7, 1.3]}, "rotate": [-30, 30], **NEAREST}, "affine"),
    ("Affine", {"scale": [0.7, 1.3], "keep_ratio": True, **NEAREST}, "upright"),
    ("Affine", {"rotate": [-180, 180], "fit_output": True, **NEAREST}, "upright"),
    ("Affine", {"shear": [-20, 20], "scale": [0.8, 1.2], "fit_output": True, **NEAREST}, "affine"),
    ("Affine", {"translate_percent": [-0.4, 0.4], **NEAREST}, "upright"),
    ("Affine", {"translate_px": {"x": [-70, 70], "y": [-50, 50]}, "rotate": [-9, 9], **NEAREST}, "upright"),
    ("AtLeastOneBBoxRandomCrop", {"height": 90, "width": 100}, "upright"),
    ("BBoxSafeRandomCrop", {"erosion_rate": 0.2}, "upright"),
    ("BBoxSafeRandomCrop", {}, "upright"),
    ("CenterCrop", {"height": 100, "width": 120}, "upright"),
    ("CenterCrop", {"height": 230, "width": 120, "pad_if_needed": True}, "upright"),
    ("Crop", {"x_min": 40, "y_min": 30, "x_max": 180, "y_max": 130}, "upright"),
    ("Crop", {"x_max": 260, "y_max": 130, "pad_if_needed": True, "pad_position": "random"}, "upright"),
    ("CropAndPad", {"percent": [-0.2, 0.2], **EXACT}, "upright"),
    ("CropAndPad", {"px": [-40, 40], "keep_size": False}, "upright"),
    ("CropNonEmptyMaskIfExists", {"height": 90, "width": 100}, "upright"),
    ("D4", {}, "upright"),
    ("ElasticTransform", {"alpha": 60, "sigma": 6, **NEAREST}, "warp"),
    ("ElasticTransform", {"alpha": 40, "sigma": 8, "approximate": True, **NEAREST}, "warp"),
    ("ElasticTransform", {"alpha": 100, "sigma": 12, "noise_distribution": "uniform", **NEAREST}, "warp"),
    ("GridDistortion", {**NEAREST}, "grid"),
    ("GridDistortion", {"num_steps": 9, "distort_limit": 0.2, **NEAREST}, "grid"),
    ("GridDistortion", {"num_steps": 4, "normalized": False, "distort_limit": 0.1, **NEAREST}, "grid"),
    ("GridElasticDeform", {"num_grid_xy": [4, 4], "magnitude": 8, **NEAREST}, "mesh"),
    ("HorizontalFlip", {}, "upright"),
    ("LongestMaxSize", {"max_size": [150, 260], **EXACT}, "upright"),
    ("OpticalDistortion", {"distort_limit": [-0.3, 0.3], **NEAREST}, "warp"),
    ("OpticalDistortion", {"distort_limit": [-0.3, 0.3], "mode": "fisheye", **NEAREST}, "warp"),
    ("Pad", {"padding": [10, 3, 40, 0]}, "upright"),
    ("PadIfNeeded", {"min_height": 300, "min_width": 250, "position": "random"}, "upright"),
    (
        "PadIfNeeded",
        {"min_height": None, "min_width": None, "pad_height_divisor": 7, "pad_width_divisor": 9},
        "upright",
    ),
    ("Perspective", {"scale": [0.05, 0.1], **NEAREST}, "perspective"),
    ("Perspective", {"scale": [0.05, 0.1], "keep_size": False, **NEAREST}, "perspective"),
    ("Perspective", {"scale": [0.05, 0.1], "fit_output": True, **NEAREST}, "perspective"),
    ("PiecewiseAffine", {"nb_rows": 3, "nb_cols": 3, **NEAREST}, "warp"),
    ("RandomCrop", {"height": 110, "width": 120}, "upright"),
    ("RandomCropFromBorders", {"crop_left": 0.3, "crop_right": 0.3, "crop_top": 0.3, "crop_bottom": 0.3}, "upright"),
    ("RandomGridShuffle", {"grid": [2, 3]}, "tiles"),
    ("RandomResizedCrop", {"size": [160, 180], "scale": [0.4, 1], **EXACT}, "upright"),
    ("RandomRotate90", {}, "upright"),
    ("RandomScale", {"scale_limit": [-0.3, 0.4], **EXACT}, "upright"),
    ("RandomSizedBBoxSafeCrop", {"height": 150, "width": 200, "erosion_rate": 0.1, **EXACT}, "upright"),
    ("RandomSizedCrop", {"min_max_height": [100, 160], "size": [160, 180], **EXACT}, "upright"),
    ("Resize", {"height": 130, "width": 260, **EXACT}, "upright"),
    ("Rotate", {**NEAREST}, "upright"),
    ("Rotate", {"limit": [-60, 60], "crop_border": True, **NEAREST}, "upright"),
    ("SafeRotate", {**NEAREST}, "upright"),
    ("ShiftScaleRotate", {**NEAREST}, "upright"),
    ("SmallestMaxSize", {"max_size": [130, 220], **EXACT}, "upright"),
    ("SquareSymmetry", {}, "upright"),
    ("ThinPlateSpline", {"scale_range": [0.05, 0.1], **NEAREST}, "warp"),
    ("TimeReverse", {}, "upright"),
    ("Transpose", {}, "upright"),
    ("VerticalFlip", {}, "upright"),
]
IDS = [" ".join([name, *(f"{k}={v}" for k, v in args.items() if k != "interpolation")]) for name, args, _ in CASES]
LEAST_IOU = {"upright": 0.97, "affine": 0.97, "tiles": 0.97}  # else 0.93


def inside(rings: list[np.ndarray], width: int, height: int) -> np.ndarray:
    """(H, W) bool: pixels whose centres lie in any of the rings (n, 2), by counting crossings to their right."""
    y = np.arange(height) + 0.5
    found = np.zeros((height, width), bool)
    for ring in rings:
        (ax, ay), (bx, by) = ring.T[..., None], np.roll(ring, -1, axis=0).T[..., None]
        edges, rows = np.nonzero((ay > y) != (by > y))
        ax, ay, bx, by = (each[edges, 0] for each in (ax, ay, bx, by))
        crossing = ax + (y[rows] - ay) * (bx - ax) / (by - ay)
        turns = np.zeros((height, width + 1), np.uint8)
        np.add.at(turns, (rows, np.clip(np.ceil(crossing - 0.5), 0, width).astype(int)), 1)
        found |= turns[:, :0:-1].cumsum(axis=1, dtype=np.uint8)[:, ::-1] % 2 == 1
    return found


def extent_of(shown: np.ndarray, least: int = 1) -> np.ndarray:
    """x0, y0, x1, y1 of pixels in parts of at least so many."""
    if least > 1:
        _, parts, sizes, _ = cv2.connectedComponentsWithStats(shown.astype(np.uint8))
        shown = shown & (sizes[parts, cv2.CC_STAT_AREA] >= least)
    rows, columns = np.flatnonzero(shown.any(1)), np.flatnonzero(shown.any(0))
    return np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1])


def run_lengths(mask: np.ndarray) -> tuple[int, ...]:
    """COCO's plain counts, column by column, beginning with zeros."""
    flat = mask.T.reshape(-1).astype(np.int8)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flat]))).tolist()
    return tuple(np.diff([0, *edges, flat.size]).tolist())


def mask_of(rle: Rle) -> np.ndarray:
    assert isinstance(rle.counts, tuple)
    values = np.repeat(np.arange(len(rle.counts)) % 2, rle.counts)
    return values.reshape(rle.width, rle.height).T.astype(bool)


@lru_cache(SCENES)
def scene(seed: int) -> tuple[Picture, np.ndarray]:
    """A picture of objects that do not touch, somewhat different for each seed, and the same painted finer."""
    rng = np.random.default_rng(seed)
    pixels = np.zeros((HEIGHT, WIDTH), np.uint8)
    y, x = np.mgrid[:HEIGHT, :WIDTH] + 0.5
    left, top = 16 + rng.integers(-3, 4), 54 + rng.uniform(-3, 3)
    turn = np.linspace(0, math.pi, 74)[1:-1]  # the blob is 72 columns of pixels, its polygon goes around each
    waves = 5 * np.sin(np.array([turn, -turn]) * rng.integers(2, 4) + rng.uniform(0, 6))
    uppers, lowers = np.rint(top + (36 + waves) * np.sin(turn) * [[-1], [1]]).astype(int)
    uppers, lowers = np.maximum(uppers, uppers.min() + 2), np.minimum(lowers, lowers.max() - 2) + 1  # blunt ends
    above = [(left + i + step, upper) for i, upper in enumerate(uppers) for step in (0, 1)]
    below = [(left + i + step, lower) for i, lower in enumerate(lowers) for step in (0, 1)]
    for column, (upper, lower) in enumerate(zip(uppers, lowers, strict=True), left):
        pixels[upper:lower, column] = BLOB
    x0, y0 = rng.integers(104, 112), rng.integers(8, 14)
    angle = rng.uniform(-0.6, 0.6)
    along, across = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]]) * [[34], [14]]
    corners = [-along - across, along - across, along + across, across - along]
    turned = np.array([142, 104]) + rng.uniform(-3, 3, 2) + corners
    from_holed, from_disc = np.hypot(x - 44, y - 130), np.hypot(x - 184.5, y - 148)
    holed = (from_holed < 27) & (from_holed > rng.uniform(9, 13))
    pixels[y0 : y0 + 48, x0 : x0 + 62] = RECTANGLE
    pixels[holed] = HOLED
    pixels[from_disc < 14] = DISC
    dots = np.array([(190.5, 20.5), (193.5, 70.5), (100.5, 153.5), (82.5, 108.5)]) + rng.integers(-3, 4, (4, 2))
    for colour, dot in zip(DOTS, dots, strict=True):
        pixels[np.hypot(x - dot[0], y - dot[1]) <= 2.9] = colour
    finer = pixels.repeat(SOURCE, axis=0).repeat(SOURCE, axis=1)
    finer[inside([turned * SOURCE], WIDTH * SOURCE, HEIGHT * SOURCE)] = TURNED
    pixels[inside([turned], WIDTH, HEIGHT)] = TURNED
    points = [number for dot, v in zip(dots, (2, 1, 2, 2), strict=True) for number in (*dot, v)]
    objects = (
        Object("blob", rings=(array("d", np.array([*above, *below[::-1]], float).reshape(-1)),)),
        Object("rectangle", box=(float(x0), float(y0), float(x0 + 62), float(y0 + 48))),
        Object("turned", corners=array("d", turned.reshape(-1))),
        Object("holed", rle=Rle(WIDTH, HEIGHT, run_lengths(holed))),
        Object("disc", box=(171.0, 134.0, 198.0, 162.0), index=1),
        Object("dots", keypoints=array("d", [*points, 0, 0, 0])),
    )
    instances = (pixels == DISC).astype(np.uint8)
    annotations = Annotations(objects=objects, mask="m.png", instances="i.png")
    return Picture(pixels, annotations=annotations, mask=Mask(pixels.copy()), instances=Mask(instances)), finer


def places() -> np.ndarray:
    """(H, W, 3) uint16: x and y of each pixel's centre in 256ths of a pixel, and that there is one."""
    y, x = np.mgrid[:HEIGHT, :WIDTH] * 256 + 128
    return np.stack([x, y, np.full_like(x, 65535)], axis=-1).astype(np.uint16)


PLACES = places()


def finely(shown: np.ndarray) -> np.ndarray:
    """(H * FINE + 1, W * FINE + 1, 2) float32: which pixel of the finer source is at every FINE-th of a pixel.

    From edge to edge of the new picture. `shown`: `places` after the transform.
    """
    height, width = shown.shape[:2]
    known = shown[..., :2] * np.float32(SOURCE / 256) - np.float32(0.5)
    known[shown[..., 2] < 65533] = -999  # some of it comes from outside, where no object is
    turned = known.swapaxes(0, 1)
    for lines in (known, known[::-1], turned, turned[::-1]):  # resizing shows the outer half pixel as at its middle
        onward = 2 * lines[1] - lines[2]
        lines[0] = np.where(np.abs(onward - lines[0]) < SOURCE / 2, onward, lines[0])
    known = np.pad(known, ((1, 1), (1, 1), (0, 0)), "reflect", reflect_type="odd")
    step, linear = 1 / FINE, cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    size = (width * FINE + 1, height * FINE + 1)
    asked = cv2.warpAffine(known, np.array([[step, 0, 0.5], [0, step, 0.5]]), size, flags=linear)
    across, down = np.diff(known, axis=1), np.diff(known, axis=0)
    tears = [np.abs(one).max(axis=2) > TORN * SOURCE for one in (across, down)]
    torn = tears[0][:-1] | tears[0][1:] | tears[1][:, :-1] | tears[1][:, 1:]
    if torn.any():  # there places go on from the nearest pixel's as they change on its other side
        y, x = np.arange(size[1]) / FINE + 0.5, np.arange(size[0]) / FINE + 0.5
        rows, columns = np.nonzero(torn[np.ix_(y.astype(int).clip(max=height), x.astype(int).clip(max=width))])
        i, j = (y[rows] + 0.5).astype(int), (x[columns] + 0.5).astype(int)
        right = _gentler(across[i, j.clip(max=width)], across[i, (j - 1).clip(min=0)])
        below = _gentler(down[i.clip(max=height), j], down[(i - 1).clip(min=0), j])
        asked[rows, columns] = known[i, j] + right * (x[columns] - j)[:, None] + below * (y[rows] - i)[:, None]
    swapped = asked.swapaxes(0, 1)
    for lines in (asked, asked[::-1], swapped, swapped[::-1]):  # just inside, so that nothing shows that was cut off
        lines[0] += np.clip(lines[1] - lines[0], -SOURCE, SOURCE) / 20
    return asked


def _gentler(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """The smaller of two changes, (n, 2), from a pixel to the next; none where both are tears."""
    sizes = np.abs([one, other]).max(axis=2)[..., None]
    return np.where(sizes.min(axis=0) > TORN * SOURCE, 0, np.where(sizes[0] < sizes[1], one, other))


def painted(finer: np.ndarray, asked: np.ndarray) -> np.ndarray:
    return cv2.remap(finer, asked, None, cv2.INTER_NEAREST, borderValue=0)


@dataclass
class Worst:
    """The worst of what was seen. `hard`: edges of boxes against pixels; `fine`: against what is FINE times finer."""

    hard: float = 0.0
    fine: float = 0.0
    iou: float = 1.0
    dot: float = 0.0
    complaints: list[str] = field(default_factory=list)

    def look(
        self,
        before: Picture,
        after: Picture,
        shown_places: np.ndarray,
        finer: np.ndarray,
        dropped: tuple[Any, ...],
        family: str,
        case: str,
    ) -> None:
        """`shown_places`: `places` after the transform. `finer`: the source, painted SOURCE times finer."""
        pixels, height, width = after.pixels, after.height, after.width
        asked = finely(shown_places)
        colours = painted(finer, asked)
        found = {thing.label: thing for thing in boxed(after.annotations).objects}
        lost = [one.label for one in dropped]
        if sorted(map(str, [*found, *lost])) != sorted(str(thing.label) for thing in before.annotations.objects):
            self.complaints.append(f"{case}: {sorted(map(str, found))} and {lost}")
        assert after.mask is not None and after.instances is not None
        self.check(case, "mask", float((after.mask.values == pixels).mean()), 0.999, least=True)
        discs = (after.instances.values != 0) == (pixels == DISC)
        self.check(case, "instances", float(discs.mean()), 0.999, least=True)
        for colour, name in NAMES.items():
            shown, shown_finely = pixels == colour, colours == colour
            once = int((before.pixels == colour).sum())
            if name not in found:
                if shown.sum() > 0.02 * once + 8:
                    self.complaints.append(f"{case}: {name} is lost though {shown.sum()} of {once} pixels are left")
                continue
            thing = found[name]
            assert thing.box is not None
            x0, y0, x1, y1 = thing.box
            if not (0 <= x0 < x1 <= width and 0 <= y0 < y1 <= height):
                self.complaints.append(f"{case}: {name} has the box {thing.box}")
            if colour in (HOLED, DISC):  # whose masks are the pixels
                self.edges(f"{case} {name}", thing.box, [extent_of(shown)])
            elif shown.sum() > 16:
                whole = min(x0, y0) > 0 and x1 < width and y1 < height and family != "tiles"
                if whole and (colour == BLOB or (colour == RECTANGLE and family == "upright")):
                    self.edges(f"{case} {name}", thing.box, [extent_of(shown)])
                else:
                    extents = [extent_of(shown_finely)]
                    if family == "tiles":  # their splinters, of which no pixel need show, may count or not
                        extents.append(extent_of(shown_finely, 2 * FINE**2))
                    if family == "mesh":  # where it folds, labels follow the pixels
                        extents.append(extent_of(shown) * FINE + 0.5)
                    near = np.abs(np.multiply(thing.box, FINE) + 0.5 - extents[0]).max() <= MOST * FINE
                    if not near and (family == "grid" or (colour == TURNED and not whole)):
                        # The little that the paint is off is a whole pixel in a line shown twice, and in a wedge.
                        moved = (np.roll(finer, step, axis) for step in (-1, 1) for axis in (0, 1))
                        extents += [extent_of(painted(one, asked) == colour) for one in moved]
                    self.edges(f"{case} {name}", thing.box, extents, fine=(width, height))
            if name == "blob" and shown.sum() > 900:
                filled = inside([np.array(ring).reshape(-1, 2) for ring in thing.rings], width, height)
                self.overlap(case, filled, shown, family)
            if name == "turned" and family in ("upright", "affine") and min(x0, y0) > 0 and x1 < width and y1 < height:
                corners = np.array(thing.corners).reshape(-1, 2)
                filled = inside([corners * FINE + 0.5], width * FINE + 1, height * FINE + 1)
                self.overlap(f"{case} {name}", filled, shown_finely, family)
            if name == "holed":
                assert thing.rle is not None
                self.check(case, "rle", float((mask_of(thing.rle) == shown).mean()), 0.999, least=True)
        if "dots" in found:
            self.dots(case, found["dots"], pixels, shown_places[..., :2] / 256)

    def edges(self, case: str, box: Box, extents: list[np.ndarray], fine: tuple[int, int] | None = None) -> None:
        """Each edge against the nearest of extents of pixels; `fine`: the size, if they are FINE times finer."""
        apart = np.full(4, np.inf)
        for extent in extents:
            if fine:  # each place asked stands for half of the way to the next
                extent = ((extent - 0.5) / FINE).clip(0, fine * 2)
            apart = np.minimum(apart, np.abs(box - extent))
        worst = float(apart.max())
        if fine:
            self.fine = max(self.fine, worst)
        else:
            self.hard = max(self.hard, worst)
        self.check(f"{case} {box} {extents[0]}", "fine box" if fine else "box", worst, MOST)

    def overlap(self, case: str, filled: np.ndarray, shown: np.ndarray, family: str) -> None:
        iou = float((filled & shown).sum() / (filled | shown).sum())
        self.iou = min(self.iou, iou)
        self.check(case, "iou", iou, LEAST_IOU.get(family, 0.93), least=True)

    def dots(self, case: str, thing: Object, pixels: np.ndarray, source: np.ndarray) -> None:
        assert thing.keypoints is not None
        points = np.array(thing.keypoints).reshape(-1, 3)
        if points[4].tolist() != [0, 0, 0]:
            self.complaints.append(f"{case}: the keypoint that is not labelled is {points[4]}")
        for number, (colour, (x, y, visible)) in enumerate(zip(DOTS, points, strict=False)):
            rows, columns = np.nonzero(pixels == colour)
            if not visible:
                edge = not len(rows) or min(rows[0], columns.min()) == 0
                edge = edge or rows[-1] + 1 == pixels.shape[0] or columns.max() + 1 == pixels.shape[1]
                if not edge and len(rows) > 12 and "Shuffle" not in case:
                    self.complaints.append(f"{case}: dot {number} is not labelled but shown")
                continue
            if visible != (2, 1, 2, 2)[number]:
                self.complaints.append(f"{case}: dot {number} has visibility {visible}")
            cut = not len(rows) or rows[0] == 0 or columns.min() == 0
            cut = cut or rows[-1] + 1 == pixels.shape[0] or columns.max() + 1 == pixels.shape[1]
            if cut or np.ptp(rows) > 16 or np.ptp(columns) > 16:
                continue
            around = source[rows[0] : rows[-1] + 1, columns.min() : columns.max() + 1]
            if max(float(np.abs(np.diff(around, axis=axis)).max(initial=0)) for axis in (0, 1)) > TORN:
                continue  # a dot in parts, whose middle is not the middle of what is left
            apart = math.hypot(x - columns.mean() - 0.5, y - rows.mean() - 0.5)
            self.dot = max(self.dot, apart)
            self.check(f"{case} dot {number}", "dot", apart, 1.5)

    def check(self, case: str, what: str, seen: float, limit: float, least: bool = False) -> None:
        if seen < limit if least else seen > limit:
            self.complaints.append(f"{case}: {what} {seen:.4f}")


def judge(
    name: str, args: dict[str, Any], family: str, copies: range, spoil: Callable[[Picture], Picture] = lambda one: one
) -> Worst:
    worst, rng = Worst(), Rng()
    flat = Pipeline([Step(name, args, 1.0)], LabelOptions(min_size=0))
    linear = Pipeline([Step(name, {key: one for key, one in args.items() if key != "interpolation"}, 1.0)])
    for copy in copies:
        before, finer = scene(copy % SCENES)
        after, _, dropped = flat(before, lambda step: rng.at(5, "a", copy, step))  # noqa: B023
        labels = before if "BBox" in name or "Mask" in name else Picture(before.pixels)  # which these draw by
        moved, *_ = linear(replace(labels, pixels=PLACES), lambda step: rng.at(5, "a", copy, step))  # noqa: B023
        worst.look(before, spoil(after), moved.pixels, finer, dropped, family, f"{name} {copy}")
    return worst


def cases(name: str) -> range:
    """The copies of a slow run."""
    return range(4, 16 if name == "PiecewiseAffine" else 4 + 10_000 // (len(CASES) - 2))


def test_forty_and_more() -> None:
    assert len(CASES) >= 40
    moving = {name for name, entry in TRANSFORMS.items() if entry.moves and not name.islower()}  # policies use these
    assert {name for name, _, _ in CASES} == moving
    assert sum(len(cases(name)) for name, _, _ in CASES) >= 10_000


@pytest.mark.parametrize(("name", "args", "family"), CASES, ids=IDS)
def test_labels_are_where_the_pixels_are(name: str, args: dict[str, Any], family: str) -> None:
    assert judge(name, args, family, range(1 if name == "PiecewiseAffine" else 4)).complaints == []


@pytest.mark.parametrize("off", [(1.2, 0, 1.2, 0), (0, -1.2, 0, -1.2), (-1.2, -1.2, 1.2, 1.2), (1.2, 1.2, -1.2, -1.2)])
@pytest.mark.parametrize("name", ["Perspective", "RandomCrop", "Rotate"])
def test_boxes_that_are_off_are_seen(name: str, off: tuple[float, ...]) -> None:
    def spoil(picture: Picture) -> Picture:
        most = (picture.width, picture.height) * 2
        boxes = [np.add(thing.box, off).clip(0, most).tolist() for thing in picture.annotations.objects[:-1]]
        objects = [replace(one, box=tuple(box)) for one, box in zip(picture.annotations.objects, boxes, strict=False)]
        return replace(picture, annotations=replace(picture.annotations, objects=(*objects,)))

    args, family = next((args, family) for one, args, family in CASES if one == name)
    complaints = judge(name, args, family, range(3), spoil).complaints
    assert {number for number in range(3) if any(f"{name} {number} " in one for one in complaints)} == {0, 1, 2}


@pytest.mark.slow
@pytest.mark.parametrize(("name", "args", "family"), CASES, ids=IDS)
def test_ten_thousand_cases(name: str, args: dict[str, Any], family: str) -> None:
    worst = judge(name, args, family, cases(name))
    print(f"{family}: box {worst.hard:.2f} {worst.fine:.2f} iou {worst.iou:.4f} dot {worst.dot:.2f}")
    assert worst.complaints == []
