"""Recipes: reading, problems, digests, what comes bundled.

A case in data/recipes is a file: a recipe that ends in a block `# expect`, then the problems as `# line:column: message
(suggestion)`, warnings with `warning` before them. Where no comment can stand, the problems are in NAME.expect beside
it. `# expect with arguments` asks Albumentations about arguments, too.
"""

from __future__ import annotations

import dataclasses
import io
import itertools
import json
import math
import os
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from augx import bundled
from augx.bundled import descriptions, texts
from augx.errors import Problem, RecipeError, Refused
from augx.model import (
    Annotations,
    ImageOptions,
    LabelOptions,
    Limits,
    Object,
    Override,
    RejectOptions,
    Sample,
    SplitOptions,
    Step,
    TarOptions,
)
from augx.recipe import Recipe, check_transforms, parse, read
from augx.starter import starter
from augx.transforms import catalog
from augx.yamlfile import MAX_BYTES, load, scalar

CASES = sorted((Path(__file__).parent / "data" / "recipes").glob("*.yaml"))
HEAD = "version: 1\ntransforms:\n"


def expected(case: Path) -> tuple[list[str], bool]:
    """The lines a case expects, and whether arguments are asked about."""
    beside = case.with_suffix(".expect")
    if beside.exists():
        return beside.read_text("utf-8").splitlines(), False
    _, found, block = case.read_bytes().decode("utf-8").rpartition("# expect")
    assert found, f"{case.name} says nothing of what it expects"
    flag, *lines = block.splitlines()
    return [line.removeprefix("# ") for line in lines], flag == " with arguments"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_case(case: Path) -> None:
    lines, checked = expected(case)
    try:
        found = [("warning ", w) for w in parse(case.read_bytes(), "R", checked=checked).warnings]
    except RecipeError as e:
        found = [("", p) for p in e.problems]
    assert [kind + str(p).removeprefix("R:").strip() for kind, p in found] == lines


def test_there_are_cases() -> None:
    assert len(CASES) > 100


def problems(text: str | bytes, checked: bool = False) -> list[Problem]:
    with pytest.raises(RecipeError) as caught:
        parse(text if isinstance(text, bytes) else text.encode(), "r.yaml", checked=checked)
    return list(caught.value.problems)


def test_full_recipe() -> None:
    text = """
version: 1
seed: 0x10
copies: 1e3
originals: false
splits: [train, "2019"]
transforms:
  - HorizontalFlip
  - Affine: {rotate: [-15, 15], p: 1}
  - OneOf: {p: 0.3, transforms: [Blur: {blur_limit: 3}, MedianBlur: ]}
  - SomeOf: {n: 2, replace: true, transforms: [Blur]}
labels: {min_visibility: 0.1, min_area: 4}
output: {image: {format: jpg, quality: 80, subsampling: 4:4:4, bits: 8, alpha: drop}}
"""
    found = parse(text.encode(), "r.yaml", checked=False)
    assert found == Recipe(
        name="other",
        seed=16,
        copies=1000,
        originals=False,
        splits=("train", "2019"),
        steps=(
            Step("HorizontalFlip"),
            Step("Affine", {"rotate": [-15, 15]}, p=1.0),
            Step("OneOf", {}, 0.3, (Step("Blur", {"blur_limit": 3}), Step("MedianBlur"))),
            Step("SomeOf", {"n": 2, "replace": True}, None, (Step("Blur"),)),
        ),
        labels=LabelOptions(min_visibility=0.1, min_area=4.0),
        image=ImageOptions(format="jpeg", quality=80, subsampling="4:4:4", bits="8", alpha="drop"),
    )
    assert found.name == "r.yaml"
    assert found.warnings == ()


