"""Draws eight harbours from above, with oriented boxes as DOTA: python draw.py harbours"""

import sys
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # scene.py, beside the folders of the stories
from scene import WIDTH, Point, Scene, save, toward, write


def oriented(root: Path) -> None:
    """Boats from above."""
    for number in range(8):
        random = Random(number)
        scene = Scene(("#2f7f93", "#2b6f8a", "#37889a", "#28647c")[number % 4], "#3f94a5")
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
    oriented(Path(sys.argv[1] if len(sys.argv) > 1 else "harbours"))
