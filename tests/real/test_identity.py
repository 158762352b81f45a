"""Nothing changes when nothing is applied: every real dataset, read and written in its own format, is equal as data.

What is compared is read by `plain`, which knows nothing of augx. Where a source has a flaw that augx mends or leaves
out, the case says so, and the source is changed in that one way before it is compared.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import plain
import pytest
from conftest import failures, rows

from augx.cli import call

DATA = Path(os.environ.get("REAL_DATA") or Path(__file__).parents[3] / "shared" / "data")
pytestmark = [pytest.mark.slow, pytest.mark.skipif(not DATA.is_dir(), reason="no real data here")]

NEAR = 1e-9  # of a pixel, or of whatever unit the label file has
Mend = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class Case:
    """`labels`: what `--labels` (or `--table`) names. `mend`: changes what the source says of its images where a known
    flaw of it is mended. `lost`: the images that cannot be made."""

    path: str
    format: str
    labels: str | None = None
    mend: Mend | None = None
    lost: tuple[str, ...] = ()

    def __str__(self) -> str:
        return "-".join(filter(None, (self.path.replace("/", "."), self.format, (self.labels or "").replace("/", "."))))


# What is wrong with the sources, and what becomes of it


def two_boxes_without_area(images: dict[str, Any]) -> None:
    for name in ("BloodImage_00338", "BloodImage_00343"):
        said = images[f"JPEGImages/{name}.jpg"]
        if "xml" in said:
            *_, children = said["xml"]
            boxes = {id(o): [float(cell[2]) for cell in o[3][0][3]] for o in children if o[0] == "object"}
        else:
            children = said["boxes.csv"]
            boxes = {id(row): [float(row[k]) for k in ("xmax", "xmin", "ymax", "ymin")] for row in children}
        flat = [o for o in children if (b := boxes.get(id(o))) and (b[0] == b[1] or b[2] == b[3])]
        assert len(flat) == 1
        children.remove(flat[0])


def visibility_is_a_score(images: dict[str, Any]) -> None:
    for said in images.values():
        for one in said["annotations"]["test_keypoint_partition_metric.json"]:
            one["keypoints"][2::3] = [v if v in (0, 1, 2) else 2 for v in one["keypoints"][2::3]]


def chair_reaches_below_the_picture(images: dict[str, Any]) -> None:
    """By 0.77 pixels, which is more than a person's hand is forgiven; the cut begins where it comes in again."""
    chair = images["2011_000006.jpg"]["shapes"][3]
    kept: list[list[float]] = []
    for (x0, y0), (x1, y1) in zip(chair["points"], chair["points"][1:] + chair["points"][:1], strict=True):
        if y0 <= 375:
            kept.append([x0, y0])
        if (y0 <= 375) != (y1 <= 375):
            kept.append([x0 + (375 - y0) / (y1 - y0) * (x1 - x0), 375])
    start = max((i for i, point in enumerate(kept) if point[1] == 375))
    chair["points"] = kept[start:] + kept[:start]


def boxes_given_by_corner(images: dict[str, Any]) -> None:
    """x and y of CreateML are the centre; here they were written as the corner, so half of these boxes is outside."""
    for path, number in (("train/train_002.jpg", 0), ("val/val_001.jpg", 0), ("val/val_001.jpg", 1)):
        box = images[path]["annotations"][number]["coordinates"]
        width, height = box["width"] / 2, box["height"] / 2
        box.update(x=width / 2, y=height / 2, width=width, height=height)


def masks_and_a_short_row(images: dict[str, Any]) -> None:
    """Masks of Open Images are not read, and a row with a cell too few says too little: both are warnings."""
    del images["images/train/b.jpg"]["annotations/train-annotations-object-segmentation.csv"]
    del images["images/validation/d.png"]["annotations/image_ids_and_rotation.csv"]


