"""CVAT for images: every shape in and out, ids, subsets, and what is wild in the wild."""

from __future__ import annotations

import json
import math
from array import array

import numpy as np
import pytest

from augx.errors import InputError
from augx.formats import ReadOptions
from augx.formats.cvat.format import Cvat
from augx.model import Annotations, Dataset, Object, Pose, Sample
from augx.objects import to_row
from augx.rle import rle_decode, rle_encode

CVAT = Cvat()

META = """<meta>
    <task>
      <id>7</id>
      <labels>
        <label>
          <name>dog</name>
          <color>#fa3253</color>
          <attributes>
            <attribute><name>age &lt; 3</name><mutable>False</mutable></attribute>
          </attributes>
        </label>
        <label>
          <name>cat</name>
        </label>
        <label>
          <name>man</name>
          <type>skeleton</type>
        </label>
        <label><name>left eye</name><type>points</type><parent>man</parent></label>
        <label><name>right eye</name><type>points</type><parent>man</parent></label>
        <label><name>nose</name><type>points</type><parent>man</parent></label>
      </labels>
    </task>
    <dumped>2023-01-17 01:38:22.055780+00:00</dumped>
  </meta>"""


def xml(*images, meta=META):
    body = "".join(f"  {image}\n" for image in images)
    head = f'<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n  <version>1.1</version>\n  {meta}\n'
    return f"{head}{body}</annotations>\n"


def image(*shapes, name="1.jpg", number="0", keys=""):
    return f'<image id="{number}" name="{name}"{keys} width="30" height="20">{"".join(shapes)}</image>'


def plant(root, files):
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(root)


def read(root, *shapes, **keys):
    root = plant(root, {"images/1.jpg": "x", "annotations.xml": xml(image(*shapes, **keys))})
    return CVAT.read(root, ReadOptions())


def only(dataset):
    (sample,) = dataset.samples
    (thing,) = sample.annotations.objects
    return thing


def row_of(sample, copy=0, **keys):
    known = sample.annotations
    width, height = known.size or (30, 20)
    row = {
        "file_name": sample.id,
        "source": sample.id,
        "copy": copy,
        "split": sample.split,
        "width": width,
        "height": height,
        "label": known.label,
        "labels": dict(known.labels),
        "objects": [to_row(thing, 1.0) for thing in known.objects],
    }
    return json.loads(json.dumps({**row, **keys}))


def write(dataset, rows=None):
    rows = [row_of(sample) for sample in dataset.samples] if rows is None else rows
    return {name: "".join(text) for name, text in CVAT.write(rows, dataset)}


def shapes_of(dataset, *objects, label_row=None, **keys):
    """The lines that objects are written as, in the only image of a dataset."""
    row = row_of(dataset.samples[0], objects=[to_row(thing, 1.0) for thing in objects], **keys)
    (text,) = write(dataset, [row]).values()
    lines = text.split("<image", 1)[1].splitlines()[1:-1]
    return [line.strip() for line in lines if line.strip() != "</image>"]


def flaws(found):
    return [(flaw.code, flaw.source) for flaw in found]


