"""Bytes of a YAML file -> a tree of Nodes, each with its place, and all problems found on the way; typed access to it.
And plain values -> YAML.

This is YAML 1.2's core schema (`no` and `on` are strings, `1e3` is a number) on PyYAML's parser events, so that no
constructor exists that a tag could call. Size, depth and the nodes that aliases expand to are limited while reading.
"""

from __future__ import annotations

import codecs
import difflib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NoReturn

import yaml

from augx.errors import Problem, RecipeError
from augx.model import Json

MAX_BYTES = 1_000_000
MAX_NODES = 10_000
MAX_DEPTH = 50
MAX_PROBLEMS = 100  # then reading ends: more tell a person nothing

_NULL = re.compile(r"(?:~|null|Null|NULL)?\Z")
_BOOL = re.compile(r"(?:true|True|TRUE|false|False|FALSE)\Z")
_INT = re.compile(r"(?:[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)\Z")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")
_INF = re.compile(r"[-+]?\.(?:inf|Inf|INF)\Z")
_NAN = re.compile(r"\.(?:nan|NaN|NAN)\Z")

_BREAKS = frozenset("\x85\u2028\u2029\ufeff")  # line breaks and the like, which may stand in double quotes only

_SYNTAX = {  # PyYAML's words (how they begin) -> ours, and what to do
    "mapping values are not allowed": ("a ':' that fits nowhere here", "check the indentation, or quote the text"),
    "sequence entries are not allowed": ("a '- ' that fits nowhere here", "begin the list on a line of its own"),
    "expected <block end>": ("this does not fit the lines above", "check the indentation, the quotes and the brackets"),
    "could not find expected ':'": ("a key without ':'", "write 'key: value'"),
    "found character": ("text cannot begin with this character", "put the text in quotes"),
    "found unknown escape": ("an unknown escape in a quoted text", "write \\\\ for a backslash, or use single quotes"),
    "expected the node content": ("a value is missing here", "remove what is left over"),
    "found undefined tag handle": ("tags are not used in recipes", "leave the tag out"),
    "found incompatible YAML": ("this YAML version is not supported", "leave the %YAML line out"),
    "expected '<document start>'": ("something is left over after the end", "remove it"),
}


@dataclass(slots=True)
class Node:
    """One value of the file. `line` and `column` count from 1; 0 where the value came from no file.

    A list's value is a list of Nodes, a mapping's a dict: key -> (Node of the key, Node of the value).
    `ok` is False where a problem has been reported already: readers skip such a node.
    """

    line: int
    column: int
    value: bool | int | float | str | list[Node] | dict[str, tuple[Node, Node]] | None
    text: str = ""  # a scalar as it was written, quotes included
    ok: bool = True
    size: int = 1  # nodes in this tree, aliases expanded
    height: int = 1
    end: tuple[int, int] = (0, 0)  # line and column behind it

    @classmethod
    def of(cls, value: Json, depth: int = 1) -> Node:
        """The tree for a JSON value, with no places. Raises ValueError where it is too deep or no JSON."""
        if depth > MAX_DEPTH:
            raise ValueError(f"more than {MAX_DEPTH} levels deep")
        if isinstance(value, (list, tuple)):
            return cls(0, 0, [cls.of(v, depth + 1) for v in value])
        if isinstance(value, dict):
            return cls(0, 0, {str(k): (cls.of(str(k), MAX_DEPTH), cls.of(v, depth + 1)) for k, v in value.items()})
        if value is None or isinstance(value, (bool, int, float, str)):
            return cls(0, 0, value, repr(value) if isinstance(value, str) else str(value))
        raise ValueError(f"{type(value).__name__} is no JSON")

    def plain(self) -> Json:
        if isinstance(self.value, list):
            return [v.plain() for v in self.value]
        if isinstance(self.value, dict):
            return {key.value if type(key.value) is int else k: v.plain() for k, (key, v) in self.value.items()}
        return self.value

    def walk(self) -> Iterator[Node]:
        """This node and all values under it, in the order of the file."""
        yield self
        if isinstance(self.value, list):
            for v in self.value:
                yield from v.walk()
        elif isinstance(self.value, dict):
            for _, v in self.value.values():
                yield from v.walk()

    def __str__(self) -> str:
        """The value as a person would recognise it, on one line, at most 60 characters."""
        if isinstance(self.value, list):
            return short("a list" if not self.value else f"[{', '.join(map(str, self.value[:20]))}]")
        if isinstance(self.value, dict):
            return short("{" + ", ".join(f"{k}: {v}" for k, (_, v) in list(self.value.items())[:20]) + "}")
        return short(self.text) or "nothing"


