"""How fast is augx? The same work done by augx, by others, and by nothing but the codecs, as ratios of CPU time.

    python tests/bench/speed.py DATA [--only ROW ...] [--rounds 5] [--sources N] [--readme]

DATA has the folders photos/CLASS/*.jpg, coco128/images/*/*.jpg and cifar10-small/train500/CLASS/*.jpg, of which the
pictures in RGB are taken. Programs take turns: in each round every program of a row runs once. A program's figure is
the CPU time of all its processes for one picture that it writes, net of what the same command takes for 40 sources.
Ratios are taken within a round, and the table has their medians. augx does all that it does for a user.

The other programs are in `speed_peers.py`, sources and clock in `speed_runs.py`. What augx has no need of is installed
with pip into environments of its own below --venvs. Linux only; let the machine do nothing else meanwhile.
"""

from __future__ import annotations

import argparse
import math
import platform
import re
import statistics
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import yaml
from speed_runs import Bench, Figures, FirstImage, Memory, Program, Work, cost

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
OUTPUT = {"image": {"format": "jpeg", "quality": 90, "subsampling": "4:2:0"}}


def recipe(*transforms: Mapping[str, Any], copies: int = 10, **more: Any) -> dict[str, Any]:
    """One without the originals, as nobody else writes those."""
    return {"version": 1, "copies": copies, "originals": False, "transforms": transforms, "output": OUTPUT, **more}


def bundled(name: str, *more: Mapping[str, Any]) -> dict[str, Any]:
    """A recipe of configs/, and more steps, but no step of augx's own (lower case), as Albumentations has none."""
    told = yaml.safe_load((ROOT / "configs" / f"{name}.yaml").read_text("utf-8"))
    kept = [step for step in told["transforms"] if not next(iter(step)).islower()]
    return recipe(*kept, *more, labels=told.get("labels", {}))


COLOURS: list[dict[str, Any]] = [
    {"HorizontalFlip": {"p": 0.5}},
    {"Rotate": {"limit": [-15, 15], "p": 1}},
    {"RandomBrightnessContrast": {"brightness_limit": [-0.2, 0.2], "contrast_limit": [-0.2, 0.2], "p": 1}},
    {"GaussianBlur": {"p": 0.2}},
]
NATIVE = recipe(*COLOURS)
CROP = recipe(*COLOURS, {"RandomResizedCrop": {"size": [256, 256], "scale": [0.3, 1], "p": 1}})
TO_224 = {"Resize": {"height": 224, "width": 224}}

AUGX = Program("augx", "augx")
LABELS = Program("augx with 20 objects", "augx", labelled=True)
ONE_WORKER, TWO_WORKERS = Program("1 worker", "augx", workers=1), Program("2 workers", "augx")
FLOOR, FILES = Program("floor", "floor"), Program("files alone", "files")
ONCE, NAIVE = Program("decoded once", "once"), Program("naive", "naive")
LABELLED, ONCE_LABELLED = Program("augx", "augx", labelled=True), Program("decoded once", "once", labelled=True)
AUGMENTOR = Program("Augmentor", "augmentor")
HELP, CLICK = "`augx --help`", "`python -c 'import click'`"
FIRST = "seconds to the first image"
WORKER = "MB of a worker beyond five decoded sources (photos)"
PARENT = "kB of the parent for one source more (cifar10-small)"


def help_shown(bench: Bench) -> Figures:
    """CPU seconds of ten calls each."""
    commands = {HELP: ["-m", "augx", "--help"], CLICK: ["-c", "import click"]}
    return {name: sum(cost([sys.executable, *words]).cpu for _ in range(10)) for name, words in commands.items()}


def first_image(bench: Bench) -> Figures:
    """Seconds from the start of the command to the first whole image under its own name."""
    look = FirstImage(bench.output())
    bench.run(Work("coco128", CROP, (AUGX,)), AUGX, "many", look)
    return {FIRST: look.seconds or math.inf}


def memory(bench: Bench) -> Figures:
    """Shared pages counted, as if each process had them for itself."""
    few, many, large = Memory(), Memory(), Memory()
    bench.run(Work("photos", CROP, (AUGX,)), AUGX, "many", large)
    small = Work("cifar10-small", recipe(*COLOURS, copies=1), (AUGX,))
    sources = [bench.run(small, AUGX, which, look)[1] for which, look in (("few", few), ("many", many))]
    return {
        WORKER: (large.worker - 5 * bench.largest("photos")) / 1e6,
        PARENT: (many.parent - few.parent) / 1e3 / (sources[1] - sources[0]),
    }


