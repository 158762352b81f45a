"""Plans: which copies of what, keys and shards."""

from __future__ import annotations

import hashlib
from array import array
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from running import a_recipe

from augx import plan as planning
from augx.balance import Balanced
from augx.errors import InputError
from augx.model import Annotations, Beside, Dataset, Flaw, Job, Object, Override, Rle, Sample, Step
from augx.plan import Plan
from augx.recipe import parse
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
    with pytest.raises(InputError, match=r"^the recipe multiplies train, dev, but the dataset has only test, val$"):
        plan(sample("a.jpg", "val"), sample("b.jpg", "test"), splits=["train", "dev"])


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


def test_the_first_shards_are_small() -> None:
    jobs = [Job(sample(f"{n}.jpg"), f"{n}", ".jpg", (0,)) for n in range(70)]
    assert [len(shard.jobs) for shard in planning.shards(jobs, lambda job: 1)] == [1, 2, 4, 8, 16, 32, 7]
    assert [len(shard.jobs) for shard in planning.shards(jobs[:40], lambda job: 128 << 10)] == [1, 2, 4, 8, 16, 9]


def test_shards_are_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "_SMALL_SHARDS", 0)
    jobs = [Job(sample(f"{n}.jpg"), f"{n}", ".jpg", (0,)) for n in range(70)]
    assert [len(shard.jobs) for shard in planning.shards(jobs, lambda job: 1)] == [32, 32, 6]
    assert [len(shard.jobs) for shard in planning.shards(jobs[:5], lambda job: 2 << 20)] == [2, 2, 1]
    assert list(planning.shards([], lambda job: 1)) == []
    sizes = [(4 << 20) - 1, 1] * 2  # to the byte, in each
    cut = list(planning.shards(jobs[:4], lambda job: sizes[int(job.stem)]))
    assert [(shard.name, len(shard.jobs)) for shard in cut] == [("0000.0000000", 2), ("0000.0000001", 2)]


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


def beside_two(ending: str, copies: int) -> Plan:
    """Of a.jpg and of a_aug05_b.jpg, where the files beside the first are called a...`ending`."""

    def beside(sample: Sample, stem: str) -> tuple[Beside, ...]:
        return (Beside("labelme", stem, ending if stem == "a" else ".json"),)

    found = dataset(sample("a.jpg"), sample("a_aug05_b.jpg"))
    return planning.make(found, a_recipe(copies=copies), ("labelme",), VERSIONS, beside)


def test_files_beside_images_that_are_called_alike_but_for_the_number_of_a_copy() -> None:
    """It depends on how many copies there are, and on no capital letter."""
    assert len(beside_two("_b.json", 4).jobs) == 2
    for ending in ("_b.json", "_B.json"):
        with pytest.raises(InputError) as caught:
            beside_two(ending, 5)
        assert caught.value.message == "a.jpg and a_aug05_b.jpg would both write a_aug05_b.json"
        assert caught.value.hint == "rename one of them, or write another format with `--to`"


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


def test_an_image_counts_once_for_a_class() -> None:
    """However often it shows it, and by whatever kind of label; what has no class is of none."""
    both = Sample("a.jpg", Annotations({"cat": 1.0}, objects=(Object("cat"), Object("cat"), Object("dog"))))
    nameless = Sample("b.jpg", Annotations(objects=(Object(None), Object(None))))
    some = Sample("c.jpg", Annotations(objects=(Object(None), Object("dog"))))
    assert planning.class_counts([(both, 2), (nameless, 3), (some, 4)]) == {
        "(none)": {"before": 1, "after": 3},
        "cat": {"before": 1, "after": 2},
        "dog": {"before": 2, "after": 6},
    }


def test_split_counts() -> None:
    samples = [sample("a.jpg", "val"), sample("b.jpg", "train"), sample("c.jpg"), sample("d.jpg", "train")]
    counts = planning.split_counts(list(zip(samples, (1, 3, 5, 2), strict=True)))
    assert counts == {"val": {"before": 1, "after": 1}, "train": {"before": 2, "after": 5}}
    assert planning.split_counts([]) == planning.class_counts([]) == {}


# Who is mixed with whom


