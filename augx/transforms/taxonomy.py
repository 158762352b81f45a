"""The transforms as the surveys sort them, which labels each carries, and the policies by name. Plain data.

The groups are those of Shorten & Khoshgoftaar (2019), "A survey on Image Data Augmentation for Deep Learning". Weather
and camera effects, which later surveys set apart (Mumuni & Mumuni 2022, "Data augmentation: A comprehensive survey of
modern approaches"), follow what is nearest to them.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from augx.objects import KINDS
from augx.transforms.catalog import TRANSFORMS, Entry

GROUPS = (
    *("geometric", "colour space", "kernel filters", "noise injection", "random erasing", "weather and camera"),
    *("mixing", "feature space", "GAN", "style transfer", "adversarial", "meta-learning"),
    *("groups", "other"),  # of a recipe's own: OneOf and its like; what works on no picture
)

# Kinds of label that a mix has no rule for: they stay those of the picture it begins with.
_FIRST: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(
        ("mixup", "cutmix", "resizemix", "fmix", "mosaic", "extrapolate", "feature_space", "neural"), ("values",)
    ),
    "samplepairing": ("values", "captions"),
    "copy_paste": ("class", "classes", "weights", "values", "captions"),
    "background": ("values", "captions"),
}


def carries(entry: Entry) -> tuple[str, ...]:
    """The kinds of label (`objects.KINDS`) that a transform takes along; none where it cannot be used."""
    if entry.refused:
        return ()
    first = _FIRST.get(entry.name, ())
    return tuple(kind for kind in KINDS if kind not in first)


def grouped() -> list[Entry]:
    """All transforms, group by group, by name, those that cannot be used last."""
    return sorted(TRANSFORMS.values(), key=lambda entry: (GROUPS.index(entry.group), bool(entry.refused), entry.name))


class Policy(NamedTuple):
    step: str  # a line of a recipe
    summary: str


POLICIES: Mapping[str, Policy] = MappingProxyType(
    {
        "cifar10": Policy("autoaugment: {table: cifar10}", "AutoAugment's 25 sub-policies found on CIFAR-10"),
        "imagenet": Policy("autoaugment: {table: imagenet}", "AutoAugment's 25 sub-policies found on ImageNet"),
        "svhn": Policy("autoaugment: {table: svhn}", "AutoAugment's 25 sub-policies found on SVHN"),
        "randaugment": Policy("randaugment: {n: 2, m: 9}", "n transforms at random, all of magnitude m"),
        "trivialaugment": Policy("trivialaugment", "one transform at random, of a random magnitude"),
        "augmix": Policy("augmix", "chains of transforms, mixed with the picture"),
        "policy": Policy("policy: found.yaml", "from a file, written by hand or by a search"),
    }
)
