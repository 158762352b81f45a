"""AugMix against its formula, and what it may do to labelled pictures."""

from __future__ import annotations

import json
from array import array
from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps

from augx.errors import ImageError
from augx.model import Annotations, Mask, Object, Picture, Step
from augx.seeds import Rng
from augx.transforms.own.augmix import Augmix
from augx.transforms.pipeline import Pipeline
from augx.transforms.problems import check

STILL = {"AutoContrast", "Equalize", "Posterize", "Solarize"}
MOVING = {"Rotate", "ShearX", "ShearY", "TranslateX", "TranslateY"}
PIXELS = np.random.default_rng(2).integers(0, 256, (30, 48, 3), dtype=np.uint8)


def draws(transform: Augmix, picture: Picture, count: int) -> list[dict[str, Any]]:
    rng = Rng()
    return [transform.draw(picture, rng.at(3, f"{index}.png", 1, "0")) for index in range(count)]


def test_draws_are_those_of_the_paper() -> None:
    drawn = draws(Augmix(), Picture(PIXELS), 3000)
    assert all(len(one["chains"]) == len(one["weights"]) == 3 for one in drawn)
    assert all(sum(one["weights"]) == pytest.approx(1) and min(one["weights"]) >= 0 for one in drawn)
    weights, shares = np.array([one["weights"] for one in drawn]), np.array([one["original"] for one in drawn])
    # Dirichlet(1, 1, 1): mean 1/3, variance 1/18. Beta(1, 1): mean 1/2, variance 1/12.
    assert weights.mean(axis=0) == pytest.approx([1 / 3] * 3, abs=0.015)
    assert weights.var(axis=0) == pytest.approx([1 / 18] * 3, rel=0.1)
    assert shares.mean() == pytest.approx(0.5, abs=0.02) and shares.var() == pytest.approx(1 / 12, rel=0.1)
    chains = [chain for one in drawn for chain in one["chains"]]
    depths, ops = Counter(map(len, chains)), Counter(op for chain in chains for op, _ in chain)
    assert set(depths) == {1, 2, 3} and set(ops) == STILL | MOVING
    assert sum((n - 3000) ** 2 / 3000 for n in depths.values()) < 9.210  # p = 0.01, 2 degrees of freedom
    evenly = sum(ops.values()) / 9
    assert sum((n - evenly) ** 2 / evenly for n in ops.values()) < 20.090  # 8 degrees of freedom


def test_levels_grow_with_severity() -> None:
    ends = {1: (3, 0.03, 4, 2, 231), 3: (9, 0.09, 3, 5, 180), 10: (30, 0.3, 1, 16, 0)}
    for severity, (degrees, shear, bits, shift, threshold) in ends.items():
        drawn = draws(Augmix(severity=severity), Picture(PIXELS), 1500)
        values: dict[str, list[float]] = {}
        for op, value in (link for one in drawn for chain in one["chains"] for link in chain):
            values.setdefault(op, []).append(value)
        assert max(map(abs, values["Rotate"])) <= degrees and max(values["Rotate"]) > degrees * 0.6
        assert min(values["Rotate"]) < 0 and min(values["ShearX"]) < 0 and min(values["TranslateX"]) <= 0
        assert shear * 0.9 < max(map(abs, values["ShearY"])) <= shear
        assert min(values["Posterize"]) == bits and max(values["Posterize"]) == 4
        assert max(map(abs, values["TranslateX"])) <= shift  # a third of 48 pixels at most
        assert threshold - 1 <= min(values["Solarize"]) < threshold + 10 and max(values["Solarize"]) <= 254


