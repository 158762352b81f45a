"""How a network is fitted: a number of steps that is known before the first, each a function of the seed and its own
number; so a killed training goes on where its last checkpoint was, and ends with the same weights."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import torch

from augx.drawing.sheet import Tile
from augx.errors import InputError, Refused
from augx.learn import files
from augx.learn.data import Data
from augx.model import Json

_WARM, _TIMED = 2, 8  # steps before and while the clock runs
_SCORES = 20  # times that the held-out pictures are asked while a network is fitted
_PATIENCE = 8  # of these without a better score
_BETTER = 0.99  # of the best score so far
_KEEP = 20.0  # seconds from one checkpoint to the next
_KEPT = ("steps", "done", "curve", "losses", "seconds")  # of a course, in a checkpoint
LEAST_STEPS = 50
_LEAST_PICTURES = 8
_HELD_OUT = 10  # every so manieth picture
_TILE = 128  # pixels of a picture on a sheet, about


class Fitting(Protocol):
    """A network while it is fitted. `parts`: the networks by name. `optimizers`: each with all of its state."""

    parts: Mapping[str, Any]
    optimizers: Sequence[Any]

    def step(self, number: int, steps: int, random: Any) -> float:
        """Step `number` of `steps`, from 0; returns the loss. `random`: the step's own generator."""
        ...

    def score(self) -> float:
        """What pictures that are held out say; less is better."""
        ...


@dataclass(slots=True)
class Course:
    """`curve`: [step, loss, score], in order. `losses`: of the steps since then. `stopped`: "" for the planned
    end, "plateau". `seconds`: of wall time, over all beginnings."""

    steps: int
    done: int = 0
    curve: list[list[float]] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    stopped: str = ""
    seconds: float = 0.0

    def told(self) -> dict[str, Json]:
        return {"steps": self.done, "planned": self.steps, "stopped": self.stopped, "curve": self.curve}


class Watch(Protocol):
    """Told how it goes on. `look`: the held-out pictures have been asked, so a sheet may be drawn."""

    def step(self, done: int, loss: float) -> None: ...
    def look(self, fitting: Any) -> None: ...


def refuse_few(known: Data, what: str) -> None:
    """InputError where there are too few pictures. `what`: needs them."""
    if len(known.pixels) < _LEAST_PICTURES:
        raise InputError(f"{what} needs {_LEAST_PICTURES} pictures, and there are {len(known.pixels)}", "give it more")


def divided(known: Data, least: int, most: int) -> tuple[Any, Any]:
    """The pictures to fit on and those that are held out, every tenth and at most `most`: (n, 3, side, side) of uint8.
    Where fewer than `least` would be held out, all are asked."""
    every = torch.from_numpy(known.pixels).permute(0, 3, 1, 2).contiguous()
    out = torch.arange(len(every)) % _HELD_OUT == _HELD_OUT - 1
    return every[~out], every[out if out.sum() >= least else slice(None)][:most]


def unit(pixels: Any) -> Any:
    """Levels 0..255 as -1..1."""
    return pixels.float() / 127.5 - 1


def cycle(share: float) -> float:
    """The rate of learning, as a share of its most, when this share of the steps is done: up for the first twentieth,
    then down along a cosine (Loshchilov, Hutter 2016, arXiv 1608.03983)."""
    return min(share * 20, 1.0) * (0.5 + 0.5 * math.cos(math.pi * share)) + 1e-3


