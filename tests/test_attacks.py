"""Crafted, damaged and unlucky data: what once broke a promise must not break it again.

Three promises above all: nothing outside OUTPUT is touched, OUTPUT comes to what a fresh run makes, and whatever a
user can cause ends with words and an exit code, never with a traceback or by waiting for ever.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import pytest
import yaml
from conftest import encoded, failures, index, rows, tree
from running import Silent, a_recipe, fresh, run

from augx import engine as runner
from augx import formats, journal, verify
from augx import plan as planning
from augx import recipe as recipes
from augx.cli import call
from augx.cli import output as cli_output
from augx.engine import Request
from augx.errors import AugxError, InputError, OutputError, Refused, Stopped
from augx.formats import ReadOptions
from augx.model import Dataset
from augx.replay import replay
from augx.store import Folder
from augx.survey import survey
from augx.transforms.problems import check as check_arguments

AUGX = [sys.executable, "-m", "augx"]
HERE = os.path.dirname(os.path.abspath(__file__))
ENVIRONMENT = os.environ | {
    "NO_ALBUMENTATIONS_UPDATE": "1",
    "PYTHONPATH": os.pathsep.join([os.path.dirname(HERE), HERE]),
}


def images(root: Path, *names: str) -> Path:
    """A folder with a picture under each name."""
    for number, name in enumerate(names):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(encoded(number))
    return root


def a_table(root: Path, text: str, name: str = "labels.csv") -> Path:
    """0.jpg, 1.jpg, 2.jpg and a table of them."""
    images(root, "0.jpg", "1.jpg", "2.jpg")
    (root / name).write_text(text, "utf-8")
    return root


def read(root: Path, wanted: str | None = "table") -> Dataset:
    return formats.detect(str(root), wanted).read(str(root), ReadOptions())


def check(input: Path, output: Path, **request: Any) -> list[str]:
    return runner.check(Request(str(input), str(output), request.pop("recipe", a_recipe()), **request))


def verified(output: Path) -> list[str]:
    return verify.verify(str(output), 1)[1]


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return a_table(tmp_path / "table", "file_name,label,age\n0.jpg,cat,3\n1.jpg,dog,4\n2.jpg,cat,5\n")


@pytest.fixture
def done(table: Path, tmp_path: Path) -> Path:
    """OUTPUT of `table`, finished."""
    run(table, tmp_path / "out")
    return tmp_path / "out"


# Names


@pytest.mark.parametrize("to", [("table",), ("folder",)])
@pytest.mark.parametrize("name", ["manifest.jsonl", "failures.jsonl", "summary.json", "labels.csv", "Summary.JSON"])
def test_folders_of_images_called_like_a_file_of_ours(tmp_path: Path, name: str, to: tuple[str, ...]) -> None:
    source = images(tmp_path / "in", f"{name}/1.jpg", "b/1.jpg")
    if (name, to) == ("labels.csv", ("folder",)):
        return  # a class like any other: no table is written
    with pytest.raises(InputError, match=r"manifest\.jsonl|failures|(?i:summary\.json)|labels\.csv"):
        run(source, tmp_path / "out", from_format="folder", to_formats=to)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("names", "image_format"),
    [
        (("c/1.jpg", "c/1_aug01.jpg/x.jpg"), "keep"),
        (("c/1.jpg", "c/1_AUG02.JPG/deep/x.jpg"), "keep"),
        (("c/1.jpg", "c/1.png/x.jpg"), "png"),
        (("c/1", "c/1.png/x.jpg"), "keep"),
        (("c/1.jpg", "c/1.jpeg", "c/1.png/x.jpg", "c/1_aug01.png/y.jpg"), "png"),
    ],
)
def test_an_image_and_a_folder_never_get_one_name(tmp_path: Path, names: tuple[str, ...], image_format: str) -> None:
    source, output = images(tmp_path / "in", *names), tmp_path / "out"
    recipe = a_recipe(output={"image": {"format": image_format}})
    outcome = run(source, output, recipe, from_format="folder", to_formats=("table",))
    assert (outcome.made, outcome.failed) == (3 * len(names), 0)
    assert verified(output) == []
    assert len({row["file_name"].casefold() for row in rows(output)}) == 3 * len(names)
    assert run(source, output, recipe, from_format="folder", to_formats=("table",)).made == 0


def test_a_path_too_long_for_the_system_fails_alone(tmp_path: Path) -> None:
    """Under another OUTPUT it fits: so it says nothing about the source, and is tried again."""
    source = images(tmp_path / "in", "cat/1.jpg", f"{'d' * 200}/1.jpg")
    root = tmp_path
    while len(str(root)) < 3700:
        root /= "o" * 150
    root /= "o" * (3960 - len(str(root)))
    outcome = run(source, root)
    assert (outcome.made, outcome.failed) == (3, 3)
    assert {(row["source"], row["error"], row["stage"]) for row in failures(root)} == {
        (f"{'d' * 200}/1.jpg", "name-too-long", "write")
    }
    os.replace(root, tmp_path / "short")
    outcome = run(source, tmp_path / "short")
    assert (outcome.made, outcome.kept, outcome.failed) == (3, 3, 0)
    assert tree(tmp_path / "short") == tree(fresh(source, tmp_path / "short"))


@pytest.mark.parametrize(
    "name",
    ["o" * 300, "/".join(["o" * 200] * 25), "file/out", "file", "loop/out", "loop", "full"],
)
def test_an_output_that_cannot_be_is_refused(table: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_bytes(b"x")
    (tmp_path / "loop").symlink_to("loop")
    if name == "full":  # it can be made itself, but nothing in it
        name = "/".join(["o" * 150] * 27)
        name = name[: 4090 - len(str(tmp_path))].rstrip("/")
    with pytest.raises(Refused):
        run(table, tmp_path / name)
    assert (tmp_path / "file").read_bytes() == b"x"


@pytest.mark.parametrize(("input", "out", "says"), [("", "out", "INPUT is empty"), ("in", "", "OUTPUT is empty")])
def test_empty_names(input: str, out: str, says: str) -> None:
    with pytest.raises(OutputError, match=says):
        runner.run(Request(input, out, a_recipe()), Silent(), recipes.check_transforms)


# Tables


BAD_CELLS = [f"cat:{'9' * 400}|dog:0.5", "cat:1.5|dog:0.5", "cat:1.0000001|dog:0.5"]
BAD_LABELS = [
    '{"labels": {"cat": 2}}',
    '{"labels": {"cat": 1%s}}' % ("0" * 400),
    '{"labels": {"cat": -0.5}}',
    '{"labels": {"cat": 1e400}}',
    '{"labels": {"cat": NaN}}',
    '{"labels": {"cat": true}}',
    '{"labels": {"cat": "0.5"}}',
    '{"labels": {"cat": null}}',
    '{"labels": {" cat ": 0.5, "cat": 0.25}}',
    '{"labels": [["cat"]]}',
    '{"label": "cat", "label": "dog"}',
]  # fmt: skip


@pytest.mark.parametrize("cell", BAD_CELLS)
def test_a_weight_that_is_none_in_a_cell(tmp_path: Path, cell: str) -> None:
    found = read(a_table(tmp_path / "in", f"file_name,labels\n0.jpg,{cell}\n1.jpg,dog:1\n2.jpg,cat:0.25|dog:0.75\n"))
    assert [(flaw.source, flaw.code) for flaw in found.failed] == [("0.jpg", "unreadable-row")]
    assert [sample.annotations.labels for sample in found.samples] == [{"dog": 1.0}, {"cat": 0.25, "dog": 0.75}]


@pytest.mark.parametrize("row", BAD_LABELS)
def test_labels_that_are_none_in_jsonl(tmp_path: Path, row: str) -> None:
    lines = ['{"file_name": "0.jpg", ' + row[1:], '{"file_name": "1.jpg", "label": "dog"}']
    lines.append('{"file_name": "2.jpg", "labels": {"cat": 0.25, "": 0.5}}')
    for root in (tmp_path / "in", tmp_path / "other"):
        a_table(root, "\n".join(lines if root.name == "in" else lines[::-1]), "labels.jsonl")
        found = read(root, None)
        assert [flaw.code for flaw in found.failed] == ["unreadable-row"]
        assert [sample.annotations.labels for sample in found.samples] == [{"dog": 1.0}, {"cat": 0.25}]


def test_what_run_takes_verify_takes(tmp_path: Path) -> None:
    """Weights that sum to 1 but for rounding, one of them above it; and a row too many."""
    source = a_table(tmp_path / "in", "file_name,cat,dog\n0.jpg,1.0005,0\n1.jpg,0,1\n2.jpg,0.5,0.5\n")
    run(source, tmp_path / "out")
    assert [row["labels"] for row in rows(tmp_path / "out")[::3]] == [{"cat": 1}, {"dog": 1}, {"cat": 0.5, "dog": 0.5}]
    assert verified(tmp_path / "out") == []
    weights = a_table(tmp_path / "other", "file_name,labels\n0.jpg,cat:1.5|dog:0.5\n1.jpg,dog:1\n2.jpg,cat:0.5\n")
    assert run(weights, tmp_path / "weights").failed == 3
    assert {(row["source"], row["error"]) for row in failures(tmp_path / "weights")} == {("0.jpg", "unreadable-row")}
    assert verified(tmp_path / "weights") == []


def test_an_ambiguous_path_is_told_in_the_same_words(tmp_path: Path) -> None:
    """Whatever the order in which a set is gone through."""
    source = images(tmp_path / "in", *(f"{letter}/x.jpg" for letter in "hgfedcbakjiml"), "1.jpg")
    (source / "labels.csv").write_text("file_name,label\nx.jpg,a\n1.jpg,b\n")
    script = """if True:
        import sys; from running import a_recipe; from augx import engine as run
        plan, _ = run.read(run.Request(sys.argv[1], "", a_recipe(), "table"))
        print([flaw.message for flaw in plan.dataset.failed], plan.dataset.warnings)"""
    told = [
        subprocess.run(
            [sys.executable, "-c", script, str(source)],
            env=ENVIRONMENT | {"PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert told[0] == told[1]
    assert b"labels.csv:2: it may mean a/x.jpg or b/x.jpg" in told[0]


def test_columns_that_class_folders_cannot_hold(table: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="age") as caught:
        run(table, tmp_path / "out", to_formats=("folder",))
    assert "--to table" in caught.value.hint
    assert not (tmp_path / "out").exists()
    assert run(table, tmp_path / "out", to_formats=("folder", "table")).made == 9


@pytest.mark.parametrize("links", [("a", "b"), ("y", "z"), ("c/a", "c/b"), ("c/y", "d/z")])
@pytest.mark.parametrize("labels", ["folder", "table"])
def test_links_that_loop_hide_nothing_else(tmp_path: Path, links: tuple[str, str], labels: str) -> None:
    root = images(tmp_path / "in", "c/1.jpg", "d/2.jpg", "e/3.jpg")
    if labels == "table":
        (root / "labels.csv").write_text("file_name,label\nc/1.jpg,c\nd/2.jpg,d\ne/3.jpg,e\n")
    for one, other in (links, links[::-1]):
        (root / one).symlink_to(root / other)
    found = read(root, None)
    assert found.format == labels
    assert [(s.id, *s.annotations.labels) for s in found.samples] == [
        ("c/1.jpg", "c"), ("d/2.jpg", "d"), ("e/3.jpg", "e")
    ]  # fmt: skip
    assert [(flaw.source, flaw.code) for flaw in found.failed] == [(link, "link-broken") for link in sorted(links)]


@pytest.mark.parametrize(
    "names",
    [
        ("images/1.jpg", "v1.2/labels/1.png", "v1.2/instances/1.png"),
    ],
)
def test_label_pictures_are_not_taken_for_photos(tmp_path: Path, names: tuple[str, ...]) -> None:
    with pytest.raises(InputError, match="looks like labels"):
        read(images(tmp_path / "in", *names), None)


# Names that lead out of OUTPUT


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    path = tmp_path / "victim.jpg"
    path.write_bytes(b"precious")
    return path


def sealed(content: bytes) -> bytes:
    """As the files of our own folder end."""
    return content + journal.dump({"sha256": hashlib.sha256(content).hexdigest()})


def resigned(output: Path, **changed: Any) -> None:
    """A summary that says something else, under a digest that is right."""
    summary = json.loads((output / "summary.json").read_bytes()) | changed
    (output / "summary.json").write_bytes(journal.summary_text(journal.signed(summary)))


def into_intent(output: Path, name: str, sha256: str) -> None:
    (output / ".augx" / "intent.jsonl").write_bytes(sealed(journal.dump([name, 0])))


def into_summary(output: Path, name: str, sha256: str) -> None:
    resigned(output, plan="x", files={name: sha256})


def into_manifest(output: Path, name: str, sha256: str) -> None:
    """A consistent forgery: the summary bears the digest of the manifest with the strange row."""
    row = rows(output)[0] | {"file_name": name, "source": "gone.jpg", "sha256": sha256, "copy": 0}
    with open(output / "manifest.jsonl", "a") as file:
        file.write(json.dumps(row) + "\n")
    content = (output / "manifest.jsonl").read_bytes()
    resigned(output, manifest={"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)})
    index(output).unlink()


def strange_entry(output: Path, name: str) -> dict[str, Any]:
    entry: dict[str, Any] = json.loads(index(output).read_bytes().splitlines()[1])
    stem, ending = os.path.splitext(name)
    return entry | {"source": "gone.jpg", "stem": stem, "ending": ending, "copies": [0]}


def into_index(output: Path, name: str, sha256: str) -> None:
    head, *lines, _ = index(output).read_bytes().splitlines(keepends=True)
    head = journal.dump(json.loads(head) | {"files": ["labels.csv", name]})
    index(output).write_bytes(sealed(b"".join([head, journal.dump(strange_entry(output, name)), *lines])))


def into_segment(output: Path, name: str, sha256: str) -> None:
    row = journal.dump(rows(output)[0] | {"file_name": name, "sha256": sha256})
    (output / ".augx" / "journal").mkdir()
    content = sealed(journal.dump(strange_entry(output, name) | {"length": len(row)}) + row)
    (output / ".augx" / "journal" / "0000.0000000.jsonl").write_bytes(content)


@pytest.mark.parametrize("name", ["../victim.jpg", "cat/../../victim.jpg", "/victim.jpg", "a\0.jpg"])
@pytest.mark.parametrize("forge", [into_intent, into_summary, into_manifest, into_index, into_segment])
def test_a_name_that_leads_out_of_output(
    table: Path, done: Path, victim: Path, forge: Callable[[Path, str, str], None], name: str
) -> None:
    if name == "/victim.jpg":
        name = str(victim)
    forge(done, name, hashlib.sha256(victim.read_bytes()).hexdigest())
    verified(done)
    check(table, done)
    run(table, done)
    assert victim.read_bytes() == b"precious"
    assert tree(done) == tree(fresh(table, done))


def test_label_files_elsewhere_are_not_taken_for_ours(table: Path, done: Path, victim: Path) -> None:
    """Nothing but the name is strange: the summary is as it was otherwise."""
    summary = json.loads((done / "summary.json").read_bytes())
    summary["files"] |= {"../victim.jpg": hashlib.sha256(victim.read_bytes()).hexdigest()}
    (done / "summary.json").write_text(json.dumps(summary))
    assert run(table, done).made == 0
    assert victim.read_bytes() == b"precious"
    assert tree(done) == tree(fresh(table, done))


@pytest.mark.parametrize("linked", ["input", "elsewhere"])
def test_a_class_folder_that_became_a_link(photos: Path, tmp_path: Path, linked: str) -> None:
    output, others = tmp_path / "out", images(tmp_path / "others", "dog/1.jpg", "emu/1.jpg")
    run(photos, output)
    if linked == "elsewhere":
        shutil.move(output / "cat", tmp_path / "elsewhere")
        target = tmp_path / "elsewhere"
    else:
        shutil.rmtree(output / "cat")
        target = photos / "cat"
    (output / "cat").symlink_to(target)
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in sorted(target.iterdir())}
    with pytest.raises(OutputError, match="cat"):
        run(photos, output)
    run(others, output)
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in sorted(target.iterdir())} == before


@pytest.mark.parametrize("what", ["ours", "foreign"])
def test_our_own_folder_as_a_link(table: Path, done: Path, tmp_path: Path, what: str) -> None:
    elsewhere = tmp_path / "elsewhere"
    if what == "ours":
        shutil.move(done / ".augx", elsewhere)
    else:
        shutil.rmtree(done / ".augx")
    for name in ("tmp/mine.txt", "journal/mine.txt", "journal/0000.0000000.jsonl", "mine.txt"):
        (elsewhere / name).parent.mkdir(parents=True, exist_ok=True)
        (elsewhere / name).write_text("precious")
    (done / ".augx").symlink_to(elsewhere)
    before = tree(elsewhere)
    images(table, "2.jpg")
    with pytest.raises(OutputError):
        run(table, done)
    assert tree(elsewhere) == before


def test_our_own_folders_inside_as_links(table: Path, done: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    for name in ("tmp", "journal"):
        (elsewhere / name).mkdir(parents=True)
        (elsewhere / name / "0000.0000000.jsonl").write_text("precious")
        (done / ".augx" / name).symlink_to(elsewhere / name)
    (table / "2.jpg").write_bytes(encoded(9))
    try:
        run(table, done)
    except Refused:
        pass
    assert {name: (elsewhere / name / "0000.0000000.jsonl").read_text() for name in ("tmp", "journal")} == {
        "tmp": "precious", "journal": "precious"
    }  # fmt: skip


def test_a_folder_with_a_strange_own_folder_is_foreign(table: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    for name in (".augx/journal/mine.txt", ".augx/tmp/mine.txt", "mine.jpg"):
        (output / name).parent.mkdir(parents=True, exist_ok=True)
        (output / name).write_text("mine")
    before = tree(output)
    with pytest.raises(OutputError, match="holds files that augx did not write"):
        run(table, output)
    assert tree(output) == before


def test_only_what_is_called_like_a_segment_is_deleted(table: Path, done: Path) -> None:
    for name in ("journal/mine.txt", "journal/0000.0000001.jsonl.bak", "notes.txt", "mine-index.jsonl"):
        (done / ".augx" / name).parent.mkdir(exist_ok=True)
        (done / ".augx" / name).write_text("mine")
    (table / "2.jpg").write_bytes(encoded(9))
    assert run(table, done).made == 3
    assert tree(done).keys() >= {
        ".augx/journal/mine.txt", ".augx/journal/0000.0000001.jsonl.bak", ".augx/notes.txt", ".augx/mine-index.jsonl"
    }  # fmt: skip


# Strange things in place of files


STATE = ("summary.json", "manifest.jsonl", "failures.jsonl", "labels.csv", "INDEX", ".augx/intent.jsonl",
         ".augx/journal/0000.0000001.jsonl", ".augx/lock")  # fmt: skip
IN_PLACE = """if True:
    import json, os, shutil, signal, sys
    from augx.cli import call
    done, table, recipe, kind, verb, *names = sys.argv[1:]
    signal.alarm(40)  # whoever waits for ever is ended
    for number, name in enumerate(names):
        output = f"{done}-{kind}-{verb}-{number}"
        shutil.copytree(done, output, symlinks=True)
        if name == "INDEX":
            name = ".augx/" + next(n for n in os.listdir(f"{output}/.augx") if n.startswith("index-"))
        path = os.path.join(output, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if os.path.exists(path):
            os.unlink(path)
        {"fifo": os.mkfifo, "folder": os.mkdir}[kind](path)
        arguments = {"run": [table, output, "-r", recipe, "-q", "-j0"], "check": [table, output, "-r", recipe],
                     "verify": [output]}[verb]
        print(json.dumps([names[number], call([verb, *arguments])]), file=sys.__stderr__, flush=True)
"""


@pytest.mark.parametrize("kind", ["fifo", "folder"])
@pytest.mark.parametrize("verb", ["run", "check", "verify"])
def test_a_pipe_or_folder_in_place_of_a_file_of_ours(
    table: Path, done: Path, tmp_path: Path, recipe: Callable[..., Path], kind: str, verb: str
) -> None:
    """Refused or found, at once. What run itself writes anew is written over, but for a folder."""
    arguments = [str(done), str(table), str(recipe(copies=2)), kind, verb, *STATE]
    ran = subprocess.run(
        [sys.executable, "-c", IN_PLACE, *arguments], env=ENVIRONMENT, capture_output=True, text=True, timeout=60
    )
    codes = dict(json.loads(line) for line in ran.stderr.splitlines() if line.startswith('["'))
    assert codes.keys() == set(STATE), ran.stderr
    assert "Traceback" not in ran.stderr
    if verb == "run":
        written = set() if kind == "folder" else {"failures.jsonl", "labels.csv"}
        assert codes == {name: 0 if name in written else 2 for name in STATE}
    elif verb == "check":
        stale = {"failures.jsonl", "labels.csv"}
        assert codes == {name: 1 if name in stale else 2 for name in STATE}
    else:
        ours = {name for name in STATE if name == "INDEX" or name.startswith(".augx")}
        assert codes == {name: 2 if name == "summary.json" else 0 if name in ours else 1 for name in STATE}


def test_a_pipe_in_place_of_an_image(done: Path) -> None:
    """Found by verify; replay, which would read the source there, says that it cannot."""
    (done / "0.jpg").unlink()
    os.mkfifo(done / "0.jpg")
    assert verified(done) == ["0.jpg: it cannot be read: it is no regular file"]
    script = """if True:
        import signal, sys; from augx.cli import call
        signal.alarm(20)
        sys.exit(call(["replay", sys.argv[1], "0_aug01.jpg", "-o", sys.argv[1] + ".jpg"]))"""
    ran = subprocess.run([sys.executable, "-c", script, str(done)], env=ENVIRONMENT, capture_output=True, text=True)
    assert ran.returncode == 2
    assert "say where it is with --input" in ran.stderr


JUNK = {
    "deep list": b"[" * 200_000,
    "deep object": b'{"a":' * 100_000,
    "zeros": b"\0" * 99,
    "others": b'\xff\xfe\n[]\n1\nnull\n"x"\n{}\n["x"]\n["x", -1]\n[[], {}]\n[1, 1]\n',
}
STRANGE: tuple[Any, ...] = (None, True, 1, -1, 1.5, 10**30, "", "x", "../x", [], [1], [[1]], [{}], {}, [{"copy": []}])


def state_file(output: Path, name: str) -> Path:
    if name == "index":
        return index(output)
    path = output / name
    path.parent.mkdir(exist_ok=True)
    return path


def looked_at(input: Path, output: Path) -> None:
    """What only reads ends with our own errors at most."""
    for look in (
        lambda: check(input, output),
        lambda: verified(output),
        lambda: replay(str(output), "0_aug01.jpg", str(output.parent / "replayed.jpg"), str(input)),
        lambda: replay(str(output), "0_aug01.jpg", str(output.parent / "replayed.jpg"), None),
    ):
        try:
            look()
        except AugxError:
            pass


@pytest.mark.parametrize("junk", JUNK)
@pytest.mark.parametrize(
    "name", ["summary.json", "manifest.jsonl", "index", ".augx/intent.jsonl", ".augx/journal/0000.0000001.jsonl"]
)
def test_junk_in_place_of_a_state_file(table: Path, done: Path, name: str, junk: str) -> None:
    state_file(done, name).write_bytes(JUNK[junk])
    looked_at(table, done)
    run(table, done)
    assert tree(done) == tree(fresh(table, done))


def changed(line: dict[str, Any]) -> list[dict[str, Any]]:
    """`line` with a strange value for each key, and without each."""
    others = [line | {key: value} for key in line for value in STRANGE if value != line[key]]
    return others + [{k: v for k, v in line.items() if k != key} for key in line]


@pytest.mark.parametrize("name", ["index", ".augx/journal/0000.0000001.jsonl"])
def test_strange_values_in_a_line_of_the_journal(table: Path, done: Path, name: str) -> None:
    """The journal says less then, or what is said by others; it never raises."""
    path = state_file(done, name)
    head, line, *others = index(done).read_bytes().splitlines(keepends=True)
    folder, request = Folder(str(done)), Request(str(table), str(done), a_recipe())
    plan, _ = runner.read(request)
    for one in changed(json.loads(line)):
        strange = journal.dump(one)
        path.write_bytes(b"".join([head, strange, *others]) if name == "index" else sealed(strange))
        state = journal.load(folder)
        found = survey(plan, state, folder)
        assert {"1.jpg", "2.jpg"} <= state.entries.keys() and found.kept >= 6, one


LIES: list[dict[str, Any]] = [
    {"length": 10}, {"offset": 7}, {"offset": 10**9}, {"length": 10**6}, {"copies": [0]}, {"copies": [0, 1, 2, 3]},
    {"copies": [2, 1, 0]}, {"copies": [0, 0, 0]}, {"stem": "1"}, {"source": 1}, {"size": "x"}, {"copies": [[1]]},
    {"failed": [1]}, {"failed": [{"copy": 1, "error": "x"}]}, {"sha256": "x"}, {"key": "x"},
]  # fmt: skip


@pytest.mark.parametrize("lie", LIES)
def test_an_index_that_lies(table: Path, done: Path, lie: dict[str, Any]) -> None:
    """The manifest is there, and tells as much: no line of it is lost or torn by what the index says."""
    head, line, *others = index(done).read_text("utf-8").splitlines()
    index(done).write_text("\n".join([head, json.dumps(json.loads(line) | lie), *others]) + "\n")
    images(table, "3.jpg")
    (table / "labels.csv").write_text("file_name,label,age\n0.jpg,cat,3\n1.jpg,dog,4\n2.jpg,cat,5\n3.jpg,dog,6\n")
    run(table, done)
    assert verified(done) == []
    assert tree(done) == tree(fresh(table, done))


def test_an_index_that_lies_under_seal(table: Path, done: Path, tmp_path: Path) -> None:
    """Whoever makes the digest anew can deceive, but break nothing: run ends, or says what is wrong."""
    images(table, "3.jpg")
    (table / "labels.csv").write_text("file_name,label,age\n0.jpg,cat,3\n1.jpg,dog,4\n2.jpg,cat,5\n3.jpg,dog,6\n")
    head, line, *others = index(done).read_bytes().splitlines(keepends=True)
    for number, lie in enumerate(LIES):
        output = tmp_path / f"lie-{number}"
        shutil.copytree(done, output)
        index(output).write_bytes(sealed(b"".join([head, journal.dump(json.loads(line) | lie), *others[:-1]])))
        looked_at(table, output)
        try:
            run(table, output)
        except AugxError as error:
            assert error.hint, lie


def test_strange_values_in_the_summary(table: Path, done: Path) -> None:
    told = json.loads((done / "summary.json").read_bytes())
    expected = tree(done)
    strange: list[dict[str, Any]] = [
        {"files": files} for files in ({"a\0b": "x"}, {"labels.csv": 5}, {"": ""}, {"labels.csv": [1]})
    ]
    strange += [{"manifest": manifest} for manifest in ({}, {"sha256": 5}, {"sha256": "x", "bytes": 1})]
    strange += [{"counts": counts} for counts in ({}, {"images": "x"}, told["counts"] | {"equal": "x"})]
    strange += [{"manifest": told["manifest"] | {"bytes": 1}}, {"plan": "x"}, {"failures_sha256": "x"}, {"recipe": {}}]
    strange += [{"versions": {}}]
    for summary in strange:
        resigned(done, **summary)
        looked_at(table, done)
        assert run(table, done).made == 0
        assert tree(done) == expected, summary


# Files of OUTPUT that were changed or lost


@pytest.mark.parametrize("name", ["labels.csv", "failures.jsonl"])
@pytest.mark.parametrize("content", [b"", b"file_name,label\n", None])
def test_a_changed_label_file_is_written_again(table: Path, done: Path, name: str, content: bytes | None) -> None:
    expected = tree(done)
    if content is None:
        (done / name).unlink()
    elif content == (done / name).read_bytes():
        return
    else:
        (done / name).write_bytes(content)
    assert check(table, done) != []
    assert run(table, done).made == 0
    assert tree(done) == expected
    assert check(table, done) == []


@pytest.mark.parametrize(
    "lost",
    [("summary.json",), ("manifest.jsonl",), ("index",), ("labels.csv",),
     ("manifest.jsonl", "summary.json"), ("labels.csv", "manifest.jsonl"), ("failures.jsonl", "index")],
)  # fmt: skip
def test_a_lost_state_file(table: Path, done: Path, lost: tuple[str, ...]) -> None:
    expected = tree(done)
    for name in lost:
        state_file(done, name).unlink()
    assert check(table, done) != []
    run(table, done)
    assert tree(done) == expected
    assert run(table, done).made == 0


def edited(**keys: Any) -> Callable[[list[dict[str, Any]]], list[dict[str, Any]]]:
    return lambda found: [found[0] | keys, *found[1:]]


@pytest.mark.parametrize(
    "edit",
    [
        edited(label="dog", labels={"dog": 1.0}),
        edited(labels={"cat": 0.5}),
        edited(values={"age": 30}),
        edited(file_name="0_aug01.jpg"),
        edited(transforms=[{"name": "VerticalFlip", "params": {}}]),
        edited(sha256="0" * 64),
        edited(copy=7),
        edited(source="1.jpg"),
        lambda found: found[1:],
        lambda found: [*found, found[0]],
        lambda found: found[::-1],
    ],
)
def test_an_edited_row_is_not_taken_over(
    table: Path, done: Path, edit: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]
) -> None:
    (done / "manifest.jsonl").write_bytes(b"".join(map(journal.dump, edit(rows(done)))))
    assert verified(done) != []
    assert check(table, done) != []
    run(table, done)
    assert verified(done) == []
    assert tree(done) == tree(fresh(table, done))


@pytest.mark.parametrize("label", ["dog", "emu"])
def test_an_edited_row_without_an_index(table: Path, done: Path, label: str) -> None:
    found = rows(done)
    found[1] |= {"label": label, "labels": {label: 1.0}}
    (done / "manifest.jsonl").write_bytes(b"".join(map(journal.dump, found)))
    index(done).unlink()
    run(table, done)
    assert tree(done) == tree(fresh(table, done))


def test_a_lost_row_without_an_index(table: Path, done: Path) -> None:
    """Nothing but the date of its source says then that the image is ours; without it, it is not written over."""
    before = tree(done)
    (done / "manifest.jsonl").write_bytes(b"".join(map(journal.dump, rows(done)[1:])))
    index(done).unlink()
    date = (done / "0.jpg").stat().st_mtime_ns
    os.utime(done / "0.jpg")
    with pytest.raises(OutputError, match=r"did not write: 0\.jpg"):
        run(table, done)
    assert tree(done)["0.jpg"] == before["0.jpg"]
    os.utime(done / "0.jpg", ns=(date, date))
    run(table, done)
    assert tree(done) == before


def test_an_order_of_failures_that_depends_on_no_history(photos: Path, tmp_path: Path) -> None:
    (photos / "cat" / "broken.jpg").write_bytes(b"x")
    run(photos, tmp_path / "out", a_recipe(originals=False))
    run(photos, tmp_path / "out")
    assert tree(tmp_path / "out") == tree(fresh(photos, tmp_path / "out"))


# Changes of INPUT that are in no sample


def other_delimiter(root: Path) -> None:
    (root / "labels.csv").write_text((root / "labels.csv").read_text().replace(",", ";"))


def other_column_order(root: Path) -> None:
    (root / "labels.csv").write_text("age,label,file_name\n3,cat,0.jpg\n4,dog,1.jpg\n5,cat,2.jpg\n")


def other_table_name(root: Path) -> None:
    (root / "labels.csv").rename(root / "train.csv")


def a_readme(root: Path) -> None:
    (root / "README.md").write_text("Photos")


def an_image_without_a_row(root: Path) -> None:
    images(root, "9.jpg")


def a_link_that_leads_out(root: Path) -> None:
    (root / "away.jpg").symlink_to(root.parent)


def a_blank_line(root: Path) -> None:
    """Which moves the line in the message of a failure."""
    (root / "labels.csv").write_text("\n" + (root / "labels.csv").read_text())


@pytest.mark.parametrize(
    "change",
    [
        other_delimiter, other_column_order, other_table_name, a_readme, an_image_without_a_row, a_link_that_leads_out,
        a_blank_line,
    ],
)  # fmt: skip
def test_what_is_in_no_sample_is_noticed(table: Path, tmp_path: Path, change: Callable[[Path], None]) -> None:
    with open(table / "labels.csv", "a") as file:
        file.write("gone.jpg,cat,6\n")
    output = tmp_path / "out"
    run(table, output)
    change(table)
    assert check(table, output) != []
    outcome = run(table, output)
    assert (outcome.made, outcome.kept, outcome.removed) == (0, 9, 0)
    assert tree(output) == tree(fresh(table, output))
    assert check(table, output) == []


@pytest.mark.parametrize("change", [other_delimiter, other_column_order, other_table_name])
def test_the_plan_hash_covers_label_files(table: Path, change: Callable[[Path], None]) -> None:
    def plan_hash() -> str:
        plan, _ = runner.read(Request(str(table), "", a_recipe()))
        return planning.plan_hash(plan, lambda job: "")

    before = plan_hash()
    change(table)
    assert plan_hash() != before


@pytest.mark.parametrize("how", ["swapped", "replaced"])
def test_sources_of_one_size_and_date(tmp_path: Path, how: str) -> None:
    """As an unpacked archive has them, with dates in whole seconds."""
    root, output = images(tmp_path / "in", "cat/0.jpg", "dog/1.jpg"), tmp_path / "out"
    one, other, spare = root / "cat" / "0.jpg", root / "dog" / "1.jpg", tmp_path / "spare.jpg"
    longest = max(one.stat().st_size, other.stat().st_size)
    for number, path in enumerate((one, other, spare)):
        path.write_bytes(encoded(number).ljust(longest + 99, b"\0")[: longest + 99])
        os.utime(path, (10**9, 10**9))
    run(root, output)
    if how == "swapped":
        one.rename(tmp_path / "x")
        other.rename(one)
        (tmp_path / "x").rename(other)
    else:
        spare.rename(one)
    assert check(root, output) != []
    assert run(root, output).made == (6 if how == "swapped" else 3)
    assert tree(output) == tree(fresh(root, output))


# The machine


@pytest.mark.parametrize(
    "error", [MemoryError(), cv2.error("OpenCV(4.14) alloc.cpp:73: error: (-4:x) Failed to allocate 363 bytes in f")]
)
@pytest.mark.parametrize(("step", "target"), [("Blur", "albumentations.Blur.apply"), ("VerticalFlip", "cv2.flip")])
def test_too_little_memory_says_nothing_about_the_image(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, step: str, target: str
) -> None:
    def refuse(*given: Any, **params: Any) -> Any:
        raise error

    recipe, output = a_recipe(f"[{{{step}: {{p: 1}}}}]"), tmp_path / "out"
    with monkeypatch.context() as patch:
        patch.setattr(target, refuse)
        assert run(photos, output, recipe).failed == 12
        assert {(row["error"], row["stage"]) for row in failures(output)} == {("out-of-memory", "transform")}
    outcome = run(photos, output, recipe)
    assert (outcome.made, outcome.kept, outcome.failed) == (12, 6, 0)
    assert tree(output) == tree(fresh(photos, output, recipe))


@pytest.mark.parametrize("call_name", ["pwrite", "ftruncate"])
def test_a_lock_that_cannot_bear_a_name(
    table: Path, done: Path, monkeypatch: pytest.MonkeyPatch, call_name: str
) -> None:
    """As on a full disk: the lock holds without it."""

    def full(*arguments: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    expected = tree(done)
    monkeypatch.setattr(os, call_name, full)
    assert run(table, done).made == 0
    (done / "0.jpg").unlink()
    assert run(table, done).made == 1
    monkeypatch.undo()
    run(table, done)
    assert tree(done) == expected


def test_an_output_that_is_deleted_meanwhile_does_not_rise_again(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Deletes(Silent):
        def step(self, made: int, failed: int) -> None:
            if made:
                shutil.rmtree(tmp_path / "out", ignore_errors=True)

    monkeypatch.setattr(planning, "_SHARD_SOURCES", 1)
    request = Request(str(photos), str(tmp_path / "out"), a_recipe(), workers=0)
    with pytest.raises(Stopped):
        runner.run(request, Deletes(), recipes.check_transforms)
    assert not (tmp_path / "out").exists()
    assert run(photos, tmp_path / "out").made == 18


@pytest.mark.parametrize(
    "transform",
    [
        "Superpixels: {n_segments: 65535}",
        "Superpixels: {max_size: 65535}",
        "ZoomBlur: {max_factor: [60000, 60001], step_factor: 0.01}",
        "ZoomBlur: {max_factor: [3, 4], step_factor: [0.000001, 0.000002]}",
        "Defocus: {radius: [5000, 5001]}",
        "RingingOvershoot: {blur_limit: [9999, 9999]}",
        "PiecewiseAffine: {nb_rows: 1000}",
        "PiecewiseAffine: {nb_cols: 1000}",
        "MotionBlur: {blur_limit: [20001, 20001]}",
        "AdvancedBlur: {blur_limit: 9999}",
        "MedianBlur: {blur_limit: 65535}",
        "ThinPlateSpline: {num_control_points: 120}",
        "GlassBlur: {iterations: 65535}",
        "GridDistortion: {num_steps: 65535}",
        "CLAHE: {tile_grid_size: [65535, 65535]}",
        "RandomRain: {drop_length: 65535}",
        "Downscale: {scale_range: [0, 0]}",
        "Affine: {shear: 89.9999, fit_output: true}",
        "Resize: {height: 65535, width: 65535}",
    ],
)
def test_arguments_that_would_fill_memory_or_never_end(transform: str) -> None:
    ((name, arguments),) = yaml.safe_load(f"{{{transform}}}").items()
    assert check_arguments(name, arguments) != []


# The command line


@pytest.fixture
def augx(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Runs a command line in this process: exit code, stdout, stderr."""

    def ran(*arguments: object) -> tuple[int, str, str]:
        capsys.readouterr()
        code = call([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return code, out, err

    return ran


Augx = Callable[..., tuple[int, str, str]]


def shell(line: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """`line` with `augx` in it, by the shell, in `folder`."""
    line = line.replace("augx", f"{shlex.quote(sys.executable)} -m augx")
    return subprocess.run(
        line,
        shell=True,
        cwd=folder,
        env=ENVIRONMENT | environment,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=60,
    )


@pytest.mark.parametrize("verb", [("run", "IN", "out"), ("plan", "IN"), ("check", "IN", "out"), ("validate",)])
def test_an_empty_recipe_name_is_no_recipe(table: Path, tmp_path: Path, augx: Augx, verb: tuple[str, ...]) -> None:
    arguments = [str(table) if word == "IN" else str(tmp_path / word) if word == "out" else word for word in verb]
    code, _, err = augx(*arguments, *(["-r"] if verb != ("validate",) else []), "")
    assert code == 2
    assert "Traceback" not in err
    assert not (tmp_path / "out").exists()


def test_a_terminal_that_cannot_show_a_name(tmp_path: Path, recipe: Callable[..., Path]) -> None:
    images(tmp_path / "in", "日本é/1.jpg", "b/2.jpg")
    recipe(copies=1)
    ran = shell("augx run in out -r recipe.yaml -j0", tmp_path, PYTHONIOENCODING="latin-1")
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.count(r"\u65e5\u672c") == 1
    assert tree(tmp_path / "out").keys() >= {"日本é/1.jpg", "日本é/1_aug01.jpg"}


def test_closed_standard_files(photos: Path, recipe: Callable[..., Path]) -> None:
    recipe(copies=1)
    assert shell("augx run photos out -r recipe.yaml -j0 <&- >&- 2>&-", photos.parent).returncode == 0
    assert len(rows(photos.parent / "out")) == 12


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")
@pytest.mark.parametrize("line", ["augx plan photos --json", "augx list transforms"])
def test_a_full_disk_under_stdout(photos: Path, line: str) -> None:
    ran = shell(f"{line} > /dev/full", photos.parent)
    assert ran.returncode == 3
    assert "No space left" in ran.stderr
    assert "Traceback" not in ran.stderr and "Exception ignored" not in ran.stderr


@pytest.mark.parametrize("line", ["list transforms", "--help"])
def test_a_pipe_nobody_reads(photos: Path, line: str) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    ran = subprocess.run(
        [*AUGX, *line.split()], stdout=writer, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT, cwd=photos.parent
    )
    os.close(writer)
    assert ran.returncode in (0, 141)
    assert ran.stderr == ""


def test_a_deleted_working_folder(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, augx: Augx) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    for arguments in (["run", photos, tmp_path / "out"], ["plan", photos], ["verify", tmp_path], ["list", "formats"]):
        code, out, err = augx(*arguments)
        assert (code, out) == (2, "")
        assert "the working folder has been deleted" in err
    assert not (tmp_path / "out").exists()


def test_a_line_of_progress_before_the_first_image(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cli_output, "_EVERY", 0.0)
    clock = iter(range(0, 1000, 31))
    monkeypatch.setattr(cli_output.time, "monotonic", lambda: float(next(clock)))
    progress = cli_output.Progress(quiet=False)
    progress.begin(images=10, kept=0)
    for made in (0, 0, 1, 4):
        progress.step(made, 0)
    progress.end()
    lines = capsys.readouterr().err.splitlines()
    assert [line.partition(",")[0] for line in lines] == ["1 of 10 images", "5 of 10 images"]
