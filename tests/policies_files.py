"""Files of every kind that may lie in INPUT and what becomes of them (`policies.py`).

Each is put beside two good images, `cat/good.png` and `dog/good.png`.
"""

from __future__ import annotations

import gzip
import io
import os
import socket
import stat
import struct
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from policies_modes import GREY, RGB, chunk, png, saved, tiff

Content = bytes | Callable[[Path], object]  # what makes the file at a path

PNG, JPEG = png(RGB), saved(RGB, "JPEG")
GOOD: Mapping[str, Content] = {"cat/good.png": PNG, "dog/good.png": png(RGB[::-1].copy())}
LARGE = png(np.random.default_rng(1).integers(0, 256, (36, 48, 3), dtype=np.uint8))
OUTSIDE = png(GREY)  # is in the folder `outside` beside INPUT, and must never be in OUTPUT


@dataclass(frozen=True)
class Kind:
    """One row of the table. `used`: how many of `files` are. `failures`, `warnings`, `ignored`: as summary.json has
    them. `does`: more than these say. `limits`: of the recipe."""

    what: str
    files: Mapping[str, Content]
    used: int = 0
    failures: Mapping[str, int] = field(default_factory=dict)
    warnings: Mapping[str, int] = field(default_factory=dict)
    ignored: Mapping[str, int] = field(default_factory=dict)
    does: str = ""
    limits: Mapping[str, int] = field(default_factory=dict)


def used(what: str, *names: str, content: bytes = PNG, does: str = "", **warnings: int) -> Kind:
    counted = {code.replace("_", "-"): count for code, count in warnings.items()}
    return Kind(what, dict.fromkeys(names, content), len(names), warnings=counted, does=does)


def failed(what: str, code: str, files: Mapping[str, Content], does: str = "") -> Kind:
    return Kind(what, files, failures={code: len(files)}, does=does)


def left_out(what: str, code: str, files: Mapping[str, Content], does: str = "") -> Kind:
    return Kind(what, files, warnings={code: len(files)}, does=does)


def link(target: str) -> Callable[[Path], object]:
    return lambda path: path.symlink_to(target)


def listener(path: Path) -> None:
    """A socket. Its address must be short, so it is made from its own folder."""
    before = os.getcwd()
    os.chdir(path.parent)
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(path.name)
    finally:
        os.chdir(before)


def device(path: Path) -> None:
    """/dev/zero once more: to read it whole takes for ever."""
    os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(1, 5))


def locked(path: Path) -> None:
    path.write_bytes(PNG)
    path.chmod(0)


def zipped() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.png", PNG)
    return buffer.getvalue()


CR2 = tiff(RGB, b"CR\2\0" + bytes(4))
_HEAD = chunk(b"IHDR", struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0))
_BROKEN = PNG[:60] + b"\0\0\0\0" + PNG[64:]

