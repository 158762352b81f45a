"""`augx probe`: does a recipe help on these pictures? Small networks are trained in cross-validation, on what the
recipe makes of the training pictures and on the pictures as they are, for the same number of steps, and tested on
pictures that were held out and that nobody has changed. Both sides of a fold share its pictures and the seeds of the
weights."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from augx import engine, likeness, splits
from augx.errors import InputError, Refused, few
from augx.formats import ReadOptions
from augx.learn import door, judging
from augx.learn.judging import Difference
from augx.model import Flaw, Json, Picture
from augx.recipe import Recipe

_LEAST_STEPS = 100
_BETTER = 2.0  # standard errors above chance, which a network must reach to be able to tell anything
_NEARLY_ALL = 99.5  # percent


@dataclass(frozen=True, slots=True)
class Request:
    """What the user asked for. A recipe None: the bundled one for classes. `against`: None: the pictures as they are.
    `networks`: of each side of a fold, over which its accuracy is a mean: networks disagree on so many pictures from
    one seed to the next that one alone would hide what a recipe does. `seconds`: to spend at most. `side`: of the
    pictures that a network sees; None: as they usually are, to `most`. `by`: who belongs together, as in
    `splits.divide`."""

    input: str
    recipes: tuple[Recipe | None, ...]
    against: Recipe | None = None
    folds: int = 5
    repeats: int = 3
    networks: int = 2
    steps: int = 1000
    seconds: float | None = None
    seed: int = 0
    device: str = "auto"
    threads: int = 1
    side: int | None = None
    most: int = 64
    by: str | None = None
    from_format: str | None = None
    read: ReadOptions = field(default_factory=ReadOptions)


@dataclass(frozen=True, slots=True)
class Scores:
    """How the networks of one side did. `accuracy`: percent of the held-out pictures, each class counting alike, of
    each fold. `classes`: (folds, classes), percent of each that was recognised; NaN where a fold has none of it."""

    name: str
    classes: NDArray[np.float64]

    @property
    def accuracy(self) -> NDArray[np.float64]:
        found: NDArray[np.float64] = np.nanmean(self.classes, axis=1)
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
    """`folds`, `repeats`, `networks`, `steps`: as they were used. `notes`: what a person should know before believing
    it."""

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
        classes = dict(zip(self.classes, _rounded(np.nanmean(one.classes, axis=0)), strict=True))
        return {"name": one.name, "accuracy": _rounded(one.accuracy), "classes": classes}


def probe(request: Request, told: door.Told) -> Outcome:
    """Raises Refused before anything is trained."""
    if request.folds * request.repeats < judging.LEAST:
        raise Refused(
            f"{request.folds} folds x {request.repeats} repeats are too few to tell anything: {judging.LEAST} at least",
            f"--repeats {-(-judging.LEAST // request.folds)}",
        )
    device = door.ready(request.device, request.threads)
    import cv2

    from augx.learn import data
    from augx.learn.arms import Arm, Multiplied, Originals

    cv2.setNumThreads(0)  # as in the workers of a run
    dataset = data.dataset(request.input, request.from_format, request.read)
    refuse_others("probe", request.input, dataset.samples)
    known, notes = classed(data.read(dataset, request.side, request.most))
    groups, more = groups_of(known, request.folds, request.by)
    notes += more

    def multiplied(recipe: Recipe | None) -> Multiplied:
        asked = engine.Request(
            request.input, "", recipe, request.from_format, ("table",), request.read, allow_loss=True
        )
        return Multiplied(asked, known, request.seed)

    against: Arm = Originals(known) if request.against is None else multiplied(request.against)
    tried = [multiplied(recipe) for recipe in request.recipes]
    notes += [_SEEN.format(arm.name) for arm in [against, *tried] if arm.learned]
    work = _Work(known, device, [against, *tried], told)
    repeats, steps, seconds = _affordable(request, work)
    trainings = request.folds * repeats * len(work.arms) * request.networks
    words = f"{len(known.pixels):,} pictures of {len(known.classes)} classes at {known.side} x {known.side}"
    words += f"; {request.folds} folds x {repeats} repeats x {request.networks} networks a side"
    words += f", {trainings:,} trainings of {steps:,} steps on {device}"
    told.begin(f"{words}, about {door.duration(seconds)}", trainings)
    found: list[list[NDArray[np.float64]]] = [[] for _ in work.arms]
    try:
        for repeat in range(repeats):
            seed = request.seed * 1_000 + repeat
            fold = judging.divide(known.labels, groups, request.folds, seed)
            for number in range(request.folds):
                for arm, scores in zip(work.arms, found, strict=True):
                    seeds = [(seed * 20 + number) * 100 + network for network in range(request.networks)]
                    scores.append(work.score(arm, repeat, fold == number, seeds, steps))
    finally:
        told.end()
    names = [arm.name for arm in work.arms]
    base, *others = (Scores(name, np.array(scores)) for name, scores in zip(names, found, strict=True))
    failed = {arm.name: arm.failed for arm in work.arms if arm.failed}
    notes += [f"{name}: {count:,} copies could not be made" for name, count in failed.items()]
    compared = tuple(_compared(one, base, request.folds, len(known.pixels)) for one in others)
    if len(compared) > 2:
        notes.append("each interval is for itself: of twenty recipes that do nothing one seems to do something")
    return Outcome(
        known.classes, len(known.pixels), known.side, request.folds, repeats, request.networks, steps, base, compared,
        tuple(notes),
    )  # fmt: skip


_SEEN = (
    "the model of {} has seen the held-out pictures, where it was fitted on INPUT; what is said of it may be too kind"
)


class _Work:
    """Trains and tests."""

    def __init__(self, known: Any, device: Any, arms: Sequence[Any], told: door.Told) -> None:
        self.known, self.device, self.arms, self.told = known, device, arms, told
        self.done = 0

    def score(
        self, arm: Any, repeat: int, held_out: NDArray[np.bool_], seeds: Sequence[int], steps: int
    ) -> NDArray[np.float64]:
        """Percent of the held-out pictures of each class that this side's networks recognise, one for each seed."""
        x, y = (self._on_device(values) for values in arm.pictures(repeat, np.flatnonzero(~held_out)))
        test, labels = self._on_device(self.known.pixels[held_out]), self.known.labels[held_out]
        found = []
        for seed in seeds:
            answers = self._answers(x, y, test, seed, steps)
            found.append(judging.recalls(answers, labels, len(self.known.classes)))
            self.done += 1
            self.told.step(self.done)
        mean: NDArray[np.float64] = np.mean(found, axis=0)
        return mean

    def _answers(self, x: Any, y: Any, test: Any, seed: int, steps: int) -> NDArray[np.int64]:
        from augx.learn import classifier

        found: NDArray[np.int64] = classifier.recognised(classifier.trained(x, y, seed, steps), test).numpy()
        return found

    def seconds_a_step(self) -> float:
        x, y = (self._on_device(values) for values in self.arms[0].pictures(0, np.arange(len(self.known.pixels))))
        for steps in (10, 20):  # the first to get warm
            began = time.monotonic()
            self._answers(x, y, x[:1], 0, steps)
        return (time.monotonic() - began) / steps

    def _on_device(self, values: NDArray[Any]) -> Any:
        import torch

        found = torch.from_numpy(values)
        if found.ndim == 4:
            found = found.permute(0, 3, 1, 2)  # as it lies in memory it is in torch's channels_last
        return found.to(self.device)


