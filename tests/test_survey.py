"""What is done, what is to do, and why: on a folder written by hand, with a plan that reads no picture."""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from running import a_recipe

from augx import journal
from augx import plan as planning
from augx import survey as surveying
from augx.journal import Entry, dump
from augx.model import Annotations, Beside, Dataset, Sample
from augx.naming import copy_name, copy_names
from augx.plan import Plan
from augx.store import DOUBTED, Folder, sha256_file
from augx.survey import Survey, hashes, survey


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    for name in "abc":
        (tmp_path / "in" / f"{name}.jpg").write_bytes(name.encode() * 10)
    return tmp_path


def text_beside(sample: Sample, stem: str) -> tuple[Beside, ...]:
    return (Beside("yolo", f"labels/{stem}", ".txt"),)


def a_plan(
    root: Path, names: str = "abc", label: str = "cat", copies: int = 2, beside: Any = None, originals: bool = True
) -> Plan:
    samples = tuple(Sample(f"{name}.jpg", Annotations({label: 1.0})) for name in names)
    dataset, recipe = Dataset(str(root / "in"), "folder", samples), a_recipe(copies=copies, originals=originals)
    return planning.make(dataset, recipe, ("folder",), {"augx": "1"}, beside)


def written(root: Path, plan: Plan, failing: tuple[int, ...] = (), error: str = "truncated") -> Folder:
    """A folder as if the plan had been made."""
    (root / "out" / ".augx").mkdir(parents=True)
    folder = Folder(str(root / "out"))
    entries = []
    for job in plan.jobs:
        path = os.path.join(plan.dataset.root, job.sample.id)
        content, status = sha256_file(path), os.stat(path)
        key = plan.keys(lambda sample: "")(job, content, {})
        beside = tuple((one.stem, one.ending) for one in job.beside)
        entry = Entry(job.sample.id, job.stem, job.ending, key, content, status.st_size, beside=beside)
        entry.failed = [
            {"source": job.sample.id, "copy": copy, "stage": "decode", "error": error, "message": ""}
            for copy in failing
        ]
        copies = [copy for copy in job.copies if copy not in failing]
        lines = []
        for copy in copies:
            name = copy_name(job.stem, job.ending, copy)
            for written in copy_names(job, copy):
                folder.write(written, written.encode(), status.st_mtime_ns)
            files = {written: sha256(written.encode()).hexdigest() for written in copy_names(job, copy)}
            lines.append(dump({"file_name": name, "copy": copy, "sha256": files.pop(name), "files": files}))
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
    assert (found.todo, found.redate, found.kept, dict(found.reasons)) == ([], {}, 9, {})


