"""Labels fitted to a decoded picture, and carried through warps: hand-made figures, and painted masks as the judge."""

from __future__ import annotations

import math
import random
from array import array
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from augx import objects
from augx.errors import ImageError
from augx.geometry import pairs, rasterise, ring_area, rings_box, rle_decode, rle_encode
from augx.labels import Carrier, Warp, boxed, fit, resolve
from augx.model import Annotations, Dropped, LabelOptions, Object, Rle

PLAIN = LabelOptions()
NAN, INF = math.nan, math.inf


def flat(*values: float) -> array[float]:
    return array("d", values)


def box_ring(x0: float, y0: float, x1: float, y1: float) -> array[float]:
    return flat(x0, y0, x1, y0, x1, y1, x0, y1)


# ---------------------------------------------------------------- warps of our own, independent of the transforms


@dataclass(frozen=True)
class Affine:
    matrix: tuple[tuple[float, float, float], tuple[float, float, float]]
    width: int
    height: int
    bends: bool = False

    @property
    def mirrors(self) -> bool:
        (a, b, _), (c, d, _) = self.matrix
        return a * d - b * c < 0

    @property
    def straight(self) -> bool:
        (a, b, _), (c, d, _) = self.matrix
        return a == d == 0 or b == c == 0

    def points(self, xy: np.ndarray) -> np.ndarray:
        matrix = np.array(self.matrix)
        return xy @ matrix[:, :2].T + matrix[:, 2]

    def ring(self, xy: np.ndarray) -> list[np.ndarray]:
        return [self.points(xy)]

    def plane(self, plane: np.ndarray) -> np.ndarray:
        """Each new pixel takes the old one that its centre lies in."""
        x, y = np.meshgrid(np.arange(self.width) + 0.5, np.arange(self.height) + 0.5)
        matrix = np.array(self.matrix)
        places = (np.stack([x, y], axis=-1) - matrix[:, 2]) @ np.linalg.inv(matrix[:, :2]).T
        columns, rows = np.floor(places).astype(int).transpose(2, 0, 1)
        inside = (columns >= 0) & (columns < plane.shape[1]) & (rows >= 0) & (rows < plane.shape[0])
        moved = np.zeros((self.height, self.width), plane.dtype)
        moved[inside] = plane[rows[inside], columns[inside]]
        return moved


@dataclass(frozen=True)
class Wave:
    """x is pushed to and fro as y goes down."""

    width: int
    height: int
    far: float = 6.0
    mirrors: bool = False
    straight: bool = False
    bends: bool = True

    def points(self, xy: np.ndarray) -> np.ndarray:
        return xy + np.stack([self.far * np.sin(xy[:, 1] / 8), np.zeros(len(xy))], axis=1)

    def ring(self, xy: np.ndarray) -> list[np.ndarray]:
        steps = np.linspace(0, 1, 40, endpoint=False)[:, None]
        sides = zip(xy, np.roll(xy, -1, axis=0), strict=True)
        return [self.points(np.concatenate([a + (b - a) * steps for a, b in sides]))]

    def plane(self, plane: np.ndarray) -> np.ndarray:
        moved = np.zeros_like(plane)
        for row in range(self.height):
            columns = np.floor(np.arange(self.width) + 0.5 - self.far * math.sin((row + 0.5) / 8)).astype(int)
            inside = (columns >= 0) & (columns < self.width)
            moved[row, inside] = plane[row, columns[inside]]
        return moved


@dataclass(frozen=True)
class Halves:
    """The left half and the right half change places."""

    width: int
    height: int
    mirrors: bool = False
    straight: bool = True
    bends: bool = True

    def points(self, xy: np.ndarray) -> np.ndarray:
        return np.add(xy, (self.width / 2, 0)) % (self.width, self.height + 1)

    def ring(self, xy: np.ndarray) -> list[np.ndarray]:
        middle = self.width / 2
        left = np.add(np.minimum(xy, (middle, INF)), (middle, 0))
        right = np.maximum(xy, (middle, -INF)) - (middle, 0)
        return [part for part in (left, right) if ring_area(part)]


def flip(width: int, height: int) -> Affine:
    return Affine(((-1, 0, width), (0, 1, 0)), width, height)


def crop(x: float, y: float, width: int, height: int) -> Affine:
    return Affine(((1, 0, -x), (0, 1, -y)), width, height)


def turn(degrees: float, width: int, height: int, scale: float = 1) -> Affine:
    """About the middle of a picture that keeps its size."""
    c, s = scale * math.cos(math.radians(degrees)), scale * math.sin(math.radians(degrees))
    x, y = width / 2, height / 2
    return Affine(((c, -s, x - c * x + s * y), (s, c, y - s * x - c * y)), width, height)


def carried(
    objects: tuple[Object, ...] | list[Object],
    *warps: Any,
    size: tuple[int, int] = (40, 30),
    options: LabelOptions = PLAIN,
    dot: float = 0.0,
    swaps: dict[str, tuple[int, ...]] | None = None,
) -> tuple[tuple[Object, ...], tuple[Dropped, ...]]:
    carrier = Carrier(Annotations(objects=tuple(objects), dot=dot), *size, options, swaps or {})
    for warp in warps:
        carrier.move(warp, getattr(warp, "plane", lambda plane: plane))
    after, dropped, _ = carrier.finish(None)
    assert len(after.objects) + len(dropped) == len(objects)
    return after.objects, dropped


def one(thing: Object, *warps: Any, **more: Any) -> Object:
    (after,), () = carried([thing], *warps, **more)
    return after


def lost(thing: Object, *warps: Any, **more: Any) -> Dropped:
    (), (dropped,) = carried([thing], *warps, **more)
    return dropped


