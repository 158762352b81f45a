"""`augx export`: the manifest as Parquet, held against pyarrow and pandas."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import rows
from label_sets import coco_set, plant
from running import a_recipe, run

from augx.cli import call


@pytest.fixture
def output(tmp_path: Path) -> Path:
    plant(tmp_path / "in", coco_set())
    run(tmp_path / "in", tmp_path / "out", a_recipe())
    return tmp_path / "out"


def test_without_pyarrow(output: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    assert call(["export", str(output), "-o", "table.parquet"]) == 2
    assert "pip install 'augx[parquet]'" in capsys.readouterr().err


def test_every_row_is_there(output: Path, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "table.parquet"
    assert call(["export", str(output), "-o", str(path)]) == 0
    table = parquet.read_table(path).to_pylist()
    wanted = rows(output)
    assert [json.loads(one["row"]) for one in table] == wanted
    for one, row in zip(table, wanted, strict=True):
        assert [one[key] for key in ("file_name", "copy", "sha256", "width")] == [
            row[key] for key in ("file_name", "copy", "sha256", "width")
        ]
        assert dict(one["labels"]) == row["labels"]
        assert [[*box.values()] for box in one["boxes"]] == [
            [thing["label"], *thing["bbox"]] for thing in row["objects"]
        ]
    assert sum(len(one["boxes"]) for one in table) > 2
    first = path.read_bytes()
    assert call(["export", str(output), "-o", str(path)]) == 2
    assert call(["export", str(output), "-o", str(path), "--force", "-q"]) == 0
    assert path.read_bytes() == first
    assert [one.name for one in tmp_path.iterdir() if one.name.startswith(".augx-")] == []
    frame = pytest.importorskip("pandas").read_parquet(path)
    assert frame.groupby("copy").size().to_dict() == {0: len(wanted) // 3, 1: len(wanted) // 3, 2: len(wanted) // 3}


@pytest.mark.parametrize(
    ("place", "said"),
    [
        (lambda output: output.parent / "rows.csv", "a table ends in .parquet"),
        (lambda output: output / "rows.parquet", "which augx has written and verifies"),
        (lambda output: output.parent / "no" / "rows.parquet", "there is no folder"),
    ],
)
def test_where_it_may_not_be(
    output: Path, place: Callable[[Path], Path], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("pyarrow")
    assert call(["export", str(output), "-o", str(place(output))]) == 2
    assert said in capsys.readouterr().err
