"""Tables: which column means what, what is kept as it was, and what is refused."""

import csv
import io
import json
import os
import sys
import tempfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from augx.errors import InputError
from augx.formats import ReadOptions
from augx.formats.table.format import TableFormat
from augx.model import Annotations, Dataset, Sample

TABLE = TableFormat()


def plant(root, table, images, name="t.csv"):
    for image in images:
        path = root / image
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(table if isinstance(table, bytes) else table.encode())
    return str(root)


def read(root, text, images=("1.jpg", "2.jpg"), name="t.csv", **options):
    return TABLE.read(plant(root, text, images, name), ReadOptions(**options))


def rows_of(dataset):
    """Manifest rows as a run without copies writes them, through JSON as the manifest goes."""
    rows = [
        {
            "file_name": s.id,
            "source": s.id,
            "copy": 0,
            "split": s.split,
            "label": s.annotations.label,
            "labels": dict(s.annotations.labels),
            "values": dict(s.annotations.values),
        }
        for s in dataset.samples
    ]
    return json.loads(json.dumps(rows))


def write(dataset, rows=None):
    files = [(name, "".join(text)) for name, text in TABLE.write(rows_of(dataset) if rows is None else rows, dataset)]
    assert len(files) == 1
    return files[0]


def labels(dataset):
    return {s.id: dict(s.annotations.labels) for s in dataset.samples}


def values(dataset):
    return {s.id: dict(s.annotations.values) for s in dataset.samples}


def flaws(found):
    return [(f.code, f.source) for f in found]


def test_a_plain_table(tmp_path):
    text = "file_name,label,split,age,note\n2.jpg,dog,Valid,1.50,\n1.jpg,cat,train,7,hi\n"
    dataset = read(tmp_path, text)
    assert dataset.samples == (
        Sample("1.jpg", Annotations({"cat": 1.0}, {"age": 7.0, "note": "hi"}), "train"),
        Sample("2.jpg", Annotations({"dog": 1.0}, {"age": 1.5, "note": None}), "val"),
    )
    assert dataset.classes == ("cat", "dog")
    assert (dataset.failed, dataset.warnings, dataset.ignored) == ((), (), {})
    assert write(dataset) == (
        "t.csv",
        "file_name,label,split,age,note\n1.jpg,cat,train,7,hi\n2.jpg,dog,Valid,1.50,\n",
    )
    assert TABLE.place(Sample("a/b/1.jpg"), dataset) == "a/b"


def test_only_what_changed_is_written_anew(tmp_path):
    dataset = read(tmp_path, "file_name,label,split,age,note\n1.jpg,cat,Train,1.50,\n2.jpg,dog,test,007,x\n")
    row = rows_of(dataset)[0]
    changed = [
        {**row, "file_name": "1_1.jpg", "copy": 1, "label": "dog", "labels": {"dog": 1.0}},
        {**row, "file_name": "1_2.jpg", "copy": 2, "split": "val", "values": {"age": "2", "note": None}},
    ]
    assert write(dataset, changed)[1] == "file_name,label,split,age,note\n1_1.jpg,dog,Train,1.50,\n1_2.jpg,cat,val,2,\n"


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["1", "-2"], [1, -2]),
        (["1", "2.0"], [1.0, 2.0]),
        (["1e3", ".5"], [1000.0, 0.5]),
        (["1", ""], [1, None]),
        (["007", "1"], ["007", "1"]),
        (["+1", "1"], ["+1", "1"]),
        (["0x1", "1"], ["0x1", "1"]),
        (["1_0", "1"], ["1_0", "1"]),
        (["nan", "1"], ["nan", "1"]),
        (["inf", "1"], ["inf", "1"]),
        (["1e999", "1"], ["1e999", "1"]),
        (["٣", "1"], ["٣", "1"]),
        (["12345678901234567890", "1"], ["12345678901234567890", "1"]),
        (["9" * 1_000_000, "1"], ["9" * 1_000_000, "1"]),
        (["", ""], [None, None]),
        ([" 5", "6"], [5, 6]),
        (["true", "1"], ["true", "1"]),
    ],
)
def test_numbers(tmp_path, cells, expected):
    dataset = read(tmp_path, f"file_name,v,label\n1.jpg,{cells[0]},a\n2.jpg,{cells[1]},b\n")
    found = [s.annotations.values["v"] for s in dataset.samples]
    assert found == expected
    assert [type(value) for value in found] == [type(value) for value in expected]
    assert write(dataset)[1] == f"file_name,v,label\n1.jpg,{cells[0]},a\n2.jpg,{cells[1]},b\n"


