"""Policies against the tables of their papers, and their ops against Pillow."""

from __future__ import annotations

import math
from array import array
from collections import Counter
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageOps

from augx.errors import ImageError
from augx.model import Annotations, Box, Mask, Object, Picture, Step
from augx.seeds import Rng
from augx.transforms.catalog import TRANSFORMS
from augx.transforms.classical import Classical
from augx.transforms.own import base
from augx.transforms.own.pillow import Sharpness
from augx.transforms.own.policies import AutoAugment, FilePolicy, RandAugment, TrivialAugment
from augx.transforms.own.policy_tables import (
    AUTOAUGMENT,
    AUTOAUGMENT_SMALL,
    POLICIES,
    RANDAUGMENT,
    STANDARD,
    WIDE,
    step,
)
from augx.transforms.pipeline import Pipeline
from augx.transforms.problems import check

DRAWS = 10_000
# Chi-square at p = 0.01 for so many degrees of freedom, from a table of quantiles.
CHI_SQUARE = {1: 6.635, 9: 21.666, 13: 27.688, 24: 42.980, 30: 50.892}
SIGNED = {"Rotate", "ShearX", "ShearY", "TranslateX", "TranslateY"}
PLAIN = {"Identity", "AutoContrast", "Equalize", "Invert"}

_y, _x = np.mgrid[0:48, 0:64]
_noise = np.random.default_rng(3)
PICTURES = {
    "smooth": np.stack([_x * 3, _y * 4, _x + 2 * _y], -1).astype(np.uint8),
    "noise": _noise.integers(0, 256, (48, 64, 3), dtype=np.uint8),
    "pale": _noise.integers(90, 140, (48, 64, 3), dtype=np.uint8),
    "dark": (_noise.random((48, 64, 3)) ** 4 * 255).astype(np.uint8),
    "flat": np.full((9, 9, 3), 77, np.uint8),
    "two": np.repeat(np.array([[0, 255]], np.uint8), 3, axis=0).repeat(40, axis=1)[..., None].repeat(3, axis=2),
    "sparkles": np.where(_noise.random((48, 64, 3)) < 0.1, 255, _noise.integers(20, 90, (48, 64, 3))).astype(np.uint8),
    "one": np.full((1, 1, 3), 200, np.uint8),
    "grey": _noise.integers(0, 256, (48, 64), dtype=np.uint8),
}


def drawn(policy: base.Policy, count: int = DRAWS) -> list[tuple[dict[str, Any], Any]]:
    rng = Rng()
    return [policy.choose(rng.at(7, f"{index}.png", 1, "0"), False) for index in range(count)]


def chi_square(found: Counter[Any], expected: dict[Any, float]) -> float:
    assert set(found) <= set(expected)
    total = sum(found.values())
    return sum((found[key] - total * share) ** 2 / (total * share) for key, share in expected.items())


def evenly(found: Counter[Any], keys: Any) -> bool:
    keys = list(keys)
    return chi_square(found, dict.fromkeys(keys, 1 / len(keys))) < CHI_SQUARE[len(keys) - 1]


def run(done: Step | None, pixels: np.ndarray) -> np.ndarray:
    if done is None:
        return pixels
    assert check(done.name, done.args) == []
    picture, rng = Picture(pixels), Rng().at(1, "a", 0, "0")
    transform = base.make(done.name, done.args) if TRANSFORMS[done.name].own else Classical(done.name, done.args)
    result: np.ndarray = transform.apply(picture, transform.draw(picture, rng)).pixels
    assert result.shape == pixels.shape and result.dtype == pixels.dtype and result.flags.c_contiguous
    return result


# Tables


