"""A YAML recipe -> a frozen Recipe. Every error names file, line and column, and all of a file come at once.

Reading is cheap. What an Albumentations transform thinks of its arguments is asked by `check_transforms`, because
importing it takes longer than an up-to-date run.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import stat
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from augx import bundled
from augx.artefact import Place
from augx.errors import Problem, RecipeError, Refused
from augx.ignores import ignores, told
from augx.model import (
    ImageOptions,
    Json,
    LabelOptions,
    Limits,
    Override,
    RejectOptions,
    Sample,
    SplitOptions,
    Step,
    TarOptions,
)  # fmt: skip
from augx.options import IMAGE_KEYS, LABEL_KEYS, LIMIT_KEYS, MAX_SEED, TAR_KEYS, Balance, Options
from augx.steps import argument_problems, leaves
from augx.transforms import catalog
from augx.yamlfile import MAX_BYTES, Node, in_order, is_number, load, nearest, short

_KEYS = (
    "version", "seed", "copies", "originals", "splits", "split", "balance", "transforms", "overrides", "reject",
    "labels", "values", "limits", "fuse", "output",
)  # fmt: skip
_OTHER_WORDS = {"n": "copies", "augmentations": "transforms", "pipeline": "transforms", "steps": "transforms"}
_UNREADABLE = "recipe-unreadable"
_BELONGS = {  # what people write at the top of a recipe -> where it belongs
    "input": "INPUT is an argument of the command",
    "image": "it belongs under 'output'",
    "format": "it belongs under 'output: {image: ...}'",
    "quality": "it belongs under 'output: {image: ...}'",
    "tar": "it belongs under 'output'",
    "p": "each transform has its own p",
}


@dataclass(frozen=True, slots=True)
class Recipe:
    """What to make of each image. Two recipes are equal when they say the same, wherever they were read from.

    `name`: the file as the user wrote it, the name of a bundled recipe, or "<stdin>".
    `balance`: "none", "max", a number, or class -> number. `split`: None: as the dataset says.
    `fuse`: runs of steps are done at once; else one after the other.
    `marks`: name and arguments, as read, of every step that has some, depth first; empty if not read from a file.
    `places`, `models`: folders and models that steps name -> where they are. `policies`: files of policies that they
    name -> a sketch (`artefact.sketch`) of the pictures these were found on. `ignored`: warnings that its comments tell
    off.
    """

    name: str = field(default="", compare=False)
    seed: int = 0
    copies: int = 10
    originals: bool = True
    splits: tuple[str, ...] = ("train",)
    split: SplitOptions | None = None
    balance: Balance = "none"
    steps: tuple[Step, ...] = ()
    overrides: tuple[Override, ...] = ()
    reject: RejectOptions = field(default_factory=RejectOptions)
    labels: LabelOptions = field(default_factory=LabelOptions)
    limits: Limits = field(default_factory=Limits)
    fuse: bool = True
    image: ImageOptions = field(default_factory=ImageOptions)
    tar: TarOptions = field(default_factory=TarOptions)
    warnings: tuple[Problem, ...] = field(default=(), compare=False)
    ignored: tuple[Problem, ...] = field(default=(), compare=False, repr=False)
    marks: tuple[tuple[Node, Node], ...] = field(default=(), compare=False, repr=False)
    places: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)
    models: Mapping[str, Place] = field(default_factory=dict, compare=False, repr=False)
    policies: Mapping[str, tuple[str, ...]] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def load(cls, source: str | Path) -> Recipe:
        """The recipe at a path, or of a bundled name. Raises RecipeError with all problems at once, each with its
        place."""
        if not isinstance(source, (str, Path)):
            raise _unreadable(repr(source), "a recipe is a path, or the name of a bundled one", "give a str or a Path")
        return read(no_stdin(source) if isinstance(source, str) else source)

    def replace(
        self,
        *,
        seed: int | None = None,
        copies: int | None = None,
        originals: bool | None = None,
        splits: Sequence[str] | None = None,
        hard: bool | None = None,
        tar_images: int | None = None,
        tar_bytes: int | None = None,
    ) -> Recipe:
        """This recipe with what a flag or variable says instead. Raises Refused where a value is out of range."""
        given = {"seed": seed, "copies": copies, "originals": originals, "splits": splits}
        said = {**self.canonical(), **{key: value for key, value in given.items() if value is not None}}
        if copies is not None:
            said["overrides"] = [{k: v for k, v in one.items() if k != "copies"} for one in said["overrides"]]
        if hard is not None:
            said["labels"] = said["labels"] | {"hard": hard}
        sizes = {key: value for key, value in (("images", tar_images), ("bytes", tar_bytes)) if value is not None}
        said["output"] = said["output"] | {"tar": said["output"]["tar"] | sizes}
        reader = _Reader(self.name, least_copies=0 if copies is None else 1, written=True)
        try:
            recipe = reader.recipe(Node.of(said))
        except RecipeError as e:
            raise Refused(e.problems[0].message, e.problems[0].suggestion) from None
        kept = {name: getattr(self, name) for name in ("warnings", "marks", "places", "models", "policies")}
        return dataclasses.replace(recipe, **kept)

    def canonical(self) -> Json:
        """This recipe as JSON with every default filled in, itself a recipe. Without the name and the warnings."""
        return {
            "version": 1,
            "seed": self.seed,
            "copies": self.copies,
            "originals": self.originals,
            "splits": list(self.splits),
            "split": None if self.split is None else asdict(self.split),
            "balance": self.balance if isinstance(self.balance, (str, int)) else dict(self.balance),
            "transforms": [_step_json(s) for s in self.steps],
            "overrides": [_override_json(one) for one in self.overrides],
            "reject": asdict(self.reject),
            "labels": _labels_json(self.labels),
            "limits": asdict(self.limits),
            "fuse": self.fuse,
            "output": {"image": asdict(self.image), "tar": asdict(self.tar)},
        }

    @classmethod
    def from_canonical(cls, value: Json, name: str = "<canonical>") -> Recipe:
        """The recipe `canonical` was called on; `copies` may be 0 here, in a file not. Raises RecipeError."""
        try:
            root = Node.of(value)
        except ValueError as e:
            raise RecipeError([Problem(name, 0, 0, f"is no recipe: {e}", code=_UNREADABLE)]) from None
        return _Reader(name, least_copies=0, written=True).recipe(root)

    def variants(self) -> tuple[Recipe, ...]:
        """This recipe, and for each override what it makes of it."""
        return (
            self,
            *(
                dataclasses.replace(
                    self,
                    copies=self.copies if one.copies is None else one.copies,
                    steps=self.steps if one.steps is None else one.steps,
                )
                for one in self.overrides
            ),
        )

    def multiplies(self, split: str | None) -> bool:
        """Whether the images of a split get copies; else they are carried over as they are."""
        return split is None or split in self.splits

    def variant(self, sample: Sample) -> int:
        """Which of `variants` holds for a sample: the first override that fits, counted from 1; else 0."""
        if not self.overrides:
            return 0
        known = sample.annotations
        classes = {*known.labels, *(thing.label for thing in known.objects)}
        for number, one in enumerate(self.overrides, 1):
            if (not one.classes or classes.intersection(one.classes)) and (
                not one.splits or sample.split in one.splits
            ):
                return number
        return 0

    def all_steps(self) -> Iterator[Step]:
        """Every step that may be used, depth first, those of overrides too."""
        for variant in self.variants() if self.overrides else (self,):
            yield from leaves(variant.steps)

    @property
    def learned(self) -> bool:
        """Whether a step works with a model."""
        return any(catalog.TRANSFORMS[step.name].learned for step in self.all_steps())

    @property
    def changes_by_models(self) -> bool:
        """Whether copies are made by one, too, and not only what the recipe adds."""
        entries = (catalog.TRANSFORMS[step.name] for step in self.all_steps())
        return any(entry.learned and not entry.adds for entry in entries)

    def adding(self) -> list[Step]:
        """The steps that add pictures of their own."""
        return [step for step in self.steps if catalog.TRANSFORMS[step.name].adds]

    def changing(self) -> tuple[Step, ...]:
        """The others, which make copies. They are what they would be without those that add."""
        return tuple(step for step in self.steps if not catalog.TRANSFORMS[step.name].adds)

    def digest(self) -> str:
        """sha256 in hex of what decides the pixels and labels of one copy; not how many copies, nor of which images."""
        decisive = self.canonical()
        for key in ("copies", "originals", "splits", "split", "balance", "overrides"):
            del decisive[key]
        del decisive["output"]["tar"]  # which tar an image lies in, its name says
        decisive["transforms"] = [_step_json(one) for one in self.changing()]
        if self.reject == RejectOptions():  # what came later and is not used leaves finished datasets fresh
            del decisive["reject"]
        if self.limits == Limits():
            del decisive["limits"]
        if self.fuse:
            del decisive["fuse"]
        if not self.labels.hard:
            del decisive["labels"]["hard"]
        return hashlib.sha256(json.dumps(decisive, sort_keys=True, separators=(",", ":")).encode("ascii")).hexdigest()


CONVERSION = Recipe(name="<convert>", copies=0)  # the images as they are


def read(source: str | Path, *, checked: bool = True) -> Recipe:
    """The recipe at a path, of a bundled name, or on standard input ("-"). Raises RecipeError.

    A bare name without an ending is a bundled recipe, even where a file of that name lies in the working folder.
    """
    return parse(*text_of(source), checked=checked)


def no_stdin(source: str) -> str:
    """For callers whose standard input is not theirs to read. RecipeError for "-"."""
    if source == "-":
        raise _unreadable("-", "standard input is read by the command line only", "give the path of a file")
    return source


def text_of(source: str | Path) -> tuple[bytes, str]:
    """What `read` would parse, and what messages call it. Raises RecipeError."""
    if source == "-":
        return _stdin(), "<stdin>"
    if is_file(source):
        return _file(str(source)), str(source)
    assert isinstance(source, str)
    texts = bundled.texts()
    if source not in texts:
        meant = nearest(source, texts)
        way_out = f"did you mean '{meant}'? " if meant else ""
        way_out += f"bundled: {', '.join(texts)}; a file is written with its ending or ./"
        if source and os.path.exists(source):
            way_out = f"for the file of that name write ./{source}"
        raise _unreadable(source or "''", "no bundled recipe has this name", way_out)
    return texts[source], source


def is_file(source: str | Path) -> bool:
    """Whether `read` takes it for the path of a file."""
    return isinstance(source, Path) or os.sep in source or Path(source).suffix != ""


def parse(data: bytes, name: str, *, checked: bool = True) -> Recipe:
    """The recipe that `data` holds; `name` stands in messages. Raises RecipeError with all problems, in file order.

    With `checked=False` the arguments of transforms are left to a later `check_transforms`.
    """
    root, problems = load(data, name)
    if root is None:
        raise RecipeError(in_order(problems))
    recipe = _Reader(name, problems).recipe(root, checked=checked)
    if not recipe.warnings:
        return recipe
    kept = told(recipe.warnings, ignores(data))
    return dataclasses.replace(recipe, warnings=kept, ignored=tuple(p for p in recipe.warnings if p not in kept))


def check_transforms(recipe: Recipe) -> None:
    """Asks Albumentations about every argument of every step. Raises RecipeError with all problems."""
    steps, nowhere = list(leaves(recipe.steps)), Node.of(None)
    steps += [step for one in recipe.overrides for step in leaves(one.steps or ())]
    problems = argument_problems(recipe.name, steps, recipe.marks or [(nowhere, nowhere)] * len(steps))
    if problems:
        raise RecipeError(in_order(problems))


def _unreadable(name: str, message: str, suggestion: str) -> RecipeError:
    return RecipeError([Problem(short(name, 4096), 0, 0, message, suggestion, code=_UNREADABLE)])


def _stdin() -> bytes:
    try:
        return sys.stdin.buffer.read(MAX_BYTES + 1)
    except (OSError, ValueError, AttributeError) as e:  # AttributeError: stdin is None where it was closed
        raise _unreadable("<stdin>", f"cannot be read: {_reason(e)}", "pipe a recipe in") from None


def _file(path: str) -> bytes:
    def refused(message: str, suggestion: str = "") -> RecipeError:
        return _unreadable(path, message, suggestion)

    try:
        mode = os.stat(path).st_mode  # before open(), which waits for ever on a FIFO
        if stat.S_ISDIR(mode):
            raise refused("is a folder, not a recipe", "give the YAML file")
        if not stat.S_ISREG(mode):
            raise refused("is no regular file", "to read from a pipe use '-r -'")
        with open(path, "rb") as file:
            return file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise refused("there is no such file", f"bundled recipes: {', '.join(bundled.texts())}") from None
    except (OSError, ValueError) as e:  # ValueError: a NUL in the path
        raise refused(f"cannot be read: {_reason(e)}") from None


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def _step_json(step: Step) -> Json:
    args: dict[str, Json] = dict(step.args)
    if step.steps:
        args["transforms"] = [_step_json(s) for s in step.steps]
    if step.p is not None:
        args["p"] = step.p
    return {step.name: args}


def _override_json(one: Override) -> Json:
    when = {key: list(names) for key, names in (("class", one.classes), ("split", one.splits)) if names}
    said: dict[str, Json] = {"when": when}
    if one.copies is not None:
        said["copies"] = one.copies
    if one.steps is not None:
        said["transforms"] = [_step_json(s) for s in one.steps]
    return said


def _labels_json(labels: LabelOptions) -> Json:
    """As a recipe writes it; `labels.pairs` is called keypoint_pairs there."""
    said = asdict(labels)
    pairs = said.pop("pairs")
    said["values"] = dict(labels.values)
    return said | {"keypoint_pairs": None if pairs is None else [list(pair) for pair in pairs]}


def _adds(steps: Node | None) -> bool:
    """Whether one of these steps is of those that add pictures."""
    some = steps.value if steps is not None and isinstance(steps.value, list) else []
    named = [name for one in some for name in (one.value if isinstance(one.value, dict) else ())]
    return any(name in catalog.TRANSFORMS and catalog.TRANSFORMS[name].adds for name in named)


class _Reader(Options):
    """Nodes -> a Recipe."""

    def recipe(self, root: Node, checked: bool = False) -> Recipe:
        top = self.top(root)
        output = self.mapping(top.get("output"), "output", ("image", "tar"))
        if _adds(top.get("transforms")):  # then there is something new without copies, too
            self.least_copies = 0
        recipe = Recipe(
            name=self.file,
            seed=self.whole(top.get("seed"), "seed", 0, MAX_SEED, 0),
            copies=self.copies(top.get("copies")),
            originals=self.boolean(top.get("originals"), "originals", True),
            splits=self.splits(top.get("splits")),
            split=self.split(top.get("split")),
            balance=self.balance(top.get("balance")),
            steps=self.steps(top["transforms"], "transforms") if "transforms" in top else (),
            overrides=self.overrides(top.get("overrides")),
            reject=self.reject(self.mapping(top.get("reject"), "reject", ("flat", "lost_objects"))),
            labels=self.labels(self.mapping(top.get("labels"), "labels", LABEL_KEYS), top.get("values")),
            limits=self.limits(self.mapping(top.get("limits"), "limits", LIMIT_KEYS)),
            fuse=self.boolean(top.get("fuse"), "fuse", True),
            image=self.image(self.mapping(output.get("image"), "output.image", IMAGE_KEYS)),
            tar=self.tar(self.mapping(output.get("tar"), "output.tar", TAR_KEYS)),
            marks=tuple(self.marks),
            places=self.places,
            models=self.models,
            policies=self.policies,
        )
        if checked and self.leaves:
            self.problems += argument_problems(self.file, self.leaves, self.marks)
        if self.problems:
            raise RecipeError(in_order(self.problems))
        if not recipe.changing() and recipe.copies:
            self.warn(
                top["transforms"], "no transforms: every copy will equal its source", "name some", "no-transforms"
            )
        return dataclasses.replace(recipe, warnings=tuple(in_order(self.warnings)))

    def top(self, root: Node) -> dict[str, Node]:
        if root.ok and not isinstance(root.value, dict):
            kind = "a list" if isinstance(root.value, list) else str(root)
            self.error(root, f"a recipe must be a mapping, not {kind}", "begin it with 'version: 1'")
        if not isinstance(root.value, dict) or not root.ok:
            return {}
        top = self.mapping(root, "the recipe", _KEYS)
        version = top.get("version")
        if version is None:
            self.error(root, "the key 'version' is missing", "begin the recipe with 'version: 1'", "version-missing")
        elif version.ok and (version.value != 1 or not is_number(version)):
            self.error(version, f"version is {version}", "this augx reads 'version: 1'")
        if "transforms" not in top:
            way_out = "for copies without changes write 'transforms: []'"
            self.error(root, "the key 'transforms' is missing", way_out, "recipe-key")
        return top

    def meant(self, key: str, keys: Sequence[str]) -> str:
        return (_OTHER_WORDS.get(key) if keys is _KEYS else None) or super().meant(key, keys)

    def way_out(self, key: str, meant: str, keys: Sequence[str]) -> str:
        if keys is _KEYS and key in _BELONGS:
            return _BELONGS[key]
        if keys is _KEYS and key in catalog.TRANSFORMS:
            return "it belongs under 'transforms', with '- ' before it"
        return super().way_out(key, meant, keys)
