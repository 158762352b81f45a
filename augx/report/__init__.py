"""A finished run, told to a person: verdicts first, then pictures, then figures."""

from __future__ import annotations

import os

from augx.errors import Refused
from augx.report.figures import Figures, figures
from augx.report.markdown import markdown
from augx.report.metrics import METRICS, gate, parse
from augx.report.page import page
from augx.report.verdicts import as_json, verdicts
from augx.spare import check_place as _check_place
from augx.store import write_file

__all__ = [
    "METRICS",
    "Figures",
    "as_json",
    "check_place",
    "figures",
    "gate",
    "markdown",
    "page",
    "parse",
    "verdicts",
    "write",
]


def check_place(path: str, output: str) -> None:
    """Refused where the report cannot be written, or would lie in an OUTPUT."""
    if os.path.splitext(path)[1].lower() not in (".html", ".htm"):
        raise Refused(f"{path}: a report ends in .html", "--json and --markdown print the figures")
    _check_place(path)


def write(path: str, found: Figures, name: str) -> None:
    write_file(path, page(found, name).encode())
