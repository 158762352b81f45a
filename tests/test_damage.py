"""A bit that changed in any file of OUTPUT: `verify --deep` finds it, `run` mends what it is in, and nothing else.

Bytes of a small finished run are changed in one bit, another from byte to byte. EVERY is how far apart they are in the
slow suite; with EVERY=1 in the environment all bytes have their turn, in some twenty minutes.
"""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import tree
from label_sets import coco, plant
from PIL import Image
from running import a_recipe, run

from augx import manifest
from augx.engine import Outcome
from augx.recipe import Recipe
from augx.verify import verify


def png(seed: int, mode: str = "RGB") -> bytes:
    rng = np.random.default_rng(seed)
    shape = (5, 6, 3) if mode == "RGB" else (5, 6)
    buffer = io.BytesIO()
    Image.fromarray(rng.integers(0, 4, shape, np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def boxes() -> dict[str, Any]:
    """Three sources, one of which cannot be read; written with a label file beside each image, and some for all."""
    return {
        "annotations.json": coco("0.png", "é.png", "broken.png", bbox=[1, 1, 3, 2], area=6) | {"info": {}},
        "0.png": png(0),
        "é.png": png(1),
        "broken.png": b"x",
    }


def masks() -> dict[str, Any]:
    return {f"{folder}/{n}.png": png(n, mode) for folder, mode in (("images", "RGB"), ("masks", "L")) for n in (0, 1)}


KINDS: dict[str, tuple[Callable[[], dict[str, Any]], dict[str, Any]]] = {
    "boxes": (boxes, {"to_formats": ("coco", "yolo", "table"), "allow_loss": True}),
    "masks": (masks, {}),
}
EVERY = int(os.environ.get("EVERY", 11))
RECIPE = a_recipe("[HorizontalFlip, {Affine: {rotate: [-20, 20], p: 1}}]", copies=1)


class Case:
    """OUTPUT to spoil, and `kept`, what it is before; `tree` is what it has to become."""

    def __init__(self, folder: Path, kind: str) -> None:
        dataset, self.request = KINDS[kind]
        self.input, self.output, self.kept = plant(folder / "input", dataset()), folder / "output", folder / "kept"
        self.run()
        self.tree = tree(self.output)
        shutil.copytree(self.output, self.kept)

    def run(self, recipe: Recipe = RECIPE) -> Outcome:
        return run(self.input, self.output, recipe, **self.request)

    def names(self) -> list[str]:
        return [name for name in tree(self.kept) if (self.kept / name).stat().st_size]

    def flip(self, name: str, byte: int, bit: int, dated: bool) -> None:
        """`dated`: as by a program that wrote the file; else as by a disk."""
        path = self.output / name
        status, data = path.stat(), bytearray(path.read_bytes())
        data[byte] ^= 1 << bit
        path.write_bytes(data)
        if not dated:
            os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))

    def restore(self) -> None:
        shutil.rmtree(self.output)
        shutil.copytree(self.kept, self.output)


class Killed(Exception):
    pass


def killed(case: Case, monkeypatch: pytest.MonkeyPatch, over: Recipe | None) -> Case:
    """OUTPUT as a run leaves it that is killed after its last image, over nothing or over what another recipe made."""

    def finish(*given: object) -> None:
        raise Killed

    shutil.rmtree(case.output)
    if over:
        case.run(over)
    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr(manifest, "finish", finish)
        case.run()
    shutil.rmtree(case.kept)
    shutil.copytree(case.output, case.kept)
    return case


def flips(case: Case, step: int) -> Iterator[tuple[str, int, int]]:
    """File, byte and bit: every `step`-th byte."""
    for name in case.names():
        size = (case.kept / name).stat().st_size
        for byte in range(len(name) % step, size, step):
            yield name, byte, (byte // step) % 8


def wrong(case: Case, step: int) -> list[tuple[str, int, int, str]]:
    """What was not found, or not mended."""
    found = []
    for name, byte, bit in flips(case, step):
        case.flip(name, byte, bit, dated=False)
        if not any(finding.startswith(f"{name}: ") for finding in verify(str(case.output), 1, deep=True)[1]):
            found.append((name, byte, bit, "not found"))
        try:
            case.run()
        except Exception as error:
            found.append((name, byte, bit, f"{type(error).__name__}: {error}"))
        if tree(case.output) != case.tree:
            found.append((name, byte, bit, "not mended"))
            case.restore()
    assert verify(str(case.output), 1, deep=True)[1] == []
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_some_bits(tmp_path: Path, kind: str) -> None:
    assert wrong(Case(tmp_path, kind), step=499) == []


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_many_bits(tmp_path: Path, kind: str) -> None:
    assert wrong(Case(tmp_path, kind), step=EVERY) == []


OVER = {"nothing": None, "the same": RECIPE.replace(originals=False), "others": a_recipe("[Transpose]", copies=3)}


def left_wrong(case: Case, step: int) -> list[tuple[str, int, int, bool]]:
    """Where another run did not bring OUTPUT to what it should be. A file that is no longer wanted may stay when it, or
    what says whose it is, is damaged; and what a disk did to an image shows when the run has ended, not before."""
    found = []
    for number, (name, byte, bit) in enumerate(flips(case, step)):
        dated = bool(number % 2)
        case.flip(name, byte, bit, dated)
        case.run()
        if not dated and verify(str(case.output), 1)[1]:
            case.run()
        now = tree(case.output)
        more = now.keys() - case.tree.keys()
        if not now.items() >= case.tree.items() or not (more <= {name} or (name == "manifest.jsonl" and len(more) < 3)):
            found.append((name, byte, bit, dated))
        case.restore()
    return found


@pytest.mark.parametrize("over", OVER)
@pytest.mark.parametrize("kind", KINDS)
def test_some_bits_of_an_unfinished_run(tmp_path: Path, kind: str, over: str, monkeypatch: pytest.MonkeyPatch) -> None:
    case = killed(Case(tmp_path, kind), monkeypatch, OVER[over])
    assert {".augx/intent.jsonl", ".augx/journal/0000.0000000.jsonl"} <= set(case.names())
    assert left_wrong(case, 991) == []


@pytest.mark.slow
@pytest.mark.parametrize("over", OVER)
@pytest.mark.parametrize("kind", KINDS)
def test_more_bits_of_an_unfinished_run(tmp_path: Path, kind: str, over: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert left_wrong(killed(Case(tmp_path, kind), monkeypatch, OVER[over]), 7 * EVERY) == []
