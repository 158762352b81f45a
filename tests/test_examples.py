"""What stands in examples/ does what its README says."""

from __future__ import annotations

import csv
import importlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from conftest import Workshop, encoded, rows
from PIL import Image, ImageChops, ImageStat

from augx.bundled import descriptions
from augx.recipe import read

EXAMPLES = Path(__file__).parent.parent / "examples"


def project(example: str, photos: Path) -> Path:
    """The example's files beside a folder `photos`."""
    shutil.copytree(EXAMPLES / example, photos.parent, dirs_exist_ok=True)
    return photos.parent


def test_every_recipe_is_valid_and_draws_no_warning(workshop: Workshop) -> None:
    recipes = sorted(EXAMPLES.rglob("recipe.yaml"))
    assert len(recipes) == 15
    assert workshop.ok("augx", "validate", "--strict", *recipes, cwd=EXAMPLES).startswith("no errors in")


@pytest.mark.parametrize("folder", sorted(path.parent.name for path in EXAMPLES.glob("*/README.md")))
def test_every_example_has_a_short_readme_that_names_its_files(folder: str) -> None:
    text = (EXAMPLES / folder / "README.md").read_text("utf-8")
    said = re.sub(r"<!-- (\w+) -->.*?<!-- /\1 -->", "", text, flags=re.DOTALL)  # without generated tables
    assert 5 <= len(said.splitlines()) <= 140
    told = {path.name for path in (EXAMPLES / folder).iterdir() if path.suffix in (".py", ".yml") or not path.suffix}
    assert sorted(name for name in told if name not in text) == []


# classify


def test_the_contact_sheet_has_a_row_per_source(workshop: Workshop, photos: Path) -> None:
    root = project("classify", photos)
    workshop.ok("augx", "run", "photos", "photos-x2", "-r", "recipe.yaml", "-n", "2", cwd=root)
    sheet = (sys.executable, "contact_sheet.py", "photos-x2", "sheet.png")
    said = workshop.ok(*sheet, "--rows", "3", "--copies", "2", "--width", "410", cwd=root)
    assert said == "sheet.png: 3 sources with their copies\n"
    wide, high = 120, 90  # (410 - 5 gaps of 10) / 3, and three quarters of it
    with Image.open(root / "sheet.png") as image:
        assert image.size == (410, 10 + 3 * (high + 24 + 10))
        lefts = (10, 10 + wide + 20, 10 + 2 * wide + 30)  # a double gap behind the source
        for column, copy in zip(lefts, (0, 1, 2), strict=True):
            tile = image.crop((column, 10, column + wide, 10 + high))
            row = next(row for row in rows(root / "photos-x2") if row["copy"] == copy)
            with Image.open(root / "photos-x2" / row["file_name"]) as written:
                expected = written.convert("RGB").resize((wide, high), Image.Resampling.BICUBIC)
            inner = (8, 8, wide - 8, high - 8)
            assert tile.crop(inner).tobytes() == expected.crop(inner).tobytes()
        assert image.getpixel((409, 373)) == (255, 255, 255)
        caption = image.crop((10, 10 + high, 60, 10 + high + 24)).convert("L").getextrema()
        assert caption[0] < 160 < 255 == caption[1]


def test_the_contact_sheet_needs_originals(workshop: Workshop, photos: Path) -> None:
    root = project("classify", photos)
    (root / "out").mkdir()
    (root / "out" / "manifest.jsonl").write_text('{"source": "a.jpg", "copy": 1, "labels": {"cat": 1}}\n')
    done = workshop.run(sys.executable, "contact_sheet.py", "out", "sheet.png", cwd=root)
    assert done.returncode == 1
    assert done.stderr == "out holds no originals to show; run augx with --originals\n"
    assert not (root / "sheet.png").exists()


