"""Which keypoints trade places in a mirror, told from their names."""

from __future__ import annotations

import re
from collections.abc import Sequence

_TOKENS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|[^\W\d_]+")  # leftEye, L_Eye, forelegL1, "Left Eye"
_MIRROR = {"left": "right", "right": "left", "l": "r", "r": "l", "lt": "rt", "rt": "lt"}
_SERIES = 10  # this many names that differ in their number alone (face-0 ... face-67) are points all over a thing

Tokens = tuple[str, ...]


def swap_of(names: Sequence[str]) -> tuple[int, ...] | None:
    """For each keypoint the index of the one it becomes in a mirror, by the left and right in their names.

    None where nothing can be told: no pair, a left without its right, two of one name, or a long series of numbered
    names without a side.
    """
    tokens = [tuple(token.lower() for token in _TOKENS.findall(name)) for name in names]
    places = {token: index for index, token in enumerate(tokens)}
    swap = list(range(len(tokens)))
    series: dict[Tokens, int] = {}
    for index, own in enumerate(tokens):
        mirrored = _mirrored(own)
        if mirrored is None:
            mirrored = next((other for other in _guesses(own) if other in places), own)
        if mirrored not in places:
            return None
        swap[index] = places[mirrored]
        if mirrored == own and own and own[-1].isdigit():
            series[own[:-1]] = series.get(own[:-1], 0) + 1
    sided = swap != list(range(len(swap)))
    there_and_back = all(swap[other] == index for index, other in enumerate(swap))
    return tuple(swap) if sided and there_and_back and max(series.values(), default=0) < _SERIES else None


def _mirrored(tokens: Tokens) -> Tokens | None:
    """The name of the other side; None for a name that has no side, or not for sure."""
    if any(token in _MIRROR for token in tokens):
        return tuple(_MIRROR.get(token, token) for token in tokens)
    for side in ("left", "right"):  # lefteye
        if tokens and tokens[0].startswith(side):
            return _MIRROR[side] + tokens[0][len(side) :], *tokens[1:]
    return None


def _guesses(tokens: Tokens) -> list[Tokens]:
    """What the other side would be called if the side is in the word (lwrist, eyer, eyeleft), which it need not be."""
    words = " ".join(tokens)
    found = []
    for side, other in _MIRROR.items():
        if words.startswith(side):
            found.append(other + words[len(side) :])
        if words.endswith(side):
            found.append(words[: -len(side)] + other)
    return [tuple(word.split(" ")) for word in found]
