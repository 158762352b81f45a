"""One output image made again from its manifest row."""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace

from augx import fitting, formats, images, journal, versions
from augx.errors import ImageError, InputError, OutputError, Refused
from augx.formats import ReadOptions, Row
from augx.journal import MANIFEST
from augx.manifest import Rows
from augx.model import Annotations, Dataset, Json, Picture, Sample
from augx.naming import READABLE
from augx.objects import from_row
from augx.plan import sources
from augx.recipe import Recipe
from augx.steps import leaves
from augx.store import Folder, Source, open_regular, stopping
from augx.transforms.catalog import SEE_LABELS
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
    siblings: list[Row] = []
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
    recipe = Recipe.from_canonical(summary["recipe"])
    known = _known(summary, row, input) if input else None
    original = next((one for one in siblings if one["source"] == row["source"]), None)
    data = _source(folder, row, original, known, input)
    maker = Maker(recipe, known[0] if known else Dataset("", "", ()))
    ending = os.path.splitext(wanted)[1]
    try:
        if known:
            files = [data, *(source.read()[0] for source in sources(known[0].root, known[1])[1:])]
            opened = maker.open(known[1], files)
        else:
            opened = maker.open(Sample(row["source"]), [data])
        if row["copy"] == 0 and maker.verbatim(opened.decoded, ending):
            encoded = data
        else:
            picture = opened.picture if known else _labelled(folder, opened.picture, recipe, original)
            encoded = maker.encoded(maker.augmented(picture, row["source"], row["copy"])[0], ending)
        same = hashlib.sha256(encoded).hexdigest() == row["sha256"]
        asked = os.path.splitext(image)[1].lower()
        if READABLE.get(asked, READABLE[ending.lower()]) != READABLE[ending.lower()]:
            encoded = images.encode(images.decode(encoded).picture, asked, maker.recipe.image)
    except (ImageError, OSError) as error:
        raise InputError(f"{row['source']}: {getattr(error, 'message', error)}") from error
    with stopping("cannot write", image), open(image, "wb") as target:
        target.write(encoded)
    if same:
        return True, f"wrote {image}: the same bytes as {wanted}"
    now, was = versions.everything(), summary["versions"]
    changed = ", ".join(f"{name} {was.get(name)} -> {now[name]}" for name in now if was.get(name) != now[name])
    said = f"wrote {image}: other bytes than {wanted}" + (f"; changed since: {changed}" if changed else "")
    if not known and _sees_labels(recipe):
        said += f"; crops look at labels, of which {output} holds not all: say where the input is with --input"
    return False, said


def _known(summary: dict[str, Json], row: Row, input: str) -> tuple[Dataset, Sample] | None:
    """The dataset in `input`, as it was fitted to the output formats, and the sample of a row in it, where its labels
    or a tar are needed; else None."""
    read = summary["formats"]["read"]
    if read != "webdataset" and not _sees_labels(Recipe.from_canonical(summary["recipe"])):
        return None
    targets = [formats.load(name) for name in summary["formats"]["written"]]
    dataset = fitting.fit(formats.load(read).read(input, ReadOptions()), targets, allow_loss=True)
    found = next((sample for sample in dataset.samples if sample.id == row["source"]), None)
    if found is None:
        raise InputError(f"{input} does not hold {row['source']}")
    return dataset, found


def _sees_labels(recipe: Recipe) -> bool:
    return any(step.name in SEE_LABELS for step in leaves(recipe.steps))


def _labelled(folder: Folder, picture: Picture, recipe: Recipe, original: Row | None) -> Picture:
    """With the boxes and the mask that crops look at, as the original in OUTPUT has them."""
    if not _sees_labels(recipe):
        return picture
    if original is None:
        hint = "say where the input is with --input: the recipe has crops that look at labels, and there is no original"
        raise InputError(f"{folder.root} does not hold the labels that the crop has seen", hint)
    mask = None
    if original["mask"]:
        with open_regular(folder.path(original["mask"])) as file:
            mask = images.decode_mask(file.read())
    known = Annotations(objects=tuple(map(from_row, original["objects"])))
    return replace(picture, annotations=known, mask=mask)


def _source(
    folder: Folder,
    row: Row,
    original: Row | None,
    known: tuple[Dataset, Sample] | None,
    input: str | None,
) -> bytes:
    """The source's bytes, checked against the row."""
    wanted = row["source_sha256"]
    places: list[Source] = []
    if known:
        places.append(sources(known[0].root, known[1])[0])
    elif input:
        places.append(Source(os.path.join(input, *row["source"].split("/"))))
    if original and original["sha256"] == wanted:
        places.append(Source(folder.path(original["file_name"])))
    for place in places:
        try:
            data, _ = place.read()
        except OSError:
            continue
        if hashlib.sha256(data).hexdigest() == wanted:
            return data
    if input:
        raise InputError(f"{input} does not hold {row['source']} as it was when the image was made")
    raise InputError(
        f"{folder.root} does not hold the source {row['source']} byte for byte", "say where it is with --input"
    )
