"""Every error augx raises on purpose.

AugxError                     has an exit code; the command line prints it without a traceback
├── Refused (2)               nothing was written
│   ├── RecipeError           one or many problems, each with file, line and column
│   ├── InputError            INPUT cannot be read as a dataset
│   └── OutputError           OUTPUT is foreign, locked, or may not be written to
├── Stopped (3)               the system stopped the run half-way: disk full, I/O error
└── GateError (1)             a limit the user set was passed, for example --max-errors

ImageError                    one image cannot be made; becomes a row in failures.jsonl, never an exit
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

PASSING = frozenset(
    ("worker-died", "timed-out", "out-of-memory", "name-too-long", "no-background", "no-model", "changed-while-read")
)  # codes of failures that say nothing about the source: tried again by every run

_COMMAND = re.compile(r"(^|[\n\r\v\f\x85\u2028\u2029])\s*::")


class AugxError(Exception):
    """`message` says what is wrong and where; `hint` says what to do about it."""

    exit_code = 70

    def __init__(self, message: str, hint: str = "") -> None:
        self.message, self.hint = printable(message), printable(hint)
        super().__init__(self.message)

    def __reduce__(self) -> tuple[Any, ...]:
        """Errors come whole out of other processes: a DataLoader's workers, a pool."""
        return type(self), (self.message, self.hint)


class Refused(AugxError):
    exit_code = 2


class InputError(Refused):
    pass


class OutputError(Refused):
    pass


class Stopped(AugxError):
    exit_code = 3


class GateError(AugxError):
    exit_code = 1


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in a recipe, or a dataset. `line` and `column` count from 1; 0 means the file as a whole.

    `code`: in `rules.RULES` or `codes.CODES`.
    """

    file: str
    line: int
    column: int
    message: str
    suggestion: str = ""
    severity: str = "error"  # or "warning", "note"
    code: str = field(default="", compare=False)

    def __str__(self) -> str:
        file = one_line(self.file)
        place = f"{file}:{self.line}:{self.column}" if self.line else file
        return harmless(f"{place}: {self.message}" + (f" ({self.suggestion})" if self.suggestion else ""))


class RecipeError(Refused):
    """All problems of a recipe at once, in the order of the file."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(p) for p in problems))
        self.problems = tuple(problems)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.problems,)


class ImageError(Exception):
    """`code` is a stable reason in kebab-case (`truncated`, `not-an-image`); `message` is for a person.

    `stage` is where it happened: read, decode, transform, encode, or worker.
    """

    def __init__(self, code: str, message: str, stage: str = "decode") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.stage = stage

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.code, self.message, self.stage)


def printable(text: str) -> str:
    """`text` with what is no Unicode, as in names of files, written as \\udcNN."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def harmless(text: str) -> str:
    """`text` without lines that a CI system takes for a command, as names in it can begin with "::error::"."""
    return _COMMAND.sub(r"\1\\x3a:", text).replace("##[", "#\\x23[")


def one_line(text: str) -> str:
    """A name, harmless and without controls: line breaks and the like are escaped."""
    return harmless(text if text.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text))


def few(names: Iterable[str], most: int = 3) -> str:
    """The first names of many, sorted, as a message lists them."""
    names = sorted(names)
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
