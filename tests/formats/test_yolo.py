"""Reading YOLO: lines, layouts, splits, names, and what is wrong with them."""

import os

import pytest

from augx.errors import InputError
from augx.formats import ReadOptions, load
from augx.formats.yolo import home as yolo_home
from augx.model import Pose

YOLO = load("yolo")
IMAGE = b"x"  # no format looks into it


def plant(root, files):
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return str(root)


def read(root, files, **options):
    return YOLO.read(plant(root, files), ReadOptions(**options))


def flaws(found):
    return [(flaw.code, flaw.source, flaw.message) for flaw in found]


def one(tmp_path, text, yaml="names: [cat, dog]\ntrain: images\n"):
    """The dataset of one image with this label file."""
    return read(tmp_path, {"data.yaml": yaml, "images/1.jpg": IMAGE, "labels/1.txt": text})


def things(dataset):
    (sample,) = dataset.samples
    assert sample.annotations.relative
    return sample.annotations.objects


POSE = "names: [cat]\ntrain: images\nkpt_shape: [2, {}]\n"


def test_boxes(tmp_path):
    dataset = one(tmp_path, "1 0.5 0.5 0.25 0.5\r\n\r\n0 0.25 0.75 .5 5e-1 \n")
    assert dataset.details.task == "detect"
    assert [(thing.label, thing.box) for thing in things(dataset)] == [
        ("dog", (0.375, 0.25, 0.625, 0.75)),
        ("cat", (0.0, 0.5, 0.5, 1.0)),
    ]
    assert dataset.classes == ("cat", "dog")
    assert dataset.warnings == dataset.failed == ()
    assert dataset.ignored == {}


def test_polygons(tmp_path):
    dataset = one(tmp_path, "0 0 0 1 0 1 1\n1 0 0 1 0 1 1 0 1\n")
    assert dataset.details.task == "segment"
    cat, dog = things(dataset)
    assert cat.box is None
    assert list(map(list, cat.rings)) == [[0, 0, 1, 0, 1, 1]]
    assert list(map(list, dog.rings)) == [[0, 0, 1, 0, 1, 1, 0, 1]]


def test_a_box_among_polygons_is_told_of(tmp_path):
    dataset = one(tmp_path, "0 0 0 1 0 1 1\n1 0.5 0.5 1 1\n1 0.5 0.5 1 1\n")
    assert things(dataset)[1].box == (0, 0, 1, 1)
    message = "labels/1.txt:2: a box in a dataset of polygons is written as a rectangle (and 1 more lines)"
    assert flaws(dataset.warnings) == [("box-among-polygons", "images/1.jpg", message)]


def test_keypoints(tmp_path):
    dataset = one(tmp_path, "0 0.5 0.5 1 1 0.25 0.5 2 0 0 0\n", POSE.format(3) + "flip_idx: [1, 0]\n")
    (cat,) = things(dataset)
    assert cat.box == (0, 0, 1, 1)
    assert list(cat.keypoints) == [0.25, 0.5, 2, 0, 0, 0]
    assert dataset.poses == {"cat": Pose(swap=(1, 0))}


def test_keypoints_without_visibility(tmp_path):
    dataset = one(tmp_path, "0 0.5 0.5 1 1 0.25 0.5 0 0\n", POSE.format(2))
    (cat,) = things(dataset)
    assert list(cat.keypoints) == [0.25, 0.5, 2, 0, 0, 0]
    assert dataset.poses == {"cat": Pose()}


def test_names_of_keypoints_say_what_swaps(tmp_path):
    dataset = one(tmp_path, "", POSE.format(2) + "kpt_names: {0: [left_eye, right_eye]}\n")
    assert dataset.poses == {"cat": Pose(("left_eye", "right_eye"), (), (1, 0))}


