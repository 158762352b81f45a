"""WebDataset out: tars that hold what loose files would, the same bytes each time, and all labels come back."""

from __future__ import annotations

import io
import json
import os
import re
import tarfile
from array import array
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from conftest import encoded, failures, rows, tree
from label_sets import coco_set, masks, plant, yolo
from running import a_recipe, fresh, run, states

import augx
from augx import engine, fitting, formats, tars, verify
from augx import plan as planning
from augx.dispatch import local
from augx.errors import InputError, OutputError
from augx.executors.base import Lost
from augx.formats import ReadOptions
from augx.formats.webdataset.format import Webdataset
from augx.formats.webdataset.own import annotations_of, details_of, document
from augx.formats.webdataset.places import shards_of
from augx.model import Annotations, Dataset, Object, Rle, Sample, TarOptions
from augx.naming import tar_names
from augx.objects import to_row
from augx.recipe import CONVERSION
from augx.replay import replay
from augx.report.figures import figures

TO = {"to_formats": ("webdataset",)}


def pack(input, output, recipe=None, tar_images=6, **more):
    return run(input, output, (recipe or a_recipe()).replace(tar_images=tar_images), **TO, **more)


def packed(input, near, recipe=None, tar_images=6, **more):
    return fresh(input, near, (recipe or a_recipe()).replace(tar_images=tar_images), **TO, **more)


def members(output):
    """Tar -> name -> content, in order."""
    found = {}
    for path in sorted(output.glob("*.tar")):
        with tarfile.open(path) as tar:
            found[path.name] = {member.name: tar.extractfile(member).read() for member in tar}
    return found


def shards(output):
    return [json.loads(line) for line in (output / "shards.jsonl").read_text().splitlines()]


def read(output, **options):
    return Webdataset().read(str(output), ReadOptions(**options))


@pytest.fixture
def many(tmp_path):
    """24 JPEGs in two classes: about eight tars of three sources each."""
    for number in range(24):
        path = tmp_path / "many" / ("cat", "dog")[number % 2] / f"{number:02d}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encoded(number, width=12, height=8))
    return tmp_path / "many"


