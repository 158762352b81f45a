"""A model of a disk that loses power: what may be left of a run's calls when only what it waited for is sure."""

from __future__ import annotations

import os
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from events import Event

LOCK = ".augx/lock"  # what is in it means nothing


@dataclass(eq=False)
class File:
    """`sure`: the disk has its content and date."""

    data: bytes = b""
    mtime_ns: int | None = None
    sure: bool = False

    def survivor(self, rng: random.Random) -> File:
        """What the disk may have of it."""
        if self.sure:
            return self
        size, half = len(self.data), self.data[: len(self.data) // 2]
        data = rng.choice([self.data, b"", half, bytes(size), half + bytes(size - len(half))])
        return File(data, rng.choice([self.mtime_ns, None]))


@dataclass
class Names:
    """Path -> file, and the folders."""

    files: dict[str, File] = field(default_factory=dict)
    folders: set[str] = field(default_factory=set)

    def apply(self, event: Event, file: File | None) -> None:
        """A change of names; one that cannot be any more is none."""
        if event.call == "create":
            self.files.setdefault(event.path, file or File())
        elif event.call == "replace" and file is not None:
            self.files.pop(event.path, None)
            self.files[event.given] = file
        elif event.call in ("unlink", "remove"):
            self.files.pop(event.path, None)
        elif event.call == "mkdir":
            self.folders.add(event.path)
        elif event.call == "rmdir" and not any(p.startswith(event.path + "/") for p in (*self.files, *self.folders)):
            self.folders.discard(event.path)

    def copy(self) -> Names:
        return Names(dict(self.files), set(self.folders))


class Disk:
    """`now`: what processes see. `sure`: the names that the disk has for certain. `pending`: the changes since."""

    def __init__(self, before: Path, root: Path) -> None:
        """`root` is OUTPUT, with what is in `before` when the run begins."""
        self.now = Names({}, {str(root)} if before.exists() else set())
        for path in before.rglob("*"):
            place = str(root / path.relative_to(before))
            if path.is_dir():
                self.now.folders.add(place)
            else:
                self.now.files[place] = File(path.read_bytes(), path.stat().st_mtime_ns, sure=True)
        self.sure = self.now.copy()
        self.pending: list[tuple[Event, File | None]] = []

    def do(self, event: Event) -> None:
        call, path, given = event
        file = self.now.files.get(path)
        if call in ("create", "replace", "unlink", "remove", "mkdir", "rmdir"):
            if call == "create" and file is None:
                file = File()
            self.now.apply(event, file)
            self.pending.append((event, file))
        elif call in ("write", "utime") and file is not None and not path.endswith(LOCK):
            file.sure = False
            if call == "write":
                file.data += given
            else:
                file.mtime_ns = given[1] if given else None
        elif call == "fsync" and path in self.now.folders:
            kept = []
            for change in self.pending:
                if os.path.dirname(change[0].given if change[0].call == "replace" else change[0].path) == path:
                    self.sure.apply(*change)
                else:
                    kept.append(change)
            self.pending = kept
        elif call == "fsync" and file is not None:
            file.sure = True
        elif call == "syncfs":
            for one in self.now.files.values():
                one.sure = True
            self.sure, self.pending = self.now.copy(), []

    def crash(self, rng: random.Random, ordered: bool) -> Names:
        """What may be left. `ordered`: changes of names come to the disk in their order, as journals keep it."""
        left = self.sure.copy()
        some: Iterable[tuple[Event, File | None]]
        if ordered:
            some = self.pending[: rng.randint(0, len(self.pending))]
        else:
            some = [change for change in self.pending if rng.random() < 0.5]
        for change in some:
            left.apply(*change)
        return Names({path: file.survivor(rng) for path, file in left.files.items()}, left.folders)


def states(events: Sequence[Event], before: Path, root: Path, count: int, seed: int) -> Iterable[tuple[str, Names]]:
    """So many things that may be left of a run, each with words for how it came to be. The same for the same seed.

    Half of them are of a power cut near the end, where most is put in place and taken away.
    """
    rng = random.Random(seed)
    for number in range(count):
        ordered, point = number % 2 == 0, rng.randint(1 if number % 4 < 2 else len(events) * 3 // 4, len(events))
        disk = Disk(before, root)
        for event in events[:point]:
            disk.do(event)
        how = "in order" if ordered else "in any order"
        last = events[point - 1]
        yield f"{number}: {how}, after {last.call} {last.path}", disk.crash(rng, ordered)


def plant(names: Names, was: str, root: Path) -> None:
    """Puts what is left of `was` at `root`, which is not there yet."""
    for folder in names.folders:
        Path(root, os.path.relpath(folder, was)).mkdir(parents=True, exist_ok=True)
    for place, file in names.files.items():
        path = Path(root, os.path.relpath(place, was))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.data)
        if file.mtime_ns is not None:
            os.utime(path, ns=(file.mtime_ns, file.mtime_ns))
