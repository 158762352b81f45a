"""`verify` finds whatever is not as the manifest says, and nothing else."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import encoded, index, rows, tree
from label_sets import masks, plant
from running import a_recipe, run

from augx import journal, objects, verify
from augx.errors import OutputError
from augx.model import Object
from augx.store import DOUBTED, Folder


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
    findings = verify.verify(str(output), 2)[1]
    assert tree(output) == before
    for beginning in said:
        assert any(finding.startswith(beginning) for finding in findings), findings


@pytest.mark.parametrize("spoil", [missing, truncated, one_bit, extra, labels_missing, labels_changed])
def test_nothing_else_is_found(output: Path, spoil: Callable[[Path], None]) -> None:
    spoil(output)
    assert len(verify.verify(str(output), 2)[1]) == 1


def test_nothing_is_found(output: Path) -> None:
    assert verify.verify(str(output), 1) == (9, [])
    assert verify.verify(str(output), 4) == (9, [])
    shutil.rmtree(output / ".augx")
    assert verify.verify(str(output), 1) == (9, [])


def test_everything_at_once(output: Path) -> None:
    for spoil in (missing, extra, labels_changed):
        spoil(output)
    (output / "dog" / "c.png").write_bytes(b"")
    assert len(verify.verify(str(output), 2)[1]) == 4


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"counts": {}}', '{"augx": "1"}', '{"augx": "1", "manifest": 3}'])
def test_no_summary_of_ours(output: Path, text: str) -> None:
    """All else is held against the rows; without these there is nothing to hold against."""
    (output / "summary.json").write_text(text)
    assert verify.verify(str(output), 1) == (9, ["summary.json: it is damaged, or not by augx"])
    (output / "summary.json").unlink()
    assert verify.verify(str(output), 1) == (9, ["summary.json: missing"])
    manifest_missing(output)
    with pytest.raises(OutputError, match="no finished run"):
        verify.verify(str(output), 1)


def test_no_output(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "nothing"):
        with pytest.raises(OutputError, match="no finished run"):
            verify.verify(str(path), 1)


def test_a_row_with_a_picture_that_does_not_decode(output: Path) -> None:
    """Size and SHA-256 fit, the picture does not."""
    data = b"no picture at all"
    (output / IMAGE).write_bytes(data)
    edited(output, lambda rows: rows[1].update(bytes=len(data), sha256=hashlib.sha256(data).hexdigest()))
    assert any(f.startswith(f"{IMAGE}: it cannot be decoded: ") for f in verify.verify(str(output), 1)[1])


def test_the_next_run_mends_what_is_missing(output: Path, finished: Path) -> None:
    missing(output)
    labels_missing(output)
    run(finished.parent / "photos", output, a_recipe(), to_formats=("folder", "table"))
    assert verify.verify(str(output), 1) == (9, [])
    assert tree(output) == tree(finished)


def flipped(path: Path, byte: int = -1) -> None:
    """One bit, and the date stays."""
    date, data = path.stat().st_mtime_ns, bytearray(path.read_bytes())
    data[byte] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=(date, date))


@pytest.fixture
def masked(tmp_path: Path) -> Path:
    """Images with masks, and a label file beside each."""
    plant(tmp_path / "in", masks(2))
    run(tmp_path / "in", tmp_path / "masked")
    return tmp_path / "masked"


def test_a_bad_file_gets_a_date_by_which_the_next_run_knows_it(masked: Path, tmp_path: Path) -> None:
    before = tree(masked)
    bad = [masked / "images/0_aug01.png", masked / "masks/1_aug02.png"]
    for path in bad:
        flipped(path)
    assert run(tmp_path / "in", masked).made == 0, "nothing tells of it"
    findings = verify.verify(str(masked), 1)[1]
    assert findings == [
        "images/0_aug01.png: its content is not what the manifest says",
        "masks/1_aug02.png: its content is not what the manifest says",
    ]
    dated = [path for path in masked.rglob("*.png") if path.stat().st_mtime_ns == DOUBTED]
    assert sorted(dated) == bad
    assert run(tmp_path / "in", masked).made == 2
    assert verify.verify(str(masked), 1, deep=True) == (6, [])
    assert tree(masked) == before


def test_what_is_not_by_augx_keeps_its_date(output: Path) -> None:
    shutil.rmtree(output / ".augx")
    (output / "summary.json").write_text("{}")
    one_bit(output)
    date = (output / IMAGE).stat().st_mtime_ns
    assert len(verify.verify(str(output), 1)[1]) == 3  # the label file, too: nothing speaks of it
    assert (output / IMAGE).stat().st_mtime_ns == date


def test_a_file_whose_date_cannot_be_set(output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one_bit(output)

    def refused(*given: object, **named: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "utime", refused)
    (finding,) = verify.verify(str(output), 1)[1]
    assert finding.startswith(f"{IMAGE}: its content is not what the manifest says (it cannot be marked")


@pytest.mark.parametrize("deep", [False, True])
def test_nothing_is_found_deep_down(output: Path, masked: Path, deep: bool) -> None:
    assert verify.verify(str(output), 2, deep) == (9, [])
    assert verify.verify(str(masked), 0, deep) == (6, [])
    shutil.rmtree(masked / ".augx")
    assert verify.verify(str(masked), 1, deep) == (6, [])


def test_another_number_in_the_summary(output: Path) -> None:
    path = output / "summary.json"
    path.write_text(path.read_text().replace('"copies": 6', '"copies": 7'))
    assert verify.verify(str(output), 1)[1] == ["summary.json: it is damaged: its digest is not that of what it says"]


def test_another_space_in_the_summary(output: Path) -> None:
    path = output / "summary.json"
    path.write_text(path.read_text().replace(' "copies": 6', '\t"copies": 6'))
    assert verify.verify(str(output), 1) == (9, [])
    assert verify.verify(str(output), 1, deep=True)[1] == ["summary.json: it is not as augx wrote it"]


def test_a_summary_of_an_older_augx(output: Path, finished: Path) -> None:
    """It has no digest; the next run writes one."""
    path = output / "summary.json"
    told = json.loads(path.read_bytes())
    del told["digest"]
    path.write_bytes(journal.summary_text(told))
    assert verify.verify(str(output), 1) == (9, [])
    assert verify.verify(str(output), 1, deep=True)[1] == ["summary.json: it is not as augx wrote it"]
    run(finished.parent / "photos", output, to_formats=("folder", "table"))
    assert tree(output) == tree(finished)


@pytest.mark.parametrize("byte", [0, 30, 700, -1])
def test_our_own_files(output: Path, byte: int) -> None:
    flipped(index(output), byte)
    assert verify.verify(str(output), 1) == (9, [])
    assert verify.verify(str(output), 1, deep=True)[1] == [f".augx/{index(output).name}: it is damaged"]


def test_an_index_of_another_manifest(output: Path) -> None:
    labels_changed(output)
    row_less(output)
    assert (
        f".augx/{index(output).name}: it belongs to another manifest.jsonl"
        in verify.verify(str(output), 1, deep=True)[1]
    )


def test_a_run_that_did_not_end(output: Path) -> None:
    journal.begin(Folder(str(output)), ["a"], 0)
    assert verify.verify(str(output), 1) == (9, [])
    assert verify.verify(str(output), 1, deep=True)[1] == [".augx/intent.jsonl: the last run did not end"]


@pytest.mark.parametrize(
    ("data", "said"),
    [(b"x", "it cannot be decoded: "), (encoded(1, ".png", mode="L", width=3, height=4), "it is 3x4, its image 40x30")],
)
def test_a_mask_that_is_none(masked: Path, data: bytes, said: str) -> None:
    """Its SHA-256 fits."""
    name = "masks/0.png"
    (masked / name).write_bytes(data)
    edited(masked, lambda rows: rows[0]["files"].update({name: hashlib.sha256(data).hexdigest()}))
    assert [finding for finding in verify.verify(str(masked), 1)[1] if finding.startswith(name)] == []
    findings = [finding for finding in verify.verify(str(masked), 1, deep=True)[1] if finding.startswith(name)]
    assert len(findings) == 1
    assert findings[0].startswith(f"{name}: {said}")


def test_masks_that_are_no_files_of_the_row(masked: Path) -> None:
    edited(masked, lambda rows: rows[0].update(mask="images/1.png"))
    assert "images/0.png: its mask is none of its files" in verify.verify(str(masked), 1)[1]


def test_a_file_beside_that_is_missing_or_outside(masked: Path) -> None:
    (masked / "masks/0.png").unlink()
    (masked / "masks/0_aug01.png").unlink()
    (masked / "masks/0_aug01.png").mkdir()
    edited(masked, lambda rows: rows[2]["files"].update({"../x.png": "0"}))
    findings = verify.verify(str(masked), 1)[1]
    assert "masks/0.png: missing" in findings
    assert "masks/0_aug01.png: it cannot be read: it is no regular file" in findings
    assert "manifest.jsonl: a row points to ../x.png, which is no file of this folder" in findings


def test_a_file_beside_that_is_a_link(masked: Path) -> None:
    (masked / "masks/0.png").rename(masked / "masks/elsewhere.png")
    (masked / "masks/0.png").symlink_to("elsewhere.png")
    assert "masks/0.png: it is a link" in verify.verify(str(masked), 1)[1]


@pytest.mark.parametrize(
    ("box", "said"),
    [
        ((1, 1, 0, 4), "the box of 'cat' is empty: [1, 1, 0, 4]"),
        ((30, 1, 40, 4), "an object 'cat' reaches out of the picture"),
        ((1, 1, 20, 4), ""),
    ],
)
def test_objects_that_cannot_be(masked: Path, box: tuple[int, ...], said: str) -> None:
    x, y, width, height = box
    thing = Object("cat", (x, y, x + width, y + height))
    edited(masked, lambda rows: rows[0].update(objects=[objects.to_row(thing, None)]))
    found = [finding for finding in verify.verify(str(masked), 1)[1] if finding.startswith("images/")]
    assert found == ([f"images/0.png: {said}"] if said else [])


def test_a_link_in_the_place_of_an_image(output: Path, tmp_path: Path) -> None:
    for name in (IMAGE, "summary.json"):
        (output / name).rename(tmp_path / "elsewhere")
        (output / name).symlink_to(tmp_path / "elsewhere")
        assert verify.verify(str(output), 1)[1] == [f"{name}: it is a link"]
        (output / name).unlink()
        (tmp_path / "elsewhere").rename(output / name)


def test_a_file_that_has_grown_is_not_read(output: Path) -> None:
    with (output / IMAGE).open("r+b") as file:
        file.truncate(1 << 40)
    (finding,) = verify.verify(str(output), 1)[1]
    assert finding.startswith(f"{IMAGE}: it has {1 << 40} bytes, the manifest says ")


def test_names_that_no_file_can_have(output: Path) -> None:
    """Half a surrogate pair, which JSON can escape: it is told, and can be printed."""
    told = rows(output)
    told[0]["file_name"] = told[1]["file_name"] = "a\ud800.png"
    (output / "manifest.jsonl").write_text("".join(json.dumps(row) + "\n" for row in told))
    findings = verify.verify(str(output), 1)[1]
    assert "a\\ud800.png: it has 2 rows" in findings
    assert "".join(findings).encode()
