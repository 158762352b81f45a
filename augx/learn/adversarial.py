"""The step `adversarial`: pictures changed by a few levels where a classifier is most easily misled.

Goodfellow, Shlens, Szegedy 2014, "Explaining and Harnessing Adversarial Examples", arXiv 1412.6572: one step (FGSM).
Madry, Makelov, Schmidt, Tsipras, Vladu 2017, "Towards Deep Learning Models Resistant to Adversarial Attacks",
arXiv 1706.06083: several small steps from a random beginning (PGD).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from augx.artefact import Place
from augx.model import Picture
from augx.seeds import Rng
from augx.transforms.own.base import Learned, Still, needed, span, whole

if TYPE_CHECKING:
    from augx.learn.surrogate import Judge

Array = NDArray[Any]
_STRIDE = 2.5  # of all steps together, in epsilons: enough to come back from any beginning


@dataclass(frozen=True)
class Adversarial(Learned, Still):
    """Each channel of each pixel goes up or down by at most epsilon levels of 255, so that the loss of a classifier
    grows: the sign of its gradient (FGSM), or, with `steps` above 1, as many smaller steps from a random beginning
    (PGD). epsilon is drawn from `epsilon_range`; a person sees nothing up to about 8.

    The loss is that of the picture's classes; where it has none that the model knows, of the class that the model
    sees. Pictures that are larger than the model's are looked at in its size, and blocks of pixels change alike.
    Labels stay, places too. `model` is written by `augx learn adversarial`.

    Training on such pictures makes a network hard to mislead by others like them. Do not expect better figures on
    clean pictures: they most often fall by a point or two (Tsipras et al. 2018, arXiv 1805.12152).
    """

    name: ClassVar[str] = "adversarial"

    model: str | Place = needed(type="string")
    epsilon_range: Sequence[float] = span([2, 8], 0, 64)
    steps: int = whole(1, 1, 50)

    def draw(self, picture: Picture, rng: Rng, boxes: Array | None = None) -> dict[str, Any]:
        low, high = self.epsilon_range
        drawn: dict[str, Any] = {"epsilon": rng.numpy.uniform(low, high)}
        if self.steps > 1:
            drawn["stream"] = int(rng.numpy.integers(2**63))
        return drawn

    def apply(self, picture: Picture, params: Mapping[str, Any]) -> Picture:
        from augx.learn.surrogate import judge

        found = judge(self.place)
        said = params["epsilon"], self.steps, params.get("stream", 0)
        return replace(picture, pixels=attacked(found, picture.pixels, picture.annotations.labels, *said))


def attacked(
    judge: Judge, pixels: Array, labels: Mapping[str, float], epsilon: float, steps: int, stream: int = 0
) -> Array:
    """Pixels (H, W) or (H, W, 3), of 8 or 16 bits, changed by at most `epsilon` levels of 255."""
    from augx.learn.data import added, squared

    small = squared(pixels, judge.side).astype(np.float32)
    known = np.array([labels.get(name, 0.0) for name in judge.classes], np.float32)
    if not known.any():
        known[int(judge.scores(pixels).argmax())] = 1
    known /= known.sum()
    far = np.float32(epsilon)
    change: Array = np.zeros_like(small)
    if steps > 1:
        drawn = np.random.Generator(np.random.Philox(stream)).random(small.shape, np.float32)
        change = far * (2 * drawn - 1)
    stride = far if steps == 1 else far * np.float32(_STRIDE / steps)
    for _ in range(steps):
        uphill = np.sign(judge.uphill(np.clip(small + change, 0, 255), known))
        change = np.clip(change + stride * uphill, -far, far)
    return added(pixels, change, smooth=False)
