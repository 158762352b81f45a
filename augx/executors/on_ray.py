"""Ray: core tasks, on a cluster that is there or on one begun for the run (https://docs.ray.io/en/latest/ray-core).

No more tasks are under way than twice what can be worked on at once. A worker that dies costs its task, which is
answered with `Lost`; Ray itself tries nothing again.
"""

from __future__ import annotations

import importlib.util
import logging
import os
import pickle
import secrets
import signal
import socket
import time
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import islice
from types import MappingProxyType
from typing import Any

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
    "address": "of the cluster, such as auto or HOST:6379  [default: RAY_ADDRESS, or a cluster of its own]",
    "namespace": "of the job",
    "num_cpus": "that a task takes  [default: 1]",
    "num_gpus": "that a task takes  [default: 0]",
    "memory": "bytes that a task is placed by",
    "resources.": "a resource of your own that a task takes, by its name: resources.fast_disk=1",
}
_PATIENCE = 10.0  # seconds
_INSTALL = "pip install 'augx[ray]'"


def ready(options: Mapping[str, str]) -> None:
    refuse_unknown("ray", options, OPTIONS)
    _taken(options)
    if importlib.util.find_spec("ray") is None:
        raise NoEngine("--executor ray: Ray is not installed", _INSTALL)


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
    with _connected(workers, options) as ray:
        taken = _taken(options)
        workers = max(1, workers)
        slots = max(1, min(workers, int(ray.cluster_resources().get("CPU", 1) / max(taken["num_cpus"], 0.01))))
        remote = ray.remote(max_retries=0, **taken)(work)
        begin, token = ray.put(pickle.dumps(start)), secrets.token_hex(8)
        flying: dict[Any, tuple[T, float]] = {}

        def send(count: int) -> None:
            for task in islice(waiting, count):
                flying[remote.remote(token, begin, bounds, task)] = task, time.monotonic()

        try:
            send(slots if slots == workers == 1 else 2 * slots)
            while flying:
                (done,), _ = ray.wait(list(flying), num_returns=1)
                task, since = flying.pop(done)
                try:
                    answer = answered(ray.get(done))
                except ray.exceptions.RayTaskError as error:  # `work` catches all that its function may raise
                    raise StartError(f"a Ray worker cannot work: {error.cause or error}", SAME) from error
                except ray.exceptions.RayError as error:
                    late = time.monotonic() - since >= bounds.seconds
                    answer = Lost(f"Ray lost its worker: {str(error).splitlines()[0]}", late)
                send(1)
                yield task, answer
        except SystemError as error:  # what Ray's own code makes of a signal's exception
            raise error.__cause__ or error from None
        finally:
            for one in flying:
                with suppress(Exception):
                    ray.cancel(one, force=True)


@contextmanager
def _connected(workers: int, options: Mapping[str, str]) -> Iterator[Any]:
    """Ray, connected; what was begun here is ended."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # it would call home
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    import ray

    if ray.is_initialized():
        yield ray
        return
    address = options.get("address") or os.environ.get("RAY_ADDRESS")
    here: dict[str, Any] = {} if address else {"num_cpus": _cpus(workers, options), "include_dashboard": False}
    if address:
        _refuse_silent(address)
    heard = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        ray.init(
            address=address or "local",
            namespace=options.get("namespace"),
            log_to_driver=False,
            logging_level=logging.ERROR,
            **here,
        )
    except (OSError, RuntimeError, ValueError) as error:
        hint = "is the address right, and the cluster up?" if address else "the same command goes on from here"
        raise StartError(f"cannot connect to Ray at {address or 'this machine'}: {error}", hint) from error
    finally:
        for signum, handler in heard.items():  # Ray has put its own there
            with suppress(ValueError):  # not the main thread: nothing was put there
                signal.signal(signum, handler)
    try:
        if not address:
            _refuse_endless(_taken(options), ray.cluster_resources())
        yield ray
    finally:
        with suppress(Exception):
            ray.shutdown()


def _refuse_endless(taken: Mapping[str, Any], here: Mapping[str, float]) -> None:
    """StartError where a task takes what a cluster of its own does not have, for which it would wait for ever. One that
    was there before may grow."""
    wanted = {"num_gpus": ("GPU", taken["num_gpus"]), "memory": ("memory", taken.get("memory", 0))}
    wanted |= {f"resources.{name}": (name, amount) for name, amount in taken.get("resources", {}).items()}
    for option, (name, amount) in wanted.items():
        if amount > here.get(name, 0):
            raise StartError(
                f"a Ray cluster on this machine has {name} {here.get(name, 0):g}, and a task would take {amount:g}",
                f"leave {option} out, or give the address of a cluster that has it",
            )


def _refuse_silent(address: str) -> None:
    """StartError where nobody listens; Ray would try for many minutes."""
    host, colon, port = address.rpartition("://")[2].rpartition(":")
    if colon and port.isdecimal():
        try:
            socket.create_connection((host, int(port)), timeout=_PATIENCE).close()
        except OSError as error:
            said = f"cannot connect to Ray at {address}: {error.strerror or error}"
            raise StartError(said, "is the address right, and the cluster up?") from error


def _cpus(workers: int, options: Mapping[str, str]) -> int:
    return max(1, round(min(workers, cores()) * max(1.0, number(options, "num_cpus", 1))))


def _taken(options: Mapping[str, str]) -> dict[str, Any]:
    """What a task takes, in Ray's words. Raises NoEngine."""
    taken: dict[str, Any] = {"num_cpus": number(options, "num_cpus", 1), "num_gpus": number(options, "num_gpus", 0)}
    if "memory" in options:
        taken["memory"] = int(number(options, "memory", 0))
    own = resources(options)
    return taken | ({"resources": own} if own else {})
