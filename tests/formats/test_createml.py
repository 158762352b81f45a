"""CreateML: reading, writing, and what is wrong with files of it."""

import json

import pytest

from augx.errors import InputError
from augx.formats import ReadOptions, load
from augx.model import Annotations, Dataset, Object, Sample
from augx.objects import to_row

CREATEML = load("createml")


def plant(root, files):
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return str(root)


def read(root, files, **options):
    return CREATEML.read(plant(root, files), ReadOptions(**options))


def flaws(found):
    return [(flaw.code, flaw.source, flaw.message) for flaw in found]


def box(label="cat", x=10, y=20, width=4, height=8, **more):
    return {"label": label, "coordinates": {"x": x, "y": y, "width": width, "height": height}, **more}


def document(*entries):
    return json.dumps(entries)


def entry(image, *boxes, **more):
    return {"image": image, "annotations": list(boxes), **more}


def row(name, objects=(), split=None, source=None):
    return {
        "file_name": name,
        "source": source or name,
        "copy": 0,
        "split": split,
        "width": 40,
        "height": 40,
        "labels": {},
        "objects": [to_row(thing, None) for thing in objects],
    }


def rows_of(dataset):
    return [row(s.id, s.annotations.objects, s.split) for s in dataset.samples]


def written(rows, dataset):
    return {name: "".join(texts) for name, texts in CREATEML.write(rows, dataset)}


ROBOFLOW = {
    "train/_annotations.createml.json": document(
        entry("1.jpg", box(), box("dog", 5.5, 6.25, 1, 2)), entry("2.jpg"), entry("sub/3.jpg", box())
    ),
    "valid/_annotations.createml.json": document(entry("4.jpg", box("bird"))),
    **dict.fromkeys(("train/1.jpg", "train/2.jpg", "train/sub/3.jpg", "valid/4.jpg"), "x"),
}


def test_boxes_are_read_by_their_centres(tmp_path):
    dataset = read(tmp_path, ROBOFLOW)
    assert [(sample.id, sample.split) for sample in dataset.samples] == [
        ("train/1.jpg", "train"),
        ("train/2.jpg", "train"),
        ("train/sub/3.jpg", "train"),
        ("valid/4.jpg", "val"),
    ]
    assert dataset.samples[0].annotations.objects == (
        Object("cat", (8, 16, 12, 24)),
        Object("dog", (5, 5.25, 6, 7.25)),
    )
    assert dataset.samples[1].annotations == Annotations()
    assert dataset.classes == ("bird", "cat", "dog")
    assert dataset.failed == dataset.warnings == ()
    assert dataset.ignored == {}


def test_what_was_read_comes_out_again(tmp_path):
    dataset = read(tmp_path, ROBOFLOW)
    texts = written(rows_of(dataset), dataset)
    assert texts["train/_annotations.createml.json"] == (
        '[\n{"image": "1.jpg", "annotations": ['
        '{"label": "cat", "coordinates": {"x": 10, "y": 20, "width": 4, "height": 8}}, '
        '{"label": "dog", "coordinates": {"x": 5.5, "y": 6.25, "width": 1, "height": 2}}]},\n'
        '{"image": "2.jpg", "annotations": []},\n'
        '{"image": "sub/3.jpg", "annotations": ['
        '{"label": "cat", "coordinates": {"x": 10, "y": 20, "width": 4, "height": 8}}]}\n]\n'
    )
    assert {name: json.loads(text) for name, text in texts.items()} == {
        name: json.loads(text) for name, text in ROBOFLOW.items() if name.endswith(".json")
    }
    assert [CREATEML.place(sample, dataset) for sample in dataset.samples] == ["train", "train", "train/sub", "valid"]
    assert {name: json.loads(text) for name, text in written([], dataset).items()} == {
        "train/_annotations.createml.json": [],
        "valid/_annotations.createml.json": [],
    }


def test_other_keys_are_kept(tmp_path):
    odd = box(confidence=0.5, tags=["a"])
    odd["coordinates"]["angle"] = 3
    files = {"a.json": document(entry("1.jpg", odd, licence={"id": 1})), "images/1.jpg": "x"}
    dataset = read(tmp_path, files)
    (sample,) = dataset.samples
    assert sample.annotations.extra == {"licence": {"id": 1}}
    assert sample.annotations.objects[0].extra == {
        "confidence": 0.5,
        "tags": ["a"],
        "coordinates": {"angle": 3},
    }
    copies = [*rows_of(dataset), row("images/1_aug01.jpg", sample.annotations.objects, source="images/1.jpg")]
    again = json.loads(written(copies, dataset)["a.json"])
    assert again == [json.loads(files["a.json"])[0], {**json.loads(files["a.json"])[0], "image": "1_aug01.jpg"}]