@pytest.mark.parametrize(
    ("header", "label", "value"),
    [
        ("file_name,label", {"3": 1.0}, {}),
        ("Filename,CLASS", {"3": 1.0}, {}),
        ("image,category", {"3": 1.0}, {}),
        ("image path,class-name", {"3": 1.0}, {}),
        ("path,target", {}, {"target": 3}),
        ("img,y", {}, {"y": 3}),
        ("image_id,fold", {}, {"fold": 3}),
        ("file,set", {}, {"set": 3}),
        ("file,something", {}, {"something": 3}),
    ],
)
def test_column_names(tmp_path, header, label, value):
    sample = read(tmp_path, f"{header}\n1.jpg,3\n2.jpg,4\n").samples[0]
    assert (dict(sample.annotations.labels), dict(sample.annotations.values), sample.split) == (label, value, None)


def test_text_targets_are_classes_and_fractions_are_not(tmp_path):
    assert labels(read(tmp_path, "file,target\n1.jpg,cat\n2.jpg,dog\n"))["1.jpg"] == {"cat": 1.0}
    measured = read(tmp_path, "file,label\n1.jpg,0.25\n2.jpg,3\n")
    assert (labels(measured)["1.jpg"], values(measured)["1.jpg"]) == ({}, {"label": 0.25})


def test_the_user_knows_the_columns_better(tmp_path):
    text = "file_name,other,label,split\n1.jpg,2.jpg,x,A\n2.jpg,1.jpg,y,B\n"
    dataset = read(tmp_path, text, columns={"file": "other", "label": "split"})
    assert labels(dataset) == {"1.jpg": {"B": 1.0}, "2.jpg": {"A": 1.0}}
    assert values(dataset)["1.jpg"] == {"file_name": "2.jpg", "label": "y"}
    with pytest.raises(InputError, match="no 'colour' column"):
        read(tmp_path, text, columns={"colour": "other"})
    with pytest.raises(InputError, match="no column 'nope'"):
        read(tmp_path, text, columns={"file": "nope"})


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["a|b c", "d"], [{"a": 1.0, "b c": 1.0}, {"d": 1.0}]),
        (["a; b", "d"], [{"a": 1.0, "b": 1.0}, {"d": 1.0}]),
        (['"a, b"', "d e"], [{"a": 1.0, "b": 1.0}, {"d e": 1.0}]),
        (["a b  a", ""], [{"a": 1.0, "b": 1.0}, {}]),
        (['"a|b,c"', "|"], [{"a": 1.0, "b,c": 1.0}, {}]),
        (["a:0.25|b:0.75", "b:1"], [{"a": 0.25, "b": 0.75}, {"b": 1.0}]),
        (["x:y:0.5|b:0.5", ""], [{"x:y": 0.5, "b": 0.5}, {}]),
        (["level:1|level:2", "level:1"], [{"level:1": 1.0, "level:2": 1.0}, {"level:1": 1.0}]),
        (["a:0.5|b", "c"], [{"a:0.5": 1.0, "b": 1.0}, {"c": 1.0}]),
    ],
)
def test_several_classes_in_a_cell(tmp_path, cells, expected):
    text = f"file_name,tags\n1.jpg,{cells[0]}\n2.jpg,{cells[1]}\n"
    dataset = read(tmp_path, text)
    assert list(labels(dataset).values()) == expected
    assert write(dataset)[1] == text


