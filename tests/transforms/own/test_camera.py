"""Sensor noise against its variance, JPEG against OpenCV's own."""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np
import pytest

from augx.errors import ImageError
from augx.model import Picture
from augx.seeds import Rng
from augx.transforms.own.base import make
from augx.transforms.own.light import linear


def run(name: str, pixels: Any, copy: int = 0, **args: Any) -> tuple[Any, dict[str, Any]]:
    transform, before = make(name, args), pixels.copy()
    params = transform.draw(Picture(pixels), Rng().at(7, "a.png", copy, "0"))
    made = transform.apply(Picture(pixels), params).pixels
    assert (pixels == before).all()
    assert made.shape == pixels.shape and made.dtype == pixels.dtype and made.flags.c_contiguous
    return made, params


def scene(height: int = 61, width: int = 83) -> Any:
    y, x = np.mgrid[:height, :width]
    return np.stack([x * 3 % 256, y * 4 % 256, (x + y) % 256], axis=2).astype(np.uint8)


def variance(light: float, iso: float, gain: float) -> float:
    shot = iso * 1e-6
    return gain**2 * (shot * light / gain + math.exp(2.18 * math.log(shot) + 1.2))


@pytest.mark.parametrize("name", ["sensor_noise", "jpeg_generations"])
def test_any_size(name: str) -> None:
    for size in [(1, 1), (1, 4), (4, 1), (2, 2), (9, 17)]:
        for pixels in (scene(*size), scene(*size)[..., 0].copy()):
            assert (run(name, pixels)[0] == run(name, pixels)[0]).all()


def test_noise_of_a_colour_sensor_has_the_models_variance() -> None:
    flat = np.full((400, 400, 3), (40000, 30000, 20000), np.uint16)
    made, params = run("sensor_noise", flat, iso_range=[800, 800])
    assert params["iso"] == pytest.approx(800)
    noise = linear(True)[made] - linear(True)[flat]
    assert np.abs(noise.mean(axis=(0, 1))).max() < 2e-4
    for c, gain in enumerate((2.15, 1.0, 1.7)):
        wanted = variance(float(linear(True)[flat[0, 0, c]]), 800, gain)
        # At its own sites all of it; between two of them half, between four a quarter.
        shares = {0: [1, 0.5, 0.5, 0.25], 1: [0.25, 1, 1, 0.25], 2: [0.25, 0.5, 0.5, 1]}[c]
        found = [noise[y::2, x::2, c].var() / wanted for y in (0, 1) for x in (0, 1)]
        assert found == pytest.approx(shares, rel=0.04)
    together = np.corrcoef(noise.reshape(-1, 3).T)
    assert np.abs(together - np.eye(3)).max() < 0.02


def test_noise_of_a_grey_sensor() -> None:
    flat = np.full((300, 300), 30000, np.uint16)
    for iso in (100, 3200, 25600):
        made, _ = run("sensor_noise", flat, iso_range=[iso, iso])
        noise = linear(True)[made] - linear(True)[30000]
        assert noise.var() == pytest.approx(variance(float(linear(True)[30000]), iso, 1), rel=0.03)
        assert abs(np.corrcoef(noise[:, 1:].ravel(), noise[:, :-1].ravel())[0, 1]) < 0.02


def test_noise_is_the_same_at_both_depths() -> None:
    pixels = scene(64, 96)
    shallow, _ = run("sensor_noise", pixels, iso_range=[1600, 1600])
    deep, _ = run("sensor_noise", pixels.astype(np.uint16) * 257, iso_range=[1600, 1600])
    assert np.abs(deep / 257 - shallow).max() <= 0.56
    grey, _ = run("sensor_noise", pixels[..., 0].copy(), iso_range=[1600, 1600])
    deep, _ = run("sensor_noise", pixels[..., 0].astype(np.uint16) * 257, iso_range=[1600, 1600])
    assert np.abs(deep / 257 - grey).max() <= 0.56


