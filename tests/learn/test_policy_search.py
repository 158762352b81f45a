"""`augx learn policy` with torch, on stripes that lie or stand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import encoded, rows
from PIL import Image

from augx.cli import call
from augx.learn import subpolicies
from augx.transforms.own.base import make

pytest.importorskip("torch")
pytestmark = pytest.mark.learn
SMALL = {"_FAST_DRAWN": 32, "_LEAST_DRAWN": 32, "_COPIES": 2, "_STEPS": 30}


@pytest.fixture(scope="module")
def stripes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root, random = tmp_path_factory.mktemp("data") / "stripes", np.random.default_rng(1)
    for name in ("lying", "standing"):
        (root / name).mkdir(parents=True)
        for number in range(12):
            wave = np.sin(np.arange(32) * random.uniform(0.5, 1.2) + random.uniform(0, 6)) * 60 + 128
            pixels = np.broadcast_to(wave[:, None], (32, 32)) + random.normal(0, 25, (32, 32))
            pixels = np.clip(pixels if name == "lying" else pixels.T, 0, 255).astype(np.uint8)
            Image.fromarray(pixels).convert("RGB").save(root / name / f"{number:02d}.png")
    return root


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    from augx.learn import policy_search

    for name, value in SMALL.items():
        monkeypatch.setattr(policy_search, name, value)


def learn(place: Path, output: Path, *more: str) -> int:
    command = ["learn", "policy", str(place), "-o", str(output), "--fast", "--threads", "1", "--device", "cpu"]
    return call([*command, *more])


@pytest.fixture(scope="module")
def found(stripes: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from augx.learn import policy_search

    path = tmp_path_factory.mktemp("found") / "found.yaml"
    with pytest.MonkeyPatch.context() as patch:
        for name, value in SMALL.items():
            patch.setattr(policy_search, name, value)
        assert learn(stripes, path, "-q") == 0
    return path


def test_the_file_says_how_it_was_found_and_a_recipe_reads_it(found: Path, stripes: Path, tmp_path: Path) -> None:
    text = found.read_text()
    assert text.startswith("# Written by `augx learn policy`; digest ")
    for said in (
        "on 24 pictures of 2 classes (lying, standing), seen at 32 x",
        "32 sub-policies on    20 pictures: ",
        " 4 sub-policies on    24 pictures: ",
        "Use it in a recipe:  - policy: found.yaml",
    ):
        assert said in text
    assert text.count("  # +") + text.count("  # -") == text.count("\n  - - ") == 2
    assert max(map(len, text.splitlines())) <= 200
    (tmp_path / "recipe.yaml").write_text(f"version: 1\ncopies: 2\ntransforms:\n  - policy: {found}\n")
    out = tmp_path / "out"
    assert call(["run", str(stripes), str(out), "-r", str(tmp_path / "recipe.yaml"), "-q"]) == 0
    assert sum(1 for row in rows(out) if row["copy"]) == 48
    assert Path(f"{found}.png").read_bytes().startswith(b"\x89PNG")
    assert not Path(f"{found}.part").exists()


def test_gains_fall_from_the_first_to_the_last(found: Path) -> None:
    gains = [float(line.split()[1]) for line in found.read_text().splitlines() if line.startswith("  # ")]
    assert gains == sorted(gains, reverse=True)


def test_the_same_request_finds_the_same_and_another_seed_another(
    found: Path, stripes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    again = tmp_path / "found.yaml"
    assert learn(stripes, again) == 0
    assert again.read_bytes() == found.read_bytes()
    assert "32 sub-policies, looked at by 5 networks on cpu, about" in capsys.readouterr().err
    assert learn(stripes, again) == 0
    assert "nothing to do" in capsys.readouterr().out
    assert learn(stripes, again, "--seed", "1", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert [one["tried"] for one in told["rungs"]] == [32, 16, 8, 4]
    assert len(told["policies"]) == 2 and again.read_bytes() != found.read_bytes()


@pytest.mark.parametrize("stop", [3, 53])
def test_a_killed_search_goes_on_and_finds_the_same(
    found: Path, stripes: Path, tmp_path: Path, stop: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    from augx.learn import policy_search

    monkeypatch.setattr(policy_search, "_KEEP", 0.0)
    cut, look, seen = tmp_path / "found.yaml", policy_search._Hunt._look, [0]

    def counted(self: Any, *more: Any) -> Any:
        seen[0] += 1
        if seen[0] == stop + 7:  # that many are looked at for the time they take
            raise KeyboardInterrupt
        return look(self, *more)

    with monkeypatch.context() as patch:
        patch.setattr(policy_search._Hunt, "_look", counted)
        assert learn(stripes, cut, "-q") == 130
    assert not cut.exists()
    seen[0] = stop + 100
    monkeypatch.setattr(policy_search._Hunt, "_look", counted)
    assert learn(stripes, cut, "-q") == 0
    assert cut.read_bytes() == found.read_bytes()
    assert seen[0] - stop - 100 == 32 + 16 + 8 + 4 + 4 - (stop - 1)


def test_a_file_that_was_edited_is_not_written_over(
    found: Path, stripes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = tmp_path / "found.yaml"
    mine.write_bytes(found.read_bytes().replace(b"p: 0.5", b"p: 0.6") + b"\n")
    before = mine.read_bytes()
    assert learn(stripes, mine) == 2
    assert "as it wrote it" in capsys.readouterr().err
    assert mine.read_bytes() == before
    assert learn(stripes, tmp_path / "found.safetensors") == 2
    assert "a policy ends in .yaml or .yml" in capsys.readouterr().err


def test_what_it_refuses(tmp_path: Path, stripes: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from augx.learn import policy_search

    out = tmp_path / "found.yaml"
    few = tmp_path / "few"
    for name in ("cat", "dog"):
        (few / name).mkdir(parents=True)
        for number in range(9 if name == "cat" else 12):
            (few / name / f"{number}.png").write_bytes(encoded(number, ".png"))
    assert learn(few, out) == 2
    assert "the class cat has 9 pictures; `learn policy` needs 10 of each" in capsys.readouterr().err
    image = {"id": 1, "file_name": "cat/1.png", "width": 32, "height": 32}
    box = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 1, 9, 9], "area": 81, "iscrowd": 0}
    coco = {"images": [image], "annotations": [box], "categories": [{"id": 1, "name": "cat"}]}
    (few / "annotations.json").write_text(json.dumps(coco))
    assert learn(few, out, "--from", "coco") == 2
    assert "`learn policy` knows classification so far, and" in capsys.readouterr().err
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(policy_search, "_BETTER", 100.0)
        assert learn(stripes, out) == 2
    assert "networks only guess on these pictures" in capsys.readouterr().err
    assert learn(stripes, out, "--budget", "1s") == 2
    assert "and --budget gives 1 s" in capsys.readouterr().err
    assert not out.exists() and not Path(f"{out}.part").exists()


def test_a_damaged_checkpoint_is_refused(
    found: Path, stripes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from augx.learn import files, policy_search

    out = tmp_path / "found.yaml"

    def killed(*more: Any) -> Any:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(policy_search._Hunt, "_rung", killed)
        assert learn(stripes, out, "-q") == 130
    state, text = files.kept(f"{out}.part") or ({}, "")
    for bad in (json.loads(text) | {"seen": [{"x": 1}]}, json.loads(text) | {"drawn": 10**9}):
        files.keep(f"{out}.part", state, json.dumps(bad))
        assert learn(stripes, out) == 2
        assert "is damaged" in capsys.readouterr().err


def test_a_gain_is_half_of_the_best_copy_and_half_of_their_mean(monkeypatch: pytest.MonkeyPatch) -> None:
    from augx.learn import policy_search
    from augx.learn.policy_search import _Hunt

    class Arm:
        def of_each(self, recipe: Any, places: Any) -> list[Any]:
            return [np.zeros((made, 4, 4, 3), np.uint8) for made in (2, 2, 2, self.last)]

        last = 2

    hunt, arm = object.__new__(_Hunt), Arm()
    hunt.arm, hunt.fold = arm, np.array([0, 4, 0, 1, 9])  # type: ignore[assignment]
    hunt.base = np.array([0.5, 0.5, 0.2, 0.0])
    shares = np.array([0.9, 0.5, 0.5, 0.5, 0.4, 0.0, 0.2, 0.2])  # two copies of each, one after the other
    monkeypatch.setattr(_Hunt, "_recipe", lambda *more: None)
    monkeypatch.setattr(_Hunt, "_asked", lambda *more: (shares, shares > 1))
    seen = hunt._look([], 0, [0, 1, 2, 3])
    gains = [0.8 - 0.5, 0.0, 0.3 - 0.2, 0.2]
    assert np.allclose(seen.halves, [(gains[0] + gains[2]) / 2, (gains[1] + gains[3]) / 2])
    assert np.allclose(seen.folds, [(gains[0] + gains[2]) / 2, gains[3], 0, 0, gains[1]])
    arm.last = 1  # a copy could not be made
    assert hunt._look([], 0, [0, 1, 2, 3]).mean == policy_search._OUT


def test_all_that_can_be_drawn_is_a_policy() -> None:
    ops = []
    for name, at in subpolicies.SPACE:
        ops += [{name: {**(at(strength) if at else {}), "p": 0.5}} for strength in range(1, 11)]
    make("policy", {"policies": [[op] for op in ops]})
    some = subpolicies.drawn(50, 3)
    assert some == subpolicies.drawn(80, 3)[:50] != subpolicies.drawn(50, 4)
    assert len({subpolicies.flow(one) for one in some}) == 50
