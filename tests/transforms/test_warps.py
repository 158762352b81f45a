"""Every lowering against the pixels: a picture whose pixel values are coordinates goes through the transform."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest

from augx.errors import ImageError
from augx.geometry import rasterise, rings_box
from augx.model import Mask, Picture, Step
from augx.seeds import Rng
from augx.transforms.arguments import describe
from augx.transforms.catalog import TRANSFORMS
from augx.transforms.classical import Classical
from augx.transforms.lowering import Lowered
from augx.transforms.pipeline import Pipeline
from augx.transforms.warps import Field, Matrix, Tiles, product, rows_of

CASES: list[tuple[str, dict[str, Any]]] = [
    ("Affine", {"rotate": [-40, 40], "scale": [0.6, 1.4], "shear": [-15, 15]}),
    ("Affine", {"rotate": [-180, 180], "fit_output": True}),
    ("Affine", {"scale": {"x": [0.5, 1.5], "y": [0.5, 1.5]}, "fit_output": True}),
    ("Affine", {"scale": [0.7, 1.3], "keep_ratio": True, "translate_percent": [-0.3, 0.3]}),
    ("Affine", {"translate_px": {"x": [-9, 9], "y": [-7, 7]}}),
    ("Affine", {"rotate": [-40, 40], "interpolation": "cubic"}),
    ("Affine", {"rotate": [-40, 40], "interpolation": "nearest"}),
    ("Affine", {"rotate": [-40, 40], "border_mode": "reflect_101"}),
    ("Affine", {"rotate": [-40, 40], "border_mode": "wrap"}),
    ("AtLeastOneBBoxRandomCrop", {"height": 20, "width": 31}),
    ("BBoxSafeRandomCrop", {"erosion_rate": 0.4}),
    ("CenterCrop", {"height": 20, "width": 31}),
    ("CenterCrop", {"height": 90, "width": 31, "pad_if_needed": True, "border_mode": "replicate"}),
    ("Crop", {"x_min": 3, "y_min": 2, "x_max": 30, "y_max": 20}),
    ("Crop", {"x_max": 150, "y_max": 40, "pad_if_needed": True, "pad_position": "random"}),
    ("CropAndPad", {"percent": [-0.2, 0.2]}),
    ("CropAndPad", {"px": [-8, 8], "keep_size": False, "border_mode": "reflect"}),
    ("CropAndPad", {"percent": [-0.2, 0.2], "interpolation": "area"}),
    ("CropNonEmptyMaskIfExists", {"height": 20, "width": 31}),
    ("D4", {}),
    ("ElasticTransform", {"alpha": 30, "sigma": 4}),
    ("ElasticTransform", {"alpha": 60, "sigma": 8, "border_mode": "reflect", "interpolation": "nearest"}),
    ("ElasticTransform", {"alpha": 20, "sigma": 5, "approximate": True, "same_dxdy": True}),
    ("GridDistortion", {}),
    ("GridDistortion", {"normalized": False, "distort_limit": 0.2}),
    ("GridDistortion", {"num_steps": 8, "distort_limit": 0.5, "border_mode": "replicate"}),
    ("GridElasticDeform", {"num_grid_xy": [4, 4], "magnitude": 4}),
    ("HorizontalFlip", {}),
    ("LongestMaxSize", {"max_size": 50}),
    ("LongestMaxSize", {"max_size": 150, "interpolation": "lanczos"}),
    ("OpticalDistortion", {"distort_limit": 0.4}),
    ("OpticalDistortion", {"distort_limit": 0.4, "mode": "fisheye"}),
    ("Pad", {"padding": [3, 5, 7, 9]}),
    ("Pad", {"padding": 4, "border_mode": "reflect_101"}),
    ("PadIfNeeded", {"min_height": 200, "min_width": 150, "position": "random"}),
    ("PadIfNeeded", {"min_height": None, "min_width": None, "pad_height_divisor": 32, "pad_width_divisor": 48}),
    ("Perspective", {"scale": [0.05, 0.15]}),
    ("Perspective", {"scale": [0.05, 0.2], "keep_size": False}),
    ("Perspective", {"scale": [0.05, 0.15], "fit_output": True, "border_mode": "replicate"}),
    ("PiecewiseAffine", {"nb_rows": 3, "nb_cols": 3}),
    ("RandomCrop", {"height": 20, "width": 31}),
    ("RandomCropFromBorders", {"crop_left": 0.3, "crop_top": 0.4}),
    ("RandomGridShuffle", {"grid": [3, 4]}),
    ("RandomResizedCrop", {"size": [40, 51]}),
    ("RandomResizedCrop", {"size": [20, 21], "area_for_downscale": "image"}),
    ("RandomRotate90", {}),
    ("RandomScale", {"scale_limit": [-0.5, 0.9]}),
    ("RandomSizedBBoxSafeCrop", {"height": 40, "width": 51, "erosion_rate": 0.3}),
    ("RandomSizedCrop", {"min_max_height": [15, 40], "size": [40, 51], "w2h_ratio": 1.3}),
    ("Resize", {"height": 50, "width": 31}),
    ("Resize", {"height": 50, "width": 231, "interpolation": "cubic"}),
    ("Resize", {"height": 20, "width": 33, "interpolation": "area"}),
    ("Rotate", {}),
    ("Rotate", {"limit": [-80, 80], "crop_border": True}),
    ("Rotate", {"limit": [90, 90]}),
    ("SafeRotate", {}),
    ("ShiftScaleRotate", {}),
    ("SmallestMaxSize", {"max_size": [40, 80]}),
    ("SquareSymmetry", {}),
    ("ThinPlateSpline", {"scale_range": [0.05, 0.1]}),
    ("TimeReverse", {}),
    ("Transpose", {}),
    ("VerticalFlip", {}),
]
IDS = [f"{name} {' '.join(f'{k}={v}' for k, v in args.items())}".strip() for name, args in CASES]
SIZES = ((109, 83), (37, 23), (7, 1), (1, 1))


def places(width: int, height: int) -> Picture:
    """Two planes of coordinates, of pixel centres, and one that is 1 where nothing came in from outside."""
    y, x = np.mgrid[:height, :width].astype(np.float32) + np.float32(0.5)
    return Picture(np.dstack([x, y, np.ones_like(x)]))  # type: ignore[arg-type]


def drawn(transform: Classical, picture: Picture, copy: int) -> tuple[Any, Picture, Lowered | None]:
    params = transform.draw(picture, Rng().at(3, "a", copy, "0"))
    return params, transform.apply(picture, params), transform.warp(picture, params)


def between(planes: np.ndarray, xy: np.ndarray) -> np.ndarray:
    """What is shown at continuous places, bilinear between pixel centres."""
    index = np.maximum(xy - 0.5, 0)
    x0, y0 = np.minimum(index.astype(int), (planes.shape[1] - 2, planes.shape[0] - 2)).T
    fx, fy = (index - np.stack([x0, y0], 1)).T[..., None]
    upper = planes[y0, x0] * (1 - fx) + planes[y0, x0 + 1] * fx
    return upper * (1 - fy) + (planes[y0 + 1, x0] * (1 - fx) + planes[y0 + 1, x0 + 1] * fx) * fy


def test_every_moving_transform_is_here() -> None:
    assert {name for name, _ in CASES} == {name for name, entry in TRANSFORMS.items() if entry.moves and not entry.own}


@pytest.mark.parametrize(("name", "args"), CASES, ids=IDS)
def test_places_go_where_pixels_go(name: str, args: dict[str, Any]) -> None:
    picture, transform = places(109, 83), Classical(name, args)
    tolerance = 0.5 if name in ("GridElasticDeform", "ElasticTransform") or "Distortion" in name else 0.1
    tolerance = {"ThinPlateSpline": 0.5, "PiecewiseAffine": 0.5}.get(name, tolerance)
    # cubic weights do not give straight lines back; nearest, and area where it enlarges, are off by half a pixel
    tolerance += {"nearest": 0.75, "cubic": 0.15, "lanczos": 0.05, "area": 0.5}.get(args.get("interpolation", ""), 0)
    moved = 0
    for copy in range(3 if name == "PiecewiseAffine" else 6):
        _, result, warp = drawn(transform, picture, copy)
        if warp is None:
            assert np.array_equal(result.pixels, picture.pixels)
            continue
        moved += 1
        assert (warp.width, warp.height) == (result.width, result.height)
        source = np.random.default_rng(copy).uniform(2.5, (106.5, 80.5), (800, 2))
        if isinstance(warp, Tiles):  # not across a seam
            source = np.floor(source) + 0.5
        found = warp.points(source)
        inside = ((found > 1.5) & (found < (warp.width - 1.5, warp.height - 1.5))).all(1)
        source, found = source[inside], found[inside]
        shown = between(result.pixels, found)
        whole = shown[:, 2] > 0.9999
        assert len(source) < 20 or whole.mean() > 0.9
        source, found, shown = source[whole], found[whole], shown[whole, :2].astype(float)
        apart = np.abs(warp.points(shown) - found).max(1)
        if isinstance(warp, Field):  # where it is flat, one place of the source fills several pixels
            apart = np.minimum(apart, np.abs(shown - source).max(1))
            assert not len(apart) or np.quantile(apart, 0.99) < 0.1 + tolerance - 0.5
        assert apart.max(initial=0) < tolerance
    assert moved >= 3


@pytest.mark.parametrize(("name", "args"), CASES, ids=IDS)
@pytest.mark.parametrize("size", SIZES)
def test_planes_are_what_the_pixels_are(name: str, args: dict[str, Any], size: tuple[int, int]) -> None:
    """Each value of a moved mask is that of the source pixel in which the new pixel's centre lies."""
    mixing = {"mask_interpolation": "linear"} if "mask_interpolation" in describe(name) else {}
    picture, transform = places(*size), Classical(name, {**mixing, **args})
    columns, rows = (np.floor(picture.pixels[..., axis]).astype(np.uint16) for axis in (0, 1))
    for copy in range(2 if name != "PiecewiseAffine" else 1):
        try:
            params, result, warp = drawn(transform, picture, copy)
        except ImageError:
            assert min(size) < 50
            continue
        planes = [transform.plane(plane, params, 60_000) for plane in (columns, rows)]
        assert all(plane.shape == result.pixels.shape[:2] and plane.dtype == np.uint16 for plane in planes)
        if warp is not None:
            assert (warp.width, warp.height) == (result.width, result.height)
        found = np.stack(planes, -1)
        inside = (found < 60_000).all(-1)
        assert (inside == (found < 60_000).any(-1)).all()
        whole = inside & (result.pixels[..., 2] > 0.9999)
        assert whole.sum() >= 0.9 * (result.pixels[..., 2] > 0.9999).sum()
        if args.get("interpolation", "linear") == "linear" and not {"wrap", "image"} & set(map(str, args.values())):
            apart = np.abs(found[whole] + 0.5 - result.pixels[whole][:, :2])
            assert apart.max(initial=0) < 0.54  # OpenCV mixes in steps of 1/32 pixel
        small = [transform.plane(plane.astype(np.uint8), params, 255) for plane in (columns, rows)]
        assert np.array_equal(np.where(inside, planes[0], 255), small[0])
        colours = np.dstack([columns, rows, columns])
        assert np.array_equal(transform.plane(colours, params, 60_000), np.dstack([*planes, planes[0]]))


