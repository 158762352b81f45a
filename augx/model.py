"""The nouns, all frozen. Whoever wants to know what travels through augx reads this file.

Dataset = many Samples (no pixels). A Job is one Sample and the copies wanted of it; a Shard is a few Jobs.
In a worker a Sample becomes a Picture (pixels); the written pictures become Rows of the manifest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Json = Any  # what json.dumps takes: dict, list, str, int, float, bool, None


@dataclass(frozen=True, slots=True)
class Annotations:
    """What is known about one image; absent means empty.

    `labels`: class name -> weight. One class: `{"cat": 1.0}`. Several classes on one image: 1.0 each.
    After a mix the weights sum to 1.
    `values`: regression targets and any other column, carried untouched.
    """

    labels: Mapping[str, float] = field(default_factory=dict)
    values: Mapping[str, Json] = field(default_factory=dict)

    @property
    def label(self) -> str | None:
        """The one class of this image; None where there is none or there are several."""
        return next(iter(self.labels)) if len(self.labels) == 1 else None


@dataclass(frozen=True, slots=True)
class Sample:
    """A reference to one image. `id` is its path under the dataset's root, with `/` between folders.

    `folder` is the folder under OUTPUT its images go to ("" is OUTPUT itself), set by the output format.
    """

    id: str
    annotations: Annotations = field(default_factory=Annotations)
    split: str | None = None
    folder: str = ""


@dataclass(frozen=True, slots=True)
class Flaw:
    """Something about the dataset a person should know. `source` is a path under the root, or ""."""

    code: str  # stable, kebab-case: "no-row", "missing-file", "unreadable-row"
    source: str
    message: str


@dataclass(frozen=True, slots=True)
class Dataset:
    """A labelled image folder, as a format has read it. `samples` are sorted by id.

    `classes`: all class names, in the order the dataset gives them or sorted.
    `failed`: samples that are listed but cannot be made (missing file, unreadable row); each becomes failures rows.
    `warnings`: what was left out or repaired, and goes to the summary.
    `ignored`: files that are no images, counted by ending (".txt", ...).
    `details`: what the format needs again to write the dataset the way it was read. `digest`: of the label files, with
    their names: where it is the same, details are the same.
    """

    root: str
    format: str
    samples: tuple[Sample, ...]
    classes: tuple[str, ...] = ()
    failed: tuple[Flaw, ...] = ()
    warnings: tuple[Flaw, ...] = ()
    ignored: Mapping[str, int] = field(default_factory=dict)
    details: Any = None
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One line of a recipe's `transforms`. `args` are exactly what the recipe wrote, less `p`.

    A group (OneOf, SomeOf, Sequential) has its members in `steps`.
    """

    name: str
    args: Mapping[str, Json] = field(default_factory=dict)
    p: float | None = None  # None: the transform's own default
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class ImageOptions:
    """`output: {image: ...}` of a recipe: how written images are encoded."""

    format: str = "keep"  # keep, jpeg, png, webp, bmp, tiff
    quality: int = 92  # JPEG and WebP, 1..100
    subsampling: str = "4:2:0"  # JPEG: 4:4:4, 4:2:2, 4:2:0
    png_level: int = 3  # zlib, 0..9
    lossless: bool = False  # WebP
    bits: str = "keep"  # keep, or 8: reduce 16-bit images to 8
    alpha: str = "keep"  # keep, or drop


@dataclass(frozen=True, slots=True)
class Picture:
    """One decoded image and what is known about it.

    `pixels`: (H, W) grey or (H, W, 3) RGB, uint8 or uint16, C-contiguous, EXIF orientation applied.
    `alpha`: (H, W) of the same dtype, or None. `icc`: the colour profile, embedded again when written.
    """

    pixels: NDArray[np.uint8 | np.uint16]
    alpha: NDArray[np.uint8 | np.uint16] | None = None
    icc: bytes | None = None
    annotations: Annotations = field(default_factory=Annotations)

    @property
    def width(self) -> int:
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        return int(self.pixels.shape[0])


@dataclass(frozen=True, slots=True)
class Applied:
    """A transform as it was applied to one copy: its name and the arguments drawn for it (JSON)."""

    name: str
    params: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Job:
    """One source and the copies wanted of it; 0 is the original. `naming.copy_name` makes the file names.

    `stem`: folder and base name under OUTPUT, `ending`: with its dot.
    """

    sample: Sample
    stem: str
    ending: str
    copies: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Shard:
    """A few jobs that go to a worker together; `name` is unique in its run."""

    name: str
    jobs: tuple[Job, ...]
