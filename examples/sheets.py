"""The sheets of the stories and of `preview`, on drawn pictures: python sheets.py FOLDER [STORY ...]

Each becomes FOLDER/STORY/NAME; in this folder, `python sheets.py .` makes all of them anew. Needs augx.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
SHEETS = {  # sheet -> who draws the dataset, and what is asked of `augx preview`
    "detect/sheet.webp": ("detect", "--sample", "2", "-n", "3", "--cell", "190"),
    "segment/sheet.webp": ("segment", "--sample", "2", "-n", "3", "--cell", "190"),
    "pose/sheet.webp": ("pose", "--sample", "2", "-n", "3", "--cell", "190"),
    "oriented/sheet.webp": ("oriented", "--sample", "2", "-n", "3", "--cell", "190"),
    "captions/sheet.webp": ("captions", "--sample", "2", "-n", "3", "--cell", "190"),
    "imbalance/sheet.webp": ("imbalance", "--per-class", "-n", "4", "--cell", "130"),
    "tiny/sheet.webp": ("tiny", "--per-class", "-n", "4", "--cell", "130"),
    "preview/copies.jpg": ("labels", "--sample", "3", "--cell", "170"),
    "preview/step.jpg": ("pose", "--step", "--sample", "2", "--cell", "170"),
    "preview/extremes.jpg": ("detect", "--extremes", "--only", "table2.jpg", "--cell", "130"),
}


def main() -> None:
    if len(sys.argv) < 2:
        raise SystemExit(f"usage: python {Path(__file__).name} FOLDER [STORY ...]")
    folder, stories = Path(sys.argv[1]), sys.argv[2:]
    with tempfile.TemporaryDirectory() as drawn:
        for sheet, (dataset, *asked) in SHEETS.items():
            story = Path(sheet).parent.name
            if stories and story not in stories:
                continue
            if not (Path(drawn) / dataset).exists():
                subprocess.run((sys.executable, HERE / dataset / "draw.py", Path(drawn) / dataset), check=True)
            (folder / sheet).parent.mkdir(parents=True, exist_ok=True)
            recipe = HERE / story / "recipe.yaml"
            command = ("augx", "preview", Path(drawn) / dataset, "-r", recipe, "-o", folder / sheet, *asked)
            subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
