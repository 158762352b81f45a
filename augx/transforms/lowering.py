"""The lowering: which warp a drawn geometric transform is, read off the pixel path of Albumentations 2.0.8.

Its own boxes and keypoints are up to a pixel off. OpenCV's warpAffine, warpPerspective and remap count in pixel
centres, so their matrices are moved by half a pixel; its resize counts in edges (but for `nearest`, whose pixels lie up
to half a pixel to the lower right of where they belong).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from augx.transforms.warps import SAME, Field, Matrix, Rows, Tiles, product, rows_of

Array = NDArray[Any]
Params = Mapping[str, Any]
Lowered = Matrix | Tiles | Field

_NOWHERE = (np.nan, np.nan)
_TRANSPOSED: Rows = (0.0, 1.0, 0.0), (1.0, 0.0, 0.0), (0.0, 0.0, 1.0)


def lower(name: str, transform: Any, params: Params, width: int, height: int) -> Lowered | None:
    """Where `transform`, called `name`, moves a picture of this size with `params`; None: nothing moves."""
    warp = _LOWERINGS[name](transform, params, width, height)
    if isinstance(warp, Matrix) and (warp.width, warp.height) == (width, height) and warp.rows == SAME:
        return None
    return warp


def _scaled(x: float, y: float, across: float = 0.0, down: float = 0.0) -> Rows:
    """By x and y, and then shifted."""
    return (x, 0.0, across), (0.0, y, down), (0.0, 0.0, 1.0)


def _shift(x: float, y: float) -> Rows:
    return _scaled(1.0, 1.0, x, y)


def _centred(values: Rows) -> Rows:
    """A matrix that counts in pixel centres, in continuous places."""
    (a, b, x), (c, d, y), (e, f, w) = values
    if e or f:
        return product(product(_shift(0.5, 0.5), values), _shift(-0.5, -0.5))
    return (a, b, x + (w - a - b) / 2), (c, d, y + (w - c - d) / 2), (0.0, 0.0, w)


def _flip_x(transform: Any, params: Params, width: int, height: int) -> Matrix:
    return Matrix(_scaled(-1.0, 1.0, width, 0.0), width, height)


def _flip_y(transform: Any, params: Params, width: int, height: int) -> Matrix:
    return Matrix(_scaled(1.0, -1.0, 0.0, height), width, height)


def _transpose(transform: Any, params: Params, width: int, height: int) -> Matrix:
    return Matrix(_TRANSPOSED, height, width)


def _turned(quarters: int, width: int, height: int) -> Matrix:
    """Counter-clockwise, as np.rot90."""
    values = SAME
    for _ in range(quarters):
        values = product(((0.0, 1.0, 0.0), (-1.0, 0.0, width), (0.0, 0.0, 1.0)), values)
        width, height = height, width
    return Matrix(values, width, height)


def _quarter_turns(transform: Any, params: Params, width: int, height: int) -> Matrix:
    return _turned(params["factor"], width, height)


def _symmetry(transform: Any, params: Params, width: int, height: int) -> Matrix:
    element = str(params["group_element"])
    if element in ("h", "v"):
        return (_flip_x if element == "h" else _flip_y)(transform, params, width, height)
    if element in ("t", "hvt"):
        half = _turned(2 if element == "hvt" else 0, width, height).rows
        return Matrix(product(_TRANSPOSED, half), height, width)
    return _turned({"e": 0, "r90": 1, "r180": 2, "r270": 3}[element], width, height)


def _affine(transform: Any, params: Params, width: int, height: int) -> Matrix:
    values = rows_of(params["matrix"])
    nearly = values[0][0] > 0.9 and abs(values[0][1]) < 1e-4  # most are not
    if nearly and all(map(_close, values, SAME)):  # 2.0.8 leaves the picture alone then
        return Matrix(SAME, width, height)
    high, wide = params["output_shape"][:2]
    return Matrix(_centred(values), round(wide), round(high))


def _close(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    """np.allclose, whose many checks take longer than a draw."""
    return all(abs(here - there) <= 1e-8 + 1e-5 * abs(there) for here, there in zip(one, other, strict=True))


def _rotate(transform: Any, params: Params, width: int, height: int) -> Matrix:
    turned = _affine(transform, {**params, "output_shape": (height, width)}, width, height)
    if not transform.crop_border:
        return turned
    x0, y0 = params["x_min"], params["y_min"]
    return Matrix(product(_shift(-x0, -y0), turned.rows), params["x_max"] - x0, params["y_max"] - y0)


def _perspective(transform: Any, params: Params, width: int, height: int) -> Matrix:
    values, wide, high = rows_of(params["matrix"]), params["max_width"], params["max_height"]
    if transform.keep_size:
        values, wide, high = product(_scaled(width / wide, height / high), values), width, height
    values = _centred(values)
    e, f, w = values[2]
    depths = [e * x + f * y + w for x in (0, width) for y in (0, height)]
    return Matrix(values, wide, high, min(depths) * max(depths) <= 0)


def _resized(width: int, height: int, to_width: int, to_height: int) -> Matrix:
    return Matrix(_scaled(to_width / width, to_height / height), to_width, to_height)


def _resize(transform: Any, params: Params, width: int, height: int) -> Matrix:
    return _resized(width, height, transform.width, transform.height)


def _scale(transform: Any, params: Params, width: int, height: int) -> Matrix:
    return _resized(width, height, int(width * params["scale"]), int(height * params["scale"]))


def _max_size(transform: Any, params: Params, width: int, height: int) -> Matrix:
    scale = params["scale"]
    return _resized(width, height, max(1, round(width * scale)), max(1, round(height * scale)))


def _padded(pads: Params | None, width: int, height: int) -> Matrix:
    if pads is None:
        return Matrix(SAME, width, height)
    left, top = pads["pad_left"], pads["pad_top"]
    return Matrix(_shift(left, top), width + left + pads["pad_right"], height + top + pads["pad_bottom"])


def _pad(transform: Any, params: Params, width: int, height: int) -> Matrix:
    return _padded(params, width, height)


def _crop(transform: Any, params: Params, width: int, height: int) -> Matrix:
    padded = _padded(params.get("pad_params"), width, height)
    x0, y0, x1, y1 = (int(edge) for edge in params["crop_coords"])
    return Matrix(product(_shift(-x0, -y0), padded.rows), x1 - x0, y1 - y0)


def _sized_crop(transform: Any, params: Params, width: int, height: int) -> Matrix:
    cut = _crop(transform, params, width, height)
    to_height, to_width = transform.size if hasattr(transform, "size") else (transform.height, transform.width)
    resized = _resized(cut.width, cut.height, to_width, to_height)
    return Matrix(product(resized.rows, cut.rows), to_width, to_height)


def _crop_and_pad(transform: Any, params: Params, width: int, height: int) -> Matrix:
    x0, y0, x1, y1 = params["crop_params"] or (0, 0, width, height)
    top, bottom, left, right = params["pad_params"] or (0, 0, 0, 0)
    values, wide, high = _shift(left - x0, top - y0), x1 - x0 + left + right, y1 - y0 + top + bottom
    if not transform.keep_size:
        return Matrix(values, wide, high)
    return Matrix(product(_scaled(width / wide, height / high), values), width, height)


def _shuffle(transform: Any, params: Params, width: int, height: int) -> Tiles | None:
    edges = np.asarray(params["tiles"], np.float64)[:, [1, 0, 3, 2]]
    shifts = edges[list(params["mapping"]), :2] - edges[:, :2]
    return Tiles(edges, shifts, width, height) if shifts.any() else None


def _field(transform: Any, params: Params, width: int, height: int) -> Field:
    return Field(np.stack([params["map_x"], params["map_y"]], axis=-1) + np.float32(0.5))


def _grid(transform: Any, params: Params, width: int, height: int) -> Field:
    return Field(_field(transform, params, width, height).source, straight=True)


def _mesh(transform: Any, params: Params, width: int, height: int) -> Field:
    """Each cell of the grid is warped into its quadrangle, borders included; a later one covers an earlier."""
    source = np.full((height, width, 2), np.nan, np.float32)
    for mesh in params["generated_mesh"]:
        (x1, y1, x2, y2), quadrangle = mesh[:4], mesh[4:].reshape(4, 2).astype(np.float32)
        cell = np.array([[x1, y1], [x2, y1], [x2, y2], [x1, y2]], np.float32)
        low = np.clip(quadrangle.min(axis=0), 0, (width, height)).astype(int)
        high = np.clip(quadrangle.max(axis=0) + 1, 0, (width, height)).astype(int)
        covered = np.zeros((high - low)[::-1], np.uint8)
        if not covered.size:
            continue
        cv2.fillConvexPoly(covered, (quadrangle - low).astype(np.int32), 1)
        y, x = np.nonzero(covered)
        x, y = x + low[0], y + low[1]
        matrix = cv2.getPerspectiveTransform(cell, quadrangle)
        back = cv2.invert(matrix)[1]
        if np.allclose(back @ matrix, np.eye(3), atol=1e-6):
            across, down, weight = back @ np.stack([x, y, np.ones_like(x)]).astype(np.float64)
            weight[weight == 0] = np.inf  # as OpenCV: the horizon shows the first pixel
            shown = np.stack([across / weight, down / weight], axis=-1)
        else:  # a corner lies between two others: there it shows whatever OpenCV's rounding makes of it
            centres = np.dstack(np.meshgrid(np.arange(width), np.arange(height))).astype(np.float32)
            shown = cv2.warpPerspective(centres, matrix, (width, height), None, cv2.INTER_NEAREST, 0, _NOWHERE)[y, x]
        shown = shown + 0.5
        shown[(shown <= -1).any(axis=1) | (shown >= (width + 1, height + 1)).any(axis=1)] = np.nan
        source[y, x] = shown
    return Field(source)


_LOWERINGS: Mapping[str, Callable[[Any, Params, int, int], Lowered | None]] = {
    "Affine": _affine,
    "AtLeastOneBBoxRandomCrop": _crop,
    "BBoxSafeRandomCrop": _crop,
    "CenterCrop": _crop,
    "Crop": _crop,
    "CropAndPad": _crop_and_pad,
    "CropNonEmptyMaskIfExists": _crop,
    "D4": _symmetry,
    "ElasticTransform": _field,
    "GridDistortion": _grid,
    "GridElasticDeform": _mesh,
    "HorizontalFlip": _flip_x,
    "LongestMaxSize": _max_size,
    "OpticalDistortion": _field,
    "Pad": _pad,
    "PadIfNeeded": _pad,
    "Perspective": _perspective,
    "PiecewiseAffine": _field,
    "RandomCrop": _crop,
    "RandomCropFromBorders": _crop,
    "RandomGridShuffle": _shuffle,
    "RandomResizedCrop": _sized_crop,
    "RandomRotate90": _quarter_turns,
    "RandomScale": _scale,
    "RandomSizedBBoxSafeCrop": _sized_crop,
    "RandomSizedCrop": _sized_crop,
    "Resize": _resize,
    "Rotate": _rotate,
    "SafeRotate": _affine,
    "ShiftScaleRotate": _affine,
    "SmallestMaxSize": _max_size,
    "SquareSymmetry": _symmetry,
    "ThinPlateSpline": _field,
    "TimeReverse": _flip_x,
    "Transpose": _transpose,
    "VerticalFlip": _flip_y,
}
