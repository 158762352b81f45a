"""Hugging Face imagefolder: what columns mean, that they come out the same, and that `datasets` reads them."""

from __future__ import annotations

import json
from array import array

import numpy as np
import pytest

from augx.errors import InputError
from augx.formats import ReadOptions
from augx.formats.hf.format import Hf
from augx.formats.table.format import TableFormat
from augx.model import Annotations, Beside, Dataset, Object, Sample
from augx.objects import to_row
from augx.rle import rle_encode

HF = Hf()


def plant(root, files):
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(root)


def jsonl(*rows):
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def read(root, *rows, images=("1.jpg", "2.jpg", "3.jpg"), name="metadata.jsonl", **options):
    text = rows[0] if rows and isinstance(rows[0], str) else jsonl(*rows)
    return HF.read(plant(root, {**dict.fromkeys(images, "x"), name: text}), ReadOptions(**options))


def row_of(sample, copy=0, **keys):
    """A manifest row as a run makes it."""
    known = sample.annotations
    width, height = known.size or (30, 20)
    objects = []
    for thing in known.objects:
        area = None if thing.box is None else (thing.box[2] - thing.box[0]) * (thing.box[3] - thing.box[1])
        objects.append(to_row(thing, area))
    row = {
        "file_name": sample.id,
        "source": sample.id,
        "copy": copy,
        "split": sample.split,
        "width": width,
        "height": height,
        "label": known.label,
        "labels": dict(known.labels),
        "objects": objects,
        "captions": list(known.captions),
        "values": dict(known.values),
        "mask": known.mask,
    }
    return json.loads(json.dumps({**row, **keys}))


def write(dataset, rows=None):
    rows = [row_of(sample) for sample in dataset.samples] if rows is None else rows
    return {name: "".join(text) for name, text in HF.write(rows, dataset)}


def annotations(dataset):
    return [sample.annotations for sample in dataset.samples]


def flaws(found):
    return [(flaw.code, flaw.source) for flaw in found]


EVERYTHING = jsonl(
    {
        "file_name": "1.jpg",
        "label": 3,
        "text": "a cat",
        "objects": {
            "id": [7, 9],
            "bbox": [[1, 2, 4, 6], [0, 0, 2, 2]],
            "category": ["cat", None],
            "area": [24, 4],
            "iscrowd": [0, 1],
            "segmentation": [[[1, 2, 5, 2, 5, 8]], None],
            "keypoints": [[1, 2, 2, 0, 0, 0], None],
            "occluded": [True, False],
        },
        "width": 30,
        "height": 20,
        "angle": 1.5,
        "nested": {"a": [1, None, "é"]},
    },
    {
        "file_name": "2.jpg",
        "label": None,
        "text": None,
        "objects": {
            key: [] for key in ("id", "bbox", "category", "area", "iscrowd", "segmentation", "keypoints", "occluded")
        },
        "width": 30,
        "height": 20,
        "angle": -2.0,
        "nested": None,
    },
)


def test_what_is_not_moved_comes_out_byte_for_byte(tmp_path):
    dataset = read(tmp_path, EVERYTHING, images=("1.jpg", "2.jpg"))
    assert write(dataset) == {"metadata.jsonl": EVERYTHING}
    one, two = annotations(dataset)
    assert one == Annotations(
        {"3": 1.0},
        {"angle": 1.5, "nested": {"a": [1, None, "é"]}},
        ("a cat",),
        (
            Object(
                "cat",
                (1, 2, 5, 8),
                (array("d", [1, 2, 5, 2, 5, 8]),),
                keypoints=array("d", [1, 2, 2, 0, 0, 0]),
                extra={"id": 7, "occluded": True},
            ),
            Object(None, (0, 0, 2, 2), crowd=True, extra={"id": 9, "occluded": False}),
        ),
        size=(30, 20),
    )
    assert two == Annotations({}, {"angle": -2.0, "nested": None}, size=(30, 20))
    assert dataset.classes == ("3", "cat")
    assert (dataset.warnings, dataset.failed, dataset.ignored) == ((), (), {})
    assert dataset.digest.startswith("metadata.jsonl:")