EVERYTHING = Object(
    "cat",
    (4.0, 3.0, 12.0, 9.0),
    rings=(box_ring(4, 3, 12, 9),),
    keypoints=flat(5, 4, 2, 11, 8, 1, 0, 0, 0),
    corners=box_ring(4, 3, 12, 9),
    index=1,
    extra={"difficult": 1},
)


# ---------------------------------------------------------------- fit


class TestFit:
    def fitted(self, thing: Object, **more: Any) -> tuple[Object | None, tuple[str, ...]]:
        options = more.pop("options", PLAIN)
        after, notes, dropped = fit(Annotations(objects=(thing,), **more), 40, 30, 1, options)
        if dropped:
            assert dropped == (Dropped(thing.label, dropped[0].reason, 0.0),)
            assert dropped[0].reason in notes
            assert not after.objects
        return (after.objects[0] if after.objects else None), notes

    def test_nothing_changes_where_nothing_is_wrong(self) -> None:
        crowd = Object("a", rle=rle_encode(np.eye(30, 40, dtype=np.uint8)), crowd=True)
        sparse = Object("a", (0.0, 0.0, 40.005, 30.0), keypoints=flat(0, 0, 0, 3, 3, 0))
        known = Annotations(objects=(EVERYTHING, crowd, sparse, Object("b"), Object("c", index=7)), size=(40, 30))
        after, notes, dropped = fit(known, 40, 30, 6, PLAIN)
        assert after is known
        assert (notes, dropped) == ((), ())

    @pytest.mark.parametrize(
        ("box", "mended", "note"),
        [
            ((12, 9, 4, 3), (4, 3, 12, 9), "box-reversed"),
            ((-3, 2, 8, 33), (0, 2, 8, 30), "box-clipped"),
            ((-0.009, 2, 40.009, 8), (-0.009, 2, 40.009, 8), None),
            ((4, 3, 4, 9), None, "box-empty"),
            ((4, 3, 8, 3 + 1e-15), None, "box-empty"),
            ((40 - 1e-14, 3, 48, 9), None, "box-outside"),
            ((-9, 3, 0, 9), None, "box-outside"),
            ((4, 30, 12, 35), None, "box-outside"),
            ((4, NAN, 12, 9), None, "not-finite"),
            ((4, 3, INF, 9), None, "not-finite"),
            ((4, 3, 1e300, 9), None, "not-finite"),
        ],
    )
    def test_boxes(self, box: Any, mended: Any, note: str | None) -> None:
        after, notes = self.fitted(Object("a", box))
        assert (after and after.box) == mended
        assert notes == ((note,) if note else ())
        ring = box_ring(1, 1, 5, 5)
        after, notes = self.fitted(Object("a", box, rings=(ring,)))  # with a polygon it stays, with that one's box
        assert after is not None
        assert after.box == mended
        assert after.rings == (ring,)
        assert boxed(Annotations(objects=(after,))).objects[0].box == (mended or (1, 1, 5, 5))

    @pytest.mark.parametrize(
        ("ring", "mended", "note"),
        [
            (flat(1, 1, 5, 5), (), "polygon-degenerate"),
            (flat(1, 1, 5, 5, 9, 9), (), "polygon-degenerate"),
            (flat(1, 1, 5, 5, 1, 5, 3), (), "polygon-degenerate"),
            (flat(1, 1, NAN, 5, 1, 5), (), "not-finite"),
            (flat(1, 1, 1e200, 5, 1, 5), (), "not-finite"),
            (box_ring(50, 50, 60, 60), (), "polygon-outside"),
            (box_ring(-4, 2, 8, 6), (box_ring(0, 2, 8, 6),), "polygon-clipped"),
            (flat(0, 0, 4, 4, 4, 0, 0, 4), (flat(0, 0, 4, 4, 4, 0, 0, 4),), None),  # a bow tie is an area
        ],
    )
    def test_rings(self, ring: array[float], mended: tuple[array[float], ...], note: str | None) -> None:
        after, notes = self.fitted(Object("a", rings=(ring,)))
        assert notes == ((note,) if note else ())
        found = [ring_area(part) for part in after.rings] if after else []
        assert found == [ring_area(part) for part in mended]
        good = box_ring(1, 1, 5, 5)
        after, _ = self.fitted(Object("a", rings=(good, ring)))
        assert after is not None
        assert after.rings[0] is good

    def test_keypoints(self) -> None:
        after, notes = self.fitted(
            Object("a", keypoints=flat(3, 4, 2, 5, 6, 0.7, 7, 8, 0, NAN, 1, 2, 50, 5, 1, 9, 9, -1, 40, 30, 1))
        )
        assert after is not None
        assert after.keypoints == flat(3, 4, 2, 5, 6, 2, 7, 8, 0, 0, 0, 0, 0, 0, 0, 9, 9, 0, 40, 30, 1)
        assert notes == ("keypoint-outside", "not-finite", "visibility-odd")
        assert self.fitted(Object("a", keypoints=flat(NAN, 4, 2))) == (None, ("not-finite",))
        assert self.fitted(Object("a", (1, 1, 2, 2), keypoints=flat(NAN, 4, 2)))[0] is not None
        unlabelled = Object("a", keypoints=flat(0, 0, 0))
        assert self.fitted(unlabelled) == (unlabelled, ())

    def test_corners(self) -> None:
        outside_in_part = Object("a", corners=box_ring(-5, 3, 5, 9))
        after, notes = self.fitted(outside_in_part)
        assert after == replace(outside_in_part, box=(0, 3, 5, 9))
        assert notes == ()
        assert self.fitted(Object("a", corners=box_ring(-5, 3, -1, 9))) == (None, ("obb-outside",))
        assert self.fitted(Object("a", corners=box_ring(5, 3, 5, 9))) == (None, ("obb-empty",))
        assert self.fitted(Object("a", corners=box_ring(NAN, 3, 5, 9))) == (None, ("not-finite",))
        assert self.fitted(Object("a", index=3, corners=box_ring(NAN, 3, 5, 9)))[0] == Object("a", index=3)

    def test_masks(self) -> None:
        empty = rle_encode(np.zeros((30, 40)))
        assert self.fitted(Object("a", rle=empty)) == (None, ("rle-empty",))
        assert self.fitted(Object("a", (1, 1, 2, 2), rle=empty)) == (Object("a", (1, 1, 2, 2)), ("rle-empty",))
        with pytest.raises(ImageError, match="30x40, its image 40x30") as caught:
            self.fitted(Object("a", rle=Rle(30, 40, (1200,))))
        assert (caught.value.code, caught.value.stage) == ("rle-size", "labels")
        for counts in ("zzz", (3, 4), (-1, 1201), ()):
            with pytest.raises(ImageError) as caught:
                self.fitted(Object("a", rle=Rle(40, 30, counts)))
            assert caught.value.code == "rle-broken"

    def test_shares_become_pixels(self) -> None:
        thing = Object(
            "a",
            (0.1, 0.2, 0.5, 1.0),
            rings=(flat(0.1, 0.1, 0.5, 0.1, 0.5, 0.5),),
            keypoints=flat(0.25, 0.5, 2, 0, 0, 0),
            corners=box_ring(0.1, 0.2, 0.5, 1),
        )
        after, notes, _ = fit(Annotations(objects=(thing,), relative=True), 40, 30, 1, PLAIN)
        assert not after.relative
        assert notes == ()
        assert after.objects == (
            Object(
                "a",
                (4, 6, 20, 30),
                rings=(flat(4, 3, 20, 3, 20, 15),),
                keypoints=flat(10, 15, 2, 0, 0, 0),
                corners=box_ring(4, 6, 20, 30),
            ),
        )
        assert not fit(Annotations(relative=True), 40, 30, 1, PLAIN)[0].relative

    @pytest.mark.parametrize(
        ("size", "orientation", "pixels", "note"),
        [
            ((40, 30), 6, "upright", None),
            ((30, 40), 6, "upright", "size-rotated"),
            ((30, 40), 6, "stored", None),
            ((40, 30), 6, "stored", "size-rotated"),
            ((40, 30), 3, "stored", None),
            ((41, 30), 1, "upright", "size-differs"),
        ],
    )
    def test_size(self, size: tuple[int, int], orientation: int, pixels: str, note: str | None) -> None:
        notes = fit(Annotations(size=size), 40, 30, orientation, LabelOptions(pixels=pixels))[1]
        assert notes == ((note,) if note else ())

    SHOWN: ClassVar[dict[int, Callable[[np.ndarray], np.ndarray]]] = {
        1: lambda a: a,
        2: np.fliplr,
        3: lambda a: np.rot90(a, 2),
        4: np.flipud,
        5: np.transpose,
        6: lambda a: np.rot90(a, -1),
        7: lambda a: np.rot90(a, 2).T,
        8: lambda a: np.rot90(a, 1),
    }

    @pytest.mark.parametrize("orientation", range(1, 9))
    @pytest.mark.parametrize("relative", [False, True])
    def test_stored_pixels_are_turned(self, orientation: int, relative: bool) -> None:
        """A rectangle with a dot in it is turned as its pixels are."""
        stored = np.zeros((20, 30), np.uint8)
        stored[3:8, 4:15] = 1
        dot = np.zeros_like(stored)
        dot[4, 6] = 1
        shown, shown_dot = self.SHOWN[orientation](stored), self.SHOWN[orientation](dot)
        width, height = (30, 20) if relative else (1, 1)
        thing = Object(
            "a",
            (4 / width, 3 / height, 15 / width, 8 / height),
            rings=(box_ring(4 / width, 3 / height, 15 / width, 8 / height),),
            keypoints=flat(6 / width, 4 / height, 2, 0, 0, 0),
            corners=box_ring(4 / width, 3 / height, 15 / width, 8 / height),
        )
        masked = Object("b", rle=rle_encode(stored, plain=True))
        known = Annotations(objects=(thing, masked), relative=relative, dot=0.5)
        after, notes, _ = fit(known, shown.shape[1], shown.shape[0], orientation, LabelOptions(pixels="stored"))
        assert notes == ()
        moved, mask = after.objects
        rows, columns = np.nonzero(shown)
        box = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
        assert moved.box == pytest.approx(box)
        assert moved.corners is not None
        assert moved.keypoints is not None
        assert rings_box(moved.rings) == pytest.approx(box)
        assert rings_box([moved.corners]) == pytest.approx(box)
        (y,), (x,) = np.nonzero(shown_dot)
        assert moved.keypoints.tolist() == pytest.approx([x, y, 2, 0, 0, 0])
        assert mask.rle == rle_encode(shown, plain=True)
        if orientation == 1 and not relative:
            assert after is known

    def test_a_box_reversed_in_a_stored_picture_is_still_mended(self) -> None:
        known = Annotations(objects=(Object("a", (15, 3, 4, 8)),))
        after, notes, _ = fit(known, 20, 30, 6, LabelOptions(pixels="stored"))
        assert after.objects[0].box == (12, 4, 17, 15)
        assert notes == ("box-reversed",)


