"""Jobs and what becomes of them: made, lost, tried once more alone, failed by name. The executor is a stand-in."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import encoded, failures, tree
from running import Silent, a_recipe, fresh, run

from augx import dispatch, verify, versions
from augx import engine as runner
from augx import plan as planning
from augx import recipe as recipes
from augx.dispatch import Means, memory_here
from augx.errors import GateError, Stopped
from augx.executors import local
from augx.executors.base import Bounds, Lost, StartError
from augx.model import Dataset, Shard
from augx.store import Folder
from augx.work import Orders, Worker, start

Answer = Callable[[Shard, Callable[[], Any]], Any]  # of a shard, and of what a worker would say


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    root = tmp_path / "photos" / "cat"
    root.mkdir(parents=True)
    for number in range(5):
        (root / f"{number}.png").write_bytes(encoded(number, ".png"))
    return root.parent


class Executor:
    """Has shards answered by `answer`; notes which came in which round, with how many workers and in what bounds."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.rounds: list[list[list[str]]] = []
        self.means: list[tuple[int, Bounds]] = []
        self.closed = 0

    def __call__(
        self, start: Any, shards: Any, workers: int, preload: Any, bounds: Bounds, options: Any
    ) -> Iterator[Any]:
        self.rounds.append([])
        self.means.append((workers, bounds))
        work = start()
        try:
            for shard in shards:
                self.rounds[-1].append([job.sample.id for job in shard.jobs])
                yield shard, self.answer(shard, lambda shard=shard: work(shard, lambda: None))
        finally:
            self.closed += 1


@pytest.fixture
def executed(monkeypatch: pytest.MonkeyPatch) -> Callable[[Answer], Executor]:
    def executed(answer: Answer) -> Executor:
        monkeypatch.setattr(planning, "_SHARD_SOURCES", 2)
        monkeypatch.setattr(planning, "_SMALL_SHARDS", 0)
        executor = Executor(answer)
        monkeypatch.setattr(local, "run", executor)
        return executor

    return executed


def about(*sources: str) -> Callable[[Shard], bool]:
    return lambda shard: any(job.sample.id in sources for job in shard.jobs)


def lost_over(*sources: str, late: bool = False) -> Answer:
    guilty = about(*sources)
    return lambda shard, work: Lost("the worker was killed by a test", late) if guilty(shard) else work()


def test_what_is_lost_is_tried_again_alone(
    photos: Path, tmp_path: Path, executed: Callable[[Answer], Executor]
) -> None:
    executor = executed(lost_over("cat/1.png", "cat/4.png"))
    outcome = run(photos, tmp_path / "out", workers=3, seconds=7.0, memory=99 << 20)
    assert executor.rounds == [
        [["cat/0.png", "cat/1.png"], ["cat/2.png", "cat/3.png"], ["cat/4.png"]],
        [["cat/0.png"], ["cat/1.png"], ["cat/4.png"]],
    ]
    assert executor.means == [(3, Bounds(7.0, 99 << 20)), (1, Bounds(7.0, 99 << 20))]
    assert executor.closed == 2
    assert (outcome.made, outcome.failed) == (9, 6)
    assert [(row["source"], row["copy"], row["stage"], row["error"]) for row in failures(tmp_path / "out")] == [
        (source, copy, "worker", "worker-died") for source in ("cat/1.png", "cat/4.png") for copy in range(3)
    ]
    assert failures(tmp_path / "out")[0]["message"] == "the worker was killed by a test, twice over this image"
    assert verify.verify(str(tmp_path / "out"), 1) == (9, [])


def test_who_is_late_is_told_of_the_limit(photos: Path, tmp_path: Path, executed: Callable[[Answer], Executor]) -> None:
    executed(lost_over("cat/2.png", late=True))
    outcome = run(photos, tmp_path / "out", seconds=0.5)
    assert outcome.summary["failures"] == {"timed-out": 3}
    assert "not done within 0.5 seconds, twice over; raise --time-limit" in failures(tmp_path / "out")[0]["message"]


