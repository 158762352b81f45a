"""A small labelled dataset drawn from nothing, for `augx demo`: three shapes, four pictures each, in class folders."""

from __future__ import annotations

import hashlib
import os

import numpy as np
from numpy.typing import NDArray

from augx import images, journal
from augx.model import ImageOptions, Picture
from augx.starter import starter
from augx.store import Folder, hashes, stopping, write_file

Plane = NDArray[np.float64]
_SHAPES = {"circle": 0, "square": 4, "triangle": 3}  # name -> corners
_WIDTH, _HEIGHT = 240, 180
_GROUND = np.array([[38, 70, 83], [244, 241, 222], [92, 103, 125], [221, 190, 169]], float)
_PAINT = np.array([[233, 196, 106], [231, 111, 81], [42, 157, 143], [29, 53, 87]], float)


def draw(folder: str) -> str:
    """Writes the pictures and recipe.yaml under `folder`, and returns where the pictures are."""
    for name, data in _files().items():
        path = os.path.join(folder, *name.split("/"))
        with stopping("cannot write", path):
            os.makedirs(os.path.dirname(path), exist_ok=True)
        write_file(path, data)
    return os.path.join(folder, "images")


def begun(folder: str, output: str) -> bool:
    """Whether a demo that was stopped has left the folder as it is: with nothing in it but files that `draw` writes,
    and an `output` that is not finished."""
    drawn = _files() if os.path.isdir(folder) else {}
    for place, folders, names in os.walk(folder):
        if place == folder and output in folders:
            folders.remove(output)
        for name in (name for name in names if not name.startswith(".augx-")):  # which were not finished
            path = os.path.join(place, name)
            data = drawn.get(os.path.relpath(path, folder).replace(os.sep, "/"))
            if data is None or hashes([path]) != [hashlib.sha256(data).hexdigest()]:
                return False
    run = Folder(os.path.join(folder, output))
    if not drawn or not os.path.lexists(run.root):
        return bool(drawn)
    return journal.owned(run) and not os.path.lexists(run.path(journal.SUMMARY))


def _files() -> dict[str, bytes]:
    """What `draw` writes, by name."""
    files = {
        f"images/{name}/{name}_{number + 1}.jpg": images.encode(
            Picture(_picture(corners, number)), ".jpg", ImageOptions()
        )
        for name, corners in _SHAPES.items()
        for number in range(4)
    }
    return {**files, "recipe.yaml": starter(True, [], sorted(_SHAPES)).encode()}


def _picture(corners: int, number: int) -> NDArray[np.uint8]:
    """(H, W, 3): a shape with a soft shadow on a ground that gets darker downwards; a dot shows which way is up."""
    rng = np.random.default_rng([corners, number])
    y, x = np.mgrid[:_HEIGHT, :_WIDTH].astype(float)
    centre = np.array([_WIDTH, _HEIGHT]) * rng.uniform(0.42, 0.58, 2)
    size, angle = rng.uniform(42, 58), rng.uniform(-0.25, 0.25)
    ground = _GROUND[number] * (1.08 - 0.25 * (y / _HEIGHT))[..., None] + rng.normal(0, 2.5, (_HEIGHT, _WIDTH, 1))
    paint = _PAINT[(number + corners) % 4] * (1.1 - 0.2 * (x / _WIDTH))[..., None]
    shadow = 0.35 * _inside(_distance(x - centre[0] - 6, y - centre[1] - 8, size, corners, angle), 9)
    shape = _inside(_distance(x - centre[0], y - centre[1], size, corners, angle), 1)
    dot = _inside(np.hypot(x - centre[0], y - centre[1] + size * 0.35) - size * 0.12, 1)
    out = ground * (1 - shadow[..., None])
    out = out * (1 - shape[..., None]) + paint * shape[..., None]
    out = out * (1 - dot[..., None]) + 250 * dot[..., None]
    return np.asarray(np.clip(np.rint(out), 0, 255), dtype=np.uint8)


def _distance(x: Plane, y: Plane, size: float, corners: int, angle: float) -> Plane:
    """Signed distance in pixels to a circle (0 corners) or a regular polygon, negative inside."""
    if corners == 0:
        return np.asarray(np.hypot(x, y) - size)
    reach = size * np.cos(np.pi / corners)
    normals = angle + np.pi / 2 + 2 * np.pi * np.arange(corners) / corners
    return np.asarray(np.max([np.cos(a) * x + np.sin(a) * y - reach for a in normals], axis=0))


def _inside(distance: Plane, softness: float) -> Plane:
    return np.asarray(np.clip(0.5 - distance / (2 * softness), 0, 1))
