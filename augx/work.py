"""One shard in a worker: decode once, then each copy through the transforms, the encoder and into place."""

from __future__ import annotations

import errno
import hashlib
import os
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TypeVar

import cv2
import numpy as np

from augx import formats, geometry, images, labels, objects, plan, versions
from augx.artefact import Place
from augx.errors import ImageError, Refused, Stopped
from augx.journal import Entry, dump, write_segment
from augx.model import Applied, Dataset, Dropped, Job, Json, Limits, Mask, Object, Picture, Sample, Shard, Step
from augx.naming import READABLE, copy_name
from augx.partners import Chosen, Folders, Neighbours
from augx.recipe import Recipe
from augx.remote import mirror
from augx.seeds import Rng
from augx.store import OWN, Folder, Tar, Unfit
from augx.timing import timing
from augx.transforms.catalog import TRANSFORMS
from augx.transforms.own import base as own
from augx.transforms.pipeline import Partners, Pipeline
from augx.transforms.sampling import Drafts

_R = TypeVar("_R")
_NO_FOLDERS = Folders()
_NOTHING = Picture(np.zeros((1, 1, 3), np.uint8))
_ATTEMPTS = 6  # the first, and five more
NO_MEMORY = "there was not enough memory for this picture; raise --memory-limit, or give fewer --workers"


@dataclass(frozen=True, slots=True)
class Orders:
    """What a worker has to know for the whole run; `recipe` in its canonical form, `dataset` without its samples
    (`fitting.without_samples`).

    `untouched`: images go over byte for byte, whatever they are (`augx convert`). `lost`: format -> the kinds of label
    that its label files leave out. `bases`: as a Plan's. `fsync`: as a Folder's. `alone`: nobody else is at work, and
    what there was not enough memory for fails. `trial`: nothing is written; it shows which job is a worker's death.
    `own`, `tmp`: as a Folder's. `profile`: the answers say where the time went. `versions`: the deciding ones, where a
    worker may have others than who planned; {}: it has not.
    """

    output: str
    recipe: Json
    bases: tuple[str, ...]
    dataset: Dataset
    untouched: bool = False
    lost: Mapping[str, frozenset[str]] = field(default_factory=dict)
    folders: Folders = field(default_factory=Folders)
    fsync: str = "off"
    own: str = OWN
    tmp: str = ""
    alone: bool = False
    trial: bool = False
    profile: bool = False
    versions: Mapping[str, str] = field(default_factory=dict)

    def folder(self) -> Folder:
        return Folder(self.output, self.fsync, self.own, self.tmp)


def start(orders: Orders) -> Callable[[Shard, Callable[[], None]], dict[str, Json]]:
    """Makes this process ready and returns the function that works off a shard, and says that it gets on."""
    cv2.setNumThreads(0)  # the workers are the parallelism
    orders = replace(orders, output=mirror.moved(orders.output, orders.tmp))
    if orders.versions and (refused := _unfit(orders)):
        said, hint = refused
        return lambda shard, alive: {"stopped": f"{socket.gethostname()} {said}", "hint": hint}
    return Worker(orders)


def _unfit(orders: Orders) -> tuple[str, str] | None:
    """Why this machine cannot work for a run that was planned on another, and the way out."""
    for place in (orders.dataset.root, orders.folder().path(orders.tmp)):
        if not os.path.exists(place) and not mirror.at(place):
            return f"does not see {place}", "INPUT and OUTPUT have to lie where all workers see them"
    here = versions.deciding("torch" in orders.versions)
    for name, planned in orders.versions.items():
        if here[name] != planned:
            said = f"has {name} {here[name]}, and the run was planned with {planned}"
            return said, "install the same versions on all machines"
    return None


class _Short(Exception):
    """There was not enough memory for an image of a tar."""


