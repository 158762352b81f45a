"""A supervised pool of processes on this machine.

Neither standard pool survives a worker that is killed: one hangs, the other dies without naming the task. This one
keeps a pipe to each worker and waits on pipes and process ends together, so that a death is noticed at once and costs
one task. A worker says every now and then that it gets on; one that has not for too long is killed. Nothing but tasks,
small results and such signs of life passes through the parent, and at most one task a worker is under way.
"""

from __future__ import annotations

import ctypes
import math
import multiprocessing
import multiprocessing.forkserver as forkserver
import multiprocessing.resource_tracker as resource_tracker
import os
import signal
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection, wait
from types import MappingProxyType
from typing import Any, Generic

from augx.executors.base import (
    BOUNDLESS,
    Bounds,
    Lost,
    R,
    Start,
    StartError,
    T,
    WorkerError,
    bound_memory,
    refuse_unknown,
)

OPTIONS: Mapping[str, str] = {}

_LONGEST_PLACE = 68  # bytes, which leaves room for what is appended: a socket's path has 104 at most
_HALF_BEGUN = 2.0  # seconds for a fork server that has been asked for a worker which nobody wants any more
_STARTING = 60.0  # seconds more, for a worker that has its imports to do


def ready(options: Mapping[str, str]) -> None:
    refuse_unknown("local", options, OPTIONS)


def run(
    start: Start[T, R],
    tasks: Iterable[T],
    workers: int,
    preload: tuple[str, ...] = (),
    bounds: Bounds = BOUNDLESS,
    options: Mapping[str, str] = MappingProxyType({}),
) -> Generator[tuple[T, R | Lost], None, None]:
    """Yields (task, result) in the order of completion. Closing the iterator kills the workers.

    `start` is called once in each worker, and what it returns is called with each task and a sign of life, to be given
    as often as one likes; `start`, the tasks and the results must pickle. A worker that dies or leaves its bounds is
    replaced and its task answered with `Lost`. `workers` 0: in this process, without bounds.
    `preload`: modules worth importing once for all workers.
    """
    if workers == 0:
        function = start()
        for task in tasks:
            yield task, function(task, lambda: None)
        return
    context = _context(preload)
    waiting = iter(tasks)
    crew: list[_Worker[T, R]] = []
    try:
        for _ in range(workers):
            if not _hire(crew, context, start, bounds, waiting):
                break
        while crew:
            ready = set(wait([end for w in crew for end in (w.pipe, w.process.sentinel)], _patience(crew)))
            for worker in list(crew):
                if not {worker.pipe, worker.process.sentinel} & ready:
                    if time.monotonic() < worker.deadline:
                        continue
                    result: R | Lost | None = worker.late()
                else:
                    result = worker.receive()
                if result is None:
                    continue
                task = worker.task
                if isinstance(result, Lost):
                    crew.remove(worker)
                    _hire(crew, context, start, bounds, waiting)
                elif not worker.send(waiting):
                    crew.remove(worker)
                yield task, result
    finally:
        for worker in crew:
            worker.kill()


def warm(preload: tuple[str, ...]) -> None:
    """Has what `run` will fork its workers from begin its imports now, beside what the caller does meanwhile."""
    if _context(preload).get_start_method() == "forkserver":
        with _deaf(), suppress(OSError):  # which `run` will meet again, and say
            forkserver.ensure_running()


def _patience(crew: list[_Worker[T, R]]) -> float | None:
    """Seconds until the first worker is late."""
    first = min(worker.deadline for worker in crew)
    return None if math.isinf(first) else max(0.0, first - time.monotonic())


