"""What the README shows is what augx does."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from augx.recipe import parse

README = (Path(__file__).parents[1] / "README.md").read_text("utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_the_recipe_is_valid() -> None:
    (shown,) = [block for block in blocks("yaml") if block.startswith("version: 1")]
    recipe = parse(shown.encode(), "README.md")
    assert recipe.warnings == ()
    assert (recipe.copies, recipe.seed, len(recipe.steps)) == (10, 7, 4)


def test_the_errors_are_those_of_validate(tmp_path: Path) -> None:
    (shown,) = [block for block in blocks("console") if "augx validate" in block]
    broken, _, said = shown.partition("$ augx validate recipe.yaml\n")
    (tmp_path / "recipe.yaml").write_text(broken.removeprefix("$ cat recipe.yaml\n"))
    done = subprocess.run(
        [sys.executable, "-m", "augx", "validate", "recipe.yaml"], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.stdout == said
    assert done.returncode == 2


def test_every_file_it_points_to_is_there() -> None:
    for link in re.findall(r"\]\((?!http)([^)#]+)\)", README):
        assert (Path(__file__).parents[1] / link).exists(), link
