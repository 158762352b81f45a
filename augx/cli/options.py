"""The options that several verbs share, and how they become a Request.

Order of strength: flag, AUGX_* variable, recipe, default.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from augx.cli import completing
from augx.executors import ALL, EXECUTORS
from augx.executors import cores as cores
from augx.store import FSYNC

if TYPE_CHECKING:
    from augx.formats import ReadOptions
    from augx.request import Request, Share

_LEAST_MEMORY = 64 << 20
_SIDES = 16  # pixels, of which a network's pictures are multiples
_MOST_THREADS = 4  # small networks get no quicker with more

F = TypeVar("F", bound=Callable[..., Any])


class _Errors(click.ParamType[str]):
    name = "N|P%"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        from augx.dispatch import ERRORS

        if not ERRORS.fullmatch(str(value)):
            self.fail(f"{value!r} is neither a number of images nor a percentage such as 5%", param, ctx)
        return str(value)


class _Seconds(click.FloatRange):
    name = "seconds"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        number: float = super().convert(value, param, ctx)
        if math.isnan(number):  # which is in any range
            self.fail(f"{value!r} is no number of seconds", param, ctx)
        return number


class _Column(click.ParamType[tuple[str, str]]):
    name = "ROLE=NAME"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        if isinstance(value, tuple):
            return value
        role, found, name = str(value).partition("=")
        if not found or role not in ("file", "label", "labels", "split"):
            self.fail(f"{value!r}: write file=NAME, label=NAME, labels=NAME or split=NAME", param, ctx)
        return role, name


class _Pair(click.ParamType[tuple[str, str]]):
    name = "NAME=VALUE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        if isinstance(value, tuple):
            return value
        name, found, said = str(value).partition("=")
        if not found or not name:
            self.fail(f"{value!r}: write NAME=VALUE, such as address=auto", param, ctx)
        return name, said


class _Size(click.ParamType[int]):
    name = "SIZE"

    def __init__(self, least: int) -> None:
        self.least = least

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        from augx.options import bytes_of

        if isinstance(value, int):
            return value
        size = bytes_of(str(value))
        if size is None or size < self.least:
            least = f"{self.least >> 20}M" if self.least >= 1 << 20 else str(self.least)
            self.fail(f"{value!r}: write a size of {least} or more, such as 800M or 2G", param, ctx)
        return size


class Duration(click.ParamType[float]):
    name = "TIME"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        found = re.fullmatch(r"(\d{1,6}(?:\.\d{1,3})?)\s*([smh])", str(value).strip())
        if not found or not (seconds := float(found[1]) * {"s": 1, "m": 60, "h": 3600}[found[2]]):
            self.fail(f"{value!r}: write a time such as 90s, 10m or 2h", param, ctx)
        return seconds


class _Side(click.IntRange):
    name = "pixels"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        side: int = super().convert(value, param, ctx)
        if side % _SIDES:
            self.fail(f"{value!r} must be a multiple of {_SIDES}", param, ctx)
        return side


class _Shard(click.ParamType["Share"]):
    name = "I/N"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Share:
        from augx.errors import Refused
        from augx.request import Share

        try:
            return value if isinstance(value, Share) else Share.parse(str(value))
        except Refused as error:
            self.fail(f"{error.message}: {error.hint}", param, ctx)


class Place(click.Path):
    """A folder, or a URL, for which a folder here stands that lists what is there. `reads`: it is an INPUT."""

    def __init__(self, reads: bool) -> None:
        super().__init__()
        self.reads = reads

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        given = str(super().convert(value, param, ctx))
        if "://" not in given or ctx is None or ctx.resilient_parsing:
            return given
        from augx.request import here

        return here(given, self.reads)


input_argument = click.argument("input", metavar="INPUT", type=Place(reads=True))
output_argument = click.argument("output", metavar="OUTPUT", type=Place(reads=False))
json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
quiet_option = click.option("-q", "--quiet", is_flag=True, envvar="AUGX_QUIET", help="Print errors only.")
verbose_option = click.option("-v", "--verbose", is_flag=True, envvar="AUGX_VERBOSE", help="Print more.")
workers_option = click.option(
    "-j",
    "--workers",
    type=click.IntRange(0, 1024),
    envvar="AUGX_WORKERS",
    metavar="N",
    help="Worker processes; 0 works in this process, without limits.  [default: the number of cores, or all that the"
    " executor has]",
)


def _options(*options: Callable[[F], F]) -> Callable[[F], F]:
    def add(function: F) -> F:
        for option in reversed(options):
            function = option(function)
        return function

    return add


fsync_option = click.option(
    "--fsync", type=click.Choice(FSYNC), default="batch", envvar="AUGX_FSYNC", show_default=True,
    help="Wait for the disk, so that a power cut leaves no half file: for each file, for some dozens at once, or not at"
    " all.",
)  # fmt: skip
working_options = _options(
    workers_option,
    click.option("--max-errors", type=_Errors(), envvar="AUGX_MAX_ERRORS",
                 help="Stop when more images than this have failed.  [default: no limit]"),
    click.option("--time-limit", "seconds", type=_Seconds(0, 1e6, min_open=True), default=300,
                 envvar="AUGX_TIME_LIMIT", metavar="SECONDS", show_default=True,
                 help="What takes longer than this for one image is stopped, and fails."),
    click.option("--memory-limit", "memory", type=_Size(_LEAST_MEMORY), envvar="AUGX_MEMORY_LIMIT",
                 help="What one worker may take; 800M, 2G.  [default: its share of the machine's]"),
    fsync_option,
)  # fmt: skip
shard_option = click.option(
    "--shard", "share", type=_Shard(), envvar="AUGX_SHARD",
    help="Make the I-th of N parts only, on any machine that sees INPUT and OUTPUT; `augx merge OUTPUT` joins them.",
)  # fmt: skip
reading_options = _options(
    click.option("--from", "from_format", metavar="FORMAT", envvar="AUGX_FROM", shell_complete=completing.formats,
                 help="Format of INPUT (`augx list formats`).  [default: detected]"),
    click.option("--labels", metavar="PATH", envvar="AUGX_LABELS",
                 help="The label file or folder, a path in INPUT, where INPUT has several."),
    click.option("--table", metavar="FILE", envvar="AUGX_TABLE", help="The table of labels, where INPUT has several."),
    click.option("--column", "columns", type=_Column(), multiple=True,
                 help="What a column of the table is, where its name does not tell: label=breed."),
)  # fmt: skip
recipe_options = _options(
    click.option("-r", "--recipe", metavar="FILE|NAME|-", envvar="AUGX_RECIPE", shell_complete=completing.recipes,
                 help="A recipe file, a bundled recipe (`augx list recipes`) or - for stdin."
                 "  [default: the bundled one that fits the labels]"),
    click.option("-n", "--copies", type=int, envvar="AUGX_COPIES", metavar="N", help="New images per source."),
    click.option("--seed", type=int, envvar="AUGX_SEED", metavar="N", help="Another seed makes other images."),
    click.option("--originals/--no-originals", default=None, envvar="AUGX_ORIGINALS",
                 help="Whether the source images are copied too."),
)  # fmt: skip
training_options = _options(
    click.option("--device", default="auto", metavar="NAME", show_default=True,
                 help="auto, cpu, cuda, cuda:1 or mps; auto takes a GPU where there is one."),
    click.option("--threads", type=click.IntRange(1, 256), metavar="N", default=lambda: min(cores(), _MOST_THREADS),
                 help=f"On the CPU; what comes out depends on how many.  [default: the number of cores, at most"
                 f" {_MOST_THREADS}]"),
    click.option("--side", type=_Side(32, 256), metavar="PIXELS",
                 help="How wide and high a network sees images, a multiple of 16.  [default: as they usually are]"),
)  # fmt: skip
hard_option = click.option("--hard-labels", "hard", is_flag=True, default=None, envvar="AUGX_HARD_LABELS",
                           help="Mixed images keep the class of the image they were made of, not weights.")  # fmt: skip
loss_option = click.option("--allow-loss", is_flag=True, envvar="AUGX_ALLOW_LOSS",
                           help="Leave out the labels that the format of OUTPUT cannot hold.")  # fmt: skip
to_option = click.option(
    "--to",
    "to_formats",
    metavar="FORMAT",
    multiple=True,
    envvar="AUGX_TO",
    shell_complete=completing.formats,
    help="Format of OUTPUT; repeat for the label files of several.  [default: that of INPUT]",
)
tar_options = _options(
    click.option("--tar-images", type=click.IntRange(1, 10**9), envvar="AUGX_TAR_IMAGES", metavar="N",
                 help="With --to webdataset: about so many images a tar.  [default: 1000]"),
    click.option("--tar-bytes", type=_Size(1), envvar="AUGX_TAR_BYTES",
                 help="With --to webdataset: about this size a tar, by its sources' sizes.  [default: 256M]"),
)  # fmt: skip
planning_options = _options(
    recipe_options,
    reading_options,
    to_option,
    tar_options,
    loss_option,
    hard_option,
    click.option("--strict", is_flag=True, envvar="AUGX_STRICT", help="Refuse where there would be a warning."),
    click.option("--executor", type=click.Choice(list(EXECUTORS)), default="local", envvar="AUGX_EXECUTOR",
                 show_default=True, help="Who works: `augx list executors`."),
    click.option("--executor-option", "options", type=_Pair(), multiple=True, metavar="NAME=VALUE",
                 help="What to say to it: `augx show ray`."),
)  # fmt: skip


def request(input: str, output: str, chosen: dict[str, Any]) -> Request:
    """A Request of the values that `planning_options` gave; its transforms' arguments are not checked yet."""
    from augx import recipe
    from augx.request import Request

    keys = ("copies", "seed", "originals", "hard", "tar_images", "tar_bytes")
    changes = {key: chosen[key] for key in keys if chosen.get(key) is not None}
    named = None if chosen["recipe"] is None else recipe.read(chosen["recipe"], checked=False).replace(**changes)
    return Request(
        input=input,
        output=output,
        recipe=named,
        changes=changes,
        from_format=chosen["from_format"],
        to_formats=tuple(chosen["to_formats"]),
        read=read_options(chosen),
        strict=chosen["strict"],
        allow_loss=chosen["allow_loss"],
        **means(chosen),
    )


def means(chosen: dict[str, Any]) -> dict[str, Any]:
    """The fields of a Request that `working_options` gave, where the verb has them."""
    given: dict[str, Any] = {key: chosen[key] for key in ("max_errors", "seconds", "memory", "fsync") if key in chosen}
    executor = chosen.get("executor", "local")
    usual = cores() if executor == "local" or "seconds" not in chosen else ALL
    given |= {"executor": executor, "options": dict(chosen.get("options", ()))}
    return given | {"workers": usual if chosen.get("workers") is None else chosen["workers"]}


def read_options(chosen: dict[str, Any]) -> ReadOptions:
    """What `reading_options` gave, less the format."""
    from augx.formats import ReadOptions

    return ReadOptions(labels=chosen["labels"], table=chosen["table"], columns=dict(chosen["columns"]))
