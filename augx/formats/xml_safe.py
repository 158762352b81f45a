"""The one way to read XML, which may come from anywhere: bounded in size and depth, and without entities of its own.

Entities are what XML attacks are made of (a billion laughs, files of the machine read by name); no label format needs
any but the five that XML itself has.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

MAX_BYTES = 1 << 29
MAX_DEPTH = 200
MAX_ELEMENTS = 5_000_000  # about a gigabyte of memory

_UNFIT = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ESCAPED = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\r": "&#13;"})


class _Refused(ValueError):
    pass


def read(data: bytes, name: str, limit: int = MAX_BYTES) -> Element:
    """The root element of a document; comments and processing instructions are left out.

    `limit`: of its bytes. ValueError says `name`, the line and what is wrong.
    """
    from xml.etree.ElementTree import TreeBuilder
    from xml.parsers import expat

    if len(data) > limit:
        raise ValueError(f"{name}: it is larger than {limit >> 20} MiB")
    parser = expat.ParserCreate()
    parser.buffer_text = True
    tree = TreeBuilder()
    depth = count = 0

    def refuse(what: str) -> _Refused:
        return _Refused(f"{name}:{parser.CurrentLineNumber}: {what}")

    def doctype(*_: Any) -> None:
        raise refuse("it has a DTD, which is not read: remove the lines from <!DOCTYPE to its >")

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal depth, count
        depth, count = depth + 1, count + 1
        if depth > MAX_DEPTH:
            raise refuse(f"elements are nested deeper than {MAX_DEPTH}")
        if count > MAX_ELEMENTS:
            raise refuse(f"it has more than {MAX_ELEMENTS} elements")
        tree.start(tag, attributes)

    def end(tag: str) -> None:
        nonlocal depth
        depth -= 1
        tree.end(tag)

    parser.StartDoctypeDeclHandler = doctype
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = tree.data
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise ValueError(f"{name}:{error.lineno}: it is no XML: {expat.ErrorString(error.code)}") from None
    except _Refused:
        raise
    except (LookupError, ValueError) as error:  # of pyexpat, for encodings it cannot read
        raise ValueError(f"{name}:1: it is no XML that can be read: {error}") from None
    return tree.close()


def fits(text: str) -> bool:
    """Whether XML can hold this text: no control characters but tab and line ends."""
    return _UNFIT.search(text) is None


def escape(text: str) -> str:
    """Text as it stands in an element or a quoted attribute; U+FFFD for what XML cannot hold."""
    return _UNFIT.sub("\ufffd", text).translate(_ESCAPED)