GOLDEN = xml(
    """<image id="3" name="1.jpg" subset="Train" task_id="39" width="30" height="20">
    <box label="dog" source="manual" occluded="1" xtl="0.5" ytl="2" xbr="4.25" ybr="9" z_order="-1" group_id="2">
      <attribute name="age &lt; 3">yes &amp; no</attribute>
      <attribute name="empty"></attribute>
    </box>
    <polygon label="cat" source="file" occluded="0" points="1,2;3.5,4;6,5" z_order="0"/>
    <polyline label="" source="manual" occluded="0" points="1,2;3,4;5,6" z_order="0"/>
    <points label="cat" source="manual" occluded="0" points="7,8" z_order="0"/>
    <mask label="dog" source="auto" occluded="0" rle="0, 2, 1, 1" left="5" top="5" width="2" height="2" z_order="0"/>
    <ellipse label="dog" source="manual" occluded="0" cx="10" cy="9" rx="4" ry="2.5" rotation="30" z_order="0"/>
    <cuboid label="cat" source="manual" occluded="0" xtl1="1" ytl1="2" xbl1="1" ybl1="8" xtr1="5" ytr1="2" xbr1="5" \
ybr1="8" xtl2="3" ytl2="1" xbl2="3" ybl2="7" xtr2="7" ytr2="1" xbr2="7" ybr2="7" z_order="0"/>
    <skeleton label="man" source="manual" z_order="4">
      <points label="left eye" source="manual" outside="0" occluded="0" points="11,2"/>
      <points label="right eye" source="auto" outside="0" occluded="1" points="13,2">
        <attribute name="open">true</attribute>
      </points>
      <points label="nose" source="manual" outside="1" occluded="0" points="12,4"/>
      <attribute name="role">judge</attribute>
    </skeleton>
    <tag label="dog" source="manual">
      <attribute name="sure">false</attribute>
    </tag>
  </image>""",
    '<image id="4" name="deep/2.jpg" subset="default" width="30" height="20"/>',
)


def test_what_is_not_moved_comes_out_byte_for_byte(tmp_path):
    root = plant(tmp_path, {"images/Train/1.jpg": "x", "images/deep/2.jpg": "x", "annotations.xml": GOLDEN})
    dataset = CVAT.read(root, ReadOptions())
    assert write(dataset) == {"annotations.xml": GOLDEN}
    one, two = dataset.samples
    assert [(s.id, s.split) for s in (one, two)] == [("images/Train/1.jpg", "train"), ("images/deep/2.jpg", None)]
    assert two.annotations == Annotations(
        size=(30, 20), extra={"image": {"id": "4", "name": "deep/2.jpg", "subset": "default"}}
    )
    assert one.annotations.labels == {"dog": 1.0}
    assert one.annotations.extra["tags"] == {"dog": {"source": "manual", "attributes": {"sure": "false"}}}
    assert dataset.classes == ("dog", "cat", "man")
    assert dataset.poses == {
        "man": Pose(("left eye", "right eye", "nose"), swap=(1, 0, 2)),
        "": Pose(swap=tuple(range(8))),
    }
    assert (dataset.warnings, dataset.failed, dataset.ignored) == ((), (), {})
    assert dataset.digest.startswith("annotations.xml:")
    assert CVAT.place(one, dataset) == "images/Train"


def test_what_the_shapes_are(tmp_path):
    root = plant(tmp_path, {"images/Train/1.jpg": "x", "images/deep/2.jpg": "x", "annotations.xml": GOLDEN})
    box, polygon, line, point, mask, ellipse, cuboid, man = (
        CVAT.read(root, ReadOptions()).samples[0].annotations.objects
    )
    attributes = {"age < 3": "yes & no", "empty": ""}
    extra = {"source": "manual", "occluded": 1, "z_order": -1, "group_id": 2, "attributes": attributes}
    assert box == Object("dog", (0.5, 2, 4.25, 9), extra=extra)
    plain = {"source": "manual", "occluded": 0, "z_order": 0}
    assert polygon == Object("cat", rings=(array("d", [1, 2, 3.5, 4, 6, 5]),), extra={**plain, "source": "file"})
    assert line == Object(None, keypoints=array("d", [1, 2, 2, 3, 4, 2, 5, 6, 2]), extra={**plain, "shape": "polyline"})
    assert point == Object("cat", keypoints=array("d", [7, 8, 2]), extra={**plain, "shape": "points"})
    expected = np.zeros((20, 30), np.uint8)
    expected[5:7, 5:7] = [[1, 1], [0, 1]]
    assert np.array_equal(rle_decode(mask.rle), expected)
    ring = np.array(ellipse.rings[0]).reshape(-1, 2) - [10, 9]
    turn = math.radians(30)
    upright = ring @ [[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]]
    assert np.allclose((upright / [4, 2.5]) ** 2 @ [1, 1], 1)
    assert upright[:, 0].max() == pytest.approx(4)
    assert cuboid.keypoints[:6] == array("d", [1, 2, 2, 1, 8, 2])
    assert man == Object(
        "man",
        keypoints=array("d", [11, 2, 2, 13, 2, 1, 12, 4, 0]),
        extra={
            "source": "manual",
            "z_order": 4,
            "attributes": {"role": "judge"},
            "elements": {"right eye": {"source": "auto", "attributes": {"open": "true"}}},
        },
    )


