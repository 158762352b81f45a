"""A run in shares: `--shard I/N`, and `merge`, which makes of them what one run would have made."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import encoded, tree
from PIL import Image
from running import Silent, a_recipe, fresh, run

from augx import engine, journal, recipe
from augx import plan as planning
from augx.cli import call
from augx.engine import Outcome, Request
from augx.errors import GateError, OutputError, Refused
from augx.lock import locked
from augx.request import Share, left
from augx.store import Folder

MIXED = "[{mixup: {p: 0.6, partners: same}}, HorizontalFlip]"


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Nine images in two classes."""
    return pictures(tmp_path / "photos", 9)


def pictures(root: Path, count: int, first: int = 0) -> Path:
    for number in range(first, first + count):
        path = root / ("cat", "dog")[number % 2] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encoded(number, ".png"))
    return root


def share(photos: Path, output: Path, text: str, **more: Any) -> Outcome:
    return run(photos, output, share=Share.parse(text), **more)


def merge(output: Path, input: Path | None = None) -> Outcome:
    asked = replace(left(str(output), input and str(input)), workers=0, fsync="off")
    return engine.run(asked, Silent(), recipe.check_transforms)


@pytest.mark.parametrize("transforms", ["[HorizontalFlip]", MIXED])
@pytest.mark.parametrize("order", [(1, 2, 3), (3, 1, 2), (2, 2, 1, 3, 1)])
def test_merged_they_are_one_run(photos: Path, tmp_path: Path, transforms: str, order: tuple[int, ...]) -> None:
    output = tmp_path / "out"
    made = [share(photos, output, f"{number}/3", recipe=a_recipe(transforms)).made for number in order]
    assert sum(made) == 27
    outcome = merge(output)
    assert (outcome.made, outcome.kept, outcome.failed) == (0, 27, 0)
    assert tree(output) == tree(fresh(photos, output, a_recipe(transforms)))


