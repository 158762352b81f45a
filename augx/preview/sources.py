"""Which sources a sheet shows: a few, spread over the dataset, the same ones every time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase

from augx.errors import Refused
from augx.model import Annotations, Job
from augx.plan import Plan

_MOST_MASKS = 60  # that are read to find the classes in them


def spread(plan: Plan, count: int) -> list[Job]:
    """The multiplied ones with labels, if there are enough of them, evenly spaced."""
    jobs = [job for job in plan.jobs if job.copies[-1]] or list(plan.jobs)
    labelled = [job for job in jobs if _labelled(job.sample.annotations)]
    return _evenly(labelled if len(labelled) >= count else jobs, count)


def named(plan: Plan, patterns: Sequence[str], input: str) -> list[Job]:
    """Those whose path in INPUT, or whose file name, fits one of the patterns. Refused where one fits none."""
    found: dict[str, Job] = {}
    for pattern in patterns:
        if not pattern:
            raise Refused(
                "--only: the name is empty", "give a path in INPUT, a file name, or a pattern such as 'cat_*'"
            )
        fitting = [job for job in plan.jobs if _fits(job.sample.id, pattern)]
        if not fitting:
            _refuse(plan, pattern, input)
        found.update((job.sample.id, job) for job in fitting)
    return list(found.values())


def by_class(plan: Plan, mask_classes: Callable[[Job], set[str]]) -> dict[str, Job]:
    """Class -> a source that shows it, of several the middle one that is not shown for another class.

    `mask_classes`: reads the classes in a job's mask; asked of a few spread over the dataset.
    """
    jobs = [job for job in plan.jobs if job.copies[-1]]
    showing: dict[str, list[Job]] = {name: [] for name in plan.dataset.classes}
    for job in jobs:
        for name in _classes(job.sample.annotations):
            showing.setdefault(name, []).append(job)
    if not any(showing.values()):
        for job in _evenly([job for job in jobs if job.sample.annotations.mask], _MOST_MASKS):
            for name in sorted(mask_classes(job)):
                showing.setdefault(name, []).append(job)
    found: dict[str, Job] = {}
    used: set[str] = set()
    for name, some in showing.items():
        if some:
            middle = some[len(some) // 2 :] + some[: len(some) // 2]
            found[name] = next((job for job in middle if job.sample.id not in used), middle[0])
            used.add(found[name].sample.id)
    if not found:
        raise Refused("--per-class: the labels name no classes", "leave it out")
    return found


def _labelled(known: Annotations) -> bool:
    return bool(known.objects or known.mask or known.instances or known.segments or known.labels)


def _classes(known: Annotations) -> Iterator[str]:
    yield from dict.fromkeys([*known.labels, *(thing.label for thing in known.objects if thing.label is not None)])


def _evenly(jobs: Sequence[Job], count: int) -> list[Job]:
    if len(jobs) <= count:
        return list(jobs)
    return [jobs[(2 * number + 1) * len(jobs) // (2 * count)] for number in range(count)]


def _fits(name: str, pattern: str) -> bool:
    return name == pattern or fnmatchcase(name, pattern) or fnmatchcase(name.rpartition("/")[2], pattern)


def _refuse(plan: Plan, pattern: str, input: str) -> None:
    for flaw, _ in plan.lost:
        if _fits(flaw.source, pattern):
            raise Refused(f"--only {pattern}: {flaw.source} cannot be made: {flaw.message}", "mend it, or show another")
    names = {name: None for job in plan.jobs for name in (job.sample.id, job.sample.id.rpartition("/")[2])}
    close = get_close_matches(pattern, names, n=1)
    hint = f"did you mean {close[0]}?" if close else "give a path in INPUT, a file name, or a pattern such as 'cat_*'"
    raise Refused(f"--only {pattern}: no image of {input} is called so", hint)
