"""The tar shards of a WebDataset as they are read.

An image, and beside it .cls (a class, by name or number), .txt (a caption), .json (what augx writes, or as a row of an
imagefolder's metadata: label, labels, objects, anything else as values), .seg.png or .mask.png (a class mask). Nothing
is extracted: a sample's id is SHARD.tar/NAME, and `packed` says where in its shard each of its files lies.
"""

from __future__ import annotations

import os
import posixpath
import re
import tarfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO, NamedTuple, cast

from augx.errors import InputError
from augx.formats.folder import SPLITS
from augx.formats.heads import near
from augx.formats.hf.read import Columns, class_order, meanings, read_row
from augx.formats.walk import inside, is_text, shown
from augx.formats.webdataset import own
from augx.model import Annotations, Dataset, Flaw, Json, Sample
from augx.naming import READABLE
from augx.store import Source, file_size, open_regular

_IMAGES = frozenset(ending[1:] for ending in READABLE)
_MASKS = frozenset(
    f"{word}.{ending}" for word in ("seg", "mask", "segmentation") for ending in ("png", "tif", "tiff", "bmp")
)
_INSTANCES = "instances.png"
_TEXTS = ("cls", "txt", "json")
_TEXT_BYTES = 1 << 26
_LONGEST_NAME = 1 << 20
_AFTER = 1 << 20  # bytes after the end of a tar that must be zeros
_KINDS = 100  # of files that are counted by their endings
# What tarfile raises on bad headers, and on thousands of those that stand for the next one.
_BROKEN = (tarfile.TarError, OSError, ValueError, ArithmeticError, LookupError, RecursionError)


class Member(NamedTuple):
    """Where in its shard a file lies, in bytes."""

    offset: int
    size: int


def first_image(path: str) -> str:
    """The name of an image among the first members of a tar, "" if there is none."""
    members = _members(path)
    for _ in range(50):
        try:
            name, _, problem = next(members)
        except (StopIteration, *_BROKEN):
            break
        if not problem and _key(name)[1].rpartition(".")[2] in _IMAGES:
            return name
    return ""


def read(root: str, wanted: Sequence[str] | None, name: str, labels: str | None) -> Dataset:
    """The dataset in these tars under `root`, None: in all. `labels`: only those of a path or a folder.

    Its details are None: nothing of how it was read is needed to write it.
    """
    reading = _Reading(root)
    shards = _choose(root, labels, reading.warnings, wanted)
    for shard in shards:
        reading.shard(shard)
    about = own.read_about(root) if any(map(own.is_own, reading.documents())) else own.About()
    samples = reading.samples(about.dot)
    if not samples:
        reason = f": {reading.failed[0].message}" if reading.failed else ""
        raise InputError(f"{root}: no image in {len(shards)} tar shards{reason}", "see `--from`")
    names = {name for sample in samples for name in sample.annotations.labels}
    names.update(thing.label for s in samples for thing in s.annotations.objects if thing.label is not None)
    return Dataset(
        root,
        name,
        samples,
        (*about.classes, *class_order(names - set(about.classes))),
        tuple(reading.failed),
        tuple(reading.warnings),
        dict(sorted(reading.ignored.items())),
        about.poses,
        about.ignore,
        digest=about.digest,
    )


@dataclass(slots=True)
class _Group:
    """The files of one key. `text`: what of them was read, by ending; `problem`: why one could not be."""

    key: str
    members: dict[str, tuple[str, Member]] = field(default_factory=dict)
    text: dict[str, Json] = field(default_factory=dict)
    problem: str = ""


