"""Draws eight pictures of people, with the 17 keypoints of COCO: python draw.py people"""

import sys
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # scene.py, beside the folders of the stories
from scene import FINER, HEIGHT, WIDTH, Coco, Point, Scene, save, toward, write

SKIN, INK = "#f2c9a1", "#27323a"

SIDES = ("eye", "ear", "shoulder", "elbow", "wrist", "hip", "knee", "ankle")
NAMES = ("nose", *(f"{side}_{name}" for name in SIDES for side in ("left", "right")))
SKELETON = (
    (6, 7),
    (12, 13),
    (6, 12),
    (7, 13),
    (6, 8),
    (8, 10),
    (7, 9),
    (9, 11),
    (12, 14),
    (14, 16),
    (13, 15),
    (15, 17),
)


def keypoints(root: Path) -> None:
    """People who face us, so that their left is on the right; what is behind a hedge is hidden."""
    coco = Coco(("person",), keypoints=NAMES, skeleton=SKELETON)
    for number in range(8):
        random = Random(number + 20)
        scene = Scene(("#cfe6ee", "#fbe3c6", "#d9e4d4", "#e6dcef")[number % 4], "#f8f7f0")
        scene.box(("#8fb98b", "#c9a36b", "#7fae92", "#9db07d")[number % 4], 0, 168, WIDTH, HEIGHT)
        image = coco.image(f"people{number + 1}.jpg")
        hedge = 300.0 if number % 2 else 196.0  # how low one sees
        for place, x in enumerate((95, 225) if number % 4 < 3 else (160,)):
            colour = ("#d1495b", "#2f6690", "#edae49", "#7d5ba6", "#3c8d6e")[(place + 2 * number) % 5]
            points, box = person(scene, random, x, colour)
            marks = [v for px, py in points for v in (round(px - 0.5, 2), round(py - 0.5, 2), 1 if py > hedge else 2)]
            x0, y0, x1, y1 = box
            coco.add(image, "person", bbox=[x0, y0, x1 - x0, y1 - y0], keypoints=marks, num_keypoints=17)
        if hedge < HEIGHT:
            scene.box("#4d7c4f", 0, hedge, WIDTH, HEIGHT)
            for x in range(0, WIDTH + 20, 20):
                scene.disc("#4d7c4f", x, hedge + 3, 12, 8)
        save(scene.finished(), root / "images" / f"people{number + 1}.jpg")
    write(root / "annotations.json", coco.text())


def person(scene: Scene, random: Random, x: float, colour: str) -> tuple[list[Point], list[float]]:
    """The 17 places, and the box."""
    top, size = random.uniform(36, 52), random.uniform(0.88, 1.0)

    def at(dx: float, dy: float) -> Point:
        return x + dx * size, top + dy * size

    scene.shadow(x, top + 176 * size, 34, 7)
    sides: list[list[Point]] = []
    for mirror in (1, -1):  # left first: to the right of us
        lift, spread = random.uniform(-60, 140), random.uniform(6, 26)
        shoulder, hip = at(mirror * 21, 46), at(mirror * 12, 100)
        elbow = toward(shoulder, 32 * size, 90 - mirror * lift * 0.6)
        wrist = toward(elbow, 30 * size, 90 - mirror * lift)
        knee = toward(hip, 38 * size, 90 - mirror * spread)
        ankle = toward(knee, 36 * size, 90 - mirror * spread * 0.3)
        sides.append([at(mirror * 6, 17), at(mirror * 16, 20), shoulder, elbow, wrist, hip, knee, ankle])
    scene.new()
    for _, ear, shoulder, elbow, wrist, hip, knee, ankle in sides:
        scene.limb("#3d4a57", 13 * size, hip, knee, ankle)
        scene.limb(SKIN, 9 * size, elbow, wrist)
        scene.limb(colour, 11 * size, shoulder, elbow)
        scene.disc(SKIN, *ear, 4 * size)
    (lefts, rights) = sides
    scene.limb(SKIN, 9 * size, at(0, 30), at(0, 44))
    scene.polygon(colour, lefts[2], rights[2], rights[5], lefts[5])
    scene.limb(colour, 12 * size, lefts[2], rights[2], rights[5], lefts[5], lefts[2])
    scene.disc(SKIN, *at(0, 20), 16 * size, 19 * size)
    scene.paint(lambda d: d.chord([v * FINER for v in (*at(-17, 0), *at(17, 38))], 190, 350, fill=255), "#5a3d2b")
    scene.paint(lambda d: d.arc([v * FINER for v in (*at(-7, 20), *at(7, 33))], 20, 160, 255, 2 * FINER), "#a2473f")
    for eye in (lefts[0], rights[0]):
        scene.disc(INK, *eye, 2 * size)
    return [at(0, 23), *(side[part] for part in range(8) for side in (lefts, rights))], scene.extent()


if __name__ == "__main__":
    keypoints(Path(sys.argv[1] if len(sys.argv) > 1 else "people"))
