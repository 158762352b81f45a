"""Plan against journal: what is done, what is to do, and why. Reads file dates, and content only where a date differs.

A written image carries the modification time of its source (of the youngest, where masks belong to it), so nothing
about this machine need be remembered in OUTPUT: equal size and equal time mean an unchanged source. Where the time
differs, or the source was moved since, the content decides.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

from augx import plan as planning
from augx.errors import PASSING
from augx.journal import Entry, Journal
from augx.model import Job, Sample
from augx.naming import copy_name, copy_names
from augx.plan import Plan
from augx.store import Folder, hashes

_OTHER = (
    "sources have other labels, another recipe or other library versions",
    "sources have other labels or partners, another recipe (or what it names) or other library versions",
)


@dataclass(slots=True)
class Survey:
    """`todo`: jobs with the copies still to make. `touched`: jobs whose source is the same, but with another date.
    `reasons`: in words, with how often.
    """

    todo: list[Job] = field(default_factory=list)
    touched: list[Job] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)
    kept: int = 0  # images that are in place
    failed: int = 0  # images that failed before, and are not tried again


def survey(plan: Plan, journal: Journal, folder: Folder) -> Survey:
    """Compares what the plan wants with what the journal has and the folder really holds."""
    found = Survey()
    there = folder.names() if journal.entries else set()
    doubtful: list[tuple[Job, Entry]] = []
    same = {
        job.sample.id: entry.sha256
        for job in plan.jobs
        if (entry := journal.entries.get(job.sample.id)) and _same_file(plan, job, entry, journal, folder)
    }
    contents_of = _partner_contents(plan, journal, same)
    keys = plan.keys(lambda sample: contents_of[sample.id])
    for job in plan.jobs:
        entry = journal.entries.get(job.sample.id)
        if entry is None:
            found.todo.append(job)
            found.reasons["sources are new"] += 1
        elif keys(job, entry.sha256, plan.pools(job)) != entry.key:
            found.todo.append(job)
            found.reasons[_OTHER[plan.ring is not None]] += 1
        elif job.sample.id in same:
            _settle(found, job, entry, there, journal, folder)
        else:
            doubtful.append((job, entry))
    for (job, entry), sha256 in zip(doubtful, contents(plan, [job.sample for job, _ in doubtful]), strict=True):
        if sha256 == entry.sha256:
            found.touched.append(job)
            _settle(found, job, entry, there, journal, folder)
        else:
            found.todo.append(job)
            found.reasons["sources have changed"] += 1
    planned = {job.sample.id: job for job in plan.jobs}
    for source, entry in journal.entries.items():
        if source not in planned:
            found.reasons["sources are gone"] += 1
        elif entry.made() - set(planned[source].copies):
            found.reasons["sources have more copies than wanted"] += 1
    return found


def _partner_contents(plan: Plan, journal: Journal, same: Mapping[str, str]) -> dict[str, str]:
    """The content of all partners of sources that the journal knows, by id."""
    done = [job for job in plan.jobs if job.sample.id in journal.entries] if plan.ring else []
    partners = {one.id: one for job in done for pool in plan.pools(job).values() for one in pool}
    unknown = [one for name, one in partners.items() if name not in same]
    return {**same, **dict(zip((one.id for one in unknown), contents(plan, unknown), strict=True))}


def contents(plan: Plan, samples: Sequence[Sample]) -> Iterator[str]:
    """The digest of each sample's content, its masks included."""
    sources = [planning.sources(plan.dataset.root, sample) for sample in samples]
    sums = iter(hashes(source for several in sources for source in several))
    return (planning.content(list(islice(sums, len(several)))) for several in sources)


def content_keys(plan: Plan) -> dict[str, str]:
    """The key of every source, from its content."""
    samples = {job.sample.id: job.sample for job in plan.jobs}
    if plan.ring:
        samples |= {one.id: one for job in plan.jobs for pool in plan.pools(job).values() for one in pool}
    sums = dict(zip(samples, contents(plan, list(samples.values())), strict=True))
    keys = plan.keys(lambda sample: sums[sample.id])
    return {job.sample.id: keys(job, sums[job.sample.id], plan.pools(job)) for job in plan.jobs}


def _settle(found: Survey, job: Job, entry: Entry, there: set[str], journal: Journal, folder: Folder) -> None:
    """The content is the same: what is missing of this job?"""
    made = entry.made()
    failed = {row["copy"] for row in entry.failed if row["error"] not in PASSING}
    missing = []
    for copy in job.copies:
        names = copy_names(job, copy)
        if copy in failed:
            found.failed += 1
        elif copy not in made:
            missing.append(copy)
        elif not there.issuperset(names) or any(
            journal.intent.get(name, -1) > entry.generation(copy) and not _intact(entry, name, folder) for name in names
        ):
            missing.append(copy)
            found.reasons["images are missing from the output"] += 1
        else:
            found.kept += 1
    if missing:
        known = {copy: sha256 for copy, sha256 in entry.images(folder).items() if copy < missing[-1]} if made else {}
        found.todo.append(replace(job, copies=tuple(missing), known=known))
        if not made.issuperset(missing):
            found.reasons["sources have fewer copies than wanted"] += 1


def _intact(entry: Entry, name: str, folder: Folder) -> bool:
    """Whether a file that a later, unfinished run may have written over is still what its row says."""
    return [entry.sums(folder)[name]] == hashes([folder.path(name)])


def _same_file(plan: Plan, job: Job, entry: Entry, journal: Journal, folder: Folder) -> bool:
    """Whether size and date say that the source is as it was; where they cannot tell, the content has to."""
    made = entry.made()
    if not made:
        return False
    name = copy_name(job.stem, job.ending, min(made))
    if journal.intent.get(name, -1) > entry.generation(min(made)):
        return False  # perhaps written over by a later, unfinished run: then its date is no witness
    try:
        places = plan.sources(job)
        sources = [os.stat(place.path) for place in places]
        written = os.stat(folder.path(name))
    except OSError:
        return False
    moved = max(source.st_ctime_ns for source in sources) > written.st_ctime_ns  # renamed or dated back since
    same = sum(place.bytes() for place in places) == entry.size
    return same and max(source.st_mtime_ns for source in sources) == written.st_mtime_ns and not moved
