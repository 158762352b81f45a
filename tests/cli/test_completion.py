"""What a shell completes, asked as Click's scripts for bash, zsh and fish ask it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.shell_completion import BashComplete, FishComplete, ShellComplete, ZshComplete

from augx import cli
from augx.bundled import descriptions
from augx.executors import EXECUTORS
from augx.formats import FORMATS


def completed(words: list[str], incomplete: str, kind: type[ShellComplete] = FishComplete) -> dict[str, str | None]:
    found = kind(cli.group, {}, "augx", "_AUGX_COMPLETE").get_completions(words, incomplete)
    return {item.value: item.help for item in found}


def test_verbs() -> None:
    assert completed([], "va").keys() == {"validate"}
    assert completed([], "").keys() == set(cli.VERBS)


@pytest.mark.parametrize("kind", [BashComplete, ZshComplete, FishComplete])
def test_transforms_and_whatever_else_can_be_shown(kind: type[ShellComplete]) -> None:
    found = completed(["show"], "Affi", kind)
    assert found == {"Affine": "rotates, scales, shifts and shears"}
    assert {"gentle", "coco", "truncated", "range-destroys", "local"} <= completed(["show"], "", kind).keys()
    assert completed(["show"], "randomb").keys() == {"RandomBrightnessContrast"}  # in any case


def test_recipes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.yaml").touch()
    (tmp_path / "notes.txt").touch()
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "strong.yml").touch()
    found = completed(["run", "in", "out", "-r"], "")
    assert found == descriptions() | {"mine.yaml": None, "more/": None}
    assert completed(["validate"], "m").keys() == {"medical", "mine.yaml", "more/"}
    assert completed(["validate"], "more/").keys() == {"more/strong.yml"}
    assert completed(["validate"], "nowhere/").keys() == set()


def test_formats_executors_codes() -> None:
    assert completed(["run", "in", "out", "--to"], "").keys() == FORMATS.keys()
    assert completed(["convert", "in", "out", "--to"], "co").keys() == {name for name in FORMATS if name[:2] == "co"}
    assert completed(["plan", "--from"], "yo")["yolo"] == FORMATS["yolo"].summary
    assert completed(["run", "in", "out", "--executor"], "").keys() == EXECUTORS.keys()
    assert completed(["validate", "--explain"], "range-d").keys() == {"range-destroys"}
    assert "transforms" in completed(["list"], "")
    assert completed(["completion"], "z").keys() == {"zsh"}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_scripts(shell: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.call(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert "_AUGX_COMPLETE" in script and "augx" in script
    program = shutil.which(shell)
    if program:
        (tmp_path / "script").write_text(script)
        assert subprocess.run([program, "-n", str(tmp_path / "script")]).returncode == 0


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_bash_completes(tmp_path: Path) -> None:
    """The script at work: bash itself, with an `augx` on its path."""
    augx = tmp_path / "augx"
    augx.write_text(f'#!/bin/sh\nexec {sys.executable} -m augx "$@"\n')
    augx.chmod(0o755)
    ask = 'eval "$(augx completion bash)"; COMP_WORDS=(augx show Affi); COMP_CWORD=2; _augx_completion augx; '
    ask += 'echo "${COMPREPLY[@]}"'
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    environment["PYTHONPATH"] = str(Path(cli.__file__).parents[2])
    done = subprocess.run(["bash", "-c", ask], env=environment, capture_output=True, text=True)
    assert done.stdout.split() == ["Affine"]
