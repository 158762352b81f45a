"""`augx learn`."""

from __future__ import annotations

from typing import Any

import click

from augx.artefact import METHODS
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

_SEARCH = "policy"
_LOSSES = ("none", "content", "style")


@click.command("learn", short_help="Fit a learned augmenter on your own images.")
@click.argument("method", type=click.Choice([*METHODS, _SEARCH]))
@input_argument
@click.option("-o", "--output", "model", required=True, type=click.Path(), metavar="MODEL",
              help="Where to write the model: a .safetensors; of `policy` a .yaml.")  # fmt: skip
@click.option("--fast", is_flag=True, help="A smaller network and fewer steps: minutes on a CPU.")
@click.option("--budget", type=Duration(), help="Spend no more time than this on it: 90s, 10m, 2h.")
@click.option(
    "--seed", type=click.IntRange(0, 2**31 - 1), default=0, envvar="AUGX_SEED", metavar="N", show_default=True
)
@training_options
@click.option("--loss", type=click.Choice(_LOSSES),
              help="Of `neural`, what a made picture is held against besides classes: nothing, another picture of the"
              " class, or its colours.  [default: none]")  # fmt: skip
@reading_options
@json_option
@quiet_option
def learn_command(method: str, input: str, model: str, as_json: bool, quiet: bool, **chosen: Any) -> int:
    """Fit METHOD on the images of INPUT and write MODEL, for a step of a recipe to use.

    Needs the extra `learn`: pip install 'augx[learn]'. Nothing is downloaded. Of a dataset with splits only `train` is
    learned from. MODEL.png shows what it has learned so far, also while it learns. After a kill the same command goes
    on; with the same pictures, seed and versions it writes the same MODEL.

    \b
    augx learn autoencoder photos/ -o photos.safetensors --fast
    augx learn autoencoder photos/ -o photos.safetensors --budget 30m --device cuda
    and then in the recipe:   - feature_space: {model: photos.safetensors, p: 0.5}
    augx learn policy photos/ -o found.yaml --fast             to read, for `- policy: found.yaml`
    """
    from dataclasses import asdict

    from augx.added import collapse
    from augx.cli.output import Steps, print_json
    from augx.learn import fit
    from augx.transforms.catalog import TRANSFORMS

    if chosen["loss"] is not None and method != "neural":
        raise click.UsageError(f"--loss is an option of neural, not of {method}")
    asked = fit.Request(
        method, input, model, chosen["fast"], chosen["budget"], chosen["seed"], chosen["device"], chosen["threads"],
        chosen["side"], chosen["from_format"], read_options(chosen),
        {} if chosen["loss"] is None else {"loss": chosen["loss"]},
    )  # fmt: skip
    if method == _SEARCH:
        _search(asked, as_json, quiet)
        return 0
    found = fit.fit(asked, Steps(quiet or as_json, "step"))
    training = found.card.training
    if as_json:
        print_json(asdict(found.card))
    elif not quiet and found.fresh:
        say(f"nothing to do: {model} is what this would write")
    elif not quiet:
        why = ", as it got no better" if training["stopped"] else ""
        say(f"{model}: {training['steps']:,} steps{why}, {training['cpu_seconds']:,.0f} s of CPU")
        say(f"see what it has learned:  {model}.png")
        much = "per_class: 50" if TRANSFORMS[METHODS[method].step].adds else "p: 0.5"
        say(f"use it in a recipe:       - {METHODS[method].step}: {{model: {model}, {much}}}")
    if said := collapse(found.card.gates):
        say(f"warning: {model}: {said}", err=True)
    return 0


def _search(asked: Any, as_json: bool, quiet: bool) -> None:
    from augx.cli.output import Steps, print_json
    from augx.learn import policy_search

    found = policy_search.search(asked, Steps(quiet or as_json, "sub-policy"))
    if as_json:
        print_json(found.told())
    elif not quiet and found.fresh:
        say(f"nothing to do: {asked.model} is what this would write")
    elif not quiet:
        for note in found.notes:
            say(f"note: {note}", err=True)
        tried, last = found.rungs[0], found.rungs[-1]
        say(f"{asked.model}: {len(found.policies)} of {tried.tried} sub-policies, {found.seconds:,.0f} s of CPU")
        say(f"the best gains {found.gains[0]} points, the last one kept {found.gains[-1]}")
        say(f"halves of the pictures agree on the order: {tried.alike:.2f} of all, {last.alike:.2f} of the last ones")
        say(f"see what they do:         {asked.model}.png")
        say(f"use it in a recipe:       - policy: {asked.model}")