def test_tars_hold_what_loose_files_would(photos, tmp_path):
    outcome = pack(photos, tmp_path / "out")
    run(photos, tmp_path / "loose")
    assert (outcome.made, outcome.failed) == (18, 0)
    loose = {row["source"]: row for row in rows(tmp_path / "loose")}
    assert len(loose) == 6
    found = members(tmp_path / "out")
    files = {name: data for content in found.values() for name, data in content.items()}
    assert {name for name in files if name.endswith(".jpg")} == {row["file_name"] for row in rows(tmp_path / "loose")}
    for row in rows(tmp_path / "loose"):
        stem = row["file_name"].removesuffix(".jpg")
        assert files[f"{stem}.jpg"] == (tmp_path / "loose" / row["file_name"]).read_bytes()
        assert files[f"{stem}.cls"] == {"cat": b"0", "dog": b"1"}[row["label"]]
        said = json.loads(files[f"{stem}.json"])
        assert (said["label"], said["labels"], said["weights"]) == (row["label"], [row["label"]], [1.0])
        assert (said["source"], said["copy"], said["width"], said["height"]) == (row["source"], row["copy"], 24, 18)
    assert not any("." in name.rpartition("/")[2].split(".")[0] for name in files)
    assert json.loads((tmp_path / "out" / "dataset.json").read_text()) == {"classes": ["cat", "dog"]}
    assert [(one["file"], one["images"], one["bytes"]) for one in shards(tmp_path / "out")] == [
        (name, len(content) // 3, (tmp_path / "out" / name).stat().st_size) for name, content in found.items()
    ]
    assert {one["file"]: one["sha256"] for one in shards(tmp_path / "out")} == {
        name: sha256 for name, sha256 in tree(tmp_path / "out").items() if name.endswith(".tar")
    }


def test_what_belongs_to_an_image_stands_behind_it(photos, tmp_path):
    pack(photos, tmp_path / "out")
    for name, content in members(tmp_path / "out").items():
        order = [re.split(r"\.", one) for one in content]
        assert [ending for _, ending in order] == ["jpg", "json", "cls"] * (len(order) // 3)
        assert [stem for stem, _ in order[::3]] == [stem for stem, _ in order[1::3]]
        with tarfile.open(tmp_path / "out" / name) as tar:
            assert {(m.mtime, m.uid, m.gid, m.mode, m.uname) for m in tar} == {(0, 0, 0, 0o644, "")}


def test_where_the_row_says_the_image_lies(photos, tmp_path):
    pack(photos, tmp_path / "out")
    found = members(tmp_path / "out")
    for row in rows(tmp_path / "out"):
        tar, _, name = row["file_name"].partition("/")
        data = (tmp_path / "out" / tar).read_bytes()
        assert data[row["offset"] : row["offset"] + row["bytes"]] == found[tar][name]


@pytest.mark.parametrize("how", [{"workers": 2}, {"fsync": "each"}])
def test_the_same_tree_however_it_is_made(photos, tmp_path, how):
    pack(photos, tmp_path / "out", **how)
    assert tree(tmp_path / "out") == tree(packed(photos, tmp_path / "x"))


def test_some_of_the_tars_give_what_all_give_of_them(many, tmp_path):
    """So that who has too many to plan them in one place can do without that."""
    pack(many, tmp_path / "tars")
    names = sorted(path.name for path in (tmp_path / "tars").glob("*.tar"))
    assert len(names) > 2
    run(tmp_path / "tars", tmp_path / "whole", to_formats=("folder",))
    parts = [f"{tmp_path}/tars/{names[0]}", f"{tmp_path}/tars/{{{','.join(name[:-4] for name in names[1:])}}}.tar"]
    found = []
    for number, part in enumerate(parts):
        run(part, tmp_path / f"part{number}", to_formats=("folder",))
        found += rows(tmp_path / f"part{number}")
    images = {row["file_name"]: (row["source"], row["sha256"]) for row in found}
    assert images == {row["file_name"]: (row["source"], row["sha256"]) for row in rows(tmp_path / "whole")}
    assert len(images) == len(found)


def test_a_second_run_writes_nothing(photos, tmp_path):
    pack(photos, tmp_path / "out")
    before = states(tmp_path / "out")
    del before["summary.json"]  # the target of make(1), touched
    again = pack(photos, tmp_path / "out")
    assert (again.made, again.kept) == (0, 18)
    assert before.items() <= states(tmp_path / "out").items()
    asked = engine.Request(str(photos), str(tmp_path / "out"), a_recipe().replace(tar_images=6), **TO)
    assert engine.check(asked) == []
    assert all((tmp_path / "out" / one["file"]).stat().st_mtime_ns for one in shards(tmp_path / "out"))


def test_a_tar_is_as_old_as_its_youngest_source(photos, tmp_path):
    for number, path in enumerate(sorted(photos.rglob("*.jpg"))):
        os.utime(path, (1_000_000 + number, 1_000_000 + number))
    pack(photos, tmp_path / "out")
    youngest = Counter()
    for row in rows(tmp_path / "out"):
        tar = row["file_name"].partition("/")[0]
        youngest[tar] = max(youngest[tar], int(os.stat(photos / row["source"]).st_mtime))
    assert {path.name: int(path.stat().st_mtime) for path in (tmp_path / "out").glob("*.tar")} == dict(youngest)


def test_only_tars_with_something_to_do_are_made_again(many, tmp_path):
    pack(many, tmp_path / "out")
    whole, names = tree(tmp_path / "out"), [one["file"] for one in shards(tmp_path / "out")]
    assert len(names) > 5
    (tmp_path / "out" / names[1]).unlink()
    os.utime(tmp_path / "out" / names[2], (5, 5))
    lost = shards(tmp_path / "out")[1]["images"]
    before = states(tmp_path / "out")
    outcome = pack(many, tmp_path / "out")
    after = states(tmp_path / "out")
    assert (outcome.made, outcome.kept) == (lost, 72 - lost)
    assert {name for name in names if before.get(name) != after[name]} == {names[1], names[2]}
    assert before[names[2]][0] == after[names[2]][0], "it was dated anew, not written"
    assert tree(tmp_path / "out") == whole


def test_a_new_image_changes_the_tar_it_comes_into(many, tmp_path):
    pack(many, tmp_path / "out", tar_images=13)
    before = {one["file"]: one["sha256"] for one in shards(tmp_path / "out")}
    (many / "cat" / "new.jpg").write_bytes(encoded(99))
    pack(many, tmp_path / "out", tar_images=13)
    after = {one["file"]: one["sha256"] for one in shards(tmp_path / "out")}
    changed = [name for name in after if before.get(name) != after[name]]
    assert before.keys() == after.keys()
    assert len(changed) == 1
    assert tree(tmp_path / "out") == tree(packed(many, tmp_path / "x", tar_images=13))
    (many / "cat" / "new.jpg").unlink()
    pack(many, tmp_path / "out", tar_images=13)
    assert {one["file"]: one["sha256"] for one in shards(tmp_path / "out")} == before


@pytest.mark.parametrize("change", ["copies", "size", "loose"])
def test_what_is_no_longer_wanted_goes_away(many, tmp_path, change):
    pack(many, tmp_path / "out", a_recipe(copies=3), tar_images=4)
    if change == "loose":
        run(many, tmp_path / "out")
        assert tree(tmp_path / "out") == tree(fresh(many, tmp_path / "x"))
        return
    size = 40 if change == "size" else 4
    recipe = a_recipe(copies=1 if change == "copies" else 3)
    pack(many, tmp_path / "out", recipe, tar_images=size)
    assert tree(tmp_path / "out") == tree(packed(many, tmp_path / "x", recipe, tar_images=size))


def test_without_the_journal_nothing_is_made_again(photos, tmp_path):
    import shutil

    pack(photos, tmp_path / "out")
    whole = tree(tmp_path / "out")
    shutil.rmtree(tmp_path / "out" / ".augx")
    assert pack(photos, tmp_path / "out").made == 0
    assert tree(tmp_path / "out") == whole


def test_what_fails_is_left_out_of_its_tar(photos, tmp_path):
    (photos / "cat" / "0.jpg").write_bytes(b"no picture")
    outcome = pack(photos, tmp_path / "out", tar_images=100)
    assert (outcome.made, outcome.failed) == (15, 3)
    assert len(failures(tmp_path / "out")) == 3
    assert len(members(tmp_path / "out")["data-000000.tar"]) == 15 * 3
    assert pack(photos, tmp_path / "out", tar_images=100).made == 0
    assert verify.verify(str(tmp_path / "out"), 1) == (15, [])


def test_a_tar_of_nothing_is_none(photos, tmp_path):
    for path in photos.rglob("*.jpg"):
        path.write_bytes(b"no picture")
    assert pack(photos, tmp_path / "out").failed == 18
    assert not list((tmp_path / "out").glob("*.tar"))
    assert pack(photos, tmp_path / "out").made == 0


def test_a_file_of_the_user_is_not_written_over(photos, tmp_path):
    pack(photos, tmp_path / "out", tar_images=100)
    run(photos, tmp_path / "out")
    (tmp_path / "out" / "data-000000.tar").write_bytes(b"mine")
    with pytest.raises(OutputError, match=r"did not write: data-000000\.tar"):
        pack(photos, tmp_path / "out", tar_images=100)


def test_whoever_kills_a_worker_is_left_out_of_its_tar(photos, tmp_path, monkeypatch):
    rounds = []

    def executor(start, shards, workers, preload, bounds, options):
        work = start()
        rounds.append([])
        for shard in shards:
            sources = [job.sample.id for job in shard.jobs]
            rounds[-1].append((shard.tar, sorted(sources)))
            guilty = "cat/2.jpg" in sources
            yield shard, Lost("killed by a test") if guilty else work(shard, lambda: None)

    with monkeypatch.context() as patched:
        patched.setattr(local, "run", executor)
        outcome = pack(photos, tmp_path / "out", tar_images=100)
    every = sorted(str(path.relative_to(photos)) for path in photos.rglob("*.jpg"))
    others = [name for name in every if name != "cat/2.jpg"]
    assert rounds[0] == [("data-000000.tar", every)]
    assert sorted(rounds[1]) == [("", [name]) for name in every], "each alone, writing nothing"
    assert rounds[2] == [("data-000000.tar", others)]
    assert (outcome.made, outcome.failed) == (15, 3)
    assert {row["error"] for row in failures(tmp_path / "out")} == {"worker-died"}
    assert verify.verify(str(tmp_path / "out"), 1) == (15, [])
    assert pack(photos, tmp_path / "out", tar_images=100).made == 18, "what killed a worker is tried again"
    assert tree(tmp_path / "out") == tree(packed(photos, tmp_path / "x", tar_images=100))


# what lies in tars is found there


def test_verify_finds_what_is_wrong(photos, tmp_path):
    output = tmp_path / "out"
    pack(photos, output)
    assert verify.verify(str(output), 1, deep=True) == (18, [])
    row = rows(output)[4]
    tar = output / row["file_name"].partition("/")[0]
    good, date = tar.read_bytes(), tar.stat().st_mtime_ns
    for place, fault in [
        (row["offset"] + 300, f"{row['file_name']}: its content is not what the manifest says"),
        (row["offset"] - 100, f"{tar.name}: a header of the tar at {row['offset'] - 512} is damaged"),
        (len(good) - 1, f"{tar.name}: it is not the one that shards.jsonl was written for"),
    ]:
        tar.write_bytes(good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :])
        os.utime(tar, ns=(date, date))
        assert fault in verify.verify(str(output), 1)[1]
        assert tar.stat().st_mtime_ns != date, "it is marked for the next run"
        assert pack(photos, output).made > 0
        assert tar.read_bytes() == good
    tar.unlink()
    assert f"{tar.name}: missing" in verify.verify(str(output), 1)[1]
    (output / "more.tar").write_bytes(good)
    assert "more.tar: it is in no row of the manifest" in verify.verify(str(output), 1)[1]


def test_images_are_read_from_tars(tmp_path):
    plant(tmp_path / "in", masks())
    pack(tmp_path / "in", tmp_path / "out")
    loose = augx.Images(fresh(tmp_path / "in", tmp_path / "x"))
    found = augx.Images(tmp_path / "out")
    assert len(found) == len(loose) > 3
    for one, other in zip(found, loose, strict=True):
        assert np.array_equal(one.image, other.image)
        assert np.array_equal(one.mask, other.mask)
    with pytest.raises(InputError, match="lies in a tar"):
        found.manifest.path(found.manifest[0])


def test_replay_and_report(photos, tmp_path):
    pack(photos, tmp_path / "out")
    name = rows(tmp_path / "out")[1]["file_name"]
    assert replay(str(tmp_path / "out"), name, str(tmp_path / "again.jpg"), None)[0]
    told = figures(str(tmp_path / "out"))
    assert len(told.shots) == 18


# labels


def back(input, tmp_path, **more):
    """The annotations of a dataset before and after tars, by stem."""
    before = formats.detect(str(input)).read(str(input), ReadOptions())
    run(input, tmp_path / "tars", CONVERSION.replace(tar_images=2), untouched=True, **TO, **more)
    after = read(tmp_path / "tars")
    assert after.classes == before.classes
    stems = [{Path(s.id).stem: s for s in dataset.samples} for dataset in (before, after)]
    assert stems[0].keys() == stems[1].keys()
    return [(stems[0][stem], stems[1][stem]) for stem in sorted(stems[0])]


def test_boxes_come_back(tmp_path):
    plant(tmp_path / "in", coco_set())
    for one, other in back(tmp_path / "in", tmp_path):
        assert [(t.label, t.box, t.rings, t.crowd) for t in other.annotations.objects] == [
            (t.label, t.box, t.rings, t.crowd) for t in one.annotations.objects
        ]


def test_masks_come_back(tmp_path):
    plant(tmp_path / "in", masks())
    for one, other in back(tmp_path / "in", tmp_path):
        (name,) = [name for name in other.packed if name.endswith(".seg.png")]
        tar, offset, size = other.packed[name]
        assert other.annotations.mask == name
        data = (tmp_path / "tars" / tar).read_bytes()[offset : offset + size]
        assert data == (tmp_path / "in" / one.annotations.mask).read_bytes()


EVERYTHING = Annotations(
    {"cat": 0.25, "dog": 0.75},
    {"angle": 1.5, "name": "x", "nothing": None},
    ("one", "two"),
    (
        Object("a", (1.0, 2.0, 5.0, 7.0), (array("d", [1, 2, 5, 2, 5, 7]), array("d", [1, 2, 3, 4, 1, 4]))),
        Object("b", (0.5, 1.0, 4.0, 9.0), keypoints=array("d", [1.5, 2, 2, 0, 0, 0]), extra={"difficult": 1}),
        Object(None, (0.0, 0.0, 4.0, 4.0), corners=array("d", [0, 0, 4, 0, 4, 4, 0, 4])),
        Object("a", (0.0, 0.0, 2.0, 2.0), rle=Rle(20, 10, (0, 2, 198)), crowd=True, index=3),
    ),
    instances="i.png",
    size=(20, 10),
)


def row_of(known, **more):
    return {
        "label": known.label,
        "labels": dict(known.labels),
        "objects": [to_row(thing, 4.0) for thing in known.objects],
        "captions": list(known.captions),
        "values": dict(known.values),
        "width": 20,
        "height": 10,
        "split": "dev",
        "source": "a.jpg",
        "copy": 1,
    } | more


def test_all_labels_in_one_document():
    dataset = Dataset("", "x", (Sample("a.jpg", EVERYTHING),), ("cat", "dog", "a", "b"))
    said = json.loads(document(row_of(EVERYTHING), details_of(dataset)))
    keys = {"label", "bbox", "area", "segmentation", "rle", "keypoints", "obb", "iscrowd", "index", "extra"}
    assert all(one.keys() == keys for one in said["objects"]), "`datasets` takes types from the first few"
    assert said["objects"][3]["rle"]["counts"]
    assert all(one["rle"] == {"size": [10, 20], "counts": ""} for one in said["objects"][:3] if one["segmentation"])
    known, split, problems = annotations_of(said)
    assert (split, problems) == ("dev", [])
    assert (known.labels, known.values, known.captions) == (
        EVERYTHING.labels, EVERYTHING.values, EVERYTHING.captions,
    )  # fmt: skip
    assert known.size == (20, 10)
    for one, other in zip(known.objects[:3], EVERYTHING.objects, strict=False):
        assert one == other
    assert (known.objects[3].index, known.objects[3].crowd, known.objects[3].label) == (3, True, "a")


@pytest.mark.parametrize(
    "broken",
    [
        {"labels": "cat"},
        {"weights": [1.0]},
        {"weights": [0.5, 3.0]},
        {"captions": [1]},
        {"values": []},
        {"objects": {}},
    ],
)
def test_a_damaged_document_fails_its_image(tmp_path, broken):
    dataset = Dataset("", "x", (Sample("a.jpg", EVERYTHING),))
    said = json.loads(document(row_of(EVERYTHING), details_of(dataset))) | broken
    tar = tmp_path / "in" / "0.tar"
    tar.parent.mkdir()
    with tarfile.open(tar, "w") as file:
        for name, data in {
            "a.jpg": b"x", "a.json": json.dumps(said).encode(), "b.jpg": b"x", "b.cls": b"3",
        }.items():  # fmt: skip
            info = tarfile.TarInfo(name)
            info.size = len(data)
            file.addfile(info, io.BytesIO(data))
    found = read(tmp_path / "in")
    assert [flaw.code for flaw in found.failed] == ["unreadable-label"]
    assert [sample.annotations.labels for sample in found.samples] == [{"3": 1.0}]


def test_a_mix_has_the_class_it_is_most_of(photos, tmp_path):
    pack(photos, tmp_path / "out", a_recipe("[{mixup: {partners: other, p: 1}}]"))
    seen = 0
    for content in members(tmp_path / "out").values():
        for name in [name for name in content if name.endswith(".json")]:
            said = json.loads(content[name])
            heaviest = max(zip(said["weights"], said["labels"], strict=True), key=lambda pair: pair[0])[1]
            assert content[name.replace(".json", ".cls")] == {"cat": b"0", "dog": b"1"}[heaviest]
            seen += len(said["labels"]) > 1
    assert seen > 6
    weights = {s.id: dict(s.annotations.labels) for s in read(tmp_path / "out").samples}
    assert weights == {row["file_name"]: row["labels"] for row in rows(tmp_path / "out")}


def test_what_one_class_numbers_mean_stands_beside(tmp_path):
    plant(tmp_path / "in", yolo())
    pack(tmp_path / "in", tmp_path / "out")
    said = json.loads((tmp_path / "out" / "dataset.json").read_text())
    assert said["classes"] == ["cat", "dog"]
    assert read(tmp_path / "out").classes == ("cat", "dog")
    (tmp_path / "out" / "dataset.json").write_text("[1]")
    with pytest.raises(InputError, match=r"dataset\.json is not as augx writes it"):
        read(tmp_path / "out")


# which image lies in which tar


def job_tars(count, copies=1, splits=(None,), size=1000, **options):
    samples = tuple(Sample(f"{n:05d}.png", split=splits[n % len(splits)]) for n in range(count))
    recipe = a_recipe(copies=copies, splits=[split for split in splits if split] or ["train"])
    plan = planning.make(
        Dataset("", "folder", samples),
        recipe.replace(**{f"tar_{key}": value for key, value in options.items()}),
        ("webdataset",),
        {},
        size=lambda sample: size,
    )
    return {job.sample.id: job.stem.partition("/")[0] for job in plan.jobs}, Counter(
        tar for job in plan.jobs for tar in [job.stem.partition("/")[0]] for _ in job.copies
    )


def test_tars_are_about_as_large_as_asked_for():
    _, counts = job_tars(2000, images=200)
    assert sorted(counts) == [f"data-{number:06d}.tar" for number in range(20)]
    assert 100 < min(counts.values()) < max(counts.values()) < 300
    _, counts = job_tars(2000, size=1 << 20, bytes=200 << 20)
    assert len(counts) == 20
    _, counts = job_tars(10)
    assert counts == {"data-000000.tar": 20}


def test_numbers_have_no_gaps_and_splits_have_their_own():
    _, counts = job_tars(30, images=2, splits=("train", "val", "x/y"))
    for split in ("train", "val", "x_y"):
        own = sorted(name for name in counts if name.startswith(f"{split}-"))
        assert own == [f"{split}-{number:06d}.tar" for number in range(len(own))]
        assert len(own) > 4


def test_a_tar_is_a_shuffled_part_and_stays_so():
    before, _ = job_tars(390, images=100)
    after, _ = job_tars(391, images=100)
    assert {name: after[name] for name in before} == before
    first = [int(name[:5]) for name, tar in before.items() if tar == "data-000000.tar"]
    assert max(first) - min(first) > 300


@pytest.mark.parametrize(
    ("splits", "names"),
    [
        ([None], ["data"]),
        (["train", "val", None], ["data", "train", "val"]),
        (["A", "a"], ["A", r"a_[0-9a-f]{8}"]),
        (["a.b/c", ""], ["_", "a_b_c"]),
    ],
)
def test_what_tars_are_called(splits, names):
    found = sorted(tar_names(splits).values())
    assert all(re.fullmatch(name, one) for name, one in zip(names, found, strict=True)), found


@pytest.mark.parametrize(
    ("id", "packed", "place"),
    [
        ("train/v1.2/a.jpg", {}, "train/v1_2"),
        ("a.jpg", {}, ""),
        ("s/0.tar/x/a.jpg", {"s/0.tar/x/a.jpg": ("s/0.tar", 512, 3)}, "x"),
    ],
)
def test_keys_have_no_dots(id, packed, place):
    assert Webdataset().place(Sample(id, packed=packed), Dataset("", "", ())) == place


def test_tars_stand_alone(photos, tmp_path):
    with pytest.raises(InputError, match="webdataset packs images and labels into tars, so table cannot stand beside"):
        run(photos, tmp_path / "out", to_formats=("webdataset", "table"))
    assert not (tmp_path / "out").exists()
    assert Webdataset().packs and Webdataset().writes
    assert TarOptions() == TarOptions(1000, 256 << 20)


def test_what_only_tars_hold_is_not_said_to_go_beside():
    sample = Sample("a.jpg", Annotations(values={"angle": 1.0}, instances="i.png"))
    with pytest.raises(InputError, match="the format folder cannot hold") as refused:
        fitting.fit(Dataset("", "voc", (sample,)), [formats.load("folder")], allow_loss=False)
    assert refused.value.hint.endswith("`--to webdataset` alone holds them")


def test_a_link_beside_tars_takes_no_image_of_its_name(photos, tmp_path):
    """It may be anybody's: what an image in a tar is labelled with lies in the tar."""
    (photos / "cat").rename(tmp_path / "in")
    run(tmp_path / "in", tmp_path / "out", a_recipe(copies=1), **TO)
    (tmp_path / "out" / "0.tar").symlink_to("/etc/passwd")
    assert run(tmp_path / "out", tmp_path / "again", a_recipe(copies=1), to_formats=("hf",)).failed == 0


# patterns


def test_tars_by_name_and_by_pattern(many, tmp_path):
    pack(many, tmp_path / "out")
    names = [one["file"] for one in shards(tmp_path / "out")]
    one = formats.detect(str(tmp_path / "out" / names[0]))
    assert one.name == "webdataset"
    found = one.read(str(tmp_path / "out" / names[0]), ReadOptions())
    assert {sample.id.partition("/")[0] for sample in found.samples} == {names[0]}
    pattern = str(tmp_path / "out" / "data-{000001..000003}.tar")
    found = formats.detect(pattern).read(pattern, ReadOptions())
    assert {sample.id.partition("/")[0] for sample in found.samples} == set(names[1:4])
    run(many.parent / "out" / "data-{000001..000003}.tar", tmp_path / "again", a_recipe(copies=1))
    assert len(rows(tmp_path / "again")) == 2 * len(found.samples)


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("{0..2}.tar", ["0.tar", "1.tar", "2.tar"]),
        ("{2..0}.tar", ["0.tar", "1.tar", "2.tar"]),
        ("{08..11}.tar", ["08.tar", "09.tar", "10.tar", "11.tar"]),
        ("{a,b}/{0..1}.tar", ["a/0.tar", "a/1.tar", "b/0.tar", "b/1.tar"]),
        ("{9..11}.tar", ["10.tar", "11.tar", "9.tar"]),
        ("{0..2}{0..1}.tar", ["00.tar", "01.tar", "10.tar", "11.tar", "20.tar", "21.tar"]),
        ("{0..10}.tar", [f"{number}.tar" for number in (0, 1, 10, *range(2, 10))]),
        ("{x}.tar", ["{x}.tar"]),
    ],
)
def test_patterns(tmp_path, pattern, names):
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert shards_of(str(tmp_path / pattern)) == (str(tmp_path), names)


