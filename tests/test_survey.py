"""What is done, what is to do, and why: on a folder written by hand, with a plan that reads no picture."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from running import a_recipe

from augx import journal
from augx import plan as planning
from augx.journal import Entry, dump
from augx.model import Annotations, Dataset, Sample
from augx.naming import copy_name
from augx.plan import Plan
from augx.store import Folder, sha256_file
from augx.survey import Survey, hashes, survey


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    for name in "abc":
        (tmp_path / "in" / f"{name}.jpg").write_bytes(name.encode() * 10)
    return tmp_path


def a_plan(root: Path, names: str = "abc", label: str = "cat", copies: int = 2) -> Plan:
    samples = tuple(Sample(f"{name}.jpg", Annotations({label: 1.0})) for name in names)
    return planning.make(
        Dataset(str(root / "in"), "folder", samples), a_recipe(copies=copies), ("folder",), {"augx": "1"}
    )


def written(root: Path, plan: Plan, failing: tuple[int, ...] = (), error: str = "truncated") -> Folder:
    """A folder as if the plan had been made."""
    (root / "out" / ".augx").mkdir(parents=True)
    folder = Folder(str(root / "out"))
    entries = []
    for job in plan.jobs:
        path = os.path.join(plan.dataset.root, job.sample.id)
        sha256, status = sha256_file(path), os.stat(path)
        key = plan.keys(lambda sample: "")(job, sha256, {})
        entry = Entry(job.sample.id, job.stem, job.ending, key, sha256, status.st_size)
        entry.failed = [
            {"source": job.sample.id, "copy": copy, "stage": "decode", "error": error, "message": ""}
            for copy in failing
        ]
        copies = [copy for copy in job.copies if copy not in failing]
        lines = []
        for copy in copies:
            name = copy_name(job.stem, job.ending, copy)
            folder.write(name, b"image", status.st_mtime_ns)
            lines.append(dump({"file_name": name, "copy": copy, "sha256": "x"}))
        entries.append((entry, copies, lines))
    journal.write_segment(folder, "0000.0000000", entries)
    return folder


def look(plan: Plan, folder: Folder) -> Survey:
    return survey(plan, journal.load(folder), folder)


def todo(found: Survey) -> dict[str, tuple[int, ...]]:
    return {job.sample.id: job.copies for job in found.todo}


def test_nothing_is_there(root: Path) -> None:
    (root / "out").mkdir()
    found = look(a_plan(root), Folder(str(root / "out")))
    assert todo(found) == {"a.jpg": (0, 1, 2), "b.jpg": (0, 1, 2), "c.jpg": (0, 1, 2)}
    assert (found.kept, found.reasons) == (0, {"sources are new": 3})


def test_everything_is_there(root: Path) -> None:
    plan = a_plan(root)
    found = look(plan, written(root, plan))
    assert (found.todo, found.touched, found.kept, dict(found.reasons)) == ([], [], 9, {})


def test_another_date(root: Path) -> None:
    plan = a_plan(root)
    folder = written(root, plan)
    os.utime(root / "in" / "b.jpg", ns=(5, 5))
    found = look(plan, folder)
    assert (found.todo, [job.sample.id for job in found.touched], found.kept) == ([], ["b.jpg"], 9)


@pytest.mark.parametrize("content", [b"x" * 10, b"x"])
def test_another_content(root: Path, content: bytes) -> None:
    plan = a_plan(root)
    folder = written(root, plan)
    (root / "in" / "b.jpg").write_bytes(content)
    os.utime(root / "in" / "b.jpg", ns=(5, 5))
    found = look(plan, folder)
    assert (todo(found), found.kept, dict(found.reasons)) == ({"b.jpg": (0, 1, 2)}, 6, {"sources have changed": 1})


def test_a_source_that_cannot_be_read_any_more(root: Path) -> None:
    plan = a_plan(root)
    folder = written(root, plan)
    (root / "in" / "b.jpg").unlink()
    assert todo(look(plan, folder)) == {"b.jpg": (0, 1, 2)}


def test_another_label(root: Path) -> None:
    folder = written(root, a_plan(root))
    found = look(a_plan(root, label="dog"), folder)
    assert len(found.todo) == 3
    assert list(found.reasons) == ["sources have other labels, another recipe or other library versions"]


def test_more_and_fewer_copies(root: Path) -> None:
    folder = written(root, a_plan(root, "ab"))
    found = look(a_plan(root, "ab", copies=4), folder)
    assert todo(found) == {"a.jpg": (3, 4), "b.jpg": (3, 4)}
    assert (found.kept, dict(found.reasons)) == (6, {"sources have fewer copies than wanted": 2})
    found = look(a_plan(root, "ab", copies=1), folder)
    assert (found.todo, found.kept, dict(found.reasons)) == ([], 4, {"sources have more copies than wanted": 2})


def test_sources_that_are_gone_or_new(root: Path) -> None:
    folder = written(root, a_plan(root, "ab"))
    found = look(a_plan(root, "bc"), folder)
    assert todo(found) == {"c.jpg": (0, 1, 2)}
    assert dict(found.reasons) == {"sources are new": 1, "sources are gone": 1}


def test_images_that_are_gone(root: Path) -> None:
    plan = a_plan(root)
    folder = written(root, plan)
    os.unlink(folder.path("a.jpg"))
    os.unlink(folder.path("a_aug02.jpg"))
    found = look(plan, folder)
    assert todo(found) == {"a.jpg": (0, 2)}
    assert (found.kept, dict(found.reasons)) == (7, {"images are missing from the output": 2})


def test_failures_are_not_tried_again(root: Path) -> None:
    plan = a_plan(root)
    folder = written(root, plan, failing=(1,))
    found = look(plan, folder)
    assert (found.todo, found.kept, dict(found.reasons)) == ([], 6, {})
    found = look(a_plan(root, copies=3), folder)
    assert todo(found) == {"a.jpg": (3,), "b.jpg": (3,), "c.jpg": (3,)}


@pytest.mark.parametrize("error", ["worker-died", "out-of-memory"])
def test_failures_of_the_machine_are_tried_again(root: Path, error: str) -> None:
    plan = a_plan(root, "a")
    assert todo(look(plan, written(root, plan, failing=(0, 1, 2), error=error))) == {"a.jpg": (0, 1, 2)}


def test_hashes(root: Path) -> None:
    import hashlib

    paths = [str(root / "in" / "a.jpg"), str(root / "nothing"), str(root / "in")]
    assert hashes(paths) == [hashlib.sha256(b"a" * 10).hexdigest(), "", ""]
    assert hashes([]) == []
