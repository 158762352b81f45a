"""`augx verify`: OUTPUT held against what it says of itself.

Everything hangs on summary.json, which bears its own digest: it has those of the manifest, the failures and the label
files, and the rows of the manifest have those of the images and of what lies beside them. So no bit changes unnoticed.
Where images lie in tars, shards.jsonl, such a label file, has those of the tars, for what stands between images.

What is wrong with such a file is marked by a date that no source has, so that the next run, which goes by dates, makes
it again.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Set
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial

from augx import images, journal, objects
from augx.errors import ImageError, OutputError, printable
from augx.journal import FAILURES, MANIFEST, SHARDS, SUMMARY
from augx.model import Json
from augx.naming import tar_of
from augx.remote import mirror
from augx.store import DOUBTED, Folder, Source, batches, hashes, open_regular, sha256_file
from augx.tars import members

_MISSING, _LINK = "missing", "it is a link"
_SEEN = (_MISSING, _LINK)  # by the next run, too
_UNMARKED = " (it cannot be marked for the next run: verify it again where OUTPUT can be written)"


def verify(output: str, workers: int, deep: bool = False) -> tuple[int, list[str]]:
    """Returns the number of rows, and a line for each thing that is wrong.

    `deep`: looks at every bit, those of summary.json and of our own folder too, and decodes the masks.
    Raises OutputError where no run has ended.
    """
    folder = Folder(output)
    elsewhere = mirror.at(folder.root)
    if elsewhere and deep:
        elsewhere.distrust()
    told = journal.summary(folder)
    if not told and not os.path.isfile(folder.path(MANIFEST)):
        raise OutputError(*journal.no_run(folder))
    ours = bool(told) or journal.owned(folder)
    unlisted = folder.names() - {SUMMARY}
    findings = [f"{SUMMARY}: {fault}" for fault in _summary_faults(folder, told, deep)]
    written = _written(folder, told)
    for name, sha256 in written.items():
        if name not in unlisted:
            findings.append(f"{name}: missing")
        elif told and hashes([folder.path(name)]) != [sha256]:
            findings.append(f"{name}: it is not the one that {SUMMARY} was written for")
    unlisted -= written.keys()
    tars = _Tars(folder, told, unlisted, deep)
    findings += tars.findings
    unlisted = (unlisted - tars.names) | tars.members.keys()
    if deep:
        (manifest,) = hashes([folder.path(MANIFEST)])
        findings += [f"{name}: {fault}" for name, fault in journal.faults(folder, manifest).items()]
    seen: Counter[str] = Counter()
    rows = 0
    with ThreadPoolExecutor(workers or 1) as threads:
        for lines in batches(_lines(folder), 1024):
            for names, faults in threads.map(partial(_row, folder, tars, deep), lines):
                rows += 1
                seen.update(names)
                for name, fault in faults:
                    if tar_of(name) in tars.names:  # which is marked, as it is not what it was
                        findings.append(f"{name}: {fault}")
                        continue
                    known = not ours or name == MANIFEST or fault in _SEEN or folder.date(name, DOUBTED)
                    findings.append(f"{name}: {fault}" + ("" if known else _UNMARKED))
    findings += [f"{name}: it has {n} rows" for name, n in seen.items() if n > 1]
    findings += [f"{name}: it is in no row of the manifest" for name in sorted(unlisted - seen.keys())]
    if told and rows != told["counts"].get("images"):
        findings.append(f"{MANIFEST}: it has {rows} rows, {SUMMARY} says {told['counts'].get('images')}")
    if elsewhere and not elsewhere.marked():
        findings.append(f"{MANIFEST}: what does not hold{_UNMARKED}")
    return rows, [printable(finding) for finding in findings]


def _summary_faults(folder: Folder, told: Mapping[str, Json], deep: bool) -> Iterator[str]:
    if not os.path.lexists(folder.path(SUMMARY)):
        yield _MISSING
    elif os.path.islink(folder.path(SUMMARY)):
        yield _LINK
    elif not told:
        yield "it is damaged, or not by augx"
    elif "digest" in told and told != journal.signed(told):
        yield "it is damaged: its digest is not that of what it says"
    elif deep and _read(folder, SUMMARY) != journal.summary_text(journal.signed(told)):
        yield "it is not as augx wrote it"


def _written(folder: Folder, told: Mapping[str, Json]) -> dict[str, Json]:
    """Name -> SHA-256 of the files that tell of the whole dataset; None where the summary does not say."""
    if not told:
        return dict.fromkeys([MANIFEST, FAILURES, *journal.load(folder).files])
    return {MANIFEST: told["manifest"].get("sha256"), FAILURES: told["failures_sha256"], **told["files"]}


class _Tars:
    """The tars of OUTPUT. `names`: of those that are there; `members`: the files in them, as their headers say."""

    def __init__(self, folder: Folder, told: Mapping[str, Json], there: Set[str], deep: bool) -> None:
        self.findings: list[str] = []
        self.members: dict[str, Source] = {}
        self._root = folder.root
        self._torn: set[str] = set()  # those of which not all headers can be followed
        shards = {}
        with suppress(*journal.DAMAGED):
            shards = journal.shards(folder, told)
        self.names = there & shards.keys()
        self.findings += [f"{name}: {_MISSING}" for name in sorted(shards.keys() - there)]
        paths = {name: folder.path(name) for name in sorted(self.names) if not _vouched(folder, name, deep)}
        for (name, path), sha256 in zip(paths.items(), hashes(paths.values()), strict=True):
            fault = self._look(name, path)
            if os.path.islink(path):
                fault = _LINK
            elif sha256 != shards[name][1]:
                fault = fault or f"it is not the one that {SHARDS} was written for"
            if fault:
                marked = fault == _LINK or folder.date(name, DOUBTED)
                self.findings.append(f"{name}: {fault}" + ("" if marked else _UNMARKED))

    def _look(self, name: str, path: str) -> str:
        """Finds the members of a tar; returns what is wrong with it."""
        try:
            with open_regular(path) as file:
                for member in members(file):
                    place = Source(path, member.offset, member.size, self._root)
                    if self.members.setdefault(f"{name}/{member.name}", place) != place:
                        return f"{member.name} is in it twice"
        except OSError as error:
            return _unreadable(error)
        except ValueError as error:
            self._torn.add(name)
            return str(error)
        return ""

    def place(self, folder: Folder, row: Mapping[str, Json], name: str) -> Source:
        """Where a file of a row lies; OSError where it is not there."""
        if "offset" not in row:
            return Source(folder.path(name))
        if name not in self.members and tar_of(name) in self._torn:
            try:
                return journal.place(folder, row, name)
            except ValueError as error:
                raise OSError(errno.EIO, str(error), name) from error
        if name not in self.members:
            raise FileNotFoundError(errno.ENOENT, "it is not in its tar", name)
        return self.members[name]


def _row(folder: Folder, tars: _Tars, deep: bool, line: bytes) -> tuple[list[str], list[tuple[str, str]]]:
    """The files that a line of the manifest speaks of, and what is wrong, each with the file it is wrong with."""
    names: list[str] = []
    try:
        row = json.loads(line)
        names = [name for name in (row["file_name"], *row["files"]) if isinstance(name, str)]
        return names, list(_faults(folder, tars, row, deep))
    except journal.DAMAGED:
        return names, [(MANIFEST, f"a row is no manifest row: {line[:60]!r}")]


def _faults(folder: Folder, tars: _Tars, row: Mapping[str, Json], deep: bool) -> Iterator[tuple[str, str]]:
    def known(name: str) -> bool:
        return _vouched(folder, tar_of(name) if "offset" in row else name, deep)

    name = row["file_name"]
    if not folder.inside(name):
        yield MANIFEST, f"a row points to {name}, which is no image of this folder"
    elif (not known(name) and (fault := _image_fault(folder, tars, row))) or (fault := _row_fault(row)):
        yield name, fault
    for path, sha256 in row["files"].items():
        if not folder.inside(path):
            yield MANIFEST, f"a row points to {path}, which is no file of this folder"
        elif not known(path) and (fault := _file_fault(folder, tars, row, path, sha256, deep)):
            yield path, fault


def _image_fault(folder: Folder, tars: _Tars, row: Mapping[str, Json]) -> str:
    try:
        if os.path.islink(folder.path(row["file_name"])):
            return _LINK
        place = tars.place(folder, row, row["file_name"])
        if place.offset != row.get("offset", 0):
            return f"it lies at {place.offset} of its tar, the manifest says {row['offset']}"
        with open_regular(place.path) as file:
            size = os.fstat(file.fileno()).st_size if place.size is None else place.size
        if size != row["bytes"]:
            return f"it has {size} bytes, the manifest says {row['bytes']}"
        data, _ = place.read()
        if hashlib.sha256(data).hexdigest() != row["sha256"]:
            return "its content is not what the manifest says"
        picture = images.decode(data, None).picture
    except OSError as error:
        return _unreadable(error)
    except ImageError as error:
        return f"it cannot be decoded: {error.message}"
    if (picture.width, picture.height) != (row["width"], row["height"]):
        return f"it is {picture.width}x{picture.height}, the manifest says {row['width']}x{row['height']}"
    return ""


def _row_fault(row: Mapping[str, Json]) -> str:
    """What is wrong with what a row says of itself."""
    if row["labels"] and not all(0 < weight <= 1 for weight in row["labels"].values()):
        return "a label has a weight outside 0 to 1"
    if fault := objects.faults(row):
        return fault
    if not {row["mask"], row["instances"]} - {None} <= row["files"].keys():
        return "its mask is none of its files"
    return ""


def _file_fault(folder: Folder, tars: _Tars, row: Mapping[str, Json], name: str, sha256: str, deep: bool) -> str:
    """What is wrong with a label file or a mask of an image."""
    if os.path.islink(folder.path(name)):
        return _LINK
    try:
        place = tars.place(folder, row, name)
        if sha256_file(place) != sha256:
            return "its content is not what the manifest says"
        if deep and name in (row["mask"], row["instances"]):
            height, width = images.decode_mask(place.read()[0], None).values.shape[:2]
            if (width, height) != (row["width"], row["height"]):
                return f"it is {width}x{height}, its image {row['width']}x{row['height']}"
    except OSError as error:
        return _unreadable(error)
    except ImageError as error:
        return f"it cannot be decoded: {error.message}"
    return ""


def _vouched(folder: Folder, name: str, deep: bool) -> bool:
    """Whether a file lies elsewhere and is known to be the one that was written there, so that it need not be read."""
    elsewhere = mirror.at(folder.root)
    return elsewhere is not None and not deep and elsewhere.vouches(folder.path(name))


def _read(folder: Folder, name: str) -> bytes:
    with open_regular(folder.path(name)) as file:
        return file.read()


def _unreadable(error: OSError) -> str:
    return _MISSING if isinstance(error, FileNotFoundError) else f"it cannot be read: {error.strerror}"


def _lines(folder: Folder) -> Iterator[bytes]:
    with suppress(OSError), open_regular(folder.path(MANIFEST)) as file:  # a finding of its own
        yield from file
