"""A recipe's steps with where they stand in its file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from augx.errors import Problem
from augx.model import Step
from augx.recipe import Recipe
from augx.rules import RULES
from augx.transforms.catalog import TRANSFORMS
from augx.transforms.own import base as own
from augx.transforms.settings import chance
from augx.yamlfile import Node

_NOWHERE = Node(0, 0, None)
_GROUP_P = {"OneOf": 0.5, "SomeOf": 1.0, "Sequential": 0.5}  # those of Albumentations 2.0.8


@dataclass(frozen=True, slots=True)
class Placed:
    """A step. `name`, `body`: where its name and arguments stand; of a group, where those of its first member do."""

    step: Step
    name: Node
    body: Node
    members: tuple[Placed, ...]

    @property
    def chance(self) -> float:
        """How often it acts, as a share."""
        if self.step.p is not None:
            return self.step.p
        if self.step.name in _GROUP_P:
            return _GROUP_P[self.step.name]
        known = TRANSFORMS[self.step.name]
        return float(own.defaults(known.name)["p"]) if known.own else chance(known.name)

    def argument(self, key: str) -> Node:
        """Where the value of an argument stands; its name, where the recipe gives none."""
        given = self.body.value.get(key) if isinstance(self.body.value, dict) else None
        return given[1] if given else self.name


def lists(recipe: Recipe) -> Iterator[tuple[str, tuple[Placed, ...]]]:
    """Every list of steps, with the name of the group that holds it or "": the recipe's, those of its overrides, and
    of all groups in them."""
    marks = iter(recipe.marks)
    for steps in (recipe.steps, *(one.steps or () for one in recipe.overrides)):
        placed = _placed(steps, marks)
        yield "", placed
        yield from _inner(placed)


def everything(recipe: Recipe) -> Iterator[Placed]:
    """Every step, groups too."""
    for _, steps in lists(recipe):
        yield from steps


def at(root: Node | None, *path: str | int) -> Node:
    """Where the value stands that `path` leads to, as far as it does; for a key that of the key."""
    node = root or _NOWHERE
    for number, part in enumerate(path, 1):
        if isinstance(node.value, dict) and isinstance(part, str) and part in node.value:
            key, value = node.value[part]
            node = key if number == len(path) else value
        elif isinstance(node.value, list) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
    return node


def joined(names: Sequence[str]) -> str:
    """`a, b and c`"""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def problem(file: str, code: str, at: Node, message: str, way_out: str = "") -> Problem:
    """A finding of a rule, at its level; `way_out`: the rule's own where there is no better one."""
    rule = RULES[code]
    return Problem(file, at.line, at.column, message, way_out or rule.way_out, rule.level, code)


def _placed(steps: Sequence[Step], marks: Iterator[tuple[Node, Node]]) -> tuple[Placed, ...]:
    found = []
    for step in steps:
        marked = not step.steps or TRANSFORMS[step.name].own  # as `steps.leaves` has them
        name, body = next(marks, (_NOWHERE, _NOWHERE)) if marked else (_NOWHERE, _NOWHERE)
        members = _placed(step.steps, marks)
        if not marked:
            name, body = members[0].name, members[0].body
        found.append(Placed(step, name, body, members))
    return tuple(found)


def _inner(steps: Sequence[Placed]) -> Iterator[tuple[str, tuple[Placed, ...]]]:
    for one in steps:
        if one.members:
            yield one.step.name, one.members
            yield from _inner(one.members)
