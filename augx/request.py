"""What a run is asked for. A share of a run leaves that in OUTPUT, so that `augx merge` makes the same plan."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from augx.artefact import Place
from augx.braces import expanded
from augx.errors import InputError, OutputError, Refused
from augx.formats import ReadOptions
from augx.journal import DAMAGED, shares
from augx.model import Json
from augx.recipe import Recipe
from augx.remote import mirror
from augx.remote.bucket import is_address
from augx.store import SHARES, Folder, open_regular

_MOST_SHARES = 1_000_000
_ASKED = "request.json"
_MOST_BYTES = 1 << 26


@dataclass(frozen=True, slots=True, order=True)
class Share:
    """One of several parts that a run is done in (`--shard 3/16`); `number` counts from 1."""

    number: int
    of: int

    @classmethod
    def parse(cls, text: str) -> Share:
        """Raises Refused."""
        found = re.fullmatch(r"(\d{1,7})/(\d{1,7})", text, re.ASCII)
        if not found or not 1 <= int(found[1]) <= int(found[2]) <= _MOST_SHARES:
            raise Refused(f"{text!r} is no shard", "write I/N, such as 3/16: the third of sixteen, counted from 1")
        return cls(int(found[1]), int(found[2]))

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"

    @property
    def own(self) -> str:
        """Where it keeps its journal."""
        return f"{SHARES}/{self.number}-of-{self.of}"


@dataclass(frozen=True, slots=True)
class Request:
    """What the user asked for. `workers` 0 works in this process; `max_errors` is a number of images, or "5%".

    `seconds`: for one image. `memory`: bytes for one worker, None: its share of the machine's. `fsync`: as a Folder's.

    `recipe` None: the bundled one that fits the labels, with `changes` (copies, seed, originals) made to it.
    `allow_loss`: labels that the output format cannot hold are left out. `untouched`: images go over byte for byte.
    `share`: makes only that part, and leaves the end of the run to one that is to `merge` so many shares, and makes no
    image. `executor`: who works, with its `options`.
    """

    input: str
    output: str
    recipe: Recipe | None
    from_format: str | None = None
    to_formats: tuple[str, ...] = ()
    read: ReadOptions = field(default_factory=ReadOptions)
    workers: int = 1
    strict: bool = False
    max_errors: str | None = None
    allow_loss: bool = False
    untouched: bool = False
    changes: Mapping[str, Any] = field(default_factory=dict)
    seconds: float = 300.0
    memory: int | None = None
    fsync: str = "batch"
    profile: bool = False
    share: Share | None = None
    merge: int = 0
    executor: str = "local"
    options: Mapping[str, str] = field(default_factory=dict)


def here(place: str, reads: bool) -> str:
    """The path of INPUT (`reads`) or OUTPUT on this machine: that of a mirror where a URL is given, which lists what is
    there. `s3://bucket/{000..127}.tar` means those tars. Raises Refused."""
    if not is_address(place) or not (reads and place.endswith(".tar")):
        return mirror.local(place, reads)
    above = place.partition("{")[0].rpartition("/")[0]
    if above.endswith("/"):
        raise InputError(f"{place}: which bucket is meant?", "write braces behind the name of the bucket only")
    names = [one[len(above) + 1 :] for one in expanded(place)]
    return os.path.join(mirror.local(above, True, names), place[len(above) + 1 :])


def leave(folder: Folder, request: Request, recipe: Recipe) -> None:
    """Puts what a share was asked for into its own place."""
    asked = {
        "input": mirror.address(os.path.abspath(request.input)),
        "from": request.from_format,
        "to": list(request.to_formats),
        "read": asdict(request.read),
        "allow_loss": request.allow_loss,
        "recipe": recipe.canonical(),
        "places": {name: os.path.abspath(path) for name, path in recipe.places.items()},
        "models": {name: [os.path.abspath(place.path), place.sha256] for name, place in recipe.models.items()},
    }
    # ASCII: a path need not be UTF-8
    folder.write(f"{folder.own}/{_ASKED}", json.dumps(asked, indent=2).encode() + b"\n")


def left(output: str, input: str | None = None) -> Request:
    """The request that all shares in OUTPUT were asked for, to merge them. `input`: INPUT, where it
    is not where they found it. Raises OutputError where there are none, or they were not asked for the same."""
    folder = Folder(output)
    found: dict[Share, Json] = {}
    for own in shares(folder):
        share = _share_at(folder, own)
        try:
            with open_regular(folder.path(f"{own}/{_ASKED}")) as file:
                found[share] = _sound(json.loads(file.read(_MOST_BYTES)))
        except FileNotFoundError:
            continue  # stopped before it could begin
        except (OSError, *DAMAGED) as error:
            raise OutputError(f"{folder.path(own)}/{_ASKED} cannot be read: {error}", _again(share)) from None
    if not found:
        raise OutputError(f"{output} holds no shards of a run", "give the OUTPUT of `augx run --shard I/N`")
    first, asked = min(found.items())
    for share, other in sorted(found.items()):
        if share.of != first.of:
            raise OutputError(f"{output} holds shards of {first.of} and of {share.of}", _WHOLE)
        for key in _SAME:
            if other.get(key) != asked.get(key):
                raise OutputError(
                    f"shards {first} and {share} were not asked for the same: `{key}` differs", _again(share)
                )
    try:
        recipe = replace(
            Recipe.from_canonical(asked["recipe"]),
            places=dict(asked["places"]),
            models={name: Place(*place) for name, place in asked["models"].items()},
        )
        read = ReadOptions(**asked["read"])
        to_formats, loss = tuple(asked["to"]), bool(asked["allow_loss"])
    except (Refused, *DAMAGED):
        raise OutputError(f"{folder.path(first.own)}/{_ASKED} is damaged", _again(first)) from None
    try:
        place = input or here(asked["input"], reads=True)
    except Refused as error:  # a password, for one, was not written down
        raise type(error)(error.message, f"give INPUT with --input, if it is elsewhere; {error.hint}") from None
    return Request(place, output, recipe, asked["from"], to_formats, read, allow_loss=loss, merge=first.of)


def _share_at(folder: Folder, own: str) -> Share:
    """Whose place this is."""
    try:
        return Share.parse(own.rpartition("/")[2].replace("-of-", "/"))
    except Refused:
        raise OutputError(f"{folder.path(own)} is the place of no shard", "move it away") from None


def _sound(asked: Json) -> Json:
    """What `leave` has written, if all in it is of its kind; any of DAMAGED where it is not. The recipe shows when it
    is read."""
    texts = [asked["input"], *asked["to"], *asked["places"].values(), *asked["read"]["columns"].values()]
    texts += [text for place in asked["models"].values() for text in place]
    maybe = [asked["from"], asked["read"]["labels"], asked["read"]["table"]]
    kept = isinstance(asked["to"], list) and all(isinstance(place, list) for place in asked["models"].values())
    if not (kept and all(isinstance(text, str) for text in [*texts, *(text for text in maybe if text is not None)])):
        raise TypeError("it is not as a shard wrote it")
    return asked


_SAME = ("from", "to", "read", "allow_loss", "recipe")
_WHOLE = "`augx run` without --shard keeps what they made, and makes the rest"


def _again(share: Share) -> str:
    return f"run --shard {share} again"


def refuse_others(folder: Folder, share: Share) -> None:
    """OutputError where OUTPUT holds shards of another number."""
    for own in shares(folder):
        other = _share_at(folder, own)
        if other.of != share.of:
            raise OutputError(
                f"{folder.root} holds shards of {other.of}, not of {share.of}, that are not merged",
                f"give I/{other.of} and merge them; or {_WHOLE}",
            )
