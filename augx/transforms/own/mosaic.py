"""Four or nine pictures in one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from typing import Any, ClassVar

import numpy as np

from augx.errors import ImageError
from augx.model import Dropped, Picture
from augx.seeds import Rng
from augx.transforms.own.base import Mix, Need, Rules, arg, choice, number, span
from augx.transforms.own.frames import Rectangle, covering, placed
from augx.transforms.own.layers import joined, weighted

_SIDE = {"type": "integer", "minimum": 1, "maximum": 16_384}
_SIZE = {"type": "array", "prefixItems": [_SIDE, _SIDE], "minItems": 2, "maxItems": 2}


@dataclass(frozen=True)
class Mosaic(Mix):
    """The picture and three or eight others side by side. Classes are weighted by area, to the pixel.

    `tiles`: 4 or 9. `size`: [height, width] of the new picture; null: the size of the picture. `jitter`: by how much
    of an even tile's side the lines between tiles may move; of 4 tiles, 0.4 puts the centre at 0.3 to 0.7 of each side.
    Each picture is scaled until it covers its tile, and a factor drawn from `scale_range` more, and any part of it is
    shown. Which tile is whose is drawn too. With hard labels no picture is sure to keep half; weights are by area then
    too.

    Bochkovskiy, Wang, Liao 2020, "YOLOv4: Optimal Speed and Accuracy of Object Detection", arXiv 2004.10934.
    """

    name: ClassVar[str] = "mosaic"
    keeps_half: ClassVar[bool] = False

    tiles: int = arg(4, enum=[4, 9])
    size: Sequence[int] | None = arg(None, anyOf=[_SIZE, {"type": "null"}])
    jitter: float = number(0.4, 0, 0.49)
    scale_range: Sequence[float] = span([1.0, 1.5], 1, 8)
    partners: str = choice("any", "any", "same", "other")

    def need(self) -> Need:
        return Need(self.partners, self.tiles - 1)

    def draw(self, picture: Picture, others: Sequence[Picture], rng: Rng, rules: Rules) -> dict[str, Any]:
        """`x`, `y`: where the lines between tiles are. `order`: which picture, from 0, each tile has. `scales` and
        `places`: of each tile, how large its picture is and which part is shown (`covering`)."""
        height, width = self.size or (picture.height, picture.width)
        low, high = self.scale_range
        draw = rng.numpy
        return {
            "width": width,
            "height": height,
            "x": self._lines(width, draw),
            "y": self._lines(height, draw),
            "order": draw.permutation(self.tiles).tolist(),
            "scales": draw.uniform(low, high, self.tiles).tolist(),
            "places": draw.uniform(size=(self.tiles, 2)).tolist(),
        }

    def _lines(self, size: int, draw: np.random.Generator) -> list[int]:
        many = 2 if self.tiles == 4 else 3
        if size < many:
            message = f"mosaic: a side of {size} pixels is too short for {many} tiles; set its size"
            raise ImageError("transform-failed", message, "transform")
        lines = [round((line + draw.uniform(-self.jitter, self.jitter)) * size / many) for line in range(1, many)]
        for line in range(1, many):  # so that no tile is empty
            lines[line - 1] = max(lines[line - 2] + 1 if line > 1 else 1, min(lines[line - 1], size - many + line))
        return lines

    def apply(
        self, picture: Picture, others: Sequence[Picture], params: Mapping[str, Any], rules: Rules
    ) -> tuple[Picture, tuple[Dropped, ...]]:
        width, height = params["width"], params["height"]
        pictures = [picture, *others]
        columns, rows = pairwise([0, *params["x"], width]), pairwise([0, *params["y"], height])
        tiles: dict[int, Rectangle] = {}
        shown: dict[int, Picture] = {}
        lost: tuple[Dropped, ...] = ()
        cells = zip(product(rows, columns), params["order"], params["scales"], params["places"], strict=True)
        for ((y0, y1), (x0, x1)), who, scale, (u, v) in cells:
            matrix = covering(pictures[who], x1 - x0, y1 - y0, u, v, scale)
            matrix[:2, 2] += (x0, y0)
            tiles[who] = x0, y0, x1, y1
            shown[who], gone = placed(pictures[who], matrix, width, height, rules, window=tiles[who])
            lost += gone
        everyone = range(len(pictures))
        areas = [(x1 - x0) * (y1 - y0) for x0, y0, x1, y1 in map(tiles.__getitem__, everyone)]
        labels = weighted(pictures, [area / (width * height) for area in areas])
        mixed = joined([shown[who] for who in everyone], [tiles[who] for who in everyone[1:]], labels, rules)
        return mixed, lost