@pytest.mark.parametrize(
    ("transforms", "keys", "pools"),
    [
        ("[Transpose]", {}, {}),
        ("[mixup]", {}, {"any": 8}),
        ("[{mixup: {partners: same}}]", {}, {"same": 8}),
        ("[mixup, mosaic]", {}, {"any": 12}),
        ("[mosaic, mixup]", {}, {"any": 12}),
        (
            "[{mosaic: {partners: other}}, extrapolate, {OneOf: [mixup, Transpose]}]", {},
            {"any": 8, "other": 12, "same": 64},
        ),
        ("[mixup]", {"labels": {"hard": True}}, {"any": 8, "same": 8}),
        ("[Transpose]", {"labels": {"hard": True}}, {}),
        ("[]", {"overrides": [{"when": {"class": ["cat"]}, "transforms": ["mixup"]}]}, {"any": 8}),
    ],
)  # fmt: skip
def test_the_pools_of_a_recipe(transforms: str, keys: dict[str, Any], pools: dict[str, int]) -> None:
    found = planning.partner_pools(a_recipe(transforms, **keys), classed=True)
    assert list(found.items()) == list(pools.items())


def test_backgrounds_are_no_partners() -> None:
    recipe = replace(a_recipe(), steps=(Step("background", {"folder": "."}),))
    assert planning.partner_pools(recipe, True) == {}


def test_hard_labels_need_classes_to_keep_to() -> None:
    assert planning.partner_pools(a_recipe("[mixup]", labels={"hard": True}), classed=False) == {"any": 8}
    hard = {"transforms": "[mixup]", "labels": {"hard": True}}
    pools = [plan(one, **hard).ring for one in (sample(), Sample("a.jpg", Annotations(objects=(Object("cat"),))))]
    assert [ring and ring.wanted for ring in pools] == [{"any": 8, "same": 8}, {"any": 8}]


def test_what_makes_no_copies_mixes_nothing() -> None:
    recipe = replace(a_recipe("[mixup]"), copies=0)
    assert planning.partner_pools(recipe, True) == {}
    some = replace(recipe, overrides=(Override(("cat",), copies=1),))
    assert planning.partner_pools(some, True) == {"any": 8}
    assert plan(sample()).ring is None


def test_partners_are_of_what_is_multiplied_and_originals_need_none() -> None:
    names = {"a.jpg": "train", "b.jpg": "train", "c.jpg": "val", "d.jpg": "val", "e.jpg": "train"}
    made = plan(*(sample(name, split) for name, split in names.items()), transforms="[mixup]")
    pools = {
        job.sample.id: {kind: sorted(one.id for one in pool) for kind, pool in made.pools(job).items()}
        for job in made.jobs
    }
    assert pools == {
        "a.jpg": {"any": ["b.jpg", "e.jpg"]},
        "b.jpg": {"any": ["a.jpg", "e.jpg"]},
        "c.jpg": {},
        "d.jpg": {},
        "e.jpg": {"any": ["a.jpg", "b.jpg"]},
    }
    assert plan(sample()).pools(plan(sample()).jobs[0]) == {}


# Which copies


def test_a_dataset_without_the_splits_of_the_recipe_may_be_carried_over() -> None:
    found = dataset(sample("a.jpg", "val"))
    made = planning.make(found, replace(a_recipe(), copies=0), ("folder",), VERSIONS)
    assert copies(made) == {"a.jpg": (0,)}
    assert copies(plan(sample("a.jpg", "val"), sample("b.jpg"))) == {"a.jpg": (0,), "b.jpg": (0, 1, 2)}
    assert copies(plan(sample("a.jpg", "val"), sample("b.jpg", "train"))) == {"a.jpg": (0,), "b.jpg": (0, 1, 2)}


def test_what_gets_no_copy_is_no_job() -> None:
    kept = {"when": {"class": ["cat"]}, "copies": 0}
    made = plan(sample("a.jpg"), sample("b.jpg", label="dog"), originals=False, overrides=[kept])
    assert copies(made) == {"b.jpg": (1, 2)}
    assert [job.variant for job in made.jobs] == [0]
    both = plan(sample("a.jpg"), sample("b.jpg", label="dog"), overrides=[kept | {"copies": 1}])
    assert [(job.copies, job.variant) for job in both.jobs] == [((0, 1), 1), ((0, 1, 2), 0)]
    assert len(both.bases) == 2


def test_balance_says_how_many_copies_and_the_recipe_does_where_it_does_not() -> None:
    balanced = Balanced({"a.jpg": 3, "b.jpg": 0}, "images", {})
    found = dataset(sample("a.jpg"), sample("b.jpg"), sample("c.jpg"))
    made = planning.make(found, a_recipe(), ("folder",), VERSIONS, balanced=balanced)
    assert copies(made) == {"a.jpg": (0, 1, 2, 3), "b.jpg": (0,), "c.jpg": (0, 1, 2)}
    assert made.balanced is balanced


def test_what_goes_beside_an_image_is_asked_for_by_its_stem() -> None:
    made = clashing("cat/a.jpg")
    (job,) = made.jobs
    assert (job.beside, made.formats, made.ring) == ((Beside("labelme", "cat/a", ".json"),), ("labelme",), None)
    assert plan(sample()).jobs[0].beside == ()


