"""Against moto's S3: there and back, killed, refused, and by workers of their own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import encoded

from augx.cli import call

pytestmark = [pytest.mark.engines, pytest.mark.filterwarnings("ignore")]
boto3 = pytest.importorskip("boto3")
pytest.importorskip("s3fs")
server = pytest.importorskip("moto.server")
serving = pytest.importorskip("werkzeug.serving")

RECIPE = """
version: 1
copies: 3
transforms: [{Affine: {rotate: [-20, 20], p: 1}}, {mixup: {p: 0.5, partners: same}}]
"""
Start = Callable[..., Any]
Ran = Callable[..., tuple[int, str]]


class Gate:
    """Stands before S3: refuses each so many requests, or those of some methods."""

    def __init__(self, app: Callable[[Any, Start], Iterable[bytes]]) -> None:
        self.app, self.each, self.denied, self.count, self.refused = app, 0, "", 0, 0
        self.seen: list[str] = []
        self.lock = threading.Lock()

    def __call__(self, environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        with self.lock:
            self.count += 1
            self.seen.append(f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}")
            slow = bool(self.each) and self.count % self.each == 0
            denied = environ["REQUEST_METHOD"] in self.denied.split()
            self.refused += slow or denied
        if not slow and not denied:
            return self.app(environ, start)
        length = int(environ.get("CONTENT_LENGTH") or 0)
        environ["wsgi.input"].read(length)
        code, status = ("SlowDown", "503 Slow Down") if slow else ("AccessDenied", "403 Forbidden")
        body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{code}</Message></Error>".encode()
        start(status, [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))])
        return [b"" if environ["REQUEST_METHOD"] == "HEAD" else body]


@pytest.fixture
def s3(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    gate = Gate(server.DomainDispatcherApplication(server.create_backend_app))
    served = serving.make_server("127.0.0.1", 0, gate, threaded=True)
    thread = threading.Thread(target=served.serve_forever, daemon=True)
    thread.start()
    for name, value in {
        "AWS_ACCESS_KEY_ID": "someone", "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI", "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{served.server_port}", "AUGX_CACHE_DIR": str(tmp_path / "cache"),
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    client().create_bucket(Bucket="photos")
    yield gate
    for bucket in client().list_buckets()["Buckets"]:
        for name in objects("", bucket["Name"]):
            client().delete_object(Bucket=bucket["Name"], Key=name)
        client().delete_bucket(Bucket=bucket["Name"])
    served.shutdown()
    thread.join()
    served.server_close()


def client() -> Any:
    return boto3.client("s3", endpoint_url=os.environ["AWS_ENDPOINT_URL"])


def objects(head: str, bucket: str = "photos") -> dict[str, bytes]:
    found = {}
    for page in client().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=head):
        for one in page.get("Contents", ()):
            found[one["Key"][len(head) :]] = client().get_object(Bucket=bucket, Key=one["Key"])["Body"].read()
    return found


def images(head: str) -> dict[str, bytes]:
    return {name: data for name, data in objects(head).items() if not name.startswith(".augx/")}


def files(folder: Path) -> dict[str, bytes]:
    paths = [path for path in folder.rglob("*") if path.is_file() and ".augx" not in path.parts]
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


@pytest.fixture
def photos(tmp_path: Path, s3: Gate, ran: Ran) -> Path:
    """Twelve pictures, here and at s3://photos/in."""
    root = tmp_path / "in"
    for number in range(12):
        path = root / ("cat", "dog")[number % 2] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encoded(number, ".png"))
        client().upload_file(str(path), "photos", f"in/{path.relative_to(root)}")
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    return root


def command(photos: Path, *arguments: object) -> list[str]:
    recipe = ["-r", str(photos.parent / "recipe.yaml"), "-q"]
    return [sys.executable, "-m", "augx", *map(str, arguments), *(recipe if arguments[0] in ("run", "check") else [])]


@pytest.fixture
def ran(photos: Path, capfd: pytest.CaptureFixture[str]) -> Ran:
    """Runs a command line in this process: exit code, and all that was said."""

    def ran(*arguments: object) -> tuple[int, str]:
        capfd.readouterr()
        if "-j2" in arguments:  # workers come from a process that was begun with other settings
            done = subprocess.run(command(photos, *arguments), capture_output=True, text=True, timeout=120)
            code, said = done.returncode, done.stdout + done.stderr
        else:
            code, said = call(command(photos, *arguments)[3:]), "".join(capfd.readouterr())
        assert "wJalrXUtnFEMI" not in said
        return code, said

    return ran


