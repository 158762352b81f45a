"""What executors may be told, and what is said where one is not installed."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest

from augx.cli import call
from augx.executors import EXECUTORS, load
from augx.executors.base import NoEngine


@pytest.mark.parametrize(
    ("name", "options", "says"),
    [
        ("local", {"address": "auto"}, "local has no option 'address'"),
        ("ray", {"adress": "auto"}, "ray has no option 'adress'"),
        ("ray", {"resources.": "1"}, "has no option"),
        ("ray", {"num_cpus": "two"}, "num_cpus=two: that is no number"),
        ("ray", {"memory": "-1"}, "memory=-1: that is no number"),
        ("ray", {"resources.disk": "x"}, "resources.disk=x"),
        ("dask", {"namespace": "a"}, "dask has no option 'namespace'"),
        ("dask", {"timeout": "nan"}, "timeout=nan"),
    ],
)
def test_refused(name: str, options: dict[str, str], says: str) -> None:
    with pytest.raises(NoEngine, match=says):
        load(name).ready(options)


@pytest.mark.parametrize(("name", "package"), [("ray", "ray"), ("dask", "distributed")])
def test_not_installed(
    name: str, package: str, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    """A clear word, and nothing is written."""
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda what, *more: None if what == package else real(what, *more))
    output = tmp_path / "out"
    assert call(["run", str(photos), str(output), "--executor", name]) == 2
    said = capsys.readouterr().err
    assert "is not installed" in said and f"pip install 'augx[{name}]'" in said
    assert not output.exists()


@pytest.mark.parametrize("text", ["address", "=auto", ""])
def test_an_option_that_is_no_pair(text: str, photos: Path, tmp_path: Path, capsys: Any) -> None:
    assert call(["run", str(photos), str(tmp_path / "out"), "--executor-option", text]) == 2
    assert "write NAME=VALUE" in capsys.readouterr().err


def test_an_option_of_another_executor(photos: Path, tmp_path: Path, capsys: Any) -> None:
    assert call(["run", str(photos), str(tmp_path / "out"), "--executor-option", "address=auto"]) == 2
    assert "local has no option 'address'" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", EXECUTORS)
def test_its_options_are_shown(name: str, capsys: Any) -> None:
    assert call(["show", name]) == 0
    said = capsys.readouterr().out
    assert said.startswith(f"{name}: ")
    assert all(f"--executor-option {option}" in said for option in load(name).OPTIONS)
