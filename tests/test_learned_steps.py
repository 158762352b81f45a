"""Steps that work with a model: what is refused, what makes images anew, and what is told, all without torch."""

from __future__ import annotations

import importlib.metadata
import importlib.util
from dataclasses import replace
from pathlib import Path
from typing import Any

import models
import numpy as np
import pytest
from models import CARD
from running import a_recipe

from augx import artefact, engine, fitting, recipe, versions
from augx import plan as planning
from augx.cli import call
from augx.errors import InputError, RecipeError
from augx.model import Annotations, Dataset, Object, Sample, Step
from augx.partners import Folders
from augx.transforms.own.base import make
from augx.work import Maker

STEP = "[{feature_space: {model: m.safetensors, p: 1}}]"


@pytest.fixture
def torch_there(monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.metadata.version
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "2.13.0" if name == "torch" else found(name))


@pytest.fixture
def no_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    found, spec = importlib.metadata.version, importlib.util.find_spec

    def version(name: str) -> str:
        if name == "torch":
            raise importlib.metadata.PackageNotFoundError(name)
        return found(name)

    monkeypatch.setattr(importlib.metadata, "version", version)
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *more: None if name in ("torch", "safetensors") else spec(name, *more)
    )


def written(folder: Path, steps: str = STEP) -> Path:
    path = folder / "recipe.yaml"
    path.write_text(f"version: 1\ncopies: 1\ntransforms: {steps}\n")
    return path


def problems(path: Path) -> list[str]:
    with pytest.raises(RecipeError) as found:
        recipe.read(path)
    return [f"{one.line}:{one.column} {one.code} {one.message} ({one.suggestion})" for one in found.value.problems]


def test_a_model_is_found_beside_the_recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = models.model(tmp_path / "m.safetensors")
    monkeypatch.chdir("/")
    found = recipe.read(written(tmp_path))
    assert found.models == {"m.safetensors": artefact.Place(str(path), artefact.sha256(path.read_bytes()))}
    assert found.learned
    assert found.replace(copies=3).models == found.models
    assert not a_recipe().learned


def test_a_model_in_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = models.model(tmp_path / "m.safetensors")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    (tmp_path / "recipes").mkdir()
    found = recipe.read(written(tmp_path / "recipes", "[feature_space: {model: ~/m.safetensors}]"))
    assert found.models["~/m.safetensors"].path == str(path)


def test_a_model_that_is_not_there_says_how_to_make_one(tmp_path: Path) -> None:
    assert problems(written(tmp_path)) == [
        "3:38 named-file there is no model 'm.safetensors' (it is looked for beside the recipe, then in this folder; "
        "`augx learn autoencoder INPUT -o m.safetensors` writes one)"
    ]


def test_files_that_are_no_models_are_refused_at_their_place(tmp_path: Path) -> None:
    (tmp_path / "m.safetensors").write_bytes(b"hello, I am no model at all")
    assert problems(written(tmp_path)) == [
        "3:38 named-file the model 'm.safetensors' is no safetensors file "
        "(`augx learn autoencoder INPUT -o m.safetensors` writes one)"
    ]


@pytest.mark.parametrize(
    ("steps", "wanted"),
    [
        ("[feature_space]", "needs the argument 'model'"),
        ("[{feature_space: {model: 7}}]", "model"),
        ("[{feature_space: {model: m.safetensors, mode: dream}}]", "mode"),
        ("[{feature_space: {model: m.safetensors, partners: any}}]", "go with the modes interpolate and join"),
        ("[{policy: {policies: [[{feature_space: {model: m.safetensors}}]]}}]", "cannot be an op"),
    ],
)
def test_arguments_that_do_not_go(tmp_path: Path, steps: str, wanted: str) -> None:
    models.model(tmp_path / "m.safetensors")
    (found,) = problems(written(tmp_path, steps))
    assert wanted in found


def a_plan(photos: Path, path: Path) -> planning.Plan:
    request = engine.Request(str(photos), "", recipe.read(path))
    return engine.read(request)[0]


def test_another_model_of_the_same_name_makes_images_anew(photos: Path, tmp_path: Path, torch_there: None) -> None:
    path = written(tmp_path)
    models.model(tmp_path / "m.safetensors")
    first = a_plan(photos, path).bases
    assert a_plan(photos, path).bases == first
    models.model(tmp_path / "m.safetensors", replace(CARD, seed=4))
    assert a_plan(photos, path).bases != first


