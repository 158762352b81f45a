"""Pascal VOC, in and out."""

import os
import struct
import zlib
from dataclasses import replace

import pytest

from augx import formats, objects
from augx.errors import InputError
from augx.formats import ReadOptions
from augx.formats.voc.format import Voc
from augx.formats.xml_safe import read as read_xml
from augx.model import Annotations, Beside, Dataset, Object, Sample

DOG = """<annotation>
  <folder>VOC2012</folder>
  <filename>{name}</filename>
  <source><database>{database}</database><annotation>PASCAL VOC2012</annotation></source>
  <owner>
    <flickrid>Stinky &amp; Co</flickrid>
    <name>?</name>
  </owner>
  <size><width>40</width><height>30</height><depth>3</depth></size>
  <segmented>1</segmented>
  <object>
    <name>dog</name>
    <pose>Left</pose>
    <truncated>1</truncated>
    <difficult>0</difficult>
    <bndbox><xmin>{x0}</xmin><ymin>5</ymin><xmax>20</xmax><ymax>25</ymax></bndbox>
    <serial>007</serial>
  </object>
  <object>
    <name>person</name>
    <difficult>1</difficult>
    <bndbox><xmax>40</xmax><xmin>21</xmin><ymax>30</ymax><ymin>1</ymin></bndbox>
    <part><name>head</name><bndbox><xmin>22</xmin><ymin>2</ymin><xmax>30</xmax><ymax>8</ymax></bndbox></part>
    <actions><jumping>0</jumping><reading>1</reading></actions>
    <attributes>
      <attribute><name>hair colour</name><value>red</value></attribute>
      <attribute><name>tall</name><value>1</value></attribute>
    </attributes>
  </object>
</annotation>
"""
XML = DOG.format(name="1.jpg", database="Unknown", x0=3)


def plant(root, **files):
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(root)


def read(root, labels=None):
    return Voc().read(str(root), ReadOptions(labels=labels))


def row(sample, name=None, copy=0, things=None, transforms=(), mask=None, size=(40, 30)):
    """A manifest row; `things`: the objects where they are other than the sample's."""
    things = sample.annotations.objects if things is None else things
    return {
        "file_name": name or sample.id,
        "source": sample.id,
        "copy": copy,
        "split": sample.split,
        "width": size[0],
        "height": size[1],
        "objects": [objects.to_row(thing, None) for thing in things],
        "mask": mask,
        "transforms": list(transforms),
    }


def by_id(dataset):
    return {sample.id: sample for sample in dataset.samples}


def flaws(found):
    return [(flaw.code, flaw.source) for flaw in found]


def as_data(text):
    """XML as nested lists, order of children and spaces aside."""

    def data(element):
        return element.tag, (element.text or "").strip(), dict(element.attrib), sorted(map(data, element))

    return data(read_xml(text.encode(), "x"))


def test_read(tmp_path):
    plant(tmp_path, **{"Annotations/1.xml": XML, "JPEGImages/1.jpg": "", "JPEGImages/1.png": ""})
    plant(tmp_path, **{"JPEGImages/2.jpg": "", "README.txt": ""})
    dataset = read(tmp_path)
    one, other, two = dataset.samples
    assert (one.id, other.id, two.id) == ("JPEGImages/1.jpg", "JPEGImages/1.png", "JPEGImages/2.jpg")
    known = one.annotations
    assert known.size == (40, 30)
    assert known.extra == {
        "folder": "VOC2012",
        "source": {"database": "Unknown", "annotation": "PASCAL VOC2012"},
        "owner": {"flickrid": "Stinky & Co", "name": "?"},
        "segmented": 1,
        "depth": 3,
    }
    dog, person, head = known.objects
    assert (dog.label, dog.box) == ("dog", (3, 5, 20, 25))
    assert dog.extra == {"pose": "Left", "truncated": 1, "difficult": 0, "serial": "007"}
    assert (person.label, person.box, person.index) == ("person", (21, 1, 40, 30), None)
    assert person.extra == {
        "difficult": 1,
        "actions": {"jumping": 0, "reading": 1},
        "attributes": {"hair colour": "red", "tall": 1},
        "object": 2,
    }
    assert head == Object("head", (22, 2, 30, 8), extra={"part_of": 2})
    assert dataset.classes == ("dog", "head", "person")
    assert other.annotations == two.annotations == Annotations(extra={"annotated": False})
    assert flaws(dataset.warnings) == [("no-label", "JPEGImages/1.png"), ("no-label", "JPEGImages/2.jpg")]
    assert (dataset.failed, dataset.ignored, dataset.digest) == ((), {".txt": 1}, "")


