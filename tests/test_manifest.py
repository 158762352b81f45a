"""The end of a run, where what it needs is not as it was when the run began."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import encoded, failures, index, rows, tree
from running import a_recipe, fresh, run

from augx import __version__, journal, manifest, versions
from augx import engine as runner
from augx import plan as planning
from augx.engine import Request
from augx.errors import Stopped
from augx.journal import Entry, Part
from augx.model import Annotations, Dataset, Flaw, Sample
from augx.plan import Plan
from augx.store import Folder


def finish(photos: Path, output: Path, **keys: Any) -> None:
    plan, targets = runner.read(Request(str(photos), str(output), a_recipe(**keys)))
    manifest.finish(plan, Folder(str(output)), targets)


def one_more_copy(photos: Path) -> dict[str, Any]:
    return {"copies": 3}


def one_more_source(photos: Path) -> dict[str, Any]:
    (photos / "cat" / "7.jpg").write_bytes(encoded(7))
    return {}


@pytest.mark.parametrize(("change", "said"), [(one_more_copy, "6 sources"), (one_more_source, "1 sources")])
def test_what_was_not_made(photos: Path, tmp_path: Path, change: Callable[[Path], dict[str, Any]], said: str) -> None:
    """It is not written as if it were; the next run makes it."""
    output = tmp_path / "out"
    run(photos, output)
    before = tree(output)
    with pytest.raises(Stopped, match=f"^{said} were changed while the run went on: .*cat/[07].jpg") as caught:
        finish(photos, output, **change(photos))
    assert caught.value.hint == "run it again"
    assert tree(output) == before


MIXES = "[{mixup: {p: 1}}]"


def finish_mixed(photos: Path, output: Path, **keys: Any) -> None:
    asked = Request(str(photos), str(output), a_recipe(MIXES, **keys), to_formats=("table",))
    plan, targets = runner.read(asked)
    manifest.finish(plan, Folder(str(output)), targets)


def test_what_was_made_with_others(photos: Path, tmp_path: Path) -> None:
    """The end of a run holds it against what was read then, not against what lies there now."""
    output = tmp_path / "out"
    run(photos, output, a_recipe(MIXES), to_formats=("table",))
    before = tree(output)
    (photos / "cat" / "0.jpg").write_bytes(encoded(70))
    finish_mixed(photos, output)
    assert tree(output) == before
    with pytest.raises(Stopped, match=r"^6 sources were changed while the run went on: .*cat/0\.jpg$"):
        finish_mixed(photos, output, seed=1)
    one_more_source(photos)  # a partner of all others
    with pytest.raises(Stopped, match=r"^7 sources were changed while the run went on: .*cat/0\.jpg$"):
        finish_mixed(photos, output)
    assert tree(output) == before


def test_a_finished_run_ends_as_often_as_one_likes(photos: Path, tmp_path: Path) -> None:
    run(photos, tmp_path / "out")
    before = tree(tmp_path / "out")
    finish(photos, tmp_path / "out")
    assert tree(tmp_path / "out") == before


def test_a_partner_that_cannot_be_read(photos: Path, tmp_path: Path) -> None:
    """What has no content is no reason to begin again."""
    (photos / "cat" / "huge.jpg").write_bytes(encoded(3) + bytes(100_000))
    recipe = a_recipe("[{mixup: {p: 1}}]", limits={"bytes": 50_000})
    outcome = run(photos, tmp_path / "out", recipe, to_formats=("table",))
    assert {(row["source"], row["error"]) for row in failures(tmp_path / "out")} >= {("cat/huge.jpg", "too-many-bytes")}
    before = tree(tmp_path / "out")
    again = run(photos, tmp_path / "out", recipe, to_formats=("table",))
    assert (again.made, again.failed) == (0, outcome.failed)
    assert tree(tmp_path / "out") == before


def test_a_manifest_that_goes_while_label_files_are_written(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / "out"

    def lose(*given: object) -> None:
        (output / "manifest.jsonl").unlink()

    with monkeypatch.context() as patched:
        patched.setattr(manifest, "lost_by", lambda *given: lose() or {"table": frozenset()})
        with pytest.raises(Stopped, match=r"cannot read .*manifest.jsonl: No such file"):
            run(photos, output, to_formats=("table",))
    run(photos, output, to_formats=("table",))
    run(photos, tmp_path / "fresh", to_formats=("table",))
    assert tree(output) == tree(tmp_path / "fresh")
    shutil.rmtree(output / ".augx")
    run(photos, output, to_formats=("table",))
    assert tree(output) == tree(tmp_path / "fresh")


# What is taken away


def test_images_that_are_no_longer_wanted(photos: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    run(photos, output, a_recipe(copies=3))
    (output / "dog" / "3_aug03.jpg").write_bytes(b"mine now")
    (output / "dog" / "5_aug03.jpg").unlink()
    (output / "dog" / "5_aug03.jpg").symlink_to("5.jpg")
    (photos / "cat" / "0.jpg").unlink()
    outcome = run(photos, output, a_recipe(copies=2))
    assert (outcome.removed, outcome.made) == (3 + 4, 0)
    for name in ("3_aug03.jpg", "5_aug03.jpg"):
        (output / "dog" / name).unlink()
    assert tree(output) == tree(fresh(photos, output, a_recipe(copies=2)))


def test_what_an_unfinished_run_has_left(photos: Path, tmp_path: Path) -> None:
    """Whatever it may have written and the plan does not want goes, whole or not; what is wanted stays."""
    output = tmp_path / "out"
    run(photos, output)
    before = tree(output)
    names = ["cat/0_aug07.jpg", "cat/0.jpg", "ape/1.jpg", "ape/2.jpg"]
    journal.begin(Folder(str(output)), names, 1)
    for name in ("cat/0_aug07.jpg", "ape/1.jpg"):
        (output / name).parent.mkdir(exist_ok=True)
        (output / name).write_bytes(b"torn")
    (output / "ape" / "2.jpg").symlink_to("1.jpg")
    plan, targets = runner.read(Request(str(photos), str(output), a_recipe()))
    _, removed = manifest.finish(plan, Folder(str(output)), targets)
    assert removed == 2
    (output / "ape" / "2.jpg").unlink()
    assert tree(output) == before


def test_names_that_are_no_longer_used(photos: Path, tmp_path: Path) -> None:
    """Of a source that is there still, and of one that has its own names no more."""
    output = tmp_path / "out"
    run(photos, output)
    assert run(photos, output, a_recipe(output={"image": {"format": "png"}})).removed == 18
    assert tree(output) == tree(fresh(photos, output, a_recipe(output={"image": {"format": "png"}})))
    assert run(photos, output).removed == 18
    assert tree(output) == tree(fresh(photos, output))


def test_label_files_that_are_no_longer_wanted(photos: Path, tmp_path: Path) -> None:
    """But for one that somebody has changed; it is not taken for an image either."""
    output = tmp_path / "out"
    run(photos, output, to_formats=("folder", "table"))
    assert "labels.csv" in tree(output)
    assert run(photos, output).removed == 0
    assert tree(output) == tree(fresh(photos, output))
    run(photos, output, to_formats=("folder", "table"))
    (output / "labels.csv").write_bytes(b"mine now")
    run(photos, output)
    assert (output / "labels.csv").read_bytes() == b"mine now"


def test_a_label_file_that_is_called_like_an_old_image_stays(photos: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    run(photos, output)
    plan, _ = runner.read(Request(str(photos), str(output), a_recipe(copies=1)))
    state = journal.load(Folder(str(output)))
    assert manifest._remove_stale(plan, state, Folder(str(output)), ["cat/0_aug02.jpg"]) == 5
    assert (output / "cat" / "0_aug02.jpg").exists()
    assert not (output / "cat" / "2_aug02.jpg").exists()


def test_nothing_goes_away_before_the_disk_knows(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The order of a run's end: images, then the manifest, then what only an unfinished run needs, then the summary."""
    output = tmp_path / "out"
    run(photos, output, to_formats=("folder", "table"))
    index_before = index(output).name
    asked: list[str] = []

    def noted(call: str) -> None:
        real = getattr(Folder, call)

        def asking(self: Folder, *given: Any, **named: Any) -> Any:
            if call != "stream":
                asked.append(f"{call} {given[0]}" if given else call)
            done = real(self, *given, **named)
            if call == "stream":
                asked.append(f"{call} {given[0]}")
            return done

        monkeypatch.setattr(Folder, call, asking)

    for call in ("sync", "stream", "write", "remove"):
        noted(call)
    assert run(photos, output, a_recipe(copies=1)).removed == 6
    first = min(n for n, said in enumerate(asked) if said.startswith("remove"))
    names = [f"remove {('cat', 'dog')[n % 2]}/{n}_aug02.jpg" for n in range(6)]
    assert sorted(asked[first : first + 6]) == sorted(names)
    assert asked[first + 6 :] == [
        "sync",
        f"stream .augx/{index(output).name}",
        "stream manifest.jsonl",
        "remove labels.csv",
        "stream failures.jsonl",
        "sync",
        f"remove .augx/{index_before}",
        "remove .augx/intent.jsonl",
        "write summary.json",
        "sync",
    ]