def test_one_column_a_class(tmp_path):
    text = "filename, dog, a cat\n1.jpg, 1, 0\n2.jpg, 1, 1\n"
    dataset = read(tmp_path, text)
    assert dataset.classes == ("dog", "a cat")
    assert labels(dataset) == {"1.jpg": {"dog": 1.0}, "2.jpg": {"dog": 1.0, "a cat": 1.0}}
    mixed = [{**rows_of(dataset)[0], "label": None, "labels": {"a cat": 0.25, "dog": 0.75}}, rows_of(dataset)[1]]
    name, out = write(dataset, mixed)
    assert out == "filename,dog,a cat\n1.jpg,0.75,0.25\n2.jpg, 1, 1\n"
    assert labels(read(tmp_path, out))["1.jpg"] == {"dog": 0.75, "a cat": 0.25}
    assert name == "t.csv"


@pytest.mark.parametrize("row", ["2,1", "0.3,0.3", "0,", "1,x", "-1,2"])
def test_other_numbers_are_values_not_classes(tmp_path, row):
    dataset = read(tmp_path, f"file,a,b\n1.jpg,{row}\n2.jpg,0,1\n")
    assert labels(dataset) == {"1.jpg": {}, "2.jpg": {}}
    assert values(dataset)["2.jpg"].keys() == {"a", "b"}


def test_jsonl_keeps_types_and_key_order(tmp_path):
    lines = [
        {"file_name": "1.jpg", "labels": ["a", "b"], "n": 1.5, "x": {"deep": [1, None, True]}},
        {"n": 2, "labels": {"a": 0.25, "b": 0.75}, "file_name": "2.jpg", "été": "\u2028"},
        {"file_name": "3.jpg", "labels": "a|c"},
        {"file_name": "4.jpg", "labels": None},
    ]
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    dataset = read(tmp_path, text, [f"{i}.jpg" for i in range(1, 5)], "t.jsonl")
    assert list(labels(dataset).values()) == [{"a": 1.0, "b": 1.0}, {"a": 0.25, "b": 0.75}, {"a": 1.0, "c": 1.0}, {}]
    assert values(dataset)["1.jpg"] == {"n": 1.5, "x": {"deep": [1, None, True]}}
    assert write(dataset) == ("t.jsonl", text)


def test_a_value_of_another_type_is_another_value(tmp_path):
    dataset = read(tmp_path, '{"file_name": "1.jpg", "n": 1}\n', name="t.jsonl")
    changed = [{**rows_of(dataset)[0], "values": {"n": True}}]
    assert write(dataset, changed)[1] == '{"file_name": "1.jpg", "n": true}\n'


def test_jsonl_labels_of_a_mix_become_mappings_in_every_row(tmp_path):
    dataset = read(
        tmp_path, '{"file_name": "1.jpg", "label": 3}\n{"file_name": "2.jpg", "label": "x"}\n', name="t.jsonl"
    )
    assert labels(dataset) == {"1.jpg": {"3": 1.0}, "2.jpg": {"x": 1.0}}
    first, second = rows_of(dataset)
    out = write(dataset, [{**first, "label": None, "labels": {"3": 0.5, "x": 0.5}}, second])[1]
    assert [json.loads(line) for line in out.splitlines()] == [
        {"file_name": "1.jpg", "label": None, "labels": {"3": 0.5, "x": 0.5}},
        {"file_name": "2.jpg", "label": "x", "labels": {"x": 1.0}},
    ]
    assert labels(read(tmp_path, out, name="t.jsonl"))["1.jpg"] == {"3": 0.5, "x": 0.5}


