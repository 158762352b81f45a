"""A small generator of pictures of a class, fitted against a discriminator (Goodfellow et al. 2014, arXiv 1406.2661).

For few pictures: the discriminator sees them, and what is generated, only augmented in a way that gradients go through
(Zhao et al. 2020, "Differentiable Augmentation for Data-Efficient GAN Training", arXiv 2006.10738); its gradient at
real pictures is held small (R1, Mescheder et al. 2018, arXiv 1801.04406). Layers are modulated by the code as in
StyleGAN2 (Karras et al. 2019, arXiv 1912.04958), large ones also excited by small ones as in FastGAN (Liu et al. 2021,
arXiv 2101.04775). What is kept is a moving average of the generator's weights.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import nn
from torch.nn.functional import avg_pool2d, conv2d, interpolate, leaky_relu, pixel_shuffle, pixel_unshuffle

CODE = 64  # numbers that a picture is drawn from
_CODE_STYLE = 128  # what they become, with the class, for the layers to be modulated by
GROUP = 2  # pictures of one class stand together in a batch
_SMALLEST_GRID = 8  # which is not halved
_EPS = 1e-8
_SLOPE, _GAIN = 0.2, math.sqrt(2)


def grids(side: int) -> list[int]:
    """Sides of the layers, from the smallest to half of `side`: at both ends pixels are folded two by two into
    channels, which costs a quarter of what full size would."""
    found = [side // 2]
    while found[0] % 2 == 0 and found[0] >= _SMALLEST_GRID:
        found.insert(0, found[0] // 2)
    return found


def _channels(width: int, levels: int) -> list[int]:
    """From the smallest grid to the largest."""
    return [width * min(4, 2 ** (levels - level)) for level in range(levels)]


class Linear(nn.Module):
    """With weights that are scaled at work, so that all learn at one rate (Karras et al. 2017, arXiv 1710.10196)."""

    def __init__(self, before: int, after: int, bias: float = 0.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(after, before))
        self.bias = nn.Parameter(torch.full((after,), bias))

    def forward(self, x: Any) -> Any:
        return nn.functional.linear(x, self.weight / math.sqrt(self.weight.shape[1]), self.bias)


class Convolution(nn.Module):
    """Likewise. With a `style` its inputs are scaled by it, and its outputs back to unit variance."""

    def __init__(self, before: int, after: int, kernel: int = 3, styled: bool = False) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(after, before, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(after))
        self.style = Linear(_CODE_STYLE, before, 1.0) if styled else None

    def forward(self, x: Any, style: Any = None) -> Any:
        weight = self.weight / math.sqrt(self.weight[0].numel())
        padding = self.weight.shape[-1] // 2
        if self.style is None:
            return conv2d(x, weight, self.bias, padding=padding)
        scale = self.style(style)
        found = conv2d(x * scale[..., None, None], weight, padding=padding)
        size = (scale.square() @ weight.square().sum((2, 3)).T + _EPS).rsqrt()
        return found * size[..., None, None] + self.bias[:, None, None]


def _bent(x: Any) -> Any:
    return leaky_relu(x, _SLOPE) * _GAIN


class Excitation(nn.Module):
    """What share of each channel of a large layer comes through, as a small one sees it."""

    def __init__(self, small: int, large: int) -> None:
        super().__init__()
        self.first, self.second = Convolution(small, small, 4), Linear(small, large)

    def forward(self, small: Any, large: Any) -> Any:
        seen = nn.functional.adaptive_avg_pool2d(small, 4)
        weight = self.first.weight / math.sqrt(self.first.weight[0].numel())
        seen = _bent(conv2d(seen, weight, self.first.bias)).flatten(1)
        return large * (2 * torch.sigmoid(self.second(seen)))[..., None, None]


class Generator(nn.Module):
    """(n, CODE) normal numbers and (n,) class numbers -> pictures (n, 3, side, side) in -1..1, or a little beyond."""

    def __init__(self, width: int, side: int, classes: int) -> None:
        super().__init__()
        self.side = side
        sizes = grids(side)
        deep = _channels(width, len(sizes))
        self.of_class = nn.Parameter(torch.randn(classes, CODE))
        self.code = nn.ModuleList([Linear(2 * CODE, _CODE_STYLE), Linear(_CODE_STYLE, _CODE_STYLE)])
        self.begin = Linear(2 * CODE, deep[0] * sizes[0] ** 2)
        self.grid = deep[0], sizes[0], sizes[0]
        self.layers = nn.ModuleList([Convolution(deep[0], deep[0], styled=True)])
        self.skips = nn.ModuleDict()
        for level in range(1, len(sizes)):
            self.layers.append(Convolution(deep[level - 1], deep[level], styled=True))
            self.layers.append(Convolution(deep[level], deep[level], styled=True))
            if level >= 3:
                self.skips[str(level)] = Excitation(deep[level - 3], deep[level])
        self.end = Convolution(deep[-1], 12, styled=True)

    def forward(self, code: Any, classes: Any) -> Any:
        both = torch.cat([code, _unit(self.of_class[classes])], 1)
        style = _bent(self.code[1](_bent(self.code[0](both))))
        x = _bent(self.layers[0](self.begin(both).unflatten(1, self.grid), style))
        levels = [x]
        for level in range(1, len(self.layers) // 2 + 1):
            x = interpolate(x, scale_factor=2, mode="nearest")
            x = _bent(self.layers[2 * level - 1](x, style))
            x = _bent(self.layers[2 * level](x, style))
            if str(level) in self.skips:
                x = self.skips[str(level)](levels[level - 3], x)
            levels.append(x)
        return pixel_shuffle(self.end(x, style), 2)


def _unit(x: Any) -> Any:
    return x * (x.square().mean(1, keepdim=True) + _EPS).rsqrt()


class Discriminator(nn.Module):
    """How real pictures look as those of their classes: the classes are projected on (Miyato, Koyama 2018,
    arXiv 1802.05637). It sees how varied a group of one class is, too (Karras et al. 2017)."""

    def __init__(self, width: int, side: int, classes: int) -> None:
        super().__init__()
        sizes = grids(side)
        deep = _channels(width, len(sizes))[::-1]
        self.begin = Convolution(12, deep[0])
        self.layers = nn.ModuleList()
        for before, after in zip(deep, [*deep[1:], deep[-1]], strict=True):
            self.layers.append(Convolution(before, before))
            self.layers.append(Convolution(before, after))
        self.end = Linear((deep[-1] + 1) * sizes[0] ** 2, _CODE_STYLE)
        self.real = Linear(_CODE_STYLE, 1)
        self.of_class = nn.Parameter(torch.randn(classes, _CODE_STYLE))

    def forward(self, x: Any, classes: Any) -> Any:
        x = _bent(self.begin(pixel_unshuffle(x, 2)))
        last = len(self.layers) // 2 - 1
        for level in range(last + 1):
            x = _bent(self.layers[2 * level](x))
            x = avg_pool2d(x, 2) if level < last else x
            x = _bent(self.layers[2 * level + 1](x))
        groups = x.unflatten(0, (-1, GROUP))
        varied = (groups.var(1, correction=0) + _EPS).sqrt().mean((1, 2, 3)).repeat_interleave(GROUP)
        varied = varied[:, None, None, None].expand(-1, 1, *x.shape[2:])
        seen = _bent(self.end(torch.cat([x, varied], 1).flatten(1)))
        return self.real(seen)[:, 0] + (seen * self.of_class[classes]).sum(1) / math.sqrt(_CODE_STYLE)


def augmented(x: Any, random: Any) -> Any:
    """Pictures in another light, moved by an eighth and with a quarter blanked, by numbers that `random` gives."""
    n, side = len(x), x.shape[-1]
    drawn = torch.rand(7, n, 1, 1, 1, generator=random).to(x.device)
    x = x + (drawn[0] - 0.5) / 2
    mean = x.mean(1, keepdim=True)
    x = (x - mean) * (2 * drawn[1]) + mean
    mean = x.mean((1, 2, 3), keepdim=True)
    x = (x - mean) * (drawn[2] / 2 + 0.75) + mean
    most, half = side // 8, side // 4
    moved = torch.floor(drawn[3:5, :, 0, 0, 0] * (2 * most + 1)) - most
    places = torch.arange(side, device=x.device)
    down, across = ((places[:, None] - places == by[:, None, None]).to(x.dtype) for by in moved)
    x = down[:, None] @ x @ across[:, None].transpose(-1, -2)
    middle = torch.floor(drawn[5:7, :, 0, 0, 0] * side)
    rows, columns = ((places - by[:, None]).abs() < half for by in middle)
    return x * ~(rows[:, None, :, None] & columns[:, None, None, :])