def test_boxed_keeps_given_boxes() -> None:
    known = Annotations(objects=(EVERYTHING,))
    assert boxed(known) is known
    loose = replace(EVERYTHING, box=(0.0, 0.0, 20.0, 20.0))
    after = boxed(Annotations(objects=(loose, replace(loose, box=None), Object("a"))))
    assert [thing.box for thing in after.objects] == [(0, 0, 20, 20), (4, 3, 12, 9), None]


def test_resolve() -> None:
    ids = np.array([[0, 7, 7], [70000, 7, 0]], np.int32)
    known = Annotations(
        objects=(Object("a", index=7), Object("b", index=70000), Object("c", index=9)), segments="p.png"
    )
    after, notes = resolve(known, ids)
    assert after.segments is None
    assert notes == ("segment-missing",)
    assert [thing.label for thing in after.objects] == ["a", "b"]
    for thing in after.objects:
        assert thing.rle is not None
        assert isinstance(thing.rle.counts, str)
        assert (rle_decode(thing.rle) == (ids == thing.index)).all()
    assert resolve(replace(known, objects=known.objects[:2]), ids)[1] == ()


# ---------------------------------------------------------------- Carrier


class TestCarrier:
    def test_without_a_move_the_very_labels_come_back(self) -> None:
        known = Annotations(objects=(EVERYTHING,), instances="i.png")
        carrier = Carrier(known, 40, 30, LabelOptions(min_area=1e9, min_size=1e9), {})
        assert carrier.boxes().tolist() == [pytest.approx([0.1, 0.1, 0.3, 0.3])]
        assert carrier.finish(np.zeros((30, 40), np.uint8)) == (known, (), {})
        assert carrier.finish(None)[0] is known
        assert not carrier.moved

    def test_parts_stay_together(self) -> None:
        after = one(EVERYTHING, flip(40, 30), swaps={"cat": (1, 0, 2)})
        assert after == replace(
            EVERYTHING,
            box=(28, 3, 36, 9),
            rings=(flat(36, 3, 28, 3, 28, 9, 36, 9),),
            keypoints=flat(29, 8, 1, 35, 4, 2, 0, 0, 0),
            corners=flat(36, 3, 28, 3, 28, 9, 36, 9),
        )

    def test_parts_leave_together(self) -> None:
        assert lost(EVERYTHING, crop(20, 10, 20, 20)) == Dropped("cat", "outside", 0.0)

    def test_what_was_cut_off_does_not_come_back(self) -> None:
        after = one(EVERYTHING, crop(6, 0, 30, 30), crop(-6, 0, 40, 30))
        assert after.box == (6, 3, 12, 9)
        assert rings_box(after.rings) == (6, 3, 12, 9)
        assert after.corners is not None
        assert rings_box([after.corners]) == (6, 3, 12, 9)
        assert after.keypoints == flat(0, 0, 0, 11, 8, 1, 0, 0, 0)

    def test_reasons(self) -> None:
        thing = Object("a", (10, 10, 20, 20))
        right = crop(17, 0, 20, 30)  # 3 of its 10 columns are left
        assert one(thing, right).box == (0, 10, 3, 20)
        assert lost(thing, right, options=LabelOptions(min_visibility=0.31)) == Dropped(
            "a", "min_visibility", pytest.approx(0.3)
        )
        assert one(thing, right, options=LabelOptions(min_visibility=0.29, min_area=30, min_size=3)).box is not None
        assert lost(thing, right, options=LabelOptions(min_area=31)).reason == "min_area"
        assert lost(thing, right, options=LabelOptions(min_size=4)).reason == "min_size"
        assert lost(thing, crop(19.5, 0, 20, 30)) == Dropped("a", "min_size", pytest.approx(0.05))
        assert lost(thing, crop(20, 0, 20, 30)) == Dropped("a", "outside", 0)
        assert lost(thing, crop(35, 0, 20, 30)) == Dropped("a", "outside", 0)

    def test_visibility_is_a_product(self) -> None:
        thing = Object("a", (10, 10, 20, 20))
        dropped = lost(thing, crop(15, 0, 20, 30), crop(0, 15, 20, 5), options=LabelOptions(min_visibility=0.9))
        assert dropped.visibility == pytest.approx(0.25)

    def test_order_of_what_is_kept_and_lost(self) -> None:
        objects = [
            Object(name, (x, 5.0, x + 4.0, 9.0)) for name, x in (("a", 1.0), ("b", 30.0), ("c", 8.0), ("d", 34.0))
        ]
        after, dropped = carried(objects, crop(0, 0, 20, 20))
        assert [thing.label for thing in after] == ["a", "c"]
        assert [thing.label for thing in dropped] == ["b", "d"]


