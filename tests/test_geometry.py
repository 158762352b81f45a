"""Shapes against hand-made figures, even-odd counting at sample points, and COCO's own code where it is installed."""

from __future__ import annotations

import random
import time
from array import array
from collections.abc import Iterable
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from augx import geometry, rle
from augx.geometry import clip_ring, coco_area, mask_rings, pairs, rasterise, ring_area, shape_box
from augx.model import Object, Rle

SQUARE = np.array([(2.0, 2.0), (8.0, 2.0), (8.0, 8.0), (2.0, 8.0)])


def even_odd(rings: Iterable[Any], x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Which of the points x[j], y[i] are enclosed an odd number of times, by the textbook."""
    xs, ys = np.meshgrid(x, y)
    inside = np.zeros(xs.shape, bool)
    for ring in rings:
        points = pairs(ring)
        for (x0, y0), (x1, y1) in zip(points, np.roll(points, -1, axis=0), strict=True):
            if y0 != y1:
                crosses = (ys >= min(y0, y1)) & (ys < max(y0, y1))
                inside ^= crosses & (xs < x0 + (ys - y0) * (x1 - x0) / (y1 - y0))
    return inside


def enclosed(rings: Iterable[Any], width: int, height: int) -> np.ndarray:
    return even_odd(rings, np.arange(width) + 0.5, np.arange(height) + 0.5)


def blobs(rng: np.random.Generator, width: int, height: int) -> np.ndarray:
    """Patches with holes, or mere noise."""
    noise = rng.random((height, width))
    if rng.random() < 0.3:
        return (noise < rng.random()).astype(np.uint8)
    return (cv2.GaussianBlur(noise, (0, 0), 1.3) > 0.5).astype(np.uint8)


def star(rng: np.random.Generator, corners: int, centre: tuple[float, float], radius: float) -> np.ndarray:
    """A ring that does not cross itself, with deep notches."""
    turn = (np.arange(corners) + 0.7 * rng.random(corners)) / corners * 2 * np.pi
    far = radius * (0.2 + 0.8 * rng.random(corners))
    return np.stack([centre[0] + far * np.cos(turn), centre[1] + far * np.sin(turn)], axis=1)


def same_ring(one: Any, other: Any) -> bool:
    """Equal but for where they begin and which way they go."""
    a, b = pairs(one), pairs(other)
    turned = (np.roll(way, shift, axis=0) for way in (b, b[::-1]) for shift in range(len(b)))
    return a.shape == b.shape and any(np.array_equal(a, way) for way in turned)


class TestSimple:
    def test_pairs_and_flat(self) -> None:
        points = pairs(array("d", (1, 2, 3, 4.5)))
        assert points.tolist() == [[1, 2], [3, 4.5]]
        assert geometry.flat(points[::-1]) == array("d", (3, 4.5, 1, 2))
        assert pairs(array("d")).shape == (0, 2)

    def test_a_hole_counts_less(self) -> None:
        ring = np.concatenate([SQUARE, SQUARE[:1], (SQUARE - 5)[::-1] / 3 + 5, (SQUARE - 5)[-1:] / 3 + 5])
        assert ring_area(ring) == pytest.approx(32)
        assert ring_area(ring[::-1]) == pytest.approx(32)
        assert ring_area([]) == 0

    def test_rectangle_and_ellipse(self) -> None:
        box = (1.0, 2.0, 5.0, 10.0)
        assert list(geometry.rectangle(box)) == [1, 2, 5, 2, 5, 10, 1, 10]
        round_one = geometry.ellipse(box)
        assert len(round_one) == 128
        assert geometry.rings_box([round_one]) == pytest.approx(box)
        assert ring_area(round_one) == pytest.approx(np.pi * 2 * 4, rel=2e-3)

    def test_boxes_of_shapes(self) -> None:
        ring, keypoints = array("d", (1, 1, 4, 1, 4, 6)), array("d", (0, 0, 0, 3, 4, 2, 5, 9, 1))
        given_box = (0.0, 0.0, 9.0, 9.0)
        assert shape_box(Object("a", given_box, rings=(ring, array("d", (2, 0, 3, 0, 3, 2))))) == (1, 0, 4, 6)
        assert shape_box(Object("a", given_box, rle=Rle(4, 3, (4, 2, 6)))) == (1, 1, 2, 3)
        assert shape_box(Object("a", given_box, corners=array("d", (0, 2, 2, 0, 4, 2, 2, 4)))) == (0, 0, 4, 4)
        assert shape_box(Object("a", given_box, keypoints=keypoints)) == given_box
        assert shape_box(Object("a", keypoints=keypoints)) == (3, 4, 5, 9)
        assert shape_box(Object("a", keypoints=keypoints[:6])) is None
        assert shape_box(Object("a")) is None

    def test_areas_as_coco_counts(self) -> None:
        ring = array("d", (0, 0, 4, 0, 4, 4, 0, 4))
        assert coco_area(Object("a", rings=(ring, array("d", (2, 0, 6, 0, 6, 4, 2, 4)))), 9, 9) == 24  # of the union
        assert coco_area(Object("a", rle=Rle(4, 3, (4, 2, 6))), 4, 3) == 2
        assert coco_area(Object("a", corners=array("d", (0, 2, 2, 0, 4, 2, 2, 4))), 9, 9) == 8
        assert coco_area(Object("a", (1, 1, 3, 2.5)), 9, 9) == 3
        assert coco_area(Object("a", keypoints=array("d", (1, 1, 2))), 9, 9) is None


class TestClipRing:
    def test_what_lies_inside_is_returned_as_it_is(self) -> None:
        assert clip_ring(SQUARE, 10, 10)[0] is SQUARE
        assert clip_ring(SQUARE, 8, 8)[0] is SQUARE

    def test_a_corner(self) -> None:
        (part,) = clip_ring(SQUARE, 5, 6)
        assert same_ring(part, [2, 2, 5, 2, 5, 6, 2, 6])

    def test_an_edge_on_the_line_of_something_beyond_it_goes(self) -> None:
        bent = np.array([(-9.0, 1.0), (0.0, 1.0), (0.0, 7.0), (6.0, 7.0), (6.0, 9.0), (-9.0, 9.0)])
        (part,) = clip_ring(bent, 10, 10)
        assert same_ring(part, [0, 7, 6, 7, 6, 9, 0, 9])

    def test_outside_or_only_touching(self) -> None:
        assert clip_ring(SQUARE + 20, 10, 10) == []
        assert clip_ring(SQUARE - (8, 0), 10, 10) == []

    def test_a_concave_ring_comes_apart(self) -> None:
        comb = np.array([(1, 1), (9, 1), (9, 4), (3, 4), (3, 6), (9, 6), (9, 9), (1, 9)], np.float64)
        mirrored = np.array([10, 0]) - comb * (1, -1)
        parts = clip_ring(mirrored, 6, 10)
        assert len(parts) == 2
        assert same_ring(parts[0], [1, 1, 6, 1, 6, 4, 1, 4]) or same_ring(parts[1], [1, 1, 6, 1, 6, 4, 1, 4])
        assert sum(map(ring_area, parts)) == 30
        (whole,) = clip_ring(comb, 6, 10)
        assert ring_area(whole) == 5 * 8 - 3 * 2

    @pytest.mark.parametrize("width", [3, 4, 5, 6, 7])
    def test_a_hole_stays(self, width: int) -> None:
        mask = np.ones((6, 7), np.uint8)
        mask[2:4, 3:5] = 0
        (ring,) = mask_rings(mask)
        parts = clip_ring(pairs(ring), width, 5)
        assert (enclosed(parts, 7, 6) == (mask * (np.arange(7) < width) * (np.arange(6) < 5)[:, None])).all()
        assert sum(map(ring_area, parts)) == mask[:5, :width].sum()

    def test_two_holes_whose_bridges_coincide(self) -> None:
        """Both bridges come from (5, 0): cut at y = 2 each must stay with its hole, and no hole become a ring."""
        first, second = [(5, 4), (7, 5), (7, 3), (5, 4)], [(5, 7), (7, 8), (7, 6), (5, 7)]
        ring = np.array([(0, 0), (5, 0), *first, (5, 0), *second, (5, 0), (10, 0), (10, 10), (0, 10)], np.float64)
        assert ring_area(ring) == 96
        for one in (ring, ring[::-1]):
            (part,) = clip_ring(one - (0, 2), 10, 10)
            assert ring_area(part) == 76

    @settings(max_examples=150, deadline=None)
    @given(st.integers(0, 2**32 - 1), st.sampled_from(["star", "mask", "any", "whole"]), st.booleans())
    def test_area_is_kept(self, seed: int, kind: str, back: bool) -> None:
        rng = np.random.default_rng(seed)
        width, height = 20, 16
        if kind == "star":
            ring = star(rng, int(rng.integers(4, 14)), (rng.uniform(-2, 22), rng.uniform(-2, 18)), 15)
        elif kind == "mask":
            found = mask_rings(blobs(rng, 30, 30))
            ring = pairs(max(found, key=len)) - 7 if found else SQUARE
        else:  # crosses itself
            ring = rng.uniform(-8, 28, (int(rng.integers(3, 12)), 2))
            ring = ring.round() if kind == "whole" else ring
        ring = ring[::-1] if back else ring
        parts = clip_ring(ring, width, height)
        for part in parts:
            assert (part >= 0).all() and (part <= (width, height)).all()
        # irrational places: no line between whole numbers goes through one
        x, y = (np.arange(40) + 0.24**0.5) / 2, (np.arange(32) + 0.23**0.5) / 2
        expected = even_odd([ring], x, y)
        assert (even_odd(parts, x, y) == expected).all()
        if kind in ("star", "mask"):
            union = sum(even_odd([part], x, y) for part in parts) if parts else expected
            assert (union == expected).all()
        if kind == "mask":
            assert sum(map(ring_area, parts)) == pytest.approx(enclosed([ring], width, height).sum())

    def test_exact_area(self) -> None:
        """A triangle of which a rectangle cuts off known triangles."""
        (part,) = clip_ring(np.array([(-4.0, 5.0), (12.0, -3.0), (12.0, 13.0)]), 10, 10)
        # from x = 0 to 10 its height is x + 4; from x = 6 on it sticks out above and below, by 2 each at x = 10
        assert ring_area(part) == pytest.approx((4 + 14) / 2 * 10 - 2 * (4 * 2 / 2))

    def test_a_long_saw_is_cut_quickly(self) -> None:
        x = np.arange(20000.0)
        saw = np.concatenate([np.stack([x, np.where(x % 2, 9.0, 11.0)], axis=1), [(19999.0, 1), (0.0, 1)]])
        start = time.perf_counter()
        (part,) = clip_ring(saw, 20000, 10)
        assert ring_area(part) == pytest.approx(19999 * 8.75)
        assert time.perf_counter() - start < 5


class TestRle:
    MASK = np.array([[0, 0, 1, 1], [0, 1, 1, 0], [0, 1, 0, 0]], np.uint8)

    def test_plain(self) -> None:
        rle = geometry.rle_encode(self.MASK, plain=True)
        assert rle == Rle(4, 3, (4, 4, 1, 1, 2))
        assert (geometry.rle_decode(rle) == self.MASK).all()

    def test_compressed(self) -> None:
        """Counts as pycocotools writes them."""
        rle = geometry.rle_encode(self.MASK)
        assert rle == Rle(4, 3, "441M1")
        assert (geometry.rle_decode(rle) == self.MASK).all()

    def test_all_and_nothing(self) -> None:
        assert geometry.rle_encode(np.zeros((2, 3)), True) == Rle(3, 2, (6,))
        assert geometry.rle_encode(np.ones((2, 3)), True) == Rle(3, 2, (0, 6))
        assert geometry.rle_box(Rle(3, 2, (6,))) is None
        assert geometry.rle_area(Rle(3, 2, (0, 6))) == 6
        assert geometry.rle_box(Rle(3, 2, (0, 6))) == (0, 0, 3, 2)

    def test_empty_runs_in_between(self) -> None:
        rle = Rle(3, 2, (1, 0, 1, 2, 0, 1, 0, 0, 1))
        assert geometry.rle_area(rle) == 3
        assert geometry.rle_decode(rle).T.reshape(-1).tolist() == [0, 0, 1, 1, 1, 0]

    @pytest.mark.parametrize(
        "rle",
        [
            Rle(4, 3, (4, 2)),
            Rle(4, 3, (4, 20)),
            Rle(4, 3, (-4, 16)),
            Rle(4, 3, (-4, 2, 14)),
            Rle(4, 3, ()),
            Rle(4, 3, ""),
            Rle(4, 3, "é"),
            Rle(4, 3, "~~"),
            Rle(4, 3, "o" * 1000),
            Rle(4, 3, "P" * 1000),
            Rle(4, 3, "oooooooo0"),
            Rle(4, 3, (2**62, 2**62)),
            Rle(10**6, 10**6, (10**12,)),
            Rle(-4, -3, (12,)),
        ],
        ids=str,
    )
    def test_broken_counts(self, rle: Rle) -> None:
        with pytest.raises(ValueError):
            geometry.rle_decode(rle)
        with pytest.raises(ValueError):
            geometry.rle_area(rle)

    @settings(max_examples=60, deadline=None)
    @given(st.integers(0, 2**32 - 1))
    def test_there_and_back(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        mask = blobs(rng, *rng.integers(1, 40, 2).tolist())
        for plain in (False, True):
            rle = geometry.rle_encode(mask * 7, plain)
            assert isinstance(rle.counts, tuple if plain else str)
            assert (geometry.rle_decode(rle) == mask).all()
            assert geometry.rle_area(rle) == mask.sum()
            x, y, width, height = cv2.boundingRect(mask)
            assert geometry.rle_box(rle) == ((x, y, x + width, y + height) if mask.any() else None)


class TestRasterise:
    def test_whole_pixels_are_exact(self) -> None:
        mask = rasterise([[1, 1, 3, 1, 3, 4, 1, 4]], 5, 5)
        assert mask.dtype == np.uint8
        assert mask.tolist() == [[0] * 5, [0, 1, 1, 0, 0], [0, 1, 1, 0, 0], [0, 1, 1, 0, 0], [0] * 5]
        assert not rasterise([], 3, 2).any()
        assert rasterise([], 3, 2).shape == (2, 3)

    def test_golden(self) -> None:
        """What COCO's code makes of these, in its compressed form."""
        for rings, counts in GOLDEN:
            assert geometry.rle_encode(rasterise(rings, 13, 11)).counts == counts

    def test_as_pycocotools(self) -> None:
        coco = pytest.importorskip("pycocotools.mask")
        rng = np.random.default_rng(3)
        for turn in range(2000):
            width, height = rng.integers(1, 100, 2).tolist()
            rings = []
            for _ in range(int(rng.integers(1, 4))):
                ring = rng.random((int(rng.integers(3, 12)), 2)) * (width, height)
                ring = (ring, ring.round(), (5 * ring).round() / 5, (2 * ring).round() / 2, 1.4 * ring - 9)[turn % 5]
                rings.append(ring.reshape(-1).tolist())
            theirs = coco.merge(coco.frPyObjects(rings, height, width))
            ours = geometry.rle_encode(rasterise(rings, width, height))
            assert ours.counts == theirs["counts"].decode()
            assert geometry.rle_area(ours) == coco.area(theirs)
            thing = Object("a", rings=tuple(array("d", ring) for ring in rings))
            assert coco_area(thing, width, height) == coco.area(theirs)
            if (box := geometry.rle_box(ours)) is not None:
                assert [box[0], box[1], box[2] - box[0], box[3] - box[1]] == coco.toBbox(theirs).tolist()

    def test_a_large_zigzag_is_bounded(self) -> None:
        ring = np.random.default_rng(0).random((500, 2)) * (4000, 3000)
        start = time.perf_counter()
        assert rasterise([ring], 4000, 3000).any()
        assert time.perf_counter() - start < 5


GOLDEN = [
    ([[11, 6, 4, 1, 5, 4, 1, 1, 13, 7]], "S1190H08020O010W1"),
    (
        [
            [5.7, 10.7, 11.7, 9.3, 5.1, 5.4, 8.8, 0.7, 7.2, 3.0, 11.4, 0.7],
            [8.8, 9.6, 3.0, 9.8, 11.3, 0.2, 9.2, 0.0, 6.5, 4.8, 2.6, 3.6],
        ],
        "Z1150N120L14OL220NN13ON013NM06O`0",
    ),
    ([[10.48, 3.48, 1.94, 7.68, 5.83, 8.79]], "m01:0O101N01O00Y1"),
    ([[4, 9, 7, 6, 3, 0, 12, 1, 11, 4, 12, 4], [12, 6, 3, 8, 9, 8]], "Q11:1LOL31M04NM261MML34ML33MM40?"),
    ([[2.9, 7.1, 1.4, 7.6, 8.3, 4.1, 10.4, 2.1, 5.1, 8.8]], "b1290O01O00Y1"),
    (
        [
            [9.27, 6.74, 12.23, 10.91, 9.41, 8.9, 1.99, 7.84],
            [11.02, 4.41, 7.19, 5.27, 12.46, 3.49, 5.23, 0.01, 5.46, 6.95, 12.15, 10.16],
        ],
        "c113710O01O0KM2340IO29",
    ),
]


class TestMaskRings:
    def test_pixel_edges_and_no_points_in_between(self) -> None:
        mask = np.zeros((4, 5), np.uint8)
        mask[1:3, 1:4] = 255
        mask[2, 3] = 0
        assert mask_rings(mask) == (array("d", (1, 1, 4, 1, 4, 2, 3, 2, 3, 3, 1, 3)),)

    def test_diagonal_neighbours_are_two_parts(self) -> None:
        rings = mask_rings(np.array([[1, 0], [0, 1]]))
        assert [list(ring) for ring in rings] == [[0, 0, 1, 0, 1, 1, 0, 1], [1, 1, 2, 1, 2, 2, 1, 2]]

    def test_a_hole_hangs_on_a_bridge(self) -> None:
        mask = np.ones((3, 3), np.uint8)
        mask[1, 1] = 0
        (ring,) = mask_rings(mask)
        assert list(ring) == [0, 0, 3, 0, 3, 3, 0, 3, 0, 1, 1, 1, 1, 2, 2, 2, 2, 1, 1, 1, 0, 1]

    def test_nothing(self) -> None:
        assert mask_rings(np.zeros((3, 2))) == ()
        assert mask_rings(np.zeros((0, 0))) == ()

    @settings(max_examples=100, deadline=None)
    @given(st.integers(0, 2**32 - 1))
    def test_they_give_the_mask_again(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        mask = blobs(rng, *rng.integers(1, 26, 2).tolist())
        rings = mask_rings(mask)
        height, width = mask.shape
        assert len(rings) == cv2.connectedComponents(mask, connectivity=4)[0] - 1
        assert (enclosed(rings, width, height) == mask).all()
        assert (rasterise(rings, width, height) == mask).all()  # so COCO's code gives exactly the mask as well
        assert sum(map(ring_area, rings)) == mask.sum()

    def test_a_sieve(self) -> None:
        """Thousands of holes, each bridged to the next: no deep recursion, no quadratic time."""
        mask = np.ones((201, 201), np.uint8)
        mask[1:-1:2, 1:-1:2] = 0
        (ring,) = mask_rings(mask)
        assert (rasterise([ring], 201, 201) == mask).all()


def test_areas_of_many_outlines_at_once_are_those_of_each() -> None:
    r = random.Random(5)
    for _ in range(200):
        width, height = r.randint(1, 80), r.randint(1, 80)
        rings = [[r.uniform(-20, 100) for _ in range(2 * r.randint(0, 9))] for _ in range(r.randint(0, 12))]
        alone = [rle.area(rle.runs_of_rings([ring], width, height)) for ring in rings]
        assert rle.areas_of_rings(rings, width, height) == alone
