"""A small network that finds objects, and the one way it is trained: what `probe` judges recipes by where there are
boxes. Like `classifier` it has no augmentation of its own.

It has no anchors. As in CenterNet (Zhou, Wang, Krähenbühl 2019, "Objects as Points", arXiv 1904.07850) each class has a
map whose peaks are the centres of objects; as in FCOS (Tian, Shen, Chen, He 2019, arXiv 1904.01355) each place near a
centre says how far away the four sides are, and is trained by how well that box covers the true one (Yu et al. 2016,
"UnitBox", arXiv 1608.01471).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import logsigmoid, max_pool2d

from augx.learn.classifier import scaled
from augx.learn.cycle import cycle
from augx.learn.unet import UNet

_BATCH = 16
_STRIDE = 4
_MOST_RATE = 0.005
_DECAY = 0.01
_RARE = -2.2  # what maps of centres say before anything is learned: one place in ten
_SPREAD = 0.08  # of a centre, by the side of its box; and at least
_LEAST_SPREAD = 0.4  # places
_CORE = 0.25  # places so far from the centre, by the side of the box, learn where its sides are
_FARTHEST = 6.0  # logarithm of a distance in places
_FOUND = 100  # objects of a picture


class _Truth(NamedTuple):
    """All objects of a batch. `heat`: (pictures, classes, side, side), 1 at centres. `sides`: (pictures, side, side,
    4), how far left, top, right and bottom are; 0 where nothing is to be learned. All in places."""

    heat: Any
    sides: Any


def trained(x: Any, y: NDArray[Any], classes: int, seed: int, steps: int) -> Any:
    """`x`: pictures (n, 3, side, side) of uint8, on the device to train on. `y`: of each picture its objects, (k, 5):
    class, left, top, right, bottom, as shares of the picture."""
    torch.manual_seed(seed)
    net = UNet(classes + 4, _STRIDE).to(x.device, memory_format=torch.channels_last)
    torch.nn.init.constant_(net.head.bias[:classes], _RARE)
    optimizer = torch.optim.AdamW(net.parameters(), _MOST_RATE, weight_decay=_DECAY)
    places = x.shape[2] // _STRIDE
    objects = [torch.from_numpy(one).to(x.device) for one in y]

    def loss(chosen: Any) -> Any:
        with torch.autocast(x.device.type, torch.bfloat16):
            said = net(scaled(x[chosen]))
        said = said.float()
        truth = _truth([objects[place] for place in chosen.tolist()], classes, places)
        return _of_centres(said[:, :classes], truth.heat) + _of_sides(said[:, classes:], truth.sides)

    cycle(optimizer, len(x), _BATCH, steps, loss)
    return net.eval()


def _truth(objects: list[Any], classes: int, places: int) -> _Truth:
    device = objects[0].device
    owner = torch.repeat_interleave(torch.tensor([len(one) for one in objects])).to(device)
    every = torch.cat(objects)
    heat = torch.zeros(len(objects) * classes, places * places, device=device)
    sides = torch.zeros(len(objects), places * places, 4, device=device)
    kind, left, top, right, bottom = (every[:, :1] if n == 0 else every[:, n : n + 1] * places for n in range(5))
    width, height = right - left, bottom - top
    # of each object and place how far it is from the centre, as a share of its sides
    at = torch.arange(places, device=device) + 0.5
    across = at.expand(len(every), places) - (left + right) / 2
    down = at.expand(len(every), places) - (top + bottom) / 2
    # the place in which the centre lies is wholly in it
    across = torch.where(across.abs() <= 0.5, 0.0, across)
    down = torch.where(down.abs() <= 0.5, 0.0, down)
    wide, high = (torch.clamp(_SPREAD * one, min=_LEAST_SPREAD) for one in (width, height))
    bell = torch.exp(-(across**2) / (2 * wide**2))[:, None] * torch.exp(-(down**2) / (2 * high**2))[..., None]
    row = (owner * classes + kind[:, 0].long())[:, None].expand(-1, places * places)
    heat.scatter_reduce_(0, row, bell.flatten(1), "amax")
    core = (across.abs() <= _CORE * width)[:, None] & (down.abs() <= _CORE * height)[..., None]
    order = torch.argsort(width[:, 0] * height[:, 0], descending=True, stable=True)  # smaller ones go before
    y, x = torch.meshgrid(at, at, indexing="ij")
    for number in order.tolist():
        here = core[number].flatten()
        far = [x - left[number], y - top[number], right[number] - x, bottom[number] - y]
        sides[owner[number], here] = torch.stack(far, -1).flatten(0, 1)[here].clamp(min=0.05)
    return _Truth(heat.view(len(objects), classes, places, places), sides.view(len(objects), places, places, 4))


def _of_centres(said: Any, heat: Any) -> Any:
    """The focal loss of CenterNet: places near a centre are forgiven."""
    centres = heat == 1
    share = said.sigmoid()
    right = logsigmoid(said) * (1 - share) ** 2 * centres
    wrong = logsigmoid(-said) * share**2 * (1 - heat) ** 4 * ~centres
    return -(right.sum() + wrong.sum()) / centres.sum().clamp(min=1)


def _of_sides(said: Any, sides: Any) -> Any:
    """By how much the boxes miss the true ones, whatever their size."""
    chosen = sides.sum(-1) > 0
    if not chosen.any():
        return said.sum() * 0.0
    found, true = _distances(said).permute(0, 2, 3, 1)[chosen], sides[chosen]
    shared = torch.minimum(found, true)
    inside = (shared[:, 0] + shared[:, 2]) * (shared[:, 1] + shared[:, 3])
    areas = [(one[:, 0] + one[:, 2]) * (one[:, 1] + one[:, 3]) for one in (found, true)]
    return -torch.log(inside / (areas[0] + areas[1] - inside)).mean()


def _distances(said: Any) -> Any:
    return torch.exp(said.clamp(-_FARTHEST, _FARTHEST))


def detected(net: Any, x: Any, classes: int) -> list[NDArray[np.float64]]:
    """Of each picture the objects found, (k, 6): class, how sure, left, top, right, bottom, as shares of the picture;
    the surest first."""
    with torch.no_grad():
        return [one for part in x.split(_BATCH) for one in _peaks(net(scaled(part)).float(), classes)]


def _peaks(said: Any, classes: int) -> list[NDArray[np.float64]]:
    heat, away = said[:, :classes].sigmoid(), _distances(said[:, classes:]).flatten(2)
    places = heat.shape[-1]
    heat = torch.where(max_pool2d(heat, 3, 1, 1) == heat, heat, 0.0).flatten(1)
    sure, best = heat.topk(min(_FOUND, heat.shape[1]))
    kind, place = best // (places * places), best % (places * places)
    far = away.gather(2, place[:, None].expand(-1, 4, -1))
    x, y = place % places + 0.5, place // places + 0.5
    box = torch.stack([x - far[:, 0], y - far[:, 1], x + far[:, 2], y + far[:, 3]], -1) / places
    whole = torch.cat([torch.stack([kind, sure], -1), box.clamp(0, 1)], -1)
    found: list[NDArray[np.float64]] = list(whole.double().cpu().numpy())
    return [one[one[:, 1] > 0] for one in found]
