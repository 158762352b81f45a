"""Draws what the other examples have no pictures of: python draw.py drawn

`pages`: invoices with a box around each line (Pascal VOC). `slices`: 16-bit grey pictures as of a CT scanner, 12 bits
of which are used, with class masks. `fields`: land from above with oriented boxes (DOTA).
"""

import math
import sys
from pathlib import Path
from random import Random

import numpy as np
from PIL import Image, ImageColor, ImageDraw, ImageFont

LAND = 300  # pixels
FINER = 3  # drawn so many times as large, then scaled down, for smooth edges

# pages

INK = "#22262b"
FIRMS = ("Quayside Boats", "North Pier Stores", "Lantern & Rope", "The Slipway")
WARES = ("Rowing boat", "Life jacket", "Rope, 20 m", "Lamp oil, 5 l", "Anchor, small", "Tea and rolls", "Mooring")
WARES += ("Chart of the bay", "Oar, ash", "Paint, white")


def pages(root: Path) -> None:
    """A page from edge to edge; each line of it is an object."""
    (root / "Annotations").mkdir(parents=True, exist_ok=True)
    (root / "JPEGImages").mkdir(exist_ok=True)
    wide, high = 360, 480
    for number in range(4):
        random = Random(number)
        page = Image.new("RGB", (wide * FINER, high * FINER), ("#f2f0ea", "#efe9dc", "#eceef0", "#f1ece2")[number])
        draw, found = ImageDraw.Draw(page), []

        def line(kind: str, x: float, y: float, text: str, size: float, anchor: str = "ls") -> None:
            font, place = ImageFont.load_default(size * FINER), (x * FINER, y * FINER)
            x0, y0, x1, y1 = (edge / FINER for edge in draw.textbbox(place, text, font, anchor))  # noqa: B023
            draw.text(place, text, INK, font, anchor)  # noqa: B023
            edges = (
                f"<xmin>{x0 - 4:.1f}</xmin><ymin>{y0 - 4:.1f}</ymin><xmax>{x1 + 4:.1f}</xmax><ymax>{y1 + 4:.1f}</ymax>"
            )
            found.append(f"<object><name>{kind}</name><bndbox>{edges}</bndbox></object>\n")  # noqa: B023

        def rule(y: float) -> None:
            draw.line([30 * FINER, y * FINER, 330 * FINER, y * FINER], "#8a8f96", FINER)  # noqa: B023

        line("title", 30, 62, FIRMS[number], 31)
        line("number", 30, 100, f"Invoice {random.randrange(1000, 9999)}", 18)
        line("date", 330, 100, f"{random.randrange(1, 29)} May 2026", 18, "rs")
        rule(120)
        total, y = 0, 158.0
        for ware in random.sample(WARES, 4 + number % 2):
            price = random.randrange(120, 9800)
            line("article", 30, y, ware, 20)
            line("price", 330, y, f"{price / 100:.2f}", 20, "rs")
            total, y = total + price, y + 40
        rule(y - 12)
        line("total", 330, y + 22, f"Total {total / 100:.2f}", 26, "rs")
        line("note", 30, 444, "To be paid in May", 17)
        page.reduce(FINER).save(root / "JPEGImages" / f"page{number + 1}.jpg", quality=95)
        size = f"<size><width>{wide}</width><height>{high}</height><depth>3</depth></size>"
        text = f"<annotation>\n<filename>page{number + 1}.jpg</filename>\n{size}\n{''.join(found)}</annotation>\n"
        (root / "Annotations" / f"page{number + 1}.xml").write_text(text, "utf-8")


# slices

SIDE = 256
ORGANS = ("background", "lung", "bone", "liver")