@pytest.mark.parametrize("pattern", ["0.tar", "{0..1}.tar", "./{0..1}.tar"])
def test_tars_in_the_working_folder(tmp_path, monkeypatch, pattern):
    (tmp_path / "0.tar").touch()
    (tmp_path / "1.tar").touch()
    monkeypatch.chdir(tmp_path)
    assert shards_of(pattern) == (".", ["0.tar", "1.tar"][: 1 if pattern == "0.tar" else 2])


def test_a_pattern_takes_no_memory_before_it_is_counted():
    with pytest.raises(InputError, match="means 1,000,000,000 tars or more"):
        shards_of("{0..999}" * 50 + ".tar")
    with pytest.raises(InputError, match="means tars from / on and tars from here"):
        shards_of("{/tmp/a,b}.tar")


def test_a_pattern_of_tars_that_are_not_there(tmp_path):
    (tmp_path / "0.tar").touch()
    with pytest.raises(InputError, match=r"1\.tar: there is no such tar"):
        shards_of(str(tmp_path / "{0..1}.tar"))
    with pytest.raises(InputError, match="means 10,000,000 tars"):
        shards_of(str(tmp_path / "{0..9999999}.tar"))
    with pytest.raises(InputError, match="no such folder"):
        shards_of(str(tmp_path / "no" / "{0..1}.tar"))


