"""Streams of random numbers: each is a function of its place, and of nothing that was drawn before."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from augx.seeds import Rng

PLACE = (7, "cat/é.jpg", 3, "0/Affine")


def drawn(rng: Rng) -> tuple[Any, ...]:
    return (
        rng.numpy.integers(0, 2**63, 2).tolist(),
        rng.numpy.random(),
        rng.python.getrandbits(64),
        rng.numpy.integers(0, 2**32, 3, dtype=np.uint32).tolist(),
    )


def test_the_numbers_of_a_place_stay_what_they_are() -> None:
    """A change here makes other images of every finished dataset, without telling it."""
    assert drawn(Rng().at(*PLACE)) == (
        [70636971073638150, 3414676816263317084],
        0.828866913040351,
        8146813436005134278,
        [2575776681, 1955582838, 2331206221],
    )


@pytest.mark.parametrize("before", [0, 1, 3])
def test_what_was_drawn_before_leaves_no_trace(before: int) -> None:
    rng = Rng()
    for number in range(before):
        rng.at(number, "elsewhere", number, "step")
        rng.numpy.integers(0, 9, number + 1, dtype=np.uint32)  # may leave half a word behind
        rng.numpy.normal(size=number)
        rng.python.gauss(0, 1)  # keeps the second of a pair
    assert rng.at(*PLACE) is rng
    assert drawn(rng) == drawn(Rng().at(*PLACE))


def test_each_part_of_a_place_counts() -> None:
    places = [
        PLACE,
        (8, *PLACE[1:]),
        (7, "cat/é.jpeg", *PLACE[2:]),
        (*PLACE[:2], 4, PLACE[3]),
        (*PLACE[:3], "1/Affine"),
    ]
    places += [(0, "a", 11, "1"), (0, "a", 1, "11"), (1, "a", 1, "1"), (11, "a", 1, "1"), (1, "1", 1, "a")]
    assert len({str(drawn(Rng().at(*place))) for place in places}) == len(places)


def test_both_generators_have_streams_of_their_own() -> None:
    rng = Rng().at(*PLACE)
    assert rng.numpy.integers(0, 2**63, dtype=np.uint64) >> 1 != rng.python.getrandbits(62)
    first = Rng().at(*PLACE).python.random()
    rng = Rng().at(*PLACE)
    rng.numpy.random(1000)
    assert rng.python.random() == first, "who draws from one does not move the other"


def test_a_new_one_is_the_same_everywhere() -> None:
    """Nothing is drawn before `at`, or else by mistake: then it is the same mistake each time."""
    rng = Rng()
    assert (rng.numpy.integers(0, 2**63), rng.python.getrandbits(64)) == (129745503399974868, 7106521602475165645)
