"""Kills real runs at random moments: the whole group, the parent, a worker, or the server that workers are forks of;
and lets the same command go on.

PYTHONPATH=tests python kills.py FOLDER COUNT [SEED [OPTION ...]], options such as `--to webdataset`: prints {"kills":
{who: N}, "trees": N, "seconds": S, "wrong": [what]}. A tree is compared each time that a run has come to its end; S is
the longest that anything outlived a parent.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

from conftest import tree
from makers import GRACE, NOTICED, RECIPE, begin, command, ended, members, parent, pictures, waited, workers

from augx import verify

WHO = ("group", "parent", "worker", "server")
LONGEST = 240.0  # seconds that no run takes


def killed(run: list[str], who: str, moment: float, seconds: list[float]) -> tuple[bool, str]:
    """Whether a run was hit `moment` seconds after it began, or had a worker, and what is wrong. `seconds`: gets
    how long it took until nothing was left of it."""
    process = begin(run)
    if who in ("worker", "server"):
        waited(lambda: workers(process.pid) or process.poll() is not None, LONGEST)
    with suppress(subprocess.TimeoutExpired):
        process.wait(moment)
    try:
        if process.poll() is not None:
            return False, f"exit code {process.returncode}" if process.returncode else ""
        if who in ("group", "parent"):
            (os.killpg if who == "group" else os.kill)(process.pid, signal.SIGKILL)
            process.wait(LONGEST)
            gone = waited(lambda: not members(process.pid), NOTICED + GRACE)
            seconds.append(gone or 0.0)
            return True, f"processes outlive the {who}: {members(process.pid)}" if gone is None else ""
        there = [pid if who == "worker" else parent(pid) for pid in workers(process.pid)]
        there = [pid for pid in there if pid > 1]  # that ended meanwhile: its number would mean others
        for pid in there[:1]:
            os.kill(pid, signal.SIGKILL)
        said = process.communicate(timeout=LONGEST)[1]
        wrong = f"exit code {process.returncode}: {said}" if process.returncode else ""
        return bool(there), wrong
    except Exception as error:
        return True, f"{type(error).__name__}: {error}"
    finally:
        for pid in members(process.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.communicate()


def judged(output: Path, expected: dict[str, str]) -> str:
    found = tree(output)
    different = sorted(name for name in found.keys() | expected.keys() if found.get(name) != expected.get(name))
    return f"{different} {verify.verify(str(output), 1)[1]}" if different else ""


def main(folder: Path, count: int, seed: int, *more: str) -> dict[str, Any]:
    """COUNT kills, one after the other on one OUTPUT until a run comes to its end before it is hit."""
    rng = random.Random(seed)
    photos, output = pictures(folder / "photos", 48), folder / "out"
    run = command(photos, output, "-j2", *more, recipe=RECIPE.replace("copies: 2", "copies: 6"))
    began = time.monotonic()
    assert ended(command(photos, folder / "expected", "-j2", *more))[0] == 0
    usual, expected = time.monotonic() - began, tree(folder / "expected")
    kills: Counter[str] = Counter()
    wrong: list[str] = []
    seconds: list[float] = []
    trees = 0
    while sum(kills.values()) < count:
        who = rng.choice(WHO)
        moment = rng.uniform(0.0, usual * (1.1 if who in ("group", "parent") else 0.15))
        hit, said = killed(run, who, moment, seconds)
        kills[who] += hit
        whole = (output / "summary.json").exists() and (not hit or who in ("worker", "server"))
        if not said and whole:
            trees, said = trees + 1, judged(output, expected)
        if said:
            wrong.append(f"{who} after {moment:.2f} s: {said}")
        if said or whole:
            shutil.rmtree(output, ignore_errors=True)
    code, said = ended(run)
    wrong += [f"the last run: {code} {said}"] if code else filter(None, [judged(output, expected)])
    return {"kills": kills, "trees": trees + 1, "seconds": max(seconds, default=0.0), "wrong": wrong}


if __name__ == "__main__":
    place, number, *rest = sys.argv[1:]
    print(json.dumps(main(Path(place), int(number), int(rest[0]) if rest else 0, *rest[1:])))
