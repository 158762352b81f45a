"""What executors may be told, and what is said where one is not installed."""

from __future__ import annotations

import importlib.util
import pickle
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from augx.cli import call
from augx.executors import EXECUTORS, load, on_dask, on_ray
from augx.executors.base import BOUNDLESS, NoEngine, StartError


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


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "there is no such file after 0 seconds"),
        ("", "holds no address"),
        ("{", "holds no address"),
        ("[]", "holds no address"),
        ('{"workers": {}}', "holds no address"),
        ("[" * 100_000, "holds no address"),
    ],
)
def test_a_scheduler_file_that_is_none(content: str | None, says: str, tmp_path: Path) -> None:
    """Dask itself would wait for it without end."""
    file = tmp_path / "scheduler.json"
    if content is not None:
        file.write_text(content)
    with pytest.raises(ValueError, match=says):
        on_dask._written(str(file), 0)
    with pytest.raises(ValueError, match="no such file"):
        on_dask._written(str(tmp_path), 0)
    file.write_text('{"address": "tcp://here:8786"}')
    assert on_dask._written(str(file), 0) == "tcp://here:8786"


def test_a_dask_task_names_nothing_of_augx_before_it_is_worked_on() -> None:
    """What a worker without augx cannot unpickle would end it; so the task is bytes to it."""
    call = pickle.dumps(on_dask._Call(("a run", pickle.dumps(partial(partial, pow, 2)), BOUNDLESS, 5)))
    assert pickle.loads(call) == ("error", pickle.loads(call)[1]) and "TypeError" in pickle.loads(call)[1]


def test_what_no_dask_worker_has() -> None:
    class Client:
        def scheduler_info(self) -> dict[str, Any]:
            return {"workers": {"a": {"resources": {"disk": 2.0}}, "b": {}}}

    on_dask._wait_for(Client(), {"disk": 2}, 0)
    for wanted in ({"disk": 3.0}, {"gold": 1.0}, {"disk": 1.0, "gold": 1.0}):
        with pytest.raises(ValueError, match="no worker has"):
            on_dask._wait_for(Client(), wanted, 0)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"num_gpus": "1"}, "has GPU 0, and a task would take 1"),
        ({"memory": "9e9"}, "has memory 4e"),
        ({"resources.disk": "1"}, "has disk 0, and a task would take 1"),
    ],
)
def test_what_a_ray_cluster_of_its_own_does_not_have(options: dict[str, str], says: str) -> None:
    with pytest.raises(StartError, match=says):
        on_ray._refuse_endless(on_ray._taken(options), {"CPU": 2.0, "memory": 4e9})
    on_ray._refuse_endless(on_ray._taken({"memory": "1e9"}), {"CPU": 2.0, "memory": 4e9})
