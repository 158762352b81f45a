"""Executors map a function over tasks and know nothing of images. Each is a module with

    OPTIONS: Mapping[str, str]            what `--executor-option` may say, each with a line about it
    ready(options) -> None                raises NoEngine where it cannot be used as it is asked for
    run(start, tasks, workers, preload, bounds, options) -> Generator[tuple[task, result or Lost]]

`EXECUTORS`: name -> (module, one line about it).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib import import_module
from typing import Any

EXECUTORS: Mapping[str, tuple[str, str]] = {
    "local": ("augx.executors.local", "worker processes on this machine (-j/--workers)"),
    "ray": ("augx.executors.on_ray", "tasks on a Ray cluster, or on one begun here (extra `ray`)"),
    "dask": ("augx.executors.on_dask", "tasks on a Dask cluster, or on one begun here (extra `dask`)"),
}
ALL = 1024  # workers: as many as an engine has


def cores() -> int:
    """The cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def load(name: str) -> Any:
    """The module of an executor."""
    return import_module(EXECUTORS[name][0])
