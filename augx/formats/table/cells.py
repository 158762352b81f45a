"""The cells of a table in CSV, TSV or JSONL, before anything is known of its columns."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping
from itertools import islice

from augx.errors import InputError
from augx.model import Flaw, Json
from augx.store import open_regular

HEAD = 20  # rows looked at to tell whether a table fits
HEAD_LINES = 10 * HEAD  # for that many rows, as a row may have many lines
DEPTH = 100  # JSON nested deeper is refused, as not every reader survives it

Cells = Mapping[str, Json]  # one row as read: text in CSV and TSV, any JSON in JSONL


def parse(path: str, name: str, head: bool = False) -> tuple[str, tuple[str, ...], list[tuple[int, Cells]], list[Flaw]]:
    """Delimiter, header, (line, row) in order, and the rows that cannot be read. `head`: the first ones, leniently."""
    try:
        with open_regular(path) as file:
            data = b"".join(islice(file, HEAD_LINES)) if head else file.read()
    except OSError as error:
        raise InputError(f"{name} cannot be read: {error.strerror}", "is it whole, and may you read it?") from None
    try:
        text = data.decode("utf-8", "replace" if head else "strict").lstrip("\ufeff")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        message = f"{name}:{line}: byte {error.start} (0x{data[error.start]:02x}) is no UTF-8"
        raise InputError(message, "save the table as UTF-8") from None
    if name.lower().endswith(".jsonl"):
        return "", *_json_rows(name, text)
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise InputError(f"{name}:{line}: a NUL character is in the table", "save the table as UTF-8 text")
    limit = csv.field_size_limit(2**31 - 1)  # of the whole process, so it is put back
    try:
        delimiter = "\t" if name.lower().endswith(".tsv") else max(",;\t", key=lambda sign: _width(text, sign))
        return delimiter, *_csv_rows(name, text, delimiter, strict=not head)
    finally:
        csv.field_size_limit(limit)


def _width(text: str, delimiter: str) -> int:
    """Columns of the first line that is not blank."""
    return next((len(cells) for cells in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if cells), 0)


def _csv_rows(
    name: str, text: str, delimiter: str, strict: bool
) -> tuple[tuple[str, ...], list[tuple[int, Cells]], list[Flaw]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=strict)
    header: tuple[str, ...] = ()
    rows: list[tuple[int, Cells]] = []
    failed: list[Flaw] = []
    line = 1
    try:
        for cells in reader:
            start, line = line, reader.line_num + 1
            if not any(cell and not cell.isspace() for cell in cells):
                continue
            if not header:
                header = tuple(cell.strip() for cell in cells)
                for column in header:
                    if header.count(column) > 1:
                        message = f"{name}:{start}: two columns are called {column!r}"
                        raise InputError(message, "give each column a name of its own")
            elif len(cells) == len(header):
                rows.append((start, dict(zip(header, cells, strict=True))))
            else:
                message = f"{name}:{start}: {len(cells)} cells where the header has {len(header)}"
                failed.append(Flaw("ragged-row", f"{name}:{start}", message))
    except csv.Error as error:
        message = f"{name}:{line}: {error}"
        raise InputError(message, "is a quotation mark open, or not doubled inside a cell?") from None
    return header, rows, failed


def _json_rows(name: str, text: str) -> tuple[tuple[str, ...], list[tuple[int, Cells]], list[Flaw]]:
    header: dict[str, None] = {}
    rows: list[tuple[int, Cells]] = []
    failed: list[Flaw] = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            cells = json.loads(line, parse_constant=_no_json, parse_float=_finite, object_pairs_hook=_unique)
            if not isinstance(cells, dict):
                raise ValueError("the line is no JSON object")
            if line.count("[") + line.count("{") > DEPTH and _depth(cells) > DEPTH:
                raise ValueError(f"it is nested more than {DEPTH} deep")
            if "\\u" in line:
                json.dumps(cells, ensure_ascii=False).encode()  # half a surrogate pair cannot be written again
        except (ValueError, RecursionError) as error:
            failed.append(Flaw("unreadable-row", f"{name}:{number}", f"{name}:{number}: {str(error)[:200]}"))
            continue
        header.update(dict.fromkeys(cells))
        rows.append((number, cells))
    return tuple(header), rows, failed


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
