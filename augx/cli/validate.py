"""`augx validate`."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import click

from augx.cli import completing
from augx.cli.options import Place, hard_option, quiet_option, read_options, reading_options, to_option
from augx.cli.output import say
from augx.errors import one_line
from augx.remote.mirror import named

if TYPE_CHECKING:
    from augx.errors import Problem
    from augx.lint.data import Looking

_MOST = 5  # findings of one code in a dataset that a person is shown
_LEVELS = ("error", "warning", "note")


def _explain(context: click.Context, _: click.Parameter, code: str | None) -> None:
    if code is not None:
        from augx.cli.catalogue import show_command

        context.invoke(show_command, name=code, as_json=False)
        context.exit()


@click.command("validate", short_help="Find what is wrong or unwise in recipes.")
@click.argument("recipes", metavar="RECIPE...", nargs=-1, required=True, shell_complete=completing.recipes)
@click.option(
    "--input", "input", metavar="DIR", type=Place(reads=True), help="Also look at this dataset, as they would."
)
@reading_options
@to_option
@hard_option
@click.option(
    "--sample",
    "most",
    metavar="N",
    type=click.IntRange(0),
    default=5000,
    show_default=True,
    help="Look into so many images of the dataset at most, evenly by name; 0: into all.",
)
@click.option(
    "--fix",
    is_flag=True,
    help="Mend in the file what has one right answer: case and separators of names, arguments named as in other"
    " versions, yes for true, [high, low]. Comments and layout stay.",
)
@click.option(
    "--output-format",
    type=click.Choice(["text", "json", "github"]),
    default="text",
    show_default=True,
    help="json for programs, github for annotations in a pull request.",
)
@click.option("--strict", is_flag=True, help="Warnings count as errors.")
@click.option(
    "--explain",
    metavar="CODE",
    is_eager=True,
    expose_value=False,
    callback=_explain,
    shell_complete=completing.codes,
    help="Say what a finding means and what to do, and nothing else.",
)
@quiet_option
def validate_command(
    recipes: tuple[str, ...],
    input: str | None,
    most: int,
    fix: bool,
    output_format: str,
    strict: bool,
    quiet: bool,
    **chosen: Any,
) -> int:
    """Find all that is wrong or unwise in recipes, each as file:line:column: message (what to do) [level: code].

    Errors are what augx run refuses, or what would make images fail. A warning is not what was meant, most likely; a
    note could be quicker or better. A comment says that something is meant: # augx: ignore[CODE], behind the line or
    above it; above the first line of the recipe it holds for all of it and for the dataset.

    With --input the dataset is looked at, too: broken files, labels that do not fit, the same pictures twice or in
    different splits, uneven classes, and what the recipe would do to the meaning of labels.

    The exit code is that of augx run: 0, 1 where images would fail, 2 where it would refuse; with --strict 2 for any
    warning, too.

    \b
    augx validate recipe.yaml
    augx validate recipe.yaml --fix
    augx validate recipes/*.yaml --input photos/ --output-format github
    augx validate --explain range-destroys
    """
    from augx.cli.output import print_json
    from augx.lint.data import Looking

    problems: list[Problem] = []
    look = Looking(most)
    if fix:
        _fix(list(dict.fromkeys(recipes)))
    for name in recipes:
        problems += _findings(name, input, look, chosen)
    problems = list(dict.fromkeys(map(_named, problems)))  # of the dataset each once
    if output_format == "json":
        print_json([asdict(problem) for problem in problems])
    elif output_format == "github":
        for problem in _fewer(problems, named(input or "")):
            say(_github(problem))
    else:
        for problem in _fewer(problems, named(input or "")):
            say(f"{problem} [{problem.severity}: {problem.code}]")
        if not quiet and not any(problem.severity == "error" for problem in problems):
            count = Counter(problem.severity for problem in problems)
            rest = [f"{count[level]} {level}{'s' * (count[level] > 1)}" for level in _LEVELS if count[level]]
            say(f"no errors in {', '.join(map(one_line, recipes))}" + (f"; {' and '.join(rest)}" if rest else ""))
    return _code(problems, strict)


def _named(problem: Problem) -> Problem:
    """With URLs instead of the folders that stand for them."""
    file, message, way_out = map(named, (problem.file, problem.message, problem.suggestion))
    return replace(problem, file=file, message=message, suggestion=way_out)


def _code(problems: Sequence[Problem], strict: bool) -> int:
    from augx.rules import REFUSED

    if any(p.code in REFUSED or (strict and p.severity != "note") for p in problems):
        return 2
    return int(any(p.severity == "error" for p in problems))


def _findings(name: str, input: str | None, look: Looking, chosen: dict[str, Any]) -> list[Problem]:
    from augx import engine, lint, recipe
    from augx.errors import Problem, RecipeError, Refused

    try:
        text, shown = recipe.text_of(name)
        read = recipe.parse(text, shown)
    except RecipeError as error:
        return list(error.problems)
    if input is None:
        return lint.findings(read, text)
    try:
        asked, to = read.replace(hard=chosen["hard"]), tuple(chosen["to_formats"])
        plan, _ = engine.read(engine.Request(input, "", asked, chosen["from_format"], to, read_options(chosen)))
    except Refused as error:
        refused = Problem(name, 0, 0, error.message, error.hint, code="dataset-refused")
        return [*lint.findings(read, text), refused]
    return lint.findings(read, text, plan.dataset, input.rstrip("/") or input, look)


def _fix(names: Sequence[str]) -> None:
    """Mends the files of recipes; none if one of them may not be written."""
    from augx.errors import Refused
    from augx.store import write_file

    mended = {name: found for name in names if (found := _fixed(name))[1]}
    status = {name: os.stat(name) for name in mended}
    for name in mended:
        if not status[name].st_mode & 0o222 or not os.access(name, os.W_OK):  # root may write whatever it says
            raise Refused(f"{name} is read-only", "make it writable, or leave out --fix; no file was changed")
    for name, (text, done) in mended.items():
        write_file(name, text)
        for line in done:
            say(f"fixed {one_line(line)}", err=True)
        if (others := status[name].st_nlink - 1) > 0:
            also = f"{others} other name{'s' * (others > 1)} (hard links)"
            say(f"warning: {name} is a file of its own now; {also} of it have the text as it was", err=True)


def _fixed(name: str) -> tuple[bytes, list[str]]:
    """The text of a recipe's file as it should be, and what is mended in it."""
    from augx import recipe
    from augx.errors import RecipeError
    from augx.lint.fixes import fixed

    def find(text: bytes) -> Sequence[Problem]:
        try:
            return recipe.parse(text, name).warnings
        except RecipeError as error:
            return error.problems

    if not recipe.is_file(name):
        raise click.UsageError(f"--fix works on files, and {name!r} is none")
    try:
        text, _ = recipe.text_of(name)
    except RecipeError:
        return b"", []  # which is told as a finding
    return fixed(text, name, find)


def _fewer(problems: Sequence[Problem], input: str) -> Iterator[Problem]:
    """The first of each code in a dataset, and how many more there are."""
    from augx.errors import Problem

    count = Counter[tuple[str, str]]()
    for problem in problems:
        if problem.line == 0:
            count[problem.severity, problem.code] += 1
        if problem.line or count[problem.severity, problem.code] <= _MOST:
            yield problem
    for (level, code), number in count.items():
        if number > _MOST:
            message = f"{number - _MOST:,} more like this"
            yield Problem(input, 0, 0, message, "--output-format json has all", level, code)


def _github(problem: Problem) -> str:
    def escaped(text: str) -> str:
        return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")

    text = problem.message + (f" ({problem.suggestion})" if problem.suggestion else "")
    file = escaped(problem.file).replace(":", "%3A").replace(",", "%2C")
    place = f",line={problem.line},col={problem.column}" if problem.line else ""
    level = "notice" if problem.severity == "note" else problem.severity
    return f"::{level} file={file}{place},title={problem.code}::{escaped(text)}"
