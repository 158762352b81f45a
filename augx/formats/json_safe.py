"""JSON from anywhere, read whole: what goes wrong is a ValueError, and what is kept of it can be written again."""

from __future__ import annotations

import json

from augx.model import Json

DEPTH = 100  # what is nested deeper is refused, as not every reader survives it


def read(data: bytes, name: str) -> Json:
    """The document; NaN and Infinity are let through. ValueError says `name`, the line and what is wrong."""
    try:
        return json.loads(data.decode(json.detect_encoding(data)), object_pairs_hook=_unique)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ValueError(f"{name}:{line}: byte {error.start} (0x{data[error.start]:02x}) is no UTF-8") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"{name}:{error.lineno}: it is no JSON: {error.msg}") from None
    except RecursionError:
        raise ValueError(f"{name}: it is nested too deep") from None
    except ValueError as error:  # an integer of thousands of digits
        many = "int_max_str_digits" in str(error)
        raise ValueError(f"{name}: {'a number has too many digits' if many else str(error)[:100]}") from None


def _unique(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands twice in one object")
    return found


def why_not_kept(value: Json) -> str:
    """Why a part of a document could not be written again just so; "" if it can be."""
    if isinstance(value, (list, dict)) and _deep(value):
        return f"it is nested more than {DEPTH} deep"
    try:
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except UnicodeEncodeError:
        return "it has half a surrogate pair in a text"
    except ValueError:
        return "it has a number that is not finite"
    return ""


def _deep(value: Json) -> bool:
    level = [value]
    for _ in range(DEPTH):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, (list, dict))
        ]
        if not level:
            return False
    return True
