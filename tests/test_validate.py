"""`augx validate` beyond its messages: levels, exit codes, comments that tell off, what `--fix` changes, samples."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from conftest import encoded
from flawed import PLAIN, folders

from augx import cli, lint
from augx import recipe as recipes
from augx.ignores import ignores
from augx.lint.data import look
from augx.lint.fixes import fixed
from augx.model import Dataset, Picture
from augx.seeds import Rng
from augx.transforms.arguments import REQUIRED, arguments
from augx.transforms.catalog import TRANSFORMS
from augx.transforms.compiled import compiled
from augx.transforms.pipeline import Pipeline

HEAD = "version: 1\ncopies: 2\n"


def codes(text: str) -> list[tuple[str, int]]:
    """Code and line of what is found in a recipe alone."""
    data = text.encode()
    return [(one.code, one.line) for one in lint.findings(recipes.parse(data, "r.yaml", checked=False), data)]


@pytest.mark.parametrize("name", recipes.bundled.texts())
def test_bundled_recipes_are_above_reproach(name: str) -> None:
    data = recipes.bundled.texts()[name]
    assert lint.findings(recipes.parse(data, name), data) == []


@pytest.mark.parametrize(
    "steps",
    [
        "[{Affine: {rotate: [-5, 5]}}, {RandomGamma: {gamma_limit: [60, 160]}}, HorizontalFlip]",
        "[{OneOf: [NoOp, Blur]}, {SomeOf: {n: 1, transforms: [HorizontalFlip, RandomGamma]}}]",  # NoOp: a choice
        "[{D4: {p: 0.9}}, HorizontalFlip, RandomGamma]",  # not always
        "[{D4: {p: 1}}, {Affine: {rotate: [-9, 9]}}, HorizontalFlip]",  # which is turned otherwise by then
        "[{RandomCrop: {height: 64, width: 64, p: 1}}, GaussNoise]",
        "[{GaussNoise: {p: 0.5}}, {RandomCrop: {height: 64, width: 64, p: 0.5}}]",  # now and then only
        "[HorizontalFlip, {RandomRotate90: {p: 1}}, MedianBlur, Perspective]",  # turns interpolate nothing
        "[{Affine: {rotate: [-9, 9]}}, {OneOf: [Blur, MedianBlur]}, Perspective]",  # which cannot be put elsewhere
        "[mixup, RandomGamma]",
        "[{OneOf: [trivialaugment, randaugment]}]",
        "[{HueSaturationValue: {hue_shift_limit: [-8, 8], sat_shift_limit: [-25, 25], val_shift_limit: [0, 0]}}]",
        "[{RandomBrightnessContrast: {brightness_limit: 0.5}}, {Blur: {blur_limit: 31}}]",
        "[{Affine: {scale: [0.5, 2], translate_percent: [-0.3, 0.3]}}, {ElasticTransform: {alpha: 300, sigma: 10}}]",
    ],
)
def test_no_false_alarm(steps: str) -> None:
    assert [code for code, _ in codes(f"{HEAD}transforms: {steps}\n") if code != "slow-step"] == []


def test_defaults_destroy_nothing() -> None:
    usable = [name for name, one in TRANSFORMS.items() if not (one.refused or one.members or one.own)]
    steps = ", ".join(name for name in usable if REQUIRED not in [default for _, _, default in arguments(name)])
    found = {code for code, _ in codes(f"{HEAD}transforms: [{steps}]\n")}
    assert "range-destroys" not in found and "repeated-step" not in found


def test_an_override_has_places_of_its_own() -> None:
    text = f"{HEAD}transforms: [RandomGamma]\noverrides:\n  - when: {{class: cat}}\n    transforms:\n      - NoOp\n"
    assert codes(text) == [("void-step", 7)]


@pytest.mark.parametrize(
    ("comment", "line", "left"),
    [
        ("  - NoOp  # augx: ignore[void-step]", 4, []),
        ("  # augx: ignore[void-step]\n  - NoOp", 4, []),
        ("  # augx: ignore[slow-step, void-step] for now\n\n  - NoOp", 4, [("unused-ignore", 4)]),
        ("  - NoOp  # augx: ignore[no-effect]", 4, [("void-step", 4), ("unused-ignore", 4)]),
        ("  - NoOp\n  # augx: ignore[void-step]\n  - RandomGamma", 4, [("void-step", 4), ("unused-ignore", 5)]),
        ("  - NoOp  # augx: ignore[recipe-key]", 4, [("void-step", 4), ("unknown-ignore", 4)]),
        ("  - NoOp  # augx: ignore[void step]", 4, [("void-step", 4), ("unknown-ignore", 4), ("unknown-ignore", 4)]),
        ("  - NoOp  # augx: ignore", 4, [("void-step", 4), ("unknown-ignore", 4)]),
        ("  - NoOp  # augx: ignore[]", 4, [("void-step", 4), ("unknown-ignore", 4)]),
        ("  - NoOp  # augx: ignore[void-step", 4, [("void-step", 4), ("unknown-ignore", 4)]),
        ("  - NoOp  # augx: ignore(void-step)", 4, [("void-step", 4), ("unknown-ignore", 4)]),
        ("  - NoOp  # AUGX: Ignore[void-step]", 4, [("void-step", 4), ("unknown-ignore", 4)]),
        ("  # augx: ignored are empty files\n  - NoOp", 4, [("void-step", 5)]),
        ("  - NoOp  # augx ignore[void-step]", 4, [("void-step", 4)]),
    ],
)
def test_ignored(comment: str, line: int, left: list[tuple[str, int]]) -> None:
    assert codes(f"{HEAD}transforms:\n{comment}\n") == left


def test_a_comment_above_all_holds_for_all() -> None:
    assert codes(f"# augx: ignore[void-step]\n{HEAD}transforms:\n  - NoOp\n  - Affine\n") == []


def test_what_a_comment_tells_off_run_does_not_say_either() -> None:
    text = f"{HEAD}transforms:\n  - Blur: {{p: 0}}  # augx: ignore[never-runs]\n  - RandomGamma: {{p: 0}}\n"
    read = recipes.parse(text.encode(), "r.yaml")
    assert [one.line for one in read.warnings] == [5]
    assert [one.line for one in read.ignored] == [4]
    assert [(one.code, one.line, one.column, one.holds) for one in ignores(text.encode())] == [("never-runs", 4, 34, 4)]


FIXES = [  # before, after, what was done
    (
        "version: 1\ntransforms:\n  - Affine: {keep_ratio: yes, p: 1}\n  - GaussNoise: {per_channel: 'Off'}\n",
        "version: 1\ntransforms:\n  - Affine: {keep_ratio: true, p: 1}\n  - GaussNoise: {per_channel: false}\n",
        ["3:26: yes -> true", "4:31: Off -> false"],
    ),
    (
        "version: 1\ntransforms:\n  - HorizontalFlip: {P: 0.5}\n",
        "version: 1\ntransforms:\n  - HorizontalFlip: {p: 0.5}\n",
        ["3:22: P -> p"],
    ),
    ("copies: 2\ntransforms: [Blur]\n", "version: 1\ncopies: 2\ntransforms: [Blur]\n", ["1:1: added version: 1"]),
    (
        "# mine\nversion: 1\nCopies: 3   # three\ntransforms:\n  - horizontal_flip: {p: 0.5}  # why not\n",
        "# mine\nversion: 1\ncopies: 3   # three\ntransforms:\n  - HorizontalFlip: {p: 0.5}  # why not\n",
        ["3:1: Copies -> copies", "5:5: horizontal_flip -> HorizontalFlip"],
    ),
    (
        "version: 1\ntransforms:\n  - Affine: {mode: reflect, Rotate: [10, -10]}\n",
        "version: 1\ntransforms:\n  - Affine: {border_mode: reflect, rotate: [10, -10]}\n",
        ["3:14: mode -> border_mode", "3:36: Rotate -> rotate"],
    ),
    (
        "version: 1\ntransforms:\n  - GaussNoise: {std_range: [ 0.2,   0.1 ]}\n",
        "version: 1\ntransforms:\n  - GaussNoise: {std_range: [ 0.1,   0.2 ]}\n",
        ["3:29: [0.2, 0.1] -> [0.1, 0.2]"],
    ),
    (
        "version: 1\noriginals: Yes # all\ntransforms: [Blur]\n",
        "version: 1\noriginals: true # all\ntransforms: [Blur]\n",
        ["2:12: Yes -> true"],
    ),
    (
        "version: 1\ntransforms: [Blur]\noutput:\n  image:\n    quality: 80 # high\n    format: png\n",
        "version: 1\ntransforms: [Blur]\noutput:\n  image:\n    format: png\n",
        ["5:14: left out quality: 80"],
    ),
    (
        "version: 1\ntransforms: [Blur]\noutput: {image: {format: png, quality: 80, bits: 8}}\n",
        "version: 1\ntransforms: [Blur]\noutput: {image: {format: png, bits: 8}}\n",
        ["3:40: left out quality: 80"],
    ),
]


@pytest.mark.parametrize(("before", "after", "done"), FIXES)
def test_fix(before: str, after: str, done: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "r.yaml"
    path.write_text(before)
    path.chmod(0o640)
    assert cli.call(["validate", str(path), "--fix", "-q"]) == 0
    assert path.read_text() == after
    assert capsys.readouterr().err.splitlines() == [f"fixed {path}:{line}" for line in done]
    assert path.stat().st_mode & 0o777 == 0o640
    kept = path.stat().st_mtime_ns
    assert cli.call(["validate", str(path), "--fix", "-q"]) == 0
    assert (path.read_text(), path.stat().st_mtime_ns) == (after, kept)


@pytest.mark.parametrize(
    "text",
    [
        "version: 1\ncopys: 3\ntransforms: [Blur]\n",  # a guess: perhaps another key
        "version: 1\ntransforms: [RandomFlip, Blurr]\n",
        "version: 1\ntransforms: [{Affine: {rotat: 3}}]\n",
        "version: 1\ntransforms: [{Affine: {border_mode: yes}}]\n",
        "version: 1\ntransforms:\n  - Blur: {p: 0}\n",  # the steps behind it would draw other numbers
        "version: 1\ntransforms:\n  - Affine: {scale: 99}\n",
        "version: 1\ntransforms: [Blur]\nCopies: 3\ncopies: 4\n",  # would stand there twice
        "{transforms: [Blur]}\n",
        "version: 1\ntransforms: [Blur\n",
    ],
)
def test_what_has_no_one_answer_stays(text: str) -> None:
    def find(data: bytes) -> tuple[recipes.Problem, ...]:
        try:
            return recipes.parse(data, "r").warnings
        except recipes.RecipeError as error:
            return error.problems

    assert fixed(text.encode(), "r", find) == (text.encode(), [])


def test_fix_leaves_read_only_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = "version: 1\noriginals: yes\ntransforms: [HorizontalFlip]\n"
    paths = [tmp_path / "a.yaml", tmp_path / "b.yaml"]
    for path in paths:
        path.write_text(before)
    paths[1].chmod(0o444)
    assert cli.call(["validate", "--fix", *map(str, paths)]) == 2
    assert f"{paths[1]} is read-only" in capsys.readouterr().err
    assert [path.read_text() for path in paths] == [before, before]
    paths[1].chmod(0o644)
    assert cli.call(["validate", "--fix", "-q", *map(str, paths)]) == 0
    paths[1].chmod(0o444)  # and nothing left to mend
    assert cli.call(["validate", "--fix", "-q", *map(str, paths)]) == 0


def test_fix_says_which_names_keep_the_text_as_it_was(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, other = tmp_path / "a.yaml", tmp_path / "b.yaml"
    path.write_text("version: 1\noriginals: yes\ntransforms: [HorizontalFlip]\n")
    other.hardlink_to(path)
    assert cli.call(["validate", "--fix", "-q", str(path)]) == 0
    assert "1 other name (hard links)" in capsys.readouterr().err
    assert ("true" in path.read_text(), "yes" in other.read_text()) == (True, True)


COMMANDS = (
    "nl\n::error::pwned.yaml",
    "::error::x.yaml",
    " ::error::x.yaml",
    "\u2028::error::x.yaml",
    "##[error]x.yaml",
)


@pytest.mark.parametrize("name", COMMANDS)
def test_names_are_no_commands_to_a_ci_system(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    image = tmp_path / "in" / name / "a.png"
    image.parent.mkdir(parents=True)
    image.write_bytes(encoded(1, ".png"))
    Path(name).write_text("copies: 2\noriginals: yes\ntransforms: [Blurr]\n")
    recipe = name if name.endswith(".yaml") else "gentle"
    for line in (
        ["validate", "--fix", recipe],
        ["validate", recipe, "--input", "nowhere"],
        ["run", "in", "out", "-r", recipe],
        ["run", "in", "out", "-r", "gentle", "-n1", "-j0"],
        ["plan", "in"],
    ):
        cli.call(line)
    next((tmp_path / "out" / name).glob("a*")).write_bytes(b"junk")
    cli.call(["verify", "out"])
    said = "".join(capsys.readouterr())
    assert "error" in said
    for one in said.splitlines():
        assert not one.strip().startswith("::") and "##[" not in one


def test_fix_wants_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.call(["validate", "gentle", "--fix"]) == 2
    assert "'gentle' is none" in capsys.readouterr().err


def test_exit_codes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root, path = tmp_path / "in", tmp_path / "r.yaml"
    folders(root, {"cat": 6, "dog": 6})
    path.write_text(PLAIN)
    asked = ["validate", str(path), "--input", str(root)]
    assert cli.call(asked) == cli.call([*asked, "--strict"]) == 0
    path.write_text(PLAIN.replace("RandomGamma", "RandomGamma, NoOp"))
    assert (cli.call(asked), cli.call([*asked, "--strict"])) == (0, 2)
    path.write_text(PLAIN.replace("copies: 2", "copies: 2\nfuse: false"))
    assert cli.call([*asked, "--strict"]) == 0  # a note is no warning
    (root / "cat" / "bad.jpg").write_bytes(b"no image")
    assert (cli.call(asked), cli.call([*asked, "--strict"])) == (1, 2)
    path.write_text("# augx: ignore[not-an-image]\n" + PLAIN)
    assert cli.call(asked) == 0
    path.write_text(PLAIN.replace("version: 1", "version: 2"))
    assert cli.call(asked) == 2
    capsys.readouterr()


def test_a_hundred_findings_and_more_are_still_no_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "r.yaml"
    path.write_text(
        f"{HEAD}transforms:\n" + "".join(f"  - Rotate: {{limit: 0, p: 0.{n}}}\n" for n in range(101, 221) if n % 10)
    )
    assert cli.call(["validate", str(path)]) == 0
    assert capsys.readouterr().out.endswith("; 108 warnings\n")


def test_explain(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.call(["validate", "--explain", "range-destroys"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("range-destroys: at one end of a range nothing is left of the picture\nwarning: ")
    assert "24 photos" in said and "# augx: ignore[range-destroys]" in said
    assert cli.call(["validate", "--explain", "truncated"]) == 0
    assert capsys.readouterr().out.startswith("truncated: the file ends too early")
    assert cli.call(["validate", "--explain", "range-destroy"]) == 2
    assert "did you mean range-destroys?" in capsys.readouterr().err


def test_github_and_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "r.yaml"
    path.write_text("version: 1\ncopies: 2\nfuse: false\ntransforms:\n  - Blur: {p: 0}\n")
    assert cli.call(["validate", str(path), "--output-format", "github"]) == 0
    assert [line.split("::")[1] for line in capsys.readouterr().out.splitlines()] == [
        f"notice file={path},line=3,col=1,title=not-fused",
        f"warning file={path},line=5,col=5,title=never-runs",
    ]
    assert cli.call(["validate", str(path), "--output-format", "json"]) == 0
    assert [(one["code"], one["severity"], one["line"]) for one in json.loads(capsys.readouterr().out)] == [
        ("not-fused", "note", 3),
        ("never-runs", "warning", 5),
    ]


def test_many_of_a_kind_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root, path = tmp_path / "in", tmp_path / "r.yaml"
    folders(root, {"cat": 6, "dog": 6})
    for number in range(9):
        (root / "cat" / f"bad{number}.jpg").write_bytes(b"no image")
    path.write_text(PLAIN)
    assert cli.call(["validate", str(path), "--input", str(root)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 6
    assert lines[5] == f"{root}: 4 more like this (--output-format json has all) [error: not-an-image]"
    assert cli.call(["validate", str(path), "--input", str(root), "--output-format", "json"]) == 1
    assert len(json.loads(capsys.readouterr().out)) == 9


def test_only_a_sample_is_looked_into(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root, path = tmp_path / "in", tmp_path / "r.yaml"
    folders(root, {"cat": 10, "dog": 10})
    (root / "cat" / "03.png").write_bytes(b"no image")  # which four of twenty leave out
    (root / "dog" / "00.png").write_bytes((root / "cat" / "07.png").read_bytes())  # found among all
    path.write_text(PLAIN)
    assert cli.call(["validate", str(path), "--input", str(root), "--sample", "4"]) == 0
    out = capsys.readouterr().out
    assert f"{root}: 4 of 20 images were looked into, evenly by name (`--sample 0` looks into all)" in out
    assert "labels-differ" in out and "not-an-image" not in out
    assert cli.call(["validate", str(path), "--input", str(root), "--sample", "0"]) == 1
    assert "looked-at-some" not in capsys.readouterr().out


def test_several_recipes_look_at_a_dataset_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folders(tmp_path / "in", {"cat": 6, "dog": 6})
    (tmp_path / "in" / "cat" / "bad.jpg").write_bytes(b"no image")
    calls = []
    monkeypatch.setattr("augx.lint.data.look", lambda *given: calls.append(given) or look(*given))
    asked = ["validate", "gentle", "medical", "strong", "--input", str(tmp_path / "in")]
    assert cli.call(asked) == 1
    assert len(calls) == 1
    assert capsys.readouterr().out.count("bad.jpg") == 1


def test_looking_sees_sizes_upright(tmp_path: Path) -> None:
    from test_lint import turned_image

    from augx.formats import ReadOptions, load

    (tmp_path / "cat").mkdir()
    (tmp_path / "cat" / "a.jpg").write_bytes(turned_image(6))
    (tmp_path / "cat" / "b.png").write_bytes(encoded(1, ".png"))
    dataset: Dataset = load("folder").read(str(tmp_path), ReadOptions())
    looked = look(recipes.parse(PLAIN.encode(), "r"), dataset, 0)
    assert looked.sizes == {"cat/a.jpg": (20, 40), "cat/b.png": (24, 18)}
    assert (looked.failed, looked.flaws, looked.alike) == ([], [], [])


@pytest.mark.parametrize(
    "step",
    [
        *("NoOp", "Affine", "{Affine: {rotate: 0, shear: [0, 0], fill: 9}}", "{Rotate: {limit: [0, 0]}}"),
        "{ShiftScaleRotate: {shift_limit: 0, scale_limit: 0, rotate_limit: 0}}",
        "{RandomBrightnessContrast: {brightness_limit: 0, contrast_limit: [0, 0]}}",
        "{RandomGamma: {gamma_limit: [100, 100]}}",
        "{ColorJitter: {brightness: [1, 1], contrast: [1, 1], saturation: [1, 1], hue: [0, 0]}}",
        "{HueSaturationValue: {hue_shift_limit: 0, sat_shift_limit: 0, val_shift_limit: 0}}",
    ],
)
def test_what_is_said_to_change_nothing_changes_nothing(step: str) -> None:
    text = f"{HEAD}transforms: [{step}]\n"
    assert [code for code, _ in codes(text)] == ["void-step"]
    steps = [replace(one, p=1.0) for one in recipes.parse(text.encode(), "r").steps]
    pixels = np.random.default_rng(1).integers(0, 256, (40, 52, 3), np.uint8)
    for number in range(5):
        after, _, _ = Pipeline(steps)(Picture(pixels), lambda place, number=number: Rng().at(0, "a", number, place))
        assert np.abs(after.pixels.astype(int) - pixels).max() <= 1  # gamma 1 is rounded down


@pytest.mark.parametrize(
    "steps", ["[{D4: {p: 1}}, HorizontalFlip]", "[{RandomRotate90: {p: 1}}, {RandomRotate90: {}}]"]
)
def test_turns_behind_turns_make_nothing_new(steps: str) -> None:
    """As often one as the other, with the second step as without it."""
    read = recipes.parse(f"{HEAD}transforms: {steps}\n".encode(), "r").steps
    pixels = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    counts = []
    for used in (read, read[:1]):
        pipeline, found = Pipeline(used), Counter[bytes]()
        for number in range(2000):
            after, _, _ = pipeline(Picture(pixels), lambda place, number=number: Rng().at(0, "a", number, place))
            found[after.pixels.tobytes()] += 1
        counts.append(found)
    assert counts[0].keys() == counts[1].keys()
    for key, count in counts[0].items():
        assert count == pytest.approx(counts[1][key], abs=100)


def test_images_said_to_be_too_small_fail(tmp_path: Path) -> None:
    from flawed import crop_larger_than_most
    from running import run

    text, _ = crop_larger_than_most(tmp_path / "in")
    outcome = run(tmp_path / "in", tmp_path / "out", recipes.parse(text.encode(), "r.yaml"))
    assert outcome.failed == 12 * 2  # two copies of each
    assert outcome.summary["failures"] == {"transform-failed": 24}


@pytest.mark.parametrize(
    ("step", "bad"),
    [
        ("RandomBrightnessContrast: {brightness_limit: [0.95, 0.95], contrast_limit: 0}", True),
        ("RandomBrightnessContrast: {brightness_limit: [0.6, 0.6], contrast_limit: 0}", False),
        ("RandomBrightnessContrast: {brightness_limit: [-0.95, -0.95], contrast_limit: 0}", True),
        ("SaltAndPepper: {amount: [0.97, 0.97]}", True),
        ("SaltAndPepper: {amount: [0.4, 0.4]}", False),
        ("GaussNoise: {std_range: [0.5, 0.5]}", False),
        ("Blur: {blur_limit: [99, 99]}", True),
        ("Blur: {blur_limit: [15, 15]}", False),
    ],
)
def test_bounds_are_where_a_picture_ends(step: str, bad: bool) -> None:
    """On a drawn picture, by the measure of tests/bench/survival.py: what there is between 4 and 16 pixels."""
    text = f"{HEAD}transforms: [{{{step}}}]\n"
    assert ("range-destroys" in [code for code, _ in codes(text)]) is bad
    rng = np.random.default_rng(2)
    coarse = rng.integers(0, 256, (24, 32), np.uint8)
    pixels = np.repeat(cv2.resize(coarse, (512, 384), interpolation=cv2.INTER_CUBIC)[..., None], 3, axis=2)
    steps = [replace(one, p=1.0) for one in recipes.parse(text.encode(), "r").steps]
    after, _, _ = Pipeline(steps)(Picture(np.ascontiguousarray(pixels)), lambda place: Rng().at(0, "a", 1, place))
    before, left = _band(pixels), _band(after.pixels)
    share = 0.0 if left.std() < 1.5 else abs(np.corrcoef(before.ravel(), left.ravel())[0, 1])
    assert bool(share < 0.25) is bad


def _band(pixels: np.ndarray) -> np.ndarray:
    grey = pixels[..., 1].astype(np.float32)
    return cv2.GaussianBlur(grey, (0, 0), 4) - cv2.GaussianBlur(grey, (0, 0), 16)


AFFINE, PERSPECTIVE = "{Affine: {rotate: [-9, 9], p: 1}}", "{Perspective: {p: 1}}"


def warps(*steps: str) -> str:
    return compiled(recipes.parse(f"{HEAD}transforms: [{', '.join(steps)}]\n".encode(), "r").steps)


@pytest.mark.parametrize(
    "between", ["MedianBlur", "GaussNoise", "CLAHE", "RandomGamma", "GaussianBlur", "HorizontalFlip"]
)
def test_what_parts_two_warps_is_what_the_compiler_says(between: str) -> None:
    parted = "2 warps" in warps(AFFINE, between, PERSPECTIVE)
    found = [code for code, _ in codes(f"{HEAD}transforms: [{AFFINE}, {between}, {PERSPECTIVE}]\n")]
    assert ("interpolated-twice" in found) is parted is (between in ("MedianBlur", "GaussNoise", "CLAHE"))
    assert "1 warp" in warps(AFFINE, PERSPECTIVE, between)  # as the message says


def test_a_mirrored_border_parts_two_warps_as_the_compiler_says() -> None:
    mirrored = "{Rotate: {limit: [20, 20], border_mode: reflect_101, p: 1}}"
    assert "interpolated-twice" in [code for code, _ in codes(f"{HEAD}transforms: [{AFFINE}, {mirrored}]\n")]
    assert "2 warps" in warps(AFFINE, mirrored)
    assert "1 warp" in warps(AFFINE, mirrored.replace("reflect_101", "constant"))
    assert "1 warp" in warps(mirrored, AFFINE)  # put first
