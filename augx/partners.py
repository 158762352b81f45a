"""The other pictures that a job's copies are mixed with, in a worker: opened when a mix first asks, kept for a while.

Jobs come along the hash ring, so that one job's partners are the next job's too.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from types import MappingProxyType
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from augx import images, plan
from augx.artefact import Place
from augx.errors import PASSING, ImageError
from augx.model import Limits, Picture, Sample
from augx.naming import images_in
from augx.recipe import Recipe
from augx.seeds import Rng
from augx.store import Source, Unfit
from augx.transforms.catalog import TRANSFORMS
from augx.transforms.own.base import Need

_KEPT_BYTES = 256 << 20  # of decoded pictures
_KEPT_LOOKS = 4096
_THUMB = 16  # pixels

Look = NDArray[np.float32]


class Opened(Protocol):
    """A source as a worker has opened it: its picture with labels, and the bytes of its files."""

    @property
    def sketch(self) -> Picture: ...  # as large as the picture, if without its pixels
    @property
    def picture(self) -> Picture: ...
    @property
    def files(self) -> Sequence[bytes]: ...


_O = TypeVar("_O", bound=Opened)


class Neighbours(Generic[_O]):
    """Sources as a worker has opened them, by sample; the last ones used are kept.

    `open`: decodes the files of a sample and fits its labels; ImageError. `read`: the files of a sample; ImageError.
    `sources`: where they lie. `decoded`: how many were opened.
    """

    def __init__(
        self,
        open: Callable[[Sample, Sequence[bytes]], _O],
        read: Callable[[Sample], Sequence[bytes]],
        sources: Callable[[Sample], Sequence[Source]],
    ) -> None:
        self._open, self._read, self._sources = open, read, sources
        self._kept: OrderedDict[str, _O] = OrderedDict()
        self._looks: OrderedDict[tuple[str, object], Look | None] = OrderedDict()
        self._bytes = self.decoded = 0

    def content(self, sample: Sample) -> str:
        """As `plan.content`; "" where a file cannot be read."""
        try:
            return plan.content([source.sha256() for source in self._sources(sample)])
        except OSError:
            return ""

    def opened(self, sample: Sample, files: Sequence[bytes]) -> _O:
        """The sample, of which these are the files. Raises ImageError."""
        kept = self._kept.get(sample.id)
        if kept is not None and kept.files == files:
            self._kept.move_to_end(sample.id)
            return kept
        self.decoded += 1
        found = self._open(sample, files)
        self._keep(sample.id, found)
        return found

    def picture(self, sample: Sample) -> Picture | None:
        """None where it cannot be opened. ImageError where it may be another time."""
        if sample.id in self._kept:
            self._kept.move_to_end(sample.id)
            return self._kept[sample.id].picture
        try:
            return self.opened(sample, self._read(sample)).picture
        except ImageError as error:
            if error.code in PASSING:  # another time it can be opened, and another mix would come of it
                raise
            if error.code in ("unreadable", "missing-file") and self.content(sample):
                message = f"{sample.id}, which is to be mixed in, could not be read for a moment; run again"
                raise ImageError("changed-while-read", message, "read") from error
            return None

    def _keep(self, name: str, opened: _O) -> None:
        if name in self._kept:
            self._bytes -= _size(self._kept.pop(name))
        self._kept[name] = opened
        self._bytes += _size(opened)
        while self._bytes > _KEPT_BYTES and len(self._kept) > 1:
            self._bytes -= _size(self._kept.popitem(last=False)[1])

    def look(self, sample: Sample, look: Callable[[Picture], Look]) -> Look | None:
        """What a sample looks like; None where it cannot be opened."""
        key = sample.id, look
        if key not in self._looks:
            picture = self.picture(sample)
            self._looks[key] = None if picture is None else look(picture)
            while len(self._looks) > _KEPT_LOOKS:
                self._looks.popitem(last=False)
        return self._looks[key]


class Folders(NamedTuple):
    """Folders of backgrounds, as a recipe names them. `places`: where they are. `files`: what was in them when the run
    was planned; {}: whatever is there. `models`: where the models are that it names."""

    places: Mapping[str, str] = MappingProxyType({})
    files: Mapping[str, Sequence[str]] = MappingProxyType({})
    models: Mapping[str, Place] = MappingProxyType({})

    @classmethod
    def now(cls, recipe: Recipe) -> Folders:
        files: dict[str, Sequence[str]] = {}
        for name, place in recipe.places.items():
            with suppress(OSError):  # gone since the recipe was read: then its copies fail, and are tried again
                files[name] = images_in(place)
        return cls(recipe.places, files, recipe.models)

    def absolute(self) -> Folders:
        """For workers that may stand elsewhere."""
        places = {name: os.path.abspath(path) for name, path in self.places.items()}
        models = {name: Place(os.path.abspath(place.path), place.sha256) for name, place in self.models.items()}
        return Folders(places, self.files, models)

    def drawn(self, name: str, count: int, rng: Rng, limits: Limits) -> list[tuple[str, Picture]]:
        """[] where none can be decoded. Raises ImageError where one is not there any more: it may come back."""
        root = self.places.get(name, name)

        def opened(sample: Sample) -> Picture | None:
            source = Source(os.path.join(root, sample.id), limit=limits.bytes)
            try:
                data, _ = source.read(lambda head, size: images.glance(head, size, limits))
                return images.decode(data, limits).picture
            except ImageError as error:
                if error.code in PASSING:
                    raise
                return None
            except OSError as error:
                if isinstance(error, Unfit) and error.code not in PASSING:
                    return None
                message = f"{name}: {sample.id} cannot be read: {error.strerror or error}"
                raise ImageError("no-background", message, "transform") from error

        try:
            files = self.files.get(name) or images_in(root)
        except OSError:
            return []
        return drawn([Sample(file) for file in files], count, rng, opened)


class Chosen:
    """A job's partners."""

    def __init__(
        self, neighbours: Neighbours[Any], pools: Mapping[str, Sequence[Sample]], folders: Folders, limits: Limits
    ) -> None:
        self._neighbours, self._pools, self._folders, self._limits = neighbours, pools, folders, limits

    def pick(self, name: str, need: Need, picture: Picture, rng: Rng) -> list[tuple[str, Picture]]:
        if need.kind == "folder":
            return self._folders.drawn(need.folder, need.count, rng, self._limits)
        samples = list(self._pools.get(need.kind, ()))[: TRANSFORMS[name].pool]
        if need.nearest:
            samples = self._nearest(samples, picture, need.nearest, need.look or _thumb)
        return drawn(samples, need.count, rng, self._neighbours.picture)

    def _nearest(
        self, samples: Sequence[Sample], picture: Picture, count: int, look: Callable[[Picture], Look]
    ) -> list[Sample]:
        """By the mean squared difference of what they look like: of thumbnails in levels of 0..255, or of codes."""
        here = look(picture)
        apart = [
            (float(np.square(here - there).mean()), number)
            for number, sample in enumerate(samples)
            if (there := self._neighbours.look(sample, look)) is not None
        ]
        return [samples[number] for _, number in sorted(apart)[:count]]


def drawn(
    samples: Sequence[Sample], count: int, rng: Rng, picture: Callable[[Sample], Picture | None]
) -> list[tuple[str, Picture]]:
    """`count` of the samples, none twice if there are enough. In the place of one that cannot be opened comes the next
    that can; [] where none can."""
    numbers = range(len(samples))
    some = rng.python.sample(numbers, count) if len(samples) >= count else rng.python.choices(numbers or [0], k=count)
    found: list[tuple[str, Picture]] = []
    for number in some if samples else ():
        for step in numbers:
            sample = samples[(number + step) % len(samples)]
            if (opened := picture(sample)) is not None:
                found.append((sample.id, opened))
                break
    return found


def _thumb(picture: Picture) -> Look:
    pixels = picture.pixels
    small = cv2.resize(pixels, (_THUMB, _THUMB), interpolation=cv2.INTER_AREA).astype(np.float32)
    small *= np.float32(1 / 257 if pixels.dtype == np.uint16 else 1)
    return np.broadcast_to(small[..., None], (_THUMB, _THUMB, 3)) if small.ndim == 2 else small


def _size(opened: Opened) -> int:
    return opened.sketch.pixels.nbytes + sum(map(len, opened.files))
