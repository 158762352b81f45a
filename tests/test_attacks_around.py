"""Balance, splits, overrides, policies: what once broke a promise must not break it again. See test_attacks.py."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from conftest import encoded, picture, rows, tree
from label_sets import coco_set, masks, plant
from running import Silent, a_recipe, fresh, run

from augx import engine as runner
from augx import recipe as recipes
from augx.cli import call
from augx.engine import Request
from augx.errors import InputError, RecipeError
from augx.forecast import forecast
from augx.formats import ReadOptions, load
from augx.plan import Plan
from augx.recipe import CONVERSION, Recipe
from augx.replay import replay
from augx.ring import place_of

SPLIT = {"val": 0.25, "test": 0.25}
LONG_TAIL = {"bat": 1, "eel": 1, "wolf": 40}


def animals(root: Path, counts: Mapping[str, int]) -> Path:
    """So many PNGs in a folder for each class."""
    return plant(
        root, {f"{name}/{n:02d}.png": encoded(n, ".png") for name, count in counts.items() for n in range(count)}
    )


def planned(root: Path, recipe: Recipe) -> Plan:
    return runner.read(Request(str(root), "", recipe))[0]


def copies(out: Path) -> Counter[str]:
    """Class folder -> copies made of its images."""
    return Counter(row["source"].split("/")[0] for row in rows(out) if row["copy"])


def warnings(out: Path) -> dict[str, int]:
    found: dict[str, int] = json.loads((out / "summary.json").read_text())["warnings"]
    return found


def told(text: str) -> str:
    """What a recipe's errors say."""
    with pytest.raises(RecipeError) as caught:
        recipes.parse(text.encode(), "r.yaml", checked=False)
    return str(caught.value)


# balance


def test_a_forecast_counts_the_copies_that_balance_makes(tmp_path: Path) -> None:
    root, out = animals(tmp_path / "in", {"cat": 20}), tmp_path / "out"
    (root / "eel").mkdir()
    picture(1, width=240, height=180).resize((480, 360)).save(root / "eel" / "0.png")
    recipe = a_recipe("[{RandomBrightnessContrast: {p: 1}}]", balance={"cat": 20, "eel": 100})
    foretold = forecast(planned(root, recipe))
    run(root, out, recipe)
    written = sum(row["bytes"] for row in rows(out))
    assert foretold["images"] == len(rows(out)) == 120
    assert written / 2 < foretold["bytes"] < written * 2


