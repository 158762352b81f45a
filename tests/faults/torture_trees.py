"""What lies in INPUT beside files: links, pipes, devices, sockets, loops, thousands of entries; and what INPUT may be."""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import wild_data
from torture import RUN, Case, Content, Link
from torture_images import saved

PNG, JPEG = saved("PNG"), saved("JPEG")
GOOD: dict[str, Content] = {"in/cat/good.jpg": JPEG, "in/dog/good.png": PNG}
OTHER = {"away/secret.png": saved("PNG"), "away/sub/secret.jpg": JPEG}


def pipe(path: Path) -> None:
    os.mkfifo(path)


def bound(path: Path) -> None:
    """A socket. Its path must be short, so it is bound from its own folder."""
    here = os.getcwd()
    os.chdir(path.parent)
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(path.name)
    os.chdir(here)


def device(major: int, minor: int) -> Content:
    """A node of a character device; where only root may make one, a link to nothing stands for it."""

    def make(path: Path) -> None:
        try:
            os.mknod(path, 0o600 | stat.S_IFCHR, os.makedev(major, minor))
        except PermissionError:
            os.mkfifo(path)

    return make


def folder(path: Path) -> None:
    path.mkdir()


def sparse(begin: str | bytes) -> Content:
    """A file that begins so, and has a terabyte of zeros behind, which take no room on a disk."""

    def make(path: Path) -> None:
        path.write_bytes(begin.encode() if isinstance(begin, str) else begin)
        os.truncate(path, 1 << 40)

    return make


def locked(path: Path) -> None:
    path.write_bytes(PNG)
    path.chmod(0)


def _special() -> Case:
    failed = {"pipe.png": pipe, "socket.jpg": bound, "zero.png": device(1, 5), "null.jpg": device(1, 3)}
    failed |= {"tty.png": device(5, 0), "pipe without an ending": pipe, "linked.png": Link("pipe.png")}
    hidden = {".pipe.png": pipe, ".hidden/a.png": PNG, "empty": folder, "folder.png": folder, "full.jpg/a.png": PNG}
    ignored = {
        "pipe.txt": pipe,
        "labels.csv": pipe,
        "annotations.json": bound,
        "a.xml": device(1, 5),
        "data.yaml": pipe,
    }
    everything = {**failed, **hidden, **ignored}
    codes = {f"cat/{name}": "not-a-file" for name in failed}
    files: dict[str, Content] = {**GOOD, **{f"in/cat/{name}": content for name, content in everything.items()}}
    words = (*RUN, "--from", "folder")
    told = {"not-a-file": len(ignored)}
    return Case("what is no file", files, 1, codes, None, told, 6, "", words, workers=1, holds=len(everything))


def _links() -> Case:
    made = {"in.jpg": Link("good.jpg"), "dots.png": Link("../dog/good.png"), "twice.jpg": Link("in.jpg")}
    outside = {"out.png": Link("../../away/secret.png"), "root.png": Link("/etc/passwd"), "away": Link("../../away")}
    outside |= {"slash": Link("/"), "zero.png": Link("/dev/zero"), "proc": Link("/proc/self"), "up": Link("../../..")}
    outside |= {"random.jpg": Link("/dev/random"), "stdin.png": Link("/dev/stdin"), "fd.png": Link("/proc/self/fd/0")}
    broken = {"nothing.png": Link("nowhere"), "itself.png": Link("itself.png"), "one.png": Link("two.png")}
    broken |= {"two.png": Link("one.png"), "long.png": Link("x" * 4000), "below.png": Link("good.jpg/x")}
    loops = {"here": Link("."), "above": Link(".."), "whole": Link("../../in")}
    places = {f"in/cat/{name}": link for name, link in {**made, **outside, **broken, **loops}.items()}
    warned = {"link-outside": len(outside), "link-loop": len(loops)}
    codes = {f"cat/{name}": "link-broken" for name in broken}
    files: dict[str, Content] = {**GOOD, **OTHER, **places}
    return Case("links", files, 1, codes, None, warned, 2 * (2 + len(made)), holds=len(places), workers=1)


