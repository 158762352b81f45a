"""The end of a run, where what it needs is not as it was when the run began."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import encoded, failures, tree
from running import a_recipe, run

from augx import manifest
from augx import run as runner
from augx.errors import Stopped
from augx.run import Request
from augx.store import Folder


def finish(photos: Path, output: Path, **keys: Any) -> None:
    plan, targets = runner.read(Request(str(photos), str(output), a_recipe(**keys)))
    manifest.finish(plan, Folder(str(output)), targets)


def one_more_copy(photos: Path) -> dict[str, Any]:
    return {"copies": 3}


def one_more_source(photos: Path) -> dict[str, Any]:
    (photos / "cat" / "7.jpg").write_bytes(encoded(7))
    return {}


@pytest.mark.parametrize(("change", "said"), [(one_more_copy, "6 sources"), (one_more_source, "1 sources")])
def test_what_was_not_made(photos: Path, tmp_path: Path, change: Callable[[Path], dict[str, Any]], said: str) -> None:
    """It is not written as if it were; the next run makes it."""
    output = tmp_path / "out"
    run(photos, output)
    before = tree(output)
    with pytest.raises(Stopped, match=f"^{said} were changed while the run went on: .*cat/[07].jpg") as caught:
        finish(photos, output, **change(photos))
    assert caught.value.hint == "run it again"
    assert tree(output) == before


def test_a_finished_run_ends_as_often_as_one_likes(photos: Path, tmp_path: Path) -> None:
    run(photos, tmp_path / "out")
    before = tree(tmp_path / "out")
    finish(photos, tmp_path / "out")
    assert tree(tmp_path / "out") == before


def test_a_partner_that_cannot_be_read(photos: Path, tmp_path: Path) -> None:
    """What has no content is no reason to begin again."""
    (photos / "cat" / "huge.jpg").write_bytes(encoded(3) + bytes(100_000))
    recipe = a_recipe("[{mixup: {p: 1}}]", limits={"bytes": 50_000})
    outcome = run(photos, tmp_path / "out", recipe, to_formats=("table",))
    assert {(row["source"], row["error"]) for row in failures(tmp_path / "out")} >= {("cat/huge.jpg", "too-many-bytes")}
    before = tree(tmp_path / "out")
    again = run(photos, tmp_path / "out", recipe, to_formats=("table",))
    assert (again.made, again.failed) == (0, outcome.failed)
    assert tree(tmp_path / "out") == before


def test_a_manifest_that_goes_while_label_files_are_written(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / "out"

    def lose(*given: object) -> None:
        (output / "manifest.jsonl").unlink()

    with monkeypatch.context() as patched:
        patched.setattr(manifest, "lost_by", lambda *given: lose() or {"table": frozenset()})
        with pytest.raises(Stopped, match=r"cannot read .*manifest.jsonl: No such file"):
            run(photos, output, to_formats=("table",))
    run(photos, output, to_formats=("table",))
    run(photos, tmp_path / "fresh", to_formats=("table",))
    assert tree(output) == tree(tmp_path / "fresh")
    shutil.rmtree(output / ".augx")
    run(photos, output, to_formats=("table",))
    assert tree(output) == tree(tmp_path / "fresh")
