"""`verify` finds whatever is not as the manifest says, and nothing else."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import encoded, rows, tree
from running import a_recipe, run

from augx import manifest
from augx.errors import OutputError


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("verified")
    for number, name in enumerate(["cat/a", "cat/b", "dog/c"]):
        path = root / "photos" / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encoded(number, ".png"))
    (root / "photos" / "cat" / "broken.png").write_bytes(b"x")
    run(root / "photos", root / "out", to_formats=("folder", "table"))
    return root / "out"


@pytest.fixture
def output(finished: Path, tmp_path: Path) -> Path:
    shutil.copytree(finished, tmp_path / "out")
    return tmp_path / "out"


def missing(output: Path) -> None:
    (output / "cat" / "a_aug01.png").unlink()


def truncated(output: Path) -> None:
    path = output / "cat" / "a_aug01.png"
    path.write_bytes(path.read_bytes()[:-7])


def empty(output: Path) -> None:
    (output / "cat" / "a_aug01.png").write_bytes(b"")


def one_bit(output: Path) -> None:
    path = output / "cat" / "a_aug01.png"
    data = bytearray(path.read_bytes())
    data[60] ^= 1
    path.write_bytes(data)


def a_folder_instead(output: Path) -> None:
    (output / "cat" / "a_aug01.png").unlink()
    (output / "cat" / "a_aug01.png").mkdir()


def extra(output: Path) -> None:
    (output / "dog" / "notes.txt").touch()


def extra_hidden(output: Path) -> None:
    (output / ".hidden").touch()


def labels_missing(output: Path) -> None:
    (output / "labels.csv").unlink()


def labels_changed(output: Path) -> None:
    (output / "labels.csv").write_text("file_name,label\n")


def failures_changed(output: Path) -> None:
    (output / "failures.jsonl").write_text("")


def failures_missing(output: Path) -> None:
    (output / "failures.jsonl").unlink()


def manifest_missing(output: Path) -> None:
    (output / "manifest.jsonl").unlink()


def edited(output: Path, edit: Callable[[list[dict[str, Any]]], object]) -> None:
    found = rows(output)
    edit(found)
    (output / "manifest.jsonl").write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in found))


def row_less(output: Path) -> None:
    edited(output, lambda rows: rows.pop(1))


def row_twice(output: Path) -> None:
    edited(output, lambda rows: rows.append(rows[1]))


def row_with_other_width(output: Path) -> None:
    edited(output, lambda rows: rows[1].update(width=25))


def row_with_other_label(output: Path) -> None:
    edited(output, lambda rows: rows[1].update(label="dog"))


def row_with_a_weight_of_two(output: Path) -> None:
    edited(output, lambda rows: rows[1].update(labels={"cat": 2}))


def row_without_sha256(output: Path) -> None:
    edited(output, lambda rows: rows[1].pop("sha256"))


def row_that_is_a_list(output: Path) -> None:
    with open(output / "manifest.jsonl", "a") as file:
        file.write("[1]\n")


def row_cut_short(output: Path) -> None:
    data = (output / "manifest.jsonl").read_bytes()
    (output / "manifest.jsonl").write_bytes(data[:-9])


def row_with_a_null_name(output: Path) -> None:
    edited(output, lambda rows: rows[1].update(file_name="a\0b"))


def row_that_points_outside(output: Path) -> None:
    edited(output, lambda rows: rows[1].update(file_name="../../etc/passwd"))


IMAGE = "cat/a_aug01.png"
MANIFEST = "manifest.jsonl: it is not "
CASES: list[tuple[Callable[[Path], None], list[str]]] = [
    (missing, [f"{IMAGE}: missing"]),
    (truncated, [f"{IMAGE}: it has "]),
    (empty, [f"{IMAGE}: it has 0 bytes, the manifest says "]),
    (one_bit, [f"{IMAGE}: its content is not what the manifest says"]),
    (a_folder_instead, [f"{IMAGE}: "]),
    (extra, ["dog/notes.txt: it is in no row of the manifest"]),
    (extra_hidden, [".hidden: it is in no row of the manifest"]),
    (labels_missing, ["labels.csv: missing"]),
    (labels_changed, ["labels.csv: it is not "]),
    (failures_changed, ["failures.jsonl: it is not "]),
    (failures_missing, ["failures.jsonl: "]),
    (manifest_missing, ["manifest.jsonl: "]),
    (row_less, [MANIFEST, f"{IMAGE}: it is in no row", "manifest.jsonl: it has 8 rows, summary.json says 9"]),
    (row_twice, [MANIFEST, f"{IMAGE}: it has 2 rows", "manifest.jsonl: it has 10 rows"]),
    (row_with_other_width, [MANIFEST, f"{IMAGE}: it is 24x18, the manifest says 25x18"]),
    (row_with_other_label, [MANIFEST]),
    (row_with_a_weight_of_two, [MANIFEST, f"{IMAGE}: a label has a weight outside 0 to 1"]),
    (row_without_sha256, [MANIFEST, "manifest.jsonl: a row is no manifest row"]),
    (row_that_is_a_list, [MANIFEST, "manifest.jsonl: a row is no manifest row: b'[1]"]),
    (row_cut_short, [MANIFEST, "manifest.jsonl: a row is no manifest row"]),
    (row_with_a_null_name, [MANIFEST, f"{IMAGE}: it is in no row"]),
    (row_that_points_outside, [MANIFEST, f"{IMAGE}: it is in no row"]),
]


@pytest.mark.parametrize(("spoil", "said"), CASES, ids=[case[0].__name__ for case in CASES])
def test_found(output: Path, spoil: Callable[[Path], None], said: list[str]) -> None:
    spoil(output)
    before = tree(output)
    findings = manifest.verify(str(output), 2)[1]
    assert tree(output) == before
    for beginning in said:
        assert any(finding.startswith(beginning) for finding in findings), findings


@pytest.mark.parametrize("spoil", [missing, truncated, one_bit, extra, labels_missing, labels_changed])
def test_nothing_else_is_found(output: Path, spoil: Callable[[Path], None]) -> None:
    spoil(output)
    assert len(manifest.verify(str(output), 2)[1]) == 1


def test_nothing_is_found(output: Path) -> None:
    assert manifest.verify(str(output), 1) == (9, [])
    assert manifest.verify(str(output), 4) == (9, [])
    shutil.rmtree(output / ".augx")
    assert manifest.verify(str(output), 1) == (9, [])


def test_everything_at_once(output: Path) -> None:
    for spoil in (missing, extra, labels_changed):
        spoil(output)
    (output / "dog" / "c.png").write_bytes(b"")
    assert len(manifest.verify(str(output), 2)[1]) == 4


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"counts": {}}', '{"augx": "1"}', '{"augx": "1", "manifest": 3}'])
def test_no_summary_of_ours(output: Path, text: str) -> None:
    (output / "summary.json").write_text(text)
    with pytest.raises(OutputError):
        manifest.verify(str(output), 1)


def test_no_output(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "nothing"):
        with pytest.raises(OutputError, match="no finished run"):
            manifest.verify(str(path), 1)


def test_a_row_with_a_picture_that_does_not_decode(output: Path) -> None:
    """Size and SHA-256 fit, the picture does not."""
    import hashlib

    data = b"no picture at all"
    (output / IMAGE).write_bytes(data)
    edited(output, lambda rows: rows[1].update(bytes=len(data), sha256=hashlib.sha256(data).hexdigest()))
    assert any(f.startswith(f"{IMAGE}: it cannot be decoded: ") for f in manifest.verify(str(output), 1)[1])


def test_the_next_run_mends_what_is_missing(output: Path, finished: Path) -> None:
    missing(output)
    labels_missing(output)
    run(finished.parent / "photos", output, a_recipe(), to_formats=("folder", "table"))
    assert manifest.verify(str(output), 1) == (9, [])
    assert tree(output) == tree(finished)
