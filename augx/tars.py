"""A tar as bytes: what stands before and behind each member, and where members lie.

What is written is USTAR, with a PAX header before a name that is too long for it or not ASCII. Nothing in it depends on
when or by whom it was written: time, owner and group are 0.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

BLOCK = 512
END = bytes(2 * BLOCK)
_LONGEST = 1 << 20  # bytes of a PAX header that is read
_OWNER = b"0000644\0" + b"0000000\0" * 2
_TIME = b"\0" + b"00000000000\0"  # behind the size
_MIDDLE = bytes(100) + b"ustar\x0000" + bytes(64) + b"0000000\0" * 2  # no link, no names of owner and group, no device
_BLOCK = b"%b" + _OWNER + b"%011o" + _TIME + b"%06o\0 %b" + _MIDDLE + b"%b" + bytes(12)
_NO_PREFIX = bytes(155)
_FIXED = sum(_OWNER + _TIME + _MIDDLE) + 8 * 32  # of the sum of all bytes, its own eight as blanks


class Member(NamedTuple):
    """A file in a tar; `offset`: of its content, in bytes."""

    name: str
    offset: int
    size: int


def padding(size: int) -> int:
    """How many zeros stand behind so many bytes of content."""
    return -size % BLOCK


def header(name: str, size: int) -> bytes:
    """What stands before the content of a member."""
    raw = name.encode()
    if len(raw) <= 100 and name.isascii():
        return _block(raw, size)
    if name.isascii() and (slash := _cut(raw)):
        return _block(raw[slash + 1 :], size, prefix=raw[:slash])
    record = _record(b"path", raw)
    head = _block(b"././@PaxHeader", len(record), b"x") + record + bytes(padding(len(record)))
    return head + _block(raw[:100], size)


def members(file: BinaryIO, start: int = 0) -> Iterator[Member]:
    """The files from a header at `start` on, in their order; ValueError where that is no tar as it is written here."""
    at, path = start, None
    while True:
        file.seek(at)
        block = file.read(BLOCK)
        if len(block) < BLOCK:
            raise ValueError(f"there is no end of the tar at {at}")
        if not block.strip(b"\0"):
            return
        size = int(block[124:135], 8)
        if block[148:156] != _sum(block) or size < 0:
            raise ValueError(f"a header of the tar at {at} is damaged")
        at += BLOCK
        if block[156:157] == b"x":
            path = _path(file.read(min(size, _LONGEST)))
        else:
            yield Member(_name(block) if path is None else path, at, size)
            path = None
        at += size + padding(size)


def _block(name: bytes, size: int, kind: bytes = b"0", prefix: bytes = b"") -> bytes:
    total = _FIXED + sum(name) + sum(b"%011o" % size) + kind[0] + sum(prefix)
    return _BLOCK % (name.ljust(100, b"\0"), size, total, kind, prefix.ljust(155, b"\0") if prefix else _NO_PREFIX)


def _sum(block: bytes) -> bytes:
    return b"%06o\0 " % (sum(block) - sum(block[148:156]) + 8 * 32)


def _cut(name: bytes) -> int:
    """The place of the slash at which USTAR holds a longer name in two parts; 0 where it cannot."""
    slash = name.find(b"/", len(name) - 101)
    return slash if 0 < slash <= 155 and slash < len(name) - 1 else 0


def _name(block: bytes) -> str:
    name, prefix = (block[start:end].partition(b"\0")[0] for start, end in ((0, 100), (345, 500)))
    return (prefix + b"/" + name if prefix else name).decode()


def _record(key: bytes, value: bytes) -> bytes:
    """`30 path=...`: the number counts itself."""
    rest = b" %b=%b\n" % (key, value)
    size = len(rest) + len(str(len(rest)))
    if len(str(size)) + len(rest) != size:
        size += 1
    return b"%d%b" % (size, rest)


def _path(data: bytes) -> str:
    size, _, rest = data.partition(b" ")
    key, _, value = rest[: int(size) - len(size) - 1].partition(b"=")
    if key != b"path" or not value.endswith(b"\n"):
        raise ValueError("a PAX header is not as it is written here")
    return value[:-1].decode()