class Worker:
    """Works off shards. Answers with counts, or with `stopped` when the system refuses to take what was made.

    `short`: the places in the shard of jobs that there was not enough memory for; they are to be tried again alone.
    """

    def __init__(self, orders: Orders) -> None:
        self.orders = orders
        recipe = Recipe.from_canonical(orders.recipe)
        self.maker = Maker(recipe, orders.dataset, orders.untouched, orders.lost, orders.folders)
        self.keys = plan.Keys(orders.bases, self.maker.neighbours.content)
        self.folder = orders.folder()
        self.timing = timing() if orders.profile else None

    def __call__(self, shard: Shard, alive: Callable[[], None]) -> dict[str, Json]:
        entries, short = [], []
        try:
            mirror.prefetch(self._files(shard))
            if self.orders.trial:
                for job in shard.jobs:
                    self.work(job, alive, lambda files, mtime: None)
                return {"made": 0, "failed": 0, "short": []}
            with self.folder.batch(), self._tar(shard.tar) as tar:
                for number, job in enumerate(shard.jobs):
                    done = self.work(job, alive, tar.write if tar else self.folder.write_all, tar.seen if tar else None)
                    if not self.orders.alone and any(row["error"] == "out-of-memory" for row in done[0].failed):
                        if tar:  # it is made as a whole or not at all
                            raise _Short
                        short.append(number)
                    else:
                        entries.append(done)
            if tar and tar.size:
                for entry, copies, _ in entries:
                    entry.tar = (tar.size, tar.sha256) if copies else None
            write_segment(self.folder, shard.name, entries)
        except _Short:
            entries, short = [], list(range(len(shard.jobs)))
        except Stopped as stopped:
            return {"stopped": mirror.named(stopped.message), "hint": stopped.hint}
        made = sum(len(copies) for _, copies, _ in entries)
        answer = {"made": made, "failed": sum(len(entry.failed) for entry, _, _ in entries), "short": short}
        return answer | {"profile": self.timing.take()} if self.timing else answer

    def _files(self, shard: Shard) -> Iterator[str]:
        """What will be read."""
        for job in shard.jobs:
            for sample in (job.sample, *(one for pool in job.pools.values() for one in pool)):
                for source in plan.sources(self.orders.dataset.root, sample):
                    yield source.path

    def _tar(self, name: str) -> AbstractContextManager[Tar | None]:
        return self.folder.tar(name) if name else nullcontext()

    def work(
        self,
        job: Job,
        alive: Callable[[], None],
        write: Callable[[Mapping[str, bytes], int], int | None],
        seen: Callable[[int], None] | None = None,
    ) -> tuple[Entry, list[int], list[bytes]]:
        """All copies of one source. What cannot be made is in the entry's `failed`.

        `write`: takes the content of files by name, and their date, and says where in a tar the first of them lies.
        `seen`: is told the source's date.
        """
        source = job.sample.id
        beside = tuple((one.stem, one.ending) for one in job.beside)
        entry = Entry(source, job.stem, job.ending, "", "", 0, beside=beside)
        made: list[int] = []
        rows: list[bytes] = []
        mtime = 0

        def fail(copy: int, error: ImageError) -> None:
            entry.failed.append(failure(job.sample.source, copy, error))

        try:
            files, mtime = read_sources(self.orders.dataset.root, job.sample, self.maker.recipe.limits)
            if seen:
                seen(mtime)
            sums = [digest(data) for data in files]
            entry.sha256, entry.size = plan.content(sums), sum(map(len, files))
            opened = (self.maker.neighbours.opened if job.pools else self.maker.open)(job.sample, files)
        except ImageError as error:
            if error.stage != "read":  # what cannot be read now is tried again as soon as it can be
                entry.sha256 = entry.sha256 or self.maker.neighbours.content(job.sample)
            for copy in job.copies:
                fail(copy, error)
        entry.key = self.keys(job, entry.sha256, job.pools)
        if entry.failed:
            return entry, made, rows
        entry.notes = opened.notes
        there, lower = iter(sorted(job.known.items())), dict[str, int]()
        other = next(there, None)
        for copy in job.copies:
            alive()
            while other and other[0] < copy:
                if other[0]:
                    lower.setdefault(other[1], other[0])
                other = next(there, None)
            try:
                row, written = self.maker.make(job, copy, opened, lower)
                offset = write(written, mtime)
            except ImageError as error:
                fail(copy, error)
                continue
            except Stopped as stopped:
                if getattr(stopped.__cause__, "errno", None) != errno.ENAMETOOLONG:
                    raise
                fail(copy, ImageError("name-too-long", stopped.message, "write"))  # the others can be made
                continue
            told = {"source_sha256": sums[0], "source_bytes": entry.size, "key": entry.key, "notes": list(entry.notes)}
            if job.sample.added:
                told["added"] = source
            if len(sums) > 1:
                told["content_sha256"] = entry.sha256  # of the image and its masks
            if offset is not None:
                told["offset"] = offset
            if copy:
                lower.setdefault(row["sha256"], copy)
            rows.append(dump(row | told))
            made.append(copy)
        return entry, made, rows


