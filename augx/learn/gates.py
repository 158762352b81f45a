"""What a generated picture is held against: a classifier of the real pictures, and these pictures as it sees them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import adaptive_avg_pool2d, affine_grid, grid_sample

from augx.learn.classifier import Net, scaled
from augx.learn.door import alone
from augx.model import Json

_LEVELS = 12  # layers of the classifier up to a grid of an eighth of the side
GRID = 4  # to which that is averaged: places tell a copy from another picture of the same things
_DARK = 4.0  # levels, so that noise in a flat picture stays small
_MOST_KEPT = 20_000  # pictures that generated ones are held against
_COPIES = 0.05  # share of the real pictures that are nearer to another one than the threshold
_MEASURED = 500  # real pictures that tell the threshold, at most
# What a copy may be, besides: moved by so much of the side each way, or turned by so many degrees, or so much larger;
# and all of that mirrored.
_MOVES = tuple(move / 32 for move in range(-2, 3))
_TURNS, _ZOOMS = (5, -5), (1.1, 0.9)
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


def views(net: Net, x: Any) -> Features:
    """Features of one picture (1, 3, side, side) as it is, and of what a copy may be of it."""
    ways = torch.tensor(_ways(), dtype=torch.float32)
    # On the CPU: not every device knows this border.
    many = x.cpu().float().expand(len(ways), -1, -1, -1)
    grid = affine_grid(ways, many.shape, align_corners=False)
    seen = grid_sample(many, grid, padding_mode="border", align_corners=False)
    with torch.no_grad():
        found: Features = features(net, seen.to(x.device)).cpu().numpy()
    return found


def _ways() -> list[list[list[float]]]:
    """Matrices, from places in a view to places in the picture, of which a side is 2 long and the middle 0."""
    found = [[[1.0, 0.0, 2 * right], [0.0, 1.0, 2 * down]] for down in _MOVES for right in _MOVES]
    for turn, zoom in [(turn, 1.0) for turn in _TURNS] + [(0, zoom) for zoom in _ZOOMS]:
        cosine, sine = math.cos(math.radians(turn)) / zoom, math.sin(math.radians(turn)) / zoom
        found.append([[cosine, sine, 0.0], [-sine, cosine, 0.0]])
    return found + [[[-first[0], *first[1:]], [-second[0], *second[1:]]] for first, second in found]


def distances(views: Features, kept: Features) -> NDArray[np.float32]:
    """How far each real picture is from that view of a picture which is nearest to it."""
    with alone():
        # By products of matrices: fast, and not exact where pictures are nearly the same.
        chosen = torch.cdist(torch.from_numpy(views), torch.from_numpy(kept)).argmin(0).numpy()
    found: NDArray[np.float32] = np.sqrt(np.square(kept - views[chosen]).sum(1))
    return found


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

    def shares(self, x: Any) -> NDArray[np.float32]:
        """Of pictures (n, 3, side, side) of uint8: what each class gets."""
        with torch.no_grad():
            found: NDArray[np.float32] = self.net(scaled(x)).softmax(1).cpu().numpy()
        return found

    def nearest(self, x: Any) -> tuple[float, list[str]]:
        """How far the real picture that is nearest to a picture (1, 3, side, side) is, and the names of the nearest."""
        apart = distances(views(self.net, x), self.kept)
        order = np.argsort(apart, kind="stable")[:_NEAREST]
        return float(apart[order[0]]), [self.names[number] for number in order]


def kept_of(count: int) -> NDArray[np.int64]:
    """Which of so many real pictures are kept."""
    return np.linspace(0, count - 1, min(count, _MOST_KEPT)).astype(np.int64)


def copy_distance(net: Net, pictures: Any, kept: Features) -> float:
    """The distance below which a picture is a copy of a real one. `pictures`: whose features `kept` are."""
    if len(kept) < 2:
        return 0.0
    device, found = next(net.parameters()).device, []
    for number in np.unique(np.linspace(0, len(kept) - 1, min(len(kept), _MEASURED)).astype(np.int64)):
        far = distances(views(net, pictures[number][None].to(device)), kept)
        found.append(np.delete(far, number).min())
    return float(np.quantile(found, _COPIES))


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
