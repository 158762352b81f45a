"""`augx convert`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import click

from augx.cli import completing
from augx.cli.options import (
    input_argument,
    json_option,
    loss_option,
    means,
    output_argument,
    quiet_option,
    read_options,
    reading_options,
    tar_options,
    verbose_option,
    working_options,
)  # fmt: skip


@click.command("convert", short_help="Write a dataset in another label format.")
@input_argument
@output_argument
@click.option(
    "--to",
    "to_formats",
    metavar="FORMAT",
    multiple=True,
    required=True,
    shell_complete=completing.formats,
    help="Format of OUTPUT.",
)
@reading_options
@loss_option
@tar_options
@click.option(
    "--pixels",
    type=click.Choice(["upright", "stored"]),
    default="upright",
    show_default=True,
    help="What labels count in, where EXIF turns a picture.",
)
@working_options
@click.option("--strict", is_flag=True, help="Refuse where there would be a warning.")
@json_option
@quiet_option
@verbose_option
def convert_command(
    input: str, output: str, to_formats: tuple[str, ...], as_json: bool, quiet: bool, verbose: bool, **chosen: Any
) -> int:
    """Write the dataset INPUT to OUTPUT in another label format. Images go over byte for byte.

    What the other format cannot hold is refused by name before anything is written; --allow-loss leaves it out.
    `augx list formats` says what each format holds.

    \b
    augx convert voc/ yolo/ --to yolo
    augx convert coco/ out/ --to labelme --labels annotations/instances_val2017.json
    augx convert coco/ boxes/ --to voc --allow-loss      polygons are left out, boxes stay
    """
    from augx import engine
    from augx.cli.output import Progress, show_json, summarise
    from augx.model import LabelOptions
    from augx.recipe import CONVERSION

    sizes = {key: chosen[key] for key in ("tar_images", "tar_bytes")}
    asked = engine.Request(
        input=input,
        output=output,
        recipe=replace(CONVERSION, labels=LabelOptions(pixels=chosen["pixels"])).replace(**sizes),
        from_format=chosen["from_format"],
        to_formats=to_formats,
        read=read_options(chosen),
        strict=chosen["strict"],
        allow_loss=chosen["allow_loss"],
        untouched=True,
        **means(chosen),
    )
    outcome = engine.run(asked, Progress(quiet), lambda recipe: None)
    if as_json:
        show_json(outcome)
    elif not quiet:
        summarise(outcome, output, verbose)
    return 1 if outcome.failed else 0
