"""Tiny datasets, drawn for each test."""

from __future__ import annotations

import hashlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import settings
from PIL import Image

import augx

settings.register_profile("same", derandomize=True, deadline=None)  # who runs the suite twice sees the same twice
settings.load_profile("same")
os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"
for name in [name for name in os.environ if name.startswith("AUGX_")]:
    del os.environ[name]
os.environ["AUGX_FSYNC"] = "off"  # who waits for the disk gets the same, but later


def picture(seed: int, width: int = 24, height: int = 18, mode: str = "RGB") -> Image.Image:
    """A picture with something to see everywhere: a gradient and coarse noise."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (height // 6 + 1, width // 6 + 1, 3), dtype=np.uint8)
    return Image.fromarray(np.kron(coarse, np.ones((6, 6, 1), np.uint8))[:height, :width]).convert(mode)


def encoded(seed: int, ending: str = ".jpg", **how: Any) -> bytes:
    buffer = io.BytesIO()
    picture(seed, **how).save(buffer, {".jpg": "JPEG", ".png": "PNG"}[ending], quality=90)
    return buffer.getvalue()


def tree(root: Path) -> dict[str, str]:
    """Every file under `root`, our own folder included, with the SHA-256 of its content."""
    files = sorted(path for path in root.rglob("*") if path.is_file())
    return {str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def index(output: Path) -> Path:
    """The one index of a finished run."""
    (path,) = (output / ".augx").glob("index-*.jsonl")
    return path


def rows(output: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (output / "manifest.jsonl").read_text("utf-8").splitlines()]


def failures(output: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (output / "failures.jsonl").read_text("utf-8").splitlines()]


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Six JPEGs in two classes."""
    root = tmp_path / "photos"
    for number in range(6):
        folder = root / ("cat", "dog")[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{number}.jpg").write_bytes(encoded(number))
    return root


@pytest.fixture
def recipe(tmp_path: Path) -> Callable[[str], Path]:
    """Writes a recipe with these transforms (YAML) and returns its path."""

    def write(transforms: str = "[HorizontalFlip, {Affine: {rotate: [-20, 20], p: 1}}]", **keys: Any) -> Path:
        lines = ["version: 1", *(f"{key}: {json.dumps(value)}" for key, value in keys.items())]
        path = tmp_path / "recipe.yaml"
        path.write_text("\n".join([*lines, f"transforms: {transforms}\n"]))
        return path

    return write


class Workshop:
    """A folder with `augx` on the PATH: this Python's, which also writes down how it was called."""

    def __init__(self, root: Path) -> None:
        self.log = root / "calls.txt"
        self.log.touch()
        program = root / "bin" / "augx"
        program.parent.mkdir()
        program.write_text(f'#!/bin/sh\necho "$*" >> "{self.log}"\nexec "{sys.executable}" -m augx "$@"\n')
        program.chmod(0o755)
        package = str(Path(augx.__file__).parent.parent)
        self.env = {
            **os.environ,
            "PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": os.pathsep.join(filter(None, [package, os.environ.get("PYTHONPATH")])),
            "AUGX_WORKERS": "0",
        }

    def run(self, *command: str | Path, cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, cwd=cwd, env=self.env | env, capture_output=True, text=True, timeout=60)

    def ok(self, *command: str | Path, cwd: Path, **env: str) -> str:
        """What the command printed; it must succeed."""
        done = self.run(*command, cwd=cwd, **env)
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        return done.stdout

    def calls(self) -> list[str]:
        """The verbs of augx that were called since this was last asked."""
        found = [line.split()[0] for line in self.log.read_text().splitlines()]
        self.log.write_text("")
        return found


@pytest.fixture
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    return Workshop(tmp_path_factory.mktemp("workshop"))
