"""AP50, as COCO counts it (cocodataset.org, "Detection evaluation"): how many of the objects a detector finds, and how
few others, over all it says, the surest first."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Boxes = NDArray[np.float64]

_LEAST_SHARED = 0.5  # of what two boxes cover together, from which they are the same object
_RECALLS = np.linspace(0, 1, 101)
_MOST = 100  # of a class in a picture


def ap50(found: Sequence[Boxes], truth: Sequence[Boxes], classes: int) -> NDArray[np.float64]:
    """Percent of each class; NaN for one of which there is nothing to be found.

    Of each picture `found`: (k, 6), class, how sure, left, top, right, bottom; `truth`: (k, 5), the same without how
    sure.
    """
    values = np.full(classes, np.nan)
    for kind in range(classes):
        true = [one[one[:, 0] == kind, 1:] for one in truth]
        count = sum(map(len, true))
        if not count:
            continue
        said = [one[one[:, 0] == kind, 1:] for one in found]
        said = [one[np.argsort(-one[:, 0], kind="stable")][:_MOST] for one in said]
        right = np.concatenate([_right(one[:, 1:], other) for one, other in zip(said, true, strict=True)])
        order = np.argsort(-np.concatenate([one[:, 0] for one in said]), kind="stable")
        values[kind] = 100 * _area(right[order], count)
    return values


def _right(found: Boxes, true: Boxes) -> NDArray[np.bool_]:
    """Which of the boxes, the surest first, are an object that none before them is: the one they cover best."""
    right = np.zeros(len(found), bool)
    if not len(true):
        return right
    shared = overlaps(found, true)
    for number, row in enumerate(shared):
        best = len(row) - 1 - int(row[::-1].argmax())  # of equals the last, as COCO's own program has it
        if row[best] >= _LEAST_SHARED:
            right[number] = True
            shared[:, best] = -1.0
    return right


def overlaps(one: Boxes, other: Boxes) -> Boxes:
    """Intersection over union of each box with each other, (len(one), len(other))."""
    low = np.maximum(one[:, None, :2], other[None, :, :2])
    high = np.minimum(one[:, None, 2:], other[None, :, 2:])
    inside = np.clip(high - low, 0, None).prod(2)
    areas = [(boxes[:, 2:] - boxes[:, :2]).prod(1) for boxes in (one, other)]
    union = areas[0][:, None] + areas[1][None] - inside
    shares: Boxes = np.divide(inside, union, out=np.zeros_like(inside), where=union > 0)
    return shares


def _area(right: NDArray[np.bool_], count: int) -> float:
    """Under the curve of precision over recall, at 101 recalls; precision at one is the best at that or a higher."""
    if not len(right):
        return 0.0
    hits = np.cumsum(right)
    precision = np.maximum.accumulate((hits / np.arange(1, len(hits) + 1))[::-1])[::-1]
    places = np.searchsorted(hits / count, _RECALLS, side="left")
    return float(np.append(precision, 0.0)[places].mean())
