"""`copy_paste`: objects of another picture, pasted in."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import Any, ClassVar, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from augx import geometry, rle
from augx.cargo import triples_of
from augx.model import Annotations, Box, Dropped, Mask, Object, Picture
from augx.seeds import Rng
from augx.transforms.own.base import Mix, Need, Rules, arg, choice, number, span, switch
from augx.transforms.own.frames import Rectangle, numbered, placed, renumbered, slices
from augx.transforms.own.inside import blend, softened
from augx.transforms.own.layers import joined
from augx.transforms.own.occlusion import counted, hidden, outlined, plain
from augx.transforms.own.shapes import Shapes

Array = NDArray[Any]

_NEAR = 2  # pixels, by which a person may set a keypoint outside the outline of its object


class _Pasted(NamedTuple):
    """One object where it has landed. `picture`: has that object only, in the frame of the new picture. `inside`:
    (H, W), which pixels are its. `window`: outside of it there is nothing of the object, nor of its soft edge."""

    picture: Picture
    inside: NDArray[np.bool_]
    window: Rectangle


@dataclass(frozen=True)
class CopyPaste(Mix):
    """Simple Copy-Paste: Ghiasi, Cui, Srinivas, Qian, Lin, Cubuk, Le, Zoph, "Simple Copy-Paste is a Strong Data
    Augmentation Method for Instance Segmentation" (CVPR 2021, arXiv 2012.07177).

    Objects with a mask (polygons, RLE, oriented box, number in the mask of instances) are cut out of a partner, or out
    of the picture itself (`partners: own`), and pasted in; objects that are a box alone only with `boxes`, as
    rectangles and not turned. Crowds are not. `objects_range`: how many, `classes`: of which; [] is any.
    `scale_range`: 1 is as large in the new picture as in its own, as a share of the area. `rotate_limit`: degrees,
    either way. `flip`: half of them are mirrored, unless that swaps keypoints of which nobody knows the other.
    `place`: anywhere, so that all of the object is in the picture if it is not too large for it; or the same as it had
    in its own, but for `shift_limit` times its size, either way. `lift`, with `partners: own`: it is taken away from
    where it was, so that it moves (InstaBoost: Fang, Sun, Wang, Gou, Li, Lu, ICCV 2019, arXiv 1908.07801); what was
    behind it is made up from around it (Telea 2004), is no class in the class mask, and best remains small.
    `largest`: share of its own picture, above which an object is not taken, since it would hide all others.
    `blend_sigma`: of its soft edge, in pixels; labels go by the hard one.

    Objects below are cut by what hides them and dropped when less than `min_visible` of them, 0..1, is left. A pasted
    object of which others pasted later leave no more is not pasted at all. Classes of the picture as a whole stay.
    """

    name: ClassVar[str] = "copy_paste"

    partners: str = choice("any", "any", "same", "other", "own")
    objects_range: Sequence[int] = span([1, 3], 1, 100, "integer")
    classes: Sequence[str] = arg([], type="array", items={"type": "string"})
    boxes: bool = switch(False)
    largest: float = number(0.5, 0, 1)
    scale_range: Sequence[float] = span([0.7, 1.3], 0.05, 10)
    rotate_limit: float = number(0, 0, 180)
    flip: bool = switch(True)
    place: str = choice("anywhere", "anywhere", "same")
    shift_limit: float = number(0.1, 0, 1)
    lift: bool = switch(False)
    blend_sigma: float = number(1, 0, 20)
    min_visible: float = number(0.3, 0, 1)

    def __post_init__(self) -> None:
        if self.lift and self.partners != "own":
            raise ValueError("`lift` moves objects on their own picture, so it needs `partners: own`")

    def need(self) -> Need:
        return Need(count=0) if self.partners == "own" else Need(self.partners)

    def draw(self, picture: Picture, others: Sequence[Picture], rng: Rng, rules: Rules) -> dict[str, Any]:
        """`pastes`: the last one lies on top. `object`: counted from 0, `x`, `y`: where the middle of the box around
        its pixels comes to lie, `scale`: of its pixels."""
        source = picture if self.partners == "own" else others[0]
        shapes, draw = Shapes(source), rng.numpy
        able = [index for index, thing in enumerate(source.annotations.objects) if self.takes(thing, source, shapes)]
        many = min(int(draw.integers(self.objects_range[0], self.objects_range[1] + 1)), len(able))
        chosen = draw.choice(able, many, replace=False).tolist() if able else []
        alike = math.sqrt(picture.width * picture.height / (source.width * source.height))
        pastes = []
        for index in chosen:
            thing = source.annotations.objects[index]
            x0, y0, x1, y1 = _extent(thing, source, shapes)
            scale = round(float(draw.uniform(self.scale_range[0], self.scale_range[1])) * alike, 6)
            angle = round(float(draw.uniform(-self.rotate_limit, self.rotate_limit)), 3)
            flip = self.flip and bool(draw.random() < 0.5) and _mirrors(thing, rules)
            if shapes.mask(thing) is None:
                angle = 0.0
            cos, sin = abs(math.cos(math.radians(angle))), abs(math.sin(math.radians(angle)))
            wide, high = cos * (x1 - x0) + sin * (y1 - y0), sin * (x1 - x0) + cos * (y1 - y0)
            u, v = draw.random(2).tolist()
            x, y = _anywhere(wide * scale, picture.width, u), _anywhere(high * scale, picture.height, v)
            if self.place == "same":
                x = _near((x0 + x1) / 2 * picture.width / source.width, wide * scale, self.shift_limit * (2 * u - 1))
                y = _near((y0 + y1) / 2 * picture.height / source.height, high * scale, self.shift_limit * (2 * v - 1))
            where = {"x": round(x, 6), "y": round(y, 6)}
            pastes.append({"object": index, "scale": scale, "angle": angle, "flip": flip, **where})
        return {"pastes": pastes}

    def takes(self, thing: Object, source: Picture, shapes: Shapes) -> bool:
        if thing.crowd or (self.classes and thing.label not in self.classes):
            return False
        runs = shapes.mask(thing)
        if runs is None and self.boxes and thing.box is not None:
            runs = shapes.rectangle(thing)
        return runs is not None and 0 < rle.area(runs) <= self.largest * source.width * source.height

    def apply(
        self, picture: Picture, others: Sequence[Picture], params: Mapping[str, Any], rules: Rules
    ) -> tuple[Picture, tuple[Dropped, ...]]:
        limit = max(self.min_visible, rules.options.min_visibility)
        below = replace(rules, options=replace(rules.options, min_visibility=limit))
        source, dropped = picture if self.partners == "own" else others[0], list[Dropped]()
        shapes = Shapes(source)
        covered = np.zeros((picture.height, picture.width), np.bool_)
        pasted: list[_Pasted] = []
        for paste in reversed(params["pastes"]):  # from the top, so that what would be hidden is never painted
            landed, lost = self._landed(source, shapes, paste, picture, rules)
            if landed is not None:
                seen, more = hidden(landed.picture, covered, below)
                lost += more
                if seen.annotations.objects:
                    pasted.append(landed._replace(picture=plain(seen)))
                    covered |= landed.inside
            dropped += lost
        if not pasted and not self.lift:
            return picture, tuple(dropped)
        pasted.reverse()
        taken = {paste["object"] for paste in params["pastes"]} if self.lift else set()
        bare, gone = _without(picture, taken, shapes, rules) if taken else (picture, covered)
        left, lost = hidden(bare, covered | gone, below)  # what lay on a lifted object is gone with it
        pictures = [left, *(one.picture for one in pasted)]
        mixed = joined(pictures, [one.inside for one in pasted], picture.annotations.labels, rules)
        pixels, alpha = self._painted(left, pasted)
        return replace(mixed, pixels=pixels, alpha=alpha), (*lost, *dropped)

    def _landed(
        self, source: Picture, shapes: Shapes, paste: Mapping[str, Any], picture: Picture, rules: Rules
    ) -> tuple[_Pasted | None, tuple[Dropped, ...]]:
        thing = source.annotations.objects[paste["object"]]
        matrix = _matrix(_extent(thing, source, shapes), paste)
        by_index = not thing.rings and thing.rle is None and thing.corners is None
        runs = shapes.mask(thing) if by_index else None
        if runs is not None:  # carried as a mask of its own
            thing = replace(thing, rle=rle.rle_of_runs(runs, source.width, source.height))
        window = _window(thing, source.annotations, matrix, picture, math.ceil(3 * self.blend_sigma) + 2)
        if window[0] >= window[2] or window[1] >= window[3]:
            return None, (Dropped(thing.label, "outside", 0.0),)
        alpha, deep = source.alpha, source.pixels.dtype
        if alpha is None:  # so that it tells where the source ends
            alpha = np.full(source.pixels.shape[:2], np.iinfo(deep).max, deep)
        known = replace(source.annotations, objects=(thing,), captions=())
        alone = replace(source, annotations=known, instances=None, alpha=alpha)
        landed, lost = placed(outlined(alone), matrix, picture.width, picture.height, rules, window=window)
        if lost:
            return None, lost
        (end,) = landed.annotations.objects
        there = Shapes(landed).pixels(end)
        assert there is not None  # only what has a mask or a box is pasted
        inside = rle.fill(there, picture.width, picture.height)
        if end.keypoints is not None:
            near = cv2.dilate(inside, np.ones((2 * _NEAR + 1, 2 * _NEAR + 1), np.uint8))
            landed, _ = hidden(landed, near == 0, rules)
            (end,) = landed.annotations.objects
        if source.instances is not None and end.index is not None:
            landed = replace(landed, instances=Mask(inside))
            end = replace(end, index=1, rle=None if by_index else end.rle)
        landed = replace(landed, annotations=replace(landed.annotations, objects=(end,)))
        return _Pasted(landed, inside.view(np.bool_), window), ()

    def _painted(self, picture: Picture, pasted: Sequence[_Pasted]) -> tuple[Array, Array | None]:
        """Pixels and alpha with everything pasted in, its edges soft."""
        pixels, alpha = picture.pixels.copy(), None if picture.alpha is None else picture.alpha.copy()
        for one in pasted:
            here, theirs = slices(one.window), one.picture.alpha
            share: Array = one.inside[here].copy()
            if self.blend_sigma:
                share = softened(share, self.blend_sigma)
            if theirs is not None:
                share[theirs[here] == 0] = 0
                if alpha is not None:
                    alpha[here] = blend(alpha[here], theirs[here], share)
            pixels[here] = blend(pixels[here], one.picture.pixels[here], share)
        return pixels, alpha


def _extent(thing: Object, source: Picture, shapes: Shapes) -> Box:
    """Around the pixels of an object that has some."""
    runs = shapes.pixels(thing)
    extent = None if runs is None else rle.extent(runs, source.height)
    assert extent is not None
    return extent


def _mirrors(thing: Object, rules: Rules) -> bool:
    """Whether it is known which keypoint each becomes in a mirror, if there are any."""
    if thing.keypoints is None or rules.options.pairs is not None:
        return True
    return bool(rules.swaps.get(thing.label or "", rules.swaps.get("")))


def _anywhere(length: float, size: int, u: float) -> float:
    """The middle, on one axis, of an object of this length: inside the picture, or so that it covers it if it is
    longer. Like `_near` it begins at a whole pixel, so that what keeps its scale keeps its pixels."""
    low, high = sorted((0, math.floor(size - length)))
    return low + math.floor(u * (high - low + 1)) + length / 2


def _near(middle: float, length: float, shift: float) -> float:
    return round(middle + shift * length - length / 2) + length / 2


def _matrix(extent: Box, paste: Mapping[str, Any]) -> NDArray[np.float64]:
    """(2, 3): mirrored, scaled and turned clockwise around the middle of `extent`, which goes to x, y."""
    turn = math.radians(paste["angle"])
    cos, sin = paste["scale"] * math.cos(turn), paste["scale"] * math.sin(turn)
    side = -1 if paste["flip"] else 1
    matrix = np.array([[side * cos, -sin], [side * sin, cos]])
    middle = (extent[0] + extent[2]) / 2, (extent[1] + extent[3]) / 2
    return np.column_stack([matrix, (paste["x"], paste["y"]) - matrix @ middle])


def _window(thing: Object, known: Annotations, matrix: NDArray[np.float64], picture: Picture, margin: int) -> Rectangle:
    """The part of the new picture, in whole pixels, where the object is, with its soft edge and all its keypoints."""
    places = [geometry.pairs(ring) for ring in thing.rings]
    if thing.corners is not None:
        places.append(geometry.pairs(thing.corners))
    if thing.keypoints is not None:
        triples = triples_of(thing.keypoints)
        places.append(triples[triples[:, 2] > 0, :2] + known.dot)
    if (box := geometry.shape_box(thing)) is not None:
        places.append(geometry.pairs(geometry.rectangle(box)))
    moved = np.concatenate(places) @ matrix[:, :2].T + matrix[:, 2]
    size = picture.width, picture.height
    x0, y0 = np.clip(np.floor(moved.min(axis=0)) - margin, 0, size).astype(int).tolist()
    x1, y1 = np.clip(np.ceil(moved.max(axis=0)) + margin, 0, size).astype(int).tolist()
    return x0, y0, x1, y1


def _without(picture: Picture, taken: Set[int], shapes: Shapes, rules: Rules) -> tuple[Picture, NDArray[np.bool_]]:
    """The picture less some of its objects, what was behind them made up; and where they were."""
    things = picture.annotations.objects
    hole = np.zeros((picture.height, picture.width), np.uint8)
    for index in taken:
        runs = shapes.pixels(things[index])
        if runs is not None:
            rle.paint(hole, runs)
    ends = [Dropped(thing.label, "", 0.0) if index in taken else thing for index, thing in enumerate(things)]
    numbers = counted(things, ends)
    left = numbered([end for end in ends if isinstance(end, Object)], numbers)
    inside, mask, instances = hole != 0, picture.mask, picture.instances
    if mask is not None:
        mask = replace(mask, values=_blanked(mask.values, inside, rules.outside))
    if instances is not None:
        instances = renumbered(replace(instances, values=_blanked(instances.values, inside, 0)), numbers)
    known = replace(picture.annotations, objects=left)
    pixels = _made_up(picture.pixels, cv2.dilate(hole, np.ones((5, 5), np.uint8)))  # its outline is not exact
    return replace(picture, pixels=pixels, annotations=known, mask=mask, instances=instances), inside


def _blanked(values: Array, inside: NDArray[np.bool_], value: int) -> Array:
    blanked: Array = values.copy()
    blanked[inside] = value
    return blanked


def _made_up(pixels: Array, hole: Array) -> Array:
    """Pixels where `hole` is not 0, from those around them; as they are where there are none around."""
    if not hole.any() or hole.all():
        return pixels
    if pixels.ndim == 2 or pixels.dtype == np.uint8:
        return np.asarray(cv2.inpaint(pixels, hole, 3, cv2.INPAINT_TELEA))
    planes = [cv2.inpaint(np.ascontiguousarray(pixels[..., i]), hole, 3, cv2.INPAINT_TELEA) for i in range(3)]
    return np.stack(planes, axis=-1)
