"""Reading Open Images and other tables with one row a box, with what lies beside them: image labels, class names."""

from __future__ import annotations

import csv
import io
import json
import math
import os
import posixpath
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from augx.errors import InputError, printable
from augx.formats import RESERVED, ReadOptions
from augx.formats.box_table import CORNERS, SIZE, Columns, box_of, find_box, is_official, name_columns, numbers
from augx.formats.flaws import Flaws
from augx.formats.folder import SPLITS, canonical_split, layout
from augx.formats.pairs import belonging, left_over
from augx.formats.split_names import split_of
from augx.formats.table.cells import HEAD, Cells, parse
from augx.formats.walk import Finder, Walk, walk
from augx.model import Annotations, Dataset, Flaw, Json, Object, Sample
from augx.store import open_regular, sha256_file

BOXES, LABELS, IMAGES, UNREAD = "boxes", "labels", "images", "unread"
ENDINGS = (".csv", ".tsv")
META = "dataset_meta.json"

_NAMES = re.compile(r"class-?descriptions", re.IGNORECASE)
_MASKS = frozenset({"masks", "segmentations"})
_MAX_META = 1 << 20


@dataclass(frozen=True, slots=True)
class File:
    """One table. `kind`: one row a box, one a label of a whole image, or one an image.

    `columns`: of a table of boxes. `before`: what stands before a cell in a path under INPUT, None where that differs;
    `bare`: cells have no ending. `blank`: an image without boxes has a row too. `members`: ids of its samples.
    `cells`: sample id -> its rows, for labels and images.
    """

    path: str
    kind: str
    delimiter: str
    header: tuple[str, ...]
    columns: Columns | None = None
    before: str | None = None
    bare: bool = False
    blank: bool = False
    members: frozenset[str] = frozenset()
    cells: Mapping[str, tuple[Cells, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Details:
    """`codes`: class -> its LabelName. `texts`: files that are written as they were read."""

    files: tuple[File, ...]
    codes: Mapping[str, str] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)


def kind_of(path: str, header: Sequence[str]) -> str:
    """What a table's header says that it is; "" for what is none of Open Images' and has no boxes."""
    if posixpath.basename(path).lower() == "metadata.csv":
        return ""  # Hugging Face's
    if "ImageID" in header:
        if "MaskPath" in header or "LabelName1" in header:
            return UNREAD
        if is_official(header):
            return BOXES
        if "LabelName" in header:
            return LABELS
        if "OriginalURL" in header or {"Subset", "Rotation"}.issubset(header):
            return IMAGES
    return BOXES if find_box(header) else ""


def read(root: str, options: ReadOptions) -> Dataset:
    found = walk(root)
    return _Reading(found, options).dataset()


class _Reading:
    """`things`, `labels`, `extra`: image -> what the tables say of it. `box_file`: image -> its table of boxes."""

    def __init__(self, found: Walk, options: ReadOptions) -> None:
        self.found, self.columns = found, options.columns
        self.images = [path for path in found.images if not _MASKS & set(posixpath.dirname(path).lower().split("/"))]
        self.failed, self.warnings = Flaws(found.failed), Flaws(found.warnings)
        self.things: dict[str, list[Object]] = {}
        self.relative: dict[str, bool] = {}
        self.sizes: dict[str, tuple[int, int]] = {}
        self.splits: dict[str, str | None] = {}
        self.labels: dict[str, dict[str, float]] = {}
        self.box_file: dict[str, str] = {}
        tables = _tables(found, options)
        names = [path for path in found.documents if path.lower().endswith(ENDINGS) and _NAMES.search(path)]
        self.texts = {path: _text(found.root, path) for path in (*names, *_extra_texts(found, tables))}
        self.names = _class_names(self.texts[path] for path in names)
        self.files = [file for path in tables if (file := self._table(path))]

    def dataset(self) -> Dataset:
        if not self.splits:
            first = next((f": {flaw.message}" for flaw in self.failed), "")
            raise InputError(f"{self.found.root}: no image of its tables is there{first}", "is the dataset complete?")
        self._unlisted()
        placements = layout({posixpath.dirname(path) for path in self.splits})
        samples = []
        for path, split in sorted(self.splits.items()):
            samples.append(
                Sample(
                    path,
                    Annotations(
                        labels=self.labels.get(path, {}),
                        objects=tuple(self.things.get(path, ())),
                        relative=self.relative.get(path, False),
                        size=self.sizes.get(path),
                    ),
                    split or placements[posixpath.dirname(path)][0],
                )
            )
        used = [*(file.path for file in self.files), *self.texts]
        seen = {thing.label for own in self.things.values() for thing in own if thing.label is not None}
        seen |= {label for own in self.labels.values() for label in own}
        known = [*_meta_names(self.texts), *self.names.values()]
        classes = tuple(dict.fromkeys([*known, *sorted(seen)]))
        return Dataset(
            self.found.root,
            "openimages",
            tuple(samples),
            classes,
            tuple(self.failed),
            tuple(self.warnings),
            left_over(self.found.ignored, used),
            details=Details(tuple(self.files), {name: code for code, name in self.names.items()}, self.texts),
            digest=" ".join(f"{path}:{sha256_file(os.path.join(self.found.root, path))}" for path in sorted(used)),
        )

    def _unlisted(self) -> None:
        """Images that no table names: those of Open Images have no labels, others may be anything and are left out."""
        official = [file for file in self.files if file.kind != BOXES or (file.columns and file.columns.official)]
        pairs = [(image, file.path) for file in official for image in (*file.members, *file.cells)]
        used = set(belonging(self.images, pairs)[0]) if pairs else set()
        for path in self.images:
            if path in self.splits:
                continue
            what = "it is used without labels" if path in used else "it is left out"
            self.warnings.extend([Flaw("no-row", path, f"no table has a row for it; {what}")])
            if path in used:
                self.splits[path] = None

    def _table(self, path: str) -> File | None:
        delimiter, header, rows, failed = parse(os.path.join(self.found.root, path), path)
        self.warnings.extend(failed)
        kind = kind_of(path, header)
        if kind == UNREAD:
            what = "segmentation masks" if "MaskPath" in header else "relations"
            self.warnings.add(path, "not-read", path, f"{what} of Open Images are not read")
            return None
        places = _Places(self.found.root, path, self.images)
        file = File(path, kind, delimiter, header)
        if kind == BOXES:
            head = [cells for _, cells in rows[:HEAD]]
            columns = name_columns(path, header, head, places.finds, self.columns)
            file = self._boxes(replace(file, columns=columns), rows, places)
        else:
            file = self._about_images(file, rows, places)
        self.failed.extend(places.failed)
        self.warnings.extend(places.warnings)
        return file

    def _boxes(self, file: File, rows: Sequence[tuple[int, Cells]], places: _Places) -> File:
        assert file.columns is not None
        columns = file.columns
        values = self._numbers(file, rows)
        if not columns.official:
            columns = replace(columns, relative=_are_shares(values.values()))
            if len(columns.box) == 1:
                columns = self._order(file.path, columns, values.values())
        blank = not columns.official
        carried = [column for column in file.header if column not in columns.known()]
        own = split_of(file.path)
        for line, cells in rows:
            split = cells[columns.split].strip() if columns.split else ""
            split_name = canonical_split(split) if split else own
            image = places.find(cells[columns.file], line, split_name, columns.official)
            if not image:
                continue
            if self.box_file.setdefault(image, file.path) != file.path:
                message = f"{self.found.root}: {file.path} and {self.box_file[image]} both have boxes of {image}"
                raise InputError(message, f"choose one: `--labels {file.path}`")
            self.splits.setdefault(image, split_name)
            self.relative[image] = columns.relative
            things = self.things.setdefault(image, [])
            if columns.size:
                self._size(image, [cells[column] for column in columns.size])
            if line not in values:
                continue
            text = cells[columns.label].strip() if columns.label else ""
            label = self.names.get(text, text) or None
            extra = {column: cells[column] for column in carried}
            things.append(Object(label, box_of(columns.form, values[line]), extra=extra))
        return replace(file, columns=columns, blank=blank, **places.naming(columns.official))

    def _numbers(self, file: File, rows: Sequence[tuple[int, Cells]]) -> dict[int, tuple[float, ...]]:
        """Line -> the four numbers of its box."""
        assert file.columns is not None
        values: dict[int, tuple[float, ...]] = {}
        for line, cells in rows:
            try:
                if (four := numbers(file.columns, cells)) is not None:
                    values[line] = four
            except ValueError:
                said = ", ".join(cells[column] for column in file.columns.box)[:80]
                name = cells[file.columns.file].strip()[:1000]
                message = f"{file.path}:{line}: no box, left out: {said!r}"
                self.warnings.add(file.path, "bad-annotation", name, message)
        return values

    def _order(self, path: str, columns: Columns, values: Iterable[Sequence[float]]) -> Columns:
        """Whether four numbers in one cell are two corners, which some row may contradict, or a corner and a size."""
        size = any(four[2] < four[0] or four[3] < four[1] for four in values if _finite(four))
        said = "x, y, width, height" if size else "x0, y0, x1, y1, as no row contradicts it"
        self.warnings.add(path, "box-order", path, f"{path}: {columns.box[0]} is taken for {said}")
        return replace(columns, form=SIZE if size else CORNERS)

    def _size(self, image: str, texts: Sequence[str]) -> None:
        sides = [int(text.strip()) for text in texts if re.fullmatch(r"\s*[0-9]{1,9}\s*", text)]
        if len(sides) == 2 and min(sides) > 0:
            self.sizes[image] = (sides[0], sides[1])

    def _about_images(self, file: File, rows: Sequence[tuple[int, Cells]], places: _Places) -> File:
        """Labels of whole images, or what is known of images."""
        own = split_of(file.path)
        cells_of: dict[str, list[Cells]] = {}
        for line, cells in rows:
            split = cells.get("Subset", "").strip()
            split_name = canonical_split(split) if split else own
            image = places.find(cells["ImageID"], line, split_name, True)
            if not image:
                continue
            self.splits[image] = split_name or self.splits.get(image)
            if file.kind == IMAGES or self._label(image, cells, f"{file.path}:{line}"):
                cells_of.setdefault(image, []).append(cells)
        kept = {image: tuple(own_cells) for image, own_cells in cells_of.items()}
        return replace(file, cells=kept, **places.naming(True))

    def _label(self, image: str, cells: Cells, where: str) -> bool:
        """Whether a row can be kept. Confidence 0 says that the class is not there: no label, but a row like others."""
        text = cells["LabelName"].strip()
        try:
            weight = float(cells.get("Confidence") or 1)
        except ValueError:
            weight = -1
        if not text or not 0 <= weight <= 1:
            message = f"{where}: no class with a confidence from 0 to 1"
            self.warnings.add(where.rpartition(":")[0], "bad-annotation", image, message)
            return False
        if weight:
            labels, label = self.labels.setdefault(image, {}), self.names.get(text, text)
            labels[label] = max(weight, labels.get(label, 0.0))
        return True


class _Places:
    """Which images a table's cells name, and how."""

    def __init__(self, root: str, path: str, images: Sequence[str]) -> None:
        self.path = path
        self.finder = Finder(root, posixpath.dirname(path), images)
        self.known: dict[tuple[str | None, str], str] = {}
        self.missing: dict[str, int] = {}
        self.failed, self.warnings = Flaws(), Flaws()

    def finds(self, name: str) -> bool:
        return bool(self.finder.find(name)[0])

    def find(self, name: str, line: int, split: str | None, official: bool) -> str:
        """The image, or "". Of Open Images most people have a part only: what is missing there is told in one line."""
        image = self.known.get((split, name))
        if image is not None:
            return image
        image, code, message = self.finder.find(name)
        if code == "ambiguous-file" and split is not None:  # one id in two splits
            folders = [split, *(word for word, meant in SPLITS.items() if meant == split)]
            near = (found for folder in folders if (found := self.finder.find(f"{folder}/{name}"))[0])
            image, code, message = next(near, (image, code, message))
        self.known[split, name] = image
        where = f"{self.path}:{line}"
        if image and code:
            self.warnings.add(self.path, code, image, f"{where}: {message}")
        elif not image and official and code == "missing-file":
            self.missing[name] = line
        elif not image:
            self.failed.add(self.path, code, name.strip()[:1000] or self.path, f"{where}: {message}")
        return image

    def naming(self, official: bool) -> dict[str, Json]:
        """The fields of a File that say how it names images."""
        if self.missing:
            first = next(iter(self.missing))
            message = f"{self.path}: {len(self.missing)} images are not there, the first is {first}"
            self.warnings.add(self.path, "missing-images", self.path, message)
        starts: set[str | None] = set()
        bare = official
        for (_, text), image in self.known.items():
            if image:
                whole = image.endswith(text)
                bare = bare or not whole
                stem = image if whole else image.rpartition(".")[0]
                starts.add(stem[: -len(text)] if text and stem.endswith(text) else None)
        before = starts.pop() if len(starts) == 1 else None
        return {"before": before, "bare": bare, "members": frozenset(image for image in self.known.values() if image)}


def _tables(found: Walk, options: ReadOptions) -> list[str]:
    """The tables to read, those of boxes first."""
    every = [path for path in found.documents if path.lower().endswith(ENDINGS) and path not in RESERVED]
    kinds = {path: kind for path in every if not _NAMES.search(path) and (kind := _kind(found.root, path))}
    wanted = options.labels or options.table
    if wanted is None:
        chosen = [path for path in kinds if path.count("/") < 2]
    else:
        name = posixpath.normpath(wanted.replace("\\", "/"))
        chosen = [name] if name in kinds else [path for path in kinds if path.startswith(f"{name}/") or name == "."]
    if not chosen:
        for path in every:
            parse(os.path.join(found.root, path), path, head=True)  # says why, where one cannot be read
        listed = ", ".join(kinds) or "none"
        where = repr(wanted) if wanted is not None else "the top or one folder down"
        raise InputError(f"{found.root}: no table of boxes at {where}", f"tables there: {listed}"[:500])
    order = (BOXES, LABELS, IMAGES, UNREAD)
    return sorted(chosen, key=lambda path: (order.index(kinds[path]), path))


def _kind(root: str, path: str) -> str:
    try:
        return kind_of(path, parse(os.path.join(root, path), path, head=True)[1])
    except InputError:
        return ""


def _are_shares(values: Iterable[Sequence[float]]) -> bool:
    """Whether numbers are shares of the image: all from 0 to 1, and not all whole."""
    broken = False
    for four in filter(_finite, values):
        if min(four) < 0 or max(four) > 1:
            return False
        broken = broken or not all(value.is_integer() for value in four)
    return broken


def _finite(values: Sequence[float]) -> bool:
    return all(map(math.isfinite, values))


def _extra_texts(found: Walk, tables: Sequence[str]) -> list[str]:
    """Files that go with the tables as they are: the hierarchy of classes, names of VoTT's classes."""
    folders = {posixpath.dirname(path) for path in tables}
    return [
        path
        for path in found.documents
        if posixpath.dirname(path) in folders
        and (posixpath.basename(path) == META or (path.endswith(".json") and "hierarchy" in posixpath.basename(path)))
    ]


def _text(root: str, path: str) -> str:
    try:
        with open_regular(os.path.join(root, path)) as file:
            return file.read().decode("utf-8-sig")
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}", "is it whole, and may you read it?") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: byte {error.start} is no UTF-8", "save it as UTF-8") from None


def _class_names(texts: Iterable[str]) -> dict[str, str]:
    """LabelName -> class, a name of its own for each."""
    names: dict[str, str] = {}
    taken = set()
    for text in texts:
        try:
            rows = [cells for cells in csv.reader(io.StringIO(text, newline="")) if len(cells) >= 2]
        except csv.Error as error:
            raise InputError(f"a file of class descriptions is no CSV: {error}", "a line is `LabelName,name`") from None
        for code, name in ((cells[0].strip(), cells[1].strip()) for cells in rows):
            if code != "LabelName" and code not in names:
                names[code] = name if name and name not in taken else code
                taken.add(names[code])
    return names


def _meta_names(texts: Mapping[str, str]) -> list[str]:
    """The classes of datumaro's dataset_meta.json, in its order."""
    for path, text in texts.items():
        if posixpath.basename(path) == META and len(text) < _MAX_META:
            try:
                labels = json.loads(text).get("labels")
            except (ValueError, AttributeError, RecursionError):
                return []
            return [printable(label) for label in labels if isinstance(label, str)] if isinstance(labels, list) else []
    return []
