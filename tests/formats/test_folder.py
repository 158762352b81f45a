"""Class folders, and the walk under every format."""

import os
import random

import pytest

from augx.errors import InputError
from augx.formats import ReadOptions, walk
from augx.formats.folder import Folder, layout
from augx.model import Annotations, Dataset, Sample


def plant(root, *names):
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    return str(root)


def read(root):
    return Folder().read(str(root), ReadOptions())


def placements(dataset):
    return {s.id: (s.split, s.annotations.label) for s in dataset.samples}


@pytest.mark.parametrize(
    ("folders", "expected"),
    [
        (["cat", "dog"], {"cat": (None, "cat"), "dog": (None, "dog")}),
        (["", "cat"], {"": (None, None), "cat": (None, "cat")}),
        (["animal/cat", "animal"], {"animal/cat": (None, "animal/cat"), "animal": (None, "animal")}),
        (["train/cat", "valid/cat"], {"train/cat": ("train", "cat"), "valid/cat": ("val", "cat")}),
        (["Training/cat", "TEST/cat"], {"Training/cat": ("train", "cat"), "TEST/cat": ("test", "cat")}),
        (["train/a/b", "dev/a"], {"train/a/b": ("train", "a/b"), "dev/a": ("val", "a")}),
        (["train/cat"], {"train/cat": ("train", "cat")}),
        (["train"], {"train": ("train", None)}),
        (["car", "bus", "train"], {"car": (None, "car"), "bus": (None, "bus"), "train": (None, "train")}),
        (["val/a", "car/a"], {"val/a": (None, "val/a"), "car/a": (None, "car/a")}),
        (
            ["train/a", "test/a", "extra/a"],
            {"train/a": ("train", "a"), "test/a": ("test", "a"), "extra/a": ("extra", "a")},
        ),
        (["images"], {"images": (None, None)}),
        (["images/train", "images/val"], {"images/train": ("train", None), "images/val": ("val", None)}),
        (["train/images", "val/images"], {"train/images": ("train", None), "val/images": ("val", None)}),
        (["images", "cat"], {"images": (None, "images"), "cat": (None, "cat")}),
        ([""], {"": (None, None)}),
    ],
)
def test_layout(folders, expected):
    assert layout(folders) == expected


def test_read(tmp_path):
    plant(tmp_path, "train/cat/2.jpg", "train/cat/1.jpg", "val/dog/1.png", "notes.txt", "val/dog/LICENSE")
    dataset = read(tmp_path)
    assert [s.id for s in dataset.samples] == ["train/cat/1.jpg", "train/cat/2.jpg", "val/dog/1.png"]
    assert dataset.samples[0] == Sample("train/cat/1.jpg", Annotations({"cat": 1.0}), "train")
    assert dataset.classes == ("cat", "dog")
    assert dataset.ignored == {".txt": 1, "LICENSE": 1}
    assert (dataset.warnings, dataset.failed) == ((), ())


def test_only_folders_with_images_decide_on_splits(tmp_path):
    plant(tmp_path, "train/cat/1.jpg", "docs/a.txt")
    assert placements(read(tmp_path)) == {"train/cat/1.jpg": ("train", "cat")}


def test_an_image_beside_class_folders_has_no_class_and_a_warning(tmp_path):
    plant(tmp_path, "cat/1.jpg", "2.jpg")
    dataset = read(tmp_path)
    assert placements(dataset) == {"2.jpg": (None, None), "cat/1.jpg": (None, "cat")}
    assert [(f.code, f.source) for f in dataset.warnings] == [("no-class", "2.jpg")]


def test_table_options_are_refused_not_ignored(tmp_path):
    with pytest.raises(InputError, match="no table"):
        Folder().read(plant(tmp_path, "a/1.jpg"), ReadOptions(table="x.csv"))


def test_names_stay_as_they_are(tmp_path):
    names = ["Zoë/a b.JPG", "Zoe\u0308/1.jpg", "-x/=1.jpg", "a\nb/1.jpg", "x.jpg/1.jpg"]
    dataset = read(plant(tmp_path, *names))
    assert [s.id for s in dataset.samples] == sorted(names)
    assert set(dataset.classes) == {"Zoë", "Zoe\u0308", "-x", "a\nb", "x.jpg"}


def test_unknown_endings_are_images_and_hidden_files_are_not(tmp_path):
    plant(
        tmp_path,
        "a.bin",
        "b.tga",
        "c",
        "d.GIF",
        ".hidden.jpg",
        ".git/x.jpg",
        "e.CSV",
        "Thumbs.db",
        "readme",
        "f.tar.gz",
    )
    found = walk.walk(str(tmp_path))
    assert found.images == ("a.bin", "b.tga", "c", "d.GIF")
    assert found.documents == ("Thumbs.db", "e.CSV", "f.tar.gz", "readme")
    assert found.ignored == {".csv": 1, ".db": 1, ".gz": 1, "readme": 1}


