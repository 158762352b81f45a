"""Which files tell of a whole YOLO dataset, and what they say: data.yaml, or Darknet's obj.data and obj.names."""

from __future__ import annotations

import codecs
import hashlib
import os
import posixpath
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from augx.errors import InputError
from augx.formats.heads import head
from augx.formats.walk import Walk
from augx.formats.yolo.lines import TASKS, Shape
from augx.model import Flaw, Json
from augx.store import open_regular

if TYPE_CHECKING:
    from augx.yamlfile import Node

NAMES = ("classes.txt", "obj.names", "_darknet.labels", "classes.names", "names.txt", "labels.txt")
SPLIT_KEYS: Mapping[str, str] = {"train": "train", "val": "val", "valid": "val", "validation": "val", "test": "test"}
MAX_TEXT = 64 << 20  # bytes of one list or label file
MAX_KEYPOINTS = 10_000

_USUAL = ("data.yaml", "data.yml", "dataset.yaml", "dataset.yml", "config.yaml", "obj.data")  # where there are several
_PLAIN = ("data.yaml", "data.yml", "dataset.yaml", "dataset.yml")
_CLASSES = re.compile(rb"^(?:names|nc|classes)[ \t]*[:=]", re.MULTILINE)
_PLACES = re.compile(rb"^(?:path|train|val|valid|validation|test|kpt_shape)[ \t]*[:=]", re.MULTILINE)


def tells(root: str, path: str, labelled: bool = False) -> bool:
    """Whether a file tells of a dataset, from its name and its head. `labelled`: that there is one is known, so a
    data.yaml may name classes and nothing else."""
    if not path.lower().endswith((".yaml", ".yml", ".data")):
        return False
    data = head(root, path)
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return posixpath.basename(path) in _USUAL  # to be refused, not passed over
    return bool(_CLASSES.search(data) and ((labelled and posixpath.basename(path) in _PLAIN) or _PLACES.search(data)))


def within(path: str, folder: str) -> bool:
    return not folder or path == folder or path.startswith(folder + "/")


def relative(path: str, folder: str) -> str:
    """`path` as counted from `folder`; one that lies elsewhere stays as it is."""
    return path[len(folder) + 1 :] if folder and within(path, folder) else path


@dataclass(frozen=True, slots=True)
class Home:
    """`base`: the folder of the dataset. `file`: its data.yaml or obj.data, "" for none. `only`: the one folder where
    labels are looked for, "" for wherever they belong. Paths are under the root."""

    base: str
    file: str = ""
    only: str = ""

    @property
    def folder(self) -> str:
        return posixpath.dirname(self.file) if self.file else self.base


def choose(found: Walk, wanted: str | None) -> Home:
    """The dataset to read: what the user says (`--labels`), else the one at the root, else the one a folder down."""
    if wanted is not None:
        return _wanted(found, posixpath.normpath(wanted.replace("\\", "/")))
    if home := _in_folder(found, ""):
        return Home("", home)
    below = sorted({path.split("/")[0] for path in found.documents if path.count("/") == 1})
    homes = [home for folder in below if (home := _in_folder(found, folder))]
    if len(homes) > 1:
        message = f"{found.root} holds several YOLO datasets: {', '.join(homes[:10])}"
        raise InputError(message, f"choose one: `--labels {posixpath.dirname(homes[0])}`")
    return Home(posixpath.dirname(homes[0]), homes[0]) if homes else Home("")


def _wanted(found: Walk, wanted: str) -> Home:
    if wanted in found.documents and tells(found.root, wanted, labelled=True):
        return Home(posixpath.dirname(wanted), wanted)
    folder = "" if wanted == "." else wanted
    if not any(within(path, folder) for path in found.documents):
        hint = "name a data.yaml, or the folder of the labels, by its path in INPUT"
        raise InputError(f"{found.root}: there are no labels in {wanted!r}", hint)
    home = _in_folder(found, folder)
    if home or any(within(path, folder) for path in found.images):
        return Home(folder, home)
    above = folder
    while above and not home:
        above = posixpath.dirname(above)
        home = _in_folder(found, above)
    return Home(above, home, folder)


