"""What a recipe does to the meaning of labels: each rule of `augx.lint` with the dataset it is for, and with others."""

from __future__ import annotations

import io
import json
from array import array
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from conftest import encoded
from PIL import Image
from running import a_recipe

from augx import cli
from augx.lint import meaning as lint
from augx.model import Annotations, Dataset, Object, Sample

BOX = Object("cat", (1.0, 2.0, 9.0, 8.0))
POSE = Object("person", (1.0, 2.0, 9.0, 8.0), keypoints=array("d", [3, 4, 2]))
COLOURS = ("red light", "green-light", "amber")
DIGITS = tuple("0123456789")


def dataset(
    *things: Object, classes: tuple[str, ...] = ("cat", "dog"), values: Mapping[str, Any] | None = None
) -> Dataset:
    known = Annotations({} if things else {classes[0]: 1.0}, values or {}, objects=things)
    return Dataset("in", "coco", (Sample("a.png", known),), classes)


def said(transforms: str, known: Dataset, **keys: Any) -> list[tuple[int, int, str, str]]:
    found = lint.meaning(a_recipe(transforms, **keys), known)
    assert all((problem.severity, problem.file) == ("warning", "recipe.yaml") for problem in found)
    return [(problem.line, problem.column, problem.message, problem.suggestion) for problem in found]


UPSIDE = "turns poses upside down, as hardly any picture shows them"
RECOLOURED = "changes colours, and classes are called by them: red light, green-light"
READ = "signs that are to be read (0, 1, 2, 3, 4, 5)"
SIDES = "turns left into right, but the classes left shoe, shoe_right stay as they are"
TWICE = "mirrors at the border: objects show a second time there, without a label"


@pytest.mark.parametrize(
    ("transform", "known", "message", "way"),
    [
        ("VerticalFlip", dataset(POSE), f"VerticalFlip {UPSIDE}", "leave it out for poses"),
        ("RandomRotate90", dataset(POSE), f"RandomRotate90 {UPSIDE}", "leave it out for poses"),
        ("Rotate: {limit: [-180, 180]}", dataset(POSE), f"Rotate {UPSIDE}", "leave it out for poses"),
        ("Affine: {rotate: 150}", dataset(POSE), f"Affine {UPSIDE}", "leave it out for poses"),
        ("HueSaturationValue", dataset(BOX, classes=COLOURS), f"HueSaturationValue {RECOLOURED}", "leave it out"),
        ("ToGray", dataset(classes=COLOURS), f"ToGray {RECOLOURED}", "leave it out"),
        ("ColorJitter: {hue: [-0.2, 0.2]}", dataset(BOX, classes=COLOURS), f"ColorJitter {RECOLOURED}", "leave it out"),
        ("ColorJitter", dataset(BOX, classes=COLOURS), f"ColorJitter {RECOLOURED}", "leave it out"),
        (
            "HorizontalFlip",
            dataset(classes=DIGITS),
            f"HorizontalFlip mirrors {READ}: in a mirror they are other signs, or none",
            "leave it out",
        ),
        ("RandomRotate90", dataset(classes=DIGITS), f"RandomRotate90 turns {READ}: a 6 becomes a 9", "leave it out"),
        ("Rotate: {limit: 180}", dataset(classes=DIGITS), f"Rotate turns {READ}: a 6 becomes a 9", "leave it out"),
        (
            "HorizontalFlip",
            dataset(BOX, classes=("left shoe", "shoe_right")),
            f"HorizontalFlip {SIDES}",
            "leave it out",
        ),
        (
            "HorizontalFlip",
            dataset(values={"steering_angle": 0.3, "speed": 7}),
            "HorizontalFlip mirrors the picture, but the value 'steering_angle' stays as it is",
            "write labels: {values: {steering_angle: negate_on_flip}}, or leave it out",
        ),
        ("Affine: {border_mode: reflect}", dataset(BOX), f"Affine {TWICE}", "set fill instead"),
        ("Rotate: {limit: 20, border_mode: wrap}", dataset(BOX), f"Rotate {TWICE}", "set fill instead"),
    ],
)
def test_a_rule_speaks_at_the_place_in_the_recipe(transform: str, known: Dataset, message: str, way: str) -> None:
    assert said(f"[Blur, {{{transform}}}]" if ":" in transform else f"[Blur, {transform}]", known) == [
        (3, 21 if ":" in transform else 20, message, way)
    ]