def test_copies_get_their_own_numbers_size_and_ids(tmp_path):
    dataset = read(tmp_path, EVERYTHING, images=("1.jpg", "2.jpg"))
    one = dataset.samples[0]
    moved = to_row(Object("cat", (1.5, 2, 5, 8.125), extra={"id": 7, "occluded": True}), 21.4375)
    rows = [row_of(one), *(row_of(one, n, file_name=f"1_{n}.jpg", width=9, objects=[moved]) for n in (1, 2))]
    lines = list(map(json.loads, write(dataset, rows)["metadata.jsonl"].splitlines()))
    assert [line["file_name"] for line in lines] == ["1.jpg", "1_1.jpg", "1_2.jpg"]
    assert [line["objects"]["id"] for line in lines] == [[7, 9], [10], [11]]
    assert lines[1]["objects"]["bbox"] == [[1.5, 2, 3.5, 6.125]]
    assert (lines[1]["width"], lines[1]["height"], lines[1]["label"]) == (9, 20, 3)


def test_a_column_has_one_type_in_all_rows(tmp_path):
    rows = [{"file_name": f"{n}.jpg", "objects": {"bbox": [[1, 2, 4, 6]], "category": [n]}} for n in (1, 2)]
    dataset = read(tmp_path, *rows)
    assert '"bbox": [[1, 2, 4, 6]]' in write(dataset)["metadata.jsonl"]
    one, two = dataset.samples
    rows = [row_of(one), row_of(two, 1, objects=[to_row(Object("2", (0.5, 1, 2, 3)), 3.0)])]
    assert write(dataset, rows)["metadata.jsonl"] == (
        '{"file_name": "1.jpg", "objects": {"bbox": [[1.0, 2.0, 4.0, 6.0]], "category": [1]}}\n'
        '{"file_name": "2.jpg", "objects": {"bbox": [[0.5, 1.0, 1.5, 2.0]], "category": [2]}}\n'
    )


@pytest.mark.parametrize(
    ("columns", "labels"),
    [
        ({"label": "cat"}, {"cat": 1.0}),
        ({"label": 0}, {"0": 1.0}),
        ({"label": True}, {"true": 1.0}),
        ({"class": "cat"}, {"cat": 1.0}),
        ({"label": ["cat", "dog"]}, {"cat": 1.0, "dog": 1.0}),
        ({"labels": ["cat", "dog"]}, {"cat": 1.0, "dog": 1.0}),
        ({"labels": {"cat": 0.25, "dog": 0.75}}, {"cat": 0.25, "dog": 0.75}),
        ({"tags": [1, 2]}, {"1": 1.0, "2": 1.0}),
        ({"labels": "cat|dog"}, {"cat": 1.0, "dog": 1.0}),
        ({"labels": ["cat"], "label": "cat"}, {"cat": 1.0}),
        ({"labels": [], "label": "cat"}, {"cat": 1.0}),
        ({"label": 0.5}, {}),
        ({"target": 3}, {}),
        ({"label": None}, {}),
    ],
)
def test_classes_in_any_form_come_out_in_it(tmp_path, columns, labels):
    row = {"file_name": "1.jpg", **columns}
    dataset = read(tmp_path, row)
    assert annotations(dataset)[0].labels == labels
    again = json.loads(write(dataset)["metadata.jsonl"])
    kept = {key: value for key, value in again.items() if key != "labels" or value != list(labels) or "labels" in row}
    assert kept == ({**row, "labels": ["cat"]} if row.get("labels") == [] else row)


def test_weights_have_every_class_in_each_row(tmp_path):
    dataset = read(tmp_path, {"file_name": "1.jpg", "label": "cat"}, {"file_name": "2.jpg", "label": "dog"})
    one, two = dataset.samples
    rows = [row_of(one), row_of(two, 1, label=None, labels={"dog": 0.75, "cat": 0.25})]
    assert write(dataset, rows)["metadata.jsonl"] == (
        '{"file_name": "1.jpg", "labels": {"cat": 1.0, "dog": 0.0}}\n'
        '{"file_name": "2.jpg", "labels": {"cat": 0.25, "dog": 0.75}}\n'
    )


