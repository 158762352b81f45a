"""What is said of wrong arguments."""

from __future__ import annotations

from typing import Any

import pytest

from augx.transforms.problems import check


@pytest.mark.parametrize(
    ("name", "args", "path", "message", "suggestion"),
    [
        ("Affine", {"rotat": 3}, ("rotat",), "no such argument", "did you mean 'rotate'?"),
        ("HorizontalFlip", {"q": 1}, ("q",), "no such argument", "it takes p only"),
        ("CoarseDropout", {"value": 1}, ("value",), "no such argument", "did you mean 'fill'?"),
        ("Affine", {"rotate": "x"}, ("rotate",), "expected a number or [low, high], got 'x'", ""),
        ("Affine", {"rotate": None}, ("rotate",), "expected a number or [low, high], got null", ""),
        ("Affine", {"rotate": [1, 2, 3]}, ("rotate",), "expected a number or [low, high], got [1, 2, 3]", ""),
        ("Affine", {"scale": [0.9, "b"]}, ("scale", 1), "expected a number, got 'b'", ""),
        ("Affine", {"shear": {"z": 1}}, ("shear", "z"), "no such key, x and y are known", ""),
        ("Rotate", {"limit": [40, 10]}, ("limit",), "low must come first, got [40, 10]", ""),
        ("Resize", {"height": 5}, (), "needs the argument 'width'", "a whole number of at least 1"),
        (
            "Blur",
            {"blur_limit": [2, 6]},
            ("blur_limit",),
            "kernel sizes must be odd, at least 3, low first, got [2, 6]",
            "",
        ),
        ("GaussNoise", {"std_range": [0.5, 2]}, ("std_range",), "must be between 0 and 1, got [0.5, 2.0]", ""),
        (
            "AdditiveNoise",
            {"noise_type": "uniforn"},
            ("noise_type",),
            "expected uniform, gaussian, laplace or beta, got 'uniforn'",
            "did you mean 'uniform'?",
        ),
        (
            "AdditiveNoise",
            {"noise_type": "gaussian", "noise_params": {"mean_range": [0, 0]}},
            ("noise_params", "std_range"),
            "is needed for this noise_type",
            "",
        ),
        ("CropAndPad", {"px": 1, "percent": 0.1}, (), "Only px or percent may be set", ""),
        ("Crop", {"x_min": 5, "x_max": 3}, (), "x_max must be greater than x_min", ""),
        (
            "PlasmaShadow",
            {"plasma_size": 3},
            ("plasma_size",),
            "no such argument",
            "it takes shadow_intensity_range, roughness",
        ),
        ("ToGray", {"num_output_channels": 2}, ("num_output_channels",), "expected 1 or 3, got 2", ""),
        ("Pad", {"padding": 10**9}, ("padding",), "1000000000 is too large, the most is 8192", ""),
        ("Resize", {"height": 60000, "width": 60000}, (), "a picture of 60000x60000 pixels is too large", ""),
        ("Sharpen", {"kernel_size": 4}, ("kernel_size",), "must be odd, got 4", ""),
        (
            "LongestMaxSize",
            {"max_size_hw": [None, None]},
            ("max_size_hw",),
            "at least one of the two must be a number",
            "",
        ),
        (
            "Posterize",
            {"num_bits": [3, 9]},
            ("num_bits",),
            "expected a whole number from 1 to 7, [low, high] or a list of [low, high], got [3, 9]",
            "",
        ),
        ("RandomScale", {"scale_limit": [-2, 0]}, ("scale_limit", 0), "expected a number above -1, got -2", ""),
        ("SomeOf", {"n": 0}, ("n",), "expected a whole number of at least 1, got 0", ""),
        ("os", {}, (), "unknown transform", ""),
    ],
)
def test_wrong_arguments(name: str, args: dict[str, Any], path: tuple[Any, ...], message: str, suggestion: str) -> None:
    (problem,) = check(name, args)
    assert (problem.path, problem.message, problem.suggestion) == (path, message, suggestion)


def test_all_problems_at_once_and_one_for_each_argument() -> None:
    problems = check("Resize", {"height": 0, "width": True, "interpolation": "bilinear"})
    assert [problem.path for problem in problems] == [("height",), ("width",), ("interpolation",)]


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("ShiftScaleRotate", {}),  # these four are warned about by Albumentations, without need
        ("TimeReverse", {}),
        ("TimeMasking", {}),
        ("PiecewiseAffine", {}),
        ("Resize", {"height": 1e3, "width": 10, "interpolation": "area"}),
        ("Downscale", {"interpolation_pair": {"upscale": "linear", "downscale": "area"}}),
        ("Affine", {"scale": {"x": [0.9, 1.1], "y": 1}}),
        ("Posterize", {"num_bits": [3, 5]}),
        ("SomeOf", {"n": 2, "replace": True}),
        ("OneOf", {}),
    ],
)
def test_right_arguments(name: str, args: dict[str, Any]) -> None:
    assert check(name, args) == []
