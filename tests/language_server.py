"""A client of `yaml-language-server`, just enough to ask what an editor asks: completion, hover, problems."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any


def installed(at: Path) -> list[str] | None:
    """How to start the server: from the path, or else installed by npm; None where neither can be."""
    if found := shutil.which("yaml-language-server"):
        return [found, "--stdio"]
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        return None
    line = [npm, "install", "--prefix", str(at), "--no-audit", "--no-fund", "yaml-language-server@1"]
    try:
        done = subprocess.run(line, capture_output=True, timeout=180)
    except subprocess.TimeoutExpired:
        return None
    server = at / "node_modules" / "yaml-language-server" / "bin" / "yaml-language-server"
    return [node, str(server), "--stdio"] if done.returncode == 0 and server.exists() else None


class Editor:
    """One open editor in a folder. `|` in a text is where the cursor stands."""

    def __init__(self, command: list[str], root: Path) -> None:
        self.root, self.number, self.problems = root, 0, {}
        self.server = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )

    def __enter__(self) -> Editor:
        abilities = {
            "textDocument": {
                "completion": {"completionItem": {"documentationFormat": ["markdown"], "snippetSupport": False}},
                "hover": {"contentFormat": ["markdown"]},
                "publishDiagnostics": {},
            },
            "workspace": {"configuration": True},
        }
        self.ask("initialize", {"processId": os.getpid(), "rootUri": self.root.as_uri(), "capabilities": abilities})
        self.tell("initialized", {})
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.server.kill()
        self.server.wait()
        for pipe in (self.server.stdin, self.server.stdout):
            assert pipe is not None
            pipe.close()

    def completion(self, text: str) -> dict[str, str]:
        """What is offered -> what is said of it."""
        found = self.ask("textDocument/completion", self.opened(text))
        offered = found["items"] if isinstance(found, dict) else found or []
        return {item["label"]: _text(item.get("documentation", "")) for item in offered}

    def hover(self, text: str) -> str:
        found = self.ask("textDocument/hover", self.opened(text))
        return _text(found["contents"]) if found else ""

    def diagnostics(self, text: str) -> list[str]:
        """What is underlined."""
        uri = self.opened(text + "|")["textDocument"]["uri"]
        while uri not in self.problems:
            self.handle(self.receive())
        return [problem["message"] for problem in self.problems[uri]]

    def opened(self, text: str) -> dict[str, Any]:
        """Opens a file with the text; the place of the cursor in it."""
        before, _, behind = text.partition("|")
        self.number += 1
        path = self.root / f"recipe{self.number}.yaml"
        path.write_text(before + behind)
        document = {"uri": path.as_uri(), "languageId": "yaml", "version": 1, "text": before + behind}
        self.tell("textDocument/didOpen", {"textDocument": document})
        place = {"line": before.count("\n"), "character": len(before.rpartition("\n")[2])}
        return {"textDocument": {"uri": path.as_uri()}, "position": place}

    def ask(self, method: str, params: Any) -> Any:
        self.number += 1
        mine = self.number
        self.send({"id": mine, "method": method, "params": params})
        while True:
            message = self.receive()
            if message.get("id") == mine and "method" not in message:
                assert "error" not in message, message
                return message["result"]
            self.handle(message)

    def handle(self, message: dict[str, Any]) -> None:
        """What the server asks and tells by itself."""
        if message.get("method") == "textDocument/publishDiagnostics":
            self.problems[message["params"]["uri"]] = message["params"]["diagnostics"]
        elif "id" in message and "method" in message:
            asked = message.get("params", {}).get("items", [])
            settings = {"validate": True, "hover": True, "completion": True, "schemaStore": {"enable": False}}
            answer = [settings if one.get("section") == "yaml" else None for one in asked]
            self.send(
                {"id": message["id"], "result": answer if message["method"] == "workspace/configuration" else None}
            )

    def tell(self, method: str, params: Any) -> None:
        self.send({"method": method, "params": params})

    def send(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0"} | message).encode()
        assert self.server.stdin is not None
        self.server.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self.server.stdin.flush()

    def receive(self) -> dict[str, Any]:
        assert self.server.stdout is not None
        length = 0
        while line := self.server.stdout.readline().strip():
            name, _, value = line.partition(b":")
            length = int(value) if name.lower() == b"content-length" else length
        found: dict[str, Any] = json.loads(self.server.stdout.read(length))
        return found


def _text(content: Any) -> str:
    return content["value"] if isinstance(content, dict) else str(content)
