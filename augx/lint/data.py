"""What is wrong with a dataset, whatever the recipe: broken files, labels that do not fit, doubles, uneven classes.

Images are read and decoded just as `augx run` does, so that what is found here is what would fail there. As many as
`most` are looked into, evenly by name; whether two files are the same is asked of all, by size and then by content.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from augx import plan as planning
from augx.balance import class_counts
from augx.codes import CODES
from augx.errors import ImageError, Problem, few
from augx.likeness import across, alike, fingerprint, together
from augx.model import Dataset, Flaw, Sample
from augx.recipe import Recipe
from augx.rules import RULES
from augx.store import Source
from augx.work import Maker, read_sources

UNEVEN = 10  # times as many
TINY = 5  # sources


@dataclass(frozen=True, slots=True)
class Looked:
    """`sizes`: width and height of upright pictures, by id. `flaws`: what images and labels have, but `failed`."""

    sizes: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    failed: Sequence[Flaw] = ()
    flaws: Sequence[Flaw] = ()
    alike: Sequence[tuple[str, ...]] = ()


def look(recipe: Recipe, dataset: Dataset, most: int) -> Looked:
    """Decodes images and fits their labels. `most`: how many; 0: all."""
    samples = _some(dataset.samples, most)
    maker = Maker(recipe, dataset)

    def one(sample: Sample) -> tuple[tuple[int, int], tuple[bytes, bytes] | None, list[str]] | ImageError:
        try:
            opened = maker.open(sample, read_sources(dataset.root, sample, recipe.limits)[0])
        except ImageError as error:
            return error
        picture = opened.picture
        lost = [gone.reason for gone in opened.dropped]
        return (picture.width, picture.height), fingerprint(picture), sorted({*opened.notes, *lost})

    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as threads:
        found = list(zip((sample.id for sample in samples), threads.map(one, samples), strict=True))
    good = [(name, seen) for name, seen in found if not isinstance(seen, ImageError)]
    return Looked(
        {name: seen[0] for name, seen in good},
        [Flaw(bad.code, name, bad.message) for name, bad in found if isinstance(bad, ImageError)],
        [Flaw(code, name, CODES[code].meaning) for name, seen in good for code in seen[2]],
        alike(together((name, seen[1]) for name, seen in good)),
    )


def findings(recipe: Recipe, dataset: Dataset, looked: Looked, shown: str) -> Iterator[Problem]:
    """`shown`: INPUT, as the user wrote it."""
    broken = {flaw.source for flaw in looked.failed}
    for flaw in (*dataset.failed, *looked.failed):
        yield _flaw(shown, flaw, "error")
    for flaw in (*dataset.warnings, *looked.flaws):
        yield _flaw(shown, flaw, "warning")
    same = same_files(dataset, broken)
    yield from _doubles(dataset, same, looked.alike, shown)
    yield from _classes(recipe, dataset, shown)
    if len(looked.sizes) + len(broken) < len(dataset.samples):
        count = len(looked.sizes) + len(broken)
        message = f"{count:,} of {len(dataset.samples):,} images were looked into, evenly by name"
        yield _problem(shown, "looked-at-some", message)


def same_files(dataset: Dataset, broken: Iterable[str]) -> list[list[Sample]]:
    """Samples whose image files are the same, byte for byte, in groups of two and more."""
    left = set(broken)
    by_size: dict[int, list[tuple[Sample, Source]]] = {}
    for sample in dataset.samples:
        source = planning.sources(dataset.root, sample)[0]
        try:
            if sample.id not in left:
                by_size.setdefault(source.bytes(), []).append((sample, source))
        except OSError:
            continue
    found: dict[str, list[Sample]] = {}
    for alike_long in by_size.values():
        for sample, source in alike_long if len(alike_long) > 1 else ():
            try:
                found.setdefault(source.sha256(), []).append(sample)
            except OSError:
                continue
    return sorted((group for group in found.values() if len(group) > 1), key=lambda group: group[0].id)


class Looking:
    """`look`, but once for recipes that see the same in a dataset."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.last: tuple[object, Looked] = (None, Looked())

    def __call__(self, recipe: Recipe, dataset: Dataset) -> Looked:
        asked = recipe.limits, recipe.labels, dataset.root, dataset.samples
        if self.last[0] != asked:
            self.last = asked, look(recipe, dataset, self.most)
        return self.last[1]


