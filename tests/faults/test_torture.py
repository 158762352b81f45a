"""The torture set: some three thousand hostile things, each with the outcome that is expected of it."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator

import pytest
import torture

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="memory is watched on Linux only")]
PARTS = {"rows": 6, "documents": 6, "tables": 6, "recipes": 2, "tars": 2, "trees": 2, "outputs": 2}


@pytest.fixture(scope="module")
def launcher(tmp_path_factory: pytest.TempPathFactory) -> Iterator[torture.Launcher]:
    started = torture.Launcher(tmp_path_factory.mktemp("torture"))
    with started.process:  # its pipes are closed, and it ends
        yield started
    assert started.process.returncode == 0


@pytest.mark.parametrize(
    ("theme", "part"), [(theme, part) for theme in torture.THEMES for part in range(PARTS.get(theme, 1))]
)
def test_as_expected(launcher: torture.Launcher, theme: str, part: int) -> None:
    wrong: dict[str, list[str]] = {}
    for case in torture.cases(theme)[part :: PARTS.get(theme, 1)]:
        found, _ = torture.judged(case, launcher, seconds=100)  # that none hangs; `torture.py` says how long each takes
        shutil.rmtree(launcher.base / "case")
        if found:
            wrong[case.name] = found
    assert wrong == {}


def test_no_outcome_is_of_a_case_that_is_gone() -> None:
    there = {f"{theme}: {case.name}" for theme in torture.THEMES for case in torture.cases(theme) if case.recorded}
    assert set(torture.json.loads(torture.EXPECTED.read_text("utf-8"))) == there
