"""The conductor: read the dataset, plan, have the shards worked off, write what the journal then says.

Order of writing, so that a kill or a power cut at any moment loses one shard at most and the same command goes on:
intent, images and segments (in the workers), stale files away, index, manifest, label files, failures, segments and
intent away, summary last. The disk is waited for before each step that relies on the one before.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from hashlib import sha256
from itertools import chain
from typing import TYPE_CHECKING, Protocol

from augx import added, fitting, formats, journal, manifest, versions
from augx import plan as planning
from augx import recipe as recipes
from augx.errors import InputError, OutputError, Refused, few
from augx.formats import Format
from augx.journal import FAILURES, SUMMARY, Journal
from augx.lock import locked
from augx.model import Dataset, Flaw, Job, Json, Limits, Sample, SplitOptions
from augx.plan import Plan
from augx.recipe import Recipe
from augx.remote import mirror
from augx.request import Request as Request
from augx.request import Share, leave, refuse_others
from augx.ring import place_of
from augx.store import OWN, Folder, hashes, pass_over
from augx.survey import Survey, survey, written_dates

if TYPE_CHECKING:
    from augx.balance import Balanced
    from augx.dispatch import Dispatch, Means

PARENT = "start, plan, manifest"
_UNSURE = "`balance` counts what each image's own source shows, not what mixes bring in from other pictures"


class Progress(Protocol):
    """Told how many images will be made, and then of each shard."""

    def begin(self, images: int, kept: int) -> None: ...
    def step(self, made: int, failed: int) -> None: ...
    def end(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """`made` and `kept`: images of this run and of earlier ones. `summary` is what summary.json says. `profile`: CPU
    seconds by part of the work, where the request asked for it.

    A share of a run has no summary. `missing`: share -> images that it has yet to make, of how many, before a `merge`
    can come to its end.
    """

    made: int
    kept: int
    failed: int
    removed: int
    summary: dict[str, Json]
    profile: Mapping[str, float] = field(default_factory=dict)
    missing: Mapping[Share, tuple[int, int]] = field(default_factory=dict)


def read(request: Request) -> tuple[Plan, list[Format]]:
    """The plan of a request and the formats to write. Reads names and labels, no pixels.

    With several formats the first says where images go; each writes its label files.
    """
    source = formats.detect(request.input, request.from_format)
    targets = [formats.load(name) for name in dict.fromkeys(request.to_formats)] or [source]
    formats.refuse_beside_tars(targets)
    dataset = source.read(request.input, request.read)
    if source.writes_beside and not source.packs:
        dataset = fitting.without_blind(dataset)
    if request.from_format is None:
        others = formats.unused(request.input, source)
        dataset = replace(dataset, warnings=(*dataset.warnings, *others))
    dataset = fitting.fit(dataset, targets, request.allow_loss)
    recipe = request.recipe or recipes.read(fitting.bundled_recipe(dataset), checked=False).replace(**request.changes)
    if recipe.split:
        dataset = _divided(dataset, recipe.split, recipe.limits)
    fitting.refuse_blind_flips(dataset, recipe)
    fitting.refuse_unknown_values(dataset, recipe)
    fitting.refuse_inventions(dataset, recipe)
    doubts = [*fitting.unmoved(dataset, recipe), *fitting.unknown_classes(dataset, recipe)]
    doubts += [*fitting.broken_backgrounds(recipe), *fitting.models_of_other_data(dataset, recipe)]
    doubts += added.doubts(recipe)
    dataset = replace(dataset, warnings=(*dataset.warnings, *doubts))
    mixes = fitting.mixes_classes(dataset, recipe)
    formats.check(targets, dataset, mixes)
    samples = tuple(replace(s, folder=targets[0].place(s, dataset)) for s in dataset.samples)
    dataset = replace(dataset, samples=samples)
    _refuse_our_names(dataset, targets)
    if request.strict:
        _refuse_warnings(dataset, recipe)
    names = tuple(target.name for target in targets)
    beside = fitting.files_beside(dataset, targets)
    header = fitting.header(dataset, targets, recipe)
    if balanced := counts(dataset, recipe):
        unsure = [Flaw("balance-mixes", "", _UNSURE)] if planning.partner_pools(recipe, False) else []
        dataset = replace(dataset, warnings=(*dataset.warnings, *balanced.flaws(), *unsure))
    taken = [*formats.RESERVED, *formats.label_files(targets, dataset)]
    size = _size_of(dataset.root) if targets[0].packs else None
    more = list(added.samples(dataset, recipe, names))
    by = versions.deciding(recipe.changes_by_models)
    plan = planning.make(dataset, recipe, names, by, beside, header, taken, balanced, size, more)
    said = {key: value for key, value in asdict(request.read).items() if value}
    return replace(plan, said=said), targets


def _size_of(root: str) -> Callable[[Sample], int]:
    """Bytes of a sample's files."""
    return lambda sample: sum(source.bytes() for source in planning.sources(root, sample))


