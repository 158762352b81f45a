"""Whole runs in this process: what lies in OUTPUT, and what a second run does to it.

The strongest check is used wherever it fits: after any change OUTPUT is, `.augx` included, what a first run makes.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import encoded, failures, index, picture, rows, tree
from PIL import Image
from running import a_recipe, fresh, run, states

from augx import engine as runner
from augx import verify
from augx.errors import GateError, InputError, OutputError, Refused
from augx.lock import locked
from augx.recipe import Recipe


def summary(output: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((output / "summary.json").read_text("utf-8"))
    return read


def reasons(input: Path, output: Path, recipe: Recipe | None = None, **request: Any) -> list[str]:
    return runner.check(runner.Request(str(input), str(output), recipe or a_recipe(), **request))


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """INPUT and OUTPUT of a run: six JPEGs, two classes, two copies. Not to be changed."""
    root = tmp_path_factory.mktemp("finished")
    for number in range(6):
        path = root / "photos" / ("cat", "dog")[number % 2] / f"{number}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encoded(number))
    run(root / "photos", root / "out")
    return root / "photos", root / "out"


@pytest.fixture
def done(finished: tuple[Path, Path], tmp_path: Path) -> tuple[Path, Path]:
    """A copy of `finished` that a test may change."""
    photos, output = tmp_path / "photos", tmp_path / "out"
    shutil.copytree(finished[0], photos)
    shutil.copytree(finished[1], output)
    return photos, output


# The first run


def test_what_is_there(finished: tuple[Path, Path]) -> None:
    output = finished[1]
    names = {row["file_name"] for row in rows(output)}
    assert names == {f"{('cat', 'dog')[n % 2]}/{n}{copy}.jpg" for n in range(6) for copy in ("", "_aug01", "_aug02")}
    files = {str(p.relative_to(output)) for p in output.rglob("*") if p.is_file()}
    ours = {"manifest.jsonl", "failures.jsonl", "summary.json", ".augx/lock", f".augx/{index(output).name}"}
    assert files == names | ours
    assert failures(output) == []
    assert not any((output / ".augx" / name).exists() for name in ("tmp", "journal", "intent.jsonl"))
    assert (output / ".augx" / "lock").read_bytes() == b""


def test_rows_are_in_plan_order_and_say_what_is_written(finished: tuple[Path, Path]) -> None:
    output = finished[1]
    order = [(row["source"], row["copy"]) for row in rows(output)]
    sources = ["cat/0.jpg", "cat/2.jpg", "cat/4.jpg", "dog/1.jpg", "dog/3.jpg", "dog/5.jpg"]
    assert order == [(source, copy) for source in sources for copy in range(3)]
    for row in rows(output):
        name = row["source"].split("/")[0]
        assert (row["label"], row["labels"], row["split"]) == (name, {name: 1.0}, None)
        assert (row["partners"], row["objects"], row["mask"], row["values"]) == ([], [], None, {})
        data = (output / row["file_name"]).read_bytes()
        with Image.open(io.BytesIO(data)) as image:
            assert (image.width, image.height, image.format) == (row["width"], row["height"], "JPEG")
        assert (len(data), (24, 18)) == (row["bytes"], (row["width"], row["height"]))
        applied = [step["name"] for step in row["transforms"]]
        assert applied in ([["Affine"], ["HorizontalFlip", "Affine"]] if row["copy"] else [[]])
    assert verify.verify(str(output), 2) == (18, [])


def test_copies_differ_from_each_other_and_from_their_source(finished: tuple[Path, Path]) -> None:
    sums = [row["sha256"] for row in rows(finished[1])]
    assert len(set(sums)) == len(sums)


def test_originals_are_the_same_bytes_with_the_same_date(finished: tuple[Path, Path]) -> None:
    photos, output = finished
    for row in rows(output):
        source, written = photos / row["source"], output / row["file_name"]
        assert written.stat().st_mtime_ns == source.stat().st_mtime_ns
        assert (written.read_bytes() == source.read_bytes()) == (row["copy"] == 0)


def test_summary(finished: tuple[Path, Path]) -> None:
    told = summary(finished[1])
    assert told["counts"] == {"sources": 6, "images": 18, "originals": 6, "copies": 12, "failed": 0, "equal": 0}
    assert told["classes"] == {"cat": {"before": 3, "after": 9}, "dog": {"before": 3, "after": 9}}
    assert (told["splits"], told["failures"], told["warnings"], told["ignored"]) == ({}, {}, {}, {})
    assert told["formats"] == {"read": "folder", "written": ["folder"]}
    assert told["recipe"] == a_recipe().canonical()
    assert {"augx", "albumentations", "opencv", "pillow", "numpy", "python"} <= set(told["versions"])
    data = (finished[1] / "manifest.jsonl").read_bytes()
    assert told["manifest"]["bytes"] == len(data)


def test_nothing_tells_of_the_machine(finished: tuple[Path, Path], tmp_path: Path) -> None:
    """No absolute path, host or date anywhere in OUTPUT's text files."""
    for path in finished[1].rglob("*"):
        if path.suffix in (".json", ".jsonl") or path.name == "lock":
            assert str(finished[0].parent) not in path.read_text("utf-8")


