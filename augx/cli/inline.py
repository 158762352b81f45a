"""Pictures in a terminal: by kitty's protocol, iTerm2's, or as sixels."""

from __future__ import annotations

import os
import re
import select
import sys
from base64 import b64encode
from collections.abc import Callable, Mapping
from contextlib import suppress

from augx.errors import Refused

_CHUNK = 4096  # letters at a time that kitty takes
_WAIT = 0.5  # seconds in which a terminal says what it can
_WAY_OUT = "write a file with -o; kitty, Ghostty, WezTerm, iTerm2, Konsole, foot and xterm with sixels show pictures"

Show = Callable[[bytes], str]  # a PNG -> what to print


def terminal() -> Show:
    """How the terminal shows a picture. Refused where it cannot."""
    if not sys.stdout.isatty():
        raise Refused("--show: the output is no terminal", "write a file with -o")
    found = by_name(os.environ)
    if found is None and _has_sixels():
        from augx.drawing.sixels import sixels

        found = sixels
    if found is None:
        raise Refused("--show: this terminal does not say that it can show pictures", _WAY_OUT)
    return found


def by_name(variables: Mapping[str, str]) -> Show | None:
    """As the terminal's own variables tell. What runs inside tmux or screen is asked instead."""
    term, program = variables.get("TERM", ""), variables.get("TERM_PROGRAM", "")
    if "TMUX" in variables or term.startswith(("screen", "tmux")):
        return None
    if "kitty" in term or "ghostty" in term or {"KITTY_WINDOW_ID", "KONSOLE_VERSION"} & variables.keys():
        return kitty
    if program in ("iTerm.app", "WezTerm", "mintty", "vscode") or variables.get("LC_TERMINAL") == "iTerm2":
        return iterm
    return None


def kitty(png: bytes) -> str:
    text = b64encode(png).decode()
    parts = [text[start : start + _CHUNK] for start in range(0, len(text), _CHUNK)]
    keys = ["a=T,f=100,", *[""] * (len(parts) - 1)]
    last = len(parts) - 1
    return "".join(
        f"\x1b_G{key}m={int(n < last)};{part}\x1b\\" for n, (key, part) in enumerate(zip(keys, parts, strict=True))
    )


def iterm(png: bytes) -> str:
    return f"\x1b]1337;File=inline=1;size={len(png)};preserveAspectRatio=1:{b64encode(png).decode()}\x07"


def _has_sixels() -> bool:
    """Whether the terminal says so when it is asked what it is (DA1: 4 among its features)."""
    with suppress(ImportError, OSError):
        import termios
        import tty

        with open("/dev/tty", "r+b", buffering=0) as console:
            before = termios.tcgetattr(console)
            try:
                tty.setcbreak(console.fileno())
                console.write(b"\x1b[c")
                answer = b""
                while select.select([console], [], [], _WAIT)[0] and not answer.endswith(b"c"):
                    answer += os.read(console.fileno(), 1)
            finally:
                termios.tcsetattr(console, termios.TCSADRAIN, before)
        told = re.search(rb"\x1b\[\?([\d;]*)c", answer)
        return told is not None and b"4" in told[1].split(b";")[1:]
    return False
