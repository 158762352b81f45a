"""The system fails for a moment: nothing is concluded from it, and the run stops or the image fails by name."""

from __future__ import annotations

import errno
import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import encoded, failures, tree
from label_sets import plant, yolo
from running import a_recipe, fresh, run

from augx import journal, store
from augx.errors import ImageError, OutputError, Stopped
from augx.model import Job
from augx.store import Folder, Source, open_regular, pass_over
from augx.work import Worker

MIXES = "[{mosaic: {p: 0.7}}, {D4: {p: 0.5}}, {mixup: {p: 0.7}}]"
Fails = Callable[[str, int, str], list[str]]


@pytest.fixture
def fails(monkeypatch: pytest.MonkeyPatch) -> Fails:
    """Has a call of `os` fail, once, for a path that ends so; the list gets the path when it has."""

    def fails(call: str, number: int, ending: str) -> list[str]:
        real, struck = getattr(os, call), list[str]()

        def failing(path: Any, *given: Any, **named: Any) -> Any:
            if not struck and str(path).endswith(ending):
                struck.append(str(path))
                raise OSError(number, os.strerror(number), path)
            return real(path, *given, **named)

        monkeypatch.setattr(os, call, failing)
        return struck

    return fails


@pytest.fixture
def pets(tmp_path: Path) -> Path:
    return plant(tmp_path / "pets", {f"{('cat', 'dog')[n % 2]}/{n}.png": encoded(n, ".png") for n in range(4)})


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.ENOMEM])
def test_a_system_that_opens_no_file(photos: Path, fails: Fails, number: int) -> None:
    struck = fails("open", number, "0.jpg")
    with pytest.raises(Stopped, match=os.strerror(number)) as caught:
        open_regular(str(photos / "cat" / "0.jpg"))
    assert struck == [str(photos / "cat" / "0.jpg")]
    assert struck[0] in caught.value.message and caught.value.hint


def test_what_may_be_passed_over(photos: Path) -> None:
    for number in (errno.ENOENT, errno.EACCES, errno.ELOOP, errno.EISDIR):
        pass_over(OSError(number, "x"), "a")
    with pytest.raises(Stopped, match="cannot read a: x"):
        pass_over(OSError(errno.EIO, "x"), "a")


@pytest.mark.parametrize(
    ("call", "ending"), [("scandir", "cat/"), ("scandir", "photos/"), ("listdir", ".augx/journal")]
)
@pytest.mark.parametrize("number", [errno.EIO, errno.EMFILE])
def test_a_folder_that_is_not_listed(
    photos: Path, tmp_path: Path, fails: Fails, call: str, ending: str, number: int
) -> None:
    """Nothing that was made of what is in it is deleted."""
    run(photos, tmp_path / "out")
    before = tree(tmp_path / "out")
    (photos / "cat" / "0.jpg").write_bytes(encoded(9))
    struck = fails(call, number, ending)
    with pytest.raises(Stopped, match=f"cannot read .*: {os.strerror(number)}"):
        run(photos, tmp_path / "out")
    assert struck
    assert tree(tmp_path / "out") == before


@pytest.mark.parametrize("number", [errno.EIO, errno.EMFILE])
def test_a_glance_that_fails(tmp_path: Path, fails: Fails, number: int) -> None:
    """A dataset is not taken for another."""
    plant(tmp_path / "in", yolo())
    struck = fails("open", number, "data.yaml")
    with pytest.raises(Stopped, match=r"data\.yaml"):
        run(tmp_path / "in", tmp_path / "out")
    assert struck
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("ending", ["summary.json", "manifest.jsonl", "index.jsonl"])
def test_a_journal_that_cannot_be_read(photos: Path, tmp_path: Path, fails: Fails, ending: str) -> None:
    """It stops with the place; only what is no file of ours is refused."""
    run(photos, tmp_path / "out")
    if ending == "index.jsonl":
        (index,) = (tmp_path / "out" / ".augx").glob("index-*")
        ending = index.name
    fails("open", errno.EIO, ending)
    with pytest.raises(Stopped, match=f"cannot read .*{ending}: Input/output error"):
        journal.load(Folder(str(tmp_path / "out")))
    (tmp_path / "out" / ending).unlink(missing_ok=True)
    (tmp_path / "out" / ending).mkdir()
    if not ending.startswith("index"):
        with pytest.raises(OutputError, match="it is no regular file"):
            journal.load(Folder(str(tmp_path / "out")))


