"""What stands in OUTPUT's place, and finished OUTPUTs that somebody has damaged or dressed up: nothing of them is
believed or followed, nothing that is not augx's is touched, and the next run makes it right.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from torture import Case, Content, Link
from torture_images import saved
from torture_trees import bound, pipe

BASE: dict[str, Content] = {
    "in/cat/a.png": saved("PNG"),
    "in/dog/b.png": saved("PNG", compress_level=1),
    "away/keep.png": b"keep",
}
Spoil = Callable[[Path], object]


def refused(name: str, files: dict[str, Content], said: str) -> Case:
    return Case(f"OUTPUT is {name}", {**BASE, **files}, 2, said=said)


def spoiled(name: str, spoil: Spoil, exit: int = 0, made: int | None = 4, said: str = "") -> Case:
    def before(folder: Path) -> None:
        spoil(folder / "out")

    return Case(name, BASE, exit, made=made, said=said, before=before)


def _places() -> Iterator[Case]:
    yield refused("a file", {"out": b"x"}, "out")
    yield refused("a pipe", {"out": pipe}, "out")
    yield refused("a socket", {"out": bound}, "out")
    yield refused("a device", {"out": Link("/dev/null")}, "out")
    yield refused("a link to nothing", {"out": Link("nowhere")}, "a link to nothing")
    yield refused("a link to itself", {"out": Link("out")}, "out")
    yield refused("a link to INPUT", {"out": Link("in")}, "OUTPUT is INPUT")
    yield refused("a link into INPUT", {"out": Link("in/cat")}, "inside INPUT")
    yield refused("full of files of others", {"out/mine.txt": "x", "out/cat/a.png": b"mine"}, "did not write")
    yield refused("full of links", {"out/a": Link("/etc"), "out/b": Link("../away")}, "did not write")
    yield Case("OUTPUT is a folder with an .augx of others", {**BASE, "out/.augx/mine": "x"}, 0, made=4)
    yield refused("a folder with a link .augx", {"out/.augx": Link("../away")}, ".augx is a link")
    yield refused("a folder with a file .augx", {"out/.augx": "x"}, "did not write")
    for word in ("", "x" * 300, "x/" * 3000, "/dev/null/out", "/proc/self/out", "in"):
        yield Case(
            f"OUTPUT is {word[:20]!r}", BASE, exit=2, words=("run", "in", word, "-r", "recipe.yaml"), said="OUTPUT"
        )


def over(name: str, content: Content) -> Spoil:
    """Puts something in the place of a file of OUTPUT."""

    def spoil(output: Path) -> None:
        path = output / name
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, Link):
            path.symlink_to(content.target)
        elif callable(content):
            content(path)
        else:
            path.write_bytes(content if isinstance(content, bytes) else content.encode())

    return spoil


def row(**values: object) -> Spoil:
    """Changes the first row of the manifest, and of the index with it."""

    def spoil(output: Path) -> None:
        for path in (output / "manifest.jsonl", *(output / ".augx").glob("index-*.jsonl")):
            lines = path.read_text("utf-8").split("\n")
            lines[0] = json.dumps({**json.loads(lines[0]), **values})
            path.write_text("\n".join(lines), "utf-8")

    return spoil


def _damage() -> Iterator[Case]:
    deep, digits = "[" * 1_000_000, "9" * 1_000_000
    contents: dict[str, Content] = {
        "nothing": b"", "NUL bytes": bytes(1000), "a picture": saved("PNG"), "deep JSON": deep, "a number": digits,
        "null": "null", "a list": "[]", "NaN": "NaN", "UTF-16": "{}".encode("utf-16"), "a line of 50 MB": "x" * 50_000_000,
        "a link out": Link("../away/keep.png"), "a link to a device": Link("/dev/zero"), "a pipe": pipe,
    }  # fmt: skip
    for name in ("summary.json", "manifest.jsonl", "failures.jsonl", ".augx/journal"):
        for what, content in contents.items():
            there = not isinstance(content, Link) and content is not pipe
            if there or (what == "a link out" and name != ".augx/journal") or name == "failures.jsonl":
                yield spoiled(f"{name} is {what}", over(name, content))
            elif content is not pipe or name != ".augx/journal":
                yield spoiled(f"{name} is {what}", over(name, content), 2, None, name)
    for name, values in (
        ("out of OUTPUT", {"file_name": "../away/keep.png"}), ("absolute", {"file_name": "/etc/passwd"}),
        ("a number", {"file_name": 3}), ("of another image", {"file_name": "dog/b.png"}),
        ("with a source outside", {"source": "../away/keep.png"}), ("with a size", {"bytes": -1}),
        ("with a hash", {"sha256": "0" * 64}), ("with a copy", {"copy": 10**30}), ("with a mask", {"mask": "/etc/passwd"}),
    ):  # fmt: skip
        yield spoiled(f"a row {name}", row(**values))
    yield spoiled("an image that is a link out", over("cat/a.png", Link("../../away/keep.png")))
    yield spoiled("an image that is a pipe", over("cat/a.png", pipe))
    yield spoiled("a class that is a link out", over("cat", Link("../away")), 2, None, "did not write: cat")
    yield spoiled(".augx a link out", over(".augx", Link("../away")), 2, None, "did not write")
    yield spoiled("no .augx", lambda output: shutil.rmtree(output / ".augx"))
    yield spoiled("a lock of another", over(".augx/lock", "pid 1 on another machine, since 1970\n"))
    yield spoiled("a lock that is a pipe", over(".augx/lock", pipe), 2, None, "did not write")
    yield spoiled("a lock that is a link", over(".augx/lock", Link("../../away/keep.png")), 2, None, "lock is a link")
    yield spoiled("an intent that leads out", over(".augx/intent.jsonl", '"../away/keep.png"\n"/etc/passwd"\n[' + deep))
    yield spoiled("temporary files that are links", over(".augx/tmp", Link("../../away")), 2, None, "tmp is a link")
    yield spoiled("segments that are links", over(".augx/segments/x.jsonl", Link("../../../away/keep.png")))
    yield spoiled("files that nobody knows", over("cat/mine.png", b"mine"), 0, None)


def _verbs() -> Iterator[Case]:
    """Other commands on what is no OUTPUT."""
    for verb in (("verify", "x"), ("check", "in", "x", "-r", "recipe.yaml"), ("replay", "x", "a.png", "-o", "b.png")):
        for name, content in (
            ("nothing", {}),
            ("a file", {"x": b""}),
            ("a pipe", {"x": pipe}),
            ("links", {"x/a": Link("/")}),
        ):
            yield Case(
                f"{verb[0]} of {name}",
                {**BASE, **content},
                words=verb,
                exit=1 if verb[0] == "check" and "x/a" not in content else 2,
            )
    name = "../../../../etc/passwd"
    yield Case(
        "replay of a path that leads out",
        BASE,
        exit=2,
        words=("replay", "out", name, "-o", "b.png"),
        said="no finished run",
    )


CASES: Sequence[Case] = (*_places(), *_damage(), *_verbs())
