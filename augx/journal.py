"""What is already done, source by source.

While a run goes on each shard leaves one segment, `.augx/journal/GENERATION.NUMBER.jsonl`, in one rename after all its
images are in place. A segment is a line about each source, an `Entry`, followed by the manifest rows of that source
and a seal, the digest of both:

    {"source": "cat/tabby.jpg", "stem": "cat/tabby", "ending": ".jpg", "key": ..., "sha256": ..., "size": ...,
     "copies": [0, 1], "failed": [], "length": 1310}
    {"file_name": "cat/tabby.jpg", ...}
    {"file_name": "cat/tabby_aug01.jpg", ...}
    {"sha256": ...}

At the end the rows move to manifest.jsonl and the entries, each with its offset there, to an index that bears the
manifest's digest in its name: so at any moment either the old pair is there or the new one. Without an index (`.augx`
may be deleted) the manifest tells as much, if it is the one that summary.json was written for.

OUTPUT may come from a cache or a download, or from a disk that loses bits. So nothing read here is believed further
than it proves itself: segments, index, intent and summary bear a digest of themselves, rows that are not those the
index was written for are made again, and a name that leads out of OUTPUT is none.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import chain, islice
from types import MappingProxyType
from typing import BinaryIO

from augx import tars
from augx.errors import OutputError
from augx.model import Json
from augx.naming import copy_name, tar_of
from augx.store import OWN, SHARES, Folder, Source, file_size, open_regular, own_fault, stopping

MANIFEST, FAILURES, SUMMARY = "manifest.jsonl", "failures.jsonl", "summary.json"
SHARDS = "shards.jsonl"  # where OUTPUT is tars: a line about each of them
SEGMENTS, _INTENT = "journal", "intent.jsonl"
_NEVER = 2**53  # above all generations
_SUMMARY_KEYS = {"augx": str, "plan": str, "counts": dict, "recipe": dict, "manifest": dict, "files": dict,
                 "failures_sha256": str, "versions": dict}  # fmt: skip

GO_ON = "run the same command again: it goes on from there"
DAMAGED = (ValueError, LookupError, TypeError, AttributeError, RecursionError, OverflowError)  # what a spoilt line does


_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode


def dump(row: Json) -> bytes:
    """One line of JSON, as the manifest has it."""
    return _encode(row).encode() + b"\n"


@dataclass(frozen=True, slots=True)
class Part:
    """Rows of one source that stand together: `length` bytes at `offset` of a file, one line for each of `copies`.

    `generation`: the number of the run that made them, -1 for those of finished runs. `digest`: of the rows, as the
    index has it; "" where nothing says.
    """

    file: str
    offset: int
    length: int
    copies: tuple[int, ...]
    generation: int = -1
    digest: str = ""

    def read(self, file: BinaryIO) -> bytes:
        file.seek(self.offset)
        return file.read(min(self.length, os.fstat(file.fileno()).st_size))

    def lines(self, folder: Folder) -> list[bytes]:
        with _open(folder, self.file) as file:
            lines = self.read(file).splitlines(keepends=True) if file else []
        if len(lines) != len(self.copies):
            raise OutputError(f"{folder.path(self.file)} is damaged", f"delete {folder.path(OWN)} and run again")
        return lines


@dataclass(slots=True)
class Entry:
    """What was made of one source. `key` names all that its copies depend on; `sha256` and `size` are its content's.

    `stem` and `ending` give the names of its images (`naming.copy_name`), and each pair of `beside` those of the
    label and mask files that go with them. `failed`: rows for failures.jsonl. `notes`: what a person should know of it
    (`multi-frame`). A source that could not be read has sha256 "". `tar`: size and SHA-256 of the tar that all of it
    lies in, with whose name the stems begin; None where files lie loose, or none was made.
    """

    source: str
    stem: str
    ending: str
    key: str
    sha256: str
    size: int
    parts: list[Part] = field(default_factory=list)
    failed: list[dict[str, Json]] = field(default_factory=list)
    notes: tuple[str, ...] = ()
    beside: tuple[tuple[str, str], ...] = ()
    tar: tuple[int, str] | None = None

    def made(self) -> set[int]:
        return {copy for part in self.parts for copy in part.copies}

    def names(self) -> list[str]:
        """The files of OUTPUT that were made: images, and what goes with them; or the tar that holds all."""
        if self.tar:
            return [tar_of(self.stem)]
        every = ((self.stem, self.ending), *self.beside)
        return [copy_name(stem, ending, copy) for copy in self.made() for stem, ending in every]

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
        """File of OUTPUT -> SHA-256 of those that were made, None where the row that says it is lost."""
        if self.tar:
            return {tar_of(self.stem): self.tar[1] or None}
        sums: dict[str, str | None] = dict.fromkeys(self.names())
        for part in self.parts:
            lines: list[bytes] = []
            with suppress(OutputError):
                lines = part.lines(folder)
            for line in lines:
                with suppress(*DAMAGED):
                    row = _loads(line)
                    told = {row["file_name"]: row["sha256"]} | row.get("files", {})
                    sums |= {name: sha256 for name, sha256 in told.items() if name in sums}
        return sums

    def images(self, folder: Folder) -> dict[int, str]:
        """Copy -> SHA-256 of its image, as far as the rows that say it are there."""
        sums = self.sums(folder)
        found = {copy: sums.get(copy_name(self.stem, self.ending, copy)) for copy in self.made()}
        return {copy: sha256 for copy, sha256 in found.items() if sha256}

    def line(self, copies: Sequence[int], length: int, place: Mapping[str, Json] = MappingProxyType({})) -> bytes:
        """`place`: in an index, the `offset` of its rows in the manifest, and their digest (`rows_digest`)."""
        failed = sorted(self.failed, key=lambda row: row["copy"])
        return dump(
            {"source": self.source, "stem": self.stem, "ending": self.ending, "key": self.key}
            | {"sha256": self.sha256, "size": self.size, "copies": list(copies), "failed": failed, "length": length}
            | {"notes": list(self.notes), "beside": [list(pair) for pair in self.beside]}
            | ({"tar": list(self.tar)} if self.tar else {})
            | dict(place)
        )


@dataclass(frozen=True, slots=True)
class Journal:
    """`entries`: what counts now, by source. `replaced`: older entries whose files may still lie about.

    `files`: name -> SHA-256 of the label files, None where it is lost. `finished`: the last run came to its end, and
    `summary` is its summary. `intent`: names that an unfinished run may have written without saying so, each with the
    generation of the last such run; `torn`: some of that is lost. `gaps`: names of files that we wrote are lost.
    """

    entries: dict[str, Entry]
    replaced: list[Entry]
    files: dict[str, str | None]
    summary: dict[str, Json]
    finished: bool
    intent: dict[str, int]
    torn: bool
    gaps: bool

    def doubts(self, entry: Entry, copy: int, name: str) -> bool:
        """Whether a later, unfinished run may have written over a file of this copy: then its date is no witness."""
        return self.torn or (name in self.intent and self.intent[name] > entry.generation(copy))


def load(folder: Folder) -> Journal:
    """Reads the index (or the manifest in its stead), then the segments of an unfinished run over it."""
    told = summary(folder)
    manifest = _sha256(folder, MANIFEST)
    indexed, others, files = _read_indexes(folder, manifest)
    replaced = [entry for entry, _ in others]
    entries = {entry.source: entry for entry in indexed or ()}
    vouched = indexed is not None or (bool(told) and manifest == told["manifest"].get("sha256"))
    if indexed is None:
        from_rows = list(_from_manifest(folder, shards(folder, told)))
        if vouched:
            entries = {entry.source: entry for entry in from_rows}
        else:
            entries = {entry.source: entry for entry, known in others if known and _proven(folder, entry)}
            replaced += from_rows
    segments = _segments(folder)
    for file in segments:
        for entry in _read_segment(folder, file):
            before = entries.get(entry.source)
            if before is None:
                entries[entry.source] = entry
            elif before.key == entry.key and not (before.tar or entry.tar):  # a tar is made as a whole
                before.parts += entry.parts
                before.beside, before.sha256, before.size = entry.beside, entry.sha256, entry.size
                retried = {copy for part in entry.parts for copy in part.copies} | {r["copy"] for r in entry.failed}
                before.failed = [r for r in before.failed if r["copy"] not in retried] + entry.failed
            else:
                replaced.append(before)
                entries[entry.source] = entry
    intent, torn = _read_intents(folder)
    gaps = torn or (manifest is not None and not vouched)
    size = file_size(folder.path(MANIFEST)) if manifest else 0
    fits = told and told["files"].keys() == files.keys() and told["manifest"] == {"sha256": manifest, "bytes": size}
    only = indexed is not None and len(_indexes(folder)) == 1  # or the last run did not come to take away the old one
    finished = bool(fits) and intent is None and not segments and only
    files |= {name: sha256 for name, sha256 in told.get("files", {}).items() if folder.inside(name)}
    return Journal(entries, replaced, files, told, finished, intent or {}, torn, gaps)


def owned(folder: Folder) -> bool:
    """Whether augx has made this folder: it has been locked, or has an index of ours, or summary and manifest are."""
    lock = folder.path(f"{OWN}/lock")
    if os.path.isdir(folder.path(OWN)):
        with stopping("cannot read", folder.root):
            if os.path.lexists(lock) or os.listdir(folder.root) == [OWN]:
                return os.path.isfile(lock) or not os.path.lexists(lock)
            return any(_read_index(folder, name)[2] for name in _indexes(folder))
    return bool(summary(folder)) and os.path.exists(folder.path(MANIFEST))


def summary(folder: Folder) -> dict[str, Json]:
    """What summary.json says, {} where there is none of ours. It may be damaged: then it is not as it was `signed`."""
    with _open(folder, SUMMARY) as file, suppress(*DAMAGED):
        if file is None:
            return {}
        read = _loads(file.read())
        if all(isinstance(read.get(key), kind) for key, kind in _SUMMARY_KEYS.items()):
            return read
    return {}


def shards(folder: Folder, told: Mapping[str, Json]) -> dict[str, tuple[int, str]]:
    """Tar -> its size and SHA-256, as the file says that the summary `told` was written for; {} where there is none."""
    wanted = told.get("files", {}).get(SHARDS)
    if wanted is None or _sha256(folder, SHARDS) != wanted:
        return {}
    with _open(folder, SHARDS) as file:
        rows = [_loads(line) for line in file] if file else []
    return {_text(row, "file"): (_count(row["bytes"]), _text(row, "sha256")) for row in rows}


def place(folder: Folder, row: Mapping[str, Json], name: str) -> Source:
    """Where a file of a manifest row lies: on its own, or in a tar, where its `offset` says.

    OSError where a tar does not hold it. Raises any of DAMAGED where the row is none.
    """
    if "offset" not in row:
        return Source(folder.path(name), root=folder.root)
    path, member = folder.path(tar_of(name)), name.partition("/")[2]
    offset, size = _count(row["offset"]), _count(row["bytes"])
    if name == row["file_name"]:
        return Source(path, offset, size, folder.root)
    with open_regular(path) as file:  # the files of a row stand behind its image
        for found in islice(tars.members(file, offset + size + tars.padding(size)), len(row["files"])):
            if found.name == member:
                return Source(path, found.offset, found.size, folder.root)
    raise FileNotFoundError(errno.ENOENT, "it is not in its tar", f"{path}: {member}")


def signed(summary: Mapping[str, Json]) -> dict[str, Json]:
    """The summary with the digest of all else in it as its last key."""
    bare = {key: value for key, value in summary.items() if key != "digest"}
    return bare | {"digest": hashlib.sha256(summary_text(bare)).hexdigest()}


def summary_text(summary: Mapping[str, Json]) -> bytes:
    """summary.json, to the byte."""
    return json.dumps(summary, ensure_ascii=False, indent=2).encode() + b"\n"


def no_run(folder: Folder) -> tuple[str, str]:
    """What to say of an OUTPUT that holds no finished run, and the way out."""
    if some := shares(folder):
        return f"{folder.root} holds {len(some)} shards that are not joined", f"run `augx merge {folder.root}` first"
    if unfinished(folder):
        return f"{folder.root} holds a run that has not ended", GO_ON
    return f"{folder.root} holds no finished run of augx", "give the OUTPUT of an `augx run`"


def unfinished(folder: Folder) -> bool:
    """Whether a run has begun here and not come to its end."""
    return any(os.path.lexists(folder.path(name)) for name in _intents(folder))


def begin(folder: Folder, names: Iterable[str], generation: int) -> None:
    """Says which files this run may write, before it writes the first; until `end` the run counts as unfinished."""
    name = f"{folder.own}/{_INTENT}"
    before, _ = _read_intent(folder, name)
    folder.stream(name, _sealed(dump(pair) for pair in ((before or {}) | dict.fromkeys(names, generation)).items()))
    folder.sync()  # or one of them might be on the disk before this is, and be taken for somebody else's


def write_segment(folder: Folder, name: str, entries: Iterable[tuple[Entry, list[int], list[bytes]]]) -> None:
    """Puts a shard's entries, each with its copies and their rows, in place at once; the disk has their images by
    then."""
    folder.sync()
    pieces: list[bytes] = []
    for entry, copies, rows in entries:
        text = entry.line(copies, sum(map(len, rows))) + b"".join(rows)
        pieces += [text, _seal(hashlib.sha256(text))]
    folder.write(f"{folder.own}/{SEGMENTS}/{name}.jsonl", b"".join(pieces))


def write_index(folder: Folder, manifest_sha256: str, files: Sequence[str], lines: Iterable[bytes]) -> None:
    """The index of a manifest that is about to be put in place. `files`: the names of the label files."""
    head = dump({"manifest": manifest_sha256, "files": sorted(files)})
    folder.stream(f"{OWN}/{_index_name(manifest_sha256)}", _sealed(chain([head], lines)))


def rows_digest(rows: bytes) -> str:
    """What an index says of the rows of a source."""
    return hashlib.sha256(rows).hexdigest()[:16]


def faults(folder: Folder, manifest_sha256: str | None) -> dict[str, str]:
    """What is wrong with our own files, each with the reason. Where there are none, nothing is."""
    found = dict.fromkeys(_intents(folder), "the last run did not end")
    for name in _indexes(folder):
        head, _, whole = _read_index(folder, name)
        if not whole:
            found[name] = "it is damaged"
        elif head["manifest"] != manifest_sha256:
            found[name] = f"it belongs to another {MANIFEST}"
    return found


def end(folder: Folder, manifest_sha256: str) -> None:
    """The run has come to its end: what only an unfinished one needs goes away, the intent last."""
    for name in _segments(folder):
        folder.remove(name)
    for name in _indexes(folder):
        if name != f"{OWN}/{_index_name(manifest_sha256)}":
            folder.remove(name)
    for own in _places(folder)[1:]:
        folder.clear(own, but=_INTENT)
    for name in _intents(folder):
        folder.remove(name)


def next_generation(folder: Folder) -> int:
    """A number above those of all segments there: the later segment counts, and none is written over."""
    return max((_generation(name) + 1 for name in _segments(folder)), default=0)


def shares(folder: Folder) -> list[str]:
    """The places of the shares that were run here and are not merged."""
    return [own for own in _places(folder)[1:] if os.path.lexists(folder.path(f"{own}/{_INTENT}"))]


def _places(folder: Folder) -> list[str]:
    """Where a run, and each share of one, keeps what only an unfinished one needs."""
    named = _matching(folder, SHARES, r"[0-9]+-of-[0-9]+")
    return [OWN, *(own for own in named if os.path.isdir(folder.path(own)))]


def _segments(folder: Folder) -> list[str]:
    """Their names under the folder, those of all shares too, in the order in which they count."""
    places = [f"{own}/{SEGMENTS}" for own in _places(folder)]
    found = [name for place in places for name in _matching(folder, place, r"\d+\.\d+\.jsonl")]
    return sorted(found, key=lambda name: (os.path.basename(name), name))


def _intents(folder: Folder) -> list[str]:
    return [name for own in _places(folder) for name in _matching(folder, own, re.escape(_INTENT))]


def _generation(segment: str) -> int:
    return int(segment.rpartition("/")[2].partition(".")[0])


def _indexes(folder: Folder) -> list[str]:
    return _matching(folder, OWN, r"index-[0-9a-f]{16}\.jsonl")


def _index_name(manifest_sha256: str) -> str:
    return f"index-{manifest_sha256[:16]}.jsonl"


def _matching(folder: Folder, own: str, pattern: str) -> list[str]:
    path = folder.path(own)
    with stopping("cannot read", path):
        try:
            names = os.listdir(path)
        except (FileNotFoundError, NotADirectoryError):
            return []
    return sorted(f"{own}/{name}" for name in names if re.fullmatch(pattern, name))


def _read_segment(folder: Folder, name: str) -> Iterator[Entry]:
    with _open(folder, name) as file:
        if file is None:
            return
        generation, size = _generation(name), os.fstat(file.fileno()).st_size
        while (line := file.readline()) and (read := _parse(line, name, lambda head: file.tell(), generation)):
            if read[1] > size:
                return  # torn: what is not there is made again
            if _seal(hashlib.sha256(line + file.read(read[1]))) == file.readline():
                yield read[0]


def _read_indexes(
    folder: Folder, manifest: str | None
) -> tuple[list[Entry] | None, list[tuple[Entry, bool]], dict[str, str | None]]:
    """The entries of the index that belongs to the manifest with this digest (None: there is no such index); those of
    others, which still say which files are ours, each with whether its index is whole; and the label files of all."""
    fitting: list[Entry] | None = None
    others: list[tuple[Entry, bool]] = []
    files: dict[str, str | None] = {}
    for name in _indexes(folder):
        head, entries, whole = _read_index(folder, name)
        files |= {name: None for name in head.get("files", ()) if folder.inside(name)}
        if manifest and whole and head["manifest"] == manifest:
            fitting = entries
        else:
            others += [(entry, whole) for entry in entries]
    return fitting, others, files


def _read_index(folder: Folder, name: str) -> tuple[dict[str, Json], list[Entry], bool]:
    """Its first line, as far as that is one; what it says of sources; and whether it is whole."""
    with _open(folder, name) as file:
        if file is None:
            return {}, [], False
        lines = file.readlines()
    head: dict[str, Json] = {}
    with suppress(*DAMAGED):
        read = _loads(lines[0])
        head = {"manifest": _text(read, "manifest"), "files": [str(name) for name in read["files"]]}
    whole = bool(head) and lines[-1] == _seal(hashlib.sha256(b"".join(lines[:-1])))
    parsed = [_parse(line, MANIFEST, lambda head: head["offset"]) for line in lines[1:-1]]
    return head, [read[0] for read in parsed if read], whole and all(parsed)


def _sealed(lines: Iterable[bytes]) -> Iterator[bytes]:
    """The lines, and the seal on all of them."""
    digest = hashlib.sha256()
    for line in lines:
        digest.update(line)
        yield line
    yield _seal(digest)


def _seal(digest: hashlib._Hash) -> bytes:
    """The line that stands behind what was digested."""
    return dump({"sha256": digest.hexdigest()})


def _proven(folder: Folder, entry: Entry) -> bool:
    """Whether the manifest holds the rows that a whole index speaks of."""
    if not entry.parts:
        return True  # nothing was made
    with _open(folder, MANIFEST) as file:
        if file is None:
            return False
        return all(part.digest == rows_digest(part.read(file)) for part in entry.parts)


def _parse(
    line: bytes, file: str, offset: Callable[[dict[str, Json]], Json], generation: int = -1
) -> tuple[Entry, int] | None:
    """An entry, its rows at `offset` of `file`, and their length; None for a line that is none of ours."""
    try:
        head = _loads(line)
        names = ("source", "stem", "ending", "key", "sha256")
        source, stem, ending, key, sha256 = (_text(head, name) for name in names)
        entry = Entry(source, stem, ending, key, sha256, _count(head["size"]))
        if not Folder.inside(entry.stem + entry.ending):
            return None
        entry.failed = [row for row in head["failed"] if _count(row["copy"]) >= 0 and _text(row, "error")]
        entry.notes = tuple(note for note in head["notes"] if isinstance(note, str))
        entry.beside = tuple((stem, ending) for stem, ending in head["beside"] if Folder.inside(stem + ending))
        if "tar" in head:
            size, sha256 = head["tar"]
            entry.tar = _count(size), str(sha256)
        copies, length = tuple(_count(copy) for copy in head["copies"]), _count(head["length"])
        if copies:
            digest = head["rows"] if isinstance(head.get("rows"), str) else ""
            entry.parts.append(Part(file, _count(offset(head)), length, copies, generation, digest))
        return entry, length
    except DAMAGED:
        return None


def _from_manifest(folder: Folder, tars: Mapping[str, tuple[int, str]]) -> Iterator[Entry]:
    """The entries as far as the manifest's rows tell: all but the failures, which are then tried again."""
    entries: dict[str, Entry] = {}
    with _open(folder, MANIFEST) as file:
        if file is None:
            return
        offset = 0
        for line in file:
            with suppress(*DAMAGED):
                row = _loads(line)
                name, copy = _text(row, "file_name"), _count(row["copy"])
                stem, ending = os.path.splitext(name)
                stem = stem.removesuffix(copy_name("", "", copy))
                size = _count(row["source_bytes"])
                content = _text(row, "content_sha256" if "content_sha256" in row else "source_sha256")
                source = _text(row, "added" if "added" in row else "source")
                entry = Entry(source, stem, ending, _text(row, "key"), content, size)
                entry.notes = tuple(note for note in row["notes"] if isinstance(note, str))
                pairs = (_without_copy(beside, copy) for beside in row.get("files", {}) if folder.inside(beside))
                entry.beside = tuple(pair for pair in pairs if pair)
                if "offset" in row:
                    entry.tar = tars.get(tar_of(name), (0, ""))
                if folder.inside(name) and copy_name(stem, ending, copy) == name:
                    part = Part(MANIFEST, offset, len(line), (copy,))
                    known = entries.setdefault(entry.source, entry)
                    known.parts.append(part)
                    if copy:  # an original's names do not show where copies have their number
                        known.beside = entry.beside
            offset += len(line)
    yield from entries.values()