# What is written


def test_failures_are_of_what_is_wanted(tmp_path: Path) -> None:
    """By source and copy; what the dataset lists and has not comes last."""
    flat = tmp_path / "flat"
    flat.mkdir()
    (flat / "a.png").write_bytes(encoded(1, ".png"))
    (flat / "b.png").write_bytes(b"no picture")
    (flat / "labels.csv").write_text("file_name,label\na.png,cat\nb.png,cat\ngone.png,dog\n")
    run(flat, tmp_path / "out", a_recipe(copies=2))
    run(flat, tmp_path / "out", a_recipe(copies=1))
    found = failures(tmp_path / "out")
    assert [(row["source"], row["copy"], row["stage"], row["error"]) for row in found] == [
        ("b.png", 0, "decode", "not-an-image"),
        ("b.png", 1, "decode", "not-an-image"),
        ("gone.png", 0, "read", "missing-file"),
        ("gone.png", 1, "read", "missing-file"),
    ]
    assert [row.keys() for row in found] == [{"source", "copy", "stage", "error", "message"}] * 4
    assert found[2]["message"] == "labels.csv:4: there is no such image"
    assert tree(tmp_path / "out") == tree(fresh(flat, tmp_path / "out", a_recipe(copies=1)))


def made_of(plan: Plan, made: dict[str, tuple[int, ...]], **notes: tuple[str, ...]) -> dict[str, Entry]:
    """Entries of a plan's sources, by the copies that were made of them; the others failed."""
    entries: dict[str, Entry] = {}
    for job in plan.jobs:
        name = job.sample.id
        entry = Entry(name, job.stem, job.ending, f"key of {name}", "00", 1, [Part("x", 0, 0, made[name])])
        entry.notes = notes.get(job.stem, ())
        entry.failed = [
            {"source": name, "copy": copy, "stage": "decode", "error": "truncated", "message": "m"}
            for copy in {*range(9)}.difference(made[name])
        ]
        entries[name] = entry
    return entries


