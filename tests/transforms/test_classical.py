"""Every usable transform on every kind of picture."""

from __future__ import annotations

import random
import warnings
from typing import Any

import cv2
import numpy as np
import pytest

from augx.errors import ImageError
from augx.model import Annotations, Mask, Picture
from augx.seeds import Rng
from augx.transforms import classical
from augx.transforms.arguments import describe
from augx.transforms.catalog import TRANSFORMS
from augx.transforms.classical import Classical
from augx.transforms.problems import check

NEEDED: dict[str, dict[str, Any]] = {
    "Affine": {"rotate": [-20, 20], "scale": [0.8, 1.2]},
    "AtLeastOneBBoxRandomCrop": {"height": 20, "width": 24},
    "BBoxSafeRandomCrop": {"erosion_rate": 0.3},
    "CenterCrop": {"height": 20, "width": 24},
    "Crop": {"x_max": 30, "y_max": 30},
    "CropAndPad": {"percent": [-0.1, 0.1]},
    "CropNonEmptyMaskIfExists": {"height": 20, "width": 24},
    "ElasticTransform": {"alpha": 30, "sigma": 4},
    "FrequencyMasking": {"freq_mask_param": 10},
    "GridElasticDeform": {"num_grid_xy": [3, 3], "magnitude": 4},
    "LongestMaxSize": {"max_size": 40},
    "Pad": {"padding": 5},
    "PadIfNeeded": {"min_height": 70, "min_width": 70},
    "PiecewiseAffine": {"nb_rows": 2, "nb_cols": 2},
    "RandomCrop": {"height": 20, "width": 24},
    "RandomResizedCrop": {"size": [20, 24]},
    "RandomSizedBBoxSafeCrop": {"height": 20, "width": 24, "erosion_rate": 0.2},
    "RandomSizedCrop": {"min_max_height": [10, 30], "size": [20, 24]},
    "Resize": {"height": 20, "width": 24},
    "SmallestMaxSize": {"max_size": 40},
    "Superpixels": {"n_segments": [20, 20], "max_size": 32, "p_replace": 1},
    "TimeMasking": {"time_mask_param": 10},
    "XYMasking": {"num_masks_x": 1, "num_masks_y": 1, "mask_x_length": 5, "mask_y_length": 5},
}
USABLE = [name for name, entry in TRANSFORMS.items() if not (entry.refused or entry.members or entry.own)]
DEEP = [name for name in USABLE if TRANSFORMS[name].deep]
MOVING = [name for name in USABLE if TRANSFORMS[name].moves]


def smooth(height: int, width: int) -> np.ndarray:
    """RGB float64 in [0, 1]: three different gradients with a little noise, so that nothing is flat."""
    y, x = np.mgrid[0:height, 0:width]
    planes = [x / width * 0.8 + 0.1 + 0.05 * np.sin(y / 3), y / height * 0.8 + 0.1, (x + y) / (height + width)]
    noise = np.random.default_rng(1).normal(0, 0.03, (height, width, 3))
    return (np.stack(planes, -1) + noise).clip(0, 1)


def levels(values: np.ndarray, dtype: type) -> np.ndarray:
    return np.rint(values * np.iinfo(dtype).max).astype(dtype)


RGB = levels(smooth(47, 61), np.uint8)
GREY = RGB[..., 1].copy()
ALPHA = np.full((47, 61), 255, np.uint8)
ALPHA[:10] = 40
_EMPTY = np.zeros((47, 61), np.uint8)
DEEP_RGB = levels(smooth(47, 61), np.uint16)
PICTURES = {
    "rgb": Picture(RGB),
    "grey": Picture(GREY),
    "alpha": Picture(RGB, ALPHA, b"icc"),
    "grey alpha": Picture(GREY, ALPHA),
    "one": Picture(RGB[:1, :1].copy()),
    "flat": Picture(levels(smooth(8, 300), np.uint8)),
    "deep": Picture(DEEP_RGB),
    "labelled": Picture(RGB, annotations=Annotations({"cat": 1.0}), mask=Mask(GREY), instances=Mask(GREY)),
    "deep grey alpha": Picture(DEEP_RGB[..., 1].copy(), levels(smooth(47, 61)[..., 0], np.uint16)),
}


