"""Tar shards with members that lead out, are no files, lie or never end; and other archives in their place."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import os
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import replace

import wild_data
from torture import RUN, Case, Content
from torture_rows import NAMES, VALUES

PNG = wild_data.png(1)
Members = Sequence[tuple[str, bytes | tarfile.TarInfo]]
GOOD: Members = (("a.png", wild_data.png(0)), ("a.cls", b"cat"), ("b.png", PNG), ("b.cls", b"dog"))


def member(name: str, kind: bytes = tarfile.REGTYPE, size: int = 0, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.size, info.linkname = kind, size, link
    return info


def tar(members: Members, form: int = tarfile.GNU_FORMAT) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form, errors="surrogateescape") as file:
        for name, content in members:
            if isinstance(content, bytes):
                file.addfile(member(name, size=len(content)), io.BytesIO(content))
            else:
                file.addfile(content)
    return buffer.getvalue()


def broken(place: int, value: bytes) -> bytes:
    """A shard whose second header has other bytes somewhere, with the right checksum."""
    data = bytearray(tar(GOOD))
    at = 512 + (len(wild_data.png(0)) + 511) // 512 * 512
    data[at + place : at + place + len(value)] = value
    data[at + 148 : at + 156] = b" " * 8
    data[at + 148 : at + 156] = b"%06o\0 " % sum(data[at : at + 512])
    return bytes(data)


def case(name: str, shard: Content, file: str = "s.tar", workers: int = 0, holds: int = 1) -> Case:
    words = (*RUN, "--from", "webdataset", "--to", "hf")
    return Case(name, {f"in/{file}": shard}, words=words, workers=workers, holds=holds)


def _members() -> Iterator[Case]:
    evil = {
        "/etc/cron.d/x.png": "outside-input", "../../x.png": "outside-input", "a/../../../y.png": "outside-input",
        "..": "outside-input", "//x.png": "outside-input", "fifo.png": "not-a-file", "null.png": "not-a-file",
        "disk.png": "not-a-file", "link.png": "not-a-file", "away.png": "not-a-file", "hard.png": "not-a-file",
        "gone.png": "not-a-file", "sparse.png": "not-a-file", "self.png": "not-a-file",
    }  # fmt: skip
    kinds = {"fifo.png": tarfile.FIFOTYPE, "null.png": tarfile.CHRTYPE, "disk.png": tarfile.BLKTYPE,
             "link.png": tarfile.SYMTYPE, "away.png": tarfile.SYMTYPE, "hard.png": tarfile.LNKTYPE,
             "gone.png": tarfile.LNKTYPE, "sparse.png": tarfile.GNUTYPE_SPARSE, "self.png": tarfile.SYMTYPE}  # fmt: skip
    links = {
        "link.png": "a.png",
        "away.png": "/etc/passwd",
        "hard.png": "a.png",
        "gone.png": "../x",
        "self.png": "self.png",
    }
    members = [(name, member(name, kinds[name], link=links.get(name, "")) if name in kinds else PNG) for name in evil]
    codes = [(f"s.tar/{os.path.normpath(name)}", code) for name, code in evil.items()]
    shard = case("members that are none", tar([*GOOD, *members]), workers=1, holds=len(evil))
    yield replace(shard, exit=1, failed=dict(codes), made=4)
    yield case("names that are no UTF-8", tar([*GOOD, ("\udcff.png", PNG), ("caf\udce9.png", PNG)]))
    odd = [
        "a b.png",
        "line\nbreak.png",
        "x" * 300 + ".png",
        "d/" * 200 + "a.png",
        "-rf.png",
        "🦊.png",
        "a\\b.png",
        "con.png",
    ]
    yield case("odd names", tar([*GOOD, *((name, PNG) for name in odd)]))
    yield case("odd names in PAX headers", tar([*GOOD, *((name, PNG) for name in odd)], tarfile.PAX_FORMAT))
    yield case("one name 1,000 times", tar([*GOOD, *[("a.png", PNG)] * 1000]))
    hidden = [(".a.png", PNG), ("x/.b.png", PNG), ("._c.png", PNG), ("d", member("d", tarfile.DIRTYPE))]
    yield case("hidden files and folders", tar([*GOOD, *hidden]))
    yield case("a folder called as an image", tar([*GOOD, ("x.png", member("x.png", tarfile.DIRTYPE))]))
    yield case("members of an unknown kind", tar([*GOOD, ("x.png", member("x.png", b"Z"))]))
    yield case("10^5 members", tar([*GOOD, *((f"n{n}.txt", b"") for n in range(100_000))]))
    yield case("10^5 endings of one sample", tar([*GOOD, *((f"a.{n}", b"") for n in range(100_000))]))


def _headers() -> Iterator[Case]:
    whole = tar(GOOD)
    for at in (0, 1, 100, 511, 512, 700, len(whole) // 2):
        yield case(f"cut at {at}", whole[:at])
    yield case("cut in the last file", whole[: whole.rindex(PNG[-20:])])
    for name, place, value in (
        ("a size of 8 EiB", 124, b"\x80\0\0\0\x7f" + b"\xff" * 7), ("a negative size", 124, b"\xff" * 12),
        ("a size that is no number", 124, b"one hundred!"), ("a size of 8 GiB", 124, b"77777777777\0"),
        ("a name of zeros", 0, bytes(100)), ("no magic", 257, bytes(8)), ("a mode that is none", 100, b"rwxr-xr\0"),
    ):  # fmt: skip
        yield case(name, broken(place, value))
    data = bytearray(whole)
    data[148:156] = b"0000000\0"
    yield case("a wrong checksum", bytes(data))
    long = member("././@LongLink", tarfile.GNUTYPE_LONGNAME, size=1 << 40)
    yield case("a long name of a terabyte", tar([*GOOD, ("x", long)]))
    name = member("././@LongLink", tarfile.GNUTYPE_LONGNAME, size=0)
    yield case("10^5 long names without an end", tar([*GOOD, *[("x", name)] * 100_000]))
    pax = member("x", tarfile.XHDTYPE, size=40)
    head = bytes(pax.tobuf())
    for said in (
        b"999999999999 path=x\n",
        b"0 path=x\n",
        b"-1 a=b\n",
        b"15 size=-5000\n",
        b"11 path=\n\n",
        b"20 GNU.sparse.map=1\n",
    ):
        yield case(f"PAX of {said[:20]!r}", whole[:-10240] + head + said.ljust(512, b"\0") + whole[-10240:])
    yield case("zeros", bytes(100_000))
    yield case("a picture", PNG)


def _packed() -> Iterator[Case]:
    zeros = bytes(100_000_000)
    for file, data in (
        ("s.tar", gzip.compress(tar(GOOD))), ("s.tar", gzip.compress(zeros)), ("s.tar", bz2.compress(tar(GOOD))),
        ("s.tar", lzma.compress(tar(GOOD))), ("s.tar.gz", gzip.compress(zeros)), ("s.tgz", gzip.compress(tar(GOOD))),
        ("s.tar.xz", lzma.compress(tar(GOOD))), ("s.tar.zst", b"\x28\xb5\x2f\xfd"), ("s.tar", b"PK\x03\x04" + bytes(500)),
    ):  # fmt: skip
        yield case(f"{file} of {data[:4]!r} {len(data)}", data, file)


def _contents() -> Iterator[Case]:
    classes = [m for n, name in enumerate(NAMES) for m in ((f"n{n}.png", PNG), (f"n{n}.cls", name.encode()))]
    yield case("classes", tar([*GOOD, *classes]))
    for field in ("label", "labels", "objects", "other"):
        texts = [json.dumps({field: "@"}).replace('"@"', value) for value in VALUES]
        notes = [m for n, text in enumerate(texts) for m in ((f"n{n}.png", PNG), (f"n{n}.json", text.encode()))]
        yield case(f"values of {field}", tar([*GOOD, *notes]))
    odd = (b"", b"\xff\xfe", b"[" * 1_000_000, b"{" * 100, b"null", b"3", bytes(1000), b'{"a":' + b"9" * 1_000_000 + b"}",
           b'"' + b"x" * 10_000_000 + b'"', b'{"a":1,"a":2}', b"\xef\xbb\xbf{}", "{}".encode("utf-16"))  # fmt: skip
    notes = [m for n, text in enumerate(odd) for m in ((f"n{n}.png", PNG), (f"n{n}.json", text))]
    yield case("documents", tar([*GOOD, *notes]))
    large = member("a.json", size=1 << 36)
    yield case("a text of 64 GiB", tar(GOOD[:1])[:-10240] + large.tobuf() + bytes(512))


CASES: Sequence[Case] = (*_members(), *_headers(), *_packed(), *_contents())
