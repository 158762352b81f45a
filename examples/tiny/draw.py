"""Draws twelve leaves, four each of birch, ginkgo and oak: python draw.py leaves"""

import math
import sys
from pathlib import Path
from random import Random

from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # scene.py, beside the folders of the stories
from scene import Point, Scene, save, toward

SIDE = 200
GREENS = ("#5f8f3e", "#7fa84a", "#c79a36", "#4b7d46")


def outline(kind: str, size: float, turn: float, middle: Point) -> list[Point]:
    """Around the leaf, whose stalk points in the direction `turn`."""
    points = []
    for step in range(72):
        angle = 5 * step  # from the stalk
        open_ = math.radians(angle)
        if kind == "oak":  # long, with lobes
            far = size * (0.62 + 0.34 * math.cos(open_) ** 2) * (1 + 0.17 * math.cos(9 * open_))
        elif kind == "birch":  # pointed opposite the stalk, with teeth
            far = size * (0.6 + 0.38 * math.exp(-((math.pi - open_) ** 2) * 5)) * (1 + 0.05 * (step % 2))
        else:  # ginkgo: a fan with a notch
            fan = 1 - math.exp(-((min(open_, 2 * math.pi - open_)) ** 2) * 0.9)
            far = size * (0.18 + 0.78 * fan) * (1 - 0.35 * math.exp(-((math.pi - open_) ** 2) * 90))
        points.append(toward(middle, far, turn + angle))
    return points


def leaf(kind: str, number: int, random: Random) -> Image.Image:
    ground = ("#e9e4d8", "#d9dfe3", "#cbbfae", "#dde5d6")[number]
    scene = Scene(ground, "#f7f4ec", SIDE, SIDE)
    middle, size = (random.uniform(86, 114), random.uniform(86, 114)), random.uniform(56, 80)
    turn = random.uniform(0, 360)
    scene.shadow(middle[0] + 5, middle[1] + 6, size * 0.7, size * 0.7)
    stalk = toward(middle, size * 1.2, turn)
    scene.limb("#7a6a3c", 4, middle, stalk)
    scene.polygon(GREENS[number], *outline(kind, size, turn, middle))
    scene.limb("#e8e3b4", 2, toward(middle, size * 0.2, turn), toward(middle, size * 0.55, turn + 180))
    return scene.finished()


def main(root: Path) -> None:
    random = Random(8)
    for kind in ("birch", "ginkgo", "oak"):
        for number in range(4):
            save(leaf(kind, number, random), root / kind / f"{number + 1}.jpg")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "leaves"))
