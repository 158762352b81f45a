"""`augx list` and `augx show`."""

from __future__ import annotations

import json
from collections.abc import Collection
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import click

from augx.cli import completing
from augx.cli.options import json_option

if TYPE_CHECKING:
    from augx.transforms.catalog import Entry

KINDS = ("transforms", "formats", "policies", "recipes", "executors", "codes", "rules")


@click.command("list", short_help="List what there is.")
@click.argument("kinds", metavar=" ".join(f"[{kind}]" for kind in KINDS), type=click.Choice(KINDS), nargs=-1)
@json_option
def list_command(kinds: tuple[str, ...], as_json: bool) -> int:
    """List transforms, formats, policies, recipes, executors, reason codes or the rules of validate, each with a line
    about it. Without a name: all.

    Transforms stand in the groups of the surveys, each with its CPU seconds per megapixel; codes by what happens;
    rules by level.

    \b
    augx list transforms
    augx list policies recipes --json
    """
    from augx.cli.output import print_json

    tables = {kind: entries(kind) for kind in kinds or KINDS}
    if as_json:
        print_json(tables)
        return 0
    for kind, rows in tables.items():
        if len(tables) > 1:
            click.secho(kind, bold=True)
        if kind == "transforms":
            click.echo(
                "CPU seconds per megapixel; all kinds of label go along, but for those that a line names with `not`"
            )
        group = None
        width = max(len(row["name"]) for row in rows)
        for row in rows:
            if row.get("group") != group:
                group = row["group"]
                click.echo(f"{group}:")
            click.echo(f"  {row['name']:<{width}}  {_told(kind, row)}")
            if row.get("carries") and (left := _left(row["carries"])):
                click.echo(f"{'':<{width + 12}}not {', '.join(left)}")
        if len(tables) > 1:
            click.echo()
    return 0


def _told(kind: str, row: dict[str, Any]) -> str:
    """What stands behind a name."""
    if kind == "policies":
        return f"{row['step']:<29}  {row['summary']}"
    if kind != "transforms":
        return str(row["summary"])
    seconds = row["seconds_per_megapixel"]
    shown = f"{max(seconds, 0.0001):.4f}"[:6] if seconds else ""
    return f"{shown:>6}  {row['summary']}{' (cannot be used)' if row['refused'] else ''}"


def _left(carried: Collection[str]) -> list[str]:
    """The kinds of label that are not carried."""
    from augx.objects import KINDS as LABELS

    return [label for label in LABELS if label not in carried]


def entries(kind: str) -> list[dict[str, Any]]:
    """What there is of a kind: name and summary; for transforms also the group, why one is refused, which kinds of
    label it carries and what it costs; for policies the line of a recipe; for codes and rules as `codes.Code` and
    `rules.Rule` have it."""
    if kind == "formats":
        from augx.formats import FORMATS

        return [{"name": name, "summary": entry.summary} for name, entry in FORMATS.items()]
    if kind == "recipes":
        from augx.bundled import descriptions

        return [{"name": name, "summary": summary} for name, summary in descriptions().items()]
    if kind == "executors":
        from augx.executors import EXECUTORS

        return [{"name": name, "summary": summary} for name, (_, summary) in EXECUTORS.items()]
    if kind == "codes":
        from augx.codes import CODES, ENDS
        from augx.errors import PASSING

        rows = sorted(CODES.items(), key=lambda row: (list(ENDS).index(row[1].ends[0]), row[0]))
        return [
            {"name": name, "group": code.ends[0], "summary": code.meaning, "ends": list(code.ends),
             "stages": list(code.stages), "tried_again": name in PASSING, "way_out": code.way_out}
            for name, code in rows
        ]  # fmt: skip
    if kind == "rules":
        from augx.rules import LEVELS, RULES

        return [
            {"name": name, "group": rule.level, "summary": rule.meaning, "why": rule.why, "way_out": rule.way_out,
             "fixed": rule.fixed}
            for name, rule in sorted(RULES.items(), key=lambda row: (list(LEVELS).index(row[1].level), row[0]))
        ]  # fmt: skip
    from augx.transforms import taxonomy

    if kind == "policies":
        return [{"name": name, "summary": p.summary, "step": p.step} for name, p in taxonomy.POLICIES.items()]
    return [
        {"name": e.name, "group": e.group, "summary": e.summary, "refused": e.refused,
         "carries": taxonomy.carries(e), "seconds_per_megapixel": e.seconds}
        for e in taxonomy.grouped()
    ]  # fmt: skip


