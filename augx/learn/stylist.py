"""A network that gives one picture the style of another: the means and deviations of its features.

Huang, Belongie 2017, "Arbitrary Style Transfer in Real-time with Adaptive Instance Normalization", arXiv 1703.06868.
There the features are those of a network that has seen a million photos. Nothing is downloaded here, so they are those
of an autoencoder of the user's own pictures, which is fitted first: it knows colours and textures, and no objects.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn.functional import mse_loss

from augx.artefact import Place
from augx.drawing.sheet import Row, Tile
from augx.learn import data, files, training
from augx.learn.data import Data
from augx.learn.door import alone
from augx.learn.training import cycle, enlarged, unit
from augx.model import Json

METHOD = "style"
_BATCH = 32
_RATE = 2e-3  # of learning, at its most
_BEGIN = 0.4  # of the steps, for the autoencoder
_STYLE = 2.0  # weight of the style's loss; 1 is that of the content's
_SAME = 5.0  # weight of a picture in its own style staying as it is
_SHOWN = 6  # pictures on the sheet
_EPS = 1e-3
_MOST_WIDTH = 256


class Stylist(nn.Module):
    """Pictures in -1..1. Features of three levels: at half the side, a quarter, and again a quarter."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.levels = nn.ModuleList(
            [
                nn.Sequential(nn.PixelUnshuffle(2), nn.Conv2d(12, width, 3, 1, 1), nn.SiLU()),
                nn.Sequential(nn.Conv2d(width, 2 * width, 3, 2, 1), nn.SiLU()),
                nn.Sequential(nn.Conv2d(2 * width, 2 * width, 3, 1, 1)),
            ]
        )
        self.decoder = nn.Sequential(
            nn.Conv2d(2 * width, 2 * width, 3, 1, 1), nn.SiLU(),
            nn.Upsample(scale_factor=2),
            nn.Conv2d(2 * width, width, 3, 1, 1), nn.SiLU(),
            nn.Conv2d(width, 12, 3, 1, 1), nn.PixelShuffle(2),
        )  # fmt: skip

    def features(self, x: Any) -> list[Any]:
        return [x := level(x) for level in self.levels]

    def forward(self, content: Any, style: Any, share: float = 1.0) -> Any:
        here, there = self.features(content)[-1], self.features(style)[-1]
        return self.decoder(here + share * (dressed(here, there) - here))


def moments(features: Any) -> tuple[Any, Any]:
    """Mean and deviation of each channel."""
    return features.mean((2, 3), keepdim=True), (features.var((2, 3), keepdim=True, correction=0) + _EPS).sqrt()


def dressed(features: Any, style: Any) -> Any:
    """Adaptive instance normalization: the features with the moments of others."""
    mean, deviation = moments(features)
    other_mean, other_deviation = moments(style)
    return (features - mean) / deviation * other_deviation + other_mean


def refuse(known: Data) -> None:
    """InputError where there are too few pictures."""
    training.refuse_few(known, "style transfer")