# tars as bytes


NAMES = [
    "a.jpg", "x" * 100, "x" * 101, "d" * 60 + "/" + "y" * 90 + ".jpg", "d/" * 80 + "z.jpg", "é.jpg", "x" * 250,
    "a/" + "b" * 99, "a" * 155 + "/" + "b" * 100, "a" * 156 + "/b", *("n" * size + ".p" for size in range(96, 110)),
]  # fmt: skip


def test_every_tar_reader_finds_what_was_written():
    buffer = io.BytesIO()
    for number, name in enumerate(NAMES):
        data = bytes([number]) * (number * 37)
        buffer.write(tars.header(name, len(data)) + data + bytes(tars.padding(len(data))))
    buffer.write(tars.END)
    buffer.seek(0)
    with tarfile.open(fileobj=buffer) as tar:
        found = [(member.name, member.offset_data, member.size) for member in tar]
    assert [name for name, _, _ in found] == NAMES
    assert [tuple(member) for member in tars.members(buffer)] == found


@pytest.mark.parametrize("cut", [511, 512, 700, 1024])
def test_a_tar_without_an_end_is_none(cut):
    data = tars.header("a", 5) + b"hello" + bytes(507) + tars.END
    with pytest.raises(ValueError, match="no end"):
        list(tars.members(io.BytesIO(data[:cut])))


