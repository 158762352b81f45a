"""Order, groups, streams and what is recorded."""

from __future__ import annotations

import json
import math
import random
import warnings
from array import array
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from augx.errors import ImageError
from augx.model import Annotations, Applied, LabelOptions, Mask, Object, Picture, Step
from augx.seeds import Rng
from augx.transforms.pipeline import Pipeline, parameters

RGB = np.random.default_rng(0).integers(0, 256, (40, 50, 3), np.uint8)
TINY = Picture(RGB[:4, :4].copy())


def at(copy: int = 0) -> Callable[[str], Rng]:
    rng = Rng()
    return lambda path: rng.at(7, "cats/a.jpg", copy, path)


def run(steps: Sequence[Step], copy: int = 0, picture: Picture | None = None) -> tuple[Picture, list[Applied]]:
    return Pipeline(steps)(picture or Picture(RGB), at(copy))[:2]


def leaf(name: str, p: float | None = 1.0, **args: Any) -> Step:
    return Step(name, args, p)


def names(applied: Sequence[Applied]) -> tuple[str, ...]:
    return tuple(one.name for one in applied)


def shares(steps: Sequence[Step], runs: int = 4000) -> dict[tuple[str, ...], float]:
    """How often each sequence of transforms was applied."""
    pipeline, rng = Pipeline(steps), Rng()
    counts = Counter(names(pipeline(TINY, lambda path: rng.at(7, "a", copy, path))[1]) for copy in range(runs))  # noqa: B023
    return {key: count / runs for key, count in counts.items()}


def test_steps_apply_in_order_and_only_what_did_is_listed() -> None:
    steps = [leaf("HorizontalFlip"), leaf("Blur", 0.0), leaf("InvertImg"), leaf("Pad", padding=2)]
    picture, applied = run(steps)
    assert names(applied) == ("HorizontalFlip", "InvertImg", "Pad")
    assert np.array_equal(picture.pixels[2:-2, 2:-2], 255 - RGB[:, ::-1])


def test_no_steps_change_nothing() -> None:
    picture, applied = run([])
    assert picture.pixels is not None and np.array_equal(picture.pixels, RGB) and applied == []


def test_equal_for_equal_places_and_different_elsewhere() -> None:
    steps = [
        leaf("Affine", rotate=[-30, 30]),
        leaf("GaussNoise"),
        Step("OneOf", {}, 1.0, (leaf("Blur"), leaf("CLAHE"))),
    ]
    pipeline = Pipeline(steps)
    first, applied, _ = pipeline(Picture(RGB), at(1))
    pipeline(TINY, at(9))
    again, repeated, _ = pipeline(Picture(RGB), at(1))
    other, _, _ = pipeline(Picture(RGB), at(2))
    assert np.array_equal(first.pixels, again.pixels) and applied == repeated
    assert not np.array_equal(first.pixels, other.pixels)


def test_a_step_put_behind_or_taken_out_of_p_leaves_the_others_draws() -> None:
    alone = run([leaf("Affine", rotate=[-30, 30])])[1][0]
    followed = run([leaf("Affine", rotate=[-30, 30]), leaf("GaussNoise")])[1][0]
    seldom = [run([leaf("Affine", 0.3, rotate=[-30, 30])], copy)[1] for copy in range(40)]
    always = [run([leaf("Affine", rotate=[-30, 30])], copy)[1] for copy in range(40)]
    assert alone == followed
    assert {len(one) for one in seldom} == {0, 1}
    assert all(not one or one == other for one, other in zip(seldom, always, strict=True))


def test_streams_are_named_by_place() -> None:
    seen: list[str] = []
    rng = Rng()

    def look(path: str) -> Rng:
        seen.append(path)
        return rng.at(7, "a", 0, path)

    twice = Step("SomeOf", {"n": 3, "replace": True}, 1.0, (leaf("HorizontalFlip"),))
    nested = Step("Sequential", {}, 1.0, (leaf("InvertImg"), Step("OneOf", {}, 1.0, (leaf("Transpose"),))))
    Pipeline([leaf("NoOp"), nested, twice])(TINY, look)
    assert seen == ["0", "1", "1.0", "1.1", "1.1.0", "2", "2.0", "2.0~1", "2.0~2"]


