"""mosaic: labels against pixels, weights against area, tiles against what is drawn."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from mixes import HARD, RULES, held, scene, seen, stream

from augx.errors import ImageError
from augx.model import Picture
from augx.transforms.own.mosaic import Mosaic


def mixed(mix: Mosaic, pictures: list[Picture], seed: int) -> Any:
    params = mix.draw(pictures[0], pictures[1:], stream(seed), RULES)
    picture, lost = mix.apply(pictures[0], pictures[1:], params, RULES)
    return params, picture, lost


@pytest.mark.parametrize("third", ["box", "obb", "quad", "instance"])
@pytest.mark.parametrize("tiles", [4, 9])
def test_labels_are_where_the_pixels_are(third: str, tiles: int) -> None:
    mix = Mosaic(tiles=tiles, size=[110, 140] if tiles == 4 else [210, 230], scale_range=[1, 1.2])
    pictures = [scene(tag, third) for tag in range(tiles)]
    count = 0
    for seed in range(5 if tiles == 4 else 2):
        params, picture, lost = mixed(mix, pictures, seed)
        count += held(picture, lost, seen(mix, pictures, params))
    assert count > 24


@pytest.mark.parametrize("tiles", [4, 9])
def test_weights_are_the_area(tiles: int) -> None:
    mix = Mosaic(tiles=tiles)
    pictures = [scene(tag) for tag in range(tiles)]
    for seed in range(4 if tiles == 4 else 2):
        params, picture, _ = mixed(mix, pictures, seed)
        labels = picture.annotations.labels
        assert sum(labels.values()) == pytest.approx(1, abs=1e-12) and len(labels) == tiles
        for tag in range(tiles):
            shown = [
                replace(one, pixels=np.full_like(one.pixels, 255 * (who == tag))) for who, one in enumerate(pictures)
            ]
            area = (mix.apply(shown[0], shown[1:], params, RULES)[0].pixels == 255).mean()
            assert labels[f"class{tag}"] == pytest.approx(area, abs=1e-8)


def test_same_class_becomes_one_weight() -> None:
    pictures = [replace(scene(tag), annotations=replace(scene(tag).annotations, labels={"a": 1.0})) for tag in range(4)]
    _, picture, _ = mixed(Mosaic(), pictures, 1)
    assert picture.annotations.labels == {"a": 1.0}


def test_lines_lie_where_jitter_lets_them() -> None:
    pictures = [Picture(np.zeros((300, 500, 3), np.uint8))] * 9
    four = [Mosaic().draw(pictures[0], pictures[1:4], stream(seed), RULES) for seed in range(200)]
    x = np.array([one["x"][0] for one in four])
    y = np.array([one["y"][0] for one in four])
    assert 150 <= x.min() < 165 and 335 < x.max() <= 350
    assert 90 <= y.min() < 99 and 201 < y.max() <= 210
    assert (
        sorted({tuple(one["order"]) for one in four})[0] == (0, 1, 2, 3) and len({one["order"][0] for one in four}) == 4
    )
    nine = [Mosaic(tiles=9, jitter=0).draw(pictures[0], pictures[1:], stream(seed), RULES) for seed in range(3)]
    assert all((one["x"], one["y"]) == ([167, 333], [100, 200]) for one in nine)
    assert [Mosaic().need().count, Mosaic(tiles=9).need().count] == [3, 8]


def test_scale_range_zooms_and_one_fills_the_tile() -> None:
    rng = np.random.default_rng(0)
    pictures = [Picture(rng.integers(0, 256, (80, 100, 3), dtype=np.uint8)) for _ in range(4)]
    mix = Mosaic(jitter=0, scale_range=[2, 2])  # tiles of half the size, zoomed twice: the very pixels
    params, picture, _ = mixed(mix, pictures, 4)
    for place, who in enumerate(params["order"]):
        x0, y0 = 50 * (place % 2), 40 * (place // 2)
        tile = picture.pixels[y0 : y0 + 40, x0 : x0 + 50]
        u, v = params["places"][place]
        left, top = round(u * 50), round(v * 40)
        assert (tile == pictures[who].pixels[top : top + 40, left : left + 50]).all()


@pytest.mark.parametrize("shape", [(2, 3), (3, 3, 3), (300, 4)])
@pytest.mark.parametrize("tiles", [4, 9])
def test_extreme_pictures(shape: tuple[int, ...], tiles: int) -> None:
    if tiles == 9:
        shape = (max(3, shape[0]), *shape[1:])
    others = [Picture(np.full((side, 900, *shape[2:]), 40 + side, np.uint16)) for side in range(1, tiles)]
    for seed in range(6):
        params, picture, _ = mixed(Mosaic(tiles=tiles), [Picture(np.full(shape, 40, np.uint16)), *others], seed)
        assert picture.pixels.shape == shape and picture.pixels.dtype == np.uint16
        assert set(np.unique(picture.pixels)) == set(range(40, 40 + tiles)), params


def test_a_pixel_is_too_small() -> None:
    dot = Picture(np.zeros((1, 1), np.uint8))
    with pytest.raises(ImageError, match="1 pixels is too short for 2 tiles"):
        Mosaic().draw(dot, [dot] * 3, stream(0), RULES)
    params, picture, _ = mixed(Mosaic(size=[20, 30]), [dot] * 4, 0)
    assert (picture.height, picture.width) == (20, 30) and len(params["order"]) == 4


def test_hard_labels_are_left_to_the_caller() -> None:
    pictures = [scene(tag) for tag in range(4)]
    params = Mosaic().draw(pictures[0], pictures[1:], stream(2), HARD)
    picture, _ = Mosaic().apply(pictures[0], pictures[1:], params, HARD)
    assert len(picture.annotations.labels) == 4 and not Mosaic.keeps_half


def test_captions_size_and_the_rest() -> None:
    pictures = [scene(tag) for tag in (0, 1, 0, 2)]
    known = replace(pictures[0].annotations, values={"age": 3}, extra={"licence": 1})
    _, picture, _ = mixed(Mosaic(size=[50, 70]), [replace(pictures[0], annotations=known), *pictures[1:]], 0)
    annotations = picture.annotations
    assert annotations.captions == ("0", "1", "2") and annotations.size == (70, 50)
    assert (annotations.values, annotations.extra) == ({"age": 3}, {"licence": 1})
