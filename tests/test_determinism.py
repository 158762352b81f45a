"""The same bytes everywhere: the whole of OUTPUT, `.augx` included, however and wherever it was made."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import encoded, rows, tree
from label_sets import coco_set, masks, plant, yolo
from running import a_recipe, run

from augx import plan as planning

TRANSFORMS = (
    "[HorizontalFlip, {Affine: {rotate: [-20, 20], p: 1}}, {OneOf: [GaussNoise, {GaussianBlur: {}}, CoarseDropout]}]"
)


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight pictures of several kinds, names with more than ASCII in them, and a broken one."""
    root = tmp_path_factory.mktemp("determinism") / "photos"
    names = ["cat/a.jpg", "cat/é.jpg", "cat/B.png", "dog/a.jpg", "dog/Z.PNG", "dog/ı.jpg", "zoo/1 2.png", "zoo/猫.jpg"]
    for number, name in enumerate(names):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(encoded(number, Path(name).suffix.lower()))
    (root / "dog" / "broken.jpg").write_bytes(b"\xff\xd8\xff")
    (root / "zoo" / "notes.txt").write_text("x")
    return root


@pytest.fixture(scope="module")
def expected(photos: Path) -> dict[str, str]:
    run(photos, photos.parent / "expected", a_recipe(TRANSFORMS), to_formats=("folder", "table"))
    return tree(photos.parent / "expected")


def command(input: str, output: str, recipe: Path, *more: str) -> list[str]:
    recipe.write_text(f"version: 1\ncopies: 2\ntransforms: {TRANSFORMS}\n")
    formats = ["--to", "folder", "--to", "table"]
    return [sys.executable, "-m", "augx", "run", input, output, "-r", str(recipe), "-q", *formats, *more]


def test_it_is_worth_comparing(expected: dict[str, str]) -> None:
    assert sum(name.startswith(("cat/", "dog/", "zoo/")) for name in expected) == 24
    assert {"manifest.jsonl", "failures.jsonl", "summary.json", "labels.csv"} < expected.keys()


@pytest.mark.parametrize("workers", [1, 3])
def test_any_number_of_workers(
    photos: Path, expected: dict[str, str], tmp_path: Path, workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planning, "_SHARD_SOURCES", 2)
    run(photos, tmp_path / "out", a_recipe(TRANSFORMS), to_formats=("folder", "table"), workers=workers)
    assert tree(tmp_path / "out") == expected