def test_the_summary_says_what_there_is() -> None:
    def sample(id: str, split: str, label: str) -> Sample:
        return Sample(id, Annotations({label: 1.0}), split)

    samples = (sample("a.jpg", "train", "cat"), sample("b.jpg", "train", "dog"), sample("c.jpg", "val", "cat"))
    dataset = Dataset(
        "root", "folder", samples,
        failed=(Flaw("missing-file", "d.jpg", "no file"),),
        warnings=(Flaw("no-row", "x.jpg", ""), Flaw("multi-frame", "y.jpg", ""), Flaw("no-row", "z.jpg", "")),
        ignored={".txt": 2, ".md": 1},
    )  # fmt: skip
    plan = planning.make(dataset, a_recipe(copies=2), ("folder", "table"), {"augx": "1"})
    plan = replace(plan, said={"classes": "c.txt"})
    entries = made_of(plan, {"a.jpg": (0, 1, 2, 3), "b.jpg": (1,), "c.jpg": ()}, a=("multi-frame",), b=("multi-frame",))
    told = manifest.summarise(plan, entries, {"sha256": "12"}, {"labels.csv": "34"}, 1)
    rows = [
        *(
            {"source": "b.jpg", "copy": copy, "stage": "decode", "error": "truncated", "message": "m"}
            for copy in (0, 2)
        ),
        {"source": "c.jpg", "copy": 0, "stage": "decode", "error": "truncated", "message": "m"},
        *(
            {"source": "d.jpg", "copy": copy, "stage": "read", "error": "missing-file", "message": "no file"}
            for copy in range(3)
        ),
    ]
    assert told == {
        "augx": __version__,
        "plan": planning.plan_hash(plan, lambda job: f"key of {job.sample.id}"),
        "counts": {"sources": 4, "images": 4, "originals": 1, "copies": 3, "failed": 6, "equal": 1},
        "multiplication": 1.5,
        "classes": {"cat": {"before": 2, "after": 3}, "dog": {"before": 1, "after": 1}},
        "splits": {"train": {"before": 2, "after": 4}, "val": {"before": 1, "after": 0}},
        "failures": {"missing-file": 3, "truncated": 3},
        "warnings": {"multi-frame": 3, "no-row": 2},
        "ignored": {".md": 1, ".txt": 2},
        "formats": {"read": "folder", "written": ["folder", "table"], "classes": "c.txt"},
        "recipe": plan.recipe.canonical(),
        "manifest": {"sha256": "12"},
        "failures_sha256": hashlib.sha256(b"".join(map(journal.dump, rows))).hexdigest(),
        "files": {"labels.csv": "34"},
        "versions": versions.everything(),
        "cpu": versions.cpu(),
    }
    for name in ("failures", "warnings", "ignored"):
        assert list(told[name]) == sorted(told[name])

    elsewhere = replace(plan, dataset=replace(dataset, format="", origin="coco"))
    assert manifest.summarise(elsewhere, entries, {}, {}, 0)["formats"]["read"] == "coco"
    nothing = made_of(plan, dict.fromkeys(entries, ()))
    assert manifest.summarise(plan, nothing, {}, {}, 0)["multiplication"] is None
    third = made_of(plan, {"a.jpg": (0, 1), "b.jpg": (0,), "c.jpg": (0,)})
    assert manifest.summarise(plan, third, {}, {}, 0)["multiplication"] == 1.333


