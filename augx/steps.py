"""The `transforms` of a recipe -> Steps, and what Albumentations says of their arguments."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence

from augx.errors import Problem
from augx.model import Json, Step
from augx.transforms import catalog
from augx.yamlfile import MAX_NODES, Node, Values, is_number, nearest, short


def leaves(steps: Iterable[Step]) -> Iterator[Step]:
    """Every step that is no group, depth first."""
    for step in steps:
        if step.steps:
            yield from leaves(step.steps)
        else:
            yield step


def argument_problems(file: str, leaves: Sequence[Step], marks: Sequence[tuple[Node, Node]]) -> list[Problem]:
    """`marks`: name and arguments of each step as read. The first call imports Albumentations."""
    from augx.transforms.arguments import describe
    from augx.transforms.problems import check

    problems = []
    for step, (name, body) in zip(leaves, marks, strict=True):
        for found in check(step.name, step.args):
            unknown = len(found.path) == 1 and found.path[0] not in describe(step.name)
            place = _place(name, body, found.path, at_key=unknown)
            where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in found.path)
            message = f"{step.name}{where}: {found.message}"
            problems.append(Problem(file, place.line, place.column, message, found.suggestion or ""))
    return problems


def _place(name: Node, body: Node, path: Sequence[str | int], at_key: bool) -> Node:
    """The node `path` leads to from a step's arguments, or the last one on the way. `at_key`: the key before it."""
    place = name
    for part in path:
        if isinstance(body.value, dict) and isinstance(part, str) and part in body.value:
            key, body = body.value[part]
        elif isinstance(body.value, list) and isinstance(part, int) and 0 <= part < len(body.value):
            key = body = body.value[part]
        else:
            break
        place = key if at_key else body
    return place