def test_the_same_member_twice_draws_twice() -> None:
    twice = Step("SomeOf", {"n": 2, "replace": True}, 1.0, (leaf("Rotate"),))
    first, second = run([twice])[1]
    assert first.params != second.params


def test_p_is_a_probability() -> None:
    assert shares([leaf("HorizontalFlip", 0.3)])[("HorizontalFlip",)] == pytest.approx(0.3, abs=0.03)
    assert shares([leaf("HorizontalFlip", None)])[("HorizontalFlip",)] == pytest.approx(0.5, abs=0.03)


def _noting(name: str, called: list[str]) -> Callable[..., Any]:
    def apply(img: Any, **_: Any) -> Any:
        called.append(name)
        return img

    return apply


MEMBERS = (("HorizontalFlip", 0.6), ("InvertImg", 0.9), ("Transpose", 0.1))


@pytest.mark.parametrize(
    ("group", "args", "p"),
    [
        ("OneOf", {}, None),
        ("OneOf", {}, 0.8),
        ("SomeOf", {}, None),
        ("SomeOf", {"n": 2}, 0.7),
        ("SomeOf", {"n": 2, "replace": True}, None),
        ("SomeOf", {"n": 5}, None),
        ("Sequential", {}, None),
        ("Sequential", {}, 1.0),
    ],
)
def test_groups_choose_as_albumentations_does(group: str, args: dict[str, Any], p: float | None) -> None:
    """Both against each other: every share within 5 standard errors."""
    import albumentations

    runs = 4000
    ours = shares([Step(group, args, p, tuple(leaf(*member) for member in MEMBERS))], runs)
    members = [getattr(albumentations, name)(p=own) for name, own in MEMBERS]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # n above the number of members
        chosen = getattr(albumentations, group)(members, **args, **({} if p is None else {"p": p}))
    theirs: Counter[tuple[str, ...]] = Counter()
    compose = albumentations.Compose([chosen])
    # Not Compose(seed=3): that gives every transform a generator of its own with the same seed, so all draw alike.
    compose.set_random_state(np.random.default_rng(3), random.Random(3))
    called: list[str] = []
    for member in members:
        member.apply = _noting(type(member).__name__, called)
        member._set_keys()
    for _ in range(runs):
        called.clear()
        compose(image=TINY.pixels)
        theirs[tuple(called)] += 1
    for key in set(ours) | set(theirs):
        share = theirs[key] / runs
        error = math.sqrt(2 * max(share * (1 - share), 1 / runs) / runs)
        assert ours.get(key, 0) == pytest.approx(share, abs=5 * error), key


def test_oneof_applies_the_chosen_for_certain_by_weight() -> None:
    found = shares([Step("OneOf", {}, 1.0, (leaf("HorizontalFlip", 0.1), leaf("InvertImg", 0.3)))])
    assert found == {("HorizontalFlip",): pytest.approx(0.25, abs=0.03), ("InvertImg",): pytest.approx(0.75, abs=0.03)}


def test_oneof_without_weights_does_nothing() -> None:
    assert shares([Step("OneOf", {}, 1.0, (leaf("HorizontalFlip", 0.0),))], 50) == {(): 1.0}


def test_a_group_chosen_by_oneof_runs_for_certain() -> None:
    inner = Step("SomeOf", {"n": 2}, 0.01, (leaf("HorizontalFlip"), leaf("InvertImg")))
    assert shares([Step("OneOf", {}, 1.0, (inner,))], 50) == {("HorizontalFlip", "InvertImg"): 1.0}


def test_what_fails_says_so() -> None:
    with pytest.raises(ImageError, match="RandomCrop: crop 90x90 is larger than the picture 50x40"):
        run([leaf("HorizontalFlip"), leaf("RandomCrop", height=90, width=90)])


