"""Power cuts, on a model of the disk: what `--fsync batch` and `each` have waited for holds, and of all else any part
may be lost. The next run trusts nothing torn and comes to the same tree."""

from __future__ import annotations

import pytest
from makers import driven

SCENARIOS = [
    "first", "recipe", "copies_raised", "table_instead", "content_and_back", "yolo", "yolo,label", "masks,mask",
    "mixed,partner", "tars", "tars,source",
]  # fmt: skip


def judge(states: int, scenario: str) -> None:
    for fsync, told in driven("power_cut.py", str(states), scenario)[scenario].items():
        assert told == {"states": states, "wrong": []}, fsync


def test_a_few_power_cuts() -> None:
    judge(15, "recipe")


@pytest.mark.slow
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_many_power_cuts(scenario: str) -> None:
    judge(30, scenario)