def test_torch_decides_bytes_where_a_model_is_at_work_and_nowhere_else(
    torch_there: None,
) -> None:
    assert versions.deciding(learned=True)["torch"] == "2.13.0"
    assert "torch" not in versions.deciding()


def test_without_torch_a_run_says_what_to_install(
    photos: Path, tmp_path: Path, no_torch: None, capsys: pytest.CaptureFixture[str]
) -> None:
    models.model(tmp_path / "m.safetensors")
    path, out = written(tmp_path), tmp_path / "out"
    for command in (["run", str(photos), str(out)], ["plan", str(photos)]):
        assert call([*command, "-r", str(path)]) == 2
        assert "pip install 'augx[learn]'" in capsys.readouterr().err
    assert not out.exists()
    assert call(["validate", str(path)]) == 0  # what does not need it works
    assert call(["show", "feature_space"]) == 0
    assert call(["learn", "autoencoder", str(photos), "-o", str(tmp_path / "n.safetensors")]) == 2
    assert "needs torch and safetensors" in capsys.readouterr().err
    assert call(["learn", "policy", str(photos), "-o", str(tmp_path / "found.yaml")]) == 2
    assert "needs torch and safetensors" in capsys.readouterr().err


def test_things_are_not_moved_away_from_their_labels(tmp_path: Path) -> None:
    models.model(tmp_path / "m.safetensors")
    box = Annotations(objects=(Object("cat", np.array([0, 0, 4, 4], float)),))
    known = Dataset("", "", (Sample("a.jpg", Annotations(labels={"cat": 1.0})), Sample("b.jpg", box)))
    with pytest.raises(InputError, match=r"feature_space moves things.*b\.jpg has boxes") as found:
        fitting.refuse_inventions(known, recipe.read(written(tmp_path)))
    assert "mode: noise" in found.value.hint
    noise = "[{feature_space: {model: m.safetensors, mode: noise}}]"
    fitting.refuse_inventions(known, recipe.read(written(tmp_path, noise)))
    fitting.refuse_inventions(replace(known, samples=known.samples[:1]), recipe.read(written(tmp_path)))


def test_what_is_made_of_two_pictures_is_for_classes_only(tmp_path: Path) -> None:
    models.model(tmp_path / "m.safetensors", replace(CARD, method="neural"))
    asked = recipe.read(written(tmp_path, "[{neural: {model: m.safetensors}}]"))
    box = Annotations(objects=(Object("cat", np.array([0, 0, 4, 4], float)),))
    known = Dataset("", "", (Sample("b.jpg", box),))
    with pytest.raises(InputError, match=r"neural moves things to where no label says, and b\.jpg has boxes") as found:
        fitting.refuse_inventions(known, asked)
    assert found.value.hint == "neural is for images that have classes only"
    mask = Dataset("", "", (Sample("c.jpg", Annotations(mask="c.png")),))
    with pytest.raises(InputError, match=r"c\.jpg has"):
        fitting.refuse_inventions(mask, asked)
    several = Annotations(labels={"cat": 1.0, "dog": 1.0}, values={"age": 7})
    known = replace(known, samples=(Sample("a.jpg", several),))
    fitting.refuse_inventions(known, asked)
    assert not fitting.mixes_classes(known, asked)
    assert [one.message for one in fitting.unmoved(known, asked)] == ["neural leaves age as the first picture has it"]


@pytest.mark.parametrize(
    "step", ["{neural: {model: m.safetensors}}", "{feature_space: {model: m.safetensors, mode: interpolate}}"]
)
def test_what_is_labelled_by_numbers_only_is_not_made_of_others(tmp_path: Path, step: str) -> None:
    """Between two ages lies a third one, and a wrong one would be taught as true."""
    models.model(tmp_path / "m.safetensors", replace(CARD, method="neural" if "neural" in step else CARD.method))
    asked = recipe.read(written(tmp_path, f"[{step}]"))
    ages = tuple(Sample(f"{age}.jpg", Annotations(values={"age": age, "by": "Ann"})) for age in (7, 9))
    with pytest.raises(InputError, match=r"all that images have is numbers \(age\): nobody knows which a new one has"):
        fitting.refuse_inventions(Dataset("", "", ages), asked)
    named = tuple(Sample(one.id, replace(one.annotations, labels={"cat": 1.0})) for one in ages)
    fitting.refuse_inventions(Dataset("", "", named), asked)
    words = tuple(Sample(one.id, replace(one.annotations, values={"by": "Ann"})) for one in ages)
    fitting.refuse_inventions(Dataset("", "", words), asked)
    noise = "[{feature_space: {model: m.safetensors, mode: noise}}]"
    models.model(tmp_path / "m.safetensors")
    fitting.refuse_inventions(Dataset("", "", ages), recipe.read(written(tmp_path, noise)))


