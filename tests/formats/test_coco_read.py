"""COCO read: which files, which images, what belongs together, and what is left out of files from the wild."""

import json
import tempfile
from array import array
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from augx.errors import InputError
from augx.formats import ReadOptions
from augx.formats.coco.file import named
from augx.formats.coco.format import Coco
from augx.model import Flaw, Object, Pose, Rle

COCO = Coco()
CATEGORIES = [{"id": 3, "name": "cat", "supercategory": "animal"}, {"id": 90, "name": "dog"}]


def image(number, name, **more):
    return {"id": number, "file_name": name, "width": 10, "height": 8, **more}


def content(images, annotations=(), categories=CATEGORIES, **more):
    return {**more, "images": images, "annotations": list(annotations), "categories": categories}


def thing(number, image_id=1, category=3, **more):
    return {"id": number, "image_id": image_id, "category_id": category, "bbox": [1, 2, 3, 4], **more}


def plant(root, files, images):
    for name, said in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(said if isinstance(said, bytes) else json.dumps(said).encode())
    for name in images:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    return str(root)


def read(root, files, images=("1.jpg",), **options):
    return COCO.read(plant(root, files, images), ReadOptions(**options))


def one(root, *annotations, categories=CATEGORIES, **options):
    """The annotations of a single image, and the flaws."""
    dataset = read(root, {"a.json": content([image(1, "1.jpg")], annotations, categories)}, **options)
    (sample,) = dataset.samples
    return sample.annotations, {(flaw.code, flaw.source) for flaw in dataset.warnings}


def refused(root, files, images=("1.jpg",), **options):
    with pytest.raises(InputError) as caught:
        read(root, files, images, **options)
    return caught.value


def test_an_image_with_everything(tmp_path):
    ring = [1, 1, 5, 1, 5, 4.5]
    known, flaws = one(
        tmp_path,
        {
            "id": 7,
            "image_id": 1,
            "category_id": 90,
            "bbox": [0.5, 1, 4, 3.25],
            "segmentation": [ring, ring],
            "keypoints": [1, 2, 2, 0, 0, 0],
            "num_keypoints": 1,
            "area": 12.5,
            "iscrowd": 0,
            "attributes": {"occluded": True},
        },
        {"id": 8, "image_id": 1, "category_id": 3, "iscrowd": 1, "segmentation": {"size": [8, 10], "counts": [70, 10]}},
        {"id": 9, "image_id": 1, "category_id": 3, "segmentation": {"size": [8, 10], "counts": "PP_1"}},
        {"id": 10, "image_id": 1, "caption": "a cat"},
    )
    flat = array("d", ring)
    assert known.objects == (
        Object(
            "dog",
            (0.5, 1.0, 4.5, 4.25),
            (flat, flat),
            keypoints=array("d", [1, 2, 2, 0, 0, 0]),
            extra={"id": 7, "attributes": {"occluded": True}},
        ),
        Object("cat", rle=Rle(10, 8, (70, 10)), crowd=True, extra={"id": 8}),
        Object("cat", rle=Rle(10, 8, "PP_1"), extra={"id": 9}),
    )
    assert known.captions == ("a cat",)
    assert (known.dot, known.size, known.relative) == (0.5, (10, 8), False)
    assert known.extra == {"images": {"a.json": {"id": 1, "file_name": "1.jpg"}}, "captions": [{"id": 10}]}
    assert not flaws


def test_dataset(tmp_path):
    files = {
        "annotations/instances_train2017.json": content(
            [image(5, "a.jpg", license=2, coco_url="u"), image(6, "empty.jpg")],
            [thing(1, 5)],
            info={"year": 2017},
            licenses=[],
            type="instances",
        ),
        "annotations/instances_val2017.json": content([image(5, "a.jpg")], [thing(1, 5, 90)]),
    }
    dataset = read(tmp_path, files, ["train2017/a.jpg", "train2017/empty.jpg", "images/val2017/a.jpg", "spare.png"])
    assert [(s.id, s.split, [t.label for t in s.annotations.objects]) for s in dataset.samples] == [
        ("images/val2017/a.jpg", "val", ["dog"]),
        ("train2017/a.jpg", "train", ["cat"]),
        ("train2017/empty.jpg", "train", []),
    ]
    assert dataset.classes == ("cat", "dog")
    assert dataset.failed == ()
    assert dataset.warnings == (Flaw("not-listed", "spare.png", "no label file names it; it is not used"),)
    assert dataset.ignored == {}
    assert dataset.samples[1].annotations.extra["images"] == {
        "annotations/instances_train2017.json": {"id": 5, "file_name": "a.jpg", "license": 2, "coco_url": "u"}
    }
    (train, val) = dataset.details.files
    assert train.head == {"info": {"year": 2017}, "licenses": [], "type": "instances"}
    assert train.categories == tuple(CATEGORIES)
    assert (val.path, val.kind, val.split, val.head) == ("annotations/instances_val2017.json", "instances", "val", {})
    assert len(dataset.digest.split("\n")) == 2