def test_another_date(root: Path) -> None:
    plan = a_plan(root)
    folder = written(root, plan)
    os.utime(root / "in" / "b.jpg", ns=(5, 5))
    found = look(plan, folder)
    assert (found.todo, found.redate, found.kept) == ([], {"b.jpg": 5, "b_aug01.jpg": 5, "b_aug02.jpg": 5}, 9)


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


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that are read."""
    seen: list[str] = []

    def noted(paths: Any) -> list[str]:
        some = list(paths)
        seen.extend(os.path.basename(getattr(path, "path", path)) for path in some)
        return hashes(some)

    monkeypatch.setattr(surveying, "hashes", noted)
    return seen


def date_of(root: Path, name: str) -> int:
    return os.stat(root / "in" / name).st_mtime_ns


def redated(folder: Folder, *names: str, date: int | None = None) -> None:
    for number, name in enumerate(names):
        folder.date(name, number + 10**18 if date is None else date)


@pytest.mark.parametrize("name", ["b.jpg", "b_aug02.jpg", "labels/b.txt", "labels/b_aug01.txt"])
def test_a_written_file_with_another_date(root: Path, read: list[str], name: str) -> None:
    """It is read: as it was, it gets its date back; changed, what it belongs to is made again."""
    plan = a_plan(root, beside=text_beside)
    folder = written(root, plan)
    assert (look(plan, folder).kept, read) == (9, [])
    redated(folder, name)
    found = look(plan, folder)
    assert (found.todo, found.redate, found.kept, found.reasons) == ([], {name: date_of(root, "b.jpg")}, 9, {})
    assert read == [os.path.basename(name)]

    Path(folder.path(name)).write_bytes(b"changed")
    found = look(plan, folder)
    copy = int(name[-5]) if "_aug" in name else 0
    assert (todo(found), found.redate, found.kept) == ({"b.jpg": (copy,)}, {}, 8)
    assert found.reasons == {"images are not as they were written": 1}
    assert [job.known.keys() for job in found.todo] == [set(range(copy))]


def test_a_written_file_with_its_date_is_not_read(root: Path, read: list[str]) -> None:
    plan = a_plan(root)
    folder = written(root, plan)
    Path(folder.path("b.jpg")).write_bytes(b"changed")
    redated(folder, "b.jpg", date=date_of(root, "b.jpg"))
    assert (look(plan, folder).kept, read) == (9, [])


def test_all_dates_are_lost(root: Path, read: list[str]) -> None:
    """As after a cache that keeps none: all is read once."""
    plan = a_plan(root)
    folder = written(root, plan)
    redated(folder, *sorted(folder.names()))
    found = look(plan, folder)
    assert (found.todo, found.kept, found.reasons) == ([], 9, {})
    assert sorted(read) == sorted([*folder.names(), "a.jpg", "b.jpg", "c.jpg"])  # the sources, too
    assert found.redate == {name: date_of(root, f"{name[0]}.jpg") for name in folder.names()}
    for name, date in found.redate.items():
        folder.date(name, date)
    read.clear()
    assert (look(plan, folder).redate, read) == ({}, [])


def test_a_source_with_another_date_whose_images_share_one(root: Path, read: list[str]) -> None:
    """As after a fresh checkout: the sources are read, of the images those that were touched since."""
    plan = a_plan(root)
    folder = written(root, plan)
    os.utime(root / "in" / "b.jpg", ns=(5, 5))
    Path(folder.path("b_aug01.jpg")).write_bytes(b"changed")
    found = look(plan, folder)
    assert (todo(found), found.redate) == ({"b.jpg": (1,)}, {"b.jpg": 5, "b_aug02.jpg": 5})
    assert read == ["b.jpg", "b_aug01.jpg"]


@pytest.mark.parametrize("alone", [True, False])
def test_a_date_that_vouches_for_nothing(root: Path, read: list[str], alone: bool) -> None:
    """That of a single image of a touched source, and the one that says it is bad."""
    plan = a_plan(root, "b", copies=1, originals=not alone)
    folder = written(root, plan)
    names = sorted(folder.names())
    os.utime(root / "in" / "b.jpg", ns=(5, 5))
    if not alone:
        redated(folder, *names, date=DOUBTED)
    found = look(plan, folder)
    assert (found.todo, found.redate, read) == ([], dict.fromkeys(names, 5), ["b.jpg", *names])


def test_sources_of_the_date_that_says_bad(root: Path, read: list[str]) -> None:
    """What has the date because its source has it is read, each time: it may be bad, too."""
    os.utime(root / "in" / "b.jpg", ns=(DOUBTED, DOUBTED))
    plan = a_plan(root, "b")
    folder = written(root, plan)
    redated(folder, *folder.names(), date=DOUBTED)
    assert look(plan, folder).todo == []
    path = Path(folder.path("b_aug01.jpg"))
    path.write_bytes(b"spoilt")
    redated(folder, "b_aug01.jpg", date=DOUBTED)
    (job,) = look(plan, folder).todo
    assert job.copies == (1,)


def test_sources_of_one_size_and_date(root: Path, read: list[str]) -> None:
    """Nothing but their content tells them apart, so they may change places, and their folders with them."""
    for name in "ab":
        os.utime(root / "in" / f"{name}.jpg", ns=(7, 7))
    plan = a_plan(root)
    folder = written(root, plan)
    assert (look(plan, folder).todo, read) == ([], ["a.jpg", "b.jpg"])
    away = [Path(f"{root}/{name}") for name in ("a.jpg", "b.jpg")]
    sources = [root / "in" / path.name for path in away]
    for old, new in [*zip(sources, away, strict=True), *zip(away, reversed(sources), strict=True)]:
        old.rename(new)
    assert set(todo(look(plan, folder))) == {"a.jpg", "b.jpg"}


def test_a_link_in_place_of_an_image(root: Path) -> None:
    plan = a_plan(root)
    folder = written(root, plan)
    path = Path(folder.path("b_aug01.jpg"))
    path.rename(root / "elsewhere.jpg")
    path.symlink_to(root / "elsewhere.jpg")
    folder.date("b_aug01.jpg", date_of(root, "b.jpg"))
    assert todo(look(plan, folder)) == {"b.jpg": (1,)}


def test_what_an_unfinished_run_may_have_written_is_read(root: Path, read: list[str]) -> None:
    """Its images have the right dates, but perhaps not the content that the journal speaks of."""
    plan = a_plan(root)
    folder = written(root, plan)
    journal.begin(folder, ["b.jpg", "b_aug01.jpg"], 7)
    assert (look(plan, folder).kept, read) == (9, ["b.jpg", "b_aug01.jpg"])
    intent = Path(folder.path(".augx/intent.jsonl"))
    intent.write_bytes(intent.read_bytes().replace(b"b_aug01", b"b_aug11"))
    read.clear()
    assert look(plan, folder).kept == 9
    assert set(read) == folder.names(), "what it may have written is not known any more"


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


def test_a_source_that_goes_while_it_is_looked_at(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its images get no date, and nothing is concluded."""
    plan = a_plan(root)
    folder = written(root, plan)
    redated(folder, "b.jpg")
    monkeypatch.setattr(surveying, "contents", lambda plan, samples: (sha256(b"b" * 10).hexdigest() for _ in samples))
    (root / "in" / "b.jpg").unlink()
    assert surveying.source_date(plan, plan.jobs[1]) is None
    assert surveying.source_date(plan, plan.jobs[0]) == date_of(root, "a.jpg")
    found = look(plan, folder)
    assert (found.todo, found.redate, found.kept, found.reasons) == ([], {}, 9, {})


