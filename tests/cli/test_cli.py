"""The command line: exit codes, what goes where, and no traceback whatever a person types."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import encoded, rows, tree

from augx import __version__, engine
from augx.cli import VERBS, call, output
from augx.codes import CODES, ENDS
from augx.objects import KINDS

RECIPE = "version: 1\ncopies: 2\nseed: 4\ntransforms: [HorizontalFlip, {Affine: {rotate: [-20, 20]}}]\n"
KINDS_LISTED = ("transforms", "formats", "policies", "recipes", "executors")
Ran = tuple[int, str, str]
Augx = Callable[..., Ran]


@pytest.fixture
def augx(capsys: pytest.CaptureFixture[str]) -> Augx:
    """Runs a command line in this process: exit code, stdout, stderr."""

    def ran(*arguments: object) -> Ran:
        capsys.readouterr()
        code = call([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return code, out, err

    return ran


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """photos (two classes of two), recipe.yaml and out, which holds what the one makes of the other."""
    root = tmp_path_factory.mktemp("cli")
    for number, name in enumerate(["cat/0", "cat/2", "dog/1", "dog/3"]):
        path = root / "photos" / f"{name}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encoded(number))
    (root / "recipe.yaml").write_text(RECIPE)
    assert call(["run", str(root / "photos"), str(root / "out"), "-r", str(root / "recipe.yaml"), "-q", "-j0"]) == 0
    return root


@pytest.fixture
def here(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of `finished` as the working folder."""
    shutil.copytree(finished, tmp_path / "here")
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "here"


RUN = ("run", "photos", "out", "-r", "recipe.yaml", "-j0")


# run


def test_run(here: Path, augx: Augx) -> None:
    code, out, err = augx("run", "photos", "new", "-r", "recipe.yaml", "-j0")
    assert (code, err) == (0, "")
    assert "12 images from 4 sources in new (12 made, 0 kept from before, 0 removed)" in out
    assert re.search(r"^cat +2 +6$", out, re.MULTILINE)
    assert "augx verify new" in out
    assert tree(here / "new") == tree(here / "out")


def test_run_again(here: Path, augx: Augx) -> None:
    code, out, err = augx(*RUN)
    assert (code, err) == (0, "")
    assert "nothing to do: 12 images are in out" in out


def test_run_after_a_change(here: Path, augx: Augx) -> None:
    (here / "photos" / "cat" / "0.jpg").unlink()
    (here / "photos" / "dog" / "9.jpg").write_bytes(encoded(9))
    code, out, err = augx(*RUN)
    assert code == 0
    assert "12 images from 4 sources in out (3 made, 9 kept from before, 3 removed)" in out
    assert "9 images are in place from before" in err


def test_run_with_failures(here: Path, augx: Augx) -> None:
    (here / "photos" / "cat" / "broken.jpg").write_bytes(b"x")
    for _ in range(2):
        code, out, _ = augx(*RUN)
        assert code == 1
        assert "3 images could not be made; each is a row in out/failures.jsonl" in out
        assert "\n  3 x not-an-image: the file is no image (augx show not-an-image)\n" in out


def test_a_code_of_another_version_is_told_as_it_is() -> None:
    """An up-to-date run tells what summary.json says."""
    assert output._explained("no-such-code") == "no-such-code"
    assert output._explained("truncated") == "truncated: the file ends too early (augx show truncated)"


def test_quiet(here: Path, augx: Augx) -> None:
    assert augx(*RUN, "-q") == (0, "", "")
    assert augx("run", "photos", "new", "-r", "recipe.yaml", "-j0", "-q") == (0, "", "")
    (here / "photos" / "cat" / "broken.jpg").write_bytes(b"x")
    code, out, _ = augx(*RUN, "-q")
    assert (code, out) == (1, "")


def test_json(here: Path, augx: Augx) -> None:
    code, out, _ = augx("run", "photos", "new", "-r", "recipe.yaml", "-j0", "--json")
    told = json.loads(out)
    assert code == 0
    assert {name: told[name] for name in ("made", "kept", "failed", "removed")} == {
        "made": 12, "kept": 0, "failed": 0, "removed": 0
    }  # fmt: skip
    assert told["counts"] == {"sources": 4, "images": 12, "originals": 4, "copies": 8, "failed": 0, "equal": 0}
    assert json.loads(augx(*RUN, "--json")[1])["kept"] == 12


