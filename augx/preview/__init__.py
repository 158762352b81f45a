"""A contact sheet of what a run would make: sources beside their copies, with labels drawn. Writes that one file."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterable
from concurrent.futures import Future, wait
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from threading import Thread

from augx import bundled, engine, fitting, formats, images, recipe, spare
from augx.drawing import sheet as drawing
from augx.drawing.page import page
from augx.drawing.sheet import Legend, Row
from augx.engine import Request
from augx.errors import ImageError, Refused, Stopped
from augx.executors import local
from augx.executors.base import Lost, StartError
from augx.model import ImageOptions, Job, Picture
from augx.partners import Folders
from augx.plan import Plan
from augx.preview import sources
from augx.preview.tasks import Answer, Orders, Task, start
from augx.remote import mirror
from augx.store import write_file

SHOWN = ("copies", "step", "extremes")
CELLS = 40, 1000  # pixels of a picture, least and most
ENDINGS = (".png", ".webp", ".jpg", ".jpeg", ".html", ".htm")
_PAGES = (".html", ".htm")
_FINER = 2  # pixels of a page's pictures for one on the screen, which may be fine, or zoomed in
_COPIES, _COLUMNS = 5, 8  # copies that are shown unless asked for; tiles beside a source
_SOURCES, _CLASSES = 4, 20  # rows that are shown unless asked for
_MOST = 600  # pictures
_PIXELS = 100_000_000  # of them all
_HEARKEN = 0.2  # seconds between looks for signals
_HEAVY = ("augx.preview.rows",)


@dataclass(frozen=True, slots=True)
class Asked:
    """What to show. `show`: one of SHOWN. `only`: names or patterns of sources. `sample`: how many
    sources, or with `per_class` classes; None: as many as a screen holds. `cell`: pixels a picture is wide and high at
    most. `page`: finer pictures, for a page."""

    request: Request
    show: str = "copies"
    only: tuple[str, ...] = ()
    sample: int | None = None
    per_class: bool = False
    cell: int = 200
    labels: bool = True
    page: bool = False


@dataclass(frozen=True, slots=True, repr=False)
class Sheet:
    """`title`, `told`: what is on it, in words. `failed`: tiles that say why they show nothing. `notes`: what a person
    should know. `input`, `read`: the dataset, and files that were read besides, which none is written over."""

    rows: tuple[Row, ...]
    legend: Legend
    title: str
    told: str
    cell: int
    failed: int
    notes: tuple[str, ...] = ()
    input: str = ""
    read: tuple[str, ...] = ()

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes a .png, .webp, .jpg or .html. Refused where that would become a part of the dataset, or of an
        OUTPUT."""
        place = os.fspath(path)
        check_place(place, self.input, self.read)
        ending = os.path.splitext(place)[1].lower()
        write_file(place, self.html() if ending in _PAGES else self.image(ending))

    def __repr__(self) -> str:
        return f"Sheet({self.title!r}): {self.told}"

    def _repr_png_(self) -> bytes:
        return self.image(".png")

    def html(self) -> bytes:
        return page(self.rows, self.legend, self.title, self.told, self.cell).encode()

    def image(self, ending: str) -> bytes:
        """Refused where the format holds no picture of this size."""
        pixels = drawing.sheet(self.rows, self.legend, _COLUMNS)
        options = ImageOptions(png_level=6, quality=88, subsampling="4:4:4")
        try:
            return _interruptibly(lambda: images.encode(Picture(pixels), ending, options))
        except ImageError as error:
            raise Refused(f"the sheet is too large: {error.message}", "write a .html, or show fewer sources") from error


def _interruptibly(work: Callable[[], bytes]) -> bytes:
    """What long work comes to, done in a thread: a codec may take a minute, and keeps signals waiting."""
    done: Future[bytes] = Future()

    def run() -> None:
        try:
            done.set_result(work())
        except BaseException as error:
            done.set_exception(error)

    Thread(target=run, daemon=True).start()
    while not wait([done], _HEARKEN).done:
        pass
    return done.result()


