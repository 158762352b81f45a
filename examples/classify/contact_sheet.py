"""A contact sheet of any augx OUTPUT: each source, then its copies. Usage: python contact_sheet.py OUTPUT sheet.jpg"""

import argparse
import json
from itertools import zip_longest
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont, ImageOps

GAP, CAPTION, ROUND = 10, 24, 5  # pixels; twice the gap sets the sources apart from the copies

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("output", type=Path)
parser.add_argument("sheet", type=Path)
parser.add_argument("--rows", type=int, default=5)
parser.add_argument("--copies", type=int, default=6)
parser.add_argument("--width", type=int, default=1000)
asked = parser.parse_args()

classes: dict[str, dict[str, list[dict]]] = {}  # class -> source -> its rows, the original first
for line in (asked.output / "manifest.jsonl").read_text("utf-8").splitlines():
    row = json.loads(line)
    classes.setdefault(", ".join(row["labels"]), {}).setdefault(row["source"], []).append(row)
turns = zip_longest(*(sources.values() for sources in classes.values()))  # one source of each class, then the next
chosen = [rows for turn in turns for rows in turn if rows and rows[0]["copy"] == 0][: asked.rows]
if not chosen:
    raise SystemExit(f"{asked.output} holds no originals to show; run augx with --originals")

wide = (asked.width - (asked.copies + 3) * GAP) // (asked.copies + 1)
high = wide * 3 // 4
sheet = Image.new("RGB", (asked.width, GAP + len(chosen) * (high + CAPTION + GAP)), "white")
corners = Image.new("L", (wide * 4, high * 4))
ImageDraw.Draw(corners).rounded_rectangle((0, 0, wide * 4 - 1, high * 4 - 1), ROUND * 4, fill=255)
corners = corners.resize((wide, high), Image.Resampling.LANCZOS)
for number, rows in enumerate(chosen):
    top = GAP + number * (high + CAPTION + GAP)
    for column, row in enumerate(rows[: asked.copies + 1]):
        tile = ImageOps.pad(Image.open(asked.output / row["file_name"]).convert("RGB"), (wide, high), color="white")
        sheet.paste(tile, (GAP + column * (wide + GAP) + (GAP if column else 0), top), corners)
    caption = ", ".join(rows[0]["labels"]) or "no class"
    ImageDraw.Draw(sheet).text((GAP + 1, top + high + 3), caption, "#5b6570", ImageFont.load_default(12))
sheet.save(asked.sheet, quality=88)
print(f"{asked.sheet}: {len(chosen)} sources with their copies")
