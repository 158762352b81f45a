"""`augx validate --input` on real datasets: what is found there was looked at, and is so."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

DATA = Path(os.environ.get("REAL_DATA") or Path(__file__).parents[3] / "shared" / "data")
pytestmark = [pytest.mark.slow, pytest.mark.skipif(not DATA.is_dir(), reason="no real data here")]


def found(*arguments: object, code: int = 0) -> list[dict[str, Any]]:
    line = [sys.executable, "-m", "augx", "validate", *map(str, arguments), "--output-format", "json"]
    done = subprocess.run(line, capture_output=True, text=True)
    assert done.returncode == code, done.stderr
    problems: list[dict[str, Any]] = json.loads(done.stdout)
    return problems


def test_blood_cells() -> None:
    problems = found("detection", "--input", DATA / "bccd-voc")
    count = Counter(one["code"] for one in problems)
    assert count == {"box-empty": 2, "class-imbalance": 1, "near-duplicate": 1, "unused-labels": 2}
    (leak,) = [one for one in problems if one["code"] == "near-duplicate"]  # one field of view, at two focuses
    assert leak["message"].endswith("train: JPEGImages/BloodImage_00038.jpg; val: JPEGImages/BloodImage_00037.jpg")
    (uneven,) = [one for one in problems if one["code"] == "class-imbalance"]
    assert uneven["message"] == "RBC has 2,382 objects, Platelets 209: 11 times as many"


def test_small_photos() -> None:
    problems = found("classification", "--input", DATA / "cifar10-small" / "train500", "--hard-labels")
    pairs = [(Path(one["file"]).stem, one["message"]) for one in problems]
    assert {one["code"] for one in problems} == {"alike-images"}
    assert pairs == [
        ("0029", "looks like automobile/0277.jpg"),
        ("0035", "looks like automobile/0412.jpg"),
        ("0066", "looks like deer/0231.jpg"),
        ("0178", "looks like frog/0204.jpg"),
    ]


def test_crops_of_small_photos(tmp_path: Path) -> None:
    recipe = tmp_path / "r.yaml"
    recipe.write_text("version: 1\ncopies: 1\ntransforms:\n  - RandomCrop: {height: 64, width: 64}\n")
    (one, *_) = [p for p in found(recipe, "--input", DATA / "cifar10-small" / "train50", code=1) if p["line"]]
    assert one["code"] == "crop-too-large"
    assert one["message"].startswith("500 of 500 images are too small for RandomCrop")


@pytest.mark.parametrize("name", ["camvid", "photos", "coco128/images", "exif-orientation"])
def test_sound_datasets_have_no_errors(name: str) -> None:
    assert [one for one in found("gentle", "--input", DATA / name) if one["severity"] == "error"] == []


def test_odd_files_are_the_ones_that_run_cannot_make(tmp_path: Path) -> None:
    problems = found("gentle", "--input", DATA / "pillow-odd-a", code=1)
    broken = {
        (one["file"].partition("pillow-odd-a/")[2], one["code"]) for one in problems if one["severity"] == "error"
    }
    line = [
        sys.executable,
        "-m",
        "augx",
        "run",
        DATA / "pillow-odd-a",
        tmp_path / "out",
        "-r",
        "gentle",
        "-n",
        "1",
        "-q",
    ]
    subprocess.run(list(map(str, line)), capture_output=True)
    rows = map(json.loads, (tmp_path / "out" / "failures.jsonl").read_text("utf-8").splitlines())
    failed = {(row["source"], row["error"]) for row in rows if row["copy"] == 0}
    assert broken == failed and len(failed) > 50
