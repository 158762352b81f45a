"""Draws eight shelves, and what stands on them in words (metadata.jsonl): python draw.py shelves"""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # scene.py, beside the folders of the stories
from scene import HEIGHT, WIDTH, Scene, save, write

COLOURS = {"red": "#d1495b", "blue": "#2f6690", "yellow": "#edae49", "green": "#3c8d6e"}
THINGS = ("ball", "box", "bottle", "lamp")


def place(scene: Scene, thing: str, colour: str, x: float) -> None:
    """Something that stands at x on the board."""
    foot, paint = 170, COLOURS[colour]
    scene.shadow(x + 4, foot, 34, 6)
    if thing == "ball":
        scene.disc(paint, x, foot - 30, 30)
        scene.disc("#ffffff", x - 10, foot - 41, 6)
    elif thing == "box":
        scene.box(paint, x - 32, foot - 50, x + 32, foot, 3)
        scene.box("#fdf8ef", x - 6, foot - 50, x + 6, foot)
    elif thing == "bottle":
        scene.box(paint, x - 17, foot - 62, x + 17, foot, 7)
        scene.box(paint, x - 6, foot - 92, x + 6, foot - 50, 2)
        scene.box("#fdf8ef", x - 17, foot - 42, x + 17, foot - 18)
    else:
        scene.box("#3d4a57", x - 3, foot - 66, x + 3, foot)
        scene.box("#3d4a57", x - 20, foot - 6, x + 20, foot, 3)
        scene.polygon(paint, (x - 14, foot - 96), (x + 14, foot - 96), (x + 32, foot - 58), (x - 32, foot - 58))


def main(root: Path) -> None:
    lines = []
    for number in range(8):
        scene = Scene(("#f3e7d3", "#dfe9ee", "#efe0e3", "#e2ead9")[number % 4], "#fffaf2")
        scene.box("#b98a5e", 0, 168, WIDTH, 186)
        scene.box("#8f6a47", 0, 186, WIDTH, HEIGHT)
        words = []
        for side, x in enumerate((95, 225)):
            colour, thing = list(COLOURS)[(number + 2 * side) % 4], THINGS[(number + side * (1 + number // 4)) % 4]
            place(scene, thing, colour, x)
            words.append(f"a {colour} {thing}")
        name = f"shelf{number + 1}.jpg"
        save(scene.finished(), root / name)
        text = f"{words[0]} to the left of {words[1]}" if number % 2 else f"{words[0]} and {words[1]} on a shelf"
        lines.append(json.dumps({"file_name": name, "text": text}) + "\n")
    write(root / "metadata.jsonl", "".join(lines))


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "shelves"))