def test_a_dry_run_writes_nothing(here: Path, augx: Augx) -> None:
    before = tree(here)
    code, out, _ = augx("run", "photos", "new", "-r", "recipe.yaml", "--dry-run")
    assert code == 0
    assert "12 images from 4 sources: 4 originals and 8 copies" in out
    code, out, _ = augx("run", "photos", "new", "-r", "recipe.yaml", "--dry-run", "--json")
    assert json.loads(out)["images"] == 12
    assert tree(here) == before
    assert not (here / "new").exists()


def test_max_errors(here: Path, augx: Augx) -> None:
    (here / "photos" / "cat" / "broken.jpg").write_bytes(b"x")
    code, out, err = augx("run", "photos", "new", "-j0", "-n1", "-r", "recipe.yaml", "--max-errors", "1")
    assert (code, out) == (1, "")
    assert "--max-errors 1" in err
    code, out, err = augx("run", "photos", "new", "-j0", "-n1", "-r", "recipe.yaml", "--max-errors", "20%")
    assert code == 1
    assert "2 images could not be made" in out


def test_options_come_before_variables_before_the_recipe(
    here: Path, augx: Augx, monkeypatch: pytest.MonkeyPatch
) -> None:
    def counts(*more: str) -> tuple[int, int]:
        told = json.loads(augx("run", "photos", "new", "-j0", "-r", "recipe.yaml", "--json", *more)[1])
        shutil.rmtree(here / "new")
        return told["counts"]["copies"] // 4, told["recipe"]["seed"]

    assert counts() == (2, 4)
    monkeypatch.setenv("AUGX_COPIES", "1")
    monkeypatch.setenv("AUGX_SEED", "5")
    assert counts() == (1, 5)
    assert counts("-n3", "--seed", "6") == (3, 6)


def test_every_option_has_its_variable(here: Path, augx: Augx, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "RECIPE": "recipe.yaml", "ORIGINALS": "0", "TO": "folder table", "WORKERS": "0", "QUIET": "1", "FROM": "folder",
        "STRICT": "1", "EXECUTOR": "local", "MAX_ERRORS": "5%", "COPIES": "1", "SEED": "1",
    }.items():  # fmt: skip
        monkeypatch.setenv(f"AUGX_{name}", value)
    assert augx("run", "photos", "new") == (0, "", "")
    assert [row["copy"] for row in rows(here / "new")] == [1] * 4
    assert (here / "new" / "labels.csv").exists()
    assert augx("run", "photos", "new", "--originals", "--to", "folder") == (0, "", "")
    assert [row["copy"] for row in rows(here / "new")] == [0, 1] * 4
    assert not (here / "new" / "labels.csv").exists()


