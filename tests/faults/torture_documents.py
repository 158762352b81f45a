"""Label files that tell of a whole dataset, and are hostile as a whole: refused by name, with where, or read."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import wild_data
from torture import RUN, Case, Content

DEEP = 1_000_000
LONG = 50_000_000
DIGITS = "9" * 1_000_000


def case(form: str, name: str, files: Mapping[str, Any], words: Sequence[str] = ()) -> Case:
    planted = {f"in/{path}": text for path, text in files.items()}
    return Case(f"{form}: {name}", planted, words=(*RUN, "--from", form, *words))


def with_text(files: Mapping[str, Any], text: str | bytes) -> dict[str, Content]:
    """A dataset with another text in its label file."""
    (label,) = [name for name in files if name.endswith((".json", ".xml", ".jsonl", ".csv"))]
    return {**files, label: text}


def texts(good: str) -> Iterator[tuple[str, str | bytes]]:
    """What no JSON can be, or only just."""
    yield "10^6 lists deep", "[" * DEEP
    yield "10^6 lists deep, closed", "[" * DEEP + "]" * DEEP
    yield "10^6 objects deep", '{"a":' * DEEP + "1" + "}" * DEEP
    yield "a number of 10^6 digits", DIGITS
    yield "a list of a number of 10^6 digits", f"[{DIGITS}]"
    yield "a text of 50 MB", '"' + "x" * LONG + '"'
    yield "a list of a text of 50 MB", '["' + "x" * LONG + '"]'
    yield "spaces of 50 MB", " " * LONG
    yield "a text without end", '{"images": "' + "x" * 1_000_000
    yield "a key of 10 MB", '{"' + "k" * 10_000_000 + '": 1}'
    yield "the same key twice", '{"images": [], "images": [], "annotations": []}'
    yield "the same key 10^6 times", "{" + ",".join(['"a":1'] * DEEP) + "}"
    yield "NaN", "NaN"
    yield "a minus", "-"
    yield "empty", ""
    yield "null", "null"
    yield "true", "true"
    yield "a number", "3"
    yield "a text", '"images"'
    yield "an empty list", "[]"
    yield "an empty object", "{}"
    yield "cut", good[: len(good) // 2]
    yield "with something behind", good + "{}"
    yield "in single quotes", good.replace('"', "'")
    yield "with a comment", "// comment\n" + good
    yield "UTF-16", good.encode("utf-16")
    yield "UTF-32", good.encode("utf-32")
    yield "Latin-1", good.replace("cat", "\xe9").encode("latin-1")
    yield "NUL bytes", bytes(1000)
    yield "NUL bytes behind", good.encode() + bytes(1000)
    yield "two marks of UTF-8", b"\xef\xbb\xbf\xef\xbb\xbf" + good.encode()
    yield "a picture", wild_data.png()
    yield "a web page", "<!doctype html><html><title>404</title></html>"


def _coco() -> Iterator[Case]:
    files = wild_data.coco([wild_data.COCO_BOX])
    good = wild_data.coco_json([wild_data.COCO_BOX])
    for name, text in texts(good):
        yield case("coco", name, with_text(files, text), ("--labels", "annotations.json"))
    many = ",".join(["{}"] * DEEP)
    members: Mapping[str, str] = {
        "info 10^6 deep": '"info": ' + "[" * DEEP + "]" * DEEP,
        "info of 50 MB": f'"info": "{"x" * LONG}"',
        "info of 10^6 digits": f'"info": {DIGITS}',
        "info of 1e999999": '"info": 1e999999',
        "10^6 empty annotations": f'"annotations": [{many}]',
        "10^6 empty images": f'"images": [{many}]',
        "10^6 empty categories": f'"categories": [{many}]',
        "10^6 nulls": f'"annotations": [{",".join(["null"] * DEEP)}]',
        "10^6 lists": f'"annotations": [{",".join(["[]"] * DEEP)}]',
        "200,000 annotations of no image": '"annotations": [{"image_id":1,"category_id":1,"bbox":[5,5,9,9]}'
        + ',{"image_id":3,"category_id":1,"bbox":[5,5,9,9]}' * (DEEP // 5) + "]",
        "an annotation of 50 MB": f'"annotations": [{{"image_id": 1, "x": "{"x" * LONG}"}}]',
        "10^5 members": ",".join(f'"k{n}": 1' for n in range(100_000)),
        "images an object": '"images": {"a": 1}',
        "annotations a number": '"annotations": 3',
        "annotations a text": '"annotations": "none"',
        "images deep": '"images": [' + "[" * DEEP + "]" * DEEP + "]",
        "a category with a name of 10^5 letters": f'"categories": [{{"id": 1, "name": "{"c" * 100_000}"}}]',
        "10^5 categories": '"categories": [' + ",".join(f'{{"id": {n}, "name": "c{n}"}}' for n in range(100_000)) + "]",
    }  # fmt: skip
    document = json.loads(good)
    for name, text in members.items():
        rest = {key: value for key, value in document.items() if f'"{key}"' not in text[:20]}
        yield case("coco", name, with_text(files, json.dumps(rest)[:-1] + f", {text}}}"))


def _createml() -> Iterator[Case]:
    files = wild_data.createml([wild_data.ML_BOX])
    good = str(files["_annotations.createml.json"])
    label = "_annotations.createml.json"
    for name, text in texts(good):
        yield case("createml", name, with_text(files, text), ("--labels", label))
    lists: Mapping[str, str] = {
        "10^6 empty images": ",".join(["{}"] * DEEP),
        "10^6 nulls": ",".join(["null"] * DEEP),
        "an image deep": "[" * DEEP + "]" * DEEP,
        "200,000 images that are not there": ",".join(f'{{"image":"n{n}.png","annotations":[]}}' for n in range(200_000)),
        "10^6 boxes": '{"image":"a.png","annotations":[' + ",".join(["{}"] * DEEP) + "]}",
        "10^4 good boxes": '{"image":"a.png","annotations":['
        + ",".join(['{"label":"c","coordinates":{"x":9,"y":9,"width":5,"height":5}}'] * 10_000) + "]}",
    }  # fmt: skip
    for name, text in lists.items():
        yield case("createml", name, with_text(files, f"{good[:-1]}, {text}]"))


def _cvat() -> Iterator[Case]:
    files = wild_data.cvat(wild_data.CVAT_BOX)
    good = wild_data.cvat_xml(wild_data.CVAT_BOX)
    for name, text in documents(good, "annotations"):
        seen = "<!-- <annotations <meta -->"  # by who glances at the head of the file
        marked = text if isinstance(text, bytes) or text.startswith("<?xml") else seen + text
        yield case("cvat", name, with_text(files, marked))
    more: Mapping[str, str] = {
        "10^6 empty images": "<image/>" * DEEP,
        "200,000 images that are not there": "".join(f'<image name="n{n}"/>' for n in range(200_000)),
        "10^6 empty shapes": f'<image name="a.png">{"<box/>" * DEEP}</image>',
        "10^6 tags": f'<image name="a.png">{"<tag/>" * DEEP}</image>',
        "10^6 other elements": "<x/>" * DEEP,
        "an attribute of 50 MB": f'<image name="{"x" * LONG}"/>',
        "text of 50 MB": "x" * LONG,
        "10^6 attributes": "<image " + " ".join(f'a{n}=""' for n in range(DEEP)) + "/>",
        "masks of 17,000 x 17,000": '<image name="a.png" width="17000" height="17000">'
        + '<mask label="cat" rle="0,289000000" left="0" top="0" width="17000" height="17000"/>' * 100
        + "</image>",
        "masks of one pixel in 17,000 x 17,000": '<image name="c.png" width="17000" height="17000">'
        + '<mask label="cat" rle="0,1" left="16999" top="16999" width="1" height="1"/>' * 500
        + "</image>",
        "a skeleton of 10^5 points": '<image name="c.png" width="40" height="30"><skeleton label="s">'
        + "".join(f'<points label="p{n}" points="1,1"/>' for n in range(100_000))
        + "</skeleton></image>",
    }
    for name, text in more.items():
        yield case("cvat", name, with_text(files, good.replace("</annotations>", text + "</annotations>")))


def documents(good: str, root: str) -> Iterator[tuple[str, str | bytes]]:
    """What no XML can be, or should be."""
    body = good.partition("?>")[2] if "?>" in good else good
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
    yield "a billion laughs", f'<!DOCTYPE x [<!ENTITY l0 "ha">{laughs}]><{root}>&l11;</{root}>'
    yield "a quadratic blowup", f'<!DOCTYPE x [<!ENTITY l "{"x" * 100_000}">]><{root}>{"&l;" * 10_000}</{root}>'
    for place in ("file:///etc/passwd", "http://example.org/x", "/dev/zero"):
        yield f"an entity of {place}", f'<!DOCTYPE x [<!ENTITY e SYSTEM "{place}">]><{root}>&e;</{root}>'
    yield "an entity of parameters", f'<!DOCTYPE x [<!ENTITY % e SYSTEM "file:///etc/passwd"> %e;]><{root}/>'
    yield "a DTD elsewhere", f'<!DOCTYPE {root} SYSTEM "http://example.org/x.dtd">{body}'
    yield "a DTD without an end", f"<!DOCTYPE {root} [" + "<!ELEMENT a ANY>" * 10_000
    yield "an unknown entity", f"<{root}>&unknown;</{root}>"
    yield "10^6 elements deep", f"<{root}>" + "<a>" * DEEP
    yield "10^6 elements deep, closed", f"<{root}>" + "<a>" * DEEP + "</a>" * DEEP + f"</{root}>"
    yield "cut", good[: len(good) // 2]
    yield "two roots", body + body
    yield "empty", ""
    yield "NUL bytes", bytes(1000)
    yield "no XML", "just words"
    yield "JSON", "{}"
    yield "spaces of 50 MB", " " * LONG
    yield "a comment of 50 MB", f"<!-- {'x' * LONG}"
    yield "an instruction of 50 MB", f"<?x {'x' * LONG}"
    yield "CDATA of 50 MB", f"<{root}><![CDATA[{'x' * LONG}"
    yield "an unknown encoding", '<?xml version="1.0" encoding="evil"?>' + body
    yield "an encoding that is no text", '<?xml version="1.0" encoding="zlib_codec"?>' + body
    yield "another encoding than it says", b'<?xml version="1.0" encoding="utf-16"?>' + body.encode()
    yield "a sign that XML has not", f"<{root}>&#0;&#x1F;</{root}>"
    yield "a half sign", f"<{root}>&#xD800;</{root}>"
    yield "another root", f"<evil>{body}</evil>"
    yield "attributes twice", f'<{root} a="1" a="2"/>'


CASES: Sequence[Case] = (*_coco(), *_createml(), *_cvat())
