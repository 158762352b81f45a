"""Labelled pictures in other frames, on top of and below others."""

from __future__ import annotations

from array import array

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mixes import RULES, held, inside, moved, run_lengths, scene, union

from augx.errors import ImageError
from augx.geometry import flat, pairs, rectangle, ring_area, shape_box
from augx.model import Annotations, LabelOptions, Mask, Object, Picture
from augx.transforms.own.base import Rules
from augx.transforms.own.frames import cover, covering, part, placed, renumbered
from augx.transforms.own.layers import distinct, joined, unnumbered, weighted
from augx.transforms.own.occlusion import hidden


def ramp(width: int, height: int) -> Picture:
    """Levels that tell where in the picture, in 1/64 pixels, a pixel's centre is: x, y."""
    x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    return Picture(np.rint(np.stack([x, y, 0 * x], axis=-1) * 64).astype(np.uint16))


def test_the_same_place_is_the_very_picture() -> None:
    picture = scene(0)
    assert cover(picture, 120, 90, RULES)[0] is picture
    assert part(picture, 0, 0, 120, 90, RULES)[0] is picture


@pytest.mark.parametrize("x, y", [(-10, -5), (7, 3), (-10, 4)])
def test_whole_pixels_are_copied(x: int, y: int) -> None:
    picture = scene(0)
    matrix = [[1, 0, x], [0, 1, y]]
    after, lost = placed(picture, matrix, 110, 80, RULES, fill=(1, 2, 3))
    wanted = np.full((80, 110, 3), (1, 2, 3), np.uint8)
    x0, y0, x1, y1 = max(x, 0), max(y, 0), min(110, x + 120), min(80, y + 90)
    wanted[y0:y1, x0:x1] = picture.pixels[y0 - y : y1 - y, x0 - x : x1 - x]
    assert (after.pixels == wanted).all()
    held(after, lost, [moved(picture, lambda one: placed(one, matrix, 110, 80, RULES)[0])])
    assert after.mask is not None and after.mask.values[0, 0] == (9 if x > 0 or y > 0 else 0)


@given(
    scale=st.tuples(st.floats(0.2, 4), st.floats(0.2, 4)),
    shift=st.tuples(st.floats(-60, 60), st.floats(-60, 60)),
    turn=st.floats(-3, 3),
)
@settings(max_examples=60)
def test_pixels_are_where_the_matrix_says(scale: tuple[float, float], shift: tuple[float, float], turn: float) -> None:
    """Levels tell which place of the source a pixel shows: within half of the larger pixel of the two."""
    picture = ramp(90, 70)
    for angle in (0.0, turn):
        cos, sin = np.cos(angle), np.sin(angle)
        matrix = np.eye(3)
        matrix[:2, :2] = np.array([[cos, -sin], [sin, cos]]) @ np.diag(scale)
        matrix[:2, 2] = shift
        after, _ = placed(picture, matrix, 100, 80, RULES)
        x, y = np.meshgrid(np.arange(100) + 0.5, np.arange(80) + 0.5)
        source = np.linalg.solve(matrix, np.stack([x.ravel(), y.ravel(), np.ones(x.size)]))[:2]
        margin = 1 + 1.5 / np.array(scale)[:, None]
        within = ((source > margin) & (source < np.array([[90], [70]]) - margin)).all(axis=0)
        shown = after.pixels[..., :2].reshape(-1, 2).T / 64
        off = np.abs(shown - source)[:, within] * np.array(scale)[:, None]  # in new pixels
        assert off.max(initial=0) < 0.25
        far = ((source < -0.01) | (source > np.array([[90.01], [70.01]]))).any(axis=0)
        assert (after.pixels.reshape(-1, 3)[far] == 0).all()


