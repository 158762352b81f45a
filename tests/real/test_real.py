"""The main job on real datasets, where they are at hand: `shared/data` beside the checkout, or $REAL_DATA.

Each test goes through the command line, as a user does, and counts.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from conftest import failures, rows, tree

DATA = Path(os.environ.get("REAL_DATA") or Path(__file__).parents[3] / "shared" / "data")
pytestmark = [pytest.mark.slow, pytest.mark.skipif(not DATA.is_dir(), reason="no real data here")]
IMAGES = {".jpg", ".jpeg", ".png"}


def augx(*arguments: object, code: int = 0) -> str:
    done = subprocess.run([sys.executable, "-m", "augx", *map(str, arguments)], capture_output=True, text=True)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout


def summary(output: Path) -> dict[str, Any]:
    value: dict[str, Any] = json.loads((output / "summary.json").read_text("utf-8"))
    return value


def count_images(folder: Path) -> int:
    return sum(path.suffix.lower() in IMAGES for path in folder.rglob("*"))


def check_counts(source: Path, output: Path, copies: int) -> None:
    sources = count_images(source)
    made = rows(output)
    assert len(made) == sources * (copies + 1) - len(failures(output))
    assert len({row["file_name"] for row in made}) == len(made) == count_images(output)
    assert summary(output)["counts"]["images"] == len(made)
    assert json.loads(augx("verify", output, "--json")) == {"rows": len(made), "findings": []}


def test_photos_by_ten(tmp_path: Path) -> None:
    output = tmp_path / "out"
    augx("run", DATA / "photos", output, "-n", 10)
    check_counts(DATA / "photos", output, 10)
    assert failures(output) == []
    classes = {path.parent.name for path in (DATA / "photos").glob("*/*.jpg")}
    assert {row["label"] for row in rows(output)} == classes
    assert all(row["source"].split("/")[0] == row["label"] == row["file_name"].split("/")[0] for row in rows(output))
    for row in rows(output):
        if row["copy"] == 0:
            assert (output / row["file_name"]).read_bytes() == (DATA / "photos" / row["source"]).read_bytes()


def test_exif_orientation_by_three(tmp_path: Path) -> None:
    """All orientations of a picture look the same upright, and no output says it is turned."""
    import numpy as np
    from PIL import Image

    output = tmp_path / "out"
    augx("run", DATA / "exif-orientation", output, "-n", 3)
    check_counts(DATA / "exif-orientation", output, 3)
    for aspect in ("Landscape", "Portrait"):
        upright = []
        for number in range(9):
            with Image.open(output / f"{aspect}_{number}.jpg") as image:
                assert image.getexif().get(0x0112, 1) in (0, 1)
                upright.append(np.asarray(image.convert("RGB"), float))
        assert all(np.abs(one - upright[1]).mean() < 6 for one in upright)
    for row in rows(output):
        assert (row["width"] > row["height"]) == row["source"].startswith("Landscape")


def test_table_of_tags(tmp_path: Path) -> None:
    source, output = tmp_path / "in", tmp_path / "out"
    shutil.copytree(DATA / "coco128" / "images" / "train2017", source)
    table = (DATA / "coco128" / "derived" / "multilabel.csv").read_text()
    (source / "labels.csv").write_text(table)
    augx("run", source, output, "-n", 10)
    check_counts(source, output, 10)
    said = dict(line.split(",") for line in table.splitlines()[1:])
    for row in rows(output):
        assert row["labels"] == dict.fromkeys(said[row["source"]].split(), 1.0)
    written = [line.split(",") for line in (output / "labels.csv").read_text().splitlines()]
    assert written[0] == ["file_name", "tags"]
    assert [tags for _, tags in written[1:]] == [said[row["source"]] for row in rows(output)]
    assert [name for name, _ in written[1:]] == [row["file_name"] for row in rows(output)]


def test_numeric_targets(tmp_path: Path) -> None:
    source, output = tmp_path / "in", tmp_path / "out"
    shutil.copytree(DATA / "bccd-voc" / "JPEGImages", source)
    shutil.copy(DATA / "bccd-voc" / "counts.derived.csv", source)
    augx("run", source, output, "-n", 1, "-r", "gentle")
    check_counts(source, output, 1)
    table = (source / "counts.derived.csv").read_text().splitlines()
    first = dict(zip(table[0].split(",")[1:], map(float, table[1].split(",")[1:]), strict=True))
    assert rows(output)[1]["values"] == first
    written = (output / "counts.derived.csv").read_text().splitlines()
    assert written[0] == table[0]
    assert {line.partition(",")[2] for line in written} == {line.partition(",")[2] for line in table}


def test_odd_and_broken_files(tmp_path: Path) -> None:
    """Every file is used or fails with a reason, copy by copy."""
    source, output = DATA / "pillow-odd-a", tmp_path / "out"
    augx("run", source, output, "-n", 2, code=1)
    made = {(row["source"], row["copy"]) for row in rows(output)}
    failed = {(row["source"], row["copy"]) for row in failures(output)}
    names = {path.relative_to(source).as_posix() for path in source.rglob("*") if path.is_file()}
    names -= {"SOURCE.txt", "LICENSE.upstream.txt"}
    assert {name for name, _ in made | failed} == names
    assert not made & failed
    assert made | failed == {(name, copy) for name in names for copy in range(3)}
    assert len({name for name, _ in made}) >= 320
    assert all(row["message"] and row["error"] != "internal-error" for row in failures(output))
    augx("verify", output)
    before = tree(output)
    augx("run", source, output, "-n", 2, code=1)
    assert tree(output) == before


def test_cifar_by_four(tmp_path: Path) -> None:
    """25,000 images; the second run makes none; a changed source makes its own again, and what it may be mixed into."""
    source, output = tmp_path / "in", tmp_path / "out"
    shutil.copytree(DATA / "cifar10-small" / "train500", source)
    augx("run", source, output, "-n", 4, "-q")
    check_counts(source, output, 4)
    assert {name: count["after"] for name, count in summary(output)["classes"].items()} == dict.fromkeys(
        os.listdir(source), 2500
    )
    before = tree(output)
    again = json.loads(augx("run", source, output, "-n", 4, "--json"))
    assert (again["made"], again["kept"]) == (0, 25_000)
    assert tree(output) == before
    changed = change_one(source)
    again = json.loads(augx("run", source, output, "-n", 4, "--json"))
    assert (again["made"], again["kept"]) == (5 * 65, 25_000 - 5 * 65)  # and the 64 that may be mixed with it
    after = tree(output)
    different = {n for n in after.keys() & before.keys() if after[n] != before[n]} - {"manifest.jsonl", "summary.json"}
    assert {Path(name).parent.name for name in different} == {changed.parent.name}


def test_a_change_touches_its_own_images_only(tmp_path: Path) -> None:
    """Where nothing is mixed."""
    source, output = tmp_path / "in", tmp_path / "out"
    shutil.copytree(DATA / "cifar10-small" / "train50", source)
    augx("run", source, output, "-n", 10, "-q", "-r", "strong")
    before = tree(output)
    changed = change_one(source)
    again = json.loads(augx("run", source, output, "-n", 10, "--json", "-r", "strong"))
    assert (again["made"], again["kept"]) == (11, 5489)
    name = changed.relative_to(source).as_posix()
    written = {row["file_name"] for row in rows(output) if row["source"] == name}
    after = tree(output)
    different = {n for n in after.keys() & before.keys() if after[n] != before[n]}
    assert different - written == {"manifest.jsonl", "summary.json"}


def change_one(source: Path) -> Path:
    """One image becomes another of its class."""
    images = sorted(source.rglob("*.jpg"))
    shutil.copy(images[18], images[17])
    return images[17]


@pytest.mark.parametrize("jobs", [1, 2, 5])
def test_one_tree_for_any_number_of_workers(tmp_path: Path, jobs: int) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    augx("run", DATA / "exif-orientation", first, "-n", 3, "-j", 0)
    augx("run", DATA / "exif-orientation", second, "-n", 3, "-j", jobs)
    assert tree(first) == tree(second)


def test_one_tree_after_twenty_kills(tmp_path: Path) -> None:
    """SIGKILL to the parent or to all of its group, at random moments, until twenty have hit."""
    source = DATA / "cifar10-small" / "train50"
    undisturbed, output = tmp_path / "undisturbed", tmp_path / "out"
    augx("run", source, undisturbed, "-n", 10)
    chance = random.Random(20)
    kills = 0
    for _ in range(200):
        command = [sys.executable, "-m", "augx", "run", source, output, "-n", "10", "-q", "-j", chance.choice("123")]
        run = subprocess.Popen(list(map(str, command)), start_new_session=True)
        try:
            run.wait(chance.uniform(0.1, 2.0))
            shutil.rmtree(output)  # it got through: once more from the beginning
        except subprocess.TimeoutExpired:
            (os.kill if chance.random() < 0.5 else os.killpg)(run.pid, signal.SIGKILL)
            run.wait()
            kills += 1
        if kills == 20:
            break
    deadline = time.monotonic() + 20
    while True:  # the lock is free when the last worker of the last victim is gone
        again = subprocess.run([sys.executable, "-m", "augx", "run", source, output, "-n", "10", "-q"])
        if again.returncode != 2 or time.monotonic() > deadline:
            break
    assert again.returncode == 0
    assert kills == 20
    assert tree(output) == tree(undisturbed)
