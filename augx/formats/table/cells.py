"""The cells of a table in CSV, TSV or JSONL, before anything is known of its columns."""

from __future__ import annotations

import codecs
import csv
import io
import json
import math
from collections import Counter
from collections.abc import Iterator
from typing import BinaryIO

from augx.errors import InputError
from augx.formats.flaws import Flaws
from augx.model import Flaw, Json
from augx.store import open_regular

HEAD = 20  # rows looked at to tell whether a table fits
HEAD_LINES = 10 * HEAD  # for that many rows, as a row may have many lines
DEPTH = 100  # JSON nested deeper is refused, as not every reader survives it
LONGEST = 1 << 24  # bytes of a row of CSV, and of all that is looked at as a head

Cells = dict[str, Json]  # one row as read: text in CSV and TSV, any JSON in JSONL


def parse(path: str, name: str, head: bool = False) -> tuple[str, tuple[str, ...], list[tuple[int, Cells]], list[Flaw]]:
    """Delimiter, header, (line, row) in order, and the rows that cannot be read. `head`: the first ones, leniently."""
    try:
        with open_regular(path) as file:
            data = (_head(file) if head else _whole(file, name)).lstrip(codecs.BOM_UTF8)
    except OSError as error:
        raise InputError(f"{name} cannot be read: {error.strerror}", "is it whole, and may you read it?") from None
    try:
        text = data.decode("utf-8", "replace" if head else "strict")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        message = f"{name}:{line}: byte {error.start} (0x{data[error.start]:02x}) is no UTF-8"
        raise InputError(message, "save the table as UTF-8") from None
    if name.lower().endswith(".jsonl"):
        return "", *_json_rows(name, text)
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise InputError(f"{name}:{line}: a NUL character is in the table", "save the table as UTF-8 text")
    del text
    limit = csv.field_size_limit(LONGEST)  # of the whole process, so it is put back
    try:
        delimiter = "\t" if name.lower().endswith(".tsv") else max(",;\t", key=lambda sign: _width(data, sign))
        return delimiter, *_csv_rows(name, data, delimiter, strict=not head)
    finally:
        csv.field_size_limit(limit)


def _head(file: BinaryIO) -> bytes:
    lines: list[bytes] = []
    room = LONGEST
    while room > 0 and len(lines) < HEAD_LINES and (line := file.readline(room)):
        lines.append(line)
        room -= len(line)
    return b"".join(lines)


def _whole(file: BinaryIO, name: str) -> bytes:
    """InputError where a long part is nothing but zeros, before memory is full of them."""
    parts: list[bytes] = []
    while part := file.read(LONGEST):
        if len(part) == LONGEST and not part.strip(b"\0"):
            raise InputError(f"{name}: most of it is zero bytes", "get it again: its copy was never finished")
        parts.append(part)
    return b"".join(parts)


class _Lines:
    """The lines of a table, those of one row not longer than LONGEST together: then csv.Error."""

    def __init__(self, data: bytes) -> None:
        self._text = io.TextIOWrapper(io.BytesIO(data), "utf-8", "replace", newline="")
        self.row = 0  # characters of this row so far

    def __iter__(self) -> Iterator[str]:
        while line := self._text.readline(LONGEST + 1):
            self.row += len(line)
            if self.row > LONGEST:
                raise csv.Error(f"a row is longer than {LONGEST >> 20} million characters")
            yield line


def _width(data: bytes, delimiter: str) -> int:
    """Columns of the first line that is not blank; 0 where it cannot be read."""
    lines = _Lines(data)
    try:
        for cells in csv.reader(lines, delimiter=delimiter):
            lines.row = 0
            if cells:
                return len(cells)
    except csv.Error:
        pass
    return 0


def _csv_rows(
    name: str, data: bytes, delimiter: str, strict: bool
) -> tuple[tuple[str, ...], list[tuple[int, Cells]], list[Flaw]]:
    lines = _Lines(data)
    reader = csv.reader(lines, delimiter=delimiter, strict=strict)
    header: tuple[str, ...] = ()
    rows: list[tuple[int, Cells]] = []
    failed = Flaws()
    line = 1
    try:
        for cells in reader:
            start, line, lines.row = line, reader.line_num + 1, 0
            if not "".join(cells).strip():
                continue
            if not header:
                header = tuple(cell.strip() for cell in cells)
                twice = [column for column, count in Counter(header).items() if count > 1]
                if twice:
                    message = f"{name}:{start}: two columns are called {twice[0][:80]!r}"
                    raise InputError(message, "give each column a name of its own")
            elif len(cells) == len(header):
                rows.append((start, dict(zip(header, cells, strict=True))))
            else:
                message = f"{name}:{start}: {len(cells)} cells where the header has {len(header)}"
                failed.add(name, "ragged-row", f"{name}:{start}", message)
    except csv.Error as error:
        message = f"{name}:{line}: {error}"
        raise InputError(message, "is a quotation mark open, or not doubled inside a cell?") from None
    return header, rows, list(failed)


def _json_rows(name: str, text: str) -> tuple[tuple[str, ...], list[tuple[int, Cells]], list[Flaw]]:
    header: dict[str, None] = {}
    rows: list[tuple[int, Cells]] = []
    failed = Flaws()
    decode = json.JSONDecoder(parse_constant=_no_json, parse_float=_finite, object_pairs_hook=_unique).decode
    for number, line in enumerate(_split(text), 1):
        if not line.strip():
            continue
        try:
            cells = decode(line)
            if not isinstance(cells, dict):
                raise ValueError("the line is no JSON object")
            if line.count("[") + line.count("{") > DEPTH and _depth(cells) > DEPTH:
                raise ValueError(f"it is nested more than {DEPTH} deep")
            if "\\u" in line:
                json.dumps(cells, ensure_ascii=False).encode()  # half a surrogate pair cannot be written again
        except (ValueError, RecursionError) as error:
            failed.add(name, "unreadable-row", f"{name}:{number}", f"{name}:{number}: {_reason(error)}")
            continue
        header.update(dict.fromkeys(cells))
        rows.append((number, cells))
    return tuple(header), rows, list(failed)


def _split(text: str) -> Iterator[str]:
    start = 0
    while (end := text.find("\n", start)) >= 0:
        yield text[start:end]
        start = end + 1
    yield text[start:]


def _reason(error: ValueError | RecursionError) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deep"
    return "a number has too many digits" if "int_max_str_digits" in str(error) else str(error)[:200]


def _no_json(text: str) -> float:
    raise ValueError(f"{text} is no JSON; write null")


def _unique(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands in it twice")
    return found


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"{text[:40]} is too large a number")
    return number


def _depth(value: Json) -> int:
    level, depth = [value], 0
    while level:
        depth += 1
        level = [
            inner
            for outer in level
            if isinstance(outer, (dict, list))
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
    return depth
