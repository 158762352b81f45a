"""What decoders say while they work: Python's warnings, and what C libraries print to file descriptor 2."""

from __future__ import annotations

import os
import re
import tempfile
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

_MOST = 1 << 16  # bytes that are listened to
_NO_DOUBT = re.compile("Unknown field with tag")  # of a TIFF with tags of its own, such as a map
_OF_PROGRAMS = (DeprecationWarning, PendingDeprecationWarning, ResourceWarning)
_lock = threading.RLock()
_printing = threading.RLock()  # held while the descriptor is away, else two threads could lose it for ever
_listeners: dict[int, list[str]] = {}  # by thread
_state: list[warnings.catch_warnings[None]] = []


@contextmanager
def warned() -> Iterator[list[str]]:
    """What this thread warns of in the body; other threads may listen at the same time, each to its own."""
    me, words = threading.get_ident(), list[str]()
    with _lock:
        before = _listeners.get(me)
        if not _listeners:
            _state.append(warnings.catch_warnings())
            _state[0].__enter__()
            warnings.simplefilter("always")
            warnings.showwarning = _hear
        _listeners[me] = words
    try:
        yield words
    finally:
        with _lock:
            del _listeners[me]
            if before is not None:
                _listeners[me] = before
            if not _listeners:
                _state.pop().__exit__(None, None, None)


def _hear(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    words = _listeners.get(threading.get_ident())
    if words is not None and not issubclass(category, _OF_PROGRAMS):
        words.append(str(message))


@contextmanager
def printed(words: list[str]) -> Iterator[None]:
    """Adds to `words` the lines that the body prints to file descriptor 2, which do not get there."""
    with _printing:
        scratch = -1
        try:
            scratch = _scratch()
            kept = os.dup(2)
        except OSError:  # closed, so that nothing gets there; or no descriptor is left, and what is said is not heard
            if scratch >= 0:
                os.close(scratch)
            yield
            return
        os.dup2(scratch, 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            said = os.pread(scratch, _MOST, 0).decode("utf-8", "replace")
            os.close(kept)
            os.close(scratch)
            words += [line for line in said.splitlines() if line.strip() and not _NO_DOUBT.search(line)]


def _scratch() -> int:
    """The descriptor of a file without a name, in memory where that can be had."""
    if hasattr(os, "memfd_create"):  # Linux
        return os.memfd_create("decoder")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())
