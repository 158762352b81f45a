"""What the pictures of the examples are drawn and written with."""

import json
import math
from collections.abc import Callable
from pathlib import Path

from PIL import Image, ImageChops, ImageDraw, ImageFilter

WIDTH, HEIGHT, FINER = 320, 240, 4  # drawn four times as large, then scaled down, for smooth edges

Point = tuple[float, float]
Draw = Callable[[ImageDraw.ImageDraw], None]


def finer(*points: Point) -> list[Point]:
    return [(x * FINER, y * FINER) for x, y in points]


class Scene:
    """A backdrop on which shapes are placed, in pixels of the finished one. `thing`: what was painted since `new`."""

    def __init__(self, top: str, bottom: str, width: int = WIDTH, height: int = HEIGHT) -> None:
        size = (width * FINER, height * FINER)
        fade = Image.linear_gradient("L").resize(size)
        self.image = Image.composite(Image.new("RGB", size, bottom), Image.new("RGB", size, top), fade)
        ramp = Image.linear_gradient("L").rotate(90).resize(size).point(lambda level: round(255 - 0.2 * level))
        self.shade = Image.merge("RGB", (ramp, ramp, ramp))
        self.new()

    def new(self) -> None:
        self.thing = Image.new("L", self.image.size)

    def paint(self, draw: Draw, colour: str) -> None:
        """Fills what `draw` draws with a colour that gets darker to the right."""
        mask = Image.new("L", self.image.size)
        draw(ImageDraw.Draw(mask))
        if box := mask.getbbox():
            part, shade = mask.crop(box), self.shade.crop(box)
            self.thing.paste(255, box, part)
            self.image.paste(ImageChops.multiply(Image.new("RGB", shade.size, colour), shade), box, part)

    def polygon(self, colour: str, *points: Point) -> None:
        self.paint(lambda d: d.polygon(finer(*points), 255), colour)

    def box(self, colour: str, left: float, top: float, right: float, bottom: float, radius: float = 0) -> None:
        edges = [v * FINER for v in (left, top, right, bottom)]
        self.paint(lambda d: d.rounded_rectangle(edges, radius * FINER, 255), colour)

    def disc(self, colour: str, x: float, y: float, rx: float, ry: float | None = None) -> None:
        ry = rx if ry is None else ry
        self.paint(lambda d: d.ellipse([v * FINER for v in (x - rx, y - ry, x + rx, y + ry)], 255), colour)

    def ring(self, colour: str, x: float, y: float, radius: float, width: float) -> None:
        edges = [v * FINER for v in (x - radius, y - radius, x + radius, y + radius)]
        self.paint(lambda d: d.ellipse(edges, outline=255, width=round(width * FINER)), colour)

    def limb(self, colour: str, width: float, *points: Point) -> None:
        for x, y in points:
            self.disc(colour, x, y, width / 2)
        self.paint(lambda d: d.line(finer(*points), 255, round(width * FINER), joint="curve"), colour)

    def shadow(self, x: float, y: float, rx: float, ry: float) -> None:
        mask = Image.new("L", self.image.size)
        ImageDraw.Draw(mask).ellipse([v * FINER for v in (x - rx, y - ry, x + rx, y + ry)], 80)
        self.image.paste("#10202c", mask=mask.filter(ImageFilter.GaussianBlur(4 * FINER)))

    def extent(self) -> list[float]:
        """x0, y0, x1, y1 of the thing."""
        box = self.thing.getbbox()
        assert box is not None
        return [edge / FINER for edge in box]

    def pixels(self) -> Image.Image:
        """The pixels of the finished picture that show the thing by more than half: 255 in mode L."""
        return self.thing.reduce(FINER).point(lambda share: 255 * (share > 127))

    def finished(self) -> Image.Image:
        return self.image.reduce(FINER)


def toward(start: Point, length: float, angle: float) -> Point:
    """From `start` in a direction: 0 is to the right, 90 down."""
    return start[0] + length * math.cos(math.radians(angle)), start[1] + length * math.sin(math.radians(angle))


def save(image: Image.Image, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, quality=95)


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


class Coco:
    """The JSON of COCO as it grows."""

    def __init__(self, classes: tuple[str, ...], **pose: object) -> None:
        self.classes = classes
        self.images: list[dict] = []
        self.annotations: list[dict] = []
        self.categories = [{"id": number, "name": name, **pose} for number, name in enumerate(classes, 1)]

    def image(self, name: str) -> int:
        number = len(self.images) + 1
        self.images.append({"id": number, "file_name": name, "width": WIDTH, "height": HEIGHT})
        return number

    def add(self, image: int, name: str, **parts: object) -> None:
        number, category = len(self.annotations) + 1, self.classes.index(name) + 1
        if isinstance(parts.get("segmentation"), list):
            xs = [x for ring in parts["segmentation"] for x in ring[0::2]]
            ys = [y for ring in parts["segmentation"] for y in ring[1::2]]
            parts["bbox"] = [min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)]
        self.annotations.append({"id": number, "image_id": image, "category_id": category, "iscrowd": 0, **parts})

    def text(self) -> str:
        known = {"images": self.images, "annotations": self.annotations, "categories": self.categories}
        return json.dumps(known) + "\n"


def runs(pixels: Image.Image) -> list[int]:
    """COCO's run lengths, of zeros and ones in turn, column by column."""
    counts, last = [0], 0
    for value in pixels.transpose(Image.Transpose.TRANSPOSE).tobytes():
        if (value > 0) != last:
            counts.append(0)
            last = 1 - last
        counts[-1] += 1
    return counts