@pytest.mark.parametrize(("name", "args"), CASES, ids=IDS)
@pytest.mark.parametrize("size", SIZES[1:])
def test_small_pictures(name: str, args: dict[str, Any], size: tuple[int, int]) -> None:
    """Nothing fails that the pixels themselves do not fail in, and outlines come back as outlines."""
    picture, transform = places(*size), Classical(name, args)
    whole = np.array([(0.0, 0), (size[0], 0), size, (0, size[1])])
    for copy in range(3):
        try:
            _, result, warp = drawn(transform, picture, copy)
        except ImageError:
            continue
        if warp is None:
            continue
        assert (warp.width, warp.height) == (result.width, result.height)
        assert warp.points(np.zeros((0, 2))).shape == (0, 2)
        assert np.isnan(warp.points(np.full((3, 2), np.nan))).all()
        assert warp.points(np.array([[-1e9, 1e9], [1e9, -1e9]])).shape == (2, 2)
        for ring in warp.ring(whole):
            assert ring.ndim == 2 and ring.shape[1] == 2 and len(ring) >= 3 and np.isfinite(ring).all()


EXACT = {
    "HorizontalFlip": [[-1, 0, 109], [0, 1, 0], [0, 0, 1]],
    "VerticalFlip": [[1, 0, 0], [0, -1, 83], [0, 0, 1]],
    "Transpose": [[0, 1, 0], [1, 0, 0], [0, 0, 1]],
}