def test_write_is_what_was_read(tmp_path):
    plant(tmp_path, **{"Annotations/1.xml": XML, "JPEGImages/1.jpg": ""})
    dataset = read(tmp_path)
    (sample,) = dataset.samples
    text = Voc().label_file(row(sample), sample, replace(dataset, samples=()))
    assert as_data(text) == as_data(XML)
    assert text == (
        "<annotation>\n"
        "\t<folder>VOC2012</folder>\n"
        "\t<filename>1.jpg</filename>\n"
        "\t<source>\n\t\t<database>Unknown</database>\n\t\t<annotation>PASCAL VOC2012</annotation>\n\t</source>\n"
        "\t<owner>\n\t\t<flickrid>Stinky &amp; Co</flickrid>\n\t\t<name>?</name>\n\t</owner>\n"
        "\t<size>\n\t\t<width>40</width>\n\t\t<height>30</height>\n\t\t<depth>3</depth>\n\t</size>\n"
        "\t<segmented>1</segmented>\n"
        "\t<object>\n"
        "\t\t<name>dog</name>\n"
        "\t\t<pose>Left</pose>\n"
        "\t\t<truncated>1</truncated>\n"
        "\t\t<difficult>0</difficult>\n"
        "\t\t<bndbox>\n"
        "\t\t\t<xmin>3</xmin>\n\t\t\t<ymin>5</ymin>\n\t\t\t<xmax>20</xmax>\n\t\t\t<ymax>25</ymax>\n"
        "\t\t</bndbox>\n"
        "\t\t<serial>007</serial>\n"
        "\t</object>\n"
        "\t<object>\n"
        "\t\t<name>person</name>\n"
        "\t\t<difficult>1</difficult>\n"
        "\t\t<bndbox>\n"
        "\t\t\t<xmin>21</xmin>\n\t\t\t<ymin>1</ymin>\n\t\t\t<xmax>40</xmax>\n\t\t\t<ymax>30</ymax>\n"
        "\t\t</bndbox>\n"
        "\t\t<actions>\n\t\t\t<jumping>0</jumping>\n\t\t\t<reading>1</reading>\n\t\t</actions>\n"
        "\t\t<attributes>\n"
        "\t\t\t<attribute>\n\t\t\t\t<name>hair colour</name>\n\t\t\t\t<value>red</value>\n\t\t\t</attribute>\n"
        "\t\t\t<attribute>\n\t\t\t\t<name>tall</name>\n\t\t\t\t<value>1</value>\n\t\t\t</attribute>\n"
        "\t\t</attributes>\n"
        "\t\t<part>\n"
        "\t\t\t<name>head</name>\n"
        "\t\t\t<bndbox>\n"
        "\t\t\t\t<xmin>22</xmin>\n\t\t\t\t<ymin>2</ymin>\n\t\t\t\t<xmax>30</xmax>\n\t\t\t\t<ymax>8</ymax>\n"
        "\t\t\t</bndbox>\n"
        "\t\t</part>\n"
        "\t</object>\n"
        "</annotation>\n"
    )


def boxes(text):
    found = []
    for element in read_xml(text.encode(), "x").iter():
        if element.tag in ("object", "part"):
            sides = [element.findtext(f"bndbox/{side}") for side in ("xmin", "ymin", "xmax", "ymax")]
            found.append((element.tag, element.findtext("name"), *sides))
    return found


def moved(sample, box, **kept):
    return [replace(thing, box=box, **kept) for thing in sample.annotations.objects]


def test_moved_boxes_are_whole_where_all_were(tmp_path):
    plant(tmp_path, **{"1.xml": XML, "1.jpg": ""})
    dataset = read(tmp_path)
    (sample,) = dataset.samples
    things = [
        replace(thing, box=box)
        for thing, box in zip(
            sample.annotations.objects, [(0.4, 1.5, 9.6, 40), (39.7, 0, 40, 0.2), (3, 5, 20, 25)], strict=True
        )
    ]
    text = Voc().label_file(row(sample, "1_aug01.jpg", 1, things), sample, dataset)
    assert boxes(text) == [
        ("object", "dog", "0", "2", "10", "30"),
        ("object", "person", "39", "0", "40", "1"),
        ("part", "head", "3", "5", "20", "25"),
    ]


def test_moved_boxes_have_two_decimals_where_others_had_any(tmp_path):
    xml = XML.replace("<xmin>3<", "<xmin>3.123456789012<").replace("<ymin>1<", "<ymin>-1e-05<")
    plant(tmp_path, **{"1.xml": xml, "1.jpg": ""})
    dataset = read(tmp_path)
    (sample,) = dataset.samples
    exact = [("object", "dog", "3.123456789012", "5", "20", "25"), ("object", "person", "21", "-1e-05", "40", "30")]
    assert boxes(Voc().label_file(row(sample), sample, dataset))[:2] == exact
    assert boxes(Voc().label_file(row(sample, copy=1), sample, dataset))[:2] == exact
    text = Voc().label_file(row(sample, copy=1, things=moved(sample, (0.126, 1.5, 9.999, 30))), sample, dataset)
    assert boxes(text)[0] == ("object", "dog", "0.13", "1.5", "10", "30")
    other = replace(dataset, format="coco", details=None)
    text = Voc().label_file(row(sample, things=moved(sample, (0.126789, 1.5, 9.999, 30))), sample, other)
    assert boxes(text)[0] == ("object", "dog", "0.126789", "1.5", "9.999", "30")


