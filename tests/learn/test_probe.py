"""`augx probe` with torch, on stripes that lie or stand."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import rows
from PIL import Image

from augx import engine, recipe
from augx.cli import call
from augx.errors import InputError, Refused
from augx.formats import ReadOptions
from augx.learn import data, probe, tasks
from augx.learn.arms import Multiplied
from augx.learn.judging import HURTS, UNSEEN
from augx.model import LabelOptions

pytestmark = pytest.mark.learn
MIXED = "version: 1\nseed: 3\ncopies: 3\ntransforms:\n  - mixup: {p: 0.7}\n  - Rotate: {limit: 20, p: 0.5}\n"
TURNED = "version: 1\ncopies: 1\noriginals: false\ntransforms:\n  - Transpose: {p: 1}\n"
SAME = "version: 1\ncopies: 1\ntransforms:\n  - NoOp: {}\n"


class Quiet:
    said = ""

    def begin(self, words: str, trainings: int) -> None:
        self.said, self.trainings, self.done = words, trainings, 0

    def step(self, done: int) -> None:
        self.done = done

    def end(self) -> None: ...


def stripes(root: Path, each: int = 10) -> Path:
    random = np.random.default_rng(1)
    for name in ("lying", "standing"):
        (root / name).mkdir(parents=True)
        for number in range(each):
            wave = np.sin(np.arange(32) * random.uniform(0.5, 1.2) + random.uniform(0, 6)) * 60 + 128
            pixels = np.broadcast_to(wave[:, None], (32, 32)) + random.normal(0, 25, (32, 32))
            pixels = np.clip(pixels if name == "lying" else pixels.T, 0, 255).astype(np.uint8)
            Image.fromarray(pixels).convert("RGB").save(root / name / f"{number:02d}.png")
    return root


def request(place: Path, text: str, **more: object) -> probe.Request:
    read = recipe.parse(text.encode(), "recipe.yaml")
    given = {"repeats": 1, "networks": 1, "steps": 50, "device": "cpu"} | more
    return probe.Request(str(place), (read,), **given)  # type: ignore[arg-type]


def test_it_says_what_hurts_and_what_does_nothing(tmp_path: Path) -> None:
    told = Quiet()
    turned = request(stripes(tmp_path / "in"), TURNED)
    same = recipe.parse(SAME.encode(), "same.yaml")
    found = probe.probe(replace(turned, recipes=(*turned.recipes, same)), told)
    hurts, nothing = found.comparisons
    assert hurts.verdict == HURTS and hurts.difference.mean < -80
    assert nothing.verdict == UNSEEN and nothing.scores.name == "same.yaml"
    assert hurts.against.marks.mean() > 90
    assert told.said.startswith(
        "classification: 20 pictures of 2 classes at 32 x 32; 5 folds x 1 repeats x 1 networks a side, 15 tr"
    )
    assert told.done == told.trainings == 15


def test_the_pictures_are_those_that_a_run_writes(tmp_path: Path) -> None:
    """Of the training pictures alone, mixes and their weights included."""
    place = stripes(tmp_path / "in", 8)
    options = ReadOptions()
    known = tasks.TASKS["classification"].read(data.dataset(str(place), None, options), 32, 64, LabelOptions())
    train = np.array([0, 1, 2, 3, 4, 8, 9, 10, 11, 12])
    read = recipe.parse(MIXED.encode(), "recipe.yaml")
    arm = Multiplied(engine.Request(str(place), "", read, read=options), known.samples, 32, known.task, 0)
    x, y = arm.pictures(0, train)
    for sample in (one for number, one in enumerate(known.samples) if number not in train):
        (place / sample.id).unlink()
    (tmp_path / "mixed.yaml").write_text(MIXED)
    out = tmp_path / "out"
    assert call(["run", str(place), str(out), "-r", str(tmp_path / "mixed.yaml"), "--to", "table", "-q"]) == 0
    written = []
    for row in rows(out):
        weights = [row["labels"].get(name, 0.0) for name in known.classes]
        written.append((np.asarray(Image.open(out / row["file_name"])).tobytes(), np.float32(weights).tolist()))
    made = [(pixels.tobytes(), weights.tolist()) for pixels, weights in zip(x, y, strict=True)]
    assert len(made) == 40 and sorted(made) == sorted(written)
    assert ((y > 0.01).sum(1) == 2).any()
    again, _ = arm.pictures(1, train)
    assert (again != x).any()  # another repeat, another seed


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    place, turned = stripes(tmp_path / "in"), "turned.yaml"
    Path(turned).write_text(TURNED)
    common = ["probe", str(place), "-r", turned, "--repeats", "1", "--networks", "1"]
    common += ["--steps", "50", "--device", "cpu", "--threads", "1"]
    assert call(common) == 0
    text = capsys.readouterr()
    assert "turned.yaml: hurts: -" in text.out and "standing" in text.out and "about" in text.err
    assert call([*common, "--json", "--against", turned]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["recipes"][0]["difference"]["mean"] == 0  # both sides of a fold share everything but the recipe
    against = found["against"]["accuracy"]
    assert (found["task"], found["measure"]) == ("classification", "accuracy")
    assert len(against) == 5 and found["against"]["classes"].keys() == {"lying", "standing"}
    assert f"accuracy {sum(against) / 5:.1f} %, against" in text.out  # as it was the first time


def test_what_it_refuses(tmp_path: Path) -> None:
    place = stripes(tmp_path / "in")
    with pytest.raises(Refused, match="and --budget gives 1 s"):
        probe.probe(request(place, SAME, seconds=0.01), Quiet())
    (tmp_path / "one" / "cat").mkdir(parents=True)
    for number, path in enumerate(sorted(place.rglob("*.png"))):
        path.rename(tmp_path / "one" / "cat" / f"{number}.png")
    with pytest.raises(InputError, match="all pictures are of the class cat"):
        probe.probe(request(tmp_path / "one", SAME), Quiet())
