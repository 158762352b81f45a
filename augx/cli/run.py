"""`augx run`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from augx.cli.options import (
    input_argument,
    json_option,
    output_argument,
    planning_options,
    quiet_option,
    request,
    shard_option,
    verbose_option,
    working_options,
)  # fmt: skip
from augx.cli.output import say

if TYPE_CHECKING:
    from augx.request import Share


@click.command("run", short_help="Multiply INPUT into OUTPUT.")
@input_argument
@output_argument
@planning_options
@working_options
@shard_option
@click.option("--dry-run", is_flag=True, help="Say what would be made, and write nothing.")
@click.option("--profile", is_flag=True, help="Say where the time went, in CPU time.")
@json_option
@quiet_option
@verbose_option
def run_command(
    input: str,
    output: str,
    share: Share | None,
    dry_run: bool,
    profile: bool,
    as_json: bool,
    quiet: bool,
    verbose: bool,
    **chosen: Any,
) -> int:
    """Multiply the labelled images under INPUT into OUTPUT, by a recipe.

    OUTPUT gets the images, the labels in their format, manifest.jsonl (how each image was made), failures.jsonl
    and summary.json. Run it again and only what has changed is made again; stop it and it goes on where it was.

    \b
    augx run photos/ photos-x10/                       the bundled recipe for classes
    augx run photos/ photos-x10/ -r recipe.yaml -n 20  your recipe, 20 copies each
    augx run photos/ photos-x10/ -r gentle --seed 3    another bundled one, another seed
    augx run scans/ out/ --column label=finding        a table with its own column names
    augx run photos/ photos-x10/ --profile             where the time goes: decode, warp, encode, ...
    augx run photos/ photos-x10/ --shard 3/16          a part of it; on another machine another
    """
    if dry_run:
        from augx.cli.plan import show_plan

        return show_plan(input, chosen, as_json, share=share)
    from augx import engine, recipe
    from augx.cli.output import Progress, show_json, show_profile, summarise, warn

    asked = request(input, output, chosen)
    if asked.recipe is not None:
        warn(asked.recipe, quiet)
    asked = replace(asked, profile=profile, share=share)
    outcome = engine.run(asked, Progress(quiet), recipe.check_transforms)
    if as_json:
        show_json(outcome, share)
    elif not quiet and not outcome.summary:
        say(f"shard {share}: {outcome.made:,} images made, {outcome.kept:,} kept, {outcome.failed:,} failed")
        say(f"when all shards are done:  augx merge {output}")
    elif not quiet:
        summarise(outcome, output, verbose)
    if profile and not as_json and not quiet:
        show_profile(outcome)
    return 1 if outcome.failed else 0
