"""Braces in paths, as a shell expands them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import product

from augx.errors import InputError, printable

_BRACES = re.compile(r"\{([^{}]*)\}")
_RANGE = re.compile(r"(\d{1,9})\.\.(\d{1,9})")
_MOST = 1_000_000


def expanded(pattern: str) -> Iterator[str]:
    """`{0..2}` and `{a,b}` as a shell expands them."""
    parts = _BRACES.split(pattern)  # text and what stood in braces, in turn
    choices: list[list[str]] = []
    count = 1
    for place, part in enumerate(parts):
        choices.append(_choices(part) if place % 2 else [part])
        count *= len(choices[-1])
        if count > _MOST:  # before the next part takes memory
            raise InputError(f"{printable(pattern)} means {count:,} tars or more", f"give {_MOST:,} at most")
    for chosen in product(*choices):
        yield "".join(chosen)


def _choices(text: str) -> list[str]:
    found = _RANGE.fullmatch(text)
    if not found:
        return text.split(",") if "," in text else ["{" + text + "}"]
    first, last = int(found[1]), int(found[2])
    if abs(last - first) >= _MOST:
        raise InputError(f"{{{text}}} means {abs(last - first) + 1:,} tars", f"give {_MOST:,} at most")
    padded = any(len(number) > 1 and number[0] == "0" for number in found.groups())  # {0..10} is not, as in a shell
    width = max(map(len, found.groups())) if padded else 0
    return [f"{number:0{width}d}" for number in range(min(first, last), max(first, last) + 1)]
