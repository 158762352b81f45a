"""DOTA, in and out."""

import os
from array import array
from dataclasses import replace

import pytest

from augx import formats, objects
from augx.errors import InputError
from augx.formats import ReadOptions
from augx.formats.dota.format import Dota
from augx.formats.dota.lines import is_dota
from augx.model import Annotations, Beside, Dataset, Object, Sample

TEXT = """imagesource:GoogleEarth
gsd:0.146343590398
10 20 30.5 20 30.123456789012 40 10 40 plane 0
1054 1028 1063 1011 1111 1040 1112 1062 small-vehicle 1
1 2 3 4 5 6 7 8 ship
-1 2 3 4 5 6 7 8
"""


def plant(root, files):
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(root)


def read(root, labels=None):
    return Dota().read(str(root), ReadOptions(labels=labels))


def row(sample, copy=0, things=None):
    things = sample.annotations.objects if things is None else things
    return {
        "file_name": sample.id,
        "source": sample.id,
        "copy": copy,
        "split": sample.split,
        "width": 2000,
        "height": 2000,
        "objects": [objects.to_row(thing, None) for thing in things],
        "mask": None,
        "transforms": [],
    }


def flaws(found):
    return [(flaw.code, flaw.source) for flaw in found]


def test_read_and_written_again(tmp_path):
    text = "\ufeff" + TEXT.replace("\n", "\r\n")
    plant(tmp_path, {"images/P1.png": "", "labelTxt/P1.txt": text, "SOURCE.txt": "x", "classes.txt": "plane\r\n"})
    dataset = read(tmp_path)
    (sample,) = dataset.samples
    assert sample.split is None
    assert sample.annotations.extra == {"imagesource": "GoogleEarth", "gsd": "0.146343590398"}
    plane, vehicle, ship, nameless = sample.annotations.objects
    assert plane == Object(
        "plane", corners=array("d", [10, 20, 30.5, 20, 30.123456789012, 40, 10, 40]), extra={"difficult": 0}
    )
    assert (vehicle.label, vehicle.extra, vehicle.box) == ("small-vehicle", {"difficult": 1}, None)
    assert (ship.label, ship.extra) == ("ship", {})
    assert nameless.label is None
    assert dataset.classes == ("plane", "ship", "small-vehicle")
    assert (dataset.warnings, dataset.failed, dataset.ignored) == ((), (), {".txt": 1})
    dota = Dota()
    dota.check(dataset, False)
    for copy in (0, 1):
        assert dota.label_file(row(sample, copy), sample, replace(dataset, samples=())) == TEXT
    assert dota.place(sample, dataset) == "images"
    assert dota.beside(sample, dataset, "images/P1") == (Beside("dota", "labelTxt/P1", ".txt"),)
    assert [(name, "".join(text)) for name, text in dota.write([], dataset)] == [("classes.txt", "plane\r\n")]


def test_moved_corners_have_two_decimals(tmp_path):
    plant(tmp_path, {"images/P1.png": "", "labelTxt/P1.txt": TEXT})
    dataset = read(tmp_path)
    (sample,) = dataset.samples
    plane, vehicle, *_ = sample.annotations.objects
    moved = replace(plane, corners=array("d", [0.125, 3.14159, 2.999, 4, 5, 6, 7, 8]))
    text = Dota().label_file(row(sample, 1, [vehicle, moved]), sample, dataset)
    assert text.splitlines()[2:] == [
        "1054 1028 1063 1011 1111 1040 1112 1062 small-vehicle 1",
        "0.12 3.14 3 4 5 6 7 8 plane 0",
    ]
    assert "0.125 3.14159 2.999" in Dota().label_file(row(sample, 0, [moved]), sample, dataset)


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_bad_lines_are_named(tmp_path, newline):
    lines = ["imagesource:", "gsd:null", "", "1 2 3 4 5 6 7 eight ship 0", "1 2 3"]
    lines += ["nan inf 3 4 5 6 7 8 ship -1", "note:x"]
    plant(tmp_path, {"images/1.png": "", "labelTxt/1.txt": newline.join(lines)})
    dataset = read(tmp_path)
    (sample,) = dataset.samples
    assert sample.annotations.extra == {"imagesource": "", "gsd": "null"}
    (thing,) = sample.annotations.objects
    assert (str(thing.corners[:2].tolist()), thing.label, thing.extra) == ("[nan, inf]", "ship", {"difficult": -1})
    assert [(flaw.code, flaw.source, flaw.message) for flaw in dataset.warnings] == [
        ("bad-line", "labelTxt/1.txt", "labelTxt/1.txt:4: 'eight' is no number; the line is left out"),
        (
            "bad-line",
            "labelTxt/1.txt",
            "labelTxt/1.txt:5: it has 3 values, not eight numbers, a class and whether it is difficult; "
            "the line is left out",
        ),
        (
            "bad-line",
            "labelTxt/1.txt",
            "labelTxt/1.txt:7: it has 1 values, not eight numbers, a class and whether it is difficult; "
            "the line is left out",
        ),
    ]
    whole = replace(thing, corners=array("d", range(8)))
    assert Dota().label_file(row(sample, 1, [whole]), sample, dataset) == (
        "imagesource:\ngsd:null\n0 1 2 3 4 5 6 7 ship -1\n"
    )


