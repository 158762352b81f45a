"""What a glance at a dataset sees, and JSON from anywhere."""

from __future__ import annotations

import json
import os

import pytest

from augx.formats import heads, json_safe


def test_near_is_sorted_bounded_and_follows_no_link_to_a_folder(tmp_path):
    for name in (
        "b.xml",
        "a.XML",
        "c.xml",
        "d.xml",
        "x/1.xml",
        "x/y/2.xml",
        "x/y/z/3.xml",
        ".h/4.xml",
        "x/.5.xml",
        "e.txt",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    os.symlink(tmp_path / "x", tmp_path / "link")
    assert list(heads.near(str(tmp_path), (".xml",))) == ["a.XML", "b.xml", "c.xml", "x/1.xml", "x/y/2.xml"]
    assert list(heads.near(str(tmp_path), (".xml",), depth=0, each=1)) == ["a.XML"]
    assert list(heads.near(str(tmp_path / "gone"), (".xml",))) == []


def test_heads_and_tails(tmp_path):
    (tmp_path / "a").write_bytes(b"0123456789")
    os.mkfifo(tmp_path / "pipe")
    root = str(tmp_path)
    assert (heads.head(root, "a", 3), heads.tail(root, "a", 3), heads.tail(root, "a", 30)) == (
        b"012",
        b"789",
        b"0123456789",
    )
    assert [heads.head(root, name) + heads.tail(root, name) for name in ("gone", "pipe")] == [b"", b""]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_json_in_any_unicode(encoding):
    assert json_safe.read('{"ä": [1, NaN]}\r\n'.encode(encoding), "f")["ä"][0] == 1


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b'{"a":\n1,}', "f:2: it is no JSON"),
        (b"", "f:1: it is no JSON"),
        (b"[" * 200_000, "f: it is nested too deep"),
        (b'{"a":\n"\xff"}', "f:2: byte 7 (0xff) is no UTF-8"),
        (b"9" * 100_000, "f: "),
    ],
)
def test_bad_json_is_a_value_error(data, message):
    with pytest.raises(ValueError) as caught:
        json_safe.read(data, "f")
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"a": [1, null, "x", {"b": true}]}', ""),
        ("[" * 100 + "]" * 100, ""),
        ("[" * 101 + "]" * 101, "it is nested more than 100 deep"),
        ('["\\ud800"]', "it has half a surrogate pair in a text"),
        ('{"\\ud800": 1}', "it has half a surrogate pair in a text"),
        ("[1e999]", "it has a number that is not finite"),
    ],
)
def test_what_can_be_kept(text, reason):
    assert json_safe.why_not_kept(json.loads(text)) == reason
