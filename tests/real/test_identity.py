"""Nothing changes when nothing is applied: every real dataset, read and written in its own format, is equal as data.

What is compared is read by `plain`, which knows nothing of augx. Where a source has a flaw that augx mends or leaves
out, the case says so, and the source is changed in that one way before it is compared.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import plain
import pytest
from conftest import failures, rows

from augx.cli import call

DATA = Path(os.environ.get("REAL_DATA") or Path(__file__).parents[3] / "shared" / "data")
pytestmark = [pytest.mark.slow, pytest.mark.skipif(not DATA.is_dir(), reason="no real data here")]

Mend = Callable[[dict[str, Any], dict[str, Any]], None]


@dataclass(frozen=True)
class Case:
    """`labels`: what `--labels` (or `--table`) names. `mend`: changes the source's facts (about, images) where a known
    flaw of the source is mended. `near`: how far numbers may differ, in the label file's own unit."""

    path: str
    format: str
    labels: str | None = None
    mend: Mend | None = None
    near: float = 1e-9
    lost: int = 0  # images that cannot be made

    def __str__(self) -> str:
        return "-".join(filter(None, (self.path.replace("/", "."), self.format, (self.labels or "").replace("/", "."))))


CASES = [
    Case("bccd-voc", "voc"),
    Case("bccd-voc", "openimages", "boxes.csv"),
    Case("coco128", "coco", "derived/instances_train2017.json"),
    Case("coco128", "yolo", "object_detection"),
    Case("coco128", "yolo", "instance_segmentation"),
    *(Case(f"mmpose-kpts-a/{name}", "coco") for name in "300w aic animalpose ap10k onehand10k zebra".split()),
    Case("mmpose-kpts-a/coco", "coco", "test_coco.json"),
    Case("mmpose-kpts-a/coco", "coco", "test_coco_wholebody.json"),
    Case("mmpose-kpts-a/coco", "coco", "test_keypoint_partition_metric.json"),
    Case("mmpose-kpts-a/yolo-pose.derived", "yolo"),
    Case("labelme-voc2011/bbox_detection/data_annotated", "labelme"),
    Case("labelme-voc2011/classification/data_annotated", "labelme"),
    Case("labelme-voc2011/instance_segmentation/data_annotated", "labelme"),
    Case("labelme-voc2011/semantic_segmentation/data_annotated", "labelme"),
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
            "coco_captions", "coco_image_info", "coco_instances", "coco_labels", "coco_person_keypoints",
            "coco_roboflow", "coco_stuff", "mmdet_coco", "coco",
        )
    ),  # fmt: skip
    Case("coco_dataset/coco_panoptic", "coco", lost=2),
    Case("roboflow_dataset/coco", "coco"),
    Case("roboflow_dataset/createml", "createml"),
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
    Case("open_images_dataset/v6", "openimages"),
]
CASES += [Case("format-zoo/" + case.path, *(getattr(case, n) for n in list(case.__annotations__)[1:])) for case in ZOO]
IDENTITY = "version: 1\ncopies: 1\nsplits: [train, val, test, validation, Train, Test, Validation]\ntransforms: []\n"


@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.parametrize("verb", ["run", "convert"])
def test_nothing_changes(
    case: Case, verb: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, output = DATA / case.path, tmp_path / "out"
    recipe = tmp_path / "identity.yaml"
    recipe.write_text(IDENTITY)
    how = ["-r", str(recipe)] if verb == "run" else ["--to", case.format]
    how += ["--from", case.format, "-j", "0", "-q"]
    how += ["--table" if case.format == "table" else "--labels", case.labels] if case.labels else []
    code = call([verb, str(source), str(output), *how])
    assert code == (1 if case.lost else 0), capsys.readouterr().err
    assert len(failures(output)) == case.lost
    assert call(["verify", str(output)]) == 0, capsys.readouterr().out

    about, images = plain.READERS[case.format](source, case.labels)
    if case.mend:
        case.mend(about, images)
    about_now, images_now = plain.READERS[case.format](output, case.labels)
    found = list(plain.differences(about, about_now, case.near, "about"))
    made = rows(output)
    for row in made:
        was, now = images.get(row["source"]), images_now.get(row["file_name"])
        found += plain.differences(was, now, case.near, row["file_name"])
        if row["copy"] == 0:
            assert (output / row["file_name"]).read_bytes() == (source / row["source"]).read_bytes()
    assert not found, f"{len(found)} differences:\n" + "\n".join(found[:20])
    assert images_now.keys() - {""} == {row["file_name"] for row in made}
    if not case.lost:
        assert {name for name, said in images.items() if said and name} <= {row["source"] for row in made}
