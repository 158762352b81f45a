"""Tiny datasets of every format, and what becomes of their labels when each is converted to each: the matrix of pairs.

Every object has a class of its own, so that it is known again however it was written. Images are 40 x 20.
"""

from __future__ import annotations

import base64
import io
import json
import re
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image
from running import Silent

from augx import engine as runner
from augx.errors import InputError
from augx.formats import FORMATS, ReadOptions, load
from augx.model import Annotations, Dataset, Object
from augx.objects import KINDS, kinds
from augx.recipe import CONVERSION
from augx.rle import rle_decode

WIDTH, HEIGHT = 40, 20
NEAR = 1e-3  # pixels: label files have six decimals and more


def png(pixels: np.ndarray, palette: bool = False) -> bytes:
    image = Image.fromarray(pixels)
    if palette:
        image.putpalette([0, 0, 0, 200, 0, 0, 0, 200, 0] + [9] * 759)
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def _block(*values: tuple[int, int, int, int, int]) -> np.ndarray:
    pixels = np.zeros((HEIGHT, WIDTH), np.uint8)
    for value, x0, y0, x1, y1 in values:
        pixels[y0:y1, x0:x1] = value
    return pixels


PICTURE = png(np.arange(HEIGHT * WIDTH * 3, dtype=np.uint8).reshape(HEIGHT, WIDTH, 3))
CLASSES = png(_block((1, 2, 2, 8, 8), (2, 20, 10, 30, 18)), palette=True)
INSTANCES = png(_block((1, 2, 2, 8, 8), (2, 20, 10, 30, 18)), palette=True)

# Shapes, in pixels; `RUNS` is the block 20..30 x 10..18, column by column
BOX = [2, 2, 6, 6]  # x, y, width, height
RING = [10, 2, 18, 2, 16, 9]
RINGS = [[22, 2, 26, 2, 26, 8], [30, 2, 36, 2, 36, 8]]
RUNS = {"size": [20, 40], "counts": [410, *[8, 12] * 9, 8, 202]}
CROWD = {"size": [20, 40], "counts": [1, 5, 15, 5, 774]}
POSE = [4, 12, 2, 8, 14, 1, 0, 0, 0]
TURNED = [30, 12, 34, 8, 38, 12, 34, 16]


def _coco(*names: str) -> str:
    shapes: dict[str, dict[str, object]] = {
        "box": {"bbox": BOX, "segmentation": []},
        "ring": {"bbox": [10, 2, 8, 7], "segmentation": [RING]},
        "rings": {"bbox": [22, 2, 14, 6], "segmentation": RINGS},
        "mask": {"bbox": [20, 10, 10, 8], "segmentation": RUNS},
        "crowd": {"bbox": [0, 1, 2, 5], "segmentation": CROWD, "iscrowd": 1},
        "pose": {"bbox": [3, 11, 7, 5], "segmentation": [], "keypoints": POSE, "num_keypoints": 2},
    }
    names = names or tuple(shapes)
    categories: list[dict[str, object]] = [{"id": 3 * n, "name": name} for n, name in enumerate(names, 1)]
    for one in categories:
        if one["name"] == "pose":
            one |= {"keypoints": ["left_eye", "right_eye", "nose"], "skeleton": [[1, 2]]}
    annotations = [
        {"id": n, "image_id": 1, "category_id": 3 * n, "iscrowd": 0, "area": 1} | shapes[name]
        for n, name in enumerate(names, 1)
    ]
    sizes = {"width": WIDTH, "height": HEIGHT}
    images = [{"id": n, "file_name": f"{name}.png"} | sizes for n, name in enumerate("ab", 1)]
    return json.dumps({"images": images, "annotations": annotations, "categories": categories})


def _captions() -> str:
    images = [{"id": n, "file_name": f"{name}.png", "width": 40, "height": 20} for n, name in enumerate("ab", 1)]
    said = [{"id": n, "image_id": n, "caption": text} for n, text in enumerate(("one", "two, with a comma"), 1)]
    return json.dumps({"images": images, "annotations": said})


def _yolo(names: str, line: str, more: str = "") -> dict[str, str | bytes]:
    head = f"train: images\nval: images\nnames: [{names}]\n{more}"
    pictures = {"images/a.png": PICTURE, "images/b.png": PICTURE}
    return {"data.yaml": head, "labels/a.txt": line, "labels/b.txt": ""} | pictures