@pytest.mark.parametrize("name", EXACT)
def test_exact_matrices(name: str) -> None:
    _, _, warp = drawn(Classical(name, {}), places(109, 83), 0)
    assert isinstance(warp, Matrix) and warp.values.tolist() == EXACT[name]
    assert warp.mirrors and warp.straight and not warp.bends


def test_resize_pad_and_crop_are_products() -> None:
    picture = places(100, 80)
    _, _, warp = drawn(Classical("CropAndPad", {"px": [10, -20, 0, 4]}), picture, 0)  # top, right, bottom, left
    # left 4 and top 10 are added, right 20 is cut: 84 x 90, resized to 100 x 80
    assert isinstance(warp, Matrix)
    assert warp.values == pytest.approx(np.array([[100 / 84, 0, 400 / 84], [0, 80 / 90, 800 / 90], [0, 0, 1]]))
    assert warp.straight and not warp.mirrors


def test_which_warps_mirror_and_which_keep_boxes() -> None:
    picture = places(60, 60)
    seen = {}
    for copy in range(60):
        params, _, warp = drawn(Classical("D4", {}), picture, copy)
        seen[str(params["group_element"])] = None if warp is None else (warp.mirrors, warp.straight)
    assert seen == {
        "e": None,
        **dict.fromkeys(("r90", "r180", "r270"), (False, True)),
        **dict.fromkeys(("h", "v", "t", "hvt"), (True, True)),
    }
    for name, args, straight in (
        ("Rotate", {"limit": [90, 90]}, True),
        ("Rotate", {"limit": [30, 30]}, False),
        ("Affine", {"scale": [0.5, 0.5], "translate_px": 4}, True),
        ("Affine", {"shear": [20, 20]}, False),
        ("Perspective", {}, False),
        ("GridDistortion", {}, True),
        ("ElasticTransform", {}, False),
        ("RandomGridShuffle", {}, True),
    ):
        _, _, warp = drawn(Classical(name, args), picture, 0)
        assert warp is not None and (warp.straight, warp.mirrors) == (straight, False), name
        assert warp.bends == (not isinstance(warp, Matrix))


