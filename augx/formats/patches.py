"""Masks that are given for a part of a picture, with where it lies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from augx.model import Rle

if TYPE_CHECKING:
    from augx.rle import Plane

MAX_PIXELS = 300_000_000  # of a picture with such masks
ROOM = 1 << 30  # pixels that the masks of one picture cover at most, added up


def placed(patch: Plane, left: int, top: int, width: int, height: int) -> Rle:
    """What is not 0 in `patch` as the RLE of a picture of `width` x `height`, of which it covers the pixels from `left`
    and `top` on; it may stick out.
    """
    import numpy as np

    from augx.rle import rle_of_runs, runs_of_mask

    x, y = max(left, 0), max(top, 0)
    part = patch[y - top : max(height - top, 0), x - left : max(width - left, 0)]
    if not part.any():
        return rle_of_runs((np.zeros(0, np.int64), np.zeros(0, np.int64)), width, height)
    columns = np.zeros((len(part) + 1, part.shape[1]), np.uint8)  # with a row of zeros between them
    columns[:-1] = part != 0
    runs = (np.divmod(borders, len(columns)) for borders in runs_of_mask(columns))
    starts, ends = ((x + column) * height + y + row for column, row in runs)
    apart = starts[1:] != ends[:-1]  # what goes on in the next column is one run
    return rle_of_runs((starts[np.append(True, apart)], ends[np.append(apart, True)]), width, height)
