"""Every code of the source is in `augx.codes` or `augx.rules`, every entry has a use, and a test that shows it."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import wild
from policies_files import KINDS
from policies_modes import MODES

import augx
from augx.codes import CODES, ENDS
from augx.rules import LEVELS, OF_RECIPES, REFUSED, RULES

SOURCE = Path(augx.__file__).parent
CALLS = {"ImageError": 0, "Flaw": 0, "Dropped": 1, "blame": 1}  # which argument is a code, of one word too
LOOPS = {"reason", "code", "note"}  # `for reason, found in (("outside", ...), ...)`
NO_CODES = {"meta-learning", "utf-8", "utf-8-sig", "still-step"}
# Where no row of a table can show them: a test of its own does.
ELSEWHERE = {
    *("class-not-there", "split-not-there", "empty-split", "no-group", "near-duplicate", "unmixed-values"),  # recipes
    *("no-model", "model-of-other-data", "gan-rejected", "model-collapsed", "model-saw-test"),
    "broken-background",
    *("balance-mixes", "balance-over", "balance-short"),
    *("encode-failed", "too-large", "unknown-ending", "name-too-long", "unreadable-folder"),
    *("transform-failed", "rejected", "masks-differ", "mask-of-colours", "no-background", "internal-error"),
    *("outside", "hidden", "min_area", "min_size", "min_visibility"),  # of copies
    *("out-of-memory", "timed-out", "worker-died", "changed-while-read"),
}


def constants(node: ast.AST) -> Iterator[str]:
    for part in ast.walk(node):
        if isinstance(part, ast.Constant) and isinstance(part.value, str) and part.value:
            yield part.value


def codes_in(tree: ast.AST) -> Iterator[str]:
    """Texts with hyphens, wherever they stand, and any text that stands where a code does."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            if re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", node.value) and node.value not in NO_CODES:
                yield node.value
        elif isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            place = CALLS.get(called)
            if place is not None and place < len(node.args):
                yield from constants(node.args[place])
        elif isinstance(node, ast.For) and isinstance(node.target, ast.Tuple) and isinstance(node.iter, ast.Tuple):
            first = node.target.elts[0]
            if isinstance(first, ast.Name) and first.id in LOOPS:
                for row in node.iter.elts:
                    yield from constants(row.elts[0] if isinstance(row, ast.Tuple) else row)


@cache
def used() -> frozenset[str]:
    files = [
        path for path in SOURCE.rglob("*.py") if path.name not in ("codes.py", "rules.py") and path.parent.name != "cli"
    ]
    return frozenset(code for path in files for code in codes_in(ast.parse(path.read_text("utf-8"))))


def test_every_code_of_the_source_has_an_entry() -> None:
    assert used() - CODES.keys() - RULES.keys() == set()


def test_every_entry_is_used_in_the_source() -> None:
    assert CODES.keys() - used() == set()
    assert RULES.keys() - used() - {"dataset-refused"} == set()  # which the command line alone finds
    assert CODES.keys() & RULES.keys() == set()


def test_rules_say_what_they_have_to() -> None:
    for name, rule in RULES.items():
        assert rule.level in LEVELS
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", name)
        for words in (rule.meaning, rule.way_out):
            assert words == words.strip() and not words.endswith(".") and len(words) <= 120, name
        assert rule.why.endswith("."), name
    assert all(RULES[name].level == "error" for name in REFUSED)
    assert not REFUSED & OF_RECIPES


def test_codes_are_found_where_they_stand() -> None:
    tree = ast.parse(
        'Flaw("yaml" if a else "two-words", "x", "y")\nself.Dropped(label, "hidden", 0.0)\nprint("word", "utf-8")\n'
        'for reason, found in (("outside", 1), ("min_area", 2)): pass\nblame(bad, "confidence", 1, "words")'
    )
    assert set(codes_in(tree)) == {"yaml", "two-words", "hidden", "outside", "min_area", "confidence"}


def test_no_code_is_written_down_twice() -> None:
    tree = ast.parse((SOURCE / "codes.py").read_text("utf-8"))
    keys = [key for node in ast.walk(tree) if isinstance(node, ast.Dict) for key in node.keys if key is not None]
    names = Counter(name for key in keys for name in constants(key))
    assert [name for name, count in names.items() if count > 1] == []


def test_entries_say_what_they_have_to() -> None:
    for name, code in CODES.items():
        assert re.fullmatch(r"[a-z0-9]+([-_][a-z0-9]+)*", name)
        assert set(code.ends) <= ENDS.keys() and len(set(code.ends)) == len(code.ends) > 0
        assert bool(code.stages) == ("failed" in code.ends), name
        assert set(code.stages) <= {"read", "decode", "labels", "transform", "encode", "write", "worker"}
        for words in (code.meaning, code.way_out):
            assert words == words.strip() and not words.endswith(".") and "|" not in words
        assert len(code.meaning) <= 100


def test_entries_say_what_becomes_of_the_flaws_in_the_tables() -> None:
    for flaw in wild.FLAWS:
        for made in flaw.made:
            code = made.code or flaw.code
            if code:
                assert flaw.end in CODES[code].ends, (flaw.what, code)
            for other in made.also:  # a warning that comes with it
                assert set(CODES[other].ends) - {"failed"}, other
    for kind in KINDS:
        for code in kind.failures:
            assert "failed" in CODES[code].ends
        for code in kind.warnings:
            assert set(CODES[code].ends) & ({"repaired", "told"} if kind.used else {"left out"}), (kind.what, code)


def test_every_code_is_shown_by_a_row_of_a_table_or_elsewhere() -> None:
    shown = {code for flaw in wild.FLAWS for made in flaw.made for code in (made.code or flaw.code, *made.also)} - {""}
    shown |= {code for kind in KINDS for code in (*kind.failures, *kind.warnings)}
    shown |= {code for mode in MODES for code in (*mode.becomes, *mode.notes) if code in CODES}
    assert CODES.keys() - shown == ELSEWHERE


def test_every_code_that_no_row_shows_is_asserted_by_a_test() -> None:
    here = Path(__file__).parent
    texts = [path.read_text("utf-8") for path in here.rglob("*.py") if path.name not in ("test_codes.py",)]
    assert [code for code in sorted(ELSEWHERE) if not any(f'"{code}"' in text for text in texts)] == []
