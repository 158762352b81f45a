"""Where one warp could differ from many by more than their being interpolated: borders, shrinking, tones, memory."""

from __future__ import annotations

from functools import partial

import cv2
import numpy as np
import pytest
from test_fusion import made, numbers, photo, reference, step, things

from augx.model import Mask, Picture, Step
from augx.seeds import Rng
from augx.transforms.borders import Border, Veil
from augx.transforms.fusion import Course
from augx.transforms.pipeline import Pipeline
from augx.transforms.warps import SAME, Matrix, rows_of


def off(steps: list[Step], source: np.ndarray, fuse: bool = True) -> float:
    """Root mean square error against the reference, in levels."""
    return float(np.sqrt(np.square(made(steps, Picture(source), fuse).pixels - reference(steps, source)).mean()))


def test_an_edge_is_as_sharp_as_a_pixel_of_the_canvas_that_it_was_put_around() -> None:
    steps = [step("Resize", height=224, width=224), step("Rotate", limit=[20, 20], fill=0)]
    source = np.full((32, 32, 3), 200, np.uint8)
    assert off(steps, source) < off(steps, source, fuse=False)
    assert off(steps, photo(1, 32, 32)) < 2


@pytest.mark.parametrize("mode", ["wrap", "reflect", "reflect_101"])
@pytest.mark.parametrize("size", [32, 33])
def test_borders_that_repeat_pixels_repeat_them_where_masks_are_repeated(mode: str, size: int) -> None:
    values = (np.indices((size, size)).sum(axis=0) // 16 % 2 * 255).astype(np.uint8)
    picture = Picture(np.repeat(values[..., None], 3, axis=2), mask=Mask(values.copy()))
    for steps in (
        [step("PadIfNeeded", min_height=6 * size, min_width=6 * size, border_mode=mode),
         step("Resize", height=3 * size, width=3 * size)],
        [step("Affine", scale=[0.3, 0.3], border_mode=mode, fill=0)],
        [step("Affine", scale=[0.25, 0.25], rotate=[20, 20], border_mode=mode)],
    ):  # fmt: skip
        found = made(steps, picture, True)
        assert found.mask
        sure = np.abs(found.pixels[..., 0].astype(int) - 127) > 110
        assert sure.mean() > 0.1
        assert np.mean((found.pixels[..., 0] > 127)[sure] == (found.mask.values > 127)[sure]) > 0.98


def test_what_a_tone_cuts_off_is_cut_off_before_pixels_are_averaged() -> None:
    """Black text on white stays to be read, as no step is moved to where it would do something else."""
    page = np.full((320, 320, 3), 255, np.uint8)
    for row in range(20, 320, 24):
        cv2.putText(page, "one warp, one table", (4, row), cv2.FONT_HERSHEY_PLAIN, 1, (0, 0, 0))
    light = step("RandomBrightnessContrast", brightness_limit=[0.4, 0.4], contrast_limit=[0, 0])
    steps = [light, step("Resize", height=80, width=80, interpolation="area")]
    fused, stepped = (made(steps, Picture(page), fuse).pixels.astype(float) for fuse in (True, False))
    assert abs(fused.mean() - stepped.mean()) < 1 and fused.min() < 220
    assert (
        off([step("Resize", height=160, width=160), step("Posterize", num_bits=4), step("Affine", scale=1.6)], page) < 9
    )


def test_posterized_levels_are_mixed_where_they_are_interpolated() -> None:
    steps = [step("Resize", height=240, width=300), step("Posterize", num_bits=4), step("Affine", scale=[1.6, 1.6])]
    source = photo(8, 300, 240)
    fused, stepped = (len(np.unique(made(steps, Picture(source), fuse).pixels)) for fuse in (True, False))
    assert fused > 0.8 * stepped > 50


@pytest.mark.parametrize("other", ["GaussNoise", "Sharpen"])
def test_what_shrinks_is_averaged_whatever_kernel_came_before(other: str) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (232, 232, 3), np.uint8)
    steps = [Step(other, {"std_range": [0.001, 0.001]} if other == "GaussNoise" else {"alpha": [0, 0]}, 1.0)]
    shrunk = made([*steps, step("Resize", height=80, width=80)], Picture(noise), True).pixels.astype(float)
    averaged = cv2.resize(noise, (80, 80), interpolation=cv2.INTER_AREA).astype(float)
    assert np.sqrt(np.square(shrunk - averaged).mean()) < 15 and shrunk.std() < 40


