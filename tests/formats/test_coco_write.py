"""COCO written: the text of new files, and files that were read, with copies, as they were read."""

import json
import os
from array import array

import pytest

from augx.errors import InputError
from augx.formats import ReadOptions
from augx.formats.coco.format import Coco
from augx.model import Annotations, Dataset, Object, Pose, Rle, Sample
from augx.objects import to_row

COCO = Coco()


def plant(root, files, images=("1.jpg",)):
    for name, said in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(said))
    for name in images:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    return str(root)


def rows_of(dataset, copies=0, area=None, place=COCO.place):
    """Manifest rows as a run writes them, through JSON as the manifest goes."""
    rows = []
    for sample in dataset.samples:
        known = sample.annotations
        stem, ending = os.path.splitext(os.path.basename(sample.id))
        for copy in range(copies + 1):
            name = f"{stem}_aug{copy:02d}{ending}" if copy else stem + ending
            rows.append(
                {
                    "file_name": os.path.join(place(sample, dataset), name),
                    "source": sample.id,
                    "copy": copy,
                    "split": sample.split,
                    "width": 10,
                    "height": 8,
                    "label": known.label,
                    "labels": dict(known.labels),
                    "captions": list(known.captions),
                    "objects": [to_row(thing, area) for thing in known.objects],
                }
            )
    return json.loads(json.dumps(rows))


def written(dataset, rows):
    files = {name: "".join(pieces) for name, pieces in COCO.write(rows, dataset)}
    assert [name for name, _ in COCO.write((), dataset)] == list(files)
    return files


def again(root, files, copies=0, images=("1.jpg",), area=None):
    """The JSON of all label files, read from `root` and written."""
    dataset = COCO.read(plant(root, files, images), ReadOptions())
    return {name: json.loads(text) for name, text in written(dataset, rows_of(dataset, copies, area)).items()}


def test_a_dataset_of_another_format():
    things = (
        Object("dog", (1.5, 2.0, 4.0, 6.25), (array("d", [1.5, 2, 4, 2, 4, 6.25]),), extra={"id": "x", "difficult": 1}),
        Object("cat", rle=Rle(10, 8, "PP_1"), crowd=True),
        Object(None, (0.0, 0.0, 1.0, 1.0), keypoints=array("d", [1, 2, 2, 0, 0, 0, 3, 4, 1])),
    )
    samples = (
        Sample("a/1.jpg", Annotations(objects=things, captions=("eine Straße",)), "train"),
        Sample("a/2.jpg", Annotations(), "train"),
    )
    pose = Pose(("nose", "left_eye", "right_eye"), ((0, 1), (0, 2)), (0, 2, 1))
    dataset = Dataset("", "yolo", samples, ("cat", "dog"), poses={"dog": pose}, details={"not": "ours"})
    images = """"images": [
{"id": 1, "file_name": "1.jpg", "width": 10, "height": 8},
{"id": 2, "file_name": "1_aug01.jpg", "width": 10, "height": 8},
{"id": 3, "file_name": "2.jpg", "width": 10, "height": 8},
{"id": 4, "file_name": "2_aug01.jpg", "width": 10, "height": 8}
],
"""
    dog = (
        '"bbox": [1.5, 2, 2.5, 4.25], "area": 9.5, "segmentation": [[1.5, 2, 4, 2, 4, 6.25]], "iscrowd": 0, '
        '"difficult": 1'
    )
    cat = '"area": 9.5, "segmentation": {"size": [8, 10], "counts": "PP_1"}, "iscrowd": 1'
    rest = (
        '"bbox": [0, 0, 1, 1], "area": 9.5, "segmentation": [], "iscrowd": 0, '
        '"keypoints": [1, 2, 2, 0, 0, 0, 3, 4, 1], "num_keypoints": 2'
    )
    pose = '"keypoints": ["nose", "left_eye", "right_eye"], "skeleton": [[1, 2], [1, 3]]'
    assert written(dataset, rows_of(dataset, copies=1, area=9.5)) == {
        "annotations/captions_train.json": f"""{{
"info": {{}},
"licenses": [],
{images}"annotations": [
{{"id": 4, "image_id": 1, "caption": "eine Straße"}},
{{"id": 8, "image_id": 2, "caption": "eine Straße"}}
]
}}
""",
        "annotations/instances_train.json": f"""{{
"info": {{}},
"licenses": [],
{images}"annotations": [
{{"id": 1, "image_id": 1, "category_id": 2, {dog}}},
{{"id": 2, "image_id": 1, "category_id": 1, {cat}}},
{{"id": 3, "image_id": 1, "category_id": 3, {rest}}},
{{"id": 5, "image_id": 2, "category_id": 2, {dog}}},
{{"id": 6, "image_id": 2, "category_id": 1, {cat}}},
{{"id": 7, "image_id": 2, "category_id": 3, {rest}}}
],
"categories": [
{{"id": 1, "name": "cat", "supercategory": ""}},
{{"id": 2, "name": "dog", "supercategory": "", {pose}}},
{{"id": 3, "name": "object", "supercategory": ""}}
]
}}
""",
    }
    assert COCO.place(samples[0], dataset) == "images/train"


