"""A finished OUTPUT in Python: its manifest row by row, and its images with their labels for a training script."""

from __future__ import annotations

import json
import os
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast, overload

from augx.errors import InputError
from augx.journal import FAILURES, MANIFEST, SUMMARY
from augx.model import Json

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Row = Mapping[str, Json]
T = TypeVar("T")


class Manifest(Sequence[Row]):
    """The rows of a finished OUTPUT, as its manifest.jsonl has them, in its order. Of the file only the places of the
    rows are held in memory: 8 bytes each.

    Raises InputError where OUTPUT holds no finished run.
    """

    def __init__(self, output: str | os.PathLike[str]) -> None:
        self.output = os.fspath(output)
        self.summary: dict[str, Json] = self._summary()
        self._places = array("Q", [0])
        try:
            with open(os.path.join(self.output, MANIFEST), "rb") as file:
                for line in file:
                    self._places.append(self._places[-1] + len(line))
        except OSError as error:
            raise InputError(f"{self.output}/{MANIFEST} cannot be read: {error.strerror}", "run augx verify") from None

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
        with open(os.path.join(self.output, MANIFEST), "rb") as file:
            for line in file:
                yield json.loads(line)

    def __repr__(self) -> str:
        return f"Manifest({self.output!r}): {len(self):,} images"

    def path(self, row: Row) -> str:
        """Where the image of a row lies."""
        return os.path.join(self.output, *row["file_name"].split("/"))

    @property
    def failures(self) -> list[Row]:
        """The rows of failures.jsonl: what could not be made, and why."""
        with open(os.path.join(self.output, FAILURES), "rb") as file:
            return [json.loads(line) for line in file]

    def _row(self, number: int) -> Row:
        begin, end = self._places[number], self._places[number + 1]
        with open(os.path.join(self.output, MANIFEST), "rb") as file:
            file.seek(begin)
            return cast(Row, json.loads(file.read(end - begin)))

    def _summary(self) -> dict[str, Json]:
        try:
            with open(os.path.join(self.output, SUMMARY), "rb") as file:
                found = json.load(file)
        except (OSError, ValueError):
            found = None
        if not isinstance(found, dict):
            raise InputError(f"{self.output} holds no finished run of augx", "give the OUTPUT of an `augx run`")
        return found


@dataclass(frozen=True)
class Example:
    """One image with its labels. What is asked for is read when it is asked for.

    `row`: of the manifest. `classes`: all class names; their places in it are the numbers below.
    """

    row: Row
    output: str
    classes: Sequence[str]

    @cached_property
    def image(self) -> NDArray[Any]:
        """(H, W, 3) RGB or (H, W) grey, uint8 or uint16, as it was written; without transparency."""
        from augx.images import decode

        with open(self._path(self.row["file_name"]), "rb") as file:
            return decode(file.read()).picture.pixels

    @property
    def label(self) -> int:
        """The number of the image's class; -1 where it has none, or several."""
        name = self.row["label"]
        return -1 if name is None else self.classes.index(name)

    @property
    def weights(self) -> NDArray[np.float32]:
        """(classes,): 1 for each class of the image; shares, after a mix."""
        import numpy as np

        found = np.zeros(len(self.classes), np.float32)
        for name, weight in self.row["labels"].items():
            found[self.classes.index(name)] = weight
        return found

    @property
    def boxes(self) -> NDArray[np.float32]:
        """(objects, 4): x0, y0, x1, y1 in pixels."""
        import numpy as np

        boxes = np.array([thing["bbox"] for thing in self.row["objects"]], np.float32).reshape(-1, 4)
        boxes[:, 2:] += boxes[:, :2]
        return boxes

    @property
    def box_labels(self) -> NDArray[np.int64]:
        """(objects,): the numbers of their classes; -1 where one has none."""
        import numpy as np

        names = [thing["label"] for thing in self.row["objects"]]
        return np.array([-1 if name is None else self.classes.index(name) for name in names], np.int64)

    @property
    def mask(self) -> NDArray[Any] | None:
        """(H, W): class numbers as the dataset has them; None where the image has no mask."""
        from augx.images import decode_mask

        if self.row["mask"] is None:
            return None
        with open(self._path(self.row["mask"]), "rb") as file:
            return decode_mask(file.read()).values

    def _path(self, name: str) -> str:
        return os.path.join(self.output, *name.split("/"))


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
        splits = self.manifest.summary.get("splits", {})
        if split is not None and split not in splits:
            raise InputError(f"{self.manifest.output} has no split {split!r}", f"it has {', '.join(splits) or 'none'}")
        if split is None:
            self._numbers: Sequence[int] = range(len(self.manifest))
        else:
            self._numbers = array("Q", (number for number, row in enumerate(self.manifest) if row["split"] == split))
        self.transform = transform
        self.classes: tuple[str, ...] = tuple(
            sorted(name for name in self.manifest.summary["classes"] if name != "(none)")
        )

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
        example = Example(self.manifest[self._numbers[index]], self.manifest.output, self.classes)
        return self.transform(example) if self.transform else cast(T, example)
