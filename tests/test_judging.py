"""The statistics of `augx probe`, held against known numbers. No torch."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from augx.cli import call
from augx.errors import InputError
from augx.learn import judging, probe, tasks
from augx.learn.judging import difference, divide, overlaps, quantile, recalls, units, words
from augx.learn.probe import Scores
from augx.model import Sample


@pytest.mark.parametrize(
    "freedom, t",
    [(1, 12.7062), (2, 4.3027), (3, 3.1824), (4, 2.7764), (9, 2.2622), (14, 2.1448), (29, 2.0452), (99, 1.9842)],
)
def test_quantiles_are_those_of_the_tables(freedom: int, t: float) -> None:
    assert quantile(freedom) == pytest.approx(t, abs=1e-4)


def test_other_quantiles() -> None:
    assert quantile(4, 0.99) == pytest.approx(4.6041, abs=1e-4)
    assert quantile(9, 0.5) == pytest.approx(0.7027, abs=1e-4)


def test_the_interval_is_wider_than_that_of_independent_samples() -> None:
    found = difference([1, 2, 3, 4, 5], folds=5)
    assert found.mean == 3
    assert found.margin == pytest.approx(2.7764 * (2.5 * (1 / 5 + 1 / 4)) ** 0.5, abs=1e-3)  # Nadeau & Bengio 2003
    assert found.margin > 2.7764 * (2.5 / 5) ** 0.5


def test_repeats_narrow_it_only_so_far() -> None:
    margins = [difference([-1, 1, 0, 2, -2] * repeats, folds=5).margin for repeats in (1, 2, 10, 1000)]
    assert margins == sorted(margins, reverse=True)
    assert margins[-1] == pytest.approx(1.96 * (2 * 1 / 4) ** 0.5, rel=0.01)


@pytest.mark.parametrize(
    "differences, says",
    [
        ([5, 6, 7, 6, 6], "helps: +6.0 ± 1.3 points"),
        ([-5, -6, -7, -6, -6], "hurts: -6.0 ± 1.3 points"),
        ([0, 0, 0, 0, 0], "no difference seen: +0.0 ± 0.0 points"),
        ([1, -1, 1, -1, 0.5], "no difference seen: +0.1 ± 1.9 points"),
        (
            [1, 1, 3, 2, 1],
            "no difference seen: +1.6 ± 1.7 points; one of that size would need about 2x more folds (--repeats 2)",
        ),
        (
            [3, 2, 8, -1, 6],
            "no difference seen: +3.6 ± 6.5 points; one of that size would need about 3.3x as many pictures",
        ),
    ],
)
def test_the_verdict_in_words(differences: list[float], says: str) -> None:
    assert words(difference(differences, 5), 5) == says


def test_nothing_is_found_where_nothing_is() -> None:
    """95 % of intervals hold the truth, and more as the correction is on the safe side."""
    random = np.random.default_rng(0)
    found = [difference(random.normal(0, 5, 10).tolist(), 5).verdict for _ in range(400)]
    assert found.count(judging.UNSEEN) >= 380


@pytest.mark.parametrize("shared", [0.0, 0.25, 0.5, 0.75, 1.0])
def test_intervals_hold_whatever_part_of_the_spread_networks_are(shared: float) -> None:
    """Three repeats of five folds with two networks. What is not of networks correlates between folds as Nadeau &
    Bengio have it, by the share of the pictures that is tested."""
    random, trials, folds = np.random.default_rng(0), 500, 15
    common = random.normal(0, (0.2 * shared) ** 0.5, (trials, 1, 1))
    own = random.normal(0, (0.8 * shared) ** 0.5, (trials, folds, 1))
    each = common + own + random.normal(0, (2 * (1 - shared)) ** 0.5, (trials, folds, 2))
    found = [difference(one, 5) for one in each.tolist()]
    assert sum(one.verdict != judging.UNSEEN for one in found) < 0.07 * trials
    alone = [difference(one, 5) for one in each.mean(2).tolist()]
    width = np.mean([one.margin for one in found]) / np.mean([one.margin for one in alone])
    assert width == pytest.approx(0.76 + 0.24 * shared, abs=0.07)


def test_folds_are_even_in_every_class() -> None:
    labels = np.repeat([0, 1, 2], [20, 10, 7])
    found = divide(labels, [], 5, seed=3)
    for number, count in enumerate((4, 2, 1)):
        each = np.bincount(found[labels == number], minlength=5)
        assert each.min() == count and each.max() <= count + 1
    assert np.bincount(found).tolist() in ([8, 8, 7, 7, 7], sorted(np.bincount(found).tolist(), reverse=True))
    assert (divide(labels, [], 5, seed=3) == found).all()
    assert (divide(labels, [], 5, seed=4) != found).any()


def test_pictures_that_show_the_same_lie_in_one_fold() -> None:
    labels = np.repeat([0, 1], 15)
    groups = [(0, 3, 16), (5, 6), (20, 29)]
    for seed in range(20):
        found = divide(labels, groups, 5, seed)
        assert all(len({int(found[place]) for place in group}) == 1 for group in groups)
        assert np.bincount(found).tolist() == [6, 6, 6, 6, 6]
    assert units(labels, groups).tolist() == [13, 14]


def test_recalls() -> None:
    found = recalls(np.array([0, 0, 1, 2]), np.array([0, 1, 1, 1]), 3)
    assert found[0] == 100 and found[1] == pytest.approx(100 / 3) and np.isnan(found[2])


def test_overlaps_of_masks() -> None:
    truth = np.array([[[0, 0, 1, 255], [1, 1, 1, 0]]], np.uint8)
    found = np.array([[[0, 1, 1, 2], [1, 1, 0, 0]]], np.uint8)
    assert overlaps(found, truth, 3)[:2].tolist() == [50, 60] and np.isnan(overlaps(found, truth, 3)[2])


def scores(name: str, *columns: list[float]) -> Scores:
    return Scores(name, np.array(columns).T[:, None])


def test_classes_count_alike_and_each_has_its_interval() -> None:
    base = scores("none", [50, 50, 50, 50, 50], [70, 80, np.nan, 80, 70])
    better = scores("new", [60, 60, 60, 60, 60], [70, 80, np.nan, 80, 70])
    found = probe._compared(better, base, 5, (53.0, "guess"))
    assert better.marks.tolist() == [65, 70, 60, 70, 65]
    assert str(found.classes[0]) == "+10.0 ± 0.0" and found.classes[1] is None
    assert found.difference.mean == 6 and found.verdict == judging.HELPS


def test_networks_that_guess_tell_nothing() -> None:
    base = scores("none", [52, 48, 50, 49, 51], [49, 51, 50, 52, 48])
    other = scores("new", [51, 49, 52, 50, 50], [49, 50, 47, 50, 51])
    guess = tasks.Classification(("a", "b")).guessing(np.zeros((100, 2)))
    assert guess[0] == 60
    found = probe._compared(other, base, 5, guess)
    assert found.verdict == judging.UNTOLD
    assert "both sides only guess (50.0 %, by chance 50.0 %)" in found.words


def test_where_all_is_recognised_nothing_can_be_gained() -> None:
    base = scores("none", [100, 100, 100, 100, 100.0], [100, 100, 100, 100, 100])
    assert "nothing to gain" in probe._compared(base, base, 5, (60.0, "")).words


def noise(count: int, classes: int = 2) -> tasks.Known:
    pixels = np.random.default_rng(0).integers(0, 256, (count, 8, 8, 3)).astype(np.uint8)
    task, labels = tasks.Classification(tuple("abcdef"[:classes])), np.arange(count) % classes
    return tasks.Known(task, pixels.repeat(4, 1).repeat(4, 2), np.eye(classes)[labels], labels, ())


def test_equal_and_nearly_equal_pictures_are_found() -> None:
    known = noise(40)
    known.pixels[7] = known.pixels[2]
    known.pixels[9] = known.pixels[4] // 8 * 8
    known.pixels[11] = known.pixels[4]
    groups, notes = probe.groups_of(known, 5)
    assert groups == [(2, 7), (4, 9, 11)]
    assert notes == ["5 pictures look like another; those that do lie in one fold"]


def test_where_all_look_alike_only_equal_ones_stay_together() -> None:
    known = noise(40)
    for place in range(1, 30):
        known.pixels[place] = known.pixels[0] // 2 + place
    known.pixels[30] = known.pixels[31]
    groups, notes = probe.groups_of(known, 5)
    assert groups == [(30, 31)]
    assert notes == ["too many pictures look alike to keep those in one fold; only equal ones are"]


def test_who_belongs_together_stays_together() -> None:
    samples = tuple(Sample(f"p{number // 4}_{number}.png") for number in range(40))
    known = replace(noise(40), samples=samples)
    groups, notes = probe.groups_of(known, 5, r"^(p\d+)_")
    assert groups == [tuple(range(first, first + 4)) for first in range(0, 40, 4)] and not notes
    with pytest.raises(InputError, match="the class a has 5 groups of pictures, too few for 6 folds"):
        probe.groups_of(known, 6, r"^(p[0-3]?)")


def test_too_few_pictures_of_a_class() -> None:
    with pytest.raises(InputError, match=r"the class b has 4 pictures, too few for 5 folds") as caught:
        probe.groups_of(noise(9), 5)
    assert caught.value.hint == "--folds 4, or add some"


def test_without_torch_it_says_what_to_install(
    photos: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    there = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == "torch" else there(name, *rest)
    )
    assert call(["probe", str(photos)]) == 2
    said = capsys.readouterr()
    assert "needs torch" in said.err and "pip install 'augx[learn]'" in said.err and not said.out


def test_too_few_folds_are_refused_before_anything_is_read(capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["probe", "nowhere", "--folds", "3", "--repeats", "1"]) == 2
    assert "3 folds x 1 repeats are too few to tell anything: 5 at least\n      --repeats 2" in capsys.readouterr().err
