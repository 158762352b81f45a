"""Classes with weights: the formats that hold them give them back, the others refuse a mix before the first image."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
from conftest import encoded
from conftest import rows as manifest_rows
from hypothesis import given
from hypothesis import strategies as st
from running import a_recipe, run

from augx import formats
from augx.errors import InputError
from augx.formats import FORMATS, ReadOptions, load
from augx.model import Annotations, Dataset, Object, Sample
from augx.objects import labels_without, row_without, without
from augx.recipe import CONVERSION

SOFT = [name for name in FORMATS if "weights" in load(name).holds]
HARD = ["folder", "labelme", "cvat"]  # of the formats that hold classes of images
MIX = {"cat": 0.7, "dog": 0.3}

_CODES = "ImageID,Source,LabelName,Confidence\n"
_LABELLED: Mapping[str, tuple[str, str]] = {  # one class an image
    "table": ("t.csv", "file_name,label\n1.png,cat\n2.png,dog\n"),
    "table, tags": ("t.tsv", "file_name\ttags\n1.png\tcat|pet\n2.png\tdog\n"),
    "table, one-hot": ("t.csv", "file_name,cat,dog\n1.png,1,0\n2.png,0,1\n"),
    "table, lines": ("t.jsonl", '{"file_name": "1.png", "label": "cat"}\n{"file_name": "2.png", "labels": ["dog"]}\n'),
    "hf": ("metadata.jsonl", '{"file_name": "1.png", "label": "cat"}\n{"file_name": "2.png", "label": "dog"}\n'),
    "hf, csv": ("metadata.csv", "file_name,label\n1.png,cat\n2.png,dog\n"),
    "hf, lists": ("metadata.jsonl", '{"file_name": "1.png", "labels": ["cat", "pet"]}\n{"file_name": "2.png"}\n'),
    "openimages": ("train-imagelabels.csv", f"{_CODES}1,machine,cat,1\n2,machine,dog,1\n"),
}
_WEIGHTED: Mapping[str, tuple[str, str]] = {
    "table": ("t.csv", "file_name,labels,age\n1.png,cat:0.70|dog:0.30,3.50\n2.png,dog:1,4\n"),
    "table, columns": ("t.csv", "file_name,cat,dog\n1.png,0.7,0.3\n2.png,0,1\n"),
    "table, lines": (
        "t.jsonl",
        '{"file_name": "1.png", "labels": {"cat": 0.7, "dog": 0.3}}\n{"file_name": "2.png", "labels": {"dog": 1}}\n',
    ),
    "hf": (
        "metadata.jsonl",
        '{"file_name": "1.png", "labels": {"cat": 0.7, "dog": 0.3}}\n'
        '{"file_name": "2.png", "labels": {"cat": 0.0, "dog": 1.0}}\n',
    ),
    "hf, csv": (
        "metadata.csv",
        'file_name,labels\n1.png,"{""cat"": 0.7, ""dog"": 0.3}"\n2.png,"{""cat"": 0.0, ""dog"": 1.0}"\n',
    ),
    "openimages": ("train-imagelabels.csv", f"{_CODES}1,machine,cat,0.7\n1,machine,dog,0.3\n2,machine,dog,1\n"),
}


def plant(root: Path, name: str, text: str) -> Path:
    root.mkdir()
    for number in (1, 2):
        (root / f"{number}.png").write_bytes(encoded(number, ".png"))
    (root / name).write_text(text, "utf-8", newline="")
    return root


def read(name: str, root: Path) -> Dataset:
    return load(name.split(",")[0]).read(str(root), ReadOptions())


def labels(dataset: Dataset) -> dict[str, dict[str, float]]:
    return {sample.id: dict(sample.annotations.labels) for sample in dataset.samples}


def row(sample: Sample, **keys: Any) -> dict[str, Any]:
    known = sample.annotations
    return {
        "file_name": sample.id,
        "source": sample.id,
        "copy": 0,
        "split": sample.split,
        "label": known.label,
        "labels": dict(known.labels),
        "objects": [],
        "mask": None,
        "values": dict(known.values),
        "captions": [],
        **keys,
    }


def written(name: str, dataset: Dataset, rows: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    return {path: "".join(pieces) for path, pieces in load(name.split(",")[0]).write(list(rows), dataset)}


def test_which_formats_hold_weights() -> None:
    assert SOFT == ["table", "hf", "openimages", "webdataset"]
    assert [name for name in FORMATS if "class" in load(name).holds and name not in SOFT and load(name).writes] == HARD


@pytest.mark.parametrize("source", _WEIGHTED)
def test_weights_come_through_a_run(source: str, tmp_path: Path) -> None:
    root = plant(tmp_path / "in", *_WEIGHTED[source])
    before = read(source, root)
    assert labels(before) == {"1.png": MIX, "2.png": {"dog": 1.0}}
    output = tmp_path / "out"
    run(root, output, a_recipe("[NoOp]", copies=2))
    for one in manifest_rows(output):
        assert one["labels"] == labels(before)[one["source"]]
        assert one["label"] == ("dog" if one["source"] == "2.png" else None)
    after = labels(read(source, output))
    assert {name: after[name] for name in ("1.png", "2.png")} == labels(before)
    assert sum(found == MIX for found in after.values()) == 3
    own = tmp_path / "same"
    run(root, own, CONVERSION)
    assert (own / _WEIGHTED[source][0]).read_text("utf-8") == _WEIGHTED[source][1]


@pytest.mark.parametrize("source", _LABELLED)
def test_a_mix_is_written_and_read_again(source: str, tmp_path: Path) -> None:
    root = plant(tmp_path / "in", *_LABELLED[source])
    dataset = read(source, root)
    load(dataset.format).check(dataset, mixes=True)
    one, two = dataset.samples
    soft = {"cat": 0.123456789, "dog": 0.876543211}
    texts = written(source, dataset, [row(one, label=None, labels=soft), row(two)])
    (root / _LABELLED[source][0]).write_text(texts[_LABELLED[source][0]], "utf-8", newline="")
    assert labels(read(source, root)) == {"1.png": soft, "2.png": dict(two.annotations.labels)}


@pytest.mark.parametrize("target", [name for name in SOFT if not load(name).packs])
def test_a_mix_of_class_folders_in_another_format(target: str, tmp_path: Path) -> None:
    plant(tmp_path / "cat", "notes.txt", "").joinpath("2.png").rename(tmp_path / "2.png")
    (tmp_path / "dog").mkdir()
    (tmp_path / "2.png").rename(tmp_path / "dog" / "2.png")
    dataset = load("folder").read(str(tmp_path), ReadOptions())
    formats.check([load("folder"), load(target)], dataset, mixes=True)
    rows = [row(dataset.samples[0], label=None, labels=MIX), row(dataset.samples[1])]
    for path, text in written(target, dataset, rows).items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text, "utf-8", newline="")
    assert labels(read(target, tmp_path)) == {"cat/1.png": MIX, "dog/2.png": {"dog": 1.0}}


def test_the_rows_of_an_imagefolder_have_one_type() -> None:
    """`datasets` makes a struct of doubles of `labels`: the same names in each row, and no whole numbers."""
    samples = tuple(Sample(f"{n}.png", Annotations({f"c{n}": 1.0}), "train" if n % 2 else "val") for n in range(6))
    rows = [row(sample, label=None, labels={"c0": 0.25, f"c{n}": 0.75} if n else {"c0": 1.0}) for n, sample in
            enumerate(samples)]  # fmt: skip
    texts = written("hf", Dataset("r", "folder", samples, tuple(f"c{n}" for n in range(6))), rows)
    told = [json.loads(line)["labels"] for text in texts.values() for line in text.splitlines()]
    assert len(texts) == 2
    assert {tuple(one) for one in told} == {("c0", "c1", "c2", "c3", "c4", "c5")}
    assert {type(weight) for one in told for weight in one.values()} == {float}
    assert all(sum(one.values()) == 1 for one in told)


_NAMES = st.text(st.sampled_from('ab:|;, "\n{é1.'), min_size=1, max_size=6).filter(lambda name: name == name.strip())


@given(st.dictionaries(_NAMES, st.integers(1, 10**9), min_size=2, max_size=4), st.sampled_from(["table", "hf"]))
def test_any_names_and_weights_come_back(
    tmp_path_factory: pytest.TempPathFactory, parts: dict[str, int], target: str
) -> None:
    total = sum(parts.values())
    soft = {name: round(part / total, 9) for name, part in parts.items()}
    soft = {name: weight for name, weight in soft.items() if weight}
    samples = tuple(Sample(f"{n}.png", Annotations({name: 1.0})) for n, name in enumerate(parts, 1))
    dataset = Dataset("r", "folder", samples, tuple(parts))
    try:
        load(target).check(dataset, mixes=True)
    except InputError as error:
        assert target == "table" and "|" in "".join(parts), error
        return
    rows = [row(samples[0], label=None, labels=soft), *map(row, samples[1:])]
    ((path, text),) = written(target, dataset, rows).items()
    root = tmp_path_factory.mktemp("names")
    for sample in samples:
        (root / sample.id).touch()
    (root / path).write_text(text, "utf-8", newline="")
    assert labels(read(target, root)) == {**labels(dataset), "1.png": soft}


@pytest.mark.parametrize("name", HARD)
def test_a_mix_is_refused_where_classes_would_lose_their_weights(name: str) -> None:
    dataset = Dataset("r", "folder", (Sample("a/1.png", Annotations({"a": 1.0})),), ("a",))
    with pytest.raises(InputError, match=f"^{name} cannot hold the weighted labels of a mix .*1; the first is a/1.png"):
        formats.check([load(name)], dataset, mixes=True)
    with pytest.raises(InputError) as caught:
        load(name).check(dataset, mixes=True)
    assert "--to table" in str(caught.value.hint) and "--hard-labels" in str(caught.value.hint)
    formats.check([load(name)], dataset, mixes=False)
    for beside in SOFT:
        formats.check([load(name), load(beside)], dataset, mixes=True)


@pytest.mark.parametrize("name", [name for name in FORMATS if load(name).writes and name != "folder"])
def test_where_only_objects_have_classes_a_mix_is_never_refused(name: str) -> None:
    boxes = Annotations(objects=(Object("a", (1, 2, 5, 6)),))
    formats.check([load(name)], Dataset("r", "other", (Sample("1.png", boxes),), ("a",)), mixes=True)


def test_folders_without_classes_can_be_mixed() -> None:
    load("folder").check(Dataset("r", "folder", (Sample("1.png"),)), mixes=True)


def test_a_table_whose_names_hold_its_separator_is_refused() -> None:
    dataset = Dataset("r", "folder", (Sample("a|b/1.png", Annotations({"a|b": 1.0})),), ("a|b",))
    load("table").check(dataset, mixes=False)
    with pytest.raises(InputError, match=r"class 'a\|b' cannot stand in a list"):
        load("table").check(dataset, mixes=True)


def test_an_imagefolder_with_a_column_of_numbers_called_labels_is_refused(tmp_path: Path) -> None:
    text = '{"file_name": "1.png", "label": "a", "labels": 0.5}\n{"file_name": "2.png", "label": "b", "labels": 1.5}\n'
    dataset = read("hf", plant(tmp_path / "in", "metadata.jsonl", text))
    assert labels(dataset) == {"1.png": {"a": 1.0}, "2.png": {"b": 1.0}}
    load("hf").check(dataset, mixes=False)
    with pytest.raises(InputError, match="the column 'labels' holds no classes"):
        load("hf").check(dataset, mixes=True)


def test_images_that_no_table_of_open_images_lists_are_refused(tmp_path: Path) -> None:
    root = plant(tmp_path / "in", "train-imagelabels.csv", f"{_CODES}1,machine,cat,1\n")
    boxes = "ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax\n2,x,dog,1,0.1,0.5,0.1,0.5\n"
    (root / "train-annotations-bbox.csv").write_text(boxes)
    dataset = read("openimages", root)
    load("openimages").check(dataset, mixes=False)
    with pytest.raises(InputError, match=r"no table of image labels, to which a mix gives some: 1; 2\.png"):
        load("openimages").check(dataset, mixes=True)


@pytest.mark.parametrize(
    ("given", "lost", "left"),
    [
        (MIX, {"weights"}, {"cat": 1.0}),
        (MIX, {"weights", "classes"}, {"cat": 1.0}),
        (MIX, {"weights", "classes", "class"}, {}),
        (MIX, {"classes"}, {}),
        ({"a": 0.5, "b": 0.5}, {"weights"}, {"a": 1.0}),
        ({"a": 0.3}, {"weights"}, {"a": 1.0}),
        ({"a": 1.0, "b": 1.0}, {"weights"}, {"a": 1.0, "b": 1.0}),
        ({"a": 1.0, "b": 1.0}, {"weights", "classes"}, {}),
        ({"a": 1.0}, {"weights", "classes"}, {"a": 1.0}),
    ],
)
def test_what_is_left_without_weights(given: dict[str, float], lost: set[str], left: dict[str, float]) -> None:
    assert labels_without(given, lost) == left
    sample = Sample("1.png", Annotations(given))
    assert without(sample, lost).annotations.labels == left
    less = row_without(row(sample), lost)
    assert less["labels"] == left
    assert less["label"] == (next(iter(left)) if len(left) == 1 else None)


def test_class_folders_of_soft_labels_are_refused_by_name_or_get_the_heaviest_class(tmp_path: Path) -> None:
    root = plant(tmp_path / "in", *_WEIGHTED["table, columns"])
    output = tmp_path / "out"
    with pytest.raises(InputError, match=r"the format folder cannot hold .*classes with weights \(1 images.* 1\.png"):
        run(root, output, CONVERSION, to_formats=("folder",))
    assert not output.exists()
    run(root, output, CONVERSION, to_formats=("folder",), allow_loss=True)
    assert labels(read("folder", output)) == {"cat/1.png": {"cat": 1.0}, "dog/2.png": {"dog": 1.0}}