def _some(samples: Sequence[Sample], most: int) -> Sequence[Sample]:
    if not most or len(samples) <= most:
        return samples
    return [samples[number * len(samples) // most] for number in range(most)]


def _doubles(
    dataset: Dataset, same: Sequence[Sequence[Sample]], likes: Sequence[tuple[str, ...]], shown: str
) -> Iterator[Problem]:
    leaks = across(dataset, [tuple(sample.id for sample in group) for group in same])
    leaking = {flaw.source for flaw in leaks}
    leaks += [flaw for flaw in across(dataset, likes) if flaw.source not in leaking]
    yield from (_flaw(shown, flaw, "warning") for flaw in leaks)
    known = {sample.id for group in same for sample in group}
    for group in same:
        names = [sample.id for sample in group]
        if len({_labels(sample) for sample in group}) > 1:
            said = "; ".join(f"{sample.id}: {_labels(sample)}" for sample in group[:3])
            yield _problem(f"{shown}/{names[0]}", "labels-differ", f"one file with different labels: {said}")
        elif len({sample.split for sample in group}) < len(group):
            yield _problem(f"{shown}/{names[0]}", "exact-duplicate", f"the same file as {few(names[1:])}")
    for like in likes:
        rest = [name for name in like if name not in known]
        if len(rest) > 1 and like[0] not in {flaw.source for flaw in leaks}:
            yield _problem(f"{shown}/{like[0]}", "alike-images", f"looks like {few(like[1:])}")


def _labels(sample: Sample) -> str:
    """The classes of an image and of its objects, as a person would say them."""
    return ", ".join(sorted(_named(sample))) or "none"


def _named(sample: Sample) -> set[str]:
    known = sample.annotations
    return {*known.labels, *(thing.label for thing in known.objects if thing.label)}


def _classes(recipe: Recipe, dataset: Dataset, shown: str) -> Iterator[Problem]:
    multiplied = [sample for sample in dataset.samples if recipe.multiplies(sample.split)]
    counts, unit = class_counts(multiplied)
    total: dict[str, int] = {}
    sources: dict[str, int] = {}
    for count in counts:
        for name, number in count.items():
            total[name] = total.get(name, 0) + number
            sources[name] = sources.get(name, 0) + 1
    if len(total) > 1 and recipe.balance == "none" and not any(one.classes for one in recipe.overrides):
        least, most = min(total, key=lambda name: (total[name], name)), max(total, key=lambda name: (total[name], name))
        if total[most] >= UNEVEN * total[least]:
            message = f"{most} has {total[most]:,} {unit}, {least} {total[least]:,}: "
            message += f"{total[most] / total[least]:.0f} times as many"
            yield _problem(shown, "class-imbalance", message)
    tested = {name for sample in dataset.samples if not recipe.multiplies(sample.split) for name in _named(sample)}
    if total and (only := sorted(tested - total.keys())):
        said = ", ".join(only[:5]) + (f" and {len(only) - 5} more" if len(only) > 5 else "")
        yield _problem(shown, "class-not-trained", f"classes in none of the splits that are multiplied: {said}")
    tiny = {name: number for name, number in sorted(sources.items()) if number < TINY}
    if tiny and len(multiplied) > TINY:
        said = ", ".join(f"{name} ({number})" for name, number in list(tiny.items())[:5])
        more = f" and {len(tiny) - 5} more" if len(tiny) > 5 else ""
        yield _problem(shown, "tiny-class", f"classes with fewer than {TINY} sources: {said}{more}")


def _flaw(shown: str, flaw: Flaw, level: str) -> Problem:
    file = f"{shown}/{flaw.source}" if flaw.source else shown
    says_it = (level == "error" and "; " in flaw.message) or "`--" in flaw.message
    return Problem(file, 0, 0, flaw.message, "" if says_it else CODES[flaw.code].way_out, level, flaw.code)


def _problem(file: str, code: str, message: str) -> Problem:
    rule = RULES[code]
    return Problem(file, 0, 0, message, rule.way_out, rule.level, code)
