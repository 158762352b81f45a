"""Pictures blended as wholes: each pixel of the new one is a weighted sum of the same pixel in two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import cv2
from numpy.typing import NDArray

from augx.model import Dropped, Picture
from augx.seeds import Rng
from augx.transforms.own.base import Mix, Need, Rules, choice, number, span, whole
from augx.transforms.own.frames import bare, cover, renumbered
from augx.transforms.own.layers import beta_share, distinct, gathered, unnumbered, weighted


@dataclass(frozen=True)
class Mixup(Mix):
    """`lambda` of the picture and 1 - lambda of another, lambda from Beta(alpha, alpha); so are their classes.

    A picture of another size is scaled until it covers the first. The objects of both are kept, but those of a picture
    whose share is under the recipe's `min_visibility`. A mask has one value a pixel: that of the picture with the
    larger share. Objects of the other one keep boxes, polygons and RLE, and have no place in a mask of instances.

    Zhang, Cisse, Dauphin, Lopez-Paz 2017, "mixup: Beyond Empirical Risk Minimization", arXiv 1710.09412: alpha 0.1 to
    0.4 on ImageNet. For objects take an alpha of 8 or more, so that both pictures are to be seen (Zhang et al. 2019,
    "Bag of Freebies for Training Object Detection Neural Networks", arXiv 1902.04103: 1.5).
    """

    name: ClassVar[str] = "mixup"

    alpha: float = number(0.4, 0.01, 100)
    partners: str = choice("any", "any", "same", "other")

    def need(self) -> Need:
        return Need(self.partners)

    def draw(self, picture: Picture, others: Sequence[Picture], rng: Rng, rules: Rules) -> dict[str, Any]:
        return {"lambda": beta_share(self.alpha, rng, rules)}

    def apply(
        self, picture: Picture, others: Sequence[Picture], params: Mapping[str, Any], rules: Rules
    ) -> tuple[Picture, tuple[Dropped, ...]]:
        share = params["lambda"]
        other, lost = cover(others[0], picture.width, picture.height, rules)
        pixels = _sum(picture.pixels, share, other.pixels, 1 - share)
        labels = weighted([picture, other], [share, 1 - share])
        first, second = distinct([picture, other])
        first, gone = _seen(first, share, rules)
        second, gone_too = _seen(second, 1 - share, rules)
        mask, instances = first.mask, first.instances
        if share < 0.5:
            mask = mask and (second.mask or mask)
            if second.instances is not None:
                instances, first = second.instances, unnumbered(first)
        if instances is first.instances:
            second = unnumbered(second)
        known = gathered([first, second], labels)
        mixed = replace(picture, pixels=pixels, annotations=known, mask=mask, instances=instances)
        return mixed, lost + gone + gone_too


@dataclass(frozen=True)
class SamplePairing(Mix):
    """The mean of two pictures, with all labels of the first.

    Inoue 2018, "Data Augmentation by Pairing Samples for Images Classification", arXiv 1801.02929. There it is switched
    off for the last epochs, and in some of those before: use it for some of the copies.
    """

    name: ClassVar[str] = "samplepairing"

    partners: str = choice("any", "any", "same", "other")

    def need(self) -> Need:
        return Need(self.partners)

    def draw(self, picture: Picture, others: Sequence[Picture], rng: Rng, rules: Rules) -> dict[str, Any]:
        return {}

    def apply(
        self, picture: Picture, others: Sequence[Picture], params: Mapping[str, Any], rules: Rules
    ) -> tuple[Picture, tuple[Dropped, ...]]:
        other, _ = cover(bare(others[0]), picture.width, picture.height, rules)
        return replace(picture, pixels=_sum(picture.pixels, 0.5, other.pixels, 0.5)), ()


@dataclass(frozen=True)
class Extrapolate(Mix):
    """x + lambda (x - x'), where x' is one of the `nearest` pictures of the same class; the labels stay.

    DeVries and Taylor 2017, "Dataset Augmentation in Feature Space", arXiv 1702.05538, where x is a vector of features;
    here it is the picture. lambda is drawn from `lambda_range`.
    """

    name: ClassVar[str] = "extrapolate"

    lambda_range: Sequence[float] = span([0.5, 0.5], 0, 2)
    nearest: int = whole(10, 1, 64)

    def need(self) -> Need:
        return Need("same", nearest=self.nearest)

    def draw(self, picture: Picture, others: Sequence[Picture], rng: Rng, rules: Rules) -> dict[str, Any]:
        low, high = self.lambda_range
        return {"lambda": rng.numpy.uniform(low, high)}

    def apply(
        self, picture: Picture, others: Sequence[Picture], params: Mapping[str, Any], rules: Rules
    ) -> tuple[Picture, tuple[Dropped, ...]]:
        far = params["lambda"]
        other, _ = cover(bare(others[0]), picture.width, picture.height, rules)
        return replace(picture, pixels=_sum(picture.pixels, 1 + far, other.pixels, -far)), ()


def _sum(one: NDArray[Any], weight: float, other: NDArray[Any], its_weight: float) -> NDArray[Any]:
    """Rounded, and cut off at the ends of the levels."""
    levels: NDArray[Any] = cv2.addWeighted(one, weight, other, its_weight, 0)
    return levels


def _seen(picture: Picture, share: float, rules: Rules) -> tuple[Picture, tuple[Dropped, ...]]:
    """The picture as it is seen with this share of a blend: all of its objects or none."""
    known = picture.annotations
    if share and share >= rules.options.min_visibility:
        return picture, ()
    lost = tuple(Dropped(thing.label, "min_visibility" if share else "hidden", share) for thing in known.objects)
    numbers = {thing.index: -1 for thing in known.objects if thing.index is not None}
    instances = picture.instances and renumbered(picture.instances, numbers)
    return replace(picture, annotations=replace(known, objects=()), instances=instances), lost
