"""Kills of runs and of their workers: the same command then comes to the same tree. At every step: tests/faults."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import encoded, failures, rows, tree
from running import a_recipe, fresh, run

from augx import engine as runner
from augx import plan as planning
from augx import verify
from augx.executors import local
from augx.executors.base import Lost
from augx.model import Shard


def many(root: Path, count: int) -> Path:
    (root / "cat").mkdir(parents=True)
    for number in range(count):
        (root / "cat" / f"{number:03d}.png").write_bytes(encoded(number, ".png"))
    return root


class KillsAWorker:
    """Progress that calls `stop` once, after the first shard."""

    def __init__(self, stop: Callable[[], None]) -> None:
        self.stop, self.stopped = stop, False

    def begin(self, images: int, kept: int) -> None:
        pass

    def step(self, made: int, failed: int) -> None:
        if made and not self.stopped:
            self.stopped = True
            self.stop()

    def end(self) -> None:
        pass


def crew(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The process ids of all workers hired from now on."""
    pids: list[int] = []
    hire = local._Worker.__init__

    def noted(self: Any, *given: Any) -> None:
        hire(self, *given)
        pids.append(self.process.pid)

    monkeypatch.setattr(local._Worker, "__init__", noted)
    return pids


def test_a_killed_worker_costs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    photos = many(tmp_path / "photos", 12)
    expected = tree(fresh(photos, tmp_path / "x"))
    monkeypatch.setattr(planning, "_SHARD_SOURCES", 2)
    pids = crew(monkeypatch)
    asked = runner.Request(str(photos), str(tmp_path / "out"), a_recipe(), workers=2)
    progress = KillsAWorker(lambda: os.kill(pids[0], signal.SIGKILL))
    outcome = runner.run(asked, progress, lambda recipe: None)
    assert (outcome.failed, outcome.summary["counts"]["images"]) == (0, 36)
    assert len(pids) > 2, "one in the place of the dead"
    assert tree(tmp_path / "out") == expected


class Dies:
    """Answers like a worker, but dies over shards with `deadly` in them."""

    def __init__(self, real: Callable[[Shard], Any], deadly: str) -> None:
        self.real, self.deadly = real, deadly

    def __call__(self, shard: Shard, alive: Any) -> Any:
        if any(job.sample.id == self.deadly for job in shard.jobs):
            return Lost("the worker process was killed by SIGKILL")
        return self.real(shard, alive)


def test_a_picture_that_kills_every_worker_is_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All others are made, those of its shard too; the next run tries it again, and then it may work."""
    photos = many(tmp_path / "photos", 5)
    real_run = local.run

    def deadly_run(start: Any, tasks: Any, *rest: Any) -> Any:
        return real_run(lambda: Dies(start(), "cat/002.png"), tasks, 0)

    with monkeypatch.context() as patched:
        patched.setattr(local, "run", deadly_run)
        outcome = run(photos, tmp_path / "out")
    assert (outcome.made, outcome.failed) == (12, 3)
    assert [(row["source"], row["copy"], row["stage"], row["error"]) for row in failures(tmp_path / "out")] == [
        ("cat/002.png", copy, "worker", "worker-died") for copy in range(3)
    ]
    assert "SIGKILL" in failures(tmp_path / "out")[0]["message"]
    assert verify.verify(str(tmp_path / "out"), 1) == (12, [])

    outcome = run(photos, tmp_path / "out")
    assert (outcome.made, outcome.kept, outcome.failed) == (3, 12, 0)
    assert tree(tmp_path / "out") == tree(fresh(photos, tmp_path / "x"))


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGKILL, -9)])
def test_a_signal_in_mid_run(tmp_path: Path, number: int, code: int) -> None:
    """The process ends with its code and leaves no worker; the same command goes on."""
    photos = many(tmp_path / "photos", 40)
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(f"version: 1\ncopies: 10\ntransforms: {json.dumps(['HorizontalFlip', 'GaussianBlur'])}\n")
    command = [sys.executable, "-m", "augx", "run", str(photos), str(tmp_path / "out"), "-r", str(recipe), "-j1"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    watchdog = threading.Timer(60, process.kill)
    watchdog.start()
    while not list((tmp_path / "out").rglob("*_aug02.png")) and process.poll() is None:
        time.sleep(0.005)
    process.send_signal(number)
    said = process.communicate()[1]
    watchdog.cancel()
    assert process.returncode == code, said
    assert "Traceback" not in said
    if code > 0:
        assert "the same command goes on from here" in said
    assert not (tmp_path / "out" / "summary.json").exists()

    outcome = run(photos, tmp_path / "out", a_recipe('["HorizontalFlip", "GaussianBlur"]', copies=10))
    assert outcome.summary["counts"]["images"] == 440 == len(rows(tmp_path / "out"))
    expected = fresh(photos, tmp_path / "x", a_recipe('["HorizontalFlip", "GaussianBlur"]', copies=10))
    assert tree(tmp_path / "out") == tree(expected)
