"""What is already done, source by source.

While a run goes on each shard leaves one segment, `.augx/journal/NAME.jsonl`, in one rename after all its images are in
place. A segment is a line about each source, an `Entry`, followed by the finished manifest rows of that source:

    {"source": "cat/tabby.jpg", "stem": "cat/tabby", "ending": ".jpg", "key": ..., "sha256": ..., "size": ...,
     "copies": [0, 1], "failed": [], "length": 1310}
    {"file_name": "cat/tabby.jpg", ...}
    {"file_name": "cat/tabby_aug01.jpg", ...}

At the end the rows move to manifest.jsonl and `.augx/index.jsonl` keeps the entries, each with its offset there.
Nothing in them depends on time, place, workers or order. Without the index the manifest itself tells nearly as much.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain

from augx.model import Json
from augx.naming import copy_name
from augx.store import OWN, Folder, sha256_file

MANIFEST, FAILURES, SUMMARY = "manifest.jsonl", "failures.jsonl", "summary.json"
_SEGMENTS, _INDEX, _INTENT = f"{OWN}/journal", f"{OWN}/index.jsonl", f"{OWN}/intent.jsonl"
_SUMMARY_KEYS = {"augx": str, "plan": str, "counts": dict, "recipe": dict, "manifest": dict, "files": dict,
                 "failures_sha256": str, "versions": dict}  # fmt: skip
_END = b'{"end": true}\n'  # the last line of a whole index


def dump(row: Json) -> bytes:
    """One line of JSON, as the manifest has it."""
    return json.dumps(row, ensure_ascii=False, allow_nan=False).encode() + b"\n"


@dataclass(frozen=True, slots=True)
class Part:
    """Rows of one source that stand together: `length` bytes at `offset` of a file, one line for each of `copies`.

    `generation`: the number of the run that made them, -1 for those of finished runs.
    """

    file: str
    offset: int
    length: int
    copies: tuple[int, ...]
    generation: int = -1

    def lines(self, folder: Folder) -> list[bytes]:
        with open(folder.path(self.file), "rb") as file:
            file.seek(self.offset)
            return file.read(self.length).splitlines(keepends=True)


@dataclass(slots=True)
class Entry:
    """What was made of one source. `key` names all that its copies depend on; `sha256` and `size` are its content's.

    `stem` and `ending` give the names of its images (`naming.copy_name`). `failed`: rows for failures.jsonl. A source
    that could not be read has sha256 "".
    """

    source: str
    stem: str
    ending: str
    key: str
    sha256: str
    size: int
    parts: list[Part] = field(default_factory=list)
    failed: list[dict[str, Json]] = field(default_factory=list)

    def made(self) -> set[int]:
        return {copy for part in self.parts for copy in part.copies}

    def names(self) -> dict[int, str]:
        """Copy -> file name of the images that were made."""
        return {copy: copy_name(self.stem, self.ending, copy) for copy in self.made()}

    def tried(self) -> set[int]:
        return self.made() | {row["copy"] for row in self.failed}

    def generation(self, copy: int) -> int:
        return max(part.generation for part in self.parts if copy in part.copies)

    def rows(self, folder: Folder, copies: Sequence[int]) -> list[bytes]:
        """The manifest lines of these copies, in their order; a copy made twice counts once."""
        if len(self.parts) == 1 and self.parts[0].copies == tuple(copies):
            return self.parts[0].lines(folder)
        lines = {c: line for part in self.parts for c, line in zip(part.copies, part.lines(folder), strict=True)}
        return [lines[c] for c in copies if c in lines]

    def sums(self, folder: Folder) -> dict[str, str | None]:
        """File name -> SHA-256 of the images that were made, None where the row that says it is lost."""
        sums: dict[str, str | None] = dict.fromkeys(self.names().values())
        for part in self.parts:
            with suppress(FileNotFoundError, ValueError, TypeError, KeyError):
                rows = [json.loads(line) for line in part.lines(folder)]
                sums |= {row["file_name"]: row["sha256"] for row in rows if row["file_name"] in sums}
        return sums

    def line(self, copies: Sequence[int], length: int, offset: int | None = None) -> bytes:
        place = {} if offset is None else {"offset": offset}
        failed = sorted(self.failed, key=lambda row: row["copy"])
        return dump(
            {"source": self.source, "stem": self.stem, "ending": self.ending, "key": self.key}
            | {"sha256": self.sha256, "size": self.size, "copies": list(copies), "failed": failed, "length": length}
            | place
        )


@dataclass(frozen=True, slots=True)
class Journal:
    """`entries`: what counts now, by source. `replaced`: older entries whose files may still lie about.

    `files`: name -> SHA-256 of the label files. `finished`: the last run came to its end, and `summary` is its summary.
    `intent`: names that an unfinished run may have written without saying so, each with the generation of the last
    such run.
    """

    entries: dict[str, Entry]
    replaced: list[Entry]
    files: dict[str, str]
    summary: dict[str, Json]
    finished: bool
    intent: dict[str, int]


def load(folder: Folder) -> Journal:
    """Reads the index (or the manifest in its stead), then the segments of an unfinished run over it."""
    told = summary(folder)
    indexed, files, fits = _read_index(folder)
    entries = {entry.source: entry for entry in (indexed if fits else _from_manifest(folder))}
    replaced = [] if fits else indexed  # their rows are lost, but they say which files are ours
    segments = _segments(folder)
    for file in segments:
        for entry in _read_segment(folder, file):
            before = entries.get(entry.source)
            if before is None:
                entries[entry.source] = entry
            elif before.key == entry.key:
                before.parts += entry.parts
                retried = {copy for part in entry.parts for copy in part.copies} | {r["copy"] for r in entry.failed}
                before.failed = [r for r in before.failed if r["copy"] not in retried] + entry.failed
            else:
                replaced.append(before)
                entries[entry.source] = entry
    intent = _intent(folder)
    finished = bool(told) and intent is None and not segments and fits
    return Journal(entries, replaced, files | told.get("files", {}), told, finished, intent or {})


def owned(folder: Folder) -> bool:
    """Whether augx has made this folder: its own subfolder is there, or its summary and manifest."""
    if os.path.isdir(folder.path(OWN)):
        return True
    return bool(summary(folder)) and os.path.exists(folder.path(MANIFEST))


def begin(folder: Folder, intent: Mapping[str, int], names: Iterable[str], generation: int) -> None:
    """Says which files this run may write, before it writes the first; until `end` the run counts as unfinished.

    `intent` is what unfinished runs before it have said.
    """
    folder.stream(_INTENT, (dump(pair) for pair in (dict(intent) | dict.fromkeys(names, generation)).items()))


def write_segment(folder: Folder, name: str, entries: Iterable[tuple[Entry, list[int], list[bytes]]]) -> None:
    """Puts a shard's entries, each with its copies and their rows, in place at once."""
    pieces: list[bytes] = []
    for entry, copies, rows in entries:
        pieces.append(entry.line(copies, sum(map(len, rows))))
        pieces += rows
    folder.write(f"{_SEGMENTS}/{name}.jsonl", b"".join(pieces))