class TestBoxes:
    def test_outer_and_ellipse(self) -> None:
        thing = Object("a", (14, 11, 26, 19))
        half = 6 / math.sqrt(2) + 4 / math.sqrt(2)
        assert one(thing, turn(45, 40, 30)).box == pytest.approx((20 - half, 15 - half, 20 + half, 15 + half), abs=1e-3)
        half = math.hypot(6, 4) / math.sqrt(2)
        ellipse = one(thing, turn(45, 40, 30), options=LabelOptions(boxes="ellipse")).box
        assert ellipse == pytest.approx((20 - half, 15 - half, 20 + half, 15 + half), abs=0.02)

    def test_outer_box_is_that_of_the_turned_box_however_many_turns(self) -> None:
        thing = Object("a", (14, 11, 26, 19))
        assert one(thing, turn(30, 40, 30), turn(-30, 40, 30)).box == pytest.approx((14, 11, 26, 19), abs=2e-3)

    def test_straight_warps_are_exact_for_ellipses_too(self) -> None:
        options = LabelOptions(boxes="ellipse")
        quarter = Affine(((0, -1, 30), (1, 0, 0)), 30, 40)
        assert one(Object("a", (3, 4, 9, 6)), flip(40, 30), quarter, options=options).box == (24, 31, 26, 37)
        assert one(Object("a", (3, 4, 9, 6)), crop(8, 4, 20, 20), options=options).box == (0, 0, 1, 2)

    def test_a_box_of_nothing_but_corners_of_an_ellipse(self) -> None:
        """The corner of the turned rectangle is still to be seen, the ellipse in it is not."""
        thing = Object("a", (10, 10, 30, 20))
        warp = Affine(((1, 0, -28.5), (0.001, 1, -18.8)), 40, 30)
        assert one(thing, warp).box is not None
        assert lost(thing, warp, options=LabelOptions(boxes="ellipse")).reason == "outside"

    def test_for_crops_that_want_them(self) -> None:
        mask = np.zeros((30, 40), np.uint8)
        mask[6:12, 10:20] = 1
        carrier = Carrier(
            Annotations(
                objects=(
                    Object("a", (2, 3, 30, 20)),
                    Object("gone", (30, 25, 40, 30)),
                    Object(None, rle=rle_encode(mask)),
                    Object("pose", keypoints=flat(4, 6, 2, 8, 9, 1, 0, 0, 0)),
                    Object("nowhere"),
                )
            ),
            40,
            30,
            PLAIN,
            {},
        )
        assert carrier.labels() == ["a", "gone", "", "pose"]
        warp = crop(0, 0, 20, 15)
        carrier.move(warp, warp.plane)
        assert carrier.labels() == ["a", "", "pose"]
        boxes = carrier.boxes()
        assert boxes.dtype == np.float32
        assert boxes.tolist() == [
            pytest.approx([0.1, 0.2, 1, 1]),
            pytest.approx([0.5, 0.4, 1, 0.8]),
            pytest.approx([0.2, 0.4, 0.4, 0.6]),
        ]
        assert Carrier(Annotations(), 4, 3, PLAIN, {}).boxes().shape == (0, 4)


