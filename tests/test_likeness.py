"""Pictures that show the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from augx import images, likeness
from augx.likeness import Fingerprints, across, alike, fingerprints, group_names
from augx.model import Annotations, Dataset, Flaw, ImageOptions, Picture, Sample
from augx.store import Source

Pixels = NDArray[Any]


def scene(seed: int, width: int = 240, height: int = 180) -> Pixels:
    """A soft sky with things on it, none like another, within 30..220."""
    rng = np.random.default_rng(seed)
    field = cv2.resize(rng.uniform(60, 190, (5, 6, 3)), (width, height), interpolation=cv2.INTER_CUBIC)
    for _ in range(6):
        x, y = int(rng.integers(0, width)), int(rng.integers(0, height))
        colour = tuple(float(c) for c in rng.integers(30, 220, 3))
        cv2.ellipse(field, (x, y), (int(rng.integers(8, 50)), int(rng.integers(8, 40))), 30.0, 0, 360, colour, -1)
    return np.clip(field, 30, 220).astype(np.uint8)


def prints(folder: Path, **pictures: Pixels | Picture | bytes) -> Fingerprints:
    """Of pictures written as PNG, or of files as they are."""
    sources: dict[str, Source] = {}
    for name, one in pictures.items():
        picture = one if isinstance(one, (bytes, Picture)) else Picture(np.ascontiguousarray(one))
        data = picture if isinstance(picture, bytes) else images.encode(picture, ".png", ImageOptions())
        (folder / name).write_bytes(data)
        sources[name] = Source(str(folder / name))
    return fingerprints(sources)


def jpeg(pixels: Pixels, quality: int) -> bytes:
    return images.encode(Picture(pixels), ".jpg", ImageOptions(quality=quality))


def resized(pixels: Pixels, width: int, height: int) -> Pixels:
    return cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA)


def changed(pixels: Pixels) -> dict[str, Pixels | bytes]:
    noise = np.random.default_rng(0).normal(0, 8, pixels.shape)
    return {
        "jpeg75": jpeg(pixels, 75),
        "jpeg40": jpeg(pixels, 40),
        "half": resized(pixels, 120, 90),
        "fifth": resized(pixels, 48, 36),
        "double": cv2.resize(pixels, (480, 360), interpolation=cv2.INTER_CUBIC),
        "stretched": resized(pixels, 128, 128),
        "brighter": pixels + np.uint8(20),
        "darker": (pixels * 0.85).astype(np.uint8),
        "gamma": (255 * (pixels / 255) ** 0.8).astype(np.uint8),
        "grey": cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY),
        "deep": pixels.astype(np.uint16) * 200,
        "noise": np.clip(pixels + noise, 0, 255).astype(np.uint8),
    }


@pytest.mark.parametrize("seed", range(4))
def test_what_shows_the_same_is_alike(seed: int, tmp_path: Path) -> None:
    pixels = scene(seed)
    copies = changed(pixels)
    assert alike(prints(tmp_path, original=pixels, **copies)) == [tuple(sorted([*copies, "original"]))]


def test_what_shows_something_else_is_not(tmp_path: Path) -> None:
    pixels = scene(0)
    others = {f"scene{seed}": scene(seed) for seed in range(1, 100)}
    turned = {"mirrored": pixels[:, ::-1], "upside": pixels[::-1], "negative": 255 - pixels}
    assert alike(prints(tmp_path, original=pixels, **turned, **others)) == []


def test_turned_by_exif_is_the_same(tmp_path: Path) -> None:
    """A picture stored on its side with an orientation, and one stored upright."""
    pixels = scene(3)
    stored = jpeg(np.ascontiguousarray(np.rot90(pixels)), 92)
    exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
    turned = stored[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + stored[2:]
    assert alike(prints(tmp_path, plain=pixels, turned=turned, untagged=stored)) == [("plain", "turned")]


def test_flat_and_unreadable_files_are_like_no_other(tmp_path: Path) -> None:
    flat = np.full((40, 50), 255, np.uint8)
    found = prints(tmp_path, flat1=flat, flat2=flat, dot=np.zeros((1, 1), np.uint8), broken=b"no image", good=scene(1))
    assert found.names == ("good",)
    assert alike(found) == []
    gone = fingerprints({"gone": Source(str(tmp_path / "gone"))})
    assert (gone.names, gone.bits.shape, alike(gone)) == ((), (0, 16), [])


def test_what_is_transparent_does_not_count(tmp_path: Path) -> None:
    """Two black drawings on nothing, which differ in their alpha only."""
    rng = np.random.default_rng(0)
    ink = np.zeros((64, 64, 3), np.uint8)
    shapes = [resized(rng.integers(0, 2, (4, 4)).astype(np.uint8) * 255, 64, 64) for _ in range(2)]
    pictures = {f"shape{n}": Picture(ink, alpha) for n, alpha in enumerate(shapes)}
    assert alike(prints(tmp_path, **pictures, copy=Picture(ink, shapes[0]))) == [("copy", "shape0")]


def made_up(bits: Pixels) -> Fingerprints:
    """Fingerprints of given bits, (n, 128), with looks that are all the same."""
    looks = np.tile(np.arange(256, dtype=np.uint8), (len(bits), 1))
    return Fingerprints(tuple(f"{n:05d}" for n in range(len(bits))), np.packbits(bits, axis=1), looks)


@given(st.integers(0, 2**32 - 1), st.integers(0, 16))
def test_all_pairs_within_the_distance_are_found(seed: int, distance: int) -> None:
    rng = np.random.default_rng(seed)
    first, second = rng.integers(0, 2, (2, 128), dtype=np.uint8)
    near, far = first.copy(), second.copy()
    near[rng.permutation(128)[:distance]] ^= 1
    far[rng.permutation(128)[: distance + 1]] ^= 1
    assert alike(made_up(np.array([first, second, near, far])), distance) == [("00000", "00002")]


def test_groups_against_comparing_each_with_each() -> None:
    rng = np.random.default_rng(5)
    centres = rng.integers(0, 2, (40, 128))
    bits = (centres[rng.integers(0, 40, 300)] ^ (rng.random((300, 128)) < 0.06)).astype(np.uint8)
    near = (bits[:, None] != bits[None]).sum(axis=2) <= 12
    while np.any(near != (wider := (near.astype(int) @ near) > 0)):
        near = wider
    expected = {tuple(f"{n:05d}" for n in np.flatnonzero(row)) for row in near if row.sum() > 1}
    assert set(alike(made_up(bits))) == expected
    assert len(expected) > 20


def test_many_frames_of_one_scene() -> None:
    """Once they are one group, they are not compared any more."""
    rng = np.random.default_rng(6)
    bits = (rng.integers(0, 2, 128) ^ (rng.random((1000, 128)) < 0.02)).astype(np.uint8)
    assert [len(group) for group in alike(made_up(bits))] == [1000]


def test_looks_decide_where_bits_agree() -> None:
    same = made_up(np.zeros((2, 128), np.uint8))
    looks = same.looks.copy()
    looks[1] = looks[1][::-1]
    assert alike(same) == [("00000", "00001")]
    assert alike(Fingerprints(same.names, same.bits, looks)) == []


def test_a_large_set_in_little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(7)
    bits = (rng.integers(0, 2, (10, 128))[rng.integers(0, 10, 200)] ^ (rng.random((200, 128)) < 0.03)).astype(np.uint8)
    whole = alike(made_up(bits))
    monkeypatch.setattr(likeness, "_AT_ONCE", 7)
    assert alike(made_up(bits)) == whole


def test_duplicates_across_splits_are_told() -> None:
    names = {"a.jpg": "train", "b.jpg": "val", "c.jpg": "train", "d.jpg": "train", "e.jpg": None, "f.jpg": "val"}
    dataset = Dataset("root", "folder", tuple(Sample(id, Annotations(), split) for id, split in names.items()))
    groups = [("a.jpg", "b.jpg", "c.jpg"), ("d.jpg", "e.jpg")]
    message = "one picture, or nearly, in 2 splits: train: a.jpg, c.jpg; val: b.jpg"
    assert across(dataset, groups) == [Flaw("near-duplicate", "a.jpg", message)]
    unsplit = replace(dataset, samples=tuple(replace(sample, split=None) for sample in dataset.samples))
    assert across(unsplit, groups) == []
    assert group_names(groups) == dict.fromkeys(groups[0], "a.jpg") | dict.fromkeys(groups[1], "d.jpg")