def test_voc_counts_pixels_from_one(tmp_path):
    for number, database in enumerate(("The VOC2007 Database", "VOC2012")):
        text = DOG.format(name="x", database=database, x0=1)
        plant(tmp_path, **{f"Annotations/{number}.xml": text, f"JPEGImages/{number}.jpg": ""})
    dataset = read(tmp_path)
    sample = dataset.samples[0]
    assert [thing.box for thing in sample.annotations.objects] == [(0, 4, 20, 25), (20, 0, 40, 30), (21, 1, 30, 8)]
    assert boxes(Voc().label_file(row(sample), sample, dataset))[0] == ("object", "dog", "1", "5", "20", "25")
    things = moved(sample, (39.8, 0.2, 40, 29.6))
    assert boxes(Voc().label_file(row(sample, copy=1, things=things), sample, dataset))[0] == (
        *("object", "dog"),
        *("40", "1", "40", "30"),
    )
    for text in (DOG.format(name="x", database="VOC2012", x0=0), DOG.format(name="x", database="mine", x0=1)):
        plant(tmp_path, **{"Annotations/1.xml": text})
        dataset = read(tmp_path)
        assert dataset.samples[0].annotations.objects[0].box == (1, 5, 20, 25)
        assert boxes(Voc().label_file(row(dataset.samples[0]), dataset.samples[0], dataset))[0][2] == "1"


def test_a_part_that_lost_its_object_stands_alone(tmp_path):
    plant(tmp_path, **{"1.xml": XML, "1.jpg": ""})
    dataset = read(tmp_path)
    (sample,) = dataset.samples
    dog, person, head = sample.annotations.objects
    text = Voc().label_file(row(sample, copy=1, things=[dog, head]), sample, dataset)
    assert [one[:2] for one in boxes(text)] == [("object", "dog"), ("object", "head")]
    text = Voc().label_file(row(sample, copy=1, things=[dog, person]), sample, dataset)
    assert [one[:2] for one in boxes(text)] == [("object", "dog"), ("object", "person")]
    own = Object("person", (0, 0, 5, 5), extra={"object": 1, "part_of": 1})
    text = Voc().label_file(row(sample, copy=1, things=[own, own]), sample, dataset)
    assert [one[:2] for one in boxes(text)] == [("object", "person"), ("object", "person")]


def test_shapes_beside_the_box_stay_only_where_nothing_moves(tmp_path):
    shape = "<polygon><x1>1</x1><y1>2</y1><x2>3</x2><y2>4</y2></polygon>"
    plant(tmp_path, **{"1.xml": XML.replace("<serial>", shape + "<serial>"), "1.jpg": ""})
    dataset = read(tmp_path)
    assert flaws(dataset.warnings) == [("shape-stays", "1.xml")]
    (sample,) = dataset.samples
    assert "<x2>3</x2>" in Voc().label_file(row(sample), sample, dataset)
    assert "<x2>3</x2>" in Voc().label_file(row(sample, copy=1), sample, dataset)
    assert "<x2>" not in Voc().label_file(row(sample, copy=1, transforms=[{"name": "HorizontalFlip"}]), sample, dataset)


@pytest.mark.parametrize(
    ("applied", "pose"),
    [
        ([], "Left"),
        (["GaussianBlur", "VerticalFlip"], "Left"),
        (["HorizontalFlip"], "Right"),
        (["HorizontalFlip", "Affine", "HorizontalFlip"], "Left"),
        (["HorizontalFlip", "D4"], "Unspecified"),
    ],
)
def test_a_mirror_shows_the_other_side(tmp_path, applied, pose):
    plant(tmp_path, **{"1.xml": XML, "1.jpg": ""})
    dataset = read(tmp_path)
    (sample,) = dataset.samples
    transforms = [{"name": name, "params": {}} for name in applied]
    text = Voc().label_file(row(sample, copy=1, transforms=transforms), sample, dataset)
    assert read_xml(text.encode(), "x").findtext("object/pose") == pose


def test_the_path_follows_the_name(tmp_path):
    for path, expected in (
        (r"C:\work\1.jpg", r"C:\work\1_aug01.jpg"),
        ("/a/1.jpg", "/a/1_aug01.jpg"),
        ("1.jpg", "1_aug01.jpg"),
        ("/a/other.jpg", "/a/other.jpg"),
        ("/a/x1.jpg", "/a/x1.jpg"),
    ):
        plant(tmp_path, **{"1.xml": f"<annotation><path>{path}</path></annotation>", "1.jpg": ""})
        dataset = read(tmp_path)
        (sample,) = dataset.samples
        text = Voc().label_file(row(sample, "1_aug01.jpg", 1), sample, dataset)
        assert f"\t<filename>1_aug01.jpg</filename>\n\t<path>{expected}</path>\n" in text


