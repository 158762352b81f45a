"""What is wrong with label files, as it is found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from augx.model import Flaw

MOST = 100_000


class Flaws:
    """Flaws in order. Of one code, those of a label file beyond MOST are told in one, at the end."""

    def __init__(self, known: Iterable[Flaw] = ()) -> None:
        self._told = list(known)
        self._counts: Counter[tuple[str, str]] = Counter()

    def add(self, path: str, code: str, source: str, message: str) -> None:
        """`path`: the label file."""
        self._counts[path, code] += 1
        if self._counts[path, code] <= MOST:
            self._told.append(Flaw(code, source, message))

    def extend(self, flaws: Iterable[Flaw]) -> None:
        self._told.extend(flaws)

    def __iter__(self) -> Iterator[Flaw]:
        yield from self._told
        for (path, code), count in self._counts.items():
            if count > MOST:
                yield Flaw(code, path, f"{path}: {count - MOST:,} more like these")

    def __len__(self) -> int:
        return sum(1 for _ in self)
