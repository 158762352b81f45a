"""Open Images and other tables with one row a box."""

import pytest

from augx.errors import InputError
from augx.formats import ReadOptions, load
from augx.formats.box_table import box_of, cell, find_box, number_text
from augx.model import Annotations, Dataset, Object, Sample
from augx.objects import to_row

OPEN = load("openimages")
X = "x"


def plant(root, files):
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return str(root)


def read(root, files, **options):
    return OPEN.read(plant(root, files), ReadOptions(**options))


def flaws(found):
    return [(flaw.code, flaw.source, flaw.message) for flaw in found]


def boxes(dataset):
    return {s.id: [(thing.label, thing.box) for thing in s.annotations.objects] for s in dataset.samples}


def row(name, objects=(), split=None, source=None, labels=None, width=40, height=20, relative=False):
    scale = (width, height, width, height) if relative else (1, 1, 1, 1)
    moved = [Object(o.label, tuple(v * k for v, k in zip(o.box, scale, strict=True)), extra=o.extra) for o in objects]
    return {
        "file_name": name,
        "source": source or name,
        "copy": 0,
        "split": split,
        "width": width,
        "height": height,
        "labels": labels or {},
        "objects": [to_row(thing, None) for thing in moved],
    }


def rows_of(dataset):
    return [
        row(s.id, s.annotations.objects, s.split, labels=s.annotations.labels, relative=s.annotations.relative)
        for s in dataset.samples
    ]


def written(rows, dataset):
    return {name: "".join(texts) for name, texts in OPEN.write(rows, dataset)}


HEADER = (
    "ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,IsOccluded,IsTruncated,IsGroupOf,IsDepiction,IsInside\n"
)
V6 = {
    "images/train/a.jpg": X,
    "images/train/b.jpg": X,
    "images/validation/c.png": X,
    "images/test/a.jpg": X,
    "masks/train/b_m0.png": X,
    "annotations/oidv6-class-descriptions.csv": "LabelName,DisplayName\n/m/1,Cat\n/m/2,Dog\n/m/3,Cat\n",
    "annotations/oidv6-train-annotations-bbox.csv": HEADER
    + "b,xclick,/m/1,1,0.0125,0.5,0.25,0.333333333,1,0,1,-1,0\n"
    + "b,activemil,/m/3,1,0,1,0,1,-1,-1,-1,-1,-1\n",
    "annotations/train-annotations-human-imagelabels.csv": "ImageID,Source,LabelName,Confidence\n"
    + "a,verification,/m/2,1\n"
    + "b,verification,/m/1,0\n"
    + "b,machine,/m/2,0.7\n",
    "annotations/image_ids.csv": "ImageID,Subset,License,Rotation\n"
    + "a,train,CC,90\n"
    + "c,validation,CC,\n"
    + "nowhere,test,CC,\n"
    + "gone,train,CC,\n",
    "annotations/train-annotations-object-segmentation.csv": "MaskPath,ImageID,LabelName\nb_m0.png,b,/m/1\n",
    "annotations/bbox_labels_hierarchy.json": '{"LabelName": "/m/0"}\n',
}


def test_open_images(tmp_path):
    dataset = read(tmp_path, V6)
    assert [(s.id, s.split) for s in dataset.samples] == [
        ("images/test/a.jpg", "test"),
        ("images/train/a.jpg", "train"),
        ("images/train/b.jpg", "train"),
        ("images/validation/c.png", "val"),
    ]
    assert dataset.classes == ("Cat", "Dog", "/m/3")
    b = dataset.samples[2].annotations
    assert b.relative
    assert [(thing.label, thing.box) for thing in b.objects] == [
        ("Cat", (0.0125, 0.25, 0.5, 0.333333333)),
        ("/m/3", (0, 0, 1, 1)),
    ]
    assert b.objects[0].extra == {
        "Source": "xclick",
        "Confidence": "1",
        "IsOccluded": "1",
        "IsTruncated": "0",
        "IsGroupOf": "1",
        "IsDepiction": "-1",
        "IsInside": "0",
    }
    assert b.labels == {"Dog": 0.7}
    assert dataset.samples[1].annotations.labels == {"Dog": 1.0}
    assert not dataset.failed
    assert flaws(dataset.warnings) == [
        (
            "missing-images",
            "annotations/image_ids.csv",
            "annotations/image_ids.csv: 2 images are not there, the first is nowhere",
        ),
        (
            "not-read",
            "annotations/train-annotations-object-segmentation.csv",
            "segmentation masks of Open Images are not read",
        ),
        ("no-row", "images/test/a.jpg", "no table has a row for it; it is used without labels"),
    ]


