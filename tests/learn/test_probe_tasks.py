"""`augx probe` with masks and with boxes, with torch, on drawn shapes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from shapes import SIDE, with_boxes, with_masks

from augx.cli import call

pytestmark = pytest.mark.learn
INVERTED = "version: 1\ncopies: 1\noriginals: false\ntransforms:\n  - InvertImg: {p: 1}\n"


@pytest.mark.parametrize("task, measure", [("segmentation", "IoU"), ("detection", "AP50")])
def test_the_networks_learn_shapes_and_inverted_ones_hurt(
    task: str, measure: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (place := tmp_path / "in").mkdir()
    (with_masks if task == "segmentation" else with_boxes)(place)
    (tmp_path / "inverted.yaml").write_text(INVERTED)
    command = ["probe", str(place), "-r", str(tmp_path / "inverted.yaml")]
    assert (
        call([*command, "--fast", "--steps", "80", "--networks", "1", "--device", "cpu", "--threads", "1", "--json"])
        == 0
    )
    found = json.loads(capsys.readouterr().out)
    assert (found["task"], found["measure"], found["side"], found["networks"]) == (task, measure, SIDE, 1)
    against = found["against"]
    assert len(against[measure]) == 5 and np.mean(against[measure]) > 50
    assert all(of > 50 for of in against["classes"].values())
    (inverted,) = found["recipes"]
    assert inverted["verdict"] == "hurts" and inverted["difference"]["mean"] < -10