def test_a_wrong_flip_idx_is_not_used(tmp_path):
    dataset = one(tmp_path, "", POSE.format(2) + "flip_idx: [1, 1]\n")
    assert dataset.poses == {"cat": Pose()}
    message = "flip_idx is not the numbers 0 to 1 in some order, and is not used"
    assert flaws(dataset.warnings) == [("flip-idx", "data.yaml", message)]


def test_nine_numbers_everywhere_are_oriented_boxes(tmp_path):
    dataset = one(tmp_path, "0 0 0 1 0 1 1 0 1\n")
    assert dataset.details.task == "obb"
    (cat,) = things(dataset)
    assert (cat.box, cat.rings, list(cat.corners)) == (None, (), [0, 0, 1, 0, 1, 1, 0, 1])


def test_task_in_data_yaml_decides(tmp_path):
    dataset = one(tmp_path, "0 0 0 1 0 1 1 0 1\n", "names: [cat]\ntrain: images\ntask: segment\n")
    (cat,) = things(dataset)
    assert list(map(list, cat.rings)) == [[0, 0, 1, 0, 1, 1, 0, 1]]


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("0 0.5 0.5 1\n", "wrong-count", "1: 4 numbers, which is no detect line"),
        ("0 0.5 0.5 1 1 0.9 0.9\n", "wrong-count", "1: 7 numbers, which is no detect line"),
        ("0 0.5 0.5 1 1\n0 a 0.5 1 1\n", "not-a-number", "2: it is no line of numbers: '0 a 0.5 1 1'"),
        ("cat 0.5 0.5 1 1\n", "not-a-number", "1: it is no line of numbers: 'cat 0.5 0.5 1 1'"),
        ("2 0.5 0.5 1 1\n", "unknown-class", "1: there is no class 2 among the names"),
        ("-1 0.5 0.5 1 1\n", "unknown-class", "1: the class -1 is no whole number from 0"),
        ("0.5 0.5 0.5 1 1\n", "unknown-class", "1: the class 0.5 is no whole number from 0"),
        ("1e99 0.5 0.5 1 1\n", "unknown-class", "1: the class 1e99 is no whole number from 0"),
        ("nan 0.5 0.5 1 1\n", "unknown-class", "1: the class nan is no whole number from 0"),
    ],
)
def test_bad_lines_are_left_out_and_the_rest_stays(tmp_path, text, code, said):
    dataset = one(tmp_path, text + "1 0.5 0.5 1 1\n", "names: [cat, dog]\ntrain: images\ntask: detect\n")
    assert [thing.label for thing in things(dataset)][-1] == "dog"
    assert len(things(dataset)) == text.count("\n")
    assert flaws(dataset.warnings) == [(code, "images/1.jpg", f"labels/1.txt:{said}")]


@pytest.mark.parametrize(
    ("yaml", "text", "said"),
    [
        (POSE.format(3), "0 0.5 0.5 1 1 0.5 0.5\n", "7 numbers, but a box and 2 keypoints of 3 numbers are 11"),
        (POSE.format(3), "0 0.5 0.5 1 1\n", "5 numbers, but a box and 2 keypoints of 3 numbers are 11"),
        ("names: [cat]\ntrain: images\ntask: obb\n", "0 0.5 0.5 1 1\n", "5 numbers, which is no obb line"),
        (
            "names: [cat]\ntrain: images\ntask: segment\n",
            "0 0.5 0.5 1 1 1\n",
            "6 numbers, which is no segment line; keypoints need `kpt_shape` in data.yaml",
        ),
    ],
)
def test_lines_of_another_task(tmp_path, yaml, text, said):
    dataset = one(tmp_path, text, yaml)
    assert things(dataset) == ()
    assert flaws(dataset.warnings) == [("wrong-count", "images/1.jpg", f"labels/1.txt:1: {said}")]


