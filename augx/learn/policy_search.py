"""`augx learn policy`: which transforms, how often and how strong, found on the user's own pictures.

Lim, Kim, Kim, Kim, Kim 2019, "Fast AutoAugment", arXiv 1905.00397: density matching. Networks are trained on folds of
the pictures as they are, and look at the pictures they were not trained on, augmented: a good sub-policy makes of these
what the networks still take for the class. As in the authors' program the best of a few copies of each picture counts,
so that a sub-policy gains by variety that stays true, and nothing by leaving pictures alone.

Jamieson, Talwalkar 2016, "Non-stochastic Best Arm Identification and Hyperparameter Optimization", arXiv 1502.07943:
successive halving. Many sub-policies are drawn and seen on few pictures; the better half goes on to twice as many.

The copies come from the pipeline of a run, and the policy is a file that recipes read without torch.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import re
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from augx import __version__, engine, versions
from augx.drawing.sheet import Row, Tile
from augx.errors import InputError, Refused, few
from augx.learn import door, fit, judging, probe
from augx.learn.judging import Difference
from augx.model import Json, Step
from augx.recipe import Recipe
from augx.store import open_regular, write_file
from augx.transforms.own.policy_tables import AUTOAUGMENT

METHOD = "policy"
ENDINGS = (".yaml", ".yml")
_FOLDS = 5
_LEAST = 10  # pictures of each class
_COPIES = 4  # of each picture
_SHARES = (1 / 8, 1 / 4, 1 / 2, 1)  # of the pictures, in one rung after the other
_REPEATS = 2  # of the last rung, each with other copies
_DRAWN, _FAST_DRAWN = 512, 256  # sub-policies; one in 16 is kept
_KEPT = 16
_STEPS = 300  # of each network: it knows its pictures by then
_MOST, _FAST_MOST = 2000, 500  # pictures that are looked at
_BETTER = 2.0  # standard errors above chance, which networks must reach to be of use
_TIMED = 6  # sub-policies
_KEEP = 20.0  # seconds from one checkpoint to the next
_SHOWN = 8  # rows of the sheet
_MARK = "# Written by `augx learn policy`; digest "
_REQUEST = "# request "

SubPolicy = list[dict[str, Json]]  # as the file has it
Args = Mapping[str, Json]


def _about(share: float) -> list[Json]:
    return [round(1 - share, 3), round(1 + share, 3)]


def _either(most: float) -> list[Json]:
    return [-round(most, 3), round(most, 3)]


def _moved(**args: Json) -> Args:
    return {**args, "border_mode": "reflect_101"}


def _still(**args: Json) -> Args:
    return {"brightness": [1, 1], "contrast": [1, 1], "saturation": [1, 1], "hue": [0, 0], **args}


# What a sub-policy may be made of: a transform, and its arguments at strength 1 to 10; None: it has none.
_SPACE: Sequence[tuple[str, Callable[[int], Args] | None]] = (
    *((name, None if scale is None else lambda m: {"m": m}) for name, scale in AUTOAUGMENT.items()
      if name != "Identity"),
    ("HorizontalFlip", None),
    ("VerticalFlip", None),
    ("Affine", lambda m: _moved(rotate=_either(4 * m))),
    ("Affine", lambda m: _moved(scale=_about(0.04 * m), keep_ratio=True)),
    ("Affine", lambda m: _moved(scale=_about(0.03 * m))),
    ("Affine", lambda m: _moved(translate_percent=_either(0.025 * m))),
    ("Affine", lambda m: _moved(shear=_either(3 * m))),
    ("Perspective", lambda m: _moved(scale=[0.0, round(0.02 * m, 3)])),
    ("RandomBrightnessContrast", lambda m: {"brightness_limit": _either(0.06 * m), "contrast_limit": _either(0.06 * m)}),
    ("RandomGamma", lambda m: {"gamma_limit": [100 - 7 * m, 100 + 12 * m]}),
    ("ColorJitter", lambda m: _still(saturation=_about(0.1 * m))),
    ("ColorJitter", lambda m: _still(hue=_either(0.03 * m))),
    ("smooth_field", lambda m: {"sigma": 5 * m}),
    ("GaussianBlur", lambda m: {"blur_limit": 0, "sigma_limit": [0.1, round(0.15 * m, 3)]}),
    ("GaussNoise", lambda m: {"std_range": [0.0, round(0.015 * m, 3)]}),
    ("ImageCompression", lambda m: {"quality_range": [95 - 8 * m, 100]}),
    ("CoarseDropout", lambda m: {"num_holes_range": [1, 2], "hole_height_range": [0.05, round(0.05 + 0.04 * m, 3)],
                                 "hole_width_range": [0.05, round(0.05 + 0.04 * m, 3)]}),
)  # fmt: skip


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

    text: str
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
        }  # fmt: skip


def search(request: fit.Request, told: door.Told) -> Outcome:
    """Raises Refused before anything is written, Stopped where the policy cannot be."""
    fit.guard(request, "a policy", ENDINGS, lambda data: _digest(data) is not None)
    device = door.ready(request.device, request.threads)
    import cv2

    from augx.learn import data

    cv2.setNumThreads(0)  # as in the workers of a run
    dataset = data.dataset(request.input, request.from_format, request.read)
    probe.refuse_others("`learn policy`", request.input, dataset.samples)
    known, notes = probe.classed(data.read(dataset, request.side, 32 if request.fast else 64))
    count = np.bincount(known.labels)
    if count.min() < _LEAST:
        scarce = int(count.argmin())
        raise InputError(
            f"the class {known.classes[scarce]} has {count[scarce]} pictures, and `learn policy` needs {_LEAST} of each",
            "add some, or leave it out",
        )
    groups, more = probe.groups_of(known, _FOLDS)
    made_by = versions.everything(learned=True)
    asked = [METHOD, request.fast, request.seconds, request.seed, known.digest, str(device), request.threads, known.side]
    key = hashlib.sha256(repr([*asked, sorted(made_by.items())]).encode()).hexdigest()
    if there := _there(request.model, key):
        return Outcome(there, fresh=True)
    began = time.process_time()
    hunt = _Hunt(request, known, judging.divide(known.labels, groups, _FOLDS, request.seed), device, key, told)
    try:
        found = hunt.found()
        text = _text(request, known, hunt, found, key)
        write_file(request.model, text.encode())
        fit.write_sheet(request.model, hunt.rows(found))
        with suppress(FileNotFoundError):
            os.remove(request.model + fit.PART)
    finally:
        told.end()
    seconds = time.process_time() - began
    notes += more
    return Outcome(text, *_kept(found), hunt.rungs(), hunt.accuracy, seconds, tuple(notes))


@dataclass(frozen=True, slots=True)
class Seen:
    """What the networks say of a sub-policy: the mean gain in points on two halves of the pictures, and on each fold."""

    halves: tuple[float, float]
    folds: tuple[float, ...]

    @property
    def mean(self) -> float:
        return sum(self.halves) / 2


@dataclass(frozen=True, slots=True)
class _Kept:
    policy: SubPolicy
    gain: Difference


class _Hunt:
    """One search: what it has seen so far is in its checkpoint, with the networks."""

    def __init__(self, request: fit.Request, known: Any, fold: NDArray[np.int64], device: Any, key: str, told: Any):
        from augx.learn.arms import Multiplied

        self.request, self.known, self.fold, self.device, self.key, self.told = request, known, fold, device, key, told
        base = Recipe(copies=_COPIES, originals=False, seed=request.seed, steps=(Step("NoOp"),))
        asked = engine.Request(
            request.input, "", base, request.from_format, ("table",), request.read, allow_loss=True
        )
        self.arm = Multiplied(asked, known, request.seed)
        most = min(len(known.pixels), _FAST_MOST if request.fast else _MOST)
        places = np.random.default_rng(request.seed).permutation(len(known.pixels))[:most]
        self.places = places.tolist()
        self.nets: list[Any] = []
        self.seen: list[dict[int, Seen]] = []  # in each rung, and each repeat of the last: sub-policy -> what was seen
        self.tried = 0
        self.kept_at = time.monotonic()
        self.accuracy = 0.0
        self.base: NDArray[np.float64] = np.zeros(0)

    def found(self) -> list[_Kept]:
        """The sub-policies to keep, the best first."""
        drawn = self._begin()
        candidates = _drawn(drawn, self.request.seed)
        going = list(range(drawn))
        for number, share in enumerate(_SHARES):
            places = self.places[: self._count(share)]
            last = number == len(_SHARES) - 1
            for repeat in range(_REPEATS if last else 1):
                seen = self._rung(number + repeat, going, candidates, places)
            if not last:
                going = _best(seen, len(going) // 2)
        repeats = self.seen[-_REPEATS:]
        together = {
            one: [100 * gain for seen in repeats for gain in seen[one].folds]
            for one in going if all(one in seen for seen in repeats)
        }  # fmt: skip
        gains = {one: judging.difference(found, _FOLDS) for one, found in together.items()}
        best = sorted(gains, key=lambda one: (-gains[one].mean, one))[: max(drawn // 16, 1)]
        return [_Kept(candidates[one], gains[one]) for one in best]

    def rungs(self) -> tuple[Rung, ...]:
        counts = [self._count(share) for share in _SHARES]
        shown = [*self.seen[: len(counts) - 1], self.seen[-1]]
        return tuple(Rung(len(seen), count, _alike(seen)) for seen, count in zip(shown, counts, strict=True))

    def _count(self, share: float) -> int:
        return min(len(self.places), max(4 * _FOLDS, round(share * len(self.places))))

    def _work(self, drawn: int) -> int:
        """Pictures to be made for so many sub-policies."""
        each = [self._count(share) * (_REPEATS if share == 1 else 1) for share in _SHARES]
        return sum((drawn >> number) * count * _COPIES for number, count in enumerate(each))

    def _units(self, drawn: int) -> int:
        """Sub-policies to be seen, in all rungs."""
        return sum(drawn >> number for number in range(len(_SHARES))) + (drawn >> (len(_SHARES) - 1)) * (_REPEATS - 1)

    def _begin(self) -> int:
        """Trains the networks, or takes them from the checkpoint; how many sub-policies to draw."""
        drawn = self._resumed()
        if drawn:
            self.told.begin("goes on where it was", self._units(drawn))
        else:
            drawn = self._affordable()
            x = self._on_device(self.known.pixels)
            y = self._on_device(np.eye(len(self.known.classes), dtype=np.float32)[self.known.labels])
            self.nets = [self._trained(x[self.fold != fold], y[self.fold != fold], fold) for fold in range(_FOLDS)]
            self._keep(drawn)
        self.drawn = drawn
        shares, right = self._asked(self.known.pixels[self.places], self.places)
        self.base, self.accuracy = shares, 100 * float(right.mean())
        chance = 100 / len(self.known.classes)
        if self.accuracy < chance + _BETTER * (chance * (100 - chance) / len(self.places)) ** 0.5:
            raise Refused(
                f"networks only guess on these pictures ({self.accuracy:.1f} %, by chance {chance:.1f} %), so nothing "
                "they say of a policy counts",
                "give more pictures, or a larger --side",
            )
        return drawn

    def _trained(self, x: Any, y: Any, fold: int, steps: int = _STEPS) -> Any:
        from augx.learn import classifier

        return classifier.trained(x, y, self.request.seed * _FOLDS + fold, steps)

    def _affordable(self) -> int:
        """How many sub-policies there is time for."""
        x = self._on_device(self.known.pixels)
        y = self._on_device(np.eye(len(self.known.classes), dtype=np.float32)[self.known.labels])
        for steps in (10, 20):  # the first to get warm
            began = time.monotonic()
            self.nets = [self._trained(x, y, 0, steps)] * _FOLDS
        training = (time.monotonic() - began) / steps * _STEPS * _FOLDS
        self.base = np.zeros(len(self.places))
        places = self.places[:_TIMED]
        for timed in (_drawn(1, 1), _drawn(_TIMED, self.request.seed)):  # what is done once should not count
            began = time.monotonic()
            for one in timed:
                self._look(one, 0, places)
        each = (time.monotonic() - began) / (_TIMED * len(places) * _COPIES)
        drawn = _FAST_DRAWN if self.request.fast else _DRAWN
        allowed = self.request.seconds
        while allowed is not None and drawn > _KEPT and training + each * self._work(drawn) > allowed:
            drawn //= 2
        seconds = training + each * self._work(drawn)
        if allowed is not None and seconds > allowed:
            raise Refused(
                f"a search on these pictures takes about {door.duration(1.1 * seconds)}, and --budget gives "
                f"{door.duration(allowed)}",
                "give it more, or fewer pictures",
            )
        known = self.known
        words = f"{len(known.pixels):,} pictures of {len(known.classes):,} classes at {known.side} x {known.side}; "
        words += f"{drawn} sub-policies, looked at by {_FOLDS} networks on {self.device}, about {door.duration(seconds)}"
        self.told.begin(words, self._units(drawn))
        return drawn

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
                    self._keep(self.drawn)
            self.tried += 1
            self.told.step(self.tried, f"rung {min(number, len(_SHARES) - 1) + 1} of {len(_SHARES)}")
        self._keep(self.drawn)
        return seen

    def _look(self, policy: SubPolicy, number: int, places: Sequence[int]) -> Seen:
        copies = self.arm.of_each(self._recipe(policy, number), places)
        whole = [len(one) == _COPIES for one in copies]
        if not all(whole):
            return Seen((-1.0, -1.0), (-1.0,) * _FOLDS)
        pixels = np.concatenate(copies)
        shares = self._asked(pixels, np.repeat(places, _COPIES))[0].reshape(-1, _COPIES)
        gain = shares.max(1) - self.base[: len(places)]
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
                    said = net(scaled(self._on_device(pixels[part]))).softmax(1).cpu().numpy()
                shares[part] = said[np.arange(len(part)), labels[part]]
                right[part] = said.argmax(1) == labels[part]
        return shares, right

    def _on_device(self, values: NDArray[Any]) -> Any:
        import torch

        found = torch.from_numpy(values)
        return (found.permute(0, 3, 1, 2) if found.ndim == 4 else found).to(self.device)

    def _keep(self, drawn: int) -> None:
        from augx.learn import files

        state = {f"{fold}.{name}": one for fold, net in enumerate(self.nets) for name, one in net.state_dict().items()}
        seen = [{str(one): [*s.halves, *s.folds] for one, s in rung.items()} for rung in self.seen]
        files.keep(
            self.request.model + fit.PART, state, json.dumps({"key": self.key, "drawn": drawn, "seen": seen})
        )
        self.kept_at = time.monotonic()

    def _resumed(self) -> int:
        """How many sub-policies were drawn, where a checkpoint fits; else 0."""
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
                self.nets.append(net.to(self.device).eval())
            for rung in told["seen"]:
                rows = {int(one): tuple(map(float, row)) for one, row in rung.items()}
                self.seen.append({one: Seen((row[0], row[1]), row[2:]) for one, row in rows.items()})
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
            rows.append(Row(_flow(kept.policy), tuple(map(enlarged, tiles)), (f"gain {kept.gain} points",)))
        return rows


def _drawn(count: int, seed: int) -> list[SubPolicy]:
    """So many different sub-policies of two transforms each; the first ones are the same for any count."""
    draws = random.Random(seed)
    found: dict[str, SubPolicy] = {}
    while len(found) < count:
        ops: SubPolicy = []
        for number in draws.sample(range(len(_SPACE)), 2):
            name, at = _SPACE[number]
            p, strength = draws.randint(2, 10) / 10, draws.randint(1, 10)
            ops.append({name: {**(at(strength) if at else {}), "p": p}})
        found.setdefault(_flow(ops), ops)
    return list(found.values())


def _best(seen: Mapping[int, Seen], count: int) -> list[int]:
    return sorted(sorted(seen, key=lambda one: (-seen[one].mean, one))[:count])


def _alike(seen: Mapping[int, Seen]) -> float:
    """Spearman's rank correlation of the two halves; 0 where one says the same of all."""
    ranks = np.argsort(np.argsort(np.array([one.halves for one in seen.values()]), axis=0, kind="stable"), axis=0)
    if len(ranks) < 3:
        return 0.0
    return float(np.corrcoef(ranks.T)[0, 1])