def _many() -> Iterator[Case]:
    texts: dict[str, Content] = {f"in/cat/{n}.txt": "" for n in range(10_000)}
    yield Case("10,000 texts", {**GOOD, **texts}, 0, made=4)
    empty: dict[str, Content] = {f"in/cat/{n}.jpg": b"" for n in range(3_000)}
    codes = {f"cat/{n}.jpg": "empty-file" for n in range(3_000)}
    yield Case("3,000 empty images", {**GOOD, **empty}, 1, codes, made=4)
    folders: dict[str, Content] = {f"in/{n}/x": folder for n in range(5_000)}
    yield Case("10,000 empty folders", {**GOOD, **folders}, 0, made=4)
    links: dict[str, Content] = {f"in/cat/{n}": Link("../dog") for n in range(5_000)}
    yield Case("5,000 links to a folder", {**GOOD, **links}, 0, warned={"link-loop": 4_900}, made=2 * 102)
    yield Case("a file of a terabyte of nothing", {**GOOD, "in/cat/a.png": sparse(PNG)}, 1, {"cat/a.png": "too-many-bytes"},
               made=4)  # fmt: skip
    for form, files in label_files().items():
        (label, text), *_ = [(name, text) for name, text in files.items() if name not in GOOD]
        words = (*RUN, "--from", form, *(("--to", "hf") if form == "webdataset" else ()))
        planted = {f"in/{name}": content for name, content in files.items()}
        yield Case(
            f"{label} of {form} with a terabyte of zeros behind", {**planted, f"in/{label}": sparse(text)}, words=words
        )
        yield Case(f"{label} of {form} is a terabyte of zeros", {**planted, f"in/{label}": sparse(b"")}, words=words)


def label_files() -> dict[str, dict[str, Any]]:
    """A dataset of each format that has label files, the first file one of them."""
    found: dict[str, dict[str, Any]] = {
        "table": wild_data.table("a.png,cat"),
        "coco": wild_data.coco([wild_data.COCO_BOX]),
        "yolo": wild_data.yolo(wild_data.YOLO_LINE),
        "voc": wild_data.voc(wild_data.voc_xml(wild_data.BOX_XML)),
        "dota": wild_data.dota("5 5 15 5 15 13 5 13 cat 0"),
        "labelme": wild_data.labelme(wild_data.BOX_JSON),
        "cvat": wild_data.cvat(wild_data.CVAT_BOX),
        "hf": {**wild_data.hf_lines(wild_data.HF_ROW)},
        "createml": wild_data.createml([wild_data.ML_BOX]),
        "openimages": wild_data.openimages("a.png,40,30,cat,5,5,15,13"),
        "webdataset": {
            "0.tar": wild_data.tar([("a.png", PNG), ("a.cls", b"cat")]),
            "1.tar": wild_data.tar([("b.png", PNG)]),
        },
    }
    endings = (".csv", ".json", ".jsonl", ".txt", ".xml", ".tar")
    return {
        form: dict(sorted(files.items(), key=lambda one: not one[0].endswith(endings))) for form, files in found.items()
    }


def _roots() -> Iterator[Case]:
    for name, files, exit, said in (
        ("nothing", {}, 2, "there is no such folder"),
        ("a file", {"in": PNG}, 2, "is no folder"),
        ("a pipe", {"in": pipe}, 2, "is no folder"),
        ("a device", {"in": Link("/dev/zero")}, 2, "is no folder"),
        ("a link to nothing", {"in": Link("nowhere")}, 2, "there is no such folder"),
        ("a link to itself", {"in": Link("in")}, 2, "cannot be read"),
        ("an empty folder", {"in": folder}, 2, "no images found"),
        ("a folder of folders", {"in/a/b/c": folder}, 2, "no images found"),
        ("a folder of hidden files", {"in/.a.png": PNG}, 2, "no images found"),
        ("a folder of texts", {"in/a.txt": ""}, 2, "no images found"),
        ("a folder of links out of it", {"in/a.png": Link("/etc/passwd")}, 2, "no images"),
    ):
        yield Case(f"INPUT is {name}", files, exit, said=said)  # type: ignore[arg-type]
    yield Case("INPUT is a link", {"in": Link("real"), "real/cat/a.png": PNG, "real/dog/b.png": PNG}, 0, made=4)
    for word, said in (("", "INPUT is empty"), ("in/nul\0", "in"), ("x" * 5_000, "cannot be read"), ("~", "no such"),
                       ("nosuch://example.org/in", "example.org/in: "), ("in/../../../../../..", "INPUT")):  # fmt: skip
        if "\0" not in word:
            yield Case(f"INPUT is {word[:30]!r}", GOOD, exit=2, words=("run", word, *RUN[2:]), said=said)
    for word in ("in", "in/out", ".", "in/cat", "./in/../in"):
        yield Case(f"OUTPUT is {word!r}", GOOD, exit=2, words=("run", "in", word, *RUN[3:]), said="INPUT")


CASES: Sequence[Case] = (_special(), _links(), *_many(), *_roots())