def test_the_drawn_pictures_are_five_classes_of_three(workshop: Workshop, tmp_path: Path) -> None:
    workshop.ok(sys.executable, EXAMPLES / "classify" / "draw.py", "photos", cwd=tmp_path)
    drawn = sorted(path.relative_to(tmp_path / "photos").as_posix() for path in tmp_path.rglob("*.jpg"))
    assert drawn == [f"{kind}/{n}.jpg" for kind in ("boat", "cactus", "fish", "house", "mug") for n in (1, 2, 3)]


def test_the_sheet_of_the_readme_is_a_light_jpeg_1000_pixels_wide() -> None:
    path = EXAMPLES / "classify" / "sheet.jpg"
    with Image.open(path) as image:
        assert (image.format, image.width) == ("JPEG", 1000)
    assert path.stat().st_size < 150_000


# labels

KINDS = {"boxes": "detect", "polygons": "labels", "masks": "segment", "keypoints": "pose", "oriented": "oriented"}


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("drawn")
    for kind, story in KINDS.items():
        subprocess.run([sys.executable, EXAMPLES / story / "draw.py", root / kind], check=True)
    return root


def test_the_labelled_datasets_are_of_five_kinds(drawn: Path) -> None:
    found = {kind: len([*(drawn / kind).rglob("*.jpg"), *(drawn / kind).rglob("*.png")]) for kind in KINDS}
    assert found == {"boxes": 8, "polygons": 4, "masks": 16, "keypoints": 8, "oriented": 8}
    annotations = json.loads((drawn / "polygons" / "annotations.json").read_text())["annotations"]
    assert [len(thing["segmentation"]) for thing in annotations[:3]] == [2, 2, 1]  # two rings, an RLE, one ring
    assert isinstance(annotations[1]["segmentation"], dict)


@pytest.mark.parametrize(
    ("kind", "parts"),
    [
        ("boxes", {"label", "bbox", "area", "extra"}),
        ("polygons", {"label", "bbox", "segmentation", "area", "extra"}),
        ("keypoints", {"label", "bbox", "keypoints", "area", "extra"}),
        ("oriented", {"label", "bbox", "obb", "area", "extra"}),
        ("masks", set[str]()),
    ],
)
def test_the_sheet_shows_every_kind_of_label(
    workshop: Workshop, drawn: Path, tmp_path: Path, kind: str, parts: set[str]
) -> None:
    recipe = EXAMPLES / "labels" / "recipe.yaml"
    workshop.ok("augx", "run", drawn / kind, "out", "-r", recipe, "-n", "1", cwd=tmp_path)
    manifest = rows(tmp_path / "out")
    assert {key for row in manifest for thing in row["objects"] for key in thing} == parts
    assert all(bool(row["mask"]) == (kind == "masks") for row in manifest)
    script = EXAMPLES / "labels" / "sheet.py"
    said = workshop.ok(
        sys.executable, script, "out", "sheet.png", "-n", "2", "--copies", "1", "--width", "320", cwd=tmp_path
    )
    assert said == "sheet.png: 2 sources with their copies\n"
    with Image.open(tmp_path / "sheet.png") as image:
        assert image.size == (8 + 2 * 328 + 8, 8 + 2 * (240 + 20 + 8))
        shown = image.crop((8, 8, 328, 248))
    with Image.open(tmp_path / "out" / manifest[0]["file_name"]) as image:
        plain = image.convert("RGB")
    different = ImageChops.difference(shown, plain).convert("L").point(lambda level: 255 * (level > 40))
    changed = different.getbbox()
    assert changed is not None
    for thing in manifest[0]["objects"]:  # its outline is drawn where the manifest says that it is
        x, y, width, height = thing["bbox"]
        for edge in ((x - 2, y, x + 2, y + height), (x, y - 2, x + width, y + 2)):
            assert different.crop(tuple(round(v) for v in edge)).getbbox() is not None


