"""Mixing and its labels: what once broke a promise must not break it again. See test_attacks.py."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import encoded, failures, rows, tree
from label_sets import masks, picture, plant
from PIL import Image
from running import Silent, a_recipe, run

from augx import engine as runner
from augx import recipe as recipes
from augx import verify
from augx.cli import call
from augx.engine import Request
from augx.errors import InputError, RecipeError
from augx.formats import ReadOptions, load
from augx.replay import replay

GREY, BACK = (90, 90, 90), (20, 130, 220)
COLOURS = {"cat": (240, 0, 0), "dog": (0, 240, 0), "cow": (0, 0, 240)}
NUMBERS = {"cat": 8, "cow": 10, "dog": 12}  # of Pascal VOC
Thing = tuple[str, int, int, int, int]  # class, x0, y0, x1, y1
TWO: Sequence[Thing] = (("cat", 4, 6, 24, 30), ("dog", 34, 10, 56, 40))


def png(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def painted(things: Sequence[Thing], width: int = 64, height: int = 48) -> np.ndarray:
    """Objects in the colours of their classes, on grey."""
    pixels = np.full((height, width, 3), GREY, np.uint8)
    for name, x0, y0, x1, y1 in things:
        pixels[y0:y1, x0:x1] = COLOURS[name]
    return pixels


def coco(count: int, things: Sequence[Thing], boxes: bool = False) -> dict[str, Any]:
    """As many pictures of these objects, with polygons, or with `boxes` alone."""
    ids = {name: number for number, name in enumerate(COLOURS, 1)}
    annotations = [
        {"id": 100 * n + k, "image_id": n + 1, "category_id": ids[name], "iscrowd": 0}
        | {"bbox": [x0, y0, x1 - x0, y1 - y0], "area": (x1 - x0) * (y1 - y0)}
        | ({} if boxes else {"segmentation": [[x0, y0, x1, y0, x1, y1, x0, y1]]})
        for n in range(count)
        for k, (name, x0, y0, x1, y1) in enumerate(things, 1)
    ]
    images = [{"id": n + 1, "file_name": f"{n}.png", "width": 64, "height": 48} for n in range(count)]
    categories = [{"id": number, "name": name} for name, number in ids.items()]
    said = {"images": images, "annotations": annotations, "categories": categories}
    return {"annotations.json": said} | {f"{n}.png": png(painted(things)) for n in range(count)}


def voc(count: int, *blind: int) -> dict[str, Any]:
    """Pictures of two or three objects with XML, classes and instances; `blind` objects have no pixels in these."""
    draw, files = np.random.default_rng(3), dict[str, Any]()
    for n in range(count):
        names = draw.permutation(list(COLOURS))[: 2 + n % 2].tolist()
        things = []
        for slot, name in enumerate(names):
            wide, high = draw.integers(8, 18), draw.integers(12, 40)
            x, y = slot * 22 + draw.integers(0, 3), draw.integers(0, 48 - high)
            things.append((name, int(x), int(y), int(x + wide), int(y + high)))
        classes, numbers, xml = np.zeros((48, 64), np.uint8), np.zeros((48, 64), np.uint8), ""
        for k, (name, x0, y0, x1, y1) in enumerate(things, 1):
            if k not in blind:
                classes[y0:y1, x0:x1], numbers[y0:y1, x0:x1] = NUMBERS[name], k
            box = f"<xmin>{x0 + 1}</xmin><ymin>{y0 + 1}</ymin><xmax>{x1}</xmax><ymax>{y1}</ymax>"
            xml += f"<object><name>{name}</name><bndbox>{box}</bndbox></object>"
        files[f"JPEGImages/{n}.png"] = png(painted(things))
        files[f"SegmentationClass/{n}.png"], files[f"SegmentationObject/{n}.png"] = png(classes), png(numbers)
        size = "<size><width>64</width><height>48</height><depth>3</depth></size>"
        files[f"Annotations/{n}.xml"] = f"<annotation><filename>{n}.png</filename>{size}{xml}</annotation>"
    return files


def pixels(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path))


def assert_counted(out: Path) -> int:
    """Number k of the mask of instances is the k-th object, in its box and of its class. How many copies there are."""
    mixed = [row for row in rows(out) if row["copy"] and row["transforms"]]
    for row in mixed:
        classes, numbers = pixels(out / row["mask"]), pixels(out / row["instances"])
        there = set(np.unique(numbers).tolist()) - {0, 255}
        assert there <= set(range(1, len(row["objects"]) + 1)), row["file_name"]
        for k in there:
            thing = row["objects"][k - 1]
            assert set(np.unique(classes[numbers == k]).tolist()) == {NUMBERS[thing["label"]]}, row["file_name"]
            y, x = np.nonzero(numbers == k)
            x0, y0, wide, high = thing["bbox"]
            assert x0 - 1 <= x.min() and x.max() < x0 + wide + 1, row["file_name"]
            assert y0 - 1 <= y.min() and y.max() < y0 + high + 1, row["file_name"]
    assert verify.verify(str(out), 1)[1] == []
    return len(mixed)


# copy_paste


@pytest.mark.parametrize("boxes", [False, True])
def test_what_lay_on_a_lifted_object_goes_with_it(tmp_path: Path, boxes: bool) -> None:
    nested: Sequence[Thing] = (("cat", 6, 6, 34, 40), ("dog", 14, 14, 22, 26))
    root, out = plant(tmp_path / "in", coco(3, nested, boxes)), tmp_path / "out"
    lift = {"p": 1, "partners": "own", "lift": True, "boxes": True, "classes": ["cat"], "objects_range": [1, 1]}
    exact = {"flip": False, "scale_range": [1, 1], "blend_sigma": 0}
    run(root, out, a_recipe(json.dumps([{"copy_paste": lift | exact}]), copies=4))
    copies = [row for row in rows(out) if row["copy"]]
    assert len(copies) == 12
    for row in copies:
        assert len(row["objects"]) + len(row["dropped"]) == 2
        for thing in row["objects"]:
            x, y, wide, high = (round(value) for value in thing["bbox"])
            inside = pixels(out / row["file_name"])[y : y + high, x : x + wide].reshape(-1, 3)
            assert (inside == COLOURS[thing["label"]]).all(axis=1).mean() > 0.5, row["file_name"]
    assert any(one["reason"] == "hidden" for row in copies for one in row["dropped"])


def test_a_lifted_object_takes_its_number_along(tmp_path: Path) -> None:
    root, out = plant(tmp_path / "in", voc(6)), tmp_path / "out"
    lift = "[{copy_paste: {p: 1, blend_sigma: 0, partners: own, lift: true, objects_range: [1, 1]}}]"
    run(root, out, a_recipe(lift, copies=5))
    assert assert_counted(out) == 30


def test_numbers_begin_at_one_where_a_mix_drops_objects(tmp_path: Path) -> None:
    root, out = plant(tmp_path / "in", voc(6)), tmp_path / "out"
    run(root, out, a_recipe("[{mixup: {p: 1, alpha: 0.3}}]", copies=6, labels={"min_visibility": 0.2}))
    assert any(row["dropped"] for row in rows(out))
    assert assert_counted(out) == 36


# background


@pytest.fixture
def backs(tmp_path: Path) -> Path:
    """Beside the recipe, three backgrounds of one colour each: file number n is BACK with red of 10 n."""
    for n in range(3):
        plant(tmp_path / "recipes" / "backs", {f"{n}.png": png(np.full((20, 30, 3), (10 * n, *BACK[1:]), np.uint8))})
    return tmp_path / "recipes" / "backs"


def backing(backs: Path, **keys: Any) -> recipes.Recipe:
    """A recipe file beside the folder, which it names as it is called there."""
    said = {"version": 1, "copies": 2, **keys, "transforms": [{"background": {"p": 1, "folder": backs.name}}]}
    path = backs.parent / "recipe.yaml"
    path.write_text(json.dumps(said))
    return recipes.read(path, checked=False)


def test_the_manifest_names_the_background(tmp_path: Path, backs: Path) -> None:
    root, out = plant(tmp_path / "in", coco(4, TWO)), tmp_path / "out"
    run(root, out, backing(backs))
    used = set()
    for row in rows(out):
        if row["copy"]:
            (name,) = row["transforms"][0]["params"]["files"]
            assert tuple(pixels(out / row["file_name"])[0, 0]) == (10 * int(name[0]), *BACK[1:])
            assert row["partners"] == []
            used.add(name)
    assert len(used) == 3


def test_a_replay_says_where_it_looks_for_backgrounds(
    tmp_path: Path, backs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, out = plant(tmp_path / "in", coco(2, TWO)), tmp_path / "out"
    run(root, out, backing(backs))
    arguments = (str(out), rows(out)[1]["file_name"], str(tmp_path / "again.png"), str(root))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="the recipe's folder backs is not here"):
        replay(*arguments)
    assert not (tmp_path / "again.png").exists()
    monkeypatch.chdir(backs.parent)
    assert replay(*arguments)[0]


@pytest.mark.parametrize("files", [{}, {"notes.txt": "none"}, {"deeper/0.png": b"\x89PNG"}])
def test_a_folder_without_backgrounds_is_refused(tmp_path: Path, files: dict[str, Any]) -> None:
    backs = tmp_path / "recipes" / "backs"
    backs.mkdir(parents=True)
    plant(backs, files)
    with pytest.raises(RecipeError, match=r"recipe.yaml:1:\d+: the folder 'backs' holds no image"):
        backing(backs)


def test_backgrounds_that_are_all_broken(tmp_path: Path, backs: Path) -> None:
    for path in backs.iterdir():
        path.write_bytes(path.read_bytes()[:30])
    root, out = plant(tmp_path / "in", coco(2, TWO)), tmp_path / "out"
    assert run(root, out, backing(backs)).failed == 4
    assert {(row["error"], row["stage"]) for row in failures(out)} == {("no-background", "transform")}
    assert {row["copy"] for row in rows(out)} == {0}


def test_broken_backgrounds_are_told(tmp_path: Path, backs: Path) -> None:
    whole = encoded(90)
    (backs / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    (backs / "junk.png").write_bytes(b"junk")
    (backs / "deep.png").write_bytes(png(np.zeros((9, 9, 3), np.uint8))[:-20])
    outcome = run(plant(tmp_path / "in", coco(2, TWO)), tmp_path / "out", backing(backs))
    assert (outcome.failed, outcome.summary["warnings"]["broken-background"]) == (0, 3)


def test_backgrounds_that_go_away_for_a_while(tmp_path: Path, backs: Path) -> None:
    root, out = plant(tmp_path / "in", coco(3, TWO)), tmp_path / "out"
    recipe, away = backing(backs), backs.with_name("away")

    class Unmounting(Silent):
        def begin(self, images: int, kept: int) -> None:
            backs.rename(away)

    request = Request(str(root), str(out), recipe, workers=0)
    assert runner.run(request, Unmounting(), recipes.check_transforms).failed == 6
    assert {row["error"] for row in failures(out)} == {"no-background"}
    assert str(tmp_path) not in (out / "failures.jsonl").read_text()
    away.rename(backs)
    assert runner.check(request)
    assert run(root, out, recipe).made == 6
    run(root, tmp_path / "fresh", recipe)
    assert tree(out) == tree(tmp_path / "fresh")


def test_numbers_begin_at_one_where_a_background_drops_objects(tmp_path: Path, backs: Path) -> None:
    root, out = plant(tmp_path / "in", voc(4, 1)), tmp_path / "out"
    run(root, out, backing(backs))
    copies = [row for row in rows(out) if row["copy"]]
    assert all(row["dropped"] for row in copies)
    for row in copies:
        there = set(np.unique(pixels(out / row["instances"])).tolist()) - {0, 255}
        assert there == set(range(1, len(row["objects"]) + 1))
    assert assert_counted(out) == 8


# inside


def test_a_class_mask_changes_inside_only(tmp_path: Path) -> None:
    root, out = plant(tmp_path / "in", masks()), tmp_path / "out"
    holes = "num_holes_range: [6, 8], hole_height_range: [0.2, 0.3], hole_width_range: [0.2, 0.3]"
    erased = f"CoarseDropout: {{p: 1, fill: 0, fill_mask: 0, {holes}}}"
    run(root, out, a_recipe(f"[{{inside: {{classes: [1], transforms: [{erased}]}}}}]", copies=3))
    for row in rows(out):
        if row["copy"]:
            before, after = pixels(root / row["source"].replace("images", "masks")), pixels(out / row["mask"])
            moved = before != after
            assert moved.any()
            assert set(before[moved].tolist()) == {1}
            assert (pixels(out / row["file_name"])[moved] == 0).mean() > 0.9


# What a recipe names, and no image shows


def test_a_class_that_no_image_shows_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root, out = plant(tmp_path / "in", coco(2, TWO)), tmp_path / "out"
    steps = "[{inside: {classes: [catt], transforms: [{Blur: {p: 1}}]}}, {copy_paste: {p: 1, classes: [fish]}}]"
    run(root, out, a_recipe(steps))
    assert json.loads((out / "summary.json").read_text())["warnings"]["class-not-there"] == 2
    (tmp_path / "r.yaml").write_text(f"version: 1\ntransforms: {steps}\n")
    assert call(["validate", str(tmp_path / "r.yaml"), "--input", str(root)]) == 0
    said = capsys.readouterr().out
    assert "names the class 'catt' (inside.classes); did you mean 'cat'?" in said
    assert "names the class 'fish' (copy_paste.classes)" in said


def test_values_that_a_mix_leaves_alone_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files: dict[str, Any] = {f"{n}.png": picture(n) for n in range(4)}
    files["labels.csv"] = "file,angle\n" + "".join(f"{n}.png,{n / 4 - 0.3}\n" for n in range(4))
    root = plant(tmp_path / "in", files)
    (tmp_path / "r.yaml").write_text("version: 1\ntransforms: [{mixup: {p: 1}}]\n")
    assert call(["validate", str(tmp_path / "r.yaml"), "--input", str(root)]) == 0
    assert "mixup leaves angle as the first picture has it" in capsys.readouterr().out
    for name in ("mosaic", "extrapolate", "samplepairing"):
        run(root, tmp_path / name, a_recipe(f"[{{{name}: {{p: 1}}}}]"))
        assert json.loads((tmp_path / name / "summary.json").read_text())["warnings"]["unmixed-values"] == 1


def test_objects_of_partners_count_where_lost_ones_are_rejected(tmp_path: Path) -> None:
    corners: Sequence[Thing] = (
        ("cat", 0, 0, 9, 9),
        ("dog", 55, 0, 64, 9),
        ("cow", 0, 39, 9, 48),
        ("cat", 55, 39, 64, 48),
    )
    root, out = plant(tmp_path / "in", coco(6, corners)), tmp_path / "out"
    run(root, out, a_recipe("[{mosaic: {p: 1}}]", copies=5, reject={"lost_objects": 0.5}))
    copies = [row for row in rows(out) if row["copy"]]
    assert all(len(row["dropped"]) <= len(row["objects"]) for row in copies)
    assert any(row["redrawn"] for row in copies)


# Weights


def test_validate_knows_what_run_is_told_of_weights(tmp_path: Path) -> None:
    root = plant(tmp_path / "in", {f"{'ab'[n % 2]}/{n}.png": picture(n) for n in range(4)})
    (tmp_path / "r.yaml").write_text("version: 1\ntransforms: [{mixup: {p: 1}}]\n")
    asked = ["validate", str(tmp_path / "r.yaml"), "--input", str(root)]
    assert [call([*asked, *more]) for more in ([], ["--to", "table"], ["--hard-labels"])] == [2, 0, 0]


def weights(tmp_path: Path, labels: Callable[[int], str]) -> list[tuple[dict[str, Any], dict[str, float]]]:
    """Rows of the copies, mixed by mixup, and what the table says of each."""
    files: dict[str, Any] = {f"{n}.png": picture(n) for n in range(8)}
    files["labels.csv"] = "file,labels\n" + "".join(f"{n}.png,{labels(n)}\n" for n in range(8))
    root, out = plant(tmp_path / "in", files), tmp_path / "out"
    run(root, out, a_recipe("[{mixup: {p: 1, alpha: 1}}]", copies=3))
    told = {
        sample.id: dict(sample.annotations.labels) for sample in load("table").read(str(out), ReadOptions()).samples
    }
    return [(row, told[row["file_name"]]) for row in rows(out) if row["copy"]]


def test_weights_of_one_class_each_sum_to_one(tmp_path: Path) -> None:
    for row, told in weights(tmp_path, lambda n: f"{'ab'[n % 2]}:0.75|c:0.25"):
        assert sum(row["labels"].values()) == pytest.approx(1, abs=1e-9)
        assert row["labels"]["c"] == pytest.approx(0.25)
        assert told == pytest.approx(row["labels"])


def test_weights_of_several_classes_are_shares_of_the_pictures_that_show_them(tmp_path: Path) -> None:
    shown = {f"{n}.png": ["x|y", "x", "y|z"][n % 3] for n in range(8)}
    for row, told in weights(tmp_path, lambda n: shown[f"{n}.png"]):
        share, (partner,) = row["transforms"][0]["params"]["lambda"], row["partners"]
        expected = {
            name: share * (name in shown[row["source"]]) + (1 - share) * (name in shown[partner])
            for name in sorted({*shown[row["source"]], *shown[partner]} - {"|"})
        }
        assert row["labels"] == pytest.approx(expected, abs=1e-8)
        assert told == pytest.approx(row["labels"])


# replay


def test_a_replay_reads_the_labels_that_the_run_has_read(tmp_path: Path) -> None:
    files = coco(3, TWO)
    said = files.pop("annotations.json")
    root, out = plant(tmp_path / "in", files), tmp_path / "out"
    plant(root, {"coco/train.json": said, "coco/test.json": said | {"annotations": said["annotations"][:1]}})
    chosen = ReadOptions(labels="coco/train.json")
    recipe = a_recipe("[{copy_paste: {p: 1, partners: own}}, {HorizontalFlip: {p: 1}}]", originals=False)
    run(root, out, recipe, read=chosen)
    shutil.copytree(root, tmp_path / "elsewhere")
    for row in rows(out):
        assert replay(str(out), row["file_name"], str(tmp_path / "again.png"), str(tmp_path / "elsewhere"))[0]
