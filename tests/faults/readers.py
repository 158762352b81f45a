"""The harnesses of `fuzz.py`, one a reader: bytes become what it reads, and what comes of it is judged.

A harness returns where the reader says what is wrong by one of augx's own errors, or gives a result that holds what
`judged` asks for; it raises anything else.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from typing import Any

import judged
import numpy as np
from layouts import LAYOUTS, Labels, names, put, room, said
from outputs import an_output, verified

from augx import images, recipe, rle
from augx.errors import ImageError, InputError, RecipeError
from augx.formats import json_safe, json_stream, xml_safe, xml_values
from augx.model import Limits, Rle
from augx.steps import Steps
from augx.transforms.problems import check as check_arguments
from augx.yamlfile import Node, dump, load


def a_recipe(data: bytes) -> None:
    try:
        found = recipe.parse(data, "recipe.yaml", checked=False)
    except RecipeError as error:
        said(error)
        lines = data.count(b"\n") + data.count(b"\r") + 2 * data.count(b"\xc2\x85") + data.count(b"\xe2\x80") + 1
        assert all(0 <= problem.line <= lines + 1 for problem in error.problems)
        return
    told = json.dumps(found.canonical(), allow_nan=False)
    again = recipe.Recipe.from_canonical(json.loads(told))
    assert again == found and again.digest() == found.digest(), "what it says of itself is the same recipe"
    assert load(dump(found.canonical()).encode(), "again")[0].plain() == json.loads(told), "YAML of it is the same"


def a_policy(data: bytes) -> None:
    path = str(room() / "policy.yaml")
    put(path, data)
    steps = Steps("recipe.yaml")
    step = steps.policy(Node(1, 1, "policy"), Node(1, 1, path, path))
    assert all(problem.message for problem in steps.problems)
    if step is not None:
        for found in check_arguments("policy", step.args):
            assert found.message


def runs(data: bytes) -> None:
    """RLE: width, height, whether counts are numbers, and the counts."""
    if len(data) < 3:
        return
    width, height, plain, rest = data[0], data[1], data[2] & 1, data[3:]
    if plain:
        counts: Any = tuple(int(n) for n in np.frombuffer(rest[: len(rest) // 2 * 2], ">i2"))
    else:
        counts = rest.decode("latin-1")
    given = Rle(width if data[2] & 2 else width << 8, height if data[2] & 4 else height << 8, counts)
    try:
        found = rle.runs_of_rle(given)
    except ValueError as error:
        str(error).encode()
        return
    starts, ends = found
    assert (starts < ends).all() and (starts[1:] > ends[:-1]).all() and (starts >= 0).all()
    assert ends.size == 0 or ends[-1] <= given.width * given.height
    again = rle.rle_of_runs(found, given.width, given.height, bool(plain))
    assert all(np.array_equal(a, b) for a, b in zip(rle.runs_of_rle(again), found, strict=True)), "it comes out again"
    box = rle.extent(found, given.height)
    if given.width * given.height <= 1 << 16:
        filled = rle.fill(found, given.width, given.height)
        assert int(filled.sum()) == rle.area(found)
        assert (box is None) == (not filled.any())
        if box is not None:
            x0, y0, x1, y1 = map(int, box)
            assert filled[y0:y1, x0:x1].sum() == filled.sum(), "the box holds it all"
        assert all(np.array_equal(a, b) for a, b in zip(rle.runs_of_mask(filled), found, strict=True))


def a_json(data: bytes) -> None:
    """JSON: read member by member in small pieces, and whole; both say the same."""
    whole: Any = None
    try:
        whole = json_safe.read(data, "a.json")
        reason = json_safe.why_not_kept(whole)
        if not reason:
            json.dumps(whole, ensure_ascii=False, allow_nan=False).encode()
    except ValueError as error:
        str(error).encode()
    told: list[Any] = []
    for chunk in (1 + len(data) % 23, 1 << 20):
        json_stream.CHUNK = chunk
        try:
            found: Any = [*json_stream.JsonStream(io.BytesIO(data), "a.json", ("a", "images"))]
        except InputError as error:
            said(error)
            found = None
        told.append(found)
    assert repr(told[0]) == repr(told[1]), "pieces of any size say the same"


def an_xml(data: bytes) -> None:
    """XML: what is kept of a document is the same when written and read again."""
    try:
        root = xml_safe.read(data, "a.xml", 1 << 16)
    except ValueError as error:
        str(error).encode()
        return
    kept = xml_values.mapping(root)
    json.dumps(kept, allow_nan=False, ensure_ascii=False).encode()
    text = "\n".join(xml_values.element("a", kept))
    again = xml_values.mapping(xml_safe.read(text.encode(), "again.xml"))
    third = "\n".join(xml_values.element("a", again))
    assert xml_values.mapping(xml_safe.read(third.encode(), "third.xml")) == again, "written twice it is the same"


_LIMITS = Limits(pixels=1 << 18, bytes=1 << 20, side=1 << 12)


def an_image(data: bytes) -> None:
    """The gate: glance, decode, decode_mask and look."""
    found, glanced = None, False
    try:
        images.glance(data, len(data), _LIMITS)
        glanced = True
    except ImageError as error:
        judged.refused(error)
    try:
        found = images.decode(data, _LIMITS)
        judged.decoded(found)
        assert glanced, "what can be decoded passes the glance"
    except ImageError as error:
        judged.refused(error)
    try:
        width, height, orientation = images.look(io.BytesIO(data))
        if found is not None:
            size = (found.picture.width, found.picture.height)
            assert size in ((width, height), (height, width)), "look and decode see one size"
        assert 1 <= orientation <= 8
    except ImageError as error:
        judged.refused(error)
        assert found is None, "what can be decoded can be looked at"
    try:
        judged.mask(images.decode_mask(data, _LIMITS))
    except ImageError as error:
        judged.refused(error)


Harness = Callable[[bytes], None]
HARNESSES: Mapping[str, Harness] = {
    **{name: Labels(name) for name in LAYOUTS},
    "names": names,
    "recipe": a_recipe,
    "policy": a_policy,
    "output": an_output,
    "verify": verified,
    "rle": runs,
    "json": a_json,
    "xml": an_xml,
    "image": an_image,
}