def test_open_images_come_out_again(tmp_path):
    dataset = read(tmp_path, V6)
    texts = written(rows_of(dataset), dataset)
    kept = (
        "annotations/oidv6-class-descriptions.csv",
        "annotations/oidv6-train-annotations-bbox.csv",
        "annotations/train-annotations-human-imagelabels.csv",
        "annotations/bbox_labels_hierarchy.json",
    )
    assert texts == {name: V6[name] for name in kept} | {
        "annotations/image_ids.csv": "ImageID,Subset,License,Rotation\na,train,CC,90\nc,validation,CC,\n"
    }
    assert [OPEN.place(s, dataset) for s in dataset.samples[:2]] == ["images/test", "images/train"]


def test_copies_get_rows_of_their_own(tmp_path):
    dataset = read(tmp_path, V6)
    b = dataset.samples[2].annotations
    copy = row("images/train/b_aug01.jpg", b.objects[:1], "train", "images/train/b.jpg", {"Cat": 0.25}, relative=True)
    texts = written([copy], dataset)
    assert texts["annotations/oidv6-train-annotations-bbox.csv"] == (
        HEADER + "b_aug01,xclick,/m/1,1,0.0125,0.5,0.25,0.333333333,1,0,1,-1,0\n"
    )
    assert texts["annotations/train-annotations-human-imagelabels.csv"] == (
        "ImageID,Source,LabelName,Confidence\nb_aug01,verification,/m/1,0.25\n"
    )


def test_labels_of_several_tables_stay_in_theirs(tmp_path):
    head = "ImageID,Source,LabelName,Confidence\n"
    files = {
        "annotations/train-annotations-human-imagelabels.csv": head + "a,verification,/m/1,1\n",
        "annotations/train-annotations-machine-imagelabels.csv": head + "a,machine,/m/1,0.9\na,machine,/m/2,0.8\n",
    }
    dataset = read(tmp_path, {**files, "train/a.jpg": X})
    assert dataset.samples[0].annotations.labels == {"/m/1": 1.0, "/m/2": 0.8}
    assert written(rows_of(dataset), dataset) == files
    mixed = row("train/a_aug01.jpg", (), "train", "train/a.jpg", {"/m/2": 0.8, "/m/9": 0.2})
    assert written([mixed], dataset) == {
        "annotations/train-annotations-human-imagelabels.csv": head + "a_aug01,,/m/9,0.2\n",
        "annotations/train-annotations-machine-imagelabels.csv": head + "a_aug01,machine,/m/2,0.8\n",
    }


def test_an_id_that_several_images_share_keeps_its_ending(tmp_path):
    dataset = read(tmp_path, V6)
    b = dataset.samples[2].annotations
    twins = [row(f"images/train/b.{end}", b.objects[1:], "train", "images/train/b.jpg") for end in ("jpg", "png")]
    text = written(twins, dataset)["annotations/oidv6-train-annotations-bbox.csv"]
    assert [line.split(",")[0] for line in text.splitlines()] == ["ImageID", "b.jpg", "b.png"]


