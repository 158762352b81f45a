"""Which fields of other tools look like places in the picture: augx cannot move them, so it must not keep them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from augx.model import Json

_PLACES = re.compile(
    r"box|kpts?$|keypoint|landmark|point|polygon|poly|segment|corner|cent(?:er|re)|contour|outline|xy|click[0-9]|rotation"
    r"|direction|angle|position"
)
_NUMBER = re.compile(r"[-+]?[0-9]{0,20}\.?[0-9]{1,20}(?:[eE][-+]?[0-9]{1,3})?")


def is_place(name: str, value: Json) -> bool:
    """Whether a field that only another tool understands looks like a place or a direction: called so, with numbers,
    which tables and XML have as text."""
    if isinstance(value, Mapping):
        value = list(value.values())
    numbers = value if isinstance(value, (list, tuple)) else [value]
    inside = any(
        _NUMBER.fullmatch(one)
        if isinstance(one, str)
        else isinstance(one, (int, float, list, tuple, Mapping)) and one is not True
        for one in numbers
    )
    return inside and bool(_PLACES.search(name.lower()))
