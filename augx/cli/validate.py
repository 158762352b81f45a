"""`augx validate`."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from augx.cli.options import hard_option, quiet_option, read_options, reading_options, to_option

if TYPE_CHECKING:
    from augx.errors import Problem


@click.command("validate", short_help="Find the errors in recipes.")
@click.argument("recipes", metavar="RECIPE...", nargs=-1, required=True)
@click.option("--input", "input", metavar="DIR", type=click.Path(), help="Also hold the recipes against this dataset.")
@reading_options
@to_option
@hard_option
@click.option(
    "--output-format",
    type=click.Choice(["text", "json", "github"]),
    default="text",
    show_default=True,
    help="json for programs, github for annotations in a pull request.",
)
@click.option("--strict", is_flag=True, help="Warnings count as errors.")
@quiet_option
def validate_command(
    recipes: tuple[str, ...],
    input: str | None,
    output_format: str,
    strict: bool,
    quiet: bool,
    **chosen: Any,
) -> int:
    """Find all errors of recipes at once, each as file:line:column: message, with what to do.

    \b
    augx validate recipe.yaml
    augx validate recipes/*.yaml --input photos/ --output-format github
    """
    from augx import recipe
    from augx.cli.output import print_json
    from augx.errors import Problem, RecipeError

    problems: list[Problem] = []
    for name in recipes:
        try:
            read = recipe.read(name)
        except RecipeError as error:
            problems += error.problems
            continue
        problems += read.warnings
        if input is not None:
            from augx import lint, run
            from augx.errors import Refused

            try:
                asked = read.replace(hard=chosen["hard"])
                to = tuple(chosen["to_formats"])
                plan, _ = run.read(run.Request(input, "", asked, chosen["from_format"], to, read_options(chosen)))
            except Refused as error:
                problems.append(Problem(name, 0, 0, error.message, error.hint))
                continue
            problems += lint.meaning(read, plan.dataset) + lint.turned(read, plan.dataset)
            problems += [
                Problem(f"{input}/{flaw.source}", 0, 0, flaw.message, f"augx show {flaw.code}", "warning")
                for flaw in (*plan.dataset.failed, *plan.dataset.warnings, *lint.leaks(plan.dataset))
            ]
    errors = [p for p in problems if p.severity == "error" or strict]
    if output_format == "json":
        print_json([asdict(problem) for problem in problems])
    elif output_format == "github":
        for problem in problems:
            click.echo(_github(problem))
    else:
        for problem in problems:
            click.echo(str(problem) if problem.severity == "error" else f"{problem} [warning]")
        if not problems and not quiet:
            click.echo("no errors in " + ", ".join(recipes))
    return 2 if errors else 0


def _github(problem: Problem) -> str:
    def escaped(text: str) -> str:
        return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")

    text = problem.message + (f" ({problem.suggestion})" if problem.suggestion else "")
    file = escaped(problem.file).replace(":", "%3A").replace(",", "%2C")
    place = f",line={problem.line},col={problem.column}" if problem.line else ""
    return f"::{problem.severity} file={file}{place}::{escaped(text)}"
