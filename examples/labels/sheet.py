"""A contact sheet of any augx OUTPUT with its labels drawn in: each source, then its copies.

Usage: python sheet.py OUTPUT sheet.png [-n SOURCES] [--copies K] [--width PIXELS] [--skip SOURCES]
"""

import argparse
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

Points = Sequence[tuple[float, float]]

COLOURS = ("#E69F00", "#56B4E9", "#009E73", "#CC79A7", "#F0E442", "#D55E00", "#0072B2")  # Okabe and Ito, 2008
LEFT, RIGHT, MIDDLE = "#D55E00", "#56B4E9", "#F0E442"
GAP, CAPTION, FINER = 8, 20, 2  # pixels; everything is drawn twice as large, then scaled down, for smooth edges
VOID = 255  # the class number that by habit means: not labelled

# Of COCO's 17 keypoints; others have no lines. From 1 on, left and right take turns.
PERSON = [(15, 13), (13, 11), (16, 14), (14, 12), (11, 12), (5, 11), (6, 12), (5, 6), (5, 7), (6, 8), (7, 9), (8, 10)]
PERSON += [(1, 2), (0, 1), (0, 2), (1, 3), (2, 4)]


class Tile:
    """One picture of the sheet, `wide` x `high`, on which labels are drawn in pixels of the image file."""

    def __init__(self, image: Image.Image, wide: int, high: int) -> None:
        self.scale = min(wide / image.width, high / image.height) * FINER
        size = round(image.width * self.scale), round(image.height * self.scale)
        self.image = image.resize(size, Image.Resampling.LANCZOS if self.scale < 1 else Image.Resampling.BICUBIC)

    def line(self, points: Points, colour: str, width: float = 1.5) -> None:
        """In two tones, so that it is seen on any picture."""
        places = [(x * self.scale, y * self.scale) for x, y in points]
        draw = ImageDraw.Draw(self.image)
        draw.line(places, "#101418", round((width + 1) * FINER), joint="curve")
        draw.line(places, colour, round(width * FINER), joint="curve")

    def dot(self, x: float, y: float, colour: str, hollow: bool) -> None:
        draw, x, y, size = ImageDraw.Draw(self.image), x * self.scale, y * self.scale, 2.5 * FINER
        draw.ellipse((x - size - 2, y - size - 2, x + size + 2, y + size + 2), "#101418")
        draw.ellipse((x - size, y - size, x + size, y + size), colour)
        if hollow:
            draw.ellipse((x - size + 3, y - size + 3, x + size - 3, y + size - 3), "#101418")

    def tint(self, inside: Image.Image, colour: str, share: float) -> None:
        """`inside`: mode "L", 255 inside, of any size."""
        inside = inside.resize(self.image.size, Image.Resampling.NEAREST)
        self.image.paste(colour, mask=inside.point(lambda value: round(value * share)))

    def fill(self, rings: Iterable[Points], colour: str) -> None:
        inside = Image.new("L", self.image.size)
        for ring in rings:
            ImageDraw.Draw(inside).polygon([(x * self.scale, y * self.scale) for x, y in ring], 255)
        self.tint(inside, colour, 0.3)

    def numbers(self, values: np.ndarray) -> None:
        """A mask: (H, W) numbers, 0 left clear and 255 dark, or (H, W, 3) colours as they are. Edges are lines."""
        if values.ndim == 3:
            whole = Image.fromarray(values).resize(self.image.size, Image.Resampling.NEAREST)
            self.image = Image.blend(self.image, whole, 0.45)
            values = values.astype(np.int64) @ (65536, 256, 1)
        else:
            for number in np.unique(values[values > 0]).tolist():
                colour = "#101418" if number == VOID else COLOURS[(number - 1) % len(COLOURS)]
                self.tint(Image.fromarray(np.uint8(values == number) * 255), colour, 0.45)
        self.edges(values, "#ffffff")

    def edges(self, values: np.ndarray, colour: str) -> None:
        """A line wherever neighbouring pixels of the mask differ."""
        wide, high = self.image.size
        rows, columns = (np.arange(n) * size // n for n, size in ((high, len(values)), (wide, values.shape[1])))
        fine = np.pad(values[rows][:, columns], 1, mode="edge")
        middle = fine[1:-1, 1:-1]
        edge = (middle != fine[2:, 1:-1]) | (middle != fine[1:-1, 2:])
        self.image.paste(colour, mask=Image.fromarray(np.uint8(edge) * 255))


def decoded(mask: dict) -> np.ndarray:
    """COCO's run lengths, compressed (a string) or not, as (H, W) of 0 and 1."""
    runs = mask["counts"]
    if isinstance(runs, str):
        text, runs = runs.encode(), []
        while text:
            value = shift = 0
            more = True
            while more:  # five bits a byte, the lowest first
                byte, text = text[0] - 48, text[1:]
                value |= (byte & 31) << shift
                shift, more = shift + 5, bool(byte & 32)
            value -= (byte & 16) << (shift - 4)  # the highest bit is the sign
            runs.append(value + (runs[-2] if len(runs) > 2 else 0))  # from the fourth on: what is more than two before
    height, width = mask["size"]
    return np.repeat(np.arange(len(runs)) % 2, runs).reshape(width, height).T


def pairs(flat: Sequence[float]) -> list[tuple[float, float]]:
    return list(zip(flat[0::2], flat[1::2], strict=True))


def side(index: int) -> str:
    return MIDDLE if index == 0 else (RIGHT, LEFT)[index % 2]


def draw_object(tile: Tile, thing: dict, colour: str) -> None:
    shape = thing.get("segmentation")
    if isinstance(shape, dict):
        mask = decoded(shape)
        tile.tint(Image.fromarray(np.uint8(mask) * 255), colour, 0.4)
        tile.edges(mask, colour)
    elif shape:
        rings = [pairs(ring) for ring in shape]
        tile.fill(rings, colour)
        for ring in rings:
            tile.line([*ring, ring[0]], colour)
    if thing.get("obb"):
        corners = pairs(thing["obb"])
        tile.line([*corners, corners[0]], colour)
        tile.line(corners[:2], "#ffffff", 2.5)  # its first side
    elif thing["bbox"]:
        x, y, width, height = thing["bbox"]
        corners = [(x, y), (x + width, y), (x + width, y + height), (x, y + height), (x, y)]
        tile.line(corners, colour, 1 if shape else 1.5)
    marks = thing.get("keypoints", [])
    dots = list(zip(marks[0::3], marks[1::3], marks[2::3], strict=True))
    for one, other in PERSON if len(dots) == 17 else ():
        if dots[one][2] and dots[other][2]:
            tile.line([dots[one][:2], dots[other][:2]], side(max(one, other)) if one % 2 == other % 2 else "#ffffff")
    for index, (x, y, seen) in enumerate(dots):
        if seen:
            tile.dot(x, y, side(index) if len(dots) == 17 else MIDDLE, seen == 1)


def drawn(output: Path, row: dict, colours: dict[str, str], wide: int, high: int) -> Image.Image:
    with Image.open(output / row["file_name"]) as image:
        tile = Tile(image.convert("RGB"), wide, high)
    if path := row.get("mask") or row.get("instances"):
        with Image.open(output / path) as mask:
            tile.numbers(np.asarray(mask))
    for thing in sorted(row["objects"], key=lambda one: one.get("area") or 0, reverse=True):  # small ones on top
        draw_object(tile, thing, colours[str(thing["label"])])
    return tile.image.reduce(FINER)


def found(rows: Iterable[dict]) -> list[str]:
    """The classes of objects."""
    return sorted({str(thing["label"]) for row in rows for thing in row["objects"]})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("output", type=Path)
    parser.add_argument("sheet", type=Path)
    parser.add_argument("-n", "--sources", type=int, default=4)
    parser.add_argument("--copies", type=int, default=3)
    parser.add_argument("--width", type=int, default=240, help="of each picture")
    parser.add_argument("--skip", type=int, default=0, help="sources to leave out at the beginning")
    asked = parser.parse_args()

    sources: dict[str, list[dict]] = {}
    for line in (asked.output / "manifest.jsonl").read_text("utf-8").splitlines():
        row = json.loads(line)
        sources.setdefault(row["source"], []).append(row)
    chosen = list(sources.values())[asked.skip :][: asked.sources]
    if not chosen:
        raise SystemExit(f"{asked.output} has no images to show")

    classes = found(row for rows in chosen for row in rows)
    wide, font = asked.width, ImageFont.load_default(12)
    highs = [max(round(wide * row["height"] / row["width"]) for row in rows[: asked.copies + 1]) for rows in chosen]
    highs = [min(high, wide * 5 // 4) for high in highs]
    width = GAP + (asked.copies + 1) * (wide + GAP) + GAP
    sheet = Image.new("RGB", (width, GAP + sum(highs) + len(highs) * (CAPTION + GAP)), "white")
    draw, top = ImageDraw.Draw(sheet), GAP
    for rows, high in zip(chosen, highs, strict=True):
        here = found(rows)
        of = classes if len(classes) <= len(COLOURS) else here  # more classes than colours: each source has its own
        colours = {name: COLOURS[of.index(name) % len(COLOURS)] for name in here}
        for column, row in enumerate(rows[: asked.copies + 1]):
            left = GAP + column * (wide + GAP) + (GAP if column else 0)  # a double gap behind the source
            sheet.paste(drawn(asked.output, row, colours, wide, high), (left, top))
        place = GAP + 0.0
        for name, colour in colours.items():
            draw.rectangle((place, top + high + 6, place + 9, top + high + 15), colour, "#101418")
            draw.text((place + 14, top + high + 3), name, "#414a53", font)
            place += 30 + font.getlength(name)
        top += high + CAPTION + GAP
    sheet.save(asked.sheet, quality=82, optimize=True)
    print(f"{asked.sheet}: {len(chosen)} sources with their copies")


if __name__ == "__main__":
    main()