@pytest.mark.parametrize("degrees", [0.01, 12.5, 90, 135, 180, 270.25, 359])
def test_a_turned_box_is_four_corners(tmp_path, degrees):
    text = f'<box label="dog" xtl="2" ytl="4" xbr="12" ybr="8" rotation="{degrees}"/>'
    dataset = read(tmp_path, text)
    corners = np.array(only(dataset).corners).reshape(4, 2)
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    assert np.allclose(corners[1] - corners[0], [10 * c, 10 * s])  # clockwise: from right to down
    assert np.allclose(corners.mean(axis=0), [7, 6])
    assert only(dataset).box is None
    assert shapes_of(dataset, only(dataset)) == [
        f'<box label="dog" xtl="2" ytl="4" xbr="12" ybr="8" rotation="{degrees}"/>'
    ]


def test_corners_that_are_mirrored_or_no_rectangle(tmp_path):
    dataset = read(tmp_path)
    mirrored = Object("dog", corners=array("d", [8, 2, 4, 6, 6, 8, 10, 4]))
    (line,) = shapes_of(dataset, mirrored)
    assert line == '<box label="dog" xtl="4.171573" ytl="3.585786" xbr="9.828427" ybr="6.414214" rotation="135"/>'
    skewed = Object("dog", corners=array("d", [2, 2, 8, 2, 12, 6, 1, 6]))
    assert shapes_of(dataset, skewed) == ['<polygon label="dog" points="2,2;8,2;12,6;1,6"/>']
    whole = Object("ship", corners=array("d", [20, 15, 12, 7, 15, 4, 24, 12]))  # rounded by DOTA
    assert shapes_of(dataset, whole) == [
        '<box label="ship" xtl="11.916369" ytl="7.201903" xbr="23.583631" ybr="11.798097" rotation="225"/>'
    ]
    flat = Object("dog", corners=array("d", [2, 2, 8, 2, 8, 6, 2, 6]))
    assert shapes_of(dataset, flat) == ['<box label="dog" xtl="2" ytl="2" xbr="8" ybr="6"/>']


@pytest.mark.parametrize(
    ("matrix", "expected"),
    [
        ([[1, 0], [0, 1]], 'cx="10" cy="8" rx="4" ry="2"'),
        ([[0, -1], [1, 0]], 'cx="-8" cy="10" rx="4" ry="2" rotation="90"'),
        ([[-1, 0], [0, 1]], 'cx="-10" cy="8" rx="4" ry="2"'),
        ([[1, 0], [0, 2]], 'cx="10" cy="16" rx="4" ry="4"'),
        ([[1, 1], [0, 1]], 'cx="18" cy="8" rx="4.57649" ry="1.74806" rotation="13.2826'),
    ],
)
def test_an_ellipse_stays_one_under_affine_maps(tmp_path, matrix, expected):
    dataset = read(tmp_path, '<ellipse label="dog" cx="10" cy="8" rx="4" ry="2"/>')
    thing = only(dataset)
    ring = (np.array(thing.rings[0]).reshape(-1, 2) @ np.array(matrix).T).round(9)
    moved = Object("dog", rings=(array("d", ring.ravel()),), extra=thing.extra)
    (line,) = shapes_of(dataset, moved, copy=1)
    for mine, should in zip(line.split('" ')[1:], expected.split('" '), strict=False):
        name, _, value = mine.partition('="')
        wanted_name, _, wanted = should.partition('="')
        assert name == wanted_name
        assert float(value.rstrip('"/>')) == pytest.approx(float(wanted.rstrip('"')), abs=1e-3)


