"""What augx is measured against by `speed.py`: other programs that write N copies of each picture.

    python speed_peers.py NAME SOURCE OUTPUT RECIPE.json [--side 256] [--labels FILE]

    floor      one decode, N encodes and N writes a source, and no augmentation: what the codecs and the disk cost
    files      N files of the source's size, put in place as every program must that leaves no half file; no codec
    naive      Albumentations as most people use it: a pool; for every copy the source is read again
    once       Albumentations with some care: a source is read once for all copies; one thread a process
    augmentor  Augmentor; no blur, and its own JPEG quality, 75; both are to its advantage

Each runs in the environment that has its libraries, with two processes (Augmentor: threads, as it has no processes).
RECIPE is one of augx's, written as JSON; floor and files do not look at its transforms.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

QUALITY = 90
J = TypeVar("J")
R = TypeVar("R")
_NEEDED = {"floor": ("simplejpeg==1.9.0", "opencv-python-headless>=4.9,<5"), "augmentor": ("Augmentor==0.2.12",)}


def python_of(name: str, venvs: Path) -> str | Path:
    """That of augx, which has Albumentations, or that of an environment below `venvs`, made here when it is missing."""
    if name not in _NEEDED:
        return sys.executable
    folder = venvs.absolute() / name
    python = folder / "bin" / "python"
    if not (folder / "ready").exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", *_NEEDED[name]], check=True)
        (folder / "ready").touch()
    return python


@dataclass(frozen=True)
class Work:
    source: Path
    output: Path
    transforms: list[Any]
    copies: int
    side: int  # of the square pictures that are to be made, in pixels; 0: of the source's size
    labels: Path | None  # COCO, of which the boxes are taken

    def pictures(self) -> list[Path]:
        """All there are; their folders are made in the output."""
        found = sorted(self.source.glob("*/*.jpg"))
        for folder in {path.parent.name for path in found}:
            (self.output / folder).mkdir(parents=True)
        return found

    def copy(self, path: Path, number: int) -> str:
        return f"{self.output}/{path.parent.name}/{path.stem}_{number}.jpg"


def shared(function: Callable[[J], R], jobs: Iterable[J]) -> list[R]:
    """The results, of two processes that are waited for."""
    with multiprocessing.get_context("fork").Pool(2) as pool:
        results = pool.map(function, jobs)
        pool.close()
        pool.join()
    return results


def floor(work: Work) -> None:
    shared(partial(floor_of_one, work), work.pictures())


def floor_of_one(work: Work, path: Path) -> None:
    """Decoded at a smaller scale where that suits crops down to half the picture's sides."""
    import cv2
    import simplejpeg  # type: ignore[import-not-found]

    cv2.setNumThreads(0)
    least = 2 * work.side
    pixels = simplejpeg.decode_jpeg(path.read_bytes(), min_height=least, min_width=least, strict=False)
    if work.side:
        pixels = cv2.resize(pixels, (work.side, work.side))
    for number in range(work.copies):
        data = simplejpeg.encode_jpeg(pixels, quality=QUALITY, colorsubsampling="420")
        written(work.copy(path, number), data)


def files(work: Work) -> None:
    shared(partial(files_of_one, work), work.pictures())


def files_of_one(work: Work, path: Path) -> None:
    data = path.read_bytes()
    for number in range(work.copies):
        name = work.copy(path, number)
        written(f"{name}.tmp", data)
        os.rename(f"{name}.tmp", name)


def written(name: str, data: bytes) -> None:
    descriptor = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    os.write(descriptor, data)
    os.close(descriptor)


def naive(work: Work) -> None:
    transform = composed(work)
    jobs = [(path, number) for path in work.pictures() for number in range(work.copies)]
    shared(partial(naive_copy, work, transform), jobs)


def naive_copy(work: Work, transform: Callable[..., Any], job: tuple[Path, int]) -> None:
    import cv2

    path, number = job
    image: Any = cv2.imread(str(path))
    image = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
    image = cv2.cvtColor(transform(image=image)["image"], cv2.COLOR_RGB2BGR)
    cv2.imwrite(work.copy(path, number), image, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])