def make(name: str, **args: Any) -> Classical:
    return Classical(name, {**NEEDED.get(name, {}), **args})


def run(transform: Classical, picture: Picture, copy: int = 0) -> Picture:
    rng = Rng().at(7, "a.png", copy, "0")
    return transform.apply(picture, transform.draw(picture, rng))


def same(one: Picture, other: Picture) -> bool:
    alphas = (one.alpha is None and other.alpha is None) or np.array_equal(one.alpha, other.alpha)  # type: ignore[arg-type]
    return alphas and np.array_equal(one.pixels, other.pixels)


@pytest.mark.parametrize("name", USABLE)
def test_every_transform_on_every_kind_of_picture(name: str) -> None:
    assert check(name, NEEDED.get(name, {})) == []
    used, before = make(name), {}
    for kind, picture in PICTURES.items():
        before[kind] = picture.pixels.copy()
        may_fail = kind in ("one", "flat")
        try:
            result = run(used, picture)
        except ImageError as error:
            expected = "transform-failed" if TRANSFORMS[name].deep or "deep" not in kind else "no-16-bit"
            assert error.code == expected and error.stage == "transform" and error.message.startswith(name)
            assert may_fail or expected == "no-16-bit"
            continue
        assert TRANSFORMS[name].deep or "deep" not in kind
        pixels, alpha = result.pixels, result.alpha
        assert pixels.dtype == picture.pixels.dtype and pixels.flags.c_contiguous and pixels.size
        in_colour = picture.pixels.ndim == 3 or name in ("ToRGB", "ToSepia")
        assert pixels.shape[2:] == ((3,) if in_colour else ())
        assert (alpha is None) == (picture.alpha is None)
        if alpha is not None:
            assert alpha.shape == pixels.shape[:2] and alpha.dtype == pixels.dtype and alpha.flags.c_contiguous
            assert TRANSFORMS[name].moves or alpha is picture.alpha
        assert result.icc == picture.icc
        assert (result.annotations, result.mask, result.instances) == (
            picture.annotations,
            picture.mask,
            picture.instances,
        )
        # the input is as it was, and the result does not depend on what the transform has seen before
        assert np.array_equal(picture.pixels, before[kind])
        assert same(result, run(make(name), picture)) and same(result, run(used, picture))


@pytest.mark.parametrize("name", USABLE)
def test_nothing_is_drawn_while_applying(name: str) -> None:
    transform, picture, rng = make(name), PICTURES["rgb"], Rng().at(3, "b", 1, "0")
    params = transform.draw(picture, rng)
    place = rng.python.getstate(), rng.numpy.bit_generator.state["state"]["counter"].tolist()
    first = transform.apply(picture, params)
    assert (rng.python.getstate(), rng.numpy.bit_generator.state["state"]["counter"].tolist()) == place
    rng.at(99, "elsewhere", 5, "8")
    cv2.setRNGSeed(4)
    assert same(first, transform.apply(picture, params))


@pytest.mark.parametrize("name", USABLE)
def test_deep_in_the_table_is_what_happens(name: str) -> None:
    """deep: thousands of 16-bit levels survive, and the picture is the one that 8 bits give.

    Colour levels are compared on average: ColorJitter's hue in 8 bits is itself off by up to 12 levels.
    """
    import albumentations

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        transform = getattr(albumentations, name)(**{**NEEDED.get(name, {}), "p": 1})
    finest, furthest = 0, 0.0
    for copy in range(3):
        results = []
        for image in (DEEP_RGB / np.float32(65535), RGB / np.float32(255), RGB):
            rng = Rng().at(7, "a.png", copy, "0")
            transform.set_random_state(rng.numpy, rng.python)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                results.append(transform(image=image, mask=_EMPTY, bboxes=np.zeros((0, 4), np.float32))["image"])
        fine = np.rint(results[0].clip(0, 1).astype(np.float64) * 65535).astype(np.int64)
        finest = max(finest, int((np.unique(fine) % 257 != 0).sum()))
        assert results[1].shape == results[2].shape
        furthest = max(furthest, float(np.abs(results[1].clip(0, 1) * 255 - results[2]).mean()))
    enough = finest > 0 if name == "ShotNoise" else finest > 500  # a few photons make a few levels
    assert TRANSFORMS[name].deep == (enough and furthest < 2), (finest, furthest)


