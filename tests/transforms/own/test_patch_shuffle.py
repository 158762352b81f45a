"""Each window holds the pixels it held, in any order, and all orders are as likely."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest

from augx.model import Picture
from augx.seeds import Rng
from augx.transforms.own.base import make


def shuffled(pixels: Any, size: int = 2, copy: int = 0) -> Any:
    transform, before = make("patch_shuffle", {"size": size}), pixels.copy()
    params = transform.draw(Picture(pixels), Rng().at(7, "a.png", copy, "0"))
    made = transform.apply(Picture(pixels), params).pixels
    assert (pixels == before).all()
    assert made is not pixels and made.shape == pixels.shape and made.dtype == pixels.dtype and made.flags.c_contiguous
    return made


def numbered(height: int, width: int) -> Any:
    return (np.arange(height * width) % 65536).astype(np.uint16).reshape(height, width)


@pytest.mark.parametrize("size", [2, 3, 4, 7, 16])
def test_every_window_keeps_its_pixels(size: int) -> None:
    pixels = numbered(51, 67)
    made = shuffled(pixels, size)
    rows, columns = 51 // size, 67 // size
    for row in range(rows):
        for column in range(columns):
            window = np.s_[row * size : (row + 1) * size, column * size : (column + 1) * size]
            assert sorted(made[window].ravel()) == sorted(pixels[window].ravel())
    assert (made[rows * size :] == pixels[rows * size :]).all()
    assert (made[:, columns * size :] == pixels[:, columns * size :]).all()
    assert (made[: rows * size, : columns * size] != pixels[: rows * size, : columns * size]).mean() > 0.6


def test_colours_stay_together() -> None:
    y, x = np.mgrid[:30, :40]
    pixels = np.stack([x, y, x + y], axis=2).astype(np.uint8)
    made = shuffled(pixels, 4).astype(int)
    assert (made[..., 2] == made[..., 0] + made[..., 1]).all()
    assert (made[..., 0] // 4 == x // 4).all() and (made[..., 1] // 4 == y // 4).all()


def test_all_orders_are_as_likely() -> None:
    pixels = np.tile(np.array([[0, 1], [2, 3]], np.uint8), (60, 80))
    windows = shuffled(pixels).reshape(60, 2, 80, 2).swapaxes(1, 2).reshape(-1, 4)
    counts = Counter(map(tuple, windows.tolist()))
    assert len(counts) == 24
    assert sum((count - 200) ** 2 / 200 for count in counts.values()) < 41.6  # chi-square, 23 degrees, p 0.01


def test_more_than_one_band() -> None:
    pixels = numbered(700, 600)
    made = shuffled(pixels, 3)
    assert (np.sort(made[:699].reshape(233, -1)) == np.sort(pixels[:699].reshape(233, -1))).all()
    assert (made[-4:-1] != pixels[-4:-1]).any() and (made[-1] == pixels[-1]).all()


def test_too_small_and_again() -> None:
    for size in [(1, 1), (1, 9), (9, 1)]:
        assert (shuffled(numbered(*size)) == numbered(*size)).all()
    pixels = numbered(20, 20)
    assert (shuffled(pixels) == shuffled(pixels)).all() and (shuffled(pixels) != shuffled(pixels, copy=1)).any()
