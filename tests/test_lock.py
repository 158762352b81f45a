"""One writer at a time."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from augx.errors import OutputError
from augx.lock import locked


def test_a_second_holder_is_told_of_the_first(tmp_path: Path) -> None:
    with locked(str(tmp_path)), pytest.raises(OutputError, match=rf"process {os.getpid()} on ") as caught:
        locked(str(tmp_path)).__enter__()
    assert caught.value.hint == "wait for it to end"


def test_it_is_let_go_in_the_end(tmp_path: Path) -> None:
    for _ in range(2):
        with pytest.raises(ZeroDivisionError), locked(str(tmp_path)):
            raise ZeroDivisionError
    assert (tmp_path / ".augx" / "lock").read_bytes() == b""


def test_it_is_let_go_when_its_holder_is_killed(tmp_path: Path) -> None:
    script = "import os, signal, sys; from augx.lock import locked\nwith locked(sys.argv[1]): os.kill(os.getpid(), 9)"
    killed = subprocess.run([sys.executable, "-c", script, str(tmp_path)])
    assert killed.returncode == -9
    assert b'"pid"' in (tmp_path / ".augx" / "lock").read_bytes()
    with locked(str(tmp_path)):
        pass


def test_a_lock_file_with_nonsense(tmp_path: Path) -> None:
    with locked(str(tmp_path)):
        (tmp_path / ".augx" / "lock").write_bytes(b"[1]")
        with pytest.raises(OutputError, match="by another augx"):
            locked(str(tmp_path)).__enter__()
