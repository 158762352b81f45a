"""Where the time of a run goes (`augx run --profile`): the CPU time of each part of the image path, without what it has
other parts do. A run that does not ask for it is not slowed down: the parts are wrapped in a worker that is told to.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from augx.model import Json

_PARTS: Mapping[str, tuple[str, ...]] = {  # part -> functions, as module:name or module:class.name, where they are used
    "read": ("augx.work:read_sources",),
    "decode": ("augx.images:decode", "augx.images:decode_mask"),
    "partners": ("augx.partners:Chosen.pick",),
    "draw": (
        "augx.transforms.draws:Geometry.draw",
        "augx.transforms.draws_light:Light.draw",
        "augx.transforms.classical:Classical.draw",
    ),
    "warp": ("augx.transforms.fusion:warped", "augx.transforms.fusion:rendered"),
    "tables": ("augx.transforms.fusion:toned", "augx.transforms.rendering:toned"),
    "blur": ("augx.transforms.blurs:Front.over", "augx.transforms.blurs:Blur.over"),
    "other transforms": ("augx.transforms.pipeline:_Way.change", "augx.transforms.pipeline:_Way.mix"),
    "labels": (
        "augx.transforms.fusion:Course.carry",
        "augx.transforms.pipeline:_Way.carry",
        "augx.transforms.pipeline:_labelled",
    ),
    "encode": ("augx.images:encode", "augx.images:encode_mask"),
    "hash": ("augx.work:digest",),
    "write": (
        "augx.store:Folder.write",
        "augx.store:Folder._place",
        "augx.store:Folder.sync",
        "augx.store:Tar.write",
        "augx.store:Tar.end",
    ),
    "rows": ("augx.work:manifest_row", "augx.work:dump"),
    "journal": ("augx.work:write_segment",),
}
REST = "the rest"


class Timing:
    """Watches this process, and one thread of it, from now on."""

    def __init__(self) -> None:
        self._spent: dict[str, float] = {}
        self._inner = [0.0]  # of the parts that are under way: what those in them have taken
        for part, places in _PARTS.items():
            for place in places:
                module, _, name = place.partition(":")
                owner: Any = import_module(module)
                *classes, name = name.split(".")
                for one in classes:
                    owner = getattr(owner, one)
                setattr(owner, name, self._watched(part, getattr(owner, name)))
        self._began = time.thread_time()

    def _watched(self, part: str, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def watched(*args: Any, **named: Any) -> Any:
            began = time.thread_time()
            self._inner.append(0.0)
            try:
                return function(*args, **named)
            finally:
                took = time.thread_time() - began
                self._spent[part] = self._spent.get(part, 0.0) + took - self._inner.pop()
                self._inner[-1] += took

        return watched

    def take(self) -> dict[str, Json]:
        """CPU seconds of each part, in the order of the work, since this was asked last."""
        now = time.thread_time()
        spent = {part: self._spent.get(part, 0.0) for part in _PARTS}
        spent[REST] = now - self._began - sum(spent.values())
        self._spent, self._began = {}, now
        return spent


_watching: list[Timing] = []


def timing() -> Timing:
    """The one of this process."""
    if not _watching:
        _watching.append(Timing())
    return _watching[0]