def test_a_forecast_of_many_files_suggests_tars(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = animals(tmp_path / "in", {"cat": 3, "dog": 2})
    recipe = a_recipe("[HorizontalFlip]", copies=5000)
    told = forecast(planned(root, recipe))
    assert (told["files"], told["fullest_folder"]) == (5 * 5001, 3 * 5001)
    assert told["warnings"] == []
    monkeypatch.setattr("augx.forecast._FULL", 15_000)
    monkeypatch.setattr("augx.forecast._MANY", 25_000)
    monkeypatch.setattr("augx.forecast._CREATING", 1.0)
    full, small = forecast(planned(root, recipe))["warnings"]
    assert full.startswith("the folder cat will hold 15,003 files, and more than 15,000 are slow to list: `--to webda")
    assert small.startswith("25,005 small files take longer to create")
    packed, _ = runner.read(Request(str(root), "", recipe, to_formats=("webdataset",)))
    told = forecast(packed)
    assert told["warnings"] == [] and told["files"] == told["tars"] > 1


def test_a_shard_holds_no_more_work_than_usual_where_balance_makes_many_copies(tmp_path: Path) -> None:
    root, made = animals(tmp_path / "in", LONG_TAIL), list[int]()

    class Counting(Silent):
        def step(self, more: int, failed: int) -> None:
            made.append(more)

    recipe = a_recipe("[{HorizontalFlip: {p: 1}}]", balance="max")
    runner.run(Request(str(root), str(tmp_path / "out"), recipe, workers=0), Counting(), recipes.check_transforms)
    assert sum(made) == 360
    assert max(made) == 120  # of one source


def test_an_override_says_how_many_copies_before_balance(tmp_path: Path) -> None:
    root, out = animals(tmp_path / "in", {"cat": 8, "eel": 1, "owl": 2}), tmp_path / "out"
    overrides: list[dict[str, Any]] = [{"when": {"class": "eel"}, "copies": 0}, {"when": {"class": "owl"}, "copies": 5}]
    run(root, out, a_recipe(balance=12, overrides=overrides))
    assert copies(out) == {"cat": 4, "owl": 10}
    run(root, tmp_path / "named", a_recipe(balance={"cat": 12}, overrides=overrides[1:]))
    assert copies(tmp_path / "named") == {"cat": 4, "eel": 2, "owl": 10}


def test_balance_beside_a_mix_is_told(tmp_path: Path) -> None:
    root, out = animals(tmp_path / "in", {"cat": 4, "eel": 1}), tmp_path / "out"
    run(root, out, a_recipe("[{mixup: {p: 1}}]", balance="max"), to_formats=("table",))
    assert warnings(out) == {"balance-mixes": 1}


# overrides


def test_an_override_that_is_nothing(tmp_path: Path) -> None:
    assert told("version: 1\ntransforms: []\noverrides: [null]\n").startswith("r.yaml:3:13: an override must be")


def test_overrides_for_what_is_not_there_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = {f"{split}/cat/{n}.png": encoded(n, ".png") for split in ("train", "val") for n in range(2)}
    root, out = plant(tmp_path / "in", files), tmp_path / "out"
    recipe = "version: 1\ncopies: 1\ntransforms: [HorizontalFlip]\noverrides:\n" + "".join(
        f"- {{when: {{{when}}}, copies: 3}}\n" for when in ("class: caat", "split: nosplit", "split: val")
    )
    (tmp_path / "r.yaml").write_text(recipe)
    assert call(["validate", str(tmp_path / "r.yaml"), "--input", str(root)]) == 0
    said = capsys.readouterr().out
    assert "names the class 'caat' (overrides); did you mean 'cat'?" in said
    assert "for the split 'nosplit', which is not there" in said
    assert "for the split 'val', which is not multiplied" in said
    run(root, out, recipes.read(tmp_path / "r.yaml"))
    assert (warnings(out)["class-not-there"], warnings(out)["split-not-there"]) == (1, 2)


# split


@pytest.mark.parametrize("by", ["(?P<x>a){99999999999}", "(" * 6000 + ")" * 6000, "(["])
def test_no_regular_expression(tmp_path: Path, by: str) -> None:
    with pytest.raises(InputError, match="no column and no regular expression") as caught:
        planned(animals(tmp_path / "in", {"cat": 3}), a_recipe(split=SPLIT | {"by": by}))
    assert len(caught.value.message) < 500


def test_a_regular_expression_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("augx.splits._SECONDS", 0.2)
    root = plant(tmp_path / "in", {f"cat/{'a' * 40}{n}.png": encoded(n, ".png") for n in range(3)})
    with pytest.raises(InputError, match="takes more than"):
        run(root, tmp_path / "out", a_recipe(split=SPLIT | {"by": "^((.*)*)*X$"}))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "fmt", ["folder", "table", "masks", "coco", "yolo", "voc", "hf", "cvat", "labelme", "createml", "openimages"]
)
def test_splits_are_written_in_the_format_that_was_read(tmp_path: Path, fmt: str) -> None:
    root, out = tmp_path / "in", tmp_path / "out"
    if fmt == "folder":
        animals(root, {"cat": 8, "dog": 6})
    elif fmt == "table":
        names = [f"{n}.png" for n in range(12)]
        plant(root, {name: encoded(n, ".png") for n, name in enumerate(names)})
        plant(root, {"labels.csv": "file,label\n" + "".join(f"{name},{'ab'[n % 2]}\n" for n, name in enumerate(names))})
    elif fmt == "masks":
        plant(root, masks(12))
    else:
        plain = plant(tmp_path / "coco", coco_set(12))
        run(plain, root, CONVERSION, to_formats=(fmt,), untouched=True, allow_loss=True)
        for name in ("manifest.jsonl", "failures.jsonl", "summary.json"):
            (root / name).unlink()
    assert {sample.split for sample in load(fmt).read(str(root), ReadOptions()).samples} == {None}
    run(root, out, a_recipe(copies=1, split=SPLIT | {"stratify": True}), from_format=fmt)
    written = {row["file_name"]: row["split"] for row in rows(out)}
    assert {"train", "val", "test"} == set(written.values())
    back = load(fmt).read(str(out), ReadOptions())
    assert {sample.id: sample.split for sample in back.samples} == written
    assert not back.failed
    known = {sample.annotations.label for sample in back.samples if sample.annotations.labels}
    assert known == ({"cat", "dog"} if fmt == "folder" else {"a", "b"} if fmt == "table" else set())
    if fmt not in ("folder", "table", "masks"):
        assert all(sample.annotations.objects for sample in back.samples)


