"""A recipe's steps at work on one picture with its labels, and what the manifest records of them."""

from __future__ import annotations

import hashlib
import json
import math
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cache
from itertools import accumulate
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from augx.errors import ImageError
from augx.labels import Carrier
from augx.model import Annotations, Applied, Dropped, Json, LabelOptions, Mask, Picture, Step
from augx.seeds import Rng
from augx.transforms.borders import Border
from augx.transforms.catalog import TRANSFORMS
from augx.transforms.classical import Classical, luma, mask_class
from augx.transforms.draws import Geometry, geometry
from augx.transforms.draws_light import Light, light
from augx.transforms.fusion import FLAT, Course
from augx.transforms.misfits import failed
from augx.transforms.own import base as own
from augx.transforms.own.frames import numbered, renumbered
from augx.transforms.sampling import Drafts, Grain, Levels, level_of, paces_of
from augx.transforms.settings import chance
from augx.transforms.tones import DraftedPatches, Patches, Tones

At = Callable[[str], Rng]

_GROUP_P = {"OneOf": 0.5, "SomeOf": 1.0, "Sequential": 0.5, "inside": 1.0}  # those of Albumentations 2.0.8
_BOILERPLATE = frozenset(
    {
        *("shape", "rows", "cols", "interpolation", "mask_interpolation", "fill", "fill_mask", "border_mode"),
        *("bbox_shift", "bbox_matrix", "matrix_bbox"),  # the matrix once more, as Albumentations has it for boxes
    }
)
_MOST_NUMBERS = 64  # of an array or list that the manifest holds in full
_TRIES = 16  # draws, to see how much pictures shrink
_MOST_SIZES = 1000  # of pictures, for which that is known
_MOST_BUILT = 2000  # transforms of a policy: more than any table has levels
_FIXED = frozenset({"HorizontalFlip", "VerticalFlip", "Transpose", "NoOp", "InvertImg", "ToGray", "ToRGB", "Resize"})
_OPTIONS = LabelOptions()
_NO_SWAPS: Mapping[str, tuple[int, ...]] = {}


class Partners(Protocol):
    """The other pictures that a mix may take."""

    def pick(self, name: str, need: own.Need, picture: Picture, rng: Rng) -> list[tuple[str, Picture]]:
        """`need.count` pictures with their sources for the transform `name`; [] where there are none."""
        ...


class Alone:
    """No partners: every mix is left out."""

    def pick(self, name: str, need: own.Need, picture: Picture, rng: Rng) -> list[tuple[str, Picture]]:
        return []


_ALONE = Alone()