CASES = [
    Case("bccd-voc", "voc", mend=two_boxes_without_area),
    Case("bccd-voc", "openimages", "boxes.csv", two_boxes_without_area),
    Case("coco128", "coco", "derived/instances_train2017.json"),
    Case("coco128", "yolo", "object_detection"),
    Case("coco128", "yolo", "instance_segmentation"),
    *(Case(f"mmpose-kpts-a/{name}", "coco") for name in ("300w", "aic", "animalpose", "ap10k", "onehand10k", "zebra")),
    Case("mmpose-kpts-a/coco", "coco", "test_coco.json"),
    Case("mmpose-kpts-a/coco", "coco", "test_coco_wholebody.json"),
    Case("mmpose-kpts-a/coco", "coco", "test_keypoint_partition_metric.json", visibility_is_a_score),
    Case("mmpose-kpts-a/yolo-pose.derived", "yolo"),
    Case("labelme-voc2011/bbox_detection/data_annotated", "labelme"),
    Case("labelme-voc2011/classification/data_annotated", "labelme"),
    Case("labelme-voc2011/instance_segmentation/data_annotated", "labelme"),
    Case("labelme-voc2011/semantic_segmentation/data_annotated", "labelme", mend=chair_reaches_below_the_picture),
    Case("labelme-voc2011/bbox_detection/data_dataset_voc", "voc"),
    Case("labelme-voc2011/instance_segmentation/data_dataset_voc", "voc"),
    Case("labelme-voc2011/semantic_segmentation/data_dataset_voc", "voc"),
    Case("labelme-voc2011/instance_segmentation/data_dataset_coco", "coco"),
    Case("camvid", "masks"),
    Case("dota-obb", "dota"),
    Case("dota-obb/yolo-obb.derived", "yolo"),
    Case("hf-imagefolder-ppe", "hf"),
    Case("photos", "folder"),
    Case("cifar10-small/test200", "folder"),
]
ZOO = [
    *(
        Case(f"coco_dataset/{name}", "coco")
        for name in (
            "coco_captions",
            "coco_image_info",
            "coco_instances",
            "coco_labels",
            "coco_person_keypoints",
            "coco_roboflow",
            "coco_stuff",
            "mmdet_coco",
            "coco",
        )
    ),
    Case("coco_dataset/coco_panoptic", "coco", lost=("images/train/a.jpg",)),
    Case("roboflow_dataset/coco", "coco"),
    Case("roboflow_dataset/createml", "createml", mend=boxes_given_by_corner),
    Case("roboflow_dataset/multiclass", "table", "train/_classes.csv"),
    Case("roboflow_dataset/voc", "voc"),
    Case("roboflow_dataset/yolo", "yolo"),
    Case("roboflow_dataset/yolo_obb", "dota"),
    Case("kaggle_dataset/image_csv", "table", "ann.csv"),
    Case("kaggle_dataset/image_csv", "table", "ann_wo_ext.csv"),
    Case("kaggle_dataset/image_csv_det", "openimages", "ann.csv"),
    Case("kaggle_dataset/image_csv_det", "openimages", "ann2.csv"),
    Case("kaggle_dataset/image_csv_det", "openimages", "ann3.csv"),
    Case("kaggle_dataset/image_csv_multi_label", "table", "ann.csv"),
    Case("kaggle_dataset/image_csv_multi_label", "table", "ann_wo_ext.csv"),
    Case("kaggle_dataset/image_mask", "masks"),
    Case("kaggle_dataset/image_mask_with_labelmap", "masks"),
    Case("kaggle_dataset/relaxed_coco", "coco"),
    Case("kaggle_dataset/relaxed_voc1", "voc"),
    Case("kaggle_dataset/relaxed_voc2", "voc"),
    Case("kaggle_dataset/relaxed_yolo", "yolo"),
    Case("cvat_dataset/for_images/export_project", "cvat"),
    Case("cvat_dataset/for_images/export_task", "cvat"),
    Case("camvid_dataset", "masks"),
    Case("cityscapes_dataset/dataset", "masks"),
    Case("cityscapes_dataset/train_dataset", "masks"),
    Case("common_semantic_segmentation_dataset/dataset", "masks"),
    Case("common_semantic_segmentation_dataset/non_standard_dataset", "masks"),
    Case("voc_dataset/voc_dataset1", "voc"),
    Case("voc_dataset/voc_dataset3", "voc"),
    Case("yolo_dataset/annotations", "yolo"),
    Case("yolo_dataset/labels", "yolo"),
    Case("yolo_dataset/strict", "yolo"),
    Case("dota_dataset", "dota"),
    Case("open_images_dataset/v5", "openimages"),
    Case("open_images_dataset/v6", "openimages", mend=masks_and_a_short_row),
]
CASES += [replace(case, path="format-zoo/" + case.path) for case in ZOO]
IDENTITY = "version: 1\ncopies: 1\nsplits: [train, val, test, validation, Train, Test, Validation]\ntransforms: []\n"


@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.parametrize("verb", ["run", "convert"])
def test_nothing_changes(case: Case, verb: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, output = DATA / case.path, tmp_path / "out"
    recipe = tmp_path / "identity.yaml"
    recipe.write_text(IDENTITY)
    how = ["-r", str(recipe)] if verb == "run" else ["--to", case.format]
    how += ["--from", case.format, "-j", "0", "-q"]
    how += ["--table" if case.format == "table" else "--labels", case.labels] if case.labels else []
    assert call([verb, str(source), str(output), *how]) == (1 if case.lost else 0), capsys.readouterr().err
    assert {row["source"] for row in failures(output)} == set(case.lost)
    assert call(["verify", str(output)]) == 0, capsys.readouterr().out

    about, images = plain.READERS[case.format](source, case.labels)
    if case.mend:
        case.mend(images)
    about_now, images_now = plain.READERS[case.format](output, case.labels)
    found = list(plain.differences(about, about_now, NEAR, "about"))
    made = rows(output)
    for row in made:
        was, now = images.get(row["source"]), images_now.get(row["file_name"])
        found += plain.differences(was, now, NEAR, row["file_name"])
        same_bytes = (output / row["file_name"]).read_bytes() == (source / row["source"]).read_bytes()
        if not same_bytes and (row["copy"] == 0 or row["file_name"].endswith(".png")):
            one, other = (plain.picture(path) for path in (source / row["source"], output / row["file_name"]))
            if row["copy"] == 0 or one != other:
                found.append(f"{row['file_name']}: other pixels")
    assert not found, f"{len(found)} differences:\n" + "\n".join(found[:20])
    assert images_now.keys() == {row["file_name"] for row in made}
    assert {name for name, said in images.items() if said} <= {row["source"] for row in made} | set(case.lost)
    copies = {row["source"] for row in made if row["copy"] == 1}
    assert copies == ({row["source"] for row in made} if verb == "run" else set())