def test_base_names_are_told_apart_where_files_go_beside() -> None:
    """Else their endings do that."""
    alike = sample("a.jpg"), sample("a.png")
    assert [job.stem for job in plan(*alike).jobs] == ["a", "a"]
    first, second = (job.stem for job in clashing("a.jpg", "a.png").jobs)
    assert "a" in (first, second) and first != second


def test_a_plan_knows_the_limit_of_its_recipe() -> None:
    made = plan(sample(), limits={"bytes": 77})
    assert made.sources(made.jobs[0]) == [Source("root/cat/a.jpg", 0, None, "root", 77)]


# Keys


def flat(*numbers: float) -> array[float]:
    return array("d", numbers)


THING = Object(
    "cat", (1, 2, 3, 4), (flat(1, 2, 3, 4, 5, 6),), Rle(4, 3, "ab"), flat(1, 2, 2), flat(*range(8)), False, 3, {"id": 5}
)  # fmt: skip
SEEN = Annotations(
    {"cat": 1.0}, {"age": 3}, ("a cat",), (THING,), "m.png", "i.png", "s.png", False, 0.5, (24, 18), {"licence": 1}
)
BESIDE = Beside("yolo", "labels/a", ".txt", ["cat"])
PARTNER = Sample("p.jpg", Annotations({"dog": 1.0}, {"age": 4}, objects=(Object("dog", (0, 0, 1, 1)),)))


def full_key(known: Annotations = SEEN, beside: tuple[Beside, ...] = (BESIDE,), **job: Any) -> str:
    """The key of a job that has everything."""
    whole = Job(Sample("cat/a.jpg", known, "train"), "cat/a", ".jpg", (0, 1), beside, 1)
    keys = planning.Keys(("other", "basis"), lambda sample: f"sum of {sample.id}")
    return keys(replace(whole, **job), "00", {"any": (PARTNER, sample("q.jpg")), "same": ()})


def test_keys_stay_what_they_are() -> None:
    """A change here makes every finished dataset stale."""
    assert full_key() == "3c78d6a23523ac0d"
    assert full_key(Annotations()) == "51ab35ee8071a697"
    assert planning.Keys(("basis",), str)(Job(Sample("a.jpg"), "a", ".jpg", (0,)), "00", {}) == "62cd4b7997a128b3"
    recipe = parse(b"version: 1\ntransforms: [Transpose]\n", "r", checked=False)
    assert planning.basis(recipe, VERSIONS) == "5b77abc93c58747099bfc466c5a8e08b104c3a3e08eaac112bbb4d51c72810a2"
    assert (
        planning.basis(recipe, VERSIONS, ["cat"]) == "aef24f382dbc4ef82e7269924d6927c4277bbb92705fc471492be3d599006ae6"
    )


THINGS: dict[str, Any] = {
    "label": "dog",
    "box": (1, 2, 3, 5),
    "rings": (flat(1, 2, 3, 4, 5, 7),),
    "rle": Rle(4, 3, "ac"),
    "keypoints": flat(1, 2, 1),
    "corners": None,
    "crowd": True,
    "index": 4,
    "extra": {},
}
KNOWN: dict[str, Any] = {
    "labels": {"cat": 0.5},
    "values": {"age": 4},
    "captions": (),
    "objects": (THING, THING),
    "mask": None,
    "instances": "i2.png",
    "segments": None,
    "relative": True,
    "dot": 0.0,
    "size": (18, 24),
    "extra": {"licence": 2},
}


def test_all_that_is_known_of_an_image_is_in_its_key() -> None:
    others = [full_key(replace(SEEN, **{name: value})) for name, value in KNOWN.items()]
    others += [full_key(replace(SEEN, objects=(replace(THING, **{name: value}),))) for name, value in THINGS.items()]
    others += [full_key(replace(SEEN, objects=(replace(THING, rle=rle),))) for rle in (None, Rle(3, 4, "ab"))]
    others += [full_key(beside=(replace(BESIDE, **{name: "x"}),)) for name in ("kind", "stem", "ending", "needs")]
    others += [full_key(beside=()), full_key(variant=0), full_key(stem="b"), full_key(ending=".png")]
    assert len({full_key(), *others}) == 1 + len(KNOWN) + len(THINGS) + 2 + 8
    assert {field.name for field in fields(Annotations)} == KNOWN.keys()
    assert {field.name for field in fields(Object)} == THINGS.keys()