def counts(dataset: Dataset, recipe: Recipe) -> Balanced | None:
    """What a recipe's `balance` comes to for a dataset; None where it asks for none."""
    if recipe.balance == "none" or not recipe.copies:
        return None
    from augx import balance

    multiplied = [  # an override that says how many copies goes before
        sample
        for sample in dataset.samples
        if recipe.multiplies(sample.split)
        and ((number := recipe.variant(sample)) == 0 or recipe.overrides[number - 1].copies is None)
    ]
    return balance.copies(multiplied, recipe.balance, recipe.copies, recipe.originals)


def _divided(dataset: Dataset, split: SplitOptions, limits: Limits) -> Dataset:
    """The dataset in splits, which its layout has no place for, so that it is laid out anew. With `by: likeness`
    pictures that look alike stay together, for which all are read."""
    from augx.splits import divide

    groups, by = None, split.by
    if by == "likeness":
        from augx.likeness import alike, fingerprints, group_names

        likes = alike(fingerprints(planning.pictures(dataset), limits))
        # by the picture with the lowest hash, which a newcomer seldom has
        groups, by = group_names(sorted(group, key=place_of) for group in likes), None
    divided = divide(dataset, split.val, split.test, by, split.stratify, groups)
    return replace(divided, format="", origin=dataset.format, details=None)


def check(request: Request) -> list[str]:
    """Why OUTPUT is not what `run` would make now, in words; empty when it is. Writes nothing."""
    folder = Folder(request.output)
    if not os.path.isdir(request.output):
        return [f"{request.output} is not there"]
    if not journal.owned(folder):
        raise OutputError(f"{request.output} was not written by augx", "give the OUTPUT of an `augx run`")
    plan, _ = read(request)
    state = journal.load(folder)
    found = survey(plan, state, folder)
    if up_to_date(plan, found, state, folder):
        return []
    reasons = [f"{count:,} {reason}" for reason, count in found.reasons.items()]
    if state.summary and state.summary.get("versions") != versions.everything(plan.recipe.learned):
        was, now = state.summary.get("versions", {}), versions.everything(plan.recipe.learned)
        reasons += [f"{name} is {now[name]}, was {was.get(name)}" for name in now if was.get(name) != now[name]]
    if state.summary and state.summary.get("recipe") != plan.recipe.canonical():
        reasons.append("the recipe is another")
    if not state.finished:
        reasons.append("the last run did not end")
    return reasons or ["its manifest or label files are not what run would write"]


def up_to_date(plan: Plan, found: Survey, state: Journal, folder: Folder) -> bool:
    """Whether a run would change nothing: no image to make or to delete, the same summary, and every file there."""
    if not state.finished or found.todo or found.reasons:
        return False
    told = state.summary
    equal = told["counts"].get("equal")
    if type(equal) is not int:
        return False
    now = manifest.summarise(plan, state.entries, told["manifest"], told["files"], equal)
    made_by = {"versions": told["versions"], "cpu": told.get("cpu")}  # whoever made it
    wanted = journal.summary_text(journal.signed(now | made_by))
    written = {SUMMARY: sha256(wanted).hexdigest(), FAILURES: told["failures_sha256"]} | told["files"]
    same = told["versions"].keys() == now["versions"].keys()
    return same and hashes(folder.path(name) for name in written) == list(written.values())


