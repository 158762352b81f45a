"""What a recipe's steps come to when all of them apply: "6 steps -> 1 warp, 1 table, GaussianBlur"."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import cv2

from augx.model import Step
from augx.seeds import Rng
from augx.transforms.blurs import Blur
from augx.transforms.borders import Border
from augx.transforms.draws import geometry
from augx.transforms.draws_light import light
from augx.transforms.fusion import FLAT, Course

_SIZE = 4096, 3072  # of a picture that stands for all, large enough for any usual crop


def compiled(steps: Sequence[Step]) -> str:
    """`steps` of a recipe with `fuse: true`. Groups, policies and whatever is neither a warp nor a table stay as named.

    Raises ImageError where a picture of 4096 x 3072 is too small for them.
    """
    done: Counter[str] = Counter()
    course, rng = Course.of(*_SIZE), Rng()

    def settled() -> Course:
        done["turn" if course.exact else "warp"] += course.moved
        stages = [*course.before, *course.behind]
        tables = [stage.ndim == 1 or stage.shape[0] == 256 for stage in stages if not isinstance(stage, Blur)]
        done["blur"] += len(stages) - len(tables) + (course.blur is not None)
        done["table"] += sum(tables)
        done["colour matrix"] += len(tables) - sum(tables)
        return Course.of(course.matrix.width, course.matrix.height)

    for number, step in enumerate(steps):
        at, size = rng.at(0, "", 1, str(number)), (course.matrix.width, course.matrix.height)
        if moving := geometry(step.name, step.args):
            warp = moving.warp(moving.draw(*size, at), *size)
            if warp is None:
                continue
            if abs(warp.determinant) < FLAT:
                settled()
                done[step.name] += 1
                course = Course.of(warp.width, warp.height)
                continue
            border = Border(getattr(moving.settings, "border_mode", cv2.BORDER_CONSTANT))
            joins = step.name, warp, border, getattr(moving.settings, "interpolation", cv2.INTER_LINEAR)
            joined = course.joined(*joins) or settled().joined(*joins)
            assert joined is not None
            course = joined
        elif toning := light(step.name, step.args):
            course = course.toned(toning.stages(toning.draw(*size, 3, at), 3))
        else:
            course = settled()
            done[step.name] += 1
    settled()
    parts = [f"{count} {name}{'s' * (count > 1)}" for name, count in done.items() if count]
    return f"{len(steps)} step{'s' * (len(steps) != 1)} -> {', '.join(parts) or 'nothing'}"