def _kept(found: Sequence[_Kept]) -> tuple[tuple[SubPolicy, ...], tuple[Difference, ...]]:
    return tuple(one.policy for one in found), tuple(one.gain for one in found)


def _flow(value: Json) -> str:
    """YAML in one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_flow(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)


def _text(request: fit.Request, known: Any, hunt: _Hunt, found: Sequence[_Kept], key: str) -> str:
    """The file: what was found, and how sure it is."""
    said = [
        f"Use it in a recipe:  - policy: {os.path.basename(request.model)}",
        "",
        f"Found on {len(known.pixels):,} pictures of {len(known.classes):,} classes ({few(known.classes, 5)}), seen at",
        f"{known.side} x {known.side}; SHA-256 {known.digest[:16]}. Density matching (Lim et al. 2019, Fast AutoAugment)",
        "with successive halving (Jamieson, Talwalkar 2016): networks trained on the other folds look at copies of",
        f"pictures they do not know. As they are they recognise {hunt.accuracy:.1f} % of them; by chance "
        f"{100 / len(known.classes):.1f} %.",
        "",
        "The number behind a sub-policy is its gain: by how many points the share that a network gives the right class",
        f"is larger on the best of {_COPIES} copies than on the picture as it is; with the 95 % interval over "
        f"{_FOLDS} folds and",
        f"{_REPEATS} repeats. It says what networks still recognise, not that training on it helps: ask `augx probe`.",
        "",
        "How sure is the order? Rank correlation of what two halves of the pictures say (1: the same order, 0: none):",
        *(f"  {one.tried:4} sub-policies on {one.pictures:5,} pictures: {one.alike:.2f}" for one in hunt.rungs()),
        *_order(found),
        "",
        f"augx {__version__}, seed {request.seed}{', --fast' if request.fast else ''}",
    ]
    lines = [f"  - {_flow(one.policy)}  # {one.gain}" for one in found]
    comments = [f"# {line}".rstrip() for line in said]
    body = "\n".join([*comments, _REQUEST + key, "version: 1", "policies:", *lines, ""])
    return f"{_MARK}{_hash(body)}: edit it, and augx will not write over it.\n{body}"


def _order(found: Sequence[_Kept]) -> list[str]:
    """How many of the sub-policies are told apart from the best by their intervals."""
    best = found[0].gain
    less = sum(one.gain.mean + one.gain.margin < best.mean - best.margin for one in found)
    if not less:
        return ["All intervals below meet that of the first: the order of what is kept says next to nothing."]
    return [f"The intervals of {less} of {len(found)} below do not meet that of the first; the others may be as good."]


def _hash(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()[:16]


def _digest(data: bytes) -> str | None:
    """The digest in the first line of a policy that is as `augx learn` wrote it; else None."""
    text = data.decode("utf-8", "replace")
    first, _, body = text.partition("\n")
    found = re.fullmatch(re.escape(_MARK) + r"(\w{16}): .*", first)
    return found[1] if found and _hash(body) == found[1] else None


def _there(path: str, key: str) -> str:
    """The policy that this request has found before; "" where there is none."""
    try:
        with open_regular(path) as file:
            data = file.read(1 << 20)
    except OSError:
        return ""
    text = data.decode("utf-8", "replace")
    return text if _digest(data) and f"\n{_REQUEST}{key}\n" in text else ""
