"""Masks of a part of a picture."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from augx.formats.patches import placed
from augx.rle import rle_decode

SIDES = st.integers(1, 9)


@given(SIDES, SIDES, SIDES, SIDES, st.integers(-10, 10), st.integers(-10, 10), st.integers(0, 2**32 - 1))
def test_as_painted_into_the_whole_picture(
    across: int, down: int, width: int, height: int, left: int, top: int, seed: int
) -> None:
    patch = np.random.default_rng(seed).integers(0, 3, (down, across), np.uint8)
    whole = np.zeros((height + 40, width + 40), np.uint8)
    whole[top + 20 : top + 20 + down, left + 20 : left + 20 + across] = patch != 0
    found = placed(patch, left, top, width, height)
    assert (found.width, found.height) == (width, height)
    assert np.array_equal(rle_decode(found), whole[20 : 20 + height, 20 : 20 + width])


def test_an_empty_mask() -> None:
    assert placed(np.zeros((2, 3), np.uint8), 1, 1, 8, 8) == placed(np.ones((2, 3), np.uint8), 9, 1, 8, 8)


def test_a_large_picture_costs_no_more_than_the_mask() -> None:
    patch = np.ones((3, 2), np.uint8)
    found = placed(patch, 16_000, 16_990, 17_000, 17_000)
    assert found == placed(np.ones((3, 2), np.uint8), 16_000, 16_990, 17_000, 17_000)
    assert len(found.counts) < 50
