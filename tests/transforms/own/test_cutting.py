"""cutmix, resizemix, fmix: labels against pixels, weights against area."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from mixes import HARD, RULES, decoded, fitting, held, run_lengths, scene, seen, stream

from augx.geometry import flat, pairs
from augx.model import Annotations, LabelOptions, Object, Picture
from augx.transforms.own.base import Mix, Rules
from augx.transforms.own.cutting import Cutmix, Fmix, Resizemix

ALL: list[Mix] = [Cutmix(), Resizemix(), Fmix()]
IDS = ["cutmix", "resizemix", "fmix"]


def mixed(mix: Mix, pictures: list[Picture], seed: int, rules: Rules = RULES) -> Any:
    params = mix.draw(pictures[0], pictures[1:], stream(seed), rules)
    picture, lost = mix.apply(pictures[0], pictures[1:], params, rules)
    return params, picture, lost


def area(mix: Mix, pictures: list[Picture], params: Any) -> float:
    """The share of the other picture, counted in pixels."""
    black, white = (replace(one, pixels=np.full_like(one.pixels, 255 * who)) for who, one in enumerate(pictures))
    pasted, _ = mix.apply(black, [white], params, RULES)
    return float((pasted.pixels[..., 0] == 255).mean())


@pytest.mark.parametrize("mix", ALL, ids=IDS)
@pytest.mark.parametrize("third", ["box", "obb", "quad", "instance"])
@pytest.mark.parametrize("tags", [(0, 1), (4, 3), (5, 8)])
def test_labels_are_where_the_pixels_are(mix: Mix, third: str, tags: tuple[int, int]) -> None:
    pictures = [scene(tag, third) for tag in tags]
    count = 0
    for seed in range(3):
        params, picture, lost = mixed(mix, pictures, seed)
        count += held(picture, lost, seen(mix, pictures, params))
    assert count > 9


@pytest.mark.parametrize("by", [(1.2, 0), (-1.2, 0), (0, 1.2), (0, -1.2)])
@pytest.mark.parametrize("mix", ALL, ids=IDS)
def test_labels_that_are_off_are_seen(mix: Mix, by: tuple[float, float]) -> None:
    """Each label in its turn is moved by little more than a pixel, masks by one."""
    count = 0
    for third, parts in (("box", "012"), ("obb", "2"), ("quad", "2")):
        pictures = [scene(tag, third) for tag in (0, 2)]
        params, picture, _ = mixed(mix, pictures, 3)
        known = {thing.label: thing for thing in picture.annotations.objects}
        for view in seen(mix, pictures, params):
            for source in view.picture.annotations.objects if view else ():
                if source.label in known and source.label[-1] in parts:
                    fitting(known[source.label], source, view)
                    with pytest.raises(AssertionError):
                        fitting(moved(known[source.label], by), source, view)
                    count += 1
    assert count > 4


def moved(thing: Object, by: tuple[float, float]) -> Object:
    rle, box = thing.rle, thing.box
    if rle is not None:
        x, y = map(round, by)
        rle = run_lengths(np.roll(decoded(rle), (y, x), (0, 1)))
    elif box is not None:
        box = (box[0] + by[0], box[1] + by[1], box[2] + by[0], box[3] + by[1])
    corners = None if thing.corners is None else flat(pairs(thing.corners) + by)
    rings = tuple(flat(pairs(ring) + by) for ring in thing.rings)
    return replace(thing, box=box, rings=rings, rle=rle, corners=corners)


@pytest.mark.parametrize("mix", ALL, ids=IDS)
def test_weights_are_the_area(mix: Mix) -> None:
    for tag in (1, 4, 6):
        pictures = [scene(0), scene(tag)]
        for seed in range(5):
            params, picture, _ = mixed(mix, pictures, seed)
            labels = picture.annotations.labels
            assert sum(labels.values()) == pytest.approx(1, abs=1e-12)
            assert labels.get(f"class{tag}", 0) == pytest.approx(area(mix, pictures, params), abs=1e-8)


def test_an_empty_box_leaves_the_picture() -> None:
    picture = replace(scene(0), annotations=replace(scene(0).annotations, labels={"a": 1.0, "b": 1.0}))
    result, lost = Cutmix().apply(picture, [scene(1)], {"lambda": 1.0, "box": [5, 5, 5, 9]}, RULES)
    assert result.pixels is picture.pixels and not lost
    assert result.annotations.objects == picture.annotations.objects
    assert result.annotations.labels == {"a": 1.0, "b": 1.0}


@pytest.mark.parametrize("mix", ALL, ids=IDS)
def test_hard_labels_keep_half(mix: Mix) -> None:
    for size in ((120, 90), (3, 5), (1, 1), (2, 1)):
        pictures = [scene(0, size=size), scene(1)]
        for seed in range(12):
            _, picture, _ = mixed(mix, pictures, seed, HARD)
            assert picture.annotations.labels.get("class0", 0) >= 0.5
            assert (picture.width, picture.height) == size


def test_cutmix_draws_as_the_paper_does() -> None:
    """lambda is uniform for alpha 1, the sides are the root of its rest, the centre is anywhere."""
    picture = scene(4)
    drawn = [Cutmix().draw(picture, [picture], stream(seed), RULES) for seed in range(600)]
    shares = np.sort([one["lambda"] for one in drawn])
    assert np.abs(shares - (np.arange(600) + 0.5) / 600).max() < 1.63 / math.sqrt(600)  # Kolmogorov, p 0.01
    for one in drawn:
        x0, y0, x1, y1 = one["box"]
        side = math.sqrt(1 - one["lambda"])
        assert x1 - x0 <= int(side * picture.width) and y1 - y0 <= int(side * picture.height)
        if x0 > 0 and x1 < picture.width:
            assert x1 - x0 == int(side * picture.width)
    centres = np.array([(one["box"][0] + one["box"][2]) / 2 for one in drawn])
    assert abs(centres.mean() / picture.width - 0.5) < 0.03


def test_cutmix_takes_the_same_place() -> None:
    rng = np.random.default_rng(1)
    one, other = (Picture(rng.integers(0, 65536, (40, 50), dtype=np.uint16)) for _ in range(2))
    for seed in range(10):
        params, picture, _ = mixed(Cutmix(), [one, other], seed)
        x0, y0, x1, y1 = params["box"]
        expected = one.pixels.copy()
        expected[y0:y1, x0:x1] = other.pixels[y0:y1, x0:x1]
        assert (picture.pixels == expected).all() and picture.pixels.dtype == np.uint16


def test_keypoints_under_the_patch_are_hidden_and_those_outside_it_gone() -> None:
    pictures = [scene(0), scene(1)]
    for seed in range(20):
        params, picture, _ = mixed(Cutmix(), pictures, seed)
        x0, y0, x1, y1 = params["box"]
        for thing in picture.annotations.objects:
            if thing.keypoints is None:
                continue
            source = pictures[thing.label[0] == "1"].annotations.objects[0].keypoints
            assert source is not None
            for new, old in zip(np.reshape(thing.keypoints, (-1, 3)), np.reshape(source, (-1, 3)), strict=True):
                patch = x0 <= old[0] < x1 and y0 <= old[1] < y1
                if thing.label == "00":
                    assert new.tolist() == [*old[:2], 1 if patch and old[2] else old[2]]
                else:
                    assert new.tolist() == ([*old[:2].round(3), old[2]] if patch else [0, 0, 0])


def test_a_box_closes_around_what_is_left() -> None:
    boxes = {"left": (2.5, 4.5, 20.5, 12.5), "whole": (1.0, 1.0, 3.0, 3.0), "middle": (0.0, 0.0, 40.0, 30.0)}
    known = Annotations(objects=tuple(Object(name, box) for name, box in boxes.items()))
    picture = Picture(np.zeros((30, 40, 3), np.uint8), annotations=known)
    other = Picture(np.zeros((30, 40, 3), np.uint8))
    result, lost = Cutmix().apply(picture, [other], {"lambda": 0.5, "box": [10, 2, 25, 20]}, RULES)
    found = {thing.label: thing.box for thing in result.annotations.objects}
    assert found == {"left": (2.5, 4.5, 10.0, 12.5), "whole": boxes["whole"], "middle": boxes["middle"]}
    assert not lost
    half = Rules(LabelOptions(min_visibility=0.5), {})
    _, lost = Cutmix().apply(picture, [other], {"lambda": 0.5, "box": [10, 2, 25, 20]}, half)
    assert [(one.label, one.reason) for one in lost] == [("left", "min_visibility")]
    assert lost[0].visibility == pytest.approx(7.5 / 18)
    _, lost = Cutmix().apply(picture, [other], {"lambda": 0.5, "box": [1, 1, 3, 3]}, half)
    assert [(one.label, one.reason, one.visibility) for one in lost] == [("whole", "hidden", 0.0)]


def test_resizemix_pastes_the_whole_picture() -> None:
    other = scene(1, size=(240, 90))
    for seed in range(10):
        params, picture, lost = mixed(Resizemix(), [replace(scene(0), annotations=Annotations()), other], seed)
        x0, y0, x1, y1 = params["box"]
        assert 0 <= x0 < x1 <= 120 and 0 <= y0 < y1 <= 90
        assert x1 - x0 == int(params["scale"] * 120 + 1e-9) and abs((y1 - y0) - (x1 - x0) * 90 / 240) <= 1
        known = {thing.label: thing for thing in picture.annotations.objects}
        assert len(known) + len(lost) == 3
        box, old = known["12"].box, other.annotations.objects[2].box
        assert box is not None and old is not None
        scales = np.array([(x1 - x0) / 240, (y1 - y0) / 90] * 2)
        assert np.allclose(box, np.array(old) * scales + (x0, y0, x0, y0), atol=2e-3)


def test_fmix_keeps_an_exact_share_in_few_pieces() -> None:
    fmix = Fmix()
    for share in (0.0, 0.3, 1.0):
        region = fmix.region(90, 70, share, 5)
        assert region.sum() == math.floor((1 - share) * 6300)
    region = fmix.region(300, 200, 0.5, 7)
    turns = (region[1:] != region[:-1]).sum() + (region[:, 1:] != region[:, :-1]).sum()
    assert turns < 0.05 * region.size
    assert (region == fmix.region(300, 200, 0.5, 7)).all() and (region != fmix.region(300, 200, 0.5, 8)).any()
    rough = Fmix(decay=1).region(300, 200, 0.5, 7)
    assert (rough[1:] != rough[:-1]).sum() > 5 * (region[1:] != region[:-1]).sum()


@pytest.mark.parametrize("mix", ALL, ids=IDS)
@pytest.mark.parametrize("shape", [(1, 1), (1, 300, 3), (300, 2)])
def test_extreme_pictures(mix: Mix, shape: tuple[int, ...]) -> None:
    picture = Picture(np.full(shape, 7, np.uint8))
    other = Picture(np.full((3, 700, *shape[2:]), 9, np.uint8), alpha=None)
    for one, two in ((picture, other), (other, picture)):
        for seed in range(5):
            _, result, lost = mixed(mix, [one, two], seed)
            assert result.pixels.shape == one.pixels.shape and not lost
            assert set(np.unique(result.pixels)) <= {7, 9}


def test_alpha_goes_along() -> None:
    opaque = np.full((30, 40), 255, np.uint8)
    one = Picture(np.zeros((30, 40, 3), np.uint8), alpha=opaque)
    two = Picture(np.zeros((30, 40, 3), np.uint8), alpha=opaque // 5)
    box = {"lambda": 0.5, "box": [10, 2, 25, 20]}
    result, _ = Cutmix().apply(one, [two], box, RULES)
    assert result.alpha is not None and set(np.unique(result.alpha)) == {51, 255}
    assert (result.alpha[2:20, 10:25] == 51).all() and (result.alpha == 51).sum() == 270
    result, _ = Cutmix().apply(two, [replace(one, alpha=None)], box, RULES)
    assert result.alpha is not None and (result.alpha[2:20, 10:25] == 255).all()


def test_sources_stay_as_they_were() -> None:
    one, two = scene(0), scene(1)
    before = one.pixels.copy(), two.pixels.copy()
    for mix in ALL:
        mixed(mix, [one, two], 3)
    assert (one.pixels == before[0]).all() and (two.pixels == before[1]).all()
