"""What each side of a probe is trained on: the pictures as they are, or what a recipe makes of them. A search for a
policy looks at such copies, too.

Copies come from a worker's own `Maker`, and are decoded from the very bytes that `augx run` would write for a dataset
of the training pictures alone: `balance` counts those, and mixes find their partners among those.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from augx import engine, fitting, images
from augx import plan as planning
from augx import recipe as recipes
from augx.errors import ImageError, Refused
from augx.learn.data import Pixels, squared
from augx.learn.tasks import Known, Task
from augx.model import Job, Sample
from augx.options import MAX_SEED
from augx.partners import Folders
from augx.plan import Plan
from augx.recipe import Recipe
from augx.work import Maker, read_sources

Pictures = tuple[Pixels, NDArray[Any]]  # (n, side, side, 3), and what is known of each, as the task has it
_TIMED = 6  # sources
_MOST_BYTES = 1 << 30  # of pixels that one network is trained on


class Arm(Protocol):
    """`digest`: of its recipe; "" for none. `failed`: copies that could not be made."""

    name: str
    digest: str
    failed: int

    def pictures(self, repeat: int, train: NDArray[np.int64]) -> Pictures:
        """`train`: places of the pictures to learn from."""
        ...

    def seconds(self, folds: int) -> float:
        """About what making the pictures of one repeat takes."""
        ...


class Originals:
    """The pictures as they are."""

    name, digest, failed = "none", "", 0

    def __init__(self, known: Known) -> None:
        self.known = known

    def pictures(self, repeat: int, train: NDArray[np.int64]) -> Pictures:
        return self.known.pixels[train], self.known.truth[train]

    def seconds(self, folds: int) -> float:
        return 0.0


class Multiplied:
    """What a recipe makes of them, in each repeat with another seed."""

    def __init__(self, request: engine.Request, samples: Sequence[Sample], side: int, task: Task, seed: int) -> None:
        """`request`: as for a run. `samples`: whose pictures are used. `seed`: 0 makes what a run would."""
        request = dataclasses.replace(request, to_formats=(task.format,), allow_loss=True)
        if request.recipe is not None:  # folds are the division here
            request = dataclasses.replace(request, recipe=dataclasses.replace(request.recipe, split=None))
        plan, targets = engine.read(request)
        recipes.check_transforms(plan.recipe)
        placed = {sample.id: sample for sample in plan.dataset.samples}
        self.task, self.side, self.seed, self.recipe, self.formats = task, side, seed, plan.recipe, plan.formats
        self.added = [(job.sample, job.copies) for job in plan.jobs if job.sample.added]
        self.samples = [placed[sample.id] for sample in samples]
        self.dataset = dataclasses.replace(plan.dataset, samples=(), failed=(), warnings=())
        self.light = fitting.without_samples(plan.dataset, plan.formats)
        self.lost = fitting.lost_by(plan.dataset, targets, fitting.mixes_classes(plan.dataset, plan.recipe))
        self.beside = fitting.files_beside(plan.dataset, targets)
        self.name, self.digest, self.failed = plan.recipe.name, plan.recipe.digest(), 0
        self._repeat, self._maker = -1, self._made_for(0)
        self._kept: dict[tuple[str, tuple[int, ...]], Pictures] = {}
        room = _MOST_BYTES // (side * side * 3)
        if (count := self._plan(self.recipe, np.arange(len(samples))).images()) > room:
            raise Refused(
                f"{self.name} makes {count:,} pictures, and memory is kept for {room:,}",
                "probe a part of INPUT, give the recipe fewer copies, or lower --side",
            )

    def pictures(self, repeat: int, train: NDArray[np.int64]) -> Pictures:
        if repeat != self._repeat:
            self._repeat, self._maker = repeat, self._made_for(repeat)
            self._kept.clear()
        plan = self._plan(self._maker.recipe, train)
        found = [self._copies(plan, job) for job in _in_order(plan)]
        x = np.concatenate([one[0] for one in found])
        if not len(x):
            raise Refused(f"{self.name} makes no picture of any of {len(train):,}", "augx run says why")
        return x, np.concatenate([one[1] for one in found])

    def of_each(self, recipe: Recipe, places: Sequence[int]) -> list[Pixels]:
        """The copies that another recipe, which mixes nothing, makes of each of these pictures; fewer than it says
        where one cannot be made."""
        plan = self._plan(recipe, np.asarray(places))
        jobs = {job.sample.id: job for job in plan.jobs}
        maker = self._maker_of(recipe)
        return [self._made(plan, jobs[self.samples[place].id], maker)[0] for place in places]

    def seconds(self, folds: int) -> float:
        plan = self._plan(self._maker.recipe, np.arange(len(self.samples)))
        jobs = plan.jobs[:: max(len(plan.jobs) // _TIMED, 1)]
        failed = self.failed
        self._made(plan, jobs[0], self._maker)  # what is done once should not count
        began = time.monotonic()
        for job in jobs:
            self._made(plan, job, self._maker)
        self.failed = failed
        each = (time.monotonic() - began) / sum(len(job.copies) for job in jobs)
        return each * plan.images() * (folds - 1 if plan.ring else 1)

    def _made_for(self, repeat: int) -> Maker:
        seed = (self.recipe.seed + 1_000 * self.seed + repeat) % (MAX_SEED + 1)
        return self._maker_of(dataclasses.replace(self.recipe, seed=seed))

    def _maker_of(self, recipe: Recipe) -> Maker:
        return Maker(recipe, self.light, False, self.lost, Folders.now(recipe))

    def _plan(self, recipe: Recipe, train: NDArray[np.int64]) -> Plan:
        dataset = dataclasses.replace(self.dataset, samples=tuple(self.samples[place] for place in sorted(train)))
        balanced = engine.counts(dataset, recipe)
        return planning.make(dataset, recipe, self.formats, {}, self.beside, balanced=balanced, added=self.added)

    def _copies(self, plan: Plan, job: Job) -> Pictures:
        """Without partners they are the same in every fold."""
        if plan.ring:
            return self._made(plan, job, self._maker)
        key = job.sample.id, job.copies
        if key not in self._kept:
            self._kept[key] = self._made(plan, job, self._maker)
        return self._kept[key]

    def _made(self, plan: Plan, job: Job, maker: Maker) -> Pictures:
        job, side = dataclasses.replace(job, pools=plan.pools(job)), self.side
        x = np.empty((len(job.copies), side, side, 3), np.uint8)
        y: list[NDArray[Any]] = []
        lower: dict[str, int] = {}
        try:
            files = read_sources(self.light.root, job.sample, maker.recipe.limits)[0]
            opened = (maker.neighbours.opened if job.pools else maker.open)(job.sample, files)
        except ImageError:
            self.failed += len(job.copies)
            return x[:0], self.task.gathered([], side)
        for copy in job.copies:
            try:
                row, written = maker.make(job, copy, opened, lower)
            except ImageError:
                self.failed += 1
                continue
            if copy:
                lower.setdefault(row["sha256"], copy)
            x[len(y)] = squared(images.decode(written[row["file_name"]]).picture.pixels, side)
            y.append(self.task.of_copy(row, written, side))
        return x[: len(y)], self.task.gathered(y, side)


def _in_order(plan: Plan) -> list[Job]:
    """Those who share partners together, so that each is decoded once."""
    ring = plan.ring
    return list(plan.jobs) if ring is None else sorted(plan.jobs, key=lambda job: ring.order(job.sample))
