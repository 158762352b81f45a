"""`augx learn policy`: which transforms, how often and how strong, found on the user's own pictures.

Lim, Kim, Kim, Kim, Kim 2019, "Fast AutoAugment", arXiv 1905.00397: density matching. Networks are trained on folds of
the pictures as they are, and look at the pictures they were not trained on, augmented: a good sub-policy makes of these
what the networks still take for the class. As in the authors' program the best of a few copies of each picture counts,
so that a sub-policy gains by variety, and nothing by leaving pictures alone. Here their mean counts as much, or else a
digit could be mirrored now and then at no cost.

Jamieson, Talwalkar 2016, "Non-stochastic Best Arm Identification and Hyperparameter Optimization", arXiv 1502.07943:
successive halving. Many sub-policies are drawn and seen on few pictures; the better half goes on to twice as many.

The copies come from the pipeline of a run, and the policy is a file that recipes read without torch.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from augx import __version__, artefact, engine, versions
from augx.drawing.sheet import Row, Tile
from augx.errors import InputError, Refused, few
from augx.learn import door, fit, judging, policy_file, probe, tasks
from augx.learn.judging import Difference
from augx.learn.subpolicies import SubPolicy, drawn, flow
from augx.model import Json, Step
from augx.recipe import Recipe
from augx.store import write_file

METHOD = "policy"
ENDINGS = (".yaml", ".yml")
_FOLDS = 5
_LEAST = 10  # pictures of each class
_COPIES = 4  # of each picture
_SHARES = (1 / 8, 1 / 4, 1 / 2, 1)  # of the pictures, in one rung after the other
_REPEATS = 2  # of the last rung, each with other copies
_DRAWN, _FAST_DRAWN = 512, 256  # sub-policies
_KEPT = 16  # one in so many
_LEAST_DRAWN = 4 * _KEPT
_STEPS = 300  # of each network: it knows its pictures by then
_MOST, _FAST_MOST = 2000, 500  # pictures that are looked at
_BETTER = 2.0  # standard errors above chance, which networks must reach to be of use
_OUT = -1.0  # the gain of what cannot be made of all pictures: less than any other
_TIMED = 6  # sub-policies
_KEEP = 20.0  # seconds from one checkpoint to the next
_SHOWN = 8  # rows of the sheet


@dataclass(frozen=True, slots=True)
class Rung:
    """`tried`: sub-policies. `pictures`: that each was seen on. `alike`: Spearman's rank correlation of what two halves
    of these pictures say of the sub-policies: 1: the same order; 0: none."""

    tried: int
    pictures: int
    alike: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """`gains`: of each sub-policy of the file, in points: how much larger a share the networks give the right class.
    `accuracy`: percent of the pictures as they are that they recognise. `seconds`: of CPU. `fresh`: the file was there
    already, found as asked."""

    policies: tuple[SubPolicy, ...] = ()
    gains: tuple[Difference, ...] = ()
    rungs: tuple[Rung, ...] = ()
    accuracy: float = 0.0
    seconds: float = 0.0
    notes: tuple[str, ...] = ()
    fresh: bool = False

    def told(self) -> Json:
        return {
            "policies": [
                {"ops": list(one), "gain": round(gain.mean, 3), "margin": round(gain.margin, 3)}
                for one, gain in zip(self.policies, self.gains, strict=True)
            ],
            "rungs": [
                {"tried": one.tried, "pictures": one.pictures, "rank_agreement": round(one.alike, 3)}
                for one in self.rungs
            ],
            "accuracy": round(self.accuracy, 2),
            "cpu_seconds": round(self.seconds, 1),
            "notes": list(self.notes),
            "fresh": self.fresh,
        }


def search(request: fit.Request, told: door.Told) -> Outcome:
    """Raises Refused before anything is written, Stopped where the policy cannot be."""
    fit.guard(request, "a policy", ENDINGS, policy_file.ours)
    device = door.ready(request.device, request.threads)
    import cv2

    from augx.learn import data

    cv2.setNumThreads(0)  # as in the workers of a run
    dataset = data.dataset(request.input, request.from_format, request.read)
    _refuse_others(request.input, dataset.samples)
    known, notes = tasks.classed(data.read(dataset, request.side, 32 if request.fast else 64))
    count = np.bincount(known.labels)
    if count.min() < _LEAST:
        scarce = int(count.argmin())
        raise InputError(
            f"the class {known.classes[scarce]} has {count[scarce]} pictures; `learn policy` needs {_LEAST} of each",
            "add some, or leave it out",
        )
    groups, more = probe.groups_of(tasks.whole(known), _FOLDS)
    made_by = versions.everything(learned=True)
    said = request.fast, request.seconds, request.seed, str(device), request.threads, known.digest
    key = hashlib.sha256(repr([METHOD, *said, sorted(made_by.items())]).encode()).hexdigest()
    if policy_file.there(request.model, key):
        return Outcome(fresh=True)
    began = time.process_time()
    hunt = _Hunt(request, known, judging.divide(known.labels, groups, _FOLDS, request.seed), device, key, told)
    try:
        found = hunt.found()
        text = policy_file.text(
            _words(request, known, hunt, found),
            [(one.policy, str(one.gain)) for one in found],
            key,
            artefact.sketch(known.samples),
        )
        write_file(request.model, text.encode())
        fit.write_sheet(request.model, hunt.rows(found))
        with suppress(FileNotFoundError):
            os.remove(request.model + fit.PART)
    finally:
        told.end()
    seconds = time.process_time() - began
    policies, gains = tuple(one.policy for one in found), tuple(one.gain for one in found)
    return Outcome(policies, gains, hunt.rungs(), hunt.accuracy, seconds, (*notes, *more))


def _refuse_others(input: str, samples: Sequence[Any]) -> None:
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
        f"`learn policy` knows classification so far, and {input} has {kinds}",
        "give it images with one class each: class folders, or a table",
    )


@dataclass(frozen=True, slots=True)
class Seen:
    """What the networks say of a sub-policy: the mean gain on two halves of the pictures, and on each fold."""

    halves: tuple[float, float]
    folds: tuple[float, ...]

    @property
    def mean(self) -> float:
        return sum(self.halves) / 2


@dataclass(frozen=True, slots=True)
class _Kept:
    """`each`: gain in points on each fold of each repeat; `gain`: their mean with its interval."""

    policy: SubPolicy
    each: Sequence[float]

    @property
    def gain(self) -> Difference:
        return judging.difference(self.each, _FOLDS)


class _Hunt:
    """One search: what it has seen so far is in its checkpoint, with the networks."""

    def __init__(self, request: fit.Request, known: Any, fold: NDArray[np.int64], device: Any, key: str, told: Any):
        from augx.learn.arms import Multiplied

        self.request, self.known, self.fold, self.device, self.key, self.told = request, known, fold, device, key, told
        base = Recipe(copies=_COPIES, originals=False, seed=request.seed, steps=(Step("NoOp"),))
        asked = engine.Request(request.input, "", base, request.from_format, ("table",), request.read, allow_loss=True)
        task = tasks.Classification(known.classes)
        self.arm = Multiplied(asked, known.samples, known.side, task, request.seed)
        most = min(len(known.pixels), _FAST_MOST if request.fast else _MOST)
        places = np.random.default_rng(request.seed).permutation(len(known.pixels))[:most]
        self.places = places.tolist()
        self.nets: list[Any] = []
        self.seen: list[dict[int, Seen]] = []  # in each rung, and each repeat of the last: sub-policy -> what was seen
        self.tried = self.many = 0
        self.kept_at = time.monotonic()
        self.accuracy = 0.0
        self.base: NDArray[np.float64] = np.zeros(0)

    def found(self) -> list[_Kept]:
        """The sub-policies to keep, the best first."""
        many = self._begin()
        candidates = drawn(many, self.request.seed)
        going = list(range(many))
        for number, share in enumerate(_SHARES):
            places = self.places[: self._count(share)]
            last = number == len(_SHARES) - 1
            for repeat in range(_REPEATS if last else 1):
                seen = self._rung(number + repeat, going, candidates, places)
            if not last:
                going = _best(seen, len(going) // 2)
        repeats = self.seen[-_REPEATS:]
        found = [_Kept(candidates[one], [100 * gain for seen in repeats for gain in seen[one].folds]) for one in going]
        found = [one for one in found if min(one.each) > 100 * _OUT]
        if not found:
            raise Refused("no sub-policy could be made of all pictures", "`augx validate --input` says which are odd")
        return sorted(found, key=lambda one: -one.gain.mean)[: many // _KEPT]

    def rungs(self) -> tuple[Rung, ...]:
        counts = [self._count(share) for share in _SHARES]
        shown = [*self.seen[: len(counts) - 1], self.seen[-1]]
        return tuple(Rung(len(seen), count, _alike(seen)) for seen, count in zip(shown, counts, strict=True))

    def _count(self, share: float) -> int:
        return min(len(self.places), max(4 * _FOLDS, round(share * len(self.places))))

    def _work(self, many: int) -> int:
        """Pictures to be made for so many sub-policies."""
        each = [self._count(share) * (_REPEATS if share == 1 else 1) for share in _SHARES]
        return sum((many >> number) * count * _COPIES for number, count in enumerate(each))

    def _units(self, many: int) -> int:
        """Sub-policies to be seen, in all rungs."""
        return sum(many >> number for number in range(len(_SHARES))) + (many >> (len(_SHARES) - 1)) * (_REPEATS - 1)

    def _begin(self) -> int:
        """Trains the networks, or takes them from the checkpoint; how many sub-policies to draw."""
        self.many = self._resumed()
        if fresh := not self.many:
            self.many = self._affordable()
            self.nets = [self._trained(self.fold != fold, fold, _STEPS) for fold in range(_FOLDS)]
        else:
            self.told.begin(f"{self.many} sub-policies; it goes on where it was", self._units(self.many))
        self.base, right = self._asked(self.known.pixels[self.places], self.places)
        self.accuracy, chance = 100 * float(right.mean()), 100 / len(self.known.classes)
        if self.accuracy < chance + _BETTER * (chance * (100 - chance) / len(self.places)) ** 0.5:
            raise Refused(
                f"networks only guess on these pictures ({self.accuracy:.1f} %, by chance {chance:.1f} %), so nothing "
                "they say of a policy counts",
                "give more pictures, or a larger --side",
            )
        if fresh:
            self._keep()
        return self.many

    def _trained(self, of: NDArray[np.bool_], fold: int, steps: int) -> Any:
        from augx.learn import classifier

        y = np.eye(len(self.known.classes), dtype=np.float32)[self.known.labels[of]]
        x = door.tensor(self.known.pixels[of], self.device)
        return classifier.trained(x, door.tensor(y, self.device), self.request.seed * _FOLDS + fold, steps)

    def _affordable(self) -> int:
        """How many sub-policies there is time for."""
        for steps in (10, 20):  # the first to get warm
            began = time.monotonic()
            self.nets = [self._trained(self.fold >= 0, 0, steps)] * _FOLDS
        training = (time.monotonic() - began) / steps * _STEPS * _FOLDS
        self.base = np.zeros(len(self.places))
        places = self.places[:_TIMED]
        for timed in (drawn(1, 1), drawn(_TIMED, self.request.seed)):  # what is done once should not count
            began = time.monotonic()
            for one in timed:
                self._look(one, 0, places)
        each = (time.monotonic() - began) / (_TIMED * len(places) * _COPIES)
        many = _FAST_DRAWN if self.request.fast else _DRAWN
        allowed = self.request.seconds
        while allowed is not None and many > _LEAST_DRAWN and training + each * self._work(many) > allowed:
            many //= 2
        seconds = training + each * self._work(many)
        if allowed is not None and seconds > allowed:
            raise Refused(
                f"a search on these pictures takes about {door.duration(1.1 * seconds)}, and --budget gives "
                f"{door.duration(allowed)}",
                "give it more, or fewer pictures",
            )
        known = self.known
        words = f"{len(known.pixels):,} pictures of {len(known.classes):,} classes at {known.side} x {known.side}; "
        words += f"{many} sub-policies, looked at by {_FOLDS} networks on {self.device}, about {door.duration(seconds)}"
        self.told.begin(words, self._units(many))
        return many

    def _rung(
        self, number: int, going: Sequence[int], candidates: Sequence[SubPolicy], places: Sequence[int]
    ) -> dict[int, Seen]:
        """Looks at all that are still in. What cannot be made of a picture is out."""
        if number == len(self.seen):
            self.seen.append({})
        seen = self.seen[number]
        for one in going:
            if one not in seen:
                seen[one] = self._look(candidates[one], number, places)
                if time.monotonic() - self.kept_at > _KEEP:
                    self._keep()
            self.tried += 1
            self.told.step(self.tried, f"rung {min(number, len(_SHARES) - 1) + 1} of {len(_SHARES)}")
        self._keep()
        return seen

    def _look(self, policy: SubPolicy, number: int, places: Sequence[int]) -> Seen:
        copies = self.arm.of_each(self._recipe(policy, number), places)
        whole = [len(one) == _COPIES for one in copies]
        if not all(whole):
            return Seen((_OUT, _OUT), (_OUT,) * _FOLDS)
        pixels = np.concatenate(copies)
        shares = self._asked(pixels, np.repeat(places, _COPIES))[0].reshape(-1, _COPIES)
        gain = (shares.max(1) + shares.mean(1)) / 2 - self.base[: len(places)]
        folds = self.fold[places]
        each = [float(gain[folds == fold].mean()) if (folds == fold).any() else 0.0 for fold in range(_FOLDS)]
        return Seen((float(gain[::2].mean()), float(gain[1::2].mean())), tuple(each))

    def _recipe(self, policy: SubPolicy, number: int) -> Recipe:
        step = Step("policy", {"policies": [policy]})
        return replace(self.arm.recipe, steps=(step,), seed=self.request.seed + number)

    def _asked(self, pixels: NDArray[np.uint8], places: Any) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """The share that the network which has not seen a picture gives its class, and whether that is the largest."""
        import torch

        from augx.learn.classifier import scaled

        fold, labels = self.fold[places], self.known.labels[places]
        shares, right = np.zeros(len(pixels)), np.zeros(len(pixels), bool)
        for number, net in enumerate(self.nets):
            here = np.flatnonzero(fold == number)
            for part in np.array_split(here, -(-len(here) // 512)) if len(here) else ():
                with torch.inference_mode():
                    said = net(scaled(door.tensor(pixels[part], self.device))).softmax(1).cpu().numpy()
                shares[part] = said[np.arange(len(part)), labels[part]]
                right[part] = said.argmax(1) == labels[part]
        return shares, right

    def _keep(self) -> None:
        from augx.learn import files

        state = {f"{fold}.{name}": one for fold, net in enumerate(self.nets) for name, one in net.state_dict().items()}
        seen = [{str(one): [*s.halves, *s.folds] for one, s in rung.items()} for rung in self.seen]
        files.keep(
            self.request.model + fit.PART, state, json.dumps({"key": self.key, "drawn": self.many, "seen": seen})
        )
        self.kept_at = time.monotonic()

    def _resumed(self) -> int:
        """How many sub-policies were drawn, where a checkpoint fits; else 0."""
        import torch

        from augx.learn import classifier, files

        path = self.request.model + fit.PART
        found = files.kept(path)
        if found is None:
            return 0
        state, text = found
        try:
            told = json.loads(text)
            if told["key"] != self.key:
                return 0
            for fold in range(_FOLDS):
                net = classifier.Net(len(self.known.classes))
                net.load_state_dict({name: state[f"{fold}.{name}"] for name in net.state_dict()})
                self.nets.append(net.to(self.device, memory_format=torch.channels_last).eval())  # as it was trained
            for rung in told["seen"]:
                rows = {int(one): tuple(map(float, row)) for one, row in rung.items()}
                self.seen.append({one: Seen((row[0], row[1]), row[2:]) for one, row in rows.items()})
            if told["drawn"] not in (_DRAWN >> halved for halved in range(10)):
                raise ValueError("drawn")
            return int(told["drawn"])
        except (ValueError, KeyError, TypeError, RuntimeError, IndexError, AttributeError):
            raise Refused(f"the checkpoint {path} is damaged", "delete it to begin anew") from None

    def rows(self, found: Sequence[_Kept]) -> list[Row]:
        """What the best sub-policies make of a few pictures."""
        from augx.learn.training import enlarged

        rows = []
        for number, kept in enumerate(found[:_SHOWN]):
            place = self.places[number % len(self.places)]
            (copies,) = self.arm.of_each(self._recipe(kept.policy, 0), [place])
            name = self.known.classes[self.known.labels[place]]
            tiles = [Tile(f"source: {name}", self.known.pixels[place])]
            tiles += [Tile(f"copy {copy}", pixels) for copy, pixels in enumerate(copies, 1)]
            rows.append(Row(flow(kept.policy), tuple(map(enlarged, tiles)), (f"gain {kept.gain.mean:+.1f} points",)))
        return rows


def _best(seen: Mapping[int, Seen], count: int) -> list[int]:
    return sorted(sorted(seen, key=lambda one: (-seen[one].mean, one))[:count])


def _alike(seen: Mapping[int, Seen]) -> float:
    """Spearman's rank correlation of the two halves; 0 where one says the same of all."""
    ranks = np.argsort(np.argsort(np.array([one.halves for one in seen.values()]), axis=0, kind="stable"), axis=0)
    if len(ranks) < 3:
        return 0.0
    return float(np.corrcoef(ranks.T)[0, 1])