@dataclass(frozen=True)
class Row:
    name: str
    words: str
    measure: Callable[[Bench], Figures]
    ratios: tuple[str, ...]  # of figures, with or without a goal; or a figure itself


Results = Sequence[tuple[Row, Sequence[Figures]]]

ROWS = (
    Row("crop", "coco128 → 256×256: flip, rotate, light, blur, random resized crop",
        Work("coco128", CROP, (FLOOR, AUGX, ONCE, NAIVE, AUGMENTOR), side=256),
        ("augx / floor ≤ 2.0", "decoded once / augx", "naive / augx ≥ 5", "Augmentor / augx ≥ 20")),
    Row("photos", "photos → 256×256, the same recipe", Work("photos", CROP, (FLOOR, AUGX, ONCE, NAIVE), side=256),
        ("augx / floor ≤ 1.5", "decoded once / augx", "naive / augx ≥ 20")),
    Row("native", "coco128 at native size, the same without the crop",
        Work("coco128", NATIVE, (FLOOR, AUGX, ONCE, NAIVE, AUGMENTOR)),
        ("augx / floor ≤ 2.2", "decoded once / augx", "naive / augx ≥ 2.8", "Augmentor / augx ≥ 10")),
    Row("photos-native", "photos at native size, the same without the crop",
        Work("photos", NATIVE, (FLOOR, AUGX, ONCE, NAIVE)), ("augx / floor", "decoded once / augx", "naive / augx")),
    Row("labels", "coco128 at native size, with 20 boxes and polygons an image, or in class folders",
        Work("coco128", NATIVE, (AUGX, LABELS)), ("augx with 20 objects / augx ≤ 1.1",)),
    Row("tmpfs", "cifar10-small, 32×32, files on tmpfs", Work("cifar10-small", NATIVE, (FLOOR, AUGX, ONCE, NAIVE)),
        ("augx / floor ≤ 2.8", "decoded once / augx", "naive / augx ≥ 5")),
    Row("disk", "cifar10-small, 32×32, files on disk",
        Work("cifar10-small", NATIVE, (FILES, AUGX), disk=True), ("augx / files alone ≤ 1.4",)),
    Row("classification-224", "bundled `classification`, then to 224×224, coco128",
        Work("coco128", bundled("classification", TO_224), (AUGX, ONCE)), ("decoded once / augx ≥ 2.5",)),
    Row("classification", "bundled `classification` at native size, coco128",
        Work("coco128", bundled("classification"), (AUGX, ONCE)), ("decoded once / augx ≥ 1.6",)),
    Row("detection-224", "bundled `detection`, then to 224×224, coco128 with 20 objects",
        Work("coco128", bundled("detection", TO_224), (LABELLED, ONCE_LABELLED)), ("decoded once / augx ≥ 2.5",)),
    Row("detection", "bundled `detection` at native size, coco128 with 20 objects",
        Work("coco128", bundled("detection"), (LABELLED, ONCE_LABELLED)), ("decoded once / augx ≥ 1.6",)),
    Row("workers", "time on the clock, as in the first row",
        Work("coco128", CROP, (ONE_WORKER, TWO_WORKERS), clock="wall"), ("1 worker / 2 workers ≥ 1.85",)),
    Row("start", "from the start on, as in the first row", first_image, (f"{FIRST} ≤ 1.0",)),
    Row("help", "CPU time of the commands", help_shown, (f"{HELP} / {CLICK} ≤ 2.5",)),
    Row("memory", "most memory resident", memory, (f"{WORKER} ≤ 150", f"{PARENT} ≤ 1.5")),
)  # fmt: skip
RATIO = re.compile(r"(.+?)(?: / (.+?))?(?: ([≤≥]) ([\d.]+))?")


def ratio_table(results: Results) -> str:
    lines = ["| work | what | median (least to most) | goal | met |", "|---|---|---|---|---|"]
    for row, rounds in results:
        words = row.words
        for ratio in row.ratios:
            above, below, sign, limit = RATIO.fullmatch(ratio).groups()  # type: ignore[union-attr]
            values = [figures[above] / figures[below] if below else figures[above] for figures in rounds]
            median = statistics.median(values)
            spread = f"{median:.2f} ({min(values):.2f} to {max(values):.2f})"
            goal = " | "
            if sign:
                met = median >= float(limit) if sign == "≥" else median <= float(limit)
                goal = f"{sign} {limit} | {'yes' if met else '**no**'}"
            lines.append(f"| {words} | {f'{above} / {below}' if below else above} | {spread} | {goal} |")
            words = ""  # once
    return "\n".join(lines)