def test_an_ellipse_that_was_cut_is_a_polygon(tmp_path):
    dataset = read(tmp_path, '<ellipse label="dog" cx="10" cy="8" rx="4" ry="2" z_order="0"/>')
    cut = Object("dog", rings=(array("d", [1, 1, 5, 1, 3, 4]),), extra=only(dataset).extra)
    assert shapes_of(dataset, cut) == ['<polygon label="dog" points="1,1;5,1;3,4" z_order="0"/>']


@pytest.mark.parametrize(
    ("kind", "points", "expected"),
    [
        ("polyline", [1, 1, 2, 0, 0, 0, 2, 2, 2], '<polyline label="dog" points="1,1;2,2"/>'),
        ("polyline", [1, 1, 2, 0, 0, 0], '<points label="dog" points="1,1"/>'),
        ("line", [1, 1, 2, 2, 3.5, 2], '<polyline label="dog" points="1,1;2,3.5"/>'),
        ("point", [1, 1, 2], '<points label="dog" points="1,1"/>'),
        ("cuboid", [1, 1, 2] * 7 + [0, 0, 0], f'<points label="dog" points="{";".join(["1,1"] * 7)}"/>'),
    ],
)
def test_lines_that_were_cut(tmp_path, kind, points, expected):
    dataset = read(tmp_path)
    assert shapes_of(dataset, Object("dog", keypoints=array("d", points), extra={"shape": kind})) == [expected]


def test_masks_of_any_runs(tmp_path):
    dataset = read(tmp_path)
    rng = np.random.default_rng(5)
    for fill in (0.1, 0.5, 0.9, 1.0):
        plane = (rng.random((20, 30)) < fill).astype(np.uint8)
        (line,) = shapes_of(dataset, Object("dog", rle=rle_encode(plane)))
        again = only(read(tmp_path, line))
        assert np.array_equal(rle_decode(again.rle), plane)
    wide = only(read(tmp_path, '<mask label="dog" rle="1, 2, 3, 1" left="4" top="5" width="4" height="2"/>'))
    expected = np.zeros((20, 30), np.uint8)
    expected[5:7, 4:8] = [[0, 1, 1, 0], [0, 0, 1, 0]]
    assert np.array_equal(rle_decode(wide.rle), expected)
    one = np.zeros((20, 30), np.uint8)
    one[3:5, 7:9] = [[1, 0], [0, 1]]
    (line,) = shapes_of(dataset, Object("dog", rle=rle_encode(one, plain=True)))
    assert line == '<mask label="dog" rle="0, 1, 2, 1" left="7" top="3" width="2" height="2"/>'


def test_copies_get_new_ids_and_names_and_what_was_moved_its_numbers(tmp_path):
    files = {"images/Train/1.jpg": "x", "images/deep/2.jpg": "x", "annotations.xml": GOLDEN}
    dataset = CVAT.read(plant(tmp_path, files), ReadOptions())
    one, two = dataset.samples
    moved = [to_row(Object("dog", (1.5, 2, 3, 7.125)), 1.0)]
    rows = [
        row_of(one, 1, file_name="images/Train/1_aug01.jpg", width=12, height=11, objects=moved, labels={}),
        row_of(two),
        row_of(two, 1, file_name="images/deep/2_aug01.jpg"),
    ]
    text = write(dataset, rows)["annotations.xml"]
    assert text.split("</meta>\n")[1] == (
        '  <image id="5" name="1_aug01.jpg" subset="Train" task_id="39" width="12" height="11">\n'
        '    <box label="dog" xtl="1.5" ytl="2" xbr="3" ybr="7.125"/>\n'
        "  </image>\n"
        '  <image id="4" name="deep/2.jpg" subset="default" width="30" height="20"/>\n'
        '  <image id="6" name="deep/2_aug01.jpg" subset="default" width="30" height="20"/>\n'
        "</annotations>\n"
    )


