"""Which format a folder is in."""

import os
import subprocess
import sys

import pytest

from augx import formats
from augx.errors import InputError


def plant(root, files):
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return str(root)


def images(*names):
    return dict.fromkeys(names, "x")


CLASSES = images("cat/1.jpg", "cat/2.jpg", "dog/1.jpg")


@pytest.mark.parametrize(
    ("files", "name", "reason"),
    [
        (CLASSES, "folder", "class folders cat, dog"),
        ({**CLASSES, "notes.txt": "hello"}, "folder", "class folders cat, dog"),
        (images("train/cat/1.jpg", "val/cat/1.jpg"), "folder", "splits train, val, class folders cat"),
        (images("1.jpg", "2.jpg"), "folder", "images without class folders"),
        (images("images/1.jpg"), "folder", "images without class folders"),
        (images(*(f"{c}/1.jpg" for c in "abcdefg")), "folder", "class folders a, b, c, d, e and 2 more"),
        ({**CLASSES, "results.csv": "epoch,loss\n1,0.5\n"}, "folder", "class folders cat, dog"),
        ({**CLASSES, "results.csv": "name,acc\nresnet,0.5\n"}, "folder", "class folders cat, dog"),
        (
            {**images("images/1.jpg"), "l.csv": "file_name,tags\n1.jpg,a b\n"},
            "table",
            "l.csv (images: file_name, labels: tags)",
        ),
        ({**images("1.jpg"), "l.csv": "image_id,weight\n1,3.5\n"}, "table", "l.csv (images: image_id, values only)"),
        (
            {**images("train/1.jpg"), "train/metadata.jsonl": '{"file_name": "1.jpg", "label": 3}\n'},
            "hf",
            "train/metadata.jsonl (file_name, label)",
        ),
        (
            {**images("t/1.jpg"), "t/metadata.jsonl": '{"file_name": "1.jpg", "objects": {"bbox": []}}\n'},
            "hf",
            "t/metadata.jsonl (file_name, objects)",
        ),
        (
            {**images("1.jpg"), "metadata.jsonl": '{"file": "1.jpg", "label": "a"}\n'},
            "table",
            "metadata.jsonl (images: file, labels: label)",
        ),
        (
            {**CLASSES, "l.csv": "path,label,age\ncat/1.jpg,cat,3\ndog/1.jpg,dog,4\n"},
            "table",
            "l.csv (images: path, labels: label)",
        ),
        (
            {**images("1.jpg"), "a.csv": "file,label\n1.jpg,a\n", "b.csv": "file,label\n1.jpg,b\n"},
            "table",
            "a.csv (images: file, labels: label); b.csv (images: file, labels: label)",
        ),
        (
            {**CLASSES, "manifest.jsonl": '{"file_name": "cat/1.jpg", "label": "x"}\n'},
            "folder",
            "class folders cat, dog",
        ),
    ],
)
def test_detected(tmp_path, files, name, reason):
    root = plant(tmp_path, files)
    found = formats.detect(root)
    assert (found.name, found.detect(root)) == (name, reason)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({**CLASSES, "l.csv": "path,label\ncat/1.jpg,dog\n"}, "cat/1.jpg lies in 'cat', l.csv says dog"),
        ({**CLASSES, "l.csv": "path,age\ncat/1.jpg,7\n"}, "cat/1.jpg lies in 'cat', l.csv has no classes"),
        ({**images("JPEGImages/1.jpg"), "Annotations/1.xml": "<a/>"}, "the folder Annotations looks like labels"),
        ({**images("1.jpg"), "1.json": "{}"}, "1.json looks like labels"),
        ({**images("train/x/1.jpg"), "train/x/1.xml": "<a/>"}, "1.xml looks like labels"),
        ({**images("1.jpg"), "_annotations.coco.json": "{}"}, "_annotations.coco.json looks like labels"),
        ({**images("1.jpg"), "one.csv": "filename,label\n1.jpg,a\n1.jpg,b\n"}, "one.csv looks like labels"),
        (
            {**images("JPEGImages/1.jpg"), "Annotations/1.xml": "<a/>", "n.csv": "file_name,count\n1.jpg,2\n"},
            "n.csv has no classes, but the folder Annotations looks like labels",
        ),
        ({"a.txt": "x"}, "no images found"),
        ({}, "no images found"),
    ],
)
def test_undecided(tmp_path, files, message):
    with pytest.raises(InputError) as caught:
        formats.detect(plant(tmp_path, files))
    assert message in caught.value.message
    assert "--from" in caught.value.hint or "looked for" in caught.value.hint


