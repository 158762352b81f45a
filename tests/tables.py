"""The tables of README.md, made from augx's registries: `python tests/tables.py` brings README.md up to date.

Only what stands between `<!-- name -->` and `<!-- /name -->` is ever changed.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import click

from augx import bundled, cli
from augx.formats import FORMATS, load
from augx.objects import KINDS
from augx.report import METRICS
from augx.transforms.catalog import SLOW, TRANSFORMS, Entry
from augx.transforms.taxonomy import GROUPS, carries, grouped

README = Path(__file__).parent.parent / "README.md"


def formats() -> str:
    rows = []
    for name, entry in FORMATS.items():
        known = load(name)
        held = ", ".join(kind for kind in KINDS if kind in known.holds)
        rows.append((f"`{name}`", entry.summary, "yes", "yes" if known.writes else "no", held))
    return table(("format", "what it is", "reads", "writes", "holds"), rows)


def recipes() -> str:
    return table(
        ("recipe", "what it is for"), ((f"`{name}`", summary) for name, summary in bundled.descriptions().items())
    )


def commands() -> str:
    group = cli.Verbs()
    rows = []
    for name, (_, summary) in cli.VERBS.items():
        command = group.get_command(click.Context(group), name)
        assert command is not None, name
        arguments = [parameter for parameter in command.params if isinstance(parameter, click.Argument)]
        words = ["augx", name, *(argument.metavar or (argument.name or "").upper() for argument in arguments)]
        rows.append((f"`{' '.join(words)}`", summary))
    return table(("command", "does"), rows)


def metrics() -> str:
    return table(("`--fail-on`", "what it counts"), ((f"`{name}`", what) for name, what in METRICS.items()))


def transforms() -> str:
    usable = [entry for entry in TRANSFORMS.values() if not entry.refused]
    refused = sorted((entry for entry in TRANSFORMS.values() if entry.refused), key=lambda entry: entry.name)
    groups = [entry for entry in usable if entry.members]
    parts = [
        f"CPU seconds are per megapixel, on one core of 2023; from {SLOW:g} (in bold) a recipe is warned about.",
        "**Groups of transforms**",
        table(("group", "what it does"), ((f"`{entry.name}`", entry.summary) for entry in groups)),
    ]
    for group in GROUPS:
        rows = [_row(entry) for entry in grouped() if entry.group == group and entry in usable and not entry.members]
        if not rows:
            continue
        head = ("transform", "what it does", "moves pixels (labels follow)", "16 bits kept", "CPU s")
        parts += [f"**{group[0].upper()}{group[1:]}**", table(head, rows)]
    parts += ["**Refused in a recipe**", "\n".join(f"- `{entry.name}`: {entry.refused}" for entry in refused)]
    return "\n\n".join(parts)


def _row(entry: Entry) -> tuple[str, ...]:
    seconds = f"{max(round(entry.seconds, 4), 0.0001):g}"
    left = [kind for kind in KINDS if kind not in carries(entry)]
    return (
        f"`{entry.name}`",
        f"{entry.summary} (not {', '.join(left)})" if left else entry.summary,
        "yes" if entry.moves else "",
        "yes" if entry.deep else "no",
        f"**{seconds}**" if entry.seconds >= SLOW else seconds,
    )


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


SECTIONS: Mapping[str, Callable[[], str]] = {
    "commands": commands,
    "recipes": recipes,
    "formats": formats,
    "transforms": transforms,
    "metrics": metrics,
}


def updated(text: str, sections: Mapping[str, Callable[[], str]] = SECTIONS) -> str:
    """`text` with every section made anew. ValueError where a pair of markers is not there exactly once, in order."""
    for name, make in sections.items():
        first, last = f"<!-- {name} -->\n", f"<!-- /{name} -->\n"
        if text.count(first) != 1 or text.count(last) != 1 or text.index(first) > text.index(last):
            raise ValueError(f"needs a line <!-- {name} --> and below it a line <!-- /{name} -->, once each")
        before, rest = text.split(first)
        text = before + first + make() + "\n" + last + rest.split(last)[1]
    return text


def main() -> None:
    before = README.read_text("utf-8")
    try:
        after = updated(before)
    except ValueError as error:
        sys.exit(f"{README.name} {error}")
    if after != before:
        README.write_text(after, "utf-8")
    print(f"{README.name}: {'up to date' if after == before else 'written anew'}")


if __name__ == "__main__":
    main()