def test_without_splits_and_without_labels():
    dataset = Dataset("", "folder", (Sample("1.jpg"),))
    assert COCO.place(dataset.samples[0], dataset) == "images"
    (name,) = written(dataset, rows := rows_of(dataset))
    assert name == "annotations/instances.json"
    assert rows[0]["file_name"] == "images/1.jpg"
    assert json.loads(written(dataset, rows)[name]) == {
        "info": {},
        "licenses": [],
        "images": [{"id": 1, "file_name": "1.jpg", "width": 10, "height": 8}],
        "annotations": [],
        "categories": [],
    }


def test_captions_alone_need_no_file_of_instances():
    dataset = Dataset("", "hf", (Sample("1.jpg", Annotations(captions=("one", "two"))),))
    assert list(written(dataset, rows_of(dataset))) == ["annotations/captions.json"]


def test_images_that_another_format_places():
    dataset = Dataset("", "voc", (Sample("1.jpg", split="train"),))
    rows = rows_of(dataset, place=lambda sample, dataset: "JPEGImages")
    (text,) = written(dataset, rows).values()
    assert json.loads(text)["images"][0]["file_name"] == "JPEGImages/1.jpg"


SAID = {
    "info": {"year": 2017, "description": "Größe"},
    "licenses": [{"id": 3, "name": "none"}],
    "type": "instances",
    "images": [
        {"id": 500, "file_name": "1.jpg", "width": 10, "height": 8, "license": 3, "flickr_url": "u"},
        {"id": 7, "file_name": "2.jpg", "width": 10, "height": 8, "date_captured": None},
    ],
    "annotations": [
        {
            "id": 90,
            "image_id": 500,
            "category_id": 44,
            "bbox": [1.5, 2, 2.5, 4.25],
            "area": 3,
            "segmentation": [[1.5, 2, 4, 2, 4, 6.25], [0, 0, 1, 0, 1, 1.123]],
            "iscrowd": 0,
            "attributes": {"track": 4},
        },
        {
            "id": 12,
            "image_id": 500,
            "category_id": 2,
            "bbox": [0, 0, 1, 8],
            "area": 3,
            "segmentation": {"size": [8, 10], "counts": [0, 8, 72]},
            "iscrowd": 1,
            "keypoints": [0, 0, 0, 4, 5, 2],
            "num_keypoints": 1,
        },
    ],
    "categories": [{"id": 44, "name": "b", "supercategory": "x", "color": [1, 2]}, {"id": 2, "name": "a"}],
}


def test_what_was_read_comes_out_again(tmp_path):
    name = "annotations/instances_val2017.json"
    images = ["val2017/1.jpg", "val2017/2.jpg"]
    assert again(tmp_path, {name: SAID}, images=images, area=3) == {name: SAID}


def test_copies_get_ids_above_all_others(tmp_path):
    (said,) = again(tmp_path, {"a.json": SAID}, copies=2, images=["1.jpg", "2.jpg"]).values()
    assert [(entry["id"], entry["file_name"]) for entry in said["images"]] == [
        (500, "1.jpg"),
        (501, "1_aug01.jpg"),
        (502, "1_aug02.jpg"),
        (7, "2.jpg"),
        (503, "2_aug01.jpg"),
        (504, "2_aug02.jpg"),
    ]
    assert [entry.get("license") for entry in said["images"]] == [3, 3, 3, None, None, None]
    assert [(entry["id"], entry["image_id"], entry["category_id"]) for entry in said["annotations"]] == [
        (90, 500, 44),
        (12, 500, 2),
        (91, 501, 44),
        (92, 501, 2),
        (93, 502, 44),
        (94, 502, 2),
    ]
    assert said["annotations"][2]["attributes"] == {"track": 4}


