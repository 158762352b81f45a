"""`augx.run`, `merge`, `sheet` and `read`: what the command line does, from Python. Nothing is printed."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from types import ModuleType
from typing import TYPE_CHECKING

from augx import dispatch, engine, formats
from augx import recipe as recipes
from augx.engine import Outcome, Progress, Request
from augx.errors import Refused
from augx.executors import ALL, EXECUTORS, cores
from augx.formats import ReadOptions
from augx.model import Dataset
from augx.recipe import Recipe
from augx.remote.mirror import address, scope
from augx.request import Share, here, left

if TYPE_CHECKING:
    from augx.preview import Sheet

Path = str | os.PathLike[str]
_MOST_WORKERS = 1024
_ROLES = ("file", "label", "labels", "split")


class _Silent:
    """Progress that nobody sees."""

    def begin(self, images: int, kept: int) -> None: ...
    def step(self, made: int, failed: int) -> None: ...
    def end(self) -> None: ...


@scope()
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
    shard: str | None = None,
    executor: str = "local",
    executor_options: Mapping[str, str] | None = None,
    progress: Progress | None = None,
) -> Outcome:
    """Multiplies the labelled images under `input` into `output`, as `augx run` does; only what has changed is made.

    `recipe`: a Recipe, a file, the name of a bundled one, or None for the bundled one that fits the labels. `copies`,
    `seed`, `originals`, `hard_labels`: instead of what it says. `to`: one or several formats; none: that of `input`.
    `workers`: processes, None: one a core (or all that another `executor` has), 0: none. `shard`: "3/16", that part
    only, for `merge` to join with the others. `max_errors`: images that may fail, or "5%". `progress`: told how
    many images there are and of each few that are done.

    Images that cannot be made are rows of failures.jsonl and counted in `Outcome.failed`. Raises Refused (RecipeError,
    InputError, OutputError among them) before anything is written, and GateError or Stopped half-way: the same call
    then goes on from there.
    """
    found = _read_options(labels, table, columns)
    root, target = here(_path("input", input), True), here(_path("output", output), False)
    for name, value in {"originals": originals, "hard_labels": hard_labels}.items():
        _check(name, value, (bool, type(None)), "True, False or None")
    for name, value in {"strict": strict, "allow_loss": allow_loss}.items():
        _check(name, value, (bool,), "True or False")
    if max_errors is not None and not (type(max_errors) in (int, str) and dispatch.ERRORS.fullmatch(str(max_errors))):
        raise _wrong("max_errors", max_errors, 'a number of images, or a percentage such as "5%"')
    given = _changes(copies=copies, seed=seed, originals=originals, hard=hard_labels)
    if executor not in EXECUTORS:
        raise _wrong("executor", executor, f"one of {', '.join(EXECUTORS)}")
    options = {} if executor_options is None else executor_options
    if not isinstance(options, Mapping) or not all(isinstance(one, str) for pair in options.items() for one in pair):
        raise _wrong("executor_options", options, "a mapping of names to texts")
    request = Request(
        input=root,
        output=target,
        recipe=_recipe(recipe, given),
        changes=given,
        from_format=_name("from_format", from_format),
        to_formats=_names("to", to),
        read=found,
        workers=ALL if workers is None and executor != "local" else _workers(workers),
        max_errors=None if max_errors is None else str(max_errors),
        strict=strict,
        allow_loss=allow_loss,
        share=None if shard is None else Share.parse(str(shard)),
        executor=executor,
        options=dict(options),
    )
    with _no_main():
        return engine.run(request, progress or _Silent(), recipes.check_transforms)


@scope()
def merge(output: Path, input: Path | None = None) -> Outcome:
    """Joins what `run` with `shard` has left in `output`, as `augx merge` does; no image is made.

    `input`: where INPUT is, if it is not where the shards found it. `Outcome.missing` says which shards have yet to be
    run, or run again, and how many images each lacks: then nothing was joined. Raises Refused where there are none.
    """
    target = here(_path("output", output), False)
    if whole := engine.merged(target):
        return whole
    return engine.run(
        left(target, None if input is None else here(_path("input", input), True)), _Silent(), lambda recipe: None
    )


@scope()
def sheet(
    input: Path,
    recipe: Recipe | Path | None = None,
    *,
    show: str = "copies",
    only: str | Iterable[str] = (),
    sample: int | None = None,
    per_class: bool = False,
    cell: int = 200,
    draw: bool = True,
    copies: int | None = None,
    seed: int | None = None,
    from_format: str | None = None,
    labels: str | None = None,
    table: str | None = None,
    columns: Mapping[str, str] | None = None,
    workers: int | None = None,
) -> Sheet:
    """A contact sheet, as `augx preview` draws it: sources beside the copies that `run` would make of them. A notebook
    shows it; `save("sheet.png")` writes it.

    `show`: "copies", "step" (the first copy after each step) or "extremes" (each transform at both ends of its ranges).
    `only`: names or patterns of sources. `sample`: how many sources, or with `per_class` classes. `cell`: pixels a
    picture is wide and high at most. `draw`: labels. The rest is as for `run`.

    Copies that cannot be made say why on the sheet and are counted in `Sheet.failed`. Raises Refused (RecipeError,
    InputError among them) where there is nothing to show.
    """
    from augx import preview

    root, found = here(_path("input", input), True), _read_options(labels, table, columns)
    for name, value in {"per_class": per_class, "draw": draw}.items():
        _check(name, value, (bool,), "True or False")
    if show not in preview.SHOWN:
        raise _wrong("show", show, f"one of {', '.join(preview.SHOWN)}")
    if sample is not None and (type(sample) is not int or sample < 1):
        raise _wrong("sample", sample, "a whole number from 1, or None")
    least, most = preview.CELLS
    if type(cell) is not int or not least <= cell <= most:
        raise _wrong("cell", cell, f"a whole number from {least} to {most}")
    given = _changes(copies=copies, seed=seed)
    request = Request(
        input=root,
        output="",
        recipe=_recipe(recipe, given),
        changes=given,
        from_format=_name("from_format", from_format),
        read=found,
        workers=_workers(workers),
    )
    asked = preview.Asked(request, show, _names("only", only), sample, per_class, cell, draw)
    with _no_main():
        return preview.make(asked)


@scope()
def read(
    path: Path,
    *,
    from_format: str | None = None,
    labels: str | None = None,
    table: str | None = None,
    columns: Mapping[str, str] | None = None,
) -> Dataset:
    """The labelled dataset at a path: names, labels and what is wrong with them, no pixels. Raises InputError."""
    root, options = here(_path("path", path), True), _read_options(labels, table, columns)
    dataset = formats.detect(root, _name("from_format", from_format)).read(root, options)
    return replace(dataset, root=address(dataset.root))


def _changes(
    copies: int | None, seed: int | None, originals: bool | None = None, hard: bool | None = None
) -> dict[str, int | bool]:
    """What is to be otherwise than the recipe says."""
    for name, value in {"copies": copies, "seed": seed}.items():
        if isinstance(value, bool) or not isinstance(value, int | None):
            raise _wrong(name, value, "a whole number, or None")
    changes = {"copies": copies, "seed": seed, "originals": originals, "hard": hard}
    return {key: value for key, value in changes.items() if value is not None}


def _recipe(recipe: Recipe | Path | None, changes: Mapping[str, int | bool]) -> Recipe | None:
    _check("recipe", recipe, (Recipe, str, os.PathLike, type(None)), "a Recipe, a path, or the name of a bundled one")
    known = recipe if isinstance(recipe, Recipe) or recipe is None else recipes.read(_source(recipe), checked=False)
    return known.replace(**changes) if known else None  # type: ignore[arg-type]


def _source(recipe: Path) -> str:
    """A path object is always a file, as a text with a separator is; a text alone may be a bundled name."""
    return recipes.no_stdin(recipe) if isinstance(recipe, str) else os.path.join(os.curdir, _path("recipe", recipe))


def _read_options(labels: str | None, table: str | None, columns: Mapping[str, str] | None) -> ReadOptions:
    if not isinstance(columns, Mapping | None) or not all(
        role in _ROLES and isinstance(name, str) for role, name in (columns or {}).items()
    ):
        raise _wrong("columns", columns, f"a mapping of {', '.join(_ROLES)} to the names of columns")
    return ReadOptions(_name("labels", labels), _name("table", table), dict(columns or {}))


def _path(name: str, value: object) -> str:
    try:
        path = os.fspath(value)  # type: ignore[call-overload]
    except TypeError:
        path = None
    if not isinstance(path, str) or "\0" in path:
        raise _wrong(name, value, "a path: a str or a pathlib.Path")
    return path


def _name(name: str, value: str | None) -> str | None:
    _check(name, value, (str, type(None)), "a str, or None")
    return value


def _names(name: str, value: str | Iterable[str]) -> tuple[str, ...]:
    names = (value,) if isinstance(value, str) else tuple(value) if isinstance(value, Iterable) else (None,)
    if not all(isinstance(one, str) for one in names):
        raise _wrong(name, value, "a name, or several in a list")
    return tuple(str(one) for one in names)


def _check(name: str, value: object, kinds: tuple[type, ...], wanted: str) -> None:
    if not isinstance(value, kinds):
        raise _wrong(name, value, wanted)


def _wrong(name: str, value: object, wanted: str) -> Refused:
    return Refused(f"{name} cannot be {repr(value)[:60]}", f"give {wanted}")


def _workers(workers: int | None) -> int:
    if workers is None:
        return cores()
    if type(workers) is not int or not 0 <= workers <= _MOST_WORKERS:
        raise _wrong("workers", workers, f"a whole number from 0 to {_MOST_WORKERS}, or None for one a core")
    return workers


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
