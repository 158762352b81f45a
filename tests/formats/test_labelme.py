"""LabelMe: what each shape is, what comes out as it went in, and what is wild in the wild."""

from __future__ import annotations

import base64
import io
import json
import pickle
from array import array

import numpy as np
import pytest
from PIL import Image

from augx.errors import InputError
from augx.formats import ReadOptions
from augx.formats.labelme.format import Labelme
from augx.model import Annotations, Beside, Dataset, Object, Pose, Rle, Sample
from augx.objects import to_row
from augx.rle import rle_decode, rle_encode

LABELME = Labelme()


def plant(root, files):
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(root)


def document(shapes=(), image="1.jpg", **keys):
    known = {"version": "5.4.1", "flags": {}, "shapes": list(shapes), "imagePath": image, "imageData": None}
    return json.dumps({**known, "imageHeight": 20, "imageWidth": 30, **keys}, indent=2, ensure_ascii=False)


def shape(kind, *points, **keys):
    known = {"label": "cat", "points": [list(p) for p in points], "group_id": None, "shape_type": kind, "flags": {}}
    return {**known, **keys}


def read(root, *shapes, **keys):
    root = plant(root, {"1.jpg": "x", "1.json": document(shapes, **keys)})
    return LABELME.read(root, ReadOptions())


def only(dataset):
    (sample,) = dataset.samples
    (thing,) = sample.annotations.objects
    return thing


def row_of(sample, copy=0, **keys):
    """A manifest row as a worker hands it to label_file."""
    known = sample.annotations
    width, height = known.size or (30, 20)
    row = {
        "file_name": sample.id,
        "source": sample.id,
        "copy": copy,
        "width": width,
        "height": height,
        "label": known.label,
        "labels": dict(known.labels),
        "objects": [to_row(thing, 1.0) for thing in known.objects],
    }
    return json.loads(json.dumps({**row, **keys}))


def write(dataset, **keys):
    (sample,) = dataset.samples
    return LABELME.label_file(row_of(sample, **keys), sample, dataset)


def flaws(found):
    return [(flaw.code, flaw.source) for flaw in found]


def png(mask):
    out = io.BytesIO()
    Image.fromarray(np.array(mask, bool)).save(out, "PNG")
    return base64.b64encode(out.getvalue()).decode()


GOLDEN = """{
  "version": "5.4.1",
  "flags": {
    "night": true,
    "day": false
  },
  "shapes": [
    {
      "label": "tv/monitor",
      "points": [
        [
          1.123456789012345,
          2.0
        ],
        [
          9.5,
          2.0
        ],
        [
          9.5,
          7.25
        ]
      ],
      "group_id": 3,
      "description": "",
      "shape_type": "polygon",
      "flags": {
        "truncated": true
      },
      "mask": null,
      "score": 0.5
    }
  ],
  "imagePath": "1.jpg",
  "imageData": null,
  "imageHeight": 20,
  "imageWidth": 30,
  "lineColor": [
    0,
    255,
    0,
    128
  ]
}"""


def test_what_is_not_moved_comes_out_byte_for_byte(tmp_path):
    dataset = LABELME.read(plant(tmp_path, {"1.jpg": "x", "1.json": GOLDEN}), ReadOptions())
    assert dataset.samples == (
        Sample(
            "1.jpg",
            Annotations(
                {"night": 1.0},
                objects=(
                    Object(
                        "tv/monitor",
                        rings=(array("d", [1.123456789012345, 2, 9.5, 2, 9.5, 7.25]),),
                        extra={"group_id": 3, "flags": {"truncated": True}, "score": 0.5},
                    ),
                ),
                size=(30, 20),
                extra={
                    "version": "5.4.1",
                    "flags": {"night": True, "day": False},
                    "blank": {"description": "", "mask": None},
                    "other": {"lineColor": [0, 255, 0, 128]},
                },
            ),
        ),
    )
    assert dataset.classes == ("night", "tv/monitor")
    assert (dataset.failed, dataset.warnings, dataset.ignored, dataset.poses) == ((), (), {}, {})
    assert write(dataset) == GOLDEN
    assert pickle.loads(pickle.dumps(dataset.details)) == {}