def test_a_mix_adds_a_column_to_a_table_with_one_class_a_row(tmp_path):
    dataset = read(tmp_path, "file_name,label\n1.jpg,cat\n2.jpg,dog\n")
    first, second = rows_of(dataset)
    out = write(dataset, [{**first, "label": None, "labels": {"cat": 0.7, "dog": 0.3}}, second])[1]
    assert out == "file_name,label,labels\n1.jpg,,cat:0.7|dog:0.3\n2.jpg,dog,dog:1\n"
    assert labels(read(tmp_path, out)) == {"1.jpg": {"cat": 0.7, "dog": 0.3}, "2.jpg": {"dog": 1.0}}


def test_a_mix_puts_weights_on_every_class_of_the_column(tmp_path):
    dataset = read(tmp_path, "file_name,tags\n1.jpg,a b\n2.jpg,c\n")
    first, second = rows_of(dataset)
    out = write(dataset, [{**first, "label": None, "labels": {"a": 0.5, "c": 0.5}}, second])[1]
    assert out == "file_name,tags\n1.jpg,a:0.5 c:0.5\n2.jpg,c:1\n"
    assert labels(read(tmp_path, out)) == {"1.jpg": {"a": 0.5, "c": 0.5}, "2.jpg": {"c": 1.0}}


@pytest.mark.parametrize(
    ("table", "cell", "images", "image"),
    [
        ("t.csv", "a/1.jpg", ["a/1.jpg"], "a/1.jpg"),
        ("t.csv", "./a//1.jpg", ["a/1.jpg"], "a/1.jpg"),
        ("t.csv", "a\\1.jpg", ["a/1.jpg"], "a/1.jpg"),
        ("t.csv", "a\\1.jpg", ["a/1.jpg", "a\\1.jpg"], "a\\1.jpg"),
        ("t.csv", " a/1.jpg ", ["a/1.jpg"], "a/1.jpg"),
        ("t.csv", "1.jpg", ["a/1.jpg"], "a/1.jpg"),
        ("t.csv", "a/1.jpg", ["x/a/1.jpg", "x/b/1.jpg"], "x/a/1.jpg"),
        ("t.csv", "1", ["a/1.jpg"], "a/1.jpg"),
        ("t.csv", "v1.2", ["a/v1.2.png"], "a/v1.2.png"),
        ("t.csv", "1", ["1.png", "a/1.jpg"], "1.png"),
        ("m/t.csv", "1.jpg", ["m/1.jpg", "1.jpg"], "m/1.jpg"),
        ("m/t.csv", "a/1.jpg", ["a/1.jpg"], "a/1.jpg"),
        ("m/t.csv", "../a/1.jpg", ["a/1.jpg"], "a/1.jpg"),
        ("m/t.csv", "m/1.jpg", ["m/1.jpg"], "m/1.jpg"),
    ],
)
def test_paths(tmp_path, table, cell, images, image):
    dataset = read(tmp_path, f"file_name,label\n{cell},x\n", images, table)
    assert [s.id for s in dataset.samples] == [image]
    assert [f for f in dataset.warnings if f.code != "no-row"] == []


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("gone.jpg", "missing-file"),
        ("", "missing-file"),
        ("/etc/passwd", "outside-input"),
        ("C:\\x\\1.jpg", "outside-input"),
        ("../1.jpg", "outside-input"),
        ("a/../../1.jpg", "outside-input"),
        ("same.jpg", "ambiguous-file"),
        ("t.csv", "missing-file"),
        ("x" * 5000, "missing-file"),
    ],
)
def test_rows_without_an_image_fail_by_name(tmp_path, cell, code):
    images = ["1.jpg", "a/same.jpg", "b/same.jpg"]
    dataset = read(tmp_path, f"file_name,label\n1.jpg,x\n{cell},y\n", images)
    source = cell.replace("\\", "/")[:1000] or "t.csv"
    assert flaws(dataset.failed) == [(code, source)]
    assert dataset.failed[0].message.startswith("t.csv:3: ")
    assert [s.id for s in dataset.samples] == ["1.jpg"]


