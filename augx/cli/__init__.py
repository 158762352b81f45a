"""The command line: the only place that prints, asks, or sets an exit code. A verb is imported when it is called."""

from __future__ import annotations

import atexit
import io
import os
import re
import signal
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from importlib import import_module
from types import FrameType
from typing import Any

import click

from augx import __version__
from augx.errors import AugxError, Refused, harmless

VERBS: Mapping[str, tuple[str, str]] = {
    "run": ("augx.cli.run", "Multiply the labelled images under INPUT into OUTPUT."),
    "merge": ("augx.cli.merge", "Join what run --shard I/N has left in OUTPUT."),
    "plan": ("augx.cli.plan", "Say what run would make; --hash prints a cache key."),
    "check": ("augx.cli.plan", "Say whether OUTPUT is what run would make now."),
    "verify": ("augx.cli.verify", "Hold every file of OUTPUT against the manifest."),
    "validate": ("augx.cli.validate", "Find what is wrong or unwise in recipes, all at once."),
    "convert": ("augx.cli.convert", "Write a dataset in another label format, pixels untouched."),
    "preview": ("augx.cli.preview", "Draw a contact sheet: sources beside the copies run would make."),
    "report": ("augx.cli.report", "Look at a finished run: verdicts, pictures, figures."),
    "export": ("augx.cli.export", "Write the manifest as a Parquet table."),
    "replay": ("augx.cli.replay", "Make one output image again from its manifest row."),
    "learn": ("augx.cli.learn", "Fit a learned augmenter on your own images."),
    "probe": ("augx.cli.probe", "Say whether a recipe helps, on held-out images of your own."),
    "list": ("augx.cli.catalogue", "List transforms, formats, policies, recipes, codes or rules."),
    "show": ("augx.cli.catalogue", "Explain one transform, format, recipe, executor, code or rule."),
    "init": ("augx.cli.init", "Write a commented starter recipe for a dataset."),
    "schema": ("augx.cli.schema", "Print the JSON Schema of a recipe, for editors."),
    "completion": ("augx.cli.schema", "Print what makes bash, zsh or fish complete augx."),
    "demo": ("augx.cli.demo", "Make a small dataset and multiply it, to see what augx does."),
}
EXITS = """Exit codes: 0 done or up to date, 1 done with findings, 2 refused and nothing written, 3 stopped by the
system, 70 a bug in augx, 130 and 143 stopped by SIGINT and SIGTERM. After 3, 130 and 143 the same command goes on from
there."""


class Terminated(BaseException):
    """SIGTERM came."""


class Verbs(click.Group):
    """A group whose commands are modules that nobody imports before they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in VERBS:
            return None
        command: click.Command = getattr(import_module(VERBS[name][0]), f"{name}_command")
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        from difflib import get_close_matches

        close = get_close_matches(args[0], VERBS, n=1)
        if args[0] not in VERBS and not args[0].startswith("-") and close:
            ctx.fail(f"No such command {args[0]!r}. Did you mean {close[0]!r}?")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in VERBS.items()])


@click.group(
    cls=Verbs,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=EXITS,
)
@click.version_option(__version__, message="augx %(version)s")
def group() -> None:
    """Multiply a labelled image dataset: right labels, reproducible bytes, a manifest that says how.

    \b
    augx demo /tmp/demo                            see what it does
    augx init photos/ -o recipe.yaml               write a starter recipe
    augx run photos/ photos-x10/ -r recipe.yaml    the main job
    """


_stopped: type[BaseException] | None = None  # what the first signal raised
_LATE = 3.0  # seconds that what is left of a run may take to end
_NO_MEMORY = "augx: out of memory; fewer --workers need less, and the same command goes on from here"


def main() -> None:
    """The console script: runs a verb and turns whatever comes of it into an exit code."""
    _open_standard_files()
    if sys.getfilesystemencoding().lower() not in ("utf-8", "utf8") and os.environ.get("PYTHONUTF8") != "1":
        # in another encoding file names would be other names, and other images
        os.execve(sys.executable, [sys.executable, "-m", "augx", *sys.argv[1:]], os.environ | {"PYTHONUTF8": "1"})
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a name the terminal cannot show is no reason to stop
    signal.signal(signal.SIGINT, _stop)
    signal.signal(signal.SIGTERM, _stop)
    code = call(sys.argv[1:])
    for number in (signal.SIGINT, signal.SIGTERM):  # a second one must not change what has been decided
        signal.signal(number, lambda *_: os._exit(code))
    late = threading.Timer(_LATE, os._exit, (code,))  # exit handlers wait for workers, which may never say they ended
    late.daemon = True
    late.start()
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


def call(arguments: list[str]) -> int:
    """Runs one command line and returns its exit code."""
    try:
        code = _unmasked(arguments)
        sys.stdout.flush()
        return code
    except click.exceptions.Exit as wanted:
        return wanted.exit_code
    except click.ClickException as error:
        with suppress(OSError):
            error.show()
        return error.exit_code
    except AugxError as error:
        _say(f"augx: {error.message}")
        if error.hint:
            _say(f"      {error.hint}")
        return error.exit_code
    except KeyboardInterrupt:
        _say("augx: stopped; the same command goes on from here")
        return 130
    except Terminated:
        _say("augx: terminated; the same command goes on from here")
        return 143
    except BrokenPipeError:  # nobody reads on: no fault of the command
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 141
    except MemoryError:
        _say(_NO_MEMORY)
        return 3
    except OSError as error:
        from augx.store import way_out

        _say(f"augx: {error.filename or 'output'}: {error.strerror or error}\n      {way_out(error)}")
        return 3
    except Exception as error:
        import traceback

        if isinstance(error, ImportError) and re.search("failed to map segment|allocate memory", str(error)):
            _say(_NO_MEMORY)
            return 3
        _say("augx: this is a bug in augx, not in what you did. Please report it with these lines:\n")
        _say(f"augx {__version__}, {sys.platform}, Python {sys.version.split()[0]}")
        _say(traceback.format_exc())
        return 70


def _unmasked(arguments: list[str]) -> int:
    """An interrupt comes out of some extension modules as an error of theirs; it stays an interrupt."""
    try:
        return _invoke(arguments)
    except Exception as error:
        if _stopped is None:
            raise
        raise _stopped() from error


def _say(text: str) -> None:
    """To stderr, if that can be written: the exit code counts."""
    if "augx.remote.mirror" in sys.modules:
        from augx.remote.mirror import named

        text = named(text)
    with suppress(OSError):
        click.echo(harmless(text), err=True)


def _invoke(arguments: list[str]) -> int:
    """What click's own `main` does, less its translation of interrupts and broken pipes into exit code 1."""
    if "_AUGX_COMPLETE" in os.environ:
        group.main(arguments, prog_name="augx")
    try:
        os.getcwd()
    except FileNotFoundError:
        raise Refused("the working folder has been deleted", "change to another folder") from None
    with group.make_context("augx", arguments) as context:
        code = group.invoke(context)
    return code if isinstance(code, int) else 0


def _open_standard_files() -> None:
    """Gives stdin, stdout and stderr something to be where they are closed, as under some daemons."""
    for number, (name, mode) in enumerate([("stdin", "r"), ("stdout", "w"), ("stderr", "w")]):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest free number: this one
            setattr(sys, name, open(number, mode, encoding="utf-8"))


def _stop(number: int, frame: FrameType | None) -> None:
    """The first signal stops the run in order; for whoever cannot wait the second ends it at once."""
    global _stopped
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, lambda number, _: os._exit(128 + number))
    _stopped = KeyboardInterrupt if number == signal.SIGINT else Terminated
    raise _stopped