def test_what_was_moved_has_its_own_numbers_size_and_labels(tmp_path):
    dataset = LABELME.read(plant(tmp_path, {"a/1.jpg": "x", "a/1.json": GOLDEN}), ReadOptions())
    (sample,) = dataset.samples
    moved = to_row(Object("tv/monitor", rings=(array("d", [4, 5, 6, 5, 6, 8.125]),), extra={"group_id": 3}), 3.0)
    row = row_of(sample, 2, file_name="a/1_aug02.jpg", width=12, height=11, objects=[moved], labels={"day": 1.0})
    text = json.loads(LABELME.label_file(row, sample, dataset))
    assert text["shapes"][0]["points"] == [[4, 5], [6, 5], [6, 8.125]]
    assert (text["imagePath"], text["imageWidth"], text["imageHeight"]) == ("1_aug02.jpg", 12, 11)
    assert text["flags"] == {"night": False, "day": True}
    assert LABELME.place(sample, dataset) == "a"
    assert LABELME.beside(sample, dataset, "a/1") == (Beside("labelme", "a/1", ".json"),)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (shape("rectangle", (9, 2), (1, 7.5)), Object("cat", (1, 2, 9, 7.5))),
        (shape("rectangle", (1, 2), (9, 2), (9, 7), (1, 7)), Object("cat", (1, 2, 9, 7))),
        (shape(None, (1, 2), (9, 2), (9, 7)), Object("cat", rings=(array("d", [1, 2, 9, 2, 9, 7]),))),
        (
            shape("oriented_rectangle", (5, 1), (9, 5), (5, 9), (1, 5)),
            Object("cat", corners=array("d", [5, 1, 9, 5, 5, 9, 1, 5])),
        ),
        (shape("point", (3, 4)), Object("cat", keypoints=array("d", [3, 4, 2]), extra={"shape": "point"})),
        (
            shape("points", (3, 4), (0, 0)),
            Object("cat", keypoints=array("d", [3, 4, 2, 0, 0, 2]), extra={"shape": "points"}),
        ),
        (
            shape("line", (3, 4), (5, 6)),
            Object("cat", keypoints=array("d", [3, 4, 2, 5, 6, 2]), extra={"shape": "line"}),
        ),
        (
            shape("linestrip", (3, 4), (5, 6), (7, 7)),
            Object("cat", keypoints=array("d", [3, 4, 2, 5, 6, 2, 7, 7, 2]), extra={"shape": "polyline"}),
        ),
        (shape("polygon", (1, 2), (9, 2), label=""), Object(None, rings=(array("d", [1, 2, 9, 2]),))),
        (shape("rectangle", (1, 2), (3, 4), label=7), Object("7", (1, 2, 3, 4))),
    ],
)
def test_shapes(tmp_path, given, expected):
    dataset = read(tmp_path, given)
    assert only(dataset) == expected
    assert flaws(dataset.warnings) == []


def test_every_shape_comes_out_as_itself(tmp_path):
    shapes = [
        shape("rectangle", (1, 2), (9, 7.5)),
        shape("oriented_rectangle", (5, 1), (9, 5), (5, 9), (1, 5)),
        shape("point", (3, 4)),
        shape("points", (3, 4), (1, 1)),
        shape("line", (3, 4), (5, 6)),
        shape("linestrip", (3, 4), (5, 6), (7, 7)),
        shape("circle", (10.1, 10.3), (14.25, 10.3), description="round"),
        shape("mask", (2, 3), (4, 4), mask=png([[1, 0, 1], [0, 1, 0]])),
    ]
    dataset = read(tmp_path, *shapes)
    assert dataset.poses == {"": Pose(swap=(0, 1, 2))}
    written = json.loads(write(dataset))["shapes"]
    masks = [np.array(Image.open(io.BytesIO(base64.b64decode(s.pop("mask"))))) > 0 for s in (shapes[-1], written[-1])]
    assert written == shapes
    assert np.array_equal(*masks)


def test_a_mask_lies_where_its_box_says(tmp_path):
    thing = only(read(tmp_path, shape("mask", (28, 1), (26, -1), mask=png(np.ones((3, 5))))))
    expected = np.zeros((20, 30), np.uint8)
    expected[:2, 26:] = 1
    assert np.array_equal(rle_decode(thing.rle), expected)


def test_a_circle_stays_one_under_a_turn_and_becomes_a_polygon_under_a_squeeze(tmp_path):
    dataset = read(tmp_path, shape("circle", (10, 8), (13, 12)))
    (sample,) = dataset.samples
    ring = np.array(only(dataset).rings[0]).reshape(-1, 2)
    assert len(ring) == 64
    assert np.allclose(np.hypot(*(ring - [10, 8]).T), 5)
    for matrix, kind, points in [
        ([[0, -1], [1, 0]], "circle", [[-8, 10], [-12, 13]]),
        ([[-2, 0], [0, 2]], "circle", [[-20, 16], [-26, 24]]),
        ([[1, 0], [0, 2]], "polygon", None),
    ]:
        moved = Object(
            "cat", rings=(array("d", (ring @ np.array(matrix).T).round(3).ravel()),), extra={"shape": "circle"}
        )
        row = row_of(sample, 1, objects=[to_row(moved, 1.0)])
        (written,) = json.loads(LABELME.label_file(row, sample, dataset))["shapes"]
        assert written["shape_type"] == kind
        if points:
            assert np.allclose(written["points"], points, atol=0.01)


