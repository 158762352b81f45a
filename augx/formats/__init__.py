"""Dataset formats: what a format is, which there are, and which one a folder is in.

One file a format, imported on first use, so that `augx list formats` and an up-to-date run pay for none of them.
A new format is its file and one line in `FORMATS`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, NamedTuple, Protocol, cast

from augx.errors import InputError
from augx.formats.walk import require_folder
from augx.model import Dataset, Json, Sample

Row = Mapping[str, Json]  # one manifest row

# The names run itself writes at the top of OUTPUT: no label file and no class folder may be called like them.
RESERVED = frozenset({"manifest.jsonl", "failures.jsonl", "summary.json"})


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """What the user said about INPUT beyond its format.

    `table`: the table to read, under the root, where several fit.
    `columns`: role (file, label, labels, split) -> column name, where the names do not tell.
    """

    table: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)


class Format(Protocol):
    """Reading and writing one layout of images and labels. Instances hold no state."""

    name: str
    summary: str
    holds_values: bool  # regression targets and other columns are written

    def detect(self, root: str) -> str:
        """Why `root` seems to be in this format ("class folders cat, dog"), or "" if it does not.

        A glance: names and the heads of a few files. InputError where only the user can tell.
        """
        ...

    def read(self, root: str, options: ReadOptions) -> Dataset:
        """Paths and labels, no pixels. InputError if there is nothing to read; one bad row is a Flaw, no error."""
        ...

    def check(self, dataset: Dataset, mixes: bool) -> None:
        """InputError, before the first image, if this format cannot hold `dataset`: how many, and the first by name.

        `mixes`: the recipe will give images several classes with weights.
        """
        ...

    def place(self, sample: Sample, dataset: Dataset) -> str:
        """The folder under OUTPUT for this sample's images, "" for OUTPUT itself. `check` has passed."""
        ...

    def write(self, rows: Iterable[Row], dataset: Dataset) -> Iterator[tuple[str, Iterable[str]]]:
        """The label files: (name under OUTPUT, its text in pieces), to be written as UTF-8 with newlines untouched.

        `rows` are the manifest rows in plan order; they are streamed, and may be gone through several times.
        `dataset` is as its own format read it. The pieces of one file are taken before the next file is asked for.
        """
        ...


class Entry(NamedTuple):
    target: str  # "module:Class"
    summary: str


FORMATS: Mapping[str, Entry] = {
    "folder": Entry("augx.formats.folder:Folder", "class folders: cat/1.jpg, or train/cat/1.jpg"),
    "table": Entry("augx.formats.table:TableFormat", "a CSV, TSV or JSONL table, one row an image"),
}

# Any tree of images can be read as folders, so folder names count only where no label file speaks.
FALLBACK = "folder"


def load(name: str) -> Format:
    """The format called `name`; InputError if there is none."""
    entry = FORMATS.get(name)
    if entry is None:
        from difflib import get_close_matches

        close = get_close_matches(name, FORMATS, n=1)
        guess = f"did you mean {close[0]}? " if close else ""
        raise InputError(f"there is no format {name!r}", f"{guess}augx reads: {', '.join(FORMATS)}")
    module, _, attribute = entry.target.partition(":")
    found: Any = getattr(import_module(module), attribute)
    return cast(Format, found())


def label_files(targets: Iterable[Format], dataset: Dataset) -> list[str]:
    """The names of the label files that these formats write beside the images."""
    return [name for target in targets for name, _ in target.write((), dataset)]


def detect(root: str, wanted: str | None = None) -> Format:
    """The format to read `root` with: `wanted` (`--from`) if given, else the one that fits."""
    require_folder(root)
    if wanted is not None:
        return load(wanted)
    found: dict[str, str] = {}
    unsure: list[InputError] = []
    for name in FORMATS:
        if name == FALLBACK:
            continue
        try:
            reason = load(name).detect(root)
        except InputError as error:
            unsure.append(error)
            reason = error.message
        if reason:
            found[name] = reason
    if len(found) > 1:
        listed = "\n".join(f"  --from {name}: {reason}" for name, reason in found.items())
        raise InputError(f"{root}: more than one format fits\n{listed}", "choose one with `--from NAME`")
    if unsure:
        raise unsure[0]
    if found:
        return load(next(iter(found)))
    fallback = load(FALLBACK)
    if fallback.detect(root):
        return fallback
    looked = "; ".join(f"{name} ({entry.summary})" for name, entry in FORMATS.items())
    raise InputError(f"{root}: no images found", f"looked for: {looked}")
