"""Has the jobs worked off by an executor. A job whose worker died, hung or ran out of memory is tried once more alone,
with the whole machine to itself; then it becomes failures."""

from __future__ import annotations

import os
import re
import sys
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from functools import partial

from augx import executors
from augx import plan as planning
from augx.errors import GateError, ImageError, Refused, Stopped
from augx.executors import local
from augx.executors.base import Bounds, Lost, NoEngine, StartError
from augx.journal import Entry, write_segment
from augx.model import Job, Shard
from augx.plan import Plan
from augx.recipe import Recipe
from augx.remote import mirror
from augx.store import hashes
from augx.transforms.pipeline import foreign
from augx.work import Orders, failure, start

_LEAST_MEMORY = 1 << 30
_CGROUPS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


@dataclass(frozen=True, slots=True)
class Means:
    """What a run may use. `workers` 0: this process, without limits. `seconds`: for one image. `memory`: bytes for one
    worker; None: its share of the machine's, or what another executor gives. `max_errors`: how many images may fail, or
    "5%" of them. `executor`, `options`: who works, and what the user said to it."""

    workers: int = 1
    seconds: float = 300.0
    memory: int | None = None
    max_errors: str | None = None
    executor: str = "local"
    options: Mapping[str, str] = field(default_factory=dict)

    def ready(self) -> None:
        """Raises Refused where the executor is not installed, or not asked as it can be."""
        try:
            executors.load(self.executor).ready(self.options)
        except NoEngine as error:
            raise Refused(str(error), error.hint) from None

    def bounds(self, alone: bool = False) -> Bounds:
        if self.executor != "local":
            return Bounds(self.seconds, self.memory)
        share = memory_here() // (1 if alone else max(self.workers, 1))
        return Bounds(self.seconds, self.memory or max(share, _LEAST_MEMORY))


def warm(recipe: Recipe, untouched: bool) -> None:
    """Has what workers will be forked from begin its imports, beside what the caller does meanwhile."""
    local.warm(_heavy(recipe, untouched))


def _heavy(recipe: Recipe, untouched: bool) -> tuple[str, ...]:
    """What workers import."""
    needed = not untouched and any(foreign(one.steps, recipe.fuse) for one in recipe.variants())
    return "augx.work", *["augx.transforms.door"] * needed


