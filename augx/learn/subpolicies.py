"""Sub-policies as a policy file has them: what they may be made of, and how they are drawn."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence

from augx.model import Json
from augx.transforms.own.policy_tables import AUTOAUGMENT

SubPolicy = list[dict[str, Json]]  # as the file has it
Args = Mapping[str, Json]


def _about(share: float) -> list[Json]:
    return [round(1 - share, 3), round(1 + share, 3)]


def _either(most: float) -> list[Json]:
    return [-round(most, 3), round(most, 3)]


def _moved(**args: Json) -> Args:
    return {**args, "border_mode": "reflect_101"}


def _still(**args: Json) -> Args:
    return {"brightness": [1, 1], "contrast": [1, 1], "saturation": [1, 1], "hue": [0, 0], **args}


# What a sub-policy may be made of: a transform, and its arguments at strength 1 to 10; None: it has none.
SPACE: Sequence[tuple[str, Callable[[int], Args] | None]] = (
    *((name, None if scale is None else lambda m: {"m": m}) for name, scale in AUTOAUGMENT.items()
      if name != "Identity"),
    ("HorizontalFlip", None),
    ("VerticalFlip", None),
    ("Affine", lambda m: _moved(rotate=_either(4 * m))),
    ("Affine", lambda m: _moved(scale=_about(0.04 * m), keep_ratio=True)),
    ("Affine", lambda m: _moved(scale=_about(0.03 * m))),
    ("Affine", lambda m: _moved(translate_percent=_either(0.025 * m))),
    ("Affine", lambda m: _moved(shear=_either(3 * m))),
    ("Perspective", lambda m: _moved(scale=[0.0, round(0.02 * m, 3)])),
    ("RandomBrightnessContrast", lambda m: dict.fromkeys(("brightness_limit", "contrast_limit"), _either(0.06 * m))),
    ("RandomGamma", lambda m: {"gamma_limit": [100 - 7 * m, 100 + 12 * m]}),
    ("ColorJitter", lambda m: _still(saturation=_about(0.1 * m))),
    ("ColorJitter", lambda m: _still(hue=_either(0.03 * m))),
    ("smooth_field", lambda m: {"sigma": 5 * m}),
    ("GaussianBlur", lambda m: {"blur_limit": 0, "sigma_limit": [0.1, round(0.15 * m, 3)]}),
    ("GaussNoise", lambda m: {"std_range": [0.0, round(0.015 * m, 3)]}),
    ("ImageCompression", lambda m: {"quality_range": [95 - 8 * m, 100]}),
    ("CoarseDropout", lambda m: {"num_holes_range": [1, 2], "hole_height_range": [0.05, round(0.05 + 0.04 * m, 3)],
                                 "hole_width_range": [0.05, round(0.05 + 0.04 * m, 3)]}),
)  # fmt: skip


def drawn(count: int, seed: int) -> list[SubPolicy]:
    """So many different sub-policies of two transforms each; the first ones are the same for any count."""
    draws = random.Random(seed)
    found: dict[str, SubPolicy] = {}
    while len(found) < count:
        ops: SubPolicy = []
        for number in draws.sample(range(len(SPACE)), 2):
            name, at = SPACE[number]
            p, strength = draws.randint(2, 10) / 10, draws.randint(1, 10)
            ops.append({name: {**(at(strength) if at else {}), "p": p}})
        found.setdefault(flow(ops), ops)
    return list(found.values())


def flow(value: Json) -> str:
    """YAML in one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {flow(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(flow, value)) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)
