"""Classes, ids and fields as they are in the wild (`wild.py`)."""

from __future__ import annotations

import json

from wild_data import (
    BBOX,
    BOX,
    COCO_BOX,
    HEIGHT,
    NAN,
    WIDTH,
    Flaw,
    Made,
    coco,
    coco_json,
    createml,
    cvat,
    cvat_xml,
    dota,
    hf,
    images,
    labelme,
    labelme_json,
    labels,
    openimages,
    png,
    voc,
    voc_object,
    voc_xml,
    yolo,
)

_TWICE = [
    {"id": 1, "file_name": "a.png", "width": WIDTH, "height": HEIGHT},
    {"id": 1, "file_name": "a2.png", "width": WIDTH, "height": HEIGHT},
    {"id": 2, "file_name": "b.png", "width": WIDTH, "height": HEIGHT},
]
_SAME = [_TWICE[0], _TWICE[0], _TWICE[2]]
_ONE_FILE = [*_SAME[1:], {"id": 3, "file_name": "a.png", "width": WIDTH, "height": HEIGHT}]
CLASSES = (
    Flaw("a class that is not among the names", "left out", "unknown-class", (
        Made("yolo", yolo("7 0.25 0.3 0.25 0.2\n")),
        Made("yolo", yolo("-1 0.25 0.3 0.25 0.2\n")),
        Made("yolo", yolo("0.5 0.25 0.3 0.25 0.2\n")),
        Made("yolo", yolo("nan 0.25 0.3 0.25 0.2\n")),
        Made("coco", coco([COCO_BOX | {"category_id": 77}]), "unknown-category"),
        Made("coco", coco([COCO_BOX | {"category_id": [1]}]), "unknown-category"),
    ), boxes=()),
    Flaw("an object without a class", "repaired", "no-category", (
        Made("coco", coco([COCO_BOX | {"category_id": None}])),
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
    ), boxes=BOX, check=labels(None)),
    Flaw("no categories at all", "repaired", "no-categories", (
        Made("coco", coco([COCO_BOX], categories=[])),
        Made("coco", {**images(), "annotations.json":
                      json.dumps({k: v for k, v in json.loads(coco_json([COCO_BOX])).items() if k != "categories"})}),
    ), "classes are called by their ids", boxes=BOX, check=labels("1")),
    Flaw("category ids 1 to 90 with gaps, from 0, or as text", "fine", "", (
        Made("coco", coco([COCO_BOX | {"category_id": 90}], categories=[
            {"id": number, "name": f"c{number}"} for number in (1, 2, 13, 90)])),
        Made("coco", coco([COCO_BOX | {"category_id": 0}], categories=[
            {"id": 0, "name": "c90"}, {"id": 1, "name": "x"}])),
        Made("coco", coco([COCO_BOX | {"category_id": "k"}], categories=[
            {"id": "k", "name": "c90"}, {"id": 1, "name": "x"}])),
    ), boxes=BOX, check=labels("c90")),
    Flaw("a category without a name", "fine", "", (
        Made("coco", coco([COCO_BOX], categories=[{"id": 1, "name": ""}, {"id": 2}])),
        Made("coco", coco([COCO_BOX], categories=[{"id": 1, "name": None}])),
    ), "it is called by its id", boxes=BOX, check=labels("1")),
    Flaw("a category id twice", "repaired", "duplicate-category-id", (
        Made("coco", coco([COCO_BOX], categories=[{"id": 1, "name": "cat"}, {"id": 1, "name": "dog"}])),
    ), "the first counts", boxes=BOX, check=labels("cat")),
    Flaw("a category without an id", "repaired", "bad-category", (
        Made("coco", coco([COCO_BOX], categories=[{"id": 1, "name": "cat"}, {"name": "dog"}, 7])),
    ), "it is left out", boxes=BOX),
    Flaw("two categories of one name", "fine", "", (
        Made("coco", coco([COCO_BOX | {"category_id": 2}], names=("cat", "cat"))),
    ), "each object keeps its category_id", boxes=BOX, check=labels("cat")),
    Flaw("a class without a name of its own", "repaired", "class-name", (
        Made("yolo", yolo("1 0.25 0.3 0.25 0.26666666666666666\n", names="[cat, cat]")),
        Made("yolo", yolo("1 0.25 0.3 0.25 0.26666666666666666\n", names='[cat, ""]')),
    ), "its number goes behind it: cat 1", boxes=BOX),
    Flaw("`nc` that is not the number of names", "repaired", "class-count", (
        Made("yolo", yolo("1 0.25 0.3 0.25 0.26666666666666666\n", more="nc: 7\n")),
    ), "the names count", boxes=BOX),
    Flaw("thousands of classes", "fine", "", (
        Made("yolo", yolo("2999 0.25 0.3 0.25 0.26666666666666666\n", names=str([f"c{n}" for n in range(3000)]))),
        Made("coco", coco([COCO_BOX | {"category_id": 3000}], names=[f"c{n}" for n in range(3000)])),
    ), boxes=BOX, check=labels("c2999")),
    Flaw("an image id of several images", "failed", "duplicate-image-id", (
        Made("coco", {**coco([COCO_BOX], images=_TWICE), "a2.png": png(3)},
             also=frozenset({"duplicate-image-id", "not-listed"})),
    ), "nobody knows whose labels they are"),
    Flaw("an image listed twice with one id", "repaired", "duplicate-image-id", (
        Made("coco", coco([COCO_BOX], images=_SAME)),
    ), boxes=BOX),
    Flaw("an image listed under two ids", "repaired", "duplicate-file-name", (
        Made("coco", coco([COCO_BOX], images=_ONE_FILE)),
    ), "its objects are joined", boxes=BOX),
    Flaw("an image without an id or a name", "repaired", "bad-image", (
        Made("coco", coco([COCO_BOX], images=[*_SAME[1:], {"file_name": "c.png"}, {"id": 9, "file_name": " "}])),
    ), "the entry is left out", boxes=BOX),
    Flaw("an annotation id twice", "repaired", "duplicate-annotation-id", (
        Made("coco", coco([COCO_BOX, COCO_BOX])),
    ), "one gets a new id", boxes=BOX * 2),
    Flaw("an annotation of an image that is not listed", "left out", "unknown-image", (
        Made("coco", coco([COCO_BOX, {"image_id": 55, "bbox": BBOX}])),
    ), boxes=BOX),
    Flaw("an annotation that is no object, or of no image", "left out", "bad-annotation", (
        Made("coco", coco(annotations=[7, {"id": 3, "category_id": 1, "bbox": BBOX}, {**COCO_BOX, "image_id": 1,
                                                                                  "category_id": 1}])),
    ), boxes=BOX),
    Flaw("no list of annotations", "repaired", "no-annotations", (
        Made("coco", {**images(), "annotations.json":
                      json.dumps({k: v for k, v in json.loads(coco_json()).items() if k != "annotations"})}),
    ), "images without objects", boxes=()),
    Flaw("other width and height than the image has", "repaired", "size-differs", (
        Made("coco", coco([COCO_BOX], image={"width": 80, "height": 60})),
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
        Made("coco", coco([COCO_BOX], image={"width": HEIGHT, "height": WIDTH})),
    ), "the image's own size counts; is it turned by EXIF?", boxes=BOX),
    Flaw("coordinates in a field that augx does not know", "repaired", "unmoved-field", (
        Made("coco", coco([COCO_BOX | {"corner_points": [1.5, 2.5, 3.5]}])),
    ), "where pixels move it is left out if it is called like a place", boxes=BOX),
    Flaw("a field with half a surrogate pair, NaN, or nested too deep", "repaired", "odd-value", (
        Made("coco", coco([COCO_BOX | {"note": "\ud800", "weight": NAN}])),
        Made("labelme", labelme(labelme_json([{"points": [[5, 5], [15, 13]], "note": "\ud800"}])), "unreadable-field"),
        Made("labelme", labelme(labelme_json([{"points": [[5, 5], [15, 13]], "weight": NAN}])), "unreadable-field"),
        Made("createml", createml([{"label": "cat", "note": "\ud800",
                                    "coordinates": {"x": 10, "y": 9, "width": 10, "height": 8}}]), "field-left-out"),
    ), "the field is left out", boxes=BOX),
    Flaw("a confidence after the box", "repaired", "confidence", (
        Made("yolo", yolo("0 0.25 0.3 0.25 0.26666666666666666 0.9\n")),
    ), "it is left out", boxes=BOX),
    Flaw("a class of a whole image without a name, or with a confidence above 1", "left out", "bad-annotation", (
        Made("openimages", {**images("train/"), "train-annotations-human-imagelabels.csv":
                            "ImageID,Source,LabelName,Confidence\na,verification,/m/cat,7\na,verification,,1\n"
                            "a,verification,/m/dog,1\nb,verification,/m/dog,1\n"}),
    )),
    Flaw("polygons and points beside the box of an object", "repaired", "shape-stays", (
        Made("voc", voc(voc_xml("<object><name>cat</name><bndbox><xmin>5</xmin><ymin>5</ymin><xmax>15</xmax>"
                                "<ymax>13</ymax></bndbox><polygon><x1>5</x1><y1>5</y1></polygon></object>")),
             also=frozenset({"unmoved-field"})),
    ), "they are kept only where no transform is applied", boxes=BOX),
)  # fmt: skip
