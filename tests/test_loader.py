"""`augx.Images` in a torch DataLoader: three lines of a training script."""

from __future__ import annotations

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


def _pair(example: augx.Example) -> tuple[Any, int]:
    return example.image, example.label
