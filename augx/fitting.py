"""Whether a dataset fits what it is to be written as: what would be lost, what goes beside images, what flips need."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from difflib import get_close_matches

from augx import artefact
from augx.errors import ImageError, InputError, few
from augx.formats import FORMATS, Format, load
from augx.model import Beside, Dataset, Flaw, Json, Pose, Sample, Step
from augx.naming import images_in
from augx.objects import KINDS, PLACED, dataset_kinds, kinds, without
from augx.places import is_place
from augx.recipe import Recipe
from augx.store import Source, hashes
from augx.transforms.catalog import TRANSFORMS, WEIGHING, mirrors_pictures

_HOUSEKEEPING = frozenset({"yolo", "annotated"})  # of images' `extra`: says nothing about what they show
_ALIKE = 0.25  # of all pictures, that a model and a dataset have both
_FOREIGN = frozenset({"id", "coco_files"})  # of objects' `extra`: nobody misses it in another format


def fit(dataset: Dataset, targets: Sequence[Format], allow_loss: bool) -> Dataset:
    """The dataset as `targets` can hold it. InputError, by name, where labels would be lost and loss is not allowed.

    A kind of label is lost when no target holds it. Lost fields of objects (difficult, attributes) are only warnings.
    """
    for target in targets:
        if not target.writes:
            raise InputError(f"augx reads {target.name} but does not write it", "choose another format with `--to`")
    if any(target.name == dataset.format for target in targets):
        return replace(dataset, warnings=(*dataset.warnings, *_lost_beside(dataset, targets)))
    if not any("instances" in target.holds for target in targets) and any("rle" in target.holds for target in targets):
        dataset = _instances_as_rle(dataset)
    found = dataset_kinds(dataset)
    lost = set(found).intersection(*(target.lost(frozenset(found)) for target in targets))
    if lost and not allow_loss:
        columns = sorted({column for sample in dataset.samples for column in sample.annotations.values})
        what = dict(KINDS) | {"values": f"the columns {few(columns)}"}
        listed = "; ".join(
            f"{what[kind]} ({found[kind][0]:,} images, the first {found[kind][1]})" for kind in sorted(lost)
        )
        names = " and ".join(target.name for target in targets)
        what_is_lost = "them" if len(lost) > 1 else "it"
        holding = [other for other in map(load, FORMATS) if other.writes and not other.lost(frozenset(lost))]
        beside = [other.name for other in holding if not other.packs]
        hint = f"`--allow-loss` leaves {what_is_lost} out"
        if beside:
            hint += f"; add `--to {beside[0]}` to write {what_is_lost} beside"
        elif holding:
            hint += f"; `--to {holding[0].name}` alone holds {what_is_lost}"
        raise InputError(f"the format {names} cannot hold {listed}", hint)
    samples = dataset.samples
    warnings = list(dataset.warnings)
    if lost:
        samples = tuple(without(sample, lost) for sample in samples)
        warnings += [
            Flaw("lost-labels", "", f"left out as allowed: {KINDS[kind]} of {found[kind][0]:,} images")
            for kind in sorted(lost)
        ]
    warnings += _lost_beside(replace(dataset, samples=samples), targets)
    warnings += _lost_fields(samples, targets)
    if any(sample.annotations.extra.keys() - _HOUSEKEEPING for sample in samples):
        said = f"{' and '.join(target.name for target in targets)} has no place for what {dataset.format} says"
        warnings.append(Flaw("lost-field", "", f"{said} of images besides their labels"))
    samples = tuple(_without_extra(sample) for sample in samples)
    return replace(dataset, samples=samples, warnings=tuple(warnings))


def lost_by(dataset: Dataset, targets: Sequence[Format], mixes: bool = False) -> dict[str, frozenset[str]]:
    """Format -> the kinds of label that it leaves to the other formats beside it. `mixes`: as `mixes_classes` says."""
    if len(targets) < 2:
        return {target.name: frozenset() for target in targets}
    weights = frozenset({"weights"} if mixes else ())
    found = frozenset(dataset_kinds(dataset)) | weights
    return {t.name: weights - t.holds if t.name == dataset.format else t.lost(found) for t in targets}


def _lost_beside(dataset: Dataset, targets: Sequence[Format]) -> list[Flaw]:
    return [
        Flaw("lost-labels", "", f"{name} is written without {', '.join(KINDS[kind] for kind in sorted(kinds))}")
        for name, kinds in lost_by(dataset, targets).items()
        if kinds
    ]


def _without_extra(sample: Sample) -> Sample:
    """Less what only the format knows that it was read in."""
    known = sample.annotations
    return replace(sample, annotations=replace(known, extra={})) if known.extra else sample


def _instances_as_rle(dataset: Dataset) -> Dataset:
    """Objects whose mask is in a file of instances take it as their own, where the target holds only that."""

    def one(sample: Sample) -> Sample:
        known = sample.annotations
        if not known.instances or not any(thing.index is not None for thing in known.objects):
            return sample
        return replace(sample, annotations=replace(known, instances=None, segments=known.instances))

    return replace(dataset, samples=tuple(map(one, dataset.samples)))


def _lost_fields(samples: Iterable[Sample], targets: Sequence[Format]) -> list[Flaw]:
    if any(target.fields is None for target in targets):
        return []
    held = _FOREIGN.union(*(target.fields or () for target in targets))
    lost = Counter(key for s in samples for thing in s.annotations.objects for key in thing.extra if key not in held)
    names = " and ".join(target.name for target in targets)
    return [
        Flaw("lost-field", "", f"{names} has no place for {key!r} of {n:,} objects") for key, n in sorted(lost.items())
    ]


def without_blind(dataset: Dataset) -> Dataset:
    """Images whose label file or mask is there but is no file to read (a pipe, a link out of INPUT) fail: without it
    they would pass for images of nothing."""
    closed = {_stem(flaw.source): flaw for flaw in dataset.warnings if flaw.code in ("link-outside", "not-a-file")}
    blind = {
        sample.id: Flaw("unreadable-label", sample.id, f"{flaw.source}: {flaw.message}")
        for sample in dataset.samples
        if closed and (flaw := closed.get(_stem(sample.id))) and not kinds(sample.annotations)
    }
    if not blind:
        return dataset
    samples = tuple(sample for sample in dataset.samples if sample.id not in blind)
    return replace(dataset, samples=samples, failed=(*dataset.failed, *blind.values()))


def _stem(path: str) -> str:
    return path.rpartition("/")[2].rpartition(".")[0]


def files_beside(dataset: Dataset, targets: Sequence[Format]) -> Callable[[Sample, str], tuple[Beside, ...]] | None:
    """What `plan.make` asks for the files that go with an image; None where no target writes any."""

    views = [(target, replace(dataset, details=target.adopt(dataset))) for target in targets if target.writes_beside]

    def beside(sample: Sample, stem: str) -> tuple[Beside, ...]:
        every = (one for target, known in views for one in target.beside(sample, known, stem))
        kinds: dict[str, Beside] = {}
        for one in every:
            kinds.setdefault(one.kind, one)
        return tuple(kinds.values())

    return beside if any(beside(sample, sample.id) for sample in dataset.samples) else None


def without_samples(dataset: Dataset, formats: Collection[str]) -> Dataset:
    """What workers need to know of the dataset. `details`: format -> what its files beside images need to know."""
    targets = [target for target in map(load, formats) if target.writes_beside]
    details = {target.name: target.adopt(dataset) for target in targets}
    return replace(dataset, samples=(), failed=(), warnings=(), ignored={}, details=details)


def header(dataset: Dataset, targets: Sequence[Format], recipe: Recipe) -> Json:
    """All that the files beside images depend on besides their own rows, and what is in the folders and models that the
    recipe names; None where there is nothing."""
    said: list[Json] = []
    for name, place in sorted(recipe.places.items()):
        files = images_in(place)
        said.append([name, files, hashes(os.path.join(place, file) for file in files)])
    changing = {step.args.get("model") for step in recipe.all_steps() if not TRANSFORMS[step.name].adds}
    said += [[name, model.sha256] for name, model in sorted(recipe.models.items()) if name in changing]
    if dataset.poses or dataset.ignore is not None:
        said.append([{name: pose.swap for name, pose in sorted(dataset.poses.items())}, dataset.ignore])
    lost = lost_by(dataset, targets, mixes_classes(dataset, recipe))
    said += [
        [target.name, repr(target.adopt(dataset)), sorted(lost[target.name])]
        for target in targets
        if target.writes_beside
    ]
    return said or None


def mixes_classes(dataset: Dataset, recipe: Recipe) -> bool:
    """Whether images will get several classes with weights."""
    if recipe.labels.hard or not any(sample.annotations.labels for sample in dataset.samples):
        return False
    several = any(len(sample.annotations.labels) > 1 for sample in dataset.samples)
    weighing = [step for step in recipe.all_steps() if step.name in WEIGHING and step.p != 0]
    partners = [(step.name, step.args.get("partners", TRANSFORMS[step.name].partners)) for step in weighing]
    return any(one != "same" or (several and not TRANSFORMS[name].learned) for name, one in partners)


def bundled_recipe(dataset: Dataset) -> str:
    """The name of the bundled recipe that fits the labels found."""
    known = [sample.annotations for sample in dataset.samples]
    if any(thing.keypoints is not None for one in known for thing in one.objects):
        return "gentle" if next(_blind(dataset), None) else "pose"
    if any(one.objects for one in known):
        return "detection"
    return "segmentation" if any(one.mask for one in known) else "classification"


def refuse_blind_flips(dataset: Dataset, recipe: Recipe) -> None:
    """InputError where the recipe mirrors keypoints of which nobody knows the left and the right ones."""
    mirrors = sorted(step.name for step in recipe.all_steps() if mirrors_pictures(step.name, step.args))
    if not mirrors or recipe.labels.pairs is not None or not recipe.copies:
        return
    for label, pose in _blind(dataset):
        names = f" ({', '.join(pose.names[:6])} ...)" if pose and pose.names else ""
        raise InputError(
            f"{mirrors[0]} mirrors keypoints, but which are left and right of {label!r} is not known{names}",
            "say it in the recipe, `labels: {keypoint_pairs: [[1, 2], [3, 4]]}` by indexes from 0 ([] where none swap),"
            " or leave mirrors out",
        )


def refuse_unknown_values(dataset: Dataset, recipe: Recipe) -> None:
    """InputError where `labels.values` names a column that no image has."""
    columns = {column for sample in dataset.samples for column in sample.annotations.values}
    for name in recipe.labels.values:
        if name not in columns:
            close = get_close_matches(name, columns, n=1)
            guess = f"did you mean {close[0]!r}? " if close else ""
            hint = f"{guess}there are: {few(columns, 8) or 'none'}"
            raise InputError(f"the recipe says labels.values.{name}, but no image has such a column", hint)


def unknown_classes(dataset: Dataset, recipe: Recipe) -> list[Flaw]:
    """Warnings for classes that the recipe names and no image shows: a recipe may serve several datasets."""
    named = {name: f"{step.name}.classes" for step in recipe.all_steps() for name in step.args.get("classes", ())}
    named |= {name: "overrides" for one in recipe.overrides for name in one.classes}
    known = set(dataset.classes)
    if unsure := [name for name in named if isinstance(name, str) and name not in known]:
        known |= {thing.label for sample in dataset.samples for thing in sample.annotations.objects if thing.label}
    flaws = []
    for name in unsure:
        if name not in known:
            close = get_close_matches(name, sorted(known), n=1)
            guess = f"; did you mean {close[0]!r}?" if close else ""
            flaws.append(Flaw("class-not-there", "", f"the recipe names the class {name!r} ({named[name]}){guess}"))
    splits = {sample.split for sample in dataset.samples}
    for name in dict.fromkeys(name for one in recipe.overrides for name in one.splits):
        if name not in splits or not recipe.multiplies(name):
            why = "is not multiplied, see `splits`" if name in splits else "is not there"
            flaws.append(Flaw("split-not-there", "", f"an override is for the split {name!r}, which {why}"))
    return flaws


def broken_backgrounds(recipe: Recipe) -> list[Flaw]:
    """Warnings for files in the recipe's folders that cannot be opened: another is taken in place of each."""
    flaws = []
    for name, place in sorted(recipe.places.items()):
        from augx import images  # the codecs: heavy, and seldom needed here

        for file in images_in(place):
            try:
                images.check(Source(os.path.join(place, file), limit=recipe.limits.bytes).read()[0], recipe.limits)
            except (ImageError, OSError) as error:
                why = getattr(error, "message", "") or getattr(error, "strerror", "") or str(error)
                flaws.append(Flaw("broken-background", "", f"{name}/{file} is passed over: {why}"))
    return flaws


