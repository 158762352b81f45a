"""Images and masks as they are in the wild, and what a format of OUTPUT cannot hold (`wild.py`)."""

from __future__ import annotations

from PIL import Image
from wild_data import (
    BBOX,
    BOX,
    BOX_JSON,
    BOX_XML,
    COCO_BOX,
    HEIGHT,
    HF_ROW,
    WIDTH,
    YOLO_LINE,
    Flaw,
    Made,
    coco,
    coco_json,
    createml,
    cvat,
    dota,
    hf,
    hf_lines,
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
    voc_xml,
    without,
    yolo,
)


def _turned() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 3
    return saved(Image.new("I;16", (WIDTH, HEIGHT)), "TIFF", exif=exif)


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
        Made("hf", {**hf_lines(HF_ROW), "c.png": png(3)}, "no-row"),
        Made("createml", {**createml([]), "c.png": png(3)}, "no-row"),
        Made("openimages", {**openimages("a.png,40,30,cat,5,5,15,13"), "c.png": png(3)}, "no-row"),
        Made("table", {**table("a.png,cat"), "c.png": png(3)}, "no-row"),
        Made("labelme", {**labelme(BOX_JSON), "x/c.png": png(3)}, "left-out"),
        Made("voc", {**voc(voc_xml(BOX_XML)), "x/c.png": png(3)}, "unused-folder"),
        Made("dota", {**dota(""), "x/c.png": png(3)}, "unused-folder"),
    )),
    Flaw("an image beside class folders", "repaired", "no-class", (
        Made("folder", {"cat/b.png": png(1), "dog/b2.png": png(2), "a.png": png(0)}),
    ), "it is used without a class"),
    Flaw("a label file without an image, which names it", "failed", "missing-file", (
        Made("voc", without({**voc(voc_xml(BOX_XML))}, "JPEGImages/a.png")),
        Made("labelme", without(labelme(BOX_JSON), "a.png")),
    )),
    Flaw("a label file or mask without an image", "left out", "no-image", (
        Made("yolo", without(yolo(f"{YOLO_LINE}\n"), "images/a.png")),
        Made("dota", without(dota("5 5 15 5 15 13 5 13 cat 0\n"), "images/a.png")),
        Made("masks", without(masks(mask()), "images/a.png")),
        Made("webdataset", {"t-0.tar": tar([("a.json", b"{}"), ("b.png", png(1))])}, to="hf"),
    ), check=None),
    Flaw("images of Open Images that are not downloaded", "left out", "missing-images", (
        Made("openimages", {"train/b.png": png(1), "train-annotations-bbox.csv":
                            "ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax\n"
                            "b,x,/m/cat,1,0.1,0.3,0.1,0.3\na,x,/m/cat,1,0.1,0.3,0.1,0.3\n"}),
    )),
    Flaw("a JPEG called .png, or the other way round", "told", "ending-differs", (
        Made("folder", {"cat/a.png": jpeg(), "dog/b.png": png(1)}),
        Made("folder", {"cat/a.jpg": png(0), "dog/b.png": png(1)}),
        Made("coco", {**coco([COCO_BOX]), "a.png": jpeg()}),
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
        Made("folder", {"cat/a.jpg": '{"error": 404}', "dog/b.png": png(1)}),
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
    Flaw("the segments of an image listed twice", "repaired", "duplicate-annotation", (
        Made("coco", panoptic(mask(mode="RGB"), twice=True)),
    ), "the first count", boxes=((5, 5, 15, 10),)),
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
        Made("voc", voc(voc_xml(BOX_XML.replace("<bndbox>", "<difficult>1</difficult><bndbox>"))), to="yolo"),
    ), boxes=BOX),
    Flaw("a table beside a label format", "left out", "unused-labels", (
        Made("", {**coco([COCO_BOX]), "labels.csv": "file_name,label\na.png,cat\nb.png,dog\n"}),
    ), "`--from table` reads it", boxes=BOX),
    Flaw("panoptic beside instances of the same images", "left out", "not-read", (
        Made("coco", {**images(), "annotations/instances_train.json": coco_json([COCO_BOX]),
                      "annotations/panoptic_train.json": coco_json(annotations=[])}),
        Made("openimages", {**images("train/"), "train-annotations-bbox.csv":
                            "ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax\n"
                            "a,x,/m/cat,1,0.125,0.375,0.16666666666666666,0.43333333333333335\n"
                            "b,x,/m/cat,1,0.1,0.3,0.1,0.3\n",
                            "train-annotations-object-segmentation.csv":
                            "MaskPath,ImageID,LabelName\nx.png,a,/m/cat\n"}),
    ), "`--labels` with its path reads it instead", boxes=BOX),
    Flaw("an image inside the JSON (`imageData`)", "left out", "image-data", (
        Made("labelme", labelme(labelme_json([{"points": [[5, 5], [15, 13]]}], imageData=png_text(png())))),
    ), "the file beside it counts", boxes=BOX),
    Flaw("`labels.txt` that is no UTF-8", "left out", "unreadable-list", (
        Made("labelme", {**labelme(BOX_JSON), "labels.txt": b"\xff\n"}),
    ), boxes=BOX),
)  # fmt: skip
