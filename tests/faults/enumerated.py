"""Disturbs runs at one file-system call after the other, and looks at what the next run makes of what is left.

PYTHONPATH=tests python enumerated.py FOLDER STEP KINDS SCENARIO...: prints {scenario: {"points": {kind: N}, "codes":
{kind and exit code: N}, "wrong": {kind and point: what}}}. KINDS: some of those below, with commas between; every
STEP-th point of each.
"""

from __future__ import annotations

import errno
import fcntl
import json
import mmap
import multiprocessing
import os
import re
import select
import shutil
import signal
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

from conftest import failures, tree
from events import CHANGING, FILLING, NAMED, OPENING, Event, watch
from running import run
from scenarios import Scenario, plan

from augx import cli, verify
from augx import plan as planning
from augx.executors import local

KINDS = {  # kind -> the calls that it can befall; None: all
    "touch": CHANGING,  # SIGKILL of the one process there is, before the disk changes
    "group": None,  # SIGKILL of parent and worker
    "process": None,  # SIGKILL of whichever of the two makes the call
    "EIO": None,
    "EMFILE": OPENING,
    "ENOSPC": FILLING,
    "ENOSPC on": FILLING,  # from then on
}
UNREADABLE = ("unreadable", "unreadable-label", "changed-while-read")  # what a bad sector of INPUT comes to
LONGEST = 60.0  # seconds for a run of some tenths
TEMPORARY = ".augx/tmp"
OWN_LOCK = (".augx/lock", ".augx/shards/1-of-1/lock")  # keep their last holder where nothing can be written any more


class Blow:
    """A fault that comes at the `point`-th call that it can befall, counted over all processes of the run."""

    def __init__(self, kind: str, point: int) -> None:
        self.kind, self.point = kind, point
        self.shared = mmap.mmap(-1, 8192)  # the count, and in words what was struck
        self.lock = threading.Lock()

    def __call__(self, event: Event) -> None:
        calls = KINDS[self.kind]
        if calls is not None and event.call not in calls:
            return
        with self.lock:
            count = int.from_bytes(self.shared[:8], "big") + 1
            self.shared[:8] = count.to_bytes(8, "big")
        if count < self.point or (count > self.point and self.kind != "ENOSPC on"):
            return
        if count == self.point:
            words = f"{event.call} {event.path}".encode()[:4096]
            self.shared[8 : 8 + len(words)] = words
        if self.kind == "group":
            os.killpg(0, signal.SIGKILL)
        if self.kind in ("touch", "process"):
            os.kill(os.getpid(), signal.SIGKILL)
            time.sleep(LONGEST)  # in a thread the signal may come a moment later
        number = getattr(errno, self.kind.split()[0])
        known = event.call in (*NAMED, "open", "create", "replace")  # others do not say which file it was
        raise OSError(number, os.strerror(number), event.path if known else None)

    def struck(self) -> str:
        """The call and the path; "" if the run came to its end before."""
        return self.shared[8:].rstrip(b"\0").decode(errors="replace")


class End(NamedTuple):
    """`code` None: it did not end, or something that it started did not."""

    code: int | None
    said: str


def victim(case: Scenario, blow: Blow) -> End:
    """A run in a fork, with a worker that is a fork of that one; what it said, when the last of them has ended."""
    mouth, ours = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setpgid(0, 0)
            os.dup2(ours, 1), os.dup2(ours, 2)
            os.close(mouth), os.close(ours)
            os._exit(_run(case, blow))
        except BaseException:
            import traceback

            traceback.print_exc()
            os._exit(99)
    os.close(ours)
    said, end = b"", time.monotonic() + LONGEST
    while (ended := bool(select.select([mouth], [], [], max(0, end - time.monotonic()))[0])) and (
        part := os.read(mouth, 65536)
    ):
        said += part
    if not ended:
        os.killpg(child, signal.SIGKILL)
    os.close(mouth)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    lock = case.work / ".augx" / "lock"
    if ended and lock.exists():
        with lock.open() as file:  # a worker that has closed its pipe may hold it a moment longer
            fcntl.flock(file, fcntl.LOCK_EX)
    return End(code if ended else None, said.decode(errors="replace"))


class Forks:
    """Workers that are forks of this process, and see what it sees."""

    def __init__(self) -> None:
        self.context = multiprocessing.get_context("fork")

    def get_start_method(self) -> str:
        return "fork"

    def Pipe(self) -> Any:  # noqa: N802
        self.end, theirs = self.context.Pipe()
        return self.end, theirs

    def Process(self, target: Any, args: Any, daemon: bool) -> Any:  # noqa: N802
        end = self.end

        def begin() -> None:
            end.close()  # or the worker would keep itself waiting for tasks
            target(*args)

        return self.context.Process(target=begin, daemon=daemon)


def _run(case: Scenario, blow: Blow) -> int:
    request = {"workers": 0 if blow.kind == "touch" else 1, "fsync": "off" if blow.kind == "touch" else "batch"}

    def invoke(arguments: list[str]) -> int:
        return 1 if run(case.input, case.work, **request, **case.killed).failed else 0

    local._context = lambda preload: Forks()
    cli._invoke = invoke
    watch((str(case.input), str(case.work)), blow)
    code = cli.call([])
    sys.stdout.flush(), sys.stderr.flush()
    return code


