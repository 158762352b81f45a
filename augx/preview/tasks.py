"""What goes to the workers that make a sheet, and what comes back. Light: what is heavy they import, while labels are
read here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from augx.drawing.colours import Colour
from augx.drawing.sheet import Row
from augx.model import Dataset, Job, Json
from augx.partners import Folders

Alive = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Orders:
    """What a worker has to know: `recipe` in its canonical form, `dataset`, `lost` and `folders` as those of a run's
    workers.

    `cell`: tiles are as wide and high at most, in pixels; `zoom`: they are so many times as fine. `labels`: whether
    they are drawn. `first`: classes that get their colours before others do.
    """

    recipe: Json
    dataset: Dataset
    lost: Mapping[str, frozenset[str]]
    folders: Folders
    cell: int
    zoom: int
    labels: bool
    first: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Task:
    """A source to be shown, its `number` on the sheet, how ("copies", "step", "extremes"), and why: a class, or ""."""

    number: int
    show: str
    job: Job
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """`used`: classes that were drawn. `failed`: how many tiles say why they show nothing."""

    rows: tuple[Row, ...]
    used: Mapping[str, Colour]
    failed: int


def start(orders: Orders) -> Callable[[Task, Alive], Answer]:
    from augx.preview.rows import Rows

    return Rows(orders)
