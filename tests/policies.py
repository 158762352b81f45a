"""What augx does with pictures of every mode and with files of every kind: the tables of examples/policies/README.md,
and the list of reason codes. `test_policies_table.py` runs every row.

`python tests/policies.py` brings the file up to date.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import tables
from policies_files import KINDS, Kind
from policies_modes import MODES, TARGETS

from augx.codes import CODES, ENDS

README = Path(__file__).parent.parent / "examples" / "policies" / "README.md"


def modes() -> str:
    rows = ((mode.what, *(_code(cell) for cell in mode.becomes), _codes(mode.notes)) for mode in MODES)
    return tables.table(("picture", *(f"as {target}" for target in TARGETS), "note"), rows)


def files() -> str:
    rows = ((kind.what, "; ".join(filter(None, (_end(kind), kind.does))), _counted(kind)) for kind in KINDS)
    return tables.table(("what lies in INPUT", "what augx does", "where summary.json counts it"), rows)


def codes() -> str:
    parts = []
    for end, means in ENDS.items():
        rows = (
            (f"`{name}`", code.meaning, code.way_out) for name, code in sorted(CODES.items()) if code.ends[0] == end
        )
        parts += [f"**{end[0].upper()}{end[1:]}**: {means}.", tables.table(("code", "means", "what to do"), rows)]
    return "\n\n".join(parts)


def _code(cell: str) -> str:
    return f"`{cell}`" if cell in CODES else cell


def _codes(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _end(kind: Kind) -> str:
    if kind.failures:
        return "the image fails, the others are made"
    if kind.used:
        return "used, with a warning" if kind.warnings else "used"
    if kind.warnings:
        return "left out, with a warning"
    return "left out" if kind.ignored else "left alone"


def _counted(kind: Kind) -> str:
    places = {"failures": kind.failures, "warnings": kind.warnings, "ignored": kind.ignored}
    told = [f"{place}: {_codes(tuple(counts))}" for place, counts in places.items() if counts]
    return "; ".join(["counts", *told] if kind.used else told) or "nowhere"


SECTIONS: Mapping[str, Callable[[], str]] = {"modes": modes, "files": files, "codes": codes}


def main() -> None:
    README.write_text(tables.updated(README.read_text("utf-8"), SECTIONS), "utf-8")


if __name__ == "__main__":
    main()
