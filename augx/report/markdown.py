"""The figures for a comment on a pull request."""

from __future__ import annotations

import re
from collections.abc import Iterator

from augx.drawing.page import harmless
from augx.model import Json
from augx.report.metrics import class_sizes
from augx.report.page import size
from augx.report.verdicts import verdicts

_MARKS = {"good": "✅", "note": "ℹ️", "warning": "⚠️", "error": "❌"}
_CLASSES, _TRANSFORMS = 15, 15


def markdown(told: Json, name: str) -> str:
    return "\n".join(_lines(told, name)) + "\n"


def _lines(told: Json, name: str) -> Iterator[str]:
    made = told["made"]
    yield f"### {_plain(name)}"
    yield ""
    yield (
        f"{made['images']:,} images ({made['originals']:,} originals, {made['copies']:,} copies) from "
        f"{made['sources']:,} sources, {size(made['bytes'])}, augx {told['augx']}"
    )
    yield ""
    for one in verdicts(told):
        yield f"- {_MARKS[one.level]} **{_plain(one.title)}**: {_plain(one.words)}"
    if told["classes"]:
        yield from _classes(told)
    if told["transforms"]:
        yield from _table(("transform", "copies", "share"), [
            (name, f"{one['images']:,}", f"{one['share']:.0%}")
            for name, one in list(told["transforms"].items())[:_TRANSFORMS]
        ])  # fmt: skip


def _classes(told: Json) -> Iterator[str]:
    order = sorted(
        told["classes"].items(), key=lambda one: (-one[1]["objects"]["after"], -one[1]["images"]["after"], one[0])
    )
    counted = any(class_sizes(told, "after")) and any(one["objects"]["after"] for _, one in order)
    unit = "objects" if counted else "images"
    yield from _table((f"class ({unit})", "before", "after", "lost"), [
        (name, f"{one[unit]['before']:,}", f"{one[unit]['after']:,}", f"{one['lost']['count']:,}")
        for name, one in order[:_CLASSES]
    ])  # fmt: skip
    if len(order) > _CLASSES:
        yield f"\n... and {len(order) - _CLASSES} more classes"


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> Iterator[str]:
    yield ""
    yield "| " + " | ".join(head) + " |"
    yield "| --- |" + " ---: |" * (len(head) - 1)
    for row in rows:
        yield "| " + " | ".join(map(_plain, row)) + " |"


def _plain(text: str) -> str:
    """With nothing that Markdown or HTML would make something of."""
    text = harmless(text)
    for letter, instead in (
        ("&", "&amp;"),
        ("<", "&lt;"),
        ("@", "&#64;"),  # which mentions a person
        ("://", "&#58;//"),  # which becomes a link
    ):
        text = text.replace(letter, instead)
    text = re.sub(r"(?i)\bwww\.", lambda found: f"{found[0][:-1]}&#46;", text)
    text = re.sub(r"([\\|`*_~\[])", r"\\\1", text)
    return " ".join(text.split())
