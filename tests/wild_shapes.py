"""Boxes, polygons, masks of objects, keypoints and oriented boxes as they are in the wild (`wild.py`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PIL import Image
from wild_data import (
    BBOX,
    BOX,
    HEIGHT,
    INF,
    LEFT,
    NAN,
    WIDTH,
    Files,
    Flaw,
    Made,
    boxes,
    coco,
    createml,
    cvat,
    dota,
    hf,
    images,
    labelme,
    labelme_json,
    mask,
    openimages,
    panoptic,
    png_text,
    saved,
    visibilities,
    voc,
    voc_xml,
    yolo,
)

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
        Made("openimages", {**images(), "train.csv":
                            'image_id,bbox\na.png,"[5, 5, 15, 13]"\nb.png,"[4, 4, 14, 12]"\n'}),
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
    ), check=visibilities(1, 2)),
    Flaw("visibility that is not 0, 1 or 2", "repaired", "visibility-odd", (
        Made("coco", _posed([6, 6, 0.4, 8, 8, 7])),
        Made("hf", hf({"bbox": [BBOX], "category": ["cat"], "keypoints": [[6, 6, 0.4, 8, 8, 7]]})),
        Made("yolo", yolo("0 0.25 0.3 0.25 0.2 0.2 0.2 0.4 0.3 0.3 7\n", more="kpt_shape: [2, 3]\n")),
    ), "above 0 it counts as 2, else as 0", check=visibilities(2, 2)),
    Flaw("294 keypoints", "fine", "", (
        Made("coco", _posed(_MANY, keypoints=[f"k{n}" for n in range(294)])),
        Made("hf", hf({"bbox": [BBOX], "category": ["cat"], "keypoints": [_MANY]})),
        Made("yolo", yolo(f"0 0.25 0.3 0.25 0.2 {_MANY_SHARES}\n", more="kpt_shape: [294, 3]\n")),
    ), check=visibilities(*[2] * 294)),
    Flaw("a keypoint outside the image", "repaired", "keypoint-outside", (
        Made("coco", _posed([6, 6, 2, 80, 8, 2])),
        Made("hf", hf({"bbox": [BBOX], "category": ["cat"], "keypoints": [[6, 6, 2, 80, 8, 2]]})),
        Made("yolo", yolo("0 0.25 0.3 0.25 0.2 0.2 0.2 2 2.0 0.3 2\n", more="kpt_shape: [2, 3]\n")),
    ), "it is not labelled any more (visibility 0)", check=visibilities(2, 0)),
    Flaw("a keypoint with NaN", "repaired", "not-finite", (
        Made("coco", _posed([6, 6, 2, NAN, 8, 2])),
        Made("yolo", yolo("0 0.25 0.3 0.25 0.2 0.2 0.2 2 nan 0.3 2\n", more="kpt_shape: [2, 3]\n")),
    ), "it is not labelled any more (visibility 0)", check=visibilities(2, 0)),
    Flaw("keypoints that are not x, y, visibility for each, beside a box", "repaired", "bad-keypoints", (
        Made("coco", _posed([6, 6, 2, 8])),
        Made("hf", hf({"bbox": [BBOX], "category": ["cat"], "keypoints": [[6, 6, 2, 8]]}), "unreadable-object"),
    ), "the box stays", boxes=BOX),
    Flaw("a line with another number of keypoints than `kpt_shape` says", "left out", "wrong-count", (
        Made("yolo", yolo("0 0.25 0.3 0.25 0.2 0.2 0.2 2\n", more="kpt_shape: [2, 3]\n")),
    ), boxes=()),
    Flaw("more keypoints than their class has names for", "repaired", "keypoints-unnamed", (
        Made("coco", _posed([6, 6, 2, 8, 8, 2, 9, 9, 2])),
    ), "they stay, without left and right", check=visibilities(2, 2, 2)),
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