def test_iso_is_drawn_log_uniformly_and_matters() -> None:
    drawn = [run("sensor_noise", scene(1, 1), copy)[1]["iso"] for copy in range(300)]
    assert 100 <= min(drawn) < 115 and 2800 < max(drawn) <= 3200
    assert np.median(drawn) == pytest.approx(math.sqrt(100 * 3200), rel=0.2)
    pixels = np.full((64, 64, 3), 118, np.uint8)  # mid grey
    spread = [run("sensor_noise", pixels, iso_range=[iso, iso])[0].astype(float).std() for iso in (100, 800, 3200)]
    assert 0.8 < spread[0] < 1.5 and spread[1] / spread[0] > 2 and 5 < spread[2] < 9
    made = run("sensor_noise", np.zeros((8, 8, 3), np.uint8), iso_range=[25600, 25600])[0]
    assert made.max() > 0


@pytest.mark.parametrize("grey", [False, True])
def test_jpeg_is_what_opencv_writes_and_reads(grey: bool) -> None:
    pixels = scene()[..., 0].copy() if grey else scene()
    made, params = run("jpeg_generations", pixels, generations_range=[3, 3])
    assert len(params["qualities"]) == len(params["shifts"]) == 3
    wanted = pixels if grey else pixels[..., ::-1]
    for quality, (x, y) in zip(params["qualities"], params["shifts"], strict=True):
        assert 50 <= quality <= 90 and 1 <= x <= 7 and 1 <= y <= 7
        padded = np.pad(wanted, ((y, 0), (x, 0), (0, 0))[: pixels.ndim], mode="edge")
        file = cv2.imencode(".jpg", padded, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        wanted = cv2.imdecode(file, cv2.IMREAD_UNCHANGED)[y:, x:]
    assert (made == (wanted if grey else wanted[..., ::-1])).all()


def test_jpeg_without_shift_settles_and_with_it_does_not() -> None:
    pixels = cv2.GaussianBlur(np.random.default_rng(3).integers(0, 256, (96, 96), np.uint8), (0, 0), 1)
    same: dict[str, Any] = {"quality_range": [60, 60]}

    def last_change(shift: bool) -> float:
        few, _ = run("jpeg_generations", pixels, generations_range=[7, 7], shift=shift, **same)
        more, _ = run("jpeg_generations", pixels, generations_range=[8, 8], shift=shift, **same)
        return float(np.abs(few.astype(float) - more).mean())

    assert last_change(False) < 0.05 < 0.5 < last_change(True)


def test_jpeg_moves_nothing() -> None:
    pixels = cv2.GaussianBlur(np.random.default_rng(4).integers(0, 256, (80, 80), np.uint8), (0, 0), 2)
    made = run("jpeg_generations", pixels, generations_range=[4, 4], quality_range=[95, 95])[0].astype(float)
    assert np.abs(made - pixels).max() <= 8
    still = np.abs(made[:, 1:] - pixels[:, 1:]).mean()
    assert still < 0.3 * np.abs(made[:, 1:] - pixels[:, :-1]).mean()


def test_jpeg_draws_evenly() -> None:
    drawn = [run("jpeg_generations", scene(1, 1), copy)[1] for copy in range(150)]
    assert {len(params["qualities"]) for params in drawn} == {2, 3, 4, 5}
    assert {x for params in drawn for shift in params["shifts"] for x in shift} == set(range(1, 8))
    assert "shifts" not in run("jpeg_generations", scene(1, 1), shift=False)[1]


def test_jpeg_refuses_what_it_cannot_hold() -> None:
    with pytest.raises(ImageError, match="8 bits only") as caught:
        run("jpeg_generations", np.zeros((4, 4), np.uint16))
    assert caught.value.code == "no-16-bit"
    with pytest.raises(ImageError, match="65500x1 is too large"):
        run("jpeg_generations", np.zeros((1, 65500), np.uint8))