def _in_folder(found: Walk, folder: str) -> str:
    """The file in a folder that tells of a dataset, "" for none."""
    documents = [path for path in found.documents if posixpath.dirname(path) == folder]
    homes = [path for path in documents if tells(found.root, path, labelled=True)]
    usual = [path for name in _USUAL for path in homes if posixpath.basename(path) == name]
    if len(homes) > 1 and not usual:
        message = f"{found.root}: several files tell of a dataset: {', '.join(homes[:10])}"
        raise InputError(message, f"choose one: `--labels {homes[0]}`")
    return (usual or homes or [""])[0]


class Texts:
    """Reads the files that tell of many images; `sums`: what was read -> its SHA-256."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.sums: dict[str, str] = {}

    def read(self, name: str) -> str:
        try:
            with open_regular(os.path.join(self.root, name)) as file:
                data = file.read(MAX_TEXT + 1)
        except OSError as error:
            raise InputError(f"{name} cannot be read: {error.strerror}", "is it whole, and may you read it?") from None
        if len(data) > MAX_TEXT:
            raise InputError(f"{name} is larger than {MAX_TEXT >> 20} MB", "is it what its name says?")
        self.sums[name] = hashlib.sha256(data).hexdigest()
        try:
            return data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            raise InputError(f"{name}:{line}: byte {error.start} is no UTF-8", "save it as UTF-8") from None


@dataclass(slots=True)
class Said:
    """What the files say. `names`: number of a class -> its name, None where they do not say. `content`: data.yaml.

    `splits`: key of data.yaml -> folders and list files, as they are written there. `above`: its `path`.
    `texts`: files to be written as they were read. `task`: "" where it does not say. `swap`: `flip_idx`.
    `keypoints`: names of keypoints, by the number of their class.
    """

    names: dict[int, str] | None = None
    content: dict[str, Json] = field(default_factory=dict)
    splits: dict[str, list[str]] = field(default_factory=dict)
    above: str = ""
    texts: dict[str, str] = field(default_factory=dict)
    task: str = ""
    shape: Shape | None = None
    swap: tuple[int, ...] | None = None
    keypoints: dict[int, tuple[str, ...]] = field(default_factory=dict)
    warnings: list[Flaw] = field(default_factory=list)


def read(found: Walk, home: Home, texts: Texts) -> Said:
    said = Said()
    if home.file.lower().endswith(".data"):
        _read_darknet(found, home, texts, said)
    elif home.file:
        _read_yaml(home.file, texts, said)
    if said.names is None and (files := _name_files(found, home)):
        said.texts |= {name: texts.read(name) for name in files}
        said.names = _named_by_lines(said.texts[files[0]])
    return said


def _name_files(found: Walk, home: Home) -> list[str]:
    """Lists of class names, the one that counts first: labelImg puts one into each folder of labels."""
    files = [*found.documents, *found.images]  # _darknet.labels is no known document
    files = [path for path in files if posixpath.basename(path) in NAMES and within(path, home.base)]
    return sorted(files, key=lambda path: (path.count("/"), NAMES.index(posixpath.basename(path)), path))


def _named_by_lines(text: str) -> dict[int, str]:
    return dict(enumerate(line.strip() for line in text.strip().splitlines()))


def _read_darknet(found: Walk, home: Home, texts: Texts, said: Said) -> None:
    text = said.texts[home.file] = texts.read(home.file)
    values = {key.strip(): value.strip() for key, _, value in (line.partition("=") for line in text.splitlines())}
    names = posixpath.join(home.folder, posixpath.basename(values.get("names", "")))
    if names in found.documents:
        said.texts[names] = texts.read(names)
        said.names = _named_by_lines(said.texts[names])
    said.splits = {key: [values[key]] for key in SPLIT_KEYS if values.get(key)}


def _read_yaml(name: str, texts: Texts, said: Said) -> None:
    from augx.yamlfile import load

    node, problems = load(texts.read(name).encode(), name, numbered=True)
    if node is None or not isinstance(node.value, dict):
        why = "it is no mapping"
        if problems:
            why = f"line {problems[0].line}: {problems[0].message}" if problems[0].line else f"it {problems[0].message}"
        raise InputError(f"{name} cannot be read: {why}", "mend it; without it classes are called by their numbers")
    said.warnings += [Flaw("yaml", name, f"line {problem.line}: {problem.message}") for problem in problems]
    content = said.content = node.plain()
    if "names" in node.value:
        said.names = _names(node.value["names"][1], name)
    count = content.get("nc")
    if said.names is not None and isinstance(count, int) and count != len(said.names):
        said.warnings.append(Flaw("class-count", name, f"nc is {count}, but there are {len(said.names)} names"))
    above = content.pop("path", None)
    said.above = above if isinstance(above, str) else ""
    for key in SPLIT_KEYS:
        value = content.get(key)
        places = [value] if isinstance(value, str) else value if isinstance(value, list) else []
        if places := [place for place in places if isinstance(place, str) and place.strip()]:
            said.splits[key] = places
    _read_pose(content, name, said)
    task = content.get("task")
    if task is not None:
        if task not in TASKS or (task == "pose") != (said.shape is not None):
            raise InputError(f"{name}: task is {task!r}", f"{', '.join(TASKS)}; pose goes with kpt_shape")
        said.task = task


def _names(node: Node, name: str) -> dict[int, str]:
    """The classes of a list, or of a mapping from their numbers; a name that looks like a number stays as spelled."""
    named: dict[int, Node] = {}
    if isinstance(node.value, list):
        named = dict(enumerate(node.value))
    elif isinstance(node.value, dict):
        for text, (_, value) in node.value.items():
            if not (text.isascii() and text.isdigit() and len(text) < 10):
                raise InputError(f"{name}: names: {text!r} is no number of a class", "write `0: cat`")
            named[int(text)] = value
    else:
        raise InputError(f"{name}: names is {node}", "a list of names, or a mapping from numbers to names")
    names: dict[int, str] = {}
    for number, value in sorted(named.items()):
        label = value.value if isinstance(value.value, str) else value.text
        if isinstance(value.value, (list, dict)) or not _is_text(label):
            raise InputError(f"{name}: names: class {number} is {value}", "a name is a text")
        names[number] = label
    return names


def _is_text(label: str) -> bool:
    try:
        label.encode()
    except UnicodeEncodeError:  # half a surrogate pair, from an escape
        return False
    return True


def _read_pose(content: Mapping[str, Json], name: str, said: Said) -> None:
    shape = content.get("kpt_shape")
    if shape is None:
        return
    if not _whole(shape) or len(shape) != 2 or not 1 <= shape[0] <= MAX_KEYPOINTS or shape[1] not in (2, 3):
        raise InputError(f"{name}: kpt_shape is {shape!r}"[:200], "number of keypoints, and 2 or 3 numbers for each")
    said.shape = (shape[0], shape[1])
    swap = content.get("flip_idx")
    if swap:
        if _whole(swap) and sorted(swap) == list(range(shape[0])):
            said.swap = tuple(swap)
        else:
            message = f"flip_idx is not the numbers 0 to {shape[0] - 1} in some order, and is not used"
            said.warnings.append(Flaw("flip-idx", name, message))
    named = content.get("kpt_names")
    for number, names in named.items() if isinstance(named, dict) else ():
        if isinstance(number, int) and isinstance(names, list) and len(names) == shape[0]:
            said.keypoints[number] = tuple(map(str, names))


def _whole(values: Json) -> bool:
    return isinstance(values, list) and all(type(value) is int for value in values)


def numbered(names: Mapping[int, str], warnings: list[Flaw]) -> dict[int, str]:
    """The classes with a name of its own for each: the second `mouse` is called `mouse 64`, by its number."""
    own: dict[int, str] = {}
    taken = set(names.values())
    seen: set[str] = set()
    for number, label in names.items():
        if not label.strip() or label in seen:
            label = _free(f"{label.strip() or 'class'} {number}", taken)
            warnings.append(Flaw("class-name", "", f"class {number} has no name of its own; it is called {label!r}"))
        own[number] = label
        seen.add(label)
        taken.add(label)
    return own


def _free(label: str, taken: Collection[str]) -> str:
    while label in taken:
        label += "'"
    return label