def test_defaults() -> None:
    found = parse(b"version: 1\ntransforms: [Blur]\n", "r", checked=False)
    assert (found.seed, found.copies, found.originals, found.splits) == (0, 10, True, ("train",))
    assert (found.balance, found.image) == ("none", ImageOptions())
    assert found.labels == LabelOptions()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None), ("~", None), ("null", None), ("NULL", None), ("nULL", "nULL"), ("none", "none"),
        ("true", True), ("True", True), ("FALSE", False), ("tRue", "tRue"),
        ("no", "no"), ("yes", "yes"), ("on", "on"), ("Off", "Off"), ("y", "y"), ("n", "n"),
        ("0", 0), ("-12", -12), ("+12", 12), ("012", 12), ("0o17", 15), ("0x1F", 31), ("-0x1F", "-0x1F"),
        ("0b11", "0b11"), ("1_000", "1_000"), ("4:2:0", "4:2:0"), ("60:30", "60:30"), ("2026-11-22", "2026-11-22"),
        ("1.5", 1.5), (".5", 0.5), ("5.", 5.0), ("1e3", 1000.0), ("1E+3", 1000.0), ("-1.5e-3", -0.0015), ("1e", "1e"),
        (".inf", math.inf), ("-.INF", -math.inf), ("+.Inf", math.inf), ("inf", "inf"), ("nan", "nan"),
        (".", "."), ("-", "-"), ("0x", "0x"), ("٣", "٣"), ("1 000", "1 000"), ("=", "="), ("1\n", "1\n"),
    ],
)  # fmt: skip
def test_yaml_1_2_scalars(text: str, value: object) -> None:
    found = scalar(text)
    assert found == value
    assert type(found) is type(value)


def test_yaml_nan() -> None:
    assert math.isnan(scalar(".NaN"))  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["18446744073709551616", "-" + "9" * 5000, "0x" + "f" * 17])
def test_numbers_beyond_64_bits(text: str) -> None:
    with pytest.raises(ValueError, match=text[:20]):
        scalar(text)


def test_quoted_scalars_are_text() -> None:
    found = parse(b"version: 1\nsplits: ['1', \"true\", 'null', no, 1e]\ntransforms: [Blur]\n", "r", checked=False)
    assert found.splits == ("1", "true", "null", "no", "1e")


@pytest.mark.parametrize("width", [9, 2])
def test_alias_bomb_ends_at_once(width: int) -> None:
    letters = [f"a{i}" for i in range(60)]
    bomb = "x: &a0 [lol]\n" + "".join(
        f"x{i}: &{b} [{', '.join([f'*{a}'] * width)}]\n" for i, (a, b) in enumerate(itertools.pairwise(letters))
    )
    start = time.process_time()
    found = problems(bomb)
    assert time.process_time() - start < 1
    assert "aliases expanded" in found[0].message


def test_tag_runs_nothing(tmp_path: Path) -> None:
    flag = tmp_path / "ran"
    found = problems(f"version: 1\ntransforms: []\nseed: !!python/object/apply:os.mkdir ['{flag}']\n")
    assert "tags are not used" in found[0].message
    assert not flag.exists()


def test_too_large_a_file() -> None:
    found = problems(b"#" * (MAX_BYTES + 1))
    assert [str(p) for p in found] == ["r.yaml: is larger than 1 MB (a recipe is a short text file)"]


def test_every_member_of_a_long_list_has_its_place() -> None:
    text = HEAD + "".join(f"  - Blur: {{p: {i}}}\n" for i in range(100))
    assert [(p.line, p.column) for p in problems(text)] == [(3 + i, 15) for i in range(2, 100)]


def test_messages_are_single_lines_without_control_characters() -> None:
    found = problems(HEAD + '  - "Aff\\nine\\e[2J": {}\n  - Blur: "\\r\\u2028"\n')
    assert len(found) == 2
    assert all(str(p).isprintable() for p in found)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
def test_bytes_raise_nothing_but_recipe_errors(data: bytes) -> None:
    with pytest.raises(RecipeError):
        parse(data, "r", checked=False)


PIECES = [
    "version: 1\n", "transforms:\n", "  - ", "- ", "Affine: ", "OneOf: ", "{", "}", "[", "]", ", ", ": ", "p: 0.5",
    "&a ", "*a", "!!int ", "! ", "<<: ", "? ", "|\n", ">-\n", "'", '"', "\\U", "\\x", "\t", "\n", "  ", "#", "---\n",
    "...\n", "%YAML 1.2\n", "%TAG ! !\n", "x", "é", "\u2028", "1e999", ".nan", "~", "copies: ", "labels: ", "output: ",
]  # fmt: skip


@settings(max_examples=250, deadline=None)
@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=30))
def test_yaml_like_text_raises_nothing_but_recipe_errors(pieces: list[str]) -> None:
    data = "".join(pieces).encode("utf-8", "surrogatepass")
    try:
        found = parse(data, "r", checked=False)
    except RecipeError as e:
        assert e.problems == tuple(sorted(e.problems, key=lambda p: (p.line, p.column)))
    else:
        assert found.canonical()["version"] == 1


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(["train", "Blur"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["Affine", "OneOf", "p", "transforms", "n", "image", "format"]), inner)
    ),
    max_leaves=12,
)
KEYS = ["version", "seed", "copies", "originals", "splits", "balance", "transforms", "labels", "output", "zzz"]


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.sampled_from(KEYS), ANYTHING) | ANYTHING)
def test_any_json_raises_nothing_but_recipe_errors(value: object) -> None:
    try:
        found = Recipe.from_canonical(value)
    except RecipeError:
        return
    assert Recipe.from_canonical(found.canonical()) == found