# others read them


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # it leaves files open
def test_webdataset_reads_what_we_write(photos, tmp_path):
    webdataset = pytest.importorskip("webdataset")
    pack(photos, tmp_path / "out", a_recipe(copies=1))
    urls = sorted(map(str, (tmp_path / "out").glob("*.tar")))
    found = list(webdataset.WebDataset(urls, shardshuffle=False).decode("pil"))
    assert len(found) == 12
    assert len({one["__key__"] for one in found}) == 12
    for one in found:
        row = next(r for r in rows(tmp_path / "out") if r["file_name"].partition("/")[2] == one["__key__"] + ".jpg")
        assert one["jpg"].size == (24, 18)
        assert one["cls"] == ["cat", "dog"].index(row["label"])
        assert one["json"]["labels"] == [row["label"]]
    pairs = list(webdataset.WebDataset(urls, shardshuffle=False).decode("rgb8").to_tuple("jpg", "cls"))
    assert pairs[0][0].shape == (18, 24, 3)


def test_datasets_reads_what_we_write(photos, tmp_path):
    datasets = pytest.importorskip("datasets")
    datasets.disable_progress_bars()
    pack(photos, tmp_path / "out", a_recipe(copies=1))
    files = {"train": sorted(map(str, (tmp_path / "out").glob("*.tar")))}
    found = datasets.load_dataset("webdataset", data_files=files, split="train", cache_dir=str(tmp_path / "cache"))
    known = {row["file_name"].partition("/")[2].removesuffix(".jpg"): row for row in rows(tmp_path / "out")}
    assert len(found) == 12
    for one in found:
        row = known[one["__key__"]]
        assert one["cls"] == ["cat", "dog"].index(row["label"])
        assert one["json"]["label"] == row["label"]
        assert one["jpg"].size == (24, 18)


