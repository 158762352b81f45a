"""`background`: the objects of a picture on another background."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from augx import rle
from augx.model import Dropped, Object, Picture
from augx.seeds import Rng
from augx.transforms.own.base import Mix, Need, Rules, needed, number, switch
from augx.transforms.own.frames import bare, cover
from augx.transforms.own.inside import blend, softened
from augx.transforms.own.shapes import Shapes


@dataclass(frozen=True)
class Background(Mix):
    """Cut, Paste and Learn: Dwibedi, Misra, Hebert, "Cut, Paste and Learn: Surprisingly Easy Synthesis for Instance
    Detection" (ICCV 2017, arXiv 1708.01642); here the objects stay where they are and the background is replaced.

    `folder`: pictures without labels, of which one is scaled until it covers the picture. What has a mask (polygons,
    RLE, oriented box, number in the mask of instances) stays, and with `boxes` also what is a box alone, as a
    rectangle; without, such objects go and are dropped as hidden. Where there are no objects, alpha says what stays.
    A picture with nothing that says it is left as it is. `blend_sigma`: of the soft edge, in pixels.

    Labels stay. In the class mask what is replaced becomes no class, unless `keep_mask`. Transparent pixels show the
    background too, and nothing is transparent afterwards.
    """

    name: ClassVar[str] = "background"

    folder: str = needed(type="string")
    boxes: bool = switch(False)
    blend_sigma: float = number(1, 0, 20)
    keep_mask: bool = switch(False)

    def __post_init__(self) -> None:
        if not self.folder.strip():
            raise ValueError("`folder` is empty; give the folder that has the background pictures")

    def need(self) -> Need:
        return Need("folder", folder=self.folder)

    def draw(self, picture: Picture, others: Sequence[Picture], rng: Rng, rules: Rules) -> dict[str, Any]:
        """`u`, `v`: 0..1, which part of the background is seen. `objects`: how many stay."""
        stay, _ = self._split(picture)
        u, v = rng.numpy.random(2).round(6).tolist()
        return {"objects": len(stay), "u": u, "v": v}

    def apply(
        self, picture: Picture, others: Sequence[Picture], params: Mapping[str, Any], rules: Rules
    ) -> tuple[Picture, tuple[Dropped, ...]]:
        stay, go = self._split(picture)
        if not stay and (picture.alpha is None or picture.annotations.objects):
            return picture, ()
        behind, _ = cover(bare(others[0]), picture.width, picture.height, rules, params["u"], params["v"])
        front = np.zeros((picture.height, picture.width), np.uint8)
        for _, runs in stay:
            rle.paint(front, runs)
        share = softened(front, self.blend_sigma) if self.blend_sigma and stay else front.astype(np.float32)
        alpha = picture.alpha
        if alpha is not None:
            most = np.iinfo(alpha.dtype).max
            opaque = alpha.astype(np.float32) / np.float32(most)
            share = share * opaque if stay else opaque
            front = np.asarray(front * (alpha > 0) if stay else alpha > most // 2, np.uint8)
            alpha = np.full_like(alpha, most)
        mask, instances = picture.mask, picture.instances
        if mask is not None and not self.keep_mask:
            mask = replace(mask, values=_cut(mask.values, front, rules.outside))
        if instances is not None:
            instances = replace(instances, values=_cut(instances.values, front, 0))
        known = replace(picture.annotations, objects=tuple(thing for thing, _ in stay))
        pixels = blend(behind.pixels, picture.pixels, share)
        dropped = tuple(Dropped(thing.label, "hidden", 0.0) for thing in go)
        mixed = replace(picture, pixels=pixels, alpha=alpha, annotations=known, mask=mask, instances=instances)
        return mixed, dropped

    def _split(self, picture: Picture) -> tuple[list[tuple[Object, rle.Runs]], list[Object]]:
        """The objects that stay, with their pixels, and those that go."""
        shapes = Shapes(picture)
        stay: list[tuple[Object, rle.Runs]] = []
        go: list[Object] = []
        for thing in picture.annotations.objects:
            runs = shapes.mask(thing)
            if runs is None and self.boxes:
                runs = shapes.rectangle(thing)
            if runs is None or not len(runs[0]):
                go.append(thing)
            else:
                stay.append((thing, runs))
        return stay, go


def _cut(values: NDArray[Any], front: NDArray[Any], outside: int) -> NDArray[Any]:
    """What is in front, and `outside` elsewhere."""
    cut: NDArray[Any] = values.copy()
    cut[front == 0] = outside
    return cut