def test_older_keys(tmp_path):
    text = json.dumps([{"imagefilename": "1.jpg", "annotation": [box()]}])
    dataset = read(tmp_path, {"a.json": text, "1.jpg": "x"})
    assert len(dataset.samples[0].annotations.objects) == 1
    assert json.loads(written(rows_of(dataset), dataset)["a.json"]) == json.loads(text)


def test_splits_of_folders_where_one_file_tells_of_all(tmp_path):
    text = "\ufeff" + document(entry("train/1.jpg", box()), entry("val\\2.jpg"))
    dataset = read(tmp_path, {"annotations.json": text, "train/1.jpg": "x", "val/2.jpg": "x"})
    assert [(sample.id, sample.split) for sample in dataset.samples] == [("train/1.jpg", "train"), ("val/2.jpg", "val")]
    assert [e["image"] for e in json.loads(written(rows_of(dataset), dataset)["annotations.json"])] == [
        "train/1.jpg",
        "val/2.jpg",
    ]


def test_what_is_wrong_is_told_of_and_the_rest_stays(tmp_path):
    bad = [
        box(x="a"),
        box(x=None),
        box(x=True),
        {"label": "cat"},
        box(None),
        box("\ud800"),
        "box",
        box(x=10**400),
    ]
    text = json.dumps(
        [
            entry("1.jpg", *bad, box()),
            entry("9.jpg"),
            entry("../secret.jpg"),
            "1.jpg",
            {"annotations": []},
            entry("\ud800.jpg"),
            {"image": "2.jpg", "annotations": 3},
            entry("1.jpg", box("dog")),
            entry("3.jpg", box(deep=json.loads("[" * 150 + "]" * 150))),
            {"image": "4.jpg", "annotations": None},
        ]
    ).replace('"x": "a"', '"x": NaN')
    dataset = read(tmp_path, {"a.json": text, "1.jpg": "x", "2.jpg": "x", "3.jpg": "x", "4.jpg": "x", "5.jpg": "x"})
    assert {s.id: [thing.label for thing in s.annotations.objects] for s in dataset.samples} == {
        "1.jpg": ["cat", "cat", "dog"],  # the first has NaN, which is seen to where the picture is known
        "2.jpg": [],
        "3.jpg": ["cat"],
        "4.jpg": [],
    }
    assert dataset.samples[2].annotations.objects[0].extra == {}
    assert flaws(dataset.failed) == [
        ("missing-file", "9.jpg", "a.json: image 2: there is no such image"),
        ("outside-input", "../secret.jpg", "a.json: image 3: the path leads out of INPUT"),
        ("unreadable-row", "a.json", "a.json: image 4: it names no image"),
        ("unreadable-row", "a.json", "a.json: image 5: it names no image"),
        ("unreadable-row", "a.json", "a.json: image 6: it names no image"),
    ]
    start = "a.json: image 1 (1.jpg): a box is left out: its coordinates are no x, y, width, height"
    nameless = "a.json: image 1 (1.jpg): a box is left out: it has no label"
    assert flaws(dataset.warnings) == [
        *[("bad-annotation", "1.jpg", start)] * 3,
        *[("bad-annotation", "1.jpg", nameless)] * 2,
        *[("bad-annotation", "1.jpg", start)] * 2,
        ("bad-annotation", "2.jpg", "a.json: image 7 (2.jpg): annotations is no list"),
        ("repeated-row", "1.jpg", "a.json: image 8 (1.jpg): the image is there already; boxes are joined"),
        (
            "field-left-out",
            "3.jpg",
            "a.json: image 9 (3.jpg): other fields are left out: it is nested more than 100 deep",
        ),
        ("no-row", "5.jpg", "no label file names it"),
    ]


