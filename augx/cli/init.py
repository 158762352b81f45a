"""`augx init`."""

from __future__ import annotations

import os
from typing import Any

import click

from augx.cli.options import input_argument, read_options, reading_options
from augx.cli.output import say

_SCHEMA = ".augx.schema.json"


@click.command("init", short_help="Write a starter recipe.")
@input_argument
@click.option("-o", "--output", default="recipe.yaml", show_default=True, help="The file to write; - for stdout.")
@click.option("--force", is_flag=True, help="Write over files that are there.")
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
    from augx.starter import starter
    from augx.store import write_file

    source = formats.detect(input, from_format)
    dataset = source.read(input, read_options(chosen))
    splits = sorted({sample.split for sample in dataset.samples if sample.split})
    text = starter(any(s.annotations.labels for s in dataset.samples), splits, dataset.classes)
    if output == "-":
        say(text, nl=False)
        return 0
    beside = os.path.join(os.path.dirname(output), _SCHEMA)
    _check(output, beside if schema else "", force)
    if schema:
        from augx.schema import as_text

        write_file(beside, as_text().encode())
        text = f"# yaml-language-server: $schema={_SCHEMA}\n{text}"
    write_file(output, text.encode())
    say(f"wrote {output} for {len(dataset.samples):,} images in format {dataset.format}")
    if schema:
        say(f"wrote {beside}, by which editors complete and explain it")
    say(f"next: augx run {input} OUTPUT -r {output}")
    return 0


def _check(output: str, schema: str, force: bool) -> None:
    """Refused where one of the files cannot be written, before any is. `schema`: "" for none."""
    from augx import spare
    from augx.errors import Refused
    from augx.schema import is_schema

    spare.check_place(output, "recipe.yaml")
    spare.check_free(output, force, "give another name with -o, or --force to write over it")
    if schema:
        if os.path.isdir(schema):
            raise Refused(f"{schema} is a folder", "remove it, or leave the schema out: --no-schema")
        way_out = "leave it as it is with --no-schema, or --force to write over it"
        spare.check_free(schema, force, way_out, is_schema)
