"""`augx.run` and `augx.read`: what the command line does, from Python. Nothing is printed."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType

from augx import engine, formats
from augx import recipe as recipes
from augx.engine import Outcome, Progress, Request
from augx.formats import ReadOptions
from augx.model import Dataset
from augx.recipe import Recipe

Path = str | os.PathLike[str]


class _Silent:
    """Progress that nobody sees."""

    def begin(self, images: int, kept: int) -> None: ...
    def step(self, made: int, failed: int) -> None: ...
    def end(self) -> None: ...


def run(
    input: Path,
    output: Path,
    recipe: Recipe | Path | None = None,
    *,
    copies: int | None = None,
    seed: int | None = None,
    originals: bool | None = None,
    hard_labels: bool | None = None,
    to: str | Iterable[str] = (),
    from_format: str | None = None,
    labels: str | None = None,
    table: str | None = None,
    columns: Mapping[str, str] | None = None,
    workers: int | None = None,
    max_errors: str | int | None = None,
    strict: bool = False,
    allow_loss: bool = False,
    progress: Progress | None = None,
) -> Outcome:
    """Multiplies the labelled images under `input` into `output`, as `augx run` does; only what has changed is made.

    `recipe`: a Recipe, a file, the name of a bundled one, or None for the bundled one that fits the labels. `copies`,
    `seed`, `originals`, `hard_labels`: instead of what it says. `to`: one or several formats; none: that of `input`.
    `workers`: processes, None: one a core, 0: none. `max_errors`: images that may fail, or "5%". `progress`: told how
    many images there are and of each few that are done.

    Images that cannot be made are rows of failures.jsonl and counted in `Outcome.failed`. Raises Refused (RecipeError,
    InputError, OutputError among them) before anything is written, and GateError or Stopped half-way: the same call
    then goes on from there.
    """
    changes = {"copies": copies, "seed": seed, "originals": originals, "hard": hard_labels}
    given = {key: value for key, value in changes.items() if value is not None}
    known = recipe if isinstance(recipe, Recipe) or recipe is None else recipes.read(_source(recipe), checked=False)
    request = Request(
        input=os.fspath(input),
        output=os.fspath(output),
        recipe=known.replace(**given) if known else None,  # type: ignore[arg-type]
        changes=given,
        from_format=from_format,
        to_formats=(to,) if isinstance(to, str) else tuple(to),
        read=ReadOptions(labels=labels, table=table, columns=dict(columns or {})),
        workers=_cores() if workers is None else workers,
        max_errors=None if max_errors is None else str(max_errors),
        strict=strict,
        allow_loss=allow_loss,
    )
    with _no_main():
        return engine.run(request, progress or _Silent(), recipes.check_transforms)


def read(
    path: Path,
    *,
    from_format: str | None = None,
    labels: str | None = None,
    table: str | None = None,
    columns: Mapping[str, str] | None = None,
) -> Dataset:
    """The labelled dataset at a path: names, labels and what is wrong with them, no pixels. Raises InputError."""
    options = ReadOptions(labels=labels, table=table, columns=dict(columns or {}))
    return formats.detect(os.fspath(path), from_format).read(os.fspath(path), options)


def _source(recipe: Path) -> str:
    """A path object is always a file, as a text with a separator is; a text alone may be a bundled name."""
    return recipe if isinstance(recipe, str) else os.path.join(os.curdir, os.fspath(recipe))


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def _no_main() -> Iterator[None]:
    """Workers need nothing of the calling script, which they would else run again from its first line: a script that
    calls `augx.run` need not hide it behind `if __name__ == "__main__"`."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main
