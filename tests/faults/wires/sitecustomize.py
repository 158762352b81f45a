"""Imported by every Python that has this folder on PYTHONPATH: writes down what it does that augx never should.

TRIPWIRE_LOG is a folder, where each process has a file of its own; TRIPWIRE_OUTPUT is where files may be written, and
TRIPWIRE_MARK stands in all input, and so may stand in nothing that is compiled.
"""

from __future__ import annotations

import json
import os
import re
import socket
import sys
from typing import Any

LOG, OUTPUT, MARK = (os.environ[f"TRIPWIRE_{name}"] for name in ("LOG", "OUTPUT", "MARK"))
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
PLACES = {  # event -> which of its arguments are paths of what is written
    "open": (0,), "os.rename": (0, 1), "os.remove": (0,), "os.mkdir": (0,), "os.rmdir": (0,), "os.link": (0, 1),
    "os.symlink": (1,), "os.truncate": (0,), "os.chmod": (0,), "os.chown": (0,), "os.utime": (0,), "os.setxattr": (0,),
    "shutil.rmtree": (0,), "shutil.move": (0, 1), "shutil.copyfile": (1,), "tempfile.mkstemp": (0,),
}  # fmt: skip
COMMANDS = {"subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.startfile", "pty.spawn"}
# What the pipe between a run and its workers, and the fork server, are made of.
PICKLED = ("augx.", "multiprocessing.", "functools", "builtins", "collections", "array")
# multiprocessing's own: the folder where its fork server listens, and how `tempfile` tries where that may be.
OWN = re.compile(
    rf"{re.escape(os.path.realpath(os.environ['TMPDIR']))}/(pymp-[^/]+(/.*)?|[a-z0-9_]{{8}})|(.*/)?listener-[^/]+"
)


def _path(value: Any, beside: int = -1) -> str:
    """`beside`: the descriptor of the folder that a name is in, as `shutil.rmtree` has it; -1: the working folder."""
    if not isinstance(value, (str, bytes, os.PathLike)):
        return ""
    folder = os.readlink(f"/proc/self/fd/{beside}") if beside >= 0 else ""
    return os.path.realpath(os.path.join(folder, os.fsdecode(value)))


def _wrong(event: str, args: tuple[Any, ...]) -> bool:
    if event == "open" and not (isinstance(args[2], int) and args[2] & WRITING):
        return False
    if event in PLACES:
        beside = args[1] if event in ("os.rmdir", "os.remove") else -1
        paths = [_path(args[index], beside) for index in PLACES[event]]
        ours = (OUTPUT, "/dev/null", os.path.join(os.path.dirname(OUTPUT), f".augx-{os.getpid()}"))
        return any(p and p not in ours and not p.startswith(OUTPUT + "/") and not OWN.fullmatch(p) for p in paths)
    if event in COMMANDS:
        return True
    if event == "pickle.find_class":
        return not f"{args[0]}.".startswith(tuple(one.rstrip(".") + "." for one in PICKLED))
    if event == "compile":
        source = args[0]
        text = source.decode("utf-8", "replace") if isinstance(source, bytes) else source
        return isinstance(text, str) and MARK in text
    if event == "socket.__new__":
        return bool(args[1] not in (socket.AF_UNIX, -1))  # -1: of a descriptor that is there already
    return event in (
        "socket.getaddrinfo",
        "socket.gethostbyname",
        "socket.sethostname",
        "urllib.Request",
        "ftplib.connect",
    )


def _hook(event: str, args: tuple[Any, ...]) -> None:
    global _busy
    if event not in _HEARD or _busy:
        return
    _busy = True
    try:
        if _wrong(event, args):
            line = json.dumps([event, [repr(one)[:300] for one in args]]) + "\n"
        elif event in ("pickle.find_class", "compile"):
            return
        else:
            line = json.dumps(["", event]) + "\n"
        descriptor = os.open(os.path.join(LOG, str(os.getpid())), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.write(descriptor, line.encode())
        os.close(descriptor)
    finally:
        _busy = False


_HEARD = {
    *PLACES, *COMMANDS, "pickle.find_class", "compile", "socket.__new__", "socket.getaddrinfo", "socket.gethostbyname",
    "socket.sethostname", "urllib.Request", "ftplib.connect",
}  # fmt: skip
_busy = False
sys.addaudithook(_hook)
