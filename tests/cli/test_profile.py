"""`augx run --profile`, in a process of its own: it wraps what it watches."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

RECIPE = """\
version: 1
copies: 4
transforms: [HorizontalFlip, {Rotate: {p: 1}}, {RandomGamma: {p: 1}}, {MedianBlur: {p: 1}}]
"""


@pytest.mark.parametrize("workers", ["0", "1"])
def test_where_the_time_goes(workers: str, tmp_path: Path) -> None:
    for number in range(6):
        pixels = np.random.default_rng(number).integers(0, 256, (90, 120, 3), np.uint8)
        (tmp_path / "in" / "cat").mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(tmp_path / "in" / "cat" / f"{number}.png")
    (tmp_path / "r.yaml").write_text(RECIPE)
    command = [sys.executable, "-m", "augx", "run", "in", "out", "-r", "r.yaml", "-j", workers, "--profile"]
    told = subprocess.run([*command, "--json"], cwd=tmp_path, capture_output=True, text=True, check=True)
    profile = json.loads(told.stdout)["profile"]
    every = [
        "read",
        "decode",
        "draw",
        "warp",
        "tables",
        "other transforms",
        "encode",
        "hash",
        "write",
        "rows",
        "journal",
    ]
    assert all(profile[part] > 0 for part in every) and profile["partners"] == profile["blur"] == 0
    assert profile["start, plan, manifest"] > 0 and sum(profile.values()) < 60
    again = subprocess.run([*command, "-n", "5"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "ms an image" in again.stderr and "partners" not in again.stderr and "100.0" not in again.stderr
    idle = subprocess.run([*command, "-n", "5"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert idle.stderr == "no image was made: there is no time to tell of\n"
    silent = subprocess.run([*command, "-n", "6", "-q"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert silent.stdout == silent.stderr == ""
    plain = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert "profile" not in plain


def test_a_profile_changes_no_byte(tmp_path: Path) -> None:
    (tmp_path / "in" / "cat").mkdir(parents=True)
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (50, 60, 3), np.uint8)).save(tmp_path / "in/cat/a.png")
    (tmp_path / "r.yaml").write_text(RECIPE)
    for out, more in (("a", []), ("b", ["--profile"])):
        subprocess.run(
            [sys.executable, "-m", "augx", "run", "in", out, "-r", "r.yaml", "-q", *more], cwd=tmp_path, check=True
        )
    one, other = (
        {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}
        for root in (tmp_path / "a", tmp_path / "b")
    )
    assert one == other and len(one) > 7
