"""INPUT and OUTPUT elsewhere, in the memory that fsspec takes for a file system: what is made, lost and told."""

from __future__ import annotations

import errno
import json
import os
import pickle
import re
import socket
import stat
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from conftest import encoded

import augx
from augx import engine
from augx import recipe as recipes
from augx.cli import call
from augx.errors import InputError, Refused, Stopped
from augx.remote import bucket, cache, lease, mirror
from augx.store import Folder, open_regular

fsspec = pytest.importorskip("fsspec")
from fsspec.implementations.memory import MemoryFileSystem  # noqa: E402

RECIPE = "version: 1\ncopies: 2\nseed: 4\ntransforms: [{Affine: {rotate: [-20, 20], p: 1}}]\n"
MIXED = "version: 1\ncopies: 2\nseed: 4\ntransforms: [{mixup: {p: 0.7, partners: same}}, HorizontalFlip]\n"
Objects = dict[str, bytes]


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An empty memory, and a cache of its own. Nobody waits long before what failed is tried again."""
    monkeypatch.setenv("AUGX_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(bucket, "_FIRST_WAIT", 0.0)
    yield
    MemoryFileSystem.store.clear()
    MemoryFileSystem.pseudo_dirs[:] = [""]


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    root = tmp_path / "photos"
    for number in range(6):
        path = root / ("cat", "dog")[number % 2] / f"{number}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encoded(number))
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    return root


def upload(folder: Path, name: str) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            MemoryFileSystem().pipe_file(f"/{name}/{path.relative_to(folder)}", path.read_bytes())


def objects(name: str, own: bool = False) -> Objects:
    """What lies under memory://name; our own folder only if asked for."""
    head = f"/{name}/"
    found = {
        path[len(head) :]: file.getvalue() for path, file in MemoryFileSystem.store.items() if path.startswith(head)
    }
    return {path: data for path, data in found.items() if own or not path.startswith(".augx/")}


def files(folder: Path) -> Objects:
    paths = [path for path in folder.rglob("*") if path.is_file() and ".augx" not in path.parts]
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def run(input: object, output: object, recipe: str = RECIPE, **more: Any) -> Any:
    return augx.run(str(input), str(output), recipes.parse(recipe.encode(), "recipe.yaml"), **more)


@pytest.mark.parametrize("recipe", [RECIPE, MIXED])
@pytest.mark.parametrize("to", [(), ("webdataset",)])
def test_the_same_as_on_a_disk(photos: Path, tmp_path: Path, recipe: str, to: tuple[str, ...]) -> None:
    upload(photos, "in")
    here = run(photos, tmp_path / "out", recipe, to=to, workers=0)
    there = run("memory://in", "memory://out", recipe, to=to)
    assert (there.made, there.failed) == (here.made, 0) == (18, 0)
    assert objects("out") == files(tmp_path / "out")
    ours = objects("out", own=True).keys() - objects("out").keys()
    assert {name.removeprefix(".augx/").partition("-")[0] for name in ours} == {"index", "lock", "objects.jsonl"}
    assert objects("out", own=True)[".augx/lock"] == b""