def test_a_recipe_from_stdin(here: Path) -> None:
    command = [sys.executable, "-m", "augx", "run", "photos", "new", "-r", "-", "-j0", "-q"]
    done = subprocess.run(command, input=RECIPE, text=True, capture_output=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert tree(here / "new") == tree(here / "out")


def test_a_bundled_recipe(here: Path, augx: Augx) -> None:
    code, out, _ = augx("run", "photos", "new", "-n1", "-j0", "--json")
    assert code == 0
    assert json.loads(out)["counts"]["images"] == 8
    code, out, _ = augx("run", "photos", "new", "-n1", "-j0", "--json", "-r", "gentle")
    assert (code, json.loads(out)["made"]) == (0, 8)


# The other verbs


def test_plan(here: Path, augx: Augx) -> None:
    code, out, err = augx("plan", "photos", "-r", "recipe.yaml")
    assert (code, err) == (0, "")
    assert "12 images from 4 sources: 4 originals and 8 copies" in out
    assert re.search(r"^about \d+ (bytes|kB) in \d+ files and \d+ s of CPU time$", out, re.MULTILINE)
    figures = json.loads(augx("plan", "photos", "-r", "recipe.yaml", "--json")[1])
    written = sum(row["bytes"] for row in rows(here / "out"))
    assert figures["images"] == 12
    assert figures["classes"] == {"cat": {"before": 2, "after": 6}, "dog": {"before": 2, "after": 6}}
    assert 0.5 < figures["bytes"] / written < 2


def test_what_machines_have_to_do(here: Path, augx: Augx) -> None:
    line = ("plan", "photos", "-r", "recipe.yaml", "--machines", "3", "--cores", "4")
    figures = json.loads(augx(*line, "--price", "7200", "--json")[1])
    each = figures["machines"]
    assert (each["machines"], each["cores"], each["price"]) == (3, 4, 7200.0)
    assert each["seconds"] == pytest.approx(each["planning_seconds"] + figures["cpu_seconds"] / 12, abs=0.02)
    assert each["cost"] == pytest.approx(each["seconds"] * 3 * 2, abs=0.5)
    assert re.search(r"^3 machines of 4 cores: about \d+ s each, .*hours in all$", augx(*line)[1], re.MULTILINE)
    assert "1 machine of 4 cores" in augx("plan", "photos", "-r", "recipe.yaml", "--cores", "4")[1]


def test_the_plan_hash_is_that_of_the_summary(here: Path, augx: Augx) -> None:
    code, out, err = augx("plan", "photos", "-r", "recipe.yaml", "--hash")
    assert (code, err) == (0, "")
    assert out.strip() == json.loads((here / "out" / "summary.json").read_text())["plan"]
    assert json.loads(augx("plan", "photos", "-r", "recipe.yaml", "--hash", "--json")[1]) == {"hash": out.strip()}
    for path in (here / "photos").rglob("*.jpg"):
        os.utime(path, (1, 1))
    shutil.move(here / "photos", here / "elsewhere")
    assert augx("plan", "elsewhere", "-r", "recipe.yaml", "--hash")[1] == out
    assert augx("plan", "elsewhere", "-r", "recipe.yaml", "--hash", "--seed", "9")[1] != out
    (here / "elsewhere" / "cat" / "0.jpg").write_bytes(encoded(60))
    assert augx("plan", "elsewhere", "-r", "recipe.yaml", "--hash")[1] != out


def test_check(here: Path, augx: Augx) -> None:
    check = ("check", "photos", "out", "-r", "recipe.yaml")
    before = tree(here / "out")
    assert augx(*check) == (0, "fresh: out\n", "")
    assert json.loads(augx(*check, "--json")[1]) == {"fresh": True, "reasons": []}
    (here / "photos" / "cat" / "0.jpg").write_bytes(encoded(60))
    assert augx(*check) == (1, "stale: 1 sources have changed\n", "")
    code, out, _ = augx(*check, "--json")
    assert (code, json.loads(out)) == (1, {"fresh": False, "reasons": ["1 sources have changed"]})
    assert augx(*check, "-q") == (1, "", "")
    shutil.copy(here / "photos" / "dog" / "1.jpg", here / "photos" / "cat" / "7.jpg")
    (here / "out" / "dog" / "1_aug01.jpg").unlink()
    out = augx(*check)[1]
    assert set(out.splitlines()) == {
        "stale: 1 sources are new", "stale: 1 images are missing from the output", "stale: 1 sources have changed"
    }  # fmt: skip
    out = augx("check", "photos", "out", "-r", "recipe.yaml", "--seed", "2")[1]
    assert "stale: the recipe is another" in out
    assert augx("check", "photos", "nowhere")[:2] == (1, "stale: nowhere is not there\n")
    del before["dog/1_aug01.jpg"]
    assert tree(here / "out") == before


def test_check_of_a_foreign_folder(here: Path, augx: Augx) -> None:
    code, _, err = augx("check", "photos", "photos/cat")
    assert code == 2
    assert "was not written by augx" in err


def test_verify(here: Path, augx: Augx) -> None:
    assert augx("verify", "out") == (0, "12 rows hold\n", "")
    (here / "out" / "notes.txt").touch()
    code, out, err = augx("verify", "out")
    assert (code, err) == (1, "")
    assert out.splitlines() == ["notes.txt: it is in no row of the manifest", "1 findings in 12 rows"]
    code, out, _ = augx("verify", "out", "--json", "-j1")
    assert (code, json.loads(out)) == (1, {"rows": 12, "findings": ["notes.txt: it is in no row of the manifest"]})
    assert augx("verify", "out", "-q") == (1, "", "")


def test_verify_every_bit(here: Path, augx: Augx) -> None:
    """What is wrong is made again, though its date and size were as before."""
    assert augx("verify", "out", "--deep") == (0, "12 rows hold\n", "")
    path = here / "out" / "cat" / "0_aug01.jpg"
    date, data = path.stat().st_mtime_ns, bytearray(path.read_bytes())
    data[40] ^= 4
    path.write_bytes(data)
    os.utime(path, ns=(date, date))
    summary = here / "out" / "summary.json"
    summary.write_bytes(summary.read_bytes().replace(b"cat", b"bat", 1))
    code, out, err = augx("verify", "out", "--deep")
    assert (code, err) == (1, "")
    assert out.splitlines()[1:] == [
        "cat/0_aug01.jpg: its content is not what the manifest says", "2 findings in 12 rows",
    ]  # fmt: skip
    assert out.startswith("summary.json: it is damaged")
    assert augx("check", "photos", "out", "-r", "recipe.yaml")[0] == 1
    assert augx("run", "photos", "out", "-r", "recipe.yaml", "-j0", "-q")[0] == 0
    assert augx("verify", "out", "--deep") == (0, "12 rows hold\n", "")


def test_replay(here: Path, augx: Augx) -> None:
    code, out, err = augx("replay", "out", "cat/0_aug02.jpg", "-o", "again.jpg")
    assert (code, err) == (0, "")
    assert "the same bytes as cat/0_aug02.jpg" in out
    assert (here / "again.jpg").read_bytes() == (here / "out" / "cat" / "0_aug02.jpg").read_bytes()


def test_more_memory_than_there_is(here: Path, augx: Augx) -> None:
    assert augx("run", "photos", "new", "-j1", "-n1", "-r", "recipe.yaml", "--memory-limit", "9000000T")[0] == 0


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full")
def test_exit_codes_where_nothing_can_be_said(here: Path) -> None:
    with open("/dev/full", "w") as full:
        line = [sys.executable, "-m", "augx", "run", "missing", "new"]
        assert subprocess.run(line, stderr=full, stdout=full).returncode == 2


@pytest.mark.parametrize("said", ["nan", "0", "-1", "inf", "soon"])
def test_no_time_limit(here: Path, augx: Augx, said: str) -> None:
    code, _, err = augx("run", "photos", "new", "-r", "recipe.yaml", "--time-limit", said)
    assert (code, (here / "new").exists()) == (2, False)
    assert "--time-limit" in err


def test_validate(here: Path, augx: Augx) -> None:
    assert augx("validate", "recipe.yaml") == (0, "no errors in recipe.yaml\n", "")
    assert augx("validate", "recipe.yaml", "-q") == (0, "", "")
    assert json.loads(augx("validate", "recipe.yaml", "--output-format", "json")[1]) == []
    (here / "bad.yaml").write_text("version: 1\ncopie: 3\ntransforms:\n  - HorizontalFlipp\n")
    code, out, _ = augx("validate", "recipe.yaml", "bad.yaml")
    assert code == 2
    assert [line.split(": ")[0] for line in out.splitlines()] == ["bad.yaml:2:1", "bad.yaml:4:5"]
    assert "HorizontalFlip" in out.splitlines()[1]
    code, out, _ = augx("validate", "bad.yaml", "--output-format", "json")
    assert code == 2
    assert [(p["file"], p["line"], p["column"], p["severity"]) for p in json.loads(out)] == [
        ("bad.yaml", 2, 1, "error"), ("bad.yaml", 4, 5, "error")
    ]  # fmt: skip
    code, out, _ = augx("validate", "bad.yaml", "--output-format", "github")
    assert code == 2
    assert [line.split("::")[1] for line in out.splitlines()] == [
        "error file=bad.yaml,line=2,col=1,title=recipe-key",
        "error file=bad.yaml,line=4,col=5,title=unknown-transform",
    ]  # fmt: skip


def test_validate_with_a_dataset(here: Path, augx: Augx) -> None:
    assert augx("validate", "recipe.yaml", "--input", "photos")[0] == 0
    code, out, _ = augx("validate", "recipe.yaml", "--input", "nowhere")
    assert code == 2
    assert "nowhere" in out
    (here / "photos" / "stray.jpg").write_bytes(encoded(5))
    code, out, _ = augx("validate", "recipe.yaml", "--input", "photos")
    assert code == 0
    assert out.startswith("photos/stray.jpg: ") and "[warning: no-class]" in out
    assert augx("validate", "recipe.yaml", "--input", "photos", "--strict")[0] == 2


def test_init(here: Path, augx: Augx) -> None:
    code, out, err = augx("init", "photos", "-o", "new.yaml")
    assert (code, err) == (0, "")
    assert "wrote new.yaml for 4 images in format folder" in out
    assert augx("validate", "new.yaml", "--strict", "--input", "photos")[0] == 0
    before = (here / "new.yaml").read_bytes()
    modeline = b"# yaml-language-server: $schema=.augx.schema.json\n"
    assert modeline + augx("init", "photos", "-o", "-")[1].encode() == before
    assert (here / ".augx.schema.json").read_text() == augx("schema")[1]
    (here / "new.yaml").write_text("mine")
    code, _, err = augx("init", "photos", "-o", "new.yaml")
    assert code == 2
    assert "--force" in err
    assert (here / "new.yaml").read_text() == "mine"
    assert augx("init", "photos", "-o", "new.yaml", "--force")[0] == 0
    assert (here / "new.yaml").read_bytes() == before
    assert augx("run", "photos", "new", "-r", "new.yaml", "-n1", "-j0", "-q") == (0, "", "")


def test_demo(here: Path, augx: Augx) -> None:
    code, out, _ = augx("demo", "show", "-n", "2")
    assert code == 0
    assert "36 images from 12 sources" in out
    assert augx("verify", "show/images-x2") == (0, "36 rows hold\n", "")
    assert augx("validate", "show/recipe.yaml", "--input", "show/images", "--strict")[0] == 0
    before = tree(here)
    assert augx("demo", "show")[0] == 2
    assert augx("demo", "recipe.yaml")[0] == 2
    assert tree(here) == before
    assert augx("run", "show/images", "show/images-x2", "-r", "show/recipe.yaml", "-n2")[1].startswith("nothing to do")


def test_a_demo_that_was_stopped_goes_on(here: Path, augx: Augx) -> None:
    assert augx("demo", "show", "-n", "1")[0] == 0
    before = tree(here / "show")
    (here / "show/images-x1/summary.json").unlink()
    (here / "show/images/circle/circle_2.jpg").unlink()
    (here / "show/recipe.yaml").unlink()
    assert augx("demo", "show", "-n", "1")[0] == 0
    assert tree(here / "show") == before
    for name in ("notes.txt", "images/circle/circle_1.jpg"):  # what it did not write
        shutil.rmtree(here / "show")
        (here / "show/images/circle").mkdir(parents=True)
        (here / "show" / name).write_text("mine")
        assert augx("demo", "show", "-n", "1")[0] == 2
        assert tree(here / "show") == {name: hashlib.sha256(b"mine").hexdigest()}


def test_list(augx: Augx) -> None:
    code, out, err = augx("list")
    assert (code, err) == (0, "")
    for word in ("transforms", "Affine", "formats", "folder", "recipes", "classification", "executors", "local"):
        assert word in out
    named = {"transforms": "Affine", "formats": "table", "recipes": "gentle", "executors": "local", "policies": "svhn"}
    named |= {"codes": "truncated"}
    for kind, name in named.items():
        code, out, _ = augx("list", kind)
        assert code == 0
        assert name in out and len(out.splitlines()) >= 1
        told = json.loads(augx("list", kind, "--json")[1])
        assert list(told) == [kind]
        assert name in {row["name"] for row in told[kind]}
        assert all(row["summary"] for row in told[kind])
    assert set(json.loads(augx("list", "formats", "recipes", "--json")[1])) == {"formats", "recipes"}


def test_transforms_are_listed_as_the_surveys_group_them(augx: Augx) -> None:
    lines = augx("list", "transforms")[1].splitlines()
    heads = [line[:-1] for line in lines[1:] if not line.startswith(" ")]
    assert heads[:4] == ["geometric", "colour space", "kernel filters", "noise injection"]
    assert {"random erasing", "weather and camera", "mixing", "meta-learning"} < set(heads)
    assert max(map(len, lines)) <= 100
    width = lines[2].index("0.0062")  # Affine
    assert all(line[width:].strip() for line in lines if line.startswith("  "))
    assert lines[lines.index(next(line for line in lines if line.startswith("  mixup "))) + 1].split() == [
        "not",
        "values",
    ]
    told = {row["name"]: row for row in json.loads(augx("list", "transforms", "--json")[1])["transforms"]}
    assert told["Affine"]["seconds_per_megapixel"] == 0.0062
    assert told["Affine"]["carries"] == list(KINDS)
    assert told["mixup"]["carries"] == [kind for kind in KINDS if kind != "values"]
    assert told["Normalize"]["carries"] == []


def test_codes_are_listed_by_what_happens(augx: Augx) -> None:
    lines = augx("list", "codes")[1].splitlines()
    assert [line[:-1] for line in lines if not line.startswith(" ")] == list(ENDS)
    assert {line.split()[0] for line in lines if line.startswith(" ")} == CODES.keys()
    told = json.loads(augx("list", "codes", "--json")[1])["codes"]
    assert [row["name"] for row in told] == [line.split()[0] for line in lines if line.startswith(" ")]


def test_codes_are_explained(augx: Augx) -> None:
    code, out, err = augx("show", "truncated")
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "truncated: the file ends too early",
        "failed: the image fails: a row in failures.jsonl; the others are made",
        "stage: read, decode, labels",
        "what to do: get the file again from its source",
    ]
    out = augx("show", "ragged-row")[1]
    assert "\nfailed: " in out and "\nleft out: " in out
    assert "\nthe next run tries again\n" in augx("show", "worker-died")[1]
    assert json.loads(augx("show", "truncated", "--json")[1]) == {
        "name": "truncated", "kind": "codes", "group": "failed", "summary": "the file ends too early",
        "ends": ["failed"], "stages": ["read", "decode", "labels"], "tried_again": False,
        "way_out": "get the file again from its source",
    }  # fmt: skip
    names = {row["name"] for kind in KINDS_LISTED for row in json.loads(augx("list", kind, "--json")[1])[kind]}
    assert names & CODES.keys() == set()  # `show` finds what is meant


