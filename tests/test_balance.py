"""Copies per source that even out the classes."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from augx.balance import Balanced, Reached, copies
from augx.errors import InputError
from augx.model import Annotations, Object, Sample

LONG_TAIL = {"plane": 500, "car": 300, "bird": 180, "cat": 108, "deer": 65, "dog": 39, "frog": 23, "ship": 5}


def images(counts: Mapping[str, int]) -> list[Sample]:
    """So many images of each class."""
    return [
        Sample(f"{name}/{index:04d}.jpg", Annotations({name: 1.0}))
        for name, count in counts.items()
        for index in range(count)
    ]


def detection(*rows: Mapping[str, int]) -> list[Sample]:
    """Images "0", "1" ... with so many objects of each class."""
    return [
        Sample(str(index), Annotations(objects=tuple(Object(name) for name, n in row.items() for _ in range(n))))
        for index, row in enumerate(rows)
    ]


def written(made: Balanced, samples: list[Sample], originals: bool) -> Counter[str]:
    """Images or objects of each class in OUTPUT, counted by hand."""
    found: Counter[str] = Counter()
    for sample in samples:
        for name in [*sample.annotations.labels, *(str(thing.label) for thing in sample.annotations.objects)]:
            found[name] += made.copies[sample.id] + originals
    return found


def test_a_long_tail_is_as_long_as_its_head() -> None:
    samples = images(LONG_TAIL)
    made = copies(samples, "max", 10, True)
    assert written(made, samples, True) == dict.fromkeys(LONG_TAIL, 5500)
    assert made.unit == "images"
    assert made.reached == {name: Reached(count, 5500, 5500) for name, count in sorted(LONG_TAIL.items())}
    assert made.flaws() == []
    for name in LONG_TAIL:
        share = [made.copies[sample.id] for sample in samples if sample.annotations.label == name]
        assert max(share) - min(share) <= 1
    assert made == copies(samples, "max", 10, True) == copies(samples[::-1], "max", 10, True)


@pytest.mark.parametrize("originals", [True, False])
def test_a_number(originals: bool) -> None:
    samples = images(LONG_TAIL)
    assert written(copies(samples, 777, 10, originals), samples, originals) == dict.fromkeys(LONG_TAIL, 777)


def test_a_class_with_more_originals_than_wanted() -> None:
    samples = images({"cat": 30, "dog": 4})
    made = copies(samples, 20, 10, True)
    assert made.reached == {"cat": Reached(30, 20, 30), "dog": Reached(4, 20, 20)}
    assert [(flaw.code, flaw.message) for flaw in made.flaws()] == [
        (
            "balance-over",
            "the class cat gets 30 images, not the 20 that `balance` asks for: it has so many to begin with",
        )
    ]
    without = copies(samples, 20, 10, False)
    assert without.reached["cat"] == Reached(30, 20, 20)
    assert sorted(Counter(without.copies[s.id] for s in samples[:30]).items()) == [(0, 10), (1, 20)]


def test_only_named_classes_are_balanced() -> None:
    samples = images({"cat": 3, "dog": 4, "owl": 2})
    made = copies([*samples, Sample("nothing.jpg")], {"cat": 10, "owl": 0}, 5, False)
    assert made.reached == {"cat": Reached(3, 10, 10), "dog": Reached(4, None, 20), "owl": Reached(2, 0, 0)}
    assert made.copies["nothing.jpg"] == 5
    assert made.flaws() == []


def test_a_source_has_a_hundred_thousand_copies_at_most() -> None:
    made = copies(images({"cat": 2}), 300_000, 1, False)
    assert made.reached["cat"] == Reached(2, 300_000, 200_000)
    assert "a source gets 100,000 copies at most" in made.flaws()[0].message


def test_a_new_image_changes_few() -> None:
    samples = images({"cat": 50, "dog": 20})
    before = copies(samples, "max", 10, True).copies
    after = copies([*samples, Sample("dog/new.jpg", Annotations({"dog": 1.0}))], "max", 10, True).copies
    changed = [name for name in before if before[name] != after[name]]
    # 550 of 20 dogs: 26 or 27 copies each; of 21: 25 or 26
    assert all(name.startswith("dog") and before[name] - after[name] in (1, 2) for name in changed)
    assert Counter(before[s.id] for s in samples[50:]) == {26: 10, 27: 10}


def test_which_classes_there_are() -> None:
    with pytest.raises(InputError, match="names the class catt, which no image") as caught:
        copies(images({"cat": 1}), {"catt": 5}, 1, True)
    assert caught.value.hint == "did you mean cat?"
    with pytest.raises(InputError, match="needs classes"):
        copies([Sample("a.jpg"), Sample("b.jpg", Annotations(objects=(Object(None),)))], "max", 1, True)
    with pytest.raises(InputError, match="balance cannot be most"):
        copies(images({"cat": 1}), "most", 1, True)


def test_each_label_of_an_image_counts() -> None:
    samples = [
        Sample("both.jpg", Annotations({"sun": 1.0, "sea": 1.0})),
        *(Sample(f"sea{index}.jpg", Annotations({"sea": 1.0})) for index in range(3)),
        *(Sample(f"sun{index}.jpg", Annotations({"sun": 1.0})) for index in range(2)),
    ]
    made = copies(samples, "max", 9, True)
    assert made.unit == "labels"
    assert made.reached == {"sea": Reached(4, 40, 40), "sun": Reached(3, 40, 40)}
    assert copies(samples[:1] * 1, 30, 9, True).copies == {"both.jpg": 29}


def test_objects_of_one_class_an_image_are_shared_evenly() -> None:
    """However many there are in an image."""
    made = copies(detection({"a": 1}, {"a": 3}, {"a": 2}, {"b": 1}, {"b": 1}, {}), {"a": 600, "b": 31}, 7, False)
    assert made.reached == {"a": Reached(6, 600, 600), "b": Reached(2, 31, 31)}
    assert [made.copies[str(index)] for index in range(3)] == [100, 100, 100]
    assert {made.copies["3"], made.copies["4"]} == {15, 16}
    assert made.copies["5"] == 7


def test_what_is_even_stays_as_it_is() -> None:
    rows = [{"a": 2, "b": 1}, {"b": 1}, {"a": 1, "c": 3}, {"b": 1}]
    made = copies(detection(*rows), "max", 10, True)
    assert made.copies == dict.fromkeys("0123", 10)


def test_a_conflict_is_settled_by_the_product_of_shares() -> None:
    """A person is on every image. Of a + 4 b <= 100, a * b is largest at a = 50, b = 12.5."""
    made = copies(detection({"person": 1, "a": 1}, {"person": 4, "b": 1}), 100, 10, False)
    assert (made.copies["0"], made.copies["1"]) in {(48, 13), (52, 12)}
    assert made.reached["person"] == Reached(5, 100, 100)
    assert [flaw.code for flaw in made.flaws()] == ["balance-short"] * 2
    assert "objects, not the 100 that `balance` asks for" in made.flaws()[0].message


def test_images_whose_class_has_enough_have_no_copies() -> None:
    made = copies(detection({"person": 9}, {"person": 2, "cat": 1}, {"cat": 1}), 10, 5, True)
    assert made.copies == {"0": 0, "1": 0, "2": 8}
    assert made.reached == {"cat": Reached(2, 10, 10), "person": Reached(11, 10, 11)}


@settings(max_examples=60)
@given(st.lists(st.dictionaries(st.sampled_from("abcde"), st.integers(1, 6), max_size=4), max_size=12), st.data())
def test_no_class_passes_its_target(rows: list[dict[str, int]], data: st.DataObject) -> None:
    samples = detection(*rows, {"a": 1})
    balance = data.draw(st.one_of(st.just("max"), st.integers(1, 200), st.just({"a": 50})))
    originals = data.draw(st.booleans())
    made = copies(samples, balance, 3, originals)
    found = written(made, samples, originals)
    for name, one in made.reached.items():
        assert one.got == found[name]
        if one.wanted is not None:
            assert one.got <= max(one.wanted, one.before * originals)
    assert set(made.copies) == {sample.id for sample in samples}
    assert min(made.copies.values()) >= 0


@pytest.mark.parametrize("seed", range(6))
def test_a_plan_that_exists_is_found(seed: int) -> None:
    """Targets that some plan meets are met within 2 %."""
    rng = np.random.default_rng(seed)
    counts = rng.poisson(0.7, (60, 12))
    counts[0] = 1
    secret = rng.integers(0, 40, 60)
    rows = [{f"c{k}": int(n) for k, n in enumerate(row) if n} for row in counts]
    wanted = {f"c{k}": int(n) for k, n in enumerate((secret + 1) @ counts)}
    made = copies(detection(*rows), wanted, 5, True)
    assert all(one.wanted is not None and one.wanted * 0.98 <= one.got for one in made.reached.values())
    assert made.flaws() == []


@pytest.mark.parametrize("seed", range(5))
def test_the_plan_is_near_the_best_there_is(seed: int) -> None:
    """Against all plans there are, tried one by one: the product of shares, per class."""
    rng = np.random.default_rng(seed)
    counts = rng.integers(0, 4, (4, 3)) + np.eye(4, 3, dtype=int)
    made = copies(detection(*({f"c{k}": int(n) for k, n in enumerate(row) if n} for row in counts)), 30, 5, True)
    before = counts.sum(axis=0)
    every = np.array(list(itertools.product(range(31), repeat=4)))
    got = every @ counts + before
    best = np.log(got[(got <= 30).all(axis=1)]).sum(axis=1).max()
    mine = sum(math.log(one.got) for one in made.reached.values())
    assert best - mine < 0.05 * len(made.reached)


def test_many_images_and_classes() -> None:
    """80 classes, from everywhere to rare, up to four on an image: all within 2 %, and none starved."""
    rng = np.random.default_rng(1)
    often = 1 / np.arange(1, 81)
    rows = []
    for index in range(2000):
        row: Counter[str] = Counter({f"c{index % 80}": 1} if index % 4 == 0 else {})
        for k in rng.choice(80, rng.integers(1, 4), p=often / often.sum()):
            row[f"c{k}"] += int(rng.geometric(0.5))
        rows.append(row)
    samples = detection(*rows)
    made = copies(samples, "max", 5, True)
    wanted = {one.wanted for one in made.reached.values()}
    assert len(wanted) == 1
    assert [flaw.message for flaw in made.flaws()] == []
    assert made == copies(samples, "max", 5, True)
