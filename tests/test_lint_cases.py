"""What `augx validate` says of recipes and datasets with something wrong in them, word for word.

`python tests/test_lint_cases.py` writes the messages anew. Read each aloud before it goes in: it must make sense to
someone who has never seen the code.
"""

from __future__ import annotations

import contextlib
import io
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from flawed import DATASETS

from augx import cli
from augx.codes import CODES
from augx.rules import RULES

DATA = Path(__file__).parent / "data" / "lint"
RECIPES = sorted((DATA / "recipes").glob("*.yaml"))
# What no recipe or dataset of these shows: a test of its own does.
ELSEWHERE = {"recipe-unreadable", "dataset-refused", "upside-down", "shown-twice", "border-class", "looked-at-some"}


def validated(*arguments: str) -> str:
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        code = cli.call(["validate", *arguments])
    return f"{out.getvalue()}exit code {code}\n"


def of_recipe(path: Path) -> str:
    with _into(path.parent):
        return validated(path.name)


@contextlib.contextmanager
def _into(folder: Path) -> Iterator[None]:
    before = os.getcwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def of_dataset(name: str, at: Path) -> str:
    text, options = DATASETS[name](at / "photos")
    (at / "recipe.yaml").write_text(text)
    with _into(at):
        return validated("recipe.yaml", "--input", "photos", *options)


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_recipe(path: Path) -> None:
    assert of_recipe(path) == path.with_suffix(".txt").read_text("utf-8")


@pytest.mark.parametrize("name", DATASETS)
def test_dataset(name: str, tmp_path: Path) -> None:
    assert of_dataset(name, tmp_path) == (DATA / "datasets" / f"{name}.txt").read_text("utf-8")


def test_every_rule_is_shown() -> None:
    said = "".join(path.read_text("utf-8") for path in DATA.rglob("*.txt"))
    assert {code for code in RULES if f": {code}]" not in said} == ELSEWHERE
    assert len(RECIPES) >= 30 and len(DATASETS) >= 15


def test_every_finding_says_what_to_do() -> None:
    for path in DATA.rglob("*.txt"):
        for line in path.read_text("utf-8").splitlines():
            if line.endswith("]"):
                words, _, code = line[:-1].rpartition(" [")
                level, _, code = code.partition(": ")
                assert code in RULES or code in CODES, line
                assert level in ("error", "warning", "note")
                assert words.endswith(")") or ";" in words or ": " in words.split(": ", 1)[1], line


def main() -> None:
    for path in RECIPES:
        path.with_suffix(".txt").write_text(of_recipe(path))
    for name in DATASETS:
        with tempfile.TemporaryDirectory() as at:
            (DATA / "datasets" / f"{name}.txt").write_text(of_dataset(name, Path(at)))


if __name__ == "__main__":
    main()
