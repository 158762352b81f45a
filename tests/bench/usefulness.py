"""Does it help? Trains one small net on what each recipe makes of 500 photos, and tests it on 2000 others.

    pip install -e . torch==2.13.0     # the build for CPUs will do
    python tests/bench/usefulness.py DATA [--seeds 5] [--steps 1000] [--only NAME|RECIPE.yaml ...] [--cv]
    python tests/bench/usefulness.py DATA --train FOLDER --test FOLDER    # any class folders of pictures of one size

DATA holds class folders of CIFAR-10 (Krizhevsky 2009): train50, test200 and, for --cv, train500; the first 50, 200 and
500 images of each class. Every net sees pictures from files that `augx run` wrote (JPEG, as the photos are; class
weights from the manifest), for `none` the photos, and nothing else: there is no augmentation while it trains. All train
for the same number of steps. A seed is that of the recipe, of the net's first weights and of the order of the pictures.

A recipe named `this+that`, or of that file name, is held against `that`, all others against `none`: the mean of what it
has more, seed by seed, with its 95 % interval (Student's t).

--cv is for the choice between recipes, which must not see the test images: for each seed another 500 images of
train500, none of train50, are multiplied and trained on, and the 2000 after them are the test.
"""

from __future__ import annotations

import argparse
import json
import math
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot

from augx.learn.classifier import recognised, trained
from augx.learn.judging import quantile

HEAD = "version: 1\ncopies: 10\ntransforms:\n"

# The reference all additions are measured on: what the bundled recipe `classification` was before it was tuned.
CLASSICAL = """\
  - HorizontalFlip: {p: 0.5}
  - Affine:
      rotate: [-15, 15]
      scale: [0.85, 1.15]
      keep_ratio: true
      translate_percent: [-0.06, 0.06]
      shear: [-5, 5]
      border_mode: reflect_101
      p: 0.8
  - RandomBrightnessContrast: {brightness_limit: [-0.2, 0.2], contrast_limit: [-0.2, 0.2], p: 0.7}
  - ColorJitter: {brightness: [1, 1], contrast: [1, 1], saturation: [0.75, 1.25], hue: [-0.02, 0.02], p: 0.4}
  - OneOf:
      transforms:
        - GaussianBlur: {blur_limit: [3, 5]}
        - GaussNoise: {std_range: [0.01, 0.05], noise_scale_factor: 0.5}
        - MotionBlur: {blur_limit: [3, 5]}
      p: 0.3
  - CoarseDropout: {num_holes_range: [1, 2], hole_height_range: [0.08, 0.2], hole_width_range: [0.08, 0.2], p: 0.2}
"""
# Moves of 4 pixels and a mirror, as in He et al. 2015, arXiv 1512.03385.
FLIP_CROP = """\
  - HorizontalFlip: {p: 0.5}
  - Pad: {padding: 4, p: 1}
  - RandomCrop: {height: 32, width: 32, p: 1}
"""
RECIPES = {
    "none": "",
    "flip+crop": FLIP_CROP,
    "classical": CLASSICAL,
    "randaugment": FLIP_CROP + "  - randaugment: {}\n",
    "trivialaugment": FLIP_CROP + "  - trivialaugment: {}\n",
    "mixup+classical": "  - mixup: {alpha: 0.4, p: 0.5}\n" + CLASSICAL,
    "cutmix+classical": "  - cutmix: {p: 0.5}\n" + CLASSICAL,
    "extrapolate+classical": "  - extrapolate: {p: 0.5}\n" + CLASSICAL,
    "smooth_field+classical": CLASSICAL + "  - smooth_field: {knots: 3, sigma: 30, p: 0.5}\n",
    "classification": "classification",
}


def pictures(paths: list[Path]) -> Tensor:
    """(n, 3, height, width), uint8."""
    pixels = [cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB) for path in paths]
    return torch.from_numpy(np.stack(pixels)).permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last)


def photos(folder: Path) -> tuple[Tensor, Tensor]:
    """The pictures of class folders, and a weight of 1 for the class of each."""
    paths, names = sorted(folder.glob("*/*.*")), classes_of(folder)
    classes = torch.tensor([names.index(path.parent.name) for path in paths])
    return pictures(paths), one_hot(classes, len(names)).float()