def compact(folder: Folder, manifest_sha256: str, files: Mapping[str, str], lines: Iterable[bytes]) -> None:
    """Replaces the segments by an index whose lines are given; the manifest with the rows must be in place."""
    folder.stream(_INDEX, chain([dump({"manifest": manifest_sha256, "files": dict(files)})], lines, [_END]))
    if os.path.isdir(folder.path(_SEGMENTS)):
        for name in os.listdir(folder.path(_SEGMENTS)):
            folder.remove(f"{_SEGMENTS}/{name}")


def end(folder: Folder) -> None:
    folder.remove(_INTENT)


def next_generation(folder: Folder) -> int:
    """A number above those of all segments there: the later segment counts, and none is written over."""
    return max((_generation(name) + 1 for name in _segments(folder)), default=0)


def _segments(folder: Folder) -> list[str]:
    """Their names under the folder, in the order in which they count."""
    try:
        names = os.listdir(folder.path(_SEGMENTS))
    except FileNotFoundError:
        return []
    return sorted(f"{_SEGMENTS}/{name}" for name in names if re.fullmatch(r"\d+\.\d+\.jsonl", name))


def _generation(segment: str) -> int:
    return int(segment.rpartition("/")[2].partition(".")[0])


def _read_segment(folder: Folder, name: str) -> Iterator[Entry]:
    with open(folder.path(name), "rb") as file:
        generation, size = _generation(name), os.fstat(file.fileno()).st_size
        while (line := file.readline()) and (read := _parse(line, name, lambda head: file.tell(), generation)):
            if file.seek(read[1], os.SEEK_CUR) > size:
                return  # torn: what is not there is made again
            yield read[0]


