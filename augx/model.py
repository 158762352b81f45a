"""The nouns, all frozen. Whoever wants to know what travels through augx reads this file.

Dataset = many Samples (no pixels). A Job is one Sample and the copies wanted of it; a Shard is a few Jobs.
In a worker a Sample becomes a Picture (pixels); the written pictures become Rows of the manifest.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Json = Any  # what json.dumps takes: dict, list, str, int, float, bool, None
Box = tuple[float, float, float, float]  # x0, y0, x1, y1
Flat = array  # array("d"), never changed once made: flat coordinates, light to hold by the million and to send

# Coordinates, everywhere in augx: x to the right, y down, in pixels of the upright picture. 0 is the left (upper) edge
# of the first pixel and `width` the right edge of the last, so a box's x1, y1 are exclusive.


_NOTHING: dict[Any, Any] = {}


def _nothing() -> dict[Any, Any]:
    """One empty mapping for millions of samples and jobs. Nobody writes to a Mapping."""
    return _NOTHING


@dataclass(frozen=True, slots=True)
class Rle:
    """A mask as COCO's run lengths: of zeros and ones in turn, column by column.

    `counts`: a str is COCO's compressed form, a tuple of ints the plain one; what came in one form goes out in it.
    """

    width: int
    height: int
    counts: str | tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Object:
    """One labelled thing in an image. Its parts belong together: they move, are cut and leave the picture together.

    `box`: where the label file gave one; None where only other parts say where the object is.
    `rings`: polygons, each flat x, y, x, y, ...; the object is the union of what they enclose (COCO's rule).
    `rle`: its mask. An object has rings or a mask, not both. `crowd`: COCO's iscrowd, many things in one mask.
    `keypoints`: flat x, y, v for each: v 0 not labelled (x, y 0), 1 hidden, 2 visible.
    `corners`: an oriented box, four corners in the order of the label file, flat.
    `index`: its value in the sample's mask of instances.
    `extra`: what a format knows and augx does not touch (difficult, truncated, occluded, attributes, group, id ...).
    """

    label: str | None
    box: Box | None = None
    rings: tuple[Flat[float], ...] = ()
    rle: Rle | None = None
    keypoints: Flat[float] | None = None
    corners: Flat[float] | None = None
    crowd: bool = False
    index: int | None = None
    extra: Mapping[str, Json] = field(default_factory=_nothing)


@dataclass(frozen=True, slots=True)
class Annotations:
    """What is known about one image; absent means empty.

    `labels`: class of the whole image -> weight. One class: `{"cat": 1.0}`. Several classes: 1.0 each.
    After a mix the weights sum to 1, unless one of the images had several. Classes of objects are not in it.
    `values`: regression targets and any other column, carried untouched. `captions`: sentences about the image.
    `mask`: path (as a sample's id) of its class-index mask. `instances`: of the mask whose values are objects' `index`,
    which is carried as a file. `segments`: of a mask from which each object takes its own `rle`, by its `index`, as
    soon as it is read (COCO panoptic: R + 256 G + 65536 B).
    `relative`: coordinates are shares of width and height, 0..1, as YOLO writes them; in pixels once decoded.
    `dot`: what to add to keypoints to get places: 0.5 for COCO, which counts pixels, so that 0 is the first one's
    centre; else 0.
    `size`: (width, height) as the label file says, None where it says nothing.
    `extra`: what a format knows of the image and augx does not touch (licence, flags ...).
    """

    labels: Mapping[str, float] = field(default_factory=_nothing)
    values: Mapping[str, Json] = field(default_factory=_nothing)
    captions: tuple[str, ...] = ()
    objects: tuple[Object, ...] = ()
    mask: str | None = None
    instances: str | None = None
    segments: str | None = None
    relative: bool = False
    dot: float = 0.0
    size: tuple[int, int] | None = None
    extra: Mapping[str, Json] = field(default_factory=_nothing)

    @property
    def label(self) -> str | None:
        """The one class of this image; None where there is none or there are several."""
        return next(iter(self.labels)) if len(self.labels) == 1 else None


@dataclass(frozen=True, slots=True)
class Pose:
    """What the keypoints of a class are. `skeleton`: pairs of indexes from 0.

    `swap`: for each keypoint the index of the one it becomes in a mirror (left eye: right eye; nose: nose); None where
    nobody knows.
    """

    names: tuple[str, ...] = ()
    skeleton: tuple[tuple[int, int], ...] = ()
    swap: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class Added:
    """How pictures are made that no file of INPUT holds. `step`: of the recipe. `model`: the file it works with.
    `by`: what decides the bytes besides: versions."""

    step: Step
    model: str
    by: str = ""


@dataclass(frozen=True, slots=True)
class Sample:
    """A reference to one image. `id` is its path under the dataset's root, with `/` between folders.

    `folder` is the folder under OUTPUT its images go to ("" is OUTPUT itself), set by the output format.
    `packed`: for files that lie in a tar: name -> (the tar under the root, offset, size).
    `added`: no image at all, but how some of a class are made; the id is that of no file.
    """

    id: str
    annotations: Annotations = field(default_factory=Annotations)
    split: str | None = None
    folder: str = ""
    packed: Mapping[str, tuple[str, int, int]] = field(default_factory=_nothing)
    added: Added | None = None

    @property
    def source(self) -> str:
        """What rows of the manifest say of where a picture comes from."""
        return "" if self.added else self.id


@dataclass(frozen=True, slots=True)
class Flaw:
    """Something about the dataset a person should know. `source` is a path under the root, or ""."""

    code: str  # stable, kebab-case: "no-row", "missing-file", "unreadable-row"
    source: str
    message: str

    def __post_init__(self) -> None:
        """A message may quote half a surrogate pair, which no file or terminal can hold."""
        if not self.message.isascii():
            object.__setattr__(self, "message", self.message.encode("utf-8", "backslashreplace").decode())


@dataclass(frozen=True, slots=True)
class Dataset:
    """A labelled image folder, as a format has read it. `samples` are sorted by id.

    `classes`: all class names, in the order the dataset gives them or sorted.
    `failed`: samples that are listed but cannot be made (missing file, unreadable row); each becomes failures rows.
    `warnings`: what was left out or repaired, and goes to the summary.
    `ignored`: files that are no images, counted by ending (".txt", ...).
    `poses`: class -> what its keypoints are. `ignore`: the value in class masks that means no class.
    `origin`: the format it was read in, where `format` is "" because its layout is not kept.
    `details`: what the format needs again to write the dataset the way it was read. `digest`: of the label files that
    tell of more than one image, with their names: where it is the same, details are the same.
    """

    root: str
    format: str
    samples: tuple[Sample, ...]
    classes: tuple[str, ...] = ()
    failed: tuple[Flaw, ...] = ()
    warnings: tuple[Flaw, ...] = ()
    ignored: Mapping[str, int] = field(default_factory=dict)
    poses: Mapping[str, Pose] = field(default_factory=dict)
    ignore: int | None = None
    details: Any = None
    digest: str = ""
    origin: str = ""


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
class TarOptions:
    """`output: {tar: ...}` of a recipe: how large a tar of `--to webdataset` is, about: whichever is reached first.

    `images`: how many of them, `bytes`: by the sizes of their sources.
    """

    images: int = 1000
    bytes: int = 256 << 20


@dataclass(frozen=True, slots=True)
class LabelOptions:
    """`labels` of a recipe: what becomes of labels when pixels move.

    An object is dropped when less than `min_visibility` (0..1) of it is left in the picture, or fewer than `min_area`
    pixels², or when its box is narrower or lower than `min_size` pixels.
    `boxes`: where an object has nothing but a box, its new box is that of the turned box ("outer") or of the ellipse in
    it ("ellipse"). `pixels`: label files count in pixels of the picture as it is seen ("upright") or as it is stored.
    `pairs`: keypoints that swap in a mirror, indexes from 0; None: as the dataset says.
    `ignore`: the value of class masks for what comes in from outside; None: as the dataset says, or else 0.
    `values`: column -> "negate_on_flip". `hard`: every image has one class, mixed ones that of most of their picture.
    """

    min_visibility: float = 0.0
    min_area: float = 0.0
    min_size: float = 1.0
    boxes: str = "outer"
    pixels: str = "upright"
    pairs: tuple[tuple[int, int], ...] | None = None
    ignore: int | None = None
    values: Mapping[str, str] = field(default_factory=dict)
    hard: bool = False


@dataclass(frozen=True, slots=True)
class Limits:
    """How large a file may be that is decoded; what is larger fails by name, before a pixel is made.

    `pixels`: width x height, by default where Pillow, too, refuses. `bytes`: of the file. `side`: the longer one, in
    pixels, by default what a JPEG can hold.
    """

    pixels: int = 178_956_970
    bytes: int = 1 << 30
    side: int = 65_535


@dataclass(frozen=True, slots=True)
class RejectOptions:
    """`reject` of a recipe: copies that are drawn again. `flat`: those of one colour. `lost_objects`: those that have
    lost more than this share of their source's objects, 0..1; None: never."""

    flat: bool = False
    lost_objects: float | None = None


@dataclass(frozen=True, slots=True)
class SplitOptions:
    """`split` of a recipe: shares 0..1 of the images that are set apart before the rest is multiplied.

    `by`: a column whose equal values stay together, or a regular expression for names; None: each image for itself.
    """

    val: float = 0.0
    test: float = 0.0
    by: str | None = None
    stratify: bool = False


@dataclass(frozen=True, slots=True)
class Override:
    """One of a recipe's `overrides`: what is different for the images of some classes or splits; () means any.

    `copies`, `steps`: None where they are the recipe's.
    """

    classes: tuple[str, ...] = ()
    splits: tuple[str, ...] = ()
    copies: int | None = None
    steps: tuple[Step, ...] | None = None


@dataclass(frozen=True, slots=True)
class Dropped:
    """An object that an image has lost. `visibility`: 0..1, what was left to see of it.

    `reason`: outside, hidden, min_visibility, min_area, min_size; or the code of a flaw that no picture can show
    (box-empty).
    """

    label: str | None
    reason: str
    visibility: float


@dataclass(frozen=True, slots=True)
class Mask:
    """A decoded mask file: (H, W), uint8 or uint16, or (H, W, 3) uint8 where colours are the classes.

    `palette`: R, G, B, R, ... of a palette PNG, written again; None where there is none.
    """

    values: NDArray[np.uint8 | np.uint16]
    palette: bytes | None = None


@dataclass(frozen=True, slots=True)
class Picture:
    """One decoded image and what is known about it.

    `pixels`: (H, W) grey or (H, W, 3) RGB, uint8 or uint16, C-contiguous, EXIF orientation applied.
    `alpha`: (H, W) of the same dtype, or None. `icc`: the colour profile, embedded again when written.
    `mask`, `instances`: of the same height and width, where the sample has them.
    """

    pixels: NDArray[np.uint8 | np.uint16]
    alpha: NDArray[np.uint8 | np.uint16] | None = None
    icc: bytes | None = None
    annotations: Annotations = field(default_factory=Annotations)
    mask: Mask | None = None
    instances: Mask | None = None

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
class Beside:
    """A file that goes with each copy of an image: `kind` is "mask", "instances", or the format whose label file it is,
    with a dot and a word where that has several: "webdataset.cls".

    `stem`, `ending`: as a Job's; `naming.copy_name` makes the names. The ending may begin with a suffix: `_mask.png`.
    `needs`: what a label file depends on besides its row and what is the same for all of them, such as class numbers.
    """

    kind: str
    stem: str
    ending: str
    needs: Json = None


@dataclass(frozen=True, slots=True)
class Job:
    """One source and the copies wanted of it; 0 is the original. `naming.copy_name` makes the file names.

    `stem`: folder and base name under OUTPUT, `ending`: with its dot. `beside`: what is written with each copy.
    `variant`: which of the recipe's overrides holds, counted from 1; 0: none. `pools`: kind of partner -> the samples
    to choose from, set when the job goes to a worker. `known`: copy -> SHA-256 of lower copies that are there already.
    """

    sample: Sample
    stem: str
    ending: str
    copies: tuple[int, ...]
    beside: tuple[Beside, ...] = ()
    variant: int = 0
    pools: Mapping[str, tuple[Sample, ...]] = field(default_factory=_nothing)
    known: Mapping[int, str] = field(default_factory=_nothing)


@dataclass(frozen=True, slots=True)
class Shard:
    """A few jobs that go to a worker together; `name` is unique in its run. `tar`: the name of the tar that their files
    make, which holds nothing else; "" where they lie loose."""

    name: str
    jobs: tuple[Job, ...]
    tar: str = ""
