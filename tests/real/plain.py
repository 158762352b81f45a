"""Label files read the plain way, without a line of augx: what the originals and copies of an identity run are held to.

Each reader gives (`about`, `images`): what is said of the dataset as a whole, and for each image of a label file (its
path under the root) all that is said of it, as JSON-like data. Names that say which image is meant, and ids that only
tie rows together, are left out of both: `images` has the first as keys, and order stands for the second.
"""

from __future__ import annotations

import csv
import json
import math
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any
from xml.etree import ElementTree

import numpy as np
import yaml
from PIL import Image

Facts = tuple[dict[str, Any], dict[str, Any]]  # about, images
ENDINGS = {".jpg", ".jpeg", ".png", ".bmp"}
OURS = {"manifest.jsonl", "failures.jsonl", "summary.json"}


class Names:
    """Finds the image that a label file means: the one whose path ends like the name, nearest to the label file."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.paths = sorted(p.relative_to(root).as_posix() for p in root.rglob("*") if p.suffix.lower() in ENDINGS)
        self._by_stem: dict[str, list[str]] = defaultdict(list)
        for path in self.paths:
            self._by_stem[PurePosixPath(path).stem].append(path)

    def find(self, name: str, near: str) -> str:
        """`name`: with or without ending and folders. "" where there is none."""
        name = PurePosixPath(name).as_posix()
        stem = PurePosixPath(name).name
        stem = PurePosixPath(name).stem if PurePosixPath(name).suffix.lower() in ENDINGS else stem
        tail = name if PurePosixPath(name).suffix.lower() in ENDINGS else ""
        found = [p for p in self._by_stem.get(stem, []) if not tail or ("/" + p).endswith("/" + tail)]
        found = found or self._by_stem.get(stem, [])
        parts = set(PurePosixPath(near).parts)
        return max(found, key=lambda p: len(parts & set(PurePosixPath(p).parts)), default="")


def read_json(path: Path) -> Any:
    return json.loads(path.read_text("utf-8-sig"))


def files(root: Path, ending: str) -> Iterator[str]:
    for path in sorted(root.rglob("*" + ending)):
        name = path.relative_to(root).as_posix()
        if name not in OURS and not name.startswith(".augx/"):
            yield name


def differences(one: Any, other: Any, near: float, where: str = "") -> Iterator[str]:
    """Where two values differ; numbers by more than `near`, which a text that is a number is too."""
    a, b = _number(one), _number(other)
    if a is not None and b is not None:
        if not (math.isclose(a, b, rel_tol=1e-12, abs_tol=near)):
            yield f"{where}: {one!r} is {other!r}"
    elif isinstance(one, dict) and isinstance(other, dict):
        for key in {**one, **other}:
            if key not in one or key not in other:
                yield f"{where}/{key}: {'new' if key in other else 'gone'}: {str(one.get(key, other.get(key)))[:80]}"
            else:
                yield from differences(one[key], other[key], near, f"{where}/{key}")
    elif isinstance(one, list | tuple) and isinstance(other, list | tuple):
        if len(one) != len(other):
            yield f"{where}: {len(one)} of them are {len(other)}: {str(one)[:150]} is {str(other)[:150]}"
        else:
            for index, pair in enumerate(zip(one, other, strict=True)):
                yield from differences(*pair, near, f"{where}[{index}]")
    elif one != other:
        yield f"{where}: {str(one)[:80]!r} is {str(other)[:80]!r}"


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        return float(value)
    except ValueError:
        return None


# -- JSON


def coco(root: Path, labels: str | None) -> Facts:
    """All but `id`, `image_id` and `file_name`, whose sense is which annotation belongs to which image.

    What every writer of COCO writes counts as said where it is absent. `area` is that of the mask, as pycocotools
    counts it, where there is one. Segments of panoptic files are masks; the files count only alone.
    """
    names = Names(root)
    about: dict[str, Any] = {}
    images: dict[str, Any] = {}
    every = [labels] if labels else list(files(root, ".json"))
    for name in [n for n in every if "panoptic" not in n] or every:
        said = read_json(root / name)
        kind = name.replace("panoptic", "instances")
        about[kind] = {"info": {}, "licenses": []} | _less(said, "images", "annotations")
        for image in said["images"]:
            path = names.find(image["file_name"], name)
            mine = [a for a in said["annotations"] if a["image_id"] == image["id"]]
            if mine and "segments_info" in mine[0]:
                mine = _segments(root / name.removesuffix(".json"), mine)
            entry = images.setdefault(path, {"image": {}, "annotations": {}})
            entry["image"] |= _less(image, "id", "file_name")
            size = image["height"], image["width"]
            entry["annotations"][kind] = [_annotation(_less(one, "id", "image_id"), *size) for one in mine]
    return about, images


def _annotation(said: dict[str, Any], height: int, width: int) -> dict[str, Any]:
    if "bbox" not in said:
        return said
    shape = said.get("segmentation") or []
    whole = said | {"segmentation": shape, "iscrowd": said.get("iscrowd", 0)}
    if "keypoints" in said:
        whole["num_keypoints"] = sum(v > 0 for v in said["keypoints"][2::3])
    if isinstance(shape, dict):
        counts = shape["counts"]
        numbers = unpacked(counts) if isinstance(counts, str) else counts
        whole["segmentation"] = {"size": shape["size"], "counts": numbers, "compressed": isinstance(counts, str)}
        whole["area"] = sum(numbers[1::2])
    elif shape:
        rings = [ring for ring in shape if len(ring) >= 6]
        whole["area"] = mask_area(rings, height, width) if mask_area else None
    else:
        whole.setdefault("area", said["bbox"][2] * said["bbox"][3])
    return whole


def unpacked(text: str) -> list[int]:
    """Run lengths from COCO's compressed form: 6 bits a character from "0", 5 of them a number's, the sixth says that
    more follow; from the fourth number on, the difference to the last but one."""
    counts: list[int] = []
    value = place = 0
    for letter in text:
        bits = ord(letter) - 48
        value |= (bits & 31) << place
        place += 5
        if not bits & 32:
            if bits & 16:
                value -= 1 << place
            counts.append(value + (counts[-2] if len(counts) > 2 else 0))
            value = place = 0
    return counts


def _pycocotools() -> Callable[[list[list[float]], int, int], int] | None:
    try:
        from pycocotools import mask
    except ImportError:
        return None
    return lambda rings, height, width: int(mask.area(mask.merge(mask.frPyObjects(rings, height, width))))


mask_area = _pycocotools()


def _less(value: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: kept for key, kept in value.items() if key not in keys}


def _segments(folder: Path, mine: list[dict[str, Any]]) -> list[dict[str, Any]]:
    found = []
    for one in mine:
        with Image.open(folder / one["file_name"]) as image:
            r, g, b = (np.asarray(image.convert("RGB"), int)[..., n] for n in range(3))
        for segment in one["segments_info"]:
            mask = r + 256 * g + 65536 * b == segment["id"]
            found.append({**_less(segment, "id"), "segmentation": runs(mask)})
    return found


def runs(mask: np.ndarray[Any, Any]) -> dict[str, Any]:
    """Run lengths of a mask (H, W), of zeros first, column by column; written in the compressed form."""
    flat = mask.T.ravel()
    edges = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    starts = [0, 0, *edges.tolist()] if flat[0] else [0, *edges.tolist()]
    counts = np.diff([*starts, mask.size]).tolist()
    return {"size": list(mask.shape), "counts": packed(counts)}


def packed(counts: list[int]) -> str:
    """The other way of `unpacked`."""
    text = ""
    for index, value in enumerate(counts):
        value -= counts[index - 2] if index > 2 else 0
        more = True
        while more:
            bits, value = value & 31, value >> 5
            more = value != (-1 if bits & 16 else 0)
            text += chr(48 + (bits | 32 * more))
    return text


def labelme(root: Path, labels: str | None) -> Facts:
    images = {}
    for name in files(root, ".json"):
        said = read_json(root / name)
        images[str(PurePosixPath(name).parent / said["imagePath"])] = _less(said, "imagePath")
    return {}, images


def createml(root: Path, labels: str | None) -> Facts:
    names = Names(root)
    entries = [(name, entry) for name in files(root, ".json") for entry in read_json(root / name)]
    return {}, {names.find(entry["image"], name): _less(entry, "image") for name, entry in entries}


def hf(root: Path, labels: str | None) -> Facts:
    images = {}
    for name in files(root, "metadata.jsonl"):
        for line in (root / name).read_text("utf-8").splitlines():
            row = json.loads(line)
            images[str(PurePosixPath(name).parent / row["file_name"])] = _less(row, "file_name")
    return {}, images


# -- XML


def element(node: ElementTree.Element, skip: Iterable[str] = ()) -> Any:
    """Tag, attributes, text and children, these by tag, and in their order where tags are the same."""
    children = [element(child, skip) for child in sorted(node, key=lambda child: child.tag) if child.tag not in skip]
    attributes = {key: re.split("[,;]", text) if key == "points" else text for key, text in node.attrib.items()}
    return [node.tag, attributes, (node.text or "").strip(), children]


def voc(root: Path, labels: str | None) -> Facts:
    """XML, pixels and palettes of masks, and what each list in ImageSets says of the image."""
    names = Names(root)
    images: dict[str, Any] = {}
    pictures = [path for path in names.paths if "Segmentation" not in path]
    for path in pictures:
        images[path] = {"sets": {}}
    for name in files(root, ".xml"):
        node = ElementTree.parse(root / name).getroot()
        path = next(p for p in pictures if names.find(PurePosixPath(name).stem, name) and _twins(p, name))
        images[path]["xml"] = element(node, ("filename", "path"))
        assert node.findtext("filename") == PurePosixPath(path).name
    for path in names.paths:
        for kind in ("SegmentationClass", "SegmentationObject"):
            if f"/{kind}/" in f"/{path}":
                twin = next(p for p in pictures if PurePosixPath(p).stem == PurePosixPath(path).stem)
                images[twin][kind] = pixels(root / path)
    for name in files(root, ".txt"):
        if "ImageSets" in name:
            for line in (root / name).read_text().splitlines():
                cells = line.split()
                path = names.find(cells[0], "JPEGImages/x") if cells else ""
                if path:
                    images[path]["sets"].setdefault(name, []).append(cells[1:])
    return {}, images


def _twins(image: str, label: str) -> bool:
    one, other = PurePosixPath(image), PurePosixPath(label)
    return one.stem == other.stem and (one.parent == other.parent or one.parent.parent == other.parent.parent)


def cvat(root: Path, labels: str | None) -> Facts:
    names = Names(root)
    about, images = {}, {}
    for name in files(root, ".xml"):
        node = ElementTree.parse(root / name).getroot()
        about[name] = element(node, ("image",))
        for image in node.iter("image"):
            name_of = f"{image.get('subset', '')}/{image.attrib.pop('name')}".strip("/")
            path = names.find(name_of, name)
            image.attrib.pop("id")
            images[path] = element(image)
    return about, images


# -- lines


def yolo(root: Path, labels: str | None) -> Facts:
    home = root / (labels or "") if (root / (labels or "")).is_dir() else root  # `labels` becomes OUTPUT
    names = Names(root)
    about: dict[str, Any] = {}
    for file in [*home.glob("*.yaml"), *home.glob("*.yml")]:
        about[file.name] = {k: v for k, v in yaml.safe_load(file.read_text()).items() if not _is_place(k)}
    about |= {file.name: file.read_text().split() for file in home.glob("*.names")}
    images: dict[str, Any] = dict.fromkeys(names.paths)
    for name in files(home, ".txt"):
        lines = [line.split() for line in (home / name).read_text().splitlines()]
        path = names.find(PurePosixPath(name).stem, name)
        if path and all(_number(cell) is not None for line in lines for cell in line):
            images[path] = [line for line in lines if line]
    return about, images


def _is_place(key: str) -> bool:
    return key in ("path", "train", "val", "test", "download")


def dota(root: Path, labels: str | None) -> Facts:
    names = Names(root)
    images: dict[str, Any] = dict.fromkeys(names.paths)
    for name in files(root, ".txt"):
        path = names.find(PurePosixPath(name).stem, name)
        if path and "labelTxt" in name:
            images[path] = [line.split() for line in (root / name).read_text().splitlines() if line.strip()]
    return {}, images


def _csv(path: Path) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = [{str(k): v or "" for k, v in row.items()} for row in csv.DictReader(file, skipinitialspace=True)]
    return [row | ({"bbox": re.findall(r"[\d.]+", row["bbox"])} if "bbox" in row else {}) for row in rows]


def openimages(root: Path, labels: str | None) -> Facts:
    """A row belongs to the image its first column of a known name names; a file without such a column to the whole."""
    names = Names(root)
    about: dict[str, Any] = {}
    images: dict[str, Any] = {path: {} for path in names.paths}
    for name in [labels] if labels else files(root, ".csv"):
        rows = _csv(root / name)
        key = next((k for k in ("ImageID", "filename", "image_name") if rows and k in rows[0]), None)
        if key is None:
            about[name] = (root / name).read_text().split("\n")
            continue
        for row in rows:
            images[names.find(row[key], name)].setdefault(name, []).append(_less(row, key))
    return about, images


def table(root: Path, labels: str | None) -> Facts:
    """The table at the root; its first column names the image."""
    assert labels
    names = Names(root)
    images = {}
    for row in _csv(root / labels):
        key = next(iter(row))
        images[names.find(row[key], labels)] = _less(row, key)
    return {}, images


def folder(root: Path, labels: str | None) -> Facts:
    return {}, {path: path.rpartition("/")[0] for path in Names(root).paths}


# -- masks


def pixels(path: Path) -> dict[str, Any]:
    """What a mask is as data: its mode, palette and values."""
    with Image.open(path) as image:
        palette = image.getpalette()
        values = np.asarray(image)
        return {"mode": image.mode, "palette": palette, "shape": values.shape, "bytes": values.tobytes().hex()}


def picture(path: Path) -> bytes:
    with Image.open(path) as image:
        return image.convert("RGBA").tobytes()


def masks(root: Path, labels: str | None) -> Facts:
    """Masks by the base name they share with their image, in the same split."""
    paths = Names(root).paths
    marks = [path for path in paths if re.search(r"annot/|gtFine|masks/", path)]
    images: dict[str, Any] = {path: {} for path in paths if path not in marks}
    for mark in marks:
        twin = max((p for p in images if _core(p) == _core(mark)), key=lambda p: _together(p, mark), default="")
        kind = re.search(r"_(gtFine_\w+Ids)", mark)
        images[twin][kind[1] if kind else "mask"] = pixels(root / mark)
    texts = [path for path in (root / "dataset_meta.json", root / "labelmap.csv") if path.exists()]
    return {path.name: path.read_text() for path in texts}, images


def _core(path: str) -> str:
    """The base name without what says "mask", "image" or city: `gt_0001` and `image_0001` are one."""
    copy = re.search(r"(_aug\d+)?$", PurePosixPath(path).stem)
    stem = re.sub(r"_gtFine_\w+Ids|_leftImg8bit|^gt_|^image_|_aug\d+$", "", PurePosixPath(path).stem)
    return stem + (copy[0] if copy else "")


def _together(one: str, other: str) -> int:
    return len(set(re.split(r"/|annot", one)) & set(re.split(r"/|annot", other)))


READERS: dict[str, Callable[[Path, str | None], Facts]] = {
    "coco": coco,
    "labelme": labelme,
    "createml": createml,
    "hf": hf,
    "voc": voc,
    "cvat": cvat,
    "yolo": yolo,
    "dota": dota,
    "openimages": openimages,
    "table": table,
    "folder": folder,
    "masks": masks,
}