def _changes(step: Step) -> bool:
    """One that adds pictures stands in no group."""
    return not catalog.TRANSFORMS[step.name].adds


P = st.none() | st.floats(0, 1)
LEAVES = sorted(
    name for name, entry in catalog.TRANSFORMS.items() if not entry.refused and not entry.members and name != "policy"
)
ARGS = st.dictionaries(
    st.text(max_size=8).filter(lambda key: key != "p"),
    st.none() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    max_size=3,
)
STEPS = st.recursive(
    st.builds(Step, st.sampled_from(LEAVES), ARGS, P),
    lambda inner: st.builds(
        Step, st.just("Sequential"), st.just({}), P, st.lists(inner.filter(_changes), min_size=1, max_size=3).map(tuple)
    ),
    max_leaves=5,
)
NAMES = st.lists(st.sampled_from(["cat", "dog", "é: #", "no"]), min_size=1, max_size=2, unique=True).map(tuple)
OVERRIDES = st.builds(
    Override,
    classes=NAMES,
    splits=st.just(()) | NAMES,
    copies=st.none() | st.integers(0, 100_000),
    steps=st.none() | st.lists(STEPS, max_size=2).map(tuple),
)
RECIPES = st.builds(
    Recipe,
    name=st.text(),
    seed=st.integers(0, 2**63 - 1),
    copies=st.integers(0, 100_000),
    originals=st.booleans(),
    splits=st.lists(st.text(min_size=1), min_size=1, unique=True).map(tuple),
    split=st.none() | st.builds(SplitOptions, val=st.floats(0.1, 0.4), test=st.floats(0, 0.4), stratify=st.booleans()),
    balance=st.sampled_from(["none", "max", 7, {"cat": 3, "dog": 1}]),
    steps=st.lists(STEPS, max_size=4).map(tuple),
    overrides=st.lists(OVERRIDES, max_size=2).map(tuple),
    reject=st.builds(RejectOptions, flat=st.booleans(), lost_objects=st.none() | st.floats(0, 1)),
    labels=st.builds(
        LabelOptions,
        min_visibility=st.floats(0, 1),
        min_size=st.floats(0, 9),
        boxes=st.sampled_from(["outer", "ellipse"]),
        pairs=st.sampled_from([None, (), ((1, 2), (3, 4))]),
        ignore=st.none() | st.integers(0, 255),
        values=st.sampled_from([{}, {"angle": "negate_on_flip"}]),
    ),
    limits=st.builds(Limits, pixels=st.integers(1, 2**63 - 1), side=st.integers(1, 9)) | st.just(Limits()),
    tar=st.builds(TarOptions, images=st.integers(1, 9)),
    image=st.builds(ImageOptions, format=st.sampled_from(["keep", "png", "tiff"]), quality=st.integers(1, 100)),
)


@settings(max_examples=100, deadline=None)
@given(RECIPES)
def test_canonical_goes_out_and_back(recipe: Recipe) -> None:
    written = json.dumps(recipe.canonical())
    back = Recipe.from_canonical(json.loads(written))
    assert back == recipe
    assert back.digest() == recipe.digest()


def test_canonical_is_itself_a_recipe() -> None:
    found = read("strong", checked=False)
    assert parse(json.dumps(found.canonical()).encode(), "r", checked=False) == found


@pytest.mark.parametrize("value", [None, [], 3, "x", {"version": 1}, {"version": 1, "transforms": [object()]}])
def test_from_canonical_refuses_what_is_no_recipe(value: object) -> None:
    with pytest.raises(RecipeError):
        Recipe.from_canonical(value)


@pytest.mark.parametrize(
    ("key", "keys"),
    [
        ("reject", "flat, lost_objects"),
        (
            "labels",
            "min_visibility, min_area, min_size, boxes, pixels, keypoint_pairs, ignore, values, hard",
        ),
        ("limits", "pixels, bytes, side"),
        ("output", "image, tar"),
    ],
)
def test_what_must_be_a_mapping(key: str, keys: str) -> None:
    (problem,) = problems(f"{BASE}{key}: [3]\n")
    assert problem == Problem("r.yaml", 5, 9, f"{key} must be a mapping, not [3]", f"with the keys {keys}")


