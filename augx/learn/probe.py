"""`augx probe`: does a recipe help on these pictures? Small networks (see `tasks`) are trained in cross-validation, on
what the recipe makes of the training pictures and on the pictures as they are, for the same number of steps, and tested
on pictures that were held out and that nobody has changed. Both sides of a fold share its pictures and the seeds of the
weights."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from augx import __version__, artefact, engine, likeness, splits
from augx.errors import InputError, Refused
from augx.formats import ReadOptions
from augx.learn import door, judging
from augx.learn.judging import Difference
from augx.model import Flaw, Json, LabelOptions, Picture, Sample
from augx.recipe import Recipe

_LEAST_STEPS = 100  # that a small --budget leaves; fewer must be asked for
_NEARLY_ALL = 99.5  # percent


@dataclass(frozen=True, slots=True)
class Request:
    """What the user asked for. A recipe None: the bundled one for the labels. `against`: None: the pictures as they
    are. `task`: what networks learn; None: what the labels are for. `repeats`, `steps`: None: as usual for the task,
    `fast` or not. `networks`: of each side of a fold: they disagree on so many pictures from one seed to the next that
    one alone would hide what a recipe does. `seconds`: to spend at most. `side`: of the pictures that a network sees;
    None: as they usually are, to the task's most. `by`: who belongs together, as in `splits.divide`."""

    input: str
    recipes: tuple[Recipe | None, ...]
    against: Recipe | None = None
    task: str | None = None
    fast: bool = False
    folds: int = 5
    repeats: int | None = None
    networks: int = 2
    steps: int | None = None
    seconds: float | None = None
    seed: int = 0
    device: str = "auto"
    threads: int = 1
    side: int | None = None
    by: str | None = None
    from_format: str | None = None
    read: ReadOptions = field(default_factory=ReadOptions)


@dataclass(frozen=True, slots=True)
class Scores:
    """How the networks of one side did. `each`: (folds, networks, classes), the mark of each in percent; NaN where a
    fold has none of a class. `digest`: of the recipe; "" for none."""

    name: str
    each: NDArray[np.float64]
    digest: str = ""

    @property
    def by_network(self) -> NDArray[np.float64]:
        """(folds, networks), each class counting alike."""
        return _mean(self.each, 2)

    @property
    def marks(self) -> NDArray[np.float64]:
        """Of each fold that has something to find."""
        found: NDArray[np.float64] = self.by_network.mean(axis=1)
        return found[~np.isnan(found)]

    @property
    def classes(self) -> NDArray[np.float64]:
        """Of each class."""
        return _mean(self.each, (0, 1))


def _mean(values: NDArray[np.float64], axis: int | tuple[int, ...]) -> NDArray[np.float64]:
    """Of what is there; NaN where nothing is."""
    there = ~np.isnan(values)
    total, count = np.where(there, values, 0.0).sum(axis), there.sum(axis)
    found: NDArray[np.float64] = np.full(total.shape, np.nan)
    np.divide(total, count, out=found, where=count > 0)
    return found


