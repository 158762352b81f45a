"""A JSON object read in pieces says what json.loads says, and a hostile one is refused in bounded time and memory."""

import hashlib
import io
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from augx.errors import InputError
from augx.formats import json_stream
from augx.formats.json_stream import JsonStream


def members(data, lists=("a",), chunk=1 << 20):
    before = json_stream.CHUNK
    json_stream.CHUNK = chunk
    try:
        stream = JsonStream(io.BytesIO(data), "x.json", lists)
        return list(stream), stream
    finally:
        json_stream.CHUNK = before


def refusal(data, **options):
    with pytest.raises(InputError) as caught:
        members(data, **options)
    return caught.value


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=100, deadline=None)
@given(
    st.dictionaries(st.sampled_from(["b", "c", "é", "☃"]), VALUES),
    st.lists(VALUES, max_size=6),
    st.integers(1, 9),
    st.sampled_from([None, 1]),
    st.booleans(),
    st.booleans(),
)
def test_it_says_what_json_says_wherever_the_file_is_cut(rest, elements, chunk, indent, ascii_only, bom):
    content = {**rest, "a": elements}
    data = json.dumps(content, indent=indent, ensure_ascii=ascii_only).encode(errors="replace")
    expected = json.loads(data)
    found, stream = members((b"\xef\xbb\xbf" if bom else b"") + data, chunk=chunk)
    assert [value for key, value in found if key == "a"] == expected["a"]
    assert {key: value for key, value in found if key != "a"} == {k: v for k, v in expected.items() if k != "a"}
    assert list(stream.keys) == list(expected)
    assert stream.sha256 == hashlib.sha256((b"\xef\xbb\xbf" if bom else b"") + data).hexdigest()


def test_empty_lists_and_null_are_met():
    found, stream = members(b' {"a" : [ ] ,\r\n "b":1}\n')
    assert found == [("b", 1)]
    assert list(stream.keys) == ["a", "b"]
    assert members(b'{"a": null}')[0] == []


@pytest.mark.parametrize("chunk", [1, 7, 1 << 20])
def test_numbers_are_never_cut(chunk):
    assert members(b'{"a":[12345678,-1.5e10,0.25], "b":1234567890}', chunk=chunk)[0] == [
        ("a", 12345678),
        ("a", -1.5e10),
        ("a", 0.25),
        ("b", 1234567890),
    ]


@pytest.mark.parametrize("chunk", [1, 1 << 20])
@pytest.mark.parametrize(
    ("data", "place", "reason"),
    [
        (b"", "x.json:1 (byte 0)", "the file ends in the middle"),
        (b"[1, 2]", "x.json:1 (byte 0)", "an object with images and annotations must begin here"),
        (b'{"a": [1,\n {"b": 2}', "x.json:2 (byte 19)", "the file ends in the middle"),
        (b'{"a": [1, {"b": "tex', "x.json:1 (byte 20)", "the file ends in the middle"),
        (b'{"a": [1, 2]', "x.json:1 (byte 12)", "the file ends in the middle"),
        (b'{"a": [{"b": 1}\n {"c": 1}]}', "x.json:2 (byte 17)", "']' expected"),
        (b'{"a": [{"b": oh and no end of it}]}', "x.json:1 (byte 13)", "Expecting value"),
        (b'{"a": {"b": 1}}', "x.json:1 (byte 6)", "a must be a list"),
        (b'{"a": "text"}', "x.json:1 (byte 6)", "a must be a list"),
        (b'{"a": []} {', "x.json:1 (byte 10)", "nothing may follow the object"),
        (b'{"a": [], "a": []}', "x.json:1 (byte 10)", "the key 'a' stands in it twice"),
        (b"{1: []}", "x.json:1 (byte 1)", "a key must stand here"),
        ('{"é": 1, "é": 2}'.encode(), "x.json:1 (byte 10)", "the key 'é' stands in it twice"),
    ],
)
def test_what_is_no_json_is_refused_with_its_place(data, place, reason, chunk):
    message = refusal(data, chunk=chunk).message
    assert message.startswith(f"{place}: ")
    assert reason in message


def test_other_encodings_are_named():
    error = refusal('{"a": []}'.encode("utf-16"))
    assert "byte 0" in error.message and "no UTF-8" in error.message and error.hint == "save the file as UTF-8"
    assert "byte 7 or near it (0xe9)" in refusal(b'{"b": "\xe9"}').message


def test_hostile_values_are_refused():
    deep = b'{"b": ' + b"[" * 1_000_000 + b"]" * 1_000_000 + b"}"
    assert refusal(deep).message == "x.json:1 (byte 6): it is nested too deep"
    assert refusal(b'{"a": [' + b'{"b":' * 1_000_000).message == "x.json:1 (byte 7): it is nested too deep"


def test_a_value_without_end_is_refused(monkeypatch):
    monkeypatch.setattr(json_stream, "LIMIT", 1000)
    assert "longer than" in refusal(b'{"a": ["' + b"x" * 100_000 + b'"]}', chunk=64).message
    assert members(b'{"a": ["' + b"x" * 900 + b'"]}', chunk=64)[0] == [("a", "x" * 900)]


def test_nan_and_control_characters_are_read():
    ((_, value), (_, text)) = members(b'{"a": [NaN, "line\nbreak"]}')[0]
    assert value != value
    assert text == "line\nbreak"