def test_each_transform_of_a_group_is_looked_at_in_its_own_place() -> None:
    found = said("\n  - OneOf:\n      - HorizontalFlip\n      - VerticalFlip", dataset(classes=DIGITS))
    assert [(line, column) for line, column, _, _ in found] == [(5, 9), (6, 9)]


@pytest.mark.parametrize(
    ("transforms", "known"),
    [
        ("[VerticalFlip, RandomRotate90, HueSaturationValue, ToGray]", dataset(BOX)),
        ("[HorizontalFlip, {Rotate: {limit: 30}}, {Affine: {rotate: [-45, 45]}}]", dataset(POSE)),
        ("[HorizontalFlip, VerticalFlip]", dataset(classes=("cat", "red panda"))),
        ("[HueSaturationValue, ToGray]", dataset(classes=("cat", "red panda"))),  # one name with a colour is no code
        ("[HueSaturationValue]", dataset(classes=("hundred", "greenhouse", "blackboard"))),
        ("[RandomBrightnessContrast, {ColorJitter: {hue: 0}}]", dataset(classes=COLOURS)),
        ("[{Rotate: {limit: 15}}, {Affine: {rotate: [-10, 10]}}, RandomBrightnessContrast]", dataset(classes=DIGITS)),
        ("[HorizontalFlip]", dataset(classes=("cat", "7", "dog", "bird"))),
        ("[HorizontalFlip]", dataset(classes=("rightful", "leftover"))),
        ("[{Rotate: {limit: 30}}, ToGray]", dataset(values={"steering_angle": 0.3})),
        ("[HorizontalFlip]", dataset(values={"speed": 0.3, "age": 4})),
        ("[{Affine: {border_mode: constant, fill: 0}}, {Affine: {}}]", dataset(BOX)),
        ("[{Affine: {border_mode: reflect}}]", dataset()),
    ],
)
def test_no_false_alarm(transforms: str, known: Dataset) -> None:
    assert said(transforms, known) == []


@pytest.mark.parametrize(
    ("text", "said_so"),
    [
        ("a dog on the left of a cat", True),
        ("Left-hand drive", True),
        ("the rightmost window", True),
        ("a bus is turning RIGHT.", True),
        ("a bright light, a leftover", False),
        ("a man who is left alone, right now", False),
    ],
)
def test_captions_that_name_sides(text: str, said_so: bool) -> None:
    samples = tuple(
        Sample(f"{n}.png", Annotations(captions=captions)) for n, captions in enumerate([("a cat",), (text,)])
    )
    known = Dataset("in", "hf", samples, ())
    wanted = f"HorizontalFlip turns left into right, but a caption that says left or right stays as it is: “{text}”"
    assert [message for _, _, message, _ in said("[HorizontalFlip, Blur, VerticalFlip]", known)] == [wanted] * said_so


def test_a_value_that_is_negated_is_no_alarm() -> None:
    known = dataset(values={"steering_angle": 0.3})
    assert said("[HorizontalFlip]", known, labels={"values": {"steering_angle": "negate_on_flip"}}) == []


