"""The schema in an editor: `yaml-language-server`, behind YAML in most of them, is asked what an editor asks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from language_server import Editor, installed

from augx import bundled, cli

pytestmark = pytest.mark.slow

HEAD = "# yaml-language-server: $schema=.augx.schema.json\nversion: 1\ntransforms:\n"


@pytest.fixture(scope="module")
def editor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Editor]:
    command = installed(tmp_path_factory.mktemp("npm"))
    if command is None:
        pytest.skip("needs node, and yaml-language-server or npm and a network")
    root = tmp_path_factory.mktemp("editor")
    assert cli.call(["schema", "-o", str(root / ".augx.schema.json")]) == 0
    with Editor(command, root) as editor:
        yield editor


@pytest.mark.parametrize("begun", ["  - |\n", "  - Aff|\n", "  - OneOf:\n      - |\n"])
def test_transforms_are_completed(editor: Editor, begun: str) -> None:
    offered = editor.completion(HEAD + begun)
    assert offered["Affine"].startswith("Rotates, scales, shifts and shears.")
    assert {"mosaic", "RandomCrop", "SomeOf"} <= offered.keys()
    assert "Normalize" not in offered


@pytest.mark.parametrize("begun", ["  - Affine:\n      |\n", "  - Affine: {ro|}\n"])
def test_arguments_are_completed(editor: Editor, begun: str) -> None:
    offered = editor.completion(HEAD + begun)
    assert {"rotate", "scale", "border_mode", "p"} <= offered.keys()
    assert offered["rotate"].startswith("Rotation in degrees")
    assert "blur_limit" not in offered


def test_values_and_sections_are_completed(editor: Editor) -> None:
    assert "reflect_101" in editor.completion(HEAD + "  - Affine:\n      border_mode: |\n")
    assert {"copies", "labels", "output"} <= editor.completion(HEAD + "  - Blur\n|\n").keys()
    assert "png" in editor.completion(HEAD + "  - Blur\noutput:\n  image:\n    format: |\n")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("  - Affine:\n      rot|ate: 5\n", "Rotation in degrees"),
        ("  - Aff|ine: {rotate: 5}\n", "Rotates, scales, shifts and shears."),
        ("  - Blu|r\n", "Blurs with a box."),
        ("  - mosaic: {ti|les: 9}\n", "4 or 9."),
        ("  - Blur\ncop|ies: 3\n", "New images for each source image; 0 only where \\`gan\\` adds some."),
    ],
)
def test_hovering_explains(editor: Editor, text: str, said: str) -> None:
    assert said in editor.hover(HEAD + text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("  - Affine: {rotat: 5}\n", "Property rotat is not allowed."),
        ("  - Affine: {rotate: big}\n", "Incorrect type."),
        ("  - Affin\n", "Value must be"),
        ("  - Blur\ncopys: 3\n", "Property copys is not allowed."),
        ("  - RandomCrop: {height: 3}\n", 'Missing property "width".'),
    ],
)
def test_mistakes_are_underlined(editor: Editor, text: str, said: str) -> None:
    assert any(said in problem for problem in editor.diagnostics(HEAD + text))


@pytest.mark.parametrize("name", bundled.texts())
def test_bundled_recipes_have_nothing_underlined(editor: Editor, name: str) -> None:
    modeline = HEAD.split("version")[0]
    assert editor.diagnostics(modeline + bundled.texts()[name].decode()) == []