class Dispatch:
    """One run's jobs on their way. `made`, `failed`: images so far; `step` is told of each shard's.

    `profile`: CPU seconds of the workers, by part, where the orders ask for it.
    """

    def __init__(self, plan: Plan, orders: Orders, means: Means, failed: int, step: Callable[[int, int], None]) -> None:
        self.plan, self.orders, self.means, self.step = plan, orders, means, step
        self.made, self.failed = 0, failed
        self.limit = _limit(means.max_errors, plan.images() + sum(len(copies) for _, copies in plan.lost))
        self.folder = orders.folder()
        self.profile: Counter[str] = Counter()
        self._preload = _heavy(plan.recipe, orders.untouched)

    def __call__(self, jobs: Iterable[Job], generation: int) -> None:
        """Raises Stopped where the system refuses to go on, GateError past `max_errors`."""
        self._count(0, 0)
        usual = self.plan.recipe.copies + self.plan.recipe.originals
        if self.plan.tars:
            self._tars(planning.tar_shards(jobs, generation), generation + 1)
            return
        shards = planning.shards(jobs, self._size, generation, usual)
        with closing(self._through(shards, alone=False)) as through:
            again = [job for lost, _ in through for job in lost.jobs]
        alone = (Shard(f"{generation + 1:04d}.{number:07d}", (job,)) for number, job in enumerate(again))
        with closing(self._through(alone, alone=True)) as through:
            for lost, error in through:
                self._fail(lost.name, [(job, error) for job in lost.jobs])

    def _tars(self, shards: Iterable[Shard], generation: int) -> None:
        """A tar is made as a whole: of one that was lost each job is tried alone, without writing it, and then the tar
        is made without those that are guilty."""
        with closing(self._through(shards, alone=False)) as through:
            again = [lost for lost, _ in through]
        trials = (replace(shard, jobs=(job,), tar="") for shard in again for job in shard.jobs)
        with closing(self._through(trials, alone=True, trial=True)) as through:
            guilty = {job.sample.id: error for lost, error in through for job in lost.jobs}
        for number, shard in enumerate(again):
            jobs = tuple(job for job in shard.jobs if job.sample.id not in guilty)
            failed = [(job, guilty[job.sample.id]) for job in shard.jobs if job.sample.id in guilty]
            if jobs:
                whole = replace(shard, name=f"{generation:04d}.{2 * number:07d}", jobs=jobs)
                with closing(self._through([whole], alone=True)) as through:
                    failed += [(job, error) for lost, error in through for job in lost.jobs]
            if failed:
                self._fail(f"{generation:04d}.{2 * number + 1:07d}", failed)

    def _fail(self, name: str, lost: Sequence[tuple[Job, ImageError]]) -> None:
        entries = [self._lost(job, error) for job, error in lost]
        write_segment(self.folder, name, ((entry, [], []) for entry in entries))
        self._count(0, sum(len(job.copies) for job, _ in lost))

    def _through(
        self, shards: Iterable[Shard], alone: bool, trial: bool = False
    ) -> Generator[tuple[Shard, ImageError], None, None]:
        """Yields the shards that were lost, or what was lost of them, and why. When it is closed no worker is left,
        whatever was raised: nobody writes behind the back of who cleans up."""
        means = self.means
        workers = min(means.workers, 1) if alone else means.workers
        begin = mirror.Carried(partial(start, replace(self.orders, alone=alone or not workers, trial=trial)))
        try:
            executor = executors.load(means.executor)
            run = executor.run(begin, shards, workers, self._preload, means.bounds(alone), means.options)
            with closing(run) as answers:
                for shard, answer in answers:
                    if isinstance(answer, Lost):
                        yield shard, self._reason(answer)
                        continue
                    if "stopped" in answer:
                        raise Stopped(answer["stopped"], answer["hint"])
                    self.profile.update(answer.get("profile", {}))
                    self._count(answer["made"], answer["failed"])
                    if answer["short"]:
                        some = tuple(shard.jobs[number] for number in answer["short"])
                        yield (
                            replace(shard, jobs=some),
                            ImageError("out-of-memory", "there was not enough memory", "worker"),
                        )
        except StartError as error:
            raise Stopped(str(error), error.hint) from error

    def _count(self, made: int, failed: int) -> None:
        self.made, self.failed = self.made + made, self.failed + failed
        self.step(made, failed)
        if self.failed > self.limit:
            raise GateError(
                f"{self.failed:,} images failed, more than --max-errors {self.means.max_errors} allows",
                "the reasons will be in failures.jsonl when you run again with a higher limit",
            )

    def _reason(self, lost: Lost) -> ImageError:
        if lost.late:
            way_out = "raise --time-limit, or leave out what is slow on a picture of this size"
            message = f"not done within {self.means.seconds:g} seconds, twice over; {way_out}"
            return ImageError("timed-out", message, "worker")
        return ImageError("worker-died", f"{lost.reason}, twice over this image", "worker")

    def _lost(self, job: Job, error: ImageError) -> Entry:
        plan = self.plan
        partners = [one for pool in job.pools.values() for one in pool]
        root, limit = plan.dataset.root, plan.recipe.limits.bytes
        contents = {
            sample.id: planning.content(hashes(planning.sources(root, sample, limit)))
            for sample in [job.sample, *partners]
        }
        sha256 = contents[job.sample.id]
        failed = [failure(job.sample.source, copy, error) for copy in job.copies]
        key = plan.keys(lambda sample: contents[sample.id])(job, sha256, job.pools)
        beside = tuple((one.stem, one.ending) for one in job.beside)
        size = self._size(job) if sha256 else 0
        return Entry(job.sample.id, job.stem, job.ending, key, sha256, size, failed=failed, beside=beside)

    def _size(self, job: Job) -> int:
        return sum(source.bytes() for source in self.plan.sources(job))


ERRORS = re.compile(r"[0-9]+|[0-9]+(\.[0-9]+)?%")  # what --max-errors takes


def _limit(max_errors: str | None, images: int) -> float:
    if max_errors is None:
        return float("inf")
    return images * float(max_errors[:-1]) / 100 if max_errors.endswith("%") else float(max_errors)


def memory_here() -> int:
    """How many bytes of memory processes may have here in all: the machine's, or what a container leaves of it."""
    here = [sys.maxsize]
    with suppress(AttributeError, ValueError, OSError):
        here.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    for path in _CGROUPS:
        with suppress(OSError, ValueError), open(path, "rb") as file:
            here.append(int(file.read()))
    return min(here)