class Pipeline:
    """The steps of a recipe, built once, for any number of pictures. `draws`: another draw may make another picture.

    Every step has a stream of random numbers of its own, named by its place: "0", "1", and "1.0" for member 0 of
    group 1. Its first number, uniform in [0, 1), is compared with p; what else it draws follows. So steps do not
    disturb each other, and another p leaves what is drawn as it was.

    Groups mean what they mean in Albumentations 2.0.8:
    Sequential (p 0.5): all members in order, each with its own p.
    OneOf (p 0.5): one member, chosen with weights that are the members' p, and then applied for certain.
    SomeOf (p 1): n members (default 1) chosen evenly, without regard to their p, applied in the order they are
    written, each with its own p. With `replace` a member can be chosen more than once: its second turn has the
    stream "1.0~1", the third "1.0~2". Without, an n above the number of members means all of them.
    One difference: a SomeOf chosen by a OneOf is applied for certain too; 2.0.8 asks its p once more.
    """

    def __init__(
        self,
        steps: Sequence[Step],
        options: LabelOptions = _OPTIONS,
        swaps: Mapping[str, tuple[int, ...]] = _NO_SWAPS,
        ignore: int | None = None,
        fuse: bool = True,
    ) -> None:
        """`steps` as the recipe's check has passed them. `swaps`: class, or "" for any, -> which keypoint each becomes
        in a mirror. `ignore`: the dataset's own value of class masks for no class."""
        self._nodes = [_node(step, fuse) for step in steps]
        outside = next((value for value in (options.ignore, ignore) if value is not None), 0)
        self._rules = own.Rules(options, swaps, outside, options.hard)
        self._levels = Levels(np.zeros((1, 1), np.uint8))  # of the picture that was here last
        self._patches = Patches(self._levels.planes[0])
        self.draws = any(_draws(step) for step in steps)
        self._drafted: dict[tuple[int, int], int] = {}

    def __call__(
        self, picture: Picture, at: At, partners: Partners = _ALONE, drafts: Drafts | None = None
    ) -> tuple[Picture, list[Applied], tuple[Dropped, ...]]:
        """The new picture, what was really applied, in order, and the objects lost. `at` gives the generators for a
        step's stream. `drafts`: have the pixels, for which those of the picture only stand in.

        Raises ImageError where a transform cannot work on this picture.
        """
        if picture.pixels is not self._levels.planes[0]:
            self._levels = drafts or Levels(picture.pixels)
            self._patches = DraftedPatches(drafts) if drafts else Patches(picture.pixels)
        way = _Way(picture, at, self._rules, partners, self._levels, self._patches)
        for index, node in enumerate(self._nodes):
            node.run(way, str(index), False)
        way.land()
        return way.picture, way.applied, tuple(way.dropped)

    def drafted(self, width: int, height: int, most: int) -> int:
        """The level, up to `most`, of a draft that is likely to be enough for all copies of a picture of this size. It
        depends on nothing else, so that a copy does not either; which are not satisfied have the whole picture."""
        if (width, height) not in self._drafted:
            if len(self._drafted) >= _MOST_SIZES:
                self._drafted.clear()
            picture = Picture(np.broadcast_to(np.zeros(1, np.uint8), (height, width, 3)))
            self._drafted[width, height] = min(self._level(picture, number) for number in range(_TRIES))
        return min(most, self._drafted[width, height])

    def _level(self, picture: Picture, number: int) -> int:
        rng = Rng()
        way = _Dry(picture, lambda step: rng.at(0, "", number, step), self._rules)
        try:
            with suppress(_Looked, ImageError):
                for index, node in enumerate(self._nodes):
                    node.run(way, str(index), False)
        except Exception:  # which will be told where the picture is made, if it comes again there
            return 0
        course = way.course
        return level_of(paces_of(course.back, course.matrix.width, course.matrix.height)) if course.moved else 0


def foreign(steps: Sequence[Step], fuse: bool) -> bool:
    """Whether Albumentations is needed for any of them, for 8-bit pictures at least."""

    def one(step: Step) -> bool:
        if step.name in _GROUP_P:
            return foreign(step.steps, fuse)
        if target := TRANSFORMS[step.name].own:
            return issubclass(own.load(step.name), own.Policy) or "augmix" in target
        return not fuse or not (geometry(step.name, step.args) or light(step.name, step.args))

    return any(map(one, steps))


def _labelled(picture: Picture, carrier: Carrier, negated: Mapping[str, str]) -> tuple[Picture, tuple[Dropped, ...]]:
    """The picture at its end, with what became of its labels."""
    instances = picture.instances
    annotations, dropped, renumbering = carrier.finish(None if instances is None else instances.values)
    if carrier.mirrored and not negated.keys().isdisjoint(annotations.values):
        annotations = _negated(annotations, negated)
    if instances is not None and renumbering:
        instances = renumbered(instances, renumbering)
    return replace(picture, annotations=annotations, instances=instances), dropped


def _negated(annotations: Annotations, names: Mapping[str, str]) -> Annotations:
    """With the values of these columns negated: numbers, and texts that are numbers."""
    values = {name: _minus(value) if name in names else value for name, value in annotations.values.items()}
    return replace(annotations, values=values)


def _minus(value: Json) -> Json:
    if isinstance(value, str):
        text = value.strip()
        try:
            number = float(text)
        except ValueError:
            return value
        return value if not number or math.isnan(number) else text[1:] if text[0] == "-" else "-" + text.lstrip("+")
    return -value if value and isinstance(value, (int, float)) and not isinstance(value, bool) else value


def _draws(step: Step) -> bool:
    """Not a transform that comes for certain and has nothing to draw, such as a flip with p: 1."""
    return step.p != 1 or step.name not in _FIXED


