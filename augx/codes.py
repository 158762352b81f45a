"""Every reason code that failures.jsonl, the manifest and summary.json may hold, as plain data: what happens, what the
code means, and the way out. It imports nothing heavy, because `augx list` and each closing summary read it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

End = Literal["failed", "dropped", "left out", "repaired", "told"]
Ends = tuple[End, ...]

ENDS: Mapping[End, str] = {
    "failed": "the image fails: a row in failures.jsonl; the others are made",
    "dropped": "the object is dropped: `dropped` in the row of its image says so",
    "left out": "what it is about is not used; the rest is",
    "repaired": "it is put right or done without, as said; the image is used",
    "told": "nothing is changed; a person should know",
}


@dataclass(frozen=True, slots=True)
class Code:
    """`ends`: what may happen, the usual first. `meaning`: as in "3 x ...". `stages`: of failures, where they occur."""

    ends: Ends
    meaning: str
    way_out: str
    stages: tuple[str, ...] = ()


_FAILED: Ends = ("failed",)
_DROPPED: Ends = ("dropped",)
_LEFT_OUT: Ends = ("left out",)
_REPAIRED: Ends = ("repaired",)
_TOLD: Ends = ("told",)
_AGAIN = "get the file again from its source"
_MEND = "mend the label file if that is not what you mean"

_READ, _TRANSFORM, _ENCODE, _WORKER = ("read",), ("transform",), ("encode",), ("worker",)
_DECODE = ("decode", "labels")  # of an image, of a mask
_LABELS = ("labels",)

_FILES = {
    "ambiguous-file": Code(_FAILED + _LEFT_OUT, "a name or label file may mean several images and is not used",
        "name the image by its path from the label file, with its ending", _READ),
    "broken-shard": Code(_FAILED, "a tar is damaged, and what follows in it is lost",
        "get the tar again from its source", _READ),
    "changed-while-read": Code(_FAILED, "a file of the image changed while it was read, or was not there for a moment",
        "run again when nothing writes to INPUT any more", _READ + _TRANSFORM),
    "empty-file": Code(_FAILED, "the file is empty", _AGAIN, _DECODE),
    "html-page": Code(_FAILED, "a web page (HTML) stands where the image should be",
        "download the file again: it is most likely the error page of a server", _DECODE),
    "lfs-pointer": Code(_FAILED, "a Git LFS or git-annex pointer stands where the file should be",
        "run `git lfs pull` or `git annex get`", _DECODE),
    "link-broken": Code(_FAILED + _LEFT_OUT, "a link points to nothing",
        "fetch what it points to (`dvc pull`, `git annex get`), or remove it", _READ),
    "link-loop": Code(_LEFT_OUT, "a folder link leads back and is not followed", "remove the link"),
    "link-outside": Code(_LEFT_OUT, "a link leads out of INPUT and is not followed",
        "copy what it points to in its place, or give the folder that holds both"),
    "missing-file": Code(_FAILED, "an image or mask is named and not there",
        "put the file in its place, or take its name out of the labels", _READ),
    "missing-images": Code(_LEFT_OUT, "a table has rows for images that are not there", "nothing, or download them"),
    "missing-mask": Code(_FAILED, "a mask is named and not there", "put the mask in its place", _READ),
    "name-not-utf8": Code(_FAILED + _LEFT_OUT, "a file name is no UTF-8 and is not read",
        "rename the file or folder", _READ),
    "name-too-long": Code(_FAILED, "the file system of OUTPUT takes no name as long as the image would get",
        "rename the source or choose another OUTPUT, and run again", ("write",)),
    "not-a-file": Code(_FAILED + _LEFT_OUT, "a pipe, socket or device is not read", "put the file in its place", _READ),
    "outside-input": Code(_FAILED, "a path leads out of INPUT", "copy the file into INPUT and name it there", _READ),
    "repeated-name": Code(_LEFT_OUT, "a file comes twice in a tar; the first counts", "write the tar again"),
    "unreadable": Code(_FAILED, "the file cannot be read", "look at its permissions and at the disk", _READ),
    "unreadable-folder": Code(_FAILED, "a folder cannot be listed", "change its permissions", _READ),
}  # fmt: skip

_IMAGES = {
    "corrupt": Code(_FAILED, "the file is damaged", _AGAIN, _DECODE),
    "decoder-warning": Code(_TOLD, "the decoder has doubts about a file that it could read",
        "look at the image, and save it again"),
    "decompression-bomb": Code(_FAILED,
        "a small file claims more pixels or work than it can hold: most likely an attack",
        "remove it; if you trust it, save it again, or raise `limits: {pixels: ...}`", _DECODE),
    "ending-differs": Code(_TOLD, "a file is of another format than its ending says; its content counts",
        "rename it"),
    "multi-frame": Code(_REPAIRED, "an image has several frames, of which the first is used",
        "save the frames as images of their own if you want them all"),
    "not-an-image": Code(_FAILED, "the file is no image", "remove it, or put the image in its place", _DECODE),
    "only-zeros": Code(_FAILED, "the file begins with nothing but zeros: a copy that was never finished", _AGAIN,
        _DECODE),
    "pixel-type": Code(_FAILED, "the channels or samples are of a kind that has no fixed range or cannot be read",
        "save it as PNG, JPEG or TIFF of grey or RGB, with 8 or 16 bits a channel", _DECODE),
    "side-too-long": Code(_FAILED, "the image is longer or wider than the limit",
        "resize or tile it, or raise `limits: {side: ...}`", _DECODE),
    "too-many-bytes": Code(_FAILED, "the file is larger than the limit, or than its pixels can need",
        "make it smaller, or raise `limits: {bytes: ...}`", (*_READ, *_DECODE)),
    "too-many-pixels": Code(_FAILED, "the image has more pixels than the limit",
        "resize or tile it, or raise `limits: {pixels: ...}`", _DECODE),
    "truncated": Code(_FAILED, "the file ends too early", _AGAIN, (*_READ, *_DECODE)),
    "unsupported-format": Code(_FAILED, "the image is of a format that is not read",
        "convert it to PNG, JPEG, WebP, BMP or TIFF", _DECODE),
}  # fmt: skip

_MAKING = {
    "encode-failed": Code(_FAILED, "the encoder cannot write the picture", "write it as PNG: `output: {image: "
        "{format: png}}`", _ENCODE),
    "hidden": Code(_DROPPED, "an object lies under other pictures, objects or patches", "use gentler mixes or patches"),
    "internal-error": Code(_FAILED, "an error that augx does not know: most likely a bug of augx or a codec",
        "report it, with the image and the recipe if you can", ("decode", "labels", "transform", "encode")),
    "mask-of-colours": Code(_FAILED, "`inside` is given a class number, but the class mask has colours",
        "save masks with class numbers, or name classes of objects", _TRANSFORM),
    "masks-differ": Code(_FAILED, "a mix meets masks of colours and masks of numbers",
        "save all masks alike, as numbers", _TRANSFORM),
    "min_area": Code(_DROPPED, "too few pixels of an object are left", "lower `labels: {min_area: ...}`"),
    "min_size": Code(_DROPPED, "too narrow a strip of an object is left", "lower `labels: {min_size: ...}`"),
    "min_visibility": Code(_DROPPED, "too small a share of an object is left",
        "lower `labels: {min_visibility: ...}`, or move less"),
    "no-16-bit": Code(_FAILED, "a transform or the format of OUTPUT takes 8 bits a channel only",
        "`output: {image: {bits: 8}}` reduces them; `format: png` or other transforms keep them", _TRANSFORM + _ENCODE),
    "no-alpha": Code(_FAILED, "the format of OUTPUT cannot hold transparency",
        "`output: {image: {alpha: drop}}` drops it, `format: png` keeps it", _ENCODE),
    "no-background": Code(_FAILED, "no picture of a folder of backgrounds can be opened",
        "put pictures there, or correct the folder in the recipe, and run again", _TRANSFORM),
    "gan-rejected": Code(_FAILED, "the gates of `gan` let none of its attempts through: unrecognised, or a copy",
        "fit the model longer (its sheet says why), raise `attempts`, or lower `confidence` or `novelty`", _TRANSFORM),
    "no-model": Code(_FAILED, "the model of a step cannot be used, or is not what it was when the run was planned",
        "put it back, or fit it again with `augx learn`, and run again", _TRANSFORM),
    "out-of-memory": Code(_FAILED, "there was not enough memory for the picture",
        "use fewer --workers or a higher --memory-limit, and run again",
        ("decode", "labels", "transform", "encode", "worker")),
    "outside": Code(_DROPPED, "an object has left the picture", "move less"),
    "rejected": Code(_FAILED, "every draw of a copy was as `reject` of the recipe does not want it",
        "use gentler transforms, or reject less", _TRANSFORM),
    "timed-out": Code(_FAILED, "the image took longer than --time-limit",
        "resize it, leave slow transforms out, or raise --time-limit and run again", _WORKER),
    "too-large": Code(_FAILED, "the format of OUTPUT holds no picture that long or wide",
        "resize it in the recipe, or write `format: png`", _ENCODE),
    "transform-failed": Code(_FAILED, "a transform cannot work on a picture of this size or kind",
        "resize or pad before it, or take another transform", _TRANSFORM),
    "unknown-ending": Code(_FAILED, "no format is known for the ending of the file to be written",
        "say the format: `output: {image: {format: png}}`", _ENCODE),
    "worker-died": Code(_FAILED, "the process that worked on the image died twice over it",
        "try the image alone and report it; if the system killed it for memory, use fewer --workers", _WORKER),
}  # fmt: skip

_LABEL_FILES = {
    "field-left-out": Code(_REPAIRED, "a field cannot be written as JSON again and is left out", _MEND),
    "image-data": Code(_LEFT_OUT, "a JSON has the image in it, which is not written again",
        "nothing: the file beside it counts"),
    "left-out": Code(_LEFT_OUT, "an image lies in a folder without label files and is left out",
        "label one image of that folder, or give the folder above the labelled ones"),
    "listed-missing": Code(_REPAIRED, "a list names images that are not there", "take the names out of the list"),
    "no-annotations": Code(_REPAIRED, "a label file has no list of annotations", "is it the right file? see --labels"),
    "no-categories": Code(_REPAIRED, "a label file has no categories; classes are called by their ids",
        "add `categories` to the file"),
    "no-image": Code(_LEFT_OUT, "a label file or mask has no image and is not used",
        "put its image beside the others, or remove it"),
    "no-label": Code(_REPAIRED, "an image has no label file and is used without labels",
        "add an empty label file if it shows nothing"),
    "no-row": Code(_LEFT_OUT, "an image has no row in the table and is left out", "add a row"),
    "no-split": Code(_REPAIRED, "an image is in no list and is of no split", "add it to a list"),
    "not-labelme": Code(_LEFT_OUT, "a JSON is no LabelMe file and is not read", "nothing"),
    "not-listed": Code(_LEFT_OUT, "an image is in no label file or list and is left out", "add it to the list"),
    "not-read": Code(_LEFT_OUT, "a label file is of a kind that is not read here", "choose it with --labels"),
    "other-xml": Code(_LEFT_OUT, "an XML is no annotation and is not read", "nothing"),
    "ragged-row": Code(_FAILED + _LEFT_OUT, "a row has too few or too many cells and is left out",
        "put quotes around cells that hold the delimiter", _READ),
    "repeated-image": Code(_LEFT_OUT, "an image comes twice; the first counts", _MEND),
    "repeated-label": Code(_LEFT_OUT, "an image has two label files, of which one counts", "remove the other"),
    "repeated-row": Code(_LEFT_OUT + _REPAIRED, "an image has several rows or entries: see which counts", _MEND),
    "two-splits": Code(_REPAIRED, "an image is in two splits, of which the first counts",
        "take it out of one: else it leaks from training into testing"),
    "unknown-image": Code(_LEFT_OUT, "annotations are of images that are not listed and are left out",
        "list their images"),
    "unreadable-label": Code(_FAILED, "the label file of an image cannot be read", "mend or remove the label file",
        _READ),
    "unreadable-list": Code(_LEFT_OUT, "a list of classes is no UTF-8 and is not written again", "save it as UTF-8"),
    "unreadable-row": Code(_FAILED, "a row or line of a table cannot be read", "mend the row", _READ),
    "unused-folder": Code(_LEFT_OUT, "images lie apart from those with labels and are left out",
        "label one of them, or give their folder as INPUT"),
    "unused-labels": Code(_LEFT_OUT, "a table looks like labels, too, and is not read", "--from table reads it"),
    "yaml": Code(_REPAIRED, "a file is no YAML 1.2 as it should be", "write it as the message says"),
}  # fmt: skip

_DATASETS = {
    "class-count": Code(_REPAIRED, "`nc` is not the number of names, which count",
        "correct `nc`, or add the names that are missing"),
    "class-name": Code(_REPAIRED, "a class has no name of its own and gets its number behind it", "name it"),
    "duplicate-annotation": Code(_REPAIRED, "an image has its segments twice; the first count", _MEND),
    "duplicate-annotation-id": Code(_REPAIRED, "an annotation id stands there twice; one gets a new id", _MEND),
    "duplicate-category-id": Code(_REPAIRED, "a category id stands there twice; the first counts", _MEND),
    "duplicate-file-name": Code(_REPAIRED, "an image is listed under two ids; its objects are joined", _MEND),
    "duplicate-image-id": Code(_REPAIRED + _FAILED, "an image id stands there twice",
        "give each image an id of its own", _READ),
    "flip-idx": Code(_REPAIRED, "`flip_idx` is no order of the keypoints and is not used",
        "write each number from 0 once; or see `labels: {keypoint_pairs: ...}`"),
    "lost-field": Code(_LEFT_OUT, "the format of OUTPUT has no place for a field, which is left out",
        "choose another with --to; the manifest keeps the field"),
    "lost-labels": Code(_LEFT_OUT, "the format of OUTPUT cannot hold a kind of label, which is left out as allowed",
        "choose another with --to; the manifest keeps the labels"),
    "missing-split": Code(_REPAIRED, "a split of data.yaml is not there", "download it, or take its line out"),
    "name-differs": Code(_REPAIRED, "a table spells a file name otherwise than the file", "spell it as the file"),
    "no-class": Code(_REPAIRED, "an image lies in no class folder", "move it into the folder of its class"),
    "path-differs": Code(_REPAIRED, "a path of data.yaml is not there; the folder it ends with is taken",
        "write the path from data.yaml's own folder"),
}  # fmt: skip

_OBJECTS = {
    "bad-annotation": Code(_LEFT_OUT, "an annotation or box cannot be read and is left out", _MEND),
    "bad-box": Code(_LEFT_OUT, "a box is not four numbers and is left out", _MEND),
    "bad-category": Code(_REPAIRED, "a category has no id and is left out", _MEND),
    "bad-image": Code(_REPAIRED, "an entry for an image has no id or no name and is left out", _MEND),
    "bad-keypoints": Code(_REPAIRED, "keypoints are not x, y, visibility for each and are left out", _MEND),
    "bad-line": Code(_LEFT_OUT, "a line of a label file cannot be read and is left out", _MEND),
    "bad-object": Code(_LEFT_OUT, "an object has no name or no box and is left out", _MEND),
    "bad-segmentation": Code(_REPAIRED + _LEFT_OUT, "a segmentation is neither polygons nor run lengths and is left "
        "out", _MEND),
    "box-among-polygons": Code(_REPAIRED, "a box among polygons is written as a rectangle", _MEND),
    "box-clipped": Code(_REPAIRED, "a box sticks out of its image and is cut at the edge", _MEND),
    "box-empty": Code(_DROPPED, "a box has no width or height, and its object is dropped", _MEND),
    "box-order": Code(_REPAIRED, "four numbers in one column may be corners or a size: see which was taken",
        "give each number a column of its own if it was the wrong one"),
    "box-outside": Code(_DROPPED, "a box lies outside its image, and its object is dropped", _MEND),
    "box-reversed": Code(_REPAIRED, "a box has its corners reversed; they are put in order", _MEND),
    "confidence": Code(_REPAIRED, "a confidence stands after a box and is left out", "nothing"),
    "keypoint-outside": Code(_REPAIRED, "a keypoint lies outside its image and counts as not labelled", _MEND),
    "keypoints-unnamed": Code(_REPAIRED, "objects have more or fewer keypoints than their class has names",
        "name all keypoints of the category"),
    "mask-lossy": Code(_FAILED, "a mask is saved as JPEG or WebP, which does not keep class numbers",
        "save masks as PNG, from the tool that drew them", (*_READ, *_LABELS)),
    "mask-size": Code(_FAILED, "a mask is of another size than its image", "export the mask again", _LABELS),
    "mask-turned": Code(_FAILED, "a mask is turned by EXIF", "save it upright, as PNG", _LABELS),
    "mask-unused": Code(_LEFT_OUT, "an image has several masks, of which one is used", "remove the others"),
    "no-category": Code(_REPAIRED, "an object has no class", "give it one"),
    "no-shape": Code(_LEFT_OUT, "an object says nowhere where it is and is left out", _MEND),
    "not-a-number": Code(_LEFT_OUT, "a line is no line of numbers and is left out", _MEND),
    "not-finite": Code(_DROPPED + _REPAIRED, "a coordinate is NaN, infinite or far too large; what it belongs to is "
        "dropped", _MEND),
    "obb-empty": Code(_DROPPED, "an oriented box has no area, and its object is dropped", _MEND),
    "obb-outside": Code(_DROPPED, "an oriented box lies outside its image, and its object is dropped", _MEND),
    "odd-value": Code(_REPAIRED, "a field cannot be written as JSON again and is left out", _MEND),
    "polygon-clipped": Code(_REPAIRED, "a polygon sticks out of its image and is cut at the edge", _MEND),
    "polygon-degenerate": Code(_DROPPED + _REPAIRED, "a polygon has no area and is left out", _MEND),
    "polygon-outside": Code(_DROPPED, "a polygon lies outside its image and is left out", _MEND),
    "rle-broken": Code(_FAILED, "the run lengths of a mask (RLE) are broken", "export the labels again", _LABELS),
    "rle-empty": Code(_DROPPED, "a mask (RLE) has no pixel and is left out", _MEND),
    "rle-size": Code(_FAILED, "a mask (RLE) is of another size than its image", "export the labels again", _LABELS),
    "segment-missing": Code(_REPAIRED, "a segment is not in its mask, and its object is left out", _MEND),
    "shape-stays": Code(_REPAIRED, "a shape beside the box is kept only where no transform is applied",
        "say it as polygon, mask or keypoints if it should go along"),
    "size-differs": Code(_REPAIRED, "a label file says another size than the image has, whose own counts",
        "look whether the image was resized after it was labelled: then its boxes are wrong"),
    "size-rotated": Code(_REPAIRED, "a label file has width and height exchanged: turned by EXIF? see `labels: "
        "{pixels: ...}`", "look at a copy, and write `labels: {pixels: stored}` if its boxes lie wrong"),
    "unknown-category": Code(_LEFT_OUT, "an object is of a category that is not listed and is left out",
        "list the category"),
    "unknown-class": Code(_LEFT_OUT, "an object is of a class that has no name and is left out",
        "name the class where the others are named, or correct its number"),
    "unreadable-field": Code(_REPAIRED, "a field cannot be written as JSON again and is left out", _MEND),
    "unreadable-object": Code(_LEFT_OUT + _REPAIRED, "a part of an object cannot be read and is left out", _MEND),
    "unreadable-shape": Code(_LEFT_OUT, "a shape cannot be read and is left out", _MEND),
    "visibility-odd": Code(_REPAIRED, "the visibility of a keypoint is not 0, 1 or 2; above 0 counts as 2", _MEND),
    "wrong-count": Code(_LEFT_OUT, "a line has a wrong count of numbers and is left out", _MEND),
}  # fmt: skip

_RECIPES = {
    "balance-mixes": Code(_TOLD, "`balance` counts what each image's own source shows, not what mixes bring in",
        "nothing, or mix pictures of the same class only: `partners: same`"),
    "balance-over": Code(_TOLD, "a class has more than `balance` asks for, to begin with",
        "ask for more, or leave sources of it out"),
    "balance-short": Code(_TOLD, "a class cannot get as many as `balance` asks for",
        "ask for fewer, or add sources that show it"),
    "model-collapsed": Code(_TOLD, "what a model generates is less than half as varied as the real pictures",
        "fit it longer, or with another `--seed`; `augx probe` says whether its pictures help"),
    "model-of-other-data": Code(_TOLD, "a model of the recipe was fitted on other pictures than these",
        "fit it on these with `augx learn`, if that is not what you mean"),
    "model-saw-test": Code(_TOLD, "a model of the recipe was fitted on pictures of splits that are not multiplied",
        "divide the dataset first, and fit the model on `train` alone: what it has seen gets into the copies"),
    "broken-background": Code(_TOLD, "a file in a folder of backgrounds cannot be opened; another is taken",
        "get it again, or remove it from there"),
    "class-not-there": Code(_TOLD, "the recipe names a class that no image shows", "correct its name"),
    "empty-split": Code(_TOLD, "a split of the recipe has no image", "raise its share, or add images"),
    "near-duplicate": Code(_TOLD, "pictures that look alike are in different splits",
        "keep them together: `split: {by: likeness}`"),
    "no-group": Code(_REPAIRED, "an image fits no group of `split.by` and is a group of its own",
        "correct the expression or the column"),
    "split-not-there": Code(_TOLD, "an override is for a split that is not there, or not multiplied",
        "correct its name, or add the split to `splits`"),
    "unmixed-values": Code(_TOLD, "a mix leaves values as the first picture has them",
        "leave the mix out if training uses the values"),
    "unmoved-field": Code(_REPAIRED, "a field of numbers is not moved: left out where pixels move if it is called like "
        "a place", "rename it if it is no place"),
}  # fmt: skip

CODES: Mapping[str, Code] = MappingProxyType(
    {**_FILES, **_IMAGES, **_MAKING, **_LABEL_FILES, **_DATASETS, **_OBJECTS, **_RECIPES}
)