def refuse_inventions(dataset: Dataset, recipe: Recipe) -> None:
    """InputError where the recipe makes pictures whose things are elsewhere than labels say, and nobody knows where."""
    inventing = [step for step in recipe.all_steps() if TRANSFORMS[step.name].learned and _invents(step)]
    for sample in dataset.samples if inventing else ():
        there = kinds(sample.annotations) & PLACED
        if there:
            step = inventing[0]
            what = ", ".join(KINDS[kind] for kind in sorted(there))
            hint = f"{step.name} is for images that have classes only"
            if step.name == "feature_space":
                hint = "`mode: noise` leaves them in place; the others are for images that have classes only"
            raise InputError(f"{step.name} moves things to where no label says, and {sample.id} has {what}", hint)
    numbers = _numbers(dataset)
    if inventing and numbers and not any(kinds(sample.annotations) - {"values"} for sample in dataset.samples):
        step = inventing[0]
        hint = "leave it out, or give images classes: it then makes pictures of one class"
        if step.name == "feature_space":
            hint = "`mode: noise` takes no other picture; the others are for images that have classes"
        said = f"{step.name} makes pictures between or beyond others, and all that images have is numbers"
        raise InputError(f"{said} ({few(numbers)}): nobody knows which a new one has", hint)


def _numbers(dataset: Dataset) -> list[str]:
    """Columns that hold numbers."""
    known = (item for sample in dataset.samples for item in sample.annotations.values.items())
    return sorted({name for name, value in known if isinstance(value, (int, float))})