@pytest.mark.parametrize(
    "odd",
    [
        "<annotation verified='yes'><a b='1'>t</a><a/><c><d>1</d><d>2.50</d></c></annotation>",
        "<annotation><n:x xmlns:n='u'>1</n:x><größe>1.5</größe><日本>-0</日本></annotation>",
        "<annotation><attributes/><attributes><attribute><name>a</name></attribute></attributes></annotation>",
        "<annotation><a>1_0</a><b>nan</b><c>1e5</c><d>99999999999999999999999</d><e>é&lt;</e></annotation>",
    ],
)
def test_odd_elements_come_out_again(tmp_path, odd):
    plant(tmp_path, **{"1.xml": odd, "1.jpg": ""})
    dataset = read(tmp_path)
    (sample,) = dataset.samples
    text = Voc().label_file(row(sample), sample, dataset)
    plant(tmp_path, **{"1.xml": text})
    again = read(tmp_path).samples[0].annotations
    if "n:x" in odd:  # a prefix cannot be written without its namespace
        assert again.extra == {
            "attributes": {"n:x": '{"@xmlns:n": "u", "#text": 1}'},
            "größe": 1.5,
            "日本": "-0",
            "depth": 3,
        }
    else:
        assert again.extra == {**sample.annotations.extra, "depth": 3}
        assert again.size == (40, 30)


def test_layouts(tmp_path):
    """Beside the images; in any folders; several VOC folders; the nearest of several images of one name."""
    where = {
        "train/1.xml": "train/1.jpg",
        "valid/1.xml": "valid/1.jpg",
        "a/annotations/7.xml": "a/images/7.png",
        "b/annotations/7.xml": "b/images/7.png",
        "c/Annotations/s/8.xml": "c/JPEGImages/s/8.png",
        "c/Annotations/t/8.xml": "c/JPEGImages/t/8.png",
    }
    for xml, image in where.items():
        plant(tmp_path, **{xml: XML, image: ""})
    dataset = read(tmp_path)
    assert [sample.id for sample in dataset.samples] == sorted(where.values())
    assert all(len(sample.annotations.objects) == 3 for sample in dataset.samples)
    assert dict(dataset.details.folders) == {
        image.rpartition("/")[0]: xml.rpartition("/")[0] for xml, image in where.items()
    }
    assert (dataset.warnings, dataset.failed) == ((), ())
    for xml, image in where.items():
        sample = by_id(dataset)[image]
        assert Voc().place(sample, dataset) == image.rpartition("/")[0]
        stem, folder = image.rpartition(".")[0], xml.rpartition("/")[0]
        assert Voc().beside(sample, dataset, stem) == (Beside("voc", f"{folder}/{stem.rpartition('/')[2]}", ".xml"),)
    assert {sample.id: sample.split for sample in read(tmp_path, "train").samples} == {"train/1.jpg": "train"}
    assert list(Voc().write([], dataset)) == []


def test_the_name_in_the_file_counts_where_its_own_says_nothing(tmp_path):
    plant(tmp_path, **{"x/a.xml": DOG.format(name="1.JPG", database="", x0=1), "1.jpg": "", "2.jpg": ""})
    plant(tmp_path, **{"x/b.xml": DOG.format(name="../../2.jpg", database="", x0=1)})
    plant(tmp_path, **{"x/C.xml": "<annotation/>", "c.jpg": "", "x/2.xml": "<annotation/>"})
    dataset = read(tmp_path)
    assert [(s.id, len(s.annotations.objects)) for s in dataset.samples] == [("1.jpg", 3), ("2.jpg", 0), ("c.jpg", 0)]
    assert flaws(dataset.warnings) == [("name-differs", "x/C.xml"), ("name-differs", "x/a.xml")]
    assert flaws(dataset.failed) == [("outside-input", "x/b.xml")]


