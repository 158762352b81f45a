"""What the suites here are made of: datasets, commands of augx as real processes, and what is left of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from conftest import encoded

HERE = Path(__file__).parent
MEMORY = "/dev/shm"
RECIPE = "version: 1\ncopies: 2\ntransforms: [HorizontalFlip, {Affine: {rotate: [-20, 20], p: 1}}]\n"
NOTICED = 2.0  # seconds after which the end of a process must be known ...
GRACE = 3.0  # ... and what a machine with other things to do may add


def pictures(root: Path, count: int, ending: str = ".png") -> Path:
    """So many pictures in two classes, each with other bytes."""
    for number in range(count):
        path = root / ("cat", "dog")[number % 2] / f"{number:03d}{ending}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encoded(number, ending))
    return root


def command(input: Path, output: Path, *more: str, recipe: str = RECIPE) -> list[str]:
    """An `augx run`; the recipe lies beside INPUT, which is made if it is not there."""
    path = input.parent / "recipe.yaml"
    if not path.exists():
        path.write_text(recipe)
    return [sys.executable, "-m", "augx", "run", str(input), str(output), "-r", str(path), "-q", *more]


def environment(**faults: Any) -> dict[str, str]:
    """`faults`: as `hooks/sitecustomize.py` takes them."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AUGX_")}
    inherited |= {"AUGX_FSYNC": "off", "PYTHONWARNINGS": "ignore"}
    if faults:
        places = [str(HERE / "hooks"), *filter(None, [inherited.get("PYTHONPATH")])]
        inherited |= {"FAULTS": json.dumps(faults), "PYTHONPATH": os.pathsep.join(places)}
    return inherited


def begin(arguments: list[str], **faults: Any) -> subprocess.Popen[str]:
    """A process that leads a session of its own."""
    return subprocess.Popen(
        arguments, env=environment(**faults), start_new_session=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def ended(arguments: list[str], seconds: float = 120, **faults: Any) -> tuple[int, str]:
    """Exit code and what was said to stderr of a command that must end by itself."""
    process = begin(arguments, **faults)
    try:
        said = process.communicate(timeout=seconds)[1]
    finally:
        process.kill()
    return process.returncode, said


def driven(script: str, *arguments: str) -> dict[str, Any]:
    """What a script beside this file prints as JSON, which gets a folder in memory, if there is such, and arguments."""
    places = {"PYTHONPATH": os.pathsep.join([str(HERE.parent), *filter(None, sys.path)])}
    with tempfile.TemporaryDirectory(dir=MEMORY if os.access(MEMORY, os.W_OK) else None) as folder:
        done = subprocess.run(
            [sys.executable, "-W", "ignore::DeprecationWarning", str(HERE / script), folder, *arguments],
            env=environment() | places, capture_output=True, text=True,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def members(session: int) -> list[int]:
    """The processes of a session that still run."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                state, _, _, its = Path("/proc", name, "stat").read_text().rpartition(")")[2].split()[:4]
            except (FileNotFoundError, ProcessLookupError):
                continue
            if int(its) == session and state not in "ZX":
                found.append(int(name))
    return found


def workers(session: int) -> list[int]:
    """Those of a run's processes that work: not the leader, the fork server and the tracker that Python adds."""
    return [pid for pid in members(session) if pid != session and parent(parent(pid)) == session]


def parent(pid: int) -> int:
    try:
        return int(Path("/proc", str(pid), "stat").read_text().rpartition(")")[2].split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return 0


def waited(happened: Callable[[], Any], seconds: float) -> float | None:
    """How long it took until something happened; None if it did not."""
    start = time.monotonic()
    while not happened():
        if time.monotonic() - start > seconds:
            return None
        time.sleep(0.01)
    return time.monotonic() - start
