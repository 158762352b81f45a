"""mixup, samplepairing, extrapolate: pixels and weights against the formulae."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from mixes import HARD, RULES, fitting, moved, scene, stream

from augx.model import Annotations, LabelOptions, Mask, Object, Picture
from augx.transforms.own.base import Mix, Need, Rules
from augx.transforms.own.mixup import Extrapolate, Mixup, SamplePairing


def noise(seed: int, shape: tuple[int, ...] = (30, 40, 3), dtype: Any = np.uint8, **labels: float) -> Picture:
    high = np.iinfo(dtype).max + 1
    pixels = np.random.default_rng(seed).integers(0, high, shape, dtype=dtype)
    return Picture(pixels, annotations=Annotations(labels=labels))


def mixed(mix: Mix, pictures: list[Picture], seed: int, rules: Rules = RULES) -> Any:
    params = mix.draw(pictures[0], pictures[1:], stream(seed), rules)
    picture, lost = mix.apply(pictures[0], pictures[1:], params, rules)
    return params, picture, lost


@pytest.mark.parametrize("shape", [(30, 40, 3), (30, 40), (1, 1), (1, 1, 3)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_mixup_is_the_sum(shape: tuple[int, ...], dtype: Any) -> None:
    one, other = noise(1, shape, dtype, cat=1.0), noise(2, shape, dtype, dog=1.0)
    for seed in range(20):
        params, picture, _ = mixed(Mixup(), [one, other], seed)
        share = params["lambda"]
        wanted = share * one.pixels.astype(float) + (1 - share) * other.pixels
        assert np.abs(picture.pixels - wanted).max() <= 1 and picture.pixels.dtype == dtype
        weights = picture.annotations.labels
        assert weights.get("cat", 0) == pytest.approx(share, abs=1e-9)
        assert sum(weights.values()) == pytest.approx(1, abs=1e-12)


def test_lambda_is_from_beta() -> None:
    one = noise(1)
    for alpha in (0.4, 1.0, 8.0):
        drawn = np.array([Mixup(alpha).draw(one, [one], stream(seed), RULES)["lambda"] for seed in range(2000)])
        assert drawn.mean() == pytest.approx(0.5, abs=0.03)
        assert drawn.var() == pytest.approx(1 / (4 * (2 * alpha + 1)), rel=0.1)  # of Beta(a, a)
    hard = [Mixup().draw(one, [one], stream(seed), HARD)["lambda"] for seed in range(200)]
    assert min(hard) >= 0.5


def test_weights_of_several_classes() -> None:
    one, other = noise(1, cat=1.0, dog=1.0), noise(2, dog=0.25, bird=0.75)
    _, picture, _ = (None, *Mixup().apply(one, [other], {"lambda": 0.6}, RULES))
    assert picture.annotations.labels == pytest.approx({"cat": 0.6, "dog": 0.7, "bird": 0.3}, abs=1e-9)
    for share, labels in ((1.0, {"cat": 1.0, "dog": 1.0}), (0.0, {"dog": 0.25, "bird": 0.75})):
        assert Mixup().apply(one, [other], {"lambda": share}, RULES)[0].annotations.labels == labels
    third = 1 / 3
    thirds, _ = Mixup().apply(noise(1, a=third, b=third, c=third), [noise(2)], {"lambda": 0.5}, RULES)
    assert sorted(thirds.annotations.labels.values()) == [0.333333333, 0.333333333, 0.333333334]
    tiny, _ = Mixup().apply(noise(1, a=1.0), [noise(2, b=1.0)], {"lambda": 1 - 1e-9}, RULES)
    assert sum(tiny.annotations.labels.values()) == 1 and min(tiny.annotations.labels.values()) > 0
    assert not Mixup().apply(noise(1), [noise(2)], {"lambda": 0.5}, RULES)[0].annotations.labels


def test_a_partner_of_another_size_covers_the_picture() -> None:
    one = Picture(np.zeros((30, 40, 3), np.uint8))
    levels = np.repeat(np.repeat(np.arange(10, dtype=np.uint8)[:, None] * 20, 20, axis=1)[..., None], 3, axis=2)
    picture, _ = Mixup().apply(one, [Picture(levels)], {"lambda": 0.0}, RULES)  # 20x10, tripled, 10 cut at each side
    assert picture.pixels.shape == (30, 40, 3)
    rows = picture.pixels[:, 20, 0].astype(float)
    wanted = np.clip((np.arange(30) + 0.5) / 3 - 0.5, 0, 9) * 20
    assert np.abs(rows - wanted).max() <= 1


def test_objects_of_both_are_kept() -> None:
    pictures = [scene(0, "instance"), scene(1, "instance")]
    for share, heavy in ((0.7, 0), (0.3, 1)):
        picture, lost = Mixup().apply(pictures[0], pictures[1:], {"lambda": share}, RULES)
        assert not lost and picture.mask is not None and picture.instances is not None
        things = {thing.label: thing for thing in picture.annotations.objects}
        assert list(things) == ["00", "01", "02", "10", "11", "12"]
        mask, instances = pictures[heavy].mask, pictures[heavy].instances
        assert mask is not None and instances is not None
        assert (picture.mask.values == mask.values).all()
        for label, thing in things.items():
            source = pictures[int(label[0])].annotations.objects[int(label[1])]
            assert (thing.rings, thing.rle, thing.keypoints) == (source.rings, source.rle, source.keypoints)
            if int(label[0]) == heavy:
                assert thing.index is not None
                assert ((picture.instances.values == thing.index) == (instances.values == source.index)).all()
            else:
                assert thing.index is None
        alone = things["12" if heavy == 0 else "02"]  # had nothing but its pixels in the mask
        assert alone.box == (60, 52, 108, 84)


@pytest.mark.parametrize("third", ["box", "obb"])
def test_labels_of_a_partner_of_another_size_fit(third: str) -> None:
    one, other = scene(0, third), scene(2, third)
    picture, lost = Mixup().apply(one, [other], {"lambda": 0.5}, RULES)
    known = {thing.label: thing for thing in picture.annotations.objects}
    seen = moved(
        other,
        lambda shown: Mixup().apply(replace(shown, pixels=shown.pixels[:90, :120]), [shown], {"lambda": 0.0}, RULES)[0],
    )
    assert not lost
    for thing in other.annotations.objects:
        fitting(known[thing.label], thing, seen)


def test_faint_objects_go_where_the_recipe_says_so() -> None:
    pictures = [scene(0), scene(1)]
    rules = Rules(LabelOptions(min_visibility=0.2), {})
    picture, lost = Mixup().apply(pictures[0], pictures[1:], {"lambda": 0.9}, rules)
    assert {thing.label for thing in picture.annotations.objects} == {"00", "01", "02"}
    assert [(one.label, one.reason) for one in lost] == [(f"1{part}", "min_visibility") for part in range(3)]
    assert lost[0].visibility == pytest.approx(0.1)
    _, lost = Mixup().apply(pictures[0], pictures[1:], {"lambda": 0.0}, RULES)
    assert {(one.label[0], one.reason) for one in lost if one.label} == {("0", "hidden")}


def test_masks_only_where_the_picture_has_them() -> None:
    one, other = scene(0), scene(1)
    bare = replace(one, mask=None, instances=None)
    picture, _ = Mixup().apply(bare, [other], {"lambda": 0.2}, RULES)
    assert picture.mask is None and picture.instances is None
    assert all(thing.index is None for thing in picture.annotations.objects if thing.label and thing.label[0] == "1")
    lacking = replace(other, mask=None)
    picture, _ = Mixup().apply(one, [lacking], {"lambda": 0.2}, RULES)
    assert picture.mask is not None and one.mask is not None and (picture.mask.values == one.mask.values).all()


def test_panoptic_indexes_stay_apart() -> None:
    known = Annotations(objects=(Object("a", (1, 1, 5, 5), index=7), Object("b", (1, 1, 5, 5), index=300)))
    one = Picture(np.zeros((30, 40, 3), np.uint8), annotations=known)
    picture, _ = Mixup().apply(one, [one], {"lambda": 0.5}, RULES)
    assert [thing.index for thing in picture.annotations.objects] == [7, 300, 301, 302]


def test_samplepairing_is_the_mean_with_the_first_label() -> None:
    one, other = noise(1, cat=1.0), noise(2, dog=1.0)
    one = replace(one, annotations=replace(one.annotations, objects=(Object("x", (1, 1, 5, 5)),)))
    params, picture, lost = mixed(SamplePairing(), [one, other], 0)
    wanted = (one.pixels.astype(float) + other.pixels) / 2
    assert np.abs(picture.pixels - wanted).max() <= 0.5 and not params and not lost
    assert picture.annotations is one.annotations


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_extrapolate_goes_on_from_the_neighbour(dtype: Any) -> None:
    one, other = noise(1, dtype=dtype, cat=1.0), noise(2, dtype=dtype, cat=1.0)
    params, picture, _ = mixed(Extrapolate(), [one, other], 0)
    x, y = one.pixels.astype(float), other.pixels.astype(float)
    assert params == {"lambda": 0.5}
    assert np.abs(picture.pixels - np.clip(x + 0.5 * (x - y), 0, np.iinfo(dtype).max)).max() <= 1
    assert picture.annotations is one.annotations
    drawn = [Extrapolate(lambda_range=[0.2, 0.8]).draw(one, [], stream(seed), RULES)["lambda"] for seed in range(300)]
    assert 0.2 <= min(drawn) < 0.22 and 0.78 < max(drawn) <= 0.8


def test_what_they_need() -> None:
    assert Mixup(partners="other").need() == Need("other")
    assert SamplePairing().need() == Need("any")
    assert Extrapolate().need() == Need("same", nearest=10)


def test_alpha_and_masks_are_the_pictures_own() -> None:
    alpha = np.full((90, 120), 77, np.uint8)
    one, other = replace(scene(0), alpha=alpha), replace(scene(1), alpha=alpha // 7)
    for mix, params in ((Mixup(), {"lambda": 0.8}), (SamplePairing(), {}), (Extrapolate(), {"lambda": 0.5})):
        picture, _ = mix.apply(one, [other], params, RULES)
        assert picture.alpha is alpha
        assert isinstance(picture.mask, Mask) and one.mask is not None
        assert (picture.mask.values == one.mask.values).all()
