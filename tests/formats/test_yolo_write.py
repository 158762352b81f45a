"""Writing YOLO: label lines, data.yaml, lists; what other formats' datasets become."""

from array import array
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from augx import geometry, yamlfile
from augx.errors import InputError
from augx.formats import ReadOptions, load
from augx.formats.yolo.lines import joined, lines, parse
from augx.formats.yolo.lines import objects as read_objects
from augx.model import Annotations, Dataset, Object, Pose, Rle, Sample
from augx.objects import KINDS, to_row

YOLO = load("yolo")


def scaled(thing, width, height):
    """An object in pixels."""

    def by(flat, step):
        return array("d", [v * (width, height, 1)[n % step] for n, v in enumerate(flat)])

    box = thing.box and tuple(by(thing.box, 2))
    return replace(
        thing,
        box=box,
        rings=tuple(by(ring, 2) for ring in thing.rings),
        keypoints=thing.keypoints and by(thing.keypoints, 3),
        corners=thing.corners and by(thing.corners, 2),
    )


def row(name, objects=(), split=None, source=None, width=200, height=100):
    """A manifest row, as far as labels go; objects in pixels."""
    return {
        "file_name": name,
        "source": source or name,
        "copy": 0,
        "split": split,
        "width": width,
        "height": height,
        "labels": {},
        "objects": [to_row(thing, None) for thing in objects],
    }


def written(rows, dataset):
    return {name: "".join(texts) for name, texts in YOLO.write(rows, dataset)}


def read(root, files, **options):
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return YOLO.read(str(root), ReadOptions(**options))


def rows_of(dataset):
    """The rows of a run that changes nothing."""
    rows = []
    for sample in dataset.samples:
        folder = YOLO.place(sample, dataset)
        name = sample.id.rpartition("/")[2]
        objects = [scaled(thing, 200, 100) for thing in sample.annotations.objects]
        rows.append(row(f"{folder}/{name}" if folder else name, objects, sample.split, sample.id))
    return rows


def foreign(*samples, classes=("cat", "dog"), poses=None):
    return Dataset("in", "coco", samples, classes, poses=poses or {})


def sample(*objects, name="1.jpg", split=None):
    return Sample(name, Annotations(objects=objects), split)


def label_file(*objects, classes=("cat", "dog"), **size):
    known = foreign(sample(*objects), classes=classes)
    return YOLO.label_file(row("images/1.jpg", objects, **size), known.samples[0], known)


FLAT = array("d", (20, 10, 60, 10, 60, 50))
RING = Object("dog", (20, 10, 60, 50), (FLAT,))
BOX = Object("cat", (20, 10, 60, 50))
KEYPOINTS = array("d", (30, 20, 2, 0, 0, 0, 50, 40, 1))
POSE = Object("cat", (20, 10, 60, 50), keypoints=KEYPOINTS)
OBB = Object("dog", (20, 10, 60, 50), corners=array("d", (20, 30, 40, 10, 60, 30, 40, 50)))


def test_detect_lines():
    assert label_file(BOX, Object("dog", (0, 0, 200, 100))) == "0 0.2 0.3 0.2 0.4\n1 0.5 0.5 1 1\n"


def test_segment_lines_hold_boxes_as_rectangles():
    assert label_file(RING, BOX) == "1 0.1 0.1 0.3 0.1 0.3 0.5\n0 0.1 0.1 0.3 0.1 0.3 0.5 0.1 0.5\n"


def test_pose_lines_are_as_long_as_the_longest():
    short = Object("dog", (0, 0, 200, 100), keypoints=array("d", (100, 50, 2)))
    assert label_file(POSE, short, BOX) == (
        "0 0.2 0.3 0.2 0.4 0.15 0.2 2 0 0 0 0.25 0.4 1\n"
        "1 0.5 0.5 1 1 0.5 0.5 2 0 0 0 0 0 0\n"
        "0 0.2 0.3 0.2 0.4 0 0 0 0 0 0 0 0 0\n"
    )


