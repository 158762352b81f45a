"""Reading VOC: which XML, masks and lists belong to which image."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from augx.errors import InputError
from augx.formats import ReadOptions, class_table
from augx.formats.pairs import (
    Pairs,
    belonging,
    below,
    chosen,
    digest_of,
    folder_of,
    folder_splits,
    left_over,
    main_folders,
)
from augx.formats.voc import lists as voc_lists
from augx.formats.voc import xml as voc_xml
from augx.formats.walk import walk
from augx.model import Annotations, Dataset, Flaw, Object, Sample
from augx.store import open_regular

# Folders of masks, in the order they are believed.
CLASS_MASKS = ("segmentationclass", "segmentationclasspng", "segmentationclassaug")
INSTANCE_MASKS = ("segmentationobject", "segmentationobjectpng")
VOID = 255


@dataclass(frozen=True, slots=True)
class Details:
    """`inclusive`: boxes count pixels as VOC does. `folders`: of images -> of their XML. `lists`, `texts`: files."""

    inclusive: bool = False
    folders: Mapping[str, str] = field(default_factory=dict, repr=False)
    lists: tuple[str, ...] = field(default=(), repr=False)
    texts: tuple[str, ...] = field(default=(), repr=False)


def read(root: str, options: ReadOptions) -> Dataset:
    """`--labels`: the folder of the XML files, or one that holds images and labels.

    Coordinates are taken as labelImg, Roboflow and CVAT write them, from 0, unless every file says that it is from
    VOC itself and no box begins at 0: then pixels are counted from 1 and the last one is included. The objects of a
    file are the values 1, 2, 3 ... of its mask of instances, but where that has colours.
    """
    if options.table or options.columns:
        raise InputError("VOC has no table and no columns", "say `--from table`, or leave these out")
    found = walk(root)
    home = chosen(root, options.labels, (*found.documents, *found.images))
    documents = below(found.documents, home)
    pictures = _Pictures(below(found.images, home) or found.images)
    xml = _annotations(root, [path for path in documents if path.lower().endswith(".xml")], pictures.images)
    masks = _masks(root, pictures.class_masks, pictures.images)
    instances = _masks(root, pictures.instance_masks, pictures.images)
    if not xml.paths and not xml.failed and not masks.paths:
        raise InputError(f"{root}: no XML with an <annotation>, no masks in SegmentationClass", "see `--from`")
    lists = voc_lists.image_sets(documents)
    listed, odd = voc_lists.splits(root, lists, pictures.images)
    failed = {flaw.source: flaw for part in (instances, masks, xml) for flaw in part.failed}
    pairs = [pair for part in (xml, masks, instances) for pair in part.paths.items()]
    used, apart = belonging(pictures.images, [*pairs, *((image, "") for image in (*listed, *failed))])
    used = [path for path in used if path not in failed]
    numbers = not any(class_table.coloured(root, path) for path in list(instances.paths.values())[:1])
    inclusive = _is_inclusive(xml.parsed.values())
    by_folder = {} if listed else folder_splits(used)
    samples: list[Sample] = []
    warnings = [*found.warnings, *xml.warnings, *masks.warnings, *instances.warnings, *pictures.warnings, *odd, *apart]
    for path in used:
        known = Annotations(mask=masks.paths.get(path), instances=instances.paths.get(path))
        if parsed := xml.parsed.get(path):
            things = _placed(parsed.objects, inclusive, numbers and known.instances is not None)
            known = replace(known, objects=things, size=parsed.size, extra=parsed.extra)
        else:
            known = replace(known, extra={"annotated": False} if xml.paths else {})
            if xml.paths or not known.mask:
                warnings.append(Flaw("no-label", path, "it has no XML" if xml.paths else "it has no mask"))
        if listed and path not in listed:
            warnings.append(Flaw("no-split", path, "no list in ImageSets names it, so it is of no split"))
        samples.append(Sample(path, known, listed.get(path) if listed else by_folder[path]))
    table = class_table.read(root, documents)
    names = {thing.label for sample in samples for thing in sample.annotations.objects if thing.label}
    several = (*lists, *table.files)
    return Dataset(
        root,
        "voc",
        tuple(samples),
        _classes(table.names, names, bool(masks.paths)),
        (*found.failed, *failed.values()),
        tuple(warnings),
        left_over(found.ignored, (*xml.paths.values(), *several)),
        ignore=None if not masks.paths or class_table.coloured(root, next(iter(masks.paths.values()))) else VOID,
        details=Details(inclusive, main_folders(xml.paths.items()), lists, table.files),
        digest=digest_of(root, several),
    )


class _Pictures:
    """The images under a root by what they are: `images`, and masks by the name of their folder."""

    def __init__(self, paths: Sequence[str]) -> None:
        self.images: list[str] = []
        ranked: dict[str, list[tuple[int, str]]] = {"class": [], "instance": []}
        others: dict[str, int] = {}
        for path in paths:
            parts = [part.lower() for part in path.split("/")[:-1]]
            for part in parts:
                if part in CLASS_MASKS:
                    ranked["class"].append((CLASS_MASKS.index(part), path))
                    break
                if part in INSTANCE_MASKS:
                    ranked["instance"].append((INSTANCE_MASKS.index(part), path))
                    break
                if part.startswith("segmentation") or part.endswith("visualization"):
                    others[folder_of(path)] = others.get(folder_of(path), 0) + 1
                    break
            else:
                self.images.append(path)
        self.class_masks = [path for _, path in sorted(ranked["class"])]
        self.instance_masks = [path for _, path in sorted(ranked["instance"])]
        message = "pictures of labels in this folder are left out"
        self.warnings = [Flaw("unused-folder", folder, f"{n} {message}") for folder, n in sorted(others.items())]


@dataclass(slots=True)
class _Labels:
    """Label files of one kind. `paths`: image -> its file; `parsed`: image -> what its XML says."""

    paths: dict[str, str] = field(default_factory=dict)
    parsed: dict[str, voc_xml.Parsed] = field(default_factory=dict)
    failed: list[Flaw] = field(default_factory=list)
    warnings: list[Flaw] = field(default_factory=list)

    def pair(self, path: str, image: str, code: str, message: str) -> bool:
        """Whether a file is the first of its image."""
        if image in self.paths:
            self.warnings.append(Flaw("repeated-label", path, f"{image} has {self.paths[image]}, which counts"))
            return False
        if code:
            self.warnings.append(Flaw(code, path, message))
        self.paths[image] = path
        return True


def _annotations(root: str, paths: Sequence[str], images: Sequence[str]) -> _Labels:
    found = _Labels()
    pairs = Pairs(root, images)
    for path in paths:
        try:
            with open_regular(os.path.join(root, *path.split("/"))) as file:
                parsed = voc_xml.parse(file.read(voc_xml.MAX_BYTES + 1), path)
        except voc_xml.OtherXml as error:
            found.warnings.append(Flaw("other-xml", path, str(error)))
            continue
        except (OSError, ValueError) as error:
            found.failed.append(Flaw("unreadable-label", pairs.image(path)[0] or path, str(error)))
            continue
        image, code, message = pairs.image(path, parsed.filename)
        if not image:
            found.failed.append(Flaw(code, path, message))
        elif found.pair(path, image, code, message):
            found.parsed[image] = parsed
            found.warnings += parsed.flaws
    return found


def _masks(root: str, paths: Sequence[str], images: Sequence[str]) -> _Labels:
    found = _Labels()
    pairs = Pairs(root, images)
    for path in paths:
        image, code, message = pairs.image(path)
        if not image:
            found.warnings.append(Flaw("no-image", path, f"the mask is not used: {message}"))
        elif path.lower().endswith(class_table.LOSSY):
            found.failed.append(Flaw("mask-lossy", image, f"{path}: its format does not keep class numbers"))
        else:
            found.pair(path, image, code, message)
    return found


def _is_inclusive(files: Iterable[voc_xml.Parsed]) -> bool:
    files = list(files)
    sides = [side for parsed in files for thing in parsed.objects if thing.box for side in thing.box[:2]]
    return bool(sides) and all(parsed.of_voc for parsed in files) and not any(side < 1 for side in sides)


def _placed(things: Sequence[Object], inclusive: bool, numbered: bool) -> tuple[Object, ...]:
    """The objects with boxes in augx's own counting, and with their values in the mask of instances if there is one."""
    placed: list[Object] = []
    number = 0
    for thing in things:
        index = None
        if numbered and "part_of" not in thing.extra:
            number += 1
            index = number
        box = thing.box
        if inclusive and box is not None:
            box = (box[0] - 1, box[1] - 1, box[2], box[3])
        placed.append(replace(thing, box=box, index=index) if inclusive or index else thing)
    return tuple(placed)


def _classes(listed: Sequence[str], found: Iterable[str], masks: bool) -> tuple[str, ...]:
    """All classes. Where there are masks a class's place is its number, so the background stays among them."""
    without = class_table.BACKGROUND | class_table.NO_CLASS
    known = [name for name in listed if masks or class_table.plain(name) not in without]
    return tuple(dict.fromkeys((*known, *sorted(found))))