@pytest.mark.parametrize(("cell", "image"), [("IMG_1.JPG", "img_1.jpg"), ("Zoe\u0308.jpg", "Zo\u00eb.jpg")])
def test_names_written_otherwise_are_found_with_a_warning(tmp_path, cell, image):
    dataset = read(tmp_path, f"file_name,label\n{cell},x\n", [image])
    assert [s.id for s in dataset.samples] == [image]
    assert flaws(dataset.warnings) == [("name-differs", image)]


def test_an_exact_name_comes_first(tmp_path):
    dataset = read(tmp_path, "file_name,label\nA.jpg,x\na.jpg,y\n", ["A.jpg", "a.jpg"])
    assert labels(dataset) == {"A.jpg": {"x": 1.0}, "a.jpg": {"y": 1.0}}
    assert dataset.warnings == ()


def test_images_without_a_row_are_no_samples_but_warnings(tmp_path):
    dataset = read(tmp_path, "file_name,label\n2.jpg,x\n", ["1.jpg", "2.jpg", "a/3.jpg"])
    assert [s.id for s in dataset.samples] == ["2.jpg"]
    assert flaws(dataset.warnings) == [("no-row", "1.jpg"), ("no-row", "a/3.jpg")]


def test_splits_come_from_folders_where_no_column_says(tmp_path):
    dataset = read(tmp_path, "file_name,label\ntrain/1.jpg,x\nvalid/1.jpg,x\n", ["train/1.jpg", "valid/1.jpg"])
    assert {s.id: s.split for s in dataset.samples} == {"train/1.jpg": "train", "valid/1.jpg": "val"}
    assert write(dataset)[1] == "file_name,label\ntrain/1.jpg,x\nvalid/1.jpg,x\n"


def test_paths_are_written_from_the_tables_folder_if_all_lie_below(tmp_path):
    below = read(tmp_path, "file_name,label\nm/a/1.jpg,x\n", ["m/a/1.jpg"], "m/t.csv")
    assert write(below) == ("m/t.csv", "file_name,label\na/1.jpg,x\n")
    elsewhere = [{**rows_of(below)[0], "file_name": "cat/1.jpg"}]  # another format said where the images go
    assert write(below, elsewhere)[1] == "file_name,label\ncat/1.jpg,x\n"
    beside = read(tmp_path / "o", "file_name,label\n1.jpg,x\n", ["b/1.jpg"], "m/t.csv")
    assert write(beside) == ("m/t.csv", "file_name,label\nb/1.jpg,x\n")


@pytest.mark.parametrize(
    "text",
    [
        b"\xef\xbb\xbffile_name,label\r\n1.jpg,x\r\n2.jpg,y\r\n",
        b"file_name;label\n1.jpg;x\n2.jpg;y",
        b"\n\nfile_name,label\n\n1.jpg,x\n,\n2.jpg,y\n\n",
        b"file_name\tlabel\n1.jpg\tx\n2.jpg\ty\n",
        b'"file_name","label"\n"1.jpg","x"\n"2.jpg","y"\n',
        b"file_name,label\r1.jpg,x\r2.jpg,y\r",
    ],
)
def test_dialects(tmp_path, text):
    assert labels(read(tmp_path, text)) == {"1.jpg": {"x": 1.0}, "2.jpg": {"y": 1.0}}


def test_semicolons_and_tabs_are_written_again(tmp_path):
    assert write(read(tmp_path, 'file;v\n1.jpg;"a;b"\n2.jpg;c,d\n')) == ("t.csv", 'file;v\n1.jpg;"a;b"\n2.jpg;c,d\n')
    text = "file\tv,w\n1.jpg\ta,b\n2.jpg\tc\n"
    assert write(read(tmp_path / "t", text, name="t.tsv")) == ("t.tsv", text)