@dataclass(frozen=True, slots=True)
class Opened:
    """A source as it was decoded: its picture with labels in its pixels, and the bytes of its files, image first.

    `drafts`: have the pixels, for which those of the `sketch` only stand in; None: they are there.
    `dropped`: objects that no picture can show, such as empty boxes.
    """

    sketch: Picture
    decoded: images.Decoded
    files: Sequence[bytes]
    notes: tuple[str, ...]
    dropped: tuple[Dropped, ...] = ()
    drafts: Drafts | None = None

    @property
    def picture(self) -> Picture:
        return self.sketch if self.drafts is None else replace(self.sketch, pixels=self.drafts.whole.planes[0])


def of_no_file(picture: Picture) -> Opened:
    return Opened(picture, images.Decoded(picture, "", 1), (), ())


class Maker:
    """Makes the copies of a source: a pure function of recipe, dataset, source and copy."""

    def __init__(
        self,
        recipe: Recipe,
        dataset: Dataset,
        untouched: bool = False,
        lost: Mapping[str, frozenset[str]] = MappingProxyType({}),
        folders: Folders = _NO_FOLDERS,
    ) -> None:
        """`dataset`: without its samples (`fitting.without_samples`). `lost`: as `fitting.lost_by` says."""
        self.lost, self.folders = lost, folders
        self.recipe = recipe
        self.dataset = dataset
        self.untouched = untouched
        self._targets: dict[str, tuple[formats.Format, Dataset, frozenset[str]]] = {}
        swaps = {name: pose.swap for name, pose in dataset.poses.items() if pose.swap is not None}
        self.pipelines = [
            Pipeline(_placed(one.changing(), folders.models), recipe.labels, swaps, dataset.ignore, recipe.fuse)
            for one in recipe.variants()
        ]
        limits = recipe.limits
        self.neighbours = Neighbours(
            self.open,
            lambda sample: read_sources(dataset.root, sample, limits)[0],
            lambda sample: plan.sources(dataset.root, sample, limits.bytes),
        )
        self.rng = Rng()

    def open(self, sample: Sample, files: Sequence[bytes]) -> Opened:
        """Decodes a source's files (`plan.files`) and puts its labels into pixels. Raises ImageError."""
        if sample.added:  # each copy has a picture of its own
            return of_no_file(_NOTHING)
        decoded = _guarded("decode", lambda: images.decode(files[0], self.recipe.limits, self._drafted))
        return _guarded("labels", lambda: self._labelled(sample, decoded, files))

    def _drafted(self, width: int, height: int) -> int:
        """The level of a draft that is enough for all copies of a JPEG of this size, with whichever override."""
        return min(pipeline.drafted(width, height, images.SMALLEST) for pipeline in self.pipelines)

    def _labelled(self, sample: Sample, decoded: images.Decoded, files: Sequence[bytes]) -> Opened:
        picture, known = decoded.picture, sample.annotations
        options, orientation = self.recipe.labels, decoded.orientation
        masks = {
            name: _mask(name, data, picture, orientation if options.pixels == "stored" else 1, self.recipe.limits)
            for name, data in zip(plan.files(sample)[1:], files[1:], strict=True)
        }
        ending = os.path.splitext(sample.id)[1].lower()
        notes: tuple[str, ...] = () if READABLE.get(ending, decoded.format) == decoded.format else ("ending-differs",)
        if known.segments is not None:
            known, more = labels.resolve(known, _numbers(masks[known.segments]))
            notes += more
        known, repaired, dropped = labels.fit(known, picture.width, picture.height, orientation, options)
        picture = replace(
            picture,
            annotations=known,
            mask=masks.get(known.mask or ""),
            instances=masks.get(known.instances or ""),
        )
        draft = decoded.draft
        drafts = Drafts(picture.pixels, draft.level, draft.small, draft.whole) if draft else None
        return Opened(picture, decoded, files, tuple(sorted({*decoded.notes, *notes, *repaired})), dropped, drafts)

    def make(
        self, job: Job, copy: int, opened: Opened, lower: Mapping[str, int] = MappingProxyType({})
    ) -> tuple[dict[str, Json], dict[str, bytes]]:
        """The manifest row of one copy, and its files: name -> content, the image first. Raises ImageError.

        `lower`: SHA-256 of the images of lower copies -> their number. A copy that equals one of them or its source, or
        that the recipe rejects, is drawn again, at most five times; then an equal one stays, a rejected one fails.
        """
        partners = Chosen(self.neighbours, job.pools, self.folders, self.recipe.limits)
        first: list[Applied] = []
        if job.sample.added:
            picture, told = self.added(job.sample, copy)
            opened, first = replace(opened, sketch=picture), [told]
        for attempt in range(_ATTEMPTS if copy and self.pipelines[job.variant].draws else 1):
            made = self.augmented(opened, job.sample.id, copy, job.variant, partners, attempt)
            fault = self.rejected(made[0], made[2]) if copy else ""
            equal = 0 if copy and not first and _same_picture(made[0], opened) else None
            if fault or equal is not None:
                continue
            image = self.image(opened, copy, made[0], job.ending)
            sha256 = digest(image)
            equal = lower.get(sha256)
            if equal is None:
                break
        if fault:
            raise ImageError("rejected", f"{fault}, {attempt + 1} times over", "transform")
        if equal == 0:
            image = self.image(opened, copy, made[0], job.ending)
            sha256 = digest(image)
        picture, applied, lost = made
        row, written = self.files(job, copy, opened, image, picture, [*first, *applied], opened.dropped + lost)
        return row | {"sha256": sha256, "redrawn": attempt, "equals": equal}, written

    def added(self, sample: Sample, copy: int) -> tuple[Picture, Applied]:
        """A picture that no file holds, with its labels, and how it was drawn. Raises ImageError."""
        assert sample.added is not None
        step, rng = sample.added.step, self.rng.at(self.recipe.seed, sample.id, copy, sample.added.step.name)
        model = self.folders.models.get(step.args["model"], Place(sample.added.model))
        label = str(sample.annotations.label)
        made = _guarded("transform", lambda: own.make(step.name, {**step.args, "model": model}).make(label, rng))
        return replace(made[0], annotations=sample.annotations), made[1]

    def image(self, opened: Opened, copy: int, picture: Picture, ending: str) -> bytes:
        verbatim = copy == 0 and self.verbatim(opened.decoded, ending)
        if verbatim:
            return opened.files[0]
        return self.encoded(picture if copy else _guarded("decode", lambda: opened.picture), ending)

    def files(
        self,
        job: Job,
        copy: int,
        opened: Opened,
        image: bytes,
        picture: Picture,
        applied: Sequence[Applied],
        dropped: Sequence[Dropped],
    ) -> tuple[dict[str, Json], dict[str, bytes]]:
        """The row of an encoded copy, and its files."""
        name = copy_name(job.stem, job.ending, copy)
        beside = {one.kind: copy_name(one.stem, one.ending, copy) for one in job.beside}
        row = manifest_row(job, copy, name, picture, applied, dropped, image)
        row |= {"mask": beside.get("mask"), "instances": beside.get("instances")}
        written = {name: image}
        verbatim = copy == 0 and self.verbatim(opened.decoded, job.ending)
        for kind, path in beside.items():
            mask = {"mask": picture.mask, "instances": picture.instances}.get(kind)
            if mask is not None:
                written[path] = self._encoded_mask(mask, job.sample, kind, opened, verbatim)
            else:
                target, known, lost = self._target(kind.partition(".")[0])
                shown = objects.row_without(row, lost)
                written[path] = target.label_file(shown, job.sample, known, kind).encode()
        row["files"] = {path: digest(written[path]) for path in beside.values()}
        return row, written

    def _target(self, name: str) -> tuple[formats.Format, Dataset, frozenset[str]]:
        """A format, the dataset as it asks for it, and the kinds of label that it leaves out."""
        if name not in self._targets:
            known = replace(self.dataset, details=self.dataset.details[name])
            self._targets[name] = formats.load(name), known, self.lost.get(name, frozenset())
        return self._targets[name]

    def augmented(
        self, opened: Opened, source: str, copy: int, variant: int, partners: Partners, attempt: int
    ) -> tuple[Picture, list[Applied], tuple[Dropped, ...]]:
        """Copy number `copy` of a source, what was applied, and the objects it has lost. Raises ImageError.

        Number 0 is its sketch.
        """
        picture = opened.sketch
        if not copy:
            return picture, [], ()
        seed, again = self.recipe.seed, f"again {attempt}: " if attempt else ""

        def at(step: str) -> Rng:
            return self.rng.at(seed, source, copy, again + step)

        pipeline = self.pipelines[variant]
        made, applied, lost = _guarded("transform", lambda: pipeline(picture, at, partners, opened.drafts))
        if self.recipe.labels.hard and made.annotations.labels != picture.annotations.labels:
            made = replace(made, annotations=replace(made.annotations, labels=picture.annotations.labels))
        return made, applied, lost

    def rejected(self, picture: Picture, lost: Sequence[Dropped]) -> str:
        """Why the recipe does not want a copy; "" if it does. `lost`: the objects it has lost, its partners' too."""
        options = self.recipe.reject
        if options.flat and not np.ptp(picture.pixels.reshape(picture.width * picture.height, -1), axis=0).any():
            return "the copy is of one colour"
        had = len(picture.annotations.objects) + len(lost)
        if options.lost_objects is not None and len(lost) > options.lost_objects * had:
            return f"the copy has lost {len(lost)} of {had} objects"
        return ""

    def encoded(self, picture: Picture, ending: str) -> bytes:
        return _guarded("encode", lambda: images.encode(picture, ending, self.recipe.image))

    def _encoded_mask(self, mask: Mask, sample: Sample, kind: str, opened: Opened, verbatim: bool) -> bytes:
        source = sample.annotations.mask if kind == "mask" else sample.annotations.instances
        data = opened.files[plan.files(sample).index(str(source))]
        if verbatim and opened.decoded.orientation == 1 and data.startswith(b"\x89PNG"):
            return data
        return images.encode_mask(mask, self.recipe.image.png_level)

    def verbatim(self, decoded: images.Decoded, ending: str) -> bool:
        """Whether the source's bytes are already what would be written for the original."""
        if self.untouched:
            return True
        options, picture = self.recipe.image, decoded.picture
        changed = (options.bits == "8" and picture.pixels.itemsize > 1) or (
            options.alpha == "drop" and picture.alpha is not None
        )
        return decoded.orientation == 1 and not changed and images.same_format(decoded, ending)


