"""The step `gan`, which adds pictures: what is planned, refused and told, all without torch."""

from __future__ import annotations

import importlib.metadata
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import models
import numpy as np
import pytest
from conftest import failures, rows, tree
from models import CARD
from running import run

from augx import added, engine, recipe
from augx import plan as planning
from augx.cli import call
from augx.errors import ImageError, InputError, RecipeError
from augx.learn import gan
from augx.model import Annotations, Applied, Dataset, Object, Picture, Sample
from augx.naming import job_names
from augx.seeds import Rng

GAN = replace(CARD, method="gan", gates={"diversity": 0.8, "least_diversity": 0.7, "least_diverse": "cat"})


@pytest.fixture(autouse=True)
def torch_there(monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.metadata.version
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "2.13.0" if name == "torch" else found(name))


@pytest.fixture
def painted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures of noise in place of those of a network. Every fourth is rejected."""

    def make(self: gan.Gan, label: str, rng: Rng) -> tuple[Picture, Applied]:
        stream = int(rng.numpy.integers(2**63))
        if stream % 4 == 0:
            raise ImageError("gan-rejected", f"{label}: none of {self.attempts} passes", "transform")
        pixels = np.random.default_rng(stream).integers(0, 256, (32, 32, 3), dtype=np.uint8)
        said = {"class": label, "stream": stream, "attempts": 3, "rejected": {"copied": 2}, "partners": ["cat/0.jpg"]}
        return Picture(pixels), Applied("gan", said)

    monkeypatch.setattr(gan.Gan, "make", make)


def written(folder: Path, step: str = "per_class: 40", more: str = "", copies: int = 1, card: Any = GAN) -> Path:
    models.model(folder / "m.safetensors", card)
    path = folder / "recipe.yaml"
    path.write_text(f"version: 1\ncopies: {copies}\ntransforms:\n  - gan: {{model: m.safetensors, {step}}}\n{more}")
    return path


def planned(photos: Path, path: Path) -> planning.Plan:
    return engine.read(engine.Request(str(photos), "", recipe.read(path)))[0]


def problems(path: Path) -> list[str]:
    with pytest.raises(RecipeError) as found:
        recipe.read(path)
    return [f"{one.line}:{one.column} {one.message}" for one in found.value.problems]


def test_each_class_gets_samples_of_a_few_pictures(photos: Path, tmp_path: Path) -> None:
    plan = planned(photos, written(tmp_path))
    more = [job for job in plan.jobs if job.sample.added]
    assert [(job.stem, job.ending, job.copies[0], job.copies[-1]) for job in more] == [
        ("cat/gan_cat", ".jpg", 1, 32),
        ("cat/gan_cat", ".jpg", 33, 40),
        ("dog/gan_dog", ".jpg", 1, 32),
        ("dog/gan_dog", ".jpg", 33, 40),
    ]
    assert [job.sample.annotations.labels for job in more] == [{"cat": 1.0}] * 2 + [{"dog": 1.0}] * 2
    assert plan.images() == 6 * 2 + 80
    plan = planned(photos, written(tmp_path, "per_class: {dog: 3}"))
    assert [list(job_names(job)) for job in plan.jobs if job.sample.added] == [
        ["dog/gan_dog_aug01.jpg", "dog/gan_dog_aug02.jpg", "dog/gan_dog_aug03.jpg"]
    ]


def test_names_of_real_pictures_stay_theirs(photos: Path, tmp_path: Path) -> None:
    (photos / "cat" / "0.jpg").rename(photos / "cat" / "Gan_Cat.jpg")
    jobs = planned(photos, written(tmp_path, "per_class: 1")).jobs
    stems = [job.stem for job in jobs]
    assert "cat/Gan_Cat" in stems and stems[-2:] == ["cat/gan_cat_2", "dog/gan_dog"]


def test_odd_classes_become_names() -> None:
    labels = ("a/b: c", "ä", "猫")
    some = [Sample(f"gan://0//{label}/0", Annotations(labels={label: 1.0})) for label in labels]
    assert list(added.stems(some, ["GAN_a_b_c_aug01"]).values()) == ["gan_a_b_c_2", "gan", "gan_2"]


@pytest.mark.parametrize(
    ("step", "more", "wanted"),
    [
        ("per_class: 0", "", "4:44 gan.per_class: expected a whole number from 1 to 100000 or a mapping, got 0"),
        ("per_class: {cat: 0}", "", "4:5 gan: per_class: of cat a whole number from 1 to 100000"),
        ("truncation: 1", "", "4:5 gan: needs the argument 'per_class'"),
        ("per_class: 3, p: 0.5", "", "4:5 gan takes no p: it adds pictures, and changes none"),
        (
            "per_class: 3",
            "  - OneOf: [{gan: {model: m.safetensors, per_class: 3}}, NoOp]\n",
            "5:14 gan cannot be used in OneOf",
        ),
        (
            "per_class: 3",
            "overrides: [{when: {class: cat}, transforms: [{gan: {model: m.safetensors, per_class: 3}}]}]\n",
            "5:48 gan cannot be used in an override",
        ),
    ],
)
def test_arguments_and_places_that_do_not_go(tmp_path: Path, step: str, more: str, wanted: str) -> None:
    (found,) = problems(written(tmp_path, step, more))
    assert found.startswith(wanted)


def test_without_copies_there_must_be_something_new(tmp_path: Path) -> None:
    assert recipe.read(written(tmp_path, copies=0)).copies == 0
    path = tmp_path / "none.yaml"
    path.write_text("version: 1\ncopies: 0\ntransforms: [NoOp]\n")
    assert problems(path) == ["2:9 copies: 0 makes nothing new"]


def test_a_class_that_the_model_or_the_dataset_does_not_know_is_refused(photos: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not know the class dog") as found:
        planned(photos, written(tmp_path, card=replace(GAN, classes=("cat", "cow"))))
    assert "it knows cat, cow" in found.value.hint
    with pytest.raises(InputError, match="names cow, and no image") as found:
        planned(photos, written(tmp_path, "per_class: {cow: 3}"))
    assert found.value.hint == "there are: cat, dog"


def test_labels_that_no_generated_picture_has_are_refused(tmp_path: Path) -> None:
    read = recipe.read(written(tmp_path))
    box = Annotations(objects=(Object("cat", (0.0, 0.0, 4.0, 4.0)),))

    def refusal(*known: Annotations, format: str = "folder") -> str:
        some = Dataset("", "", tuple(Sample(f"{number}.jpg", one) for number, one in enumerate(known)))
        with pytest.raises(InputError) as found:
            list(added.samples(some, read, [format]))
        return found.value.message

    cat = Annotations(labels={"cat": 1.0})
    assert refusal(cat, box) == "gan makes pictures whose things no label places, and 1.jpg has boxes"
    assert "1.jpg has several" in refusal(cat, Annotations(labels={"cat": 1.0, "dog": 1.0}))
    assert "no image that is multiplied has one" in refusal(Annotations())
    assert "the format coco has no place" in refusal(cat, format="coco")


def test_collapse_is_told_of(photos: Path, tmp_path: Path) -> None:
    def told(card: Any) -> list[str]:
        found = planned(photos, written(tmp_path, card=card)).dataset.warnings
        return [flaw.message for flaw in found if flaw.code == "model-collapsed"]

    assert told(GAN) == []
    poor = replace(GAN, gates={"diversity": 0.31, "least_diversity": 0.2, "least_diverse": "dog"})
    assert told(poor) == ["m.safetensors: what it makes is 31% as varied as real pictures, of dog 20%"]
    assert told(replace(GAN, gates={})) == []


def test_a_run_adds_pictures_and_leaves_copies_as_they_were(photos: Path, tmp_path: Path, painted: None) -> None:
    path = written(tmp_path, more="  - HorizontalFlip: {p: 0.5}\n  - samplepairing: {p: 0.4}\n")
    out, plain = tmp_path / "out", tmp_path / "plain"
    run(photos, out, recipe.read(path))
    (tmp_path / "plain.yaml").write_text(
        "version: 1\ncopies: 1\ntransforms:\n  - HorizontalFlip: {p: 0.5}\n  - samplepairing: {p: 0.4}\n"
    )
    run(photos, plain, recipe.read(tmp_path / "plain.yaml"))
    copies = {row["file_name"]: (row["sha256"], row["key"]) for row in rows(out) if row["source"]}
    assert copies == {row["file_name"]: (row["sha256"], row["key"]) for row in rows(plain)}
    new, failed = [row for row in rows(out) if not row["source"]], failures(out)
    assert len(new) + len(failed) == 80 and 8 <= len(failed) <= 32
    assert {row["source"] for row in failed} == {""} and {row["error"] for row in failed} == {"gan-rejected"}
    assert {len(row["transforms"]) for row in new} == {1, 2, 3}
    for row in new:
        said, name = row["transforms"][0], row["label"]
        assert said["name"] == "gan" and row["file_name"] == f"{name}/gan_{name}_aug{row['copy']:02}.jpg"
        assert row["labels"] == {said["params"]["class"]: 1.0} and row["partners"][0] == "cat/0.jpg"
    counts = json.loads((out / "summary.json").read_text())["counts"]
    assert (counts["sources"], counts["copies"], counts["added"]) == (6, 6, len(new))


def test_it_is_resumed_checked_and_verified_as_others_are(photos: Path, tmp_path: Path, painted: None) -> None:
    path = written(tmp_path, more="  - HorizontalFlip: {p: 0.5}\n")
    out = tmp_path / "out"
    run(photos, out, recipe.read(path))
    whole = tree(out)
    for row in [row for row in rows(out) if not row["source"]][3:5]:
        (out / row["file_name"]).unlink()
    command = [str(photos), str(out), "-r", str(path)]
    assert call(["check", *command]) == 1
    assert run(photos, out, recipe.read(path)).made == 2
    assert tree(out) == whole
    assert call(["check", *command]) == 0 and call(["verify", str(out)]) == 0
    again = run(photos, out, recipe.read(path))
    assert (again.made, again.kept) == (0, len(rows(out)))


def test_another_model_makes_only_what_is_added_anew(photos: Path, tmp_path: Path, painted: None) -> None:
    out = tmp_path / "out"
    run(photos, out, recipe.read(written(tmp_path)))
    changed = run(photos, out, recipe.read(written(tmp_path, card=replace(GAN, seed=9))))
    assert (changed.made, changed.kept) == (len(rows(out)) - 12, 12)
    fewer = run(photos, out, recipe.read(written(tmp_path, "per_class: 5", card=replace(GAN, seed=9))))
    assert fewer.made == 0 and len([row for row in rows(out) if not row["source"]]) <= 10


def test_others_that_read_what_was_added(
    photos: Path, tmp_path: Path, painted: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    path, out = written(tmp_path, more="  - samplepairing: {p: 0.6}\n"), tmp_path / "out"
    run(photos, out, recipe.read(path))
    mixed = next(row for row in rows(out) if not row["source"] and len(row["transforms"]) == 2)
    assert call(["replay", str(out), mixed["file_name"], "-o", "again.jpg"]) == 0
    assert (tmp_path / "again.jpg").read_bytes() == (out / mixed["file_name"]).read_bytes()
    capsys.readouterr()
    assert call(["report", str(out), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    new = [row for row in rows(out) if not row["source"]]
    assert told["generated"] == {"count": len(new), "drawn": 3 * len(new), "rejected": {"copied": 2 * len(new)}}
    assert call(["plan", str(photos), "-r", str(path)]) == 0
    assert "and 80 that the recipe adds" in capsys.readouterr().out
    assert call(["preview", str(photos), "-r", str(path), "-o", "sheet.png", "-j", "0", "-q"]) == 0
    assert call(["convert", str(out), "table", "--to", "table", "-q"]) == 0
    assert len(rows(tmp_path / "table")) == len(rows(out))


@pytest.mark.parametrize("format", ["table", "hf"])
def test_tables_list_what_was_added(photos: Path, tmp_path: Path, painted: None, format: str) -> None:
    out = tmp_path / "out"
    run(photos, out, recipe.read(written(tmp_path, "per_class: 5", copies=0)), to_formats=(format,))
    listed = (out / {"table": "labels.csv", "hf": "metadata.jsonl"}[format]).read_text()
    for row in rows(out):
        assert row["file_name"] in listed
    again = engine.read(engine.Request(str(out), "", recipe.CONVERSION))[0].dataset
    assert {one.id: one.annotations.label for one in again.samples} == {r["file_name"]: r["label"] for r in rows(out)}
