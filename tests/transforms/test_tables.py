"""Tables and colour matrices against the pixels that Albumentations makes."""

from __future__ import annotations

import json
import random

import cv2
import numpy as np
import pytest
import test_draws
from test_draws import FLAG, Args, Maker, either, of, several, span, whole

from augx.model import Picture
from augx.seeds import Rng
from augx.transforms import draws, draws_light
from augx.transforms.blurs import Blur
from augx.transforms.classical import Classical
from augx.transforms.door import defaults
from augx.transforms.draws_light import light
from augx.transforms.pipeline import parameters
from augx.transforms.problems import check
from augx.transforms.settings import chance
from augx.transforms.tones import Stage

RECIPES = 12  # of each transform
COPIES = 17  # of each recipe and kind of picture
# All 256 levels in each channel, not side by side; a picture of one pixel, which some treat in a way of its own.
_RAMP = np.arange(256, dtype=np.uint8)
PICTURES = {
    "grey": _RAMP.reshape(8, 32),
    "rgb": np.stack([_RAMP, np.roll(_RAMP[::-1], 40), np.roll(_RAMP, 101)], axis=-1).reshape(16, 16, 3),
    "one": np.array([[[10, 200, 77]]], np.uint8),
}
BITS = whole(1, 7)
SPACE: dict[str, dict[str, Maker]] = {
    "ChannelDropout": {"channel_drop_range": of([1, 1], [1, 2], [2, 2]), "fill": of(0, 255, 9.7)},
    "ChannelShuffle": {},
    "ColorJitter": {"brightness": either(span(0, 3), of(0)), "contrast": of([1, 1], 0), "saturation": of([1, 1], 0)},
    "ColorJitter saturation": {"brightness": of(0), "contrast": of(0), "saturation": of([0.3, 1.9], 1, 0.5, [0, 0])},
    "GaussianBlur": {
        "blur_limit": either(whole(0, 9), of([3, 3], [3, 7], [5, 121])),
        "sigma_limit": either(several(span(0.2, 5), 2), of([0.2, 0.3], [5, 40])),
    },
    "HueSaturationValue": {"hue_shift_limit": span(-90, 90), "val_shift_limit": span(-99, 99)},
    "InvertImg": {},
    "MultiplicativeNoise": {"multiplier": several(of(1, 1.1), 2), "per_channel": FLAG},
    "PlanckianJitter": {
        "mode": of("blackbody", "cied"),
        "temperature_limit": of(None, [4000, 9000], [5900, 15000], [6000, 6000], [4000, 15000]),
        "sampling_method": of("uniform", "gaussian"),
    },
    "Posterize": {"num_bits": either(BITS, several(BITS, 2), several(several(BITS, 2), 3))},
    "RGBShift": {f"{channel}_shift_limit": either(span(-90, 90), span(-1, 1)) for channel in "rgb"},
    "RandomBrightnessContrast": {
        "brightness_limit": span(-1.5, 1.5),
        "contrast_limit": span(-2.5, 2.5),
        "ensure_safe_range": FLAG,
    },
    "RandomGamma": {"gamma_limit": either(span(1, 400), of([1, 1], [1000, 2000]))},
    "RandomToneCurve": {"scale": of(0, 0.1, 0.5, 1), "per_channel": FLAG},
    "Solarize": {"threshold_range": of([0, 1], [0.5, 0.5], [0, 0], [1, 1], [0.2, 0.6])},
    "ToGray": {"method": of("weighted_average", "average")},
    "ToRGB": {},
    "ToSepia": {},
}
FIXED = {"ColorJitter": {"hue": 0}}  # whose defaults are no matter of single pixels


def recipes(case: str) -> list[tuple[str, Args]]:
    name, rng, found = case.split()[0], random.Random(case), []
    while len(found) < (RECIPES if SPACE[case] else 1):
        args = {key: make(rng) for key, make in SPACE[case].items() if rng.random() < 0.7 or name in FIXED}
        args |= FIXED.get(name, {})
        if not check(name, args):
            found.append((name, args))
    return found


def done(pixels: np.ndarray, stages: tuple[Stage, ...]) -> np.ndarray:
    for stage in stages:
        if isinstance(stage, Blur):
            pixels = stage.over(pixels)
        elif stage.dtype == np.uint8:
            assert stage.shape == (256,) or (stage.shape == (256, 3) and pixels.ndim == 3)
            pixels = stage[pixels] if stage.ndim == 1 else cv2.LUT(pixels, stage[None])
        else:
            assert stage.shape == (3, 4) and stage.dtype == np.float64
            pixels = np.rint((pixels @ stage[:, :3].T + stage[:, 3]).clip(0, 255)).astype(np.uint8)
    return pixels


@pytest.mark.parametrize("case", SPACE)
def test_tables_and_draws_are_those_of_albumentations(case: str) -> None:
    drawn = 0
    for number, (name, args) in enumerate(recipes(case)):
        step, transform, rng, other = light(name, args), Classical(name, args), Rng(), Rng()
        assert step is not None
        for kind, pixels in PICTURES.items():
            picture, channels = Picture(pixels), 1 if pixels.ndim == 2 else 3
            if not step.suits(channels):
                continue
            for copy in range(COPIES if SPACE[case] else COPIES * RECIPES):
                place, where = (number, kind, copy, "0"), (name, args, kind, copy)
                expected = transform.draw(picture, rng.at(*place))
                found = step.draw(picture.width, picture.height, channels, other.at(*place))
                assert json.dumps(parameters(found)) == json.dumps(parameters(expected)), where
                assert rng.python.random() == other.python.random() and rng.numpy.random() == other.numpy.random()
                stages = step.stages(found, channels)
                want, have = transform.apply(picture, expected).pixels, done(pixels, stages)
                assert want.shape == have.shape and want.dtype == have.dtype
                off = name != "ChannelShuffle" and any(
                    not isinstance(stage, Blur) and stage.dtype != np.uint8 for stage in stages
                )
                assert np.abs(want.astype(int) - have).max() <= off, where
                drawn += 1
    assert drawn >= 200


def test_every_transform_is_tested_and_comes_as_often() -> None:
    moving, lights = ({case.split()[0] for case in space} for space in (test_draws.SPACE, SPACE))
    assert moving == draws._DRAWS.keys() and lights == draws_light._LIGHTS
    assert {name: chance(name) for name in moving | lights} == {name: defaults(name)["p"] for name in moving | lights}
