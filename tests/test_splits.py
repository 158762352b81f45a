"""A dataset without splits, divided."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from augx.errors import InputError
from augx.model import Annotations, Dataset, Object, Sample
from augx.splits import divide


def dataset(*samples: Sample) -> Dataset:
    return Dataset("root", "folder", tuple(sorted(samples, key=lambda sample: sample.id)))


def image(id: str, label: str | None = None, **values: Any) -> Sample:
    return Sample(id, Annotations({label: 1.0} if label else {}, values))


def photo(id: str, *objects: str) -> Sample:
    return Sample(id, Annotations(objects=tuple(Object(name) for name in objects)))


def many(count: int, *labels: str) -> Dataset:
    return dataset(*(image(f"{index:05d}.jpg", labels[index % len(labels)]) for index in range(count)))


def splits(made: Dataset) -> dict[str, str | None]:
    return {sample.id: sample.split for sample in made.samples}


def sizes(made: Dataset) -> Counter[str | None]:
    return Counter(splits(made).values())


def test_shares_are_met_but_for_chance() -> None:
    found = sizes(divide(many(5000, "cat", "dog"), 0.2, 0.1))
    assert sum(found.values()) == 5000
    for name, share in (("val", 0.2), ("test", 0.1)):
        assert abs(found[name] - 5000 * share) < 4 * math.sqrt(5000 * share * (1 - share))


def test_nothing_but_the_split_changes() -> None:
    before = many(50, "cat")
    made = divide(before, 0.2, 0.2)
    assert replace(made, samples=tuple(replace(sample, split=None) for sample in made.samples)) == before


@given(st.sets(st.text(min_size=1), min_size=2))
def test_an_added_image_moves_none(names: set[str]) -> None:
    samples = [image(name) for name in names]
    more = splits(divide(dataset(*samples), 0.3, 0.3))
    less = splits(divide(dataset(*samples[1:]), 0.3, 0.3))
    assert less.items() <= more.items()


def test_more_of_one_split_moves_none_of_the_other() -> None:
    less, more = (splits(divide(many(300, "cat"), val, 0.2)) for val in (0.1, 0.3))
    assert {id for id in less if less[id] == "test"} == {id for id in more if more[id] == "test"}
    assert {id for id in less if less[id] == "val"} < {id for id in more if more[id] == "val"}


def test_stratified_shares_are_met_by_class() -> None:
    samples = [
        image(f"{name}/{index}.jpg", name) for name, n in (("a", 500), ("b", 43), ("c", 7)) for index in range(n)
    ]
    made = divide(dataset(*samples), 0.2, 0.1, stratify=True)
    found = Counter((sample.annotations.label, sample.split) for sample in made.samples)
    assert (found["a", "test"], found["a", "val"], found["a", "train"]) == (50, 100, 350)
    for name, count in (("a", 500), ("b", 43), ("c", 7)):
        assert abs(found[name, "val"] - 0.2 * count) < 1
        assert abs(found[name, "test"] - 0.1 * count) < 1


def test_many_small_classes_add_up_to_the_share() -> None:
    samples = [image(f"{name}/{index}.jpg", f"{name:03d}") for name in range(200) for index in range(4)]
    made = divide(dataset(*samples), 0.1, 0.1, stratify=True)
    found = sizes(made)
    assert abs(found["val"] - 80) <= 2
    assert abs(found["test"] - 80) <= 2
    in_training = {sample.annotations.label for sample in made.samples if sample.split == "train"}
    assert len(in_training) == 200


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_class_of_few_images_is_for_training(count: int) -> None:
    made = divide(many(count, "cat"), 0.45, 0.45, stratify=True)
    assert sizes(made)["train"] >= 1


def test_an_added_image_moves_two_at_most_when_stratified() -> None:
    whole = many(400, "a", "b", "c", "d")
    known = splits(divide(whole, 0.15, 0.15, stratify=True))
    for index in range(0, 400, 20):
        less = replace(whole, samples=whole.samples[:index] + whole.samples[index + 1 :])
        now = splits(divide(less, 0.15, 0.15, stratify=True))
        assert sum(now[id] != known[id] for id in now) <= 2


def test_an_image_of_several_classes_counts_for_the_rarest() -> None:
    """Persons are everywhere; of 20 images with a cat 5 are in val, and of 40 with a dog 10."""
    samples = [photo(f"{index:03d}.jpg", "person", *(["cat"] if index < 20 else [])) for index in range(60)]
    samples += [photo(f"dog{index:03d}.jpg", "person", "dog", "dog") for index in range(40)]
    made = divide(dataset(*samples), 0.25, 0, stratify=True)
    found = Counter(
        name
        for sample in made.samples
        if sample.split == "val"
        for name in {str(thing.label) for thing in sample.annotations.objects}
    )
    assert found == {"person": 25, "cat": 5, "dog": 10}


def test_a_group_by_column_stays_together() -> None:
    samples = [image(f"{index:03d}.png", "ab"[index % 2], patient=f"p{index // 5}") for index in range(200)]
    for stratify in (False, True):
        made = divide(dataset(*samples), 0.2, 0.2, "patient", stratify)
        for group in range(40):
            assert len({sample.split for sample in made.samples[group * 5 : group * 5 + 5]}) == 1
        assert made.warnings == ()
        assert len(sizes(made)) == 3
    assert abs(sizes(made)["val"] - 40) <= 5


def test_groups_are_weighed_by_their_images() -> None:
    samples = [image(f"{index:04d}.png", "a", patient=index if index < 200 else index // 20) for index in range(1000)]
    made = divide(dataset(*samples), 0.2, 0.2, "patient", True)
    for name in ("val", "test"):
        assert abs(sizes(made)[name] - 200) <= 20


def test_a_group_by_regular_expression() -> None:
    samples = [image(f"walk/{clip}_{frame:03d}.jpg") for clip in "abcdefgh" for frame in range(10)]
    extra = image("other.jpg")
    made = divide(dataset(*samples, extra), 0.3, 0.3, r"/([a-z])_\d+")
    for clip in "abcdefgh":
        assert len({split for id, split in splits(made).items() if f"/{clip}_" in id}) == 1
    assert [(flaw.code, flaw.source) for flaw in made.warnings] == [("no-group", "other.jpg")]
    assert made.warnings[0].message.startswith("1 images do not fit by: /([a-z])_")
    whole = divide(dataset(*samples), 0.3, 0.3, r"[a-z]_")  # without a group: the whole match
    named = {id: f"{id[5]}_" for id in splits(whole)}
    assert splits(whole) == splits(divide(dataset(*samples), 0.3, 0.3, groups=named))


def test_given_groups() -> None:
    samples = [image(f"{index}.jpg") for index in range(100)]
    made = divide(dataset(*samples), 0.3, 0.3, groups={f"{index}.jpg": "0.jpg" for index in range(90)})
    assert len({split for id, split in splits(made).items() if int(id[:-4]) < 90}) == 1
    alone = splits(divide(dataset(*samples), 0.3, 0.3))
    assert splits(made)["95.jpg"] == alone["95.jpg"]
    assert splits(made)["0.jpg"] == alone["0.jpg"]


def test_rows_without_a_group_are_on_their_own() -> None:
    cells = ["p1", "p1", "", None, math.nan, "  "]
    made = divide(dataset(*(image(f"{n}.png", patient=cell) for n, cell in enumerate(cells))), 0.1, 0.1, "patient")
    flaw = next(flaw for flaw in made.warnings if flaw.code == "no-group")
    assert flaw.message == "4 images have nothing in the column patient, the first 2.png; each is its own group"


def test_an_empty_split_is_said() -> None:
    made = divide(many(2, "cat"), 0.01, 0, stratify=False)
    assert [(flaw.code, flaw.message) for flaw in made.warnings] == [
        ("empty-split", "no image of 2 images came to val at 0.01; raise its share, or write `stratify: true`")
    ]


@pytest.mark.parametrize(
    ("samples", "keys", "message"),
    [
        ([image("a.jpg")], {"val": 0.5, "test": 0.5}, "val 0.5 and test 0.5 leave nothing to train on"),
        ([image("a.jpg")], {"val": -0.1, "test": 0.5}, "val -0.1"),
        ([image("a.jpg")], {"val": math.nan, "test": 0.5}, "val nan"),
        (
            [replace(image("a.jpg"), split="val"), replace(image("b.jpg"), split="train"), image("c.jpg")],
            {"val": 0.1, "test": 0.1},
            "has splits already: train, val",
        ),
        ([image("a.jpg", who=None)], {"val": 0.1, "test": 0, "by": "who"}, "the column who is empty in every row"),
        ([image("a.jpg", who=1)], {"val": 0.1, "test": 0, "by": "(["}, r"no regular expression: .* at position 1"),
        ([image("a.jpg", who=1)], {"val": 0.1, "test": 0, "by": "patient"}, "patient is no column, and as a regular"),
    ],
)
def test_what_cannot_be(samples: list[Sample], keys: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        divide(dataset(*samples), **keys)
    assert caught.value.hint


def test_splits_stay_as_they_are_from_version_to_version() -> None:
    """A dataset that grows over years is divided the same way."""
    found = splits(divide(many(12, "cat"), 0.3, 0.3))
    assert "".join(str(split)[1] for split in found.values()) == "reaaaeeearra"


def test_a_regular_expression_that_never_ends_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("augx.splits._SECONDS", 0.2)
    with pytest.raises(InputError, match="takes more than"):
        divide(dataset(Sample("a" * 60 + ".jpg"), Sample("b.jpg")), 0.1, 0.1, "^((.*)*)*X$")