@pytest.mark.parametrize(
    ("path", "kind", "split", "where"),
    [
        ("annotations/instances_train2017.json", "instances", "train", "train2017"),
        ("person_keypoints_val2017.json", "person_keypoints", "val", "val2017"),
        ("annotations/image_info_test-dev2017.json", "image_info", "test-dev", "test-dev2017"),
        ("annotations/instances_default.json", "instances", None, "default"),
        ("instances.json", "instances", None, ""),
        ("annotations/instances_minitrain.json", "instances", "minitrain", "minitrain"),
        ("annotations_val.json", "", "val", "val"),
        ("train_annotations.json", "", "train", "train"),
        ("annotations/validation.json", "", "val", "validation"),
        ("annotations.json", "", None, ""),
        ("test_zebra.json", "", None, ""),
        ("valid/_annotations.coco.json", "", "val", ""),
        ("train/labels.json", "labels", "train", ""),
    ],
)
def test_what_names_say(path, kind, split, where):
    file = named(path)
    assert (file.kind, file.split, file.where) == (kind, split, where)


@pytest.mark.parametrize(
    ("label_file", "name", "image_file"),
    [
        ("annotations.json", "1.jpg", "1.jpg"),
        ("annotations.json", "images/1.jpg", "images/1.jpg"),
        ("annotations.json", "1.jpg", "images/1.jpg"),
        ("labels.json", "1.jpg", "data/1.jpg"),
        ("train/_annotations.coco.json", "1.jpg", "train/1.jpg"),
        ("annotations/instances_train.json", "1.jpg", "train/1.jpg"),
        ("annotations/instances_train.json", "1.jpg", "images/train/1.jpg"),
        ("annotations/instances_train.json", "train/1.jpg", "images/train/1.jpg"),
        ("annotations/instances_train.json", "images/train/1.jpg", "images/train/1.jpg"),
        ("annotations/instances_train.json", "../images/train/1.jpg", "images/train/1.jpg"),
        ("annotations/instances_train.json", ".\\train\\1.jpg", "images/train/1.jpg"),
        ("coco/annotations/instances_train.json", "1.jpg", "coco/images/train/1.jpg"),
        ("annotations/instances_train.json", "1.jpg", "anywhere/deep/1.jpg"),
        ("annotations/instances_train.json", "1.jpg", "JPEGImages/1.JPG"),
        ("annotations/instances_train.json", "a b (1).jpg", "images/a b (1).jpg"),
    ],
)
def test_where_images_are(tmp_path, label_file, name, image_file):
    dataset = read(tmp_path, {label_file: content([image(1, name)], [thing(1)])}, [image_file])
    assert [sample.id for sample in dataset.samples] == [image_file]
    assert len(dataset.samples[0].annotations.objects) == 1


def test_a_split_finds_its_own_images(tmp_path):
    files = {
        f"annotations/instances_{split}.json": content([image(1, "1.jpg"), image(2, "2.jpg")], [thing(1, 2)])
        for split in ("train", "val")
    }
    dataset = read(tmp_path, files, ["images/train/1.jpg", "images/val/1.jpg", "images/val/2.jpg"])
    assert [sample.id for sample in dataset.samples] == ["images/train/1.jpg", "images/val/1.jpg", "images/val/2.jpg"]
    (flaw,) = dataset.failed
    assert (flaw.code, flaw.source) == ("missing-file", "2.jpg")
    assert flaw.message == (
        "annotations/instances_train.json: image 2: there is no such image where the others are, only images/val/2.jpg"
    )


