"""An autoencoder fitted in seconds, and the step that uses it: needs torch."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
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
from augx.model import Picture
from augx.transforms.own.base import make

pytest.importorskip("torch")
pytestmark = pytest.mark.learn

Fit = Callable[..., Path]


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data") / "photos"
    for number in range(24):
        folder = root / ("cat", "dog")[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{number:02}.jpg").write_bytes(encoded(number, width=32 + number, height=40))
    return root


@pytest.fixture
def fit(monkeypatch: pytest.MonkeyPatch, pictures: Path, tmp_path: Path) -> Fit:
    """Fits in a few steps; returns the model."""
    from augx.learn import autoencoder

    def fitted(name: str = "m.safetensors", *more: object, steps: int = 40) -> Path:
        monkeypatch.setattr(autoencoder.Fitting, "fast_steps", steps)
        path = tmp_path / name
        command = ["learn", "autoencoder", pictures, "-o", path, "--fast", "--threads", "1", "--device", "cpu", "-q"]
        assert call([str(one) for one in [*command, *more]]) == 0
        return path

    return fitted


@pytest.fixture(scope="module")
def model(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from augx.learn import autoencoder

    path = tmp_path_factory.mktemp("model") / "m.safetensors"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(autoencoder.Fitting, "fast_steps", 60)
        command = ["learn", "autoencoder", str(pictures), "-o", str(path), "--fast", "--threads", "1", "-q"]
        assert call(command) == 0
    return path


def using(model: Path, **arguments: Any) -> recipe.Recipe:
    step = {"feature_space": {"model": str(model), "p": 1} | arguments}
    return a_recipe(json.dumps([step]), copies=2)


def test_the_same_request_gives_the_same_bytes(fit: Fit) -> None:
    first, second = fit("a.safetensors"), fit("b.safetensors")
    assert first.read_bytes() == second.read_bytes()
    assert fit("c.safetensors", "--seed", "1").read_bytes() != first.read_bytes()


def test_the_card_says_what_it_was_fitted_on(fit: Fit, pictures: Path) -> None:
    path = fit()
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
    path = fit()
    before = path.stat().st_mtime_ns
    assert fit() == path
    assert path.stat().st_mtime_ns == before
    command = ["learn", "autoencoder", str(pictures), "-o", str(path), "--fast", "--threads", "1", "--device", "cpu"]
    assert call(command) == 0
    assert "nothing to do" in capsys.readouterr().out


@pytest.mark.parametrize("stop", [1, 7, 19])
def test_a_killed_training_goes_on_and_ends_with_the_same_weights(
    fit: Fit, monkeypatch: pytest.MonkeyPatch, stop: int
) -> None:
    from augx.learn import autoencoder, training

    whole = fit("whole.safetensors").read_bytes()
    monkeypatch.setattr(training, "_KEEP", 0.0)
    step, seen = autoencoder.Fitting.step, [0]

    def killed(self: Any, number: int, steps: int, random: Any) -> float:
        if steps == 40:  # not while it is timed
            seen[0] += 1
            if seen[0] > 2 * stop:
                raise KeyboardInterrupt
        return step(self, number, steps, random)

    with monkeypatch.context() as patch:
        patch.setattr(autoencoder.Fitting, "step", killed)
        with pytest.raises(AssertionError):
            fit("cut.safetensors")
    assert seen[0] == 2 * stop + 1
    again: list[int] = []
    monkeypatch.setattr(
        autoencoder.Fitting,
        "step",
        lambda self, n, s, r: (again.append(n) if s == 40 else None, step(self, n, s, r))[1],
    )
    assert fit("cut.safetensors").read_bytes() == whole
    assert again[0] == 2 * stop  # the checkpoint, not the beginning


def test_a_damaged_checkpoint_is_begun_anew(fit: Fit, tmp_path: Path) -> None:
    (tmp_path / "m.safetensors.part").write_bytes(b"no checkpoint")
    assert artefact.card(str(fit())).training["steps"] == 40


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
    "arguments", [{}, {"mode": "interpolate", "partners": "any"}, {"mode": "noise"}, {"mode": "join"}]
)
def test_the_same_bytes_for_any_number_of_workers(
    pictures: Path, model: Path, tmp_path: Path, arguments: dict[str, str]
) -> None:
    alone, two = tmp_path / "alone", tmp_path / "two"
    run(pictures, alone, using(model, **arguments), to_formats=("table",))
    run(pictures, two, using(model, **arguments), to_formats=("table",), workers=2)
    assert tree(alone) == tree(two)
    assert failures(alone) == []
    copies = [row for row in rows(alone) if row["copy"]]
    assert len(copies) == 48
    for row in copies:
        (applied,) = row["transforms"]
        assert applied["params"]["mode"] == arguments.get("mode", "extrapolate")
        assert len(row["partners"]) == (0 if arguments.get("mode") == "noise" else 1)
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
