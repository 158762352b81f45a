"""Labels against the pixels: objects painted each in a flat colour of its own go through every geometric transform.

What is written of an object afterwards must be where its colour is. Nothing here knows how labels are carried.
"""

from __future__ import annotations

import math
from array import array
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
import pytest

from augx.labels import boxed
from augx.model import Annotations, LabelOptions, Mask, Object, Picture, Rle, Step
from augx.seeds import Rng
from augx.transforms.catalog import TRANSFORMS
from augx.transforms.pipeline import Pipeline

WIDTH, HEIGHT = 208, 168
BLOB, RECTANGLE, TURNED, HOLED, DISC = 40, 80, 120, 160, 200  # colours, and classes in the mask
DOTS = (210, 220, 230, 240)
NAMES = {BLOB: "blob", RECTANGLE: "rectangle", TURNED: "turned", HOLED: "holed", DISC: "disc"}

NEAREST, EXACT = {"interpolation": "nearest"}, {"interpolation": "nearest_exact"}
# (name, arguments, family): straight lines stay straight in "affine" and "perspective"
CASES: list[tuple[str, dict[str, Any], str]] = [
    ("Affine", {"rotate": [-180, 180], **NEAREST}, "affine"),
    ("Affine", {"shear": [-20, 20], **NEAREST}, "affine"),
    ("Affine", {"scale": [0.7, 1.3], **NEAREST}, "affine"),
    ("Affine", {"scale": {"x": [0.7, 1.3], "y": [0.7, 1.3]}, "rotate": [-30, 30], **NEAREST}, "affine"),
    ("Affine", {"scale": [0.7, 1.3], "keep_ratio": True, **NEAREST}, "affine"),
    ("Affine", {"rotate": [-180, 180], "fit_output": True, **NEAREST}, "affine"),
    ("Affine", {"shear": [-20, 20], "scale": [0.8, 1.2], "fit_output": True, **NEAREST}, "affine"),
    ("Affine", {"translate_percent": [-0.4, 0.4], **NEAREST}, "affine"),
    ("Affine", {"translate_px": {"x": [-70, 70], "y": [-50, 50]}, "rotate": [-9, 9], **NEAREST}, "affine"),
    ("AtLeastOneBBoxRandomCrop", {"height": 90, "width": 100}, "affine"),
    ("BBoxSafeRandomCrop", {"erosion_rate": 0.2}, "affine"),
    ("BBoxSafeRandomCrop", {}, "affine"),
    ("CenterCrop", {"height": 100, "width": 120}, "affine"),
    ("CenterCrop", {"height": 230, "width": 120, "pad_if_needed": True}, "affine"),
    ("Crop", {"x_min": 40, "y_min": 30, "x_max": 180, "y_max": 130}, "affine"),
    ("Crop", {"x_max": 260, "y_max": 130, "pad_if_needed": True, "pad_position": "random"}, "affine"),
    ("CropAndPad", {"percent": [-0.2, 0.2], **EXACT}, "affine"),
    ("CropAndPad", {"px": [-40, 40], "keep_size": False}, "affine"),
    ("CropNonEmptyMaskIfExists", {"height": 90, "width": 100}, "affine"),
    ("D4", {}, "affine"),
    ("ElasticTransform", {"alpha": 60, "sigma": 6, **NEAREST}, "warp"),
    ("ElasticTransform", {"alpha": 40, "sigma": 8, "approximate": True, **NEAREST}, "warp"),
    ("ElasticTransform", {"alpha": 100, "sigma": 12, "noise_distribution": "uniform", **NEAREST}, "warp"),
    ("GridDistortion", {**NEAREST}, "warp"),
    ("GridDistortion", {"num_steps": 9, "distort_limit": 0.2, **NEAREST}, "warp"),
    ("GridDistortion", {"num_steps": 4, "normalized": False, "distort_limit": 0.1, **NEAREST}, "warp"),
    ("GridElasticDeform", {"num_grid_xy": [4, 4], "magnitude": 8, **NEAREST}, "warp"),
    ("HorizontalFlip", {}, "affine"),
    ("LongestMaxSize", {"max_size": [150, 260], **EXACT}, "affine"),
    ("OpticalDistortion", {"distort_limit": [-0.3, 0.3], **NEAREST}, "warp"),
    ("OpticalDistortion", {"distort_limit": [-0.3, 0.3], "mode": "fisheye", **NEAREST}, "warp"),
    ("Pad", {"padding": [10, 3, 40, 0]}, "affine"),
    ("PadIfNeeded", {"min_height": 300, "min_width": 250, "position": "random"}, "affine"),
    (
        "PadIfNeeded",
        {"min_height": None, "min_width": None, "pad_height_divisor": 7, "pad_width_divisor": 9},
        "affine",
    ),
    ("Perspective", {"scale": [0.05, 0.1], **NEAREST}, "perspective"),
    ("Perspective", {"scale": [0.05, 0.1], "keep_size": False, **NEAREST}, "perspective"),
    ("Perspective", {"scale": [0.05, 0.1], "fit_output": True, **NEAREST}, "perspective"),
    ("PiecewiseAffine", {"nb_rows": 3, "nb_cols": 3, **NEAREST}, "warp"),
    ("RandomCrop", {"height": 110, "width": 120}, "affine"),
    ("RandomCropFromBorders", {"crop_left": 0.3, "crop_right": 0.3, "crop_top": 0.3, "crop_bottom": 0.3}, "affine"),
    ("RandomGridShuffle", {"grid": [2, 3]}, "affine"),
    ("RandomResizedCrop", {"size": [160, 180], "scale": [0.4, 1], **EXACT}, "affine"),
    ("RandomRotate90", {}, "affine"),
    ("RandomScale", {"scale_limit": [-0.3, 0.4], **EXACT}, "affine"),
    ("RandomSizedBBoxSafeCrop", {"height": 150, "width": 200, "erosion_rate": 0.1, **EXACT}, "affine"),
    ("RandomSizedCrop", {"min_max_height": [100, 160], "size": [160, 180], **EXACT}, "affine"),
    ("Resize", {"height": 130, "width": 260, **EXACT}, "affine"),
    ("Rotate", {**NEAREST}, "affine"),
    ("Rotate", {"limit": [-60, 60], "crop_border": True, **NEAREST}, "affine"),
    ("SafeRotate", {**NEAREST}, "affine"),
    ("ShiftScaleRotate", {**NEAREST}, "affine"),
    ("SmallestMaxSize", {"max_size": [130, 220], **EXACT}, "affine"),
    ("SquareSymmetry", {}, "affine"),
    ("ThinPlateSpline", {"scale_range": [0.05, 0.1], **NEAREST}, "warp"),
    ("TimeReverse", {}, "affine"),
    ("Transpose", {}, "affine"),
    ("VerticalFlip", {}, "affine"),
]
# A corner is narrower than a pixel at its end, so that the extent of pixels misses up to a pixel of it.
CORNERED = (RECTANGLE, TURNED)
IDS = [" ".join([name, *(f"{k}={v}" for k, v in args.items() if k != "interpolation")]) for name, args, _ in CASES]
LEAST_IOU = {"affine": 0.97, "perspective": 0.93, "warp": 0.93}