def test_images_that_cannot_be_made(tmp_path):
    images = [image(1, "1.jpg"), image(2, "gone.jpg"), image(3, "../../etc/passwd"), image(4, "/etc/passwd")]
    dataset = read(tmp_path, {"a.json": content([*images, {"id": 5}, {"file_name": "1.jpg"}, 6])})
    assert [(flaw.code, flaw.source) for flaw in dataset.failed] == [
        ("missing-file", "gone.jpg"),
        ("outside-input", "../../etc/passwd"),
        ("outside-input", "/etc/passwd"),
    ]
    assert [(flaw.code, flaw.source, flaw.message) for flaw in dataset.warnings] == [
        ("bad-image", "a.json", "a.json: image 5: it has no file_name (and 2 more)")
    ]


def test_splits_by_folder_where_the_label_file_says_none(tmp_path):
    names = ["train/1.jpg", "val/2.jpg"]
    dataset = read(tmp_path, {"a.json": content([image(1, names[0]), image(2, names[1])])}, names)
    assert [sample.split for sample in dataset.samples] == ["train", "val"]


def test_files_on_the_same_images_are_put_together(tmp_path):
    names = ["nose", "left_eye", "right_eye"]
    poses = [{"id": 3, "name": "cat", "keypoints": names, "skeleton": [[1, 2], [1, 3]]}]
    ring = [[1, 1, 4, 1, 4, 5]]
    points = [1, 1, 2, 0, 0, 0, 2, 2, 1]
    images = [image(1, "1.jpg")]
    files = {
        "annotations/captions_train.json": content(images, [{"id": 70, "image_id": 1, "caption": "two"}], []),
        "annotations/instances_train.json": content(
            images, [thing(1, segmentation=ring), thing(2, category=90), thing(3), thing(4)]
        ),
        "annotations/person_keypoints_train.json": content(
            images, [thing(1, keypoints=points, score=1), thing(3, bbox=[0, 0, 1, 1], keypoints=points)], poses
        ),
        "annotations/stuff_train.json": content(images, [thing(9, category=90)]),
        "annotations/image_info_train.json": {"images": images},
    }
    dataset = read(tmp_path, files)
    (sample,) = dataset.samples
    rings = (array("d", ring[0]),)
    keypoints = array("d", points)
    box, small = (1.0, 2.0, 4.0, 6.0), (0.0, 0.0, 1.0, 1.0)
    assert sample.annotations.objects == (
        Object("cat", box, rings, keypoints=keypoints, extra={"id": 1, "score": 1}),
        Object("dog", box, extra={"id": 2}),
        Object("cat", box, extra={"id": 3}),
        Object("cat", box, extra={"id": 4}),
        Object("dog", box, extra={"id": 9, "coco_files": ["stuff"]}),
        Object("cat", small, keypoints=keypoints, extra={"id": 3, "coco_files": ["person_keypoints"]}),
    )
    assert sample.annotations.captions == ("two",)
    assert sample.annotations.extra["images"].keys() == files.keys()
    assert dataset.poses == {"cat": Pose(tuple(names), ((0, 1), (0, 2)), (0, 2, 1))}
    assert dataset.warnings == ()


def test_files_that_contradict_are_left_to_the_user(tmp_path):
    both = {name: content([image(1, "1.jpg")], [thing(1)]) for name in ("a.json", "b.json")}
    error = refused(tmp_path, both)
    assert (
        error.message == f"{tmp_path}: several label files tell of the same images, such as 1.jpg\n  a.json\n  b.json"
    )
    assert "--labels PATH" in error.hint
    assert read(tmp_path, {}, labels="./b.json").details.files[0].path == "b.json"


@pytest.mark.parametrize(
    "names",
    [
        ("instances_train.json", "instances_trainval.json"),
        ("x/instances_train.json", "y/instances_train.json"),
        ("instances_train.json", "annotations_train.json"),
    ],
)
def test_what_does_not_belong_together(tmp_path, names):
    error = refused(tmp_path, {name: content([image(1, "1.jpg")]) for name in names})
    assert all(f"\n  {name}" in error.message for name in names)


def test_labels_may_be_a_folder(tmp_path):
    files = {f"{folder}/instances.json": content([image(1, "1.jpg")], [thing(1)]) for folder in ("old", "new")}
    dataset = read(tmp_path, files, labels="new/")
    assert [file.path for file in dataset.details.files] == ["new/instances.json"]
    error = refused(tmp_path, {}, labels="newer")
    assert "'newer'" in error.message and error.hint == "JSON files there: new/instances.json, old/instances.json"
    for outside in ("../x.json", "/etc/x.json"):
        assert "no label file" in refused(tmp_path, {}, labels=outside).message


