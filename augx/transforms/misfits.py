"""Pictures that a transform cannot work on, in words a user can act on."""

from __future__ import annotations

import re

from augx.errors import ImageError

_EMPTY = "nothing is left of the picture"
# What Albumentations and OpenCV say of a crop or a canvas without pixels.
_NO_PIXELS = re.compile(r"We should have x_min < x_max|inv_scale_x > 0|" + _EMPTY)


class Misfit(ValueError):
    """Its text follows the name of the transform."""


def larger(crop: tuple[int, int], size: tuple[int, int]) -> Misfit:
    """A crop and a picture, (width, height) each."""
    return Misfit(f"crop {_x(crop)} is larger than the picture {_x(size)}; set pad_if_needed or resize first")


def outside(size: tuple[int, int]) -> Misfit:
    return Misfit(f"x_max, y_max lie outside the picture {_x(size)}; set pad_if_needed or resize first")


def empty(size: tuple[int, int]) -> Misfit:
    return Misfit(f"cannot work on a picture of {_x(size)} ({_EMPTY})")


def failed(name: str, size: tuple[int, int], error: Exception) -> ImageError:
    """Why the transform `name` has failed on a picture of `size`, (width, height)."""
    reason = str(error).strip().split("\n")[0]
    if isinstance(error, ImageError):
        return error
    if isinstance(error, MemoryError) or "Insufficient memory" in reason or "Failed to allocate" in reason:
        return ImageError("out-of-memory", f"{name}: not enough memory for a picture of {_x(size)}", "transform")
    if isinstance(error, Misfit):
        said = error
    elif found := re.search(r"Crop size .*: \((\d+), (\d+)\) vs", reason):
        said = larger((int(found[2]), int(found[1])), size)
    elif name == "Crop" and "Values for crop" in reason:
        said = outside(size)
    elif isinstance(error, ZeroDivisionError) or _NO_PIXELS.search(reason):
        said = empty(size)
    else:
        reason = re.sub(r"^OpenCV\(.*?error: \(.*?\)\s*", "OpenCV: ", reason)
        said = Misfit(f"cannot work on a picture of {_x(size)} ({reason or type(error).__name__})")
    return ImageError("transform-failed", f"{name}: {said}", "transform")


def _x(size: tuple[int, int]) -> str:
    return f"{size[0]}x{size[1]}"
