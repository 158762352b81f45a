"""What is blanked, where, with what, and what the class mask says afterwards."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from augx.model import Picture
from augx.seeds import Rng
from augx.transforms.own.base import make
from augx.transforms.pipeline import parameters

ALL = ["cutout", "random_erasing", "gridmask", "hide_and_seek"]
FILL = 7  # no pixel of `scene` has it


def run(name: str, pixels: Any, copy: int = 0, boxes: Any = None, **args: Any) -> tuple[Any, dict[str, Any]]:
    transform, before, rng = make(name, args), pixels.copy(), Rng().at(7, "a.png", copy, "0")
    params = transform.draw(Picture(pixels), rng, *([] if boxes is None else [boxes]))
    made = transform.apply(Picture(pixels), params).pixels
    assert (pixels == before).all()
    assert made.shape == pixels.shape and made.dtype == pixels.dtype and made.flags.c_contiguous
    return made, params


def scene(height: int = 60, width: int = 90) -> Any:
    return np.random.default_rng(5).integers(10, 250, (height, width, 3)).astype(np.uint8)


def blanked(name: str, copy: int = 0, height: int = 60, width: int = 90, **args: Any) -> tuple[Any, dict[str, Any]]:
    pixels = scene(height, width)
    made, params = run(name, pixels, copy, fill=FILL, **args)
    where = (made == FILL).all(axis=2)
    assert (made[~where] == pixels[~where]).all()
    return where, params


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("fill", ["mean", "noise", 40, [1, 2, 3]])
def test_any_size_kind_and_fill(name: str, fill: Any) -> None:
    for size in [(1, 1), (1, 5), (5, 1), (2, 3), (19, 33)]:
        for deep in (False, True):
            pixels = scene(*size).astype(np.uint16) * 257 if deep else scene(*size)
            for one in (pixels, pixels[..., 1].copy()):
                once, params = run(name, one, fill=fill)
                assert (once == run(name, one, fill=fill)[0]).all()
                json.dumps(parameters(params), allow_nan=False)


@pytest.mark.parametrize("deep", [False, True])
def test_fills(deep: bool) -> None:
    scale = 257 if deep else 1
    pixels = scene().astype(np.uint16) * 257 if deep else scene()
    grey = pixels[..., 0].copy()

    def hidden(image: Any, fill: Any) -> Any:
        return run("hide_and_seek", image, fill=fill, hide=1)[0]

    assert (hidden(pixels, "mean") == np.rint(pixels.mean(axis=(0, 1)))).all()
    assert (hidden(grey, "mean") == np.rint(grey.mean())).all()
    assert (hidden(pixels, 40) == 40 * scale).all() and (hidden(grey, 40) == 40 * scale).all()
    assert (hidden(pixels, [1, 2, 3]) == np.array([1, 2, 3]) * scale).all()
    assert (hidden(grey, [10, 20, 30]) == round((2.99 + 11.74 + 3.42) * scale)).all()
    noise = hidden(pixels, "noise") / scale
    assert noise.mean() == pytest.approx(127.5, abs=3) and noise.std() == pytest.approx(73.9, abs=2)
    assert noise.min() < 1 and noise.max() > 254 and (noise[..., 0] != noise[..., 1]).mean() > 0.9


@pytest.mark.parametrize("name", ALL)
def test_the_class_mask_where_the_picture_was_blanked(name: str) -> None:
    args: dict[str, Any] = {"fill": FILL}
    where, params = blanked(name)
    assert 0 < where.mean() < 1
    mask = np.random.default_rng(1).integers(0, 5, (60, 90), np.uint8)
    assert make(name, args).erased(mask, params) is mask
    changed = make(name, {**args, "fill_mask": 9}).erased(mask, params)
    assert ((changed == 9) == where).all() and (changed[~where] == mask[~where]).all() and mask.max() < 5
    assert (make(name, {**args, "fill_mask": 300}).erased(mask, params)[where] == 255).all()
    assert (make(name, {**args, "fill_mask": 300}).erased(mask.astype(np.uint16), params)[where] == 300).all()
    assert (make(name, {**args, "fill_mask": [6, 7, 8]}).erased(mask, params)[where] == 6).all()
    colours = np.stack([mask] * 3, axis=2)
    changed = make(name, {**args, "fill_mask": [6, 7, 8]}).erased(colours, params)
    assert (changed[where] == (6, 7, 8)).all() and (changed[~where] == colours[~where]).all()
    assert (make(name, {**args, "fill_mask": 9}).erased(colours, params)[where] == 9).all()


def test_cutout_is_a_square_around_any_pixel() -> None:
    seen = set()
    for copy in range(300):
        where, params = blanked("cutout", copy, 12, 18, size=5)
        (x0, y0, x1, y1) = params["holes"][0]
        wanted = np.zeros((12, 18), bool)
        wanted[y0:y1, x0:x1] = True
        assert (where == wanted).all()
        assert 3 <= x1 - x0 <= 5 and 3 <= y1 - y0 <= 5
        assert (x1 - x0 == 5 or x0 == 0 or x1 == 18) and (y1 - y0 == 5 or y0 == 0 or y1 == 12)
        seen.add((x0, x1))
    assert len(seen) == 18  # every column is a centre
    assert blanked("cutout", 3, 60, 90)[0].sum() <= 30 * 30
    sides = [blanked("cutout", copy, 60, 90, size=0.2)[1]["holes"][0] for copy in range(40)]
    assert max(x1 - x0 for x0, _, x1, _ in sides) == max(y1 - y0 for _, y0, _, y1 in sides) == 12


def test_random_erasing_keeps_the_papers_ranges() -> None:
    areas, ratios = [], []
    for copy in range(400):
        where, params = blanked("random_erasing", copy, 100, 140)
        ((x0, y0, x1, y1),) = params["holes"]
        assert where.sum() == (x1 - x0) * (y1 - y0) == where[y0:y1, x0:x1].sum()
        areas.append(where.mean())
        ratios.append((y1 - y0) / (x1 - x0))
    assert 0.018 < min(areas) < 0.04 and 0.3 < max(areas) < 0.41
    assert 0.28 < min(ratios) < 0.5 and 2.2 < max(ratios) < 3.6
    made, params = run("random_erasing", scene())
    ((x0, y0, x1, y1),) = params["holes"]
    assert len(np.unique(made[y0:y1, x0:x1])) > 100 and "seed" in params


def test_random_erasing_in_each_object() -> None:
    boxes = np.array([[0, 0, 0.5, 0.5], [0.6, 0.25, 1, 0.9], [0.2, 0.8, 0.2, 0.9]], np.float32)
    for copy in range(40):
        made, params = run("random_erasing", scene(80, 100), copy, boxes, fill=FILL, objects=True)
        (a0, b0, a1, b1), (c0, d0, c1, d1) = params["holes"]
        assert 0 <= a0 < a1 <= 50 and 0 <= b0 < b1 <= 40 and 60 <= c0 < c1 <= 100 and 20 <= d0 < d1 <= 72
        assert 0.015 < (a1 - a0) * (b1 - b0) / 2000 < 0.42 and 0.015 < (c1 - c0) * (d1 - d0) / 2080 < 0.42
        assert (made == FILL).all(axis=2).sum() == (a1 - a0) * (b1 - b0) + (c1 - c0) * (d1 - d0)
    assert run("random_erasing", scene(), objects=True)[1]["holes"] == []
    assert len(run("random_erasing", scene(), 0, boxes)[1]["holes"]) == 1


def test_gridmask_is_a_grid_of_squares() -> None:
    where, params = blanked("gridmask", 0, 100, 150, d_range=[10, 10], rotate_range=[0, 0], ratio=0.6)
    assert params["d"] == 10 and params["angle"] == 0
    assert where.sum() == 150 * 16
    assert (where[10:] == where[:-10]).all() and (where[:, 10:] == where[:, :-10]).all()
    columns, rows = where.any(axis=0), where.any(axis=1)
    assert columns[:10].sum() == rows[:10].sum() == 4 and (where == np.logical_and.outer(rows, columns)).all()
    other, _ = blanked("gridmask", 0, 100, 150, d_range=[10, 10], rotate_range=[0, 0], ratio=0.6, invert=True)
    assert (other == ~where).all()


def test_gridmask_turned_keeps_the_papers_share() -> None:
    for ratio in (0.3, 0.6):
        shares = [blanked("gridmask", copy, 200, 200, d_range=[0.1, 0.2], ratio=ratio)[0].mean() for copy in range(20)]
        assert 1 - np.mean(shares) == pytest.approx(2 * ratio - ratio**2, abs=0.012)
    where, _ = blanked("gridmask", 0, 100, 100, d_range=[20, 20], rotate_range=[45, 45], ratio=0.5)
    assert (where[:-20] == where[20:]).mean() < 0.8  # no longer along the axes
    assert (where[:-14, :-14] == where[14:, 14:]).mean() > 0.93  # 20 along the diagonal is 14.1 along the axes
    drawn = [blanked("gridmask", copy, 30, 50)[1] for copy in range(200)]
    assert min(p["d"] for p in drawn) >= 0.43 * 30 and 28 < max(p["d"] for p in drawn) <= 30
    assert all(0 <= p["x"] <= p["d"] and 0 <= p["angle"] <= 360 for p in drawn)


def test_hide_and_seek_hides_whole_cells() -> None:
    for copy in range(20):
        where, params = blanked("hide_and_seek", copy, 60, 90, grids=[4])
        assert params["side"] == 15 and params["hidden"].shape == (4, 6)
        assert (where == np.kron(params["hidden"], np.ones((15, 15), bool))).all()
    drawn = [blanked("hide_and_seek", copy) for copy in range(120)]
    assert np.mean([where.mean() for where, _ in drawn]) == pytest.approx(0.5, abs=0.03)
    assert {round(60 / params["side"]) for _, params in drawn} == {4, 5, 7, 14}
    assert blanked("hide_and_seek", hide=0)[0].sum() == 0
    assert blanked("hide_and_seek", hide=1)[0].all()
