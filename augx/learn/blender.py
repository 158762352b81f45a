"""A network that makes one picture of two of a class, and is fitted through the loss of a classifier.

Perez, Wang 2017, "The Effectiveness of Data Augmentation in Image Classification using Deep Learning", arXiv
1712.04621. Five convolutions see both pictures. Each batch goes into the classifier as it is and as the network makes
it of pairs, and the classifier's loss of both moves both networks. On top of that comes one of their three losses of
the picture itself: none; content, its distance to a third picture of the class; style, that of their Gram matrices.
Here the network begins with the mean of the two pictures, and learns what to change in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn.functional import cross_entropy, mse_loss

from augx.artefact import Place
from augx.drawing.sheet import Row, Tile
from augx.learn import data, files, surrogate
from augx.learn.classifier import Net, scaled
from augx.learn.data import Data
from augx.learn.door import alone
from augx.learn.training import cycle, enlarged, unit
from augx.model import Json

METHOD = "neural"
LOSSES = ("none", "content", "style")
_BATCH = 32  # pictures, and as many pairs
_RATE, _JUDGE_RATE = 1e-3, 0.05  # of learning, at their most
_DECAY = 0.01  # of the classifier's weights: high, as pictures are few
_CLASSES, _OWN = 0.75, 0.25  # weights of the classifier's loss and of the picture's own: the paper's
_LAYERS = 5
_SHOWN = 8  # pictures on the sheet
_MOST_WIDTH = 256

refuse = surrogate.refuse


class Blender(nn.Module):
    """Pictures in -1..1."""

    def __init__(self, width: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for before in (6, *[width] * (_LAYERS - 2)):
            layers += [nn.Conv2d(before, width, 3, padding=1), nn.ReLU()]
        self.layers = nn.Sequential(*layers, nn.Conv2d(width, 3, 3, padding=1))
        nn.init.zeros_(self.layers[-1].weight)
        nn.init.zeros_(self.layers[-1].bias)

    def forward(self, x: Any, other: Any) -> Any:
        return (x + other) / 2 + self.layers(torch.cat([x, other], 1))


class Fitting:
    """See `training.Fitting`. Of each class every fifth picture is held out, if it has so many."""

    steps, fast_steps = 4000, 1500

    def __init__(self, known: Data, seed: int, device: Any, fast: bool, loss: str = LOSSES[0]) -> None:
        torch.manual_seed(seed)
        self.architecture: dict[str, Json] = {"width": 16 if fast else 32, "side": known.side, "loss": loss}
        self.net = Blender(int(self.architecture["width"])).to(device)
        self.judge = Net(len(known.classes)).to(device)
        self.parts: Mapping[str, nn.Module] = {"net": self.net, "judge": self.judge}
        self.optimizers = [
            torch.optim.AdamW(self.net.parameters(), _RATE, weight_decay=1e-4),
            torch.optim.SGD(self.judge.parameters(), _JUDGE_RATE, 0.9, weight_decay=_DECAY, nesterov=True),
        ]
        self.known, self.device, self.loss = known, device, loss
        self.fitted, self.held = (_Pairs(known, numbers) for numbers in surrogate.divided(known.labels))

    def step(self, number: int, steps: int, random: Any) -> float:
        pairs = self.fitted
        chosen = torch.randint(len(pairs.labels), (_BATCH,), generator=random)
        others = [pairs.partners(chosen, random) for _ in range(2)]
        x, other, third = (unit(pairs.pictures[one]).to(self.device) for one in (chosen, *others))
        for optimizer, rate in zip(self.optimizers, (_RATE, _JUDGE_RATE), strict=True):
            for group in optimizer.param_groups:
                group["lr"] = rate * cycle(number / steps)
        self.judge.train()
        made = self.net(x, other)
        labels = pairs.labels[chosen].to(self.device)
        loss = cross_entropy(self.judge(_scaled(torch.cat([x, made]))), labels.repeat(2))
        if self.loss != "none":
            own = mse_loss if self.loss == "content" else _style
            loss = _CLASSES * loss + _OWN * own((made + 1) / 2, (third + 1) / 2)
        for optimizer in self.optimizers:
            optimizer.zero_grad(set_to_none=True)
        loss.backward()
        for optimizer in self.optimizers:
            optimizer.step()
        return float(loss.detach())

    def score(self) -> float:
        """Cross-entropy of pictures as they are, in nats."""
        return float(cross_entropy(self._asked(self.held.pictures), self.held.labels))

    def _asked(self, pictures: Any) -> Any:
        self.judge.eval()
        with torch.no_grad():
            return torch.cat([self.judge(scaled(part).to(self.device)).cpu() for part in pictures.split(256)])

    def _made(self) -> Any:
        """Of each picture that is held out and one of its class."""
        x, other = self.held.pictures, self.held.pictures[self.held.next()]
        with torch.no_grad():
            found = [
                self.net(unit(one).to(self.device), unit(two).to(self.device)).cpu()
                for one, two in zip(x.split(256), other.split(256), strict=True)
            ]
        return (torch.cat(found) + 1) * 127.5

    def finished(self) -> dict[str, Any]:
        return dict(self.net.state_dict())

    def gates(self) -> dict[str, Json]:
        """What its own classifier says of pictures held out and of what is made of them; and how far, in levels, that
        is from the mean of the two."""
        made, labels = self._made(), self.held.labels
        mean = (self.held.pictures.float() + self.held.pictures[self.held.next()]) / 2
        right = [float((self._asked(one).argmax(1) == labels).float().mean()) for one in (self.held.pictures, made)]
        return {
            "held_out": len(labels),
            "held_out_accuracy": round(right[0], 4),
            "made_accuracy": round(right[1], 4),
            "levels_from_mean": round(float((made - mean).abs().mean()), 2),
        }

    def rows(self) -> list[Row]:
        """Pairs that were held out, and what is made of them."""
        blend, known, rows = Blend(self.net.eval(), self.known.side), self.known, []
        following = self.held.next().tolist()
        for place in np.linspace(0, len(following) - 1, min(_SHOWN, len(following))).astype(int):
            one, two = self.held.numbers[place], self.held.numbers[following[place]]
            here, there = known.pixels[one], known.pixels[two]
            mean = ((here.astype(np.uint16) + there + 1) // 2).astype(np.uint8)
            plane = here[..., 0] if (here == here[..., :1]).all() else here  # grey stays grey, as it does in a run
            made = data.squared(data.added(plane, blend.change(here, there)), known.side)
            shown = zip(("source", "and", "their mean", "made"), (here, there, mean, made), strict=True)
            title = f"{known.samples[one].id} {known.classes[known.labels[one]]}"
            rows.append(Row(title, tuple(enlarged(Tile(*tile)) for tile in shown)))
        return rows


class _Pairs:
    """Pictures, class by class, and who goes with whom. `numbers`: places in the data, sorted by class."""

    def __init__(self, known: Data, numbers: NDArray[np.int64]) -> None:
        self.numbers = numbers
        self.pictures = torch.from_numpy(known.pixels[numbers]).permute(0, 3, 1, 2).contiguous()
        self.labels = torch.from_numpy(known.labels[numbers])
        self.first = torch.searchsorted(self.labels, self.labels)
        self.count = torch.searchsorted(self.labels, self.labels, right=True) - self.first

    def partners(self, chosen: Any, random: Any) -> Any:
        """Another of the same class for each; itself where there is no other."""
        count, first = self.count[chosen], self.first[chosen]
        far = 1 + (torch.rand(len(chosen), generator=random) * (count - 1)).long()
        return first + (chosen - first + far) % count

    def next(self) -> Any:
        places = torch.arange(len(self.labels))
        return self.first + (places - self.first + 1) % self.count


def _scaled(x: Any) -> Any:
    """-1..1 as the classifier sees levels."""
    return scaled((x + 1) * 127.5)


def _style(made: Any, wanted: Any) -> Any:
    return mse_loss(_gram(made), _gram(wanted))


def _gram(x: Any) -> Any:
    """Of each picture, how its channels go together: (n, 3, 3)."""
    flat = x.flatten(2)
    return flat @ flat.transpose(1, 2) / flat.shape[2]


class Blend:
    """The network at work on one pair."""

    def __init__(self, net: Any, side: int) -> None:
        self.net, self.side = net, side
        self.device = next(net.parameters()).device

    def change(self, pixels: NDArray[Any], other: NDArray[Any]) -> NDArray[np.float32]:
        """What to add to a picture, (side, side, 3) in levels of 255."""
        both = np.stack([data.squared(one, self.side) for one in (pixels, other)])
        with alone():
            x = unit(torch.from_numpy(both).permute(0, 3, 1, 2).to(self.device))
            found = self.net(x[:1], x[1:]) - x[:1]
            levels: NDArray[np.float32] = (found[0].permute(1, 2, 0) * 127.5).cpu().numpy()
        return levels


@lru_cache(maxsize=4)
def blend(place: Place) -> Blend:
    """Of a model file. ImageError where it cannot be used."""
    card, state = files.read(place, METHOD)
    width, side = files.sized(card, place, _MOST_WIDTH)
    with torch.device("meta"):
        net = Blender(width)
    return Blend(files.filled(net, state, place), side)
