"""Hostile input, and what must come of it: the cases, what they are made of, and the runner.

`python torture.py FOLDER THEME...` runs themes and prints as JSON what is wrong, the slowest and the largest. Each
command is a process of its own (`launcher.py`), measured in time and memory. With `--record` what came of the cases in
torture.json, and was not expected, is written there: read the difference before you believe it.
"""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

sys.path[:0] = [str(Path(__file__).parent.parent)]

SECONDS = 10.0  # of processor time, on a machine with nothing else to do
MEGABYTES = 700.0
THEMES = ("images", "containers", "names", "trees", "rows", "documents", "tables", "recipes", "tars", "outputs")
RECIPE = "version: 1\ncopies: 1\ntransforms: [{Affine: {translate_px: {x: [1, 1], y: [0, 0]}, p: 1}}]\n"
EXPECTED = Path(__file__).with_name("torture.json")
RUN = ("run", "in", "out", "-r", "recipe.yaml")


@dataclass(frozen=True)
class Link:
    target: str


Content = str | bytes | Link | Callable[[Path], object]  # the last makes what is no file: a pipe, a device
Files = Mapping[str, Content]


@dataclass(frozen=True)
class Case:
    """One command in a folder of its own, where `files` lie: those of INPUT below `in`.

    `exit`: None where torture.json says what must come of it. `failed`: source -> code, all of failures.jsonl; or
    `lost`: code -> how many sources. `warned`: code -> how often in summary.json. `made`: rows of the manifest; None
    where the command makes no OUTPUT. `said`: what stands in stdout or stderr. `holds`: how many hostile things are in
    it. `before`: done to the folder after a first run of the same command.
    """

    name: str
    files: Files
    exit: int | None = None
    failed: Mapping[str, str] | None = None
    lost: Mapping[str, int] | None = None
    warned: Mapping[str, int] = field(default_factory=dict)
    made: int | None = None
    said: str = ""
    words: Sequence[str] = RUN
    workers: int = 0
    holds: int = 1
    before: Callable[[Path], object] | None = None
    recorded: bool = False


class Ran(NamedTuple):
    exit: int
    seconds: float
    megabytes: float
    said: str


def cases(theme: str) -> list[Case]:
    """The cases of a theme, with what is expected of each."""
    made: Sequence[Case] = import_module(f"torture_{theme}").CASES
    told = json.loads(EXPECTED.read_text("utf-8"))
    names = [case.name for case in made]
    assert len(set(names)) == len(names), [name for name in names if names.count(name) > 1]
    return [
        case if case.exit is not None else replace(case, recorded=True, **told.get(f"{theme}: {case.name}", {}))
        for case in made
    ]


