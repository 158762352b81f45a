"""What `augx probe` takes for the truth, and what it learns from, with masks and with boxes. No torch."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click
import numpy as np
import pytest
from conftest import rows
from PIL import Image
from shapes import SIDE, shapes, with_boxes, with_masks

from augx import engine, recipe
from augx.cli import call
from augx.cli import probe as cli
from augx.errors import InputError
from augx.formats import ReadOptions
from augx.images import decode_mask
from augx.learn import data, probe, tasks
from augx.learn.arms import Multiplied
from augx.model import LabelOptions

MOVED = "version: 1\nseed: 3\ncopies: 2\ntransforms:\n  - HorizontalFlip: {p: 0.5}\n  - Rotate: {limit: 30, p: 0.8}\n"


@pytest.fixture(scope="module")
def masks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return with_masks(tmp_path_factory.mktemp("masks"))


@pytest.fixture(scope="module")
def boxes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return with_boxes(tmp_path_factory.mktemp("boxes"))


def read(place: Path, task: str) -> tasks.Known:
    return tasks.TASKS[task].read(data.dataset(str(place), None, ReadOptions()), SIDE, 96, LabelOptions())


def multiplied(place: Path, known: tasks.Known, text: str) -> Multiplied:
    asked = engine.Request(str(place), "", recipe.parse(text.encode(), "recipe.yaml"))
    return Multiplied(asked, known.samples, known.side, known.task, 0)


def run(place: Path, text: str, out: Path) -> list[dict[str, object]]:
    (out.parent / "recipe.yaml").write_text(text)
    assert call(["run", str(place), str(out), "-r", str(out.parent / "recipe.yaml"), "-q"]) == 0
    return rows(out)


def test_masks_of_copies_are_those_that_a_run_writes(masks: Path, tmp_path: Path) -> None:
    known = read(masks, "segmentation")
    assert known.classes == ("ground", "box", "disc")
    assert [mask.tolist() for mask in known.truth] == [mask.tolist() for _, mask, _ in shapes(20)]
    x, y = multiplied(masks, known, MOVED).pictures(0, np.arange(20))
    written = [
        (np.asarray(Image.open(tmp_path / "out" / str(row["file_name"]))).tobytes(),
         decode_mask((tmp_path / "out" / str(row["mask"])).read_bytes()).values.tobytes())
        for row in run(masks, MOVED, tmp_path / "out")
    ]  # fmt: skip
    assert len(x) == 60 and sorted((a.tobytes(), b.tobytes()) for a, b in zip(x, y, strict=True)) == sorted(written)


def test_boxes_of_copies_are_those_that_a_run_writes(boxes: Path, tmp_path: Path) -> None:
    known = read(boxes, "detection")
    assert known.classes == ("box", "disc")
    for found, (_, _, objects) in zip(known.truth, shapes(20), strict=True):
        assert (found * SIDE).tolist() == [[kind * SIDE, x, y, x + w, y + h] for kind, x, y, w, h in objects]
    x, y = multiplied(boxes, known, MOVED).pictures(0, np.arange(20))
    told = {}
    for row in run(boxes, MOVED, tmp_path / "out"):
        pixels = np.asarray(Image.open(tmp_path / "out" / str(row["file_name"]))).tobytes()
        told[pixels] = [(one["label"], *one["bbox"]) for one in row["objects"]]  # type: ignore[attr-defined]
    assert len(x) == len(told) == 60
    for pixels, found in zip(x, y, strict=True):
        wanted = [(known.classes.index(name), x, y, x + w, y + h) for name, x, y, w, h in told[pixels.tobytes()]]
        assert found * [1, *[SIDE] * 4] == pytest.approx(np.array(wanted).reshape(-1, 5), abs=1e-3)


def test_a_mask_says_what_is_no_class(masks: Path, tmp_path: Path) -> None:
    for folder in ("images", "masks"):
        (tmp_path / folder).mkdir()
        for path in (masks / folder).iterdir():
            pixels = np.asarray(Image.open(path)).copy()
            pixels[:5] = 255
            Image.fromarray(pixels).save(tmp_path / folder / path.name)
    known = read(tmp_path, "segmentation")
    assert known.classes == ("class 0", "class 1", "class 2")
    assert (known.truth[:, :5] == tasks.IGNORED).all() and (known.truth[:, 5:] < 3).all()


def test_colours_are_classes(masks: Path, tmp_path: Path) -> None:
    colours = np.array([(0, 0, 0), (255, 0, 0), (0, 0, 128)], np.uint8)
    for folder in ("images", "masks"):
        (tmp_path / folder).mkdir()
        for path in (masks / folder).iterdir():
            pixels = np.asarray(Image.open(path))
            Image.fromarray(colours[pixels] if folder == "masks" else pixels).save(tmp_path / folder / path.name)
    known = read(tmp_path, "segmentation")
    assert known.classes == ("#000000", "#000080", "#ff0000")
    assert (known.truth == np.array([0, 2, 1])[read(masks, "segmentation").truth]).all()
    assert set(np.unique(multiplied(tmp_path, known, MOVED).pictures(0, np.arange(20))[1]).tolist()) == {0, 1, 2}


def test_what_is_labelled_for_several_has_to_be_told(masks: Path, boxes: Path) -> None:
    samples = [
        *data.dataset(str(masks), None, ReadOptions()).samples,
        *data.dataset(str(boxes), None, ReadOptions()).samples,
    ]
    with pytest.raises(InputError, match="here has class masks and boxes or outlines") as caught:
        tasks.kind_of("here", samples, None)
    assert caught.value.hint == "say what to probe: --task segmentation or --task detection"
    assert tasks.kind_of("here", samples, "detection") == "detection"
    assert tasks.kind_of("here", samples[:25], None) == "segmentation"
    with pytest.raises(InputError, match="no picture of here has one class an image, which classification") as caught:
        tasks.kind_of("here", samples[:20], "classification")
    assert caught.value.message.endswith("; it has class masks") and caught.value.hint == "--task segmentation"


def test_masks_that_are_no_classes_are_refused(masks: Path, tmp_path: Path) -> None:
    for folder in ("images", "masks"):
        (tmp_path / folder).mkdir()
        for path in (masks / folder).iterdir():
            Image.open(masks / "images" / path.name).save(tmp_path / folder / path.name)
    with pytest.raises(InputError, match=r"have [\d,]+ different values, which cannot be classes"):
        read(tmp_path, "segmentation")


def test_help_says_what_is_usual() -> None:
    assert tuple(tasks.TASKS) == cli._TASKS
    (classes, *others), (quick, *quicker) = zip(*((one.usual, one.fast) for one in tasks.TASKS.values()), strict=True)
    assert len({*others}) == len({*quicker}) == 1
    told = {
        str(option.name): str(option.help) for option in cli.probe_command.params if isinstance(option, click.Option)
    }
    dense, fast = others[0], quicker[0]
    steps = f"{classes.steps}, or {dense.steps}; with --fast {quick.steps}, or {fast.steps}"
    repeats = (
        f"{classes.repeats}, or {dense.repeats} for masks and boxes; with --fast {quick.repeats}, or {fast.repeats}"
    )
    assert f"[default: {steps}]" in told["steps"] and f"[default: {repeats}]" in told["repeats"]


def test_pictures_count_as_those_of_their_rarest_class() -> None:
    there = np.array([[1, 1, 0], [1, 0, 0], [1, 0, 1], [0, 1, 1], [0, 0, 0], [1, 1, 0]], bool)
    assert tasks.rarest(there).tolist() == [1, 0, 2, 2, 3, 1]


def test_folds_need_pictures_with_objects(boxes: Path) -> None:
    known = read(boxes, "detection")
    empty = tasks.Detection(known.classes).gathered([np.zeros((0, 5), np.float32)] * 17, SIDE)
    known.truth[3:] = empty
    few = replace(known, strata=np.repeat([0, 2], [3, 17]))
    with pytest.raises(InputError, match="too few pictures show something to learn for 5 folds: 3"):
        probe.groups_of(few, 5)
