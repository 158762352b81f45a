"""A finished run, told to a person: verdicts first, then pictures, then figures."""

from __future__ import annotations

import json

from augx.model import Json
from augx.report.figures import Figures, figures
from augx.report.markdown import markdown
from augx.report.metrics import METRICS, gate, parse
from augx.report.page import page, probe_page
from augx.report.probed import read as read_probe
from augx.report.verdicts import as_json, verdicts
from augx.spare import check_place as _check_place
from augx.store import write_file

__all__ = [
    "METRICS",
    "Figures",
    "as_json",
    "check_place",
    "check_probe_place",
    "figures",
    "gate",
    "markdown",
    "page",
    "parse",
    "read_probe",
    "verdicts",
    "write",
    "write_probe",
]


def check_place(path: str) -> None:
    """Refused where the report cannot be written, or would lie in an OUTPUT."""
    _check_place(path, "report.html", "a report", (".html", ".htm"))


def write(path: str, found: Figures, name: str) -> None:
    write_file(path, page(found, name).encode())


def write_probe(path: str, told: Json) -> None:
    """What a probe found, as a page to look at, or as JSON where the path ends so."""
    as_json = path.lower().endswith(".json")
    text = json.dumps(told, ensure_ascii=False, indent=2) + "\n" if as_json else probe_page(told)
    write_file(path, text.encode("utf-8", "backslashreplace"))


def check_probe_place(path: str) -> None:
    _check_place(path, "probe.html", "what a probe found", (".html", ".htm", ".json"))
