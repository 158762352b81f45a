"""`augx probe`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from augx.cli import completing
from augx.cli.options import Duration, cores, input_argument, json_option, quiet_option, read_options, reading_options
from augx.cli.output import say

if TYPE_CHECKING:
    from augx.learn.probe import Comparison, Outcome

_MOST_THREADS = 4  # small networks get no quicker with more
_STEPS, _FAST_STEPS = 1000, 300
_REPEATS, _FAST_REPEATS = 3, 2
_SIDE, _FAST_SIDE = 64, 32  # pixels, at most
_NOTHING = "none"


@click.command("probe", short_help="Say whether a recipe helps.")
@input_argument
@click.option("-r", "--recipe", "recipes", multiple=True, metavar="FILE|NAME|-", shell_complete=completing.recipes,
              help="A recipe file, a bundled recipe or - for stdin; repeat to try several."
              "  [default: the bundled one for classes]")  # fmt: skip
@click.option("--against", default=_NOTHING, metavar="none|FILE|NAME", show_default=True,
              shell_complete=completing.recipes,
              help="What the recipes are held against: the images as they are, or another recipe.")  # fmt: skip
@click.option("-n", "--copies", type=int, envvar="AUGX_COPIES", metavar="N", help="New images per source.")
@click.option("--folds", type=click.IntRange(2, 20), default=5, metavar="N", show_default=True,
              help="Parts, each of which is held out once.")  # fmt: skip
@click.option("--by", metavar="COLUMN|REGEX",
              help="What tells which images must stay together, such as those of one patient: a column, or a part of"
              " their names.")  # fmt: skip
@click.option("--repeats", type=click.IntRange(1, 100), metavar="N",
              help="Times that is done, with other parts and other copies.  [default: 3; 2 with --fast]")  # fmt: skip
@click.option("--networks", type=click.IntRange(1, 100), default=2, metavar="N", show_default=True,
              help="Of each side of a fold; their mean counts.")  # fmt: skip
@click.option("--steps", type=click.IntRange(50, 1_000_000), metavar="N",
              help="Of each training, 64 images a step.  [default: 1000; 300 with --fast]")  # fmt: skip
@click.option("--fast", is_flag=True, help="Fewer steps and repeats, and smaller images.")
@click.option(
    "--budget", type=Duration(), help="Spend no more time than this: 90s, 10m, 2h; for fewer repeats or steps."
)
@click.option(
    "--seed", type=click.IntRange(0, 1_000_000), default=0, envvar="AUGX_SEED", metavar="N", show_default=True
)
@click.option("--device", default="auto", metavar="NAME", show_default=True,
              help="auto, cpu, cuda, cuda:1 or mps; auto takes a GPU where there is one.")  # fmt: skip
@click.option("--threads", type=click.IntRange(1, 256), metavar="N",
              help="On the CPU; figures depend on how many.  [default: the number of cores, at most 4]")  # fmt: skip
@click.option("--side", type=click.IntRange(32, 256), metavar="PIXELS",
              help="How wide and high a network sees images.  [default: as they usually are, 32 to 64]")  # fmt: skip
@reading_options
@json_option
@quiet_option
def probe_command(
    input: str, recipes: tuple[str, ...], against: str, fast: bool, as_json: bool, quiet: bool, **chosen: Any
) -> int:
    """Say whether a recipe helps on the images of INPUT: train small networks with and without it, and test them on
    images that were held out.

    Needs the extra `learn`: pip install 'augx[learn]'. INPUT is divided into folds; each is held out once, while one
    network learns from what the recipe makes of the others, and one from the others as they are, for as many steps.
    What is told is the mean difference in points of accuracy, each class counting alike, with its 95 % interval. Of a
    dataset with splits only `train` is used. So far for images with one class each.

    \b
    augx probe photos/ --fast                                  the bundled recipe for classes
    augx probe photos/ -r recipe.yaml -r gentle --budget 20m   two recipes, each against none
    augx probe photos/ -r new.yaml --against old.yaml          one against the other
    """
    from augx import recipe
    from augx.cli.output import Steps, print_json, warn
    from augx.learn import probe

    if chosen["side"] is not None and chosen["side"] % 16:
        raise click.UsageError(f"--side {chosen['side']}: it must be a multiple of 16")
    changes = {} if chosen["copies"] is None else {"copies": chosen["copies"]}
    if changes and not recipes:
        raise click.UsageError("--copies: say of which recipe, with -r")
    read = [recipe.read(name, checked=False).replace(**changes) for name in recipes]
    for one in read:
        warn(one, quiet)
    asked = probe.Request(
        input,
        tuple(read) or (None,),
        None if against == _NOTHING else recipe.read(against, checked=False),
        chosen["folds"],
        chosen["repeats"] or (_FAST_REPEATS if fast else _REPEATS),
        chosen["networks"],
        chosen["steps"] or (_FAST_STEPS if fast else _STEPS),
        chosen["budget"],
        chosen["seed"],
        chosen["device"],
        chosen["threads"] or min(cores(), _MOST_THREADS),
        chosen["side"],
        _FAST_SIDE if fast else _SIDE,
        chosen["by"],
        chosen["from_format"],
        read_options(chosen),
    )
    found = probe.probe(asked, Steps(quiet or as_json, "training"))
    if as_json:
        print_json(found.told())
        return 0
    for compared in found.comparisons:
        _show(found, compared)
    for note in found.notes:
        say(f"note: {note}", err=True)
    return 0


def _show(found: Outcome, one: Comparison) -> None:
    from augx.cli.output import legible, table

    names = legible(one.scores.name), legible(one.against.name)
    means = one.scores.accuracy.mean(), one.against.accuracy.mean()
    say(f"{names[0]}: {one.words}")
    say(f"  accuracy {means[0]:.1f} %, against {means[1]:.1f} % with {names[1]}, on images held out")
    rows = [("class", names[1], "difference")]
    for number, name in enumerate(found.classes):
        base = one.against.classes[:, number]
        said = one.classes[number]
        rows.append((legible(name), f"{base[base == base].mean():.1f}", "too few" if said is None else str(said)))
    say(table(rows))