def _shares(flat: Iterable[float]) -> str:
    return " ".join(f"{value / (HEIGHT if place % 2 else WIDTH):.6f}" for place, value in enumerate(flat))


def _voc() -> str:
    x, y, w, h = BOX
    corners = f"<xmin>{x}</xmin><ymin>{y}</ymin><xmax>{x + w}</xmax><ymax>{y + h}</ymax>"
    thing = f"<object><name>box</name><difficult>1</difficult><bndbox>{corners}</bndbox></object>"
    head = "<filename>a.png</filename><size><width>40</width><height>20</height></size>"
    return f"<annotation>{head}{thing}</annotation>"


def _labelme() -> str:
    def shape(label: str, kind: str, flat: list[float], **more: object) -> dict[str, object]:
        points = [list(pair) for pair in zip(flat[::2], flat[1::2], strict=True)]
        return {"label": label, "points": points, "shape_type": kind, "group_id": None, "flags": {}} | more

    shapes = [
        shape("box", "rectangle", [2, 2, 8, 8]),
        shape("ring", "polygon", RING),
        shape("mask", "mask", [20, 10, 29, 17], mask=base64.b64encode(png(np.ones((8, 10), bool))).decode()),
        shape("turned", "oriented_rectangle", TURNED),
        shape("point", "points", [4, 12, 8, 14]),
    ]
    keys = {"imageData": None, "imagePath": "a.png", "imageHeight": HEIGHT, "imageWidth": WIDTH}
    return json.dumps({"version": "5.5.0", "flags": {"indoor": True, "night": True}, "shapes": shapes} | keys)


def _labelme_flag() -> str:
    keys = {"imageData": None, "imagePath": "b.png", "imageHeight": HEIGHT, "imageWidth": WIDTH}
    return json.dumps({"version": "5.5.0", "flags": {"indoor": True, "night": False}, "shapes": []} | keys)


CVAT = """<annotations><version>1.1</version><meta><task><labels>
<label><name>pose</name><type>skeleton</type></label>
<label><name>left eye</name><type>points</type><parent>pose</parent></label>
<label><name>right eye</name><type>points</type><parent>pose</parent></label>
<label><name>nose</name><type>points</type><parent>pose</parent></label></labels></task></meta>
<image id="0" name="a.png" width="40" height="20"><tag label="indoor"/><tag label="night"/>
<box label="box" xtl="2" ytl="2" xbr="8" ybr="8"/><box label="turned" xtl="30" ytl="8" xbr="38" ybr="16" rotation="45"/>
<polygon label="ring" points="10,2;18,2;16,9"/>
<mask label="mask" rle="0, 80" left="20" top="10" width="10" height="8"/>
<skeleton label="pose"><points label="left eye" outside="0" occluded="0" points="4,12"/>
<points label="right eye" outside="0" occluded="1" points="8,14"/>
<points label="nose" outside="1" occluded="0" points="0,0"/></skeleton></image>
<image id="1" name="b.png" width="40" height="20"><tag label="indoor"/></image></annotations>
"""


def _hf() -> str:
    names = ("box", "ring", "rings", "mask", "crowd", "pose", "turned")
    objects = {
        "category": names,
        "bbox": [BOX, [10, 2, 8, 7], [22, 2, 14, 6], [20, 10, 10, 8], [0, 1, 2, 5], [3, 11, 7, 5], [30, 8, 8, 8]],
        "segmentation": [None, [RING], RINGS, RUNS, CROWD, None, None],
        "iscrowd": [0, 0, 0, 0, 1, 0, 0],
        "keypoints": [*[None] * 5, POSE, None],
        "obb": [*[None] * 6, TURNED],
    }
    row = {"mask_file_name": "masks/a.png", "labels": {"cat": 0.25, "dog": 0.75}, "text": "one", "angle": 1.5}
    empty: dict[str, list[object]] = {key: [] for key in objects}
    other = {"mask_file_name": "masks/b.png", "labels": {"cat": 1.0}, "text": "two", "angle": -2.0, "objects": empty}
    lines = ({"file_name": "a.png"} | row | {"objects": objects}, {"file_name": "b.png"} | other)
    return "".join(json.dumps(line) + "\n" for line in lines)


