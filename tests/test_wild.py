"""Datasets as they are in the wild: each flaw of `wild.FLAWS` through the command line, in every format it occurs in."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import wild
import wild_data
from conftest import failures, rows
from wild_data import Fifo, Files, Flaw, Folder, Link, Locked, Made

from augx import cli
from augx.cli import output as closing

TRIPWIRE = "the-secret-of-another-folder"
# Pixels move a little, so that labels go the whole way.
RECIPE = "version: 1\ncopies: 1\ntransforms: [{Affine: {translate_px: {x: [1, 1], y: [0, 0]}, p: 1}}]\n"
EXITS = {"failed": 1, "refused": 2}

CASES = [
    pytest.param(flaw, made, id=f"{flaw.what}-{made.format}{f'-to-{made.to}' if made.to else ''}".replace(" ", "_"))
    for flaw in wild.FLAWS
    for made in flaw.made
]


def draw(root: Path, files: Files, outside: Path) -> None:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, Fifo):
            os.mkfifo(path)
        elif isinstance(content, Folder):
            path.mkdir()
        elif isinstance(content, Link):
            path.symlink_to(content.target.format(outside=outside))
        elif isinstance(content, Locked):
            path.write_bytes(content.content)
            path.chmod(0)
        elif isinstance(content, bytes):
            path.write_bytes(content)
        else:
            path.write_text(content.replace("{outside}", str(outside)), "utf-8", newline="")


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A folder beside the dataset, of which nothing may ever be seen in OUTPUT."""
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "a.png").write_bytes(wild_data.png(7))
    (folder / "b.png").write_bytes(wild_data.png(8))
    for name in ("secret.txt", "a.txt", "classes.txt"):
        (folder / name).write_text(f"{TRIPWIRE}\n")
    (folder / "a.xml").write_text(wild_data.voc_xml(wild_data.voc_object(TRIPWIRE, (1, 1, 9, 9))))
    (folder / "a.json").write_text(wild_data.labelme_json([{"label": TRIPWIRE, "points": [[1, 1], [9, 9]]}]))
    (folder / "annotations.json").write_text(wild_data.coco_json(names=[TRIPWIRE, "dog"]))
    return folder


@pytest.mark.parametrize(("flaw", "made"), CASES)
def test_each_flaw_is_met_as_the_table_says(
    flaw: Flaw, made: Made, tmp_path: Path, outside: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    locked = any(isinstance(content, Locked) for content in made.files.values())
    if locked and os.geteuid() == 0:
        pytest.skip("root may read everything")
    root, output, recipe = tmp_path / "in", tmp_path / "out", tmp_path / "recipe.yaml"
    draw(root, made.files, outside)
    recipe.write_text(RECIPE)
    words = ["run", str(root), str(output), "-r", str(recipe), "-j", "0", "--from", made.format, *made.options]
    if made.to:
        words += ["--to", made.to]
    code = cli.call(words)
    said = capsys.readouterr()
    whole = said.out + said.err
    assert "Traceback" not in whole
    assert code == EXITS.get(flaw.end, 0), whole
    if flaw.end == "refused":
        assert not output.exists()
        message, _, hint = said.err.removeprefix("augx: ").partition("\n      ")
        assert message.strip() and hint.strip(), said.err
        assert len(said.err) < 2000
        for part in flaw.said:
            assert part in said.err
        return
    expected = {made.code or flaw.code} - {""}
    summary = json.loads((output / "summary.json").read_text("utf-8"))
    lost = failures(output)
    for failure in lost:
        assert failure["message"].strip()
    made_rows = rows(output)
    first = [row for row in made_rows if row["copy"] == 0]
    flawed = [row for row in first if row["source"].rpartition("/")[2].startswith("a")]
    if flaw.end == "failed":
        assert {failure["error"] for failure in lost} == expected, lost
        assert set(summary["warnings"]) == made.also
        assert summary["failures"].keys() == expected
        assert [row["source"].rpartition("/")[2][0] for row in first] == ["b"]
    else:
        assert lost == []
        assert set(summary["warnings"]) == expected | made.also
        assert all(count >= 1 for count in summary["warnings"].values())
    if flaw.end == "dropped":
        assert {one["reason"] for row in flawed for one in row["dropped"]} == expected
    else:
        assert [one for row in first for one in row["dropped"]] == []
    if flaw.boxes is not None:
        (row,) = flawed
        found = [thing["bbox"] for thing in row["objects"]]
        assert len(found) == len(flaw.boxes), found
        for box, wanted in zip(found, flaw.boxes, strict=True):
            assert box == pytest.approx(wanted, abs=1e-6)
    if flaw.check:
        flaw.check(first)
    assert cli.call(["verify", str(output)]) == 0, capsys.readouterr()
    for path in output.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert TRIPWIRE.encode() not in data, path
            assert data not in (wild_data.png(7), wild_data.png(8)), path
