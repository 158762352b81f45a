"""The one door to torch: found or asked for by name, and made to compute the same way twice."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from numpy.typing import NDArray

from augx.errors import Refused
from augx.versions import LEARN

_NEEDED = ("torch", "safetensors")
_SMALLER = "where there is no GPU, torch's build for CPUs is smaller: pytorch.org says how"


class Told(Protocol):
    """Told how it goes: what was read and how long it will take, how many steps are done, what they say."""

    def begin(self, words: str, steps: int) -> None: ...
    def step(self, done: int, says: str = "") -> None: ...
    def end(self) -> None: ...


def duration(seconds: float) -> str:
    """In words, roughly."""
    if seconds < 90:
        return f"{max(seconds, 1):.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def need() -> None:
    """Refused where what the extra `learn` installs is not there. Imports nothing."""
    lacking = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if lacking:
        raise Refused(f"learned augmentation needs {' and '.join(lacking)}", f"{LEARN}; {_SMALLER}")


def ready(device: str = "auto", threads: int = 1) -> Any:
    """torch, and the device by that name: "auto" takes a GPU where there is one. Refused where there is none such."""
    need()
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # what CUDA needs to compute the same way twice
    import torch

    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True, warn_only=True)
    cards = torch.cuda.device_count() if torch.cuda.is_available() else 0
    there = ["cuda"] * bool(cards) + ["mps"] * torch.backends.mps.is_available() + ["cpu"]
    if device == "auto":
        device = there[0]
    there += [f"cuda:{number}" for number in range(cards)]
    if device not in there:
        raise Refused(f"torch sees no device {device!r} here", f"there is {', '.join(there)}")
    return torch.device(device)


def tensor(values: NDArray[Any], device: Any) -> Any:
    """An array on a device; pictures (n, side, side, 3) as (n, 3, side, side)."""
    import torch

    found = torch.from_numpy(values)
    if found.ndim == 4:
        found = found.permute(0, 3, 1, 2)  # as it lies in memory it is in torch's channels_last
    return found.to(device)


@contextmanager
def alone(gradients: bool = False) -> Iterator[None]:
    """One thread, and nothing kept for gradients but where they are asked for: how a picture goes through a network, so
    that bytes do not depend on how many cores there are."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.inference_mode(not gradients):
            yield
    finally:
        torch.set_num_threads(threads)
