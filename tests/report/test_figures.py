"""The figures of a report are those of the rows."""

from __future__ import annotations

import hashlib
import io
import json
import math
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import label_sets
import numpy as np
import pytest
from conftest import encoded, rows
from PIL import Image
from running import a_recipe, run

from augx import journal
from augx.errors import OutputError, Refused
from augx.report import METRICS, as_json, figures, gate, parse, verdicts
from augx.report.counts import CELLS, Boxes, Sample, Words
from augx.report.figures import mixed
from augx.report.metrics import metrics
from augx.store import Folder

MOVES = "[HorizontalFlip, {Affine: {rotate: [-20, 20], translate_percent: [-0.6, 0.6], p: 0.8}}, {Posterize: {p: 0.5}}]"


def yolo(root: Path, count: int = 6) -> Path:
    files = label_sets.yolo(count=3)
    for number in range(count):
        files[f"images/{number}.png"] = encoded(number, ".png", width=48, height=36)
        files[f"labels/{number}.txt"] = "0 0.4 0.5 0.25 0.4\n1 0.7 0.6 0.3 0.2\n"
    return label_sets.plant(root, files)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """OUTPUT of six pictures with a cat and a dog each, moved far."""
    root = tmp_path_factory.mktemp("report")
    run(yolo(root / "in"), root / "out", a_recipe(MOVES, copies=4))
    return root / "out"


def levels(told: Any) -> dict[str, str]:
    return {one.metric: one.level for one in verdicts(told)}


def test_what_was_made(finished: Path) -> None:
    told, found = figures(str(finished)).told, rows(finished)
    made = told["made"]
    copies = [row for row in found if row["copy"]]
    assert (made["images"], made["originals"], made["copies"]) == (30, 6, 24) == (len(found), 6, len(copies))
    assert made["bytes"] == sum(row["bytes"] for row in found)
    assert made["endings"] == {"png": 30}
    assert made["redrawn"] == sum(row["redrawn"] > 0 for row in found)


def test_classes_and_what_they_lost(finished: Path) -> None:
    told, found = figures(str(finished)).told, rows(finished)
    assert list(told["classes"]) == ["cat", "dog"]
    for name, one in told["classes"].items():
        kept = [sum(thing["label"] == name for thing in row["objects"]) for row in found]
        lost = Counter(gone["reason"] for row in found for gone in row["dropped"] if gone["label"] == name)
        assert one["images"] == {"before": 6, "after": sum(count > 0 for count in kept)}
        assert one["objects"] == {"before": 6, "after": sum(kept)}
        assert one["lost"] == {"count": sum(lost.values()), "of": 24, "reasons": dict(sorted(lost.items()))}
    metric = metrics(told)["lost_objects"]
    assert 0 < metric.count == sum(len(row["dropped"]) for row in found) and metric.of == 48


def test_the_use_of_transforms(finished: Path) -> None:
    told, found = figures(str(finished)).told, rows(finished)
    used = Counter(one["name"] for row in found for one in row["transforms"])
    assert {name: one["images"] for name, one in told["transforms"].items()} == dict(used)
    assert list(told["transforms"]) == [name for name, _ in sorted(used.items(), key=lambda one: (-one[1], one[0]))]
    affine = told["transforms"]["Affine"]
    angles = [one["params"]["rotate"] for row in found for one in row["transforms"] if one["name"] == "Affine"]
    assert affine["arguments"]["rotate"]["count"] == len(angles) == sum(affine["arguments"]["rotate"]["counts"])
    assert affine["arguments"]["rotate"]["low"] == pytest.approx(min(angles), rel=1e-3)
    moved = [row for row in found if any(one["name"] == "Affine" for one in row["transforms"])]
    lost = sum(len(row["dropped"]) for row in moved)
    assert affine["lost_objects"] == {"count": lost, "of": lost + sum(len(row["objects"]) for row in moved)}
    assert affine["share"] == pytest.approx(used["Affine"] / 24, rel=1e-3)


def test_boxes_are_counted_where_they_are(finished: Path) -> None:
    told = figures(str(finished)).told["boxes"]
    assert (
        told["before"]["count"]
        == 12
        == sum(map(sum, told["before"]["places"]))
        == sum(map(sum, told["before"]["sizes"]))
    )
    places = np.array(told["before"]["places"])
    assert places[int(0.5 * CELLS), int(0.4 * CELLS)] == 6
    assert places[int(0.6 * CELLS), int(0.7 * CELLS)] == 6


