"""What augx's own transforms are: frozen dataclasses whose fields are the arguments a recipe may give.

Three kinds. `Still` changes pixels where they are. `Mix` makes one picture of several, with its labels. `Policy` only
chooses: which other transforms, with which arguments. All draw first and apply second, like Classical. A fourth,
`Added`, changes nothing, but makes pictures of its own.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from augx.artefact import Place
from augx.model import Applied, Dropped, Json, LabelOptions, Picture, Step
from augx.seeds import Rng
from augx.transforms.catalog import TRANSFORMS

Array = NDArray[Any]
_NO_BOXES = np.zeros((0, 4), np.float32)
MOST_ADDED = 100_000


def arg(default: Json, **schema: Json) -> Any:
    """A field of a transform: its default as a recipe would write it, and the JSON Schema of what it may be."""
    metadata = {"schema": schema, "default": default}
    if isinstance(default, (list, dict)):
        return dataclasses.field(default_factory=lambda: default, metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


def needed(**schema: Json) -> Any:
    """A field that a recipe must give."""
    return dataclasses.field(metadata={"schema": schema})


def number(default: float, least: float, most: float) -> Any:
    return arg(default, type="number", minimum=least, maximum=most)


def whole(default: int, least: int, most: int) -> Any:
    return arg(default, type="integer", minimum=least, maximum=most)


def span(default: list[float], least: float, most: float, kind: str = "number") -> Any:
    """[low, high], of which one value is drawn. Names that end in `range` or `limit` are checked for low first."""
    one = {"type": kind, "minimum": least, "maximum": most}
    return arg(default, type="array", prefixItems=[one, one], minItems=2, maxItems=2)


def choice(default: str, *known: str) -> Any:
    return arg(default, enum=list(known))


def counts() -> Any:
    """How many of each class, or class -> how many."""
    return needed(anyOf=[{"type": "integer", "minimum": 1, "maximum": MOST_ADDED}, {"type": "object"}])


def switch(default: bool) -> Any:
    return arg(default, type="boolean")


@dataclass(frozen=True)
class Own:
    """`name`: in recipes. `chance`: p where the recipe gives none.

    The recipe's check has held the arguments against their schemas. What one schema cannot say (two arguments that do
    not go together) is a ValueError from `__post_init__`, in words for the user.
    """

    name: ClassVar[str]
    chance: ClassVar[float] = 0.5


@dataclass(frozen=True)
class Still(Own):
    """Changes pixels, moves none. Pixels are (H, W) grey or (H, W, 3) RGB, uint8 or uint16; what comes back is of the
    same shape and type, C-contiguous, and never the array that came in, changed."""

    moves: ClassVar[bool] = False
    wants_boxes: ClassVar[bool] = False

    def draw(self, picture: Picture, rng: Rng, boxes: Array = _NO_BOXES) -> dict[str, Any]:
        """Everything random, as `apply` wants it: what the manifest records (numbers, texts, lists, arrays).

        `boxes`: (n, 4) float32, x0, y0, x1, y1 as shares of the picture, where `wants_boxes`.
        """
        raise NotImplementedError

    def apply(self, picture: Picture, params: Mapping[str, Any]) -> Picture:
        """A function of the picture and what was drawn. Raises ImageError where it cannot work on this picture."""
        raise NotImplementedError

    def warp(self, picture: Picture, params: Mapping[str, Any]) -> None:
        return None

    def erased(self, mask: Array, params: Mapping[str, Any]) -> Array:
        """The class mask afterwards: as it was, unless the recipe wants a class where the picture was blanked."""
        return mask


@dataclass(frozen=True, slots=True)
class Need:
    """Which other pictures a mix wants of one picture's partners.

    `kind`: same, other or any class; or "folder": the pictures in `folder`, which have no labels. `count`: how many.
    `nearest`: only of so many that look most like the picture; 0: all are alike. `look`: what a picture looks like, an
    array; None: as a thumbnail.
    """

    kind: str = "any"
    count: int = 1
    nearest: int = 0
    folder: str = ""
    look: Callable[[Picture], Array] | None = None


@dataclass(frozen=True, slots=True)
class Rules:
    """How labels are carried where a mix moves pictures.

    `swaps`: as Carrier's. `outside`: the class of masks for no class. `hard`: images keep one class each, so a mix
    keeps at least half of the picture it begins with.
    """

    options: LabelOptions
    swaps: Mapping[str, tuple[int, ...]]
    outside: int = 0
    hard: bool = False


@dataclass(frozen=True)
class Mix(Own):
    """Makes one picture of several. `picture` and `others` come with labels and masks, fitted and whole; `others` have
    the channels and depth of `picture`, no alpha if it has none, and may be of any size.

    `keeps_half`: with `Rules.hard` at least half of the result is `picture`.
    """

    keeps_half: ClassVar[bool] = True

    def need(self) -> Need:
        raise NotImplementedError

    def draw(self, picture: Picture, others: Sequence[Picture], rng: Rng, rules: Rules) -> dict[str, Any]:
        raise NotImplementedError

    def apply(
        self, picture: Picture, others: Sequence[Picture], params: Mapping[str, Any], rules: Rules
    ) -> tuple[Picture, tuple[Dropped, ...]]:
        """The mixed picture with labels and masks, and the objects of all of them that it has lost."""
        raise NotImplementedError


@dataclass(frozen=True)
class Learned(Own):
    """Works with a model that `augx learn` wrote. `model`: as the recipe names it; in a worker, where it is."""

    model: str | Place

    @property
    def place(self) -> Place:
        return self.model if isinstance(self.model, Place) else Place(self.model)


@dataclass(frozen=True)
class Added(Own):
    """Makes pictures out of nothing. `per_class`: how many of each class, or class -> how many."""

    chance: ClassVar[float] = 1.0

    per_class: int | Mapping[str, int]

    def __post_init__(self) -> None:
        for name, count in self.per_class.items() if isinstance(self.per_class, Mapping) else ():
            if type(count) is not int or not 1 <= count <= MOST_ADDED:
                raise ValueError(f"per_class: of {name} a whole number from 1 to {MOST_ADDED}")

    def make(self, label: str, rng: Rng) -> tuple[Picture, Applied]:
        """A picture of the class `label`, and what was drawn. Raises ImageError where none can be made."""
        raise NotImplementedError


@dataclass(frozen=True)
class Policy(Own):
    """Chooses transforms. `choose` is a pure function of the generators."""

    chance: ClassVar[float] = 1.0

    def choose(self, rng: Rng, labelled: bool) -> tuple[dict[str, Json], Sequence[Step]]:
        """What the manifest records of the choice, and the steps to apply, for certain and in order.

        `labelled`: the picture has objects, keypoints or masks, which go along where pixels move.
        """
        raise NotImplementedError


@cache
def load(name: str) -> type[Own]:
    """The class of one of augx's own transforms; KeyError if there is none of that name."""
    module, _, attribute = TRANSFORMS[name].own.partition(":")
    if not attribute:
        raise KeyError(name)
    found: type[Own] = getattr(import_module(module), attribute)
    return found


def make(name: str, args: Mapping[str, Json]) -> Any:
    return load(name)(**args)


def schemas(name: str) -> dict[str, dict[str, Json]]:
    """Argument -> JSON Schema."""
    return {field.name: dict(field.metadata["schema"]) for field in dataclasses.fields(load(name))}


def defaults(name: str) -> dict[str, Json]:
    """Argument -> default, and p; without those that a recipe must give."""
    cls = load(name)
    known = {f.name: f.metadata["default"] for f in dataclasses.fields(cls) if "default" in f.metadata}
    return known | {"p": cls.chance}
