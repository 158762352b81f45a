"""What a generated picture is held against: a classifier of the real pictures, and these pictures as it sees them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import adaptive_avg_pool2d

from augx.learn.classifier import Net, scaled
from augx.model import Json

_LEVELS = 12  # layers of the classifier up to a grid of an eighth of the side
GRID = 4  # to which that is averaged: places tell a copy from another picture of the same things
_DARK = 4.0  # levels, so that noise in a flat picture stays small
_MOST_KEPT = 20_000  # pictures that generated ones are held against
_COPIES = 0.05  # share of the real pictures that are nearer to another one than the threshold
_SPREAD = 48  # pictures of a class whose distances tell how varied it is
_NEAREST = 3  # real pictures that are named

Features = NDArray[np.float32]


def features(net: Net, x: Any) -> Any:
    """(n, numbers) of pictures (n, 3, side, side) in levels of 0..255. All are put into one light first: a copy is one
    in another light, too."""
    x = x.float()
    x = (x - x.mean((1, 2, 3), keepdim=True)) / (x.std((1, 2, 3), keepdim=True) + _DARK)
    for layer in list(net)[:_LEVELS]:
        x = layer(x)
    return adaptive_avg_pool2d(x, GRID).flatten(1)


@dataclass(frozen=True)
class Gates:
    """`net`: tells `classes` apart. `kept`: features of real pictures, `labels` their classes, `names` themselves.
    `copy`: as near to a real picture as few real ones are to each other."""

    net: Net
    classes: tuple[str, ...]
    kept: Features
    labels: NDArray[np.int64]
    names: Sequence[str]
    copy: float

    def seen(self, x: Any) -> tuple[NDArray[np.float32], Features]:
        """Of pictures (n, 3, side, side) of uint8: the share that each class gets, and the features."""
        with torch.no_grad():
            return self.net(scaled(x)).softmax(1).cpu().numpy(), features(self.net, x).cpu().numpy()

    def nearest(self, one: Features) -> tuple[float, list[str]]:
        """How far the nearest real picture is, and the names of the nearest ones."""
        apart = np.square(self.kept - one).sum(1)
        order = np.argsort(apart, kind="stable")[:_NEAREST]
        return float(np.sqrt(apart[order[0]])), [self.names[number] for number in order]


def kept_of(features: Features, labels: NDArray[np.int64]) -> tuple[NDArray[np.int64], float]:
    """Which of many real pictures are kept, and the distance below which a picture is a copy of one of them."""
    numbers = np.linspace(0, len(features) - 1, min(len(features), _MOST_KEPT)).astype(np.int64)
    apart = [d for name in np.unique(labels) for d in _alone(features[numbers][labels[numbers] == name])]
    return numbers, float(np.quantile(apart, _COPIES)) if apart else 0.0


def _alone(some: Features) -> list[float]:
    """How far each is from the nearest other one."""
    if len(some) < 2:
        return []
    found = []
    for number, one in enumerate(some):
        apart = np.square(some - one).sum(1)
        apart[number] = np.inf
        found.append(float(np.sqrt(apart.min())))
    return found


def apart(seen: Features, labels: NDArray[np.int64], classes: int) -> NDArray[np.float32]:
    """How far pictures of each class are from each other, on average."""
    return np.array([max(_spread(seen[labels == number]), 1e-6) for number in range(classes)], np.float32)


def variety(made: Features, of: NDArray[np.int64], real: Features, labels: NDArray[np.int64],
            classes: Sequence[str]) -> Mapping[str, Json]:  # fmt: skip
    """How varied generated pictures of each class are, 1: as much as real ones. By the mean of their distances."""
    shares = {
        name: _spread(made[of == number]) / max(_spread(real[labels == number]), 1e-9)
        for number, name in enumerate(classes)
        if (labels == number).sum() > 1
    }
    least = min(shares, key=lambda name: shares[name])
    return {"diversity": round(float(np.mean(list(shares.values()))), 4), "least_diversity": round(shares[least], 4),
            "least_diverse": least}  # fmt: skip


def _spread(some: Features) -> float:
    some = some[:_SPREAD]
    apart = np.sqrt(np.maximum(np.square(some[:, None] - some).sum(2), 0))
    return float(apart.sum() / max(len(some) * (len(some) - 1), 1))
