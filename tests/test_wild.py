"""Datasets as they are in the wild: each flaw of `wild.FLAWS` on the command line, in every format it is met in."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tables
import wild
import wild_data
from conftest import failures, rows
from wild_data import Fifo, Files, Flaw, Folder, Link, Locked, Made

from augx import cli
from augx.codes import CODES

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
    words = ["run", str(root), str(output), "-r", str(recipe), "-j", "0", *made.options]
    if made.format:
        words += ["--from", made.format]
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
        assert failure["stage"] in CODES[failure["error"]].stages, failure
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


def test_the_table_is_up_to_date() -> None:
    text = wild.README.read_text("utf-8")
    try:
        fresh = tables.updated(text, wild.SECTIONS) == text
    except ValueError as error:
        pytest.fail(f"{wild.README.name} {error}", pytrace=False)
    if not fresh:
        pytest.fail("examples/labels/README.md is out of date; run: python tests/wild.py", pytrace=False)


def test_every_flaw_is_named_once() -> None:
    names = [flaw.what for flaw in wild.FLAWS]
    assert len(set(names)) == len(names)


ODD_NAMES = {
    "slash": "a/b",
    "comma": "cat, dog",
    "quotes": "the \"big\" 'cat'",
    "unicode": "Кошка 猫 é",
    "markup": "<a&b>",
    "line end": "a\nb",
    "tab": "a\tb",
    "control": "a\x01b",
    "colon": "a: b # c",
    "number": "007",
    "yes": "yes",
    "pipe": "a|b",
    "dots": "..",
    "long": "x" * 300,
}
_REFUSED = {  # what a format cannot hold without changing it
    "voc": {"control"},
    "cvat": {"control"},
    "dota": {"comma", "quotes", "unicode", "line end", "tab", "colon"},
    "folder": {"dots", "long"},
    "table": set(),
}


@pytest.mark.parametrize("target", ["voc", "yolo", "coco", "createml", "openimages", "labelme", "cvat", "hf", "dota"])
@pytest.mark.parametrize("kind", ODD_NAMES)
def test_class_names_come_back_as_they_were_or_are_refused(
    kind: str, target: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = ODD_NAMES[kind]
    thing = {"bbox": [5, 5, 10, 8], "category": name}
    lines = [{"file_name": f"{n}.png", "objects": {key: [value] for key, value in thing.items()}} for n in "ab"]
    files = {**wild_data.images(), "metadata.jsonl": "".join(json.dumps(line) + "\n" for line in lines)}
    _there_and_back(
        tmp_path, files, "hf", target, kind, lambda row: [thing["label"] for thing in row["objects"]], capsys
    )


@pytest.mark.parametrize("target", ["folder", "table", "hf"])
@pytest.mark.parametrize("kind", ODD_NAMES)
def test_classes_of_images_come_back_as_they_were_or_are_refused(
    kind: str, target: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [{"file_name": f"{n}.png", "label": ODD_NAMES[kind]} for n in "ab"]
    files = {**wild_data.images(), "labels.jsonl": "".join(json.dumps(line) + "\n" for line in lines)}
    _there_and_back(tmp_path, files, "table", target, kind, lambda row: list(row["labels"]), capsys)


def _there_and_back(
    root: Path,
    files: Files,
    source: str,
    target: str,
    kind: str,
    names: Callable[[dict[str, Any]], list[str]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Converts, reads that again and writes it once more; or the class is refused by name before the first image."""
    draw(root / "in", files, root)
    common = ["-j", "0", "-q"]
    code = cli.call(["convert", str(root / "in"), str(root / "out"), "--from", source, "--to", target, *common])
    said = capsys.readouterr().err
    if kind in _REFUSED.get(target, ()):
        assert code == 2, said
        assert not (root / "out").exists()
        assert repr(ODD_NAMES[kind])[1:-1] in said.replace("\n", "\\n") or "class" in said
        return
    assert code == 0, said
    code = cli.call(["convert", str(root / "out"), str(root / "again"), "--from", target, "--to", target, *common])
    assert code == 0, capsys.readouterr().err
    for folder in ("out", "again"):
        assert [names(row) for row in rows(root / folder)] == [[ODD_NAMES[kind]]] * 2, folder
        assert failures(root / folder) == []


def test_category_ids_survive_as_they_are(tmp_path: Path) -> None:
    """Sparse ids, and two of one name: each object has its own again."""
    known = [{"id": 90, "name": "cat"}, {"id": 1, "name": "cat"}, {"id": 13, "name": "dog"}]
    things = [{"category_id": number, "bbox": [5, 5, 10, 8]} for number in (90, 1, 13)]
    draw(tmp_path / "in", wild_data.coco(things, categories=known), tmp_path)
    assert cli.call(["convert", str(tmp_path / "in"), str(tmp_path / "out"), "--to", "coco", "-j", "0", "-q"]) == 0
    written = json.loads((tmp_path / "out" / "annotations.json").read_text("utf-8"))
    assert written["categories"] == known
    assert [one["category_id"] for one in written["annotations"]] == [90, 1, 13, 1]


_LABEL_FILES = {
    "labels.csv": "",
    "metadata.jsonl": "",
    "annotations.json": wild_data.coco_json([wild_data.COCO_BOX]),
    "data.yaml": "names: [cat]\ntrain: .\n",
    "a.xml": wild_data.voc_xml(wild_data.BOX_XML),
    "a.json": wild_data.BOX_JSON,
    "a.txt": "0 0.5 0.5 0.1 0.1\n",
    "labelTxt/a.txt": "1 1 9 1 9 9 1 9 cat 0\n",
    "0.tar": "",
    "masks/a.png": "",
    "_annotations.createml.json": "[]",
    "annotations.xml": wild_data.cvat_xml(""),
}


@pytest.mark.parametrize("name", _LABEL_FILES)
@pytest.mark.parametrize("kind", ["pipe", "folder", "link out", "link to nothing"])
def test_detection_looks_at_files_of_input_alone(
    kind: str, name: str, tmp_path: Path, outside: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And waits for none: what seems to be a label file may be a pipe, or lead elsewhere."""
    target = outside / "label"
    target.write_text(_LABEL_FILES[name])
    contents = {"pipe": Fifo(), "folder": Folder(), "link out": Link(str(target)), "link to nothing": Link("nothing")}
    draw(tmp_path / "in", {**wild_data.images(), name: contents[kind]}, outside)
    code = cli.call(["plan", str(tmp_path / "in")])
    said = capsys.readouterr()
    assert code in (0, 1, 2)
    assert "Traceback" not in said.err
    assert "(boxes)" not in said.out and "cat" not in said.out
