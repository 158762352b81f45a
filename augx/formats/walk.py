"""The one walk over an image folder: which files are images, and which image a path in a label file means."""

from __future__ import annotations

import os
import posixpath
import re
import stat
import unicodedata
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from augx.errors import InputError
from augx.model import Flaw
from augx.store import pass_over

# Everything else is taken for an image: what augx cannot decode then fails by its name, and is not skipped silently.
_ENDINGS = """
    txt md rst rtf pdf doc docx odt xls xlsx ppt pptx log csv tsv json jsonl ndjson geojson xml yaml yml html htm css
    ini cfg conf toml lock py pyc ipynb js sh bat m r c cpp h zip tar gz tgz bz2 xz 7z rar parquet arrow feather
    tfrecord record pbtxt npy npz mat h5 hdf5 pkl pickle pt pth onnx safetensors db sqlite cache names data dvc bib cff
    license md5 sha1 sha256
"""
_NAMES = """
    license licence copying copyright notice readme authors contributors changelog changes makefile dockerfile snakefile
    version md5sums sha256sums
"""
LONGEST = 4096  # characters of a path: no system takes longer ones
_MOST_LINKS = 100  # to one folder
DOCUMENT_ENDINGS = frozenset(f".{ending}" for ending in _ENDINGS.split())
DOCUMENT_NAMES = frozenset(_NAMES.split())


@dataclass(frozen=True, slots=True)
class Walk:
    """What lies under a root. Paths are relative to it, with `/`, sorted; hidden files and folders are left out.

    `documents`: files that are no images, such as label files, links to nothing among them; `ignored` counts those
    that are there by ending.
    `failed`: images that cannot be made. `warnings`: what was left out.
    """

    root: str
    images: tuple[str, ...]
    documents: tuple[str, ...]
    ignored: Mapping[str, int]
    failed: tuple[Flaw, ...]
    warnings: tuple[Flaw, ...]


def is_document(name: str) -> bool:
    """Whether a file of this name is taken for a document, not for an image."""
    dot = name.rfind(".")
    return (dot >= 0 and name[dot:].lower() in DOCUMENT_ENDINGS) or name.lower() in DOCUMENT_NAMES


