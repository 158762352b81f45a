"""YOLO: a text file of labels for each image; Ultralytics' data.yaml, Darknet's obj.data, or folders alone.

What the label lines are is one for the whole dataset. `task:` in data.yaml decides, then `kpt_shape` (pose), then the
lines: nothing but boxes (detect), nothing but eight coordinates (oriented boxes), polygons else.
"""

from __future__ import annotations

import hashlib
import os
import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from augx.errors import InputError
from augx.formats import Plain, ReadOptions, Row
from augx.formats.folder import SPLITS
from augx.formats.heads import head, near
from augx.formats.pairs import check_splits, left_over
from augx.formats.walk import walk
from augx.formats.yolo import lines as text
from augx.formats.yolo.home import MAX_TEXT, Said, Texts, choose, numbered, read, relative, tells
from augx.formats.yolo.lines import OBB, POSE, Bad, Line
from augx.formats.yolo.read import LABEL_FOLDERS, Found, is_label_file, usual_folder
from augx.formats.yolo.write import Details, data_yaml, details_of, image_list, task_for
from augx.model import Annotations, Beside, Dataset, Flaw, Json, Pose, Sample
from augx.store import open_regular

_IMAGES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff")


class Yolo(Plain):
    name = "yolo"
    summary = "YOLO: detection, segmentation, pose, oriented boxes; data.yaml"
    holds = frozenset({"boxes", "polygons", "rle", "keypoints", "obb"})
    writes_beside = True

    def detect(self, root: str) -> str:
        """Folders below that are whole datasets count for themselves, not for `root`."""
        homes = [path for path in near(root, (".yaml", ".yml", ".data"), 0, 50) if tells(root, path)]
        labels, foreign = _glance(root)
        if homes and (labels or not foreign):
            return f"{homes[0]} ({_task_seen(root, homes[0], labels)})"
        if labels:
            return f"labels as in {labels[0]} ({_task_seen(root, '', labels)})"
        return ", ".join(_without_images(root))

    def read(self, root: str, options: ReadOptions) -> Dataset:
        """A sample's `extra["yolo"]` says which list it stands in, and that it has no label file."""
        if options.table or options.columns:
            raise InputError("YOLO has no table and no columns", "`--labels` names a data.yaml or a folder of labels")
        found = walk(root)
        home = choose(found, options.labels)
        texts = Texts(root)
        said = read(found, home, texts)
        where = Found(found, home, said, texts)
        if not where.samples:
            raise InputError(f"{root}: no images in the splits of {home.file}", "is the dataset complete?")
        if not where.labels:
            hint = "labels lie in `labels` beside `images`, or beside each image; `--labels FOLDER` names another place"
            raise InputError(f"{root}: no label file fits any of {len(where.samples)} images", hint)
        failed = [*found.failed, *where.failed]
        warnings = [*found.warnings, *said.warnings, *where.warnings]
        lines, bad = _lines(root, where, failed)
        task = _task(said, lines)
        if said.names is None:
            names = {kind: str(kind) for kind in sorted({kind for own in lines.values() for _, kind, _ in own})}
        else:
            names = numbered(said.names, warnings)
        samples = []
        for path, (split, listed) in sorted(where.samples.items()):
            if path in where.labels and path not in lines:
                continue
            things = text.objects(lines.pop(path, []), task, said.shape, names, bad.setdefault(path, {}))
            known: dict[str, Json] = {"list": relative(listed, where.base)} if listed else {}
            if path not in where.labels:
                known["label_file"] = False
            extra = {"yolo": known} if known else {}
            samples.append(Sample(path, Annotations(objects=tuple(things), relative=True, extra=extra), split))
        for path, own in sorted(bad.items()):
            for code, (first, message, count) in sorted(own.items()):
                more = f" (and {count - 1} more lines)" if count > 1 else ""
                warnings.append(Flaw(code, path, f"{where.labels[path]}:{first}: {message}{more}"))
        base, beside = where.base, where.beside
        details = Details(
            task,
            said.shape,
            {name: number for number, name in names.items()},
            base,
            {relative(folder, base): relative(labels, beside) for folder, labels in where.label_folders.items()},
            "" if home.file.lower().endswith(".data") else relative(home.file, beside),
            said.content,
            {key: tuple(relative(place, base) for place in places) for key, places in where.splits.items()},
            {relative(name, base): before for name, before in where.lists.items()},
            {relative(name, beside): content for name, content in said.texts.items()},
        )
        digest = hashlib.sha256(repr([sorted(texts.sums.items()), details]).encode())
        return Dataset(
            root,
            self.name,
            tuple(samples),
            tuple(names.values()),
            tuple(failed),
            tuple(warnings),
            left_over(found.ignored, {*where.labels.values(), *texts.sums}),
            _poses(said, names),
            details=details,
            digest=digest.hexdigest(),
        )

    def lost(self, kinds: frozenset[str]) -> frozenset[str]:
        """A label file is of one kind: with oriented boxes no other shape fits, with keypoints no polygon."""
        gone = {OBB: {"keypoints", "polygons", "rle"}, POSE: {"polygons", "rle"}}.get(task_for(kinds), set())
        return kinds - self.holds | kinds & gone

    def check(self, dataset: Dataset, mixes: bool) -> None:
        if isinstance(dataset.details, Details):
            return
        nameless = [s.id for s in dataset.samples if any(thing.label is None for thing in s.annotations.objects)]
        if nameless:
            message = f"images with objects of no class: {len(nameless)}; the first is {nameless[0]}"
            raise InputError(message, "each line of a YOLO label file begins with a class")
        check_splits(dataset)

    def place(self, sample: Sample, dataset: Dataset) -> str:
        """As it was; or images/<split>. Images of no split come into `images`, and no split of data.yaml names them
        where others have one."""
        if isinstance(dataset.details, Details):
            return relative(posixpath.dirname(sample.id), dataset.details.base)
        return f"images/{sample.split}" if sample.split else "images"

    def beside(self, sample: Sample, dataset: Dataset, stem: str) -> tuple[Beside, ...]:
        folder, _, name = stem.rpartition("/")
        details: Details = dataset.details
        own = sample.annotations.extra.get("yolo", {}) if dataset.format == self.name else {}
        if own.get("label_file") is False:
            return ()
        labels = details.folders.get(folder, usual_folder(folder))
        classes = sorted({thing.label for thing in sample.annotations.objects if thing.label is not None})
        numbers = {name: details.ids.get(name) for name in classes}
        return (Beside(self.name, f"{labels}/{name}" if labels else name, ".txt", numbers),)

    def label_file(self, row: Row, sample: Sample, dataset: Dataset, kind: str = "") -> str:
        details = self.adopt(dataset)
        return "".join(text.lines(row, details.task, details.shape, details.ids))

    def adopt(self, dataset: Dataset) -> Details:
        """What `label_file` needs to know; for a dataset of another format all its samples are asked."""
        return dataset.details if isinstance(dataset.details, Details) else details_of(dataset)

    def write(self, rows: Iterable[Row], dataset: Dataset) -> Iterator[tuple[str, Iterable[str]]]:
        """data.yaml, the lists of images and the class names, as they were; a new data.yaml for another format."""
        details = self.adopt(dataset)
        if details.yaml or details is not dataset.details:
            yield details.yaml or "data.yaml", data_yaml(rows, dataset, details)
        if details.lists:
            listed = {s.id: s.annotations.extra.get("yolo", {}).get("list") for s in dataset.samples}
            for path, before in details.lists.items():
                yield path, image_list(rows, path, before, listed)
        for path, content in details.texts.items():
            yield path, (content,)


