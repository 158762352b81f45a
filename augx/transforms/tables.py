"""What a pointwise transform does to 8-bit colours, as tables and colour matrices.

A table gives what Albumentations 2.0.8 gives, to the level: it is computed in the same precision and rounded, or cut
off, as there. A matrix may be off by one level, as OpenCV counts in ten bits; a shuffle of channels is not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Params = Mapping[str, Any]

_LEVELS = np.arange(256, dtype=np.float32)
_LUMA = np.array([9798, 19235, 3735]) / 2**15  # OpenCV's, for 8 bits
_SEPIA = ((0.393, 0.769, 0.189), (0.349, 0.686, 0.168), (0.272, 0.534, 0.131))

_STEP = 500  # kelvin
# Red, green and blue of a light, in 1/10000, every 500 kelvin: a black body, and daylight as the CIE has it.
_BLACK_BODY = """
6743 4029 0013  6281 4241 1665  5919 4372 2513  5623 4457 3154  5376 4515 3672  5163 4555 4103  4979 4584 4468
4816 4604 4782  4672 4619 5053  4542 4630 5289  4426 4638 5497  4320 4644 5681  4223 4648 5844  4135 4651 5990
4054 4653 6121  3980 4654 6239  3911 4655 6346  3847 4656 6444  3787 4656 6532  3732 4656 6613  3680 4655 6688
3632 4655 6756  3586 4655 6820  3544 4654 6878  3503 4653 6933"""
_DAYLIGHT = """
5829 4421 2288  5510 4514 2948  5246 4576 3488  5021 4618 3941  4826 4646 4325  4654 4667 4654  4502 4681 4938
4364 4692 5186  4240 4700 5403  4127 4705 5594  4023 4709 5763  3928 4713 5914  3839 4715 6049  3757 4716 6171
3681 4717 6281  3609 4718 6380  3543 4719 6472  3480 4719 6555  3421 4719 6631  3365 4719 6702  3313 4719 6766
3263 4719 6826  3217 4719 6882"""


def _lights(coolest: int, text: str) -> dict[int, tuple[float, ...]]:
    numbers = [int(one) / 10_000 for one in text.split()]
    rows = [tuple(numbers[at : at + 3]) for at in range(0, len(numbers), 3)]
    return {coolest + _STEP * index: row for index, row in enumerate(rows)}


PLANCKIAN = {"blackbody": _lights(3000, _BLACK_BODY), "cied": _lights(4000, _DAYLIGHT)}  # mode -> kelvin -> RGB


def stages(name: str, settings: SimpleNamespace, params: Params, channels: int) -> tuple[Array, ...]:
    """What the transform does to a picture of 1 or 3 channels, in order; () is nothing.

    Each is a table, uint8, (256,) for all channels or (256, 3); or for three channels a matrix, float64 (3, 4), that
    takes red, green, blue and 1, its result to be rounded and clipped.
    """
    if channels == 1 and name in ("ChannelShuffle", "ToGray"):
        return ()
    if name in _MATRICES:
        return _MATRICES[name](settings, params, channels)
    if name not in _TABLES:  # ToRGB
        return ()
    table = _TABLES[name](settings, params)
    if channels == 1 and table.ndim == 2:  # what takes RGB only gets grey in three channels, and gives its luma
        table = cv2.cvtColor(np.ascontiguousarray(table[None]), cv2.COLOR_RGB2GRAY)[0]
    return (table,)


def _cut(values: Array) -> Array:
    """The fractions are cut off."""
    return np.asarray(np.minimum(np.maximum(values, 0), 255).astype(np.uint8))


def _linear(s: SimpleNamespace, params: Params) -> Array:
    return _cut(_LEVELS * params["alpha"] + params["beta"])


def _gamma(s: SimpleNamespace, params: Params) -> Array:
    shares = np.arange(0, 256.0 / 255, 1.0 / 255)
    return np.asarray((shares ** params["gamma"] * 255)[:256].astype(np.uint8))


def _tone_curve(s: SimpleNamespace, params: Params) -> Array:
    """A Bézier curve from 0 to 1 with two knots in between."""
    low, high = params["low_y"], params["high_y"]
    t = np.linspace(0.0, 1.0, 256)
    if np.ndim(low):
        t = t[:, None]
    back = 1 - t
    curve = (3 * back**2 * t * low + 3 * back * t**2 * high + t**3) * 255
    return np.ascontiguousarray(_cut(np.rint(curve)))


def _invert(s: SimpleNamespace, params: Params) -> Array:
    return np.arange(255, -1, -1, dtype=np.uint8)


def _solarize(s: SimpleNamespace, params: Params) -> Array:
    levels = np.arange(256)
    return np.where(levels >= params["threshold"] * 255, 255 - levels, levels).astype(np.uint8)


def _posterize(s: SimpleNamespace, params: Params) -> Array:
    lost = 8 - np.array(params["num_bits"])
    levels = np.arange(256)
    return np.asarray(((levels[:, None] if lost.ndim else levels) >> lost << lost).astype(np.uint8))


def _shift(s: SimpleNamespace, params: Params) -> Array:
    shift = np.trunc(params["noise_map"]).astype(int)
    levels = np.arange(256)
    return _cut(levels + shift[0] if len(shift) == 1 else levels[:, None] + shift)


def _times(factors: Any) -> Array:
    """By one factor or by one for each channel."""
    factors = np.asarray(factors, np.float32)
    return _cut(_LEVELS * factors if factors.size == 1 else _LEVELS[:, None] * factors.reshape(3))


def _multiply(s: SimpleNamespace, params: Params) -> Array:
    return _times(params["multiplier"])


def _dropout(s: SimpleNamespace, params: Params) -> Array:
    table = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1)
    table[:, params["channels_to_drop"]] = int(s.fill)
    return table


def _temperature(s: SimpleNamespace, params: Params) -> Array:
    """The light is interpolated between the two that are known; green stays as it is."""
    known, kelvin = PLANCKIAN[s.mode], params["temperature"]
    below = kelvin // _STEP * _STEP
    above = min(below + _STEP, max(known))
    if below == above:
        red, green, blue = known[below]
    else:
        share = (kelvin - below) / (above - below)
        red, green, blue = (
            (1 - share) * one + share * other for one, other in zip(known[below], known[above], strict=True)
        )
    return _times((red / green, 1, blue / green))


def _value(s: SimpleNamespace, params: Params) -> Array:
    return _cut(np.arange(256) + int(params["val_shift"]))


def _jitter(s: SimpleNamespace, params: Params, channels: int) -> tuple[Array, ...]:
    found: list[Array] = []
    for index in params["order"]:
        if index == 0 and params["brightness"] != 1:
            found.append(_times(params["brightness"]))
        elif index == 2 and params["saturation"] != 1 and channels == 3:
            share = params["saturation"]
            found.append(_matrix(share * np.eye(3) + (1 - share) * _LUMA))
    return tuple(found)


def _grey(s: SimpleNamespace, params: Params, channels: int) -> tuple[Array, ...]:
    if s.method == "weighted_average":
        return (_matrix(np.repeat(_LUMA[None], 3, axis=0)),)
    return (_matrix(np.full((3, 3), 1 / 3), -1 / 3),)  # a mean, its thirds cut off


def _sepia(s: SimpleNamespace, params: Params, channels: int) -> tuple[Array, ...]:
    return (_matrix(np.array(_SEPIA)),)


def _shuffle(s: SimpleNamespace, params: Params, channels: int) -> tuple[Array, ...]:
    return (_matrix(np.eye(3)[params["channels_shuffled"]]),)


def _matrix(values: Array, added: float = 0.0) -> Array:
    return np.hstack((values, np.full((3, 1), added)))


_TABLES: Mapping[str, Callable[[SimpleNamespace, Params], Array]] = {
    "ChannelDropout": _dropout,
    "HueSaturationValue": _value,
    "InvertImg": _invert,
    "MultiplicativeNoise": _multiply,
    "PlanckianJitter": _temperature,
    "Posterize": _posterize,
    "RGBShift": _shift,
    "RandomBrightnessContrast": _linear,
    "RandomGamma": _gamma,
    "RandomToneCurve": _tone_curve,
    "Solarize": _solarize,
}
_MATRICES: Mapping[str, Callable[[SimpleNamespace, Params, int], tuple[Array, ...]]] = {
    "ChannelShuffle": _shuffle,
    "ColorJitter": _jitter,
    "ToGray": _grey,
    "ToSepia": _sepia,
}