def test_what_stays_is_no_warp() -> None:
    picture = places(40, 30)
    for name, args in (
        ("Affine", {}),
        ("Resize", {"width": 40, "height": 30}),
        ("Pad", {"padding": 0}),
        ("RandomGridShuffle", {"grid": [1, 1]}),
        ("BBoxSafeRandomCrop", {}),
        ("Blur", {}),
    ):
        assert drawn(Classical(name, args), picture, 0)[2] is None, name


def test_tiles_cut_outlines() -> None:
    tiles = Tiles(np.array([[0.0, 0, 5, 8], [5, 0, 10, 8]]), np.array([[5.0, 0], [-5, 0]]), 10, 8)
    pieces = tiles.ring(np.array([(2.0, 1), (7, 1), (7, 4), (2, 4)]))
    assert sorted(sorted(map(tuple, piece.tolist())) for piece in pieces) == [
        [(0, 1), (0, 4), (2, 1), (2, 4)],
        [(7, 1), (7, 4), (10, 1), (10, 4)],
    ]
    points = tiles.points(np.array([(0.0, 0), (4.9, 8), (5, 3), (10, 8), (10.1, 3), (-1, 3)]))
    assert points[:4].tolist() == pytest.approx(np.array([(5, 0), (9.9, 8), (0, 3), (5, 8)]))
    assert np.isnan(points[4:]).all()