class Steps(Values):
    """Nodes -> Steps. `leaves` and `marks`: every step that is no group, and where it stands."""

    def __init__(self, file: str, problems: Iterable[Problem] = ()) -> None:
        super().__init__(file, problems)
        self.warnings: list[Problem] = []
        self.leaves: list[Step] = []
        self.marks: list[tuple[Node, Node]] = []
        self.slow: set[str] = set()

    def warn(self, node: Node, message: str, suggestion: str = "") -> None:
        self.warnings.append(Problem(self.file, node.line, node.column, message, suggestion, "warning"))

    def steps(self, node: Node, what: str) -> tuple[Step, ...]:
        if not node.ok:
            return ()
        if not isinstance(node.value, list):
            way_out = f"write [{node.value}]" if str(node.value) in catalog.TRANSFORMS else "for none write []"
            way_out = "put '- ' before each name" if isinstance(node.value, dict) else way_out
            self.error(node, f"{what} must be a list, not {node}", way_out)
            return ()
        return tuple(step for n in node.value if n.ok and (step := self.step(n)) is not None)

    def step(self, node: Node) -> Step | None:
        """One transform or group; None where it cannot be read."""
        name, body = node, Node(node.line, node.column, None)
        if isinstance(node.value, dict):
            if len(node.value) != 1:
                self.several(node, node.value)
                return None
            ((name, body),) = node.value.values()
        if not isinstance(name.value, str):
            self.error(node, f"a step must name a transform, not {node}", "like '- HorizontalFlip: {p: 0.5}'")
            return None
        entry = self.entry(name, name.value)
        if entry is None or not body.ok:
            return None
        step = self.group(entry.name, name, body) if entry.members else self.leaf(entry.name, name, body)
        if step is not None and step.p == 0:
            self.warn(name, f"{step.name} has p: 0 and never runs", "raise p, or remove the step")
        if entry.seconds > catalog.SLOW and entry.name not in self.slow:
            self.slow.add(entry.name)
            self.warn(name, f"{entry.name} takes about {entry.seconds:.2g} s per megapixel", "leave it out to be quick")
        return step

    def several(self, node: Node, entries: Mapping[str, tuple[Node, Node]]) -> None:
        """A step that is no single name: most often arguments that should stand further in."""
        if not entries:
            self.error(node, "a step must name a transform, not {}", "like '- HorizontalFlip: {p: 0.5}'")
            return
        first, (second, _) = next(iter(entries)), list(entries.values())[1]
        if second.value in catalog.TRANSFORMS:
            self.error(second, f"{second} stands in the step of '{short(first)}'", "put '- ' before it")
        else:
            way_out = f"indent it under '{short(first)}', or write {{...}} behind the name"
            self.error(second, f"{second} stands beside '{short(first)}', not under it", way_out)

    def entry(self, node: Node, name: str) -> catalog.Entry | None:
        """What the catalog says of a name. A misspelt one is an error, and read on as what was probably meant."""
        entry = catalog.TRANSFORMS.get(name)
        if entry is None:
            meant = catalog.suggest(name)
            way_out = f"did you mean '{meant}'?" if meant else "'augx list transforms' shows all names"
            if ":" in name:
                self.error(node, f"unknown transform {node}", "a space must follow the colon")
                return None
            self.error(node, f"unknown transform {node}", way_out)
            entry = catalog.TRANSFORMS.get(meant) if meant else None
            alike = entry is not None and (entry.members or nearest(name, [entry.name]))
            return entry if entry is not None and alike and not entry.refused else None
        if entry.refused:
            self.error(node, f"{name} cannot be used: {entry.refused}")
            return None
        return entry

    def leaf(self, transform: str, name: Node, body: Node) -> Step | None:
        if body.value is not None and not isinstance(body.value, dict):
            way_out = f"write {{p: {body}}}" if is_number(body) else "write {argument: value}"
            self.error(body, f"the arguments of {transform} must be a mapping, not {body}", way_out)
            return None
        given = dict(body.value or {})
        p = self.p(given.pop("p", (name, None))[1], transform)
        values = [n for _, argument in given.values() for n in argument.walk()]
        infinite = [n for n in values if isinstance(n.value, float) and not math.isfinite(n.value)]
        for n in infinite:
            self.error(n, f"{n} is no finite number", f"in an argument of {transform}")
        if infinite or not all(n.ok for n in values):
            return None
        step = Step(transform, {key: value.plain() for key, (_, value) in given.items()}, p)
        self.leaves.append(step)
        self.marks.append((name, body))
        return step

    def group(self, transform: str, name: Node, body: Node) -> Step | None:
        """OneOf, SomeOf, Sequential: a list of members, or a mapping with `transforms` and its own arguments."""
        counted = transform not in ("OneOf", "Sequential")
        if isinstance(body.value, list):
            given = {"transforms": body}
        elif isinstance(body.value, dict):
            keys = ("transforms", "n", "replace", "p") if counted else ("transforms", "p")
            given = self.mapping(body, transform, keys)
        else:
            self.error(name, f"{transform} needs a list of transforms", f"like '- {transform}: [Blur, MedianBlur]'")
            return None
        members = given.get("transforms")
        if members is None:
            self.error(name, f"{transform} needs the key 'transforms'", "with a list of transforms")
            return None
        if members.value == []:
            self.error(members, f"{transform} has no transforms", "add some, or remove it")
        steps = self.steps(members, f"{transform}.transforms")
        if transform == "OneOf" and steps and all(s.p == 0 for s in steps):
            self.error(members, "every transform of this OneOf has p: 0", "there p is the weight of the choice")
        args: dict[str, Json] = {}
        if "replace" in given:
            args["replace"] = self.boolean(given["replace"], f"{transform}.replace", False)
        if "n" in given:
            most = len(members.value) if isinstance(members.value, list) and not args.get("replace") else MAX_NODES
            args["n"] = self.whole(given["n"], f"{transform}.n", 1, max(most, 1), 1)
        p = self.p(given.get("p"), transform)
        return Step(transform, args, p, steps) if steps else None

    def p(self, node: Node | None, transform: str) -> float | None:
        return None if node is None or not node.ok else self.number(node, f"{transform}.p", 0, 1, 1.0)
