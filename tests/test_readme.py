"""What the README shows is what augx does."""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from augx.recipe import parse, read

README = (Path(__file__).parents[1] / "README.md").read_text("utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_the_recipe_is_valid() -> None:
    plain, mixing = [parse(block.encode(), "README.md") for block in blocks("yaml") if "copies:" in block]
    assert plain.warnings == mixing.warnings == ()
    assert (plain.copies, plain.seed, len(plain.steps)) == (10, 7, 4)
    assert (mixing.balance, len(mixing.steps), len(mixing.overrides)) == ("max", 5, 2)


def test_the_policy_is_valid(tmp_path: Path) -> None:
    (shown,) = re.findall(r"```yaml\n(  version: 1\n  policies:.*?)```", README, re.DOTALL)
    (tmp_path / "found.yaml").write_text(textwrap.dedent(shown))
    (tmp_path / "recipe.yaml").write_text("version: 1\ntransforms: [{policy: found.yaml}]\n")
    (step,) = read(tmp_path / "recipe.yaml").steps
    assert len(step.args["policies"]) == 2


def test_the_errors_are_those_of_validate(tmp_path: Path) -> None:
    (shown,) = [block for block in blocks("console") if "augx validate" in block]
    broken, _, said = shown.partition("$ augx validate recipe.yaml\n")
    (tmp_path / "recipe.yaml").write_text(broken.removeprefix("$ cat recipe.yaml\n"))
    done = subprocess.run(
        [sys.executable, "-m", "augx", "validate", "recipe.yaml"], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.stdout == said
    assert done.returncode == 2


def test_the_python_script_runs(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (script,) = [block for block in blocks("python") if "augx.run" in block]
    (tmp_path / "recipe.yaml").write_text("version: 1\ntransforms: [RandomGamma]\n")
    train = tmp_path / "photos" / "train"
    train.mkdir()
    for label in ("cat", "dog"):
        (photos / label).rename(train / label)
    monkeypatch.chdir(tmp_path)
    found: dict[str, Any] = {}
    exec(script, found)
    assert (found["image"].shape, found["label"]) == ((18, 24, 3), 0)
    assert len(found["images"]) == 66


def test_every_file_it_points_to_is_there() -> None:
    for link in re.findall(r"\]\((?!http)([^)#]+)\)", README):
        assert (Path(__file__).parents[1] / link).exists(), link