def test_a_bit_that_changed_there(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of which no mark tells, nor what was kept here."""
    upload(photos, "in")
    run("memory://in", "memory://out")
    before = objects("out")
    assert augx.Images("memory://out")[1].image.size  # which is kept
    file = MemoryFileSystem.store["/out/cat/0_aug01.jpg"]
    file.seek(200)
    file.write(bytes([file.getvalue()[200] ^ 1]))
    assert call(["verify", "memory://out", "-q"]) == 0
    assert run("memory://in", "memory://out").made == 0
    assert call(["verify", "memory://out", "--deep"]) == 1
    assert "cat/0_aug01.jpg: its content is not what the manifest says\n" in capsys.readouterr().out
    assert run("memory://in", "memory://out").made == 1
    assert objects("out") == before


def test_what_is_wrong_cannot_be_marked(
    photos: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    upload(photos, "in")
    run("memory://in", "memory://out")
    file = MemoryFileSystem.store["/out/cat/0_aug01.jpg"]
    file.seek(200)
    file.write(bytes([file.getvalue()[200] ^ 1]))

    def denied(*_: object, **__: object) -> None:
        raise PermissionError(13, "AccessDenied")

    monkeypatch.setattr(MemoryFileSystem, "pipe_file", denied)
    assert call(["verify", "memory://out", "--deep"]) == 1
    assert "cannot be marked for the next run" in capsys.readouterr().out


class Seen:
    """Which objects were read."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.read: Counter[str] = Counter()
        get = bucket.Bucket.get

        def counted(one: bucket.Bucket, name: str, path: str) -> None:
            self.read[name] += 1
            get(one, name, path)

        monkeypatch.setattr(bucket.Bucket, "get", counted)

    def pictures(self) -> list[str]:
        return sorted(name for name in self.read if name.endswith(".jpg"))


def test_a_second_run_reads_no_picture(photos: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    upload(photos, "in")
    run("memory://in", "memory://out")
    seen = Seen(monkeypatch)
    monkeypatch.setenv("AUGX_CACHE_DIR", str(tmp_path / "another machine"))
    again = run("memory://in", "memory://out")
    assert (again.made, again.kept) == (0, 18)
    assert call(["check", "memory://in", "memory://out", "-r", str(tmp_path / "recipe.yaml"), "-q"]) == 0
    assert call(["verify", "memory://out", "-q"]) == 0
    assert seen.pictures() == []
    assert call(["verify", "--deep", "memory://out", "-q"]) == 0
    assert len(seen.pictures()) == 18


def test_what_changed_is_made_again(photos: Path) -> None:
    upload(photos, "in")
    run("memory://in", "memory://out")
    MemoryFileSystem().pipe_file("/in/cat/0.jpg", encoded(77))
    MemoryFileSystem().rm_file("/in/dog/1.jpg")
    MemoryFileSystem().pipe_file("/in/dog/9.jpg", encoded(9))
    after = run("memory://in", "memory://out")
    assert (after.made, after.kept, after.removed) == (6, 12, 3)
    changed = objects("out")
    MemoryFileSystem().rm("/out", recursive=True)
    run("memory://in", "memory://out")
    assert objects("out") == changed


def test_an_image_that_somebody_else_wrote_over(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    upload(photos, "in")
    run("memory://in", "memory://out")
    before = objects("out")
    name = next(name for name in before if name.endswith("_aug01.jpg"))
    MemoryFileSystem().pipe_file(f"/out/{name}", encoded(3))
    assert call(["verify", "memory://out"]) == 1
    assert f"{name}: it has" in capsys.readouterr().out
    assert run("memory://in", "memory://out").made >= 1
    assert objects("out") == before


def test_what_verify_finds_is_made_again(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Here the object is the one that was written, by its mark, and comes out otherwise when it is read."""
    upload(photos, "in")
    run("memory://in", "memory://out")
    before = objects("out")
    name = next(name for name in before if name.endswith("_aug01.jpg"))
    file = MemoryFileSystem.store[f"/out/{name}"]
    file.seek(len(before[name]) // 2)
    file.write(b"damaged")
    assert call(["verify", "memory://out", "-q"]) == 0
    assert call(["verify", "--deep", "memory://out", "-q"]) == 1
    assert run("memory://in", "memory://out").made >= 1
    assert objects("out") == before
    assert run("memory://in", "memory://out").made == 0
    assert call(["verify", "--deep", "memory://out", "-q"]) == 0


class Failing:
    """A store that refuses each tenth request, or all after some."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, each: int = 0, after: int = 0, error: OSError | None = None):
        self.count, self.each, self.after = 0, each, after
        self.error = error or OSError(5, "slow down")
        self.lock = threading.Lock()
        for name in ("ls", "info", "get_file", "put_file", "cat_file", "pipe_file", "rm_file"):
            monkeypatch.setattr(MemoryFileSystem, name, self._failing(getattr(MemoryFileSystem, name)))

    def _failing(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def may_fail(*arguments: Any, **named: Any) -> Any:
            with self.lock:
                self.count += 1
                if (self.each and self.count % self.each == 0) or (self.after and self.count > self.after):
                    raise self.error
            return function(*arguments, **named)

        return may_fail


def test_a_store_that_fails_every_tenth_request_loses_nothing(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload(photos, "in")
    here = run(photos, tmp_path / "out", workers=0)
    failing = Failing(monkeypatch, each=10)
    assert run("memory://in", "memory://out").made == here.made
    assert failing.count > 100
    assert objects("out") == files(tmp_path / "out")


@pytest.mark.parametrize("to", [(), ("webdataset",)])
def test_a_store_that_goes_away_at_any_request(photos: Path, tmp_path: Path, to: tuple[str, ...]) -> None:
    """The run stops and says why; the next one, on another machine, comes to the same end."""
    upload(photos, "in")
    run(photos, tmp_path / "out", to=to, workers=0)
    after, stops = 1, 0
    while True:
        with pytest.MonkeyPatch.context() as context:
            context.setenv("AUGX_CACHE_DIR", str(tmp_path / f"cache{after}"))
            failing = Failing(context, after=after)
            try:
                run("memory://in", "memory://out", to=to)
            except (Stopped, Refused) as error:
                stops += 1
                assert "slow down" in error.message
        if failing.count <= after:
            break
        if after % 3 == 0:  # sometimes from the beginning, sometimes over what the last ones have left
            MemoryFileSystem().rm("/out", recursive=True) if MemoryFileSystem().exists("/out") else None
        run("memory://in", "memory://out", to=to)
        assert objects("out") == files(tmp_path / "out")
        if after % 2:
            MemoryFileSystem().rm("/out", recursive=True)
        after += 7
    assert stops > 5


def test_shares_are_joined(photos: Path, tmp_path: Path) -> None:
    upload(photos, "in")
    run(photos, tmp_path / "out", workers=0)
    for share in ("2/3", "1/3", "3/3"):
        run("memory://in", "memory://out", shard=share)
    assert augx.merge("memory://out").kept == 18
    assert objects("out") == files(tmp_path / "out")
    assert not [name for name in objects("out", own=True) if "shards" in name]


def test_denied_before_anything_is_written(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    upload(photos, "in")

    def denied(*_: object, **__: object) -> None:
        raise PermissionError(13, "AccessDenied")

    monkeypatch.setattr(MemoryFileSystem, "pipe_file", denied)
    with pytest.raises(Refused, match=r"memory://out.*access denied: .*AccessDenied") as caught:
        run("memory://in", "memory://out")
    assert "credentials" in caught.value.hint
    assert objects("out", own=True) == {}
    monkeypatch.setattr(MemoryFileSystem, "ls", denied)
    with pytest.raises(InputError, match="memory://in: access denied"):
        run("memory://in", "memory://out")


def test_credentials_that_expire(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No image fails of that."""
    upload(photos, "in")

    def expired(*_: object, **__: object) -> None:
        raise PermissionError(13, "The provided token has expired.")

    with monkeypatch.context() as patch, pytest.raises(Stopped, match=r"access denied: .*token has expired"):
        run(
            "memory://in", "memory://out", progress=During(lambda: patch.setattr(MemoryFileSystem, "get_file", expired))
        )
    assert run("memory://in", "memory://out").failed == 0
    monkeypatch.setattr(MemoryFileSystem, "ls", expired)
    with pytest.raises(Refused, match="memory://in: access denied") as caught:
        run("memory://in", "memory://out")
    assert "credentials" in caught.value.hint


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["plan", "memory://nowhere"], "memory://nowhere: there is nothing"),
        (["plan", "nosuch://bucket/a"], "nosuch://bucket/a: Protocol not known: nosuch"),
        (["plan", "memory://in::zip://a"], "chained URLs are not read"),
        (["run", "memory://in", "memory://in/out"], "OUTPUT memory://in/out lies inside INPUT memory://in"),
        (["run", "memory://in/cat", "memory://in"], "INPUT memory://in/cat lies inside OUTPUT memory://in"),
        (["run", "memory://in", "memory://in"], "OUTPUT is INPUT: memory://in"),
        (["run", "memory://in", "memory://out", "--executor", "dask"], "--executor dask sees nothing of memory://"),
        (["verify", "memory://in"], "memory://in holds no finished run of augx"),
        (["plan", "sftp://me:secret@/x"], "sftp://me@/x"),
    ],
)
def test_what_is_refused(photos: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str) -> None:
    upload(photos, "in")
    assert call(arguments) == 2
    told = capsys.readouterr().err
    assert said in told
    assert "secret" not in told and "Traceback" not in told and "mirrors" not in told


def test_words_of_a_run(photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    upload(photos, "in")
    assert call(["run", "memory://in", "memory://out", "-r", str(tmp_path / "recipe.yaml")]) == 0
    told = capsys.readouterr().out
    assert "18 images from 6 sources in memory://out" in told and "augx verify memory://out" in told
    assert str(tmp_path / "cache") not in told


def test_tars_are_read(photos: Path, tmp_path: Path) -> None:
    run(photos, tmp_path / "tars", to="webdataset", workers=0)
    upload(tmp_path / "tars", "tars")
    here = run(tmp_path / "tars", tmp_path / "out", workers=0, to="folder")
    there = run("memory://tars", "memory://out", to="folder")
    assert here.made == there.made == 54
    assert objects("out") == files(tmp_path / "out")


def test_a_pattern_of_tars(photos: Path, tmp_path: Path) -> None:
    run(photos, tmp_path / "tars", to="webdataset", workers=0)
    upload(tmp_path / "tars", "tars")
    (tar,) = [name for name in objects("tars") if name.endswith(".tar")]
    pattern = tar.replace("000000", "{000000..000000}")
    assert run(f"memory://tars/{pattern}", "memory://out", to="folder").made == 54
    with pytest.raises(Refused, match="there is no such object"):
        run("memory://tars/{1..2}.tar", "memory://out2")


def test_one_writer_at_a_time(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    upload(photos, "in")
    holder = {"host": "elsewhere", "pid": 7, "token": "x", "until": 4e9}
    MemoryFileSystem().pipe_file("/out/.augx/lock", json.dumps(holder).encode())
    with pytest.raises(Refused, match="is being written by another augx, process 7 on elsewhere"):
        run("memory://in", "memory://out")
    MemoryFileSystem().pipe_file("/out/.augx/lock", json.dumps(holder | {"until": 1.0}).encode())
    with pytest.raises(Refused, match="is being written by another augx"):  # whose clock is another
        run("memory://in", "memory://out")
    lock = MemoryFileSystem.store["/out/.augx/lock"]
    lock.modified = lock.created = lock.created - timedelta(seconds=121)
    assert run("memory://in", "memory://out").made == 18  # that one has not renewed its lease


def test_a_process_of_another_container_is_another(photos: Path) -> None:
    upload(photos, "in")
    holder = {"host": socket.gethostname(), "space": "1", "pid": os.getpid(), "token": "x", "until": 4e9}
    MemoryFileSystem().pipe_file("/out/.augx/lock", json.dumps(holder).encode())
    with pytest.raises(Refused, match="is being written by another augx"):
        run("memory://in", "memory://out")
    MemoryFileSystem().pipe_file("/out/.augx/lock", json.dumps(holder | {"space": lease._SPACE}).encode())
    assert run("memory://in", "memory://out").made == 18  # which was this process, and is not any more


class During:
    """Does something before the first image."""

    def __init__(self, action: Callable[[], object]) -> None:
        self.action = action

    def begin(self, images: int, kept: int) -> None:
        self.action()

    def step(self, made: int, failed: int) -> None: ...
    def end(self) -> None: ...


def test_nothing_is_written_once_another_has_the_place(photos: Path) -> None:
    upload(photos, "in")
    other = json.dumps({"host": "elsewhere", "pid": 7, "token": "x", "until": 4e9}).encode()
    taken = During(lambda: MemoryFileSystem().pipe_file("/out/.augx/lock", other))
    with pytest.raises(Stopped, match="memory://out has been taken over by another augx"):
        run("memory://in", "memory://out", progress=taken)
    assert objects("out", own=True) == {".augx/lock": other}  # which stays theirs


def test_what_another_did_since_it_was_listed(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that had to read long, and began while another ended."""
    upload(photos, "in")
    run("memory://in", "memory://first")
    read = engine.read

    def slowly(request: engine.Request) -> Any:
        monkeypatch.setattr(engine, "read", read)
        run("memory://in", "memory://out", seed=5, copies=3)
        return read(request)

    monkeypatch.setattr(engine, "read", slowly)
    after = run("memory://in", "memory://out")
    assert (after.made, after.removed) == (18, 6)  # aug03 goes
    assert objects("out") == objects("first")


def test_no_more_is_kept_than_may_be(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    size = (photos / "cat" / "0.jpg").stat().st_size
    monkeypatch.setenv("AUGX_CACHE_SIZE", str(3 * size))
    upload(photos, "in")
    assert run("memory://in", "memory://out").made == 18
    held = [path.stat().st_size for path in (tmp_path / "cache" / "content").rglob("*") if path.is_file()]
    assert 0 < sum(held) <= 4 * size
    assert os.listdir(tmp_path / "cache" / "mirrors") == []  # they went with the runs
    monkeypatch.setenv("AUGX_CACHE_SIZE", "much")
    with pytest.raises(Refused, match="AUGX_CACHE_SIZE 'much' is no size"):
        run("memory://in", "memory://out")
    assert cache.folder() == str(tmp_path / "cache")


@pytest.mark.parametrize("name", ["a//b.jpg", "../b.jpg", f"{'n' * 300}.jpg"])
def test_names_that_no_file_can_have(photos: Path, name: str) -> None:
    upload(photos, "in")
    MemoryFileSystem.store[f"/in/{name}"] = MemoryFileSystem.store["/in/cat/0.jpg"]
    with pytest.raises(InputError, match="no file can have this name"):
        run("memory://in", "memory://out")


def test_a_finished_one_is_read(photos: Path) -> None:
    upload(photos, "in")
    run("memory://in", "memory://out")
    images = augx.Images("memory://out")
    assert len(images) == 18
    assert images[0].image.shape == (18, 24, 3)
    assert augx.read("memory://in").format == "folder"


@pytest.mark.parametrize(
    ("input", "output", "said"),
    [
        ("memory://in/", "memory:///in", "OUTPUT is INPUT: memory:///in"),
        ("MEMORY://in", "memory://in/out/", "OUTPUT memory://in/out lies inside INPUT memory://in"),
        ("memory://in//", "memory://out/../in", "memory://out/../in: a part of it is empty, . or .."),
        ("memory://in//cat", "memory://out", "memory://in//cat: a part of it is empty, . or .."),
        ("memory://", "memory://out", "memory://: no place is named"),
    ],
)
def test_one_place_however_it_is_written(photos: Path, input: str, output: str, said: str) -> None:
    upload(photos, "in")
    with pytest.raises(Refused, match=re.escape(said)):
        run(input, output)
    assert objects("in", own=True).keys() == files(photos).keys()


def test_several_schemes_of_one_store(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MemoryFileSystem, "protocol", ("memory", "other"))
    fsspec.register_implementation("other", MemoryFileSystem, clobber=True)
    upload(photos, "in")
    with pytest.raises(Refused, match="OUTPUT other:///in/out lies inside INPUT memory://in"):
        run("memory://in", "other:///in/out")


def test_what_is_written_here_is_no_url(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    upload(photos, "in")
    run("memory://in", "memory://out")
    monkeypatch.chdir(tmp_path)
    for arguments in (
        ["demo", "memory://demo"],
        ["preview", "memory://in", "-o", "memory://sheet.png"],
        ["report", "memory://out", "-o", "memory://report.html"],
        ["init", "memory://in", "-o", "memory://recipe.yaml"],
        ["schema", "-o", "memory://schema.json"],
        ["replay", "memory://out", "cat/0_aug01.jpg", "-o", "memory://again.jpg"],
    ):
        assert call(arguments) == 2, arguments
    assert sorted(os.listdir(tmp_path)) == ["cache", "photos", "recipe.yaml"]


def test_no_verb_tells_of_the_folder_here(photos: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    upload(photos, "in")
    MemoryFileSystem().pipe_file("/in/cat/torn.jpg", b"no picture")
    run("memory://in", "memory://out")
    MemoryFileSystem().pipe_file("/in/cat/9.jpg", encoded(9))
    recipe = str(tmp_path / "recipe.yaml")
    for arguments in (
        ["run", "memory://in", "memory://out2", "-r", recipe, "--json"],
        ["check", "memory://in", "memory://out", "--json"],
        ["check", "memory://in", "memory://nowhere"],
        ["plan", "memory://in", "--json"],
        ["init", "memory://in", "-o", str(tmp_path / "new.yaml")],
        ["validate", recipe, "--input", "memory://in", "--output-format", "github"],
        ["validate", recipe, "--input", "memory://in", "--output-format", "json"],
        ["report", "memory://out", "-o", str(tmp_path / "report.html")],
        ["preview", "memory://in", "-o", str(tmp_path / "sheet.html"), "-j0", "-r", recipe],
        ["replay", "memory://out", "cat/0_aug01.jpg", "-o", str(tmp_path / "again.jpg")],
        ["verify", "memory://out", "--json"],
    ):
        assert call(arguments) in (0, 1), arguments
    told = "".join(capfd.readouterr())
    assert "memory://in" in told
    written = [told, *(path.read_text() for path in tmp_path.glob("*.[hy][ta]ml"))]
    written += [data.decode() for name, data in (objects("out") | objects("out2")).items() if "json" in name]
    assert not [text for text in written if "mirrors" in text]


def _seen(images: augx.Images[augx.Example], number: int) -> tuple[float, str]:
    return images[number].image.mean(), images.manifest.path(images.manifest[number])


def test_images_in_another_process(photos: Path, tmp_path: Path) -> None:
    """As a DataLoader's workers get them: the folder here is that of the process which made them."""
    upload(photos, "in")
    run("memory://in", "memory://out")
    images = augx.Images("memory://out")
    assert images.manifest.output == "memory://out" and "memory://out" in repr(images.manifest)
    wanted = _seen(images, 1)
    assert wanted[1] == "memory://out/cat/0_aug01.jpg"
    held = pickle.dumps((images, images[1]))
    monkeys = mirror._mirrors.copy()
    mirror._mirrors.clear()
    try:
        again, example = pickle.loads(held)
        assert _seen(again, 1) == wanted
        assert example.image.mean() == wanted[0]
    finally:
        mirror._mirrors.update(monkeys)
    assert augx.read("memory://in").root == "memory://in"


def test_runs_beside_each_other_keep_their_mirrors(photos: Path) -> None:
    upload(photos, "in")
    images: list[augx.Images[augx.Example]] = []

    def meanwhile() -> None:
        thread = threading.Thread(target=lambda: images.append(augx.Images("memory://first")))
        thread.start()
        thread.join()

    run("memory://in", "memory://first")
    run("memory://in", "memory://second", progress=During(meanwhile))
    assert images[0][0].image.shape == (18, 24, 3)


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("sftp://me:p@ss@host/x", "sftp://me@host/x"),
        ("sftp://me:p:a@host:22/x", "sftp://me@host:22/x"),
        ("https://host/x?token=abc", "https://host/x"),
        ("s3://bucket/a:b@c", "s3://bucket/a:b@c"),
    ],
)
def test_no_secret_is_shown(url: str, name: str) -> None:
    assert bucket.shown(url) == name
    assert bucket.plain(f"{url}/") == url


def test_what_is_kept_is_nobody_elses(photos: Path, tmp_path: Path) -> None:
    upload(photos, "in")
    run("memory://in", "memory://out")
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "cache").rglob("*")}
    assert len(modes) > 6 and {mode & 0o077 for mode in modes.values()} == {0}


def test_a_file_of_the_cache_that_was_cut_short(photos: Path, tmp_path: Path) -> None:
    upload(photos, "in")
    assert run("memory://in", "memory://out").failed == 0
    for path in (tmp_path / "cache" / "content").glob("*/*"):
        path.write_bytes(path.read_bytes()[:100])
    assert run("memory://in", "memory://out2").failed == 0
    assert objects("out2") == objects("out")


def test_made_room_before_it_was_opened(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    upload(photos, "in")
    path, left = cache.Cache.path, [2]

    def evicted(*args: Any) -> str:
        place = path(*args)
        if left and left[0]:
            left[0] -= 1
            os.unlink(place)
        return place

    monkeypatch.setattr(cache.Cache, "path", evicted)
    assert run("memory://in", "memory://out").failed == 0
    left[0] = 10**9
    with pytest.raises(Stopped, match="does not stay in the cache") as caught:
        run("memory://in", "memory://out3")
    assert "AUGX_CACHE_SIZE" in caught.value.hint and "mirrors" not in caught.value.message


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES, errno.EROFS])
def test_nothing_can_be_kept_here(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """Which is no fault of the images."""
    upload(photos, "in")
    private = cache.private

    def refused(path: str) -> None:
        if "content" in path:
            raise OSError(number, os.strerror(number), path)
        private(path)

    monkeypatch.setattr(cache, "private", refused)
    assert call(["run", "memory://in", "memory://out", "-r", str(tmp_path / "recipe.yaml")]) in (2, 3)
    said = capsys.readouterr().err
    assert f"cannot write {tmp_path}/cache/content: {os.strerror(number)}" in said and "AUGX_CACHE_DIR" in said


def test_a_full_disk_is_not_the_stores_fault(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    upload(photos, "in")
    calls = []

    def full(*_: object, **__: object) -> None:
        calls.append(1)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(MemoryFileSystem, "get_file", full)
    with pytest.raises(Stopped, match=r"cannot write .*/content: No space left") as caught:
        run("memory://in", "memory://out")
    assert "AUGX_CACHE_DIR" in caught.value.hint
    assert len(calls) <= 6  # nothing is read again


def test_what_a_killed_process_was_reading_goes(tmp_path: Path) -> None:
    kept = cache.Cache(str(tmp_path), 10)
    (tmp_path / "content").mkdir()
    old, new = tmp_path / "content" / "a.1", tmp_path / "content" / "b.2"
    for path, age in ((old, 2 * 86400), (new, 60)):
        path.write_bytes(b"half")
        os.utime(path, (time.time() - age,) * 2)
    kept.path("key", 3, 5, lambda path: Path(path).write_bytes(b"abc") and None)
    assert not old.exists() and new.exists()


def test_a_worker_on_another_machine(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder here is not there, and what it writes is seen here only when it is listed."""
    root = mirror.local("memory://out", reads=False)
    ours = mirror._mirrors[root]
    held = {"host": "here", "space": "", "pid": 1, "token": "T", "until": 4e9}
    MemoryFileSystem().pipe_file("/out/.augx/lock", json.dumps(held).encode())
    ours._lease = (".augx/lock", "T")
    sent = pickle.dumps(ours)
    os.makedirs(root)
    os.rename(root, f"{root}.away")
    monkeypatch.setattr(mirror, "_mirrors", {})
    theirs = pickle.loads(sent)
    assert pickle.loads(sent) is theirs
    place = mirror.moved(root, ".augx/tmp/1")
    assert place == theirs.root != root
    folder = Folder(place, tmp=".augx/tmp/1")
    with folder.batch():
        folder.write("cat/1.jpg", b"one", 5 * 10**18)
    folder.write(".augx/journal/1.jsonl", b"{}")
    assert objects("out") == {"cat/1.jpg": b"one"}
    assert not os.path.exists(f"{place}/cat/1.jpg")
    monkeypatch.setattr(mirror, "_mirrors", {root: ours})
    os.rename(f"{root}.away", root)
    ours.look(".augx/journal")
    with open_regular(f"{root}/.augx/journal/1.jsonl") as file:
        assert file.read() == b"{}"
    assert not os.path.exists(f"{root}/cat")
    MemoryFileSystem().pipe_file("/out/.augx/lock", json.dumps(held | {"token": "U"}).encode())
    monkeypatch.setattr(mirror, "_mirrors", {place: theirs})
    with pytest.raises(Stopped, match="taken over"), folder.batch():
        folder.write("cat/2.jpg", b"two", 5 * 10**18)
    assert "cat/2.jpg" not in objects("out")


def test_a_file_where_a_folder_is_to_be(photos: Path) -> None:
    upload(photos, "in")
    for input, output in (("in/cat/0.jpg", "out"), ("in", "in2/cat/0.jpg")):
        upload(photos, "in2")
        with pytest.raises(InputError, match=r"cat/0\.jpg is a file"):
            run(f"memory://{input}", f"memory://{output}")


@pytest.mark.parametrize("names", [("a", "a/b.jpg"), ("a/b.jpg", "a")])
def test_a_name_that_is_a_folder_too(monkeypatch: pytest.MonkeyPatch, names: tuple[str, ...]) -> None:
    entry = bucket.Entry(3, "x", 5)
    monkeypatch.setattr(bucket.Bucket, "all", lambda self: iter([(name, entry) for name in names]))
    with pytest.raises(InputError, match="no file can have this name: a folder in it is a file"):
        run("memory://in", "memory://out")


def test_shards_whose_input_is_out_of_reach(photos: Path) -> None:
    upload(photos, "in")
    run("memory://in", "memory://out", shard="1/1")
    upload(photos, "moved")
    MemoryFileSystem().rm("/in", recursive=True)
    with pytest.raises(InputError, match="memory://in: there is nothing") as caught:
        augx.merge("memory://out")
    assert "--input" in caught.value.hint
    assert augx.merge("memory://out", "memory://moved").kept == 18
