"""How a generator is fitted, with what its pictures are held against, and both at work."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn.functional import adaptive_avg_pool2d, softplus

from augx.artefact import Place
from augx.drawing.sheet import Row, Tile
from augx.errors import ImageError, InputError, few
from augx.learn import data, files, gates, surrogate
from augx.learn.classifier import Net
from augx.learn.data import Data, Pixels
from augx.learn.door import alone
from augx.learn.gates import Gates
from augx.learn.generator import CODE, GROUP, Discriminator, Generator, augmented
from augx.learn.training import enlarged, unit
from augx.model import Json

METHOD = "gan"
MOST_SIDE = 128
_LEAST = 15  # pictures of a class
_BATCH = 32
_RATE = 2.5e-3  # of learning
_BEGIN, _AT_ONCE = 0.04, 6  # of the steps, for the classifier, which takes so many of its own in each
_R1, _EVERY = 0.1, 8  # weight of the discriminator's gradient at real pictures, held small every so manieth step
_VARIED, _ENOUGH = 2.0, 0.8  # weight of two pictures of a class being so far apart, of what real ones are
_DARK = 0.03  # of -1..1, so that noise in a flat picture stays small
_COARSE = 8  # pixels a side, at which that is seen: so fine noise does not count
_SLOWEST = 0.995  # of the moving average of the weights
_ASKED = 256  # pictures that are generated for a score, at most
_LEAST_ASKED = 8  # of each class
_SHOWN = 8  # of each class, on the sheet
_MOST_CLASSES = 10  # on the sheet
_MOST_WIDTH = 128
CONFIDENCE = 0.5
UNRECOGNISED, COPIED = "unrecognised", "copied"  # what the gates find


def refuse(known: Data) -> None:
    """InputError where there are too few pictures of a class, or nothing to tell apart."""
    surrogate.refuse(known)
    counts = np.bincount(known.labels[known.labels >= 0], minlength=len(known.classes))
    poor = [f"{name} {count}" for name, count in zip(known.classes, counts, strict=True) if count < _LEAST]
    if poor:
        raise InputError(
            f"a GAN needs about {_LEAST} pictures of each class, and there are fewer: {few(poor)}",
            "give it more, or leave these classes out",
        )
    if known.side > MOST_SIDE:
        raise InputError(f"a GAN of few pictures makes them of 32 to {MOST_SIDE} pixels, not {known.side}",
                         f"--side {MOST_SIDE}")  # fmt: skip


class Fitting:
    """See `training.Fitting`. First a classifier, as for `adversarial`, then the generator against a discriminator."""

    steps, fast_steps = 20_000, 3000

    def __init__(self, known: Data, seed: int, device: Any, fast: bool) -> None:
        self.judge = surrogate.Fitting(known, seed, device, True, mirrored=False)
        torch.manual_seed(seed)
        some = np.flatnonzero(known.labels >= 0)
        grey = bool((known.pixels == known.pixels[..., :1]).all())
        self.architecture: dict[str, Json] = {"width": 16 if fast else 32, "side": known.side, "grey": grey}
        self.architecture["judge"] = self.judge.architecture["width"]
        size = int(self.architecture["width"]), known.side, len(known.classes)
        self.net, self.average = Generator(*size).to(device), Generator(*size).to(device).requires_grad_(False)
        self.average.load_state_dict(self.net.state_dict())
        self.other = Discriminator(*size).to(device)
        self.parts: Mapping[str, nn.Module] = {
            "net": self.net, "average": self.average, "other": self.other, "judge": self.judge.net,
        }  # fmt: skip
        adam = [torch.optim.Adam(net.parameters(), _RATE, (0.0, 0.99)) for net in (self.net, self.other)]
        self.optimizers = [*adam, *self.judge.optimizers]
        self.known, self.device, self.some = known, device, some
        self.pictures = torch.from_numpy(known.pixels[some]).permute(0, 3, 1, 2).contiguous()
        self.labels = torch.from_numpy(known.labels[some])
        self.members = {name: torch.nonzero(self.labels == name)[:, 0] for name in torch.unique(self.labels).tolist()}
        seen = torch.cat([coarse(unit(part)) for part in self.pictures.split(256)]).numpy()
        self.apart = torch.from_numpy(gates.apart(seen, self.labels.numpy(), len(known.classes))).to(device)
        self.held: Gates | None = None  # as soon as the classifier is fitted
        every = torch.arange(len(known.classes)).repeat(max(_LEAST_ASKED, _ASKED // len(known.classes)))
        self.asked = torch.randn(len(every), CODE, generator=torch.Generator().manual_seed(0)), every

    def step(self, number: int, steps: int, random: Any) -> float:
        begin = math.ceil(_BEGIN * steps)
        if number < begin:
            turns = range(number * _AT_ONCE, (number + 1) * _AT_ONCE)
            return sum(self.judge.step(turn, begin * _AT_ONCE, random) for turn in turns) / _AT_ONCE
        chosen = self._chosen(random)
        labels = self.labels[chosen].to(self.device)
        code = torch.randn(_BATCH, CODE, generator=random).to(self.device)
        real = augmented(unit(self.pictures[chosen]).to(self.device), random)
        made = self.net(code, labels)
        first, second = self.optimizers[:2]
        held = number % _EVERY == 0
        real.requires_grad_(held)
        says = self.other(real, labels)
        loss = softplus(-says).mean() + softplus(self.other(augmented(made.detach(), random), labels)).mean()
        told = float(loss.detach())
        if held:
            (slope,) = torch.autograd.grad(says.sum(), real, create_graph=True)
            loss = loss + _EVERY * _R1 / 2 * slope.square().sum((1, 2, 3)).mean()
        second.zero_grad(set_to_none=True)
        loss.backward()
        second.step()
        self.other.requires_grad_(False)
        loss = softplus(-self.other(augmented(made, random), labels)).mean() + _VARIED * self._alike(made, labels)
        first.zero_grad(set_to_none=True)
        loss.backward()
        first.step()
        self.other.requires_grad_(True)
        share = max(1 - _SLOWEST, 9 / (10 + number - begin))
        with torch.no_grad():
            for mean, weight in zip(self.average.parameters(), self.net.parameters(), strict=True):
                mean.lerp_(weight, share)
        return told + float(loss.detach())

    def _alike(self, made: Any, labels: Any) -> Any:
        """By how much two generated pictures of a class are nearer to each other than real ones should be, 0..1: else
        one picture of each class is all that the generator finds (Mao et al. 2019, arXiv 1903.05628)."""
        seen = coarse(made)
        between = ((seen[::2] - seen[1::2]).square().sum(1) + 1e-8).sqrt()
        return torch.relu(_ENOUGH - between / self.apart[labels[::2]]).mean()

    def _chosen(self, random: Any) -> Any:
        """Numbers of pictures: groups of one class, which is that of any picture."""
        classes = self.labels[torch.randint(len(self.labels), (_BATCH // GROUP,), generator=random)]
        some = [self.members[name] for name in classes.tolist()]
        return torch.cat([one[torch.randint(len(one), (GROUP,), generator=random)] for one in some])

    def score(self) -> float:
        """How far generated pictures are from the real ones of their class, as the classifier sees them: means and
        deviations of features, 1 where they are as far as one real picture is from another."""
        gates, (made, of) = self._gates(), self._asked()
        found = []
        for number in np.unique(gates.labels):
            here, there = gates.kept[gates.labels == number], made[of == number]
            apart = np.square(here.mean(0) - there.mean(0)).sum() + np.square(here.std(0) - there.std(0)).sum()
            found.append(apart / max(here.var(0).sum(), 1e-9))
        return float(np.mean(found))

    def _asked(self) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Features of generated pictures, the same ones each time, and their classes."""
        code, labels = self.asked
        with torch.no_grad():
            parts = zip(code.split(64), labels.split(64), strict=True)
            made = [self.average(one.to(self.device), of.to(self.device)) for one, of in parts]
            found: NDArray[np.float32] = gates.features(self._gates().net, levels(torch.cat(made))).cpu().numpy()
        return found, labels.numpy()

    def _gates(self) -> Gates:
        if self.held is None:
            self.judge.net.eval().requires_grad_(False)
            with torch.no_grad():
                every = [
                    gates.features(self.judge.net, part.to(self.device)).cpu() for part in self.pictures.split(256)
                ]
            found, labels = torch.cat(every).numpy(), self.labels.numpy()
            kept = gates.kept_of(len(found))
            found, labels = found[kept], labels[kept]
            copy = gates.copy_distance(self.judge.net, self.pictures[torch.from_numpy(kept)], found)
            names = [self.known.samples[number].id for number in self.some[kept]]
            self.held = Gates(self.judge.net, self.known.classes, found, labels, names, copy)
        return self.held

    def finished(self) -> dict[str, Any]:
        held = self._gates()
        names = "\0".join(held.names).encode("utf-8", "surrogatepass")
        kept = {"kept": held.kept, "labels": held.labels, "names": np.frombuffer(names, np.uint8).copy()}
        state = {f"generator.{name}": one for name, one in self.average.state_dict().items()}
        state |= {f"judge.{name}": one for name, one in self.judge.net.state_dict().items()}
        return state | {name: torch.from_numpy(one) for name, one in kept.items()}

    def gates(self) -> dict[str, Json]:
        """How well the classifier does, from what distance on a picture is a copy, how varied generated pictures are,
        and what share of them comes through."""
        held, painter = self._gates(), self._painter()
        made, of = self._asked()
        through = [painter.fault(painter.draw(name, code), name)[0] == "" for name, code in self._some()]
        return {
            **self.judge.gates(), "copy_distance": round(held.copy, 6), "accepted": round(float(np.mean(through)), 4),
            **gates.variety(made, of, held.kept, held.labels, held.classes),
        }  # fmt: skip

    def _some(self) -> list[tuple[str, NDArray[np.float32]]]:
        """Classes, and codes to draw them from."""
        code, labels = self.asked
        return [(self.known.classes[number], one) for one, number in zip(code.numpy(), labels.numpy(), strict=True)]

    def _painter(self) -> Painter:
        return Painter(self.average, self._gates(), bool(self.architecture["grey"]))

    def rows(self) -> list[Row]:
        """Of each class a real picture, generated ones as they come, and what the gates say of them."""
        painter, rows, some = self._painter(), [], self._some()
        for number, name in enumerate(self.known.classes[:_MOST_CLASSES]):
            real = int(np.flatnonzero(self.known.labels == number)[0])
            tiles = [Tile("real", self.known.pixels[real])]
            for _, code in [one for one in some if one[0] == name][:_SHOWN]:
                pixels = painter.draw(name, code)
                fault, told = painter.fault(pixels, name)
                says = f"{told['confidence']:.0%} {name}"
                tiles.append(Tile(fault or "passes", data.squared(pixels, painter.side), says))
            rows.append(Row(name, tuple(map(enlarged, tiles))))
        return rows