def _words(request: fit.Request, known: Any, hunt: _Hunt, found: Sequence[_Kept]) -> list[str]:
    """What the file says of itself: how it was found, and how sure it is."""
    best, *others = found
    apart = [[a - b for a, b in zip(best.each, one.each, strict=True)] for one in others]
    less = sum(judging.difference(one, _FOLDS).verdict == judging.HELPS for one in apart)
    return [
        f"Use it in a recipe:  - policy: {os.path.basename(request.model)}",
        f"Found by augx {__version__}, seed {request.seed}{', --fast' if request.fast else ''}, on "
        f"{len(known.pixels):,} pictures of {len(known.classes):,} classes ({few(known.classes, 5)}), seen at "
        f"{known.side} x {known.side}; SHA-256 {known.digest[:16]}. Density matching (Lim et al. 2019, Fast "
        "AutoAugment) with successive halving (Jamieson, Talwalkar 2016): networks that were trained on the other "
        f"folds look at copies. Of the pictures as they are they recognise {hunt.accuracy:.1f} %; by chance "
        f"{100 / len(known.classes):.1f} %.",
        "The number above a sub-policy is its gain: by how many points the share that a network gives the right class "
        f"is larger on {_COPIES} copies (half their mean, half the best) than on the picture as it is, with the 95 % "
        f"interval over {_FOLDS} folds and {_REPEATS} repeats. It says what networks still recognise, not that "
        "training on it helps: ask `augx probe`.",
        "How sure is the order? Rank correlation of what two halves of the pictures say (1: the same order, 0: none):",
        *(f" {one.tried:5} sub-policies on {one.pictures:5,} pictures: {one.alike:.2f}" for one in hunt.rungs()),
        f"Of the {len(others)} below the first one, {less or 'none'} can be told apart from it, fold by fold.",
    ]
