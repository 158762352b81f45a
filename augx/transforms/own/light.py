"""Light: its colour (white_balance, gray_world), its falling off to the corners (vignette), its unevenness
(smooth_field).

Light adds up and is multiplied in linear light, not in the levels of a file. So gains are taken there, through the
curve of sRGB (IEC 61966-2-1), which makes each channel one table of levels.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, ClassVar

import cv2
import numpy as np

from augx.model import Json, Picture
from augx.seeds import Rng
from augx.transforms.own.base import _NO_BOXES, Array, Still, arg, number, span, switch, whole

LUMA = (0.2126, 0.7152, 0.0722)  # of linear RGB, ITU-R BT.709 and sRGB
_FROM_XYZ = (
    (3.2404542, -1.5371385, -0.4985314),
    (-0.9692660, 1.8760108, 0.0415560),
    (0.0556434, -0.2040259, 1.0572252),
)
_GAMMA = 2.2  # what the curve of sRGB comes to as a whole
_MOST_GAIN = 4.0  # two stops, of gray_world


@cache
def linear(deep: bool) -> Array:
    """The linear light, 0..1, of each level of 8 or 16 bits: 256 or 65536 float64."""
    shares = np.linspace(0, 1, 65536 if deep else 256)
    table: Array = np.where(shares <= 0.04045, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4)
    table.flags.writeable = False
    return table


def looked_up(levels: Array, table: Array) -> Array:
    """`table` has a value for each level of 8 or 16 bits."""
    found: Array = cv2.LUT(levels, table) if levels.dtype == np.uint8 else table[levels]
    return found


def encoded(light: Array) -> Array:
    """The other way: sRGB values, 0..1, of linear light; what is below 0 or above 1 is clipped."""
    light = np.clip(light, 0, 1)
    values: Array = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    return values


def planckian(kelvin: float) -> tuple[float, float, float]:
    """Linear sRGB of a black body's light at 1000..15000 K, of luma 1. The place on the locus: Krystek, An algorithm to
    calculate correlated colour temperature (1985)."""
    t = kelvin
    u = (0.860117757 + 1.54118254e-4 * t + 1.28641212e-7 * t * t) / (1 + 8.42420235e-4 * t + 7.08145163e-7 * t * t)
    v = (0.317398726 + 4.22806245e-5 * t + 4.20481691e-8 * t * t) / (1 - 2.89741816e-5 * t + 1.61456053e-7 * t * t)
    xyz = 1.5 * u / v, 1.0, (4 - u - 10 * v) / (2 * v)
    red, green, blue = (sum(a * b for a, b in zip(row, xyz, strict=True)) for row in _FROM_XYZ)
    return red, green, blue


def _of_luma_one(gains: Sequence[float]) -> list[float]:
    """So that white keeps its luma."""
    luma = sum(weight * gain for weight, gain in zip(LUMA, gains, strict=True))
    return [gain / luma for gain in gains]


def _amplified(picture: Picture, gains: Sequence[float]) -> Picture:
    """An RGB picture with the linear light of each channel multiplied."""
    pixels, deep = picture.pixels, picture.pixels.dtype == np.uint16
    levels = encoded(np.multiply.outer(linear(deep), gains)) * (65535 if deep else 255)
    tables = np.rint(levels).astype(pixels.dtype)
    if deep:
        changed = np.stack([tables[pixels[..., c], c] for c in range(3)], axis=2)
    else:
        changed = cv2.LUT(pixels, tables[None])
    return replace(picture, pixels=changed)


def _span_or_none(default: list[float], least: float, most: float) -> Any:
    one = {"type": "number", "minimum": least, "maximum": most}
    pair = {"type": "array", "prefixItems": [one, one], "minItems": 2, "maxItems": 2}
    return arg(default, anyOf=[pair, {"type": "null"}])


@dataclass(frozen=True)
class WhiteBalance(Still):
    """The picture under light of another colour, taken by a camera that does not know it. Grey pictures stay.

    A camera balances with one gain per channel in linear light (von Kries, 1902); an error there is a gain too. The
    cast's effect on trained nets, and why gains on the levels are no good model of it: Afifi and Brown, What Else Can
    Fool Deep Learning? (2019, arXiv:1912.06960); augmentation along the Planckian locus: Zini et al., Planckian Jitter
    (2022, arXiv:2202.07993).

    `temperature_range`: of the light, in kelvin, drawn evenly in mired (1e6 / kelvin), which is even to the eye. The
    camera stands at 6500 K: lower is warm (orange), higher is cool (blue). `gain_range`: of each channel besides, drawn
    log-uniformly. null switches one of them off. All three gains together leave white its luma.
    """

    name: ClassVar[str] = "white_balance"

    temperature_range: Json = _span_or_none([4500, 9500], 2000, 15000)
    gain_range: Json = _span_or_none([0.93, 1.075], 0.1, 10)

    def __post_init__(self) -> None:
        if self.temperature_range is None and self.gain_range is None:
            raise ValueError("temperature_range and gain_range are both null; give one of them")

    def draw(self, picture: Picture, rng: Rng, boxes: Array = _NO_BOXES) -> dict[str, Any]:
        drawn: dict[str, Any] = {}
        gains = [1.0, 1.0, 1.0]
        if self.temperature_range is not None:
            warm, cool = self.temperature_range
            drawn["temperature"] = kelvin = 1 / float(rng.numpy.uniform(1 / cool, 1 / warm))
            gains = [a / b for a, b in zip(planckian(kelvin), planckian(6500), strict=True)]
        if self.gain_range is not None:
            low, high = map(math.log, self.gain_range)
            gains = [gain * math.exp(rng.numpy.uniform(low, high)) for gain in gains]
        return {**drawn, "gains": _of_luma_one(gains)}

    def apply(self, picture: Picture, params: Mapping[str, Any]) -> Picture:
        return picture if picture.pixels.ndim == 2 else _amplified(picture, params["gains"])


@dataclass(frozen=True)
class GrayWorld(Still):
    """Takes out a colour cast: the channels get a common mean, in linear light. Grey pictures stay.

    Buchsbaum, A spatial processor model for object colour perception (1980): a scene is grey on average.

    `strength_range`: 0 leaves the picture, 1 makes the means equal. The luma of the mean stays. No gain goes beyond a
    factor of 4, as in a camera, so that a picture of almost one colour does not become noise; an empty channel stays.
    """

    name: ClassVar[str] = "gray_world"

    strength_range: Json = span([0.5, 1.0], 0, 1)

    def draw(self, picture: Picture, rng: Rng, boxes: Array = _NO_BOXES) -> dict[str, Any]:
        strength = float(rng.numpy.uniform(*self.strength_range))
        if picture.pixels.ndim == 2:
            return {"strength": strength}
        means = _means(picture.pixels)
        luma = sum(weight * mean for weight, mean in zip(LUMA, means, strict=True))
        gains = [min(max(luma / mean, 1 / _MOST_GAIN), _MOST_GAIN) ** strength if mean else 1.0 for mean in means]
        return {"strength": strength, "gains": gains}

    def apply(self, picture: Picture, params: Mapping[str, Any]) -> Picture:
        return picture if picture.pixels.ndim == 2 else _amplified(picture, params["gains"])


def _means(pixels: Array) -> list[float]:
    """Of the linear light of each channel, 0..1."""
    return list(cv2.mean(looked_up(pixels, linear(pixels.dtype == np.uint16).astype(np.float32)))[:3])


@dataclass(frozen=True)
class Vignette(Still):
    """Darker towards the corners, by the cos^4 law of a lens's natural vignetting (e.g. Goldman, Vignette and Exposure
    Calibration and Compensation, 2010).

    `strength_range`: the share of light lost at `radius` from the centre: 0.5 is one stop. `radius`: in half diagonals
    of the picture, so that 1 is the corner; beyond it the light goes on falling. `shift`: the centre lies at most so
    far from the picture's, in shares of its width and height.
    """

    name: ClassVar[str] = "vignette"

    strength_range: Json = span([0.2, 0.6], 0, 0.99)
    radius: float = number(1.0, 0.1, 4)
    shift: float = number(0.1, 0, 1)

    def draw(self, picture: Picture, rng: Rng, boxes: Array = _NO_BOXES) -> dict[str, Any]:
        strength = float(rng.numpy.uniform(*self.strength_range))
        x, y = rng.numpy.uniform(-self.shift, self.shift, 2).tolist()
        return {"strength": strength, "x": (0.5 + x) * picture.width, "y": (0.5 + y) * picture.height}

    def apply(self, picture: Picture, params: Mapping[str, Any]) -> Picture:
        pixels = picture.pixels
        height, width = pixels.shape[:2]
        # cos^4 = 1 / (1 + tan^2)^2, and tan grows in proportion to the distance
        slope = math.sqrt((1 - params["strength"]) ** -0.5 - 1) / (self.radius * math.hypot(width, height) / 2)
        across = ((np.arange(width) + 0.5 - params["x"]) * slope) ** 2
        down = ((np.arange(height) + 0.5 - params["y"]) * slope) ** 2
        left = cv2.pow(np.add.outer(1 + down, across).astype(np.float32), -2 / _GAMMA)
        return replace(picture, pixels=_multiplied(pixels, left))


def _multiplied(pixels: Array, factors: Array) -> Array:
    depth = cv2.CV_16U if pixels.dtype == np.uint16 else cv2.CV_8U
    factors = factors if pixels.ndim == 2 else cv2.merge([factors] * 3)
    return cv2.multiply(pixels, factors, dtype=depth)


@dataclass(frozen=True)
class SmoothField(Still):
    """Uneven light and a colour cast at once: a random field of low frequency is added to each channel.

    Values of a normal distribution stand on a grid over the picture, and between them the field is cubic (Keys, Cubic
    convolution interpolation, 1981).

    `knots`: the grid has so many by so many. `sigma`: of the values, in levels of 0..255 at any depth; 10 looks like
    lamps of several colours, 30 like no camera's picture. `per_channel`: a field for each; else one for all, which is
    light without colour.
    """

    name: ClassVar[str] = "smooth_field"

    knots: int = whole(3, 1, 32)
    sigma: float = number(30, 0, 255)
    per_channel: bool = switch(True)

    def draw(self, picture: Picture, rng: Rng, boxes: Array = _NO_BOXES) -> dict[str, Any]:
        knots, fields = int(self.knots), 3 if self.per_channel and picture.pixels.ndim == 3 else 1
        return {"levels": rng.numpy.normal(0, self.sigma, (knots, knots, fields)).round(3)}

    def apply(self, picture: Picture, params: Mapping[str, Any]) -> Picture:
        pixels = picture.pixels
        deep = pixels.dtype == np.uint16
        levels = (np.asarray(params["levels"]) * (257 if deep else 1)).astype(np.float32)
        field = cv2.resize(levels, (picture.width, picture.height), interpolation=cv2.INTER_CUBIC)
        if field.ndim < pixels.ndim:
            field = cv2.merge([field] * 3)
        changed: Array = cv2.add(pixels, field, dtype=cv2.CV_16U if deep else cv2.CV_8U)
        return replace(picture, pixels=changed)
