"""Policies: which ops, how strong, by the published rules or by a file."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

from augx.model import Json, Step
from augx.seeds import Rng
from augx.transforms.catalog import TRANSFORMS, Entry, suggest
from augx.transforms.own.base import Policy, arg, choice, load, needed, number, whole
from augx.transforms.own.policy_tables import (
    AUTOAUGMENT,
    AUTOAUGMENT_SMALL,
    FULL,
    LEVELS,
    POLICIES,
    RANDAUGMENT,
    STANDARD,
    STRENGTHS,
    WIDE,
    Space,
    step,
)

Chosen = tuple[dict[str, Json], Sequence[Step]]
_MOST = 30.0  # the largest magnitude: three times the papers' range
_LEVEL = {"type": "number", "minimum": 0, "maximum": 255}
_COLOUR = {"type": "array", "prefixItems": [_LEVEL] * 3, "minItems": 3, "maxItems": 3}


def _grey() -> Any:
    """What comes in from outside: a level or a colour, 0..255."""
    return arg(128, anyOf=[_LEVEL, _COLOUR])


class _Choice:
    """The ops chosen so far, as the manifest records them and as steps."""

    def __init__(self, space: Space, fill: Json) -> None:
        self._space, self._fill = space, fill
        self.ops: list[Json] = []
        self.steps: list[Step] = []

    def add(self, op: str, magnitude: float, full: float, rng: Rng) -> None:
        """`magnitude` on a scale from 0 to `full`. Draws the sign where the op has one."""
        scale = self._space[op]
        value = 0.0 if scale is None else scale.at(magnitude / full)
        if scale is not None and scale.signed and rng.python.random() < 0.5:
            value = -value
        self.ops.append([op] if scale is None else [op, magnitude, value])
        if (found := step(op, value, self._fill, pixels=self._space is WIDE)) is not None:
            self.steps.append(found)


@dataclass(frozen=True)
class RandAugment(Policy):
    """n of 14 ops, one like the other, each drawn evenly and with magnitude m (Cubuk, Zoph, Shlens, Le 2019,
    arXiv 1909.13719).

    m counts as in the paper: 0 is the beginning and 10 the end of AutoAugment's ranges, and beyond 10, where the paper
    goes for its largest nets, the same straight line goes on. n 2, m 9 are the paper's for ImageNet and ResNet-50.
    Other tools count to 30 or 31 for the same end: theirs 9 is about 3 here.
    """

    name: ClassVar[str] = "randaugment"
    n: int = whole(2, 1, 14)
    m: float = number(9, 0, _MOST)
    fill: Json = _grey()

    def choose(self, rng: Rng, labelled: bool) -> Chosen:
        chosen = _Choice(STANDARD, self.fill)
        for op in rng.python.choices(RANDAUGMENT, k=self.n):
            chosen.add(op, self.m, FULL, rng)
        return {"ops": chosen.ops}, chosen.steps


@dataclass(frozen=True)
class TrivialAugment(Policy):
    """One of 14 ops, drawn evenly, with one of 31 strengths, 0 to 30, drawn evenly (Mueller, Hutter 2021,
    arXiv 2103.10158, "TrivialAugment: Tuning-free Yet State-of-the-Art Data Augmentation").

    `space`: the paper's wide ranges, or those of RandAugment. The wide ones shift by up to 32 pixels, whatever the
    size of the picture: all of a picture of 32 x 32.
    """

    name: ClassVar[str] = "trivialaugment"
    space: str = choice("wide", "wide", "randaugment")
    fill: Json = _grey()

    def choose(self, rng: Rng, labelled: bool) -> Chosen:
        chosen = _Choice(WIDE if self.space == "wide" else STANDARD, self.fill)
        (op,), (strength,) = rng.python.choices(RANDAUGMENT), rng.python.choices(range(STRENGTHS))
        chosen.add(op, strength, STRENGTHS - 1, rng)
        return {"ops": chosen.ops}, chosen.steps


@dataclass(frozen=True)
class AutoAugment(Policy):
    """One of 25 sub-policies, drawn evenly; its two ops in order, each with its own probability (Cubuk, Zoph, Mane,
    Vasudevan, Le 2018, arXiv 1805.09501).

    `table`: what the policy was found for.
    """

    name: ClassVar[str] = "autoaugment"
    table: str = choice("imagenet", "imagenet", "cifar10", "svhn")
    fill: Json = _grey()

    def choose(self, rng: Rng, labelled: bool) -> Chosen:
        chosen = _Choice(AUTOAUGMENT if self.table == "imagenet" else AUTOAUGMENT_SMALL, self.fill)
        (index,) = rng.python.choices(range(len(POLICIES[self.table])))
        for op, p, magnitude in POLICIES[self.table][index]:
            if rng.python.random() < p:
                chosen.add(op, magnitude, LEVELS - 1, rng)
        return {"policy": index, "ops": chosen.ops}, chosen.steps


@dataclass(frozen=True, slots=True)
class _Line:
    """One op of a sub-policy: of the tables, with its magnitude, or a step."""

    op: str
    p: float
    m: float = 0.0
    step: Step | None = None


@dataclass(frozen=True)
class FilePolicy(Policy):
    """A policy written by hand or by a search: one of `policies`, drawn evenly, and its ops in order, each with its p.

    As a file:

        version: 1
        policies:
          - [{Rotate: {p: 0.7, m: 4}}, {Equalize: {p: 0.8}}]
          - [{Affine: {scale: [0.8, 1.2], p: 0.5}}, Invert]

    An op is one of AutoAugment's by its name, with p (default 1) and, but for Identity, AutoContrast, Equalize and
    Invert, which have none, the magnitude m as `randaugment` counts it: 10 is the end of the paper's range. Or it is
    any transform of a recipe with its arguments and p; a name that means both (Rotate, Solarize ...) is the op where
    there are no arguments but p and m. Groups, mixes and other policies cannot be ops.
    """

    name: ClassVar[str] = "policy"
    policies: list[Json] = needed(
        type="array", minItems=1, items={"type": "array", "items": {"anyOf": [{"type": "object"}, {"type": "string"}]}}
    )
    fill: Json = _grey()

    def __post_init__(self) -> None:
        assert self._lines  # read now, so that what is wrong is said now

    @cached_property
    def _lines(self) -> tuple[tuple[_Line, ...], ...]:
        if not isinstance(self.policies, list) or not self.policies:
            raise ValueError("policies must be a list of lists of ops, and not empty")
        return tuple(
            tuple(_read(op, f"policies[{i}][{j}]") for j, op in enumerate(_list(ops, f"policies[{i}]")))
            for i, ops in enumerate(self.policies)
        )

    def choose(self, rng: Rng, labelled: bool) -> Chosen:
        chosen = _Choice(AUTOAUGMENT, self.fill)
        (index,) = rng.python.choices(range(len(self._lines)))
        for line in self._lines[index]:
            if rng.python.random() >= line.p:
                continue
            if line.step is None:
                chosen.add(line.op, line.m, FULL, rng)
            else:
                chosen.ops.append([line.op])
                chosen.steps.append(line.step)
        return {"policy": index, "ops": chosen.ops}, chosen.steps


def _list(ops: Json, place: str) -> list[Json]:
    if not isinstance(ops, list):
        raise ValueError(f"{place}: expected a list of ops like [{{Rotate: {{p: 0.7, m: 4}}}}, Equalize]")
    return ops


def _read(op: Json, place: str) -> _Line:
    """One op as the file has it. Raises ValueError."""
    if isinstance(op, str):
        op = {op: None}
    if not isinstance(op, dict) or len(op) != 1:
        raise ValueError(f"{place}: expected one op like {{Rotate: {{p: 0.7, m: 4}}}}")
    ((name, given),) = op.items()
    if given is not None and not isinstance(given, dict):
        raise ValueError(f"{place}: the arguments of {name} must be a mapping like {{p: 0.7, m: 4}}")
    args = dict(given or {})
    p = _number(args.pop("p", 1), f"{place}: p of {name}", 1)
    if name not in AUTOAUGMENT or not args.keys() <= {"m"}:
        return _Line(name, p, step=_step(str(name), args, place))
    if AUTOAUGMENT[name] is None and "m" in args:
        raise ValueError(f"{place}: {name} has no magnitude; leave out m")
    if AUTOAUGMENT[name] is not None and "m" not in args:
        raise ValueError(f"{place}: {name} needs its magnitude m, from 0 to 10 (the end of the paper's range)")
    return _Line(name, p, _number(args.get("m", 0), f"{place}: m of {name}", _MOST))


def _number(value: Json, what: str, most: float) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= most:
        raise ValueError(f"{what} must be a number from 0 to {most:g}, got {value!r}")
    return value


def _step(name: str, args: Mapping[str, Json], place: str) -> Step:
    from augx.transforms.problems import check  # which imports Albumentations

    entry = TRANSFORMS.get(name)
    if entry is None:
        meant = next(iter(difflib.get_close_matches(name, AUTOAUGMENT, 1, 0.7)), suggest(name))
        raise ValueError(f"{place}: unknown op '{name}'" + (f"; did you mean '{meant}'?" if meant else ""))
    if entry.refused:
        raise ValueError(f"{place}: {name} cannot be used: {entry.refused}")
    if kind := _no_op(entry):
        raise ValueError(f"{place}: {name} is {kind} and cannot be an op; make it a step of the recipe")
    for problem in check(name, args):
        where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in problem.path)
        hint = f"; {problem.suggestion}" if problem.suggestion else ""
        raise ValueError(f"{place}: {name}{where}: {problem.message}{hint}")
    return Step(name, args)


def _no_op(entry: Entry) -> str:
    """Why a transform cannot be an op of a policy; "" if it can."""
    if entry.members:
        return "a group"
    if entry.partners:
        return "a mix"
    return "a policy" if entry.own and issubclass(load(entry.name), Policy) else ""