def test_the_ranges_of_autoaugment_and_randaugment() -> None:
    """Table 6 of AutoAugment; RandAugment has the same without Invert, and Identity: 14."""
    ends = {op: (scale.at(0), scale.at(1), scale.signed) for op, scale in STANDARD.items() if scale}
    assert ends == {
        "ShearX": (0, 0.3, True),
        "ShearY": (0, 0.3, True),
        "TranslateX": (0, round(150 / 331, 9), True),
        "TranslateY": (0, round(150 / 331, 9), True),
        "Rotate": (0, 30, True),
        "Solarize": (256, 0, False),
        "Posterize": (8, 4, False),
        "Contrast": (0.1, 1.9, False),
        "Color": (0.1, 1.9, False),
        "Brightness": (0.1, 1.9, False),
        "Sharpness": (0.1, 1.9, False),
    }
    assert len(RANDAUGMENT) == len(set(RANDAUGMENT)) == 14
    assert set(RANDAUGMENT) - set(ends) == {"Identity", "AutoContrast", "Equalize"}
    assert set(AUTOAUGMENT) == set(RANDAUGMENT) | {"Invert"} and all(AUTOAUGMENT[op] is None for op in PLAIN)
    other = {op: scale.at(1) for op, scale in AUTOAUGMENT_SMALL.items() if scale and scale != AUTOAUGMENT[op]}
    assert other == {"TranslateX": 10 / 32, "TranslateY": 10 / 32} and set(AUTOAUGMENT_SMALL) == set(AUTOAUGMENT)


def test_the_wide_ranges_of_trivialaugment() -> None:
    ends = {op: (scale.at(0), scale.at(1)) for op, scale in WIDE.items() if scale}
    assert ends == {
        **dict.fromkeys(("ShearX", "ShearY"), (0, 0.99)),
        **dict.fromkeys(("TranslateX", "TranslateY"), (0, 32)),
        "Rotate": (0, 135),
        "Solarize": (256, 0),
        "Posterize": (8, 2),
        **dict.fromkeys(("Contrast", "Color", "Brightness", "Sharpness"), (0.01, 2.0)),
    }
    assert tuple(WIDE) == RANDAUGMENT


def test_ten_levels_evenly_over_each_range() -> None:
    def levels(op: str) -> list[float]:
        scale = AUTOAUGMENT[op]
        assert scale is not None
        return [scale.at(level / 9) for level in range(10)]

    assert levels("Color") == pytest.approx([0.1, 0.3, 0.5, 0.7, 0.9, 1.1, 1.3, 1.5, 1.7, 1.9])
    assert levels("Rotate") == pytest.approx([0, 10 / 3, 20 / 3, 10, 40 / 3, 50 / 3, 20, 70 / 3, 80 / 3, 30])
    assert levels("ShearX") == pytest.approx([level / 30 for level in range(10)])
    assert levels("Posterize") == [8, 8, 7, 7, 6, 6, 5, 5, 4, 4]
    assert levels("Solarize") == [256, 228, 199, 171, 142, 114, 85, 57, 28, 0]


def test_beyond_the_papers_range_the_line_goes_on_as_far_as_it_can() -> None:
    def at(op: str, m: float) -> float:
        scale = STANDARD[op]
        assert scale is not None
        return scale.at(m / 10)

    assert [at("Rotate", m) for m in (9, 17, 28)] == [27, 51, 84]
    assert [at("Posterize", m) for m in (0, 5, 10, 15, 20, 30)] == [8, 6, 4, 2, 1, 1]
    assert [at("Solarize", m) for m in (5, 10, 11, 30)] == [128, 0, 0, 0]
    assert at("Color", 30) == pytest.approx(5.5)


def test_the_policies_are_those_of_the_papers() -> None:
    assert {name: len(table) for name, table in POLICIES.items()} == {"cifar10": 25, "svhn": 25, "imagenet": 25}
    for table in POLICIES.values():
        for op, p, level in (line for both in table for line in both):
            assert op in AUTOAUGMENT and 0 <= p <= 1 and p * 10 == pytest.approx(round(p * 10)) and 0 <= level <= 9
    # Rows of tables 7, 8 and 9.
    assert POLICIES["cifar10"][0] == (("Invert", 0.1, 7), ("Contrast", 0.2, 6))
    assert POLICIES["cifar10"][10] == (("Color", 0.7, 7), ("TranslateX", 0.5, 8))
    assert POLICIES["cifar10"][24] == (("TranslateY", 0.7, 9), ("AutoContrast", 0.9, 1))
    assert POLICIES["svhn"][0] == (("ShearX", 0.9, 4), ("Invert", 0.2, 3))
    assert POLICIES["svhn"][14] == (("Contrast", 0.3, 3), ("Rotate", 0.8, 4))
    assert POLICIES["svhn"][24] == (("ShearX", 0.7, 2), ("Invert", 0.1, 5))
    assert POLICIES["imagenet"][0] == (("Posterize", 0.4, 8), ("Rotate", 0.6, 9))
    assert POLICIES["imagenet"][17] == (("Sharpness", 0.4, 7), ("Invert", 0.6, 8))
    assert POLICIES["imagenet"][24] == (("Equalize", 0.8, 8), ("Equalize", 0.6, 3))
    # How often each op is there, counted by hand.
    tallies = {
        "cifar10": "Equalize 9 AutoContrast 7 TranslateY 5 Sharpness 5 Color 5 Brightness 4 Solarize 4 Invert 3 "
        "Contrast 2 TranslateX 2 ShearY 2 Rotate 1 Posterize 1",
        "svhn": "Invert 12 ShearY 8 ShearX 6 Equalize 6 Solarize 5 Rotate 4 TranslateY 4 AutoContrast 3 Contrast 1 "
        "TranslateX 1",
        "imagenet": "Equalize 17 Solarize 7 Rotate 6 Color 6 Posterize 5 Invert 3 AutoContrast 2 Contrast 2 "
        "Sharpness 1 ShearX 1",
    }
    for name, tally in tallies.items():
        words = tally.split()
        assert Counter(op for both in POLICIES[name] for op, _, _ in both) == {
            op: int(count) for op, count in zip(words[::2], words[1::2], strict=True)
        }


