"""`augx probe`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from augx.cli import completing
from augx.cli.options import (
    Duration,
    input_argument,
    json_option,
    quiet_option,
    read_options,
    reading_options,
    training_options,
)
from augx.cli.output import say

if TYPE_CHECKING:
    from augx.learn.probe import Comparison, Outcome

_NOTHING = "none"
_TASKS = ("classification", "segmentation", "detection")


@click.command("probe", short_help="Say whether a recipe helps.")
@input_argument
@click.option("-r", "--recipe", "recipes", multiple=True, metavar="FILE|NAME|-", shell_complete=completing.recipes,
              help="A recipe file, a bundled recipe or - for stdin; repeat to try several."
              "  [default: the bundled one that fits the labels]")  # fmt: skip
@click.option("--against", default=_NOTHING, metavar="none|FILE|NAME", show_default=True,
              shell_complete=completing.recipes,
              help="What the recipes are held against: the images as they are, or another recipe.")  # fmt: skip
@click.option("-n", "--copies", type=int, envvar="AUGX_COPIES", metavar="N", help="New images per source.")
@click.option(
    "--task",
    type=click.Choice(_TASKS),
    metavar="NAME",
    help=f"What the networks learn, where INPUT is labelled for several: {', '.join(_TASKS)}."
    "  [default: what it is labelled for]",
)
@click.option("--folds", type=click.IntRange(2, 20), default=5, metavar="N", show_default=True,
              help="Parts, each of which is held out once.")  # fmt: skip
@click.option("--by", metavar="COLUMN|REGEX",
              help="What tells which images must stay together, such as those of one patient: a column, or a part of"
              " their names.")  # fmt: skip
@click.option("--repeats", type=click.IntRange(1, 100), metavar="N",
              help="Times that is done, with other parts and other copies."
              "  [default: 3, or 2 for masks and boxes; with --fast 2, or 1]")  # fmt: skip
@click.option("--networks", type=click.IntRange(1, 100), default=2, metavar="N", show_default=True,
              help="Of each side of a fold; their mean counts, and by how much they differ.")  # fmt: skip
@click.option("--steps", type=click.IntRange(50, 1_000_000), metavar="N",
              help="Of each training, 64 images a step, or 16 with masks or boxes."
              "  [default: 1000, or 500; with --fast 300, or 200]")  # fmt: skip
@click.option(
    "-o",
    "--output",
    "path",
    type=click.Path(),
    metavar="FILE",
    help="Where to write what was found: a .html to look at, or a .json for `augx report --probe`.",
)
@click.option("--fast", is_flag=True, help="Fewer steps and repeats, and smaller images.")
@click.option(
    "--budget", type=Duration(), help="Spend no more time than this: 90s, 10m, 2h; for fewer repeats or steps."
)
@click.option(
    "--seed", type=click.IntRange(0, 1_000_000), default=0, envvar="AUGX_SEED", metavar="N", show_default=True
)
@training_options
@reading_options
@json_option
@quiet_option
def probe_command(input: str, recipes: tuple[str, ...], against: str, as_json: bool, quiet: bool, **chosen: Any) -> int:
    """Say whether a recipe helps on the images of INPUT: train small networks with and without it, and test them on
    images that were held out.

    Needs the extra `learn`: pip install 'augx[learn]'. INPUT is divided into folds; each is held out once, while one
    network learns from what the recipe makes of the others, and one from the others as they are, for as many steps.
    What is told is the mean difference in points, each class counting alike, with its 95 % interval: of accuracy for
    images with one class each, of IoU for class masks, of AP50 for boxes and outlines. Of a dataset with splits only
    `train` is used.

    \b
    augx probe photos/ --fast                                  the bundled recipe for its labels
    augx probe photos/ -r recipe.yaml -r gentle --budget 20m   two recipes, each against none
    augx probe photos/ -r new.yaml --against old.yaml          one against the other
    augx probe photos/ -r recipe.yaml -o probe.json            for augx report --probe
    """
    from augx import recipe, report
    from augx.cli.output import Steps, print_json, warn
    from augx.learn import probe

    changes = {} if chosen["copies"] is None else {"copies": chosen["copies"]}
    if changes and not recipes:
        raise click.UsageError("--copies: say of which recipe, with -r")
    read = [recipe.read(name, checked=False).replace(**changes) for name in recipes]
    for one in read:
        warn(one, quiet)
    if chosen["path"] is not None:
        report.check_probe_place(chosen["path"])
    as_said = ("task", "fast", "folds", "repeats", "networks", "steps", "seed", "device", "threads", "side", "by")
    asked = probe.Request(
        input,
        tuple(read) or (None,),
        None if against == _NOTHING else recipe.read(against, checked=False),
        seconds=chosen["budget"],
        from_format=chosen["from_format"],
        read=read_options(chosen),
        **{name: chosen[name] for name in as_said},
    )
    found = probe.probe(asked, Steps(quiet or as_json, "training"))
    if chosen["path"] is not None:
        report.write_probe(chosen["path"], found.told())
    if as_json:
        print_json(found.told())
        return 0
    for compared in found.comparisons:
        _show(found, compared)
    for note in found.notes:
        say(f"note: {note}", err=True)
    if chosen["path"] is not None and not quiet:
        say(f"all of it: {chosen['path']}", err=True)
    return 0


def _show(found: Outcome, one: Comparison) -> None:
    from augx.cli.output import legible, table

    names = legible(one.scores.name), legible(one.against.name)
    means = one.scores.marks.mean(), one.against.marks.mean()
    say(f"{names[0]}: {one.words}")
    say(f"  {found.measure} {means[0]:.1f} %, against {means[1]:.1f} % with {names[1]}, on images held out")
    rows = [("class", names[1], "difference")]
    for number, name in enumerate(found.classes):
        said = one.classes[number]
        rows.append((name, f"{one.against.classes[number]:.1f}", "too few" if said is None else str(said)))
    say(table(rows))
