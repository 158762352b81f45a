"""Each method fitted in seconds, and the step that uses its model: needs torch."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import models
import numpy as np
import pytest
from conftest import encoded, failures, rows, tree
from running import a_recipe, run

from augx import artefact, recipe
from augx.cli import call
from augx.errors import ImageError
from augx.model import Annotations, Object, Picture
from augx.transforms.own.base import make

pytest.importorskip("torch")
pytestmark = pytest.mark.learn

Fit = Callable[..., Path]
METHODS = [name for name in artefact.METHODS if name != "gan"]  # which needs more pictures: test_gan.py
STEPS = 40


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data") / "photos"
    for number in range(24):
        folder = root / ("cat", "dog")[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{number:02}.jpg").write_bytes(encoded(number, width=32 + number, height=40))
    return root


def fitting(method: str) -> Any:
    return import_module(artefact.METHODS[method].target).Fitting


@pytest.fixture
def fit(monkeypatch: pytest.MonkeyPatch, pictures: Path, tmp_path: Path) -> Fit:
    """Fits in a few steps; returns the model."""

    def fitted(method: str, name: str = "m.safetensors", *more: object) -> Path:
        monkeypatch.setattr(fitting(method), "fast_steps", STEPS)
        path = tmp_path / name
        command = ["learn", method, pictures, "-o", path, "--fast", "--threads", "1", "--device", "cpu", "-q"]
        assert call([str(one) for one in [*command, *more]]) == 0
        return path

    return fitted


@pytest.fixture(scope="module")
def models_of(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """A model of each method, fitted once."""
    folder = tmp_path_factory.mktemp("models")

    @cache
    def model_of(method: str) -> Path:
        path = folder / f"{method}.safetensors"
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(fitting(method), "fast_steps", 60)
            assert call(["learn", method, str(pictures), "-o", str(path), "--fast", "--threads", "1", "-q"]) == 0
        return path

    return model_of


@pytest.fixture
def model(models_of: Callable[[str], Path]) -> Path:
    return models_of("autoencoder")


def using(model: Path, step: str = "feature_space", **arguments: Any) -> recipe.Recipe:
    named = {step: {"model": str(model), "p": 1} | arguments}
    return a_recipe(json.dumps([named]), copies=2)


@pytest.mark.parametrize("method", METHODS)
def test_the_same_request_gives_the_same_bytes(fit: Fit, method: str) -> None:
    first, second = fit(method, "a.safetensors"), fit(method, "b.safetensors")
    assert first.read_bytes() == second.read_bytes()
    assert fit(method, "c.safetensors", "--seed", "1").read_bytes() != first.read_bytes()


def test_the_card_says_what_it_was_fitted_on(fit: Fit, pictures: Path) -> None:
    path = fit("autoencoder")
    found = artefact.card(str(path))
    assert (found.method, found.classes, found.images, found.seed) == ("autoencoder", ("cat", "dog"), 24, 0)
    assert found.architecture == {"width": 32, "side": 32}
    assert found.training["steps"] == found.training["planned"] == 40
    assert [step for step, _, _ in found.training["curve"]] == list(range(2, 41, 2))
    assert found.training["curve"][-1][2] < found.training["curve"][0][2]
    assert len(found.sketch) == 24
    assert Path(f"{path}.png").read_bytes().startswith(b"\x89PNG")
    assert not Path(f"{path}.part").exists()


def test_a_second_time_there_is_nothing_to_do(fit: Fit, capsys: pytest.CaptureFixture[str], pictures: Path) -> None:
    path = fit("autoencoder")
    before = path.stat().st_mtime_ns
    assert fit("autoencoder") == path
    assert path.stat().st_mtime_ns == before
    command = ["learn", "autoencoder", str(pictures), "-o", str(path), "--fast", "--threads", "1", "--device", "cpu"]
    assert call(command) == 0
    assert "nothing to do" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("method", "stop"), [("autoencoder", 1), ("autoencoder", 38), ("adversarial", 9), ("style", 13)]
)
def test_a_killed_training_goes_on_and_ends_with_the_same_weights(
    fit: Fit, monkeypatch: pytest.MonkeyPatch, method: str, stop: int
) -> None:
    from augx.learn import training

    whole = fit(method, "whole.safetensors").read_bytes()
    monkeypatch.setattr(training, "_KEEP", 0.0)
    step, seen = fitting(method).step, [0]

    def killed(self: Any, number: int, steps: int, random: Any) -> float:
        if steps == STEPS:  # not while it is timed
            seen[0] += 1
            if seen[0] > stop:
                raise KeyboardInterrupt
        return step(self, number, steps, random)

    with monkeypatch.context() as patch:
        patch.setattr(fitting(method), "step", killed)
        with pytest.raises(AssertionError):
            fit(method, "cut.safetensors")
    assert seen[0] == stop + 1
    again: list[int] = []
    monkeypatch.setattr(
        fitting(method),
        "step",
        lambda self, n, s, r: (again.append(n) if s == STEPS else None, step(self, n, s, r))[1],
    )
    assert fit(method, "cut.safetensors").read_bytes() == whole
    assert again[0] == stop  # the checkpoint, not the beginning


@pytest.mark.parametrize("ending", [".png", ".part"])
def test_a_file_of_someone_else_beside_the_model_stays(
    pictures: Path, tmp_path: Path, ending: str, capsys: pytest.CaptureFixture[str]
) -> None:
    model = tmp_path / "m.safetensors"
    beside = tmp_path / f"m.safetensors{ending}"
    command = ["learn", "autoencoder", str(pictures), "-o", str(model), "--fast", "-q"]
    beside.write_bytes(b"precious")
    assert call(command) == 2
    assert f"m.safetensors{ending} is there already" in capsys.readouterr().err
    assert beside.read_bytes() == b"precious"
    beside.unlink()
    os.mkfifo(beside)
    assert call(command) == 2
    assert "no regular file" in capsys.readouterr().err
    assert not model.exists()


@pytest.mark.parametrize("device", ["cpu:x", "cpu:", "cuda:99", "tpu", ""])
def test_a_device_that_is_not_there_is_refused(
    pictures: Path, tmp_path: Path, device: str, capsys: pytest.CaptureFixture[str]
) -> None:
    model = str(tmp_path / "m.safetensors")
    assert call(["learn", "style", str(pictures), "-o", model, "--fast", "--device", device]) == 2
    assert f"torch sees no device {device!r} here" in capsys.readouterr().err


def test_a_budget_is_kept_or_refused(pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["learn", "autoencoder", str(pictures), "-o", str(tmp_path / "m.safetensors"), "--fast", "--threads", "1"]
    assert call([*command, "--budget", "0.001s"]) == 2
    said = capsys.readouterr().err
    assert "50 steps are the least and take about" in said and "and --budget gives 1 s" in said
    assert not list(tmp_path.iterdir())


def test_a_files_of_someone_else_is_not_written_over(
    fit: Fit, tmp_path: Path, pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = tmp_path / "mine.safetensors"
    mine.write_bytes(b"precious")
    assert call(["learn", "autoencoder", str(pictures), "-o", str(mine)]) == 2
    assert mine.read_bytes() == b"precious"
    assert call(["learn", "autoencoder", str(pictures), "-o", str(pictures / "m.safetensors")]) == 2
    assert call(["learn", "autoencoder", str(pictures), "-o", str(tmp_path / "m.pt")]) == 2
    assert "lies in INPUT" in capsys.readouterr().err


def test_too_few_pictures_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "few" / "cat").mkdir(parents=True)
    for number in range(3):
        (tmp_path / "few" / "cat" / f"{number}.jpg").write_bytes(encoded(number))
    assert call(["learn", "autoencoder", str(tmp_path / "few"), "-o", str(tmp_path / "m.safetensors")]) == 2
    assert "needs 8 pictures, and there are 3" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        ("autoencoder", {}),
        ("autoencoder", {"mode": "interpolate", "partners": "any"}),
        ("autoencoder", {"mode": "noise"}),
        ("autoencoder", {"mode": "join"}),
        ("adversarial", {"steps": 3}),
        ("style", {"partners": "same"}),
    ],
)
def test_the_same_bytes_for_any_number_of_workers(
    pictures: Path, models_of: Callable[[str], Path], tmp_path: Path, method: str, arguments: dict[str, Any]
) -> None:
    asked = using(models_of(method), artefact.METHODS[method].step, **arguments)
    alone, two = tmp_path / "alone", tmp_path / "two"
    run(pictures, alone, asked, to_formats=("table",))
    run(pictures, two, asked, to_formats=("table",), workers=2)
    assert tree(alone) == tree(two)
    assert failures(alone) == []
    copies = [row for row in rows(alone) if row["copy"]]
    assert len(copies) == 48
    for row in copies:
        (applied,) = row["transforms"]
        assert applied["params"].get("mode", "") == (
            arguments.get("mode", "extrapolate") if method == "autoencoder" else ""
        )
        assert len(row["partners"]) == (0 if arguments.get("mode") == "noise" or method == "adversarial" else 1)
        shared = arguments.get("partners") == "any" and row["partners"][0].split("/")[0] != row["source"].split("/")[0]
        assert sorted(row["labels"].values()) == ([0.5, 0.5] if shared else [1.0])


def test_partners_are_the_nearest_by_codes(model: Path, pictures: Path, tmp_path: Path) -> None:
    run(pictures, tmp_path / "out", using(model, nearest=1))
    step = make("feature_space", {"model": str(model)})
    from augx import images

    codes = {}
    for path in pictures.glob("*/*.jpg"):
        picture = images.decode(path.read_bytes()).picture
        codes[str(path.relative_to(pictures))] = step.look(picture)
    for row in rows(tmp_path / "out"):
        if not row["copy"]:
            continue
        own = row["source"].split("/")[0]
        apart = {
            name: float(np.square(code - codes[row["source"]]).mean())
            for name, code in codes.items()
            if name.split("/")[0] == own and name != row["source"]
        }
        assert row["partners"] == [min(apart, key=lambda name: apart[name])]


@pytest.mark.parametrize("shape", [(40, 30), (40, 30, 3), (16, 200, 3), (300, 20)])
@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
def test_pictures_of_any_shape_and_depth_keep_theirs(model: Path, shape: tuple[int, ...], depth: Any) -> None:
    from augx.learn.feature_space import changed

    step = make("feature_space", {"model": str(model)})
    pixels = np.random.default_rng(0).integers(0, np.iinfo(depth).max, shape).astype(depth)
    code = step.look(Picture(pixels))
    made = changed(step.codec, pixels, code, code + 1)
    assert (made.shape, made.dtype) == (shape, depth)
    assert np.array_equal(changed(step.codec, pixels, code, code), pixels)  # nothing changes: not a level
    assert not np.array_equal(made, pixels)


def test_a_poisoned_model_fails_by_name(model: Path, tmp_path: Path, pictures: Path) -> None:
    data, bad = model.read_bytes(), tmp_path / "bad.safetensors"
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    card = artefact.of_bytes(data)

    def step(content: bytes) -> Any:
        bad.write_bytes(content)
        from augx.learn.autoencoder import codec

        codec.cache_clear()
        return make("feature_space", {"model": str(bad)}).codec

    def with_card(**changes: Any) -> bytes:
        told = header | {"__metadata__": {artefact.METADATA: replace(card, **changes).text()}}
        return models.packed(told, data[8 + length :])

    nan = bytearray(data)
    nan[-4:] = b"\xff\xff\xff\xff"
    for content, why in [
        (bytes(nan), "not finite"),
        (data[:-4], "cut short"),
        (with_card(architecture={"width": 40, "side": 32}), "does not fit"),
        (with_card(architecture={"width": 2**40, "side": 32}), "no architecture"),
        (with_card(architecture={"width": 32, "side": 4096}), "4096 pixels"),
        (models.packed(models.header()), "no architecture|does not fit"),
    ]:
        with pytest.raises(ImageError, match=why) as found:
            step(content)
        assert found.value.code == "no-model"
    with pytest.raises(ImageError, match="No such file"):
        make("feature_space", {"model": str(tmp_path / "gone")}).look(Picture(np.zeros((8, 8, 3), np.uint8)))


@pytest.mark.parametrize(
    ("method", "what", "why"),
    [
        ("autoencoder", lambda name, one: one * 1e30, "makes numbers that are no picture"),
        ("adversarial", lambda name, one: one.long() if "running_mean" in name else one, "does not fit"),
        ("autoencoder", lambda name, one: one.long() if name == "spread" else one, "does not fit"),
    ],
)
def test_a_sound_file_of_unsound_numbers_fails_by_name(
    models_of: Callable[[str], Path], pictures: Path, tmp_path: Path, method: str, what: Any, why: str
) -> None:
    from safetensors.torch import load

    from augx.learn import files

    data, bad = models_of(method).read_bytes(), tmp_path / "bad.safetensors"
    state = {name: what(name, one) if one.is_floating_point() else one for name, one in load(data).items()}
    files.write(str(bad), state, artefact.of_bytes(data))
    run(pictures, tmp_path / "out", using(bad, artefact.METHODS[method].step))
    found = failures(tmp_path / "out")
    assert {one["error"] for one in found} == {"no-model"}
    assert all(why in one["message"] for one in found)


def test_a_model_that_changes_between_plan_and_work_fails_and_comes_back(
    model: Path, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = tmp_path / "m.safetensors"
    shutil.copy(model, mine)
    asked = using(mine)
    other = mine.read_bytes()[:-4] + b"\0\0\0\0"
    mine.write_bytes(other)
    run(pictures, tmp_path / "out", asked)
    assert {row["error"] for row in failures(tmp_path / "out")} == {"no-model"}
    shutil.copy(model, mine)
    run(pictures, tmp_path / "out", using(mine))
    assert failures(tmp_path / "out") == []
    run(pictures, tmp_path / "fresh", using(mine))
    assert tree(tmp_path / "out") == tree(tmp_path / "fresh")


def test_replay_makes_the_same_bytes(
    model: Path, pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    run(pictures, out, using(model))
    name = next(row["file_name"] for row in rows(out) if row["copy"] == 2)
    assert call(["replay", str(out), name, "-o", str(tmp_path / "again.jpg")]) == 0
    assert (tmp_path / "again.jpg").read_bytes() == (out / name).read_bytes()


@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
@pytest.mark.parametrize("steps", [1, 5])
def test_an_attack_changes_no_level_by_more_than_epsilon_and_misleads(
    models_of: Callable[[str], Path], pictures: Path, depth: Any, steps: int
) -> None:
    from augx import images
    from augx.learn.adversarial import attacked
    from augx.learn.surrogate import judge

    found = judge(artefact.Place(str(models_of("adversarial"))))
    levels = 257 if depth == np.uint16 else 1
    before, after = [], []
    for path in sorted(pictures.glob("*/*.jpg")):
        pixels, name = images.decode(path.read_bytes()).picture.pixels.astype(depth) * depth(levels), path.parent.name
        made = attacked(found, pixels, {name: 1.0}, 6.5, steps, 9)
        apart = np.abs(made.astype(int) - pixels)
        assert (made.shape, made.dtype) == (pixels.shape, pixels.dtype)
        assert 0 < apart.max() <= round(6.5 * levels + 0.5)
        before.append(found.scores(pixels)[found.classes.index(name)])
        after.append(found.scores(made)[found.classes.index(name)])
    assert np.mean(np.log(after)) < np.mean(np.log(before)) - 0.5


def test_an_attack_on_an_unknown_class_goes_away_from_what_is_seen(models_of: Callable[[str], Path]) -> None:
    from augx.learn.adversarial import attacked
    from augx.learn.surrogate import judge

    found = judge(artefact.Place(str(models_of("adversarial"))))
    pixels = np.random.default_rng(3).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    seen = found.classes[int(found.scores(pixels).argmax())]
    assert np.array_equal(attacked(found, pixels, {"bird": 1.0}, 4, 1), attacked(found, pixels, {seen: 1.0}, 4, 1))


def test_a_picture_in_its_own_style_stays(models_of: Callable[[str], Path]) -> None:
    from augx.learn.data import added
    from augx.learn.stylist import hand

    found = hand(artefact.Place(str(models_of("style"))))
    rng = np.random.default_rng(3)
    one, other = rng.integers(0, 256, (2, 40, 50, 3), dtype=np.uint8)
    assert np.abs(added(one, found.change(one, one, 1.0)).astype(int) - one).max() <= 1
    assert np.array_equal(added(one, found.change(one, other, 0.0)), one)
    assert not np.array_equal(added(one, found.change(one, other, 1.0)), one)


def test_style_takes_pixels_and_leaves_labels(models_of: Callable[[str], Path]) -> None:
    from augx.model import LabelOptions
    from augx.transforms.own.base import Rules

    step = make("style", {"model": str(models_of("style"))})
    box = Object("cat", np.array([1, 2, 9, 8], float))
    picture = Picture(np.full((40, 40, 3), 50, np.uint8), annotations=Annotations(objects=(box,), labels={"cat": 1.0}))
    other = Picture(
        np.full((30, 60, 3), 200, np.uint8), annotations=Annotations(objects=(box, box), labels={"dog": 1.0})
    )
    made, lost = step.apply(picture, [other], {"share": 1.0}, Rules(LabelOptions(), {}))
    assert (made.annotations, lost) == (picture.annotations, ())


def test_a_surrogate_needs_classes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "one" / "cat").mkdir(parents=True)
    for number in range(9):
        (tmp_path / "one" / "cat" / f"{number}.jpg").write_bytes(encoded(number))
    assert call(["learn", "adversarial", str(tmp_path / "one"), "-o", str(tmp_path / "m.safetensors")]) == 2
    assert "needs pictures of two classes" in capsys.readouterr().err
