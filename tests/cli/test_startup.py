"""What makes a command start fast, without a clock: what it imports and how much it reads."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import encoded


def process(script: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", script], cwd=cwd, capture_output=True, text=True)


def loaded(*arguments: str, cwd: Path, code: int = 0) -> set[str]:
    """The modules that a whole `augx` process has imported in the end."""
    script = f"import sys; from augx.cli import call; code = call({list(arguments)!r})"
    script += "; print('\\0', *sys.modules); sys.exit(code)"
    done = process(script, cwd)
    assert done.returncode == code, done.stderr[-2000:]
    return set(done.stdout.rpartition("\0")[2].split())


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """photos, and out up to date with it; the recipe only flips."""
    root = tmp_path_factory.mktemp("startup")
    (root / "photos" / "cat").mkdir(parents=True)
    for number in range(3):
        (root / "photos" / "cat" / f"{number}.jpg").write_bytes(encoded(number))
    (root / "recipe.yaml").write_text("version: 1\ncopies: 1\ntransforms: [HorizontalFlip]\n")
    loaded("run", "photos", "out", "-r", "recipe.yaml", "-j0", "-q", cwd=root)
    return root


CODECS = {"numpy", "cv2", "PIL", "albumentations", "scipy", "pydantic"}


@pytest.mark.parametrize(
    "arguments",
    [
        ("--help",),
        ("--version",),
        ("list",),
        ("show", "classification"),
        ("run", "photos", "out", "-r", "recipe.yaml"),
        ("check", "photos", "out", "-r", "recipe.yaml"),
        ("init", "photos", "-o", "-"),
        ("run", "photos", "out", "--frob"),
    ],
    ids=lambda arguments: arguments[0] + arguments[-1],
)
def test_no_codec(dataset: Path, arguments: tuple[str, ...]) -> None:
    found = loaded(*arguments, cwd=dataset, code=2 if "--frob" in arguments else 0)
    assert "augx.cli" in found
    assert found & CODECS == set()


@pytest.mark.parametrize("arguments", [("--help",), ("--version",), ("run", "--help")])
def test_help_is_light(dataset: Path, arguments: tuple[str, ...]) -> None:
    found = loaded(*arguments, cwd=dataset)
    assert (
        found & (CODECS | {"yaml", "tqdm", "multiprocessing", "augx.recipe", "augx.engine", "importlib.metadata"})
        == set()
    )


def test_a_verb_loads_no_other_verb(dataset: Path) -> None:
    verbs = {name for name in loaded("list", "executors", cwd=dataset) if name.startswith("augx.cli.")}
    assert "augx.cli.catalogue" in verbs
    assert verbs <= {"augx.cli.catalogue", "augx.cli.completing", "augx.cli.options", "augx.cli.output"}


def test_an_up_to_date_run_opens_no_image(dataset: Path) -> None:
    """Names and dates are enough: a large dataset on a slow disk costs a walk, not a read."""
    script = (
        "import sys; opened = []\n"
        "sys.addaudithook(lambda event, given: opened.append(str(given[0])) if event == 'open' else None)\n"
        "from augx.cli import call\n"
        "code = call(['run', 'photos', 'out', '-r', 'recipe.yaml', '-q'])\n"
        "print(*[name for name in opened if name.endswith('.jpg')]); sys.exit(code)"
    )
    done = process(script, dataset)
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr
    os.utime(dataset / "photos" / "cat" / "1.jpg", (5, 5))
    done = process(script, dataset)
    assert (done.returncode, done.stdout.strip()) == (0, os.path.join("photos", "cat", "1.jpg")), done.stderr
