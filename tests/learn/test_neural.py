"""`augx learn neural` and its step, with torch: fitted in a few steps."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import encoded, failures, rows, tree
from running import a_recipe, run

from augx import artefact
from augx.cli import call
from augx.model import Annotations, LabelOptions, Picture
from augx.transforms.own.base import Rules, make

pytest.importorskip("torch")
pytestmark = pytest.mark.learn
STEPS = 50


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data") / "photos"
    for number in range(24):
        folder = root / ("cat", "dog")[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{number:02}.jpg").write_bytes(encoded(number, width=32 + number, height=40))
    return root


def learn(place: Path, model: Path, *more: str) -> int:
    from augx.learn import blender

    command = ["learn", "neural", str(place), "-o", str(model), "--fast", "--threads", "1", "--device", "cpu", "-q"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blender.Fitting, "fast_steps", STEPS)
        return call([*command, *more])


@pytest.fixture(scope="module")
def model(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "n.safetensors"
    assert learn(pictures, path) == 0
    return path


def test_the_card_says_what_it_was_fitted_on_and_how_well(model: Path) -> None:
    card = artefact.card(str(model))
    assert (card.method, card.classes, card.images) == ("neural", ("cat", "dog"), 24)
    assert card.architecture == {"width": 16, "side": 32, "loss": "none"}
    assert card.gates.keys() == {"held_out", "held_out_accuracy", "made_accuracy", "levels_from_mean"}
    assert card.gates["held_out"] == 4
    assert Path(f"{model}.png").read_bytes().startswith(b"\x89PNG")


def test_each_loss_makes_another_network(
    model: Path, pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weights = {model.read_bytes()[-1000:]}
    for loss in ("content", "style"):
        path = tmp_path / f"{loss}.safetensors"
        assert learn(pictures, path, "--loss", loss) == 0
        assert artefact.card(str(path)).architecture["loss"] == loss
        weights.add(path.read_bytes()[-1000:])
    assert len(weights) == 3
    assert call(["learn", "style", str(pictures), "-o", str(tmp_path / "s.safetensors"), "--loss", "style"]) == 2
    assert "--loss is an option of neural, not of style" in capsys.readouterr().err


def test_a_killed_training_goes_on_and_ends_with_the_same_weights(
    model: Path, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from augx.learn import blender, training

    monkeypatch.setattr(training, "_KEEP", 0.0)
    step, cut, done = blender.Fitting.step, tmp_path / "n.safetensors", []

    def counted(self: Any, number: int, steps: int, random: Any) -> float:
        done.append(number)
        if stop and done.count(17) == 1:  # the first ten are for the clock
            raise KeyboardInterrupt
        return step(self, number, steps, random)

    monkeypatch.setattr(blender.Fitting, "step", counted)
    stop = True
    assert learn(pictures, cut) == 130
    done, stop = [], False
    assert learn(pictures, cut) == 0
    assert done[10] == 17  # the checkpoint, not the beginning
    assert cut.read_bytes() == model.read_bytes()


def test_the_same_bytes_for_any_number_of_workers(model: Path, pictures: Path, tmp_path: Path) -> None:
    asked = a_recipe(json.dumps([{"neural": {"model": str(model), "p": 1}}]), copies=2)
    alone, two = tmp_path / "alone", tmp_path / "two"
    run(pictures, alone, asked)
    run(pictures, two, asked, workers=2)
    assert tree(alone) == tree(two)
    assert failures(alone) == []
    copies = [row for row in rows(alone) if row["copy"]]
    assert len(copies) == 48
    for row in copies:
        (partner,) = row["partners"]
        assert partner != row["source"] and partner.split("/")[0] == row["source"].split("/")[0]
        assert list(row["labels"].values()) == [1.0]


@pytest.mark.parametrize("shape", [(48, 48, 3), (40, 30), (16, 200, 3), (300, 20)])
@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
def test_pictures_of_any_shape_and_depth_keep_theirs(model: Path, shape: tuple[int, ...], depth: Any) -> None:
    step = make("neural", {"model": str(model)})
    draws = np.random.default_rng(0)
    one, other = (draws.integers(0, np.iinfo(depth).max, shape).astype(depth) for _ in range(2))
    known = Annotations(labels={"cat": 1.0})
    made, lost = step.apply(Picture(one, annotations=known), [Picture(other)], {}, Rules(LabelOptions(), {}))
    assert (made.pixels.shape, made.pixels.dtype) == (shape, depth)
    assert (made.annotations, lost) == (known, ())
    assert not np.array_equal(made.pixels, one)


def test_an_unfitted_network_makes_the_mean_of_both() -> None:
    import torch

    from augx.learn.blender import Blend, Blender

    one, other = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3), dtype=np.uint8)
    torch.manual_seed(0)
    change = Blend(Blender(8), 32).change(one, other)
    assert np.abs(one + change - (one.astype(float) + other) / 2).max() < 0.01


def test_partners_are_of_the_same_class_and_never_the_picture_itself() -> None:
    import torch

    from augx.learn.blender import _Pairs
    from augx.learn.data import Data

    labels = np.array([2, 0, 1, 1, 2, 2, 2])
    known = Data(np.zeros((7, 32, 32, 3), np.uint8), labels, ("a", "b", "c"), (), "")
    pairs = _Pairs(known, np.argsort(labels, kind="stable"))
    chosen = torch.arange(7).repeat(50)
    found = pairs.partners(chosen, torch.Generator().manual_seed(0))
    assert (pairs.labels[found] == pairs.labels[chosen]).all()
    alone = chosen == 0  # the only one of its class
    assert (found[alone] == 0).all() and (found[~alone] != chosen[~alone]).all()
    assert set(found[chosen == 3].tolist()) == {4, 5, 6}
    assert pairs.next().tolist() == [0, 2, 1, 4, 5, 6, 3]


def test_a_network_needs_two_classes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "one" / "cat").mkdir(parents=True)
    for number in range(9):
        (tmp_path / "one" / "cat" / f"{number}.jpg").write_bytes(encoded(number))
    assert call(["learn", "neural", str(tmp_path / "one"), "-o", str(tmp_path / "m.safetensors")]) == 2
    assert "needs pictures of two classes" in capsys.readouterr().err
