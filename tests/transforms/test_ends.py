"""The ends of ranges: those that the transform really draws from."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from augx.model import Picture, Step
from augx.seeds import Rng
from augx.transforms.arguments import defaults_of, describe
from augx.transforms.catalog import TRANSFORMS
from augx.transforms.ends import ends, ranges
from augx.transforms.own.base import Need
from augx.transforms.pipeline import Pipeline
from augx.transforms.problems import check

PIXELS = np.random.default_rng(0).integers(0, 256, (60, 80, 3), dtype=np.uint8)
NEEDED = {
    "height": 40, "width": 40, "size": [40, 40], "max_size": 50, "min_max_height": [20, 40], "num_grid_xy": [4, 4],
    "magnitude": 5, "percent": [-0.1, 0.2],
}  # fmt: skip
USABLE = [
    name
    for name, e in TRANSFORMS.items()
    if not (e.refused or e.members or e.learned or name in ("policy", "background"))
]


def needed(name: str) -> dict[str, Any]:
    lacking = [key for key in describe(name) if key not in defaults_of(name)]
    extra = {"CropAndPad": ["percent"], "LongestMaxSize": ["max_size"], "SmallestMaxSize": ["max_size"]}.get(name, [])
    return {key: NEEDED[key] for key in [*lacking, *extra]}


class Others:
    def pick(self, name: str, need: Need, picture: Picture, rng: Rng) -> list[tuple[str, Picture]]:
        return [("other", Picture(np.roll(PIXELS, 5, 0)))] * need.count


def made(step: Step, seed: int = 1) -> tuple[np.ndarray, dict[str, Any]]:
    rng = Rng()
    picture, applied, _ = Pipeline([step])(Picture(PIXELS), lambda place: rng.at(seed, "a", 1, place), Others())
    return picture.pixels, dict(applied[0].params) if applied else {}


@pytest.mark.parametrize("name", USABLE)
@pytest.mark.filterwarnings("ignore")
def test_every_end_of_every_transform_can_be_shown(name: str) -> None:
    for end in ends(Step(name, needed(name))):
        assert end.step.p == 1
        assert not [problem for problem in check(name, end.step.args) if problem.path[:1] == (end.argument,)]
        made(end.step)


@pytest.mark.parametrize(
    ("step", "wanted"),
    [
        (Step("Rotate", {"limit": 30}), [("limit", -30), ("limit", 30)]),
        (Step("Rotate", {"limit": [10, 20]}), [("limit", 10), ("limit", 20)]),
        (Step("Affine", {"rotate": [-5, 5]}), [("rotate", -5), ("rotate", 5)]),
        (Step("Affine", {"scale": {"x": [0.5, 2], "y": 1}}), [("scale", 0.5), ("scale", 2)]),
        (Step("RandomGamma"), [("gamma_limit", 80), ("gamma_limit", 120)]),
        (Step("GaussianBlur", {"blur_limit": 7, "sigma_limit": [1, 1]}), [("blur_limit", 0), ("blur_limit", 7)]),
        (Step("ShiftScaleRotate", {"shift_limit": 0, "scale_limit": 0.2, "rotate_limit": 0}),
         [("scale_limit", -0.2), ("scale_limit", 0.2)]),
        (Step("sensor_noise", {"iso_range": [100, 800]}), [("iso_range", 100), ("iso_range", 800)]),
        (Step("gridmask", {"d_range": [0.5, 0.5]}), []),  # and any angle: a whole turn has no ends
        (Step("HorizontalFlip"), []),
        (Step("RandomCrop", {"height": 4, "width": 4}), []),
    ],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore")
def test_ends_are_those_of_what_a_number_means(step: Step, wanted: list[tuple[str, float]]) -> None:
    assert [(end.argument, end.value) for end in ends(step)] == wanted


def test_the_others_are_held_at_their_middle() -> None:
    step = Step("Affine", {"rotate": [-10, 30], "scale": [0.5, 1.5]}, p=0.2)
    for end in ends(step):
        _, drawn = made(end.step)
        rotate, scale = drawn["rotate"], drawn["scale"]["x"]
        assert (rotate, scale) == {
            ("rotate", -10): (-10, 1.0), ("rotate", 30): (30, 1.0), ("scale", 0.5): (10, 0.5), ("scale", 1.5): (10, 1.5)
        }[end.argument, end.value]  # fmt: skip


def test_nothing_is_left_to_chance_at_an_end() -> None:
    for end in ends(Step("RandomBrightnessContrast", {"brightness_limit": 0.4})):
        one, other = made(end.step, 1)[0], made(end.step, 2)[0]
        assert np.array_equal(one, other)
    dark, light = ends(Step("RandomBrightnessContrast", {"brightness_limit": 0.4, "contrast_limit": [0, 0]}))
    assert made(dark.step)[0].mean() < PIXELS.mean() - 50 < PIXELS.mean() + 50 < made(light.step)[0].mean()


def test_kernels_stay_odd() -> None:
    found = ends(Step("AdvancedBlur", {"blur_limit": [3, 9]}))
    held = {end.step.args["blur_limit"][0] for end in found if end.argument != "blur_limit"}
    assert held == {7}
    assert "beta_limit" not in {end.argument for end in found}  # which has to include 1


def test_ranges_are_told_by_axis() -> None:
    assert ranges(Step("Affine", {"scale": {"x": [0.5, 2], "y": [1, 1]}}))["scale"] == {"x": (0.5, 2), "y": (1, 1)}
    assert ranges(Step("Rotate", {"limit": 30})) == {"limit": {"": (-30, 30)}}
    assert ranges(Step("OneOf", steps=(Step("Rotate"),))) == {}
