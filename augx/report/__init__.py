"""A finished run, told to a person: verdicts first, then pictures, then figures."""

from __future__ import annotations

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


def check_place(path: str) -> None:
    """Refused where the report cannot be written, or would lie in an OUTPUT."""
    _check_place(path, "report.html", "a report", (".html", ".htm"))


def write(path: str, found: Figures, name: str) -> None:
    write_file(path, page(found, name).encode())