# Draws


def test_randaugment_draws_as_the_paper_says() -> None:
    found = drawn(RandAugment())
    ops = [op for recorded, _ in found for op in recorded["ops"]]
    assert all(len(recorded["ops"]) == 2 for recorded, _ in found) and len(ops) == 2 * DRAWS
    assert evenly(Counter(op[0] for op in ops), RANDAUGMENT)
    pairs = Counter(recorded["ops"][0][0] == recorded["ops"][1][0] for recorded, _ in found)
    assert chi_square(pairs, {True: 1 / 14, False: 13 / 14}) < CHI_SQUARE[1]  # with replacement
    for op in SIGNED:
        assert evenly(Counter(one[2] > 0 for one in ops if one[0] == op), (True, False))
    for one in ops:
        scale = STANDARD[one[0]]
        if scale is None:
            assert len(one) == 1
        else:
            assert one[1] == 9 and (abs(one[2]) if scale.signed else one[2]) == scale.at(0.9)
    values = {one[0]: abs(one[2]) for one in ops if len(one) == 3}
    assert values == {
        **dict.fromkeys(("ShearX", "ShearY"), 0.27),
        "Rotate": 27,
        "Solarize": 26,
        "Posterize": 4,
        **dict.fromkeys(("Color", "Contrast", "Brightness", "Sharpness"), 1.72),
        **dict.fromkeys(("TranslateX", "TranslateY"), pytest.approx(0.9 * 150 / 331, abs=1e-8)),
    }


@pytest.mark.parametrize(("space", "scales"), [("wide", WIDE), ("randaugment", STANDARD)])
def test_trivialaugment_draws_as_the_paper_says(space: str, scales: Any) -> None:
    ops = [op for recorded, _ in drawn(TrivialAugment(space=space)) for op in recorded["ops"]]
    assert len(ops) == DRAWS and evenly(Counter(op[0] for op in ops), RANDAUGMENT)
    assert evenly(Counter(op[1] for op in ops if len(op) == 3), range(31))
    for name in SIGNED:
        assert evenly(Counter(op[2] > 0 for op in ops if op[0] == name and op[2]), (True, False))
    for name, *rest in ops:
        if rest:
            strength, value = rest
            assert (abs(value) if name in SIGNED else value) == scales[name].at(strength / 30)


@pytest.mark.parametrize("table", ["cifar10", "svhn", "imagenet"])
def test_autoaugment_draws_as_the_paper_says(table: str) -> None:
    found = drawn(AutoAugment(table=table))
    assert evenly(Counter(recorded["policy"] for recorded, _ in found), range(25))
    space = AUTOAUGMENT if table == "imagenet" else AUTOAUGMENT_SMALL
    for one in (one for recorded, _ in found for one in recorded["ops"] if len(one) == 3):
        scale = space[one[0]]
        assert scale and (abs(one[2]) if one[0] in SIGNED else one[2]) == scale.at(one[1] / 9)
    total, variance, applied = 0.0, 0.0, 0
    for index, ((op, p, level), (other, q, _)) in enumerate(POLICIES[table]):
        here = [recorded["ops"] for recorded, _ in found if recorded["policy"] == index]
        both = Counter(tuple(one[0] for one in ops) for ops in here)
        assert set(both) <= {(), (op,), (other,), (op, other)}
        if AUTOAUGMENT[op] is not None:
            assert {one[1] for ops in here for one in ops[:1] if one[0] == op and op != other} <= {level}
        applied += sum(map(len, here))
        total += len(here) * (p + q)
        variance += len(here) * (p * (1 - p) + q * (1 - q))
        if op != other and 0.05 < p < 0.95:  # is the first there as often as it should be?
            assert abs(sum(n for ops, n in both.items() if op in ops) - len(here) * p) < 4 * math.sqrt(
                len(here) * p * (1 - p)
            )
    assert abs(applied - total) < 2.576 * math.sqrt(variance)