@dataclass(frozen=True, slots=True)
class Comparison:
    """A recipe against the other side. `verdict`: one of those in `judging`; `words`: with its figures. `classes`: of
    each class by itself; None where too few folds have it."""

    scores: Scores
    against: Scores
    difference: Difference
    verdict: str
    words: str
    classes: tuple[Difference | None, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """`task`, `measure`: what was learned, and what the marks are. `folds`, `repeats`, `networks`, `steps`: as they
    were used. `notes`: what a person should know before believing it."""

    task: str
    measure: str
    classes: tuple[str, ...]
    pictures: int
    side: int
    folds: int
    repeats: int
    networks: int
    steps: int
    against: Scores
    comparisons: tuple[Comparison, ...]
    notes: tuple[str, ...]

    def told(self) -> Json:
        return {
            "augx": __version__,
            "task": self.task,
            "measure": self.measure,
            "pictures": self.pictures,
            "side": self.side,
            "folds": self.folds,
            "repeats": self.repeats,
            "networks": self.networks,
            "steps": self.steps,
            "against": self._side(self.against),
            "recipes": [
                {
                    **self._side(one.scores),
                    "verdict": one.verdict,
                    "words": one.words,
                    "difference": _figures(one.difference),
                    "differences": {
                        name: None if found is None else _figures(found)
                        for name, found in zip(self.classes, one.classes, strict=True)
                    },
                }
                for one in self.comparisons
            ],
            "notes": list(self.notes),
        }

    def _side(self, one: Scores) -> dict[str, Json]:
        classes = dict(zip(self.classes, _rounded(one.classes), strict=True))
        said: dict[str, Json] = {"name": one.name, self.measure: _rounded(one.marks), "classes": classes}
        return said | ({"digest": one.digest} if one.digest else {})


def probe(request: Request, told: door.Told) -> Outcome:
    """Raises Refused before anything is trained."""
    if request.repeats is not None:
        _refuse_few(request.folds, request.repeats)
    device = door.ready(request.device, request.threads)
    import cv2

    from augx.learn import data, tasks
    from augx.learn.arms import Arm, Multiplied, Originals

    cv2.setNumThreads(0)  # as in the workers of a run
    dataset = data.dataset(request.input, request.from_format, request.read)
    kind = tasks.TASKS[tasks.kind_of(request.input, dataset.samples, request.task)]
    usual = kind.fast if request.fast else kind.usual
    request = replace(
        request,
        repeats=request.repeats or max(usual.repeats, _needed(request.folds)),
        steps=request.steps or usual.steps,
    )
    first = request.recipes[0]
    known = kind.read(dataset, request.side, usual.side, LabelOptions() if first is None else first.labels)
    groups, more = groups_of(known, request.folds, request.by)
    notes = [*known.notes, *more]

    def multiplied(recipe: Recipe | None) -> Multiplied:
        asked = engine.Request(request.input, "", recipe, request.from_format, (), request.read)
        return Multiplied(asked, known.samples, known.side, known.task, request.seed)

    against: Arm = Originals(known) if request.against is None else multiplied(request.against)
    tried = [multiplied(recipe) for recipe in request.recipes]
    used = [one for one in (request.against, *request.recipes) if one is not None]
    notes += [note for one in used for note in _seen(one, known.samples)]
    work = _Work(known, device, [against, *tried], told)
    repeats, steps, seconds = _affordable(request, work)
    networks = request.networks
    trainings = request.folds * repeats * len(work.arms) * networks
    words = f"{known.task.name}: {len(known.pixels):,} pictures of {len(known.classes)} classes"
    words += f" at {known.side} x {known.side}; {request.folds} folds x {repeats} repeats x {networks} networks a side"
    words += f", {trainings:,} trainings of {steps:,} steps on {device}"
    told.begin(f"{words}, about {door.duration(seconds)}", trainings)
    found: list[list[list[NDArray[np.float64]]]] = [[] for _ in work.arms]
    try:
        for repeat in range(repeats):
            seed = request.seed * 1_000 + repeat
            fold = judging.divide(known.strata, groups, request.folds, seed)
            for number in range(request.folds):
                for arm, marks in zip(work.arms, found, strict=True):
                    seeds = [(seed * 20 + number) * 100 + network for network in range(networks)]
                    marks.append(work.marks(arm, repeat, fold == number, seeds, steps))
    finally:
        told.end()
    base, *others = (Scores(a.name, np.array(marks), a.digest) for a, marks in zip(work.arms, found, strict=True))
    failed = {arm.name: arm.failed for arm in work.arms if arm.failed}
    notes += [f"{name}: {count:,} copies could not be made" for name, count in failed.items()]
    guess = known.task.guessing(known.truth)
    compared = tuple(_compared(one, base, request.folds, guess) for one in others)
    if len(compared) > 2:
        notes.append("each interval is for itself: of twenty recipes that do nothing one seems to do something")
    return Outcome(
        known.task.name, known.task.measure, known.classes, len(known.pixels), known.side, request.folds, repeats,
        networks, steps, base, compared, tuple(notes),
    )  # fmt: skip


def _seen(recipe: Recipe, samples: Sequence[Sample]) -> list[str]:
    """What a recipe names that has seen the held-out pictures when it was fitted, or found."""
    known = artefact.marks(samples)
    sketches = {name: ("found", sketch) for name, sketch in recipe.policies.items()}
    for name, model in recipe.models.items():
        with suppress(artefact.Unusable, OSError):
            sketches[name] = "fitted", artefact.card(model.path).sketch
    notes = []
    for name, (how, sketch) in sorted(sketches.items()):
        if shared := len(known.intersection(sketch)):
            notes.append(
                f"{recipe.name}: the figure is optimistic: {name} was {how} on pictures that are held out here, "
                f"about {shared / len(sketch):.0%} of its own"
            )
    return notes


def _refuse_few(folds: int, repeats: int) -> None:
    if folds * repeats < judging.LEAST:
        raise Refused(
            f"{folds} folds x {repeats} repeats are too few to tell anything: {judging.LEAST} at least",
            f"--repeats {_needed(folds)}",
        )


def _needed(folds: int) -> int:
    return -(-judging.LEAST // folds)


class _Work:
    """Trains and tests."""

    def __init__(self, known: Any, device: Any, arms: Sequence[Any], told: door.Told) -> None:
        self.known, self.device, self.arms, self.told = known, device, arms, told
        self.done = 0

    def marks(
        self, arm: Any, repeat: int, held_out: NDArray[np.bool_], seeds: Sequence[int], steps: int
    ) -> list[NDArray[np.float64]]:
        """What this side's networks, one for each seed, reach on the held-out pictures, of each class."""
        x, y = arm.pictures(repeat, np.flatnonzero(~held_out))
        test, truth = self.known.pixels[held_out], self.known.truth[held_out]
        found = []
        for seed in seeds:
            found.append(self.known.task.marks(x, y, test, truth, seed, steps, self.device))
            self.done += 1
            self.told.step(self.done)
        return found

    def seconds_a_step(self) -> float:
        known = self.known
        for steps in (10, 20):  # the first to get warm
            began = time.monotonic()
            known.task.marks(known.pixels, known.truth, known.pixels[:1], known.truth[:1], 0, steps, self.device)
        return (time.monotonic() - began) / steps


def _affordable(request: Request, work: _Work) -> tuple[int, int, float]:
    """Repeats and steps, less than those asked for where time does not suffice, and the seconds they take."""
    repeats, steps, networks = request.repeats or 1, request.steps or 1, request.networks
    step = work.seconds_a_step() * request.folds * len(work.arms) * networks  # of one repeat
    making = sum(arm.seconds(request.folds) for arm in work.arms)

    def cost(repeats: int, steps: int) -> float:
        each: float = making + steps * step
        return repeats * each

    if request.seconds is None or cost(repeats, steps) <= request.seconds:
        return repeats, steps, cost(repeats, steps)
    least = _needed(request.folds)
    repeats = max(least, min(repeats, int(request.seconds / cost(1, steps))))
    if cost(repeats, steps) > request.seconds:
        steps = min(steps, int((request.seconds / repeats - making) / step))
    if steps < min(_LEAST_STEPS, request.steps or _LEAST_STEPS):
        needed = door.duration(cost(least, _LEAST_STEPS) * 1.1)
        raise Refused(
            f"a probe of these pictures takes about {needed}, and --budget gives {door.duration(request.seconds)}",
            "give it more, the recipe fewer copies, or lower --side or --networks",
        )
    return repeats, steps, cost(repeats, steps)


def _compared(one: Scores, base: Scores, folds: int, guess: tuple[float, str]) -> Comparison:
    """`guess`: as `Task.guessing` says."""
    pairs = [row for row in (one.by_network - base.by_network).tolist() if row[0] == row[0]]
    if len(pairs) < judging.LEAST:
        raise Refused("too few folds have anything to find", "give more pictures that show something, or fewer --folds")
    found = judging.difference(pairs, folds)
    verdict, words = found.verdict, judging.words(found, folds)
    means = one.marks.mean(), base.marks.mean()
    if verdict == judging.UNSEEN and max(means) < guess[0]:
        verdict = judging.UNTOLD
        words = f"{verdict}: {found} points, and both sides {guess[1].format(max(means))}"
    elif verdict == judging.UNSEEN and min(means) >= _NEARLY_ALL:
        words = f"{verdict}: both sides reach {_NEARLY_ALL} % and more, so there is nothing to gain here"
    return Comparison(one, base, found, verdict, words, tuple(_by_class(one.each - base.each, folds)))


def _by_class(differences: NDArray[np.float64], folds: int) -> list[Difference | None]:
    """`differences`: (folds, networks, classes)."""
    there = [
        [row for row in differences[..., kind].tolist() if row[0] == row[0]] for kind in range(differences.shape[2])
    ]
    return [judging.difference(some, folds) if len(some) >= judging.LEAST else None for some in there]


def groups_of(known: Any, folds: int, by: str | None = None) -> tuple[list[tuple[int, ...]], list[str]]:
    """Places of pictures that must stay in one fold, because they show the same or `by` says so, and notes. Refused
    where that leaves a class too few for so many folds."""
    equal: dict[bytes, list[int]] = {}
    for place, pixels in enumerate(known.pixels):
        equal.setdefault(pixels.tobytes(), []).append(place)
    named: dict[str, list[int]] = {}
    flaws: list[Flaw] = []
    if by is not None:
        names = splits.groups_by(known.samples, by, flaws)
        for place, sample in enumerate(known.samples):
            if sample.id in names:
                named.setdefault(names[sample.id], []).append(place)
    notes = [flaw.message for flaw in flaws]
    bound = _joined([*equal.values(), *named.values()])
    count = _units(known, bound)
    if count.min() < folds:
        scarce = int(count.argmin())
        what = "pictures" if not bound else "groups of pictures" if named else "different pictures"
        said = f"too few {what} show something to learn for {folds} folds: {count[scarce]}"
        if known.task.whole:
            said = f"the class {known.classes[scarce]} has {count[scarce]} {what}, too few for {folds} folds"
        raise InputError(
            said,
            f"--folds {count[scarce]}, or add some" if count[scarce] > 1 else "add some, or leave it out",
        )
    prints = likeness.together(
        (str(place), likeness.fingerprint(Picture(pixels))) for place, pixels in enumerate(known.pixels)
    )
    alike = [tuple(map(int, group)) for group in likeness.alike(prints)]
    near = _joined([*bound, *alike])
    most = max(len(known.pixels) // folds, _largest(bound))
    if _units(known, near).min() < folds or _largest(near) > most:
        return bound, [*notes, "too many pictures look alike to keep those in one fold; only equal ones are"]
    if several := sum(map(len, _joined([*equal.values(), *alike]))):
        notes.append(f"{several:,} pictures look like another; those that do lie in one fold")
    return near, notes


def _units(known: Any, groups: Sequence[Sequence[int]]) -> NDArray[np.int64]:
    """How many pictures or groups of them can lie in different folds: of each class, or of all that show something."""
    classes = len(known.classes)
    if known.task.whole:
        return judging.units(known.strata, groups)
    return judging.units((known.strata == classes).astype(np.int64), groups)[:1]


def _largest(groups: Sequence[Sequence[int]]) -> int:
    return max(map(len, groups), default=0)


def _joined(groups: Sequence[Sequence[int]]) -> list[tuple[int, ...]]:
    """Groups that share a member as one; without those of one."""
    found: dict[int, set[int]] = {}
    for group in groups:
        union = set(group).union(*(found[place] for place in group if place in found))
        found.update(dict.fromkeys(union, union))
    return sorted({min(union): tuple(sorted(union)) for union in found.values() if len(union) > 1}.values())


def _figures(found: Difference) -> Json:
    return {"mean": round(found.mean, 3), "margin": round(found.margin, 3), "count": found.count}


def _rounded(values: NDArray[np.float64]) -> list[float]:
    return [round(float(value), 3) for value in values]
