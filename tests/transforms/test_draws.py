"""What augx draws itself, against Albumentations drawing from the same generators."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from augx.errors import ImageError
from augx.model import Picture
from augx.seeds import Rng
from augx.transforms.classical import Classical
from augx.transforms.draws import geometry
from augx.transforms.draws_light import light
from augx.transforms.pipeline import parameters
from augx.transforms.problems import check
from augx.transforms.warps import Matrix

Args = dict[str, Any]
Maker = Callable[[random.Random], Args]

SIZES = [(1, 1), (2, 1), (1, 5), (3, 3), (16, 16), (31, 20), (20, 33), (300, 2), (2, 90), (64, 48)]
LARGE = [(500, 375), (1081, 1920), (4000, 3000)]
RECIPES = 20  # of each transform
COPIES = 2  # of each size
POSITIONS = ["center", "top_left", "top_right", "bottom_left", "bottom_right", "random"]
BORDERS = ["constant", "replicate", "reflect", "wrap", "reflect_101", 0, 4]


def span(low: float, high: float) -> Maker:
    """A number or a pair, often whole."""

    def make(rng: random.Random) -> Any:
        digits = rng.choice([0, 1, 3])
        pair = sorted(round(rng.uniform(low, high), digits) for _ in range(2))
        pair = [int(one) if digits == 0 and rng.random() < 0.5 else one for one in pair]
        return rng.choice([pair, pair, pair[1], [pair[1], pair[1]]])

    return make


def axes(low: float, high: float) -> Maker:
    one = span(low, high)

    def make(rng: random.Random) -> Any:
        return rng.choice([one(rng), {"x": one(rng), "y": one(rng)}, {"x": one(rng)}, {"y": one(rng)}])

    return make


def whole(low: int, high: int) -> Maker:
    return lambda rng: float(rng.randint(low, high)) if rng.random() < 0.1 else rng.randint(low, high)


def of(*values: Any) -> Maker:
    return lambda rng: rng.choice(values)


def several(make: Maker, count: int) -> Maker:
    return lambda rng: [make(rng) for _ in range(count)]


def either(*makers: Maker) -> Maker:
    return lambda rng: rng.choice(makers)(rng)


FLAG = of(True, False)
BORDER = {"border_mode": of(*BORDERS), "fill": of(0, 7, 9.5, [1, 2, 3]), "fill_mask": of(0, 3, [4, 5, 6])}
WARPS = {**BORDER, "interpolation": of("nearest", "linear", "cubic", 4)}
RESIZES = {"interpolation": of("linear", "area", "nearest_exact", 1), "area_for_downscale": of(None, "image")}
PADS = {"pad_if_needed": FLAG, "pad_position": of(*POSITIONS), **BORDER}
SIDE = whole(1, 40)
STRIP = either(of([1, 2], [-3, 4]), of([-1], [2, 5, -4]))
# Name -> the arguments it may have, those it must have.
SPACE: dict[str, tuple[dict[str, Maker], str]] = {
    **{name: ({}, "") for name in ("NoOp", "HorizontalFlip", "VerticalFlip", "Transpose", "TimeReverse")},
    **{name: ({}, "") for name in ("RandomRotate90", "D4", "SquareSymmetry")},
    "Affine": (
        {
            "scale": axes(0.1, 2.5),
            "translate_percent": either(axes(-0.8, 0.8), of(None)),
            "rotate": span(-400, 400),
            "shear": axes(-70, 70),
            "fit_output": FLAG,
            "balanced_scale": FLAG,
            **WARPS,
        },
        "",
    ),
    "Affine kept": ({"scale": span(0.3, 2), "keep_ratio": of(True), "balanced_scale": FLAG, **WARPS}, "keep_ratio"),
    "Affine px": ({"translate_px": axes(-30, 30), "rotate": span(-9, 9), "fit_output": FLAG}, "translate_px"),
    "Rotate": ({"limit": span(-200, 200), "crop_border": FLAG, **WARPS}, ""),
    "SafeRotate": ({"limit": span(-200, 200), **WARPS}, ""),
    "ShiftScaleRotate": (
        {
            "shift_limit": span(-0.9, 0.9),
            "shift_limit_x": either(span(-0.9, 0.9), of(None)),
            "shift_limit_y": span(-0.9, 0.9),
            "scale_limit": span(-0.9, 0.9),
            "rotate_limit": span(-200, 200),
            **WARPS,
        },
        "",
    ),
    "Perspective": ({"scale": span(0, 0.4), "keep_size": FLAG, "fit_output": FLAG, **WARPS}, ""),
    "Crop": ({"x_min": whole(0, 5), "y_min": whole(0, 5), "x_max": whole(6, 40), "y_max": whole(6, 40), **PADS}, ""),
    "CenterCrop": ({"height": SIDE, "width": SIDE, **PADS}, "height width"),
    "RandomCrop": ({"height": SIDE, "width": SIDE, **PADS}, "height width"),
    "RandomCropFromBorders": (
        {f"crop_{side}": of(0, 0.1, 0.3, 0.5, 0.05) for side in ("left", "top", "right", "bottom")},
        "",
    ),
    "RandomCropFromBorders all": ({"crop_left": of(1, 0.9), "crop_right": of(0)}, "crop_left crop_right"),
    "RandomResizedCrop": (
        {
            "size": several(SIDE, 2),
            "scale": of([0.08, 1], [0, 0.01], [1, 1], [0, 0]),
            "ratio": of([0.75, 1.3], [1, 1], [3, 9], [0.01, 0.02], [0, 1]),
            **RESIZES,
        },
        "size",
    ),
    "RandomSizedCrop": (
        {
            "size": several(SIDE, 2),
            "min_max_height": of([3, 9], [9, 3], 7, 1, [2.5, 20.5], [40, 60]),
            "w2h_ratio": of(1, 0.3, 2.5),
            **RESIZES,
        },
        "size min_max_height",
    ),
    "CropAndPad": (
        {
            "px": either(whole(-9, 9), several(whole(-9, 9), 4), several(STRIP, 4), of([-9, 9], [-3, 1], [5, 5])),
            "keep_size": FLAG,
            "sample_independently": FLAG,
            **WARPS,
            "fill": of(0, 7, 9.5),
            "fill_mask": of(0, 3, [4, 5], [4, 5, 6], [7]),
        },
        "px",
    ),
    "CropAndPad percent": (
        {
            "percent": either(of(-0.2, 1, 0.3), several(of(-0.4, 0.2, 0), 4), several(of([-0.3, 0.3]), 4), span(-1, 1)),
            "sample_independently": FLAG,
            "keep_size": FLAG,
        },
        "percent",
    ),
    "Pad": ({"padding": either(whole(0, 9), several(whole(0, 9), 2), several(whole(0, 9), 4)), **BORDER}, ""),
    "PadIfNeeded": (
        {"min_height": SIDE, "min_width": SIDE, "position": of(*POSITIONS), **BORDER},
        "min_height min_width",
    ),
    "PadIfNeeded divided": (
        {
            "min_height": of(None),
            "pad_height_divisor": whole(1, 40),
            "min_width": of(None),
            "pad_width_divisor": whole(1, 40),
            "position": of(*POSITIONS),
        },
        "min_height min_width pad_height_divisor pad_width_divisor",
    ),
    "Resize": ({"height": SIDE, "width": SIDE, **RESIZES}, "height width"),
    "LongestMaxSize": ({"max_size": either(SIDE, several(SIDE, 3)), **RESIZES}, "max_size"),
    "LongestMaxSize hw": ({"max_size_hw": of([9, 30], [None, 20], [20.0, None])}, "max_size_hw"),
    "SmallestMaxSize": ({"max_size": either(whole(1, 8), several(whole(1, 8), 3)), **RESIZES}, "max_size"),
    "SmallestMaxSize hw": ({"max_size_hw": of([9, 8], [None, 7], [6, None])}, "max_size_hw"),
    "RandomScale": ({"scale_limit": span(-0.95, 1.5), **RESIZES}, ""),
}


def recipes(case: str) -> list[tuple[str, Args]]:
    name, (space, needed) = case.split()[0], SPACE[case]
    rng, found = random.Random(case), []
    while len(found) < (RECIPES if space else 1):
        args = {key: make(rng) for key, make in space.items() if key in needed.split() or rng.random() < 0.6}
        if not check(name, args):
            found.append((name, args))
    return found


def ours(name: str, args: Args, width: int, height: int, rng: Rng) -> tuple[Any, ...]:
    step = geometry(name, args)
    assert step is not None
    try:
        params = step.draw(width, height, rng)
    except ImageError as error:
        return error.code, error.message, error.stage
    return params, step.warp(params, width, height)


def theirs(transform: Classical, width: int, height: int, rng: Rng, applied: bool = True) -> tuple[Any, ...]:
    picture = Picture(np.broadcast_to(np.uint8(0), (height, width)))
    try:
        params = transform.draw(picture, rng)
        if applied:  # much of what cannot be done is only said then
            transform.apply(picture, params)
        return params, transform.warp(picture, params)
    except ImageError as error:
        return error.code, error.message, error.stage


@pytest.mark.parametrize("case", SPACE)
def test_draws_and_warps_are_those_of_albumentations(case: str) -> None:
    drawn = failed = 0
    for number, (name, args) in enumerate(recipes(case)):
        transform, rng, other = Classical(name, args), Rng(), Rng()
        for width, height in SIZES:
            for copy in range(COPIES if SPACE[case][0] else COPIES * RECIPES):
                place, where = (number, f"{width}x{height}", copy, "0"), (name, args, width, height, copy)
                expected = theirs(transform, width, height, rng.at(*place))
                found = ours(name, args, width, height, other.at(*place))
                if isinstance(expected[0], str) or isinstance(found[0], str):
                    assert found == expected, where
                    failed += 1
                    continue
                drawn += 1
                alike(found, expected, where)
                assert rng.python.random() == other.python.random()  # and nothing more is drawn
                assert rng.numpy.random() == other.numpy.random()
    assert drawn >= 100 and drawn + failed >= 200


@pytest.mark.parametrize("case", SPACE)
def test_draws_for_large_pictures(case: str) -> None:
    drawn = 0
    for number, (name, args) in enumerate(recipes(case)[:8]):
        transform, rng = Classical(name, args), Rng()
        for width, height in LARGE:
            place = (number, f"{width}x{height}", 0, "0")
            found = ours(name, args, width, height, rng.at(*place))
            if isinstance(found[0], str):  # what is said there is tested above
                continue
            expected = theirs(transform, width, height, rng.at(*place), applied=False)
            alike(found, expected, (name, args, width, height))
            drawn += 1
    assert drawn or "all" in case


def alike(found: tuple[Any, ...], expected: tuple[Any, ...], where: tuple[Any, ...]) -> None:
    """The same in the manifest, byte for byte, and the same to `Classical.apply` and to labels."""
    (params, warp), (wanted, same_warp) = found, expected
    assert json.dumps(parameters(params)) == json.dumps(parameters(wanted)), where
    assert params["shape"] == wanted["shape"]
    if where[0] == "CropAndPad":  # draws these
        assert params["fill"] == wanted["fill"]
        assert params["fill_mask"] == (wanted["fill_mask"] if "fill_mask" in where[1] else None)
    same(warp, same_warp)


def same(found: Matrix | None, expected: Any) -> None:
    if expected is None:
        assert found is None
        return
    assert isinstance(found, Matrix) and isinstance(expected, Matrix)
    assert (found.width, found.height, found.bends) == (expected.width, expected.height, expected.bends)
    assert np.array_equal(found.values, expected.values, equal_nan=True)


@pytest.mark.parametrize("case", SPACE)
def test_albumentations_takes_what_is_drawn(case: str) -> None:
    picture = Picture(np.random.default_rng(1).integers(0, 256, (48, 64, 3), np.uint8))
    for number, (name, args) in enumerate(recipes(case)[:4]):
        transform, rng = Classical(name, args), Rng()
        found = ours(name, args, 64, 48, rng.at(number, "a", 0, "0"))
        if not isinstance(found[0], str):
            want = transform.apply(picture, transform.draw(picture, rng.at(number, "a", 0, "0")))
            assert np.array_equal(transform.apply(picture, found[0]).pixels, want.pixels)


def test_what_a_step_says_besides() -> None:
    step = geometry("Affine", {"border_mode": "reflect_101", "fill": [1, 2, 3], "interpolation": "cubic"})
    assert step is not None
    said = step.settings
    assert (said.border_mode, said.fill, said.fill_mask, said.interpolation) == (4, [1, 2, 3], None, 2)
    step = geometry("Resize", {"height": 20.0, "width": 30, "area_for_downscale": "image"})
    assert step is not None
    assert (step.settings.interpolation, step.settings.area_for_downscale, step.settings.height) == (1, "image", 20)


def test_what_is_left_to_albumentations() -> None:
    assert geometry("CropAndPad", {"px": 3, "fill": [1, 2]}) is None  # a grey picture would draw otherwise
    assert geometry("CropAndPad", {"px": [3, [1, 2], 0, 0]}) is None
    assert geometry("ElasticTransform", {}) is None is geometry("BBoxSafeRandomCrop", {})
    assert geometry("RandomGamma", {}) is None is light("Affine", {})
    assert light("ColorJitter", {}) is None is light("RandomBrightnessContrast", {"brightness_by_max": False})
    assert light("MultiplicativeNoise", {"elementwise": True}) is None is light("CLAHE", {})
    for name, args, grey, colour in (
        ("ColorJitter", {"contrast": 0}, True, False),
        ("ColorJitter", {"contrast": 0, "hue": 0, "brightness": 0}, True, True),
        ("ColorJitter", {"contrast": 0, "hue": 0, "brightness": 0, "saturation": [0, 2.5]}, True, False),
        ("HueSaturationValue", {}, True, False),
        ("Posterize", {"num_bits": [[1, 2], [3, 4], [5, 6]]}, False, True),
        ("ToGray", {"method": "pca"}, True, False),
        ("ToGray", {"num_output_channels": 1}, True, False),
        ("ToSepia", {}, False, True),
    ):
        step = light(name, args)
        assert step is not None and (step.suits(1), step.suits(3)) == (grey, colour), (name, args)


def test_nothing_of_it_imports_albumentations() -> None:
    script = "import sys, augx.transforms.draws_light, augx.transforms.draws as d; "
    script += "d.geometry('Rotate', {}); assert not {'albumentations', 'pydantic', 'scipy'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", script], check=True)
