"""XML elements as JSON values and back, for what a format carries and augx does not touch.

An element is its text, or a mapping of its children (`@name` for attributes, `#text` for text beside them), or a list
where there are several of one name. Numbers are numbers where they are written the usual way, so `<difficult>1` is 1
and `<id>007` is "007". CVAT's `<attributes>`, a list of names and values, is a mapping.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from augx.formats.xml_safe import escape
from augx.model import Json

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

# Fewer letters than XML allows, but those that every reader takes: Latin, Greek, Cyrillic, kana, Chinese, Hangul.
_LETTER = (
    "A-Za-z_\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u0131\u0391-\u03a1\u03a3-\u03ce\u0410-\u044f"
    "\u3041-\u3094\u30a1-\u30fa\u4e00-\u9fa5\uac00-\ud7a3"
)
_NAME = re.compile(f"[{_LETTER}][{_LETTER}0-9.-]*")
_DEEP = 50


def scalar(text: str) -> Json:
    """The number that is written so, or the text without spaces around it."""
    text = text.strip()
    if len(text) <= 20 and text[-1:].isdigit():
        try:
            value: int | float = int(text) if text.lstrip("-").isdigit() else float(text)
        except ValueError:
            return text
        if str(value) == text:
            return value
    return text


def value(element: Element, skip: Sequence[str] = ()) -> Json:
    """What an element says; `skip`: children to leave out."""
    if not len(element) and not element.attrib:
        return scalar(element.text or "")
    return mapping(element, skip)


def mapping(element: Element, skip: Sequence[str] = ()) -> dict[str, Json]:
    children = [child for child in element if child.tag not in skip]
    if element.tag == "attributes" and (pairs := _attributes(children)):
        return pairs
    known: dict[str, Json] = {f"@{name}": scalar(text) for name, text in element.attrib.items()}
    if text := (element.text or "").strip():
        known["#text"] = scalar(text)
    several: dict[str, list[Json]] = {}
    for child in children:
        several.setdefault(child.tag, []).append(value(child))
    return known | {tag: values if len(values) > 1 else values[0] for tag, values in several.items()}


def _attributes(children: Sequence[Element]) -> dict[str, Json]:
    """name -> value of <attribute><name>colour</name><value>red</value></attribute>; {} where it is otherwise."""
    known: dict[str, Json] = {}
    for child in children:
        name = (child.findtext("name") or "").strip()
        usual = child.tag == "attribute" and sorted(part.tag for part in child) == ["name", "value"]
        if not usual or not name or name in known or child.attrib or any(len(part) or part.attrib for part in child):
            return {}
        known[name] = scalar(child.findtext("value") or "")
    return known


def element(tag: str, told: Json, depth: int = 0, inside: Sequence[str] = ()) -> Iterator[str]:
    """The lines of an element. `depth`: of its indentation, in tabs; `inside`: further lines, after its children."""
    indent = "\t" * depth
    if not isinstance(told, Mapping) or depth > _DEEP:
        yield f"{indent}<{tag}>{escape(word(told))}</{tag}>" if word(told) else f"{indent}<{tag}/>"
        return
    head = tag + "".join(f' {key[1:]}="{escape(word(one))}"' for key, one in told.items() if _is_attribute(key, one))
    text = escape(word(told.get("#text")))
    if tag == "attributes" and (_odd(told) or not any(isinstance(one, (Mapping, list)) for one in told.values())):
        lines = [line for key, one in told.items() for line in _attribute(key, one, depth + 1)]
    else:
        lines = list(children(told, depth + 1))
    if lines or inside:
        yield f"{indent}<{head}>{text}"
        yield from lines
        yield from inside
        yield f"{indent}</{tag}>"
    else:
        yield f"{indent}<{head}>{text}</{tag}>" if text else f"{indent}<{head}/>"


def children(told: Mapping[str, Json], depth: int) -> Iterator[str]:
    """The lines of the elements in a mapping; what cannot be an element's name goes to <attributes>."""
    if odd := _odd(told):
        before = told.get("attributes")
        told = {key: one for key, one in told.items() if key not in odd}
        told["attributes"] = {**(before if isinstance(before, Mapping) else {}), **odd}
    for key, one in told.items():
        if key != "#text" and not _is_attribute(key, one):
            for each in one if isinstance(one, (list, tuple)) else [one]:
                yield from element(key, each, depth)


def _attribute(name: str, told: Json, depth: int) -> Iterator[str]:
    return element("attribute", {"name": name, "value": word(told)}, depth)


def _odd(told: Mapping[str, Json]) -> dict[str, Json]:
    return {
        key: one
        for key, one in told.items()
        if key != "#text" and not _is_attribute(key, one) and not _NAME.fullmatch(key)
    }


def _is_attribute(key: str, told: Json) -> bool:
    return key[:1] == "@" and bool(_NAME.fullmatch(key[1:])) and not isinstance(told, (Mapping, list, tuple))


def word(told: Json) -> str:
    """A value as text: true is 1, null is empty, what is nested is JSON."""
    if told is None:
        return ""
    if isinstance(told, bool):
        return str(int(told))
    return str(told) if isinstance(told, (str, int, float)) else json.dumps(told, ensure_ascii=False)
