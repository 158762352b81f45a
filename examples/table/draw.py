"""Draws a folder of harbour pictures and labels.csv: several tags per image, and two columns that are no labels."""

import csv
import random
import sys
from pathlib import Path

from PIL import Image, ImageDraw

root = Path(sys.argv[1] if len(sys.argv) > 1 else "harbour")
(root / "images").mkdir(parents=True, exist_ok=True)
rng = random.Random(5)
table = [["file_name", "tags", "temperature_c", "station"]]
for number in range(8):
    tags = [tag for tag in ("sun", "cloud", "boat", "rain") if rng.random() < 0.5] or ["cloud"]
    degrees = round(rng.uniform(4, 24), 1)
    image = Image.new("RGB", (240, 180), "#8fb8d8" if "sun" in tags else "#a9b4bd")
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 118, 240, 180), "#2f6f8f")
    if "sun" in tags:
        draw.ellipse((180, 16, 216, 52), "#ffd166")
    if "cloud" in tags:
        for x in (40, 62, 84):
            draw.ellipse((x, 30, x + 44, 58), "#eef2f4")
    if "boat" in tags:
        draw.polygon([(90, 120), (170, 120), (156, 140), (104, 140)], "#8a4b32")
        draw.polygon([(130, 62), (130, 114), (164, 114)], "#ffffff")
    if "rain" in tags:
        for _ in range(60):
            x, y = rng.uniform(0, 240), rng.uniform(0, 170)
            draw.line((x, y, x - 3, y + 9), "#dfe7ec")
    name = f"images/cam_{number + 1}.jpg"
    image.save(root / name, quality=92)
    table.append([name, "|".join(tags), f"{degrees:.2f}", rng.choice(["north pier", "lock, west side"])])
with (root / "labels.csv").open("w", encoding="utf-8", newline="") as file:
    csv.writer(file).writerows(table)
