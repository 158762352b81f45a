"""Tables and lines of JSON, data.yaml and lists of classes, hostile as a whole or line by line."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import wild_data
from torture import Case
from torture_documents import DIGITS, LONG, case, texts
from torture_rows import NAMES, VALUES, batch

WORDS = (  # cells, as they should not be
    "../../evil", "/etc/passwd", "\\\\server\\share", "=1+1", "NaN", "inf", "1e999", DIGITS, "x" * 100_000, "a\tb",
    "\x01", "\u202e", "null", "[[[[", "{}", "'", "|", ";", ":", "a:1e999", "cat:nan|dog:-1", "\ufeff", "🦊", "a\rb",
)  # fmt: skip


def tables(header: str, row: str) -> Iterator[tuple[str, str | bytes]]:
    """Whole tables: what is odd, and the text. `row`: a good one, for image a; `header`: of it."""
    good = f"{header}\n{row}\n{row.replace('a.png', 'b.png')}\n"
    yield "an unterminated quote", f'{good}"a.png,' + "cat\n" * 100_000
    yield "an unterminated quote in the header", f'"{good}'
    yield "a quote in the middle", good + 'a"b"c.png' + "," * header.count(",") + "\n"
    yield "10^5 columns", header + "," + ",".join(f"c{n}" for n in range(100_000)) + f"\n{row}{',1' * 100_000}\n"
    yield "10^5 columns of one name", header + ",x" * 100_000 + f"\n{row}{',1' * 100_000}\n"
    yield "10^5 cells more", good + row + ",1" * 100_000 + "\n"
    yield "a header of 50 MB", "x" * LONG
    yield "a cell of 50 MB", good + "x" * LONG + "," * header.count(",") + "\n"
    yield "a quoted cell of 50 MB", good + '"' + "x" * LONG + '"' + "," * header.count(",") + "\n"
    yield "a line of 50 MB of quotes", good + '"' * LONG
    yield "commas of 50 MB", good + "," * LONG
    yield "10^6 empty lines", good + "\n" * 1_000_000
    yield "10^6 short lines", good + "x\n" * 1_000_000
    yield "10^6 rows without a name", good + ("," * header.count(",") + "1\n") * 1_000_000
    yield (
        "200,000 images that are not there",
        good * 200 + "".join(row.replace("a.png", f"n{n}.png") + "\n" for n in range(200_000)),
    )
    yield "10^4 rows of one image", good + f"{row}\n" * 10_000
    yield "NUL bytes", good + "\0" * 1000
    yield "UTF-16", good.encode("utf-16")
    yield "Latin-1", good.replace("cat", "\xe9").encode("latin-1")
    yield "a mark of UTF-8", b"\xef\xbb\xbf" + good.encode()
    yield "returns alone", good.replace("\n", "\r")
    yield "a picture", wild_data.png()
    yield "empty", ""
    yield "a header alone", header + "\n"
    yield "spaces of 50 MB", " " * LONG


def _csv() -> Iterator[Case]:
    for form, files, header, row in (
        ("table", wild_data.table("a.png,cat"), "file_name,label", "a.png,cat"),
        ("openimages", wild_data.openimages(), "filename,width,height,class,xmin,ymin,xmax,ymax",
         "a.png,40,30,cat,5,5,15,13"),
        ("hf", {**wild_data.images(), "metadata.csv": ""}, "file_name,label", "a.png,cat"),
    ):  # fmt: skip
        (label,) = [name for name in files if name.endswith(".csv")]
        for name, text in tables(header, row):
            yield case(form, name, {**files, label: text})


def _quoted(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"'


def _rows() -> Iterator[Case]:
    """Rows for images of their own in one table."""
    for place, header in ((0, "label"), (1, "labels"), (2, "split"), (3, "score")):
        rows = [f"h{n}.png," + ",".join(_quoted(word if at == place else "") for at in range(4)) for n, word in
                enumerate(WORDS)]  # fmt: skip
        files = {**wild_data.images(), "labels.csv": "file_name,label,labels,split,score\n"
                 + "\n".join([*rows, "a.png,cat,,train,1", "b.png,cat,,train,1"]) + "\n"}  # fmt: skip
        yield batch("table", f"cells of {header}", files, [b""] * len(WORDS), "notes/{n}.md")
    sides = ("NaN", "inf", "1e999", "x", "", "0x10", "1_0", "9" * 4000, DIGITS, "1;2", "-1e308")
    rows = [f"h{n}.png,40,30,cat,5,5,{side},13" for n, side in enumerate(sides)]
    yield batch("openimages", "cells of xmax", wild_data.openimages("a.png,40,30,cat,5,5,15,13", *rows),
                [b""] * len(sides), "notes/{n}.md")  # fmt: skip
    for field in ("file_name", "label", "labels", "objects", "width", "split", "other"):
        lines = [json.dumps({"file_name": f"h{n}.png", field: "@"}).replace('"@"', v) for n, v in enumerate(VALUES)]
        good = [json.dumps({"file_name": name, "label": "cat"}) for name in ("a.png", "b.png")]
        for form, label in (("hf", "metadata.jsonl"), ("table", "labels.jsonl")):
            files = {**wild_data.images(), label: "\n".join([*good, *lines]) + "\n"}
            yield batch(form, f"values of {field}", files, [b""] * len(VALUES), "notes/{n}.md")
    for field in ("bbox", "category", "segmentation", "keypoints", "obb", "iscrowd", "id"):
        usual: Mapping[str, Any] = {"bbox": [5, 5, 10, 8], "category": "cat"}
        objects = [json.dumps({key: [value] for key, value in {**usual, field: "@"}.items()}) for _ in VALUES]
        lines = [f'{{"file_name": "h{n}.png", "objects": {text}}}'.replace('"@"', v)
                 for n, (text, v) in enumerate(zip(objects, VALUES, strict=True))]  # fmt: skip
        files = {**wild_data.images(), "metadata.jsonl": "\n".join([wild_data.HF_ROW, wild_data.HF_B, *lines]) + "\n"}
        yield batch("hf", f"objects of {field}", files, [b""] * len(VALUES), "notes/{n}.md")


def _coco() -> Iterator[Case]:
    """Values of COCO's annotations and images, each in one of its own."""
    pictures = [{"id": n, "file_name": f"h{n}.png"} for n in range(len(VALUES))]
    for field in ("bbox", "segmentation", "keypoints", "category_id", "iscrowd", "area", "id", "image_id", "caption"):
        notes = [json.dumps({"image_id": n, "category_id": 1, "bbox": [5, 5, 10, 8], field: "@"}).replace('"@"', v)
                 for n, v in enumerate(VALUES)]  # fmt: skip
        yield _of(pictures, f"[{','.join(notes)}]", f"values of {field}")
    for field in ("id", "file_name", "width", "other"):
        listed = [json.dumps({**one, field: "@"}).replace('"@"', v) for one, v in zip(pictures, VALUES, strict=True)]
        yield _of(f"[{','.join(listed)}]", "[]", f"images: {field}")
    runs: Sequence[Any] = (
        {"size": [30, 40], "counts": [-1, 1201]}, {"size": [30, 40], "counts": [2**62, 2**62]},
        {"size": [30, 40], "counts": [10**30]}, {"size": [30, 40], "counts": [0.5, 1199.5]},
        {"size": [30, 40], "counts": [600, 600, 1]}, {"size": [30, 40], "counts": []}, {"size": [30, 40]},
        {"size": [-30, -40], "counts": [1200]}, {"size": [2**40, 2**40], "counts": "0"},
        {"size": [65535, 65535], "counts": [0, 65535 * 65535]}, {"size": [30, 40], "counts": "\x7f\xff"},
        {"size": [30, 40], "counts": "o" * 1_000_000}, {"size": [30, 40], "counts": "0" * 1_000_000},
        {"size": [30, 40], "counts": [0, 1] * 600}, {"size": [30, 40], "counts": [1] * 1_000_000},
        {"size": "x", "counts": "y"}, {"counts": [1200]}, {"size": [30, 40, 3], "counts": [1200]},
        [[n % 40 + 0.25, n % 30 + 0.25][k] for n in range(500_000) for k in (0, 1)],
        [[1, 1, 1e308, 1e308, -1e308, 5]], [[1, 2]], [[]], [[1, 1, 1, 1, 1, 1]], [[5, 5, 15, 5, 15, 13]] * 10_000,
    )  # fmt: skip
    notes = [json.dumps({"image_id": n, "category_id": 1, "segmentation": run}) for n, run in enumerate(runs)]
    yield _of(pictures, f"[{','.join(notes)}]", "masks and outlines")
    named = [{"id": n, "name": name} for n, name in enumerate(NAMES)]
    notes = [json.dumps({"image_id": n, "category_id": n, "bbox": [5, 5, 10, 8]}) for n in range(len(NAMES))]
    yield _of(pictures, f"[{','.join(notes)}]", "class names", json.dumps(named))


