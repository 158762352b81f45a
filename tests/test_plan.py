"""Plans: which copies of what, keys and shards."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from running import a_recipe

from augx import plan as planning
from augx.errors import InputError
from augx.model import Annotations, Beside, Dataset, Flaw, Job, Sample
from augx.plan import Plan
from augx.store import Source

VERSIONS = {"augx": "1", "opencv": "2"}


def dataset(*samples: Sample, **keys: Any) -> Dataset:
    return Dataset("root", "folder", samples, **keys)


def sample(id: str = "cat/a.jpg", split: str | None = None, label: str = "cat", **values: Any) -> Sample:
    return Sample(id, Annotations({label: 1.0}, values), split, id.rpartition("/")[0])


def plan(
    *samples: Sample, versions: dict[str, str] = VERSIONS, formats: tuple[str, ...] = ("folder",), **keys: Any
) -> Plan:
    return planning.make(dataset(*samples), a_recipe(**keys), formats, versions)


def copies(made: Plan) -> dict[str, tuple[int, ...]]:
    return {job.sample.id: job.copies for job in made.jobs}


def only_key(made: Plan, sha256: str = "00") -> str:
    return made.keys(lambda sample: "")(made.jobs[0], sha256, {})


def whole_hash(made: Plan, sha256: str = "00") -> str:
    return planning.plan_hash(made, lambda job: made.keys(lambda sample: "")(job, sha256, {}))


def test_without_splits_all_are_multiplied() -> None:
    made = plan(sample("a.jpg"), sample("b.jpg"), copies=3)
    assert copies(made) == {"a.jpg": (0, 1, 2, 3), "b.jpg": (0, 1, 2, 3)}
    assert made.images() == 8


@pytest.mark.parametrize(("originals", "train"), [(True, (0, 1, 2)), (False, (1, 2))])
def test_only_the_splits_of_the_recipe_are_multiplied(originals: bool, train: tuple[int, ...]) -> None:
    samples = [sample(f"{name}.jpg", name) for name in ("train", "val", "test")] + [sample("none.jpg")]
    made = plan(*samples, originals=originals)
    assert copies(made) == {"train.jpg": train, "val.jpg": (0,), "test.jpg": (0,), "none.jpg": train}


def test_splits_that_the_dataset_has_not() -> None:
    with pytest.raises(InputError, match=r"multiplies train, but the dataset has only test, val") as caught:
        plan(sample("a.jpg", "val"), sample("b.jpg", "test"))
    assert "splits: [test]" in caught.value.hint


def test_lost_samples_lose_each_copy() -> None:
    flaw = Flaw("missing-file", "gone.jpg", "no file")
    made = planning.make(dataset(sample(), failed=(flaw,)), a_recipe(originals=False), ("folder",), VERSIONS)
    assert made.lost == ((flaw, (1, 2)),)


def test_jobs_are_in_the_order_of_the_samples() -> None:
    made = plan(sample("b.jpg"), sample("a.jpg"))
    assert [(job.sample.id, job.stem, job.ending) for job in made.jobs] == [
        ("b.jpg", "b", ".jpg"),
        ("a.jpg", "a", ".jpg"),
    ]


KEY_CHANGES: list[tuple[str, Plan, str]] = [
    ("content", plan(sample()), "11"),
    ("label", plan(sample(label="dog")), "00"),
    ("values", plan(sample(age=3)), "00"),
    ("split", plan(sample(split="train")), "00"),
    ("id", plan(sample("cat/b.jpg")), "00"),
    ("seed", plan(sample(), seed=1), "00"),
    ("transforms", plan(sample(), transforms="[Transpose]"), "00"),
    ("quality", plan(sample(), output={"image": {"quality": 50}}), "00"),
    ("ending", plan(sample(), output={"image": {"format": "png"}}), "00"),
    ("versions", plan(sample(), versions=VERSIONS | {"opencv": "3"}), "00"),
    ("stem", plan(replace(sample(), folder="dog")), "00"),
]


@pytest.mark.parametrize(("what", "other", "sha256"), KEY_CHANGES, ids=[what for what, _, _ in KEY_CHANGES])
def test_the_key_and_the_hash_change_with(what: str, other: Plan, sha256: str) -> None:
    assert only_key(other, sha256) != only_key(plan(sample()))
    assert whole_hash(other, sha256) != whole_hash(plan(sample()))


@pytest.mark.parametrize("keys", [{"copies": 9}, {"originals": False}, {"splits": ["val", "train"]}])
def test_the_key_does_not_change_with(keys: dict[str, Any]) -> None:
    """How many copies there are is no part of what they are: so raising the number makes no image again."""
    assert only_key(plan(sample(), **keys)) == only_key(plan(sample()))


def test_the_hash_changes_with_what_there_will_be() -> None:
    base = whole_hash(plan(sample()))
    others = [
        whole_hash(plan(sample(), copies=3)),
        whole_hash(plan(sample(), originals=False)),
        whole_hash(plan(sample(), sample("cat/b.jpg"))),
        whole_hash(plan(sample(), formats=("folder", "table"))),
        whole_hash(planning.make(dataset(sample(), failed=(Flaw("x", "y", ""),)), a_recipe(), ("folder",), VERSIONS)),
    ]
    assert len({base, *others}) == 6
    assert len(base) == 64


def test_the_hash_knows_nothing_of_the_root_or_of_warnings() -> None:
    other = Dataset("elsewhere", "folder", (sample(),), warnings=(Flaw("x", "y", "z"),), ignored={".txt": 3})
    assert whole_hash(planning.make(other, a_recipe(), ("folder",), VERSIONS)) == whole_hash(plan(sample()))


def test_keys_do_not_depend_on_the_order_of_versions() -> None:
    one = Sample("a.jpg", Annotations({"cat": 1.0, "dog": 1.0}, {"x": 1, "y": 2}))
    assert only_key(plan(one)) == only_key(plan(one, versions=dict(reversed(VERSIONS.items()))))


def test_keys_depend_on_the_order_of_labels_and_values_as_rows_do() -> None:
    one = Sample("a.jpg", Annotations({"cat": 1.0, "dog": 1.0}, {"x": 1, "y": 2}))
    two = Sample("a.jpg", Annotations({"dog": 1.0, "cat": 1.0}, {"x": 1, "y": 2}))
    three = Sample("a.jpg", Annotations({"cat": 1.0, "dog": 1.0}, {"y": 2, "x": 1}))
    assert len({only_key(plan(sample)) for sample in (one, two, three)}) == 3


@given(st.lists(st.integers(0, 9 << 20), max_size=150))
def test_shards_cut_the_jobs_and_lose_none(sizes: list[int]) -> None:
    jobs = [Job(sample(f"{n}.jpg"), f"{n}", ".jpg", (0,)) for n in range(len(sizes))]
    cut = list(planning.shards(jobs, lambda job: sizes[int(job.stem)], 7))
    assert [job for shard in cut for job in shard.jobs] == jobs
    assert [shard.name for shard in cut] == [f"0007.{n:07d}" for n in range(len(cut))]
    assert [shard.name for shard in cut] == sorted(shard.name for shard in cut)
    for shard in cut:
        assert 1 <= len(shard.jobs) <= 32
        assert sum(sizes[int(job.stem)] for job in shard.jobs[:-1]) < 4 << 20


def test_shards_are_full() -> None:
    jobs = [Job(sample(f"{n}.jpg"), f"{n}", ".jpg", (0,)) for n in range(70)]
    assert [len(shard.jobs) for shard in planning.shards(jobs, lambda job: 1)] == [32, 32, 6]
    assert [len(shard.jobs) for shard in planning.shards(jobs[:5], lambda job: 2 << 20)] == [2, 2, 1]
    assert list(planning.shards([], lambda job: 1)) == []


def test_class_counts() -> None:
    several = Sample("c.jpg", Annotations({"dog": 0.5, "cat": 0.5}))
    counts = planning.class_counts([(sample("a.jpg"), 3), (sample("b.jpg"), 1), (several, 2), (Sample("d.jpg"), 4)])
    assert counts == {
        "(none)": {"before": 1, "after": 4},
        "cat": {"before": 3, "after": 6},
        "dog": {"before": 1, "after": 2},
    }
    assert list(counts) == ["(none)", "cat", "dog"]


def clashing(*names: str, ending: str = ".json", taken: tuple[str, ...] = ()) -> Plan:
    """A plan of images of these names, each copy with a label file beside it."""

    def beside(sample: Sample, stem: str) -> tuple[Beside, ...]:
        return (Beside("labelme", stem, ending),)

    found = dataset(*(sample(name) for name in names))
    return planning.make(found, a_recipe(copies=1), ("labelme",), VERSIONS, beside, taken=taken)


@pytest.mark.parametrize(
    ("name", "taken", "clash"),
    [
        ("labels.jpg", "labels.json", "labels.json"),
        ("LABELS.jpg", "labels.json", "LABELS.json"),
        ("labels.jpg", "labels_aug01.json", "labels_aug01.json"),
        ("labels_aug01.jpg", "labels.json", ""),  # alike but for the number of a copy, and yet no clash
        ("labels.jpg", "other.json", ""),
    ],
)
def test_a_file_beside_an_image_that_is_called_like_one_of_the_whole_dataset(name: str, taken: str, clash: str) -> None:
    if not clash:
        assert len(clashing(name, taken=(taken,)).jobs) == 1
        return
    with pytest.raises(InputError) as caught:
        clashing(name, taken=(taken,))
    assert caught.value.message == f"{name} would write {clash}, as a file of the whole dataset is called"
    assert caught.value.hint == "rename one of them, or write another format with `--to`"


def test_files_beside_images_that_are_called_alike() -> None:
    with pytest.raises(InputError) as caught:
        clashing("a.jpg", "a_m.jpg.jpg", ending="_m_jpg.jpg")
    assert caught.value.message == "a.jpg and a_m.jpg.jpg would both write a_m_jpg.jpg"
    assert len(clashing("a.jpg", "a_aug02.jpg").jobs) == 2


def test_where_the_files_of_a_sample_lie() -> None:
    """The image, then its masks, each once; on their own or in a tar."""
    known = Annotations(mask="m/a.png", instances="i/a.png", segments="m/a.png")
    plain = Sample("cat/a.jpg", known)
    assert planning.files(plain) == ["cat/a.jpg", "m/a.png", "i/a.png"]
    assert planning.sources("root", plain, 7) == [
        Source(f"root/{name}", 0, None, "root", 7) for name in planning.files(plain)
    ]
    packed = Sample("b.jpg", packed={"b.jpg": ("shards/0.tar", 512, 99)})
    assert planning.sources("root", packed) == [Source("root/shards/0.tar", 512, 99, "root", None)]
    assert planning.pictures(dataset(plain, packed)) == {
        "cat/a.jpg": Source("root/cat/a.jpg", root="root"),
        "b.jpg": Source("root/shards/0.tar", 512, 99, "root"),
    }


def test_the_content_of_a_sample() -> None:
    assert planning.content(["aa"]) == "aa"
    assert planning.content([""]) == planning.content(["aa", ""]) == planning.content(["", "bb"]) == ""
    both = planning.content(["aa", "bb"])
    assert len(both) == 64
    assert both not in (planning.content(["bb", "aa"]), planning.content(["aa"]))