@pytest.mark.parametrize(
    "objects",
    [
        [{"bbox": [1, 2, 3, 4], "label": "a"}, {"bbox": [1.5, 2.0, 3.0, 4.0], "label": "b"}],
        {"bbox": [[1, 2, 3, 4]], "categories": [5], "truncated": ["x"]},
        {"bbox": [[1, 2, 3, 4]], "category_id": [5], "keypoints": [[[1, 2], [3, 4]]]},
        {"bbox": [[1, 2, 3, 4]], "category": [5], "keypoints": [[[1, 2, 1], [3, 4, 2]]]},
        {"category": ["a"], "obb": [[1, 2, 3, 2, 3, 4, 1, 4]]},
        {"bbox": [[1, 2, 3, 4]], "category": ["a"], "segmentation": [{"size": [20, 30], "counts": [0, 600]}]},
        {"bbox": [[1, 2, 3, 4]], "category": ["a"], "segmentation": [{"size": [20, 30], "counts": "0X<"}]},
        {"bbox": [[1, 2, 3, 4]]},
        {"bbox": [], "category": []},
    ],
)
def test_objects_in_any_form_come_out_in_it(tmp_path, objects):
    row = {"file_name": "1.jpg", "objects": objects}
    dataset = read(tmp_path, row)
    assert flaws(dataset.warnings) == [("no-row", "2.jpg"), ("no-row", "3.jpg")]
    assert json.loads(write(dataset)["metadata.jsonl"]) == row


def test_hidden_points_of_pairs_are_at_zero(tmp_path):
    row = {"file_name": "1.jpg", "objects": {"bbox": [[1, 2, 3, 4]], "keypoints": [[[1, 2], [0, 0], [0, 3]]]}}
    (thing,) = annotations(read(tmp_path, row))[0].objects
    assert thing.keypoints == array("d", [1, 2, 2, 0, 0, 0, 0, 3, 2])


def test_a_csv_comes_out_as_one(tmp_path):
    text = (
        "file_name,label,age,name,objects\r\n"
        '1.jpg,cat,7,007,"{""bbox"": [[1, 2, 3, 4]], ""category"": [""a""]}"\r\n'
        "2.jpg,,,,\r\n"
    )
    dataset = read(tmp_path, text, name="metadata.csv")
    one, two = annotations(dataset)
    assert one == Annotations({"cat": 1.0}, {"age": 7, "name": "007"}, objects=(Object("a", (1, 2, 4, 6)),))
    assert two == Annotations({}, {"age": None, "name": None})
    assert write(dataset) == {
        "metadata.csv": (
            "file_name,label,age,name,objects\n"
            '1.jpg,cat,7,007,"{""bbox"": [[1, 2, 3, 4]], ""category"": [""a""]}"\n'
            '2.jpg,,,,"{""bbox"": [], ""category"": []}"\n'
        )
    }


def test_splits_have_their_own_metadata(tmp_path):
    files = {
        "train/a/-1.jpg": "x",
        "train/metadata.jsonl": jsonl({"file_name": "a/-1.jpg", "label": "x"}),
        "train/metadata.json": "{}",
        "test/2.jpg": "x",
        "test/metadata.jsonl": jsonl({"file_name": "2.jpg", "label": "y", "more": 1}),
    }
    dataset = HF.read(plant(tmp_path, files), ReadOptions())
    assert [(s.id, s.split) for s in dataset.samples] == [("test/2.jpg", "test"), ("train/a/-1.jpg", "train")]
    assert dataset.ignored == {".json": 1}
    assert write(dataset) == {
        "test/metadata.jsonl": '{"file_name": "2.jpg", "label": "y", "more": 1}\n',
        "train/metadata.jsonl": '{"file_name": "a/-1.jpg", "label": "x", "more": null}\n',
    }
    assert list(write(dataset, [])) == ["test/metadata.jsonl", "train/metadata.jsonl"]
    assert HF.place(dataset.samples[1], dataset) == "train/a"
    chosen = HF.read(str(tmp_path), ReadOptions(labels="train"))
    assert [s.id for s in chosen.samples] == ["train/a/-1.jpg"]