@pytest.mark.parametrize(
    ("kind", "points", "expected"),
    [
        ("polyline", [1, 1, 2, 0, 0, 0, 2, 2, 2], ("linestrip", [[1, 1], [2, 2]])),
        ("polyline", [1, 1, 2, 0, 0, 0], ("point", [[1, 1]])),
        ("line", [1, 1, 2, 0, 0, 0], ("point", [[1, 1]])),
        ("points", [0, 0, 0, 3, 1, 2], ("points", [[3, 1]])),
        ("cuboid", [1, 1, 2, 3, 1, 2], ("points", [[1, 1], [3, 1]])),
    ],
)
def test_lines_that_were_cut(tmp_path, kind, points, expected):
    dataset = read(tmp_path)
    (sample,) = dataset.samples
    thing = Object("cat", keypoints=array("d", points), extra={"shape": kind})
    row = row_of(sample, 1, objects=[to_row(thing, None)])
    (written,) = json.loads(LABELME.label_file(row, sample, dataset))["shapes"]
    assert (written["shape_type"], written["points"]) == expected


def test_written_from_another_format():
    mask = np.zeros((20, 30), np.uint8)
    mask[4:6, 7:10] = 1
    objects = (
        Object("cat", (1, 2, 4, 6), extra={"difficult": 1}),
        Object(None, rings=(array("d", [0, 0, 4, 0, 4, 4]), array("d", [9, 9, 12, 9, 12, 12]))),
        Object("dog", rle=rle_encode(mask, plain=True), extra={"group_id": 4}),
        Object("ship", corners=array("d", [5, 1, 9, 5, 5, 9, 1, 5])),
    )
    sample = Sample("deep/1.png", Annotations({"street": 1.0}, objects=objects, extra={"licence": 3}), "val")
    dataset = Dataset("r", "coco", (sample,), ("cat", "dog", "ship", "street"))
    text = json.loads(LABELME.label_file(row_of(sample, file_name="val/1.png"), sample, dataset))
    png_text = text["shapes"][3].pop("mask")
    assert text == {
        "version": "5.5.0",
        "flags": {"street": True},
        "shapes": [
            shape("rectangle", (1, 2), (4, 6), difficult=1),
            shape("polygon", (0, 0), (4, 0), (4, 4), label="", group_id=5),
            shape("polygon", (9, 9), (12, 9), (12, 12), label="", group_id=5),
            shape("mask", (7, 4), (9, 5), label="dog", group_id=4),
            shape("oriented_rectangle", (5, 1), (9, 5), (5, 9), (1, 5), label="ship"),
        ],
        "imagePath": "1.png",
        "imageData": None,
        "imageHeight": 20,
        "imageWidth": 30,
    }
    assert np.array_equal(np.array(Image.open(io.BytesIO(base64.b64decode(png_text)))), np.full((2, 3), 255))
    assert LABELME.place(sample, dataset) == "val"
    assert list(LABELME.write([], dataset)) == []
    assert LABELME.lost(frozenset({"boxes", "keypoints", "crowds", "class"})) == {"keypoints", "crowds"}
    LABELME.check(dataset, mixes=False)
    with pytest.raises(InputError, match="weighted labels of a mix"):
        LABELME.check(dataset, mixes=True)


def test_lists_of_labels_are_kept_and_order_the_classes(tmp_path):
    names = "__ignore__\r\n_background_\r\ndog\r\ncat\r\n"
    files = {
        "labels.txt": names,
        "data/1.jpg": "x",
        "data/1.json": document([shape("rectangle", (1, 1), (2, 2)), shape("rectangle", (1, 1), (2, 2), label="ant")]),
        "exports/JPEGImages/1.jpg": "x",
        "exports/class_names.txt": "x",
    }
    dataset = LABELME.read(plant(tmp_path, files), ReadOptions())
    assert dataset.classes == ("dog", "cat", "ant")
    assert [(name, "".join(text)) for name, text in LABELME.write([], dataset)] == [("labels.txt", names)]
    assert flaws(dataset.warnings) == [("left-out", "exports/JPEGImages/1.jpg")]
    assert dataset.digest.startswith("labels.txt:")
    chosen = LABELME.read(str(tmp_path), ReadOptions(labels="data/"))
    assert (chosen.samples, chosen.warnings) == (dataset.samples, ())
    with pytest.raises(InputError, match=r"no .json file in 'gone'"):
        LABELME.read(str(tmp_path), ReadOptions(labels="gone"))