def test_what_is_missing_is_said(photos: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    share(photos, output, "2/4")
    before = tree(output)
    outcome = merge(output)
    sizes = [sum(len(job.copies) for job in part) for part in parts(photos, 4)]
    assert sum(sizes) == 27
    assert outcome.missing == {Share(n, 4): (sizes[n - 1], sizes[n - 1]) for n in (1, 3, 4)}
    assert tree(output) == before
    next(output.glob("*/*_aug01.png")).unlink()
    assert merge(output).missing[Share(2, 4)] == (1, sizes[1])


def parts(photos: Path, number: int) -> list[tuple[Any, ...]]:
    plan, _ = engine.read(Request(str(photos), "", a_recipe()))
    return planning.stretches(plan, number)


@pytest.mark.parametrize("number", [1, 2, 3, 7, 9, 27, 40])
def test_every_job_is_in_one_part(photos: Path, number: int) -> None:
    plan, _ = engine.read(Request(str(photos), "", a_recipe()))
    found = planning.stretches(plan, number)
    assert len(found) == number
    assert [job for part in found for job in part] == list(plan.jobs)
    sizes = [sum(len(job.copies) for job in part) for part in found]
    assert max(sizes) - min(sizes) <= 2 * 3


def test_each_in_a_folder_of_its_own(photos: Path, tmp_path: Path) -> None:
    """As the jobs of a CI matrix: their trees are laid over each other, dates are lost, INPUT is elsewhere."""
    output, elsewhere = tmp_path / "out", tmp_path / "checkout"
    for number in (1, 2, 3):
        share(photos, tmp_path / f"part-{number}", f"{number}/3")
        shutil.copytree(tmp_path / f"part-{number}", output, dirs_exist_ok=True, copy_function=shutil.copyfile)
    expected = tree(fresh(photos, output))
    shutil.move(photos, elsewhere)
    outcome = merge(output, elsewhere)
    assert (outcome.made, outcome.kept) == (0, 27)
    assert tree(output) == expected


def test_a_whole_run_takes_them_over(photos: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    made = share(photos, output, "1/2").made
    outcome = run(photos, output)
    assert (outcome.made, outcome.kept) == (27 - made, made)
    assert tree(output) == tree(fresh(photos, output))


def test_nothing_to_do_leaves_nothing(photos: Path, tmp_path: Path) -> None:
    output = fresh(photos, tmp_path / "out")
    before = tree(output)
    assert share(photos, output, "2/3").summary["counts"]["images"] == 27
    assert tree(output) == before


def test_a_newcomer_is_made_by_its_share(photos: Path, tmp_path: Path) -> None:
    output = fresh(photos, tmp_path / "out")
    pictures(photos, 1, first=20)
    (photos / "dog" / "1.png").unlink()
    assert sum(share(photos, output, f"{number}/3").made for number in (1, 2, 3)) == 3
    assert merge(output).removed == 3
    assert tree(output) == tree(fresh(photos, output))


def test_another_recipe_is_not_merged(photos: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    share(photos, output, "1/2")
    share(photos, output, "2/2", recipe=a_recipe("[VerticalFlip]"))
    with pytest.raises(OutputError, match="1/2 and 2/2 were not asked for the same: `recipe` differs"):
        merge(output)
    share(photos, output, "1/2", recipe=a_recipe("[VerticalFlip]"))
    merge(output)
    assert tree(output) == tree(fresh(photos, output, a_recipe("[VerticalFlip]")))


def test_another_number_is_refused(photos: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    share(photos, output, "1/2")
    with pytest.raises(OutputError, match="holds shards of 2, not of 3"):
        share(photos, output, "1/3")


def test_nothing_to_merge(photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = fresh(photos, tmp_path / "out")
    assert call(["merge", str(output)]) == 0
    assert capsys.readouterr().out.startswith("joined: 27 images are in")
    for other in (photos, tmp_path / "nowhere"):
        assert call(["merge", str(other)]) == 2
        assert "holds no shards of a run" in capsys.readouterr().err


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"recipe": {}}', b"null", b"\xff"])
def test_a_damaged_request(photos: Path, tmp_path: Path, damage: bytes) -> None:
    output = tmp_path / "out"
    share(photos, output, "1/1")
    (output / ".augx/shards/1-of-1/request.json").write_bytes(damage)
    with pytest.raises(Refused, match=r"request\.json") as told:
        merge(output)
    assert "run --shard 1/1 again" in str(told.value.hint)
    share(photos, output, "1/1")
    merge(output)
    assert tree(output) == tree(fresh(photos, output))


@pytest.mark.parametrize(
    "change",
    [{"input": 5}, {"from": []}, {"to": "coco"}, {"to": {}}, {"to": [[]]}, {"places": {"policy": 5}}, {"places": []},
     {"models": {"m": [5, 5]}}, {"read": {"columns": 5}}, {"read": {"labels": 5}},
     {"recipe": 5}, {"input": "a\0b"}, {"input": "\ud800"}],
)  # fmt: skip
def test_a_request_of_another_kind(
    photos: Path, tmp_path: Path, change: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    """As somebody else might have written it: refused, whatever stands there."""
    output = tmp_path / "out"
    share(photos, output, "1/1")
    path = output / ".augx/shards/1-of-1/request.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    before = tree(output)
    assert call(["merge", str(output)]) == 2
    said = capsys.readouterr().err
    assert "request.json" in said or "is no path" in said
    assert tree(output) == before


def test_an_input_whose_name_is_no_utf8(photos: Path, tmp_path: Path) -> None:
    output, odd = tmp_path / "out", Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xe9"))
    try:
        shutil.copytree(photos, odd)
    except OSError:
        pytest.skip("no such names on this file system")
    share(odd, output, "1/1")
    assert merge(output).kept == 27


@pytest.mark.parametrize("place", [".augx/shards", ".augx/shards/1-of-2"])
@pytest.mark.parametrize("how", ["run", "merge", "share"])
def test_nothing_is_deleted_through_a_link(photos: Path, tmp_path: Path, place: str, how: str) -> None:
    """Whoever ends a run clears the places of shares; a link in their place leads to what is not ours."""
    output, victim = tmp_path / "out", tmp_path / "victim"
    share(photos, output, "1/2")
    share(photos, output, "2/2")
    shutil.move(output / place, victim)
    (victim / "mine.txt").write_text("mine")
    (output / place).symlink_to(victim)
    before = tree(victim)
    with pytest.raises(OutputError, match=f"{place} is a link"):
        {"run": run, "merge": lambda _, output: merge(output), "share": lambda *at: share(*at, "2/2")}[how](
            photos, output
        )
    assert tree(victim) == before


def test_what_is_no_place_of_a_shard(photos: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    share(photos, output, "1/1")
    (output / ".augx/shards/2-of-1").touch()
    merge(output)
    share(pictures(photos, 1, first=20), output, "1/1")
    (output / ".augx/shards/5-of-3").mkdir()
    (output / ".augx/shards/5-of-3/intent.jsonl").touch()
    for refused in (lambda: merge(output), lambda: share(photos, output, "1/1")):
        with pytest.raises(OutputError, match=r"5-of-3 is the place of no shard"):
            refused()


@pytest.mark.parametrize("text", ["", "3", "0/3", "4/3", "1/0", "-1/3", "1/3/4", "a/b", "1/9999999", "\u0661/3"])
def test_no_shard(text: str) -> None:
    with pytest.raises(Refused, match="is no shard"):
        Share.parse(text)


def test_failures_and_what_is_left_out(photos: Path, tmp_path: Path) -> None:
    """A share counts its own; merged they are in failures.jsonl in the order of one run."""
    for name in ("cat/0.png", "dog/3.png"):
        (photos / name).write_bytes(b"no image")
    output = tmp_path / "out"
    assert sum(share(photos, output, f"{number}/3").failed for number in (1, 2, 3)) == 6
    assert merge(output).failed == 6
    assert tree(output) == tree(fresh(photos, output))


def hold(output: str, own: str, ready: Any, done: Any) -> None:
    with locked(output, own):
        ready.set()
        done.wait(60)


def test_shares_lock_out_whole_runs_and_themselves_but_not_each_other(photos: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    context = multiprocessing.get_context("spawn")
    ready, done = context.Event(), context.Event()
    other = context.Process(target=hold, args=(str(output), Share(1, 2).own, ready, done))
    other.start()
    try:
        assert ready.wait(60)
        assert share(photos, output, "2/2").made
        with pytest.raises(OutputError, match=f"is being written by another augx, process {other.pid}"):
            share(photos, output, "1/2")
        for refused in (lambda: run(photos, output), lambda: merge(output)):
            with pytest.raises(OutputError, match="is being written by another augx, or by shares of a run"):
                refused()
    finally:
        done.set()
        other.join()
    share(photos, output, "1/2")
    merge(output)
    assert tree(output) == tree(fresh(photos, output))


def test_not_merged_is_no_finished_run(photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "out"
    share(photos, output, "1/2")
    for verb in (["verify"], ["report"], ["replay"]):
        more = ["cat/0.png", "-o", str(tmp_path / "x.png")] if verb == ["replay"] else []
        assert call([*verb, str(output), *more]) == 2
        assert f"run `augx merge {output}` first" in capsys.readouterr().err


def test_the_command_line(photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output, path = tmp_path / "out", tmp_path / "recipe.yaml"
    path.write_text("version: 1\ncopies: 2\ntransforms: [HorizontalFlip]\n")
    asked = [str(photos), str(output), "-r", str(path), "-j0", "--json"]
    assert call(["run", *asked, "--shard", "1/2"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told == {"made": told["made"], "kept": 0, "failed": 0, "removed": 0, "shard": "1/2"}
    assert call(["merge", str(output), "--json"]) == 1
    missing = 27 - told["made"]
    assert json.loads(capsys.readouterr().out) == {"missing": [{"shard": "2/2", "images": missing, "of": missing}]}
    assert call(["plan", str(photos), "-r", str(path), "--shard", "2/2", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["images"] == missing
    assert call(["run", *asked, "--shard", "2/2"]) == 0
    capsys.readouterr()
    assert call(["merge", str(output), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["counts"]["images"] == 27
    assert call(["run", *asked, "--shard", "3/2"]) == 2
    assert "'3/2' is no shard: write I/N, such as 3/16" in capsys.readouterr().err


def test_a_kill_at_the_end_of_a_merge(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The journals of shares go away one after the other, their intents last."""
    output = tmp_path / "out"
    for number in (1, 2):
        share(photos, output, f"{number}/2")
    whole = Folder.clear
    cleared: list[str] = []

    def dies(folder: Folder, own: str, but: str) -> None:
        if cleared:
            raise KeyboardInterrupt
        cleared.append(own)
        whole(folder, own, but)

    monkeypatch.setattr(Folder, "clear", dies)
    with pytest.raises(KeyboardInterrupt):
        merge(output)
    monkeypatch.undo()
    assert journal.unfinished(Folder(str(output)))
    assert run(photos, output).made == 0
    assert tree(output) == tree(fresh(photos, output))


@pytest.mark.parametrize("shares", [2, 5])
def test_no_tar_is_divided(photos: Path, tmp_path: Path, shares: int) -> None:
    """A share makes whole tars; merged they are those of one run."""
    output = tmp_path / "out"
    asked: dict[str, Any] = {"recipe": a_recipe().replace(tar_images=6), "to_formats": ("webdataset",)}
    for number in range(shares, 0, -1):
        share(photos, output, f"{number}/{shares}", **asked)
    assert merge(output).made == 0
    assert tree(output) == tree(fresh(photos, output, **asked))


def test_what_another_share_may_have_written_over_is_read(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two shards at once, one with another recipe and other pictures, so that both have cat/2.bmp; it is killed before
    it says what it wrote. Size and date are as they should be, the content is not."""
    for path in list(photos.glob("*/*.png")):
        Image.open(path).save(path.with_suffix(".bmp"))
        path.unlink()
    output, few = tmp_path / "out", tmp_path / "few"
    for name in ("cat/0.bmp", "cat/2.bmp"):
        (few / "cat").mkdir(parents=True, exist_ok=True)
        shutil.copy2(photos / name, few / name)
    share(photos, output, "1/2")

    def dies(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(journal, "next_generation", lambda folder: 0)  # as where both began at once
    monkeypatch.setattr("augx.work.write_segment", dies)
    with pytest.raises(KeyboardInterrupt):
        share(few, output, "2/2", recipe=a_recipe("[VerticalFlip]"))
    monkeypatch.undo()
    assert share(photos, output, "2/2").made
    assert merge(output).missing == {Share(1, 2): (2, 15)}
    share(photos, output, "1/2")
    merge(output)
    assert tree(output) == tree(fresh(photos, output))


def test_max_errors_of_a_share_are_those_of_its_images(photos: Path, tmp_path: Path) -> None:
    """A third of its images, a ninth of all."""
    name = parts(photos, 3)[0][0].sample.id
    (photos / name).write_bytes(b"no image")
    with pytest.raises(GateError, match="3 images failed, more than --max-errors 20%"):
        share(photos, tmp_path / "out", "1/3", max_errors="20%")
    assert share(photos, tmp_path / "more", "1/3", max_errors="40%").failed == 3