class Fitting:
    """See `training.Fitting`. Every tenth picture is held out."""

    steps, fast_steps = 6000, 1500

    def __init__(self, known: Data, seed: int, device: Any, fast: bool) -> None:
        torch.manual_seed(seed)
        self.architecture: dict[str, Json] = {"width": 24 if fast else 48, "side": known.side}
        self.net = Stylist(int(self.architecture["width"])).to(device)
        self.parts: Mapping[str, nn.Module] = {"net": self.net}
        self.optimizers = [torch.optim.AdamW(self.net.parameters(), _RATE, weight_decay=1e-4)]
        self.pictures, self.held = training.divided(known, 2, 128)
        self.known, self.device = known, device

    def step(self, number: int, steps: int, random: Any) -> float:
        chosen = torch.randint(len(self.pictures), (2, _BATCH), generator=random)
        content, style = (unit(self.pictures[one]).to(self.device) for one in chosen)
        begins = number < _BEGIN * steps
        if begins:
            loss = mse_loss(self.net.decoder(self.net.features(content)[-1]), content)
        else:
            loss = self._loss(content, style)
        for group in self.optimizers[0].param_groups:
            group["lr"] = _RATE * cycle(
                number / (_BEGIN * steps) if begins else (number / steps - _BEGIN) / (1 - _BEGIN)
            )
        self.optimizers[0].zero_grad(set_to_none=True)
        loss.backward()
        if not begins:  # what features are stays as the autoencoder found it
            for weights in self.net.levels.parameters():
                weights.grad = None
        nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
        self.optimizers[0].step()
        return float(loss.detach())

    def _loss(self, content: Any, style: Any) -> Any:
        wanted = dressed(self.net.features(content)[-1], self.net.features(style)[-1]).detach()
        found = self.net.features(self.net.decoder(wanted))
        loss = mse_loss(found[-1], wanted)
        for mine, its in zip(found, self.net.features(style), strict=True):
            for one, other in zip(moments(mine), moments(its.detach()), strict=True):
                loss = loss + _STYLE * mse_loss(one, other)
        return loss + _SAME * mse_loss(self.net.decoder(self.net.features(content)[-1]), content)

    def score(self) -> float:
        """The loss of held-out pictures in each other's style."""
        with torch.no_grad():
            content = unit(self.held).to(self.device)
            return float(self._loss(content, content.roll(1, 0)))

    def finished(self) -> dict[str, Any]:
        return dict(self.net.state_dict())

    def gates(self) -> dict[str, Json]:
        """How far the moments of held-out pictures get to those of their style: 1 is all the way."""
        with torch.no_grad():
            content = unit(self.held).to(self.device)
            style = content.roll(1, 0)
            made, before, wanted = (self.net.features(one)[0] for one in (self.net(content, style), content, style))
            left = mse_loss(moments(made)[0], moments(wanted)[0])
            return {"reached": round(1 - float((left / mse_loss(moments(before)[0], moments(wanted)[0])).sqrt()), 4)}

    def rows(self) -> list[Row]:
        """Pictures, whose style they take, half way and all the way."""
        hand, known, rows = Hand(self.net, self.known.side), self.known, []
        numbers = np.linspace(0, len(known.pixels) - 1, min(_SHOWN, len(known.pixels))).astype(int)
        for number, other in zip(numbers, np.roll(numbers, 1), strict=True):
            here, there = known.pixels[number], known.pixels[other]
            tiles = [Tile("source", here), Tile("style of", there)]
            tiles += [Tile(f"share {share}", data.added(here, hand.change(here, there, share))) for share in (0.5, 1.0)]
            rows.append(Row(known.samples[number].id, tuple(map(enlarged, tiles))))
        return rows


class Hand:
    """The network at work on one picture."""

    def __init__(self, net: Any, side: int) -> None:
        self.net, self.side = net, side
        self.device = next(net.parameters()).device

    def change(self, pixels: NDArray[Any], style: NDArray[Any], share: float) -> NDArray[np.float32]:
        """What to add to a picture, (side, side, 3) in levels of 255."""
        both = np.stack([data.squared(one, self.side) for one in (pixels, style)])
        with alone():
            x = unit(torch.from_numpy(both).permute(0, 3, 1, 2).to(self.device))
            here, there = x[:1], x[1:]
            found = self.net(here, there, share) - self.net.decoder(self.net.features(here)[-1])
            levels: NDArray[np.float32] = (found[0].permute(1, 2, 0) * 127.5).cpu().numpy()
        return levels


@lru_cache(maxsize=4)
def hand(place: Place) -> Hand:
    """Of a model file. ImageError where it cannot be used."""
    card, state = files.read(place, METHOD)
    width, side = files.sized(card, place, _MOST_WIDTH)
    with torch.device("meta"):
        net = Stylist(width)
    return Hand(files.filled(net, state, place), side)