def _read_index(folder: Folder) -> tuple[list[Entry], dict[str, str], bool]:
    """Its entries, the label files, and whether it is whole and belongs to the manifest that is there."""
    try:
        with open(folder.path(_INDEX), "rb") as file:
            lines = file.readlines()
        head = json.loads(lines[0])
        files = {name: sha256 for name, sha256 in head["files"].items() if folder.inside(name)}
        fits = lines[-1] == _END and head["manifest"] == sha256_file(folder.path(MANIFEST))
    except (FileNotFoundError, ValueError, IndexError, KeyError, TypeError, AttributeError):
        return [], {}, False
    read = [_parse(line, MANIFEST, lambda head: int(head["offset"])) for line in lines[1:-1]]
    return [entry[0] for entry in read if entry], files, fits


def _parse(
    line: bytes, file: str, offset: Callable[[dict[str, Json]], int], generation: int = -1
) -> tuple[Entry, int] | None:
    """An entry, its rows at `offset` of `file`, and their length; None for a line that is none of ours."""
    try:
        head = json.loads(line)
        source, stem, ending = head["source"], head["stem"], head["ending"]
        entry = Entry(source, stem, ending, head["key"], head["sha256"], head["size"], failed=head["failed"])
        if not Folder.inside(stem + ending):
            return None
        if head["copies"]:
            entry.parts.append(Part(file, offset(head), head["length"], tuple(head["copies"]), generation))
        return entry, head["length"]
    except (ValueError, KeyError, TypeError):
        return None


def _from_manifest(folder: Folder) -> Iterator[Entry]:
    """The entries as far as the manifest's rows tell: all but the failures, which are then tried again."""
    try:
        file = open(folder.path(MANIFEST), "rb")
    except FileNotFoundError:
        return
    entries: dict[str, Entry] = {}
    with file:
        offset = 0
        for line in file:
            try:
                row = json.loads(line)
                name, copy = row["file_name"], row["copy"]
                stem, ending = os.path.splitext(name)
                stem = stem.removesuffix(copy_name("", "", copy))
                if folder.inside(name) and copy_name(stem, ending, copy) == name:
                    entry = Entry(row["source"], stem, ending, row["key"], row["source_sha256"], row["source_bytes"])
                    part = Part(MANIFEST, offset, len(line), (copy,))
                    entries.setdefault(entry.source, entry).parts.append(part)
            except (ValueError, KeyError, TypeError, AttributeError):
                pass
            offset += len(line)
    yield from entries.values()


def summary(folder: Folder) -> dict[str, Json]:
    """What summary.json says, {} where there is none of ours."""
    try:
        with open(folder.path(SUMMARY), "rb") as file:
            read = json.load(file)
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return {}
    whole = isinstance(read, dict) and all(isinstance(read.get(key), kind) for key, kind in _SUMMARY_KEYS.items())
    return read if whole else {}


def _intent(folder: Folder) -> dict[str, int] | None:
    try:
        with open(folder.path(_INTENT), "rb") as file:
            return {name: generation for name, generation in map(json.loads, file) if folder.inside(name)}
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, AttributeError):
        return {}