def test_panoptic(tmp_path):
    segments = [
        {"id": 460551, "category_id": 3, "area": 20, "bbox": [2, 0, 4, 4], "iscrowd": 0, "score": 0.5},
        {"id": 7, "category_id": 90, "bbox": [0, 0, 1, 9], "iscrowd": 1},
        {"id": 1 << 24, "category_id": 90},
        {"category_id": 90},
    ]
    categories = [{**category, "isthing": place} for place, category in enumerate(CATEGORIES)]
    said = [
        {"image_id": 1, "file_name": "1.png", "segments_info": segments},
        {"image_id": 2, "file_name": "2.png", "segments_info": [{"id": 1, "category_id": 3, "bbox": [1, 1, 2, 2]}]},
    ]
    files = {"annotations/panoptic_val.json": content([image(1, "1.png"), image(2, "2.png")], said, categories)}
    images = ["val/1.png", "val/2.png", "annotations/panoptic_val/1.png", "annotations/panoptic_val/spare.png"]
    dataset = read(tmp_path, files, images)
    (first,) = (sample.annotations for sample in dataset.samples)
    assert first.segments == "annotations/panoptic_val/1.png"
    assert first.objects == (
        Object("cat", (2.0, 0.0, 6.0, 4.0), index=460551, extra={"score": 0.5}),
        Object("dog", (0.0, 0.0, 1.0, 9.0), index=7, crowd=True),
    )
    assert [(flaw.code, flaw.source) for flaw in dataset.warnings] == [("bad-annotation", "val/1.png")]
    message = "annotations/panoptic_val.json: image 2: its mask 2.png is not there"
    assert dataset.failed == (Flaw("missing-mask", "val/2.png", message),)
    assert dataset.details.files[0].categories == tuple(categories)


def test_panoptic_beside_instances_is_read_only_by_name(tmp_path):
    files = {
        "instances_val.json": content([image(1, "1.jpg")], [thing(1)]),
        "panoptic_val.json": content([image(1, "1.jpg")], [{"image_id": 1, "file_name": "1.png", "segments_info": []}]),
    }
    dataset = read(tmp_path, files, ["1.jpg", "panoptic_val/1.png"])
    assert [(flaw.code, flaw.source) for flaw in dataset.warnings] == [("not-read", "panoptic_val.json")]
    assert len(dataset.samples[0].annotations.objects) == 1
    dataset = read(tmp_path, {}, labels="panoptic_val.json")
    assert dataset.samples[0].annotations.segments == "panoptic_val/1.png"


def test_classes_of_whole_images(tmp_path):
    bare = {"id": 4, "image_id": 1, "category_id": 90, "sequence": 2}
    known, flaws = one(tmp_path, bare, {"image_id": 1, "category_id": 3}, bare, thing(5))
    assert known.labels == {"dog": 1.0, "cat": 1.0}
    assert known.extra["labels"] == {"dog": {"id": 4, "sequence": 2}, "cat": {}}
    assert len(known.objects) == 1
    assert flaws == {("duplicate-annotation-id", "1.jpg")}


def test_bad_annotations_are_left_out_one_by_one(tmp_path):
    good = thing(1)
    known, flaws = one(
        tmp_path,
        good,
        5,
        None,
        thing(2, image_id=99),
        {"id": 3, "category_id": 3, "bbox": [1, 2, 3, 4]},
        thing(4, image_id=[1]),
        thing(5, category=77),
        thing(6, category={}),
        thing(7, bbox=[1, 2, 3]),
        thing(8, bbox="1234"),
        thing(9, bbox=[1, 2, None, 4]),
        thing(10, bbox=[1, 2, 10**400, 4]),
        thing(11, bbox=[], segmentation=[]),
    )
    assert known.objects == (Object("cat", (1.0, 2.0, 4.0, 6.0), extra={"id": 1}),)
    assert flaws == {
        ("bad-annotation", "a.json"),
        ("unknown-image", "a.json"),
        ("unknown-category", "1.jpg"),
        ("bad-box", "1.jpg"),
        ("no-shape", "1.jpg"),
    }


