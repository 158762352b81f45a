"""Dataset x recipe -> jobs, keys and shards. Pure: reads no pixel, writes nothing, asks no clock and no worker."""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, TypeVar

from augx import added as adding
from augx import naming
from augx.errors import InputError
from augx.model import Annotations, Beside, Dataset, Flaw, Job, Json, Rle, Sample, Shard, TarOptions
from augx.recipe import Recipe
from augx.ring import PARTNERS, Ring, place_of
from augx.store import Source
from augx.transforms.catalog import TRANSFORMS

if TYPE_CHECKING:
    from augx.balance import Balanced

_T = TypeVar("_T")

_RENAME = "rename one of them, or write another format with `--to`"
_SHARD_SOURCES = 32  # a kill loses the work of one shard at most ...
_SMALL_SHARDS = 5  # at the beginning, each of twice the size of the one before
_SHARD_BYTES = 4 << 20  # ... so a shard is small where images are large


@dataclass(frozen=True, slots=True)
class Plan:
    """`jobs` in the order of the manifest: by source. `lost`: listed in the dataset, but cannot be made.

    `formats`: names of the formats it is written in. `bases`, of the recipe and each of its overrides, are the part
    that all keys share: transforms and the versions that decide bytes. `ring`: says who may be mixed with whom; None
    where nothing is mixed. `balanced`: what the recipe's `balance` comes to; None without.
    `said`: what the user said about the dataset's label files, for a replay to read them alike. `tars`: all files of
    jobs lie in tars, whose names their stems begin with.
    """

    dataset: Dataset
    recipe: Recipe
    jobs: tuple[Job, ...]
    lost: tuple[tuple[Flaw, tuple[int, ...]], ...]
    formats: tuple[str, ...]
    bases: tuple[str, ...]
    ring: Ring | None = None
    balanced: Balanced | None = None
    said: Mapping[str, Json] = field(default_factory=dict)
    tars: bool = False

    def pools(self, job: Job) -> dict[str, tuple[Sample, ...]]:
        """Whom the copies of a job may be mixed with."""
        return {} if self.ring is None or job.copies == (0,) else self.ring.pools(job.sample)

    def keys(self, content: Callable[[Sample], str]) -> Keys:
        return Keys(self.bases, content)

    def sources(self, job: Job) -> list[Source]:
        """Where the job's image lies, and its masks."""
        return sources(self.dataset.root, job.sample, self.recipe.limits.bytes)

    def images(self) -> int:
        return sum(len(job.copies) for job in self.jobs)

    def files(self, jobs: Iterable[Job]) -> list[str]:
        """The files of OUTPUT that these jobs write."""
        if self.tars:
            return list(dict.fromkeys(naming.tar_of(job.stem) for job in jobs))
        return [name for job in jobs for name in naming.job_names(job)]

    def order(self, jobs: Iterable[Job]) -> Iterable[Job]:
        """As they go to workers: those of one tar, or who share partners, together."""
        if self.tars:
            return sorted(jobs, key=lambda job: (naming.tar_of(job.stem), place_of(job.sample.id), job.sample.id))
        if self.ring is None:
            return jobs
        order = self.ring.order
        return sorted(jobs, key=lambda job: order(job.sample))