def test_originals_without_a_usable_id_get_one(tmp_path):
    said = {
        "images": [{"id": "one", "file_name": "1.jpg"}, {"id": 5, "file_name": "2.jpg"}],
        "annotations": [
            {"id": 3, "image_id": 5, "category_id": 1, "bbox": [1, 2, 3, 4]},
            {"id": 3, "image_id": 5, "category_id": 1, "bbox": [1, 2, 3, 4]},
            {"image_id": "one", "category_id": 1, "bbox": [1, 2, 3, 4]},
            {"id": 1 << 60, "image_id": "one", "category_id": 1, "bbox": [1, 2, 3, 4]},
        ],
        "categories": [{"id": 1, "name": "a"}],
    }
    (found,) = again(tmp_path, {"a.json": said}, images=["1.jpg", "2.jpg"]).values()
    assert [(entry["id"], entry["file_name"]) for entry in found["images"]] == [(6, "1.jpg"), (5, "2.jpg")]
    assert [(entry["id"], entry["image_id"]) for entry in found["annotations"]] == [(4, 6), (5, 6), (3, 5), (6, 5)]


def test_several_files_of_one_split(tmp_path):
    images = [{"id": 1, "file_name": "1.jpg", "width": 10, "height": 8}]
    head = {"info": {}, "licenses": []}
    box = {"image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4], "area": 12, "segmentation": [], "iscrowd": 0}
    points = {"keypoints": [1, 2, 2], "num_keypoints": 1}
    categories = [{"id": 1, "name": "a"}]
    poses = [{"id": 1, "name": "a", "keypoints": ["nose"], "skeleton": []}]
    files = {
        "annotations/captions_train.json": {
            **head,
            "images": [{**images[0], "license": 2}],
            "annotations": [
                {"id": 30, "image_id": 1, "category_id": 0, "caption": "x"},
                {"id": 31, "image_id": 1, "caption": "y"},
            ],
        },
        "annotations/image_info_train.json": {**head, "images": images, "annotations": []},
        "annotations/instances_train.json": {
            **head,
            "images": images,
            "annotations": [{"id": 1, **box}, {"id": 2, **box}],
            "categories": categories,
        },
        "annotations/labels_train.json": {
            **head,
            "images": images,
            "annotations": [{"id": 40, "image_id": 1, "category_id": 6, "by": "me"}],
            "categories": [{"id": 6, "name": "sunny"}],
        },
        "annotations/person_keypoints_train.json": {
            **head,
            "images": images,
            "annotations": [{"id": 1, **box, **points}],
            "categories": poses,
        },
        "annotations/stuff_train.json": {
            **head,
            "images": images,
            "annotations": [{"id": 9, **box, "category_id": 8}],
            "categories": [{"id": 8, "name": "sky"}],
        },
    }  # fmt: skip
    assert again(tmp_path, files) == files
    found = again(tmp_path, {}, copies=1)
    assert {name: [entry["id"] for entry in said["annotations"]] for name, said in found.items()} == {
        "annotations/captions_train.json": [30, 31, 44, 45],
        "annotations/image_info_train.json": [],
        "annotations/instances_train.json": [1, 2, 41, 42],
        "annotations/labels_train.json": [40, 46],
        "annotations/person_keypoints_train.json": [1, 41],
        "annotations/stuff_train.json": [9, 43],
    }
    assert {entry["id"] for said in found.values() for entry in said["images"]} == {1, 2}


def test_one_file_with_everything_in_it(tmp_path):
    said = {
        **SAID,
        "annotations": [
            *SAID["annotations"],
            {"id": 91, "image_id": 500, "category_id": 2},
            {"id": 92, "image_id": 500, "caption": "x"},
        ],
    }
    assert again(tmp_path, {"a.json": said}, images=["1.jpg", "2.jpg"], area=3) == {"a.json": said}


def test_panoptic_segments_are_written_as_instances(tmp_path):
    said = {
        "info": {},
        "licenses": [],
        "images": [{"id": 1, "file_name": "1.jpg", "width": 10, "height": 8}],
        "annotations": [
            {"image_id": 1, "file_name": "1.png", "segments_info": [{"id": 66, "category_id": 2, "bbox": [1, 2, 3, 4]}]}
        ],
        "categories": [{"id": 2, "name": "sky", "isthing": 0}],
    }
    found = again(tmp_path, {"panoptic_val.json": said}, images=["1.jpg", "panoptic_val/1.png"])
    assert list(found) == ["instances_val.json"]
    assert found["instances_val.json"] == {
        **said,
        "annotations": [
            {
                "id": 1,
                "image_id": 1,
                "category_id": 2,
                "bbox": [1, 2, 3, 4],
                "area": 12,
                "segmentation": [],
                "iscrowd": 0,
            }
        ],
    }


@pytest.mark.parametrize(
    ("label_file", "name", "image", "copy"),
    [
        ("train/_annotations.coco.json", "1.jpg", "train/1.jpg", "1_aug01.jpg"),
        ("annotations/instances_train.json", "train/1.jpg", "images/train/1.jpg", "train/1_aug01.jpg"),
        ("annotations/a.json", "../images/1.jpg", "images/1.jpg", "../images/1_aug01.jpg"),
        ("a.json", "./b\\1.jpg", "b/1.jpg", "b/1_aug01.jpg"),
        ("a.json", "1.jpg", "deep/down/1.jpg", "1_aug01.jpg"),
    ],
)
def test_names_count_from_where_they_did(tmp_path, label_file, name, image, copy):
    said = {"images": [{"id": 1, "file_name": name}], "annotations": [], "categories": []}
    (found,) = again(tmp_path, {label_file: said}, copies=1, images=[image]).values()
    assert found["images"][1]["file_name"] == copy


def test_categories_that_share_a_name_or_have_none(tmp_path):
    said = {
        "images": [{"id": 1, "file_name": "1.jpg"}],
        "annotations": [{"id": n, "image_id": 1, "category_id": n, "bbox": [1, 2, 3, 4]} for n in (0, 1, 5)],
        "categories": [{"id": 0, "name": "face"}, {"id": 1, "name": "face"}, {"id": 5}],
    }
    (found,) = again(tmp_path, {"a.json": said}).values()
    assert [entry["category_id"] for entry in found["annotations"]] == [0, 1, 5]
    assert found["categories"] == said["categories"]
    del said["categories"]
    (found,) = again(tmp_path, {"a.json": said}).values()
    assert [entry["category_id"] for entry in found["annotations"]] == [0, 1, 5]
    assert "categories" not in found


def test_a_class_from_elsewhere_is_added(tmp_path):
    dataset = COCO.read(plant(tmp_path, {"a.json": SAID}, ["1.jpg", "2.jpg"]), ReadOptions())
    rows = rows_of(dataset)
    rows[1]["objects"] = [{"label": "new", "bbox": [1, 2, 3, 4]}]
    found = json.loads(written(dataset, rows)["a.json"])
    assert found["categories"] == [*SAID["categories"], {"id": 45, "name": "new", "supercategory": ""}]
    assert found["annotations"][-1]["category_id"] == 45


def test_rows_are_streamed(tmp_path):
    dataset = COCO.read(plant(tmp_path, {"a.json": SAID}, ["1.jpg", "2.jpg"]), ReadOptions())
    row = rows_of(dataset)[0]
    alive = most = 0

    class Live(dict):
        def __init__(self, content):
            nonlocal alive, most
            super().__init__(content)
            alive += 1
            most = max(most, alive)

        def __del__(self):
            nonlocal alive
            alive -= 1

    class Rows:
        def __iter__(self):
            return (Live({**row, "copy": copy}) for copy in range(500))

    ((_, pieces),) = COCO.write(Rows(), dataset)
    assert sum(1 for _ in pieces) > 1500
    assert most <= 3


def test_check():
    sample = Sample("1.jpg", Annotations({"cat": 1.0}), "train")
    COCO.check(Dataset("", "folder", (sample,)), mixes=False)
    COCO.check(Dataset("", "voc", (Sample("1.jpg", split="test-dev"),)), mixes=True)
    for split in ("../up", "a/b", ".hidden", "", "x" * 200):
        with pytest.raises(InputError, match="file name"):
            COCO.check(Dataset("", "table", (Sample("1.jpg", split=split),)), mixes=False)
