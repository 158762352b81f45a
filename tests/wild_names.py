"""Names of images in label files, and what lies in their place (`wild.py`)."""

from __future__ import annotations

import json
from collections.abc import Iterable

from wild_data import (
    B_JSON,
    B_XML,
    BBOX,
    COCO_BOX,
    HEIGHT,
    WIDTH,
    Fifo,
    Flaw,
    Link,
    Made,
    coco,
    createml,
    cvat,
    labelme_json,
    openimages,
    png,
    sources,
    table,
    voc_object,
    voc_xml,
    without,
)


def _named(name: str) -> tuple[Made, ...]:
    """Image a under this name, in every format that names images. The image is to be put beside."""
    line = json.dumps({"file_name": name, "objects": {"bbox": [BBOX], "category": ["cat"]}})
    b = json.dumps({"file_name": "b.png", "objects": {"bbox": [BBOX], "category": ["cat"]}})
    quoted = '"' + name.replace('"', '""') + '"'
    return (
        Made("coco", without(coco([COCO_BOX], image={"file_name": name}), "a.png")),
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
        Made("yolo", {"images/b.png": png(1), "labels/b.txt": "0 0.3 0.3 0.2 0.2\n",
                      "train.txt": f"{name}\nimages/b.png\n",
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
    Flaw("a path with ../..", "failed", "outside-input", _named("../../outside/a.png"),
         "nothing outside INPUT is read"),
    Flaw("no name at all", "failed", "missing-file",
         tuple(one for one in _named("") if one.format in ("hf", "cvat", "createml", "openimages", "table"))),
    Flaw("an image link that leads out of INPUT", "left out", "link-outside", (
        Made("folder", {"cat/a.png": Link("{outside}/a.png"), "dog/b.png": png(1)}),
    ), check=sources("dog/b.png")),
    Flaw("a link to nothing, in place of an image", "failed", "link-broken", (
        Made("folder", {"cat/a.png": Link("nothing.png"), "dog/b.png": png(1)}),
    )),
    Flaw("a folder link that leads back", "left out", "link-loop", (
        Made("folder", {"cat/a.png": png(0), "dog/b.png": png(1), "cat/again": Link("..")}),
    ), check=sources("cat/a.png", "dog/b.png")),
    Flaw("a pipe in place of an image", "failed", "not-a-file", (
        Made("folder", {"cat/a.png": Fifo(), "dog/b.png": png(1)}),
    )),
    Flaw("a class folder called like a file of OUTPUT", "refused", "", (
        Made("folder", {"manifest.jsonl/a.png": png(0), "dog/b.png": png(1)}),
        Made("folder", {"Summary.json/a.png": png(0), "dog/b.png": png(1)}),
    )),
    Flaw("an image called like a label file", "fine", "", (
        Made("coco", without({**coco([COCO_BOX], image={"file_name": "a.annotations.json.png"}),
                              "a.annotations.json.png": png(0)}, "a.png")),
        Made("table", without({**table("a.labels.csv.png,cat"), "a.labels.csv.png": png(0)}, "a.png")),
        Made("folder", {"cat/a.xml.png": png(0), "dog/b.csv.png": png(1)}),
    )),
)  # fmt: skip
