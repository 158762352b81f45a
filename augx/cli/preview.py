"""`augx preview`."""

from __future__ import annotations

from typing import Any

import click

from augx.cli.options import input_argument, planning_options, quiet_option, request, workers_option
from augx.cli.output import say


@click.command("preview", short_help="See what run would make.")
@input_argument
@click.option(
    "-o",
    "--output",
    "path",
    type=click.Path(),
    metavar="SHEET",
    help="Where to write the sheet: a .png, .webp, .jpg or .html.",
)
@click.option("--show", is_flag=True, help="Show it in the terminal: kitty, iTerm2, or one with sixels.")
@planning_options
@click.option(
    "--sample",
    type=click.IntRange(1),
    metavar="N",
    help="So many sources, spread over the dataset; with --per-class so many classes.  [default: 4]",
)
@click.option("--per-class", is_flag=True, help="A row for each class.")
@click.option(
    "--only",
    multiple=True,
    metavar="NAME",
    help="This source: a path in INPUT, a file name, or a pattern ('cat_*'). Repeatable.",
)
@click.option("--step", is_flag=True, help="The first copy after each step of the recipe.")
@click.option("--extremes", is_flag=True, help="Each transform at both ends of its ranges.")
@click.option(
    "--cell",
    type=click.IntRange(40, 1000),
    default=200,
    show_default=True,
    metavar="PIXELS",
    help="Pictures are shown as wide and high at most.",
)
@click.option("--draw/--no-draw", default=True, help="Whether labels are drawn.")
@workers_option
@quiet_option
def preview_command(
    input: str, path: str | None, show: bool, step: bool, extremes: bool, draw: bool, quiet: bool, **chosen: Any
) -> int:
    """Write a contact sheet: sources of INPUT, beside the copies that run would make of them, with labels drawn.

    Copy 3 on the sheet is copy 3 of the run. Only what is shown is read, and nothing but the sheet is written. Exit
    code 1: some copies could not be made; the sheet says why.

    \b
    augx preview photos/ -r recipe.yaml -o sheet.png
    augx preview photos/ --only tabby.jpg -n 12 -o tabby.html
    augx preview photos/ -r recipe.yaml --step -o steps.png          one transform after the other
    augx preview photos/ -r recipe.yaml --extremes -o extremes.png   is a range too wide?
    augx preview photos/ --per-class --show
    """
    from augx import preview
    from augx.cli import inline

    if path is None and not show:
        raise click.UsageError("say where to write the sheet: -o sheet.png, or --show for the terminal")
    if step and extremes:
        raise click.UsageError("--step and --extremes are two sheets; ask for one at a time")
    if path is not None:
        preview.check_place(path, input, (chosen["recipe"], chosen["labels"], chosen["table"]))
    terminal = inline.terminal() if show else None
    asked = preview.Asked(
        request(input, "", chosen),
        show="step" if step else "extremes" if extremes else "copies",
        only=chosen["only"],
        sample=chosen["sample"],
        per_class=chosen["per_class"],
        cell=chosen["cell"],
        labels=draw,
        page=path is not None and path.lower().endswith((".html", ".htm")),
    )
    sheet = preview.make(asked)
    if path is not None:
        sheet.save(path)
    if terminal is not None:
        say(terminal(sheet.image(".png")))
    if not quiet:
        for note in sheet.notes:
            say(note, err=True)
        if path is not None:
            say(f"{path}: {sheet.told}")
    if sheet.failed:
        pictures = "1 picture" if sheet.failed == 1 else f"{sheet.failed:,} pictures"
        say(f"{pictures} could not be made; the sheet says why", err=True)
    return 1 if sheet.failed else 0