def shown(path: str) -> str:
    """`path` with the bytes that are no UTF-8 written as \\xNN, so that it can be printed and stored."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def is_text(name: str) -> bool:
    """Whether a file name is valid UTF-8."""
    if name.isascii():
        return True
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def inside(path: str, root: str) -> bool:
    """Whether `path` lies under `root`, or is it, once all links are followed."""
    real, base = os.path.realpath(path), os.path.realpath(root)
    return real == base or real.startswith(base.rstrip("/") + "/")


def require_folder(root: str) -> None:
    """InputError unless `root` is a folder that can be listed."""
    try:
        mode = os.stat(root).st_mode
        if stat.S_ISDIR(mode):
            os.scandir(root).close()
            return
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(f"{shown(root)}: there is no such folder", "give the folder that holds the images") from None
    except (OSError, ValueError) as error:
        if isinstance(error, OSError):
            pass_over(error, root)
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(f"{shown(root)!r} cannot be read: {reason}", "give a folder you may read") from None
    raise InputError(f"{shown(root)} is no folder", "give the folder that holds the images, not a file in it")


def is_folder(entry: os.DirEntry[str]) -> bool:
    """Whether an entry is a folder, or a link to one; a link that loops is none."""
    try:
        return entry.is_dir()
    except OSError:
        return False


def walk(root: str) -> Walk:
    """All files under `root`, the same whatever order the file system lists them in.

    Regular files only, and none is opened. A link counts as what it points to if that lies inside `root`; a folder
    link is followed once, and no folder link below it, so that loops end. InputError if there is no image.
    """
    require_folder(root)
    search = _Search(root)
    while search.folders:
        search.list_folder(*search.folders.pop())
    images, failed = search.images, search.failed
    if not images and not failed:
        raise InputError(*search.nothing())
    images.sort()
    return Walk(
        root,
        tuple(images),
        tuple(sorted(search.documents)),
        dict(sorted(search.ignored.items())),
        tuple(sorted(failed, key=_order)),
        tuple(sorted(search.warnings, key=_order)),
    )


def _order(flaw: Flaw) -> tuple[str, str]:
    return flaw.source, flaw.code


class _Search:
    """A walk under way. `folders`: those still to list, as (prefix of its paths, reached by a link)."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.base = os.path.realpath(root).rstrip("/") + "/"
        self.folders: list[tuple[str, bool]] = [("", False)]
        self.images: list[str] = []
        self.documents: list[str] = []
        self.linked: Counter[str] = Counter()  # folder -> how many links led to it
        self.ignored: Counter[str] = Counter()
        self.failed: list[Flaw] = []
        self.warnings: list[Flaw] = []

    def list_folder(self, prefix: str, linked: bool) -> None:
        try:
            with os.scandir(os.path.join(self.root, prefix)) as entries:
                for entry in entries:
                    name = entry.name
                    if name[0] == ".":
                        continue
                    if entry.is_symlink():
                        self._link(prefix, name, linked)
                    elif entry.is_file(follow_symlinks=False):
                        self._file(prefix, name)
                    elif entry.is_dir(follow_symlinks=False):
                        self.folders.append((f"{prefix}{name}/", linked))
                    else:
                        self._special(prefix + name)
        except OSError as error:
            pass_over(error, os.path.join(self.root, prefix))
            self._fail("unreadable-folder", prefix.rstrip("/"), f"the folder cannot be listed: {error.strerror}")

    def _file(self, prefix: str, name: str) -> None:
        path = prefix + name
        if is_document(name):
            dot = name.rfind(".")
            self.ignored[name[dot:].lower() if dot >= 0 else shown(name)] += 1
            if is_text(path):
                self.documents.append(path)
        elif is_text(path):
            self.images.append(path)
        else:
            self._fail("name-not-utf8", path, "its name is not valid UTF-8; rename the file or folder")

    def _link(self, prefix: str, name: str, linked: bool) -> None:
        path = prefix + name
        real = os.path.realpath(os.path.join(self.root, path))
        if not (real + "/").startswith(self.base):
            message = "a link that leads out of INPUT is not followed; copy what it points to in its place"
            self.warnings.append(Flaw("link-outside", shown(path), message))
            return
        try:
            mode = os.stat(real).st_mode
        except OSError:
            self._fail("link-broken", path, "the link points to nothing")
            if is_document(name) and is_text(path):
                self.documents.append(path)  # a label file that is not there fails its image
            return
        if stat.S_ISREG(mode):
            self._file(prefix, name)
        elif not stat.S_ISDIR(mode):
            self._special(path)
        elif linked or (self.base + prefix).startswith(real.rstrip("/") + "/"):
            message = "a folder link that leads back, or lies below another folder link, is not followed"
            self.warnings.append(Flaw("link-loop", shown(path), message))
        elif self.linked[real] == _MOST_LINKS:
            message = f"a folder is not read through more than {_MOST_LINKS} links"
            self.warnings.append(Flaw("link-loop", shown(path), message))
        else:
            self.linked[real] += 1
            self.folders.append((path + "/", True))

    def _special(self, path: str) -> None:
        self._fail("not-a-file", path, "a pipe, socket or device is not read")

    def _fail(self, code: str, path: str, message: str) -> None:
        document = code != "unreadable-folder" and is_document(path[path.rfind("/") + 1 :])
        (self.warnings if document else self.failed).append(Flaw(code, shown(path), message))

    def nothing(self) -> tuple[str, str]:
        """Message and hint for a root without images."""
        root = shown(self.root)
        outside = sum(flaw.code == "link-outside" for flaw in self.warnings)
        if outside:
            return f"{root}: no images, but links that lead out of it: {outside}", "give the folder the links point to"
        if self.ignored:
            kinds = ", ".join(f"{count} {ending}" for ending, count in self.ignored.most_common(5))
            return f"{root}: no images among its files ({kinds})", "give the folder that holds the images"
        return f"{root}: the folder is empty", "give the folder that holds the images"