def inside(rings: list[np.ndarray], width: int, height: int) -> np.ndarray:
    """(H, W) bool: pixels whose centres lie in any of the rings (n, 2), by counting crossings."""
    y, x = np.mgrid[:height, :width] + 0.5
    found = np.zeros((height, width), bool)
    for ring in rings:
        odd = np.zeros((height, width), bool)
        for (ax, ay), (bx, by) in zip(ring, np.roll(ring, -1, axis=0), strict=True):
            if ay != by:
                odd ^= ((ay > y) != (by > y)) & (x < ax + (y - ay) * (bx - ax) / (by - ay))
        found |= odd
    return found


def extent_of(shown: np.ndarray, least: int = 1) -> tuple[int, int, int, int]:
    """Of pixels in parts of at least so many."""
    _, parts, sizes, _ = cv2.connectedComponentsWithStats(shown.astype(np.uint8))
    shown = shown & (sizes[parts, cv2.CC_STAT_AREA] >= least)
    rows, columns = np.flatnonzero(shown.any(1)), np.flatnonzero(shown.any(0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def run_lengths(mask: np.ndarray) -> tuple[int, ...]:
    """COCO's plain counts, column by column, beginning with zeros."""
    flat = mask.T.reshape(-1).astype(np.int8)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flat]))).tolist()
    return tuple(np.diff([0, *edges, flat.size]).tolist())


