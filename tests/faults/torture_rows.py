"""Label files and lines that tell of one image each, and are hostile; the images beside them are made.

A `frame` makes a dataset of them: image `hN.png` has the N-th. Outcomes are the codes of failed images, by name, and of
warnings, counted.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import wild_data
from torture import RUN, Case, Content
from torture_documents import DIGITS, documents, texts
from wild_data import labelme_json, voc_object, voc_xml

PIXELS = wild_data.png()
NAMES = (  # classes, as they should not be called
    "../../evil", "/etc/passwd", "C:\\evil", "\\\\server\\share", "a\nb", "a\tb", "a\x01b", " ", "..", ".", "-rf", "con",
    "<script>alert(1)</script>", "'; DROP TABLE labels; --", "$(touch pwned)", "%s%n{0}", "\u202eevil", "e\u0301", "é",
    "🦊" * 50, "n" * 100_000, "a,b", 'a"b', "a|b:0.5", "=cmd|' /C calc'!A0", "__proto__", "null", "NaN", "1e999",
)  # fmt: skip
VALUES: Sequence[str] = (  # JSON that is not what stands in its place
    "null", "true", "-1", "1e308", "1e999", "NaN", "-Infinity", '"x"', '""', "[]", "{}", "[[[[]]]]", '[{"a": null}]',
    "[null, null, null, null]", '["1", "2", "3", "4"]', "[1e308, 1e308, 1e308, 1e308]", "[1, 2, 3]", "9" * 4000,
    f"[{'9' * 400}, 1, 1, 1]", '"\\ud800"', '"../../etc/passwd"', '"/dev/zero"', '"a\\u0000b"', "[" * 90 + "]" * 90,
    "[" * 300 + "]" * 300, f'"{"x" * 100_000}"', "[-1, -1, -1, -1]", "[NaN, NaN, NaN, NaN]", "0.1", "[[1, 2], [3]]",
)  # fmt: skip


def batch(
    form: str, name: str, files: Mapping[str, Any], labels: Sequence[str | bytes], place: str, workers: int = 0
) -> Case:
    """`files`: two good images and their labels. Each of `labels` lies at `place`, as the label file of an image {n}
    of its own; "a.png" in it becomes that one's name."""
    folder = next(path for path in files if path.endswith(".png")).rpartition("/")[0]
    planted: dict[str, Content] = {f"in/{path}": content for path, content in files.items()}
    for number, text in enumerate(labels):
        planted[f"in/{folder}/h{number}.png" if folder else f"in/h{number}.png"] = PIXELS
        planted[f"in/{place.format(n=number)}"] = (
            text.replace("a.png", f"h{number}.png") if isinstance(text, str) else text
        )
    words = (*RUN, "--from", form)
    return Case(f"{form}: {name}", planted, words=words, workers=workers, holds=len(labels))


def _voc() -> Iterator[Case]:
    good = wild_data.voc(wild_data.BOX_XML)
    good["Annotations/a.xml"] = wild_data.B_XML
    place = "Annotations/h{n}.xml"
    whole = [text for _, text in documents(voc_xml(wild_data.BOX_XML), "annotation")]
    yield batch("voc", "documents", good, whole, place, 1)
    named = [voc_xml(voc_object(name, (5, 5, 15, 13))) for name in NAMES if "\x01" not in name]
    yield batch("voc", "class names", good, named, place)
    sides = ("NaN", "inf", "-1e308", "1e999", "", "x", "0x10", "1_0", "٣", "9" * 4000, DIGITS, "1 2", "<a/>", "\n5\n")
    body = voc_object("cat", (5, 5, 15, 13))
    numbers = [voc_xml(body.replace("<xmax>15</xmax>", f"<xmax>{side}</xmax>")) for side in sides]
    yield batch("voc", "numbers", good, numbers, place)
    odd = [
        *(voc_xml(body, name) for name in ("../../a.png", "/etc/passwd", "x" * 100_000, "", "a\nb", "nul&#9;")),
        voc_xml(body).replace("<width>40</width>", "<width>-1</width>"),
        voc_xml(body).replace("<width>40</width>", f"<width>{DIGITS}</width>"),
        voc_xml(body).replace("<depth>3</depth>", f"<depth>{'9' * 4000}</depth>"),
        voc_xml(body + "<part/>" * 1000),
        voc_xml(
            body.replace("</object>", voc_object("head", (1, 1, 2, 2)).replace("object", "part") * 999 + "</object>")
        ),
        voc_xml("<object>" * 150 + "</object>" * 150),
        voc_xml(body + "".join(f"<x{n}/>" for n in range(10_000))),
        voc_xml(
            body.replace("<bndbox>", "<attributes><attribute><name>__class__</name></attribute></attributes><bndbox>")
        ),
    ]
    yield batch("voc", "the rest", good, odd, place)
    for number, one in enumerate((voc_xml("<object/>" * 1_000_000), voc_xml(body * 2_000))):
        yield batch("voc", f"large {number}", good, [one], place)


