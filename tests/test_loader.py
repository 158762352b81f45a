"""`augx.Images` in a torch DataLoader: three lines of a training script."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import encoded

import augx


@pytest.mark.learn
def test_a_loader_gives_images_and_labels_in_order(tmp_path: Path) -> None:
    data: Any = pytest.importorskip("torch.utils.data")
    for number in range(5):
        path = tmp_path / "in" / ("cat", "dog")[number % 2] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encoded(number, ".png"))
    augx.run(tmp_path / "in", tmp_path / "out", "gentle", copies=2, workers=0)
    images = augx.Images(tmp_path / "out", transform=_pair)
    batches = list(data.DataLoader(images, batch_size=4, num_workers=2))
    assert [len(labels) for _, labels in batches] == [4, 4, 4, 3]
    wanted = [(example.image, example.label) for example in augx.Images(tmp_path / "out")]
    assert np.array_equal(np.concatenate([pixels.numpy() for pixels, _ in batches]), [image for image, _ in wanted])
    assert [int(label) for _, labels in batches for label in labels] == [label for _, label in wanted]
    assert {label for _, label in wanted} == {0, 1}
    shuffled = [int(label) for _, labels in data.DataLoader(images, 4, shuffle=True, num_workers=2) for label in labels]
    assert sorted(shuffled) == sorted(label for _, label in wanted)


@pytest.mark.learn
def test_the_readme_makes_a_loader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch.utils.data")
    (tmp_path / "photos" / "train" / "cat").mkdir(parents=True)
    (tmp_path / "photos" / "train" / "cat" / "a.png").write_bytes(encoded(0, ".png"))
    augx.run(tmp_path / "photos", tmp_path / "photos-x10", "gentle", copies=40, workers=0)
    readme = (Path(__file__).parents[1] / "README.md").read_text("utf-8")
    (script,) = re.findall(r"```python\n([^`]*DataLoader[^`]*)```", readme)
    monkeypatch.chdir(tmp_path)
    found: dict[str, Any] = {"augx": augx}
    exec(script, found)
    assert len(found["loader"]) == 2
    assert len(found["loader"].dataset[0]) == 2


def _pair(example: augx.Example) -> tuple[Any, int]:
    return example.image, example.label