def test_pose_lines_without_a_box_take_the_keypoints():
    one = Object("cat", None, keypoints=array("d", (30, 20, 2, 0, 0, 0, 50, 40, 1)))
    assert label_file(one) == "0 0.2 0.3 0.1 0.2 0.15 0.2 2 0 0 0 0.25 0.4 1\n"


def test_pose_lines_without_visibility():
    known = row("1.jpg", [POSE])
    assert "".join(lines(known, "pose", (3, 2), {"cat": 4})) == "4 0.2 0.3 0.2 0.4 0.15 0.2 0 0 0.25 0.4\n"


def test_obb_lines():
    assert label_file(OBB, BOX) == "1 0.1 0.3 0.2 0.1 0.3 0.3 0.2 0.5\n0 0.1 0.1 0.3 0.1 0.3 0.5 0.1 0.5\n"


def test_masks_are_written_as_polygons():
    mask = Object("cat", (1, 0, 3, 2), rle=Rle(4, 4, (4, 2, 2, 2, 6)))  # columns 1 and 2, rows 0 and 1
    (line,) = parse(label_file(mask, width=4, height=4), {})
    ring = [value * 4 for value in line[2]]
    assert geometry.ring_area(ring) == 4
    assert (min(ring[0::2]), min(ring[1::2]), max(ring[0::2]), max(ring[1::2])) == (1, 0, 3, 2)


def test_several_rings_are_joined_by_bridges_without_area():
    square = (0, 0, 10, 0, 10, 10, 0, 10)
    far = (30, 0, 40, 0, 40, 10, 30, 10)
    between = (14, 0, 26, 0, 26, 10, 14, 10)
    whole = joined([square, far, between])
    assert list(whole) == [
        *(0, 0, 10, 0, 14, 0, 26, 0, 26, 10, 14, 10, 14, 0, 10, 0),
        *(30, 0, 40, 0, 40, 10, 30, 10, 30, 0, 10, 0, 10, 10, 0, 10),
    ]
    assert geometry.ring_area(whole) == 100 + 100 + 120
    assert joined([square]) == square
    two = Object("cat", (0, 0, 40, 10), (array("d", square), array("d", far)))
    assert label_file(two).count("\n") == 1


@pytest.mark.parametrize(
    ("box", "text"),
    [
        ((0, 0, 1 / 3, 1 / 7), "0 0.00083333 0.00071429 0.00166666 0.00142857\n"),  # 0.00166667 wide it would stick out
        ((-0.005, 0, 100, 100.004), "0 0.2499875 0.50002 0.500025 1\n"),
        ((-5, -5, 205, 105), "0 0.5 0.5 1 1\n"),
        ((1e-7, 0, 2e-7, 100), "0 0 0.5 0 1\n"),
    ],
)
def test_numbers_stay_inside_and_have_no_exponent(box, text):
    assert label_file(Object("cat", box)) == text


@settings(max_examples=300, deadline=None)
@given(st.integers(1, 5000), st.integers(1, 5000), st.lists(st.floats(0, 1, width=32), min_size=4, max_size=4))
def test_a_box_in_the_picture_is_so_when_read_again(width, height, shares):
    x0, x1 = sorted((shares[0] * width, shares[1] * width))
    y0, y1 = sorted((shares[2] * height, shares[3] * height))
    (text,) = lines(
        row("1.jpg", [Object("cat", (x0, y0, x1, y1))], width=width, height=height), "detect", None, {"cat": 0}
    )
    (thing,) = read_objects(parse(text, {}), "detect", None, {0: "cat"}, {})
    assert all(-1e-10 <= value <= 1 + 1e-10 for value in thing.box)
    for value, share in zip(thing.box, (x0 / width, y0 / height, x1 / width, y1 / height), strict=True):
        assert abs(value - share) < 4e-8


