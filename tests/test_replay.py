"""`replay`: one image again, to the byte, from its manifest row."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from conftest import encoded, rows, tree
from PIL import Image
from running import a_recipe, run

from augx import journal
from augx.errors import InputError, OutputError, Refused
from augx.replay import replay


@pytest.fixture
def done(photos: Path, tmp_path: Path) -> Path:
    image = Image.open(photos / "cat" / "2.jpg")
    exif = image.getexif()
    exif[0x0112] = 6
    image.save(photos / "cat" / "turned.jpg", exif=exif, quality=90)
    (photos / "cat" / "odd.jfif").write_bytes(encoded(90))
    run(photos, tmp_path / "out", a_recipe(copies=3))
    return tmp_path / "out"


def again(output: Path, name: str, input: Path | None = None, ending: str = ".jpg") -> tuple[bool, bytes]:
    image = output.parent / f"again{ending}"
    same, message = replay(str(output), name, str(image), str(input) if input else None)
    assert str(image) in message and name.rpartition("/")[2] in message
    return same, image.read_bytes()


def test_every_image_comes_out_the_same(done: Path, photos: Path) -> None:
    before = tree(done)
    assert len(rows(done)) == 32
    for row in rows(done):
        same, data = again(done, row["file_name"], photos)
        assert same, row["file_name"]
        assert data == (done / row["file_name"]).read_bytes()
    assert tree(done) == before


def test_output_may_hold_the_source(done: Path, photos: Path) -> None:
    shutil.rmtree(photos)
    for name in ("cat/2.jpg", "cat/2_aug02.jpg", "dog/3_aug03.jpg", "cat/odd_aug01.jpg"):
        assert again(done, name) == (True, (done / name).read_bytes())


def test_the_source_was_turned(done: Path, photos: Path) -> None:
    """OUTPUT holds an upright copy of the source, which is not the source."""
    with pytest.raises(InputError, match=r"cat/turned\.jpg byte for byte") as caught:
        again(done, "cat/turned_aug01.jpg")
    assert "--input" in caught.value.hint
    assert again(done, "cat/turned_aug01.jpg", photos)[0]


def test_without_originals(photos: Path, tmp_path: Path) -> None:
    run(photos, tmp_path / "out", a_recipe(originals=False))
    with pytest.raises(InputError, match="byte for byte") as caught:
        again(tmp_path / "out", "cat/2_aug01.jpg")
    assert "--input" in caught.value.hint
    assert again(tmp_path / "out", "cat/2_aug01.jpg", photos)[0]


def test_the_source_has_changed(done: Path, photos: Path) -> None:
    """What OUTPUT holds of it still serves; where it holds nothing, it is refused."""
    (photos / "cat" / "2.jpg").write_bytes(encoded(80))
    assert again(done, "cat/2_aug01.jpg", photos)[0]
    (done / "cat" / "2.jpg").unlink()
    with pytest.raises(InputError, match=r"does not hold cat/2\.jpg as it was"):
        again(done, "cat/2_aug01.jpg", photos)
    with pytest.raises(InputError, match="byte for byte"):
        again(done, "cat/2_aug01.jpg")


def test_a_copy_that_was_lost_or_changed(done: Path) -> None:
    name = "dog/1_aug02.jpg"
    whole = (done / name).read_bytes()
    (done / name).write_bytes(b"changed")
    assert again(done, name) == (True, whole)
    (done / name).unlink()
    assert again(done, name) == (True, whole)


def test_other_ways_to_write_a_name(done: Path) -> None:
    assert again(done, "./cat//2_aug01.jpg")[0]


@pytest.mark.parametrize("name", ["cat/2_aug09.jpg", "2_aug01.jpg", "", "..", "manifest.jsonl", "/cat/2.jpg"])
def test_no_such_row(done: Path, name: str) -> None:
    with pytest.raises(Refused, match="no row of the manifest"):
        again(done, name)
    assert not (done.parent / "again.jpg").exists()


def test_another_image_format(done: Path) -> None:
    """The pixels of the written image in the format that the name asks for; whether the bytes fit is told as ever."""
    same, data = again(done, "cat/2_aug01.jpg", ending=".png")
    assert same
    assert data.startswith(b"\x89PNG")
    with Image.open(done.parent / "again.png") as png, Image.open(done / "cat" / "2_aug01.jpg") as jpeg:
        assert png.convert("RGB").tobytes() == jpeg.convert("RGB").tobytes()


def test_replay_writes_over_nothing_of_the_run(done: Path, photos: Path) -> None:
    before = tree(photos), tree(done)
    name, link = "cat/2_aug01.jpg", done.parent / "link.jpg"
    link.symlink_to(photos / "cat" / "1.jpg")
    for place in (done / "cat/2.jpg", done / "new.jpg", photos / "cat/2.jpg", link):
        with pytest.raises(Refused, match="where replay changes nothing"):
            replay(str(done), name, str(place), str(photos))
    with pytest.raises(Refused, match="is the source"):
        replay(str(done), name, str(photos / "cat/2.jpg"), None)
    assert (tree(photos), tree(done)) == before
    assert replay(str(done), name, str(photos / "new.jpg"), str(photos))[0]


def test_no_output(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="no finished run"):
        replay(str(tmp_path), "a.jpg", str(tmp_path / "again.jpg"), None)


def test_other_bytes_are_told(done: Path) -> None:
    """Another library version makes other bytes: here the recipe in the summary is another than the manifest's."""
    summary = json.loads((done / "summary.json").read_text())
    summary["recipe"]["seed"] = 99
    summary["versions"]["opencv"] = "1.2.3"
    (done / "summary.json").write_bytes(journal.summary_text(journal.signed(summary)))
    image = done.parent / "again.jpg"
    same, message = replay(str(done), "cat/2_aug01.jpg", str(image), None)
    assert not same
    assert "other bytes than cat/2_aug01.jpg" in message
    assert "opencv 1.2.3 -> " in message
    assert image.exists()


def test_a_spoilt_summary_or_row(done: Path) -> None:
    """Never taken for what a run has said."""
    text = (done / "summary.json").read_text()
    (done / "summary.json").write_text(text.replace('"copies": 3', '"copies": "x"'))
    with pytest.raises(OutputError, match=r"summary\.json is damaged"):
        replay(str(done), "cat/2_aug01.jpg", str(done.parent / "again.jpg"), None)
    (done / "summary.json").write_text(text)
    told = rows(done)
    for row in told:
        if row["file_name"] == "cat/2.jpg":
            row["file_name"] = None
    (done / "manifest.jsonl").write_text("".join(json.dumps(row) + "\n" for row in told))
    with pytest.raises(OutputError, match=r"manifest\.jsonl is damaged"):
        replay(str(done), "cat/2_aug01.jpg", str(done.parent / "again.jpg"), None)


def test_a_spoilt_manifest(done: Path) -> None:
    for text in ("", "[1]\n", "{\n", "{}\n"):
        (done / "manifest.jsonl").write_text(text)
        with pytest.raises(Refused):
            again(done, "cat/2_aug01.jpg")
    (done / "manifest.jsonl").unlink()
    with pytest.raises(Refused):
        again(done, "cat/2_aug01.jpg")
