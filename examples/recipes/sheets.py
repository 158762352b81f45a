"""A contact sheet of each bundled recipe, on drawn pictures: python sheets.py FOLDER [RECIPE ...]

One source, top left, and seven copies of it, with their labels. Needs augx, and the other examples beside this one.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from augx.recipe import read

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "labels"))

from sheet import COLOURS, FINER, GAP, Tile, draw_object, found  # noqa: E402

PICTURES = {  # recipe -> whose script draws it, which of its folders, and the source to show
    "aerial": ("recipes", "fields", "images/land3.png"),
    "classification": ("classify", "", "mug/2.jpg"),
    "detection": ("labels", "", "images/beach1.jpg"),
    "document": ("recipes", "pages", "JPEGImages/page1.jpg"),
    "gentle": ("classify", "", "boat/2.jpg"),
    "medical": ("recipes", "slices", "images/slice2.png"),
    "pose": ("pose", "", "images/people1.jpg"),
    "segmentation": ("segment", "", "images/street1.jpg"),
    "small": ("classify", "", "fish/1.jpg"),
    "strong": ("classify", "", "house/1.jpg"),
}
COLUMNS, COPIES, WIDE = 4, 7, 240
EDGE = "#101418"  # around the source


def main() -> None:
    if len(sys.argv) < 2:
        raise SystemExit(f"usage: python {Path(__file__).name} FOLDER [RECIPE ...]")
    target = Path(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        for recipe in sys.argv[2:] or PICTURES:
            example, kind, source = PICTURES[recipe]
            drawn, output = Path(folder) / example, Path(folder) / recipe
            if not drawn.exists():
                subprocess.run((sys.executable, str(HERE.parent / example / "draw.py"), str(drawn)), check=True)
            options = ("-r", recipe, "-n", str(COPIES), "-q")
            subprocess.run(("augx", "run", str(drawn / kind), str(output), *options), check=True)
            comment = read(recipe).digest()  # so that one can tell whether it still is what the recipe makes
            sheet(output, source).save(target / f"{recipe}.jpg", quality=82, optimize=True, comment=comment)
            print(f"{target / recipe}.jpg: {source} and {COPIES} copies of it")


def sheet(output: Path, source: str) -> Image.Image:
    lines = (output / "manifest.jsonl").read_text("utf-8").splitlines()
    rows = [row for row in map(json.loads, lines) if row["source"] == source]
    high = min(round(WIDE * max(row["height"] / row["width"] for row in rows)), WIDE * 4 // 3)
    classes = found(rows)
    white = brightest(output / rows[0]["file_name"])
    colours = {name: COLOURS[classes.index(name) % len(COLOURS)] for name in classes}
    size = GAP + COLUMNS * (WIDE + GAP), GAP + -(-len(rows) // COLUMNS) * (high + GAP)
    whole = Image.new("RGB", size, "white")
    for number, row in enumerate(rows):
        left, top = GAP + number % COLUMNS * (WIDE + GAP), GAP + number // COLUMNS * (high + GAP)
        if number == 0:
            whole.paste(EDGE, (left - 3, top - 3, left + WIDE + 3, top + high + 3))
            whole.paste("white", (left, top, left + WIDE, top + high))
        shown = labelled(output, row, colours, high, white)
        whole.paste(shown, (left + (WIDE - shown.width) // 2, top + (high - shown.height) // 2))
    return whole


def labelled(output: Path, row: dict, colours: dict[str, str], high: int, white: float) -> Image.Image:
    with Image.open(output / row["file_name"]) as image:
        tile = Tile(seen(image, white), WIDE, high)
    if row["mask"]:
        with Image.open(output / row["mask"]) as mask:
            tile.numbers(np.asarray(mask))
    for thing in row["objects"]:
        draw_object(tile, thing, colours[str(thing["label"])])
    return tile.image.reduce(FINER)


def brightest(path: Path) -> float:
    """Of all but one in 200 pixels."""
    with Image.open(path) as image:
        return float(np.percentile(np.asarray(image), 99.5))


def seen(image: Image.Image, white: float) -> Image.Image:
    """As RGB. A screen shows 8 bits: of 16, all from `white` on are white."""
    if not image.mode.startswith("I"):
        return image.convert("RGB")
    levels = np.asarray(image, np.float64) * (255 / white)
    return Image.fromarray(levels.clip(0, 255).astype(np.uint8)).convert("RGB")


if __name__ == "__main__":
    main()
