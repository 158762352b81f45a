"""Draws class folders of crosses, discs, rings and squares, grey and 16x16 pixels: 32 to train on, 400 to test with."""

import random
import sys
from pathlib import Path

from PIL import Image, ImageDraw

SHAPES = ("cross", "disc", "ring", "square")
SIDE = 16


def picture(shape: str, rng: random.Random) -> Image.Image:
    """One shape, large or small, somewhere near the middle, with a little noise."""
    image = Image.new("L", (SIDE * 4, SIDE * 4), 90)
    draw = ImageDraw.Draw(image)
    x, y, r = rng.uniform(26, 38), rng.uniform(26, 38), rng.uniform(14, 22)
    light = rng.randint(120, 200)
    if shape == "disc":
        draw.ellipse((x - r, y - r, x + r, y + r), light)
    elif shape == "ring":
        draw.ellipse((x - r, y - r, x + r, y + r), outline=light, width=9)
    elif shape == "square":
        draw.rectangle((x - r, y - r, x + r, y + r), outline=light, width=9)
    else:
        draw.line((x - r, y - r, x + r, y + r), light, 9)
        draw.line((x - r, y + r, x + r, y - r), light, 9)
    small = image.resize((SIDE, SIDE), Image.Resampling.BOX)
    small.putdata([max(0, min(255, round(value + rng.gauss(0, 10)))) for value in small.tobytes()])
    return small


def draw_all(root: Path, each: int, seed: int) -> None:
    rng = random.Random(seed)
    for shape in SHAPES:
        (root / shape).mkdir(parents=True, exist_ok=True)
        for number in range(each):
            picture(shape, rng).save(root / shape / f"{number}.png")


if __name__ == "__main__":
    root = Path(sys.argv[1] if len(sys.argv) > 1 else "shapes")
    draw_all(root / "train", each=8, seed=1)
    draw_all(root / "test", each=100, seed=2)
