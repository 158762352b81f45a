"""What a person should know of a recipe, and of a dataset with it, before anything is made. Codes: `rules`, `codes`."""

from __future__ import annotations

from collections.abc import Iterable
from statistics import median

from augx.errors import Problem
from augx.ignores import doubts, ignores, told
from augx.lint import data as looking
from augx.lint import meaning, order, ranges, sizes, steps
from augx.model import Dataset
from augx.recipe import Recipe
from augx.yamlfile import in_order, load


def findings(
    recipe: Recipe, text: bytes, dataset: Dataset | None = None, shown: str = "", most: int = 0
) -> list[Problem]:
    """Warnings of the recipe and everything else found, in the order of the file, what it tells off left out.

    `text`: it was read from. `dataset`: as `run.read` has it; `shown`: its folder as the user wrote it; `most`: images
    that are looked into, 0: all.
    """
    root, _ = load(text, recipe.name)
    found = [*recipe.warnings, *recipe.ignored, *steps.findings(recipe, root), *order.findings(recipe)]
    of_data: list[Problem] = []
    if dataset is None:
        found += ranges.findings(recipe)
    else:
        looked = looking.look(recipe, dataset, most)
        wide = [width for width, _ in looked.sizes.values()]
        found += ranges.findings(recipe, median(wide)) if wide else ranges.findings(recipe)
        found += meaning.meaning(recipe, dataset) + meaning.turned(recipe, dataset)
        found += sizes.findings(recipe, looked.sizes)
        of_data = _once(looking.findings(recipe, dataset, looked, shown))
    comments = ignores(text)
    wrong = doubts(recipe.name, comments, [*found, *of_data], dataset is not None)
    return [*in_order(told([*found, *wrong], comments)), *told(of_data, comments)]


def _once(problems: Iterable[Problem]) -> list[Problem]:
    """In order of code and file, each once."""
    return sorted(dict.fromkeys(problems), key=lambda one: (_RANKS[one.severity], one.code, one.file, one.message))


_RANKS = {"error": 0, "warning": 1, "note": 2}
