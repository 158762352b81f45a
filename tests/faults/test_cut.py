"""Files of a journal cut at any byte, of a finished run and of an unfinished one: the next run ends well, with the same
tree."""

from __future__ import annotations

from pathlib import Path

import pytest
from makers import driven

FILES = {
    "finished": {"index", "manifest", "summary", "failures"},
    "unfinished": {"index", "manifest", "summary", "failures", "intent", "0000"},
}


def judge(folder: Path, step: int, state: str) -> dict[str, int]:
    """How many cuts there were of each file."""
    found = driven("cut.py", str(folder), str(step), state)
    assert {name: told["wrong"] for name, told in found.items() if told["wrong"]} == {}
    assert {Path(name).name.replace("-", ".").partition(".")[0] for name in found} == FILES[state]
    return {name: told["cuts"] for name, told in found.items()}


@pytest.mark.parametrize("state", FILES)
def test_cut_at_some_bytes(tmp_path: Path, state: str) -> None:
    judge(tmp_path, 101, state)


@pytest.mark.slow
@pytest.mark.parametrize("state", FILES)
def test_cut_at_every_byte(tmp_path: Path, state: str) -> None:
    assert sum(judge(tmp_path, 1, state).values()) > 4000
