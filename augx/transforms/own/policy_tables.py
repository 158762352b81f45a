"""The ops of the policies: what their magnitudes mean, the published policies, and which steps of a recipe they are.

AutoAugment: Cubuk, Zoph, Mane, Vasudevan, Le 2018, "AutoAugment: Learning Augmentation Policies from Data",
arXiv 1805.09501: ranges in table 6, the policies for CIFAR-10, SVHN and ImageNet in tables 7, 8 and 9.
RandAugment: Cubuk, Zoph, Shlens, Le 2019, arXiv 1909.13719: 14 ops, with AutoAugment's ranges on one linear scale.
TrivialAugment: Mueller, Hutter 2021, arXiv 2103.10158: the same 14 ops, with wider ranges.

What the papers leave open is read here as follows. A larger magnitude is a stronger effect: fewer bits, a lower
threshold; but the factors of Color, Contrast, Brightness and Sharpness go from the low end of their range to the high
one, as the policies were searched, so that 1, no effect, lies in the middle. Only what moves pixels has a sign, drawn
evenly; what it moves in from outside is grey. Pixels are moved about the centre and interpolated, with their labels.
Of AutoAugment's ops, Cutout and SamplePairing are in none of its policies; a recipe has them as steps.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from augx.model import Json, Step


@dataclass(frozen=True, slots=True)
class Scale:
    """A straight line from magnitude none to magnitude full: `none` and `full` are the ends of the paper's range.

    Beyond full it goes on as far as `last`. `signed`: either sign, evenly. `whole`: rounded to whole numbers.
    """

    none: float
    full: float
    last: float = math.inf
    signed: bool = False
    whole: bool = False

    def at(self, share: float) -> float:
        """`share`: 0 for none, 1 for full magnitude."""
        value = self.none + (self.full - self.none) * share
        value = min(value, self.last) if self.full > self.none else max(value, self.last)
        return round(value) if self.whole else round(value, 9)


Space = Mapping[str, Scale | None]  # op -> its scale; None: the op has no magnitude


def _space(shear: float, shift: Scale, degrees: float, bits: int, low: float, high: float) -> Space:
    factor, shear_factor = Scale(low, high), Scale(0, shear, signed=True)
    return MappingProxyType(
        {
            "Identity": None,
            "AutoContrast": None,
            "Equalize": None,
            "Rotate": Scale(0, degrees, signed=True),  # degrees
            "Solarize": Scale(256, 0, last=0, whole=True),  # levels from which a pixel is inverted
            "Color": factor,  # 0 is grey, 1 as it was
            "Posterize": Scale(8, bits, last=1, whole=True),  # bits that stay
            "Contrast": factor,
            "Brightness": factor,
            "Sharpness": factor,
            "ShearX": shear_factor,  # pixels sideways for each pixel down
            "ShearY": shear_factor,
            "TranslateX": shift,
            "TranslateY": shift,
        }
    )


# AutoAugment gives 150 pixels, of pictures of 331 x 331: here a share of the width or height.
STANDARD = _space(0.3, Scale(0, 150 / 331, signed=True), 30, 4, 0.1, 1.9)
# For CIFAR-10 and SVHN, with pictures of 32 x 32, the authors' program has 10 pixels.
_SMALL = _space(0.3, Scale(0, 10 / 32, signed=True), 30, 4, 0.1, 1.9)
# TrivialAugment gives 32 pixels for pictures of every size.
WIDE = _space(0.99, Scale(0, 32, signed=True, whole=True), 135, 2, 0.01, 2.0)
RANDAUGMENT = tuple(STANDARD)  # its 14 ops
AUTOAUGMENT: Space = MappingProxyType({**STANDARD, "Invert": None})
AUTOAUGMENT_SMALL: Space = MappingProxyType({**_SMALL, "Invert": None})

LEVELS = 10  # magnitudes of AutoAugment's tables, 0 to 9, evenly from none to full
FULL = 10  # magnitude of RandAugment at which AutoAugment's ranges end
STRENGTHS = 31  # of TrivialAugment, 0 to 30

Op = tuple[str, float, int]  # name, probability, magnitude


def _table(text: str) -> tuple[tuple[Op, Op], ...]:
    rows = [line.split() for line in text.strip().splitlines()]
    return tuple(((a, float(p), int(m)), (b, float(q), int(n))) for a, p, m, b, q, n in rows)


# Each line is a sub-policy: op, probability, magnitude, and the same of the op after it.
POLICIES: Mapping[str, tuple[tuple[Op, Op], ...]] = MappingProxyType(
    {
        "cifar10": _table("""
            Invert       0.1 7   Contrast     0.2 6
            Rotate       0.7 2   TranslateX   0.3 9
            Sharpness    0.8 1   Sharpness    0.9 3
            ShearY       0.5 8   TranslateY   0.7 9
            AutoContrast 0.5 8   Equalize     0.9 2
            ShearY       0.2 7   Posterize    0.3 7
            Color        0.4 3   Brightness   0.6 7
            Sharpness    0.3 9   Brightness   0.7 9
            Equalize     0.6 5   Equalize     0.5 1
            Contrast     0.6 7   Sharpness    0.6 5
            Color        0.7 7   TranslateX   0.5 8
            Equalize     0.3 7   AutoContrast 0.4 8
            TranslateY   0.4 3   Sharpness    0.2 6
            Brightness   0.9 6   Color        0.2 8
            Solarize     0.5 2   Invert       0.0 3
            Equalize     0.2 0   AutoContrast 0.6 0
            Equalize     0.2 8   Equalize     0.6 4
            Color        0.9 9   Equalize     0.6 6
            AutoContrast 0.8 4   Solarize     0.2 8
            Brightness   0.1 3   Color        0.7 0
            Solarize     0.4 5   AutoContrast 0.9 3
            TranslateY   0.9 9   TranslateY   0.7 9
            AutoContrast 0.9 2   Solarize     0.8 3
            Equalize     0.8 8   Invert       0.1 3
            TranslateY   0.7 9   AutoContrast 0.9 1
        """),
        "svhn": _table("""
            ShearX       0.9 4   Invert       0.2 3
            ShearY       0.9 8   Invert       0.7 5
            Equalize     0.6 5   Solarize     0.6 6
            Invert       0.9 3   Equalize     0.6 3
            Equalize     0.6 1   Rotate       0.9 3
            ShearX       0.9 4   AutoContrast 0.8 3
            ShearY       0.9 8   Invert       0.4 5
            ShearY       0.9 5   Solarize     0.2 6
            Invert       0.9 6   AutoContrast 0.8 1
            Equalize     0.6 3   Rotate       0.9 3
            ShearX       0.9 4   Solarize     0.3 3
            ShearY       0.8 8   Invert       0.7 4
            Equalize     0.9 5   TranslateY   0.6 6
            Invert       0.9 4   Equalize     0.6 7
            Contrast     0.3 3   Rotate       0.8 4
            Invert       0.8 5   TranslateY   0.0 2
            ShearY       0.7 6   Solarize     0.4 8
            Invert       0.6 4   Rotate       0.8 4
            ShearY       0.3 7   TranslateX   0.9 3
            ShearX       0.1 6   Invert       0.6 5
            Solarize     0.7 2   TranslateY   0.6 7
            ShearY       0.8 4   Invert       0.8 8
            ShearX       0.7 9   TranslateY   0.8 3
            ShearY       0.8 5   AutoContrast 0.7 3
            ShearX       0.7 2   Invert       0.1 5
        """),
        "imagenet": _table("""
            Posterize    0.4 8   Rotate       0.6 9
            Solarize     0.6 5   AutoContrast 0.6 5
            Equalize     0.8 8   Equalize     0.6 3
            Posterize    0.6 7   Posterize    0.6 6
            Equalize     0.4 7   Solarize     0.2 4
            Equalize     0.4 4   Rotate       0.8 8
            Solarize     0.6 3   Equalize     0.6 7
            Posterize    0.8 5   Equalize     1.0 2
            Rotate       0.2 3   Solarize     0.6 8
            Equalize     0.6 8   Posterize    0.4 6
            Rotate       0.8 8   Color        0.4 0
            Rotate       0.4 9   Equalize     0.6 2
            Equalize     0.0 7   Equalize     0.8 8
            Invert       0.6 4   Equalize     1.0 8
            Color        0.6 4   Contrast     1.0 8
            Rotate       0.8 8   Color        1.0 2
            Color        0.8 8   Solarize     0.8 7
            Sharpness    0.4 7   Invert       0.6 8
            ShearX       0.6 5   Equalize     1.0 9
            Color        0.4 0   Equalize     0.6 3
            Equalize     0.4 7   Solarize     0.2 4
            Solarize     0.6 5   AutoContrast 0.6 5
            Invert       0.6 4   Equalize     1.0 8
            Color        0.6 4   Contrast     1.0 8
            Equalize     0.8 8   Equalize     0.6 3
        """),
    }
)

_STILL = {"brightness": [1, 1], "contrast": [1, 1], "saturation": [1, 1], "hue": [0, 0]}
_JITTERS = {"Brightness": "brightness", "Contrast": "contrast", "Color": "saturation"}


def step(op: str, value: float, fill: Json, pixels: bool = False) -> Step | None:
    """The step of a recipe that does exactly this, as Pillow does; None where nothing is to do.

    `value`: as the scale of the op has it, with its sign; 0 for an op that has none. `fill`: level or colour, 0..255,
    of what comes in from outside. `pixels`: TranslateX, TranslateY count in pixels, not in shares.
    """
    if op == "AutoContrast":
        return Step("pillow_autocontrast")
    if op == "Equalize":
        return Step("pillow_equalize")
    if op == "Invert":
        return Step("InvertImg")
    if op == "Solarize":
        share = max(value - 0.5, 0) / 255  # between two levels, where rounding does not matter
        return Step("Solarize", {"threshold_range": [share, share]}) if value < 256 else None
    if op == "Posterize":
        return Step("Posterize", {"num_bits": int(value)}) if value < 8 else None
    if op in _JITTERS:
        return Step("ColorJitter", {**_STILL, _JITTERS[op]: [value, value]}) if value != 1 else None
    if op == "Sharpness":
        return Step("sharpness", {"factor_range": [value, value]}) if value != 1 else None
    if op == "Identity" or not value:
        return None
    if op == "Rotate":
        return Step("Affine", {"rotate": [value, value], "fill": fill})
    if op.startswith("Shear"):
        name, value = "shear", round(math.degrees(math.atan(value)), 9)
    else:
        name = "translate_px" if pixels else "translate_percent"
    moved = {"x": [0, 0], "y": [0, 0], op[-1].lower(): [value, value]}
    return Step("Affine", {name: moved, "fill": fill})