def test_confidences_are_left_out(tmp_path):
    dataset = one(tmp_path, "0 0.5 0.5 1 1 0.9\n0 0.5 0.5 1 1 0.8\n")
    assert [thing.box for thing in things(dataset)] == [(0, 0, 1, 1), (0, 0, 1, 1)]
    message = "labels/1.txt:1: a sixth number, a confidence, is left out (and 1 more lines)"
    assert flaws(dataset.warnings) == [("confidence", "images/1.jpg", message)]


BOX = "0 0.5 0.5 1 1\n"


def pair(image, label):
    return {image: IMAGE, label: BOX}


@pytest.mark.parametrize(
    ("files", "options", "splits", "labels"),
    [
        (  # Ultralytics
            {
                "coco8.yaml": "path: ../datasets/coco8\ntrain: images/train\nval: images/val\ntest:\nnames: {0: cat}\n",
                **pair("images/train/1.jpg", "labels/train/1.txt"),
                **pair("images/val/sub/2.jpg", "labels/val/sub/2.txt"),
            },
            {},
            {"images/train/1.jpg": "train", "images/val/sub/2.jpg": "val"},
            {"images/train": "labels/train", "images/val/sub": "labels/val/sub"},
        ),
        (  # Roboflow
            {
                "data.yaml": "train: ../train/images\nval: ../valid/images\nnc: 1\nnames: ['cat']\n",
                **pair("train/images/1.jpg", "train/labels/1.txt"),
                **pair("valid/images/2.jpg", "valid/labels/2.txt"),
            },
            {},
            {"train/images/1.jpg": "train", "valid/images/2.jpg": "val"},
            {"train/images": "train/labels", "valid/images": "valid/labels"},
        ),
        (  # of another machine
            {
                "data.yaml": "path: /content/s\ntrain: C:\\s\\images\\train\nval: /s/images/valid\nnames: [cat]\n",
                **pair("images/train/1.jpg", "labels/train/1.txt"),
                **pair("images/val/2.jpg", "labels/val/2.txt"),
            },
            {},
            {"images/train/1.jpg": "train", "images/val/2.jpg": "val"},
            {"images/train": "labels/train", "images/val": "labels/val"},
        ),
        (  # lists of images, and several folders
            {
                "data.yaml": "train: [images/a, lists/b.txt]\nval: lists/val.txt\nnames: [cat]\n",
                "lists/b.txt": "../images/b/2.jpg\n\n",
                "lists/val.txt": "./images/b/3.jpg\r\n/home/me/set/images/b/4.jpg",
                **pair("images/a/1.jpg", "labels/a/1.txt"),
                **pair("images/b/2.jpg", "labels/b/2.txt"),
                **pair("images/b/3.jpg", "labels/b/3.txt"),
                **pair("images/b/4.jpg", "labels/b/4.txt"),
            },
            {},
            {"images/a/1.jpg": "train", "images/b/2.jpg": "train", "images/b/3.jpg": "val", "images/b/4.jpg": "val"},
            {"images/a": "labels/a", "images/b": "labels/b"},
        ),
        (  # one folder for all: no splits
            {"data.yaml": "train: images\nval: images\nnames: [cat]\n", **pair("images/1.jpg", "labels/1.txt")},
            {},
            {"images/1.jpg": None},
            {"images": "labels"},
        ),
        (  # ... but its name says one
            {
                "data.yaml": "train: images/train\nval: images/train\nnames: [cat]\n",
                **pair("images/train/1.jpg", "labels/train/1.txt"),
            },
            {},
            {"images/train/1.jpg": "train"},
            {"images/train": "labels/train"},
        ),
        (  # data.yaml in a folder of its own
            {"cfg/d.yaml": "path: ..\ntrain: images\nnames: [cat]\n", **pair("images/1.jpg", "labels/1.txt")},
            {},
            {"images/1.jpg": "train"},
            {"images": "labels"},
        ),
        (  # folders alone
            {**pair("images/train/1.jpg", "labels/train/1.txt"), **pair("images/valid/2.jpg", "labels/valid/2.txt")},
            {},
            {"images/train/1.jpg": "train", "images/valid/2.jpg": "val"},
            {"images/train": "labels/train", "images/valid": "labels/valid"},
        ),
        (  # side by side
            {**pair("train/1.jpg", "train/1.txt"), **pair("val/2.jpg", "val/2.txt"), "classes.txt": "cat\n"},
            {},
            {"train/1.jpg": "train", "val/2.jpg": "val"},
            {"train": "train", "val": "val"},
        ),
        ({**pair("1.jpg", "1.txt"), "README.txt": "A dataset.\n"}, {}, {"1.jpg": None}, {"": ""}),
        ({**pair("Images/1.jpg", "Annotations/1.txt")}, {}, {"Images/1.jpg": None}, {"Images": "Annotations"}),
        ({**pair("photos/1.jpg", "labels/1.txt")}, {}, {"photos/1.jpg": None}, {"photos": "labels"}),
        ({**pair("1.jpg", "labels/1.txt")}, {}, {"1.jpg": None}, {"": "labels"}),
        (  # Darknet
            {
                "obj.data": "classes = 1\ntrain = data/train.txt\nvalid = data/valid.txt\nnames = data/obj.names\n",
                "obj.names": "cat\n",
                "train.txt": "data/obj_train_data/1.jpg\n",
                "valid.txt": "data/obj_valid_data/2.jpg\n",
                **pair("obj_train_data/1.jpg", "obj_train_data/1.txt"),
                **pair("obj_valid_data/2.jpg", "obj_valid_data/2.txt"),
            },
            {},
            {"obj_train_data/1.jpg": "train", "obj_valid_data/2.jpg": "val"},
            {"obj_train_data": "obj_train_data", "obj_valid_data": "obj_valid_data"},
        ),
        (  # lists alone
            {"train.txt": "images/1.jpg\n", **pair("images/1.jpg", "labels/1.txt"), "classes.txt": "cat"},
            {},
            {"images/1.jpg": "train"},
            {"images": "labels"},
        ),
        (  # a folder of labels anywhere
            {**pair("photos/a/1.jpg", "work/yolo/1.txt"), "other/2.jpg": IMAGE},
            {"labels": "work/yolo"},
            {"photos/a/1.jpg": None},
            {"photos/a": "work/yolo"},
        ),
        (  # ... for several folders of images
            {**pair("photos/a/1.jpg", "yolo/1.txt"), **pair("photos/b/2.jpg", "yolo/2.txt")},
            {"labels": "yolo"},
            {"photos/a/1.jpg": None, "photos/b/2.jpg": None},
            {"photos/a": "yolo", "photos/b": "yolo"},
        ),
        (  # images elsewhere than data.yaml says
            {"det/data.yaml": "train: nowhere\nnames: [cat]\n", **pair("photos/x/1.jpg", "det/labels/x/1.txt")},
            {},
            {"photos/x/1.jpg": None},
            {"photos/x": "det/labels/x"},
        ),
        (  # one dataset of two, with the images it names elsewhere
            {
                "det/config.yaml": "path: .\ntrain: images/all\nnames: [cat]\n",
                "seg/config.yaml": "path: .\ntrain: images/all\nnames: [cat]\n",
                **pair("images/all/1.jpg", "det/labels/all/1.txt"),
                "seg/labels/all/1.txt": "0 0 0 1 1 0 1\n",
            },
            {"labels": "det"},
            {"images/all/1.jpg": "train"},
            {"images/all": "labels/all"},
        ),
        (
            {
                **pair("a/images/1.jpg", "a/labels/1.txt"),
                "a/one.yaml": "train: images\nnames: [cat]",
                "a/two.yaml": "train: images\nnames: [dog]",
            },
            {"labels": "a/one.yaml"},
            {"a/images/1.jpg": "train"},
            {"images": "labels"},
        ),
    ],
)
def test_layouts(tmp_path, files, options, splits, labels):
    dataset = read(tmp_path, files, **options)
    assert {sample.id: sample.split for sample in dataset.samples} == splits
    assert dataset.details.folders == labels
    assert all(len(sample.annotations.objects) == 1 for sample in dataset.samples)
    assert not dataset.failed