def _of(pictures: Any, notes: str, name: str, categories: str = '[{"id": 1, "name": "cat"}]') -> Case:
    listed = pictures if isinstance(pictures, str) else json.dumps(pictures)
    more = ', {"id": "a", "file_name": "a.png"}, {"id": "b", "file_name": "b.png"}]'
    text = f'{{"images": {listed[:-1]}{more}, "annotations": {notes}, "categories": {categories}}}'
    return batch("coco", name, {**wild_data.images(), "annotations.json": text}, [b""] * len(VALUES), "notes/{n}.md")


def _lines() -> Iterator[Case]:
    """Lines that are no JSON."""
    documents = [text for name, text in texts('{"file_name": "h.png", "label": "cat"}') if isinstance(text, str)]
    small = [text for text in documents if len(text) < 5_000_000 and "\n" not in text]
    for form, label in (("hf", "metadata.jsonl"), ("table", "labels.jsonl")):
        good = [json.dumps({"file_name": name, "label": "cat"}) for name in ("a.png", "b.png")]
        yield case(form, "lines", {**wild_data.images(), label: "\n".join([*good, *small]) + "\n"})
        for n, text in enumerate([text for text in documents if len(text) >= 5_000_000]):
            yield case(form, f"line of 50 MB {n}", {**wild_data.images(), label: "\n".join([*good, text])})
        many = "\n".join([*good, *["{}"] * 1_000_000])
        yield case(form, "10^6 empty objects", {**wild_data.images(), label: many})