@pytest.mark.parametrize(
    ("part", "code"),
    [
        ({"segmentation": "text"}, "bad-segmentation"),
        ({"segmentation": [[1, 2, 3]]}, "bad-segmentation"),
        ({"segmentation": [[1, 2, "3", 4, 5, 6]]}, "bad-segmentation"),
        ({"segmentation": [None]}, "bad-segmentation"),
        ({"segmentation": [[[1, 2], [3, 4]]]}, "bad-segmentation"),
        ({"segmentation": {"counts": [1, 2]}}, "bad-segmentation"),
        ({"segmentation": {"size": [8], "counts": [80]}}, "bad-segmentation"),
        ({"segmentation": {"size": [8, 0], "counts": []}}, "bad-segmentation"),
        ({"segmentation": {"size": [8, 10], "counts": [1, -1]}}, "bad-segmentation"),
        ({"segmentation": {"size": [8, 10], "counts": [1.5]}}, "bad-segmentation"),
        ({"segmentation": {"size": 8, "counts": [80]}}, "bad-segmentation"),
        ({"segmentation": {"size": [8, 10], "counts": "é"}}, "bad-segmentation"),
        ({"keypoints": [1, 2]}, "bad-keypoints"),
        ({"keypoints": "none"}, "bad-keypoints"),
        ({"keypoints": [[1, 2, 2]]}, "bad-keypoints"),
    ],
)
def test_a_bad_part_leaves_the_others(tmp_path, part, code):
    known, flaws = one(tmp_path, thing(1, **part), thing(2, **part))
    assert known.objects == tuple(Object("cat", (1.0, 2.0, 4.0, 6.0), extra={"id": number}) for number in (1, 2))
    assert flaws == {(code, "1.jpg")}


def test_one_flaw_counts_all_of_its_kind(tmp_path):
    dataset = read(
        tmp_path, {"a.json": content([image(1, "1.jpg")], [thing(1), *(thing(n, bbox=[1]) for n in range(2, 9))])}
    )
    assert [flaw.message for flaw in dataset.warnings if flaw.code == "bad-box"] == [
        "a.json: annotation 2: its bbox is not four numbers: a list of 1 (and 6 more)"
    ]


def test_a_polygon_that_is_not_in_a_list(tmp_path):
    known, flaws = one(tmp_path, thing(1, segmentation=[1, 1, 2, 1, 2, 2]))
    assert known.objects[0].rings == (array("d", [1, 1, 2, 1, 2, 2]),)
    assert not flaws


def test_nan_is_kept_in_shapes_for_the_worker_and_nowhere_else(tmp_path):
    text = json.dumps(
        content([image(1, "1.jpg", gps=float("inf"))], [thing(1, bbox=[float("nan"), 1, 2, 3], score=float("nan"))])
    )
    dataset = read(tmp_path, {"a.json": text.encode()})
    (found,) = dataset.samples[0].annotations.objects
    assert found.box is not None and found.box[0] != found.box[0]
    assert found.extra == {"id": 1, "score": None}
    assert dataset.samples[0].annotations.extra["images"]["a.json"]["gps"] is None
    assert [flaw.code for flaw in dataset.warnings] == ["odd-value"]


def test_half_a_surrogate_pair_can_be_written_again(tmp_path):
    text = rb'{"images":[{"id":1,"file_name":"1.jpg"}],"categories":[{"id":1,"name":"c\ud800"}],' + (
        rb'"annotations":[{"id":1,"image_id":1,"category_id":1,"bbox":[1,2,3,4],"\udc00":"\udc00"}]}'
    )
    dataset = read(tmp_path, {"a.json": text})
    assert dataset.classes == ("c?",)
    assert dataset.samples[0].annotations.objects[0].extra == {"id": 1, "?": "?"}
    assert {flaw.code for flaw in dataset.warnings} == {"odd-value"}


def test_values_nested_too_deep_to_be_written_again(tmp_path):
    deep = json.loads("[" * 300 + "]" * 300)
    known, flaws = one(tmp_path, thing(1, attributes=deep))
    assert json.dumps(known.objects[0].extra["attributes"]) == "[" * 100 + "null" + "]" * 100
    assert flaws == {("odd-value", "1.jpg")}