def test_images_behind_a_link(tmp_path):
    root = plant(tmp_path, {**pair("pool/1.jpg", "det/labels/1.txt"), "det/data.yaml": "train: images\nnames: [cat]\n"})
    os.symlink("../pool", tmp_path / "det/images")
    assert YOLO.detect(root) == "det/data.yaml"
    dataset = YOLO.read(root, ReadOptions(labels="det"))
    assert [sample.id for sample in dataset.samples] == ["det/images/1.jpg"]
    assert YOLO.place(dataset.samples[0], dataset) == "images"
    assert dataset.details.yaml == "data.yaml"


def test_a_link_out_of_input_is_not_followed(tmp_path):
    plant(tmp_path, {**pair("pool/1.jpg", "in/labels/1.txt"), "in/data.yaml": "train: images\nnames: [cat]\n"})
    os.symlink("../pool", tmp_path / "in/images")
    with pytest.raises(InputError, match="no images, but links that lead out of it: 1"):
        YOLO.read(str(tmp_path / "in"), ReadOptions())


def test_backgrounds(tmp_path):
    files = {
        "images/1.jpg": IMAGE,
        "images/2.jpg": IMAGE,
        **pair("images/3.jpg", "labels/3.txt"),
        "labels/2.txt": "",
    }
    first, second, third = read(tmp_path, files).samples
    assert first.annotations.extra == {"yolo": {"label_file": False}}
    assert second.annotations.extra == third.annotations.extra == {}
    assert first.annotations.objects == second.annotations.objects == ()


