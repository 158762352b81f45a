"""Draws four beaches, with polygons and masks of their things (RLE) as COCO: python draw.py beaches"""

import math
import sys
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # scene.py, beside the folders of the stories
from scene import HEIGHT, WIDTH, Coco, Point, Scene, runs, save, write


def polygons(root: Path) -> None:
    """A beach: a surfboard behind a palm, a swimming ring, a starfish."""
    coco = Coco(("surfboard", "ring", "starfish"))
    for number in range(4):
        random = Random(number)
        scene = Scene(("#f4dfb0", "#f0d9a8", "#f6e3bd", "#ecd3a0")[number], "#f8ecc9")
        scene.box(("#4fa3c7", "#3f97b5", "#5aaecb", "#3b8ea5")[number], 0, 0, WIDTH, 62)
        scene.box("#e8f4f6", 0, 62, WIDTH, 67)
        image = coco.image(f"beach{number + 1}.jpg")

        y, tilt, trunk = random.uniform(96, 112), random.uniform(-0.12, 0.12), random.uniform(130, 180)
        board = [(x + 150, y + x * tilt + side * 17 * math.sqrt(1 - (x / 112) ** 2)) for x, side in around(112)]
        scene.polygon(("#e4576b", "#3c6e9f", "#f08a4b", "#43937f")[number], *board)
        scene.polygon(
            "#fffaf0", *((x, y + x * tilt - 150 * tilt + d) for x, d in ((55, -3), (245, -3), (245, 3), (55, 3)))
        )
        scene.box("#8a6142", trunk, 0, trunk + 20, 168, 3)
        for down in range(12, 168, 14):
            scene.box("#6f4c33", trunk, down, trunk + 20, down + 3)
        left = cut([*board], trunk, keep_left=True)
        right = cut([*board], trunk + 20, keep_left=False)
        coco.add(image, "surfboard", segmentation=[flat(left), flat(right)])

        x, y, radius = random.uniform(60, 110), random.uniform(176, 186), random.uniform(38, 46)
        scene.new()
        scene.ring("#f9f9f9", x, y, radius, radius * 0.45)
        whole = scene.pixels()
        for turn in range(4):
            angles = [math.radians(90 * turn + part) for part in range(0, 46, 5)]
            outer = [(x + radius * math.cos(a), y + radius * math.sin(a)) for a in angles]
            inner = [(x + radius * 0.55 * math.cos(a), y + radius * 0.55 * math.sin(a)) for a in reversed(angles)]
            scene.polygon(("#d1495b", "#2f6690", "#e0793f", "#7d5ba6")[number], *outer, *inner)
        coco.add(image, "ring", segmentation={"size": [HEIGHT, WIDTH], "counts": runs(whole)})

        x, y, radius, turn = random.uniform(220, 260), random.uniform(170, 190), random.uniform(34, 44), random.random()
        rays = [(radius if ray % 2 == 0 else radius * 0.42, turn + ray * math.pi / 5) for ray in range(10)]
        star = [(x + long * math.cos(angle), y + long * math.sin(angle)) for long, angle in rays]
        scene.shadow(x + 4, y + 6, radius * 0.8, radius * 0.8)
        scene.polygon("#ef8354", *star)
        for long, angle in rays[::2]:
            scene.disc("#f9c7a6", x + long * 0.5 * math.cos(angle), y + long * 0.5 * math.sin(angle), 2.5)
        coco.add(image, "starfish", segmentation=[flat(star)])
        save(scene.finished(), root / "images" / f"beach{number + 1}.jpg")
    write(root / "annotations.json", coco.text())


def around(half: int) -> list[tuple[float, int]]:
    """x from -half to half along the upper side (-1), and back along the lower one (1)."""
    steps = [half * math.sin(math.radians(angle)) for angle in range(-90, 91, 6)]
    return [(x, -1) for x in steps] + [(x, 1) for x in reversed(steps[1:-1])]


def cut(ring: list[Point], edge: float, keep_left: bool) -> list[Point]:
    """The part of a ring to the left (right) of a vertical line (Sutherland and Hodgman)."""
    kept: list[Point] = []
    for (x0, y0), (x1, y1) in zip([ring[-1], *ring[:-1]], ring, strict=True):
        if (x0 < edge) != (x1 < edge):
            kept.append((edge, y0 + (edge - x0) / (x1 - x0) * (y1 - y0)))
        if (x1 < edge) == keep_left:
            kept.append((x1, y1))
    return kept


def flat(points: list[Point]) -> list[float]:
    return [round(value, 2) for point in points for value in point]


if __name__ == "__main__":
    polygons(Path(sys.argv[1] if len(sys.argv) > 1 else "beaches"))
