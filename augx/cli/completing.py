"""What a shell may complete: names of recipes, formats, transforms and codes. Imports nothing heavy."""

from __future__ import annotations

import os
from collections.abc import Iterable

import click
from click.shell_completion import CompletionItem

_MOST = 200  # files of a folder


def _items(rows: Iterable[tuple[str, str]], incomplete: str) -> list[CompletionItem]:
    begun = incomplete.lower()
    return [CompletionItem(name, help=told) for name, told in rows if name.lower().startswith(begun)]


def recipes(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Bundled recipes, and YAML files and folders where the path leads so far."""
    from augx.bundled import descriptions

    return _items(descriptions().items(), incomplete) + _files(incomplete)


def formats(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from augx.formats import FORMATS

    return _items(((name, entry.summary) for name, entry in FORMATS.items()), incomplete)


def codes(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from augx.codes import CODES
    from augx.rules import RULES

    found = {name: code.meaning for name, code in CODES.items()} | {name: rule.meaning for name, rule in RULES.items()}
    return _items(sorted(found.items()), incomplete)


def names(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """All that `augx show` explains."""
    from augx.cli.catalogue import KINDS, entries

    found = {row["name"]: row["summary"] for kind in KINDS for row in entries(kind)}
    return _items(found.items(), incomplete)


def _files(incomplete: str) -> list[CompletionItem]:
    folder, begun = os.path.split(incomplete)
    try:
        with os.scandir(folder or ".") as entries:
            found = sorted((entry.name, entry.is_dir()) for entry in entries if entry.name.startswith(begun))
    except OSError:
        return []
    shown = [
        os.path.join(folder, name) + "/" * is_folder
        for name, is_folder in found
        if (is_folder or name.endswith((".yaml", ".yml"))) and (begun or not name.startswith("."))
    ]
    return [CompletionItem(path) for path in shown[:_MOST]]
