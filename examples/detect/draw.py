"""Draws cups and balls on eight tables, with their boxes as Pascal VOC: python draw.py tables"""

import sys
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # scene.py, beside the folders of the stories
from scene import HEIGHT, WIDTH, Scene, save, write


def boxes(root: Path) -> None:
    """Cups and balls on a table."""
    for number in range(8):
        random = Random(number)
        wall = ("#f3e7d3", "#dfe9ee", "#efe0e3", "#e2ead9")[number % 4]
        scene = Scene(wall, "#fffaf2")
        scene.box(("#b98a5e", "#a9835f", "#c39a6b", "#9c7a58")[number % 4], 0, 122, WIDTH, HEIGHT)
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


if __name__ == "__main__":
    boxes(Path(sys.argv[1] if len(sys.argv) > 1 else "tables"))