def test_any_order_of_the_file_system(
    photos: Path, expected: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scandir, listdir = os.scandir, os.listdir

    class Reversed:
        def __init__(self, *given: Any) -> None:
            self.entries = scandir(*given)

        def __enter__(self) -> Iterator[Any]:
            return iter(self)

        def __exit__(self, *given: Any) -> None:
            self.close()

        def __iter__(self) -> Iterator[Any]:
            return iter(sorted(self.entries, key=lambda entry: entry.name, reverse=True))

        def close(self) -> None:
            self.entries.close()

    monkeypatch.setattr(os, "scandir", Reversed)
    monkeypatch.setattr(os, "listdir", lambda *given: sorted(listdir(*given), reverse=True))
    run(photos, tmp_path / "out", a_recipe(TRANSFORMS), to_formats=("folder", "table"))
    monkeypatch.undo()
    assert tree(tmp_path / "out") == expected


@pytest.mark.parametrize(
    "environment",
    [
        {"PYTHONHASHSEED": "0", "LC_ALL": "C", "TZ": "Asia/Kathmandu"},
        {"PYTHONHASHSEED": "1", "LC_ALL": "tr_TR.UTF-8", "LANG": "tr_TR.UTF-8", "OMP_NUM_THREADS": "1"},
        {"LC_ALL": "POSIX", "PYTHONOPTIMIZE": "2", "PYTHONHASHSEED": "7"},
        {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},  # as a Latin-1 locale: names are not UTF-8
    ],
    ids=["C", "Turkish", "POSIX", "ASCII"],
)
def test_any_environment(photos: Path, expected: dict[str, str], tmp_path: Path, environment: dict[str, str]) -> None:
    arguments = command(str(photos), str(tmp_path / "out"), tmp_path / "recipe.yaml", "-j0")
    done = subprocess.run(arguments, env=os.environ | environment, capture_output=True)
    assert done.returncode == 1, done.stderr  # the broken one
    assert tree(tmp_path / "out") == expected


def test_another_place_with_other_dates(photos: Path, expected: dict[str, str], tmp_path: Path) -> None:
    """Relative paths from another folder, the dataset copied without its dates, files made in another order."""
    here = tmp_path / "some where" / "else"
    for path in sorted(photos.rglob("*"), reverse=True):
        if path.is_file():
            target = here / "renamed" / path.relative_to(photos)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
            os.utime(target, ns=(10**18, 10**18))
    done = subprocess.run(command("./renamed/", "../out/", tmp_path / "r.yaml", "-j1"), cwd=here, capture_output=True)
    assert done.returncode == 1, done.stderr
    assert tree(here.parent / "out") == expected


def test_the_seed_and_nothing_else_makes_others(photos: Path, expected: dict[str, str], tmp_path: Path) -> None:
    run(photos, tmp_path / "out", a_recipe(TRANSFORMS, seed=1), to_formats=("folder", "table"))
    other = tree(tmp_path / "out")
    named = [name for name in other if not name.startswith(".augx/index-")]
    assert named == [name for name in expected if not name.startswith(".augx/index-")]
    copies = [name for name in other if "_aug" in name]
    assert all(other[name] != expected[name] for name in copies if name.endswith(".jpg"))
    originals = [name for name in other if name.startswith(("cat/", "dog/", "zoo/")) and name not in copies]
    assert len(originals) == 8
    assert all(other[name] == expected[name] for name in originals)


def test_a_new_image_changes_no_other(photos: Path, expected: dict[str, str], tmp_path: Path) -> None:
    shutil.copytree(photos, tmp_path / "photos")
    (tmp_path / "photos" / "cat" / "Aa.jpg").write_bytes(encoded(77))
    (tmp_path / "photos" / "ant").mkdir()
    (tmp_path / "photos" / "ant" / "a.jpg").write_bytes(encoded(78))
    run(tmp_path / "photos", tmp_path / "out", a_recipe(TRANSFORMS), to_formats=("folder", "table"))
    found = tree(tmp_path / "out")
    images = [name for name in expected if name.startswith(("cat/", "dog/", "zoo/"))]
    assert {name: found[name] for name in images} == {name: expected[name] for name in images}
    assert len([name for name in found if name.endswith((".jpg", ".png", ".PNG"))]) == 30


def test_fewer_copies_are_the_first_of_many(photos: Path, expected: dict[str, str], tmp_path: Path) -> None:
    run(photos, tmp_path / "out", a_recipe(TRANSFORMS, copies=1, originals=False))
    found = {name: sha256 for name, sha256 in tree(tmp_path / "out").items() if "_aug" in name}
    assert len(found) == 8
    assert found.items() <= expected.items()


def test_labels_and_masks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Label files and masks beside images, and files of the whole dataset: with any workers, in any place."""
    monkeypatch.setattr(planning, "_SHARD_SOURCES", 1)
    ring = {"segmentation": [[4, 5, 16, 5, 16, 15]], "attributes": {"b": 1, "a": [2.5, None]}}
    formats: dict[str, dict[str, Any]] = {"to_formats": ("coco", "yolo", "cvat", "hf")}
    sets = {"yolo": (yolo(), {}), "masks": (masks(), {}), "coco": (coco_set(**ring), formats)}
    for name, (files, request) in sets.items():
        here, there = tmp_path / name, tmp_path / "else where" / f"{name} 2"
        plant(here, files)
        plant(there, dict(reversed(files.items())))
        run(here, tmp_path / f"{name}-0", a_recipe(TRANSFORMS), **request)
        run(there, there.parent / f"{name}-2", a_recipe(TRANSFORMS), workers=2, **request)
        found = tree(tmp_path / f"{name}-0")
        assert found == tree(there.parent / f"{name}-2")
        made = rows(tmp_path / f"{name}-0")
        assert len(made) == 9
        assert {path for row in made for path in (row["file_name"], *row["files"])} < found.keys()
        assert all(len(row["files"]) == 1 for row in made)
        assert not any(
            str(tmp_path).encode() in path.read_bytes()
            for path in (tmp_path / f"{name}-0").rglob("*.*")
            if path.is_file()
        )
