"""`augx convert`: another label format, the same images."""

from __future__ import annotations

import io
import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from conftest import encoded, failures, rows, tree
from PIL import Image

from augx import cli

Boxes = list[tuple[str, float, float, float, float]]


def turned() -> bytes:
    """A JPEG stored 40 x 20 that EXIF shows as 20 x 40."""
    exif = Image.Exif()
    exif[0x0112] = 6
    buffer = io.BytesIO()
    Image.new("RGB", (40, 20), (90, 120, 150)).save(buffer, "JPEG", exif=exif)
    return buffer.getvalue()


def xml(boxes: Boxes, width: int, height: int) -> str:
    objects = "".join(
        f"<object><name>{name}</name><difficult>0</difficult><bndbox><xmin>{x0}</xmin><ymin>{y0}</ymin>"
        f"<xmax>{x1}</xmax><ymax>{y1}</ymax></bndbox></object>"
        for name, x0, y0, x1, y1 in boxes
    )
    return f"<annotation><size><width>{width}</width><height>{height}</height></size>{objects}</annotation>"


def boxes_of(path: Path) -> Boxes:
    found = []
    for thing in ElementTree.parse(path).iter("object"):
        sides = [float(thing.findtext(f"bndbox/{side}") or "nan") for side in ("xmin", "ymin", "xmax", "ymax")]
        found.append((thing.findtext("name") or "", *sides))
    return found  # type: ignore[return-value]


CAT: Boxes = [("cat", 4, 5, 20, 25), ("dog", 0, 0, 40, 30)]
TURNED: Boxes = [("dog", 2, 30, 18, 39)]


@pytest.fixture
def voc(tmp_path: Path) -> Path:
    root = tmp_path / "voc"
    for name, data, text in (
        ("cat", encoded(1, ".png", width=40, height=30), xml(CAT, 40, 30)),
        ("none", encoded(2, ".jpg", width=40, height=30), xml([], 40, 30)),
        ("turned", turned(), xml(TURNED, 20, 40)),
    ):
        for folder in ("JPEGImages", "Annotations"):
            (root / folder).mkdir(parents=True, exist_ok=True)
        (root / "JPEGImages" / f"{name}{'.png' if name == 'cat' else '.jpg'}").write_bytes(data)
        (root / "Annotations" / f"{name}.xml").write_text(text)
    return root


@pytest.fixture
def coco(tmp_path: Path) -> Path:
    """A polygon with its box."""
    root = tmp_path / "coco"
    root.mkdir()
    (root / "a.png").write_bytes(encoded(1, ".png", width=40, height=30))
    shape = {"bbox": [5, 5, 10, 8], "segmentation": [[5, 5, 15, 5, 15, 13]], "area": 40, "iscrowd": 0}
    text = {
        "images": [{"id": 1, "file_name": "a.png", "width": 40, "height": 30}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, **shape}],
        "categories": [{"id": 1, "name": "cat"}],
    }
    (root / "annotations.json").write_text(json.dumps(text))
    return root


def convert(source: Path, output: Path, target: str, *options: str) -> int:
    return cli.call(["convert", str(source), str(output), "--to", target, "-j", "0", *options])


def test_voc_to_yolo_and_back(voc: Path, tmp_path: Path) -> None:
    yolo, back = tmp_path / "yolo", tmp_path / "back"
    assert convert(voc, yolo, "yolo") == 0
    assert (yolo / "data.yaml").read_text().count("cat") == 1
    assert (yolo / "labels" / "cat.txt").read_text() == "0 0.3 0.5 0.4 0.66666667\n1 0.5 0.5 1 1\n"
    assert (yolo / "labels" / "none.txt").read_text() == ""
    assert (yolo / "labels" / "turned.txt").read_text() == "1 0.5 0.8625 0.8 0.225\n"  # of the picture as it is shown
    assert convert(yolo, back, "voc") == 0
    found = {path.stem: boxes_of(path) for path in (back / "Annotations").glob("*.xml")}
    assert {name: [box[0] for box in boxes] for name, boxes in found.items()} == {
        "cat": ["cat", "dog"],
        "none": [],
        "turned": ["dog"],
    }
    for name, boxes in (("cat", CAT), ("turned", TURNED)):
        for box, was in zip(found[name], boxes, strict=True):
            assert box[1:] == pytest.approx(was[1:], abs=1e-6)
    assert cli.call(["verify", str(back)]) == 0


