"""The pointwise transforms of Albumentations 2.0.8, drawn without importing it (see `draws`), for 8 bits only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from augx.model import Json
from augx.seeds import Rng
from augx.transforms.blurs import Blur
from augx.transforms.misfits import failed
from augx.transforms.settings import settings
from augx.transforms.tables import PLANCKIAN, stages
from augx.transforms.tones import Stage

Array = NDArray[Any]
Params = dict[str, Any]
Shape = tuple[int, int, int]  # height, width, channels

_WHITE = 6000  # kelvin
_COOLER = 0.4  # how often a temperature below white is drawn
_STRONGEST = 2  # saturation for which the rounding of the luma makes no more than a level of difference


@dataclass(frozen=True, slots=True)
class Light:
    """One step that gives each pixel a colour by the one it had, or by those around it.

    `settings`: as in `draws.Geometry`.
    """

    name: str
    settings: SimpleNamespace

    def suits(self, channels: int) -> bool:
        """Whether pictures of 1 or 3 channels, 8 bits each, can be drawn for and changed here."""
        return _SUITS.get(self.name, _always)(self.settings, channels)

    def draw(self, width: int, height: int, channels: int, rng: Rng) -> Params:
        """Everything random, as `stages`, `Classical.apply` and the manifest want it. Raises ImageError."""
        if self.name not in _DRAWS:
            return {}
        try:
            return _DRAWS[self.name](self.settings, (height, width, channels), rng)
        except Exception as error:
            raise failed(self.name, (width, height), error) from error

    def stages(self, params: Params, channels: int) -> tuple[Stage, ...]:
        """What is to be done to colours, in order; () is nothing: see `tables.stages`."""
        if self.name == "GaussianBlur":
            return (Blur(params["kernel"]),) if len(params["kernel"]) > 1 else ()
        return stages(self.name, self.settings, params, channels)


def light(name: str, args: Mapping[str, Json]) -> Light | None:
    """The step, or None where it cannot be drawn here. `args` as `problems.check` accepts them."""
    if name not in _LIGHTS:
        return None
    step = Light(name, settings(name, args))
    return step if step.suits(1) or step.suits(3) else None


def _always(s: SimpleNamespace, channels: int) -> bool:
    return True


def _jitters(s: SimpleNamespace, channels: int) -> bool:
    """Contrast is about the mean of all pixels, hue no matter of matrices; and brightness would multiply what the
    matrix of a saturation is off by."""
    if s.contrast != (1, 1) or (channels == 3 and s.hue != (0, 0)):
        return False
    return channels == 1 or s.saturation == (1, 1) or (s.brightness == (1, 1) and max(s.saturation) <= _STRONGEST)


def _turns_grey(s: SimpleNamespace, channels: int) -> bool:
    linear = s.num_output_channels == 3 and s.method in ("weighted_average", "average")
    return channels == 1 or linear


_SUITS: Mapping[str, Callable[[SimpleNamespace, int], bool]] = {
    "ColorJitter": _jitters,
    "HueSaturationValue": lambda s, channels: channels == 1,
    "MultiplicativeNoise": lambda s, channels: not s.elementwise,
    # With bits for each channel 2.0.8 takes the columns of a grey picture for channels.
    "Posterize": lambda s, channels: isinstance(s.num_bits, tuple) or channels == 3 == len(s.num_bits),
    "RandomBrightnessContrast": lambda s, channels: bool(s.brightness_by_max),  # else by the mean of all pixels
    "ToGray": _turns_grey,
    "ToRGB": lambda s, channels: channels == 3,
    "ToSepia": lambda s, channels: channels == 3,
    "GaussianBlur": lambda s, channels: s.sigma_limit[0] > 0,
}


def _brightness_contrast(s: SimpleNamespace, shape: Shape, rng: Rng) -> Params:
    alpha = 1.0 + rng.python.uniform(*s.contrast_limit)
    beta = rng.python.uniform(*s.brightness_limit) * 255
    if s.ensure_safe_range:
        if alpha > 0:
            beta = min(max(beta, 0.0), 255.0)
            alpha = min(alpha, (255 - beta) / 255)
        else:
            beta = min(beta, 255)
            alpha = max(alpha, -beta / 255)
    return {"alpha": alpha, "beta": beta}


def _gamma(s: SimpleNamespace, shape: Shape, rng: Rng) -> Params:
    return {"gamma": rng.python.uniform(*s.gamma_limit) / 100.0}


def _tone_curve(s: SimpleNamespace, shape: Shape, rng: Rng) -> Params:
    size = (3,) if s.per_channel and shape[2] == 3 else None
    low = rng.numpy.normal(0.25, s.scale, size)
    return {"low_y": np.clip(low, 0, 1), "high_y": np.clip(rng.numpy.normal(0.75, s.scale, size), 0, 1)}


def _solarize(s: SimpleNamespace, shape: Shape, rng: Rng) -> Params:
    return {"threshold": rng.python.uniform(*s.threshold_range)}


def _posterize(s: SimpleNamespace, shape: Shape, rng: Rng) -> Params:
    whole = rng.python.randint
    return {"num_bits": [whole(*one) for one in s.num_bits] if isinstance(s.num_bits, list) else whole(*s.num_bits)}


def _shift(s: SimpleNamespace, shape: Shape, rng: Rng) -> Params:
    rng.numpy.integers(0, 2**16)  # a seed that 2.0.8 has no use for here
    spans = (s.r_shift_limit, s.g_shift_limit, s.b_shift_limit)[: shape[2]]
    return {"noise_map": np.array([rng.numpy.uniform(*span) for span in spans]) * 255}


def _multiply(s: SimpleNamespace, shape: Shape, rng: Rng) -> Params:
    low, high = s.multiplier
    factors = rng.numpy.uniform(low, high, shape[2] if s.per_channel else 1).astype(np.float32)
    if shape[2] == 1:
        return {"multiplier": factors[0]}
    if not s.per_channel:
        return {"multiplier": np.repeat(factors, 3)}
    return {"multiplier": factors.reshape(shape) if shape == (1, 1, 3) else factors}


def _jitter(s: SimpleNamespace, shape: Shape, rng: Rng) -> Params:
    drawn = {key: rng.python.uniform(*getattr(s, key)) for key in ("brightness", "contrast", "saturation", "hue")}
    order = [0, 1, 2, 3]
    rng.numpy.shuffle(order)
    return {**drawn, "order": order}


def _hue_saturation_value(s: SimpleNamespace, shape: Shape, rng: Rng) -> Params:
    for limit in (s.hue_shift_limit, s.sat_shift_limit):
        rng.python.uniform(*limit)
    return {"hue_shift": 0, "sat_shift": 0, "val_shift": rng.python.uniform(*s.val_shift_limit)}  # grey has but value


def _shuffle(s: SimpleNamespace, shape: Shape, rng: Rng) -> Params:
    if shape[2] == 1:
        return {"channels_shuffled": None}
    order = [0, 1, 2]
    rng.python.shuffle(order)
    return {"channels_shuffled": order}


def _dropout(s: SimpleNamespace, shape: Shape, rng: Rng) -> Params:
    count = rng.python.randint(*s.channel_drop_range)
    return {"channels_to_drop": rng.python.sample(range(3), k=count)}


def _temperature(s: SimpleNamespace, shape: Shape, rng: Rng) -> Params:
    known = PLANCKIAN[s.mode]
    low, high = s.temperature_limit or (min(known), max(known))
    cooler = rng.python.random() < _COOLER
    if s.sampling_method == "uniform":
        kelvin = rng.python.uniform(low, _WHITE) if cooler else rng.python.uniform(_WHITE, high)
    else:
        away = abs(rng.python.gauss(0, abs((low if cooler else high) - _WHITE) / 3))
        kelvin = _WHITE - away if cooler else _WHITE + away
    return {"temperature": int(min(max(kelvin, low), high))}


def _gaussian(s: SimpleNamespace, shape: Shape, rng: Rng) -> Params:
    sigma, size = rng.python.uniform(*s.sigma_limit), rng.python.randint(*s.blur_limit)
    size = size + (size + 1) % 2 if size else int(sigma * 3.5) * 2 + 1
    # The very numbers of 2.0.8, whose places are floating-point ones from 100 on.
    places = np.arange(-(size // 2), size // 2 + 1) if size < 100 else np.linspace(-(size // 2), size // 2, size)
    values = np.exp(-0.5 * (places / sigma) ** 2)
    return {"kernel": values / values.sum()}


_DRAWS: Mapping[str, Callable[[SimpleNamespace, Shape, Rng], Params]] = {
    "GaussianBlur": _gaussian,
    "ChannelDropout": _dropout,
    "ChannelShuffle": _shuffle,
    "ColorJitter": _jitter,
    "HueSaturationValue": _hue_saturation_value,
    "MultiplicativeNoise": _multiply,
    "PlanckianJitter": _temperature,
    "Posterize": _posterize,
    "RGBShift": _shift,
    "RandomBrightnessContrast": _brightness_contrast,
    "RandomGamma": _gamma,
    "RandomToneCurve": _tone_curve,
    "Solarize": _solarize,
}
_LIGHTS = {*_DRAWS, "InvertImg", "ToGray", "ToRGB", "ToSepia"}
