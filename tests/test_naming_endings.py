"""Which ending the copies of a source get."""

from __future__ import annotations

import pytest

from augx.naming import ENDINGS, READABLE, written_ending


@pytest.mark.parametrize(
    ("name", "image_format", "ending"),
    [
        ("a/b.JPG", "keep", ".JPG"),
        ("b.jpeg", "keep", ".jpeg"),
        ("b.TiFF", "keep", ".TiFF"),
        ("b.jpe", "keep", ".jpg"),
        ("b.JFIF", "keep", ".jpg"),
        ("b.mpo", "keep", ".jpg"),
        ("b.apng", "keep", ".png"),
        ("b.dib", "keep", ".bmp"),
        ("b.gif", "keep", ".png"),
        ("b.", "keep", ".png"),
        (".jpg", "keep", ".png"),
        ("..jpg", "keep", ".jpg"),
        ("a.jpg/b", "keep", ".png"),
        ("b.jpg", "png", ".png"),
        ("b.png", "jpeg", ".jpg"),
        ("b.png", "tiff", ".tif"),
    ],
)
def test_written_ending(name: str, image_format: str, ending: str) -> None:
    assert written_ending(name, image_format) == ending


def test_endings_and_readable_agree() -> None:
    assert {READABLE[ending] for ending in ENDINGS.values()} == set(READABLE.values())
    assert all(READABLE[ending] == image_format.upper() for image_format, ending in ENDINGS.items())
