"""The pages of examples/ that tell no story: what stands in their tables holds, and links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from augx.recipe import parse
from augx.rules import RULES

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "examples"
PAGES = [ROOT / "README.md", *sorted(EXAMPLES.glob("*/README.md"))]


def table_rows(text: str) -> list[list[str]]:
    rows = [re.split(r"(?<!\\) \| ", line.strip("| ")) for line in text.splitlines() if line.startswith("| ")]
    return [row for row in rows if not set(row[0]) <= {"-"}]


def lines_of_recipes() -> list[str]:
    found = []
    for row in table_rows((EXAMPLES / "coming-from" / "README.md").read_text("utf-8")):
        assert len(row) == 2, row
        if line := re.match(r"`([^`]+)`", row[1]):
            found.append(line[1])
        else:
            assert row[1] == "augx" or row[1].startswith("nothing: "), row
    return sorted(set(found))


@pytest.mark.parametrize("line", lines_of_recipes())
def test_what_replaces_a_line_of_another_tool_is_a_line_of_a_recipe(line: str) -> None:
    top = line.split(":")[0] in ("copies", "labels", "output", "seed", "split", "splits")
    steps = "[RandomGamma]" if top else f"\n  - {line}"
    recipe = parse(f"version: 1\n{line if top else ''}\ntransforms: {steps}\n".encode(), "recipe.yaml")
    assert {warning.code for warning in recipe.warnings} <= {"slow-step"}
    assert len(recipe.steps) == 1


def test_each_tool_has_a_table() -> None:
    text = (EXAMPLES / "coming-from" / "README.md").read_text("utf-8")
    tables = {part.split("\n")[0]: len(table_rows(part)) - 1 for part in text.split("\n## ")[1:]}
    assert list(tables) == [
        *("Augmentor", "imgaug", "Albumentations scripts", "Roboflow", "Keras: `ImageDataGenerator` with `save_to_dir`")
    ]
    assert min(tables.values()) >= 12


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.parent.name)
def test_links_lead_somewhere(path: Path) -> None:
    text = re.sub("```.*?```", "", path.read_text("utf-8"), flags=re.DOTALL)
    for link, anchor in re.findall(r"\]\((?!http)([^)#]*)(?:#([^)]*))?\)", text):
        target = (path.parent / link).resolve() if link else path
        assert target.exists() and target.is_relative_to(ROOT), link
        if anchor:
            page = target / "README.md" if target.is_dir() else target
            heads = re.findall("^#+ (.*)$", page.read_text("utf-8"), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads}, (
                f"{link}#{anchor}"
            )


def test_promises_name_tests_that_are_there() -> None:
    rows = table_rows((EXAMPLES / "promises" / "README.md").read_text("utf-8"))[1:]
    assert len(rows) >= 25
    for promise, held in rows:
        named = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`( \(slow\))?", held)
        assert named, promise
        for path, test, slow in named:
            text = (ROOT / path).read_text("utf-8")
            assert re.search(rf"^def {test or 'test_'}", text, re.MULTILINE), (path, test)
            assert bool(slow) == bool(re.search(r"^pytestmark = .*\bslow\b", text, re.MULTILINE)), (path, "slow?")


CHOOSING = (EXAMPLES / "choosing" / "README.md").read_text("utf-8")


@pytest.mark.parametrize("step", re.findall(r"^\|.*\| `(\w+: \{.*\})` \|$", CHOOSING, re.MULTILINE))
def test_a_step_to_begin_with_is_valid_and_draws_no_warning(step: str) -> None:
    assert parse(f"version: 1\ntransforms:\n  - {step}\n".encode(), "recipe.yaml").warnings == ()


def test_choosing_names_what_there_is() -> None:
    (recipe,) = re.findall("```yaml\n(.*?)```", CHOOSING, re.DOTALL)
    assert parse(recipe.encode(), "recipe.yaml").warnings == ()
    codes = re.findall(r"^\| .* \| `([\w-]+)` \|$", CHOOSING, re.MULTILINE)
    assert len(codes) == 7
    assert set(codes) <= set(RULES)