def test_values_may_stand_at_the_top() -> None:
    found = [
        parse((BASE + text).encode(), "r", checked=False)
        for text in ("values: {angle: negate_on_flip}\n", "labels: {values: {angle: negate_on_flip}}\n")
    ]
    assert found[0].labels.values == {"angle": "negate_on_flip"}
    assert found[0] == found[1]


def test_what_augx_has_written_is_taken_as_it_is() -> None:
    """No copies, and a folder that was there once; a recipe of the user's may have neither."""
    steps = (Step("background", {"folder": "/nowhere"}),)
    written = Recipe(copies=0, steps=steps)
    found = Recipe.from_canonical(written.canonical())
    assert (found, found.name) == (written, "<canonical>")
    said = problems(json.dumps(written.canonical()))
    assert [p.message.partition(":")[0] for p in said] == ["copies", "there is no folder '/nowhere'"]


BASE = HEAD + "  - Affine: {rotate: 3, scale: 2, p: 0.5}\n  - Blur\n"


def digest(text: str, name: str = "r") -> str:
    return parse(text.encode(), name, checked=False).digest()


def test_digest_stays_what_it_was() -> None:
    # A change here makes every finished dataset stale: bump the recipe's version, do not edit the figure.
    assert digest(BASE) == "5dbfa186f6bdce72a89d790fb3b508bf79848cc998ab9ffe19d944cc61b78733"


@pytest.mark.parametrize(
    "text",
    [
        "# a comment\n" + BASE,
        BASE + "copies: 77\n",
        BASE + "originals: false\n",
        BASE + "splits: [other]\n",
        BASE + "balance: none\n",
        BASE + "limits: {}\n",
        BASE + "limits: {pixels: 178956970, bytes: 1073741824, side: 65535}\n",
        BASE + "seed: 0\nlabels: {}\noutput: {image: {quality: 92, format: keep}}\n",
        "transforms: [{Affine: {p: 5e-1, scale: 2, rotate: 3}}, {Blur: }]\nversion: 1\n",
        BASE.replace("\n", "\r\n"),
    ],
)
def test_digest_ignores(text: str) -> None:
    assert digest(text, "elsewhere.yaml") == digest(BASE)


@pytest.mark.parametrize(
    "text",
    [
        BASE + "seed: 1\n",
        BASE + "labels: {min_area: 1}\n",
        BASE + "limits: {side: 65534}\n",
        BASE + "limits: {pixels: 9}\n",
        BASE + "output: {image: {quality: 91}}\n",
        BASE + "output: {image: {bits: 8}}\n",
        BASE.replace("rotate: 3", "rotate: 4"),
        BASE.replace("p: 0.5", "p: 0.6"),
        HEAD + "  - Blur\n  - Affine: {rotate: 3, scale: 2, p: 0.5}\n",
        HEAD + "  - Sequential: [{Affine: {rotate: 3, scale: 2, p: 0.5}}]\n  - Blur\n",
    ],
)
def test_digest_notices(text: str) -> None:
    assert digest(text) != digest(BASE)


@pytest.mark.parametrize(
    ("said", "size"), [("1", 1), ("256M", 256 << 20), ("1.5k", 1536), ("2 GiB", 2 << 30), ("1e3", 1000)]
)
def test_how_large_tars_are(said: str, size: int) -> None:
    found = parse((BASE + f"output: {{tar: {{images: 12, bytes: {said}}}}}\n").encode(), "r", checked=False)
    assert found.tar == TarOptions(12, size)
    assert found.replace(tar_images=5).tar == TarOptions(5, size)
    assert found.replace(tar_bytes=9).tar == TarOptions(12, 9)
    assert found.digest() == parse(BASE.encode(), "r", checked=False).digest()


def test_limits() -> None:
    found = parse((BASE + "limits: {pixels: 1e6, bytes: 5}\n").encode(), "r", checked=False)
    assert found.limits == Limits(1_000_000, 5, 65_535)
    assert found.replace(seed=4).limits == found.limits
    assert found.canonical()["limits"] == {"pixels": 1_000_000, "bytes": 5, "side": 65_535}
    old = {key: value for key, value in found.canonical().items() if key != "limits"}
    assert Recipe.from_canonical(old).limits == Limits()  # of an OUTPUT that was made before there were any


def test_replace() -> None:
    found = parse(BASE.encode(), "r", checked=False)
    other = found.replace(seed=9, copies=3, originals=False, splits=["a", "b"])
    assert (other.seed, other.copies, other.originals, other.splits) == (9, 3, False, ("a", "b"))
    assert (other.steps, other.name, other.marks) == (found.steps, "r", found.marks)
    assert found.replace() == found
    assert dataclasses.replace(found, copies=0).replace(seed=4).copies == 0