def test_the_ellipse_fits_round_things_and_the_outer_box_angular_ones(
    workshop: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(EXAMPLES / "labels")
    compare = importlib.import_module("compare_boxes")
    (tmp_path / "things").mkdir()
    compare.draw_things(tmp_path / "things")
    for kind in ("outer", "ellipse"):
        (tmp_path / "recipe.yaml").write_text(compare.RECIPE.format(kind=kind))
        workshop.ok("augx", "run", "things", kind, "-r", "recipe.yaml", cwd=tmp_path)
        for row in rows(tmp_path / kind)[1:]:
            with Image.open(tmp_path / kind / row["file_name"]) as image:
                picture = image.convert("RGB")
            for thing in row["objects"]:
                x, y, width, height = thing["bbox"]
                shown = compare.extent(picture, compare.THINGS[thing["label"]])
                miss = max(abs(a - b) for a, b in zip(shown, (x, y, x + width, y + height), strict=True))
                fits = (thing["label"] == "brick") == (kind == "outer")
                assert miss < 1.5 if fits else miss > 5, (kind, thing["label"])


def test_the_sheets_of_the_readme_are_light() -> None:
    sheets = sorted((EXAMPLES / "labels").glob("*.[jp][pn]g"))
    assert [path.stem for path in sheets] == sorted([*KINDS, "boxes_outer_ellipse"])
    assert all(path.stat().st_size < 150_000 for path in sheets)


# recipes


def test_every_bundled_recipe_has_a_sheet_of_what_it_makes_now() -> None:
    folder = EXAMPLES / "recipes"
    sheets = {path.stem: path for path in folder.glob("*.jpg")}
    assert set(sheets) == set(descriptions())
    for name, path in sheets.items():
        with Image.open(path) as image:
            made_of = image.info["comment"].decode()
        assert made_of == read(name, checked=False).digest(), (
            f"python examples/recipes/sheets.py examples/recipes {name}"
        )
        assert path.stat().st_size < 150_000
        assert f"]({path.name})" in (folder / "README.md").read_text("utf-8")


def test_a_sheet_is_drawn_anew(workshop: Workshop, tmp_path: Path) -> None:
    script = EXAMPLES / "recipes" / "sheets.py"
    said = workshop.ok(sys.executable, script, ".", "medical", cwd=tmp_path)
    assert said == "medical.jpg: images/slice2.png and 7 copies of it\n"
    with Image.open(tmp_path / "medical.jpg") as new, Image.open(script.parent / "medical.jpg") as known:
        assert new.size == known.size == (8 + 4 * 248, 8 + 2 * 248)
        difference = ImageStat.Stat(ImageChops.difference(new, known))
    assert max(difference.mean) < 2


def test_medical_leaves_twelve_bits_in_sixteen(workshop: Workshop, tmp_path: Path) -> None:
    workshop.ok(sys.executable, EXAMPLES / "recipes" / "draw.py", "drawn", cwd=tmp_path)
    workshop.ok("augx", "run", "drawn/slices", "out", "-r", "medical", "-n", "4", cwd=tmp_path)
    levels: dict[int, list[float]] = {0: [], 1: []}
    for row in rows(tmp_path / "out"):
        with Image.open(tmp_path / "out" / row["file_name"]) as image:
            assert image.mode == "I;16"
            values = np.asarray(image)
        with Image.open(tmp_path / "out" / row["mask"]) as mask:
            liver = np.asarray(mask) == 3
        if liver.any():
            assert values.max() < 4096
            levels[row["copy"] > 0].append(float(np.median(values[liver])))
    (source,) = {round(level, -2) for level in levels[0]}
    assert source == 1100 and len(levels[1]) == 8
    assert all(700 < level < 1700 for level in levels[1]) and np.ptp(levels[1]) > 50


# pipelines

needs_make = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")


@needs_make
def test_make_runs_augx_when_a_photo_comes_changes_or_goes_and_else_not(workshop: Workshop, photos: Path) -> None:
    (photos / "cat" / "my first: a cat.jpg").write_bytes(encoded(10))
    root = project("pipelines", photos)
    workshop.ok("make", cwd=root)
    assert workshop.calls() == ["run"]
    assert len(rows(root / "photos-x10")) == 7 * 11

    workshop.ok("make", cwd=root)
    workshop.ok("make", "-q", cwd=root)
    assert workshop.calls() == []

    os.utime(photos / "cat" / "my first: a cat.jpg")
    assert workshop.run("make", "-q", cwd=root).returncode == 1
    assert "nothing to do: 77 images" in workshop.ok("make", cwd=root)
    workshop.ok("make", "-q", cwd=root)
    assert workshop.calls() == ["run"]

    (photos / "dog" / "1.jpg").unlink()
    workshop.ok("make", cwd=root)
    assert len(rows(root / "photos-x10")) == 6 * 11
    workshop.ok("make", "-q", cwd=root)
    workshop.calls()
    workshop.ok("make", "check", cwd=root)
    assert workshop.calls() == ["check", "verify"]


@needs_make
def test_make_tries_again_after_a_failure(workshop: Workshop, photos: Path) -> None:
    root = project("pipelines", photos)
    summary = root / "photos-x10" / "summary.json"
    good = (root / "recipe.yaml").read_text()
    (root / "recipe.yaml").write_text(good.replace("HorizontalFlip", "HorizontalFlop"))
    done = workshop.run("make", cwd=root)
    assert done.returncode == 2
    assert "recipe.yaml:5:5" in done.stderr
    assert not summary.exists()
    assert workshop.run("make", "-q", cwd=root).returncode == 1

    (root / "recipe.yaml").write_text(good)
    bad = photos / "cat" / "bad.jpg"
    bad.write_bytes(b"no picture")
    for _ in range(2):
        assert workshop.run("make", cwd=root).returncode == 2
        assert not summary.exists()
        assert len(rows(root / "photos-x10")) == 66
    assert workshop.calls() == ["run", "run", "run"]

    bad.unlink()
    workshop.ok("make", cwd=root)
    assert summary.exists()
    workshop.ok("make", "-q", cwd=root)


@needs_make
def test_make_check_fails_where_dates_tell_make_nothing(workshop: Workshop, photos: Path) -> None:
    root = project("pipelines", photos)
    workshop.ok("make", cwd=root)
    (photos / "cat" / "0.jpg").write_bytes(encoded(99))
    os.utime(photos / "cat" / "0.jpg", (1, 1))
    workshop.ok("make", "-q", cwd=root)
    done = workshop.run("make", "check", cwd=root)
    assert done.returncode == 2
    assert "stale" in done.stdout


# ci-cache


class Runner:
    """As much of GitHub Actions as the workflow uses: run steps, step outputs, expressions, one cache."""

    def __init__(self, workshop: Workshop, cache: Path) -> None:
        self.workshop, self.cache = workshop, cache
        self.said: dict[str, str] = {}
        self.used: dict[str, dict[str, str]] = {}

    def job(self, steps: list[dict[str, Any]], root: Path) -> None:
        values: dict[str, str] = {}

        def resolved(text: str) -> str:
            return re.sub(r"\$\{\{ *([\w.-]+) *\}\}", lambda found: values[found[1]], text)

        for step in steps:
            if "uses" in step:
                used = self.used[step["uses"]] = {k: resolved(v) for k, v in step.get("with", {}).items()}
                if step["uses"].startswith("actions/cache@") and (self.cache / used["key"]).exists():
                    shutil.copytree(self.cache / used["key"], root / used["path"])
            elif "pip install" not in step["run"]:
                outputs = root.parent / f"{root.name}.outputs"
                outputs.write_text("")
                script = ("bash", "-eo", "pipefail", "-c", resolved(step["run"]))
                self.said[step["name"]] = self.workshop.ok(*script, cwd=root, GITHUB_OUTPUT=str(outputs))
                for line in outputs.read_text().splitlines():
                    name, _, value = line.partition("=")
                    values[f"steps.{step['id']}.outputs.{name}"] = value
        saved = next(used for name, used in self.used.items() if name.startswith("actions/cache@"))
        if not (self.cache / saved["key"]).exists():
            shutil.copytree(root / saved["path"], self.cache / saved["key"])


def test_the_workflow_caches_the_dataset_under_the_hash_of_the_plan(
    workshop: Workshop, photos: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = project("ci-cache", photos)
    workflow = yaml.safe_load((root / "workflow.yml").read_text("utf-8"))
    steps = workflow["jobs"]["multiply"]["steps"]
    runner = Runner(workshop, tmp_path_factory.mktemp("cache"))
    runner.job(steps, root)
    cache = runner.used["actions/cache@v4"]
    digest = cache["key"].removeprefix("augx-")
    assert re.fullmatch("[0-9a-f]{64}", digest)
    assert cache == {"path": "photos-x10", "key": f"augx-{digest}", "restore-keys": "augx-"}
    assert "66 rows hold" in runner.said["Verify"]
    assert "::error" not in runner.said["Validate"] and "::warning" not in runner.said["Validate"]
    kept = runner.used["actions/upload-artifact@v4"]
    assert kept["name"] == f"manifest-{digest}"
    assert [name for name in kept["path"].split() if not (root / name).is_file()] == []

    # The next job: another machine's folder, every file with a new date, the dataset from the cache.
    checkout = tmp_path_factory.mktemp("next") / "checkout"
    for path in (*photos.rglob("*.jpg"), root / "recipe.yaml"):
        copy = checkout / path.relative_to(root)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
    runner.job([step for step in steps if step["name"] in ("Plan", "Cache", "Run")], checkout)
    assert runner.used["actions/cache@v4"]["key"] == f"augx-{digest}"
    assert runner.said["Run"].startswith("nothing to do: 66 images")


def test_actions_are_pinned_and_the_token_can_only_read() -> None:
    workflow = yaml.safe_load((EXAMPLES / "ci-cache" / "workflow.yml").read_text("utf-8"))
    assert workflow["permissions"] == {"contents": "read"}
    assert set(workflow[True]) == {"push", "pull_request"}  # YAML 1.1 reads the key `on` as true
    uses = [step["uses"] for step in workflow["jobs"]["multiply"]["steps"] if "uses" in step]
    assert [name.split("@")[0] for name in uses] == [
        f"actions/{name}" for name in ("checkout", "setup-python", "cache", "upload-artifact")
    ]
    assert [name for name in uses if not re.fullmatch(r"actions/[\w-]+@v\d+", name)] == []


def test_the_dvc_stage_makes_its_output_from_its_dependencies(workshop: Workshop, photos: Path) -> None:
    root = project("pipelines", photos)
    stage = yaml.safe_load((root / "dvc.yaml").read_text("utf-8"))["stages"]["multiply"]
    assert [name for name in stage["deps"] if not (root / name).exists()] == []
    assert set(stage["deps"]) == {"photos", "recipe.yaml"}
    ((output, flags),) = stage["outs"][0].items()
    assert len(stage["outs"]) == 1
    assert flags == {"persist": True}
    assert not (root / output).exists()
    workshop.ok("bash", "-c", stage["cmd"], cwd=root)
    assert len(rows(root / output)) == 66
    # DVC keeps what .dvcignore does not name; a dataset that it brings back is gone on from.
    (ignored,) = [line for line in (root / ".dvcignore").read_text().splitlines() if not line.startswith("#")]
    assert ignored == f"{output}/.augx"
    shutil.rmtree(root / ignored)
    (photos / "cat" / "new.jpg").write_bytes(encoded(50))
    assert "(11 made, 66 kept from before, 0 removed)" in workshop.ok("bash", "-c", stage["cmd"], cwd=root)


# table


def test_tags_and_other_columns_come_through_the_table(workshop: Workshop, tmp_path: Path) -> None:
    shutil.copytree(EXAMPLES / "table", tmp_path, dirs_exist_ok=True)
    workshop.ok(sys.executable, "draw.py", "harbour", cwd=tmp_path)
    workshop.ok("augx", "run", "harbour", "harbour-x4", "-r", "recipe.yaml", cwd=tmp_path)
    header, *before = csv_rows(tmp_path / "harbour" / "labels.csv")
    assert header == ["file_name", "tags", "temperature_c", "station"]
    written = csv_rows(tmp_path / "harbour-x4" / "labels.csv")
    assert written[0] == header
    assert len(written) == 1 + 8 * 5
    cells = {name: other for name, *other in written[1:]}
    manifest = rows(tmp_path / "harbour-x4")
    assert set(cells) == {row["file_name"] for row in manifest}
    given = {name: other for name, *other in before}
    assert all(cells[row["file_name"]] == given[row["source"]] for row in manifest)
    for row in manifest:
        tags, degrees, station = given[row["source"]]
        assert list(row["labels"]) == tags.split("|")
        assert row["values"] == {"temperature_c": float(degrees), "station": station}
    # The data must be able to show what the README claims.
    assert sum("|" in tags for tags, _, _ in given.values()) >= 3
    assert all(degrees.endswith("0") for _, degrees, _ in given.values())
    assert {station for _, _, station in given.values()} == {"north pier", "lock, west side"}


def csv_rows(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


# soft-labels


def test_a_net_is_trained_from_the_weights_of_mixed_pictures(
    workshop: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(EXAMPLES / "soft-labels", tmp_path, dirs_exist_ok=True)
    workshop.ok(sys.executable, "draw.py", "shapes", cwd=tmp_path)
    refused = workshop.run("augx", "run", "shapes", "out", "-r", "recipe.yaml", cwd=tmp_path)
    assert refused.returncode == 2
    assert "--to table" in refused.stderr and "--hard-labels" in refused.stderr
    assert not (tmp_path / "out").exists()
    workshop.ok("augx", "run", "shapes", "out", "-r", "recipe.yaml", "-n3", "--to", "table", cwd=tmp_path)
    manifest = rows(tmp_path / "out")
    mixed = [row for row in manifest if len(row["labels"]) > 1]
    assert len(mixed) > 20
    assert all(abs(sum(row["labels"].values()) - 1) < 1e-9 and row["split"] == "train" for row in mixed)
    cells = {name: labels for name, labels, _ in csv_rows(tmp_path / "out" / "labels.csv")[1:]}
    for row in manifest:
        told = (part.split(":") for part in cells[row["file_name"]].split("|"))
        assert {name: float(weight) for name, weight in told} == row["labels"]

    monkeypatch.syspath_prepend(tmp_path)
    train = importlib.import_module("train")
    monkeypatch.setattr(train, "STEPS", 200)
    train.main(tmp_path / "out")
    head, *ways = capsys.readouterr().out.splitlines()
    assert head.startswith("32 pictures, 128 with their copies; tested on 400 others")
    assert [way.split("  ")[0] for way in ways] == ["no copies", "copies, heaviest class", "copies, soft labels"]
    accuracy = [float(re.search(r"accuracy ([\d.]+) %", way)[1]) for way in ways]  # type: ignore[index]
    assert min(accuracy) > 40  # of four classes


# preview


def test_sheets_are_drawn_anew(workshop: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(EXAMPLES)
    sheets = importlib.import_module("sheets").SHEETS
    assert [name for name in sheets if not (EXAMPLES / name).is_file()] == []
    assert all((EXAMPLES / name).stat().st_size < 250_000 for name in sheets)
    workshop.ok(sys.executable, EXAMPLES / "sheets.py", tmp_path, "preview", cwd=tmp_path)
    made = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.glob("*/*") if path.suffix != ".yaml")
    assert made == ["preview/copies.jpg", "preview/extremes.jpg", "preview/step.jpg"]
    for name in made:
        with Image.open(EXAMPLES / name) as image, Image.open(tmp_path / name) as again:
            assert image.size == again.size