def _yaml() -> Iterator[Case]:
    for name, text in (
        ("a tag", "names: !!python/object/apply:os.system ['touch pwned']\ntrain: images\n"),
        (
            "laughs",
            "names: &a [x, x]\n" + "".join(f"k{n}: &a [*a, *a, *a, *a]\n" for n in range(20)) + "train: images\n",
        ),
        ("deep", "names: [cat]\ntrain: images\nx: " + "[" * 100_000),
        ("10^6 names", "train: images\nnames: [" + "c," * 1_000_000 + "]\n"),
        ("names of a number", "names: 3\ntrain: images\n"),
        ("a name of 10^9", "names: {1000000000000: cat}\ntrain: images\n"),
        ("names with paths", f"names: {json.dumps([n for n in NAMES if n.isprintable()])}\ntrain: images\n"),
        ("train of /etc", "names: [cat]\ntrain: /etc\nval: ../..\n"),
        ("path of /etc", "path: /etc\nnames: [cat]\ntrain: images\n"),
        ("keypoints without end", "names: [cat]\ntrain: images\nkpt_shape: [1000000000, 3]\n"),
        ("UTF-16", "names: [cat]\ntrain: images\n".encode("utf-16")),
        ("a document more", "names: [cat]\ntrain: images\n---\nnames: [dog]\n"),
        ("20 MB of comments", "names: [cat]\ntrain: images\n" + "# x\n" * 5_000_000),
        ("download", "names: [cat]\ntrain: images\ndownload: |\n  import os; os.system('touch pwned')\n"),
        ("download from", "names: [cat]\ntrain: https://example.org/x.zip\ndownload: https://example.org/y.zip\n"),
    ):
        yield case("yolo", f"data.yaml: {name}", {**wild_data.yolo("0 .5 .5 .2 .2\n"), "data.yaml": text})


CASES: Sequence[Case] = (*_csv(), *_rows(), *_coco(), *_lines(), *_yaml())
