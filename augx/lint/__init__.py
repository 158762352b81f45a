"""What a person should know of a recipe, and of a dataset with it, before anything is made. Codes: `rules`, `codes`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from statistics import median_low

from augx.errors import Problem
from augx.ignores import doubts, ignores, told
from augx.lint import data as looking
from augx.lint import meaning, order, ranges, sizes, steps
from augx.lint.data import Looked, Looking
from augx.model import Dataset
from augx.recipe import Recipe
from augx.yamlfile import load

Look = Callable[[Recipe, Dataset], Looked]


def findings(
    recipe: Recipe, text: bytes, dataset: Dataset | None = None, shown: str = "", look: Look | None = None
) -> list[Problem]:
    """Warnings of the recipe and everything else found, in the order of the file, what it tells off left out.

    `text`: it was read from. `dataset`: as `engine.read` has it; `shown`: its folder as the user wrote it; `look`: into
    its images, all of them unless another is given.
    """
    root, _ = load(text, recipe.name)
    found = [*recipe.warnings, *recipe.ignored, *steps.findings(recipe, root)]
    of_data: list[Problem] = []
    usual = None
    if dataset is not None:
        looked = (look or Looking(0))(recipe, dataset)
        usual = _usual(looked.sizes.values())
        found += meaning.meaning(recipe, dataset) + meaning.turned(recipe, dataset)
        found += sizes.findings(recipe, looked.sizes)
        of_data = _once(looking.findings(recipe, dataset, looked, shown))
    found += order.findings(recipe, usual)
    found += ranges.findings(recipe, usual[0]) if usual else ranges.findings(recipe)
    comments = ignores(text)
    wrong = doubts(recipe.name, comments, [*found, *of_data], dataset is not None)
    here = sorted(dict.fromkeys(told([*found, *wrong], comments)), key=lambda one: (one.line, one.column))
    return [*here, *told(of_data, comments)]


def _usual(sizes: Collection[tuple[int, int]]) -> tuple[int, int] | None:
    """Half of the images are as wide, and half as high, at most."""
    if not sizes:
        return None
    return median_low(width for width, _ in sizes), median_low(height for _, height in sizes)


def _once(problems: Iterable[Problem]) -> list[Problem]:
    """In order of code and file, each once."""
    return sorted(dict.fromkeys(problems), key=lambda one: (_RANKS[one.severity], one.code, one.file, one.message))


_RANKS = {"error": 0, "warning": 1, "note": 2}
