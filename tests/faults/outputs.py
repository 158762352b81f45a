"""The harnesses of what is read in OUTPUT: summary, manifest, index, segments and intent."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

import wild_data
from label_sets import plant
from layouts import BETWEEN, put, room, said

from augx import journal, survey, verify
from augx.errors import OutputError
from augx.store import Folder

_FINISHED: Mapping[str, bytes] = {}


def an_output(data: bytes) -> None:
    """summary, manifest, index, segment and intent of OUTPUT. @M is the manifest's digest, @B its size, @S a seal on
    what is before it, back to the seal before."""
    plan, root, folder = _output()
    parts = data.split(BETWEEN, 4)
    summary, rows, index, segment, intent = [*parts, *[b""] * (5 - len(parts))]
    digest = hashlib.sha256(rows).hexdigest().encode()
    put(f"{root}/manifest.jsonl", rows)
    put(f"{root}/summary.json", summary.replace(b"@M", digest).replace(b"@B", b"%d" % len(rows)))
    put(f"{root}/.augx/index-0123456789abcdef.jsonl", _sealed(index.replace(b"@M", digest)))
    put(f"{root}/.augx/journal/0.0.jsonl", _sealed(segment))
    put(f"{root}/.augx/intent.jsonl", _sealed(intent))
    try:
        journal.owned(folder)
        state = journal.load(folder)
    except OutputError as error:
        said(error)
        return
    for name in (*state.files, *state.intent):
        assert folder.inside(name)
    for source, entry in state.entries.items():
        assert source == entry.source
        assert all(folder.inside(name) for name in entry.sums(folder)), "names of entries lie in OUTPUT"
        entry.images(folder)
        entry.tried()
        try:
            entry.rows(folder, sorted(entry.made()))
        except OutputError as error:
            said(error)
    survey.survey(plan, state, folder)


def _sealed(content: bytes) -> bytes:
    *bodies, rest = content.split(b"@S")
    return b"".join(body + journal.dump({"sha256": hashlib.sha256(body).hexdigest()}) for body in bodies) + rest


@cache
def _output() -> tuple[Any, str, Folder]:
    from running import a_recipe, run

    from augx.engine import Request, read

    source, root = room() / "source", room() / "output"
    plant(source, {"cat/a.png": wild_data.png(0), "dog/b.png": wild_data.png(1)})
    wanted = a_recipe("[HorizontalFlip]", copies=1)
    run(source, root, wanted)
    (root / ".augx" / "journal").mkdir(exist_ok=True)
    finished = {str(p.relative_to(root)): p.read_bytes() for p in sorted(root.rglob("*.json*"))}
    for path in (root / ".augx").glob("index-*"):
        path.unlink()
    global _FINISHED
    _FINISHED = finished
    return read(Request(str(source), str(root), wanted))[0], str(root), Folder(str(root))


def output_seeds() -> Iterable[bytes]:
    _output()
    rows, summary = _FINISHED["manifest.jsonl"], _FINISHED["summary.json"]
    index = next(data for name, data in _FINISHED.items() if "index-" in name)
    digest = hashlib.sha256(rows).hexdigest().encode()
    summary = (
        journal.dump(json.loads(summary)).replace(digest, b"@M").replace(b'"bytes": %d' % len(rows), b'"bytes": @B')
    )
    lines = index.replace(digest, b"@M").splitlines(keepends=True)
    sealed = b"".join(lines[:-1]) + b"@S"
    one = rows.splitlines(keepends=True)
    entry = json.loads(lines[1])
    segment = journal.dump(entry | {"copies": [0], "length": len(one[0])}) + one[0] + b"@S"
    intent = b'["cat/a.png", 0]\n["cat/a_aug01.png", 1]\n@S'
    least = {key: kind() for key, kind in journal._SUMMARY_KEYS.items()} | {"manifest": {"sha256": "@M", "bytes": 0}}
    least_summary = journal.dump(least).replace(b'"bytes": 0', b'"bytes": @B')
    kept = ("file_name", "source", "copy", "sha256", "key", "files", "notes", "source_bytes", "content_sha256")
    row = json.loads(one[0])
    short = journal.dump({key: row[key] for key in kept if key in row})
    yield BETWEEN.join((least_summary, short, sealed, b"", b""))
    yield BETWEEN.join((b"", b"", b"", segment, intent))
    yield BETWEEN.join((least_summary, short, b"", b"", b""))
    yield BETWEEN.join((b"", short, sealed, segment, intent))
    yield BETWEEN.join((summary, one[0], b"", b"", b""))
    yield BETWEEN.join((b"", b"", b'{"manifest": "@M", "files": ["a"]}\n@S', b"", b"[1]"))


def verified(data: bytes) -> None:
    """The manifest of OUTPUT, as `augx verify` doubts it."""
    _, root, _ = _output()
    for name in ("journal/0.0.jsonl", "intent.jsonl", "index-0123456789abcdef.jsonl"):
        if os.path.exists(f"{root}/.augx/{name}"):
            os.unlink(f"{root}/.augx/{name}")
    put(f"{root}/manifest.jsonl", data)
    put(f"{root}/summary.json", _FINISHED["summary.json"])
    try:
        _, findings = verify.verify(root, 1, deep=len(data) % 4 == 0)
    except OutputError as error:
        said(error)
        return
    assert findings or data == _FINISHED["manifest.jsonl"], "every change is found"
    for finding in findings:
        assert len(finding) < 100_000
        finding.encode("utf-8", "surrogateescape")


def verify_seeds() -> Iterable[bytes]:
    _output()
    lines = _FINISHED["manifest.jsonl"].splitlines(keepends=True)
    yield from (*lines, b"{}\n", b"")