@pytest.mark.parametrize(
    ("named", "files", "image", "codes"),
    [
        ("1.jpg", ["a/1.jpg"], "a/1.jpg", []),
        ("..\\images\\9.jpg", ["images/9.jpg", "a/1.jpg"], "images/9.jpg", ["left-out"]),
        ("C:\\data\\1.jpg", ["a/1.jpg"], "a/1.jpg", []),
        ("/home/me/old name.jpg", ["a/1.png"], "a/1.png", []),
        ("old.jpg", ["a/1.jpg", "b/old.jpg"], "a/1.jpg", ["left-out"]),
        ("2.jpg", ["b/2.jpg", "b/3.jpg"], "b/2.jpg", ["no-label"]),
        ("Cat (1).JPG", ["a/cat (1).jpg"], "a/cat (1).jpg", ["name-differs"]),
        (7, ["a/1.jpg"], "a/1.jpg", []),
    ],
)
def test_which_image_is_meant(tmp_path, named, files, image, codes):
    root = plant(tmp_path, {"a/1.json": document(image=named), **dict.fromkeys(files, "x")})
    dataset = LABELME.read(root, ReadOptions())
    assert [s.id for s in dataset.samples if s.annotations.extra] == [image]
    assert [code for code, _ in flaws(dataset.warnings)] == codes


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{", "unreadable-label"),
        ("", "unreadable-label"),
        ('{"shapes": ' + "[" * 100_000, "unreadable-label"),
        (b"\xff\xfe\x00", "unreadable-label"),
        (document(image="gone.jpg"), "missing-file"),
        (document(image="/etc/passwd"), "outside-input"),
        (document(image="../../../etc/passwd"), "outside-input"),
        (document(image="gone.jpg", imageData="aGk="), "missing-file"),
    ],
)
def test_a_label_file_that_cannot_be_used_fails_its_image(tmp_path, text, code):
    root = plant(tmp_path, {"1.jpg": "x", "1.json": document(), "2.json": text})
    dataset = LABELME.read(root, ReadOptions())
    assert [s.id for s in dataset.samples] == ["1.jpg"]
    assert flaws(dataset.failed) == [(code, "2.json")]
    root = plant(tmp_path, {"2.jpg": "x"})
    dataset = LABELME.read(root, ReadOptions())
    if code == "unreadable-label":
        assert [s.id for s in dataset.samples] == ["1.jpg"]
        assert flaws(dataset.failed) == [(code, "2.jpg")]


def test_bad_shapes_are_left_out_and_the_others_stay(tmp_path):
    good = shape("rectangle", (1, 1), (2, 2))
    bad = [
        "no shape",
        shape("rectangle", (1, 1)),
        shape("rectangle", (1, 1), (2, 3), (4, 5), (0, 9)),
        shape("circle", (1, 1)),
        shape("balloon", (1, 1)),
        shape(["x"], (1, 1)),
        shape("polygon"),
        shape("polygon", (1, 2, 3)),
        shape("polygon", (True, 1)),
        shape("point", (10**400, 1)),
        shape("mask", (1, 1), (2, 2)),
        shape("mask", (1, 1), (2, 2), mask="no base64!"),
        shape("mask", (1, 1), (2, 2), mask="aGVsbG8="),
        {**good, "points": None},
        {**good, "label": {"a": 1}},
    ]
    dataset = read(tmp_path, *bad, good)
    assert only(dataset) == Object("cat", (1, 1, 2, 2))
    (flaw,) = dataset.warnings
    assert (flaw.code, flaw.source) == ("unreadable-shape", "1.jpg")
    assert flaw.message == f"1.json: shape 1 is left out: it is no object (and {len(bad) - 1} more)"


def test_numbers_that_are_not_finite_are_left_to_the_worker(tmp_path):
    text = document([shape("polygon", (1, 1), (2, 2), (3, 9))]).replace("9", "Infinity")
    thing = only(LABELME.read(plant(tmp_path, {"1.jpg": "x", "1.json": text}), ReadOptions()))
    assert thing.rings[0][-1] == float("inf")


