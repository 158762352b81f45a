"""What fuzzing has found, and what of it reaches most code: each input once through its harness."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest
import readers

CORPORA = Path(__file__).parent / "corpora"


@pytest.mark.filterwarnings("ignore:.*:UserWarning:PIL")
@pytest.mark.parametrize("name", readers.HARNESSES)
def test_each_keeps_its_promise(name: str) -> None:
    kept = sorted((CORPORA / name).iterdir())
    assert kept
    for path in kept:
        try:
            readers.HARNESSES[name](path.read_bytes())
        except Exception as error:
            raise AssertionError(f"{name}/{path.name}") from error


def test_headers_that_stand_for_the_next_one() -> None:
    """What reads tars goes one call deeper for each of them; as a file they are too large to keep."""
    header = tarfile.TarInfo("././@LongLink")
    header.type = tarfile.GNUTYPE_LONGNAME
    readers.HARNESSES["webdataset"](b"0" + header.tobuf(tarfile.GNU_FORMAT) * 1000)


def test_they_are_small() -> None:
    sizes = [path.stat().st_size for path in CORPORA.rglob("*") if path.is_file()]
    assert len(sizes) > 100 and sum(sizes) < 250_000
