"""Pictures that kill, choke or stop whoever decodes them: they fail by name, and nothing else does."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from conftest import failures, tree
from makers import NOTICED, command, ended, environment, pictures, waited

from augx import verify

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="limits are kept on Linux only")]
FAULTS = {  # the row it comes to, and what is said there
    "segfault": ("worker-died", "SIGSEGV"),
    "kill": ("worker-died", "SIGKILL"),
    "hoard": ("out-of-memory", "memory"),
    "hoard_elsewhere": ("out-of-memory", "memory"),
    "sleep": ("timed-out", "2 seconds"),
}
CGROUP = Path("/sys/fs/cgroup/memory")


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return pictures(tmp_path_factory.mktemp("guilty") / "photos", 15)


@pytest.fixture(scope="module")
def expected(photos: Path) -> dict[str, str]:
    assert ended(command(photos, photos.parent / "expected", "-j0"))[0] == 0
    return tree(photos.parent / "expected")


def judge(output: Path, expected: dict[str, str], guilty: dict[str, tuple[str, str]]) -> None:
    """`guilty`: source -> code and a word of its rows. All else is there, and nothing of them."""
    rows = failures(output)
    assert Counter((row["source"], row["error"]) for row in rows) == {(s, code): 3 for s, (code, _) in guilty.items()}
    assert all(guilty[row["source"]][1] in row["message"] for row in rows), rows
    stems = [source.removesuffix(".png") for source in guilty]
    found = {name: sha256 for name, sha256 in tree(output).items() if name.endswith(".png")}
    assert found == {
        name: sha256 for name, sha256 in expected.items() if name.endswith(".png") and not name.startswith(tuple(stems))
    }
    assert verify.verify(str(output), 1)[1] == []
    assert not (output / ".augx" / "tmp").exists()


def chosen(photos: Path, number: int) -> list[str]:
    """Five pictures, others for each number."""
    names = sorted(str(path.relative_to(photos)) for path in photos.rglob("*.png"))
    return [names[(number + 3 * step) % len(names)] for step in range(5)]


@pytest.mark.parametrize(
    ("fault", "number"),
    [("segfault", n) for n in range(4)] + [("kill", n) for n in range(2)] + [("hoard", n) for n in range(2)]
    + [("hoard_elsewhere", 0), ("sleep", 0)],
)  # fmt: skip
def test_only_the_guilty_fail(photos: Path, expected: dict[str, str], tmp_path: Path, fault: str, number: int) -> None:
    """Five pictures kill a worker twice each; the next run, where they do no harm, makes them."""
    names, output = chosen(photos, number), tmp_path / "out"
    limits = ["--memory-limit", "200M"] if fault.startswith("hoard") else []
    limits += ["--time-limit", "2"] if fault == "sleep" else []
    run = command(photos, output, f"-j{1 + number % 3}")
    code, said = ended([*run, *limits], guilty={str(photos / name): fault for name in names})
    assert code == 1, said
    judge(output, expected, dict.fromkeys(names, FAULTS[fault]))
    assert ended(run)[0] == 0
    assert tree(output) == expected


def test_all_faults_in_one_run(photos: Path, expected: dict[str, str], tmp_path: Path) -> None:
    names, output = chosen(photos, 1), tmp_path / "out"
    faults = dict(zip(names, FAULTS, strict=True))
    run = command(photos, output, "-j3")
    limits = ["--time-limit", "2", "--memory-limit", "200M"]
    code, said = ended([*run, *limits], guilty={str(photos / name): fault for name, fault in faults.items()})
    assert code == 1, said
    judge(output, expected, {name: FAULTS[fault] for name, fault in faults.items()})
    assert ended(run)[0] == 0
    assert tree(output) == expected


def test_a_tar_is_made_without_the_guilty(photos: Path, tmp_path: Path) -> None:
    tars, output = ["--to", "webdataset", "--tar-images", "15"], tmp_path / "out"
    assert ended([*command(photos, tmp_path / "whole", "-j0"), *tars])[0] == 0
    names = chosen(photos, 2)
    faults = dict(zip(names, FAULTS, strict=True))
    run = [*command(photos, output, "-j2"), *tars]
    limits = ["--time-limit", "2", "--memory-limit", "200M"]
    code, said = ended([*run, *limits], guilty={str(photos / name): fault for name, fault in faults.items()})
    assert code == 1, said
    rows = Counter((row["source"], row["error"]) for row in failures(output))
    assert rows == {(name, FAULTS[fault][0]): 3 for name, fault in faults.items()}
    assert verify.verify(str(output), 1) == (30, [])
    assert ended(run)[0] == 0
    assert tree(output) == tree(tmp_path / "whole")


@pytest.mark.skipif(not os.access(CGROUP / "memory.limit_in_bytes", os.W_OK), reason="needs a memory cgroup of its own")
@pytest.mark.parametrize("number", range(4))
def test_the_systems_own_killer(photos: Path, expected: dict[str, str], tmp_path: Path, number: int) -> None:
    """A group of processes may have 400 MB in all, and the kernel kills who takes them."""
    names, output = chosen(photos, number), tmp_path / "out"
    group = CGROUP / f"augx-{os.getpid()}-{number}"
    group.mkdir()
    try:
        (group / "memory.limit_in_bytes").write_text(str(400 << 20))
        run = [*command(photos, output, "-j1"), "--memory-limit", "8G"]
        process = subprocess.run(
            ["sh", "-c", 'echo $$ > "$0/cgroup.procs"; exec "$@"', str(group), *run],
            env=environment(guilty={str(photos / name): "hoard" for name in names}), capture_output=True, text=True,
        )  # fmt: skip
        killed = int((group / "memory.oom_control").read_text().rpartition(" ")[2])
    finally:
        assert waited(lambda: _removed(group), NOTICED) is not None  # it is busy until the last process is reaped
    assert process.returncode == 1, process.stderr
    assert killed >= 6
    judge(output, expected, dict.fromkeys(names, FAULTS["kill"]))
    assert ended(command(photos, output, "-j1"))[0] == 0
    assert tree(output) == expected


def _removed(group: Path) -> bool:
    try:
        group.rmdir()
    except OSError:
        return False
    return True
