"""Who may import whom, and what the command line must not import before it needs it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
HEAVY = {"numpy", "cv2", "PIL", "albumentations", "yaml", "pydantic", "scipy", "torch", "tqdm", "multiprocessing"}


def test_contracts() -> None:
    """The layers in pyproject.toml, held by import-linter."""
    pytest.importorskip("importlinter")
    script = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken" in done.stdout


def imported(code: str) -> set[str]:
    """The top-level modules that `code` leaves in sys.modules."""
    script = f"import sys\ntry:\n    {code}\nexcept SystemExit:\n    pass\nprint(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return {name.partition(".")[0] for name in done.stderr.split()}


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["--version"], ["run", "--help"], ["list"], ["list", "transforms", "--json"], ["show", "folder"]],
)
def test_a_light_verb_imports_nothing_heavy(arguments: list[str]) -> None:
    found = imported(f"from augx.cli import call; assert call({arguments!r}) == 0")
    assert "click" in found
    assert found & (HEAVY - {"yaml"} if arguments[0] == "list" and len(arguments) == 1 else HEAVY) == set()


@pytest.mark.parametrize(
    "module", ["augx", "augx.cli", "augx.engine", "augx.survey", "augx.manifest", "augx.formats.folder"]
)
def test_a_light_module_imports_nothing_heavy(module: str) -> None:
    heavy = HEAVY - {"multiprocessing", "yaml"} if module in ("augx.engine", "augx.survey", "augx.manifest") else HEAVY
    assert imported(f"import {module}") & heavy == set()


def test_an_up_to_date_run_imports_no_codec(photos: Path, tmp_path: Path) -> None:
    """What a Makefile or a CI job calls again and again."""
    from running import run

    from augx import recipe as recipes

    run(photos, tmp_path / "out", recipes.read("classification").replace(copies=1))
    found = imported(
        f"from augx.cli import call; assert call(['run', '-q', '-n1', {str(photos)!r}, {str(tmp_path / 'out')!r}]) == 0"
    )
    assert found & {"numpy", "cv2", "PIL", "albumentations", "pydantic", "scipy"} == set()