def once(work: Work) -> None:
    """With labels: their boxes go through the transforms, too, and one file of the new ones is written."""
    transform = composed(work)
    boxes = boxes_of(work.labels) if work.labels else {}
    rows = shared(partial(once_of_one, work, transform, boxes), work.pictures())
    if work.labels:
        (work.output / "boxes.json").write_text(json.dumps([row for rows_of_one in rows for row in rows_of_one]))


def once_of_one(
    work: Work, transform: Callable[..., Any], boxes: Mapping[str, list[Any]], path: Path
) -> list[tuple[str, Any, Any]]:
    import cv2

    cv2.setNumThreads(0)
    image: Any = cv2.imread(str(path))
    image = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
    given: dict[str, Any] = {}
    if work.labels:
        known = boxes[f"{path.parent.name}/{path.name}"]
        given = {"bboxes": [box for box, _ in known], "classes": [number for _, number in known]}
    rows = []
    for number in range(work.copies):
        made = transform(image=image, **given)
        name = work.copy(path, number)
        cv2.imwrite(name, cv2.cvtColor(made["image"], cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
        if work.labels:
            rows.append((name, [list(map(float, box)) for box in made["bboxes"]], list(map(int, made["classes"]))))
    return rows


def boxes_of(labels: Path) -> dict[str, list[Any]]:
    """For each file name, box and class of its objects."""
    told = json.loads(labels.read_text())
    names = {image["id"]: image["file_name"] for image in told["images"]}
    boxes: dict[str, list[Any]] = {name: [] for name in names.values()}
    for one in told["annotations"]:
        boxes[names[one["image_id"]]].append((one["bbox"], one["category_id"]))
    return boxes


def composed(work: Work) -> Callable[..., Any]:
    import albumentations as A  # noqa: N812

    boxes = A.BboxParams("coco", label_fields=["classes"], min_visibility=0.1) if work.labels else None
    compose: Callable[..., Any] = A.Compose([transform_of(step) for step in work.transforms], bbox_params=boxes)
    return compose


def transform_of(step: Mapping[str, Any]) -> Any:
    """The Albumentations transform that a step of a recipe names, or a group of them."""
    import albumentations as A  # noqa: N812
    import cv2

    ((name, arguments),) = step.items()
    given: dict[str, Any] = dict(arguments)
    for key, value in given.items():
        if isinstance(value, list):
            given[key] = tuple(value)
    if "transforms" in given:
        given["transforms"] = [transform_of(member) for member in given["transforms"]]
    if "border_mode" in given:
        given["border_mode"] = getattr(cv2, f"BORDER_{given['border_mode'].upper()}")
    return getattr(A, name)(**given)


def augmentor(work: Work) -> None:
    import Augmentor  # type: ignore[import-not-found]

    work.pictures()  # makes the folders; Augmentor does not for a single class
    pipeline = Augmentor.Pipeline(str(work.source.absolute()), str(work.output.absolute()), save_format="jpg")
    pipeline.flip_left_right(0.5)
    pipeline.rotate(1, 15, 15)
    pipeline.random_brightness(1, 0.8, 1.2)
    pipeline.random_contrast(1, 0.8, 1.2)
    if work.side:
        pipeline.crop_random(1, percentage_area=0.65)
        pipeline.resize(1, work.side, work.side, resample_filter="BILINEAR")
    for _ in range(work.copies):
        pipeline.process()


PEERS: Mapping[str, Callable[[Work], None]] = {
    "floor": floor, "files": files, "naive": naive, "once": once, "augmentor": augmentor,
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=PEERS)
    parser.add_argument("source", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("recipe", type=Path)
    parser.add_argument("--side", type=int, default=0)
    parser.add_argument("--labels", type=Path)
    given = parser.parse_args()
    recipe = json.loads(given.recipe.read_text())
    PEERS[given.name](
        Work(given.source, given.output, recipe["transforms"], recipe["copies"], given.side, given.labels)
    )


if __name__ == "__main__":
    main()
