"""Tiny datasets, drawn for each test."""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import settings
from PIL import Image

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
