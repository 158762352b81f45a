"""Two pictures in one, each whole in its own region: a rectangle, the shrunken picture, or a blot of any shape."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from augx.model import Dropped, Picture
from augx.seeds import Rng
from augx.transforms.own.base import Mix, Need, Rules, choice, number, span
from augx.transforms.own.frames import Rectangle, cover, covering, placed
from augx.transforms.own.layers import beta_share, gathered, joined, weighted
from augx.transforms.own.occlusion import hidden, outlined, plain

_FINEST = 128  # knots of the noise along the longer side; what is finer, its spectrum does not show


@dataclass(frozen=True)
class Cutmix(Mix):
    """A rectangle of another picture, pasted in its place. Classes are weighted by area, to the pixel.

    Its area is 1 - lambda of the picture, lambda from Beta(alpha, alpha), and its centre anywhere, so that the edge may
    cut it. A picture of another size is scaled until it covers the first. Objects of both are cut where they are.

    Yun et al. 2019, "CutMix: Regularization Strategy to Train Strong Classifiers with Localizable Features",
    arXiv 1905.04899.
    """

    name: ClassVar[str] = "cutmix"

    alpha: float = number(1.0, 0.01, 100)
    partners: str = choice("any", "any", "same", "other")

    def need(self) -> Need:
        return Need(self.partners)

    def draw(self, picture: Picture, others: Sequence[Picture], rng: Rng, rules: Rules) -> dict[str, Any]:
        share = beta_share(self.alpha, rng, rules)
        edges = []
        for size in (picture.width, picture.height):
            side, centre = int(size * math.sqrt(1 - share)), int(rng.numpy.integers(size))
            edges.append((max(0, centre - side // 2), min(size, centre - side // 2 + side)))
        (x0, x1), (y0, y1) = edges
        return {"lambda": share, "box": [x0, y0, x1, y1]}

    def apply(
        self, picture: Picture, others: Sequence[Picture], params: Mapping[str, Any], rules: Rules
    ) -> tuple[Picture, tuple[Dropped, ...]]:
        matrix = covering(others[0], picture.width, picture.height)
        return _pasted(picture, others[0], matrix, params["box"], rules)


@dataclass(frozen=True)
class Resizemix(Mix):
    """Another picture, whole but small, pasted anywhere. Classes are weighted by area, to the pixel.

    Without distortion it is as large as fits into `scale_range` (a factor drawn from it) times the picture's sides.

    Qin et al. 2020, "ResizeMix: Mixing Data with Preserved Object Information and True Labels", arXiv 2012.11101: the
    factor from 0.1 to 0.8.
    """

    name: ClassVar[str] = "resizemix"

    scale_range: Sequence[float] = span([0.1, 0.8], 0.01, 1)
    partners: str = choice("any", "any", "same", "other")

    def need(self) -> Need:
        return Need(self.partners)

    def draw(self, picture: Picture, others: Sequence[Picture], rng: Rng, rules: Rules) -> dict[str, Any]:
        low, high = self.scale_range
        scale = rng.numpy.uniform(low, high)
        if rules.hard:
            scale = min(scale, math.sqrt(0.5))
        width, height = picture.width, picture.height
        factor = scale * min(width / others[0].width, height / others[0].height)
        wide, high = (max(1, int(size * factor + 1e-9)) for size in (others[0].width, others[0].height))
        if rules.hard and 2 * wide * high > width * height:  # of a few pixels
            wide = high = 0
        x0, y0 = int(rng.numpy.integers(width - wide + 1)), int(rng.numpy.integers(height - high + 1))
        return {"scale": scale, "box": [x0, y0, x0 + wide, y0 + high]}

    def apply(
        self, picture: Picture, others: Sequence[Picture], params: Mapping[str, Any], rules: Rules
    ) -> tuple[Picture, tuple[Dropped, ...]]:
        x0, y0, x1, y1 = params["box"]
        across, down = (x1 - x0) / others[0].width, (y1 - y0) / others[0].height
        return _pasted(picture, others[0], np.array([[across, 0, x0], [0, down, y0]]), params["box"], rules)


@dataclass(frozen=True)
class Fmix(Mix):
    """Two pictures, each on its side of a smooth random line. Classes are weighted by area, to the pixel.

    The picture is where noise is largest, on lambda of its pixels, lambda from Beta(alpha, alpha). The amplitudes of
    the noise fall with the frequency to the power of `decay`: the higher, the smoother the line. A picture of another
    size is scaled until it covers the first.

    Harris et al. 2020, "FMix: Enhancing Mixed Sample Data Augmentation", arXiv 2002.12047: alpha 1, decay 3.
    """

    name: ClassVar[str] = "fmix"

    alpha: float = number(1.0, 0.01, 100)
    decay: float = number(3.0, 1, 10)
    partners: str = choice("any", "any", "same", "other")

    def need(self) -> Need:
        return Need(self.partners)

    def draw(self, picture: Picture, others: Sequence[Picture], rng: Rng, rules: Rules) -> dict[str, Any]:
        return {"lambda": beta_share(self.alpha, rng, rules), "seed": int(rng.numpy.integers(2**32))}

    def apply(
        self, picture: Picture, others: Sequence[Picture], params: Mapping[str, Any], rules: Rules
    ) -> tuple[Picture, tuple[Dropped, ...]]:
        width, height = picture.width, picture.height
        region = self.region(width, height, params["lambda"], params["seed"])
        other, lost = cover(outlined(others[0]), width, height, rules)
        first, under = hidden(picture, region, rules)
        second, cut = hidden(other, ~region, rules)
        share = 1 - np.count_nonzero(region) / region.size
        labels = weighted([picture, others[0]], [share, 1 - share])
        return joined([first, plain(second)], [region], labels, rules), under + lost + cut

    def region(self, width: int, height: int, share: float, seed: int) -> NDArray[np.bool_]:
        """(H, W): where the other picture is, `share` of the pixels left to the first."""
        noise = _noise(width, height, self.decay, seed)
        others = math.floor((1 - share) * noise.size)
        upto = np.cumsum(np.bincount(noise.reshape(-1), minlength=1))
        level = int(np.searchsorted(upto, others))
        region: NDArray[np.bool_] = noise < level
        if missing := others - (int(upto[level - 1]) if level else 0):
            region.reshape(-1)[np.flatnonzero(noise == level)[:missing]] = True
        return region


def _pasted(
    picture: Picture, other: Picture, matrix: NDArray[np.float64], box: Sequence[int], rules: Rules
) -> tuple[Picture, tuple[Dropped, ...]]:
    """The picture with `other`, moved by `matrix`, on a box of it; of several classes each has a weight then, also
    where the box is empty."""
    x0, y0, x1, y1 = window = _rectangle(box)
    width, height = picture.width, picture.height
    if x0 >= x1 or y0 >= y1:
        return replace(picture, annotations=gathered([picture], weighted([picture], [1.0]))), ()
    share = (x1 - x0) * (y1 - y0) / (width * height)
    labels = weighted([picture, other], [1 - share, share])
    patch, lost = placed(other, matrix, width, height, rules, window=window)
    first, under = hidden(picture, window, rules)
    return joined([first, patch], [window], labels, rules), under + lost


def _rectangle(box: Sequence[int]) -> Rectangle:
    x0, y0, x1, y1 = box
    return x0, y0, x1, y1


def _noise(width: int, height: int, decay: float, seed: int) -> NDArray[np.uint16]:
    """(H, W): Gaussian noise whose amplitudes fall with the frequency to the power of `decay`, from 0 to 65535."""
    shrink = min(1.0, _FINEST / max(width, height))
    wide, high = max(1, round(width * shrink)), max(1, round(height * shrink))
    frequencies = np.hypot(np.fft.fftfreq(high)[:, None], np.fft.rfftfreq(wide))
    amplitudes = np.maximum(frequencies, 1 / max(wide, high)) ** -decay
    parts = np.random.Generator(np.random.Philox(seed)).standard_normal((2, *amplitudes.shape))
    noise = np.fft.irfft2((parts[0] + 1j * parts[1]) * amplitudes, (high, wide))
    levels = (noise - noise.min()) * (65535 / max(float(np.ptp(noise)), 1e-300))
    return np.asarray(cv2.resize(levels.astype(np.uint16), (width, height), interpolation=cv2.INTER_CUBIC))