def manifest_row(
    job: Job,
    copy: int,
    name: str,
    picture: Picture,
    applied: Sequence[Applied],
    dropped: Sequence[Dropped],
    encoded: bytes,
) -> dict[str, Json]:
    known = picture.annotations
    width, height = picture.width, picture.height
    things = labels.boxed(known).objects if known.objects else ()
    areas = list(map(_area, things, geometry.coco_areas(things, width, height)))
    return {
        "file_name": name,
        "source": job.sample.source,
        "copy": copy,
        "partners": list(dict.fromkeys(name for one in applied for name in one.params.get("partners", ()))),
        "split": job.sample.split,
        "override": job.variant or None,
        "width": width,
        "height": height,
        "label": known.label,
        "labels": dict(known.labels),
        "objects": objects.to_rows(things, areas),
        "dropped": [objects.dropped_row(one) for one in dropped],
        "captions": list(known.captions),
        "values": dict(known.values),
        "transforms": [{"name": one.name, "params": dict(one.params)} for one in applied],
        "bytes": len(encoded),
    }


def _same_picture(one: Picture, source: Opened) -> bool:
    """Whether the pixels are the same. Most that differ do so in the few that are looked at first."""
    here, there = one.pixels, source.sketch.pixels
    if here.shape != there.shape or here.dtype != there.dtype:
        return False
    there = source.picture.pixels
    if here is there:
        return True
    return here[::31, ::29].tobytes() == there[::31, ::29].tobytes() and np.array_equal(here, there)


