"""Two runs on one OUTPUT: the second is refused by the name of the first; a dead one holds nothing."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

import pytest
from conftest import tree
from makers import GRACE, NOTICED, begin, command, ended, members, pictures, waited, workers

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")]


def test_two_runs_at_once(tmp_path: Path) -> None:
    """The first sleeps over a picture; when it is killed the second takes over, and lacks nothing."""
    photos, output = pictures(tmp_path / "photos", 6), tmp_path / "out"
    run = command(photos, output, "-j1")
    first = begin(run, guilty={str(photos / "dog" / "001.png"): "sleep"})
    try:
        lock = output / ".augx" / "lock"
        assert waited(lambda: lock.exists() and lock.read_bytes() and workers(first.pid), 60) is not None
        assert json.loads(lock.read_bytes())["pid"] == first.pid
        for more in ([], ["-j0"], ["--fsync", "each"], ["-n", "1"]):
            code, said = ended([*run, *more])
            assert code == 2
            assert f"{output} is being written by another augx, process {first.pid} on " in said
            assert "wait for it to end" in said
        os.kill(first.pid, signal.SIGKILL)
        first.wait()
        assert waited(lambda: not members(first.pid), NOTICED + GRACE) is not None
        assert json.loads(lock.read_bytes())["pid"] == first.pid
    finally:
        first.kill()
        first.communicate()
    assert ended(run)[0] == 0
    assert lock.read_bytes() == b""
    ended(command(photos, tmp_path / "expected", "-j0"))
    assert tree(output) == tree(tmp_path / "expected")


def test_many_runs_at_once(tmp_path: Path) -> None:
    """Begun together, again and again: each is refused or comes to the same tree."""
    photos, output = pictures(tmp_path / "photos", 6), tmp_path / "out"
    run = command(photos, output, "-j1")
    codes = []
    for _ in range(3):
        processes = [begin(run) for _ in range(4)]
        said = [process.communicate(timeout=120)[1] for process in processes]
        assert {process.returncode for process in processes} <= {0, 2}, said
        assert all("being written by another augx" in text for text in said if text)
        codes += [process.returncode for process in processes]
    assert 0 in codes
    ended(command(photos, tmp_path / "expected", "-j0"))
    assert tree(output) == tree(tmp_path / "expected")