class TestPolygons:
    def test_a_polygon_rules_over_a_loose_box(self) -> None:
        loose = replace(EVERYTHING, box=(0.0, 0.0, 30.0, 25.0))
        assert one(loose, crop(0, 0, 40, 30)).box == (4, 3, 12, 9)

    def test_cut_in_two(self) -> None:
        comb = flat(1, 1, 30, 1, 30, 4, 4, 4, 4, 6, 30, 6, 30, 9, 1, 9)
        after = one(Object("a", rings=(comb,)), crop(10, 0, 30, 30))
        assert len(after.rings) == 2
        assert sum(map(ring_area, after.rings)) == 2 * 20 * 3
        assert after.box == (0, 1, 20, 9)

    def test_boxes_agree_with_rounded_rings(self) -> None:
        after = one(Object("a", rings=(flat(10, 10, 25, 11, 15, 20),)), turn(17, 40, 30))
        assert after.box == rings_box(after.rings)
        assert all(round(value, 3) == value for value in after.rings[0])
        assert len(after.rings[0]) == 6

    def test_splinters_of_which_coco_sees_no_pixel(self) -> None:
        splinter = Object("a", rings=(flat(0, 10, 30, 10.05, 30, 10),))
        assert lost(splinter, crop(0, 0, 40, 30), options=LabelOptions(min_size=0)) == Dropped("a", "outside", 0.0)

    def test_bent(self) -> None:
        """Compared to the pixels; and with few points though it was dense."""
        ring = box_ring(8, 3, 28, 27)
        warp = Wave(40, 30)
        painted = warp.plane(rasterise([ring], 40, 30))
        after = one(Object("a", rings=(ring,)), warp)
        filled = rasterise(after.rings, 40, 30)
        assert (filled & painted).sum() / (filled | painted).sum() > 0.97
        assert len(after.rings[0]) // 2 < 40
        rows, columns = np.nonzero(painted)
        seen = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
        assert after.box == pytest.approx(seen, abs=1)
        assert one(Object("a", (8, 3, 28, 27)), warp).box == pytest.approx(seen, abs=1)

    def test_torn(self) -> None:
        thing = Object("a", (15, 3, 25, 9), rings=(box_ring(15, 3, 25, 9),))
        after = one(thing, Halves(40, 30))
        assert sorted(map(rings_box, ([ring] for ring in after.rings))) == [(0, 3, 5, 9), (35, 3, 40, 9)]
        assert after.box == (0, 3, 40, 9)
        assert one(replace(thing, rings=()), Halves(40, 30)).box == (0, 3, 40, 9)
        corners = one(replace(thing, rings=(), corners=box_ring(15, 3, 25, 9)), Halves(40, 30)).corners
        assert corners is not None
        assert rings_box([corners]) == pytest.approx((0, 3, 40, 9), abs=1e-3)