@pytest.mark.parametrize("name", MOVING)
def test_alpha_goes_where_the_pixels_go(name: str) -> None:
    for grey in (GREY, DEEP_RGB[..., 1].copy()):
        result = run(make(name), Picture(grey, grey.copy()))
        assert result.alpha is not None and np.array_equal(result.pixels, result.alpha)


def test_what_comes_in_from_outside_is_transparent() -> None:
    opaque = Picture(RGB, np.full((47, 61), 255, np.uint8))
    result = run(make("Pad", fill=[250, 20, 30]), opaque)
    assert result.pixels[0, 0].tolist() == [250, 20, 30]
    assert result.alpha is not None
    padded = run(Classical("CropAndPad", {"px": [3, 4], "keep_size": False, "fill": 99}), opaque)
    assert padded.alpha is not None and padded.pixels[0, 0].tolist() == [99, 99, 99] and padded.alpha[0, 0] == 0
    assert result.alpha[0, 0] == 0 and result.alpha[5, 5] == 255 and int((result.alpha == 0).sum()) == 57 * 71 - 47 * 61


def test_fill_counts_in_levels_at_any_depth_and_as_luma_on_grey() -> None:
    for kind, expected in (("rgb", [200, 10, 20]), ("deep", [200 * 257, 10 * 257, 20 * 257]), ("grey", 68)):
        assert run(make("Pad", fill=[200, 10, 20]), PICTURES[kind]).pixels[0, 0].tolist() == expected
    assert run(make("Pad", fill=128), PICTURES["deep grey alpha"]).pixels[0, 0] == 128 * 257


def test_moves_are_exact_on_16_bits() -> None:
    assert np.array_equal(run(make("HorizontalFlip"), PICTURES["deep"]).pixels, DEEP_RGB[:, ::-1])
    assert np.array_equal(run(make("Transpose"), PICTURES["deep"]).pixels, DEEP_RGB.transpose(1, 0, 2))
    rounded = classical._to_levels(np.array([0.6 / 65535, 2, -1, np.nan], np.float32), np.uint16)
    assert rounded.tolist() == [1, 65535, 0, 0]
    every = Picture(np.arange(65536, dtype=np.uint16).reshape(256, 256))
    assert np.array_equal(run(make("NoOp"), every).pixels, every.pixels)


@pytest.mark.parametrize(
    ("name", "args"),
    [("CoarseDropout", {"fill": "inpaint_ns"}), ("ToGray", {"method": "from_lab"}), ("CLAHE", {})],
)
def test_what_costs_precision_is_refused_on_16_bits(name: str, args: dict[str, Any]) -> None:
    with pytest.raises(ImageError, match=r"bits: 8") as caught:
        run(make(name, **args), PICTURES["deep"])
    assert (caught.value.code, caught.value.stage) == ("no-16-bit", "transform")


def test_grey_gets_the_luma_of_what_only_colour_can_do() -> None:
    result = run(make("ChannelDropout", fill=0), PICTURES["grey"]).pixels
    share = result.astype(float).sum() / GREY.sum()
    assert min(abs(share - kept) for kept in (0.701, 0.413, 0.886)) < 0.01
    bits = run(make("Posterize", num_bits=[[1, 1], [2, 2], [1, 1]]), PICTURES["grey"]).pixels
    kept = np.dstack([GREY & 0x80, GREY & 0xC0, GREY & 0x80])
    assert np.array_equal(bits, cv2.cvtColor(kept, cv2.COLOR_RGB2GRAY))
    sepia = run(make("ToSepia"), PICTURES["grey"]).pixels
    assert (sepia[..., 0] >= sepia[..., 2]).all() and sepia.ndim == 3
    assert run(make("ToGray"), PICTURES["grey"]) is PICTURES["grey"]
    assert run(make("ToRGB"), PICTURES["rgb"]) is PICTURES["rgb"]
    assert run(make("ToGray", num_output_channels=1), PICTURES["rgb"]).pixels.shape == (47, 61)