def _labelme() -> Iterator[Case]:
    good: dict[str, Any] = {**wild_data.labelme(wild_data.BOX_JSON)}
    yield batch(
        "labelme", "documents", good, [t for n, t in texts(wild_data.BOX_JSON) if "50 MB" not in n], "h{n}.json"
    )
    yield batch(
        "labelme", "large documents", good, [t for n, t in texts(wild_data.BOX_JSON) if "50 MB" in n], "h{n}.json"
    )
    shape = {"label": "cat", "points": [[5, 5], [15, 13]], "shape_type": "rectangle", "flags": {}, "group_id": None}
    named = [labelme_json([{**shape, "label": name}]) for name in NAMES]
    yield batch("labelme", "class names", good, named, "h{n}.json")
    for field in ("label", "points", "shape_type", "flags", "group_id", "mask", "other"):
        texted = [labelme_json([{**shape, field: "@"}]).replace('"@"', value) for value in VALUES]
        yield batch("labelme", f"values of {field}", good, texted, "h{n}.json")
    for field in ("shapes", "imagePath", "imageHeight", "imageData", "version", "flags", "other"):
        document = json.loads(labelme_json([shape]))
        texted = [json.dumps({**document, field: "@"}).replace('"@"', value) for value in VALUES]
        yield batch("labelme", f"{field}", good, texted, "h{n}.json")
    png = wild_data.png_text(wild_data.mask())
    bomb = wild_data.png_text(_bomb())
    odd = [
        labelme_json([{**shape, "shape_type": "mask", "mask": png, "points": [[-1e9, -1e9], [1e9, 1e9]]}]),
        labelme_json([{**shape, "shape_type": "mask", "mask": bomb}]),
        labelme_json([{**shape, "shape_type": "mask", "mask": png}] * 500, imageWidth=17_000, imageHeight=17_000),
        labelme_json([{**shape, "shape_type": "mask", "mask": "!" * 1_000_000}]),
        labelme_json([{**shape, "shape_type": "polygon", "points": [[n % 40, n % 30] for n in range(400_000)]}]),
        labelme_json([{**shape, "shape_type": "circle", "points": [[0, 0], [1e308, 1e308]]}]),
        labelme_json([{**shape, "shape_type": "linestrip", "points": [[n % 40, n % 30] for n in range(100_000)]}]),
        labelme_json([{}] * 300_000),
        labelme_json([{**shape}] * 3_000),
    ]
    for number, one in enumerate(odd):
        yield batch("labelme", f"the rest {number}", good, [one], "h{n}.json")


def _bomb() -> bytes:
    from torture_images import png

    return png(width=30_000, height=30_000, depth=1, colour=0)


def _lines(good: str) -> list[str | bytes]:
    """Text where numbers should stand, `good` being a line with one label."""
    words = good.split()
    wrong = (
        "NaN",
        "inf",
        "-inf",
        "1e999",
        "-1e308",
        "x",
        "0x10",
        "1_0",
        "٣",
        "9" * 5000,
        DIGITS,
        "1,5",
        "--",
        "1e-999",
    )
    found: list[str | bytes] = [" ".join([*words[:1], word, *words[2:]]) for word in wrong]
    found += [" ".join([word, *words[1:]]) for word in wrong]
    found += [" ".join(words[:3]), good * 5, good + " 1" * 100_000, "\0" * 1000, good + "\0", "x" * 1_000_000]
    found += [good.encode("utf-16"), b"\xff\xfe\xfd", "\ufeff" + good, good.replace(" ", "\u3000"), good + "\r" + good]
    found += ["\n" * 1_000_000, "#" * 1_000_000, "0 " * 1_000_000, f"{good}\n" * 3_000, PIXELS, "<html>", "{}"]
    return found


def _yolo() -> Iterator[Case]:
    good = {**wild_data.yolo("0 0.3 0.3 0.2 0.2\n")}
    yield batch("yolo", "lines", good, _lines("0 0.25 0.3 0.25 0.25"), "labels/h{n}.txt")
    ring = " ".join(f"{n % 40 / 40} {n % 30 / 30}" for n in range(400_000))
    for number, one in enumerate([f"0 {ring}", "x" * 50_000_000, "0 .5 .5 .1 .1\n" * 10_000]):
        yield batch("yolo", f"large {number}", good, [one], "labels/h{n}.txt")


def _dota() -> Iterator[Case]:
    good = {**wild_data.dota("4 4 14 4 14 12 4 12 cat 0\n")}
    yield batch("dota", "lines", good, _lines("5 5 15 5 15 13 5 13 cat 0"), "labelTxt/h{n}.txt")
    large = ["x" * 50_000_000, "5 5 15 5 15 13 5 13 cat 0\n" * 3_000, "y\n" * 1_000_000]
    for number, one in enumerate(large):
        yield batch("dota", f"large {number}", good, [one], "labelTxt/h{n}.txt")


CASES: Sequence[Case] = (*_voc(), *_labelme(), *_yolo(), *_dota())
