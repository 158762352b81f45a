"""Light against its formulae: the Planckian locus, sRGB, cos^4, fields at their knots."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from augx.model import Picture
from augx.seeds import Rng
from augx.transforms.own.base import make
from augx.transforms.own.light import LUMA, encoded, linear, planckian
from augx.transforms.pipeline import parameters

TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
SIZES = [(1, 1), (1, 4), (4, 1), (3, 1), (1, 3), (5, 7)]
ALL = ["white_balance", "gray_world", "vignette", "smooth_field"]


def run(name: str, pixels: Any, copy: int = 0, **args: Any) -> tuple[Any, dict[str, Any]]:
    transform, before, picture = (
        make(name, args),
        pixels.copy(),
        Picture(pixels, alpha=pixels[..., 0].copy() if pixels.ndim == 3 else None),
    )
    params = transform.draw(picture, Rng().at(7, "a.png", copy, "0"))
    made = transform.apply(picture, params)
    assert (pixels == before).all()
    assert made.alpha is picture.alpha
    assert made.pixels.shape == pixels.shape and made.pixels.dtype == pixels.dtype and made.pixels.flags.c_contiguous
    return made.pixels, params


def picture(deep: bool = False, height: int = 40, width: int = 50) -> Any:
    levels = np.random.default_rng(5).integers(0, 65536 if deep else 256, (height, width, 3))
    return levels.astype(np.uint16 if deep else np.uint8)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("deep", [False, True])
def test_any_size_and_kind(name: str, deep: bool) -> None:
    for size in SIZES:
        for pixels in (picture(deep, *size), picture(deep, *size)[..., 0].copy()):
            once, params = run(name, pixels)
            again, _ = run(name, pixels)
            assert (once == again).all()
            json.dumps(parameters(params), allow_nan=False)


@pytest.mark.parametrize(
    ("kelvin", "x", "y"),
    [
        (2000, 0.5267, 0.4133),
        (2500, 0.4770, 0.4137),
        (2856, 0.4476, 0.4075),  # CIE illuminant A
        (3000, 0.4369, 0.4041),
        (4000, 0.3805, 0.3768),
        (5000, 0.3451, 0.3516),
        (6500, 0.3135, 0.3237),
        (10000, 0.2807, 0.2884),
    ],
)
def test_the_planckian_locus_is_where_tables_have_it(kelvin: float, x: float, y: float) -> None:
    xyz = TO_XYZ @ planckian(kelvin)
    assert xyz[:2] / xyz.sum() == pytest.approx((x, y), abs=0.0012)
    assert xyz[1] == pytest.approx(1, abs=1e-4)


def test_srgb_there_and_back() -> None:
    for deep, most in ((False, 255), (True, 65535)):
        assert (np.rint(encoded(linear(deep)) * most) == np.arange(most + 1)).all()
    assert linear(False)[188] == pytest.approx(0.5029, abs=1e-4)  # half the light


@pytest.mark.parametrize("deep", [False, True])
def test_white_balance_multiplies_linear_light(deep: bool) -> None:
    pixels, most = picture(deep), 65535 if deep else 255
    for copy in range(10):
        made, params = run("white_balance", pixels, copy)
        share = pixels / most
        light = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4) * params["gains"]
        share = np.where(light <= 0.0031308, light * 12.92, 1.055 * np.minimum(light, 1) ** (1 / 2.4) - 0.055)
        assert np.abs(made - np.minimum(share, 1) * most).max() <= 0.5 + 1e-6
        assert np.dot(params["gains"], LUMA) == pytest.approx(1, abs=1e-12)
        assert 4500 <= params["temperature"] <= 9500


def test_white_balance_by_temperature() -> None:
    pixels = picture()
    assert (run("white_balance", pixels, temperature_range=[6500, 6500], gain_range=None)[0] == pixels).all()
    _, warm = run("white_balance", pixels, temperature_range=[3000, 3000], gain_range=None)
    _, cool = run("white_balance", pixels, temperature_range=[12000, 12000], gain_range=None)
    assert warm["gains"][0] > 1 > warm["gains"][2] and cool["gains"][0] < 1 < cool["gains"][2]
    drawn = [run("white_balance", pixels[:1, :1], copy)[1]["temperature"] for copy in range(400)]
    assert np.median(drawn) == pytest.approx(2 / (1 / 4500 + 1 / 9500), rel=0.03)  # even in mired


def test_white_balance_by_gains() -> None:
    drawn = [
        run("white_balance", picture(height=1, width=1), copy, temperature_range=None, gain_range=[0.5, 2])[1]
        for copy in range(400)
    ]
    assert all(params.keys() == {"gains"} for params in drawn)
    ratios = np.log2([params["gains"][0] / params["gains"][2] for params in drawn])
    assert abs(ratios.mean()) < 0.12 and ratios.min() >= -2 and ratios.max() <= 2
    assert ratios.std() == pytest.approx(2 / np.sqrt(6), rel=0.1)  # of the difference of two uniform in [-1, 1]
    with pytest.raises(ValueError, match="both null"):
        make("white_balance", {"temperature_range": None, "gain_range": None})


def test_grey_has_no_colour_to_balance() -> None:
    grey = picture()[..., 0].copy()
    assert (run("white_balance", grey)[0] == grey).all() and (run("gray_world", grey)[0] == grey).all()


@pytest.mark.parametrize("deep", [False, True])
def test_gray_world_gives_the_channels_one_mean(deep: bool) -> None:
    high = 25000 if deep else 97
    pixels = (picture(deep) / (65535 if deep else 255) * (high, high * 1.6, high * 0.8)).astype(
        np.uint16 if deep else np.uint8
    )
    before = linear(deep)[pixels].mean(axis=(0, 1))
    made, params = run("gray_world", pixels, strength_range=[1, 1])
    after = linear(deep)[made].mean(axis=(0, 1))
    assert after == pytest.approx([np.dot(before, LUMA)] * 3, rel=0.003)
    half, params = run("gray_world", pixels, strength_range=[0.5, 0.5])
    assert params["strength"] == 0.5
    assert linear(deep)[half].mean(axis=(0, 1)) == pytest.approx(np.sqrt(before * after), rel=0.01)
    assert (run("gray_world", pixels, strength_range=[0, 0])[0] == pixels).all()


def test_gray_world_leaves_what_is_grey_or_empty() -> None:
    neutral = np.repeat(picture()[..., :1], 3, axis=2)
    assert (run("gray_world", neutral)[0] == neutral).all()
    black = np.zeros((3, 4, 3), np.uint8)
    assert (run("gray_world", black)[0] == black).all()
    red = np.full((3, 4, 3), (200, 0, 1), np.uint8)
    made, params = run("gray_world", red, strength_range=[1, 1])
    assert params["gains"][1] == 1 and params["gains"][2] == 4 and params["gains"][0] == pytest.approx(0.25, abs=0.05)
    assert (made[..., 1] == 0).all() and (made[..., 2] == 4).all()  # a dark level is linear


@pytest.mark.parametrize("deep", [False, True])
def test_vignette_is_cos4(deep: bool) -> None:
    pixels, most = picture(deep, 60, 80), 65535 if deep else 255
    for copy in range(5):
        made, params = run("vignette", pixels, copy, radius=0.9)
        y, x = np.mgrid[0.5:60, 0.5:80]
        far = np.hypot(x - params["x"], y - params["y"]) / 50 / 0.9
        angle = np.arctan(far * np.tan(np.arccos((1 - params["strength"]) ** 0.25)))
        factor = (np.cos(angle) ** 4) ** (1 / 2.2)
        assert np.abs(made - pixels * factor[..., None]).max() <= 0.5 + most * 1e-6
        assert 0.2 <= params["strength"] <= 0.6 and abs(params["x"] - 40) <= 8 and abs(params["y"] - 30) <= 6


def test_vignette_at_the_corner_and_in_the_middle() -> None:
    white = np.full((301, 401), 65535, np.uint16)
    made, params = run("vignette", white, strength_range=[0.5, 0.5], shift=0)
    assert (params["x"], params["y"]) == (200.5, 150.5)
    assert made[150, 200] == 65535
    assert (made[0, 0] / 65535) ** 2.2 == pytest.approx(0.5, abs=0.003)
    assert (made == made[::-1, ::-1]).all()
    assert (run("vignette", white, strength_range=[0, 0])[0] == white).all()


@pytest.mark.parametrize("deep", [False, True])
def test_smooth_field_has_its_values_at_the_knots(deep: bool) -> None:
    scale, most = (257, 65535) if deep else (1, 255)
    pixels = picture(deep, 27, 45)
    made, params = run("smooth_field", pixels)
    levels = params["levels"]
    assert levels.shape == (3, 3, 3)
    at = np.s_[4:27:9, 7:45:15]
    assert np.abs(made[at] - np.clip(pixels[at] + levels * scale, 0, most)).max() <= 0.51
    flat, params = run("smooth_field", np.full((27, 45), 128 * scale, pixels.dtype), sigma=10)
    assert params["levels"].shape == (3, 3, 1)
    steps = np.abs(np.diff(flat.astype(float), axis=1)).max()
    assert 0 < steps < 12 * scale  # no edges


def test_smooth_field_arguments() -> None:
    pixels = np.full((20, 30, 3), 128, np.uint8)
    one, params = run("smooth_field", pixels, knots=1)
    assert (one == np.rint(128 + params["levels"]).clip(0, 255)).all()
    grey, _ = run("smooth_field", pixels, per_channel=False)
    assert (grey == grey[..., :1]).all() and len(np.unique(grey)) > 10
    assert (run("smooth_field", pixels, sigma=0)[0] == pixels).all()
    drawn = np.array([run("smooth_field", pixels[:1, :1], copy, sigma=12)[1]["levels"] for copy in range(60)])
    assert drawn.std() == pytest.approx(12, rel=0.06) and abs(drawn.mean()) < 1
    assert parameters(params)["levels"] == params["levels"].tolist()