def _mask(name: str, data: bytes, picture: Picture, orientation: int, limits: Limits) -> Mask:
    """A mask file, upright, of the picture's size."""
    try:
        mask = images.decode_mask(data, limits)
    except ImageError as error:
        raise ImageError(error.code, f"{name}: {error.message}", "labels") from error
    mask = replace(mask, values=images.turned(mask.values, orientation))
    height, width = mask.values.shape[:2]
    if (width, height) != (picture.width, picture.height):
        message = f"{name} is {width}x{height}, its image {picture.width}x{picture.height}"
        raise ImageError("mask-size", message, "labels")
    return mask


def _numbers(mask: Mask) -> geometry.Plane:
    """The numbers that colours stand for in COCO's panoptic masks: R + 256 G + 65536 B."""
    values = mask.values.astype("uint32")
    return values if values.ndim == 2 else values[..., 0] + 256 * values[..., 1] + 65536 * values[..., 2]


def _area(thing: Object, area: float | None) -> float | None:
    """As COCO counts it; a polygon too small for a pixel has its own."""
    return sum(map(geometry.ring_area, thing.rings)) if area == 0 and thing.rings else area


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _placed(steps: Sequence[Step], models: Mapping[str, Place]) -> tuple[Step, ...]:
    """Steps whose models are where they were found, not as the recipe names them."""

    def one(step: Step) -> Step:
        args = dict(step.args)
        if TRANSFORMS[step.name].learned:
            args["model"] = models.get(step.args["model"], Place(step.args["model"]))
        return replace(step, args=args, steps=_placed(step.steps, models))

    return tuple(map(one, steps))