SHARES = st.integers(0, 10**8).map(lambda n: f"{n / 10**8:.8f}")
SIX = st.integers(0, 10**6).map(lambda n: f"{n / 10**6:.6f}")


@settings(max_examples=300, deadline=None)
@given(st.integers(10, 9000), st.integers(10, 9000), st.lists(SHARES | SIX, min_size=6, max_size=6))
def test_numbers_of_eight_decimals_come_out_as_they_went_in(width, height, shares):
    for task, texts in (("detect", shares[:4]), ("segment", shares)):
        line = " ".join(["3", *texts])
        (thing,) = read_objects(parse(line, {}), task, None, {3: "x"}, {})
        (text,) = lines(row("1", [scaled(thing, width, height)], width=width, height=height), task, None, {"x": 3})
        assert [float(value) for value in text.split()] == [float(value) for value in line.split()]


def test_keypoints_that_are_hidden_stay_so():
    (thing,) = read_objects(parse("0 0.5 0.5 1 1 0 0 0 0.25 0.5 1 0.125 0.375 0", {}), "pose", (3, 3), {0: "a"}, {})
    (text,) = lines(row("1", [scaled(thing, 200, 100)]), "pose", (3, 3), {"a": 0})
    assert text == "0 0.5 0.5 1 1 0 0 0 0.25 0.5 1 0.125 0.375 0\n"


def test_what_was_read_comes_out_again(tmp_path):
    files = {
        "data.yaml": "# mine\npath: /content/set\ntrain: ../train/images\nval: ../valid/images\ntest:\n\nnc: 2\n"
        "names: ['no', dog]\nroboflow:\n  version: 3\n  url: https://x.org/a\ndownload: |\n  import os\n  os.abort()\n",
        "train/images/1.jpg": "x",
        "train/labels/1.txt": "0 0.123457 0.200000 0.100000 0.050000\n1 0.5 0.5 1 1\n",
        "train/images/2.jpg": "x",
        "train/labels/2.txt": "",
        "train/images/3.jpg": "x",
        "valid/images/4.png": "x",
        "valid/labels/4.txt": "1 0.5 0.5 1 1\n",
    }
    dataset = read(tmp_path, files)
    rows = rows_of(dataset)
    assert written(rows, dataset) == {
        "data.yaml": "train: train/images\nval: valid/images\ntest: null\nnc: 2\nnames: ['no', dog]\nroboflow:\n"
        "  version: 3\n  url: https://x.org/a\ndownload: |\n  import os\n  os.abort()\n"
    }
    assert [known["file_name"] for known in rows] == [sample.id for sample in dataset.samples]
    beside = [YOLO.beside(s, dataset, known["file_name"][:-4]) for s, known in zip(dataset.samples, rows, strict=True)]
    assert [[(one.kind, one.stem, one.ending) for one in own] for own in beside] == [
        [("yolo", "train/labels/1", ".txt")],
        [("yolo", "train/labels/2", ".txt")],
        [],
        [("yolo", "valid/labels/4", ".txt")],
    ]
    texts = [
        YOLO.label_file(known, s, replace(dataset, samples=())) for s, known in zip(dataset.samples, rows, strict=True)
    ]
    assert texts == ["0 0.123457 0.2 0.1 0.05\n1 0.5 0.5 1 1\n", "", "", "1 0.5 0.5 1 1\n"]
    assert written([], dataset).keys() == {"data.yaml"}


def test_sparse_classes_keep_their_numbers(tmp_path):
    files = {
        "a.yaml": "names: {7: cat, 90: dog}\ntrain: images\n",
        "images/1.jpg": "x",
        "labels/1.txt": "90 .5 .5 1 1\n",
    }
    dataset = read(tmp_path, files)
    (known,) = rows_of(dataset)
    assert YOLO.label_file(known, dataset.samples[0], dataset) == "90 0.5 0.5 1 1\n"
    assert written([known], dataset) == {"a.yaml": "names:\n  7: cat\n  90: dog\ntrain: images\n"}


