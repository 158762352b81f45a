"""For `speed.py`: sources, programs as commands, and the cost of a command with all it starts. Linux only."""

from __future__ import annotations

import ctypes
import json
import math
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from PIL import Image
from speed_peers import python_of

Figures = Mapping[str, float]
Look = Callable[[int], None]

_SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER
_GLANCE = 0.005  # seconds between two looks at a running command
_FEW = 40  # sources, of which augx makes more than one shard, so that both workers start
_OBJECTS, _POINTS = 20, 20  # of an image, of a polygon
_PICTURES = {
    "photos": "photos/*/*.jpg", "coco128": "coco128/images/*/*.jpg", "cifar10-small": "cifar10-small/train500/*/*.jpg",
}  # fmt: skip
_TIMES = {"photos": 4, "coco128": 4, "cifar10-small": 1}  # each picture under other names, so that work outweighs noise


@dataclass(frozen=True)
class Program:
    name: str  # in the table
    kind: str  # augx, or one of speed_peers.py
    workers: int = 2  # of augx; the others have two always
    labelled: bool = False


@dataclass(frozen=True)
class Work:
    """What programs do in turns: called, it gives their milliseconds for one picture, net of what few take."""

    data: str
    recipe: Mapping[str, Any]
    programs: tuple[Program, ...]
    side: int = 0  # of the square pictures that the recipe makes, in pixels; 0: of the source's size
    disk: bool = False
    clock: Literal["cpu", "wall"] = "cpu"

    def __call__(self, bench: Bench) -> Figures:
        figures = {}
        for program in self.programs:
            (few, of_few), (many, of_many) = [bench.run(self, program, which) for which in ("few", "many")]
            spent = getattr(many, self.clock) - getattr(few, self.clock)
            figures[program.name] = 1000 * spent / (of_many - of_few) if spent > 0 else math.nan  # all noise
        return figures


