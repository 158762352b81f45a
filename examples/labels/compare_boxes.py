"""Shows what `boxes: outer` and `boxes: ellipse` make of a turned box: python compare_boxes.py boxes.png"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # scene.py, beside the folders of the stories
from scene import HEIGHT, WIDTH, Scene, write

THINGS = {"orange": (228, 140, 40), "plum": (74, 96, 176), "brick": (150, 70, 52)}  # one flat colour each
PLACES = {"orange": (22, 84, 106, 168), "plum": (136, 78, 192, 172), "brick": (222, 94, 304, 156)}
KINDS = {"outer": "#0072B2", "ellipse": "#009E73"}
RECIPE = """\
version: 1
seed: 3
copies: 2
transforms:
  - Affine: {{rotate: [20, 40], fill: [236, 234, 226], p: 1}}
labels: {{boxes: {kind}}}
"""
GAP, CAPTION, LARGER = 8, 24, 2


def draw_things(root: Path) -> None:
    """One picture, whose labels are boxes and nothing but boxes."""
    scene = Scene("#eceae2", "#eceae2")
    scene.shade.paste("white", (0, 0, *scene.shade.size))  # flat colours, to be found again by what they are
    found = []
    for name, (left, top, right, bottom) in PLACES.items():
        colour = "#{:02x}{:02x}{:02x}".format(*THINGS[name])
        if name == "brick":
            scene.box(colour, left, top, right, bottom)
        else:
            scene.disc(colour, (left + right) / 2, (top + bottom) / 2, (right - left) / 2, (bottom - top) / 2)
        edges = f"<xmin>{left}</xmin><ymin>{top}</ymin><xmax>{right}</xmax><ymax>{bottom}</ymax>"
        found.append(f"<object><name>{name}</name><bndbox>{edges}</bndbox></object>")
    size = f"<size><width>{WIDTH}</width><height>{HEIGHT}</height><depth>3</depth></size>"
    write(root / "things.xml", f"<annotation><filename>things.png</filename>{size}{''.join(found)}</annotation>\n")
    scene.finished().save(root / "things.png")


def extent(image: Image.Image, colour: tuple[int, int, int]) -> tuple[int, int, int, int]:
    """What a thing really takes up in a picture: x0, y0, x1, y1 of the pixels of its colour."""
    near = np.abs(np.asarray(image, np.int64) - colour).max(axis=2) < 45
    ys, xs = near.nonzero()
    return int(xs.min()), int(ys.min()), int(xs.max()) + 1, int(ys.max()) + 1


def dotted(draw: ImageDraw.ImageDraw, box: tuple[float, ...]) -> None:
    x0, y0, x1, y1 = box
    for ax, ay, bx, by in ((x0, y0, x1, y0), (x1, y0, x1, y1), (x1, y1, x0, y1), (x0, y1, x0, y0)):
        steps = max(round((abs(bx - ax) + abs(by - ay)) / 6), 1)
        for step in range(steps + 1):
            x, y = ax + (bx - ax) * step / steps, ay + (by - ay) * step / steps
            draw.rectangle((x - 1, y - 1, x + 1, y + 1), "#101418")


def main() -> None:
    target = Path(sys.argv[1] if len(sys.argv) > 1 else "boxes.png")
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "things").mkdir()
        draw_things(root / "things")
        rows = {}
        for kind in KINDS:
            write(root / f"{kind}.yaml", RECIPE.format(kind=kind))
            run = ("augx", "run", str(root / "things"), str(root / kind), "-r", str(root / f"{kind}.yaml"), "-q")
            subprocess.run(run, check=True)
            rows[kind] = [json.loads(line) for line in (root / kind / "manifest.jsonl").read_text("utf-8").splitlines()]
        wide, high = WIDTH * LARGER, HEIGHT * LARGER
        sheet = Image.new("RGB", (GAP + 3 * (wide + GAP), GAP + high + CAPTION + GAP), "white")
        for column in range(3):
            image = Image.open(root / "outer" / rows["outer"][column]["file_name"]).convert("RGB")
            tile = image.resize((wide, high), Image.Resampling.BICUBIC)
            draw = ImageDraw.Draw(tile)
            for kind, colour in KINDS.items():
                for thing in rows[kind][column]["objects"]:
                    x, y, width, height = (value * LARGER for value in thing["bbox"])
                    draw.rectangle((x - 1, y - 1, x + width, y + height), outline=colour, width=3)
            for colours in THINGS.values():
                dotted(draw, tuple(value * LARGER for value in extent(image, colours)))
            sheet.paste(tile, (GAP + column * (wide + GAP), GAP))
    draw, font, x = ImageDraw.Draw(sheet), ImageFont.load_default(18), GAP
    said = {f"boxes: {kind}": colour for kind, colour in KINDS.items()} | {"dotted: what it takes up": "#101418"}
    for words, colour in said.items():
        draw.text((x, GAP + high + 2), words, colour, font)
        x += round(font.getlength(words)) + 40
    sheet.resize((sheet.width * 2 // 3, sheet.height * 2 // 3), Image.Resampling.LANCZOS).save(target)
    print(f"{target}: the source and two copies")


if __name__ == "__main__":
    main()
