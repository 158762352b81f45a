"""What is found in datasets in the wild, and what augx does about it: the rows of the table in the docs, each with
tiny datasets that show it. `test_wild.py` runs them all; those of one row must all come to the same.

`python tests/wild.py` brings the table up to date.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import tables
from PIL import Image
from wild_data import (
    B_JSON,
    B_XML,
    ENDS,
    GOOD,
    HEIGHT,
    INF,
    LEFT,
    NAN,
    WIDTH,
    Fifo,
    Files,
    Flaw,
    Folder,
    Link,
    Locked,
    Made,
    boxes,
    coco,
    coco_json,
    createml,
    cvat,
    cvat_xml,
    dota,
    hf,
    images,
    jpeg,
    labelme,
    labelme_json,
    mask,
    masks,
    openimages,
    panoptic,
    png,
    png_text,
    saved,
    table,
    tar,
    voc,
    voc_object,
    voc_xml,
    without,
    yolo,
)

README = Path(__file__).parent.parent / "examples" / "labels" / "README.md"
BOX = ((5.0, 5.0, 10.0, 8.0),)  # x, y, w, h of the object where only another of its parts has a flaw
BBOX = [5, 5, 10, 8]
DIGITS = "1" * 1_000_000
DEEP = "[" * 1_000_000


def _objects(first: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    (row,) = [row for row in first if row["source"].rpartition("/")[2].startswith("a")]
    objects: list[dict[str, Any]] = row["objects"]
    return objects


def _visibilities(*wanted: float) -> Any:
    def check(first: list[dict[str, Any]]) -> None:
        assert _objects(first)[0]["keypoints"][2::3] == list(wanted)

    return check


def _turned() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 3
    return saved(Image.new("I;16", (WIDTH, HEIGHT)), "TIFF", exif=exif)


def _sources(*wanted: str) -> Any:
    def check(first: list[dict[str, Any]]) -> None:
        assert [row["source"] for row in first] == list(wanted)

    return check


def _labels(*wanted: str | None) -> Any:
    def check(first: list[dict[str, Any]]) -> None:
        assert [thing["label"] for thing in _objects(first)] == list(wanted)

    return check


def _counted(images_made: int, objects: int) -> Any:
    def check(first: list[dict[str, Any]]) -> None:
        assert (len(first), sum(len(row["objects"]) for row in first)) == (images_made, objects)

    return check


BOXES = (
    Flaw("a box that sticks out", "repaired", "box-clipped", boxes(-5, 5, 12, 35), "it is cut at the edge",
         boxes=((0, 5, 12, 25), *LEFT)),
    Flaw("a box outside the image", "dropped", "box-outside", boxes(50, 5, 60, 12), boxes=LEFT),
    Flaw("a box without width or height", "dropped", "box-empty", boxes(5, 5, 5, 12), boxes=LEFT),
    Flaw("a box with reversed corners, or of negative size", "repaired", "box-reversed",
         boxes(12, 15, 4, 5, without=("labelme",)), "its corners are put in order", boxes=((4, 5, 8, 10), *LEFT)),
    # A line of JSON with NaN is none: HF's row fails, see below.
    Flaw("a box with NaN", "dropped", "not-finite", boxes(NAN, 5, 12, 15, without=("hf",)), boxes=LEFT),
    Flaw("a box with infinity", "dropped", "not-finite", boxes(5, 5, INF, 15, without=("hf",)), boxes=LEFT),
    Flaw("a box of 10^300 pixels", "dropped", "not-finite", boxes(5, 5, 1e300, 15), boxes=LEFT),
    Flaw("a box that is not four numbers", "left out", "bad-annotation", (
        Made("coco", coco([{"bbox": [1, 2, 3]}]), "bad-box", also=frozenset({"no-shape"})),
        Made("voc", voc(voc_xml("<object><name>cat</name><bndbox><xmin>1</xmin></bndbox></object>")), "bad-object"),
        Made("yolo", yolo("0 0.5 0.5 0.2\n0 1 two 3 4\n"), "wrong-count", also=frozenset({"not-a-number"})),
        Made("labelme", labelme(labelme_json([{"points": [[1, 2]]}])), "unreadable-shape"),
        Made("cvat", cvat('<box label="cat" xtl="1" ytl="x" xbr="3" ybr="4"/>'), "unreadable-shape"),
        Made("createml", createml([{"label": "cat", "coordinates": {"x": 1}}, 7])),
        Made("hf", hf({"bbox": [[1, 2, 3]], "category": ["cat"]}), "unreadable-object"),
        Made("openimages", openimages("a.png,40,30,cat,1,2,three,4")),
        Made("dota", dota("1 2 3 cat\n"), "bad-line"),
    ), boxes=()),
    Flaw("a box and a size for one cell: which four numbers are meant", "repaired", "box-order", (
        Made("openimages", {**images(), "train.csv": 'image_id,bbox\na.png,"[5, 5, 15, 13]"\nb.png,"[4, 4, 14, 12]"\n'}),
    ), "two corners, unless a row contradicts it", boxes=BOX),
)  # fmt: skip

POLYGONS = (
    Flaw("a polygon of one or two points, beside a box", "repaired", "polygon-degenerate", (
        Made("coco", coco([{"bbox": BBOX, "segmentation": [[5, 5]]}])),
        Made("coco", coco([{"bbox": BBOX, "segmentation": [[5, 5, 9, 9]]}])),
        Made("hf", hf({"bbox": [BBOX], "category": ["cat"], "segmentation": [[[5, 5, 9, 9]]]})),
    ), "the box stays", boxes=BOX),
    Flaw("a polygon of one or two points, or on one line, alone", "dropped", "polygon-degenerate", (
        Made("coco", coco([{"segmentation": [[5, 5, 9, 9]]}])),
        Made("labelme", labelme(labelme_json([{"shape_type": "polygon", "points": [[5, 5], [9, 9]]}]))),
        Made("cvat", cvat('<polygon label="cat" points="5,5;9,9"/>')),
        Made("cvat", cvat('<polygon label="cat" points="5,5;9,9;7,7"/>')),
        Made("yolo", yolo("0 0.1 0.1 0.2 0.2 0.3 0.3\n1 0.5 0.5 0.8 0.5 0.8 0.9 0.5 0.9 0.4 0.7\n",
                          more="task: segment\n")),
        Made("hf", hf({"bbox": [None], "category": ["cat"], "segmentation": [[[5, 5, 9, 9]]]})),
    )),
    Flaw("a polygon without any point, alone", "left out", "unreadable-shape", (
        Made("coco", coco([{"segmentation": [[]]}]), "no-shape"),
        Made("labelme", labelme(labelme_json([{"shape_type": "polygon", "points": []}]))),
        Made("cvat", cvat('<polygon label="cat" points=""/>')),
        Made("hf", hf({"bbox": [None], "category": ["cat"], "segmentation": [[]]}), "unreadable-object"),
    ), boxes=()),
    Flaw("a polygon with an odd number of coordinates, beside a box", "repaired", "bad-segmentation", (
        Made("coco", coco([{"bbox": BBOX, "segmentation": [[5, 5, 15, 5, 15]]}])),
        Made("hf", hf({"bbox": [BBOX], "category": ["cat"], "segmentation": [[[5, 5, 15, 5, 15]]]}),
             "unreadable-object"),
    ), "the box stays", boxes=BOX),
    Flaw("a polygon with an odd number of coordinates, alone", "left out", "unreadable-shape", (
        Made("coco", coco([{"segmentation": [[5, 5, 15, 5, 15]]}]), "bad-segmentation", also=frozenset({"no-shape"})),
        Made("labelme", labelme(labelme_json([{"shape_type": "polygon", "points": [[5, 5], [15, 5], [15]]}]))),
        Made("cvat", cvat('<polygon label="cat" points="5,5;15,5;15"/>')),
        Made("yolo", yolo("0 0.1 0.1 0.2 0.2 0.3 0.3 0.4\n", more="task: segment\n"), "wrong-count"),
        Made("hf", hf({"bbox": [None], "category": ["cat"], "segmentation": [[[5, 5, 15, 5, 15]]]}),
             "unreadable-object"),
    ), boxes=()),
    Flaw("a polygon that sticks out", "repaired", "polygon-clipped", (
        Made("coco", coco([{"segmentation": [[-9, 5, 15, 5, 15, 13, -9, 13]]}])),
        Made("labelme", labelme(labelme_json([{"shape_type": "polygon",
                                               "points": [[-9, 5], [15, 5], [15, 13], [-9, 13]]}]))),
        Made("cvat", cvat('<polygon label="cat" points="-9,5;15,5;15,13;-9,13"/>')),
        Made("hf", hf({"bbox": [None], "category": ["cat"], "segmentation": [[[-9, 5, 15, 5, 15, 13, -9, 13]]]})),
    ), "it is cut at the edge", boxes=((0, 5, 15, 8),)),
    Flaw("a polygon outside the image", "dropped", "polygon-outside", (
        Made("coco", coco([{"segmentation": [[50, 5, 60, 5, 60, 9]]}])),
        Made("labelme", labelme(labelme_json([{"shape_type": "polygon", "points": [[50, 5], [60, 5], [60, 9]]}]))),
        Made("cvat", cvat('<polygon label="cat" points="50,5;60,5;60,9"/>')),
        Made("hf", hf({"bbox": [None], "category": ["cat"], "segmentation": [[[50, 5, 60, 5, 60, 9]]]})),
    ), boxes=()),
    Flaw("a polygon with NaN or infinity, alone", "dropped", "not-finite", (
        Made("coco", coco([{"segmentation": [[NAN, 5, 15, 5, 15, 13]]}])),
        Made("labelme", labelme(labelme_json([{"shape_type": "polygon", "points": [[INF, 5], [15, 5], [15, 13]]}]))),
        Made("cvat", cvat('<polygon label="cat" points="nan,5;15,5;15,13"/>')),
        Made("yolo", yolo("0 nan 0.1 0.2 0.2 0.3 0.1\n", more="task: segment\n")),
    ), boxes=()),
    Flaw("boxes among polygons", "repaired", "box-among-polygons", (
        Made("yolo", yolo("0 0.25 0.3 0.25 0.2666666666666667\n", more="task: segment\n")),
    ), "the box stays a box, and is written as a rectangle"),
)  # fmt: skip

_FULL = {"size": [HEIGHT, WIDTH]}
RLES = (
    Flaw("run lengths (RLE) of another size than the image", "failed", "rle-size", (
        Made("coco", coco([{"bbox": BBOX, "iscrowd": 1, "segmentation": {"size": [20, 20], "counts": [5, 10, 385]}}])),
        Made("hf", hf({"bbox": [BBOX], "category": ["cat"],
                       "segmentation": [{"size": [20, 20], "counts": [5, 10, 385]}]})),
    )),
    Flaw("broken run lengths", "failed", "rle-broken", (
        Made("coco", coco([{"segmentation": _FULL | {"counts": [5, 10]}}])),
        Made("coco", coco([{"segmentation": _FULL | {"counts": [5, 10**9]}}])),
        Made("coco", coco([{"segmentation": _FULL | {"counts": "no such thing"}}])),
        Made("coco", coco([{"segmentation": _FULL | {"counts": ""}}])),
        Made("hf", hf({"bbox": [BBOX], "category": ["cat"], "segmentation": [_FULL | {"counts": [5, 10]}]})),
    )),
    Flaw("run lengths without a pixel, alone", "dropped", "rle-empty", (
        Made("coco", coco([{"segmentation": _FULL | {"counts": [WIDTH * HEIGHT]}}])),
        Made("hf", hf({"bbox": [None], "category": ["cat"], "segmentation": [_FULL | {"counts": [WIDTH * HEIGHT]}]})),
    ), boxes=()),
    Flaw("run lengths that are none, beside a box", "repaired", "bad-segmentation", (
        Made("coco", coco([{"bbox": BBOX, "segmentation": {"size": [0, -1], "counts": [1]}}])),
        Made("coco", coco([{"bbox": BBOX, "segmentation": {"size": [30, 40], "counts": [-1, 4]}}])),
        Made("coco", coco([{"bbox": BBOX, "segmentation": "text"}])),
        Made("hf", hf({"bbox": [BBOX], "category": ["cat"], "segmentation": [{"size": [0], "counts": [1]}]}),
             "unreadable-object"),
    ), "the box stays", boxes=BOX),
    Flaw("a mask of one object that cannot be read or sticks out of the image", "left out", "unreadable-shape", (
        Made("cvat", cvat('<mask label="cat" rle="5,5" left="35" top="5" width="10" height="10"/>')),
        Made("cvat", cvat('<mask label="cat" rle="5,500" left="5" top="5" width="10" height="10"/>')),
        Made("labelme", labelme(labelme_json([{"shape_type": "mask", "points": [[1, 1], [5, 5]], "mask": "AAAA"}]))),
        Made("labelme", labelme(labelme_json([{"shape_type": "mask", "points": [[1, 1], [5, 5]],
                                               "mask": png_text(saved(Image.new("RGB", (4, 4))))}]))),
    ), boxes=()),
    Flaw("a segment that its mask does not have", "repaired", "segment-missing", (
        Made("coco", panoptic(mask(mode="RGB"), [{"id": 70, "category_id": 1, "iscrowd": 0, "bbox": [1, 1, 3, 3]}])),
    ), "the object goes", boxes=None),
)  # fmt: skip


def _posed(points: Sequence[float], **category: Any) -> Files:
    known = {"id": 1, "name": "cat", "keypoints": ["nose", "tail"], "skeleton": [[1, 2]]} | category
    return coco([{"bbox": BBOX, "keypoints": list(points)}], categories=[known])


_MANY = [float(v) for n in range(294) for v in (n % 40, n % 30, 2)]
_MANY_SHARES = " ".join(f"{n % 40 / 40} {n % 30 / 30} 2" for n in range(294))
KEYPOINTS = (
    Flaw("visibility as a float", "fine", "", (
        Made("coco", _posed([6, 6, 1.0, 8, 8, 2.0])),
        Made("hf", hf({"bbox": [BBOX], "category": ["cat"], "keypoints": [[6, 6, 1.0, 8, 8, 2.0]]})),
        Made("yolo", yolo("0 0.25 0.3 0.25 0.2 0.2 0.2 1.0 0.3 0.3 2.0\n", more="kpt_shape: [2, 3]\n")),
    ), check=_visibilities(1, 2)),
    Flaw("visibility that is not 0, 1 or 2", "repaired", "visibility-odd", (
        Made("coco", _posed([6, 6, 0.4, 8, 8, 7])),
        Made("hf", hf({"bbox": [BBOX], "category": ["cat"], "keypoints": [[6, 6, 0.4, 8, 8, 7]]})),
        Made("yolo", yolo("0 0.25 0.3 0.25 0.2 0.2 0.2 0.4 0.3 0.3 7\n", more="kpt_shape: [2, 3]\n")),
    ), "above 0 it counts as 2, else as 0", check=_visibilities(2, 2)),
    Flaw("294 keypoints", "fine", "", (
        Made("coco", _posed(_MANY, keypoints=[f"k{n}" for n in range(294)])),
        Made("hf", hf({"bbox": [BBOX], "category": ["cat"], "keypoints": [_MANY]})),
        Made("yolo", yolo(f"0 0.25 0.3 0.25 0.2 {_MANY_SHARES}\n", more="kpt_shape: [294, 3]\n")),
    ), check=_visibilities(*[2] * 294)),
    Flaw("a keypoint outside the image", "repaired", "keypoint-outside", (
        Made("coco", _posed([6, 6, 2, 80, 8, 2])),
        Made("hf", hf({"bbox": [BBOX], "category": ["cat"], "keypoints": [[6, 6, 2, 80, 8, 2]]})),
        Made("yolo", yolo("0 0.25 0.3 0.25 0.2 0.2 0.2 2 2.0 0.3 2\n", more="kpt_shape: [2, 3]\n")),
    ), "it is not labelled any more (visibility 0)", check=_visibilities(2, 0)),
    Flaw("a keypoint with NaN", "repaired", "not-finite", (
        Made("coco", _posed([6, 6, 2, NAN, 8, 2])),
        Made("yolo", yolo("0 0.25 0.3 0.25 0.2 0.2 0.2 2 nan 0.3 2\n", more="kpt_shape: [2, 3]\n")),
    ), "it is not labelled any more (visibility 0)", check=_visibilities(2, 0)),
    Flaw("keypoints that are not x, y, visibility for each, beside a box", "repaired", "bad-keypoints", (
        Made("coco", _posed([6, 6, 2, 8])),
        Made("hf", hf({"bbox": [BBOX], "category": ["cat"], "keypoints": [[6, 6, 2, 8]]}), "unreadable-object"),
    ), "the box stays", boxes=BOX),
    Flaw("a line with another number of keypoints than `kpt_shape` says", "left out", "wrong-count", (
        Made("yolo", yolo("0 0.25 0.3 0.25 0.2 0.2 0.2 2\n", more="kpt_shape: [2, 3]\n")),
    ), boxes=()),
    Flaw("more keypoints than their class has names for", "repaired", "keypoints-unnamed", (
        Made("coco", _posed([6, 6, 2, 8, 8, 2, 9, 9, 2])),
    ), "they stay, without left and right", check=_visibilities(2, 2, 2)),
    Flaw("`flip_idx` that is no order of the keypoints", "repaired", "flip-idx", (
        Made("yolo", yolo("0 0.25 0.3 0.25 0.2 0.2 0.2 2 0.3 0.3 2\n", more="kpt_shape: [2, 3]\nflip_idx: [0, 7]\n")),
    ), "it is not used"),
)  # fmt: skip


def _corners(*flat: float) -> tuple[Made, ...]:
    """An oriented box in every format that has such."""
    pairs = [list(pair) for pair in zip(flat[::2], flat[1::2], strict=True)]
    shares = " ".join(str(v / (HEIGHT if n % 2 else WIDTH)) for n, v in enumerate(flat))
    made = [
        Made("dota", dota(" ".join(map(str, flat)) + " cat 0\n")),
        Made("yolo", yolo(f"0 {shares}\n", more="task: obb\n")),
        Made("labelme", labelme(labelme_json([{"shape_type": "oriented_rectangle", "points": pairs}]))),
    ]
    if NAN not in flat:
        made.append(Made("hf", hf({"bbox": [None], "category": ["cat"], "obb": [list(flat)]})))
    return tuple(made)


CORNERS = (
    Flaw("an oriented box without area", "dropped", "obb-empty", _corners(5, 5, 9, 9, 9, 9, 5, 5), boxes=()),
    Flaw("an oriented box outside the image", "dropped", "obb-outside", _corners(50, 5, 60, 5, 60, 9, 50, 9), boxes=()),
    Flaw("an oriented box with NaN", "dropped", "not-finite", _corners(NAN, 5, 9, 5, 9, 9, 5, 9), boxes=()),
    Flaw("headers (imagesource, gsd), more than ten words, or no `difficult`", "fine", "", (
        Made("dota", dota("imagesource:GoogleEarth\ngsd:null\n5 5 15 5 15 13 5 13 small vehicle 1\n")),
        Made("dota", dota("gsd:0.1\n5 5 15 5 15 13 5 13 cat\n")),
    ), boxes=BOX),
)  # fmt: skip

_TWICE = [
    {"id": 1, "file_name": "a.png", "width": WIDTH, "height": HEIGHT},
    {"id": 1, "file_name": "a2.png", "width": WIDTH, "height": HEIGHT},
    {"id": 2, "file_name": "b.png", "width": WIDTH, "height": HEIGHT},
]
_SAME = [_TWICE[0], _TWICE[0], _TWICE[2]]
_ONE_FILE = [*_SAME[1:], {"id": 3, "file_name": "a.png", "width": WIDTH, "height": HEIGHT}]
_GOOD = {"id": 7, "bbox": BBOX}
CLASSES = (
    Flaw("a class that is not among the names", "left out", "unknown-class", (
        Made("yolo", yolo("7 0.25 0.3 0.25 0.2\n")),
        Made("yolo", yolo("-1 0.25 0.3 0.25 0.2\n")),
        Made("yolo", yolo("0.5 0.25 0.3 0.25 0.2\n")),
        Made("yolo", yolo("nan 0.25 0.3 0.25 0.2\n")),
        Made("coco", coco([_GOOD | {"category_id": 77}]), "unknown-category"),
        Made("coco", coco([_GOOD | {"category_id": [1]}]), "unknown-category"),
    ), boxes=()),
    Flaw("an object without a class", "repaired", "no-category", (
        Made("coco", coco([_GOOD | {"category_id": None}])),
    ), "it stays without one", boxes=BOX),
    Flaw("an object without a class, in a format where each has one", "left out", "bad-object", (
        Made("voc", voc(voc_xml(voc_object(" ", (5, 5, 15, 13))))),
        Made("createml", createml([{"coordinates": {"x": 10, "y": 9, "width": 10, "height": 8}}]), "bad-annotation"),
    ), boxes=()),
    Flaw("an object without a class, in a format where it may be so", "fine", "", (
        Made("labelme", labelme(labelme_json([{"label": "", "points": [[5, 5], [15, 13]]}]))),
        Made("cvat", cvat('<box xtl="5" ytl="5" xbr="15" ybr="13"/>')),
        Made("hf", hf({"bbox": [BBOX], "category": [None]})),
        Made("dota", dota("5 5 15 5 15 13 5 13\n")),
    ), boxes=BOX, check=_labels(None)),
    Flaw("no categories at all", "repaired", "no-categories", (
        Made("coco", coco([_GOOD], categories=[])),
        Made("coco", {**images(), "annotations.json":
                      json.dumps({k: v for k, v in json.loads(coco_json([_GOOD])).items() if k != "categories"})}),
    ), "classes are called by their ids", boxes=BOX, check=_labels("1")),
    Flaw("category ids 1 to 90 with gaps, from 0, or as text", "fine", "", (
        Made("coco", coco([_GOOD | {"category_id": 90}], categories=[
            {"id": number, "name": f"c{number}"} for number in (1, 2, 13, 90)])),
        Made("coco", coco([_GOOD | {"category_id": 0}], categories=[{"id": 0, "name": "c90"}, {"id": 1, "name": "x"}])),
        Made("coco", coco([_GOOD | {"category_id": "k"}], categories=[
            {"id": "k", "name": "c90"}, {"id": 1, "name": "x"}])),
    ), boxes=BOX, check=_labels("c90")),
    Flaw("a category without a name", "fine", "", (
        Made("coco", coco([_GOOD], categories=[{"id": 1, "name": ""}, {"id": 2}])),
        Made("coco", coco([_GOOD], categories=[{"id": 1, "name": None}])),
    ), "it is called by its id", boxes=BOX, check=_labels("1")),
    Flaw("a category id twice", "repaired", "duplicate-category-id", (
        Made("coco", coco([_GOOD], categories=[{"id": 1, "name": "cat"}, {"id": 1, "name": "dog"}])),
    ), "the first counts", boxes=BOX, check=_labels("cat")),
    Flaw("a category without an id", "repaired", "bad-category", (
        Made("coco", coco([_GOOD], categories=[{"id": 1, "name": "cat"}, {"name": "dog"}, 7])),
    ), "it is left out", boxes=BOX),
    Flaw("two categories of one name", "fine", "", (
        Made("coco", coco([_GOOD | {"category_id": 2}], names=("cat", "cat"))),
    ), "each object keeps its category_id", boxes=BOX, check=_labels("cat")),
    Flaw("a class without a name of its own", "repaired", "class-name", (
        Made("yolo", yolo("1 0.25 0.3 0.25 0.26666666666666666\n", names="[cat, cat]")),
        Made("yolo", yolo("1 0.25 0.3 0.25 0.26666666666666666\n", names='[cat, ""]')),
    ), "its number goes behind it: cat 1", boxes=BOX),
    Flaw("`nc` that is not the number of names", "repaired", "class-count", (
        Made("yolo", yolo("1 0.25 0.3 0.25 0.26666666666666666\n", more="nc: 7\n")),
    ), "the names count", boxes=BOX),
    Flaw("thousands of classes", "fine", "", (
        Made("yolo", yolo("2999 0.25 0.3 0.25 0.26666666666666666\n", names=str([f"c{n}" for n in range(3000)]))),
        Made("coco", coco([_GOOD | {"category_id": 3000}], names=[f"c{n}" for n in range(3000)])),
    ), boxes=BOX, check=_labels("c2999")),
    Flaw("an image id of several images", "failed", "duplicate-image-id", (
        Made("coco", {**coco([_GOOD], images=_TWICE), "a2.png": png(3)}, also=frozenset({"duplicate-image-id", "not-listed"})),
    ), "nobody knows whose labels they are"),
    Flaw("an image listed twice with one id", "repaired", "duplicate-image-id", (
        Made("coco", coco([_GOOD], images=_SAME)),
    ), boxes=BOX),
    Flaw("an image listed under two ids", "repaired", "duplicate-file-name", (
        Made("coco", coco([_GOOD], images=_ONE_FILE)),
    ), "its objects are joined", boxes=BOX),
    Flaw("an image without an id or a name", "repaired", "bad-image", (
        Made("coco", coco([_GOOD], images=[*_SAME[1:], {"file_name": "c.png"}, {"id": 9, "file_name": " "}])),
    ), "the entry is left out", boxes=BOX),
    Flaw("an annotation id twice", "repaired", "duplicate-annotation-id", (
        Made("coco", coco([_GOOD, _GOOD])),
    ), "one gets a new id", boxes=BOX * 2),
    Flaw("an annotation of an image that is not listed", "left out", "unknown-image", (
        Made("coco", coco([_GOOD, {"image_id": 55, "bbox": BBOX}])),
    ), boxes=BOX),
    Flaw("an annotation that is no object, or of no image", "left out", "bad-annotation", (
        Made("coco", coco(annotations=[7, {"id": 3, "category_id": 1, "bbox": BBOX}, {**_GOOD, "image_id": 1,
                                                                                  "category_id": 1}])),
    ), boxes=BOX),
    Flaw("no list of annotations", "repaired", "no-annotations", (
        Made("coco", {**images(), "annotations.json":
                      json.dumps({k: v for k, v in json.loads(coco_json()).items() if k != "annotations"})}),
    ), "images without objects", boxes=()),
    Flaw("other width and height than the image has", "repaired", "size-differs", (
        Made("coco", coco([_GOOD], image={"width": 80, "height": 60})),
        Made("voc", voc(voc_xml(voc_object("cat", (5, 5, 15, 13))).replace("<width>40", "<width>80"))),
        Made("labelme", labelme(labelme_json([{"points": [[5, 5], [15, 13]]}], imageWidth=80))),
        Made("cvat", cvat('<box label="cat" xtl="5" ytl="5" xbr="15" ybr="13"/>').copy()
             | {"annotations.xml": cvat_xml('<box label="cat" xtl="5" ytl="5" xbr="15" ybr="13"/>')
                .replace('name="a.png" width="40"', 'name="a.png" width="80"')}),
        Made("openimages", openimages("a.png,80,60,cat,5,5,15,13")),
        Made("hf", {**images(), "metadata.jsonl": "".join(
            json.dumps({"file_name": f"{n}.png", "width": w, "height": HEIGHT,
                        "objects": {"bbox": [BBOX], "category": ["cat"]}}) + "\n" for n, w in (("a", 80), ("b", 40)))}),
    ), "the image's own size counts", boxes=BOX),
    Flaw("width and height exchanged", "repaired", "size-rotated", (
        Made("coco", coco([_GOOD], image={"width": HEIGHT, "height": WIDTH})),
    ), "the image's own size counts; is it turned by EXIF?", boxes=BOX),
    Flaw("coordinates in a field that augx does not know", "repaired", "unmoved-field", (
        Made("coco", coco([_GOOD | {"corner_points": [1.5, 2.5, 3.5]}])),
    ), "it is carried as it is", boxes=BOX),
    Flaw("a field with half a surrogate pair, NaN, or nested too deep", "repaired", "odd-value", (
        Made("coco", coco([_GOOD | {"note": "\ud800", "weight": NAN}])),
        Made("labelme", labelme(labelme_json([{"points": [[5, 5], [15, 13]], "note": "\ud800"}])), "unreadable-field"),
        Made("labelme", labelme(labelme_json([{"points": [[5, 5], [15, 13]], "weight": NAN}])), "unreadable-field"),
        Made("createml", createml([{"label": "cat", "note": "\ud800",
                                    "coordinates": {"x": 10, "y": 9, "width": 10, "height": 8}}]), "field-left-out"),
    ), "the field is left out", boxes=BOX),
    Flaw("a confidence after the box", "repaired", "confidence", (
        Made("yolo", yolo("0 0.25 0.3 0.25 0.26666666666666666 0.9\n")),
    ), "it is left out", boxes=BOX),
    Flaw("a label of a whole image without a class, or of a confidence that is no share", "left out", "bad-annotation", (
        Made("openimages", {**images("train/"), "train-annotations-human-imagelabels.csv":
                            "ImageID,Source,LabelName,Confidence\na,verification,/m/cat,7\na,verification,,1\n"
                            "a,verification,/m/dog,1\nb,verification,/m/dog,1\n"}),
    )),
    Flaw("polygons and points beside the box of an object", "repaired", "shape-stays", (
        Made("voc", voc(voc_xml("<object><name>cat</name><bndbox><xmin>5</xmin><ymin>5</ymin><xmax>15</xmax>"
                                "<ymax>13</ymax></bndbox><polygon><x1>5</x1><y1>5</y1></polygon></object>"))),
    ), "they are kept only where no transform is applied", boxes=BOX),
)  # fmt: skip


def _named(name: str) -> tuple[Made, ...]:
    """Image a under this name, in every format that names images. The image is to be put beside."""
    line = json.dumps({"file_name": name, "objects": {"bbox": [BBOX], "category": ["cat"]}})
    b = json.dumps({"file_name": "b.png", "objects": {"bbox": [BBOX], "category": ["cat"]}})
    quoted = '"' + name.replace('"', '""') + '"'
    return (
        Made("coco", without(coco([_GOOD], image={"file_name": name}), "a.png")),
        Made("hf", {"b.png": png(1), "metadata.jsonl": f"{line}\n{b}\n"}),
        Made("cvat", without(cvat('<box label="cat" xtl="5" ytl="5" xbr="15" ybr="13"/>', name), "images/a.png")),
        Made("createml", without(createml([{"label": "cat", "coordinates": {"x": 10, "y": 9, "width": 10,
                                                                            "height": 8}}], name), "a.png")),
        Made("openimages", without(openimages(f"{quoted},{WIDTH},{HEIGHT},cat,5,5,15,13"), "a.png")),
        Made("table", without(table(f"{quoted},cat"), "a.png")),
        Made("voc", {"JPEGImages/b.png": png(1), "Annotations/b.xml": B_XML,
                     "Annotations/z.xml": voc_xml(voc_object("cat", (5, 5, 15, 13)), name)}),
        Made("labelme", {"b.png": png(1), "b.json": B_JSON,
                         "z.json": labelme_json([{"points": [[5, 5], [15, 13]]}], name)}),
        Made("yolo", {"images/b.png": png(1), "labels/b.txt": "0 0.3 0.3 0.2 0.2\n", "train.txt": f"{name}\nimages/b.png\n",
                      "data.yaml": "names: [cat]\ntrain: train.txt\nval: train.txt\n"}),
    )  # fmt: skip


def _beside(made: Iterable[Made], path: str) -> tuple[Made, ...]:
    """With the image at this path; where its own label file must be found by its name, that is called so."""
    return tuple(
        Made(one.format, {**one.files, path: png(0)}, one.code, one.options, one.to, one.also)
        for one in made
        if one.format != "yolo"
    )


NAMES = (
    Flaw("a name with folders", "fine", "", _beside(_named("sub/a.png"), "sub/a.png")),
    Flaw("a name with spaces, brackets, signs of any language", "fine", "",
         _beside(_named("sub [1]/a (2) 猫 é.png"), "sub [1]/a (2) 猫 é.png")),
    Flaw("a name with Windows separators", "fine", "", _beside(_named("sub\\a.png"), "sub/a.png")),
    Flaw("a name in other upper and lower case", "repaired", "name-differs", _beside(_named("A.PNG"), "a.png"),
         "the image that differs so only is taken"),
    Flaw("a name that fits several images", "failed", "ambiguous-file",
         tuple(Made(one.format, {**one.files, "x/a.png": png(0), "y/a.png": png(3)}, also=(
             frozenset({"not-listed"}) if one.format in ("coco", "cvat") else
             frozenset({"no-row"}) if one.format in ("hf", "createml", "openimages", "table") else frozenset()))
               for one in _named("a.png") if one.format not in ("yolo", "voc", "labelme"))),
    Flaw("an image that is not there", "failed", "missing-file", _named("a.png")),
    Flaw("an absolute path", "failed", "outside-input", _named("{outside}/a.png"), "nothing outside INPUT is read"),
    Flaw("a path of another machine", "failed", "outside-input", _named("C:\\data\\a.png"),
         "nothing outside INPUT is read"),
    Flaw("a path with ../..", "failed", "outside-input", _named("../../outside/a.png"), "nothing outside INPUT is read"),
    Flaw("no name at all", "failed", "missing-file",
         tuple(one for one in _named("") if one.format in ("hf", "cvat", "createml", "openimages", "table"))),
    Flaw("an image link that leads out of INPUT", "left out", "link-outside", (
        Made("folder", {"cat/a.png": Link("{outside}/a.png"), "dog/b.png": png(1)}),
    ), check=_sources("dog/b.png")),
    Flaw("a link to nothing, in place of an image", "failed", "link-broken", (
        Made("folder", {"cat/a.png": Link("nothing.png"), "dog/b.png": png(1)}),
    )),
    Flaw("a folder link that leads back", "left out", "link-loop", (
        Made("folder", {"cat/a.png": png(0), "dog/b.png": png(1), "cat/again": Link("..")}),
    ), check=_sources("cat/a.png", "dog/b.png")),
    Flaw("a pipe in place of an image", "failed", "not-a-file", (
        Made("folder", {"cat/a.png": Fifo(), "dog/b.png": png(1)}),
    )),
    Flaw("a class folder called like a file of OUTPUT", "refused", "", (
        Made("folder", {"manifest.jsonl/a.png": png(0), "dog/b.png": png(1)}),
        Made("folder", {"Summary.json/a.png": png(0), "dog/b.png": png(1)}),
    )),
    Flaw("an image called like a label file", "fine", "", (
        Made("coco", without({**coco([_GOOD], image={"file_name": "a.annotations.json.png"}),
                              "a.annotations.json.png": png(0)}, "a.png")),
        Made("table", without({**table("a.labels.csv.png,cat"), "a.labels.csv.png": png(0)}, "a.png")),
        Made("folder", {"cat/a.xml.png": png(0), "dog/b.csv.png": png(1)}),
    )),
)  # fmt: skip

_BOX_XML = voc_object("cat", (5, 5, 15, 13))
_BOX_JSON = labelme_json([{"points": [[5, 5], [15, 13]]}])
_CVAT_BOX = '<box label="cat" xtl="5" ytl="5" xbr="15" ybr="13"/>'
_ML_BOX = {"label": "cat", "coordinates": {"x": 10, "y": 9, "width": 10, "height": 8}}
_YOLO_LINE = "0 0.25 0.3 0.25 0.26666666666666666"
_HF_ROW = json.dumps({"file_name": "a.png", "objects": {"bbox": [BBOX], "category": ["cat"]}})
_HF_B = json.dumps({"file_name": "b.png", "objects": {"bbox": [BBOX], "category": ["cat"]}})
_BOMB = (
    '<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa">'
    + "".join(f'<!ENTITY {chr(98 + n)} "{("&" + chr(97 + n) + ";") * 10}">' for n in range(9))
    + "]>"
)
_SECRET = '<!DOCTYPE a [<!ENTITY j SYSTEM "file://{outside}/secret.txt">]>'


def _hf_lines(line: str | bytes) -> Files:
    tail = f"\n{_HF_B}\n"
    return {**images(), "metadata.jsonl": line + tail.encode() if isinstance(line, bytes) else line + tail}


def _texts() -> tuple[Made, ...]:
    """A sound dataset in each format that has label files."""
    return (
        Made("coco", coco([_GOOD])),
        Made("yolo", yolo(f"{_YOLO_LINE}\n")),
        Made("voc", voc(voc_xml(_BOX_XML))),
        Made("dota", dota("5 5 15 5 15 13 5 13 cat 0\n")),
        Made("labelme", labelme(_BOX_JSON)),
        Made("cvat", cvat(_CVAT_BOX)),
        Made("createml", createml([_ML_BOX])),
        Made("hf", _hf_lines(_HF_ROW)),
        Made("openimages", openimages("a.png,40,30,cat,5,5,15,13")),
    )


def _encoded(encoding: str, ends: str = "\n", only: Sequence[str] = ()) -> tuple[Made, ...]:
    """The same with the bytes of all label files otherwise."""
    return tuple(
        Made(one.format, {
            name: text.replace("\n", ends).encode(encoding) if isinstance(text, str) else text
            for name, text in one.files.items()
        })
        for one in _texts()
        if not only or one.format in only
    )  # fmt: skip


def _one_in_utf16(format: str, path: str, *options: str) -> Made:
    (made,) = [one for one in _texts() if one.format == format]
    text = made.files[path]
    assert isinstance(text, str)
    return Made(format, {**made.files, path: text.encode("utf-16")}, options=options)


FILES = (
    Flaw("a BOM before the text", "fine", "", _encoded("utf-8-sig"), boxes=BOX),
    Flaw("CRLF or CR at the ends of lines", "fine", "",
         (*_encoded("utf-8", "\r\n"), *_encoded("utf-8", "\r", only=("yolo", "dota"))), boxes=BOX),
    Flaw("UTF-16, in XML or JSON of one image", "fine", "", (
        _one_in_utf16("voc", "Annotations/a.xml"),
        _one_in_utf16("labelme", "a.json"),
        _one_in_utf16("createml", "_annotations.createml.json", "--labels", "_annotations.createml.json"),
    ), boxes=BOX),
    Flaw("UTF-16 or other bytes that are no UTF-8, in the label file of one image", "failed", "unreadable-label", (
        _one_in_utf16("yolo", "labels/a.txt"),
        _one_in_utf16("dota", "labelTxt/a.txt"),
        Made("yolo", yolo(b"\xff\xfe\n")),
        Made("dota", dota(b"5 5 15 5 15 13 5 13 \xe9 0\n")),
        Made("labelme", labelme(_BOX_JSON.encode().replace(b"cat", b"\xe9"))),
        Made("voc", voc(voc_xml(_BOX_XML).encode().replace(b"cat", b"\xe9"))),
    )),
    Flaw("UTF-16 or other bytes that are no UTF-8, in a label file of many images", "refused", "", (
        _one_in_utf16("coco", "annotations.json", "--labels", "annotations.json"),
        _one_in_utf16("hf", "metadata.jsonl"),
        _one_in_utf16("openimages", "_annotations.csv", "--labels", "_annotations.csv"),
        Made("coco", {**images(), "annotations.json": coco_json([_GOOD]).encode().replace(b"cat", b"\xe9")}),
        Made("table", {**images(), "labels.csv": b"file_name,label\na.png,\xe9\nb.png,cat\n"}),
        Made("yolo", {**yolo(f"{_YOLO_LINE}\n"), "data.yaml": b"names: [\xe9]\ntrain: images\nval: images\n"}),
        Made("createml", {**images(), "_annotations.createml.json": b'[{"image": "\xe9", "annotations": []}]'}),
    ), said=("UTF-8",)),
    Flaw("a label file without anything in it", "fine", "", (
        Made("yolo", yolo("")), Made("dota", dota("")), Made("yolo", yolo("\r\n  \n")),
    ), "the image has no objects", boxes=()),
    Flaw("an empty or cut label file of one image", "failed", "unreadable-label", (
        Made("voc", voc("")),
        Made("voc", voc(voc_xml(_BOX_XML)[:-60])),
        Made("labelme", labelme("")),
        Made("labelme", labelme(_BOX_JSON[:-60])),
        Made("webdataset", {"t-0.tar": tar([("a.png", png()), ("a.json", b"{"), ("b.png", png(1))])}, to="hf"),
        Made("hf", _hf_lines(_HF_ROW[:-30]), "unreadable-row", also=frozenset({"no-row"})),
    )),
    Flaw("an empty or cut label file of many images", "refused", "", (
        Made("coco", {**images(), "annotations.json": ""}),
        Made("coco", {**images(), "annotations.json": coco_json([_GOOD])[:-60]}),
        Made("coco", {**images(), "annotations.json": "[1, 2]"}),
        Made("cvat", {**images(), "annotations.xml": ""}),
        Made("cvat", {**images(), "annotations.xml": cvat_xml(_CVAT_BOX)[:-60]}),
        Made("createml", {**images(), "_annotations.createml.json": ""}),
        Made("createml", {**images(), "_annotations.createml.json": '[{"image": "a.png", "annotations": ['}),
        Made("hf", {**images(), "metadata.jsonl": ""}),
        Made("table", {**images(), "labels.csv": ""}),
        Made("openimages", {**images(), "_annotations.csv": ""}),
        Made("yolo", {**yolo(f"{_YOLO_LINE}\n"), "data.yaml": "names: [cat\ntrain: images\nval: images\n"}),
        Made("webdataset", {"t-0.tar": ""}, to="hf"),
    )),
    Flaw("a tar that is cut", "failed", "broken-shard", (
        Made("webdataset", {"t-0.tar": tar([("b.png", png(1))]), "t-1.tar": b"no tar"}, to="hf"),
    ), "what comes before the cut is used"),
    Flaw("a file that comes twice in a tar", "left out", "repeated-name", (
        Made("webdataset", {"t-0.tar": tar([("a.png", png()), ("a.png", png(3)), ("b.png", png(1))])}, to="hf"),
    )),
    Flaw("a name in a tar that leads out of it", "failed", "outside-input", (
        Made("webdataset", {"t-0.tar": tar([("../../a.png", png()), ("b.png", png(1))])}, to="hf"),
        Made("webdataset", {"t-0.tar": tar([("/tmp/a.png", png()), ("b.png", png(1))])}, to="hf"),
    )),
    Flaw("a line that cannot be read", "left out", "bad-line", (
        Made("dota", dota("5 5 15 5 15 13 5 13 cat 0\n5 5 15 5 15 13 5 x cat 0\nno line\n")),
        Made("yolo", yolo(f"{_YOLO_LINE}\ncat 1 2 3 4\n"), "not-a-number"),
        Made("openimages", openimages("a.png,40,30,cat,5,5,15,13", "a.png,40"), "ragged-row"),
    ), boxes=BOX),
    Flaw("a row of a table with too few or too many cells", "failed", "ragged-row", (
        Made("table", table("a.png,cat,dog"), also=frozenset({"no-row"})),
        Made("hf", {**images(), "metadata.csv": "file_name,label\na.png\nb.png,cat\n"}, also=frozenset({"no-row"})),
    )),
    Flaw("a row that is no JSON, such as one with NaN", "failed", "unreadable-row", (
        Made("hf", _hf_lines(_HF_ROW.replace("[5,", "[NaN,")), also=frozenset({"no-row"})),
        Made("hf", _hf_lines(_HF_ROW.replace("[5,", "[1e999,")), also=frozenset({"no-row"})),
        Made("hf", _hf_lines(_HF_ROW.replace("[5,", f"[{DIGITS},")), also=frozenset({"no-row"})),
        Made("hf", _hf_lines(_HF_ROW.replace("[5,", DEEP)), also=frozenset({"no-row"})),
        Made("table", {**images(), "labels.jsonl": '{"file_name": "a.png", "label": NaN}\n'
                       '{"file_name": "b.png", "label": "cat"}\n'}, also=frozenset({"no-row"})),
    )),
    Flaw("an entry that names no image", "failed", "unreadable-row", (
        Made("createml", {**images(), "_annotations.createml.json": json.dumps(
            [{"image": "b.png", "annotations": [_ML_BOX]}, {"annotations": []}, 7])}, also=frozenset({"no-row"})),
    )),
    Flaw("JSON nested a million deep, in the label file of one image", "failed", "unreadable-label", (
        Made("labelme", labelme(_BOX_JSON.replace("[[5", f"{DEEP}[[5"))),
        Made("labelme", labelme(DEEP)),
        Made("webdataset", {"t-0.tar": tar([("a.png", png()), ("a.json", DEEP.encode()), ("b.png", png(1))])}, to="hf"),
    )),
    Flaw("JSON nested a million deep, in a label file of many images", "refused", "", (
        Made("coco", {**images(), "annotations.json": coco_json([_GOOD]).replace("[5,", f"{DEEP}[5,")}),
        Made("coco", {**images(), "annotations.json": coco_json([_GOOD])[:-1] + ', "x": ' + DEEP}),
        Made("createml", {**images(), "_annotations.createml.json":
                          json.dumps([{"image": "a.png", "annotations": []}])[:-2] + ', "x": ' + DEEP}),
        Made("createml", {**images(), "_annotations.createml.json": DEEP},
             options=("--labels", "_annotations.createml.json")),
    ), said=("nested too deep",)),
    Flaw("an integer of a million digits, in the label file of one image", "failed", "unreadable-label", (
        Made("labelme", labelme(_BOX_JSON.replace("[5,", f"[{DIGITS},"))),
    )),
    Flaw("an integer of a million digits, in a label file of many images", "refused", "", (
        Made("coco", {**images(), "annotations.json": coco_json([_GOOD]).replace("[5,", f"[{DIGITS},")}),
        Made("createml", {**images(), "_annotations.createml.json":
                          json.dumps([{"image": "a.png", "annotations": [_ML_BOX]}]).replace("10", DIGITS)}),
    ), said=("digits",)),
    Flaw("a number of a million digits in text", "left out", "bad-line", (
        Made("dota", dota(f"5 5 15 5 15 13 5 13 cat 0\n5 5 15 5 15 13 5 {DIGITS} cat 0\n")),
        Made("voc", voc(voc_xml(_BOX_XML + voc_object("cat", (5, 5, 15, 13)).replace("13", DIGITS))), "bad-object"),
    ), boxes=BOX),
    Flaw("a number of a million digits in text that is read as infinity", "dropped", "not-finite", (
        Made("yolo", yolo(f"{_YOLO_LINE}\n0 0.25 0.3 0.25 {DIGITS}\n")),
        Made("cvat", cvat(_CVAT_BOX + _CVAT_BOX.replace("13", DIGITS))),
        Made("openimages", openimages("a.png,40,30,cat,5,5,15,13", f"a.png,40,30,cat,5,5,15,{DIGITS}")),
    ), boxes=BOX),
    Flaw("a key that stands twice in one object, in the label file of one image or a row", "failed", "unreadable-label", (
        Made("labelme", labelme(_BOX_JSON.replace('"points"', '"points": [], "points"'))),
        Made("hf", _hf_lines(_HF_ROW.replace('"bbox"', '"bbox": [], "bbox"')), "unreadable-row",
             also=frozenset({"no-row"})),
    )),
    Flaw("a key that stands twice in one object, in a label file of many images", "refused", "", (
        Made("coco", {**images(), "annotations.json": coco_json([_GOOD])[:-1] + ', "images": []}'}),
        Made("createml", {**images(), "_annotations.createml.json":
                          json.dumps([{"image": "a.png", "annotations": [_ML_BOX]}]).replace(
                              '"label"', '"label": 7, "label"')}),
    ), said=("twice",)),
    Flaw("a key that stands twice in one image or annotation of COCO", "fine", "", (
        Made("coco", {**images(), "annotations.json": coco_json([_GOOD]).replace('"bbox": [5', '"bbox": [1], "bbox": [5')}),
    ), "the last counts, as every JSON reader takes it", boxes=BOX),
    Flaw("XML with entities, a DTD or a billion laughs, of one image", "failed", "unreadable-label", (
        Made("voc", voc(_BOMB + voc_xml(_BOX_XML.replace("cat", "&j;").replace("&amp;", "&")))),
        Made("voc", voc(_SECRET + voc_xml(_BOX_XML.replace("cat", "&j;")))),
        Made("voc", voc("<!DOCTYPE annotation>" + voc_xml(_BOX_XML))),
        Made("voc", voc(voc_xml(_BOX_XML.replace("cat", "&nbsp;")))),
        Made("voc", voc(voc_xml("<x>" * 100_000))),
    )),
    Flaw("XML with entities, a DTD or a billion laughs, of many images", "refused", "", (
        Made("cvat", {**images(), "annotations.xml": _BOMB + cvat_xml(_CVAT_BOX.replace("cat", "&j;"))[39:]}),
        Made("cvat", {**images(), "annotations.xml": _SECRET + cvat_xml(_CVAT_BOX.replace("cat", "&j;"))[39:]}),
        Made("cvat", {**images(), "annotations.xml": cvat_xml(_CVAT_BOX.replace("cat", "&nbsp;"))}),
    ), said=("annotations.xml",)),
    Flaw("a label file of one image that is a folder, or a link out of INPUT", "repaired", "no-label", (
        Made("voc", voc(Folder())),
        Made("dota", dota(Folder())),
        Made("labelme", labelme(Folder())),
        Made("voc", voc(Link("{outside}/a.xml")), also=frozenset({"link-outside"})),
        Made("dota", dota(Link("{outside}/a.txt")), also=frozenset({"link-outside"})),
        Made("labelme", labelme(Link("{outside}/a.json")), also=frozenset({"link-outside"})),
        Made("yolo", yolo(Link("{outside}/a.txt")), "link-outside"),
    ), "it is not read; the image is used without labels"),
    Flaw("a label file of one image that is a pipe, or a link to nothing", "repaired", "no-label", (
        Made("voc", voc(Fifo()), also=frozenset({"not-a-file"})),
        Made("dota", dota(Fifo()), also=frozenset({"not-a-file"})),
        Made("labelme", labelme(Fifo()), also=frozenset({"not-a-file"})),
        Made("yolo", yolo(Fifo()), "not-a-file"),
        Made("voc", voc(Link("nothing.xml")), also=frozenset({"link-broken"})),
        Made("yolo", yolo(Link("nothing.txt")), "link-broken"),
    ), "it is not read; the image is used without labels"),
    Flaw("a label file of many images that is a folder, a pipe, or a link out of INPUT", "refused", "", tuple(
        Made(format, {**images(), name: content})
        for format, name in (("coco", "annotations.json"), ("cvat", "annotations.xml"), ("hf", "metadata.jsonl"),
                             ("createml", "_annotations.createml.json"), ("openimages", "_annotations.csv"),
                             ("table", "labels.csv"))
        for content in (Folder(), Fifo(), Link("{outside}/annotations.json"))
    )),
    Flaw("a list of class names that leads out of INPUT", "fine", "", (
        Made("yolo", without({**yolo(f"{_YOLO_LINE}\n"), "obj.data": "classes = 1\nnames = ../outside/classes.txt\n"
                              "train = train.txt\n", "train.txt": "images/a.png\nimages/b.png\n"}, "data.yaml")),
    ), "it is not read; classes are called by their numbers", boxes=BOX, check=_labels("0")),
    Flaw("`path` or `train` of data.yaml that is of another machine, or leads out of INPUT", "repaired", "path-differs", (
        Made("yolo", {**yolo(f"{_YOLO_LINE}\n"), "data.yaml": "names: [cat]\npath: /home/me/x\ntrain: ../outside/images\n"
                      "val: images\n"}),
        Made("yolo", {**yolo(f"{_YOLO_LINE}\n"), "data.yaml": "names: [cat]\ntrain: {outside}/images\nval: images\n"}),
    ), "the folder of INPUT that it ends with is taken", boxes=BOX),
    Flaw("a split of data.yaml that is not there", "repaired", "missing-split", (
        Made("yolo", {**yolo(f"{_YOLO_LINE}\n"), "data.yaml": "names: [cat]\ntrain: images\nval: other\n"}),
    ), "the others are used", boxes=BOX),
    Flaw("a label file that may not be read", "failed", "unreadable-label", (
        Made("voc", voc(Locked(voc_xml(_BOX_XML).encode()))),
        Made("yolo", yolo(Locked(b"0 0.5 0.5 0.2 0.2\n"))),
        Made("dota", dota(Locked(b"5 5 15 5 15 13 5 13 cat 0\n"))),
        Made("labelme", labelme(Locked(_BOX_JSON.encode()))),
    )),
    Flaw("XML or JSON that is no label file", "left out", "other-xml", (
        Made("voc", {**voc(voc_xml(_BOX_XML)), "other.xml": "<project/>"}),
        Made("labelme", {**labelme(_BOX_JSON), "other.json": "[1]"}, "not-labelme"),
    ), boxes=BOX),
    Flaw("YAML that YAML 1.2 reads otherwise", "repaired", "yaml", (
        Made("yolo", {**yolo(f"{_YOLO_LINE}\n"), "data.yaml": "names: [cat]\ntrain: images\nval: images\ntrain: images\n"}),
    ), boxes=BOX),
    Flaw("two label files for one image", "left out", "repeated-label", (
        Made("voc", {**voc(voc_xml(_BOX_XML)), "x/a.xml": voc_xml(_BOX_XML)}),
        Made("labelme", {**labelme(_BOX_JSON), "z.json": _BOX_JSON}),
    ), "the first counts", boxes=BOX),
    Flaw("an image in several rows or entries", "left out", "repeated-row", (
        Made("table", table("a.png,cat", "a.png,cat")),
        Made("hf", _hf_lines(f"{_HF_ROW}\n{_HF_ROW}")),
        Made("cvat", {**images(), "annotations.xml": cvat_xml(_CVAT_BOX, more='<image id="9" name="a.png"/>')},
             "repeated-image"),
        Made("yolo", without({**yolo(f"{_YOLO_LINE}\n"), "classes.txt": "cat\n",
                              "train.txt": "images/a.png\nimages/b.png\nimages/a.png\n"}, "data.yaml")),
    ), "the first counts"),
    Flaw("an image in several entries whose boxes differ", "repaired", "repeated-row", (
        Made("createml", {**images(), "_annotations.createml.json": json.dumps(
            [{"image": n, "annotations": [_ML_BOX]} for n in ("a.png", "b.png", "a.png")])}),
    ), "the boxes are joined", boxes=BOX * 2),
    Flaw("an image in two splits", "repaired", "two-splits", (
        Made("yolo", without({**yolo(f"{_YOLO_LINE}\n"), "classes.txt": "cat\n",
                              "train.txt": "images/a.png\nimages/b.png\n", "val.txt": "images/a.png\n"}, "data.yaml")),
        Made("voc", {**voc(voc_xml(_BOX_XML)), "ImageSets/Main/train.txt": "a\nb\n", "ImageSets/Main/val.txt": "a\n"}),
    ), "it is of the first", boxes=BOX),
    Flaw("an image in no split", "repaired", "no-split", (
        Made("voc", {**voc(voc_xml(_BOX_XML)), "ImageSets/Main/train.txt": "b\n"}),
    ), "it is used, and of no split", boxes=BOX),
    Flaw("a list with names of no image", "repaired", "listed-missing", (
        Made("voc", {**voc(voc_xml(_BOX_XML)), "ImageSets/Main/train.txt": "a\nb\nc\n"}),
        Made("masks", {**masks(mask()), "train.txt": "images/a.png masks/a.png\nimages/b.png\nimages/c.png\n"}),
    ), "they stay out of the list"),
)  # fmt: skip

IMAGES = (
    Flaw("an image without a label file of its own", "repaired", "no-label", (
        Made("voc", without(voc(""), "Annotations/a.xml")),
        Made("dota", without(dota(""), "labelTxt/a.txt")),
        Made("labelme", without(labelme(""), "a.json")),
        Made("masks", without(masks(""), "masks/a.png")),
    ), "it is used without labels", boxes=()),
    Flaw("an image without a label file, in YOLO", "fine", "", (
        Made("yolo", without(yolo(""), "labels/a.txt")),
    ), "it is background, as trainers take it", boxes=()),
    Flaw("an image that no label file names", "left out", "not-listed", (
        Made("coco", {**coco(), "c.png": png(3)}),
        Made("cvat", {**cvat(""), "images/c.png": png(3)}),
        Made("yolo", {**yolo(""), "c.png": png(3)}),
        Made("hf", {**_hf_lines(_HF_ROW), "c.png": png(3)}, "no-row"),
        Made("createml", {**createml([]), "c.png": png(3)}, "no-row"),
        Made("openimages", {**openimages("a.png,40,30,cat,5,5,15,13"), "c.png": png(3)}, "no-row"),
        Made("table", {**table("a.png,cat"), "c.png": png(3)}, "no-row"),
        Made("labelme", {**labelme(_BOX_JSON), "x/c.png": png(3)}, "left-out"),
        Made("voc", {**voc(voc_xml(_BOX_XML)), "x/c.png": png(3)}, "unused-folder"),
        Made("dota", {**dota(""), "x/c.png": png(3)}, "unused-folder"),
    )),
    Flaw("an image beside class folders", "repaired", "no-class", (
        Made("folder", {"cat/b.png": png(1), "dog/b2.png": png(2), "a.png": png(0)}),
    ), "it is used without a class"),
    Flaw("a label file without an image, which names it", "failed", "missing-file", (
        Made("voc", without({**voc(voc_xml(_BOX_XML))}, "JPEGImages/a.png")),
        Made("labelme", without(labelme(_BOX_JSON), "a.png")),
    )),
    Flaw("a label file or mask without an image", "left out", "no-image", (
        Made("yolo", without(yolo(f"{_YOLO_LINE}\n"), "images/a.png")),
        Made("dota", without(dota("5 5 15 5 15 13 5 13 cat 0\n"), "images/a.png")),
        Made("masks", without(masks(mask()), "images/a.png")),
        Made("webdataset", {"t-0.tar": tar([("a.json", b"{}"), ("b.png", png(1))])}, to="hf"),
    ), check=None),
    Flaw("images of Open Images that are not downloaded", "left out", "missing-images", (
        Made("openimages", {"train/b.png": png(1), "train-annotations-bbox.csv":
                            "ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax\n"
                            "b,x,/m/cat,1,0.1,0.3,0.1,0.3\na,x,/m/cat,1,0.1,0.3,0.1,0.3\n"}),
    )),
    Flaw("a JPEG called .png, or the other way round", "fine", "", (
        Made("folder", {"cat/a.png": jpeg(), "dog/b.png": png(1)}),
        Made("folder", {"cat/a.jpg": png(0), "dog/b.png": png(1)}),
        Made("coco", {**coco([_GOOD]), "a.png": jpeg()}),
    )),
    Flaw("several frames", "repaired", "multi-frame", (
        Made("folder", {"cat/a.tif": saved(Image.new("RGB", (WIDTH, HEIGHT)), "TIFF", save_all=True,
                                           append_images=[Image.new("RGB", (WIDTH, HEIGHT))]), "dog/b.png": png(1)}),
    ), "the first is used"),
    Flaw("an empty image", "failed", "empty-file", (Made("folder", {"cat/a.png": b"", "dog/b.png": png(1)}),)),
    Flaw("a cut image", "failed", "truncated", (
        Made("folder", {"cat/a.png": png()[:-40], "dog/b.png": png(1)}),
        Made("folder", {"cat/a.jpg": jpeg()[:-40], "dog/b.png": png(1)}),
    )),
    Flaw("something else called .jpg", "failed", "not-an-image", (
        Made("folder", {"cat/a.jpg": "<html></html>", "dog/b.png": png(1)}),
    )),
    Flaw("an image format that is not read", "failed", "unsupported-format", (
        Made("folder", {"cat/a.gif": saved(Image.new("P", (WIDTH, HEIGHT)), "GIF"), "dog/b.png": png(1)}),
    )),
    Flaw("a Git LFS pointer in place of an image", "failed", "lfs-pointer", (
        Made("folder", {"cat/a.png": "version https://git-lfs.github.com/spec/v1\n", "dog/b.png": png(1)}),
    )),
)  # fmt: skip

MASKS = (
    Flaw("a mask saved as JPEG", "failed", "mask-lossy", (
        Made("masks", masks(mask(kind="JPEG"))),
        Made("masks", masks(mask(kind="JPEG"), "masks/a.jpg")),
        Made("voc", {"JPEGImages/a.png": png(), "JPEGImages/b.png": png(1), "SegmentationClass/b.png": mask(),
                     "SegmentationClass/a.png": mask(kind="JPEG")}),
        Made("voc", {"JPEGImages/a.png": png(), "JPEGImages/b.png": png(1), "SegmentationClass/b.png": mask(),
                     "SegmentationClass/a.jpg": mask(kind="JPEG")}),
        Made("hf", {**images(), "masks/a.png": mask(kind="JPEG"), "metadata.jsonl":
                    '{"file_name": "a.png", "mask_file_name": "masks/a.png"}\n{"file_name": "b.png"}\n'}),
        Made("coco", panoptic(mask(kind="JPEG", mode="RGB"))),
    ), "JPEG does not keep class numbers"),
    Flaw("a mask saved as RGBA", "fine", "", (
        Made("masks", masks(mask(mode="RGBA"))),
        Made("coco", panoptic(mask(mode="RGBA"))),
    ), "colours are classes; alpha is left out"),
    Flaw("a mask of another size than its image", "failed", "mask-size", (
        Made("masks", masks(mask(20, 15))),
        Made("voc", {"JPEGImages/a.png": png(), "JPEGImages/b.png": png(1), "SegmentationClass/b.png": mask(),
                     "SegmentationClass/a.png": mask(20, 15)}),
        Made("hf", {**images(), "masks/a.png": mask(20, 15), "metadata.jsonl":
                    '{"file_name": "a.png", "mask_file_name": "masks/a.png"}\n{"file_name": "b.png"}\n'}),
        Made("coco", panoptic(mask(20, 15, mode="RGB"))),
    )),
    Flaw("an empty mask file", "failed", "empty-file", (Made("masks", masks(b"")),)),
    Flaw("a mask that a label file names and that is not there", "failed", "missing-mask", (
        Made("coco", panoptic(None)),
        Made("hf", {**images(), "metadata.jsonl":
                    '{"file_name": "a.png", "mask_file_name": "masks/a.png"}\n{"file_name": "b.png"}\n'},
             "unreadable-row", also=frozenset({"no-row"})),
    )),
    Flaw("a mask turned by EXIF", "failed", "mask-turned", (
        Made("masks", masks(_turned())),
    )),
    Flaw("several masks for one image", "left out", "mask-unused", (
        Made("masks", {"leftImg8bit/train/u/a_leftImg8bit.png": png(0), "leftImg8bit/train/u/b_leftImg8bit.png": png(1),
                       **{f"gtFine/train/u/{n}_gtFine_{kind}.png": mask() for n in "ab"
                          for kind in ("labelIds", "labelTrainIds")}}),
    ), "class numbers before colours"),
)  # fmt: skip

LOSS = (
    Flaw("labels that the format of OUTPUT cannot hold", "refused", "", (
        Made("coco", coco([{"segmentation": [[5, 5, 15, 5, 15, 13]]}]), to="voc"),
        Made("dota", dota("5 5 15 5 15 13 5 13 cat 0\n"), to="voc"),
        Made("table", table("a.png,cat"), to="yolo"),
    ), "each kind is named; `--allow-loss` leaves them out", said=("cannot hold", "--allow-loss")),
    Flaw("the same with `--allow-loss`", "left out", "lost-labels", (
        Made("hf", hf({"bbox": [BBOX], "category": ["cat"], "segmentation": [[[5, 5, 15, 5, 15, 13]]]}), to="voc",
             options=("--allow-loss",)),
    ), boxes=BOX),
    Flaw("a field of objects that the format of OUTPUT has no place for", "left out", "lost-field", (
        Made("voc", voc(voc_xml(_BOX_XML.replace("<bndbox>", "<difficult>1</difficult><bndbox>"))), to="yolo"),
    ), boxes=BOX),
    Flaw("a table beside a label format", "left out", "unused-labels", (
        Made("", {**coco([_GOOD]), "labels.csv": "file_name,label\na.png,cat\nb.png,dog\n"}),
    ), "`--from table` reads it", boxes=BOX),
    Flaw("panoptic beside instances of the same images", "left out", "not-read", (
        Made("coco", {**images(), "annotations/instances_train.json": coco_json([_GOOD]),
                      "annotations/panoptic_train.json": coco_json(annotations=[])}),
        Made("openimages", {**images("train/"), "train-annotations-bbox.csv":
                            "ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax\n"
                            "a,x,/m/cat,1,0.125,0.375,0.16666666666666666,0.43333333333333335\n"
                            "b,x,/m/cat,1,0.1,0.3,0.1,0.3\n",
                            "train-annotations-object-segmentation.csv": "MaskPath,ImageID,LabelName\nx.png,a,/m/cat\n"}),
    ), "`--labels` with its path reads it instead", boxes=BOX),
    Flaw("an image inside the JSON (`imageData`)", "left out", "image-data", (
        Made("labelme", labelme(labelme_json([{"points": [[5, 5], [15, 13]]}], imageData=png_text(png())))),
    ), "the file beside it counts", boxes=BOX),
    Flaw("`labels.txt` that is no UTF-8", "left out", "unreadable-list", (
        Made("labelme", {**labelme(_BOX_JSON), "labels.txt": b"\xff\n"}),
    ), boxes=BOX),
)  # fmt: skip

FLAWS = (*BOXES, *POLYGONS, *RLES, *KEYPOINTS, *CORNERS, *CLASSES, *NAMES, *FILES, *IMAGES, *MASKS, *LOSS)


def where(flaw: Flaw) -> str:
    """The formats that a flaw can occur in."""
    names = dict.fromkeys(made.format for made in flaw.made)
    return ", ".join(names) if names.keys() - {"folder", ""} else "any"


def codes(flaw: Flaw) -> list[str]:
    return sorted({made.code or flaw.code for made in flaw.made} - {""})


def does(flaw: Flaw) -> str:
    return "; ".join(part for part in (ENDS[flaw.end], flaw.does) if part)


def rows() -> str:
    """The table, as it stands in the docs."""
    head = ("what is wrong", "where", "what augx does", "code")
    lines = ((flaw.what, where(flaw), does(flaw), ", ".join(f"`{code}`" for code in codes(flaw))) for flaw in FLAWS)
    return tables.table(head, lines)


SECTIONS: Mapping[str, Callable[[], str]] = {"wild": rows}


def main() -> None:
    README.write_text(tables.updated(README.read_text("utf-8"), SECTIONS), "utf-8")


if __name__ == "__main__":
    main()
