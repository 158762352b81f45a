"""Which libraries decide the bytes of an image, and on what kind of processor; found without importing them."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import platform
import re
import zlib
from pathlib import Path

from augx import __version__
from augx.errors import Refused

LEARN = "pip install 'augx[learn]'"
_FEATURES = ("sse4_2", "avx", "fma", "avx2", "avx512f", "avx512bw", "neon", "asimd", "sve")


def deciding(learned: bool = False) -> dict[str, str]:
    """The versions that are part of every key: another one may make other bytes, so images are made again.

    `learned`: networks are at work, too. Refused where what runs them is not installed.
    """
    return {
        "augx": __version__,
        "albumentations": importlib.metadata.version("albumentations"),
        "opencv": _opencv(),
        "pillow": importlib.metadata.version("pillow"),
        "zlib": zlib.ZLIB_RUNTIME_VERSION,
        **({"torch": _torch()} if learned else {}),
    }


def everything(learned: bool = False) -> dict[str, str]:
    """The deciding versions and those that are only good to know when a bug is reported."""
    return deciding(learned) | {"numpy": importlib.metadata.version("numpy"), "python": platform.python_version()}


def cpu() -> dict[str, object]:
    """The processor class. On another one pixels may differ by a level or two."""
    try:
        flags = set(re.findall(r"\w+", _cpuinfo_flags()))
    except OSError:
        flags = set()
    return {"machine": platform.machine(), "features": [name for name in _FEATURES if name in flags]}


def _torch() -> str:
    try:
        return importlib.metadata.version("torch")
    except importlib.metadata.PackageNotFoundError:
        raise Refused("the recipe has a step with a model, and torch is not installed", LEARN) from None


def _opencv() -> str:
    """The version of the cv2 that would be imported: several distributions write the same folder, the last one wins."""
    spec = importlib.util.find_spec("cv2")
    if spec is None or spec.origin is None:
        return "none"
    try:
        text = (Path(spec.origin).parent / "version.py").read_text()
    except OSError:
        return "unknown"
    found = re.search(r'opencv_version = "([^"]+)"', text)
    return found.group(1) if found else "unknown"


def _cpuinfo_flags() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith(("flags", "Features")):
            return line
    return ""
