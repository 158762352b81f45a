"""One output image made again from its manifest row."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import replace

from augx import added, fitting, formats, images, journal, versions
from augx.errors import ImageError, InputError, OutputError, Refused, Stopped
from augx.formats import ReadOptions, Row
from augx.journal import MANIFEST
from augx.manifest import Rows
from augx.model import Annotations, Dataset, Json, Picture, Sample
from augx.naming import READABLE
from augx.objects import from_row
from augx.partners import Folders
from augx.plan import sources
from augx.recipe import Recipe
from augx.remote.bucket import is_address
from augx.seeds import Rng
from augx.store import Folder, Source, hashes, write_file
from augx.transforms.catalog import SEE_LABELS, TRANSFORMS
from augx.transforms.own.base import Need
from augx.work import Maker, Opened, of_no_file

_KINDS = {"file_name": str, "source": str, "sha256": str, "source_sha256": str, "copy": int}  # of what a row says


def replay(output: str, name: str, image: str, input: str | None) -> tuple[bool, str]:
    """Writes the image to `image`; returns whether its bytes are the manifest's, and a sentence about it.

    The source comes from `input`, or from OUTPUT where the original lies there byte for byte.
    """
    folder = Folder(output)
    summary = journal.summary(folder)
    if not summary:
        raise OutputError(*journal.no_run(folder))
    if "digest" in summary and summary != journal.signed(summary):
        raise OutputError(f"{folder.path(journal.SUMMARY)} is damaged", f"`augx verify {output}` says more")
    wanted = os.path.normpath(name).replace(os.sep, "/")
    try:
        row = next((one for one in Rows(folder) if one["file_name"] == wanted), None)
        sources_told = _needed(row) if row else set()
        told = {one["source"]: one for one in reversed([r for r in Rows(folder) if r["source"] in sources_told])}
        if not all(isinstance(one[key], kind) for one in (row, *told.values()) if one for key, kind in _KINDS.items()):
            raise ValueError("no row of ours")
    except (Stopped, *journal.DAMAGED) as error:
        raise OutputError(f"{folder.path(MANIFEST)} is damaged", f"`augx verify {output}` says more") from error
    if row is None:
        raise Refused(f"no row of the manifest has the file_name {name}", "`file_name` is relative to OUTPUT")
    recipe = Recipe.from_canonical(summary["recipe"])
    _spare(image, folder, input, row)
    archive = _Archive(folder, recipe, told, _known(summary, recipe, row, input) if input else None, input)
    ending = os.path.splitext(wanted)[1]
    maker = archive.maker
    try:
        again = (row.get("override") or 0, _Recorded(row, archive), row.get("redrawn", 0))
        opened = None if "added" in row else archive.open(row["source"])
        if opened is None:
            picture = of_no_file(_added(maker, row))
            encoded = maker.encoded(maker.augmented(picture, row["added"], row["copy"], *again)[0], ending)
        elif row["copy"] == 0 and maker.verbatim(opened.decoded, ending):
            encoded = opened.files[0]
        else:
            made = maker.augmented(opened, row["source"], row["copy"], *again)[0] if row["copy"] else opened.picture
            encoded = maker.encoded(made, ending)
        same = hashlib.sha256(encoded).hexdigest() == row["sha256"]
        asked = os.path.splitext(image)[1].lower()
        if READABLE.get(asked, READABLE[ending.lower()]) != READABLE[ending.lower()]:
            encoded = images.encode(images.decode(encoded, None).picture, asked, maker.recipe.image)
    except (ImageError, OSError) as error:
        raise InputError(f"{row['source'] or wanted}: {getattr(error, 'message', error)}") from error
    write_file(image, encoded)
    if same:
        return True, f"wrote {image}: the same bytes as {wanted}"
    now, was = versions.everything(recipe.learned), summary["versions"]
    changed = ", ".join(f"{name} {was.get(name)} -> {now[name]}" for name in now if was.get(name) != now[name])
    said = f"wrote {image}: other bytes than {wanted}" + (f"; changed since: {changed}" if changed else "")
    if not archive.known and _sees_labels(recipe):
        said += f"; crops look at labels, of which {output} holds not all: say where the input is with --input"
    return False, said


def _needed(row: Row) -> set[str]:
    """The sources that an image was made of. Partners of a step that adds pictures are only those it looks like."""
    named = {name for one in _mixes(row) for name in one["params"]["partners"]}
    return named | ({row["source"]} - {""})


def _mixes(row: Row) -> list[Row]:
    return [one for one in row["transforms"] if "partners" in one["params"] and not TRANSFORMS[one["name"]].adds]


def _added(maker: Maker, row: Row) -> Picture:
    """The picture that a row's steps began with. Raises ImageError."""
    labels = [one["params"].get("class") for one in row["transforms"] if TRANSFORMS[one["name"]].adds]
    sample = added.sample_of(str(row["added"]), str(*labels[:1]), row["split"], maker.recipe)
    if sample is None:
        raise InputError(f"the recipe has no step that has made {row['file_name']}")
    return maker.added(sample, row["copy"])[0]