def test_a_label_file_is_for_one_image(tmp_path):
    files = {**pair("images/1.jpg", "labels/1.txt"), "images/test/1.jpg": IMAGE, "images/test/2.jpg": IMAGE}
    dataset = read(tmp_path, {**files, "labels/2.txt": BOX})
    assert {s.id: len(s.annotations.objects) for s in dataset.samples} == {
        "images/1.jpg": 1,
        "images/test/1.jpg": 0,
        "images/test/2.jpg": 1,
    }


def test_what_is_left_over(tmp_path):
    files = {
        "data.yaml": "train: images/train\nval: images/val\nnames: [cat]\n",
        **pair("images/train/1.jpg", "labels/train/1.txt"),
        **pair("images/extra/2.jpg", "labels/extra/2.txt"),
        "labels/train/9.txt": BOX,
        "labels/train/README.txt": "labels of the training set",
    }
    dataset = read(tmp_path, files)
    assert [sample.id for sample in dataset.samples] == ["images/train/1.jpg"]
    assert flaws(dataset.warnings) == [
        ("missing-split", "data.yaml", "data.yaml: val: 'images/val' is not there"),
        ("not-listed", "images/extra/2.jpg", "it is in no split of data.yaml"),
        ("no-image", "labels/extra/2.txt", "a label file without an image is not used"),
        ("no-image", "labels/train/9.txt", "a label file without an image is not used"),
    ]
    assert dataset.ignored == {".txt": 3}


def test_an_image_in_two_splits(tmp_path):
    files = {
        "data.yaml": "train: train.txt\nval: val.txt\nnames: [cat]\n",
        "train.txt": "images/1.jpg\nimages/1.jpg\n",
        "val.txt": "images/1.jpg\n",
        **pair("images/1.jpg", "labels/1.txt"),
    }
    dataset = read(tmp_path, files)
    assert [(sample.id, sample.split) for sample in dataset.samples] == [("images/1.jpg", "train")]
    assert flaws(dataset.warnings) == [
        ("repeated-row", "images/1.jpg", "train.txt:2: the image is there already"),
        ("two-splits", "images/1.jpg", "it is in train and in val; it counts for train"),
    ]


