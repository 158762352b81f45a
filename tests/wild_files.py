"""Label files as they are in the wild: their bytes, syntax and lines (`wild.py`)."""

from __future__ import annotations

import json
from collections.abc import Sequence

from wild_data import (
    BOX,
    BOX_JSON,
    BOX_XML,
    COCO_BOX,
    CVAT_BOX,
    HF_ROW,
    ML_BOX,
    YOLO_LINE,
    Fifo,
    Flaw,
    Folder,
    Link,
    Locked,
    Made,
    coco,
    coco_json,
    createml,
    cvat,
    cvat_xml,
    dota,
    hf_lines,
    images,
    labelme,
    labels,
    mask,
    masks,
    openimages,
    png,
    table,
    tar,
    voc,
    voc_object,
    voc_xml,
    without,
    yolo,
)

DIGITS = "1" * 1_000_000
DEEP = "[" * 1_000_000
_BOMB = (
    '<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa">'
    + "".join(f'<!ENTITY {chr(98 + n)} "{("&" + chr(97 + n) + ";") * 10}">' for n in range(9))
    + "]>"
)
_SECRET = '<!DOCTYPE a [<!ENTITY j SYSTEM "file://{outside}/secret.txt">]>'


def _texts() -> tuple[Made, ...]:
    """A sound dataset in each format that has label files."""
    return (
        Made("coco", coco([COCO_BOX])),
        Made("yolo", yolo(f"{YOLO_LINE}\n")),
        Made("voc", voc(voc_xml(BOX_XML))),
        Made("dota", dota("5 5 15 5 15 13 5 13 cat 0\n")),
        Made("labelme", labelme(BOX_JSON)),
        Made("cvat", cvat(CVAT_BOX)),
        Made("createml", createml([ML_BOX])),
        Made("hf", hf_lines(HF_ROW)),
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
        Made("labelme", labelme(BOX_JSON.encode().replace(b"cat", b"\xe9"))),
        Made("voc", voc(voc_xml(BOX_XML).encode().replace(b"cat", b"\xe9"))),
    )),
    Flaw("UTF-16 or other bytes that are no UTF-8, in a label file of many images", "refused", "", (
        _one_in_utf16("coco", "annotations.json", "--labels", "annotations.json"),
        _one_in_utf16("hf", "metadata.jsonl"),
        _one_in_utf16("openimages", "_annotations.csv", "--labels", "_annotations.csv"),
        Made("coco", {**images(), "annotations.json": coco_json([COCO_BOX]).encode().replace(b"cat", b"\xe9")}),
        Made("table", {**images(), "labels.csv": b"file_name,label\na.png,\xe9\nb.png,cat\n"}),
        Made("yolo", {**yolo(f"{YOLO_LINE}\n"), "data.yaml": b"names: [\xe9]\ntrain: images\nval: images\n"}),
        Made("createml", {**images(), "_annotations.createml.json": b'[{"image": "\xe9", "annotations": []}]'}),
    ), said=("UTF-8",)),
    Flaw("a label file without anything in it", "fine", "", (
        Made("yolo", yolo("")), Made("dota", dota("")), Made("yolo", yolo("\r\n  \n")),
    ), "the image has no objects", boxes=()),
    Flaw("an empty or cut label file of one image", "failed", "unreadable-label", (
        Made("voc", voc("")),
        Made("voc", voc(voc_xml(BOX_XML)[:-60])),
        Made("labelme", labelme("")),
        Made("labelme", labelme(BOX_JSON[:-60])),
        Made("webdataset", {"t-0.tar": tar([("a.png", png()), ("a.json", b"{"), ("b.png", png(1))])}, to="hf"),
        Made("hf", hf_lines(HF_ROW[:-30]), "unreadable-row", also=frozenset({"no-row"})),
    )),
    Flaw("an empty or cut label file of many images", "refused", "", (
        Made("coco", {**images(), "annotations.json": ""}),
        Made("coco", {**images(), "annotations.json": coco_json([COCO_BOX])[:-60]}),
        Made("coco", {**images(), "annotations.json": "[1, 2]"}),
        Made("cvat", {**images(), "annotations.xml": ""}),
        Made("cvat", {**images(), "annotations.xml": cvat_xml(CVAT_BOX)[:-60]}),
        Made("createml", {**images(), "_annotations.createml.json": ""}),
        Made("createml", {**images(), "_annotations.createml.json": '[{"image": "a.png", "annotations": ['}),
        Made("hf", {**images(), "metadata.jsonl": ""}),
        Made("table", {**images(), "labels.csv": ""}),
        Made("openimages", {**images(), "_annotations.csv": ""}),
        Made("yolo", {**yolo(f"{YOLO_LINE}\n"), "data.yaml": "names: [cat\ntrain: images\nval: images\n"}),
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
        Made("yolo", yolo(f"{YOLO_LINE}\ncat 1 2 3 4\n"), "not-a-number"),
        Made("openimages", openimages("a.png,40,30,cat,5,5,15,13", "a.png,40"), "ragged-row"),
    ), boxes=BOX),
    Flaw("a row of a table with too few or too many cells", "failed", "ragged-row", (
        Made("table", table("a.png,cat,dog"), also=frozenset({"no-row"})),
        Made("hf", {**images(), "metadata.csv": "file_name,label\na.png\nb.png,cat\n"}, also=frozenset({"no-row"})),
    )),
    Flaw("a row that is no JSON, such as one with NaN", "failed", "unreadable-row", (
        Made("hf", hf_lines(HF_ROW.replace("[5,", "[NaN,")), also=frozenset({"no-row"})),
        Made("hf", hf_lines(HF_ROW.replace("[5,", "[1e999,")), also=frozenset({"no-row"})),
        Made("hf", hf_lines(HF_ROW.replace("[5,", f"[{DIGITS},")), also=frozenset({"no-row"})),
        Made("hf", hf_lines(HF_ROW.replace("[5,", DEEP)), also=frozenset({"no-row"})),
        Made("table", {**images(), "labels.jsonl": '{"file_name": "a.png", "label": NaN}\n'
                       '{"file_name": "b.png", "label": "cat"}\n'}, also=frozenset({"no-row"})),
    )),
    Flaw("an entry that names no image", "failed", "unreadable-row", (
        Made("createml", {**images(), "_annotations.createml.json": json.dumps(
            [{"image": "b.png", "annotations": [ML_BOX]}, {"annotations": []}, 7])}, also=frozenset({"no-row"})),
    )),
    Flaw("JSON nested a million deep, in the label file of one image", "failed", "unreadable-label", (
        Made("labelme", labelme(BOX_JSON.replace("[[5", f"{DEEP}[[5"))),
        Made("labelme", labelme(DEEP)),
        Made("webdataset", {"t-0.tar": tar([("a.png", png()), ("a.json", DEEP.encode()), ("b.png", png(1))])}, to="hf"),
    )),
    Flaw("JSON nested a million deep, in a label file of many images", "refused", "", (
        Made("coco", {**images(), "annotations.json": coco_json([COCO_BOX]).replace("[5,", f"{DEEP}[5,")}),
        Made("coco", {**images(), "annotations.json": coco_json([COCO_BOX])[:-1] + ', "x": ' + DEEP}),
        Made("createml", {**images(), "_annotations.createml.json":
                          json.dumps([{"image": "a.png", "annotations": []}])[:-2] + ', "x": ' + DEEP}),
        Made("createml", {**images(), "_annotations.createml.json": DEEP},
             options=("--labels", "_annotations.createml.json")),
    ), said=("nested too deep",)),
    Flaw("an integer of a million digits, in the label file of one image", "failed", "unreadable-label", (
        Made("labelme", labelme(BOX_JSON.replace("[5,", f"[{DIGITS},"))),
    )),
    Flaw("an integer of a million digits, in a label file of many images", "refused", "", (
        Made("coco", {**images(), "annotations.json": coco_json([COCO_BOX]).replace("[5,", f"[{DIGITS},")}),
        Made("createml", {**images(), "_annotations.createml.json":
                          json.dumps([{"image": "a.png", "annotations": [ML_BOX]}]).replace("10", DIGITS)}),
    ), said=("digits",)),
    Flaw("a number of a million digits in text", "left out", "bad-line", (
        Made("dota", dota(f"5 5 15 5 15 13 5 13 cat 0\n5 5 15 5 15 13 5 {DIGITS} cat 0\n")),
        Made("voc", voc(voc_xml(BOX_XML + voc_object("cat", (5, 5, 15, 13)).replace("13", DIGITS))), "bad-object"),
    ), boxes=BOX),
    Flaw("a number of a million digits in text that is read as infinity", "dropped", "not-finite", (
        Made("yolo", yolo(f"{YOLO_LINE}\n0 0.25 0.3 0.25 {DIGITS}\n")),
        Made("cvat", cvat(CVAT_BOX + CVAT_BOX.replace("13", DIGITS))),
        Made("openimages", openimages("a.png,40,30,cat,5,5,15,13", f"a.png,40,30,cat,5,5,15,{DIGITS}")),
    ), boxes=BOX),
    Flaw("a key that stands twice in one object, in a row or the label file of one image", "failed",
         "unreadable-label", (
        Made("labelme", labelme(BOX_JSON.replace('"points"', '"points": [], "points"'))),
        Made("hf", hf_lines(HF_ROW.replace('"bbox"', '"bbox": [], "bbox"')), "unreadable-row",
             also=frozenset({"no-row"})),
    )),
    Flaw("a key that stands twice in one object, in a label file of many images", "refused", "", (
        Made("coco", {**images(), "annotations.json": coco_json([COCO_BOX])[:-1] + ', "images": []}'}),
        Made("createml", {**images(), "_annotations.createml.json":
                          json.dumps([{"image": "a.png", "annotations": [ML_BOX]}]).replace(
                              '"label"', '"label": 7, "label"')}),
    ), said=("twice",)),
    Flaw("a key that stands twice in one image or annotation of COCO", "fine", "", (
        Made("coco", {**images(), "annotations.json":
                      coco_json([COCO_BOX]).replace('"bbox": [5', '"bbox": [1], "bbox": [5')}),
    ), "the last counts, as every JSON reader takes it", boxes=BOX),
    Flaw("XML with entities, a DTD or a billion laughs, of one image", "failed", "unreadable-label", (
        Made("voc", voc(_BOMB + voc_xml(BOX_XML.replace("cat", "&j;").replace("&amp;", "&")))),
        Made("voc", voc(_SECRET + voc_xml(BOX_XML.replace("cat", "&j;")))),
        Made("voc", voc("<!DOCTYPE annotation>" + voc_xml(BOX_XML))),
        Made("voc", voc(voc_xml(BOX_XML.replace("cat", "&nbsp;")))),
        Made("voc", voc(voc_xml("<x>" * 100_000))),
    )),
    Flaw("XML with entities, a DTD or a billion laughs, of many images", "refused", "", (
        Made("cvat", {**images(), "annotations.xml": _BOMB + cvat_xml(CVAT_BOX.replace("cat", "&j;"))[39:]}),
        Made("cvat", {**images(), "annotations.xml": _SECRET + cvat_xml(CVAT_BOX.replace("cat", "&j;"))[39:]}),
        Made("cvat", {**images(), "annotations.xml": cvat_xml(CVAT_BOX.replace("cat", "&nbsp;"))}),
    ), said=("annotations.xml",)),
    Flaw("a label file of one image that is a folder", "repaired", "no-label", (
        Made("voc", voc(Folder())),
        Made("dota", dota(Folder())),
        Made("labelme", labelme(Folder())),
    ), "it is not read; the image is used without labels"),
    Flaw("a label file of one image that is a pipe, or a link out of INPUT", "failed", "unreadable-label", (
        Made("voc", voc(Link("{outside}/a.xml")), also=frozenset({"link-outside", "no-label"})),
        Made("dota", dota(Link("{outside}/a.txt")), also=frozenset({"link-outside", "no-label"})),
        Made("labelme", labelme(Link("{outside}/a.json")), also=frozenset({"link-outside", "no-label"})),
        Made("yolo", yolo(Link("{outside}/a.txt")), also=frozenset({"link-outside"})),
        Made("voc", voc(Fifo()), also=frozenset({"not-a-file", "no-label"})),
        Made("dota", dota(Fifo()), also=frozenset({"not-a-file", "no-label"})),
        Made("labelme", labelme(Fifo()), also=frozenset({"not-a-file", "no-label"})),
        Made("yolo", yolo(Fifo()), also=frozenset({"not-a-file"})),
    )),
    Flaw("a label file of one image that is a link to nothing, as before `dvc pull`", "failed", "unreadable-label", (
        Made("voc", voc(Link("nothing.xml")), also=frozenset({"link-broken"})),
        Made("yolo", yolo(Link("nothing.txt")), also=frozenset({"link-broken"})),
        Made("dota", dota(Link("nothing.txt")), also=frozenset({"link-broken"})),
        Made("labelme", labelme(Link("nothing.json")), also=frozenset({"link-broken"})),
    )),
    Flaw("a label file of many images that is a folder, a pipe, or a link to nothing or out of INPUT", "refused", "",
         tuple(
        Made(format, {**images(), name: content})
        for format, name in (("coco", "annotations.json"), ("cvat", "annotations.xml"), ("hf", "metadata.jsonl"),
                             ("createml", "_annotations.createml.json"), ("openimages", "_annotations.csv"),
                             ("table", "labels.csv"))
        for content in (Folder(), Fifo(), Link("nothing"), Link("{outside}/annotations.json"))
    )),
    Flaw("a list of class names that leads out of INPUT", "fine", "", (
        Made("yolo", without({**yolo(f"{YOLO_LINE}\n"), "obj.data": "classes = 1\nnames = ../outside/classes.txt\n"
                              "train = train.txt\n", "train.txt": "images/a.png\nimages/b.png\n"}, "data.yaml")),
    ), "it is not read; classes are called by their numbers", boxes=BOX, check=labels("0")),
    Flaw("`path` or `train` of data.yaml that is of another machine, or leads out of INPUT", "repaired",
         "path-differs", (
        Made("yolo", {**yolo(f"{YOLO_LINE}\n"), "data.yaml":
                      "names: [cat]\npath: /home/me/x\ntrain: ../outside/images\nval: images\n"}),
        Made("yolo", {**yolo(f"{YOLO_LINE}\n"), "data.yaml": "names: [cat]\ntrain: {outside}/images\nval: images\n"}),
    ), "the folder of INPUT that it ends with is taken", boxes=BOX),
    Flaw("a split of data.yaml that is not there", "repaired", "missing-split", (
        Made("yolo", {**yolo(f"{YOLO_LINE}\n"), "data.yaml": "names: [cat]\ntrain: images\nval: other\n"}),
    ), "the others are used", boxes=BOX),
    Flaw("a label file that may not be read", "failed", "unreadable-label", (
        Made("voc", voc(Locked(voc_xml(BOX_XML).encode()))),
        Made("yolo", yolo(Locked(b"0 0.5 0.5 0.2 0.2\n"))),
        Made("dota", dota(Locked(b"5 5 15 5 15 13 5 13 cat 0\n"))),
        Made("labelme", labelme(Locked(BOX_JSON.encode()))),
    )),
    Flaw("XML or JSON that is no label file", "left out", "other-xml", (
        Made("voc", {**voc(voc_xml(BOX_XML)), "other.xml": "<project/>"}),
        Made("labelme", {**labelme(BOX_JSON), "other.json": "[1]"}, "not-labelme"),
    ), boxes=BOX),
    Flaw("YAML that YAML 1.2 reads otherwise", "repaired", "yaml", (
        Made("yolo", {**yolo(f"{YOLO_LINE}\n"), "data.yaml":
                      "names: [cat]\ntrain: images\nval: images\ntrain: images\n"}),
    ), boxes=BOX),
    Flaw("two label files for one image", "left out", "repeated-label", (
        Made("voc", {**voc(voc_xml(BOX_XML)), "x/a.xml": voc_xml(BOX_XML)}),
        Made("labelme", {**labelme(BOX_JSON), "z.json": BOX_JSON}),
    ), "the first counts", boxes=BOX),
    Flaw("an image in several rows or entries", "left out", "repeated-row", (
        Made("table", table("a.png,cat", "a.png,cat")),
        Made("hf", hf_lines(f"{HF_ROW}\n{HF_ROW}")),
        Made("cvat", {**images(), "annotations.xml": cvat_xml(CVAT_BOX, more='<image id="9" name="a.png"/>')},
             "repeated-image"),
        Made("yolo", without({**yolo(f"{YOLO_LINE}\n"), "classes.txt": "cat\n",
                              "train.txt": "images/a.png\nimages/b.png\nimages/a.png\n"}, "data.yaml")),
    ), "the first counts"),
    Flaw("an image in several entries whose boxes differ", "repaired", "repeated-row", (
        Made("createml", {**images(), "_annotations.createml.json": json.dumps(
            [{"image": n, "annotations": [ML_BOX]} for n in ("a.png", "b.png", "a.png")])}),
    ), "the boxes are joined", boxes=BOX * 2),
    Flaw("an image in two splits", "repaired", "two-splits", (
        Made("yolo", without({**yolo(f"{YOLO_LINE}\n"), "classes.txt": "cat\n",
                              "train.txt": "images/a.png\nimages/b.png\n", "val.txt": "images/a.png\n"}, "data.yaml")),
        Made("voc", {**voc(voc_xml(BOX_XML)), "ImageSets/Main/train.txt": "a\nb\n", "ImageSets/Main/val.txt": "a\n"}),
    ), "it is of the first", boxes=BOX),
    Flaw("an image in no split", "repaired", "no-split", (
        Made("voc", {**voc(voc_xml(BOX_XML)), "ImageSets/Main/train.txt": "b\n"}),
    ), "it is used, and of no split", boxes=BOX),
    Flaw("a list with names of no image", "repaired", "listed-missing", (
        Made("voc", {**voc(voc_xml(BOX_XML)), "ImageSets/Main/train.txt": "a\nb\nc\n"}),
        Made("masks", {**masks(mask()), "train.txt": "images/a.png masks/a.png\nimages/b.png\nimages/c.png\n"}),
    ), "they stay out of the list"),
)  # fmt: skip
