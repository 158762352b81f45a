"""Coordinates as text, in label files that are no JSON."""

from __future__ import annotations

_LONGEST = 64


def to_float(text: str) -> float:
    """ValueError for what is no number, or is written with more digits than anyone means."""
    if len(text) > _LONGEST:
        raise ValueError("it is too long for a number")
    return float(text)


def to_text(value: float) -> str:
    """Whole numbers without a point, others so that they are read as the same float."""
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(float(value))
