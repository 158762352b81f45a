"""Outlines less pixels, against the same asked many times finer than pixels, and against areas."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from mixes import inside, union

from augx.geometry import clip_ring, flat, mask_rings, pairs, ring_area
from augx.transforms.own.carving import carved

FINE = 9


def blot(rng: np.random.Generator, width: int, height: int) -> np.ndarray:
    noise = cv2.GaussianBlur(rng.normal(size=(height, width)), (0, 0), rng.uniform(0.5, 5))
    found: np.ndarray = noise > np.quantile(noise, rng.uniform(0.1, 0.9))
    return found


def star(rng: np.random.Generator, width: int, height: int) -> np.ndarray:
    turn, far = np.sort(rng.uniform(0, 2 * np.pi, 9)), rng.uniform(0.4, 1, 9)
    ring = np.stack([np.cos(turn), np.sin(turn)], axis=1) * far[:, None]
    return np.clip((ring + 1) / 2 * (width, height), 0, (width, height))[:: rng.choice((-1, 1))]


@pytest.mark.parametrize("seed", range(40))
def test_what_is_left_is_exact(seed: int) -> None:
    """In pixels, and for the area; also where points lie between pixels, so that lines meet in them."""
    rng = np.random.default_rng(seed)
    width, height = rng.integers(6, 40, 2).tolist()
    covered, ring = blot(rng, width, height), star(rng, width, height)
    if seed % 2:
        ring = np.rint(ring * 2) / 2
    parts = carved(ring, covered)
    wanted = inside(ring, width, height, FINE) & ~covered.repeat(FINE, 0).repeat(FINE, 1)
    found = union(list(map(flat, parts)), width, height, FINE)
    ties = 20 + 2 * np.abs(np.roll(ring, -1, axis=0) - ring).sum()  # middles of parts that lie on an edge
    assert (found != wanted).sum() <= (ties if seed % 2 else 0.02 * ties)
    if seed % 2 == 0:
        pieces = (clip_ring(ring - (x, y), 1, 1) for y, x in np.argwhere(~covered).tolist())
        area = sum(ring_area(piece) for pixel in pieces for piece in pixel)
        assert sum(map(ring_area, parts)) == pytest.approx(area, abs=0.05)


@pytest.mark.parametrize("seed", range(40))
def test_outlines_of_masks_stay_on_pixels(seed: int) -> None:
    """With bridges to their holes, which what covers them may cut, end at or make."""
    rng = np.random.default_rng(seed)
    covered, mask = blot(rng, 40, 30), blot(rng, 40, 30)
    for ring in map(pairs, mask_rings(mask)):
        parts = carved(ring[::-1] if seed % 2 else ring, covered)
        left = inside(ring, 40, 30) & ~covered
        assert (union(list(map(flat, parts)), 40, 30) == left).all()
        assert sum(map(ring_area, parts)) == left.sum()
        assert all((part == part.round()).all() for part in parts)


def test_a_hole_is_bridged_and_islands_are_rings() -> None:
    ring = np.array([(1.0, 1), (19, 1), (19, 11), (1, 11)])
    covered = np.zeros((12, 20), bool)
    assert carved(ring, covered)[0] is ring
    covered[3:9, 4:15] = True
    (part,) = carved(ring, covered)
    assert ring_area(part) == 180 - 66 and len(part) == 4 + 5 + 2
    covered[5:7, 7:10] = False
    assert sorted(map(ring_area, carved(ring, covered))) == [6, 180 - 66]
    covered[:] = True
    assert carved(ring, covered) == []


def test_what_lies_along_an_edge_leaves_no_tip() -> None:
    """Where an outline and what covers it share a line, nothing of no width stays."""
    ring, covered = np.array([(0.0, 0), (20, 0), (20, 10), (0, 10)]), np.zeros((10, 30), bool)
    covered[:5, 10:20] = True
    (part,) = carved(ring, covered)
    assert sorted(map(tuple, part.tolist())) == [(0, 0), (0, 10), (10, 0), (10, 5), (20, 5), (20, 10)]