# A second run


def test_nothing_to_do(done: tuple[Path, Path]) -> None:
    photos, output = done
    os.utime(output / "summary.json", ns=(10**18, 10**18))
    before, was = tree(output), states(output)
    outcome = run(photos, output)
    assert (outcome.made, outcome.kept, outcome.failed, outcome.removed) == (0, 18, 0, 0)
    assert tree(output) == before
    now = states(output)
    assert now["summary.json"][1] > 10**18
    assert {n: s for n, s in now.items() if n != "summary.json"} == {
        n: s for n, s in was.items() if n != "summary.json"
    }
    assert reasons(photos, output) == []


def new_content(photos: Path, output: Path) -> None:
    (photos / "cat" / "2.jpg").write_bytes(encoded(70))


def another_source(photos: Path, output: Path) -> None:
    (photos / "cat" / "1.jpg").write_bytes(encoded(71))


def another_class(photos: Path, output: Path) -> None:
    (photos / "ape").mkdir()
    (photos / "ape" / "0.jpg").write_bytes(encoded(72))


def a_source_less(photos: Path, output: Path) -> None:
    (photos / "cat" / "2.jpg").unlink()


def a_class_less(photos: Path, output: Path) -> None:
    shutil.rmtree(photos / "dog")


def moved(photos: Path, output: Path) -> None:
    (photos / "cat" / "2.jpg").rename(photos / "dog" / "2.jpg")


def renamed(photos: Path, output: Path) -> None:
    (photos / "cat" / "2.jpg").rename(photos / "cat" / "9.jpg")


def swapped(photos: Path, output: Path) -> None:
    one, other = photos / "cat" / "0.jpg", photos / "cat" / "2.jpg"
    data = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(data)


def an_image_lost(photos: Path, output: Path) -> None:
    (output / "cat" / "2_aug01.jpg").unlink()


def an_original_lost(photos: Path, output: Path) -> None:
    (output / "cat" / "2.jpg").unlink()


def a_folder_lost(photos: Path, output: Path) -> None:
    shutil.rmtree(output / "cat")


def nothing_left_but_the_manifest(photos: Path, output: Path) -> None:
    for name in ("cat", "dog", ".augx"):
        shutil.rmtree(output / name)


def manifest_lost(photos: Path, output: Path) -> None:
    (output / "manifest.jsonl").unlink()


