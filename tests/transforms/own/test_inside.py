from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from augx import geometry, rle
from augx.errors import ImageError
from augx.model import Annotations, Mask, Object, Picture, Step
from augx.seeds import Rng
from augx.transforms.own.inside import Inside, blend, region
from augx.transforms.pipeline import Pipeline

HEIGHT, WIDTH = 40, 60
BLOB = np.zeros((HEIGHT, WIDTH), bool)
BLOB[4:20, 6:30] = True
BLOB[4:10, 20:30] = False
RECTANGLE = np.zeros((HEIGHT, WIDTH), bool)
RECTANGLE[25:35, 30:55] = True
BLOB_BOX = np.zeros((HEIGHT, WIDTH), bool)
BLOB_BOX[4:20, 6:30] = True


def blob(kind: str) -> Object:
    box = (6, 4, 30, 20)
    if kind == "rings":
        return Object("car", box, rings=geometry.mask_rings(BLOB))
    if kind == "rle":
        return Object("car", None, rle=rle.rle_encode(BLOB.astype(np.uint8)))
    return Object("car", None, index=9)


def picture(*things: Object, mask: np.ndarray | None = None) -> Picture:
    instances = Mask(BLOB * np.uint8(9))
    known = Annotations(objects=things)
    return Picture(
        np.zeros((HEIGHT, WIDTH, 3), np.uint8), None, None, known, mask if mask is None else Mask(mask), instances
    )


@pytest.mark.parametrize("kind", ["rings", "rle", "index"])
def test_masks_and_boxes(kind: str) -> None:
    shown = picture(blob(kind), Object("dog", (30, 25, 55, 35)))
    for options, wanted in (
        (Inside(), BLOB | RECTANGLE),
        (Inside(of="box"), BLOB_BOX | RECTANGLE),
        (Inside(classes=["car"]), BLOB),
        (Inside(classes=["car"], of="box"), BLOB_BOX),
        (Inside(classes=["dog"]), RECTANGLE),
        (Inside(classes=["dog"], outside=True), ~RECTANGLE),
        (Inside(classes=["cat"]), np.zeros_like(BLOB)),
        (Inside(classes=["cat"], outside=True), np.ones_like(BLOB)),
    ):
        found = region(shown, options)
        assert found.dtype == np.bool_
        np.testing.assert_array_equal(found, wanted, str(options))


def test_oriented_boxes_are_polygons() -> None:
    corners = geometry.flat([(30, 5), (50, 25), (40, 35), (20, 15)])
    found = region(picture(Object("ship", None, corners=corners)), Inside())
    np.testing.assert_array_equal(found, geometry.rasterise([corners], WIDTH, HEIGHT) != 0)
    assert found.sum() == pytest.approx(400, abs=20)


def test_class_masks() -> None:
    classes = (BLOB * 3 + RECTANGLE * 7).astype(np.uint8)
    classes[0] = 255
    alone = picture(mask=classes)
    for options, wanted in (
        (Inside(classes=[3]), BLOB),
        (Inside(classes=[3, 7]), BLOB | RECTANGLE),
        (Inside(classes=[7], outside=True), ~RECTANGLE),
        (Inside(), classes != 0),
        (Inside(classes=["3"]), np.zeros_like(BLOB)),  # a name, and no object has it
    ):
        np.testing.assert_array_equal(region(alone, options), wanted, str(options))
    both = picture(Object("dog", (30, 25, 55, 35)), mask=classes)
    np.testing.assert_array_equal(region(both, Inside()), RECTANGLE)
    np.testing.assert_array_equal(region(both, Inside(classes=["dog", 3])), BLOB | RECTANGLE)
    numbered = picture(Object("3", (30, 25, 55, 35)))
    np.testing.assert_array_equal(region(numbered, Inside(classes=[3])), RECTANGLE)


def test_class_masks_of_colours() -> None:
    coloured = picture(mask=np.stack([BLOB * np.uint8(200)] * 3, axis=2))
    np.testing.assert_array_equal(region(coloured, Inside()), BLOB)
    with pytest.raises(ImageError, match="colours, not numbers") as caught:
        region(coloured, Inside(classes=[3]))
    assert caught.value.code == "mask-of-colours"


def test_pictures_without_labels_and_of_one_pixel() -> None:
    plain = Picture(np.zeros((1, 1), np.uint16))
    assert not region(plain, Inside()).any()
    assert region(plain, Inside(outside=True)).all()
    assert region(plain, Inside(outside=True, edge=5)).tolist() == [[1.0]]


def test_soft_edges_are_half_way_on_the_outline_and_end() -> None:
    shown = picture(Object("dog", (30, 25, 55, 35)))
    hard, soft = region(shown, Inside()), region(shown, Inside(edge=1))
    assert soft.dtype == np.float32
    assert (soft[hard] > 0.24).all() and (soft[~hard] < 0.5).all()
    assert soft[30, 29] + soft[30, 30] == pytest.approx(1, abs=1e-3)
    assert soft[30, 40] == pytest.approx(1, abs=1e-6) and soft[10, 10] == 0
    np.testing.assert_allclose(region(shown, Inside(edge=1, outside=True)), 1 - soft, atol=1e-6)


@pytest.mark.parametrize("deep", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [(), (3,)])
@given(seed=st.integers(0, 2**32 - 1))
def test_blend(deep: type, channels: tuple[int, ...], seed: int) -> None:
    rng, most = np.random.default_rng(seed), np.iinfo(deep).max
    before, after = rng.integers(0, most, (2, 6, 5, *channels), deep, endpoint=True)
    was = before.copy()
    share = rng.random((6, 5)).astype(np.float32)
    share[0], share[1] = 0, 1
    mixed = blend(before, after, share)
    np.testing.assert_array_equal(mixed[0], before[0])
    np.testing.assert_array_equal(mixed[1], after[1])
    exact = before + (after.astype(float) - before) * share.reshape(6, 5, *[1 for _ in channels])
    assert np.abs(mixed - exact).max() <= most / 512 + 0.5
    hard = blend(before, after, share > 0.5)
    wanted = np.where((share > 0.5).reshape(6, 5, *[1 for _ in channels]), after, before)
    np.testing.assert_array_equal(hard, wanted)
    assert mixed.dtype == hard.dtype == deep and mixed.flags.c_contiguous
    np.testing.assert_array_equal(before, was)


def test_a_class_mask_is_blanked_inside_only() -> None:
    pixels = np.arange(40 * 30 * 3, dtype=np.uint32).reshape(30, 40, 3).astype(np.uint8)
    box = Object("car", box=(5.0, 5.0, 15.0, 15.0))
    before = Picture(
        pixels, annotations=Annotations(objects=(box,), mask="m"), mask=Mask(np.full((30, 40), 2, np.uint8))
    )
    erase = Step("cutout", {"size": 25, "fill": 0, "fill_mask": 0}, 1.0)
    pipeline, rng = Pipeline([Step("inside", {"of": "box"}, 1.0, (erase,))]), Rng()
    after, _, _ = pipeline(before, lambda step: rng.at(1, "a", 1, step))
    assert after.mask is not None
    changed = (after.pixels != pixels).any(axis=2)
    assert changed.any() and ((after.mask.values == 0) >= changed).all()
    assert not (after.mask.values[:, 15:] == 0).any() and not (after.mask.values[15:] == 0).any()
