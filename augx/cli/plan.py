"""`augx plan` and `augx check`."""

from __future__ import annotations

import atexit
import os
import sys
import time
from typing import TYPE_CHECKING, Any

import click

from augx.cli.options import cores as cores_here
from augx.cli.options import (
    input_argument,
    json_option,
    output_argument,
    planning_options,
    quiet_option,
    request,
    shard_option,
)  # fmt: skip
from augx.cli.output import balance_table, class_table, legible, print_json, say
from augx.errors import one_line

if TYPE_CHECKING:
    from augx.plan import Plan
    from augx.recipe import Recipe
    from augx.request import Share


_MANY = 50_000  # sources
_MOST_WARNINGS = 10


@click.command("plan", short_help="What run would make.")
@input_argument
@planning_options
@click.option("--hash", "print_hash", is_flag=True, help="Print one hash of all that OUTPUT would hold, and no more.")
@shard_option
@click.option(
    "--machines",
    type=click.IntRange(1, 1_000_000),
    metavar="N",
    help="Also say what each of so many has to do, a shard a machine.",
)
@click.option("--cores", type=click.IntRange(1, 1024), metavar="N", help="Of each machine.  [default: as many as here]")
@click.option("--price", type=click.FloatRange(0), metavar="P", help="Of a machine for an hour, in any currency.")
@click.option("-v", "--verbose", is_flag=True, help="Also say what the recipe's steps come to.")
@json_option
def plan_command(
    input: str,
    print_hash: bool,
    share: Share | None,
    machines: int | None,
    cores: int | None,
    price: float | None,
    verbose: bool,
    as_json: bool,
    **chosen: Any,
) -> int:
    """Say what run would make of INPUT: images per class and split, a forecast of size and time.

    --hash prints a key for caches. It changes when an image, a label, the recipe or a library that decides pixels
    changes, and with nothing else: not with file dates, folders or machines.

    \b
    augx plan photos/ -r recipe.yaml
    augx plan photos/ -r recipe.yaml --hash
    augx plan photos/ -r recipe.yaml --machines 16 --cores 8 --price 0.40
    """
    if print_hash:
        digest = _hash(input, chosen, share)
        print_json({"hash": digest}) if as_json else say(digest)
        return 0
    if price is not None or cores is not None:
        machines = machines or 1
    return show_plan(
        input, chosen, as_json, verbose, share, (machines, cores or cores_here(), price) if machines else None
    )


def show_plan(
    input: str,
    chosen: dict[str, Any],
    as_json: bool,
    verbose: bool = False,
    share: Share | None = None,
    machines: tuple[int, int, float | None] | None = None,
) -> int:
    """Prints the forecast; `chosen` are the values of `planning_options`. `machines`: how many, their cores, and what
    one costs for an hour."""
    from augx.forecast import forecast, spread

    began = time.process_time()
    plan = _plan(input, chosen, share)
    planning = time.process_time() - began
    figures = forecast(plan)
    if machines:
        figures["machines"] = spread(figures["cpu_seconds"], planning, *machines)
    if as_json:
        print_json(figures)
        return 0
    if verbose:
        say(_compiled(plan.recipe))
    say(
        f"{figures['images']:,} images from {figures['sources']:,} sources: "
        f"{figures['originals']:,} originals and {figures['copies']:,} copies"
        + (f", and {figures['added']:,} that the recipe adds" if "added" in figures else "")
    )
    kind = "files" if figures["tars"] is None else "tars"
    size, seconds = _size(figures["bytes"]), _duration(figures["cpu_seconds"])
    say(f"about {size} in {figures['files']:,} {kind} and {seconds} of CPU time")
    if machines:
        say(_machines(figures["machines"]))
    if figures["objects"]["before"]:
        say(f"objects: {figures['objects']['before']:,} -> {figures['objects']['after']:,}")
    for name, count in figures["splits"].items():
        say(f"split {legible(name)}: {count['before']:,} -> {count['after']:,}")
    if figures["balance"]:
        say()
        say(balance_table(figures["balance"], figures["balance_unit"]))
    elif set(figures["classes"]) - {"(none)"}:
        say()
        say(class_table(figures["classes"]))
    if figures["failed"]:
        say(f"\n{figures['failed']:,} images cannot be made, for example {one_line(figures['first_failure'])}")
    for message in figures["warnings"][:_MOST_WARNINGS]:
        say(f"warning: {one_line(message)}", err=True)
    if len(figures["warnings"]) > _MOST_WARNINGS:
        say(f"... and {len(figures['warnings']) - _MOST_WARNINGS} more (--json has all)", err=True)
    if figures["sources"] > _MANY:  # taking millions of objects apart would take seconds that nobody needs
        sys.stdout.flush()
        atexit._run_exitfuncs()
        os._exit(0)
    return 0


def _machines(each: dict[str, Any]) -> str:
    many = "machine" if each["machines"] == 1 else "machines"
    words = [f"{each['machines']:,} {many} of {each['cores']} cores: about {_duration(each['seconds'])} each"]
    if each["planning_seconds"] >= 0.5:
        words.append(f"{_duration(each['planning_seconds'])} of it to plan")
    words.append(f"{each['hours']:,.4g} machine hours in all")
    if each["price"] is not None:
        words.append(f"{each['cost']:,.2f} at {each['price']:g} an hour")
    return ", ".join(words)


def _compiled(recipe: Recipe) -> str:
    from augx.errors import ImageError
    from augx.transforms.compiled import compiled

    if not recipe.fuse:
        return f"{len(recipe.steps)} steps, one after the other (fuse: false)"
    try:
        return "\n".join(compiled(one.steps) for one in recipe.variants())
    except ImageError as error:
        return f"the steps cannot be shown for a picture of 4096 x 3072: {error.message}"


def _plan(input: str, chosen: dict[str, Any], share: Share | None) -> Plan:
    """Of a share, if one is asked for."""
    from augx import engine, recipe

    plan, _ = engine.read(request(input, "", chosen))
    recipe.check_transforms(plan.recipe)
    return engine.part_of(plan, share) if share else plan


def _hash(input: str, chosen: dict[str, Any], share: Share | None) -> str:
    from augx import plan as planning
    from augx.survey import content_keys

    plan = _plan(input, chosen, share)
    keys = content_keys(plan)
    return planning.plan_hash(plan, lambda job: keys[job.sample.id])


@click.command("check", short_help="Is OUTPUT what run would make now?")
@input_argument
@output_argument
@planning_options
@json_option
@quiet_option
def check_command(input: str, output: str, as_json: bool, quiet: bool, **chosen: Any) -> int:
    """Say whether OUTPUT is what run would make of INPUT now. Exit code 0: it is fresh. 1: it is stale, and why.

    Nothing is written and, as long as file dates are what they were, no image is read.

    \b
    augx check photos/ photos-x10/ -r recipe.yaml || echo stale
    """
    from augx import engine

    reasons = engine.check(request(input, output, chosen))
    if as_json:
        print_json({"fresh": not reasons, "reasons": reasons})
    elif not quiet:
        say("\n".join(f"stale: {reason}" for reason in reasons) if reasons else f"fresh: {output}")
    return 1 if reasons else 0


def _size(count: float) -> str:
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
