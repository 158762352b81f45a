"""What is found in datasets in the wild, and what augx does about it: the rows of the table in the docs, each with
tiny datasets that show it. `test_wild.py` runs them all; those of one row must all come to the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

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
        Made("coco", {**coco([_GOOD], images=_TWICE), "a2.png": png(3)}, also=frozenset({"duplicate-image-id"})),
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
    Flaw("a path with ../..", "failed", "outside-input", _named("../outside/a.png"), "nothing outside INPUT is read"),
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
        Made("coco", {**coco([_GOOD], image={"file_name": "annotations.json.png"}), "annotations.json.png": png(0),
                      "a.png": Link("annotations.json.png")}),
        Made("folder", {"cat/a.csv.png": png(0), "dog/b.xml.png": png(1)}),
    )),
)  # fmt: skip
FLAWS = (*BOXES, *POLYGONS, *RLES, *KEYPOINTS, *CORNERS, *CLASSES, *NAMES)