def test_a_border_around_an_odd_picture_begins_where_it_ends() -> None:
    """Halves of odd pictures are half a pixel larger; what is white of them is not."""
    for steps, white in (
        (
            [step("PadIfNeeded", min_height=93, min_width=93), step("Resize", height=20, width=20)],
            33 * 33 * (20 / 93) ** 2,
        ),
        ([step("Affine", scale=[0.15, 0.15], rotate=[20, 20])], 33 * 33 * 0.15**2),
    ):
        shown = made(steps, Picture(np.full((33, 33, 3), 255, np.uint8)), True).pixels
        assert shown[..., 0].sum() / 255 == pytest.approx(white, rel=0.02)


def test_softened_planes_do_not_pile_up() -> None:
    source = Picture(photo(2, 600, 400))
    for steps in ([step("Affine", scale={"x": [0.3, 1], "y": [0.3, 1]})], [step("RandomResizedCrop", size=[100, 100])]):
        pipeline = Pipeline(steps)
        for copy in range(100):
            pipeline(source, partial(Rng().at, 0, "a.png", copy))
        levels = pipeline._levels
        held = sum(plane.nbytes for plane in (*levels.planes[1:], *levels._soft.values()))
        assert held < 8 * source.pixels.nbytes


def test_many_borders_are_put_around_their_own_canvas() -> None:
    """Each in its colour; what none of them hides is where it would be after one step at a time."""
    steps = [
        step("Rotate", limit=[30, 30], fill=(200, 0, 0)),
        step("CenterCrop", height=110, width=120),
        step("Affine", scale=[0.8, 0.8], fill=(0, 200, 0)),
        step("Rotate", limit=[20, 20], fill=(0, 0, 200)),
        step("Affine", translate_px={"x": [9, 9], "y": [4, 4]}, fill=(200, 200, 0)),
    ]
    source = np.full((110, 150, 3), 255, np.uint8)
    fused, stepped = (made(steps, Picture(source), fuse).pixels for fuse in (True, False))
    for colour in ((255, 255, 255), (200, 0, 0), (0, 200, 0), (0, 0, 200), (200, 200, 0)):
        ours, theirs = ((pixels == colour).all(axis=2).sum() for pixels in (fused, stepped))
        assert theirs > 50 and ours == pytest.approx(theirs, rel=0.2), colour  # thin ones gain most
    assert off(steps, source) < 0.6 * off(steps, source, fuse=False)


@pytest.mark.parametrize("mode", ["wrap", "reflect", "reflect_101", "replicate"])
def test_repeated_pixels_are_repeated_before_they_are_averaged(mode: str) -> None:
    for scale in (0.25, 0.15, 0.1):
        steps = [step("Affine", scale=[scale, scale], rotate=[20, 20], border_mode=mode)]
        picture = Picture(photo(0), mask=Mask((photo(0)[..., 1] > 110).astype(np.uint8)))
        fused, stepped = made(steps, picture, True), made(steps, picture, False)
        assert np.abs(fused.pixels.astype(int) - cv2.GaussianBlur(stepped.pixels, (5, 5), 0)).mean() < 25
        assert fused.mask and stepped.mask and np.array_equal(fused.mask.values, stepped.mask.values)
        assert off(steps, photo(0)) < 1.1 * off(steps, photo(0), fuse=False)