def coarse(x: Any) -> Any:
    """Pictures (n, 3, side, side) as a few numbers each, in one light."""
    x = adaptive_avg_pool2d(x, _COARSE).flatten(1)
    return (x - x.mean(1, keepdim=True)) / (x.std(1, keepdim=True) + _DARK)


def levels(x: Any) -> Any:
    """Pictures in -1..1 as uint8."""
    return ((x + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)


class Painter:
    """The generator at work on one picture."""

    def __init__(self, net: Any, gates: Gates, grey: bool) -> None:
        self.net, self.gates, self.grey = net, gates, grey
        self.device = next(net.parameters()).device

    @property
    def side(self) -> int:
        return int(self.net.side)

    @property
    def classes(self) -> tuple[str, ...]:
        return self.gates.classes

    def draw(self, name: str, code: NDArray[np.float32]) -> Pixels:
        """A picture of a class: (side, side, 3), or (side, side) where the real ones are grey."""
        with alone():
            label = torch.tensor([self.classes.index(name)], device=self.device)
            x = self.net(torch.from_numpy(code)[None].to(self.device), label)
            if not bool(x.isfinite().all()):
                raise ImageError("no-model", "the model makes numbers that are no picture; fit it anew", "transform")
            x = x.mean(1, keepdim=True) if self.grey else x
            found: Pixels = levels(x)[0].permute(1, 2, 0).cpu().numpy()
        return found[..., 0] if self.grey else np.ascontiguousarray(found)

    def fault(
        self, pixels: Pixels, name: str, confidence: float = CONFIDENCE, novelty: float = 1.0
    ) -> tuple[str, dict[str, Json]]:
        """Why a picture is not let through, "" if it is, and what was found till then. `confidence`: the least share
        that the classifier gives its class. `novelty`: the least distance from real pictures, in those of a copy."""
        gates = self.gates
        x = torch.from_numpy(data.squared(pixels, self.side)).permute(2, 0, 1)[None].to(self.device)
        with alone():
            share = float(gates.shares(x)[0, self.classes.index(name)])
            told: dict[str, Json] = {"confidence": round(share, 4)}
            if share < confidence:
                return UNRECOGNISED, told
            distance, names = gates.nearest(x)
        far = distance / gates.copy if gates.copy else 1.0
        return COPIED if far < novelty else "", told | {"novelty": round(far, 4), "partners": names}


@lru_cache(maxsize=4)
def painter(place: Place) -> Painter:
    """Of a model file. ImageError where it cannot be used."""
    card, state = files.read(place, METHOD)
    width, side = files.sized(card, place, _MOST_WIDTH)
    unfit = ImageError("no-model", f"the model {place.path} does not fit its own architecture", "transform")
    judge, grey, copy = card.architecture.get("judge"), card.architecture.get("grey"), card.gates.get("copy_distance")
    if type(judge) is not int or not 8 <= judge <= _MOST_WIDTH or type(grey) is not bool or side > MOST_SIDE:
        raise unfit
    if not isinstance(copy, (int, float)) or not 0 <= copy < 1e9 or len(card.classes) < 2:
        raise unfit
    with torch.device("meta"):
        net, classifier = Generator(width, side, len(card.classes)), Net(len(card.classes), judge)
    parts: dict[str, dict[str, Any]] = {"generator": {}, "judge": {}, "": {}}
    for name, one in state.items():
        of, dot, rest = name.partition(".")
        parts.setdefault(of if dot else "", {})[rest if dot else name] = one
    try:
        kept, labels = (parts[""][name].numpy() for name in ("kept", "labels"))
        names = parts[""]["names"].numpy().tobytes().decode("utf-8", "surrogatepass").split("\0")
    except (KeyError, ValueError) as error:
        raise unfit from error
    numbers = judge * 4 * gates.GRID**2
    if kept.dtype != np.float32 or kept.shape != (len(names), numbers) or labels.shape != (len(names),):
        raise unfit
    net, classifier = files.filled(net, parts["generator"], place), files.filled(classifier, parts["judge"], place)
    return Painter(net, Gates(classifier, card.classes, kept, labels, names, float(copy)), grey)