def failure(source: str, copy: int, error: ImageError) -> dict[str, Json]:
    """A row of failures.jsonl."""
    return {"source": source, "copy": copy, "stage": error.stage, "error": error.code, "message": error.message}


def read_sources(root: str, sample: Sample, limits: Limits) -> tuple[list[bytes], int]:
    """The content of a sample's files, the image first, and the youngest of their modification times."""
    files: list[bytes] = []
    youngest = 0
    for name, source in zip(plan.files(sample), plan.sources(root, sample, limits.bytes), strict=True):
        lost = "the file" if name == sample.id else f"its mask {name}"
        try:
            data, mtime = source.read(None if sample.added else lambda head, size: images.glance(head, size, limits))
            files.append(data)
            youngest = max(youngest, mtime)
        except FileNotFoundError as error:
            raise ImageError("missing-file", f"{lost} is not there any more", "read") from error
        except Unfit as error:
            raise ImageError(error.code, f"{lost} is not read: {error.strerror}", "read") from error
        except OSError as error:
            raise ImageError("unreadable", f"{lost} cannot be read: {error.strerror or error}", "read") from error
        except MemoryError as error:
            raise ImageError("out-of-memory", NO_MEMORY, "read") from error
        except ImageError as error:
            if name == sample.id:
                raise
            raise ImageError(error.code, f"{name}: {error.message}", "labels") from error
    return files, youngest


def _guarded(stage: str, make: Callable[[], _R]) -> _R:
    """Whatever one picture makes a codec or a transform raise, it is that picture's failure."""
    try:
        return make()
    except ImageError as error:
        error.stage = stage
        raise
    except (Refused, Stopped):  # a replay that cannot find what its row names; a system that opens no more files
        raise
    except MemoryError as error:
        raise ImageError("out-of-memory", NO_MEMORY, stage) from error
    except Exception as error:
        if isinstance(error, cv2.error) and ("Insufficient memory" in str(error) or "bad_alloc" in str(error)):
            raise ImageError("out-of-memory", NO_MEMORY, stage) from error
        raise ImageError("internal-error", f"{type(error).__name__}: {error}", stage) from error
