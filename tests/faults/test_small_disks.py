"""Disks that fill up, and one that turns read-only: the run stops with the place and the way out, leaves nothing torn,
and goes on where it was when there is room."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import tree
from makers import command, ended, pictures
from running import Silent, a_recipe, run

from augx import engine as runner
from augx import plan as planning
from augx import recipe as recipes
from augx import verify
from augx.errors import Stopped

Mount = Callable[..., Path]
pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="mounts as Linux does")]
SIZES = range(8, 400, 9)  # kB, up to a little less than what the tree takes


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return pictures(tmp_path_factory.mktemp("disks") / "photos", 24)


@pytest.fixture(scope="module")
def expected(photos: Path) -> dict[str, str]:
    run(photos, photos.parent / "expected")
    return tree(photos.parent / "expected")


@pytest.fixture
def mount(tmp_path: Path) -> Iterator[Mount]:
    """Mounts a file system, or skips the test."""
    mounted: list[Path] = []

    def mount(*how: str) -> Path:
        place = tmp_path / f"disk{len(mounted)}"
        place.mkdir()
        done = subprocess.run(["mount", *how, str(place)], capture_output=True, text=True)
        if done.returncode:
            pytest.skip(f"no mounts here: {done.stderr.strip()}")
        mounted.append(place)
        return place

    yield mount
    for place in mounted:
        subprocess.run(["umount", "-l", str(place)], check=True)


def formatted(image: Path) -> Path:
    with open(image, "wb") as file:
        file.truncate(16 << 20)
    subprocess.run(["mkfs.ext4", "-q", "-m", "0", str(image)], check=True)
    return image


def again(place: Path, options: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{options}", str(place)], check=True)


def stops(photos: Path, output: Path, whole: set[str], reason: str, way_out: str, **request: object) -> None:
    """A run stops; nothing torn is under a final name, and nothing temporary left."""
    with pytest.raises(Stopped) as caught:
        run(photos, output, fsync="batch", **request)
    assert str(output) in caught.value.message and reason in caught.value.message
    assert way_out in caught.value.hint
    left = tree(output) if output.exists() else {}
    assert {sha256 for name, sha256 in left.items() if not name.startswith(".augx/")} <= whole
    assert not (output / ".augx" / "tmp").exists()


def goes_on(photos: Path, output: Path, expected: dict[str, str]) -> None:
    run(photos, output, fsync="batch")
    assert tree(output) == expected
    assert verify.verify(str(output), 1)[1] == []


@pytest.mark.parametrize("size", SIZES)
def test_a_disk_of_some_kilobytes(
    photos: Path, expected: dict[str, str], mount: Mount, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(planning, "_SHARD_SOURCES", 3)
    monkeypatch.setattr(planning, "_SMALL_SHARDS", 0)
    disk = mount("-t", "tmpfs", "-o", f"size={size}k", "none")
    stops(photos, disk / "out", {*expected.values()}, "No space left", "free some space")
    again(disk, "size=8m")
    goes_on(photos, disk / "out", expected)


@pytest.mark.parametrize("most", [5, 9, 30, 70, 85])
def test_a_disk_of_few_files(
    photos: Path, expected: dict[str, str], mount: Mount, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(planning, "_SHARD_SOURCES", 3)
    monkeypatch.setattr(planning, "_SMALL_SHARDS", 0)
    disk = mount("-t", "tmpfs", "-o", f"nr_inodes={most}", "none")
    stops(photos, disk / "out", {*expected.values()}, "No space left", "free some space")
    again(disk, "nr_inodes=10000")
    goes_on(photos, disk / "out", expected)


@pytest.mark.skipif(shutil.which("mkfs.ext4") is None, reason="no mkfs.ext4")
@pytest.mark.parametrize("free", [20, 80, 140, 200])
def test_a_journaling_disk(photos: Path, expected: dict[str, str], mount: Mount, tmp_path: Path, free: int) -> None:
    """What fills it is deleted, as a user would do."""
    disk = mount("-o", "loop", str(formatted(tmp_path / "image")))
    status = os.statvfs(disk)
    (disk / "ballast").write_bytes(bytes(status.f_bavail * status.f_frsize - (free << 10)))
    stops(photos, disk / "out", {*expected.values()}, "No space left", "free some space")
    (disk / "ballast").unlink()
    goes_on(photos, disk / "out", expected)


@pytest.mark.parametrize("size", [60, 300])
def test_workers_on_a_full_disk(photos: Path, expected: dict[str, str], mount: Mount, size: int) -> None:
    disk = mount("-t", "tmpfs", "-o", f"size={size}k", "none")
    arguments = command(photos, disk / "out", "-j2")
    code, said = ended(arguments)
    assert code == 3
    assert f"cannot write {disk}/out" in said and "No space left" in said and "free some space" in said
    assert "Traceback" not in said
    again(disk, "size=8m")
    assert ended(arguments)[0] == 0
    goes_on(photos, disk / "out", expected)


class Aborts(Silent):
    """Has the file system stop as on an error of the disk, after the first shard."""

    def __init__(self, disk: Path) -> None:
        super().__init__()
        self.disk = disk

    def step(self, made: int, failed: int) -> None:
        super().step(made, failed)
        if made:
            again(self.disk, "abort")


@pytest.mark.skipif(shutil.which("mkfs.ext4") is None, reason="no mkfs.ext4")
def test_a_disk_that_turns_read_only(
    photos: Path, expected: dict[str, str], mount: Mount, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As ext4 does when its journal cannot be written any more. When it was checked, the same command goes on."""
    monkeypatch.setattr(planning, "_SHARD_SOURCES", 3)
    monkeypatch.setattr(planning, "_SMALL_SHARDS", 0)
    image = formatted(tmp_path / "image")
    disk = mount("-o", "loop,errors=remount-ro", str(image))
    asked = runner.Request(str(photos), str(disk / "out"), a_recipe(), workers=0)
    with pytest.raises(Stopped, match=r"Read-only file system|Input/output error") as caught:
        runner.run(asked, Aborts(disk), recipes.check_transforms)
    assert str(disk / "out") in caught.value.message and caught.value.hint
    with pytest.raises(Stopped, match=r"Read-only file system|Input/output error"):
        run(photos, disk / "out")
    subprocess.run(["umount", str(disk)], check=True)
    assert subprocess.run(["e2fsck", "-fy", str(image)], capture_output=True).returncode in (0, 1)
    subprocess.run(["mount", "-o", "loop", str(image), str(disk)], check=True)
    goes_on(photos, disk / "out", expected)