def test_show(augx: Augx) -> None:
    code, out, err = augx("show", "Affine")
    assert (code, err) == (0, "")
    assert "rotate" in out and "moves pixels" in out
    told = json.loads(augx("show", "Affine", "--json")[1])
    assert told["moves_pixels"] is True
    assert "rotate" in {argument["name"] for argument in told["arguments"]}
    for kind in (*KINDS_LISTED, "codes"):
        for row in json.loads(augx("list", kind, "--json")[1])[kind][: None if kind == "codes" else 12]:
            code, out, err = augx("show", row["name"])
            assert (code, err) == (0, "")
            assert len(out) > 10
            assert json.loads(augx("show", row["name"], "--json")[1])["name"] == row["name"]
    typed = {"Afine": "Affine", "clasification": "classification", "foldr": "folder", "trunctated": "truncated"}
    for name, close in typed.items():
        code, out, err = augx("show", name)
        assert (code, out) == (2, "")
        assert f"did you mean {close}?" in err


# Help


def test_help(augx: Augx) -> None:
    code, out, err = augx("--help")
    assert (code, err) == (0, "")
    for verb, (_, summary) in VERBS.items():
        assert re.search(rf"^  {verb} +{re.escape(summary)}$", out, re.MULTILINE)
    for number in ("0 ", "1 ", "2 ", "3 ", "70 ", "130 ", "143 "):
        assert number in out[out.index("Exit codes") :]
    assert augx("-h") == (code, out, err)
    assert augx("--version") == (0, f"augx {__version__}\n", "")