def test_label_files_know_of_mixed_classes(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a format cannot hold is left out of what it is given, and is in the manifest all the same."""
    asked: list[bool] = []
    real = manifest.lost_by

    def lost_by(dataset: Dataset, targets: Any, mixes: bool) -> Any:
        asked.append(mixes)
        return real(dataset, targets, mixes) | {"table": frozenset({"class", "classes", "weights"})}

    monkeypatch.setattr(manifest, "lost_by", lost_by)
    for number, transforms in enumerate((MIXES, "[Transpose]")):
        output = tmp_path / str(number)
        run(photos, output, a_recipe(transforms), to_formats=("table",))
        _, *lines = (output / "labels.csv").read_text().splitlines()
        assert [line.split(",")[0] for line in lines] == [row["file_name"] for row in rows(output)]
        assert not any(name in line.replace(line.split(",")[0], "") for line in lines for name in ("cat", "dog"))
        assert all(row["labels"] for row in rows(output))
    assert asked == [True, False]


def test_images_that_came_out_alike_are_counted(tmp_path: Path) -> None:
    """Where nothing is done to it, a copy of a PNG is the PNG."""
    (tmp_path / "in" / "cat").mkdir(parents=True)
    for number in range(2):
        (tmp_path / "in" / "cat" / f"{number}.png").write_bytes(encoded(number, ".png"))
    outcome = run(tmp_path / "in", tmp_path / "out", a_recipe("[{Transpose: {p: 0}}]", copies=3))
    alike = [row["equals"] for row in rows(tmp_path / "out")]
    assert outcome.summary["counts"]["equal"] == len(alike) - alike.count(None) > 0
    data = (tmp_path / "out" / "manifest.jsonl").read_bytes()
    assert outcome.summary["manifest"] == {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}


def test_rows_as_often_as_one_likes(photos: Path, tmp_path: Path) -> None:
    run(photos, tmp_path / "out")
    folder = Folder(str(tmp_path / "out"))
    told = manifest.Rows(folder)
    assert list(told) == list(told) == rows(tmp_path / "out")
    assert {row["label"] for row in manifest.Rows(folder, frozenset({"class"}))} == {None}


def test_the_index_says_where_rows_are(photos: Path, tmp_path: Path) -> None:
    """And of which source, with what failed of it."""
    (photos / "dog" / "6.jpg").write_bytes(b"no picture")
    output = tmp_path / "out"
    run(photos, output, a_recipe(copies=1))
    data = (output / "manifest.jsonl").read_bytes()
    head, *entries, _ = map(json.loads, index(output).read_bytes().splitlines())
    assert head == {"manifest": hashlib.sha256(data).hexdigest(), "files": []}
    at = 0
    for entry in entries:
        own = data[at : at + entry["length"]]
        assert (entry["offset"], entry["rows"]) == (at, journal.rows_digest(own))
        assert [json.loads(line)["copy"] for line in own.splitlines()] == entry["copies"]
        assert {json.loads(line)["source"] for line in own.splitlines()} <= {entry["source"]}
        assert sorted([*entry["copies"], *(row["copy"] for row in entry["failed"])]) == [0, 1]
        at += len(own)
    assert (at, [entry["source"] for entry in entries if entry["failed"]]) == (len(data), ["dog/6.jpg"])
