"""Arguments in sentences, taken from the transforms' own docstrings, for editors."""

from __future__ import annotations

import inspect
import re

from augx.transforms.catalog import TRANSFORMS
from augx.transforms.door import transform_class
from augx.transforms.own import base as own

_LONGEST = 300  # characters
_SHARED = {  # by what many transforms call alike and few explain
    "fill": "What comes in from outside, or covers what is erased, in levels of 0 to 255: one, or one a channel.",
    "fill_mask": "The same in class masks; where nothing is said, the class that means no class.",
    "border_mode": "What lies around the picture: a constant, or its own pixels again.",
    "partners": "Of which class the other pictures are: any, the same, or another.",
    "alpha": "Of the Beta distribution that the share of each picture is drawn from: 1 is even, less is either.",
    "scale_range": "By how much it is made larger or smaller.",
    "classes": "Of which classes; none named means all.",
}
_ARGUMENT = re.compile(r"^ {4}(\w+)\b[^:]*?(?:\([^()]*(?:\([^()]*\)[^()]*)*\))?\s*: *(.*)$")
_OWN = re.compile(r"`(\w+)`: (.*?)(?=[.;] `\w+`[:,]|\n\s*\n|\Z)", re.DOTALL)


def explained(name: str) -> dict[str, str]:
    """Argument -> what it does, in a sentence or two; not all of them, and others that it does not have."""
    if TRANSFORMS[name].own:
        found = _OWN.findall(inspect.getdoc(own.load(name)) or "")
        return _SHARED | {key: _plain(text) for key, text in found}
    if TRANSFORMS[name].members:
        return {}
    _, _, rest = (inspect.getdoc(transform_class(name)) or "").partition("\nArgs:\n")
    texts: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in rest.splitlines():
        if line and not line.startswith(" "):
            break  # the next section
        if begun := _ARGUMENT.match(line):
            lines = texts.setdefault(begun[1], [])
            lines.append(begun[2])
        else:
            lines.append(line)
    return _SHARED | {key: told for key, text in texts.items() if (told := _plain("\n".join(text)))}


def _plain(text: str) -> str:
    """The first sentences, up to a list or a blank line, on one line; without what the schema says itself."""
    text = re.split(r"\n\s*(?:[-*] |\n|\d\. )", text)[0]
    text = re.sub(r"\s+", " ", re.sub(r"\*\*|\[\d\]", "", text.replace("``", "`"))).strip()
    kept = ""
    for sentence in re.split(r"(?<=[.]) (?=[A-Z(])", text):
        if kept and len(kept) + len(sentence) > _LONGEST:
            break
        if not sentence.startswith("Default"):
            kept += f" {sentence}"
    kept = kept.strip().rstrip(" :;,")
    return kept if not kept or kept.endswith(".") else kept + "."