class _Way:
    """One picture on its way through the steps."""

    def __init__(
        self, picture: Picture, at: At, rules: own.Rules, partners: Partners, levels: Levels, patches: Patches
    ) -> None:
        """`levels`, `patches`: of the picture as it comes, for all its copies."""
        self.at, self.rules, self.partners, self.levels, self.patches = at, rules, partners, levels, patches
        self.applied: list[Applied] = []
        self.dropped: list[Dropped] = []
        self.grain: tuple[NDArray[Any] | None, Grain] = None, "sharp"  # of these pixels, which a course has made
        self.take(picture)

    @property
    def picture(self) -> Picture:
        """As it is now: what waits is done first."""
        course = self.course
        if course.waits:
            levels = self.levels
            if self._picture.pixels is not levels.planes[0]:
                made, grain = self.grain
                levels = Levels(self._picture.pixels, grain if self._picture.pixels is made else "sharp")
            try:
                self.picture = course.picture(self._picture, self.rules.outside, levels)
            except (cv2.error, MemoryError) as error:
                size = course.matrix.width, course.matrix.height
                raise failed(", ".join(course.names), size, error) from error
            self.grain = self._picture.pixels, course.grain
            if self.carrier is not None and course.moved:
                course.carry(self.carrier)
        elif self.levels.drafted and self._picture.pixels is self.levels.planes[0]:
            self.picture = replace(self._picture, pixels=self.levels.whole.planes[0])
        return self._picture

    @picture.setter
    def picture(self, picture: Picture) -> None:
        self._picture = picture
        patches = self.patches if picture.pixels is self.levels.planes[0] else Patches(picture.pixels)
        self.course = Course.of(picture.width, picture.height, patches)

    def take(self, picture: Picture) -> None:
        """Goes on with a picture whose labels are whole."""
        self.picture = picture
        self.carrier: Carrier | None = None
        known, options = picture.annotations, self.rules.options
        if known.objects or picture.mask or picture.instances or not options.values.keys().isdisjoint(known.values):
            instances = None if picture.instances is None else picture.instances.values
            self.carrier = Carrier(known, picture.width, picture.height, options, self.rules.swaps, instances)

    def land(self) -> None:
        """Makes the labels whole again: those of the picture as it is now."""
        picture = self.picture
        if self.carrier is not None and self.carrier.moved:
            picture, dropped = _labelled(picture, self.carrier, self.rules.options.values)
            self.dropped += dropped
            self.take(picture)

    def apply(self, transform: Classical | own.Still, rng: Rng) -> None:
        carrier, before = self.carrier, self.picture
        if carrier is not None and transform.wants_boxes:
            params = transform.draw(before, rng, carrier.boxes())
        else:
            params = transform.draw(before, rng)
        self.applied.append(Applied(transform.name, parameters(params)))
        self.change(transform, params)

    def change(self, transform: Classical | own.Still, params: Mapping[str, Any]) -> None:
        """Does at once what was drawn."""
        before = self.picture
        self.picture = transform.apply(before, params)
        if self.carrier is not None:
            self.carry(self.carrier, transform, params, before)

    def move(self, step: Geometry, rng: Rng, otherwise: Callable[[], Classical]) -> None:
        """Draws where pixels go. They do when something has to look at them. `otherwise`: does what no matrix can."""
        width, height = self.course.matrix.width, self.course.matrix.height
        params = step.draw(width, height, rng)
        self.applied.append(Applied(step.name, parameters(params)))
        warp = step.warp(params, width, height)
        if warp is not None and abs(warp.determinant) < FLAT:
            self.change(otherwise(), params)
        elif warp is not None:
            border = border_of(step, params, self._picture)
            joins = step.name, warp, border, getattr(step.settings, "interpolation", cv2.INTER_LINEAR)
            course = self.course.joined(*joins) or self.settled().joined(*joins)
            assert course is not None  # a fresh one takes any
            self.course = course

    def settled(self) -> Course:
        """Where the picture is, when what waits is done."""
        return Course.of(self.picture.width, self.picture.height, self.course.patches)

    def suits(self, step: Light) -> bool:
        pixels = self._picture.pixels
        return pixels.dtype == np.uint8 and step.suits(1 if pixels.ndim == 2 else 3)

    def tone(self, step: Light, rng: Rng) -> None:
        """Draws what becomes of colours: see `move`. `step` suits the picture."""
        canvas, channels = self.course.matrix, 1 if self._picture.pixels.ndim == 2 else 3
        params = step.draw(canvas.width, canvas.height, channels, rng)
        self.applied.append(Applied(step.name, parameters(params)))
        self.course = self.course.toned(step.stages(params, channels))

    def mix(self, transform: own.Mix, path: str) -> None:
        """Left out where there is nothing to mix with. Who is chosen is drawn from a stream of its own: a replay knows
        it already."""
        self.land()
        need = transform.need()
        if self.rules.hard and not transform.keeps_half and self.picture.annotations.labels:
            need = replace(need, kind="same")  # the class of the picture holds for the mix
        found = self.partners.pick(transform.name, need, self.picture, self.at(path + " partners"))
        if len(found) < need.count:
            if need.kind == "folder":
                raise ImageError("no-background", f"no picture in {need.folder} can be opened", "transform")
            return
        rng = self.at(path)
        others = [_alike(other, self.picture) for _, other in found]
        params = transform.draw(self.picture, others, rng, self.rules)
        mixed, dropped = transform.apply(self.picture, others, params, self.rules)
        mixed = _counted(self.picture, mixed)
        self.dropped += dropped
        names = {"files" if need.kind == "folder" else "partners": [source for source, _ in found]}
        self.applied.append(Applied(transform.name, {**names, **parameters(params)}))
        self.take(mixed)

    def carry(
        self, carrier: Carrier, transform: Classical | own.Still, params: Mapping[str, Any], before: Picture
    ) -> None:
        """Labels and masks go where the pixels went. An object is one thing: a border that repeats the picture repeats
        classes, but no object."""
        mask, instances = before.mask, before.instances
        if isinstance(transform, Classical) and (warp := transform.warp(before, params)) is not None:
            carrier.move(warp, lambda plane: transform.plane(plane, params, 0, reflects=False))
            if mask is not None:
                fill = transform.outside(mask.values, params)
                values = transform.plane(mask.values, params, self.rules.outside if fill is None else fill)
                mask = Mask(values, mask.palette)
            if instances is not None:
                instances = Mask(transform.plane(instances.values, params, 0, reflects=False), instances.palette)
        elif mask is not None and not transform.moves:
            mask = Mask(transform.erased(mask.values, params), mask.palette)
        self.picture = replace(self.picture, mask=mask, instances=instances)