def test_missing_files(tmp_path):
    names = ["train/images/1.png", "train/images/2.png", "train/images/3.png", "val/images/1.png", "other/deep/x.png"]
    plant(tmp_path, dict.fromkeys(names, ""))
    plant(tmp_path, {"train/labelTxt/1.txt": "", "train/labelTxt/2.txt": b"\xff\xfe\0", "train/labelTxt/9.txt": TEXT})
    dataset = read(tmp_path)
    assert [(s.id, s.split, s.annotations) for s in dataset.samples] == [
        ("train/images/1.png", "train", Annotations()),
        ("train/images/3.png", "train", Annotations(extra={"annotated": False})),
        ("val/images/1.png", "val", Annotations(extra={"annotated": False})),
    ]
    assert flaws(dataset.failed) == [("unreadable-label", "train/images/2.png")]
    assert flaws(dataset.warnings) == [
        ("no-image", "train/labelTxt/9.txt"),
        ("unused-folder", "other/deep"),
        ("no-label", "train/images/3.png"),
        ("no-label", "val/images/1.png"),
    ]
    assert [len(Dota().beside(sample, dataset, "x/y")) for sample in dataset.samples] == [1, 0, 0]
    assert Dota().label_file(row(dataset.samples[0]), dataset.samples[0], dataset) == ""


def test_long_numbers(tmp_path):
    lines = f"{'1' * 65} 2 3 4 5 6 7 8 ship 0\n1e64 2 3 4 5 6 7 1e-9 ship 0\n"
    plant(tmp_path, {"images/1.png": "", "labelTxt/1.txt": lines})
    dataset = read(tmp_path)
    (sample,) = dataset.samples
    assert flaws(dataset.warnings) == [("bad-line", "labelTxt/1.txt")]
    assert Dota().label_file(row(sample), sample, dataset) == "1e+64 2 3 4 5 6 7 1e-09 ship 0\n"


def test_labels_of_several_versions(tmp_path):
    files = {"images/1.png": "", "labelTxt-v1.0/1.txt": TEXT, "labelTxt-v1.5/1.txt": TEXT}
    plant(tmp_path, files)
    with pytest.raises(InputError, match="has labels in") as caught:
        read(tmp_path)
    assert caught.value.hint == "choose one: `--labels labelTxt-v1.0` or `--labels labelTxt-v1.5`"
    plant(tmp_path, {"labelTxt-v1.5/1.txt": "1 2 3 4 5 6 7 8 9 0"})
    dataset = read(tmp_path, "labelTxt-v1.5")
    assert dataset.classes == ("9",)
    assert dataset.details.folders == {"images": "labelTxt-v1.5"}
    assert repr(dataset.details) == "Details()"


def test_nothing_to_read(tmp_path):
    plant(tmp_path, {"images/1.png": "", "labels/1.txt": "0 0.1 0.1 0.2 0.1 0.2 0.2 0.1 0.2\n"})
    with pytest.raises(InputError, match="no label files of DOTA"):
        read(tmp_path)
    with pytest.raises(InputError, match="no labels in a folder 'gone'"):
        read(tmp_path, "gone")
    plant(tmp_path, {"labelTxt/9.txt": TEXT})
    with pytest.raises(InputError, match="none of its 1 label files has an image"):
        read(tmp_path)
    with pytest.raises(InputError, match="no table"):
        Dota().read(str(tmp_path), ReadOptions(columns={"file": "a"}))