def test_replace_of_what_is_set_deeper_down() -> None:
    text = BASE + "labels: {min_area: 4}\noverrides: [{when: {class: cat}, copies: 3}]\n"
    found = parse(text.encode(), "r", checked=False)
    assert found.replace(hard=True).labels == LabelOptions(min_area=4, hard=True)
    assert found.replace(hard=True).replace(hard=False) == found
    assert found.replace(seed=4).overrides == (Override(("cat",), copies=3),)
    assert found.replace(copies=5).overrides == (Override(("cat",)),), "a flag is meant for all"


def test_replace_keeps_what_is_no_part_of_it(tmp_path: Path) -> None:
    (tmp_path / "back").mkdir()
    (tmp_path / "back" / "a.png").write_bytes(b"")
    text = HEAD + f"  - background: {{folder: {tmp_path / 'back'}}}\n  - ElasticTransform\n"
    found = parse(text.encode(), "r.yaml", checked=False)
    assert found.places == {str(tmp_path / "back"): str(tmp_path / "back")}
    assert len(found.warnings) == 1
    other = found.replace(seed=4)
    assert (other.places, other.warnings, other.marks) == (found.places, found.warnings, found.marks)


PETS = """
version: 1
copies: 4
transforms: [Blur]
overrides:
  - when: {class: [cat, dog], split: train}
    copies: 7
  - when: {class: dog}
    transforms: [{OneOf: [Transpose, MedianBlur]}]
  - when: {split: [val, train]}
    copies: 0
    transforms: []
"""


@pytest.mark.parametrize(
    ("labels", "things", "split", "variant"),
    [
        (["cat"], [], "train", 1),
        ([], ["fox", "dog"], "train", 1),
        (["cat"], ["dog"], None, 2),
        (["dog"], [], "test", 2),
        (["cat"], [], "val", 3),
        ([], [], "train", 3),
        (["cat"], [], "test", 0),
        ([], [None], None, 0),
    ],
)
def test_the_first_override_that_fits(labels: list[str], things: list[str], split: str, variant: int) -> None:
    recipe = parse(PETS.encode(), "r", checked=False)
    known = Annotations(dict.fromkeys(labels, 1.0), objects=tuple(Object(name) for name in things))
    assert recipe.variant(Sample("a.jpg", known, split)) == variant
    assert dataclasses.replace(recipe, overrides=()).variant(Sample("a.jpg", known, split)) == 0


def test_variants() -> None:
    recipe = parse(PETS.encode(), "r", checked=False)
    blur, either = (Step("Blur"),), (Step("OneOf", {}, None, (Step("Transpose"), Step("MedianBlur"))),)
    assert [(one.copies, one.steps) for one in recipe.variants()] == [(4, blur), (7, blur), (4, either), (0, ())]
    assert [step.name for step in recipe.all_steps()] == ["Blur", "Blur", "Transpose", "MedianBlur"]
    plain = dataclasses.replace(recipe, overrides=())
    assert plain.variants() == (plain,)
    assert [step.name for step in plain.all_steps()] == ["Blur"]
    assert len({one.digest() for one in recipe.variants()}) == 3, "how many copies is no part of it"


@pytest.mark.parametrize(
    ("split", "multiplied"), [("a", True), ("b", True), ("train", False), ("", False), (None, True)]
)
def test_what_is_multiplied(split: str | None, multiplied: bool) -> None:
    assert Recipe(splits=("a", "b")).multiplies(split) is multiplied


FULL = Recipe(
    name="r",
    seed=3,
    copies=4,
    originals=False,
    splits=("a", "b"),
    split=SplitOptions(0.1, 0.2, "patient", True),
    balance={"cat": 3},
    steps=(Step("OneOf", {}, 0.3, (Step("Blur", {"blur_limit": 3}), Step("MedianBlur"))),),
    overrides=(Override(("cat",), ("a",), 9, (Step("Transpose", p=1.0),)), Override(splits=("b",), copies=0)),
    reject=RejectOptions(True, 0.5),
    labels=LabelOptions(0.1, 4.0, 2.0, "ellipse", "stored", ((1, 2), (3, 4)), 255, {"angle": "negate_on_flip"}, True),
    limits=Limits(1, 2, 3),
    image=ImageOptions("png", 80, "4:4:4", 5, True, "8", "drop"),
    tar=TarOptions(7, 1 << 20),
)