def plant(root: Path, files: Files) -> None:
    """Writes the files; a name may hold bytes that are no UTF-8, as `os.fsdecode` gives them."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, Link):
            path.symlink_to(content.target)
        elif isinstance(content, bytes):
            path.write_bytes(content)
        elif isinstance(content, str):
            path.write_text(content, "utf-8", newline="")
        else:
            content(path)


class Launcher:
    """The process that runs the commands; `called` gives back how one ran."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self.home = base / "home"
        self.home.mkdir(parents=True)
        line = [sys.executable, str(Path(__file__).with_name("launcher.py"))]
        self.process = subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def called(self, words: Sequence[str], workers: int, folder: Path) -> Ran:
        if words[0] in ("run", "convert"):
            words = [*words, "-j", str(workers)]
        said = self.base / "said"
        asked = {"words": words, "workers": workers, "folder": str(folder), "home": str(self.home), "said": str(said)}
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(json.dumps(asked).encode() + b"\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        assert answer, f"the launcher ended with {self.process.wait()}"
        return Ran(**json.loads(answer), said=said.read_bytes().decode("utf-8", "replace"))


def snapshot(root: Path) -> dict[str, tuple[int, ...]]:
    """What lies in the folder of a case but below OUTPUT."""
    found = {}
    for folder, folders, files in os.walk(root):
        if folder == str(root) and "out" in folders:
            folders.remove("out")
        for name in (*folders, *files):
            status = os.lstat(os.path.join(folder, name))
            found[os.path.join(folder, name)] = (status.st_mode, status.st_size, status.st_mtime_ns, status.st_ino)
    return {name: stated for name, stated in found.items() if name != str(root / "out")}


def judged(case: Case, launcher: Launcher, seconds: float = SECONDS) -> tuple[list[str], Ran]:
    """What of a case is otherwise than expected, more seconds than `seconds` too, and how its command ran."""
    folder = launcher.base / "case"
    folder.mkdir()
    plant(folder, {"recipe.yaml": RECIPE, **case.files})
    if case.before:
        launcher.called(case.words, 0, folder)
        case.before(folder)
    there, had = snapshot(folder), os.path.lexists(folder / "out")
    ran = launcher.called(case.words, case.workers, folder)
    wrong = []
    if ran.exit != case.exit:
        wrong.append(f"exit code {ran.exit}, not {case.exit}: {ran.said[:1500]}")
    if ran.seconds > seconds or ran.megabytes > MEGABYTES:
        wrong.append(f"{ran.seconds:.1f} s, {ran.megabytes:.0f} MB")
    if "Traceback" in ran.said or len(ran.said) > 20_000:
        wrong.append(f"said: {ran.said[:3000]}")
    if case.said not in ran.said:
        wrong.append(f"it said {ran.said[:1500]!r}, not {case.said!r}")
    if case.exit == 2 and os.path.lexists(folder / "out") and not had:
        wrong.append("OUTPUT was made")
    if snapshot(folder) != there:
        wrong.append(f"written outside OUTPUT: {set(snapshot(folder).items()) ^ set(there.items())}")
    if left := os.listdir(launcher.home):
        wrong.append(f"left in HOME: {left}")
    if case.made is not None:
        wrong += _output(case, folder / "out")
        if (verified := launcher.called(("verify", "out"), 0, folder)).exit:
            wrong.append(f"verify: {verified.said[:1000]}")
    return wrong, ran


def _output(case: Case, output: Path) -> list[str]:
    """How OUTPUT differs from what is expected."""
    odd = [name for name in ("failures.jsonl", "manifest.jsonl", "summary.json") if not _is_file(output / name)]
    if odd:
        return [f"no files: {odd}"]
    rows = [json.loads(line) for line in _lines(output / "failures.jsonl")]
    found = {one["source"]: one["error"] for one in rows}
    wrong = [f"message of {one['source'][:80]}" for one in rows if not 5 < len(one["message"]) < 2000]
    if case.lost is not None:
        if dict(Counter(found.values())) != case.lost:
            wrong.append(f"failures {Counter(found.values())}, not {case.lost}")
    else:
        told = case.failed or {}
        other = [name for name in sorted(found.keys() | told) if found.get(name) != told.get(name)]
        wrong += [f"{name}: {found.get(name)}, not {told.get(name)}" for name in other]
    warned = json.loads((output / "summary.json").read_text("utf-8"))["warnings"]
    if warned != case.warned:
        wrong.append(f"warnings {warned}, not {dict(case.warned)}")
    if (made := len(_lines(output / "manifest.jsonl"))) != case.made:
        wrong.append(f"{made} images, not {case.made}")
    return wrong


def outcome(ran: Ran, output: Path) -> dict[str, Any]:
    """What came of a command, for torture.json."""
    if ran.exit not in (0, 1):
        return {"exit": ran.exit, "said": ran.said.partition("\n")[0].removeprefix("augx: ")[:80]}
    lost = {one["source"]: one["error"] for one in map(json.loads, _lines(output / "failures.jsonl"))}
    told = {
        "exit": ran.exit,
        "made": len(_lines(output / "manifest.jsonl")),
        "lost": dict(sorted(Counter(lost.values()).items())),
    }
    return told | {"warned": json.loads((output / "summary.json").read_text("utf-8"))["warnings"]}


def _is_file(path: Path) -> bool:
    return os.path.lexists(path) and stat.S_ISREG(path.lstat().st_mode) and path.lstat().st_size < 1 << 28


def _lines(path: Path) -> list[str]:
    """Not `splitlines`, for which more than a line end ends a line."""
    return path.read_text("utf-8").split("\n")[:-1]


def main() -> None:
    launcher = Launcher(Path(sys.argv[1]))
    recording = "--record" in sys.argv
    told = json.loads(EXPECTED.read_text("utf-8"))
    wrong: dict[str, list[str]] = {}
    count, slowest, largest = 0, (0.0, ""), (0.0, "")
    begun = time.monotonic()
    for theme in sys.argv[2:]:
        for case in cases(theme) if theme in THEMES else ():
            found, ran = judged(case, launcher)
            if recording and found and case.recorded:
                told[f"{theme}: {case.name}"] = outcome(ran, launcher.base / "case" / "out")
            shutil.rmtree(launcher.base / "case")
            slowest, largest = max(slowest, (ran.seconds, case.name)), max(largest, (ran.megabytes, case.name))
            count += case.holds
            if found:
                wrong[f"{theme}: {case.name}"] = found
    if recording:
        lines = (f"{json.dumps(name)}: {json.dumps(one)}" for name, one in sorted(told.items()))
        EXPECTED.write_text("{\n" + ",\n".join(lines) + "\n}\n", "utf-8")
    took = time.monotonic() - begun
    report = {"wrong": wrong, "cases": count, "seconds": took, "slowest": slowest, "largest": largest}
    print(json.dumps(report, indent=1, ensure_ascii=False))


if __name__ == "__main__":
    import torture  # under the name that the themes know

    torture.main()
