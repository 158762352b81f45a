"""The end of a run: the journal becomes manifest, label files, failures, summary. And `verify`, which doubts them."""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace

from augx import __version__, journal, naming, objects, versions
from augx import plan as planning
from augx.errors import ImageError, OutputError, Stopped
from augx.fitting import lost_by, mixes_classes
from augx.formats import Format, label_files
from augx.journal import FAILURES, MANIFEST, SUMMARY, Entry, dump
from augx.model import Json, Sample
from augx.plan import Plan
from augx.store import Folder, hashes, open_regular

_UNEQUAL = b'"equals": null'  # in a row; within a JSON string the quotes would have backslashes


def finish(plan: Plan, folder: Folder, targets: Sequence[Format]) -> tuple[dict[str, Json], int]:
    """Writes all but the images, and removes images that are no longer wanted; returns the summary and how many.

    Raises Stopped when a source was changed while only some of its copies were to be made.
    """
    state = journal.load(folder)
    changed = [job.sample.id for job in plan.jobs if not state.entries[job.sample.id].tried().issuperset(job.copies)]
    if changed:
        raise Stopped(f"{len(changed)} sources were changed while the run went on: {changed[0]}", "run it again")
    labels = label_files(targets, plan.dataset)
    removed = _remove_stale(plan, state, folder, labels)
    lengths: list[int] = []
    equal = 0

    def rows() -> Iterator[bytes]:
        nonlocal equal
        for job in plan.jobs:
            lines = b"".join(state.entries[job.sample.id].rows(folder, job.copies))
            lengths.append(len(lines))
            equal += lines.count(b"\n") - lines.count(_UNEQUAL)
            yield lines

    def index(sha256: str) -> None:
        journal.write_index(folder, sha256, labels, _index(plan, state.entries, lengths))

    size, sha256 = folder.stream(MANIFEST, rows(), before=index)
    files = _write_labels(plan, folder, targets, state.files)
    folder.stream(FAILURES, map(dump, _failures(plan, state.entries)))
    summary = summarise(plan, state.entries, {"sha256": sha256, "bytes": size}, files, equal)
    folder.sync()  # before what only an unfinished run needs goes away
    journal.end(folder, sha256)
    folder.write(SUMMARY, json.dumps(summary, ensure_ascii=False, indent=2).encode() + b"\n")
    folder.sync()
    return summary, removed


class Rows:
    """The manifest, row by row, as often as one likes."""

    def __init__(self, folder: Folder, lost: frozenset[str] = frozenset()) -> None:
        """`lost`: kinds of label to leave out."""
        self._path, self._lost = folder.path(MANIFEST), lost

    def __iter__(self) -> Iterator[Mapping[str, Json]]:
        with open_regular(self._path) as file:
            for line in file:
                yield objects.row_without(json.loads(line), self._lost)