def test_a_read_that_fails_names_the_file(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system does not say which file it was."""
    run(photos, tmp_path / "out")

    class Bad(io.BytesIO):
        def read(self, *size: Any) -> bytes:
            raise OSError(errno.EIO, "Input/output error")

    def opened(path: str) -> Any:
        return Bad() if path.endswith("manifest.jsonl") else open_regular(path)

    monkeypatch.setattr(journal, "open_regular", opened)
    with pytest.raises(Stopped, match=r"cannot read .*manifest\.jsonl: Input/output error"):
        run(photos, tmp_path / "out")


def test_no_room_for_the_intent(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing temporary is left."""

    def full(number: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Folder, "_flush", lambda self, descriptor: full(descriptor))
    with pytest.raises(Stopped, match="No space left"):
        run(photos, tmp_path / "out")
    assert not (tmp_path / "out" / ".augx" / "tmp").exists()


def test_a_lock_that_the_system_does_not_give(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import fcntl

    def refused(descriptor: int, operation: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refused)
    with pytest.raises(Stopped, match=r"cannot lock .*/out/\.augx/lock: No locks available") as caught:
        run(photos, tmp_path / "out")
    assert caught.value.hint


def test_an_original_that_is_lost_among_mixes(pets: Path, tmp_path: Path) -> None:
    """It is made again by the key of all copies, though it is not mixed itself."""
    recipe, out = a_recipe(MIXES), tmp_path / "out"
    run(pets, out, recipe, to_formats=("table",))
    before = tree(out)
    (out / "cat" / "0.png").unlink()
    assert run(pets, out, recipe, to_formats=("table",)).made == 1
    assert tree(out) == before
    assert run(pets, out, recipe, to_formats=("table",)).made == 0


def test_a_partner_that_cannot_be_read_for_a_moment(
    pets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its mixes fail and are made by the next run: no other partner takes its place in silence."""
    recipe, out = a_recipe(MIXES), tmp_path / "out"
    real, struck = Source.read, list[str]()

    def read(self: Source, *given: Any) -> Any:
        if self.path.endswith("dog/1.png") and not struck:
            struck.append(self.path)
            raise OSError(errno.EIO, "Input/output error")
        return real(self, *given)

    with monkeypatch.context() as patched:
        patched.setattr(store.Source, "read", read)
        assert run(pets, out, recipe, to_formats=("table",)).failed
    assert struck
    assert {(row["source"] == "dog/1.png", row["error"]) for row in failures(out)} <= {
        (True, "unreadable"),
        (False, "changed-while-read"),
    }
    assert run(pets, out, recipe, to_formats=("table",)).failed == 0
    assert tree(out) == tree(fresh(pets, out, recipe, to_formats=("table",)))


def test_a_partner_that_changes_while_the_run_goes_on(
    pets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its mixes and its own copies would be of two pictures."""
    recipe, out = a_recipe(MIXES), tmp_path / "out"
    real, changed = Worker.work, list[str]()

    def work(self: Worker, job: Job, *more: Any) -> Any:
        done = real(self, job, *more)
        if not changed:
            changed.append(next(iter(job.pools.values()))[0].id)
            (pets / changed[0]).write_bytes(encoded(50, ".png"))
        return done

    with monkeypatch.context() as patched:
        patched.setattr(Worker, "work", work)
        with pytest.raises(Stopped, match=r"\d sources were changed while the run went on: .*/pets/"):
            run(pets, out, recipe, to_formats=("table",))
    run(pets, out, recipe, to_formats=("table",))
    assert tree(out) == tree(fresh(pets, out, recipe, to_formats=("table",)))


def test_stopped_passes_through_a_worker(pets: Path, tmp_path: Path, fails: Fails) -> None:
    """Not as one picture's failure: no other could be opened either."""
    fails("open", errno.EMFILE, "cat/2.png")
    with pytest.raises(Stopped, match="Too many open files") as caught:
        run(pets, tmp_path / "out", a_recipe(MIXES), to_formats=("table",))
    assert "ulimit -n" in caught.value.hint
    assert ImageError not in type(caught.value).__mro__