@pytest.mark.parametrize("verb", [None, *VERBS])
def test_help_of_a_verb(augx: Augx, verb: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has an example, and no line is too long for a page, however wide the terminal."""
    monkeypatch.setenv("COLUMNS", "200")
    code, out, err = augx(*([verb] if verb else []), "--help")
    assert (code, err) == (0, "")
    assert re.search(rf"^  augx {verb or 'run'} ", out, re.MULTILINE)
    assert max(map(len, out.splitlines())) <= 100
    if verb:
        assert augx(verb, "-h") == (code, out, err)


def test_no_arguments(augx: Augx) -> None:
    code, out, err = augx()
    assert code in (0, 2)
    assert "Usage: augx" in out + err


# What a person may do wrong


def bad(*arguments: str, says: str = "", code: int = 2) -> Any:
    return pytest.param(arguments, says, code, id=" ".join(arguments)[:60])


BAD = [
    bad("rum", says="Did you mean 'run'"),
    bad("frobnicate", says="No such command"),
    bad("--frob", says="No such option"),
    bad("run", says="INPUT"),
    bad("run", "photos", says="OUTPUT"),
    bad("run", "photos", "new", "more", says="unexpected extra argument"),
    bad("run", "photos", "new", "--frob", says="No such option"),
    bad("run", "nowhere", "new", says="nowhere: there is no such folder"),
    bad("run", "recipe.yaml", "new", says="recipe.yaml is no folder"),
    bad("run", "", "new"),
    bad("run", "empty", "new", says="no images found"),
    bad("run", "photos", "", says="OUTPUT"),
    bad("run", "photos", "photos", says="OUTPUT is INPUT"),
    bad("run", "photos", "photos/new", says="lies inside INPUT"),
    bad("run", "photos/cat", "photos", says="lies inside OUTPUT"),
    bad("run", "photos", "recipe.yaml", says="OUTPUT recipe.yaml"),
    bad("run", "photos", "foreign", says="did not write"),
    bad("run", "photos", "recipe.yaml/out", says="recipe.yaml"),
    bad("run", "photos", "x" * 300),
    bad("run", "photos", "new", "-r", "nowhere.yaml", says="nowhere.yaml"),
    bad("run", "photos", "new", "-r", "clasification", says="classification"),
    bad("run", "photos", "new", "-r", "photos", says="photos"),
    bad("run", "photos", "new", "-r", "photos/cat/0.jpg", says="0.jpg"),
    bad("run", "photos", "new", "-r", "bad.yaml", says="bad.yaml:3:5: "),
    bad("run", "photos", "new", "-r", "range.yaml", says="range.yaml:3:"),
    bad("run", "photos", "new", "-r", "", says=""),
    bad("run", "photos", "new", "-n", "many", says="many"),
    bad("run", "photos", "new", "-n", "0", says="copies"),
    bad("run", "photos", "new", "-n", "-1", says="copies"),
    bad("run", "photos", "new", "-n", "1000000000000", says="copies"),
    bad("run", "photos", "new", "--seed", "-1", says="seed"),
    bad("run", "photos", "new", "--seed", "1.5", says="1.5"),
    bad("run", "photos", "new", "-j", "-1", says="-1"),
    bad("run", "photos", "new", "-j", "2000", says="2000"),
    bad("run", "photos", "new", "--max-errors", "lots", says="percentage"),
    bad("run", "photos", "new", "--max-errors", "-1", says="-1"),
    bad("run", "photos", "new", "--from", "foldr", says="did you mean folder?"),
    bad("run", "photos", "new", "--to", "coc", says="no format 'coc'"),
    bad("run", "photos", "new", "--from", "table", says="table"),
    bad("run", "photos", "new", "--table", "labels.csv", says="table"),
    bad("run", "photos", "new", "--column", "label", says="label=NAME"),
    bad("run", "photos", "new", "--column", "lable=x", says="label=NAME"),
    bad("run", "photos", "new", "--executor", "moon", says="moon"),
    bad("run", "split", "new", says="splits"),
    bad("run", "strays", "new", "--strict", says="--strict: 1 warnings"),
    bad("plan", "nowhere", says="nowhere"),
    bad("plan", "photos", "--hash", "-r", "range.yaml", says="range.yaml:3:"),
    bad("check", "nowhere", "out", says="nowhere"),
    bad("check", "photos", "foreign", says="not written by augx"),
    bad("verify", "nowhere", says="no finished run"),
    bad("verify", "photos", says="no finished run"),
    bad("verify", "recipe.yaml", says="no finished run"),
    bad("replay", "out", "cat/0_aug01.jpg", says="--image"),
    bad("replay", "out", "cat/9.jpg", "-o", "new.jpg", says="no row"),
    bad("replay", "foreign", "a.jpg", "-o", "new.jpg", says="no finished run"),
    bad("replay", "out", "cat/0_aug01.jpg", "-o", "nofolder/new.jpg", says="nofolder", code=-1),
    bad("replay", "out", "cat/0_aug01.jpg", "-o", "photos", says="photos", code=-1),
    bad("validate", says="RECIPE"),
    bad("validate", "nowhere.yaml", says=""),
    bad("validate", "recipe.yaml", "--output-format", "xml", says="xml"),
    bad("list", "things", says="things"),
    bad("show", says="NAME"),
    bad("show", "Afine", says="did you mean Affine?"),
    bad("init", "nowhere", says="nowhere"),
    bad("init", "photos", "-o", "recipe.yaml", says="--force"),
    bad("init", "photos", "-o", "nofolder/new.yaml", says="new.yaml: there is no folder nofolder"),
    bad("init", "photos", "-o", "photos", says="such as photos/recipe.yaml"),
    bad("init", "photos", "-o", "", says="-o: the name is empty"),
    bad("init", "photos", "-o", "out/new.yaml", says="which augx has written and verifies"),
    bad("schema", "-o", "nofolder/s.json", says="s.json: there is no folder nofolder"),
    bad("schema", "-o", ".", says="such as ./.augx.schema.json"),
    bad("schema", "-o", "", says="-o: the name is empty"),
    bad("schema", "-o", "recipe.yaml", says="--force"),
    bad("schema", "-o", "out/s.json", says="which augx has written and verifies"),
    bad("demo", says="OUTPUT"),
    bad("demo", "photos", says="not empty"),
    bad("demo", "new", "-n", "0", says="copies"),
    bad("demo", "recipe.yaml/new", says="recipe.yaml", code=-1),
]


@pytest.mark.parametrize(("arguments", "says", "code"), BAD)
def test_a_mistake(here: Path, augx: Augx, arguments: tuple[str, ...], says: str, code: int) -> None:
    """Refused with a sentence on stderr; nothing is written. (-1: refused or stopped, by name.)"""
    for name, text in {
        "bad.yaml": "version: 1\ntransforms:\n  - HorizontalFlipp\n",
        "range.yaml": "version: 1\ntransforms:\n  - HorizontalFlip: {p: 3}\n",
        "foreign/mine.txt": "mine",
        "empty/notes.txt": "",
    }.items():
        (here / name).parent.mkdir(exist_ok=True)
        (here / name).write_text(text)
    for name in ("split/val/cat/a.jpg", "strays/cat/a.jpg", "strays/a.jpg"):
        (here / name).parent.mkdir(parents=True, exist_ok=True)
        (here / name).write_bytes(encoded(1))
    before = tree(here)
    found, out, err = augx(*arguments)
    assert found == code or (code == -1 and found in (2, 3)), err
    assert "Traceback" not in err and "bug in augx" not in err
    assert says in (out if arguments[0] == "validate" and code == 2 and not err else err)
    assert tree(here) == before
    assert not (here / "new").exists()


@pytest.mark.parametrize(
    ("name", "value"), [("COPIES", "x"), ("SEED", "x"), ("WORKERS", "-3"), ("RECIPE", "nowhere"), ("MAX_ERRORS", "%"),
                        ("FROM", "x"), ("TO", "x"), ("EXECUTOR", "x"), ("STRICT", "x"), ("ORIGINALS", "x")]
)  # fmt: skip
def test_a_bad_variable(here: Path, augx: Augx, monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"AUGX_{name}", value)
    code, out, err = augx("run", "photos", "new")
    assert (code, out) == (2, "")
    assert value in err and "Traceback" not in err
    assert not (here / "new").exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_input_nobody_may_read(here: Path, augx: Augx) -> None:
    (here / "photos").chmod(0)
    code, _, err = augx("run", "photos", "new")
    (here / "photos").chmod(0o755)
    assert code == 2
    assert "photos" in err and "cannot be read" in err


# The system and ourselves


def test_a_full_disk(here: Path, augx: Augx, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopped with a way out; when there is room the same command goes on, and comes to the same end."""
    real = os.write
    room = [5]

    def full(descriptor: int, data: Any) -> int:
        room[0] -= 1
        if room[0] < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(descriptor, data)

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", full)
        code, out, err = augx("run", "photos", "new", "-r", "recipe.yaml", "-j0")
    assert (code, out) == (3, "")
    assert "No space left on device" in err and "free some space" in err
    assert "Traceback" not in err
    assert not (here / "new" / "summary.json").exists()
    assert augx("run", "photos", "new", "-r", "recipe.yaml", "-j0")[0] == 0
    assert tree(here / "new") == tree(here / "out")


def test_a_bug(here: Path, augx: Augx, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*given: Any) -> None:
        raise ZeroDivisionError("this is a test")

    monkeypatch.setattr(engine, "run", broken)
    code, out, err = augx(*RUN)
    assert (code, out) == (70, "")
    assert "this is a bug in augx" in err and "report it" in err
    assert f"augx {__version__}" in err and "ZeroDivisionError: this is a test" in err


def test_ctrl_c(here: Path, augx: Augx, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*given: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(engine, "run", stopped)
    code, out, err = augx(*RUN)
    assert (code, out) == (130, "")
    assert err.strip() == "augx: stopped; the same command goes on from here"


def test_a_reader_that_goes_away(here: Path) -> None:
    """`augx list transforms | head -1` says nothing on stderr."""
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run([sys.executable, "-m", "augx", "list"], stdout=write, stderr=subprocess.PIPE, text=True)
    os.close(write)
    assert done.stderr == ""
    assert done.returncode != 70


def test_nothing_goes_to_the_wrong_stream(here: Path) -> None:
    """As a process, with workers: JSON and nothing else on stdout, no bar and no colour where there is no terminal."""
    (here / "photos" / "cat" / "broken.jpg").write_bytes(b"x")
    command = [sys.executable, "-m", "augx", "run", "photos", "new", "-r", "recipe.yaml", "-j2", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"FORCE_COLOR": "0"})
    assert done.returncode == 1
    assert json.loads(done.stdout)["counts"]["failed"] == 3
    assert "\x1b" not in done.stderr and "\r" not in done.stderr and "%|" not in done.stderr
    assert "Traceback" not in done.stderr and "Warning" not in done.stderr


def test_a_file_name_that_is_too_long_is_no_bug(here: Path, augx: Augx) -> None:
    code, _, err = augx("init", "photos", "-o", "o" * 300)
    assert code == 3
    assert "File name too long" in err and "Traceback" not in err


@pytest.mark.parametrize(("name", "code", "word"), [("SIGINT", 130, "stopped"), ("SIGTERM", 143, "terminated")])
def test_a_stop_that_a_library_turns_into_an_error(name: str, code: int, word: str) -> None:
    """Extension modules do so: pydantic, for one, where the signal comes while it builds a model."""
    script = f"""
import signal
from augx import cli

def masking(arguments):
    try:
        signal.raise_signal(signal.{name})
    except BaseException as error:
        raise ValueError("masked") from error

cli._invoke = masking
cli.main()
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (code, f"augx: {word}; the same command goes on from here\n")
