"""One writer at a time: an advisory lock on `.augx/lock` that the system lets go when its holder dies.

The shares of a run hold it together, and each another one in its own place, so that none is run twice at once.
"""

from __future__ import annotations

import errno
import json
import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

from augx.errors import OutputError
from augx.remote import mirror
from augx.store import OWN, SHARES, own_fault, stopped, stopping

try:
    import fcntl
except ImportError:  # Windows has no flock; there two runs at once are the user's risk
    fcntl = None  # type: ignore[assignment]

_SAFELY = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0)


@contextmanager
def locked(output: str, own: str = OWN) -> Iterator[None]:
    """Holds OUTPUT for the body; raises OutputError that says who else does. `own`: the place of who asks: OUTPUT's, or
    that of one share of a run, which leaves the others theirs."""
    try:
        os.makedirs(output, exist_ok=True)
    except OSError as error:
        if not own_fault(error) and error.errno != errno.EROFS:
            raise stopped("cannot make", output, error) from error
        raise OutputError(f"OUTPUT {output} cannot be made: {error.strerror}", "choose another folder") from error
    places = [*dict.fromkeys((OWN, SHARES, own, *_shares(output)))]
    for place in [*places, *(f"{each}/{name}" for each in places for name in ("journal", "tmp", "lock"))]:
        if os.path.islink(link := os.path.join(output, place)):
            raise OutputError(f"{link} is a link", "augx needs a place of its own there; remove the link")
    elsewhere = mirror.at(output)
    with ExitStack() as held:
        if own != OWN:
            held.enter_context(_held(output, OWN, together=True))
        held.enter_context(_held(output, own))
        if elsewhere:
            held.enter_context(elsewhere.leased(own))
        try:
            yield
        finally:
            with suppress(OSError):
                if own != OWN and os.listdir(os.path.join(output, own)) == ["lock"]:  # there was nothing to do
                    os.unlink(os.path.join(output, own, "lock"))
                    os.rmdir(os.path.join(output, own))
                    os.rmdir(os.path.join(output, os.path.dirname(own)))


def _shares(output: str) -> list[str]:
    """What lies where shares have their places, which whoever ends a run clears."""
    with suppress(OSError):
        return [f"{SHARES}/{name}" for name in sorted(os.listdir(os.path.join(output, SHARES)))]
    return []


@contextmanager
def _held(output: str, own: str, together: bool = False) -> Iterator[None]:
    """`together`: with others who say so."""
    path = os.path.join(output, own, "lock")
    with stopping("cannot write", path):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | _SAFELY, 0o666)
    try:
        if fcntl is not None:
            try:
                fcntl.flock(descriptor, (fcntl.LOCK_SH if together else fcntl.LOCK_EX) | fcntl.LOCK_NB)
            except BlockingIOError:
                raise OutputError(f"{output} is being written by {_holder(descriptor)}", "wait for it to end") from None
            except OSError as error:
                raise stopped("cannot lock", path, error) from error
        if together:
            yield
            return
        holder = json.dumps({"host": socket.gethostname(), "pid": os.getpid()}).encode()
        with suppress(OSError):  # the name is for messages only; the lock holds without it
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, holder, 0)
        try:
            yield
        finally:
            with suppress(OSError):
                os.ftruncate(descriptor, 0)  # a finished folder has nothing of this machine in it
    finally:
        os.close(descriptor)


def _holder(descriptor: int) -> str:
    try:
        holder = json.loads(os.pread(descriptor, 4096, 0))
        return f"another augx, process {holder['pid']} on {holder['host']}"
    except (ValueError, KeyError, TypeError):
        return "another augx, or by shares of a run"
