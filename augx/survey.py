"""Plan against journal: what is done, what is to do, and why. Reads file dates, and content only where a date differs.

A written file carries the modification time of its source (of the youngest, where masks belong to it), so nothing
about this machine need be remembered in OUTPUT: equal size and equal time mean an unchanged source. Where the time
differs, or the source was moved since, or others have the same size and time, the content decides. The same holds for
what was written: a file with another date is held against its row.

Where images lie in tars, a tar carries the time of the youngest source in it, and is held against the digest that the
journal has of it; what is to do in one is to do for all of it.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import islice

from augx import plan as planning
from augx.errors import PASSING
from augx.journal import Entry, Journal
from augx.model import Job, Sample
from augx.naming import copy_name, copy_names, tar_of
from augx.plan import Plan
from augx.store import DOUBTED, Folder, hashes

_OTHER = (
    "sources have other labels, another recipe or other library versions",
    "sources have other labels or partners, another recipe (or what it names) or other library versions",
)


@dataclass(slots=True)
class Survey:
    """`todo`: jobs with the copies still to make. `redate`: written files that are as they should be but for their
    date, and the date they should have. `reasons`: in words, with how often.
    """

    todo: list[Job] = field(default_factory=list)
    redate: dict[str, int] = field(default_factory=dict)
    reasons: Counter[str] = field(default_factory=Counter)
    kept: int = 0  # images that are in place
    failed: int = 0  # images that failed before, and are not tried again


def survey(plan: Plan, journal: Journal, folder: Folder) -> Survey:
    """Compares what the plan wants with what the journal has and the folder really holds."""
    look = _Look(plan, journal, folder)
    found = look.found
    doubtful: list[tuple[Job, Entry]] = []
    same = look.unchanged()
    contents_of = _partner_contents(plan, journal, {name: journal.entries[name].sha256 for name in same})
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
            look.at(job, entry, same[job.sample.id])
        else:
            doubtful.append((job, entry))
    for (job, entry), sha256 in zip(doubtful, contents(plan, [job.sample for job, _ in doubtful]), strict=True):
        if sha256 == entry.sha256:
            look.at(job, entry, None)
        else:
            found.todo.append(job)
            found.reasons["sources have changed"] += 1
    look.tars()
    look.closer()
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
    limit = plan.recipe.limits.bytes
    sources = [planning.sources(plan.dataset.root, sample, limit) for sample in samples]
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


_Stats = tuple[tuple[int, int, int], ...]  # size, date and offset of each file of a source


class _Look:
    """What OUTPUT holds of sources whose content is as it was: `at` goes by dates, `closer` by content."""

    def __init__(self, plan: Plan, journal: Journal, folder: Folder) -> None:
        self.plan, self.journal, self.folder = plan, journal, folder
        self.dates = folder.dates() if journal.entries else {}
        self.found = Survey()
        self._open: list[tuple[Job, Entry, set[int], list[tuple[int, str]], int | None]] = []
        self._fit: set[str] = set()  # where images lie in tars: sources whose content is as it was
        self._youngest = written_dates(plan, plan.jobs) if plan.tars and journal.entries else {}

    def unchanged(self) -> dict[str, int]:
        """Sources that by size and date are as they were, with their dates; of the others the content has to tell.

        So it has of those that have size and date in common: their folders may have changed places.
        """
        same: dict[str, int] = {}
        looks: dict[str, _Stats] = {}
        for job in self.plan.jobs:
            if entry := self.journal.entries.get(job.sample.id):
                date, looks[job.sample.id] = self._unchanged(job, entry)
                if date is not None:
                    same[job.sample.id] = date
        often = Counter(looks.values())
        alone = {job.sample.id for job in self.plan.jobs if job.sample.added}  # they have one file, and it is theirs
        return {name: date for name, date in same.items() if often[looks[name]] == 1 or name in alone}

    def _unchanged(self, job: Job, entry: Entry) -> tuple[int | None, _Stats]:
        told: _Stats = ()
        try:
            places = self.plan.sources(job)
            sources = [os.stat(place.path) for place in places]
            told = tuple((s.st_size, s.st_mtime_ns, place.offset) for place, s in zip(places, sources, strict=True))
            size = sum(
                s.st_size if place.size is None else place.size for place, s in zip(places, sources, strict=True)
            )
            date = max(source.st_mtime_ns for source in sources)
            for copy in sorted(entry.made()) if size == entry.size else ():
                name = copy_name(job.stem, job.ending, copy)
                if self.plan.tars:
                    name = tar_of(name)
                    date = self._youngest.get(name, DOUBTED)  # unless no source in it could be looked at
                if self.dates.get(name) == date != DOUBTED and not self.journal.doubts(entry, copy, name):
                    written = os.lstat(self.folder.path(name))
                    moved = max(source.st_ctime_ns for source in sources) > written.st_ctime_ns  # or dated back, since
                    return None if moved else date, told
        except OSError:
            pass
        return None, told

    def at(self, job: Job, entry: Entry, date: int | None) -> None:
        """What is missing of this job? `date`: its source's, None where that is not what it was."""
        if self.plan.tars:
            self._fit.add(job.sample.id)
            return
        made, journal = entry.made(), self.journal
        names = [(copy, name) for copy in job.copies if copy in made for name in copy_names(job, copy)]
        there = [self.dates.get(name) for _, name in names]
        vouched = _shared(there) if date is None else date
        date = source_date(self.plan, job) if date is None else date
        lost: set[int] = set()
        doubtful: list[tuple[int, str]] = []
        if there.count(date) < len(names) or vouched != date or journal.intent or journal.torn:
            for (copy, name), written in zip(names, there, strict=True):
                if written is None:
                    lost.add(copy)
                elif written != vouched or journal.doubts(entry, copy, name):
                    doubtful.append((copy, name))
                elif written != date is not None:
                    self.found.redate[name] = date
        if lost:
            self.found.reasons["images are missing from the output"] += len(lost)
        if doubtful:
            self._open.append((job, entry, lost, doubtful, date))
        else:
            self._settle(job, entry, lost)

    def tars(self) -> None:
        """What is missing of tars? One that is not whole, or not of the sources that it should be of, is made anew."""
        if not self.plan.tars:
            return
        self.found.todo.clear()  # which has single jobs
        held: dict[str, list[Entry]] = {}
        for entry in self.journal.entries.values():
            if entry.tar:
                held.setdefault(tar_of(entry.stem), []).append(entry)
        planned: dict[str, list[Job]] = {}
        for job in self.plan.jobs:
            planned.setdefault(tar_of(job.stem), []).append(job)
        doubtful: list[str] = []
        for name, jobs in planned.items():
            some = held.get(name, [])
            if not self._complete(jobs, some):
                self.found.todo += jobs
            elif some and not self._vouched(name, some[0]):
                doubtful.append(name)
            else:
                self._keep(jobs)
        for name, sha256 in zip(doubtful, hashes(self.folder.path(name) for name in doubtful), strict=True):
            if (held[name][0].tar or (0, ""))[1] == sha256:
                self._keep(planned[name])
                if name in self._youngest:
                    self.found.redate[name] = self._youngest[name]
            else:
                gone = "images are not as they were written" if sha256 else "images are missing from the output"
                self.found.reasons[gone] += sum(len(entry.made()) for entry in held[name])
                self.found.todo += planned[name]

    def _complete(self, jobs: Sequence[Job], held: Sequence[Entry]) -> bool:
        """Whether the journal has all copies of these jobs, in one tar that holds nothing else. `held`: what it knows
        of a tar of that name."""
        wanted = {job.sample.id: set(job.copies) for job in jobs}
        if not self._fit.issuperset(wanted):
            return False  # and the reason is told already
        entries = [self.journal.entries[name] for name in wanted]
        if fewer := sum(not wanted[e.source] <= e.made() | _failed(e) for e in entries):
            self.found.reasons["sources have fewer copies than wanted"] += fewer
        if any(wanted[e.source] != e.made() | _failed(e) for e in entries):
            return False
        return len({e.tar for e in held}) <= 1 and {e.source for e in held} <= wanted.keys()

    def _vouched(self, name: str, entry: Entry) -> bool:
        """Whether a tar's date says that it is as it was. `entry`: one that lies in it."""
        fits = self.dates.get(name) == self._youngest.get(name) not in (None, DOUBTED)
        return fits and not self.journal.doubts(entry, min(entry.made()), name)

    def _keep(self, jobs: Iterable[Job]) -> None:
        for job in jobs:
            entry = self.journal.entries[job.sample.id]
            self.found.kept += len(entry.made())
            self.found.failed += len(_failed(entry))

    def closer(self) -> None:
        """Reads the files that no date vouches for."""
        sums = iter(hashes(self.folder.path(name) for *_, doubtful, _ in self._open for _, name in doubtful))
        for job, entry, lost, doubtful, date in self._open:
            told = entry.sums(self.folder)
            bad: set[int] = set()
            for copy, name in doubtful:
                if next(sums) != told.get(name):
                    bad.add(copy)
                elif date is not None:
                    self.found.redate[name] = date
            bad -= lost
            if bad:
                self.found.reasons["images are not as they were written"] += len(bad)
            self._settle(job, entry, lost | bad)

    def _settle(self, job: Job, entry: Entry, lost: Set[int]) -> None:
        """`lost`: copies of which a file is not there, or is not what it was."""
        found, made = self.found, entry.made()
        failed = _failed(entry)
        missing = [copy for copy in job.copies if copy not in failed and (copy not in made or copy in lost)]
        found.failed += len(failed.intersection(job.copies))
        found.kept += len(made.intersection(job.copies) - lost - failed)
        if missing:
            known = {copy: sha for copy, sha in entry.images(self.folder).items() if copy < missing[-1]} if made else {}
            found.todo.append(replace(job, copies=tuple(missing), known=known))
            if not made.issuperset(missing):
                found.reasons["sources have fewer copies than wanted"] += 1


def _failed(entry: Entry) -> set[int]:
    """Copies that failed, and are not tried again."""
    return {row["copy"] for row in entry.failed if row["error"] not in PASSING}


def _shared(dates: Iterable[int | None]) -> int | None:
    """The date that most of a source's files have: they were written together, and these were not touched since."""
    date, often = max(Counter(dates).items(), key=lambda pair: pair[1], default=(None, 0))
    return date if often > 1 and date != DOUBTED else None


def written_dates(plan: Plan, jobs: Iterable[Job]) -> dict[str, int]:
    """The modification times, in ns, that the files of these jobs get; a tar's is that of the youngest source in it."""
    dates: dict[str, int] = {}
    for job in jobs:
        names = plan.files([job])
        for source in plan.sources(job):
            with suppress(OSError):
                date = os.stat(source.path).st_mtime_ns
                dates |= {name: max(date, dates.get(name, 0)) for name in names}
    return dates


def source_date(plan: Plan, job: Job) -> int | None:
    """The modification time, in ns, that the job's files get; None where a source is not there."""
    try:
        return max(os.stat(source.path).st_mtime_ns for source in plan.sources(job))
    except OSError:
        return None