def short(text: str, limit: int = 60) -> str:
    """`text` on one line: unprintable characters escaped, the middle left out where it is long."""
    text = text if len(text) <= limit else f"{text[: limit - 20]}...{text[-17:]}"
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def load(data: bytes, name: str, numbered: bool = False) -> tuple[Node | None, list[Problem]]:
    """The tree, or None where the text could not be read to its end; and the problems, in order of discovery.

    `numbered`: keys may be whole numbers, and there may be twenty times as many values: class names.
    """
    root, problems = _load(data.removeprefix(codecs.BOM_UTF8), name, numbered)
    return root, [replace(problem, code="yaml-syntax") for problem in problems]


def _load(data: bytes, name: str, numbered: bool) -> tuple[Node | None, list[Problem]]:
    problem = _no_text(data, name)
    if problem:
        return None, [problem]
    text = data.decode()
    builder = _Builder(text, name, numbered)
    try:
        return builder.document(), builder.problems
    except _GaveUpError:
        pass
    except yaml.MarkedYAMLError as e:
        builder.problems.append(_syntax_problem(e, text, name))
    except (ValueError, OverflowError):  # PyYAML on an escape like "\UFFFFFFFF" or a %YAML version of 5,000 digits
        mark = builder.loader.get_mark()
        builder.report(mark, "an escape or number that stands for nothing", "check the \\ in quoted text")
    return None, builder.problems


def _no_text(data: bytes, name: str) -> Problem | None:
    if len(data) > MAX_BYTES:
        return Problem(name, 0, 0, f"is larger than {MAX_BYTES // 1_000_000} MB", "a recipe is a short text file")
    try:
        text = data.decode()
    except UnicodeDecodeError as e:
        if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
            return Problem(name, 1, 1, "is UTF-16", "save it as UTF-8")
        before = data[: e.start]
        column = len(before[before.rfind(b"\n") + 1 :].decode()) + 1
        byte = f"byte 0x{data[e.start]:02x} is not UTF-8"
        return Problem(name, before.count(b"\n") + 1, column, f"is no text: {byte}", "save it as UTF-8")
    bad = yaml.reader.Reader.NON_PRINTABLE.search(text)
    if bad:
        start = bad.start()
        line, column = text.count("\n", 0, start) + 1, start - (text.rfind("\n", 0, start) + 1) + 1
        what = f"is no text: it has the control character U+{ord(bad.group()):04X}"
        return Problem(name, line, column, what, "remove it, or give a YAML file")
    return None


def is_number(node: Node) -> bool:
    return isinstance(node.value, (int, float)) and not isinstance(node.value, bool)


