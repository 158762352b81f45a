"""How masks are named after their images, in files and folders.

images/1.jpg, masks/1.png            train/1.png, trainannot/1.png         1.jpg, 1_mask.png
images/image_1.png, masks/gt_1.png   leftImg8bit/.../x_leftImg8bit.png, gtFine/.../x_gtFine_labelIds.png
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import NamedTuple

from augx.formats.pairs import distance, folder_of, stem
from augx.model import Flaw

# Names of folders. SegmentationClass is VOC's.
_IMAGES = frozenset({"images", "image", "imgs", "img", "leftimg8bit", "rgb", "photos", "inputs", "input", "jpegimages"})
_MASKS = frozenset(
    {"masks", "mask", "gtfine", "gtcoarse", "gt", "gts", "groundtruth", "ground_truth", "annot", "annots", "annotation"}
    | {"annotations", "labels", "label", "labelids", "segmentation", "segmentations", "segmentation_masks", "seg"}
    | {"semantic", "semantic_masks", "label_masks", "target", "targets", "stuffthingmaps", "pixelmaps"}
)
_OF_IMAGES = re.compile(r"(.+?)[_-](?:images?|imgs?|rgb)", re.IGNORECASE)
_OF_MASKS = re.compile(
    r"(.+?)(?:annots?|[_-](?:masks?|labels?|gt|seg|segmentations?|annots?|annotations?))", re.IGNORECASE
)

_IMAGE_PREFIXES = ("image_", "img_")
_IMAGE_SUFFIXES = ("_leftImg8bit", "_image", "_img", "_rgb", "_sat")
_MASK_PREFIXES = ("gt_", "mask_", "label_", "labels_", "seg_")
_CITYSCAPES = tuple(
    f"_{truth}_{kind}"
    for truth in ("gtFine", "gtCoarse")
    for kind in ("labelTrainIds", "instanceTrainIds", "instanceIds", "labelIds", "color")
)
_MASK_SUFFIXES = (
    *_CITYSCAPES,
    *("_segmentation", "_semantic", "_labels", "_masks", "_annot", "_label", "_mask", "_seg", "_gt", "_L"),
    *("-segmentation", "-labels", "-masks", "-label", "-mask", "-seg", "-gt", ".mask", ".seg", ".label"),
)
_COPY = re.compile(r"(?:_aug\d{2,})+$")


class Affixes(NamedTuple):
    """A base name taken apart. `core`: what image and mask share, with the number of a copy."""

    prefix: str
    core: str
    suffix: str


def of_image(name: str) -> Affixes:
    return _apart(name, _IMAGE_PREFIXES, _IMAGE_SUFFIXES)


def of_mask(name: str) -> Affixes:
    return _apart(name, _MASK_PREFIXES, _MASK_SUFFIXES)


def _apart(name: str, prefixes: Sequence[str], suffixes: Sequence[str]) -> Affixes:
    copy = _COPY.search(name)
    body, tail = (name[: copy.start()], copy[0]) if copy else (name, "")
    lower = body.lower()
    prefix = next((one for one in prefixes if lower.startswith(one.lower()) and len(body) > len(one)), "")
    rest = lower[len(prefix) :]
    suffix = next((one for one in suffixes if rest.endswith(one.lower()) and len(rest) > len(one)), "")
    end = len(body) - len(suffix)
    return Affixes(body[: len(prefix)], body[len(prefix) : end] + tail, body[end:])


def is_of_instances(mask: str) -> bool:
    """Whether a mask's numbers are those of single things (Cityscapes)."""
    return of_mask(stem(mask)).suffix.lower().endswith(("instanceids", "instancetrainids"))


def rank(mask: str) -> int:
    """Which of several masks of one image to take: class numbers before colours."""
    suffix = of_mask(stem(mask)).suffix.lower()
    return 1 if suffix.endswith("trainids") else 2 if suffix.endswith("color") else 0


class _Folder(NamedTuple):
    """What a folder's name says. `places`: those of the images it belongs to, "*" for a folder called like `images`."""

    masks: bool
    places: tuple[str, ...]


def _folder(folder: str, beside: Collection[str]) -> _Folder:
    """`beside`: all folders there, as `_place` has them: `train_labels` is one of masks only beside `train`."""
    parts = folder.split("/")
    for n, part in enumerate(parts):
        found = _OF_MASKS.fullmatch(part)
        if part.lower() in _MASKS:
            place = [*_place(parts[:n]), "*", *_place(parts[n + 1 :])]
        elif found and "/".join([*_place(parts[:n]), found[1]]) in beside:
            place = [*_place(parts[:n]), found[1], *_place(parts[n + 1 :])]
        else:
            continue
        without = (one for one in place if one != "*")
        return _Folder(True, tuple(dict.fromkeys(("/".join(place), "/".join(without)))))
    return _Folder(False, ("/".join(_place(parts)),))