def test_fields_that_could_not_be_written_again_are_left_out(tmp_path):
    deep = json.loads("[" * 200 + "]" * 200)
    text = document([shape("rectangle", (1, 1), (2, 2), deep=deep, half="\ud800", fine=[1])], odd="\udc00")
    root = plant(tmp_path, {"1.jpg": "x", "1.json": text.encode("utf-8", "surrogatepass")})
    assert flaws(LABELME.read(root, ReadOptions()).failed) == [("unreadable-label", "1.jpg")]
    root = plant(tmp_path, {"1.json": json.dumps(json.loads(text))})
    dataset = LABELME.read(root, ReadOptions())
    assert only(dataset).extra == {"fine": [1]}
    assert "other" not in dataset.samples[0].annotations.extra
    assert flaws(dataset.warnings) == [("unreadable-field", "1.jpg")]
    assert "(and 2 more)" in dataset.warnings[0].message


def test_what_a_person_should_know(tmp_path):
    files = {
        "1.jpg": "x",
        "1.json": document(imageData="aGk="),
        "2.jpg": "x",
        "again.json": document(image="1.jpg"),
        "coco.json": '{"images": [], "annotations": []}',
        "summary.json": "{}",
        "bom.jpg": "x",
        "bom.json": b"\xef\xbb\xbf" + document(image="bom.jpg").replace("\n", "\r\n").encode(),
        "odd.jpg": "x",
        "odd.json": document(image="odd.jpg", flags=["x"], imageWidth="30", version=None),
    }
    dataset = LABELME.read(plant(tmp_path, files), ReadOptions())
    assert [s.id for s in dataset.samples] == ["1.jpg", "2.jpg", "bom.jpg", "odd.jpg"]
    assert dataset.samples[1].annotations == Annotations()
    assert dataset.samples[3].annotations == Annotations(extra={"version": "5.5.0"})
    assert sorted(flaws(dataset.warnings)) == [
        ("image-data", "1.jpg"),
        ("no-label", "2.jpg"),
        ("not-labelme", "coco.json"),
        ("repeated-label", "1.jpg"),
    ]
    assert json.loads(LABELME.label_file(row_of(dataset.samples[0]), dataset.samples[0], dataset))["imageData"] is None


def test_splits_are_folders(tmp_path):
    root = plant(
        tmp_path, {f"{s}/1.{e}": document() if e == "json" else "x" for s in ("train", "Val") for e in ("jpg", "json")}
    )
    dataset = LABELME.read(root, ReadOptions())
    assert [(s.id, s.split) for s in dataset.samples] == [("Val/1.jpg", "val"), ("train/1.jpg", "train")]


def test_detected(tmp_path):
    assert LABELME.detect(plant(tmp_path, {"x/coco.json": '{"images": []}', "summary.json": document()})) == ""
    embedded = json.dumps({"imageData": "A" * 200_000, "version": "4", "shapes": [], "imagePath": "1.jpg"})
    assert LABELME.detect(plant(tmp_path, {"a/b/1.json": embedded})) == "a/b/1.json"
    assert LABELME.detect(plant(tmp_path, {"a/0.json": document()})) == "a/0.json"


def test_the_older_xml_is_refused_by_name(tmp_path):
    xml = "<annotation><filename>1.png</filename><object><name>x</name><deleted>0</deleted></object></annotation>"
    with pytest.raises(InputError, match=r"Annotations/s/1.xml is LabelMe's older XML"):
        LABELME.detect(plant(tmp_path, {"Annotations/s/1.xml": xml}))


@pytest.mark.parametrize("files", [{"1.jpg": "x"}, {"1.jpg": "x", "a.json": "{}"}, {"1.jpg": "x", "a.json": "[1]"}])
def test_nothing_to_read(tmp_path, files):
    with pytest.raises(InputError, match="no LabelMe JSON among"):
        LABELME.read(plant(tmp_path, files), ReadOptions())


def test_a_huge_size_needs_no_memory(tmp_path):
    dataset = read(tmp_path, shape("mask", (1, 1), (1, 1), mask=png([[1]])), imageWidth=900_000, imageHeight=900_000)
    assert flaws(dataset.warnings) == [("unreadable-shape", "1.jpg")]


def test_a_mask_of_compressed_and_plain_counts_is_written_alike():
    mask = np.zeros((20, 30), np.uint8)
    mask[1:3, 2:9] = 1
    texts = set()
    for plain in (False, True):
        rle = rle_encode(mask, plain)
        assert isinstance(rle, Rle)
        sample = Sample("1.png", Annotations(objects=(Object("cat", rle=rle),)))
        texts.add(LABELME.label_file(row_of(sample), sample, Dataset("r", "coco", (sample,), ("cat",))))
    assert len(texts) == 1