@pytest.mark.parametrize("size", [(60, 45), (200, 90), (90, 200), (37, 53), (130, 120)])
@pytest.mark.parametrize("u, v", [(0.5, 0.5), (0.0, 1.0), (0.83, 0.21)])
def test_cover_carries_labels(size: tuple[int, int], u: float, v: float) -> None:
    for third in ("box", "obb", "instance"):
        source = scene(0, third)
        picture, lost = cover(source, *size, RULES, u, v)
        assert (picture.width, picture.height) == size and picture.annotations.size == size
        held(picture, lost, [moved(source, lambda one: cover(one, *size, RULES, u, v)[0])])


def test_covering_reaches_all_edges_without_distortion() -> None:
    picture = ramp(90, 70)
    for size in ((90, 70), (45, 35), (200, 30), (30, 200), (1, 1), (89, 70)):
        for u, v in ((0, 0), (1, 1), (0.4, 0.7)):
            for zoom in (1.0, 1.7):
                matrix = covering(picture, *size, u, v, zoom)
                corners = matrix @ np.array([[0, 90], [0, 70], [1, 1]])
                assert (corners[:2, 0] <= 0).all() and (corners[:2, 1] >= np.subtract(size, 1e-9)).all()
                wide, high = corners[:2, 1] - corners[:2, 0]
                assert abs(wide - 90 * high / 70) <= 1.3
    assert (covering(picture, 90, 70) == np.eye(3)).all()


def test_a_turned_picture_keeps_its_labels() -> None:
    count = 0
    for angle in (0.4, -1.2, 2.5):
        cos, sin = np.cos(angle), np.sin(angle)
        matrix = np.array([[cos, -sin, 60], [sin, cos, 70]]) * 1.1
        for third in ("box", "obb", "quad", "instance"):
            source = scene(0, third)
            picture, lost = placed(source, matrix, 180, 190, RULES)
            view = moved(source, lambda one: placed(one, matrix, 180, 190, RULES)[0])  # noqa: B023
            count += held(picture, lost, [view])
    assert count > 24


def test_a_window_cuts_pixels_and_labels() -> None:
    source = scene(0)
    window = (20, 10, 70, 60)
    picture, lost = placed(source, np.eye(3), 120, 90, RULES, fill=0, window=window)
    wanted = np.zeros_like(source.pixels)
    wanted[10:60, 20:70] = source.pixels[10:60, 20:70]
    assert (picture.pixels == wanted).all()
    held(picture, lost, [moved(source, lambda one: placed(one, np.eye(3), 120, 90, RULES, window=window)[0])])


def test_extremely_long_pictures_take_little_memory() -> None:
    picture = Picture(np.arange(30_000, dtype=np.uint16)[None])
    covered, _ = cover(picture, 200, 200, RULES)
    assert covered.pixels.shape == (200, 200)
    assert abs(int(covered.pixels.astype(int).mean()) - 15_000) < 2


def test_fine_patterns_do_not_flicker_when_shrunk() -> None:
    stripes = Picture(np.tile(np.array([0, 255], np.uint8), (128, 64)))
    for size in ((30, 30), (17, 29)):
        small, _ = cover(stripes, *size, RULES)
        assert np.abs(small.pixels.astype(int) - 127).max() < 40


# What lies below


def below(thing: Object, region: object, rules: Rules = RULES, instances: Mask | None = None) -> object:
    picture = Picture(np.zeros((60, 80), np.uint8), annotations=Annotations(objects=(thing,)), instances=instances)
    after, lost = hidden(picture, region, rules)  # type: ignore[arg-type]
    return lost[0] if lost else after.annotations.objects[0]


corner = st.tuples(st.integers(0, 80), st.integers(0, 60))
place = st.tuples(st.floats(0, 80), st.floats(0, 60))


