"""The pool against workers that die, raise, and finish."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from augx.executors.base import Beat, Bounds, Lost, WorkerError
from augx.executors.local import _context, run, warm


def squares() -> Callable[[int, Beat], int]:
    return lambda number, alive: number * number


def dies_at(deadly: int, number: int, alive: Beat) -> int:
    if number == deadly:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def deadly(at: int) -> Callable[[int, Beat], int]:
    return partial(dies_at, at)


def exits_at(number: int, alive: Beat) -> int:
    if number == 3:
        os._exit(7)
    return number


def exiting() -> Callable[[int, Beat], int]:
    return exits_at


def test_a_long_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fork server cannot listen there."""
    place = tmp_path / ("x" * 90)
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    assert _context(()).get_start_method() == "spawn"
    monkeypatch.setattr(tempfile, "tempdir", "/tmp")
    assert _context(()).get_start_method() == "forkserver"


def raising() -> Callable[[int, Beat], int]:
    return lambda number, alive: 1 // number


def whose() -> Callable[[int, Beat], int]:
    return lambda number, alive: os.getpid()


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_every_task_is_answered_once(workers: int) -> None:
    assert sorted(run(squares, range(20), workers)) == [(n, n * n) for n in range(20)]


def test_no_task_no_worker() -> None:
    assert list(run(squares, [], 4)) == []


def test_work_is_done_in_other_processes() -> None:
    pids = {pid for _, pid in run(whose, range(6), 2)}
    assert os.getpid() not in pids
    assert 1 <= len(pids) <= 2


def test_zero_workers_is_this_process() -> None:
    assert {pid for _, pid in run(whose, range(3), 0)} == {os.getpid()}


def test_a_killed_worker_costs_its_task_and_no_other() -> None:
    answers = dict(run(partial(deadly, 5), range(12), 2))
    lost = answers.pop(5)
    assert isinstance(lost, Lost)
    assert "SIGKILL" in lost.reason
    assert answers == {n: n for n in range(12) if n != 5}


def test_a_worker_that_exits_is_named_by_its_code() -> None:
    answers = dict(run(exiting, range(6), 1))
    assert answers[3] == Lost("the worker process ended with exit code 7")
    assert [n for n, answer in answers.items() if answer == n] == [0, 1, 2, 4, 5]


def test_every_task_may_kill_its_worker() -> None:
    answers = [answer for n in range(3) for _, answer in run(partial(deadly, n), [n], 2)]
    assert all(isinstance(answer, Lost) for answer in answers)


def hangs_at(number: int, alive: Beat) -> int:
    if number == 3:
        time.sleep(600)
    return number


def hanging() -> Callable[[int, Beat], int]:
    return hangs_at


def test_a_worker_that_hangs_is_replaced() -> None:
    answers = dict(run(hanging, range(8), 2, bounds=Bounds(seconds=0.2)))
    assert answers.pop(3) == Lost("no end after 0.2 seconds", late=True)
    assert answers == {n: n for n in range(8) if n != 3}


def gets_on(number: int, alive: Beat) -> int:
    end = time.monotonic() + 0.5
    while time.monotonic() < end:
        alive()
    return number


def slow() -> Callable[[int, Beat], int]:
    return gets_on


def test_a_worker_that_is_slow_but_gets_on_is_left_alone() -> None:
    assert list(run(slow, [1], 1, bounds=Bounds(seconds=0.2))) == [(1, 1)]


def takes(number: int, alive: Beat) -> int:
    return len(bytearray(number << 20))


def taking() -> Callable[[int, Beat], int]:
    return takes


@pytest.mark.skipif(sys.platform != "linux", reason="the limit is kept on Linux only")
def test_a_worker_that_runs_away_in_memory_is_lost_and_no_other() -> None:
    answers = dict(run(taking, [1, 500, 2], 1, bounds=Bounds(memory=100 << 20)))
    assert answers == {1: 1 << 20, 500: Lost("the worker process ran out of memory"), 2: 2 << 20}


def test_an_exception_is_a_bug_and_carries_the_traceback() -> None:
    with pytest.raises(WorkerError, match="ZeroDivisionError"):
        list(run(raising, [1, 0], 1))


def test_closing_the_iterator_ends_the_workers() -> None:
    answers = run(whose, range(1000), 2)
    _, pid = next(answers)
    assert isinstance(pid, int)
    answers.close()  # type: ignore[attr-defined]
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


PARENT = """
import os, sys, time
sys.path.insert(0, {tests!r})
from executors_forever import forever
from augx.executors.local import run
if __name__ == "__main__":
    list(run(forever, range(4), 2))
"""
FOREVER = """
import os, time
def _sleep(task, alive):
    os.write(1, f"{os.getpid()}\\n".encode())
    time.sleep(600)
def forever():
    return _sleep
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_dead_parent_leaves_no_worker(tmp_path: Path) -> None:
    (tmp_path / "executors_forever.py").write_text(FOREVER)
    script = tmp_path / "parent.py"
    script.write_text(PARENT.format(tests=str(tmp_path)))
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])}
    parent = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True, env=environment)
    assert parent.stdout is not None
    pids = [int(parent.stdout.readline()) for _ in range(2)]
    parent.kill()
    parent.wait()
    parent.stdout.close()
    deadline = time.monotonic() + 10
    while any(os.path.exists(f"/proc/{pid}") for pid in pids):
        assert time.monotonic() < deadline, "workers outlived their parent"


def test_a_warm_server_serves_as_any(tmp_path: Path) -> None:
    """Twice, and with workers after it."""
    warm(("json",))
    warm(("json",))
    assert sorted(run(squares, range(5), 2, ("json",))) == [(n, n * n) for n in range(5)]