class Finder:
    """Which image a path in a label file means.

    `folder`: the label file's own, under the root. `images`: those of the walk; None looks on disk, and walks only
    where that does not help.
    """

    def __init__(self, root: str, folder: str, images: Collection[str] | None) -> None:
        self.root, self.folder = root, folder
        self.images = None if images is None else frozenset(images)
        self._indexes: dict[tuple[bool, bool], dict[str, list[tuple[str, str]]]] = {}
        self._names: set[str] | None = None

    def find(self, name: str) -> tuple[str, str, str]:
        """(image, "", ""); (image, code, message) if its name differs a little; ("", code, message) if there is none.

        A path counts from the table's folder, then from the root; then the only image whose path ends so, with or
        without its ending, will do.
        """
        text = name.strip().replace("\\", "/")
        if not text:
            return "", "missing-file", "no image is named"
        if len(text) > LONGEST:
            return "", "missing-file", f"no path has {len(text):,} characters"
        there = self.images is None or self.has(name)
        for spelled in dict.fromkeys((name, text)) if there else ():
            for base in dict.fromkeys((self.folder, "")):
                path = posixpath.normpath(posixpath.join(base, spelled))
                if self._is_image(path):
                    return path, "", ""
        near = posixpath.normpath(posixpath.join(self.folder, text)) if there or ".." in text else text
        if text.startswith("/") or re.match("[A-Za-z]:/", text) or near.split("/")[0] == "..":
            return "", "outside-input", "the path leads out of INPUT"
        wanted = near if text.startswith("../") else posixpath.normpath(text)
        if not self.has(wanted):
            return "", "missing-file", "there is no such image"
        for fold in (False, True):
            for whole in (True, False):
                hits = self._search(wanted, fold, whole)
                if len(hits) > 1:
                    return "", "ambiguous-file", f"it may mean {hits[0]} or {hits[1]}"
                if hits and fold:
                    return hits[0], "name-differs", f"{text!r} is written otherwise than the file"
                if hits:
                    return hits[0], "", ""
        return "", "missing-file", "there is no such image"

    def _is_image(self, path: str) -> bool:
        if self.images is not None:
            return path in self.images
        outside = path.startswith(("/", "../"))
        return not outside and not is_document(path) and os.path.isfile(os.path.join(self.root, path))

    def _search(self, wanted: str, fold: bool, whole: bool) -> list[str]:
        """The images whose path is, or ends with, `wanted`; those nearest to the table alone, if there are such."""
        form = _fold if fold else str
        wanted = form(wanted)
        index = self._indexes.get((fold, whole))
        if index is None:
            index = self._indexes[fold, whole] = {}
            for path in sorted(self._all()):
                key = form(path if whole else _stem(path))
                index.setdefault(key.rpartition("/")[2], []).append((key, path))
        hits = [hit for hit in index.get(wanted.rpartition("/")[2], ()) if f"/{hit[0]}".endswith(f"/{wanted}")]
        for base in (self.folder, ""):
            near = [path for key, path in hits if key == form(posixpath.join(base, wanted))]
            if near:
                return near
        return [path for _, path in hits]

    def has(self, name: str) -> bool:
        """Whether any image may be meant, by the last part of a path alone: cheap, as a file may name a million."""
        if self._names is None:
            names = {path.rpartition("/")[2] for path in self._all()}
            self._names = {_fold(spelled) for name in names for spelled in (name, _stem(name))} | {"", ".", ".."}
        if len(name) > LONGEST:
            return False
        last = name.rpartition("/")[2]
        plain = last.strip().rpartition("\\")[2]
        return _fold(last) in self._names or _fold(plain) in self._names

    def _all(self) -> Collection[str]:
        if self.images is None:
            self.images = frozenset(walk(self.root).images)
        return self.images


def _fold(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _stem(path: str) -> str:
    folder, slash, name = path.rpartition("/")
    return folder + slash + (name.rpartition(".")[0] or name)
