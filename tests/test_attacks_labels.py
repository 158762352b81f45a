"""Crafted, damaged and unlucky labels: what once broke a promise must not break it again. See test_attacks.py."""

from __future__ import annotations

import hashlib
import json
import shutil
from array import array
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from conftest import failures, rows, tree
from label_sets import NAMES, coco, coco_set, labelme, mask, masks, member, picture, plant, tar, yolo
from PIL import Image
from running import a_recipe, fresh, run

from augx import cli, verify
from augx.carrier import Carrier
from augx.errors import InputError
from augx.images import decode_mask, encode_mask
from augx.model import Annotations, LabelOptions, Mask, Object
from augx.recipe import CONVERSION
from augx.replay import replay
from augx.transforms.warps import Matrix, rows_of

MIRROR = "[{HorizontalFlip: {p: 1}}]"


def convert(input: Path, output: Path, *to: str, **request: Any) -> Any:
    return run(input, output, CONVERSION, to_formats=to, untouched=True, **request)


def verified(output: Path) -> list[str]:
    return verify.verify(str(output), 1)[1]


def edit(path: Path, change: Callable[[Any], Any]) -> None:
    """Changes a JSON file, in place or by what `change` returns."""
    value = json.loads(path.read_text())
    path.write_text(json.dumps(change(value) or value))


# What a format carries for others


def test_foreign_keys_called_like_ours_come_through_createml(tmp_path: Path) -> None:
    entries = [
        {"image": "0.png", "annotations": [], "tar": 5},
        {"image": "1.png", "annotations": [], "tar": {"1.png": [0, 10]}, "annotated": "no", "yolo": {"label_file": 0}},
    ]
    files = {"_annotations.createml.json": entries, "0.png": picture(0), "1.png": picture(1)}
    root = plant(tmp_path / "in", files)
    assert run(root, tmp_path / "out", a_recipe(copies=1)).made == 4
    found = json.loads((tmp_path / "out" / "_annotations.createml.json").read_text())
    foreign = [{key: entry[key] for key in entry if key not in ("image", "annotations")} for entry in found]
    assert foreign == [{"tar": 5}, {"tar": 5}, *[{k: entries[1][k] for k in ("tar", "annotated", "yolo")}] * 2]
    assert failures(tmp_path / "out") == verified(tmp_path / "out") == []


def test_a_foreign_key_called_yolo_says_nothing_to_yolo(tmp_path: Path) -> None:
    entries = [
        {"image": f"{n}.png", "annotations": [], "yolo": odd} for n, odd in enumerate((5, {"label_file": False}))
    ]
    files = {"_annotations.createml.json": entries, "0.png": picture(0), "1.png": picture(1)}
    convert(plant(tmp_path / "in", files), tmp_path / "out", "createml", "yolo")
    assert [list(row["files"]) for row in rows(tmp_path / "out")] == [["0.txt"], ["1.txt"]]
    assert [entry["yolo"] for entry in json.loads((tmp_path / "out" / "_annotations.createml.json").read_text())] == [
        5,
        {"label_file": False},
    ]


@pytest.mark.parametrize("odd", [[1], {"a": 1}, 5, None])
def test_foreign_keys_called_like_those_of_cvat(tmp_path: Path, odd: Any) -> None:
    keypoints = {"keypoints": [12, 6, 2, 20, 14, 2, 25, 9, 1], "num_keypoints": 3}
    files = coco_set(2, **keypoints)
    first, second = files["annotations.json"]["annotations"]
    first |= {"shape": odd, "elements": odd}
    second["elements"] = {"1": odd, "2": {"attributes": odd}}
    files["annotations.json"]["categories"][0] |= {"keypoints": ["a", "b", "c"]}
    convert(plant(tmp_path / "in", files), tmp_path / "out", "cvat")
    root = ElementTree.parse(tmp_path / "out" / "annotations.xml")
    points = [point.get("points") for point in root.iter("points")]
    assert points == ["12,6", "20,14", "25,9"] * 2