def test_newlines_and_long_cells(tmp_path):
    text = 'file,v\n1.jpg,"a\nb ""c"""\n2.jpg,' + "x" * 300_000 + "\n3.jpg\n"
    before = csv.field_size_limit(100_000)
    dataset = read(tmp_path, text)
    assert values(dataset) == {"1.jpg": {"v": 'a\nb "c"'}, "2.jpg": {"v": "x" * 300_000}}
    assert [(f.code, f.message) for f in dataset.failed] == [
        ("ragged-row", "t.csv:5: 1 cells where the header has 2"),
    ]
    assert csv.field_size_limit(before) == 100_000


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"file_name,label\n1.jpg,caf\xe9\n", r"t.csv:2: byte 25 \(0xe9\) is no UTF-8"),
        (b"\xff\xfef\0i\0", r"t.csv:1: byte 0 \(0xff\)"),
        (b"file_name,label\n1.jpg,a\0b\n", "t.csv:2: a NUL"),
        (b"", "t.csv is empty"),
        (b"\n \n", "t.csv is empty"),
        (b"file_name,label,label\n1.jpg,a,b\n", "t.csv:1: two columns are called 'label'"),
        (b"file_name, label,label \n1.jpg,a,b\n", "t.csv:1: two columns are called 'label'"),
        (b'file_name,label\n1.jpg,"a\n2.jpg,b\n', "t.csv:2: unexpected end of data"),
        (b"1.jpg,cat\n2.jpg,dog\n", r"no column names images that are there \(columns: 1.jpg, cat\)"),
        (b"file_name,label\nx.jpg,cat\n", "no column names images that are there"),
        (b"file_name,label\n", "no column names images that are there"),
        (b"file_name,bbox\n1.jpg,1 2 3 4\n", r"holds boxes or shapes \(bbox\)"),
        (b"file_name,Xmin,Ymin,Xmax,Ymax\n1.jpg,1,2,3,4\n", "holds boxes or shapes"),
        (b"file_name,label\n1.jpg,a\n1.jpg,b\n", "t.csv:3: 1.jpg comes again with other labels"),
    ],
)
def test_broken_tables_are_refused(tmp_path, text, message):
    with pytest.raises(InputError, match=message):
        read(tmp_path, text, table="t.csv")


def test_a_repeated_row_is_a_warning(tmp_path):
    dataset = read(tmp_path, "file_name,label\n1.jpg,a\n2.jpg,b\n./1.jpg,a\n")
    assert flaws(dataset.warnings) == [("repeated-row", "1.jpg")]
    assert len(dataset.samples) == 2


def test_a_column_without_a_name_is_a_value(tmp_path):
    text = ",file_name,label\n0,1.jpg,a\n1,2.jpg,b\n"
    dataset = read(tmp_path, text)
    assert dataset.samples[1] == Sample("2.jpg", Annotations({"b": 1.0}, {"": 1}))
    assert write(dataset)[1] == text


@pytest.mark.parametrize(
    "line",
    [
        '{"file_name": "2.jpg"',
        "[1]",
        '"2.jpg"',
        '{"file_name": "2.jpg", "v": NaN}',
        '{"file_name": "2.jpg", "v": 1e999}',
        '{"file_name": "2.jpg", "v": ' + "9" * 1_000_000 + "}",
        '{"file_name": "2.jpg", "v": ' + "[" * 100_000 + "]" * 100_000 + "}",
        '{"file_name": "2.jpg", "v": ' + "[" * 150 + "]" * 150 + "}",
        '{"file_name": "2.jpg", "v": "\\ud800"}',
        '{"file_name": "2.jpg", "labels": [["a"]]}',
        '{"file_name": "2.jpg", "labels": {"a": "much"}}',
        '{"file_name": "2.jpg", "labels": {"a": -1}}',
        '{"file_name": "2.jpg", "split": {}}',
        '{"file_name": {"path": "2.jpg"}}',
        '{"label": "x"}',
    ],
)
def test_one_bad_line_fails_alone(tmp_path, line):
    if "9999" in line and not hasattr(sys, "set_int_max_str_digits"):
        pytest.skip("this Python reads integers of any length")
    good = '{"file_name": "1.jpg", "labels": "x", "split": "train"}\n'
    dataset = read(tmp_path, good + line + "\n", name="t.jsonl")
    assert labels(dataset) == {"1.jpg": {"x": 1.0}}
    assert len(dataset.failed) == 1
    assert dataset.failed[0].message.startswith("t.jsonl:2: ")
    assert len(dataset.failed[0].message) < 300


