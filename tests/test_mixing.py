"""Mixing, drawing again, overrides: from a recipe to what lies in OUTPUT."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from conftest import failures, picture, rows, tree
from PIL import Image
from running import a_recipe, fresh, run

from augx.errors import InputError
from augx.replay import replay

MIXUP = "[{mixup: {alpha: 1, p: 1}}]"


@pytest.fixture
def pets(tmp_path: Path) -> Path:
    """Thirty PNGs in three classes."""
    root = tmp_path / "pets"
    for number in range(30):
        folder = root / ("cat", "dog", "fox")[number % 3]
        folder.mkdir(parents=True, exist_ok=True)
        picture(number).save(folder / f"{number:02d}.png")
    return root


def pixels(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path)).astype(float)


def test_mixup_is_what_its_row_says(pets: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(pets, out, a_recipe(MIXUP), to_formats=("table",))
    mixed = [row for row in rows(out) if row["copy"]]
    assert len(mixed) == 60
    for row in mixed:
        (partner,), weight = row["partners"], row["transforms"][0]["params"]["lambda"]
        expected = weight * pixels(pets / row["source"]) + (1 - weight) * pixels(pets / partner)
        assert np.abs(pixels(out / row["file_name"]) - expected).max() <= 1
        mine, other = row["source"][:3], partner[:3]
        assert sum(row["labels"].values()) == pytest.approx(1, abs=1e-9)
        if mine != other:
            assert row["labels"] == pytest.approx({mine: weight, other: 1 - weight}, abs=1e-8)
            assert row["label"] is None


@pytest.mark.parametrize("kind", ["same", "other"])
def test_partners_of_the_same_or_another_class(pets: Path, tmp_path: Path, kind: str) -> None:
    out = tmp_path / "out"
    run(pets, out, a_recipe(f"[{{mixup: {{partners: {kind}, p: 1}}}}]"), to_formats=("table",))
    for row in rows(out):
        for partner in row["partners"]:
            assert (partner[:3] == row["source"][:3]) == (kind == "same")


def test_the_same_bytes_for_any_number_of_workers_and_a_newcomer_disturbs_few(pets: Path, tmp_path: Path) -> None:
    recipe = a_recipe("[{mosaic: {p: 1}}, HorizontalFlip]", copies=3)
    out = tmp_path / "out"
    run(pets, out, recipe, to_formats=("table",))
    assert tree(out) == tree(fresh(pets, tmp_path / "x", recipe, to_formats=("table",), workers=2))
    before = {row["file_name"]: row["sha256"] for row in rows(out)}
    picture(99).save(pets / "cat" / "99.png")
    outcome = run(pets, out, recipe, to_formats=("table",))
    after = {row["file_name"]: row["sha256"] for row in rows(out)}
    changed = [name for name, sha256 in before.items() if after[name] != sha256]
    assert outcome.made == 4 + 4 * 12  # the newcomer, and the twelve that have it among their partners now
    assert 0 < len(changed) <= 36
    assert tree(out) == tree(fresh(pets, tmp_path / "x", recipe, to_formats=("table",)))


def test_when_a_partner_changes_its_mixes_are_made_again(pets: Path, tmp_path: Path) -> None:
    recipe, out = a_recipe(MIXUP), tmp_path / "out"
    run(pets, out, recipe, to_formats=("table",))
    assert run(pets, out, recipe, to_formats=("table",)).made == 0
    picture(77).save(pets / "dog" / "01.png")
    assert run(pets, out, recipe, to_formats=("table",)).made == 3 * 9
    assert tree(out) == tree(fresh(pets, tmp_path / "x", recipe, to_formats=("table",)))


def test_a_broken_partner_is_passed_over(pets: Path, tmp_path: Path) -> None:
    (pets / "dog" / "01.png").write_bytes(b"\x89PNG\r\n\x1a\nno picture")
    out = tmp_path / "out"
    outcome = run(pets, out, a_recipe(MIXUP), to_formats=("table",))
    assert outcome.failed == 3
    assert {row["source"] for row in failures(out)} == {"dog/01.png"}
    assert all("dog/01.png" not in row["partners"] for row in rows(out))
    assert all(row["partners"] for row in rows(out) if row["copy"])


def test_without_partners_a_mix_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "one" / "cat").mkdir(parents=True)
    picture(1).save(tmp_path / "one" / "cat" / "1.png")
    out = tmp_path / "out"
    run(tmp_path / "one", out, a_recipe(MIXUP), to_formats=("table",))
    assert [(row["transforms"], row["equals"]) for row in rows(out) if row["copy"]] == [([], 0), ([], 0)]


def test_partners_are_never_of_another_split(tmp_path: Path) -> None:
    root = tmp_path / "pets"
    for number in range(24):
        folder = root / ("train", "val")[number % 2] / ("cat", "dog")[number % 4 // 2]
        folder.mkdir(parents=True, exist_ok=True)
        picture(number).save(folder / f"{number:02d}.png")
    out = tmp_path / "out"
    run(root, out, a_recipe(MIXUP, splits=["train", "val"]), to_formats=("table",))
    partners = [(row["split"], partner.split("/")[0]) for row in rows(out) for partner in row["partners"]]
    assert len(partners) == 48
    assert all(split == of for split, of in partners)


def test_replay_needs_the_row_and_the_sources_only(pets: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(pets, out, a_recipe("[{mixup: {p: 0.5}}, HorizontalFlip, {mosaic: {p: 0.5}}]"), to_formats=("table",))
    for row in rows(out)[::7]:
        assert replay(str(out), row["file_name"], str(tmp_path / "again.png"), None)[0], row
        assert replay(str(out), row["file_name"], str(tmp_path / "again.png"), str(pets))[0]


def test_weights_have_no_place_in_class_folders(pets: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        run(pets, tmp_path / "out", a_recipe(MIXUP))
    assert "--hard-labels" in str(caught.value.hint)
    assert not (tmp_path / "out").exists()


def test_hard_labels(pets: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    recipe = a_recipe("[{mixup: {p: 0.5}}, {mosaic: {p: 0.5}}]").replace(hard=True)
    run(pets, out, recipe)
    for row in rows(out):
        assert row["label"] == row["source"][:3] == row["file_name"][:3]
        for one in row["transforms"]:
            if one["name"] == "mixup":
                assert one["params"]["lambda"] >= 0.5
            else:
                assert {partner[:3] for partner in one["params"]["partners"]} == {row["label"]}


class TestDrawnAgain:
    def test_a_copy_that_equals_its_source_or_another(self, pets: Path, tmp_path: Path) -> None:
        out = tmp_path / "out"
        run(pets, out, a_recipe("[{D4: {p: 0.5}}]", copies=6))
        for source in {row["source"] for row in rows(out)}:
            mine = [row for row in rows(out) if row["source"] == source]
            same = [row for row in mine if row["equals"] is None]
            assert len({row["sha256"] for row in same}) == len(same)
            assert all(row["redrawn"] == 5 for row in mine if row["equals"] is not None)
        summary = json.loads((out / "summary.json").read_text())
        equal = sum(row["equals"] is not None for row in rows(out))
        assert summary["counts"]["equal"] == equal
        assert summary["multiplication"] > 5.5  # of seven; about four if nothing were drawn again
        assert summary["multiplication"] == pytest.approx((210 - equal) / 30, abs=1e-3)

    def test_more_copies_later_are_the_same_as_at_once(self, pets: Path, tmp_path: Path) -> None:
        out = tmp_path / "out"
        transforms = "[{D4: {p: 0.5}}]"
        run(pets, out, a_recipe(transforms, copies=3))
        run(pets, out, a_recipe(transforms, copies=7))
        (out / "cat" / "00_aug02.png").unlink()
        run(pets, out, a_recipe(transforms, copies=7))
        assert tree(out) == tree(fresh(pets, tmp_path / "x", a_recipe(transforms, copies=7)))

    def test_flat_copies_are_rejected(self, pets: Path, tmp_path: Path) -> None:
        out = tmp_path / "out"
        flat = "[{RandomBrightnessContrast: {brightness_limit: [2, 2], p: 1}}]"
        outcome = run(pets, out, a_recipe(flat, copies=1, reject={"flat": True}))
        assert outcome.failed == 30
        assert {(row["error"], row["stage"]) for row in failures(out)} == {("rejected", "transform")}
        assert "6 times" in failures(out)[0]["message"]


def test_overrides(pets: Path, tmp_path: Path) -> None:
    overrides = [
        {"when": {"class": "cat"}, "copies": 4},
        {"when": {"class": ["cat", "dog"]}, "transforms": ["InvertImg"], "copies": 1},
    ]
    out = tmp_path / "out"
    run(pets, out, a_recipe("[HorizontalFlip]", overrides=overrides, originals=False))
    counts = {name: sum(row["source"].startswith(name) for row in rows(out)) for name in ("cat", "dog", "fox")}
    assert counts == {"cat": 40, "dog": 10, "fox": 20}
    for row in rows(out):
        names = {one["name"] for one in row["transforms"]}
        assert row["override"] == {"cat": 1, "dog": 2, "fox": None}[row["source"][:3]]
        assert names <= ({"InvertImg"} if row["source"].startswith("dog") else {"HorizontalFlip"})
    # another recipe for dogs leaves the others as they are
    overrides[1]["transforms"] = ["Transpose"]
    outcome = run(pets, out, a_recipe("[HorizontalFlip]", overrides=overrides, originals=False))
    assert outcome.made == 10
