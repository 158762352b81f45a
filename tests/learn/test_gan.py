"""A generator fitted in seconds, its gates, and the step that adds its pictures: needs torch."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import models
import numpy as np
import pytest
from conftest import encoded, failures, rows, tree
from running import a_recipe, run

from augx import artefact, images, recipe
from augx.cli import call
from augx.errors import ImageError
from augx.seeds import Rng
from augx.transforms.own.base import make

pytest.importorskip("torch")
pytestmark = pytest.mark.learn

STEPS = 40
OPEN = {"confidence": 0, "novelty": 0}


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data") / "photos"
    for number in range(32):
        folder = root / ("cat", "dog")[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{number:02}.jpg").write_bytes(encoded(number, width=32, height=32))
    return root


def fitted(pictures: Path, path: Path, *more: str) -> Path:
    from augx.learn import generating

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(generating.Fitting, "fast_steps", STEPS)
        patch.setattr(generating, "_ASKED", 16)
        command = ["learn", "gan", str(pictures), "-o", str(path), "--fast", "--threads", "1", "--device", "cpu", "-q"]
        assert call([*command, *more]) == 0
    return path


@pytest.fixture(scope="module")
def model(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fitted(pictures, tmp_path_factory.mktemp("models") / "m.safetensors")


def using(model: Path, more: str = "", **arguments: Any) -> recipe.Recipe:
    step = {"gan": {"model": str(model), "per_class": 3} | arguments}
    return a_recipe(json.dumps([step, {"HorizontalFlip": {"p": 0.5}}, *json.loads(more or "[]")]), copies=1)


def step(model: Path, **arguments: Any) -> Any:
    return make("gan", {"model": str(model), "per_class": 3} | arguments)


def at(number: int) -> Rng:
    return Rng().at(0, "gan://0//cat/0", number, "gan")


def test_the_same_request_gives_the_same_bytes(model: Path, pictures: Path, tmp_path: Path) -> None:
    assert fitted(pictures, tmp_path / "again.safetensors").read_bytes() == model.read_bytes()
    assert fitted(pictures, tmp_path / "other.safetensors", "--seed", "1").read_bytes() != model.read_bytes()


@pytest.mark.parametrize("stop", [1, 13])  # while the classifier is fitted, and the generator
def test_a_killed_training_goes_on_and_ends_with_the_same_weights(
    model: Path, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop: int
) -> None:
    from augx.learn import training
    from augx.learn.generating import Fitting

    monkeypatch.setattr(training, "_KEEP", 0.0)
    whole, seen = Fitting.step, list[int]()

    def killed(self: Any, number: int, steps: int, random: Any) -> float:
        if steps == STEPS:  # not while it is timed
            seen.append(number)
            if len(seen) > stop:
                raise KeyboardInterrupt
        return whole(self, number, steps, random)

    with monkeypatch.context() as patch:
        patch.setattr(Fitting, "step", killed)
        with pytest.raises(AssertionError):
            fitted(pictures, tmp_path / "cut.safetensors")
    assert fitted(pictures, tmp_path / "cut.safetensors").read_bytes() == model.read_bytes()
    assert seen == list(range(stop + 1))


def test_the_card_says_what_the_gates_need(model: Path) -> None:
    card = artefact.card(str(model))
    assert card.architecture == {"width": 16, "side": 32, "grey": False, "judge": 16}
    assert card.gates.keys() == {
        "held_out", "held_out_accuracy", "copy_distance", "accepted", "diversity", "least_diversity", "least_diverse",
    }  # fmt: skip
    assert card.gates["copy_distance"] > 0 and card.gates["least_diverse"] in ("cat", "dog")


@pytest.mark.parametrize("side", range(32, 129, 16))
def test_networks_fit_every_side(side: int) -> None:
    import torch

    from augx.learn.generator import CODE, Discriminator, Generator, augmented

    net, other = Generator(8, side, 3), Discriminator(8, side, 3)
    labels = torch.tensor([0, 0, 2, 2])
    made = net(torch.zeros(4, CODE), labels)
    assert made.shape == (4, 3, side, side) and other(made, labels).shape == (4,)
    assert len(net.skips) == (1 if side in (64, 80, 96, 112) else 2 if side == 128 else 0)
    random = torch.Generator().manual_seed(0)
    assert not torch.equal(augmented(made, random), augmented(made, random))


def test_too_few_or_too_large_pictures_are_refused(
    pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    few = tmp_path / "few"
    for path in sorted(pictures.glob("*/*.jpg"))[3:]:
        place = few / path.relative_to(pictures)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(path.read_bytes())
    command = ["-o", str(tmp_path / "m.safetensors"), "--device", "cpu"]
    assert call(["learn", "gan", str(few), *command]) == 2
    assert "about 15 pictures of each class, and there are fewer: cat 13" in capsys.readouterr().err
    assert call(["learn", "gan", str(pictures), *command, "--side", "144"]) == 2
    assert "of 32 to 128 pixels, not 144" in capsys.readouterr().err


def test_a_run_is_the_same_for_any_number_of_workers(
    model: Path, pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = using(model, **OPEN, per_class=34)
    for workers in (0, 2):
        run(pictures, tmp_path / f"out{workers}", asked, workers=workers)
    out = tmp_path / "out0"
    assert tree(out) == tree(tmp_path / "out2")
    assert call(["verify", str(out)]) == 0
    new = [row for row in rows(out) if not row["source"]]
    assert [row["copy"] for row in new] == [*range(1, 35)] * 2 and failures(out) == []
    names = {str(path.relative_to(pictures)) for path in pictures.glob("*/*.jpg")}
    for row in new:
        said = row["transforms"][0]["params"]
        assert (said["class"], said["attempts"], said["rejected"]) == (row["label"], 1, {})
        assert len(row["partners"]) == 3 and names.issuperset(row["partners"])
    assert call(["replay", str(out), new[5]["file_name"], "-o", str(tmp_path / "again.jpg")]) == 0
    assert (tmp_path / "again.jpg").read_bytes() == (out / new[5]["file_name"]).read_bytes()


def test_what_no_gate_lets_through_fails_by_name(model: Path, pictures: Path, tmp_path: Path) -> None:
    run(pictures, tmp_path / "out", using(model, confidence=1, novelty=0, attempts=4))
    found = failures(tmp_path / "out")
    assert [(row["source"], row["copy"], row["error"]) for row in found] == [
        ("", copy, "gan-rejected") for copy in (1, 2, 3, 1, 2, 3)
    ]
    assert found[0]["message"] == "cat: none of 4 generated pictures passes: 4 unrecognised"


CHANGES: dict[str, Callable[[Any], Any]] = {
    "as it is": lambda pixels: pixels,
    "in another light": lambda pixels: np.clip(pixels * 0.8 + 20, 0, 255).astype(np.uint8),
    "moved": lambda pixels: np.pad(pixels, ((2, 0), (0, 1), (0, 0)), "reflect")[:32, 1:],
    "mirrored and moved": lambda pixels: np.roll(pixels[:, ::-1], -2, 1),
}


def test_a_copy_is_told_from_another_picture_of_the_same_kind(model: Path, pictures: Path) -> None:
    from augx.learn.generating import painter

    found = painter(artefact.Place(str(model)))
    real = {str(path.relative_to(pictures)): path.read_bytes() for path in sorted(pictures.glob("*/*.jpg"))[::3]}
    copies = dict.fromkeys(CHANGES, 0)
    for name, content in real.items():
        for how, change in CHANGES.items():
            pixels = np.ascontiguousarray(change(images.decode(content).picture.pixels))
            fault, told = found.fault(pixels, name[:3], confidence=0)
            copies[how] += fault == "copied" and told["partners"][0] == name
    others = [images.decode(encoded(seed, width=32, height=32)).picture.pixels for seed in range(100, 132)]
    refused = [found.fault(pixels, "cat", confidence=0)[0] for pixels in others].count("copied")
    assert (copies, refused) == (dict.fromkeys(CHANGES, len(real)), pytest.approx(0, abs=4))


def test_how_far_a_copy_is_does_not_depend_on_how_it_was_moved() -> None:
    import torch

    from augx.learn import gates
    from augx.learn.classifier import Net

    torch.manual_seed(0)
    net = Net(2).eval().requires_grad_(False)
    pictures = torch.from_numpy(
        np.stack([images.decode(encoded(n, width=64, height=64)).picture.pixels for n in range(6)])
    )
    pictures = pictures.permute(0, 3, 1, 2).contiguous()
    kept = gates.features(net, pictures).numpy()
    copy = gates.copy_distance(net, pictures, kept)
    held = gates.Gates(net, ("cat", "dog"), kept, np.zeros(6, np.int64), list("abcdef"), copy)
    assert held.nearest(pictures[3:4])[0] < 1e-3 < copy
    moved = torch.roll(pictures[3:4], (4, -2), (2, 3)).flip(3)  # a sixteenth of the side, at most
    distance, names = held.nearest(moved)
    assert names[0] == "d" and 0 < distance < copy / 2
    assert gates.copy_distance(net, pictures[:1], kept[:1]) == 0.0


def test_arguments_loosen_the_gates_and_what_was_rejected_is_counted(model: Path) -> None:
    known = [step(model, **OPEN).make("dog", at(number))[1].params["confidence"] for number in range(12)]
    half = sorted(known)[6]
    found = [step(model, confidence=half, novelty=0, attempts=200).make("dog", at(number)) for number in range(12)]
    assert all(one.params["confidence"] >= half for _, one in found)
    assert all(one.params["attempts"] == 1 + one.params["rejected"].get("unrecognised", 0) for _, one in found)
    assert sum(one.params["attempts"] > 1 for _, one in found) == sum(share < half for share in known)
    picture = found[0][0]
    assert picture.pixels.shape == (32, 32, 3) and picture.pixels.dtype == np.uint8
    assert step(model, **OPEN).make("dog", at(1))[1].params["attempts"] == 1
    one, two = (step(model, **OPEN, truncation=share).make("cat", at(1))[0].pixels for share in (0.1, 2.0))
    assert not np.array_equal(one, two)


def test_a_class_that_the_model_does_not_know_fails_by_name(model: Path) -> None:
    with pytest.raises(ImageError, match="knows no class 'cow'"):
        step(model).make("cow", at(1))


def test_grey_pictures_make_grey_ones(pictures: Path, tmp_path: Path) -> None:
    for path in sorted(pictures.glob("*/*.jpg")):
        grey = images.decode(path.read_bytes()).picture.pixels[..., 0].copy()
        place = (tmp_path / "grey" / path.relative_to(pictures)).with_suffix(".png")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(images.encode(images.Picture(grey), ".png", recipe.ImageOptions()))
    found = step(fitted(tmp_path / "grey", tmp_path / "m.safetensors"), **OPEN)
    assert found.make("cat", at(1))[0].pixels.shape == (32, 32)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda state, card: (state, replace(card, architecture=card.architecture | {"judge": 24})),
        lambda state, card: (state, replace(card, architecture=card.architecture | {"grey": 1})),
        lambda state, card: (state, replace(card, gates={})),
        lambda state, card: (state, replace(card, classes=("cat", "dog", "cow"))),
        lambda state, card: ({name: one for name, one in state.items() if name != "names"}, card),
        lambda state, card: (state | {"kept": state["kept"][:-1].contiguous()}, card),
    ],
)
def test_a_poisoned_model_fails_by_name(model: Path, tmp_path: Path, spoil: Callable[..., Any]) -> None:
    from safetensors.torch import load

    from augx.learn import files

    data, bad = model.read_bytes(), tmp_path / "bad.safetensors"
    state, card = spoil(load(data), artefact.of_bytes(data))
    files.write(str(bad), state, card)
    with pytest.raises(ImageError, match="does not fit") as found:
        step(bad).make("cat", at(1))
    assert found.value.code == "no-model"
    bad.write_bytes(models.packed(models.header()))
    with pytest.raises(ImageError, match="is a model of 'autoencoder', not of 'gan'"):
        step(bad, attempts=2).make("cat", at(1))


def test_a_model_that_has_collapsed_is_told_of(
    model: Path, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from augx.learn import gates

    poor = {"diversity": 0.1, "least_diversity": 0.05, "least_diverse": "cat"}
    monkeypatch.setattr(gates, "variety", lambda *_: poor)
    capsys.readouterr()
    fitted(pictures, tmp_path / "poor.safetensors")
    assert "what it makes is 10% as varied as real pictures, of cat 5%" in capsys.readouterr().err
