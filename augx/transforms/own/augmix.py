"""AugMix: chains of ops side by side, mixed, and mixed with the picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np

from augx.errors import ImageError
from augx.model import Json, Picture
from augx.seeds import Rng
from augx.transforms.catalog import TRANSFORMS
from augx.transforms.classical import Classical
from augx.transforms.own.base import Array, Still, arg, make, number, whole
from augx.transforms.own.policy_tables import step

_NO_BOXES = np.zeros((0, 4), np.float32)
_STILL = ("AutoContrast", "Equalize", "Posterize", "Solarize")
_MOVING = ("Rotate", "ShearX", "ShearY", "TranslateX", "TranslateY")
_LEVEL = {"type": "number", "minimum": 0, "maximum": 255}


@dataclass(frozen=True)
class Augmix(Still):
    """Hendrycks, Mu, Cubuk, Zoph, Gilmer, Lakshminarayanan 2020, "AugMix: A Simple Data Processing Method to Improve
    Robustness and Uncertainty", arXiv 1912.02781, with the authors' ops and ranges, none of which is a corruption of
    ImageNet-C.

    `width` chains of `depth` ops (-1: 1 to 3, drawn), each op of a level drawn from 0.1 to `severity`; the chains are
    mixed with weights from Dirichlet(alpha), and the mix with the picture itself, whose share is from
    Beta(alpha, alpha). The chains of a picture with objects or masks only have ops that leave things in their place: a
    blend of several places is none. `fill`: the level, 0..255, of what comes in from outside.
    """

    name: ClassVar[str] = "augmix"
    width: int = whole(3, 1, 10)
    depth: int = whole(-1, -1, 10)
    severity: float = number(3, 0.1, 10)
    alpha: float = number(1, 0.01, 100)
    fill: Json = arg(0, **_LEVEL)

    def __post_init__(self) -> None:
        if self.depth == 0:
            raise ValueError("depth must be from 1 to 10, or -1 for 1 to 3, drawn for each chain")

    def draw(self, picture: Picture, rng: Rng, boxes: Array = _NO_BOXES) -> dict[str, Any]:
        labelled = bool(picture.annotations.objects or picture.mask or picture.instances)
        weights = rng.numpy.dirichlet([self.alpha] * self.width)
        original = rng.numpy.beta(self.alpha, self.alpha)
        known, chains = _STILL if labelled else _STILL + _MOVING, []
        for _ in range(self.width):
            depth = self.depth if self.depth > 0 else int(rng.numpy.integers(1, 4))
            names = rng.python.choices(known, k=depth)
            chains.append([[op, self._value(op, picture, rng)] for op in names])
        return {"chains": chains, "weights": weights.tolist(), "original": float(original)}

    def _value(self, op: str, picture: Picture, rng: Rng) -> float:
        share = rng.python.uniform(0.1, self.severity) / 10
        sign = rng.python.choice((1, -1))
        if op == "Posterize":
            return max(4 - int(4 * share), 1)
        if op == "Solarize":
            return 256 - int(256 * share)
        if op == "Rotate":
            return sign * int(30 * share)
        if op.startswith("Shear"):
            return sign * round(0.3 * share, 3)
        if op.startswith("Translate"):
            return sign * int((picture.width if op == "TranslateX" else picture.height) / 3 * share)
        return 0

    def apply(self, picture: Picture, params: Mapping[str, Any]) -> Picture:
        if picture.pixels.dtype != np.uint8:
            message = "augmix works on 8 bits only and this picture has 16; write output: {image: {bits: 8}}"
            raise ImageError("no-16-bit", message, "transform")
        original, rng = params["original"], Rng()
        mixed = picture.pixels * np.float32(original)
        for chain, weight in zip(params["chains"], params["weights"], strict=True):
            link = Picture(picture.pixels)
            for op, value in chain:
                if (transform := _transform(op, value, self.fill)) is not None:
                    link = transform.apply(link, transform.draw(link, rng))  # where nothing is left to draw
            mixed += link.pixels * np.float32((1 - original) * weight)
        return replace(picture, pixels=np.rint(mixed).clip(0, 255).astype(np.uint8))


@lru_cache(maxsize=1024)
def _transform(op: str, value: float, fill: float) -> Classical | Still | None:
    found = step(op, value, fill, pixels=True)
    if found is None:
        return None
    if TRANSFORMS[found.name].own:
        own: Still = make(found.name, found.args)
        return own
    return Classical(found.name, found.args)
