"""Tables with one row a box: which columns say what, and a row's cells <-> a box.

Columns are known by their names: xmin,ymin,xmax,ymax in any order, x,y,width,height, one column bbox, and the like.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from augx.errors import InputError
from augx.formats.table.cells import Cells
from augx.model import Box, Json
from augx.objects import tidy

CORNERS, SIZE, CENTRE = "corners", "size", "centre"
ROLES = ("file", "label", "split")

_FORMS = (  # the names of four columns, without _ and the like; the first that are all there count
    (CORNERS, ("xmin", "ymin", "xmax", "ymax")),
    (CORNERS, ("x1", "y1", "x2", "y2")),
    (CORNERS, ("x0", "y0", "x1", "y1")),
    (CORNERS, ("left", "top", "right", "bottom")),
    (CENTRE, ("xcenter", "ycenter", "width", "height")),
    (CENTRE, ("xcenter", "ycenter", "w", "h")),
    (CENTRE, ("cx", "cy", "w", "h")),
    (SIZE, ("x", "y", "w", "h")),
    (SIZE, ("x1", "y1", "w", "h")),
    (SIZE, ("xmin", "ymin", "w", "h")),
    (SIZE, ("bboxx", "bboxy", "bboxwidth", "bboxheight")),
    (SIZE, ("x", "y", "width", "height")),
    (SIZE, ("xmin", "ymin", "width", "height")),
    (SIZE, ("left", "top", "width", "height")),
)
_ONE = ("bbox", "box")
_SIZES = (("width", "height"), ("imagewidth", "imageheight"), ("imgwidth", "imgheight"))
_FILES = (
    *("filename", "file", "image", "imagename", "imagepath", "imagefile", "path", "filepath", "img", "imgname"),
    *("imgpath", "imageid", "id", "name"),
)
_LABELS = ("class", "label", "classname", "labelname", "category", "categoryname")
_LIKE_LABELS = re.compile(r"(?:class|label|category|type|species|object)$")
_SPLITS = ("split", "set", "subset", "partition")
_OFFICIAL = frozenset({"ImageID", "LabelName", "XMin", "XMax", "YMin", "YMax"})
_NUMBER = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_DECIMALS = 9


@dataclass(frozen=True, slots=True)
class Columns:
    """What the columns of a table with one row a box are. `box`: four, or one with four numbers in it, as `form` says.

    `size`: the width and the height of the image, () for none. `relative`: boxes are shares of these.
    `official`: the columns of Open Images, whose image names have no ending.
    """

    form: str
    box: tuple[str, ...]
    file: str
    label: str | None = None
    split: str | None = None
    size: tuple[str, ...] = ()
    relative: bool = False
    official: bool = False

    def known(self) -> set[str]:
        """The columns that are made anew for each row: all but those that an object carries along."""
        return {self.file, *self.box, *self.size} | ({self.label} if self.label else set())


def find_box(header: Sequence[str]) -> tuple[str, tuple[str, ...]] | None:
    """(form, columns) of the boxes; None where there are none."""
    plain = {_plain(column): column for column in reversed(header)}
    for form, names in _FORMS:
        if all(name in plain for name in names):
            return form, tuple(plain[name] for name in names)
    one = next((plain[name] for name in _ONE if name in plain), None)
    return (CORNERS, (one,)) if one else None


def is_official(header: Sequence[str]) -> bool:
    return _OFFICIAL.issubset(header)


def name_columns(
    path: str, header: Sequence[str], head: Sequence[Cells], finds: Callable[[str], bool], given: Mapping[str, str]
) -> Columns:
    """The columns of a table, from its header and first rows. `finds`: whether a cell names an image.

    `given`: role -> column, as the user says. InputError where there is no box or no image.
    """
    for role, column in given.items():
        if role not in ROLES or column not in header:
            hint = f"roles: {', '.join(ROLES)}; its columns: {', '.join(header)[:400]}"
            raise InputError(f"{path} has no column {column!r} that could be its {role}", hint)
    found = find_box(header)
    if found is None:
        hint = f"xmin,ymin,xmax,ymax or the like; its columns: {', '.join(header)[:400]}"
        raise InputError(f"{path} has no columns of boxes", hint)
    form, box = found
    plain = {_plain(column): column for column in reversed(header)}
    size = next((s for names in _SIZES if len(s := tuple(plain[n] for n in names if n in plain)) == 2), ())
    size = () if set(size) & set(box) else size
    free = [column for column in header if column not in (*box, *size, *given.values())]
    if is_official(header):
        return Columns(form, box, "ImageID", "LabelName", relative=True, official=True)
    file = given.get("file") or _file_column(free, plain, head, finds)
    if file is None:
        hint = f"a column `filename` names them; its columns: {', '.join(header)[:400]}"
        raise InputError(f"{path}: no column names images that are there", hint)
    free = [column for column in free if column != file]
    named = [plain[name] for name in _LABELS if plain.get(name) in free]
    like = [column for column in free if _LIKE_LABELS.search(_plain(column))]
    label = given.get("label") or next(iter([*named, *(like if len(like) == 1 else [])]), None)
    split = given.get("split") or next((plain[name] for name in _SPLITS if plain.get(name) in free), None)
    return Columns(form, box, file, label, split, size)


def _file_column(
    free: Sequence[str], plain: Mapping[str, str], head: Sequence[Cells], finds: Callable[[str], bool]
) -> str | None:
    """The column most of whose first cells name images."""
    best, most = None, 0
    for column in [plain[name] for name in _FILES if plain.get(name) in free]:
        count = sum(finds(text) for cells in head if (text := cells[column].strip()))
        if count > most:
            best, most = column, count
    return best


def _plain(column: str) -> str:
    return re.sub(r"[^a-z0-9]", "", column.lower())


def numbers(columns: Columns, cells: Cells) -> tuple[float, ...] | None:
    """The four numbers of a row; None where its cells are empty. ValueError for anything else."""
    if len(columns.box) == 1:
        text = cells[columns.box[0]].strip()
        texts = _NUMBER.findall(text) if not re.search(r"[^-+0-9.,;eE\s\[\]()]", text) else [text]
    else:
        texts = [cells[column].strip() for column in columns.box]
    if not any(texts):
        return None
    values = tuple(map(float, texts))
    if len(values) != 4:
        raise ValueError
    return values


def box_of(form: str, values: Sequence[float]) -> Box:
    a, b, c, d = values
    if form == SIZE:
        return a, b, a + c, b + d
    if form == CENTRE:
        return a - c / 2, b - d / 2, a + c / 2, b + d / 2
    return a, b, c, d


def written(columns: Columns, bbox: Sequence[float], width: int, height: int) -> dict[str, str]:
    """The cells of a box x, y, width, height in pixels."""
    x, y, across, down = bbox
    values = [x, y, across, down]
    if columns.form == CORNERS:
        values = [x, y, x + across, y + down]
    elif columns.form == CENTRE:
        values = [x + across / 2, y + down / 2, across, down]
    if columns.relative:
        values = [value / (width, height)[n % 2] for n, value in enumerate(values)]
    texts = [number_text(value) for value in values]
    if len(columns.box) == 1:
        return {columns.box[0]: f"[{', '.join(texts)}]"}
    return dict(zip(columns.box, texts, strict=True))


def number_text(value: float) -> str:
    """Without an exponent, and without zeros at the end."""
    text = f"{tidy(value):.{_DECIMALS}f}".rstrip("0").rstrip(".")
    return "0" if text in ("", "-0") else text


def cell(value: Json) -> str:
    """Any value that an object carries along, as the text of a cell."""
    return "" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