def verify(output: str, workers: int) -> tuple[int, list[str]]:
    """Holds the folder against its manifest; returns the number of rows, and a line for each thing that is wrong."""
    from augx import images

    folder = Folder(output)
    summary = journal.summary(folder)
    if not summary:
        raise OutputError(f"{folder.root} holds no finished run of augx", "give the OUTPUT of an `augx run`")
    findings: list[str] = []
    unlisted = folder.names() - {SUMMARY}
    written = {MANIFEST: summary["manifest"].get("sha256"), FAILURES: summary["failures_sha256"]} | summary["files"]
    for name, sha256 in written.items():
        if name not in unlisted:
            findings.append(f"{name}: missing")
        elif hashes([folder.path(name)]) != [sha256]:
            findings.append(f"{name}: it is not the one that {SUMMARY} was written for")
    unlisted -= written.keys()

    def one(line: bytes) -> tuple[str, str]:
        try:
            row = json.loads(line)
            name = row["file_name"]
            if not folder.inside(name):
                return MANIFEST, f"a row points to {name}, which is no image of this folder"
            with open_regular(folder.path(name)) as file:
                data = file.read()
            if len(data) != row["bytes"]:
                return name, f"it has {len(data)} bytes, the manifest says {row['bytes']}"
            if hashlib.sha256(data).hexdigest() != row["sha256"]:
                return name, "its content is not what the manifest says"
            picture = images.decode(data).picture
            if (picture.width, picture.height) != (row["width"], row["height"]):
                return name, f"it is {picture.width}x{picture.height}, the manifest says {row['width']}x{row['height']}"
            if row["labels"] and not all(0 < weight <= 1 for weight in row["labels"].values()):
                return name, "a label has a weight outside 0 to 1"
            if fault := objects.faults(row):
                return name, fault
            if not {row["mask"], row["instances"]} - {None} <= row["files"].keys():
                return name, "its mask is none of its files"
            if finding := _beside(folder, row["files"]):
                return finding
        except FileNotFoundError:
            return name, "missing"
        except ImageError as error:
            return name, f"it cannot be decoded: {error.message}"
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError, OverflowError):
            return MANIFEST, f"a row is no manifest row: {line[:60]!r}"
        except OSError as error:
            return name, f"it cannot be read: {error.strerror}"
        return name, ""

    seen: Counter[str] = Counter()
    rows = 0
    with ThreadPoolExecutor(workers) as threads:
        for lines in _batches(_lines(folder), 1024):
            for line, (name, finding) in zip(lines, threads.map(one, lines), strict=True):
                rows += 1
                seen.update(_named(line))
                if finding:
                    findings.append(f"{name}: {finding}")
    findings += [f"{name}: it has {n} rows" for name, n in seen.items() if n > 1]
    findings += [f"{name}: it is in no row of the manifest" for name in sorted(unlisted - seen.keys())]
    if rows != summary["counts"].get("images"):
        findings.append(f"{MANIFEST}: it has {rows} rows, {SUMMARY} says {summary['counts'].get('images')}")
    return rows, findings


def _beside(folder: Folder, files: Mapping[str, str]) -> tuple[str, str] | None:
    """What is wrong with the label and mask files of a row: the first one, and why."""
    for path, told in files.items():
        if not folder.inside(path):
            return MANIFEST, f"a row points to {path}, which is no file of this folder"
        if os.path.islink(folder.path(path)):
            return path, "it is a link"
        (sha256,) = hashes([folder.path(path)])
        if sha256 != told:
            return path, "its content is not what the manifest says" if sha256 else "missing"
    return None


def _named(line: bytes) -> list[str]:
    """The files that a row speaks of."""
    with suppress(ValueError, KeyError, TypeError, RecursionError):
        row = json.loads(line)
        return [name for name in (row["file_name"], *row["files"]) if isinstance(name, str)]
    return []


def _lines(folder: Folder) -> Iterator[bytes]:
    with suppress(OSError), open_regular(folder.path(MANIFEST)) as file:  # a finding of its own
        yield from file


def _batches(lines: Iterable[bytes], size: int) -> Iterator[list[bytes]]:
    batch: list[bytes] = []
    for line in lines:
        batch.append(line)
        if len(batch) == size:
            yield batch
            batch = []
    yield batch


def _remove_stale(plan: Plan, state: journal.Journal, folder: Folder, labels: Sequence[str]) -> int:
    """Deletes images that augx wrote and the plan no longer wants. What somebody may have changed since stays."""
    planned = {job.sample.id: job for job in plan.jobs}
    stale: dict[str, str | None] = {}  # "": whatever it holds
    for entry in state.replaced:
        stale |= entry.sums(folder)
    for source, entry in state.entries.items():
        if source not in planned or not entry.made() <= set(planned[source].copies):
            stale |= entry.sums(folder)
    stale |= dict.fromkeys(state.intent, "")  # a killed run may have left any content
    for job in plan.jobs:
        made = state.entries[job.sample.id].made()
        for copy in job.copies:
            if copy in made:
                for name in naming.copy_names(job, copy):
                    stale.pop(name, None)
    for name in labels:
        stale.pop(name, None)
    return _remove(folder, stale)