@pytest.mark.parametrize("paces", [(2.8, 2.8), (3.2, 2.6), (2.4, 3.3)])
def test_what_shrinks_three_times_is_averaged_over_all_of_it(paces: tuple[float, float]) -> None:
    """Against 81 samples in each new pixel."""
    source, size, finer = photo(3, 480, 480), 120, 9
    turn = np.array([[0.98, -0.17], [0.17, 0.98]]) * paces
    back = np.eye(3)
    back[:2, :2], back[:2, 2] = turn, 240 - turn @ (size / 2, size / 2)
    course = Course.of(480, 480).joined("Affine", Matrix(rows_of(np.linalg.inv(back)), size, size), Border(), 1)
    assert course is not None
    places = (back @ np.diag([1 / finer, 1 / finer, 1]))[:2]
    places[:, 2] += places[:, :2] @ (0.5, 0.5) - 0.5
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    fine = cv2.warpAffine(source.astype(np.float32), places, (size * finer, size * finer), flags=flags)
    wanted = cv2.resize(fine, (size, size), interpolation=cv2.INTER_AREA)
    assert np.sqrt(np.square(course.picture(Picture(source), 0).pixels - wanted).mean()) < 0.6


def test_borders_that_share_an_edge_are_mixed_once() -> None:
    """Padded above and below, then turned: left and right the edge of the picture is that of the canvas."""
    white = np.full((110, 150, 3), 255, np.uint8)
    for steps in (
        [step("PadIfNeeded", min_height=150, min_width=150), step("Rotate", limit=[10, 10], fill=0)],
        [step("LongestMaxSize", max_size=128), step("PadIfNeeded", min_height=128, min_width=128), step("Rotate")],
    ):
        for source in (white, photo(0)):
            assert off(steps, source) < 2


@pytest.mark.parametrize("before", ["crop", "enlarge"])
def test_what_lies_behind_the_horizon_of_a_perspective_is_cut_off_before(before: str) -> None:
    """Outside a crop, where step by step nothing is any more, it would be torn over the whole picture."""
    steps = [
        [step("Resize", height=900, width=1200), step("RandomCrop", height=224, width=224)]
        if before == "crop"
        else [step("Affine", scale=[3, 3])]
    ][0] + [step("Perspective", scale=[0.1, 0.2])]
    source = Picture(photo(0, 640, 480), annotations=things(5, 640, 480))
    for copy in range(80):
        fused, stepped = (numbers(made(steps, source, fuse, copy)) for fuse in (True, False))
        assert [label for label, _ in fused] == [label for label, _ in stepped]
        for (_, ours), (_, theirs) in zip(fused, stepped, strict=True):
            assert len(ours) == len(theirs) and np.allclose(ours, theirs, atol=2e-2)


@pytest.mark.parametrize("source", [photo(1), photo(1)[..., 0], photo(1).astype(np.uint16) * 257])
def test_one_number_fills_all_channels(source: np.ndarray) -> None:
    steps = [step("Perspective", scale=[0.1, 0.2], fit_output=True, keep_size=False, fill=255)]
    for fuse in (True, False):
        pixels = made(steps, Picture(np.ascontiguousarray(source)), fuse).pixels
        assert pixels[0, 0].min() == np.iinfo(source.dtype).max or pixels[-1, -1].min() == np.iinfo(source.dtype).max


def test_masks_go_under_the_same_borders() -> None:
    steps = [
        step("RandomResizedCrop", size=[90, 90], scale=[0.4, 0.6]),
        step("Rotate", limit=[40, 40], fill=0, fill_mask=9),
    ]
    mask = Mask(np.full((110, 150), 3, np.uint8))
    picture = Picture(np.full((110, 150, 3), 255, np.uint8), alpha=np.full((110, 150), 255, np.uint8), mask=mask)
    found = made(steps, picture, True)
    assert found.mask and found.alpha is not None
    sure = (found.pixels[..., 0] == 0) | (found.pixels[..., 0] == 255)
    assert sure.mean() > 0.9 and 0.1 < (found.mask.values == 9).mean() < 0.4
    assert np.array_equal((found.mask.values == 9)[sure], (found.pixels[..., 0] == 0)[sure])
    assert np.array_equal(found.alpha, found.pixels[..., 0])


