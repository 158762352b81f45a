"""The step `neural`: what a small network makes of two pictures of a class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from augx.artefact import Place
from augx.model import Dropped, Picture
from augx.seeds import Rng
from augx.transforms.own.base import Learned, Mix, Need, Rules, needed


@dataclass(frozen=True)
class Neural(Learned, Mix):
    """A picture that a small network makes of this one and another of its class (Perez, Wang 2017, arXiv 1712.04621,
    "The Effectiveness of Data Augmentation in Image Classification using Deep Learning"). The network was fitted
    together with a classifier, so that what it makes helps that one to tell classes apart.

    What the network changes is added to the picture, at any size. Things of both are in it, and no label says where:
    images with boxes, masks or the like are refused. Classes stay as they are. `model` is written by
    `augx learn neural`.
    """

    name: ClassVar[str] = "neural"

    model: str | Place = needed(type="string")

    def need(self) -> Need:
        return Need("same")

    def draw(self, picture: Picture, others: Sequence[Picture], rng: Rng, rules: Rules) -> dict[str, Any]:
        return {}

    def apply(
        self, picture: Picture, others: Sequence[Picture], params: Mapping[str, Any], rules: Rules
    ) -> tuple[Picture, tuple[Dropped, ...]]:
        from augx.learn.blender import blend
        from augx.learn.data import added

        change = blend(self.place).change(picture.pixels, others[0].pixels)
        return replace(picture, pixels=added(picture.pixels, change)), ()