KINDS: Sequence[Kind] = (
    used("an image", "cat/x.png", "y.png", does="beside the class folders without a class", no_class=1),
    used("an ending in capitals", "cat/x.PNG"),
    used("a rarer ending: .jpe, .jfif, .mpo", "cat/x.jpe", "cat/y.jfif", "cat/z.mpo", content=JPEG,
         does="the copies end as is common, in .jpg"),
    used("no ending, or one that nobody knows", "cat/x", "cat/y.foo", does="the content counts; the copies are PNGs"),
    used("the wrong ending", "cat/x.jpg", does="the content counts; the copies are what the ending says",
         ending_differs=1),
    used("spaces, brackets, quotes, a line end, any script in the name", "cat/-x [1] 'é\"\n猫.png", "cat/y\\z.png"),
    used("a name of 255 bytes", f"cat/{'x' * 251}.png", does="its copies get shorter ones with a hash"),
    used("names that differ in upper and lower case only", "cat/x.png", "cat/X.png", does="one gets a hash"),
    used("names that differ in how an accent is coded (NFC, NFD)", "cat/\xe9.png", "cat/e\u0301.png",
         does="one gets a hash"),
    used("folders in folders, 60 deep", f"cat/{'d/' * 60}x.png", does="its class is the path"),
    used("a folder called x.jpg, with an image", "cat/x.jpg/y.png", does="it is a folder"),
    Kind("an empty folder", {"cow": Path.mkdir}),
    Kind("a link to an image in INPUT", {"cat/x.png": link("good.png")}, used=1),
    Kind("a link to a folder in INPUT", {"cow": link("cat")}, used=1, does="once; no folder link below it is followed"),
    Kind("a second name of a file (hard link)", {"cat/x.png": lambda path: path.hardlink_to(path.parent / "good.png")},
         used=1),
    left_out("a link out of INPUT, to a file, folder or device", "link-outside", {
        "cat/x.png": link("../../outside/a.png"), "cow": link("../outside"), "cat/y.png": link("/dev/zero"),
        "cat/x.txt": link("/etc/passwd"),
    }, "nothing outside INPUT is read"),
    left_out("a folder link that leads back", "link-loop", {"cat/again": link("..")}),
    failed("a link to nothing, or to itself", "link-broken",
           {"cat/x.png": link("nothing"), "cat/y.png": link("y.png")}),
    failed("a pipe, socket or device called like an image, a link to one", "not-a-file",
           {"cat/a.png": os.mkfifo, "cat/b.png": listener, "cat/c.png": link("a.png")}, "it is never opened"),
    failed("a device", "not-a-file", {"cat/x.png": device}, "it is never opened"),
    left_out("a pipe, socket or device called like a document", "not-a-file",
             {"cat/a.txt": os.mkfifo, "cat/b.csv": listener}),
    failed("a file that may not be read", "unreadable", {"cat/x.png": locked}),
    failed("a name that is no UTF-8", "name-not-utf8", {"cat/\udcff.png": PNG, "\udcfe/x.png": PNG}),
    failed("an empty file", "empty-file", {"cat/x.png": b"", "cat/y": b""}),
    failed("nothing but zeros", "only-zeros", {"cat/x.jpg": bytes(4096)}),
    failed("a cut file", "truncated", {"cat/x.jpg": JPEG[:-100], "cat/x.png": PNG[:-50], "cat/y.jpg.part": JPEG[:200]}),
    failed("a damaged file", "corrupt", {"cat/x.png": _BROKEN}),
    failed("a web page called .jpg", "html-page", {"cat/x.jpg": b"<!doctype html><html>404</html>"}),
    failed("a pointer of Git LFS or git-annex", "lfs-pointer", {
        "cat/x.jpg": b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n",
        "cat/y.jpg": b"/annex/objects/SHA256E-s5--00.jpg\n",
    }),
    failed("JSON, XML, text, PDF or an archive called .jpg", "not-an-image", {
        "cat/a.jpg": b'{"error": 404}', "cat/b.jpg": b'<?xml version="1.0"?><Error/>', "cat/c.jpg": b"hello",
        "cat/d.jpg": b"%PDF-1.4", "cat/e.jpg": zipped(), "cat/f.jpg": gzip.compress(PNG),
    }),
    failed("video and sound", "not-an-image", {
        "cat/a.mp4": b"\0\0\0\x18ftypmp42" + bytes(50), "cat/b.mkv": b"\x1aE\xdf\xa3" + bytes(50),
        "cat/c.avi": b"RIFF0\0\0\0AVI LIST" + bytes(50), "cat/d.wav": b"RIFF0\0\0\0WAVEfmt " + bytes(50),
    }),
    failed("GIF, HEIC, AVIF, JPEG 2000, JPEG XL, PSD, ICO, TGA, PPM, QOI, SVG, DICOM", "unsupported-format", {
        "cat/a.gif": saved(RGB, "GIF"), "cat/b.heic": b"\0\0\0\x18ftypheic" + bytes(50),
        "cat/c.avif": b"\0\0\0\x18ftypavif" + bytes(50), "cat/d.jp2": b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(50),
        "cat/e.jxl": b"\xff\x0a" + bytes(20), "cat/f.psd": b"8BPS\0\1" + bytes(30), "cat/g.ico": saved(RGB, "ICO"),
        "cat/h.tga": saved(RGB, "TGA"), "cat/i.ppm": saved(RGB, "PPM"), "cat/j.qoi": b"qoif" + bytes(30),
        "cat/k.svg": b'<svg xmlns="http://www.w3.org/2000/svg"/>', "cat/l.dcm": bytes(128) + b"DICM" + bytes(30),
        "cat/m.jpg": saved(RGB, "GIF"),
    }, "the code is the same whatever the ending"),
    failed("a camera's raw file (DNG, NEF, CR2 and others)", "unsupported-format",
           {"cat/x.dng": tiff(RGB, t50706=b"\1\4\0\0"), "cat/x.nef": tiff(RGB, t254=1), "cat/x.cr2": CR2},
           "the preview in it is not taken for the image"),
    failed("a file larger than `limits: {bytes: ...}`", "too-many-bytes",
           {"cat/x.png": lambda path: (path.touch(), os.truncate(path, (1 << 30) + 1))}, "it is not read"),
    Kind("a picture of more than `limits: {pixels: ...}`", {"cat/x.png": LARGE}, failures={"too-many-pixels": 1},
         does="no pixel is decoded", limits={"pixels": 1000}),
    Kind("a side longer than `limits: {side: ...}`", {"cat/x.png": LARGE}, failures={"side-too-long": 1},
         limits={"side": 40}),
    failed("a tiny file that claims more pixels than that", "decompression-bomb",
           {"cat/x.png": PNG[:8] + _HEAD + chunk(b"IDAT", b"x" * 50) + PNG[-12:]}, "no pixel is decoded"),
    Kind("documents and archives, by their endings or names",
         {"a.txt": b"", "b.CSV": b"", "c.zip": zipped(), "d.tar.gz": b"", "cat/e.json": b"{}", "f.pdf": b"",
          "LICENSE": b"", "Thumbs.db": b"", "desktop.ini": b"", "cat/\udcff.txt": b"", "cat/x.txt": PNG},
         ignored={".txt": 3, ".csv": 1, ".zip": 1, ".gz": 1, ".json": 1, ".pdf": 1, "LICENSE": 1, ".db": 1, ".ini": 1},
         does="what they hold is not looked at, but for labels"),
    Kind("hidden files and folders", {".DS_Store": b"", "cat/._good.png": b"x", ".git/x.png": PNG, "cat/.x.png": PNG}),
)  # fmt: skip
