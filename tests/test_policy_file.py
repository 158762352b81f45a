"""The file that `augx learn policy` writes: read by recipes, known as ours until it is edited, all without torch."""

from __future__ import annotations

from pathlib import Path

import pytest

from augx import artefact, recipe
from augx.cli import call
from augx.learn import policy_file, probe, subpolicies
from augx.model import Sample

OPS: subpolicies.SubPolicy = [{"Rotate": {"m": 4, "p": 0.7}}, {"Affine": {"scale": [0.8, 1.2], "keep_ratio": True}}]
FILE = """\
#
# How it was found.
#
# Why:
#   2 of 3
#
# request 12ab
version: 1
policies:
  # +3.1 ± 0.4
  - - Rotate: {m: 4, p: 0.7}
    - Affine: {scale: [0.8, 1.2], keep_ratio: true}
  # +2.0 ± 0.4
  - - HorizontalFlip: {}
"""


def text(said: tuple[str, ...] = ("How it was found.", "Why:", "  2 of 3")) -> str:
    return policy_file.text(said, [(OPS, "+3.1 ± 0.4"), ([{"HorizontalFlip": {}}], "+2.0 ± 0.4")], "12ab")


def test_it_is_read_by_a_recipe(tmp_path: Path) -> None:
    found = text()
    first, _, rest = found.partition("\n")
    assert first.startswith("# Written by `augx learn policy`; digest ") and rest == FILE
    (tmp_path / "found.yaml").write_text(found, "utf-8")
    (tmp_path / "recipe.yaml").write_text("version: 1\ntransforms:\n  - policy: found.yaml\n")
    (step,) = recipe.read(tmp_path / "recipe.yaml").steps
    assert step.args["policies"] == [OPS, [{"HorizontalFlip": {}}]]


def test_it_is_ours_until_somebody_edits_it(tmp_path: Path) -> None:
    found = text().encode()
    assert policy_file.ours(found)
    for edited in (found.replace(b"m: 4", b"m: 5"), found + b"\n", found[:-1], found[1:], b"", b"\xff" * 99):
        assert not policy_file.ours(edited)
    path = tmp_path / "found.yaml"
    path.write_bytes(found)
    assert policy_file.there(str(path), "12ab") == found.decode()
    assert policy_file.there(str(path), "12a") == ""
    assert policy_file.there(str(tmp_path / "none.yaml"), "12ab") == ""
    path.write_bytes(found.replace(b"m: 4", b"m: 5"))
    assert policy_file.there(str(path), "12ab") == ""


@pytest.mark.parametrize("name", ["a\nversion: 2", "a\rb", "a\x85b", "a\u2028b", "\udcff", "Käse", "#"])
def test_no_name_breaks_out_of_a_comment(name: str, tmp_path: Path) -> None:
    found = text((f"classes: {name}", f"  {name}"))
    assert policy_file.ours(found.encode())
    (tmp_path / "found.yaml").write_bytes(found.encode())
    (tmp_path / "recipe.yaml").write_text("version: 1\ntransforms:\n  - policy: found.yaml\n")
    assert len(recipe.read(tmp_path / "recipe.yaml").steps[0].args["policies"]) == 2


def test_it_is_written_over_nothing_else(photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mine = tmp_path / "found.yaml"
    mine.write_bytes(text().encode() + b"  - - VerticalFlip: {}\n")
    for path, why in (
        (mine, "there already only a policy of `augx learn`, as it wrote it, is written over; give another -o"),
        (tmp_path / "found.safetensors", "a policy ends in .yaml or .yml"),
        (photos / "found.yaml", "lies in INPUT"),
    ):
        assert call(["learn", "policy", str(photos), "-o", str(path)]) == 2
        assert why in " ".join(capsys.readouterr().err.split())
    assert mine.read_bytes().endswith(b"VerticalFlip: {}\n")


def test_it_notes_which_pictures_it_was_found_on(tmp_path: Path) -> None:
    samples = [Sample(f"{number}.png") for number in range(100)]
    found = policy_file.text(("Why.",), [(OPS, "+3.1")], "12ab", artefact.sketch(samples))
    assert policy_file.ours(found.encode()) and max(map(len, found.splitlines())) <= 200
    (tmp_path / "found.yaml").write_text(found, "utf-8")
    (tmp_path / "recipe.yaml").write_text("version: 1\ntransforms:\n  - policy: found.yaml\n")
    known = recipe.read(tmp_path / "recipe.yaml").replace(copies=3)
    assert known.policies == {"found.yaml": artefact.sketch(samples)}
    said = "{}: the figure is optimistic: found.yaml was found on pictures that are held out here, about {} of its own"
    assert probe._seen(known, samples) == [said.format(tmp_path / "recipe.yaml", "100%")]
    assert probe._seen(known, [Sample(f"other/{number}.png") for number in range(100)]) == []
    half = probe._seen(known, samples[:50])
    assert len(half) == 1 and "found on pictures that are held out here, about 50%" in half[0]
