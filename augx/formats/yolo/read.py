"""Which images a YOLO dataset has, in which split, and where the label file of each lies."""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Iterator, Sequence

from augx.formats.folder import SPLITS, layout
from augx.formats.heads import head
from augx.formats.pairs import stem
from augx.formats.split_names import split_of
from augx.formats.walk import Finder, Walk
from augx.formats.yolo.home import NAMES, SPLIT_KEYS, Home, Said, Texts, relative, within
from augx.model import Flaw

IMAGE_FOLDERS = frozenset({"images", "image", "imgs", "img", "jpegimages"})
LABEL_FOLDERS = ("labels", "label", "annotations", "annotation", "Labels", "Annotations")
_LISTS = ("train.txt", "val.txt", "valid.txt", "test.txt")


def is_label_file(data: bytes) -> bool:
    """Whether the head of a file is a label line: a class, and shares of the picture."""
    first = next((line for line in data.split(b"\n") if line.strip()), b"")
    parts = first.split()[:9]
    try:
        values = [float(part) for part in parts]
    except ValueError:
        return False
    return len(parts) > 4 and values[0].is_integer() and values[0] >= 0 and all(-0.5 <= v <= 1.5 for v in values[1:5])


def usual_folder(folder: str) -> str:
    """Where the labels of images in `folder` belong: the last `images` becomes `labels`; or else beside the images."""
    above, found, below = f"/{folder}/".rpartition("/images/")
    return f"{above}/labels/{below}".strip("/") if found else folder


