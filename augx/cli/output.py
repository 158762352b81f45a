"""What a person sees: progress while it lasts, and the closing summary. Figures to stdout, all else to stderr."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from augx.model import Json

if TYPE_CHECKING:
    from augx.recipe import Recipe
    from augx.run import Outcome

_WARNINGS = {  # what the codes of flaws and notes mean, as "3 x ..."
    "ambiguous-file": "a name or label file may mean several images and is not used",
    "bad-annotation": "an annotation or box cannot be read and is left out",
    "bad-box": "a box is not four numbers and is left out",
    "bad-category": "a category has no id and is left out",
    "bad-image": "an entry for an image has no id or no name and is left out",
    "bad-keypoints": "keypoints are not x, y, visibility for each and are left out",
    "bad-line": "a line of a label file cannot be read and is left out",
    "bad-object": "an object has no name or no box and is left out",
    "bad-segmentation": "a segmentation is neither polygons nor run lengths and is left out",
    "balance-mixes": "`balance` counts what each image's own source shows, not what mixes bring in",
    "balance-over": "a class has more than `balance` asks for, to begin with",
    "balance-short": "a class cannot get as many as `balance` asks for",
    "box-among-polygons": "a box among polygons is written as a rectangle",
    "box-clipped": "a box sticks out of its image and is cut at the edge",
    "box-empty": "a box has no width or height, and its object is dropped",
    "box-order": "four numbers in one column may be corners or a size: see which was taken",
    "box-outside": "a box lies outside its image, and its object is dropped",
    "box-reversed": "a box has its corners reversed; they are put in order",
    "class-count": "`nc` is not the number of names, which count",
    "class-name": "a class has no name of its own and gets its number behind it",
    "class-not-there": "the recipe names a class that no image shows",
    "confidence": "a confidence stands after a box and is left out",
    "duplicate-annotation": "an image has its segments twice; the first count",
    "duplicate-annotation-id": "an annotation id stands there twice; one gets a new id",
    "duplicate-category-id": "a category id stands there twice; the first counts",
    "duplicate-file-name": "an image is listed under two ids; its objects are joined",
    "duplicate-image-id": "an image id stands there twice",
    "empty-split": "a split of the recipe has no image",
    "field-left-out": "a field cannot be written as JSON again and is left out",
    "flip-idx": "`flip_idx` is no order of the keypoints and is not used",
    "image-data": "a JSON has the image in it, which is not written again",
    "keypoint-outside": "a keypoint lies outside its image and counts as not labelled",
    "keypoints-unnamed": "objects have more or fewer keypoints than their class has names",
    "left-out": "an image lies in a folder without label files and is left out",
    "link-broken": "a link points to nothing",
    "link-loop": "a folder link leads back and is not followed",
    "link-outside": "a link leads out of INPUT and is not followed",
    "listed-missing": "a list names images that are not there",
    "lost-field": "the format of OUTPUT has no place for a field, which is left out",
    "lost-labels": "the format of OUTPUT cannot hold a kind of label, which is left out as allowed",
    "mask-unused": "an image has several masks, of which one is used",
    "missing-images": "a table has rows for images that are not there",
    "missing-split": "a split of data.yaml is not there",
    "multi-frame": "an image has several frames, of which the first is used",
    "name-differs": "a table spells a file name otherwise than the file",
    "name-not-utf8": "a file name is no UTF-8 and is not read",
    "no-annotations": "a label file has no list of annotations",
    "no-categories": "a label file has no categories; classes are called by their ids",
    "no-category": "an object has no class",
    "no-class": "an image lies in no class folder",
    "no-group": "an image fits no group of `split.by` and is a group of its own",
    "no-image": "a label file or mask has no image and is not used",
    "no-label": "an image has no label file and is used without labels",
    "no-row": "an image has no row in the table and is left out",
    "no-shape": "an object says nowhere where it is and is left out",
    "no-split": "an image is in no list and is of no split",
    "not-a-file": "a pipe, socket or device is not read",
    "not-a-number": "a line is no line of numbers and is left out",
    "not-finite": "a coordinate is NaN, infinite or far too large; what it belongs to is dropped",
    "not-labelme": "a JSON is no LabelMe file and is not read",
    "not-listed": "an image is in no label file or list and is left out",
    "not-read": "a label file is of a kind that is not read here",
    "obb-empty": "an oriented box has no area, and its object is dropped",
    "obb-outside": "an oriented box lies outside its image, and its object is dropped",
    "odd-value": "a field cannot be written as JSON again and is left out",
    "other-xml": "an XML is no annotation and is not read",
    "path-differs": "a path of data.yaml is not there; the folder it ends with is taken",
    "polygon-clipped": "a polygon sticks out of its image and is cut at the edge",
    "polygon-degenerate": "a polygon has no area and is left out",
    "polygon-outside": "a polygon lies outside its image and is left out",
    "ragged-row": "a row has too few or too many cells and is left out",
    "repeated-image": "an image comes twice; the first counts",
    "repeated-label": "an image has two label files, of which one counts",
    "repeated-name": "a file comes twice in a tar; the first counts",
    "repeated-row": "an image has several rows or entries: see which counts",
    "rle-empty": "a mask (RLE) has no pixel and is left out",
    "segment-missing": "a segment is not in its mask, and its object is left out",
    "shape-stays": "a shape beside the box is kept only where no transform is applied",
    "size-differs": "a label file says another size than the image has, whose own counts",
    "size-rotated": "a label file has width and height exchanged: turned by EXIF? see `labels: {pixels: ...}`",
    "two-splits": "an image is in two splits, of which the first counts",
    "unknown-category": "an object is of a category that is not listed and is left out",
    "split-not-there": "an override is for a split that is not there, or not multiplied",
    "unknown-class": "an object is of a class that has no name and is left out",
    "unknown-image": "annotations are of images that are not listed and are left out",
    "unmixed-values": "a mix leaves values as the first picture has them",
    "unmoved-field": "a field of numbers is not moved: left out where pixels move if it is called like a place",
    "unreadable-field": "a field cannot be written as JSON again and is left out",
    "unreadable-list": "a list of classes is no UTF-8 and is not written again",
    "unreadable-object": "a part of an object cannot be read and is left out",
    "unreadable-shape": "a shape cannot be read and is left out",
    "unused-folder": "images lie apart from those with labels and are left out",
    "unused-labels": "a table looks like labels, too, and is not read",
    "visibility-odd": "the visibility of a keypoint is not 0, 1 or 2; above 0 counts as 2",
    "wrong-count": "a line has a wrong count of numbers and is left out",
    "yaml": "a file is no YAML 1.2 as it should be",
}
_EVERY = 30.0  # seconds between lines where there is no terminal


class Progress:
    """A bar on a terminal, a line now and then elsewhere, nothing with `quiet`."""

    def __init__(self, quiet: bool) -> None:
        self.quiet = quiet
        self.images = self.made = self.failed = 0
        self.bar: Any = None
        self.started = self.last = 0.0

    def begin(self, images: int, kept: int) -> None:
        self.images = images
        self.started = self.last = time.monotonic()
        if self.quiet:
            return
        if kept:
            click.echo(f"{kept:,} images are in place from before", err=True)
        if sys.stderr.isatty():
            from tqdm import tqdm

            self.bar = tqdm(total=images, unit=" images", smoothing=0.1, dynamic_ncols=True, leave=False)

    def step(self, made: int, failed: int) -> None:
        self.made += made
        self.failed += failed
        done = self.made + self.failed
        if self.bar is not None:
            self.bar.update(made + failed)
            if self.failed:
                self.bar.set_postfix_str(f"{self.failed} failed", refresh=False)
        elif not self.quiet and done and time.monotonic() - self.last >= _EVERY:
            self.last = time.monotonic()
            rate = done / (self.last - self.started)
            left = (self.images - done) / rate
            click.echo(
                f"{done:,} of {self.images:,} images, {rate:.0f} a second, {self.failed} failed, {left:.0f} s left",
                err=True,
            )

    def end(self) -> None:
        if self.bar is not None:
            self.bar.close()


def print_json(value: Json) -> None:
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def warn(recipe: Recipe, quiet: bool) -> None:
    if not quiet:
        for problem in recipe.warnings:
            click.echo(f"warning: {problem}", err=True)


def table(rows: Sequence[tuple[str, ...]]) -> str:
    """Columns under each other: the first flush left, the others right."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]

    def line(row: tuple[str, ...]) -> str:
        cells = [cell.rjust(width) for cell, width in zip(row, widths, strict=True)]
        return "  ".join([row[0].ljust(widths[0]), *cells[1:]]).rstrip()

    return "\n".join(map(line, rows))