@dataclass(slots=True)
class _Reading:
    root: str
    groups: dict[str, list[_Group]] = field(default_factory=dict)
    failed: list[Flaw] = field(default_factory=list)
    warnings: list[Flaw] = field(default_factory=list)
    ignored: Counter[str] = field(default_factory=Counter)

    def shard(self, shard: str) -> None:
        """Goes through one tar from member to member."""
        path = os.path.join(self.root, shard)
        groups: dict[str, _Group] = {}
        unsure: dict[str, str] = {}  # key -> why a label of it may be lost
        key = ""
        try:
            for name, member, problem in _members(path):
                source = f"{shard}/{shown(name)[:1000]}"
                key, ending = _key(name)
                if problem:
                    self.failed.append(Flaw(problem, source, f"{source}: {_PROBLEMS[problem]}"))
                    if ending in (*_TEXTS, _INSTANCES) or ending in _MASKS:
                        unsure[key] = f"{source}: {_PROBLEMS[problem]}"
                    continue
                group = groups.setdefault(key, _Group(key))
                if ending in group.members:
                    self.warnings.append(Flaw("repeated-name", source, f"{source}: it came before, and that counts"))
                else:
                    group.members[ending] = (name, member)
        except _BROKEN as error:
            message = f"{shard} cannot be read to its end: {str(error)[:200] or type(error).__name__}"
            self.failed.append(Flaw("broken-shard", shard, message))
            unsure[key] = f"{shard} is damaged behind it, so that its labels may be lost"
        for group in groups.values():
            group.problem = unsure.get(group.key, "")
            for ending in _TEXTS:
                if ending in group.members:
                    self._text(shard, group, ending)
        self.groups[shard] = list(groups.values())

    def _text(self, shard: str, group: _Group, ending: str) -> None:
        name, member = group.members[ending]
        try:
            if member.size > _TEXT_BYTES:
                raise ValueError(f"it is larger than {_TEXT_BYTES >> 20} MiB")
            data, _ = Source(os.path.join(self.root, shard), *member).read()
            if ending == "json":
                from augx.formats import json_safe

                value = json_safe.read(data, f"{shard}/{name}")
                if isinstance(value, list):
                    value = {"objects": value}
                if not isinstance(value, dict):
                    raise ValueError("it is no JSON object")
                if reason := json_safe.why_not_kept(value):
                    raise ValueError(reason)
                group.text[ending] = value
            else:
                group.text[ending] = data.decode("utf-8-sig").strip()
        except (ValueError, OSError) as error:
            group.problem = group.problem or f"{shard}/{name}: {str(error)[:300]}"

    def documents(self) -> Iterator[Mapping[str, Json]]:
        return (group.text["json"] for groups in self.groups.values() for group in groups if "json" in group.text)

    def samples(self, dot: float) -> tuple[Sample, ...]:
        """`dot`: as that of Annotations, for our own documents."""
        documents = [document for document in self.documents() if not own.is_own(document)]
        header = dict.fromkeys(key for document in documents for key in document)
        columns = meanings(next(iter(self.groups), ""), tuple(header), documents)
        found = [
            sample
            for shard, groups in self.groups.items()
            for group in groups
            if (sample := self._sample(shard, group, columns, dot)) is not None
        ]
        return tuple(sorted(found, key=lambda sample: sample.id))

    def _sample(self, shard: str, group: _Group, columns: Columns, dot: float) -> Sample | None:
        image = _image(group.members)
        mask = next((ending for ending in group.members if ending in _MASKS), None)
        instances = _INSTANCES if _INSTANCES in group.members else None
        for ending in group.members:
            if ending not in (image, mask, instances, *_TEXTS):
                kind = f".{ending}"
                self.ignored[kind if kind in self.ignored or len(self.ignored) < _KINDS else "other"] += 1
        source = f"{shard}/{group.key}"
        if image is None:
            self.warnings.append(Flaw("no-image", source, f"{source} has no image ({', '.join(group.members)[:200]})"))
            return None
        used = [group.members[ending] for ending in (image, mask, instances) if ending is not None]
        names = [f"{shard}/{name}" for name, _ in used]
        if group.problem:
            self.failed.append(Flaw("unreadable-label", names[0], group.problem))
            return None
        split = _split_of(shard)
        document = group.text.get("json", {})
        try:
            if own.is_own(document):  # which says all that the other texts do
                known, told, problems = own.annotations_of(document)
                labels, split = known.labels, told or split
            else:
                known, problems = read_row(document, columns)
                labels, dot = known.labels, 0.0
                if group.text.get("cls"):
                    labels = {group.text["cls"]: 1.0}
        except ValueError as error:
            self.failed.append(Flaw("unreadable-label", names[0], f"{source}: {error}"))
            return None
        if problems:
            more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
            self.warnings.append(Flaw("unreadable-object", names[0], f"{source}: {problems[0]}{more}"))
        captions = known.captions
        if group.text.get("txt") and group.text["txt"] not in captions:
            captions = (group.text["txt"], *captions)
        annotations = Annotations(
            labels,
            known.values,
            captions,
            known.objects,
            mask=names[1] if mask else None,
            instances=names[-1] if instances else None,
            dot=dot,
            size=known.size,
        )
        packed = {name: (shard, *member) for name, (_, member) in zip(names, used, strict=True)}
        return Sample(names[0], annotations, split, packed=packed)