class _Dumper(yaml.SafeDumper):
    """Mappings over many lines, lists on one, and in quotes what either version of YAML takes for no text."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _dump_list(dumper: _Dumper, values: list[Json]) -> yaml.Node:
    return dumper.represent_sequence("tag:yaml.org,2002:seq", values, flow_style=True)


def _dump_text(dumper: _Dumper, text: str) -> yaml.Node:
    try:
        plain = isinstance(scalar(text), str)
    except ValueError:
        plain = False
    style = "|" if "\n" in text else None if plain else "'"
    if not _BREAKS.isdisjoint(text):
        style = '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style)


_Dumper.add_representer(list, _dump_list)
_Dumper.add_representer(str, _dump_text)


def dump(value: Json) -> str:
    """A plain value as YAML that readers of 1.1 and 1.2 take alike, keys in their order. At most `MAX_DEPTH` deep."""
    how: dict[str, Any] = {"default_flow_style": False, "sort_keys": False, "allow_unicode": True, "width": 100}
    text: str = yaml.dump(value, Dumper=_Dumper, **how)
    return text


class Values:
    """Typed access to Nodes. What does not fit becomes a problem, and the default is returned.

    `what` names the value in messages. An absent node, or one with a problem already, gives the default silently.
    """

    def __init__(self, file: str, problems: Iterable[Problem] = ()) -> None:
        self.file = file
        self.problems = list(problems)

    def error(self, node: Node, message: str, suggestion: str = "", code: str = "recipe-value") -> None:
        """RecipeError where there are too many. What an alias repeats is one problem."""
        problem = Problem(self.file, node.line, node.column, message, suggestion, code=code)
        if problem not in self.problems:
            self.problems.append(problem)
        if len(self.problems) > MAX_PROBLEMS:
            raise RecipeError(in_order(self.problems))

    def whole(self, node: Node | None, what: str, low: int, high: int, default: int) -> int:
        if node is None or not node.ok:
            return default
        value = node.value
        if isinstance(value, float) and value.is_integer():  # 1e3 is how YAML writes a float
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            self.error(node, f"{what} must be a whole number, not {node}", f"{low} to {high}")
        elif not low <= value <= high:
            self.error(node, f"{what} is {node}", f"{low} to {high}")
        else:
            return value
        return default

    def number(self, node: Node | None, what: str, low: float, high: float, default: float) -> float:
        if node is None or not node.ok:
            return default
        if isinstance(node.value, bool) or not isinstance(node.value, (int, float)):
            self.error(node, f"{what} must be a number, not {node}", f"{low:.10g} to {high:.10g}")
        elif not low <= node.value <= high:  # NaN ends here too
            self.error(node, f"{what} is {node}", f"{low:.10g} to {high:.10g}")
        else:
            return float(node.value)
        return default

    def boolean(self, node: Node | None, what: str, default: bool) -> bool:
        if node is None or not node.ok:
            return default
        if isinstance(node.value, bool):
            return node.value
        suggestion = meant_truth(node.value) or "true or false"
        self.error(node, f"{what} must be true or false, not {node}", suggestion)
        return default

    def choice(self, node: Node | None, what: str, choices: Sequence[str], default: str) -> str:
        if node is None or not node.ok:
            return default
        if isinstance(node.value, str) and node.value in choices:
            return node.value
        self.error(node, f"{what} cannot be {node}", f"one of {', '.join(choices)}")
        return default

    def mapping(self, node: Node | None, what: str, keys: Sequence[str]) -> dict[str, Node]:
        """The values of the known keys. A section left empty counts as left out."""
        if node is None or not node.ok or node.value is None:
            return {}
        if not isinstance(node.value, dict):
            self.error(node, f"{what} must be a mapping, not {node}", f"with the keys {', '.join(keys)}")
            return {}
        known = {name: value for name, (_, value) in node.value.items() if name in keys}
        for name, (key, value) in node.value.items():
            if name not in keys:
                meant = self.meant(name, keys)
                self.error(key, f"unknown key {key} in {what}", self.way_out(name, meant, keys), "recipe-key")
                if ":" not in name:
                    known.setdefault(meant, value)  # so that the problems under a misspelt key show at once, too
        return known

    def meant(self, key: str, keys: Sequence[str]) -> str:
        """The known key that an unknown one probably stands for, or ""."""
        return nearest(key, keys)

    def way_out(self, key: str, meant: str, keys: Sequence[str]) -> str:
        """What to suggest for an unknown key."""
        if ":" in key:
            return "a space must follow the colon"
        return f"did you mean '{meant}'?" if meant else f"known: {', '.join(keys)}"


def meant_truth(value: Json) -> str:
    """What to suggest for YAML 1.1's words where true or false is wanted; "" for any other value."""
    words = {"yes": "true", "on": "true", "true": "true", "no": "false", "off": "false", "false": "false"}
    meant = words.get(value.lower()) if isinstance(value, str) else None
    return f"did you mean {meant}?" if meant else ""


def in_order(problems: Iterable[Problem]) -> list[Problem]:
    """In the order of the file, each once; the first ones where there are too many."""
    ordered = sorted(dict.fromkeys(problems), key=lambda p: (p.line, p.column))
    if len(ordered) > MAX_PROBLEMS:
        message = f"has more problems than these {MAX_PROBLEMS}"
        more = Problem(ordered[0].file, 0, 0, message, "mend the first ones", code="recipe-value")
        return [*ordered[:MAX_PROBLEMS], more]
    return ordered


def nearest(word: str, choices: Iterable[str]) -> str:
    """The choice that looks most like `word`, or "" where none does."""
    folded = {c.casefold(): c for c in choices}
    found = difflib.get_close_matches(word.casefold()[:64], folded, 1)
    return folded[found[0]] if found else ""


class _GaveUpError(Exception):
    """The last of the problems makes reading on pointless or dangerous."""


