"""What COCO's own tools say of a written dataset: it is evaluated against itself, and areas are as they count them."""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import encoded

pytest.importorskip("pycocotools")

NAMES = ["nose", "left_eye", "right_eye"]
RECIPE = """version: 1
copies: 3
transforms:
  - Affine: {rotate: [-40, 40], scale: [0.6, 1.4], shear: [-10, 10], p: 1}
  - HorizontalFlip: {p: 0.5}
  - RandomCrop: {height: 60, width: 80, p: 0.5}
"""


def plant(root: Path) -> None:
    """Five images with a house, a ring of two parts, a person with keypoints, masks in both forms and a crowd."""
    import numpy as np
    from pycocotools import mask

    rng = np.random.default_rng(5)
    blob = np.zeros((90, 120), np.uint8, order="F")
    blob[30:60, 20:70], blob[40:50, 30:40] = 1, 0
    packed = mask.encode(blob)
    plain = np.flatnonzero(np.diff(np.r_[0, blob.ravel(order="F"), 0]))
    runs = np.diff(np.r_[0, plain, blob.size]).tolist()
    images, annotations = [], []
    for number in range(1, 6):
        name = f"{number}.png"
        (root / "images").mkdir(parents=True, exist_ok=True)
        (root / "images" / name).write_bytes(encoded(number, ".png", width=120, height=90))
        images.append({"id": number * 10, "file_name": name, "width": 120, "height": 90})
        x, y = (float(place) for place in rng.uniform(0, 40, 2).round(2))
        shapes = [
            {"segmentation": [[x, y, x + 30, y, x + 30.5, y + 25, x + 15, y + 40.25, x, y + 25]], "category_id": 1},
            {"segmentation": [[x, y, x + 20, y, x, y + 20], [80, 50, 110, 50, 110, 80]], "category_id": 7},
            {"segmentation": {"size": [90, 120], "counts": packed["counts"].decode()}, "category_id": 1},
            {"segmentation": {"size": [90, 120], "counts": runs}, "category_id": 7, "iscrowd": number % 2},
            {
                "bbox": [x + 5, y + 5, 40, 35],
                "category_id": 3,
                "keypoints": [x + 10, y + 10, 2, x + 12, y + 9, 1, 0, 0, 0],
            },
        ]
        for shape in shapes:
            annotations.append({"id": len(annotations) + 1, "image_id": number * 10, "iscrowd": 0, **shape})
    categories = [
        {"id": 1, "name": "house"},
        {"id": 7, "name": "blob"},
        {"id": 3, "name": "person", "keypoints": NAMES},
    ]
    (root / "annotations").mkdir()
    said = {"images": images, "annotations": annotations, "categories": categories}
    (root / "annotations" / "instances_train.json").write_text(json.dumps(said))


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("coco")
    plant(root / "in")
    (root / "recipe.yaml").write_text(RECIPE)
    command = [sys.executable, "-m", "augx", "run", root / "in", root / "out", "-r", root / "recipe.yaml", "-j", "1"]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return root / "out"


@pytest.mark.parametrize("kind", ["bbox", "segm", "keypoints"])
def test_evaluated_against_itself(output: Path, kind: str) -> None:
    import numpy as np
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO(str(output / "annotations" / "instances_train.json"))
        assert len(truth.imgs) == 20
        if kind == "segm":  # it has no way to say that an object has no mask
            truth.dataset["annotations"] = [entry for entry in truth.anns.values() if entry["segmentation"]]
            truth.createIndex()
        found = []
        for entry in truth.anns.values():
            if entry["iscrowd"] or (kind == "keypoints" and not entry.get("num_keypoints")):
                continue
            part = {"segmentation": truth.annToRLE(entry)} if kind == "segm" else {kind: entry[kind]}
            found.append({"image_id": entry["image_id"], "category_id": entry["category_id"], "score": 1.0, **part})
        evaluation = COCOeval(truth, truth.loadRes(found), kind)
        if kind == "keypoints":
            evaluation.params.catIds = [3]
            evaluation.params.kpt_oks_sigmas = np.full(len(NAMES), 0.05)
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    assert len(found) > 10
    assert evaluation.stats[0] == pytest.approx(1.0)


def test_areas_and_boxes(output: Path) -> None:
    import numpy as np
    from pycocotools import mask
    from pycocotools.coco import COCO

    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO(str(output / "annotations" / "instances_train.json"))
    forms = set()
    for entry in truth.anns.values():
        shape, image = entry["segmentation"], truth.imgs[entry["image_id"]]
        x, y, width, height = entry["bbox"]
        assert min(x, y) >= 0 and x + width <= image["width"] + 1e-6 and y + height <= image["height"] + 1e-6
        if not shape:
            continue
        packed = truth.annToRLE(entry)
        assert entry["area"] == mask.area(packed) > 0
        forms.add(type(shape["counts"] if isinstance(shape, dict) else shape))
        if isinstance(shape, dict):
            assert entry["bbox"] == pytest.approx(mask.toBbox(packed).tolist())
        else:
            points = np.concatenate([np.reshape(ring, (-1, 2)) for ring in shape])
            low, high = points.min(0), points.max(0)
            assert entry["bbox"] == pytest.approx([*low, *(high - low)], abs=2e-3)
    assert forms == {list, str}
