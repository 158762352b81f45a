"""Flat-coloured objects on plain pictures: what is labelled must be where its colour is."""

from __future__ import annotations

from array import array
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest
from mixes import fitting, places, scene, view

from augx import geometry, rle
from augx.model import Annotations, Dropped, LabelOptions, Mask, Object, Picture
from augx.objects import faults, to_row
from augx.seeds import Rng
from augx.transforms.own.base import Rules
from augx.transforms.own.copy_paste import CopyPaste

WIDTH, HEIGHT = 96, 72
RULES = Rules(LabelOptions(), {}, outside=255)
EXACT: dict[str, Any] = {"scale_range": [1, 1], "flip": False, "blend_sigma": 0}
KINDS = ("rings", "rle", "index", "corners", "box")


def blob(x: int, y: int, wide: int, high: int, width: int = WIDTH, height: int = HEIGHT) -> np.ndarray:
    """(H, W) bool: a rectangle without its upper right quarter."""
    plane = np.zeros((height, width), bool)
    plane[y : y + high, x : x + wide] = True
    plane[y : y + high // 2, x + wide // 2 : x + wide] = False
    return plane


def solid(x: int, y: int, wide: int, high: int) -> np.ndarray:
    plane = np.zeros((HEIGHT, WIDTH), bool)
    plane[y : y + high, x : x + wide] = True
    return plane


def extent(plane: np.ndarray) -> tuple[float, float, float, float]:
    ys, xs = np.nonzero(plane)
    return float(xs.min()), float(ys.min()), float(xs.max() + 1), float(ys.max() + 1)


def labelled(kind: str, plane: np.ndarray, label: str, index: int | None = None) -> Object:
    box = extent(plane)
    parts: dict[str, Any] = {
        "rings": {"rings": geometry.mask_rings(plane)},
        "rle": {"rle": rle.rle_encode(plane.astype(np.uint8))},
        "index": {},
        "corners": {"corners": geometry.rectangle(box)},
        "box": {},
    }[kind]
    return Object(label, box, index=index, **parts)


def painted(colours: dict[int, np.ndarray], kind: str, ground: int = 10, numbered: bool = False) -> Picture:
    """Each plane in its colour, which is also its class and, if `numbered`, how its instance is counted."""
    height, width = next(iter(colours.values())).shape if colours else (HEIGHT, WIDTH)
    pixels = np.full((height, width, 3), ground, np.uint8)
    classes, instances = np.zeros((2, height, width), np.uint8)
    things = []
    for number, (colour, plane) in enumerate(colours.items(), 1):
        pixels[plane], classes[plane], instances[plane] = colour, colour, number
        things.append(labelled(kind, plane, str(colour), number if numbered or kind == "index" else None))
    masks = Mask(instances) if numbered or kind == "index" else None
    known = Annotations(labels={"scene": 1.0}, objects=tuple(things))
    return Picture(pixels, None, None, known, Mask(classes), masks)


def pixels_of(thing: Object, picture: Picture) -> np.ndarray:
    """(H, W) bool, by what the label itself says."""
    size = picture.width, picture.height
    if thing.rings:
        return geometry.rasterise(thing.rings, *size) != 0
    if thing.rle is not None:
        return rle.rle_decode(thing.rle) != 0
    if thing.corners is not None:
        return geometry.rasterise([thing.corners], *size) != 0
    if thing.index is not None:
        return picture.instances.values == thing.index
    return geometry.rasterise([geometry.rectangle(thing.box)], *size) != 0


def run(
    transform: CopyPaste, picture: Picture, *others: Picture, seed: int = 0, rules: Rules = RULES
) -> tuple[Picture, tuple[Dropped, ...], dict[str, Any]]:
    params = transform.draw(picture, others, Rng().at(0, str(seed), 1, "0"), rules)
    mixed, dropped = transform.apply(picture, others, params, rules)
    return mixed, dropped, params


def paste(number: int, x: float, y: float, **how: Any) -> dict[str, Any]:
    return {"object": number, "scale": 1.0, "angle": 0.0, "flip": False, "x": x, "y": y, **how}


def colour(picture: Picture, value: int) -> np.ndarray:
    return (picture.pixels == value).all(axis=2)


@pytest.mark.parametrize("kind", KINDS)
def test_labels_are_where_the_colours_are(kind: str) -> None:
    shape = solid if kind in ("corners", "box") else blob
    below = painted({100: shape(10, 8, 40, 30), 120: shape(55, 30, 36, 36)}, kind)
    partner = painted({200: shape(20, 20, 22, 18), 220: shape(50, 40, 30, 24)}, kind, ground=30)
    transform = CopyPaste(objects_range=[2, 2], boxes=True, min_visible=0, **EXACT)
    cut = 0
    for seed in range(12):
        mixed, dropped, params = run(transform, below, partner, seed=seed)
        assert len(mixed.annotations.objects) + len(dropped) == 4
        assert len(params["pastes"]) == 2
        assert not colour(mixed, 30).any()  # nothing of the partner's ground came along
        for thing in mixed.annotations.objects:
            shown = colour(mixed, int(thing.label))
            if kind in ("corners", "box"):  # what is left of a rectangle need not be one
                assert thing.box == extent(shown)
                if kind == "corners":
                    assert geometry.rings_box([thing.corners]) == extent(shown)
            else:
                np.testing.assert_array_equal(pixels_of(thing, mixed), shown)
                assert (thing.box or geometry.shape_box(thing)) == extent(shown)
            np.testing.assert_array_equal(mixed.mask.values[shown], int(thing.label))
            cut += int(shown.sum()) not in (900, 972, 297, 540)
        assert mixed.annotations.labels == {"scene": 1.0}
    assert cut


def test_what_is_hidden_is_cut_exactly() -> None:
    plane, over = blob(10, 10, 40, 40), blob(0, 0, 20, 20)
    for kind in ("rings", "rle", "index"):
        below, partner = painted({100: plane}, kind), painted({200: over}, kind)
        mixed, dropped = CopyPaste(**EXACT).apply(below, [partner], {"pastes": [paste(0, 40, 30)]}, RULES)
        top = np.roll(over, (20, 30), (0, 1))
        first, second = mixed.annotations.objects
        assert not dropped
        np.testing.assert_array_equal(pixels_of(first, mixed), plane & ~top)
        np.testing.assert_array_equal(pixels_of(second, mixed), top)
        np.testing.assert_array_equal(mixed.pixels[..., 0], np.where(top, 200, np.where(plane, 100, 10)))


def test_what_nothing_lies_on_stays_the_very_same() -> None:
    below = painted({100: blob(2, 2, 20, 20)}, "rings")
    mixed, _ = CopyPaste(**EXACT).apply(
        below, [painted({200: blob(0, 0, 10, 10)}, "rings")], {"pastes": [paste(0, 80, 60)]}, RULES
    )
    assert mixed.annotations.objects[0] is below.annotations.objects[0]


def test_too_little_left_is_dropped_and_pasted_objects_are_never_half_labelled() -> None:
    below = painted({100: solid(10, 10, 20, 20)}, "rle")
    partner = painted({200: solid(0, 0, 20, 20), 220: solid(40, 0, 20, 20)}, "rle", ground=30)
    transform = CopyPaste(min_visible=0.3, **EXACT)
    mixed, dropped = transform.apply(below, [partner], {"pastes": [paste(0, 25, 20), paste(1, 60, 60)]}, RULES)
    assert dropped == (Dropped("100", "min_visibility", 0.25),)
    mixed, dropped = transform.apply(below, [partner], {"pastes": [paste(0, 20, 20)]}, RULES)
    assert dropped == (Dropped("100", "hidden", 0.0),)
    # the first paste would be covered by the second: it is not painted at all
    mixed, dropped = transform.apply(below, [partner], {"pastes": [paste(0, 60, 40), paste(1, 64, 44)]}, RULES)
    assert [thing.label for thing in mixed.annotations.objects] == ["100", "200", "220"]
    mixed, dropped = transform.apply(below, [partner], {"pastes": [paste(0, 60, 40), paste(1, 61, 41)]}, RULES)
    assert [one.label for one in dropped] == ["200"]
    assert not colour(mixed, 200).any()
    assert np.unique(mixed.pixels).tolist() == [10, 100, 220]


@pytest.mark.parametrize("kind", ["rings", "rle", "index"])
def test_scaled_and_turned(kind: str) -> None:
    partner = painted({200: blob(20, 16, 40, 32)}, kind, ground=30)
    below = painted({}, kind)
    transform = CopyPaste(scale_range=[0.8, 1.4], rotate_limit=180, blend_sigma=0)
    for seed in range(20):
        mixed, dropped, params = run(transform, below, partner, seed=seed)
        (thing,) = mixed.annotations.objects
        (one,) = params["pastes"]
        labels = pixels_of(thing, mixed)
        # linear interpolation: the colour is mixed with the partner's ground along the outline
        shown = mixed.pixels[..., 0] > 115
        assert not dropped
        assert (labels & shown).sum() / (labels | shown).sum() >= 0.97
        np.testing.assert_allclose(thing.box or extent(labels), extent(shown), atol=1.1)  # half a pixel for the mixing
        assert labels.sum() == pytest.approx(960 * one["scale"] ** 2, rel=0.05)
        np.testing.assert_array_equal(mixed.mask.values == 200, labels & (mixed.mask.values == 200))
        corner = (np.array([[21, 17], [59, 31.5], [21, 47], [59, 47]]) - (40, 32)) * (-1 if one["flip"] else 1, 1)
        turn = np.radians(one["angle"])
        matrix = one["scale"] * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        inner = corner * 0.9 @ matrix.T + (one["x"], one["y"])
        x, y = np.floor(inner[[0, 2, 3]]).astype(int).T
        assert shown[y, x].all()


def test_a_partner_of_another_size_is_scaled_by_area() -> None:
    partner = painted({200: blob(40, 30, 80, 60, 2 * WIDTH, 2 * HEIGHT)}, "rings")
    mixed, _, params = run(CopyPaste(**EXACT), painted({}, "rings"), partner)
    assert params["pastes"][0]["scale"] == 0.5
    assert colour(mixed, 200).sum() == pytest.approx(80 * 60 * 0.75 / 4, rel=0.01)


def test_keypoints() -> None:
    plane = solid(10, 10, 30, 30)
    points = array("d", [12, 12, 2, 38, 38, 2, 20, 20, 1, 0, 0, 0, 60, 60, 2])
    swaps = {"100": (1, 0, 2, 3, 4)}
    below = painted({100: plane}, "rle")
    (thing,) = below.annotations.objects
    known = replace(below.annotations, objects=(replace(thing, keypoints=points),))
    below, partner = replace(below, annotations=known), painted({200: solid(0, 0, 20, 20)}, "rle")
    mixed, _ = CopyPaste(**EXACT).apply(below, [partner], {"pastes": [paste(0, 40, 40)]}, RULES)
    assert mixed.annotations.objects[0].keypoints.tolist() == [12, 12, 2, 38, 38, 1, 20, 20, 1, 0, 0, 0, 60, 60, 2]
    # pasted with its object: what is on none of its pixels is hidden, and beyond the picture it is gone
    mixed, _ = CopyPaste(**EXACT).apply(painted({}, "rle"), [below], {"pastes": [paste(0, 35, 25)]}, RULES)
    assert mixed.annotations.objects[0].keypoints.tolist() == [22, 12, 2, 48, 38, 2, 30, 20, 1, 0, 0, 0, 70, 60, 1]
    mixed, _ = CopyPaste(**EXACT).apply(painted({}, "rle"), [below], {"pastes": [paste(0, 81, 57)]}, RULES)
    assert mixed.annotations.objects[0].keypoints.tolist() == [68, 44, 2, 94, 70, 2, 76, 52, 1, 0, 0, 0, 0, 0, 0]
    # mirrored only when it is known which is which
    mirrored = Rules(LabelOptions(), swaps)
    for rules, some in ((RULES, False), (mirrored, True)):
        flips = [run(CopyPaste(), below, below, seed=seed, rules=rules)[2]["pastes"][0]["flip"] for seed in range(20)]
        assert any(flips) is some
    one = {"pastes": [paste(0, 35, 25, flip=True)]}
    mixed, _ = CopyPaste(**EXACT).apply(painted({}, "rle"), [below], one, mirrored)
    assert mixed.annotations.objects[0].keypoints.tolist()[:6] == [22, 38, 2, 48, 12, 2]


def test_instances_are_counted_on_and_void_stays() -> None:
    below = painted({100: solid(0, 0, 10, 10), 110: solid(20, 0, 10, 10), 120: solid(40, 0, 10, 10)}, "index")
    below.instances.values[70:] = 255
    partner = painted({200: solid(0, 0, 12, 12), 220: solid(40, 40, 5, 5)}, "index")
    pastes = {"pastes": [paste(0, 26, 6), paste(1, 72.5, 52.5)]}
    mixed, dropped = CopyPaste(**EXACT).apply(below, [partner], pastes, RULES)
    assert [one.label for one in dropped] == ["110"]
    assert [(thing.label, thing.index) for thing in mixed.annotations.objects] == [
        ("100", 1), ("120", 2), ("200", 3), ("220", 4),
    ]  # fmt: skip
    for thing in mixed.annotations.objects:
        np.testing.assert_array_equal(mixed.instances.values == thing.index, colour(mixed, int(thing.label)))
    assert np.unique(mixed.instances.values).tolist() == [0, 1, 2, 3, 4, 255]
    assert all(thing.rle is None for thing in mixed.annotations.objects)


def test_polygons_with_numbers_agree_with_the_mask_of_instances() -> None:
    below, partner = (painted({value: blob(10, 8, 40, 30)}, "rings", numbered=True) for value in (100, 200))
    mixed, _ = CopyPaste(**EXACT).apply(below, [partner], {"pastes": [paste(0, 45, 40)]}, RULES)
    for thing in mixed.annotations.objects:
        np.testing.assert_array_equal(mixed.instances.values == thing.index, colour(mixed, int(thing.label)))


def test_a_soft_edge_changes_pixels_at_the_outline_only_and_no_label() -> None:
    below, partner = painted({100: blob(10, 10, 40, 40)}, "rings"), painted({200: blob(20, 10, 40, 40)}, "rings")
    pastes = {"pastes": [paste(0, 50, 40)]}
    hard, _ = CopyPaste(blend_sigma=0).apply(below, [partner], pastes, RULES)
    soft, _ = CopyPaste(blend_sigma=1.5).apply(below, [partner], pastes, RULES)
    assert soft.annotations == hard.annotations
    np.testing.assert_array_equal(soft.mask.values, hard.mask.values)
    inside = pixels_of(hard.annotations.objects[1], hard).astype(np.uint8)
    rim = cv2.dilate(inside, np.ones((13, 13))) != cv2.erode(inside, np.ones((13, 13)))
    np.testing.assert_array_equal(soft.pixels[~rim], hard.pixels[~rim])
    assert (soft.pixels != hard.pixels).any()


def test_the_soft_edge_of_an_object_cut_by_its_own_picture_is_not_black() -> None:
    partner = painted({200: solid(0, 0, 40, 72)}, "rle", ground=200)
    below = painted({}, "rle", ground=200)
    for seed in range(10):
        mixed, _, _ = run(CopyPaste(scale_range=[0.4, 0.6], rotate_limit=40, blend_sigma=2), below, partner, seed=seed)
        assert mixed.pixels.min() == 200


def test_draws() -> None:
    things = {value: solid(x, 4, 8, 8) for value, x in ((101, 2), (102, 20), (103, 40), (104, 60))}
    partner, below = painted(things, "rle"), painted({}, "rle")
    transform = CopyPaste(objects_range=[1, 3], rotate_limit=20)
    drawn = [run(transform, below, partner, seed=seed)[2]["pastes"] for seed in range(200)]
    assert {len(one) for one in drawn} == {1, 2, 3}
    assert {one["object"] for pastes in drawn for one in pastes} == {0, 1, 2, 3}
    assert all(len({one["object"] for one in pastes}) == len(pastes) for pastes in drawn)
    flat = [one for pastes in drawn for one in pastes]
    assert all(0.7 <= one["scale"] <= 1.3 and -20 <= one["angle"] <= 20 for one in flat)
    assert 0.4 < np.mean([one["flip"] for one in flat]) < 0.6
    assert min(one["scale"] for one in flat) < 0.75 < 1.25 < max(one["scale"] for one in flat)
    assert run(transform, below, partner, seed=7)[2] == run(transform, below, partner, seed=7)[2]
    only = CopyPaste(objects_range=[1, 3], classes=["102", "104"])
    assert {one["object"] for seed in range(20) for one in run(only, below, partner, seed=seed)[2]["pastes"]} == {1, 3}
    same = CopyPaste(place="same", shift_limit=0, **EXACT)
    places = {0: (6, 8), 1: (24, 8), 2: (44, 8), 3: (64, 8)}
    for seed in range(10):
        assert all((p["x"], p["y"]) == places[p["object"]] for p in run(same, below, partner, seed=seed)[2]["pastes"])


def test_what_is_not_taken() -> None:
    below, boxed = painted({100: solid(10, 10, 20, 20)}, "rle"), painted({200: solid(0, 0, 20, 20)}, "box")
    assert run(CopyPaste(), below, boxed)[0] is below
    assert run(CopyPaste(boxes=True), below, boxed)[2]["pastes"][0]["angle"] == 0
    large = painted({200: solid(0, 0, 96, 40)}, "rle")
    assert run(CopyPaste(), below, large)[2] == {"pastes": []}
    assert run(CopyPaste(largest=0.6), below, large)[2]["pastes"]
    (thing,) = below.annotations.objects
    crowd = replace(below, annotations=Annotations(objects=(replace(thing, crowd=True),)))
    assert run(CopyPaste(), below, crowd)[2] == {"pastes": []}


def test_lifted_objects_move_and_leave_no_trace() -> None:
    plane = blob(30, 20, 24, 24)
    picture = painted({100: plane, 110: solid(2, 2, 6, 6)}, "index", ground=50)
    transform = CopyPaste(partners="own", lift=True, classes=["100"], **EXACT)
    assert transform.need().count == 0
    for seed in range(10):
        mixed, dropped, _ = run(transform, picture, seed=seed)
        assert len(mixed.annotations.objects) + len(dropped) == 2
        (moved,) = (thing for thing in mixed.annotations.objects if thing.label == "100")
        shown = colour(mixed, 100)
        assert shown.sum() == plane.sum()
        np.testing.assert_array_equal(mixed.instances.values == moved.index, shown)
        np.testing.assert_array_equal(mixed.mask.values == 255, plane & ~shown)
        rest = mixed.pixels[~shown & ~solid(2, 2, 6, 6)].astype(int)
        assert np.abs(rest - 50).max() <= 3  # what is made up of one colour is that colour, but for rounding
    deep = replace(picture, pixels=picture.pixels.astype(np.uint16) * 257)
    for one in (deep, replace(deep, pixels=np.ascontiguousarray(deep.pixels[..., 0]))):
        mixed, _, _ = run(transform, one, seed=1)
        assert mixed.pixels.shape == one.pixels.shape and mixed.pixels.dtype == np.uint16
        assert (mixed.pixels.reshape(HEIGHT, WIDTH, -1)[..., 0] == 100 * 257).sum() == plane.sum()
    with pytest.raises(ValueError, match="partners: own"):
        CopyPaste(lift=True)


def test_every_depth_and_size() -> None:
    for pixels in (np.zeros((1, 1), np.uint8), np.zeros((1, 1, 3), np.uint16), np.zeros((40, 30), np.uint16)):
        high, wide = pixels.shape[:2]
        whole = np.ones((high, wide), np.uint8)
        known = Annotations(objects=(Object("a", (0, 0, wide, high), rle=rle.rle_encode(whole)),))
        partner = Picture(np.full_like(pixels, 60_000 if pixels.itemsize > 1 else 240), annotations=known)
        below = Picture(pixels, alpha=np.zeros((high, wide), pixels.dtype))
        for seed in range(3):
            mixed, _, _ = run(CopyPaste(largest=1, rotate_limit=30), below, partner, seed=seed)
            assert mixed.pixels.shape == pixels.shape and mixed.pixels.dtype == pixels.dtype
            assert mixed.pixels.flags.c_contiguous
        mixed, _, _ = run(CopyPaste(largest=1, **EXACT), below, partner)
        np.testing.assert_array_equal(mixed.pixels, partner.pixels)
        assert (mixed.alpha == np.iinfo(pixels.dtype).max).all()
    assert not pixels.any()  # the picture that came in was not changed


def test_a_class_mask_that_the_partner_lacks() -> None:
    below, partner = painted({}, "rle"), replace(painted({200: solid(0, 0, 20, 20)}, "rle"), mask=None)
    mixed, _, _ = run(CopyPaste(**EXACT), below, partner)
    np.testing.assert_array_equal(mixed.mask.values == 255, colour(mixed, 200))


@pytest.mark.parametrize("kind", KINDS)
def test_every_object_is_in_the_picture_or_dropped_and_none_reaches_out(kind: str) -> None:
    planes = {value: blob(x, y, 22, 20) for value, x, y in ((100, 0, 0), (110, 30, 10), (120, 70, 50), (130, 60, 5))}
    below, partner = painted(planes, kind), painted({v + 100: plane for v, plane in planes.items()}, kind)
    wild: dict[str, Any] = {"objects_range": [1, 4], "boxes": True, "scale_range": [0.1, 3], "rotate_limit": 180}
    for seed, more in enumerate(
        [{"place": "same", "shift_limit": 1}, {"partners": "own"}, {"partners": "own", "lift": True}, {}] * 6
    ):
        mixed, dropped, params = run(CopyPaste(**wild, **more), below, partner, seed=seed)
        lifted = len(params["pastes"]) if "lift" in more else 0
        assert len(mixed.annotations.objects) + len(dropped) == 4 - lifted + len(params["pastes"])
        things = [to_row(thing, None) for thing in mixed.annotations.objects]
        assert not faults({"width": WIDTH, "height": HEIGHT, "objects": things})
        numbers = [thing.index for thing in mixed.annotations.objects if thing.index is not None]
        assert len(set(numbers)) == len(numbers)
        if mixed.instances is not None:
            assert set(np.unique(mixed.instances.values)) - {0} == set(numbers)


@pytest.mark.parametrize("third", ["box", "obb", "quad", "instance"])
@pytest.mark.parametrize("tags", [(0, 1), (5, 8)])
def test_labels_are_where_the_places_are(third: str, tags: tuple[int, int]) -> None:
    """Each object pasted against what is seen of it, less what was pasted later; so those that were there before."""
    below, partner = (scene(tag, third) for tag in tags)
    transform = CopyPaste(objects_range=[1, 3], boxes=True, min_visible=0, blend_sigma=0, rotate_limit=180)
    shapes = [partner.mask.values == 10 * tags[1] + part + 1 for part in range(3)]
    count = 0
    for seed in range(4):
        mixed, dropped, params = run(transform, below, partner, seed=seed)
        known = {thing.label: thing for thing in mixed.annotations.objects}
        assert len(known) + len(dropped) == 3 + len(params["pastes"])
        moving = [replace(one, pixels=places(one, number).pixels) for number, one in enumerate((below, partner), 1)]
        shown = transform.apply(moving[0], moving[1:], params, RULES)[0].pixels
        views = [(below.annotations.objects, view(below, shown, shown[..., 2] == 1))]
        above = np.zeros(shown.shape[:2], bool)
        x, y = (shown[..., :2] // 256).transpose(2, 0, 1)
        for paste in reversed(params["pastes"]):
            near = cv2.dilate(shapes[paste["object"]].view(np.uint8), np.ones((3, 3)))
            painted = (shown[..., 2] == 2) & (near[y.clip(0, near.shape[0] - 1), x.clip(0, near.shape[1] - 1)] > 0)
            one = view(partner, shown, painted)
            if one is not None:
                source = partner.annotations.objects[paste["object"]]
                views.append(((source,), replace(one, region=~above)))
                thing = known[source.label]
                if thing.index is not None:
                    np.testing.assert_array_equal(mixed.instances.values == thing.index, painted)
            above |= painted
        for sources, one in views:
            for source in sources:
                if source.label in known:
                    fitting(known[source.label], source, one)
                    count += 1
    assert count > 12
