"""Draws washers off a belt, most of them good, to train and to test with: python draw.py washers"""

import math
import sys
from pathlib import Path
from random import Random

from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # scene.py, beside the folders of the stories
from scene import Point, Scene, save, toward

SIDE = 160
COUNTS = {"train": {"good": 20, "scratch": 6, "dent": 3}, "test": {"good": 4, "scratch": 2, "dent": 2}}


def washer(fault: str, random: Random) -> Image.Image:
    belt = random.choice(("#3f4450", "#5b6b5d", "#6f5f52", "#46586b", "#7c7a70"))
    scene = Scene(belt, random.choice(("#6f747c", "#4c4f55", "#8a877d")), SIDE, SIDE)
    step, first = random.uniform(18, 44), random.uniform(0, 18)
    for bar in range(9):  # the ribs of the belt
        scene.box(random.choice(("#2e323a", "#959ba3")), 0, first + bar * step, SIDE, first + bar * step + 3)
    x, y, radius = random.uniform(62, 98), random.uniform(62, 98), random.uniform(38, 58)
    scene.shadow(x + 4, y + 5, radius, radius)
    scene.disc("#c3c8cf", x, y, radius)
    scene.ring("#e4e8ec", x, y, radius, 3)
    if fault == "scratch":
        start = toward((x, y), radius * 0.72, random.uniform(0, 360))
        points: list[Point] = [start]
        for _ in range(3):
            points.append(toward(points[-1], radius * 0.28, math.degrees(math.atan2(y - start[1], x - start[0])) + 70))
        scene.limb("#4a515a", 2.6, *points)
    elif fault == "dent":
        at = toward((x, y), radius * 0.72, random.uniform(0, 360))
        scene.disc("#8b929b", *at, 10, 8)
        scene.disc("#d6dae0", at[0] + 2, at[1] + 2, 7, 5)
    scene.disc("#9aa1ab", x, y, radius * 0.45)
    scene.disc(belt, x, y, radius * 0.41)
    return scene.finished()


def main(root: Path) -> None:
    random = Random(3)
    for split, counts in COUNTS.items():
        for fault, count in counts.items():
            for number in range(count):
                save(washer(fault, random), root / split / fault / f"{number + 1:02}.jpg")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "washers"))
