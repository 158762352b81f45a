"""A small U-Net (Ronneberger, Fischer, Brox 2015, arXiv 1505.04597): what tells classes apart place by place, and finds
objects."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import torch
from torch import nn
from torch.nn.functional import interpolate

_DEEPEST = 16  # pixels of a picture that one place stands for at the bottom


class UNet(nn.Module):
    """0.4 million weights at a width of 16. What it says of a place stands for `stride` x `stride` pixels: one in four
    of the places is a quarter of the time."""

    def __init__(self, outputs: int, stride: int, width: int = 16) -> None:
        super().__init__()
        widths = [3, *(width << level for level in range(_DEEPEST.bit_length() - 1))]
        self.down = nn.ModuleList(_block(before, after, nn.MaxPool2d(2)) for before, after in pairwise(widths))
        self.bottom = _block(widths[-1], widths[-1])
        back = widths[: stride.bit_length() - 2 : -1]  # from the bottom up to the stride
        self.up = nn.ModuleList(_block(before + after, after) for before, after in pairwise(back))
        self.head = nn.Conv2d(back[-1], outputs, 1)

    def forward(self, x: Any) -> Any:
        passed = []
        for block in self.down:
            x = block(x)
            passed.append(x)
        x = self.bottom(passed.pop())
        for block in self.up:
            x = block(torch.cat([interpolate(x, scale_factor=2.0), passed.pop()], 1))
        return self.head(x)


def _block(before: int, after: int, *pool: nn.Module) -> nn.Sequential:
    convolution = nn.Conv2d(before, after, 3, padding=1, bias=False)
    return nn.Sequential(convolution, *pool, nn.BatchNorm2d(after), nn.ReLU())
