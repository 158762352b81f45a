"""Draws handwritten-looking digits: `python draw.py FOLDER [EACH] [SEED]`, so many of each class, 32 x 32, grey.

Each digit is a path of strokes, whose points are shaken, bent, slanted, turned and scaled, drawn by a pen of varied
width, with a little blur and noise.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

SIDE, FINE = 32, 8  # pixels; drawn so many times as large


def arc(x: float, y: float, wide: float, high: float, begin: float, end: float) -> list[tuple[float, float]]:
    """Part of an ellipse; angles in turns, from the top, clockwise."""
    turns = 2 * np.pi * np.linspace(begin, end, 13)
    return [(x + wide * float(np.sin(t)), y - high * float(np.cos(t))) for t in turns]


STROKES = {
    0: [arc(0.5, 0.5, 0.3, 0.45, 0, 1)],
    1: [[(0.35, 0.2), (0.55, 0.05), (0.55, 0.95)]],
    2: [[*arc(0.5, 0.3, 0.28, 0.25, -0.25, 0.35), (0.2, 0.95), (0.82, 0.95)]],
    3: [[*arc(0.48, 0.28, 0.27, 0.23, -0.2, 0.5), *arc(0.48, 0.72, 0.3, 0.23, 0, 0.7)]],
    4: [[(0.62, 0.05), (0.18, 0.65), (0.85, 0.65)], [(0.65, 0.4), (0.62, 0.95)]],
    5: [[(0.78, 0.06), (0.28, 0.06), (0.25, 0.45), *arc(0.48, 0.67, 0.3, 0.27, 0, 0.7)]],
    6: [[(0.68, 0.05), *arc(0.5, 0.68, 0.28, 0.26, 0.75, 1.8)]],
    7: [[(0.2, 0.07), (0.8, 0.07), (0.42, 0.95)]],
    8: [arc(0.5, 0.28, 0.22, 0.22, 0.5, 1.5), arc(0.5, 0.72, 0.28, 0.23, 0, 1)],
    9: [[*arc(0.5, 0.3, 0.26, 0.25, 0.25, 1.25), (0.7, 0.95)]],
}


def digit(number: int, rng: np.random.Generator) -> Image.Image:
    size = SIDE * FINE
    canvas = Image.new("L", (size, size), int(rng.integers(0, 30)))
    pen, ink = int(rng.uniform(1.6, 3.6) * FINE), int(rng.integers(170, 256))
    turn, slant = rng.normal(0, 0.13), rng.normal(0, 0.15)
    scale = rng.uniform(0.5, 0.72, 2) * size
    place = size / 2 + rng.normal(0, 0.04, 2) * size
    bend = rng.normal(0, 0.06, (2, 2))
    draw = ImageDraw.Draw(canvas)
    for stroke in STROKES[number]:
        points = np.array(stroke) - 0.5 + rng.normal(0, 0.012, (len(stroke), 2))
        points = points + np.sin(2 * np.pi * points[:, ::-1]) @ bend
        points[:, 0] -= slant * points[:, 1]
        points = points @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]]) * scale + place
        path = [(float(x), float(y)) for x, y in points]
        draw.line(path, ink, pen, "curve")
        for x, y in (path[0], path[-1]):
            draw.ellipse((x - pen / 2, y - pen / 2, x + pen / 2, y + pen / 2), ink)
    small = canvas.filter(ImageFilter.GaussianBlur(FINE * rng.uniform(0.2, 0.6))).resize((SIDE, SIDE), Image.Resampling.BOX)
    noisy = np.asarray(small, float) + rng.normal(0, 6, (SIDE, SIDE))
    return Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8))


def main() -> None:
    root, each = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 20
    rng = np.random.default_rng(int(sys.argv[3]) if len(sys.argv) > 3 else 0)
    for number in STROKES:
        folder = root / str(number)
        folder.mkdir(parents=True, exist_ok=True)
        for copy in range(each):
            digit(number, rng).save(folder / f"{copy:04}.png")


if __name__ == "__main__":
    main()
