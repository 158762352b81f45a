"""Labels that once came out untrue though nobody damaged anything. See test_attacks_labels.py."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
from array import array
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from conftest import failures, rows, tree
from label_sets import HEIGHT, WIDTH, coco, coco_set, labelme, masks, picture, plant, yolo
from PIL import Image
from running import a_recipe, run

from augx import cli, verify
from augx import engine as runner
from augx.engine import Request
from augx.errors import InputError
from augx.lint.meaning import meaning
from augx.model import Annotations, Dataset, LabelOptions, Object, Picture, Sample, Step
from augx.recipe import CONVERSION
from augx.seeds import Rng
from augx.transforms.catalog import mirrors_pictures
from augx.transforms.pipeline import Pipeline
from augx.transforms.warps import Field

MIRROR = "[{HorizontalFlip: {p: 1}}]"
MIRRORS = {
    "TimeReverse": "{TimeReverse: {p: 1}}",
    "Affine": "{Affine: {scale: {x: [-1, -1], y: [1, 1]}, p: 1}}",
}


def convert(input: Path, output: Path, *to: str, **request: Any) -> Any:
    return run(input, output, CONVERSION, to_formats=to, untouched=True, **request)


def told(output: Path, code: str) -> int:
    """How many warnings of this code there were."""
    return int(json.loads((output / "summary.json").read_text())["warnings"].get(code, 0))


def of(file: Path) -> Any:
    return json.loads(file.read_text())


# Fields that look like places


def test_places_of_other_tools_leave_moved_copies_only(tmp_path: Path) -> None:
    foreign = {"face_box": [5, 6, 3, 3], "rbox": [9, 9, 4, 4, 30], "center": [10, 10], "score": 0.5, "track": [1, 2]}
    root, output = plant(tmp_path / "in", coco_set(1, **foreign)), tmp_path / "out"
    run(root, output, a_recipe(MIRROR, copies=1))
    file = output / "annotations.json"
    first, second = of(file)["annotations"]
    assert {key: first[key] for key in foreign} == foreign
    assert {key: second[key] for key in foreign if key in second} == {"score": 0.5, "track": [1, 2]}
    assert (first["bbox"], second["bbox"]) == ([4, 5, 12, 10], [24, 5, 12, 10])
    assert told(output, "unmoved-field") == 3


def test_a_copy_that_did_not_move_keeps_them(tmp_path: Path) -> None:
    foreign = {"face_box": [5, 6, 3, 3]}
    root, output = plant(tmp_path / "in", coco_set(1, **foreign)), tmp_path / "out"
    run(root, output, a_recipe("[{Blur: {p: 1}}]", copies=1))
    assert [one["face_box"] for one in of(output / "annotations.json")["annotations"]] == [[5, 6, 3, 3]] * 2


def test_shapes_of_labelme_and_hf_that_look_like_places(tmp_path: Path) -> None:
    shape = {"label": "cat", "points": [[4, 5], [16, 15]], "shape_type": "rectangle", "direction": 0.5, "score": 0.9}
    root = plant(tmp_path / "lm", {"0.png": picture(0), "0.json": labelme("0.png", shape)})
    run(root, tmp_path / "lm-out", a_recipe(MIRROR, copies=1))
    one, other = (of(tmp_path / "lm-out" / f"{name}.json")["shapes"][0] for name in ("0", "0_aug01"))
    assert (one["direction"], one["score"]) == (0.5, 0.9)
    assert other["points"] == [[24, 5], [36, 15]] and other["score"] == 0.9 and "direction" not in other
    assert told(tmp_path / "lm-out", "unmoved-field") == 1

    objects = {"bbox": [[4, 5, 12, 10]], "category": ["cat"], "polygon": [[4, 5, 16, 5, 16, 15]], "serial": [7]}
    root = plant(
        tmp_path / "hf",
        {"0.png": picture(0), "metadata.jsonl": json.dumps({"file_name": "0.png", "objects": objects}) + "\n"},
    )
    run(root, tmp_path / "hf-out", a_recipe(MIRROR, copies=1))
    (first, second) = (row["objects"][0]["extra"] for row in rows(tmp_path / "hf-out"))
    assert first == {"polygon": [4, 5, 16, 5, 16, 15], "serial": 7}
    assert second == {"serial": 7}
    assert told(tmp_path / "hf-out", "unmoved-field") == 1


def test_extreme_points_of_open_images_do_not_stay(tmp_path: Path) -> None:
    """Numbers that are text: the columns XClick1X to XClick4Y of the training boxes."""
    clicks = [f"XClick{number}{axis}" for axis in "XY" for number in range(1, 5)]
    columns = ["ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax", *clicks, "IsOccluded"]
    values = "a,xclick,/m/01,1,0.1,0.4,0.2,0.5,0.1,0.2,0.4,0.3,0.3,0.2,0.4,0.5,0"
    name = "train-annotations-bbox.csv"
    root = plant(tmp_path / "in", {"train/a.png": picture(0), name: f"{','.join(columns)}\n{values}\n"})
    run(root, tmp_path / "out", a_recipe(MIRROR, copies=1), from_format="openimages")
    (file,) = (tmp_path / "out").rglob(name)
    first, second = list(csv.DictReader(file.read_text().splitlines()))
    assert ",".join(first.values()) == values
    assert [second[key] for key in ("XMin", "XMax", "IsOccluded")] == ["0.6", "0.9", "0"]
    assert [second[key] for key in clicks] == [""] * 8
    assert told(tmp_path / "out", "unmoved-field") == 8


@pytest.mark.parametrize("columns", ["nose_x,nose_y", "x,y"])
def test_columns_of_places_are_warned_of(tmp_path: Path, columns: str) -> None:
    root = plant(tmp_path / "in", {"0.png": picture(0), "labels.csv": f"file,label,{columns}\n0.png,cat,15,25\n"})
    run(root, tmp_path / "out", a_recipe(MIRROR, copies=1))
    assert told(tmp_path / "out", "unmoved-field") == 1
    run(root, tmp_path / "still", a_recipe("[{Blur: {p: 1}}]", copies=1))
    assert told(tmp_path / "still", "unmoved-field") == 0


# Mirrors that are called otherwise


@pytest.mark.parametrize("name", MIRRORS)
def test_every_mirror_needs_to_know_the_pairs(tmp_path: Path, name: str) -> None:
    files = coco_set(1, keypoints=[12, 6, 2, 20, 14, 2, 25, 9, 1], num_keypoints=3)
    files["annotations.json"]["categories"][0] |= {"keypoints": ["p0", "p1", "p2"]}
    root, output = plant(tmp_path / "in", files), tmp_path / "out"
    with pytest.raises(InputError, match=f"{name} mirrors keypoints, but which are left and right of 'cat'"):
        run(root, output, a_recipe(f"[{MIRRORS[name]}]", copies=1))
    assert not output.exists()
    run(root, output, a_recipe(f"[{MIRRORS[name]}]", copies=1, labels={"keypoint_pairs": [[0, 2]]}))
    found = np.array(rows(output)[1]["objects"][0]["keypoints"]).reshape(3, 3)
    assert found[:, 2].tolist() == [1, 2, 2]
    assert found[:, :2].tolist() == [[14, 9], [19, 14], [27, 6]]  # 39 - x, and the first and the last have swapped


@pytest.mark.parametrize("name", MIRRORS)
def test_lints_know_every_mirror(name: str) -> None:
    known = Annotations({"left shoe": 1.0}, {"angle": 3.0})
    dataset = Dataset("in", "csv", (Sample("a.png", known),), ("left shoe", "right shoe"))
    found = [problem.message for problem in meaning(a_recipe(f"[{MIRRORS[name]}]"), dataset)]
    assert found == [
        f"{name} turns left into right, but the classes left shoe, right shoe stay as they are",
        f"{name} mirrors the picture, but the value 'angle' stays as it is",
    ]
    digits = Dataset("in", "folder", (), tuple("0123456789"))
    assert [problem.message[: len(name) + 8] for problem in meaning(a_recipe(f"[{MIRRORS[name]}]"), digits)] == [
        f"{name} mirrors"
    ]


def test_scales_that_mirror() -> None:
    mirrors = [-1, [-1, 1], {"x": [1, 1], "y": [-1, -0.5]}]
    assert [mirrors_pictures("Affine", {"scale": scale}) for scale in mirrors] == [True] * 3
    assert [mirrors_pictures("Affine", args) for args in ({}, {"scale": [0.5, 2]}, {"rotate": -9})] == [False] * 3


def test_values_of_no_column_are_refused(tmp_path: Path) -> None:
    root = plant(tmp_path / "in", {"0.png": picture(0), "labels.csv": "file,label,angle\n0.png,cat,7\n"})
    with pytest.raises(InputError) as caught:
        run(root, tmp_path / "out", a_recipe(MIRROR, copies=1, labels={"values": {"anlge": "negate_on_flip"}}))
    assert caught.value.message == "the recipe says labels.values.anlge, but no image has such a column"
    assert caught.value.hint == "did you mean 'angle'? there are: angle"
    assert not (tmp_path / "out").exists()
    run(root, tmp_path / "out", a_recipe(MIRROR, copies=1, labels={"values": {"angle": "negate_on_flip"}}))
    assert [row["values"] for row in rows(tmp_path / "out")] == [{"angle": 7}, {"angle": -7}]


# Outlines


def test_overlapping_rings_are_one_outline_in_yolo(tmp_path: Path) -> None:
    """Filled as the trainer fills it, what both rings cover is no hole."""
    squares = [[4, 4, 20, 4, 20, 20, 4, 20], [12, 12, 30, 12, 30, 26, 12, 26]]
    convert(plant(tmp_path / "in", coco_set(1, segmentation=squares)), tmp_path / "out", "yolo")
    (line,) = (tmp_path / "out" / "labels" / "0.txt").read_text().splitlines()
    ring = np.array(line.split()[1:], float).reshape(-1, 2) * (WIDTH, HEIGHT)
    filled = np.zeros((HEIGHT * 8, WIDTH * 8), np.uint8)
    cv2.fillPoly(filled, [np.rint(ring * 8 - 0.5).astype(np.int32)], 1)
    expected = np.zeros((HEIGHT, WIDTH), bool)
    expected[4:20, 4:20] = expected[12:26, 12:30] = True
    found = filled[4::8, 4::8] != 0
    assert found[12:20, 12:20].all()
    assert (found & expected).sum() / (found | expected).sum() > 0.97


def painted(seed: int) -> tuple[Picture, list[int]]:
    """A picture about 100 pixels wide of three ellipses, and their greys, which are their classes too."""
    rng = np.random.default_rng(seed)
    width, height = (int(side) for side in rng.integers(90, 115, 2))
    pixels, objects, greys = np.zeros((height, width), np.uint8), [], [60, 120, 180]
    turn = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    y, x = np.mgrid[:height, :width] + 0.5
    for grey, (cx, cy) in zip(greys, ((0.28, 0.3), (0.7, 0.35), (0.5, 0.76)), strict=True):
        centre = np.array([cx * width, cy * height]) + rng.uniform(-2, 2, 2)
        radii = rng.uniform(13, 19, 2)
        pixels[(((np.stack([x, y], 2) - centre) / radii) ** 2).sum(2) < 1] = grey
        ring = centre + radii * np.stack([np.cos(turn), np.sin(turn)], 1) * (1 + np.pi**2 / 48**2 / 3)
        objects.append(Object(str(grey), rings=(array("d", ring.reshape(-1)),)))
    return Picture(pixels, annotations=Annotations(objects=tuple(objects))), greys


def test_outlines_in_a_fold_are_where_the_pixels_are() -> None:
    pipeline, rng = (
        Pipeline([Step("ThinPlateSpline", {"interpolation": "nearest"}, 1.0)], LabelOptions(min_size=0)),
        Rng(),
    )
    seen = 0
    for seed in range(16):
        before, greys = painted(seed)
        after, _, _ = pipeline(before, lambda step: rng.at(5, "a", seed, step))  # noqa: B023
        found = {thing.label: thing for thing in after.annotations.objects}
        for grey in greys:
            shown = after.pixels == grey
            if shown.sum() < 150:
                continue
            seen += 1
            thing = found[str(grey)]
            filled = np.zeros((after.height * 8, after.width * 8), np.uint8)
            for ring in thing.rings:
                cv2.fillPoly(filled, [np.rint(np.array(ring).reshape(-1, 2) * 8 - 0.5).astype(np.int32)], 1)
            inside = filled[4::8, 4::8] != 0
            assert (inside & shown).sum() / (inside | shown).sum() >= 0.93, (seed, grey)
            ys, xs = np.nonzero(shown)
            extent = (xs.min(), ys.min(), xs.max() + 1, ys.max() + 1)
            assert thing.box is not None
            assert np.abs(np.subtract(thing.box, extent)).max() <= 1.5, (seed, grey, thing.box, extent)
    assert seen >= 40


def test_a_field_that_folds_knows_it() -> None:
    """Columns 0 to 19, then back to 10, then on: what lies between is shown three times."""
    y, x = np.mgrid[:20, :50] + 0.5
    there = np.stack([x, y], 2).astype(np.float32)
    assert not Field(there).folds
    assert not Field(there[:, ::-1], mirrors=True).folds
    folded = there.copy()
    folded[:, 20:30, 0] = 39.5 - np.arange(20, 30)
    folded[:, 30:, 0] = np.arange(30, 50) - 19.5
    assert Field(folded).folds
    rings = Field(folded).ring(np.array([(12, 4), (16, 4), (16, 9), (12, 9)], np.float64))
    assert sorted(
        (float(ring[:, 0].min()), float(ring[:, 0].max()), float(ring[:, 1].min()), float(ring[:, 1].max()))
        for ring in rings
    ) == [(12, 16, 4, 9), (24, 28, 4, 9), (32, 36, 4, 9)]


# Lines


LINES = [
    {"label": "lane", "points": [[4, 8], [32, 20], [6, 26]], "shape_type": "linestrip"},
    {"label": "lane", "points": [[4, 8], [32, 20]], "shape_type": "line"},
    {"label": "kept", "points": [[4, 8], [12, 20], [6, 26]], "shape_type": "linestrip"},
    {"label": "some", "points": [[4, 8], [32, 20], [6, 26]], "shape_type": "points"},
]
HALF = "[{Crop: {x_min: 0, y_min: 0, x_max: 20, y_max: 30, p: 1}}]"


def test_a_line_cut_at_the_edge_is_not_joined_up(tmp_path: Path) -> None:
    root, output = plant(tmp_path / "in", {"0.png": picture(0), "0.json": labelme("0.png", *LINES)}), tmp_path / "out"
    run(root, output, a_recipe(HALF, copies=1))
    shapes = [(one["label"], one["shape_type"], one["points"]) for one in of(output / "0_aug01.json")["shapes"]]
    assert shapes == [
        ("kept", "linestrip", [[4, 8], [12, 20], [6, 26]]),
        ("some", "points", [[4, 8], [6, 26]]),
    ]
    assert rows(output)[1]["dropped"] == [
        {"label": "lane", "reason": "outside", "visibility": 0.6667},
        {"label": "lane", "reason": "outside", "visibility": 0.5},
    ]
    assert of(output / "0.json")["shapes"][0]["points"] == LINES[0]["points"]


def test_a_polyline_of_cvat_cut_at_the_edge(tmp_path: Path) -> None:
    text = (
        '<annotations><version>1.1</version><image id="0" name="0.png" width="40" height="30">'
        '<polyline label="lane" points="4,8;32,8;32,26"/><polyline label="kept" points="4,8;9,20"/>'
        "</image></annotations>"
    )
    root, output = plant(tmp_path / "in", {"annotations.xml": text, "0.png": picture(0)}), tmp_path / "out"
    run(root, output, a_recipe(HALF, copies=1))
    (kept,) = rows(output)[1]["objects"]
    assert (kept["label"], kept["keypoints"]) == ("kept", [4, 8, 2, 9, 20, 2])
    assert rows(output)[1]["dropped"] == [{"label": "lane", "reason": "outside", "visibility": 0.3333}]


def test_less_than_a_pixel_has_an_area(tmp_path: Path) -> None:
    splinter = {"segmentation": [[8, 8, 8.2, 8, 8.1, 8.3]], "bbox": [8, 8, 0.2, 0.3], "area": 0.03}
    root, output = plant(tmp_path / "in", coco_set(1, **splinter)), tmp_path / "out"
    run(root, output, a_recipe("[{Blur: {p: 1}}]", copies=1, labels={"min_size": 0}))
    assert [one["area"] for one in of(output / "annotations.json")["annotations"]] == pytest.approx([0.03, 0.03])


# Masks, and other formats


@pytest.mark.parametrize("gone", [".augx", None])
def test_masks_are_kept_though_our_folder_is_gone(tmp_path: Path, gone: str | None) -> None:
    root, output, recipe = plant(tmp_path / "in", masks()), tmp_path / "out", a_recipe(MIRROR, copies=1)
    assert run(root, output, recipe).made == 6
    before = {name: digest for name, digest in tree(output).items() if not name.startswith(".augx")}
    for _ in range(2):
        if gone:
            shutil.rmtree(output / gone)
        outcome = run(root, output, recipe)
        assert (outcome.made, outcome.kept) == (0, 6)
        assert runner.check(Request(str(root), str(output), recipe, workers=0)) == []
    assert {name: digest for name, digest in tree(output).items() if not name.startswith(".augx")} == before


def test_keypoints_and_a_box_stay_one_object_through_cvat(tmp_path: Path) -> None:
    keypoints = {"keypoints": [12, 6, 2, 15, 14, 1, 0, 0, 0], "num_keypoints": 2, "bbox": [4, 5, 14, 11]}
    files = coco_set(2, **keypoints)
    files["annotations.json"]["categories"][0] |= {"keypoints": ["nose", "left_eye", "right_eye"]}
    convert(plant(tmp_path / "in", files), tmp_path / "cvat", "cvat")
    alone = plant(tmp_path / "alone", {"annotations.xml": (tmp_path / "cvat" / "annotations.xml").read_bytes()})
    for number in range(2):
        shutil.copy(tmp_path / "cvat" / "images" / f"{number}.png", alone)
    convert(alone, tmp_path / "back", "coco")
    (file,) = [path for path in (tmp_path / "back").rglob("*.json") if path.name != "summary.json"]
    found = of(file)["annotations"]
    assert [(one["bbox"], one["keypoints"], one["num_keypoints"]) for one in found] == [
        ([4, 5, 14, 11], [12, 6, 2, 15, 14, 1, 0, 0, 0], 2)
    ] * 2


def test_a_crowd_is_no_object_of_the_weaker_of_two_formats(tmp_path: Path) -> None:
    files = coco_set(1)
    runs = {"size": [HEIGHT, WIDTH], "counts": [36 * HEIGHT, 4 * HEIGHT]}
    crowd = {"iscrowd": 1, "bbox": [36, 0, 4, 30], "area": 120, "segmentation": runs}
    files["annotations.json"]["annotations"].append({"id": 2, "image_id": 1, "category_id": 2} | crowd)
    root, output = plant(tmp_path / "in", files), tmp_path / "out"
    convert(root, output, "coco", "yolo")
    (text,) = output.rglob("0.txt")
    assert text.read_text() == "0 0.25 0.33333333 0.3 0.33333333\n"
    (file,) = [path for path in output.rglob("*.json") if "annotations" in of(path)]
    assert [one["iscrowd"] for one in of(file)["annotations"]] == [0, 1]
    assert told(output, "lost-labels") == 1
    assert len(rows(output)[0]["objects"]) == 2
    assert verify.verify(str(output), 1)[1] == []


@pytest.mark.parametrize("closed", ["pipe", "link"])
def test_an_image_whose_labels_cannot_be_opened_fails(tmp_path: Path, closed: str) -> None:
    root, output = plant(tmp_path / "in", yolo()), tmp_path / "out"
    label = root / "labels" / "1.txt"
    if closed == "pipe":
        label.unlink()
        os.mkfifo(label)
    else:
        label.rename(tmp_path / "elsewhere.txt")
        label.symlink_to(tmp_path / "elsewhere.txt")
    outcome = run(root, output, a_recipe(MIRROR, copies=1))
    assert (outcome.made, outcome.failed) == (4, len(failures(output)))
    found = {(one["source"], one["error"]) for one in failures(output)}
    assert found == {("images/1.png", "unreadable-label")}
    assert sorted(path.stem for path in (output / "labels").iterdir()) == ["0", "0_aug01", "2", "2_aug01"]


def test_convert_is_told_that_labels_are_in_stored_pixels(tmp_path: Path) -> None:
    """Stored 40 x 20, shown 20 x 40, turned to the right."""
    exif = Image.Exif()
    exif[0x0112] = 6
    buffer = io.BytesIO()
    Image.new("RGB", (40, 20), (90, 120, 150)).save(buffer, "JPEG", exif=exif)
    known = coco("0.jpg", bbox=[4, 5, 12, 10])
    known["images"][0] |= {"width": 40, "height": 20}
    root = plant(tmp_path / "in", {"annotations.json": known, "0.jpg": buffer.getvalue()})
    words = ["convert", str(root), str(tmp_path / "out"), "--to", "yolo", "-j", "0", "--quiet"]
    assert cli.call([*words, "--pixels", "stored"]) == 0
    (text,) = (tmp_path / "out").rglob("0.txt")
    numbers = [float(word) for word in text.read_text().split()[1:]]
    assert numbers == pytest.approx([10 / 20, 10 / 40, 10 / 20, 12 / 40], abs=1e-6)
    assert rows(tmp_path / "out")[0]["objects"][0]["bbox"] == [5, 4, 10, 12]
