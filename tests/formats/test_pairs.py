"""Every format to every other: what both hold survives equal as data, the rest is refused by name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import label_pairs
import label_tables
import pytest
import tables
from label_pairs import SOURCES, TARGETS, Pair, format_of
from label_tables import CHANGES

from augx.formats import ReadOptions, load


@pytest.fixture(scope="module")
def found() -> Mapping[tuple[str, str], Pair]:
    return label_tables.found()


@pytest.mark.parametrize(
    "source",
    SOURCES,
)
def test_what_both_hold_survives(source: str, found: Mapping[tuple[str, str], Pair]) -> None:
    lost = {target: sorted(found[source, target].lost) for target in TARGETS if found[source, target].lost}
    assert not lost, "gone without a word"
    for target in TARGETS:
        for kind in found[source, target].changed:
            assert (target, kind) in CHANGES, f"as {target}, {kind} are others"


def test_every_change_that_is_documented_is_there(found: Mapping[tuple[str, str], Pair]) -> None:
    assert {(target, kind) for (_, target), pair in found.items() for kind in pair.changed} == set(CHANGES)


@pytest.mark.parametrize("source", SOURCES)
def test_what_a_format_cannot_hold_is_refused_by_name(
    source: str, found: Mapping[tuple[str, str], Pair], tmp_path: Path
) -> None:
    name = format_of(source)
    held = label_pairs.held(load(name).read(str(label_pairs.plant(source, tmp_path)), ReadOptions()))
    for target in TARGETS:
        writer = load(target)
        as_rle = "instances" in held and "instances" not in writer.holds and "rle" in writer.holds
        kinds = held - {"instances"} | {"rle"} if as_rle else held
        expected = frozenset() if target == name else writer.lost(frozenset(kinds))
        assert found[source, target].refused == expected, target


def test_a_format_holds_what_it_reads(found: Mapping[tuple[str, str], Pair]) -> None:
    """From a format into itself nothing is refused, and nothing changes but HF's masks, whose column has one type."""
    for source in SOURCES:
        if (name := format_of(source)) in TARGETS:
            pair = found[source, name]
            assert (pair.refused, pair.changed) == (frozenset(), frozenset({"rle"} if name == "hf" else ())), source


def test_only_folders_need_a_class_for_each_image(found: Mapping[tuple[str, str], Pair]) -> None:
    assert {target for (_, target), pair in found.items() if pair.barred} == {"folder"}


def test_the_sources_have_every_kind_that_is_written() -> None:
    """But for those that are read again as another kind."""
    read = label_tables.read()
    missing = {(name, kind) for name in TARGETS for kind in load(name).holds - read[name]}
    assert missing == {("dota", "boxes"), ("yolo", "rle")}


def test_the_tables_are_up_to_date() -> None:
    text = label_tables.README.read_text("utf-8")
    try:
        fresh = tables.updated(text, label_tables.SECTIONS) == text
    except ValueError as error:
        pytest.fail(f"{label_tables.README} {error}", pytrace=False)
    if not fresh:
        pytest.fail("examples/labels/README.md is out of date; run: python tests/label_tables.py", pytrace=False)