def test_what_was_lost_is_made_by_the_next_run(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(local, "run", Executor(lost_over("cat/2.png")))
        assert run(photos, tmp_path / "out").failed == 3
    outcome = run(photos, tmp_path / "out")
    assert (outcome.made, outcome.kept, outcome.failed) == (3, 12, 0)
    assert tree(tmp_path / "out") == tree(fresh(photos, tmp_path / "x"))


def test_a_job_that_was_lost_once_is_made(photos: Path, tmp_path: Path, executed: Callable[[Answer], Executor]) -> None:
    seen: list[str] = []

    def answer(shard: Shard, work: Callable[[], Any]) -> Any:
        seen.append(shard.name)
        return Lost("killed") if len(seen) == 1 else work()

    executor = executed(answer)
    assert run(photos, tmp_path / "out").failed == 0
    assert executor.rounds[1] == [["cat/0.png"], ["cat/1.png"]]
    assert seen == ["0000.0000000", "0000.0000001", "0000.0000002", "0001.0000000", "0001.0000001"]
    assert tree(tmp_path / "out") == tree(fresh(photos, tmp_path / "x"))


def test_jobs_short_of_memory_are_tried_again_the_others_count(
    photos: Path, tmp_path: Path, executed: Callable[[Answer], Executor], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that shares the machine asks for it alone; one that has it alone fails the job."""
    from augx import images

    real, guilty = images.decode, (photos / "cat" / "3.png").read_bytes()

    def decode(data: bytes, *given: Any) -> Any:
        if data == guilty:
            raise MemoryError
        return real(data, *given)

    monkeypatch.setattr(images, "decode", decode)
    executor = executed(lambda shard, work: work())
    outcome = run(photos, tmp_path / "out", workers=2)
    assert executor.rounds == [[["cat/0.png", "cat/1.png"], ["cat/2.png", "cat/3.png"], ["cat/4.png"]], [["cat/3.png"]]]
    assert (outcome.made, outcome.summary["failures"]) == (12, {"out-of-memory": 3})
    assert "--memory-limit" in failures(tmp_path / "out")[0]["message"]


def test_progress_adds_up(photos: Path, tmp_path: Path, executed: Callable[[Answer], Executor]) -> None:
    executed(lost_over("cat/0.png"))
    progress = Silent()
    asked = runner.Request(str(photos), str(tmp_path / "out"), a_recipe(), fsync="off")
    runner.run(asked, progress, recipes.check_transforms)
    assert (progress.images, progress.made, progress.failed) == (15, 12, 3)


@pytest.mark.parametrize(("limit", "passes"), [("2", False), ("3", True), ("19%", False), ("20%", True), (None, True)])
def test_more_failures_than_allowed(
    photos: Path, tmp_path: Path, executed: Callable[[Answer], Executor], limit: str | None, passes: bool
) -> None:
    """Three of fifteen images fail."""
    executor = executed(lost_over("cat/0.png"))
    if passes:
        assert run(photos, tmp_path / "out", max_errors=limit).failed == 3
        return
    with pytest.raises(GateError, match=f"3 images failed, more than --max-errors {limit} allows"):
        run(photos, tmp_path / "out", max_errors=limit)
    assert executor.closed == 2, "no worker goes on when the run has stopped"


def test_a_worker_that_the_system_stops_stops_the_run(
    photos: Path, tmp_path: Path, executed: Callable[[Answer], Executor]
) -> None:
    executor = executed(lambda shard, work: {"stopped": "cannot write x: No space left", "hint": "free some"})
    with pytest.raises(Stopped, match="cannot write x") as caught:
        run(photos, tmp_path / "out")
    assert caught.value.hint == "free some"
    assert executor.closed == 1
    assert not (tmp_path / "out" / ".augx" / "tmp").exists()


def test_no_process_can_be_started(photos: Path, tmp_path: Path, executed: Callable[[Answer], Executor]) -> None:
    def none(shard: Shard, work: Callable[[], Any]) -> Any:
        raise StartError("cannot start a worker process: Resource temporarily unavailable", "raise `ulimit -u`")

    executed(none)
    with pytest.raises(Stopped, match="cannot start a worker process: Resource temporarily unavailable") as caught:
        run(photos, tmp_path / "out")
    assert "ulimit -u" in caught.value.hint


def test_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker gets its share of the machine, one that is alone all of it, and nobody less than a GiB."""
    monkeypatch.setattr(dispatch, "memory_here", lambda: 12 << 30)
    assert Means(4).bounds() == Bounds(300.0, 3 << 30)
    assert Means(4).bounds(alone=True) == Bounds(300.0, 12 << 30)
    assert Means(0).bounds() == Bounds(300.0, 12 << 30)
    assert Means(64, 5.0).bounds() == Bounds(5.0, 1 << 30)
    assert Means(4, memory=80 << 20).bounds(alone=True).memory == 80 << 20


@pytest.mark.parametrize(("said", "most"), [("max\n", None), ("104857600\n", 100 << 20), ("nonsense", None)])
def test_the_memory_of_a_container(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, most: int | None
) -> None:
    monkeypatch.setattr(dispatch, "_CGROUPS", (str(tmp_path / "none"), str(tmp_path / "limit")))
    machine = memory_here()
    (tmp_path / "limit").write_text(said)
    assert memory_here() == (most or machine)
    assert machine > 100 << 20


def test_a_lost_source_that_cannot_be_read_any_more(
    photos: Path, tmp_path: Path, executed: Callable[[Answer], Executor]
) -> None:
    """Its entry knows no content, so the next run looks at it again."""

    def answer(shard: Shard, work: Callable[[], Any]) -> Any:
        (photos / "cat" / "0.png").unlink(missing_ok=True)
        return Lost("killed") if about("cat/0.png")(shard) else work()

    executed(answer)
    outcome = run(photos, tmp_path / "out")
    assert outcome.summary["failures"] == {"worker-died": 3}
    folder = Folder(str(tmp_path / "out"))
    (index,) = (tmp_path / "out" / ".augx").glob("index-*")
    entry = json.loads(index.read_text().splitlines()[1])
    assert (entry["source"], entry["sha256"], entry["size"]) == ("cat/0.png", "", 0)
    assert folder.names() >= {"cat/1.png"}


def test_a_machine_that_is_not_as_the_one_that_planned(photos: Path, tmp_path: Path) -> None:
    """It says what it lacks, and makes nothing."""
    output = Folder(str(tmp_path / "out"))
    Path(output.path(output.tmp)).mkdir(parents=True)
    fit = Orders(output.root, a_recipe().canonical(), ("",), Dataset(str(photos), "folder", ()), tmp=output.tmp,
                 versions=versions.deciding())  # fmt: skip
    assert isinstance(start(fit), Worker)
    for unfit, said, hint in (
        (replace(fit, versions={"pillow": "0.1"}), "and the run was planned with 0.1", "the same versions"),
        (replace(fit, tmp=".augx/tmp/other"), f"does not see {output.root}/.augx/tmp/other", "where all workers see"),
        (replace(fit, dataset=Dataset("/nowhere", "folder", ())), "does not see /nowhere", "where all workers see"),
    ):
        answer = start(unfit)(Shard("0", ()), lambda: None)
        assert said in answer["stopped"] and hint in answer["hint"]
