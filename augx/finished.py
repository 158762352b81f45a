"""A finished OUTPUT in Python: its manifest row by row, and its images with their labels for a training script."""

from __future__ import annotations

import hashlib
import json
import os
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, BinaryIO, Generic, TypeVar, cast, overload

from augx import journal
from augx.errors import ImageError, InputError
from augx.journal import DAMAGED, FAILURES, MANIFEST, SUMMARY
from augx.model import Json
from augx.remote.mirror import address, named
from augx.request import here
from augx.store import Folder, Unfit, open_regular

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Row = Mapping[str, Json]
T = TypeVar("T")
_WAY_OUT = "`augx verify` says what is wrong with OUTPUT, and `augx run` makes it again"


class Manifest(Sequence[Row]):
    """The rows of a finished OUTPUT, as its manifest.jsonl has them, in its order. Of the file only the places of the
    rows are held in memory: 8 bytes each.

    Raises InputError where OUTPUT holds no finished run, or is not as augx wrote it: with the file and the line.
    """

    def __init__(self, output: str | os.PathLike[str]) -> None:
        self.folder = Folder(here(os.fspath(output), reads=False))
        self.output = address(self.folder.root)
        self.summary: dict[str, Json] = self._summary()
        self._places = array("Q", [0])
        digest = hashlib.sha256()
        with self._open(MANIFEST) as file:
            for line in file:
                digest.update(line)
                self._places.append(self._places[-1] + len(line))
        self._check(MANIFEST, digest.hexdigest(), self.summary["manifest"].get("sha256"))

    def __len__(self) -> int:
        return len(self._places) - 1

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> list[Row]: ...
    def __getitem__(self, index: int | slice) -> Row | list[Row]:
        numbers = range(len(self))[index]
        return self._row(numbers) if isinstance(numbers, int) else [self._row(number) for number in numbers]

    def __iter__(self) -> Iterator[Row]:
        with self._open(MANIFEST) as file:
            for number, line in enumerate(file, 1):
                yield self._parsed(line, number)

    def __repr__(self) -> str:
        return f"Manifest({self.output!r}): {len(self):,} images"

    def path(self, row: Row) -> str:
        """Where the image of a row lies, a URL where OUTPUT is one. InputError where that is not in OUTPUT, or in a
        tar."""
        with _telling(f"{self.output}/{MANIFEST}"):
            name = _inside(row["file_name"])
            packed = "offset" in row
        if packed:
            raise InputError(f"{name} lies in a tar of {self.output}", "`augx.Images` reads it from there")
        return address(self.folder.path(name))

    @property
    def failures(self) -> list[Row]:
        """The rows of failures.jsonl: what could not be made, and why."""
        with self._open(FAILURES) as file:
            lines = file.readlines()
        self._check(FAILURES, hashlib.sha256(b"".join(lines)).hexdigest(), self.summary["failures_sha256"])
        with _telling(f"{self.output}/{FAILURES}"):
            return [json.loads(line) for line in lines]

    def _row(self, number: int) -> Row:
        begin, end = self._places[number], self._places[number + 1]
        with self._open(MANIFEST) as file:
            file.seek(begin)
            return self._parsed(file.read(end - begin), number + 1)

    def _parsed(self, line: bytes, number: int) -> Row:
        """`number`: of the line, from 1."""
        with _telling(f"{self.output}/{MANIFEST}:{number}"):
            row = json.loads(line)
            _inside(row["file_name"])
            for name in (row["mask"], row["instances"], *row["files"]):
                if name is not None:
                    _inside(name)
            _ = row["split"]
            return cast(Row, row)

    @contextmanager
    def _open(self, name: str) -> Iterator[BinaryIO]:
        try:
            with open_regular(self.folder.path(name)) as file:
                yield file
        except OSError as error:
            raise InputError(f"{self.output}/{name} cannot be read: {error.strerror or error}", _WAY_OUT) from None

    def _check(self, name: str, sha256: str, wanted: Json) -> None:
        if sha256 != wanted:
            raise InputError(f"{self.output}/{name} is not the one that {SUMMARY} was written for", _WAY_OUT)

    def _summary(self) -> dict[str, Json]:
        found = journal.summary(self.folder)
        if not found:
            raise InputError(*map(named, journal.no_run(self.folder)))
        if "digest" in found and found != journal.signed(found):
            raise InputError(f"{self.output}/{SUMMARY} is damaged: its digest is not that of what it says", _WAY_OUT)
        return found


@contextmanager
def _telling(place: str) -> Iterator[None]:
    """Turns what a damaged row does into InputError."""
    try:
        yield
    except DAMAGED as error:
        why = f"{type(error).__name__}: {error}"
        raise InputError(f"{place}: this is not as augx writes it ({why[:200]})", _WAY_OUT) from None


def _inside(name: Json) -> str:
    """A name as a row has it. ValueError where it leads out of OUTPUT."""
    if not Folder.inside(name):
        raise ValueError(f"{str(name)[:100]!r} is no file of this folder")
    return cast(str, name)