def test_canonical_says_everything() -> None:
    assert FULL.canonical() == {
        "version": 1,
        "seed": 3,
        "copies": 4,
        "originals": False,
        "splits": ["a", "b"],
        "split": {"val": 0.1, "test": 0.2, "by": "patient", "stratify": True},
        "balance": {"cat": 3},
        "transforms": [{"OneOf": {"transforms": [{"Blur": {"blur_limit": 3}}, {"MedianBlur": {}}], "p": 0.3}}],
        "overrides": [
            {"when": {"class": ["cat"], "split": ["a"]}, "copies": 9, "transforms": [{"Transpose": {"p": 1.0}}]},
            {"when": {"split": ["b"]}, "copies": 0},
        ],
        "reject": {"flat": True, "lost_objects": 0.5},
        "labels": {
            "min_visibility": 0.1,
            "min_area": 4.0,
            "min_size": 2.0,
            "boxes": "ellipse",
            "pixels": "stored",
            "keypoint_pairs": [[1, 2], [3, 4]],
            "ignore": 255,
            "values": {"angle": "negate_on_flip"},
            "hard": True,
        },
        "limits": {"pixels": 1, "bytes": 2, "side": 3},
        "fuse": True,
        "output": {
            "image": {
                "format": "png",
                "quality": 80,
                "subsampling": "4:4:4",
                "png_level": 5,
                "lossless": True,
                "bits": "8",
                "alpha": "drop",
            },
            "tar": {"images": 7, "bytes": 1 << 20},
        },
    }
    assert Recipe.from_canonical(FULL.canonical()) == FULL
    assert Recipe().canonical()["labels"]["keypoint_pairs"] is None
    assert (Recipe().canonical()["split"], Recipe().canonical()["balance"]) == (None, "none")
    assert Recipe(balance=7).canonical()["balance"] == 7


@pytest.mark.parametrize(
    ("change", "noticed"),
    [
        ({"labels": LabelOptions(hard=True)}, True),
        ({"reject": RejectOptions(flat=True)}, True),
        ({"limits": Limits(side=9)}, True),
        ({"fuse": False}, True),
        ({"split": SplitOptions(0.5)}, False),
        ({"balance": "max"}, False),
        ({"overrides": (Override(("cat",), copies=9),)}, False),
        ({"name": "other"}, False),
    ],
)
def test_digest_of_what_came_later(change: dict[str, Any], noticed: bool) -> None:
    assert (Recipe(**change).digest() != Recipe().digest()) == noticed


def test_digest_of_everything_stays_what_it_was() -> None:
    assert FULL.digest() == "be819861152dc540174b370082f3d8b069485984acc3074f447d6bad28695c62"


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ({"copies": 0}, "copies: 0 makes nothing new"),
        ({"copies": 100_001}, "copies is 100001"),
        ({"seed": -1}, "seed is -1"),
        ({"splits": []}, "splits names no split"),
    ],
)
def test_replace_refuses(flags: dict[str, object], message: str) -> None:
    with pytest.raises(Refused) as caught:
        parse(BASE.encode(), "r", checked=False).replace(**flags)  # type: ignore[arg-type]
    assert caught.value.message == message


def test_check_transforms_has_the_places() -> None:
    text = HEAD + "  - OneOf:\n      - Affine: {p: 1, rotat: 3}\n      - Affine: {scale: [1, x]}\n  - CenterCrop\n"
    found = parse(text.encode(), "r.yaml", checked=False)
    with pytest.raises(RecipeError) as caught:
        check_transforms(found)
    assert [(p.line, p.column) for p in caught.value.problems] == [(4, 24), (5, 29), (6, 5), (6, 5)]
    assert list(caught.value.problems) == problems(text, checked=True)
    with pytest.raises(RecipeError) as caught:
        check_transforms(Recipe.from_canonical(found.canonical(), "manifest"))
    assert str(caught.value.problems[0]) == "manifest: Affine.rotat: no such argument (did you mean 'rotate'?)"


def test_check_transforms_asks_about_overrides() -> None:
    check_transforms(parse(PETS.encode(), "r", checked=False))
    wrong = PETS.replace("MedianBlur", "{MedianBlur: {blur: 3}}").replace("[Blur]", "[{Blur: {blurr: 3}}]")
    found = parse(wrong.encode(), "r", checked=False)
    with pytest.raises(RecipeError) as caught:
        check_transforms(found)
    said = [(p.line, p.message) for p in caught.value.problems]
    assert said == [(4, "Blur.blurr: no such argument"), (9, "MedianBlur.blur: no such argument")]
    with pytest.raises(RecipeError) as caught:
        check_transforms(dataclasses.replace(found, marks=()))
    assert [(p.line, p.message) for p in caught.value.problems] == [(0, message) for _, message in said]