class _Looked(Exception):
    """Something wants to see pixels."""


class _Dry(_Way):
    """A picture without pixels, until somebody looks."""

    def __init__(self, picture: Picture, at: At, rules: own.Rules) -> None:
        levels = Levels(picture.pixels)
        super().__init__(picture, at, rules, _ALONE, levels, _Even(picture.pixels))

    @property
    def picture(self) -> Picture:
        raise _Looked

    @picture.setter
    def picture(self, picture: Picture) -> None:
        _Way.picture.fset(self, picture)  # type: ignore[attr-defined]


class _Even(Patches):
    """Of a picture that has no detail."""

    def alike(self, tones: Tones, pace: float) -> bool:
        return True


def _counted(before: Picture, mixed: Picture) -> Picture:
    """Where instances counted the objects from 1, as in Pascal VOC, they do so again, whatever a mix has dropped."""
    had = [thing.index for thing in before.annotations.objects if thing.index is not None]
    instances = mixed.instances
    if not had or had != list(range(1, len(had) + 1)) or instances is None or instances.values.ndim > 2:
        return mixed
    there = np.flatnonzero(np.bincount(instances.values.reshape(-1))).tolist()
    void = np.iinfo(instances.values.dtype).max
    numbers = dict.fromkeys((number for number in there if number not in (0, void)), -1)
    things = sorted(mixed.annotations.objects, key=lambda thing: thing.index is None)  # number k is the k-th object
    numbers |= {thing.index: k for k, thing in enumerate(things, 1) if thing.index is not None}
    objects = numbered(things, numbers)
    known = replace(mixed.annotations, objects=objects)
    return replace(mixed, annotations=known, instances=renumbered(instances, numbers) if numbers else instances)


def _alike(other: Picture, picture: Picture) -> Picture:
    """Another picture with the channels and the depth of this one, and no alpha if it has none."""
    alpha = other.alpha if picture.alpha is not None else None
    pixels: NDArray[Any] = other.pixels
    if pixels.ndim > picture.pixels.ndim:
        pixels = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    elif pixels.ndim < picture.pixels.ndim:
        pixels = cv2.cvtColor(pixels, cv2.COLOR_GRAY2RGB)
    if pixels is other.pixels and alpha is other.alpha and pixels.dtype == picture.pixels.dtype:
        return other
    return replace(other, pixels=_deep_as(pixels, picture), alpha=None if alpha is None else _deep_as(alpha, picture))


