"""augx: multiply a labelled image dataset. See `architecture.md` beside this file.

From Python: `augx.run`, `augx.merge`, `augx.sheet`, `augx.read`, `augx.Recipe.load`, `augx.Manifest`, `augx.Images`.
Each is imported when it is first used, so that `import augx` costs nothing; `__init__.pyi` says so to type checkers.
"""

from typing import Any as _Any

__version__ = "0.3.0"

_PUBLIC = {
    "AugxError": "augx.errors",
    "Dataset": "augx.model",
    "Example": "augx.finished",
    "Images": "augx.finished",
    "Manifest": "augx.finished",
    "Outcome": "augx.engine",
    "Recipe": "augx.recipe",
    "RecipeError": "augx.errors",
    "Refused": "augx.errors",
    "Sheet": "augx.preview",
    "merge": "augx.api",
    "read": "augx.api",
    "run": "augx.api",
    "sheet": "augx.api",
}
__all__ = ["__version__", *_PUBLIC]


def __getattr__(name: str) -> _Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'augx' has no attribute {name!r}")
    from importlib import import_module

    found = globals()[name] = getattr(import_module(_PUBLIC[name]), name)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *_PUBLIC})