def test_what_lies_behind_the_horizon_is_cut_in_two() -> None:
    """x' = x / (x - 5), y' = y / (x - 5): the line x = 5 goes to infinity."""
    matrix = Matrix(((1.0, 0, 0), (0, 1, 0), (1, 0, -5)), 10, 10, bends=True)
    parts = matrix.ring(np.array([(1.0, 1), (9, 1), (9, 2), (1, 2)]))
    assert len(parts) == 2
    ahead, behind = parts
    assert ahead[:, 0].min() == pytest.approx(9 / 4) and ahead.max() > 1e4
    assert behind[:, 0].max() == pytest.approx(-1 / 4) and behind.min() < -1e4
    assert np.isnan(matrix.points(np.array([[5.0, 1]]))).all()


def test_folds_and_tears_lose_points_but_no_outline() -> None:
    """Two halves that both show the left half of the source."""
    x, y = np.meshgrid(np.arange(40) % 20 + 0.5, np.arange(30) + 0.5)
    field = Field(np.dstack([x, y]).astype(np.float32))
    found = field.points(np.array([(4.5, 7.5), (33.0, 7.0), (10.2, 3.3)]))
    assert not 0 < found[1, 0] < 40
    assert field.shown(found[[0, 2]]) == pytest.approx(np.array([(4.5, 7.5), (10.2, 3.3)]), abs=0.02)
    halves = field.ring(np.array([(2.0, 2), (18, 2), (18, 20), (2, 20)]))
    assert sorted(ring.min(axis=0).tolist() + ring.max(axis=0).tolist() for ring in halves) == [
        [2, 2, 18, 20],
        [22, 2, 38, 20],
    ]
    nothing = Field(np.full((4, 5, 2), np.nan, np.float32))
    assert np.isnan(nothing.points(np.array([(1.0, 1)]))).all() and len(nothing.ring(np.eye(3)[:, :2])) == 1


FOLDING: list[tuple[str, dict[str, Any]]] = [
    ("ElasticTransform", {"alpha": 60, "sigma": 1}),
    ("ElasticTransform", {"alpha": 200, "sigma": 4}),
    ("GridElasticDeform", {"num_grid_xy": [4, 4], "magnitude": 10}),
    ("GridElasticDeform", {"num_grid_xy": [6, 3], "magnitude": 20}),  # some cells become lines
    ("OpticalDistortion", {"distort_limit": [-0.9, -0.7]}),
    ("ThinPlateSpline", {"scale_range": [0.3, 0.4]}),
]


@pytest.mark.parametrize(("name", "args"), FOLDING)
def test_where_it_folds_outlines_are_around_the_pixels_that_show_it(name: str, args: dict[str, Any]) -> None:
    """Shapes whose sides lie between pixels, so that painting them is exact; one touches the edges."""
    corners = (
        [(60, 50), (109, 50), (109, 83), (60, 83)],
        [(12, 20), (40, 20), (40, 33), (31, 33), (31, 60), (12, 60)],
        [(50, 10), (62, 10), (62, 16), (76, 16), (76, 41), (50, 41)],
    )
    shapes = [np.array(points, float) for points in corners]
    painted = np.dstack([rasterise([shape], 109, 83) * np.uint8(255) for shape in shapes])
    folded = 0
    for copy in range(12):
        _, result, warp = drawn(Classical(name, {**args, "interpolation": "nearest"}), Picture(painted), copy)
        assert isinstance(warp, Field)
        folded += warp.folds
        for index, shape in enumerate(shapes if warp.folds else ()):
            shown, rings = result.pixels[..., index] > 0, warp.ring(shape)
            if not shown.any():
                assert rings == []
                continue
            rows, columns = np.flatnonzero(shown.any(1)), np.flatnonzero(shown.any(0))
            extent = columns[0], rows[0], columns[-1] + 1, rows[-1] + 1
            assert np.abs(np.subtract(rings_box(rings), extent)).max() <= 1, (copy, index)
            filled = rasterise(rings, 109, 83) > 0
            assert (filled & shown).sum() >= 0.93 * (filled | shown).sum(), (copy, index)
    assert folded >= 4


def test_beyond_the_edge_things_move_as_at_the_edge() -> None:
    x, y = np.meshgrid(np.arange(40) + 0.5, np.arange(30) + 0.5)
    field = Field(np.dstack([x + 3, y - 2]).astype(np.float32))
    wanted = np.array([(-7.0, -3), (20, 15), (90, 80)])
    assert field.points(wanted) == pytest.approx(wanted + np.array([-3, 2]), abs=0.02)