def test_parameters_of_real_transforms() -> None:
    ((_, brightness), (_, noise), (_, crop)) = (
        (one.name, one.params)
        for one in run([leaf("RandomBrightnessContrast"), leaf("GaussNoise"), leaf("RandomCrop", height=9, width=9)])[1]
    )
    assert set(brightness) == {"alpha", "beta"} and 0.8 <= brightness["alpha"] <= 1.2
    assert noise["noise_map"]["shape"] == [40, 50, 3] and len(noise["noise_map"]["blake2b"]) == 16
    assert set(crop) == {"crop_coords"} and crop["crop_coords"][2] - crop["crop_coords"][0] == 9


def test_parameters_are_plain_json() -> None:
    drawn = {
        "shape": (3, 4, 3),
        "interpolation": 1,
        "pad_params": None,
        "angle": np.float64(1.5),
        "k": np.int64(3),
        "on": np.bool_(True),
        "bad": [math.nan, math.inf, 1.0],
        "pair": (1, np.float32(0.5)),
        "matrix": np.eye(2, dtype=np.float32),
        "holes": np.array([[1, 2, 3, 4]]),
        "map": np.arange(1000, dtype=np.float32),
        "many": [[i, i] for i in range(100)],
        "nested": {1: {"x": np.array([math.nan])}},
        "generator": np.random.default_rng(0),
        "call": [len, 1],
    }
    found = parameters(drawn)
    digests = found.pop("map"), found.pop("many")
    assert json.loads(json.dumps(found, allow_nan=False)) == {
        "angle": 1.5,
        "k": 3,
        "on": True,
        "bad": [None, None, 1.0],
        "pair": [1, 0.5],
        "matrix": [[1.0, 0.0], [0.0, 1.0]],
        "holes": [[1, 2, 3, 4]],
        "nested": {"1": {"x": [None]}},
        "call": [1],
    }
    assert {type(found["k"]), type(found["on"]), type(found["angle"])} == {int, bool, float}
    # blake2b of the little-endian bytes: the same on every machine
    assert digests[0] == {"shape": [1000], "dtype": "float32", "blake2b": "ec5fbe7eb31a4bcb"}
    assert digests[1] == {"shape": [100], "dtype": "list", "blake2b": "074e4272a3ae38bb"}


def test_digests_tell_arrays_apart_whatever_their_memory_order() -> None:
    one = np.arange(10_000, dtype=np.float32).reshape(100, 100)
    same = parameters({"m": np.asfortranarray(one)}), parameters({"m": one.astype(">f4")})
    assert same[0]["m"]["blake2b"] == same[1]["m"]["blake2b"] == parameters({"m": one})["m"]["blake2b"]
    assert parameters({"m": one + 1})["m"]["blake2b"] != parameters({"m": one})["m"]["blake2b"]


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary()


@settings(max_examples=50)
@given(
    st.recursive(SCALARS, lambda one: st.lists(one) | st.dictionaries(st.text() | st.integers(), one), max_leaves=20)
)
def test_parameters_always_pass_json(value: Any) -> None:
    json.dumps(parameters({"value": value}), allow_nan=False)


def labelled() -> Picture:
    """40 x 30, with one object of each kind, a class mask and a mask of instances."""
    pixels = np.zeros((30, 40, 3), np.uint8)
    classes = np.zeros((30, 40), np.uint8)
    classes[2:10, 4:14], classes[20:28, 30:38] = 7, 9
    instances = (classes > 0).astype(np.uint16) + (classes == 9)
    objects = (
        Object("cat", box=(4, 2, 14, 10), index=1),
        Object("dog", box=(30, 20, 38, 28), index=2),
        Object("leaf", rings=(array("d", [20, 5, 30, 5, 25, 15]),)),
        Object("face", keypoints=array("d", [5, 5, 2, 9, 5, 1, 0, 0, 0])),
        Object("ship", corners=array("d", [20, 16, 28, 16, 28, 20, 20, 20])),
    )
    values = {"angle": 0.25, "text": "-1.5", "plain": 3}
    known = Annotations({"scene": 1.0}, values, objects=objects, mask="m.png", instances="i.png")
    return Picture(pixels, annotations=known, mask=Mask(classes, b"\1\2\3"), instances=Mask(instances))