@pytest.mark.parametrize(
    ("table", "box"),
    [
        ("filename,width,height,class,xmin,ymin,xmax,ymax\n1.jpg,40,20,cat,1,2,11,6\n", (1, 2, 11, 6)),
        ("filename,cell_type,xmin,xmax,ymin,ymax\n1.jpg,cat,1,11,2,6\n", (1, 2, 11, 6)),
        ("image_name,label_name,x1,y1,x2,y2\n1.jpg,cat,1,2,11,6\n", (1, 2, 11, 6)),
        ("image_name,label_name,x1,y1,w,h\n1.jpg,cat,1,2,10,4\n", (1, 2, 11, 6)),
        ("Image;X;Y;Width;Height;Label\nimgs/1.jpg;1.5;2;10;4;cat\n", (1.5, 2, 11.5, 6)),
        ("path,x_center,y_center,width,height,category\nimgs/1.jpg,6,4,10,4,cat\n", (1, 2, 11, 6)),
        ("image_id,bbox_x,bbox_y,bbox_width,bbox_height,label\n1,1,2,10,4,cat\n", (1, 2, 11, 6)),
        ("img\tleft\ttop\tright\tbottom\tclass name\nimgs/1.jpg\t1\t2\t11\t6\tcat\n", (1, 2, 11, 6)),
        ('image_name,label,bbox\n1.jpg,cat,"[1, 2, 11, 6]"\n', (1, 2, 11, 6)),
        ('image_name,label,bbox\n1.jpg,cat,"[10, 8, 4, 6]"\n', (10, 8, 14, 14)),
    ],
)
def test_columns_are_known_by_their_names(tmp_path, table, box):
    name = "t.tsv" if "\t" in table else "t.csv"
    dataset = read(tmp_path, {"imgs/1.jpg": X, name: table})
    assert boxes(dataset) == {"imgs/1.jpg": [("cat", box)]}
    assert written(rows_of(dataset), dataset) == {name: table}
    assert OPEN.detect(str(tmp_path)) == name
    assert load("table").detect(str(tmp_path)) == ""


@pytest.mark.parametrize(
    ("cells", "relative"),
    [
        ("0.1,0.2,0.3,0.4", True),
        ("0,0,1,1", False),
        ("0,0,0.5,1", True),
        ("0.5,0.5,1.5,2", False),
        ("-0.1,0,0.5,1", False),
    ],
)
def test_shares_are_known_by_their_values(tmp_path, cells, relative):
    table = f"filename,class,xmin,ymin,xmax,ymax\n1.jpg,cat,{cells}\n"
    dataset = read(tmp_path, {"1.jpg": X, "t.csv": table})
    assert dataset.samples[0].annotations.relative is relative
    assert written(rows_of(dataset), dataset) == {"t.csv": table}


def test_other_columns_stay_with_their_box(tmp_path):
    table = (
        "filename,width,height,score,class,xmin,ymin,xmax,ymax,split,note\n"
        '1.jpg,40,20,0.50,cat,1,2,3,4,valid,"a, b"\n1.jpg,40,20,007,dog,5,6,7,8,valid,\n2.jpg,40,20,,,,,,,train,\n'
    )
    dataset = read(tmp_path, {"1.jpg": X, "2.jpg": X, "t.csv": table})
    first, second = dataset.samples
    assert (first.split, second.split) == ("val", "train")
    assert first.annotations.size == (40, 20)
    assert first.annotations.objects[0].extra == {"score": "0.50", "split": "valid", "note": "a, b"}
    assert second.annotations.objects == ()
    rows = rows_of(dataset)
    assert written(rows, dataset)["t.csv"] == table.replace(",train,\n", ",,\n")
    small = row("1_aug01.jpg", first.annotations.objects[1:], "val", "1.jpg", width=9, height=8)
    assert written([small], dataset)["t.csv"].splitlines()[1] == "1_aug01.jpg,9,8,007,dog,5,6,7,8,valid,"


