"""Tables and colour matrices in a row."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from augx.transforms.blurs import Blur
from augx.transforms.sampling import Drafts, level_of

Array = NDArray[Any]
Fill = float | Sequence[float]
Tones = tuple[Array, ...]  # as `tables.stages` has them, in order
Stage = Array | Blur

_ROUNDED = 1.5  # levels, by which a line of whole numbers may be off
_ALIKE = 1.5  # levels, root of the mean square, by which averages before and after tones may differ: half a JPEG's
_PATCHES = 16  # along each side of a picture
_WIDEST = 16  # pixels of a patch
_SHARES = np.arange(256) / 255


def after(first: tuple[Stage, ...], tones: tuple[Stage, ...]) -> tuple[Stage, ...]:
    """Both, one after the other; tables that follow each other are one."""
    for tone in tones:
        last = first[-1] if first else None
        if (
            last is None
            or isinstance(last, Blur)
            or isinstance(tone, Blur)
            or last.dtype != np.uint8
            or tone.dtype != np.uint8
        ):
            first = (*first, tone)
        elif tone.ndim == 1:
            first = (*first[:-1], tone[last])
        else:
            columns = last if last.ndim == 2 else np.repeat(last[:, None], 3, axis=1)
            first = (*first[:-1], np.take_along_axis(tone, columns.astype(np.intp), axis=0))
    return first


def toned(pixels: Array, tones: Tones) -> Array:
    for tone in tones:
        if tone.dtype != np.uint8:
            pixels = cv2.transform(pixels, tone)
        else:
            pixels = cv2.LUT(pixels, tone if tone.ndim == 1 else tone[None])
    return pixels


def toned_fill(fill: Fill, tones: Tones) -> Fill:
    colours = np.asarray(fill, float).reshape(-1)
    grey = colours.size == 1 and all(tone.ndim == 1 for tone in tones)
    pixel = np.clip(np.rint(colours), 0, 255).astype(np.uint8).reshape(1, 1, -1)
    done = toned(pixel[..., 0] if grey else np.broadcast_to(pixel, (1, 1, 3)).copy(), tones)
    return float(done[0, 0]) if grey else [float(one) for one in done[0, 0]]


class Patches:
    """Small squares spread over a picture. They tell whether tones make a difference between pixels that are averaged
    before and after: linear ones do not, nor do others where neighbours are much alike or the bend is elsewhere."""

    def __init__(self, pixels: Array, most: float = _ALIKE) -> None:
        """`pixels`: uint8, (H, W) or (H, W, 3). `most`: levels, by which averages may differ."""
        self._pixels, self._most = pixels, most
        self._made: dict[int, tuple[Array, Array]] = {}

    def alike(self, tones: Tones, pace: float) -> bool:
        """Whether it does not matter. `pace`: how many pixels are averaged, across and down."""
        return linear(tones) or self._measured(tones, pace)

    def follow(self, tones: Tones) -> bool:
        """Whether they may come after what has been averaged already: nothing has."""
        return True

    def _measured(self, tones: Tones, pace: float) -> bool:
        side = min(1 << max(1, math.ceil(math.log2(max(pace, 1)))), _WIDEST, *self._pixels.shape[:2])
        if side < 2 or self._pixels.dtype != np.uint8:
            return False
        if side not in self._made:
            self._made[side] = self._cut(side)
        patches, means = self._made[side]
        early = cv2.reduce(toned(patches, tones), 1, cv2.REDUCE_AVG, dtype=cv2.CV_32F)
        off = early - toned(means, tones)
        return float(np.vdot(off, off)) <= self._most * self._most * off.size

    def _cut(self, side: int) -> tuple[Array, Array]:
        """(n, side², ...) and their means, (n, 1, ...)."""
        height, width, *colours = self._pixels.shape
        down, across = (np.linspace(0, size - side, _PATCHES).astype(np.intp) for size in (height, width))
        cut = sliding_window_view(self._pixels, (side, side), axis=(0, 1))[np.ix_(down, across)]
        cut = np.moveaxis(cut, 2, -1) if colours else cut
        patches = cut.reshape(_PATCHES * _PATCHES, side * side, *colours)
        return patches, np.rint(cv2.reduce(patches, 1, cv2.REDUCE_AVG, dtype=cv2.CV_32F)).astype(np.uint8)


class DraftedPatches(Patches):
    """Of drafts. Some of what differs has been averaged away there, so less of it is let pass: with 1 / (level + 1/2)
    of the limit nothing passed, in photographs, that the whole picture would have refused."""

    def __init__(self, drafts: Drafts) -> None:
        super().__init__(drafts.plane(drafts.drafted), _ALIKE / (drafts.drafted + 0.5))
        self._level = drafts.drafted
        self._nearest = Patches(self._pixels)

    def _measured(self, tones: Tones, pace: float) -> bool:
        return level_of((pace, pace)) >= self._level and super()._measured(tones, pace * 0.5**self._level)

    def follow(self, tones: Tones) -> bool:
        """Whether tones may come after the averages that the draft is made of, as they may after the next larger ones:
        what is finer differs less, in photographs."""
        return self._nearest.alike(tones, 2)


def linear(tones: Tones) -> bool:
    """Whether they make no difference between pixels that are mixed before and after: no bend, nothing cut off."""
    for tone in tones:
        if tone.dtype != np.uint8:
            ends = [tone[:, 3] + 255 * np.minimum(tone[:, :3], 0).sum(1), 255 * np.maximum(tone[:, :3], 0).sum(1)]
            if ends[0].min() < -_ROUNDED or (ends[1] + tone[:, 3]).max() > 255 + _ROUNDED:
                return False
            continue
        for column in [tone] if tone.ndim == 1 else tone.T:
            low, high = column.item(0), column.item(255)
            if abs(column.item(128) - (low + (high - low) * 128 / 255)) > _ROUNDED:  # as most that bend
                return False
            if np.abs(column - (low + (high - low) * _SHARES)).max() > _ROUNDED:
                return False
    return True
