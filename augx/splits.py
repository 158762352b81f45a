"""A dataset without splits, divided: by group, by class, and so that added images move hardly any.

Each group has a number, uniform in [0, 1), which is the hash of its name. Plainly, the lowest numbers are the test
split and the highest val, whatever else is in the dataset: an added image moves none, and each split has its share but
for chance (of 1,000 images at 0.1: 100 +- 10).

Stratified, the groups of each class are ranked by their numbers, and the ranks are cut at the shares. So each class
meets its share to within one group, and an added image moves one group at a border at most, or two. A group of several
classes belongs to its rarest one, which is hardest to have everywhere (as in iterative stratification, Sechidis,
Tsoumakas & Vlahavas 2011), or to its commonest if it would be alone there. Where a share is no whole number of groups,
the class's place among all classes decides between the two next to it, so that many small classes add up to the share;
but one of the groups that belong to a class is for training.
"""

from __future__ import annotations

import hashlib
import re
import signal
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace

from augx.errors import InputError, few
from augx.model import Dataset, Flaw, Sample
from augx.yamlfile import short

_SECONDS = 10  # for a regular expression over all names
_GOLDEN = 0.6180339887498949


def divide(
    dataset: Dataset,
    val: float,
    test: float,
    by: str | None = None,
    stratify: bool = False,
    groups: Mapping[str, str] | None = None,
) -> Dataset:
    """The dataset with each sample in "train", "val" or "test", and warnings of what a person should know.

    `val`, `test`: shares of the images, together less than 1. `by`: a column, or else a regular expression for the
    ids of samples, whose first group (or whole match) names a sample's group; a group goes to one split as a whole.
    `groups`: sample id -> its group, instead of `by`; who is not in it is on its own.
    Raises InputError where that cannot be.
    """
    if not (val >= 0 and test >= 0 and val + test < 1):
        raise InputError(
            f"split: val {val:g} and test {test:g} leave nothing to train on", "make them less than 1 together"
        )
    there = sorted({sample.split for sample in dataset.samples if sample.split is not None})
    if len(there) > 1 or (there and any(sample.split is None for sample in dataset.samples)):
        raise InputError(f"the dataset has splits already: {', '.join(there)}", "take `split` out of the recipe")
    warnings: list[Flaw] = []
    if groups is None and by is not None:
        groups = groups_by(dataset.samples, by, warnings)
    members: dict[str, list[Sample]] = {}
    for sample in dataset.samples:
        members.setdefault((groups or {}).get(sample.id, sample.id), []).append(sample)
    chosen = (
        _by_class(members, val, test) if stratify else {name: _split(_uniform(name), val, test) for name in members}
    )
    splits = {sample.id: chosen[name] for name, group in members.items() for sample in group}
    found = set(splits.values())
    for name, share in (("train", 1 - val - test), ("val", val), ("test", test)):
        if share > 0 and name not in found and dataset.samples:
            count = f"{len(members):,} {'groups' if len(members) < len(dataset.samples) else 'images'}"
            way = "raise its share, or add images" if stratify else "raise its share, or write `stratify: true`"
            warnings.append(Flaw("empty-split", "", f"no image of {count} came to {name} at {share:g}; {way}"))
    samples = tuple(replace(sample, split=splits[sample.id]) for sample in dataset.samples)
    return replace(dataset, samples=samples, warnings=(*dataset.warnings, *warnings))


def _uniform(name: str) -> float:
    """In [0, 1), from the name alone."""
    digest = hashlib.blake2b(name.encode(errors="surrogateescape"), digest_size=8, person=b"augx split").digest()
    return (int.from_bytes(digest, "big") >> 11) / (1 << 53)


def _split(number: float, val: float, test: float) -> str:
    """From both ends, so that another share of the one moves none of the other."""
    return "test" if number < test else "val" if number >= 1 - val else "train"


def _by_class(members: Mapping[str, Sequence[Sample]], val: float, test: float) -> dict[str, str]:
    """Group -> split, class by class."""
    classes = {name: {label for sample in group for label in _labels(sample)} for name, group in members.items()}
    common = Counter(label for labels in classes.values() for label in labels)
    ranked = {name: sorted(labels, key=lambda label: (common[label], label)) for name, labels in classes.items()}
    rarest = Counter(labels[0] for labels in ranked.values() if labels)
    strata: dict[str | None, list[str]] = {}
    for name, labels in ranked.items():
        label = None if not labels else labels[0] if rarest[labels[0]] > 1 else labels[-1]
        strata.setdefault(label, []).append(name)
    chosen: dict[str, str] = {}
    for index, stratum in enumerate(sorted(strata, key=lambda label: label or "")):
        names = strata[stratum]
        total = sum(len(members[name]) for name in names)
        inside = (0.5 + index * _GOLDEN) % 1  # where in a group its place is taken; evenly spread over classes
        places: dict[str, float] = {}
        before = 0
        for name in sorted(names, key=lambda name: (_uniform(name), name)):
            places[name] = (before + inside * len(members[name])) / total
            before += len(members[name])
        found = {name: _split(place, val, test) for name, place in places.items()}
        if "train" not in found.values():
            middle = (test + 1 - val) / 2
            found[min(places, key=lambda name: abs(places[name] - middle))] = "train"
        chosen |= found
    return chosen


def _labels(sample: Sample) -> set[str]:
    known = sample.annotations
    return {*known.labels, *(thing.label for thing in known.objects if thing.label is not None)}


@contextmanager
def _limited(by: str) -> Iterator[None]:
    """InputError where a regular expression takes too long, as some do that repeat what repeats: (a*)*."""
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
        yield
        return

    def stop(*_: object) -> None:
        hint = "write it without repeats of what repeats itself, such as (a*)*"
        raise InputError(f"split: by: {short(by)} takes more than {_SECONDS} s over these names", hint)

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, _SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def groups_by(samples: Sequence[Sample], by: str, warnings: list[Flaw]) -> dict[str, str]:
    """Sample id -> group; without those that have none, which are warned of. `by`: as in `divide`."""
    columns = {name for sample in samples for name in sample.annotations.values}
    if by in columns:
        cells = ((sample.id, sample.annotations.values.get(by)) for sample in samples)
        found = {id: str(cell).strip() for id, cell in cells if cell is not None and cell == cell}
        found = {id: text for id, text in found.items() if text}
        if not found:
            raise InputError(f"split: the column {by} is empty in every row", "name a column that tells the groups")
        why = f"have nothing in the column {by}"
    else:
        try:
            pattern = re.compile(by)
        except (re.error, OverflowError, RecursionError, MemoryError) as error:
            known = f"the columns are {few(columns)}" if columns else "there are no columns"
            message = f"split: by: {short(by)} is no column and no regular expression: {error}"
            raise InputError(message, known) from None
        with _limited(by):
            matches = ((sample.id, pattern.search(sample.id)) for sample in samples)
            found = {id: (match[1] if pattern.groups else match[0]) or "" for id, match in matches if match}
        found = {id: text for id, text in found.items() if text}
        if samples and not found:
            message = f"split: by: {by} is no column, and as a regular expression it fits no image, as {samples[0].id}"
            way = "say which part of its name tells the group, in brackets, as (^[^_]+)_"
            raise InputError(message, f"the columns are {few(columns)}" if columns else way)
        why = f"do not fit by: {by}"
    alone = [sample.id for sample in samples if sample.id not in found]
    if alone:
        warnings.append(
            Flaw("no-group", alone[0], f"{len(alone):,} images {why}, the first {alone[0]}; each is its own group")
        )
    return found