def run(request: Request, progress: Progress, check: Callable[[Recipe], None]) -> Outcome:
    """Makes OUTPUT what the plan says. `check` is called before the first image with a recipe that has work to do.

    Raises Refused before anything is written, Stopped and GateError half-way; the same request then goes on.
    """
    share = request.share
    if request.executor != "local" or request.options:
        _means(request).ready()
    folder = Folder(request.output, request.fsync, share.own if share else OWN)
    guard(request.input, folder)
    plan, targets = read(request)
    fresh = not journal.owned(folder)
    if fresh:
        if request.workers and request.executor == "local":
            from augx.dispatch import warm

            warm(plan.recipe, request.untouched)
        check(plan.recipe)  # before OUTPUT is there
    if share:
        refuse_others(folder, share)
    elsewhere = mirror.at(request.output)
    if elsewhere:
        elsewhere.probe()
    with locked(request.output, folder.own):
        folder.clean()
        state = journal.load(folder)
        if share is None or state.finished:
            found = survey(plan, state, folder)
            for name, date in found.redate.items():  # the next run need not read them
                folder.date(name, date)
            if up_to_date(plan, found, state, folder):
                folder.date(SUMMARY, time.time_ns())  # the target of make(1): must be newer than what it depends on
                if elsewhere and found.redate:
                    elsewhere.settle()
                return Outcome(0, found.kept, _failed(state.summary), 0, state.summary)
        if share:
            plan = part_of(plan, share)
            found = survey(plan, state, folder)
        if request.merge and found.todo:
            return Outcome(0, found.kept, found.failed, 0, {}, missing=_missing(plan, found, request.merge))
        if found.todo and not fresh:
            check(plan.recipe)
        names = plan.files(found.todo)
        labels = [] if share else formats.label_files(targets, plan.dataset)
        _refuse_foreign(folder, state, names + labels, plan, found.todo)
        generation = journal.next_generation(folder)
        progress.begin(sum(len(job.copies) for job in found.todo), found.kept)
        try:
            journal.begin(folder, names + labels, generation)
            if share:
                leave(folder, request, plan.recipe)
            dispatch = _work(request, plan, found, folder, generation, progress)
            if elsewhere and request.executor != "local":
                elsewhere.look(f"{folder.own}/{journal.SEGMENTS}")
            summary, removed = ({}, 0) if share else manifest.finish(plan, folder, targets)
            if elsewhere and not share:
                elsewhere.gather()
        finally:
            progress.end()
            folder.clean()
        profile: Mapping[str, float] = dispatch.profile
        if request.profile:
            alone = sum(profile.values()) if not request.workers else 0.0
            profile = {**profile, PARENT: time.process_time() - alone}
        failed = dispatch.failed if share else _failed(summary)
        return Outcome(dispatch.made, found.kept, failed, removed, summary, profile)


def merged(output: str) -> Outcome | None:
    """An OUTPUT in which no shards wait to be merged, as it is; None where some do, or no run has ended."""
    folder = Folder(output)
    told = journal.summary(folder)
    if not told or journal.shares(folder) or journal.unfinished(folder):
        return None
    return Outcome(0, told["counts"]["images"], _failed(told), 0, told)


def part_of(plan: Plan, share: Share) -> Plan:
    """What a share does of a plan. What cannot be made at all is told of when they are merged."""
    return replace(plan, jobs=planning.stretches(plan, share.of)[share.number - 1], lost=())


def _missing(plan: Plan, found: Survey, shares: int) -> dict[Share, tuple[int, int]]:
    """What shares have yet to make: images, and of how many."""
    todo = {job.sample.id: len(job.copies) for job in found.todo}
    missing: dict[Share, tuple[int, int]] = {}
    for number, jobs in enumerate(planning.stretches(plan, shares), 1):
        if images := sum(todo.get(job.sample.id, 0) for job in jobs):
            missing[Share(number, shares)] = images, sum(len(job.copies) for job in jobs)
    return missing


def guard(input: str, folder: Folder) -> None:
    """Refuses an OUTPUT that is INPUT, lies in it or around it, is no folder, or holds what augx did not write."""
    for what, given in (("INPUT", input), ("OUTPUT", folder.root)):
        if not given:
            raise OutputError(f"{what} is empty", "give a folder; is a shell variable unset?")
        try:
            fit = b"\0" not in os.fsencode(given)
        except UnicodeEncodeError:
            fit = False
        if not fit:
            raise OutputError(f"{what} {given!r} is no path", "leave out what no file name can hold")
    source, output = (mirror.place(path) for path in (input, folder.root))
    if source == output:
        raise OutputError(f"OUTPUT is INPUT: {folder.root}", "choose another folder for OUTPUT")
    if output.startswith(source.rstrip("/") + "/") and os.path.isdir(input):
        raise OutputError(
            f"OUTPUT {folder.root} lies inside INPUT {input}",
            "its images would be read as input next time; put it beside",
        )
    if source.startswith(output.rstrip("/") + "/"):
        raise OutputError(f"INPUT {input} lies inside OUTPUT {folder.root}", "choose another folder for OUTPUT")
    try:
        there = os.listdir(folder.root)
    except FileNotFoundError:
        if os.path.lexists(folder.root):
            raise OutputError(f"OUTPUT {folder.root} is a link to nothing", "choose another name") from None
        return
    except OSError as error:
        pass_over(error, folder.root)
        reason = error.strerror or str(error)
        raise OutputError(f"OUTPUT {folder.root} cannot be used: {reason}", "choose another folder") from error
    if there and not journal.owned(folder):
        raise OutputError(
            f"OUTPUT {folder.root} holds files that augx did not write", "choose a new or an empty folder"
        )


