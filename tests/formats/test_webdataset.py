"""WebDataset shards: which files of a tar belong together, and what is not believed of a tar."""

from __future__ import annotations

import io
import json
import tarfile

import pytest

from augx.errors import InputError
from augx.formats import ReadOptions
from augx.formats.webdataset.format import Webdataset
from augx.model import Annotations, Object
from augx.store import Source

WDS = Webdataset()


def shard(root, files, name="train-000.tar", kind=tarfile.GNU_FORMAT):
    """Writes a tar; a TarInfo in place of bytes goes in as it is."""
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w", format=kind) as tar:
        for file, content in files:
            if isinstance(content, tarfile.TarInfo):
                tar.addfile(content)
                continue
            data = content if isinstance(content, bytes) else content.encode()
            info = tarfile.TarInfo(file)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return str(root)


def special(name, kind, target=""):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return name, info


def read(root, **options):
    return WDS.read(str(root), ReadOptions(**options))


def flaws(found):
    return [(flaw.code, flaw.source) for flaw in found]


def plain(annotations):
    """Annotations without where in the tar they lie."""
    return Annotations(
        annotations.labels,
        annotations.values,
        annotations.captions,
        annotations.objects,
        annotations.mask,
        size=annotations.size,
    )


def test_files_of_one_key_belong_together(tmp_path):
    info = {"objects": {"bbox": [[1, 2, 3, 4]], "category": ["eye"]}, "url": "u", "width": 9, "height": 8}
    shard(
        tmp_path,
        [
            ("./a/1.jpg", b"JPEG"),
            ("./a/1.cls", "3\n"),
            ("./a/1.txt", " a cat\n"),
            ("./a/1.json", json.dumps(info)),
            ("./a/1.seg.png", b"MASK"),
            ("./a/1.npy", b"12"),
            ("2.v1.PNG", b"PNG!!"),
            ("2.cls", "10"),
        ],
    )
    dataset = read(tmp_path)
    first, second = dataset.samples
    assert (first.id, first.split) == ("train-000.tar/2.v1.PNG", "train")
    assert plain(first.annotations) == Annotations({"10": 1.0}, {})
    assert second.id == "train-000.tar/a/1.jpg"
    assert plain(second.annotations) == Annotations(
        {"3": 1.0},
        {"url": "u"},
        ("a cat",),
        (Object("eye", (1, 2, 4, 6)),),
        "train-000.tar/a/1.seg.png",
        size=(9, 8),
    )
    places = second.packed
    assert list(places) == ["train-000.tar/a/1.jpg", "train-000.tar/a/1.seg.png"]
    assert [Source(str(tmp_path / place[0]), *place[1:]).read()[0] for place in places.values()] == [b"JPEG", b"MASK"]
    assert dataset.classes == ("10", "3", "eye")
    assert dataset.ignored == {".npy": 1}
    assert (dataset.failed, dataset.warnings) == ((), ())


@pytest.mark.parametrize("kind", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT, tarfile.USTAR_FORMAT])
def test_long_names_in_any_kind_of_tar(tmp_path, kind):
    name = "x" * 90 + "/" + "y" * 90 + ".jpg"
    shard(tmp_path, [(name, b"one"), ("b.jpg", b"two")], kind=kind)
    found = read(tmp_path).samples
    assert [s.id for s in found] == ["train-000.tar/b.jpg", f"train-000.tar/{name}"]
    (place,) = found[1].packed.values()
    assert Source(str(tmp_path / place[0]), *place[1:]).read()[0] == b"one"


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("train-000.tar", "train"),
        ("imagenet-val-000123.tar", "val"),
        ("validation/000.tar", "val"),
        ("shard_test_1.tar", "test"),
        ("000.tar", None),
        ("trainer.tar", None),
    ],
)
def test_splits(tmp_path, name, split):
    shard(tmp_path, [("1.jpg", b"x")], name)
    assert [s.split for s in read(tmp_path).samples] == [split]


