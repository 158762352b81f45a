"""A small network that tells classes apart, and the one way it is trained. It is what `probe` and tests/bench judge
recipes by, so it has no augmentation of its own, and every training has the same number of steps."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import torch
from torch import nn
from torch.nn.functional import cross_entropy

from augx.learn.cycle import cycle

BATCH = 64
_MOST_RATE = 0.1  # of learning, at the top of its cycle
# Of weights, twenty times what is usual for all of CIFAR-10: with less, the net learns 500 photos and their copies
# by heart, and what strong recipes and mixes are worth does not show.
_DECAY = 0.01


class Net(nn.Sequential):
    """Four convolutions and a mean over places, 0.1 million weights at a width of 16. Pooling comes first, which is
    cheaper."""

    def __init__(self, classes: int, width: int = 16) -> None:
        layers: list[nn.Module] = []
        for before, after in pairwise([3, *(width << level for level in range(4))]):
            layers += [nn.Conv2d(before, after, 3, padding=1, bias=False), nn.MaxPool2d(2)]
            layers += [nn.BatchNorm2d(after), nn.ReLU()]
        super().__init__(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width << 3, classes))


def trained(x: Any, y: Any, seed: int, steps: int) -> Any:
    """`x`: pictures (n, 3, side, side) of uint8, `y`: weights of classes (n, classes), on the device to train on.

    `seed`: of the first weights and of the order of the pictures: all of them, then all in another order, and so on.
    """
    torch.manual_seed(seed)
    net = Net(y.shape[1]).to(x.device, memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(net.parameters(), _MOST_RATE, momentum=0.9, weight_decay=_DECAY, nesterov=True)

    def loss(chosen: Any) -> Any:
        with torch.autocast(x.device.type, torch.bfloat16):
            scores = net(scaled(x[chosen]))
        return cross_entropy(scores.float(), y[chosen])

    cycle(optimizer, len(x), BATCH, steps, loss)
    return net.eval()


def recognised(net: Any, x: Any) -> Any:
    """The class number of each picture, (n,) on the CPU."""
    with torch.no_grad():
        return torch.cat([net(scaled(part)).argmax(1) for part in x.split(200)]).cpu()


def scaled(pixels: Any) -> Any:
    return pixels.float() / 64 - 2
