"""What executors have in common: the nouns, and one task on a machine that an engine has chosen."""

from __future__ import annotations

import math
import os
import pickle
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import chain
from typing import Any, TypeVar

try:
    import resource
except ImportError:  # Windows; there no memory limit holds
    resource = None  # type: ignore[assignment]

T = TypeVar("T")
R = TypeVar("R")
Beat = Callable[[], None]
Start = Callable[[], Callable[[T, Beat], R]]


@dataclass(frozen=True, slots=True)
class Lost:
    """The answer for a task whose worker died over it. `late`: it was killed because it did not get on."""

    reason: str
    late: bool = False


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a worker may take. `seconds`: from one sign of life to the next. `memory`: bytes beyond what it has when it
    begins; what asks for more gets MemoryError, or dies. Kept on Linux only."""

    seconds: float = math.inf
    memory: int | None = None


BOUNDLESS = Bounds()


class WorkerError(RuntimeError):
    """The function raised, which it should not; the text is the worker's traceback."""


class StartError(RuntimeError):
    """No worker could be started; the text says what the system, or the engine, said. `hint`: the way out."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


SAME = "its machines need the same augx, and INPUT and OUTPUT at the same place"


class NoEngine(ValueError):
    """An engine is not installed, or an option is none of its own. `hint`: the way out."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


def bound_memory(more: int | None) -> None:
    """Lets this process have so many bytes more than now. Data, not address space: what is mapped is not yet taken."""
    if more is None or resource is None or sys.platform != "linux":
        return
    with suppress(OSError, ValueError), open("/proc/self/statm", "rb") as file:
        now = int(file.read().split()[5]) * resource.getpagesize()
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        limit = min(now + more, sys.maxsize if hard == resource.RLIM_INFINITY else hard)
        resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))


_mine = threading.local()  # an engine may work with several threads in a process; each has a function of its own


def work(run: str, begin: bytes, bounds: Bounds, task: Any) -> tuple[str, Any]:
    """Does one task in a process that an engine keeps, which begins once for a `run`. Answers with "result" and it,
    "lost" and why, or "error" and the traceback. `begin`: the pickled `start`."""
    try:
        if getattr(_mine, "run", None) != run:
            _mine.function = pickle.loads(begin)()
            _mine.run = run
            bound_memory(bounds.memory)
        with _watched(bounds.seconds) as alive:
            return "result", _mine.function(task, alive)
    except MemoryError:
        return "lost", "the worker process ran out of memory"
    except BaseException:
        return "error", f"on {socket.gethostname()}:\n{traceback.format_exc()}"


@contextmanager
def _watched(seconds: float) -> Iterator[Beat]:
    """Ends this process when the body gives no sign of life for so long: nothing else ends a codec that hangs."""
    if math.isinf(seconds):
        yield lambda: None
        return
    last, done = time.monotonic(), threading.Event()

    def alive() -> None:
        nonlocal last
        last = time.monotonic()

    def watch() -> None:
        while not done.wait(max(0.05, last + seconds - time.monotonic())):
            if time.monotonic() > last + seconds:
                os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
    try:
        yield alive
    finally:
        done.set()


def answered(answer: tuple[str, Any]) -> Any:
    """What `work` came to: the result, or Lost. Raises WorkerError."""
    kind, value = answer
    if kind == "error":
        raise WorkerError(value)
    return Lost(value) if kind == "lost" else value


def some(tasks: Iterable[T]) -> Iterator[T] | None:
    """The tasks; None where there are none, for which no engine need begin."""
    waiting = iter(tasks)
    return next((chain([first], waiting) for first in waiting), None)


def number(options: Mapping[str, str], key: str, default: float) -> float:
    """An option that is a number. Raises NoEngine."""
    try:
        value = float(options.get(key, default))
        if not 0 <= value < math.inf:
            raise ValueError
    except ValueError:
        raise NoEngine(f"--executor-option {key}={options[key]}: that is no number", f"write {key}=2") from None
    return value


def resources(options: Mapping[str, str]) -> dict[str, float]:
    """What a task takes of a cluster's own resources, by name. Raises NoEngine."""
    return {key.partition(".")[2]: number(options, key, 0) for key in options if key.startswith("resources.")}


def refuse_unknown(name: str, options: Mapping[str, str], known: Mapping[str, str]) -> None:
    """NoEngine where an option is none of `known`, of which one may end with a dot and then begins a family."""
    for key in options:
        if (key not in known or key.endswith(".")) and not any(
            one.endswith(".") and key.startswith(one) and key != one for one in known
        ):
            listed = ", ".join(f"{one}NAME" if one.endswith(".") else one for one in known) or "none"
            raise NoEngine(f"{name} has no option {key!r}", f"it has: {listed}")