def make(
    dataset: Dataset,
    recipe: Recipe,
    formats: tuple[str, ...],
    versions: Mapping[str, str],
    beside: Callable[[Sample, str], tuple[Beside, ...]] | None = None,
    header: Json = None,
    taken: Iterable[str] = (),
    balanced: Balanced | None = None,
    size: Callable[[Sample], int] | None = None,
    added: Sequence[tuple[Sample, tuple[int, ...]]] = (),
) -> Plan:
    """The plan. `dataset.samples` have their output folder already.

    `beside`: the files that go with a sample's images of a given stem. `header`: what all these files depend on.
    `taken`: names of files that tell of the whole dataset. `balanced`: says how many copies of which source, where the
    recipe does not. `size`: bytes of a sample's files, where what is written goes into tars; None: files lie loose.
    `added`: samples that no file holds, with their copies, last in the plan.
    Raises InputError when the recipe's `splits` name none of the dataset's, or where two files would have one name.
    """
    splits = {s.split for s in dataset.samples if s.split is not None}
    if (
        recipe.copies
        and splits
        and not splits & set(recipe.splits)
        and all(s.split is not None for s in dataset.samples)
    ):
        raise InputError(
            f"the recipe multiplies {', '.join(recipe.splits)}, but the dataset has only {', '.join(sorted(splits))}",
            f"set `splits: [{min(splits)}]` in the recipe to multiply it",
        )
    variants, first = recipe.variants(), 0 if recipe.originals else 1

    @cache
    def numbers(copies: int) -> tuple[int, ...]:
        return tuple(range(first, copies + 1))

    def copies(sample: Sample, variant: int) -> tuple[int, ...]:
        said = variants[variant].copies
        if not recipe.multiplies(sample.split):
            return (0,)
        return numbers(said if balanced is None else balanced.copies.get(sample.id, said))

    stems = naming.stems(dataset.samples, recipe.image.format, beside is not None)

    @cache
    def one(variant: int, numbers: tuple[int, ...]) -> tuple[int, tuple[int, ...]]:
        """Of millions, most are the same."""
        return variant, numbers

    variant_of = recipe.variant
    chosen = [one(number, copies(sample, number)) for sample in dataset.samples for number in (variant_of(sample),)]
    samples = (*dataset.samples, *(sample for sample, _ in added)) if added else dataset.samples
    stems += _added_stems(added, stems)
    chosen += [(recipe.variant(sample), numbers) for sample, numbers in added]
    if size:
        stems = _in_tars(samples, [len(numbers) for _, numbers in chosen], stems, recipe.tar, size)
    jobs = tuple(
        Job(sample, stem, ending, numbers, beside(sample, stem) if beside else (), variant)
        for sample, (stem, ending), (variant, numbers) in zip(samples, _taken(stems), _taken(chosen), strict=True)
        if numbers
    )
    if beside:  # images alone are told apart by `naming.stems`, and no file of a whole dataset ends as they do
        _refuse_one_name_twice(jobs, taken)
    lost = tuple((flaw, numbers(recipe.copies)) for flaw in dataset.failed)
    bases = tuple(basis(variant, versions, header) for variant in variants)
    pools = partner_pools(recipe, any(sample.annotations.labels for sample in dataset.samples))
    ring = Ring((s for s in dataset.samples if recipe.multiplies(s.split)), pools) if pools else None
    return Plan(dataset, recipe, jobs, lost, formats, bases, ring, balanced, tars=size is not None)


def _taken(things: list[_T]) -> Iterator[_T]:
    """In their order, each let go when the next one is asked for: of millions not all need stay."""
    things.reverse()
    while things:
        yield things.pop()