def test_a_box_that_is_far_away_is_at_the_edge() -> None:
    boxes = Boxes()
    boxes.add((1e308, -1e308, 1e308, 1), 10, 10)
    assert boxes.told()["places"][0][CELLS - 1] == 1


def test_sizes_are_in_octaves() -> None:
    boxes = Boxes()
    boxes.add((0, 0, 100, 50), 100, 100)
    boxes.add((0, 0, 1, 100), 1024, 100)
    sizes = np.array(boxes.told()["sizes"])
    assert sizes[21, 23] == 1 and sizes[23, 0] == 1 and sizes.sum() == 2


@pytest.mark.parametrize("angle", [10, 30, 45])
def test_boxes_grow_as_geometry_says(tmp_path: Path, angle: int) -> None:
    files = {f"images/{n}.png": encoded(n, ".png", width=100, height=100) for n in range(3)}
    files |= {"data.yaml": label_sets.NAMES} | {f"labels/{n}.txt": "0 0.5 0.5 0.2 0.1\n" for n in range(3)}
    label_sets.plant(tmp_path / "in", files)
    recipe = a_recipe(f"[{{Affine: {{rotate: [{angle}, {angle}], scale: [1.2, 1.2], p: 1}}}}]", copies=1)
    run(tmp_path / "in", tmp_path / "out", recipe)
    told = figures(str(tmp_path / "out")).told
    sine, cosine = math.sin(math.radians(angle)), math.cos(math.radians(angle))
    wanted = (20 * cosine + 10 * sine) * (20 * sine + 10 * cosine) / 200
    assert told["box_growth"]["count"] == 3
    assert told["box_growth"]["median"] == pytest.approx(wanted, rel=0.01)
    assert levels(told)["grown_boxes"] == "warning"


def test_outlines_do_not_count_as_grown(tmp_path: Path) -> None:
    segment = "0 0.3 0.3 0.6 0.3 0.6 0.6\n"
    files: dict[str, Any] = {"images/0.png": encoded(0, ".png"), "labels/0.txt": segment, "data.yaml": label_sets.NAMES}
    run(label_sets.plant(tmp_path / "in", files), tmp_path / "out", a_recipe("[{Affine: {rotate: [20, 20], p: 1}}]"))
    assert figures(str(tmp_path / "out")).told["box_growth"]["count"] == 0


def test_destroyed_pictures_are_seen(tmp_path: Path) -> None:
    dark = "[{RandomBrightnessContrast: {brightness_limit: [-1, -1], contrast_limit: [0, 0], p: 1}}]"
    run(yolo(tmp_path / "in"), tmp_path / "out", a_recipe(dark, copies=1))
    told = figures(str(tmp_path / "out")).told
    assert told["pictures"]["destroyed"]["count"] == told["pictures"]["destroyed"]["of"] == 6
    assert told["pictures"]["destroyed"]["examples"][0]["file_name"] == "images/0_aug01.png"
    assert levels(told)["destroyed"] == "error"


def test_a_picture_that_was_black_is_not_destroyed(tmp_path: Path) -> None:
    black = io.BytesIO()
    Image.new("RGB", (24, 18)).save(black, "PNG")
    label_sets.plant(tmp_path / "in", {"a/0.png": black.getvalue()})
    run(tmp_path / "in", tmp_path / "out", a_recipe("[{PixelDropout: {dropout_prob: 0.01, drop_value: 9, p: 1}}]"))
    assert figures(str(tmp_path / "out")).told["pictures"]["destroyed"]["count"] == 0


def test_copies_that_nobody_can_tell_apart_are_seen(tmp_path: Path) -> None:
    light = "[{RandomBrightnessContrast: {brightness_limit: [0.004, 0.007], contrast_limit: [0, 0], p: 1}}]"
    run(yolo(tmp_path / "in"), tmp_path / "out", a_recipe(light, copies=1))
    told = figures(str(tmp_path / "out")).told
    assert told["pictures"]["nearly_equal"]["count"] == 6
    assert told["pictures"]["nearly_equal"]["examples"][0]["why"] == "nearly equal to images/0.png"
    assert levels(told)["nearly_equal"] == "warning"


def test_equal_copies_are_counted(tmp_path: Path) -> None:
    run(yolo(tmp_path / "in"), tmp_path / "out", a_recipe("[{HorizontalFlip: {p: 1}}]", copies=3))
    told = figures(str(tmp_path / "out")).told
    assert metrics(told)["equal_images"].count == 12
    assert levels(told)["equal_images"] == "warning"