@given(points=st.lists(place, min_size=3, max_size=8), one=corner, other=corner)
@settings(max_examples=150)
def test_a_ring_less_a_rectangle_is_exact(
    points: list[tuple[float, float]], one: tuple[int, int], other: tuple[int, int]
) -> None:
    """Of convex rings: area and pixels are those of the ring less those under the rectangle."""
    ring = cv2.convexHull(np.array(points, np.float32)).reshape(-1, 2).astype(float)
    x0, x1 = sorted((one[0], other[0]))
    y0, y1 = sorted((one[1], other[1]))
    if ring_area(ring) < 30:
        return
    thing = below(Object("a", rings=(flat(ring),)), (x0, y0, x1, y1))
    cut = inside(ring, 80, 60)
    cut[y0:y1, x0:x1] = False
    if not isinstance(thing, Object):
        assert cut.sum() <= 3
        return
    assert (union(thing.rings, 80, 60) ^ cut).sum() <= 2
    fine = inside(ring, 80, 60, 8)
    fine[y0 * 8 : y1 * 8, x0 * 8 : x1 * 8] = False
    assert sum(map(ring_area, thing.rings)) == pytest.approx(fine.sum() / 64, abs=4)


def test_a_ring_nothing_lies_on_stays_the_very_ring() -> None:
    ring = array("d", (10.123456, 10, 30, 12, 20, 40))
    thing = Object("a", (10, 10, 30, 40), (ring,))
    for region in ((40, 0, 80, 60), (0, 0, 10, 60), (28, 30, 40, 50)):
        after = below(thing, region)
        assert isinstance(after, Object) and after.rings == thing.rings
    plane = np.zeros((60, 80), bool)
    plane[30:50, 29:40] = True
    assert below(thing, plane) is thing


def test_pixels_below_a_blot() -> None:
    x, y = np.meshgrid(np.arange(80) + 0.5, np.arange(60) + 0.5)
    blot = (x - 40) ** 2 + (y - 30) ** 2 < 15**2
    shape = inside(np.array([(10, 10), (60, 10), (60, 40), (10, 40)], float), 80, 60)
    left = shape & ~blot
    ring = below(Object("a", rings=(flat([(10, 10), (60, 10), (60, 40), (10, 40)]),)), blot)
    assert isinstance(ring, Object) and (union(ring.rings, 80, 60) == left).all() and ring.box == (10, 10, 60, 40)
    mask = below(Object("a", rle=run_lengths(shape)), blot)
    assert isinstance(mask, Object) and mask.rle == run_lengths(left)
    numbered = below(Object("a", index=1), blot, instances=Mask(shape.astype(np.uint8)))
    assert isinstance(numbered, Object) and numbered.box == (10, 10, 60, 40)
    around = below(Object("a", (25.5, 15.5, 54.5, 44.5)), blot)
    assert isinstance(around, Object) and around.box == (25.5, 15.5, 54.5, 44.5)
    inner = below(Object("a", (33, 24, 70.5, 36)), blot)
    assert isinstance(inner, Object) and inner.box == pytest.approx((51, 24, 70.5, 36), abs=3)
    gone = below(Object("a", (35, 25, 45, 35)), blot)
    assert not isinstance(gone, Object) and (gone.reason, gone.visibility) == ("hidden", 0)  # type: ignore[attr-defined]


def test_an_oriented_box_keeps_its_angle_and_order() -> None:
    corners = pairs([20, 10, 60, 30, 50, 50, 10, 30])
    thing = below(Object("a", corners=flat(corners)), (40, 0, 80, 60))
    assert isinstance(thing, Object) and thing.corners is not None
    after = pairs(thing.corners)
    assert after[0].tolist() == [20, 10] and after[3].tolist() == [10, 30]
    along = after[1] - after[0]
    assert along[0] / along[1] == pytest.approx(2, abs=1e-3)
    assert after[1][0] + 5 > 34 and after[2][0] < 50
    far = (np.array([(40, 20), (40, 45)]) - after[0]) @ along / (along @ along)  # the lowest point left is on its side
    assert far.max() == pytest.approx(1, abs=1e-3)
    assert below(Object("a", corners=flat(corners)), (0, 0, 5, 5)) == Object("a", corners=flat(corners))