@dataclass(frozen=True)
class Example:
    """One image with its labels. What is asked for is read when it is asked for.

    `row`: of the manifest, its line there is `line`. `classes`: all class names; their places in it are the numbers
    below. InputError where the row, or a file of it, is not as augx wrote it.
    """

    row: Row
    folder: Folder
    classes: Sequence[str]
    line: int = 0

    @cached_property
    def image(self) -> NDArray[Any]:
        """(H, W, 3) RGB or (H, W) grey, uint8 or uint16, as it was written; without transparency."""
        from augx.images import decode

        with self._telling():
            return decode(self._bytes(self.row["file_name"])).picture.pixels

    @property
    def label(self) -> int:
        """The number of the image's class; -1 where it has none, or several."""
        with self._telling():
            name = self.row["label"]
            return -1 if name is None else self.classes.index(name)

    @property
    def weights(self) -> NDArray[np.float32]:
        """(classes,): 1 for each class of the image; shares, after a mix."""
        import numpy as np

        found = np.zeros(len(self.classes), np.float32)
        with self._telling():
            for name, weight in self.row["labels"].items():
                found[self.classes.index(name)] = weight
        return found

    @property
    def boxes(self) -> NDArray[np.float32]:
        """(objects, 4): x0, y0, x1, y1 in pixels."""
        import numpy as np

        with self._telling():
            boxes = np.array([thing["bbox"] for thing in self.row["objects"]], np.float32)
            boxes = boxes.reshape(len(self.row["objects"]), 4)
        boxes[:, 2:] += boxes[:, :2]
        return boxes

    @property
    def box_labels(self) -> NDArray[np.int64]:
        """(objects,): the numbers of their classes; -1 where one has none."""
        import numpy as np

        with self._telling():
            names = [thing["label"] for thing in self.row["objects"]]
            return np.array([-1 if name is None else self.classes.index(name) for name in names], np.int64)

    @property
    def mask(self) -> NDArray[Any] | None:
        """(H, W): class numbers as the dataset has them; None where the image has no mask."""
        from augx.images import decode_mask

        with self._telling():
            return None if self.row["mask"] is None else decode_mask(self._bytes(self.row["mask"])).values

    def _bytes(self, name: Json) -> bytes:
        """The content of a file of OUTPUT, and of nothing else, wherever links lead."""
        path = address(self.folder.path(_inside(name)))
        try:
            return journal.place(self.folder, self.row, _inside(name)).read()[0]
        except Unfit:
            raise InputError(f"{path} leads out of OUTPUT, or changes at this moment", _WAY_OUT) from None
        except OSError as error:
            raise InputError(f"{path} cannot be read: {error.strerror or error}", _WAY_OUT) from None

    @contextmanager
    def _telling(self) -> Iterator[None]:
        try:
            with _telling(f"{address(self.folder.root)}/{MANIFEST}" + (f":{self.line}" if self.line else "")):
                yield
        except ImageError as error:
            where = f"{address(self.folder.root)}/{MANIFEST}:{self.line}: {self.row['file_name']}"
            raise InputError(f"{where} or its mask cannot be decoded: {error.message}", _WAY_OUT) from None


class Images(Sequence[T], Generic[T]):
    """The images of a finished OUTPUT, for a training script: `len(images)`, `images[3]`. Needs no torch, and is what
    its DataLoader takes for a map-style dataset; workers may hold copies of it.

        images = augx.Images("photos-x10", split="train", transform=lambda one: (one.image, one.label))

    `split`: only those of one split, None: all. `transform`: Example -> what an index gives; None: the Example itself.
    """

    @overload
    def __init__(
        self: Images[Example], output: str | os.PathLike[str], split: str | None = None, transform: None = None
    ) -> None: ...
    @overload
    def __init__(
        self, output: str | os.PathLike[str], split: str | None = None, *, transform: Callable[[Example], T]
    ) -> None: ...
    def __init__(
        self,
        output: str | os.PathLike[str],
        split: str | None = None,
        transform: Callable[[Example], T] | None = None,
    ) -> None:
        self.manifest = Manifest(output)
        with _telling(f"{self.manifest.output}/{SUMMARY}"):
            splits = dict(self.manifest.summary["splits"])
            classes = dict(self.manifest.summary["classes"])
        if split is not None and split not in splits:
            raise InputError(f"{self.manifest.output} has no split {split!r}", f"it has {', '.join(splits) or 'none'}")
        if split is None:
            self._numbers: Sequence[int] = range(len(self.manifest))
        else:
            self._numbers = array("Q", (number for number, row in enumerate(self.manifest) if row["split"] == split))
        self.transform = transform
        self.classes: tuple[str, ...] = tuple(sorted(name for name in classes if name != "(none)"))

    def __len__(self) -> int:
        return len(self._numbers)

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> list[T]: ...
    def __getitem__(self, index: int | slice) -> T | list[T]:
        numbers = range(len(self))[index]
        return self._one(numbers) if isinstance(numbers, int) else [self._one(number) for number in numbers]

    def _one(self, index: int) -> T:
        number = self._numbers[index]
        example = Example(self.manifest[number], self.manifest.folder, self.classes, number + 1)
        return self.transform(example) if self.transform else cast(T, example)