def test_the_same_place_draws_the_same() -> None:
    for policy in (RandAugment(), TrivialAugment(), AutoAugment(), FilePolicy([[{"Rotate": {"p": 0.5, "m": 3}}]])):
        once = [policy.choose(Rng().at(1, "a", copy, "0"), True) for copy in range(20)]
        assert once == [policy.choose(Rng().at(1, "a", copy, "0"), False) for copy in range(20)]
        assert len({str(one) for one in once}) > 1


# Ops


@pytest.mark.parametrize("name", list(PICTURES))
def test_ops_do_what_pillow_does(name: str) -> None:
    pixels = PICTURES[name]
    image = Image.fromarray(pixels)
    assert (run(step("Equalize", 0, 0), pixels) == np.array(ImageOps.equalize(image))).all()
    assert (run(step("Invert", 0, 0), pixels) == np.array(ImageOps.invert(image))).all()
    for threshold in (*range(0, 256, 5), 1, 254, 256):
        assert (run(step("Solarize", threshold, 0), pixels) == np.array(ImageOps.solarize(image, threshold))).all()
    for bits in range(1, 9):
        assert (run(step("Posterize", bits, 0), pixels) == np.array(ImageOps.posterize(image, bits))).all()
    assert np.abs(run(step("AutoContrast", 0, 0), pixels) - np.array(ImageOps.autocontrast(image), int)).max() <= 1
    for op in ("Brightness", "Contrast", "Color", "Sharpness"):
        # Pillow cuts decimals off where OpenCV rounds, in the grey of Color too.
        most = 2 if op == "Color" else 1
        for factor in (0.01, 0.1, 0.3, 0.9, 1, 1.1, 1.72, 1.9, 2):
            wanted = np.array(getattr(ImageEnhance, op)(image).enhance(factor), int)
            assert np.abs(run(step(op, factor, 0), pixels) - wanted).max() <= most, (op, factor)


@pytest.mark.parametrize("op", sorted(SIGNED))
@pytest.mark.parametrize("sign", [1, -1])
def test_moving_ops_are_these_matrices(op: str, sign: int) -> None:
    pixels = np.zeros((41, 61, 3), np.uint8)
    pixels[12:15, 37:40] = 255
    across, down = 38.5 - 30.5, 13.5 - 20.5  # of the white square, from the middle
    angle = math.radians(20)
    value, dx, dy = {
        "Rotate": (
            20,
            across * math.cos(angle) + sign * down * math.sin(angle),
            down * math.cos(angle) - sign * across * math.sin(angle),
        ),
        "ShearX": (0.3, across - sign * 0.3 * down, down),
        "ShearY": (0.3, across, down - sign * 0.3 * across),
        "TranslateX": (0.2, across + sign * 12, down),
        "TranslateY": (0.2, across, down + sign * 8),
    }[op]
    moved = run(step(op, sign * value, 0), pixels)[..., 0].astype(float)
    y, x = np.mgrid[0:41, 0:61] + 0.5
    assert (moved * x).sum() / moved.sum() - 30.5 == pytest.approx(dx, abs=0.1)
    assert (moved * y).sum() / moved.sum() - 20.5 == pytest.approx(dy, abs=0.1)
    filled = run(step(op, sign * value, [9, 8, 7]), np.full((41, 61, 3), 200, np.uint8))
    assert {tuple(one) for one in filled.reshape(-1, 3).tolist()} >= {(9, 8, 7), (200, 200, 200)}


