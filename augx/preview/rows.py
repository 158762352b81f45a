"""The rows of a sheet. Copies are made by the worker's own `Maker`, from the orders that a run would give: what is
shown as copy 3 is copy 3 of the run, decoded from the very bytes that it would write."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

import cv2
import numpy as np

from augx import images, labels
from augx.drawing.colours import Palette
from augx.drawing.overlay import Look, mask_classes, tile
from augx.drawing.sheet import Row, Tile
from augx.errors import ImageError
from augx.model import Annotations, Applied, Dropped, Job, Json, Picture, Step
from augx.objects import from_row
from augx.partners import Chosen
from augx.preview import words
from augx.preview.tasks import Alive, Answer, Orders, Task
from augx.recipe import Recipe
from augx.work import Maker, Opened, read_sources

_DRAWS = 4  # of a transform that has no ranges to show the ends of


class Rows:
    """Answers tasks, in a worker or at once."""

    def __init__(self, orders: Orders) -> None:
        cv2.setNumThreads(0)  # as in the workers of a run
        self.orders, self.failed = orders, 0
        self.recipe = Recipe.from_canonical(orders.recipe)
        self.maker = self._maker(self.recipe)
        dataset = orders.dataset
        palette, filled = Palette(dataset.classes, orders.first), self.recipe.labels.ignore or 0
        void = filled if dataset.ignore is None and filled >= max(len(dataset.classes), 1) else dataset.ignore
        self.look = Look(palette, dataset.classes, dataset.poses, void)

    def __call__(self, task: Task, alive: Alive) -> Answer:
        self.failed, self.alive, job = 0, alive, task.job
        self.look.colours.used.clear()
        title = words.of_source(job.sample, job.copies, task.rule)
        if task.show == "extremes":
            found = tuple(self._extremes(job))
        else:
            tiles = self._row(job, self._steps if task.show == "step" else self._copies)
            found = (Row(title, tiles, words.of_captions(job.sample.annotations.captions)),)
        return Answer(found, dict(self.look.colours.used), self.failed)

    def mask_classes(self, job: Job) -> set[str]:
        """The classes in the mask of a job's source."""
        try:
            return mask_classes(self._opened(job).picture, self.look)
        except ImageError:
            return set()

    def _row(self, job: Job, others: Callable[[Job, Opened], Iterator[Tile]]) -> tuple[Tile, ...]:
        """The source, and what else is to be shown of it."""
        try:
            opened = self._opened(job)
        except ImageError as error:
            return (self._failed("source", error),)
        source = replace(opened.picture, annotations=labels.boxed(opened.picture.annotations))
        self.white = int(source.pixels.max()) or 1
        return (self._tile("source", source, "", job), *others(job, opened))

    def _extremes(self, job: Job) -> Iterator[Row]:
        """For each transform of the recipe the source, and what both ends of each of its ranges make of it."""

        def of(step: Step, inside: Sequence[Step]) -> Callable[[Job, Opened], Iterator[Tile]]:
            return lambda job, opened: self._ends(step, inside, job, opened)

        for step, inside in _paths(self._steps_of(job)):
            yield Row(f"{words.of_step(step)} · {job.sample.id}", self._row(job, of(step, inside)))

    def _copies(self, job: Job, opened: Opened) -> Iterator[Tile]:
        lower: dict[str, int] = {}
        for copy in filter(None, job.copies):
            self.alive()
            try:
                row, written = self.maker.make(job, copy, opened, lower)
                lower.setdefault(row["sha256"], copy)
                picture = _read(row, written, opened.picture.annotations)
                yield self._tile(f"copy {copy}", picture, words.of_row(row, opened.picture.annotations), job)
            except ImageError as error:
                yield self._failed(f"copy {copy}", error)

    def _steps(self, job: Job, opened: Opened) -> Iterator[Tile]:
        """The first copy after each step."""
        copy = next(filter(None, job.copies), 1)
        try:
            attempt = self.maker.make(job, copy, opened)[0]["redrawn"]
        except ImageError:
            attempt = 0
        steps, before, gone = self._steps_of(job), 0, 0
        for number, step in enumerate(steps, 1):
            caption = f"{number}. {step.name}"
            try:
                picture, applied, lost = self._made(job, opened, steps[:number], copy, attempt)
            except ImageError as error:
                yield self._failed(caption, error)
                return
            drawn = applied[before:]
            says = words.of_applied(drawn, step.name, len(lost) - gone) if drawn else "not drawn for this copy"
            yield self._tile(caption, picture, says, job, faded=not drawn)
            before, gone = len(applied), len(lost)

    def _ends(self, step: Step, inside: Sequence[Step], job: Job, opened: Opened) -> Iterator[Tile]:
        from augx.transforms.ends import ends

        shown = [(f"{end.argument} = {words.number(end.value)}", end.step, 1) for end in ends(step)]
        ranges = bool(shown)
        if not ranges:
            shown = [(f"draw {copy}", replace(step, p=1.0), copy) for copy in range(1, _DRAWS + 1)]
        seen: list[Picture] = []
        for caption, one, copy in shown:
            for group in reversed(inside):
                one = replace(group, steps=(one,), p=1.0)
            try:
                picture, applied, lost = self._made(job, opened, (one,), copy, 0)
            except ImageError as error:
                yield self._failed(caption, error)
                continue
            if not ranges and any(np.array_equal(picture.pixels, other.pixels) for other in seen):
                continue
            seen.append(picture)
            same = np.array_equal(picture.pixels, opened.picture.pixels)
            says = "changes nothing here" if same else words.of_applied([] if ranges else applied, step.name, len(lost))
            yield self._tile(caption, picture, says, job)

    def _made(
        self, job: Job, opened: Opened, steps: Sequence[Step], copy: int, attempt: int
    ) -> tuple[Picture, list[Applied], tuple[Dropped, ...]]:
        """What these steps alone make of a source."""
        self.alive()
        maker = self._maker(replace(self.recipe, steps=tuple(steps), overrides=()))
        partners = Chosen(self.maker.neighbours, job.pools, self.orders.folders, self.recipe.limits)
        picture, applied, lost = maker.augmented(opened, job.sample.id, copy, 0, partners, attempt)
        return replace(picture, annotations=labels.boxed(picture.annotations)), applied, lost

    def _maker(self, recipe: Recipe) -> Maker:
        return Maker(recipe, self.orders.dataset, False, self.orders.lost, self.orders.folders)

    def _opened(self, job: Job) -> Opened:
        files, _ = read_sources(self.orders.dataset.root, job.sample, self.recipe.limits)
        return self.maker.neighbours.opened(job.sample, files)

    def _steps_of(self, job: Job) -> tuple[Step, ...]:
        return self.recipe.variants()[job.variant].steps

    def _tile(self, caption: str, picture: Picture, says: str, job: Job, faded: bool = False) -> Tile:
        white = self.white if picture.pixels.dtype == np.uint16 and self.white > 255 else 255
        pixels = tile(picture, self.look if self.orders.labels else None, self.orders.cell, white, self.orders.zoom)
        if faded:
            pixels = (pixels // 3 + 170).astype(np.uint8)
        things = Counter(thing.label or "object" for thing in picture.annotations.objects)
        seen = [f"{count} {name}" for name, count in sorted(things.items())] or list(picture.annotations.labels)
        alt = f"{caption} of {job.sample.id}" + (f": {', '.join(seen)}" if seen else "") + (f"; {says}" if says else "")
        return Tile(caption, pixels, says, alt)

    def _failed(self, caption: str, error: ImageError) -> Tile:
        self.failed += 1
        return Tile(caption, None, f"{error.code}: {error.message}")


def _read(row: Mapping[str, Json], written: Mapping[str, bytes], source: Annotations) -> Picture:
    """A copy as whoever reads OUTPUT would see it. `source`: the annotations it comes from."""
    picture = images.decode(written[row["file_name"]], None).picture
    mask, instances = (
        images.decode_mask(written[row[kind]], None) if row[kind] else None for kind in ("mask", "instances")
    )
    known = replace(source, objects=tuple(map(from_row, row["objects"])), labels=row["labels"])
    return replace(picture, annotations=known, mask=mask, instances=instances)


def _paths(steps: Sequence[Step], inside: tuple[Step, ...] = ()) -> Iterator[tuple[Step, tuple[Step, ...]]]:
    """Every transform, with the `inside` groups that it is in: what it does is not seen without them."""
    for step in steps:
        if step.steps:
            yield from _paths(step.steps, (*inside, step) if step.name == "inside" else inside)
        else:
            yield step, inside
