"""A fault at every file-system call of a run: it ends as the contract says, leaves nothing torn under a final name, and
the same command comes to the same tree."""

from __future__ import annotations

import os

import pytest
from makers import driven

EVERY = int(os.environ.get("EVERY", 4))  # how far apart the points are in the longer scenarios; 1: all, in hours

PLAIN = [
    "first", "recipe", "source_removed", "source_added", "source_changed", "copies_lowered", "copies_raised",
    "originals_dropped", "table_added", "table_instead", "failing", "recipe_and_back", "content_and_back",
]  # fmt: skip
LABELLED = ["yolo", "yolo,label", "yolo,numbers", "masks", "masks,mask", "two_formats", "two_formats,box"]
MIXED = ["mixed", "mixed,partner", "mixed,gone", "mixed,more"]
SHARED = ["share", "merge"]
TARS = ["tars", "tars,source", "tars,more", "tars,loose"]
FULL = ["first", "yolo", "mixed"]
ALL = "group,process,EIO,EMFILE,ENOSPC,ENOSPC on"


def judge(step: int, kinds: str, scenarios: list[str], least: int) -> None:
    """Every `step`-th point; `least`: so many there must have been of each kind in each scenario."""
    for scenario, told in driven("enumerated.py", str(step), kinds, *scenarios).items():
        assert told["wrong"] == {}, scenario
        assert all(told["points"].get(kind, 0) >= least for kind in kinds.split(",")), (scenario, told["points"])


@pytest.mark.parametrize("scenarios", [PLAIN[:7], PLAIN[7:]], ids=" ".join)
def test_killed_at_some_points(scenarios: list[str]) -> None:
    judge(7, "touch", scenarios, 1)


@pytest.mark.parametrize("scenarios", [LABELLED, [*MIXED, *SHARED, *TARS]], ids=" ".join)
def test_killed_at_a_few_points(scenarios: list[str]) -> None:
    judge(23, "touch", scenarios, 1)


@pytest.mark.parametrize("scenario", ["first"])
def test_any_fault_at_a_few_points(scenario: str) -> None:
    judge(29, ALL, [scenario], 1)


@pytest.mark.slow
@pytest.mark.parametrize("scenario", [name for name in (*PLAIN, *LABELLED, *MIXED, *SHARED, *TARS) if name not in FULL])
def test_killed_at_many_points(scenario: str) -> None:
    judge(EVERY, "touch", [scenario], 3)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ALL.split(","))
def test_any_fault_at_every_other_point(kind: str) -> None:
    judge(max(1, EVERY // 2), kind, ["first"], 25)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ALL.split(","))
@pytest.mark.parametrize("scenario", FULL[1:])
def test_any_fault_at_many_points(scenario: str, kind: str) -> None:
    judge(EVERY, kind, [scenario], 10)