_PROBLEMS: Mapping[str, str] = {
    "outside-input": "its name leads out of the tar",
    "name-not-utf8": "its name is no UTF-8, or has a NUL in it",
    "not-a-file": "a link, device or sparse file is not read",
    "truncated": "the tar ends before the file does",
}


def _members(path: str) -> Iterator[tuple[str, Member, str]]:
    """Name, place and what is wrong ("" for nothing) of each file; folders and hidden files are left out.

    Raises any of _BROKEN where the tar cannot be followed any further.
    """
    end = file_size(path)
    with open_regular(path) as file, tarfile.open(fileobj=cast(BinaryIO, _Headers(file)), mode="r:") as tar:
        reached = -1
        while (member := tar.next()) is not None:
            if tar.offset <= reached:
                raise ValueError("its headers go round in circles")
            reached = tar.offset
            tar.members = []  # type: ignore[attr-defined]  # else it would keep them all
            name = posixpath.normpath(member.name) if member.name else ""
            if member.isdir() or (posixpath.basename(name).startswith(".") and not name.startswith("..")):
                continue
            problem = ""
            if member.name.startswith("/") or name.split("/")[0] == "..":
                problem = "outside-input"
            elif not member.isreg() or member.issparse() or member.size < 0:
                problem = "not-a-file"
            elif not is_text(name) or "\0" in name:
                problem = "name-not-utf8"
            elif member.offset_data + member.size > end:
                problem = "truncated"
            yield name, Member(member.offset_data, member.size), problem
        file.seek(tar.offset)  # where tarfile stops at what is no header, as if that were the end
        if file.read(_AFTER).strip(b"\0"):
            raise ValueError("a header is damaged, or another tar is joined to its end")


class _Headers:
    """A tar of which tarfile reads headers only, none of which is long."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.seek, self.tell = file.seek, file.tell

    def read(self, size: int) -> bytes:
        if size > _LONGEST_NAME:
            raise ValueError(f"a name or header of {size:,} bytes")
        return self._file.read(size)


def _key(name: str) -> tuple[str, str]:
    """`a/cat.1.seg.PNG` -> `a/cat`, `1.seg.png`."""
    folder, slash, base = name.rpartition("/")
    stem, _, ending = base.partition(".")
    return folder + slash + stem, ending.lower()


def _image(endings: Mapping[str, object]) -> str | None:
    """The ending of the image among those of a sample: a plain one, or the only one that is no mask."""
    images = [
        ending for ending in endings if ending.rpartition(".")[2] in _IMAGES and ending not in (*_MASKS, _INSTANCES)
    ]
    plain = sorted(
        (ending for ending in images if "." not in ending), key=lambda ending: ending in ("png", "tif", "tiff")
    )
    if plain:
        return plain[0]
    return images[0] if len(images) == 1 else None


def _choose(root: str, chosen: str | None, warnings: list[Flaw], named: Sequence[str] | None) -> list[str]:
    """The shards to read, sorted: those `named`, None: all; of them what the user chose by a path or a folder."""
    shards: list[str] = []
    for path in near(root, (".tar",), depth=4, each=1 << 30, outside=True) if named is None else named:
        if not is_text(path) or not inside(os.path.join(root, path), root):
            warnings.append(Flaw("link-outside", shown(path), "a link that leads out of INPUT is not followed"))
        else:
            shards.append(path)
    if chosen is not None:
        wanted = posixpath.normpath(chosen)
        shards = [path for path in shards if wanted == "." or path == wanted or path.startswith(wanted + "/")]
    if not shards:
        raise InputError(f"{shown(root)}: there is no .tar in it", "give the folder that holds the shards")
    return sorted(shards)


def _split_of(shard: str) -> str | None:
    """The split a shard is called after: by a word of its name, or of its folders."""
    for part in reversed(shard.removesuffix(".tar").split("/")):
        for word in re.split("[^a-z]+", part.lower()):
            if word in SPLITS:
                return SPLITS[word]
    return None