def test_outlines_of_bends_are_dense() -> None:
    _, _, warp = drawn(Classical("ElasticTransform", {"alpha": 30, "sigma": 5}), places(109, 83), 0)
    assert warp is not None
    (ring,) = warp.ring(np.array([(20.0, 20), (80, 20), (80, 60), (20, 60)]))
    assert 200 / 4 < len(ring) < 200
    assert np.hypot(*(np.roll(ring, -1, axis=0) - ring).T).max() < 6


@pytest.mark.parametrize("name", ["Pad", "Affine", "ElasticTransform"])
def test_borders_that_repeat_the_picture(name: str) -> None:
    args = {"Pad": {"padding": 3}, "Affine": {"translate_px": {"x": [3, 3], "y": 0}}, "ElasticTransform": {"alpha": 90}}
    mask = np.arange(1, 31, dtype=np.uint8).reshape(5, 6)
    transform, picture = Classical(name, {**args[name], "border_mode": "reflect"}), Picture(mask)
    params = transform.draw(picture, Rng().at(3, "a", 0, "0"))
    repeated, plain = transform.plane(mask, params, 99), transform.plane(mask, params, 99, reflects=False)
    assert 99 not in repeated and ((plain == repeated) | (plain == 99)).all()
    if name == "Pad":
        assert np.array_equal(repeated, np.pad(mask, 3, "symmetric"))
        assert np.array_equal(plain, np.pad(mask, 3, constant_values=99))


def test_no_class_that_was_not_there() -> None:
    mask = np.random.default_rng(0).choice(np.array([3, 90, 200], np.uint8), (83, 109))
    for name, args in (case for case in CASES if case[0] != "PiecewiseAffine"):  # which takes long
        mixing = {"area_for_downscale": "image_mask"} if "area_for_downscale" in args else {}
        transform = Classical(name, {**args, **mixing})
        for copy in range(2):
            params = transform.draw(places(109, 83), Rng().at(3, "a", copy, "0"))
            assert set(np.unique(transform.plane(mask, params, 255))) <= {3, 90, 200, 255}, name


def test_what_the_recipe_wants_outside() -> None:
    mask = np.zeros((20, 30), np.uint8)

    def outside(name: str, **args: Any) -> int | None:
        transform = Classical(name, args)
        return transform.outside(mask, transform.draw(Picture(mask), Rng().at(3, "a", 0, "0")))

    assert outside("Pad", padding=2) is None
    assert outside("Pad", padding=2, fill=9) is None
    assert outside("Pad", padding=2, fill_mask=7) == 7
    assert outside("Rotate", fill_mask=[7, 8, 9]) == 7
    assert outside("Pad", padding=2, fill_mask=300) == 255
    colours = Picture(pixels := np.zeros((20, 30, 3), np.uint8), mask=Mask(pixels))
    after = Pipeline([Step("Pad", {"padding": 2, "fill_mask": [7, 300, 9]}, 1.0)])(
        colours, lambda _: Rng().at(3, "a", 0, "")
    )
    assert after[0].mask and after[0].mask.values[0, 0].tolist() == [7, 255, 9]
    assert outside("CropAndPad", px=[1, 3], fill_mask=[5]) == 5
    assert outside("CropAndPad", px=[1, 3], fill_mask=[5, 5]) == 5


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("CoarseDropout", {}),
        ("GridDropout", {}),
        ("Erasing", {}),
        ("PixelDropout", {"dropout_prob": 0.2}),
        ("PixelDropout", {"dropout_prob": 0.2, "per_channel": True}),
        ("XYMasking", {"num_masks_x": 2, "num_masks_y": 1, "mask_x_length": 5, "mask_y_length": 4}),
    ],
)
def test_erasing_changes_masks_only_where_the_recipe_says_so(name: str, args: dict[str, Any]) -> None:
    picture, mask = Picture(np.full((40, 50, 3), 200, np.uint8)), np.full((40, 50), 3, np.uint8)
    fill, key = ("drop_value", "mask_drop_value") if name == "PixelDropout" else ("fill", "fill_mask")
    for fill_mask in (None, 0, 255):
        transform = Classical(name, {**args, fill: 1, **({} if fill_mask is None else {key: fill_mask})})
        params = transform.draw(picture, Rng().at(3, "a", 1, "0"))
        erased = (transform.apply(picture, params).pixels == 1).any(-1)
        assert erased.any() and not erased.all()
        result = transform.erased(mask, params)
        if fill_mask is None:
            assert result is mask
        else:
            assert np.array_equal(result, np.where(erased, fill_mask, 3)) and (mask == 3).all()