@pytest.mark.parametrize(
    ("names", "image", "mask"),
    [
        (["1.png", "1.mask.png"], "1.png", "1.mask.png"),
        (["1.png", "1.jpg"], "1.jpg", None),
        (["1.rgb.jpg", "1.segmentation.png"], "1.rgb.jpg", "1.segmentation.png"),
        (["1.left.jpg", "1.right.jpg"], None, None),
        (["1.seg.png"], None, None),
        (["1.JPEG"], "1.JPEG", None),
    ],
)
def test_which_is_the_image(tmp_path, names, image, mask):
    shard(tmp_path, [("0.jpg", b"x"), *((name, b"x") for name in names)])
    dataset = read(tmp_path)
    found = [s for s in dataset.samples if not s.id.endswith("/0.jpg")]
    assert [(s.id, s.annotations.mask) for s in found] == (
        [(f"train-000.tar/{image}", mask and f"train-000.tar/{mask}")] if image else []
    )
    assert flaws(dataset.warnings) == ([] if image else [("no-image", "train-000.tar/1")])


def test_labels_in_json(tmp_path):
    files = []
    for number, value in enumerate(
        [
            {"label": 1, "caption": "x"},
            {"labels": ["a", "b"]},
            [{"bbox": [1, 2, 3, 4], "category_id": 7}],
            {"text": "y"},
        ]
    ):
        files += [(f"{number}.jpg", b"x"), (f"{number}.json", json.dumps(value))]
    found = [plain(s.annotations) for s in read(shard(tmp_path, files)).samples]
    assert found == [
        Annotations({"1": 1.0}, {}, ("x",)),
        Annotations({"a": 1.0, "b": 1.0}),
        Annotations(objects=(Object("7", (1, 2, 4, 6)),)),
        Annotations({}, {"text": "y"}),
    ]


def test_bad_text_fails_its_image(tmp_path):
    shard(
        tmp_path,
        [
            ("1.jpg", b"x"),
            ("1.json", "{"),
            ("2.jpg", b"x"),
            ("2.txt", b"\xff\xfe"),
            ("3.jpg", b"x"),
            ("3.json", "[" * 100_000),
            ("4.jpg", b"x"),
            ("4.json", '{"a": NaN}'),
            ("5.jpg", b"x"),
            ("5.json", '"text"'),
            ("6.jpg", b"x"),
        ],
    )
    dataset = read(tmp_path)
    assert [s.id for s in dataset.samples] == ["train-000.tar/6.jpg"]
    assert flaws(dataset.failed) == [("unreadable-label", f"train-000.tar/{n}.jpg") for n in (1, 2, 3, 4, 5)]
    assert dataset.warnings == ()


def test_weights_that_are_none_fail_their_image(tmp_path):
    shard(tmp_path, [("1.jpg", b"x"), ("1.json", '{"labels": {"a": 2}}'), ("2.jpg", b"x")])
    dataset = read(tmp_path)
    assert [s.id for s in dataset.samples] == ["train-000.tar/2.jpg"]
    assert flaws(dataset.failed) == [("unreadable-label", "train-000.tar/1.jpg")]


def test_what_is_not_believed(tmp_path):
    shard(
        tmp_path,
        [
            ("1.jpg", b"x"),
            ("../2.jpg", b"x"),
            ("/etc/3.jpg", b"x"),
            special("4.jpg", tarfile.SYMTYPE, "/etc/passwd"),
            special("5.jpg", tarfile.LNKTYPE, "1.jpg"),
            special("6.jpg", tarfile.FIFOTYPE),
            special("7.jpg", tarfile.CHRTYPE),
            special("folder", tarfile.DIRTYPE),
            ("._1.jpg", b"hidden"),
            ("a/../1.jpg", b"again"),
        ],
    )
    dataset = read(tmp_path)
    assert [s.id for s in dataset.samples] == ["train-000.tar/1.jpg"]
    assert flaws(dataset.failed) == [
        ("outside-input", "train-000.tar/../2.jpg"),
        ("outside-input", "train-000.tar//etc/3.jpg"),
        *(("not-a-file", f"train-000.tar/{number}.jpg") for number in (4, 5, 6, 7)),
    ]
    assert flaws(dataset.warnings) == [("repeated-name", "train-000.tar/1.jpg")]


