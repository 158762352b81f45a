"""Model files: what `augx learn` writes, and learned steps of a recipe use.

A model is one safetensors file (https://github.com/huggingface/safetensors): eight bytes that say how long a JSON
header is, the header, and then nothing but numbers, so that no model can run code. augx's own card lies in the header's
metadata. Here it is read without torch and without the numbers; what does not add up is refused.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple

from augx.model import Json, Sample
from augx.store import open_regular

ENDING = ".safetensors"
METADATA = "augx"  # the key of the card in the header's metadata
_VERSION = 1
_MOST_HEADER = 4 << 20  # bytes
MOST_FILE = 2 << 30  # bytes
_MOST_TENSORS = 4096
_WIDTHS = {"F32": 4, "I64": 8, "U8": 1}
_SKETCH = 64  # sources
_COMMENT = "# pictures "


class Unusable(ValueError):
    """Why a file is no model, in words that follow its name."""


class Method(NamedTuple):
    """`step`: of a recipe, that uses the model. `target`: the module that fits one."""

    step: str
    target: str
    summary: str


METHODS: Mapping[str, Method] = MappingProxyType(
    {
        "autoencoder": Method(
            "feature_space",
            "augx.learn.autoencoder",
            "A convolutional autoencoder, whose codes `feature_space` moves.",
        ),
        "style": Method(
            "style",
            "augx.learn.stylist",
            "A small style transfer network, by which `style` dresses one picture as another.",
        ),
        "adversarial": Method(
            "adversarial",
            "augx.learn.surrogate",
            "A small classifier, which `adversarial` misleads by a few levels.",
        ),
        "gan": Method(
            "gan",
            "augx.learn.generating",
            "A generator of pictures of a class, which `gan` adds to the others.",
        ),
        "neural": Method(
            "neural",
            "augx.learn.blender",
            "A small network that makes one picture of two of a class, fitted through a classifier's loss.",
        ),
    }
)


class Place(NamedTuple):
    """A model that a recipe names: where it is, and the SHA-256 of the file when the recipe was read; "": whatever is
    there."""

    path: str
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Card:
    """What a model says of itself.

    `architecture`: numbers and texts that its network is built from. `classes`: of the pictures it was fitted on, in
    order. `images`: how many. `data`: SHA-256 of them. `sketch`: hashes of some of them, see `sketch`. `versions`: of
    what fitted it. `training`: steps, losses, seconds. `gates`: figures of what was held against it.
    """

    method: str
    architecture: Mapping[str, Json]
    classes: tuple[str, ...]
    images: int
    data: str
    sketch: tuple[str, ...]
    seed: int
    versions: Mapping[str, str]
    training: Mapping[str, Json] = field(default_factory=dict)
    gates: Mapping[str, Json] = field(default_factory=dict)

    def text(self) -> str:
        return json.dumps({"version": _VERSION} | asdict(self), ensure_ascii=True, sort_keys=True)


def card(path: str) -> Card:
    """The card of a model file, whose header adds up. Raises Unusable, and OSError."""
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size > MOST_FILE:
            raise Unusable(f"is larger than {MOST_FILE >> 30} GiB")
        length = int.from_bytes(file.read(8), "little")
        if not 2 <= length <= min(_MOST_HEADER, size - 8):
            raise Unusable("is no safetensors file")
        header = file.read(length)
    return _card(header, size - 8 - length)


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def metadata(header: bytes) -> Mapping[str, Json]:
    """What stands in a header beside the tensors; {} where it is none."""
    try:
        told = json.loads(header).get("__metadata__")
    except (ValueError, AttributeError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def of_bytes(data: bytes) -> Card:
    """The card of a model that was read whole. Raises Unusable."""
    length = int.from_bytes(data[:8], "little")
    if not 2 <= length <= min(_MOST_HEADER, len(data) - 8):
        raise Unusable("is no safetensors file")
    return _card(data[8 : 8 + length], len(data) - 8 - length)


def _card(header: bytes, room: int) -> Card:
    """`room`: bytes behind the header, all of which tensors must fill, one after the other."""
    try:
        told = json.loads(header, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        raise Unusable("is no safetensors file: its header is no JSON") from None
    if not isinstance(told, dict):
        raise Unusable("is no safetensors file: its header is no mapping")
    metadata = told.pop("__metadata__", {})
    if len(told) > _MOST_TENSORS:
        raise Unusable(f"holds more than {_MOST_TENSORS:,} tensors")
    end = 0
    for begin, until in sorted(_span(name, one) for name, one in told.items()):
        if begin != end:
            raise Unusable("is damaged: its tensors overlap or leave gaps")
        end = until
    if end != room:
        raise Unusable(f"is cut short or damaged: {room:,} bytes of numbers where its header says {end:,}")
    if not isinstance(metadata, dict) or not isinstance(metadata.get(METADATA), str):
        raise Unusable("was not written by `augx learn`")
    return _read(metadata[METADATA])


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    if len(found := dict(pairs)) < len(pairs):
        raise ValueError("a key stands twice")
    return found


def _span(name: str, one: Any) -> tuple[int, int]:
    """Where a tensor lies behind the header."""
    try:
        width, shape, (begin, end) = _WIDTHS[one["dtype"]], one["shape"], one["data_offsets"]
        sound = all(type(n) is int and 0 <= n < 2**40 for n in (*shape, begin, end)) and len(shape) <= 8
        if sound and end - begin == width * math.prod(shape):
            return begin, end
    except (KeyError, TypeError, ValueError):
        pass
    raise Unusable(f"is damaged: tensor {name[:60]!r} is not what its header says") from None


def _read(text: str) -> Card:
    try:
        told = json.loads(text)
        version = told.pop("version")
        if version != _VERSION:
            raise Unusable(f"is of version {str(version)[:20]}; this augx reads {_VERSION}")
        said: dict[str, Any] = {key: tuple(v) if isinstance(v, list) else v for key, v in told.items()}
        found = Card(**said)
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError) as error:
        raise error if isinstance(error, Unusable) else Unusable("has a damaged card") from None
    wanted: tuple[tuple[object, type], ...] = (
        *((found.method, str), (found.data, str), (found.images, int), (found.seed, int)),
        *((one, dict) for one in (found.architecture, found.versions, found.training, found.gates)),
        *((one, tuple) for one in (found.classes, found.sketch)),
        *((name, str) for name in (*found.classes, *found.sketch)),
    )
    if not all(isinstance(value, kind) for value, kind in wanted):
        raise Unusable("has a damaged card")
    if found.method not in METHODS:
        raise Unusable(f"is a model of {found.method[:40]!r}, which this augx does not know")
    return found


def sketch(samples: Iterable[Sample]) -> tuple[str, ...]:
    """The lowest hashes of names and classes: two sketches tell how alike two datasets are (Broder 1997, "On the
    resemblance and containment of documents")."""
    return tuple(sorted(marks(samples))[:_SKETCH])


def marks(samples: Iterable[Sample]) -> set[str]:
    """The hashes that sketches are made of."""
    said = (f"{one.id}\0{sorted(one.annotations.labels)}" for one in samples)
    return {hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest() for text in said}


def alike(one: Sequence[str], other: Sequence[str]) -> float:
    """Of two sketches: about what share of all sources both datasets have, 0..1."""
    lowest = sorted({*one, *other})[:_SKETCH]
    return len({*one} & {*other} & {*lowest}) / max(len(lowest), 1)


def noted(found: Sequence[str]) -> list[str]:
    """A sketch as lines of comment, for a file that is no model; `of_comments` reads them."""
    return [_COMMENT + " ".join(found[first : first + 8]) for first in range(0, len(found), 8)]


def of_comments(data: bytes) -> tuple[str, ...]:
    """The sketch that a file's comments note; () where there is none."""
    lines = [line for line in data.decode("utf-8", "replace").splitlines() if line.startswith(_COMMENT)]
    return tuple(mark for line in lines for mark in re.findall("[0-9a-f]{16}", line))[:_SKETCH]