def test_each_table_is_a_split(tmp_path):
    head = '"image","xmin","ymin","xmax","ymax","label"\n'
    files = {
        "test-export.csv": head + '"1.jpg",10,5,20,7,"helmet"\n',
        "train-export.csv": head + '"2.jpg",6.7,10.3,10,15,"helmet"\n"2.jpg",1,2,3,4,"person"\n',
        "dataset_meta.json": '{"labels": ["person", "helmet"]}',
        "1.jpg": X,
        "2.jpg": X,
        "3.jpg": X,
    }
    dataset = read(tmp_path, files)
    assert [(s.id, s.split) for s in dataset.samples] == [("1.jpg", "test"), ("2.jpg", "train")]
    assert dataset.classes == ("person", "helmet")
    assert flaws(dataset.warnings) == [("no-row", "3.jpg", "no table has a row for it; it is left out")]
    assert written(rows_of(dataset), dataset) == {
        name: files[name].replace('"', "") if name.endswith(".csv") else files[name] for name in list(files)[:3]
    }


def test_a_table_in_the_folder_of_its_images(tmp_path):
    table = "filename,class,xmin,ymin,xmax,ymax\nsub/1.jpg,cat,1,2,3,4\n2.jpg,cat,1,2,3,4\n"
    dataset = read(tmp_path, {"valid/_annotations.csv": table, "valid/sub/1.jpg": X, "valid/2.jpg": X})
    assert [(s.id, s.split) for s in dataset.samples] == [("valid/2.jpg", "val"), ("valid/sub/1.jpg", "val")]
    lines = written(rows_of(dataset), dataset)["valid/_annotations.csv"].splitlines()
    assert sorted(lines) == sorted(table.splitlines())


def test_what_is_wrong_is_told_of_and_the_rest_stays(tmp_path):
    table = (
        "filename,class,xmin,ymin,xmax,ymax\n"
        "1.jpg,cat,1,2,3,4\n1.jpg,cat,1,2,3,x\n1.jpg,cat,1,2,,4\n1.jpg,cat,1,2,3,4;5\n1.jpg,cat,1,2\n"
        "9.jpg,cat,1,2,3,4\n9.jpg,cat,1,2,3,4\n../s.jpg,cat,1,2,3,4\n2.JPG,dog,1,2,3,4\n1.jpg,,4,3,2,1\n"
    )
    dataset = read(tmp_path, {"t.csv": table, "1.jpg": X, "2.jpg": X})
    assert boxes(dataset) == {"1.jpg": [("cat", (1, 2, 3, 4)), (None, (4, 3, 2, 1))], "2.jpg": [("dog", (1, 2, 3, 4))]}
    assert flaws(dataset.failed) == [
        ("missing-file", "9.jpg", "t.csv:7: there is no such image"),
        ("outside-input", "../s.jpg", "t.csv:9: the path leads out of INPUT"),
    ]
    assert flaws(dataset.warnings) == [
        ("ragged-row", "t.csv:6", "t.csv:6: 4 cells where the header has 6"),
        ("bad-annotation", "1.jpg", "t.csv:3: no box, left out: '1, 2, 3, x'"),
        ("bad-annotation", "1.jpg", "t.csv:4: no box, left out: '1, 2, , 4'"),
        ("bad-annotation", "1.jpg", "t.csv:5: no box, left out: '1, 2, 3, 4;5'"),
        ("name-differs", "2.jpg", "t.csv:10: '2.JPG' is written otherwise than the file"),
    ]


def test_labels_with_a_wrong_confidence(tmp_path):
    labels = "ImageID,Source,LabelName,Confidence\na,v,/m/1,2\na,v,/m/2,x\na,v,,1\na,v,/m/4,\n"
    dataset = read(tmp_path, {"annotations/train-labels.csv": labels, "train/a.jpg": X})
    assert dataset.samples[0].annotations.labels == {"/m/4": 1.0}
    assert [flaw.message for flaw in dataset.warnings] == [
        f"annotations/train-labels.csv:{line}: no class with a confidence from 0 to 1" for line in (2, 3, 4)
    ]