def class_table(classes: dict[str, dict[str, int]], most: int = 20) -> str:
    """Images per class before and after; the largest first where there are many."""
    shown = list(classes)
    if len(classes) > most:
        shown = sorted(classes, key=lambda name: (-classes[name]["before"], name))[:most]
    rows = [("class", "before", "after")]
    rows += [(name, f"{classes[name]['before']:,}", f"{classes[name]['after']:,}") for name in shown]
    text = table(rows)
    if len(classes) > most:
        text += f"\n... and {len(classes) - most} more classes (all are in summary.json)"
    return text


def balance_table(reached: dict[str, dict[str, int | None]], unit: str, most: int = 40) -> str:
    """What `balance` comes to, class by class; the smallest first where there are many."""
    shown = sorted(reached, key=lambda name: (reached[name]["before"], name))[:most] if len(reached) > most else reached
    rows: list[tuple[str, ...]] = [(f"class ({unit})", "before", "wanted", "after")]
    for name in shown:
        one = reached[name]
        rows.append((name, *("-" if one[key] is None else f"{one[key]:,}" for key in ("before", "wanted", "got"))))
    left = len(reached) - len(rows) + 1
    return table(rows) + (f"\n... and {left} more classes (--json has all)" if left else "")


def summarise(outcome: Outcome, output: str, verbose: bool) -> None:
    """The closing words of a run: how many, failed and why, per class, where, and what next."""
    summary, counts = outcome.summary, outcome.summary["counts"]
    if not outcome.made and not outcome.removed and outcome.kept == counts["images"]:
        click.echo(f"nothing to do: {counts['images']:,} images are in {output}")
    else:
        click.echo(
            f"{counts['images']:,} images from {counts['sources']:,} sources in {output} "
            f"({outcome.made:,} made, {outcome.kept:,} kept from before, {outcome.removed:,} removed)"
        )
        if summary["classes"] and (set(summary["classes"]) != {"(none)"}):
            click.echo()
            click.echo(class_table(summary["classes"], 10_000 if verbose else 20))
    for code, count in summary["warnings"].items():
        said = f"{_WARNINGS[code]} ({code})" if code in _WARNINGS else code
        click.echo(f"warning: {count:,} x {said}", err=True)
    if summary["ignored"]:
        kinds = ", ".join(f"{count} {ending}" for ending, count in summary["ignored"].items())
        click.echo(f"not images, left out: {kinds}", err=True)
    click.echo()
    if counts["failed"]:
        click.echo(f"{counts['failed']:,} images could not be made; each is a row in {output}/failures.jsonl:")
        for code, count in summary["failures"].items():
            click.echo(f"  {count:,} x {code}")
    if counts["equal"]:
        click.echo(
            f"{counts['equal']:,} images equal their source or another copy, though they were drawn up to six times: "
            f"{summary['multiplication']:g} different images per source"
        )
    click.echo(f"how each image was made:  {output}/manifest.jsonl")
    click.echo(f"check it any time with:   augx verify {output}")
