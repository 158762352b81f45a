"""Every row of the tables in examples/policies/README.md, on the command line."""

from __future__ import annotations

import dataclasses
import io
import json
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import PIL
import policies
import pytest
import tables
import yaml
from conftest import failures, rows
from PIL import Image
from policies_files import GOOD, KINDS, LARGE, OUTSIDE, Kind, device, locked
from policies_modes import MODES, TARGETS, Mode, Plane

from augx import cli, images, store
from augx.codes import CODES
from augx.model import Limits

FLIP = "version: 1\ncopies: 1\ntransforms: [HorizontalFlip: {p: 1}]\n"
NAMES = {mode.what: f"cat/{number:02d}{mode.ending}" for number, mode in enumerate(MODES)}
OLD = int(PIL.__version__.split(".")[0]) < 13  # the last for Python 3.10, which takes one kind of TIFF for cut
READ = [mode for mode in MODES if not (OLD and mode.what == "TIFF, YCbCr")]
KINDS_OF_PIXELS = {"L": "grey", "LA": "grey + alpha", "RGB": "RGB", "RGBA": "RGBA"}


class Output:
    """What a run made of all modes: the rows of the manifest and of failures.jsonl by source and copy."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.made = {(row["source"], row["copy"]): row for row in rows(folder)}
        self.lost = {(row["source"], row["copy"]): row for row in failures(folder)}

    def data(self, source: str, copy: int) -> bytes:
        return (self.folder / self.made[source, copy]["file_name"]).read_bytes()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Output]:
    """Runs all modes with these settings of `output.image`, once each."""
    root = tmp_path_factory.mktemp("modes")
    (root / "in" / "cat").mkdir(parents=True)
    for mode in MODES:
        (root / "in" / NAMES[mode.what]).write_bytes(mode.make())
    known: dict[str, Output] = {}

    def run(settings: str) -> Output:
        if settings not in known:
            recipe, output = root / "recipe.yaml", root / f"out-{len(known)}"
            recipe.write_text(f"{FLIP}output: {{image: {{{settings}}}}}\n")
            assert cli.call(["run", str(root / "in"), str(output), "-r", str(recipe), "-j", "0", "-q"]) in (0, 1)
            known[settings] = Output(output)
        return known[settings]

    return run


def read(data: bytes) -> tuple[str, Plane]:
    """A written picture in the words of the table, and its pixels as they are stored."""
    with Image.open(io.BytesIO(data)) as image:
        profile = ", profile" if image.info.get("icc_profile") else ""
        deep = image.format == "PNG" and data[24] == 16
        if image.format == "TIFF":
            deep = image.tag_v2.get(258, (1,))[0] == 16
        if not deep:
            return KINDS_OF_PIXELS[image.mode] + profile, np.asarray(image)
    samples = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    assert samples.dtype == np.uint16
    if samples.ndim == 2:
        return "16-bit grey" + profile, samples
    if data[1:4] == b"PNG" and data[25] == 4:  # grey with alpha, of which OpenCV makes four channels
        return "16-bit grey + alpha" + profile, samples[..., [0, 3]]
    order = [2, 1, 0, 3][: samples.shape[2]]
    return f"16-bit {'RGBA' if len(order) == 4 else 'RGB'}{profile}", samples[..., order]


def like(shown: Plane, stored: Plane) -> Plane:
    """What is to be seen, in as many channels as were stored: alpha goes where the format drops a full one."""
    if shown.ndim == 2:
        return shown if stored.ndim == 2 else np.dstack([shown] * 3)
    if shown.shape[2] == 2 and stored.shape[2] == 4:
        return shown[..., [0, 0, 0, 1]]
    return shown[..., : stored.shape[2]]


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("mode", READ, ids=lambda mode: mode.what.replace(" ", "_"))
def test_a_picture_becomes_what_the_table_says(mode: Mode, target: str, made: Callable[[str], Output]) -> None:
    output, source = made(f"format: {target}, lossless: true, quality: 100"), NAMES[mode.what]
    cell = mode.becomes[TARGETS.index(target)]
    if cell in CODES:
        lost = output.lost[source, 1]
        assert (lost["error"], lost["stage"] in CODES[cell].stages) == (cell, True)
        assert (source, 1) not in output.made
        return
    assert output.made[source, 1]["notes"] == list(mode.notes)
    word, stored = read(output.data(source, 1))
    assert word == cell
    assert mode.seen is not None
    wanted = like(mode.seen, stored)[:, ::-1].astype(int)
    assert stored.shape == wanted.shape
    if target != "jpeg":
        assert np.abs(stored - wanted).max() <= mode.off
    else:
        assert np.abs(stored - wanted).mean() < 25


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("mode", READ, ids=lambda mode: mode.what.replace(" ", "_"))
def test_an_original_stays_as_it_is_in_its_own_format(mode: Mode, target: str, made: Callable[[str], Output]) -> None:
    output, source, data = made(f"format: {target}, lossless: true, quality: 100"), NAMES[mode.what], mode.make()
    own = {".jpg": "jpeg", ".tif": "tiff"}.get(mode.ending, mode.ending[1:])
    cell = mode.becomes[TARGETS.index(target)]
    if own == target and "turned" not in mode.what and mode.seen is not None:
        assert output.data(source, 0) == data
    elif cell in CODES:
        assert output.lost[source, 0]["error"] == cell
    else:
        assert read(output.data(source, 0))[0] == cell


@pytest.mark.parametrize("mode", READ, ids=lambda mode: mode.what.replace(" ", "_"))
def test_fewer_bits_and_no_alpha_fit_everywhere(mode: Mode, made: Callable[[str], Output]) -> None:
    output, source = made("format: jpeg, bits: 8, alpha: drop"), NAMES[mode.what]
    if mode.seen is None:
        assert output.lost[source, 1]["error"] == mode.becomes[0]
    else:
        kept = mode.becomes[1].removeprefix("16-bit ").replace(" + alpha", "").replace("RGBA", "RGB")
        assert read(output.data(source, 1))[0] == kept


def test_keep_is_the_column_of_the_own_format(made: Callable[[str], Output]) -> None:
    kept = made("format: keep, lossless: true, quality: 100")
    for mode in MODES:
        own = {".jpg": "jpeg", ".tif": "tiff"}.get(mode.ending, mode.ending[1:])
        same, source = made(f"format: {own}, lossless: true, quality: 100"), NAMES[mode.what]
        assert kept.lost.get((source, 1), {}).get("error") == same.lost.get((source, 1), {}).get("error")
        if mode.seen is not None and (source, 1) in kept.made:
            assert kept.made[source, 1]["sha256"] == same.made[source, 1]["sha256"], mode.what


def draw(root: Path, files: Mapping[str, Any]) -> None:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            content(path)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.what.replace(" ", "_"))
def test_a_file_is_used_failed_or_left_out_as_the_table_says(
    kind: Kind, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if locked in kind.files.values() and os.geteuid() == 0:
        pytest.skip("root may read everything")
    if device in kind.files.values() and os.geteuid() != 0:
        pytest.skip("only root may make a device")
    root, output, recipe = tmp_path / "in", tmp_path / "out", tmp_path / "recipe.yaml"
    draw(tmp_path, {"outside/a.png": OUTSIDE})
    draw(root, {**GOOD, **kind.files})
    recipe.write_text(f"{FLIP}limits: {json.dumps(kind.limits)}\n" if kind.limits else FLIP)
    code = cli.call(["run", str(root), str(output), "-r", str(recipe), "-j", "0"])
    said = capsys.readouterr()
    assert "Traceback" not in said.out + said.err
    assert code == (1 if kind.failures else 0), said
    summary = json.loads((output / "summary.json").read_text("utf-8"))
    failed = sum(kind.failures.values())
    assert summary["failures"] == {code: 2 * count for code, count in kind.failures.items()}  # original and copy
    assert (summary["warnings"], summary["ignored"]) == (dict(kind.warnings), dict(kind.ignored))
    assert summary["counts"]["sources"] == 2 + kind.used + failed
    assert summary["counts"]["images"] == 2 * (2 + kind.used)
    for lost in failures(output):
        assert lost["stage"] in CODES[lost["error"]].stages
        assert len(lost["message"]) > 10
    for code, count in summary["failures"].items():
        assert f"  {count} x {code}: {CODES[code].meaning} (augx show {code})\n" in said.out
    for code, count in summary["warnings"].items():
        assert f"warning: {count} x {code}: {CODES[code].meaning} (augx show {code})\n" in said.err
    assert cli.call(["verify", str(output)]) == 0
    assert not any(path.read_bytes() == OUTSIDE for path in output.rglob("*") if path.is_file())


@pytest.mark.parametrize("change", [lambda path: os.truncate(path, 100), lambda path: os.utime(path, (1, 1))])
def test_a_file_that_changes_while_it_is_read_fails(
    change: Callable[[Path], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row that needs somebody who writes at the same time: whoever glances at the head of the file."""
    draw(tmp_path / "in", {**GOOD, "cat/x.png": LARGE})

    def glance(head: bytes, size: int, limits: Limits) -> None:
        if size == len(LARGE):
            change(tmp_path / "in" / "cat" / "x.png")

    monkeypatch.setattr(store, "_LARGE", 0)
    monkeypatch.setattr(images, "glance", glance)
    (tmp_path / "recipe.yaml").write_text(FLIP)
    words = ["run", str(tmp_path / "in"), str(tmp_path / "out"), "-r", str(tmp_path / "recipe.yaml"), "-j", "0", "-q"]
    assert cli.call(words) == 1
    lost = failures(tmp_path / "out")
    assert [(row["source"], row["error"], row["stage"]) for row in lost] == [
        ("cat/x.png", "changed-while-read", "read")
    ] * 2
    assert {row["source"] for row in rows(tmp_path / "out")} == set(GOOD)


