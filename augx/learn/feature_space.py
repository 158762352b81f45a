"""The step `feature_space`: pictures changed where an autoencoder sees them, in the space of its codes.

DeVries, Taylor 2017, "Dataset Augmentation in Feature Space", arXiv 1702.05538.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from augx.artefact import Place
from augx.model import Dropped, Picture
from augx.seeds import Rng
from augx.transforms.own.base import Learned, Mix, Need, Rules, choice, needed, span, switch, whole
from augx.transforms.own.layers import weighted

if TYPE_CHECKING:
    from augx.learn.autoencoder import Code, Codec

_SAME = "partners: other than `same` go with the modes interpolate and join, where the label is shared, too"


@dataclass(frozen=True)
class FeatureSpace(Learned, Mix):
    """z' of the code z of a picture and the code z1 of one of the `nearest` pictures of its class, nearest by codes:

    extrapolate: z + lambda (z - z1). interpolate: z + lambda (z1 - z). join: a share lambda of z1's channels in place
    of z's. noise: z + lambda s, s drawn for each number of z from a normal distribution of its own spread over the
    dataset; takes no other picture.

    The picture becomes x + D(z') - D(z): what decoding changes is added to it, at any size, and its detail stays. With
    `residual: false` it becomes D(z'), which blurs. `partners`: of which class z1 is; where it is not `same`, classes
    are shared as the code is. Where images have boxes, masks or the like only `noise` is allowed: the other modes move
    things to where no label says.

    `model` is written by `augx learn autoencoder`. DeVries and Taylor take lambda 0.5 for all three of theirs, and find
    extrapolating best.
    """

    name: ClassVar[str] = "feature_space"

    model: str | Place = needed(type="string")
    mode: str = choice("extrapolate", "extrapolate", "interpolate", "noise", "join")
    lambda_range: Sequence[float] = span([0.5, 0.5], 0, 4)
    nearest: int = whole(10, 1, 64)
    partners: str = choice("same", "same", "any", "other")
    residual: bool = switch(True)

    def __post_init__(self) -> None:
        if self.partners != "same" and self.mode not in ("interpolate", "join"):
            raise ValueError(_SAME)

    @property
    def codec(self) -> Codec:
        from augx.learn.autoencoder import codec

        return codec(self.place)

    def need(self) -> Need:
        if self.mode == "noise":
            return Need("same", 0)
        return Need(self.partners, nearest=self.nearest, look=self.look)

    def look(self, picture: Picture) -> NDArray[np.float32]:
        return self.codec.code(picture.pixels)

    def draw(self, picture: Picture, others: Sequence[Picture], rng: Rng, rules: Rules) -> dict[str, Any]:
        low, high = self.lambda_range
        share = rng.numpy.uniform(low, high)
        if rules.hard and self.partners != "same":
            share = min(share, 0.5)
        drawn: dict[str, Any] = {"mode": self.mode, "lambda": share}
        if self.mode in ("noise", "join"):
            drawn["stream"] = int(rng.numpy.integers(2**63))
        return drawn

    def apply(
        self, picture: Picture, others: Sequence[Picture], params: Mapping[str, Any], rules: Rules
    ) -> tuple[Picture, tuple[Dropped, ...]]:
        codec, share = self.codec, params["lambda"]
        here = codec.code(picture.pixels)
        if self.mode == "noise":
            drawn = np.random.Generator(np.random.Philox(params["stream"])).standard_normal(here.shape, np.float32)
            code = here + np.float32(share) * codec.spread * drawn
        else:
            there = codec.code(others[0].pixels)
            code = moved(self.mode, here, there, share, params.get("stream", 0))
        pixels = changed(codec, picture.pixels, here, code, self.residual)
        if not others or self.partners == "same":
            return replace(picture, pixels=pixels), ()
        shares = [1 - min(share, 1.0), min(share, 1.0)]
        labels = weighted([picture, others[0]], shares)
        return replace(picture, pixels=pixels, annotations=replace(picture.annotations, labels=labels)), ()


def moved(mode: str, code: Code, other: Code, share: float, stream: int = 0) -> Code:
    """Where a code goes with respect to another."""
    found: Code
    if mode == "join":
        channels = np.random.Generator(np.random.Philox(stream)).permutation(len(code))[: round(share * len(code))]
        found = code.copy()
        found[channels] = other[channels]
    else:
        found = code + np.float32(share) * (code - other if mode == "extrapolate" else other - code)
    return found


def changed(codec: Codec, pixels: NDArray[Any], before: Code, after: Code, residual: bool = True) -> NDArray[Any]:
    """A picture (H, W) or (H, W, 3), of 8 or 16 bits, whose code goes from `before` to `after`."""
    from augx.learn.data import added

    decoded = codec.decoded(after)
    return added(pixels, decoded - codec.decoded(before)) if residual else added(np.zeros_like(pixels), decoded)
