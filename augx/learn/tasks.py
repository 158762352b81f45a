"""What `probe` can ask, by what is known of pictures: which class they are of, which class each pixel is of, where
objects are. Of each: what is learned of a picture and of a copy, how a small network is trained, what it is marked by.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Protocol, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from augx import fitting, images, labels, objects
from augx.errors import ImageError, InputError, few
from augx.learn import average_precision, data, door, judging
from augx.learn.data import Pixels
from augx.model import Annotations, Dataset, Json, LabelOptions, Limits, Mask, Object, Picture, Sample
from augx.recipe import Recipe
from augx.ring import place_of
from augx.work import Maker, read_sources

_T = TypeVar("_T")
_Objects = tuple[list[str], NDArray[np.float64]]

IGNORED = 255  # of what is learned of masks: no class
_MOST_CLASSES = 255
_MOST_BYTES = 1 << 30  # of pixels
_BETTER = 2.0  # standard errors above chance, which a network must reach to be able to tell anything
_FOUND = 2.0  # AP50 in percent, below which nothing is found


@dataclass(frozen=True, slots=True)
class Usual:
    """What is used where nothing else is said. `side`: of pictures, at most."""

    steps: int
    repeats: int
    side: int


class Task(Protocol):
    """`measure`: what a network is marked by, in percent. `format`: in which copies are written, so that they keep what
    is to be learned. `whole`: each picture is of one class, and each fold needs some of all."""

    @property
    def name(self) -> str: ...
    @property
    def measure(self) -> str: ...
    @property
    def format(self) -> str: ...
    @property
    def whole(self) -> bool: ...
    @property
    def classes(self) -> tuple[str, ...]: ...

    def of_copy(self, row: Mapping[str, Json], written: Mapping[str, bytes], side: int) -> NDArray[Any]:
        """What is known of a copy, by its row of the manifest and its files."""
        ...

    def gathered(self, found: Sequence[NDArray[Any]], side: int) -> NDArray[Any]:
        """What is known of several pictures, along the first axis."""
        ...

    def marks(
        self, x: Pixels, y: NDArray[Any], test: Pixels, truth: NDArray[Any], seed: int, steps: int, device: Any
    ) -> NDArray[np.float64]:
        """Percent, of each class, that a network trained on `x` and `y` reaches on `test`; NaN for a class that is not
        there."""
        ...

    def guessing(self, truth: NDArray[Any]) -> tuple[float, str]:
        """A mark that a network must pass to be able to tell anything, and what those below it do, in words."""
        ...


@dataclass(frozen=True, slots=True)
class Known:
    """The pictures of a probe. `pixels`: (n, side, side, 3). `truth`: what is known of each, as the task has it.
    `strata`: (n,), the number of a class of each, by which folds are evened out; `len(classes)` for none."""

    task: Task
    pixels: Pixels
    truth: NDArray[Any]
    strata: NDArray[np.int64]
    samples: tuple[Sample, ...]
    notes: tuple[str, ...] = ()

    @property
    def side(self) -> int:
        return int(self.pixels.shape[1])

    @property
    def classes(self) -> tuple[str, ...]:
        return self.task.classes


@dataclass(frozen=True, slots=True)
class Classification:
    """Of each picture the weights of its classes, (classes,)."""

    classes: tuple[str, ...]
    name = "classification"
    measure = "accuracy"
    format = "table"
    whole = True

    def of_copy(self, row: Mapping[str, Json], written: Mapping[str, bytes], side: int) -> NDArray[Any]:
        return np.array([row["labels"].get(name, 0.0) for name in self.classes], np.float32)

    def gathered(self, found: Sequence[NDArray[Any]], side: int) -> NDArray[Any]:
        return np.array(found, np.float32).reshape(-1, len(self.classes))

    def marks(
        self, x: Pixels, y: NDArray[Any], test: Pixels, truth: NDArray[Any], seed: int, steps: int, device: Any
    ) -> NDArray[np.float64]:
        from augx.learn import classifier

        net = classifier.trained(door.tensor(x, device), door.tensor(y, device), seed, steps)
        found = classifier.recognised(net, door.tensor(test, device)).numpy()
        return judging.recalls(found, truth.argmax(1), len(self.classes))

    def guessing(self, truth: NDArray[Any]) -> tuple[float, str]:
        chance = 100 / len(self.classes)
        above = _BETTER * (chance * (100 - chance) / len(truth)) ** 0.5
        return chance + above, f"only guess ({{:.1f}} %, by chance {chance:.1f} %)"


@dataclass(frozen=True, slots=True)
class Segmentation:
    """Of each picture the numbers of its pixels' classes, (side, side), or `IGNORED`. `numbers`: what masks say -> such
    a number, see `_packed`."""

    classes: tuple[str, ...]
    numbers: Mapping[int, int]
    name = "segmentation"
    measure = "IoU"
    format = "masks"
    whole = False

    def of_copy(self, row: Mapping[str, Json], written: Mapping[str, bytes], side: int) -> NDArray[Any]:
        return self.of_values(_packed(_reduced(images.decode_mask(written[row["mask"]], None), side)))

    def of_values(self, values: NDArray[np.int64]) -> NDArray[np.uint8]:
        found = np.full(values.shape, IGNORED, np.uint8)
        for value in np.unique(values).tolist():
            found[values == value] = self.numbers.get(value, IGNORED)
        return found

    def gathered(self, found: Sequence[NDArray[Any]], side: int) -> NDArray[Any]:
        return np.array(found, np.uint8).reshape(-1, side, side)

    def marks(
        self, x: Pixels, y: NDArray[Any], test: Pixels, truth: NDArray[Any], seed: int, steps: int, device: Any
    ) -> NDArray[np.float64]:
        from augx.learn import segmenter

        net = segmenter.trained(door.tensor(x, device), door.tensor(y, device), len(self.classes), seed, steps)
        return judging.overlaps(segmenter.recognised(net, door.tensor(test, device)).numpy(), truth, len(self.classes))

    def guessing(self, truth: NDArray[Any]) -> tuple[float, str]:
        count = np.bincount(truth[truth < len(self.classes)], minlength=len(self.classes))
        best = 100 * float(count.max() / count.sum() / np.count_nonzero(count))  # IoU of the commonest one everywhere
        return best, f"see next to nothing ({{:.1f}} %; the same class everywhere has {best:.1f} %)"


@dataclass(frozen=True, slots=True)
class Detection:
    """Of each picture its objects, (k, 5): number of the class, left, top, right, bottom, as shares of the picture.
    Crowds are left out."""

    classes: tuple[str, ...]
    name = "detection"
    measure = "AP50"
    format = "coco"
    whole = False

    def of_copy(self, row: Mapping[str, Json], written: Mapping[str, bytes], side: int) -> NDArray[Any]:
        return self.numbered(*_shares(map(objects.from_row, row["objects"]), row["width"], row["height"]))

    def numbered(self, names: Sequence[str], boxes: NDArray[np.float64]) -> NDArray[np.float32]:
        """With the number of its class before each box."""
        numbers = np.array([self.classes.index(name) for name in names], np.float64).reshape(-1, 1)
        return np.concatenate([numbers, boxes], 1).astype(np.float32)

    def gathered(self, found: Sequence[NDArray[Any]], side: int) -> NDArray[Any]:
        every = np.empty(len(found), object)
        for place, one in enumerate(found):
            every[place] = one
        return every

    def marks(
        self, x: Pixels, y: NDArray[Any], test: Pixels, truth: NDArray[Any], seed: int, steps: int, device: Any
    ) -> NDArray[np.float64]:
        from augx.learn import detector

        net = detector.trained(door.tensor(x, device), y, len(self.classes), seed, steps)
        found = detector.detected(net, door.tensor(test, device), len(self.classes))
        return average_precision.ap50(found, [one.astype(np.float64) for one in truth], len(self.classes))

    def guessing(self, truth: NDArray[Any]) -> tuple[float, str]:
        return _FOUND, "find next to nothing ({:.1f} %)"


@dataclass(frozen=True, slots=True)
class _Kind:
    """`usual`, `fast`: what is used where nothing else is said. `has`: whether something of it is known of a picture.
    `read`: the pictures of a dataset."""

    usual: Usual
    fast: Usual
    labels: str
    has: Callable[[Annotations], bool]
    read: Callable[[Dataset, int | None, int, LabelOptions], Known]


def kind_of(input: str, samples: Sequence[Sample], asked: str | None) -> str:
    """The name of the task that most pictures are labelled for. InputError where there is none, or several."""
    count: Counter[str] = Counter()
    for sample in samples:
        count.update(name for name, kind in TASKS.items() if kind.has(sample.annotations))
    if asked is not None:
        if not count[asked]:
            there = f"; it has {few([TASKS[name].labels for name in count])}" if count else ""
            raise InputError(
                f"no picture of {input} has {TASKS[asked].labels}, which {asked} needs{there}",
                f"--task {next(iter(count))}" if count else "give it labelled pictures",
            )
        return asked
    found = [name for name in TASKS if count[name] * 2 > len(samples)] or [name for name in TASKS if count[name]]
    if len(found) > 1:
        raise InputError(
            f"{input} has {' and '.join(TASKS[name].labels for name in found)}",
            f"say what to probe: {' or '.join(f'--task {name}' for name in found)}",
        )
    if not found:
        raise InputError(
            f"{input} has nothing that probe can ask for: no classes, no masks, no boxes",
            "give it images with one class each, with class masks, or with boxes or outlines",
        )
    return found[0]


def _of_classes(dataset: Dataset, side: int | None, most: int, options: LabelOptions) -> Known:
    known, notes = classed(data.read(dataset, side, most))
    return replace(whole(known), notes=tuple(notes))


def whole(known: data.Data) -> Known:
    """Pictures that all have a class."""
    weights = np.eye(len(known.classes), dtype=np.float32)[known.labels]
    return Known(Classification(known.classes), known.pixels, weights, known.labels, known.samples)


def classed(known: data.Data) -> tuple[data.Data, list[str]]:
    """The pictures that have one class, and notes on the others."""
    notes = [f"{known.failed:,} pictures could not be read"] if known.failed else []
    notes += [f"{known.left_out:,} pictures are beyond what memory holds"] if known.left_out else []
    kept = known.labels >= 0
    if not kept.all():
        notes.append(f"{np.count_nonzero(~kept):,} pictures with no class, or several, are left out")
        samples = tuple(sample for sample, keep in zip(known.samples, kept.tolist(), strict=True) if keep)
        known = replace(known, pixels=known.pixels[kept], labels=known.labels[kept], samples=samples)
    numbers, labels = np.unique(known.labels, return_inverse=True)
    classes = tuple(known.classes[number] for number in numbers)
    if len(classes) < 2:
        raise InputError(f"all pictures are of the class {few(classes)}", "give pictures of two classes at least")
    return replace(known, labels=labels, classes=classes), notes


def _of_masks(dataset: Dataset, side: int | None, most: int, options: LabelOptions) -> Known:
    masked = [sample for sample in dataset.samples if sample.annotations.mask]
    samples, pixels, masks, notes = _opened(dataset, masked, side, most, options, _mask_of)
    if without := len(dataset.samples) - len(masked):
        notes.append(f"{without:,} pictures without a mask are left out")
    coloured = masks[0].ndim == 3
    values = sorted({value for mask in masks for value in np.unique(_packed(mask)).tolist()})
    ignored = dataset.ignore if options.ignore is None else options.ignore
    if ignored is None and not coloured and len(values) > 2:  # two: 255 is what a mask of one class shows
        ignored = IGNORED
    values = [value for value in values if value != ignored or coloured]
    if not 2 <= len(values) <= _MOST_CLASSES:
        raise InputError(
            f"the masks of {dataset.root} have {len(values):,} different values, which cannot be classes",
            f"give masks in which each number, or each colour, is a class: 2 to {_MOST_CLASSES} of them",
        )
    names = dataset.classes if len(dataset.classes) > max(values) else ()
    classes = tuple(names[one] if names else f"#{one:06x}" if coloured else f"class {one}" for one in values)
    task = Segmentation(classes, {value: number for number, value in enumerate(values)})
    truth = task.gathered([task.of_values(_packed(mask)) for mask in masks], pixels.shape[1])
    there = np.stack([(truth == kind).any((1, 2)) for kind in range(len(classes))], 1)
    return Known(task, pixels, truth, rarest(there), samples, tuple(notes))


def rarest(there: NDArray[np.bool_]) -> NDArray[np.int64]:
    """`there`: (n, classes), what is in each picture. The class in it that fewest have; `classes` where none is."""
    count = np.where(there, there.sum(0), len(there) + 1)
    found: NDArray[np.int64] = np.where(there.any(1), count.argmin(1), there.shape[1])
    return found


def _of_objects(dataset: Dataset, side: int | None, most: int, options: LabelOptions) -> Known:
    samples, pixels, found, notes = _opened(dataset, dataset.samples, side, most, options, _objects_of)
    classes = sorted({name for names, _ in found for name in names})
    if not classes:
        raise InputError(f"no picture of {dataset.root} has an object with a box", "give it boxes or outlines")
    task = Detection(tuple(classes))
    truth = task.gathered([task.numbered(names, boxes) for names, boxes in found], pixels.shape[1])
    there = np.array([[name in names for name in classes] for names, _ in found], bool)
    return Known(task, pixels, truth, rarest(there), samples, tuple(notes))


def _opened(
    dataset: Dataset,
    samples: Sequence[Sample],
    side: int | None,
    most: int,
    options: LabelOptions,
    keep: Callable[[Picture, int], _T],
) -> tuple[tuple[Sample, ...], Pixels, list[_T], list[str]]:
    """Pictures as a worker opens them, made small, what `keep` keeps of each, and notes."""
    maker = Maker(Recipe(labels=options), fitting.without_samples(dataset, ()))
    ordered = sorted(samples, key=lambda one: (place_of(one.id), one.id))
    if side is None:
        side = data.usual_side(dataset.root, ordered, Limits(), most)
    room = _MOST_BYTES // (side * side * 4)
    found: list[tuple[Sample, Pixels, _T]] = []
    for sample in ordered[:room]:
        try:
            picture = maker.open(sample, read_sources(dataset.root, sample, Limits())[0]).picture
        except ImageError:
            continue
        found.append((sample, data.squared(picture.pixels, side), keep(picture, side)))
    if not found:
        raise InputError(
            f"none of the {len(samples):,} pictures in {dataset.root} can be read",
            "`augx validate RECIPE --input` says why",
        )
    failed, beyond = len(ordered[:room]) - len(found), len(ordered[room:])
    notes = [f"{failed:,} pictures could not be read"] if failed else []
    notes += [f"{beyond:,} pictures are beyond what memory holds"] if beyond else []
    found.sort(key=lambda one: one[0].id)
    return tuple(one[0] for one in found), np.stack([one[1] for one in found]), [one[2] for one in found], notes


def _mask_of(picture: Picture, side: int) -> NDArray[Any]:
    assert picture.mask is not None
    return _reduced(picture.mask, side)


def _reduced(mask: Mask, side: int) -> NDArray[Any]:
    found: NDArray[Any] = cv2.resize(mask.values, (side, side), interpolation=cv2.INTER_NEAREST_EXACT)
    return found


def _packed(values: NDArray[Any]) -> NDArray[np.int64]:
    """The colours of a mask as numbers, 0xRRGGBB; numbers as they are."""
    whole = values.astype(np.int64)
    return whole if whole.ndim == 2 else (whole[..., 0] << 16) + (whole[..., 1] << 8) + whole[..., 2]


def _objects_of(picture: Picture, side: int) -> _Objects:
    return _shares(labels.boxed(picture.annotations).objects, picture.width, picture.height)


def _shares(things: Iterable[Object], width: int, height: int) -> _Objects:
    """Names and boxes, as shares of the picture, of all but crowds."""
    boxed = [thing for thing in things if thing.box is not None and not thing.crowd]
    boxes = np.array([thing.box for thing in boxed], np.float64).reshape(-1, 4) / (width, height, width, height)
    return [str(thing.label) for thing in boxed], boxes


_FAST_DENSE = Usual(200, 1, 64)
_DENSE = Usual(500, 2, 96)
TASKS: Mapping[str, _Kind] = MappingProxyType(
    {
        "classification": _Kind(
            Usual(1000, 3, 64), Usual(300, 2, 32), "one class an image",
            lambda known: len(known.labels) == 1, _of_classes,
        ),
        "segmentation": _Kind(_DENSE, _FAST_DENSE, "class masks", lambda known: bool(known.mask), _of_masks),
        "detection": _Kind(
            _DENSE, _FAST_DENSE, "boxes or outlines",
            lambda known: any(map(_boxed, known.objects)), _of_objects,
        ),
    }
)  # fmt: skip


def _boxed(thing: Object) -> bool:
    return bool(thing.box or thing.rings or thing.rle or thing.corners)