def test_every_file_of_a_row_is_counted() -> None:
    nowhere = set()
    for kind in KINDS:
        counted = kind.used + sum(kind.failures.values()) + sum(kind.ignored.values())
        counted += 0 if kind.used else sum(kind.warnings.values())
        if counted:
            assert counted == len(kind.files), kind.what
        else:
            nowhere.add(kind.what)
    assert nowhere == {"an empty folder", "hidden files and folders"}


def test_the_tables_are_up_to_date() -> None:
    text = policies.README.read_text("utf-8")
    try:
        fresh = tables.updated(text, policies.SECTIONS) == text
    except ValueError as error:
        pytest.fail(f"{policies.README} {error}", pytrace=False)
    if not fresh:
        pytest.fail("examples/policies/README.md is out of date; run: python tests/policies.py", pytrace=False)


def test_what_stands_around_the_tables_is_true(capsys: pytest.CaptureFixture[str]) -> None:
    text = policies.README.read_text("utf-8")
    (shown,) = re.findall(r"```console\n\$ augx (show \S+)\n(.*?)```", text, re.DOTALL)
    assert cli.call(shown[0].split()) == 0
    assert capsys.readouterr().out == shown[1]
    (limits,) = re.findall(r"```yaml\nlimits: (\{.*\})\n```", text)
    assert yaml.safe_load(limits) == dataclasses.asdict(Limits())
    readme = (policies.README.parents[2] / "README.md").read_text("utf-8")
    (said,) = re.findall(r"^  11 x (.*)$", readme, re.MULTILINE)
    assert said == f"truncated: {CODES['truncated'].meaning} (augx show truncated)"


def test_every_row_is_named_once() -> None:
    for names in ([mode.what for mode in MODES], [kind.what for kind in KINDS]):
        assert len(set(names)) == len(names)
