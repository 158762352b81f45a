"""Makes the pictures of this page: `python sheets.py`, with the extra `learn`; a quarter of an hour on one core."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

HERE = Path(__file__).parent
ROWS = {"autoencoder": 506, "style": 506, "adversarial": 384, "gan": 950, "neural": 506}  # method -> pixels that count


def main() -> None:
    with tempfile.TemporaryDirectory() as place:
        digits = Path(place) / "digits"
        subprocess.run([sys.executable, HERE / "draw.py", digits], check=True)
        for method, high in ROWS.items():
            model = Path(place) / f"{method}.safetensors"
            learn = [sys.executable, "-m", "augx", "learn", method, digits, "-o", model, "--fast", "--threads", "1"]
            subprocess.run(learn, check=True)
            sheet = Image.open(f"{model}.png").convert("RGB")
            sheet.crop((0, 0, sheet.width, high)).save(HERE / f"{method}.webp", quality=80)


if __name__ == "__main__":
    main()