def slices(root: Path) -> None:
    """A chest, seen from the feet. Values are Hounsfield units + 1024, so 12 of the 16 bits hold something."""
    (root / "images").mkdir(parents=True, exist_ok=True)
    (root / "masks").mkdir(exist_ok=True)
    palette = bytes.fromhex("000000 56b4e9 f0e442 d55e00").ljust(768, b"\0")
    for number in range(4):
        random, noise = Random(number + 3), np.random.default_rng(number)
        values, mask = np.full((SIDE, SIDE), 24.0), np.zeros((SIDE, SIDE), np.uint8)
        body = 0.40 + 0.02 * random.random(), 0.29 + 0.02 * random.random()

        def put(inside: np.ndarray, unit: float, organ: int = 0) -> None:
            values[inside] = unit + 1024  # noqa: B023
            mask[inside] = organ  # noqa: B023

        put(blob(0.5, 0.5, *body, random), -90)  # fat
        put(blob(0.5, 0.5, body[0] * 0.93, body[1] * 0.92, random), 45)  # muscle
        for side in (-1, 1):
            put(blob(0.5 + side * 0.19, 0.47, 0.125 + 0.02 * random.random(), 0.19, random, 0.06), -840, 1)
        if number % 2:
            put(blob(0.33, 0.56, 0.13, 0.11, random, 0.08), 62, 3)
        put(blob(0.55, 0.44, 0.10, 0.095, random, 0.05), 38)  # heart
        put(blob(0.5, 0.69, 0.05, 0.042, random, 0.05), 420, 2)  # spine
        put(blob(0.5, 0.715, 0.017, 0.014, random), 20)
        for step in range(10):
            turn = math.radians(36 * step + random.uniform(10, 26))
            x, y = 0.5 + body[0] * 0.86 * math.cos(turn), 0.5 + body[1] * 0.85 * math.sin(turn)
            put(blob(x, y, 0.022, 0.011, random, 0.1, turn + math.pi / 2), 520, 2)
        values = soft(values + noise.normal(0, 50, values.shape))
        Image.fromarray(values.clip(0, 4095).astype(np.uint16)).save(root / "images" / f"slice{number + 1}.png")
        classes = Image.fromarray(mask).convert("P")
        classes.putpalette(palette)
        classes.save(root / "masks" / f"slice{number + 1}.png")
    (root / "classes.txt").write_text("\n".join(ORGANS) + "\n", "utf-8")


def soft(values: np.ndarray) -> np.ndarray:
    """Blurred by 1 2 1 both ways."""
    for axis in (0, 1):
        values = (np.roll(values, 1, axis) + 2 * values + np.roll(values, -1, axis)) / 4
    return values


def blob(x: float, y: float, rx: float, ry: float, random: Random, rough: float = 0.02, turn: float = 0) -> np.ndarray:
    """(SIDE, SIDE) bool: an ellipse whose edge is a little uneven. In shares of the side."""
    across, down = np.meshgrid(*[(np.arange(SIDE) + 0.5) / SIDE] * 2)
    u = ((across - x) * math.cos(turn) + (down - y) * math.sin(turn)) / rx
    v = ((down - y) * math.cos(turn) - (across - x) * math.sin(turn)) / ry
    angle = np.arctan2(v, u)
    edge = 1 + rough * sum(np.sin(n * angle + random.uniform(0, 6.3)) / n for n in (2, 3, 5))
    return np.hypot(u, v) < edge


# fields

Point = tuple[float, float]


