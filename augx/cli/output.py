"""What a person sees: progress while it lasts, and the closing summary. Figures to stdout, all else to stderr."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from augx.codes import CODES
from augx.errors import one_line
from augx.model import Json
from augx.remote.mirror import named

if TYPE_CHECKING:
    from augx.engine import Outcome
    from augx.recipe import Recipe
    from augx.request import Share

_LONGEST = 60  # characters of a name in a table
_EVERY = 30.0  # seconds between lines where there is no terminal


def say(text: str = "", err: bool = False, nl: bool = True) -> None:
    """Prints a text; of what lies elsewhere it has the URL, not the folder here that stands for it."""
    click.echo(named(text), err=err, nl=nl)


class Progress:
    """A bar on a terminal, a line now and then elsewhere, nothing with `quiet`."""

    def __init__(self, quiet: bool) -> None:
        self.quiet = quiet
        self.images = self.made = self.failed = 0
        self.bar: Any = None
        self.started = self.last = 0.0

    def begin(self, images: int, kept: int) -> None:
        self.images = images
        self.started = self.last = time.monotonic()
        if self.quiet:
            return
        if kept:
            say(f"{kept:,} images are in place from before", err=True)
        if sys.stderr.isatty():
            from tqdm import tqdm

            self.bar = tqdm(total=images, unit=" images", smoothing=0.1, dynamic_ncols=True, leave=False)

    def step(self, made: int, failed: int) -> None:
        self.made += made
        self.failed += failed
        done = self.made + self.failed
        if self.bar is not None:
            self.bar.update(made + failed)
            if self.failed:
                self.bar.set_postfix_str(f"{self.failed} failed", refresh=False)
        elif not self.quiet and done and time.monotonic() - self.last >= _EVERY:
            self.last = time.monotonic()
            rate = done / (self.last - self.started)
            left = (self.images - done) / rate
            say(
                f"{done:,} of {self.images:,} images, {rate:.0f} a second, {self.failed} failed, {left:.0f} s left",
                err=True,
            )

    def end(self) -> None:
        if self.bar is not None:
            self.bar.close()


class Steps:
    """The same for what is counted in steps, or whatever `unit` says."""

    def __init__(self, quiet: bool, unit: str) -> None:
        self.quiet, self.unit = quiet, unit
        self.bar: Any = None
        self.steps = 0
        self.last = 0.0

    def begin(self, words: str, steps: int) -> None:
        self.steps, self.last = steps, time.monotonic()
        if self.quiet:
            return
        say(words, err=True)
        if sys.stderr.isatty():
            from tqdm import tqdm

            self.bar = tqdm(total=steps, unit=f" {self.unit}s", dynamic_ncols=True, leave=False)

    def step(self, done: int, says: str = "") -> None:
        if self.bar is not None:
            self.bar.set_postfix_str(says, refresh=False)
            self.bar.update(done - self.bar.n)
        elif not self.quiet and time.monotonic() - self.last >= _EVERY:
            self.last = time.monotonic()
            say(f"{self.unit} {done:,} of {self.steps:,}" + (f", {says}" if says else ""), err=True)

    def end(self) -> None:
        if self.bar is not None:
            self.bar.close()


def print_json(value: Json) -> None:
    say(json.dumps(value, ensure_ascii=False, indent=2))


def show_json(outcome: Outcome, share: Share | None = None) -> None:
    """What was done, and what summary.json says."""
    did: dict[str, Json] = {key: getattr(outcome, key) for key in ("made", "kept", "failed", "removed")}
    did |= outcome.summary if share is None or outcome.summary else {"shard": str(share)}
    print_json(did | ({"profile": dict(outcome.profile)} if outcome.profile else {}))


def warn(recipe: Recipe, quiet: bool) -> None:
    if not quiet:
        for problem in recipe.warnings:
            say(f"warning: {problem}", err=True)


def legible(name: str) -> str:
    """A name from the data as a terminal and a CI system can bear it: no controls, and not longer than a line."""
    name = one_line(name)
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 3]}..."


def table(rows: Sequence[tuple[str, ...]]) -> str:
    """Columns under each other: the first, of names, flush left, the others right."""
    rows = [(legible(row[0]), *row[1:]) for row in rows]
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]

    def line(row: tuple[str, ...]) -> str:
        cells = [cell.rjust(width) for cell, width in zip(row, widths, strict=True)]
        return "  ".join([row[0].ljust(widths[0]), *cells[1:]]).rstrip()

    return "\n".join(map(line, rows))


def class_table(classes: dict[str, dict[str, int]], most: int = 20) -> str:
    """Images per class before and after; the largest first where there are many."""
    shown = list(classes)
    if len(classes) > most:
        shown = sorted(classes, key=lambda name: (-classes[name]["before"], name))[:most]
    rows = [("class", "before", "after")]
    rows += [(name, f"{classes[name]['before']:,}", f"{classes[name]['after']:,}") for name in shown]
    text = table(rows)
    if len(classes) > most:
        text += f"\n... and {len(classes) - most} more classes (all are in summary.json)"
    return text


def balance_table(reached: dict[str, dict[str, int | None]], unit: str, most: int = 40) -> str:
    """What `balance` comes to, class by class; the smallest first where there are many."""
    shown = sorted(reached, key=lambda name: (reached[name]["before"], name))[:most] if len(reached) > most else reached
    rows: list[tuple[str, ...]] = [(f"class ({unit})", "before", "wanted", "after")]
    for name in shown:
        one = reached[name]
        rows.append((name, *("-" if one[key] is None else f"{one[key]:,}" for key in ("before", "wanted", "got"))))
    left = len(reached) - len(rows) + 1
    return table(rows) + (f"\n... and {left} more classes (--json has all)" if left else "")


def show_profile(outcome: Outcome) -> None:
    """Where the time went: CPU milliseconds for each image made, and shares."""
    if not outcome.made:
        say("no image was made: there is no time to tell of", err=True)
        return
    total = sum(outcome.profile.values()) or 1.0
    rows = [("CPU time", "ms an image", "share")]
    for part, seconds in outcome.profile.items():
        if not seconds:
            continue
        rows.append((part, f"{1000 * seconds / max(outcome.made, 1):.3f}", f"{100 * seconds / total:.1f} %"))
    rows.append(("all", f"{1000 * total / max(outcome.made, 1):.3f}", f"{total:.2f} s"))
    say(table(rows), err=True)


def summarise(outcome: Outcome, output: str, verbose: bool, idle: str = "nothing to do") -> None:
    """The closing words of a run: how many, failed and why, per class, where, and what next. `idle`: what is said
    where no image was made."""
    summary, counts = outcome.summary, outcome.summary["counts"]
    if not outcome.made and not outcome.removed and not counts["failed"]:
        say(f"{idle}: {counts['images']:,} images are in {output}")
    else:
        say(
            f"{counts['images']:,} images from {counts['sources']:,} sources in {output} "
            f"({outcome.made:,} made, {outcome.kept:,} kept from before, {outcome.removed:,} removed)"
        )
        if summary["classes"] and (set(summary["classes"]) != {"(none)"}):
            say()
            say(class_table(summary["classes"], 10_000 if verbose else 20))
    for code, count in summary["warnings"].items():
        say(f"warning: {count:,} x {_explained(code)}", err=True)
    if summary["ignored"]:
        kinds = ", ".join(f"{count} {ending}" for ending, count in summary["ignored"].items())
        say(f"not images, left out: {kinds}", err=True)
    say()
    if counts["failed"]:
        say(f"{counts['failed']:,} images could not be made; each is a row in {output}/failures.jsonl:")
        for code, count in summary["failures"].items():
            say(f"  {count:,} x {_explained(code)}")
    if counts["equal"]:
        say(
            f"{counts['equal']:,} images equal their source or another copy, though they were drawn up to six times: "
            f"{summary['multiplication']:g} different images per source"
        )
    say(f"how each image was made:  {output}/manifest.jsonl")
    say(f"check it any time with:   augx verify {output}")


def _explained(code: str) -> str:
    """A summary that was not made by this version may have codes of its own."""
    return f"{code}: {CODES[code].meaning} (augx show {code})" if code in CODES else code