def test_lists_lead_nowhere_else(tmp_path):
    (tmp_path / "secret.jpg").write_bytes(IMAGE)
    files = {
        "data.yaml": "train: train.txt\nnames: [cat]\n",
        "train.txt": "images/1.jpg\n../secret.jpg\n/etc/passwd\nimages/2.jpg\n1.JPG\n",
        **pair("images/1.jpg", "labels/1.txt"),
    }
    dataset = read(tmp_path / "in", files)
    assert [sample.id for sample in dataset.samples] == ["images/1.jpg"]
    assert flaws(dataset.failed) == [
        ("outside-input", "../secret.jpg", "train.txt:2: the path leads out of INPUT"),
        ("outside-input", "/etc/passwd", "train.txt:3: the path leads out of INPUT"),
        ("missing-file", "images/2.jpg", "train.txt:4: there is no such image"),
    ]
    assert flaws(dataset.warnings) == [
        ("name-differs", "images/1.jpg", "train.txt:5: '1.JPG' is written otherwise than the file"),
        ("repeated-row", "images/1.jpg", "train.txt:5: the image is there already"),
    ]


@pytest.mark.parametrize(
    ("names", "classes", "ids"),
    [
        ("[cat, dog]", ("cat", "dog"), {"cat": 0, "dog": 1}),
        ("{0: cat, 7: no, 90: 1e3}", ("cat", "no", "1e3"), {"cat": 0, "no": 7, "1e3": 90}),
        ("{'0': cat, 1: 007}", ("cat", "007"), {"cat": 0, "007": 1}),
        ("[cat, cat, '']", ("cat", "cat 1", "class 2"), {"cat": 0, "cat 1": 1, "class 2": 2}),
    ],
)
def test_names(tmp_path, names, classes, ids):
    dataset = one(tmp_path, BOX, f"names: {names}\ntrain: images\n")
    assert dataset.classes == classes
    assert dataset.details.ids == ids


def test_a_data_yaml_may_name_classes_and_nothing_else(tmp_path):
    files = {"images/train/1.jpg": IMAGE, "images/val/2.jpg": IMAGE, "labels/train/1.txt": "1 0.5 0.5 0.2 0.2\n"}
    found = read(tmp_path, files | {"data.yaml": "names: [cat, dog]\n", "other.yaml": "names: {my: [recipe]}\n"})
    assert found.classes == ("cat", "dog")
    assert [(sample.id, sample.split) for sample in found.samples] == [
        ("images/train/1.jpg", "train"),
        ("images/val/2.jpg", "val"),
    ]
    assert (found.warnings, found.details.yaml) == ((), "data.yaml")


def test_names_alone_make_no_yolo_dataset(tmp_path):
    assert not YOLO.detect(
        plant(tmp_path, {"data.yaml": "names: [cat, dog]\n", "cat/1.jpg": IMAGE, "dog/2.jpg": IMAGE})
    )


def test_a_class_without_a_name_of_its_own_is_told_of(tmp_path):
    dataset = one(tmp_path, "1 0.5 0.5 1 1\n", "names: [cat, cat]\nnc: 3\ntrain: images\n")
    assert [thing.label for thing in things(dataset)] == ["cat 1"]
    assert flaws(dataset.warnings) == [
        ("class-count", "data.yaml", "nc is 3, but there are 2 names"),
        ("class-name", "", "class 1 has no name of its own; it is called 'cat 1'"),
    ]


def test_classes_without_names_are_numbers(tmp_path):
    dataset = read(tmp_path, {"images/1.jpg": IMAGE, "labels/1.txt": "10 0.5 0.5 1 1\n9 0.5 0.5 1 1\n"})
    assert dataset.classes == ("9", "10")
    assert dataset.details.ids == {"9": 9, "10": 10}