def turned_image(orientation: int) -> bytes:
    """A JPEG stored 40 x 20 that is shown 20 x 40 with orientation 6."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    buffer = io.BytesIO()
    Image.new("RGB", (40, 20), (90, 120, 150)).save(buffer, "JPEG", exif=exif)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("orientation", "box", "pixels", "message"),
    [
        (6, (2.0, 2.0, 39.0, 19.0), "upright", "such as a.jpg, fit the picture as it is stored, not as EXIF turns it"),
        (6, (2.0, 2.0, 19.0, 39.0), "stored", "such as a.jpg, fit the picture as EXIF turns it, not as it is stored"),
        (6, (2.0, 2.0, 19.0, 39.0), "upright", ""),
        (6, (2.0, 2.0, 39.0, 19.0), "stored", ""),
        (6, (2.0, 2.0, 15.0, 15.0), "upright", ""),  # fits both
        (6, (2.0, 2.0, 99.0, 99.0), "upright", ""),  # fits neither
        (3, (2.0, 2.0, 39.0, 19.0), "upright", ""),  # half a turn keeps the size
        (1, (2.0, 2.0, 19.0, 39.0), "upright", ""),
    ],
)
def test_boxes_that_fit_only_the_other_of_stored_and_upright(
    orientation: int, box: tuple[float, float, float, float], pixels: str, message: str, tmp_path: Path
) -> None:
    (tmp_path / "a.jpg").write_bytes(turned_image(orientation))
    sample = Sample("a.jpg", Annotations(objects=(Object("cat", box),)))
    known = Dataset(str(tmp_path), "voc", (sample,), ("cat",))
    found = lint.turned(a_recipe("[Blur]", labels={"pixels": pixels}), known)
    other = {"upright": "stored", "stored": "upright"}[pixels]
    expected = [(f"the boxes of 1 image, {message}", f"write labels: {{pixels: {other}}}")] if message else []
    assert [(problem.message, problem.suggestion) for problem in found] == expected


def test_images_that_cannot_be_looked_at_are_no_alarm(tmp_path: Path) -> None:
    (tmp_path / "bad.jpg").write_bytes(b"no image")
    samples = tuple(Sample(name, Annotations(objects=(BOX,))) for name in ("bad.jpg", "gone.jpg"))
    assert lint.turned(a_recipe("[Blur]"), Dataset(str(tmp_path), "voc", samples, ("cat",))) == []


def test_validate_tells_of_it_with_the_line_of_the_recipe(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root, recipe = tmp_path / "in", tmp_path / "r.yaml"
    for number, label in enumerate(("six", "nine")):
        (root / label).mkdir(parents=True)
        (root / label / "1.jpg").write_bytes(encoded(number))
    recipe.write_text("version: 1\ncopies: 1\ntransforms:\n  - Blur\n  - HorizontalFlip\n")
    message = "HorizontalFlip mirrors signs that are to be read (nine, six): in a mirror they are other signs, or none"
    assert cli.call(["validate", str(recipe), "--input", str(root)]) == 0
    assert capsys.readouterr().out == (
        f"{recipe}:5:5: {message} (leave it out) [warning: signs-turned]\nno errors in {recipe}; 1 warning\n"
    )
    assert cli.call(["validate", str(recipe), "--input", str(root), "--strict"]) == 2
    capsys.readouterr()
    assert cli.call(["validate", str(recipe), "--input", str(root), "--output-format", "json"]) == 0
    (problem,) = json.loads(capsys.readouterr().out)
    assert (problem["line"], problem["column"], problem["severity"]) == (5, 5, "warning")
    assert problem["message"] == message
    assert cli.call(["validate", str(recipe)]) == 0  # nothing without a dataset
    assert capsys.readouterr().out == f"no errors in {recipe}\n"


def test_validate_tells_of_turned_boxes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root, recipe = tmp_path / "in", tmp_path / "r.yaml"
    root.mkdir()
    (root / "a.jpg").write_bytes(turned_image(6))
    box = "<xmin>2</xmin><ymin>2</ymin><xmax>39</xmax><ymax>19</ymax>"
    (root / "a.xml").write_text(f"<annotation><object><name>cat</name><bndbox>{box}</bndbox></object></annotation>")
    recipe.write_text("version: 1\ncopies: 1\ntransforms: [Blur]\n")
    assert cli.call(["validate", str(recipe), "--input", str(root)]) == 0
    message = "the boxes of 1 image, such as a.jpg, fit the picture as it is stored, not as EXIF turns it"
    assert message in capsys.readouterr().out
