"""Draws five small datasets with labels of five kinds, each in a format of its own: python draw.py drawn"""

import math
import sys
from pathlib import Path
from random import Random

from PIL import Image
from scene import FINER, HEIGHT, WIDTH, Coco, Point, Scene, runs, save, write

SKIN, INK = "#f2c9a1", "#27323a"

# boxes: Pascal VOC


def boxes(root: Path) -> None:
    """Cups and balls on a table."""
    for number in range(4):
        random = Random(number)
        wall = ("#f3e7d3", "#dfe9ee", "#efe0e3", "#e2ead9")[number]
        scene = Scene(wall, "#fffaf2")
        scene.box(("#b98a5e", "#a9835f", "#c39a6b", "#9c7a58")[number], 0, 122, WIDTH, HEIGHT)
        found = []
        for place, x in enumerate((58, 128, 198, 264)):
            x, foot = x + random.uniform(-10, 10), random.uniform(150, 218)
            colour = ("#d1495b", "#2f6690", "#edae49", "#3c8d6e", "#7d5ba6")[(place + number) % 5]
            scene.shadow(x + 4, foot - 1, 30, 6)
            scene.new()
            if (place + number) % 2:
                name, radius = "ball", random.uniform(17, 27)
                scene.disc(colour, x, foot - radius, radius)
                scene.disc("#ffffff", x - radius * 0.35, foot - radius * 1.35, radius * 0.2)
            else:
                name, high = "cup", random.uniform(44, 64)
                scene.ring(colour, x + 25, foot - high * 0.5, high * 0.24, 5)
                scene.polygon(colour, (x - 25, foot - high), (x + 25, foot - high), (x + 18, foot), (x - 18, foot))
                scene.disc("#fdf8ef", x, foot - high, 25, 6)
                scene.disc("#5a3d2b", x, foot - high + 1, 21, 4)
            left, top, right, bottom = scene.extent()
            edges = f"<xmin>{left}</xmin><ymin>{top}</ymin><xmax>{right}</xmax><ymax>{bottom}</ymax>"
            found.append(f"  <object><name>{name}</name><difficult>0</difficult><bndbox>{edges}</bndbox></object>\n")
        name = f"table{number + 1}"
        save(scene.finished(), root / "JPEGImages" / f"{name}.jpg")
        size = f"<size><width>{WIDTH}</width><height>{HEIGHT}</height><depth>3</depth></size>"
        text = f"<annotation>\n  <filename>{name}.jpg</filename>\n  {size}\n{''.join(found)}</annotation>\n"
        write(root / "Annotations" / f"{name}.xml", text)


# polygons: COCO, one in two parts, and a mask (RLE) with a hole


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


# masks: two folders


def masks(root: Path) -> None:
    """Streets. The mask is drawn along, in the numbers of classes.txt."""
    classes = ("sky", "road", "building", "car", "tree", "pavement")
    palette = bytes.fromhex("56b4e9 5c6770 cc79a7 e69f00 009e73 f0e442").ljust(768, b"\0")
    for number in range(4):
        random = Random(number)
        scene = Scene(("#9ed0ec", "#f7c9a9", "#b7c7d6", "#8fc1e3")[number], "#eef6fa")
        mask = Image.new("P", (WIDTH, HEIGHT))
        mask.putpalette(palette)

        def mark(name: str) -> None:
            mask.paste(classes.index(name), mask=scene.pixels())  # noqa: B023
            scene.new()  # noqa: B023

        left = 0.0
        while left < WIDTH:
            wide, top = random.uniform(40, 75), random.uniform(34, 92)
            scene.box(
                random.choice(("#b5654a", "#c9a36b", "#8d99ae", "#a26769", "#7f9183")), left, top, left + wide, 160
            )
            mark("building")
            for x in range(int(left) + 8, int(left + wide) - 10, 15):
                for y in range(int(top) + 9, 140, 20):
                    scene.box("#f4ecc8", x, y, x + 7, y + 10)
            scene.new()
            left += wide + random.choice((0, 0, 26))
        scene.box("#c9c2b4", 0, 150, WIDTH, 176)
        mark("pavement")
        scene.box("#5f6770", 0, 176, WIDTH, HEIGHT)
        mark("road")
        for x in range(-20 + 10 * number, WIDTH, 60):
            scene.box("#f2f2ea", x, 206, x + 30, 210)
        for x in (random.uniform(20, 120), random.uniform(190, 300)):
            scene.new()
            scene.box("#6b4a35", x - 4, 110, x + 4, 166)
            for dx, dy, radius in ((0, -8, 24), (-16, 6, 17), (16, 6, 17)):
                scene.disc(("#3a7d54", "#c97b3a", "#4b8a5c", "#2f7466")[number], x + dx, 100 + dy, radius)
            mark("tree")
        for x, y in ((random.uniform(50, 110), 186), (random.uniform(190, 250), 214)):
            scene.new()
            for dx in (-24, 24):
                scene.disc("#22282e", x + dx, y + 10, 9)
            scene.box(random.choice(("#d1495b", "#2f6690", "#f4f1e8", "#edae49")), x - 44, y - 10, x + 44, y + 10, 6)
            scene.polygon("#2d4654", (x - 26, y - 8), (x - 16, y - 26), (x + 18, y - 26), (x + 30, y - 8))
            mark("car")
        save(scene.finished(), root / "images" / f"street{number + 1}.jpg")
        save(mask, root / "masks" / f"street{number + 1}.png")
    write(root / "classes.txt", "\n".join(classes) + "\n")