def test_lists_of_images(tmp_path):
    files = {
        "obj.data": "classes = 1\ntrain = data/train.txt\nvalid = data/lists/v.txt\nnames = data/obj.names\n",
        "obj.names": "cat\n",
        "train.txt": "data/obj/1.jpg\ndata/obj/2.jpg\n",
        "lists/v.txt": "../obj/3.jpg\n/home/me/obj/4.jpg\n",
    } | {f"obj/{n}.{ending}": "0 .5 .5 1 1" for n in "1234" for ending in ("jpg", "txt")}
    dataset = read(tmp_path, files)
    rows = rows_of(dataset)
    rows.insert(1, row("obj/1_aug01.jpg", source="obj/1.jpg", split="train"))
    assert written(rows, dataset) == {
        "train.txt": "data/obj/1.jpg\ndata/obj/1_aug01.jpg\ndata/obj/2.jpg\n",
        "lists/v.txt": "./../obj/3.jpg\n./../obj/4.jpg\n",
        "obj.data": files["obj.data"],
        "obj.names": "cat\n",
    }


def test_a_dataset_below_input_becomes_output(tmp_path):
    files = {
        "det/data.yaml": "path: .\ntrain: images/all\nval: images/all\nnames: [cat]\n",
        "images/all/1.jpg": "x",
        "det/labels/all/1.txt": "0 .5 .5 1 1",
    }
    dataset = read(tmp_path, files, labels="det")
    (known,) = rows_of(dataset)
    assert known["file_name"] == "images/all/1.jpg"
    assert YOLO.beside(dataset.samples[0], dataset, "images/all/1")[0].stem == "labels/all/1"
    assert written([known], dataset) == {"data.yaml": "train: images/all\nval: images/all\nnames: [cat]\n"}


def test_data_yaml_follows_images_that_another_format_has_placed(tmp_path):
    files = {
        "cfg/a.yaml": "path: ..\ntrain: photos\nval: [photos]\nnames: [cat]\n",
        "photos/1.jpg": "x",
        "photos/1.txt": "0 .5 .5 1 1",
    }
    dataset = read(tmp_path, files)
    moved = [row("images/a/1.jpg", source="photos/1.jpg"), row("images/a/b/1.jpg", source="photos/1.jpg")]
    assert written(moved, dataset) == {"cfg/a.yaml": "train: ../images/a\nval: [../images/a]\nnames: [cat]\n"}


@pytest.mark.parametrize(
    ("splits", "text"),
    [
        ((None,), "train: images\nval: images\n"),
        (("train", "val"), "train: images/train\nval: images/val\n"),
        (("train",), "train: images/train\nval: images/train\n"),
        (("test", "train"), "train: images/train\nval: images/test\ntest: images/test\n"),
        (("extra", "val"), "train: images/extra\nval: images/val\nextra: images/extra\n"),
        ((None, "train"), "train: images/train\nval: images/train\n"),
    ],
)
def test_a_new_data_yaml(splits, text):
    known = foreign(
        *(sample(BOX, name=f"{n}.jpg", split=split) for n, split in enumerate(splits)), classes=("cat", "no")
    )
    rows = [row(f"{YOLO.place(s, known)}/{s.id}", [BOX], s.split) for s in known.samples]
    assert written(rows, known) == {"data.yaml": text + "names:\n  0: cat\n  1: 'no'\n"}
    assert written([], known).keys() == {"data.yaml"}


def test_a_new_data_yaml_says_the_task():
    rows = [row("images/1.jpg")]
    start, names = "train: images\nval: images\n", "names:\n  0: cat\n  1: dog\n"
    assert written(rows, foreign(sample(RING)))["data.yaml"] == f"{start}task: segment\n{names}"
    assert written(rows, foreign(sample(OBB, BOX)))["data.yaml"] == f"{start}task: obb\n{names}"
    assert written(rows, foreign(sample(POSE)))["data.yaml"] == f"{start}kpt_shape: [3, 3]\n{names}"


