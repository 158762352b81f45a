"""AP50, held against pycocotools. No torch."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from augx.learn.average_precision import ap50


def test_a_class_that_is_nowhere_has_no_ap50_and_one_that_nobody_finds_has_none_of_it() -> None:
    truth = [np.array([[0, 0.1, 0.1, 0.5, 0.5], [1, 0.1, 0.1, 0.5, 0.5]])]
    found = ap50([np.array([[0, 0.9, 0.1, 0.1, 0.5, 0.5], [2, 0.9, 0.1, 0.1, 0.5, 0.5]])], truth, 3)
    assert found[:2].tolist() == [100, 0] and np.isnan(found[2])


def test_ap50_is_that_of_pycocotools() -> None:
    coco = pytest.importorskip("pycocotools.coco")
    evaluation = pytest.importorskip("pycocotools.cocoeval")
    random = np.random.default_rng(3)
    for _ in range(20):
        truth, found = _drawn(random)
        known = coco.COCO()
        annotations = [
            {"image_id": n, "category_id": int(row[0]), "bbox": _wide(row[1:]), "area": 1.0, "iscrowd": 0}
            for n, one in enumerate(truth)
            for row in one
        ]
        known.dataset = {
            "images": [{"id": n} for n in range(len(truth))],
            "categories": [{"id": kind} for kind in range(3)],
            "annotations": [{"id": n + 1, **one} for n, one in enumerate(annotations)],
        }
        known.createIndex()
        said = known.loadRes(np.array([[n, *_wide(r[2:]), r[1], r[0]] for n, one in enumerate(found) for r in one]))
        judge = evaluation.COCOeval(known, said, "bbox")
        judge.params.iouThrs = np.array([0.5])
        judge.evaluate()
        judge.accumulate()
        theirs = judge.eval["precision"][0, :, :, 0, 2].mean(0) * 100
        ours = ap50(found, truth, 3)
        assert np.isnan(ours).tolist() == (theirs < 0).tolist()
        assert ours[theirs >= 0] == pytest.approx(theirs[theirs >= 0], abs=1e-6)


def _wide(box: NDArray[np.float64]) -> list[float]:
    return [box[0], box[1], box[2] - box[0], box[3] - box[1]]


def _drawn(random: np.random.Generator) -> tuple[list[NDArray[np.float64]], list[NDArray[np.float64]]]:
    """Boxes of two or three classes in a few pictures, and what a poor detector says of them."""
    truth, found = [], []
    for _ in range(6):
        count = int(random.integers(0, 8))
        corner = random.uniform(0, 0.6, (count, 2))
        boxes = np.concatenate([corner, corner + random.uniform(0.1, 0.4, (count, 2))], 1)
        kinds = random.integers(0, random.integers(2, 4), (count, 1))
        truth.append(np.concatenate([kinds, boxes], 1))
        again = np.repeat(np.concatenate([kinds, random.random((count, 1)), boxes], 1), 2, 0)
        again[:, 1] = np.round(random.random(len(again)), 1)  # so that some are equally sure
        again[:, 2:] += random.normal(0, 0.04, (len(again), 4))
        again[:, 4:] = np.maximum(again[:, 4:], again[:, 2:4] + 0.01)  # COCO ignores boxes inside out
        found.append(again[random.random(len(again)) < 0.8])
    found[0] = np.concatenate([found[0], [[0, 0.5, 0.1, 0.1, 0.3, 0.3]]])
    return truth, found