def split_set(root: Path, twin: bool) -> Path:
    files = {
        f"{split}/a/{n}.png": encoded(n + 10 * (split == "val"), ".png") for split in ("train", "val") for n in range(3)
    }
    return label_sets.plant(root, files | ({"val/a/9.png": encoded(1, ".png")} if twin else {}))


@pytest.mark.parametrize("twin", [False, True])
def test_a_picture_in_two_splits_is_a_leak(tmp_path: Path, twin: bool) -> None:
    run(split_set(tmp_path / "in", twin), tmp_path / "out", a_recipe())
    told = figures(str(tmp_path / "out")).told
    assert metrics(told)["leaks"].count == twin
    assert told["leaks"]["twins"]["examples"] == ([["train/a/1.png", "val/a/9.png"]] if twin else [])
    assert levels(told)["leaks"] == ("error" if twin else "good")
    assert told["splits"]["train"] == {"before": 3, "after": 9}


def test_pictures_that_look_alike_in_two_splits_are_a_warning(tmp_path: Path) -> None:
    root = split_set(tmp_path / "in", False)
    rng = np.random.default_rng(0)
    scene = Image.fromarray(rng.integers(0, 256, (9, 12, 3), dtype=np.uint8)).resize((96, 72), Image.Resampling.BICUBIC)
    scene.save(root / "train" / "a" / "scene.png")
    scene.resize((60, 45)).save(root / "val" / "a" / "scene.png")
    run(root, tmp_path / "out", a_recipe())
    told = figures(str(tmp_path / "out")).told
    assert told["leaks"]["alike"] == {"count": 1, "of": 8, "examples": [["train/a/scene.png", "val/a/scene.png"]]}
    assert levels(told) | {"leaks": "good", "alike": "warning"} == levels(told)
    assert gate(told, ["alike>0"]) == ["alike is 1 of 8 sources compared (12.5%), more than 0"]


def test_only_multiplied_sources_are_looked_at(tmp_path: Path) -> None:
    run(split_set(tmp_path / "in", False), tmp_path / "out", a_recipe())
    found = figures(str(tmp_path / "out"))
    assert {shot.row["split"] for shot in found.shots} == {"train"}
    assert found.told["pictures"]["looked_at"] == {"sources": 3, "copies": 6}


def test_without_originals(tmp_path: Path) -> None:
    run(yolo(tmp_path / "in"), tmp_path / "out", a_recipe(MOVES, originals=False))
    told = figures(str(tmp_path / "out")).told
    assert told["made"]["originals"] == 0 == told["classes"]["cat"]["objects"]["before"]
    assert told["boxes"]["before"]["count"] == 0 < told["boxes"]["after"]["count"]


def test_failures_are_told_with_the_first(tmp_path: Path) -> None:
    root = label_sets.plant(tmp_path / "in", {"a/0.png": encoded(0, ".png"), "a/1.png": b"no image"})
    run(root, tmp_path / "out", a_recipe())
    told = figures(str(tmp_path / "out")).told
    assert told["failures"]["not-an-image"]["count"] == 3
    assert told["failures"]["not-an-image"]["first"]["source"] == "a/1.png"
    assert levels(told)["failed_images"] == "error"


def test_masks_have_the_names_that_output_gives_them(tmp_path: Path) -> None:
    files = label_sets.masks() | {"classes.txt": "ground\nroad\ntree\n"}
    run(label_sets.plant(tmp_path / "in", files), tmp_path / "out", a_recipe(MOVES))
    found = figures(str(tmp_path / "out"))
    assert len(found.shots) == 9
    assert set(found.colours) == {"ground", "road", "tree"}


def test_at_most_240_pictures_are_looked_at(tmp_path: Path) -> None:
    files = {f"a/{n:03d}.png": encoded(n, ".png", width=12, height=12) for n in range(150)}
    run(label_sets.plant(tmp_path / "in", files), tmp_path / "out", a_recipe("[{HorizontalFlip: {p: 1}}]", copies=2))
    found = figures(str(tmp_path / "out"))
    sources = [shot.row["source"] for shot in found.shots if shot.row["copy"] == 0]
    assert found.told["pictures"]["looked_at"] == {"sources": 60, "copies": 120}
    assert sources[0] == "a/000.png" and sources[59] > "a/145"
    assert 0 < len(sources) - 60 <= 12  # those of some of the others whose copies are equal
    assert all("equal" in shot.flags for shot in found.shots[180:] if shot.row["copy"])


def test_the_same_twice(finished: Path) -> None:
    one, other = (figures(str(finished)) for _ in range(2))
    assert json.dumps(as_json(one.told)) == json.dumps(as_json(other.told))
    assert [shot.webp for shot in one.shots] == [shot.webp for shot in other.shots]