@pytest.mark.parametrize("to", [[], ["--to", "webdataset", "--tar-images", "16"]])
def test_there_as_here_with_workers(photos: Path, tmp_path: Path, s3: Gate, ran: Ran, to: list[str]) -> None:
    assert ran("run", photos, tmp_path / "out", "-j0", *to) == (0, "")
    assert ran("run", "s3://photos/in", "s3://photos/out", "-j2", *to) == (0, "")
    assert images("out/") == files(tmp_path / "out")
    s3.seen.clear()
    assert ran("run", "s3://photos/in", "s3://photos/out", "-j0", *to)[0] == 0
    assert ran("check", "s3://photos/in", "s3://photos/out", *to)[0] == 0
    assert ran("verify", "s3://photos/out")[0] == 0
    assert not [line for line in s3.seen if line.startswith("GET") and line.endswith((".png", ".tar"))]
    assert ran("verify", "--deep", "s3://photos/out")[0] == 0


def test_killed_and_gone_on_elsewhere(
    photos: Path, tmp_path: Path, s3: Gate, ran: Ran, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ran("run", photos, tmp_path / "out", "-j0")[0] == 0
    for number in range(2):
        line = command(photos, "run", "s3://photos/in", "s3://photos/out", "-j2")
        process = subprocess.Popen(line, start_new_session=True)
        wanted = 8 * (number + 1)
        until = time.monotonic() + 60
        while process.poll() is None and time.monotonic() < until:
            if sum(line.startswith("PUT /photos/out/") and line.endswith(".png") for line in list(s3.seen)) >= wanted:
                break
            threading.Event().wait(0.01)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        monkeypatch.setenv("AUGX_CACHE_DIR", str(tmp_path / f"cache{number}"))
    assert ran("run", "s3://photos/in", "s3://photos/out", "-j2") == (0, "")
    assert images("out/") == files(tmp_path / "out")
    kept = {name.partition("-")[0] for name in objects("out/.augx/")}
    assert kept == {"index", "lock", "objects.jsonl"}
    assert ran("verify", "--deep", "s3://photos/out")[0] == 0


def test_each_tenth_request_fails(photos: Path, tmp_path: Path, s3: Gate, ran: Ran) -> None:
    assert ran("run", photos, tmp_path / "out", "-j0")[0] == 0
    s3.each = 10
    assert ran("run", "s3://photos/in", "s3://photos/out", "-j0") == (0, "")
    s3.each = 0
    assert s3.refused > 10
    assert images("out/") == files(tmp_path / "out")


@pytest.mark.parametrize("methods", ["PUT POST", "GET HEAD"])
def test_denied_before_work_starts(photos: Path, s3: Gate, ran: Ran, methods: str) -> None:
    s3.denied = methods
    code, said = ran("run", "s3://photos/in", "s3://photos/out")
    s3.denied = ""
    assert code == 2
    assert "access denied" in said and "s3://photos/" in said and "credentials" in said
    assert objects("out/") == {}


def test_no_such_bucket(photos: Path, s3: Gate, ran: Ran) -> None:
    code, said = ran("run", "s3://nowhere/in", "s3://photos/out")
    assert (code, said.splitlines()[0]) == (2, "augx: s3://nowhere/in: there is nothing")
    code, said = ran("run", "s3://photos/in", "s3://nowhere/out")
    assert code == 2 and "s3://nowhere/out" in said


def test_shares_on_machines_of_their_own(
    photos: Path, tmp_path: Path, ran: Ran, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ran("run", photos, tmp_path / "out", "-j0")[0] == 0
    for share in ("3/3", "1/3", "2/3"):
        monkeypatch.setenv("AUGX_CACHE_DIR", str(tmp_path / share.replace("/", "of")))
        assert ran("run", "s3://photos/in", "s3://photos/out", "-j0", "--shard", share) == (0, "")
    code, said = ran("merge", "s3://photos/out")
    assert code == 0, said
    assert images("out/") == files(tmp_path / "out")