class TestMasks:
    def test_compressed_stays_compressed(self) -> None:
        mask = np.zeros((30, 40), np.uint8)
        mask[3:9, 4:12] = 1
        for plain in (False, True):
            after = one(Object("a", (0, 0, 40, 30), rle=rle_encode(mask, plain), crowd=True), flip(40, 30))
            assert after.rle == rle_encode(mask[:, ::-1], plain)
            assert after.box == (28, 3, 36, 9)
            assert after.crowd

    def test_more_than_eight(self) -> None:
        rng = np.random.default_rng(0)
        masks = [(rng.random((30, 40)) < 0.2).astype(np.uint8) for _ in range(19)]
        warp = turn(20, 40, 30)
        calls = []

        def plane(one: np.ndarray) -> np.ndarray:
            calls.append(one.dtype)
            return warp.plane(one)

        carrier = Carrier(Annotations(objects=tuple(Object("a", rle=rle_encode(m)) for m in masks)), 40, 30, PLAIN, {})
        carrier.move(warp, plane)
        after = carrier.finish(None)[0].objects
        assert [thing.rle for thing in after] == [rle_encode(warp.plane(mask)) for mask in masks]
        assert calls == [np.uint8] * 3

    def test_visibility(self) -> None:
        mask = np.zeros((300, 400), np.uint8)
        mask[50:250, 100:300] = 1
        thing = Object("a", rle=rle_encode(mask))
        options = LabelOptions(min_visibility=0.9)
        dropped = lost(thing, crop(250, 0, 100, 300), size=(400, 300), options=options)
        assert dropped == Dropped("a", "min_visibility", pytest.approx(0.25, abs=0.02))
        assert lost(thing, crop(300, 0, 100, 300), size=(400, 300)) == Dropped("a", "outside", 0)
        assert (
            lost(thing, crop(299, 0, 100, 300), size=(400, 300), options=LabelOptions(min_area=201)).reason
            == "min_area"
        )

    def test_one_pixel(self) -> None:
        mask = np.zeros((30, 40), np.uint8)
        mask[3, 4] = 1
        after = one(Object("a", rle=rle_encode(mask)), flip(40, 30))
        assert after.box == (35, 3, 36, 4)


class TestKeypoints:
    THING = Object("a", keypoints=flat(5, 4, 2, 12, 8, 1, 0, 0, 0, 7, 7, 0))

    def test_not_labelled_ones_stay(self) -> None:
        after = one(self.THING, turn(30, 40, 30))
        assert after.keypoints is not None
        assert after.keypoints[6:] == flat(0, 0, 0, 7, 7, 0)
        assert after.box is None

    def test_outside(self) -> None:
        after = one(self.THING, crop(6, 0, 20, 20))
        assert after.keypoints == flat(0, 0, 0, 6, 8, 1, 0, 0, 0, 7, 7, 0)
        assert lost(self.THING, crop(13, 0, 20, 20)) == Dropped("a", "outside", 0.0)
        assert lost(self.THING, crop(6, 0, 20, 20), options=LabelOptions(min_visibility=0.6)) == Dropped(
            "a", "min_visibility", 0.5
        )
        boxed = replace(self.THING, box=(4.0, 3.0, 20.0, 9.0))
        assert one(boxed, crop(13, 0, 20, 20)).keypoints == flat(0, 0, 0, 0, 0, 0, 0, 0, 0, 7, 7, 0)
        nothing = Object("a", keypoints=flat(0, 0, 0))
        assert one(nothing, crop(13, 0, 20, 20)) == nothing

    def test_edges_belong_to_the_picture(self) -> None:
        thing = Object("a", keypoints=flat(0, 0, 2, 40, 30, 2))
        assert one(thing, flip(40, 30)).keypoints == flat(40, 0, 2, 0, 30, 2)

    def test_pixels_are_counted_by_their_middles(self) -> None:
        thing = Object("a", keypoints=flat(5, 4, 2, 5.25, 4, 2))
        assert one(thing, flip(40, 30), dot=0.5).keypoints == flat(34, 4, 2, 33.75, 4, 2)
        assert one(thing, flip(40, 30), flip(40, 30), dot=0.5).keypoints == thing.keypoints
        half = Affine(((0.5, 0, 0), (0, 0.5, 0)), 20, 15)
        assert one(thing, half, half, dot=0.5).keypoints == flat(0.875, 0.625, 2, 0.938, 0.625, 2)
        assert one(Object("a", keypoints=flat(0, 0, 2)), half, dot=0.5).keypoints == flat(0, 0, 2)

    def test_swapped_once_for_each_mirror(self) -> None:
        thing = Object("a", keypoints=flat(5, 4, 2, 12, 8, 1, 20, 9, 2))
        swapped = flat(28, 8, 1, 35, 4, 2, 20, 9, 2)
        mirror = flip(40, 30)
        assert one(thing, mirror, swaps={"a": (1, 0, 2)}).keypoints == swapped
        assert one(thing, mirror, swaps={"": (1, 0, 2)}).keypoints == swapped
        assert one(thing, mirror, swaps={"b": (1, 0, 2)}).keypoints == flat(35, 4, 2, 28, 8, 1, 20, 9, 2)
        assert one(thing, mirror, swaps={"a": (1, 0)}).keypoints == flat(35, 4, 2, 28, 8, 1, 20, 9, 2)
        assert one(thing, mirror, options=LabelOptions(pairs=((0, 1), (1, 16)))).keypoints == swapped
        overridden = one(thing, mirror, options=LabelOptions(pairs=((0, 2),)), swaps={"a": (1, 0, 2)})
        assert overridden.keypoints == flat(20, 9, 2, 28, 8, 1, 35, 4, 2)
        assert one(thing, mirror, mirror, swaps={"a": (1, 0, 2)}).keypoints == thing.keypoints
        half_turn = Affine(((-1, 0, 40), (0, -1, 30)), 40, 30)
        assert one(thing, half_turn, swaps={"a": (1, 0, 2)}).keypoints == flat(35, 26, 2, 28, 22, 1, 20, 21, 2)

    @settings(max_examples=40, deadline=None)
    @given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=6), st.integers(1, 12))
    def test_pairs_swap_what_they_name(self, names: list[tuple[int, int]], count: int) -> None:
        pairs_given = tuple((a, b) for a, b in dict(names).items() if a != b)
        assume(len({index for pair in pairs_given for index in pair}) == 2 * len(pairs_given))
        thing = Object("a", keypoints=flat(*(value for i in range(count) for value in (i + 1, 2 * i + 1, 2))))
        after = one(thing, flip(40, 30), options=LabelOptions(pairs=pairs_given))
        assert after.keypoints is not None
        expected = {i: i for i in range(count)}
        for a, b in pairs_given:
            if a < count and b < count:
                expected[a], expected[b] = b, a
        found = np.array(after.keypoints).reshape(-1, 3)
        assert [(40 - x - 1, (y - 1) / 2) for x, y, _ in found] == [(expected[i],) * 2 for i in range(count)]