def test_reading_imports_nothing_heavy() -> None:
    code = (
        "import sys; from augx.recipe import *; from augx.recipe import read; read('classification', checked=False);"
        "print([m for m in ('albumentations', 'cv2', 'PIL', 'torch') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_slow_transforms_are_named_once_each() -> None:
    slow = [n for n in LEAVES if catalog.TRANSFORMS[n].seconds > catalog.SLOW]
    assert "ElasticTransform" in slow
    text = HEAD + "".join(f"  - {name}\n" for name in random.Random(0).sample(LEAVES * 2, len(LEAVES) * 2))
    warnings = parse(text.encode(), "r", checked=False).warnings
    assert sorted(w.message.split()[0] for w in warnings) == slow
    assert all(w.severity == "warning" and w.line for w in warnings)


BUNDLED = [
    *("aerial", "classification", "detection", "document", "gentle"),
    *("medical", "pose", "segmentation", "small", "strong"),
]


def test_bundled() -> None:
    assert list(descriptions()) == BUNDLED
    assert all(20 < len(text) < 120 and text.endswith(".") for text in descriptions().values())


@pytest.mark.parametrize("name", BUNDLED)
def test_bundled_recipes_have_no_problems(name: str) -> None:
    found = read(name)
    assert found.name == name
    assert found.warnings == ()
    assert len(found.steps) >= 4


def test_bundled_recipes_say_why() -> None:
    for text in texts().values():
        lines = text.decode().splitlines()
        for before, line in itertools.pairwise(lines):
            if line.startswith("  - "):
                assert before.strip().startswith("#"), line


def test_read_prefers_bundled_names_to_files_without_ending(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "gentle").write_text("version: 1\ntransforms: [Blur]\ncopies: 77\n")
    (tmp_path / "mine").write_text("version: 1\ntransforms: [Blur]\ncopies: 78\n")
    (tmp_path / "gentle.yaml").write_text("version: 1\ntransforms: [Blur]\ncopies: 79\n")
    assert read("gentle", checked=False).copies == 5
    assert read("./gentle", checked=False).copies == 77
    assert read(Path("gentle"), checked=False).copies == 77
    assert read("gentle.yaml", checked=False).copies == 79
    assert refusal("mine") == "mine: no bundled recipe has this name (for the file of that name write ./mine)"


def refusal(source: str | Path) -> str:
    with pytest.raises(RecipeError) as caught:
        read(source)
    (problem,) = caught.value.problems
    assert caught.value.exit_code == 2
    return str(problem)


def test_read_unknown_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names = f"bundled: {', '.join(descriptions())}; a file is written with its ending or ./"
    assert refusal("clasification") == (
        f"clasification: no bundled recipe has this name (did you mean 'classification'? {names})"
    )
    assert refusal("zzz") == f"zzz: no bundled recipe has this name ({names})"
    assert refusal("") == f"'': no bundled recipe has this name ({names})"


def test_read_what_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "link.yaml").symlink_to("nowhere.yaml")
    (tmp_path / "loop.yaml").symlink_to("loop.yaml")
    assert f"there is no such file (bundled recipes: {', '.join(descriptions())})" in refusal(tmp_path / "no.yaml")
    assert "there is no such file" in refusal(tmp_path / "link.yaml")
    assert "cannot be read: Too many levels of symbolic links" in refusal(tmp_path / "loop.yaml")
    assert "is a folder, not a recipe" in refusal(tmp_path)
    assert "is no regular file (to read from a pipe use '-r -')" in refusal(tmp_path / "pipe.yaml")
    assert "is no regular file" in refusal("/dev/zero")
    assert "embedded null" in refusal("a\0.yaml")
    assert "cannot be read: File name too long" in refusal("x" * 5000 + ".yaml")


