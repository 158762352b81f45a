"""Semantic segmentation: a mask of class numbers or colours for each image, in a folder beside or with a suffix."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from augx.errors import InputError
from augx.formats import Plain, ReadOptions, Row, class_table, heads
from augx.formats.folder import SPLITS, canonical_split, layout
from augx.formats.image_lists import Names, parse_paths
from augx.formats.masks import names as mask_names
from augx.formats.pairs import belonging, check_splits, chosen, digest_of, folder_of, left_over, stem
from augx.formats.walk import walk
from augx.model import Annotations, Beside, Dataset, Flaw, Sample

_ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp")
_METADATA = ("metadata.jsonl", "metadata.csv", "metadata.parquet")  # these name the masks themselves


@dataclass(frozen=True, slots=True)
class Details:
    """Files that are written again. `lists`: of images, with or without their masks; `texts`: of classes."""

    lists: tuple[str, ...] = field(default=(), repr=False)
    texts: tuple[str, ...] = field(default=(), repr=False)


class Masks(Plain):
    name = "masks"
    summary = "semantic masks, in a second folder or with a suffix"
    holds = frozenset({"mask"})
    writes_beside = True

    def detect(self, root: str) -> str:
        if any(path.rpartition("/")[2].lower() in _METADATA for path in heads.near(root, _METADATA, depth=2)):
            return ""
        found = mask_names.match(list(heads.near(root, _ENDINGS, depth=3, each=50)))
        pairs = dict(found.pairs)
        suffixed = all(folder_of(image) == folder_of(mask) for image, mask in pairs.items())
        if not pairs or len(pairs) < len(found.flaws) or (suffixed and len(pairs) * 2 < len(found.images)):
            return ""
        image, mask = min(pairs.items())
        return f"{mask} for {image}"

    def read(self, root: str, options: ReadOptions) -> Dataset:
        """`--labels`: the folder with the masks. Which class is void, only a table of classes can say."""
        if options.table or options.columns:
            raise InputError("masks have no table and no columns", "say `--from table`, or leave these out")
        found = walk(root)
        match = mask_names.match(found.images, chosen(root, options.labels, found.images) or None)
        if not match.pairs:
            hint = "masks are called as their images are, in a folder `masks` beside `images`, or end in `_mask`"
            raise InputError(f"{root}: no image has a mask", hint)
        masks, instances, unused = _sorted(match.pairs)
        used, apart = belonging(match.images, match.pairs)
        lossy = {image: mask for image, mask in masks.items() if mask.lower().endswith(class_table.LOSSY)}
        failed = [Flaw("mask-lossy", i, f"{mask}: its format does not keep class numbers") for i, mask in lossy.items()]
        warnings = [*found.warnings, *match.flaws, *unused, *apart]
        table = class_table.read(root, found.documents)
        names = Names(used)
        lists: dict[str, list[str]] = {}
        for path in found.documents:
            listed, gone = _listed(root, path, names)
            if listed:
                lists[path] = listed
            if listed and gone:
                warnings.append(Flaw("listed-missing", path, f"{gone} of its lines name no image that is there"))
        splits = _splits(used, lists)
        samples: list[Sample] = []
        for path in used:
            if path in lossy:
                continue
            if path not in masks and path not in instances:
                warnings.append(Flaw("no-label", path, "it has no mask"))
            known = Annotations(mask=masks.get(path), instances=instances.get(path))
            samples.append(Sample(path, known, splits[path]))
        several = (*lists, *table.files)
        return Dataset(
            root,
            self.name,
            tuple(samples),
            table.names,
            (*found.failed, *failed),
            tuple(warnings),
            left_over(found.ignored, several),
            ignore=_ignore(root, table, next(iter(masks.values()), "")),
            details=Details(tuple(lists), table.files),
            digest=digest_of(root, several),
        )

    def check(self, dataset: Dataset, mixes: bool) -> None:
        check_splits(dataset)

    def place(self, sample: Sample, dataset: Dataset) -> str:
        if dataset.format == self.name:
            return folder_of(sample.id)
        return posixpath.join("images", sample.split or "").rstrip("/")

    def beside(self, sample: Sample, dataset: Dataset, stem: str) -> tuple[Beside, ...]:
        known, base = sample.annotations, stem.rpartition("/")[2]
        beside: list[Beside] = []
        for kind, path in (("mask", known.mask), ("instances", known.instances)):
            if path and dataset.format == self.name:
                name, suffix = mask_names.written(sample.id, path, base)
                beside.append(Beside(kind, posixpath.join(folder_of(path), name), f"{suffix}.png"))
            elif path and kind in self.holds:
                beside.append(Beside(kind, posixpath.join("masks", sample.split or "", base), ".png"))
        return tuple(beside)

    def write(self, rows: Iterable[Row], dataset: Dataset) -> Iterator[tuple[str, Iterable[str]]]:
        """What tells of the classes as it was, and lists with the names of all copies."""
        if isinstance(dataset.details, Details):
            for path in dataset.details.lists:
                yield path, _lines(rows, path, dataset)
            yield from class_table.kept(dataset.root, dataset.details.texts)
        else:
            yield from class_table.new(dataset)


def _sorted(pairs: Sequence[tuple[str, str]]) -> tuple[dict[str, str], dict[str, str], list[Flaw]]:
    """Image -> its mask of classes, image -> its mask of instances, and a warning for each kind of mask left over."""
    masks: dict[str, str] = {}
    instances: dict[str, str] = {}
    others: dict[tuple[str, str], list[str]] = {}
    for image, mask in pairs:
        of = instances if mask_names.is_of_instances(mask) else masks
        if image in of:
            others.setdefault((folder_of(mask), mask_names.of_mask(stem(mask)).suffix), []).append(mask)
        else:
            of[image] = mask
    return (
        masks,
        instances,
        [
            Flaw(
                "mask-unused",
                paths[0],
                f"{len(paths)} masks like it are left out: their images have others, which count",
            )
            for _, paths in sorted(others.items())
        ],
    )


def _ignore(root: str, table: class_table.ClassTable, mask: str) -> int | None:
    """The number of the class that is none, by the table, or as Cityscapes trains; None where colours are classes."""
    if mask and class_table.coloured(root, mask):
        return None
    return 255 if mask_names.of_mask(stem(mask)).suffix.lower().endswith("labeltrainids") else table.ignore


def _splits(images: Sequence[str], lists: dict[str, list[str]]) -> dict[str, str | None]:
    """The split of each image, by its folder, or else by the list it stands in."""
    plain = {path: mask_names.plain_folder(folder_of(path)) for path in images}
    placements = layout(set(plain.values()))
    listed: dict[str, str] = {}
    for path in sorted(lists, reverse=True):
        if stem(path).lower() in SPLITS:
            listed.update(dict.fromkeys(lists[path], canonical_split(stem(path))))
    return {path: placements[folder][0] or listed.get(path) for path, folder in plain.items()}


def _listed(root: str, path: str, names: Names) -> tuple[list[str], int]:
    """The images in a list such as CamVid's train.txt, and how many of its lines are of no image."""
    if not path.lower().endswith(".txt") or path.count("/") > 2 or stem(path).lower() not in {*SPLITS, "trainval"}:
        return [], 0
    known, missing = parse_paths(root, path, names)
    return [image for image, _ in known], len(missing)


def _lines(rows: Iterable[Row], path: str, dataset: Dataset) -> Iterator[str]:
    """A list again, with all copies: each name in the folder it was listed in, with an ending if it had one."""
    names = Names(sample.id for sample in dataset.samples)
    listed: dict[str, list[list[str]]] = {}
    for row in rows:
        if not listed:
            for image, words in parse_paths(dataset.root, path, names)[0]:
                listed.setdefault(image, []).append(words)
        for words in listed.get(row["source"], ()):
            written = (_renamed(*pair) for pair in zip(words, (row["file_name"], row["mask"]), strict=False))
            yield " ".join([*written, *words[2:]]) + "\n"


def _renamed(listed: str, path: str | None) -> str:
    if path is None:
        return listed
    folder = listed[: max(listed.rfind("/"), listed.rfind("\\")) + 1]
    return folder + (path.rpartition("/")[2] if listed.lower().endswith(_ENDINGS) else stem(path))
