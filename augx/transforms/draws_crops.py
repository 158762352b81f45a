"""The draws of what crops, pads and resizes: see `draws`."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

from augx.seeds import Rng
from augx.transforms.misfits import empty, larger, outside

Params = dict[str, Any]
Draw = Callable[[SimpleNamespace, int, int, Rng], Params]
Box = tuple[int, int, int, int]  # x0, y0, x1, y1

_TRIES = 10


def _crop(s: SimpleNamespace, width: int, height: int, rng: Rng) -> Params:
    box = s.x_min, s.y_min, s.x_max, s.y_max
    down, across = max(0, s.y_max - height), max(0, s.x_max - width)
    if not (down or across):
        return {"crop_coords": box, "pad_params": None}
    if not s.pad_if_needed:
        raise outside((width, height))
    top, bottom, left, right = _moved((*_halved(down), *_halved(across)), s.pad_position, rng)
    # The box stays where it is, so all that lacks has to lie below it and to its right, whatever is above.
    return {"crop_coords": box, "pad_params": _pads(top, max(bottom, down), left, max(right, across))}


def _center_crop(s: SimpleNamespace, width: int, height: int, rng: Rng) -> Params:
    pads, wide, high = _padded(s, width, height, rng)
    return {"crop_coords": _middle(wide, high, s.width, s.height), "pad_params": pads}


def _random_crop(s: SimpleNamespace, width: int, height: int, rng: Rng) -> Params:
    pads, wide, high = _padded(s, width, height, rng)
    return {"crop_coords": _anywhere(wide, high, s.width, s.height, rng), "pad_params": pads}


def _padded(s: SimpleNamespace, width: int, height: int, rng: Rng) -> tuple[Params | None, int, int]:
    """What is added to a picture that is smaller than the crop, and its size then."""
    if s.width <= width and s.height <= height:
        return None, width, height
    if not s.pad_if_needed:
        raise larger((s.width, s.height), (width, height))
    sides = (*_lacking(height, s.height, None), *_lacking(width, s.width, None))
    return _pads(*_moved(sides, s.pad_position, rng)), max(width, s.width), max(height, s.height)


def _crop_from_borders(s: SimpleNamespace, width: int, height: int, rng: Rng) -> Params:
    whole = rng.python.randint
    x0 = whole(0, int(s.crop_left * width))
    x1 = whole(max(x0 + 1, int((1 - s.crop_right) * width)), width)
    y0 = whole(0, int(s.crop_top * height))
    y1 = whole(max(y0 + 1, int((1 - s.crop_bottom) * height)), height)
    return {"crop_coords": (x0, y0, x1, y1)}


def _resized_crop(s: SimpleNamespace, width: int, height: int, rng: Rng) -> Params:
    uniform, area = rng.python.uniform, height * width
    (least, most), (narrow, broad) = s.scale, s.ratio
    logarithms = math.log(narrow), math.log(broad)
    for _ in range(_TRIES):
        target = uniform(least * area, most * area)
        ratio = math.exp(uniform(*logarithms))
        wide, high = round(math.sqrt(target * ratio)), round(math.sqrt(target / ratio))
        if 0 < wide <= width and 0 < high <= height:
            return {"crop_coords": _anywhere(width, height, wide, high, rng)}
    wide, high = width, height
    if width / height < narrow:
        high = round(width / narrow)
    elif width / height > broad:
        wide = round(height * broad)
    return {"crop_coords": _filled(_middle(width, height, wide, high), width, height)}


def _sized_crop(s: SimpleNamespace, width: int, height: int, rng: Rng) -> Params:
    high = rng.python.randint(*s.min_max_height)
    return {"crop_coords": _filled(_anywhere(width, height, int(high * s.w2h_ratio), high, rng), width, height)}


def _anywhere(width: int, height: int, wide: int, high: int, rng: Rng) -> Box:
    """A box of at most this size in a picture. How far down is drawn first."""
    down, across = rng.python.random(), rng.python.random()
    wide, high = min(wide, width), min(high, height)
    x0, y0 = int((width - wide + 1) * across), int((height - high + 1) * down)
    return x0, y0, x0 + wide, y0 + high


def _middle(width: int, height: int, wide: int, high: int) -> Box:
    x0, y0 = (width - wide) // 2, (height - high) // 2
    return x0, y0, x0 + wide, y0 + high


def _filled(box: Box, width: int, height: int) -> Box:
    """The box, unless it is empty."""
    if box[2] <= box[0] or box[3] <= box[1]:
        raise empty((width, height))
    return box


def _pad(s: SimpleNamespace, width: int, height: int, rng: Rng) -> Params:
    if not isinstance(s.padding, list):
        return _pads(*[s.padding] * 4)
    left, top, right, bottom = s.padding if len(s.padding) == 4 else s.padding * 2
    return _pads(top, bottom, left, right)


def _pad_if_needed(s: SimpleNamespace, width: int, height: int, rng: Rng) -> Params:
    top, bottom = _lacking(height, s.min_height, s.pad_height_divisor)
    left, right = _lacking(width, s.min_width, s.pad_width_divisor)
    return _pads(*_moved((top, bottom, left, right), s.position, rng))


def _lacking(size: int, least: int | None, divisor: int | None) -> tuple[int, int]:
    """Before and after."""
    if least is not None:
        return _halved(max(0, least - size))
    return _halved(-size % divisor) if divisor is not None else (0, 0)


def _halved(lack: int) -> tuple[int, int]:
    return lack // 2, lack - lack // 2


def _moved(sides: tuple[int, int, int, int], position: str, rng: Rng) -> tuple[int, int, int, int]:
    """Top, bottom, left, right, so that the picture is where `position` says."""
    if position == "center":
        return sides
    high, wide = sides[0] + sides[1], sides[2] + sides[3]
    if position == "random":
        top, left = rng.python.randint(0, high), rng.python.randint(0, wide)
    else:
        top, left = high * position.startswith("bottom"), wide * position.endswith("right")
    return top, high - top, left, wide - left


def _pads(top: int, bottom: int, left: int, right: int) -> Params:
    return {"pad_top": top, "pad_bottom": bottom, "pad_left": left, "pad_right": right}


def _crop_and_pad(s: SimpleNamespace, width: int, height: int, rng: Rng) -> Params:
    if s.px is not None:
        sides = _strips(s.px, s.sample_independently, rng.python.randrange, rng)
    else:
        shares = _strips(s.percent, s.sample_independently, rng.python.uniform, rng)
        sides = [int(share * size) for share, size in zip(shares, (height, width, height, width), strict=True)]
    top, right, bottom, left = (-min(side, 0) for side in sides)
    top, bottom = _spared(top, bottom, height)
    left, right = _spared(left, right, width)
    box: list[int] | None = [left, top, width - right, height - bottom]
    wide, high = width - right - left, height - bottom - top
    if wide < 1 or high < 1:
        raise empty((width, height))
    if (wide, high) == (width, height):
        box = None
    top, right, bottom, left = (max(side, 0) for side in sides)
    return {
        "crop_params": box,
        "pad_params": [top, bottom, left, right] if any((top, bottom, left, right)) else None,
        "fill": float(s.fill),
        "fill_mask": _level(s.fill_mask, rng),
        "result_shape": (high + top + bottom, wide + left + right),
    }


def _strips(value: Any, apart: bool, between: Callable[..., Any], rng: Rng) -> list[Any]:
    """How much is added at the top, right, bottom, left. `between`: draws from a pair."""
    if not isinstance(value, list):
        return [value] * 4
    if len(value) == 2:
        return [between(*value) for _ in range(4)] if apart else [between(*value)] * 4
    if not isinstance(value[0], list):
        return value
    return [between(*side) for side in value] if len(value[0]) == 2 else [rng.python.choice(side) for side in value]


def _spared(before: int, after: int, size: int) -> tuple[int, int]:
    """How much to cut off both ends: less than asked where nothing would be left."""
    if size - before - after >= 1:
        return before, after
    first, second = -(-(size + 1) // 2), (size + 1) // 2
    if first > before:
        first, second = before, second + first - before
    elif second > after:
        first, second = first + second - after, after
    return max(before - first, 0), max(after - second, 0)


def _level(value: Any, rng: Rng) -> Any:
    """For masks: a pair is a range, a longer list a choice."""
    if not isinstance(value, list):
        return value
    levels = [float(one) for one in value]
    return rng.python.uniform(*levels) if len(levels) == 2 else rng.python.choice(levels)


def _resize(s: SimpleNamespace, width: int, height: int, rng: Rng) -> Params:
    return {}


def _scale(s: SimpleNamespace, width: int, height: int, rng: Rng) -> Params:
    scale = rng.python.uniform(*s.scale_limit) + 1.0
    if int(width * scale) < 1 or int(height * scale) < 1:
        raise empty((width, height))
    return {"scale": scale}


def _longest(s: SimpleNamespace, width: int, height: int, rng: Rng) -> Params:
    return {"scale": _max_size(s, width, height, rng, max, min)}


def _smallest(s: SimpleNamespace, width: int, height: int, rng: Rng) -> Params:
    return {"scale": _max_size(s, width, height, rng, min, max)}


def _max_size(s: SimpleNamespace, width: int, height: int, rng: Rng, side: Any, binding: Any) -> float:
    """`side`: which side is given; `binding`: which scale counts where both sides are."""
    if s.max_size is not None:
        most = rng.python.choice(s.max_size) if isinstance(s.max_size, list) else s.max_size
        return float(most / side(height, width))
    sides = zip(s.max_size_hw, (height, width), strict=True)
    return float(binding(most / size for most, size in sides if most is not None))


CROPS: Mapping[str, Draw] = {
    "CenterCrop": _center_crop,
    "Crop": _crop,
    "CropAndPad": _crop_and_pad,
    "LongestMaxSize": _longest,
    "Pad": _pad,
    "PadIfNeeded": _pad_if_needed,
    "RandomCrop": _random_crop,
    "RandomCropFromBorders": _crop_from_borders,
    "RandomResizedCrop": _resized_crop,
    "RandomScale": _scale,
    "RandomSizedCrop": _sized_crop,
    "Resize": _resize,
    "SmallestMaxSize": _smallest,
}
