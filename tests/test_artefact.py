"""What is read of a model file before anything trusts it."""

from __future__ import annotations

import copy
import json
import os
import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from models import CARD, TENSORS, header, model, packed

from augx.artefact import METADATA, Unusable, alike, card, of_bytes, sketch
from augx.model import Annotations, Sample


def test_a_card_comes_back_as_it_was_written(tmp_path: Path) -> None:
    whole = replace(CARD, sketch=("00", "ff"), gates={"mse": 0.25}, classes=("Käse", "\U0001f408"))
    path = model(tmp_path / "m.safetensors", whole)
    assert card(str(path)) == whole == of_bytes(path.read_bytes())


def bent(**changes: Any) -> dict[str, Any]:
    told = copy.deepcopy(header())
    told["one"] |= changes
    return told


DAMAGED = {
    "empty": b"",
    "seven bytes": b"1234567",
    "a pickle": pickle.dumps({"weights": [1.0] * 1000}),
    "a header of 100 GB": (100 << 30).to_bytes(8, "little") + b"{}" * 50,
    "a header longer than the file": (1000).to_bytes(8, "little") + b"{}",
    "no JSON": packed(b"hello world, no JSON", b""),
    "a list": packed(b"[]", b""),
    "a million brackets": packed(b"[" * 1_000_000, b""),
    "a key twice": packed(b'{"a": 1, "a": 2}', b""),
    "no card": packed(header(None)),
    "metadata no mapping": packed(header(None) | {"__metadata__": 7}),
    "a card that is no JSON": packed(header("hello")),
    "a card that is a list": packed(header("[]")),
    "a card of tomorrow": packed(header(json.dumps(json.loads(CARD.text()) | {"version": 2}))),
    "a card with more": packed(header(json.dumps(json.loads(CARD.text()) | {"run": "os.system"}))),
    "a card with less": packed(header(json.dumps({"version": 1}))),
    "a card of other types": packed(header(json.dumps(json.loads(CARD.text()) | {"classes": [1, 2]}))),
    "another method": packed(header(replace(CARD, method="weather"))),
    "one byte short": packed(header())[:-1],
    "one byte more": packed(header()) + b"\0",
    "overlapping": packed(bent(data_offsets=[8, 32]), bytes(40)),
    "a negative side": packed(bent(shape=[-2, -3]), bytes(40)),
    "a huge shape": packed(bent(shape=[2**39, 2**39]), bytes(40)),
    "a shape of text": packed(bent(shape="23"), bytes(40)),
    "a shape with truth": packed(bent(shape=[True, 6]), bytes(40)),
    "a kind of pickle": packed(bent(dtype="OBJECT"), bytes(40)),
    "offsets of text": packed(bent(data_offsets="ab"), bytes(40)),
    "too many": packed(header(CARD, {f"t{n}": ("F32", [1]) for n in range(5000)})),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_what_does_not_add_up_is_refused(tmp_path: Path, name: str) -> None:
    data = DAMAGED[name]
    (tmp_path / "m").write_bytes(data)
    with pytest.raises(Unusable) as found:
        card(str(tmp_path / "m"))
    assert str(found.value).startswith(("is ", "has ", "holds ", "was "))
    with pytest.raises(Unusable, match=str(found.value)[:20]):
        of_bytes(data)


def test_every_cut_and_every_bit_of_the_header_is_refused_or_read_without_harm(tmp_path: Path) -> None:
    data = packed(header())
    for end in range(0, len(data), 7):
        with pytest.raises(Unusable):
            of_bytes(data[:end])
    for place in range(0, len(data) - 40, 5):
        flipped = bytearray(data)
        flipped[place] ^= 4
        try:
            of_bytes(bytes(flipped))
        except Unusable:
            pass


def test_a_pipe_is_no_model(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="regular"):
        card(str(tmp_path / "pipe"))


def samples(count: int, prefix: str = "") -> list[Sample]:
    return [Sample(f"{prefix}{n}.jpg", annotations=Annotations(labels={"cat": 1.0})) for n in range(count)]


def test_sketches_tell_how_much_two_datasets_share() -> None:
    one = sketch(samples(1000))
    assert len(one) == 64
    assert one == sketch(reversed(samples(1000)))
    assert alike(one, one) == 1
    assert alike(one, sketch(samples(1000, "other/"))) == 0
    assert 0.3 < alike(one, sketch(samples(2000))) < 0.7
    assert alike(sketch(samples(5)), sketch(samples(5)[:4])) == 0.8
    assert alike((), ()) == 0
    named = [replace(one, annotations=Annotations(labels={"dog": 1.0})) for one in samples(1000)]
    assert alike(one, sketch(named)) == 0


def test_the_card_lies_in_the_metadata_that_safetensors_allow() -> None:
    told = header()["__metadata__"]
    assert list(told) == [METADATA]
    assert all(isinstance(value, str) for value in told.values())
    assert set(TENSORS) == {"one", "two"}