def test_which_table(tmp_path):
    images = ["1.jpg", "a/2.jpg"]
    plant(tmp_path, "file,label\n1.jpg,x\n", images, "a.csv")
    plant(tmp_path, "file,label\n2.jpg,y\n", images, "a/b.csv")
    plant(tmp_path, "file,label\n2.jpg,z\n", images, "a/b/deep.csv")
    root = plant(tmp_path, "loss\n3\n", images, "log.csv")
    with pytest.raises(InputError, match=r"several tables fit\n  a.csv \(.*\)\n  a/b.csv \(") as caught:
        TABLE.read(root, ReadOptions())
    assert caught.value.hint == "choose one with `--table NAME`"
    for name, expected in [("a.csv", "x"), ("./a/b.csv", "y"), ("a/b/deep.csv", "z")]:
        assert TABLE.read(root, ReadOptions(table=name)).classes == (expected,)
    for name in ("none.csv", "../a.csv", "1.jpg", "manifest.jsonl"):
        with pytest.raises(InputError, match="there is no table"):
            TABLE.read(root, ReadOptions(table=name))
    assert TABLE.read(root, ReadOptions(table="a.csv")).ignored == {".csv": 3}


def test_no_table(tmp_path):
    with pytest.raises(InputError, match=r"no .csv, .tsv or .jsonl table"):
        TABLE.read(plant(tmp_path, "x", ["1.jpg"], "t.txt"), ReadOptions())
    with pytest.raises(InputError, match=r"no table with one row an image\n  t.csv: no column names images"):
        read(tmp_path, "a,b\n1,2\n")


def test_a_dataset_of_another_format_becomes_labels_csv():
    samples = (
        Sample("cat/1.jpg", Annotations({"cat": 1.0}, {"age": 1.5, "ok": True}), "train"),
        Sample("dog/2, 3.jpg", Annotations({"dog": 1.0}, {"note": 'a "b"'}), None),
    )
    dataset = Dataset("r", "folder", samples, ("cat", "dog"))
    TABLE.check(dataset, mixes=True)
    expected = 'file_name,label,split,age,ok,note\ncat/1.jpg,cat,train,1.5,true,\n"dog/2, 3.jpg",dog,,,,"a ""b"""\n'
    assert write(dataset) == ("labels.csv", expected)
    several = [
        {**row, "labels": {**row["labels"], "pet": 1.0}, "label": None, "values": {}} for row in rows_of(dataset)
    ]
    assert write(dataset, several)[1].splitlines()[:2] == [
        "file_name,labels,split,age,ok,note",
        "cat/1.jpg,cat|pet,train,,,",
    ]


@pytest.mark.parametrize(
    ("annotations", "mixes", "message"),
    [
        (Annotations({"a|b": 1.0}), True, r"class 'a\|b' cannot stand in a list"),
        (Annotations({"a|b": 1.0, "c": 1.0}), False, r"class 'a\|b' cannot stand in a list"),
        (Annotations({" a": 1.0}), False, "class ' a' begins or ends with a space"),
        (Annotations({"a": 1.0}, {"label": 3}), False, "a value is called 'label'"),
    ],
)
def test_what_a_new_table_cannot_hold_is_refused(annotations, mixes, message):
    dataset = Dataset("r", "folder", (Sample("1.jpg", annotations),), tuple(annotations.labels))
    with pytest.raises(InputError, match=message):
        TABLE.check(dataset, mixes)