@dataclass
class Bench:
    """Makes sources and environments as they are needed, and runs programs."""

    data: Path
    venvs: Path
    tmpfs: Path
    disk: Path
    most: int | None  # sources of each dataset
    sizes: dict[str, list[tuple[int, int]]] = field(default_factory=dict)  # of the sources of each

    def output(self, disk: bool = False) -> Path:
        """Where the next program writes to; not there before it runs, nor afterwards."""
        return (self.disk if disk else self.tmpfs) / "output"

    def run(self, work: Work, program: Program, which: str, look: Look | None = None) -> tuple[Cost, int]:
        """What it cost, and how many pictures were written. Raises SystemExit when some are missing."""
        source, output = self._source(work.data, which, program.labelled), self.output(work.disk)
        spent = cost(self._command(work, program, source, output), look)
        written = sum(1 for _ in output.glob("*/*.jpg"))
        expected = work.recipe["copies"] * sum(1 for _ in source.glob("*/*.jpg"))
        if written != expected:
            raise SystemExit(f"{program.name} wrote {written} pictures of {work.data}, not {expected}")
        shutil.rmtree(output)
        return spent, written

    def largest(self, data: str) -> int:
        """Bytes of the largest source, decoded."""
        self._source(data, "many", False)
        return max(3 * width * height for width, height in self.sizes[data])

    def told(self) -> str:
        """The datasets used, in words."""
        areas = {data: [width * height / 1e6 for width, height in sizes] for data, sizes in self.sizes.items()}
        return "; ".join(
            f"{data}, {len(area)} of {sum(area) / len(area):.2g} megapixels" for data, area in areas.items()
        )

    def _command(self, work: Work, program: Program, source: Path, output: Path) -> list[str | Path]:
        recipe = self.tmpfs / "recipe.json"  # JSON is YAML
        recipe.write_text(json.dumps(work.recipe))
        if program.kind == "augx":
            more = ["-j", str(program.workers), "--from", "coco" if program.labelled else "folder"]
            return [sys.executable, "-m", "augx", "run", source, output, "-r", recipe, "-q", *more]
        peers = Path(__file__).with_name("speed_peers.py")
        more = ["--side", str(work.side), *(["--labels", f"{source}/annotations.json"] if program.labelled else [])]
        return [python_of(program.kind, self.venvs), peers, program.kind, source, output, recipe, *more]

    def _source(self, data: str, which: str, labelled: bool) -> Path:
        """A folder of class folders; `labelled`: with annotations.json. Made when it is first asked for."""
        folder = self.tmpfs / f"{data}-{which}{'-labelled' if labelled else ''}"
        if folder.exists():
            return folder
        paths = [path for path in sorted(self.data.glob(_PICTURES[data])) if _size(path)] * _TIMES[data]
        paths = paths[:: math.ceil(len(paths) / self.most) if self.most else 1]  # of all classes
        if len(paths) < 2:
            raise SystemExit(f"{self.data} has no {_PICTURES[data]}")
        if which == "few":
            paths = paths[: min(_FEW, len(paths) // 2)]
        else:
            self.sizes[data] = [_size(path) or (0, 0) for path in paths]
        for place, path in enumerate(paths):
            copy = folder / f"class-{path.parent.name}" / f"{path.stem}-{place}.jpg"  # a class is not called train
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, copy)
        if labelled:
            (folder / "annotations.json").write_text(json.dumps(_labels(folder)))
        return folder


def _size(path: Path) -> tuple[int, int] | None:
    """Width and height of a picture in RGB, of any other None: one of the programs stops at those."""
    with Image.open(path) as image:
        return image.size if image.mode == "RGB" else None


def _labels(folder: Path) -> dict[str, Any]:
    """COCO for the pictures below `folder`: boxes, and round polygons, at random places."""
    rng = random.Random(0)
    images: list[dict[str, Any]] = []
    objects: list[dict[str, Any]] = []
    for number, path in enumerate(sorted(folder.glob("*/*.jpg"))):
        width, height = _size(path) or (0, 0)
        images.append({"id": number, "file_name": str(path.relative_to(folder)), "width": width, "height": height})
        for _ in range(_OBJECTS):
            w, h = rng.uniform(0.05, 0.3) * width, rng.uniform(0.05, 0.3) * height
            x, y = rng.uniform(0, width - w), rng.uniform(0, height - h)
            ring: list[float] = []
            for place in range(_POINTS):
                turn = 2 * math.pi * place / _POINTS
                ring += [x + w * (1 + math.cos(turn)) / 2, y + h * (1 + math.sin(turn)) / 2]
            objects.append({
                "id": len(objects) + 1, "image_id": number, "category_id": rng.randint(1, 5), "iscrowd": 0,
                "bbox": [x, y, w, h], "area": w * h * math.pi / 4, "segmentation": [ring],
            })  # fmt: skip
    kinds = [{"id": kind, "name": f"kind {kind}"} for kind in range(1, 6)]
    return {"images": images, "annotations": objects, "categories": kinds}


@dataclass(frozen=True)
class Cost:
    cpu: float  # seconds, user and system, of all processes
    wall: float  # seconds until the first of them had ended


def cost(command: Sequence[str | Path], look: Look | None = None) -> Cost:
    """Runs `command` to its end; SystemExit with its last words when it fails. `look` gets its process id meanwhile.

    A process that waits for its children has their CPU time in its own. A fork server is waited for by nobody, and its
    workers would be missing: so this process adopts all orphans of the command, and waits for every one of them.
    """
    ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0)
    clean = {name: value for name, value in os.environ.items() if not name.startswith("AUGX_")}
    told = {**clean, "NO_ALBUMENTATIONS_UPDATE": "1"}  # or it asks the network
    ended = threading.Event()

    def watched() -> None:
        while look and not ended.wait(_GLANCE):
            look(process.pid)

    with tempfile.TemporaryFile() as said:
        began = time.monotonic()
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, env=told, cwd="/")
        threading.Thread(target=watched, daemon=True).start()
        cpu = wall = 0.0
        with suppress(ChildProcessError):  # when none is left
            while True:
                number, status, usage = os.wait4(-1, 0)
                cpu += usage.ru_utime + usage.ru_stime
                if number == process.pid:
                    wall = time.monotonic() - began
                    process.returncode = os.waitstatus_to_exitcode(status)
                    ended.set()
        if process.returncode:
            said.seek(0)
            last = said.read()[-2000:].decode(errors="replace")
            raise SystemExit(f"{' '.join(map(str, command))}\nended with {process.returncode}:\n{last}")
    return Cost(cpu, wall)


@dataclass
class Memory:
    """A `look` that keeps the most memory a command's processes had resident, shared pages counted in each of them."""

    parent: int = 0  # bytes
    worker: int = 0  # bytes, of the largest of all processes but the parent

    def __call__(self, number: int) -> None:
        self.parent = max(self.parent, _most_resident(number))
        for child in _below(number):
            self.worker = max(self.worker, _most_resident(child))


def _below(number: int) -> Iterator[int]:
    """The processes that `number` has started, and those that they have."""
    for listing in Path(f"/proc/{number}/task").glob("*/children"):
        for child in _read(listing).split():
            yield int(child)
            yield from _below(int(child))


def _most_resident(number: int) -> int:
    """Bytes; 0 when the process has ended."""
    _, _, rest = _read(Path(f"/proc/{number}/status")).partition("VmHWM:")
    return int(rest.split()[0]) * 1024 if rest else 0


def _read(path: Path) -> str:
    with suppress(OSError):  # it has ended
        return path.read_text()
    return ""


@dataclass
class FirstImage:
    """A `look` that keeps when the first image under its own name was there."""

    output: Path
    began: float = field(default_factory=time.monotonic)
    seconds: float | None = None

    def __call__(self, number: int) -> None:
        if self.seconds is None and any(self.output.glob("*/*.jpg")):
            self.seconds = time.monotonic() - self.began