def enlarged(tile: Tile) -> Tile:
    """A small picture in whole multiples of its pixels, for a sheet."""
    if tile.pixels is None:
        return tile
    times = max(1, _TILE // tile.pixels.shape[0])
    return replace(tile, pixels=tile.pixels.repeat(times, 0).repeat(times, 1))


def seconds_a_step(fitting: Fitting, seed: int, device: Any) -> float:
    """Fits a few steps, so that what is timed must be thrown away."""
    for number in range(_WARM + _TIMED):
        if number == _WARM:
            began = time.monotonic()
        fitting.step(number, LEAST_STEPS, generator(seed, number, device))
    return (time.monotonic() - began) / _TIMED


def generator(seed: int, number: int, device: Any) -> Any:
    """Random numbers of one step. On the CPU for any device, so that the draws are the same."""
    return torch.Generator().manual_seed((seed * 1_000_003 + number) % 2**63)


def fit(fitting: Fitting, course: Course, seed: int, device: Any, path: str, key: str, watch: Watch) -> Course:
    """Fits to the end. `path`: of the checkpoint; one that was kept under another `key` is not used."""
    course = _resumed(fitting, course, path, key)
    every = max(course.steps // _SCORES, 1)
    began = kept = time.monotonic()
    before = course.seconds
    while course.done < course.steps and not course.stopped:
        loss = fitting.step(course.done, course.steps, generator(seed, course.done, device))
        if loss != loss or abs(loss) == float("inf"):
            raise Refused(f"the training came apart in step {course.done:,}: its loss is no number",
                          "try another --seed, or look for odd pictures with `augx validate --input`")  # fmt: skip
        course.losses.append(loss)
        course.done += 1
        watch.step(course.done, loss)
        if course.done % every == 0 or course.done == course.steps:
            course.curve.append(
                [course.done, round(sum(course.losses) / len(course.losses), 6), round(fitting.score(), 6)]
            )
            course.losses.clear()
            course.stopped = "plateau" if _flat([one[2] for one in course.curve]) else ""
            watch.look(fitting)
        course.seconds = before + time.monotonic() - began
        if time.monotonic() - kept > _KEEP:
            _keep(fitting, course, path, key)
            kept = time.monotonic()
    return course


def _flat(scores: Sequence[float]) -> bool:
    if len(scores) <= _PATIENCE:
        return False
    return min(scores[-_PATIENCE:]) > _BETTER * min(scores[:-_PATIENCE])


def _keep(fitting: Fitting, course: Course, path: str, key: str) -> None:
    state: dict[str, Any] = {}
    for name, part in fitting.parts.items():
        state |= {f"{name}.{key_}": value for key_, value in part.state_dict().items()}
    for number, optimizer in enumerate(fitting.optimizers):
        for weight, of_it in optimizer.state_dict()["state"].items():
            state |= {f"optimizer{number}.{weight}.{name}": torch.as_tensor(value) for name, value in of_it.items()}
    files.keep(path, state, json.dumps({"key": key} | {name: getattr(course, name) for name in _KEPT}))


def _resumed(fitting: Fitting, course: Course, path: str, key: str) -> Course:
    """The course of the checkpoint at `path`, whose state `fitting` then has; `course` where none fits."""
    found = files.kept(path)
    if found is None:
        return course
    state, text = found
    try:
        told = json.loads(text)
        if told["key"] != key:
            return course
        for name, part in fitting.parts.items():
            part.load_state_dict({one: state[f"{name}.{one}"] for one in part.state_dict()})
        for number, optimizer in enumerate(fitting.optimizers):
            whole = optimizer.state_dict()
            weights: dict[int, dict[str, Any]] = {}
            for name, value in state.items():
                of, _, rest = name.partition(".")
                if of == f"optimizer{number}":
                    weight, _, what = rest.partition(".")
                    weights.setdefault(int(weight), {})[what] = value
            optimizer.load_state_dict(whole | {"state": weights})
        curve = [[int(step), float(loss), float(score)] for step, loss, score in told["curve"]]
        losses = [float(loss) for loss in told["losses"]]
        return Course(int(told["steps"]), int(told["done"]), curve, losses, "", float(told["seconds"]))
    except (ValueError, KeyError, TypeError, RuntimeError, OverflowError):
        raise Refused(f"the checkpoint {path} is damaged", "delete it to begin anew") from None
