"""What a plan will cost, from making a few of its images for real."""

from __future__ import annotations

import os
import time

from augx import plan as planning
from augx.model import Json
from augx.plan import Plan

_SAMPLES = 6


def forecast(plan: Plan) -> dict[str, Json]:
    """Counts, exactly, and `bytes` and `cpu_seconds`, extrapolated from a few sources spread over the dataset."""
    originals = sum(0 in job.copies for job in plan.jobs)
    splits: dict[str, dict[str, int]] = {}
    for job in plan.jobs:
        if job.sample.split is not None:
            count = splits.setdefault(job.sample.split, {"before": 0, "after": 0})
            count["before"] += 1
            count["after"] += len(job.copies)
    bytes_, seconds = _cost(plan)
    return {
        "sources": len(plan.jobs) + len(plan.lost),
        "images": plan.images(),
        "originals": originals,
        "copies": plan.images() - originals,
        "failed": sum(len(copies) for _, copies in plan.lost),
        "first_failure": f"{plan.lost[0][0].source}: {plan.lost[0][0].message}" if plan.lost else None,
        "classes": planning.class_counts([(job.sample, len(job.copies)) for job in plan.jobs]),
        "splits": splits,
        "bytes": bytes_,
        "cpu_seconds": seconds,
    }


def _cost(plan: Plan) -> tuple[int, float]:
    """Bytes and CPU seconds. Images that cannot be made cost nothing."""
    import cv2

    from augx import images
    from augx.errors import ImageError
    from augx.work import Maker

    threads = cv2.getNumThreads()
    cv2.setNumThreads(0)
    maker = Maker(plan.recipe)
    sizes = [_size(os.path.join(plan.dataset.root, *job.sample.id.split("/"))) for job in plan.jobs]
    total = sum(sizes)
    seen = written = 0
    spent = 0.0
    for job, size in list(zip(plan.jobs, sizes, strict=True))[:: max(1, len(plan.jobs) // _SAMPLES)]:
        began = time.process_time()
        try:
            with open(os.path.join(plan.dataset.root, *job.sample.id.split("/")), "rb") as file:
                decoded = images.decode(file.read())
            decoding = time.process_time() - began
            copy = job.copies[-1]
            _, _, encoded = maker.make(decoded.picture, job.sample.id, copy, job.ending)
        except (OSError, ImageError):
            continue
        copies = len(job.copies) - (0 in job.copies)
        seen += size
        written += len(encoded) * copies + size * (0 in job.copies)
        spent += decoding + (time.process_time() - began - decoding) * copies
    cv2.setNumThreads(threads)
    scale = total / seen if seen else 0
    return round(written * scale), round(spent * scale, 2)


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return 0
