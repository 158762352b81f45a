"""A supervised pool of processes on this machine.

Neither standard pool survives a worker that is killed: one hangs, the other dies without naming the task. This one
keeps a pipe to each worker and waits on pipes and process ends together, so that a death is noticed at once and costs
one task. Nothing but tasks and small results passes through the parent, and at most one task a worker is under way.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any, Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")
Start = Callable[[], Callable[[T], R]]


@dataclass(frozen=True, slots=True)
class Lost:
    """The answer for a task whose worker died over it."""

    reason: str


class WorkerError(RuntimeError):
    """The function raised, which it should not; the text is the worker's traceback."""


def run(
    start: Start[T, R], tasks: Iterable[T], workers: int, preload: tuple[str, ...] = ()
) -> Iterator[tuple[T, R | Lost]]:
    """Yields (task, result) in the order of completion. Closing the iterator kills the workers.

    `start` is called once in each worker, and what it returns is called with each task; it, the tasks and the results
    must pickle. A worker that dies is replaced and its task answered with `Lost`. `workers` 0: in this process.
    `preload`: modules worth importing once for all workers.
    """
    if workers == 0:
        function = start()
        for task in tasks:
            yield task, function(task)
        return
    context = _context(preload)
    waiting = iter(tasks)
    crew: list[_Worker[T, R]] = []
    try:
        for _ in range(workers):
            if not _hire(crew, context, start, waiting):
                break
        while crew:
            ready = set(wait([w.pipe for w in crew] + [w.process.sentinel for w in crew]))
            for worker in list(crew):
                if worker.pipe not in ready and worker.process.sentinel not in ready:
                    continue
                task = worker.task
                result = worker.receive()
                if isinstance(result, Lost):
                    crew.remove(worker)
                    _hire(crew, context, start, waiting)
                elif not worker.send(waiting):
                    crew.remove(worker)
                yield task, result
    finally:
        for worker in crew:
            worker.kill()


class StartError(RuntimeError):
    """No worker process could be started; the text says what the system said."""


class _Worker(Generic[T, R]):
    """The parent's side of one worker process and the task it has."""

    def __init__(self, context: Any, start: Start[T, R], task: T) -> None:
        for attempt in (1, 2):  # a fork server that was killed is started anew by the second
            try:
                self.pipe, theirs = context.Pipe()
                self.process = context.Process(target=_serve, args=(theirs, start, os.getpid()), daemon=True)
                self.process.start()
                theirs.close()
                break
            except (OSError, EOFError, AssertionError) as error:  # AssertionError: it got no file handles
                if attempt == 2:
                    raise StartError(str(error) or type(error).__name__) from error
        self.task = task
        self._give(task)

    def _give(self, task: T) -> None:
        self.task = task
        try:
            self.pipe.send(task)
        except (BrokenPipeError, ConnectionResetError):
            pass  # it has died; `receive` will say so

    def send(self, waiting: Iterator[T]) -> bool:
        """Hands over the next task; without one, lets the worker go and returns False."""
        for task in waiting:
            self._give(task)
            return True
        self.pipe.close()
        self.process.join()
        return False

    def receive(self) -> R | Lost:
        try:
            kind, value = self.pipe.recv()
        except (EOFError, OSError):
            self.process.join()
            self.pipe.close()
            return Lost(_death(self.process.exitcode))
        if kind == "error":
            raise WorkerError(value)
        result: R = value
        return result

    def kill(self) -> None:
        self.process.kill()
        self.process.join(2)  # a fork server that is stopped (SIGSTOP) would never say that it has ended
        self.pipe.close()


def _hire(crew: list[_Worker[T, R]], context: Any, start: Start[T, R], waiting: Iterator[T]) -> bool:
    """Starts a worker for the next task, if there is one."""
    for task in waiting:
        crew.append(_Worker(context, start, task))
        return True
    return False


def _context(preload: tuple[str, ...]) -> Any:
    """A fork server where there is one: it imports once, and forks from a process that has no threads."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(preload))
    return context


def _death(code: int | None) -> str:
    if code is not None and code < 0:
        try:
            return f"the worker process was killed by {signal.Signals(-code).name}"
        except ValueError:
            return f"the worker process was killed by signal {-code}"
    return f"the worker process ended with exit code {code}"


def _serve(pipe: Connection, start: Start[T, R], parent: int) -> None:
    """The life of a worker: tasks in, results out, until the pipe is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the whole group; the parent decides
    _die_with_parent(parent)
    try:
        function = start()
        while True:
            try:
                task = pipe.recv()
            except EOFError:
                return
            pipe.send(("result", function(task)))
    except BaseException:
        with suppress(OSError):
            pipe.send(("error", traceback.format_exc()))


def _die_with_parent(parent: int) -> None:
    """Ends this process when the parent, or the fork server between, has died: at once on Linux, else in a second."""
    above = os.getppid()
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG

    def watch() -> None:
        while os.getppid() == above and _alive(parent):
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass
    return True
