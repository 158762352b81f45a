"""What has to hold of whatever a reader, a decoder or a journal makes of hostile bytes. Each raises AssertionError."""

from __future__ import annotations

import json
import math
import pickle
import re
from collections.abc import Collection, Iterable
from dataclasses import replace

import numpy as np

from augx import images, labels, objects, work
from augx.errors import ImageError, InputError
from augx.formats import Format
from augx.journal import dump
from augx.model import Annotations, Dataset, Flaw, Job, Json, LabelOptions, Mask, Picture, Sample
from augx.naming import copy_name
from augx.store import Folder

WIDTH, HEIGHT = 40, 30  # of the pictures that hostile labels are about
PIXELS = np.zeros((HEIGHT, WIDTH), np.uint8)
SEGMENTS = np.repeat(np.arange(HEIGHT, dtype=np.uint32)[:, None] // 5, WIDTH, 1)
_CODE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_LONGEST = 20_000  # characters of a message


def dataset(found: Dataset, there: Collection[str], format: Format, whole: bool) -> None:
    """A dataset that was read, and the rows of its originals. `there`: its images, by their paths. `whole`: also what
    is written of them, which takes as long as all the rest.
    """
    ids = [sample.id for sample in found.samples]
    assert ids == sorted(set(ids)), "samples are sorted and unique"
    flaws((*found.failed, *found.warnings))
    json.dumps([found.classes, dict(found.ignored), found.digest], allow_nan=False, ensure_ascii=False).encode()
    rows = [row for sample in found.samples if (row := original(sample, found, there))]
    if not whole:
        return
    pickle.dumps((found.details, found.samples))
    try:
        format.check(found, False)
    except InputError:
        return
    if format.writes:
        written(rows, found, format)


def original(sample: Sample, found: Dataset, there: Collection[str]) -> Json:
    """The manifest row of a sample, None where it fails by name."""
    known = sample.annotations
    assert inside(sample.id) and (sample.id in there or sample.id in sample.packed), "it is an image of INPUT"
    assert sample.split is None or sample.split, "a split has a name"
    assert known.size is None or all(type(side) is int and side > 0 for side in known.size), "a size"
    for name in (known.mask, known.instances, known.segments):
        assert name is None or name in there or name in sample.packed, "a mask is a file of INPUT"
    assert all(0 < weight <= 1 for weight in known.labels.values()), "weights"
    seen = {*known.labels, *(thing.label for thing in known.objects if thing.label is not None)}
    assert seen <= set(found.classes), "all classes are listed"
    assert all(isinstance(name, str) and name for name in seen), "a class has a name"
    try:
        return row(sample)
    except ImageError as error:
        assert _CODE.fullmatch(error.code)
        error.message.encode()
        return None


def row(sample: Sample) -> Json:
    """As a worker makes it; ImageError for labels that do not fit the picture."""
    known = sample.annotations
    if known.segments is not None:
        known, _ = labels.resolve(known, SEGMENTS)
    known, notes, dropped = labels.fit(known, WIDTH, HEIGHT, 1, LabelOptions())
    assert all(map(_CODE.fullmatch, notes))
    picture = Picture(PIXELS, annotations=known)
    stem, dot, ending = sample.id.rpartition(".")
    job = Job(sample, stem, dot + ending, (0,))
    made = work.manifest_row(job, 0, sample.id, picture, (), dropped, b"")
    finite(known)
    read = json.loads(dump(made))
    fault = objects.faults(read)
    assert not fault, "verify: " + fault
    return read | {"mask": known.mask, "instances": known.instances}


def finite(known: Annotations) -> None:
    for thing in known.objects:
        boxes = thing.box or ()
        numbers = (*boxes, *(n for ring in thing.rings for n in ring), *(thing.keypoints or ()), *(thing.corners or ()))
        assert all(map(math.isfinite, numbers)), "finite coordinates"


def written(rows: list[Json], found: Dataset, format: Format) -> None:
    """The label files of originals are text that can be written, in the places they belong."""
    by_id = {sample.id: sample for sample in found.samples}
    view = replace(found, details=format.adopt(found))
    small = replace(view, samples=())
    for made in rows:
        sample = by_id[made["source"]]
        folder = format.place(sample, found)
        stem = "/".join(filter(None, (folder, sample.id.rpartition("/")[2].rpartition(".")[0])))
        for beside in format.beside(sample, view, stem):
            assert inside(copy_name(beside.stem, beside.ending, 0)), "a file beside lies in OUTPUT"
            if beside.kind.partition(".")[0] == format.name:
                format.label_file(made, sample, small, beside.kind).encode()
    for name, texts in format.write(rows, found):
        assert inside(name), "a label file lies in OUTPUT"
        "".join(texts).encode()


def flaws(found: Iterable[Flaw]) -> None:
    for flaw in found:
        assert _CODE.fullmatch(flaw.code), flaw.code
        f"{flaw.source} {flaw.message}".encode()
        assert len(flaw.source) + len(flaw.message) < _LONGEST, f"a message of {len(flaw.message)} characters"


def inside(name: str) -> bool:
    name.encode()
    return Folder.inside(name)


def decoded(found: images.Decoded) -> None:
    picture = found.picture
    pixels, alpha = picture.pixels, picture.alpha
    assert pixels.dtype in (np.uint8, np.uint16) and pixels.flags.c_contiguous
    assert pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[2] == 3)
    assert min(picture.width, picture.height) > 0
    assert alpha is None or (alpha.dtype == pixels.dtype and alpha.shape == pixels.shape[:2])
    assert 1 <= found.orientation <= 8 and all(map(_CODE.fullmatch, found.notes))


def mask(found: Mask) -> None:
    values = found.values
    assert values.dtype in (np.uint8, np.uint16) and values.ndim in (2, 3) and values.size
    assert found.palette is None or len(found.palette) % 3 == 0


def refused(error: ImageError) -> None:
    assert _CODE.fullmatch(error.code), error.code
    error.message.encode()
    assert 0 < len(error.message) < _LONGEST and error.stage in ("read", "decode", "labels")