def figure_table(results: Results) -> str:
    """What the ratios were taken of, for rows that compare programs by CPU time."""
    taken = [(row, rounds) for row, rounds in results if isinstance(row.measure, Work) and row.measure.clock == "cpu"]
    names = list(dict.fromkeys(name for _, rounds in taken for name in rounds[0]))
    lines = [f"| CPU ms for one picture | {' | '.join(names)} |", f"|---|{'---|' * len(names)}"]
    for row, rounds in taken:
        medians = {name: statistics.median(figures[name] for figures in rounds) for name in rounds[0]}
        cells = [f"{medians[name]:.2f}" if name in medians else "" for name in names]
        lines.append(f"| {row.words} | {' | '.join(cells)} |")
    return "\n".join(lines if taken else [])


SECTION = """\
Each program does the same work: ten copies of each picture, JPEG of quality 90, two processes, files on tmpfs unless \
said otherwise. Programs take turns, {rounds} rounds of them. Figures are CPU time (user and system, of all processes) \
for one picture, net of the start; ratios are medians of the rounds.

- **floor**: one decode (smaller where that will do), ten encodes and ten writes a source, and no augmentation.
- **augx**: all it does for a user: labels, hashes, manifest, files put in place atomically.
- **naive**: Albumentations as most people write it, a pool that reads its source again for every copy.
- **decoded once**: the same with care; for `detection` with the boxes, where augx carries polygons, too.
- **Augmentor**: 0.2.12, without the blur, at quality 75, which is to its advantage.
- **files alone**: as many files of the sources' size created, written and renamed.

Of the bundled recipes both sides leave out augx's own steps (mixes), which others do not have.

{ratios}

{figures}

Sources: {sources}; photos and coco128 are taken four times, under other names. {machine}.

Measure it again, in about an hour, with DATA as `tests/bench/speed.py` says at its head, and `--readme` to write this:

```sh
pip install . && python tests/bench/speed.py DATA --rounds {rounds}
```
"""


def machine() -> str:
    processor = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    libraries = ("augx", "albumentations", "opencv-python-headless", "pillow")
    versions = [f"Python {platform.python_version()}", *(f"{name} {version(name)}" for name in libraries)]
    return ", ".join([processor[1] if processor else platform.machine(), *versions])


def updated(readme: str, text: str) -> str:
    """`readme` with `text` between the two markers, or before its last section where it has none."""
    first, last = "<!-- speed -->\n", "<!-- /speed -->\n"
    if first not in readme:
        head, mark, tail = readme.rpartition("\n## ")
        return f"{head}\n## Speed\n\n{first}{text}{last}{mark}{tail}"
    head, _, rest = readme.partition(first)
    if last not in rest:
        raise SystemExit(f"README.md has no line {last.strip()}: put one behind the table")
    return head + first + text + rest[rest.index(last) :]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = [row.name for row in ROWS]
    parser.add_argument("data", type=Path)
    parser.add_argument("--only", nargs="+", choices=names, metavar="ROW", default=names, help=", ".join(names))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sources", type=int, metavar="N", help="of each dataset at most, to try the script quickly")
    parser.add_argument("--readme", action="store_true", help="write the table into README.md")
    parser.add_argument("--venvs", type=Path, default=ROOT / "build" / "bench-venvs", metavar="FOLDER")
    parser.add_argument("--tmpfs", default="/dev/shm", metavar="FOLDER", help="a place in memory  [default: /dev/shm]")
    parser.add_argument("--disk", default="/var/tmp", metavar="FOLDER", help="a place on a disk  [default: /var/tmp]")
    given = parser.parse_args()
    if given.rounds < 1 or (given.readme and (given.only != names or given.sources)):
        parser.error("--rounds is at least 1; --readme is for the whole table, without --only and --sources")
    with tempfile.TemporaryDirectory(dir=given.tmpfs) as tmpfs, tempfile.TemporaryDirectory(dir=given.disk) as disk:
        bench = Bench(given.data, given.venvs, Path(tmpfs), Path(disk), given.sources)
        results: list[tuple[Row, list[Figures]]] = [(row, []) for row in ROWS if row.name in given.only]
        for row, rounds in results:
            for number in range(1, given.rounds + 1):
                rounds.append(row.measure(bench))
                told = ", ".join(f"{name} {figure:.3g}" for name, figure in rounds[-1].items())
                print(f"{row.name}, round {number} of {given.rounds}: {told}", file=sys.stderr, flush=True)
        tables = {"ratios": ratio_table(results), "figures": figure_table(results)}
        text = SECTION.format(rounds=given.rounds, sources=bench.told(), machine=machine(), **tables)
    print(text)
    if given.readme:
        README.write_text(updated(README.read_text("utf-8"), text), "utf-8")


if __name__ == "__main__":
    main()