def test_a_key_depends_on_all_that_is_known_of_partners() -> None:
    job = Job(sample(), "a", ".jpg", (0, 1))

    def key(kind: str, *partners: Sample, content: str = "x") -> str:
        return planning.Keys(("basis",), lambda sample: content)(job, "00", {kind: partners})

    known = PARTNER.annotations
    others = [
        key("same", PARTNER),
        key("any"),
        key("any", PARTNER, PARTNER),
        key("any", sample("q.jpg"), PARTNER),
        key("any", PARTNER, sample("q.jpg")),
        key("any", PARTNER, content="y"),
        key("any", replace(PARTNER, id="q.jpg")),
        *(
            key("any", replace(PARTNER, annotations=replace(known, **{name: KNOWN[name]})))
            for name in ("labels", "objects", "instances", "relative", "size")
        ),
    ]
    assert len({key("any", PARTNER), *others}) == 1 + len(others)


def test_names_that_are_no_unicode_have_keys() -> None:
    """File systems have them, and Python makes half a surrogate pair of each such byte."""
    assert len({full_key(), full_key(stem="caf\udce9"), full_key(stem="caf\udce8"), full_key(stem="café")}) == 4


def test_the_header_of_label_files_is_in_the_bases() -> None:
    recipe = a_recipe(overrides=[{"when": {"class": "cat"}, "copies": 1, "transforms": []}])
    made = planning.make(dataset(sample()), recipe, ("folder",), VERSIONS, header=["cat", "dog"])
    assert made.bases == tuple(planning.basis(one, VERSIONS, ["cat", "dog"]) for one in recipe.variants())
    assert len({*made.bases, *planning.make(dataset(sample()), recipe, ("folder",), VERSIONS).bases}) == 4


def test_a_partner_is_read_once_for_all_jobs() -> None:
    asked: list[str] = []
    keys = planning.Keys(("basis",), lambda sample: asked.append(sample.id) or "x")  # type: ignore[func-returns-value]
    for name in ("a", "b"):
        keys(
            Job(sample(f"{name}.jpg"), name, ".jpg", (0, 1)),
            "00",
            {"any": (PARTNER, sample("q.jpg")), "same": (PARTNER,)},
        )
    assert asked == ["p.jpg", "q.jpg"]


def test_the_hash_stays_what_it_is() -> None:
    """A change here makes every finished dataset stale."""
    lost = ((Flaw("missing-file", "gone.jpg", "no file"), (0, 1)), (Flaw("x", "y", ""), ()))
    found = dataset(sample("a.jpg"), sample("b.jpg", "val"), classes=("cat", "dog"), digest="12")
    jobs = tuple(
        Job(one, one.id[0], ".jpg", copies) for one, copies in zip(found.samples, ((0, 1, 2), (1,)), strict=True)
    )
    made = Plan(found, a_recipe(), jobs, lost, ("folder", "table"), ("basis",))
    assert (
        planning.plan_hash(made, lambda job: job.stem * 2)
        == "c78a7830587bd37705e507a5930d2bcb2857a2db1338f96981b1ef42f6f86b7b"
    )


@pytest.mark.parametrize("sums", [["aa", "bb"], ["aa", "bb", "cc"]])
def test_the_content_of_several_files_is_the_digest_of_their_digests(sums: list[str]) -> None:
    assert planning.content(sums) == hashlib.sha256("".join(sums).encode()).hexdigest()


def test_a_source_of_many_copies_is_much_of_a_shard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "_SMALL_SHARDS", 0)
    few = [Job(sample(f"{n}.jpg"), f"{n}", ".jpg", (0, 1)) for n in range(40)]
    many = [replace(job, copies=tuple(range(8))) for job in few]
    assert [len(one.jobs) for one in planning.shards(few, lambda job: 1, usual=2)] == [32, 8]
    assert [len(one.jobs) for one in planning.shards(few, lambda job: 1, usual=4)] == [32, 8], "never less than one"
    assert [len(one.jobs) for one in planning.shards(many, lambda job: 1, usual=2)] == [8, 8, 8, 8, 8]
    assert [len(one.jobs) for one in planning.shards(many[:4], lambda job: 1 << 20, usual=4)] == [2, 2]
    assert [len(one.jobs) for one in planning.shards(many[:4], lambda job: 1 << 20)] == [4]


def test_a_hundred_thousand_sources() -> None:
    """As many shards as that makes: numbers that grow with them stay in range."""
    jobs = [Job(Sample(f"{number}.jpg"), str(number), ".jpg", (0, 1)) for number in range(100_000)]
    cut = list(planning.shards(jobs, lambda job: 100_000, usual=2))
    assert [job for shard in cut for job in shard.jobs] == jobs
    assert {len(shard.jobs) for shard in cut[6:-1]} == {32}
    assert len({shard.name for shard in cut}) == len(cut) > 3000
