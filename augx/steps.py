"""The `transforms` of a recipe -> Steps, and what Albumentations says of their arguments."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from augx import artefact
from augx.errors import Problem
from augx.model import Json, Step
from augx.naming import images_in
from augx.store import sha256_file
from augx.transforms import catalog
from augx.yamlfile import MAX_BYTES, MAX_NODES, MAX_PROBLEMS, Node, Values, is_number, load, nearest, short


def leaves(steps: Iterable[Step]) -> Iterator[Step]:
    """Every step that is no group, depth first; and before its members a group that has arguments of its own kind."""
    for step in steps:
        if not step.steps or catalog.TRANSFORMS[step.name].own:
            yield step
        yield from leaves(step.steps)


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
            problems.append(Problem(file, place.line, place.column, message, found.suggestion or "", code=found.code))
        if len(problems) > MAX_PROBLEMS:
            break
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


_OWN_ARGUMENTS = {"SomeOf": ("n", "replace"), "inside": ("classes", "of", "outside", "edge")}


class Steps(Values):
    """Nodes -> Steps. `leaves` and `marks`: the steps as `leaves` gives them, and where they stand.

    `places`, `models`: folders and models that steps name -> where they are, looked for beside the recipe and then from
    the working folder. `policies`: files of policies -> a sketch of the pictures that they were found on.
    `written`: augx itself has written the recipe, so that what it names was there once and need not be looked for.
    """

    def __init__(self, file: str, problems: Iterable[Problem] = (), written: bool = False) -> None:
        super().__init__(file, problems)
        self.written = written
        self.places: dict[str, str] = {}
        self.models: dict[str, artefact.Place] = {}
        self.policies: dict[str, tuple[str, ...]] = {}
        self.warnings: list[Problem] = []
        self.leaves: list[Step] = []
        self.marks: list[tuple[Node, Node]] = []
        self.slow: set[str] = set()

    def warn(self, node: Node, message: str, suggestion: str, code: str) -> None:
        self.warnings.append(Problem(self.file, node.line, node.column, message, suggestion, "warning", code))

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
            self.warn(name, f"{step.name} has p: 0 and never runs", "raise p, or remove the step", "never-runs")
        if entry.seconds > catalog.SLOW and entry.name not in self.slow:
            self.slow.add(entry.name)
            message = f"{entry.name} takes about {entry.seconds:.2g} s per megapixel"
            self.warn(name, message, "leave it out to be quick", "slow-step")
        return step

    def several(self, node: Node, entries: Mapping[str, tuple[Node, Node]]) -> None:
        """A step that is no single name: most often arguments that should stand further in."""
        if not entries:
            self.error(node, "a step must name a transform, not {}", "like '- HorizontalFlip: {p: 0.5}'")
            return
        first, (second, _) = next(iter(entries)), list(entries.values())[1]
        named = entries[first][1].value
        if first in ("type", "name", "class_name", "__class_fullname__") and isinstance(named, str):
            name = named.rpartition(".")[2]
            name = catalog.suggest(name) or name
            self.error(node, f"the name of a transform comes first, not after '{first}'",
                       f"like '- {short(name)}: {{p: 0.5}}'")  # fmt: skip
            return
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
                self.error(node, f"unknown transform {node}", "a space must follow the colon", "unknown-transform")
                return None
            self.error(node, f"unknown transform {node}", way_out, "unknown-transform")
            entry = catalog.TRANSFORMS.get(meant) if meant else None
            alike = entry is not None and (entry.members or nearest(name, [entry.name]))
            return entry if entry is not None and alike and not entry.refused else None
        if entry.refused:
            self.error(node, f"{name} cannot be used: {entry.refused}", "", "unknown-transform")
            return None
        return entry

    def leaf(self, transform: str, name: Node, body: Node) -> Step | None:
        if transform == "policy" and not (isinstance(body.value, dict) and "policies" in body.value):
            return self.policy(name, body)
        if body.value is not None and not isinstance(body.value, dict):
            way_out = f"write {{p: {body}}}" if is_number(body) else "write {argument: value}"
            self.error(body, f"the arguments of {transform} must be a mapping, not {body}", way_out)
            return None
        given = dict(body.value or {})
        p = self.p(given.pop("p", (name, None))[1], transform)
        if not self.sound((argument for _, argument in given.values()), transform):
            return None
        entry = catalog.TRANSFORMS[transform]
        if entry.adds and p not in (None, 1):
            self.error(name, f"{transform} takes no p: it adds pictures, and changes none", "say how many: per_class")
        if "folder" in given and entry.partners == "folder":
            self.folder(given["folder"][1])
        if "model" in given and entry.learned:
            self.model(given["model"][1], entry.learned)
        return self.found(Step(transform, {key: value.plain() for key, (_, value) in given.items()}, p), name, body)

    def sound(self, arguments: Iterable[Node], transform: str) -> bool:
        """Whether all arguments could be read and their numbers are finite."""
        values = [node for argument in arguments for node in argument.walk()]
        infinite = [node for node in values if isinstance(node.value, float) and not math.isfinite(node.value)]
        for node in infinite:
            self.error(node, f"{node} is no finite number", f"in an argument of {transform}")
        return not infinite and all(node.ok for node in values)

    def found(self, step: Step, name: Node, body: Node) -> Step:
        self.leaves.append(step)
        self.marks.append((name, body))
        return step

    def policy(self, name: Node, body: Node) -> Step | None:
        """`policy: found.yaml`, or `policy: {file: found.yaml, p: 1}`: what the file says becomes arguments."""
        given = {"file": body}
        if isinstance(body.value, dict):
            given = self.mapping(body, "policy", ("file", "fill", "p"))
        file = given.get("file")
        if file is None or not isinstance(file.value, str) or not file.value:
            self.error(name, "policy needs a file", "like '- policy: found.yaml'")
            return None
        path = self.beside(file.value, os.path.isfile)
        if path is None:
            way_out = "it is looked for beside the recipe, then in this folder"
            self.error(file, f"there is no file {file}", way_out, "named-file")
            return None
        try:
            with open(path, "rb") as source:
                data = source.read(MAX_BYTES + 1)
        except OSError as error:
            self.error(file, f"{file} cannot be read: {error.strerror or error}", "give a policy file", "named-file")
            return None
        root, problems = load(data, path)
        reader = Values(path)
        # What else the file may hold is not quoted: a recipe can name any file, and messages end in logs.
        if root is None or not isinstance(root.value, dict) or "policies" not in root.value:
            line = f": line {problems[0].line} is no YAML" if problems else ""
            way_out = "it must say 'version: 1' and 'policies: [...]'"
            self.error(file, f"{file} is no policy{line}", way_out, "named-file")
            return None
        said = reader.mapping(root, "a policy", ("version", "policies"))
        if said.get("version", root).value != 1:
            self.error(file, f"{file} is no policy", "it must say 'version: 1'", "named-file")
        self.problems += [*problems, *reader.problems]
        if self.problems:
            return None
        self.policies[file.value] = artefact.of_comments(data)
        args = {"policies": said["policies"].plain()} | {key: given[key].plain() for key in ("fill",) if key in given}
        return self.found(Step("policy", args, self.p(given.get("p"), "policy")), name, body)

    def folder(self, node: Node) -> None:
        """Remembers where a folder is that a step names."""
        if self.written or not isinstance(node.value, str):
            return
        path = self.beside(node.value, os.path.isdir)
        if path is None:
            way_out = "it is looked for beside the recipe, then in this folder"
            self.error(node, f"there is no folder {node}", way_out, "named-file")
        elif not images_in(path):
            self.error(node, f"the folder {node} holds no image", "its own folders do not count", "named-file")
        else:
            self.places[node.value] = path

    def model(self, node: Node, method: str) -> None:
        """Remembers where a model is that a step names, and what it was when the recipe was read."""
        if self.written or not isinstance(node.value, str):
            return
        learn = f"`augx learn {method} INPUT -o {short(node.value) or 'model.safetensors'}` writes one"
        path = self.beside(node.value, os.path.isfile)
        if path is None:
            way_out = "it is looked for beside the recipe, then in this folder; " + learn
            self.error(node, f"there is no model {node}", way_out, "named-file")
            return
        try:
            card = artefact.card(path)
            if card.method == method:
                self.models[node.value] = artefact.Place(path, sha256_file(path))
                return
            why = f"is a model of {card.method!r}, and this step needs one of {method!r}"
        except (artefact.Unusable, OSError) as error:
            why = getattr(error, "strerror", None) or str(error)
        self.error(node, f"the model {node} {why}", learn, "named-file")

    def beside(self, path: str, there: Callable[[str], bool]) -> str | None:
        """The path of what a recipe names: beside the recipe first, then from the working folder."""
        tried = [os.path.join(os.path.dirname(self.file), path), path] if os.path.isfile(self.file) else [path]
        tried += [os.path.expanduser(path)] if path.startswith("~") else []
        return next((os.path.abspath(one) for one in tried if "\0" not in one and there(one)), None)

    def group(self, transform: str, name: Node, body: Node) -> Step | None:
        """OneOf and the like: a list of members, or a mapping with `transforms` and its own arguments."""
        own = _OWN_ARGUMENTS.get(transform, ())
        if isinstance(body.value, list):
            given = {"transforms": body}
        elif isinstance(body.value, dict):
            given = self.mapping(body, transform, ("transforms", *own, "p"))
        else:
            self.error(name, f"{transform} needs a list of transforms", f"like '- {transform}: [Blur, MedianBlur]'")
            return None
        members = given.get("transforms")
        if members is None:
            self.error(name, f"{transform} needs the key 'transforms'", "with a list of transforms")
            return None
        if members.value == []:
            self.error(members, f"{transform} has no transforms", "add some, or remove it")
        first = len(self.leaves)
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
        if not steps:
            return None
        for leaf, (where, _) in zip(self.leaves[first:], self.marks[first:], strict=True):
            if catalog.TRANSFORMS[leaf.name].adds:
                self.error(where, f"{leaf.name} cannot be used in {transform}", "it adds pictures, and changes none")
        if transform == "inside":
            for leaf, (where, _) in zip(self.leaves[first:], self.marks[first:], strict=True):
                entry = catalog.TRANSFORMS[leaf.name]
                if entry.moves or entry.partners or entry.name == transform:
                    self.error(
                        where,
                        f"{leaf.name} cannot be used in `inside`",
                        "only transforms that leave pixels in place can",
                    )
            arguments = {key: node for key, node in given.items() if key in own}
            if not self.sound(arguments.values(), transform):
                return None
            args = {key: node.plain() for key, node in arguments.items()}
        step = Step(transform, args, p, steps)
        if transform == "inside":
            self.leaves.insert(first, step)
            self.marks.insert(first, (name, body))
        return step

    def p(self, node: Node | None, transform: str) -> float | None:
        return None if node is None or not node.ok else self.number(node, f"{transform}.p", 0, 1, 1.0)