def mask_of(rle: Rle) -> np.ndarray:
    assert isinstance(rle.counts, tuple)
    values = np.repeat(np.arange(len(rle.counts)) % 2, rle.counts)
    return values.reshape(rle.width, rle.height).T.astype(bool)


def scene(seed: int) -> Picture:
    """A picture of objects that do not touch, somewhat different for each seed."""
    rng = np.random.default_rng(seed)
    turn = np.linspace(0, 2 * math.pi, 60, endpoint=False)
    radius = 36 + 5 * np.sin(turn * rng.integers(2, 4) + rng.uniform(0, 6))
    blob = np.stack([52 + radius * np.cos(turn), 54 + radius * np.sin(turn)], 1) + rng.uniform(-3, 3, 2)
    blob = np.clip(blob, np.ceil(blob.min(0)) + 1, np.floor(blob.max(0)) - 1)  # its extent ends where pixels do
    x0, y0 = rng.integers(104, 112), rng.integers(8, 14)
    angle = rng.uniform(-0.6, 0.6)
    along, across = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]]) * [[34], [14]]
    corners = [-along - across, along - across, along + across, across - along]
    turned = np.array([142, 104]) + rng.uniform(-3, 3, 2) + corners
    pixels = np.zeros((HEIGHT, WIDTH), np.uint8)
    y, x = np.mgrid[:HEIGHT, :WIDTH] + 0.5
    from_holed, from_disc = np.hypot(x - 44, y - 130), np.hypot(x - 184.5, y - 148)
    holed = (from_holed < 27) & (from_holed > rng.uniform(9, 13))
    pixels[inside([blob], WIDTH, HEIGHT)] = BLOB
    pixels[y0 : y0 + 48, x0 : x0 + 62] = RECTANGLE
    pixels[inside([turned], WIDTH, HEIGHT)] = TURNED
    pixels[holed] = HOLED
    pixels[from_disc < 14] = DISC
    dots = np.array([(190.5, 20.5), (193.5, 70.5), (100.5, 153.5), (82.5, 108.5)]) + rng.integers(-3, 4, (4, 2))
    for colour, dot in zip(DOTS, dots, strict=True):
        pixels[np.hypot(x - dot[0], y - dot[1]) <= 2.9] = colour
    points = [number for dot, v in zip(dots, (2, 1, 2, 2), strict=True) for number in (*dot, v)]
    objects = (
        Object("blob", rings=(array("d", blob.reshape(-1)),)),
        Object("rectangle", box=(float(x0), float(y0), float(x0 + 62), float(y0 + 48))),
        Object("turned", corners=array("d", turned.reshape(-1))),
        Object("holed", rle=Rle(WIDTH, HEIGHT, run_lengths(holed))),
        Object("disc", box=(170.0, 134.0, 199.0, 162.0), index=1),
        Object("dots", keypoints=array("d", [*points, 0, 0, 0])),
    )
    instances = (pixels == DISC).astype(np.uint8)
    annotations = Annotations(objects=objects, mask="m.png", instances="i.png")
    return Picture(pixels, annotations=annotations, mask=Mask(pixels.copy()), instances=Mask(instances))


