"""`augx demo`."""

from __future__ import annotations

import os

import click

from augx.cli.options import cores


@click.command("demo", short_help="See what augx does, without data.")
@click.argument("output", metavar="OUTPUT", type=click.Path())
@click.option(
    "-n",
    "--copies",
    type=click.IntRange(1, 100_000),
    default=5,
    show_default=True,
    metavar="N",
    help="New images per source.",
)
def demo_command(output: str, copies: int) -> int:
    """Draw a small labelled dataset, multiply it, and say where to look.

    OUTPUT gets images/ (the dataset), recipe.yaml, and images-xN/ (what run makes of them).

    \b
    augx demo /tmp/augx-demo
    """
    from augx import demo, engine, recipe
    from augx.cli.output import Progress, summarise
    from augx.errors import OutputError
    from augx.remote.bucket import is_address

    if is_address(output):
        raise OutputError(f"{output}: the demo is drawn on this machine", "give a path here")
    there = os.path.lexists(output) and (not os.path.isdir(output) or os.listdir(output))
    if there and not demo.begun(output, f"images-x{copies}"):
        raise OutputError(f"{output} is there already and is not empty", "choose a new folder")
    images = demo.draw(output)
    path = os.path.join(output, "recipe.yaml")
    asked = engine.Request(images, f"{images}-x{copies}", recipe.read(path).replace(copies=copies), workers=cores())
    click.echo(f"drew 12 images in {images}, and wrote {path}")
    click.echo(f"$ augx run {images} {asked.output} -r {path} -n {copies}")
    outcome = engine.run(asked, Progress(quiet=False), recipe.check_transforms)
    summarise(outcome, asked.output, verbose=False)
    return 1 if outcome.failed else 0