def test_keypoints_alone() -> None:
    thing = Object("a", keypoints=array("d", (10, 10, 2, 30, 30, 2, 0, 0, 0)))
    after = below(thing, (25, 25, 40, 40))
    assert isinstance(after, Object) and list(after.keypoints or ()) == [10, 10, 2, 30, 30, 1, 0, 0, 0]
    gone = below(thing, (0, 0, 40, 40))
    assert not isinstance(gone, Object) and gone.reason == "hidden"  # type: ignore[attr-defined]


def test_small_rests_are_dropped_as_the_recipe_says() -> None:
    thing, region = Object("a", (10, 10, 30, 30)), (10, 10, 28, 30)
    for options, reason in (
        (LabelOptions(min_visibility=0.2), "min_visibility"),
        (LabelOptions(min_area=50), "min_area"),
        (LabelOptions(min_size=3), "min_size"),
    ):
        lost = below(thing, region, Rules(options, {}))
        assert (lost.reason, lost.visibility) == (reason, pytest.approx(0.1))  # type: ignore[attr-defined]
    assert below(thing, region).box == (28, 10, 30, 30)  # type: ignore[attr-defined]


def test_numbers_of_lost_instances_go() -> None:
    values = np.zeros((60, 80), np.uint8)
    values[5:10, 5:10], values[20:40, 20:40], values[50:55, 50:55] = 1, 2, 255
    things = (Object("a", index=1), Object("b", index=2))
    picture = Picture(values, annotations=Annotations(objects=things), instances=Mask(values))
    after, lost = hidden(picture, (0, 0, 10, 10), RULES)
    assert [(one.label, one.index) for one in after.annotations.objects] == [("b", 1)] and lost[0].label == "a"
    assert after.instances is not None
    assert (after.instances.values[20:40, 20:40] == 1).all() and after.instances.values[52, 52] == 255


# What lies on top


def test_instances_are_numbered_apart_and_void_stays() -> None:
    values = np.zeros((60, 80), np.uint8)
    values[:5], values[5:10], values[20:] = 1, 2, 255
    known = Annotations(objects=(Object("a", index=1), Object("b", index=2)))
    picture = Picture(values, annotations=known, instances=Mask(values, b"\0" * 768))
    numbers = [[thing.index for thing in one.annotations.objects] for one in distinct([picture] * 3)]
    assert numbers == [[1, 2], [3, 4], [5, 6]]
    both = joined([picture, picture], [(40, 0, 80, 60)], {}, RULES)
    assert both.instances is not None and both.instances.palette is not None
    assert both.instances.values[0, [0, 50]].tolist() == [1, 3] and both.instances.values[30, 50] == 255
    many = distinct([picture] * 160)[-1]
    assert many.instances is not None and many.instances.values.dtype == np.uint16 and many.instances.palette is None
    assert many.annotations.objects[1].index == 321
    deep = joined([picture] * 160, [(0, 0, 1, 1)] * 158 + [(40, 0, 80, 60)], {}, RULES)
    assert deep.instances is not None and deep.instances.values[7, 50] == 321


def test_instances_that_are_no_objects_are_numbered_apart_too() -> None:
    values = np.zeros((60, 80), np.uint8)
    values[:5], values[5:10], values[20:] = 1, 4, 255
    picture = Picture(values, instances=Mask(values))
    both = joined([picture, picture], [(40, 0, 80, 60)], {}, RULES)
    assert both.instances is not None
    assert both.instances.values[:, 0].tolist() == values[:, 0].tolist()
    assert both.instances.values[[0, 7, 15, 30], 50].tolist() == [5, 6, 0, 255]


def test_a_picture_without_numbers_gets_none() -> None:
    numbers = Mask(np.pad(np.full((10, 20), 3, np.uint8), 5))
    known = Annotations(objects=(Object("a", index=3), Object("b", (1, 1, 2, 2))))
    picture = Picture(numbers.values, annotations=known, instances=numbers)
    bare = unnumbered(picture)
    assert [thing.box for thing in bare.annotations.objects] == [(5, 5, 25, 15), (1, 1, 2, 2)]
    assert bare.instances is None and all(thing.index is None for thing in bare.annotations.objects)