def test_what_is_no_output_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="holds no finished run"):
        figures(str(tmp_path))


@pytest.mark.parametrize("damage", [b"{", b'{"copy": 1}\n', b"EMPTY", b"NaN", b"\xff\n", b"[]\n"])
def test_a_damaged_manifest_is_refused(finished: Path, tmp_path: Path, damage: bytes) -> None:
    shutil.copytree(finished, tmp_path / "out")
    if damage == b"EMPTY":  # a picture without pixels
        damage = (tmp_path / "out" / "manifest.jsonl").read_bytes().replace(b'"width": 48', b'"width": 0')
    if damage == b"NaN":
        line = json.loads((tmp_path / "out" / "manifest.jsonl").read_bytes().splitlines()[0])
        line["objects"][0]["bbox"][0] = math.nan
        damage = json.dumps(line).encode() + b"\n"
    with (tmp_path / "out" / "manifest.jsonl").open("ab") as file:
        file.write(damage)
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    summary["manifest"]["sha256"] = hashlib.sha256((tmp_path / "out" / "manifest.jsonl").read_bytes()).hexdigest()
    (tmp_path / "out" / "summary.json").write_text(json.dumps(summary))
    with pytest.raises(OutputError, match=r"manifest\.jsonl is damaged"):
        figures(str(tmp_path / "out"))


@pytest.mark.parametrize("rows_left", [0, 2])
def test_a_manifest_that_is_another_is_refused(finished: Path, tmp_path: Path, rows_left: int) -> None:
    shutil.copytree(finished, tmp_path / "out")
    manifest = tmp_path / "out" / "manifest.jsonl"
    manifest.write_bytes(b"".join(manifest.read_bytes().splitlines(keepends=True)[:rows_left]))
    with pytest.raises(OutputError, match=r"manifest\.jsonl is damaged"):
        figures(str(tmp_path / "out"))


def test_a_picture_that_is_gone_is_left_out_and_told(finished: Path, tmp_path: Path) -> None:
    shutil.copytree(finished, tmp_path / "out")
    (tmp_path / "out" / "images" / "0.png").unlink()
    (tmp_path / "out" / "images" / "1.png").write_bytes(b"no image")
    found = figures(str(tmp_path / "out"))
    names = {shot.row["file_name"] for shot in found.shots}
    assert names and not names & {"images/0.png", "images/1.png"}
    assert found.told["pictures"]["unreadable"] == {
        "count": 2,
        "of": 2 + len(found.shots),
        "examples": ["images/0.png", "images/1.png"],
    }
    assert levels(found.told)["unreadable"] == "error" and gate(found.told, ["unreadable>0"])
    (said,) = gate(found.told, ["destroyed>0"])
    assert said.startswith("destroyed cannot be measured: 2 of ") and said.endswith(" are missing or damaged")


@pytest.mark.parametrize("gone", [False, True])
def test_what_could_not_be_looked_at_passes_no_gate(finished: Path, tmp_path: Path, gone: bool) -> None:
    shutil.copytree(finished, tmp_path / "out")
    for path in (tmp_path / "out" / "images").glob("*.png"):
        path.unlink() if gone else path.write_bytes(b"junk")
    told = figures(str(tmp_path / "out")).told
    assert gate(told, ["destroyed>0", "nearly_equal>5%"]) == [
        "destroyed cannot be measured: 0 copies looked at",
        "nearly_equal cannot be measured: 0 copies looked at",
    ]
    assert as_json(told)["metrics"]["destroyed"] == {"count": None, "of": 0, "share": None}
    assert gate(told, ["leaks>0"]) == ["leaks cannot be measured: there are no two splits"]


def test_imbalance_that_failures_made_is_told(tmp_path: Path) -> None:
    files = {f"{name}/{n}.png": encoded(n + 9 * (name == "b"), ".png") for name in "ab" for n in range(4)}
    label_sets.plant(tmp_path / "in", files | {f"b/{n}.png": b"no image" for n in range(2)})
    run(tmp_path / "in", tmp_path / "out", a_recipe(copies=1))
    told = figures(str(tmp_path / "out")).told
    assert {name: one["images"] for name, one in told["classes"].items()} == {
        "a": {"before": 4, "after": 8},
        "b": {"before": 4, "after": 4},
    }
    (said,) = (one.words for one in verdicts(told) if one.metric == "imbalance")
    assert said == "a is 2.0 times as large as b; before, all were of the same size"


