"""What can only be seen: some sources with their copies, decoded, measured and made small for the gallery."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from augx import images, objects
from augx.drawing.overlay import Look, tile
from augx.errors import ImageError
from augx.journal import place
from augx.model import Annotations, ImageOptions, Json, Mask, Picture
from augx.store import Folder

Row = Mapping[str, Json]

_SMALL = 48  # pixels a side, at which pictures are compared
_CELL = 240  # pixels, of the gallery
_QUALITY = 72
_NEAR = 2.0  # levels of 0..255, mean difference: less, and nobody sees one
_FLAT = 4.0  # levels, standard deviation: less is no picture
_CUT = 0.9  # of the pixels black or white ...
_WHOLE = 0.5  # ... where no more than this are in the source


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture as it was looked at. `flags`: "near", "destroyed", "equal", "lost"; `why`: in words.

    `webp`: small, with its labels drawn; `width`, `height`: its pixels. `small`: (48, 48, 3), levels of 0..255.
    """

    row: Row
    webp: bytes
    width: int
    height: int
    alt: str
    brightness: float
    small: NDArray[np.float32]
    flags: tuple[str, ...] = ()
    why: tuple[str, ...] = ()


def look_at(folder: Folder, rows: Sequence[Row], look: Look, dot: float = 0.0) -> tuple[list[Shot], list[str]]:
    """The rows are of one source, the original first if there is one. Also returned: the names of those that cannot
    be decoded or drawn.

    `dot`: as that of Annotations.
    """
    shots: list[Shot] = []
    unreadable: list[str] = []
    for row in rows:
        try:
            picture = _read(folder, row, dot)
            white = 255 if picture.pixels.dtype == np.uint8 else max(int(picture.pixels.max()), 256)
            pixels = tile(picture, look, _CELL, white)
        except (ImageError, OSError, ValueError, cv2.error):
            unreadable.append(row["file_name"])
            continue
        small = _small(picture)
        flags = _flags(row, small, shots) if row["copy"] else {}
        webp = images.encode(Picture(pixels), ".webp", ImageOptions(quality=_QUALITY))
        height, width = pixels.shape[:2]
        bright = float(small.mean())
        shots.append(Shot(row, webp, width, height, _alt(row), bright, small, tuple(flags), tuple(flags.values())))
    return shots, unreadable


def _flags(row: Row, small: NDArray[np.float32], others: Sequence[Shot]) -> dict[str, str]:
    """What is to be said of a copy: flag -> words. `others`: of the same source."""
    found: dict[str, str] = {}
    source = next((shot.small for shot in others if shot.row["copy"] == 0), None)
    if why := _destroyed(small, source):
        found["destroyed"] = why
    elif same := next((shot for shot in others if float(np.abs(shot.small - small).mean()) < _NEAR), None):
        found["near"] = f"nearly equal to {same.row['file_name']}"
    if row["equals"] is not None:
        found["equal"] = f"equals copy {row['equals']}" if row["equals"] else "equals its source"
    lost = len(row["dropped"])
    if lost:
        found["lost"] = f"lost {lost} of {lost + len(row['objects'])} objects"
    return found


def _read(folder: Folder, row: Row, dot: float) -> Picture:
    picture = images.decode(_bytes(folder, row, row["file_name"])).picture
    known = Annotations(labels=row["labels"], objects=tuple(map(objects.from_row, row["objects"])), dot=dot)
    return Picture(
        picture.pixels, picture.alpha, None, known, _mask(folder, row, "mask"), _mask(folder, row, "instances")
    )


def _mask(folder: Folder, row: Row, kind: str) -> Mask | None:
    return None if row[kind] is None else images.decode_mask(_bytes(folder, row, row[kind]))


def _bytes(folder: Folder, row: Row, name: str) -> bytes:
    if not Folder.inside(name):
        raise FileNotFoundError(name)
    return place(folder, row, name).read()[0]


def _small(picture: Picture) -> NDArray[np.float32]:
    """(48, 48, 3) in levels of 0..255."""
    pixels = picture.pixels
    small = cv2.resize(pixels, (_SMALL, _SMALL), interpolation=cv2.INTER_AREA).astype(np.float32)
    small *= np.float32(1 / 257 if pixels.dtype == np.uint16 else 1)
    return np.broadcast_to(small[..., None], (_SMALL, _SMALL, 3)) if small.ndim == 2 else small


def _destroyed(small: NDArray[np.float32], source: NDArray[np.float32] | None) -> str:
    """Why nothing is to be seen; "" if something is, or was not in the source either."""
    if small.std() < _FLAT and (source is None or source.std() >= _FLAT):
        return "hardly anything is to be seen: it is of nearly one colour"
    for name, here, there in zip(("black", "white"), _ends(small), _ends(source), strict=True):
        if here > _CUT and there < _WHOLE:
            return f"{here:.0%} of it is {name}"
    return ""


def _ends(small: NDArray[np.float32] | None) -> tuple[float, float]:
    """The shares of black and of white."""
    return (0.0, 0.0) if small is None else (float((small < 4).mean()), float((small > 251).mean()))


def _alt(row: Row) -> str:
    names: dict[str, int] = {}
    for thing in row["objects"]:
        names[thing["label"] or "object"] = names.get(thing["label"] or "object", 0) + 1
    seen = [f"{count} {name}" for name, count in sorted(names.items())] or list(row["labels"])
    what = f"copy {row['copy']}" if row["copy"] else "source"
    return f"{what} of {row['source']}" + (f": {', '.join(seen)}" if seen else "")
