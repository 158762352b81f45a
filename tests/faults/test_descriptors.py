"""Runs that may have few files open: each ends as the contract says, and goes on where there are more."""

from __future__ import annotations

import resource
import subprocess
from pathlib import Path

import pytest
from conftest import tree
from makers import command, ended, environment, pictures

pytestmark = pytest.mark.slow
ENOUGH = 256


def test_few_file_descriptors(tmp_path: Path) -> None:
    """What Python's own server of workers says when it has none is not ours to say otherwise."""
    photos, output = pictures(tmp_path / "photos", 12), tmp_path / "out"
    codes = []
    for most in (5, 8, 11, 14, 16, 20, 32, ENOUGH):

        def limit(most: int = most) -> None:
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))

        done = subprocess.run(
            command(photos, output, "-j2"), env=environment(), capture_output=True, text=True, preexec_fn=limit
        )
        assert done.returncode in (0, 3), (most, done.stderr)
        assert "a bug in augx" not in done.stderr
        if done.returncode == 3:
            assert "ulimit -n" in done.stderr
        codes.append(done.returncode)
    assert codes[:3] == [3, 3, 3] and codes[-1] == 0
    ended(command(photos, tmp_path / "expected", "-j0"))
    assert tree(output) == tree(tmp_path / "expected")
