"""Sheets and reports of real datasets, where they are at hand: `shared/data` beside the checkout, or $REAL_DATA."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
from PIL import Image

from augx.cli import call

DATA = Path(os.environ.get("REAL_DATA") or Path(__file__).parents[3] / "shared" / "data")
pytestmark = [pytest.mark.slow, pytest.mark.skipif(not DATA.is_dir(), reason="no real data here")]
SETS = {
    "bccd-voc": (),
    "camvid": (),
    "mmpose-kpts-a/coco": ("--labels", "test_coco.json"),
    "mmpose-kpts-a/yolo-pose.derived": (),
    "dota-obb/yolo-obb.derived": (),
    "photos": (),
}


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("show", [(), ("--step",), ("--extremes",), ("--per-class", "--sample", "3")])
def test_a_sheet(tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, show: tuple[str, ...]) -> None:
    assert call(["preview", str(DATA / name), *SETS[name], "-o", str(tmp_path / "sheet.png"), *show]) == 0
    pictures = int(re.search(r"(\d+) pictures", capsys.readouterr().out)[1])  # type: ignore[index]
    assert pictures > 3
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert 400 < sheet.width <= 2000 and sheet.height > 150


@pytest.mark.parametrize("name", SETS)
def test_a_report(tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    out = tmp_path / "out"
    assert call(["run", str(DATA / name), str(out), *SETS[name], "-n", "2", "-q", "--fsync", "off"]) == 0
    assert call(["report", str(out), "-o", str(tmp_path / "report.html"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["made"]["failed"] == 0 < told["pictures"]["looked_at"]["copies"]
    assert told["metrics"]["destroyed"]["count"] == 0
    assert (tmp_path / "report.html").stat().st_size < 8_000_000