def test_crops_that_know_of_boxes() -> None:
    picture = places(160, 120)
    boxes = np.array([[101, 50, 121, 71], [30, 40, 51, 60]]) / (160, 120, 160, 120)
    boxes = boxes.astype(np.float32)
    for copy in range(60):
        rng = Rng().at(3, "a", copy, "0")
        x0, y0, x1, y1 = Classical("BBoxSafeRandomCrop", {}).draw(picture, rng, boxes)["crop_coords"]
        assert 0 <= x0 <= 30 and 0 <= y0 <= 40 and 121 <= x1 <= 160 and 71 <= y1 <= 120
        at_least = Classical("AtLeastOneBBoxRandomCrop", {"height": 30, "width": 30})
        x0, y0, x1, y1 = at_least.draw(picture, Rng().at(3, "a", copy, "0"), boxes)["crop_coords"]
        shares = [
            max(0, min(x1, b[2]) - max(x0, b[0])) * max(0, min(y1, b[3]) - max(y0, b[1]))
            for b in boxes * (160, 120, 160, 120)
        ]
        assert max(shares) >= 19 * 19
        tiny = np.array([[0, 0, 1e-4, 1e-4]], np.float32)
        for rate in (0, 0.9):
            crop = Classical("RandomSizedBBoxSafeCrop", {"height": 9, "width": 9, "erosion_rate": rate})
            x0, y0, x1, y1 = crop.draw(picture, Rng().at(3, "a", copy, "0"), tiny)["crop_coords"]
            assert 0 <= x0 < x1 <= 160 and 0 <= y0 < y1 <= 120


def test_a_crop_with_some_of_the_mask_in_it() -> None:
    mask = np.zeros((83, 109), np.uint8)
    mask[70, 100], mask[:3] = 4, 255
    crop = Classical("CropNonEmptyMaskIfExists", {"height": 20, "width": 20, "ignore_values": [255]})
    pixels = np.zeros((83, 109, 3), np.uint8)
    for copy in range(20):
        params = crop.draw(Picture(pixels, mask=Mask(mask)), Rng().at(3, "a", copy, "0"))
        assert 4 in crop.plane(mask, params, 0)
    without = [crop.draw(Picture(pixels), Rng().at(3, "a", copy, "0"))["crop_coords"] for copy in range(9)]
    assert len(set(without)) > 5


def test_opencv_counts_as_the_lowering_thinks() -> None:
    """The conventions all lowerings rest on, so that another OpenCV that breaks them is noticed here."""
    row = np.arange(8, dtype=np.float32)[None]
    shifted = cv2.warpAffine(row, np.array([[1.0, 0, 1.5], [0, 1, 0]]), (8, 1))
    assert shifted[0, 3] == pytest.approx(1.5)  # in pixel centres
    halved = cv2.resize(row, (4, 1), interpolation=cv2.INTER_LINEAR)
    assert halved[0].tolist() == [0.5, 2.5, 4.5, 6.5]  # in edges
    assert cv2.resize(row, (2, 1), interpolation=cv2.INTER_NEAREST_EXACT)[0].tolist() == [2, 6]
    assert cv2.resize(row, (2, 1), interpolation=cv2.INTER_NEAREST)[0].tolist() == [0, 4]  # half a pixel off


@pytest.mark.parametrize("last", [(0, 0, 1), (0.01, -0.02, 1)])
def test_products_of_matrices(last: tuple[float, float, float]) -> None:
    one = np.array([[1.5, -0.3, 20], [0.2, 0.8, -7], last])
    other = np.array([[0, -1, 31], [1, 0, 0.5], [0, 0, 1]])
    assert np.array(product(rows_of(one), rows_of(other))) == pytest.approx(one @ other)
    assert np.array(product(rows_of(other), rows_of(one))) == pytest.approx(other @ one)
