"""A small classifier of the user's own pictures, whose weak places `adversarial` steps look for; others have most of
them, too (Papernot, McDaniel, Goodfellow 2016, arXiv 1605.07277).

It sees pictures moved by an eighth of their side and mirrored, so that it learns more than 500 pictures by heart.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn.functional import cross_entropy, pad

from augx.artefact import Place
from augx.drawing.sheet import Row, Tile
from augx.errors import ImageError, InputError
from augx.learn import data, files
from augx.learn.classifier import Net, scaled
from augx.learn.data import Data
from augx.learn.door import alone
from augx.learn.training import cycle, enlarged
from augx.model import Json

METHOD = "adversarial"
_BATCH = 64
_RATE = 0.1  # of learning, at its most
_DECAY = 0.01  # of weights: high, as pictures are few
_HELD_OUT = 5  # every so manieth picture
_SHOWN = 8  # pictures on the sheet
_MOST_WIDTH = 256


def refuse(known: Data) -> None:
    """InputError where pictures have no classes to tell apart."""
    counts = np.bincount(known.labels[known.labels >= 0], minlength=len(known.classes))
    if (counts > 1).sum() < 2:
        raise InputError(
            "a classifier needs pictures of two classes, two of each at least",
            "it is for images that have one class each",
        )


def divided(labels: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Which pictures to fit on and which are held out: every fifth of a class; where that is none, all are asked."""
    order = np.argsort(labels, kind="stable")
    order = order[labels[order] >= 0]
    rank = np.arange(len(order)) - np.searchsorted(labels[order], labels[order])
    out = rank % _HELD_OUT == _HELD_OUT - 1
    return order[~out], order[out] if out.any() else order


class Fitting:
    """See `training.Fitting`. Of each class every fifth picture is held out, if it has so many."""

    steps, fast_steps = 2000, 600

    def __init__(self, known: Data, seed: int, device: Any, fast: bool, mirrored: bool = True) -> None:
        """`mirrored`: pictures of a class are of it in a mirror, too."""
        self.mirrored = mirrored
        torch.manual_seed(seed)
        self.architecture: dict[str, Json] = {"width": 16 if fast else 32, "side": known.side}
        self.net = Net(len(known.classes), int(self.architecture["width"])).to(device)
        self.parts: Mapping[str, nn.Module] = {"net": self.net}
        self.optimizers = [torch.optim.SGD(self.net.parameters(), _RATE, 0.9, weight_decay=_DECAY, nesterov=True)]
        self.known, self.device = known, device
        inside, self.out = divided(known.labels)
        self.pictures, self.labels = self._of(inside)

    def _of(self, numbers: NDArray[np.int64]) -> tuple[Any, Any]:
        pixels = torch.from_numpy(self.known.pixels[numbers]).permute(0, 3, 1, 2).contiguous()
        return pixels, torch.from_numpy(self.known.labels[numbers])

    def step(self, number: int, steps: int, random: Any) -> float:
        chosen = torch.randint(len(self.pictures), (_BATCH,), generator=random)
        x = scaled(self.pictures[chosen])
        if self.mirrored:
            mirrored = torch.rand(_BATCH, generator=random) < 0.5
            x[mirrored] = x[mirrored].flip(-1)
        far = self.known.side // 8
        down, right = torch.randint(2 * far + 1, (2,), generator=random).tolist()
        x = pad(x, (far,) * 4, "reflect")[..., down : down + self.known.side, right : right + self.known.side]
        for group in self.optimizers[0].param_groups:
            group["lr"] = _RATE * cycle(number / steps)
        self.net.train()
        loss = cross_entropy(self.net(x.to(self.device)), self.labels[chosen].to(self.device))
        self.optimizers[0].zero_grad(set_to_none=True)
        loss.backward()
        self.optimizers[0].step()
        return float(loss.detach())

    def score(self) -> float:
        """Cross-entropy, in nats."""
        return self._asked()[0]

    def _asked(self) -> tuple[float, float]:
        pictures, labels = self._of(self.out)
        self.net.eval()
        with torch.no_grad():
            found = torch.cat([self.net(scaled(part).to(self.device)).cpu() for part in pictures.split(256)])
        return float(cross_entropy(found, labels)), float((found.argmax(1) == labels).float().mean())

    def finished(self) -> dict[str, Any]:
        return dict(self.net.state_dict())

    def gates(self) -> dict[str, Json]:
        return {"held_out_accuracy": round(self._asked()[1], 4), "held_out": len(self.out)}

    def rows(self) -> list[Row]:
        """Pictures that were held out, and what one step against the gradient makes of them."""
        from augx.learn.adversarial import attacked

        judge, rows = Judge(self.net.eval(), self.known.side, self.known.classes), []
        for number in self.out[np.linspace(0, len(self.out) - 1, min(_SHOWN, len(self.out))).astype(int)]:
            pixels, name = self.known.pixels[number], self.known.classes[self.known.labels[number]]
            tiles = [Tile("source", pixels, judge.says(pixels))]
            for levels in (4, 16):
                made = attacked(judge, pixels, {name: 1.0}, levels, 1)
                tiles.append(Tile(f"epsilon {levels}", made, judge.says(made)))
            rows.append(Row(f"{self.known.samples[number].id} {name}", tuple(map(enlarged, tiles))))
        return rows


class Judge:
    """The classifier at work on one picture."""

    def __init__(self, net: Any, side: int, classes: tuple[str, ...]) -> None:
        self.net, self.side, self.classes = net, side, classes
        self.device = next(net.parameters()).device

    def scores(self, pixels: NDArray[Any]) -> NDArray[np.float32]:
        """The share it gives each class; they sum to 1."""
        x = torch.from_numpy(data.squared(pixels, self.side)).permute(2, 0, 1)[None]
        with alone():
            found: NDArray[np.float32] = self.net(scaled(x).to(self.device)).softmax(1)[0].cpu().numpy()
        return found

    def says(self, pixels: NDArray[Any]) -> str:
        scores = self.scores(pixels)
        return f"{self.classes[int(scores.argmax())]} {scores.max():.0%}"

    def uphill(self, picture: NDArray[np.float32], target: NDArray[np.float32]) -> NDArray[np.float32]:
        """The gradient of the cross-entropy against the shares `target`, by the levels of a picture (side, side, 3)."""
        x = torch.from_numpy(picture).permute(2, 0, 1)[None].to(self.device)
        with alone(gradients=True):
            x = x.clone().requires_grad_(True)
            loss = cross_entropy(self.net(scaled(x)), torch.from_numpy(target)[None].to(self.device))
            (found,) = torch.autograd.grad(loss, x)
        gradient: NDArray[np.float32] = found[0].permute(1, 2, 0).cpu().numpy()
        return gradient


@lru_cache(maxsize=4)
def judge(place: Place) -> Judge:
    """Of a model file. ImageError where it cannot be used."""
    card, state = files.read(place, METHOD)
    if len(card.classes) < 2:
        raise ImageError("no-model", f"the model {place.path} tells no classes apart", "transform")
    width, side = files.sized(card, place, _MOST_WIDTH)
    with torch.device("meta"):
        net = Net(len(card.classes), width)
    return Judge(files.filled(net, state, place), side, card.classes)
