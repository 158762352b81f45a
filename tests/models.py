"""Model files for tests, written without torch: the header as `augx learn` writes it, and zeros."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from augx.artefact import METADATA, Card

CARD = Card(
    "autoencoder", {"width": 8, "side": 32}, ("cat", "dog"), 12, "0" * 64, (), 3, {"torch": "2.13.0"}, {"steps": 5}, {}
)
TENSORS = {"one": ("F32", [2, 3]), "two": ("F32", [4])}
_WIDTHS = {"F32": 4, "I64": 8, "F16": 2}


def header(card: Card | str | None = CARD, tensors: dict[str, tuple[str, list[int]]] = TENSORS) -> dict[str, Any]:
    told: dict[str, Any] = {}
    if card is not None:
        told["__metadata__"] = {METADATA: card if isinstance(card, str) else card.text()}
    begin = 0
    for name, (kind, shape) in tensors.items():
        size = _WIDTHS[kind]
        for side in shape:
            size *= side
        told[name] = {"dtype": kind, "shape": shape, "data_offsets": [begin, begin + size]}
        begin += size
    return told


def packed(told: Any, numbers: bytes | None = None) -> bytes:
    """A file of this header, with so many zeros as it says."""
    text = told if isinstance(told, bytes) else json.dumps(told).encode()
    if numbers is None:
        ends = [one["data_offsets"][1] for name, one in told.items() if name != "__metadata__"]
        numbers = bytes(max(ends, default=0))
    return len(text).to_bytes(8, "little") + text + numbers


def model(path: Path, card: Card = CARD) -> Path:
    path.write_bytes(packed(header(card)))
    return path
