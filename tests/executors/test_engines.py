"""Ray and Dask: each task is answered once, whoever dies; a run on them is a run on one machine, to the byte."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from conftest import encoded, tree

from augx.cli import call
from augx.executors import load
from augx.executors.base import Beat, Bounds, Lost, StartError, WorkerError

pytestmark = [pytest.mark.engines, pytest.mark.filterwarnings("ignore")]
ENGINES = ("ray", "dask")


def squares() -> Callable[[int, Beat], int]:
    return lambda number, alive: number * number


def does(deed: str, at: int, number: int, alive: Beat) -> int:
    if number == at and deed == "dies":
        os.kill(os.getpid(), signal.SIGKILL)
    if number == at and deed == "hangs":
        threading.Event().wait(60)
    if number == at and deed == "starves":
        raise MemoryError
    if number == at and deed == "raises":
        raise ValueError("it is five")
    return number


def doing(deed: str, at: int) -> Callable[[int, Beat], int]:
    return partial(does, deed, at)


@pytest.fixture(autouse=True)
def findable(monkeypatch: pytest.MonkeyPatch) -> None:
    """The workers import this module."""
    monkeypatch.setenv(
        "PYTHONPATH", os.pathsep.join([str(Path(__file__).parent), str(Path(__file__).parents[1]), *sys.path])
    )


@pytest.mark.parametrize("engine", ENGINES)
def test_every_task_is_answered_once(engine: str) -> None:
    assert sorted(load(engine).run(squares, range(30), 2)) == [(n, n * n) for n in range(30)]
    assert list(load(engine).run(squares, [], 2)) == []
    assert list(load(engine).run(squares, [3], 0)) == [(3, 9)]  # -j0


@pytest.mark.parametrize(
    ("engine", "option"), [("ray", "num_gpus"), ("ray", "resources.gold"), ("dask", "resources.gold")]
)
def test_what_nobody_has_is_not_waited_for(engine: str, option: str) -> None:
    with pytest.raises(StartError, match=r"GPU|gold"):
        list(load(engine).run(squares, [3], 1, options={option: "1000"}))


@pytest.mark.parametrize("engine", ENGINES)
def test_whoever_dies_costs_no_other_task(engine: str) -> None:
    """The guilty is lost, and at most what waited behind it; the dispatcher tries those again, each alone."""
    answers = dict(load(engine).run(partial(doing, "dies", 5), range(20), 2))
    assert sorted(answers) == list(range(20))
    assert isinstance(answers[5], Lost) and not answers[5].late
    lost = [number for number, answer in answers.items() if isinstance(answer, Lost)]
    assert len(lost) <= 3
    assert all(answers[number] == number for number in answers if number not in lost)
    others = [number for number in lost if number != 5]
    assert dict(load(engine).run(partial(doing, "dies", 5), others, 1)) == {number: number for number in others}


@pytest.mark.parametrize("engine", ENGINES)
def test_who_hangs_is_ended(engine: str) -> None:
    answers = dict(load(engine).run(partial(doing, "hangs", 1), [1], 1, bounds=Bounds(seconds=1.0)))
    assert answers[1].late


@pytest.mark.parametrize("engine", ENGINES)
def test_memory_and_faults(engine: str) -> None:
    answers = dict(load(engine).run(partial(doing, "starves", 1), [1, 2], 1))
    assert answers == {1: Lost("the worker process ran out of memory"), 2: 2}
    with pytest.raises(WorkerError, match="ValueError: it is five"):
        list(load(engine).run(partial(doing, "raises", 5), [5], 1))


@pytest.mark.parametrize(("engine", "address"), [("ray", "127.0.0.1:1"), ("dask", "tcp://127.0.0.1:1")])
def test_nobody_is_there(engine: str, address: str) -> None:
    options = {"address": address} | ({"timeout": "1"} if engine == "dask" else {})
    with pytest.raises(StartError, match=address) as told:
        list(load(engine).run(squares, [1], 1, options=options))
    assert "is the address right" in told.value.hint


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Sixty, in folders that a run is told of from where it stands."""
    for number in range(60):
        path = tmp_path / "photos" / ("cat", "dog")[number % 2] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encoded(number, ".png"))
    return tmp_path / "photos"


@pytest.mark.parametrize("engine", ENGINES)
def test_a_run_is_the_same_to_the_byte(engine: str, photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With mixes, and one worker killed in mid-run; INPUT and OUTPUT are named from the working folder."""
    monkeypatch.chdir(photos.parent)
    Path("recipe.yaml").write_text("version: 1\ncopies: 40\ntransforms: [{mixup: {partners: same}}, HorizontalFlip]\n")
    run = ["run", "photos", "-r", "recipe.yaml", "-q"]
    assert call([*run, "here", "-j0"]) == 0
    struck: list[int] = []
    killed = threading.Thread(target=kill_one, args=(Path("there"), struck))
    killed.start()
    assert call([*run, "there", "-j2", "--executor", engine]) == 0
    killed.join()
    assert len(struck) == 1
    assert tree(Path("there")) == tree(Path("here"))


def kill_one(output: Path, killed: list[int]) -> None:
    """Once a segment is there."""
    while not list(output.glob(".augx/journal/*.jsonl")) and not (output / "summary.json").exists():
        time.sleep(0.01)
    for pid in workers():
        os.kill(pid, signal.SIGKILL)
        killed.append(pid)
        return


def workers() -> Iterator[int]:
    """Of engines that this process has begun, and nobody else beside it."""
    listed = subprocess.run(["ps", "-ww", "-eo", "pid,ppid,args"], capture_output=True, text=True, check=True).stdout
    rows = [line.split(None, 2) for line in listed.splitlines()[1:]]
    above = {int(pid): int(parent) for pid, parent, *_ in rows}
    for pid, _, *args in rows:
        if args and any(word in args[0] for word in ("ray::work", "Dask Worker", "spawn_main")):
            one = int(pid)
            while one in above and one != os.getpid():
                one = above[one]
            if one == os.getpid():
                yield int(pid)


@pytest.mark.parametrize("engine", ENGINES)
def test_another_version_is_refused(
    engine: str, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from augx import versions

    real = versions.deciding
    monkeypatch.setattr(versions, "deciding", lambda learned=False: real(learned) | {"zlib": "0.9"})
    assert call(["run", str(photos), str(tmp_path / "out"), "-n1", "-q", "-j1", "--executor", engine]) == 3
    said = capsys.readouterr().err
    assert "and the run was planned with 0.9" in said and "install the same versions on all machines" in said