@click.command("show", short_help="Explain one thing.")
@click.argument("name", shell_complete=completing.names)
@json_option
def show_command(name: str, as_json: bool) -> int:
    """Explain a transform (with its arguments and defaults), a format, a policy, a bundled recipe, an executor, a
    reason code of failures and warnings, or a rule of validate.

    \b
    augx show Affine
    augx show classification
    augx show truncated
    """
    from augx import bundled
    from augx.cli.output import print_json
    from augx.transforms import catalog

    if name in catalog.TRANSFORMS:
        _show_transform(catalog.TRANSFORMS[name], as_json)
        return 0
    for kind in KINDS[1:]:
        found = {row["name"]: row for row in entries(kind)}
        if name in found:
            if kind == "formats":
                from augx.formats import load

                format = load(name)
                found[name] |= {"writes": format.writes, "holds": sorted(format.holds), "packs": format.packs}
            if as_json:
                text = {"text": bundled.texts()[name].decode()} if kind == "recipes" else {}
                print_json(found[name] | {"kind": kind} | text)
            elif kind == "recipes":
                click.echo(bundled.texts()[name].decode(), nl=False)
            else:
                click.echo(f"{name}: {found[name]['summary']}")
                if kind == "formats" and found[name]["writes"]:
                    click.echo(f"holds: {', '.join(found[name]['holds'])}")
                if kind == "executors":
                    _show_executor(name)
                if found[name].get("packs"):
                    click.echo(
                        "images and labels lie in tars: --tar-images, --tar-bytes, `output: {tar: ...}` in a recipe"
                    )
                if kind == "policies":
                    click.echo(f"in a recipe:\n  - {found[name]['step']}")
                if kind == "codes":
                    _show_code(found[name])
                if kind == "rules":
                    _show_rule(found[name])
            return 0
    names = [row["name"] for kind in KINDS for row in entries(kind)]
    close = catalog.suggest(name) or next(iter(get_close_matches(name, names, n=1)), None)
    raise click.BadParameter(f"there is no {name!r}" + (f"; did you mean {close}?" if close else "; see `augx list`"))


def _show_executor(name: str) -> None:
    from augx.executors import load

    for option, said in load(name).OPTIONS.items():
        click.echo(f"--executor-option {option}{'NAME' if option.endswith('.') else ''}=...   {said}")


def _show_code(code: dict[str, Any]) -> None:
    from augx.codes import ENDS

    for end in code["ends"]:
        click.echo(f"{end}: {ENDS[end]}")
    if code["stages"]:
        click.echo(f"stage: {', '.join(code['stages'])}")
    if code["tried_again"]:
        click.echo("the next run tries again")
    click.echo(f"what to do: {code['way_out']}")


def _show_rule(rule: dict[str, Any]) -> None:
    from augx.rules import LEVELS, REFUSED

    click.echo(f"{rule['group']}: {LEVELS[rule['group']]}")
    click.echo(f"why: {rule['why']}")
    click.echo(f"what to do: {rule['way_out']}{' (validate --fix does it, where that is safe)' * rule['fixed']}")
    if rule["name"] not in REFUSED:
        click.echo(f"if it is meant: # augx: ignore[{rule['name']}] behind the line, or above it")


_GROUP_EXAMPLES = {
    "OneOf": "- OneOf:\n    transforms: [GaussianBlur, MotionBlur: {p: 0.2}]\n    p: 0.5",
    "SomeOf": "- SomeOf:\n    n: 2\n    transforms: [RandomGamma, Blur, Transpose]\n    replace: false\n    p: 1.0",
    "Sequential": "- Sequential:\n    transforms: [RandomRotate90, Transpose]\n    p: 0.5",
    "inside": "- inside:\n    classes: [car]\n    of: mask\n    transforms: [ColorJitter, Blur: {p: 0.2}]\n    p: 0.5",
}


def _show_transform(entry: Entry, as_json: bool) -> None:
    from augx.cli.output import print_json
    from augx.transforms.arguments import REQUIRED
    from augx.transforms.arguments import arguments as arguments_of
    from augx.transforms.taxonomy import carries

    arguments = [] if entry.refused or (entry.members and not entry.own) else arguments_of(entry.name)
    if as_json:
        print_json(
            {"name": entry.name, "group": entry.group, "summary": entry.summary, "refused": entry.refused,
             "carries": carries(entry), "seconds_per_megapixel": entry.seconds,
             "moves_pixels": entry.moves, "keeps_16_bit": entry.deep,
             "arguments": [{"name": name, "type": kind, "default": default} for name, kind, default in arguments]}
        )  # fmt: skip
        return
    click.echo(f"{entry.name}: {entry.summary}")
    if entry.refused:
        click.echo(f"It cannot be used in a recipe: {entry.refused}")
    elif entry.members:
        click.echo("\nin a recipe:")
        click.echo("\n".join("  " + line for line in _GROUP_EXAMPLES[entry.name].splitlines()))
    else:
        moves = "moves pixels" if entry.moves else "leaves pixels in place"
        moves = "mixes other pictures in" if entry.partners else moves
        depth = "16-bit images keep their depth" if entry.deep else "8-bit images only"
        left = _left(carries(entry))
        also = f"\nlabels left as they are: {', '.join(left)}" if left else ""
        click.echo(f"{entry.group}; {moves}; about {entry.seconds:g} s of CPU per megapixel; {depth}{also}")
    if arguments:
        click.echo("\narguments and their defaults:")
        for name, kind, default in arguments:
            click.echo(f"  {name}: {default if default == REQUIRED else json.dumps(default)}    # {kind}")