def test_the_order_of_the_file_system_does_not_matter(tmp_path, monkeypatch):
    root = plant(tmp_path, *(f"{c}/{i}.jpg" for c in "dbca" for i in range(9)), "x.txt", "b/y.md", "z.txt")
    expected = walk.walk(root)
    real = os.scandir

    class Shuffled:
        def __init__(self, path):
            with real(path) as entries:
                self.entries = list(entries)
            random.Random(1).shuffle(self.entries)

        def __enter__(self):
            return iter(self.entries)

        def __exit__(self, *_):
            pass

        def close(self):
            pass

    monkeypatch.setattr(os, "scandir", Shuffled)
    again = walk.walk(root)
    assert again == expected
    assert list(again.ignored) == list(expected.ignored)


def test_special_files_fail_by_name_unopened(tmp_path):
    plant(tmp_path, "a.jpg")
    os.mkfifo(tmp_path / "pipe.jpg")
    os.mkfifo(tmp_path / "pipe.txt")
    (tmp_path / "none.jpg").symlink_to("gone.jpg")
    (tmp_path / "self.jpg").symlink_to("self.jpg")
    found = walk.walk(str(tmp_path))
    assert found.images == ("a.jpg",)
    assert [(f.source, f.code) for f in found.failed] == [
        ("none.jpg", "link-broken"),
        ("pipe.jpg", "not-a-file"),
        ("self.jpg", "link-broken"),
    ]


def test_links(tmp_path):
    plant(tmp_path, "in/a/1.jpg", "out/2.jpg", "in/.store/3")
    root = tmp_path / "in"
    (root / "b").symlink_to("a")
    (root / "c").symlink_to(tmp_path / "out")
    (root / "d.jpg").symlink_to(tmp_path / "out/2.jpg")
    (root / "e.jpg").symlink_to(".store/3")
    (root / "a" / "up").symlink_to("..")
    (root / "f.jpg").symlink_to("/dev/null")
    found = walk.walk(str(root))
    assert found.images == ("a/1.jpg", "b/1.jpg", "e.jpg")
    assert [(f.source, f.code) for f in found.warnings] == [
        ("a/up", "link-loop"),
        ("b/up", "link-loop"),
        ("c", "link-outside"),
        ("d.jpg", "link-outside"),
        ("f.jpg", "link-outside"),
    ]


def test_a_folder_whose_name_begins_like_the_root_is_outside(tmp_path):
    plant(tmp_path, "data/1.jpg", "data2/2.jpg")
    (tmp_path / "data" / "l").symlink_to(tmp_path / "data2")
    assert [f.code for f in walk.walk(str(tmp_path / "data")).warnings] == ["link-outside"]


def test_folders_linked_to_each_other_end(tmp_path):
    for name in "abcdefgh":
        plant(tmp_path, f"{name}/1.jpg")
        for other in "abcdefgh":
            (tmp_path / name / f"to-{other}").symlink_to(f"../{other}")
    assert len(walk.walk(str(tmp_path)).images) == 8 + 8 * 7


def test_a_linked_root_is_read(tmp_path):
    plant(tmp_path, "real/cat/1.jpg")
    (tmp_path / "link").symlink_to("real")
    assert placements(read(tmp_path / "link")) == {"cat/1.jpg": (None, "cat")}


def test_names_that_are_no_utf8_fail_by_name(tmp_path):
    plant(tmp_path, "ok.jpg")
    root = os.fsencode(tmp_path)
    try:
        os.mkdir(root + b"/d\xff")
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    for name in (b"/b\xe9.jpg", b"/d\xff/1.jpg", b"/n\xe9.txt"):
        with open(root + name, "wb"):
            pass
    found = walk.walk(str(tmp_path))
    assert found.images == ("ok.jpg",)
    assert [(f.source, f.code) for f in found.failed] == [
        ("b\\xe9.jpg", "name-not-utf8"),
        ("d\\xff/1.jpg", "name-not-utf8"),
    ]
    assert found.documents == ()
    assert found.ignored == {".txt": 1}


def test_a_folder_that_cannot_be_listed_fails_by_name(tmp_path, monkeypatch):
    root = plant(tmp_path, "a/1.jpg", "b/1.jpg")
    real = os.scandir

    def guarded(path):
        if str(path).rstrip("/").endswith("/b"):
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(os, "scandir", guarded)
    found = walk.walk(root)
    assert found.images == ("a/1.jpg",)
    assert [(f.code, f.source) for f in found.failed] == [("unreadable-folder", "b")]
    assert "Permission denied" in found.failed[0].message