def _in_tars(
    samples: Sequence[Sample],
    counts: Sequence[int],
    stems: Sequence[tuple[str, str]],
    options: TarOptions,
    size: Callable[[Sample], int],
) -> list[tuple[str, str]]:
    """The stems with the names of tars before them, and endings as readers of tars expect them. `counts`: of images.

    Each split has so many tars, and each stretch of the hash ring is one of them: so a tar is a shuffled part of the
    dataset, and an image more changes the one it comes into. How many there are, changes by a seventh to a quarter at
    once, as then all are made again.
    """
    images: Counter[str | None] = Counter()
    weights: Counter[str | None] = Counter()
    for sample, count in zip(samples, counts, strict=True):
        images[sample.split] += count
        weights[sample.split] += count * size(sample) if count else 0
    tars = {
        split: _rounded(max(-(-count // options.images), -(-weights[split] // options.bytes), 1))
        for split, count in images.items()
    }
    places = [(sample.split, place_of(sample.id) * tars[sample.split] >> 64) for sample in samples]
    numbers: dict[tuple[str | None, int], int] = {}
    given: Counter[str | None] = Counter()
    there = {place for place, count in zip(places, counts, strict=True) if count}
    for split, place in sorted(there, key=lambda pair: (pair[0] or "", pair[1])):
        numbers[split, place] = given[
            split
        ]  # without gaps, which a pattern such as {000000..000007} would stumble over
        given[split] += 1
    names = naming.tar_names(images)
    return [
        (f"{names[split]}-{numbers.get((split, place), 0):06d}.tar/{stem}", naming.plain_ending(ending))
        for (split, place), (stem, ending) in zip(places, stems, strict=True)
    ]


def _rounded(count: int) -> int:
    """The next number of at most three binary digits before zeros: 1 to 8, 10, 12, 14, 16, 20 ..."""
    step = 1 << max(count.bit_length() - 3, 0)
    return -(-count // step) * step


def _added_stems(
    added: Sequence[tuple[Sample, tuple[int, ...]]], stems: Sequence[tuple[str, str]]
) -> list[tuple[str, str]]:
    """Of samples that no file holds; they end as most others do. `stems`: of these."""
    if not added:
        return []
    usual = max(sorted(Counter(ending for _, ending in stems).items()), key=itemgetter(1))[0]
    names = adding.stems((sample for sample, _ in added), (stem for stem, _ in stems))
    return [(names[sample.id], usual) for sample, _ in added]


def partner_pools(recipe: Recipe, classed: bool) -> dict[str, int]:
    """Kind of partner -> how many of them the recipe's mixes choose from. `classed`: images have classes."""
    pools: dict[str, int] = {}
    for step in recipe.all_steps() if recipe.copies or recipe.overrides or recipe.adding() else ():
        entry = TRANSFORMS[step.name]
        if entry.pool:
            kinds = {str(step.args.get("partners", entry.partners))}
            if (
                recipe.labels.hard and classed
            ):  # then a mix that keeps less than half of a picture has to keep to its class
                kinds.add("same")
            for kind in kinds & PARTNERS:
                pools[kind] = max(pools.get(kind, 0), entry.pool)
    return dict(sorted(pools.items()))


def _refuse_one_name_twice(jobs: Iterable[Job], taken: Iterable[str]) -> None:
    """InputError where two files would have one name, on file systems that ignore case too. `naming.stems` sees to it
    that images do not clash among themselves; what goes beside them has suffixes, which it does not know."""
    owners: dict[str, list[Job]] = {}
    for job in jobs:
        for stem, ending in [(job.stem, job.ending), *((one.stem, one.ending) for one in job.beside)]:
            owners.setdefault(naming.without_copy(stem + ending), []).append(job)
    own = {naming.without_copy(name): name for name in taken}
    for alike in own.keys() & owners.keys():
        for job in owners[alike]:
            for name in naming.job_names(job):
                if name.casefold() == own[alike].casefold():
                    raise InputError(
                        f"{job.sample.id} would write {name}, as a file of the whole dataset is called", _RENAME
                    )
    for sharing in owners.values():
        seen: dict[str, str] = {}
        for job in {job.sample.id: job for job in sharing}.values() if len(sharing) > 1 else ():
            for name in naming.job_names(job):
                other = seen.setdefault(name.casefold(), job.sample.id)
                if other != job.sample.id:
                    raise InputError(f"{other} and {job.sample.id} would both write {name}", _RENAME)


def basis(recipe: Recipe, versions: Mapping[str, str], header: Json = None) -> str:
    return _digest([recipe.digest(), dict(sorted(versions.items())), *([] if header is None else [header])])


def files(sample: Sample) -> list[str]:
    """The files under INPUT that a sample is made of, by name: the image first, then its masks."""
    known = sample.annotations
    return [sample.id, *dict.fromkeys(name for name in (known.mask, known.instances, known.segments) if name)]


def sources(root: str, sample: Sample, limit: int | None = None) -> list[Source]:
    """Where these files lie. `limit`: bytes that each may have."""
    if sample.added:
        return [Source(sample.added.model)]
    found: list[Source] = []
    for name in files(sample):
        path, offset, size = sample.packed.get(name, (name, 0, None))
        found.append(Source(os.path.join(root, *path.split("/")), offset, size, root, limit))
    return found


def pictures(dataset: Dataset) -> dict[str, Source]:
    """Where each sample's image lies."""
    return {sample.id: sources(dataset.root, sample)[0] for sample in dataset.samples}


def content(sums: Sequence[str]) -> str:
    """The digest of a sample's content, of the SHA-256 of its files; "" where one cannot be read."""
    if len(sums) == 1 or not all(sums):
        return sums[0] if all(sums) else ""
    return hashlib.sha256("".join(sums).encode()).hexdigest()


class Keys:
    """A job's key: it names all that the rows and pixels of this source's copies depend on, but for how many copies
    there are. `content`: of a partner, as `content` below says it of a source; asked once for each."""

    def __init__(self, bases: Sequence[str], content: Callable[[Sample], str]) -> None:
        self._bases, self._content = bases, content
        self._partners: dict[str, str] = {}

    def __call__(self, job: Job, sha256: str, pools: Mapping[str, Sequence[Sample]]) -> str:
        partners = [[kind, "".join(map(self._partner, pool))] for kind, pool in pools.items()]
        return _key(self._bases[job.variant], job, sha256, partners)

    def _partner(self, sample: Sample) -> str:
        if sample.id not in self._partners:
            known = sample.annotations
            said = [sample.id, self._content(sample), dict(known.labels), dict(known.values), *_geometry(known)]
            self._partners[sample.id] = _digest(said)
        return self._partners[sample.id]


def _key(basis: str, job: Job, sha256: str, partners: list[Json]) -> str:
    known = job.sample.annotations
    place = [job.sample.id, job.stem, job.ending, job.sample.split]
    beside = [[one.kind, one.stem, one.ending, one.needs] for one in job.beside]
    said = [basis, sha256, place, dict(known.labels), dict(known.values), *beside, *_geometry(known), *partners]
    if made := job.sample.added:
        said += [{key: value for key, value in made.step.args.items() if key not in ("model", "per_class")}, made.by]
    return _digest(said)[:16]


def _geometry(known: Annotations) -> Iterator[Json]:
    """All of the annotations but labels and values; nothing for an image that has no more than those."""
    said = [list(known.captions), known.mask, known.instances, known.segments, known.size, dict(known.extra)]
    if known.objects or any(said):
        yield said
    if known.objects:
        yield [known.relative, known.dot]
    for thing in known.objects:
        shape = [thing.box, [ring.tobytes().hex() for ring in thing.rings], _runs(thing.rle)]
        points = [None if flat is None else flat.tobytes().hex() for flat in (thing.keypoints, thing.corners)]
        yield [thing.label, shape, points, thing.crowd, thing.index, dict(thing.extra)]


def _runs(rle: Rle | None) -> Json:
    return None if rle is None else [rle.width, rle.height, rle.counts]


def plan_hash(plan: Plan, keys: Callable[[Job], str]) -> str:
    """One hash of all that OUTPUT will hold: equal hashes, equal folders."""
    dataset = plan.dataset
    digest = hashlib.sha256(
        _digest([plan.bases, plan.formats, dataset.format, dataset.classes, dataset.digest]).encode()
    )
    for job in plan.jobs:
        digest.update(f"{job.sample.id}\0{keys(job)}\0{_ranges(job.copies)}\n".encode())
    for flaw, copies in plan.lost:
        digest.update(f"{flaw.source}\0{flaw.code}\0{flaw.message}\0{_ranges(copies)}\n".encode())
    return digest.hexdigest()


def shards(jobs: Iterable[Job], size: Callable[[Job], int], generation: int = 0, usual: int = 0) -> Iterator[Shard]:
    """Cuts jobs into shards of about equal work, the same however many workers there are; `size` is in bytes.

    `usual`: how many copies a job has as a rule; one of twice as many counts twice. The first shards are small, so that
    something is there to be seen soon.
    """

    def shard() -> Shard:
        return Shard(f"{generation:04d}.{number:07d}", tuple(some))

    some: list[Job] = []
    number, total, count = 0, 0.0, 0.0
    for job in jobs:
        weight = max(1.0, len(job.copies) / usual) if usual else 1.0
        some.append(job)
        total += size(job) * weight
        count += weight
        share = 2.0 ** min(0, number - _SMALL_SHARDS)
        if count >= _SHARD_SOURCES * share or total >= _SHARD_BYTES * share:
            yield shard()
            some, total, count, number = [], 0.0, 0.0, number + 1
    if some:
        yield shard()


def stretches(plan: Plan, number: int) -> list[tuple[Job, ...]]:
    """The jobs in so many parts with about as many images each. Those who may be mixed stand together, and no tar is
    divided."""
    jobs = plan.order(plan.jobs)
    units = groupby(jobs, key=lambda job: naming.tar_of(job.stem) if plan.tars else job.sample.id)
    parts: list[list[Job]] = [[] for _ in range(number)]
    images, before = max(1, plan.images()), 0
    for _, some in units:
        unit = list(some)
        parts[before * number // images] += unit
        before += sum(len(job.copies) for job in unit)
    return [tuple(part) for part in parts]


def tar_shards(jobs: Iterable[Job], generation: int = 0) -> Iterator[Shard]:
    """A shard for each tar; `jobs` in the order of a plan whose files lie in tars."""
    for number, (tar, some) in enumerate(groupby(jobs, key=lambda job: naming.tar_of(job.stem))):
        yield Shard(f"{generation:04d}.{number:07d}", tuple(some), tar)


def class_counts(jobs: Sequence[tuple[Sample, int]]) -> dict[str, dict[str, int]]:
    """Per class name, of images and of objects: `before`, the sources that have it, `after`, the images of them."""
    counts: dict[str, dict[str, int]] = {}
    for sample, images in jobs:
        objects = (thing.label for thing in sample.annotations.objects if thing.label is not None)
        for name in {*sample.annotations.labels, *objects} or ("(none)",):
            count = counts.setdefault(name, {"before": 0, "after": 0})
            count["before"] += not sample.added
            count["after"] += images
    return dict(sorted(counts.items()))


def split_counts(jobs: Sequence[tuple[Sample, int]]) -> dict[str, dict[str, int]]:
    """Per split: `before`, its sources, and `after`, the images written of them."""
    counts: dict[str, dict[str, int]] = {}
    for sample, images in jobs:
        if sample.split is not None:
            count = counts.setdefault(sample.split, {"before": 0, "after": 0})
            count["before"] += not sample.added
            count["after"] += images
    return counts


def _digest(parts: Json) -> str:
    text = json.dumps(parts, ensure_ascii=True)  # keys in the order they came: so they are written
    return hashlib.sha256(text.encode()).hexdigest()


def _ranges(copies: Sequence[int]) -> str:
    return f"{copies[0]}-{copies[-1]}" if copies else ""