def _work(request: Request, plan: Plan, found: Survey, folder: Folder, generation: int, progress: Progress) -> Dispatch:
    """Has the jobs worked off; what comes back knows how many images were made."""
    from augx.dispatch import Dispatch  # heavy, and not needed where there is nothing to do
    from augx.partners import Folders
    from augx.work import Orders

    known = fitting.without_samples(plan.dataset, plan.formats)
    folders = Folders.now(plan.recipe)
    elsewhere = request.executor != "local"  # workers may stand elsewhere, and be other ones
    if elsewhere:
        known, folders = replace(known, root=os.path.abspath(known.root)), folders.absolute()
    mixes = fitting.mixes_classes(plan.dataset, plan.recipe)
    left_out = fitting.lost_by(plan.dataset, [formats.load(name) for name in plan.formats], mixes)
    orders = Orders(
        os.path.abspath(folder.root) if elsewhere else folder.root, plan.recipe.canonical(), plan.bases, known,
        request.untouched, left_out, folders, request.fsync, folder.own, folder.tmp, profile=request.profile,
        versions=versions.deciding(plan.recipe.learned) if elsewhere else {},
    )  # fmt: skip
    lost = sum(len(copies) for _, copies in plan.lost)
    means = _means(request)
    todo = plan.order(found.todo)
    if plan.ring:  # each with those it may be mixed with
        planned = {job.sample.id: job for job in plan.jobs}  # with all copies, of which a few may be left to make
        todo = (replace(job, pools=plan.pools(planned[job.sample.id])) for job in todo)
    if elsewhere:
        todo = map(_anywhere, todo)
    dispatch = Dispatch(plan, orders, means, found.failed + lost, progress.step)
    dispatch(todo, generation)
    return dispatch


def _anywhere(job: Job) -> Job:
    """With the model that makes it, if one does, under a name that holds from wherever a worker stands."""
    made = job.sample.added
    if made is None:
        return job
    return replace(job, sample=replace(job.sample, added=replace(made, model=os.path.abspath(made.model))))


def _means(request: Request) -> Means:
    from augx.dispatch import Means

    asked = request
    if mirror.here_only(asked.input, asked.output):  # no other process sees it
        if asked.executor != "local":
            raise Refused(f"--executor {asked.executor} sees nothing of memory://", "leave it out")
        asked = replace(asked, workers=0)
    return Means(asked.workers, asked.seconds, asked.memory, asked.max_errors, asked.executor, asked.options)


def _refuse_foreign(folder: Folder, state: Journal, names: Sequence[str], plan: Plan, todo: Sequence[Job]) -> None:
    """Refuses to write over a file in OUTPUT that augx did not write. `names`: what it needs for `todo`, and more."""
    files, folders = folder.content()
    if not files and not folders:
        return
    there = files.intersection(names) - state.intent.keys() - state.files.keys()
    there |= files.intersection(parent for name in names for parent in _parents(name))
    if there:
        for entry in chain(state.entries.values(), state.replaced):
            there.difference_update(entry.names())
    if there and state.gaps:  # then what has the very date of its source is ours
        dates = folder.dates()
        there -= {name for name, date in written_dates(plan, todo).items() if dates.get(name) == date}
    there |= folders.intersection([*names, *formats.RESERVED])
    if there:
        raise OutputError(
            f"{len(there)} files in {folder.root} have names that augx needs but did not write: {few(there)}",
            "move them elsewhere",
        )


def _refuse_our_names(dataset: Dataset, targets: Sequence[Format]) -> None:
    """Refuses a folder of images that would be called like a file that augx writes, or like its own folder."""
    ours = {OWN, *formats.RESERVED, *formats.label_files(targets, dataset)}
    folded = {name.casefold() for name in ours}
    for folder in {sample.folder for sample in dataset.samples}:
        for name in [folder, *_parents(folder)]:
            if name.casefold() in folded:
                raise InputError(f"a folder of images would be called {name}, as a file of OUTPUT is", "rename it")


def _parents(name: str) -> Iterator[str]:
    while name := name.rpartition("/")[0]:
        yield name


def _refuse_warnings(dataset: Dataset, recipe: Recipe) -> None:
    warnings = [str(problem) for problem in recipe.warnings]
    warnings += [f"{flaw.source}: {flaw.message}" for flaw in chain(dataset.warnings, dataset.failed)]
    if warnings:
        raise Refused(f"--strict: {len(warnings)} warnings: {few(warnings)}", "mend them, or run without --strict")


def _failed(summary: dict[str, Json]) -> int:
    count: int = summary["counts"]["failed"]
    return count
