"""`augx init`."""

from __future__ import annotations

import os
from typing import Any

import click

from augx.cli.options import input_argument, read_options, reading_options

_SCHEMA = ".augx.schema.json"


@click.command("init", short_help="Write a starter recipe.")
@input_argument
@click.option("-o", "--output", default="recipe.yaml", show_default=True, help="The file to write; - for stdout.")
@click.option("--force", is_flag=True, help="Write over a file that is there.")
@click.option(
    "--schema/--no-schema",
    default=True,
    show_default=True,
    help="Also write .augx.schema.json beside it, by which editors complete and explain the recipe.",
)
@reading_options
def init_command(input: str, output: str, force: bool, schema: bool, from_format: str | None, **chosen: Any) -> int:
    """Look at the dataset in INPUT and write a commented recipe that fits it.

    Its first line tells editors where the schema is, which `augx schema` prints: in a file beside it, because that
    needs no network and says what this version of augx takes.

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
    if schema:
        from augx.schema import as_text

        write_file(os.path.join(os.path.dirname(output), _SCHEMA), as_text().encode())
        text = f"# yaml-language-server: $schema={_SCHEMA}\n{text}"
    write_file(output, text.encode())
    click.echo(f"wrote {output} for {len(dataset.samples):,} images in format {dataset.format}")
    click.echo(f"next: augx run {input} OUTPUT -r {output}")
    return 0