def test_labels_and_masks_go_where_the_pixels_go() -> None:
    before = labelled()
    pipeline = Pipeline([leaf("HorizontalFlip")], swaps={"face": (1, 0, 2)})
    after, _, dropped = pipeline(before, at())
    cat, dog, leaf_, face, ship = after.annotations.objects
    assert dropped == ()
    assert (cat.box, cat.index, dog.box) == ((26, 2, 36, 10), 1, (2, 20, 10, 28))
    assert leaf_.box == (10, 5, 20, 15)
    assert {tuple(point) for point in np.reshape(leaf_.rings[0], (-1, 2)).tolist()} == {(20, 5), (10, 5), (15, 15)}
    assert face.keypoints is not None and face.keypoints.tolist() == [31, 5, 1, 35, 5, 2, 0, 0, 0]
    assert ship.corners is not None and ship.corners.tolist() == [20, 16, 12, 16, 12, 20, 20, 20]
    assert before.mask and after.mask and after.instances and before.instances
    assert np.array_equal(after.mask.values, before.mask.values[:, ::-1]) and after.mask.palette == b"\1\2\3"
    assert np.array_equal(after.instances.values, before.instances.values[:, ::-1])
    assert after.instances.values.dtype == np.uint16 and after.annotations.labels == {"scene": 1.0}


def test_where_nothing_moves_labels_are_the_very_same() -> None:
    before = labelled()
    for steps in ([], [leaf("InvertImg"), leaf("Resize", height=30, width=40)]):
        after, _, dropped = Pipeline(steps)(before, at())
        assert after.annotations is before.annotations and dropped == ()
        assert after.mask and before.mask and after.mask.values is before.mask.values


def test_lost_objects_are_told_of_and_instances_numbered_anew() -> None:
    after, _, dropped = Pipeline([leaf("Crop", x_min=18, y_min=10, x_max=40, y_max=30)])(labelled(), at())
    assert [(one.label, one.reason, one.visibility) for one in dropped] == [
        ("cat", "outside", 0.0),
        ("face", "outside", 0.0),
    ]
    dog, leaf_, ship = after.annotations.objects
    assert (dog.label, dog.box, dog.index) == ("dog", (12, 10, 20, 18), 1)
    assert leaf_.box == pytest.approx((4.5, 0, 9.5, 5)) and ship.box == (2, 6, 10, 10)
    assert after.instances and sorted(np.unique(after.instances.values)) == [0, 1]
    assert (after.instances.values[10:18, 12:20] == 1).all()
    strict = Pipeline([leaf("Crop", x_max=10, y_max=30)], LabelOptions(min_visibility=0.7))
    assert [(one.label, one.reason, one.visibility) for one in strict(labelled(), at())[2]] == [
        ("cat", "min_visibility", pytest.approx(0.6)),
        ("dog", "outside", 0.0),
        ("leaf", "outside", 0.0),
        ("ship", "outside", 0.0),
    ]


def test_what_comes_in_from_outside() -> None:
    def corner(options: LabelOptions, ignore: int | None, **args: Any) -> tuple[int, int]:
        after = Pipeline([leaf("Pad", padding=2, **args)], options, {}, ignore)(labelled(), at())[0]
        assert after.mask and after.instances
        return int(after.mask.values[0, 0]), int(after.instances.values[0, 0])

    assert corner(LabelOptions(), None) == (0, 0)
    assert corner(LabelOptions(), 255) == (255, 0)
    assert corner(LabelOptions(ignore=0), 255) == (0, 0)
    assert corner(LabelOptions(ignore=200), 255) == (200, 0)
    assert corner(LabelOptions(ignore=200), 255, fill_mask=8) == (8, 0)
    assert corner(LabelOptions(), 255, fill=90) == (255, 0)