def test_written_from_another_format():
    mask = np.zeros((20, 30), np.uint8)
    mask[3:5, 7:9] = 1
    objects = (
        Object("man", (1, 2, 9, 12), keypoints=array("d", [2, 3, 2, 4, 5, 1, 0, 0, 0]), extra={"occluded": True}),
        Object("man", keypoints=array("d", [2, 3, 2, 4, 5, 1, 0, 0, 0])),
        Object("dog", rings=(array("d", [0, 0, 4, 0, 4, 4]), array("d", [9, 9, 12, 9, 12, 12]))),
        Object("dog", rle=rle_encode(mask), extra={"difficult": 1, "attributes": {"sex": "f", "n": 2, "ok": True}}),
    )
    sample = Sample("a/1.png", Annotations({"street": 1.0}, objects=objects, extra={"licence": 3}), "train")
    other = Sample("a/2.png", Annotations({"x<y": 1.0}))
    poses = {"man": Pose(("left", "right", "mid"), swap=(1, 0, 2))}
    dataset = Dataset("r", "coco", (sample, other), ("man", "dog", "street", "x<y"), poses=poses)
    rows = [row_of(sample, file_name="images/train/1.png"), row_of(other, file_name="images/2.png")]
    rows[0]["objects"][1]["bbox"] = [2, 3, 2, 2]  # what a worker makes of its keypoints
    assert write(dataset, rows) == {
        "annotations.xml": """<?xml version="1.0" encoding="utf-8"?>
<annotations>
  <version>1.1</version>
  <meta>
    <project>
      <subsets>train</subsets>
      <labels>
        <label>
          <name>man</name>
          <type>skeleton</type>
          <attributes>
          </attributes>
        </label>
        <label><name>left</name><type>points</type><attributes></attributes><parent>man</parent></label>
        <label><name>right</name><type>points</type><attributes></attributes><parent>man</parent></label>
        <label><name>mid</name><type>points</type><attributes></attributes><parent>man</parent></label>
        <label>
          <name>dog</name>
          <attributes>
            <attribute><name>sex</name><mutable>False</mutable><input_type>text</input_type><default_value></default_value><values></values></attribute>
            <attribute><name>n</name><mutable>False</mutable><input_type>text</input_type><default_value></default_value><values></values></attribute>
            <attribute><name>ok</name><mutable>False</mutable><input_type>text</input_type><default_value></default_value><values></values></attribute>
            <attribute><name>difficult</name><mutable>False</mutable><input_type>text</input_type><default_value></default_value><values></values></attribute>
          </attributes>
        </label>
        <label>
          <name>street</name>
          <attributes>
          </attributes>
        </label>
        <label>
          <name>x&lt;y</name>
          <attributes>
          </attributes>
        </label>
      </labels>
    </project>
  </meta>
  <image id="0" name="1.png" subset="train" width="30" height="20">
    <skeleton label="man" source="manual" occluded="1" z_order="0" group_id="1">
      <points label="left" outside="0" occluded="0" points="2,3"/>
      <points label="right" outside="0" occluded="1" points="4,5"/>
      <points label="mid" outside="1" occluded="0" points="0,0"/>
    </skeleton>
    <box label="man" source="manual" occluded="1" xtl="1" ytl="2" xbr="9" ybr="12" z_order="0" group_id="1"/>
    <skeleton label="man" source="manual" z_order="0">
      <points label="left" outside="0" occluded="0" points="2,3"/>
      <points label="right" outside="0" occluded="1" points="4,5"/>
      <points label="mid" outside="1" occluded="0" points="0,0"/>
    </skeleton>
    <polygon label="dog" source="manual" occluded="0" points="0,0;4,0;4,4" z_order="0" group_id="2"/>
    <polygon label="dog" source="manual" occluded="0" points="9,9;12,9;12,12" z_order="0" group_id="2"/>
    <mask label="dog" source="manual" occluded="0" rle="0, 4" left="7" top="3" width="2" height="2" z_order="0">
      <attribute name="sex">f</attribute>
      <attribute name="n">2</attribute>
      <attribute name="ok">true</attribute>
      <attribute name="difficult">1</attribute>
    </mask>
    <tag label="street" source="manual"/>
  </image>
  <image id="1" name="2.png" width="30" height="20">
    <tag label="x&lt;y" source="manual"/>
  </image>
</annotations>
"""
    }
    assert (CVAT.place(sample, dataset), CVAT.place(other, dataset)) == ("images/train", "images")
    CVAT.check(dataset, mixes=False)
    with pytest.raises(InputError, match="weighted labels of a mix"):
        CVAT.check(dataset, mixes=True)
    with pytest.raises(InputError, match="control characters"):
        CVAT.check(Dataset("r", "coco", (), ("a", "b\x01")), mixes=False)


