"""Models and checkpoints on disk: safetensors, whole or not at all, and never believed further than they prove."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

from augx import artefact
from augx.artefact import Card, Place, Unusable
from augx.errors import ImageError
from augx.learn import data
from augx.store import open_regular, write_file

State = Mapping[str, Any]  # name -> tensor


def write(path: str, state: State, card: Card) -> None:
    """Raises Stopped."""
    write_file(path, save(_plain(state), {artefact.METADATA: card.text()}))


def read(place: Place, method: str) -> tuple[Card, State]:
    """A model, for a worker. ImageError `no-model` where it is not the one that the run was planned with."""
    try:
        with open_regular(place.path) as file:
            if os.fstat(file.fileno()).st_size > artefact.MOST_FILE:
                raise Unusable("is too large")
            content = file.read()
        card = artefact.of_bytes(content)
        if place.sha256 and artefact.sha256(content) != place.sha256:
            raise Unusable("has changed since the run was planned; run again")
        if card.method != method:
            raise Unusable(f"is a model of {card.method!r}, not of {method!r}")
        state = load(content)
        if not all(bool(torch.isfinite(one).all()) for one in state.values() if one.is_floating_point()):
            raise Unusable("holds numbers that are not finite")
    except (Unusable, OSError, SafetensorError) as error:
        why = f"cannot be read: {error.strerror or error}" if isinstance(error, OSError) else str(error)
        raise ImageError("no-model", f"the model {place.path} {why}", "transform") from error
    return card, state


def sized(card: Card, place: Place, most: int) -> tuple[int, int]:
    """Width of a network and side of its pictures, in the bounds that a fit keeps to. ImageError."""
    width, side = card.architecture.get("width"), card.architecture.get("side")
    if type(width) is not int or type(side) is not int or not 8 <= width <= most or width % 8:
        raise ImageError("no-model", f"the model {place.path} has no architecture that augx knows", "transform")
    if side % data.STEP or not data.SMALLEST <= side <= data.LARGEST:
        raise ImageError("no-model", f"the model {place.path} is for pictures of {side} pixels", "transform")
    return width, side


def filled(net: Any, state: State, place: Place) -> Any:
    """The network, made on no device, with the weights of a model; ImageError where they do not fit."""
    unfit = ImageError("no-model", f"the model {place.path} does not fit its own architecture", "transform")
    if any(name in state and state[name].dtype != one.dtype for name, one in net.state_dict().items()):
        raise unfit  # loading would take it, and the first picture would not
    try:
        net.load_state_dict(dict(state), strict=True, assign=True)
    except (RuntimeError, KeyError) as error:
        raise unfit from error
    return net.eval().requires_grad_(False)


def keep(path: str, state: State, told: str) -> None:
    """A checkpoint. `told`: JSON."""
    write_file(path, save(_plain(state), {"checkpoint": told}))


def kept(path: str) -> tuple[dict[str, Any], str] | None:
    """The tensors of a checkpoint, and what was told with it; None where there is none, or no whole one."""
    try:
        with open_regular(path) as file:
            content = file.read()
        state = load(content)
        header = content[8 : 8 + int.from_bytes(content[:8], "little")]
    except (OSError, SafetensorError, ValueError):
        return None
    return state, str(artefact.metadata(header).get("checkpoint", ""))


def _plain(state: State) -> dict[str, Any]:
    return {name: one.detach().to("cpu").contiguous().clone() for name, one in state.items()}