def test_a_new_data_yaml_says_what_swaps():
    pose = Pose(("nose", "left", "right"), swap=(0, 2, 1))
    text = written([row("images/1.jpg")], foreign(sample(POSE), classes=("cat",), poses={"cat": pose}))["data.yaml"]
    assert yamlfile.load(text.encode(), "", numbered=True)[0].plain() == {
        "train": "images",
        "val": "images",
        "kpt_shape": [3, 3],
        "flip_idx": [0, 2, 1],
        "kpt_names": {0: ["nose", "left", "right"]},
        "names": {0: "cat"},
    }
    every = written([], foreign(sample(POSE), poses={"": Pose(swap=(0, 2, 1))}))["data.yaml"]
    assert "flip_idx: [0, 2, 1]\nnames:" in every
    other = written([], foreign(sample(POSE), poses={"cat": pose, "dog": Pose(swap=(0, 1, 2))}))["data.yaml"]
    assert "flip_idx" not in other


def test_labels_go_beside_images_that_lie_in_no_folder_of_images():
    known = foreign(sample(BOX))
    known = replace(known, details=YOLO.adopt(known))
    stems = ["images/train/1", "a/images/b/images/c/1", "train/cat/1", "1", "images_of_cats/1"]
    assert [YOLO.beside(known.samples[0], known, stem)[0].stem for stem in stems] == [
        "labels/train/1",
        "a/images/b/labels/c/1",
        "train/cat/1",
        "1",
        "images_of_cats/1",
    ]


@pytest.mark.parametrize(
    ("kinds", "lost"),
    [
        ("boxes", ""),
        ("boxes polygons rle", ""),
        ("boxes keypoints", ""),
        ("boxes obb", ""),
        ("boxes polygons crowds rle class captions", "crowds class captions"),
        ("boxes polygons keypoints rle", "polygons rle"),
        ("obb polygons keypoints boxes mask", "polygons keypoints mask"),
        (" ".join(KINDS), "class classes weights values captions polygons rle crowds keypoints mask instances"),
    ],
)
def test_what_is_lost(kinds, lost):
    assert YOLO.lost(frozenset(kinds.split())) == set(lost.split())


def test_check():
    YOLO.check(foreign(sample(BOX, split="train")), mixes=False)
    with pytest.raises(InputError, match=r"images with objects of no class: 1; the first is 1\.jpg"):
        YOLO.check(foreign(sample(Object(None, (0, 0, 1, 1)))), mixes=False)
    with pytest.raises(InputError, match="the split 'a/b' cannot be the name"):
        YOLO.check(foreign(sample(BOX, split="a/b")), mixes=False)


def test_what_workers_need_is_small_and_the_same_everywhere(tmp_path):
    import pickle

    known = YOLO.adopt(foreign(sample(RING), sample(BOX, name="2.jpg")))
    assert (known.task, known.shape, known.ids) == ("segment", None, {"cat": 0, "dog": 1})
    assert pickle.loads(pickle.dumps(known)) == known
    files = {"images/1.jpg": "x", "labels/1.txt": "0 .5 .5 1 1", "classes.txt": "cat"}
    first, again = read(tmp_path, files), read(tmp_path, files)
    assert repr(first.details) == repr(again.details)
    assert first.digest == again.digest
    (tmp_path / "classes.txt").write_text("dog")
    assert YOLO.read(str(tmp_path), ReadOptions()).digest != first.digest


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.text()
    | st.sampled_from(["no", "1e3", "0o7", "~", "<<"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5) | st.integers(0, 99), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.sampled_from("abcde"), VALUES, min_size=1))
def test_yaml_is_read_as_it_was_written(value):
    node, problems = yamlfile.load(yamlfile.dump(value).encode(), "x.yaml", numbered=True)
    if not any("control character" in str(problem) or "there twice" in str(problem) for problem in problems):
        assert not problems
        assert node.plain() == value
