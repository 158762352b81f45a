"""README.md says what the registries say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import tables

from augx import bundled, cli
from augx.formats import FORMATS
from augx.transforms.catalog import TRANSFORMS

EMPTY = "".join(f"before {name}\n<!-- {name} -->\n<!-- /{name} -->\nafter\n" for name in tables.SECTIONS)


def test_the_readme_is_up_to_date() -> None:
    text = tables.README.read_text("utf-8")
    try:
        fresh = tables.updated(text) == text
    except ValueError as error:
        pytest.fail(f"README.md {error}; then run: python tests/tables.py", pytrace=False)
    if not fresh:
        pytest.fail("README.md is out of date; run: python tests/tables.py", pytrace=False)


def test_only_text_between_markers_changes() -> None:
    text = tables.updated(EMPTY)
    assert re.sub(r"(<!-- (\w+) -->\n).*?(<!-- /\2 -->\n)", r"\1\3", text, flags=re.DOTALL) == EMPTY
    assert tables.updated(text) == text
    assert tables.updated(text.replace("Affine", "Old")) == text


@pytest.mark.parametrize("name", tables.SECTIONS)
def test_a_missing_doubled_or_swapped_marker_is_refused_by_name(name: str) -> None:
    first, last = f"<!-- {name} -->\n", f"<!-- /{name} -->\n"
    broken = [
        EMPTY.replace(first, ""),
        EMPTY.replace(last, ""),
        EMPTY + first + last,
        EMPTY.replace(first + last, last + first),
    ]
    for text in broken:
        with pytest.raises(ValueError, match=f"<!-- {name} -->"):
            tables.updated(text)


def test_main_writes_the_file_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    readme = tmp_path / "README.md"
    readme.write_text(EMPTY, "utf-8")
    monkeypatch.setattr(tables, "README", readme)
    tables.main()
    assert readme.read_text("utf-8") == tables.updated(EMPTY)
    tables.main()
    assert capsys.readouterr().out == "README.md: written anew\nREADME.md: up to date\n"


def test_main_names_a_missing_marker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    readme = tmp_path / "README.md"
    readme.write_text(EMPTY.replace("<!-- formats -->\n", ""), "utf-8")
    monkeypatch.setattr(tables, "README", readme)
    with pytest.raises(SystemExit, match=r"README\.md needs a line <!-- formats -->"):
        tables.main()
    assert "<!-- formats -->" not in readme.read_text("utf-8")


def test_every_name_is_in_its_section_once() -> None:
    assert first_cells(tables.formats()) == list(FORMATS)
    assert first_cells(tables.recipes()) == list(bundled.descriptions())
    assert [cell.split()[1] for cell in first_cells(tables.commands())] == list(cli.VERBS)
    usable = [name for name, entry in TRANSFORMS.items() if not entry.refused]
    assert sorted(first_cells(tables.transforms())) == sorted(usable)
    listed = dict(re.findall(r"^- `(\w+)`: (.+)$", tables.transforms(), re.MULTILINE))
    assert listed == {name: entry.refused for name, entry in TRANSFORMS.items() if entry.refused}


def test_a_transform_row_says_what_the_catalog_says() -> None:
    lines = tables.transforms().splitlines()
    assert "| `HorizontalFlip` | mirrors left and right | yes | yes | 0.0003 |" in lines
    assert "| `CLAHE` | evens out contrast region by region |  | no | 0.019 |" in lines
    assert (
        "| `ElasticTransform` | bends the picture like rubber, by smooth random shifts | yes | yes | **0.26** |"
        in lines
    )


def test_commands_are_shown_with_their_arguments() -> None:
    assert "| `augx run INPUT OUTPUT` | Multiply the labelled images under INPUT into OUTPUT. |" in tables.commands()


def first_cells(section: str) -> list[str]:
    return re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE)