# keypoints: COCO's 17

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
    for number in range(4):
        random = Random(number + 20)
        scene = Scene(("#cfe6ee", "#fbe3c6", "#d9e4d4", "#e6dcef")[number], "#f8f7f0")
        scene.box(("#8fb98b", "#c9a36b", "#7fae92", "#9db07d")[number], 0, 168, WIDTH, HEIGHT)
        image = coco.image(f"people{number + 1}.jpg")
        hedge = 300.0 if number % 2 else 196.0  # how low one sees
        for place, x in enumerate((95, 225) if number < 3 else (160,)):
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


def toward(start: Point, length: float, angle: float) -> Point:
    """From `start` in a direction: 0 is to the right, 90 down."""
    return start[0] + length * math.cos(math.radians(angle)), start[1] + length * math.sin(math.radians(angle))


# oriented boxes: DOTA, which begins at the bow


def oriented(root: Path) -> None:
    """Boats from above."""
    for number in range(4):
        random = Random(number)
        scene = Scene(("#2f7f93", "#2b6f8a", "#37889a", "#28647c")[number], "#3f94a5")
        scene.box("#d9cdb8", 0, 0, WIDTH, 26)
        scene.box("#b39b7c", 140, 20, 156, 150)
        lines = []
        for x, y in ((70, 85), (230, 75), (75, 180), (250, 170), (165, 200))[: 4 + number % 2]:
            ship = random.random() < 0.5
            long, wide, turn = (70, 24, random.uniform(0, 360)) if ship else (46, 15, random.uniform(0, 360))
            along, across = toward((0, 0), 1, turn), toward((0, 0), 1, turn + 90)

            def at(ahead: float, right: float) -> Point:
                u, v = ahead * long / 2, right * wide / 2  # noqa: B023
                return x + u * along[0] + v * across[0], y + u * along[1] + v * across[1]  # noqa: B023

            hull = [at(1 - 0.6 * (b / 8) ** 2, b / 8) for b in range(-8, 9)]  # a bow that is round, a stern that is not
            scene.polygon(
                "#d7ecef", *(at(-a, b) for a, b in ((0.9, -0.7), (2.0, -1.6), (1.7, 0), (2.0, 1.6), (0.9, 0.7)))
            )
            scene.polygon(random.choice(("#f4f1e8", "#e4576b", "#edae49", "#e9eef0")), at(-1, -1), *hull, at(-1, 1))
            deck = [at(0.8 * (1 - 0.6 * (b / 8) ** 2), 0.7 * b / 8) for b in range(-8, 9)]
            scene.polygon("#b98a5e" if not ship else "#8d99ae", at(-0.85, -0.7), *deck, at(-0.85, 0.7))
            scene.polygon("#fdfaf2", at(-0.5, -0.45), at(0.15, -0.45), at(0.15, 0.45), at(-0.5, 0.45))
            corners = " ".join(f"{v:.2f}" for a, b in ((1, -1), (1, 1), (-1, 1), (-1, -1)) for v in at(a, b))
            lines.append(f"{corners} {'ship' if ship else 'boat'} 0\n")
        save(scene.finished(), root / "images" / f"harbour{number + 1}.png")
        write(root / "labelTxt" / f"harbour{number + 1}.txt", "imagesource:drawn\ngsd:0.5\n" + "".join(lines))


if __name__ == "__main__":
    target = Path(sys.argv[1] if len(sys.argv) > 1 else "drawn")
    for kind in (boxes, polygons, masks, keypoints, oriented):
        kind(target / kind.__name__)
