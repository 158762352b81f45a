"""What a sheet shows is what a run would write."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import label_sets
import numpy as np
import pytest
from conftest import encoded, failures, rows
from PIL import Image
from running import a_recipe, run

from augx import preview
from augx.drawing.sheet import Row
from augx.engine import Request
from augx.preview import Asked, Sheet, words
from augx.recipe import Recipe

TURNS = "[HorizontalFlip, {Affine: {rotate: [-40, 40], scale: [0.7, 1.3], p: 1}}]"
MIXES = "[{mixup: {partners: any, p: 0.5}}, {mosaic: {p: 0.5}}, HorizontalFlip, {Rotate: {p: 1}}]"


def sheet(input: Path, recipe: Recipe, show: str = "copies", **asked: Any) -> Sheet:
    """Pictures as they are: no labels, no scaling."""
    named = ("request", "only", "sample", "per_class", "cell", "labels", "page")
    request = {key: asked.pop(key) for key in list(asked) if key not in named}
    given = Request(str(input), "", recipe, **({"workers": 0, "changes": {"copies": recipe.copies}} | request))
    return preview.make(Asked(given, show, **({"cell": 48, "labels": False, "sample": 99} | asked)))


def written(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def tiles(found: Sheet) -> dict[tuple[str, str], Any]:
    """(source, caption) -> pixels."""
    return {(row.title.split(" · ")[0], tile.caption): tile.pixels for row in found.rows for tile in row.tiles}


def plant_folder(root: Path) -> None:
    label_sets.plant(root, {f"{'ab'[n % 2]}/{n}.jpg": encoded(n, width=48, height=36) for n in range(5)})


def plant_yolo(root: Path) -> None:
    label_sets.plant(
        root, label_sets.yolo() | {f"images/{n}.png": encoded(n, ".png", width=48, height=36) for n in range(3)}
    )


def plant_masks(root: Path) -> None:
    label_sets.plant(root, label_sets.masks())


CASES: Mapping[str, tuple[Callable[[Path], None], str, dict[str, Any]]] = {
    "folder": (plant_folder, TURNS, {}),
    "mixed": (plant_folder, MIXES, {"to_formats": ("table",)}),
    "boxes": (plant_yolo, MIXES, {}),
    "crops": (plant_yolo, "[{RandomSizedBBoxSafeCrop: {height: 36, width: 48, p: 1}}]", {}),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("workers", [0, 2])
def test_copies_are_those_of_the_run(tmp_path: Path, case: str, workers: int) -> None:
    plant, transforms, request = CASES[case]
    plant(tmp_path / "in")
    recipe = a_recipe(transforms, copies=3, seed=5)
    run(tmp_path / "in", tmp_path / "out", recipe, **request)
    found = tiles(sheet(tmp_path / "in", recipe, workers=workers, **request))
    made = [row for row in rows(tmp_path / "out") if row["copy"]]
    assert len(found) == len(made) * 4 // 3
    for row in made:
        assert np.array_equal(found[row["source"], f"copy {row['copy']}"], written(tmp_path / "out" / row["file_name"]))


def test_labels_are_those_of_the_run(tmp_path: Path) -> None:
    """The words about each copy say how many objects it has, and of which class."""
    plant_yolo(tmp_path / "in")
    recipe = a_recipe("[{Affine: {translate_percent: [-0.8, 0.8], p: 1}}]", copies=4)
    run(tmp_path / "in", tmp_path / "out", recipe)
    found = sheet(tmp_path / "in", recipe, labels=True)
    alts = {(row.title.split(" · ")[0], tile.caption): tile.alt for row in found.rows for tile in row.tiles}
    lost = 0
    for row in rows(tmp_path / "out"):
        if row["copy"]:
            alt = alts[row["source"], f"copy {row['copy']}"]
            for name in ("cat", "dog"):
                assert (f"1 {name}" in alt) == (name in {thing["label"] for thing in row["objects"]})
            gone = len(row["dropped"])
            assert (f"lost {gone} of 2 objects" in alt) == (gone > 0)
            lost += gone
    assert lost
    assert set(found.legend) == {"cat", "dog"}


def test_a_sheet_is_the_same_for_any_number_of_workers(tmp_path: Path) -> None:
    plant_yolo(tmp_path / "in")
    recipe = a_recipe(MIXES, copies=2)
    alone, three = (sheet(tmp_path / "in", recipe, labels=True, workers=number) for number in (0, 3))
    assert alone.image(".png") == three.image(".png")
    assert alone.html() == three.html()


def test_a_mask_is_shown_with_its_classes(tmp_path: Path) -> None:
    plant_masks(tmp_path / "in")
    found = sheet(tmp_path / "in", a_recipe(TURNS), labels=True)
    assert set(found.legend) == {"1", "2"}
    assert found.failed == 0


def test_what_cannot_be_made_says_why(tmp_path: Path) -> None:
    plant_folder(tmp_path / "in")
    (tmp_path / "in" / "a" / "broken.jpg").write_bytes(b"no image")
    recipe = a_recipe("[{RandomCrop: {height: 40, width: 48, p: 0.5}}]", copies=3)
    run(tmp_path / "in", tmp_path / "out", recipe)
    found = sheet(tmp_path / "in", recipe)
    failed = {
        (row.title.split(" · ")[0], tile.caption): tile.says
        for row in found.rows
        for tile in row.tiles
        if tile.pixels is None
    }
    told = {
        (
            row["source"],
            "source" if row["stage"] == "decode" else f"copy {row['copy']}",
        ): f"{row['error']}: {row['message']}"
        for row in failures(tmp_path / "out")
    }
    assert failed == told
    assert found.failed == len(told) > 1
    assert "not-an-image" in failed["a/broken.jpg", "source"]


def test_rejected_copies_say_so(tmp_path: Path) -> None:
    plant_yolo(tmp_path / "in")
    recipe = a_recipe("[{Affine: {translate_percent: [0.9, 0.9], p: 1}}]", reject={"lost_objects": 0.1})
    found = sheet(tmp_path / "in", recipe)
    assert found.failed == 6
    assert {tile.says.split(":")[0] for row in found.rows for tile in row.tiles[1:]} == {"rejected"}


def captions(row: Row) -> list[str]:
    return [tile.caption for tile in row.tiles]


def test_steps_end_with_the_first_copy(tmp_path: Path) -> None:
    """Another step shows more of what is drawn, and draws nothing anew."""
    plant_yolo(tmp_path / "in")
    steps = "[{RandomBrightnessContrast: {p: 1}}, {HorizontalFlip: {p: 0.5}}, {Rotate: {p: 1}}]"
    recipe = a_recipe(steps, copies=2, output={"image": {"format": "png"}})
    run(tmp_path / "in", tmp_path / "out", recipe)
    found = sheet(tmp_path / "in", recipe, "step")
    first = {row["source"]: row for row in rows(tmp_path / "out") if row["copy"] == 1}
    skipped = 0
    for row in found.rows:
        assert captions(row) == ["source", "1. RandomBrightnessContrast", "2. HorizontalFlip", "3. Rotate"]
        made = first[row.title]
        assert np.array_equal(row.tiles[-1].pixels, written(tmp_path / "out" / made["file_name"]))
        flipped = any(one["name"] == "HorizontalFlip" for one in made["transforms"])
        assert (row.tiles[2].says == "not drawn for this copy") == (not flipped)
        skipped += not flipped
        if flipped:
            assert np.array_equal(row.tiles[2].pixels, row.tiles[1].pixels[:, ::-1])
    assert 0 < skipped < 3


def test_steps_show_the_attempt_that_was_kept(tmp_path: Path) -> None:
    """A copy that equals its source is drawn again; so are its steps."""
    plant_folder(tmp_path / "in")
    recipe = a_recipe("[{HorizontalFlip: {p: 0.3}}]", copies=1, output={"image": {"format": "png"}})
    run(tmp_path / "in", tmp_path / "out", recipe)
    made = {row["source"]: row for row in rows(tmp_path / "out") if row["copy"] == 1}
    assert any(row["redrawn"] for row in made.values())
    for row in sheet(tmp_path / "in", recipe, "step").rows:
        name = row.title.split(" · ")[0]
        drawn = bool(made[name]["transforms"])
        assert (row.tiles[1].says == "not drawn for this copy") == (not drawn)


def test_extremes_hold_each_range_at_its_ends(tmp_path: Path) -> None:
    plant_yolo(tmp_path / "in")
    recipe = a_recipe("[{OneOf: [{Affine: {rotate: [-90, 90], p: 0.1}}, Posterize]}, HorizontalFlip, {ToGray: {p: 0}}]")
    found = sheet(tmp_path / "in", recipe, "extremes", sample=None, only=("1.png",))
    affine, posterize, flip, grey = found.rows
    assert captions(affine) == ["source", "rotate = -90", "rotate = 90"]
    assert affine.title == "Affine rotate: [-90, 90] · images/1.png"
    source, left, right = (tile.pixels.astype(int) for tile in affine.tiles)
    centre = (slice(8, 28), slice(14, 34))
    assert np.abs(right[centre] - np.rot90(source[centre])).mean() < 5 < np.abs(right[centre] - source[centre]).mean()
    assert np.abs(left[centre] - np.rot90(source[centre], -1)).mean() < 5
    assert captions(posterize) == ["source", "draw 1"]
    assert np.array_equal(flip.tiles[1].pixels, flip.tiles[0].pixels[:, ::-1])
    assert flip.tiles[1].says == ""
    assert np.ptp(grey.tiles[1].pixels, axis=2).max() == 0


def test_extremes_keep_inside_to_the_inside(tmp_path: Path) -> None:
    plant_yolo(tmp_path / "in")
    recipe = a_recipe("[{inside: {classes: [cat], of: box, transforms: [{InvertImg: {p: 0.1}}]}}]")
    (row,) = sheet(tmp_path / "in", recipe, "extremes", sample=None, only=("0.png",)).rows
    source, made = (tile.pixels for tile in row.tiles)
    assert np.array_equal(made[:4], source[:4])
    assert not np.array_equal(made, source)


def test_what_does_nothing_says_so(tmp_path: Path) -> None:
    label_sets.plant(tmp_path / "in", {"a/0.png": encoded(0, ".png", mode="L")})
    (row,) = sheet(tmp_path / "in", a_recipe("[{Morphological: {scale: [1, 1], p: 1}}]"), "extremes").rows
    assert [tile.says for tile in row.tiles] == ["", "changes nothing here"]


def test_overrides_show_their_own_steps(tmp_path: Path) -> None:
    plant_folder(tmp_path / "in")
    recipe = a_recipe("[VerticalFlip]", overrides=[{"when": {"class": ["b"]}, "transforms": ["HorizontalFlip"]}])
    found = {row.title.split(" · ")[1]: captions(row)[1:] for row in sheet(tmp_path / "in", recipe, "step").rows}
    assert found == {"a": ["1. VerticalFlip"], "b": ["1. HorizontalFlip"]}


def test_16_bits_are_shown_up_to_their_brightest(tmp_path: Path) -> None:
    ramp = np.linspace(0, 4095, 48 * 36).reshape(36, 48).astype(np.uint16)
    buffer = io.BytesIO()
    Image.fromarray(ramp).save(buffer, "PNG")
    label_sets.plant(tmp_path / "in", {"a/0.png": buffer.getvalue()})
    (row,) = sheet(tmp_path / "in", a_recipe("[{HorizontalFlip: {p: 1}}]", copies=1)).rows
    source, copy = (tile.pixels for tile in row.tiles)
    assert source.max() == 255
    assert np.array_equal(copy, source[:, ::-1])


def test_captions_are_told_and_those_that_were_mixed_in(tmp_path: Path) -> None:
    texts = ["a cat left of a dog", "word " * 90, "北" * 300]
    lines = [json.dumps({"file_name": f"{n}.png", "text": text}) for n, text in enumerate(texts)]
    files: dict[str, Any] = {f"train/{n}.png": encoded(n, ".png") for n in range(3)}
    label_sets.plant(tmp_path / "in", files | {"train/metadata.jsonl": "\n".join(lines)})
    found = sheet(tmp_path / "in", a_recipe("[{mixup: {partners: any, p: 1}}]", copies=1))
    said = [row.says for row in found.rows]
    assert said[0] == ("“a cat left of a dog”",)
    assert said[1] == (f"“{'word ' * 39}word…”",) and said[2] == (f"“{'北' * 199}…”",)
    copies = [row.tiles[1].says for row in found.rows]
    assert all(re.fullmatch(r"also “.{1,40}” · mixup", text) for text in copies), copies
    assert "“a cat left of a dog”" in found.html().decode()


def test_of_many_captions_two_are_told() -> None:
    assert words.of_captions(["a", "b", "c d", "e"]) == ("“a”", "“b”", "and 2 more")
    assert words.of_captions([]) == ()