def test_bad_files_and_objects(tmp_path):
    bad = XML.replace("<name>dog</name>", "").replace("<xmax>40</xmax>", "<xmax>wide</xmax>")
    nan = XML.replace("<xmin>3<", "<xmin>nan<").replace("<xmax>20<", "<xmax> -2.5 <")
    bomb = '<!DOCTYPE a [<!ENTITY x "xxx">]><annotation>&x;</annotation>'
    files = {"bad": bad, "nan": nan, "bomb": bomb, "cut": XML[:300], "other": "<project/>", "alone": XML, "nul": b"\0"}
    for name, text in files.items():
        plant(tmp_path, **{f"{name}.xml": text, f"{name}.jpg": ""})
    (tmp_path / "alone.jpg").unlink()
    os.mkfifo(tmp_path / "pipe.xml")
    plant(tmp_path, **{"two.png": "", "two.jpg": "", "two.xml": XML, "x/nan.xml": XML})
    dataset = read(tmp_path)
    assert [(sample.id, [thing.label for thing in sample.annotations.objects]) for sample in dataset.samples] == [
        ("bad.jpg", []),
        ("nan.jpg", ["dog", "person", "head"]),
        ("other.jpg", []),
        ("two.jpg", []),
        ("two.png", []),
    ]
    assert str(by_id(dataset)["nan.jpg"].annotations.objects[0].box) == "(nan, 5.0, -2.5, 25.0)"
    assert {flaw.source: (flaw.code, flaw.message.split(",")[0][:30]) for flaw in dataset.failed} == {
        "alone.xml": ("missing-file", "there is no such image"),
        "bomb.jpg": ("unreadable-label", "bomb.xml:1: it has a DTD"),
        "cut.jpg": ("unreadable-label", "cut.xml:9: it is no XML: unclo"),
        "nul.jpg": ("unreadable-label", "nul.xml:1: it is no XML: unclo"),
        "two.xml": ("ambiguous-file", "it may belong to two.jpg or tw"),
    }
    assert [(flaw.code, flaw.source, flaw.message) for flaw in dataset.warnings] == [
        ("not-a-file", "pipe.xml", "a pipe, socket or device is not read"),
        ("bad-object", "bad.xml", "object 1 has no <name>; it is left out"),
        ("other-xml", "other.xml", "its root is <project>, not <annotation>"),
        ("repeated-label", "x/nan.xml", "nan.jpg has nan.xml, which counts"),
        ("no-label", "other.jpg", "it has no XML"),
        ("no-label", "two.jpg", "it has no XML"),
        ("no-label", "two.png", "it has no XML"),
    ]


def test_a_large_file_is_not_read_whole(tmp_path, monkeypatch):
    plant(tmp_path, **{"1.xml": XML, "1.jpg": ""})
    monkeypatch.setattr("augx.formats.voc.xml.MAX_BYTES", 100)
    assert [(f.code, f.source) for f in read(tmp_path).failed] == [("unreadable-label", "1.jpg")]


