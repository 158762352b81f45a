"""Ranges that reach where nothing of the picture is left. The bounds are measured: `tests/bench/survival.py`."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from augx.errors import Problem
from augx.lint.places import Placed, everything, problem
from augx.model import Json
from augx.recipe import Recipe

_WIDE = 512  # pixels, of the photos that were measured


def _around_0(number: float) -> tuple[float, ...]:
    return -number, number


def _around_1(number: float) -> tuple[float, ...]:
    return max(0.0, 1 - number), 1 + number


def _from_1(number: float) -> tuple[float, ...]:
    return 1.0, number


@dataclass(frozen=True, slots=True)
class _Bounds:
    """What most photos survive: `low` <= value <= `high`. `becomes`: of the others. `pixels`: grows with the picture.

    `alone`: the ends of the range that Albumentations means by a number alone.
    """

    low: float
    high: float
    becomes: str
    pixels: bool = False
    alone: Callable[[float], tuple[float, ...]] = lambda number: (number,)


_INF = math.inf
_WHITE, _BLACK, _GREY = "all white", "all black", "of one grey"
_BLUR = "a blur without any shape"
_BOUNDS: Mapping[tuple[str, str], tuple[_Bounds, ...]] = {
    ("RandomBrightnessContrast", "brightness_limit"): (
        _Bounds(-_INF, 0.8, _WHITE, alone=_around_0), _Bounds(-0.75, _INF, _BLACK, alone=_around_0)),
    ("RandomBrightnessContrast", "contrast_limit"): (
        _Bounds(-0.85, _INF, _BLACK, alone=_around_0),
        _Bounds(-_INF, 6, "nothing but black and white", alone=_around_0)),
    ("ColorJitter", "brightness"): (
        _Bounds(0.12, _INF, _BLACK, alone=_around_1), _Bounds(-_INF, 9, _WHITE, alone=_around_1)),
    ("ColorJitter", "contrast"): (_Bounds(0.12, _INF, _GREY, alone=_around_1),),
    ("RandomGamma", "gamma_limit"): (_Bounds(4.5, _INF, _WHITE, alone=_from_1),),
    ("HueSaturationValue", "val_shift_limit"): (
        _Bounds(-_INF, 230, _WHITE, alone=_around_0), _Bounds(-200, _INF, _BLACK, alone=_around_0)),
    ("GaussNoise", "mean_range"): (_Bounds(-_INF, 0.8, _WHITE), _Bounds(-0.8, _INF, _BLACK)),
    ("MultiplicativeNoise", "multiplier"): (_Bounds(0.12, _INF, _BLACK), _Bounds(-_INF, 9, _WHITE)),
    ("SaltAndPepper", "amount"): (_Bounds(-_INF, 0.82, "nothing but noise"),),
    ("PixelDropout", "dropout_prob"): (_Bounds(-_INF, 0.95, "a few single pixels"),),
    ("GridDropout", "ratio"): (_Bounds(-_INF, 0.75, "a grid with hardly a gap"),),
    ("Blur", "blur_limit"): (_Bounds(-_INF, 60, _BLUR, pixels=True),),
    ("MedianBlur", "blur_limit"): (_Bounds(-_INF, 81, _BLUR, pixels=True),),
    ("MotionBlur", "blur_limit"): (_Bounds(-_INF, 55, "a smear without any shape", pixels=True),),
    ("GaussianBlur", "sigma_limit"): (_Bounds(-_INF, 32, _BLUR, pixels=True),),
    ("Defocus", "radius"): (_Bounds(-_INF, 34, _BLUR, pixels=True),),
    ("ZoomBlur", "max_factor"): (_Bounds(-_INF, 1.7, "streaks around the middle"),),
    ("Downscale", "scale_range"): (_Bounds(0.06, _INF, "a few large squares"),),
    ("RandomScale", "scale_limit"): (_Bounds(-0.9, _INF, "but a few pixels large", alone=_around_0),),
    ("Affine", "scale"): (
        _Bounds(0.14, _INF, "a speck in an empty picture"), _Bounds(-_INF, 7, "a few pixels made large")),
    ("Affine", "translate_percent"): (
        _Bounds(-0.85, _INF, "moved out of sight"), _Bounds(-_INF, 0.85, "moved out of sight")),
    ("Affine", "shear"): (_Bounds(-80, _INF, "drawn out to lines"), _Bounds(-_INF, 80, "drawn out to lines")),
    ("ShiftScaleRotate", "shift_limit"): (
        _Bounds(-0.85, _INF, "moved out of sight", alone=_around_0),
        _Bounds(-_INF, 0.85, "moved out of sight", alone=_around_0)),
    ("ShiftScaleRotate", "scale_limit"): (
        _Bounds(-0.86, _INF, "a speck in an empty picture", alone=_around_0),
        _Bounds(-_INF, 6, "a few pixels made large", alone=_around_0)),
    ("RandomResizedCrop", "scale"): (_Bounds(0.02, _INF, "a few pixels made large"),),
    ("ThinPlateSpline", "scale_range"): (_Bounds(-_INF, 0.3, "torn and folded over itself"),),
}  # fmt: skip
_MOST_FOLD = 12.0  # ElasticTransform: alpha in squares of sigma


def findings(recipe: Recipe, width: float = _WIDE) -> Iterator[Problem]:
    """`width`: of the usual picture; larger ones bear larger kernels."""
    for one in everything(recipe):
        if one.chance == 0:
            continue
        for argument, value in one.step.args.items():
            for bounds in _BOUNDS.get((one.step.name, argument), ()):
                yield from _passed(recipe, one, argument, value, bounds, width)
        yield from _folded(recipe, one)


def _passed(
    recipe: Recipe, one: Placed, argument: str, value: Json, bounds: _Bounds, width: float
) -> Iterator[Problem]:
    grown = max(1.0, width / _WIDE) if bounds.pixels else 1.0
    low, high = bounds.low, bounds.high * grown
    for end in _ends(value, bounds.alone):
        if low <= end <= high:
            continue
        most = f"at most {high:g}" if end > high else f"at least {low:g}"
        for_size = f" for pictures {round(max(width, _WIDE))} pixels wide" if bounds.pixels else ""
        message = f"{one.step.name}.{argument} reaches {end:g}, where the picture is {bounds.becomes}"
        yield problem(recipe.name, "range-destroys", one.argument(argument), message, f"{most}{for_size}")
        return


def _folded(recipe: Recipe, one: Placed) -> Iterator[Problem]:
    if one.step.name != "ElasticTransform":
        return
    alpha, sigma = (float(one.step.args.get(key, other)) for key, other in (("alpha", 1.0), ("sigma", 50.0)))
    if alpha > (most := _MOST_FOLD * sigma**2):
        message = f"ElasticTransform with alpha {alpha:g} and sigma {sigma:g} folds the picture over itself"
        yield problem(recipe.name, "range-destroys", one.argument("alpha"), message, f"alpha at most {most:g}")


def _ends(value: Json, alone: Callable[[float], tuple[float, ...]]) -> Iterator[float]:
    """Both ends of a range, of each axis, as far as they are numbers."""
    if isinstance(value, dict):
        for one in value.values():
            yield from _ends(one, alone)
    elif isinstance(value, list):
        yield from (float(one) for one in value if isinstance(one, (int, float)))
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield from alone(float(value))