def test_the_order_of_four_numbers_is_told(tmp_path):
    dataset = read(
        tmp_path, {"t.csv": 'image,class,bbox\n1.jpg,cat,"1 2 3 4"\n2.jpg,cat,"5,1,3,2"\n', "1.jpg": X, "2.jpg": X}
    )
    assert boxes(dataset) == {"1.jpg": [("cat", (1, 2, 4, 6))], "2.jpg": [("cat", (5, 1, 8, 3))]}
    assert flaws(dataset.warnings) == [("box-order", "t.csv", "t.csv: bbox is taken for x, y, width, height")]


TABLE = "filename,class,xmin,ymin,xmax,ymax\n1.jpg,cat,1,2,3,4\n"


@pytest.mark.parametrize(
    ("files", "options", "message"),
    [
        ({"a.csv": TABLE, "b.csv": TABLE, "1.jpg": X}, {}, "b.csv and a.csv both have boxes of 1.jpg"),
        ({"a.csv": TABLE, "2.jpg": X}, {}, "a.csv: no column names images that are there"),
        ({"a.csv": "filename,class\n1.jpg,cat\n", "1.jpg": X}, {}, "no table of boxes at the top or one folder down"),
        ({"a.csv": TABLE, "1.jpg": X}, {"labels": "b"}, "no table of boxes at 'b'"),
        ({"a.csv": TABLE, "1.jpg": X}, {"columns": {"label": "kind"}}, "a.csv has no column 'kind'"),
        (
            {"a.csv": TABLE, "1.jpg": X},
            {"columns": {"box": "class"}},
            "a.csv has no column 'class' that could be its box",
        ),
        ({"a.csv": TABLE.encode() + b"\xe9", "1.jpg": X}, {}, "a.csv:3: byte"),
        ({"a/train-bbox.csv": HEADER + "z,,,,0,1,0,1,,,,,\n", "1.jpg": X}, {}, "no image of its tables is there"),
    ],
)
def test_refused(tmp_path, files, options, message):
    with pytest.raises(InputError) as caught:
        read(tmp_path, files, **options)
    assert message in caught.value.message
    assert caught.value.hint


def test_one_of_several_tables(tmp_path):
    plant(tmp_path, {"a.csv": TABLE, "b/c.csv": TABLE.replace("cat", "dog"), "1.jpg": X})
    for options in (ReadOptions(labels="b/c.csv"), ReadOptions(labels="b"), ReadOptions(table="b/c.csv")):
        assert OPEN.read(str(tmp_path), options).classes == ("dog",)


def test_columns_that_the_user_names(tmp_path):
    table = "a,b,class,what,xmin,ymin,xmax,ymax\n1.jpg,train,1,cat,1,2,3,4\n"
    dataset = read(tmp_path, {"t.csv": table, "1.jpg": X}, columns={"file": "a", "label": "what", "split": "b"})
    assert boxes(dataset) == {"1.jpg": [("cat", (1, 2, 3, 4))]}
    assert dataset.samples[0].split == "train"
    assert dataset.samples[0].annotations.objects[0].extra == {"b": "train", "class": "1"}
    assert written(rows_of(dataset), dataset) == {"t.csv": table}


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        (V6, "annotations/image_ids.csv and 3 more"),
        ({"t.csv": TABLE, "1.jpg": X}, "t.csv"),
        ({"t.csv": TABLE, "2.jpg": X}, ""),
        ({"metadata.csv": "file_name,x,y,w,h\n1.jpg,1,2,3,4\n", "1.jpg": X}, ""),
        ({"t.csv": "filename,class\n1.jpg,cat\n", "1.jpg": X}, ""),
        ({"t.csv": "x,y,width,height\n1,2,3,4\n", "1.jpg": X}, ""),
        ({"1.jpg": X}, ""),
    ],
)
def test_detect(tmp_path, files, reason):
    root = plant(tmp_path, files)
    assert OPEN.detect(root) == reason
    if reason:
        assert load("table").detect(root) == ""