class Found:
    """The images of a dataset and their label files; all paths are under the root.

    `samples`: image -> (split, list file it stands in, or ""). `labels`: image -> its label file, if it has one.
    `label_folders`: folder of images -> that of their labels. `splits`: key of data.yaml -> the folders and lists that
    it means. `lists`: list file -> what stands in it before each path, None where that differs.
    `base`: the folder that becomes OUTPUT. `beside`: the same for all but the images, where these lie elsewhere, as if
    a link in `beside` led to them.
    """

    def __init__(self, found: Walk, home: Home, said: Said, texts: Texts) -> None:
        self.walk, self.home, self.said, self.texts = found, home, said, texts
        self.base = self.beside = home.base
        self.images = {path for path in found.images if posixpath.basename(path) not in NAMES}
        self.documents = frozenset(path for path in found.documents if path.lower().endswith(".txt"))
        self.with_text = {posixpath.dirname(path) for path in self.documents}
        self.by_folder: defaultdict[str, list[str]] = defaultdict(list)
        for path in sorted(self.images):
            self.by_folder[posixpath.dirname(path)].append(path)
        self.above = {"", *self.by_folder}
        for folder in self.by_folder:
            while folder := posixpath.dirname(folder):
                self.above.add(folder)
        self.samples: dict[str, tuple[str | None, str]] = {}
        self.labels: dict[str, str] = {}
        self.label_folders: dict[str, str] = {}
        self.lists: dict[str, str | None] = {}
        self._chosen: dict[str, str | None] = {}
        self.warnings: list[Flaw] = []
        self.failed: list[Flaw] = []
        self.hoped: set[str] = set()  # the first readings of the splits' paths, whether there or not
        self.splits = self._splits()
        places = [place for places in self.splits.values() for place in places]
        if not all(within(place, self.base) for place in places):
            as_linked = all(_joined(self.home.folder, place) in self.hoped for place in places)
            self.base, self.beside = "", self.home.folder if as_linked else ""
        if self.splits:
            self._take_splits()
        else:
            self._take_all()
        self._find_labels()
        self._tell_unused()

    # The splits

    def _splits(self) -> dict[str, tuple[str, ...]]:
        splits: dict[str, tuple[str, ...]] = {}
        for key, texts in self.said.splits.items():
            places = [place for text in texts if (place := self._place(key, text)) is not None]
            if places:
                splits[key] = tuple(dict.fromkeys(places))
        if splits or self.said.splits:
            return splits
        lists = [posixpath.join(self.base, name) for name in _LISTS]
        return {posixpath.basename(path)[:-4]: (path,) for path in lists if self._is_list(path)}

    def _is_list(self, path: str) -> bool:
        if path not in self.documents:
            return False
        first = head(self.walk.root, path).split(b"\n")[0].decode("utf-8", "replace")
        return any(reading in self.images for reading, _ in self._readings(first, self.base))

    def _place(self, key: str, text: str) -> str | None:
        above = "" if self.said.above.startswith("/") else self.said.above
        self.hoped.add(_joined(posixpath.join(self.home.folder, above), text))
        for path, plain in self._readings(text, self.home.folder):
            if path in self.above or path in self.documents:
                if not plain and not self.home.file.lower().endswith(".data"):  # darknet counts from its own folder
                    self._warn("path-differs", f"{key}: {text!r} is not there; {path or 'the folder itself'} is taken")
                return path
        self._warn("missing-split", f"{key}: {text!r} is not there")
        return None

    def _warn(self, code: str, message: str) -> None:
        self.warnings.append(Flaw(code, self.home.file, f"{self.home.file}: {message}"))

    def _readings(self, text: str, folder: str) -> Iterator[tuple[str, bool]]:
        """The places a path may mean, and whether trainers would find it there: counted from `path`, from the folder,
        from the root; then without its beginning, which may be another machine's, and with `val` for `valid`."""
        text = text.strip().replace("\\", "/")
        foreign = text.startswith("/") or text[1:3] == ":/"
        if not foreign:
            if not self.said.above.startswith("/"):
                yield _joined(posixpath.join(self.home.folder, self.said.above), text), True
            yield _joined(folder, text), True
            yield _joined("", text), True
        parts = [part for part in posixpath.normpath(text).split("/") if part not in ("", ".", "..")]
        for start, part in enumerate(parts):
            for spelled in _spellings(parts[start:]):
                yield _joined(self.home.folder, "/".join(spelled)), start == 0 and spelled == parts and not foreign
            if part.lower() in SPLITS:
                return

    def _take_splits(self) -> None:
        groups: dict[tuple[str, ...], str] = {}
        for key, places in self.splits.items():
            groups.setdefault(places, SPLIT_KEYS[key])
        alike = len(groups) == 1 and len(self.splits) > 1  # train and val are one: no split, but for the folder's name
        for places, said in groups.items():
            for place in places:
                split = split_of(place) if alike else said
                if place in self.documents:
                    self._take_list(place, split)
                    continue
                for folder in self.by_folder:
                    if within(folder, place):
                        for path in self.by_folder[folder]:
                            self._take(path, split, "")
        unlisted = sorted(path for path in self.images - self.samples.keys() if within(path, self.home.base))
        where = self.home.file or ", ".join(place for places in self.splits.values() for place in places)
        self.warnings += [Flaw("not-listed", path, f"it is in no split of {where}") for path in unlisted]

    def _take(self, path: str, split: str | None, listed: str) -> None:
        known = self.samples.setdefault(path, (split, listed))
        if known[0] != split:
            message = f"it is in {known[0]} and in {split}; it counts for {known[0]}"
            self.warnings.append(Flaw("two-splits", path, message))

    def _take_list(self, name: str, split: str | None) -> None:
        finder = Finder(self.walk.root, self.home.folder, self.images)
        folder = posixpath.dirname(name)
        before: set[str | None] = set()
        for number, line in enumerate(self.texts.read(name).splitlines(), 1):
            text = line.strip()
            if not text:
                continue
            path = next((place for place, _ in self._readings(text, folder) if place in self.images), "")
            if not path:
                path, code, message = finder.find(text)
                if code:
                    flaw = Flaw(code, path or text[:1000], f"{name}:{number}: {message}")
                    (self.warnings if path else self.failed).append(flaw)
                if not path:
                    continue
            if self.samples.get(path) == (split, name):
                self.warnings.append(Flaw("repeated-row", path, f"{name}:{number}: the image is there already"))
            self._take(path, split, name)
            end = relative(path, self.base)
            before.add(text[: -len(end)] if text.endswith(end) and not text.startswith("/") else None)
        self.lists[name] = before.pop() if len(before) == 1 else None

    def _take_all(self) -> None:
        """All images of the dataset, in splits if their folders are called so."""
        folders = [folder for folder in self.by_folder if within(folder, self.base)]
        if not folders:  # the images lie elsewhere
            self.base = self.beside = ""
            folders = list(self.by_folder)
        if self.home.only or self.home.base != self.base:
            folders = self._nearest(folders)
        placements = layout({relative(folder, self.base) for folder in folders})
        for folder in folders:
            split = placements[relative(folder, self.base)][0]
            for path in self.by_folder[folder]:
                self.samples[path] = split, ""

    def _nearest(self, folders: Sequence[str]) -> list[str]:
        """The folders that have label files: where folders have the same ones, the first by name."""
        taken: dict[str, str] = {}
        nearest = []
        for folder in folders:
            own = [name for path in self.by_folder[folder] if (name := self._label(path)) is not None]
            if own and all(name in taken for name in own):
                message = f"the images in {taken[own[0]]} have these labels already"
                self.warnings.append(Flaw("not-listed", folder, message))
            elif own:
                nearest.append(folder)
                taken |= dict.fromkeys(own, folder)
        return nearest

    # The label files

    def _find_labels(self) -> None:
        """A label file is for the images of one folder: the one that it usually belongs to, or else the first."""
        folders = {posixpath.dirname(path) for path in self.samples}
        usual = {folder: usual_folder(folder) for folder in folders}
        labels = {folder: self._label_folder(folder) for folder in sorted(folders)}
        self.label_folders = {folder: usual[folder] if own is None else own for folder, own in labels.items()}
        taken: dict[str, str] = {}
        for folder in sorted(folders, key=lambda folder: (labels[folder] != usual[folder], folder)):
            for path in self.by_folder[folder]:
                name = self._label(path) if path in self.samples else None
                if name is not None and name not in self.lists and taken.setdefault(name, folder) == folder:
                    self.labels[path] = name

    def _label(self, path: str) -> str | None:
        """The label file of an image, if it has one."""
        folder = self._label_folder(posixpath.dirname(path))
        name = None if folder is None else _joined(folder, stem(path) + ".txt")
        return name if name in self.documents else None

    def _label_folder(self, folder: str) -> str | None:
        """The folder that has most label files for the images of `folder`; None if none has any."""
        if folder in self._chosen:
            return self._chosen[folder]
        names = [stem(path) + ".txt" for path in self.by_folder[folder]]
        best, most = None, 0
        for labels in dict.fromkeys(self._candidates(folder)):
            if labels not in self.with_text:
                continue
            count = sum((f"{labels}/{name}" if labels else name) in self.documents for name in names)
            if count > most:
                best, most = labels, count
        self._chosen[folder] = best
        return best

    def _candidates(self, folder: str) -> Iterator[str]:
        parts = folder.split("/") if folder else []
        at = next((n for n in range(len(parts) - 1, -1, -1) if parts[n].lower() in IMAGE_FOLDERS), None)
        ends = ["/".join(parts[start:]) for start in range(len(parts) + 1)]  # the longest first
        if self.home.only:
            yield from (_joined(self.home.only, end) for end in ends)
            return
        if at is not None:
            for name in LABEL_FOLDERS:
                yield "/".join([*parts[:at], name, *parts[at + 1 :]])
        yield folder
        for above in dict.fromkeys((self.home.folder, self.base, posixpath.dirname(folder))):
            for name in LABEL_FOLDERS:
                yield from (_joined(above, f"{name}/{end}") for end in ends)

    def _tell_unused(self) -> None:
        """Label files that are for no image."""
        used = {*self.labels.values(), *self.lists, *self.said.texts}
        folders = set(self.label_folders.values()) - self.label_folders.keys()
        for path in sorted(self.documents - used):
            if within(path, self.home.only or self.home.base):
                data = head(self.walk.root, path, 4096)
                if is_label_file(data) or (not data.strip() and posixpath.dirname(path) in folders):
                    self.warnings.append(Flaw("no-image", path, "a label file without an image is not used"))


def _joined(folder: str, path: str) -> str:
    joined = posixpath.normpath(posixpath.join(folder, path))
    return "" if joined == "." else joined


def _spellings(parts: list[str]) -> Iterator[list[str]]:
    """The path, and with the first name of a split in it as others write it: valid, val, validation."""
    yield parts
    for place, part in enumerate(parts):
        if part.lower() in SPLITS:
            for other, split in SPLITS.items():
                if split == SPLITS[part.lower()] and other != part:
                    yield [*parts[:place], other, *parts[place + 1 :]]
            return