def test_a_split_column_counts_where_folders_tell_none(tmp_path):
    dataset = read(tmp_path, {"file_name": "1.jpg", "split": "Valid"}, {"file_name": "2.jpg", "split": None})
    assert [(s.split, dict(s.annotations.values)) for s in dataset.samples] == [
        ("val", {"split": "Valid"}),
        (None, {"split": None}),
    ]


@pytest.mark.parametrize(
    ("image", "mask", "stem", "expected"),
    [
        ("train/1.jpg", "train/masks/1.png", "train/1", Beside("mask", "train/masks/1", ".png")),
        ("train/1.jpg", "train/1_mask.png", "train/1", Beside("mask", "train/1", "_mask.png")),
        ("1.jpg", "1.png", "1", Beside("mask", "1", "_mask.png")),
        ("1.jpg", "m/1-seg.tif", "1_5f", Beside("mask", "m/1_5f", "-seg.png")),
        ("a/1.jpg", "masks/77.png", "a/1", Beside("mask", "a/1", "_mask.png")),
    ],
)
def test_masks_go_where_they_were(tmp_path, image, mask, stem, expected):
    rows = [{"file_name": image, "mask_file_name": mask}]
    dataset = read(tmp_path, *rows, images=(image, mask))
    (sample,) = dataset.samples
    assert sample.annotations.mask == mask
    assert HF.beside(sample, dataset, stem) == (expected,)
    row = row_of(sample, mask="masks/x.png")
    assert json.loads(write(dataset, [row])["metadata.jsonl"]) == {"file_name": image, "mask_file_name": "masks/x.png"}
    assert HF.beside(Sample("1.jpg"), dataset, "1") == ()


def test_masks_of_another_format_have_a_folder():
    sample = Sample("JPEGImages/1.jpg", Annotations(mask="SegmentationClass/1.png"), "train", "train")
    dataset = Dataset("r", "voc", (sample,))
    assert HF.beside(sample, dataset, "train/1") == (Beside("mask", "train/masks/1", ".png"),)
    row = row_of(sample, file_name="train/1.jpg", mask="train/masks/1.png")
    assert write(dataset, [row]) == {
        "train/metadata.jsonl": '{"file_name": "1.jpg", "mask_file_name": "masks/1.png"}\n'
    }