def test_nothing_is_painted_into_the_source() -> None:
    """Whole pixels in other places may be a part of the picture, and a border must not be put around them there."""
    planes = [photo(9), *(photo(seed)[..., 0].copy() for seed in (10, 11, 12))]
    before = [plane.copy() for plane in planes]
    picture = Picture(planes[0], alpha=planes[1], mask=Mask(planes[2]), instances=Mask(planes[3]))
    steps = [
        step("Pad", padding=10),
        step("CenterCrop", height=60, width=60),
        step("Pad", padding=5, fill=7),
        step("Pad", padding=3, fill=9),
    ]
    fused, stepped = made(steps, picture, True), made(steps, picture, False)
    assert all(np.array_equal(old, new) for old, new in zip(before, planes, strict=True))
    for name in ("pixels", "alpha"):
        assert np.array_equal(getattr(fused, name), getattr(stepped, name))
    assert fused.mask and stepped.mask and np.array_equal(fused.mask.values, stepped.mask.values)
    assert fused.instances and stepped.instances and np.array_equal(fused.instances.values, stepped.instances.values)


def test_what_is_hidden_is_filled_to_the_pixel() -> None:
    """Against the share of each pixel that lies within all four edges, for canvases anywhere."""
    rng = np.random.default_rng(0)
    done = 0
    for number in range(600):
        width, height, columns, rows = rng.integers(1, 90, 4).tolist()
        values = np.eye(3)
        values[:2, :2] = rng.normal(size=(2, 2)) * rng.choice([0.3, 1, 3])
        values[:2, 2] = (columns / 2, rows / 2) - values[:2, :2] @ (width / 2, height / 2) + rng.normal(size=2) * 20
        values[2, :2] = rng.normal(size=2) * 0.2 / max(width, height) * (number % 3 == 0)
        depths = values[2] @ [[0, width, width, 0], [0, 0, height, height], [1, 1, 1, 1]]
        if abs(np.linalg.det(values[:2, :2])) < 0.02 or depths.min() < 0.05:
            continue
        veil, nearest = Veil(Matrix(SAME, width, height), rows_of(values), Border()), bool(number % 2)
        plane, fill = rng.integers(0, 256, (rows, columns, 3), np.uint8), np.array([10.0, 200, 50])
        places = (np.mgrid[: 16 * rows, : 16 * columns] + 0.5) / 16
        y, x = np.mgrid[:rows, :columns] + 0.5 if nearest else places
        within = np.min([a * x + b * y + c for a, b, c in veil.edges()], axis=0) >= 0
        share = within if nearest else within.reshape(rows, 16, columns, 16).mean(axis=(1, 3))
        expected = plane * share[..., None] + fill * (1 - share[..., None])
        off = np.abs(veil.over(plane, fill, nearest) - expected).max(axis=2)
        assert off.max() <= (1 if nearest else 64)
        assert (off > 8).sum() <= 40  # at corners, where shares are multiplied
        done += 1
    assert done > 300


def test_a_canvas_of_which_nothing_is_left() -> None:
    steps = [
        step("RandomResizedCrop", size=[30, 30]),
        step("Affine", translate_px={"x": [40, 40], "y": [0, 0]}, fill=7),
        step("Rotate", limit=[10, 10], fill=7),
    ]
    assert (made(steps, Picture(photo(6)), True).pixels == 7).all()


def test_at_most_some_borders_wait() -> None:
    steps = [step("Rotate", limit=[5, 5], fill=90) for _ in range(12)]
    source = Picture(photo(7))
    fused, stepped = (made(steps, source, fuse).pixels.astype(int) for fuse in (True, False))
    assert np.abs(fused - stepped).mean() < 12
    assert Course.of(9, 9).veils == ()
