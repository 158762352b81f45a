"""Tables and colour matrices in a row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Fill = float | Sequence[float]
Tones = tuple[Array, ...]  # as `tables.stages` has them, in order

_ROUNDED = 1.5  # levels, by which a line of whole numbers may be off


def after(first: Tones, tones: Tones) -> Tones:
    """Both, one after the other; tables that follow each other are one."""
    for tone in tones:
        last = first[-1] if first else None
        if last is None or last.dtype != np.uint8 or tone.dtype != np.uint8:
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


def linear(tones: Tones) -> bool:
    """Whether they make no difference between pixels that are mixed before and after: no bend, nothing cut off."""
    for tone in tones:
        if tone.dtype != np.uint8:
            ends = [tone[:, 3] + 255 * np.minimum(tone[:, :3], 0).sum(1), 255 * np.maximum(tone[:, :3], 0).sum(1)]
            if ends[0].min() < -_ROUNDED or (ends[1] + tone[:, 3]).max() > 255 + _ROUNDED:
                return False
            continue
        columns = tone.reshape(256, -1).astype(float)
        line = columns[0] + (columns[255] - columns[0]) * (np.arange(256) / 255)[:, None]
        if np.abs(columns - line).max() > _ROUNDED:
            return False
    return True