# Replay with crops that look at labels

CROPS = {
    "AtLeastOneBBoxRandomCrop": "{height: 12, width: 12, p: 1}",
    "BBoxSafeRandomCrop": "{p: 1}",
    "RandomSizedBBoxSafeCrop": "{height: 20, width: 20, p: 1}",
}
RING = {"segmentation": [[4, 5, 16, 5, 16, 15]]}
TO_REPLAY: list[tuple[str, dict[str, Any], str]] = [
    *((crop, coco_set(1), f"[{{{crop}: {how}}}]") for crop, how in CROPS.items()),
    ("after-a-turn", coco_set(1, **RING), "[{Affine: {rotate: [-30, 30], p: 1}}, {BBoxSafeRandomCrop: {p: 1}}]"),
    ("yolo", yolo(count=1), "[HorizontalFlip, {BBoxSafeRandomCrop: {p: 1}}]"),
    ("masks", masks(1), "[{CropNonEmptyMaskIfExists: {height: 8, width: 8, p: 1}}]"),
    ("webdataset", {"train.tar": tar(member(0))}, "[{BBoxSafeRandomCrop: {p: 1}}]"),
]


@pytest.mark.parametrize("originals", [True, False])
@pytest.mark.parametrize(("files", "transforms"), [case[1:] for case in TO_REPLAY], ids=[case[0] for case in TO_REPLAY])
def test_replay_of_crops_that_look_at_labels(
    tmp_path: Path, files: dict[str, Any], transforms: str, originals: bool
) -> None:
    root, output, image = plant(tmp_path / "in", files), tmp_path / "out", tmp_path / "again.png"
    to = {"to_formats": ("hf",)} if "train.tar" in files else {}
    run(root, output, a_recipe(transforms, originals=originals), **to)
    made = rows(output)
    assert [row["copy"] for row in made] == ([0, 1, 2] if originals else [1, 2])
    for row in made:
        assert replay(str(output), row["file_name"], str(image), str(root))[0], row["file_name"]
        assert image.read_bytes() == (output / row["file_name"]).read_bytes()
        if originals:
            assert replay(str(output), row["file_name"], str(image), None)[0], row["file_name"]
        else:
            with pytest.raises(InputError) as caught:
                replay(str(output), row["file_name"], str(image), None)
            assert "--input" in caught.value.hint


@pytest.mark.parametrize("originals", [True, False])
def test_replay_looks_at_the_labels_that_were_not_lost(tmp_path: Path, originals: bool) -> None:
    """A crowd that --allow-loss has left out is none to keep in a crop."""
    files = coco_set(1)
    crowd = {"iscrowd": 1, "bbox": [36, 0, 4, 30], "segmentation": {"size": [30, 40], "counts": [36 * 30, 4 * 30]}}
    files["annotations.json"]["annotations"].append({"id": 2, "image_id": 1, "category_id": 2} | crowd)
    root, output, image = plant(tmp_path / "in", files), tmp_path / "out", tmp_path / "again.png"
    recipe = a_recipe("[{BBoxSafeRandomCrop: {p: 1}}]", originals=originals)
    run(root, output, recipe, to_formats=("voc",), allow_loss=True)
    assert len(rows(output)) == 2 + originals
    for row in rows(output):
        assert len(row["objects"]) == 1
        assert replay(str(output), row["file_name"], str(image), str(root))[0], row["file_name"]


