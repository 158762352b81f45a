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
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from augx import bundled
from augx.errors import Problem, RecipeError, Refused
from augx.model import ImageOptions, Json, LabelOptions, Step
from augx.steps import Steps, argument_problems, leaves
from augx.transforms import catalog
from augx.yamlfile import MAX_BYTES, Node, is_number, load, nearest, short

MAX_COPIES = 100_000
MAX_SEED = 2**63 - 1

_KEYS = ("version", "seed", "copies", "originals", "splits", "balance", "transforms", "labels", "values", "output")
_LABEL_KEYS = ("min_visibility", "min_area", "min_size", "boxes", "pixels", "keypoint_pairs", "ignore", "values")
_IMAGE_KEYS = tuple(f.name for f in dataclasses.fields(ImageOptions))
_OTHER_WORDS = {"n": "copies", "augmentations": "transforms", "pipeline": "transforms", "steps": "transforms"}
_BELONGS = {  # what people write at the top of a recipe -> where it belongs
    "input": "INPUT is an argument of the command",
    "image": "it belongs under 'output'",
    "format": "it belongs under 'output: {image: ...}'",
    "quality": "it belongs under 'output: {image: ...}'",
    "p": "each transform has its own p",
}
_FORMATS = ("keep", "jpeg", "jpg", "png", "webp", "bmp", "tiff", "tif")
_SAME_FORMAT = {"jpg": "jpeg", "tif": "tiff"}
_SUBSAMPLING = ("4:4:4", "4:2:2", "4:2:0")
_USED_BY = {
    "quality": ("keep", "jpeg", "webp"),
    "subsampling": ("keep", "jpeg"),
    "png_level": ("keep", "png"),
    "lossless": ("keep", "webp"),
}

