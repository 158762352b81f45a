"""Pictures that a recipe adds of its own: samples that no file holds, so that all else takes them as it takes others.

Of each class and split there is a sample for every few pictures, which are its copies. What stands for its file is the
model that makes them: where that has changed, they are made again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import count, groupby

from augx import artefact, naming, versions
from augx.artefact import Place
from augx.errors import InputError, few
from augx.model import Added, Annotations, Dataset, Flaw, Json, Sample, Step
from augx.objects import KINDS, PLACED, kinds
from augx.recipe import Recipe

BLOCK = 32  # pictures of one sample, so that workers share the load
_SCHEME = "//"  # in no path of a dataset
_TAKES = ("folder", "table", "hf")  # formats that write a picture which is in none of the files they read
_MOST_LETTERS = 60  # of a class, in a file name
_VARIED = 0.5  # of what real pictures are, at least
_ID = "{name}:{scheme}{number}/{split}/{label}/{block}"


def samples(dataset: Dataset, recipe: Recipe, formats: Sequence[str]) -> Iterator[tuple[Sample, tuple[int, ...]]]:
    """Samples with the numbers of their copies. `dataset.samples` have their folders already. Raises InputError."""
    for number, step in enumerate(recipe.adding()):
        _refuse(dataset, recipe, step, formats)
        place = recipe.models.get(step.args["model"], Place(step.args["model"]))
        try:
            known = artefact.card(place.path).classes
        except (artefact.Unusable, OSError) as error:
            why = getattr(error, "strerror", None) or error
            raise InputError(f"the model {place.path} {why}", f"`augx learn {step.name}` writes one") from error
        added = Added(step, place.path, versions.deciding(learned=True)["torch"])
        folders: dict[tuple[str | None, str], str] = {}
        for sample in dataset.samples:
            if (label := sample.annotations.label) is not None and recipe.multiplies(sample.split):
                folders.setdefault((sample.split, label), sample.folder)
        wanted = _wanted(step, [label for _, label in folders], known)
        for (split, label), folder in sorted(folders.items(), key=lambda one: (one[0][0] or "", one[0][1])):
            many = wanted.get(label, 0)
            for block, begin in enumerate(range(0, many, BLOCK)):
                copies = tuple(range(begin + 1, min(begin + BLOCK, many) + 1))
                name = _ID.format(
                    name=step.name, scheme=_SCHEME, number=number, split=split or "", label=label, block=block
                )
                yield Sample(name, Annotations(labels={label: 1.0}), split, folder, added=added), copies


def sample_of(name: str, label: str, split: str | None, recipe: Recipe) -> Sample | None:
    """The sample of this id, for a replay, with the model where the recipe has it; None where it is none."""
    kind, _, rest = name.partition(f":{_SCHEME}")
    number, steps = rest.partition("/")[0], recipe.adding()
    if not number.isdecimal() or int(number) >= len(steps) or steps[int(number)].name != kind:
        return None
    step = steps[int(number)]
    return Sample(name, Annotations(labels={label: 1.0}), split, added=Added(step, step.args["model"]))


def _wanted(step: Step, labels: Sequence[str], known: Sequence[str]) -> Mapping[str, int]:
    """Class -> how many. InputError where the model does not know one."""
    per_class = step.args["per_class"]
    there = sorted(set(labels))
    wanted: Mapping[str, int] = per_class if isinstance(per_class, Mapping) else dict.fromkeys(there, int(per_class))
    if absent := sorted(wanted.keys() - set(there)):
        raise InputError(f"{step.name}.per_class names {few(absent)}, and no image that is multiplied is of that class",
                         f"there are: {few(there, 8)}")  # fmt: skip
    if unknown := sorted(wanted.keys() - set(known)):
        hint = f"it knows {few(known, 8)}; fit it on these pictures with `augx learn {step.name}`, or name the classes:"
        raise InputError(f"the model {step.args['model']} of {step.name} does not know the class {few(unknown)}",
                         f"{hint} `per_class: {{{known[0]}: 50}}`")  # fmt: skip
    return wanted


def _refuse(dataset: Dataset, recipe: Recipe, step: Step, formats: Sequence[str]) -> None:
    for sample in dataset.samples:
        if there := kinds(sample.annotations) & PLACED:
            what = ", ".join(KINDS[kind] for kind in sorted(there))
            raise InputError(f"{step.name} makes pictures whose things no label places, and {sample.id} has {what}",
                             "it is for images that have one class each")  # fmt: skip
        if len(sample.annotations.labels) > 1 and recipe.multiplies(sample.split):
            raise InputError(f"{step.name} makes pictures of one class each, and {sample.id} has several",
                             "leave it out")  # fmt: skip
    if not any(sample.annotations.labels and recipe.multiplies(sample.split) for sample in dataset.samples):
        raise InputError(f"{step.name} makes pictures of classes, and no image that is multiplied has one",
                         "leave it out")  # fmt: skip
    for name in formats:
        if name not in _TAKES or len({one.annotations.extra.get("metadata") for one in dataset.samples}) > 1:
            raise InputError(f"the format {name} has no place for pictures that {step.name} adds",
                             "`--to folder` or `--to table` writes them")  # fmt: skip


def doubts(recipe: Recipe) -> list[Flaw]:
    """Warnings for models whose pictures are too much alike."""
    flaws = []
    for step in recipe.adding():
        name = step.args["model"]
        try:
            said = collapse(artefact.card(recipe.models[name].path).gates)
        except (artefact.Unusable, OSError, KeyError):
            continue
        flaws += [Flaw("model-collapsed", "", f"{name}: {said}")] if said else []
    return flaws


def collapse(gates: Mapping[str, Json]) -> str:
    """Why a model's pictures are too much alike, "" if they are not, by what its card says."""
    share, name, least = (gates.get(key) for key in ("diversity", "least_diverse", "least_diversity"))
    if not isinstance(share, (int, float)) or not isinstance(least, (int, float)) or share >= _VARIED:
        return ""
    return f"what it makes is {share:.0%} as varied as real pictures, of {str(name)[:60]} {least:.0%}"


def stems(added: Iterable[Sample], taken: Iterable[str]) -> dict[str, str]:
    """Sample id -> folder and base name, such as `cat/gan_cat`, of which `naming.copy_name` makes
    cat/gan_cat_aug01.png. `taken`: those of others."""
    held = {naming.without_copy(stem) for stem in taken}
    found: dict[str, str] = {}
    for group, some in groupby(added, key=lambda one: one.id.rpartition("/")[0]):
        several = list(some)
        folder, kind = several[0].folder, group.partition(":")[0]
        word = re.sub(r"[^\w-]+", "_", str(several[0].annotations.label), flags=re.ASCII)[:_MOST_LETTERS].strip("_")
        base = stem = "/".join(filter(None, (folder, f"{kind}_{word}".rstrip("_"))))
        for number in count(2):
            if naming.without_copy(stem) not in held:
                break
            stem = f"{base}_{number}"
        held.add(naming.without_copy(stem))
        found |= dict.fromkeys((one.id for one in several), stem)
    return found
