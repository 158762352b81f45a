"""One transform of Albumentations at work.

A transform works in two halves. `draw` makes everything random, from the generators it is handed and nothing else;
`apply` is a function of the picture and what was drawn (in 2.0.8 no transform draws while it applies: the three that
need noise there, dropouts, ISONoise and ShotNoise, carry a drawn seed). Nothing is kept from one picture to the next.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from augx.errors import ImageError
from augx.model import Json, Picture
from augx.seeds import Rng
from augx.transforms.catalog import TRANSFORMS
from augx.transforms.constants import INTERPOLATIONS, constant
from augx.transforms.lowering import Lowered, lower
from augx.transforms.misfits import empty, failed

Array = NDArray[Any]
Class = int | tuple[int, ...]  # in a mask; colours where those are the classes

_RGB_ONLY = (
    "ChannelDropout ChromaticAberration HEStain ISONoise PlanckianJitter RandomFog RandomGravel RandomRain RandomSnow "
    "RandomSunFlare Spatter"
)
_NO_BOXES = np.zeros((0, 4), np.float32)  # the box-safe crops ask for boxes; with none they crop anywhere
_BOX_SAFE = ("BBoxSafeRandomCrop", "RandomSizedBBoxSafeCrop")
# What resizes: OpenCV's plain `nearest` would put a mask half a pixel beside its picture there.
_RESIZES = (
    "CropAndPad LongestMaxSize RandomResizedCrop RandomScale RandomSizedBBoxSafeCrop RandomSizedCrop Resize "
    "SmallestMaxSize"
)


class Classical:
    """One Albumentations transform: draws first, applies second.

    Grey stays grey: what only takes RGB gets the grey in three channels, and of its result the luma is kept, which is
    what a grey camera would have seen and is exact where the channels are equal. ToRGB and ToSepia make RGB of grey.
    16 bits are worked on as float32 in [0, 1]. `fill` and `drop_value` count in levels of 0..255 at any depth.
    An alpha plane goes along where pixels move, with 0 for what comes in from outside; else it stays as it is.
    Masks and annotations stay as they are: `warp`, `plane` and `erased` say what becomes of them.
    """

    def __init__(self, name: str, args: Mapping[str, Json], p: float | None = None) -> None:
        """`args` as `problems.check` accepts them; `p` None: the default of the transform."""
        from augx.transforms.door import defaults, transform_class  # heavy, and many recipes need none of it

        self.name, self._class, self._defaults = name, transform_class(name), defaults(name)
        self.p = float(self._defaults["p"] if p is None else p)
        self._args = {key: constant(key, value) for key, value in args.items()}
        if name == "Perspective" and isinstance(fill := args.get("fill"), (int, float)):
            self._args["fill"] = [fill] * 3  # 2.0.8 would fill red alone
        self.moves = TRANSFORMS[name].moves
        self.wants_boxes = "BBox" in name
        bits = args.get("num_bits")
        each = isinstance(bits, (list, tuple)) and len(bits) > 2  # bits for each channel, of which 2.0.8 expects three
        self._rgb_only = each or name in _RGB_ONLY.split()
        inpaints = str(args.get("fill", "")).startswith("inpaint")
        self._deep = TRANSFORMS[name].deep and not inpaints and args.get("method") != "from_lab"
        # On 8 bits it subtracts unsigned numbers that wrap around (2.0.8): half of all pixels are far off.
        self._in_float = name == "Sharpen" and args.get("method") == "gaussian"
        self._made: dict[str, Any] = {"plain": self._make(lambda value: value)}

    def draw(self, picture: Picture, rng: Rng, boxes: Array = _NO_BOXES) -> dict[str, Any]:
        """Everything random, as `apply` wants it. Depends on the place of `rng`, the picture and its boxes only.

        `boxes`: (n, 4) float32, x0, y0, x1, y1 as shares of the picture, where `wants_boxes`.
        """
        transform, image = self._ready(picture)
        transform.set_random_state(rng.numpy, rng.python)
        data = {"image": image, "bboxes": boxes}
        if self.name == "CropNonEmptyMaskIfExists":
            data["mask"] = np.zeros(image.shape[:2], np.uint8) if picture.mask is None else picture.mask.values
        try:
            params: dict[str, Any] = transform.update_transform_params(transform.get_params(), data)
            params.update(transform.get_params_dependent_on_data(params, data))
        except Exception as error:
            raise self._failed(picture.pixels, error) from error
        # What has no pixels left 2.0.8 leaves uncut here, and gives a canvas of another size.
        if params.get("crop_params") == [0, 0, 0, 0] or 0 in (params.get("max_width"), params.get("max_height")):
            raise self._failed(picture.pixels, empty((picture.width, picture.height)))
        if "holes" in params:
            params.setdefault("seed", 0)  # Erasing forgets it where no hole fits
        if self.name == "HueSaturationValue" and picture.pixels.ndim == 2:
            params.update(hue_shift=0, sat_shift=0)  # grey has none
        if self.name in _BOX_SAFE and len(boxes):
            params["crop_coords"] = self._safe(params["crop_coords"], picture, boxes)
        return params

    def apply(self, picture: Picture, params: Mapping[str, Any]) -> Picture:
        """The new picture; `picture` stays as it was. Raises ImageError where the transform cannot work on it."""
        if self.name == ("ToGray" if picture.pixels.ndim == 2 else "ToRGB"):
            return picture  # is so already
        transform, image = self._ready(picture)
        alpha = picture.alpha
        try:
            pixels = self._finish(transform.apply(image, **params), picture)
            if alpha is not None and self.moves:
                opaque = self._variant("alpha", lambda value: 0)
                plane = _to_float(alpha) if alpha.dtype == np.uint16 else alpha
                alpha = _to_levels(opaque.apply(plane, **{**params, "fill": 0}), alpha.dtype)
        except Exception as error:
            raise self._failed(picture.pixels, error) from error
        if not pixels.size:
            raise self._failed(picture.pixels, ValueError("nothing is left of the picture"))
        return replace(picture, pixels=pixels, alpha=alpha)

    def warp(self, picture: Picture, params: Mapping[str, Any]) -> Lowered | None:
        """Where things in `picture` go; None: they stay where they are."""
        if not self.moves:
            return None
        return lower(self.name, self._made["plain"], params, picture.width, picture.height)

    def plane(self, mask: Array, params: Mapping[str, Any], fill: Class, reflects: bool = True) -> Array:
        """A mask, (H, W) or (H, W, 3), uint8 or uint16, moved as the pixels are but never mixed: each new pixel has the
        value of the source pixel that its centre lies in, and `fill` where that is outside.

        `reflects`: borders that repeat the picture repeat the mask.
        """
        levels = np.broadcast_to(np.array(fill, float), mask.shape[2:])
        value = tuple(levels.tolist()) if levels.ndim else float(levels)
        known = self._defaults
        changed = {
            "interpolation": INTERPOLATIONS["nearest_exact" if self.name in _RESIZES.split() else "nearest"],
            "area_for_downscale": None,
            "fill": value,
        }
        if not reflects:
            changed["border_mode"] = cv2.BORDER_CONSTANT
        kind = f"plane {value} {reflects}"
        if kind not in self._made:
            self._made[kind] = self._build({key: one for key, one in changed.items() if key in known})
        try:
            moved: Array = self._made[kind].apply(mask, **{**params, "fill": value})
            if fill and self.name == "GridElasticDeform":  # which has no fill and leaves 0
                moved[self._made[kind].apply(np.ones(mask.shape[:2], np.uint8), **params) == 0] = fill
        except Exception as error:
            raise self._failed(mask, error) from error
        return np.ascontiguousarray(moved, mask.dtype)

    def outside(self, mask: Array, params: Mapping[str, Any]) -> Class | None:
        """What the recipe wants in class masks where something comes in from outside; None where it says nothing."""
        if "fill_mask" not in self._args:
            return None
        return mask_class(params.get("fill_mask", self._args["fill_mask"]), mask)  # drawn, in CropAndPad

    def erased(self, mask: Array, params: Mapping[str, Any]) -> Array:
        """A class mask after a transform that blanks parts of the picture: as it was unless the recipe says to what."""
        value = mask_class(self._args.get("fill_mask", self._args.get("mask_drop_value")), mask)
        if value is None:
            return mask
        mask = mask.copy()
        for x0, y0, x1, y1 in params.get("holes", ()):
            mask[y0:y1, x0:x1] = value
        if (drop := params.get("drop_mask")) is not None:  # the pixels of the picture; 2.0.8 draws others for masks
            mask[drop.reshape(*mask.shape[:2], -1).any(axis=2)] = value
        return mask

    def _safe(self, crop: tuple[int, ...], picture: Picture, boxes: Array) -> tuple[int, ...]:
        """2.0.8 rounds the far edges down, so that it cuts boxes and may leave nothing."""
        size = np.array([picture.width, picture.height])
        needed = crop[2:]
        if not self._args.get("erosion_rate"):
            needed = np.ceil(boxes[:, 2:].max(axis=0) * size - 1e-2).astype(int)
        x0, y0 = np.minimum(crop[:2], size - 1)
        x1, y1 = np.maximum(np.maximum(crop[2:], needed), (x0 + 1, y0 + 1)).clip(max=size)
        return int(x0), int(y0), int(x1), int(y1)

    def _ready(self, picture: Picture) -> tuple[Any, Array]:
        """The transform and the array that suit this picture."""
        image: Array = picture.pixels
        grey, deep = image.ndim == 2, image.dtype == np.uint16
        if deep and not self._deep:
            message = f"{self.name} works on 8 bits only and this picture has 16; write output: {{image: {{bits: 8}}}}"
            raise ImageError("no-16-bit", message, "transform")
        if deep or self._in_float:
            image = _to_float(image)
        if grey and (self._rgb_only or self.name == "ToSepia"):
            image = cv2.cvtColor(image, cv2.COLOR_GRAY2RGB)
        elif grey and self.name in ("AutoContrast", "Equalize"):  # which write into a plane without a channel axis
            image = image[..., None].copy()
        elif self.name == "Posterize":  # with bits for each channel it works in place
            image = image.copy()
        if not deep:
            return (self._variant("grey", luma) if grey else self._made["plain"]), image
        if grey:
            return self._variant("deep grey", lambda value: _scaled(luma(value))), image
        return self._variant("deep", _scaled), image

    def _variant(self, kind: str, change: Callable[[Json], Json]) -> Any:
        if kind not in self._made:
            self._made[kind] = self._make(change)
        return self._made[kind]

    def _make(self, change: Callable[[Json], Json]) -> Any:
        """The transform with `change` done to its colours. A list in CropAndPad is no colour but a choice of levels."""
        return self._build({key: change(self._args[key]) for key in ("fill", "drop_value") if key in self._args})

    def _build(self, changed: Mapping[str, Any]) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # `problems.check` has said what there is to say
            return self._class(**{**self._args, **changed}, p=1.0)

    def _finish(self, result: Array, picture: Picture) -> Array:
        if result.ndim == 3 and result.shape[2] == 1:
            result = result[..., 0]
        elif picture.pixels.ndim == 2 and self._rgb_only:
            result = cv2.cvtColor(result, cv2.COLOR_RGB2GRAY)
        return _to_levels(result, picture.pixels.dtype)

    def _failed(self, pixels: Array, error: Exception) -> ImageError:
        return failed(self.name, (pixels.shape[1], pixels.shape[0]), error)


def _to_float(levels: Array) -> Array:
    floats: Array = np.divide(levels, np.float32(np.iinfo(levels.dtype).max), dtype=np.float32)
    return floats


def _to_levels(values: Array, dtype: Any) -> Array:
    """C-contiguous, of `dtype`; float32 from [0, 1], rounded and clipped."""
    if values.dtype != dtype:
        high = np.iinfo(dtype).max
        values = np.rint(np.nan_to_num(np.clip(values, 0, 1)) * np.float32(high)).astype(dtype)
    return np.ascontiguousarray(values, dtype)


def mask_class(value: Json, mask: Array) -> Class | None:
    """A recipe's number or colour for class masks as this mask can hold it: of a colour the first, if it has none."""
    if value is None:
        return None
    levels = np.clip(np.rint(value), 0, np.iinfo(mask.dtype).max).astype(int).reshape(-1).tolist()
    return tuple(levels) if mask.ndim == 3 and len(levels) == mask.shape[2] else int(levels[0])


def _scaled(value: Json) -> Json:
    if isinstance(value, list):
        return [_scaled(one) for one in value]
    return value / 255 if isinstance(value, (int, float)) else value


def luma(value: Json) -> Json:
    colour = isinstance(value, list) and len(value) == 3
    return round(0.299 * value[0] + 0.587 * value[1] + 0.114 * value[2]) if colour else value
