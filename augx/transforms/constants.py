"""The names of OpenCV's numbers, as recipes use them."""

from __future__ import annotations

from typing import Any

from augx.model import Json

INTERPOLATIONS = {
    name: number  # as OpenCV counts them
    for number, name in enumerate(("nearest", "linear", "cubic", "area", "lanczos", "linear_exact", "nearest_exact"))
}
_BORDERS = {"constant": 0, "replicate": 1, "reflect": 2, "wrap": 3, "reflect_101": 4}
CONSTANTS = dict.fromkeys(("interpolation", "mask_interpolation", "upscale", "downscale"), INTERPOLATIONS)
CONSTANTS["border_mode"] = _BORDERS


def constant(key: str, value: Json) -> Any:
    """The value as OpenCV and Albumentations want it: names of constants become their numbers."""
    if isinstance(value, dict):
        return {k: constant(k, v) for k, v in value.items()}
    return CONSTANTS[key].get(value, value) if key in CONSTANTS and isinstance(value, str) else value