def test_what_cannot_be_read_has_no_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, nothing, long = str(tmp_path), str(tmp_path / "no.yaml"), "/x" * 2046 + "/y.y"
    monkeypatch.setattr("sys.stdin", None)
    bundles = ", ".join(descriptions())
    for source, problem in {
        folder: Problem(folder, 0, 0, "is a folder, not a recipe", "give the YAML file"),
        nothing: Problem(nothing, 0, 0, "there is no such file", f"bundled recipes: {bundles}"),
        long: Problem(long, 0, 0, "cannot be read: File name too long"),
        "-": Problem(
            "<stdin>", 0, 0, "cannot be read: 'NoneType' object has no attribute 'buffer'", "pipe a recipe in"
        ),
        "zzz": Problem(
            "zzz",
            0,
            0,
            "no bundled recipe has this name",
            f"bundled: {bundles}; a file is written with its ending or ./",
        ),
    }.items():
        with pytest.raises(RecipeError) as caught:
            read(source)
        assert caught.value.problems == (problem,)
    with pytest.raises(RecipeError) as caught:
        Recipe.from_canonical({"version": object()}, "manifest")
    (told,) = caught.value.problems
    assert (told.file, told.line, told.column) == ("manifest", 0, 0)
    assert told.message.startswith("is no recipe: ")


def test_read_follows_links_and_names_the_file_as_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "real.yaml").write_text("version: 1\ntransforms: 3\n")
    (tmp_path / "link.yaml").symlink_to("real.yaml")
    assert refusal("link.yaml") == "link.yaml:2:13: transforms must be a list, not 3 (for none write [])"


def test_read_stdin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(BASE.encode())))
    found = read("-", checked=False)
    assert (found.name, found.steps[1]) == ("<stdin>", Step("Blur"))
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"version: 1\n")))
    assert refusal("-").startswith("<stdin>:1:1: the key 'transforms' is missing")
    monkeypatch.setattr("sys.stdin", None)
    assert refusal("-").startswith("<stdin>: cannot be read")


@pytest.mark.parametrize(("more", "fits"), [(0, True), (1, False), (9, False)])
def test_how_much_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more: int, fits: bool) -> None:
    data = BASE.encode() + b"#" * (MAX_BYTES - len(BASE) + more)
    (tmp_path / "r.yaml").write_bytes(data)
    waiting = io.BytesIO(data)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(waiting))
    for source in ("-", str(tmp_path / "r.yaml")):
        if fits:
            assert read(source, checked=False) == parse(BASE.encode(), "r", checked=False)
        else:
            assert refusal(source).endswith(": is larger than 1 MB (a recipe is a short text file)")
    assert waiting.tell() == min(MAX_BYTES + 1, len(data))


def test_arguments_are_asked_about_unless_told_otherwise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = HEAD + "  - Blur: {blurr: 3}\n"
    (tmp_path / "r.yaml").write_text(text)
    monkeypatch.setattr(bundled, "texts", lambda: {"mine": text.encode()})
    for source in ("-", str(tmp_path / "r.yaml"), "mine"):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
        assert "Blur.blurr: no such argument" in refusal(source)
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
        assert read(source, checked=False).steps == (Step("Blur", {"blurr": 3}),)
    assert [p.message for p in problems(text, checked=True)] == ["Blur.blurr: no such argument"]


def test_starter_fits_the_dataset() -> None:
    text = starter(True, ["test", "train", "val"], ["cat", "dog"])
    assert "has 2 classes: cat, dog.\n" in text
    assert "Found: test, train, val.\n" in text
    found = parse(text.encode(), "r.yaml")
    assert found.splits == ("train",)
    assert found.warnings == ()
    assert [s.name for s in found.steps] == ["HorizontalFlip", "Affine", "RandomBrightnessContrast", "OneOf"]


def test_starter_without_labels_or_splits() -> None:
    text = starter(False, [], [])
    assert "has no labels.\n" in text
    assert "none, so every image is multiplied" in text
    assert parse(text.encode(), "r", checked=False).splits == ("train",)
    assert parse(starter(True, ["val"], ["a"]).encode(), "r", checked=False).splits == ("train",)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text(min_size=1), max_size=3, unique=True), st.lists(st.text(), max_size=3))
def test_starter_holds_any_names(splits: list[str], classes: list[str]) -> None:
    found = parse(starter(True, ["train", *splits], classes).encode(), "r", checked=False)
    multiplied = {s for s in splits if s.lower() not in ("val", "valid", "validation", "dev", "test", "testing")}
    assert set(found.splits) == {"train"} | multiplied
    assert found.warnings == ()


def test_a_pair_of_surrogates_is_one_letter_as_in_json() -> None:
    text = json.dumps(["\U0001f98a", "caf\u00e9"]).encode() + b"\n"
    node, problems = load(text, "x")
    assert (node and node.plain(), problems) == (["\U0001f98a", "caf\u00e9"], [])
    node, _ = load(b'"a\\ud83e"', "x")
    assert node is not None and node.value == "a\ud83e"
