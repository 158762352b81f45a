"""The one door to Albumentations: its classes and their defaults.

Raises Refused when imported beside another Albumentations or OpenCV than the ones augx is made for.
"""

from __future__ import annotations

import importlib.metadata
import inspect
import os
import sys
from functools import cache
from typing import Any

import cv2

from augx.errors import Refused
from augx.transforms.catalog import TRANSFORMS


def refuse_strangers(albumentations: str | None, successor: str | None, opencv: str) -> None:
    """Raises Refused unless the installed versions are the ones augx is made for. None: not installed."""
    hint = "pip uninstall -y albumentationsx && pip install --force-reinstall --no-deps albumentations==2.0.8"
    if successor is not None:
        raise Refused(f"albumentationsx {successor} is installed over albumentations: other licence, other names", hint)
    if albumentations != "2.0.8":
        raise Refused(f"augx needs albumentations 2.0.8, here is {albumentations or 'none'}", hint)
    if int(opencv.split(".")[0]) >= 5:
        raise Refused(
            f"augx needs OpenCV 4, here is {opencv}: it makes other pixels",
            "pip uninstall -y opencv-python opencv-python-headless && pip install 'opencv-python-headless>=4.11,<5'",
        )


def _installed(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


refuse_strangers(_installed("albumentations"), _installed("albumentationsx"), cv2.__version__)
os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"  # or the import asks a server for the newest version
sys.modules.setdefault("albumentations.pytorch", None)  # type: ignore[arg-type]  # else it loads torch: 2.5 s, 230 MB

import albumentations  # noqa: E402
from pydantic import ValidationError as ValidationError  # noqa: E402  (which comes with it, so not before it)


def transform_class(name: str) -> Any:
    if name not in TRANSFORMS or TRANSFORMS[name].refused or TRANSFORMS[name].members:
        raise KeyError(name)
    return getattr(albumentations, name)


@cache
def defaults(name: str) -> dict[str, Any]:
    found = inspect.signature(transform_class(name).__init__).parameters.values()
    return {p.name: p.default for p in found if p.default is not p.empty}