class _Builder:
    """Events -> Nodes. `open` holds the anchors whose value is still being read."""

    def __init__(self, text: str, name: str, numbered: bool) -> None:
        self.loader = yaml.SafeLoader(text)  # only its parser is used: no value is ever constructed
        self.name = name
        self.numbered = numbered
        self.problems: list[Problem] = []
        self.anchors: dict[str, Node] = {}
        self.open: set[str] = set()
        self.count = 0

    def report(self, mark: Any, message: str, suggestion: str = "") -> None:
        self.problems.append(Problem(self.name, mark.line + 1, mark.column + 1, message, suggestion))
        if len(self.problems) > MAX_PROBLEMS:
            raise _GaveUpError

    def give_up(self, mark: Any, message: str, suggestion: str = "") -> NoReturn:
        self.report(mark, message, suggestion)
        raise _GaveUpError

    def next(self) -> yaml.Event:
        event: yaml.Event = self.loader.get_event()  # type: ignore[no-untyped-call]
        return event

    def document(self) -> Node | None:
        self.next()  # the stream's start
        if isinstance(self.next(), yaml.StreamEndEvent):
            self.problems.append(Problem(self.name, 0, 0, "is empty", "a recipe begins with 'version: 1'"))
            return None
        root = self.node(self.next(), 1)
        if root.value is None and not root.text and root.ok:
            self.problems.append(Problem(self.name, 0, 0, "is empty", "a recipe begins with 'version: 1'"))
            return None
        self.next()  # the document's end
        event = self.next()
        if not isinstance(event, yaml.StreamEndEvent):
            self.give_up(event.start_mark, "a second document begins here", "one recipe a file: remove the '---'")
        return root

    def node(self, event: yaml.Event, depth: int) -> Node:
        mark: Any = event.start_mark  # typed as absent or of two kinds; here it is always there
        anchor: str | None = getattr(event, "anchor", None)
        if isinstance(event, yaml.AliasEvent):
            node = self.alias(event, depth)
            self.counted(node.size, mark)
            return node
        if depth > MAX_DEPTH:
            self.give_up(mark, f"nested more than {MAX_DEPTH} levels deep", "a recipe needs five or so")
        self.counted(1, mark)
        if anchor is not None:
            self.open.add(anchor)
        node = Node(mark.line + 1, mark.column + 1, None)
        last = event
        if isinstance(event, yaml.SequenceStartEvent):
            last = self.fill_list(node, depth)
        elif isinstance(event, yaml.MappingStartEvent):
            last = self.fill_mapping(node, depth)
        elif isinstance(event, yaml.ScalarEvent):
            self.fill_scalar(node, event)
        if last is event or getattr(event, "flow_style", True):  # a block's own mark is where the next one begins
            behind: Any = last.end_mark
            node.end = behind.line + 1, behind.column + 1
        tag = getattr(event, "tag", None)
        if tag is not None:
            tag = tag.replace("tag:yaml.org,2002:", "!!")
            self.report(mark, f"tags are not used in recipes: {short(tag)}", "leave the tag out")
            node.ok = False
        if anchor is not None:
            self.open.discard(anchor)
            self.anchors[anchor] = node
        return node

    def counted(self, nodes: int, mark: Any) -> None:
        self.count += nodes
        limit = MAX_NODES * 20 if self.numbered else MAX_NODES
        if self.count > limit:
            self.give_up(mark, f"more than {limit:,} values, aliases expanded", "a recipe needs a few dozen")

    def alias(self, event: yaml.AliasEvent, depth: int) -> Node:
        mark: Any = event.start_mark
        name = str(event.anchor)
        if name in self.open:
            self.give_up(mark, f"the alias *{short(name)} stands inside its own anchor", "write the values out")
        node = self.anchors.get(name)
        if node is None:
            self.report(mark, f"the alias *{short(name)} has no anchor above", f"set one with &{short(name)}")
            return Node(mark.line + 1, mark.column + 1, None, ok=False)
        if depth + node.height - 1 > MAX_DEPTH:
            self.give_up(mark, f"nested more than {MAX_DEPTH} levels deep", "a recipe needs five or so")
        return node

    def fill_list(self, node: Node, depth: int) -> yaml.Event:
        values: list[Node] = []
        while not isinstance(event := self.next(), yaml.SequenceEndEvent):
            values.append(self.node(event, depth + 1))
        node.value = values
        node.size += sum(v.size for v in values)
        node.height += max((v.height for v in values), default=0)
        node.end = values[-1].end if values else node.end
        return event

    def fill_mapping(self, node: Node, depth: int) -> yaml.Event:
        entries: dict[str, tuple[Node, Node]] = {}
        node.value = entries
        while not isinstance(event := self.next(), yaml.MappingEndEvent):
            mark: Any = event.start_mark
            merge = isinstance(event, yaml.ScalarEvent) and event.value == "<<" and not event.style
            key = self.node(event, depth + 1)
            value = self.node(self.next(), depth + 1)
            node.size += key.size + value.size
            node.height = max(node.height, 1 + key.height, 1 + value.height)
            node.end = value.end
            if not key.ok:
                continue
            if merge:
                self.report(mark, "merge keys ('<<') are not used in recipes", "write the keys out")
            elif not isinstance(key.value, str) and not (self.numbered and type(key.value) is int):
                self.report(mark, f"a key must be a name, not {key}", "put it in quotes if it is meant as a name")
            elif str(key.value) in entries:
                first = entries[str(key.value)][0].line
                self.report(mark, f"the key {key} is there twice", f"the first is on line {first}: keep one of them")
            else:
                entries[str(key.value)] = (key, value)
        return event

    def fill_scalar(self, node: Node, event: yaml.ScalarEvent) -> None:
        text = event.value if event.value.isascii() else _joined(event.value)
        if event.style:
            node.value, node.text = text, f"'{text}'"
            return
        node.text = text
        try:
            node.value = scalar(text)
        except ValueError:
            self.report(event.start_mark, f"{short(text)} is too large a number", "at most 64 bits")
            node.ok = False
        if isinstance(node.value, str):
            node.text = f"'{text}'"


