"""Coverage-guided fuzzing of one reader: `python tests/faults/fuzz.py READER FOLDER [EXECUTIONS]`, with `atheris`.

FOLDER/READER keeps the corpus, and under `findings` one input for each place where a harness of `readers` broke its
promise, with its traceback; fuzzing goes on after each. `python tests/faults/fuzz.py READER FOLDER keep` puts those few
of the corpus that reach most code into `corpora`; a finding goes there by hand, by a name that says what was wrong.
"""

from __future__ import annotations

import functools
import hashlib
import re
import resource
import sys
import time
import traceback
import warnings
from pathlib import Path
from types import FrameType
from typing import Any

HERE = Path(__file__).parent
SECONDS = 2.0  # of the processor, for one input
MEGABYTES = 200  # by which one input may make the process grow
ADDRESSES = 6 << 30  # bytes
ROOM = 9000  # bytes of what is kept for each reader


class Found:
    """The findings so far: one for each place in augx's code."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.seen: dict[str, int] = {}

    def add(self, data: bytes, what: str, text: str) -> None:
        self.seen[what] = self.seen.get(what, 0) + 1
        if self.seen[what] > 1:
            return
        name = hashlib.sha256(what.encode()).hexdigest()[:12]
        (self.folder / name).write_bytes(data)
        (self.folder / f"{name}.txt").write_text(f"{what}\n\n{text}\n{data!r}\n", "utf-8", "backslashreplace")
        print(f"FINDING {name}: {what}", file=sys.stderr, flush=True)


def place(error: BaseException) -> str:
    """Kind of error and the innermost line of augx, or of the harness."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "/augx/" in frame.filename] or frames
    if isinstance(error, AssertionError):
        words = re.sub(r"'[^']*'|\"[^\"]*\"|None|[0-9.,:\[\]-]+", "", str(error)[:200])
        return f"AssertionError {Path(frames[-1].filename).name}:{frames[-1].lineno} {' '.join(words.split())[:60]}"
    return f"{type(error).__name__} {Path(ours[-1].filename).name}:{ours[-1].lineno}"


def quicken() -> None:
    """What costs more than all the rest: threads, a walk over files that stay, one YAML again and again."""
    from augx import manifest, store, survey, verify, yamlfile
    from augx.formats import pairs
    from augx.formats.walk import walk

    again = functools.cache(walk)

    def hashes(paths: Any) -> list[str]:
        found = []
        for path in paths:
            try:
                found.append(store.sha256_file(path))
            except OSError:
                found.append("")
        return found

    for module in (pairs, manifest, survey, verify):
        module.hashes = hashes
    verify.ThreadPoolExecutor = OneThread
    loaded = functools.lru_cache(1000)(yamlfile.load)

    def load(*given: Any, **more: Any) -> tuple[Any, list[Any]]:  # of data.yaml; recipes have their own
        node, problems = loaded(*given, **more)
        return node, [*problems]

    yamlfile.load = load
    for name, module in list(sys.modules.items()):
        if name.startswith("augx.formats") and getattr(module, "walk", None) is walk:
            module.walk = lambda root: walk(root) if root.endswith("/names") else again(root)


class OneThread:
    """A pool of no threads."""

    def __init__(self, workers: int = 1) -> None:
        pass

    def __enter__(self) -> OneThread:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    map = staticmethod(map)


def keep(name: str, folder: Path) -> None:
    """Of inputs that reach the same lines the smallest one, as long as there is room."""
    import readers

    harness = readers.HARNESSES[name]
    reached: set[tuple[str, int]] = set()
    now: set[tuple[str, int]] = set()

    def lines(frame: FrameType, event: str, _: object) -> Any:
        if "/augx/" not in frame.f_code.co_filename:
            return None
        now.add((frame.f_code.co_filename, frame.f_lineno))
        return lines

    room = ROOM
    for path in sorted((folder / "corpus").iterdir(), key=lambda path: (path.stat().st_size, path.name)):
        data = path.read_bytes()
        now.clear()
        sys.settrace(lines)
        try:
            harness(data)
        except Exception:  # a finding, of which there is one that says what it is
            continue
        finally:
            sys.settrace(None)
        if len(now - reached) > 2 and len(data) <= room:
            reached |= now
            room -= len(data)
            (HERE / "corpora" / name).mkdir(parents=True, exist_ok=True)
            (HERE / "corpora" / name / path.name[:12]).write_bytes(data)


def main() -> None:
    name, folder = sys.argv[1], Path(sys.argv[2]) / sys.argv[1]
    executions = sys.argv[3] if len(sys.argv) > 3 else "1000000"
    sys.path[:0] = [str(HERE.parent), str(HERE)]
    if executions == "keep":
        keep(name, folder)
    else:
        fuzz(name, folder, executions)


def fuzz(name: str, folder: Path, executions: str) -> None:
    import atheris

    with atheris.instrument_imports(include=["augx"]):
        import readers
        import seeds
    quicken()
    found = Found(folder / "findings")
    corpus, begin = folder / "corpus", folder / "seeds"
    for one in (corpus, begin):
        one.mkdir(parents=True, exist_ok=True)
    kept = [path.read_bytes() for path in sorted((HERE / "corpora" / name).glob("*"))]
    for data in (*seeds.seeds(name), *kept):
        (begin / hashlib.sha256(data).hexdigest()[:16]).write_bytes(data)
    harness = readers.HARNESSES[name]
    words = folder / "words.txt"
    words.write_text("".join(f'"{"".join(f"{chr(92)}x{b:02x}" for b in word)}"\n' for word in seeds.words(name)))
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESSES, ADDRESSES))
    warnings.simplefilter("ignore")
    started, executed, largest = time.time(), 0, 0

    def once(data: bytes) -> None:
        nonlocal executed, largest
        executed += 1
        before = time.process_time()
        try:
            harness(data)
        except Exception as error:
            found.add(data, place(error), traceback.format_exc())
        spent = time.process_time() - before
        if spent > SECONDS:
            found.add(data, f"slow: {int(spent)} s", "")
        if executed % 16 == 0:
            memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
            if largest and memory > largest + MEGABYTES:
                found.add(data, f"large: {memory // 200 * 200} MB (or one of the 15 before)", "")
            largest = max(largest, memory)
        if executed % 20_000 == 0:
            rate = executed / (time.time() - started)
            said = f"{name}: {executed} executions, {rate:.0f}/s, {largest} MB, {found.seen}"
            print(said, file=sys.stderr, flush=True)

    arguments = [
        sys.argv[0], f"-runs={executions}", f"-max_len={seeds.SIZES[name]}", f"-dict={words}", "-timeout=120",
        "-rss_limit_mb=4000", "-print_final_stats=1", "-verbosity=1", "-reload=0", str(corpus), str(begin),
    ]  # fmt: skip
    atheris.Setup(arguments, once, internal_libfuzzer=True)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