def _glance(root: str) -> tuple[list[str], bool]:
    """Some label files with lines in them that belong to `root`; and whether folders called labels hold others."""
    labels: list[str] = []
    foreign = False
    for path in near(root, (".txt",), 3, 20):
        parts = path.lower().split("/")
        named = any(part.startswith("label") for part in parts[:-1])
        own = parts[0] in LABEL_FOLDERS or (len(parts) > 2 and parts[0] in SPLITS and parts[1] in LABEL_FOLDERS)
        beside = len(parts) < 3 and _has_image(root, path)
        if not (named or own or beside):
            continue
        data = head(root, path, 4096)
        if not is_label_file(data):
            foreign = foreign or (named and bool(data.strip()))
        elif own or beside:
            labels.append(path)
        if len(labels) == 5:
            break
    return labels, foreign


def _has_image(root: str, path: str) -> bool:
    """Whether an image lies beside a label file."""
    endings = (spelled for ending in _IMAGES for spelled in (ending, ending.upper()))
    return any(os.path.isfile(os.path.join(root, path[: -len(".txt")] + ending)) for ending in endings)


def _task_seen(root: str, home: str, labels: Sequence[str]) -> str:
    data = head(root, home) if home else b""
    said = re.search(rb"^task[ \t]*:[ \t]*['\"]?(\w+)", data, re.MULTILINE)
    if said:
        return said[1].decode()
    if re.search(rb"^kpt_shape[ \t]*:", data, re.MULTILINE):
        return POSE
    heads = [head(root, path).decode("utf-8", "replace").rpartition("\n") for path in labels]
    lines = [line for whole, _, rest in heads for line in text.parse(whole or rest, {})]
    task = text.task_of({len(values) for _, _, values in lines})
    return task if task != OBB else "obb: every line has 9 numbers; `task: segment` in data.yaml makes them polygons"


def _without_images(root: str) -> list[str]:
    """Datasets one folder down whose images are elsewhere in `root`, so that they cannot be read by themselves."""
    homes = [path for path in near(root, (".yaml", ".yml", ".data"), 1, 50) if "/" in path and tells(root, path)]
    return [home for home in homes if not any(near(os.path.join(root, posixpath.dirname(home)), _IMAGES, 3, 1))]


def _lines(root: str, where: Found, failed: list[Flaw]) -> tuple[dict[str, list[Line]], dict[str, Bad]]:
    """The lines of each label file, and the bad ones, by image. Images whose labels cannot be read go to `failed`."""
    lines: dict[str, list[Line]] = {}
    bad: dict[str, Bad] = {}
    for path, name in where.labels.items():
        try:
            with open_regular(os.path.join(root, name)) as file:
                data = file.read(MAX_TEXT + 1)
            if len(data) > MAX_TEXT:
                raise ValueError(f"it is larger than {MAX_TEXT >> 20} MB")
            own: Bad = {}
            lines[path] = text.parse(data.decode("utf-8-sig"), own)
            if own:
                bad[path] = own
        except UnicodeDecodeError as error:
            failed.append(Flaw("unreadable-label", path, f"{name}: byte {error.start} is no UTF-8"))
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            failed.append(Flaw("unreadable-label", path, f"{name} cannot be read: {reason}"))
    return lines, bad


def _task(said: Said, lines: Mapping[str, Sequence[Line]]) -> str:
    if said.task or said.shape:
        return said.task or POSE
    return text.task_of({len(values) for own in lines.values() for _, _, values in own})


def _poses(said: Said, names: Mapping[int, str]) -> dict[str, Pose]:
    if said.shape is None:
        return {}
    from augx.formats.poses import swap_of

    poses = {}
    for number, name in names.items():
        points = said.keypoints.get(number, ())
        poses[name] = Pose(points, (), said.swap or swap_of(points))
    return poses
