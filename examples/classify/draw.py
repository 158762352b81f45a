"""Draws five small classes of pictures: python draw.py photos"""

import math
import sys
from pathlib import Path

from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # scene.py, beside the folders of the stories
from scene import Scene, save


def scene_of(top: str, bottom: str) -> Scene:
    return Scene(top, bottom, 400, 300)


def boat(turn: int) -> Image.Image:
    scene = scene_of(("#bfe3ef", "#ffd9b8", "#cfd8f0")[turn], ("#eef7f4", "#fff1df", "#f3ecf5")[turn])
    scene.disc("#ffd166", 80 + 110 * turn, 66, 27)
    scene.box(("#2a7f9e", "#336b87", "#3c5c92")[turn], 0, 205, 400, 300)
    scene.box("#6b4a35", 196, 52, 202, 200)
    scene.polygon("#ffffff", (208, 54), (208, 182), (300, 182))
    scene.polygon(("#ef6f53", "#f2a541", "#e4576b")[turn], (190, 72), (190, 182), (122, 182))
    scene.polygon("#8a4b32", (108, 192), (312, 192), (280, 234), (140, 234))
    for x in range(-20, 400, 56):
        scene.disc(("#236d89", "#2b5b74", "#334f80")[turn], x + 28, 240, 32, 9)
    return scene.finished()


def cactus(turn: int) -> Image.Image:
    scene = scene_of(("#fbe3c6", "#fcd5ce", "#d8ecd9")[turn], ("#f6c89f", "#f5b5a5", "#b8dcc1")[turn])
    scene.box(("#dd9b62", "#d0806f", "#86b58f")[turn], 0, 236, 400, 300)
    scene.shadow(210, 262, 88, 12)
    green = ("#3a7d54", "#2f7466", "#2d6a4f")[turn]
    scene.box(green, 172, 46, 228, 220, 28)
    scene.box(green, 110, 128, 200, 156, 14)
    scene.box(green, 110, 86 + 12 * turn, 138, 156, 14)
    scene.box(green, 200, 148, 290, 176, 14)
    scene.box(green, 262, 112 - 14 * turn, 290, 176, 14)
    for y in range(70, 200, 26):
        for x in (186, 200, 214):
            scene.disc("#e9f5db", x, y + (x % 4) * 4, 2)
    scene.disc("#ff7b9c", 200, 44, 11)
    scene.polygon("#c8553d", (152, 196), (248, 196), (234, 262), (166, 262))
    scene.box("#d96a4f", 144, 190, 256, 210, 4)
    return scene.finished()


def mug(turn: int) -> Image.Image:
    scene = scene_of(("#e6eaf2", "#efe6dc", "#dfeee9")[turn], ("#d3dae8", "#e4d5c3", "#c9e2da")[turn])
    scene.box(("#b98b5e", "#8d6e57", "#c49a6c")[turn], 0, 222, 400, 300)
    scene.shadow(212, 246, 110, 14)
    colour = ("#d1495b", "#2e6f95", "#edae49")[turn]
    scene.ring(colour, 262, 156, 46, 17)
    scene.box(colour, 128, 84, 258, 244, 24)
    scene.disc("#f7f3ee", 193, 88, 65, 17)
    scene.disc("#4b2e20", 193, 90, 56, 13)
    scene.box("#ffffff", 128, 150, 258, 166)
    for x in (172, 214):
        scene.disc("#f8fafc", x, 48, 5, 16)
        scene.disc("#f8fafc", x + 8, 26, 4, 12)
    return scene.finished()


def house(turn: int) -> Image.Image:
    scene = scene_of(("#9fd3e6", "#f3c7a7", "#8fb1dd")[turn], ("#e3f3f5", "#fbe9d7", "#dbe6f5")[turn])
    for x, y, size in ((70, 60, 22), (96, 52, 28), (126, 62, 20), (318, 84, 16), (338, 78, 21)):
        scene.disc("#ffffff", x + 20 * turn, y, size, size * 0.7)
    scene.disc(("#7dbb73", "#8ea65b", "#6aa978")[turn], 200, 420, 420, 200)
    scene.box("#a44a3f", 254, 62, 276, 120)
    scene.box(("#f4e9d8", "#f8f1e5", "#efe3cf")[turn], 122, 128, 284, 246)
    scene.polygon(("#c8553d", "#7a4e8a", "#3f6c8f")[turn], (98, 134), (203, 54), (308, 134))
    scene.box("#7b4b33", 182, 178, 222, 246, 4)
    scene.disc("#f2c14e", 214, 214, 3)
    for x in (138, 236):
        scene.box("#ffffff", x, 156, x + 34, 194, 2)
        scene.box("#6fb3d2", x + 4, 160, x + 30, 190)
        scene.box("#ffffff", x + 15, 158, x + 19, 192)
    scene.disc("#3f8f5a", 338, 212, 30, 40)
    scene.box("#6b4a35", 334, 240, 342, 266)
    return scene.finished()


def fish(turn: int) -> Image.Image:
    scene = scene_of(("#57b8c9", "#5aa9d6", "#5cc4b0")[turn], ("#1d5c86", "#274690", "#1d6f74")[turn])
    for number, x in enumerate((44, 68, 340, 366)):
        for step in range(9):
            scene.disc("#2f9e6d", x + 8 * math.sin(step * 0.9 + number), 298 - step * (9 + 2 * number), 6, 10)
    colour, other = (("#ff9f45", "#ffffff"), ("#ffd23f", "#3b5bdb"), ("#f25f7c", "#ffe3e8"))[turn]
    scene.polygon(colour, (262, 150), (334, 98), (318, 150), (334, 204))
    scene.polygon(colour, (160, 100), (220, 58), (244, 110))
    scene.disc(colour, 190, 150, 92, 58)
    scene.polygon(other, (168, 94), (190, 92), (182, 150), (190, 208), (168, 206), (160, 150))
    scene.polygon(other, (232, 100), (248, 106), (240, 150), (248, 194), (232, 200), (224, 150))
    scene.disc("#ffffff", 134, 136, 15)
    scene.disc("#13202b", 131, 136, 8)
    for x, y, size in ((62, 96, 9), (80, 62, 6), (52, 46, 12)):
        scene.ring("#dff6ff", x, y, size, 2.5)
    return scene.finished()


if __name__ == "__main__":
    root = Path(sys.argv[1] if len(sys.argv) > 1 else "photos")
    for kind in (boat, cactus, fish, house, mug):
        for turn in range(3):
            save(kind(turn), root / kind.__name__ / f"{turn + 1}.jpg")
