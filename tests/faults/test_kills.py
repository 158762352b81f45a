"""Kills and interrupts of real runs: nothing is lost, nothing hangs, nothing stays behind."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest
from conftest import tree
from makers import GRACE, NOTICED, begin, command, driven, ended, members, parent, pictures, waited, workers

from augx.executors import local
from augx.executors.base import Beat, Lost

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")]
AN_END = 5.0  # seconds that an interrupted run may take to end in order


@pytest.mark.parametrize(("seed", "options"), [(1, []), (2, []), (3, ["--to", "webdataset", "--tar-images", "40"])])
def test_random_kills(seed: int, options: list[str]) -> None:
    told = driven("kills.py", "10", str(seed), *options)
    assert told["wrong"] == []
    assert sum(told["kills"].values()) == 10


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return pictures(tmp_path_factory.mktemp("kills") / "photos", 10)


def test_ctrl_c_while_workers_start(photos: Path, tmp_path: Path) -> None:
    """It goes to the fork server, too, which does its imports then and would say so in fifty lines."""
    process = begin(command(photos, tmp_path / "out", "-j2"))
    try:
        assert waited(lambda: _importing(process.pid), 60) is not None
        os.killpg(process.pid, signal.SIGINT)
        said = process.communicate(timeout=60)[1]
    finally:
        process.kill()
    assert (process.returncode, said) == (130, "augx: stopped; the same command goes on from here\n")
    assert waited(lambda: not members(process.pid), NOTICED + GRACE) is not None
    assert ended(command(photos, tmp_path / "out", "-j2"))[0] == 0


def test_an_interrupt_where_the_fork_server_is_stopped_before_it_forks(photos: Path, tmp_path: Path) -> None:
    """It will not answer; nobody who waits for a worker is deaf."""
    process = begin(command(photos, tmp_path / "out", "-j2"))
    spent: list[int] = []
    try:
        assert waited(lambda: _server(process.pid), 60) is not None
        os.kill(_server(process.pid), signal.SIGSTOP)
        assert waited(lambda: (tmp_path / "out" / ".augx" / "intent.jsonl").exists(), 60) is not None
        assert waited(lambda: spent.append(_ticks(process.pid)) or spent[-50:] == 50 * spent[-1:], 60) is not None
        assert workers(process.pid) == []
        os.kill(process.pid, signal.SIGINT)
        assert process.wait(AN_END + GRACE) == 130
    finally:
        for pid in members(process.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.communicate()


def test_an_interrupt_where_the_fork_server_is_stopped(photos: Path, tmp_path: Path) -> None:
    """It says no more which of its workers have ended; nobody waits for that for ever."""
    sleepers = {str(path): "sleep" for path in photos.rglob("*.png")}
    process = begin(command(photos, tmp_path / "out", "-j2"), guilty=sleepers)
    try:
        assert waited(lambda: workers(process.pid), 60) is not None
        assert waited(lambda: (tmp_path / "out" / ".augx" / "intent.jsonl").exists(), 60) is not None
        os.kill(parent(workers(process.pid)[0]), signal.SIGSTOP)
        os.kill(process.pid, signal.SIGINT)
        assert process.wait(2 * AN_END + GRACE) == 130
    finally:
        for pid in members(process.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.communicate()


def _server(session: int) -> int:
    """The fork server; 0 before there is one."""
    for pid in members(session):
        with suppress(OSError):
            if "forkserver" in Path("/proc", str(pid), "cmdline").read_text():
                return pid
    return 0


def _importing(session: int) -> bool:
    """Whether the fork server has got to its imports."""
    with suppress(OSError):
        return "numpy" in Path("/proc", str(_server(session)), "maps").read_text()
    return False


def _ticks(pid: int) -> int:
    """What a process has had of the processors."""
    return sum(map(int, Path("/proc", str(pid), "stat").read_text().rpartition(")")[2].split()[11:13]))


@pytest.mark.parametrize(
    ("signals", "code", "seconds"),
    [
        ([signal.SIGINT], 130, AN_END),
        ([signal.SIGTERM], 143, AN_END),
        ([signal.SIGINT, signal.SIGINT], 130, 1.0),
        ([signal.SIGTERM, signal.SIGTERM], 143, 1.0),
    ],
    ids=["SIGINT", "SIGTERM", "twice SIGINT", "twice SIGTERM"],
)
@pytest.mark.parametrize("everyone", [False, True], ids=["parent", "group"])
def test_an_interrupt_ends_a_run_whose_workers_hang(
    photos: Path, tmp_path: Path, signals: list[int], code: int, seconds: float, everyone: bool
) -> None:
    """Both workers sleep over a picture; the same command, where none does, makes all."""
    output = tmp_path / "out"
    sleepers = {str(path): "sleep" for path in photos.rglob("*.png")}
    process = begin(command(photos, output, "-j2"), guilty=sleepers)
    try:
        assert waited(lambda: workers(process.pid), 60) is not None
        assert waited(lambda: (output / ".augx" / "intent.jsonl").exists(), 60) is not None
        for number in signals:
            (os.killpg if everyone else os.kill)(process.pid, number)
        began = time.monotonic()
        said = process.communicate(timeout=60)[1]
        assert process.returncode == code, said
        assert time.monotonic() - began < seconds + GRACE
        assert "Traceback" not in said, said
        assert waited(lambda: not members(process.pid), NOTICED + GRACE) is not None
    finally:
        process.kill()
        process.communicate()
    assert ended(command(photos, output, "-j2"))[0] == 0
    ended(command(photos, tmp_path / "expected", "-j0"))
    assert tree(output) == tree(tmp_path / "expected")


def hangs(begun: str, number: int, alive: Beat) -> int:
    Path(begun, str(os.getpid())).touch()
    time.sleep(60)
    return number


def hanging(begun: str) -> Callable[[int, Beat], int]:
    return partial(hangs, begun)


def test_a_death_is_noticed(tmp_path: Path) -> None:
    """The best of some tries: what else the machine does is not at issue."""
    took = []
    for number in range(5):
        begun = tmp_path / str(number)
        begun.mkdir()
        moments: list[float] = []

        def kill(begun: Path = begun, moments: list[float] = moments) -> None:
            assert waited(lambda: any(begun.iterdir()), 60) is not None
            (worker,) = begun.iterdir()
            moments.append(time.monotonic())
            os.kill(int(worker.name), signal.SIGKILL)

        killer = threading.Thread(target=kill)
        killer.start()
        answers = local.run(partial(hanging, str(begun)), [0], 1)
        assert next(answers) == (0, Lost("the worker process was killed by SIGKILL"))
        took.append(time.monotonic() - moments[0])
        killer.join()
    assert min(took) < NOTICED
