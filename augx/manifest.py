"""The end of a run: the journal becomes manifest, label files, failures and, last, the summary."""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from augx import __version__, journal, naming, objects, versions
from augx import plan as planning
from augx.errors import Stopped
from augx.fitting import lost_by, mixes_classes
from augx.formats import Format, label_files
from augx.journal import FAILURES, MANIFEST, SHARDS, SUMMARY, Entry, dump
from augx.model import Job, Json, Sample
from augx.plan import Plan
from augx.store import Folder, hashes, open_regular, stopping

_UNEQUAL = b'"equals": null'  # in a row; within a JSON string the quotes would have backslashes


def finish(plan: Plan, folder: Folder, targets: Sequence[Format]) -> tuple[dict[str, Json], int]:
    """Writes all but the images, and removes images that are no longer wanted; returns the summary and how many.

    Raises Stopped when a source was not the same all the time: while only some of its copies were to be made, or to
    those that it was mixed into.
    """
    state = journal.load(folder)
    if changed := _changed(plan, state.entries):
        first = os.path.join(plan.dataset.root, changed[0])
        raise Stopped(f"{len(changed)} sources were changed while the run went on: {first}", "run it again")
    labels = label_files(targets, plan.dataset)
    removed = _remove_stale(plan, state, folder, labels)
    if removed:
        folder.sync()  # nothing would know of them any more when the manifest is in place
    places: list[tuple[int, str]] = []
    equal = 0

    def rows() -> Iterator[bytes]:
        nonlocal equal
        for job in plan.jobs:
            lines = b"".join(state.entries[job.sample.id].rows(folder, job.copies))
            places.append((len(lines), journal.rows_digest(lines)))
            equal += lines.count(b"\n") - lines.count(_UNEQUAL)
            yield lines

    def index(sha256: str) -> None:
        journal.write_index(folder, sha256, labels, _index(plan, state.entries, places))

    size, sha256 = folder.stream(MANIFEST, rows(), before=index)
    files = _write_labels(plan, folder, targets, state)
    folder.stream(FAILURES, map(dump, _failures(plan, state.entries)))
    summary = journal.signed(summarise(plan, state.entries, {"sha256": sha256, "bytes": size}, files, equal))
    folder.sync()  # before what only an unfinished run needs goes away
    journal.end(folder, sha256)
    folder.write(SUMMARY, journal.summary_text(summary))
    folder.sync()
    return summary, removed


class Rows:
    """The manifest, row by row, as often as one likes."""

    def __init__(self, folder: Folder, lost: frozenset[str] = frozenset()) -> None:
        """`lost`: kinds of label to leave out."""
        self._path, self._lost = folder.path(MANIFEST), lost

    def __iter__(self) -> Iterator[Mapping[str, Json]]:
        with stopping("cannot read", self._path), open_regular(self._path) as file:
            for line in file:
                yield objects.row_without(json.loads(line), self._lost)


def _changed(plan: Plan, entries: Mapping[str, Entry]) -> list[str]:
    def content(sample: Sample) -> str:
        entry = entries.get(sample.id)
        if entry and entry.sha256:
            return entry.sha256
        return planning.content(hashes(planning.sources(plan.dataset.root, sample, plan.recipe.limits.bytes)))

    keys = plan.keys(content)

    def same(job: Job, entry: Entry | None) -> bool:
        if entry is None or not entry.tried().issuperset(job.copies):
            return False
        return not plan.ring or entry.key == keys(job, entry.sha256, plan.pools(job))

    return [job.sample.id for job in plan.jobs if not same(job, entries.get(job.sample.id))]


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
        if plan.tars and made:
            stale.pop(naming.tar_of(job.stem), None)
            continue
        for copy in job.copies:
            if copy in made:
                for name in naming.copy_names(job, copy):
                    stale.pop(name, None)
    for name in labels:
        stale.pop(name, None)
    return _remove(folder, stale)


def _write_labels(plan: Plan, folder: Folder, targets: Sequence[Format], state: journal.Journal) -> dict[str, str]:
    """The label files of the output formats, as projections of the manifest, and what there is to say of tars; returns
    name -> SHA-256."""
    files: dict[str, str] = {}
    lost = lost_by(plan.dataset, targets, mixes_classes(plan.dataset, plan.recipe))
    for target in targets:
        for name, texts in target.write(Rows(folder, lost[target.name]), plan.dataset):
            files[name] = folder.stream(name, (text.encode() for text in texts))[1]
    if plan.tars:
        files[SHARDS] = folder.stream(SHARDS, map(dump, _shards(plan, state.entries)))[1]
    _remove(folder, {name: sha256 for name, sha256 in state.files.items() if name not in files})
    return files


def _shards(plan: Plan, entries: Mapping[str, Entry]) -> Iterator[dict[str, Json]]:
    """A row about each tar, by name."""
    images: Counter[str] = Counter()
    known: dict[str, tuple[str | None, tuple[int, str]]] = {}
    for job in plan.jobs:
        entry = entries[job.sample.id]
        if entry.tar:
            images[naming.tar_of(job.stem)] += len(entry.made())
            known[naming.tar_of(job.stem)] = job.sample.split, entry.tar
    for name, (split, (size, sha256)) in sorted(known.items()):
        yield {"file": name, "split": split, "images": images[name], "bytes": size, "sha256": sha256}


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


def _index(plan: Plan, entries: dict[str, Entry], places: list[tuple[int, str]]) -> Iterator[bytes]:
    """`places`: length and digest of the rows of each job."""
    offset = 0
    for job, (length, digest) in zip(plan.jobs, places, strict=True):
        entry = entries[job.sample.id]
        made = entry.made()
        wanted = set(job.copies)
        kept = replace(entry, failed=[row for row in entry.failed if row["copy"] in wanted])
        copies = [copy for copy in job.copies if copy in made]
        yield kept.line(copies, length, {"offset": offset, "rows": digest})
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
    multiplied = sum(count > 0 and not sample.added for sample, count in made)
    added = sum(count for sample, count in made if sample.added)
    return {
        "augx": __version__,
        "plan": planning.plan_hash(plan, lambda job: entries[job.sample.id].key),
        "counts": {
            "sources": sum(not job.sample.added for job in plan.jobs) + len(plan.lost),
            "images": images,
            "originals": originals,
            "copies": images - originals - added,
            **({"added": added} if plan.recipe.adding() else {}),
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
        "versions": versions.everything(plan.recipe.learned),
        "cpu": versions.cpu(),
    }
