"""What a camera adds: the noise of its sensor, and JPEG saved again and again."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import cv2
import numpy as np

from augx.errors import ImageError
from augx.model import Json, Picture
from augx.seeds import Rng
from augx.transforms.own.base import _NO_BOXES, Array, Still, span, switch
from augx.transforms.own.light import encoded, linear, looked_up

_BALANCE = 2.15, 1.0, 1.7  # gains of a camera in daylight, the middle of Brooks et al.
_SITES = ((0, 0),), ((0, 1), (1, 0)), ((1, 1),)  # of R, G and B in each 2x2 of the mosaic
_PLUS = np.array([[0, 1, 0], [1, 4, 1], [0, 1, 0]], np.float32) / 4
_SQUARE = np.array([[1, 2, 1], [2, 4, 2], [1, 2, 1]], np.float32) / 4
_LONGEST_JPEG = 65_500  # pixels, of OpenCV


@dataclass(frozen=True)
class SensorNoise(Still):
    """The noise of a sensor: of photons, which grows with the light, and of reading it out. In linear light.

    The variance of a raw value x (0..1) is a x + b, as in Foi et al., Practical Poissonian-Gaussian noise modeling and
    fitting for single-image raw-data (2008). a and b are those of Brooks et al., Unprocessing Images for Learned Raw
    Denoising (2019, arXiv:1811.11127), fitted to the Darmstadt Noise Dataset: a from 1e-4 to 0.012, here 1e-6 ISO, and
    log b = 2.18 log a + 1.2. A colour picture was one plane of red, green and blue sites (RGGB), its red and blue
    amplified by 2.15 and 1.7 in daylight; their noise is amplified too, and interpolated between the sites as the light
    was, so that it has the grain of a photograph. A grey picture was a plane without colours.

    `iso_range`: drawn log-uniformly. It is the noise of a picture in its sensor's own pixels; scaling down averages it.
    """

    name: ClassVar[str] = "sensor_noise"

    iso_range: Json = span([100, 3200], 25, 25600)

    def draw(self, picture: Picture, rng: Rng, boxes: Array = _NO_BOXES) -> dict[str, Any]:
        low, high = map(math.log, self.iso_range)
        iso = math.exp(rng.numpy.uniform(low, high))
        return {"iso": iso, "seed": int(rng.numpy.integers(2**32))}

    def apply(self, picture: Picture, params: Mapping[str, Any]) -> Picture:
        pixels = picture.pixels
        normal = np.random.default_rng(params["seed"]).standard_normal(pixels.shape[:2], np.float32)
        if pixels.ndim == 2:
            return replace(picture, pixels=_lit(pixels, _deviation(pixels, params["iso"], 1.0) * normal))
        noisy = np.empty_like(pixels)
        for c, (gain, sites, kernel) in enumerate(zip(_BALANCE, _SITES, (_SQUARE, _PLUS, _SQUARE), strict=True)):
            plane = np.ascontiguousarray(pixels[..., c])
            noise = np.zeros(plane.shape, np.float32)
            for y, x in sites:
                at = np.s_[y::2, x::2]
                noise[at] = _deviation(plane[at], params["iso"], gain) * normal[at]
            noisy[..., c] = _lit(plane, cv2.filter2D(noise, -1, kernel, borderType=cv2.BORDER_REFLECT_101))
        return replace(picture, pixels=noisy)


def _deviation(levels: Array, iso: float, gain: float) -> Array:
    """The standard deviation of the noise, in linear light, float32. The raw value was the light / `gain`."""
    shot = 1e-6 * iso
    read = math.exp(2.18 * math.log(shot) + 1.2)
    table = gain * np.sqrt(shot * linear(levels.dtype == np.uint16) / gain + read)
    return looked_up(levels, table.astype(np.float32))


def _lit(plane: Array, noise: Array) -> Array:
    """A plane with noise added to its linear light."""
    if plane.dtype == np.uint8:  # a 65,535th of the light is less than a tenth of any level
        light = cv2.add(cv2.LUT(plane, _LIGHT), noise * np.float32(65535), dtype=cv2.CV_16U)
        levels: Array = _LEVELS[light]
        return levels
    values = encoded(looked_up(plane, linear(True).astype(np.float32)) + noise)
    deep: Array = np.rint(values * np.float32(65535)).astype(np.uint16)
    return deep


_LIGHT = np.rint(linear(False) * 65535).astype(np.uint16)  # of levels, in 65,535ths
_LEVELS: Array = np.rint(encoded(np.linspace(0, 1, 65536)) * 255).astype(np.uint8)  # and the other way


@dataclass(frozen=True)
class JpegGenerations(Still):
    """Saved as JPEG several times over, as pictures that went from hand to hand were. 8 bits only.

    Saved again with the same quality in place, a JPEG soon changes no more. So `shift` moves the picture by 1..7 pixels
    within the grid of 8x8 blocks each time, as a crop would, but puts a strip of its own edge there instead and takes
    it off again: nothing moves.

    `generations_range`: how often. `quality_range`: of each, 1..100.
    """

    name: ClassVar[str] = "jpeg_generations"

    generations_range: Json = span([2, 5], 1, 50, "integer")
    quality_range: Json = span([50, 90], 1, 100, "integer")
    shift: bool = switch(True)

    def draw(self, picture: Picture, rng: Rng, boxes: Array = _NO_BOXES) -> dict[str, Any]:
        low, high = map(int, self.generations_range)
        worst, best = map(int, self.quality_range)
        count = int(rng.numpy.integers(low, high + 1))
        drawn = {"qualities": rng.numpy.integers(worst, best + 1, count).tolist()}
        return {**drawn, "shifts": rng.numpy.integers(1, 8, (count, 2)).tolist()} if self.shift else drawn

    def apply(self, picture: Picture, params: Mapping[str, Any]) -> Picture:
        pixels, grey = picture.pixels, picture.pixels.ndim == 2
        if pixels.dtype == np.uint16:
            message = f"{self.name} works on 8 bits only and this picture has 16; write output: {{image: {{bits: 8}}}}"
            raise ImageError("no-16-bit", message, "transform")
        if max(pixels.shape) + 7 > _LONGEST_JPEG:
            size = f"{picture.width}x{picture.height}"
            message = f"{self.name}: a picture of {size} is too large for JPEG; resize it first"
            raise ImageError("transform-failed", message, "transform")
        image = pixels if grey else cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
        shifts = params.get("shifts", [(0, 0)] * len(params["qualities"]))
        for quality, (x, y) in zip(params["qualities"], shifts, strict=True):
            wider = cv2.copyMakeBorder(image, y, 0, x, 0, cv2.BORDER_REPLICATE)
            file = cv2.imencode(".jpg", wider, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
            decoded: Any = cv2.imdecode(file, cv2.IMREAD_GRAYSCALE if grey else cv2.IMREAD_COLOR)
            image = decoded[y:, x:]
        return replace(picture, pixels=np.ascontiguousarray(image if grey else cv2.cvtColor(image, cv2.COLOR_BGR2RGB)))