def test_roots_without_images(tmp_path):
    plant(tmp_path, "file.jpg", "docs/a.txt", "docs/b.txt", "linked/a.txt")
    (tmp_path / "empty").mkdir()
    (tmp_path / "linked" / "out.jpg").symlink_to(tmp_path / "file.jpg")
    for name, message in [
        ("file.jpg", "is no folder"),
        ("gone", "no such folder"),
        ("empty", "the folder is empty"),
        ("docs", r"no images among its files \(2 .txt\)"),
        ("linked", "links that lead out of it: 1"),
        ("nul\0", "cannot be read"),
    ]:
        with pytest.raises(InputError, match=message) as caught:
            walk.walk(str(tmp_path / name))
        assert caught.value.hint


def labelled(*samples, form="table"):
    made = tuple(Sample(name, Annotations(labels), split) for name, labels, split in samples)
    return Dataset("r", form, made, tuple(sorted({c for s in made for c in s.annotations.labels})))


def place(dataset):
    Folder().check(dataset, mixes=False)
    return [Folder().place(sample, dataset) for sample in dataset.samples]


def test_folders_go_back_where_they_were(tmp_path):
    dataset = read(plant(tmp_path, "Training/cat/1.jpg", "valid/cat/2.jpg", "Training/3.jpg"))
    assert place(dataset) == ["Training", "Training/cat", "valid/cat"]
    assert list(Folder().write([], dataset)) == []


def test_labels_of_another_format_become_folders():
    dataset = labelled(
        ("1", {"cat": 1.0}, "train"),
        ("2", {"tv/monitor": 1.0}, "train"),
        ("3", {"cat": 1.0}, "test"),
        ("4", {"tv": 1.0}, "test"),
    )
    assert place(dataset) == ["train/cat", "train/tv/monitor", "test/cat", "test/tv"]
    assert place(labelled(("1", {"a": 1.0}, None), ("2", {"train": 1.0}, None))) == ["a", "train"]


@pytest.mark.parametrize(
    "name", ["", "..", ".a", "a/../b", "/a", "a//b", "a/", "a ", " a", "a\0", "x" * 201, "é" * 101, "manifest.jsonl"]
)
def test_classes_that_cannot_be_folders_are_refused_by_name(name):
    with pytest.raises(InputError) as caught:
        place(labelled(("1", {name: 1.0}, None), ("2", {"b": 1.0}, None)))
    assert repr(name) in caught.value.message
    assert "--to table" in caught.value.hint


def test_long_names_that_fit():
    assert place(labelled(("1", {"x" * 200: 1.0}, None))) == ["x" * 200]


@pytest.mark.parametrize("split", ["..", "../../x", "a\0", ""])
def test_a_split_never_leads_out(split):
    with pytest.raises(InputError):
        place(labelled(("1", {"cat": 1.0}, split)))


@pytest.mark.parametrize(("one", "two"), [("Cat", "cat"), ("Zo\u00eb", "Zoe\u0308"), ("straße", "STRASSE")])
def test_classes_that_are_one_folder_elsewhere_are_refused(one, two):
    with pytest.raises(InputError, match="one folder"):
        place(labelled(("1", {one: 1.0}, None), ("2", {two: 1.0}, None)))


@pytest.mark.parametrize(
    "samples",
    [
        [("1", {"train": 1.0}, None), ("2", {"test": 1.0}, None)],  # would be read as splits
        [("1", {"images": 1.0}, None)],  # would be read as a mere container
        [("1", {"cat": 1.0}, "fold1"), ("2", {"cat": 1.0}, "fold2")],  # would be read as classes
        [("1", {"cat": 1.0}, "train"), ("2", {"cat": 1.0}, "val"), ("3", {"dog": 1.0}, None)],
    ],
)
def test_folders_that_would_be_read_otherwise_are_refused(samples):
    with pytest.raises(InputError, match="would not be read"):
        place(labelled(*samples))


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ({"a": 1.0, "b": 1.0}, "more than one class, .*: 2; the first is 2"),
        ({}, "no class, .*: 2; the first is 2"),
        ({"a": 0.5}, "a weighted class, .*: 2; the first is 2"),
    ],
)
def test_labels_folders_cannot_hold_are_refused_and_counted(labels, message):
    with pytest.raises(InputError, match=message):
        place(labelled(("1", {"a": 1.0}, None), ("2", labels, None), ("3", labels, None)))


def test_mixes_are_refused_before_the_first_image(tmp_path):
    dataset = read(plant(tmp_path, "a/1.jpg"))
    with pytest.raises(InputError, match="weighted labels"):
        Folder().check(dataset, mixes=True)
