"""`augx learn`: read the pictures, say how long it will take, fit, write the model with its card and its sheet."""

from __future__ import annotations

import hashlib
import os
import struct
import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from importlib import import_module
from typing import Any

from augx import artefact, images, spare, versions
from augx.artefact import ENDING, METHODS, Card
from augx.errors import OutputError, Refused
from augx.formats import ReadOptions
from augx.learn import door
from augx.model import ImageOptions, Json, Picture
from augx.store import write_file

_LOOK = 5.0  # seconds, at least, between two sheets
_FAST_SIDE = 64  # pixels, at most, with `fast`
SHEET, PART = ".png", ".part"  # behind the model's name
_HEAD = 33  # bytes of a PNG's signature and first chunk
_TEXT = b"tEXtSoftware\0augx learn"
_MARK = struct.pack(">I", len(_TEXT) - 4) + _TEXT + struct.pack(">I", zlib.crc32(_TEXT))  # a chunk: the sheet is ours


@dataclass(frozen=True, slots=True)
class Request:
    """What the user asked for. `seconds`: to spend at most; None: as long as the method takes. `side`: of the pictures
    the network sees; None: as `data.read` finds it. `more`: what only this method knows; it becomes part of its
    architecture."""

    method: str
    input: str
    model: str
    fast: bool = False
    seconds: float | None = None
    seed: int = 0
    device: str = "auto"
    threads: int = 1
    side: int | None = None
    from_format: str | None = None
    read: ReadOptions = field(default_factory=ReadOptions)
    more: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcome:
    """`fresh`: the model was there already, fitted as asked."""

    card: Card
    fresh: bool = False


def fit(request: Request, told: door.Told) -> Outcome:
    """Raises Refused before anything is written, Stopped where the model cannot be."""
    guard(request, "a model", (ENDING,), lambda _: _there(request.model) is not None)
    device = door.ready(request.device, request.threads)
    from augx.learn import data, files, training

    method = import_module(METHODS[request.method].target)
    known = data.read(
        data.dataset(request.input, request.from_format, request.read),
        request.side,
        _FAST_SIDE if request.fast else getattr(method, "MOST_SIDE", data.LARGEST),
    )
    method.refuse(known)

    def make() -> Any:
        return method.Fitting(known, request.seed, device, request.fast, **request.more)

    fitting, made_by = make(), versions.everything(learned=True)
    asked = [request.method, request.fast, request.seconds, request.seed, known.digest, str(device), request.threads]
    key = hashlib.sha256(repr([*asked, fitting.architecture, sorted(made_by.items())]).encode()).hexdigest()
    if (there := _there(request.model)) and there.training.get("request") == key:
        return Outcome(there, fresh=True)
    steps = fitting.fast_steps if request.fast else fitting.steps
    each = training.seconds_a_step(fitting, request.seed, device)
    if request.seconds is not None:
        steps = min(steps, int(request.seconds / each))
        if steps < training.LEAST_STEPS:
            needed = door.duration(training.LEAST_STEPS * each * 1.1)
            raise Refused(
                f"{training.LEAST_STEPS} steps are the least and take about {needed}, "
                f"and --budget gives {door.duration(request.seconds)}",
                "give it more, or lower --side",
            )
    fitting = make()
    unread = f", {known.failed:,} could not be read" if known.failed else ""
    unread += f", {known.left_out:,} are beyond what memory holds" if known.left_out else ""
    of = {0: "", 1: " of one class"}.get(len(known.classes), f" of {len(known.classes):,} classes")
    words = f"{len(known.pixels):,} pictures{of} at {known.side} x {known.side}{unread}"
    told.begin(f"{words}; {steps:,} steps on {device}, about {door.duration(steps * each)}", steps)
    checkpoint = request.model + PART
    began = time.process_time()

    class Watch:
        drawn = time.monotonic()

        def step(self, done: int, loss: float) -> None:
            told.step(done, f"loss {loss:.4f}")

        def look(self, fitting: Any) -> None:
            if time.monotonic() - self.drawn > _LOOK:
                write_sheet(request.model, fitting.rows())
                self.drawn = time.monotonic()

    try:
        course = training.fit(fitting, training.Course(steps), request.seed, device, checkpoint, key, Watch())
        state = fitting.finished()
        trained: dict[str, Json] = {"request": key, "fast": request.fast, "device": str(device)}
        trained |= {"threads": request.threads, **course.told()}
        card = Card(
            request.method, fitting.architecture, known.classes, len(known.pixels), known.digest,
            artefact.sketch(known.samples), request.seed, made_by, trained, fitting.gates(),
        )  # fmt: skip
        files.write(request.model, state, card)
        write_sheet(request.model, fitting.rows())
        with suppress(FileNotFoundError):
            os.remove(checkpoint)
    finally:
        told.end()
    spent = {"seconds": round(course.seconds, 1), "cpu_seconds": round(time.process_time() - began, 1)}
    return Outcome(replace(card, training={**trained, **spent}))


def guard(request: Request, what: str, endings: Sequence[str], ours: Callable[[bytes], bool]) -> None:
    """Refuses a place that is not for this, before torch is imported. `what`: is to be written, of these `endings`;
    only what is one of `ours` is written over."""
    spare.check_place(request.model, "model" + endings[0], what, endings)
    for path, known, way in (
        (request.model, ours, f"only {what} of `augx learn`, as it wrote it, is written over; give another -o"),
        (request.model + SHEET, _is_sheet, f"the sheet of {request.model} goes there; move what is there"),
        (request.model + PART, _is_checkpoint, f"the checkpoint of {request.model} goes there; move what is there"),
    ):
        if os.path.exists(path) and not os.path.isfile(path):
            raise OutputError(f"{path} is there already, and no regular file", way)
        spare.check_free(path, False, way, known)
    place, root = os.path.realpath(request.model), os.path.realpath(request.input)
    if os.path.isdir(root) and os.path.commonpath([place, root]) == root:
        raise OutputError(f"{request.model} lies in INPUT {request.input}", "write it beside")
    door.need()


def _is_checkpoint(data: bytes) -> bool:
    return "checkpoint" in artefact.metadata(data[8 : 8 + int.from_bytes(data[:8], "little")])


def _is_sheet(data: bytes) -> bool:
    return data[_HEAD : _HEAD + len(_MARK)] == _MARK


def _there(path: str) -> Card | None:
    try:
        return artefact.card(path)
    except (OSError, artefact.Unusable):
        return None


def write_sheet(model: str, rows: Any) -> None:
    """The sheet beside a model, marked as ours."""
    from augx.drawing.sheet import sheet

    options = ImageOptions(png_level=6)
    png = images.encode(Picture(sheet(rows, {}, 8)), ".png", options)
    write_file(model + SHEET, png[:_HEAD] + _MARK + png[_HEAD:])
