"""Who may be mixed with whom."""

from __future__ import annotations

from augx.model import Annotations, Object, Sample
from augx.ring import Ring, place_of


def sample(name: str, *labels: str, split: str | None = None, things: tuple[str, ...] = ()) -> Sample:
    objects = tuple(Object(label, box=(0, 0, 1, 1)) for label in things)
    return Sample(name, Annotations(labels=dict.fromkeys(labels, 1.0), objects=objects), split=split)


def names(pool: tuple[Sample, ...]) -> list[str]:
    return [one.id for one in pool]


PETS = [sample(f"{kind}{number}", kind) for kind in ("cat", "dog", "fox") for number in range(20)]


def test_partners_are_the_next_on_the_ring() -> None:
    ring = Ring(PETS, {"any": 8})
    around = sorted(PETS, key=lambda one: place_of(one.id))
    for index, one in enumerate(around):
        expected = [around[(index + step) % len(around)].id for step in range(1, 9)]
        assert names(ring.pools(one)["any"]) == expected


def test_same_and_other_class() -> None:
    pools = Ring(PETS, {"other": 5, "same": 30}).pools(PETS[3])
    assert {name[:3] for name in names(pools["same"])} == {"cat"}
    assert len(pools["same"]) == 19 and "cat3" not in names(pools["same"])
    assert len(pools["other"]) == 5 and not [name for name in names(pools["other"]) if name.startswith("cat")]


def test_classes_of_objects_count_too() -> None:
    scenes = [sample("a", things=("car", "bus")), sample("b", things=("bus",)), sample("c", things=("cow",))]
    ring = Ring(scenes, {"same": 8, "other": 8})
    assert names(ring.pools(scenes[0])["same"]) == ["b"]
    assert sorted(names(ring.pools(scenes[2])["other"])) == ["a", "b"]
    assert names(ring.pools(scenes[2])["same"]) == []


def test_never_of_another_split_and_only_labelled_alike() -> None:
    several = [sample(f"{split}{n}", "cat", split=split) for split in ("train", "val") for n in range(9)]
    ring = Ring([*several, sample("bare", split="train")], {"any": 20})
    for one in several:
        assert {other.split for other in ring.pools(one)["any"]} == {one.split}
        assert "bare" not in names(ring.pools(one)["any"])
        assert len(ring.pools(one)["any"]) == 8


def test_one_image_has_nobody() -> None:
    assert Ring([sample("a", "cat")], {"any": 8, "same": 8}).pools(sample("a", "cat")) == {"any": (), "same": ()}


def test_a_newcomer_changes_eight_pools() -> None:
    before, newcomer = Ring(PETS, {"any": 8}), sample("new", "cat")
    after = Ring([*PETS, newcomer], {"any": 8})
    changed = [one.id for one in PETS if before.pools(one) != after.pools(one)]
    assert len(changed) == 8


def test_the_order_keeps_those_together_who_share_partners() -> None:
    ring = Ring(PETS, {"any": 8})
    ordered = sorted(PETS, key=ring.order)
    seen = {name for one in ordered[:16] for name in [one.id, *names(ring.pools(one)["any"])]}
    assert len(seen) == 24  # sixteen, and the eight that follow the last