def test_pixels_of_trivialaugment() -> None:
    pixels = PICTURES["noise"]
    moved = run(step("TranslateX", 32, 128, pixels=True), pixels)
    assert (moved[:, 32:] == pixels[:, :32]).all() and (moved[:, :32] == 128).all()


def test_nothing_to_do_is_no_step() -> None:
    nothing = [("Identity", 0), ("Rotate", 0), ("ShearX", 0), ("TranslateY", 0), ("Color", 1), ("Posterize", 8)]
    assert [step(op, value, 0) for op, value in [*nothing, ("Solarize", 256), ("Sharpness", 1)]] == [None] * 8


def test_ops_by_themselves() -> None:
    deep = np.random.default_rng(1).integers(0, 65536, (7, 9), dtype=np.uint16)
    smooth = Sharpness(factor_range=[0, 0]).apply(Picture(deep), {"factor": 0.0}).pixels
    window = deep[2:5, 3:6].astype(float)
    assert abs(smooth[3, 4] - (window.sum() + 4 * window[1, 1]) / 13) <= 1 and (smooth[0] == deep[0]).all()
    rng = Rng()
    factors = [Sharpness().draw(Picture(deep), rng.at(1, "a", copy, "0"))["factor"] for copy in range(200)]
    assert 0.1 <= min(factors) < 0.2 and 1.8 < max(factors) <= 1.9
    for name in ("pillow_equalize", "pillow_autocontrast"):
        with pytest.raises(ImageError, match=f"{name} works on 8 bits only"):
            base.make(name, {}).apply(Picture(deep), {})


# Labels


def _box(x0: int, y0: int, x1: int, y1: int) -> tuple[np.ndarray, Box]:
    pixels = np.full((100, 160, 3), 30, np.uint8)
    pixels[y0:y1, x0:x1] = 250
    return pixels, (float(x0), float(y0), float(x1), float(y1))


@pytest.mark.parametrize("op", sorted(SIGNED))
def test_labels_go_where_the_pixels_go(op: str) -> None:
    pixels, box = _box(70, 40, 100, 60)
    corners = [70, 40, 100, 40, 100, 60, 70, 60]
    known = Object("car", box=box, rings=(array("d", corners),), keypoints=array("d", [71, 41, 2]))
    mask = np.where(pixels[..., 0] > 128, 5, 0).astype(np.uint8)
    picture = Picture(pixels, annotations=Annotations(objects=(known,)), mask=Mask(mask), instances=Mask(mask))
    steps = [Step("policy", {"policies": [[{op: {"m": 7}}]]})]
    rng = Rng()
    moved, applied, dropped = Pipeline(steps)(picture, lambda stream: rng.at(5, "a.png", 1, stream))[:3]
    assert [one.name for one in applied] == ["policy", "Affine"] and not dropped
    ((name, m, value),) = applied[0].params["ops"]
    assert (name, m) == (op, 7) and abs(value) > 0
    # The matrix, by hand.
    turn = math.radians(value) if op == "Rotate" else 0.0
    matrix = np.array([[math.cos(turn), math.sin(turn)], [-math.sin(turn), math.cos(turn)]])
    if op.startswith("Shear"):
        matrix[(0, 1) if op == "ShearX" else (1, 0)] = -value
    shift = np.array([int(value * 160) * (op == "TranslateX"), int(value * 100) * (op == "TranslateY")])
    places = (np.array(corners, float).reshape(-1, 2) - (80, 50)) @ matrix.T + (80, 50) + shift
    (thing,) = moved.annotations.objects
    assert thing.box == pytest.approx([*places.min(axis=0), *places.max(axis=0)], abs=0.01)
    assert thing.keypoints is not None
    wanted = (np.array([71, 41.0]) - (80, 50)) @ matrix.T + (80, 50) + shift
    assert list(thing.keypoints[:2]) == pytest.approx(wanted.tolist(), abs=0.01)
    y, x = np.nonzero(moved.pixels[..., 0] > 180)  # 128 comes in from outside
    assert thing.box == pytest.approx([x.min(), y.min(), x.max() + 1, y.max() + 1], abs=1.01)
    assert moved.mask is not None and moved.instances is not None
    assert (moved.mask.values != (moved.pixels[..., 0] > 180) * 5).mean() < 0.005
    assert (moved.instances.values != moved.mask.values).sum() == 0


