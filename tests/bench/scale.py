"""What planning and scheduling cost with many sources: no pixels, no files, one process.

    python tests/bench/scale.py [N ...] [--overhead]        # 100,000 and 1,000,000 sources without a number

Sources are made up: N names in class folders of 1,000. Timed, in CPU seconds: the dataset (samples with a class), the
plan (jobs, names; its peak of memory), its division into 16 shares, its shards with their jobs as they would go to
workers (pickled), and the entries of their segments, written and read (for 20,000 of them). `--overhead`: what an image
of a run costs more by each executor than in this process, on 2,000 sources of 8 x 8 pixels.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import pickle
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np

from augx import journal
from augx import plan as planning
from augx.model import Annotations, Dataset, Sample
from augx.recipe import Recipe
from augx.store import Folder

COPIES = 10
RECIPE = {"version": 1, "copies": COPIES, "transforms": [{"HorizontalFlip": {}}]}
PARTS = ("dataset", "plan", "shares", "shards", "journal")


def dataset(number: int) -> Dataset:
    classes = [f"class_{n:03d}" for n in range(min(1000, max(1, number // 1000)))]
    known = [Annotations(labels={name: 1.0}) for name in classes]
    samples = tuple(
        Sample(f"{classes[n % len(classes)]}/{n:09d}.jpg", known[n % len(classes)], folder=classes[n % len(classes)])
        for n in range(number)
    )
    return Dataset("/nowhere", "folder", samples, classes=tuple(classes))


def measure(number: int) -> dict[str, float]:
    """CPU seconds of each part, and `memory`: bytes more than before."""
    recipe = Recipe.from_canonical(RECIPE)
    before, told = peak(), {}

    def timed(part: str, since: float) -> float:
        now = time.process_time()
        told[part] = now - since
        return now

    clock = time.process_time()
    known = dataset(number)
    clock = timed("dataset", clock)
    plan = planning.make(known, recipe, ("folder",), {"augx": "0"})
    clock = timed("plan", clock)
    told["memory"] = peak() - before
    assert sum(map(len, planning.stretches(plan, 16))) == number
    clock = timed("shares", clock)
    shards = sum(
        1 for shard in planning.shards(plan.jobs, lambda job: 100_000, usual=COPIES + 1) if pickle.dumps(shard)
    )
    clock = timed("shards", clock)
    with tempfile.TemporaryDirectory() as root:
        folder = Folder(root)
        (Path(root) / ".augx" / "journal").mkdir(parents=True)
        some = plan.jobs[:20_000]
        row = b'{"file_name": "' + b"x" * 700 + b'"}\n'
        for begin in range(0, len(some), 32):
            entries = []
            for job in some[begin : begin + 32]:
                entry = journal.Entry(job.sample.id, job.stem, job.ending, "k" * 16, "s" * 64, 100_000)
                entries.append((entry, list(job.copies), [row] * len(job.copies)))
            journal.write_segment(folder, f"0000.{begin:07d}", entries)
        assert len(journal.load(folder).entries) == len(some)
    timed("journal", clock)
    told["journal"] *= number / len(some)
    return told | {"shards made": shards}


def peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def overhead() -> None:
    """CPU and wall milliseconds an image, by executor; each twice, the better one counts."""
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as root:
        source = Path(root, "in", "a")
        source.mkdir(parents=True)
        for number in range(2000):
            pixels = np.frombuffer(hashlib.sha256(str(number).encode()).digest() * 6, np.uint8).reshape(8, 8, 3)
            (source / f"{number}.png").write_bytes(cv2.imencode(".png", pixels)[1].tobytes())
        Path(root, "recipe.yaml").write_text("version: 1\ncopies: 4\ntransforms: [HorizontalFlip]\n")
        print("executor       wall s  CPU s  images a second")
        for name, more in {
            "in process": ["-j0"], "local -j1": ["-j1"], "local -j2": ["-j2"],
            "ray, 2": ["-j2", "--executor", "ray"], "dask, 2": ["-j2", "--executor", "dask"],
        }.items():  # fmt: skip
            best = None
            for _ in range(2):
                output = Path(root, "out")
                shutil.rmtree(output, ignore_errors=True)
                line = [sys.executable, "-m", "augx", "run", str(source.parent), str(output), "-q", "--fsync", "off"]
                begun, used = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
                done = subprocess.run(
                    [*line, "-r", str(Path(root, "recipe.yaml")), *more], capture_output=True, text=True
                )
                wall, now = time.monotonic() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
                if done.returncode:
                    print(f"{name:14} {done.stderr.strip().splitlines()[0]}")
                    break
                cpu = now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime
                best = min(best or (wall, cpu), (wall, cpu))
            if best:
                print(f"{name:14} {best[0]:6.1f} {best[1]:6.1f} {10_000 / best[0]:8.0f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("numbers", type=int, nargs="*", default=[100_000, 1_000_000])
    parser.add_argument("--overhead", action="store_true")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        print(json.dumps(measure(given.one)))
        return
    if given.overhead:
        overhead()
        return
    print(f"{'sources':>12} " + " ".join(f"{part:>9}" for part in PARTS) + "    all, us a source    bytes a source")
    for number in given.numbers:
        done = subprocess.run(
            [sys.executable, __file__, "--one", str(number)], capture_output=True, text=True, check=True
        )
        told = json.loads(done.stdout)
        seconds = [told[part] for part in PARTS]
        print(
            f"{number:12,} "
            + " ".join(f"{one:8.2f}s" for one in seconds)
            + f" {1e6 * sum(seconds) / number:19.1f} {told['memory'] / number:17.0f}"
        )


if __name__ == "__main__":
    main()
