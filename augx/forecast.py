"""What a plan will cost, from making a few of its images for real."""

from __future__ import annotations

import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from itertools import accumulate
from operator import itemgetter

from augx import plan as planning
from augx import tars
from augx.fitting import without_samples
from augx.model import Json
from augx.plan import Plan

_SAMPLES = 6
_FULL = 100_000  # files in a folder, beyond which listing one and much else gets slow
_MANY = 100_000  # files, which take a minute to create
_CREATING = 0.0007  # CPU seconds that a small file of its own takes to create
_TARS = "`--to webdataset` writes tars instead"


def forecast(plan: Plan) -> dict[str, Json]:
    """Counts, exactly, and `bytes` and `cpu_seconds`, extrapolated from a few sources spread over the dataset."""
    originals = sum(0 in job.copies for job in plan.jobs)
    planned = [(job.sample, len(job.copies)) for job in plan.jobs]
    added = sum(count for sample, count in planned if sample.added)
    objects = [len(sample.annotations.objects) for sample, _ in planned]
    bytes_, seconds = _cost(plan)
    files, name, fullest = _files(plan)
    return {
        "sources": sum(not job.sample.added for job in plan.jobs) + len(plan.lost),
        "images": plan.images(),
        "originals": originals,
        "copies": plan.images() - originals - added,
        **({"added": added} if plan.recipe.adding() else {}),
        "failed": sum(len(copies) for _, copies in plan.lost),
        "first_failure": f"{plan.lost[0][0].source}: {plan.lost[0][0].message}" if plan.lost else None,
        "objects": {"before": sum(objects), "after": sum(n * c for n, (_, c) in zip(objects, planned, strict=True))},
        "classes": planning.class_counts(planned),
        "splits": planning.split_counts(planned),
        "balance": {name: asdict(one) for name, one in plan.balanced.reached.items()} if plan.balanced else {},
        "balance_unit": plan.balanced.unit if plan.balanced else None,
        "warnings": [
            *dict.fromkeys(flaw.message for flaw in plan.dataset.warnings if not flaw.source),
            *_too_many(files, name, fullest, seconds),
        ],
        "files": files,
        "fullest_folder": fullest,
        "tars": files if plan.tars else None,
        "bytes": bytes_,
        "cpu_seconds": seconds,
    }


def spread(cpu_seconds: float, planning: float, machines: int, cores: int, price: float | None) -> dict[str, Json]:
    """What each of several machines has to do where all of them plan, and share the work. `seconds`: of one of them,
    with all its cores; `hours`: of all together. `planning`: seconds that it takes to plan. `price`: of an hour."""
    seconds = planning + cpu_seconds / (machines * cores)
    hours = machines * seconds / 3600
    return {
        "machines": machines,
        "cores": cores,
        "planning_seconds": round(planning, 2),
        "seconds": round(seconds, 2),
        "hours": round(hours, 4),
        "price": price,
        "cost": None if price is None else round(hours * price, 2),
    }


def _files(plan: Plan) -> tuple[int, str, int]:
    """How many files jobs write, and into which folder the most of them, and how many."""
    if plan.tars:
        count = len(plan.files(plan.jobs))
        return count, "", count
    folders: Counter[str] = Counter()
    for job in plan.jobs:
        for stem in (job.stem, *(one.stem for one in job.beside)):
            folders[stem.rpartition("/")[0]] += len(job.copies)
    name, fullest = max(folders.items(), key=itemgetter(1), default=("", 0))
    return folders.total(), name, fullest


def _too_many(files: int, name: str, fullest: int, seconds: float) -> Iterator[str]:
    """`seconds`: of CPU time to make what is in the files."""
    if fullest > _FULL:
        yield f"the folder {name or '.'} will hold {fullest:,} files, and more than {_FULL:,} are slow to list: {_TARS}"
    if files > _MANY and files * _CREATING > seconds:
        yield f"{files:,} small files take longer to create than what is in them: {_TARS}"


def _cost(plan: Plan) -> tuple[int, float]:
    """Bytes and CPU seconds. Images that cannot be made cost nothing."""
    import cv2

    from augx.errors import ImageError
    from augx.partners import Folders
    from augx.work import Maker, read_sources

    threads = cv2.getNumThreads()
    cv2.setNumThreads(0)
    known = without_samples(plan.dataset, plan.formats)
    maker = Maker(plan.recipe, known, folders=Folders.now(plan.recipe))
    sizes = [sum(source.bytes() for source in plan.sources(job)) for job in plan.jobs]
    copies = [len(job.copies) - (0 in job.copies) for job in plan.jobs]
    seen = 0  # bytes of sources
    around = images = 0  # bytes around images in tars, and of how many
    decoding = making = written = 0.0
    for index in _spread([size * max(count, 1) for size, count in zip(sizes, copies, strict=True)]):
        job = replace(plan.jobs[index], pools=plan.pools(plan.jobs[index]))
        began = time.process_time()
        try:
            opened = maker.open(job.sample, read_sources(plan.dataset.root, job.sample, plan.recipe.limits)[0])
            opened_at = time.process_time()
            _, files = maker.make(job, job.copies[-1], opened)
        except ImageError:
            continue
        seen += sizes[index]
        decoding += opened_at - began
        making += time.process_time() - opened_at
        image, *beside = map(len, files.values())
        if plan.tars:
            written += image
            around += sum(tars.BLOCK + size + tars.padding(size) for size in (image, *beside)) - image
        else:
            written += image + sum(beside)
        images += 1
    cv2.setNumThreads(threads)
    if not seen:
        return 0, 0.0
    kept = sum(size for size, job in zip(sizes, plan.jobs, strict=True) if 0 in job.copies)
    if plan.tars:
        kept += round(plan.images() * around / images)
    new = sum(size * count for size, count in zip(sizes, copies, strict=True))
    return round(kept + written * new / seen), round((decoding * sum(sizes) + making * new) / seen, 2)


def _spread(weights: Sequence[int]) -> list[int]:
    """The indexes of a few, spread evenly over all that they weigh together."""
    until = list(accumulate(weights))
    places = [until[-1] * (2 * number + 1) / (2 * _SAMPLES) for number in range(_SAMPLES)] if until else []
    return sorted({bisect_left(until, place) for place in places})
