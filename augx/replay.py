"""One output image made again from its manifest row."""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace

from augx import images, journal, versions
from augx.errors import ImageError, InputError, OutputError, Refused
from augx.journal import MANIFEST
from augx.manifest import Rows
from augx.model import Annotations, Dataset, Json
from augx.naming import READABLE
from augx.objects import from_row
from augx.recipe import Recipe
from augx.store import Folder, open_regular, stopping
from augx.work import Maker


def replay(output: str, name: str, image: str, input: str | None) -> tuple[bool, str]:
    """Writes the image to `image`; returns whether its bytes are the manifest's, and a sentence about it.

    The source comes from `input`, or from OUTPUT where the original lies there byte for byte.
    """
    folder = Folder(output)
    summary = journal.summary(folder)
    if not summary:
        raise OutputError(f"{output} holds no finished run of augx", "give the OUTPUT of an `augx run`")
    wanted = os.path.normpath(name).replace(os.sep, "/")
    siblings: list[dict[str, Json]] = []
    row = None
    try:
        for one in Rows(folder):
            if one["file_name"] == wanted:
                row = one
            if one["copy"] == 0:
                siblings.append(one)
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise OutputError(f"{folder.path(MANIFEST)} is damaged", f"`augx verify {output}` says more") from error
    if row is None:
        raise Refused(f"no row of the manifest has the file_name {name}", "`file_name` is relative to OUTPUT")
    data = _source(folder, row, siblings, input)
    maker = Maker(Recipe.from_canonical(summary["recipe"]), Dataset("", "", ()))
    ending = os.path.splitext(wanted)[1]
    try:
        decoded = images.decode(data)
        if row["copy"] == 0 and maker.verbatim(decoded, ending):
            encoded = data
        else:
            picture = replace(decoded.picture, annotations=_labels(row, siblings))
            encoded = maker.encoded(maker.augmented(picture, row["source"], row["copy"])[0], ending)
        same = hashlib.sha256(encoded).hexdigest() == row["sha256"]
        asked = os.path.splitext(image)[1].lower()
        if READABLE.get(asked, READABLE[ending.lower()]) != READABLE[ending.lower()]:
            encoded = images.encode(images.decode(encoded).picture, asked, maker.recipe.image)
    except ImageError as error:
        raise InputError(f"{row['source']}: {error.message}") from error
    with stopping("cannot write", image), open(image, "wb") as target:
        target.write(encoded)
    if same:
        return True, f"wrote {image}: the same bytes as {wanted}"
    now, was = versions.everything(), summary["versions"]
    changed = ", ".join(f"{name} {was.get(name)} -> {now[name]}" for name in now if was.get(name) != now[name])
    return False, f"wrote {image}: other bytes than {wanted}" + (f"; changed since: {changed}" if changed else "")


def _labels(row: dict[str, Json], originals: list[dict[str, Json]]) -> Annotations:
    """The boxes that crops may have looked at, as the row of the original has them."""
    things = (thing for one in originals if one["source"] == row["source"] for thing in one["objects"])
    return Annotations(objects=tuple(map(from_row, things)))


def _source(folder: Folder, row: dict[str, Json], originals: list[dict[str, Json]], input: str | None) -> bytes:
    """The source's bytes, checked against the row."""
    wanted = row["source_sha256"]
    places = [os.path.join(input, *row["source"].split("/"))] if input else []
    places += [folder.path(one["file_name"]) for one in originals if one["sha256"] == wanted]
    for place in places:
        try:
            with open_regular(place) as file:
                data = file.read()
        except OSError:
            continue
        if hashlib.sha256(data).hexdigest() == wanted:
            return data
    if input:
        raise InputError(f"{input} does not hold {row['source']} as it was when the image was made")
    raise InputError(
        f"{folder.root} does not hold the source {row['source']} byte for byte", "say where it is with --input"
    )
