"""Runs of the core in this process, for the tests that look at what lies in OUTPUT."""

from __future__ import annotations

import itertools
import os
from pathlib import Path
from typing import Any

from augx import engine as runner
from augx import recipe as recipes
from augx.engine import Outcome, Request

GENTLE = "[HorizontalFlip, {Affine: {rotate: [-20, 20], p: 1}}]"
_fresh = itertools.count()


class Silent:
    """Progress that keeps count: `images` asked for, `made` and `failed` as told."""

    def __init__(self) -> None:
        self.images = self.kept = self.made = self.failed = 0

    def begin(self, images: int, kept: int) -> None:
        self.images, self.kept = images, kept

    def step(self, made: int, failed: int) -> None:
        self.made, self.failed = self.made + made, self.failed + failed

    def end(self) -> None:
        pass


def a_recipe(transforms: str = GENTLE, **keys: Any) -> recipes.Recipe:
    """Two copies by flips and small turns, unless `keys` or `transforms` say otherwise."""
    import json

    lines = ["version: 1", *(f"{key}: {json.dumps(value)}" for key, value in ({"copies": 2} | keys).items())]
    return recipes.parse("\n".join([*lines, f"transforms: {transforms}\n"]).encode(), "recipe.yaml", checked=False)


def run(input: Path, output: Path, recipe: recipes.Recipe | None = None, **request: Any) -> Outcome:
    asked = Request(str(input), str(output), recipe or a_recipe(), **({"workers": 0, "fsync": "off"} | request))
    return runner.run(asked, Silent(), recipes.check_transforms)


def fresh(input: Path, near: Path, recipe: recipes.Recipe | None = None, **request: Any) -> Path:
    """A first run into a folder of its own beside `near`: what every other way there must come to."""
    output = near.parent / f"fresh-{next(_fresh)}"
    run(input, output, recipe, **request)
    return output


def states(root: Path) -> dict[str, tuple[int, int]]:
    """inode and modification time of every file but augx's own: equal where nobody wrote."""
    found = {}
    for path in sorted(root.rglob("*")):
        name = str(path.relative_to(root))
        if path.is_file() and not name.startswith(".augx"):
            status = os.stat(path)
            found[name] = (status.st_ino, status.st_mtime_ns)
    return found