def test_duplicate_ids(tmp_path):
    images = [
        image(1, "1.jpg"),
        image(2, "2.jpg"),
        image(2, "3.jpg"),
        image(4, "4.jpg"),
        image(4, "4.jpg"),
        image(5, "1.jpg"),
    ]
    said = [thing(1, 1), thing(1, 4), thing(2, 2), thing(3, 5)]
    dataset = read(tmp_path, {"a.json": content(images, said)}, ["1.jpg", "2.jpg", "3.jpg", "4.jpg"])
    assert [(flaw.code, flaw.source) for flaw in dataset.failed] == [("duplicate-image-id", "2.jpg")]
    assert [(s.id, [t.extra for t in s.annotations.objects]) for s in dataset.samples] == [
        ("1.jpg", [{"id": 1}, {"id": 3}]),
        ("4.jpg", [{}]),
    ]
    assert sorted((flaw.code, flaw.source) for flaw in dataset.warnings) == [
        ("duplicate-annotation-id", "4.jpg"),
        ("duplicate-file-name", "1.jpg"),
        ("duplicate-image-id", "4.jpg"),
        ("duplicate-image-id", "a.json"),
        ("not-listed", "2.jpg"),
        ("not-listed", "3.jpg"),
    ]


def test_categories_as_they_are_in_the_wild(tmp_path):
    categories = [
        {"id": 0, "name": "face"},
        {"id": 1, "name": "face"},
        {"id": 2},
        {"id": 3, "name": 7},
        {"name": "x"},
        {"id": 0},
    ]
    known, flaws = one(tmp_path, *(thing(n, category=n) for n in range(4)), categories=categories)
    assert [(found.label, found.extra) for found in known.objects] == [
        ("face", {"id": 0, "category_id": 0}),
        ("face", {"id": 1, "category_id": 1}),
        ("2", {"id": 2}),
        ("7", {"id": 3}),
    ]
    assert flaws == {("bad-category", "a.json"), ("duplicate-category-id", "a.json")}


def test_no_categories(tmp_path):
    dataset = read(
        tmp_path,
        {"a.json": {"images": [image(1, "1.jpg")], "annotations": [thing(1, category=12), thing(2, category=None)]}},
    )
    labels = [found.label for found in dataset.samples[0].annotations.objects]
    assert labels == ["12", None]
    assert dataset.classes == ("12",)
    assert [flaw.code for flaw in dataset.warnings] == ["no-categories"]


def test_an_annotation_without_a_category(tmp_path):
    known, flaws = one(tmp_path, thing(1, category=None))
    assert known.objects[0].label is None
    assert flaws == {("no-category", "1.jpg")}


def test_ids_may_be_text(tmp_path):
    said = content(
        [{"id": "x", "file_name": "1.jpg", "width": "10", "height": 8}],
        [{"id": "y", "image_id": "x", "category_id": "c", "bbox": [1, 2, 3, 4]}],
        [{"id": "c", "name": "cat"}],
    )
    (sample,) = read(tmp_path, {"a.json": said}).samples
    assert sample.annotations.objects == (Object("cat", (1.0, 2.0, 4.0, 6.0)),)
    assert sample.annotations.size is None


def test_poses(tmp_path):
    def category(number, keypoints, skeleton=()):
        return {"id": number, "name": f"class {number}", "keypoints": keypoints, "skeleton": list(skeleton)}

    points = [1.0, 1.0, 2.0]
    categories = [
        category(1, ["L_eye", "R_eye"], [[1, 2]]),
        category(2, ["left", "right"], [[0, 1]]),
        category(3, []),
        category(4, ["left", "right"]),
        category(5, [], [[1, 2]]),
        category(6, {"0": "nose"}),
    ]
    said = [thing(n, category=n, keypoints=points * count) for n, count in ((1, 2), (3, 4), (4, 3))]
    dataset = read(tmp_path, {"a.json": content([image(1, "1.jpg")], said, categories)})
    assert dataset.poses == {
        "class 1": Pose(("L_eye", "R_eye"), ((0, 1),), (1, 0)),
        "class 2": Pose(("left", "right"), ((0, 1),), (1, 0)),
        "class 3": Pose(),
        "class 4": Pose(("left", "right")),
    }
    assert [flaw.message for flaw in dataset.warnings] == [
        "a.json: category 4 names 2 keypoints, but its objects have 3"
    ]


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"images": []}, "a.json can be used"),
        ({"annotations": [], "categories": []}, "a.json: it has no list of images (its keys: annotations, categories)"),
        ([{"image_id": 1, "bbox": [1, 2, 3, 4], "score": 1}], "must begin here"),
        ({"images": {"1": {}}}, "a.json:1 (byte 11): images must be a list"),
        (b'{"images": [{"id": 1, "file_name": "1.jpg"}], "annotations": [{"id":', "the file ends in the middle"),
        (b'{"images": [{"id": ' + b"9" * 5000 + b"}]}", "a number has too many digits"),
    ],
)
def test_files_that_are_refused(tmp_path, said, message):
    assert message in refused(tmp_path, {"a.json": said}, labels="a.json").message