def _spare(image: str, folder: Folder, input: str | None, row: Row) -> None:
    """Refused where the image would be written into OUTPUT, or over a file of INPUT, which its own source is by its
    name and content."""
    if "\0" in image:
        raise Refused("--image: a NUL character is in the path", "write it elsewhere")
    if is_address(image):
        raise Refused(f"--image: {image} is a URL", "give a path on this machine; INPUT and OUTPUT may be URLs")
    place = os.path.realpath(image)
    for root in filter(None, (folder.root, input if os.path.lexists(image) else None)):
        if os.path.commonpath([place, os.path.realpath(root)]) == os.path.realpath(root):
            raise Refused(f"{image} lies in {root}, where replay changes nothing", "write it elsewhere")
    if f"/{place.replace(os.sep, '/')}".endswith(f"/{row['source']}") and hashes([place]) == [row["source_sha256"]]:
        raise Refused(f"{image} is the source, which replay does not change", "write it elsewhere")


class _Archive:
    """Sources as they were when a row was made, by name: out of INPUT, or out of OUTPUT where the originals are.

    `told`: source -> one of its rows, the original's if there is one. `known`: the dataset in INPUT, by sample, where
    labels or a tar are needed.
    """

    def __init__(
        self,
        folder: Folder,
        recipe: Recipe,
        told: Mapping[str, Row],
        known: tuple[Dataset, Mapping[str, Sample]] | None,
        input: str | None,
    ) -> None:
        self.folder, self.recipe, self.told, self.known, self.input = folder, recipe, told, known, input
        self.maker = Maker(recipe, known[0] if known else Dataset("", "", ()))

    def open(self, name: str) -> Opened:
        data = self.source(name)
        if self.known:
            dataset, samples = self.known
            files = [data, *(source.read()[0] for source in sources(dataset.root, samples[name])[1:])]
            return self.maker.open(samples[name], files)
        opened = self.maker.open(Sample(name), [data])
        original = self.told[name] if self.told[name]["copy"] == 0 else None
        return replace(opened, sketch=_labelled(self.folder, opened.sketch, self.recipe, original))

    def source(self, name: str) -> bytes:
        """The source's bytes, checked against its row."""
        row = self.told.get(name)
        if row is None:
            raise InputError(f"no row of {self.folder.path(MANIFEST)} is about the partner {name}")
        places: list[Source] = []
        if self.known:
            places.append(sources(self.known[0].root, self.known[1][name])[0])
        elif self.input:
            places.append(Source(os.path.join(self.input, *name.split("/"))))
        if row["copy"] == 0 and row["sha256"] == row["source_sha256"]:
            places.append(journal.place(self.folder, row, row["file_name"]))
        for place in places:
            try:
                data, _ = place.read()
            except OSError:
                continue
            if hashlib.sha256(data).hexdigest() == row["source_sha256"]:
                return data
        if self.input:
            raise InputError(f"{self.input} does not hold {name} as it was when the image was made")
        raise InputError(
            f"{self.folder.root} does not hold the source {name} byte for byte", "say where it is with --input"
        )


class _Recorded:
    """The partners that a row names, in the order in which its mixes took them."""

    def __init__(self, row: Row, archive: _Archive) -> None:
        self.archive = archive
        self.mixes = [(one["name"], one["params"]["partners"]) for one in _mixes(row)]

    def pick(self, name: str, need: Need, picture: Picture, rng: Rng) -> list[tuple[str, Picture]]:
        if need.kind == "folder":
            if not os.path.isdir(need.folder):
                hint = "run `augx replay` in the folder where its recipe is"
                raise InputError(f"the recipe's folder {need.folder} is not here", hint)
            return Folders().drawn(need.folder, need.count, rng, self.archive.recipe.limits)
        if not self.mixes or self.mixes[0][0] != name:
            return []
        return [(one, self.archive.open(one).picture) for one in self.mixes.pop(0)[1]]


def _known(
    summary: dict[str, Json], recipe: Recipe, row: Row, input: str
) -> tuple[Dataset, Mapping[str, Sample]] | None:
    """The dataset in `input`, as it was fitted to the output formats, and its samples, where their labels or a tar are
    needed; else None."""
    told = summary["formats"]
    read = told["read"]
    if read != "webdataset" and not _sees_labels(recipe):
        return None
    targets = [formats.load(name) for name in told["written"]]
    options = ReadOptions(told.get("labels"), told.get("table"), told.get("columns", {}))
    dataset = fitting.fit(formats.load(read).read(input, options), targets, allow_loss=True)
    samples = {sample.id: sample for sample in dataset.samples}
    if missing := next((name for name in _needed(row) if name not in samples), None):
        raise InputError(f"{input} does not hold {missing}")
    return dataset, samples


def _sees_labels(recipe: Recipe) -> bool:
    return any(step.name in SEE_LABELS for step in recipe.all_steps())


def _labelled(folder: Folder, picture: Picture, recipe: Recipe, original: Row | None) -> Picture:
    """With the boxes and the mask that crops look at, as the original in OUTPUT has them."""
    if not _sees_labels(recipe):
        return picture
    if original is None:
        hint = "say where the input is with --input: the recipe has crops that look at labels, and there is no original"
        raise InputError(f"{folder.root} does not hold the labels that the crop has seen", hint)
    mask = None
    if original["mask"]:
        mask = images.decode_mask(journal.place(folder, original, original["mask"]).read()[0], None)
    known = Annotations(objects=tuple(map(from_row, original["objects"])))
    return replace(picture, annotations=known, mask=mask)