def _joined(text: str) -> str:
    """JSON escapes what lies beyond 16 bits as a pair of surrogates, which a YAML reader leaves apart. Half a pair
    stays what it is."""
    return text.encode("UTF-16-LE", "surrogatepass").decode("UTF-16-LE", "surrogatepass")


def scalar(text: str) -> bool | int | float | str | None:
    """What an unquoted scalar stands for in YAML 1.2's core schema. Raises ValueError beyond 64 bits."""
    if _NULL.match(text):
        return None
    if _BOOL.match(text):
        return text[0] in "tT"
    if _INT.match(text):
        if len(text) > 70:  # and before int(), which is quadratic and itself refuses long texts
            raise ValueError(text)
        number = int(text, {"0o": 8, "0x": 16}.get(text[:2], 10))
        if abs(number) >= 1 << 64:
            raise ValueError(text)
        return number
    if _FLOAT.match(text):
        return float(text)
    if _INF.match(text):
        return float("-inf" if text[0] == "-" else "inf")
    if _NAN.match(text):
        return float("nan")
    return text


def _syntax_problem(error: yaml.MarkedYAMLError, text: str, name: str) -> Problem:
    mark, opened = error.problem_mark or error.context_mark, error.context_mark
    if mark is None:
        return Problem(name, 0, 0, f"is not YAML: {short(str(error.problem))}")
    lines = text.splitlines() or [""]
    line = lines[mark.line] if mark.line < len(lines) else ""
    said = str(error.problem)
    tab = line[: mark.column + 1].find("\t")
    if tab >= 0 and (not line[:tab].strip() or "\\t" in said):
        return Problem(name, mark.line + 1, tab + 1, "a tab where only spaces may stand", "YAML indents with spaces")
    if said.startswith("found unexpected end of stream") and opened:
        return Problem(name, opened.line + 1, opened.column + 1, "this quote is never closed", "close it")
    if said.startswith("expected ',' or") and opened:
        bracket, closing = ("[", "]") if said.startswith("expected ',' or ']'") else ("{", "}")
        what = f"this '{bracket}' is not closed, or a comma is missing before line {mark.line + 1}"
        return Problem(name, opened.line + 1, opened.column + 1, what, f"close it with '{closing}'")
    if said.startswith("could not find expected ':'") and opened:
        mark = opened
        line = lines[mark.line] if mark.line < len(lines) else ""
    ours = (words for begin, words in _SYNTAX.items() if said.startswith(begin))
    message, way_out = next(ours, (f"is not YAML: {short(said)}", ""))
    found = short(line.strip())
    return Problem(name, mark.line + 1, mark.column + 1, f"{message}: {found}" if found else message, way_out)