def _deep_as(plane: NDArray[Any], picture: Picture) -> NDArray[Any]:
    if plane.dtype == picture.pixels.dtype:
        return plane
    if plane.dtype == np.uint8:
        return plane.astype(np.uint16) * 257
    return ((plane.astype(np.uint32) + 128) // 257).astype(np.uint8)


class _Leaf:
    def __init__(self, step: Step, fuse: bool) -> None:
        self.transform: Any
        if TRANSFORMS[step.name].own:
            self.transform = own.make(step.name, step.args)
        else:
            drawn = (geometry(step.name, step.args) or light(step.name, step.args)) if fuse else None
            self.transform = drawn or _classical(step)
        self.p = self.transform.p if isinstance(self.transform, Classical) else _chance(step)
        self.classical = cache(lambda: _classical(step))

    def run(self, way: _Way, path: str, certain: bool) -> None:
        rng = way.at(path)
        if rng.python.random() < self.p or certain:
            if isinstance(self.transform, own.Mix):
                way.mix(self.transform, path)
            elif isinstance(self.transform, Geometry):
                way.move(self.transform, rng, self.classical)
            elif isinstance(self.transform, Light):
                if way.suits(self.transform):
                    way.tone(self.transform, rng)
                else:
                    way.apply(self.classical(), rng)
            else:
                way.apply(self.transform, rng)


class _Policy:
    """Chooses steps for each picture. What it builds for one it keeps for the next."""

    def __init__(self, step: Step, fuse: bool) -> None:
        self.fuse = fuse
        self.policy: own.Policy = own.make(step.name, step.args)
        self.p = _chance(step)
        self.built: dict[str, _Node] = {}

    def run(self, way: _Way, path: str, certain: bool) -> None:
        rng = way.at(path)
        if rng.python.random() >= self.p and not certain:
            return
        chosen, steps = self.policy.choose(rng, way.carrier is not None)
        way.applied.append(Applied(self.policy.name, chosen))
        for index, step in enumerate(steps):
            self.node(step).run(way, f"{path}.{index}", True)

    def node(self, step: Step) -> _Node:
        key = f"{step.name} {json.dumps(dict(step.args), sort_keys=True)}"
        if key not in self.built:
            if len(self.built) >= _MOST_BUILT:
                self.built.clear()
            self.built[key] = _node(step, self.fuse)
        return self.built[key]


def _chance(step: Step) -> float:
    if step.p is not None:
        return step.p
    return own.load(step.name).chance if TRANSFORMS[step.name].own else chance(step.name)


def border_of(step: Geometry, params: Mapping[str, Any], picture: Picture) -> Border:
    """What a step sees outside of the picture."""
    settings = step.settings
    fill = params.get("fill", getattr(settings, "fill", 0))
    classes = params.get("fill_mask", getattr(settings, "fill_mask", None))
    if picture.mask is not None and classes is not None:
        classes = mask_class(classes, picture.mask.values)
    return Border(getattr(settings, "border_mode", 0), luma(fill) if picture.pixels.ndim == 2 else fill, classes)


def _classical(step: Step) -> Classical:
    return Classical(step.name, step.args, step.p)


class _Group:
    def __init__(self, step: Step, fuse: bool) -> None:
        self.name = step.name
        self.p = _GROUP_P[step.name] if step.p is None else step.p
        self.members = [_node(member, fuse) for member in step.steps]
        self.replace = bool(step.args.get("replace", False))
        self.n = int(step.args.get("n", 1)) if self.replace else min(int(step.args.get("n", 1)), len(self.members))
        self.weights = list(accumulate(member.p for member in self.members))

    def run(self, way: _Way, path: str, certain: bool) -> None:
        rng = way.at(path)
        if (rng.python.random() >= self.p and not certain) or not self.members:
            return
        turns: dict[int, int] = {}
        for index in self.chosen(rng):  # all of them drawn before a member moves the generators elsewhere
            turn = turns[index] = turns.get(index, -1) + 1
            name = f"{path}.{index}~{turn}" if turn else f"{path}.{index}"
            self.members[index].run(way, name, self.name == "OneOf")

    def chosen(self, rng: Rng) -> Sequence[int]:
        everyone = range(len(self.members))
        if self.name in ("Sequential", "inside"):
            return everyone
        if self.name == "OneOf":
            total = self.weights[-1]
            return [bisect_right(self.weights, rng.python.random() * total, hi=len(everyone) - 1)] if total else []
        draw = rng.python.choices if self.replace else rng.python.sample
        return sorted(draw(everyone, k=self.n))


class _Inside(_Group):
    """Its members run on the whole picture, and then what is not inside is put back."""

    def __init__(self, step: Step, fuse: bool) -> None:
        super().__init__(step, fuse)
        self.where = own.make(step.name, step.args)

    def run(self, way: _Way, path: str, certain: bool) -> None:
        from augx.transforms.own.inside import blend, region

        way.land()
        before, applied = way.picture, len(way.applied)
        super().run(way, path, certain)
        if len(way.applied) > applied:
            share, mask = region(before, self.where), way.picture.mask
            if mask is not None and before.mask is not None and mask is not before.mask:
                values = before.mask.values.copy()
                values[share >= 0.5] = mask.values[share >= 0.5]
                mask = replace(mask, values=values)
            pixels = blend(before.pixels, way.picture.pixels, share)
            way.picture = replace(way.picture, pixels=pixels, mask=mask)


_Node = _Leaf | _Group | _Policy


def _node(step: Step, fuse: bool) -> _Node:
    if step.name in _GROUP_P:
        return _Inside(step, fuse) if step.name == "inside" else _Group(step, fuse)
    target = TRANSFORMS[step.name].own
    return _Policy(step, fuse) if target and issubclass(own.load(step.name), own.Policy) else _Leaf(step, fuse)


def parameters(drawn: Mapping[str, Any]) -> dict[str, Json]:
    """What the manifest records of drawn params: plain JSON without what every transform carries, or what is None.

    Arrays and lists of more than 64 numbers become their shape, dtype and a digest that tells them apart.
    NaN and infinities are null. What JSON cannot say (generators, functions) is left out.
    """
    found: dict[str, Json] = {}
    for key, value in drawn.items():
        if key not in _BOILERPLATE and value is not None and (plain := _plain(value)) is not _NOTHING:
            found[key] = plain
    return found


_NOTHING = object()


def _plain(value: Any) -> Json:
    kind = type(value)  # most are one of these, and there are many
    if kind is float:
        return value if math.isfinite(value) else None
    if kind is int or kind is str or kind is bool:
        return value
    if isinstance(value, np.ndarray):
        if value.size > _MOST_NUMBERS:
            return _digest(value)
        listed = value.tolist()
        finite = value.dtype.kind in "iub" or np.count_nonzero(np.isfinite(value)) == value.size
        return listed if finite else _plain(listed)
    if isinstance(value, np.generic):
        return _plain(value.item())
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, Mapping):
        pairs = ((str(key), _plain(one)) for key, one in value.items())
        return {key: one for key, one in pairs if one is not _NOTHING}
    if isinstance(value, (list, tuple)):
        plain = [one for one in map(_plain, value) if one is not _NOTHING]
        if _count(plain) <= _MOST_NUMBERS:
            return plain
        digest = hashlib.blake2b(json.dumps(plain, sort_keys=True).encode(), digest_size=8).hexdigest()
        return {"shape": [len(plain)], "dtype": "list", "blake2b": digest}
    return _NOTHING


def _count(value: Json) -> int:
    if isinstance(value, dict):
        value = list(value.values())
    return sum(map(_count, value)) if isinstance(value, list) else 1


def _digest(array: np.ndarray[Any, Any]) -> dict[str, Json]:
    """Of at most 4096 numbers spread evenly: all of a noise map would cost a third of the time its transform takes."""
    spread = array.reshape(-1)[:: -(-array.size // 4096)]
    little = np.ascontiguousarray(spread, array.dtype.newbyteorder("<"))
    digest = hashlib.blake2b(little.data, digest_size=8).hexdigest()
    return {"shape": list(array.shape), "dtype": str(array.dtype), "blake2b": digest}