def test_replay_says_where_crops_find_their_labels(tmp_path: Path) -> None:
    """The manifest says a box around keypoints that had none, which does not turn as they do."""
    keypoints = {"keypoints": [12, 6, 2, 20, 14, 2, 25, 9, 1], "bbox": None}
    files = coco_set(1, **keypoints)
    files["annotations.json"]["categories"][0] |= {"keypoints": ["a", "b", "c"]}
    root, output, image = plant(tmp_path / "in", files), tmp_path / "out", tmp_path / "again.png"
    turned = "[{Affine: {rotate: [-40, 40], p: 1}}, {AtLeastOneBBoxRandomCrop: {height: 8, width: 8, p: 1}}]"
    run(root, output, a_recipe(turned, copies=6))
    told = []
    for row in rows(output):
        assert replay(str(output), row["file_name"], str(image), str(root))[0], row["file_name"]
        same, message = replay(str(output), row["file_name"], str(image), None)
        told += [] if same else [message]
    assert told
    assert all("say where the input is with --input" in message for message in told)


# Keys: what makes an image again, and what does not


def rewritten(change: Callable[[Any], Any], name: str) -> Callable[[Path], None]:
    return lambda root: edit(root / name, change)


def reverse(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: reverse(value[key]) for key in reversed(value)}
    return list(map(reverse, value)) if isinstance(value, list) else value


def replaced(name: str, old: str, new: str) -> Callable[[Path], None]:
    def change(root: Path) -> None:
        text = (root / name).read_text()
        assert old in text
        (root / name).write_text(text.replace(old, new))

    return change


FLAGS = {"flags": {"x": True, "y": False}}
TABLE = '{"file_name": "0.png", "zz": 1, "aa": 2}\n{"file_name": "1.png", "zz": 1, "aa": 2}\n'
LABELME = {"0.png": picture(0), "0.json": labelme("0.png", **FLAGS), "1.png": picture(1), "1.json": labelme("1.png")}
HF = {"metadata.jsonl": TABLE, "0.png": picture(0), "1.png": picture(1)}
NO_OBJECTS = {"a.json": coco("0.png", "1.png") | {"annotations": []}, "0.png": picture(0), "1.png": picture(1)}
ATTRIBUTES = coco_set(2, attributes={"a": 1, "b": 2})
# what was changed: dataset, change, output formats, how many of its images are made again at one copy and the original
EDITS: list[tuple[str, dict[str, Any], Callable[[Path], None], tuple[str, ...], int]] = [
    ("order of flags", LABELME, rewritten(lambda d: reverse(d), "0.json"), (), 2),
    (
        "order of attributes",
        ATTRIBUTES,
        rewritten(lambda d: d["annotations"][0].update(attributes={"b": 2, "a": 1}), "annotations.json"),
        (),
        2,
    ),
    ("order of columns", HF, replaced("metadata.jsonl", '"zz": 1, "aa": 2', '"aa": 2, "zz": 1'), (), 4),
    ("size of an image", NO_OBJECTS, rewritten(lambda d: d["images"][0].update(width=99), "a.json"), ("yolo",), 2),
    ("class at the end", yolo(), replaced("data.yaml", "dog]", "dog, cow]"), (), 0),
    ("a key of its own", yolo(), replaced("data.yaml", "names", "owner: me\nnames"), (), 0),
    ("comment", yolo(), replaced("data.yaml", "names", "# mine\nnames"), (), 0),
    ("class renamed", yolo(), replaced("data.yaml", "dog", "cow"), (), 6),
    ("classes exchanged", yolo(), replaced("data.yaml", "cat, dog", "dog, cat"), (), 6),
    (
        "class number",
        coco_set(),
        rewritten(lambda d: d["categories"].insert(0, {"id": 7, "name": "cow"}), "annotations.json"),
        ("yolo",),
        6,
    ),
    (
        "class after those used",
        coco_set(),
        rewritten(lambda d: d["categories"].append({"id": 7, "name": "cow"}), "annotations.json"),
        ("yolo",),
        0,
    ),
    ("one label", yolo(), replaced("labels/1.txt", "1 0.7", "0 0.7"), (), 2),
]