@pytest.mark.parametrize(
    ("files", "options", "message"),
    [
        ({"a.json": "[{", "1.jpg": "x"}, {"labels": "a.json"}, "a.json:1: it is no JSON"),
        ({"a.json": "{}", "1.jpg": "x"}, {"labels": "a.json"}, "a.json is no list of images"),
        ({"a.json": "[" * 100_000, "1.jpg": "x"}, {"labels": "a.json"}, "a.json"),
        ({"a.json": document(entry("9.jpg")), "1.jpg": "x"}, {"labels": "a.json"}, "no image of a.json can be used"),
        ({"a.json": "{}", "1.jpg": "x"}, {}, "no CreateML labels at the top or one folder down"),
        ({"a.json": "[]", "1.jpg": "x"}, {"labels": "b"}, "'b' holds no CreateML labels"),
        (
            {"a.json": document(entry("1.jpg", box())), "b.json": document(entry("1.jpg", box())), "1.jpg": "x"},
            {},
            "1.jpg is in several label files of a.json, b.json",
        ),
        ({"a.json": "[]", "1.jpg": "x"}, {"table": "a.csv"}, "CreateML has no table"),
    ],
)
def test_refused(tmp_path, files, options, message):
    with pytest.raises(InputError) as caught:
        read(tmp_path, files, **options)
    assert message in caught.value.message
    assert caught.value.hint


def test_too_large(tmp_path, monkeypatch):
    monkeypatch.setattr("augx.formats.createml.MAX_BYTES", 10)
    with pytest.raises(InputError, match=r"a\.json: it is larger than"):
        read(tmp_path, {"a.json": document(entry("1.jpg")), "1.jpg": "x"}, labels="a.json")


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        (ROBOFLOW, "train/_annotations.createml.json and 1 more"),
        ({"x.json": document(entry("1.jpg", box())), "1.jpg": "x"}, "x.json"),
        ({"x.json": document(entry("1.jpg")), "1.jpg": "x"}, ""),
        ({"_annotations.createml.json": document(entry("1.jpg")), "1.jpg": "x"}, "_annotations.createml.json"),
        ({"x.json": '{"images": [], "annotations": []}', "1.jpg": "x"}, ""),
        ({"x.json": '[{"file_name": "1.jpg", "coordinates": 1}]', "1.jpg": "x"}, ""),
        ({"a/b/x.json": document(entry("1.jpg", box())), "1.jpg": "x"}, ""),
        ({"1.jpg": "x"}, ""),
    ],
)
def test_detect(tmp_path, files, reason):
    assert CREATEML.detect(plant(tmp_path, files)) == reason


def test_another_format_becomes_a_file_for_each_split():
    samples = [
        Sample(
            "a/1.jpg",
            Annotations(objects=(Object("cat", (0, 0, 4, 8), extra={"label": 1, "difficult": True}),)),
            "train",
        ),
        Sample("a/2.jpg", Annotations(extra={"id": 3}), "val"),
        Sample("a/3.jpg"),
    ]
    dataset = Dataset("in", "voc", tuple(samples), ("cat",))
    CREATEML.check(dataset, False)
    places = [CREATEML.place(sample, dataset) for sample in samples]
    assert places == ["train", "val", ""]
    rows = [
        row("train/1.jpg", samples[0].annotations.objects, "train", "a/1.jpg"),
        row("val/2.jpg", (), "val", "a/2.jpg"),
        row("3.jpg", (), None, "a/3.jpg"),
    ]
    assert written(rows, dataset) == {
        "_annotations.createml.json": '[\n{"image": "3.jpg", "annotations": []}\n]\n',
        "train/_annotations.createml.json": '[\n{"image": "1.jpg", "annotations": [{"label": "cat", "coordinates": '
        '{"x": 2, "y": 4, "width": 4, "height": 8}, "difficult": true}]}\n]\n',
        "val/_annotations.createml.json": '[\n{"image": "2.jpg", "annotations": []}\n]\n',
    }
    assert written([], dataset).keys() == written(rows, dataset).keys()


def test_check():
    nameless = Sample("1.jpg", Annotations(objects=(Object(None, (0, 0, 1, 1)),)))
    with pytest.raises(InputError, match=r"images with objects of no class: 1; the first is 1\.jpg"):
        CREATEML.check(Dataset("in", "voc", (nameless,)), False)
    with pytest.raises(InputError, match="the split 'a/b' cannot be the name"):
        CREATEML.check(Dataset("in", "voc", (Sample("1.jpg", split="a/b"),)), False)