def _tar() -> bytes:
    members = {"a.png": PICTURE, "a.cls": b"cat", "a.txt": b"one", "a.seg.png": CLASSES}
    members |= {"b.png": PICTURE, "b.cls": b"dog", "b.txt": b"two", "b.seg.png": CLASSES}
    things = {"category": ["box", "turned"], "bbox": [BOX, [30, 8, 8, 8]], "obb": [None, TURNED]}
    members["a.json"] = json.dumps({"objects": things, "angle": 1.5}).encode()
    members["b.json"] = json.dumps({"objects": {key: [] for key in things}, "angle": -2.0}).encode()
    return _packed(members)


_OWN_THINGS: list[dict[str, object]] = [
    {"label": "box", "bbox": BOX},
    {"label": "ring", "bbox": [10, 2, 8, 7], "segmentation": [RING]},
    {"label": "mask", "bbox": [20, 10, 10, 8], "rle": RUNS},
    {"label": "crowd", "bbox": [0, 1, 2, 5], "rle": CROWD, "iscrowd": 1},
    {"label": "pose", "bbox": [3, 11, 7, 5], "keypoints": POSE},
    {"label": "turned", "bbox": [30, 8, 8, 8], "obb": TURNED},
]
_NUMBERED: list[dict[str, object]] = [
    {"label": "box", "bbox": BOX, "index": 1},
    {"label": "mask", "bbox": [20, 10, 10, 8], "index": 2},
]


def _own_tar(things: list[dict[str, object]], **masks: bytes) -> bytes:
    """As augx writes them. `masks`: of the first image, by kind."""
    said = {"captions": ["one"], "values": {"angle": 1.5}, "source": "x", "copy": 0, "label": None}
    documents = {
        "a": {"labels": ["cat", "dog"], "weights": [0.25, 0.75], "objects": things},
        "b": {"labels": ["cat"], "weights": [1.0], "objects": []},
    }
    members = {f"{name}.json": json.dumps(said | told).encode() for name, told in documents.items()}
    members |= {f"a.{kind}.png": mask for kind, mask in masks.items()}
    return _packed(members | {"a.png": PICTURE, "b.png": PICTURE})