def test_written_from_another_format():
    mask = np.zeros((20, 30), np.uint8)
    mask[3:5, 7:9] = 1
    objects = (
        Object("cat", (1, 2, 4, 6), (array("d", [1, 2, 4, 2, 4, 6]),), extra={"id": 5, "difficult": 1}),
        Object("dog", (7, 3, 9, 5), rle=rle_encode(mask), crowd=True, extra={"id": 6}),
        Object("man", (1, 1, 2, 2), keypoints=array("d", [1, 1, 2]), extra={"id": 8}),
    )
    one = Sample("a/1.png", Annotations({"x": 1.0}, {"age": 3}, ("one", "two"), objects), "train", "train")
    two = Sample("a/2.png", Annotations({"x": 1.0, "y": 1.0}), None, "")
    dataset = Dataset("r", "coco", (one, two), ("cat", "dog", "x", "y"))
    rows = [
        row_of(one, file_name="train/1.png"),
        row_of(two, file_name="2.png"),
        row_of(one, 1, file_name="train/3.png"),
    ]
    texts = write(dataset, rows)
    assert list(texts) == ["metadata.jsonl", "train/metadata.jsonl"]
    assert json.loads(texts["metadata.jsonl"]) == {
        "file_name": "2.png",
        "labels": ["x", "y"],
        "captions": [],
        "objects": {
            **{key: [] for key in ("bbox", "category", "segmentation", "keypoints", "area", "iscrowd", "id")},
            "difficult": [],
        },
        "age": None,
    }
    first, second = map(json.loads, texts["train/metadata.jsonl"].splitlines())
    assert first == {
        "file_name": "1.png",
        "labels": ["x"],
        "captions": ["one", "two"],
        "objects": {
            "bbox": [[1, 2, 3, 4], [7, 3, 2, 2], [1, 1, 1, 1]],
            "category": ["cat", "dog", "man"],
            "segmentation": [[[1, 2, 4, 2, 4, 6]], [[7, 3, 9, 3, 9, 5, 7, 5]], None],
            "keypoints": [None, None, [1, 1, 2]],
            "area": [12, 4, 1],
            "iscrowd": [0, 1, 0],
            "id": [5, 6, 8],
            "difficult": [1, None, None],
        },
        "age": 3,
    }
    assert second["objects"]["id"] == [9, 10, 11]
    assert (HF.place(one, dataset), HF.place(two, dataset)) == ("train", "")
    HF.check(dataset, mixes=True)
    clash = Sample("1.jpg", Annotations(values={"label": 3}))
    with pytest.raises(InputError, match="a value is called 'label'"):
        HF.check(Dataset("r", "table", (clash,)), mixes=False)


def test_masks_of_both_kinds_are_written_compressed():
    mask = np.zeros((20, 30), np.uint8)
    mask[3:5, 7:9] = 1
    compressed = rle_encode(mask)
    objects = (Object("a", rle=compressed), Object("a", rle=rle_encode(mask, plain=True)))
    sample = Sample("1.png", Annotations(objects=objects))
    text = json.loads(write(Dataset("r", "coco", (sample,), ("a",)))["metadata.jsonl"])
    assert text["objects"]["segmentation"] == [{"size": [20, 30], "counts": compressed.counts}] * 2


def test_one_bad_object_or_row_leaves_the_others(tmp_path):
    bad = [
        {"bbox": [1, 2, 3], "category": "a"},
        {"bbox": "1 2 3 4", "category": "a"},
        {"bbox": [1, 2, 3, True], "category": "a"},
        {"bbox": [1, 2, 3, 10**400], "category": "a"},
        {"bbox": [1, 2, 3, 4], "category": {"x": 1}},
        {"bbox": [1, 2, 3, 4], "segmentation": [[1, 2, 3]]},
        {"bbox": [1, 2, 3, 4], "segmentation": {"size": [1], "counts": ""}},
        {"bbox": [1, 2, 3, 4], "segmentation": {"size": [1, 1]}},
        {"bbox": [1, 2, 3, 4], "keypoints": [1, 2]},
        {"bbox": [1, 2, 3, 4], "keypoints": [[1], [2]]},
        {"bbox": [1, 2, 3, 4], "obb": [1, 2, 3, 4]},
        7,
    ]
    dataset = read(
        tmp_path,
        jsonl(
            {"file_name": "1.jpg", "objects": [*bad, {"bbox": [1, 2, 3, 4], "category": "b"}]},
            {"file_name": "gone.jpg"},
            {"file_name": "../../etc/passwd"},
            {"file_name": "1.jpg"},
            {"file_name": None},
        )
        + '{"file_name": "2.jpg", "n": NaN}\n',
    )
    kept = [Object(None, (1, 2, 4, 6))] * 6  # a part is left out, the box stays
    assert list(annotations(dataset)[0].objects) == [*kept, Object("b", (1, 2, 4, 6))]
    assert flaws(dataset.warnings) == [
        ("unreadable-object", "1.jpg"),
        ("repeated-row", "1.jpg"),
        ("no-row", "2.jpg"),
        ("no-row", "3.jpg"),
    ]
    assert f"(and {len(bad) - 1} more)" in dataset.warnings[0].message
    assert flaws(dataset.failed) == [
        ("unreadable-row", "metadata.jsonl:6"),
        ("missing-file", "gone.jpg"),
        ("outside-input", "../../etc/passwd"),
        ("missing-file", "metadata.jsonl:5"),
    ]