def png(values, colour=3):
    """A tiny PNG of one row; colour 2 is RGB, 3 a palette."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    width = len(values) // (3 if colour == 2 else 1)
    head = struct.pack(">IIBBBBB", width, 1, 8, colour, 0, 0, 0)
    chunks = [chunk(b"IHDR", head), chunk(b"PLTE", bytes(range(48)))] if colour == 3 else [chunk(b"IHDR", head)]
    return (
        b"\x89PNG\r\n\x1a\n"
        + b"".join(chunks)
        + chunk(b"IDAT", zlib.compress(b"\0" + bytes(values)))
        + chunk(b"IEND", b"")
    )


def test_masks(tmp_path):
    mask = png([0, 1, 255])
    plant(tmp_path, **{f"JPEGImages/{name}.jpg": "" for name in "1234"})
    plant(tmp_path, **{f"SegmentationClass/{name}.png": mask for name in "125"})
    plant(
        tmp_path,
        **{"SegmentationClass/3.jpg": "", "SegmentationClassAug/1.png": mask, "SegmentationObject/1.png": mask},
    )
    plant(tmp_path, **{"SegmentationClassVisualization/1.jpg": "", "Annotations/1.xml": XML, "Annotations/4.xml": XML})
    plant(tmp_path, **{"class_names.txt": "_background_\ndog\nperson\npotted plant"})
    dataset = read(tmp_path)
    samples = by_id(dataset)
    assert list(samples) == ["JPEGImages/1.jpg", "JPEGImages/2.jpg", "JPEGImages/4.jpg"]
    one, two, four = (samples[name].annotations for name in samples)
    assert (one.mask, one.instances) == ("SegmentationClass/1.png", "SegmentationObject/1.png")
    assert [(thing.label, thing.index) for thing in one.objects] == [("dog", 1), ("person", 2), ("head", None)]
    assert (two.mask, two.instances, two.extra) == ("SegmentationClass/2.png", None, {"annotated": False})
    assert (four.mask, [thing.index for thing in four.objects]) == (None, [None, None, None])
    assert dataset.classes == ("_background_", "dog", "person", "potted plant", "head")
    assert dataset.ignore == 255
    assert flaws(dataset.failed) == [("mask-lossy", "JPEGImages/3.jpg")]
    assert flaws(dataset.warnings) == [
        ("no-image", "SegmentationClass/5.png"),
        ("repeated-label", "SegmentationClassAug/1.png"),
        ("unused-folder", "SegmentationClassVisualization"),
        ("no-label", "JPEGImages/2.jpg"),
    ]
    assert Voc().beside(samples["JPEGImages/1.jpg"], dataset, "JPEGImages/1") == (
        Beside("voc", "Annotations/1", ".xml"),
        Beside("mask", "SegmentationClass/1", ".png"),
        Beside("instances", "SegmentationObject/1", ".png"),
    )
    assert Voc().beside(samples["JPEGImages/2.jpg"], dataset, "JPEGImages/2") == (
        Beside("mask", "SegmentationClass/2", ".png"),
    )
    assert [(name, "".join(text)) for name, text in Voc().write([], dataset)] == [
        ("class_names.txt", "_background_\ndog\nperson\npotted plant")
    ]


def test_masks_alone(tmp_path):
    plant(tmp_path, **{"JPEGImages/1.jpg": "", "JPEGImages/2.jpg": "", "SegmentationClass/1.png": png([0, 1])})
    dataset = read(tmp_path)
    assert [sample.annotations for sample in dataset.samples] == [
        Annotations(mask="SegmentationClass/1.png"),
        Annotations(),
    ]
    assert flaws(dataset.warnings) == [("no-label", "JPEGImages/2.jpg")]
    assert [len(Voc().beside(sample, dataset, "x")) for sample in dataset.samples] == [1, 0]
    plant(tmp_path, **{"SegmentationClass/1.png": png([0, 0, 0, 128, 0, 0], 2)})
    assert read(tmp_path).ignore is None


def test_numbers_in_a_coloured_mask_are_no_objects(tmp_path):
    plant(tmp_path, **{"JPEGImages/1.jpg": "", "Annotations/1.xml": XML, "SegmentationObject/1.png": png([0, 0, 0], 2)})
    known = read(tmp_path).samples[0].annotations
    assert (known.instances, known.objects[0].index) == ("SegmentationObject/1.png", None)


LISTS = {
    "ImageSets/Main/train.txt": "1\r\n\r\n# a comment\r\n2\r\n",
    "ImageSets/Main/val.txt": "\ufeff3\n2\ngone\n",
    "ImageSets/Main/trainval.txt": "1\n2\n3\n",
    "ImageSets/Main/dog_train.txt": "1  1\n2 -1\n",
    "ImageSets/Main/person_train.txt": "1  0\n2  1\n",
    "ImageSets/Main/cat_val.txt": "",
    "ImageSets/Segmentation/default.txt": "s/4\n",
    "ImageSets/Layout/train.txt": "1  2\n",
    "ImageSets/Action/jumping_train.txt": "1  2 -1\n",
}


def test_image_sets(tmp_path):
    names = ["JPEGImages/1.jpg", "JPEGImages/2.jpg", "JPEGImages/3.jpg", "JPEGImages/s/4.jpg", "JPEGImages/5.jpg"]
    plant(tmp_path, **dict.fromkeys(names, ""), **LISTS)
    plant(tmp_path, **{"Annotations/1.xml": XML, "Annotations/2.xml": "<annotation/>", "Annotations/3.xml": XML})
    dataset = read(tmp_path)
    assert {sample.id: sample.split for sample in dataset.samples} == {
        "JPEGImages/1.jpg": "train",
        "JPEGImages/2.jpg": "train",
        "JPEGImages/3.jpg": "val",
        "JPEGImages/5.jpg": None,
        "JPEGImages/s/4.jpg": None,
    }
    assert flaws(dataset.warnings) == [
        ("listed-missing", "ImageSets/Main/val.txt"),
        ("two-splits", "JPEGImages/2.jpg"),
        ("no-label", "JPEGImages/5.jpg"),
        ("no-split", "JPEGImages/5.jpg"),
        ("no-label", "JPEGImages/s/4.jpg"),
    ]
    assert len(dataset.digest) == 64
    samples = by_id(dataset)
    one = samples["JPEGImages/1.jpg"]
    person = one.annotations.objects[1]
    rows = [
        row(one),
        row(one, "JPEGImages/1_aug01.jpg", 1),
        row(one, "JPEGImages/1_aug02.jpg", 2, [person]),
        row(samples["JPEGImages/2.jpg"]),
        row(samples["JPEGImages/3.jpg"]),
        row(samples["JPEGImages/s/4.jpg"]),
        row(samples["JPEGImages/s/4.jpg"], "JPEGImages/s/4_aug01.jpg", 1),
    ]
    written = {name: "".join(text) for name, text in Voc().write(rows, dataset)}
    assert written == {
        "ImageSets/Action/jumping_train.txt": "1  2 -1\n1_aug01  2 -1\n",
        "ImageSets/Layout/train.txt": "1  2\n1_aug01  2\n",
        "ImageSets/Main/cat_val.txt": "",
        "ImageSets/Main/dog_train.txt": "1  1\n1_aug01  1\n1_aug02 -1\n2 -1\n",
        "ImageSets/Main/person_train.txt": "1  0\n1_aug01  0\n1_aug02  0\n2  1\n",
        "ImageSets/Main/train.txt": "1\n1_aug01\n1_aug02\n2\n",
        "ImageSets/Main/trainval.txt": "1\n1_aug01\n1_aug02\n2\n3\n",
        "ImageSets/Main/val.txt": "2\n3\n",
        "ImageSets/Segmentation/default.txt": "s/4\ns/4_aug01\n",
    }
    assert [name for name, _ in Voc().write([], dataset)] == sorted(LISTS)
    before = dataset.digest
    plant(tmp_path, **{"ImageSets/Main/cat_val.txt": "3 -1\n"})
    assert read(tmp_path).digest != before


def test_a_list_of_train_and_val_is_their_split_where_there_is_no_other(tmp_path):
    plant(
        tmp_path, **{"VOC2007/JPEGImages/a b 1.jpg": "", "VOC2007/JPEGImages/9.jpg": "", "VOC2012/JPEGImages/9.jpg": ""}
    )
    plant(tmp_path, **{"VOC2007/Annotations/9.xml": XML, "VOC2012/Annotations/9.xml": XML})
    plant(
        tmp_path,
        **{"VOC2007/ImageSets/Main/trainval.txt": '"a b 1"\n9.jpg\n', "VOC2012/ImageSets/Main/test.txt": "9\n"},
    )
    dataset = read(tmp_path)
    assert {sample.id: sample.split for sample in dataset.samples} == {
        "VOC2007/JPEGImages/9.jpg": "trainval",
        "VOC2007/JPEGImages/a b 1.jpg": "trainval",
        "VOC2012/JPEGImages/9.jpg": "test",
    }
    assert flaws(dataset.warnings) == [("no-label", "VOC2007/JPEGImages/a b 1.jpg")]


def test_images_that_lie_apart_are_left_out(tmp_path):
    plant(tmp_path, **{"train/images/1.jpg": "", "train/labels/1.xml": XML, "test/images/1.jpg": "", "docs/1.jpg": ""})
    plant(tmp_path, **{"train/other/2.jpg": "", "train/images/more/2.jpg": "", "logo.png": ""})
    dataset = read(tmp_path)
    assert [sample.id for sample in dataset.samples] == ["test/images/1.jpg", "train/images/1.jpg"]
    assert flaws(dataset.warnings) == [
        ("unused-folder", ""),
        ("unused-folder", "docs"),
        ("unused-folder", "train/images/more"),
        ("unused-folder", "train/other"),
        ("no-label", "test/images/1.jpg"),
    ]
    plant(tmp_path, **{"b/a/JPEGImages/x/1.jpg": "", "b/a/JPEGImages/y/1.jpg": "", "b/a/Annotations/x/1.xml": XML})
    assert len(read(tmp_path, "b").samples) == 2


def foreign(*samples, **known):
    return Dataset("/nowhere", "coco", samples, **known)


def test_written_from_another_format(tmp_path):
    thing = Object(
        "traffic light",
        (1.25, 2, 3.5, 4),
        extra={"id": 7, "truncated": True, "a key": [1, {"b": None}], "difficult": 0},
    )
    train = Sample(
        "images/train/a.jpg", Annotations(objects=(thing,), extra={"license": 3, "flags": {"x y": "<"}}), "train"
    )
    val = Sample("images/val/b.jpg", Annotations(mask="m/b.png", instances="i/b.png"), "val")
    odd = Sample("c.png", Annotations(objects=(thing,), mask="m/c.png"), "odd")
    dataset = foreign(train, val, odd, classes=("traffic light",))
    voc = Voc()
    voc.check(dataset, False)
    assert [voc.place(sample, dataset) for sample in dataset.samples] == ["JPEGImages"] * 3
    assert voc.beside(train, dataset, "JPEGImages/a") == (Beside("voc", "Annotations/a", ".xml"),)
    assert voc.beside(val, dataset, "JPEGImages/b") == (
        Beside("mask", "SegmentationClass/b", ".png"),
        Beside("instances", "SegmentationObject/b", ".png"),
    )
    assert [one.kind for one in voc.beside(odd, dataset, "JPEGImages/c")] == ["voc", "mask"]
    text = voc.label_file(row(train, "JPEGImages/a.jpg"), train, replace(dataset, samples=()))
    assert text == (
        "<annotation>\n"
        "\t<folder>JPEGImages</folder>\n"
        "\t<filename>a.jpg</filename>\n"
        "\t<source>\n\t\t<database>Unknown</database>\n\t</source>\n"
        "\t<size>\n\t\t<width>40</width>\n\t\t<height>30</height>\n\t\t<depth>3</depth>\n\t</size>\n"
        "\t<segmented>0</segmented>\n"
        "\t<license>3</license>\n"
        "\t<flags>\n"
        "\t\t<attributes>\n"
        "\t\t\t<attribute>\n\t\t\t\t<name>x y</name>\n\t\t\t\t<value>&lt;</value>\n\t\t\t</attribute>\n"
        "\t\t</attributes>\n"
        "\t</flags>\n"
        "\t<object>\n"
        "\t\t<name>traffic light</name>\n"
        "\t\t<pose>Unspecified</pose>\n"
        "\t\t<truncated>1</truncated>\n"
        "\t\t<difficult>0</difficult>\n"
        "\t\t<bndbox>\n"
        "\t\t\t<xmin>1.25</xmin>\n\t\t\t<ymin>2</ymin>\n\t\t\t<xmax>3.5</xmax>\n\t\t\t<ymax>4</ymax>\n"
        "\t\t</bndbox>\n"
        "\t\t<id>7</id>\n"
        "\t\t<attributes>\n"
        "\t\t\t<attribute>\n"
        "\t\t\t\t<name>a key</name>\n"
        "\t\t\t\t<value>[1, {&quot;b&quot;: null}]</value>\n"
        "\t\t\t</attribute>\n"
        "\t\t</attributes>\n"
        "\t</object>\n"
        "</annotation>\n"
    )
    rows = [
        row(train, "JPEGImages/a.jpg"),
        row(train, "JPEGImages/a_aug01.jpg", 1),
        row(val, "JPEGImages/b.jpg", mask="SegmentationClass/b.png"),
    ]
    assert {name: "".join(text) for name, text in voc.write(rows, dataset)} == {
        "ImageSets/Main/odd.txt": "",
        "ImageSets/Main/train.txt": "a\na_aug01\n",
        "ImageSets/Main/trainval.txt": "a\na_aug01\nb\n",
        "ImageSets/Main/val.txt": "b\n",
        "ImageSets/Segmentation/odd.txt": "",
        "ImageSets/Segmentation/train.txt": "",
        "ImageSets/Segmentation/trainval.txt": "b\n",
        "ImageSets/Segmentation/val.txt": "b\n",
    }
    assert list(voc.write([], foreign(Sample("a.jpg")))) == []


def test_class_names_of_masks_go_along():
    masks = foreign(Sample("a.jpg", Annotations(mask="m/a.png")), classes=("sky", "road"))
    assert [(name, "".join(text)) for name, text in Voc().write([], masks)] == [("class_names.txt", "sky\nroad\n")]


@pytest.mark.parametrize("label", [None, "", " a", "a\0b", "a\x0b"])
def test_names_that_xml_cannot_hold(label):
    with pytest.raises(InputError, match=r"a\.jpg: an object"):
        Voc().check(foreign(Sample("a.jpg", Annotations(objects=(Object(label, (0, 0, 1, 1)),)))), False)


@pytest.mark.parametrize("split", ["", "../x", "a/b", "a\\b", ".x", " a", "a\nb"])
def test_splits_that_no_file_can_be_called(split):
    with pytest.raises(InputError, match="cannot be the name of a folder"):
        Voc().check(foreign(Sample("a.jpg", split=split)), False)


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"Annotations/1.xml": XML, "JPEGImages/1.jpg": ""}, "Annotations/1.xml"),
        ({"train/1.xml": XML, "train/1.jpg": ""}, "train/1.xml"),
        ({"VOCdevkit/VOC2012/Annotations/1.xml": XML}, "VOCdevkit/VOC2012/Annotations/1.xml"),
        ({"1.xml": "\ufeff<?xml version='1.0'?>\n<!-- <a> -->\n<annotation verified='no'></annotation>"}, "1.xml"),
        ({"a/SegmentationClass/1.png": "", "a/JPEGImages/1.jpg": ""}, "a/SegmentationClass"),
        ({"SegmentationClass/1.png": "", "images/1.jpg": ""}, ""),
        ({"annotations.xml": "<annotations><version>1.1</version></annotations>", "1.jpg": ""}, ""),
        ({"1.xml": "<annotation><object><polygon><pt/></polygon></object></annotation>", "1.jpg": ""}, ""),
        ({"1.xml": "<annotation><imagesize/></annotation>", "1.jpg": ""}, ""),
        ({"pom.xml": "<project><annotation/></project>", "1.jpg": ""}, ""),
        ({"JPEGImages/1.jpg": ""}, ""),
    ],
)
def test_detect(tmp_path, files, reason):
    assert Voc().detect(plant(tmp_path, **files)) == reason


def test_nothing_to_read(tmp_path):
    plant(tmp_path, **{"1.jpg": "", "annotations.xml": "<annotations/>"})
    with pytest.raises(InputError, match="no XML with an <annotation>"):
        read(tmp_path)
    with pytest.raises(InputError, match="no labels in a folder 'gone'"):
        read(tmp_path, "gone")
    with pytest.raises(InputError, match="no table"):
        Voc().read(str(tmp_path), ReadOptions(table="a.csv"))


def test_what_workers_need_to_know_is_the_same_for_another_image(tmp_path):
    plant(tmp_path, **{"Annotations/1.xml": XML, "JPEGImages/1.jpg": ""}, **LISTS)
    before = repr(read(tmp_path).details)
    plant(tmp_path, **{"more/1.xml": XML, "more/1.jpg": "", "ImageSets/Main/test.txt": "1"})
    assert repr(read(tmp_path).details) == before


def test_it_is_the_format_called_voc():
    assert isinstance(formats.load("voc"), Voc)
    assert formats.FORMATS["voc"].summary == Voc.summary
