"""The sheets of this example, on drawn pictures: python sheets.py FOLDER

Needs augx, and the example `labels` beside this one.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
RECIPE = str(HERE / "recipe.yaml")
SHEETS = {  # name -> the dataset, and what is asked for
    "copies.jpg": ("polygons", "-r", RECIPE, "--sample", "3", "--cell", "170"),
    "step.jpg": ("keypoints", "-r", RECIPE, "--step", "--sample", "2", "--cell", "170"),
    "extremes.jpg": ("boxes", "-r", RECIPE, "--extremes", "--only", "table2.jpg", "--cell", "130"),
}


def main() -> None:
    if len(sys.argv) != 2:
        raise SystemExit(f"usage: python {Path(__file__).name} FOLDER")
    with tempfile.TemporaryDirectory() as drawn:
        subprocess.run((sys.executable, HERE.parent / "labels" / "draw.py", drawn), check=True)
        for name, (dataset, *asked) in SHEETS.items():
            sheet = Path(sys.argv[1]) / name
            subprocess.run(("augx", "preview", Path(drawn) / dataset, "-o", sheet, *asked), check=True)


if __name__ == "__main__":
    main()