def _write_labels(
    plan: Plan, folder: Folder, targets: Sequence[Format], before: Mapping[str, str | None]
) -> dict[str, str]:
    """The label files of the output formats, as projections of the manifest; returns name -> SHA-256."""
    files: dict[str, str] = {}
    lost = lost_by(plan.dataset, targets, mixes_classes(plan.dataset, plan.recipe))
    for target in targets:
        for name, texts in target.write(Rows(folder, lost[target.name]), plan.dataset):
            files[name] = folder.stream(name, (text.encode() for text in texts))[1]
    _remove(folder, {name: sha256 for name, sha256 in before.items() if name not in files})
    return files


def _remove(folder: Folder, files: Mapping[str, str | None]) -> int:
    """Deletes those files that are still what their SHA-256 says; "" takes any content, None none.

    Only what a walk of OUTPUT finds: it follows no link, so nothing outside is reached.
    """
    removed = 0
    for name in folder.names() & files.keys() if files else ():
        path = folder.path(name)
        if os.path.islink(path) or (files[name] != "" and hashes([path]) != [files[name]]):
            continue
        folder.remove(name)
        removed += 1
    return removed


def _failures(plan: Plan, entries: dict[str, Entry]) -> Iterator[dict[str, Json]]:
    for job in plan.jobs:
        failed = {row["copy"]: row for row in entries[job.sample.id].failed}
        yield from (failed[copy] for copy in job.copies if copy in failed)
    for flaw, copies in plan.lost:
        for copy in copies:
            yield {"source": flaw.source, "copy": copy, "stage": "read", "error": flaw.code, "message": flaw.message}


def _index(plan: Plan, entries: dict[str, Entry], lengths: list[int]) -> Iterator[bytes]:
    offset = 0
    for job, length in zip(plan.jobs, lengths, strict=True):
        entry = entries[job.sample.id]
        made = entry.made()
        wanted = set(job.copies)
        kept = replace(entry, failed=[row for row in entry.failed if row["copy"] in wanted])
        yield kept.line([copy for copy in job.copies if copy in made], length, offset)
        offset += length


def summarise(
    plan: Plan, entries: dict[str, Entry], manifest: Json, files: dict[str, str], equal: int
) -> dict[str, Json]:
    """What summary.json says: nothing in it depends on when, where or in how many runs the folder was made.

    `equal`: images that came out as their source or a lower copy did, however often they were drawn.
    """
    failures = list(_failures(plan, entries))
    made: list[tuple[Sample, int]] = []
    originals = 0
    for job in plan.jobs:
        copies = entries[job.sample.id].made() & set(job.copies)
        made.append((job.sample, len(copies)))
        originals += 0 in copies
    warnings = Counter(flaw.code for flaw in plan.dataset.warnings)
    warnings.update(note for job in plan.jobs for note in entries[job.sample.id].notes)
    images = sum(count for _, count in made)
    multiplied = sum(count > 0 for _, count in made)
    return {
        "augx": __version__,
        "plan": planning.plan_hash(plan, lambda job: entries[job.sample.id].key),
        "counts": {
            "sources": len(plan.jobs) + len(plan.lost),
            "images": images,
            "originals": originals,
            "copies": images - originals,
            "failed": len(failures),
            "equal": equal,
        },
        "multiplication": round((images - equal) / multiplied, 3) if multiplied else None,
        "classes": planning.class_counts(made),
        "splits": planning.split_counts(made),
        "failures": dict(sorted(Counter(row["error"] for row in failures).items())),
        "warnings": dict(sorted(warnings.items())),
        "ignored": dict(sorted(plan.dataset.ignored.items())),
        "formats": {"read": plan.dataset.origin or plan.dataset.format, "written": list(plan.formats), **plan.said},
        "recipe": plan.recipe.canonical(),
        "manifest": manifest,
        "failures_sha256": hashlib.sha256(b"".join(map(dump, failures))).hexdigest(),
        "files": files,
        "versions": versions.everything(),
        "cpu": versions.cpu(),
    }
