"""Hostile and broken XML: refused with its line, in no time."""

import time

import pytest

from augx.formats import xml_safe

LAUGHS = (
    b'<?xml version="1.0"?>\n<!DOCTYPE lolz [\n<!ENTITY lol "lol">\n'
    + b"".join(
        b'<!ENTITY lol%d "%s">\n' % (n, b"&lol%s;" % (str(n - 1).encode() if n > 1 else b"") * 10) for n in range(1, 10)
    )
    + b"]>\n<annotation>&lol9;</annotation>"
)


def test_a_document():
    root = xml_safe.read(
        b"\xef\xbb\xbf<?xml version='1.0'?>\r\n<a><!-- no --><b c='1 &lt; 2'>x &amp; &#233;</b>t</a>", "f"
    )
    assert (root.tag, root[0].tag, root[0].attrib, root[0].text, root[0].tail) == (
        "a",
        "b",
        {"c": "1 < 2"},
        "x & é",
        "t",
    )


@pytest.mark.parametrize("codec", ["utf-16", "latin-1", "cp1252", "utf-8"])
def test_encodings(codec):
    text = f"<?xml version='1.0' encoding='{codec}'?><a>é</a>"
    assert xml_safe.read(text.encode(codec), "f").text == "é"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"<a>\n<b></a>", "f.xml:2: it is no XML: mismatched tag"),
        (b"", "f.xml:1: it is no XML: no element found"),
        (b"<a/>\n<b/>", "f.xml:2: it is no XML: junk after document element"),
        (b"<a>\xff</a>", "f.xml:1: it is no XML: not well-formed"),
        (b"<a>&undefined;</a>", "f.xml:1: it is no XML: undefined entity"),
        (b"<a>&#0;</a>", "f.xml:1: it is no XML: reference to invalid character number"),
        (b"<?xml version='1.0' encoding='no-such'?><a/>", "f.xml:1: it is no XML"),
        (b"<?xml version='1.0' encoding='utf-7'?><a/>", "f.xml:1: it is no XML"),
        (b"<?xml version='1.0' encoding='base64'?><a/>", "f.xml:1: it is no XML"),
        (LAUGHS, "f.xml:2: it has a DTD"),
        (b"<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>&x;</a>", "f.xml:1: it has a DTD"),
        (b"<!DOCTYPE a SYSTEM 'http://localhost/a.dtd'><a/>", "f.xml:1: it has a DTD"),
        (b"<a>" * 201 + b"</a>" * 201, "f.xml:1: elements are nested deeper than 200"),
        (b"<a>" * 1_000_000, "f.xml:1: elements are nested deeper than 200"),
        (b"\xff\xfe<\x00a\x00", "f.xml:1: it is no XML: "),
    ],
)
def test_refused(data, message):
    begin = time.process_time()
    with pytest.raises(ValueError) as caught:
        xml_safe.read(data, "f.xml")
    assert str(caught.value).startswith(message)
    assert time.process_time() - begin < 1


def test_bounds(monkeypatch):
    with pytest.raises(ValueError, match="larger than 1 MiB"):
        xml_safe.read(b" " * ((1 << 20) + 1), "f.xml", 1 << 20)
    deep = xml_safe.read(b"<a>" * 200 + b"</a>" * 200, "f.xml")
    assert len(list(deep.iter())) == 200
    monkeypatch.setattr(xml_safe, "MAX_ELEMENTS", 10)
    with pytest.raises(ValueError, match=r"f.xml:2: it has more than 10 elements"):
        xml_safe.read(b"<a>\n" + b"<b/>" * 10 + b"</a>", "f.xml")
    assert len(xml_safe.read(b"<a>\n" + b"<b/>" * 9 + b"</a>", "f.xml")) == 9


def test_written_text_reads_back():
    text = "a<b>&\"c'\r\n\tü\U0001f600"
    assert xml_safe.read(f"<a>{xml_safe.escape(text)}</a>".encode(), "f").text == text
    assert xml_safe.read(f'<a b="{xml_safe.escape("<&>" + chr(34))}"/>'.encode(), "f").get("b") == '<&>"'
    assert xml_safe.fits(text)
    for unfit in ("\0", "\x0b", "\ud800", "\uffff", "\x1f"):
        assert not xml_safe.fits(f"a{unfit}b")
        assert xml_safe.escape(f"a{unfit}b") == "a\ufffdb"
