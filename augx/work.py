"""One shard in a worker: decode once, then each copy through the transforms, the encoder and into place."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

import cv2

from augx import images, plan
from augx.errors import ImageError, Stopped
from augx.journal import Entry, dump, write_segment
from augx.model import Applied, Job, Json, Picture, Shard
from augx.naming import copy_name
from augx.recipe import Recipe
from augx.seeds import Rng
from augx.store import Folder, open_regular
from augx.transforms.pipeline import Pipeline

_R = TypeVar("_R")
_NOTHING: list[Applied] = []


@dataclass(frozen=True, slots=True)
class Orders:
    """What a worker has to know for the whole run; `recipe` in its canonical form."""

    input: str
    output: str
    recipe: Json
    basis: str


def start(orders: Orders) -> Callable[[Shard], dict[str, Json]]:
    """Makes this process ready and returns the function that works off a shard."""
    cv2.setNumThreads(0)  # the workers are the parallelism
    return Worker(orders)


class Worker:
    """Works off shards. Answers with counts, or with `stopped` when the system refuses to take what was made."""

    def __init__(self, orders: Orders) -> None:
        self.orders = orders
        self.maker = Maker(Recipe.from_canonical(orders.recipe))
        self.folder = Folder(orders.output)

    def __call__(self, shard: Shard) -> dict[str, Json]:
        try:
            entries = [self.work(job) for job in shard.jobs]
            write_segment(self.folder, shard.name, entries)
        except Stopped as stopped:
            return {"stopped": stopped.message, "hint": stopped.hint}
        made = sum(len(copies) for _, copies, _ in entries)
        return {"made": made, "failed": sum(len(entry.failed) for entry, _, _ in entries)}

    def work(self, job: Job) -> tuple[Entry, list[int], list[bytes]]:
        """All copies of one source. What cannot be made is in the entry's `failed`."""
        source = job.sample.id
        sha256, size, mtime = "", 0, None
        entry = Entry(source, job.stem, job.ending, "", "", 0)
        made: list[int] = []
        rows: list[bytes] = []

        def fail(copy: int, error: ImageError) -> None:
            entry.failed.append(failure(source, copy, error))

        try:
            data, mtime = _read(os.path.join(self.orders.input, *source.split("/")))
            sha256, size = hashlib.sha256(data).hexdigest(), len(data)
            decoded = _guarded("decode", lambda: images.decode(data))
        except ImageError as error:
            for copy in job.copies:
                fail(copy, error)
        entry.sha256, entry.size = sha256, size
        entry.key = plan.key(self.orders.basis, job, sha256)
        if entry.failed:
            return entry, made, rows
        entry.notes = decoded.notes
        picture = replace(decoded.picture, annotations=job.sample.annotations)
        for copy in job.copies:
            name = copy_name(job.stem, job.ending, copy)
            try:
                if copy == 0 and self.maker.verbatim(decoded, job.ending):
                    out, applied, encoded = picture, _NOTHING, data
                else:
                    out, applied, encoded = self.maker.make(picture, source, copy, job.ending)
                self.folder.write(name, encoded, mtime)
            except ImageError as error:
                fail(copy, error)
                continue
            except Stopped as stopped:
                if getattr(stopped.__cause__, "errno", None) != errno.ENAMETOOLONG:
                    raise
                fail(copy, ImageError("name-too-long", stopped.message, "write"))  # the others can be made
                continue
            row = manifest_row(job, copy, name, out, applied, encoded)
            known = {"source_sha256": sha256, "source_bytes": size, "key": entry.key, "notes": list(entry.notes)}
            rows.append(dump(row | known))
            made.append(copy)
        return entry, made, rows


class Maker:
    """Makes one copy of a picture: a pure function of recipe, picture, source and copy."""

    def __init__(self, recipe: Recipe) -> None:
        self.recipe = recipe
        self.pipeline = Pipeline(recipe.steps)
        self.rng = Rng()

    def verbatim(self, decoded: images.Decoded, ending: str) -> bool:
        """Whether the source's bytes are already what would be written for the original."""
        options, picture = self.recipe.image, decoded.picture
        changed = (options.bits == "8" and picture.pixels.itemsize > 1) or (
            options.alpha == "drop" and picture.alpha is not None
        )
        return decoded.upright and not changed and images.same_format(decoded, ending)

    def make(self, picture: Picture, source: str, copy: int, ending: str) -> tuple[Picture, list[Applied], bytes]:
        """Returns the picture, what was applied, and the encoded file. Raises ImageError."""
        applied: list[Applied] = []
        if copy:
            picture, applied = _guarded(
                "transform",
                lambda: self.pipeline(picture, lambda step: self.rng.at(self.recipe.seed, source, copy, step)),
            )
        encoded = _guarded("encode", lambda: images.encode(picture, ending, self.recipe.image))
        return picture, applied, encoded


def manifest_row(
    job: Job, copy: int, name: str, picture: Picture, applied: list[Applied], encoded: bytes
) -> dict[str, Json]:
    known = picture.annotations
    return {
        "file_name": name,
        "source": job.sample.id,
        "copy": copy,
        "partners": [],
        "split": job.sample.split,
        "width": picture.width,
        "height": picture.height,
        "label": known.label,
        "labels": dict(known.labels),
        "objects": [],
        "mask": None,
        "values": dict(known.values),
        "transforms": [{"name": one.name, "params": dict(one.params)} for one in applied],
        "bytes": len(encoded),
        "sha256": hashlib.sha256(encoded).hexdigest(),
    }


def failure(source: str, copy: int, error: ImageError) -> dict[str, Json]:
    """A row of failures.jsonl."""
    return {"source": source, "copy": copy, "stage": error.stage, "error": error.code, "message": error.message}


def _read(path: str) -> tuple[bytes, int]:
    """The content of a regular file and its modification time."""
    try:
        with open_regular(path) as file:
            return file.read(), os.fstat(file.fileno()).st_mtime_ns
    except FileNotFoundError as error:
        raise ImageError("missing-file", "the file is not there any more", "read") from error
    except OSError as error:
        raise ImageError("unreadable", f"the file cannot be read: {error.strerror or error}", "read") from error


def _guarded(stage: str, make: Callable[[], _R]) -> _R:
    """Whatever one picture makes a codec or a transform raise, it is that picture's failure."""
    try:
        return make()
    except ImageError as error:
        error.stage = stage
        raise
    except MemoryError as error:
        raise ImageError("out-of-memory", "there was not enough memory for this picture", stage) from error
    except Exception as error:
        raise ImageError("internal-error", f"{type(error).__name__}: {error}", stage) from error