def test_a_tar_that_ends_early_keeps_what_was_whole(tmp_path):
    root = shard(tmp_path, [("1.jpg", b"a" * 2000), ("2.jpg", b"b" * 2000)])
    path = tmp_path / "train-000.tar"
    path.write_bytes(path.read_bytes()[:4000])
    dataset = read(root)
    assert [s.id for s in dataset.samples] == ["train-000.tar/1.jpg"]
    assert flaws(dataset.failed) == [("truncated", "train-000.tar/2.jpg"), ("broken-shard", "train-000.tar")]
    with pytest.raises(OSError, match="ends too early"):
        Source(str(path), 3800, 300).read()[0]


def test_broken_headers_end_a_shard_and_no_other(tmp_path):
    shard(tmp_path, [("1.jpg", b"x" * 600)], "b.tar")
    data = bytearray((tmp_path / "b.tar").read_bytes())
    for name, change in {
        "noise.tar": b"\x00\x01\x02" * 1000,
        "empty.tar": b"",
        "html.tar": b"<html>" * 400,
        "negative.tar": bytes(data[:124] + b"\xff" * 12 + data[136:]),
    }.items():
        (tmp_path / name).write_bytes(change)
    dataset = read(tmp_path)
    assert [s.id for s in dataset.samples] == ["b.tar/1.jpg"]
    assert [source for code, source in flaws(dataset.failed) if code == "broken-shard"] == [
        *("empty.tar", "html.tar", "negative.tar", "noise.tar")
    ]


def test_shards_are_chosen_and_links_out_are_not_followed(tmp_path):
    shard(tmp_path / "in", [("1.jpg", b"x")], "a/train-0.tar")
    shard(tmp_path / "in", [("1.jpg", b"x")], "b/test-0.tar")
    shard(tmp_path, [("1.jpg", b"x")], "out.tar")
    (tmp_path / "in" / "c.tar").symlink_to(tmp_path / "out.tar")
    dataset = read(tmp_path / "in")
    assert [(s.id, s.split) for s in dataset.samples] == [
        ("a/train-0.tar/1.jpg", "train"),
        ("b/test-0.tar/1.jpg", "test"),
    ]
    assert flaws(dataset.warnings) == [("link-outside", "c.tar")]
    assert [s.id for s in read(tmp_path / "in", labels="b").samples] == ["b/test-0.tar/1.jpg"]
    with pytest.raises(InputError, match=r"no .tar"):
        read(tmp_path / "in", labels="z")


def test_nothing_to_read(tmp_path):
    with pytest.raises(InputError, match="no image in 1 tar shards"):
        read(shard(tmp_path, [("1.txt", "x")]))


def test_detected(tmp_path):
    assert WDS.detect(shard(tmp_path, [("1.txt", "x")], "a.tar")) == ""
    (tmp_path / "b.tar").write_bytes(b"no tar")
    assert WDS.detect(str(tmp_path)) == ""
    assert WDS.detect(shard(tmp_path, [("1.txt", "x"), ("1.jpg", "x")], "s/c.tar")) == "s/c.tar (1.jpg)"
    (tmp_path / "s" / "deep").mkdir()
    (tmp_path / "s" / "deep" / "1.jpg").write_bytes(b"x")
    assert WDS.detect(str(tmp_path)) == ""  # a tar beside images
    (tmp_path / "z").mkdir()
    (tmp_path / "z" / "1.tar.gz").write_bytes(b"")
    with pytest.raises(InputError, match=r"1.tar.gz is compressed"):
        WDS.detect(str(tmp_path / "z"))