def test_rows_that_cannot_be_used_fail_their_image(tmp_path):
    dataset = read(
        tmp_path,
        {"file_name": "1.jpg", "labels": {"a": 1.0}, "mask_file_name": "2.jpg"},
        {"file_name": "2.jpg", "labels": {"a": 2}, "mask_file_name": None},
        {"file_name": "3.jpg", "labels": {"a": 1.0}, "mask_file_name": "gone.png"},
    )
    assert [s.id for s in dataset.samples] == ["1.jpg"]
    assert flaws(dataset.failed) == [("unreadable-row", "2.jpg"), ("unreadable-row", "3.jpg")]
    assert "mask_file_name 'gone.png'" in dataset.failed[1].message


def test_lists_of_another_length_are_left_out(tmp_path):
    objects = {"bbox": [[1, 2, 3, 4]], "category": ["a"], "score": [1, 2], "source": "hand"}
    dataset = read(tmp_path, {"file_name": "1.jpg", "objects": objects})
    assert annotations(dataset)[0].objects == (Object("a", (1, 2, 4, 6)),)
    assert dataset.warnings[0].message == "metadata.jsonl:1: score, source of its objects is left out: no list of 1"


def test_one_bad_cell_of_objects_leaves_the_others(tmp_path):
    objects = {"bbox": [[1, 2, 3, 4]], "category": ["a"]}
    dataset = read(tmp_path, {"file_name": "1.jpg", "objects": objects}, {"file_name": "2.jpg", "objects": "none"})
    assert [len(known.objects) for known in annotations(dataset)] == [1, 0]
    assert flaws(dataset.warnings)[0] == ("unreadable-object", "2.jpg")


def test_a_list_of_other_things_is_a_value(tmp_path):
    dataset = read(tmp_path, {"file_name": "1.jpg", "annotations": ["sharp"], "objects": []})
    assert annotations(dataset)[0].values == {"annotations": ["sharp"], "objects": []}


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"file_name": "1.jpg", "depth_file_name": "2.jpg"}, "depth_file_name names further images"),
        ({"file_names": ["1.jpg"]}, "no column names images"),
        ({"file_name": "1.jpg", "bbox": [1, 2, 3, 4]}, "boxes or shapes in columns of their own (bbox)"),
        ({"file_name": "gone.jpg"}, "no column names images"),
        ({"image": "1.jpg"}, "no column names images"),
    ],
)
def test_refused(tmp_path, row, message):
    with pytest.raises(InputError) as caught:
        read(tmp_path, row)
    assert message in caught.value.message


def test_other_refusals(tmp_path):
    with pytest.raises(InputError, match=r"no metadata.jsonl or metadata.csv"):
        HF.read(plant(tmp_path, {"1.jpg": "x"}), ReadOptions())
    root = plant(tmp_path, {"metadata.parquet": b"PAR1"})
    for call in (lambda: HF.read(root, ReadOptions()), lambda: HF.detect(root)):
        with pytest.raises(InputError, match=r"metadata.parquet is not read") as caught:
            call()
        assert "to_json" in caught.value.hint
    root = plant(tmp_path, {"metadata.jsonl": jsonl({"file_name": "1.jpg"}), "metadata.csv": "file_name\n1.jpg\n"})
    with pytest.raises(InputError, match="metadata as JSON lines and as CSV"):
        HF.read(root, ReadOptions())
    assert [s.id for s in HF.read(root, ReadOptions(labels="metadata.csv")).samples] == ["1.jpg"]
    with pytest.raises(InputError, match=r"no row can be read: metadata.csv:2: 1 cells"):
        HF.read(plant(tmp_path / "b", {"1.jpg": "x", "metadata.csv": "file_name,a\n1.jpg\n"}), ReadOptions())


