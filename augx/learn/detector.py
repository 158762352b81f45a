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
_LEAST = 0.05  # places, of a distance: a box may be smaller than a place
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
    count, area = len(objects), places * places
    owner = torch.repeat_interleave(torch.tensor([len(one) for one in objects])).to(device)
    every = torch.cat(objects)
    large = ((every[:, 3] - every[:, 1]) * (every[:, 4] - every[:, 2])).argsort(descending=True, stable=True)
    owner, every = owner[large], every[large]
    kind = every[:, 0].long()
    left, top, right, bottom = (every[:, 1:] * places).split(1, 1)
    at = torch.arange(places, device=device) + 0.5
    across, down = (at - (left + right) / 2).abs(), (at - (top + bottom) / 2).abs()  # (objects, places), from centres
    across, down = (torch.where(one <= 0.5, 0.0, one) for one in (across, down))  # a centre is all of its place
    wide, high = (torch.clamp(_SPREAD * one, min=_LEAST_SPREAD) for one in (right - left, bottom - top))
    bell = torch.exp(-(((across / wide) ** 2)[:, None] + ((down / high) ** 2)[..., None]) / 2).flatten(1)
    heat = torch.zeros(count * classes, area, device=device)
    heat.scatter_reduce_(0, (owner * classes + kind)[:, None].expand_as(bell), bell, "amax")
    core = (across <= _CORE * (right - left))[:, None] & (down <= _CORE * (bottom - top))[..., None]
    turn = torch.arange(1, len(every) + 1, device=device)[:, None] * core.flatten(1)
    last = torch.zeros(count, area, dtype=torch.long, device=device)  # of objects in one place the smallest counts
    last.scatter_reduce_(0, owner[:, None].expand_as(turn), turn, "amax")
    box = torch.cat([left, top, right, bottom], 1)
    box = torch.cat([torch.zeros_like(box[:1]), box])[last].view(count, places, places, 4)
    x, y = at[None, None, :], at[None, :, None]
    far = [x - box[..., 0], y - box[..., 1], box[..., 2] - x, box[..., 3] - y]
    sides = torch.stack(far, -1).clamp(min=_LEAST) * (last > 0).view(count, places, places, 1)
    return _Truth(heat.view(count, classes, places, places), sides)


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
