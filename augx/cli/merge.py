"""`augx merge`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import click

from augx.cli.options import Place, fsync_option, json_option, output_argument, quiet_option, verbose_option
from augx.cli.output import say


@click.command("merge", short_help="Join the shards in OUTPUT.")
@output_argument
@click.option("--input", type=Place(reads=True), help="INPUT, where it is not where the shards found it.")
@fsync_option
@json_option
@quiet_option
@verbose_option
def merge_command(output: str, input: str | None, as_json: bool, quiet: bool, verbose: bool, **chosen: Any) -> int:
    """Join what `augx run --shard I/N` has left in OUTPUT: manifest, label files, summary.

    OUTPUT is then what one run would have made of it, to the byte. Shards may have been run in any order, on any
    machine, killed and run again. What is missing is said, shard by shard, with exit code 1, and nothing is joined.
    Where each shard wrote into a folder of its own, copy them into one first, hidden files included.

    \b
    augx merge photos-x10/
    augx merge photos-x10/ --input /data/photos
    """
    from augx import engine
    from augx.cli.output import Progress, print_json, show_json, summarise
    from augx.request import left

    outcome = engine.merged(output)
    if outcome is None:
        asked = left(output, input)
        outcome = engine.run(replace(asked, **chosen), Progress(True), lambda recipe: None)
    if outcome.missing:
        missing = [{"shard": str(share), "images": images, "of": of} for share, (images, of) in outcome.missing.items()]
        if as_json:
            print_json({"missing": missing})
        elif not quiet:
            for one in missing:
                say(f"shard {one['shard']}: {one['images']:,} of {one['of']:,} images are missing")
            say(f"{len(missing)} of {max(outcome.missing).of} shards are to be run, or run again; nothing was joined")
        return 1
    if as_json:
        show_json(outcome)
    elif not quiet:
        summarise(outcome, output, verbose, "joined")
    return 1 if outcome.failed else 0
