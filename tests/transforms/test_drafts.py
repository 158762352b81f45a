"""Large JPEGs that are decoded no larger than their copies need: as near to the truth as when they are decoded in full,
found damaged alike, and the same bytes whichever copies are made. Pictures are small here, and taken for large.
"""

from __future__ import annotations

import io
import random
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from conftest import rows
from gate_cases import code
from numpy.typing import NDArray
from PIL import Image
from running import a_recipe, run
from test_fusion import LIGHTS, photo, reference, step

from augx import images
from augx.images import Decoded, decode
from augx.model import Mask, Picture, Step
from augx.replay import replay
from augx.seeds import Rng
from augx.transforms.pipeline import Pipeline
from augx.transforms.sampling import Drafts
from augx.transforms.tones import DraftedPatches, Patches

Array = NDArray[Any]
SMALL = [step("Resize", height=40, width=56)]
CROP = "[HorizontalFlip, {Rotate: {limit: 15, p: 1}}, {RandomBrightnessContrast: {p: 1}}, {GaussianBlur: {p: 0.5}}, \
{RandomResizedCrop: {size: [40, 40], scale: [0.3, 1], p: 1}}]"


@pytest.fixture(autouse=True)
def taken_for_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "_LEAST_DRAFT", 0)


def jpeg(pixels: Array, **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", **{"quality": 95} | options)
    return buffer.getvalue()


def drafts_of(found: Decoded) -> Drafts:
    assert found.draft
    return Drafts(found.picture.pixels, found.draft.level, found.draft.small, found.draft.whole)


def drafted(steps: list[Step], data: bytes, level: int, copy: int = 0, mask: Mask | None = None) -> Picture:
    found = decode(data, drafted=lambda width, height: level)
    rng = Rng()
    picture = Picture(found.picture.pixels, mask=mask)
    return Pipeline(steps)(picture, lambda step: rng.at(0, "a.png", copy, step), drafts=drafts_of(found))[0]


def in_full(steps: list[Step], data: bytes, copy: int = 0, mask: Mask | None = None) -> Picture:
    rng = Rng()
    picture = Picture(decode(data).picture.pixels, mask=mask)
    return Pipeline(steps)(picture, lambda step: rng.at(0, "a.png", copy, step))[0]


def off(one: Array, other: Array) -> float:
    """Root mean square, in levels."""
    return float(np.sqrt(np.square(one.astype(float) - other).mean()))


def shrinking(seed: int) -> list[Step]:
    """Turned, lit, blurred, in any order, and made a fourth to a twelfth in size."""
    r = random.Random(seed)
    steps = [step("HorizontalFlip"), step("Rotate", limit=20, fill=r.choice([0, 200])), r.choice(LIGHTS[:2])(r)]
    steps += [step("GaussianBlur", sigma_limit=[0.5, 2])] * r.randint(0, 1)
    r.shuffle(steps)
    side = r.randint(24, 64)
    return [*steps, r.choice([
        step("Resize", height=side, width=side), step("RandomResizedCrop", size=[side // 2, side // 2], scale=[0.5, 1]),
    ])]  # fmt: skip


def nearness(seeds: range, more: float) -> None:
    """Errors of what is made of drafts, against those of what is made of the same pictures decoded in full."""
    found = []
    for seed in seeds:
        data, steps = jpeg(photo(seed, 283, 205)), shrinking(seed)
        truth = reference(steps, decode(data).picture.pixels, seed)
        if level := Pipeline(steps).drafted(283, 205, images.SMALLEST):
            ours, theirs = drafted(steps, data, level, seed), in_full(steps, data, seed)
            found.append((off(ours.pixels, truth), off(theirs.pixels, truth), seed))
    assert len(found) > 0.7 * len(seeds)
    assert all(ours < theirs + 1.2 for ours, theirs, _ in found), found
    assert sum(ours for ours, *_ in found) < more * sum(theirs for _, theirs, _ in found), found


def test_as_near_to_the_truth_as_when_decoded_in_full() -> None:
    nearness(range(4), 1.1)


@pytest.mark.slow
def test_as_near_to_the_truth_in_a_hundred_recipes() -> None:
    nearness(range(100), 1.01)


@pytest.mark.parametrize("sides", [(413, 297), (412, 300), (409, 303), (400, 304)])
@pytest.mark.parametrize("level", [1, 2])
def test_pixels_and_masks_lie_where_they_lay(level: int, sides: tuple[int, int]) -> None:
    """Sides that the level does not divide: a disk has the same middle to a twentieth of a pixel."""
    width, height = sides
    disk = np.zeros((height, width), np.uint8)
    cv2.circle(disk, (width - 90, height - 80), 60, 255, -1, cv2.LINE_AA)
    data = jpeg(np.repeat(disk[..., None], 3, axis=2))
    for steps in (SMALL, [step("Rotate", limit=[10, 10]), *SMALL], [step("CenterCrop", height=280, width=400), *SMALL]):
        ours, theirs = (way(steps, data) for way in (lambda *given: drafted(*given, level), in_full))
        assert ours.pixels.shape == theirs.pixels.shape == (40, 56, 3)
        (x, y), (u, v) = (middle(one.pixels) for one in (ours, theirs))
        assert abs(x - u) < 0.05 and abs(y - v) < 0.05, steps


def middle(pixels: Array) -> tuple[float, float]:
    found = cv2.moments(pixels[..., 0])
    return found["m10"] / found["m00"], found["m01"] / found["m00"]


def test_who_looks_at_pixels_first_gets_all_of_them() -> None:
    data = jpeg(photo(1, 413, 297))
    for steps in (
        [step("GaussNoise"), *SMALL],
        [step("ImageCompression"), *SMALL],
        [step("MedianBlur", blur_limit=5), *SMALL],
        [step("CenterCrop", height=60, width=80)],  # which does not shrink
        [step("Rotate", limit=9, border_mode="reflect"), *SMALL],
        [step("Posterize", num_bits=1), *SMALL],
        [step("Resize", height=40, width=56, interpolation="nearest")],
    ):
        assert np.array_equal(drafted(steps, data, 2).pixels, in_full(steps, data).pixels), steps
    for steps in ([step("GaussNoise"), *SMALL], [step("CenterCrop", height=60, width=80)], [step("HorizontalFlip")]):
        assert Pipeline(steps).drafted(413, 297, 2) == 0


def test_a_level_is_one_of_recipe_and_size() -> None:
    by_side = {side: Pipeline(SMALL).drafted(side * 56 // 40, side, 2) for side in (100, 130, 240, 400)}
    assert by_side == {100: 0, 130: 1, 240: 2, 400: 2}


def test_nothing_but_plain_jpegs_is_decoded_smaller() -> None:
    pixels = photo(2, 400, 296)
    level = lambda width, height: 1  # noqa: E731
    assert decode(jpeg(pixels), drafted=level).draft
    grey = decode(jpeg(pixels[..., 0]), drafted=level)
    assert grey.draft and grey.draft.small.shape == (148, 200) and grey.picture.pixels.shape == (296, 400)
    cmyk, png = io.BytesIO(), io.BytesIO()
    Image.fromarray(pixels).convert("CMYK").save(cmyk, "JPEG")
    Image.fromarray(pixels).save(png, "PNG")
    for data in (jpeg(pixels, progressive=True), cmyk.getvalue(), png.getvalue()):
        whole, found = decode(data), decode(data, drafted=level)
        assert found.draft is None and np.array_equal(found.picture.pixels, whole.picture.pixels)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_what_a_camera_turned(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    for width, height in ((400, 296), (413, 297)):
        data = jpeg(photo(3, width, height), exif=exif)
        whole, found = decode(data), decode(data, drafted=lambda width, height: 2)
        assert found.orientation == whole.orientation == orientation
        if width % 8 and orientation > 1:  # its grid would begin at the other edge
            assert found.draft is None
            continue
        assert found.draft and found.picture.pixels.shape == whole.picture.pixels.shape
        assert np.array_equal(found.draft.whole(), whole.picture.pixels)
        assert off(drafted(SMALL, data, 2).pixels, in_full(SMALL, data).pixels) < 2


def test_damage_is_found_as_in_full() -> None:
    """A JPEG cut or changed anywhere ends alike, decoded smaller or not."""
    levels = {1: lambda *_: 1, 2: lambda *_: 2}
    r = random.Random(0)
    plain = jpeg(photo(4, 200, 152), quality=60)
    for data in (plain, jpeg(photo(5, 203, 149), subsampling=0), jpeg(photo(6, 200, 152)[..., 0])):
        ends = [data[:at] for at in r.sample(range(200, len(data)), 20)]
        closed = [cut + b"\xff\xd9" for cut in ends]
        flipped = [data[:at] + bytes((data[at] ^ 1 << r.randrange(8),)) + data[at + 1 :]
                   for at in r.sample(range(len(data)), 40)]  # fmt: skip
        codes = set()
        for spoilt in (*ends, *closed, *flipped):
            for level in (1, 2):
                found = code(spoilt, by=partial(decode, drafted=levels[level]))
                assert found == code(spoilt)
                codes.add(found)
        assert {"", "truncated"} <= codes


def test_tones_follow_a_draft_where_it_makes_no_difference() -> None:
    half = np.arange(256, dtype=np.uint8) // 2
    stepped = np.where(np.arange(256) < 128, 0, 255).astype(np.uint8)
    drafts = drafts_of(decode(jpeg(photo(7, 413, 297)), drafted=lambda *_: 1))
    patches = DraftedPatches(drafts)
    assert patches.follow((half,)) and patches.alike((half,), 4) and patches.follow(())
    assert not patches.follow((stepped,)) and not patches.alike((stepped,), 4)
    assert Patches(photo(7)).follow((stepped,))


def test_a_run_of_drafts(tmp_path: Path) -> None:
    """The same bytes whichever copies are made, in whatever run; replayed; and labels in their pictures."""
    source = tmp_path / "in" / "a"
    source.mkdir(parents=True)
    for number in range(2):
        (source / f"{number}.jpg").write_bytes(jpeg(photo(number, 413, 297)))
    run(tmp_path / "in", tmp_path / "all", a_recipe(CROP, copies=5))
    run(tmp_path / "in", tmp_path / "grown", a_recipe(CROP, copies=2))
    run(tmp_path / "in", tmp_path / "grown", a_recipe(CROP, copies=5))
    whole = {row["file_name"]: row["sha256"] for row in rows(tmp_path / "all")}
    assert len(whole) == 12 and whole == {row["file_name"]: row["sha256"] for row in rows(tmp_path / "grown")}
    for name in ("a/0_aug01.jpg", "a/0_aug04.jpg", "a/1_aug05.jpg", "a/1.jpg"):
        assert replay(str(tmp_path / "all"), name, str(tmp_path / "again.jpg"), None)[0]
    run(tmp_path / "in", tmp_path / "png", a_recipe(CROP, copies=1, output={"image": {"format": "png"}}))
    with Image.open(tmp_path / "png" / "a" / "0.png") as original:
        assert np.array_equal(np.asarray(original), decode(jpeg(photo(0, 413, 297))).picture.pixels)