def mixed(root: Path, split: str | None = "train") -> Plan:
    """a and b are mixed with each other, c is carried over."""
    splits = {"a": split, "b": split, "c": "val"}
    samples = tuple(Sample(f"{name}.jpg", Annotations({"cat": 1.0}), place) for name, place in splits.items())
    return planning.make(Dataset(str(root / "in"), "folder", samples), a_recipe("[mixup]"), ("folder",), {"augx": "1"})


def test_content_keys(root: Path) -> None:
    """Of a source's own content, and of its partners'."""
    plain = a_plan(root)
    own = {job.sample.id: sha256(job.stem.encode() * 10).hexdigest() for job in plain.jobs}
    keys = plain.keys(lambda sample: "")
    assert surveying.content_keys(plain) == {job.sample.id: keys(job, own[job.sample.id], {}) for job in plain.jobs}

    plan = mixed(root)
    keys = plan.keys(lambda sample: own[sample.id])
    before = surveying.content_keys(plan)
    assert before == {job.sample.id: keys(job, own[job.sample.id], plan.pools(job)) for job in plan.jobs}
    (root / "in" / "a.jpg").write_bytes(b"another")
    after = surveying.content_keys(plan)
    assert [name for name in before if before[name] != after[name]] == ["a.jpg", "b.jpg"]


def test_hashes(root: Path) -> None:
    import hashlib

    paths = [str(root / "in" / "a.jpg"), str(root / "nothing"), str(root / "in")]
    assert hashes(paths) == [hashlib.sha256(b"a" * 10).hexdigest(), "", ""]
    assert hashes([]) == []