VOC = {
    **images("JPEGImages/1.jpg"),
    "Annotations/1.xml": "<annotation><filename>1.jpg</filename>"
    "<object><name>a</name><bndbox><xmin>1</xmin><ymin>1</ymin>"
    "<xmax>2</xmax><ymax>2</ymax></bndbox></object></annotation>",
}


@pytest.mark.parametrize(
    ("files", "name"),
    [
        ({**images("images/1.jpg"), "labels/1.txt": "0 0.5 0.5 1 1"}, "yolo"),
        (images("train/1.png", "trainannot/1.png"), "masks"),
        ({**images("1.jpg"), "boxes.csv": "filename,label,xmin,xmax,ymin,ymax\n1.jpg,a,1,2,3,4\n"}, "openimages"),
        (VOC, "voc"),
        ({**VOC, "boxes.csv": "filename,label,xmin,xmax,ymin,ymax\n1.jpg,a,1,2,3,4\n"}, "voc"),
    ],
)
def test_layouts_made_for_labels(tmp_path, files, name):
    assert formats.detect(plant(tmp_path, files)).name == name


def test_a_table_beside_a_layout_is_not_read_and_named(tmp_path):
    table = "filename,label,xmin,xmax,ymin,ymax\n1.jpg,a,1,2,3,4\n"
    root = plant(tmp_path, {**VOC, "boxes.csv": table})
    (flaw,) = formats.unused(root, formats.detect(root))
    assert flaw.code == "unused-labels"
    assert "boxes.csv" in flaw.message and "--from openimages" in flaw.message


def test_what_is_wanted_is_taken(tmp_path):
    root = plant(tmp_path, {**images("images/1.jpg"), "labels/1.txt": ""})
    assert formats.detect(root, "folder").name == "folder"
    assert formats.detect(root, "table").name == "table"


def test_unknown_formats_and_roots(tmp_path):
    with pytest.raises(InputError, match="no format 'tabel'") as caught:
        formats.detect(str(tmp_path), "tabel")
    assert caught.value.hint == f"did you mean table? augx reads: {', '.join(formats.FORMATS)}"
    with pytest.raises(InputError, match="no such folder"):
        formats.detect(str(tmp_path / "gone"))
    with pytest.raises(InputError, match="no such folder"):
        formats.detect(str(tmp_path / "gone"), "folder")


class Labels:
    """A format that fits everything."""

    def detect(self, root):
        return "labels everywhere"


class Unsure:
    def detect(self, root):
        raise InputError("could be mine", "say so")


def test_several_formats_are_listed_with_their_reasons(tmp_path, monkeypatch):
    entry = formats.Entry(f"{__name__}:Labels", "")
    monkeypatch.setattr(formats, "FORMATS", {**formats.FORMATS, "one": entry, "two": entry})
    with pytest.raises(InputError) as caught:
        formats.detect(plant(tmp_path, CLASSES))
    assert caught.value.message.endswith(
        "more than one format fits\n  --from one: labels everywhere\n  --from two: labels everywhere"
    )
    assert caught.value.hint == "choose one with `--from NAME`"


def test_folders_yield_to_label_files(tmp_path, monkeypatch):
    monkeypatch.setattr(formats, "FORMATS", {**formats.FORMATS, "one": formats.Entry(f"{__name__}:Labels", "")})
    assert isinstance(formats.detect(plant(tmp_path, CLASSES)), Labels)


def test_an_unsure_format_is_one_of_several(tmp_path, monkeypatch):
    one, two = formats.Entry(f"{__name__}:Labels", ""), formats.Entry(f"{__name__}:Unsure", "")
    monkeypatch.setattr(formats, "FORMATS", {**formats.FORMATS, "one": one, "two": two})
    with pytest.raises(InputError, match="--from two: could be mine"):
        formats.detect(plant(tmp_path, CLASSES))
    monkeypatch.setattr(formats, "FORMATS", {"folder": formats.FORMATS["folder"], "two": two})
    with pytest.raises(InputError) as caught:
        formats.detect(str(tmp_path))
    assert (caught.value.message, caught.value.hint) == ("could be mine", "say so")


def test_every_entry_is_the_format_it_says():
    for name, entry in formats.FORMATS.items():
        loaded = formats.load(name)
        assert (loaded.name, loaded.summary) == (name, entry.summary)


def test_nothing_heavy_is_imported():
    code = (
        "import sys, augx.formats\n"
        "early = [m for m in sys.modules if m.startswith('augx.formats.')]\n"
        "for name in augx.formats.FORMATS: augx.formats.load(name)\n"
        "print(early, [m for m in ('numpy', 'PIL', 'cv2', 'yaml') if m in sys.modules])"
    )
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=env)
    assert done.stdout.strip() == "['augx.formats.walk'] []"