@dataclass
class Worst:
    """The worst of what was seen."""

    box: float = 0.0
    iou: float = 1.0
    dot: float = 0.0
    mask: float = 1.0
    complaints: list[str] = field(default_factory=list)

    def look(self, before: Picture, after: Picture, dropped: tuple[Any, ...], family: str, case: str) -> None:
        pixels, height, width = after.pixels, after.height, after.width
        found = {thing.label: thing for thing in boxed(after.annotations).objects}
        lost = [one.label for one in dropped]
        if sorted(map(str, [*found, *lost])) != sorted(str(thing.label) for thing in before.annotations.objects):
            self.complaints.append(f"{case}: {sorted(map(str, found))} and {lost}")
        assert after.mask is not None and after.instances is not None
        self.check(case, "mask", float((after.mask.values == pixels).mean()), 0.999, least=True)
        discs = (after.instances.values != 0) == (pixels == DISC)
        self.check(case, "instances", float(discs.mean()), 0.999, least=True)
        for colour, name in NAMES.items():
            shown = pixels == colour
            whole = int((before.pixels == colour).sum())
            if name not in found:
                if shown.sum() > 0.02 * whole + 8:
                    self.complaints.append(f"{case}: {name} is lost though {shown.sum()} of {whole} pixels are left")
                continue
            thing = found[name]
            assert thing.box is not None
            x0, y0, x1, y1 = thing.box
            if not (0 <= x0 < x1 <= width and 0 <= y0 < y1 <= height):
                self.complaints.append(f"{case}: {name} has the box {thing.box}")
            if shown.sum() < 60:
                continue
            extent = extent_of(shown)
            apart = np.abs(np.subtract(thing.box, extent))
            cut = extent[0] == 0 or extent[1] == 0 or extent[2] == width or extent[3] == height
            zoom = (shown.sum() / whole) ** 0.5
            if "Shuffle" in case:  # cuts as edges do; a splinter of a few pixels may count or not
                apart, cut = np.minimum(apart, np.abs(np.subtract(thing.box, extent_of(shown, 8)))), True
            if cut:  # which leaves flat wedges that end in less than a pixel
                limit = 7.0 if colour in CORNERED or "Shuffle" in case else 2.5
            else:  # 1 pixel, and what a grid of pixels cannot tell of sharp ends, painted once and moved once
                limit = (1.75 if colour in CORNERED else 1.0) + 0.75 * max(0, zoom - 1)
                limit += {"affine": 0.1, "perspective": 0.2, "warp": 0.5}[family]
                limit += 1.0 if "Grid" in case else 0  # whose cells repeat a line, or do not quite meet
                self.box = max(self.box, float(apart.max()))
            self.check(f"{case} {name} {thing.box} {extent}", "box", float(apart.max()), limit)
            if name == "blob" and shown.sum() > 900:
                rings = [np.array(ring).reshape(-1, 2) for ring in thing.rings]
                filled = inside(rings, width, height)
                iou = float((filled & shown).sum() / (filled | shown).sum())
                self.iou = min(self.iou, iou)
                self.check(case, "iou", iou, LEAST_IOU[family], least=True)
            if name == "holed":
                assert thing.rle is not None
                share = float((mask_of(thing.rle) == shown).mean())
                self.mask = min(self.mask, share)
                self.check(case, "rle", share, 0.999, least=True)
        if "dots" in found:
            self.dots(case, found["dots"], pixels)

    def dots(self, case: str, thing: Object, pixels: np.ndarray) -> None:
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
            apart = math.hypot(x - columns.mean() - 0.5, y - rows.mean() - 0.5)
            self.dot = max(self.dot, apart)
            self.check(f"{case} dot {number}", "dot", apart, 1.5)

    def check(self, case: str, what: str, seen: float, limit: float, least: bool = False) -> None:
        if seen < limit if least else seen > limit:
            self.complaints.append(f"{case}: {what} {seen:.4f}")


def judge(name: str, args: dict[str, Any], family: str, copies: range) -> Worst:
    worst, rng = Worst(), Rng()
    pipeline = Pipeline([Step(name, args, 1.0)], LabelOptions(min_size=0))
    for copy in copies:
        before = scene(copy)
        after, _, dropped = pipeline(before, lambda step: rng.at(5, "a", copy, step))  # noqa: B023
        worst.look(before, after, dropped, family, f"{name} {copy}")
    return worst


def test_forty_and_more() -> None:
    assert len(CASES) >= 40
    assert {name for name, _, _ in CASES} == {name for name, entry in TRANSFORMS.items() if entry.moves}


@pytest.mark.parametrize(("name", "args", "family"), CASES, ids=IDS)
def test_labels_are_where_the_pixels_are(name: str, args: dict[str, Any], family: str) -> None:
    assert judge(name, args, family, range(1 if name == "PiecewiseAffine" else 4)).complaints == []


@pytest.mark.slow
@pytest.mark.parametrize(("name", "args", "family"), CASES, ids=IDS)
def test_ten_thousand_cases(name: str, args: dict[str, Any], family: str) -> None:
    worst = judge(name, args, family, range(4, 24 if name == "PiecewiseAffine" else 4 + 10_000 // (len(CASES) - 1)))
    print(f"box {worst.box:.2f} iou {worst.iou:.4f} dot {worst.dot:.2f} rle {worst.mask:.4f}", len(worst.complaints))
    assert worst.complaints == []