def test_the_mix_is_that_of_the_paper() -> None:
    """m x + (1 - m) (w1 c1(x) + w2 c2(x)), each chain by Pillow or by hand."""
    image, x = Image.fromarray(PIXELS), PIXELS.astype(float)
    chains = [[["Posterize", 3], ["Solarize", 200]], [["Equalize", 0]], [["TranslateX", -4]], [["AutoContrast", 0]]]
    shifted = np.full_like(PIXELS, 9)
    shifted[:, :-4] = PIXELS[:, 4:]
    made = [
        np.array(ImageOps.solarize(ImageOps.posterize(image, 3), 200), float),
        np.array(ImageOps.equalize(image), float),
        shifted.astype(float),
        np.array(ImageOps.autocontrast(image), float),
    ]
    weights, m = [0.1, 0.2, 0.3, 0.4], 0.35
    wanted = m * x + (1 - m) * sum(w * one for w, one in zip(weights, made, strict=True))
    picture = Picture(PIXELS, np.full((30, 48), 99, np.uint8), b"icc")
    before = PIXELS.copy()
    params = {"chains": chains, "weights": weights, "original": m}
    result = Augmix(width=4, fill=9).apply(picture, params)
    assert np.abs(result.pixels - wanted).max() <= 0.75 and result.pixels.dtype == np.uint8
    assert (before == PIXELS).all() and result.alpha is picture.alpha and result.icc == b"icc"
    assert (Augmix().apply(picture, {**params, "original": 1.0}).pixels == PIXELS).all()


@pytest.mark.parametrize("what", ["objects", "mask", "instances"])
def test_things_stay_where_they_are(what: str) -> None:
    picture, plane = Picture(PIXELS), Mask(np.ones((30, 48), np.uint8))
    if what == "objects":
        thing = Object("car", box=(3.0, 4.0, 20.0, 12.0), keypoints=array("d", [4, 5, 2]))
        picture = replace(picture, annotations=Annotations(objects=(thing,)))
    else:
        picture = replace(picture, **{what: plane})
    drawn = draws(Augmix(), picture, 200)
    assert {op for one in drawn for chain in one["chains"] for op, _ in chain} == STILL
    rng = Rng()
    result, applied, dropped = Pipeline([Step("augmix", {}, 1.0)])(picture, lambda s: rng.at(1, "a", 1, s))[:3]
    assert [one.name for one in applied] == ["augmix"] and not dropped
    assert result.annotations.objects == picture.annotations.objects
    assert not (result.pixels == PIXELS).all()


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 9), (30, 48), (2, 3, 3), (5, 4000, 3)])
def test_every_kind_of_picture(shape: tuple[int, ...]) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)
    for copy, params in enumerate(draws(Augmix(width=2), Picture(pixels), 12)):
        assert json.loads(json.dumps(params)) == params
        result = Augmix(width=2).apply(Picture(pixels), params).pixels
        assert result.shape == shape and result.dtype == np.uint8 and result.flags.c_contiguous, copy
        assert (Augmix(width=2).apply(Picture(pixels), params).pixels == result).all()


def test_a_flat_picture_stays_flat_inside() -> None:
    flat = np.full((20, 20, 3), 100, np.uint8)
    chains = [[["Rotate", 9], ["AutoContrast", 0]], [["Equalize", 0]], [["Identity", 0]]]
    result = Augmix(fill=100).apply(Picture(flat), {"chains": chains, "weights": [0.3, 0.3, 0.4], "original": 0.2})
    assert (result.pixels == 100).all()


def test_what_it_cannot_do() -> None:
    with pytest.raises(ImageError, match="augmix works on 8 bits only"):
        Augmix().apply(Picture(PIXELS.astype(np.uint16)), draws(Augmix(), Picture(PIXELS), 1)[0])
    (problem,) = check("augmix", {"depth": 0})
    assert problem.message == "depth must be from 1 to 10, or -1 for 1 to 3, drawn for each chain"
    assert check("augmix", {"width": 5, "depth": 2, "severity": 10, "alpha": 0.2, "fill": 128}) == []
    assert check("augmix", {"width": 0}) and check("augmix", {"severity": 11})
    drawn = draws(Augmix(width=5, depth=2, alpha=0.05), Picture(PIXELS), 300)
    assert {len(chain) for one in drawn for chain in one["chains"]} == {2} and {len(o["weights"]) for o in drawn} == {5}
    assert np.isfinite([one["weights"] for one in drawn]).all()