def _without_copy(name: str, copy: int) -> tuple[str, str] | None:
    """The (stem, ending) that `copy_name` made `name` of; None if it cannot have."""
    mark = copy_name("", "", copy)
    folder, slash, base = name.rpartition("/")
    at = base.rfind(mark) if mark else base.find(".")
    return (folder + slash + base[:at], base[at + len(mark) :]) if at > 0 else None


def _read_intents(folder: Folder) -> tuple[dict[str, int] | None, bool]:
    """What all intents say, None where there is none, and whether some of it is lost."""
    names = _intents(folder)
    every: dict[str, int] = {}
    torn = False
    for name in names:
        intent, lost = _read_intent(folder, name)
        torn = torn or lost
        for path, generation in (intent or {}).items():
            every[path] = _NEVER if path in every else generation  # two that go on at once count alike
    return every if names else None, torn


def _read_intent(folder: Folder, name: str) -> tuple[dict[str, int] | None, bool]:
    """One of them."""
    intent: dict[str, int] = {}
    digest, line = hashlib.sha256(), b""
    with _open(folder, name) as file:
        if file is None:
            return None, False
        for following in file:
            digest.update(line)
            line = following
            with suppress(*DAMAGED):
                name, generation = json.loads(line)
                if isinstance(name, str) and folder.inside(name):
                    intent[name] = _count(generation)
    return intent, line != _seal(digest)


@contextmanager
def _open(folder: Folder, name: str) -> Iterator[BinaryIO | None]:
    """A file of OUTPUT to read, None where there is none; OutputError where something else is in its place, Stopped
    where it is there and the system cannot read it."""
    path = folder.path(name)
    with stopping("cannot read", path):
        try:
            file = open_regular(path)
        except (FileNotFoundError, NotADirectoryError):
            yield None
            return
        except OSError as error:
            if not own_fault(error):
                raise
            raise OutputError(f"{path} cannot be read: {error.strerror}", "move it away") from error
        with file:
            yield file


def _sha256(folder: Folder, name: str) -> str | None:
    digest = hashlib.sha256()
    with _open(folder, name) as file:
        if file is None:
            return None
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def _loads(line: bytes) -> dict[str, Json]:
    """A JSON object; ValueError for anything else."""
    try:
        value = json.loads(line)
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error
    if not isinstance(value, dict):
        raise ValueError("it is no JSON object")
    return value


def _text(head: Mapping[str, Json], key: str) -> str:
    if not isinstance(head[key], str):
        raise TypeError(key)
    return str(head[key])


def _count(value: Json) -> int:
    if type(value) is not int or not 0 <= value < 2**53:
        raise TypeError("no count")
    return value
