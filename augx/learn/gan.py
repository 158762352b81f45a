"""The step `gan`: pictures that a generator makes, besides those that are changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from augx.artefact import Place
from augx.errors import ImageError
from augx.model import Applied, Picture
from augx.seeds import Rng
from augx.transforms.own.base import Added, Learned, counts, needed, number, whole


@dataclass(frozen=True)
class Gan(Added, Learned):
    """Adds generated pictures of each class, with that class as their label, to each split that is multiplied. The
    other steps of the recipe change them as they change copies. They are as large as the model makes them, 32 to 128
    pixels. For images that have one class each, and nothing else. `model` is written by `augx learn gan`.

    What a gate does not let through is drawn again; where that does not help there is one picture less, and a row in
    failures.jsonl.

    `per_class`: how many of each class, or of some: `{cat: 50}`. `truncation`: scales the numbers that a picture is
    drawn from: below 1 pictures are more alike and have fewer faults. `confidence`: the least share that a classifier
    of the real pictures must give the class; 0 takes any. `novelty`: how far the nearest real picture must be, also
    if one of them is moved a little, turned, larger, smaller or mirrored, 1: as far as all but one in twenty of the
    real ones are from each other; 0 takes any. `attempts`: how often one is drawn.
    """

    name: ClassVar[str] = "gan"

    model: str | Place = needed(type="string")
    per_class: int | Mapping[str, int] = counts()
    truncation: float = number(1.0, 0.1, 2)
    confidence: float = number(0.5, 0, 1)
    novelty: float = number(1.0, 0, 10)
    attempts: int = whole(20, 1, 1000)

    def make(self, label: str, rng: Rng) -> tuple[Picture, Applied]:
        from augx.learn.generating import painter
        from augx.learn.generator import CODE

        found, faults = painter(self.place), Counter[str]()
        if label not in found.classes:
            raise ImageError("no-model", f"the model {self.place.path} knows no class {label!r}", "transform")
        for attempt in range(self.attempts):
            stream = int(rng.numpy.integers(2**63))
            drawn = np.random.Generator(np.random.Philox(stream)).standard_normal(CODE, np.float32)
            pixels = found.draw(label, drawn * np.float32(self.truncation))
            fault, told = found.fault(pixels, label, self.confidence, self.novelty)
            if not fault:
                said: dict[str, Any] = {"class": label, "stream": stream, "truncation": self.truncation}
                tried = {"attempts": attempt + 1, "rejected": dict(faults)}
                return Picture(pixels), Applied(self.name, said | told | tried)
            faults[fault] += 1
        why = ", ".join(f"{times} {fault}" for fault, times in sorted(faults.items()))
        message = f"{label}: none of {self.attempts} generated pictures passes: {why}"
        raise ImageError("gan-rejected", message, "transform")
