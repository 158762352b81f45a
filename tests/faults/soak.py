"""A long run: many tiny sources, five images of each; the parent's memory and open files along the way.

PYTHONPATH=tests python soak.py FOLDER [SOURCES]: prints {"images": N, "seconds": S, "megabytes": [...], "files":
[...]}, the last two at each tenth of the way, and fails where memory grows by 5 % from the first tenth to the last, or
files come to be open.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from conftest import encoded
from makers import begin, command

RECIPE = "version: 1\ncopies: 5\noriginals: false\ntransforms: [HorizontalFlip, {RandomBrightnessContrast: {p: 1}}]\n"
GROWTH = 1.05
TENTHS = range(1, 11)


def sources(root: Path, count: int) -> Path:
    """Pictures of 8 x 8, of which 200 differ; links would all be one source to the disk."""
    some = [encoded(number, ".jpg", width=8, height=8) for number in range(200)]
    for number in range(count):
        path = root / f"class{number // 1000 % 100:02d}" / f"{number:06d}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(some[number % 200])
    return root


def megabytes(pid: int) -> float:
    for line in Path("/proc", str(pid), "status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def main(folder: Path, count: int) -> dict[str, Any]:
    photos, output = sources(folder / "photos", count), folder / "out"
    journal = output / ".augx" / "journal"
    began = time.monotonic()
    process = begin(command(photos, output, "-j2", recipe=RECIPE))
    memory: list[float] = []
    files: list[int] = []
    for tenth in TENTHS:
        while (
            process.poll() is None and (len(os.listdir(journal)) if journal.exists() else 0) < count / 32 * tenth / 10
        ):
            time.sleep(0.05)
        if process.poll() is None:
            memory.append(round(megabytes(process.pid), 1))
            files.append(len(os.listdir(f"/proc/{process.pid}/fd")))
    said = process.communicate()[1]
    assert process.returncode == 0, said
    seconds = time.monotonic() - began
    images = json.loads((output / "summary.json").read_text())["counts"]["images"]
    told = {"images": images, "seconds": round(seconds), "megabytes": memory, "files": files}
    print(json.dumps(told), flush=True)
    assert images == 5 * count
    assert len(memory) >= 9 and max(memory) < GROWTH * memory[0], "the parent's memory grows"
    assert max(files) <= files[0], "files are left open"
    return told


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 100_000)
