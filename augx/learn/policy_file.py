"""A policy as `augx learn policy` writes it: comments, then what recipes read. It is known as ours while nobody has
edited it."""

from __future__ import annotations

import hashlib
import re
import textwrap
from collections.abc import Iterable, Sequence

from augx import artefact
from augx.errors import one_line
from augx.learn.subpolicies import SubPolicy, flow
from augx.store import open_regular

_MARK = "# Written by `augx learn policy`; digest "
_REQUEST = "# request "
_WIDE = 100  # characters of a comment
_MOST = 1 << 20  # bytes


def text(
    said: Iterable[str], policies: Sequence[tuple[SubPolicy, str]], request: str, sketch: Sequence[str] = ()
) -> str:
    """`said`: paragraphs; one that begins with a space is a line as it is. `policies`: each with what is said of it.
    `request`: a digest of all that was asked for. `sketch`: of the pictures it was found on."""
    lines: list[str] = []
    for part in map(one_line, said):
        lines += [part] if part.startswith(" ") else ["", *textwrap.wrap(part, _WIDE, break_on_hyphens=False)]
    lines = [f"# {line}".rstrip() for line in [*lines[1:], ""]]
    lines += [*artefact.noted(sketch), _REQUEST + request, "version: 1", "policies:"]
    for ops, words in policies:
        lines.append(f"  # {one_line(words)}")
        for number, op in enumerate(ops):
            ((name, args),) = op.items()
            lines.append(f"  {' ' if number else '-'} - {name}: {flow(args)}")
    body = "\n".join([*lines, ""]).encode("utf-8", "backslashreplace").decode()
    return f"{_MARK}{_hash(body)}: edit it, and augx will not write over it.\n#\n{body}"


def ours(data: bytes) -> bool:
    """Whether it is as it was written."""
    content = data.decode("utf-8", "replace")
    first, _, body = content.partition("\n#\n")
    found = re.fullmatch(re.escape(_MARK) + r"(\w{16}): .*", first)
    return found is not None and _hash(body) == found[1]


def there(path: str, request: str) -> str:
    """The policy at a path that was written for this request; "" where there is none."""
    try:
        with open_regular(path) as file:
            data = file.read(_MOST)
    except OSError:
        return ""
    content = data.decode("utf-8", "replace")
    return content if ours(data) and f"\n{_REQUEST}{request}\n" in content else ""


def _hash(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()[:16]
