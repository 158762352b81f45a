"""The recipes that come with augx, by name. Apart from `recipe`, so that listing them reads no YAML."""

from __future__ import annotations

from pathlib import Path


def texts() -> dict[str, bytes]:
    """Name -> content of every bundled recipe, sorted."""
    folder = Path(__file__).parent / "configs"
    if not folder.is_dir():  # a checkout; the wheel has them inside the package
        folder = Path(__file__).parent.parent / "configs"
    return {path.stem: path.read_bytes() for path in sorted(folder.glob("*.yaml"))}


def descriptions() -> dict[str, str]:
    """Name -> what it is for: its first comment line."""
    return {name: text.decode().split("\n", 1)[0].lstrip("# ").rstrip() for name, text in texts().items()}