def test_detected_and_no_table(tmp_path):
    root = plant(tmp_path, {"train/1.jpg": "x", "train/metadata.jsonl": jsonl({"file_name": "1.jpg", "label": "a"})})
    assert HF.detect(root) == "train/metadata.jsonl (file_name, label)"
    assert TableFormat().detect(root) == ""
    assert [s.id for s in TableFormat().read(root, ReadOptions()).samples] == ["train/1.jpg"]  # `--from table`
    other = plant(tmp_path / "o", {"1.jpg": "x", "metadata.jsonl": jsonl({"file": "1.jpg", "label": "a"})})
    assert HF.detect(other) == ""
    assert TableFormat().detect(other) == "metadata.jsonl (images: file, labels: label)"


def test_class_folders_are_not_forgotten(tmp_path):
    rows = jsonl({"file_name": "cat/1.jpg", "age": 1}, {"file_name": "dog/1.jpg", "age": 2})
    root = plant(tmp_path, {"cat/1.jpg": "x", "dog/1.jpg": "x", "metadata.jsonl": rows})
    with pytest.raises(InputError, match=r"has no classes, but images lie in class folders \(cat, dog\)"):
        HF.detect(root)
    assert HF.read(root, ReadOptions()).classes == ()


def picture(path):
    from PIL import Image

    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (30, 20)).save(path)


@pytest.mark.filterwarnings("ignore")
def test_datasets_reads_what_we_write(tmp_path):
    datasets = pytest.importorskip("datasets")
    datasets.disable_progress_bars()
    mask = np.zeros((20, 30), np.uint8)
    mask[3:5, 7:9] = 1
    ring = array("d", [1, 2, 4, 2, 4, 6])
    samples = (
        Sample(
            "1.png",
            Annotations(
                {"x": 0.5, "y": 0.5},
                {"age": 3, "note": None},
                ("a cat",),
                (Object("cat", (1, 2, 4, 6), (ring,)), Object("dog", rle=rle_encode(mask), crowd=True)),
                mask="m.png",
            ),
            "train",
        ),
        Sample("2.png", Annotations({"x": 1.0}, {"age": 4, "note": "hi"}, mask="m.png"), "train"),
        Sample(
            "3.png",
            Annotations({"y": 1.0}, {"age": 5, "note": "ho"}, ("dog",), (Object("dog", (1.5, 2, 4, 6), (ring,)),), "m"),
            "test",
        ),
    )
    rows = []
    for sample in samples:
        name = f"{sample.split}/{sample.id}"
        picture(tmp_path / name)
        picture(tmp_path / f"{sample.split}/masks/{sample.id}")
        rows.append(row_of(sample, file_name=name, mask=f"{sample.split}/masks/{sample.id}"))
    for one in rows[0]["objects"]:
        one["bbox"] = one["bbox"] or [7, 3, 2, 2]
        one.setdefault("area", 4)
    texts = write(Dataset("r", "coco", samples, ("cat", "dog", "x", "y")), rows)
    plant(tmp_path, texts)
    found = datasets.load_dataset("imagefolder", data_dir=str(tmp_path), cache_dir=str(tmp_path / "cache"))
    assert {split: len(found[split]) for split in found} == {"train": 2, "test": 1}
    features = found["train"].features
    assert features == found["test"].features
    assert (features["image"], features["mask"]) == (datasets.Image(), datasets.Image())
    assert features["objects"]["bbox"].feature.feature.dtype == "float64"
    first = found["train"][0]
    assert first["image"].size == (30, 20)
    assert first["labels"] == {"x": 0.5, "y": 0.5}
    assert first["objects"]["bbox"] == [[1, 2, 3, 4], [7, 3, 2, 2]]
    assert first["objects"]["segmentation"] == [[[1, 2, 4, 2, 4, 6]], [[7, 3, 9, 3, 9, 5, 7, 5]]]
    assert first["objects"]["iscrowd"] == [0, 1]
    assert found["test"][0]["text"] == "dog"
    assert found["train"][1]["age"] == 4
