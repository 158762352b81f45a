"""No network, no other program, no foreign pickle, nothing of the input compiled, nothing written outside OUTPUT: whole
commands under an audit hook that is in every process of theirs (`wires/sitecustomize.py`).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import label_sets
import pytest
import wild_data

from augx import bundled

MARK = "tripwiremark"
WIRES = Path(__file__).parent / "wires"
ROOT = Path(__file__).parent.parent.parent
# Everything that is drawn from the input at run time is in it: turns, other pictures, a policy, a background.
RECIPE = f"""# {MARK}
version: 1
copies: 2
transforms: [{{Affine: {{rotate: [-20, 20], p: 1}}}}, {{OneOf: [{{Blur: {{blur_limit: 3}}}}, RandomGamma]}}]
"""
MIXED = RECIPE.replace("[{Affine", "[{mosaic: {p: 1}}, {Affine")
POLICY = f"""# {MARK}
version: 1
copies: 2
transforms: [{{policy: found.yaml}}, {{background: {{folder: backs, p: 1}}}}]
"""
POLICIES = f"# {MARK}\nversion: 1\npolicies:\n- [{{Posterize: {{p: 1, m: 8}}}}, {{Rotate: {{p: 1, m: 9}}}}]\n"


def _sets() -> Mapping[str, Mapping[str, Any]]:
    """A small dataset of each format, MARK in its classes and in a name."""
    images = wild_data.images()
    made: dict[str, Mapping[str, Any]] = {
        "folder": {
            f"{MARK}/a.png": wild_data.png(0),
            f"{MARK}/{MARK}.jpg": wild_data.jpeg(),
            "dog/b.png": wild_data.png(1),
        },
        "table": wild_data.table(f"a.png,{MARK}"),
        "coco": wild_data.coco([wild_data.COCO_BOX], names=(MARK, "dog")),
        "yolo": wild_data.yolo(wild_data.YOLO_LINE + "\n", names=f"[{MARK}, dog]"),
        "voc": wild_data.voc(wild_data.voc_xml(wild_data.voc_object(MARK, (5, 5, 15, 13)))),
        "dota": wild_data.dota(f"5 5 15 5 15 13 5 13 {MARK} 0\n"),
        "labelme": wild_data.labelme(wild_data.labelme_json([{"label": MARK, "points": [[5, 5], [15, 13]]}])),
        "cvat": wild_data.cvat(wild_data.CVAT_BOX.replace("cat", MARK)),
        "masks": wild_data.masks(wild_data.mask()),
        "hf": {**images, "metadata.jsonl": wild_data.HF_ROW.replace("cat", MARK) + "\n" + wild_data.HF_B + "\n"},
        "createml": wild_data.createml([{**wild_data.ML_BOX, "label": MARK}]),
        "openimages": wild_data.openimages(f"a.png,40,30,{MARK},5,5,15,13"),
        "webdataset": {"0.tar": label_sets.tar({**label_sets.member(0), **label_sets.member(1)})},
    }
    return made


SETS = _sets()


def _watched(folder: Path, words: Sequence[str], output: str = "out") -> tuple[int, str, list[Any], int]:
    """Exit code, what was said, what tripped a wire, and how many processes were watched."""
    log = folder / "log"
    log.mkdir(exist_ok=True)
    for place in ("home", "tmp"):
        (folder / place).mkdir(exist_ok=True)
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith("COV")},
        "PYTHONPATH": f"{WIRES}{os.pathsep}{ROOT}",
        "PYTHONDONTWRITEBYTECODE": "1",
        "HOME": str(folder / "home"),
        "TMPDIR": str(folder / "tmp"),
        "TRIPWIRE_LOG": str(log),
        "TRIPWIRE_OUTPUT": str((folder / output).resolve()),
        "TRIPWIRE_MARK": MARK,
    }
    line = [sys.executable, "-m", "augx", *words] if words[0] != "-c" else [sys.executable, *words]
    done = subprocess.run(line, cwd=folder, env=environment, capture_output=True, text=True, timeout=120)
    lines = [json.loads(text) for path in log.iterdir() for text in path.read_text().splitlines()]
    watched = len(list(log.iterdir()))
    for path in log.iterdir():
        path.unlink()
    return done.returncode, done.stdout + done.stderr, [line for line in lines if line[0]], watched


def _plant(folder: Path, files: Mapping[str, Any], recipe: str) -> None:
    label_sets.plant(folder / "in", files)
    label_sets.plant(folder / "backs", {"a.png": wild_data.png(5), "b.jpg": wild_data.jpeg()})
    (folder / "recipe.yaml").write_text(recipe)
    (folder / "found.yaml").write_text(POLICIES)


def _runs(folder: Path, *planned: str) -> None:
    """Makes OUTPUT and looks at it with every other command; no wire is tripped. `planned`: what a plan depends on."""
    words = ("run", "in", "out", *planned, "-j", "1")
    code, said, tripped, watched = _watched(folder, words)
    assert (code, tripped) == (0, []), said
    assert watched >= 2  # a worker, too
    made = json.loads((folder / "out" / "manifest.jsonl").read_text("utf-8").split("\n")[-2])["file_name"]
    asked: list[tuple[Sequence[str], str]] = [
        (words, "out"), (("verify", "out"), "out"), (("check", "in", "out", *planned), "out"),
        (("replay", "out", made, "-o", "again.png"), "again.png"), (("plan", "in", *planned), "none"),
        (("preview", "in", *planned, "-o", "sheet.png"), "sheet.png"),
        (("report", "out", "-o", "r.html"), "r.html"),
    ]  # fmt: skip
    for more, output in asked:
        code, said, tripped, _ = _watched(folder, more, output)
        assert tripped == [], more
        assert code in (0, 1), said


@pytest.mark.slow
@pytest.mark.parametrize("form", SETS)
def test_formats(form: str, tmp_path: Path) -> None:
    _plant(tmp_path, SETS[form], MIXED)
    target = ("--to", "hf") if form == "webdataset" else ()
    _runs(tmp_path, "-r", "recipe.yaml", "--from", form, "--hard-labels", *target)


@pytest.mark.slow
@pytest.mark.parametrize("name", bundled.texts())
def test_bundled_recipes(name: str, tmp_path: Path) -> None:
    form = {"segmentation": "masks", "classification": "folder", "aerial": "dota"}.get(name, "coco")
    _plant(tmp_path, SETS[form], RECIPE)
    _runs(tmp_path, "-r", name)


def test_a_run_with_all_that_a_recipe_can_name(tmp_path: Path) -> None:
    _plant(tmp_path, SETS["coco"], POLICY)
    code, said, tripped, watched = _watched(tmp_path, ("run", "in", "out", "-r", "recipe.yaml", "-j", "1"))
    assert (code, tripped) == (0, []), said
    assert watched >= 2


@pytest.mark.parametrize(
    ("program", "event"),
    [
        ("import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM)", "socket.__new__"),
        ("import socket; socket.getaddrinfo('localhost', 1)", "socket.getaddrinfo"),
        ("import subprocess; subprocess.run(['true'])", "subprocess.Popen"),
        ("import os; os.system('true')", "os.system"),
        ("import pickle; pickle.loads(b'cposix\\ngetpid\\n.')", "pickle.find_class"),
        (f"eval('len(' + chr(34) + {MARK[:5]!r} + {MARK[5:]!r} + chr(34) + ')')", "compile"),
        ("open('elsewhere', 'w')", "open"),
        ("import os; os.mkdir('elsewhere')", "os.mkdir"),
        ("import os; os.rename('home', 'elsewhere')", "os.rename"),
        ("import multiprocessing as m; m.get_context('spawn').Process(target=open, args=('x', 'w')).start()", "open"),
    ],
)
def test_each_wire_is_tripped_by_what_it_is_for(program: str, event: str, tmp_path: Path) -> None:
    """Else the tests above would say nothing."""
    _, said, tripped, _ = _watched(tmp_path, ("-c", program))
    assert event in [name for name, _ in tripped], said