def manifest_cut(photos: Path, output: Path) -> None:
    data = (output / "manifest.jsonl").read_bytes()
    (output / "manifest.jsonl").write_bytes(data[: len(data) // 2])


def summary_lost(photos: Path, output: Path) -> None:
    (output / "summary.json").unlink()


def failures_lost(photos: Path, output: Path) -> None:
    (output / "failures.jsonl").unlink()


def a_broken_source(photos: Path, output: Path) -> None:
    (photos / "cat" / "2.jpg").write_bytes(b"\xff\xd8\xffnothing")


CHANGES: list[tuple[Callable[[Path, Path], None], int, int, str]] = [  # what changes, images made, removed, why
    (new_content, 3, 0, "1 sources have changed"),
    (another_source, 3, 0, "1 sources are new"),
    (another_class, 3, 0, "1 sources are new"),
    (a_source_less, 0, 3, "1 sources are gone"),
    (a_class_less, 0, 9, "3 sources are gone"),
    (moved, 3, 3, "1 sources are new"),
    (renamed, 3, 3, "1 sources are gone"),
    (swapped, 6, 0, "2 sources have changed"),
    (an_image_lost, 1, 0, "1 images are missing from the output"),
    (an_original_lost, 1, 0, "1 images are missing from the output"),
    (a_folder_lost, 9, 0, "9 images are missing from the output"),
    (nothing_left_but_the_manifest, 18, 0, "18 images are missing from the output"),
    (summary_lost, 0, 0, "the last run did not end"),
    (failures_lost, 0, 0, "its manifest or label files are not what run would write"),
    (a_broken_source, 0, 3, "1 sources have changed"),
]


@pytest.mark.parametrize(("change", "made", "removed", "reason"), CHANGES, ids=[c[0].__name__ for c in CHANGES])
def test_a_change(
    done: tuple[Path, Path], change: Callable[[Path, Path], None], made: int, removed: int, reason: str
) -> None:
    """Made again is what the change touches, and the folder comes to be what a first run makes."""
    photos, output = done
    change(photos, output)
    was = states(output)
    assert reason in reasons(photos, output)
    outcome = run(photos, output)
    assert (outcome.made, outcome.removed) == (made, removed)
    assert tree(output) == tree(fresh(photos, output))
    assert reasons(photos, output) == []
    kept = {name for name, state in states(output).items() if was.get(name) == state and name.endswith(".jpg")}
    assert len(kept) == outcome.kept == outcome.summary["counts"]["images"] - made
    assert run(photos, output).made == 0


@pytest.mark.parametrize("change", [manifest_lost, manifest_cut])
def test_a_lost_manifest_is_written_again(done: tuple[Path, Path], change: Callable[[Path, Path], None]) -> None:
    """Without it augx cannot know its own images, and does not write over what it does not know."""
    photos, output = done
    change(photos, output)
    try:
        run(photos, output)
    except OutputError as error:
        assert "did not write" in error.message
        assert error.hint
    else:
        assert tree(output) == tree(fresh(photos, output))


@pytest.mark.parametrize(
    ("before", "after", "made", "removed"),
    [
        ({}, {"copies": 4}, 12, 0),
        ({}, {"copies": 1}, 0, 6),
        ({}, {"originals": False}, 0, 6),
        ({"originals": False}, {}, 6, 0),
        ({}, {"seed": 5}, 18, 0),
        ({}, {"transforms": "[Transpose]"}, 18, 0),
        ({"copies": 3, "originals": False}, {"copies": 1}, 6, 12),
    ],
)
def test_another_recipe(
    photos: Path, tmp_path: Path, before: dict[str, Any], after: dict[str, Any], made: int, removed: int
) -> None:
    run(photos, tmp_path / "out", a_recipe(**before))
    was = states(tmp_path / "out")
    assert reasons(photos, tmp_path / "out", a_recipe(**after))
    outcome = run(photos, tmp_path / "out", a_recipe(**after))
    assert (outcome.made, outcome.removed) == (made, removed)
    now = states(tmp_path / "out")
    kept = {name for name in now if name.endswith(".jpg") and was.get(name) == now[name]}
    assert len(kept) == outcome.kept == outcome.summary["counts"]["images"] - made
    assert tree(tmp_path / "out") == tree(fresh(photos, tmp_path / "x", a_recipe(**after)))
    run(photos, tmp_path / "out", a_recipe(**before))
    assert tree(tmp_path / "out") == tree(fresh(photos, tmp_path / "x", a_recipe(**before)))


def test_other_dates_make_nothing(done: tuple[Path, Path]) -> None:
    """The content decides; the images take the new dates, so that the run after need not read."""
    photos, output = done
    before = tree(output)
    for path in photos.rglob("*.jpg"):
        os.utime(path, ns=(10**18, 10**18))
    assert reasons(photos, output) == []
    outcome = run(photos, output)
    assert (outcome.made, outcome.kept) == (0, 18)
    assert tree(output) == before
    assert {path.stat().st_mtime_ns for path in output.rglob("*.jpg")} == {10**18}


def test_unchanged_sources_are_not_read(done: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    from augx import survey

    read: list[str] = []
    real = survey.hashes

    def hashes(sources):
        sources = list(sources)
        read.extend(os.path.basename(source.path) for source in sources)
        return real(sources)

    monkeypatch.setattr(survey, "hashes", hashes)
    run(*done)
    assert read == []
    os.utime(done[0] / "cat" / "4.jpg", ns=(10**18, 10**18))
    run(*done)
    assert read == ["4.jpg"]
    run(*done)
    assert read == ["4.jpg"]


def test_swapped_sources_of_one_size_and_date_are_noticed(photos: Path, tmp_path: Path) -> None:
    one, two = photos / "cat" / "0.jpg", photos / "cat" / "2.jpg"
    data = one.read_bytes()
    two.write_bytes(data[:-40] + bytes(20) + data[-20:])
    for path in (one, two):
        os.utime(path, ns=(10**18, 10**18))
    run(photos, tmp_path / "out")
    one.rename(photos / "cat" / "x")
    two.rename(one)
    (photos / "cat" / "x").rename(two)
    run(photos, tmp_path / "out")
    assert tree(tmp_path / "out") == tree(fresh(photos, tmp_path / "out"))


@pytest.mark.parametrize("after", [{}, {"seed": 2}, {"copies": 3}])
def test_the_own_folder_may_be_deleted(done: tuple[Path, Path], after: dict[str, Any]) -> None:
    photos, output = done
    shutil.rmtree(output / ".augx")
    was = states(output)
    outcome = run(photos, output, a_recipe(**after))
    assert outcome.made == {"seed": 18, "copies": 6}.get(*after, 0) if after else outcome.made == 0
    expected = tree(fresh(photos, output, a_recipe(**after)))
    found = tree(output)
    if not after:
        assert {n: s for n, s in states(output).items() if n.endswith(".jpg")} == {
            n: s for n, s in was.items() if n.endswith(".jpg")
        }
    assert found == expected


# OUTPUT that is not ours


@pytest.mark.parametrize("where", ["photos", "photos/out", "photos/cat", ".", "photos/../photos", "link"])
def test_output_and_input_in_each_other(photos: Path, where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (photos.parent / "link").symlink_to(photos)
    monkeypatch.chdir(photos.parent)
    before = tree(photos.parent)
    with pytest.raises(OutputError) as caught:
        run(Path("photos"), Path(where))
    assert "OUTPUT" in caught.value.message
    assert caught.value.hint
    assert tree(photos.parent) == before
    assert not (photos / "out").exists()


def test_a_foreign_folder_is_left_alone(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "out" / "cat").mkdir(parents=True)
    (tmp_path / "out" / "cat" / "mine.jpg").write_bytes(b"mine")
    with pytest.raises(OutputError, match="did not write"):
        run(photos, tmp_path / "out")
    assert list(tree(tmp_path / "out")) == ["cat/mine.jpg"]
    assert not (tmp_path / "out" / ".augx").exists()


def test_a_file_is_no_folder(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    with pytest.raises(OutputError, match="OUTPUT"):
        run(photos, tmp_path / "out")
    assert (tmp_path / "out").read_text() == "mine"


def test_an_empty_folder_is_taken(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    assert run(photos, tmp_path / "out").made == 18


def test_a_file_of_the_users_survives_everything(done: tuple[Path, Path]) -> None:
    photos, output = done
    for name in ("notes.txt", "cat/notes.txt", "dog/mine.jpg", "cat/2_aug09.jpg"):
        (output / name).write_bytes(b"mine")
    run(photos, output, a_recipe(seed=3))
    run(photos, output, a_recipe(copies=1, originals=False))
    shutil.rmtree(photos / "dog")
    (photos / "cat" / "2.jpg").unlink()
    run(photos, output, a_recipe(copies=1))
    for name in ("notes.txt", "cat/notes.txt", "dog/mine.jpg", "cat/2_aug09.jpg"):
        assert (output / name).read_bytes() == b"mine"
    images, findings = verify.verify(str(output), 1)
    assert (images, findings) == (4, [
        f"{name}: it is in no row of the manifest"
        for name in ("cat/2_aug09.jpg", "cat/notes.txt", "dog/mine.jpg", "notes.txt")
    ])  # fmt: skip


def test_an_image_the_user_has_changed_is_not_deleted(done: tuple[Path, Path]) -> None:
    photos, output = done
    (output / "cat" / "2_aug02.jpg").write_bytes(b"mine now")
    (photos / "cat" / "2.jpg").unlink()
    assert run(photos, output).removed == 2
    assert (output / "cat" / "2_aug02.jpg").read_bytes() == b"mine now"


def test_a_file_of_the_users_is_not_written_over(done: tuple[Path, Path]) -> None:
    photos, output = done
    (output / "cat" / "2_aug03.jpg").write_bytes(b"mine")
    before = tree(output)
    with pytest.raises(OutputError, match=r"1 files .*: cat/2_aug03.jpg"):
        run(photos, output, a_recipe(copies=3))
    assert tree(output) == before
    (output / "cat" / "2_aug03.jpg").unlink()
    assert run(photos, output, a_recipe(copies=3)).made == 6


def test_a_label_file_of_the_users_is_not_written_over(done: tuple[Path, Path]) -> None:
    photos, output = done
    (output / "labels.csv").write_text("mine")
    with pytest.raises(OutputError, match=r"labels\.csv"):
        run(photos, output, to_formats=("folder", "table"))
    assert (output / "labels.csv").read_text() == "mine"
    assert [row["file_name"] for row in rows(output)] and run(photos, output).made == 0


def test_a_folder_of_the_users_in_the_way(done: tuple[Path, Path]) -> None:
    """Where an image has to go there is a folder: refused or stopped, but by name, and the folder stays."""
    photos, output = done
    (output / "cat" / "2_aug03.jpg").mkdir()
    with pytest.raises(Exception, match=r"2_aug03\.jpg") as caught:
        run(photos, output, a_recipe(copies=3))
    assert getattr(caught.value, "exit_code", None) in (2, 3)
    (output / "cat" / "2_aug03.jpg").rmdir()
    run(photos, output, a_recipe(copies=3))
    assert tree(output) == tree(fresh(photos, output, a_recipe(copies=3)))


# Two at once


def test_a_second_run_says_who_has_the_first(done: tuple[Path, Path]) -> None:
    photos, output = done
    command = [sys.executable, "-m", "augx", "run", str(photos), str(output), "-n2"]
    with locked(str(output)):
        before = tree(output)
        other = subprocess.run(command, capture_output=True, text=True)
        assert tree(output) == before
    assert other.returncode == 2
    assert f"process {os.getpid()} on" in other.stderr
    assert "wait for it to end" in other.stderr
    assert run(photos, output).made == 0


# Failures


@pytest.fixture
def with_broken(photos: Path) -> Path:
    (photos / "cat" / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 this is no picture")
    return photos


def test_a_broken_image_fails_and_the_others_are_made(with_broken: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    outcome = run(with_broken, output)
    assert (outcome.made, outcome.failed) == (18, 3)
    assert [(f["source"], f["copy"], f["stage"]) for f in failures(output)] == [
        ("cat/broken.jpg", copy, "decode") for copy in range(3)
    ]
    assert all(set(f) == {"source", "copy", "stage", "error", "message"} and f["message"] for f in failures(output))
    told = summary(output)
    assert told["counts"] == {"sources": 7, "images": 18, "originals": 6, "copies": 12, "failed": 3, "equal": 0}
    assert told["classes"]["cat"] == {"before": 4, "after": 9}
    assert sum(told["failures"].values()) == 3
    assert verify.verify(str(output), 1) == (18, [])


def test_it_fails_once(with_broken: Path, tmp_path: Path) -> None:
    """What cannot be made is not tried again, and is told again."""
    output = tmp_path / "out"
    run(with_broken, output)
    before, was = tree(output), states(output)
    outcome = run(with_broken, output)
    assert (outcome.made, outcome.kept, outcome.failed) == (0, 18, 3)
    assert tree(output) == before
    assert {n: s for n, s in states(output).items() if n != "summary.json"} == {
        n: s for n, s in was.items() if n != "summary.json"
    }
    run(with_broken, output, a_recipe(copies=4))
    assert [row["copy"] for row in failures(output)] == [0, 1, 2, 3, 4]
    assert tree(output) == tree(fresh(with_broken, output, a_recipe(copies=4)))
    run(with_broken, output, a_recipe(copies=1))
    assert tree(output) == tree(fresh(with_broken, output, a_recipe(copies=1)))


def test_a_mended_image_is_made(with_broken: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    run(with_broken, output)
    (with_broken / "cat" / "broken.jpg").write_bytes(encoded(33))
    assert run(with_broken, output).made == 3
    assert failures(output) == []
    assert tree(output) == tree(fresh(with_broken, output))


def test_without_its_folder_failures_are_tried_again(with_broken: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    run(with_broken, output)
    before = tree(output)
    shutil.rmtree(output / ".augx")
    outcome = run(with_broken, output)
    assert (outcome.made, outcome.kept, outcome.failed) == (0, 18, 3)
    assert tree(output) == before


def test_nothing_but_broken_images(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.jpg").write_bytes(b"")
    outcome = run(tmp_path / "photos", tmp_path / "out")
    assert (outcome.made, outcome.failed) == (0, 3)
    assert rows(tmp_path / "out") == []
    assert run(tmp_path / "photos", tmp_path / "out").failed == 3
    assert verify.verify(str(tmp_path / "out"), 1) == (0, [])


@pytest.mark.parametrize("limit", ["2", "0", "9%", "14.2%"])
def test_too_many_failures(with_broken: Path, tmp_path: Path, limit: str) -> None:
    """3 of 21 fail. The gate stays shut for the same command, and a higher limit goes on."""
    for _ in range(2):
        with pytest.raises(GateError, match=f"--max-errors {limit}"):
            run(with_broken, tmp_path / "out", max_errors=limit)
        assert not (tmp_path / "out" / "summary.json").exists()
    run(with_broken, tmp_path / "out", max_errors="3")
    assert tree(tmp_path / "out") == tree(fresh(with_broken, tmp_path / "x"))


@pytest.mark.parametrize("limit", ["3", "15%", "14.3%", "100%", None])
def test_not_too_many_failures(with_broken: Path, tmp_path: Path, limit: str | None) -> None:
    assert run(with_broken, tmp_path / "out", max_errors=limit).failed == 3


# Splits, originals, formats


@pytest.fixture
def split(tmp_path: Path) -> Path:
    for number, name in enumerate(["train/cat/a", "train/dog/b", "val/cat/c", "test/dog/d"]):
        path = tmp_path / "split" / f"{name}.jpg"
        path.parent.mkdir(parents=True)
        path.write_bytes(encoded(number))
    return tmp_path / "split"


@pytest.mark.parametrize("originals", [True, False])
def test_other_splits_are_carried_over(split: Path, tmp_path: Path, originals: bool) -> None:
    run(split, tmp_path / "out", a_recipe(originals=originals))
    copies = {source: [r["copy"] for r in rows(tmp_path / "out") if r["source"] == source] for source in
              ("train/cat/a.jpg", "train/dog/b.jpg", "val/cat/c.jpg", "test/dog/d.jpg")}  # fmt: skip
    made = [0, 1, 2] if originals else [1, 2]
    assert list(copies.values()) == [made, made, [0], [0]]
    assert {r["split"] for r in rows(tmp_path / "out")} == {"train", "val", "test"}
    assert summary(tmp_path / "out")["splits"] == {
        "test": {"before": 1, "after": 1},
        "train": {"before": 2, "after": 2 * len(made)},
        "val": {"before": 1, "after": 1},
    }
    assert (tmp_path / "out" / "val" / "cat" / "c.jpg").read_bytes() == (split / "val/cat/c.jpg").read_bytes()


def test_other_splits_can_be_multiplied(split: Path, tmp_path: Path) -> None:
    run(split, tmp_path / "out", a_recipe(splits=["val", "test"]))
    after = {name: count["after"] for name, count in summary(tmp_path / "out")["splits"].items()}
    assert after == {"test": 3, "train": 2, "val": 3}


def test_no_such_split(split: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="only test, train, val"):
        run(split, tmp_path / "out", a_recipe(splits=["holdout"]))
    assert not (tmp_path / "out").exists()


def test_without_originals(photos: Path, tmp_path: Path) -> None:
    run(photos, tmp_path / "out", a_recipe(originals=False))
    assert {row["copy"] for row in rows(tmp_path / "out")} == {1, 2}
    assert summary(tmp_path / "out")["counts"]["originals"] == 0
    assert not (tmp_path / "out" / "cat" / "0.jpg").exists()
    assert run(photos, tmp_path / "out", a_recipe(originals=False)).made == 0


def test_a_turned_photo_is_written_upright(tmp_path: Path) -> None:
    """EXIF orientation 6: the camera was held upright, so 24x18 pixels are shown as 18x24."""
    (tmp_path / "photos").mkdir()
    image = picture(1)
    exif = image.getexif()
    exif[0x0112] = 6
    image.save(tmp_path / "photos" / "turned.png", exif=exif)
    run(tmp_path / "photos", tmp_path / "out")
    original = rows(tmp_path / "out")[0]
    assert (original["file_name"], original["width"], original["height"]) == ("turned.png", 18, 24)
    with Image.open(tmp_path / "out" / "turned.png") as written:
        assert written.getexif().get(0x0112, 1) == 1
        assert written.convert("RGB").tobytes() == image.transpose(Image.Transpose.ROTATE_270).tobytes()
    assert verify.verify(str(tmp_path / "out"), 1) == (3, [])


@pytest.mark.parametrize(("image_format", "ending", "is_a"), [("png", ".png", "PNG"), ("webp", ".webp", "WEBP")])
def test_another_image_format(photos: Path, tmp_path: Path, image_format: str, ending: str, is_a: str) -> None:
    recipe = a_recipe(output={"image": {"format": image_format}})
    run(photos, tmp_path / "out", recipe)
    for row in rows(tmp_path / "out"):
        assert row["file_name"].endswith(ending)
        with Image.open(tmp_path / "out" / row["file_name"]) as image:
            assert image.format == is_a
    run(photos, tmp_path / "out")
    assert tree(tmp_path / "out") == tree(fresh(photos, tmp_path / "x"))


def test_two_sources_for_one_name(tmp_path: Path) -> None:
    """a.jpg and a.png, both written as PNG: both are there, and know their source."""
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.jpg").write_bytes(encoded(1, ".jpg"))
    (tmp_path / "photos" / "a.png").write_bytes(encoded(2, ".png"))
    (tmp_path / "photos" / "a_aug01.png").write_bytes(encoded(3, ".png"))
    run(tmp_path / "photos", tmp_path / "out", a_recipe(output={"image": {"format": "png"}}))
    assert len({row["file_name"].casefold() for row in rows(tmp_path / "out")}) == 9
    assert verify.verify(str(tmp_path / "out"), 1) == (9, [])


def csv(path: Path) -> list[list[str]]:
    import csv

    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def test_a_table_of_folders(photos: Path, tmp_path: Path) -> None:
    run(photos, tmp_path / "out", to_formats=("table",))
    lines = csv(tmp_path / "out" / "labels.csv")
    assert lines[0] == ["file_name", "label"]
    assert lines[1:] == [[row["file_name"], row["label"]] for row in rows(tmp_path / "out")]
    assert summary(tmp_path / "out")["formats"] == {"read": "folder", "written": ["table"]}
    assert list(summary(tmp_path / "out")["files"]) == ["labels.csv"]
    assert verify.verify(str(tmp_path / "out"), 1) == (18, [])


def test_folders_of_a_table(tmp_path: Path) -> None:
    (tmp_path / "flat").mkdir()
    for name in "abc":
        (tmp_path / "flat" / f"{name}.jpg").write_bytes(encoded(ord(name)))
    (tmp_path / "flat" / "labels.csv").write_text("file_name,label,age\na.jpg,cat,3\nb.jpg,dog,4\nc.jpg,cat,5\n")
    with pytest.raises(InputError, match=r"folder cannot hold the columns age \(3 images"):
        run(tmp_path / "flat", tmp_path / "out", to_formats=("folder",))
    run(tmp_path / "flat", tmp_path / "out", to_formats=("folder", "table"))
    made = {row["file_name"]: (row["label"], row["values"]) for row in rows(tmp_path / "out") if row["copy"] == 1}
    assert {name: label for name, (label, _) in made.items()} == {
        "cat/a_aug01.jpg": "cat", "cat/c_aug01.jpg": "cat", "dog/b_aug01.jpg": "dog"
    }  # fmt: skip
    assert [str(values["age"]) for _, values in made.values()] == ["3", "5", "4"] or [
        str(values["age"]) for _, values in made.values()
    ] == ["3", "4", "5"]
    assert (tmp_path / "out" / "labels.csv").exists()


def test_both_formats_at_once_and_back(photos: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    run(photos, output, to_formats=("folder", "table"))
    assert (output / "labels.csv").exists()
    assert run(photos, output, to_formats=("folder", "table")).made == 0
    was = states(output)
    outcome = run(photos, output)
    assert (outcome.made, outcome.removed) == (0, 0)
    assert not (output / "labels.csv").exists()
    assert {n: s for n, s in states(output).items() if n.endswith("jpg")} == {
        n: s for n, s in was.items() if n.endswith("jpg")
    }
    assert tree(output) == tree(fresh(photos, tmp_path / "x"))


def test_a_changed_label_is_written_again(tmp_path: Path) -> None:
    table = tmp_path / "flat" / "labels.csv"
    table.parent.mkdir()
    for name in "abc":
        (table.parent / f"{name}.jpg").write_bytes(encoded(ord(name)))
    table.write_text("file_name,label\na.jpg,cat\nb.jpg,dog\nc.jpg,cat\n")
    run(table.parent, tmp_path / "out")
    table.write_text("file_name,label\na.jpg,cat\nb.jpg,cow\nc.jpg,cat\n")
    assert run(table.parent, tmp_path / "out").made == 3
    assert {(r["source"], r["label"]) for r in rows(tmp_path / "out")} == {
        ("a.jpg", "cat"), ("b.jpg", "cow"), ("c.jpg", "cat")
    }  # fmt: skip
    assert tree(tmp_path / "out") == tree(fresh(table.parent, tmp_path / "x"))


def test_a_listed_image_that_is_not_there_is_a_failure(tmp_path: Path) -> None:
    table = tmp_path / "flat" / "labels.csv"
    table.parent.mkdir()
    (table.parent / "a.jpg").write_bytes(encoded(1))
    table.write_text("file_name,label\na.jpg,cat\ngone.jpg,dog\n")
    outcome = run(table.parent, tmp_path / "out")
    assert (outcome.made, outcome.failed) == (3, 3)
    assert {(f["source"], f["stage"]) for f in failures(tmp_path / "out")} == {("gone.jpg", "read")}
    assert run(table.parent, tmp_path / "out").failed == 3
    (table.parent / "gone.jpg").write_bytes(encoded(2))
    assert run(table.parent, tmp_path / "out").failed == 0
    assert tree(tmp_path / "out") == tree(fresh(table.parent, tmp_path / "x"))


# Strict


def test_strict_refuses_warnings(photos: Path, tmp_path: Path) -> None:
    (photos / "stray.jpg").write_bytes(encoded(9))  # in no class folder
    with pytest.raises(Refused, match=r"--strict: 1 warnings: stray\.jpg"):
        run(photos, tmp_path / "out", strict=True)
    assert not (tmp_path / "out").exists()
    assert run(photos, tmp_path / "out").made == 21
    assert summary(tmp_path / "out")["warnings"] == {"no-class": 1}


def test_strict_lets_pass_what_is_well(photos: Path, tmp_path: Path) -> None:
    assert run(photos, tmp_path / "out", strict=True).made == 18


def test_a_wrong_argument_is_refused_before_output_is_there(photos: Path, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="Affine"):
        run(photos, tmp_path / "out", a_recipe("[{Affine: {rotate: [1, 2, 3, 4]}}]"))
    assert not (tmp_path / "out").exists()


def test_a_picture_nobody_may_read_is_a_failure(photos: Path, tmp_path: Path) -> None:
    """A link that points to nothing, and one that leads out of INPUT, never stop a run."""
    (photos / "cat" / "link.jpg").symlink_to(tmp_path / "nowhere.jpg")
    outcome = run(photos, tmp_path / "out")
    assert outcome.made == 18
    assert outcome.failed == 3 or summary(tmp_path / "out")["warnings"]