def test_names_and_values_that_xml_must_escape(tmp_path):
    thing = Object('a "b" <c>', (1, 2, 3, 4), extra={"attributes": {'x"\n': "1\r\n<2>", "none": None}})
    sample = Sample("1.png", Annotations(objects=(thing,)))
    text = write(Dataset("r", "coco", (sample,), ('a "b" <c>',)))["annotations.xml"]
    again = CVAT.read(plant(tmp_path, {"images/1.png": "x", "annotations.xml": text}), ReadOptions())
    assert only(again).label == thing.label
    assert only(again).extra["attributes"] == {'x"\n': "1\r\n<2>", "none": ""}


def test_two_files_for_two_splits(tmp_path):
    files = {
        "images/1.jpg": "x",
        "images/2.jpg": "x",
        "train.xml": xml(image(number="5")),
        "val.xml": xml(image(name="2.jpg"), meta="<meta><task/></meta>"),
    }
    dataset = CVAT.read(plant(tmp_path, files), ReadOptions())
    assert [(s.id, s.split) for s in dataset.samples] == [("images/1.jpg", "train"), ("images/2.jpg", "val")]
    rows = [*map(row_of, dataset.samples), row_of(dataset.samples[1], 1, file_name="images/2_aug01.jpg")]
    texts = write(dataset, rows)
    assert texts["train.xml"].endswith(
        '</meta>\n  <image id="5" name="1.jpg" width="30" height="20"/>\n</annotations>\n'
    )
    assert texts["val.xml"].endswith(
        '  <meta><task /></meta>\n  <image id="0" name="2.jpg" width="30" height="20"/>\n'
        '  <image id="6" name="2_aug01.jpg" width="30" height="20"/>\n</annotations>\n'
    )
    assert list(write(dataset, [])) == ["train.xml", "val.xml"]
    only_val = CVAT.read(str(tmp_path), ReadOptions(labels="val.xml"))
    assert [s.id for s in only_val.samples] == ["images/2.jpg"]
    assert flaws(only_val.warnings) == [("not-listed", "images/1.jpg")]
    plant(tmp_path, {"more.xml": xml(image())})
    with pytest.raises(InputError, match="3 files of CVAT fit") as caught:
        CVAT.read(str(tmp_path), ReadOptions())
    assert "--labels more.xml" in caught.value.message


def test_bad_shapes_are_left_out_and_the_others_stay(tmp_path):
    good = '<box label="dog" xtl="1" ytl="2" xbr="3" ybr="4"/>'
    rle = 'left="1" top="1" width="2" height="2"'
    bad = [
        '<box label="dog" xtl="1" ytl="2" xbr="3"/>',
        '<box label="dog" xtl="one" ytl="2" xbr="3" ybr="4"/>',
        '<polygon label="dog"/>',
        '<polygon label="dog" points="1,2;3"/>',
        '<polygon label="dog" points="1,2;3,x"/>',
        '<ellipse label="dog" cx="1" cy="2" rx="3"/>',
        '<cuboid label="dog" xtl1="1"/>',
        f'<mask label="dog" rle="1, 9" {rle}/>',
        f'<mask label="dog" rle="1, -1" {rle}/>',
        f'<mask label="dog" rle="x" {rle}/>',
        f'<mask label="dog" rle="" {rle}/>',
        '<mask label="dog" rle="1, 3" left="29" top="1" width="2" height="2"/>',
        '<mask label="dog" rle="1" left="nan" top="1" width="2" height="2"/>',
        '<skeleton label="man"><points label="nose" points="1,2;3,4"/></skeleton>',
        '<sphere label="dog"/>',
    ]
    dataset = read(tmp_path, *bad, good)
    assert only(dataset) == Object("dog", (1, 2, 3, 4))
    (flaw,) = dataset.warnings
    assert (flaw.code, flaw.source) == ("unreadable-shape", "images/1.jpg")
    assert flaw.message == (f"annotations.xml: image 0: <box> 1 is left out: it has no ybr (and {len(bad) - 1} more)")