def test_another_format_becomes_open_images():
    cat = Object("cat", (4, 5, 14, 10), extra={"IsOccluded": 1, "difficult": True, "note": None})
    samples = (
        Sample("p/1.jpg", Annotations({"day": 1.0}, objects=(cat,)), "train"),
        Sample("p/2.jpg", Annotations(), "val"),
    )
    dataset = Dataset("in", "voc", samples, ("cat", "d,g"))
    OPEN.check(dataset, False)
    assert [OPEN.place(sample, dataset) for sample in samples] == ["images/train", "images/val"]
    rows = [
        row("images/train/1.jpg", (cat,), "train", "p/1.jpg", {"day": 1.0}),
        row("images/val/2.jpg", (), "val", "p/2.jpg"),
    ]
    header = HEADER.strip() + ",difficult,note\n"
    assert written(rows, dataset) == {
        "annotations/train-annotations-bbox.csv": header + "1,,cat,1,0.1,0.35,0.25,0.5,1,-1,-1,-1,-1,true,\n",
        "annotations/train-annotations-human-imagelabels.csv": "ImageID,Source,LabelName,Confidence\n1,,day,1\n",
        "annotations/val-annotations-bbox.csv": header,
        "annotations/val-annotations-human-imagelabels.csv": "ImageID,Source,LabelName,Confidence\n",
        "annotations/image_ids_and_rotation.csv": "ImageID,Subset,Rotation\n1,train,\n2,val,\n",
        "annotations/class-descriptions.csv": 'cat,cat\n"d,g","d,g"\n',
    }
    assert written([], dataset).keys() == written(rows, dataset).keys()


def test_what_another_format_became_is_read_again(tmp_path):
    things = (Object("cat", (4, 5, 14, 10)), Object("dog", (0, 0, 40, 20)))
    samples = (Sample("1.jpg", Annotations(objects=things)), Sample("2.jpg", Annotations()))
    dataset = Dataset("in", "voc", samples, ("cat", "dog", "bird"))
    rows = [row(f"images/{s.id}", s.annotations.objects, source=s.id) for s in samples]
    again = read(tmp_path, {"images/1.jpg": X, "images/2.jpg": X, **written(rows, dataset)})
    assert again.classes == ("cat", "dog", "bird")
    assert boxes(again) == {
        "images/1.jpg": [("cat", (0.1, 0.25, 0.35, 0.5)), ("dog", (0, 0, 1, 1))],
        "images/2.jpg": [],
    }
    assert not again.warnings


def test_check():
    nameless = Sample("1.jpg", Annotations(objects=(Object(None, (0, 0, 1, 1)),)))
    with pytest.raises(InputError, match=r"images with objects of no class: 1; the first is 1\.jpg"):
        OPEN.check(Dataset("in", "voc", (nameless,)), False)
    with pytest.raises(InputError, match="the split 'a/b' cannot be the name"):
        OPEN.check(Dataset("in", "voc", (Sample("1.jpg", split="a/b"),)), False)


def test_small_things():
    assert find_box(["a", "b"]) is None
    assert find_box(["X-Min", "y min", "XMAX", "y_max", "w", "h"]) == ("corners", ("X-Min", "y min", "XMAX", "y_max"))
    assert box_of("centre", (5, 5, 2, 4)) == (4, 3, 6, 7)
    assert [number_text(v) for v in (1.0, 0.1, 1e-7, -1e-12, 1 / 3, 12345678.5)] == [
        "1",
        "0.1",
        "0.0000001",
        "0",
        "0.333333333",
        "12345678.5",
    ]
    assert [cell(v) for v in (None, "a", 1, True, [1, "é"])] == ["", "a", "1", "true", '[1, "é"]']