class TestOrientedBoxes:
    @staticmethod
    def rectangle(x: float, y: float, wide: float, high: float, degrees: float) -> array[float]:
        c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
        corners = ((-wide, -high), (wide, -high), (wide, high), (-wide, high))
        return flat(*(v for a, b in corners for v in (x + (c * a - s * b) / 2, y + (s * a + c * b) / 2)))

    def test_turned_as_it_is(self) -> None:
        after = one(Object("a", corners=self.rectangle(20, 15, 12, 6, 10)), turn(25, 40, 30))
        assert after.corners == pytest.approx(self.rectangle(20, 15, 12, 6, 35), abs=1e-3)
        assert after.box == pytest.approx(rings_box([self.rectangle(20, 15, 12, 6, 35)]), abs=1e-3)

    def test_cut_it_shrinks_at_the_same_angle(self) -> None:
        """45°, middle at the upper edge of the crop: the lower half of the diamond is left."""
        thing = Object("a", corners=self.rectangle(20, 15, 10, 10, 45))
        after = one(thing, crop(0, 15, 40, 15))
        r = 10 / math.sqrt(2)
        assert after.box == pytest.approx((20 - r, 0, 20 + r, r), abs=1e-3)
        assert after.corners == pytest.approx(
            self.rectangle(20, 0, 10, 10, 45), abs=1e-3
        )  # still touched by what is left
        lower = one(thing, crop(0, 18, 40, 12)).corners
        assert lower is not None
        (x0, y0), (x1, y1), (x2, y2), (x3, y3) = pairs(lower)
        assert math.degrees(math.atan2(y1 - y0, x1 - x0)) == pytest.approx(45, abs=0.1)
        assert math.hypot(x1 - x0, y1 - y0) == pytest.approx(2 * (r - 3) / math.sqrt(2), abs=1e-2)
        assert math.hypot(x3 - x0, y3 - y0) == pytest.approx(2 * (r - 3) / math.sqrt(2), abs=1e-2)
        assert ((x0 + x2) / 2, (y0 + y2) / 2) == pytest.approx((20, 0), abs=1e-3)

    @settings(max_examples=60, deadline=None)
    @given(
        st.tuples(st.floats(0, 40), st.floats(0, 30), st.floats(2, 30), st.floats(2, 20), st.floats(0, 360)),
        st.floats(0, 360),
        st.booleans(),
    )
    def test_angle_centre_and_order(self, shape: tuple[float, ...], degrees: float, mirror: bool) -> None:
        corners = self.rectangle(*shape)
        (kept, _, dropped) = fit(Annotations(objects=(Object("a", corners=corners),)), 40, 30, 1, PLAIN)
        assert not dropped
        warps: list[Any] = [turn(degrees, 40, 30)] + [flip(40, 30)] * mirror
        after, _ = carried(kept.objects, *warps)
        assume(after)
        assert after[0].corners is not None
        assert after[0].box is not None
        placed = pairs(corners)
        for warp in warps:
            placed = warp.points(placed)
        found = pairs(after[0].corners)
        for i in (1, 3):
            side, before = found[i] - found[0], placed[i] - placed[0]
            assert side @ before == pytest.approx(np.hypot(*side) * np.hypot(*before), rel=1e-2, abs=0.05)
            assert np.hypot(*side) <= np.hypot(*before) + 0.01
        centre = found.mean(axis=0)
        assert (centre >= -1e-3).all() and (centre <= (40.001, 30.001)).all()
        x0, y0, x1, y1 = after[0].box
        assert 0 <= x0 < x1 <= 40 and 0 <= y0 < y1 <= 30

    def test_no_rectangle_keeps_its_corners(self) -> None:
        odd = flat(4, 4, 20, 2, 24, 16, 2, 12)
        after = one(Object("a", corners=odd), crop(5, 0, 30, 30))
        assert after.corners == flat(-1, 4, 15, 2, 19, 16, -3, 12)
        assert after.box is not None
        assert after.box[0] == 0


