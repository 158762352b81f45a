"""The arguments of the transforms that augx draws itself, as Albumentations 2.0.8 reads them: its defaults, and what a
number alone means.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

from augx.model import Json
from augx.transforms.constants import constant

Pair = tuple[float, float]
Read = Callable[[Any], Any]
Known = Mapping[str, tuple[Read, Json]]  # argument -> how it is read, default as in a recipe


def settings(name: str, args: Mapping[str, Json]) -> SimpleNamespace:
    """An attribute for each argument that says how to draw or what to do, named as in Albumentations.

    `args` as `problems.check` accepts them. `border_mode`, `interpolation`: OpenCV's numbers. `fill`: levels of 0..255,
    one or three; `fill_mask`: None where the recipe says nothing. What only concerns Albumentations' own masks and
    boxes is left out.
    """
    known = _KNOWN[name]
    return SimpleNamespace(**{key: read(constant(key, args.get(key, other))) for key, (read, other) in known.items()})


def readable(name: str, args: Mapping[str, Json]) -> bool:
    """Whether `settings` has all it takes to draw `name`."""
    if name == "CropAndPad":  # where a grey picture, whose fill is one number, would draw otherwise
        mixed = args.get("px") if args.get("percent") is None else args.get("percent")
        kinds = {isinstance(side, list) for side in mixed} if isinstance(mixed, list) else {False}
        return not isinstance(args.get("fill"), list) and len(kinds) == 1
    return name in _KNOWN


def chance(name: str) -> float:
    """The p of a transform where the recipe gives none."""
    return 1.0 if name in _CERTAIN else 0.5


def _as_is(value: Json) -> Any:
    return value


def _whole(value: Json) -> Any:
    """Whole numbers may be written with a point: 20.0"""
    return [_whole(one) for one in value] if isinstance(value, list) else None if value is None else int(value)


def _real(value: Json) -> Any:
    return [_real(one) for one in value] if isinstance(value, list) else None if value is None else float(value)


def _span(one: float, other: float) -> Pair:
    return min(one, other), max(one, other)


def _around_0(value: Json) -> Pair:
    return _span(*_real(value)) if isinstance(value, list) else (-float(value), float(value))


def _from(low: float) -> Read:
    def read(value: Json) -> Pair:
        return _span(*_real(value)) if isinstance(value, list) else _span(low, float(value))

    return read


def _always(value: Json) -> Pair:
    return _span(*_real(value)) if isinstance(value, list) else (float(value), float(value))


def _axes(other: float) -> Read:
    """`other`: for the axis that a mapping leaves out."""

    def read(value: Json) -> tuple[Pair, Pair] | None:
        if value is None:
            return None
        x, y = (value.get("x", other), value.get("y", other)) if isinstance(value, dict) else (value, value)
        return _always(x), _always(y)

    return read


def _sorted_around_0(value: Json) -> Pair | None:
    return None if value is None else _span(*_around_0(value))


def _around_1(value: Json) -> Pair:
    low, high = _span(*_around_0(value))
    return 1 + low, 1 + high


def _whole_span(value: Json) -> tuple[int, int]:
    low, high = _from(1)(value)
    return int(low), int(high)


def _sizes(value: Json) -> tuple[int, int]:
    low, high = _from(0)(value)
    return int(low), int(high)


def _factor(value: Json) -> Pair:
    """Around 1, and not below 0."""
    if isinstance(value, list):
        return float(value[0]), float(value[1])
    return max(1 - float(value), 0.0), 1 + float(value)


def _hue(value: Json) -> Pair:
    return (float(value[0]), float(value[1])) if isinstance(value, list) else (0 - float(value), 0 + float(value))


def _bits(value: Json) -> Any:
    if isinstance(value, list) and isinstance(value[0], list):
        return [tuple(sorted(_whole(one))) for one in value]
    return tuple(sorted(_whole(value))) if isinstance(value, list) else (int(value), int(value))


def _shifts(value: Json) -> Pair:
    """Levels of 0..255 where any is above 1, else shares of them."""
    low, high = _around_0(value)
    return (low / 255.0, high / 255.0) if abs(low) > 1 or abs(high) > 1 else (low, high)


_CERTAIN = {
    *("RandomRotate90", "D4", "SquareSymmetry", "Crop", "CenterCrop", "RandomCrop", "RandomCropFromBorders"),
    *("RandomResizedCrop", "RandomSizedCrop", "CropAndPad", "Pad", "PadIfNeeded", "Resize"),
    *("LongestMaxSize", "SmallestMaxSize", "ToRGB"),
}
_NONE: Known = {}
_BORDER: Known = {"border_mode": (_as_is, 0), "fill": (_as_is, 0), "fill_mask": (_as_is, None)}
_SAMPLES: Known = {"interpolation": (_as_is, 1)}
_RESIZES: Known = {**_SAMPLES, "area_for_downscale": (_as_is, None)}
_PADS: Known = {"pad_if_needed": (_as_is, False), "pad_position": (_as_is, "center"), **_BORDER}
_SIDES: Known = {"height": (_whole, None), "width": (_whole, None)}
_MAX_SIZE: Known = {"max_size": (_whole, None), "max_size_hw": (_whole, None), **_RESIZES}
_AFFINE: Known = {
    "scale": (_axes(1.0), 1),
    "translate_percent": (_axes(0.0), None),
    "translate_px": (_axes(0.0), None),
    "rotate": (_always, 0),
    "shear": (_axes(1.0), 0),  # one degree on the axis that a mapping leaves out: so it is in 2.0.8
    "fit_output": (_as_is, False),
    "keep_ratio": (_as_is, False),
    "balanced_scale": (_as_is, False),
}
_SHIFTS = (("shift_limit", 0.0625), ("shift_limit_x", None), ("shift_limit_y", None))

_KNOWN: Mapping[str, Known] = {
    **dict.fromkeys(("NoOp", "HorizontalFlip", "VerticalFlip", "Transpose", "TimeReverse", "RandomRotate90"), _NONE),
    **dict.fromkeys(("D4", "SquareSymmetry", "InvertImg", "ToSepia", "ToRGB", "ChannelShuffle"), _NONE),
    "Affine": {**_AFFINE, **_SAMPLES, **_BORDER},
    "Rotate": {"limit": (_around_0, 90), "crop_border": (_as_is, False), **_SAMPLES, **_BORDER},
    "SafeRotate": {"limit": (_around_0, 90), **_SAMPLES, **_BORDER},
    "ShiftScaleRotate": {
        **{key: (_sorted_around_0, other) for key, other in _SHIFTS},
        "scale_limit": (_around_1, 0.1),
        "rotate_limit": (_sorted_around_0, 45),
        **_SAMPLES,
        **_BORDER,
    },
    "Perspective": {
        "scale": (_from(0), [0.05, 0.1]),
        "keep_size": (_as_is, True),
        "fit_output": (_as_is, False),
        **_SAMPLES,
        **_BORDER,
    },
    "Crop": {
        **{key: (_whole, other) for key, other in (("x_min", 0), ("y_min", 0), ("x_max", 1024), ("y_max", 1024))},
        **_PADS,
    },
    "CenterCrop": {**_SIDES, **_PADS},
    "RandomCrop": {**_SIDES, **_PADS},
    "RandomCropFromBorders": {f"crop_{side}": (_real, 0.1) for side in ("left", "right", "top", "bottom")},
    "RandomResizedCrop": {
        "size": (_whole, None),
        "scale": (_real, [0.08, 1.0]),
        "ratio": (_real, [0.75, 4 / 3]),
        **_RESIZES,
    },
    "RandomSizedCrop": {
        "min_max_height": (_whole_span, None),
        "size": (_whole, None),
        "w2h_ratio": (_real, 1),
        **_RESIZES,
    },
    "CropAndPad": {
        "px": (_whole, None),
        "percent": (_real, None),
        "keep_size": (_as_is, True),
        "sample_independently": (_as_is, True),
        **_SAMPLES,
        **_BORDER,
    },
    "Pad": {"padding": (_whole, 0), **_BORDER},
    "PadIfNeeded": {
        "min_height": (_whole, 1024),
        "min_width": (_whole, 1024),
        "pad_height_divisor": (_whole, None),
        "pad_width_divisor": (_whole, None),
        "position": (_as_is, "center"),
        **_BORDER,
    },
    "Resize": {**_SIDES, **_RESIZES},
    "LongestMaxSize": _MAX_SIZE,
    "SmallestMaxSize": _MAX_SIZE,
    "RandomScale": {"scale_limit": (_around_0, 0.1), **_RESIZES},
    "RandomBrightnessContrast": {
        "brightness_limit": (_around_0, 0.2),
        "contrast_limit": (_around_0, 0.2),
        "brightness_by_max": (_as_is, True),
        "ensure_safe_range": (_as_is, False),
    },
    "RandomGamma": {"gamma_limit": (_from(1), [80, 120])},
    "RandomToneCurve": {"scale": (_real, 0.1), "per_channel": (_as_is, False)},
    "Solarize": {"threshold_range": (_real, [0.5, 0.5])},
    "Posterize": {"num_bits": (_bits, 4)},
    "RGBShift": {f"{channel}_shift_limit": (_shifts, 20) for channel in "rgb"},
    "MultiplicativeNoise": {
        "multiplier": (_real, [0.9, 1.1]),
        "per_channel": (_as_is, False),
        "elementwise": (_as_is, False),
    },
    "ColorJitter": {
        **{key: (_factor, [0.8, 1.2]) for key in ("brightness", "contrast", "saturation")},
        "hue": (_hue, [-0.5, 0.5]),
    },
    "HueSaturationValue": {
        "hue_shift_limit": (_around_0, 20),
        "sat_shift_limit": (_around_0, 30),
        "val_shift_limit": (_around_0, 20),
    },
    "ToGray": {"num_output_channels": (_whole, 3), "method": (_as_is, "weighted_average")},
    "ChannelDropout": {"channel_drop_range": (_whole, [1, 1]), "fill": (_real, 0)},
    "GaussianBlur": {"blur_limit": (_sizes, 0), "sigma_limit": (_from(0), [0.5, 3.0])},
    "PlanckianJitter": {
        "mode": (_as_is, "blackbody"),
        "temperature_limit": (_whole, None),
        "sampling_method": (_as_is, "uniform"),
    },
}
