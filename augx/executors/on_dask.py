"""Dask: tasks of `distributed`, on a cluster that is there or on one begun for the run (https://distributed.dask.org).

No more tasks are under way than twice what can be worked on at once. A worker that dies costs its tasks, which are
answered with `Lost`; on a cluster of its own nothing is tried again.
"""

from __future__ import annotations

import importlib.util
import json
import logging
import os
import pickle
import secrets
import tempfile
import time
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from itertools import islice
from types import MappingProxyType
from typing import Any, NamedTuple

from augx.executors import cores
from augx.executors.base import (
    BOUNDLESS,
    SAME,
    Bounds,
    Lost,
    NoEngine,
    R,
    Start,
    StartError,
    T,
    answered,
    number,
    refuse_unknown,
    resources,
    some,
    work,
)

OPTIONS: Mapping[str, str] = {
    "address": "of the scheduler, tcp://HOST:8786  [default: DASK_SCHEDULER_ADDRESS, or a cluster of its own]",
    "scheduler_file": "that `dask scheduler` wrote, instead of an address",
    "timeout": "seconds to wait for the scheduler and its first worker  [default: 30]",
    "resources.": "a resource of your own that a task takes, by its name: resources.fast_disk=1",
}
_INSTALL = "pip install 'augx[dask]'"
_MOST_BYTES = 1 << 20


def ready(options: Mapping[str, str]) -> None:
    refuse_unknown("dask", options, OPTIONS)
    number(options, "timeout", 30)
    resources(options)
    if importlib.util.find_spec("distributed") is None:
        raise NoEngine("--executor dask: Dask is not installed", _INSTALL)


def run(
    start: Start[T, R],
    tasks: Iterable[T],
    workers: int,
    preload: tuple[str, ...] = (),
    bounds: Bounds = BOUNDLESS,
    options: Mapping[str, str] = MappingProxyType({}),
) -> Generator[tuple[T, R | Lost], None, None]:
    """As `local.run`. `workers`: how many tasks are worked on at once, at most. `options`: see OPTIONS."""
    if (waiting := some(tasks)) is None:
        return
    with _connected(workers, options) as client:
        from distributed import as_completed

        workers = max(1, workers)
        slots = max(1, min(workers, sum(client.nthreads().values())))
        begin, token = pickle.dumps(start), secrets.token_hex(8)
        flying: dict[Any, tuple[T, float]] = {}
        done = as_completed([], loop=client.loop, raise_errors=False)
        taken = resources(options) or None

        def send(count: int) -> None:
            for task in islice(waiting, count):
                call = pickle.dumps(_Call((token, begin, bounds, task)))
                future = client.submit(pickle.loads, call, pure=False, retries=0, resources=taken)
                flying[future.key] = task, time.monotonic()
                done.add(future)

        try:
            send(slots if slots == workers == 1 else 2 * slots)
            while flying:
                future = next(done)
                task, since = flying.pop(future.key)
                answer = _answer(future, time.monotonic() - since >= bounds.seconds)
                send(1)
                yield task, answer
        finally:
            with suppress(Exception):
                client.cancel(list(done.futures), force=True)


class _Call(NamedTuple):
    """Is `work` done when it is unpickled: so that a worker that cannot import augx says so. Dask itself ends one that
    cannot unpickle its task, and then waits for another without end."""

    given: tuple[Any, ...]

    def __reduce__(self) -> tuple[Any, ...]:
        return work, self.given


def _answer(future: Any, late: bool) -> Any:
    from distributed.scheduler import KilledWorker

    if future.status == "finished":
        return answered(future.result())
    error = future.exception() if future.status == "error" else None
    if error is None or isinstance(error, KilledWorker):
        return Lost("Dask lost its worker", late)
    raise StartError(f"a Dask worker cannot work: {error}", SAME) from error


@contextmanager
def _connected(workers: int, options: Mapping[str, str]) -> Iterator[Any]:
    """A client; what was begun here is ended."""
    import dask
    from distributed import Client, LocalCluster

    address = options.get("address") or os.environ.get("DASK_SCHEDULER_ADDRESS")
    file = options.get("scheduler_file")
    timeout = number(options, "timeout", 30)
    with ExitStack() as opened:
        for name in ("distributed", "asyncio"):  # a worker that dies is our business, and said in our words
            logger = logging.getLogger(name)
            opened.callback(logger.setLevel, logger.level)
            logger.setLevel(logging.CRITICAL)
        try:
            if not address and file:
                address = _written(file, timeout)
            if address:
                client = opened.enter_context(Client(address, timeout=timeout, set_as_default=False))
            else:
                opened.enter_context(dask.config.set({"distributed.scheduler.allowed-failures": 0}))
                place = opened.enter_context(tempfile.TemporaryDirectory(prefix="augx-", ignore_cleanup_errors=True))
                cluster = LocalCluster(
                    n_workers=max(1, min(workers, cores())),
                    threads_per_worker=1,
                    processes=True,
                    dashboard_address=None,
                    local_directory=place,
                    silence_logs=logging.CRITICAL,
                )
                opened.enter_context(cluster)
                client = opened.enter_context(Client(cluster, set_as_default=False))
            client.wait_for_workers(1, timeout=timeout)
            if wanted := resources(options):
                _wait_for(client, wanted, timeout if address else 0)
        except (OSError, RuntimeError, ValueError) as error:  # TimeoutError among them
            said = str(error) or "no answer"
            hint = "is the address right, and has the scheduler a worker?" if address or file else ""
            raise StartError(f"cannot connect to Dask at {address or file or 'this machine'}: {said}", hint) from error
        yield client


def _written(file: str, timeout: float) -> str:
    """The address in a scheduler's file, once it is there; `Client` would wait for ever. Raises ValueError."""
    end = time.monotonic() + timeout
    while True:
        try:
            reason = f"there is no such file after {timeout:g} seconds"
            if os.path.isfile(file):  # a pipe would be waited for
                with open(file, "rb") as written:
                    return str(json.loads(written.read(_MOST_BYTES))["address"])
        except (ValueError, LookupError, TypeError, RecursionError):
            reason = "it holds no address of a scheduler"
        if time.monotonic() >= end:
            raise ValueError(reason)
        time.sleep(min(0.1, max(0.0, end - time.monotonic())))


def _wait_for(client: Any, wanted: Mapping[str, float], timeout: float) -> None:
    """ValueError where no worker has what a task takes: the tasks would wait for ever."""
    end = time.monotonic() + timeout
    while not any(
        all(worker.get("resources", {}).get(name, 0) >= amount for name, amount in wanted.items())
        for worker in client.scheduler_info()["workers"].values()
    ):
        if time.monotonic() >= end:
            raise ValueError("no worker has " + ", ".join(f"{name}={amount:g}" for name, amount in wanted.items()))
        time.sleep(min(0.2, max(0.0, end - time.monotonic())))
