"""`augx init`."""

from __future__ import annotations

import os
from typing import Any

import click

from augx.cli.options import input_argument, read_options, reading_options


@click.command("init", short_help="Write a starter recipe.")
@input_argument
@click.option("-o", "--output", default="recipe.yaml", show_default=True, help="The file to write; - for stdout.")
@click.option("--force", is_flag=True, help="Write over a file that is there.")
@reading_options
def init_command(input: str, output: str, force: bool, from_format: str | None, **chosen: Any) -> int:
    """Look at the dataset in INPUT and write a commented recipe that fits it.

    \b
    augx init photos/
    augx init photos/ -o - | less
    """
    from augx import formats
    from augx.errors import OutputError
    from augx.starter import starter
    from augx.store import write_file

    source = formats.detect(input, from_format)
    dataset = source.read(input, read_options(chosen))
    splits = sorted({sample.split for sample in dataset.samples if sample.split})
    text = starter(any(s.annotations.labels for s in dataset.samples), splits, dataset.classes)
    if output == "-":
        click.echo(text, nl=False)
        return 0
    if os.path.lexists(output) and not force:
        raise OutputError(f"{output} is there already", "give another name with -o, or --force to write over it")
    write_file(output, text.encode())
    click.echo(f"wrote {output} for {len(dataset.samples):,} images in format {dataset.format}")
    click.echo(f"next: augx run {input} OUTPUT -r {output}")
    return 0
