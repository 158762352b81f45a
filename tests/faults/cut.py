"""Cuts each file of a journal at each of its bytes, and looks at what the next run makes of it.

PYTHONPATH=tests python cut.py FOLDER STEP STATE: prints {file: {"cuts": N, "wrong": {length: what}}}, for every STEP-th
length. STATE: "finished", or "unfinished": a run with another recipe, stopped half-way over a finished one.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

from conftest import encoded, tree
from running import Silent, a_recipe, run

from augx import engine as runner
from augx import plan as planning
from augx import recipe as recipes
from augx import verify

OLD, NEW = a_recipe("[HorizontalFlip]", copies=1), a_recipe("[Transpose]", copies=1)


class Stop(Silent):
    """Stops the run after one source."""

    def step(self, made: int, failed: int) -> None:
        super().step(made, failed)
        if self.made == 2:
            raise KeyboardInterrupt


def unfinished(photos: Path, output: Path) -> None:
    asked = runner.Request(str(photos), str(output), NEW, workers=0, fsync="off")
    try:
        runner.run(asked, Stop(), recipes.check_transforms)
    except KeyboardInterrupt:
        return
    raise AssertionError("it was to be stopped")


def again(photos: Path, output: Path, recipe: recipes.Recipe, expected: dict[str, str]) -> str:
    """What is wrong with what a run makes of what is there, "" if nothing is."""
    try:
        outcome = run(photos, output, recipe)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    found = tree(output)
    if different := sorted(name for name in found.keys() | expected.keys() if found.get(name) != expected.get(name)):
        return f"it comes to something else: {different}"
    return f"{outcome.failed} failed" if outcome.failed else ""


def main(folder: Path, step: int, state: str) -> None:
    photos, start, work = folder / "photos", folder / "start", folder / "work"
    for number in range(2):
        path = photos / ("cat", "dog")[number % 2] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encoded(number, ".png"))
    recipe = OLD if state == "finished" else NEW
    run(photos, start, OLD)
    run(photos, folder / "expected", recipe)
    if state == "unfinished":
        unfinished(photos, start)
    expected = tree(folder / "expected")
    names = [name for name in tree(start) if name.endswith((".json", ".jsonl"))]
    told = {}
    for name in names:
        data = (start / name).read_bytes()
        wrong, lengths = {}, range(0, len(data), step)
        for length in lengths:
            shutil.rmtree(work, ignore_errors=True)
            shutil.copytree(start, work)
            (work / name).write_bytes(data[:length])
            if said := again(photos, work, recipe, expected):
                wrong[length] = said
        findings = verify.verify(str(work), 1)[1]
        told[name] = {"cuts": len(lengths), "wrong": wrong | ({"verify": findings} if findings else {})}
    print(json.dumps(told))


if __name__ == "__main__":
    planning._SHARD_SOURCES = 1
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
