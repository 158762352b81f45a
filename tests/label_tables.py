"""The tables of examples/labels/README.md, found out by converting tiny datasets of every format to every other:
`python tests/label_tables.py` brings the file up to date.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

import label_pairs
import tables
from label_pairs import SOURCES, TARGETS, Pair

from augx.formats import FORMATS, ReadOptions, load
from augx.objects import KINDS

README = Path(__file__).parent.parent / "examples" / "labels" / "README.md"

# (output format, kind of label) -> as what it is written, where it cannot be as it was but nothing need be refused
CHANGES: Mapping[tuple[str, str], str] = {
    ("dota", "boxes"): "the four corners of the box",
    ("yolo", "boxes"): "four corners, where other objects of the dataset are polygons or oriented boxes",
    ("yolo", "instances"): "the outline of each object's pixels",
    ("yolo", "polygons"): "one ring: several are joined by bridges of no width",
    ("yolo", "rle"): "its outline as one ring",
    ("labelme", "polygons"): "several rings become shapes of one group",
    ("labelme", "instances"): "each object has its own mask",
    ("labelme", "boxes"): "a box is left out where a mask says it",
    ("cvat", "polygons"): "several rings become shapes of one group",
    ("cvat", "instances"): "each object has its own mask",
    ("cvat", "boxes"): "a box is left out where a mask says it; that of a skeleton becomes a shape of its group",
    ("coco", "instances"): "each object has its own RLE",
    ("hf", "instances"): "each object has its own RLE",
    ("hf", "rle"): "its outline, where other objects of the dataset are polygons: a column has one type",
}


@cache
def found() -> Mapping[tuple[str, str], Pair]:
    """(source, output format) -> what becomes of its labels."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        pairs = {}
        for number, source in enumerate(SOURCES):
            planted = label_pairs.plant(source, root)
            for target in TARGETS:
                pairs[source, target] = label_pairs.convert(source, planted, target, root / f"{number}-{target}")
    return pairs


@cache
def read() -> Mapping[str, frozenset[str]]:
    """Format -> the kinds of label that are read from it."""
    kinds: dict[str, set[str]] = {name: set() for name in FORMATS}
    with tempfile.TemporaryDirectory() as folder:
        for source in SOURCES:
            root = label_pairs.plant(source, Path(folder))
            name = label_pairs.format_of(source)
            kinds[name] |= label_pairs.held(load(name).read(str(root), ReadOptions()))
    return {name: frozenset(held) for name, held in kinds.items()}


def holds() -> str:
    kinds = list(KINDS)
    rows = []
    for name, said in read().items():
        target = load(name)
        written = target.holds if target.writes else frozenset()
        cells = (("r" if kind in said else "") + ("w" if kind in written else "") for kind in kinds)
        rows.append((f"`{name}`", *cells))
    legend = "; ".join(f"*{kind}*: {words}" for kind, words in KINDS.items())
    return f"r: read, w: written. {legend}.\n\n{tables.table(('format', *kinds), rows)}"


def pairs() -> str:
    rows = []
    for source in SOURCES:
        cells = (_cell(found()[source, target]) for target in TARGETS)
        rows.append((f"`{source.split(',')[0]}`{source.partition(',')[2]}", *cells))
    ways = [f"- `{target}`, {kind}: {how}" for (target, kind), how in CHANGES.items()]
    explained = (
        "Rows are what is read, columns what is written. **all**: every kind of label comes out equal as data. "
        "**none**: there is no kind that both hold. Otherwise *no* names what is refused, and left out with "
        "`--allow-loss`, and ~ what is written in another way:"
    )
    head = ("from", *(f"`{target}`" for target in TARGETS))
    return "\n\n".join((explained, "\n".join(ways), tables.table(head, rows)))


def _cell(pair: Pair) -> str:
    if pair.barred or not pair.kept | pair.changed:
        return "none"
    if pair.changed | pair.refused | pair.lost == frozenset():
        return "all"
    order = list(KINDS)
    parts = []
    for mark, kinds in (("no ", pair.refused | pair.lost), ("~ ", pair.changed)):
        if kinds:
            parts.append(mark + ", ".join(sorted(kinds, key=order.index)))
    return "; ".join(parts)


SECTIONS: Mapping[str, Callable[[], str]] = {"holds": holds, "pairs": pairs}


def main() -> None:
    before = README.read_text("utf-8")
    try:
        after = tables.updated(before, SECTIONS)
    except ValueError as error:
        sys.exit(f"{README.name} {error}")
    if after != before:
        README.write_text(after, "utf-8")
    print(f"{README.name}: {'up to date' if after == before else 'written anew'}")


if __name__ == "__main__":
    main()