class Judge:
    """Knows what a scenario comes to, and says what is wrong with anything else."""

    def __init__(self, case: Scenario, folder: Path) -> None:
        self.case = case
        case.spoil()
        if case.goes_on:
            shutil.copytree(case.start, folder / "undisturbed")
        run(case.input, folder / "undisturbed", **case.killed)
        self.undisturbed = tree(folder / "undisturbed")
        self.start = tree(case.start) if case.start.exists() else {}
        case.mend()
        run(case.input, folder / "expected", **(case.after or case.killed))
        self.expected = tree(folder / "expected")
        self.usual = 1 if (folder / "undisturbed/summary.json").exists() and failures(folder / "undisturbed") else 0

    def __call__(self, blow: Blow, end: End) -> str:
        """What is wrong, "" if nothing is."""
        left = tree(self.case.work) if self.case.work.exists() else {}
        if wrong := self._ended(blow, end, left):
            return f"{wrong}; after {blow.struck()}: {end.said[-2000:]}"
        if wrong := self._next():
            return f"{wrong}; after {blow.struck()}: {end.said[-2000:]}"
        return ""

    def _ended(self, blow: Blow, end: End, left: dict[str, str]) -> str:
        killed = blow.kind in ("touch", "group", "process")
        if end.code is None:
            return "something did not end"
        if "Traceback" in end.said:
            return "a traceback"
        if end.code not in ((-9, self.usual) if killed else (0, 1, 2, 3)):
            return f"exit code {end.code}"
        if end.code == self.usual:
            if wrong := _different(left, self.undisturbed):
                return f"exit code {end.code}, and other than undisturbed: {wrong}"
        elif end.code in (0, 1) and (self.case.work / "summary.json").exists():
            unlike = [row for row in failures(self.case.work) if blow.kind != "EIO" or row["error"] not in UNREADABLE]
            findings = verify.verify(str(self.case.work), 1)[1]
            return f"exit code {end.code}: {unlike} {findings}" if unlike or findings else ""
        elif end.code == 2 and (wrong := _different(left, self.start)):
            return f"refused, and yet written: {wrong}"
        if end.code in (2, 3):
            first, _, hint = end.said.partition("augx: ")[2].partition("\n")
            place = str(self.case.input.parent) in first or os.path.basename(blow.struck()) in first
            if not place or not hint.strip():
                return "no place, or no way out"
        if not killed and (self.case.work / TEMPORARY).exists() and not _struck_cleaning(blow):
            return "something temporary is left"
        whole = {*self.undisturbed.values(), *self.start.values()}
        broken = [name for name, sha256 in left.items() if not name.startswith(".augx/") and sha256 not in whole]
        return f"not whole: {broken}" if broken else ""

    def _next(self) -> str:
        case = self.case
        case.mend()
        try:
            run(case.input, case.work, **(case.after or case.killed))
        except Exception as error:
            return f"the next run: {type(error).__name__}: {error}"
        if wrong := sorted(_different(tree(case.work), self.expected, ())):
            return f"the next run came to something else: {wrong}"
        if findings := verify.verify(str(case.work), 1)[1]:
            return f"verify: {findings}"
        again = run(case.input, case.work, **(case.after or case.killed))
        return f"made {again.made} once more" if again.made or again.removed else ""


def _struck_cleaning(blow: Blow) -> bool:
    call, _, path = blow.struck().partition(" ")
    return TEMPORARY in path and call not in FILLING


def _different(found: dict[str, str], wanted: dict[str, str], besides: tuple[str, ...] = OWN_LOCK) -> set[str]:
    """By name, besides journals of shares: a picture that was tried again alone has a segment of its own there."""
    unlike = {name for name in found.keys() | wanted.keys() if found.get(name) != wanted.get(name)}
    return {name for name in unlike - {*besides} if not re.fullmatch(r"\.augx/shards/[^/]+/journal/.*", name)}


def drive(name: str, folder: Path, step: int, kinds: list[str]) -> dict[str, Any]:
    case = Scenario(folder)
    plan(name, case)
    judge = Judge(case, folder)
    points: Counter[str] = Counter()
    codes: Counter[str] = Counter()
    wrong: dict[str, str] = {}
    for kind in kinds:
        point = 1
        while True:
            shutil.rmtree(case.work, ignore_errors=True)
            if case.start.exists():
                shutil.copytree(case.start, case.work)
            case.spoil()
            blow = Blow(kind, point)
            end = victim(case, blow)
            if not blow.struck():
                assert end.code == judge.usual, end
                break
            points[kind] += 1
            codes[f"{kind}: {end.code}"] += 1
            if said := judge(blow, end):
                wrong[f"{kind} {point}"] = said
            point += step
    return {"points": points, "codes": codes, "wrong": wrong}


if __name__ == "__main__":
    planning._SHARD_SOURCES = 1
    root, every, some, *names = sys.argv[1:]
    told = {name: drive(name, Path(root, name), int(every), some.split(",")) for name in names}
    print(json.dumps(told))