def test_masks_of_two_kinds_cannot_be_joined() -> None:
    pixels = np.zeros((6, 8), np.uint8)
    numbers, colours = (Picture(pixels, mask=Mask(np.zeros((6, 8, *more), np.uint8))) for more in ((), (3,)))
    with pytest.raises(ImageError, match="of different kinds") as caught:
        joined([numbers, colours], [(0, 0, 3, 3)], {}, RULES)
    assert caught.value.code == "masks-differ"
    lacking = joined([numbers, Picture(pixels)], [(0, 0, 3, 3)], {}, RULES)
    assert lacking.mask is not None and lacking.mask.values.sum() == 9 * 9


def test_weights_sum_to_one() -> None:
    pictures = [Picture(np.zeros((1, 1), np.uint8), annotations=Annotations(labels={f"c{i}": 1.0})) for i in range(9)]
    shares = np.random.default_rng(0).dirichlet(np.ones(9))
    weights = weighted(pictures, shares.tolist())
    assert sum(weights.values()) == pytest.approx(1, abs=1e-12)
    assert all(round(weight, 9) == weight for weight in weights.values())
    assert weighted(pictures[:2], [1.0, 0.0]) == {"c0": 1.0}


def test_renumbered_leaves_what_has_no_new_number() -> None:
    mask = Mask(np.array([[0, 1, 2, 255]], np.uint8), b"p")
    assert renumbered(mask, {1: 1}) is mask
    assert renumbered(mask, {1: -1, 2: 1}).values.tolist() == [[0, 0, 1, 255]]
    assert renumbered(mask, {2: 300}).values.tolist() == [[0, 1, 300, 255]]


def test_rectangle_of_a_box_is_what_boxes_lose() -> None:
    """A box and the polygon of the same rectangle close around the same rest."""
    rng = np.random.default_rng(3)
    for _ in range(60):
        x0, y0 = rng.uniform(0, (50, 30))
        box = tuple(map(float, (x0, y0, x0 + rng.uniform(5, 30), y0 + rng.uniform(5, 30))))
        left, top = rng.integers(0, (60, 40)).tolist()
        region = (left, top, left + int(rng.integers(5, 20)), top + int(rng.integers(5, 20)))
        one = below(Object("a", box), region)
        other = below(Object("a", rings=(rectangle(box),)), region)
        if isinstance(one, Object) and isinstance(other, Object):
            assert one.box == pytest.approx(shape_box(other), abs=0.51)  # where no centre lies, polygons end
        else:
            assert not isinstance(one, Object)


def test_extra_and_box_of_what_is_whole_stay() -> None:
    thing = Object("a", (10, 10, 30, 30), extra={"difficult": 1})
    picture = Picture(np.zeros((60, 80), np.uint8), annotations=Annotations(objects=(thing,)))
    after, _ = hidden(picture, (40, 40, 80, 60), RULES)
    assert after.annotations.objects[0] is thing
    assert after.pixels is picture.pixels and after.alpha is after.mask is after.instances is None


@pytest.mark.parametrize("region", [(40, 0, 80, 60), (0, 36, 80, 60), (30, 20, 50, 60)])
def test_an_oriented_box_without_right_angles_keeps_all_that_is_left(region: tuple[int, int, int, int]) -> None:
    corners = np.array([(15.0, 10), (45, 14), (70, 50), (12, 40)])
    thing = below(Object("a", corners=flat(corners)), region)
    assert isinstance(thing, Object) and thing.corners is not None
    left = inside(corners, 80, 60)
    left[region[1] : region[3], region[0] : region[2]] = False
    after = pairs(thing.corners)
    assert not (left & ~inside(after, 80, 60)).any()
    assert (after[1] - after[0]) @ [-4, 30] == pytest.approx(0, abs=0.1)  # as its first side lay
