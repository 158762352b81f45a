"""Files of a journal cut at any byte, of a finished run and of an unfinished one: the next run ends well, with the same
tree."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from makers import driven

EVERY = int(os.environ.get("EVERY", 4))  # how far apart the cuts are; 1: at each byte, in minutes
FILES = {
    "finished": {"index", "manifest", "summary", "failures"},
    "unfinished": {"index", "manifest", "summary", "failures", "intent", "0000"},
}


def judge(step: int, state: str) -> dict[str, int]:
    """How many cuts there were of each file."""
    found = driven("cut.py", str(step), state)
    assert {name: told["wrong"] for name, told in found.items() if told["wrong"]} == {}
    assert {Path(name).name.replace("-", ".").partition(".")[0] for name in found} == FILES[state]
    return {name: told["cuts"] for name, told in found.items()}


@pytest.mark.parametrize("state", FILES)
def test_cut_at_some_bytes(state: str) -> None:
    judge(101, state)


@pytest.mark.slow
@pytest.mark.parametrize("state", FILES)
def test_cut_at_many_bytes(state: str) -> None:
    assert sum(judge(EVERY, state).values()) > 4000 / EVERY