def _place(parts: Iterable[str]) -> list[str]:
    """A folder of images: `images` as "*", `train_images` as `train`."""
    found = ((part, _OF_IMAGES.fullmatch(part)) for part in parts)
    return ["*" if part.lower() in _IMAGES else of[1] if of else part for part, of in found]


def plain_folder(folder: str) -> str:
    """A folder of images without what only says that it holds images: `leftImg8bit/train/ulm` -> `train/ulm`."""
    return "/".join(part for part in _place(folder.split("/")) if part != "*")


class Match(NamedTuple):
    """`pairs`: (image, mask), the better mask first; `images`: all that are no masks. `flaws`: masks without image."""

    pairs: list[tuple[str, str]]
    images: list[str]
    flaws: list[Flaw]


def match(paths: Sequence[str], masks_in: str | None = None) -> Match:
    """Which of the files are masks, and of which images. `masks_in`: the folder the masks are in, if that is known."""
    every = {folder_of(path) for path in paths}
    beside = {"/".join(_place(folder.split("/")[:n])) for folder in every for n in range(1, folder.count("/") + 2)}
    folders = {folder: _folder(folder, beside) for folder in every}
    if masks_in is None:
        masks = [path for path in paths if folders[folder_of(path)].masks]
    else:
        masks = [path for path in paths if path.startswith(f"{masks_in}/")]
    there = frozenset(masks)
    images = [path for path in paths if path not in there and not folders[folder_of(path)].masks]
    exact: dict[tuple[str, str], list[str]] = defaultdict(list)
    alike: dict[tuple[str, str], list[str]] = defaultdict(list)
    for path in images:
        places = ("",) if masks_in is not None else folders[folder_of(path)].places
        for place in places:
            exact[place, stem(path)].append(path)
            alike[place, of_image(stem(path)).core].append(path)
    pairs: list[tuple[str, str]] = []
    flaws: list[Flaw] = []
    for mask in masks:
        places = ("",) if masks_in is not None else folders[folder_of(mask)].places
        core = of_mask(stem(mask)).core
        tried = (exact.get((place, stem(mask))) or alike.get((place, core)) for place in places)
        found = _nearest(mask, next((hits for hits in tried if hits), []))
        if len(found) == 1:
            pairs.append((found[0], mask))
        else:
            reason = f"it may belong to {found[0]} or {found[1]}" if found else "there is no image for it"
            flaws.append(Flaw("ambiguous-file" if found else "no-image", mask, f"the mask is not used: {reason}"))
    if masks_in is None:
        suffixed = list(_beside(images))
        pairs += suffixed
        used = {mask for _, mask in suffixed}
        images = [path for path in images if path not in used]
    return Match(sorted(pairs, key=lambda pair: (pair[0], rank(pair[1]), pair[1])), images, flaws)


def _nearest(mask: str, images: Sequence[str]) -> list[str]:
    far = [distance(folder_of(mask), folder_of(path)) for path in images]
    return [path for path, how in zip(images, far, strict=True) if how == min(far)]


def _beside(paths: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Masks in the folder of their images: `1.jpg`, `1_mask.png`."""
    cores: dict[tuple[str, str], list[str]] = defaultdict(list)
    suffixed: list[tuple[str, tuple[str, str]]] = []
    for path in paths:
        parts = of_mask(stem(path))
        if parts.suffix.lower() not in ("", "_l"):  # CamVid's _L is a word only in a folder of masks
            suffixed.append((path, (folder_of(path), parts.prefix + parts.core)))
        for core in {stem(path), of_image(stem(path)).core}:
            cores[folder_of(path), core].append(path)
    for mask, key in suffixed:
        found = [path for path in cores.get(key, ()) if path != mask]
        if len(found) == 1:
            yield found[0], mask


def written(image: str, mask: str, name: str) -> tuple[str, str]:
    """Base name and suffix of the mask of an image now called `name`; the number of a copy goes between them."""
    if stem(image) == stem(mask):
        return name, ""
    was, parts = of_image(stem(image)), of_mask(stem(mask))
    core = of_image(name).core if was.prefix or was.suffix else name
    if was.suffix:
        return parts.prefix + core + parts.suffix, ""
    return parts.prefix + core, parts.suffix
