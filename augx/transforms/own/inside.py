"""`inside`: its members change pixels inside objects only, or everywhere but there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from augx import rle
from augx.errors import ImageError
from augx.model import Picture
from augx.transforms.own.base import Own, arg, choice, number, switch
from augx.transforms.own.shapes import Shapes

_STEPS = 256  # of a share: whole numbers give the same bytes everywhere


@dataclass(frozen=True)
class Inside(Own):
    """A group: the pipeline runs its members and then puts back what is outside `region`.

    `classes`: of objects by name (3 is also the name "3"), of the class mask by number; [] is all objects, and where
    there are none all of the class mask but class 0. `of`: their masks (polygons, oriented boxes), or their boxes; an
    object that has only a box is inside with all of it. `outside`: everywhere but there. `edge`: sigma of its soft
    edge, in pixels.
    """

    name: ClassVar[str] = "inside"
    chance: ClassVar[float] = 1.0

    classes: Sequence[str | int] = arg([], type="array", items={"anyOf": [{"type": "string"}, {"type": "integer"}]})
    of: str = choice("mask", "mask", "box")
    outside: bool = switch(False)
    edge: float = number(0, 0, 100)


def region(picture: Picture, options: Inside) -> NDArray[Any]:
    """Where the members may change pixels: (H, W), bool, or shares 0..1 as float32 where the edge is soft."""
    inside = np.zeros((picture.height, picture.width), np.uint8)
    wanted, shapes = set(map(str, options.classes)), Shapes(picture)
    for thing in picture.annotations.objects:
        if not wanted or thing.label in wanted:
            runs = shapes.mask(thing) if options.of == "mask" else None
            runs = shapes.rectangle(thing) if runs is None else runs
            if runs is not None:
                rle.paint(inside, runs)
    numbers = [value for value in options.classes if not isinstance(value, str)]
    if picture.mask is not None and (numbers or not (wanted or picture.annotations.objects)):
        inside |= _classes(picture.mask.values, numbers)
    if options.outside:
        inside ^= 1
    return softened(inside, options.edge) if options.edge else inside.view(np.bool_)


def _classes(mask: NDArray[Any], numbers: list[int]) -> NDArray[np.bool_]:
    """Where a class mask has one of these numbers; [] is any but 0."""
    if not numbers:
        return np.asarray(mask != 0 if mask.ndim == 2 else (mask != 0).any(axis=2))
    if mask.ndim == 3:
        message = "its class mask has colours, not numbers, so `inside` finds no class in it by number"
        raise ImageError("mask-of-colours", message, "transform")
    return np.isin(mask, numbers)


def softened(mask: NDArray[Any], sigma: float) -> NDArray[np.float32]:
    """(H, W) of 0 and 1 as shares with a Gaussian edge, half of it on either side."""
    return np.asarray(cv2.GaussianBlur(mask.astype(np.float32), (0, 0), sigma, borderType=cv2.BORDER_REPLICATE))


def blend(before: NDArray[Any], after: NDArray[Any], share: NDArray[Any]) -> NDArray[Any]:
    """`after` where `share` is 1 or True, `before` where it is 0, exactly; in between a mixture. `share` is (H, W)."""
    if share.dtype == np.bool_:
        return np.asarray(cv2.copyTo(after, share.view(np.uint8), before.copy()))
    wide = np.uint16 if before.dtype == np.uint8 else np.uint32
    steps = np.rint(share * _STEPS).astype(wide)
    if before.ndim == 3:
        steps = steps[..., None]
    mixed = before * (_STEPS - steps) + after * steps
    return np.asarray(((mixed + _STEPS // 2) >> 8).astype(before.dtype))
