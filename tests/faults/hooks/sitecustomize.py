"""Imported by every Python that finds this folder in PYTHONPATH. Makes processes of augx meet what the variable FAULTS
says, as JSON: {"guilty": {path of a picture: a fault in whoever decodes it}, "start": how workers are started,
"reversed": folders are listed the other way round}."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from typing import Any


def segfault() -> None:
    import ctypes

    ctypes.string_at(0)


def kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def hoard() -> None:
    """Takes memory without end, as MemoryError or the system's killer allows."""
    taken = []
    while True:
        taken.append(bytearray(b"x") * (1 << 20))


def hoard_elsewhere() -> None:
    """As `hoard`, but within a library that has an error of its own for it."""
    import cv2
    import numpy as np

    taken = []
    while True:
        taken.append(cv2.resize(np.ones((8, 8), np.uint8), (4096, 4096)))


def sleep() -> None:
    time.sleep(600)


FAULTS: dict[str, Callable[[], None]] = {
    fault.__name__: fault for fault in (segfault, kill, hoard, hoard_elsewhere, sleep)
}


def decoding(guilty: dict[str, str]) -> None:
    from augx import images

    real, faults = images.decode, {}
    for path, fault in guilty.items():
        with open(path, "rb") as file:
            faults[file.read()] = FAULTS[fault]

    def decode(data: bytes, *given: Any, **named: Any) -> Any:
        if data in faults:
            faults[data]()
        return real(data, *given, **named)

    images.decode = decode


def starting(method: str) -> None:
    import multiprocessing

    from augx.executors import local

    local._context = lambda preload: multiprocessing.get_context(method)


class Backwards:
    """The entries of a folder in reversed order."""

    def __init__(self, *given: Any) -> None:
        with scandir(*given) as entries:
            self.entries = iter(sorted(entries, key=lambda entry: entry.name, reverse=True))

    def __iter__(self) -> Any:
        return self.entries

    def __next__(self) -> Any:
        return next(self.entries)

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *given: Any) -> None:
        self.close()

    def close(self) -> None:
        self.entries = iter(())


scandir, listdir = os.scandir, os.listdir
wanted = json.loads(os.environ.get("FAULTS", "{}"))
if "guilty" in wanted:
    decoding(wanted["guilty"])
if "start" in wanted:
    starting(wanted["start"])
if "reversed" in wanted:
    os.scandir = Backwards
    os.listdir = lambda *given: sorted(listdir(*given), reverse=True)