def fields(root: Path) -> None:
    """Land from 300 m above: cars and houses, whose boxes begin at the front."""
    (root / "images").mkdir(parents=True, exist_ok=True)
    (root / "labelTxt").mkdir(exist_ok=True)
    for number in range(4):
        random = Random(number)
        land = Image.new("RGB", (LAND * FINER, LAND * FINER), "#7f9a55")
        draw, lines = ImageDraw.Draw(land), []
        along = math.radians(random.uniform(-25, 25))

        def at(x: float, y: float, turn: float, ahead: float = 0, right: float = 0) -> Point:
            u = x + ahead * math.cos(turn) - right * math.sin(turn)
            return u * FINER, (y + ahead * math.sin(turn) + right * math.cos(turn)) * FINER

        def slab(colour: str, x: float, y: float, turn: float, long: float, wide: float) -> list[Point]:
            ends = (1, -1), (1, 1), (-1, 1), (-1, -1)
            corners = [at(x, y, turn, a * long / 2, b * wide / 2) for a, b in ends]
            draw.polygon(corners, colour)  # noqa: B023
            return corners

        def thing(name: str, corners: list[Point]) -> None:
            places = " ".join(f"{value / FINER:.2f}" for corner in corners for value in corner)
            lines.append(f"{places} {name} 0\n")  # noqa: B023

        middle = LAND / 2, LAND / 2, along
        for column in range(-3, 4):
            for side in (-1, 1):
                x, y = (v / FINER for v in at(*middle, column * 72, side * 105))
                colour = random.choice(("#a8b36a", "#c2ab6b", "#6f8f4e", "#93a65a", "#8a7350", "#b7bf7c"))
                slab(colour, x, y, along, 70, 150)
                furrow = tuple(round(value * 0.93) for value in ImageColor.getrgb(colour))
                for row in range(-8, 9):
                    u, v = (w / FINER for w in at(x, y, along, row * 4))
                    slab(f"#{bytes(furrow).hex()}", u, v, along, 1.4, 148)
        slab("#8d8f92", *middle, 2 * LAND, 36)
        for dash in range(-9, 10):
            x, y = (v / FINER for v in at(*middle, dash * 20))
            slab("#e6e4d8", x, y, along, 9, 1.2)
        for side in (-1, 1):
            place = random.uniform(-132, -100)
            while place < 134:
                x, y = (v / FINER for v in at(*middle, place, side * 9))
                turn = along if side > 0 else along + math.pi
                slab("#5d5f62", x + 1.5, y + 2, turn, 21, 10)
                car = slab(random.choice(("#c23b3b", "#2f5d8a", "#e8e6e0", "#3b3f45", "#d9b13b")), x, y, turn, 21, 10)
                x, y = (v / FINER for v in at(x, y, turn, -1.5))
                slab("#2a3138", x, y, turn, 11, 8.4)
                slab("#d8d6d0", x, y, turn, 6, 8.4)
                thing("car", car)
                place += random.uniform(44, 90)
        for third in (-95, 0, 95):
            ahead, side = third + random.uniform(-16, 16), random.choice((-1, 1)) * random.uniform(58, 84)
            x, y = (v / FINER for v in at(*middle, ahead, side))
            turn, roof = (
                along + random.choice((0, 1, 2, 3)) * math.pi / 2,
                random.choice(("#a8553f", "#8c4a3c", "#6d7076")),
            )
            slab("#56633f", x + 6, y + 8, turn, 52, 34)
            thing("house", slab(roof, x, y, turn, 52, 34))
            u, v = (w / FINER for w in at(x, y, turn, 0, 8.5))
            slab(f"#{bytes(round(w * 0.8) for w in ImageColor.getrgb(roof)).hex()}", u, v, turn, 52, 17)
        for _ in range(14):
            ahead, side = random.uniform(-200, 200), random.choice((-1, 1)) * random.uniform(27, 36)
            x, y = at(*middle, ahead, side)
            size = random.uniform(5, 8) * FINER
            draw.ellipse((x - size + 9, y - size + 12, x + size + 9, y + size + 12), "#4c5a39")
            draw.ellipse((x - size, y - size, x + size, y + size), random.choice(("#3f6b3a", "#4d7a41", "#38602f")))
        land.reduce(FINER).save(root / "images" / f"land{number + 1}.png")
        (root / "labelTxt" / f"land{number + 1}.txt").write_text("imagesource:drawn\ngsd:0.2\n" + "".join(lines))


if __name__ == "__main__":
    target = Path(sys.argv[1] if len(sys.argv) > 1 else "drawn")
    for kind in (pages, slices, fields):
        kind(target / kind.__name__)
