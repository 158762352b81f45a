"""The recipe that `augx init` writes."""

from __future__ import annotations

from collections.abc import Sequence

_STARTER = """\
# An augx recipe. Check it with 'augx validate', use it with 'augx run -r'.
# The dataset it was written for has {found}.
version: 1

seed: 0             # another seed gives another set of copies, just as repeatable
copies: 10          # new images for each source image
originals: true     # copy the source images, too

# Which splits are multiplied; the others are carried over as they are. Found: {found_splits}.
{splits}

# Any transform of Albumentations 2.0.8 by its own name and arguments, from top to bottom. p is how often it is used,
# 0 to 1. 'augx list transforms' names them all, 'augx show Affine' explains one.
transforms:
  # Not for text, digits, or whatever means something else in a mirror.
  - HorizontalFlip: {{p: 0.5}}
  # Degrees; 1 is the size as it is; shares of width and height. Borders are mirrored instead of black.
  - Affine:
      rotate: [-15, 15]
      scale: [0.85, 1.15]
      keep_ratio: true
      translate_percent: [-0.06, 0.06]
      border_mode: reflect_101
      p: 0.8
  # Shares of the full range: other light, another exposure.
  - RandomBrightnessContrast: {{brightness_limit: [-0.2, 0.2], contrast_limit: [-0.2, 0.2], p: 0.7}}
  # One of these, for 3 copies in 10; a member's own p is its weight in the choice.
  - OneOf:
      transforms:
        - GaussianBlur: {{blur_limit: [3, 5]}}
        - GaussNoise: {{std_range: [0.01, 0.05]}}
        - MotionBlur: {{blur_limit: [3, 5]}}
      p: 0.3

output:
  image:
    format: keep    # as the source; or jpeg, png, webp, bmp, tiff
    quality: 92     # of JPEG and WebP, 1 to 100
"""


def starter(labels_found: bool, splits: Sequence[str], classes: Sequence[str]) -> str:
    """The text of a commented recipe for a dataset with these splits and classes, without problems or warnings."""
    kept = {"val", "valid", "validation", "dev", "test", "testing"}
    multiplied = [s for s in splits if s.lower() not in kept]
    names = ", ".join(_quoted(c) for c in classes[:8]) + (", ..." if len(classes) > 8 else "")
    return _STARTER.format(
        found=f"{len(classes)} classes: {names}" if labels_found and classes else "no labels",
        found_splits=", ".join(_quoted(s) for s in splits) or "none, so every image is multiplied",
        splits=f"splits: [{', '.join(_quoted(s) for s in multiplied)}]" if multiplied else "# splits: [train]",
    )


def _quoted(name: str) -> str:
    """A name as it can stand in a YAML list or a comment."""
    if name.isascii() and name.replace("_", "").isalpha() and name.lower() not in ("true", "false", "null"):
        return name
    escaped = (c if c.isprintable() and c not in '"\\' else f"\\U{ord(c):08x}" for c in name)
    return f'"{"".join(escaped)}"'
