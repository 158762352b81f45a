"""The step `style`: pictures in the style of another one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from augx.artefact import Place
from augx.model import Dropped, Picture
from augx.seeds import Rng
from augx.transforms.own.base import Learned, Mix, Need, Rules, choice, needed, span


@dataclass(frozen=True)
class Style(Learned, Mix):
    """The picture with the colours and textures of another: its features, seen by a small network, get the means and
    deviations of the other's (Huang, Belongie 2017, arXiv 1703.06868: AdaIN), by a share drawn from `share_range`.

    What the network changes is added to the picture, at any size, so that its detail stays. Nothing moves: all labels
    stay as they are, and the other picture's are not taken. `partners`: of which class it is. `model` is written by
    `augx learn style`.
    """

    name: ClassVar[str] = "style"

    model: str | Place = needed(type="string")
    share_range: Sequence[float] = span([0.5, 1.0], 0, 1)
    partners: str = choice("any", "any", "same", "other")

    def need(self) -> Need:
        return Need(self.partners)

    def draw(self, picture: Picture, others: Sequence[Picture], rng: Rng, rules: Rules) -> dict[str, Any]:
        low, high = self.share_range
        return {"share": rng.numpy.uniform(low, high)}

    def apply(
        self, picture: Picture, others: Sequence[Picture], params: Mapping[str, Any], rules: Rules
    ) -> tuple[Picture, tuple[Dropped, ...]]:
        from augx.learn.data import added
        from augx.learn.stylist import hand

        change = hand(self.place).change(picture.pixels, others[0].pixels, params["share"])
        return replace(picture, pixels=added(picture.pixels, change)), ()