def test_a_class_with_the_separator_is_fine_alone():
    TABLE.check(Dataset("r", "folder", (Sample("1.jpg", Annotations({"a|b": 1.0})),), ("a|b",)), mixes=False)


def test_rows_are_streamed(tmp_path):
    dataset = read(tmp_path, "file_name,label\n1.jpg,a\n2.jpg,b\n")
    row = rows_of(dataset)[0]
    taken = []

    class Rows:
        def __iter__(self):
            for number in range(1000):
                taken.append(number)
                yield row

    ((_, text),) = list(TABLE.write(Rows(), dataset))
    assert len(taken) == 1000  # once through, to know the columns
    lines = iter(text)
    assert [next(lines), next(lines)] == ["file_name,label\n", "1.jpg,a\n"]
    assert len(taken) < 1010


IMAGES = ["1.jpg", "b/2, 3.jpg", 'c "4".jpg', "d\n5.jpg", "ü/6.jpg"]
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8) | st.sampled_from(
    ["1.50", "7", "", " ", "a|b", "a:0.5", "x;y", "p,q", '"', "\r", "\n", "\ufeff", "1e5", "[]", "{}"]
)


@pytest.fixture(scope="module")
def folder():
    with tempfile.TemporaryDirectory() as root:
        for image in IMAGES:
            os.makedirs(os.path.dirname(os.path.join(root, image)), exist_ok=True)
            with open(os.path.join(root, image), "wb"):
                pass
        yield root


def same_again(root, name):
    first = TABLE.read(root, ReadOptions(table=name))
    out = write(first)[1]
    with open(os.path.join(root, name), "w", encoding="utf-8", newline="") as file:
        file.write(out)
    again = TABLE.read(root, ReadOptions(table=name))
    assert again.samples == first.samples
    assert again.classes == first.classes
    assert again.failed == first.failed == ()
    assert write(again)[1] == out
    return first, out


@settings(max_examples=150, deadline=None)
@given(st.data(), st.sampled_from([("t.csv", ","), ("t.csv", ";"), ("t.tsv", "\t")]), st.sampled_from(["\n", "\r\n"]))
def test_any_table_is_read_as_it_was_written(folder, data, kind, newline):
    name, delimiter = kind
    header = data.draw(st.sampled_from([["label"], ["labels"], ["label", "labels"], []]))
    header = data.draw(st.permutations(["file_name", *header, "split", 'no"te', "wei\nrd", "x"]))
    table = [[image if column == "file_name" else data.draw(TEXT) for column in header] for image in IMAGES]
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter, lineterminator=newline, quoting=csv.QUOTE_ALL).writerows([header, *table])
    with open(os.path.join(folder, name), "w", encoding="utf-8", newline="") as file:
        file.write(text.getvalue())
    _, out = same_again(folder, name)
    cells = list(csv.reader(io.StringIO(out, newline=""), delimiter=delimiter))
    assert cells == [header, *table]
    os.remove(os.path.join(folder, name))


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)
LABELS = (
    st.none() | TEXT | st.lists(TEXT, max_size=3) | st.dictionaries(TEXT, st.floats(0, 1), max_size=3) | st.integers()
)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_jsonl_is_read_as_it_was_written(folder, data):
    kinds = {"label": LABELS, "labels": LABELS, "split": st.none() | TEXT, "a": JSON, "é": JSON}
    lines = [{"file_name": image, **data.draw(st.fixed_dictionaries({}, optional=kinds))} for image in IMAGES]
    with open(os.path.join(folder, "t.jsonl"), "w", encoding="utf-8", newline="") as file:
        file.write("".join(json.dumps(line) + "\n" for line in lines))
    _, out = same_again(folder, "t.jsonl")
    assert out == "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    os.remove(os.path.join(folder, "t.jsonl"))