def test_datasets_reads_boxes(tmp_path):
    """Masks of crowds, too, that begin after the images it takes types from."""
    datasets = pytest.importorskip("datasets")
    datasets.disable_progress_bars()
    files = coco_set(12, segmentation=[[4, 5, 16, 5, 16, 15]])
    files["annotations.json"]["annotations"].append(
        {"id": 99, "image_id": 1, "category_id": 2, "bbox": [0, 0, 2, 2], "area": 4, "iscrowd": 1}
        | {"segmentation": {"size": [30, 40], "counts": [0, 2, 28, 2, 1168]}}
    )
    plant(tmp_path / "in", files)
    pack(tmp_path / "in", tmp_path / "out", tar_images=100)
    files = {"train": sorted(map(str, (tmp_path / "out").glob("*.tar")))}
    found = datasets.load_dataset("webdataset", data_files=files, split="train", cache_dir=str(tmp_path / "cache"))
    known = {row["file_name"].partition("/")[2].rpartition(".")[0]: row for row in rows(tmp_path / "out")}
    assert len(found) == len(known)
    masks = [n for n, one in enumerate(found) for thing in one["json"]["objects"] if thing["rle"]["counts"]]
    assert min(masks) >= 5, "else the types were there to see"
    for one in found:
        row = known[one["__key__"]]
        assert [thing["bbox"] for thing in one["json"]["objects"]] == [thing["bbox"] for thing in row["objects"]]
        assert [thing["label"] for thing in one["json"]["objects"]] == [thing["label"] for thing in row["objects"]]