def classes_of(folder: Path) -> list[str]:
    return sorted(one.name for one in folder.iterdir() if one.is_dir())


def multiplied(folder: Path, recipe: str, seed: int) -> tuple[Tensor, Tensor]:
    """What `augx run` makes of the photos in a folder, with the class weights of its manifest."""
    with tempfile.TemporaryDirectory() as place:
        output = Path(place) / "out"
        command = [sys.executable, "-m", "augx", "run", str(folder), str(output), "-r", "-", "--seed", str(seed)]
        subprocess.run([*command, "--to", "table", "-j", "0", "-q"], input=recipe, text=True, check=True)
        rows = [json.loads(line) for line in (output / "manifest.jsonl").read_text("utf-8").splitlines()]
        x = pictures([output / row["file_name"] for row in rows])
    return x, torch.tensor([[row["labels"].get(name, 0.0) for name in classes_of(folder)] for row in rows])


def accuracy(net: nn.Module, x: Tensor, y: Tensor) -> float:
    """In percent."""
    return 100 * (recognised(net, x) == y.argmax(1)).float().mean().item()


def block(data: Path, place: Path, first: int, count: int) -> Path:
    """So many images of each class of train500, from the first on."""
    for name in classes_of(data / "train500"):
        (place / name).mkdir(parents=True)
        for path in sorted((data / "train500" / name).iterdir())[first : first + count]:
            shutil.copy(path, place / name)
    return place


def score(recipe: str, train: Path, test: tuple[Tensor, Tensor], seed: int, steps: int) -> float:
    x, y = multiplied(train, recipe, seed) if recipe else photos(train)
    return accuracy(trained(x, y, seed, steps), *test)


def recipe_of(name: str) -> str:
    """The text of a recipe: one of those above, or a file."""
    text = RECIPES.get(name)
    if text is None:
        return Path(name).read_text("utf-8")
    if text == name:
        return (Path(__file__).parents[2] / "configs" / f"{name}.yaml").read_text("utf-8")
    return text and HEAD + text


def base_of(name: str) -> str:
    """What a recipe is held against; "" for `none` itself."""
    under = Path(name).stem.rpartition("+")[2]
    return under if under in RECIPES and under != name else "" if name == "none" else "none"


def more(found: Sequence[float], base: Sequence[float]) -> str:
    """The mean difference, seed by seed, with its 95 % interval."""
    each = [one - other for one, other in zip(found, base, strict=True)]
    margin = quantile(len(each) - 1) * statistics.stdev(each) / math.sqrt(len(each))
    return f"{statistics.mean(each):+.1f} ± {margin:.1f}"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path)
    parser.add_argument("--seeds", type=int, default=5, help="how many; at most 5 with --cv")
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--only", nargs="+", default=list(RECIPES), metavar="NAME")
    parser.add_argument("--train", default="train50", help="a folder of DATA")
    parser.add_argument("--test", default="test200", help="a folder of DATA")
    parser.add_argument("--cv", action="store_true", help="on train500 alone")
    told = parser.parse_args()
    torch.set_num_threads(1)

    @cache
    def scores(name: str) -> list[float]:
        """One for each seed."""
        found = []
        for seed in range(told.seeds):
            with tempfile.TemporaryDirectory() as place:
                if told.cv:
                    train = block(told.data, Path(place) / "train", 50 * (seed + 1), 50)
                    test = block(told.data, Path(place) / "test", 50 * (seed + 2), 200)
                else:
                    train, test = told.data / told.train, told.data / told.test
                found.append(score(recipe_of(name), train, photos(test), seed, told.steps))
        return found

    seeds = " | ".join(f"seed {seed}" for seed in range(told.seeds))
    print(f"| recipe | accuracy, % | sd | more than | by | {seeds} |")
    print("|---" * (told.seeds + 5) + "|")
    for name in told.only:
        found, base = scores(name), base_of(name)
        mean, sd = statistics.mean(found), statistics.stdev(found) if len(found) > 1 else 0.0
        by = more(found, scores(base)) if base and len(found) > 1 else ""
        each = " | ".join(f"{one:.2f}" for one in found)
        print(f"| {name} | {mean:.1f} | {sd:.1f} | {base} | {by} | {each} |", flush=True)


if __name__ == "__main__":
    main()