def test_a_look_alike_moves_no_group(tmp_path: Path) -> None:
    root = tmp_path / "in" / "cat"
    root.mkdir(parents=True)
    for n in range(8):
        picture(n, 60, 48).save(root / f"m{n}.png")
        picture(n, 60, 48).resize((90, 72)).save(root / f"z{n}.png")
    recipe = a_recipe(split={"val": 0.4, "test": 0.2, "by": "likeness"})
    before = {sample.id: sample.split for sample in planned(root.parent, recipe).dataset.samples}
    assert all(before[f"cat/m{n}.png"] == before[f"cat/z{n}.png"] for n in range(8))
    for n in range(8):  # first by name, but of no lower hash: one in three newcomers of a pair has one
        lowest = min(place_of(f"cat/m{n}.png"), place_of(f"cat/z{n}.png"))
        names = (f"a{n}_{k}.png" for k in range(99))
        name = next(name for name in names if place_of(f"cat/{name}") > lowest)
        picture(n, 60, 48).resize((72, 58)).save(root / name)
    after = {sample.id: sample.split for sample in planned(root.parent, recipe).dataset.samples}
    assert {id: after[id] for id in before} == before
    assert all(after[id] == before[f"cat/m{id[5]}.png"] for id in after.keys() - before.keys())


# policies


def test_a_policy_is_not_quoted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, text in {"lines": "root:x:0:0:secret\nmore\n", "list": "[secret]\n", "map": "secret: 1\n"}.items():
        (tmp_path / name).write_text(text)
        said = told(f"version: 1\ntransforms: [{{policy: {{file: {name}}}}}]\n")
        assert said.startswith("r.yaml:2:")
        assert f"'{name}' is no policy" in said
        assert "secret" not in said


def test_the_recipe_of_a_summary_is_a_recipe(tmp_path: Path) -> None:
    root, out = animals(tmp_path / "in", {"cat": 3}), tmp_path / "out"
    (tmp_path / "found.yaml").write_text(
        "version: 1\npolicies:\n- [{Posterize: {p: 0.4, m: 8}}, {Rotate: {p: 0.6, m: 9}}]\n"
    )
    (tmp_path / "r.yaml").write_text("version: 1\ncopies: 2\ntransforms: [policy: found.yaml]\n")
    recipe = recipes.read(tmp_path / "r.yaml")
    run(root, out, recipe)
    said = json.loads((out / "summary.json").read_text())["recipe"]
    again = recipes.parse(json.dumps(said).encode(), "summary.yaml")
    assert again == recipe
    assert tree(out) == tree(fresh(root, out, again))


# OUTPUT of an older augx


def test_rows_without_what_came_later_are_replayed(tmp_path: Path) -> None:
    root, out = animals(tmp_path / "in", {"cat": 2}), tmp_path / "out"
    run(root, out, a_recipe("[{Affine: {rotate: [-20, 20], p: 1}}]"))
    later = {"override", "redrawn", "equals"}
    older = [{key: value for key, value in row.items() if key not in later} for row in rows(out)]
    (out / "manifest.jsonl").write_text("".join(json.dumps(row) + "\n" for row in older))
    for row in older:
        assert replay(str(out), row["file_name"], str(tmp_path / "again.png"), str(root))[0]


# Weights in tables


@pytest.mark.parametrize(
    ("cell", "labels"), [("cat", {"cat": 1.0}), ("cat:nan", None), ("cat:0.7|cat:0.3", None), ("cat:0.7|dog:1.7", None)]
)
def test_one_cell_without_weights_leaves_the_others_theirs(
    tmp_path: Path, cell: str, labels: dict[str, float] | None
) -> None:
    cells = ["cat:0.7|dog:0.3", "cat:0.2|dog:0.8", "dog:1", cell]
    files: dict[str, Any] = {f"{n}.png": encoded(n, ".png") for n in range(4)}
    files["labels.csv"] = "file,labels\n" + "".join(f"{n}.png,{text}\n" for n, text in enumerate(cells))
    found = load("table").read(str(plant(tmp_path / "in", files)), ReadOptions())
    known = {sample.id: dict(sample.annotations.labels) for sample in found.samples}
    expected = {"0.png": {"cat": 0.7, "dog": 0.3}, "1.png": {"cat": 0.2, "dog": 0.8}, "2.png": {"dog": 1.0}}
    assert known == expected | ({"3.png": labels} if labels else {})
    assert set(found.classes) == {"cat", "dog"}
    assert [flaw.source for flaw in found.failed] == ([] if labels else ["3.png"])