class _Worker(Generic[T, R]):
    """The parent's side of one worker process and the task it has. `deadline`: when it is late (`time.monotonic`)."""

    def __init__(self, context: Any, start: Start[T, R], bounds: Bounds, task: T) -> None:
        for attempt in (1, 2):  # a fork server that was killed is started anew by the second
            try:
                self.pipe, theirs = context.Pipe()
                self.process = context.Process(target=_serve, args=(theirs, start, bounds, os.getpid()), daemon=True)
                _begin(self.process, context)
                theirs.close()
                break
            except (OSError, EOFError, AssertionError) as error:  # AssertionError: it got no file handles
                if attempt == 2:
                    hint = "lower --workers (0 works without worker processes), or raise `ulimit -n` and `ulimit -u`"
                    raise StartError(
                        f"cannot start a worker process: {str(error) or type(error).__name__}", hint
                    ) from error
        self.bounds, self.task, self.ready = bounds, task, False
        self._alive()
        self.deadline += _STARTING

    def _give(self, task: T) -> None:
        """Only to a worker that listens: a large task would wait for one that hangs in its imports."""
        self.task = task
        self._alive()
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
        self._bury()
        return False

    def _alive(self) -> None:
        self.deadline = time.monotonic() + self.bounds.seconds + _rhythm(self.bounds)

    def receive(self) -> R | Lost | None:
        """The result; None for a sign of life."""
        try:
            kind, value = self.pipe.recv()
        except Exception:  # no more from it, or half a message
            self._bury()
            self.pipe.close()
            return Lost(_death(self.process.exitcode))
        if kind == "alive":
            if self.ready:
                self._alive()
            else:
                self.ready = True
                self._give(self.task)
            return None
        if kind == "lost":
            self.kill()
            return Lost(value)
        if kind == "error":
            raise WorkerError(value)
        result: R = value
        return result

    def late(self) -> Lost:
        self.kill()
        return Lost(f"no end after {self.bounds.seconds:g} seconds", late=True)

    def _bury(self) -> None:
        """Waits for the end of a worker that has no reason to go on."""
        self.process.join(5)
        if self.process.is_alive():
            self.process.kill()
            self.process.join(2)

    def kill(self) -> None:
        if self.process.is_alive():  # or its number may be another's by now
            self.process.kill()
        self.process.join(2)  # a fork server that is stopped (SIGSTOP) would never say that it has ended
        self.pipe.close()


def _hire(crew: list[_Worker[T, R]], context: Any, start: Start[T, R], bounds: Bounds, waiting: Iterator[T]) -> bool:
    """Starts a worker for the next task, if there is one."""
    for task in waiting:
        crew.append(_Worker(context, start, bounds, task))
        return True
    return False


def _rhythm(bounds: Bounds) -> float:
    """Seconds between signs of life: seldom enough to cost nothing."""
    return min(1.0, bounds.seconds / 4)


def _context(preload: tuple[str, ...]) -> Any:
    """A fork server where there is one: it imports once, and forks from a process that has no threads. It listens at a
    path in the temporary folder, which must not be long."""
    short = len(os.fsencode(tempfile.gettempdir())) <= _LONGEST_PLACE
    if "forkserver" not in multiprocessing.get_all_start_methods() or not short:
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(preload))
    return context


def _begin(process: Any, context: Any) -> None:
    """Starts a process that is deaf to Ctrl-C. We hear signals while a fork server makes one, as one that is stopped
    (SIGSTOP) never answers, but do not leave it with half of what it needs, of which it would complain."""
    if context.get_start_method() != "forkserver":
        with _deaf():
            process.start()
        return
    failures: list[BaseException] = []

    def begin() -> None:
        try:
            process.start()
        except BaseException as error:
            failures.append(error)

    with _deaf():
        forkserver.ensure_running()
        starting = threading.Thread(target=begin, daemon=True)  # with our mask
        starting.start()
    try:
        starting.join()
    except BaseException:
        starting.join(_HALF_BEGUN)
        if process.ident is not None and process.is_alive():
            process.kill()
        raise
    if failures:
        raise failures[0]


def _death(code: int | None) -> str:
    if code is not None and code < 0:
        try:
            return f"the worker process was killed by {signal.Signals(-code).name}"
        except ValueError:
            return f"the worker process was killed by signal {-code}"
    return f"the worker process ended with exit code {code}"


@contextmanager
def _deaf() -> Iterator[None]:
    """What is started in the body does not hear Ctrl-C, which goes to the whole group, while it does its imports; we
    do, afterwards."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # which would end what is begun here
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _serve(pipe: Connection, start: Start[T, R], bounds: Bounds, parent: int) -> None:
    """The life of a worker: tasks in, results out, until the pipe is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the whole group; the parent decides
    _die_with_parent(parent)
    rhythm, next_sign = _rhythm(bounds), 0.0

    def alive() -> None:
        nonlocal next_sign
        now = time.monotonic()
        if now >= next_sign:
            next_sign = now + rhythm
            pipe.send(("alive", None))

    try:
        function = start()
        bound_memory(bounds.memory)
        alive()
        while True:
            try:
                task = pipe.recv()
            except EOFError:
                return
            next_sign = time.monotonic() + rhythm
            pipe.send(("result", function(task, alive)))
    except MemoryError:
        with suppress(OSError):
            pipe.send(("lost", "the worker process ran out of memory"))
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