def test_a_model_of_other_pictures_is_told_of(photos: Path, tmp_path: Path, torch_there: None) -> None:
    path = written(tmp_path)
    models.model(tmp_path / "m.safetensors")
    said = [flaw.message for flaw in a_plan(photos, path).dataset.warnings if flaw.code == "model-of-other-data"]
    assert said == ["m.safetensors was fitted on 12 other pictures: about 0% of all are the same"]
    sketch = artefact.sketch(a_plan(photos, path).dataset.samples)
    models.model(tmp_path / "m.safetensors", replace(CARD, sketch=sketch))
    assert [flaw for flaw in a_plan(photos, path).dataset.warnings if flaw.code == "model-of-other-data"] == []


def test_a_model_that_has_seen_what_is_tested_on_is_told_of(tmp_path: Path, torch_there: None) -> None:
    kinds = ((f"{split}/cat/{number}.jpg", split) for split in ("train", "val") for number in range(4))
    samples = tuple(Sample(name, Annotations(labels={"cat": 1.0}), split) for name, split in kinds)
    known = Dataset("", "", samples)

    def told(fitted_on: tuple[Sample, ...]) -> list[str]:
        models.model(tmp_path / "m.safetensors", replace(CARD, sketch=artefact.sketch(fitted_on)))
        found = fitting.models_of_other_data(known, recipe.read(written(tmp_path)))
        return [flaw.message for flaw in found if flaw.code == "model-saw-test"]

    assert told(samples[:4]) == []
    assert told(samples) == ["m.safetensors was fitted on pictures that are not multiplied, about 50% of its own"]


def test_classes_are_shared_only_where_partners_may_be_of_another(tmp_path: Path) -> None:
    models.model(tmp_path / "m.safetensors")
    known = Dataset("", "", (Sample("a.jpg", Annotations(labels={"cat": 1.0})),))

    def shared(arguments: str) -> bool:
        step = f"[{{feature_space: {{model: m.safetensors{arguments}}}}}]"
        return fitting.mixes_classes(known, recipe.read(written(tmp_path, step)))

    assert [shared(""), shared(", mode: interpolate"), shared(", mode: interpolate, partners: any")] == [
        False,
        False,
        True,
    ]
    known = replace(known, samples=(Sample("a.jpg", Annotations(labels={"cat": 1.0, "dog": 1.0})),))
    assert not shared("")  # labels stay as they are, however many
    assert shared(", mode: join, partners: other")


def test_only_what_takes_another_picture_leaves_its_values_behind(tmp_path: Path) -> None:
    models.model(tmp_path / "m.safetensors")
    known = Dataset("", "", (Sample("a.jpg", Annotations(values={"age": 7})),))

    def told(mode: str) -> list[str]:
        step = f"[{{feature_space: {{model: m.safetensors, mode: {mode}}}}}]"
        found = fitting.unmoved(known, recipe.read(written(tmp_path, step)))
        return [one.message for one in found if one.code == "unmixed-values"]

    assert told("noise") == []
    assert told("extrapolate") == ["feature_space leaves age as the first picture has it"]


def test_a_worker_is_told_where_models_are() -> None:
    steps = (Step("OneOf", {}, None, (Step("feature_space", {"model": "m"}),)), Step("feature_space", {"model": "n"}))
    found = replace(a_recipe(), steps=steps)
    folders = Folders(models={"m": artefact.Place("/there/m", "12")})
    pipeline: Any = Maker(found, Dataset("", "", ()), folders=folders).pipelines[0]
    group, leaf = pipeline._nodes
    assert group.members[0].transform.place == artefact.Place("/there/m", "12")
    assert leaf.transform.place == artefact.Place("n")


def test_noise_takes_no_partner() -> None:
    noise = make("feature_space", {"model": "m", "mode": "noise"})
    other = make("feature_space", {"model": "m", "nearest": 3})
    assert (noise.need().count, other.need().count, other.need().nearest) == (0, 1, 3)