def test_a_border_that_repeats_the_picture_repeats_classes_but_no_object() -> None:
    after = Pipeline([leaf("Pad", padding=6, border_mode="reflect")], ignore=255)(labelled(), at())[0]
    assert after.mask and after.instances
    assert (after.mask.values == 7).sum() == 10 * 8 + 10 * 4 + 2 * 8 + 2 * 4
    assert (after.instances.values == 1).sum() == 10 * 8
    assert after.annotations.objects[0].box == (10, 8, 20, 16)


def test_erasing_leaves_masks_unless_the_recipe_says_to_what() -> None:
    before = labelled()
    after = Pipeline([leaf("GridDropout")])(before, at())[0]
    assert after.mask and before.mask and after.mask.values is before.mask.values
    after = Pipeline([leaf("GridDropout", fill=1, fill_mask=99)])(before, at())[0]
    assert after.mask and after.instances and before.instances
    assert np.array_equal(after.mask.values == 99, after.pixels[..., 0] == 1)
    assert after.instances.values is before.instances.values


@pytest.mark.parametrize(
    ("value", "negated"),
    [
        (0.25, -0.25),
        (-3, 3),
        (0, 0),
        (0.0, 0.0),
        (True, True),
        (None, None),
        ("0.25", "-0.25"),
        ("-1e-3", "1e-3"),
        ("+2", "-2"),
        (" 7 ", "-7"),
        ("0", "0"),
        ("0.00", "0.00"),
        ("-0.0", "-0.0"),
        ("nan", "nan"),
        ("left", "left"),
        ("", ""),
    ],
)
def test_values_that_a_mirror_negates(value: Any, negated: Any) -> None:
    options = LabelOptions(values={"angle": "negate_on_flip"})
    picture = Picture(RGB, annotations=Annotations(values={"angle": value, "other": value}))

    def after(*steps: Step) -> Any:
        values = Pipeline(steps, options)(picture, at())[0].annotations.values
        assert values["other"] == value or value != value
        return values["angle"]

    flip = leaf("HorizontalFlip")
    found = after(flip)
    assert found == negated and type(found) is type(negated) and str(found) == str(negated)
    assert after(flip, leaf("VerticalFlip")) == value and after(leaf("Rotate")) == value and after() == value
    assert after(flip, leaf("Rotate"), leaf("Blur")) == negated


def test_pictures_without_labels_pay_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: Any) -> None:
        raise AssertionError("built a Carrier")

    monkeypatch.setattr("augx.transforms.pipeline.Carrier", never)
    monkeypatch.setattr("augx.transforms.classical.Classical.warp", never)
    options = LabelOptions(values={"angle": "negate_on_flip"})
    known = Annotations({"cat": 1.0}, values={"speed": 3}, captions=("a cat",))
    after, _, dropped = Pipeline([leaf("Affine")], options)(Picture(RGB, annotations=known), at())
    assert after.annotations is known and dropped == ()


def test_box_aware_crops_know_the_boxes_of_their_moment() -> None:
    """The cat alone is left after the first step, at (20, 2)."""
    steps = [leaf("Crop", x_max=16, y_max=12), leaf("HorizontalFlip"), leaf("BBoxSafeRandomCrop")]
    picture = labelled()
    cat = replace(picture, annotations=replace(picture.annotations, objects=picture.annotations.objects[:1]))
    seen = set()
    for copy in range(30):
        after, applied, _ = Pipeline(steps)(cat, at(copy))
        x0, y0, x1, y1 = applied[2].params["crop_coords"]
        assert x0 <= 2 and y0 <= 2 and x1 >= 12 and y1 >= 10
        assert after.annotations.objects[0].box == (2 - x0, 2 - y0, 12 - x0, 10 - y0)
        seen.add((x0, y0, x1, y1))
    assert len(seen) > 5