@pytest.mark.parametrize("name", ["classes.txt", "labels/classes.txt", "obj.names", "_darknet.labels"])
def test_names_by_lines(tmp_path, name):
    dataset = read(tmp_path, {**pair("images/1.jpg", "labels/1.txt"), name: "\ufeffcat\r\npotted plant\r\n"})
    assert dataset.classes == ("cat", "potted plant")
    assert dataset.details.texts == {name: "cat\r\npotted plant\r\n"}
    assert len(dataset.samples) == 1


@pytest.mark.parametrize(
    ("yaml", "message"),
    [
        ("names: [cat\ntrain: images\n", "data.yaml cannot be read: line 1: this '[' is not closed"),
        ("names: cat\ntrain: images\n", "data.yaml: names is 'cat'"),
        ("names: {cat: 0}\ntrain: images\n", "data.yaml: names: 'cat' is no number of a class"),
        ("names: [[cat]]\ntrain: images\n", "data.yaml: names: class 0 is"),
        ('names: ["\\ud800"]\ntrain: images\n', "data.yaml: names: class 0 is"),
        ("names: [cat]\ntrain: images\nkpt_shape: 17\n", "data.yaml: kpt_shape is 17"),
        ("names: [cat]\ntrain: images\nkpt_shape: [1, 4]\n", "data.yaml: kpt_shape is [1, 4]"),
        ("names: [cat]\ntrain: images\nkpt_shape: [1000000000, 3]\n", "data.yaml: kpt_shape is [1000000000, 3]"),
        ("names: [cat]\ntrain: images\ntask: classify\n", "data.yaml: task is 'classify'"),
        ("names: [cat]\ntrain: images\ntask: pose\n", "data.yaml: task is 'pose'"),
        ("names: [&a [*a], cat]\ntrain: images\n", "data.yaml cannot be read: line 1: the alias *a stands inside"),
        (b"names: [\xe9]\ntrain: images\n", "data.yaml:1: byte 8 is no UTF-8"),
    ],
)
def test_a_data_yaml_that_cannot_be_read(tmp_path, yaml, message):
    with pytest.raises(InputError) as caught:
        one(tmp_path, BOX, yaml)
    assert caught.value.message.startswith(message)
    assert caught.value.hint


def test_tags_in_data_yaml_call_nothing(tmp_path):
    dataset = one(tmp_path, BOX, "names: [cat]\ntrain: images\nx: !!python/object/apply:os.system [true]\n")
    assert [flaw.code for flaw in dataset.warnings] == ["yaml"]


def test_labels_that_cannot_be_read_fail_their_image(tmp_path, monkeypatch):
    monkeypatch.setattr("augx.formats.yolo.format.MAX_TEXT", 20)
    files = {
        **pair("images/1.jpg", "labels/1.txt"),
        **pair("images/2.jpg", "labels/2.txt"),
        **pair("images/3.jpg", "labels/3.txt"),
        "labels/2.txt": b"0 0.5 \xe9",
        "labels/3.txt": BOX * 2,
    }
    dataset = read(tmp_path, files)
    assert [sample.id for sample in dataset.samples] == ["images/1.jpg"]
    assert flaws(dataset.failed) == [
        ("unreadable-label", "images/2.jpg", "labels/2.txt: byte 6 is no UTF-8"),
        ("unreadable-label", "images/3.jpg", "labels/3.txt cannot be read: it is larger than 0 MB"),
    ]


def test_a_list_that_is_too_large(tmp_path, monkeypatch):
    monkeypatch.setattr(yolo_home, "MAX_TEXT", 20)
    with pytest.raises(InputError, match=r"train\.txt is larger than"):
        read(tmp_path, {"train.txt": "images/1.jpg\n" * 9, **pair("images/1.jpg", "labels/1.txt")})


