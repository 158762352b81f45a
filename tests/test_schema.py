"""The schema takes what augx takes and refuses what a schema can see: `jsonschema` is the judge."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from augx import bundled, cli
from augx import recipe as recipes
from augx.errors import RecipeError
from augx.schema import recipe_schema
from augx.starter import starter
from augx.transforms.arguments import REQUIRED, arguments, describe
from augx.transforms.catalog import TRANSFORMS
from augx.transforms.problems import check
from augx.yamlfile import load

jsonschema = pytest.importorskip("jsonschema")

ROOT = Path(__file__).parent.parent
FILES = sorted([*ROOT.glob("examples/**/recipe.yaml"), *ROOT.glob("tests/data/**/*.yaml")])
USABLE = [name for name, entry in TRANSFORMS.items() if not entry.refused]
LEAVES = [name for name in USABLE if not TRANSFORMS[name].members and name != "policy"]
# What no schema can see: files, keys that come twice, what goes together with what, and text that is no JSON.
UNSEEN = {"copies_zero", "files_not_there", "ranges_reversed", "duplicate_keys", "labels_not_a_number", "list_as_key",
          "merge_key", "number_as_key", "one_of_all_zero", "tag_local", "tag_of_yaml"}  # fmt: skip
VALUES: list[Any] = [
    *(None, True, -1, 0, 0.5, 1, 3, 5.0, 200, 1e7, "x", "linear", "constant", [], {}),
    *([0.2, 0.4], [3, 5], [5, 3], [0, 0, 0], [1, 2, 3, 4], ["x"], [[1, 2]], {"x": 1}, {"x": [0.1, 0.2], "y": 0.1}),
    {"z": 1},
]


@cache
def validator() -> Any:
    schema = recipe_schema()
    jsonschema.Draft7Validator.check_schema(schema)
    return jsonschema.Draft7Validator(schema)


def accepted(recipe: Any) -> bool:
    return bool(validator().is_valid(recipe))


def with_step(step: Any) -> Any:
    return {"version": 1, "transforms": [step]}


@pytest.mark.parametrize("name", bundled.texts())
def test_bundled_recipes_are_accepted(name: str) -> None:
    root, _ = load(bundled.texts()[name], name)
    assert root is not None and accepted(root.plain())


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_it_agrees_with_augx(path: Path) -> None:
    data = path.read_bytes()
    root, _ = load(data, path.name)
    if root is None:
        return  # no YAML: nothing that a schema is asked about
    try:
        recipes.parse(data, str(path))
        good = True
    except RecipeError:
        good = False
    assert accepted(root.plain()) is (good or path.stem in UNSEEN)


def test_what_augx_writes_itself_is_accepted() -> None:
    text = starter(True, ["train", "val"], ["cat"]).encode()
    root, _ = load(text, "r")
    assert root is not None and accepted(root.plain())
    for name in bundled.texts():
        said = recipes.read(name).canonical()
        assert [error.message for error in validator().iter_errors(said)] == []


@pytest.mark.parametrize("name", LEAVES)
def test_a_transform_with_its_defaults_is_accepted(name: str) -> None:
    written = {key: default for key, _, default in arguments(name) if default != REQUIRED}
    needed = [key for key, _, default in arguments(name) if default == REQUIRED]
    assert (
        accepted(with_step(name))
        is accepted(with_step({name: {}}))
        is accepted(with_step({name: None}))
        is (not needed)
    )
    if not needed:
        found = [error.message for error in validator().iter_errors(with_step({name: written | {"p": 0.5}}))]
        assert found == [], name
    assert not accepted(with_step({name: {"p": 2}}))
    assert not accepted(with_step({name: {"no_such_argument": 1}}))


@pytest.mark.parametrize("name", LEAVES)
def test_single_values_are_judged_as_augx_does(name: str) -> None:
    """`check` says of each argument alone whether its kind and range fit; what it says of it beyond, and what the
    transform itself objects to, a schema need not know."""
    needed = {key: _any(schema) for key, schema in describe(name).items() if _is_needed(name, key)}
    for key in describe(name):
        for value in VALUES:
            problems = [one for one in check(name, {**needed, key: value}) if one.path[:1] in ((key,), ())]
            seen = accepted(with_step({name: {**needed, key: value}}))
            if not problems:
                assert seen, (name, key, value)
            elif any(one.message.startswith(("expected", "no such key", "needs the key")) for one in problems):
                assert not seen, (name, key, value)


def _is_needed(name: str, key: str) -> bool:
    return (key, REQUIRED) in [(argument, default) for argument, _, default in arguments(name)]


def _any(schema: Any) -> Any:
    kinds = [one.get("type") for one in schema.get("anyOf", [schema])]
    return 16 if "integer" in kinds else [16, 16] if "array" in kinds else "x"


@pytest.mark.parametrize(
    ("step", "good"),
    [
        ({"OneOf": ["Blur", {"MedianBlur": {"p": 0.2}}]}, True),
        ({"OneOf": {"transforms": ["Blur"], "p": 0.5}}, True),
        ({"SomeOf": {"n": 2, "replace": True, "transforms": ["Blur", "Sharpen"]}}, True),
        ({"OneOf": []}, False),
        ({"OneOf": None}, False),
        ({"OneOf": {"n": 2, "transforms": ["Blur"]}}, False),
        ("OneOf", False),
        ({"inside": {"classes": ["car", 3], "transforms": [{"OneOf": ["Blur", "RandomGamma"]}]}}, True),
        ({"inside": {"transforms": ["HorizontalFlip"]}}, False),
        ({"inside": {"transforms": [{"OneOf": [{"Sequential": ["mixup"]}]}]}}, False),
        ({"policy": "found.yaml"}, True),
        ({"policy": {"file": "found.yaml", "fill": 3, "p": 1}}, True),
        ({"policy": {"policies": [[{"Rotate": {"p": 0.7, "m": 4}}, "Invert"]]}}, True),
        ("policy", False),
        ({"policy": {"p": 1}}, False),
        ({"Normalize": {}}, False),
        ({"Blur": {}, "MedianBlur": {}}, False),
        ({}, False),
        (3, False),
    ],
)
def test_forms_of_a_step(step: Any, good: bool) -> None:
    assert accepted(with_step(step)) is good


def test_everything_is_explained() -> None:
    schema = recipe_schema()

    def check_all(properties: dict[str, Any]) -> None:
        for key, one in properties.items():
            assert one.get("description", "").endswith("."), (key, one)
            check_all(one.get("properties", {}))

    check_all(schema["properties"])
    for name in LEAVES:
        definition = schema["definitions"][f"transform-{name}"]
        assert all(one["description"].endswith(".") for one in definition["properties"].values())
        for key, _, default in arguments(name):
            assert definition["properties"][key].get("default", REQUIRED) == default, (name, key)
        assert "default" in definition["properties"]["p"]
    told = schema["definitions"]["transform-Affine"]["properties"]["rotate"]
    assert told["description"].startswith("Rotation in degrees") and told["default"] == 0.0
    named = schema["definitions"]["step"]["anyOf"][1]["properties"]
    assert named["CLAHE"]["description"].startswith(TRANSFORMS["CLAHE"].summary.capitalize()[:5])
    assert sorted(named) == sorted(USABLE)


def test_the_same_text_every_time() -> None:
    line = [sys.executable, "-m", "augx", "schema"]
    texts = {
        subprocess.run(line, capture_output=True, env=_env(seed), cwd=ROOT, check=True).stdout for seed in ("1", "2")
    }
    assert len(texts) == 1
    (text,) = texts
    assert json.loads(text)["$schema"] == "http://json-schema.org/draft-07/schema#"
    assert b"/" + bytes(ROOT.name, "utf-8") + b"/" not in text  # no path of this machine


def _env(seed: str) -> dict[str, str]:
    return {**os.environ, "PYTHONHASHSEED": seed}


def test_schema_writes_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "augx.json"
    assert cli.call(["schema", "-o", str(path)]) == 0
    assert "begin a recipe with: # yaml-language-server: $schema=augx.json" in capsys.readouterr().out
    assert cli.call(["schema"]) == 0
    assert capsys.readouterr().out == path.read_text("utf-8")


MINE = '{"title": "mine", "$schema": "http://json-schema.org/draft-07/schema#"}'


def test_schema_writes_over_a_schema_of_augx_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, link = tmp_path / "s.json", tmp_path / "link.json"
    assert cli.call(["schema", "-o", str(path)]) == 0
    whole = path.read_text("utf-8")
    path.write_text(json.dumps(json.loads(whole) | {"properties": {}}))  # of another version
    assert cli.call(["schema", "-o", str(path)]) == 0
    assert path.read_text("utf-8") == whole
    for text in ("version: 1", MINE, "[" * 9999, ""):
        path.write_text(text)
        assert cli.call(["schema", "-o", str(path)]) == 2
        assert path.read_text() == text
    assert "s.json is there already" in capsys.readouterr().err
    link.symlink_to(path)
    assert cli.call(["schema", "-o", str(link), "--force"]) == 2
    assert f"link.json is a link to {path}" in capsys.readouterr().err
    assert path.read_text() == ""
    assert cli.call(["schema", "-o", str(path), "--force"]) == 0
    assert path.read_text("utf-8") == whole


def test_init_leaves_what_is_not_its_own(photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recipe, schema = tmp_path / "r.yaml", tmp_path / ".augx.schema.json"
    init = ["init", str(photos), "-o", str(recipe)]
    schema.write_text(MINE)
    assert cli.call(init) == 2
    assert ".augx.schema.json is there already\n      leave it as it is with --no-schema" in capsys.readouterr().err
    assert (schema.read_text(), recipe.exists()) == (MINE, False)
    assert cli.call([*init, "--no-schema"]) == 0
    assert (schema.read_text(), recipe.exists()) == (MINE, True)
    assert cli.call([*init, "--force"]) == 0
    said = capsys.readouterr().out
    assert f"wrote {recipe} for" in said and f"wrote {schema}, by which" in said
    elsewhere = tmp_path / "elsewhere.json"
    for place in (schema, recipe):
        elsewhere.write_text(MINE)
        place.unlink()
        place.symlink_to(elsewhere)
        assert cli.call([*init, "--force"]) == 2
        elsewhere.unlink()  # now the link leads nowhere
        assert cli.call([*init, "--force"]) == 2
        assert not elsewhere.exists()
        place.unlink()
        assert cli.call([*init, "--force"]) == 0
    schema.unlink()
    schema.mkdir()
    assert cli.call([*init, "--force"]) == 2
    assert "is a folder\n      remove it, or leave the schema out: --no-schema" in capsys.readouterr().err


def test_init_without_a_schema(photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "r.yaml"
    assert cli.call(["init", str(photos), "-o", str(path), "--no-schema"]) == 0
    assert not (tmp_path / ".augx.schema.json").exists()
    assert path.read_text().startswith("# An augx recipe.")
    capsys.readouterr()