def _packed(members: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, content in sorted(members.items()):
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


_CREATEML = [
    {"image": "a.png", "annotations": [{"label": "box", "coordinates": {"x": 5, "y": 5, "width": 6, "height": 6}}]},
    {"image": "b.png", "annotations": []},
]
_OPENIMAGES = "ImageID,LabelName,Confidence,XMin,XMax,YMin,YMax,IsOccluded\na,box,1,0.05,0.2,0.1,0.4,1\n"
_IMAGE_LABELS = "ImageID,Source,LabelName,Confidence\na,verification,indoor,1\na,verification,night,1\nb,x,indoor,1\n"
_PAIR: dict[str, str | bytes] = {"a.png": PICTURE, "b.png": PICTURE}

SOURCES: Mapping[str, Mapping[str, str | bytes]] = {
    "folder": {"cat/a.png": PICTURE, "dog/b.png": PICTURE},
    "table": _PAIR | {"labels.csv": "file_name,labels,angle\na.png,cat|dog,1.5\nb.png,cat,-2.0\n"},
    "table, weights": _PAIR | {"labels.csv": "file_name,labels\na.png,cat:0.25|dog:0.75\nb.png,cat:1\n"},
    "coco": _PAIR | {"annotations.json": _coco()},
    "coco, segments": _PAIR | {"annotations.json": _coco("box", "ring", "rings", "mask")},
    "coco, captions": _PAIR | {"captions_train.json": _captions()},
    "yolo, detect": _yolo("box", f"0 {_shares([5, 5, 6, 6])}\n"),
    "yolo, segment": _yolo("ring", f"0 {_shares(RING)}\n"),
    "yolo, pose": _yolo(
        "pose",
        f"0 {_shares([6.5, 13.5, 7, 5])} {_shares(POSE[:2])} 2 {_shares(POSE[3:5])} 1 0 0 0\n",
        "kpt_shape: [3, 3]\nflip_idx: [1, 0, 2]\n",
    ),
    "yolo, obb": _yolo("turned", f"0 {_shares(TURNED)}\n"),
    "voc": {
        "JPEGImages/a.png": PICTURE,
        "JPEGImages/b.png": PICTURE,
        "Annotations/a.xml": _voc(),
        "SegmentationClass/a.png": CLASSES,
        "SegmentationObject/a.png": INSTANCES,
    },
    "dota": {"images/a.png": PICTURE, "images/b.png": PICTURE}
    | {"labelTxt/a.txt": f"{' '.join(map(str, TURNED))} turned 1\n", "labelTxt/b.txt": ""},
    "labelme": _PAIR | {"a.json": _labelme(), "b.json": _labelme_flag()},
    "cvat": {"images/a.png": PICTURE, "images/b.png": PICTURE, "annotations.xml": CVAT},
    "masks": {"images/a.png": PICTURE, "images/b.png": PICTURE, "masks/a.png": CLASSES, "masks/b.png": CLASSES},
    "hf": _PAIR | {"metadata.jsonl": _hf(), "masks/a.png": CLASSES, "masks/b.png": CLASSES},
    "createml": _PAIR | {"_annotations.createml.json": json.dumps(_CREATEML)},
    "openimages": _PAIR | {"train-annotations-bbox.csv": _OPENIMAGES, "train-imagelabels.csv": _IMAGE_LABELS},
    "openimages, weights": _PAIR
    | {"train-imagelabels.csv": _IMAGE_LABELS.replace("a,verification,night,1", "a,machine,night,0.75")},
    "webdataset": {"train-000.tar": _tar()},
    "webdataset, own": {"train-000.tar": _own_tar(_OWN_THINGS, seg=CLASSES)},
    "webdataset, instances": {"train-000.tar": _own_tar(_NUMBERED, instances=INSTANCES)},
}
TARGETS = [name for name in FORMATS if load(name).writes]


def plant(source: str, root: Path) -> Path:
    folder = root / source.replace(", ", "-")
    for name, content in SOURCES[source].items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def format_of(source: str) -> str:
    return source.split(",")[0]


def held(dataset: Dataset) -> set[str]:
    return {kind for sample in dataset.samples for kind in kinds(sample.annotations)}


@dataclass(frozen=True)
class Pair:
    """What becomes of a source's kinds of label. `barred`: why it cannot be written at all, loss allowed or not."""

    kept: frozenset[str] = frozenset()
    changed: frozenset[str] = frozenset()
    refused: frozenset[str] = frozenset()
    lost: frozenset[str] = frozenset()  # neither refused nor there: a fault
    barred: str = ""


def convert(source: str, root: Path, target: str, output: Path) -> Pair:
    """The source that `plant` put at `root`, as `target`."""
    name = format_of(source)
    asked = runner.Request(str(root), str(output), CONVERSION, name, (target,), workers=0, untouched=True)
    dataset = load(name).read(str(root), ReadOptions())
    found = held(dataset)
    refused: frozenset[str] = frozenset()
    try:
        runner.run(asked, Silent(), lambda recipe: None)
    except InputError as error:
        refused = _named(error.message)
        assert refused <= found, error.message
        assert not output.exists(), "refused, but something was written"
        try:
            runner.run(replace(asked, allow_loss=True), Silent(), lambda recipe: None)
        except InputError as again:
            return Pair(refused=refused, barred=again.message)
    if refused == found:
        return Pair(refused=refused)
    back = load(target).read(str(output), ReadOptions())
    before, after = ({Path(s.id).stem: s.annotations for s in d.samples} for d in (dataset, back))
    assert before.keys() == after.keys(), (before.keys(), after.keys())
    status: dict[str, set[str]] = {"kept": set(), "changed": set(), "lost": set()}
    for stem in before:
        for kind, what in _compare(before[stem], after[stem], refused, (root, output)):
            status[what].add(kind)
    lost = frozenset(status["lost"])
    changed = frozenset(status["changed"] & found) - lost
    return Pair(frozenset(found) - refused - lost - changed, changed, refused, lost)


def _named(message: str) -> frozenset[str]:
    """The kinds of label that a refusal names."""
    named = {re.sub(r" \([\d,]+ images.*", "", part.split("cannot hold ")[-1]) for part in message.split("; ")}
    columns = {"values"} if any(part.startswith("the columns ") for part in named) else set()
    return frozenset({kind for kind, words in KINDS.items() if words in named} | columns)


def _compare(
    one: Annotations, other: Annotations, refused: frozenset[str], roots: tuple[Path, Path]
) -> Iterator[tuple[str, str]]:
    """(kind of label, kept, changed or lost) for each label of an image that was not refused."""
    there = kinds(one)
    if not (there & {"weights"} & refused):  # with weights go classes
        for kind in there & {"class", "classes", "weights"} - refused:
            yield kind, _same(dict(one.labels), dict(other.labels))
    for kind in there & {"values", "captions"} - refused:
        yield kind, _same(getattr(one, kind), getattr(other, kind))
    for kind in there & {"mask", "instances"} - refused:
        path, again = getattr(one, kind), getattr(other, kind)
        if kind == "instances" and not again:
            own = all(each.rle or each.rings for each in other.objects)
            yield kind, "changed" if own and other.objects else "lost"
            continue
        yield kind, "kept" if again and _mask(roots[0] / path) == _mask(roots[1] / again) else "lost"
    yield from _compare_objects(one, other, refused)


def _compare_objects(one: Annotations, other: Annotations, refused: frozenset[str]) -> Iterator[tuple[str, str]]:
    for thing in one.objects:
        before = _parts(thing, one.relative)
        after = [_parts(each, other.relative) for each in other.objects if each.label == thing.label]
        wanted = {part: flat for part, flat in before.items() if part != "boxes" and part not in refused}
        if not wanted.keys() & {"polygons", "rle", "obb"} and "boxes" in before and "boxes" not in refused:
            wanted["boxes"] = before["boxes"]
        if not wanted or (thing.crowd and "crowds" in refused):
            continue
        if thing.crowd:
            yield "crowds", "kept" if any(each.crowd for each in other.objects if each.label == thing.label) else "lost"
        together = any(all(_near(flat, each.get(part)) for part, flat in wanted.items()) for each in after)
        there = bool(after) and _near(_extent([wanted]), _extent(after), 1.01)
        for part in wanted:
            yield part, "kept" if together else "changed" if there else "lost"


def _same(one: object, other: object) -> str:
    return "kept" if one == other else "changed" if other else "lost"


def _mask(path: Path) -> tuple[object, bytes]:
    """Palette and values of a mask, which may lie in a tar."""
    tar = next((above for above in path.parents if above.suffix == ".tar"), None)
    if tar:
        with tarfile.open(tar) as packed:
            content = packed.extractfile(str(path.relative_to(tar))).read()  # type: ignore[union-attr]
    else:
        content = path.read_bytes()
    with Image.open(io.BytesIO(content)) as image:
        return image.getpalette(), np.asarray(image).tobytes()


def _parts(thing: Object, relative: bool) -> dict[str, list[float]]:
    """Kind of label -> that part of an object in pixels, as one flat list; of a mask the indexes of its pixels."""
    across, down = (WIDTH, HEIGHT) if relative else (1, 1)

    def scaled(flat: Iterable[float], step: int = 2) -> list[float]:
        return [value * (across, down, 1)[place % step] for place, value in enumerate(flat)]

    parts: dict[str, list[float]] = {}
    if thing.box is not None:
        parts["boxes"] = scaled(thing.box)
    if thing.rings:
        parts["polygons"] = [value for ring in thing.rings for value in scaled(ring)]
    if thing.rle is not None:
        parts["rle"] = np.flatnonzero(rle_decode(thing.rle)).tolist()
    if thing.keypoints is not None:
        parts["keypoints"] = scaled(thing.keypoints, 3)
    if thing.corners is not None:
        parts["obb"] = scaled(thing.corners)
    return parts


def _extent(things: Iterable[Mapping[str, list[float]]]) -> list[float]:
    """The box around all parts but keypoints, which may lie anywhere, unless there is nothing else."""
    xs: list[float] = []
    ys: list[float] = []
    for parts in things:
        for part, flat in parts.items():
            if part == "rle":
                xs += [edge for index in flat for edge in (index % WIDTH, index % WIDTH + 1)]
                ys += [edge for index in flat for edge in (index // WIDTH, index // WIDTH + 1)]
            elif part != "keypoints":
                xs, ys = xs + flat[0::2], ys + flat[1::2]
            elif len(parts) == 1:
                seen = [n for n in range(0, len(flat), 3) if flat[n + 2]]
                xs, ys = xs + [flat[n] for n in seen], ys + [flat[n + 1] for n in seen]
    return [min(xs), min(ys), max(xs), max(ys)] if xs else []


def _near(one: list[float], other: list[float] | None, slack: float = NEAR) -> bool:
    if other is None or len(one) != len(other):
        return False
    return all(abs(a - b) <= slack for a, b in zip(one, other, strict=True))