def _invents(step: Step) -> bool:
    return step.name == "neural" or (step.name == "feature_space" and step.args.get("mode") != "noise")


def models_of_other_data(dataset: Dataset, recipe: Recipe) -> list[Flaw]:
    """Warnings for models that were fitted on other pictures, or on those that others are to be tested on."""
    if not recipe.models:
        return []
    flaws = []
    held = artefact.marks(sample for sample in dataset.samples if not recipe.multiplies(sample.split))
    known = artefact.sketch(sample for sample in dataset.samples if recipe.multiplies(sample.split))
    for name, model in sorted(recipe.models.items()):
        try:
            card = artefact.card(model.path)
        except (artefact.Unusable, OSError):  # not what it was when the recipe was read: its copies fail by name
            continue
        share = artefact.alike(card.sketch, known)
        if share < _ALIKE:
            said = f"{name} was fitted on {card.images:,} other pictures: about {share:.0%} of all are the same"
            flaws.append(Flaw("model-of-other-data", "", said))
        if seen := len(held.intersection(card.sketch)):
            part = f"about {seen / len(card.sketch):.0%} of its own"
            said = f"{name} was fitted on pictures that are not multiplied, {part}"
            flaws.append(Flaw("model-saw-test", "", said))
    return flaws


def unmoved(dataset: Dataset, recipe: Recipe) -> list[Flaw]:
    """Warnings for fields of numbers that look like places, where the recipe moves pixels."""
    if not recipe.copies or not any(_moves(step) for step in recipe.all_steps()):
        return []
    fields: Counter[str] = Counter()
    columns: set[str] = set()
    for sample in dataset.samples:
        columns.update(sample.annotations.values)
        for thing in sample.annotations.objects:
            if len(thing.extra) == 1 and "id" in thing.extra:  # nearly all of a large COCO file
                continue
            for name, value in thing.extra.items():
                if name not in _FOREIGN and is_place(name, value):
                    fields[name] += 1
    found = [
        Flaw("unmoved-field", "", f"{name!r} of {count:,} objects looks like a place; it is left out of moved copies")
        for name, count in sorted(fields.items())
    ]
    pairs = sorted(name for name in columns if re.search("(^|_)x$", name) and name[:-1] + "y" in columns)
    steps = [
        step for step in recipe.all_steps() if TRANSFORMS[step.name].partners not in ("", "folder") and step.p != 0
    ]
    # noise takes no other picture
    mixing = sorted({step.name for step in steps if step.args.get("mode") != "noise"})
    numbers = _numbers(dataset)
    if numbers and mixing:
        leave = "leaves" if len(mixing) == 1 else "leave"
        said = f"{' and '.join(mixing)} {leave} {few(numbers)} as the first picture has it"
        found.append(Flaw("unmixed-values", "", said))
    if pairs:
        found.append(
            Flaw("unmoved-field", "", f"columns that look like places are not moved: {few(pairs)} and their y")
        )
    return found


def _moves(step: Step) -> bool:
    return TRANSFORMS[step.name].moves or bool(TRANSFORMS[step.name].partners)


def _blind(dataset: Dataset) -> Iterator[tuple[str | None, Pose | None]]:
    """Classes with several keypoints of which nobody knows the left and the right ones."""
    for sample in dataset.samples:
        for thing in sample.annotations.objects:
            pose = dataset.poses.get(thing.label or "") or dataset.poses.get("")
            if thing.keypoints is not None and len(thing.keypoints) > 3 and (pose is None or pose.swap is None):
                yield thing.label, pose
