"""A headless Chromium, driven through its debugging pipe, for the tests of pages. None is no failure: they are skipped.

`CHROMIUM` names one; else it is looked for by its usual names.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "headless_shell")
_FLAGS = (
    "--headless", "--no-sandbox", "--no-zygote", "--single-process", "--disable-gpu", "--in-process-gpu",
    "--hide-scrollbars", "--disable-dev-shm-usage", "--no-first-run", "--remote-debugging-pipe",
)  # fmt: skip

_LAUNCH = """
import fcntl, os, sys
for wanted, given in enumerate([fcntl.fcntl(int(given), fcntl.F_DUPFD, 10) for given in sys.argv[1:3]], 3):
    os.dup2(given, wanted)
os.execvp(sys.argv[3], sys.argv[3:])
"""  # a browser reads from 3 and writes to 4


def found() -> str | None:
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, _NAMES)), None)


class Page:
    """One page. `said`: what the console and the log of the page said. `asked`: addresses it wanted from elsewhere."""

    def __init__(self, send: int, receive: int) -> None:
        self._send, self._receive = send, receive
        self._number, self._rest = 0, b""
        self.said: list[str] = []
        self.asked: list[str] = []
        target = self("Target.createTarget", {"url": "about:blank"})["targetId"]
        self._session: str | None = self("Target.attachToTarget", {"targetId": target, "flatten": True})["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self(f"{domain}.enable")

    _session = None

    def __call__(self, method: str, params: Mapping[str, Any] | None = None) -> Any:
        self._number += 1
        message = {"id": self._number, "method": method, "params": params or {}}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._send, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._number:
                assert "error" not in answer, answer["error"]
                return answer["result"]

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            some = os.read(self._receive, 1 << 16)
            assert some, "the browser has ended"
            self._rest += some
        text, self._rest = self._rest.split(b"\0", 1)
        message: dict[str, Any] = json.loads(text)
        method, params = message.get("method"), message.get("params", {})
        if method in ("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded"):
            self.said.append(json.dumps(params)[:500])
        if method == "Network.requestWillBeSent" and not params["request"]["url"].startswith(
            ("file:", "data:", "about:")
        ):
            self.asked.append(params["request"]["url"])
        return message

    def open(self, path: Path, width: int = 1280, height: int = 900, dark: bool = False) -> None:
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self("Emulation.setDeviceMetricsOverride", metrics)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self("Emulation.setEmulatedMedia", {"features": [scheme]})
        self("Page.navigate", {"url": path.resolve().as_uri()})
        while self._next().get("method") != "Page.loadEventFired":
            pass

    def run(self, script: str) -> Any:
        answer = self("Runtime.evaluate", {"expression": script, "returnByValue": True, "awaitPromise": True})
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def picture(self, whole: bool = False) -> bytes:
        """A PNG of what is on the screen, or of the whole page."""
        return base64.b64decode(self("Page.captureScreenshot", {"captureBeyondViewport": whole})["data"])

    def press(self, key: str) -> None:
        for kind in ("keyDown", "keyUp"):
            codes = {"Tab": 9, "Enter": 13, "ArrowDown": 40}
            self("Input.dispatchKeyEvent", {"type": kind, "key": key, "code": key, "windowsVirtualKeyCode": codes[key]})


@contextmanager
def page(folder: Path) -> Iterator[Page]:
    """`folder`: for the browser's profile."""
    theirs, send = os.pipe()
    receive, ours = os.pipe()
    chromium = found()
    assert chromium
    command = [chromium, *_FLAGS, f"--user-data-dir={folder}"]
    launch = [sys.executable, "-c", _LAUNCH, str(theirs), str(ours), *command]
    process = subprocess.Popen(launch, pass_fds=(theirs, ours), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.close(theirs)
    os.close(ours)
    try:
        yield Page(send, receive)
    finally:
        process.kill()
        process.wait()
        os.close(send)
        os.close(receive)
