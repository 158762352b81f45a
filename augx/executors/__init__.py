"""Executors map a function over tasks and know nothing of images. `EXECUTORS`: name -> (module, one line about it)."""

from __future__ import annotations

from collections.abc import Mapping

EXECUTORS: Mapping[str, tuple[str, str]] = {
    "local": ("augx.executors.local", "worker processes on this machine (-j/--workers)"),
}