def test_a_huge_size_needs_no_memory(tmp_path):
    text = xml(image('<mask label="a" rle="1" left="0" top="0" width="1" height="1"/>').replace('"30"', '"30000000"'))
    dataset = CVAT.read(plant(tmp_path, {"images/1.jpg": "x", "annotations.xml": text}), ReadOptions())
    assert flaws(dataset.warnings) == [("unreadable-shape", "images/1.jpg")]


def test_images_as_they_are_in_the_wild(tmp_path):
    names = ["1.jpg", "gone.jpg", "../../etc/passwd", "/etc/passwd", "sub\\2 (b).jpg", "1.jpg", "", "THREE.JPG"]
    text = xml(*(image(name=name, number=str(n)) for n, name in enumerate(names)), meta="")
    files = {"images/1.jpg": "x", "images/sub/2 (b).jpg": "x", "three.jpg": "x", "more.jpg": "x"}
    dataset = CVAT.read(plant(tmp_path, {**files, "annotations.xml": b"\xef\xbb\xbf" + text.encode()}), ReadOptions())
    assert [s.id for s in dataset.samples] == ["images/1.jpg", "images/sub/2 (b).jpg", "three.jpg"]
    assert flaws(dataset.failed) == [
        ("missing-file", "gone.jpg"),
        ("outside-input", "../../etc/passwd"),
        ("outside-input", "/etc/passwd"),
        ("missing-file", "annotations.xml"),
    ]
    assert flaws(dataset.warnings) == [
        ("repeated-image", "images/1.jpg"),
        ("name-differs", "three.jpg"),
        ("not-listed", "more.jpg"),
    ]
    assert [line for line in write(dataset)["annotations.xml"].splitlines() if "<image" in line] == [
        '  <image id="0" name="1.jpg" width="30" height="20"/>',
        '  <image id="4" name="sub/2 (b).jpg" width="30" height="20"/>',
        '  <image id="7" name="three.jpg" width="30" height="20"/>',
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<annotations><meta>", "annotations.xml:1: it is no XML"),
        (xml().replace("annotations>", "notes>"), "no XML file of CVAT"),
        ('<!DOCTYPE x [<!ENTITY a "b">]>' + xml()[39:], "has a DTD"),
        (xml('<track id="0" label="dog"/>'), "CVAT for video"),
        (xml(), "no <image> in it"),
        (xml(image(name="gone.jpg")), "there is no such image"),
        ("<a><annotations/><meta/></a>", "its root is <a>"),
    ],
)
def test_refused(tmp_path, text, message):
    with pytest.raises(InputError) as caught:
        CVAT.read(plant(tmp_path, {"images/1.jpg": "x", "annotations.xml": text}), ReadOptions())
    assert message in caught.value.message


def test_detected(tmp_path):
    assert CVAT.detect(plant(tmp_path, {"Annotations/1.xml": "<annotation><object/></annotation>"})) == ""
    assert CVAT.detect(plant(tmp_path, {"a/train.xml": xml(image())})) == "a/train.xml"
    assert CVAT.detect(plant(tmp_path, {"b/more.xml": xml(image())})) == "a/train.xml; b/more.xml"
    video = {"v.xml": xml('<track id="0" label="dog"/>')}
    assert CVAT.detect(plant(tmp_path, video)) == "a/train.xml; b/more.xml"
    with pytest.raises(InputError, match=r"v.xml is CVAT for video") as caught:
        CVAT.detect(plant(tmp_path / "other", video))
    assert "CVAT for images" in caught.value.hint