def _affordable(request: Request, work: _Work) -> tuple[int, int, float]:
    """Repeats and steps, less than those asked for where time does not suffice, and the seconds they take."""
    step = work.seconds_a_step() * request.folds * len(work.arms) * request.networks  # of one repeat
    making = sum(arm.seconds(request.folds) for arm in work.arms)

    def cost(repeats: int, steps: int) -> float:
        each: float = making + steps * step
        return repeats * each

    repeats, steps = request.repeats, request.steps
    if request.seconds is None or cost(repeats, steps) <= request.seconds:
        return repeats, steps, cost(repeats, steps)
    least = -(-judging.LEAST // request.folds)
    repeats = max(least, min(repeats, int(request.seconds / cost(1, steps))))
    if cost(repeats, steps) > request.seconds:
        steps = min(steps, int((request.seconds / repeats - making) / step))
    if steps < _LEAST_STEPS:
        needed = door.duration(cost(least, _LEAST_STEPS) * 1.1)
        raise Refused(
            f"a probe of these pictures takes about {needed}, and --budget gives {door.duration(request.seconds)}",
            "give it more, the recipe fewer copies, or lower --side or --networks",
        )
    return repeats, steps, cost(repeats, steps)


def _compared(one: Scores, base: Scores, folds: int, pictures: int) -> Comparison:
    found = judging.difference((one.accuracy - base.accuracy).tolist(), folds)
    verdict, words = found.verdict, judging.words(found, folds)
    chance, best = 100 / one.classes.shape[1], max(one.accuracy.mean(), base.accuracy.mean())
    if verdict == judging.UNSEEN and best < chance + _BETTER * (chance * (100 - chance) / pictures) ** 0.5:
        verdict = judging.UNTOLD
        words = f"{verdict}: {found} points, and both sides only guess ({best:.1f} %, by chance {chance:.1f} %)"
    elif verdict == judging.UNSEEN and min(one.accuracy.mean(), base.accuracy.mean()) >= _NEARLY_ALL:
        words = f"{verdict}: both sides recognise {_NEARLY_ALL} % and more, so there is nothing to gain here"
    return Comparison(one, base, found, verdict, words, tuple(_by_class(one.classes - base.classes, folds)))


def _by_class(differences: NDArray[np.float64], folds: int) -> list[Difference | None]:
    there = [[value for value in column if value == value] for column in differences.T.tolist()]
    return [judging.difference(some, folds) if len(some) >= judging.LEAST else None for some in there]


def refuse_others(what: str, input: str, samples: Sequence[Any]) -> None:
    """InputError where it is not classes of whole pictures that are to be learned. `what`: needs them."""
    known = [sample.annotations for sample in samples]
    if sum(len(one.labels) == 1 for one in known) * 2 > len(known):
        return
    kinds = "several classes an image" if any(len(one.labels) > 1 for one in known) else "no classes"
    if any(one.objects for one in known):
        kinds = "boxes, outlines or keypoints"
    elif any(one.mask or one.instances or one.segments for one in known):
        kinds = "masks"
    raise InputError(
        f"{what} knows classification so far, and {input} has {kinds}",
        "give it images with one class each: class folders, or a table",
    )


def classed(known: Any) -> tuple[Any, list[str]]:
    """The pictures that have one class, and notes on the others."""
    notes = [f"{known.failed:,} pictures could not be read"] if known.failed else []
    notes += [f"{known.left_out:,} pictures are beyond what memory holds"] if known.left_out else []
    kept = known.labels >= 0
    if not kept.all():
        notes.append(f"{np.count_nonzero(~kept):,} pictures with no class, or several, are left out")
        samples = tuple(sample for sample, keep in zip(known.samples, kept.tolist(), strict=True) if keep)
        known = dataclasses.replace(known, pixels=known.pixels[kept], labels=known.labels[kept], samples=samples)
    numbers, labels = np.unique(known.labels, return_inverse=True)
    classes = tuple(known.classes[number] for number in numbers)
    if len(classes) < 2:
        raise InputError(f"all pictures are of the class {few(classes)}", "give pictures of two classes at least")
    return dataclasses.replace(known, labels=labels, classes=classes), notes


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
    count = judging.units(known.labels, bound)
    if count.min() < folds:
        scarce = int(count.argmin())
        what = "pictures" if not bound else "groups of pictures" if named else "different pictures"
        raise InputError(
            f"the class {known.classes[scarce]} has {count[scarce]} {what}, too few for {folds} folds",
            f"--folds {count[scarce]}, or add some" if count[scarce] > 1 else "add some, or leave it out",
        )
    prints = likeness.together(
        (str(place), likeness.fingerprint(Picture(pixels))) for place, pixels in enumerate(known.pixels)
    )
    alike = [tuple(map(int, group)) for group in likeness.alike(prints)]
    near = _joined([*bound, *alike])
    most = max(len(known.pixels) // folds, _largest(bound))
    if judging.units(known.labels, near).min() < folds or _largest(near) > most:
        return bound, [*notes, "too many pictures look alike to keep those in one fold; only equal ones are"]
    if several := sum(map(len, _joined([*equal.values(), *alike]))):
        notes.append(f"{several:,} pictures look like another; those that do lie in one fold")
    return near, notes


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
