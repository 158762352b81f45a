"""The rows of a manifest as a Parquet file, for pandas, polars, DuckDB and whatever else asks tables questions."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import islice
from typing import Any

from augx.errors import Refused
from augx.finished import Manifest, Row
from augx.journal import dump
from augx.spare import check_free, check_place
from augx.store import stopping

ENDING = ".parquet"
_GROUP = 10_000  # rows that are held at once
_PLAIN = ("file_name", "source", "copy", "split", "width", "height", "bytes", "sha256", "source_sha256", "label",
          "mask", "instances", "offset")  # fmt: skip


def write(output: str, path: str, force: bool = False) -> int:
    """Writes the manifest of a finished OUTPUT to `path`, and returns the number of rows.

    Columns: those of `_PLAIN`; `labels` (class -> weight); `boxes` (label, x, y, width, height in pixels); `row`, the
    whole line of the manifest as JSON. Refused where pyarrow is not installed or `path` cannot be written.
    """
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise Refused("Parquet needs pyarrow, which is not installed", "pip install 'augx[parquet]'") from None
    check_place(path, f"manifest{ENDING}", "a table", (ENDING,))
    check_free(path, force, "give another name, or --force")
    manifest = Manifest(output)
    schema = _schema(pyarrow)
    place = os.path.realpath(path)
    temporary = os.path.join(os.path.dirname(place), f".augx-{secrets.token_hex(4)}")
    rows = iter(manifest)
    try:
        with stopping("cannot write", path):
            with parquet.ParquetWriter(temporary, schema, compression="zstd") as writer:
                while some := list(islice(rows, _GROUP)):
                    writer.write_table(pyarrow.Table.from_pylist(list(_flat(some)), schema=schema))
            os.replace(temporary, place)
    finally:
        with suppress(OSError):
            os.unlink(temporary)
    return len(manifest)


def _schema(pyarrow: Any) -> Any:
    text, number = pyarrow.string(), pyarrow.int64()
    numbers = {"copy", "width", "height", "bytes", "offset"}
    box = pyarrow.struct([("label", text), *((side, pyarrow.float64()) for side in ("x", "y", "width", "height"))])
    return pyarrow.schema(
        [
            *((name, number if name in numbers else text) for name in _PLAIN),
            ("labels", pyarrow.map_(text, pyarrow.float64())),
            ("boxes", pyarrow.list_(box)),
            ("row", text),
        ]
    )


def _flat(rows: Sequence[Row]) -> Iterator[dict[str, Any]]:
    for row in rows:
        boxes = [(one.get("label"), *one["bbox"]) for one in row["objects"] if one.get("bbox")]
        yield {
            **{name: row.get(name) for name in _PLAIN},
            "labels": list(row["labels"].items()),
            "boxes": [dict(zip(("label", "x", "y", "width", "height"), box, strict=True)) for box in boxes],
            "row": dump(row).decode().rstrip("\n"),
        }
