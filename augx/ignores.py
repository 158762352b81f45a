"""Comments of a recipe that say what is not to be told: `# augx: ignore[range-destroys, slow-step]`.

Behind a line, or on a line of its own above it; above the first line of the recipe it holds for all of it, and for
what is found in the dataset. What `augx run` refuses cannot be ignored.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from augx.codes import CODES
from augx.errors import Problem
from augx.rules import OF_RECIPES, REFUSED, RULES

_COMMENT = re.compile(r"(?:^|(?<=\s))#\s*augx:\s*ignore\[([^\]]*)\]")
_MEANT = re.compile(r"(?:^|(?<=\s))#\s*augx\s*:\s*ignore\b", re.IGNORECASE)
_WORD = re.compile(r"[^\s,]+")


@dataclass(frozen=True, slots=True)
class Ignore:
    """One code in a comment at `line`, `column`. `holds`: for which line; 0: for all. `code` "": there is none, or not
    in brackets."""

    code: str
    line: int
    column: int
    holds: int

    def covers(self, problem: Problem) -> bool:
        return self.code == problem.code != "" and problem.code not in REFUSED and self.holds in (0, problem.line)


def ignores(data: bytes) -> tuple[Ignore, ...]:
    """Those of a recipe's text, in order."""
    found: list[Ignore] = []
    waiting: list[tuple[str, int, int]] = []  # of lines that are nothing but a comment
    begun = False
    for number, line in enumerate(data.decode("utf-8", "replace").splitlines(), 1):
        codes = [
            (code[0], number, comment.start(1) + code.start() + 1)
            for comment in _COMMENT.finditer(line)
            for code in _WORD.finditer(comment[1])
        ]
        good = {comment.start() for comment in _COMMENT.finditer(line) if _WORD.search(comment[1])}
        found += [Ignore("", number, m.start() + 1, 0) for m in _MEANT.finditer(line) if m.start() not in good]
        text = line.strip()
        if not text or text.startswith("#"):
            waiting += codes
            continue
        found += [Ignore(*code, number if begun else 0) for code in waiting] + [Ignore(*code, number) for code in codes]
        waiting, begun = [], True
    return tuple(found)


def told(problems: Iterable[Problem], told_off: Iterable[Ignore]) -> tuple[Problem, ...]:
    """Those that no comment covers."""
    known = tuple(told_off)
    return tuple(problem for problem in problems if not any(one.covers(problem) for one in known))


def doubts(name: str, told_off: Iterable[Ignore], found: Iterable[Problem], whole: bool) -> list[Problem]:
    """What is wrong with the comments themselves. `found`: everything, ignored or not. `whole`: a dataset was looked
    at, too, so that what was not found is not there."""
    problems, everything = [], tuple(found)
    for one in told_off:
        place = (name, one.line, one.column)
        if not one.code:
            message = "this comment ignores nothing, for want of a code in brackets"
            problems.append(Problem(*place, message, "write `# augx: ignore[CODE]`", "warning", "unknown-ignore"))
        elif one.code in REFUSED or (one.code not in RULES and one.code not in CODES):
            why = (
                "cannot be ignored: augx run refuses it" if one.code in REFUSED else "is no code: see `augx list rules`"
            )
            problems.append(Problem(*place, f"{one.code} {why}", "correct or remove it", "warning", "unknown-ignore"))
        elif (whole or one.code in OF_RECIPES) and not any(map(one.covers, everything)):
            message = f"{one.code} is not found here, so there is nothing to ignore"
            problems.append(Problem(*place, message, "remove the comment", "note", "unused-ignore"))
    return problems