def test_what_works_in_place_gets_a_copy() -> None:
    picture, before = Picture(RGB.copy()), RGB.copy()
    run(make("Posterize", num_bits=[[1, 2], [1, 2], [1, 2]]), picture)
    assert np.array_equal(picture.pixels, before)
    chosen = Classical("CropAndPad", {"px": [3, 4], "keep_size": False, "fill": [7]})
    assert run(chosen, PICTURES["grey"]).pixels[0, 0] == 7


def test_sharpen_by_gaussian_does_not_wrap_around() -> None:
    result = run(make("Sharpen", method="gaussian"), PICTURES["rgb"]).pixels
    assert np.abs(result.astype(int) - RGB).mean() < 10  # Albumentations itself: 54


@pytest.mark.parametrize("copy", range(8))
def test_erasing_a_flat_picture(copy: int) -> None:
    assert run(make("Erasing"), PICTURES["flat"], copy).pixels.shape == (8, 300, 3)  # some find no room for a hole


@pytest.mark.parametrize(
    "name",
    [
        *("HorizontalFlip", "Affine", "GaussianBlur", "RandomBrightnessContrast", "CoarseDropout", "GaussNoise"),
        *("ISONoise", "RandomResizedCrop", "ShotNoise", "Perspective", "ColorJitter", "ImageCompression"),
    ],
)
def test_does_what_albumentations_does(name: str) -> None:
    import albumentations

    theirs = albumentations.Compose([getattr(albumentations, name)(**NEEDED.get(name, {}), p=1)])
    rng, ours = Rng().at(7, "a.png", 0, "0"), Rng().at(7, "a.png", 0, "0")
    ours.python.random()  # Compose asks for its own p first
    theirs.set_random_state(rng.numpy, rng.python)
    transform = make(name)
    expected = theirs(image=RGB)["image"]
    assert np.array_equal(transform.apply(PICTURES["rgb"], transform.draw(PICTURES["rgb"], ours)).pixels, expected)
    assert not np.array_equal(expected, RGB)


def test_drawing_uses_the_generators_it_is_handed_only() -> None:
    transform = make("GaussNoise")
    random.seed(1)
    np.random.seed(1)
    first = run(transform, PICTURES["rgb"])
    random.seed(2)
    np.random.seed(2)
    assert same(first, run(transform, PICTURES["rgb"]))
    assert not same(first, run(transform, PICTURES["rgb"], copy=1))


def test_a_crop_too_large_says_so() -> None:
    with pytest.raises(ImageError) as caught:
        run(Classical("CenterCrop", {"height": 512, "width": 500}), PICTURES["rgb"])
    expected = "CenterCrop: crop 500x512 is larger than the picture 61x47; set pad_if_needed or resize first"
    assert caught.value.message == expected
    padded = run(Classical("CenterCrop", {"height": 60, "width": 70, "pad_if_needed": True}), PICTURES["rgb"])
    assert padded.pixels.shape == (60, 70, 3)


def test_p_is_the_transforms_own_unless_given() -> None:
    assert (make("Blur").p, make("Resize").p, Classical("Blur", {}, 0.25).p) == (0.5, 1.0, 0.25)


def test_names_of_constants() -> None:
    for name, number in (("nearest", 0), ("cubic", 2), ("lanczos", 4)):
        by_name = run(make("Resize", interpolation=name), PICTURES["rgb"])
        assert same(by_name, run(make("Resize", interpolation=number), PICTURES["rgb"]))
    reflected = run(make("Pad", border_mode="reflect_101"), PICTURES["rgb"]).pixels
    assert np.array_equal(reflected[4], reflected[6])


@pytest.mark.parametrize(
    "value", ["1", True, None, [], {}, [[1]], {"x": "y"}, -1e300, "__import__('os')", [None] * 2000]
)
def test_any_value_for_any_argument_gives_problems_or_a_transform(value: Any) -> None:
    for name in USABLE:
        for key in describe(name):
            args = {**NEEDED.get(name, {}), key: value}
            if not check(name, args):
                Classical(name, args)
