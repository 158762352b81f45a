"""Labelled pictures of one size on top of each other, as one picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from augx import rle
from augx.errors import ImageError
from augx.geometry import shape_box
from augx.model import Annotations, Mask, Picture
from augx.seeds import Rng
from augx.transforms.own.base import Rules
from augx.transforms.own.frames import Region, numbered, renumbered, slices

Array = NDArray[Any]


def joined(
    pictures: Sequence[Picture], regions: Sequence[Region], labels: Mapping[str, float], rules: Rules
) -> Picture:
    """One picture of several: the first, and each other one on its region of it; labels as `gathered`.

    Masks are those that the first picture has. What another does not say is `rules.outside`, or no instance.
    """
    pictures = distinct(pictures)
    first, others = pictures[0], list(zip(pictures[1:], regions, strict=True))
    shape, opaque = first.pixels.shape[:2], np.iinfo(first.pixels.dtype).max
    pixels, alpha = first.pixels.copy(), first.alpha
    for other, region in others:
        _paste(pixels, other.pixels, region)
    if alpha is not None:
        alpha = alpha.copy()
        for other, region in others:
            _paste(alpha, np.full(shape, opaque, alpha.dtype) if other.alpha is None else other.alpha, region)
    mask = _masks(first.mask, [(other.mask, region) for other, region in others], rules.outside)
    instances = _masks(first.instances, [(other.instances, region) for other, region in others], 0)
    return Picture(pixels, alpha, first.icc, gathered(pictures, labels), mask, instances)


def gathered(pictures: Sequence[Picture], labels: Mapping[str, float]) -> Annotations:
    """What is known about several pictures in one: all objects, each caption once, and the rest as the first has it."""
    known = [picture.annotations for picture in pictures]
    captions = dict.fromkeys(caption for one in known for caption in one.captions)
    objects = tuple(thing for one in known for thing in one.objects)
    return replace(known[0], labels=labels, captions=tuple(captions), objects=objects)


def weighted(pictures: Sequence[Picture], shares: Sequence[float]) -> dict[str, float]:
    """Class -> weight when pictures have these shares of one, in nine digits. {} where no picture has a class.

    Where every picture has one class, or weights that sum to 1, so do the new ones. Where one has several classes, each
    of them wholly, a class's weight is the share of the pictures that show it.
    """
    weights: dict[str, float] = {}
    for picture, share in zip(pictures, shares, strict=True):
        for label, weight in picture.annotations.labels.items():
            weights[label] = weights.get(label, 0.0) + share * weight
    several = any(sum(picture.annotations.labels.values()) > 1 + 1e-6 for picture in pictures)
    whole = 1.0 if several else sum(weights.values())
    rounded = {label: round(min(weight / whole, 1.0), 9) for label, weight in weights.items() if weight > 0}
    rounded = {label: weight for label, weight in rounded.items() if weight}
    if rounded and not several:
        most = max(rounded, key=lambda label: rounded[label])
        rounded[most] = round(1.0 - sum(weight for label, weight in rounded.items() if label != most), 9)
    return rounded


def beta_share(alpha: float, rng: Rng, rules: Rules) -> float:
    """The first picture's share from Beta(alpha, alpha); at least a half where images keep one class."""
    share = float(rng.numpy.beta(alpha, alpha))
    return max(share, 1 - share) if rules.hard else share


def distinct(pictures: Sequence[Picture]) -> list[Picture]:
    """The pictures with instances that no two of them number alike. The largest value a mask can have is void (as 255
    in Pascal VOC) unless an object has it, and stays.

    Where the first has no mask of instances, those of the others are not told apart by one either.
    """
    first = pictures[0]
    used = _numbers(first)
    taken, fresh, result = used | {255, 65535}, max(used, default=0), [first]
    for other in pictures[1:]:
        if first.instances is None and other.instances is not None:
            result.append(unnumbered(other))
            continue
        numbers: dict[int, int] = {}
        for number in sorted(_numbers(other)):
            fresh += 1
            while fresh in taken:
                fresh += 1
            numbers[number] = fresh
        objects = numbered(other.annotations.objects, numbers)
        instances = other.instances and renumbered(other.instances, numbers)
        known = replace(other.annotations, objects=objects)
        result.append(replace(other, annotations=known, instances=instances))
    return result


def unnumbered(picture: Picture) -> Picture:
    """Without a mask of instances. Objects that nothing else shows get the boxes of their pixels there."""
    if picture.instances is None:
        return picture
    height, values = picture.height, picture.instances.values
    objects = []
    for thing in picture.annotations.objects:
        if thing.index is not None and shape_box(thing) is None:
            box = rle.extent(rle.runs_of_mask(values == thing.index), height)
            thing = replace(thing, box=box)
        objects.append(replace(thing, index=None))
    return replace(picture, annotations=replace(picture.annotations, objects=tuple(objects)), instances=None)


def _numbers(picture: Picture) -> set[int]:
    """Of all instances, also those that no object has; not of a mask of colours, which stays as it is."""
    indexes = {thing.index for thing in picture.annotations.objects if thing.index is not None}
    if picture.instances is None or picture.instances.values.ndim == 3:
        return indexes
    values = picture.instances.values
    return indexes | set(np.flatnonzero(np.bincount(values.reshape(-1))).tolist()) - {
        0,
        int(np.iinfo(values.dtype).max),
    }


def _paste(target: Array, source: Array, region: Region) -> None:
    if isinstance(region, tuple):
        target[slices(region)] = source[slices(region)]
    else:
        cv2.copyTo(source, region.view(np.uint8), target)


def _masks(first: Mask | None, others: Sequence[tuple[Mask | None, Region]], nothing: int) -> Mask | None:
    if first is None:
        return None
    shape = first.values.shape
    if any(other is not None and other.values.shape != shape for other, _ in others):
        message = "the masks of these pictures are of different kinds: some have colours, some numbers"
        raise ImageError("masks-differ", message, "transform")
    depth = np.result_type(first.values, *(other.values for other, _ in others if other is not None))
    values = first.values.astype(depth)
    for other, region in others:
        _paste(values, np.full(shape, nothing, depth) if other is None else other.values, region)
    return Mask(values, first.palette if depth == np.uint8 else None)