class TestInstances:
    MASK = np.zeros((30, 40), np.uint8)
    MASK[2:6, 2:8] = 1
    MASK[2:6, 30:38] = 2
    MASK[10:20, 18:30] = 3
    OBJECTS = (
        Object("a", (0, 0, 10, 10), index=1),
        Object("b", (28, 0, 40, 8), index=2),
        Object("c", index=3),
    )

    def finished(self, objects: tuple[Object, ...], warp: Affine, told: bool, **options: Any) -> Any:
        carrier = Carrier(
            Annotations(objects=objects, instances="i.png"),
            40,
            30,
            LabelOptions(**options),
            {},
            self.MASK if told else None,
        )
        carrier.move(warp, warp.plane)
        return carrier.finish(warp.plane(self.MASK))

    @pytest.mark.parametrize("told", [False, True])
    def test_boxes_are_those_of_the_mask_and_numbers_close_up(self, told: bool) -> None:
        after, dropped, numbers = self.finished(self.OBJECTS, crop(0, 0, 25, 30), told)
        assert after.objects == (Object("a", (2, 2, 8, 6), index=1), Object("c", (18, 10, 25, 20), index=2))
        assert dropped == (Dropped("b", "outside", 0.0),)
        assert numbers == {1: 1, 2: -1, 3: 2}

    def test_other_numbers_stay(self) -> None:
        objects = (replace(self.OBJECTS[2], index=3), replace(self.OBJECTS[1], index=2), Object("x", (1, 1, 5, 5)))
        after, _, numbers = self.finished(objects, crop(0, 0, 25, 30), True)
        assert [thing.index for thing in after.objects] == [3, None]
        assert numbers == {3: 3, 2: -1}

    def test_visibility_is_that_of_the_pixels(self) -> None:
        _, dropped, _ = self.finished(self.OBJECTS, crop(5, 0, 35, 30), True, min_visibility=0.9)
        assert dropped == (Dropped("a", "min_visibility", pytest.approx(0.5)),)

    def test_an_object_that_the_mask_never_had_goes_by_its_box(self) -> None:
        objects = (*self.OBJECTS, Object("d", (5, 20, 15, 28), index=4))
        after, _, numbers = self.finished(objects, crop(0, 0, 25, 30), True)
        assert after.objects[-1] == Object("d", (5, 20, 15, 28), index=3)
        assert numbers == {1: 1, 2: -1, 3: 2, 4: 3}


class TestAgainstPixels:
    """One object with all kinds of parts, painted and moved: labels and pixels must say the same."""

    @staticmethod
    def shown(mask: np.ndarray, warps: list[Affine]) -> np.ndarray:
        """Each pixel of the last picture shows what its middle came from, if it was inside every picture on the way."""
        height, width = mask.shape
        x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
        places = np.stack([x, y], axis=-1)
        there = np.ones(mask.shape, bool)
        for warp in reversed(warps):
            matrix = np.array(warp.matrix)
            places = (places - matrix[:, 2]) @ np.linalg.inv(matrix[:, :2]).T
            there &= ((places >= 0) & (places < (width, height))).all(axis=-1)
        columns, rows = np.where(there[..., None], places, 0).astype(int).transpose(2, 0, 1)
        return there * mask[rows, columns]

    @settings(max_examples=60, deadline=None)
    @given(
        st.lists(
            st.tuples(st.floats(-180, 180), st.floats(0.6, 1.6), st.booleans(), st.floats(-15, 15), st.floats(-15, 15)),
            min_size=1,
            max_size=3,
        )
    )
    def test_affine(self, steps: list[tuple[float, float, bool, float, float]]) -> None:
        width, height = 100, 80
        ring = flat(30, 20, 70, 20, 70, 60, 55, 60, 55, 35, 45, 35, 45, 60, 30, 60)  # an arch
        mask = rasterise([ring], width, height)
        warps: list[Any] = []
        for degrees, scale, mirror, x, y in steps:
            warps += [turn(degrees, width, height, scale), crop(x, y, width, height)] + [flip(width, height)] * mirror
        resampled, painted = mask, self.shown(mask, warps)
        keypoints = np.array([(50.0, 30.0)])
        for warp in warps:
            resampled = warp.plane(resampled)
            keypoints = warp.points(keypoints)
            keypoints = keypoints[((keypoints >= 0) & (keypoints <= (width, height))).all(axis=1)]
        together = Object(
            "a", (30, 20, 70, 60), (ring,), keypoints=flat(50, 30, 2, 0, 0, 0), corners=box_ring(30, 20, 70, 60)
        )
        masked = Object("b", rle=rle_encode(mask))
        after, dropped = carried([together, masked, Object("c", (30, 20, 70, 60))], *warps, size=(width, height))
        assert {thing.label for thing in after} | {thing.label for thing in dropped} == {"a", "b", "c"}
        found = {thing.label: thing for thing in after}
        if "b" in found:
            assert found["b"].rle is not None
            assert (rle_decode(found["b"].rle) == resampled).all()
        if painted.sum() > 500:
            thing = found["a"]
            rows, columns = np.nonzero(painted)
            seen = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
            filled = rasterise(thing.rings, width, height)
            assert (filled & painted).sum() / (filled | painted).sum() > 0.93
            assert thing.box == pytest.approx(seen, abs=2)  # sharp tips lie between the middles of pixels
            assert found["c"].box is not None
            outer = np.array(found["c"].box) - seen
            assert (outer[:2] <= 2).all() and (outer[2:] >= -2).all()
            assert thing.keypoints is not None
            expected = [*keypoints[0], 2, 0, 0, 0] if len(keypoints) else [0] * 6
            assert list(thing.keypoints) == pytest.approx(expected, abs=2e-3)
            for part in thing.rings:
                points = pairs(part)
                assert (points >= 0).all() and (points <= (width, height)).all()


def test_warps_of_the_tests_are_warps() -> None:
    warps: list[Warp] = [flip(4, 3), Wave(4, 3), Halves(4, 3)]
    assert [warp.bends for warp in warps] == [False, True, True]


def test_many_numbers_are_tidied_as_each() -> None:
    r = random.Random(6)
    for digits in (0, 1, 3, 6, 9):
        values = [round(r.uniform(-100, 5000), digits) for _ in range(500)]
        assert repr(objects.tidied(values)) == repr([objects.tidy(value) for value in values])
    values = [r.uniform(0, 3e6) for _ in range(500)] + [1e300]
    assert objects.tidied(values) == [objects.tidy(value) for value in values]
    near = zip(objects.tidied(values[:500]), map(objects.tidy, values), strict=False)
    assert max(abs(one - other) for one, other in near) < 2e-9