def make(asked: Asked) -> Sheet:
    """Reads the labels, and of the pictures those that are shown or mixed in."""
    workers = asked.request.workers
    if workers:
        local.warm(_HEAVY)
    plan = _plan(asked.request)
    if plan.recipe.name not in bundled.texts():  # which are known to be right, and that takes half a second
        recipe.check_transforms(plan.recipe)
    orders = _orders(asked, plan)
    tasks, notes = _tasks(asked, plan, orders)
    orders = replace(orders, first=_classes(task.job for task in tasks))
    answers = _answers(orders, tasks, min(workers, len(tasks)))
    rows = tuple(row for answer in answers for row in answer.rows)
    _check_pixels(sum(tile.pixels.size // 3 for row in rows for tile in row.tiles if tile.pixels is not None))
    order = {name: number for number, name in enumerate(plan.dataset.classes)}
    used = {name: colour for answer in answers for name, colour in answer.used.items()}
    legend = {name: used[name] for name in sorted(used, key=lambda name: (order.get(name, len(order)), _natural(name)))}
    title = f"{os.path.basename(os.path.abspath(asked.request.input))}, recipe {plan.recipe.name}"
    pictures = sum(len(row.tiles) for row in rows)
    told = f"{_counted(len(tasks), 'source')} of {len(plan.jobs):,}, {_counted(pictures, 'picture')}"
    failed = sum(answer.failed for answer in answers)
    input, read = asked.request.input, (plan.recipe.name, asked.request.read.labels, asked.request.read.table)
    return Sheet(rows, legend, title, told, asked.cell, failed, notes, input, tuple(filter(None, read)))


def check_place(path: str, input: str, others: Iterable[str | None] = ()) -> None:
    """Refused where the sheet cannot be written, or would become a part of INPUT or of an OUTPUT, or one of `others`,
    which are read besides."""
    spare.check_place(path, "sheet.png", "a sheet", ENDINGS)
    for other in filter(None, others):
        if spare.same(path, other):
            raise Refused(f"{path} is {other}, which is read", "write it elsewhere")
    source = os.path.realpath(input)
    if os.path.commonpath([os.path.realpath(path), source]) == source:
        raise Refused(f"{path} lies in INPUT, and would be read as an image of it next time", "write it elsewhere")


def _plan(request: Request) -> Plan:
    """Made without collecting garbage: that would look at millions of labels again and again."""
    collects = gc.isenabled()
    gc.disable()
    try:
        plan = engine.read(request)[0]
        return replace(plan, jobs=tuple(job for job in plan.jobs if not job.sample.added))  # which have no source
    finally:
        if collects:
            gc.enable()


def _orders(asked: Asked, plan: Plan) -> Orders:
    dataset, mixes = plan.dataset, fitting.mixes_classes(plan.dataset, plan.recipe)
    lost = fitting.lost_by(dataset, [formats.load(name) for name in plan.formats], mixes)
    known = fitting.without_samples(dataset, plan.formats)
    folders, zoom = Folders.now(plan.recipe), _FINER if asked.page else 1
    return Orders(plan.recipe.canonical(), known, lost, folders, asked.cell, zoom, asked.labels)


def _tasks(asked: Asked, plan: Plan, orders: Orders) -> tuple[list[Task], tuple[str, ...]]:
    """What is to be made, and notes."""
    most = asked.sample or (1 if asked.show == "extremes" else _CLASSES if asked.per_class or asked.only else _SOURCES)
    found: list[tuple[str, Job]]
    if asked.only:
        found = [("", job) for job in sources.named(plan, asked.only, asked.request.input)]
    elif asked.per_class:
        found = list(sources.by_class(plan, lambda job: _mask_classes(job, orders)).items())
    else:
        found = [("", job) for job in sources.spread(plan, most)]
    if not found:
        raise Refused(f"{asked.request.input}: there is no image to show", "is INPUT the right folder?")
    notes = []
    if len(found) > most:
        what = "classes" if asked.per_class and not asked.only else "sources"
        notes.append(f"{most} of {len(found):,} {what} are shown; --sample {len(found)} shows all")
    copies = asked.request.changes.get("copies", _COPIES if asked.show == "copies" else 1)
    tasks = [
        Task(number, asked.show, replace(job, pools=plan.pools(job), copies=_first(job.copies, copies)), rule)
        for number, (rule, job) in enumerate(found[:most])
    ]
    pictures = sum(len(task.job.copies) for task in tasks)
    if pictures > _MOST:
        raise Refused(
            f"{pictures:,} pictures are too many for a sheet, which has {_MOST} at most", "lower -n or --sample"
        )
    _check_pixels((pictures + len(tasks)) * (orders.cell * orders.zoom) ** 2)
    return tasks, tuple(notes)


def _check_pixels(count: int) -> None:
    if count > _PIXELS:
        raise Refused(
            f"the sheet is too large: pictures of {count / 1e6:,.0f} megapixels, {_PIXELS / 1e6:,.0f} are the most",
            "lower --cell, -n or --sample",
        )


def _mask_classes(job: Job, orders: Orders) -> set[str]:
    from augx.preview.rows import Rows

    return Rows(orders).mask_classes(job)


def _first(copies: tuple[int, ...], most: int) -> tuple[int, ...]:
    return tuple(copy for copy in copies if copy <= most)


def _classes(jobs: Iterable[Job]) -> tuple[str, ...]:
    """Those of the objects in the sources that are shown."""
    return tuple(dict.fromkeys(thing.label for job in jobs for thing in job.sample.annotations.objects if thing.label))


def _answers(orders: Orders, tasks: list[Task], workers: int) -> list[Answer]:
    found: dict[int, Answer] = {}
    try:
        with closing(local.run(mirror.Carried(partial(start, orders)), tasks, workers, _HEAVY)) as answers:
            for task, answer in answers:
                if isinstance(answer, Lost):
                    raise Stopped(
                        f"{task.job.sample.id}: {answer.reason}", "show smaller pictures, or fewer at once: -j 1"
                    )
                found[task.number] = answer
    except StartError as error:
        raise Stopped(str(error), "-j 0 works without worker processes") from error
    return [found[number] for number in sorted(found)]


def _natural(name: str) -> tuple[int, str]:
    """Numbers as numbers, in an order with names."""
    return (int(name), "") if name.isdecimal() else (0, name)


def _counted(count: int, name: str) -> str:
    return f"{count:,} {name}" if count == 1 else f"{count:,} {name}s"