@pytest.mark.parametrize("target", ["voc", "yolo", "coco", "hf"])
def test_images_go_over_byte_for_byte(voc: Path, tmp_path: Path, target: str) -> None:
    """Also one that EXIF turns, whose labels are of the picture as it is shown."""
    assert convert(voc, tmp_path / "out", target) == 0
    made = rows(tmp_path / "out")
    assert [(row["copy"], row["transforms"]) for row in made] == [(0, [])] * 3
    for row in made:
        assert (tmp_path / "out" / row["file_name"]).read_bytes() == (voc / row["source"]).read_bytes()
    (shown,) = [row for row in made if "turned" in row["source"]]
    assert (shown["width"], shown["height"]) == (20, 40)
    assert shown["objects"][0]["bbox"] == [2, 30, 16, 9]


def test_a_second_run_makes_nothing(voc: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "out"
    assert convert(voc, output, "yolo") == 0
    before = tree(output)
    assert convert(voc, output, "yolo") == 0
    assert "nothing to do: 3 images" in capsys.readouterr().out
    assert tree(output) == before


def test_a_changed_label_file_is_converted_again(voc: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    assert convert(voc, output, "yolo") == 0
    (voc / "Annotations" / "none.xml").write_text(xml([("cat", 0, 0, 20, 15)], 40, 30))
    assert convert(voc, output, "yolo") == 0
    assert (output / "labels" / "none.txt").read_text() == "0 0.25 0.25 0.5 0.5\n"
    assert cli.call(["verify", str(output)]) == 0


def test_what_would_be_lost_is_refused_by_name(coco: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert convert(coco, tmp_path / "out", "voc") == 2
    said = capsys.readouterr().err
    assert "the format voc cannot hold polygons (1 images, the first a.png)" in said
    assert "`--allow-loss` leaves it out" in said
    assert not (tmp_path / "out").exists()


def test_allow_loss_leaves_it_out_and_keeps_the_box(coco: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    assert convert(coco, output, "voc", "--allow-loss") == 0
    assert boxes_of(output / "Annotations" / "a.xml") == [("cat", 5, 5, 15, 13)]
    summary = json.loads((output / "summary.json").read_text())
    assert summary["warnings"]["lost-labels"] == 1
    assert "segmentation" not in rows(output)[0]["objects"][0]


def test_strict_refuses_where_there_would_be_a_warning(
    coco: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert convert(coco, tmp_path / "out", "voc", "--allow-loss", "--strict") == 2
    assert "--strict" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_json_says_what_was_done(voc: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "out"
    assert convert(voc, output, "coco", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["made"], told["kept"], told["failed"], told["removed"]) == (3, 0, 0, 0)
    assert told["counts"]["images"] == told["counts"]["sources"] == 3
    assert convert(voc, output, "coco", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["made"], told["kept"]) == (0, 3)


def test_an_image_that_cannot_be_decoded_fails_and_the_others_are_converted(voc: Path, tmp_path: Path) -> None:
    (voc / "JPEGImages" / "none.jpg").write_bytes(b"no image")
    assert convert(voc, tmp_path / "out", "yolo") == 1
    assert [(row["source"], row["error"]) for row in failures(tmp_path / "out")] == [
        ("JPEGImages/none.jpg", "not-an-image")
    ]
    assert len(rows(tmp_path / "out")) == 2


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "Missing option '--to'"),
        (["--to", "yollo"], "there is no format 'yollo'"),
        (["--to", "webdataset", "--to", "coco"], "so coco cannot stand beside it"),
    ],
)
def test_a_format_that_is_none(
    voc: Path, tmp_path: Path, words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.call(["convert", str(voc), str(tmp_path / "out"), *words]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_output_in_input_is_refused(voc: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert convert(voc, voc / "out", "yolo") == 2
    assert "lies inside INPUT" in capsys.readouterr().err
