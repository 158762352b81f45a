"""Who writes: an object that says so, and is renewed while they do."""

from __future__ import annotations

import json
import os
import re
import secrets
import socket
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, ClassVar

from augx.errors import OutputError, Stopped
from augx.remote.bucket import Bucket, Entry, refused

_TAKEN = 120.0  # seconds that a lease lasts
_RENEWED = 30.0


def holder(bucket: Bucket, name: str) -> dict[str, Any]:
    """What a lease says of who holds it; {} for nobody."""
    try:
        told = json.loads(bucket.read(name) or b"{}")
        return {"host": str(told["host"]), "space": str(told.get("space", "")), "pid": int(told["pid"]),
                "token": str(told["token"]), "until": float(told["until"])}  # fmt: skip
    except (FileNotFoundError, ValueError, TypeError, KeyError):
        return {}


class Lease:
    """An object that says who writes, renewed while they do. `others`: leases that nobody may hold meanwhile.

    `found`: the object as it was before it was taken.
    """

    _ours: ClassVar[set[str]] = set()  # those that this process holds

    def __init__(self, bucket: Bucket, name: str, others: Sequence[str]) -> None:
        self.bucket, self.name, self.others = bucket, name, others
        self.found: Entry | None = None
        self.token = secrets.token_hex(8)
        self._holder = {"host": socket.gethostname(), "space": _SPACE, "pid": os.getpid(), "token": self.token}
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._renew, daemon=True)

    def __enter__(self) -> None:
        try:
            if other := next(filter(None, map(self._other, dict.fromkeys([self.name, *self.others]))), None):
                raise OutputError(
                    f"{self.bucket.name} is being written by another augx, process {other['pid']} on {other['host']}",
                    f"wait for it to end; if it was killed, wait {_TAKEN:.0f} seconds",
                )
            with suppress(FileNotFoundError):
                self.found = self.bucket.info(self.name)
            self._write()
            if holder(self.bucket, self.name).get("token") != self.token:
                raise OutputError(f"{self.bucket.name} is being written by another augx", "wait for it to end")
        except (OSError, Stopped) as error:
            raise refused(error, self.bucket.name, output=True) from None
        self._ours.add(self.token)
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._ours.discard(self.token)
        self._end.set()
        self._thread.join()
        with suppress(OSError, Stopped):
            if holder(self.bucket, self.name).get("token") == self.token:
                self.bucket.write(self.name, b"")  # nothing of this machine stays

    def _other(self, name: str) -> dict[str, Any]:
        """Who else holds a lease, {} for nobody."""
        told = holder(self.bucket, name)
        if not told or told["token"] == self.token:
            return {}
        if (told["host"], told["space"]) == (self._holder["host"], _SPACE):
            pid = told["pid"]
            gone = told["token"] not in self._ours if pid == os.getpid() else not runs(pid)
            if gone:  # it was killed, or could not say any more that it ended
                return {}
        return {} if self._late(name, told["until"]) else told

    def _late(self, name: str, until: float) -> bool:
        """Whether it was not renewed in time, by the clock of the store if that has one: those of machines differ."""
        probe = f".augx/probe-{secrets.token_hex(4)}"
        self.bucket.write(probe, b"")
        try:
            now, then = (self.bucket.info(one).seconds for one in (probe, name))
        finally:
            self.bucket.remove(probe)
        return now - then > _TAKEN if now and then else until < time.time()

    def _write(self) -> None:
        self.bucket.write(self.name, json.dumps(self._holder | {"until": time.time() + _TAKEN}).encode())

    def _renew(self) -> None:
        while not self._end.wait(_RENEWED):
            with suppress(OSError, Stopped):
                if holder(self.bucket, self.name).get("token") != self.token:
                    return  # which `_held` will tell
                self._write()


def _space() -> str:
    """Which processes this one sees: in another container the same number is another process."""
    with suppress(OSError):
        return re.sub(r"\D", "", os.readlink("/proc/self/ns/pid"))
    return ""


_SPACE = _space()


def this_host() -> str:
    return f"{socket.gethostname()}-{_SPACE}"


def runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass
    return True
