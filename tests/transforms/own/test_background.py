from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from augx import geometry, rle
from augx.model import Annotations, Dropped, LabelOptions, Mask, Object, Picture
from augx.seeds import Rng
from augx.transforms.own.background import Background
from augx.transforms.own.base import Rules

RULES = Rules(LabelOptions(), {}, outside=255)
FIRST, SECOND = np.zeros((2, 48, 64), bool)
FIRST[4:20, 6:30] = True
FIRST[8:12, 10:20] = False  # a hole
SECOND[25:45, 30:60] = True


def gradient(width: int = 64, height: int = 48) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    return np.stack([x * 2, y * 3, (x + y) % 256], axis=2).astype(np.uint8)


def picture(*things: Object) -> Picture:
    classes, instances = FIRST * 3 + SECOND * np.uint8(7), FIRST * 1 + SECOND * np.uint8(2)
    known = Annotations(labels={"street": 1.0}, objects=things, captions=("a street",))
    return Picture(gradient(), annotations=known, mask=Mask(classes.astype(np.uint8)), instances=Mask(instances))


def objects(kind: str) -> tuple[Object, ...]:
    if kind == "rings":
        return tuple(Object(n, rings=geometry.mask_rings(m)) for n, m in (("a", FIRST), ("b", SECOND)))
    if kind == "rle":
        return tuple(Object(n, rle=rle.rle_encode(m.astype(np.uint8))) for n, m in (("a", FIRST), ("b", SECOND)))
    return Object("a", (6, 4, 30, 20), index=1), Object("b", (30, 25, 60, 45), index=2)


def drawn(transform: Background, one: Picture, other: Picture, seed: int = 0) -> dict[str, object]:
    return transform.draw(one, [other], Rng().at(0, str(seed), 1, "0"), RULES)


@pytest.mark.parametrize("kind", ["rings", "rle", "index"])
def test_objects_stay_and_everything_else_is_replaced(kind: str) -> None:
    before, behind = picture(*objects(kind)), Picture(255 - gradient())
    transform = Background("backgrounds", blend_sigma=0)
    params = drawn(transform, before, behind)
    after, dropped = transform.apply(before, [behind], params, RULES)
    front = FIRST | SECOND
    assert params["objects"] == 2 and not dropped
    np.testing.assert_array_equal(after.pixels, np.where(front[..., None], before.pixels, behind.pixels))
    np.testing.assert_array_equal(after.mask.values, np.where(front, before.mask.values, 255))
    np.testing.assert_array_equal(after.instances.values, before.instances.values)
    assert after.annotations == before.annotations
    kept, _ = Background("backgrounds", keep_mask=True).apply(before, [behind], params, RULES)
    np.testing.assert_array_equal(kept.mask.values, before.mask.values)


def test_the_background_covers_the_picture_whatever_its_size() -> None:
    before = picture(*objects("rle"))
    transform = Background("backgrounds", blend_sigma=0)
    seen = set()
    for seed in range(12):
        for shape in ((48, 640, 3), (960, 64, 3), (7, 5, 3), (1, 1, 3)):
            wide = shape[1]
            columns = np.broadcast_to((np.arange(wide) * 100 // wide + 101)[None, :, None], shape).astype(np.uint8)
            behind = Picture(np.ascontiguousarray(columns))
            after, _ = transform.apply(before, [behind], drawn(transform, before, behind, seed), RULES)
            outside = after.pixels[~(FIRST | SECOND)]
            assert outside.min() >= 101
            if wide == 640:
                seen.add(int(outside.min()))
    assert len(seen) > 6  # other parts of it, from draw to draw


def test_soft_edge() -> None:
    before, behind = picture(*objects("rle")), Picture(np.full((48, 64, 3), 255, np.uint8))
    params = {"objects": 2, "u": 0.5, "v": 0.5}
    hard, _ = Background("backgrounds", blend_sigma=0).apply(before, [behind], params, RULES)
    soft, _ = Background("backgrounds", blend_sigma=1).apply(before, [behind], params, RULES)
    differ = (hard.pixels != soft.pixels).any(axis=2)
    assert differ.any()
    np.testing.assert_array_equal(soft.pixels[28:42, 34:56], before.pixels[28:42, 34:56])
    assert (soft.pixels[:, 63] == 255).all()
    np.testing.assert_array_equal(soft.mask.values, hard.mask.values)


def test_boxes() -> None:
    box = Object("c", (40, 2, 50, 12))
    behind, params = Picture(np.full((48, 64, 3), 255, np.uint8)), {"objects": 1, "u": 0.0, "v": 0.0}
    alone = picture(box)
    assert drawn(Background("backgrounds"), alone, behind)["objects"] == 0
    assert Background("backgrounds").apply(alone, [behind], params, RULES) == (alone, ())
    after, dropped = Background("backgrounds", boxes=True, blend_sigma=0).apply(alone, [behind], params, RULES)
    rectangle = np.zeros((48, 64), bool)
    rectangle[2:12, 40:50] = True
    np.testing.assert_array_equal((after.pixels != 255).any(axis=2), rectangle)
    assert not dropped
    # an object that cannot be kept is not labelled as if it were there
    both = picture(objects("rle")[0], box)
    after, dropped = Background("backgrounds").apply(both, [behind], params, RULES)
    assert dropped == (Dropped("c", "hidden", 0.0),)
    assert [thing.label for thing in after.annotations.objects] == ["a"]


@pytest.mark.parametrize("deep", [np.uint8, np.uint16])
def test_alpha_says_what_stays_where_there_are_no_objects(deep: type) -> None:
    most = np.iinfo(deep).max
    alpha = np.zeros((48, 64), deep)
    alpha[:, :32] = most
    alpha[:, 32] = most // 4 + 1
    before = Picture(np.full((48, 64), 0, deep), alpha=alpha, mask=Mask(np.ones((48, 64), np.uint8)))
    behind = Picture(np.full((48, 64), most, deep))
    after, _ = Background("backgrounds").apply(before, [behind], {"objects": 0, "u": 0.0, "v": 0.0}, RULES)
    assert (after.pixels[:, :32] == 0).all() and (after.pixels[:, 33:] == most).all()
    assert after.pixels[0, 32] == pytest.approx(most * 0.75, rel=0.01)
    assert (after.alpha == most).all()
    assert (after.mask.values[:, :32] == 1).all() and (after.mask.values[:, 32:] == 255).all()


def test_nothing_to_keep_is_left_as_it_is() -> None:
    empty = replace(picture(), mask=None, instances=None)
    behind = Picture(np.full((48, 64, 3), 255, np.uint8))
    transform = Background("backgrounds")
    assert transform.apply(empty, [behind], drawn(transform, empty, behind), RULES) == (empty, ())
    assert transform.need().kind == "folder" and transform.need().folder == "backgrounds"
    with pytest.raises(ValueError, match="`folder` is empty"):
        Background(" ")
