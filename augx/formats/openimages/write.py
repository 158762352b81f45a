"""Tables with one row a box, written again or for the first time."""

from __future__ import annotations

import posixpath
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from augx.formats import Row
from augx.formats.box_table import CORNERS, Columns, cell, number_text, written
from augx.formats.openimages.read import BOXES, IMAGES, LABELS, Details, File
from augx.formats.table.cells import Cells
from augx.formats.table.lines import csv_line
from augx.model import Dataset, Json

FOLDER = "annotations"
_BOX = ("XMin", "YMin", "XMax", "YMax")
_FLAGS = ("IsOccluded", "IsTruncated", "IsGroupOf", "IsDepiction", "IsInside")
_HEADER = ("ImageID", "Source", "LabelName", "Confidence", "XMin", "XMax", "YMin", "YMax", *_FLAGS)
_UNKNOWN = {"Confidence": "1", **dict.fromkeys(_FLAGS, "-1")}


def details_of(dataset: Dataset) -> Details:
    """For a dataset of another format: the tables of Open Images, one of boxes for each split."""
    members: dict[str | None, set[str]] = {}
    fields: dict[str, None] = {}
    labelled = False
    for sample in dataset.samples:
        members.setdefault(sample.split, set()).add(sample.id)
        labelled = labelled or bool(sample.annotations.labels)
        for thing in sample.annotations.objects:
            fields.update(dict.fromkeys(thing.extra))
    columns = Columns(CORNERS, _BOX, "ImageID", "LabelName", relative=True, official=True)
    header = (*_HEADER, *(name for name in fields if name not in _HEADER))
    files = []
    for split, own in sorted(members.items(), key=lambda pair: pair[0] or ""):
        start = f"{FOLDER}/{split}-" if split else f"{FOLDER}/"
        known: dict[str, Json] = {"delimiter": ",", "bare": True, "members": frozenset(own)}
        files.append(File(f"{start}annotations-bbox.csv", BOXES, header=header, columns=columns, **known))
        if labelled:
            names = ("ImageID", "Source", "LabelName", "Confidence")
            files.append(File(f"{start}annotations-human-imagelabels.csv", LABELS, header=names, **known))
    everything = frozenset(sample.id for sample in dataset.samples)
    path = f"{FOLDER}/image_ids_and_rotation.csv"
    files.append(File(path, IMAGES, ",", ("ImageID", "Subset", "Rotation"), bare=True, members=everything))
    classes = "".join(csv_line((name, name), ",") for name in dataset.classes)
    return Details(tuple(files), texts={f"{FOLDER}/class-descriptions.csv": classes} if classes else {})


def lines(rows: Iterable[Row], file: File, details: Details, read: Mapping[str, Mapping[str, float]]) -> Iterator[str]:
    """One table. `read`: sample id -> its labels as they were read."""
    yield csv_line(file.header, file.delimiter)
    twins = _twins(rows, file) if file.bare else set()
    for row in rows:
        source = row["source"]
        if source not in file.members:
            continue
        name = _name(row["file_name"], file, twins)
        if file.kind == BOXES:
            every = _boxes(row, name, file, details.codes)
        elif file.kind == LABELS:
            every = _labels(row, file, details, read.get(source, {}))
        else:
            every = iter(file.cells.get(source, ({"Subset": row["split"] or ""},)))
        for cells in every:
            known = {**cells, "ImageID": name} if file.kind != BOXES else cells
            yield csv_line([known.get(column, "") for column in file.header], file.delimiter)


def _twins(rows: Iterable[Row], file: File) -> set[str]:
    """Names without ending that several images of a table share: these keep their ending."""
    counts = Counter(_stem(row["file_name"]) for row in rows if row["source"] in file.members)
    return {stem for stem, count in counts.items() if count > 1}


def _name(path: str, file: File, twins: set[str]) -> str:
    stem = _stem(path)
    spelled = stem if file.bare and stem not in twins else path
    if file.before is not None and spelled.startswith(file.before):
        return spelled[len(file.before) :]
    if file.bare:
        return posixpath.basename(spelled)
    return posixpath.relpath(path, posixpath.dirname(file.path) or ".")


def _stem(path: str) -> str:
    return path.rpartition(".")[0] or path


def _labels(row: Row, file: File, details: Details, read: Mapping[str, float]) -> Iterator[Cells]:
    """The rows that were read, as far as the image still has their labels; then those that only a mix has given it."""
    source = row["source"]
    labels: Mapping[str, float] = row["labels"]
    codes = {details.codes.get(label, label): label for label in labels}
    for cells in file.cells.get(source, ()):
        label = codes.get(cells["LabelName"].strip())
        if label is not None and labels[label] != read.get(label):
            yield {**cells, "Confidence": number_text(labels[label])}
        elif label is not None or float(cells.get("Confidence") or 1) == 0:  # or: a class that is not there
            yield cells
    files = [one for one in details.files if one.kind == LABELS and source in one.members]
    said = {cells["LabelName"].strip() for one in files for cells in one.cells.get(source, ())}
    for code, label in codes.items():
        if code not in said and files[0] is file:
            yield {"LabelName": code, "Confidence": number_text(labels[label])}


def _boxes(row: Row, name: str, file: File, codes: Mapping[str, str]) -> Iterator[Cells]:
    columns = file.columns
    assert columns is not None
    known = {columns.file: name}
    if columns.size:
        known |= dict(zip(columns.size, (str(row["width"]), str(row["height"])), strict=True))
    unknown = _UNKNOWN if columns.official else {}
    for thing in row["objects"]:
        if thing["bbox"] is not None:
            extra = {column: cell(value) for column, value in thing.get("extra", {}).items()}
            label = codes.get(thing["label"], thing["label"]) if columns.label else None
            at = written(columns, thing["bbox"], row["width"], row["height"])
            yield {**unknown, **extra, **known, **at} | ({columns.label: label} if columns.label and label else {})
    if file.blank and not row["objects"]:
        yield known
