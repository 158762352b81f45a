"""Draws eight streets, and masks of their classes: python draw.py streets"""

import sys
from pathlib import Path
from random import Random

from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # scene.py, beside the folders of the stories
from scene import HEIGHT, WIDTH, Scene, save, write


def masks(root: Path) -> None:
    """Streets. The mask is drawn along, in the numbers of classes.txt."""
    classes = ("sky", "road", "building", "car", "tree", "pavement")
    palette = bytes.fromhex("56b4e9 5c6770 cc79a7 e69f00 009e73 f0e442").ljust(768, b"\0")
    for number in range(8):
        random = Random(number)
        scene = Scene(("#9ed0ec", "#f7c9a9", "#b7c7d6", "#8fc1e3")[number % 4], "#eef6fa")
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
        for x in range(-20 + 10 * (number % 6), WIDTH, 60):
            scene.box("#f2f2ea", x, 206, x + 30, 210)
        for x in (random.uniform(20, 120), random.uniform(190, 300)):
            scene.new()
            scene.box("#6b4a35", x - 4, 110, x + 4, 166)
            for dx, dy, radius in ((0, -8, 24), (-16, 6, 17), (16, 6, 17)):
                scene.disc(("#3a7d54", "#c97b3a", "#4b8a5c", "#2f7466")[number % 4], x + dx, 100 + dy, radius)
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


if __name__ == "__main__":
    masks(Path(sys.argv[1] if len(sys.argv) > 1 else "streets"))