@pytest.mark.parametrize("policy", ["randaugment", "trivialaugment", "autoaugment"])
def test_every_choice_runs_on_every_picture(policy: str) -> None:
    steps = {str(one): one for _, chosen in drawn(base.make(policy, {}), 300) for one in chosen}
    assert len(steps) > 12
    for one in list(steps.values())[:60]:
        for name in ("smooth", "one", "grey"):
            run(one, PICTURES[name])


# Files


def test_a_policy_from_a_file() -> None:
    written = [
        [{"Rotate": {"p": 0.7, "m": 4}}, {"Equalize": {"p": 0.8}}],
        [{"Affine": {"scale": [0.8, 1.2], "p": 0.5}}, "Invert"],
        [{"Solarize": {"threshold_range": [0.2, 0.4]}}],
        [],
    ]
    assert check("policy", {"policies": written}) == []
    found = drawn(FilePolicy(written, fill=7), 4000)
    seen = Counter((recorded["policy"], *(op[0] for op in recorded["ops"])) for recorded, _ in found)
    shares = {
        (0,): 0.06,
        (0, "Rotate"): 0.14,
        (0, "Equalize"): 0.24,
        (0, "Rotate", "Equalize"): 0.56,
        (1, "Invert"): 0.5,
        (1, "Affine", "Invert"): 0.5,
        (2, "Solarize"): 1,
        (3,): 1,
    }
    assert chi_square(seen, {key: share / 4 for key, share in shares.items()}) < 18.475  # 7 degrees of freedom
    steps = {one.name: one for _, chosen in found for one in chosen if "scale" not in one.args}
    assert {op[1:][0] for recorded, _ in found for op in recorded["ops"] if op[0] == "Rotate"} == {4}
    assert {tuple(map(abs, one.args["rotate"])) for one in [steps["Affine"]]} == {(12, 12)}
    assert steps["Affine"].args["fill"] == 7 and steps["Solarize"].args == {"threshold_range": [0.2, 0.4]}
    assert {one.args["scale"][1] for _, chosen in found for one in chosen if "scale" in one.args} == {1.2}


@pytest.mark.parametrize(
    ("op", "message"),
    [
        ({"Rotat": {"m": 1}}, "unknown op 'Rotat'; did you mean 'Rotate'?"),
        ({"Qqqq": {}}, "unknown op 'Qqqq'"),
        ({"Rotate": {"p": 0.7}}, "Rotate needs its magnitude m, from 0 to 10 (the end of the paper's range)"),
        ({"Equalize": {"m": 3}}, "Equalize has no magnitude; leave out m"),
        ({"Rotate": {"m": 31}}, "m of Rotate must be a number from 0 to 30, got 31"),
        ({"Rotate": {"m": True}}, "m of Rotate must be a number from 0 to 30, got True"),
        ({"Rotate": {"m": 3, "p": 1.5}}, "p of Rotate must be a number from 0 to 1, got 1.5"),
        ({"Blur": {"blur_limt": 3}}, "Blur.blur_limt: no such argument; did you mean 'blur_limit'?"),
        ({"sharpness": {"factor_range": [3, 1]}}, "sharpness.factor_range: low must come first, got [3, 1]"),
        ({"mixup": {}}, "mixup is a mix and cannot be an op; make it a step of the recipe"),
        ({"OneOf": {}}, "OneOf is a group and cannot be an op; make it a step of the recipe"),
        ({"randaugment": {}}, "randaugment is a policy and cannot be an op; make it a step of the recipe"),
        ({"Rotate": 3}, "the arguments of Rotate must be a mapping like {p: 0.7, m: 4}"),
        ({"Rotate": {"m": 3}, "Invert": {}}, "expected one op like {Rotate: {p: 0.7, m: 4}}"),
    ],
)
def test_what_is_wrong_in_a_file_is_said_with_its_place(op: Any, message: str) -> None:
    with pytest.raises(ValueError) as caught:
        FilePolicy([["Invert"], ["Invert", op]])
    assert str(caught.value) == f"policies[1][1]: {message}"


def test_a_file_that_is_no_policy() -> None:
    with pytest.raises(ValueError, match=r"policies\[0\]: expected a list of ops"):
        FilePolicy([{"Invert": {}}])
    with pytest.raises(ValueError, match="policies must be a list of lists"):
        FilePolicy([])
    assert check("policy", {"policies": []}) and check("policy", {})