@pytest.mark.parametrize(
    ("files", "change", "to", "made"), [case[1:] for case in EDITS], ids=[case[0] for case in EDITS]
)
def test_a_change_makes_what_depends_on_it_and_no_more(
    tmp_path: Path, files: dict[str, Any], change: Callable[[Path], None], to: tuple[str, ...], made: int
) -> None:
    """And OUTPUT comes to what a fresh run makes."""
    root, output, recipe = plant(tmp_path / "in", files), tmp_path / "out", a_recipe(copies=1)
    run(root, output, recipe, to_formats=to)
    change(root)
    assert run(root, output, recipe, to_formats=to).made == made
    assert tree(output) == tree(fresh(root, tmp_path / "x", recipe, to_formats=to))
    assert verified(output) == []


# verify


def row_edited(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], None]:
    """One row of a copy is changed, and the summary made to fit."""

    def spoil(output: Path) -> None:
        found = rows(output)
        change(found[1])
        data = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in found).encode()
        (output / "manifest.jsonl").write_bytes(data)
        told = {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
        edit(output / "summary.json", lambda summary: summary.update(manifest=told))

    return spoil


def thing_edited(**keys: Any) -> Callable[[Path], None]:
    return row_edited(lambda row: row["objects"][0].update(keys))


LABEL = "labels/0_aug01.txt"
ROW = "manifest.jsonl: a row is no manifest row"
POINTS_OUT = "manifest.jsonl: a row points to ../victim.txt"
DAMAGE: list[tuple[str, Callable[[Path], None], str]] = [
    ("box of two numbers", thing_edited(bbox=[1, 2]), ROW),
    ("box outside", thing_edited(bbox=[30, 1, 50, 5]), "images/0_aug01.png: an object 'cat' reaches out"),
    ("box without area", thing_edited(bbox=[3, 1, 0, 5]), "images/0_aug01.png: the box of 'cat' is empty"),
    ("box not a number", thing_edited(bbox=[float("nan"), 1, 3, 5]), "images/0_aug01.png: the box of 'cat' is empty"),
    ("two of three", thing_edited(keypoints=[9, 1]), "images/0_aug01.png: the points of 'cat' are incomplete"),
    ("keypoint outside", thing_edited(keypoints=[99, 1, 2]), "images/0_aug01.png: an object 'cat' reaches out"),
    ("odd ring", thing_edited(segmentation=[[1, 2, 3]]), "images/0_aug01.png: the points of 'cat' are incomplete"),
    ("ring outside", thing_edited(segmentation=[[1, 2, 99, 3, 4, 5]]), "images/0_aug01.png: an object 'cat' reaches"),
    ("obb outside", thing_edited(obb=[99, 1, 99, 2, 99, 9, 99, 3]), "images/0_aug01.png: an object 'cat' reaches out"),
    (
        "mask of another size",
        thing_edited(segmentation={"size": [3, 3], "counts": [9]}),
        "images/0_aug01.png: the mask of 'cat' is of another size",
    ),
    ("mask of other text", thing_edited(segmentation={"size": [30, 40], "counts": "zzz~~"}), ROW),
    ("mask too long", thing_edited(segmentation={"size": [30, 40], "counts": [1, 1200]}), ROW),
    ("objects no list", row_edited(lambda row: row.update(objects="abc")), ROW),
    (
        "mask elsewhere",
        row_edited(lambda row: row.update(mask="../victim.txt")),
        "images/0_aug01.png: its mask is none",
    ),
    ("files elsewhere", row_edited(lambda row: row.update(files={"../victim.txt": "0" * 64})), POINTS_OUT),
    ("files no mapping", row_edited(lambda row: row.update(files="abc")), ROW),
    ("no files", row_edited(lambda row: row.update(files={})), f"{LABEL}: it is in no row of the manifest"),
    ("label gone", lambda output: (output / LABEL).unlink(), f"{LABEL}: missing"),
    ("label changed", lambda output: (output / LABEL).write_text("0 0 0 0 0\n"), f"{LABEL}: its content is not"),
    ("label is a link", lambda output: linked(output), f"{LABEL}: it is a link"),
    ("label is a folder", lambda output: foldered(output), f"{LABEL}: "),
]


def linked(output: Path) -> None:
    """A link, to a file of the same content."""
    (output / LABEL).rename(output.parent / "elsewhere.txt")
    (output / LABEL).symlink_to(output.parent / "elsewhere.txt")


def foldered(output: Path) -> None:
    (output / LABEL).unlink()
    (output / LABEL).mkdir()


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("verified")
    run(plant(root / "in", yolo(count=2)), root / "out", a_recipe(MIRROR, copies=1))
    return root / "out"


@pytest.mark.parametrize(("spoil", "said"), [case[1:] for case in DAMAGE], ids=[case[0] for case in DAMAGE])
def test_verify_finds(finished: Path, tmp_path: Path, spoil: Callable[[Path], None], said: str) -> None:
    output = tmp_path / "out"
    shutil.copytree(finished, output)
    assert verified(output) == []
    (tmp_path / "victim.txt").write_text("mine")
    spoil(output)
    findings = verified(output)
    assert any(finding.startswith(said) for finding in findings), findings
    assert (tmp_path / "victim.txt").read_text() == "mine"


def test_a_folder_in_the_place_of_a_label_file_is_refused(
    finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "out"
    shutil.copytree(finished, output)
    foldered(output)
    before = tree(output)
    (tmp_path / "recipe.yaml").write_text(f"version: 1\ncopies: 1\ntransforms: {MIRROR}\n")
    words = ["run", str(finished.parent / "in"), str(output), "-r", str(tmp_path / "recipe.yaml"), "-j", "0"]
    assert cli.call(words) == 2
    assert f"have names that augx needs but did not write: {LABEL}" in capsys.readouterr().err
    assert tree(output) == before


# Tars


def test_a_member_in_front_makes_no_image_of_a_shard_again(tmp_path: Path) -> None:
    root, output, recipe = tmp_path / "in", tmp_path / "out", a_recipe(MIRROR, copies=1)
    plant(root, {"train-0.tar": tar(member(0) | member(1))})
    assert run(root, output, recipe, to_formats=("hf",)).made == 4
    plant(root, {"train-0.tar": tar(member(9) | member(0) | member(1))})
    outcome = run(root, output, recipe, to_formats=("hf",))
    assert (outcome.made, outcome.kept) == (2, 4)
    expected = fresh(root, tmp_path / "x", recipe, to_formats=("hf",))
    assert tree(output) == tree(expected)
    plant(root, {"train-0.tar": tar(member(1) | member(0) | member(9))})  # another order
    assert run(root, output, recipe, to_formats=("hf",)).made == 0
    assert tree(output) == tree(expected)


def test_folders_called_like_tars(tmp_path: Path) -> None:
    """The folder is no shard, and the shard in it is found."""
    root = plant(tmp_path / "in", {"x.tar/b.tar": tar(member(2)), "a.tar": tar(member(1))})
    outcome = run(root, tmp_path / "out", a_recipe(MIRROR, copies=1), to_formats=("hf",))
    assert (outcome.made, outcome.failed) == (4, 0)
    assert [row["source"] for row in rows(tmp_path / "out")][::2] == ["a.tar/s001.png", "x.tar/b.tar/s002.png"]
    assert rows(tmp_path / "out")[2]["objects"][0]["bbox"] == [4, 5, 12, 10]
    assert verified(tmp_path / "out") == []


# Names


def pair(name: str, seed: int) -> dict[str, bytes]:
    return {f"{name}.png": picture(seed), f"{name}_mask.png": mask(0, seed)}


CLASHES: list[tuple[str, dict[str, Any], tuple[str, ...], str]] = [
    (
        "mask of a copy",
        pair("a", 1) | pair("a_aug01_mask", 2) | pair("b", 3),
        (),
        "a.png and a_aug01_mask.png would both write a_aug01_mask.png",
    ),
    (
        "classes.txt",
        {
            "classes.txt": "cat\ndog\n",
            "classes.jpg": picture(1, ".jpg"),
            "a.jpg": picture(2, ".jpg"),
            "a.txt": "0 .5 .5 .2 .2\n",
        },
        (),
        "classes.jpg would write classes.txt, as a file of the whole dataset is called",
    ),
    (
        "summary.json as read",
        {
            "summary.png": picture(1),
            "summary.json": labelme("summary.png"),
            "b.png": picture(2),
            "b.json": labelme("b.png"),
        },
        (),
        "summary.png would write summary.json, as a file of the whole dataset is called",
    ),
    (
        "summary.json",
        {"x.json": coco("summary.png", "b.png"), "summary.png": picture(1), "b.png": picture(2)},
        ("labelme",),
        "summary.png would write summary.json, as a file of the whole dataset is called",
    ),
    (
        "b.json of COCO",
        {"b.json": coco("a.png", "b.png"), "a.png": picture(1), "b.png": picture(2)},
        ("labelme", "coco"),
        "b.png would write b.json, as a file of the whole dataset is called",
    ),
]


@pytest.mark.parametrize(("files", "to", "said"), [case[1:] for case in CLASHES], ids=[case[0] for case in CLASHES])
def test_two_files_of_one_name_are_refused(
    tmp_path: Path, files: dict[str, Any], to: tuple[str, ...], said: str
) -> None:
    root = plant(tmp_path / "in", files)
    with pytest.raises(InputError) as caught:
        run(root, tmp_path / "out", a_recipe(MIRROR), to_formats=to)
    assert caught.value.message == said
    assert "rename one of them" in caught.value.hint
    assert not (tmp_path / "out").exists()


def test_names_that_only_look_like_a_clash(tmp_path: Path) -> None:
    root = plant(tmp_path / "in", pair("a", 1) | pair("a_mask2", 2) | pair("a_aug01", 3))
    assert run(root, tmp_path / "out", a_recipe(MIRROR, copies=1)).made == 6
    named = [name for row in rows(tmp_path / "out") for name in (row["file_name"], *row["files"])]
    assert len(set(named)) == len(named) == 12
    assert verified(tmp_path / "out") == []


# Masks


@pytest.mark.parametrize("values", [(0, 1, 5, 255), (0, 86, 90), (0, 85, 170), (171, 191, 254), (0, 1)])
@pytest.mark.parametrize("colours", [2, 6, 16, 256])
def test_palette_masks_keep_every_value(values: tuple[int, ...], colours: int) -> None:
    """Also those that the palette has no colour for: `ignore` is one."""
    palette = (bytes(range(256)) * 3)[: 3 * colours]
    pixels = np.array([values], np.uint8)
    again = decode_mask(encode_mask(Mask(pixels, palette), 3))
    assert again.values.tolist() == pixels.tolist()
    assert again.palette is not None and again.palette[: 3 * colours] == palette


def test_what_comes_into_a_palette_mask_is_what_ignore_says(tmp_path: Path) -> None:
    palette = bytes([0, 0, 0, 200, 0, 0, 0, 200, 0])
    files = {"images/0.png": picture(0), "masks/0.png": mask(0, 1, 2, palette=palette)}
    recipe = a_recipe("[{Affine: {translate_percent: {x: [0.25, 0.25]}, p: 1}}]", copies=1, labels={"ignore": 255})
    run(plant(tmp_path / "in", files), tmp_path / "out", recipe)
    with Image.open(tmp_path / "out" / "masks" / "0_aug01.png") as image:
        assert image.mode == "P"
        values = np.asarray(image)
    assert np.unique(values).tolist() == [0, 1, 2, 255]
    assert (values[:, :10] == 255).all() and (values[:, 10:] != 255).all()


# Losses


POLYGON = {"label": "cat", "points": [[4, 5], [16, 5], [16, 15]], "shape_type": "polygon"}
RUNS = {"size": [30, 40], "counts": [4 * 30 + 5, *[10, 20] * 11, 10, 1200 - 4 * 30 - 5 - 11 * 30 - 10]}
SHAPES: list[tuple[str, dict[str, Any]]] = [
    ("labelme", {"0.png": picture(0), "0.json": labelme("0.png", POLYGON)}),
    (
        "yolo-seg",
        {"data.yaml": NAMES, "images/0.png": picture(0), "labels/0.txt": "0 0.1 0.16666667 0.4 0.16666667 0.4 0.5\n"},
    ),
    ("dota", {"images/0.png": picture(0), "labelTxt/0.txt": "4 5 16 5 16 15 4 15 cat 0\n"}),
    ("rle", {"a.json": coco("0.png", bbox=None, segmentation=RUNS), "0.png": picture(0)}),
]


@pytest.mark.parametrize("files", [case[1] for case in SHAPES], ids=[case[0] for case in SHAPES])
def test_what_loses_its_shape_keeps_its_box(tmp_path: Path, files: dict[str, Any]) -> None:
    root = plant(tmp_path / "in", files)
    with pytest.raises(InputError, match="the format voc cannot hold"):
        convert(root, tmp_path / "out", "voc")
    convert(root, tmp_path / "out", "voc", allow_loss=True)
    (text,) = (tmp_path / "out").rglob("*.xml")
    (thing,) = ElementTree.parse(text).iter("object")
    corners = [float(thing.findtext(f"bndbox/{side}") or "nan") for side in ("xmin", "ymin", "xmax", "ymax")]
    assert thing.findtext("name") == "cat"
    assert corners == pytest.approx([4, 5, 16, 15], abs=1e-4)
    assert rows(tmp_path / "out")[0]["objects"][0].keys() <= {"label", "bbox", "area", "extra"}


# Oriented boxes


def test_corners_outside_the_picture_stay_where_they_are(tmp_path: Path) -> None:
    """A strip at 45 degrees that leaves the picture: moving each corner to the edge would make it a triangle."""
    files = {"images/a.png": picture(0), "labelTxt/a.txt": "24 14 44 34 38 40 18 20 ship 0\n"}
    convert(plant(tmp_path / "in", files), tmp_path / "out", "yolo")
    numbers = (tmp_path / "out" / "labels" / "a.txt").read_text().split()
    assert numbers[0] == "0"
    flat = [float(value) * (30 if place % 2 else 40) for place, value in enumerate(numbers[1:])]
    assert flat == pytest.approx([24, 14, 44, 34, 38, 40, 18, 20], abs=1e-5)
    assert rows(tmp_path / "out")[0]["objects"][0]["obb"] == [24, 14, 44, 34, 38, 40, 18, 20]
    convert(tmp_path / "out", tmp_path / "back", "dota")
    line = (tmp_path / "back" / "labelTxt" / "a.txt").read_text().split("\n")[-2]
    assert [float(value) for value in line.split()[:8]] == pytest.approx(flat, abs=1e-5)


def test_a_cut_box_lies_along_its_longer_sides() -> None:
    """Made a parallelogram, with its middle outside: also where the first side is a short one."""
    thing = Object("ship", corners=array("d", (30, 14, 34, 10, 54, 30, 50, 34)))
    carrier = Carrier(Annotations(objects=(thing,)), 60, 40, LabelOptions(), {})
    wider = np.array([[1.5, 0, -12], [0, 1, 0], [0, 0, 1]])
    carrier.move(Matrix(rows_of(wider), 40, 30), lambda plane: plane)
    (after,) = carrier.finish(None)[0].objects
    assert after.box == (33, 10, 40, 18.667)
    assert after.corners is not None
    corners = np.array(after.corners).reshape(4, 2)
    for side in (corners[2] - corners[1], corners[3] - corners[0]):
        assert np.degrees(np.arctan2(side[1], side[0])) == pytest.approx(np.degrees(np.arctan2(20, 30)), abs=0.01)
    assert np.hypot(*(corners[1] - corners[0])) == pytest.approx(6.656, abs=0.001)
