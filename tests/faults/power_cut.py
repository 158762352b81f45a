"""Notes down what runs do to the disk, cuts their power, and looks at what the next run makes of what may be left.

PYTHONPATH=tests python power_cut.py FOLDER COUNT SCENARIO...: prints {scenario: {fsync: {"states": N, "wrong":
[what]}}}.
"""

from __future__ import annotations

import json
import os
import pickle
import shutil
import sys
from pathlib import Path
from typing import Any

from conftest import tree
from crashes import Names, plant, states
from events import CHANGING, Event, watch
from running import run
from scenarios import Scenario
from scenarios import plan as set_up

from augx import plan as planning
from augx import verify

NOTED = {*CHANGING, "fsync", "syncfs"}


def noted(case: Scenario, fsync: str, into: Path) -> list[Event]:
    """What a run does, in its order."""
    child = os.fork()
    if child == 0:
        events: list[Event] = []
        watch((str(case.work),), events.append)
        run(case.input, case.work, fsync=fsync, **case.killed)
        into.write_bytes(pickle.dumps([tuple(event) for event in events if event.call in NOTED]))
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    return [Event(*event) for event in pickle.loads(into.read_bytes())]


def again(case: Scenario, left: Names, expected: dict[str, str]) -> str:
    """What is wrong with what the next run makes of it, "" if nothing is."""
    was = str(case.work)
    shutil.rmtree(case.work, ignore_errors=True)
    plant(left, was, case.work)
    case.mend()
    try:
        run(case.input, case.work, **(case.after or case.killed))
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    found = tree(case.work)
    if different := sorted(name for name in found.keys() | expected.keys() if found.get(name) != expected.get(name)):
        return f"it comes to something else: {different}"
    return str(verify.verify(was, 1)[1] or "")


def drive(name: str, folder: Path, count: int) -> dict[str, Any]:
    case = Scenario(folder)
    set_up(name, case)
    case.mend()
    run(case.input, folder / "expected", **(case.after or case.killed))
    expected = tree(folder / "expected")
    told = {}
    for seed, fsync in enumerate(("batch", "each")):
        shutil.rmtree(case.work, ignore_errors=True)
        if case.start.exists():
            shutil.copytree(case.start, case.work)
        case.spoil()
        events = noted(case, fsync, folder / "events")
        wrong = []
        for how, left in states(events, case.start, case.work, count, seed):
            case.spoil()
            if said := again(case, left, expected):
                wrong.append(f"{how}: {said}")
        told[fsync] = {"states": count, "wrong": wrong}
    return told


if __name__ == "__main__":
    planning._SHARD_SOURCES = 1
    root, number, *names = sys.argv[1:]
    print(json.dumps({name: drive(name, Path(root, name), int(number)) for name in names}))
