"""`augx validate --fix`: mends in a recipe's text what has one right answer that changes no picture a run would make.

Names spelled in other cases or with other separators, arguments by their names of other versions, ranges refused for
having their high end first, yes, no, on and off for true and false, a missing `version: 1`, options without effect. A
letter too many or too few stays: which name was meant is a guess, and a wrong guess makes other pictures. Comments and
layout stay. Each change is made alone and kept only if it takes problems away and brings none.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

from augx.errors import Problem
from augx.transforms.problems import RENAMED
from augx.yamlfile import Node, load

_MEANT = re.compile(r"did you mean '?(\w+)'?\?")
_MOST = 200  # changes

Edit = tuple[int, int, str, str]  # from, to, what instead, in words
Find = Callable[[bytes], Sequence[Problem]]


def fixed(text: bytes, name: str, find: Find) -> tuple[bytes, list[str]]:
    """The text with all that can be mended, and what was done, as file:line:col: words. `find`: what is wrong."""
    done: list[str] = []
    given_up: set[tuple[int, int, str]] = set()
    problems = find(text)
    while len(done) < _MOST:
        todo = [p for p in problems if p.code in _EDITS and (p.line, p.column, p.message) not in given_up]
        if not todo:
            break
        changed = _applied(text, todo[0])
        left = find(changed[0]) if changed else problems
        if changed and _fewer(problems, left):
            text, problems = changed[0], left
            done.append(f"{name}:{todo[0].line}:{todo[0].column}: {changed[1]}")
        else:
            given_up.add((todo[0].line, todo[0].column, todo[0].message))
    return text, done


def _fewer(before: Sequence[Problem], after: Sequence[Problem]) -> bool:
    """Whether some have gone and none come."""
    errors = any(p.severity == "error" for p in before)  # as long as there are some, nothing else is looked for
    counted = [[p for p in problems if p.severity == "error" or not errors] for problems in (before, after)]
    old, new = (Counter((p.code, p.message) for p in problems) for problems in counted)
    return not new - old and new.total() < old.total()


def _applied(text: bytes, problem: Problem) -> tuple[bytes, str] | None:
    root, _ = load(text, "")
    if root is None:
        return None
    said = text.decode("utf-8-sig")
    edit = _EDITS[problem.code](said, root, problem)
    if edit is None:
        return None
    begin, end, instead, words = edit
    bom = b"\xef\xbb\xbf" if text.startswith(b"\xef\xbb\xbf") else b""
    return bom + (said[:begin] + instead + said[end:]).encode(), words


def _offset(text: str, place: tuple[int, int]) -> int:
    """Of a line and column, both from 1, as YAML counts lines."""
    lines = text.splitlines(keepends=True)
    return sum(map(len, lines[: place[0] - 1])) + place[1] - 1


def _at(root: Node, problem: Problem) -> Iterator[tuple[Node, Node | None]]:
    """Nodes at the place of a problem, keys too, each with the mapping or list it is in."""
    waiting: list[tuple[Node, Node | None]] = [(root, None)]
    while waiting:
        node, parent = waiting.pop()
        if (node.line, node.column) == (problem.line, problem.column):
            yield node, parent
        if isinstance(node.value, list):
            waiting += [(one, node) for one in node.value]
        elif isinstance(node.value, dict):
            waiting += [(one, node) for pair in node.value.values() for one in pair]


def _spelled(text: str, root: Node, problem: Problem) -> Edit | None:
    meant = _MEANT.search(problem.suggestion)
    for node, _ in _at(root, problem):
        if meant and isinstance(node.value, str):
            old, new = node.value, meant[1]
            if _plain(old) != _plain(new) and RENAMED.get(old) != new:
                return None
            begin, end = _offset(text, (node.line, node.column)), _offset(text, node.end)
            if text[begin:end] != old:  # quoted, or behind an alias
                return None
            return begin, end, new, f"{old} -> {new}"
    return None


def _plain(name: str) -> str:
    return re.sub(r"[-_\s]", "", name).lower()


def _said_in_words(text: str, root: Node, problem: Problem) -> Edit | None:
    meant = _MEANT.search(problem.suggestion)
    for node, _ in _at(root, problem):
        if meant and meant[1] in ("true", "false") and isinstance(node.value, str):
            begin, end = _offset(text, (node.line, node.column)), _offset(text, node.end)
            return begin, end, meant[1], f"{node.value} -> {meant[1]}"
    return None


def _argument(text: str, root: Node, problem: Problem) -> Edit | None:
    return _spelled(text, root, problem) or _said_in_words(text, root, problem)


def _exchanged(text: str, root: Node, problem: Problem) -> Edit | None:
    for node, _ in _at(root, problem):
        if isinstance(node.value, list) and len(node.value) == 2:
            low, high = node.value
            a, b = _offset(text, (low.line, low.column)), _offset(text, low.end)
            c, d = _offset(text, (high.line, high.column)), _offset(text, high.end)
            if a >= b or c >= d or b > c:
                return None
            return a, d, text[c:d] + text[b:c] + text[a:b], f"[{low}, {high}] -> [{high}, {low}]"
    return None


def _versioned(text: str, root: Node, problem: Problem) -> Edit | None:
    begin = _offset(text, (root.line, root.column))
    if root.column != 1 or text[begin] in "{[":
        return None
    return begin, begin, "version: 1\n", "added version: 1"


def _left_out(text: str, root: Node, problem: Problem) -> Edit | None:
    """Cuts an entry out of a mapping, with its comma or its line."""
    for node, parent in _at(root, problem):
        if parent is None or not isinstance(parent.value, dict) or len(parent.value) < 2:
            continue
        entries = list(parent.value.values())
        number = next((i for i, (_, value) in enumerate(entries) if value is node), -1)
        if number < 0:
            continue
        key, words = entries[number][0], f"left out {entries[number][0].value}: {node}"
        begin, end = _offset(text, (key.line, key.column)), _offset(text, node.end)
        if text[_offset(text, (parent.line, parent.column))] == "{":
            if number + 1 < len(entries):
                following = entries[number + 1][0]
                return begin, _offset(text, (following.line, following.column)), "", words
            return _offset(text, entries[number - 1][1].end), end, "", words
        first, last = text.rfind("\n", 0, begin) + 1, text.find("\n", end)
        last = len(text) if last < 0 else last + 1
        if text[first:begin].strip():  # behind a dash
            return None
        return first, last, "", words
    return None


_EDITS: Mapping[str, Callable[[str, Node, Problem], Edit | None]] = {
    "version-missing": _versioned,
    "recipe-key": _spelled,
    "unknown-transform": _spelled,
    "transform-argument": _argument,
    "recipe-value": _said_in_words,
    "range-reversed": _exchanged,
    "no-effect": _left_out,
}