_STARTER = """\
# An augx recipe. Check it with 'augx validate', use it with 'augx run -r'.
# The dataset it was written for has {found}.
version: 1

seed: 0             # another seed gives another set of copies, just as repeatable
copies: 10          # new images for each source image
originals: true     # copy the source images, too

# Which splits are multiplied; the others are carried over as they are. Found: {found_splits}.
{splits}

# Any transform of Albumentations 2.0.8 by its own name and arguments, from top to bottom. p is how often it is used,
# 0 to 1. 'augx list transforms' names them all, 'augx show Affine' explains one.
transforms:
  # Not for text, digits, or whatever means something else in a mirror.
  - HorizontalFlip: {{p: 0.5}}
  # Degrees; 1 is the size as it is; shares of width and height. Borders are mirrored instead of black.
  - Affine:
      rotate: [-15, 15]
      scale: [0.85, 1.15]
      keep_ratio: true
      translate_percent: [-0.06, 0.06]
      border_mode: reflect_101
      p: 0.8
  # Shares of the full range: other light, another exposure.
  - RandomBrightnessContrast: {{brightness_limit: [-0.2, 0.2], contrast_limit: [-0.2, 0.2], p: 0.7}}
  # One of these, for 3 copies in 10; a member's own p is its weight in the choice.
  - OneOf:
      transforms:
        - GaussianBlur: {{blur_limit: [3, 5]}}
        - GaussNoise: {{std_range: [0.01, 0.05]}}
        - MotionBlur: {{blur_limit: [3, 5]}}
      p: 0.3

output:
  image:
    format: keep    # as the source; or jpeg, png, webp, bmp, tiff
    quality: 92     # of JPEG and WebP, 1 to 100
"""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What to make of each image. Two recipes are equal when they say the same, wherever they were read from.

    `name`: the file as the user wrote it, the name of a bundled recipe, or "<stdin>".
    `marks`: name and arguments, as read, of every step that is no group, depth first; empty if not read from a file.
    """

    name: str = field(default="", compare=False)
    seed: int = 0
    copies: int = 10
    originals: bool = True
    splits: tuple[str, ...] = ("train",)
    balance: str = "none"
    steps: tuple[Step, ...] = ()
    labels: LabelOptions = field(default_factory=LabelOptions)
    image: ImageOptions = field(default_factory=ImageOptions)
    warnings: tuple[Problem, ...] = field(default=(), compare=False)
    marks: tuple[tuple[Node, Node], ...] = field(default=(), compare=False, repr=False)

    def replace(
        self,
        *,
        seed: int | None = None,
        copies: int | None = None,
        originals: bool | None = None,
        splits: Sequence[str] | None = None,
    ) -> Recipe:
        """This recipe with what a flag or variable says instead. Raises Refused where a value is out of range."""
        given = {"seed": seed, "copies": copies, "originals": originals, "splits": splits}
        said = {**self.canonical(), **{key: value for key, value in given.items() if value is not None}}
        reader = _Reader(self.name, least_copies=0 if copies is None else 1)
        try:
            recipe = reader.recipe(Node.of(said))
        except RecipeError as e:
            raise Refused(e.problems[0].message, e.problems[0].suggestion) from None
        return dataclasses.replace(recipe, warnings=self.warnings, marks=self.marks)

    def canonical(self) -> Json:
        """This recipe as JSON with every default filled in, itself a recipe. Without the name and the warnings."""
        return {
            "version": 1,
            "seed": self.seed,
            "copies": self.copies,
            "originals": self.originals,
            "splits": list(self.splits),
            "balance": self.balance,
            "transforms": [_step_json(s) for s in self.steps],
            "labels": _labels_json(self.labels),
            "output": {"image": asdict(self.image)},
        }

    @classmethod
    def from_canonical(cls, value: Json, name: str = "<canonical>") -> Recipe:
        """The recipe `canonical` was called on; `copies` may be 0 here, in a file not. Raises RecipeError."""
        try:
            root = Node.of(value)
        except ValueError as e:
            raise RecipeError([Problem(name, 0, 0, f"is no recipe: {e}")]) from None
        return _Reader(name, least_copies=0).recipe(root)

    def digest(self) -> str:
        """sha256 in hex of what decides the pixels and labels of one copy; not how many copies, nor of which images."""
        decisive = self.canonical()
        for key in ("copies", "originals", "splits", "balance"):
            del decisive[key]
        return hashlib.sha256(json.dumps(decisive, sort_keys=True, separators=(",", ":")).encode("ascii")).hexdigest()


CONVERSION = Recipe(name="<convert>", copies=0)  # the images as they are


def read(source: str | Path, *, checked: bool = True) -> Recipe:
    """The recipe at a path, of a bundled name, or on standard input ("-"). Raises RecipeError.

    A bare name without an ending is a bundled recipe, even where a file of that name lies in the working folder.
    """
    if source == "-":
        return parse(_stdin(), "<stdin>", checked=checked)
    if isinstance(source, Path) or os.sep in source or Path(source).suffix:
        return parse(_file(str(source)), str(source), checked=checked)
    texts = bundled.texts()
    if source not in texts:
        meant = nearest(source, texts)
        way_out = f"did you mean '{meant}'? " if meant else ""
        way_out += f"bundled: {', '.join(texts)}; a file is written with its ending or ./"
        if source and os.path.exists(source):
            way_out = f"for the file of that name write ./{source}"
        raise RecipeError([Problem(short(source) or "''", 0, 0, "no bundled recipe has this name", way_out)])
    return parse(texts[source], source, checked=checked)


def parse(data: bytes, name: str, *, checked: bool = True) -> Recipe:
    """The recipe that `data` holds; `name` stands in messages. Raises RecipeError with all problems, in file order.

    With `checked=False` the arguments of transforms are left to a later `check_transforms`.
    """
    root, problems = load(data, name)
    if root is None:
        raise RecipeError(_in_order(problems))
    return _Reader(name, problems).recipe(root, checked=checked)


def check_transforms(recipe: Recipe) -> None:
    """Asks Albumentations about every argument of every step. Raises RecipeError with all problems."""
    steps, nowhere = list(leaves(recipe.steps)), Node.of(None)
    problems = argument_problems(recipe.name, steps, recipe.marks or [(nowhere, nowhere)] * len(steps))
    if problems:
        raise RecipeError(_in_order(problems))


def starter(labels_found: bool, splits: Sequence[str], classes: Sequence[str]) -> str:
    """The text of a commented recipe for a dataset with these splits and classes, without problems or warnings."""
    kept = {"val", "valid", "validation", "dev", "test", "testing"}
    multiplied = [s for s in splits if s.lower() not in kept]
    names = ", ".join(_quoted(c) for c in classes[:8]) + (", ..." if len(classes) > 8 else "")
    return _STARTER.format(
        found=f"{len(classes)} classes: {names}" if labels_found and classes else "no labels",
        found_splits=", ".join(_quoted(s) for s in splits) or "none, so every image is multiplied",
        splits=f"splits: [{', '.join(_quoted(s) for s in multiplied)}]" if multiplied else "# splits: [train]",
    )


def _quoted(name: str) -> str:
    """A name as it can stand in a YAML list or a comment."""
    if name.isascii() and name.replace("_", "").isalpha() and name.lower() not in ("true", "false", "null"):
        return name
    escaped = (c if c.isprintable() and c not in '"\\' else f"\\U{ord(c):08x}" for c in name)
    return f'"{"".join(escaped)}"'


def _stdin() -> bytes:
    try:
        return sys.stdin.buffer.read(MAX_BYTES + 1)
    except (OSError, ValueError, AttributeError) as e:  # AttributeError: stdin is None where it was closed
        raise RecipeError([Problem("<stdin>", 0, 0, f"cannot be read: {_reason(e)}", "pipe a recipe in")]) from None


def _file(path: str) -> bytes:
    def refused(message: str, suggestion: str = "") -> RecipeError:
        return RecipeError([Problem(short(path, 4096), 0, 0, message, suggestion)])

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


def _labels_json(labels: LabelOptions) -> Json:
    """As a recipe writes it; `labels.pairs` is called keypoint_pairs there."""
    said = asdict(labels)
    pairs = said.pop("pairs")
    said["values"] = dict(labels.values)
    return said | {"keypoint_pairs": None if pairs is None else [list(pair) for pair in pairs]}


def _in_order(problems: Iterable[Problem]) -> list[Problem]:
    """In the order of the file, each once: what an alias repeats is one problem."""
    return sorted(dict.fromkeys(problems), key=lambda p: (p.line, p.column))


class _Reader(Steps):
    """Nodes -> a Recipe. `least_copies` is 0 for what augx itself has written."""

    def __init__(self, file: str, problems: Iterable[Problem] = (), least_copies: int = 1) -> None:
        super().__init__(file, problems)
        self.least_copies = least_copies

    def recipe(self, root: Node, checked: bool = False) -> Recipe:
        top = self.top(root)
        output = self.mapping(top.get("output"), "output", ("image",))
        recipe = Recipe(
            name=self.file,
            seed=self.whole(top.get("seed"), "seed", 0, MAX_SEED, 0),
            copies=self.copies(top.get("copies")),
            originals=self.boolean(top.get("originals"), "originals", True),
            splits=self.splits(top.get("splits")),
            balance=self.balance(top.get("balance")),
            steps=self.steps(top["transforms"], "transforms") if "transforms" in top else (),
            labels=self.labels(self.mapping(top.get("labels"), "labels", _LABEL_KEYS), top.get("values")),
            image=self.image(self.mapping(output.get("image"), "output.image", _IMAGE_KEYS)),
            marks=tuple(self.marks),
        )
        if checked and self.leaves:
            self.problems += argument_problems(self.file, self.leaves, self.marks)
        if self.problems:
            raise RecipeError(_in_order(self.problems))
        if not recipe.steps and recipe.copies:
            self.warn(top["transforms"], "no transforms: every copy will equal its source")
        return dataclasses.replace(recipe, warnings=tuple(_in_order(self.warnings)))

    def top(self, root: Node) -> dict[str, Node]:
        if root.ok and not isinstance(root.value, dict):
            kind = "a list" if isinstance(root.value, list) else str(root)
            self.error(root, f"a recipe must be a mapping, not {kind}", "begin it with 'version: 1'")
        if not isinstance(root.value, dict) or not root.ok:
            return {}
        top = self.mapping(root, "the recipe", _KEYS)
        version = top.get("version")
        if version is None:
            self.error(root, "the key 'version' is missing", "begin the recipe with 'version: 1'")
        elif version.ok and (version.value != 1 or not is_number(version)):
            self.error(version, f"version is {version}", "this augx reads 'version: 1'")
        if "transforms" not in top:
            self.error(root, "the key 'transforms' is missing", "for copies without changes write 'transforms: []'")
        return top

    def meant(self, key: str, keys: Sequence[str]) -> str:
        return (_OTHER_WORDS.get(key) if keys is _KEYS else None) or super().meant(key, keys)

    def way_out(self, key: str, meant: str, keys: Sequence[str]) -> str:
        if keys is _KEYS and key in _BELONGS:
            return _BELONGS[key]
        if keys is _KEYS and key in catalog.TRANSFORMS:
            return "it belongs under 'transforms', with '- ' before it"
        return super().way_out(key, meant, keys)

    def copies(self, node: Node | None) -> int:
        if node is not None and is_number(node) and node.value == 0 and self.least_copies:
            self.error(node, "copies: 0 makes nothing new", f"1 to {MAX_COPIES}")
            return 1
        return self.whole(node, "copies", self.least_copies, MAX_COPIES, 10)

    def splits(self, node: Node | None) -> tuple[str, ...]:
        default = ("train",)
        if node is None or not node.ok:
            return default
        if not isinstance(node.value, list):
            name = node.value if isinstance(node.value, str) and node.value.isalnum() else "train"
            self.error(node, f"splits must be a list of names, not {node}", f"write [{name}]")
            return default
        if not node.value:
            self.error(node, "splits names no split", "leave it out for [train]")
        names: list[str] = []
        for n in node.value:
            if not n.ok:
                continue
            if not isinstance(n.value, str) or not n.value:
                self.error(n, f"a split must be a name, not {n}", "put it in quotes if it is meant as a name")
            elif n.value in names:
                self.error(n, f"the split {n} is there twice", "keep one of them")
            else:
                names.append(n.value)
        return tuple(names)

    def balance(self, node: Node | None) -> str:
        if node is not None and node.ok and node.value != "none":
            known = node.value == "max" or is_number(node)
            message = f"balance: {node}: balancing is not in this version" if known else f"balance cannot be {node}"
            self.error(node, message, "leave it out, or write none")
        return "none"

    def labels(self, given: Mapping[str, Node], values: Node | None) -> LabelOptions:
        """`values` may stand at the top of the recipe, too."""
        default, under = LabelOptions(), "labels."
        if values is not None and "values" in given:
            self.error(values, "values is there twice, here and under 'labels'", "keep one of them")
        ignore = given.get("ignore")
        return LabelOptions(
            min_visibility=self.number(given.get("min_visibility"), under + "min_visibility", 0, 1, 0.0),
            min_area=self.number(given.get("min_area"), under + "min_area", 0, 1e9, 0.0),
            min_size=self.number(given.get("min_size"), under + "min_size", 0, 1e9, default.min_size),
            boxes=self.choice(given.get("boxes"), under + "boxes", ("outer", "ellipse"), default.boxes),
            pixels=self.choice(given.get("pixels"), under + "pixels", ("upright", "stored"), default.pixels),
            pairs=self.pairs(given.get("keypoint_pairs")),
            ignore=None
            if ignore is None or ignore.value is None
            else self.whole(ignore, under + "ignore", 0, 65535, 0),
            values=self.flipped(given.get("values", values)),
        )

    def pairs(self, node: Node | None) -> tuple[tuple[int, int], ...] | None:
        """`[[1, 2], [3, 4]]`: which keypoints swap, as indexes from 0."""
        if node is None or not node.ok or node.value is None:
            return None
        ways_out = "write [[1, 2], [3, 4]]: indexes from 0, left and right; [] where none swap"
        pairs: list[tuple[int, int]] = []
        seen: set[int] = set()
        for pair in node.value if isinstance(node.value, list) else [node]:
            said = [n.value for n in pair.value] if isinstance(pair.value, list) else []
            both = [n for n in said if isinstance(n, int) and not isinstance(n, bool) and 0 <= n < 10_000]
            if len(both) != 2 or len(said) != 2 or both[0] == both[1]:
                self.error(pair, "labels.keypoint_pairs must be pairs of different indexes", ways_out)
            elif seen & set(both):
                self.error(pair, "a keypoint swaps with one other only", ways_out)
            else:
                seen.update(both)
                pairs.append((both[0], both[1]))
        return tuple(pairs)

    def flipped(self, node: Node | None) -> Mapping[str, str]:
        """`{angle: negate_on_flip}`: columns whose number changes its sign in a mirror."""
        if node is None or not node.ok or node.value is None:
            return {}
        if not isinstance(node.value, dict):
            self.error(node, f"values must be a mapping, not {node}", "write {angle: negate_on_flip}")
            return {}
        return {
            column: self.choice(value, f"values.{column}", ("negate_on_flip",), "negate_on_flip")
            for column, (_, value) in node.value.items()
        }

    def image(self, given: Mapping[str, Node]) -> ImageOptions:
        default, under = ImageOptions(), "output.image."
        bits = given.get("bits")
        if bits is not None and is_number(bits) and bits.value == 8:
            bits = dataclasses.replace(bits, value="8")
        written = self.choice(given.get("format"), under + "format", _FORMATS, default.format)
        image = ImageOptions(
            format=_SAME_FORMAT.get(written, written),
            quality=self.whole(given.get("quality"), under + "quality", 1, 100, default.quality),
            subsampling=self.choice(given.get("subsampling"), under + "subsampling", _SUBSAMPLING, default.subsampling),
            png_level=self.whole(given.get("png_level"), under + "png_level", 0, 9, default.png_level),
            lossless=self.boolean(given.get("lossless"), under + "lossless", default.lossless),
            bits=self.choice(bits, under + "bits", ("keep", "8"), default.bits),
            alpha=self.choice(given.get("alpha"), under + "alpha", ("keep", "drop"), default.alpha),
        )
        for key, node in given.items():
            if image.format not in _USED_BY.get(key, (image.format,)):
                self.warn(node, f"{under}{key} has no effect on {image.format}", "leave it out")
        return image
