"""`augx.Manifest` and `augx.Images` on an OUTPUT that is damaged, or that somebody made to lead elsewhere."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import encoded

import augx
from augx import journal


@pytest.fixture
def made(photos: Path, tmp_path: Path) -> Path:
    (tmp_path / "secret.png").write_bytes(encoded(9, ".png"))
    augx.run(photos, tmp_path / "out", "gentle", copies=1, workers=0)
    return tmp_path / "out"


def forge(output: Path, line: int, text: bytes) -> None:
    """Another line in the manifest, and a summary that has its digest."""
    manifest = output / "manifest.jsonl"
    lines = manifest.read_bytes().splitlines(keepends=True)
    lines[line - 1] = text
    manifest.write_bytes(b"".join(lines))
    summary = json.loads((output / "summary.json").read_bytes())
    summary["manifest"]["sha256"] = hashlib.sha256(manifest.read_bytes()).hexdigest()
    (output / "summary.json").write_bytes(journal.summary_text(journal.signed(summary)))


def row(output: Path, line: int) -> dict[str, Any]:
    return dict(json.loads((output / "manifest.jsonl").read_bytes().splitlines()[line - 1]))


@pytest.mark.parametrize("name", ["../secret.png", "cat/../../secret.png", "/etc/passwd", ".augx/lock", "", "a\0b"])
@pytest.mark.parametrize("key", ["file_name", "mask", "instances"])
def test_names_do_not_lead_out(made: Path, key: str, name: str) -> None:
    known = augx.Manifest(made)[2]
    with pytest.raises(augx.Refused, match="is no file of this folder"):
        augx.Manifest(made).path(known | {"file_name": name})  # type: ignore[operator]
    forge(made, 3, json.dumps(row(made, 3) | {key: name}).encode() + b"\n")
    with pytest.raises(augx.Refused, match=r"out/manifest\.jsonl:3: .* is no file of this folder"):
        augx.Images(made)[2]
    with pytest.raises(augx.Refused, match=r"manifest\.jsonl:3: "):
        list(augx.Manifest(made))


def test_links_do_not_lead_out(made: Path, tmp_path: Path) -> None:
    example = augx.Images(made)[2]
    path = made / example.row["file_name"]
    path.unlink()
    path.symlink_to(tmp_path / "secret.png")
    with pytest.raises(augx.Refused, match="leads out of OUTPUT"):
        _ = example.image


@pytest.mark.parametrize(
    ("change", "use"),
    [
        ({"labels": 5}, lambda one: one.weights),
        ({"labels": {"cow": 1}}, lambda one: one.weights),
        ({"label": 7}, lambda one: one.label),
        ({"objects": 3}, lambda one: one.boxes),
        ({"objects": [{"bbox": None, "label": "cat"}]}, lambda one: one.boxes),
        ({"objects": [{"bbox": [1, 2, 3], "label": "cat"}]}, lambda one: one.boxes),
        ({"objects": [{"label": "cow"}]}, lambda one: one.box_labels),
        ({"file_name": None}, lambda one: one.image),
        ({"files": None}, lambda one: one.image),
    ],
)
def test_a_damaged_row_is_told_with_its_line(made: Path, change: Any, use: Callable[[augx.Example], Any]) -> None:
    forge(made, 3, json.dumps(row(made, 3) | change).encode() + b"\n")
    with pytest.raises(augx.Refused, match=r"out/manifest\.jsonl:3: this is not as augx writes it") as caught:
        use(augx.Images(made)[2])
    assert "augx verify" in caught.value.hint
    assert augx.Images(made)[1].image.ndim == 3


@pytest.mark.parametrize("text", [b"5\n", b"null\n", b"{}\n", b'{"file_name": "a.p', b"\xff\n", b"[" * 9999 + b"\n"])
def test_a_line_that_is_no_row_is_told(made: Path, text: bytes) -> None:
    forge(made, 12, text)
    with pytest.raises(augx.Refused, match=r"manifest\.jsonl:12: "):
        augx.Manifest(made)[11]
    with pytest.raises(augx.Refused, match=r"manifest\.jsonl:12: "):
        augx.Images(made, split=None, transform=lambda one: one.row)[-1]


def test_a_manifest_that_the_summary_does_not_know_is_refused(made: Path) -> None:
    manifest = made / "manifest.jsonl"
    whole = manifest.read_bytes()
    for data in (b"", whole[:-9], whole + b"5\n", b"".join(whole.splitlines(keepends=True)[:3])):
        manifest.write_bytes(data)
        with pytest.raises(augx.Refused, match=r"manifest\.jsonl is not the one that summary\.json was written for"):
            augx.Images(made)
    manifest.unlink()
    with pytest.raises(augx.Refused, match=r"manifest\.jsonl cannot be read: No such file"):
        augx.Manifest(made)
    manifest.write_bytes(whole)
    (made / "failures.jsonl").write_bytes(b"5\n")
    with pytest.raises(augx.Refused, match=r"failures\.jsonl is not the one"):
        _ = augx.Manifest(made).failures


def test_a_damaged_summary_is_refused(made: Path) -> None:
    path = made / "summary.json"
    path.write_text(path.read_text().replace('"copies": 6', '"copies": 7'))
    with pytest.raises(augx.Refused, match=r"summary\.json is damaged"):
        augx.Manifest(made)


def test_a_picture_that_is_gone_or_spoilt_is_told(made: Path) -> None:
    images = augx.Images(made)
    path = made / images[4].row["file_name"]
    path.write_bytes(b"junk")
    with pytest.raises(augx.Refused, match=rf"manifest\.jsonl:5: {images[4].row['file_name']}.*cannot be decoded"):
        _ = images[4].image
    path.unlink()
    with pytest.raises(augx.Refused, match=rf"{path} cannot be read: No such file") as caught:
        _ = images[4].image
    assert "augx verify" in caught.value.hint
