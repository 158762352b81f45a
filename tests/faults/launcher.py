"""Runs commands of augx one after the other, each in a process of its own, measured in time and memory.

A process that has imported augx and nothing else, so that its forks begin small. One JSON object a line comes in:
{words, workers, folder, home, said}; one goes out: {exit, seconds, megabytes}. With `workers` 0 the command is a fork,
else a real process whose tree is watched. `seconds` are those of a processor, as others may use this machine, too; a
command that waits is ended after HANGS.
"""

from __future__ import annotations

import json
import os
import resource
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

HANGS = 40.0  # seconds
ROOM = 2 << 30  # bytes: who wants more than a case may have does not take the machine with it


def launch(words: Sequence[str], workers: int, folder: str, home: str, said: str) -> dict[str, float]:
    """Exit code -9 where it took too long. `said`: the file for its stdout and stderr."""
    environment = {**os.environ, "HOME": home, "TMPDIR": home, "AUGX_FSYNC": "off"}
    begun = time.monotonic()
    with open(said, "wb") as file:
        if workers:
            line = [sys.executable, "-m", "augx", *words]
            null = subprocess.DEVNULL
            pid = subprocess.Popen(line, cwd=folder, env=environment, stdin=null, stdout=file, stderr=file).pid
        else:
            pid = _fork(words, folder, environment, file.fileno())
    descriptor = os.pidfd_open(pid)
    seen: dict[str, float] = {}
    while not select.select([descriptor], [], [], 0.02 if workers else HANGS)[0]:
        seen |= dict(_tree(str(pid)))
        if time.monotonic() - begun >= HANGS:
            os.kill(pid, signal.SIGKILL)
    os.close(descriptor)
    _, status, used = os.wait4(pid, 0)
    largest = max(sum(seen.values()), used.ru_maxrss / 1024)
    exit = os.waitstatus_to_exitcode(status)
    return {"exit": exit, "seconds": used.ru_utime + used.ru_stime, "megabytes": largest}


def _fork(words: Sequence[str], folder: str, environment: Mapping[str, str], output: int) -> int:
    pid = os.fork()
    if pid:
        return pid
    code = 99
    try:
        os.chdir(folder)
        os.environ.update(environment)
        for number, new in ((0, os.open(os.devnull, os.O_RDONLY)), (1, output), (2, output)):
            os.dup2(new, number)
        from augx import cli

        code = cli.call(list(words))
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)


def _tree(pid: str) -> Iterator[tuple[str, float]]:
    """The processes below and with `pid`, each with the most memory it has had, in MB."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return
    if "VmHWM" in status:
        yield pid, int(status.partition("VmHWM:")[2].split()[0]) / 1024
    for child in children:
        yield from _tree(child)


def main() -> None:
    import augx.cli.run
    import augx.cli.validate
    import augx.cli.verify
    import augx.lint
    import augx.transforms.door
    import augx.work  # noqa: F401

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_DATA, (ROOM, ROOM))
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    answers = os.fdopen(os.dup(1), "w")
    for line in sys.stdin.buffer:
        asked: dict[str, Any] = json.loads(line)
        print(json.dumps(launch(**asked)), file=answers, flush=True)


if __name__ == "__main__":
    main()
