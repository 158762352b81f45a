"""A small network that gives each pixel a class, and the one way it is trained: what `probe` judges recipes by where
there are masks. Like `classifier` it has no augmentation of its own."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn.functional import cross_entropy, interpolate

from augx.learn.classifier import scaled
from augx.learn.cycle import cycle
from augx.learn.unet import UNet

IGNORED = 255  # in masks: no class
_BATCH = 16
_STRIDE = 2
_MOST_RATE = 0.005
_DECAY = 0.01


def trained(x: Any, y: Any, classes: int, seed: int, steps: int) -> Any:
    """`x`: pictures (n, 3, side, side) of uint8, `y`: masks (n, side, side) of uint8, on the device to train on."""
    torch.manual_seed(seed)
    net = UNet(classes, _STRIDE).to(x.device, memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(net.parameters(), _MOST_RATE, weight_decay=_DECAY)

    def loss(chosen: Any) -> Any:
        with torch.autocast(x.device.type, torch.bfloat16):
            scores = net(scaled(x[chosen]))
        truth = y[chosen].long()
        known = (truth != IGNORED).sum().clamp(min=1)  # a batch in which nothing is known has nothing to say
        each = cross_entropy(_enlarged(scores.float()), truth, ignore_index=IGNORED, reduction="sum")
        return each / known

    cycle(optimizer, len(x), _BATCH, steps, loss)
    return net.eval()


def recognised(net: Any, x: Any) -> Any:
    """The class number of each pixel, (n, side, side) on the CPU."""
    with torch.no_grad():
        return torch.cat([_enlarged(net(scaled(part))).argmax(1) for part in x.split(_BATCH)]).cpu()


def _enlarged(scores: Any) -> Any:
    return interpolate(scores, scale_factor=float(_STRIDE), mode="bilinear", align_corners=False)
