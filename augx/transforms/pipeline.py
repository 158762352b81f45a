"""A recipe's steps at work on one picture with its labels, and what the manifest records of them."""

from __future__ import annotations

import hashlib
import json
import math
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import accumulate
from typing import Any

import numpy as np

from augx.labels import Carrier
from augx.model import Annotations, Applied, Dropped, Json, LabelOptions, Mask, Picture, Step
from augx.seeds import Rng
from augx.transforms.classical import Classical

At = Callable[[str], Rng]

_GROUP_P = {"OneOf": 0.5, "SomeOf": 1.0, "Sequential": 0.5}  # the defaults of Albumentations 2.0.8
_BOILERPLATE = frozenset(
    ("shape", "rows", "cols", "interpolation", "mask_interpolation", "fill", "fill_mask", "border_mode", "bbox_shift")
)
_MOST_NUMBERS = 64  # of an array or list that the manifest holds in full
_OPTIONS = LabelOptions()
_NO_SWAPS: Mapping[str, tuple[int, ...]] = {}


class Pipeline:
    """The steps of a recipe, built once, for any number of pictures.

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
    ) -> None:
        """`steps` as the recipe's check has passed them. `swaps`: class, or "" for any, -> which keypoint each becomes
        in a mirror. `ignore`: the dataset's own value of class masks for no class."""
        self._nodes = [_node(step) for step in steps]
        self._options, self._swaps = options, swaps
        self._outside = next((value for value in (options.ignore, ignore) if value is not None), 0)

    def __call__(self, picture: Picture, at: At) -> tuple[Picture, list[Applied], tuple[Dropped, ...]]:
        """The new picture, what was really applied, in order, and the objects lost. `at` gives the generators for a
        step's stream.

        Raises ImageError where a transform cannot work on this picture.
        """
        way = _Way(picture, at, self._outside)
        known, negated = picture.annotations, self._options.values
        if known.objects or picture.mask or picture.instances or not negated.keys().isdisjoint(known.values):
            instances = None if picture.instances is None else picture.instances.values
            size = picture.width, picture.height
            way.carrier = Carrier(known, *size, self._options, self._swaps, instances)
        for index, node in enumerate(self._nodes):
            node.run(way, str(index), False)
        if way.carrier is None:
            return way.picture, way.applied, ()
        return _labelled(way.picture, way.applied, way.carrier, negated)


def _labelled(
    picture: Picture, applied: list[Applied], carrier: Carrier, negated: Mapping[str, str]
) -> tuple[Picture, list[Applied], tuple[Dropped, ...]]:
    """The picture at its end, with what became of its labels."""
    instances = picture.instances
    annotations, dropped, renumbered = carrier.finish(None if instances is None else instances.values)
    if carrier.mirrored and not negated.keys().isdisjoint(annotations.values):
        annotations = _negated(annotations, negated)
    if instances is not None and any(old != new for old, new in renumbered.items()):
        numbers = np.arange(int(instances.values.max(initial=0)) + 1, dtype=instances.values.dtype)
        for old, new in renumbered.items():
            if 0 <= old < len(numbers):
                numbers[old] = max(new, 0)
        instances = replace(instances, values=numbers[instances.values])
    return replace(picture, annotations=annotations, instances=instances), applied, dropped


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


class _Way:
    """One picture on its way through the steps."""

    def __init__(self, picture: Picture, at: At, outside: int) -> None:
        self.picture, self.at, self.outside = picture, at, outside
        self.applied: list[Applied] = []
        self.carrier: Carrier | None = None

    def apply(self, transform: Classical, rng: Rng) -> None:
        carrier, before = self.carrier, self.picture
        if carrier is not None and transform.wants_boxes:
            params = transform.draw(before, rng, carrier.boxes())
        else:
            params = transform.draw(before, rng)
        self.picture = transform.apply(before, params)
        self.applied.append(Applied(transform.name, parameters(params)))
        if carrier is not None:
            self.carry(carrier, transform, params, before)

    def carry(self, carrier: Carrier, transform: Classical, params: Mapping[str, Any], before: Picture) -> None:
        """Labels and masks go where the pixels went. An object is one thing: a border that repeats the picture repeats
        classes, but no object."""
        mask, instances = before.mask, before.instances
        if (warp := transform.warp(before, params)) is not None:
            carrier.move(warp, lambda plane: transform.plane(plane, params, 0, reflects=False))
            if mask is not None:
                fill = transform.outside(mask.values, params)
                values = transform.plane(mask.values, params, self.outside if fill is None else fill)
                mask = Mask(values, mask.palette)
            if instances is not None:
                instances = Mask(transform.plane(instances.values, params, 0, reflects=False), instances.palette)
        elif mask is not None and not transform.moves:
            mask = Mask(transform.erased(mask.values, params), mask.palette)
        self.picture = replace(self.picture, mask=mask, instances=instances)


class _Leaf:
    def __init__(self, step: Step) -> None:
        self.transform = Classical(step.name, step.args, step.p)
        self.p = self.transform.p

    def run(self, way: _Way, path: str, certain: bool) -> None:
        rng = way.at(path)
        if rng.python.random() < self.p or certain:
            way.apply(self.transform, rng)


class _Group:
    def __init__(self, step: Step) -> None:
        self.name = step.name
        self.p = _GROUP_P[step.name] if step.p is None else step.p
        self.members = [_node(member) for member in step.steps]
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
        if self.name == "Sequential":
            return everyone
        if self.name == "OneOf":
            total = self.weights[-1]
            return [bisect_right(self.weights, rng.python.random() * total, hi=len(everyone) - 1)] if total else []
        draw = rng.python.choices if self.replace else rng.python.sample
        return sorted(draw(everyone, k=self.n))


def _node(step: Step) -> _Leaf | _Group:
    return _Group(step) if step.name in _GROUP_P else _Leaf(step)


def parameters(drawn: Mapping[str, Any]) -> dict[str, Json]:
    """What the manifest records of drawn params: plain JSON without what every transform carries, or what is None.

    Arrays and lists of more than 64 numbers become their shape, dtype and a digest that tells them apart.
    NaN and infinities are null. What JSON cannot say (generators, functions) is left out.
    """
    plain = ((key, _plain(value)) for key, value in drawn.items() if key not in _BOILERPLATE and value is not None)
    return {key: value for key, value in plain if value is not _NOTHING}


_NOTHING = object()


def _plain(value: Any) -> Json:
    if isinstance(value, np.ndarray):
        return _digest(value) if value.size > _MOST_NUMBERS else _plain(value.tolist())
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
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
