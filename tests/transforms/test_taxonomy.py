"""The groups, what is carried, and the policies by name."""

from __future__ import annotations

import pytest

from augx import recipe as recipes
from augx.objects import KINDS
from augx.transforms.catalog import TRANSFORMS
from augx.transforms.taxonomy import GROUPS, POLICIES, carries, grouped


def test_every_transform_is_in_one_of_the_groups() -> None:
    assert {entry.group for entry in TRANSFORMS.values()} <= set(GROUPS)
    assert len(GROUPS) == len(set(GROUPS))
    ordered = grouped()
    assert sorted(entry.name for entry in ordered) == sorted(TRANSFORMS)
    assert [group for group in GROUPS if group in {e.group for e in ordered}] == list(
        dict.fromkeys(entry.group for entry in ordered)
    )


def test_groups_say_what_their_members_do() -> None:
    for entry in TRANSFORMS.values():
        if entry.partners:
            assert (entry.group == "mixing") != bool(entry.learned), entry.name
        if entry.group == "groups":
            assert entry.members, entry.name
        if entry.group == "other":
            assert entry.refused, entry.name
        if entry.moves and not entry.own:
            assert entry.group == "geometric", entry.name


def test_what_is_carried() -> None:
    for entry in TRANSFORMS.values():
        carried = carries(entry)
        assert [kind for kind in KINDS if kind in carried] == list(carried)
        assert bool(carried) != bool(entry.refused), entry.name
        if not entry.partners and not entry.refused:
            assert carried == tuple(KINDS), entry.name
        places = {"boxes", "polygons", "rle", "crowds", "keypoints", "obb", "mask", "instances"}
        assert entry.refused or places <= set(carried), entry.name
    assert "weights" in carries(TRANSFORMS["mixup"])
    assert "values" not in carries(TRANSFORMS["mixup"])


@pytest.mark.parametrize("name", POLICIES)
def test_the_line_of_a_policy_can_stand_in_a_recipe(name: str) -> None:
    policy = POLICIES[name]
    assert policy.summary
    step = policy.step.partition(":")[0]
    assert step == name or name in policy.step
    assert TRANSFORMS[step].group == "meta-learning"
    if step != "policy":  # which names a file
        text = f"version: 1\ntransforms:\n  - {policy.step}\n"
        recipes.check_transforms(recipes.parse(text.encode(), "recipe.yaml", checked=False))