def test_classes_of_one_size_are_not_compared(tmp_path: Path) -> None:
    label_sets.plant(tmp_path / "in", {f"{name}/0.png": encoded(ord(name), ".png") for name in "abc"})
    run(tmp_path / "in", tmp_path / "out", a_recipe(copies=1))
    (said,) = (one.words for one in verdicts(figures(str(tmp_path / "out")).told) if one.metric == "imbalance")
    assert said == "all 3 are of the same size"


# counts


def test_a_sample_is_fair_and_the_same_every_time() -> None:
    one, other = Sample(), Sample()
    for value in range(50_000):
        one.add(value)
        other.add(value)
    assert one.told() == other.told()
    assert one.told()["count"] == 50_000 and (one.low, one.high) == (0, 49_999)
    assert one.median() == pytest.approx(25_000, rel=0.06)
    assert sum(one.told()["counts"]) == 2000 and min(one.told()["counts"]) > 40


def test_nothing_and_one_number() -> None:
    sample = Sample()
    assert sample.told() == {"count": 0} and sample.median() is None
    sample.add(3.0)
    assert sample.told() == {"count": 1, "low": 3.0, "high": 3.0, "median": 3.0, "counts": [1]}


def test_words_beyond_twenty_are_others() -> None:
    words = Words()
    for number in range(30):
        words.add(str(number))
    assert len(words.counts) == 21 and words.counts["(others)"] == 10


# gates


@pytest.mark.parametrize(
    ("limit", "wanted"),
    [
        ("lost_objects>5%", ("lost_objects", 5, True)),
        ("LEAKS>1", ("leaks", 1, False)),
        (" imbalance > 2.5 ", ("imbalance", 2.5, False)),
    ],
)
def test_limits_are_read(limit: str, wanted: tuple[str, float, bool]) -> None:
    assert parse(limit) == wanted


@pytest.mark.parametrize(
    ("limit", "said"),
    [
        ("lost_object>5%", "did you mean lost_objects?"),
        ("lost_objects<5", "write lost_objects>5%, in quotes"),
        ("lost_objects", "in quotes"),
        ("lost_objects>many", "in quotes"),
        ("lost_objects>١", "in quotes"),
        ("nothing>1", ", ".join(METRICS)),
    ],
)
def test_wrong_limits_are_refused(limit: str, said: str) -> None:
    with pytest.raises(Refused) as refused:
        parse(limit)
    assert said in refused.value.hint


def test_a_gate_holds_counts_and_shares(finished: Path) -> None:
    told = figures(str(finished)).told
    share = metrics(told)["lost_objects"].share * 100
    count = int(metrics(told)["lost_objects"].count)
    assert gate(told, [f"lost_objects>{share + 0.1:.3f}%", f"lost_objects>{count}", "failed_images>0"]) == []
    (passed,) = gate(told, [f"lost_objects>{share - 0.1:.3f}%"])
    assert passed.startswith(f"lost_objects is {count} of 48 objects in copies (")
    with pytest.raises(Refused, match="leaks is no share"):
        gate(told, ["leaks>1%"])


def test_a_newer_run_that_has_not_ended_is_said_first(finished: Path, tmp_path: Path) -> None:
    output = Path(shutil.copytree(finished, tmp_path / "out"))
    (output / "images" / "0.png").write_bytes(b"spoilt")
    assert verdicts(figures(str(output)).told)[0].title == "Pictures are missing or damaged"
    journal.begin(Folder(str(output)), ["images/0_aug05.png"], 0)
    told = figures(str(output)).told
    first = verdicts(told)[0]
    assert told["unfinished"] is True
    assert (first.level, first.title) == ("error", "A newer run has not ended")
    assert first.way_out == "the same `augx run` again goes on from there"
    (output / "manifest.jsonl").write_bytes(b"")  # it had begun to end
    with pytest.raises(OutputError, match="a newer run has not ended in"):
        figures(str(output))
    (output / "summary.json").unlink()
    with pytest.raises(OutputError, match="holds a run that has not ended") as caught:
        figures(str(output))
    assert "the same command again" in caught.value.hint


def test_a_gallery_begins_with_some_of_all_parts() -> None:
    assert mixed(range(5)) == [0, 1, 2, 3, 4]
    assert mixed(range(30))[:11] == [0, 3, 6, 9, 12, 15, 18, 21, 24, 27, 1]
    assert sorted(mixed(range(30))) == list(range(30)) and mixed([]) == []


def test_every_metric_is_explained(finished: Path) -> None:
    assert metrics(figures(str(finished)).told).keys() == METRICS.keys()
