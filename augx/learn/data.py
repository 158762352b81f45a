"""The pictures that something is fitted on, read as a run would read them, all of one size."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from augx import formats, images
from augx.errors import ImageError, InputError
from augx.formats import ReadOptions
from augx.model import Dataset, Limits, Sample
from augx.ring import place_of
from augx.work import read_sources

Pixels = NDArray[np.uint8]
SMALLEST, LARGEST, STEP = 32, 256, 16  # sides of the pictures a network sees
_MOST_BYTES = 1 << 30  # of pixels
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # of RGB, as Rec. 601 has it
_FAR = 1e9  # levels
_MEASURED = 200  # pictures, of which the usual size is taken


@dataclass(frozen=True, slots=True)
class Data:
    """`pixels`: (n, side, side, 3) RGB. `labels`: (n,) numbers of `classes`; -1: none, or several. `samples`: whose
    they are. `failed`: sources that could not be read. `digest`: SHA-256 of all of it. `left_out`: sources beyond what
    memory holds."""

    pixels: Pixels
    labels: NDArray[np.int64]
    classes: tuple[str, ...]
    samples: tuple[Sample, ...]
    digest: str
    failed: int = 0
    left_out: int = 0

    @property
    def side(self) -> int:
        return int(self.pixels.shape[1])


def dataset(root: str, format: str | None, options: ReadOptions) -> Dataset:
    """The dataset, of its splits only `train` if it has any: what is tested on must not be learned from.

    Raises InputError.
    """
    found = formats.detect(root, format).read(root, options)
    chosen = tuple(one for one in found.samples if one.split in (None, "train"))
    if not chosen:
        splits = ", ".join(sorted({str(one.split) for one in found.samples}))
        raise InputError(f"{root} has no split `train`, only {splits}", "give the folder of the split to learn from")
    return replace(found, samples=chosen)


def read(known: Dataset, side: int | None, most: int = LARGEST, tick: Callable[[], None] = lambda: None) -> Data:
    """Decodes the pictures. Each is resized to a square of `side`, whatever its shape; None: the multiple of 16 that is
    next to the usual shorter side, 32 to `most`."""
    limits = Limits()
    samples = sorted(known.samples, key=lambda one: (place_of(one.id), one.id))
    if side is None:
        side = usual_side(known.root, samples, limits, most)
    room = _MOST_BYTES // (side * side * 3)
    found: list[tuple[str, Pixels, Sample]] = []
    failed = 0
    for sample in samples[:room]:
        tick()
        try:
            found.append((sample.id, squared(_decoded(known.root, sample, limits), side), sample))
        except ImageError:
            failed += 1
    if not found:
        raise InputError(
            f"none of the {len(samples):,} pictures in {known.root} can be read",
            "`augx validate RECIPE --input` says why",
        )
    found.sort(key=lambda one: one[0])
    pixels = np.stack([one[1] for one in found])
    names = sorted({name for one in found for name in one[2].annotations.labels})
    numbers = {name: number for number, name in enumerate(names)}
    labels = np.array([_class(one[2], numbers) for one in found], np.int64)
    told = hashlib.sha256(repr((names, [one[0] for one in found], labels.tolist())).encode("utf-8", "surrogatepass"))
    told.update(pixels.tobytes())
    kept = tuple(one[2] for one in found)
    return Data(pixels, labels, tuple(names), kept, told.hexdigest(), failed, max(0, len(samples) - room))


def squared(pixels: NDArray[Any], side: int) -> Pixels:
    """(H, W) or (H, W, 3), of 8 or 16 bits, as (side, side, 3) of 8 bits."""
    shrinks = min(pixels.shape[:2]) > side
    small: NDArray[Any] = cv2.resize(
        pixels, (side, side), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    )
    if small.dtype == np.uint16:
        small = ((small.astype(np.uint32) + 128) // 257).astype(np.uint8)
    return np.repeat(small[..., None], 3, 2) if small.ndim == 2 else small


def added(pixels: NDArray[Any], change: NDArray[np.float32], smooth: bool = True) -> NDArray[Any]:
    """A picture (H, W) or (H, W, 3), of 8 or 16 bits, plus `change`, (side, side, 3) in levels of 255, at its size.

    `smooth`: enlarged so that no blocks are seen; else each number of it stands for a block. ImageError where the
    change is none that a picture can take: not every CPU makes the same levels of such numbers.
    """
    if not np.abs(change).max() < _FAR:  # so is NaN
        raise ImageError("no-model", "the model makes numbers that are no picture; fit it anew", "transform")
    if pixels.ndim == 2:
        change = change @ _LUMA
    height, width = pixels.shape[:2]
    larger = cv2.INTER_CUBIC if smooth else cv2.INTER_NEAREST
    how = cv2.INTER_AREA if min(height, width) < len(change) else larger
    white = np.iinfo(pixels.dtype).max
    levels = cv2.resize(change, (width, height), interpolation=how) * np.float32(white / 255) + pixels
    found: NDArray[Any] = np.clip(np.rint(levels, out=levels), 0, white, out=levels).astype(pixels.dtype)
    return found


def _decoded(root: str, sample: Sample, limits: Limits) -> NDArray[Any]:
    return images.decode(read_sources(root, sample, limits)[0][0], limits).picture.pixels


def usual_side(root: str, samples: Sequence[Sample], limits: Limits, most: int) -> int:
    """The multiple of 16 that is next to the usual shorter side, 32 to `most`."""
    sides = []
    for sample in samples[:_MEASURED]:
        try:
            sides.append(min(_decoded(root, sample, limits).shape[:2]))
        except ImageError:
            continue
    usual = sorted(sides)[len(sides) // 2] if sides else SMALLEST
    return max(SMALLEST, min(most, round(usual / STEP) * STEP))


def _class(sample: Sample, numbers: dict[str, int]) -> int:
    names = list(sample.annotations.labels)
    return numbers[names[0]] if len(names) == 1 else -1