def test_a_pipe_is_not_waited_for(tmp_path):
    plant(tmp_path, {"images/1.png": "", "labelTxt/1.txt": TEXT})
    os.mkfifo(tmp_path / "labelTxt" / "2.txt")
    assert len(read(tmp_path).samples) == 1


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"images/1.png": "", "labelTxt/1.txt": TEXT}, "labelTxt/1.txt"),
        ({"images/1.png": "", "labelTxt/1.txt": ""}, "labelTxt/1.txt"),
        ({"t/images/1.png": "", "t/labelTxt-v2.0/1.txt": "imagesource:x\ngsd:1\n"}, "t/labelTxt-v2.0/1.txt"),
        ({"images/1.png": "", "labelTxt/1.txt": "0.1 0.1 0.2 0.1 0.2 0.2 0.1 0.2 a 0"}, "labelTxt/1.txt"),
        ({"images/1.png": "", "annfiles/1.txt": "", "annfiles/2.txt": TEXT}, "annfiles/1.txt"),
        ({"images/1.png": "", "labels/1.txt": ""}, ""),
        ({"images/1.png": "", "labels/1.txt": "0 0.5 0.5 0.1 0.1\n"}, ""),
        ({"images/1.png": "", "labels/1.txt": "0 0.1 0.1 0.2 0.1 0.2 0.2 0.1 0.2\n"}, ""),
        ({"images/1.png": "", "labels/1.txt": "17 0.1 0.1 0.2 0.1 0.2 0.2 0.1 0.2\n"}, ""),
        ({"images/1.png": "", "labels/1.txt": "0.1 0.1 0.2 0.1 0.2 0.2 0.1 0.2 a 0\n"}, ""),
        ({"images/1.png": "", "notes/1.txt": TEXT}, ""),
        ({"images/1.png": "", "labelTxt/1.txt": "hello"}, ""),
    ],
)
def test_detect(tmp_path, files, reason):
    assert Dota().detect(plant(tmp_path, files)) == reason


def test_a_glance_at_lines():
    assert is_dota(b"", True) is None
    assert is_dota(b"\xff\xfe\x00", True) is False
    assert is_dota(b"17 0.1 0.1 0.2 0.1 0.2 0.2 0.1 0.2", False) is False
    assert is_dota(b"1 2 3 4 5 6 7 8", False) is False
    assert is_dota(b"1 2 3 4 5 6 7 8", True) is True


def test_written_from_another_format():
    box = Object("car", (1.5, 2, 11, 12.25), extra={"difficult": True, "truncated": 1})
    turned = Object("boat", (0, 0, 9, 9), corners=array("d", range(8)), extra={"difficult": "no"})
    plain = Object("boat", corners=array("d", range(8)))
    train = Sample("a/1.png", Annotations(objects=(box, turned, plain), extra={"coco_url": "x", "gsd": 0.5}), "train")
    none = Sample("a/2.png")
    dataset = Dataset("/nowhere", "coco", (train, none))
    dota = Dota()
    dota.check(dataset, False)
    assert [dota.place(sample, dataset) for sample in dataset.samples] == ["train/images", "images"]
    assert dota.beside(train, dataset, "train/images/1") == (Beside("dota", "train/labelTxt/1", ".txt"),)
    assert dota.beside(none, dataset, "images/2") == (Beside("dota", "labelTxt/2", ".txt"),)
    things = [objects.to_row(thing, None) for thing in train.annotations.objects]
    things.append({"label": "x", "bbox": None, "keypoints": [1, 2, 2]})
    assert dota.label_file(row(train) | {"objects": things}, train, replace(dataset, samples=())) == (
        "gsd:0.5\n1.5 2 11 2 11 12.25 1.5 12.25 car 1\n0 1 2 3 4 5 6 7 boat 0\n0 1 2 3 4 5 6 7 boat 0\n"
    )
    assert list(dota.write([], dataset)) == []


@pytest.mark.parametrize("label", ["traffic light", "", " ", "a\tb"])
def test_a_class_is_one_word(label):
    sample = Sample("a.png", Annotations(objects=(Object(label, (0, 0, 1, 1)),)))
    with pytest.raises(InputError, match="is not one word"):
        Dota().check(Dataset("/nowhere", "coco", (sample,)), False)


def test_a_split_that_is_no_folder():
    with pytest.raises(InputError, match="cannot be the name of a folder"):
        Dota().check(Dataset("/nowhere", "coco", (Sample("a.png", split="../x"),)), False)


def test_it_is_the_format_called_dota():
    assert isinstance(formats.load("dota"), Dota)
    assert formats.FORMATS["dota"].summary == Dota.summary
