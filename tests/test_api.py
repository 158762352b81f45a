"""augx from Python: its public names, `augx.run` beside the command line, and what a training script reads."""

from __future__ import annotations

import ast
import os
import pickle
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import encoded, tree
from label_sets import coco_set, masks, plant
from PIL import Image

import augx
from augx import cli
from augx.errors import GateError, ImageError, InputError, OutputError, Problem, Stopped
from augx.store import Unfit

PACKAGE = Path(augx.__file__).parent
NAMES = {
    *("AugxError", "Dataset", "Example", "Images", "Manifest", "Outcome", "Recipe", "RecipeError", "Refused"),
    *("Sheet", "__version__", "merge", "read", "run", "sheet"),
}


def test_the_public_names() -> None:
    """Add to them; whoever takes one away breaks somebody's script."""
    assert set(augx.__all__) == NAMES
    assert set(dir(augx)) >= NAMES
    assert all(getattr(augx, name) is not None for name in NAMES)
    stub = ast.parse((PACKAGE / "__init__.pyi").read_text("utf-8"))
    said = {alias.asname for node in stub.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert said | {"__version__"} == NAMES
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        augx.nothing  # type: ignore[attr-defined]  # noqa: B018


def test_shards_and_executors(photos: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    made = augx.run(photos, output, "gentle", copies=1, workers=0, shard="2/2").made
    outcome = augx.merge(output)
    ((share, (missing, of)),) = outcome.missing.items()
    assert (str(share), missing) == ("1/2", of)
    augx.run(photos, output, "gentle", copies=1, workers=0, shard="1/2")
    assert augx.merge(output, photos).summary["counts"]["images"] == made + of
    assert augx.merge(output).kept == made + of
    with pytest.raises(augx.Refused, match="'3' is no shard"):
        augx.run(photos, output, shard="3")
    with pytest.raises(augx.Refused, match="executor cannot be 'slurm'"):
        augx.run(photos, output, executor="slurm")
    with pytest.raises(augx.Refused, match="executor_options cannot be"):
        augx.run(photos, output, executor="ray", executor_options={"num_cpus": 2})  # type: ignore[dict-item]
    with pytest.raises(augx.Refused, match="holds no shards"):
        augx.merge(photos)


def test_it_is_typed(tmp_path: Path) -> None:
    assert (PACKAGE / "py.typed").is_file()
    pytest.importorskip("mypy")
    script = """import augx
outcome: int = augx.run("in", "out", recipe="gentle", copies=2).made
row_name: str = augx.Manifest("out")[0]["file_name"]
images = augx.Images("out", transform=lambda one: (one.image, one.label))
label: int = images[0][1]
first: augx.Example = augx.Images("out")[0]
shown: augx.Sheet = augx.sheet("in", "gentle", show="step", only="cat*")
shown.save("sheet.png")
augx.run("in", "out", recipe=3)
"""
    line = [sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent", "-c", script]
    environment = os.environ | {"MYPYPATH": str(PACKAGE.parent), "MYPY_CACHE_DIR": str(tmp_path / "cache")}
    done = subprocess.run(line, capture_output=True, text=True, cwd=tmp_path, env=environment)
    assert done.stdout, done.stderr
    assert done.stdout.splitlines()[0].startswith('<string>:9: error: Argument "recipe" to "run"')
    assert done.stdout.splitlines()[1].startswith("Found 1 error")


def test_run_is_what_the_command_line_does(photos: Path, tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    assert cli.call(["run", str(photos), str(one), "-r", "gentle", "-n", "2", "--seed", "5", "-j0", "-q"]) == 0
    outcome = augx.run(photos, other, "gentle", copies=2, seed=5, workers=0)
    assert (outcome.made, outcome.kept, outcome.failed) == (18, 0, 0)
    assert tree(one) == tree(other)
    again = augx.run(str(photos), str(other), augx.Recipe.load("gentle").replace(copies=2, seed=5), workers=0)
    assert (again.made, again.kept) == (0, 18)


def test_run_takes_files_and_formats(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("version: 1\ncopies: 1\ntransforms: [RandomGamma]\n")
    outcome = augx.run(photos, tmp_path / "out", tmp_path / "mine.yaml", to=("folder", "table"), workers=0)
    assert outcome.summary["formats"]["written"] == ["folder", "table"]
    assert outcome.summary["counts"]["copies"] == 6


def test_run_says_how_far_it_is(photos: Path, tmp_path: Path) -> None:
    from running import Silent

    progress = Silent()
    augx.run(photos, tmp_path / "out", "gentle", copies=1, workers=0, progress=progress)
    assert (progress.images, progress.made) == (12, 12)


def test_what_is_refused(photos: Path, tmp_path: Path) -> None:
    with pytest.raises(augx.RecipeError, match="no bundled recipe has this name"):
        augx.run(photos, tmp_path / "out", "gentel")
    with pytest.raises(augx.RecipeError, match="there is no such file"):
        augx.run(photos, tmp_path / "out", Path("gentle"))  # a path is a file
    with pytest.raises(augx.Refused):
        augx.run(tmp_path / "nowhere", tmp_path / "out", "gentle")
    with pytest.raises(augx.AugxError, match="holds no finished run of augx"):
        augx.Manifest(photos)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "given",
    [
        *({"workers": value} for value in (-1, 1025, True, 1.5, "2")),
        *({"max_errors": value} for value in ("5%%", "-1", -1, "", "many", "%", 1.5, True, "\u0661")),
        *({"recipe": value} for value in (5, {"version": 1}, b"gentle", "-")),
        *({"input": value} for value in (None, 5, b"photos", "a\0b")),
        *({"output": value} for value in (None, 5, b"out", "a\0b")),
        *({"copies": value} for value in (0, -1, "3", True, 1.5)),
        *({"seed": value} for value in (-1, "3", True)),
        *({"to": value} for value in (5, [None], "nothing")),
        *({"columns": value} for value in (5, {"breed": "x"}, {"label": 5})),
        {"originals": "no"},
        {"hard_labels": 1},
        {"strict": None},
        {"allow_loss": "yes"},
        {"from_format": 5},
        {"labels": 5},
        {"table": b"x"},
    ],
)
def test_what_cannot_be_is_refused_by_name(given: dict[str, Any], photos: Path, tmp_path: Path) -> None:
    (name,) = given
    asked: dict[str, Any] = {"input": photos, "output": tmp_path / "out", "recipe": "gentle", "workers": 0} | given
    with pytest.raises(augx.Refused) as caught:
        augx.run(**asked)
    wanted = {"recipe": "recipe|standard input", "to": "to cannot be|no format"}.get(name, name)
    assert re.search(wanted, f"{caught.value.message} ({caught.value.hint})")
    assert not (tmp_path / "out").exists()


def test_python_reads_no_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(augx.RecipeError, match="standard input is read by the command line only"):
        augx.Recipe.load("-")
    with pytest.raises(augx.RecipeError, match="5: a recipe is a path"):
        augx.Recipe.load(5)  # type: ignore[arg-type]
    with pytest.raises(augx.Refused, match="path cannot be None"):
        augx.read(None)  # type: ignore[arg-type]


def test_errors_survive_pickling() -> None:
    problem = Problem("r.yaml", 2, 3, "is wrong", "mend it", "warning", "recipe-key")
    known: list[Any] = [augx.RecipeError([problem, problem]), ImageError("truncated", "it ends", "read")]
    known += [kind("what", "hint") for kind in (augx.AugxError, augx.Refused, InputError, OutputError, Stopped)]
    known += [GateError("what", "hint"), Unfit("too-many-bytes", "is large", "a.png")]
    for error in known:
        copied = pickle.loads(pickle.dumps(error))
        assert (type(copied), str(copied), vars(copied)) == (type(error), str(error), vars(error))
        assert repr(copied) == repr(error)


def test_a_script_needs_no_guard(photos: Path, tmp_path: Path) -> None:
    """Workers begin with an import of the calling script, if they are let."""
    script = tmp_path / "script.py"
    script.write_text(
        f"import augx\nprint('begun')\nprint(augx.run({str(photos)!r}, {str(tmp_path / 'out')!r}, 'gentle',"
        " copies=1, workers=2).made)\nimport __main__\nprint(__main__.augx is augx)\n"
    )
    environment = os.environ | {"PYTHONPATH": str(PACKAGE.parent)}
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, env=environment)
    assert done.stdout.split() == ["begun", "12", "True"], done.stderr


def test_a_sheet_is_what_preview_writes(photos: Path, tmp_path: Path) -> None:
    sheet = augx.sheet(photos, "gentle", sample=2, copies=3, cell=60, workers=0)
    assert repr(sheet) == f"Sheet('{photos.name}, recipe gentle'): 2 sources of 6, 8 pictures"
    line = ["preview", str(photos), "-r", "gentle", "--sample", "2", "-n3", "--cell", "60", "-j0", "-q"]
    assert cli.call([*line, "-o", str(tmp_path / "cli.png")]) == 0
    sheet.save(tmp_path / "own.png")
    assert (tmp_path / "own.png").read_bytes() == (tmp_path / "cli.png").read_bytes() == sheet._repr_png_()
    sheet.save(tmp_path / "own.html")
    assert (tmp_path / "own.html").read_bytes().count(b"<figure") == 8
    with pytest.raises(augx.Refused, match="lies in INPUT"):
        sheet.save(photos / "sheet.png")
    with pytest.raises(augx.Refused, match="a sheet ends in"):
        sheet.save(tmp_path / "sheet.gif")
    (tmp_path / "mine.yaml").write_text("version: 1\ntransforms: [RandomGamma]\n")
    (tmp_path / "mine.png").symlink_to(tmp_path / "mine.yaml")
    steps = augx.sheet(photos, tmp_path / "mine.yaml", show="step", only="cat/*", sample=1, workers=0)
    assert [tile.caption for tile in steps.rows[0].tiles] == ["source", "1. RandomGamma"]
    with pytest.raises(augx.Refused, match=r"mine\.png"):
        steps.save(tmp_path / "mine.png")


@pytest.mark.parametrize(
    "given",
    [
        {"show": "steps"},
        {"only": 5},
        {"sample": 0},
        {"sample": True},
        {"per_class": 1},
        {"draw": None},
        {"cell": 39},
        {"cell": 200.0},
        {"copies": "3"},
        {"workers": -1},
        {"recipe": 5},
        {"input": None},
        {"columns": 5},
    ],
)
def test_a_sheet_of_what_cannot_be_is_refused_by_name(given: dict[str, Any], photos: Path) -> None:
    asked: dict[str, Any] = {"input": photos, "recipe": "gentle", "workers": 0} | given
    with pytest.raises(augx.Refused, match=next(iter(given))):
        augx.sheet(**asked)


def test_read(photos: Path) -> None:
    dataset = augx.read(photos)
    assert (dataset.format, dataset.classes, len(dataset.samples)) == ("folder", ("cat", "dog"), 6)
    assert augx.read(str(photos), from_format="folder") == dataset


def test_manifest(photos: Path, tmp_path: Path) -> None:
    (photos / "cat" / "bad.jpg").write_bytes(b"no image")
    augx.run(photos, tmp_path / "out", "gentle", copies=1, workers=0)
    manifest = augx.Manifest(tmp_path / "out")
    rows = list(manifest)
    assert len(manifest) == len(rows) == 12
    assert [manifest[number] for number in range(12)] == rows
    assert manifest[-1] == rows[-1] and manifest[3:5] == rows[3:5]
    with pytest.raises(IndexError):
        manifest[12]
    assert all(Path(manifest.path(row)).stat().st_size == row["bytes"] for row in rows)
    assert {row["error"] for row in manifest.failures} == {"not-an-image"}
    assert manifest.summary["counts"]["copies"] == 6
    assert repr(manifest) == f"Manifest({str(tmp_path / 'out')!r}): 12 images"


def test_images_of_classes(photos: Path, tmp_path: Path) -> None:
    augx.run(photos, tmp_path / "out", "gentle", copies=1, workers=0)
    images = augx.Images(tmp_path / "out")
    assert (len(images), images.classes) == (12, ("cat", "dog"))
    for example in images:
        with Image.open(tmp_path / "out" / example.row["file_name"]) as written:
            assert np.array_equal(example.image, np.asarray(written))
        assert images.classes[example.label] == example.row["file_name"].split("/")[0]
        assert example.weights.tolist() == [float(example.label == 0), float(example.label == 1)]
        assert (example.boxes.shape, example.box_labels.shape, example.mask) == ((0, 4), (0,), None)
    pairs = augx.Images(tmp_path / "out", transform=_pair)
    copied = pickle.loads(pickle.dumps(pairs))
    assert copied[7] == pairs[7] == ((18, 24, 3), images[7].label)
    assert pairs[1:3] == [pairs[1], pairs[2]]


def _pair(example: augx.Example) -> tuple[tuple[int, ...], int]:
    return example.image.shape, example.label


def test_images_of_splits(tmp_path: Path) -> None:
    for number, split in enumerate(("train", "train", "test")):
        path = tmp_path / "in" / split / "cat" / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encoded(number, ".png"))
    augx.run(tmp_path / "in", tmp_path / "out", "gentle", copies=2, workers=0)
    assert len(augx.Images(tmp_path / "out")) == 7
    assert len(augx.Images(tmp_path / "out", split="train")) == 6
    assert [example.row["split"] for example in augx.Images(tmp_path / "out", "test")] == ["test"]
    with pytest.raises(augx.AugxError, match="has no split 'val'"):
        augx.Images(tmp_path / "out", "val")


def test_images_with_weights(tmp_path: Path) -> None:
    for number, label in enumerate(("cat", "dog", "cat", "dog")):
        path = tmp_path / "in" / label / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encoded(number, ".png"))
    recipe = tmp_path / "r.yaml"
    recipe.write_text("version: 1\ncopies: 3\ntransforms: [{mixup: {p: 1, partners: other}}]\n")
    augx.run(tmp_path / "in", tmp_path / "out", recipe, to="table", workers=0)
    mixed = [example for example in augx.Images(tmp_path / "out") if example.row["copy"]]
    assert all(example.label == -1 for example in mixed)
    assert all(example.weights.sum() == pytest.approx(1) and 0 < example.weights[0] < 1 for example in mixed)


def test_images_with_boxes_and_masks(tmp_path: Path) -> None:
    root = plant(tmp_path / "in", coco_set(1, bbox=[4, 5, 6, 7]))
    augx.run(root, tmp_path / "out", "gentle", copies=1, workers=0)
    images = augx.Images(tmp_path / "out")
    original = next(example for example in images if not example.row["copy"])
    assert original.boxes.tolist() == [[4, 5, 10, 12]]
    assert original.boxes.dtype == np.float32
    assert [images.classes[number] for number in original.box_labels] == [original.row["objects"][0]["label"]]
    root = plant(tmp_path / "masked", masks())
    augx.run(root, tmp_path / "masked-out", "gentle", copies=1, workers=0)
    for example in augx.Images(tmp_path / "masked-out"):
        assert example.mask is not None and example.mask.shape == example.image.shape[:2]
