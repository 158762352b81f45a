"""The lines of a table to be written: a cell nobody changed stands as it was read, so "1.50" stays "1.50"."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Iterable, Iterator, Mapping

from augx.formats import Row
from augx.formats.table.columns import Table
from augx.model import Annotations, Dataset, Json, Sample


def new_table(dataset: Dataset, several: bool) -> Table:
    """labels.csv, for a dataset that was no table. `several`: some image has more than one class, or a weight."""
    label = "label" if dataset.classes and not several else None
    labels = "labels" if several else None
    split = "split" if any(sample.split for sample in dataset.samples) else None
    values = dict.fromkeys(name for sample in dataset.samples for name in sample.annotations.values)
    header = tuple(column for column in ("file_name", label, labels, split, *values) if column)
    return Table("labels.csv", ",", header, label=label, labels=labels, split=split)


def lines(rows: Iterable[Row], table: Table, weighted: bool, samples: Mapping[str, Sample]) -> Iterator[str]:
    folder = posixpath.dirname(table.path) + "/"
    below = folder != "/" and all(name.startswith(folder) for name in samples)
    were_weighted = any(weight != 1 for sample in samples.values() for weight in sample.annotations.labels.values())
    if table.delimiter:
        yield csv_line(table.header, table.delimiter)
    for row in rows:
        sample = samples.get(row["source"])
        written = _row(row, table, weighted, weighted and not were_weighted, sample)
        written[table.file] = row["file_name"].removeprefix(folder) if below else row["file_name"]
        if table.delimiter:
            yield csv_line([_csv_text(written[column]) for column in table.header], table.delimiter)
        else:
            yield json.dumps(written, ensure_ascii=False) + "\n"


def _row(row: Row, table: Table, weighted: bool, newly: bool, sample: Sample | None) -> dict[str, Json]:
    """The cells for one manifest row: as they were read wherever the row still says the same.

    `newly`: the table was read without weights, so that a kept cell would look unlike the others.
    """
    cells = table.cells.get(row["source"], {})
    read = sample.annotations if sample else Annotations()
    same = sample is not None and row["labels"] == read.labels
    columns = list(table.header if table.delimiter or not cells else cells)
    if table.labels is not None and table.labels not in columns and (newly or not same):
        columns.append(table.labels)
    written: dict[str, Json] = {}
    for column in columns:
        if column == table.labels:
            kept, value = same and not newly, _list(row["labels"], table, weighted, cells.get(column))
        elif column == table.label:
            kept, value = same, row["label"]
        elif column in table.onehot:
            kept, value = same, row["labels"].get(column, 0)
        elif column == table.split:
            kept, value = sample is not None and row["split"] == sample.split, row["split"]
        else:
            value = row["values"].get(column)
            kept = _equal(value, read.values.get(column))
        written[column] = cells[column] if kept and column in cells else value
    return written


def _list(labels: Mapping[str, float], table: Table, weighted: bool, read: Json) -> Json:
    if table.delimiter or (isinstance(read, str) and not weighted):
        weigh = weighted or table.weighted
        return table.separator.join(f"{name}:{_csv_text(w)}" if weigh else name for name, w in labels.items())
    return dict(labels) if weighted else list(labels)


def _equal(value: Json, other: Json) -> bool:
    return type(value) is type(other) and bool(value == other)


def _csv_text(value: Json) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return json.dumps(value, ensure_ascii=False)


def csv_line(cells: Iterable[str], delimiter: str) -> str:
    """One line, quoted where it must be. Not csv.writer: whether that quotes a lone \\r depends on Python's version."""
    special = ('"', "\n", "\r", delimiter)
    quoted = ('"' + cell.replace('"', '""') + '"' if any(sign in cell for sign in special) else cell for cell in cells)
    return delimiter.join(quoted) + "\n"