def test_nothing_that_looks_like_coco(tmp_path):
    error = refused(tmp_path, {"a.json": {"shapes": [], "x": {"images": []}}, "summary.json": content([])})
    assert error.message == f"{tmp_path}: no JSON file with a list of images and one of annotations"
    assert error.hint == "JSON files there: a.json"
    assert "no table" in refused(tmp_path, {}, table="a.csv").message


def test_detect(tmp_path):
    assert COCO.detect(plant(tmp_path, {}, ["1.jpg"])) == ""
    plant(
        tmp_path,
        {"shape.json": {"shapes": [], "x": {"images": []}}, "list.json": [], "deep/er/a.json": content([])},
        [],
    )
    assert COCO.detect(str(tmp_path)) == ""
    plant(tmp_path, {"annotations/instances_train.json": content([]), ".hidden/x.json": content([])}, [])
    assert COCO.detect(str(tmp_path)) == "annotations/instances_train.json"
    plant(tmp_path, {f"labels/{n:03}.json": {"shapes": []} for n in range(60)}, [])
    plant(tmp_path, {"b.json": b"\xef\xbb\xbf" + json.dumps({"info": {"images": [1]}, "annotations": []}).encode()}, [])
    assert COCO.detect(str(tmp_path)) == "annotations/instances_train.json and 1 more"


def test_a_link_out_of_the_folder_is_not_followed(tmp_path):
    outside = tmp_path / "outside.json"
    outside.write_text(json.dumps(content([image(1, "1.jpg")])))
    root = tmp_path / "in"
    plant(root, {}, ["1.jpg"])
    (root / "a.json").symlink_to(outside)
    assert COCO.detect(str(root)) == ""
    assert "no JSON file" in refused(root, {}).message


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
    max_leaves=8,
)
NUMBERS = st.lists(st.integers(-5, 20), max_size=9)
IDS = st.sampled_from([1, 2, 3, "1", 1.0, None, True]) | ANYTHING
WILD_IMAGE = st.fixed_dictionaries(
    {}, optional={"id": IDS, "file_name": st.sampled_from(["1.jpg", "2.jpg"]) | ANYTHING}
)
WILD_CATEGORY = st.fixed_dictionaries(
    {}, optional={"id": IDS, "name": ANYTHING, "keypoints": ANYTHING, "skeleton": ANYTHING}
)
WILD_ANNOTATION = st.fixed_dictionaries(
    {},
    optional={
        "id": IDS,
        "image_id": IDS,
        "category_id": IDS,
        "bbox": NUMBERS | ANYTHING,
        "segmentation": NUMBERS
        | st.lists(NUMBERS)
        | ANYTHING
        | st.fixed_dictionaries({"size": ANYTHING, "counts": ANYTHING}),
        "keypoints": NUMBERS | ANYTHING,
        "iscrowd": ANYTHING,
        "caption": ANYTHING,
        "segments_info": ANYTHING,
        "file_name": ANYTHING,
        "coco_files": ANYTHING,
        "x": ANYTHING,
    },
)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(WILD_IMAGE | ANYTHING, max_size=4),
    st.lists(WILD_ANNOTATION | ANYTHING, max_size=5),
    st.lists(WILD_CATEGORY | ANYTHING, max_size=3),
)
def test_nothing_in_a_label_file_is_more_than_a_flaw(images, annotations, categories):
    with tempfile.TemporaryDirectory() as folder:
        try:
            dataset = read(
                Path(folder),
                {"a.json": content([image(9, "3.jpg"), *images], [thing(1, 9), *annotations], categories)},
                ["1.jpg", "2.jpg", "3.jpg"],
            )
        except InputError as error:
            assert "can be used" in error.message
            return
    for sample in dataset.samples:
        known = sample.annotations
        said = [sample.id, known.captions, known.extra, [[found.label, found.extra] for found in known.objects]]
        json.dumps(said, allow_nan=False, ensure_ascii=False).encode()
    written = [(name, "".join(text)) for name, text in COCO.write((), dataset)]
    assert [name for name, _ in written] == ["a.json"]
    json.loads(written[0][1])