@pytest.mark.parametrize(
    ("files", "options", "message"),
    [
        ({"images/1.jpg": IMAGE, "data.yaml": "names: [cat]\ntrain: images"}, {}, "no label file fits any of 1 images"),
        ({"images/1.jpg": IMAGE}, {}, "no label file fits any of 1 images"),
        ({"a/data.yaml": "names: [a]\ntrain: x", "b/data.yaml": "names: [a]\ntrain: x", "1.jpg": IMAGE}, {}, "several"),
        ({"a.yaml": "names: [a]\ntrain: x", "b.yaml": "names: [a]\ntrain: x", "1.jpg": IMAGE}, {}, "a.yaml, b.yaml"),
        (pair("images/1.jpg", "labels/1.txt"), {"labels": "label"}, "there are no labels in 'label'"),
        (pair("images/1.jpg", "labels/1.txt"), {"labels": "../x"}, "there are no labels in '../x'"),
        (pair("images/1.jpg", "labels/1.txt"), {"table": "x.csv"}, "YOLO has no table"),
    ],
)
def test_refused(tmp_path, files, options, message):
    with pytest.raises(InputError) as caught:
        read(tmp_path, files, **options)
    assert message in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"data.yaml": "names: [a]\ntrain: x\n", **pair("images/1.jpg", "labels/1.txt")}, "data.yaml (detect)"),
        ({"data.yaml": "names: [a]\ntrain: x\nkpt_shape: [1, 3]\n", "images/1.jpg": IMAGE}, "data.yaml (pose)"),
        (
            {**pair("images/1.jpg", "labels/1.txt"), "labels/1.txt": "0 .5 .5 1 1 .5 .5 2"},
            "labels as in labels/1.txt (detect)",
        ),
        ({"x.yml": "nc: 1\nval: x\n", "images/1.jpg": IMAGE, "labels/1.txt": "0 0 0 1 1 0 1"}, "x.yml (segment)"),
        (
            {"data.yaml": "names: [a]\ntrain: x\n", "images/1.jpg": IMAGE, "labels/1.txt": "0 0 0 1 0 1 1 0 1"},
            "data.yaml (obb: every line has 9 numbers; `task: segment` in data.yaml makes them polygons)",
        ),
        (
            {
                "d.yaml": "task: segment\nnames: [a]\ntrain: x",
                "labels/1.txt": "0 0 0 1 0 1 1 0 1",
                "images/1.jpg": IMAGE,
            },
            "d.yaml (segment)",
        ),
        (pair("images/train/1.jpg", "labels/train/1.txt"), "labels as in labels/train/1.txt (detect)"),
        (pair("train/images/1.jpg", "train/labels/1.txt"), "labels as in train/labels/1.txt (detect)"),
        (pair("1.JPG", "1.txt"), "labels as in 1.txt (detect)"),
        ({"obj.data": "classes=1\ntrain = train.txt\n", "1.jpg": IMAGE}, "obj.data (detect)"),
        # DOTA's, captions, lists, models, another dataset below
        (
            {
                "data.yaml": "names: [a]\ntrain: x\n",
                "train/labelTxt/1.txt": "0 0 2 0 2 2 0 2 a 0",
                "train/1.jpg": IMAGE,
            },
            "",
        ),
        ({"labels/1.txt": "0 0 2 0 2 2 0 2 a 0", "images/1.jpg": IMAGE}, ""),
        ({"labels/1.txt": "1 10 20 30 40", "images/1.jpg": IMAGE}, ""),
        ({"1.txt": "a cat on a mat", "1.jpg": IMAGE}, ""),
        ({"notes.txt": BOX, "1.jpg": IMAGE}, ""),
        ({"train.txt": "images/1.jpg 3", "images/1.jpg": IMAGE}, ""),
        ({"model.yaml": "nc: 80\nbackbone: []\n", "1.jpg": IMAGE}, ""),
        ({**pair("b/images/1.jpg", "b/labels/1.txt"), "b/data.yaml": "names: [a]\ntrain: x"}, ""),
    ],
)
def test_detect(tmp_path, files, reason):
    assert YOLO.detect(plant(tmp_path, files)) == reason
