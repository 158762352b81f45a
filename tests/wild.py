"""What is found in datasets in the wild, and what augx does about it: the rows of the table in the docs, each with
tiny datasets that show it. `test_wild.py` runs them all; those of one row must all come to the same.

`python tests/wild.py` brings the table up to date.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import tables
from wild_classes import CLASSES
from wild_data import ENDS, Flaw
from wild_files import FILES
from wild_images import IMAGES, LOSS, MASKS
from wild_names import NAMES
from wild_shapes import BOXES, CORNERS, KEYPOINTS, POLYGONS, RLES

README = Path(__file__).parent.parent / "examples" / "labels" / "README.md"
FLAWS = (*BOXES, *POLYGONS, *RLES, *KEYPOINTS, *CORNERS, *CLASSES, *NAMES, *FILES, *IMAGES, *MASKS, *LOSS)


def where(flaw: Flaw) -> str:
    """The formats that a flaw can occur in."""
    names = dict.fromkeys(made.format for made in flaw.made)
    return ", ".join(names) if names.keys() - {"folder", ""} else "any"


def codes(flaw: Flaw) -> list[str]:
    return sorted({made.code or flaw.code for made in flaw.made} - {""})


def does(flaw: Flaw) -> str:
    return "; ".join(part for part in (ENDS[flaw.end], flaw.does) if part)


def rows() -> str:
    """The table, as it stands in the docs."""
    head = ("what is wrong", "where", "what augx does", "code")
    lines = ((flaw.what, where(flaw), does(flaw), ", ".join(f"`{code}`" for code in codes(flaw))) for flaw in FLAWS)
    return tables.table(head, lines)


SECTIONS: Mapping[str, Callable[[], str]] = {"wild": rows}


def main() -> None:
    README.write_text(tables.updated(README.read_text("utf-8"), SECTIONS), "utf-8")


if __name__ == "__main__":
    main()
