"""How far may an argument go? What is left of photos at one end of a range, for the thresholds of `augx.lint.ranges`.

    python tests/bench/survival.py DATA [--only NAME ...] [--sheet sheet.png]

DATA holds photos, in folders of any depth; of them 24 are taken, evenly by name, 512 pixels wide. Each is changed by
one transform with one argument at one value, and nothing else.

What is left is told in two ways. Where pixels stay in place: the correlation between the photo and its copy, of what is
between 4 and 16 pixels large (the parts by which a person tells what it is; noise averages out, and so do colours), and
0 where the copy varies there by less than a level and a half, which nobody sees. Where pixels move: the share of the
photo that the copy shows, or of the copy that shows the photo, whichever is less; 0 for what lies folded over itself.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from augx.images import decode
from augx.model import Picture, Step
from augx.seeds import Rng
from augx.transforms.catalog import TRANSFORMS
from augx.transforms.pipeline import Pipeline

Array = NDArray[Any]
WIDE = 512
LEAST_SEEN = 1.5  # levels
GRID = 64
FOLDED = 0.1  # share of the copy

# transform, argument, values from mild to hard; a value is the end of a range: both ends are put there
SWEEPS: Sequence[tuple[str, str, Sequence[Any]]] = (
    ("RandomBrightnessContrast", "brightness_limit", (0.5, 0.6, 0.7, 0.8, 0.9, 1)),
    ("RandomBrightnessContrast", "brightness_limit", (-0.5, -0.6, -0.7, -0.8, -0.9, -1)),
    ("RandomBrightnessContrast", "contrast_limit", (-0.6, -0.7, -0.8, -0.9, -0.95, -1)),
    ("RandomBrightnessContrast", "contrast_limit", (1, 2, 4, 8)),
    ("ColorJitter", "brightness", (0.4, 0.3, 0.2, 0.1, 0.05, 0)),
    ("ColorJitter", "brightness", (2, 3, 4, 6, 10)),
    ("ColorJitter", "contrast", (0.3, 0.2, 0.1, 0.05, 0.02, 0)),
    ("RandomGamma", "gamma_limit", (30, 20, 10, 5, 4, 3, 2)),
    ("RandomGamma", "gamma_limit", (200, 300, 400, 600, 1000)),
    ("HueSaturationValue", "val_shift_limit", (100, 130, 160, 190, 220, 255)),
    ("HueSaturationValue", "val_shift_limit", (-100, -130, -160, -190, -220, -255)),
    ("GaussNoise", "std_range", (0.2, 0.3, 0.5, 0.7, 1)),
    ("GaussNoise", "mean_range", (0.5, 0.7, 0.8, 0.9, 1)),
    ("MultiplicativeNoise", "multiplier", (0.2, 0.1, 0.05, 0.02, 0)),
    ("MultiplicativeNoise", "multiplier", (2, 3, 4, 6, 10)),
    ("ISONoise", "intensity", (0.5, 1, 2, 4)),
    ("ShotNoise", "scale_range", (0.5, 1, 2, 4)),
    ("SaltAndPepper", "amount", (0.2, 0.4, 0.6, 0.8, 0.9, 1)),
    ("PixelDropout", "dropout_prob", (0.3, 0.5, 0.8, 0.9, 0.95, 0.98)),
    ("GaussianBlur", "blur_limit", (21, 31, 51, 71, 101, 151)),
    ("GaussianBlur", "sigma_limit", (10, 15, 20, 25, 30, 40)),
    ("Blur", "blur_limit", (11, 21, 31, 41, 51, 71)),
    ("MedianBlur", "blur_limit", (21, 31, 41, 51, 71, 101)),
    ("MotionBlur", "blur_limit", (21, 41, 61, 81, 101)),
    ("Defocus", "radius", (12, 20, 30, 40, 60)),
    ("GlassBlur", "max_delta", (4, 8, 16, 24, 32, 48)),
    ("ZoomBlur", "max_factor", (1.3, 1.6, 2, 3, 4)),
    ("ImageCompression", "quality_range", (20, 10, 5, 3, 2, 1)),
    ("Downscale", "scale_range", (0.25, 0.15, 0.1, 0.06, 0.04, 0.02)),
    ("GridDropout", "ratio", (0.5, 0.7, 0.8, 0.9, 0.95, 0.99)),
    ("RandomFog", "fog_coef_range", (0.5, 0.7, 0.9, 1)),
    ("ColorJitter", "saturation", (5, 20, 50)),
    ("Posterize", "num_bits", (3, 2, 1)),
    ("Affine", "scale", (0.5, 0.3, 0.2, 0.15, 0.1, 0.05)),
    ("Affine", "scale", (2, 4, 6, 8, 10)),
    ("Affine", "translate_percent", (0.5, 0.7, 0.8, 0.9, 1)),
    ("Affine", "shear", (30, 45, 60, 75, 85)),
    ("ShiftScaleRotate", "shift_limit", (0.5, 0.7, 0.8, 0.9, 1)),
    ("ShiftScaleRotate", "scale_limit", (-0.7, -0.8, -0.9, -0.95)),
    ("Perspective", "scale", (0.1, 0.3, 0.4, 0.45, 0.5, 0.7, 1)),
    ("RandomResizedCrop", "scale", (0.1, 0.05, 0.03, 0.02, 0.01)),
    ("RandomScale", "scale_limit", (-0.7, -0.8, -0.9, -0.95)),
    ("ElasticTransform", "alpha", (300, 700, 1000, 1500, 2000, 3000)),
    ("GridDistortion", "distort_limit", (0.3, 0.6, 0.8, 0.9, 1)),
    ("OpticalDistortion", "distort_limit", (0.3, 0.6, 1, 2, 4)),
    ("ThinPlateSpline", "scale_range", (0.2, 0.4, 0.6, 0.8, 1)),
)  # fmt: skip
# What goes with it, so that the one argument is seen alone.
ALONG: Mapping[tuple[str, str], dict[str, Any]] = {
    ("RandomBrightnessContrast", "brightness_limit"): {"contrast_limit": [0, 0]},
    ("RandomBrightnessContrast", "contrast_limit"): {"brightness_limit": [0, 0]},
    **{("ColorJitter", one): {k: [1, 1] for k in ("brightness", "contrast", "saturation") if k != one} | {"hue": [0, 0]}
       for one in ("brightness", "contrast", "saturation")},
    ("HueSaturationValue", "val_shift_limit"): {"hue_shift_limit": [0, 0], "sat_shift_limit": [0, 0]},
    ("MultiplicativeNoise", "multiplier"): {"elementwise": False},
    ("GaussNoise", "mean_range"): {"std_range": [0.01, 0.01]},
    ("GaussianBlur", "sigma_limit"): {"blur_limit": 0},
    ("ISONoise", "intensity"): {"color_shift": [0.05, 0.05]},
    ("GridDropout", "ratio"): {"random_offset": True},
    ("Affine", "scale"): {"keep_ratio": True},
    ("ShiftScaleRotate", "shift_limit"): {"scale_limit": [0, 0], "rotate_limit": [0, 0], "border_mode": "constant"},
    ("ShiftScaleRotate", "scale_limit"): {"shift_limit": [0, 0], "rotate_limit": [0, 0], "border_mode": "constant"},
    ("RandomResizedCrop", "scale"): {"size": [384, 512]},
    ("ElasticTransform", "alpha"): {"sigma": 10},
}  # fmt: skip
SINGLE = {("ElasticTransform", "alpha"), ("GridDropout", "ratio"), ("PixelDropout", "dropout_prob"),
          ("GlassBlur", "max_delta")}  # fmt: skip


def step(name: str, argument: str, value: Any) -> Step:
    one: Any = value if (name, argument) in SINGLE else [value, value]
    if argument == "max_factor":
        one = [max(1.0, value - 0.05), value]
    return Step(name, {argument: one} | ALONG.get((name, argument), {}), 1.0)


def photos(root: Path, count: int) -> list[Picture]:
    paths = sorted(path for path in root.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png"))
    found = []
    for path in paths[:: max(1, len(paths) // count)][:count]:
        picture = decode(path.read_bytes()).picture
        pixels = picture.pixels if picture.pixels.ndim == 3 else cv2.cvtColor(picture.pixels, cv2.COLOR_GRAY2RGB)
        high = round(WIDE * picture.height / picture.width)
        found.append(Picture(np.ascontiguousarray(cv2.resize(pixels, (WIDE, high), interpolation=cv2.INTER_AREA))))
    return found


def band(pixels: Array) -> Array:
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(np.float32)
    return cv2.GaussianBlur(grey, (0, 0), 4) - cv2.GaussianBlur(grey, (0, 0), 16)


def seen(before: Picture, after: Picture) -> float:
    """Where pixels stay."""
    one, other = band(before.pixels), band(after.pixels)
    if other.std() < LEAST_SEEN:
        return 0.0
    return abs(float(np.corrcoef(one.ravel(), other.ravel())[0, 1]))


def shown(before: Picture, how: Step, rng: Any) -> float:
    """Where pixels move: by where those of a picture of places come to lie."""
    high, wide = before.pixels.shape[:2]
    x, y = np.meshgrid(np.linspace(20000, 60000, wide), np.linspace(20000, 60000, high))
    places = np.stack([x, y, np.full_like(x, 60000)], -1).astype(np.uint16)
    after = Pipeline([how])(Picture(places), rng)[0].pixels.astype(np.int64)
    inside = after[..., 2] > 59000
    if not inside.any():
        return 0.0
    column = np.clip((after[..., 0] - 20000) * GRID // 40001, 0, GRID - 1)
    row = np.clip((after[..., 1] - 20000) * GRID // 40001, 0, GRID - 1)
    cells = len(np.unique((row * GRID + column)[inside])) / GRID**2
    smooth = cv2.GaussianBlur(after[..., :2].astype(np.float32), (0, 0), 1)
    dx, dy = np.gradient(smooth, axis=1), np.gradient(smooth, axis=0)
    folded = (dx[..., 0] * dy[..., 1] - dx[..., 1] * dy[..., 0])[inside] < 0
    share = folded.mean()
    if share > 0.5:  # mirrored, not folded
        share = 1 - share
    return min(cells, float(inside.mean())) * (0.0 if share > FOLDED else 1.0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--only", nargs="*", default=())
    parser.add_argument("--sheet", type=Path, help="also a picture: one row a sweep, the second photo at each value")
    asked = parser.parse_args()
    pictures, rows = photos(asked.data, 24), []
    print("of 24 photos: how many keep less than a quarter, and the median that is left")
    for name, argument, values in SWEEPS:
        if asked.only and name not in asked.only:
            continue
        told, row = [], []
        for value in values:
            how, left = step(name, argument, value), []
            for number, picture in enumerate(pictures):
                at = lambda place, number=number: Rng().at(0, str(number), 1, place)  # noqa: E731
                try:
                    after = Pipeline([how])(picture, at)[0]
                    left.append(shown(picture, how, at) if TRANSFORMS[name].moves else seen(picture, after))
                except Exception as error:
                    left.append(0.0)
                    told.append(f"{value}: {str(error)[:60]}")
                    break
                if number == 1:
                    row.append(cv2.resize(after.pixels, (192, 144), interpolation=cv2.INTER_AREA))
            told.append(f"{value:g}: {sum(one < 0.25 for one in left)} ({np.median(left):.2f})")
        print(f"{name}.{argument}:  " + "   ".join(told), flush=True)
        rows.append(np.hstack([*row, *[np.full((144, 192, 3), 255, np.uint8)] * (8 - len(row))]))
    if asked.sheet:
        cv2.imwrite(str(asked.sheet), np.vstack(rows)[..., ::-1])


if __name__ == "__main__":
    main()
